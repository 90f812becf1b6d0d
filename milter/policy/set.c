/*
 * A folder of policies comes in; out go its files as they are meant: with what they include, with
 * the settings that a policy has from another, and with the values of named lists where their
 * names stand.  Every value keeps the file and line where it is written.  Nothing outside of the
 * folder is read.  The thread that starts or reloads.
 */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/text.h"

#include "policy_private.h"

#define MAX_DEPTH 10 /* of includes, and of inheriting */
#define MAX_FILES 1000
#define MAX_VALUES 100000 /* of a list */

static void file_free(gpointer data)
{
	MsPolicyFile *file = data;
	g_free(file->name);
	g_free(file->text);
	ms_section_free(file->root);
	g_free(file);
}

static void list_free(gpointer data)
{
	MsPolicyList *list = data;
	g_ptr_array_unref(list->values);
	g_free(list);
}

static MsPolicySet *set_new(void)
{
	MsPolicySet *set = g_new0(MsPolicySet, 1);
	set->files = g_ptr_array_new_with_free_func(file_free);
	set->lists = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, list_free);
	set->read = g_ptr_array_new_with_free_func(g_free);
	set->stamps = g_ptr_array_new_with_free_func(g_free);
	set->text = g_string_new(NULL);
	set->broken = g_ptr_array_new();
	set->inherited = g_hash_table_new(NULL, NULL);
	return set;
}

void ms_policy_set_free(MsPolicySet *set)
{
	if (set == NULL)
		return;
	g_hash_table_unref(set->lists); /* its keys are the files' */
	g_ptr_array_unref(set->files);
	g_ptr_array_unref(set->read);
	g_ptr_array_unref(set->stamps);
	g_string_free(set->text, TRUE);
	g_ptr_array_unref(set->broken);
	g_hash_table_unref(set->inherited);
	g_free(set);
}

/* What is done with what is wrong: told, and passed over; or it is the end. */
typedef struct {
	MsPolicySet *set;
	char *root;        /* the folder; NULL: there is none */
	MsPolicyTell tell; /* or NULL */
	void *user;
	GPtrArray *chain; /* of char *: files that include each other, from the first one on */
	GHashTable *seen; /* of char *: those that were read */
	GError **error;
} Load;

static bool go_on(Load *l, const char *file, GError *error)
{
	if (l->tell == NULL) {
		g_propagate_error(l->error, error);
		return false;
	}
	l->tell(file, error, l->user);
	g_error_free(error);
	return true;
}

/* ---- files ------------------------------------------------------------------------------ */

/* NULL: it is not there, or not in the folder. */
static char *path_within(
	const Load *l, const MsSection *section, const char *key, const char *name, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(ms_section_key_file(section, key));
	g_autofree char *path = g_path_is_absolute(name) ? g_strdup(name)
							 : g_build_filename(folder, name, NULL);
	char *real = l->root != NULL ? realpath(path, NULL) : NULL; /* not GLib's to free */
	g_autofree char *found = g_strdup(real);
	free(real);
	if (l->root == NULL)
		ms_section_error(section, key, error, "no file can be read from here");
	else if (found == NULL)
		ms_section_error(section, key, error, "%s: is not there, or cannot be read", path);
	else if (!g_str_has_prefix(found, l->root) || found[strlen(l->root)] != '/')
		ms_section_error(section, key, error,
			"%s: is not within the folder of policies, %s", found, l->root);
	else
		return g_steal_pointer(&found);
	return NULL;
}

/* `name`: by its place in the folder.  How many bytes it is followed by is said, so that two sets
 * of files never make one text. */
static void add_text(GString *all, const char *name, const char *text)
{
	gsize len = strlen(text);
	g_string_append_printf(all, "# ---- %s, %zu bytes\n%s%s", name, len, text,
		len > 0 && text[len - 1] != '\n' ? "\n" : "");
}

/* What is read here is what is judged by, and what is kept of it: a file is read once. */
static char *read_once(Load *l, const char *name, const char *path, GError **error)
{
	g_ptr_array_add(l->set->read, g_strdup(path));
	g_ptr_array_add(
		l->set->stamps, ms_io_stamp(path)); /* before: a change while it is read is one */
	char *text = ms_config_read(path, error);
	if (text != NULL)
		add_text(l->set->text, name, text);
	return text;
}

static const char *place_of(const Load *l, const char *path)
{
	return path + strlen(l->root) + 1;
}

static bool read_text(Load *l, const char *name, const char *text);

static bool include(Load *l, const MsSection *root, const char *name, GError **error)
{
	g_autofree char *path = path_within(l, root, "include", name, error);
	if (path == NULL)
		return false;
	if (g_ptr_array_find_with_equal_func(l->chain, path, g_str_equal, NULL)) {
		g_ptr_array_add(l->chain, NULL);
		g_autofree char *chain = g_strjoinv(" includes ", (char **)l->chain->pdata);
		g_ptr_array_set_size(l->chain, (gint)l->chain->len - 1);
		ms_section_error(root, "include", error,
			"\"%s\" goes round in a circle: %s includes %s", name, chain, path);
		return false;
	}
	if (l->chain->len >= MAX_DEPTH || l->set->files->len >= MAX_FILES) {
		ms_section_error(root, "include", error,
			"\"%s\": more than %d files, one within the other, or %d in all", name,
			MAX_DEPTH, MAX_FILES);
		return false;
	}
	if (g_hash_table_contains(l->seen, path))
		return true; /* once is enough */
	g_autofree char *text = read_once(l, place_of(l, path), path, error);
	return text != NULL && read_text(l, path, text);
}

static bool include_all(Load *l, const MsSection *root)
{
	for (const char *const *name = ms_section_list(root, "include"); *name != NULL; name++) {
		GError *error = NULL;
		bool fine = include(l, root, *name, &error);
		if (error != NULL ? !go_on(l, ms_section_file(root), error) : !fine)
			return false;
	}
	return true;
}

/* A file, and what it includes, after it. */
static bool read_text(Load *l, const char *name, const char *text)
{
	GError *error = NULL;
	g_autofree char *real = l->root != NULL ? realpath(name, NULL) : NULL;
	MsSection *root = ms_config_parse(name, text, ms_policy_rows, &error);
	if (root == NULL)
		return go_on(l, name, error);
	MsPolicyFile *file = g_new0(MsPolicyFile, 1);
	*file = (MsPolicyFile){g_strdup(name), g_strdup(text), root};
	g_ptr_array_add(l->set->files, file);
	g_ptr_array_add(l->chain, g_strdup(real != NULL ? real : name));
	g_hash_table_add(l->seen, g_strdup(real != NULL ? real : name));
	bool fine = include_all(l, root);
	g_ptr_array_set_size(l->chain, (gint)l->chain->len - 1);
	return fine;
}

static bool read_file(Load *l, const char *name)
{
	GError *error = NULL;
	g_autofree char *real = realpath(name, NULL);
	if (real != NULL && g_hash_table_contains(l->seen, real))
		return true; /* another one has included it */
	g_autofree char *place = g_path_get_basename(name);
	g_autofree char *text = read_once(l, place, name, &error);
	return text != NULL ? read_text(l, name, text) : go_on(l, name, error);
}

/* ---- lists ------------------------------------------------------------------------------ */

/* One value a line; "#" begins a comment. */
static bool take_lines(MsPolicyList *list, const char *path, const char *text, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (int i = 0; lines[i] != NULL; i++) {
		lines[i][strcspn(lines[i], "#")] = '\0';
		const char *value = g_strstrip(lines[i]);
		const char *no = list->values->len >= MAX_VALUES
			? "the list has more than 100000 values"
			: !g_utf8_validate(value, -1, NULL) ? "is not UTF-8"
			: strchr("\"'", *value) != NULL && *value != '\0'
			? "in a file of values each stands on a line of its own, without quotes"
			: NULL;
		if (no != NULL) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s:%d: %s", path, i + 1, no);
			return false;
		}
		if (*value != '\0')
			ms_config_value_add(list->values, value, path, i + 1);
	}
	return true;
}

static bool take_list(Load *l, const MsSection *section, MsPolicyList *list, GError **error)
{
	const char *name = ms_section_text(section, "file");
	for (const char *const *value = ms_section_list(section, "values"); *value != NULL; value++)
		ms_config_value_add(list->values, *value, ms_section_file(section),
			ms_section_key_line(section, "values"));
	g_autofree char *path = name != NULL ? path_within(l, section, "file", name, error) : NULL;
	if (name == NULL)
		return true;
	if (path == NULL)
		return false;
	g_autofree char *text = read_once(l, place_of(l, path), path, error);
	return text != NULL && take_lines(list, path, text, error);
}

static bool add_list(Load *l, const MsSection *section, GError **error)
{
	const char *title = ms_section_title(section);
	const MsPolicyList *same = g_hash_table_lookup(l->set->lists, title);
	if (same != NULL) {
		ms_section_error(section, NULL, error,
			"a list in %s, line %d, has this name: give one of them another",
			ms_section_file(same->section), ms_section_line(same->section));
		return false;
	}
	MsPolicyList *list = g_new0(MsPolicyList, 1);
	list->section = section;
	list->values = ms_config_values_new();
	g_hash_table_insert(l->set->lists, (char *)title, list);
	if (!take_list(l, section, list, error))
		return false;
	if (list->values->len > 0)
		return true;
	ms_section_error(section, NULL, error, "has no value: a condition of it would be none");
	return false;
}

static bool take_lists(Load *l)
{
	for (guint i = 0; i < l->set->files->len; i++) {
		MsSection *root = ((MsPolicyFile *)l->set->files->pdata[i])->root;
		for (guint k = 0; k < ms_section_count(root, "list"); k++) {
			GError *error = NULL;
			if (!add_list(l, ms_section_nth(root, "list", k), &error) &&
				!go_on(l, ms_section_file(root), error))
				return false;
		}
	}
	return true;
}

/* ---- inheriting ------------------------------------------------------------------------- */

static const char *const blocks[] = {"policy", "template"};

static MsSection *section_titled(const MsPolicySet *set, const char *title)
{
	for (guint i = 0; i < set->files->len; i++) {
		MsSection *root = ((MsPolicyFile *)set->files->pdata[i])->root;
		for (gsize b = 0; b < G_N_ELEMENTS(blocks); b++)
			for (guint k = 0; k < ms_section_count(root, blocks[b]); k++)
				if (strcmp(ms_section_title(ms_section_nth(root, blocks[b], k)),
					    title) == 0)
					return ms_section_open(root, blocks[b], k);
	}
	return NULL;
}

static const char *nearest_title(const MsPolicySet *set, const char *title)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < set->files->len; i++) {
		const MsSection *root = ((MsPolicyFile *)set->files->pdata[i])->root;
		for (gsize b = 0; b < G_N_ELEMENTS(blocks); b++)
			for (guint k = 0; k < ms_section_count(root, blocks[b]); k++)
				g_ptr_array_add(names,
					(char *)ms_section_title(
						ms_section_nth(root, blocks[b], k)));
	}
	g_ptr_array_add(names, NULL);
	return ms_text_nearest(title, (const char *const *)names->pdata);
}

/* What it does not say itself, it has from the one that it names, and that from its own: the
 * nearest says it. */
static bool inherit(const MsPolicySet *set, MsSection *section, GError **error)
{
	g_autoptr(GPtrArray) line = g_ptr_array_new();
	const MsSection *at = section;
	for (const char *from = ms_section_text(at, "inherits"); from != NULL;
		from = ms_section_text(at, "inherits")) {
		const MsSection *next = section_titled(set, from);
		const char *near = next == NULL ? nearest_title(set, from) : NULL;
		g_ptr_array_add(line, (gpointer)at);
		if (next != NULL)
			g_hash_table_add(set->inherited, (gpointer)next);
		if (next != NULL && line->len <= MAX_DEPTH && !g_ptr_array_find(line, next, NULL)) {
			at = next;
			continue;
		}
		if (next == NULL)
			ms_section_error(at, "inherits", error,
				"there is no policy and no template \"%s\"%s%s%s", from,
				near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
				near != NULL ? "\"?" : "");
		else
			ms_section_error(at, "inherits", error, "\"%s\" %s", from,
				line->len > MAX_DEPTH
					? "is the end of a line of more than 10"
					: "has its settings from this one: they go round in a circle");
		return false;
	}
	g_ptr_array_add(line, (gpointer)at);
	for (guint i = 1; i < line->len; i++)
		ms_section_inherit(section, line->pdata[i]);
	return true;
}

static const GPtrArray *list_named(const char *name, void *user)
{
	MsPolicyList *list = g_hash_table_lookup(((MsPolicySet *)user)->lists, name);
	if (list != NULL)
		list->used = true;
	return list != NULL ? list->values : NULL;
}

/* Of a policy that names what there is not, nothing is taken. */
static bool finish_policies(Load *l, MsPolicyFile *file)
{
	for (guint k = 0; k < ms_section_count(file->root, "policy"); k++) {
		GError *error = NULL;
		MsSection *section = ms_section_open(file->root, "policy", k);
		bool fine = inherit(l->set, section, &error) &&
			ms_section_expand(section, list_named, l->set, &error);
		if (!fine)
			g_ptr_array_add(l->set->broken, section);
		if (!fine && !go_on(l, file->name, error))
			return false;
	}
	return true;
}

/* One name is one block's. */
static bool check_templates(Load *l)
{
	for (guint i = 0; i < l->set->files->len; i++) {
		const MsPolicyFile *file = l->set->files->pdata[i];
		for (guint k = 0; k < ms_section_count(file->root, "template"); k++) {
			const MsSection *section = ms_section_nth(file->root, "template", k);
			const MsSection *first = section_titled(l->set, ms_section_title(section));
			GError *error = NULL;
			if (first == section)
				continue;
			ms_section_error(section, NULL, &error,
				"a policy or template in %s, line %d, has this title: give one of them another",
				ms_section_file(first), ms_section_line(first));
			if (!go_on(l, file->name, error))
				return false;
		}
	}
	return true;
}

/* ---- the whole -------------------------------------------------------------------------- */

static bool finish(Load *l)
{
	bool fine = take_lists(l) && check_templates(l);
	for (guint i = 0; i < l->set->files->len && fine; i++)
		fine = finish_policies(l, l->set->files->pdata[i]);
	return fine;
}

static void load_clear(Load *l)
{
	g_free(l->root);
	g_ptr_array_unref(l->chain);
	g_hash_table_unref(l->seen);
}

static Load load_begin(
	MsPolicySet *set, const char *dir, MsPolicyTell tell, void *user, GError **error)
{
	return (Load){set, dir != NULL ? realpath(dir, NULL) : NULL, tell, user,
		g_ptr_array_new_with_free_func(g_free),
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), error};
}

MsPolicySet *ms_policy_set_load(const char *dir, MsPolicyTell tell, void *user, GError **error)
{
	g_autoptr(GPtrArray) names = ms_policy_files(dir, error);
	if (names == NULL)
		return NULL;
	g_autoptr(MsPolicySet) set = set_new();
	Load l = load_begin(set, dir, tell, user, error);
	bool fine = true;
	for (guint i = 0; i < names->len && fine; i++)
		fine = read_file(&l, names->pdata[i]);
	fine = fine && finish(&l);
	load_clear(&l);
	return fine ? g_steal_pointer(&set) : NULL;
}

MsPolicySet *ms_policy_set_parse(const char *file, const char *text, GError **error)
{
	g_autoptr(MsPolicySet) set = set_new();
	Load l = load_begin(set, NULL, NULL, NULL, error);
	bool fine = read_text(&l, file, text) && finish(&l);
	load_clear(&l);
	return fine ? g_steal_pointer(&set) : NULL;
}
