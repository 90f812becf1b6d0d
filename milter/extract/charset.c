/*
 * What bytes mean in a charset: bytes come in, UTF-8 goes out.  Charsets of one byte a character
 * are tables, UTF-16 and UTF-32 are decoded here.
 *
 * For the others iconv loads its converters from files, which a confined worker cannot open; one
 * that was opened and closed before is unloaded again.  So at the start a descriptor of each is
 * opened and kept.  The small reader leaves them out: little mail has them, and each of their
 * libraries is five mappings that every fork copies.  A text in one of them is handed on.
 *
 * The table is filled once, before confinement and in a process of one thread.
 */
#include "config.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "missent/extract.h"
#include "missent/scan.h"
#include "missent/text.h"

static const struct {
	const char *name;
	guint16 characters[256];
} tables[] = {
#include "milter/extract/charsets.inc"
};

typedef enum {
	BYTES,  /* a character a byte, those of ASCII as there */
	EBCDIC, /* a character a byte, letters and digits elsewhere than in ASCII */
	LONG,   /* a byte may begin a character, or a change of charset */
	WIDE,   /* UTF-16 and UTF-32: decoded here */
} Form;

static struct {
	const char *name;    /* as iconv knows it */
	const char *aliases; /* upper case, blank-separated, blank at both ends */
	Form form;
	iconv_t converter;
	const guint16 *characters; /* of the 256 bytes, U+FFFD where there is none; or NULL */
} charsets[] = {
	{"ISO-8859-1", " CP28591 LATIN1 ISO8859-1 ISO_8859-1 L1 "
		"ISO_8859-1:1987 ISO-IR-100 CSISOLATIN1 IBM819 CP819 ", BYTES},
	{"ISO-8859-2", " CP28592 LATIN2 ISO8859-2 "
		"ISO_8859-2:1987 ISO-IR-101 CSISOLATIN2 L2 ", BYTES},
	{"ISO-8859-3", " CP28593 LATIN3 "
		"ISO_8859-3:1988 ISO-IR-109 CSISOLATIN3 L3 ", BYTES},
	{"ISO-8859-4", " CP28594 LATIN4 "
		"ISO_8859-4:1988 ISO-IR-110 CSISOLATIN4 L4 ", BYTES},
	{"ISO-8859-5", " CP28595 CYRILLIC "
		"ISO_8859-5:1988 ISO-IR-144 CSISOLATINCYRILLIC ", BYTES},
	{"ISO-8859-6", " CP28596 ARABIC ISO-8859-6-E ISO-8859-6-I "
		"ISO_8859-6:1987 ISO-IR-127 CSISOLATINARABIC ECMA-114 ASMO-708 ", BYTES},
	{"ISO-8859-7", " CP28597 GREEK "
		"ISO_8859-7:1987 ISO-IR-126 CSISOLATINGREEK ECMA-118 ELOT_928 GREEK8 SUN_EU_GREEK ", BYTES},
	{"ISO-8859-8", " CP28598 HEBREW ISO-8859-8-I ISO-8859-8-E "
		"ISO_8859-8:1988 ISO-IR-138 CSISOLATINHEBREW CSISO88598I CSISO88598E LOGICAL VISUAL ", BYTES},
	{"ISO-8859-9", " CP28599 LATIN5 "
		"ISO_8859-9:1989 ISO-IR-148 CSISOLATIN5 L5 ", BYTES},
	{"ISO-8859-10", " LATIN6 "
		"ISO_8859-10:1992 ISO-IR-157 CSISOLATIN6 L6 ", BYTES},
	{"ISO-8859-13", " CP28603 LATIN7 "
		"ISO-IR-179 CSISO885913 ", BYTES},
	{"ISO-8859-14", " LATIN8 "
		"ISO_8859-14:1998 ISO-IR-199 CSISO885914 L8 ISO-CELTIC ", BYTES},
	{"ISO-8859-15", " CP28605 LATIN9 LATIN-9 ISO8859-15 "
		"ISO-IR-203 CSISO885915 L9 CSISOLATIN9 ", BYTES},
	{"ISO-8859-16", " LATIN10 "
		"ISO_8859-16:2001 ISO-IR-226 CSISO885916 L10 ", BYTES},
	{"WINDOWS-1250", " CP1250 ", BYTES},
	{"WINDOWS-1251", " CP1251 ", BYTES},
	{"WINDOWS-1252", " CP1252 CP-1252 ANSI_X3.4 ANSI X-ANSI ", BYTES},
	{"WINDOWS-1253", " CP1253 ", BYTES},
	{"WINDOWS-1254", " CP1254 ", BYTES},
	{"WINDOWS-1255", " CP1255 ", BYTES},
	{"WINDOWS-1256", " CP1256 ", BYTES},
	{"WINDOWS-1257", " CP1257 ", BYTES},
	{"WINDOWS-1258", " CP1258 ", LONG},
	{"KOI8-R", " KOI8 CP20866 KOI CSKOI8R ", BYTES},
	{"KOI8-U", " CP21866 KOI8-RU ", BYTES},
	{"UTF-16LE", " CP1200 ", WIDE},
	{"UTF-16BE", " CP1201 ", WIDE},
	{"UTF-32LE", " ", WIDE},
	{"UTF-32BE", " ", WIDE},
	{"UTF-7", " CP65000 UNICODE-1-1-UTF-7 CSUNICODE11UTF7 X-UTF-7 ", LONG},
	{"GB18030", " CP54936 CP51936 GB2312 GBK GB_2312-80 CP936 MS936 WINDOWS-936 X-GBK EUC-CN ", LONG},
	{"BIG5-HKSCS", " BIG5 CN-BIG5 X-X-BIG5 CP950 CSBIG5 ", LONG},
	{"EUC-JP", " CP51932 CP20932 EUC-JISX0213 X-EUC-JP UJIS EUCJP-MS CSEUCPKDFMTJAPANESE ", LONG},
	{"CP932", " SHIFT_JISX0213 SHIFT_JIS SJIS X-SJIS WINDOWS-31J MS_KANJI MS932 CSSHIFTJIS ", LONG},
	{"ISO-2022-JP-2", " ISO-2022-JP ISO-2022-JP-1 ISO-2022-JP-3 CSISO2022JP ISO-2022-JP-MS "
		"CP50220 CP50221 CP50222 _ISO-2022-JP$ESC ", LONG},
	{"IBM852", " CP852 ", BYTES},
	{"IBM866", " CP866 CSIBM866 ", BYTES},
	{"MAC-CYRILLIC", " CP10007 X-MAC-CYRILLIC MACCYRILLIC X-MAC-UKRAINIAN ", BYTES},
	{"EUC-KR", " CP51949 KS_C_5601-1987 KS_C_5601-1989 CP949 UHC KSC5601 KOREAN WINDOWS-949 CSEUCKR ",
		LONG},
	{"ISO-2022-KR", " CP50225 ", LONG},
	{"TIS-620", " WINDOWS-874 CP874 ISO-8859-11 ", LONG},
	{"CP437", " IBM437 ", BYTES},
	{"CP850", " IBM850 ", BYTES},
	{"CP858", " IBM858 IBM00858 ", BYTES},
	{"CP1047", " IBM1047 CP037 IBM037 CP500 IBM500 EBCDIC-US EBCDIC-INT CP1140 IBM1140 IBM01140 ", EBCDIC},
	{"CP273", " IBM273 CSIBM273 CP1141 IBM1141 IBM01141 EBCDIC-DE-273+EURO ", EBCDIC},
	{"MACINTOSH", " MAC X-MAC-ROMAN MAC-ROMAN CSMACINTOSH CP10000 ", BYTES},
	{"MAC-CROATIAN", " X-MAC-CROATIAN CP10082 ", BYTES},
	{"MAC-GREEK", " X-MAC-GREEK CP10006 ", BYTES},
	{"MAC-ICELAND", " X-MAC-ICELANDIC CP10079 ", BYTES},
	{"MAC-LATIN2", " X-MAC-CE MAC-CE X-MAC-CENTRALEURROMAN CP10029 ", BYTES},
	{"MAC-ROMANIAN", " X-MAC-ROMANIAN CP10010 ", BYTES},
	{"MAC-TURKISH", " X-MAC-TURKISH CP10081 ", BYTES},
	{"CP737", " IBM737 ", BYTES},
	{"CP775", " IBM775 ", BYTES},
	{"CP855", " IBM855 ", BYTES},
	{"CP857", " IBM857 ", BYTES},
	{"CP860", " IBM860 ", BYTES},
	{"CP861", " IBM861 ", BYTES},
	{"CP862", " IBM862 DOS-862 ", BYTES},
	{"CP863", " IBM863 ", BYTES},
	{"CP864", " IBM864 ", BYTES},
	{"CP865", " IBM865 ", BYTES},
	{"CP869", " IBM869 ", BYTES},
};

#define NONE ((iconv_t)-1)
static bool complete;
static struct {
	bool rare; /* those that are LONG */
	void (*hand_on)(void *user);
	void *user;
} left_out;

/* NULL if bytes do not stand for themselves. */
static const guint16 *find_characters(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		if (strcmp(tables[i].name, name) == 0)
			return tables[i].characters;
	return NULL;
}

void ms_charset_leave_out_rare(void)
{
	left_out.rare = true;
}

void ms_charset_hand_on(void (*func)(void *user), void *user)
{
	left_out.hand_on = func;
	left_out.user = user;
}

/* At the first converter of all, be it one of its own, libc reads a list of them from files. */
static void load_list(void)
{
	iconv_t own = iconv_open("UTF-8", "US-ASCII");
	if (own != NONE)
		iconv_close(own);
}

void ms_charset_init(void)
{
	load_list();
	for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
		if (charsets[i].converter != 0 || charsets[i].characters != NULL)
			continue;
		charsets[i].characters = find_characters(charsets[i].name);
		/* Those of UTF-16 and UTF-32 are for libraries that ask for them. */
		if (charsets[i].characters == NULL)
			charsets[i].converter =
				left_out.rare ? NONE : iconv_open("UTF-8", charsets[i].name);
	}
	complete = true;
}

static bool is_open(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++)
		if (strcmp(charsets[i].name, name) == 0)
			return charsets[i].converter != 0 && charsets[i].converter != NONE;
	return false;
}

bool ms_charset_is_loaded(const char *name)
{
	/* Those of libc itself. */
	static const char *const own[] = {"", "UTF-8", "UTF8", "US-ASCII", "ASCII",
		"ANSI_X3.4-1968", "WCHAR_T", "INTERNAL", "UCS-2", "UCS-4", "UCS-4LE", "UCS-4BE",
		NULL};
	g_autofree char *upper = g_ascii_strup(name, (gssize)strcspn(name, "/"));
	if (strcmp(upper, "UTF-16") == 0 || strcmp(upper, "UTF-32") == 0) {
		g_autofree char *little = g_strconcat(upper, "LE", NULL);
		return !complete || is_open(little);
	}
	/* Poppler's passwords need it: the full reader has it open. */
	bool latin = strcmp(upper, "ISO-8859-1") == 0 && !left_out.rare;
	return !complete || latin || g_strv_contains(own, upper) || is_open(upper);
}

/* Letters and digits only: "Shift_JIS", "shift-jis" and "ShiftJIS" are one. */
static bool same_name(const char *a, gsize a_len, const char *b)
{
	gsize i = 0;
	for (;;) {
		while (i < a_len && !g_ascii_isalnum(a[i]))
			i++;
		while (*b != '\0' && !g_ascii_isalnum(*b))
			b++;
		if (i == a_len || *b == '\0')
			return i == a_len && *b == '\0';
		if (g_ascii_toupper(a[i++]) != g_ascii_toupper(*b++))
			return false;
	}
}

static bool has_name(const char *list, const char *charset)
{
	for (const char *p = list + strspn(list, " "); *p != '\0'; p += strspn(p, " ")) {
		gsize n = strcspn(p, " ");
		if (same_name(p, n, charset))
			return true;
		p += n;
	}
	return false;
}

static bool has_letters(const char *charset)
{
	for (; *charset != '\0'; charset++)
		if (g_ascii_isalnum(*charset))
			return true;
	return false;
}

static gssize find_name(const char *charset)
{
	for (gsize i = 0; has_letters(charset) && i < G_N_ELEMENTS(charsets); i++)
		if (has_name(charsets[i].name, charset) || has_name(charsets[i].aliases, charset))
			return (gssize)i;
	return -1;
}

/* "windows-28591", "cp-1252", "IBM-850", "1252": a code page by its number, as "CP1252"; or
 * NULL. */
static char *code_page(const char *charset)
{
	static const char *const before[] = {"", "CP", "X-CP", "WINDOWS", "X-WINDOWS", "WIN", "IBM",
		"MS", "DOS", "OEM", "ANSI", "CODEPAGE"};
	gsize n = strcspn(charset, "0123456789"), digits = strspn(charset + n, "0123456789");
	for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
		if (digits >= 3 && charset[n + digits] == '\0' &&
			same_name(charset, n, before[i]))
			return g_strconcat("CP", charset + n, NULL);
	return NULL;
}

static gssize find_charset(const char *charset)
{
	static const char label[] = "charset="; /* written twice */
	if (g_ascii_strncasecmp(charset, label, sizeof label - 1) == 0)
		charset += sizeof label - 1;
	gssize row = find_name(charset);
	g_autofree char *page = row < 0 ? code_page(charset) : NULL;
	return page != NULL ? find_name(page) : row;
}

static GString *convert_bytes(const guint16 *characters, const guint8 *data, gsize len)
{
	GString *out = g_string_sized_new(len + len / 8 + 16);
	for (gsize i = 0; i < len; i++) {
		if (data[i] < 0x80 && characters[data[i]] == data[i])
			g_string_append_c(out, (char)data[i]);
		else
			g_string_append_unichar(out, characters[data[i]]);
	}
	return out;
}

static guint32 number_at(const guint8 *p, gsize unit, bool little)
{
	guint32 n = 0;
	for (gsize i = 0; i < unit; i++)
		n |= (guint32)p[i] << 8 * (little ? i : unit - 1 - i);
	return n;
}

/* The character at `p`, and how many bytes it has; 0: it is none. */
static gsize wide_character(
	const guint8 *p, gsize left, gsize unit, bool little, gunichar *character_out)
{
	if (left < unit && !little)
		return 0;
	/* Zeros at the end of all are left off by who takes them for that of a string. */
	guint32 n = number_at(p, MIN(unit, left), little);
	unit = MIN(unit, left);
	*character_out = n;
	if (n < 0xd800 || (n >= 0xe000 && n < 0x110000))
		return unit;
	if (unit != 2 || n >= 0xdc00 || left < 4)
		return 0;
	guint32 low = number_at(p + 2, 2, little);
	*character_out = 0x10000 + ((n - 0xd800) << 10) + (low - 0xdc00);
	return low >= 0xdc00 && low < 0xe000 ? 4 : 0;
}

/* Bytes that the charset does not have become U+FFFD, so that words do not close up. */
static GString *convert_wide(const char *name, const guint8 *data, gsize len)
{
	GString *out = g_string_sized_new(len + 16);
	gsize unit = g_str_has_prefix(name, "UTF-32") ? 4 : 2;
	bool little = g_str_has_suffix(name, "LE");
	for (gsize i = 0; i < len;) {
		gunichar character;
		gsize n = wide_character(data + i, len - i, unit, little, &character);
		if (n > 0 && character < 0x80)
			g_string_append_c(out, (char)character);
		else
			g_string_append_unichar(out, n > 0 ? character : 0xfffd);
		i += MAX(n, 1);
	}
	return out;
}

static GString *convert(iconv_t converter, const guint8 *data, gsize len)
{
	GString *out = g_string_sized_new(len + len / 2 + 16);
	char *in = (char *)data;
	gsize left = len;
	iconv(converter, NULL, NULL, NULL, NULL);
	while (left > 0) {
		char buffer[4096];
		char *to = buffer;
		gsize room = sizeof buffer;
		gsize rc = iconv(converter, &in, &left, &to, &room);
		int why = errno;
		g_string_append_len(out, buffer, to - buffer);
		if (rc != (gsize)-1 || why == E2BIG)
			continue;
		g_string_append(out, "\xef\xbf\xbd");
		in++;
		left--;
	}
	return out;
}

/* UTF-16 and UTF-32 without a byte order mark are big-endian by RFC 2781, but senders write
 * what their machine has: the side on which the zero bytes stand tells. */
static const char *wide_name(const guint8 **data, gsize *len, bool utf32)
{
	gsize unit = utf32 ? 4 : 2, n = *len;
	const guint8 *d = *data;
	bool little_mark = n >= unit && d[0] == 0xff && d[1] == 0xfe;
	bool big_mark = utf32 ? n >= 4 && d[2] == 0xfe && d[3] == 0xff
			      : n >= 2 && d[0] == 0xfe && d[1] == 0xff;
	gsize even = 0, odd = 0;
	for (gsize i = 0; i + unit <= MIN(n, 4096); i += unit) {
		even += d[i] == 0;
		odd += d[i + unit - 1] == 0;
	}
	if (little_mark || big_mark) {
		*data += unit;
		*len -= unit;
	}
	bool little = little_mark || (!big_mark && odd > even);
	if (utf32)
		return little ? "UTF-32LE" : "UTF-32BE";
	return little ? "UTF-16LE" : "UTF-16BE";
}

static bool is_name(const char *charset, const char *name)
{
	return same_name(charset, strlen(charset), name);
}

/* Those that name ASCII, and those that say that the sender did not know: what is no UTF-8 in them
 * is read as Windows-1252. */
static bool is_utf8_name(const char *charset)
{
	static const char *const names[] = {"UTF-8", "US-ASCII", "ASCII", "UNICODE-1-1-UTF-8",
		"ANSI_X3.4-1968", "ANSI_X3.4-1986", "ISO646-US", "ISO-IR-6", "UTF-8-SIG", "UTF8MB4",
		"UTF8MB3", "UTF-8-BOM", "CSUTF8", "UNICODE20UTF8", "X-UNICODE20UTF8", "65001",
		"WINDOWS-65001",
		"CESU-8", "UNKNOWN-8BIT", "X-UNKNOWN", "UNKNOWN", "DEFAULT", "DEFAULT_CHARSET",
		"NONE", "CP65001", "CP20127", "X-USER-DEFINED", "8BIT", "7BIT", NULL};
	for (const char *const *name = names; charset != NULL && *name != NULL; name++)
		if (is_name(charset, *name))
			return true;
	return charset == NULL;
}

bool ms_charset_same(const char *a, const char *b)
{
	if (is_utf8_name(a) || is_utf8_name(b))
		return is_utf8_name(a) && is_utf8_name(b);
	return is_name(a, b) || (find_charset(a) >= 0 && find_charset(a) == find_charset(b));
}

bool ms_charset_is_long(const char *charset)
{
	gssize row = find_charset(charset);
	if (row < 0)
		return is_name(charset, "UTF-16") || is_name(charset, "UTF-32");
	return charsets[row].form != BYTES;
}

/* ---- what bytes say themselves -------------------------------------------------------- */

#define LOOKED_AT 4096
#define LEAST 8 /* bytes that are enough to tell */

/* Text of Europe in UTF-16 has a zero in every second byte, in UTF-32 three in four. */
static const char *looks_wide(const guint8 *data, gsize len)
{
	gsize n = MIN(len, LOOKED_AT) & ~(gsize)3, zeros[4] = {0};
	if (n < LEAST)
		return NULL;
	for (gsize i = 0; i < n; i++)
		zeros[i % 4] += data[i] == 0;
	gsize most = n / 4 - n / 20, few = n / 80;
	bool z[4], t[4];
	for (int i = 0; i < 4; i++) {
		z[i] = zeros[i] >= most;
		t[i] = zeros[i] <= few;
	}
	if (t[0] && z[1] && z[2] && z[3])
		return "UTF-32LE";
	if (z[0] && z[1] && z[2] && t[3])
		return "UTF-32BE";
	if (t[0] && z[1] && t[2] && z[3])
		return "UTF-16LE";
	return z[0] && t[1] && z[2] && t[3] ? "UTF-16BE" : NULL;
}

/* In EBCDIC the blank is 0x40, and letters and digits are above 0x80, where no text in UTF-8
 * has them without their lead bytes. */
static bool looks_ebcdic(const guint8 *data, gsize len)
{
	gsize n = MIN(len, LOOKED_AT), words = 0, blanks = 0, ascii = 0;
	if (ms_scan_ascii((const char *)data, n) == n)
		return false; /* it is valid as it stands */
	for (gsize i = 0; i < n; i++) {
		guint8 c = data[i], low = c & 0x0f;
		bool letter = (c >= 0x81 && low >= 1 && low <= 9 && ((c >> 4) == 8 || (c >> 4) == 9
			|| (c >> 4) == 0xc || (c >> 4) == 0xd)) || (c >= 0xa2 && c <= 0xa9)
			|| (c >= 0xe2 && c <= 0xe9) || (c >= 0xf0 && c <= 0xf9);
		words += letter;
		blanks += c == 0x40 || c == 0x25 || c == 0x15;
		ascii += g_ascii_isalnum((char)c) || c == ' ';
		if (ascii * 8 > n)
			return false;
	}
	/* Records of a host are filled up with blanks: a few words may stand among many. */
	return n >= LEAST && (words + blanks) * 10 >= n * 6 && words * 20 >= n && blanks * 30 >= n
		&& !ms_scan_utf8((const char *)data, n);
}

const char *ms_charset_guess(const guint8 *data, gsize len)
{
	bool zeros = len > 0 && memchr(data, 0, MIN(len, LEAST)) != NULL;
	const char *wide = zeros ? looks_wide(data, len) : NULL;
	if (wide != NULL)
		return wide;
	/* "<?xml" */
	bool xml = len > 5 && memcmp(data, "\x4c\x6f\xa7\x94\x93", 5) == 0;
	return xml || (len > 0 && looks_ebcdic(data, len)) ? "CP1047" : NULL;
}

/* Is it the same text in any charset that somebody may have made up a name for?  No shift to
 * other letters begins in it: ESC, SO, "~{" and "+AbC-". */
static bool is_ascii(const guint8 *data, gsize len)
{
	gsize letters = 0;
	for (gsize i = 0; i < len; i++) {
		guint8 c = data[i], next = i + 1 < len ? data[i + 1] : ' ';
		if (c >= 0x7f || (c < 0x20 && !g_ascii_isspace((char)c)) ||
			(c == '~' && next == '{') || (c == '+' && g_ascii_isupper((char)next)))
			return false;
		letters += g_ascii_isalnum((char)c) || c == ' ';
	}
	return letters * 2 >= len;
}

/* Letters that are no ASCII make valid UTF-8 only where they were written as such; no charset with
 * shifts has them.  Said by a name that nobody knows ("utf-8-bom", "UTF-8,UTF-8", "unicode"), it is
 * UTF-8 as it is where nothing is said. */
static bool is_utf8(const guint8 *data, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (data[i] < 0x20 && !g_ascii_isspace((char)data[i]))
			return false;
	const char *text = (const char *)data;
	return ms_scan_ascii(text, len) < len && ms_scan_utf8(text, len);
}

bool ms_charset_decode(const char *charset, const guint8 *data, gsize len, GString **out)
{
	if (charset != NULL && is_name(charset, "UTF-16"))
		charset = wide_name(&data, &len, false);
	else if (charset != NULL && is_name(charset, "UTF-32"))
		charset = wide_name(&data, &len, true);
	else if (len >= 8 && memcmp(data, "\xff\xfe\0\0", 4) == 0)
		charset = wide_name(&data, &len, true); /* no text in UTF-16 begins with a NUL */
	else if (len >= 2 &&
		((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff)) &&
		(charset == NULL || g_ascii_strncasecmp(charset, "UTF-16", 6) != 0))
		charset = wide_name(&data, &len, false); /* a mark is stronger than a label */
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		len -= 3;
	}
	const char *guess = is_utf8_name(charset) ? ms_charset_guess(data, len) : NULL;
	if (guess != NULL)
		charset = guess;
	bool utf8 = is_utf8_name(charset);
	gssize row = utf8 ? -1 : find_charset(charset);
	bool wide = row >= 0 && charsets[row].form == WIDE;
	bool known = row >= 0 && (wide || charsets[row].characters != NULL
		|| (charsets[row].converter != NONE && charsets[row].converter != 0));
	if (row >= 0 && left_out.rare && charsets[row].form == LONG && left_out.hand_on != NULL)
		left_out.hand_on(left_out.user);
	if (!known)
		*out = ms_text_repair((const char *)data, len);
	else if (wide)
		*out = convert_wide(charsets[row].name, data, len);
	else if (charsets[row].characters != NULL)
		*out = convert_bytes(charsets[row].characters, data, len);
	else
		*out = convert(charsets[row].converter, data, len);
	if (guess != NULL) /* lines of EBCDIC end with NEL */
		g_string_replace(*out, "\xc2\x85", "\n", 0);
	return utf8 || known || (row < 0 && (is_ascii(data, len) || is_utf8(data, len)));
}
