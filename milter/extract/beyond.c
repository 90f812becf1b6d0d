/*
 * Linked into the small reader in place of pdf*.cc, archive.c, ole.c and smime.c, whose libraries
 * are most of what the full one has in memory: a document that needs one of them comes in, and the
 * message goes to the full reader as a whole (MsHelp's `beyond`).  Where nobody can hand it on, the
 * document is unread.  The worker's one thread.
 */
#include "config.h"

#include "locked.h"
#include "ole.h"
#include "readers.h"

static void hand_on(const MsExtraction *to, const char *where)
{
	if (to->help != NULL && to->help->beyond != NULL)
		to->help->beyond(to->help->user);
	ms_reading_unread(
		to->reading, where, MS_UNREAD_NO_READER, "the small reader reads no documents");
}

#define BEYOND(name) \
	void name(const MsExtraction *to, const MsDocument *document, MsInventory *inventory) \
	{ \
		(void)inventory; \
		hand_on(to, document->where); \
	}

BEYOND(ms_archive_read)
BEYOND(ms_fdf_read)
BEYOND(ms_ole_read)
BEYOND(ms_pdf_read)
BEYOND(ms_smime_read)
BEYOND(ms_certificate_read)
BEYOND(ms_certificate_status_read)

/* One that is in an RTF document. */
bool ms_ole_package(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	(void)data;
	(void)len;
	hand_on(to, where);
	return true;
}

void ms_archive_init(void)
{
}

void ms_locked_init(void)
{
}

void ms_pdf_init(void)
{
}
