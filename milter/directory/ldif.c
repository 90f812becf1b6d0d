#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/directory.h"
#include "missent/text.h"

#include "csv.h"

/* Lines of another program come in, out goes CSV of UTF-8; an entry at a time.  One thread. */

typedef struct {
	FILE *in, *out;
	GPtrArray *columns; /* of char *: names of attributes */
	GPtrArray *cells;   /* of GString, one each */
	bool entry;         /* a dn was read */
	guint64 line;
	char *buffer;
	size_t room;
} Ldif;

static bool fail(const Ldif *ldif, GError **error, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
		"line %" G_GUINT64_FORMAT " of the LDIF %s; nothing is loaded", ldif->line, why);
	return false;
}

static void add_column(Ldif *ldif, const char *name, gsize len)
{
	g_autofree char *copy = g_strstrip(g_strndup(name, len));
	for (guint i = 0; i < ldif->columns->len; i++)
		if (g_ascii_strcasecmp(ldif->columns->pdata[i], copy) == 0)
			return;
	g_ptr_array_add(ldif->columns, g_steal_pointer(&copy));
	g_ptr_array_add(ldif->cells, g_string_new(NULL));
}

static void free_cell(gpointer cell)
{
	g_string_free(cell, TRUE);
}

static void find_columns(Ldif *ldif, const char *map, const char *account)
{
	add_column(ldif, account, strlen(account));
	g_auto(GStrv) items = g_strsplit(map, ",", -1);
	for (char **item = items; *item != NULL; item++)
		add_column(ldif, *item, strcspn(*item, "="));
}

static void put_cell(FILE *out, const char *text, gsize len, bool last)
{
	g_autoptr(GString) cell = g_string_new(NULL);
	ms_text_add_cell(cell, text, len);
	g_string_append_c(cell, last ? '\n' : ',');
	fwrite(cell->str, 1, cell->len, out);
}

static void put_heading(const Ldif *ldif)
{
	for (guint i = 0; i < ldif->columns->len; i++)
		put_cell(ldif->out, ldif->columns->pdata[i], strlen(ldif->columns->pdata[i]),
			i + 1 == ldif->columns->len);
}

static void end_entry(Ldif *ldif)
{
	for (guint i = 0; i < ldif->cells->len; i++) {
		GString *cell = ldif->cells->pdata[i];
		if (ldif->entry)
			put_cell(ldif->out, cell->str, cell->len, i + 1 == ldif->cells->len);
		g_string_truncate(cell, 0);
	}
	ldif->entry = false;
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
	GString *cell = NULL;
	for (guint i = 0; i < ldif->columns->len && cell == NULL; i++)
		if (strlen(ldif->columns->pdata[i]) == name
			&& g_ascii_strncasecmp(ldif->columns->pdata[i], line->str, name) == 0)
			cell = ldif->cells->pdata[i];
	if (cell == NULL)
		return true;
	if (colon[1] == '<')
		return fail(ldif, error, "has a value that lies elsewhere (:<)");
	const char *value = colon + 1 + (colon[1] == ':');
	value += strspn(value, " ");
	gsize len = line->len - (gsize)(value - line->str);
	g_autofree guchar *decoded = colon[1] == ':' ? g_base64_decode(value, &len) : NULL;
	if (cell->len > 0)
		g_string_append_c(cell, '\n');
	g_string_append_len(cell, decoded != NULL ? (const char *)decoded : value, (gssize)len);
	return cell->len <= MS_CSV_MAX_RECORD ||
		fail(ldif, error, "makes an entry that is longer than 65,536 bytes");
}

static bool convert(Ldif *ldif, GError **error)
{
	g_autoptr(GString) whole = g_string_new(NULL);
	ssize_t n;
	while ((n = getline(&ldif->buffer, &ldif->room, ldif->in)) >= 0) {
		gsize len = (gsize)n;
		while (len > 0 && (ldif->buffer[len - 1] == '\n' || ldif->buffer[len - 1] == '\r'))
			len--;
		ldif->line++;
		if (len > 0 && ldif->buffer[0] == ' ') {
			g_string_append_len(whole, ldif->buffer + 1, (gssize)len - 1);
			if (whole->len > 4 * MS_CSV_MAX_RECORD)
				return fail(ldif, error, "is longer than 262,144 bytes");
			continue;
		}
		if (!take_line(ldif, whole, error))
			return false;
		g_string_truncate(whole, 0);
		g_string_append_len(whole, ldif->buffer, (gssize)len);
		if (len == 0)
			end_entry(ldif);
	}
	if (!take_line(ldif, whole, error))
		return false;
	end_entry(ldif);
	return true;
}

bool ms_ldif_to_csv(int in, int out, const char *map, const char *account, GError **error)
{
	int in_copy = dup(in), out_copy = dup(out);
	Ldif ldif = {
		.in = in_copy >= 0 ? fdopen(in_copy, "r") : NULL,
		.out = out_copy >= 0 ? fdopen(out_copy, "w") : NULL,
		.columns = g_ptr_array_new_with_free_func(g_free),
		.cells = g_ptr_array_new_with_free_func(free_cell),
	};
	bool opened = ldif.in != NULL && ldif.out != NULL, fine = opened;
	if (opened) {
		find_columns(&ldif, map, account);
		put_heading(&ldif);
		fine = convert(&ldif, error);
	}
	/* What could not be read is not its end, and of what could not be written no row lacks. */
	bool whole = opened && !ferror(ldif.in) && !ferror(ldif.out);
	if (ldif.out != NULL)
		whole = fclose(ldif.out) == 0 && whole;
	if (ldif.in != NULL)
		fclose(ldif.in);
	if (fine == opened && !whole)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"LDIF cannot be read, or its table not be written (TMPDIR says where)");
	g_ptr_array_unref(ldif.columns);
	g_ptr_array_unref(ldif.cells);
	free(ldif.buffer);
	return fine && whole;
}
