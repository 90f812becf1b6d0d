/*
 * Queries that a workbook keeps (MS-QDEFF 2.2): in come the bytes of <DataMashup>, out go the texts
 * of its queries, which are members of a package, and the words of what stands beside it.  In the
 * worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "bytes.h"
#include "readers.h"

enum { QUERIES, PERMISSIONS, METADATA, BINDINGS, N_SECTIONS };

bool ms_mashup_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	const guint8 *sections[N_SECTIONS];
	gsize sizes[N_SECTIONS], at = 4;
	if (len < 4 || ms_le32(data) != 0)
		return false;
	for (guint i = 0; i < N_SECTIONS; i++) {
		if (len - at < 4 || ms_le32(data + at) > len - at - 4)
			return false;
		sections[i] = data + at + 4;
		sizes[i] = ms_le32(data + at);
		at += 4 + sizes[i];
	}
	if (at != len)
		return false;
	if (sizes[QUERIES] > 0)
		ms_extract_within(to, where, "queries", NULL, sections[QUERIES], sizes[QUERIES]);
	/* The last one, which is locked for one user of one machine, says that the second is
	 * theirs. */
	g_autoptr(GString) words = g_string_new(NULL);
	for (guint i = PERMISSIONS; i < N_SECTIONS; i++)
		ms_strings(words, sections[i], sizes[i]);
	ms_extract_span(to, where, words->str, words->len);
	return true;
}
