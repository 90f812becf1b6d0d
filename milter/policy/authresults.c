/*
 * The value of an Authentication-Results field comes in; out goes who says it, and what.  The
 * grammar of RFC 8601 2.2, with comments between any two words.  A field that is not of it is
 * kept as far as it is, and is not whole: nobody may take a result for missing from it.  Pure
 * functions.
 */
#include "config.h"

#include <string.h>

#include "missent/authresults.h"

const char *const ms_auth_methods[] = {"arc", "auth", "bimi", "dkim", "dkim-adsp", "dkim-atps",
	"dmarc", "dnswl", "domainkeys", "iprev", "rrvs", "sender-id", "smime", "spf", "vbr", NULL};
const char *const ms_auth_words[] = {"none", "pass", "fail", "policy", "neutral", "softfail",
	"temperror", "permerror", "hardfail", "bestguesspass", "nxdomain", "discard", "unknown",
	"skipped", "declined", NULL};

typedef struct {
	const char *at;
	bool bad;
} Walk;

/* "(a (b) \) c)": they nest. */
static void skip_comment(Walk *w)
{
	guint depth = 0;
	do {
		if (*w->at == '\\' && w->at[1] != '\0')
			w->at++;
		else if (*w->at == '(')
			depth++;
		else if (*w->at == ')')
			depth--;
		w->at++;
	} while (depth > 0 && *w->at != '\0');
	w->bad = w->bad || depth > 0;
}

static void skip(Walk *w)
{
	while (*w->at != '\0' && (strchr(" \t\r\n", *w->at) != NULL || *w->at == '('))
		if (*w->at == '(')
			skip_comment(w);
		else
			w->at++;
}

static char *take_quoted(Walk *w)
{
	GString *out = g_string_new(NULL);
	for (w->at++; *w->at != '"' && *w->at != '\0'; w->at++) {
		if (*w->at == '\\' && w->at[1] != '\0')
			w->at++;
		g_string_append_c(out, *w->at);
	}
	w->bad = w->bad || *w->at != '"';
	w->at += *w->at == '"';
	return g_string_free(out, FALSE);
}

/* A token of RFC 2045 without those of `stops`, or, where it may be, a quoted string.  NULL:
 * there is none. */
static char *take_word(Walk *w, const char *stops, bool quoted)
{
	skip(w);
	if (quoted && *w->at == '"')
		return take_quoted(w);
	const char *start = w->at;
	while (*w->at != '\0' && (guchar)*w->at > ' ' && *w->at != '\x7f' &&
		strchr("()\";", *w->at) == NULL && strchr(stops, *w->at) == NULL)
		w->at++;
	return w->at > start ? g_strndup(start, (gsize)(w->at - start)) : NULL;
}

static char *take_lower(Walk *w, const char *stops)
{
	g_autofree char *word = take_word(w, stops, false);
	return word != NULL ? g_ascii_strdown(word, -1) : NULL;
}

static bool take_mark(Walk *w, char mark)
{
	skip(w);
	if (*w->at != mark)
		return false;
	w->at++;
	return true;
}

/* `"a b"@example.com` is one value: what is quoted, and what follows it at once. */
static char *take_value(Walk *w)
{
	g_autofree char *first = take_word(w, "", true);
	if (first == NULL || *w->at != '@')
		return g_steal_pointer(&first);
	g_autofree char *more = take_word(w, "", false);
	return g_strconcat(first, more, NULL);
}

/* "reason=...", "header.d=example.com".  False: there is none. */
static bool take_property(Walk *w, MsAuthResult *result)
{
	g_autofree char *type = take_lower(w, "=.");
	if (type == NULL)
		return false;
	bool reason = !take_mark(w, '.');
	g_autofree char *name = reason ? NULL : take_lower(w, "=");
	g_autofree char *value = take_mark(w, '=') ? take_value(w) : NULL;
	if (value == NULL || (reason ? strcmp(type, "reason") != 0 : name == NULL) ||
		result->properties->len >= MS_AUTH_MOST) {
		w->bad = true;
		return false;
	}
	if (!reason)
		g_ptr_array_add(result->properties, g_strdup_printf("%s.%s=%s", type, name, value));
	return true;
}

static void result_free(gpointer data)
{
	MsAuthResult *result = data;
	g_free(result->method);
	g_free(result->result);
	g_ptr_array_unref(result->properties);
	g_free(result);
}

/* "dkim=pass", "dkim/1 = pass", with what belongs to it. */
static MsAuthResult *take_result(Walk *w)
{
	g_autofree char *method = take_lower(w, "=/");
	if (method == NULL)
		return NULL;
	if (take_mark(w, '/')) {
		g_autofree char *version = take_word(w, "=", false);
		w->bad = w->bad || g_strcmp0(version, "1") != 0;
	}
	bool equal = take_mark(w, '=');
	g_autofree char *word = equal ? take_lower(w, "=") : NULL;
	if (word == NULL)
		return NULL;
	MsAuthResult *result = g_new0(MsAuthResult, 1);
	*result = (MsAuthResult){g_steal_pointer(&method), g_steal_pointer(&word),
		g_ptr_array_new_with_free_func(g_free)};
	while (!w->bad && take_property(w, result))
		;
	return result;
}

/* "none" alone says that there is nothing to say. */
static bool says_none(Walk *w, const MsAuthResults *all)
{
	Walk ahead = *w;
	g_autofree char *word = take_lower(&ahead, "=/");
	skip(&ahead);
	if (g_strcmp0(word, "none") != 0 || *ahead.at != '\0' || all->results->len > 0)
		return false;
	*w = ahead;
	return true;
}

MsAuthResults *ms_auth_results_parse(const char *value)
{
	Walk w = {value, false};
	g_autofree char *id = take_word(&w, "", true);
	if (id == NULL || *id == '\0')
		return NULL;
	MsAuthResults *all = g_new0(MsAuthResults, 1);
	all->id = g_ascii_strdown(id, -1);
	all->results = g_ptr_array_new_with_free_func(result_free);
	g_autofree char *version = take_word(&w, "", false);
	w.bad = w.bad || (version != NULL && strcmp(version, "1") != 0);
	while (!w.bad && take_mark(&w, ';')) {
		skip(&w);
		if (says_none(&w, all) || *w.at == '\0') /* many end with a ";" */
			break;
		MsAuthResult *result = all->results->len < MS_AUTH_MOST ? take_result(&w) : NULL;
		if (result == NULL)
			w.bad = true;
		else
			g_ptr_array_add(all->results, result);
	}
	skip(&w);
	all->whole = !w.bad && *w.at == '\0';
	return all;
}

void ms_auth_results_free(MsAuthResults *all)
{
	if (all == NULL)
		return;
	g_free(all->id);
	g_ptr_array_unref(all->results);
	g_free(all);
}
