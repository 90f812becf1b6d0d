/*
 * The words of a line come in, "key=value, key=value"; each goes out by itself.  Senders choose a
 * part of them: an address may have a quoted part in which all of this stands too, so quotes are
 * respected where they end, and what an MTA writes last, another host's words, is the value of
 * the last key alone.  The thread of who reads the log.
 */
#include "config.h"

#include <string.h>

#include "maillog_private.h"

/* Where a value ends: at a comma and a blank (or the end) outside of quotes. */
static char *end_of(char *value, bool quotes)
{
	bool quoted = false;
	for (char *p = value; *p != '\0'; p++) {
		if (quotes && quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (quotes && *p == '"')
			quoted = !quoted;
		else if (!quoted && *p == ',' && (p[1] == ' ' || p[1] == '\0'))
			return p;
	}
	return quoted ? NULL : value + strlen(value);
}

bool log_field(char **text, const char *last, char **key_out, char **value_out)
{
	char *key, *equals;
	for (;; *text = equals +
			1) { /* a value of Sendmail's may have a comma: what follows it is no key */
		key = *text + strspn(*text, " ");
		equals = key + strcspn(key, "=, ");
		if (*equals == '=')
			break;
		if (*equals == '\0')
			return false;
	}
	*equals = '\0';
	*key_out = key;
	*value_out = equals + 1;
	if (strcmp(key, last) == 0) {
		*text = *value_out + strlen(*value_out);
		return true;
	}
	char *end = end_of(*value_out, true);
	if (end == NULL)
		end = end_of(*value_out, false);
	*text = *end == '\0' ? end : end + 1;
	*end = '\0';
	return true;
}

char *log_address(const char *value)
{
	gsize len = strlen(value);
	if (len >= 2 && value[0] == '<' && value[len - 1] == '>')
		return g_strndup(value + 1, len - 2);
	return g_strndup(value, len);
}

char *log_in_brackets(const char *text)
{
	const char *start = strchr(text, '['), *end = start != NULL ? strchr(start, ']') : NULL;
	return end != NULL ? g_strndup(start + 1, (gsize)(end - start - 1)) : NULL;
}

static gsize id_length(const char *p)
{
	gsize n = 0;
	while (g_ascii_isalnum(p[n]))
		n++;
	return n >= 6 && n <= 40 ? n : 0;
}

/* Postfix: "250 2.0.0 Ok: queued as ID"; a message that an alias made anew: "forwarded as ID".
 * Sendmail: "ID Message accepted for delivery". */
char *log_next_id(const char *reply)
{
	static const char *const words[] = {"queued as ", "forwarded as "};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		const char *p = NULL;
		/* The last one: a content filter tells what it was told. */
		for (const char *q = reply; (q = strstr(q, words[i])) != NULL; q++)
			p = q + strlen(words[i]);
		if (p != NULL && id_length(p) > 0)
			return g_strndup(p, id_length(p));
	}
	const char *p = strstr(reply, " Message accepted for delivery"), *start = p;
	while (start != NULL && start > reply && g_ascii_isalnum(start[-1]))
		start--;
	return start != NULL && id_length(start) == (gsize)(p - start) && p > start
		? g_strndup(start, (gsize)(p - start))
		: NULL;
}

gsize log_id_at(const char *text, const LogIdForm *form)
{
	gsize n = 0;
	bool digit = false, lower = false;
	for (; g_ascii_isalnum(text[n]); n++) {
		digit |= g_ascii_isdigit(text[n]);
		lower |= g_ascii_islower(text[n]);
	}
	bool fits = n >= form->least && n <= form->most;
	return fits && (digit || (!lower && form->may_be_capitals)) ? n : 0;
}

char *log_cut_id(char *text, const LogIdForm *form, char **rest_out)
{
	gsize n = log_id_at(text, form);
	if (n == 0 || text[n] != ':' || text[n + 1] != ' ')
		return NULL;
	text[n] = '\0';
	*rest_out = text + n + 2;
	return text;
}
