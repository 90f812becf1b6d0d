/*
 * The reader's client: in the judging wing, on the other side of the sockets.
 *
 * A message comes in by ms_reader_read(), in a thread of the front door's.  It waits for its turn
 * (queue.c), takes a worker of the crew (crew.c), has its job done (job.c) and gives the reading
 * back.  Two programs have crews: the small reader, which mail goes to first, and the full one,
 * which has the messages that the small one hands on because there is a document in them.  A crew
 * that died, or that the watcher's pulse shows to hang, is replaced by whoever needs it first;
 * the messages that its workers had are read once more, each alone in a process of its own, so
 * that none of them can take another along.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/io.h"

#include "client_private.h"

#define GRACE_MS 500   /* beyond the worker's own deadline */
#define PULSE_MS 4000  /* a crew that does not answer for so long hangs */
#define ALONE 2        /* messages that are read once more at a time */
#define AGAIN_US 100000
#define TURN_MS 5000   /* a message whose turn it is waits for its worker for so long at least */
#define DEATHS 5       /* crews that die under one message before it is told so */

/* ---- memory files --------------------------------------------------------------------- */

int ms_memory_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

bool ms_memory_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
		0;
}

int ms_memory_of(const char *name, const void *data, gsize len)
{
	int fd = ms_memory_file(name);
	if (fd < 0 || (ms_io_write(fd, data, len) && ms_memory_seal(fd)))
		return fd;
	ms_io_close(fd);
	return -1;
}

/* ---- the crew ------------------------------------------------------------------------- */

static GBytes *make_setup(const MsReaderSettings *settings, guint workers)
{
	const MsLimits *most = settings->most != NULL ? settings->most : &settings->limits;
	GVariantBuilder costs;
	g_variant_builder_init(&costs, G_VARIANT_TYPE("at"));
	for (int i = 0; i < MS_N_COSTS; i++)
		g_variant_builder_add(&costs, "t", most->max[i]);
	static const char *const none[] = {NULL};
	bool help = settings->cache_bytes > 0 || settings->asks_passwords
		|| (settings->passwords != NULL && settings->passwords[0] != NULL)
		|| most->max[MS_COST_OCR] > 0;
	g_autoptr(GVariant) setup = g_variant_ref_sink(
		g_variant_new("(satuttuuuuub^assbbb)", ms_kinds_text(settings->kinds), &costs,
			most->max_depth, (guint64)most->milliseconds,
			most->memory, most->ocr_dpi,
			most->ocr_confidence, most->ocr_coverage, workers,
			settings->jobs, (gboolean)settings->sandbox_optional,
			settings->passwords != NULL ? settings->passwords : none,
			settings->ocr_languages != NULL ? settings->ocr_languages : "eng",
			(gboolean)help, (gboolean)settings->lean, (gboolean)settings->restore));
	return g_variant_get_data_as_bytes(setup);
}

static void drop_idle(MsReader *reader)
{
	for (guint i = 0; i < reader->idle->len; i++)
		worker_close(&g_array_index(reader->idle, Worker, i));
	g_array_set_size(reader->idle, 0);
}

static MsCrew *current(MsReader *reader)
{
	pthread_mutex_lock(&reader->lock);
	MsCrew *crew = crew_ref(reader->crew);
	pthread_mutex_unlock(&reader->lock);
	return crew;
}

/* With the filter that is in use. */
static MsCrew *start_crew(MsReader *reader, GBytes *setup, GError **error)
{
	g_autoptr(MsCrew) crew = crew_start(reader->program, reader->held, setup, NULL, error);
	if (crew == NULL)
		return NULL;
	pthread_mutex_lock(&reader->lock);
	bool fine = reader->filter == 0 || crew_know(crew, reader->image, reader->filter);
	pthread_mutex_unlock(&reader->lock);
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"missent-reader cannot be given the filter: %s", g_strerror(errno));
	return fine ? g_steal_pointer(&crew) : NULL;
}

static void put_crew(MsReader *reader, MsCrew *fresh, const char *why)
{
	pthread_mutex_lock(&reader->lock);
	MsCrew *old = reader->crew;
	reader->crew = fresh;
	drop_idle(reader);
	reader->stats.replaced++;
	if (reader->news->len < 4096)
		g_string_append_printf(reader->news, "%smissent-reader %s; another was started",
			reader->news->len > 0 ? ", " : "", why);
	pthread_mutex_unlock(&reader->lock);
	crew_unref(old);
}

/* Only the first thread that sees a crew gone replaces it. */
static bool replace(MsReader *reader, const MsCrew *seen, const char *why, GError **error)
{
	bool fine = true;
	pthread_mutex_lock(&reader->starting);
	if (reader->crew == seen) {
		crew_end(reader->crew);
		MsCrew *fresh = start_crew(reader, reader->setup, error);
		fine = fresh != NULL;
		if (fine)
			put_crew(reader, fresh, why);
	}
	pthread_mutex_unlock(&reader->starting);
	return fine;
}

static void look_after(MsReader *reader)
{
	g_autoptr(MsCrew) crew = current(reader);
	if (crew_pulse(crew, PULSE_MS))
		return;
	bool hangs = !crew_is_gone(crew);
	g_autofree char *why = hangs
		? g_strdup_printf("did not answer for %d s and was ended", PULSE_MS / 1000)
		: g_strdup("died");
	crew_end(crew);
	replace(reader, crew, why, NULL);
}

/* A crew that died or hangs is replaced before a message needs it. */
static void *watch(void *user)
{
	MsReader *reader = user;
	pthread_mutex_lock(&reader->lock);
	while (!reader->ending) {
		ms_clock_wait(&reader->end, &reader->lock,
			g_get_monotonic_time() + G_USEC_PER_SEC);
		if (reader->ending)
			break;
		pthread_mutex_unlock(&reader->lock);
		look_after(reader);
		pthread_mutex_lock(&reader->lock);
	}
	pthread_mutex_unlock(&reader->lock);
	return NULL;
}

/* ---- making and freeing --------------------------------------------------------------- */

static MsReader *make(
	const MsReaderSettings *settings, bool fair, char **warning_out, GError **error);

/* Recognising takes a second of computing and much memory: few at a time. */
static bool start_ocr(MsReader *reader, const MsReaderSettings *settings, GError **error)
{
	MsReaderSettings ocr = *settings;
	ocr.program = settings->ocr_program;
	ocr.workers = CLAMP(g_get_num_processors() / 2, 1, 4);
	ocr.jobs = 1;
	ocr.cache_bytes = 0;
	ocr.most = NULL;
	ocr.limits = settings->most != NULL ? *settings->most : settings->limits;
	ocr.limits.max[MS_COST_OCR] = 0;
	ocr.limits.memory = MAX(settings->limits.memory, 1 << 30);
	reader->ocr = make(&ocr, false, NULL, error);
	return reader->ocr != NULL;
}

/* The small reader lies beside the full one; where it does not, all mail is read by the full
 * one. */
static bool start_text(MsReader *reader, const MsReaderSettings *settings, GError **error)
{
	g_autofree char *program = g_strconcat(settings->program, "-text", NULL);
	if (access(program, X_OK) != 0)
		return true;
	MsReaderSettings text = *settings;
	text.program = program;
	text.workers = queue_workers(settings->workers);
	reader->text = make(&text, false, NULL, error);
	if (reader->text != NULL)
		reader->text->small = true;
	return reader->text != NULL;
}

static MsReader *make(
	const MsReaderSettings *settings, bool fair, char **warning_out, GError **error)
{
	g_autoptr(MsReader) reader = g_new0(MsReader, 1);
	MsReaderSettings alone = *settings;
	alone.jobs = 1;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_mutex_init(&reader->starting, NULL);
	pthread_cond_init(&reader->end, NULL);
	pthread_cond_init(&reader->fewer_alone, NULL);
	reader->program = g_strdup(settings->program);
	reader->held = open(reader->program, O_PATH | O_CLOEXEC);
	reader->kinds = ms_kinds_ref((MsKinds *)settings->kinds);
	reader->setup = make_setup(
		settings, fair ? queue_workers(settings->workers) : settings->workers);
	reader->setup_alone = make_setup(&alone, 1);
	reader->limits = settings->limits;
	reader->jobs = settings->jobs;
	reader->wait_ms = settings->wait_ms;
	reader->known.added = reader->image = -1;
	reader->idle = g_array_new(FALSE, FALSE, sizeof(Worker));
	reader->news = g_string_new(NULL);
	reader->queue = queue_new(
		settings->workers, settings->queue > 0 ? settings->queue : 1000, fair);
	reader->crew = crew_start(
		reader->program, reader->held, reader->setup, warning_out, error);
	if (reader->crew == NULL)
		return NULL;
	if (crew_workers(reader->crew) != NULL)
		g_string_append_printf(
			reader->news, "missent-reader-text: %s", crew_workers(reader->crew));
	reader->watching = ms_io_thread(&reader->watcher, "reader watch", watch, reader);
	if (!reader->watching) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"no thread can be started to watch missent-reader");
		return NULL;
	}
	return g_steal_pointer(&reader);
}

MsReader *ms_reader_new(const MsReaderSettings *settings, char **warning_out, GError **error)
{
	g_autoptr(MsReader) reader = make(settings, true, warning_out, error);
	const MsLimits *most = settings->most != NULL ? settings->most : &settings->limits;
	if (reader == NULL || !start_text(reader, settings, error)
		|| (most->max[MS_COST_OCR] > 0 && !start_ocr(reader, settings, error)))
		return NULL;
	if (settings->cache_bytes > 0)
		reader->cache = ms_cache_new(settings->cache_bytes);
	return g_steal_pointer(&reader);
}

static void stop_watching(MsReader *reader)
{
	if (!reader->watching)
		return;
	pthread_mutex_lock(&reader->lock);
	reader->ending = true;
	pthread_cond_signal(&reader->end);
	pthread_mutex_unlock(&reader->lock);
	if (reader->crew != NULL)
		crew_end(reader->crew); /* so that nobody waits for its pulse */
	pthread_join(reader->watcher, NULL);
}

void ms_reader_free(MsReader *reader)
{
	if (reader == NULL)
		return;
	stop_watching(reader);
	drop_idle(reader);
	crew_unref(reader->crew);
	known_clear(&reader->known);
	ms_io_close(reader->image);
	ms_io_close(reader->held);
	ms_reader_free(reader->ocr);
	ms_reader_free(reader->text);
	ms_cache_free(reader->cache);
	queue_free(reader->queue);
	pthread_mutex_destroy(&reader->lock);
	pthread_mutex_destroy(&reader->starting);
	pthread_cond_destroy(&reader->end);
	pthread_cond_destroy(&reader->fewer_alone);
	ms_kinds_unref(reader->kinds);
	g_bytes_unref(reader->setup);
	g_bytes_unref(reader->setup_alone);
	g_array_free(reader->idle, TRUE);
	g_string_free(reader->news, TRUE);
	g_free(reader->program);
	g_free(reader);
}

void ms_reader_stats(MsReader *reader, MsReaderStats *out)
{
	pthread_mutex_lock(&reader->lock);
	*out = reader->stats;
	pthread_mutex_unlock(&reader->lock);
	if (reader->text != NULL) {
		MsReaderStats text;
		ms_reader_stats(reader->text, &text);
		out->messages += text.messages;
		out->small = text.messages;
		out->workers_lost += text.workers_lost;
		out->replaced += text.replaced;
	}
	out->cache_bytes = reader->cache != NULL ? ms_cache_bytes(reader->cache) : 0;
}

char *ms_reader_news(MsReader *reader)
{
	pthread_mutex_lock(&reader->lock);
	char *news = reader->news->len > 0 ? g_strdup(reader->news->str) : NULL;
	g_string_truncate(reader->news, 0);
	pthread_mutex_unlock(&reader->lock);
	if (news == NULL && reader->text != NULL)
		news = ms_reader_news(reader->text);
	if (news == NULL && reader->ocr != NULL)
		news = ms_reader_news(reader->ocr);
	return news;
}

/* ---- having a worker ------------------------------------------------------------------ */

static bool take_idle(MsReader *reader, Worker *worker, bool fresh)
{
	pthread_mutex_lock(&reader->lock);
	bool have = reader->idle->len > 0 && !fresh;
	if (have) {
		*worker = g_array_index(reader->idle, Worker, reader->idle->len - 1);
		g_array_set_size(reader->idle, reader->idle->len - 1);
	}
	pthread_mutex_unlock(&reader->lock);
	return have;
}

/* Has it the filter that is in use now?  Then what is in use; else it is let go. */
static bool is_current(MsReader *reader, Worker *worker, Known *known)
{
	pthread_mutex_lock(&reader->lock);
	bool current = worker->filter == reader->filter;
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

/* Why there was none, as far as it is known: what the host lacks, not what might be set. */
static void tell(MsCrew *crew, Got last, gint64 wait_ms, GError **error)
{
	g_autofree char *trouble = crew_trouble(crew);
	if (last == GOT_GONE)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "missent-reader keeps dying");
	else if (last == GOT_SHORT)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"missentd has no descriptor left for a reader "
			"(LimitNOFILE): %s",
			g_strerror(EMFILE));
	else if (trouble != NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"missent-reader cannot start a worker: %s", trouble);
	else
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			"no reader was free within %" G_GINT64_FORMAT " ms", wait_ms);
}

/* One that this crew has ready, or makes. */
static Got take_from(MsReader *reader, MsCrew *crew, gint64 end, Worker *worker)
{
	/* With several jobs a worker, an idle one may come back meanwhile. */
	const gint64 slice = reader->jobs > 1 ? 5 : 1000;
	gint64 left = (end - g_get_monotonic_time()) / 1000;
	Got got = GOT_NOTHING;
	do {
		got = crew_take(crew, (int)CLAMP(left, 0, slice), worker);
		left = (end - g_get_monotonic_time()) / 1000;
	} while (got == GOT_NOTHING && left > 0 && reader->jobs == 1 && !crew_is_gone(crew));
	worker->jobs_left = reader->jobs;
	worker->small = reader->small;
	return got;
}

/* Where workers read several messages, all may be at leisure with some left, and none is fresh. */
static void make_room(MsReader *reader)
{
	Worker worker;
	if (take_idle(reader, &worker, false))
		worker_close(&worker);
}

static bool acquire_any(
	MsReader *reader, Worker *worker, gint64 wait_ms, bool fresh, GError **error)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	guint deaths = 0;
	for (;;) {
		g_autoptr(MsCrew) crew = current(reader);
		g_autoptr(GError) why = NULL;
		if (take_idle(reader, worker, fresh))
			return true;
		Got got = take_from(reader, crew, end, worker);
		if (got == GOT_WORKER)
			return true;
		bool over = g_get_monotonic_time() >= end;
		if (got == GOT_GONE && !replace(reader, crew, "died", &why) &&
			(over || g_error_matches(why, MS_ERROR, MS_ERROR_CONFIG))) {
			g_propagate_error(error, g_steal_pointer(&why));
			return false;
		}
		deaths += got == GOT_GONE && why == NULL;
		if (over ? got != GOT_GONE : deaths >= DEATHS) {
			tell(crew, got, wait_ms, error);
			return false;
		}
		if (fresh && got == GOT_NOTHING)
			make_room(reader);
		if (got == GOT_SHORT || why != NULL)
			g_usleep(AGAIN_US);
	}
}

bool client_acquire(MsReader *reader, Worker *worker, Known *known, gint64 wait_ms, bool fresh,
	GError **error)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	do {
		gint64 left = (end - g_get_monotonic_time()) / 1000;
		if (!acquire_any(reader, worker, MAX(left, 0), fresh, error))
			return false;
	} while (!is_current(reader, worker, known));
	return true;
}

static bool warm(MsReader *reader, gint64 end)
{
	Worker worker;
	Known known;
	gint64 left = (end - g_get_monotonic_time()) / 1000;
	if (!client_acquire(reader, &worker, &known, MAX(left, 0), false, NULL))
		return false;
	known_clear(&known);
	pthread_mutex_lock(&reader->lock);
	g_array_append_val(reader->idle, worker);
	pthread_mutex_unlock(&reader->lock);
	return true;
}

bool ms_reader_warm(MsReader *reader, gint64 wait_ms)
{
	gint64 end = g_get_monotonic_time() + wait_ms * 1000;
	return (reader->text == NULL || warm(reader->text, end)) && warm(reader, end);
}

void known_clear(Known *known)
{
	ms_io_close(known->added);
	known->added = -1;
}

/* ---- what the directory knows --------------------------------------------------------- */

/* Whoever is started next is given it. */
static bool know(MsReader *reader, int image, guint64 number)
{
	int fd = fcntl(image, F_DUPFD_CLOEXEC, 3);
	/* A crew that takes the place of this one would not hear of it. */
	pthread_mutex_lock(&reader->starting);
	pthread_mutex_lock(&reader->lock);
	bool fine = fd >= 0 && (crew_know(reader->crew, fd, number) || crew_is_gone(reader->crew));
	known_clear(&reader->known);
	ms_io_close(reader->image);
	reader->image = fd;
	reader->filter = fine ? number : 0;
	reader->known.number = fine ? number : 0;
	drop_idle(reader);
	pthread_mutex_unlock(&reader->lock);
	pthread_mutex_unlock(&reader->starting);
	return fine;
}

static bool know_also(MsReader *reader, int image, guint64 number)
{
	int fd = fcntl(image, F_DUPFD_CLOEXEC, 3);
	pthread_mutex_lock(&reader->lock);
	bool keep = fd >= 0 && reader->filter != 0;
	if (keep) {
		known_clear(&reader->known);
		reader->known = (Known){number, fd, 0};
	}
	pthread_mutex_unlock(&reader->lock);
	if (!keep)
		ms_io_close(fd);
	return fd >= 0;
}

/* All have the one copy: a filter of many millions is large. */
static bool give(MsReader *reader, GBytes *image, guint64 number,
	bool (*take)(MsReader *reader, int image, guint64 number), GError **error)
{
	MsReader *const all[] = {reader, reader->text, reader->ocr};
	gsize len;
	const void *data = g_bytes_get_data(image, &len);
	int fd = ms_memory_of("missent-filter", data, len);
	bool fine = fd >= 0;
	for (gsize i = 0; i < G_N_ELEMENTS(all) && fine; i++)
		fine = all[i] == NULL || take(all[i], fd, number);
	ms_io_close(fd);
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"no memory for the filter of known identifiers: %s", g_strerror(errno));
	return fine;
}

bool ms_reader_know(MsReader *reader, GBytes *image, guint64 number, GError **error)
{
	return give(reader, image, number, know, error);
}

bool ms_reader_know_also(MsReader *reader, GBytes *image, guint64 number, GError **error)
{
	return give(reader, image, number, know_also, error);
}

guint64 ms_reader_known(MsReader *reader)
{
	if ((reader->ocr != NULL && ms_reader_known(reader->ocr) == 0)
		|| (reader->text != NULL && ms_reader_known(reader->text) == 0))
		return 0;
	pthread_mutex_lock(&reader->lock);
	guint64 number = reader->known.number;
	pthread_mutex_unlock(&reader->lock);
	return number;
}

/* ---- one message ---------------------------------------------------------------------- */

void client_finish(MsReader *reader, Worker *worker, bool fine)
{
	pthread_mutex_lock(&reader->lock);
	reader->stats.messages += fine;
	reader->stats.workers_lost += !fine;
	bool keep = fine && --worker->jobs_left > 0 && reader->crew == worker->crew;
	if (keep)
		g_array_append_val(reader->idle, *worker);
	pthread_mutex_unlock(&reader->lock);
	if (keep)
		return;
	if (fine)
		worker_close(worker);
	else
		worker_kill(worker);
}

static MsReading *unreadable(MsUnreadReason reason, const char *why)
{
	MsReading *reading = ms_reading_new();
	ms_reading_unread(reading, "message", reason, "%s", why);
	return reading;
}

/* One message on its way through this file. */
typedef struct {
	MsReader *reader;
	int fd;
	const MsWireQuestion *document; /* or NULL */
	Special special;
	bool small; /* the small reader has it first */
	bool mixed; /* ... although it may have documents */
	Turn turn;
	gint64 end; /* of its waiting */
	const MsPatience *patience;
	bool again; /* it was read once more */
	Known known;
	MsReading *reading;
	char *lost; /* how it was, if it was */
} Errand;

static gint64 deadline_of(const Errand *errand)
{
	return ms_patience_end(errand->patience,
		g_get_monotonic_time() + (errand->special.limits->milliseconds + GRACE_MS) * 1000);
}

/* When who begins to wait for a reader now has waited for long enough. */
static gint64 end_of_waiting(const Errand *errand)
{
	return ms_patience_end(
		errand->patience, g_get_monotonic_time() + errand->reader->wait_ms * 1000);
}

static bool begin_alone(const Errand *errand, GError **error)
{
	MsReader *reader = errand->reader;
	gint64 end = end_of_waiting(errand);
	pthread_mutex_lock(&reader->lock);
	while (reader->alone >= ALONE && ms_clock_wait(&reader->fewer_alone, &reader->lock, end))
		continue;
	bool mine = reader->alone < ALONE;
	reader->alone += mine;
	pthread_mutex_unlock(&reader->lock);
	if (mine)
		client_read_again(reader);
	if (!mine)
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY,
			"too many messages are read once more, each by a reader of its own");
	return mine;
}

static void end_alone(MsReader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->alone--;
	pthread_cond_signal(&reader->fewer_alone);
	pthread_mutex_unlock(&reader->lock);
}

void client_count(MsReader *reader, JobEnd end)
{
	pthread_mutex_lock(&reader->lock);
	reader->stats.late += end == JOB_LATE;
	reader->stats.died += end == JOB_LOST || end == JOB_ENDED;
	reader->stats.lied += end == JOB_LIED;
	pthread_mutex_unlock(&reader->lock);
}

void client_read_again(MsReader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->stats.read_again++;
	pthread_mutex_unlock(&reader->lock);
}

static void lose(Errand *errand, const char *how)
{
	g_free(errand->lost);
	errand->lost = g_strdup(how);
}

/* A worker that gives back what is no reading is not given another message. */
static JobEnd run_job(Errand *errand, const Worker *worker, Turn *turn)
{
	GBytes *bytes = NULL;
	g_autoptr(GError) refused = NULL;
	JobEnd end = job_run(errand->reader, worker, &errand->known, errand->fd, errand->document,
		&errand->special, turn, deadline_of(errand), &bytes);
	known_clear(&errand->known);
	if (end == JOB_LOST)
		lose(errand, "the worker died while reading");
	if (end == JOB_ENDED)
		lose(errand, "the worker was ended from outside while reading, and so was one before");
	if (end != JOB_DONE)
		return end;
	errand->reading = ms_reading_decode(bytes, &refused);
	g_bytes_unref(bytes);
	if (errand->reading == NULL) {
		lose(errand, refused->message);
		client_count(errand->reader, JOB_LIED);
	}
	return errand->reading != NULL ? JOB_DONE : JOB_LIED;
}

/* Its descriptors go a moment before its workers do, but one that is just being forked has them
 * too. */
static bool died_with(MsCrew *crew)
{
	for (int i = 0; i < 4 && !crew_is_gone(crew); i++)
		g_usleep(5000);
	return crew_is_gone(crew);
}

/* The process that had it is gone, and all messages in it with it.  If it was this one that did
 * it, this time it takes nobody along. */
static bool read_apart(Errand *errand, JobEnd *end, GError **error)
{
	MsReader *reader = errand->reader;
	g_autoptr(MsCrew) crew = start_crew(reader, reader->setup_alone, error);
	Worker worker = {.socket = -1, .pidfd = -1};
	Got got = GOT_NOTHING;
	gint64 until = end_of_waiting(errand);
	bool current = false;
	while (crew != NULL && !current && g_get_monotonic_time() < until) {
		got = crew_take(crew, 100, &worker);
		if (got == GOT_GONE)
			break;
		/* The first ones were forked before it had the filter. */
		current = got == GOT_WORKER && is_current(reader, &worker, &errand->known);
	}
	if (crew != NULL && !current && got != GOT_GONE)
		tell(crew, got, reader->wait_ms, error);
	if (crew == NULL || (!current && got != GOT_GONE))
		return false;
	*end = current ? run_job(errand, &worker, NULL) : JOB_LOST;
	if (*end == JOB_LOST && died_with(crew))
		lose(errand, "the reader died while reading it, and so did a second one");
	if (current && *end == JOB_DONE)
		worker_close(&worker);
	else if (current)
		worker_kill(&worker);
	return true;
}

/* When a crew dies, so do all workers that wait in its queue. */
#define MAX_DEAD_WORKERS 600

/* Whether a message has documents is for its worker to say.  Of mail that may have some so much may
 * have had that trying the small reader costs more than it saves; now and then it is tried. */
#define AGAIN_EVERY 16
/* What the small reader has no worker for by then, the full one reads: slower, and the same. */
#define SMALL_WAIT_MS 1000

static void choose(Errand *errand, const MsErrand *from)
{
	MsReader *reader = errand->reader;
	pthread_mutex_lock(&reader->lock);
	errand->known.message = ++reader->last_message;
	pthread_mutex_unlock(&reader->lock);
	errand->small = reader->text != NULL && errand->document == NULL;
	errand->mixed = errand->small && (from == NULL || from->shape == MS_SHAPE_OTHER);
	if (!errand->mixed)
		return;
	pthread_mutex_lock(&reader->lock);
	errand->small = reader->handed_on < 128 || reader->mixed % AGAIN_EVERY == 0;
	reader->mixed++;
	pthread_mutex_unlock(&reader->lock);
}

static void learn_of_documents(Errand *errand, bool had)
{
	MsReader *reader = errand->reader;
	if (!errand->mixed || !errand->small)
		return;
	pthread_mutex_lock(&reader->lock);
	reader->handed_on = (reader->handed_on * 7 + (had ? 256 : 0)) / 8;
	pthread_mutex_unlock(&reader->lock);
}

/* The worker has ended by itself; the full reader has the message next. */
static void hand_on(Errand *errand, Worker *worker, JobEnd *end)
{
	worker_close(worker);
	learn_of_documents(errand, true);
	errand->small = false;
	*end = JOB_UNTOUCHED;
}

/* Whether the kernel took its memory or somebody its life: who reads it next may live.  Once, for
 * it may be this message that takes all memory. */
static void read_by_another(Errand *errand, JobEnd *end)
{
	*end = errand->again ? JOB_LOST : JOB_UNTOUCHED;
	if (!errand->again)
		client_read_again(errand->reader);
	errand->again = true;
}

/* Once, with whatever worker there is.  False: none was to be had. */
static bool read_with_any(Errand *errand, JobEnd *end, bool *apart_out, GError **error)
{
	MsReader *reader = errand->reader;
	*end = JOB_UNTOUCHED;
	*apart_out = false;
	for (int i = 0; *end == JOB_UNTOUCHED && i < MAX_DEAD_WORKERS; i++) {
		Worker worker;
		gint64 now = g_get_monotonic_time(),
		       turn = ms_patience_end(errand->patience, now + TURN_MS * 1000),
		       left = (MAX(errand->end, turn) - now) / 1000;
		MsReader *from = errand->small ? reader->text : reader;
		if (!client_acquire(from, &worker, &errand->known,
			    errand->small ? SMALL_WAIT_MS : MAX(left, 0), false,
			    errand->small ? NULL : error)) {
			if (!errand->small)
				return false;
			errand->small = false; /* slower, and the same */
			continue;
		}
		*end = run_job(errand, &worker, &errand->turn);
		errand->turn.spent = worker_cpu(&worker);
		if (*end == JOB_SHORT)
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
				"the message cannot be handed to a reader: %s", g_strerror(errno));
		*apart_out = *end == JOB_LOST && !errand->again && died_with(worker.crew);
		if (*end == JOB_BEYOND)
			hand_on(errand, &worker, end);
		else
			client_finish(from, &worker, *end == JOB_DONE);
		if (*end == JOB_ENDED)
			read_by_another(errand, end);
	}
	return *end != JOB_SHORT;
}

/* In its turn; a dear one that gave up its lane takes another turn. */
static bool run(Errand *errand, JobEnd *end, GError **error)
{
	MsReader *reader = errand->reader;
	bool apart = false, had = true;
	do {
		if (!queue_enter(reader->queue, &errand->turn, errand->end, error))
			return false;
		had = read_with_any(errand, end, &apart, error);
		queue_leave(reader->queue, &errand->turn, had && *end == JOB_DONE);
		errand->turn.dear = true;
		if (had && *end == JOB_YIELD) {
			pthread_mutex_lock(&reader->lock);
			reader->stats.stepped_back++;
			pthread_mutex_unlock(&reader->lock);
		}
	} while (had && *end == JOB_YIELD);
	if (!had || !apart)
		return had;
	if (!begin_alone(errand, error))
		return false;
	had = read_apart(errand, end, error);
	end_alone(reader);
	return had;
}

static bool read_as(MsReader *reader, int message_fd, const MsErrand *from,
	const MsWireQuestion *document, MsReading **reading_out, guint64 *known_out, GError **error)
{
	Errand errand = {.reader = reader,
		.special = {from != NULL && from->limits != NULL ? from->limits : &reader->limits,
			from != NULL ? from->passwords : NULL},
		.fd = message_fd,
		.document = document,
		.known = {0, -1, 0},
		.patience = from != NULL ? from->patience : NULL};
	off_t size = lseek(message_fd, 0, SEEK_END);
	JobEnd end = JOB_LOST;
	errand.end = end_of_waiting(&errand);
	queue_turn(reader->queue, &errand.turn, from, (guint64)MAX(size, 0));
	choose(&errand, from);
	bool had = run(&errand, &end, error);
	learn_of_documents(&errand, false);
	g_autofree char *lost = errand.lost;
	/* What it might have said of itself nobody knows: its reading was cut off for others. */
	had = had && (end != JOB_LATE || ms_patience_lasts(errand.patience, error));
	if (!had)
		return false;
	/* A program for pictures that was started anew may not have all yet. */
	if (reader->ocr != NULL && ms_reader_known(reader->ocr) != errand.known.number)
		errand.known.number = 0;
	if (known_out != NULL)
		*known_out = errand.known.number;
	if (end == JOB_LATE)
		errand.reading = unreadable(
			MS_UNREAD_TIME, "the worker was stopped at its deadline");
	else if (end != JOB_DONE)
		errand.reading = unreadable(
			MS_UNREAD_WORKER, lost != NULL ? lost : "the worker died while reading");
	*reading_out = errand.reading;
	return true;
}

bool ms_reader_read(MsReader *reader, int message_fd, const MsErrand *errand,
	MsReading **reading_out, guint64 *known_out, GError **error)
{
	return read_as(reader, message_fd, errand, NULL, reading_out, known_out, error);
}

bool ms_reader_view(MsReader *reader, int message_fd, const char *as, MsReading **reading_out,
	GError **error)
{
	off_t size = lseek(message_fd, 0, SEEK_END);
	MsWireQuestion document = {.start = 0, .end = (guint64)MAX(size, 0)};
	g_strlcpy(document.as, as, sizeof document.as);
	return read_as(reader, message_fd, NULL, &document, reading_out, NULL, error);
}
