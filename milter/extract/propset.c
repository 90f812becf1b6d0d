/*
 * In comes a stream such as "\5DocumentSummaryInformation", out go the numbers that a user gave to
 * the document as properties of their own (MS-OSHARED 2.3.3.2.3): "Customer", a number.  What
 * programs count (pages, words) stands in other sections.  In the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "bytes.h"
#include "numfmt.h"
#include "propset.h"

#define HEAD 28     /* bytes before the list of sections */
#define SECTION 20  /* of that list: what it is, and where */
#define MAX_ROWS 10000

enum { INTEGER = 3, DOUBLE = 5, UNSIGNED = 19, INTEGER64 = 20, UNSIGNED64 = 21 };

/* The property at `p`, of which `left` bytes are there. */
static void put_number(GString *out, const guint8 *p, gsize left)
{
	if (left < 8)
		return;
	guint64 bits = ms_le32(p + 4) | (left < 12 ? 0 : (guint64)ms_le32(p + 8) << 32);
	double number;
	switch (ms_le32(p)) {
	case INTEGER: number = (gint32)ms_le32(p + 4); break;
	case UNSIGNED: number = ms_le32(p + 4); break;
	case INTEGER64: number = (double)(gint64)bits; break;
	case UNSIGNED64: number = (double)bits; break;
	case DOUBLE: memcpy(&number, &bits, sizeof number); break;
	default: return;
	}
	ms_number_stored(out, number);
	g_string_append_c(out, '\n');
}

static void read_section(GString *out, const guint8 *data, gsize len)
{
	gsize rows = len >= 8 ? MIN(ms_le32(data + 4), MAX_ROWS) : 0;
	for (gsize i = 0; i < rows && 16 + i * 8 <= len; i++) {
		gsize at = ms_le32(data + 12 + i * 8);
		if (at < len)
			put_number(out, data + at, len - at);
	}
}

void ms_propset_numbers(GString *out, const guint8 *data, gsize len)
{
	static const guint8 users[16] = {0x05, 0xd5, 0xcd, 0xd5, 0x9c, 0x2e, 0x1b, 0x10, 0x93, 0x97,
		0x08, 0x00, 0x2b, 0x2c, 0xf9, 0xae};
	guint32 sections = len >= HEAD ? ms_le32(data + HEAD - 4) : 0;
	for (guint32 i = 0; i < MIN(sections, 8u) && HEAD + (i + 1) * SECTION <= len; i++) {
		const guint8 *section = data + HEAD + i * SECTION;
		gsize at = ms_le32(section + 16);
		if (memcmp(section, users, sizeof users) == 0 && at < len)
			read_section(out, data + at, len - at);
	}
}
