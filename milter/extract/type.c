#include "config.h"

#include <string.h>

#include "readers.h"

/* What a file is, by its first bytes (and by nothing that a sender can merely claim). */

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
	return memmem(data, MIN(len, 1024), "%PDF-", 5) != NULL;
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

bool ms_is_archive(const guint8 *data, gsize len)
{
	return BEGINS("PK\x03\x04") || BEGINS("PK\x05\x06") || BEGINS("PK\x07\x08")
		|| BEGINS("PK00PK") || BEGINS("7z\xbc\xaf\x27\x1c") || BEGINS("Rar!\x1a\x07")
		|| BEGINS("\x1f\x8b") || BEGINS("BZh") || BEGINS("LZIP") || BEGINS("\xfd" "7zXZ") || BEGINS("\x28\xb5\x2f\xfd")
		|| BEGINS("\x1f\x9d") || BEGINS("MSCF") || BEGINS("\x04\x22\x4d\x18") || AT(2, "-lh")
		|| BEGINS("070707") || BEGINS("070701") || BEGINS("xar!") || BEGINS("!<arch>\n")
		|| is_tar(data, len);
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
	/* Armoured, or a packet that only encrypted messages begin with (RFC 4880, 4.3: tags 1, 3,
	 * 9, 18 in the old and new formats) of a plausible version. */
	if (BEGINS("-----BEGIN PGP MESSAGE-----"))
		return true;
	return len > 12 && (data[0] == 0x84 || data[0] == 0x85 || data[0] == 0xc1)
		&& (data[data[0] == 0x85 ? 3 : 2] == 3);
}

bool ms_is_picture(const guint8 *data, gsize len)
{
	return BEGINS("\x89PNG\r\n") || BEGINS("\xff\xd8\xff") || BEGINS("GIF87a") || BEGINS("GIF89a")
		|| BEGINS("II*\0") || BEGINS("MM\0*") || (BEGINS("BM") && AT(6, "\0\0\0\0"))
		|| (BEGINS("RIFF") && (AT(8, "WEBP") || AT(8, "WAVE") || AT(8, "AVI ")))
		|| AT(4, "ftyp") || BEGINS("OggS") || BEGINS("ID3") || BEGINS("fLaC")
		|| BEGINS("\x1a\x45\xdf\xa3") || BEGINS("\x00\x00\x01\x00") || BEGINS("\xd7\xcd\xc6\x9a");
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

bool ms_is_text(const guint8 *data, gsize len)
{
	if (BEGINS("\xff\xfe") || BEGINS("\xfe\xff") || ms_charset_guess(data, len) != NULL)
		return true;
	gsize n = MIN(len, 65536), odd = 0;
	for (gsize i = 0; i < n; i++) {
		if (data[i] == 0)
			return false;
		odd += data[i] < 0x20 && strchr("\t\n\r\f\v\x1b", data[i]) == NULL;
	}
	return odd * 200 <= n;
}
