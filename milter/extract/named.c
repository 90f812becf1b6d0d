/*
 * In come names that open and close and the values below them, from the readers of structured
 * formats; out goes one span with its named stretches.  In the worker's only thread.
 *
 * A name is kept with the two that enclose it, because "number" says little and "customer/number"
 * all.  Equal names are kept once: a list of a million rows has few.
 */
#include "config.h"

#include <string.h>

#include "missent/named.h"
#include "missent/text.h"

#include "readers.h"

#define MAX_NAME 100  /* bytes of one name */
#define MAX_PATH 4000 /* bytes of all that are open */
#define ENCLOSING 2

struct MsNamedText {
	GString *text;
	GArray *names;   /* of MsNamed */
	GString *path;   /* what is open, each followed by a slash */
	GArray *lengths; /* of gsize: of `path` before each open name */
	GArray *groups;  /* of guint: of each open name */
	guint last_group;
	GHashTable *kept; /* char * to itself */
	bool full;
};

MsNamedText *ms_named_new(void)
{
	MsNamedText *named = g_new0(MsNamedText, 1);
	named->text = g_string_new(NULL);
	named->names = g_array_new(FALSE, FALSE, sizeof(MsNamed));
	named->path = g_string_new(NULL);
	named->lengths = g_array_new(FALSE, FALSE, sizeof(gsize));
	named->groups = g_array_new(FALSE, FALSE, sizeof(guint));
	named->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return named;
}

void ms_named_free(MsNamedText *named)
{
	if (named == NULL)
		return;
	g_string_free(named->text, TRUE);
	g_array_unref(named->names);
	g_string_free(named->path, TRUE);
	g_array_unref(named->lengths);
	g_array_unref(named->groups);
	g_hash_table_unref(named->kept);
	g_free(named);
}

/* A slash within a name would look like two names. */
static void append_name(GString *path, const char *name)
{
	gsize start = path->len;
	if (name != NULL)
		g_string_append_len(path, name, (gssize)MIN(strlen(name), MAX_NAME));
	for (gsize i = start; i < path->len; i++)
		if (path->str[i] == '/')
			path->str[i] = ' ';
}

void ms_named_open(MsNamedText *named, const char *name)
{
	gsize before = named->path->len;
	g_array_append_val(named->lengths, before);
	named->last_group++;
	g_array_append_val(named->groups, named->last_group);
	if (name == NULL || *name == '\0' || before > MAX_PATH)
		return;
	append_name(named->path, name);
	g_string_append_c(named->path, '/');
}

void ms_named_close(MsNamedText *named)
{
	if (named->lengths->len == 0)
		return;
	g_string_truncate(named->path,
		g_array_index(named->lengths, gsize, named->lengths->len - 1));
	g_array_set_size(named->lengths, named->lengths->len - 1);
	g_array_set_size(named->groups, named->groups->len - 1);
}

static const char *keep(MsNamedText *named, const char *name)
{
	gpointer kept = g_hash_table_lookup(named->kept, name);
	if (kept == NULL) {
		kept = g_strdup(name);
		g_hash_table_add(named->kept, kept);
	}
	return kept;
}

/* The last names of what is open and, unless it is NULL, `name`. */
static const char *innermost(MsNamedText *named, const char *name)
{
	gsize before = named->path->len, end = before;
	append_name(named->path, name);
	if (name != NULL)
		end = named->path->len;
	else if (end > 0)
		end--; /* its slash */
	const char *p = named->path->str + end;
	for (guint slashes = 0; p > named->path->str; p--) {
		slashes += p[-1] == '/';
		if (slashes > ENCLOSING)
			break;
	}
	g_autofree char *path = g_strndup(p, (gsize)(named->path->str + end - p));
	g_string_truncate(named->path, before);
	return keep(named, path);
}

/* Of the object in which a value stands: a value without a name of its own bears that of what
 * was opened last. */
static guint group_of(const MsNamedText *named, const char *name)
{
	guint n = named->groups->len, up = name == NULL ? 2 : 1;
	return n < up ? 0 : g_array_index(named->groups, guint, n - up);
}

void ms_named_append(MsNamedText *named, const char *text, gsize len)
{
	if (len == 0)
		return;
	if (g_utf8_validate_len(text, len, NULL)) {
		g_string_append_len(named->text, text, (gssize)len);
		return;
	}
	/* Here, because offsets must hold. */
	g_autoptr(GString) valid = ms_text_repair(text, len);
	g_string_append_len(named->text, valid->str, (gssize)valid->len);
}

static void add_stretch(MsNamedText *named, MsNamed stretch)
{
	if (stretch.until <= stretch.from || *stretch.name == '\0')
		return;
	if (named->names->len >= MS_NAMED_MAX)
		named->full = true;
	else
		g_array_append_val(named->names, stretch);
}

void ms_named_value(MsNamedText *named, const char *name, const char *text, gsize len)
{
	gsize from = named->text->len;
	ms_named_append(named, text, len);
	add_stretch(named, (MsNamed){from, named->text->len, innermost(named, name),
		group_of(named, name), group_of(named, "")});
	g_string_append_c(named->text, '\n');
}

void ms_extract_named(const MsExtraction *to, const char *where, const MsNamedText *named)
{
	ms_extract_named_as(to, MS_SPAN_TEXT, where, named);
}

void ms_extract_named_as(const MsExtraction *to, MsSpanType type, const char *where,
	const MsNamedText *named)
{
	if (named->full)
		ms_reading_unread(to->reading, where, MS_UNREAD_LIMIT,
			"more than %d values with names", MS_NAMED_MAX);
	MsSpan span = {.type = type, .where = where, .text = named->text->str,
		.len = named->text->len, .names = (const MsNamed *)(const void *)named->names->data,
		.n_names = named->names->len};
	ms_extract_hand_over(to, &span);
}
