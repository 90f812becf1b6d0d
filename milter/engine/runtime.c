/*
 * Settings come in; policies, kinds, directory, guard, reader, records and trail come out, opened,
 * as one thing that messages are judged by until a reload makes another.  The thread that loads;
 * what was loaded does not change, and any thread looks at it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "missent/digest.h"
#include "missent/io.h"
#include "missent/outbox.h"
#include "missent/trial.h"

#include "runtime.h"

/* ---- making --------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* PREFIX*.conf in a folder, in the order of their names; NULL: it cannot be looked into. */
static GPtrArray *files_of(const char *folder, const char *prefix, GError **error)
{
	g_autoptr(GDir) dir = ms_io_open_folder(folder, error);
	GPtrArray *files = dir != NULL ? g_ptr_array_new_with_free_func(g_free) : NULL;
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
		if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(files, g_build_filename(folder, name, NULL));
	if (files != NULL)
		g_ptr_array_sort(files, compare_names);
	return files;
}

/* Parsed by itself first, so that a mistake is told with its own file and line.  NULL: it has
 * one. */
static MsKinds *add_pack(GString *all, const char *file, GHashTable *seen, GError **error)
{
	g_autofree char *text = ms_config_read(file, error);
	g_autoptr(MsKinds) kinds = text != NULL ? ms_kinds_parse(file, text, error) : NULL;
	if (kinds == NULL)
		return NULL;
	for (guint i = 0; i < ms_kinds_count(kinds); i++) {
		const char *name = ms_kinds_nth(kinds, i)->name;
		const char *other = g_hash_table_lookup(seen, name);
		if (other != NULL) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
				"%s:%d: kind \"%s\" is defined in %s already: give one of them another name",
				file, ms_kinds_nth(kinds, i)->line, name, other);
			return NULL;
		}
		g_hash_table_insert(seen, g_strdup(name),
			g_strdup_printf("%s, line %d,", file, ms_kinds_nth(kinds, i)->line));
	}
	g_string_append_printf(all, "%s\n", text);
	return g_steal_pointer(&kinds);
}

static bool is_there(const char *file, GError **error)
{
	if (access(file, F_OK) == 0)
		return true;
	int why = errno;
	g_set_error(error, MS_ERROR, ms_io_is_want(why) ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"%s: %s%s", file, g_strerror(why),
		why == ENOENT ? "; it says what identifiers look like: copy the kinds.conf there that comes "
				"with missent"
			      : "");
	return false;
}

MsKinds *ms_engine_load_kinds(const MsSettings *settings, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(settings->kinds_file);
	g_autoptr(MsKinds) first = NULL;
	g_autoptr(GPtrArray) packs = NULL; /* beside kinds.conf */
	g_autoptr(GString) all = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (!is_there(settings->kinds_file, error) ||
		(first = add_pack(all, settings->kinds_file, seen, error)) == NULL ||
		(packs = files_of(folder, "kinds-", error)) == NULL)
		return NULL;
	if (packs->len == 0)
		return g_steal_pointer(&first);
	for (guint i = 0; i < packs->len; i++) {
		g_autoptr(MsKinds) pack = add_pack(all, packs->pdata[i], seen, error);
		if (pack == NULL)
			return NULL;
	}
	return ms_kinds_parse(settings->kinds_file, all->str, error);
}

MsDirectory *ms_engine_open_directory(const MsSettings *s, MsKinds *kinds, GError **error)
{
	MsDirectorySettings settings = {
		.backend = (MsBackendType)s->backend,
		.sqlite = s->sqlite_file,
		.redis = s->redis,
		.redis_prefix = s->redis_prefix,
		.key_file = s->key_file,
		.digests = s->digests,
		.max_age_ms = s->max_age_ms,
		.house = s->house,
		.tag_separators = s->tag_separators,
		.seen_file = s->seen_file,
		.house_file = s->house_file,
		.house_needed = s->house_needed,
		.judging = &s->judging,
	};
	return ms_directory_open(&settings, kinds, error);
}

static bool guard_key_of(const char *path, guint8 out[MS_DIGEST_BYTES], GError **error)
{
	g_autoptr(MsKey) key = ms_key_load(path, error);
	if (key != NULL)
		ms_key_subkey(key, "missent guard", out);
	return key != NULL;
}

static bool guard_key(
	const MsSettings *s, const char *path, guint8 out[MS_DIGEST_BYTES], GError **error)
{
	g_autoptr(GError) exists = NULL;
	if (s->guard.own_key && access(path, F_OK) != 0 && !ms_key_create(path, &exists) &&
		access(path, F_OK) != 0) {
		g_propagate_error(error, g_steal_pointer(&exists));
		return false;
	}
	return guard_key_of(path, out, error);
}

MsGuard *ms_engine_open_guard(const MsSettings *s, GError **error)
{
	guint8 key[MS_DIGEST_BYTES], before[MS_DIGEST_BYTES];
	const char *file = s->guard.key_file_before;
	if (!s->guard.enabled || !guard_key(s, s->guard.key_file, key, error)
		|| (file != NULL && !guard_key_of(file, before, error)))
		return NULL;
	const MsGuardSettings settings = {
		.on_redis = (MsBackendType)s->backend == MS_BACKEND_REDIS,
		.sqlite = s->guard.sqlite_file,
		.redis = &s->redis,
		.redis_prefix = s->redis_prefix,
		.key = key,
		.tag_separators = s->tag_separators,
		.key_before = file != NULL ? before : NULL,
		.limits = s->guard.limits,
	};
	MsGuard *guard = ms_guard_open(&settings, error);
	explicit_bzero(key, sizeof key);
	explicit_bzero(before, sizeof before);
	return guard;
}

/* `lean`: for verdicts alone; who explains them wants to see what was guessed, too. */
static MsReader *start_reader(const MsSettings *s, const MsKinds *kinds, const MsPolicies *policies,
	bool lean, char **warning_out, GError **error)
{
	MsLimits most;
	ms_policies_reading(policies, NULL, &s->limits, s->ocr_pages, &most);
	MsReaderSettings settings = {
		.program = s->reader_program,
		.kinds = kinds,
		.limits = s->limits,
		.workers = s->reader_workers,
		.jobs = s->reader_jobs,
		.restore = s->reader_restore && lean, /* who reads few messages gains nothing */
		.wait_ms = s->reader_wait_ms,
		.queue = s->reader_queue,
		.sandbox_optional = s->sandbox_optional,
		.most = &most,
		.passwords = s->passwords,
		.asks_passwords = s->password_command[0] != NULL,
		.cache_bytes = s->cache_bytes,
		.lean = lean,
		.ocr_program = s->ocr_program,
		.ocr_languages = s->ocr_languages,
	};
	return ms_reader_new(&settings, warning_out, error);
}

/* Asked before anything in it is: what it says of that would lead nowhere. */
static bool has_state(const MsSettings *s, GError **error)
{
	g_autofree char *within = g_build_filename(s->state_dir, ".", NULL);
	if (access(within, W_OK | X_OK) == 0)
		return true;
	int why = errno;
	g_set_error(error, MS_ERROR, ms_io_is_want(why) ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"state-dir %s: is missing or not writable for this user: %s", s->state_dir,
		g_strerror(why));
	return false;
}

static bool load_writers(MsRuntime *runtime, GError **error)
{
	const MsSettings *s = runtime->settings;
	if (!ms_io_make_folder(s->spool_dir, 0700))
		return ms_io_fail(error, s->spool_dir, errno);
	runtime->ledger = ms_engine_open_records(s, error);
	if (runtime->ledger != NULL)
		ms_ledger_tell(runtime->ledger, s->desk.webhook_url != NULL);
	runtime->audit = ms_audit_new(s->audit_file);
	return runtime->ledger != NULL;
}

/* ---- versions ------------------------------------------------------------------------- */

/* What its lines say of the policies is a digest of this: the mode that they may leave open, and
 * all files. */
static void set_versions(MsRuntime *runtime)
{
	runtime->policies_text = g_strdup_printf("# mode = %s\n%s",
		ms_mode_names[runtime->settings->mode], ms_policies_text(runtime->policies));
	ms_audit_text_id(runtime->policies_text, runtime->policies_version);
	ms_audit_text_id(ms_kinds_text(runtime->kinds), runtime->kinds_version);
}

#define KEEP_AGAIN_S 3600

/* Again from time to time, so that nobody takes them for texts that are not in use. */
bool runtime_keep_texts(MsRuntime *runtime, GError **error)
{
	const char *trail = runtime->settings->audit_file;
	guint now = (guint)(g_get_real_time() / G_USEC_PER_SEC);
	if (now - (guint)g_atomic_int_get(&runtime->texts_kept) < KEEP_AGAIN_S)
		return true;
	bool kept = ms_audit_keep_text(
			    trail, MS_AUDIT_POLICIES, runtime->policies_text, error) &&
		ms_audit_keep_text(trail, MS_AUDIT_KINDS, ms_kinds_text(runtime->kinds), error);
	g_atomic_int_set(&runtime->texts_kept, kept ? now : 0);
	return kept;
}

/* ---- is it current? ------------------------------------------------------------------- */

static void stamp_file(GString *out, const char *path)
{
	g_autofree char *stamp = ms_io_stamp(path);
	g_string_append_printf(out, "%s\n", stamp);
}

static void stamp_folder(GString *out, const char *folder)
{
	g_autoptr(GPtrArray) files = files_of(folder, "", NULL);
	for (guint i = 0; files != NULL && i < files->len; i++)
		stamp_file(out, files->pdata[i]);
}

/* Of the files that a load reads: which they are, and of when. */
static char *stamp_of(const char *config, const MsSettings *s)
{
	GString *out = g_string_new(NULL);
	g_autofree char *kinds = g_path_get_dirname(s->kinds_file);
	stamp_file(out, config);
	stamp_folder(out, kinds);
	stamp_folder(out, s->policy_dir);
	return g_string_free(out, FALSE);
}

bool ms_runtime_is_current(const MsRuntime *runtime)
{
	g_autofree char *now = stamp_of(runtime->config, runtime->settings);
	return strcmp(now, runtime->stamp) == 0 && ms_policies_current(runtime->policies);
}

static void give_audit_key(MsRuntime *runtime)
{
	guint8 key[MS_AUDIT_KEY_BYTES];
	if (runtime->audit == NULL || runtime->directory == NULL)
		return;
	ms_directory_subkey(runtime->directory, MS_AUDIT_PURPOSE, key);
	ms_audit_key(runtime->audit, key);
	explicit_bzero(key, sizeof key);
}

static void set_text(char **text, const char *value)
{
	g_free(*text);
	*text = g_strdup(value);
}

static void put_instead(MsSettings *s, const MsInstead *instead)
{
	g_autofree char *kinds = instead->policies != NULL
		? g_build_filename(instead->policies, "kinds.conf", NULL)
		: NULL;
	if (instead->policies != NULL)
		set_text(&s->policy_dir, instead->policies);
	if (kinds != NULL && access(kinds, F_OK) == 0)
		set_text(&s->kinds_file, kinds);
	if (instead->mapping == NULL)
		return;
	s->backend = MS_BACKEND_SQLITE;
	set_text(&s->sqlite_file, instead->mapping);
	set_text(&s->seen_file, NULL);
	set_text(&s->house_file, NULL);
	s->max_age_ms = 0;
}

/* Who only looks may not be allowed to read how far they are. */
static bool take_trials(MsRuntime *runtime, bool writes, GError **error)
{
	g_autoptr(MsTrials) trials =
		ms_trials_read(runtime->settings->observing_file, writes ? error : NULL);
	if (trials != NULL)
		ms_trials_apply(trials, runtime->policies);
	return trials != NULL || !writes;
}

MsRuntime *ms_runtime_load(const char *config, guint parts, char **warning_out, GError **error)
{
	return ms_runtime_load_instead(config, parts, &(MsInstead){NULL, NULL}, warning_out, error);
}

MsRuntime *ms_runtime_load_instead(const char *config, guint parts, const MsInstead *instead,
	char **warning_out, GError **error)
{
	static gint loaded; /* atomic */
	g_autoptr(MsRuntime) runtime = g_new0(MsRuntime, 1);
	runtime->refs = 1;
	runtime->number = (guint)g_atomic_int_add(&loaded, 1) + 1;
	runtime->config = g_strdup(config);
	runtime->settings = ms_settings_load(config, error);
	if (runtime->settings == NULL)
		return NULL;
	put_instead(runtime->settings, instead);
	const MsSettings *s = runtime->settings;
	runtime->stamp = stamp_of(config, s); /* before: a change while they are read is one */
	runtime->kinds = ms_engine_load_kinds(s, error);
	if (runtime->kinds == NULL)
		return NULL;
	runtime->policies = ms_policies_load(s->policy_dir, runtime->kinds, s->mode, error);
	if (runtime->policies == NULL)
		return NULL;
	ms_policies_tags(runtime->policies, s->tag_separators);
	bool writes = (parts & MS_PARTS_WRITE) != 0;
	if ((writes && !has_state(s, error)) || !take_trials(runtime, writes, error))
		return NULL;
	runtime->again = ms_again_new();
	runtime->judging = ms_gate_new(g_get_num_processors(), s->judging_queue, s->reader_wait_ms);
	if (parts & MS_PARTS_WRITE && !load_writers(runtime, error))
		return NULL;
	set_versions(runtime);
	if (parts & MS_PARTS_WRITE)
		runtime_keep_texts(runtime, NULL);
	if (parts & MS_PARTS_CHECK) {
		runtime->directory = ms_engine_open_directory(s, runtime->kinds, error);
		if (runtime->directory == NULL)
			return NULL;
		runtime->reader = start_reader(
			s, runtime->kinds, runtime->policies, (parts & MS_PARTS_WRITE) != 0,
			warning_out, error);
		if (runtime->reader == NULL)
			return NULL;
		/* A directory that cannot be asked now is asked again with the first message. */
		runtime->knowledge = ms_knowledge_new(runtime->directory, runtime->reader);
		ms_knowledge_update(runtime->knowledge, NULL, NULL);
	}
	give_audit_key(runtime);
	if ((parts & MS_PARTS_CHECK) != 0 && (parts & MS_PARTS_WRITE) != 0 && s->guard.enabled) {
		runtime->guard = ms_engine_open_guard(s, error);
		if (runtime->guard == NULL)
			return NULL;
	}
	return g_steal_pointer(&runtime);
}

void ms_runtime_warm(MsRuntime *runtime, gint64 wait_ms)
{
	if (runtime->reader != NULL)
		ms_reader_warm(runtime->reader, wait_ms);
}

MsRuntime *ms_runtime_ref(MsRuntime *runtime)
{
	g_atomic_int_inc(&runtime->refs);
	return runtime;
}

void ms_runtime_unref(MsRuntime *runtime)
{
	if (runtime == NULL || !g_atomic_int_dec_and_test(&runtime->refs))
		return;
	ms_knowledge_free(runtime->knowledge);
	ms_reader_free(runtime->reader);
	ms_directory_free(runtime->directory);
	ms_guard_free(runtime->guard);
	ms_again_free(runtime->again);
	ms_ledger_free(runtime->ledger);
	ms_audit_free(runtime->audit);
	ms_gate_free(runtime->judging);
	ms_policies_free(runtime->policies);
	ms_kinds_unref(runtime->kinds);
	ms_settings_free(runtime->settings);
	g_free(runtime->config);
	g_free(runtime->stamp);
	g_free(runtime->policies_text);
	g_free(runtime);
}

guint ms_runtime_number(const MsRuntime *runtime)
{
	return runtime->number;
}

const MsSettings *ms_runtime_settings(const MsRuntime *runtime)
{
	return runtime->settings;
}

const MsPolicies *ms_runtime_policies(const MsRuntime *runtime)
{
	return runtime->policies;
}

MsKinds *ms_runtime_kinds(const MsRuntime *runtime)
{
	return runtime->kinds;
}

MsDirectory *ms_runtime_directory(const MsRuntime *runtime)
{
	return runtime->directory;
}

MsReader *ms_runtime_reader(const MsRuntime *runtime)
{
	return runtime->reader;
}

MsLedger *ms_runtime_ledger(const MsRuntime *runtime)
{
	return runtime->ledger;
}

MsAudit *ms_runtime_audit(const MsRuntime *runtime)
{
	return runtime->audit;
}

const char *ms_runtime_policies_version(const MsRuntime *runtime)
{
	return runtime->policies_version;
}

const char *ms_runtime_kinds_version(const MsRuntime *runtime)
{
	return runtime->kinds_version;
}

MsGuard *ms_runtime_guard(const MsRuntime *runtime)
{
	return runtime->guard;
}

void ms_runtime_load_counts(MsRuntime *runtime, MsLoad *out)
{
	ms_gate_counts(runtime->judging, &out->judging, &out->waiting);
	out->refused = (guint)g_atomic_int_get(&runtime->refused);
}
