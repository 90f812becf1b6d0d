/*
 * Bytes of another form come in, out goes CSV of UTF-8; an entry at a time.  One thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/text.h"

#include "entries.h"

static void put_cell(const MsEntries *to, guint i, const char *text, gsize len)
{
	g_autoptr(GString) cell = g_string_new(NULL);
	ms_text_add_cell(cell, text, len);
	g_string_append_c(cell, i + 1 == to->n ? '\n' : ',');
	fwrite(cell->str, 1, cell->len, to->out);
}

void ms_entries_add(MsEntries *to, guint column, const char *text, gsize len)
{
	GString *cell = to->cells->pdata[column];
	if (cell->len > MS_CSV_MAX_RECORD) /* it is refused */
		return;
	if (cell->len > 0)
		g_string_append_c(cell, '\n');
	g_string_append_len(cell, text, (gssize)len);
	to->seen[column] = true;
}

bool ms_entries_end(MsEntries *to)
{
	bool fits = true;
	for (guint i = 0; i < to->n; i++) {
		GString *cell = to->cells->pdata[i];
		fits = fits && cell->len <= MS_CSV_MAX_RECORD;
		put_cell(to, i, cell->str, cell->len);
		g_string_truncate(cell, 0);
	}
	return fits;
}

/* ---- columns -------------------------------------------------------------------------- */

static void add_column(GPtrArray *columns, const char *name, gsize len)
{
	g_autofree char *copy = g_strstrip(g_strndup(name, len));
	for (guint i = 0; i < columns->len; i++)
		if (g_ascii_strcasecmp(columns->pdata[i], copy) == 0)
			return;
	g_ptr_array_add(columns, g_steal_pointer(&copy));
}

static void free_cell(gpointer cell)
{
	g_string_free(cell, TRUE);
}

static void entries_init(MsEntries *to, const MsTableForm *form)
{
	GPtrArray *columns = g_ptr_array_new();
	const char *account = form->account != NULL ? form->account : "account";
	add_column(columns, account, strlen(account));
	g_auto(GStrv) items = g_strsplit(form->map != NULL ? form->map : "kind,value", ",", -1);
	for (char **item = items; *item != NULL; item++)
		add_column(columns, *item, strcspn(*item, "="));
	to->n = columns->len;
	g_ptr_array_add(columns, NULL);
	to->columns = (char **)g_ptr_array_free(columns, FALSE);
	to->cells = g_ptr_array_new_with_free_func(free_cell);
	to->seen = g_new0(bool, to->n);
	for (guint i = 0; i < to->n; i++) {
		g_ptr_array_add(to->cells, g_string_new(NULL));
		put_cell(to, i, to->columns[i], strlen(to->columns[i]));
	}
}

static void entries_clear(MsEntries *to)
{
	g_strfreev(to->columns);
	g_ptr_array_unref(to->cells);
	g_free(to->seen);
}

bool ms_entries_to_csv(
	MsCsv *in, int out, const MsTableForm *form, bool json, GString *told, GError **error)
{
	int copy = dup(out);
	MsEntries to = {.out = copy >= 0 ? fdopen(copy, "w") : NULL};
	bool fine = to.out != NULL;
	if (fine) {
		entries_init(&to, form);
		fine = json ? entries_read_json(in, &to, error) : entries_read_ldif(in, &to, error);
		for (guint i = 0; i < to.n; i++)
			if (!to.seen[i])
				g_string_append_printf(told, "%s no entry has \"%s\"",
					told->len > 0 ? "," : "", to.columns[i]);
		entries_clear(&to);
	}
	/* What could not be read is not its end, and of what could not be written no row lacks. */
	bool opened = to.out != NULL, whole = opened && !ms_csv_failed(in) && !ferror(to.out);
	if (opened)
		whole = fclose(to.out) == 0 && whole;
	if (fine == opened && !whole)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"%s cannot be read, or its table not be written (TMPDIR says where)",
			json ? "JSON" : "LDIF");
	return fine && whole;
}
