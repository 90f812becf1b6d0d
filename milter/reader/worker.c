/*
 * A worker's life: it is confined, takes a job from its socket, answers, and ends, or comes to
 * where it is put back (restore.c).  Its one thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "missent/io.h"

#include "reader_private.h"

/* Whether it ends or is put back: nothing of this process is to live on.  No handlers of exit(). */
static void leave(const WorkerSetup *setup, int status) __attribute__((noreturn));
static void leave(const WorkerSetup *setup, int status)
{
	if (setup->restored && status == 0)
		restore_point(); /* goes on where it was called first */
	_exit(status);
}

/* ---- questions ------------------------------------------------------------------------ */

typedef struct {
	int fd;
	const WorkerSetup *setup;
} Asker;

/* The client went away in mid-job: there is nobody left to read for. */
static MsReading *ask(
	const Asker *asker, const MsWireQuestion *question, const guint8 *data, gsize len)
{
	MsWireHeader header = {MS_QUESTION_MAGIC, sizeof *question + len};
	if (!ms_io_send(asker->fd, &header, sizeof header)
		|| !ms_io_send(asker->fd, question, sizeof *question)
		|| (len > 0 && !ms_io_send(asker->fd, data, len))
		|| !ms_io_receive(asker->fd, &header, sizeof header)
		|| memcmp(header.magic, MS_REPLY_MAGIC, sizeof header.magic) != 0
		|| header.len > MS_READING_MAX_BYTES)
		_exit(0);
	if (header.len == 0)
		return NULL;
	guint8 *reply = g_malloc(header.len);
	if (!ms_io_receive(asker->fd, reply, header.len))
		_exit(0);
	g_autoptr(GBytes) bytes = g_bytes_new_take(reply, header.len);
	return ms_reading_decode(bytes, NULL);
}

static MsReading *ask_known(void *user, gsize start, gsize end, const char *as)
{
	MsWireQuestion question = {.start = start, .end = end};
	if (g_strlcpy(question.as, as, sizeof question.as) >= sizeof question.as)
		return NULL;
	return ask(user, &question, NULL, 0);
}

static MsReading *ask_recognise(void *user, const guint8 *data, gsize len, const char *as)
{
	MsWireQuestion question = {.start = 0, .end = 0};
	if (len == 0 || len > MS_MAX_PICTURE
		|| g_strlcpy(question.as, as, sizeof question.as) >= sizeof question.as)
		return NULL;
	return ask(user, &question, data, len);
}

/* Nothing was said of the message yet. */
static void beyond(void *user)
{
	const Asker *asker = user;
	MsWireHeader header = {MS_BEYOND_MAGIC, 0};
	leave(asker->setup, ms_io_send(asker->fd, &header, sizeof header) ? 0 : 1);
}

/* ---- jobs ----------------------------------------------------------------------------- */

static GBytes *encode(MsReading *reading)
{
	GBytes *bytes = ms_reading_encode(reading);
	if (g_bytes_get_size(bytes) <= MS_READING_MAX_BYTES)
		return bytes;
	g_bytes_unref(bytes);
	g_autoptr(MsReading) instead = ms_reading_new();
	ms_reading_unread(instead, "message", MS_UNREAD_LIMIT,
		"the reading is larger than %u bytes", MS_READING_MAX_BYTES);
	return ms_reading_encode(instead);
}

/* One of few files at a time; a worker that is put back has a place for each. */
static void *map_file(int file, size_t len, unsigned which)
{
	void *place = restored_place(which, len);
	return mmap(place, len, PROT_READ, MAP_PRIVATE | (place != NULL ? MAP_FIXED : 0), file, 0);
}

/* What was added to the filter since this process was forked. */
static MsFilter *open_added(int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	void *image = size > 0 ? map_file(file, (size_t)size, 1) : MAP_FAILED;
	MsFilter *added = image != MAP_FAILED ? ms_filter_open(image, (gsize)size, NULL) : NULL;
	if (added == NULL)
		_exit(1); /* to read without it would be to miss what it has */
	return added;
}

/* What came with the job: limits, and passwords after those of the setup. */
typedef struct {
	MsLimits limits;
	char *block;
	gsize bytes;
	GPtrArray *passwords; /* of char *; ends with NULL */
} Special;

/* The client went away, or says what it never would. */
static bool take_passwords(int fd, const MsWireJob *job, Special *out)
{
	out->bytes = job->bytes;
	if (job->n > MS_PASSWORDS_MOST || job->bytes > MS_PASSWORDS_MOST * (MS_PASSWORD_BYTES + 1))
		return false;
	out->block = g_malloc0((gsize)job->bytes + 1);
	if (job->bytes > 0 && !ms_io_receive(fd, out->block, job->bytes))
		return false;
	gsize at = 0;
	for (guint i = 0; i < job->n && at < job->bytes; i++) {
		g_ptr_array_add(out->passwords, out->block + at);
		at += strlen(out->block + at) + 1;
	}
	return at == job->bytes;
}

/* No more than the process was made for. */
static bool take_special(int fd, const WorkerSetup *setup, Special *out)
{
	MsWireJob job;
	MsLimits *limits = &out->limits;
	*out = (Special){.limits = setup->limits, .passwords = g_ptr_array_new()};
	for (char **p = setup->passwords; p != NULL && *p != NULL; p++)
		g_ptr_array_add(out->passwords, *p);
	if (!ms_io_receive(fd, &job, sizeof job) || !take_passwords(fd, &job, out))
		return false;
	g_ptr_array_add(out->passwords, NULL);
	limits->max[MS_COST_PAGE] = MIN(limits->max[MS_COST_PAGE], job.pages);
	limits->max[MS_COST_TEXT] = MIN(limits->max[MS_COST_TEXT], job.text);
	limits->max[MS_COST_OCR] = MIN(limits->max[MS_COST_OCR], job.ocr);
	limits->milliseconds = CLAMP(job.milliseconds, 0, limits->milliseconds);
	return true;
}

/* A process of several jobs keeps no password of the one before. */
static void special_clear(Special *special)
{
	if (special->block != NULL)
		explicit_bzero(special->block, special->bytes);
	g_free(special->block);
	g_ptr_array_unref(special->passwords);
}

/* `last`: what it has used is not given back, for it goes with the process. */
static GBytes *do_job(int fd, int file, const MsFilter *added, const MsWireQuestion *document,
	const Special *special, const WorkerSetup *setup, bool last)
{
	gint64 begin = g_get_monotonic_time();
	MsBudget budget;
	ms_budget_init(&budget, &special->limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	off_t size = lseek(file, 0, SEEK_END); /* fstat() would take a path as well */
	if (size < 0)
		_exit(1);
	gsize len = (gsize)size, start = document != NULL ? document->start : 0;
	gsize end = document != NULL ? document->end : len;
	if (start > end || end > len)
		_exit(1);
	void *data = len > 0 ? map_file(file, len, 0) : NULL;
	Asker asker = {fd, setup};
	MsHelp help = {
		/* else it is what is being made known */
		.known = setup->help && document == NULL ? ask_known : NULL,
		.recognise = setup->help && special->limits.max[MS_COST_OCR] > 0 ? ask_recognise
									       : NULL,
		.beyond = beyond,
		.user = &asker,
	};
	const MsFilters known = {{setup->filter, added}, setup->lean};
	MsJob job = {.kinds = setup->kinds,
		.known = &known,
		.data = len > 0 ? (const guint8 *)data + start : (const guint8 *)"",
		.len = end - start,
		.as = document != NULL ? document->as : NULL,
		.budget = &budget,
		.reading = reading,
		.passwords = (const char *const *)special->passwords->pdata,
		.help = &help,
		.ocr_dpi = setup->limits.ocr_dpi,
		.ocr_confidence = setup->limits.ocr_confidence,
		.ocr_coverage = setup->limits.ocr_coverage,
		.last = last};
	if (data == MAP_FAILED)
		ms_reading_unread(reading, "message", MS_UNREAD_LIMIT, "too large for max-memory");
	else
		setup->work(&job);
	if (data != NULL && data != MAP_FAILED && !last)
		munmap(data, len);
	reading->microseconds = g_get_monotonic_time() - begin;
	GBytes *bytes = encode(reading);
	if (last)
		reading = NULL;
	return bytes;
}

/* In one piece, so that whoever waits for it is waked once. */
static bool answer(int fd, GBytes *bytes)
{
	gsize len;
	const char *data = g_bytes_get_data(bytes, &len);
	MsWireHeader header = {MS_ANSWER_MAGIC, len};
	const struct iovec both[] = {{&header, sizeof header}, {(void *)data, len}};
	ssize_t n = writev(fd, both, G_N_ELEMENTS(both));
	if (n < (ssize_t)sizeof header)
		return false;
	gsize done = (gsize)n - sizeof header;
	return ms_io_send(fd, data + done, len - done);
}

static void serve_one(int fd, const WorkerSetup *setup, bool last)
{
	MsWireHeader header;
	MsWireQuestion document;
	Special special;
	int files[2];
	ssize_t n = ms_wire_receive(fd, &header, sizeof header, files, 2, 0);
	bool part = n == sizeof header && memcmp(header.magic, MS_DOCUMENT_MAGIC, 8) == 0;
	if (n != sizeof header || files[0] < 0 ||
		(!part && memcmp(header.magic, MS_JOB_MAGIC, 8) != 0) ||
		!take_special(fd, setup, &special) ||
		(part && !ms_io_receive(fd, &document, sizeof document)))
		_exit(0); /* the client went away */
	document.as[MS_WIRE_AS - 1] = '\0';
	/* Its memory goes with the process; a worker of several jobs has room for as many. */
	g_autoptr(MsFilter) added = files[1] >= 0 ? open_added(files[1]) : NULL;
	g_autoptr(GBytes) bytes = do_job(
		fd, files[0], added, part ? &document : NULL, &special, setup, last);
	special_clear(&special);
	if (!last)
		close(files[0]);
	if (files[1] >= 0 && !last)
		close(files[1]);
	if (!answer(fd, bytes))
		_exit(1);
	if (last)
		leave(setup, 0);
}

void worker_serve(int fd, const WorkerSetup *setup)
{
	for (unsigned i = 0; i < setup->jobs; i++)
		serve_one(fd, setup, i + 1 == setup->jobs);
	_exit(0);
}

void worker_serve_restored(int line, const WorkerSetup *setup)
{
	char byte;
	int fd;
	restore_point(); /* returns for each job */
	restored_clean();
	if (ms_wire_receive(line, &byte, 1, &fd, 1, 0) != 1 || fd < 0)
		_exit(0); /* the supervisor is gone */
	serve_one(fd, setup, true);
	_exit(0);
}
