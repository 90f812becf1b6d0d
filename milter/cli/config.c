#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "missent/store.h"

#include "cli.h"

static void show_value(const MsSection *section, const MsRow *row)
{
	const char *mark = ms_section_given(section, row->key) ? "" : "  # default";
	if (row->type == MS_ROW_LIST) {
		printf("%s = {", row->key);
		const char *const *p = ms_section_list(section, row->key);
		for (int i = 0; p[i] != NULL; i++)
			printf("%s\"%s\"", i > 0 ? ", " : "", p[i]);
		printf("}%s\n", mark);
	} else {
		const char *text = ms_section_text(section, row->key);
		if (text != NULL)
			printf("%s = \"%s\"%s\n", row->key, text, mark);
	}
}

static void show(const MsSection *section, const MsRow *rows, const char *indent)
{
	for (; rows->key != NULL; rows++) {
		printf("%s", rows->rows == NULL ? indent : "");
		if (rows->rows == NULL) {
			if (rows->type != MS_ROW_LIST && ms_section_text(section, rows->key) == NULL)
				printf("# %s is not set\n", rows->key);
			else
				show_value(section, rows);
		} else {
			printf("%s {\n", rows->key);
			show(ms_section_sub(section, rows->key), rows->rows, "\t");
			printf("}\n");
		}
	}
}

/* ---- the MTA's side -------------------------------------------------------------------- */

#define POSTCONF "/usr/sbin/postconf"

/* A setting of Postfix, or NULL: there is no Postfix to ask. */
static char *postconf(const MsSettings *s, const char *name)
{
	const char *argv[6] = {POSTCONF};
	char *out = NULL;
	int status, n = 1;
	if (s->postfix_config != NULL) {
		argv[n++] = "-c";
		argv[n++] = s->postfix_config;
	}
	argv[n++] = "-h";
	argv[n] = name;
	if (!g_spawn_sync("/", (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status,
		    NULL))
		return NULL;
	if (status != 0)
		g_clear_pointer(&out, g_free);
	return out != NULL ? g_strstrip(out) : NULL;
}

static bool is_ours(const MsSettings *s, const char *milter)
{
	const char *path = strchr(s->socket, '/');
	if (path == NULL)
		return strcmp(milter, s->socket) == 0;
	/* Postfix may be chrooted: "unix:missent/missent.sock". */
	const char *name = g_str_has_prefix(milter, "unix:") ? milter + 5 : milter;
	return *name != '\0' && g_str_has_suffix(path, name);
}

/* A copy that missent keeps, and a message that it holds, are as they were when it saw them: a
 * filter behind it, such as one that signs, would not be asked on release. */
static void check_order(const MsSettings *s, const char *list)
{
	g_autofree char *value = postconf(s, list);
	g_auto(GStrv) milters = value != NULL ? g_strsplit_set(value, ", \t\n", -1) : NULL;
	const char *last = NULL;
	bool there = false;
	for (int i = 0; milters != NULL && milters[i] != NULL; i++) {
		if (*milters[i] == '\0')
			continue;
		last = milters[i];
		there = there || is_ours(s, last);
	}
	if (there && !is_ours(s, last))
		cli_fail(0, "warning: %s: missent is not the last: what %s does (a DKIM signature, perhaps) is "
			"missing in copies that are held and released", list, last);
	else if (milters != NULL && !there)
		cli_fail(0, "warning: %s does not name %s: such mail is not judged", list, s->socket);
}

static void check_postfix(const MsSettings *s)
{
	g_autofree char *long_ids = postconf(s, "enable_long_queue_ids");
	if (long_ids == NULL)
		return;
	check_order(s, "smtpd_milters");
	check_order(s, "non_smtpd_milters");
	if (strcmp(long_ids, "yes") != 0)
		cli_fail(0, "warning: enable_long_queue_ids = no: Postfix uses queue IDs again");
}

/* Decisions on held mail go through it; without its right each of them fails. */
static void check_release(const MsSettings *s)
{
	struct stat st;
	if (stat(s->release_program, &st) != 0)
		cli_fail(0, "warning: release-program %s: %s: no held message can be released", s->release_program,
			g_strerror(errno));
	else if (st.st_uid != 0 || (st.st_mode & S_ISUID) == 0)
		cli_fail(0, "warning: release-program %s is not root's with the set-user-ID bit: only root can decide "
			"on held mail. Run: systemd-tmpfiles --create missent.conf", s->release_program);
}

/* ---- Redis ----------------------------------------------------------------------------- */

/* What is allowed, and a way to another customer's data all the same. */
static void warn_of_redis(const MsSettings *s)
{
	const MsRedisSettings *r = &s->redis;
	guint sentinels = g_strv_length((char **)r->sentinels);
	bool local = sentinels == 0 && g_str_has_prefix(r->address, "unix:") && strpbrk(r->address, " ,\t") == NULL;
	if (r->plaintext && !r->tls)
		cli_fail(0, "warning: redis-plaintext = allowed: whoever is on the way to Redis reads its password and can "
			"change whose identifiers are whose");
	if (r->password == NULL && !local)
		cli_fail(0, "warning: redis-password-file is not set: whoever reaches Redis can change whose identifiers "
			"are whose");
	if (!r->refuse_eviction)
		cli_fail(0, "warning: trust-eviction-policy = yes: when Redis drops an entry, all mail is deferred");
	if (sentinels > 0 && sentinels < 3)
		cli_fail(0, "warning: redis-sentinels names %u: fewer than three cannot agree when one fails", sentinels);
	if (r->replica != NULL && r->max_lag_ms > 300000)
		cli_fail(0, "warning: redis-max-lag: mail is judged by a mapping that is %" G_GINT64_FORMAT " s old",
			r->max_lag_ms / 1000);
}

/* Addresses and files must do; that it answers now is not asked of a configuration. */
static bool check_redis(const MsSettings *s, MsKinds *kinds, GError **error)
{
	g_autoptr(MsRedis) redis = ms_redis_new(&s->redis, error);
	if (redis == NULL)
		return false;
	warn_of_redis(s);
	g_autoptr(GError) why = NULL;
	MsDirectoryState state = {0};
	g_autoptr(MsDirectory) directory = ms_engine_open_directory(s, kinds, &why);
	if (directory != NULL)
		ms_directory_state(directory, &state, &why);
	ms_directory_state_clear(&state);
	if (why != NULL)
		cli_fail(0, "warning: the directory is unavailable now, and mail is deferred: %s", why->message);
	return true;
}

/* With it one is every agent; the page, whose user may be in the group, is none. */
static void check_key(const MsSettings *s)
{
	struct stat st;
	if (s->desk.redis_key_file != NULL && stat(s->desk.redis_key_file, &st) == 0 && (st.st_mode & 0077) != 0)
		cli_fail(0, "warning: key-file %s: others than its owner may read it, the review page among them. "
			"Run: missent review migrate", s->desk.redis_key_file);
}

static int check(Cli *cli)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(cli->config, 0, NULL, &error);
	if (runtime == NULL)
		return cli_fail_error(error);
	const MsPolicies *policies = ms_runtime_policies(runtime);
	for (guint i = 0; i < ms_policies_count(policies); i++) {
		bool enforced;
		const char *title = ms_policies_nth(policies, i, &enforced);
		printf("policy %s: %s\n", title, enforced ? "enforce" : "observe");
	}
	if (!ms_runtime_settings(runtime)->sendmail)
		check_postfix(ms_runtime_settings(runtime));
	check_release(ms_runtime_settings(runtime));
	check_key(ms_runtime_settings(runtime));
	if (ms_runtime_settings(runtime)->backend == MS_BACKEND_REDIS
		&& !check_redis(ms_runtime_settings(runtime), ms_runtime_kinds(runtime), &error))
		return cli_fail_error(error);
	printf("%s: fine, %u kinds, %u policies\n", cli->config,
		ms_kinds_count(ms_runtime_kinds(runtime)), ms_policies_count(policies));
	return 0;
}

int cmd_config(Cli *cli, int argc, char **argv)
{
	if (!cli_options(NULL, "check|show - check configuration, kinds and policies; show what is in "
			"effect", &argc, &argv))
		return EX_USAGE;
	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check(cli);
	if (argc != 2 || strcmp(argv[1], "show") != 0)
		return cli_fail(EX_USAGE, "config: check or show?");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSection) root = ms_config_load(cli->config, ms_settings_rows, &error);
	if (root == NULL)
		return cli_fail_error(error);
	show(root, ms_settings_rows, "");
	return 0;
}
