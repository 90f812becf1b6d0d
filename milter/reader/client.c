#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"

#include "wire.h"

#define START_MS 30000
#define GRACE_MS 500 /* beyond the worker's own deadline */

typedef struct {
	int socket, pidfd;
	unsigned jobs_left;
	unsigned generation; /* of the supervisor that forked it */
} Worker;

struct MsReader {
	char *program;
	MsKinds *kinds;
	GBytes *setup;
	MsLimits limits;
	unsigned jobs;
	gint64 wait_ms;

	pthread_mutex_t lock; /* all below */
	int control;          /* replaced when the supervisor died */
	unsigned generation;  /* of the supervisor */
	GPid pid;
	GArray *idle;         /* of Worker: those with jobs left */
	MsReaderStats stats;
};

/* ---- memory files --------------------------------------------------------------------- */

int ms_memory_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

bool ms_memory_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

/* ---- the supervisor ------------------------------------------------------------------- */

static GBytes *make_setup(const MsReaderSettings *settings)
{
	GVariantBuilder costs;
	g_variant_builder_init(&costs, G_VARIANT_TYPE("at"));
	for (int i = 0; i < MS_N_COSTS; i++)
		g_variant_builder_add(&costs, "t", settings->limits.max[i]);
	g_autoptr(GVariant) setup = g_variant_ref_sink(g_variant_new("(satuttuub)",
		ms_kinds_text(settings->kinds), &costs, settings->limits.max_depth,
		(guint64)settings->limits.milliseconds, settings->limits.memory, settings->workers,
		settings->jobs, (gboolean)settings->sandbox_optional));
	return g_variant_get_data_as_bytes(setup);
}

static int setup_file(GBytes *setup)
{
	int fd = ms_memory_file("missent-setup");
	gsize len;
	const void *data = g_bytes_get_data(setup, &len);
	if (fd >= 0 && (pwrite(fd, data, len, 0) != (ssize_t)len || !ms_memory_seal(fd))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Nothing of the daemon's environment is the reader's business. */
static char **clean_environment(void)
{
	char **env = g_new0(char *, 6);
	int n = 0;
	env[n++] = g_strdup("LANG=C.UTF-8");
	env[n++] = g_strdup("PATH=/usr/bin:/bin");
	/* Symbols are resolved once, not in every worker anew. */
	env[n++] = g_strdup("LD_BIND_NOW=1");
	static const char *const kept[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS"};
	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
		if (g_getenv(kept[i]) != NULL)
			env[n++] = g_strdup_printf("%s=%s", kept[i], g_getenv(kept[i]));
	return env;
}

static bool spawn(MsReader *reader, GPid *pid, int *control, GError **error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "socketpair: %s", g_strerror(errno));
		return false;
	}
	int setup = setup_file(reader->setup);
	const int sources[2] = {pair[1], setup};
	const int targets[2] = {CONTROL_FD, SETUP_FD};
	const char *argv[] = {reader->program, NULL};
	g_auto(GStrv) env = clean_environment();
	bool fine = setup >= 0
		&& g_spawn_async_with_pipes_and_fds("/", argv, (const char *const *)env,
			G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1, sources, targets, 2, pid, NULL,
			NULL, NULL, error);
	if (setup < 0)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "memory file: %s", g_strerror(errno));
	else
		close(setup);
	close(pair[1]);
	if (fine)
		*control = pair[0];
	else
		close(pair[0]);
	return fine;
}

/* The first packet says whether it works. */
static bool greet(int control, char **warning_out, GError **error)
{
	char packet[PACKET_MAX + 1];
	struct pollfd fd = {control, POLLIN, 0};
	ssize_t n = poll(&fd, 1, START_MS) == 1 ? recv(control, packet, PACKET_MAX, 0) : -1;
	if (n < 1) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-reader did not start");
		return false;
	}
	packet[n] = '\0';
	if (packet[0] != PACKET_READY) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "missent-reader: %s", packet + 1);
		return false;
	}
	if (warning_out != NULL)
		*warning_out = n > 1 ? g_strdup(packet + 1) : NULL;
	return true;
}

static bool start(MsReader *reader, char **warning_out, GError **error)
{
	GPid pid;
	int control;
	if (!spawn(reader, &pid, &control, error))
		return false;
	if (!greet(control, warning_out, error)) {
		close(control);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return false;
	}
	reader->pid = pid;
	reader->control = control;
	reader->generation++;
	return true;
}

static void worker_close(Worker *worker)
{
	close(worker->socket);
	close(worker->pidfd);
}

static void stop(MsReader *reader)
{
	for (guint i = 0; i < reader->idle->len; i++)
		worker_close(&g_array_index(reader->idle, Worker, i));
	g_array_set_size(reader->idle, 0);
	if (reader->control < 0)
		return;
	close(reader->control); /* the supervisor ends, and its workers with it */
	reader->control = -1;
	kill(reader->pid, SIGKILL);
	waitpid(reader->pid, NULL, 0);
}

MsReader *ms_reader_new(const MsReaderSettings *settings, char **warning_out, GError **error)
{
	g_autoptr(MsReader) reader = g_new0(MsReader, 1);
	pthread_mutex_init(&reader->lock, NULL);
	reader->program = g_strdup(settings->program);
	reader->kinds = ms_kinds_ref((MsKinds *)settings->kinds);
	reader->setup = make_setup(settings);
	reader->limits = settings->limits;
	reader->jobs = settings->jobs;
	reader->wait_ms = settings->wait_ms;
	reader->control = -1;
	reader->idle = g_array_new(FALSE, FALSE, sizeof(Worker));
	if (!start(reader, warning_out, error))
		return NULL;
	return g_steal_pointer(&reader);
}

void ms_reader_free(MsReader *reader)
{
	if (reader == NULL)
		return;
	stop(reader);
	pthread_mutex_destroy(&reader->lock);
	ms_kinds_unref(reader->kinds);
	g_bytes_unref(reader->setup);
	g_array_free(reader->idle, TRUE);
	g_free(reader->program);
	g_free(reader);
}

void ms_reader_stats(MsReader *reader, MsReaderStats *out)
{
	pthread_mutex_lock(&reader->lock);
	*out = reader->stats;
	pthread_mutex_unlock(&reader->lock);
}

/* ---- having a worker ------------------------------------------------------------------ */

/* Only the first thread that sees a supervisor dead replaces it. */
static bool restart(MsReader *reader, unsigned seen, GError **error)
{
	pthread_mutex_lock(&reader->lock);
	bool fine = true;
	if (reader->generation == seen) {
		stop(reader);
		fine = start(reader, NULL, error);
	}
	pthread_mutex_unlock(&reader->lock);
	return fine;
}

static bool take_idle(MsReader *reader, Worker *worker, int *control, unsigned *generation)
{
	pthread_mutex_lock(&reader->lock);
	bool have = reader->idle->len > 0;
	if (have) {
		*worker = g_array_index(reader->idle, Worker, reader->idle->len - 1);
		g_array_set_size(reader->idle, reader->idle->len - 1);
	}
	/* Our own descriptor: another thread may replace the supervisor while we wait. */
	*control = have ? -1 : fcntl(reader->control, F_DUPFD_CLOEXEC, 3);
	*generation = reader->generation;
	pthread_mutex_unlock(&reader->lock);
	return have;
}

typedef enum { GOT_WORKER, GOT_NOTHING, GOT_EOF } Got;

static Got next_packet(int control, int timeout_ms, Worker *worker)
{
	char letter;
	int fds[2];
	ssize_t n = wire_receive(control, &letter, 1, fds, 2, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		struct pollfd fd = {control, POLLIN, 0};
		int rc = poll(&fd, 1, timeout_ms);
		return rc < 0 && errno != EINTR ? GOT_EOF : GOT_NOTHING;
	}
	if (n <= 0)
		return n < 0 && errno == EINTR ? GOT_NOTHING : GOT_EOF;
	if (letter != PACKET_WORKER || fds[0] < 0 || fds[1] < 0)
		return GOT_EOF;
	worker->socket = fds[0];
	worker->pidfd = fds[1];
	return GOT_WORKER;
}

static bool acquire(MsReader *reader, Worker *worker, GError **error)
{
	gint64 end = g_get_monotonic_time() + reader->wait_ms * 1000;
	unsigned restarts = 0;
	/* With several jobs a worker, an idle one may come back meanwhile. */
	const gint64 slice = reader->jobs > 1 ? 5 : 1000;
	for (;;) {
		int control;
		unsigned generation;
		if (take_idle(reader, worker, &control, &generation))
			return true;
		Got got = GOT_EOF;
		gint64 left = (end - g_get_monotonic_time()) / 1000;
		do {
			if (control >= 0)
				got = next_packet(control, (int)CLAMP(left, 0, slice), worker);
			left = (end - g_get_monotonic_time()) / 1000;
		} while (got == GOT_NOTHING && left > 0 && reader->jobs == 1);
		if (control >= 0)
			close(control);
		worker->jobs_left = reader->jobs;
		worker->generation = generation;
		if (got == GOT_WORKER)
			return true;
		if (got == GOT_EOF && (restarts++ > 2 || !restart(reader, generation, error))) {
			if (error != NULL && *error == NULL)
				g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-reader keeps dying");
			return false;
		}
		if (left <= 0) {
			g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
				"no reader was free within %" G_GINT64_FORMAT " ms", reader->wait_ms);
			return false;
		}
	}
}

/* ---- one message ---------------------------------------------------------------------- */

/* UNTOUCHED: the worker was dead before it took the job, so another may have it. */
typedef enum { JOB_DONE, JOB_LATE, JOB_LOST, JOB_UNTOUCHED } JobEnd;

static JobEnd receive(int fd, void *data, gsize len, gint64 deadline)
{
	char *p = data;
	while (len > 0) {
		gint64 left = (deadline - g_get_monotonic_time()) / 1000;
		struct pollfd pfd = {fd, POLLIN, 0};
		int rc = left > 0 ? poll(&pfd, 1, (int)MIN(left, 60000)) : 0;
		if (rc == 0 && left <= 0)
			return JOB_LATE;
		if (rc <= 0)
			continue;
		ssize_t n = recv(fd, p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		/* A Unix socket that is closed with data unread in it is reset. */
		if (n < 0 && errno == ECONNRESET)
			return JOB_UNTOUCHED;
		if (n <= 0)
			return JOB_LOST;
		p += n;
		len -= (gsize)n;
	}
	return JOB_DONE;
}

static JobEnd converse(MsReader *reader, const Worker *worker, int message_fd, GBytes **bytes_out)
{
	gint64 deadline = g_get_monotonic_time() + (reader->limits.milliseconds + GRACE_MS) * 1000;
	WireHeader header = {JOB_MAGIC, 0};
	if (!wire_send(worker->socket, &header, sizeof header, &message_fd, 1, 0))
		return JOB_UNTOUCHED;
	JobEnd end = receive(worker->socket, &header, sizeof header, deadline);
	if (end != JOB_DONE)
		return end;
	if (memcmp(header.magic, ANSWER_MAGIC, sizeof header.magic) != 0
		|| header.len > MS_READING_MAX_BYTES)
		return JOB_LOST;
	guint8 *data = g_malloc(header.len + 1);
	end = receive(worker->socket, data, header.len, deadline);
	if (end == JOB_DONE)
		*bytes_out = g_bytes_new_take(data, header.len);
	else
		g_free(data);
	return end;
}

static void finish(MsReader *reader, Worker *worker, bool fine)
{
	pthread_mutex_lock(&reader->lock);
	reader->stats.messages += fine;
	reader->stats.workers_lost += !fine;
	bool keep = fine && --worker->jobs_left > 0 && reader->generation == worker->generation;
	if (keep)
		g_array_append_val(reader->idle, *worker);
	pthread_mutex_unlock(&reader->lock);
	if (keep)
		return;
	if (!fine)
		syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
	worker_close(worker);
}

static MsReading *unreadable(MsUnreadReason reason, const char *why)
{
	MsReading *reading = ms_reading_new();
	ms_reading_unread(reading, "message", reason, "%s", why);
	return reading;
}

/* When the supervisor dies, so do all workers that wait in the queue. */
#define MAX_DEAD_WORKERS 300

bool ms_reader_read(MsReader *reader, int message_fd, MsReading **reading_out, GError **error)
{
	Worker worker;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) refused = NULL;
	JobEnd end = JOB_UNTOUCHED;
	for (int i = 0; end == JOB_UNTOUCHED && i < MAX_DEAD_WORKERS; i++) {
		if (i > 0)
			finish(reader, &worker, false);
		if (!acquire(reader, &worker, error))
			return false;
		end = converse(reader, &worker, message_fd, &bytes);
	}
	MsReading *reading = end == JOB_DONE ? ms_reading_decode(bytes, &refused) : NULL;
	finish(reader, &worker, reading != NULL);
	if (end == JOB_LATE)
		reading = unreadable(MS_UNREAD_TIME, "the worker was stopped at its deadline");
	else if (end == JOB_LOST || end == JOB_UNTOUCHED)
		reading = unreadable(MS_UNREAD_WORKER, "the worker died while reading");
	else if (reading == NULL)
		reading = unreadable(MS_UNREAD_WORKER, refused->message);
	*reading_out = reading;
	return true;
}
