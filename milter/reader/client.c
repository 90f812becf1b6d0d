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

#include "cache.h"
#include "wire.h"

#define START_MS 30000
#define PASSWORD_WAIT_MS 2000 /* for a worker that tries one; all may be waiting for each other */
#define GRACE_MS 500 /* beyond the worker's own deadline */

typedef struct {
	int socket, pidfd;
	unsigned jobs_left;
	unsigned generation; /* of the supervisor that forked it */
	guint64 filter;      /* that it was forked with */
} Worker;

/* The filters that a message is read with. */
typedef struct {
	guint64 number;
	int added; /* a memory file, or -1 */
} Known;

struct MsReader {
	char *program;
	MsKinds *kinds;
	GBytes *setup;
	MsLimits limits;
	unsigned jobs;
	gint64 wait_ms;
	MsCache *cache;  /* or NULL */
	MsReader *ocr;   /* recognises what is written in pictures, or NULL */

	pthread_mutex_t lock; /* all below */
	int control;          /* replaced when the supervisor died */
	unsigned generation;  /* of the supervisor */
	GPid pid;
	GArray *idle;         /* of Worker: those with jobs left */
	guint64 filter;       /* the supervisor has it; 0: none */
	Known known;          /* number: of the latest change */
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
	static const char *const none[] = {NULL};
	bool help = settings->cache_bytes > 0
		|| (settings->passwords != NULL && settings->passwords[0] != NULL)
		|| settings->limits.max[MS_COST_OCR] > 0;
	g_autoptr(GVariant) setup = g_variant_ref_sink(g_variant_new("(satuttuuuuub^assb)",
		ms_kinds_text(settings->kinds), &costs, settings->limits.max_depth,
		(guint64)settings->limits.milliseconds, settings->limits.memory,
		settings->limits.ocr_dpi, settings->limits.ocr_confidence, settings->limits.ocr_coverage,
		settings->workers, settings->jobs,
		(gboolean)settings->sandbox_optional,
		settings->passwords != NULL ? settings->passwords : none,
		settings->ocr_languages != NULL ? settings->ocr_languages : "eng", (gboolean)help));
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
	char **env = g_new0(char *, 7);
	int n = 0;
	env[n++] = g_strdup("LANG=C.UTF-8");
	env[n++] = g_strdup("PATH=/usr/bin:/bin");
	/* Symbols are resolved once, not in every worker anew. */
	env[n++] = g_strdup("LD_BIND_NOW=1");
	env[n++] = g_strdup("OMP_THREAD_LIMIT=1"); /* no threads: a worker could not start one */
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
	reader->filter = 0;
	reader->known.number = 0;
	if (reader->known.added >= 0)
		close(reader->known.added);
	reader->known.added = -1;
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

/* Recognising takes a second of computing and much memory: few at a time. */
static bool start_ocr(MsReader *reader, const MsReaderSettings *settings, GError **error)
{
	MsReaderSettings ocr = *settings;
	ocr.program = settings->ocr_program;
	ocr.workers = CLAMP(g_get_num_processors() / 2, 1, 4);
	ocr.jobs = 1;
	ocr.cache_bytes = 0;
	ocr.limits.max[MS_COST_OCR] = 0;
	ocr.limits.memory = MAX(settings->limits.memory, 1 << 30);
	reader->ocr = ms_reader_new(&ocr, NULL, error);
	return reader->ocr != NULL;
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
	reader->known.added = -1;
	reader->idle = g_array_new(FALSE, FALSE, sizeof(Worker));
	if (!start(reader, warning_out, error))
		return NULL;
	if (settings->cache_bytes > 0)
		reader->cache = ms_cache_new(settings->cache_bytes);
	if (settings->limits.max[MS_COST_OCR] > 0 && !start_ocr(reader, settings, error))
		return NULL;
	return g_steal_pointer(&reader);
}

void ms_reader_free(MsReader *reader)
{
	if (reader == NULL)
		return;
	stop(reader);
	if (reader->known.added >= 0)
		close(reader->known.added);
	ms_reader_free(reader->ocr);
	ms_cache_free(reader->cache);
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
	out->cache_bytes = reader->cache != NULL ? ms_cache_bytes(reader->cache) : 0;
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

static bool take_idle(MsReader *reader, Worker *worker, int *control, unsigned *generation, bool fresh)
{
	pthread_mutex_lock(&reader->lock);
	bool have = reader->idle->len > 0 && !fresh;
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
	WireWorker packet;
	int fds[2];
	ssize_t n = wire_receive(control, &packet, sizeof packet, fds, 2, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		struct pollfd fd = {control, POLLIN, 0};
		int rc = poll(&fd, 1, timeout_ms);
		return rc < 0 && errno != EINTR ? GOT_EOF : GOT_NOTHING;
	}
	if (n <= 0)
		return n < 0 && errno == EINTR ? GOT_NOTHING : GOT_EOF;
	if (n != sizeof packet || packet.letter != PACKET_WORKER || fds[0] < 0 || fds[1] < 0)
		return GOT_EOF;
	worker->filter = packet.filter;
	worker->socket = fds[0];
	worker->pidfd = fds[1];
	return GOT_WORKER;
}

/* Has it the filter that is in use now?  Then what is in use; else it is let go. */
static bool is_current(MsReader *reader, Worker *worker, Known *known)
{
	pthread_mutex_lock(&reader->lock);
	bool current = worker->filter == reader->filter && worker->generation == reader->generation;
	known->number = reader->known.number;
	known->added = current && reader->known.added >= 0
		? fcntl(reader->known.added, F_DUPFD_CLOEXEC, 3)
		: -1;
	bool fine = current && (known->added >= 0) == (reader->known.added >= 0);
	pthread_mutex_unlock(&reader->lock);
	if (!fine)
		worker_close(worker);
	return fine;
}

/* `fresh`: one that has read nothing yet. */
static bool acquire_any(MsReader *reader, Worker *worker, gint64 wait_ms, bool fresh, GError **error)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	unsigned restarts = 0;
	/* With several jobs a worker, an idle one may come back meanwhile. */
	const gint64 slice = reader->jobs > 1 ? 5 : 1000;
	for (;;) {
		int control;
		unsigned generation;
		if (take_idle(reader, worker, &control, &generation, fresh))
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
				"no reader was free within %" G_GINT64_FORMAT " ms", wait_ms);
			return false;
		}
	}
}

static bool acquire(MsReader *reader, Worker *worker, Known *known, gint64 wait_ms, bool fresh, GError **error)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	do {
		gint64 left = (end - g_get_monotonic_time()) / 1000;
		if (!acquire_any(reader, worker, MAX(left, 0), fresh, error))
			return false;
	} while (!is_current(reader, worker, known));
	return true;
}

static void known_clear(Known *known)
{
	if (known->added >= 0)
		close(known->added);
	known->added = -1;
}

/* ---- what the directory knows --------------------------------------------------------- */

static int image_file(GBytes *image)
{
	gsize len;
	const void *data = g_bytes_get_data(image, &len);
	int fd = ms_memory_file("missent-filter");
	if (fd >= 0 && (!wire_fill(fd, data, len) || !ms_memory_seal(fd))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool no_memory(GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "no memory for the filter of known identifiers: %s",
		g_strerror(errno));
	return false;
}

bool ms_reader_know(MsReader *reader, GBytes *image, guint64 number, GError **error)
{
	int fd = image_file(image);
	if (fd < 0)
		return no_memory(error);
	WireWorker packet = {.letter = PACKET_FILTER, .filter = number};
	pthread_mutex_lock(&reader->lock);
	bool fine = wire_send(reader->control, &packet, sizeof packet, &fd, 1, 0);
	known_clear(&reader->known);
	reader->filter = fine ? number : 0;
	reader->known.number = fine ? number : 0;
	for (guint i = 0; i < reader->idle->len; i++)
		worker_close(&g_array_index(reader->idle, Worker, i));
	g_array_set_size(reader->idle, 0);
	pthread_mutex_unlock(&reader->lock);
	close(fd);
	if (!fine)
		return no_memory(error);
	return reader->ocr == NULL || ms_reader_know(reader->ocr, image, number, error);
}

bool ms_reader_know_also(MsReader *reader, GBytes *image, guint64 number, GError **error)
{
	int fd = image_file(image);
	if (fd < 0)
		return no_memory(error);
	pthread_mutex_lock(&reader->lock);
	bool fine = reader->filter != 0; /* else it was started anew meanwhile */
	if (fine) {
		known_clear(&reader->known);
		reader->known = (Known){number, fd};
	}
	pthread_mutex_unlock(&reader->lock);
	if (!fine)
		close(fd);
	return reader->ocr == NULL || ms_reader_know_also(reader->ocr, image, number, error);
}

guint64 ms_reader_known(MsReader *reader)
{
	if (reader->ocr != NULL && ms_reader_known(reader->ocr) == 0)
		return 0;
	pthread_mutex_lock(&reader->lock);
	guint64 number = reader->known.number;
	pthread_mutex_unlock(&reader->lock);
	return number;
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

/* A worker that does not take its reply must not hold the daemon's thread. */
static JobEnd give(int fd, const void *data, gsize len, gint64 deadline)
{
	const char *p = data;
	while (len > 0) {
		gint64 left = (deadline - g_get_monotonic_time()) / 1000;
		if (left <= 0)
			return JOB_LATE;
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			p += n;
			len -= (gsize)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = {fd, POLLOUT, 0};
			poll(&pfd, 1, (int)MIN(left, 60000));
		} else if (n == 0 || errno != EINTR) {
			return JOB_LOST;
		}
	}
	return JOB_DONE;
}

/* ---- questions ---- */

typedef struct {
	MsReader *reader;
	const Worker *worker;
	int message_fd;
	gint64 deadline;
	guint8 *map;   /* the message, once a question needs it */
	gsize size;
	const Known *known;
	bool document; /* the job is one document: it has nothing to ask but about pictures */
	guint asked, pictures;
} Talk;

static bool map_message(Talk *talk)
{
	off_t size = lseek(talk->message_fd, 0, SEEK_END);
	if (talk->map != NULL || size <= 0)
		return talk->map != NULL;
	talk->size = (gsize)size;
	talk->map = mmap(NULL, talk->size, PROT_READ, MAP_PRIVATE, talk->message_fd, 0);
	if (talk->map == MAP_FAILED)
		talk->map = NULL;
	return talk->map != NULL;
}

static JobEnd run_job(MsReader *reader, const Worker *worker, const Known *known, int fd,
	const WireQuestion *document, gint64 deadline, GBytes **bytes_out);
static void finish(MsReader *reader, Worker *worker, bool fine);

/* The document read by a worker of its own, which has read nothing else; NULL if there was none
 * to be had at once, or it failed. */
static MsReading *read_alone(MsReader *reader, int fd, const WireQuestion *document, gint64 wait_ms,
	gint64 deadline, guint64 number, GBytes **bytes_out)
{
	Worker worker;
	Known known;
	JobEnd end = JOB_UNTOUCHED;
	for (int i = 0; i < 3 && end == JOB_UNTOUCHED; i++) {
		if (!acquire(reader, &worker, &known, wait_ms, true, NULL))
			return NULL;
		/* Read with other filters it would not fit to the rest of the message. */
		end = known.number == number
			? run_job(reader, &worker, &known, fd, document, deadline, bytes_out)
			: JOB_LOST;
		known_clear(&known);
		if (end == JOB_UNTOUCHED)
			finish(reader, &worker, false);
	}
	if (end == JOB_UNTOUCHED)
		return NULL;
	MsReading *reading = end == JOB_DONE ? ms_reading_decode(*bytes_out, NULL) : NULL;
	finish(reader, &worker, reading != NULL);
	if (reading == NULL && *bytes_out != NULL)
		g_clear_pointer(bytes_out, g_bytes_unref);
	return reading;
}

/* Every reading in the cache comes from here: made alone, and complete. */
static GBytes *make_known(Talk *talk, const WireQuestion *question, const MsCacheKey *key)
{
	GBytes *bytes = NULL;
	g_autoptr(MsReading) reading =
		read_alone(talk->reader, talk->message_fd, question, 20, talk->deadline,
			talk->known->number, &bytes);
	if (reading != NULL && reading->unread->len == 0)
		ms_cache_keep(talk->reader->cache, key, bytes);
	return bytes;
}

/* A password is tried by a worker of its own, for the library that tries it may crash. */
static bool tries_password(const WireQuestion *question)
{
	guint lines = 0;
	for (const char *p = question->as; *p != '\0'; p++)
		lines += *p == '\n';
	return lines == 3;
}

static GBytes *answer_known(Talk *talk, const WireQuestion *question)
{
	MsCacheKey key;
	bool again;
	if (!map_message(talk) || question->end > talk->size)
		return NULL;
	if (tries_password(question)) {
		GBytes *bytes = NULL;
		ms_reading_free(read_alone(talk->reader, talk->message_fd, question, PASSWORD_WAIT_MS,
			talk->deadline, talk->known->number, &bytes));
		return bytes;
	}
	if (talk->reader->cache == NULL)
		return NULL;
	ms_cache_key(talk->reader->cache, talk->map + question->start,
		question->end - question->start, question->as, talk->known->number, &key);
	GBytes *known = ms_cache_find(talk->reader->cache, &key, &again);
	pthread_mutex_lock(&talk->reader->lock);
	talk->reader->stats.cache_asked++;
	talk->reader->stats.cache_hits += known != NULL;
	pthread_mutex_unlock(&talk->reader->lock);
	return known == NULL && again ? make_known(talk, question, &key) : known;
}

static GBytes *answer_picture(Talk *talk, const WireQuestion *question, const guint8 *data, gsize len)
{
	MsReader *ocr = talk->reader->ocr;
	bool allowed = talk->pictures++ < talk->reader->limits.max[MS_COST_OCR];
	int fd = ocr != NULL && allowed ? ms_memory_file("missent-picture") : -1;
	if (fd < 0)
		return NULL;
	WireQuestion document = *question;
	document.end = len;
	GBytes *bytes = NULL;
	if (wire_fill(fd, data, len) && ms_memory_seal(fd)) {
		gint64 wait = (talk->deadline - g_get_monotonic_time()) / 1000;
		ms_reading_free(
			read_alone(ocr, fd, &document, MAX(wait, 1), talk->deadline, talk->known->number, &bytes));
	}
	close(fd);
	return bytes;
}

/* Takes a question of `len` bytes from the worker and replies to it. */
static JobEnd reply(Talk *talk, guint64 len)
{
	WireQuestion question;
	if (len < sizeof question || len > sizeof question + MAX_PICTURE
		|| talk->asked++ >= MAX_QUESTIONS)
		return JOB_LOST;
	JobEnd end = receive(talk->worker->socket, &question, sizeof question, talk->deadline);
	if (end != JOB_DONE)
		return end;
	gsize more = len - sizeof question;
	g_autofree guint8 *data = more > 0 ? g_try_malloc(more) : NULL;
	bool fine = question.as[WIRE_AS - 1] == '\0' && question.start <= question.end
		&& (more > 0 ? question.end == 0 && data != NULL
			     : question.start < question.end && !talk->document);
	if (!fine)
		return JOB_LOST;
	if (more > 0)
		end = receive(talk->worker->socket, data, more, talk->deadline);
	if (end != JOB_DONE)
		return end;
	g_autoptr(GBytes) bytes = more > 0 ? answer_picture(talk, &question, data, more)
					   : answer_known(talk, &question);
	gsize size = 0;
	const void *reading = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;
	WireHeader header = {REPLY_MAGIC, size};
	end = give(talk->worker->socket, &header, sizeof header, talk->deadline);
	return end == JOB_DONE ? give(talk->worker->socket, reading, size, talk->deadline) : end;
}

static JobEnd take_answer(const Worker *worker, guint64 len, gint64 deadline, GBytes **bytes_out)
{
	if (len > MS_READING_MAX_BYTES)
		return JOB_LOST;
	guint8 *data = g_malloc(len + 1);
	JobEnd end = receive(worker->socket, data, len, deadline);
	if (end == JOB_DONE)
		*bytes_out = g_bytes_new_take(data, len);
	else
		g_free(data);
	return end;
}

static JobEnd run_job(MsReader *reader, const Worker *worker, const Known *known, int fd,
	const WireQuestion *document, gint64 deadline, GBytes **bytes_out)
{
	const int files[2] = {fd, known->added};
	WireHeader header = {JOB_MAGIC, 0};
	if (document != NULL)
		memcpy(header.magic, DOCUMENT_MAGIC, sizeof header.magic);
	if (!wire_send(worker->socket, &header, sizeof header, files, known->added >= 0 ? 2 : 1, 0)
		|| (document != NULL
			&& give(worker->socket, document, sizeof *document, deadline) != JOB_DONE))
		return JOB_UNTOUCHED;
	Talk talk = {.reader = reader, .worker = worker, .message_fd = fd, .deadline = deadline, .known = known,
		.document = document != NULL};
	JobEnd end = receive(worker->socket, &header, sizeof header, deadline);
	bool touched = end == JOB_DONE;
	while (end == JOB_DONE) {
		if (memcmp(header.magic, ANSWER_MAGIC, 8) == 0) {
			end = take_answer(worker, header.len, deadline, bytes_out);
			break;
		}
		end = memcmp(header.magic, QUESTION_MAGIC, 8) == 0 ? reply(&talk, header.len) : JOB_LOST;
		if (end == JOB_DONE)
			end = receive(worker->socket, &header, sizeof header, deadline);
	}
	if (talk.map != NULL)
		munmap(talk.map, talk.size);
	return touched && end == JOB_UNTOUCHED ? JOB_LOST : end;
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

static bool read_as(MsReader *reader, int message_fd, const WireQuestion *document,
	MsReading **reading_out, guint64 *known_out, GError **error)
{
	Worker worker;
	Known known = {0, -1};
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) refused = NULL;
	JobEnd end = JOB_UNTOUCHED;
	for (int i = 0; end == JOB_UNTOUCHED && i < MAX_DEAD_WORKERS; i++) {
		if (i > 0)
			finish(reader, &worker, false);
		if (!acquire(reader, &worker, &known, reader->wait_ms, false, error))
			return false;
		gint64 deadline =
			g_get_monotonic_time() + (reader->limits.milliseconds + GRACE_MS) * 1000;
		end = run_job(reader, &worker, &known, message_fd, document, deadline, &bytes);
		known_clear(&known);
	}
	/* A program for pictures that was started anew has nothing, until it is given all again. */
	if (reader->ocr != NULL && ms_reader_known(reader->ocr) != known.number)
		known.number = 0;
	if (known_out != NULL)
		*known_out = known.number;
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

bool ms_reader_read(MsReader *reader, int message_fd, MsReading **reading_out, guint64 *known_out,
	GError **error)
{
	return read_as(reader, message_fd, NULL, reading_out, known_out, error);
}

bool ms_reader_view(MsReader *reader, int message_fd, const char *as, MsReading **reading_out,
	GError **error)
{
	off_t size = lseek(message_fd, 0, SEEK_END);
	WireQuestion document = {.start = 0, .end = (guint64)MAX(size, 0)};
	g_strlcpy(document.as, as, sizeof document.as);
	return read_as(reader, message_fd, &document, reading_out, NULL, error);
}
