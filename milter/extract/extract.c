/*
 * A document comes in; by what its bytes are it goes to its reader, and what that says goes to
 * the caller as spans.  A worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "locked.h"
#include "plain.h"
#include "readers.h"

bool ms_extract_picture(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	const char *as)
{
	const MsHelp *help = to->help;
	if (help == NULL || help->recognise == NULL ||
		!ms_budget_charge(to->budget, MS_COST_OCR, 1))
		return false;
	g_autoptr(MsReading) text = help->recognise(help->user, data, len, as);
	if (text == NULL)
		return false;
	/* What was recognised of a part of it is worth knowing, and does not make it read. */
	bool read = text->text_bytes > 0;
	if ((read || text->findings->len > 0) &&
		!ms_reading_merge(to->reading, text, where, to->face))
		ms_reading_unread(to->reading, where, MS_UNREAD_LIMIT,
			"more identifiers than max-findings allows");
	return read;
}

/* The lines above the signature itself ("Comment: ...") are text. */
static void note_signature(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	const guint8 *empty = memmem(document->data, document->len, "\n\n", 2);
	if (empty == NULL)
		empty = memmem(document->data, document->len, "\n\r\n", 3);
	if (empty != NULL)
		ms_extract_span(to, document->where, (const char *)document->data,
			(gsize)(empty - document->data));
	ms_inventory_unread(
		inventory, MS_ITEM_WHOLE, MS_UNREAD_SIGNATURE, "%s", ms_type_shown(document->type));
}

static void note_encrypted(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	(void)to;
	(void)document;
	ms_inventory_unread(
		inventory, MS_ITEM_WHOLE, MS_UNREAD_ENCRYPTED, "an encrypted OpenPGP message");
}

static void note_partial(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	(void)to;
	ms_inventory_unread(inventory, MS_ITEM_WHOLE, MS_UNREAD_PARTIAL,
		"a fragment, or kept elsewhere (%s)", ms_type_shown(document->type));
}

/*
 * A reader is one function and one row here.  The bytes decide: the first row whose `is`
 * agrees reads the document.  Only what no row recognises goes by its label; and what says it
 * is text, is read as text as well.
 */
typedef struct {
	const char *format; /* its name in the table of structural items */
	const char *type;   /* what such a document is, as a content type; NULL: one of several */
	const char *claims; /* content types, blank-separated; a final "/" takes all subtypes */
	MsIs *is; /* or NULL: only by its label */
	MsRead *read;
} Reader;

static const Reader readers[] = {
	{"signature", "application/pgp-signature", "application/pgp-signature", ms_is_pgp_signature,
		note_signature},
	{"pgp", "application/pgp-encrypted", "application/pgp-encrypted", NULL, note_encrypted},
	{"pgp", "application/pgp-encrypted", "", ms_is_pgp, note_encrypted},
	{"archive", "application/zip",
		"application/zip application/x-zip-compressed application/gzip "
		"application/x-7z-compressed application/x-rar-compressed application/vnd.rar "
		"application/x-tar application/x-gzip application/x-bzip2 application/x-xz",
		ms_is_archive, ms_archive_read},
	{"ole", "application/x-ole-storage",
		"application/msword application/vnd.ms-excel "
		"application/vnd.ms-powerpoint application/vnd.ms-outlook",
		ms_is_ole, ms_ole_read},
	{"rtf", "application/rtf", "application/rtf text/rtf application/msword", ms_is_rtf,
		ms_rtf_read},
	{"tnef", "application/ms-tnef", "application/ms-tnef application/vnd.ms-tnef", ms_is_tnef,
		ms_tnef_read},
	{"pkcs7", "application/pkcs7-mime",
		"application/pkcs7-mime application/x-pkcs7-mime "
		"application/pkcs7-signature application/x-pkcs7-signature",
		ms_is_pkcs7, ms_smime_read},
	{"certificate", "application/pkix-cert",
		"application/pkix-cert application/x-x509-ca-cert application/x-x509-user-cert",
		ms_is_certificate, ms_certificate_read},
	{"certificate", "application/pkix-crl",
		"application/pkix-crl application/x-pkcs7-crl application/ocsp-response",
		ms_is_certificate_status, ms_certificate_status_read},
	{"apple", "application/applefile", "application/applefile", ms_is_apple, ms_apple_read},
	{"folder", "application/x-ds-store", "", ms_is_ds_store, ms_ds_store_read},
	{"metafile", "image/x-emf",
		"image/emf image/x-emf image/wmf image/x-wmf application/x-msmetafile",
		ms_is_metafile, ms_metafile_read},
	{"font", "font/sfnt",
		"font/ application/font-woff application/font-sfnt application/x-font-ttf "
		"application/x-font-otf application/vnd.ms-opentype",
		ms_is_font, ms_font_read},
	{"picture", NULL, "image/ audio/ video/", ms_is_picture, ms_picture_read},
	{"card", "text/calendar", "text/calendar text/vcard text/x-vcard text/directory",
		ms_is_card, ms_card_read},
	{"ldif", "text/ldif", "text/ldif text/x-ldif application/x-ldif", ms_is_ldif, ms_ldif_read},
	{"pdf", "application/pdf", "application/pdf application/x-pdf", ms_is_pdf, ms_pdf_read},
	{"pdf", "application/vnd.fdf", "application/vnd.fdf", ms_is_fdf, ms_fdf_read},
	{"xps", "application/vnd.ms-package.xps-fixedpage+xml", "", ms_is_fixed_page,
		ms_xps_page_read},
	{"html", "text/html", "text/html application/xhtml+xml", ms_is_html, ms_html_document_read},
	{"svg", "image/svg+xml", "image/svg+xml", ms_is_svg, ms_svg_read},
	{"json", "application/json",
		"application/json application/x-ndjson application/ld+json text/json", ms_is_json,
		ms_json_read},
	{"xml", "application/xml", "text/xml application/xml application/xhtml+xml", ms_is_xml,
		ms_xml_document_read},
	{"mail", "message/rfc822", "message/rfc822 message/global message/news", NULL,
		ms_message_file_read},
	{"mail", "message/rfc822", "application/mbox application/x-mimearchive", ms_is_mail,
		ms_message_file_read},
	{"edi", "application/edifact", "application/edifact application/edi-x12", ms_is_edi,
		ms_edi_read},
	{"text", "application/x-sylk", "application/x-sylk text/x-sylk application/x-dif",
		ms_is_cell_text, ms_cell_text_read},
	{"partial", "message/partial", "message/partial message/external-body", NULL, note_partial},
	{"text", "text/plain", "text/", NULL, ms_plain_read},
	{"text", "application/x-yencode", "application/x-yencode", ms_is_yenc, ms_plain_read},
	{"text", "text/plain", "message/delivery-status message/disposition-notification message/",
		NULL, ms_plain_read},
};

static bool claims(const Reader *reader, const char *type)
{
	gsize all = strlen(type);
	for (const char *row = reader->claims, *next; *row != '\0'; row = next) {
		gsize len = strcspn(row, " ");
		bool begins = strncmp(type, row, len) == 0;
		if (len > 0 && begins && (row[len - 1] == '/' || all == len))
			return true;
		next = row + len + strspn(row + len, " ");
	}
	return false;
}

/* ---- spans ---------------------------------------------------------------------------- */

void ms_extract_hand_over_alone(const MsExtraction *to, MsSpan *span)
{
	if (span->len == 0)
		return;
	g_autoptr(GString) valid = NULL;
	if (!ms_scan_utf8(span->text, span->len)) { /* or a NUL, which stays */
		valid = ms_text_repair(span->text, span->len);
		span->text = valid->str;
		span->len = valid->len;
	}
	if (!ms_budget_charge(to->budget, MS_COST_TEXT, span->len)) {
		ms_reading_unread(to->reading, span->where, MS_UNREAD_LIMIT,
			"more text than %s allows", ms_cost_name(MS_COST_TEXT));
		return;
	}
	to->reading->text_bytes += span->len;
	span->face = to->face;
	span->of = to->of;
	span->own = to->own;
	to->span(span, to->user);
}

void ms_extract_hand_over(const MsExtraction *to, MsSpan *span)
{
	bool plain = span->type == MS_SPAN_TEXT && span->n_names == 0;
	g_autoptr(GString) rest = plain ? ms_dump_read(to, span) : NULL;
	if (rest != NULL) {
		span->text = rest->str;
		span->len = rest->len;
	}
	const MsSpan whole = *span; /* its text may be repaired, and gone after that */
	ms_extract_hand_over_alone(to, span);
	if (whole.type == MS_SPAN_ADDRESSES)
		return;
	ms_links_read(to, &whole);
	ms_undone_read(to, &whole);
	ms_wrapped_read(to, &whole);
	ms_nulled_read(to, &whole);
}

void ms_extract_span(const MsExtraction *to, const char *where, const char *text, gsize len)
{
	MsSpan span = {.type = MS_SPAN_TEXT, .where = where, .text = text, .len = len};
	ms_extract_hand_over(to, &span);
}

#define MIN_NAME_LETTERS 3
#define MIN_NAME_DIGITS 5

static gsize letters_at(const char *p)
{
	gsize n = 0;
	while (g_ascii_isalpha(p[n]) || (p[n] & 0x80))
		n++;
	return n;
}

/* "invoice48291746_a" as "invoice 48291746 a"; but "KD7740912" is one word. */
static GString *name_words(const char *name)
{
	GString *out = g_string_new(NULL);
	for (const char *p = name; *p != '\0';) {
		gsize digits = strspn(p, "0123456789"), letters = letters_at(p),
		      n = digits + letters;
		bool apart = (letters >= MIN_NAME_LETTERS &&
				     strspn(p + n, "0123456789") >= MIN_NAME_DIGITS) ||
			(digits >= MIN_NAME_DIGITS && letters_at(p + n) >= MIN_NAME_LETTERS);
		if (n == 0) {
			g_string_append_c(out, strchr("_+~", *p) != NULL ? ' ' : *p);
			n = 1;
		} else {
			g_string_append_len(out, p, (gssize)n);
			if (apart)
				g_string_append_c(out, ' ');
		}
		p += n;
	}
	return out;
}

/* "RechnungKD7740912" has the word Rechnung before a customer's number. */
static char *part_humps(const char *name)
{
	GString *out = g_string_new(NULL);
	for (const char *p = name; *p != '\0'; p++) {
		if (p > name && g_ascii_islower(p[-1]) && g_ascii_isupper(*p))
			g_string_append_c(out, ' ');
		g_string_append_c(out, *p);
	}
	return g_string_free(out, FALSE);
}

void ms_extract_aside(const MsExtraction *to, const char *where, bool addresses, const char *text,
	gsize len)
{
	MsSpan span = {.type = addresses ? MS_SPAN_ADDRESSES : MS_SPAN_ASIDE,
		.where = where,
		.text = text,
		.len = len};
	ms_extract_hand_over(to, &span);
}

void ms_extract_name(const MsExtraction *to, const char *where, const char *name)
{
	const char *dot = strrchr(name, '.');
	gsize n = dot != NULL ? strlen(dot + 1) : 0;
	bool extension = n >= 2 && n <= 5 && g_ascii_isalpha(dot[1]);
	g_autoptr(GString) text = g_string_new(name);
	if (extension)
		g_string_insert_c(text, dot - name, '\n');
	g_autoptr(GString) words = name_words(text->str);
	g_autofree char *parted = part_humps(text->str);
	g_autoptr(GString) humps = name_words(parted);
	bool same = g_string_equal(words, humps);
	if (!g_string_equal(words, text))
		g_string_append_printf(text, "\n%s", words->str);
	if (!same)
		g_string_append_printf(text, "\n%s", humps->str);
	MsSpan span = {.type = MS_SPAN_NAME, .where = where, .text = text->str, .len = text->len};
	ms_extract_hand_over(to, &span);
}

void ms_extract_field(const MsExtraction *to, const char *where, const char *term,
	const char *party, const char *text, gsize len)
{
	g_autofree char *place = g_strdup_printf("%s %s", where, term);
	MsSpan span = {.type = MS_SPAN_FIELD, .where = place, .text = text, .len = len,
		.term = term, .party = party};
	ms_extract_hand_over(to, &span);
}

/* ---- text ----------------------------------------------------------------------------- */

static void read_text(const MsExtraction *to, const MsDocument *document, const char *where,
	const GString *text)
{
	if (document->flowed) {
		g_autoptr(GString) joined = ms_plain_unflow(text->str, text->len, document->delsp);
		ms_extract_span(to, where, joined->str, joined->len);
	}
	/* Flowed text is read as it stands too: a client that ignores the format shows it so. */
	ms_extract_span(to, where, text->str, text->len);
	ms_plain_shown(to, where, document->type, text);
	ms_cell_formulas_read(to, where, text);
	ms_plain_embedded(to, where, text->str, text->len);
}

void ms_plain_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	ms_decode_each(to, document, NULL, read_text);
	ms_yenc_read(to, document->where, document->data, document->len);
}

static bool is_letter_or_digit(guint16 c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0x250) || (c >= 0x370 && c < 0x590)
		|| c == '\t';
}

/* In Office's records a byte 1 says that UTF-16 follows, and looks like the upper half of a letter
 * of U+0100 to U+01FF before the text: which of the two it is, nobody knows. */
static bool begins_with_flag(const GString *out, gsize start)
{
	return (guchar)out->str[start] >= 0xc4 && (guchar)out->str[start] <= 0xc7
		&& (out->str[start + 2] & 0x80) == 0;
}

/* A run of letters, and how it may be taken otherwise. */
typedef struct {
	GString *out;
	gsize start; /* in `out` */
	guint n, width;
	bool glued;  /* its first letter may be the last one of a text in bytes */
	gsize high, digits;
} Run;

/* The words of a run that have a digit, without the high bytes beside them: text in ASCII has
 * whatever bytes around it. */
static void put_ascii_words(Run *run)
{
	g_autofree char *text = g_strndup(run->out->str + run->start, run->out->len - run->start);
	for (const char *p = text; *p != '\0';) {
		gsize n = 0, digits = 0;
		for (; p[n] != '\0' && (p[n] & 0x80) == 0; n++)
			digits += g_ascii_isdigit(p[n]) != 0;
		if (digits > 0 && n >= 4) {
			g_string_append_c(run->out, '\n');
			g_string_append_len(run->out, p, (gssize)n);
		}
		for (p += n; (*p & 0x80) != 0;)
			p++;
	}
}

/* The last letter of UTF-16 with its high byte first has whatever behind it: it may be `next`. */
static void end_run(Run *run, guint8 next)
{
	GString *out = run->out;
	if (run->width == 2 && run->n >= 3 && g_ascii_isalnum(next)) {
		g_autofree char *same = g_strdup(out->str + run->start);
		g_string_append_printf(out, "%c\n%s", next, same);
		run->n++;
	}
	if (run->n < 4) {
		g_string_truncate(out, run->start);
		return;
	}
	if (run->width == 1 && run->high > 0 && run->digits > 0)
		put_ascii_words(run);
	g_string_append_c(out, '\n');
	if (run->width == 2 && (run->glued || begins_with_flag(out, run->start))) {
		g_autofree char *rest = g_strdup(g_utf8_next_char(out->str + run->start));
		g_string_append(out, rest);
	}
}

/* Tables of Word up to 2003: a mark ends each cell, and one more the row, which has as many cells
 * as the first one, of which none is taken to be empty. */
typedef struct {
	guint columns, at;
} Cells;

#define CELL_END 7

/* A run that ends a cell is one however short it is. */
static void end_cell(Run *run, Cells *cells)
{
	GString *out = run->out;
	bool ends = run->n == 0 && cells->at > 0 &&
		(cells->columns == 0 || cells->at == cells->columns);
	if (ends)
		cells->columns = cells->at;
	else if (run->n == 0 && cells->columns == 0)
		return; /* no cell was before it */
	g_string_append_c(out, ends ? '\n' : '\t');
	cells->at = ends ? 0 : cells->at + 1;
}

static void strings_of(GString *out, const guint8 *data, gsize len, guint width)
{
	Run run = {.out = out, .start = out->len, .width = width};
	Cells cells = {0, 0};
	for (gsize i = 0; i + width <= len; i += width) {
		gunichar c = width == 2 ? (guint)(data[i] | data[i + 1] << 8)
					: ms_text_cp1252(data[i]);
		bool keep = width == 2 ? is_letter_or_digit((guint16)c)
				       : data[i] >= 0x20 && data[i] != 0x7f;
		if (keep) {
			if (run.n == 0)
				run.glued = width == 2 && i > 0 && g_ascii_isprint(data[i - 1]);
			g_string_append_unichar(out, c);
			run.n++;
			run.high += data[i] >= 0x80;
			run.digits += g_ascii_isdigit(data[i]) != 0;
			continue;
		}
		if (c == CELL_END)
			end_cell(&run, &cells);
		else
			end_run(&run, data[i]);
		if (c != CELL_END && cells.at == 0)
			cells.columns = 0;
		run = (Run){.out = out, .start = out->len, .width = width};
	}
	end_run(&run, width == 2 && len % 2 == 1 ? data[len - 1] : 0);
}

void ms_strings(GString *out, const guint8 *data, gsize len)
{
	strings_of(out, data, len, 1);
	strings_of(out, data, len, 2);
	if (len > 1)
		strings_of(out, data + 1, len - 1, 2);
}

void ms_squeeze(GString *text)
{
	gsize n = 0;
	for (gsize i = 0; i < text->len; i++)
		if (!g_ascii_isspace(text->str[i]) || (n > 0 && text->str[n - 1] != '\n'))
			text->str[n++] = text->str[i];
	g_string_truncate(text, n);
}

/* What hexadecimal digits make, if it is text; numbers and hashes are none. */
static GByteArray *hex_text(const char *text, gsize len)
{
	g_autoptr(GByteArray) out = ms_transfer_hex(text, len);
	for (guint i = 0; i < out->len; i++)
		if (!g_ascii_isprint((char)out->data[i]) && !g_ascii_isspace((char)out->data[i]))
			return NULL;
	return len % 2 == 0 ? g_steal_pointer(&out) : NULL;
}

GByteArray *ms_base64_text(const char *text, gsize len)
{
	gsize digits = 0, hex = 0;
	while (hex < len && g_ascii_isxdigit(text[hex]))
		hex++;
	GByteArray *plain = hex == len && len >= 16 ? hex_text(text, len) : NULL;
	if (plain != NULL)
		return plain;
	for (gsize i = 0; i < len; i++) {
		if (ms_transfer_is_base64(text[i]) || text[i] == '=')
			digits++;
		else if (!g_ascii_isspace(text[i]))
			return NULL;
	}
	return digits >= 16 ? ms_transfer_base64((const guint8 *)text, len) : NULL;
}

/* ---- which reader --------------------------------------------------------------------- */


static const Reader *by_bytes(const guint8 *data, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(readers); i++)
		if (readers[i].is != NULL && readers[i].is(data, len))
			return &readers[i];
	return NULL;
}

bool ms_extract_knows(const guint8 *data, gsize len)
{
	return by_bytes(data, len) != NULL;
}

bool ms_extract_may_show(const guint8 *data, gsize len)
{
	return ms_is_text(data, len) || ms_extract_knows(data, len) ||
		ms_begins_as_picture(data, len) || ms_unreadable_format(data, len) != NULL;
}

bool ms_extract_lays_out(const guint8 *data, gsize len)
{
	return ms_extract_knows(data, len) &&
		(!ms_is_text(data, len) || ms_is_rtf(data, len) || ms_is_html(data, len));
}

static const Reader *by_label(const char *type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(readers); i++)
		if (claims(&readers[i], type))
			return &readers[i];
	return NULL;
}

#define LEAST_DOCUMENT 64 /* bytes: a hash of fewer may begin like anything */

bool ms_is_document(const guint8 *data, gsize len)
{
	return (len >= LEAST_DOCUMENT && by_bytes(data, len) != NULL)
		|| (ms_is_text(data, len) && ms_scan_utf8((const char *)data, len));
}

/* Bytes of a document that none of its items has: before a header, between two members, behind
 * the end.  Padding is nothing; text is read as text; a document in a document is one. */
typedef struct {
	const MsExtraction *to;
	const MsDocument *document;
	bool picture;
} Gap;

static bool is_padding(const guint8 *data, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (data[i] != 0 && !g_ascii_isspace((char)data[i]))
			return false;
	return true;
}

static bool read_gap(gsize from, gsize to, void *user)
{
	const Gap *gap = user;
	const guint8 *data = gap->document->data + from;
	gsize len = to - from;
	if (is_padding(data, len))
		return true;
	if (by_bytes(data, len) == NULL) /* padding before it; behind it, of text only */
		for (; *data == 0; data++, len--)
			from++;
	if (by_bytes(data, len) == NULL) {
		while (data[len - 1] == 0)
			len--;
		if (!ms_is_text(data, len))
			return gap->picture &&
				ms_picture_gap_read(gap->to, gap->document, from, to);
	}
	g_autofree char *name =
		g_strdup_printf("bytes %" G_GSIZE_FORMAT "-%" G_GSIZE_FORMAT, from, from + len - 1);
	ms_extract_within(gap->to, gap->document->where, name, NULL, data, len);
	return true;
}

static const char *format_of(MsRead *read)
{
	for (gsize i = 0; i < G_N_ELEMENTS(readers); i++)
		if (readers[i].read == read)
			return readers[i].format;
	g_assert_not_reached();
}

void ms_read_with(MsRead *read, const MsExtraction *to, const MsDocument *document)
{
	MsInventory *inventory =
		ms_inventory_open(to->reading, document->where, format_of(read), document->len);
	Gap gap = {to, document, read == ms_picture_read};
	read(to, document, inventory);
	ms_inventory_close(inventory, read_gap, &gap);
}

/* ---- all that it could be ---------------------------------------------------------------
 *
 * The first row that agrees reads a document, but programs differ on what they take it for: by
 * its label, by its first bytes, or by what they find further in or at the end.  Whatever one of
 * them would show is read too.
 */

/* Its bytes are shown as letters by a program that does not know it. */
static bool is_textual(const Reader *reader)
{
	return reader->read == ms_plain_read || reader->read == ms_html_document_read ||
		reader->read == ms_xml_document_read || reader->read == ms_card_read ||
		reader->read == ms_svg_read || reader->read == ms_json_read ||
		reader->read == ms_ldif_read || reader->read == ms_rtf_read ||
		reader->read == ms_message_file_read;
}

/* XML without a declaration and a namespace: its label says so, or it ends with the end tag of
 * what it begins with.  What says that it is HTML or plain text is no XML. */
static bool is_element(const Reader *label, const MsDocument *document)
{
	bool said = label != NULL && label->read == ms_xml_document_read;
	if (label != NULL && !said)
		return false;
	const char *p = (const char *)document->data, *end = p + document->len;
	while (p < end && g_ascii_isspace(*p))
		p++;
	while (end > p && g_ascii_isspace(end[-1]))
		end--;
	if (end - p < 4 || *p != '<')
		return false;
	gsize name = 0;
	while (p + 1 + name < end && !g_ascii_isspace(p[1 + name]) && p[1 + name] != '>')
		name++;
	bool closes = name > 0 && (gsize)(end - p) > 2 * name + 4 && end[-1] == '>'
		&& memcmp(end - 1 - name, p + 1, name) == 0 && memcmp(end - 3 - name, "</", 2) == 0;
	return said ? ms_is_text(document->data, document->len) : closes;
}

static bool has_wide_charset(const MsDocument *document)
{
	return document->charset != NULL
		&& (g_ascii_strncasecmp(document->charset, "utf-16", 6) == 0
			|| g_ascii_strncasecmp(document->charset, "utf-32", 6) == 0
			|| g_ascii_strncasecmp(document->charset, "ucs-", 4) == 0);
}

/* What is read as text is told too when it is more than text. */
static void check_text(const MsExtraction *to, const MsDocument *whole)
{
	MsDocument without = *whole;
	g_autoptr(GByteArray) around = ms_yenc_around(whole->data, whole->len);
	if (around != NULL) {
		without.data = around->data;
		without.len = around->len;
	}
	const MsDocument *document = &without;
	const char *format = ms_unreadable_format(document->data, document->len);
	if (format != NULL)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_NO_READER,
			"%s: nothing here reads it but as text", format);
	else if (!ms_is_text(document->data, document->len) && !has_wide_charset(document)
		&& ms_is_binary(document->data, document->len))
		ms_reading_unread(to->reading, document->where, MS_UNREAD_NO_READER,
			"says that it is text, but has bytes that are none");
}

static void read_and_check(MsRead *read, const MsExtraction *to, const MsDocument *document)
{
	ms_read_with(read, to, document);
	check_text(to, document);
}

/* A document that no row knows by its bytes. */
static const char *read_unknown(
	const MsExtraction *to, const MsDocument *document, const Reader *label)
{
	if (label != NULL &&
		(label->read == ms_plain_read || label->read == ms_html_document_read)) {
		read_and_check(label->read, to, document);
		return label->type;
	}
	if (is_element(label, document)) {
		ms_read_with(ms_xml_document_read, to, document);
		return "application/xml";
	}
	/* Spreadsheets are sent as .xls that are lists with semicolons, and so on. */
	bool sealed = label != NULL && label->read == ms_smime_read;
	if (!sealed && ms_is_text(document->data, document->len)) {
		read_and_check(ms_plain_read, to, document);
		return "text/plain";
	}
	if (is_padding(document->data, document->len))
		return "";
	const char *format = ms_unreadable_format(document->data, document->len);
	if (format != NULL)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_NO_READER,
			"%s: nothing here reads it", format);
	else if (ms_begins_as_picture(document->data, document->len) &&
		document->len <= MS_PICTURE_STUB)
		ms_picture_stub_read(to, document);
	else if (ms_begins_as_picture(document->data, document->len))
		ms_reading_unread(to->reading, document->where, MS_UNREAD_DAMAGED,
			"begins as a picture, and breaks off");
	else if (label != NULL && label->read != ms_picture_read)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_DAMAGED,
			"says %s, but is none", ms_type_shown(document->type));
	else
		ms_reading_unread(to->reading, document->where, MS_UNREAD_NO_READER,
			"a format that nothing here knows (sent as %s)",
			*document->type != '\0' ? ms_type_shown(document->type) : "no type");
	return "";
}

/* What the label says, if it says text: a mail client shows it so, whatever else it may be. */
static void read_as_said(const MsExtraction *to, const MsDocument *document, const Reader *known)
{
	if (!g_str_has_prefix(document->type, "text/"))
		return;
	bool html = strcmp(document->type, "text/html") == 0;
	MsRead *said = html ? ms_html_document_read : ms_plain_read;
	if (known->read != said &&
		(is_textual(known) || known->read == ms_font_read ||
			ms_is_text(document->data, document->len)))
		ms_read_with(said, to, document);
}

/* Viewers look for a PDF within other bytes. */
static void read_pdf_within(const MsExtraction *to, const MsDocument *document)
{
	gsize at = ms_pdf_within(document->data, document->len);
	if (at == document->len)
		return;
	g_autofree char *name = g_strdup_printf("bytes from %" G_GSIZE_FORMAT, at);
	ms_extract_within(to, document->where, name, NULL, document->data + at, document->len - at);
}

/* A file of letters that a program knows by them, in UTF-16 or UTF-32: its own kinds of text a
 * shell or an editor has saved so.  The same in UTF-8, or NULL. */
static GString *narrowed(const MsDocument *document)
{
	const guint8 *data = document->data;
	bool marked = document->len > 2 &&
		((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff));
	const char *guess = ms_charset_guess(data, document->len);
	if (!marked && (guess == NULL || !g_str_has_prefix(guess, "UTF-")))
		return NULL;
	GString *text;
	ms_charset_decode(marked ? NULL : guess, data, document->len, &text);
	const Reader *known = by_bytes((const guint8 *)text->str, text->len);
	if (known != NULL)
		return text;
	g_string_free(text, TRUE);
	return NULL;
}

const char *ms_extract(const MsExtraction *to, const MsDocument *document)
{
	if (document->len == 0)
		return "";
	const Reader *known = by_bytes(document->data, document->len);
	const Reader *label = by_label(document->type);
	g_autoptr(GString) narrow = known == NULL ? narrowed(document) : NULL;
	if (narrow != NULL) {
		MsDocument same = *document;
		same.data = (const guint8 *)narrow->str;
		same.len = narrow->len;
		same.charset = NULL;
		return ms_extract(to, &same);
	}
	if (label != NULL && label->is == NULL && label->read != ms_plain_read) {
		ms_read_with(label->read, to, document); /* a fragment, a mail */
		return label->type;
	}
	const char *type;
	if (known != NULL) {
		ms_read_with(known->read, to, document);
		type = known->type != NULL ? known->type
					   : ms_picture_type(document->data, document->len);
		if (label != known)
			read_as_said(to, document, known);
	} else {
		type = read_unknown(to, document, label);
	}
	if (known == NULL || is_textual(known) || known->read == ms_picture_read ||
		known->read == ms_font_read)
		read_pdf_within(to, document);
	return type;
}

bool ms_extract_is_quick(const MsExtraction *to, const guint8 *begin, gsize len)
{
	bool recognised = to->help != NULL && to->help->recognise != NULL;
	return !recognised && ms_begins_as_picture(begin, len);
}

static void read_within(const MsExtraction *to, const char *where, const char *name,
	const char *type, const guint8 *data, gsize len, guint parts)
{
	g_autofree char *safe = ms_text_escape(name, -1, 80);
	g_autofree char *place = g_strdup_printf("%s > %s", where, safe);
	if (!ms_budget_time(to->budget)) {
		ms_reading_unread(
			to->reading, place, MS_UNREAD_TIME, "the time for reading is over");
		return;
	}
	MsCost over = MS_N_COSTS;
	if (parts > 0 && !ms_budget_charge(to->budget, MS_COST_PART, parts))
		over = MS_COST_PART;
	else if (!ms_budget_charge(to->budget, MS_COST_DECODED, len))
		over = MS_COST_DECODED;
	if (over != MS_N_COSTS || to->budget->depth_left == 0) {
		ms_reading_unread(to->reading, place, MS_UNREAD_LIMIT, "more than %s allows",
			over != MS_N_COSTS ? ms_cost_name(over) : "max-depth");
		return;
	}
	to->budget->depth_left--;
	g_autofree char *name_place = g_strdup_printf("%s file name", place);
	ms_extract_name(to, name_place, name);
	MsExtraction inner = *to;
	inner.face = ms_reading_face(to->reading, place);
	inner.of = MS_OF_DOCUMENT;
	MsDocument document = {.where = place, .type = type != NULL ? type : "", .data = data,
		.len = len};
	ms_extract(&inner, &document);
	to->budget->depth_left++;
}

void ms_extract_within(const MsExtraction *to, const char *where, const char *name,
	const char *type, const guint8 *data, gsize len)
{
	read_within(to, where, name, type, data, len, 1);
}

void ms_extract_text_within(const MsExtraction *to, const char *where, const char *name,
	const char *type, const guint8 *data, gsize len)
{
	read_within(to, where, name, type, data, len, 0);
}

void ms_extract_init(void)
{
	ms_charset_init();
	ms_pdf_init();
	ms_archive_init();
	ms_locked_init();
	ms_structural("", ""); /* its index */
}
