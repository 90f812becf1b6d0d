/*
 * One missent-reader process: starting it, asking whether it lives, taking workers from it, ending
 * it.  Whose thread: that of the message that needs a worker, and the one that watches.  A crew's
 * descriptors never change, so that whoever holds it may wait on them without a lock.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/wire.h"

#include "crew.h"

#define START_MS 30000
#define PULSE_STEP_MS 50
/* An answer about a worker may take, and the worker to end, which closes its line before that. */
#define ENDED_MS 2000
#define ENDED_US 10000
#define STEP_BACK 4      /* two fifths of what others get, where others want it */
#define STEP_FAR_BACK 10 /* a tenth */

struct MsCrew {
	gint refs;
	GPid pid;
	int control, pulse;
	atomic_bool gone;
	char *workers; /* never changes */
	pthread_mutex_t asking; /* one question at a time */
	pthread_mutex_t lock; /* all below */
	bool reaped;
	char *trouble;
};

/* ---- starting ------------------------------------------------------------------------- */

static int setup_file(GBytes *setup)
{
	gsize len;
	const void *data = g_bytes_get_data(setup, &len);
	return ms_memory_of("missent-setup", data, len);
}

/* Nothing of the daemon's environment is the reader's business. */
static char **clean_environment(void)
{
	char **env = g_new0(char *, 9);
	int n = 0;
	env[n++] = g_strdup("LANG=C.UTF-8");
	env[n++] = g_strdup("PATH=/usr/bin:/bin");
	/* Symbols are resolved once, not in every worker anew. */
	env[n++] = g_strdup("LD_BIND_NOW=1");
	/* GLib's own way, up to 2.74, has caches of its own, whose pages every worker would
	 * copy. */
	env[n++] = g_strdup("G_SLICE=always-malloc");
	/* A page of a document is thousands of small pieces that are let go of at once and then
	 * asked for again: malloc keeps so many of each size as they are, at most 66 MB of all
	 * sizes. */
	env[n++] = g_strdup("GLIBC_TUNABLES=glibc.malloc.tcache_count=2000");
	env[n++] = g_strdup("OMP_THREAD_LIMIT=1"); /* no threads: a worker could not start one */
	static const char *const kept[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS"};
	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
		if (g_getenv(kept[i]) != NULL)
			env[n++] = g_strdup_printf("%s=%s", kept[i], g_getenv(kept[i]));
	return env;
}

static void close_pair(const int *pair)
{
	for (int i = 0; i < 2; i++)
		ms_io_close(pair[i]);
}

static bool spawn(MsCrew *crew, const char *file, const char *program, int setup, int control,
	int pulse, GError **error)
{
	const int sources[3] = {control, setup, pulse};
	const int targets[3] = {MS_CONTROL_FD, MS_SETUP_FD, MS_PULSE_FD};
	const char *argv[] = {file, program, MS_WIRE_VERSION, NULL};
	g_auto(GStrv) env = clean_environment();
	return g_spawn_async_with_pipes_and_fds("/", argv, (const char *const *)env,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO, NULL, NULL, -1, -1, -1,
		sources, targets, 3, &crew->pid, NULL, NULL, NULL, error);
}

static bool launch(
	MsCrew *crew, const char *program, int held, GBytes *setup, GError **error)
{
	g_autofree char *own = g_strdup_printf("/proc/self/fd/%d", held);
	int control[2] = {-1, -1}, pulse[2] = {-1, -1};
	int file = setup_file(setup);
	bool fine = file >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0
		&& socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pulse) == 0;
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-reader cannot be started: %s",
			g_strerror(errno));
	/* A confinement of ours may know no file that has no name any more. */
	else if ((held >= 0 && !ms_io_has_name(held, program) &&
			 spawn(crew, own, program, file, control[1], pulse[1], NULL)) ||
		spawn(crew, program, program, file, control[1], pulse[1], error)) {
		crew->control = control[0];
		crew->pulse = pulse[0];
		control[0] = pulse[0] = -1;
	} else {
		g_prefix_error(error, "a reader cannot be started, see reader { program }: ");
		fine = false;
	}
	ms_io_close(file);
	close_pair(control);
	close_pair(pulse);
	return fine;
}

/* The first packet says whether it works. */
static bool greet(MsCrew *crew, char **warning_out, GError **error)
{
	char packet[MS_PACKET_MAX + 1];
	struct pollfd fd = {crew->control, POLLIN, 0};
	ssize_t n = poll(&fd, 1, START_MS) == 1 ? recv(crew->control, packet, MS_PACKET_MAX, 0)
						: -1;
	if (n < 1) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-reader did not start (of another version? "
			"systemctl restart missent missent-agent)");
		return false;
	}
	packet[n] = '\0';
	if (packet[0] != MS_PACKET_READY) {
		g_set_error(error, MS_ERROR,
			packet[0] == MS_PACKET_SHORT ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
			"missent-reader: %s", packet + 1);
		return false;
	}
	char *workers = strchr(packet, '\n');
	if (workers != NULL)
		*workers++ = '\0';
	crew->workers = g_strdup(workers);
	if (warning_out != NULL)
		*warning_out = packet[1] != '\0' ? g_strdup(packet + 1) : NULL;
	return true;
}

MsCrew *crew_start(
	const char *program, int held, GBytes *setup, char **warning_out, GError **error)
{
	g_autoptr(MsCrew) crew = g_new0(MsCrew, 1);
	crew->refs = 1;
	crew->control = crew->pulse = -1;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_mutex_init(&crew->asking, NULL);
	if (!launch(crew, program, held, setup, error) || !greet(crew, warning_out, error))
		return NULL;
	return g_steal_pointer(&crew);
}

const char *crew_workers(const MsCrew *crew)
{
	return crew->workers;
}

MsCrew *crew_ref(MsCrew *crew)
{
	g_atomic_int_inc(&crew->refs);
	return crew;
}

void crew_unref(MsCrew *crew)
{
	if (crew == NULL || !g_atomic_int_dec_and_test(&crew->refs))
		return;
	crew_end(crew);
	ms_io_close(crew->control);
	ms_io_close(crew->pulse);
	pthread_mutex_destroy(&crew->lock);
	pthread_mutex_destroy(&crew->asking);
	g_free(crew->trouble);
	g_free(crew->workers);
	g_free(crew);
}

/* ---- living and dying ----------------------------------------------------------------- */

/* KILL ends one that was stopped, too; its workers die with it (PR_SET_PDEATHSIG). */
void crew_end(MsCrew *crew)
{
	atomic_store(&crew->gone, true);
	pthread_mutex_lock(&crew->lock);
	if (!crew->reaped && crew->pid > 0) {
		kill(crew->pid, SIGKILL);
		ms_io_wait(crew->pid);
		crew->reaped = true;
	}
	pthread_mutex_unlock(&crew->lock);
}

/* Its descriptors are closed before its workers are told of its death, so who learns of it from a
 * worker finds it here. */
bool crew_is_gone(MsCrew *crew)
{
	struct pollfd fd = {crew->pulse, 0, 0};
	if (!atomic_load(&crew->gone) && poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR)))
		atomic_store(&crew->gone, true);
	return atomic_load(&crew->gone);
}

static void keep_trouble(MsCrew *crew, const MsWirePulse *pulse)
{
	pthread_mutex_lock(&crew->lock);
	g_free(crew->trouble);
	crew->trouble = pulse->why != 0 ? g_strdup_printf("%.*s: %s", (int)sizeof pulse->what,
						  pulse->what, g_strerror(pulse->why))
					: NULL;
	pthread_mutex_unlock(&crew->lock);
}

char *crew_trouble(MsCrew *crew)
{
	pthread_mutex_lock(&crew->lock);
	char *trouble = g_strdup(crew->trouble);
	pthread_mutex_unlock(&crew->lock);
	return trouble;
}

/* A step in which this thread itself did not come to run in time (a machine with too much to do,
 * one that was stopped and goes on) proves nothing of the other: it counts as it should have
 * been. */
static bool ask(MsCrew *crew, pid_t pid, int ms, MsWirePulse *pulse)
{
	const MsWireAsk question = {MS_PACKET_PULSE, pid};
	gint64 left = ms;
	if (!ms_wire_send(crew->pulse, &question, sizeof question, NULL, 0, MSG_DONTWAIT)
		&& !ms_wire_is_short(errno))
		return false;
	for (;;) {
		struct pollfd fd = {crew->pulse, POLLIN, 0};
		if (atomic_load(&crew->gone) || left <= 0)
			return false;
		gint64 then = g_get_monotonic_time();
		if (poll(&fd, 1, PULSE_STEP_MS) != 1) {
			left -= MIN((g_get_monotonic_time() - then) / 1000 + 1, PULSE_STEP_MS);
			continue;
		}
		ssize_t n = recv(crew->pulse, pulse, sizeof *pulse, MSG_DONTWAIT);
		if (n != sizeof *pulse)
			return false;
		keep_trouble(crew, pulse);
		if (pulse->pid == pid) /* else who asked did not wait for it */
			return true;
	}
}

static bool ask_in_turn(MsCrew *crew, pid_t pid, int ms, MsWirePulse *pulse)
{
	pthread_mutex_lock(&crew->asking);
	bool fine = ask(crew, pid, ms, pulse);
	pthread_mutex_unlock(&crew->asking);
	return fine;
}

bool crew_pulse(MsCrew *crew, int ms)
{
	MsWirePulse pulse;
	return ask_in_turn(crew, 0, ms, &pulse);
}

bool crew_know(MsCrew *crew, int image, guint64 number)
{
	MsWireWorker packet = {.letter = MS_PACKET_FILTER, .filter = number};
	/* The caller holds a lock that messages wait for; who does not read is ended soon. */
	return ms_wire_send(crew->control, &packet, sizeof packet, &image, 1, MSG_DONTWAIT);
}

/* ---- workers -------------------------------------------------------------------------- */

Got crew_take(MsCrew *crew, int timeout_ms, Worker *out)
{
	MsWireWorker packet;
	int fds[2];
	if (crew_is_gone(crew))
		return GOT_GONE;
	ssize_t n = ms_wire_receive(crew->control, &packet, sizeof packet, fds, 2, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		struct pollfd fd = {crew->control, POLLIN, 0};
		int rc = poll(&fd, 1, timeout_ms);
		return rc < 0 && errno != EINTR ? GOT_GONE : GOT_NOTHING;
	}
	if (n <= 0)
		return n < 0 && (errno == EINTR || ms_wire_is_short(errno)) ? GOT_NOTHING
									    : GOT_GONE;
	if (n != sizeof packet || packet.letter != MS_PACKET_WORKER)
		return GOT_GONE;
	*out = (Worker){.socket = fds[0],
		.pidfd = fds[1],
		.pid = packet.pid,
		.filter = packet.filter,
		.serial = packet.serial,
		.before = packet.before};
	if (fds[0] >= 0 && (fds[1] >= 0 || packet.serial != 0)) {
		out->crew = crew_ref(crew);
		return GOT_WORKER;
	}
	/* The kernel gives what there is room for, and drops the rest: this worker is lost, which
	 * it sees by its socket. */
	worker_close(out);
	return GOT_SHORT;
}

bool worker_was_ended(const Worker *worker)
{
	const gint64 end = g_get_monotonic_time() + ENDED_MS * 1000;
	for (MsWirePulse pulse;;) {
		if (!ask_in_turn(worker->crew, worker->pid, ENDED_MS, &pulse))
			return false;
		if (pulse.ended != MS_ENDED_NOT_YET || g_get_monotonic_time() > end)
			return pulse.ended == MS_ENDED_BY_ANOTHER;
		g_usleep(ENDED_US);
	}
}

void worker_close(Worker *worker)
{
	ms_io_close(worker->socket);
	ms_io_close(worker->pidfd);
	worker->socket = worker->pidfd = -1;
	g_clear_pointer(&worker->crew, crew_unref);
}

void worker_kill(Worker *worker)
{
	const MsWireWorker packet = {
		.letter = MS_PACKET_KILLED, .pid = worker->pid, .serial = worker->serial};
	/* Before its death; and one that may have another's message by now is killed by who knows
	 * that. */
	ms_wire_send(worker->crew->control, &packet, sizeof packet, NULL, 0,
		worker->serial != 0 ? 0 : MSG_DONTWAIT);
	if (worker->serial == 0)
		syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
	worker_close(worker);
}

/* What clock_getcpuclockid() gives, which would ask the kernel whether it is one: that is told by
 * whoever reads it. */
static clockid_t clock_of(pid_t pid)
{
	return (clockid_t)(~(unsigned)pid << 3 | 2);
}

gint64 worker_cpu(const Worker *worker)
{
	struct timespec t;
	if (worker->pid <= 0 || clock_gettime(clock_of(worker->pid), &t) != 0)
		return 0;
	return t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000 - worker->before;
}

void worker_step_back(const Worker *worker, bool far)
{
	setpriority(PRIO_PROCESS, (id_t)worker->pid, far ? STEP_FAR_BACK : STEP_BACK);
}
