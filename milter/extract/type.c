/*
 * What a file is, by its first bytes (and by nothing that a sender can merely claim).  The worker's
 * one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/transfer.h"

#include "bytes.h"
#include "readers.h"

static bool begins(const guint8 *data, gsize len, const char *magic, gsize n)
{
	return len >= n && memcmp(data, magic, n) == 0;
}
#define BEGINS(magic) begins(data, len, magic, sizeof(magic) - 1)
#define AT(offset, magic)                                                                        \
	(len >= (offset) + sizeof(magic) - 1                                                       \
		&& memcmp(data + (offset), magic, sizeof(magic) - 1) == 0)

/* Viewers look for the header within the first kilobyte (ISO 32000-1, note 13 of annex H). */
bool ms_is_pdf(const guint8 *data, gsize len)
{
	const guint8 *head = memmem(data, MIN(len, 1024), "%PDF-", 5);
	/* Behind something else it is one only if it has an object; text may speak of it. */
	return head != NULL && (head == data || ms_pdf_within(data, len) < MIN(len, 1024));
}

/* Form data: objects as in a PDF, without pages. */
bool ms_is_fdf(const guint8 *data, gsize len)
{
	return memmem(data, MIN(len, 1024), "%FDF-", 5) != NULL;
}

static bool is_tar(const guint8 *data, gsize len)
{
	if (AT(257, "ustar"))
		return true;
	if (len < 512 || data[0] == '\0')
		return false;
	/* The old format has no magic; its header checksum tells (POSIX pax, ustar). */
	guint sum = 0;
	for (guint i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : data[i];
	g_autofree char *field = g_strndup((const char *)data + 148, 8);
	return sum == g_ascii_strtoull(field, NULL, 8);
}

static bool begins_archive(const guint8 *data, gsize len)
{
	return BEGINS("PK\x03\x04") || BEGINS("PK\x05\x06") || BEGINS("PK\x07\x08") ||
		BEGINS("PK00PK") || BEGINS("7z\xbc\xaf\x27\x1c") || BEGINS("Rar!\x1a\x07") ||
		BEGINS("\x1f\x8b") || BEGINS("BZh") || BEGINS("LZIP") ||
		BEGINS("\xfd"
		       "7zXZ") ||
		BEGINS("\x28\xb5\x2f\xfd") || BEGINS("\x1f\x9d") || BEGINS("MSCF") ||
		BEGINS("\x04\x22\x4d\x18") || AT(2, "-lh") || BEGINS("070707") ||
		BEGINS("070701") || BEGINS("xar!") || BEGINS("!<arch>\n") || is_tar(data, len);
}

#define ZIP_END_SIZE 22

/* The record at the end of a ZIP file that points at its list (APPNOTE 4.3.16), wherever the file
 * may begin.  `exact`: nothing comes behind it. */
static bool zip_end(const guint8 *data, gsize len, bool exact)
{
	const guint8 *low = data + (len > 65557 ? len - 65557 : 0), *end = data + len;
	for (const guint8 *p = low; (p = memmem(p, (gsize)(end - p), "PK\x05\x06", 4)) != NULL;
		p += 4) {
		if (end - p < ZIP_END_SIZE)
			return false;
		gsize size = ms_le32(p + 12);
		guint n = ms_le16(p + 10), comment = ms_le16(p + 20);
		gsize before = (gsize)(p - data);
		gsize offset = ms_le32(p + 16);
		bool list = (before >= 20 && memcmp(p - 20, "PK\x06\x07", 4) == 0) ||
			(n > 0 && size >= 46 && size <= before &&
				memcmp(p - size, "PK\x01\x02", 4) == 0) ||
			(n > 0 && before >= 46 && offset <= before - 46 &&
				memcmp(data + offset, "PK\x01\x02", 4) == 0);
		if (list && (!exact || (gsize)(end - p) == ZIP_END_SIZE + comment))
			return true;
	}
	return false;
}

bool ms_ends_as_zip(const guint8 *data, gsize len)
{
	/* Containers keep ZIP files in them, and have more behind. */
	bool container = (begins_archive(data, len) && !BEGINS("PK")) || ms_is_ole(data, len) ||
		ms_is_tnef(data, len) || ms_is_pkcs7(data, len) || BEGINS("%PDF-") ||
		BEGINS("!BDN");
	return zip_end(data, len, container);
}

bool ms_is_archive(const guint8 *data, gsize len)
{
	return begins_archive(data, len) || ms_ends_as_zip(data, len);
}

bool ms_is_ole(const guint8 *data, gsize len)
{
	return BEGINS("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
}

bool ms_is_rtf(const guint8 *data, gsize len)
{
	return BEGINS("{\\rtf") || BEGINS("{\\rt");
}

bool ms_is_tnef(const guint8 *data, gsize len)
{
	return BEGINS("\x78\x9f\x3e\x22");
}

bool ms_is_pgp(const guint8 *data, gsize len)
{
	/* Armoured, or a packet that only encrypted messages begin with, in the old and new formats
	 * (RFC 9580, 4.2): a key for somebody (tag 1), or what a passphrase makes one (tag 3), of a
	 * plausible version and cipher. */
	if (BEGINS("-----BEGIN PGP MESSAGE"))
		return true;
	if (len <= 12)
		return false;
	if (data[0] == 0x84 || data[0] == 0x85 || data[0] == 0xc1)
		return data[data[0] == 0x85 ? 3 : 2] == 3;
	return (data[0] == 0x8c || data[0] == 0xc3) && data[1] >= 4 && data[1] < 64 &&
		(data[2] == 4 || data[2] == 5) && data[3] > 0 && data[3] <= 13;
}

/* The first characters without byte order mark, NULs of UTF-16 and white space, lower case. */
static gsize head(const guint8 *data, gsize len, char *out, gsize max)
{
	gsize n = 0, i = 0;
	if (BEGINS("\xef\xbb\xbf"))
		i = 3;
	else if (BEGINS("\xff\xfe") || BEGINS("\xfe\xff"))
		i = 2;
	for (; i < len && i < 4096 && n < max - 1; i++) {
		if (data[i] == 0 || (n == 0 && g_ascii_isspace(data[i])))
			continue;
		out[n++] = (char)g_ascii_tolower((char)data[i]);
	}
	out[n] = '\0';
	return n;
}

static bool head_is(const guint8 *data, gsize len, const char *const *words)
{
	char start[64];
	head(data, len, start, sizeof start);
	for (; *words != NULL; words++)
		if (g_str_has_prefix(start, *words))
			return true;
	return false;
}

bool ms_is_html(const guint8 *data, gsize len)
{
	static const char *const words[] = {"<!doctype html", "<html", "<head>", "<body", "<table",
		"<div", "<p>", "<meta", "<style", "<center", "<font", NULL};
	return head_is(data, len, words);
}

bool ms_is_xml(const guint8 *data, gsize len)
{
	char start[512];
	gsize n = head(data, len, start, sizeof start);
	if (ms_is_html(data, len))
		return false;
	if (g_str_has_prefix(start, "<?xml"))
		return strstr(start, "<!doctype html") == NULL && strstr(start, "<html") == NULL;
	/* Without the declaration: an element that names its namespace. */
	return n > 8 && start[0] == '<' && (g_ascii_isalpha(start[1]) || start[1] == '!')
		&& (strstr(start, " xmlns") != NULL || strstr(start, "<!--") == start);
}

bool ms_is_card(const guint8 *data, gsize len)
{
	static const char *const words[] = {"begin:v", NULL};
	return head_is(data, len, words);
}

/* With those that change the letters (ISO 2022): a word in ISO-2022-KR is between two of them. */
#define TEXT_CONTROLS "\t\n\r\f\v\x1b\x0e\x0f"

bool ms_is_text(const guint8 *data, gsize len)
{
	if (BEGINS("\xff\xfe") || BEGINS("\xfe\xff") || ms_charset_guess(data, len) != NULL)
		return true;
	while (len > 0 && (data[len - 1] == 0x1a || g_ascii_isspace((char)data[len - 1])))
		len--; /* old programs end their files so */
	gsize n = MIN(len, 65536), odd = 0;
	for (gsize i = 0; i < n; i++) {
		if (data[i] == 0)
			return false;
		odd += data[i] < 0x20 && strchr(TEXT_CONTROLS, data[i]) == NULL;
	}
	return odd * 200 <= n;
}

/* ---- more than one thing at once ------------------------------------------------------- */

gsize ms_pdf_within(const guint8 *data, gsize len)
{
	const guint8 *end = data + len;
	for (const guint8 *p = data; (p = memchr(p, '%', (gsize)(end - p))) != NULL; p++)
		if (end - p > 8 && memcmp(p, "%PDF-", 5) == 0 && g_ascii_isdigit((char)p[5]))
			return memmem(p, (gsize)(end - p), " obj", 4) != NULL ? (gsize)(p - data)
									      : len;
	return len;
}

bool ms_is_binary(const guint8 *data, gsize len)
{
	gsize odd = 0;
	for (gsize i = 0; i < len; i++)
		odd += data[i] < 0x20 &&
			strchr(TEXT_CONTROLS, data[i] != 0 ? data[i] : 1) == NULL;
	return odd > 8 && odd * 50 > len;
}

/* ---- signatures ------------------------------------------------------------------------ */

/* Packets of the tag "signature" and no other (RFC 9580, 4.2). */
static bool signature_packets(const guint8 *p, gsize len)
{
	const guint8 *end = p + len;
	while (p < end) {
		bool fresh = (*p & 0xc0) == 0xc0;
		guint tag = fresh ? *p & 0x3f : *p >> 2 & 0x0f, form = *p & 3;
		if ((*p & 0x80) == 0 || tag != 2 || end - p < 3)
			return false;
		gsize n, head;
		if (fresh) {
			head = p[1] < 192 ? 2 : p[1] < 224 ? 3 : 6;
			if (p[1] >= 224 && p[1] != 255)
				return false;
			if ((gsize)(end - p) < head)
				return false;
			n = head == 2 ? p[1] : head == 3 ? ((p[1] - 192u) << 8) + p[2] + 192u
				: ms_be32(p + 2);
		} else {
			head = form == 0 ? 2 : form == 1 ? 3 : 5;
			if (form == 3 || (gsize)(end - p) < head)
				return false;
			n = 0;
			for (gsize i = 1; i < head; i++)
				n = n << 8 | p[i];
		}
		if (n > (gsize)(end - p) - head)
			return false;
		p += head + n;
	}
	return len > 0;
}

bool ms_is_pgp_signature(const guint8 *data, gsize len)
{
	static const char begin[] = "-----BEGIN PGP SIGNATURE-----",
			  stop[] = "-----END PGP SIGNATURE-----";
	if (len > 0 && (*data & 0x80) != 0)
		return signature_packets(data, len);
	const char *p = (const char *)data, *end = p + len;
	while (p < end && g_ascii_isspace(*p))
		p++;
	if (!begins((const guint8 *)p, (gsize)(end - p), begin, sizeof begin - 1))
		return false;
	p = ms_line_after(p, end);
	for (const char *next; p < end; p = next) { /* Version, Comment */
		next = ms_line_after(p, end);
		if (memchr(p, ':', (gsize)(next - p)) == NULL)
			break;
	}
	const char *close = memmem(p, (gsize)(end - p), stop, sizeof stop - 1);
	const char *sum = close != NULL ? memmem(p, (gsize)(close - p), "\n=", 2) : NULL;
	if (close == NULL)
		return false;
	for (const char *q = close + sizeof stop - 1; q < end; q++)
		if (!g_ascii_isspace(*q))
			return false;
	for (const char *q = p; q < close; q++)
		if (!ms_transfer_is_base64(*q) && memchr("=\r\n \t", *q, 5) == NULL)
			return false;
	g_autoptr(GByteArray) packets =
		ms_transfer_base64((const guint8 *)p, (gsize)((sum != NULL ? sum : close) - p));
	return signature_packets(packets->data, packets->len);
}

/* ---- what nothing here reads ----------------------------------------------------------- */

typedef struct {
	guint offset;
	const char *magic;
	gsize len;
	const char *name;
} Told;

#define TOLD(offset, magic, name) {offset, magic, sizeof(magic) - 1, name}
static const Told told[] = {
	TOLD(0, "%!", "PostScript"),
	TOLD(0, "\x04%!", "PostScript"),
	TOLD(0, "\xc5\xd0\xd3\xc6", "PostScript with a preview"),
	TOLD(0, "%FDF-", "form data (FDF)"),
	TOLD(0, "\x1b%-12345X", "a print job (PJL)"),
	TOLD(0, "@PJL", "a print job (PJL)"),
	TOLD(0, "8BPS", "a Photoshop document"),
	TOLD(0, "AT&TFORM", "DjVu"),
	TOLD(0, "AutoCAD Binary DXF", "DXF"),
	TOLD(0, "AC10", "DWG"),
	TOLD(0, "\xffWPC", "WordPerfect"),
	TOLD(0, "\0\0\x02\0\x06\x04\x06\0", "Lotus 1-2-3"),
	TOLD(0, "\0\0\x1a\0", "Lotus 1-2-3"),
	TOLD(0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "OneNote"),
	TOLD(4, "Standard Jet DB", "Access"),
	TOLD(4, "Standard ACE DB", "Access"),
	TOLD(0, "SQLite format 3", "SQLite"),
	TOLD(0, "PAR1", "Parquet"),
	TOLD(0, "ARROW1", "Arrow"),
	TOLD(0, "Obj\x01", "Avro"),
	TOLD(0, "ORC", "ORC"),
	TOLD(0, "\x89HDF\r\n", "HDF5"),
	TOLD(0, "!BDN", "an Outlook data file"),
	TOLD(0, "bplist0", "a property list"),
	TOLD(0, "MZ", "a program"),
	TOLD(0,
		"\x7f"
		"ELF",
		"a program"),
	TOLD(0, "\xca\xfe\xba\xbe", "a program"),
	TOLD(0, "\x1a\x45\xdf\xa3", "Matroska"),
	TOLD(0, "FWS", "Flash"),
	TOLD(0, "CWS", "Flash"),
	TOLD(0, "\xff\x0a", "JPEG XL"),
	TOLD(0, "\0\0\0\x0cJXL ", "JPEG XL"),
	TOLD(0, "\x93NUMPY", "NumPy"),
	TOLD(0, "II+\0", "a large TIFF"),
	TOLD(0, "MM\0+", "a large TIFF"),
	TOLD(0, "\x01\0\x09\0", "a metafile (WMF)"),
	TOLD(0, "\xd7\xcd\xc6\x9a", "a metafile (WMF)"),
	TOLD(40, " EMF", "a metafile (EMF)"),
	TOLD(0, "\x09\0\x04\0", "Excel 2"),
	TOLD(0, "\x09\x02\x06\0", "Excel 3"),
	TOLD(0, "\x09\x04\x06\0", "Excel 4"),
	TOLD(0, "\xdb\xa5\x2d\0", "Word 2"),
	TOLD(0, "\x31\xbe\0\0", "Write"),
	TOLD(0, "ITSF", "compiled help"),
	TOLD(0, "\xef\xbb\xbf%!", "PostScript"),
	TOLD(0, "gimp xcf", "GIMP"),
	TOLD(0, "IN;", "a plot (HPGL)"),
	TOLD(60, "BOOKMOBI", "Mobipocket"),
	TOLD(0, "FORM", "IFF"),
	TOLD(0, "\x5a\0", "a print file (AFP)"),
};

/* Escape sequences of printers; those of charsets (ISO 2022) and terminals are text. */
static bool drives_printer(const guint8 *data, gsize len)
{
	const guint8 *end = data + len;
	if (BEGINS("ID;P")) /* a sheet (SYLK), which has its line ends and accents so */
		return false;
	for (const guint8 *p = data; (p = memchr(p, 0x1b, (gsize)(end - p))) != NULL; p++) {
		const guint8 *next = p + 1;
		if (next == end)
			return false;
		bool charset = *next == '$' || *next == '.' || *next == 'N' || *next == 'O'
			|| ((*next == '(' || *next == ')' || *next == '-' || *next == '&')
				&& end - next > 1 && next[1] >= '@' && next[1] <= 'Z');
		if (!charset && *next != '[' && *next != ']')
			return true;
	}
	return false;
}

/* A line of a drawing file is a number, the next what it means. */
static bool is_dxf(const char *head)
{
	g_auto(GStrv) lines = g_strsplit(head, "\n", 64);
	for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i += 2) {
		const char *code = g_strstrip(lines[i]), *word = g_strstrip(lines[i + 1]);
		if (strcmp(code, "999") == 0)
			continue;
		return strcmp(code, "0") == 0 && strcmp(word, "SECTION") == 0;
	}
	return false;
}

static bool line_begins(const char *text, const char *word)
{
	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		if (p == text || p[-1] == '\n' || p[-1] == '\r')
			return true;
	return false;
}

static const char *described_page(const guint8 *data, gsize len)
{
	static const struct {
		const char *word, *name;
	} rows[] = {{"%!PS", "PostScript"}, {"\\documentclass", "LaTeX"},
		{"\\documentstyle", "LaTeX"}, {"\\begin{document}", "LaTeX"},
		{"@PJL ", "a print job (PJL)"}, {"%FDF-", "form data (FDF)"}};
	g_autofree char *head = g_strndup((const char *)data, MIN(len, 4096));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (line_begins(head, rows[i].word))
			return rows[i].name;
	if (is_dxf(head))
		return "DXF";
	if (g_str_has_prefix(head, "IN;") && strstr(head, ";P") != NULL)
		return "a plot (HPGL)";
	return drives_printer(data, len) ? "a print file (PCL or alike)" : NULL;
}

const char *ms_unreadable_format(const guint8 *data, gsize len)
{
	bool text = ms_is_text(data, len);
	for (gsize i = 0; i < G_N_ELEMENTS(told); i++) {
		bool words = g_ascii_isprint(told[i].magic[0]) && told[i].len < 6;
		if (len > told[i].offset + told[i].len
			&& memcmp(data + told[i].offset, told[i].magic, told[i].len) == 0
			&& (!words || !text || told[i].magic[0] == '%' || told[i].magic[0] == '@'))
			return told[i].name;
	}
	return text ? described_page(data, len) : NULL;
}

/* ---- S/MIME --------------------------------------------------------------------------- */

bool ms_is_pkcs7_armour(const guint8 *data, gsize len, gsize *from_out)
{
	static const char *const names[] = {"-----BEGIN PKCS7-----", "-----BEGIN CMS-----",
		"-----BEGIN PKCS #7 SIGNED DATA-----"};
	gsize at = 0;
	while (at < MIN(len, 64) && g_ascii_isspace((char)data[at]))
		at++;
	*from_out = at;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (len - at > strlen(names[i]) &&
			memcmp(data + at, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

bool ms_is_pkcs7(const guint8 *data, gsize len)
{
	gsize from;
	if (ms_is_pkcs7_armour(data, len, &from))
		return true;
	/* ContentInfo: SEQUENCE, then an OID below 1.2.840.113549.1.7 (RFC 5652, 3) or below
	 * 1.2.840.113549.1.9.16.1 (RFC 3274, RFC 5083: compressed, authenticated). */
	return len > 20 && data[0] == 0x30 &&
		(memmem(data, 20, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", 10) != NULL ||
			memmem(data, 20, "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01", 12) !=
				NULL);
}

bool ms_is_certificate(const guint8 *data, gsize len)
{
	/* SEQUENCE { SEQUENCE { [0] { INTEGER 2 } ..., both of two bytes' length. */
	return len > 64 && data[0] == 0x30 && data[1] == 0x82 && data[4] == 0x30 && data[5] == 0x82
		&& memcmp(data + 8, "\xa0\x03\x02\x01\x02", 5) == 0;
}

/* Behind the tag and the length of a SEQUENCE of DER; NULL: it is none. */
static const guint8 *enter_sequence(const guint8 *p, const guint8 *end)
{
	if (p == NULL || end - p < 4 || p[0] != 0x30)
		return NULL;
	gsize n = p[1] < 0x80 ? 2 : p[1] >= 0x81 && p[1] <= 0x84 ? 2 + (p[1] & 7u) : 0;
	return n > 0 && (gsize)(end - p) > n ? p + n : NULL;
}

bool ms_is_certificate_status(const guint8 *data, gsize len)
{
	static const guint8 answer[] = {6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1},
			    version[] = {2, 1, 1, 0x30};
	if (len < 64 || data[0] != 0x30)
		return false;
	const guint8 *end = data + len, *in = enter_sequence(data, end);
	const guint8 *list = in != NULL ? enter_sequence(in, end) : NULL;
	return (list != NULL && (gsize)(end - list) > sizeof version &&
		       memcmp(list, version, sizeof version) == 0) ||
		memmem(data, 40, answer, sizeof answer) != NULL;
}
