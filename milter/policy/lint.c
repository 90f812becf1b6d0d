/*
 * Files of policies and kinds come in; out goes what is odd in them, by file and line.
 *
 * One table has a row a check: its name, what it looks at, its weight, and a function that is
 * given each policy, or each kind, or all of them at once.  A file that cannot be loaded is told
 * too, every one of its mistakes, and the checks go on with what could be loaded.  In the
 * caller's thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/answer.h"

#include "lint_private.h"

const char *const ms_lint_weight_names[MS_N_LINT + 1] = {"warning", "fault", NULL};

typedef struct {
	MsLintRow row;
	void (*policy)(Lint *lint, Subject *s);
	void (*kind)(Lint *lint, Subject *s);
	void (*all)(Lint *lint);
} Check;

#define POLICY(name, weight, looks, run) {{name, looks, MS_LINT_##weight}, run, NULL, NULL}
#define KIND(name, weight, looks, run) {{name, looks, MS_LINT_##weight}, NULL, run, NULL}
#define ALL(name, weight, looks, run) {{name, looks, MS_LINT_##weight}, NULL, NULL, run}

static const Check checks[] = {
	{{"load",
		 "what cannot be loaded: kinds that nothing defines, require outside kinds, words that do not exist",
		 MS_LINT_FAULT},
		NULL, NULL, NULL},

	/* ---- what never has an effect ---- */
	POLICY("does-nothing", FAULT, "every action is deliver", lint_does_nothing),
	POLICY("dead-limit", FAULT,
		"a limit whose action is deliver, or that nothing is counted for",
		lint_dead_limits),
	POLICY("dead-action", FAULT, "an action whose reason can never come about, or not alone",
		lint_dead_actions),
	POLICY("dead-belief", WARNING, "what must be believed of findings that nothing looks at",
		lint_dead_beliefs),
	POLICY("guard-off", WARNING, "actions for what the guard does not count", lint_guard_off),
	POLICY("require", FAULT, "required kinds that can never be found", lint_require),
	POLICY("limits", WARNING, "limits that contradict each other", lint_limits),
	POLICY("twice", WARNING, "entries of a list that another entry of it covers", lint_twice),
	POLICY("shadowed", WARNING, "a policy that another one does all the work of",
		lint_shadowed),
	POLICY("weaker", WARNING,
		"an action that is weaker than another policy's for the same mail", lint_weaker),
	POLICY("contradiction", FAULT, "conditions that no message can meet together", lint_contradictions),
	POLICY("always", WARNING, "conditions that every message meets", lint_always),
	POLICY("unasked", WARNING, "authserv-id or time-zone, which no condition asks for", lint_unasked),
	POLICY("attachment", WARNING, "attachment: neither a type nor a name that a file can have",
		lint_attachments),
	POLICY("header-name", WARNING, "header: fields that are spelled like another",
		lint_header_names),
	POLICY("never-outgoing", FAULT, "mail that is not outgoing by the section outgoing",
		lint_never_outgoing),
	POLICY("mistyped-sender", WARNING,
		"sender: a domain that is one of sender-domains but for a letter, or no domain",
		lint_mistyped_senders),
	POLICY("never-seen", WARNING, "policies that none of the mail of the past falls under",
		lint_never_seen),

	/* ---- what lets out, or takes in, too much ---- */
	POLICY("mismatch-delivered", FAULT, "another customer's data is looked for, and delivered",
		lint_mismatch),
	POLICY("mismatch-tagged", WARNING, "another customer's data is looked for, tagged and delivered",
		lint_mismatch_tagged),
	POLICY("unchecked", WARNING,
		"mail that could not be read, or the directory not be asked about, delivered",
		lint_unchecked),
	POLICY("then-deliver", WARNING, "a delay after which what speaks of a leak is delivered",
		lint_then_deliver),
	POLICY("tolerates", WARNING, "tolerate: what could not be read for a fault counts as clean",
		lint_tolerates),
	POLICY("broad-sender", WARNING,
		"sender: everybody, a provider of mailboxes, a public suffix", lint_broad_senders),
	POLICY("below-alone", WARNING, "sender: what is below a domain, without the domain itself",
		lint_below_alone),
	POLICY("broad-network", WARNING, "networks: the whole Internet", lint_broad_networks),
	ALL("for-nobody", FAULT,
		"no policy, or none that looks for other customers' data, is for mail of yours", lint_for_nobody),
	ALL("not-read", WARNING, "files in the folder of policies that nothing reads", lint_not_read),
	ALL("unused", WARNING, "lists and templates that no policy has", lint_unused),
	ALL("broad-outgoing", WARNING,
		"outgoing: the whole Internet, a provider of mailboxes, a public suffix",
		lint_outgoing),

	/* ---- patterns ---- */
	POLICY("pattern-empty", FAULT, "header: patterns that match where nothing stands",
		lint_patterns_empty),
	POLICY("pattern-everything", WARNING, "header: patterns that match any text",
		lint_patterns_everything),
	POLICY("pattern-runs-away", WARNING,
		"header: patterns that reach the limit of steps on a hostile text",
		lint_patterns_run_away),
	KIND("kind-empty", FAULT, "pattern: matches where nothing stands", lint_kind_empty),
	KIND("kind-everything", FAULT, "pattern: any word or number is one, without a label",
		lint_kind_everything),
	KIND("kind-runs-away", WARNING, "pattern: reaches the limit of steps on a hostile text",
		lint_kind_runs_away),
	KIND("kind-lengths", FAULT, "lengths, form, check and pattern that no value can have together",
		lint_kind_lengths),
	KIND("kind-labels", WARNING, "labels: empty, or a single letter or digit",
		lint_kind_labels),
	ALL("names", FAULT,
		"missent.conf: kinds and policies that are named, and that nothing defines",
		lint_names),
};

const MsLintRow *ms_policy_lint_row(guint nth)
{
	return nth < G_N_ELEMENTS(checks) ? &checks[nth].row : NULL;
}

/* ---- telling -------------------------------------------------------------------------- */

static void finding_free(gpointer data)
{
	MsLintFinding *finding = data;
	g_free(finding->file);
	g_free(finding->about);
	g_free(finding->text);
	g_free(finding->remedy);
	g_free(finding);
}

static void add(
	Lint *lint, const char *file, int line, const char *about, const char *remedy, char *text)
{
	g_autofree char *key = g_strdup_printf("%s\n%s\n%s", lint->row->name, file, about);
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(lint->told, key)) + 1;
	g_hash_table_insert(lint->told, g_steal_pointer(&key), GUINT_TO_POINTER(n));
	if (n > MS_LINT_MOST) {
		g_free(text);
		return;
	}
	MsLintFinding *finding = g_new0(MsLintFinding, 1);
	finding->check = lint->row->name;
	finding->weight = lint->row->weight;
	finding->file = g_strdup(file);
	finding->line = line;
	finding->about = g_strdup(about);
	finding->text = text;
	finding->remedy = g_strdup(remedy);
	g_ptr_array_add(lint->findings, finding);
}

void lint_tell_at(Lint *lint, const char *file, int line, const char *about, const char *remedy,
	const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(lint, file, line, about, remedy, g_strdup_vprintf(format, args));
	va_end(args);
}

/* That of a key that is inherited is another one. */
static const char *file_of(const Subject *s, const char *key)
{
	return key != NULL && ms_section_key_line(s->section, key) > 0
		? ms_section_key_file(s->section, key)
		: s->file;
}

/* A list may go over many lines: the one, from the block's first to the key's last, on which the
 * value stands. */
static int line_of(const Subject *s, const char *key, const char *value)
{
	int first = ms_section_line(s->section),
	    last = key != NULL ? ms_section_key_line(s->section, key) : 0;
	if (last == 0 || value == NULL || strcmp(file_of(s, key), s->file) != 0)
		return last > 0 ? last : first;
	g_autofree char *twice = g_strconcat("\"", value, "\"", NULL),
			*once = g_strconcat("'", value, "'", NULL);
	g_auto(GStrv) lines = g_strsplit(s->text, "\n", last + 1);
	int found = last;
	for (int i = 0; lines[i] != NULL && i < last; i++)
		if (i + 1 >= first &&
			(strstr(lines[i], twice) != NULL || strstr(lines[i], once) != NULL))
			/* the last one: of two that are equal, the second is one too many */
			found = i + 1;
	return found;
}

void lint_tell(Lint *lint, const Subject *s, const char *key, const char *value, const char *remedy,
	const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(lint, file_of(s, key), line_of(s, key, value), ms_section_title(s->section), remedy,
		g_strdup_vprintf(format, args));
	va_end(args);
}

/* "FILE:LINE: text", as a loader complains; a line each. */
static void tell_load(Lint *lint, const char *file, const char *complaints)
{
	g_auto(GStrv) lines = g_strsplit(complaints, "\n", -1);
	lint->row = &checks[0].row;
	for (int i = 0; lines[i] != NULL; i++) {
		const char *text = lines[i];
		int line = 0;
		if (g_str_has_prefix(text, file) && text[strlen(file)] == ':') {
			char *end;
			text += strlen(file) + 1;
			line = (int)strtol(text, &end, 10);
			text = line > 0 && *end == ':' ? end + 1 : text;
		}
		lint_tell_at(lint, file, line, "", "", "%s", text + strspn(text, " "));
	}
}

/* ---- loading -------------------------------------------------------------------------- */

typedef struct {
	char *name, *text;
	MsSection *root;
	MsKinds *kinds; /* of a file of kinds */
} File;

static void file_free(gpointer data)
{
	File *file = data;
	g_free(file->name);
	g_free(file->text);
	ms_section_free(file->root);
	ms_kinds_unref(file->kinds);
	g_free(file);
}

static void subject_free(gpointer data)
{
	Subject *s = data;
	if (s->policy != NULL)
		ms_policy_free(s->policy);
	g_free(s);
}

/* NULL: told. */
static File *read_file(Lint *lint, const char *name, const MsRow *rows)
{
	g_autoptr(GError) error = NULL;
	File *file = g_new0(File, 1);
	file->name = g_strdup(name);
	file->text = ms_config_read(name, &error);
	file->root = file->text != NULL ? ms_config_parse(name, file->text, rows, &error) : NULL;
	if (file->root != NULL)
		return file;
	tell_load(lint, name, error->message);
	file_free(file);
	return NULL;
}

static Subject *subject_of(const char *file, const char *text, const MsSection *section)
{
	Subject *s = g_new0(Subject, 1);
	s->section = section;
	s->file = file;
	s->text = text;
	return s;
}

static void tell_set(const char *file, const GError *error, void *user)
{
	tell_load(user, file, error->message);
}

static void take_policies(Lint *lint, const MsPolicyFile *file, GHashTable *titles)
{
	for (guint i = 0; i < ms_section_count(file->root, "policy"); i++) {
		const MsSection *section = ms_section_nth(file->root, "policy", i);
		g_autoptr(GError) error = NULL;
		if (g_ptr_array_find(lint->set->broken, section, NULL))
			continue;
		const Subject *same = g_hash_table_lookup(titles, ms_section_title(section));
		if (same != NULL)
			ms_section_error(section, NULL, &error,
				"a policy in %s, line %d, has this title: give one of them another",
				same->file, ms_section_line(same->section));
		MsPolicy *policy = same != NULL
			? NULL
			: ms_policy_take(section, lint->kinds, lint->options->mode, &error);
		if (policy == NULL) {
			tell_load(lint, file->name, error->message);
			continue;
		}
		Subject *s = subject_of(file->name, file->text, section);
		s->policy = policy;
		policy->file = g_strdup(file->name);
		policy->line = ms_section_line(section);
		if (lint->options->settings != NULL)
			policy->tags = g_intern_string(lint->options->settings->tag_separators);
		g_ptr_array_add(lint->policies, s);
		g_hash_table_insert(titles, policy->title, s);
	}
}

/* Of policies that are there, be they loaded or not: those are told themselves. */
static void look_at_tests(Lint *lint, const GPtrArray *files)
{
	g_autoptr(GPtrArray) titles = g_ptr_array_new();
	for (guint i = 0; i < files->len; i++) {
		const MsSection *root = ((const MsPolicyFile *)files->pdata[i])->root;
		for (guint k = 0; k < ms_section_count(root, "policy"); k++)
			g_ptr_array_add(titles,
				(char *)ms_section_title(ms_section_nth(root, "policy", k)));
	}
	g_ptr_array_add(titles, NULL);
	for (guint i = 0; i < files->len; i++) {
		const MsPolicyFile *file = files->pdata[i];
		ms_policy_look_at_tests(file->root, file->name,
			(const char *const *)titles->pdata, tell_set, lint);
	}
}

/* Two kinds of one name: the files cannot be taken together. */
static bool is_new(const File *file, GHashTable *names, GError **error)
{
	for (guint i = 0; i < ms_section_count(file->root, "kind"); i++) {
		const MsSection *section = ms_section_nth(file->root, "kind", i);
		const char *other = g_hash_table_lookup(names, ms_section_title(section));
		if (other != NULL) {
			ms_section_error(section, NULL, error,
				"is defined in %s already: give one of them another name", other);
			return false;
		}
	}
	for (guint i = 0; i < ms_section_count(file->root, "kind"); i++)
		g_hash_table_insert(names,
			(char *)ms_section_title(ms_section_nth(file->root, "kind", i)),
			file->name);
	return true;
}

static void take_kinds(Lint *lint, File *file, GHashTable *names, GString *all)
{
	g_autoptr(GError) error = NULL;
	file->kinds = ms_kinds_parse(file->name, file->text, &error);
	if (file->kinds == NULL || !is_new(file, names, &error)) {
		tell_load(lint, file->name, error->message);
		return;
	}
	g_string_append_printf(all, "%s\n", file->text);
	for (guint i = 0; i < ms_section_count(file->root, "kind"); i++) {
		Subject *s = subject_of(file->name, file->text, ms_section_nth(file->root, "kind", i));
		s->kind = ms_kinds_find(file->kinds, ms_section_title(s->section));
		g_ptr_array_add(lint->defined, s);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* kinds.conf, and kinds-*.conf beside it. */
static GPtrArray *files_of_kinds(const char *first)
{
	g_autofree char *folder = g_path_get_dirname(first);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
		if (g_str_has_prefix(name, "kinds-") && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(files, g_build_filename(folder, name, NULL));
	g_ptr_array_sort(files, compare_names);
	g_ptr_array_insert(files, 0, g_strdup(first));
	return files;
}

/* Those that can be loaded; without any the policies cannot be looked at. */
static MsKinds *load_kinds(Lint *lint, GPtrArray *files)
{
	g_autoptr(GPtrArray) names = files_of_kinds(lint->options->kinds_file);
	g_autoptr(GString) all = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < names->len; i++) {
		File *file = read_file(lint, names->pdata[i], ms_kinds_rows());
		if (file == NULL)
			continue;
		g_ptr_array_add(files, file);
		take_kinds(lint, file, seen, all);
	}
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = all->len > 0 ? ms_kinds_parse(lint->options->kinds_file, all->str, &error)
				      : NULL;
	if (error != NULL)
		tell_load(lint, lint->options->kinds_file, error->message);
	return kinds;
}

static void run_checks(Lint *lint)
{
	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
		const Check *check = &checks[i];
		lint->row = &check->row;
		for (guint k = 0; check->policy != NULL && k < lint->policies->len; k++)
			check->policy(lint, lint->policies->pdata[k]);
		for (guint k = 0; check->kind != NULL && k < lint->defined->len; k++)
			check->kind(lint, lint->defined->pdata[k]);
		if (check->all != NULL)
			check->all(lint);
	}
}

static int by_place(const void *a, const void *b)
{
	const MsLintFinding *x = *(MsLintFinding *const *)a, *y = *(MsLintFinding *const *)b;
	int order = strcmp(x->file, y->file);
	return order != 0 ? order : x->line - y->line;
}

GPtrArray *ms_policy_lint(const MsLintOptions *options, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(file_free);
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) titles = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) policies = g_ptr_array_new_with_free_func(subject_free);
	g_autoptr(GPtrArray) defined = g_ptr_array_new_with_free_func(subject_free);
	Lint lint = {.options = options, .policies = policies, .defined = defined, .told = told,
		.findings = g_ptr_array_new_with_free_func(finding_free)};
	g_autoptr(MsKinds) kinds = load_kinds(&lint, files);
	lint.kinds = kinds;
	g_autoptr(MsPolicySet) set = ms_policy_set_load(options->dir, tell_set, &lint, error);
	if (set == NULL) {
		g_ptr_array_unref(lint.findings);
		return NULL;
	}
	lint.set = set;
	for (guint i = 0; i < set->files->len && kinds != NULL; i++)
		take_policies(&lint, set->files->pdata[i], titles);
	look_at_tests(&lint, set->files);
	run_checks(&lint);
	g_ptr_array_sort(lint.findings, by_place); /* GLib's sort keeps the order of equals */
	return lint.findings;
}
