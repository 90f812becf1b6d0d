/* The readers that the table in extract.c names, and what several of them use.  A reader notes
 * what it could not read; it never returns an error. */
#ifndef MISSENT_EXTRACT_READERS_H
#define MISSENT_EXTRACT_READERS_H

#include "missent/extract.h"
#include "missent/inventory.h"

/* A reader accounts for the whole document in `inventory`, or ends up with unread items. */
typedef void (*MsReadFunc)(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory);

/* Runs a reader: opens its inventory, closes it, and reads what lies between its items.  For
 * readers that hand a document, or part of one, to another. */
void ms_read_with(MsReadFunc read, const MsExtraction *to, const MsDocument *document);

void ms_archive_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_card_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_fdf_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
/* font.c */
bool ms_is_font(const guint8 *data, gsize len);
void ms_font_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_html_document_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory);
void ms_json_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_ldif_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_message_file_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory);
void ms_metafile_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_ole_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_pdf_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_xps_page_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory);
void ms_picture_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_plain_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_rtf_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
/* A certificate in DER (RFC 5280), of version 3. */
bool ms_is_certificate(const guint8 *data, gsize len);
void ms_certificate_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
/* Begins as a list of revoked certificates (RFC 5280, 5), or as an answer about one (RFC 6960). */
bool ms_is_certificate_status(const guint8 *data, gsize len);
void ms_certificate_status_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_smime_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_svg_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_tnef_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
void ms_xml_document_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory);
void ms_pdf_init(void);
void ms_archive_init(void);

/* Charges and hands over a span; repairs its text, so stretches with names must be valid. */
void ms_extract_hand_over(const MsExtraction *to, MsSpan *span);
/* The same, without what links in it say (links.c). */
void ms_extract_hand_over_alone(const MsExtraction *to, MsSpan *span);
/* Hands over what the links of a span say in other ways than in plain letters. */
void ms_links_read(const MsExtraction *to, const MsSpan *span);
/* What lines of a text say that were encoded once too often, or decoded once too seldom (undone.c);
 * handed over beside it. */
void ms_undone_read(const MsExtraction *to, const MsSpan *span);

/* apple.c */
bool ms_is_apple(const guint8 *data, gsize len);
void ms_apple_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
bool ms_is_ds_store(const guint8 *data, gsize len);
void ms_ds_store_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);

/* edi.c */
bool ms_is_edi(const guint8 *data, gsize len);
void ms_edi_read(const MsExtraction *to, const MsDocument *document, MsInventory *inventory);

/* ---- type.c: what the bytes are ---- */
/* metafile.c: drawings of Windows, EMF and WMF; the first of them. */
bool ms_is_metafile(const guint8 *data, gsize len);
bool ms_is_emf(const guint8 *data, gsize len);
bool ms_is_pdf(const guint8 *data, gsize len);
bool ms_is_fdf(const guint8 *data, gsize len);
bool ms_is_archive(const guint8 *data, gsize len);
bool ms_is_ole(const guint8 *data, gsize len);
bool ms_is_rtf(const guint8 *data, gsize len);
bool ms_is_tnef(const guint8 *data, gsize len);
bool ms_is_pkcs7(const guint8 *data, gsize len);
/* ... in letters; `*from_out`: behind the blanks before it. */
bool ms_is_pkcs7_armour(const guint8 *data, gsize len, gsize *from_out);
bool ms_is_pgp(const guint8 *data, gsize len);
/* The beginning of a picture, of so few bytes that nothing but words could be packed in it. */
#define MS_PICTURE_STUB 64
void ms_picture_stub_read(const MsExtraction *to, const MsDocument *document);
/* Bytes that belong to nothing in a picture: reads them if they are few and no document.  False:
 * they are not read. */
bool ms_picture_gap_read(const MsExtraction *to, const MsDocument *document, gsize from, gsize end);
/* A picture, sound or film whose structure can be walked to its end (picture.c). */
bool ms_is_picture(const guint8 *data, gsize len);
/* A page of XPS. */
bool ms_is_fixed_page(const guint8 *data, gsize len);
/* Has the first bytes of one, at least. */
bool ms_begins_as_picture(const guint8 *data, gsize len);
/* A detached PGP signature and nothing else. */
bool ms_is_pgp_signature(const guint8 *data, gsize len);
/* Where a PDF begins within other bytes, as viewers look for it; `len` if there is none. */
gsize ms_pdf_within(const guint8 *data, gsize len);
/* A ZIP file ends here, whatever it begins with: programs that unpack look at the end. */
bool ms_ends_as_zip(const guint8 *data, gsize len);
/* The name of a format that nothing here reads whole, be it text or not; NULL if none is known. */
const char *ms_unreadable_format(const guint8 *data, gsize len);
/* Controls and NULs as no text has them. */
bool ms_is_binary(const guint8 *data, gsize len);
bool ms_is_xml(const guint8 *data, gsize len);
bool ms_is_html(const guint8 *data, gsize len);
bool ms_is_card(const guint8 *data, gsize len);
bool ms_is_mail(const guint8 *data, gsize len); /* mail.c */
bool ms_is_json(const guint8 *data, gsize len);
bool ms_is_ldif(const guint8 *data, gsize len);
bool ms_is_svg(const guint8 *data, gsize len);
/* Nothing but text, in some charset. */
bool ms_is_text(const guint8 *data, gsize len);
/* Does a reader know it by its bytes? */
bool ms_extract_knows(const guint8 *data, gsize len);
/* ... and do its words alone not say all that it shows? */
bool ms_extract_lays_out(const guint8 *data, gsize len);

/* ---- for several readers ---- */
/* The text of a document in its charset; notes an unknown one. */
GString *ms_decode(const MsExtraction *to, const MsDocument *document);
/* Calls `read` with the text, and once more with each other text that clients may make of the
 * same bytes; `declared` is the charset that the document itself names, or NULL (decode.c). */
typedef void (*MsTextRead)(const MsExtraction *to, const MsDocument *document, const char *where,
	const GString *text);
void ms_decode_each(const MsExtraction *to, const MsDocument *document, const char *declared,
	MsTextRead read);
/* The charset of <meta> or of the XML declaration at the beginning, or NULL. */
char *ms_html_charset(const guint8 *data, gsize len);
/* The text of an SVG drawing, in the order in which it is drawn and by where it stands. */
void ms_svg_text_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* Appends words that stand in a file of no known layout: runs of four and more characters, one
 * a line, read as Windows-1252 and as UTF-16. */
void ms_strings(GString *out, const guint8 *data, gsize len);
/* Unpacks deflated bytes; `*used_out` (or NULL) is how many of them it took.  What breaks off or is
 * over a limit is noted at `where`, and given as far as it goes. */
typedef enum { MS_DEFLATED, MS_ZLIB } MsDeflate;
#define MS_MEMBER_MAX (64u << 20) /* bytes that one member may unpack to */
GByteArray *ms_inflate(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	MsDeflate form, gsize *used_out);
/* What a word decodes to, unpacked (gzip, zlib, or nothing before it); NULL if it is not packed, or
 * to more than a word may hold.  The caller has it. */
GByteArray *ms_inflate_word(const guint8 *data, gsize len);
/* LZFu-compressed RTF (MS-OXRTFCP); NULL if it is damaged or larger than `max`. */
GByteArray *ms_lzfu(const guint8 *data, gsize len, gsize max);
/* RTF to text; HTML that is wrapped in RTF (MS-OXRTFEX) comes out as HTML in `html`. */
void ms_rtf_text(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* Takes out the white space at the beginning of lines, and empty lines. */
void ms_squeeze(GString *text);
/* Notes a contradiction if `text`, the pages of the document at `where`, has nothing of what the
 * e-invoice in it calls its buyer. */
void ms_compare_buyer(const MsExtraction *to, const char *where, const GPtrArray *buyer,
	const GString *text);
/* XML whose text runs on through its elements, as word processors write it (office.c). */
bool ms_is_flat_office(const char *root);
void ms_flat_office_read(const MsExtraction *to, const char *root, const MsDocument *document,
	MsInventory *inventory);
/* Some reader knows it, or it is text in UTF-8: for what may be anything. */
bool ms_is_document(const guint8 *data, gsize len);
/* Queries of a workbook (mashup.c); false if the bytes are none. */
bool ms_mashup_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* Base64 of a text node or property; NULL if it is none. */
GByteArray *ms_base64_text(const char *text, gsize len);
/* Adds to `inner` (of MsHtmlInner *) the document that the text is in base64; mostly it is none. */
void ms_base64_take(const char *text, gsize len, GPtrArray *inner);

#endif
