/*
 * Names of entries come out of kinds, values and accounts, and digests out of names; from any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "keys.h"

#define MAX_ACCOUNT 200

char *ms_keys_make(char letter, const char *kind, const char *value)
{
	const char begin[] = {letter, ':', '\0'};
	return g_strconcat(begin, kind, "=", value, NULL); /* some hundred a message */
}

char *ms_keys_of_account(const char *account)
{
	return g_strconcat("d:", account, NULL);
}

char *ms_keys_known_account(const char *account)
{
	return g_strconcat("k:", account, NULL);
}

char *ms_keys_named_account(const char *account, const char *word)
{
	return g_strconcat("n:", account, word != NULL ? "\n" : NULL, word, NULL);
}

bool ms_keys_are_account(const char *name)
{
	return name[0] == 'd' || name[0] == 'k' || name[0] == 'n';
}

/* What a name is about.  Names of one value have one place, as they are asked for together: then a
 * question reads one slice, not one for each form. */
static MsPiece value_of(const char *name)
{
	static const char other[] = "a:" MS_OTHER_FORM "=", zeros[] = "zeros/";
	if (ms_keys_are_account(name)) /* which has no line feed */
		return (MsPiece){name + 2, strcspn(name + 2, "\n")};
	const char *value = strchr(name, '=');
	if (g_str_has_prefix(name, other)) {
		const char *space = name + strlen(other);
		value = strchr(g_str_has_prefix(space, zeros) ? space + strlen(zeros) : space, '/');
	}
	value = value != NULL ? value + 1 : name;
	return (MsPiece){value, strlen(value)};
}

static void digest_of(const MsKeys *keys, MsPiece piece, guint8 whole[16])
{
	/* the least that every BLAKE2b makes */
	ms_digest_plain(keys->parts.entry, &piece, 1, whole, 16);
}

void ms_keys_digest(const MsKeys *keys, const char *name, guint8 out[MS_ENTRY_DIGEST])
{
	guint8 place[16], whole[16];
	digest_of(keys, value_of(name), place);
	digest_of(keys, (MsPiece){name, strlen(name)}, whole);
	memcpy(out, place, MS_PLACE_BYTES);
	memcpy(out + MS_PLACE_BYTES, whole + MS_PLACE_BYTES, MS_ENTRY_KEY);
}

/* Spreadsheets and web pages have blanks that do not break, and signs without width. */
char *ms_keys_bare(const char *text)
{
	if (g_str_is_ascii(text))
		return g_strstrip(g_strdup(text));
	GString *out = g_string_new(NULL);
	for (const char *at = text; *at != '\0';) {
		gunichar c = g_utf8_get_char_validated(at, -1);
		bool valid = c < 0x110000;
		gsize n = valid ? (gsize)(g_utf8_next_char(at) - at) : 1;
		if (c == 0xa0 || c == 0x2007 || c == 0x2009 || c == 0x202f)
			g_string_append_c(out, ' ');
		else if (c != 0x200b && c != 0x200e && c != 0x2060 && c != 0xfeff)
			g_string_append_len(out, at, (gssize)n);
		at += n;
	}
	return g_strstrip(g_string_free(out, FALSE));
}

const char *ms_account_problem(const char *account)
{
	if (*account == '\0')
		return "the account is empty";
	if (strlen(account) > MAX_ACCOUNT)
		return "the account is longer than 200 bytes";
	if (!g_utf8_validate(account, -1, NULL))
		return "the account is not UTF-8";
	for (const char *p = account; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p))
			return "the account has a control character in it";
	return NULL;
}
