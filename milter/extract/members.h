/* The members of archives and what is made of them.  Private to extract/. */
#ifndef MISSENT_EXTRACT_MEMBERS_H
#define MISSENT_EXTRACT_MEMBERS_H

#include "missent/extract.h"
#include "missent/inventory.h"

typedef struct {
	char *name;
	GByteArray *bytes;
} MsMember;

/* office.c: the members (of MsMember) of an Office file that is a ZIP: OOXML or OpenDocument. */
void ms_office_read(const MsExtraction *to, const MsDocument *document, const GPtrArray *members);

/* ---- zip.c ---- */
typedef struct {
	guint flags, method;
	guint64 packed, size, offset;
	const char *name, *comment;
	const guint8 *extra, *local_extra;
	guint name_len, comment_len, extra_len, local_extra_len;
	/* local header, bytes (0: not there), end with what follows the bytes */
	gsize at, data, stop;
} MsZipEntry;

/* The directory of a ZIP file, and where it lies; all borrows from the bytes. */
typedef struct {
	gsize start;           /* of the first member */
	gsize list, list_end;  /* the directory */
	gsize end, comment;    /* the record behind it, and the bytes of its comment */
	gsize shift;           /* bytes in front that offsets do not count */
	guint64 count;
	GArray *entries;       /* of MsZipEntry; as many as could be read */
} MsZip;

/* Fills `zip`, which the caller clears.  What is wrong with it, or NULL; `entries` is NULL if no
 * directory was found. */
const char *ms_zip_list(const guint8 *data, gsize len, MsZip *zip);
void ms_zip_clear(MsZip *zip);
/* Reads the texts of the directory and says in the inventory whose bytes are whose. */
void ms_zip_account(const MsExtraction *to, const MsDocument *document, const MsZip *zip,
	MsInventory *inventory);
/* An Office file: it lists the content types of its parts, or its mimetype says so. */
bool ms_zip_is_office(const MsExtraction *to, const MsDocument *document, const MsZip *zip);
/* A ZIP file that says itself that it has no members. */
bool ms_zip_is_empty(const guint8 *data, gsize len);
/* What one program would show of a ZIP file and another would not; NULL if all agree. */
const char *ms_zip_disagreement(const guint8 *data, gsize len);

/* ---- layout.c: whose bytes are whose in archives that libarchive unpacks.  False if the format
 * is not one whose layout is known here; `*end_out` is where what was walked ends. ---- */
bool ms_layout_account(const MsExtraction *to, const MsDocument *document, MsInventory *inventory,
	gsize *end_out);
/* gzip, with all of its members and their names. */
bool ms_is_gzip(const guint8 *data, gsize len);
void ms_gzip_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);

#endif
