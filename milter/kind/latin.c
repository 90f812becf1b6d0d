/*
 * Text in letters of Cyrillic or Greek comes in, out goes the same in Latin ones as signs and bills
 * have it (Bulgaria's transliteration act, ELOT 743, both without their marks).  Pure; any thread.
 */
#include "config.h"

#include "latin.h"

static const char *const cyrillic[] = {"a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l",
	"m", "n", "o", "p", "r", "s", "t", "u", "f", "h", "ts", "ch", "sh", "sht", "a", "y", "y",
	"e", "yu", "ya"};
static const struct {
	gunichar letter;
	const char *latin;
} others[] = {{0x450, "e"}, {0x451, "e"}, {0x452, "dj"}, {0x454, "ye"}, {0x456, "i"}, {0x457, "i"},
	{0x458, "j"}, {0x459, "lj"}, {0x45a, "nj"}, {0x45b, "c"}, {0x45f, "dz"}, {0x491, "g"},
	{0x3ac, "a"}, {0x3ad, "e"}, {0x3ae, "i"}, {0x3af, "i"}, {0x390, "i"}, {0x3ca, "i"},
	{0x3cc, "o"}, {0x3cd, "y"}, {0x3b0, "y"}, {0x3cb, "y"}, {0x3ce, "o"}};
static const char *const greek[] = {"a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m",
	"n", "x", "o", "p", "r", "s", "s", "t", "y", "f", "ch", "ps", "o"};

static const char *latin_of(gunichar c)
{
	if (c >= 0x430 && c < 0x430 + G_N_ELEMENTS(cyrillic))
		return cyrillic[c - 0x430];
	if (c >= 0x3b1 && c < 0x3b1 + G_N_ELEMENTS(greek))
		return greek[c - 0x3b1];
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
		if (others[i].letter == c)
			return others[i].latin;
	return NULL;
}

/* Behind these an ypsilon is another letter: "ou", "av", "ev". */
static const char *behind(gunichar before, gunichar c)
{
	if (c != 0x3c5 && c != 0x3cd)
		return NULL;
	return before == 0x3bf ? "u" : before == 0x3b1 || before == 0x3b5 ? "v" : NULL;
}

char *ms_latin_of(const char *text, gsize len)
{
	GString *out = g_string_new(NULL);
	bool any = false;
	gunichar before = 0;
	for (const char *p = text; p < text + len; p = g_utf8_next_char(p)) {
		gunichar c = g_unichar_tolower(g_utf8_get_char(p));
		const char *latin = behind(before, c);
		if (latin == NULL)
			latin = latin_of(c);
		if (latin != NULL)
			g_string_append(out, latin);
		else
			g_string_append_unichar(out, c);
		any = any || latin != NULL;
		before = c;
	}
	return g_string_free(out, !any);
}
