/*
 * Text that somebody pasted comes in: a line of the system log, a mail, a page of a book; the
 * newest checkpoint in it that the log's key signed goes out.  Mails fold and quote lines, and
 * syslog daemons write what is not ASCII in digits: that is taken back first.  What is found is
 * believed for its signature alone.  Pure functions; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/witness.h"

#include "note.h"

#define DASH "\xe2\x80\x94"

char *ms_checkpoint_line(const char *note)
{
	return g_strdelimit(g_strdup(note), "\n", '|');
}

/* Quotation marks of answers, rsyslog's digits of a dash, and, if `quoted`, quoted-printable: a
 * root may end with what means a soft line break there. */
static char *plain_of(const char *text, gsize len, bool quoted)
{
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)len);
	g_autoptr(GString) out = g_string_new(valid);
	g_string_replace(out, "\r", "", 0);
	if (quoted) {
		g_string_replace(out, "=\n", "", 0);
		g_string_replace(out, "=E2=80=94", DASH, 0);
		g_string_replace(out, "=3D", "=", 0);
	}
	g_string_replace(out, "#342#200#224", DASH, 0);
	g_string_replace(out, "\\342\\200\\224", DASH, 0);
	g_string_replace(out, "|", "\n", 0);
	g_auto(GStrv) lines = g_strsplit(out->str, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char *at = *line + strspn(*line, "> \t");
		memmove(*line, at, strlen(at) + 1);
		g_strchomp(*line);
	}
	return g_strjoinv("\n", lines);
}

/* "name", or what ends with it where a log's own words stand before it. */
static bool ends_with_name(const char *line, gsize len, const char *name)
{
	gsize n = strlen(name);
	return len >= n && memcmp(line + len - n, name, n) == 0
		&& (len == n || line[len - n - 1] == '=' || line[len - n - 1] == ' ');
}

/* From the line of its name on: two lines, an empty one, and the signatures. */
static char *note_at(const char *name, const char *after)
{
	g_autoptr(GString) note = g_string_new(name);
	g_auto(GStrv) lines = g_strsplit(after, "\n", 16);
	bool signs = false;
	g_string_append_c(note, '\n');
	for (guint i = 0; lines[i] != NULL && i < 15; i++) {
		bool is_signature = g_str_has_prefix(lines[i], DASH " ");
		if (signs && !is_signature)
			break;
		signs = signs || is_signature;
		g_string_append_printf(note, "%s\n", lines[i]);
	}
	return signs ? g_string_free(g_steal_pointer(&note), FALSE) : NULL;
}

/* Takes the newest one of `plain` for `best` where it is newer. */
static void find_in(
	const char *plain, const char *name, const char *vkey, MsCheckpoint *best, GError **why)
{
	for (const char *line = plain; *line != '\0';) {
		const char *end = strchr(line, '\n');
		if (end == NULL)
			break;
		g_autofree char *note = ends_with_name(line, (gsize)(end - line), name)
			? note_at(name, end + 1)
			: NULL;
		MsCheckpoint one = {0};
		if (note != NULL)
			g_clear_error(why);
		if (note != NULL && ms_checkpoint_parse(note, strlen(note), vkey, &one, why)) {
			if (best->text == NULL || one.size >= best->size) {
				ms_checkpoint_clear(best);
				*best = one;
			} else {
				ms_checkpoint_clear(&one);
			}
		}
		line = end + 1;
	}
}

bool ms_checkpoint_find(
	const char *text, gsize len, const char *vkey, MsCheckpoint *out, GError **error)
{
	g_autofree char *name = ms_vkey_name(vkey);
	g_autoptr(GError) why = NULL;
	MsCheckpoint best = {0};
	for (int quoted = 0; quoted < 2 && name != NULL; quoted++) {
		g_autofree char *plain = plain_of(text, len, quoted);
		find_in(plain, name, vkey, &best, &why);
	}
	if (best.text == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"there is no checkpoint of this log (%s) in it%s%s",
			name != NULL ? name : "its key is none", why != NULL ? ": " : "",
			why != NULL ? why->message : "");
		return false;
	}
	*out = best;
	return true;
}
