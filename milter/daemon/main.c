/*
 * Settings come in; missentd is started, reloaded, watched and stopped.  The main thread, one
 * that waits for signals, and libmilter's, which come here for what sessions share.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/backtest.h"
#include "missent/config.h"
#include "missent/io.h"
#include "missent/log.h"
#include "missent/usage.h"

#include "daemon.h"

struct Daemon {
	char *config;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	MsRuntime *runtime;   /* replaced as a whole at a reload */
	guint busy;           /* verdicts being made */
	guint64 memory;       /* bytes of messages in flight */
	guint64 max_memory;
	bool ending;          /* no reload any more */
	bool over;            /* the runtime is about to go */
	MsNumbers *numbers;   /* counted since it was started, whatever is reloaded */
	gint paused;          /* atomic */
	MsClockWatch clock;
};

/* ---- what sessions share -------------------------------------------------------------- */

MsRuntime *daemon_runtime(Daemon *daemon)
{
	pthread_mutex_lock(&daemon->lock);
	bool over = daemon->over;
	MsRuntime *runtime = !over ? ms_runtime_ref(daemon->runtime) : NULL;
	pthread_mutex_unlock(&daemon->lock);
	/* A connection that libmilter did not wait for brings another mail: the process ends in a
	 * moment, and the MTA keeps what was not answered. */
	while (over)
		pause();
	return runtime;
}

bool daemon_take_memory(Daemon *daemon, guint64 bytes)
{
	pthread_mutex_lock(&daemon->lock);
	bool fine = bytes <= daemon->max_memory - MIN(daemon->memory, daemon->max_memory);
	if (fine)
		daemon->memory += bytes;
	pthread_mutex_unlock(&daemon->lock);
	return fine;
}

bool daemon_clock_is_sure(Daemon *daemon)
{
	pthread_mutex_lock(&daemon->lock);
	bool sure = ms_clock_is_sure(&daemon->clock);
	pthread_mutex_unlock(&daemon->lock);
	return sure;
}

void daemon_give_memory(Daemon *daemon, guint64 bytes)
{
	pthread_mutex_lock(&daemon->lock);
	daemon->memory -= bytes;
	pthread_mutex_unlock(&daemon->lock);
}

void daemon_enter(Daemon *daemon)
{
	pthread_mutex_lock(&daemon->lock);
	daemon->busy++;
	pthread_mutex_unlock(&daemon->lock);
}

void daemon_leave(Daemon *daemon)
{
	pthread_mutex_lock(&daemon->lock);
	if (--daemon->busy == 0)
		pthread_cond_broadcast(&daemon->idle);
	pthread_mutex_unlock(&daemon->lock);
}

MsNumbers *daemon_numbers(Daemon *daemon)
{
	return daemon->numbers;
}

bool daemon_paused(Daemon *daemon)
{
	return g_atomic_int_get(&daemon->paused) != 0;
}

void daemon_pause(Daemon *daemon, bool paused)
{
	g_atomic_int_set(&daemon->paused, paused);
}

void daemon_load(Daemon *daemon, guint *busy_out, guint64 *memory_out)
{
	pthread_mutex_lock(&daemon->lock);
	*busy_out = daemon->busy;
	*memory_out = daemon->memory;
	pthread_mutex_unlock(&daemon->lock);
}

/* ---- reload --------------------------------------------------------------------------- */

/* What a running process cannot change. */
static void warn_fixed(const MsSettings *old, const MsSettings *new)
{
	if (strcmp(old->socket, new->socket) != 0 || g_strcmp0(old->user, new->user) != 0
		|| old->log_syslog != new->log_syslog)
		ms_log(LOG_WARNING, NULL, "reload: socket, user and log change only at a restart");
}

static void tell_failed(const MsPolicyTest *test, const char *problem, void *user)
{
	char **first = user;
	ms_log(LOG_ERR, NULL, "reload: %s:%d: test \"%s\": %s", test->file, test->line, test->title,
		problem);
	if (*first == NULL)
		*first = g_strdup_printf(
			"%s:%d: test \"%s\": %s", test->file, test->line, test->title, problem);
}

/* Policies that do not do what they say themselves that they do are none to judge by. */
static bool passes_tests(Daemon *daemon, const MsRuntime *fresh, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *first = NULL;
	guint tests;
	if (!ms_runtime_settings(fresh)->policy_tests ||
		ms_policies_tests(ms_runtime_policies(fresh))->len == 0 ||
		ms_backtest_beside(daemon->config, NULL, tell_failed, &first, &tests, &why))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s%s",
		first != NULL ? first : "the tests beside the policies cannot be run: ",
		first != NULL ? "" : why->message);
	return false;
}

/* NULL with `error` where the running configuration must stay. */
static MsRuntime *load_anew(Daemon *daemon, char **warning_out, GError **error)
{
	g_autoptr(MsRuntime) fresh = ms_runtime_load(
		daemon->config, MS_PARTS_CHECK | MS_PARTS_WRITE, warning_out, error);
	if (fresh == NULL)
		return NULL;
	g_autoptr(MsRuntime) running = daemon_runtime(daemon);
	/* A folder is without policies for as long as somebody moves them about in it. */
	if (ms_policies_count(ms_runtime_policies(fresh)) == 0
		&& ms_policies_count(ms_runtime_policies(running)) > 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"there is no policy in %s any more: a restart takes that, a reload does not",
			ms_runtime_settings(fresh)->policy_dir);
		return NULL;
	}
	return passes_tests(daemon, fresh, error) ? g_steal_pointer(&fresh) : NULL;
}

static void tell_mapping(bool whole, const char *text, void *user)
{
	(void)user;
	ms_log(whole ? LOG_NOTICE : LOG_ERR, NULL, "%s", text);
}

#define WARM_MS 10000 /* longer than this no start and no reload waits for readers */

/* Goes over the mapping for as long as this runtime lives. */
static void watch_mapping(MsRuntime *runtime)
{
	g_autoptr(GError) error = NULL;
	if (!ms_directory_watch(ms_runtime_directory(runtime),
		    ms_runtime_settings(runtime)->verify_every_ms, tell_mapping, NULL, &error))
		ms_log(LOG_WARNING, NULL, "the mapping is not gone over: %s", error->message);
}

/* For who asked with a number, and waits: ms_reload_file() of that configuration.  Of several
 * signals that come at once the kernel keeps one: who finds another's number asks again. */
static void answer(Daemon *daemon, int asked, const GError *why)
{
	g_autoptr(MsRuntime) running = daemon_runtime(daemon);
	g_autofree char *path = ms_reload_file(ms_runtime_settings(running));
	g_autofree char *text = why != NULL
		? g_strdup_printf("%d failed %s\n", asked, why->message)
		: g_strdup_printf(
			  "%d done %u\n", asked, ms_policies_count(ms_runtime_policies(running)));
	if (!ms_io_replace(path, text, strlen(text), 0640, false))
		ms_log(LOG_WARNING, NULL, "reload: who asked for it is not told: %s: %s", path,
			g_strerror(errno));
}

/* Who asks is root, mostly, and may read what missentd may not. */
static void say_who(GError **error)
{
	const char *user = *error != NULL ? ms_usage_lacks((*error)->message) : NULL;
	if (user != NULL)
		g_prefix_error(error, "missentd runs as %s, and may not (chgrp, chmod g+r): ", user);
}

static void reload(Daemon *daemon, int asked)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
	MsRuntime *fresh = load_anew(daemon, &warning, &error);
	say_who(&error);
	ms_numbers_add(daemon->numbers, fresh != NULL ? MS_NUM_RELOADED : MS_NUM_RELOAD_FAILED, 1);
	if (fresh == NULL) {
		ms_log(LOG_ERR, NULL, "reload failed, the running configuration is kept: %s",
			error->message);
	} else {
		ms_runtime_warm(fresh, WARM_MS);
		ms_directory_succeed(
			ms_runtime_directory(fresh), ms_runtime_directory(daemon->runtime));
		watch_mapping(fresh);
		trial_begin(fresh);
		pthread_mutex_lock(&daemon->lock);
		MsRuntime *old = daemon->runtime;
		daemon->runtime = fresh;
		daemon->max_memory = ms_runtime_settings(fresh)->max_memory;
		pthread_mutex_unlock(&daemon->lock);
		warn_fixed(ms_runtime_settings(old), ms_runtime_settings(fresh));
		ms_runtime_unref(old); /* messages on the way keep it until they are answered */
		ms_log(LOG_NOTICE, NULL, "reloaded, policies=%u",
			ms_policies_count(ms_runtime_policies(fresh)));
		daemon_note(daemon, MS_AUDIT_RELOAD);
		if (warning != NULL)
			ms_log(LOG_WARNING, NULL, "%s", warning);
	}
	account_look(daemon); /* who was answered finds the numbers of what is in effect now */
	answer(daemon, asked, error);
	sd_notify(0, "READY=1");
}

#define BEAT_US (60 * (gint64)G_USEC_PER_SEC)
#define LOOK_US (5 * (gint64)G_USEC_PER_SEC)

/* What is due by now; when the next thing is. */
static gint64 tend(Daemon *daemon, gint64 *beat, gint64 *look)
{
	gint64 now = g_get_monotonic_time();
	if (now >= *beat) {
		daemon_beat(daemon);
		*beat = now + BEAT_US;
	}
	if (now >= *look) {
		if (trial_look(daemon))
			reload(daemon, 0);
		*look = g_get_monotonic_time() + LOOK_US;
	}
	return MAX(MIN(*beat, *look) - g_get_monotonic_time(), 0);
}

/* libmilter owns TERM and INT; USR1, which HUP becomes, is blocked everywhere but waited for
 * here. */
static void *wait_for_reload(void *user)
{
	Daemon *daemon = user;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	gint64 beat = 0, look = 0; /* when the next ones are due */
	for (;;) {
		siginfo_t info;
		gint64 left = tend(daemon, &beat, &look);
		struct timespec wait = {left / G_USEC_PER_SEC, left % G_USEC_PER_SEC * 1000};
		if (sigtimedwait(&set, &info, &wait) < 0)
			continue;
		pthread_mutex_lock(&daemon->lock);
		bool ending = daemon->ending;
		pthread_mutex_unlock(&daemon->lock);
		if (ending)
			return NULL;
		reload(daemon, info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
		look = 0;
	}
}

/* ---- start ---------------------------------------------------------------------------- */

static int complain(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);
static int complain(int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return ms_usage_ended("missentd", code, text, "");
}

static int give_socket(const MsSettings *s, const char *path)
{
	const char *name = s->socket_group;
	const struct group *group = name != NULL ? getgrnam(name) : NULL;
	if (name != NULL && group == NULL)
		return complain(EX_CONFIG, "socket-group: there is no group \"%s\"", name);
	if (ms_io_give(path, (uid_t)-1, group != NULL ? group->gr_gid : (gid_t)-1, s->socket_mode))
		return EX_OK;
	return complain(EX_NOPERM, "%s: cannot be given mode %04o and group %s: %s", path,
		s->socket_mode, name != NULL ? name : "as it is", g_strerror(errno));
}

static int open_socket(Daemon *daemon, const MsSettings *s, const char *spec)
{
	g_autoptr(GError) error = NULL;
	const char *path = ms_socket_path(spec);
	if (!milter_register(daemon, &error))
		return complain(EX_SOFTWARE, "%s", error->message);
	if (smfi_setconn((char *)spec) != MI_SUCCESS)
		return complain(EX_CONFIG, "socket: libmilter does not take \"%s\"", spec);
	/* libmilter would take the socket away from a filter that is at work. */
	int claim = path != NULL ? ms_io_claim_sockets(path) : -1;
	bool taken = path != NULL && ms_io_somebody_listens(path);
	mode_t before = umask(0177); /* closed until its mode and group are set */
	int rc = taken ? MI_FAILURE : smfi_opensocket(path != NULL);
	umask(before);
	ms_io_close(claim);
	if (taken)
		return complain(EX_UNAVAILABLE, "another filter listens on %s already", path);
	if (rc != MI_SUCCESS)
		return complain(EX_UNAVAILABLE, "cannot listen on \"%s\" (%s)", s->socket,
			path != NULL
				? "is its directory there and writable?"
				: "has another program the port (ss -ltnp)? is the address "
				  "this host's (ip address)?");
	listener_find(path, milter_descriptor);
	return path != NULL ? give_socket(s, path) : EX_OK;
}

static int drop_root(const MsSettings *s, const char *path)
{
	g_autoptr(GError) error = NULL;
	if (geteuid() != 0)
		return EX_OK;
	if (s->user == NULL)
		return complain(EX_NOPERM,
			"refusing to run as root; set user in the configuration or "
			"start it as another user");
	const struct passwd *user = getpwnam(s->user);
	if (user != NULL && path != NULL &&
		!ms_io_give(path, user->pw_uid, (gid_t)-1, s->socket_mode))
		return complain(EX_OSERR, "%s: %s", path, g_strerror(errno));
	if (ms_io_become(s->user, &error))
		return EX_OK;
	return complain(g_error_matches(error, MS_ERROR, MS_ERROR_INPUT) ? EX_NOUSER : EX_OSERR,
		"%s", error->message);
}

/* Each message that is read needs its worker's two, of two readers; then there are the readers'
 * own, those of others that take their place, the directory's, the guard's, the records' and the
 * trail's, a reload's, and a file or two that is written. */
static void keep_room(const MsSettings *s)
{
	room_keep(96 + 6 * s->reader_workers + s->redis.connections);
}

static int load(Daemon *daemon)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	daemon->runtime = ms_runtime_load(daemon->config, MS_PARTS_CHECK | MS_PARTS_WRITE, &warning,
		&error);
	if (daemon->runtime == NULL)
		return complain(ms_config_exit_code(error), "%s", error->message);
	if (warning != NULL)
		ms_log(LOG_WARNING, NULL, "%s", warning);
	const MsSettings *s = ms_runtime_settings(daemon->runtime);
	daemon->max_memory = s->max_memory;
	daemon->numbers = ms_numbers_new(s->numbers_file);
	keep_room(s);
	/* Not a reason not to start: mail is held back by policy until it is there. */
	MsDirectoryState state = {0};
	if (ms_directory_state(ms_runtime_directory(daemon->runtime), &state, &error) != MS_FOUND)
		ms_log(LOG_WARNING, NULL, "%s", error->message);
	ms_log(LOG_NOTICE, NULL,
		"started, version=%s, mode=%s, policies=%u, directory entries=%" G_GINT64_FORMAT,
		PACKAGE_VERSION, ms_mode_names[s->mode],
		ms_policies_count(ms_runtime_policies(daemon->runtime)), state.entries);
	if (ms_policies_count(ms_runtime_policies(daemon->runtime)) == 0)
		ms_log(LOG_WARNING, NULL, "there is no policy in %s: no mail is checked",
			s->policy_dir);
	ms_directory_state_clear(&state);
	trial_begin(daemon->runtime);
	return EX_OK;
}

/* ---- run and stop --------------------------------------------------------------------- */

/* smfi_main() has returned: nothing new is taken.  Verdicts that are being made are waited
 * for; their threads send the answer right after. */
static void finish(Daemon *daemon, gint64 stop_ms)
{
	gint64 end = g_get_monotonic_time() + stop_ms * 1000;
	pthread_mutex_lock(&daemon->lock);
	while (daemon->busy > 0 && g_get_monotonic_time() < end)
		ms_clock_wait(&daemon->idle, &daemon->lock, end);
	guint left = daemon->busy;
	pthread_mutex_unlock(&daemon->lock);
	g_usleep(200 * 1000); /* libmilter says nowhere that an answer has left */
	ms_log(LOG_NOTICE, NULL, "stopped, unanswered=%u", left);
}

/* The threads that use what is about to go. */
static void end_threads(Daemon *daemon, pthread_t reloader)
{
	care_stop();
	progress_stop();
	pthread_mutex_lock(&daemon->lock);
	daemon->ending = true;
	pthread_mutex_unlock(&daemon->lock);
	pthread_kill(reloader, SIGUSR1);
	pthread_join(reloader, NULL);
	trial_end(daemon);
}

/* What they ask for is done when it has started: some of it may have been read before. */
static void hold_reloads(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int run(Daemon *daemon, const char *spec)
{
	/* libmilter waits for these, and for HUP, in a thread of its own; unblocked in ours they
	 * would kill. */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	daemon_note(daemon, MS_AUDIT_START);
	pthread_t reloader;
	if (pthread_create(&reloader, NULL, wait_for_reload, daemon) != 0)
		return complain(EX_OSERR, "cannot start a thread");
	if (!progress_start() || !care_start(daemon, spec))
		return complain(EX_OSERR, "cannot start a thread");
	ms_runtime_warm(daemon->runtime, WARM_MS);
	sd_notify(0, "READY=1");
	gint64 stop_ms = ms_runtime_settings(daemon->runtime)->stop_ms;
	watch_mapping(daemon->runtime);
	int rc = smfi_main();
	sd_notify(0, "STOPPING=1");
	finish(daemon, stop_ms);
	end_threads(daemon, reloader);
	daemon_note(daemon, MS_AUDIT_STOP);
	/* no thread of ours while exit() ends libraries */
	ms_directory_unwatch(ms_runtime_directory(daemon->runtime));
	return rc == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}

static int test_config(const char *config)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	g_autoptr(MsRuntime) runtime =
		ms_runtime_load(config, MS_PARTS_CHECK | MS_PARTS_WRITE, &warning, &error);
	g_autofree char *spec = runtime != NULL
		? ms_socket_spec(ms_runtime_settings(runtime)->socket, &error)
		: NULL;
	if (spec == NULL)
		return complain(ms_config_exit_code(error), "%s", error->message);
	if (warning != NULL)
		complain(0, "warning: %s", warning);
	MsDirectoryState state = {0};
	if (ms_directory_state(ms_runtime_directory(runtime), &state, &error) != MS_FOUND)
		complain(0, "warning: %s", error->message);
	ms_directory_state_clear(&state);
	guint n = ms_policies_count(ms_runtime_policies(runtime));
	printf("%s: fine, %u %s\n", config, n, n == 1 ? "policy" : "policies");
	return EX_OK;
}

static int serve(const char *config, const char *socket)
{
	ms_io_usual_start();
	hold_reloads();
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(config, &error);
	g_autofree char *spec = settings != NULL
		? ms_socket_spec(socket != NULL ? socket : settings->socket, &error)
		: NULL;
	if (spec == NULL)
		return complain(ms_config_exit_code(error), "%s", error->message);
	ms_io_private_memory();
	ms_log_open("missentd", settings->log_syslog, settings->log_debug);
	if (geteuid() == 0 && settings->user == NULL)
		return drop_root(settings, NULL);
	static Daemon daemon = {
		.lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};
	daemon.config = g_strdup(config);
	int rc = open_socket(&daemon, settings, spec);
	if (rc == EX_OK)
		rc = drop_root(settings, ms_socket_path(spec));
	if (rc == EX_OK)
		rc = load(&daemon);
	if (rc == EX_OK)
		rc = run(&daemon, spec);
	else
		listener_leave();
	pthread_mutex_lock(&daemon.lock);
	daemon.over = true;
	pthread_mutex_unlock(&daemon.lock);
	ms_runtime_unref(daemon.runtime);
	/* Its numbers stay until exit: a thread that libmilter did not wait for may count still. */
	g_free(daemon.config);
	return rc;
}

static const MsOption options[] = {
	{'c', "config", "FILE", "its settings (" CONFDIR "/missent.conf)"},
	{'s', "socket", "SOCKET", "listen here, whatever the settings say"},
	{'t', "test", NULL, "check the settings, the sandbox and the directory, then end"},
	{0},
};
static const MsUsage usage = {"missentd",
	"judges outgoing mail, as a milter of Postfix or Sendmail", options, NULL,
	"It stays in the foreground.  SIGUSR1 and SIGHUP have it read its files anew, SIGTERM stops it.  See missentd(8)."};

int main(int argc, char **argv)
{
	const char *config = CONFDIR "/missent.conf", *socket = NULL, *argument;
	bool test = false;
	int rest;
	for (int option; (option = ms_usage_next(&usage, argc, argv, &argument, &rest)) != -1;) {
		switch (option) {
		case 'c': config = argument; break;
		case 's': socket = argument; break;
		case 't': test = true; break;
		default: g_assert_not_reached();
		}
	}
	if (rest < argc)
		return ms_usage_wrong(&usage, "it takes options alone");
	return test ? test_config(config) : serve(config, socket);
}
