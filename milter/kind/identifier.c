/*
 * Identifiers are made, freed and masked.  Any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/identifier.h"

MsIdentifier *ms_identifier_new(const char *kind, const char *value)
{
	MsIdentifier *identifier = g_new0(MsIdentifier, 1);
	identifier->kind = g_strdup(kind);
	identifier->value = g_strdup(value);
	return identifier;
}

void ms_identifier_free(MsIdentifier *identifier)
{
	if (identifier == NULL)
		return;
	g_free(identifier->kind);
	g_free(identifier->value);
	g_clear_pointer(&identifier->either, g_ptr_array_unref);
	g_free(identifier);
}

GPtrArray *ms_identifiers_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)ms_identifier_free);
}

const char *ms_identifier_raw(const MsIdentifier *identifier)
{
	return identifier->value;
}

static void append_stars(GString *out, const char *text, const char *end)
{
	if (text < end) {
		g_string_append_unichar(out, g_utf8_get_char(text));
		g_string_append(out, "***");
	}
}

static char *mask_email(const char *value, const char *at)
{
	const char *dot = strrchr(at, '.');
	GString *out = g_string_new(NULL);
	append_stars(out, value, at);
	g_string_append_c(out, '@');
	append_stars(out, at + 1, dot != NULL ? dot : at + strlen(at));
	if (dot != NULL)
		g_string_append(out, dot);
	return g_string_free(out, FALSE);
}

static char *mask_words(const char *value)
{
	GString *out = g_string_new(NULL);
	g_auto(GStrv) words = g_strsplit(value, " ", 4);
	for (int i = 0; words[i] != NULL && i < 3; i++) {
		if (i > 0)
			g_string_append_c(out, ' ');
		append_stars(out, words[i], words[i] + strlen(words[i]));
	}
	return g_string_free(out, FALSE);
}

char *ms_identifier_masked(const char *value)
{
	const char *at = strchr(value, '@');
	if (at != NULL)
		return mask_email(value, at);
	if (strchr(value, ' ') != NULL)
		return mask_words(value);
	glong n = g_utf8_strlen(value, -1);
	glong head = n >= 12 ? 2 : 0, tail = n >= 6 ? 2 : 0;
	GString *out = g_string_new(NULL);
	g_string_append_len(out, value, g_utf8_offset_to_pointer(value, head) - value);
	for (glong i = head; i < n - tail && i < 16; i++)
		g_string_append_c(out, '*');
	g_string_append(out, g_utf8_offset_to_pointer(value, n - tail));
	return g_string_free(out, FALSE);
}
