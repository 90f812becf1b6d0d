/* The readers that the table in extract.c names, and what several of them use.  A reader notes
 * what it could not read; it never returns an error. */
#ifndef MISSENT_EXTRACT_READERS_H
#define MISSENT_EXTRACT_READERS_H

#include "missent/extract.h"
#include "missent/inventory.h"

/* A reader accounts for the whole document in `inventory`, or ends up with unread items. */
typedef void MsRead(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory);
/* Do the bytes say that it is one? */
typedef bool MsIs(const guint8 *data, gsize len);

/* ---- the readers; the file is named where the function does not say it ---- */
MsRead ms_apple_read, ms_ds_store_read;
MsRead ms_archive_read;
MsRead ms_card_read, ms_ldif_read;
MsRead ms_cell_text_read;
MsRead ms_edi_read;
MsRead ms_font_read;
MsRead ms_json_read;
MsRead ms_message_file_read; /* mail.c */
MsRead ms_metafile_read;
MsRead ms_ole_read;
MsRead ms_pdf_read, ms_fdf_read;
MsRead ms_picture_read;
MsRead ms_plain_read;         /* extract.c */
MsRead ms_html_document_read; /* page.c */
MsRead ms_rtf_read;
MsRead ms_smime_read, ms_certificate_read, ms_certificate_status_read;
MsRead ms_svg_read;
MsRead ms_tnef_read;
MsRead ms_xml_document_read;
/* What a form in a PDF says of its values; the document is read by ms_xml_document_read(), too. */
void ms_xfa_read(const MsExtraction *to, const MsDocument *document);
MsRead ms_xps_page_read;
void ms_pdf_init(void);
void ms_archive_init(void);

/* edi.c: what a number is that has this code beside it, by the segment (RFF of UN/EDIFACT: 1153) or
 * the field that has the code (QUALF of SAP's IDocs); NULL: not known. */
const char *ms_edi_label(const char *tag, const char *code);

/* ---- what the bytes are: in the file of the reader ---- */
MsIs ms_is_apple, ms_is_ds_store;
MsIs ms_is_cell_text;
MsIs ms_is_edi;
MsIs ms_is_fixed_page; /* a page of XPS */
MsIs ms_is_font;
MsIs ms_is_json;
MsIs ms_is_ldif;
MsIs ms_is_mail;
MsIs ms_is_metafile; /* a drawing of Windows, EMF or WMF */
MsIs ms_is_svg;
/* A picture, sound or film whose structure can be walked to its end (picture.c). */
MsIs ms_is_picture;
/* The content type of what is one. */
const char *ms_picture_type(const guint8 *data, gsize len);
/* Has the first bytes of one, at least. */
MsIs ms_begins_as_picture;

/* ---- type.c: what the bytes are ---- */
MsIs ms_is_archive, ms_is_card, ms_is_fdf, ms_is_html, ms_is_ole, ms_is_pdf, ms_is_rtf, ms_is_tnef,
	ms_is_xml;
MsIs ms_is_certificate; /* in DER (RFC 5280), of version 3 */
/* Begins as a list of revoked certificates (RFC 5280, 5), or as an answer about one (RFC 6960). */
MsIs ms_is_certificate_status;
MsIs ms_is_pkcs7;
/* ... in letters; `*from_out`: behind the blanks before it. */
bool ms_is_pkcs7_armour(const guint8 *data, gsize len, gsize *from_out);
MsIs ms_is_pgp;
/* A detached PGP signature and nothing else. */
MsIs ms_is_pgp_signature;
/* Where a PDF begins within other bytes, as viewers look for it; `len` if there is none. */
gsize ms_pdf_within(const guint8 *data, gsize len);
/* A ZIP file ends here, whatever it begins with: programs that unpack look at the end. */
MsIs ms_ends_as_zip;
/* The name of a format that nothing here reads whole, be it text or not; NULL if none is known. */
const char *ms_unreadable_format(const guint8 *data, gsize len);
/* Controls and NULs as no text has them. */
MsIs ms_is_binary;
/* Nothing but text, in some charset. */
MsIs ms_is_text;

/* ---- extract.c ---- */
/* Runs a reader: opens its inventory, closes it, and reads what lies between its items.  For
 * readers that hand a document, or part of one, to another. */
void ms_read_with(MsRead *read, const MsExtraction *to, const MsDocument *document);
/* Charges and hands over a span; repairs its text, so stretches with names must be valid. */
void ms_extract_hand_over(const MsExtraction *to, MsSpan *span);
/* The same, without what links in it say (links.c). */
void ms_extract_hand_over_alone(const MsExtraction *to, MsSpan *span);
/* Does a reader know it by its bytes? */
MsIs ms_extract_knows;
/* ... and do its words alone not say all that it shows? */
MsIs ms_extract_lays_out;
/* Some reader knows it, or it is text in UTF-8: for what may be anything. */
MsIs ms_is_document;
/* Appends words that stand in a file of no known layout: runs of four and more characters, one
 * a line, read as Windows-1252 and as UTF-16. */
void ms_strings(GString *out, const guint8 *data, gsize len);
/* Takes out the white space at the beginning of lines, and empty lines. */
void ms_squeeze(GString *text);
/* What a text node or property is in base64, or in hexadecimal digits; NULL if it is neither. */
GByteArray *ms_base64_text(const char *text, gsize len);
/* Adds to `inner` (of MsHtmlInner *) the document that the text is so; mostly it is none
 * (datauri.c). */
void ms_base64_take(const char *text, gsize len, GPtrArray *inner);

/* ---- what else a text says: handed over beside it ---- */
/* What its links say in other ways than in plain letters (links.c). */
void ms_links_read(const MsExtraction *to, const MsSpan *span);
/* Without its percent escapes, the caller's; NULL: it has none. */
GString *ms_links_unescaped(const char *p, gsize len);
/* What lines of it say that were encoded once too often, or decoded once too seldom (undone.c). */
void ms_undone_read(const MsExtraction *to, const MsSpan *span);
/* Lines of it that have a NUL within a word, without (nulled.c). */
void ms_nulled_read(const MsExtraction *to, const MsSpan *span);
/* Cells of its tables that go on in the lines below (wrapped.c). */
void ms_wrapped_read(const MsExtraction *to, const MsSpan *span);

/* As ms_extract_within(), of a short text of which a page may have as many as it has words: it is
 * no part. */
void ms_extract_text_within(const MsExtraction *to, const char *where, const char *name,
	const char *type, const guint8 *data, gsize len);

/* Rows of tables as databases write them out (dump.c): hands them over with the names of their
 * columns.  The text without them, the caller's; NULL: it has none. */
GString *ms_dump_read(const MsExtraction *to, const MsSpan *span);

/* ---- decode.c ---- */
/* Calls `read` with the text, and once more with each other text that clients may make of the
 * same bytes; `declared` is the charset that the document itself names, or NULL. */
typedef void (*MsTextRead)(const MsExtraction *to, const MsDocument *document, const char *where,
	const GString *text);
void ms_decode_each(const MsExtraction *to, const MsDocument *document, const char *declared,
	MsTextRead read);
/* The charset of <meta> or of the XML declaration at the beginning, or NULL. */
char *ms_html_charset(const guint8 *data, gsize len);

/* ---- inflate.c ---- */
typedef enum { MS_DEFLATED, MS_ZLIB } MsDeflate;
#define MS_MEMBER_MAX (64u << 20) /* bytes that one member may unpack to */
/* Unpacks deflated bytes; `*used_out` (or NULL) is how many of them it took.  What breaks off or is
 * over a limit is noted at `where`, and given as far as it goes. */
GByteArray *ms_inflate(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	MsDeflate form, gsize *used_out);
/* What a word decodes to, unpacked (gzip, zlib, or nothing before it); NULL if it is not packed, or
 * to more than a word may hold.  The caller has it. */
GByteArray *ms_inflate_word(const guint8 *data, gsize len);

/* ---- picture.c ---- */
/* The beginning of a picture, of so few bytes that nothing but words could be packed in it. */
#define MS_PICTURE_STUB 64
void ms_picture_stub_read(const MsExtraction *to, const MsDocument *document);
/* Bytes that belong to nothing in a picture: reads them if they are few and no document.  False:
 * they are not read. */
bool ms_picture_gap_read(const MsExtraction *to, const MsDocument *document, gsize from, gsize end);

/* ---- what one document has of another ---- */
/* The text of an SVG drawing, in the order in which it is drawn and by where it stands. */
void ms_svg_text_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* LZFu-compressed RTF (MS-OXRTFCP); NULL if it is damaged or larger than `max`. */
GByteArray *ms_lzfu(const guint8 *data, gsize len, gsize max);
/* RTF to text; HTML that is wrapped in RTF (MS-OXRTFEX) is read as HTML. */
void ms_rtf_text(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
/* Notes a contradiction if `text`, the pages of the document at `where`, has nothing of what the
 * e-invoice in it calls its buyer (einvoice.c). */
void ms_compare_buyer(const MsExtraction *to, const char *where, const GPtrArray *buyer,
	const GString *text);
/* XML whose text runs on through its elements, as word processors write it (office.c). */
bool ms_is_flat_office(const char *root);
void ms_flat_office_read(const MsExtraction *to, const char *root, const MsDocument *document,
	MsInventory *inventory);
/* Queries of a workbook (mashup.c); false if the bytes are none. */
bool ms_mashup_read(const MsExtraction *to, const char *where, const guint8 *data, gsize len);

#endif
