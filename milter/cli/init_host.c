/*
 * What missent init does on the host beside files: a user, folders, a group, and the services.
 * What can be taken back is noted in the plan before it is done.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/mtaconf.h"

#include "init.h"

#define PATIENCE_S 30

static bool run(const char *const *argv, GError **error)
{
	g_autofree char *out = ms_mta_ask(argv, error);
	return out != NULL;
}

static bool booted_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* ---- users and folders ------------------------------------------------------------------- */

bool init_make_user(const char *name, GError **error)
{
	const char *sysusers[] = {"systemd-sysusers", NULL};
	if (name == NULL || getpwnam(name) != NULL)
		return true;
	run(sysusers, NULL);
	if (getpwnam(name) != NULL)
		return true;
	const char *useradd[] = {"useradd", "--system", "--home-dir", STATEDIR, "--shell",
		"/usr/sbin/nologin", name, NULL};
	return run(useradd, error);
}

static bool make_folder(const char *path, guint mode, const struct passwd *user, GError **error)
{
	if (access(path, F_OK) == 0)
		return true;
	if (g_mkdir_with_parents(path, 0755) == 0 &&
		ms_io_give(path, user != NULL ? user->pw_uid : (uid_t)-1,
			user != NULL ? user->pw_gid : (gid_t)-1, mode))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
	return false;
}

bool init_make_folders(const MsSettings *s, GError **error)
{
	const char *tmpfiles[] = {"systemd-tmpfiles", "--create", "missent.conf", NULL};
	/* with what has rights of its own; folders that remain are made here */
	run(tmpfiles, NULL);
	const struct passwd *user = s->user != NULL ? getpwnam(s->user) : NULL;
	g_autofree char *agent = g_build_filename(s->state_dir, "agent", NULL);
	g_autofree char *spec = ms_socket_spec(s->socket, NULL);
	const char *path = spec != NULL ? ms_socket_path(spec) : NULL;
	g_autofree char *socket = path != NULL ? g_path_get_dirname(path) : NULL;
	g_autofree char *desk = g_path_get_dirname(s->desk.socket);
	return make_folder(desk, 0751, user, error) &&
		make_folder(s->state_dir, 0750, user, error) &&
		make_folder(agent, 0700, user, error) &&
		(socket == NULL || make_folder(socket, 0711, user, error));
}

static bool is_member(const struct passwd *user, const struct group *group)
{
	gid_t groups[256];
	int n = G_N_ELEMENTS(groups);
	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == group->gr_gid)
			return true;
	return false;
}

bool init_join_group(MsPlan *plan, const MsSettings *s, GError **error)
{
	const struct passwd *user = s->user != NULL ? getpwnam(s->user) : NULL;
	const struct group *group = s->socket_group != NULL ? getgrnam(s->socket_group) : NULL;
	if (user == NULL || group == NULL || is_member(user, group))
		return true;
	const char *usermod[] = {"usermod", "-a", "-G", s->socket_group, s->user, NULL};
	return ms_plan_note(plan, "user", s->user, error) &&
		ms_plan_note(plan, "group", s->socket_group, error) && run(usermod, error);
}

static void leave_group(const MsPlan *plan)
{
	g_autofree char *user = ms_plan_fact(plan, "user"), *group = ms_plan_fact(plan, "group");
	const char *gpasswd[] = {"gpasswd", "-d", user, group, NULL};
	if (user != NULL && group != NULL)
		run(gpasswd, NULL);
}

/* ---- services ---------------------------------------------------------------------------- */

static bool answers(const MsSettings *s)
{
	g_autofree char *spec = ms_socket_spec(s->socket, NULL);
	return spec != NULL && ms_socket_answers(spec, 2000);
}

static bool await_answer(const MsSettings *s, GError **error)
{
	gint64 end = g_get_monotonic_time() + PATIENCE_S * (gint64)G_USEC_PER_SEC;
	while (!answers(s)) {
		if (g_get_monotonic_time() > end) {
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
				"missentd was started, and does not answer at %s; see its log",
				s->socket);
			return false;
		}
		g_usleep(G_USEC_PER_SEC / 10);
	}
	return true;
}

static bool has_units(const Init *init)
{
	const char *cat[] = {"systemctl", "cat", "missent.service", NULL};
	return booted_systemd() && strcmp(init->cli->config, CONFDIR "/missent.conf") == 0 &&
		run(cat, NULL);
}

static bool start_units(MsPlan *plan, GError **error)
{
	static const char *const units[] = {"missent", "missent-agent"};
	const char *reload[] = {"systemctl", "daemon-reload", NULL};
	run(reload, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		const char *asked[] = {"systemctl", "is-enabled", "--quiet", units[i], NULL};
		const char *enable[] = {"systemctl", "enable", "--quiet", units[i], NULL};
		const char *restart[] = {"systemctl", "restart", units[i], NULL};
		if (!run(asked, NULL) &&
			(!ms_plan_note(plan, units[i], "enabled", error) || !run(enable, error)))
			return false;
		if (!run(restart, error)) {
			g_prefix_error(error, "journalctl -u %s says more: ", units[i]);
			return false;
		}
	}
	return true;
}

/* Beside this program, as in a build; else where it is installed. */
static char *program(const char *name)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = self != NULL ? g_path_get_dirname(self) : g_strdup("/");
	g_autofree char *beside = g_build_filename(dir, name, NULL),
			*above = g_build_filename(dir, "../sbin", name, NULL);
	return g_strdup(access(beside, X_OK) == 0 ? beside : above);
}

/* No systemd: it runs until it is ended, and is not there after the next start of the host. */
static bool start_alone(MsPlan *plan, const Init *init, const char *name, GError **error)
{
	g_autofree char *path = program(name);
	const char *argv[] = {path, "-c", init->cli->config, NULL};
	return ms_plan_note(plan, name, "started", error) &&
		g_spawn_async("/", (char **)argv, NULL,
			G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
			(GSpawnChildSetupFunc)(void (*)(void))setsid, NULL, NULL, error);
}

bool init_start(MsPlan *plan, const Init *init, const MsSettings *s, GError **error)
{
	if (has_units(init))
		return start_units(plan, error) && await_answer(s, error);
	if (answers(s))
		return cmd_reload(init->cli, 1, (char *[]){(char *)"reload", NULL}) == 0 ||
			(g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
				 "the missentd that runs did not take the settings"),
				false);
	init_say(init, YELLOW,
		"There is no systemd here: missentd and missent-agent run from now on, but are not there after the next "
		"start of this host.");
	return start_alone(plan, init, "missentd", error) && await_answer(s, error) &&
		(ms_io_somebody_listens(s->desk.socket) ||
			start_alone(plan, init, "missent-agent", error));
}

/* Is it that program, with that configuration? */
static bool is_process(const char *pid, const char *name, const char *config)
{
	g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL), *text = NULL;
	gsize len = 0;
	if (!g_file_get_contents(path, &text, &len, NULL) || len == 0)
		return false; /* also one that has ended, and that nobody has waited for */
	g_autofree char *base = g_path_get_basename(text);
	const char *option = text + strlen(text) + 1;
	return strcmp(base, name) == 0 && option + sizeof "-c" <= text + len &&
		strcmp(option, "-c") == 0 && strcmp(option + sizeof "-c", config) == 0;
}

/* By what it is, not by a number: this program may have been killed between the start and a note
 * of it. */
static void end_process(const MsPlan *plan, const Init *init, const char *name)
{
	g_autofree char *started = ms_plan_fact(plan, name);
	g_autoptr(GDir) dir = g_strcmp0(started, "started") == 0 ? g_dir_open("/proc", 0, NULL)
								 : NULL;
	for (const char *pid; dir != NULL && (pid = g_dir_read_name(dir)) != NULL;) {
		if (!g_ascii_isdigit(*pid) || !is_process(pid, name, init->cli->config))
			continue;
		kill((pid_t)atoi(pid), SIGTERM);
		for (int i = 0; i < PATIENCE_S * 10 && is_process(pid, name, init->cli->config);
			i++)
			g_usleep(G_USEC_PER_SEC / 10);
	}
}

void init_stop(const MsPlan *plan, const Init *init)
{
	static const char *const units[] = {"missent-agent", "missent"};
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		g_autofree char *enabled = ms_plan_fact(plan, units[i]);
		const char *disable[] = {
			"systemctl", "disable", "--quiet", "--now", units[i], NULL};
		if (g_strcmp0(enabled, "enabled") == 0 && has_units(init))
			run(disable, NULL);
	}
	end_process(plan, init, "missent-agent");
	end_process(plan, init, "missentd");
	leave_group(plan);
}
