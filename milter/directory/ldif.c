/*
 * Lines of ldapsearch come in; attributes go out that are mapped, an entry at a time.  What has no
 * dn is passed over.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "entries.h"

typedef struct {
	MsCsv *in;
	MsEntries *to;
	bool entry; /* a dn was read */
	guint64 line;
} Ldif;

static bool fail(const Ldif *ldif, GError **error, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
		"line %" G_GUINT64_FORMAT " of the LDIF %s; nothing is loaded", ldif->line, why);
	return false;
}

static bool end_entry(Ldif *ldif, GError **error)
{
	bool entry = ldif->entry;
	ldif->entry = false;
	return !entry || ms_entries_end(ldif->to) ||
		fail(ldif, error, "ends an entry that is longer than 65,536 bytes");
}

/* One whole line, of which continuations are part. */
static bool take_line(Ldif *ldif, const GString *line, GError **error)
{
	if (line->len == 0 || line->str[0] == '#')
		return true;
	const char *colon = memchr(line->str, ':', line->len);
	if (colon == NULL)
		return fail(ldif, error, "has no colon");
	gsize name = strcspn(line->str, ":;"); /* without options: mail;lang-de */
	if (g_ascii_strncasecmp(line->str, "dn", name) == 0 && name == 2)
		ldif->entry = true;
	guint column = 0;
	while (column < ldif->to->n && (strlen(ldif->to->columns[column]) != name ||
			g_ascii_strncasecmp(ldif->to->columns[column], line->str, name) != 0))
		column++;
	if (column == ldif->to->n || !ldif->entry)
		return true;
	if (colon[1] == '<')
		return fail(ldif, error, "has a value that lies elsewhere (:<)");
	const char *value = colon + 1 + (colon[1] == ':');
	value += strspn(value, " ");
	gsize len = line->len - (gsize)(value - line->str);
	g_autofree guchar *decoded = colon[1] == ':' ? g_base64_decode(value, &len) : NULL;
	ms_entries_add(ldif->to, column, decoded != NULL ? (const char *)decoded : value, len);
	return true;
}

/* A line goes on where the next begins with a blank. */
bool entries_read_ldif(MsCsv *in, MsEntries *to, GError **error)
{
	Ldif ldif = {.in = in, .to = to, .line = 1};
	g_autoptr(GString) line = g_string_new(NULL);
	int c = ms_csv_byte(in);
	while (c >= 0) {
		for (; c >= 0 && c != '\n'; c = ms_csv_byte(in))
			if (c != '\r')
				g_string_append_c(line, (char)c);
		if (line->len > 4 * MS_CSV_MAX_RECORD)
			return fail(&ldif, error, "is longer than 262,144 bytes");
		c = c == '\n' ? ms_csv_byte(in) : c;
		ldif.line++;
		if (c == ' ') {
			c = ms_csv_byte(in);
			continue;
		}
		if (line->len == 0 ? !end_entry(&ldif, error) : !take_line(&ldif, line, error))
			return false;
		g_string_truncate(line, 0);
	}
	return end_entry(&ldif, error);
}
