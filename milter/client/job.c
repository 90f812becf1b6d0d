/*
 * One message with one worker: the job goes in, questions come out and are answered, a reading
 * comes back.  In the thread of the message.  Everything that a worker says is bounded before it is
 * taken; a worker that does not talk as it should is lost, and its message alone with it.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_private.h"

#define PASSWORD_WAIT_MS 2000 /* for a worker that tries one; all may be waiting for each other */

/* ---- bytes from and to a worker ------------------------------------------------------- */

typedef struct {
	const Worker *worker;
	MsReader *reader;
	Turn *turn; /* or NULL */
	gint64 look; /* when next to ask whether it must yield */
	gint64 deadline;
	bool flows;  /* something came, and more belongs to it: most likely that is there too */
	bool closed; /* by the worker, whether it lives or not */
} Line;

static bool must_yield(Line *line, gint64 now)
{
	bool over;
	if (line->turn == NULL || now < line->look)
		return false;
	line->look = now + QUEUE_LOOK_US;
	bool yield = queue_must_yield(
		line->reader->queue, line->turn, worker_cpu(line->worker), &over);
	if (over)
		worker_step_back(line->worker, true);
	return yield;
}

/* Until there is something.  UNTOUCHED: there is nothing yet. */
static JobEnd await(Line *line)
{
	gint64 now = g_get_monotonic_time();
	gint64 left = (line->deadline - now) / 1000;
	gint64 look = line->turn != NULL ? (line->look - now) / 1000 + 1 : 60000;
	struct pollfd pfd = {line->worker->socket, POLLIN, 0};
	int rc = left > 0 ? poll(&pfd, 1, (int)CLAMP(look, 1, MIN(left, 60000))) : 0;
	if (rc == 0 && left <= 0)
		return JOB_LATE;
	if (rc == 0 && must_yield(line, g_get_monotonic_time()))
		return JOB_YIELD;
	return rc > 0 ? JOB_DONE : JOB_UNTOUCHED;
}

static JobEnd receive(Line *line, void *data, gsize len)
{
	char *p = data;
	while (len > 0) {
		JobEnd there = line->flows ? JOB_DONE : await(line);
		if (there == JOB_UNTOUCHED)
			continue;
		if (there != JOB_DONE)
			return there;
		ssize_t n = recv(line->worker->socket, p, len, MSG_DONTWAIT);
		line->flows = n > 0;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		/* A Unix socket that is closed with data unread in it is reset. */
		line->closed = n <= 0;
		if (line->closed)
			return n < 0 && errno == ECONNRESET ? JOB_UNTOUCHED : JOB_LOST;
		p += n;
		len -= (gsize)n;
	}
	return JOB_DONE;
}

/* A worker that does not take its reply must not hold the daemon's thread. */
static JobEnd give(Line *line, const void *data, gsize len)
{
	const int fd = line->worker->socket;
	const char *p = data;
	while (len > 0) {
		gint64 left = (line->deadline - g_get_monotonic_time()) / 1000;
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
			line->closed = true;
			return JOB_LOST;
		}
	}
	return JOB_DONE;
}

/* ---- questions ---- */

typedef struct {
	MsReader *reader;
	Line line;
	int message_fd;
	guint8 *map;   /* the message, once a question needs it */
	gsize size;
	const Known *known;
	const Special *special;
	bool document; /* the job is one document: it has nothing to ask but about pictures */
	guint asked, pictures;
	guint64 looked_at; /* bytes of the message, for questions */
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

/* Who had a document within a message was ended by another, alone or with all of its process: it is
 * given to one more. */
static bool is_for_another(MsReader *reader, const Worker *worker, JobEnd end)
{
	bool another = end == JOB_ENDED || (end == JOB_LOST && crew_is_gone(worker->crew));
	if (another)
		client_read_again(reader);
	return another;
}

/* The document read by a worker of its own, which has read nothing else; NULL if there was none
 * to be had at once, or it failed. */
static MsReading *read_alone(MsReader *reader, int fd, const MsWireQuestion *document,
	const Special *special, gint64 wait_ms, gint64 deadline, guint64 number, GBytes **bytes_out)
{
	Worker worker;
	Known known;
	JobEnd end = JOB_UNTOUCHED;
	bool again = false;
	for (int i = 0; i < 3 && end == JOB_UNTOUCHED; i++) {
		if (!client_acquire(reader, &worker, &known, wait_ms, true, NULL))
			return NULL;
		/* Read with other filters it would not fit to the rest of the message. */
		end = known.number == number
			? job_run(reader, &worker, &known, fd, document, special, NULL, deadline,
				  bytes_out)
			: JOB_LOST;
		known_clear(&known);
		if (!again && is_for_another(reader, &worker, end)) {
			again = true;
			end = JOB_UNTOUCHED;
		}
		if (end == JOB_UNTOUCHED)
			client_finish(reader, &worker, false);
	}
	if (end == JOB_UNTOUCHED)
		return NULL;
	MsReading *reading = end == JOB_DONE ? ms_reading_decode(*bytes_out, NULL) : NULL;
	client_finish(reader, &worker, reading != NULL);
	if (reading == NULL && *bytes_out != NULL)
		g_clear_pointer(bytes_out, g_bytes_unref);
	return reading;
}

/* ... in a lane for jobs within jobs. */
static MsReading *read_within(MsReader *reader, int fd, const MsWireQuestion *document,
	const Special *special, gint64 wait_ms, gint64 deadline, guint64 number, GBytes **bytes_out)
{
	Turn turn;
	gint64 end = MIN(g_get_monotonic_time() + wait_ms * 1000, deadline);
	if (!queue_enter_inner(reader->queue, &turn, end))
		return NULL;
	MsReading *reading = read_alone(reader, fd, document, special,
		MAX((end - g_get_monotonic_time()) / 1000, 1), deadline, number, bytes_out);
	queue_leave(reader->queue, &turn, false);
	return reading;
}

/* Would it be unread in each message?  Not where that depends on what the message has beside it, on
 * its limits, or on who sends it (passwords). */
static bool is_lasting(const MsReader *reader, MsUnreadReason reason)
{
	switch (reason) {
	case MS_UNREAD_IMAGE:
	case MS_UNREAD_IMAGE_ONLY: return reader->ocr == NULL;
	case MS_UNREAD_NO_READER:
	case MS_UNREAD_SIGNATURE: return true;
	case MS_UNREAD_ENCRYPTED:
	case MS_UNREAD_PASSWORD:
	case MS_UNREAD_DAMAGED:
	case MS_UNREAD_AMBIGUOUS:
	case MS_UNREAD_CHARSET:
	case MS_UNREAD_ENCODING:
	case MS_UNREAD_PARTIAL:
	case MS_UNREAD_LIMIT:
	case MS_UNREAD_TIME:
	case MS_UNREAD_PATTERN:
	case MS_UNREAD_WORKER:
	case MS_N_UNREAD: break;
	}
	return false;
}

static bool is_to_keep(const MsReader *reader, const MsReading *reading)
{
	bool keep = reading != NULL;
	for (guint i = 0; keep && i < reading->unread->len; i++)
		keep = is_lasting(reader, ((MsUnread *)reading->unread->pdata[i])->reason);
	return keep;
}

/* Every reading in the cache comes from here: made alone, and as complete as it can be. */
static GBytes *make_known(Talk *talk, const MsWireQuestion *question, const MsCacheKey *key)
{
	GBytes *bytes = NULL;
	g_autoptr(MsReading) reading = read_within(talk->reader, talk->message_fd, question,
		talk->special, 20, talk->line.deadline, talk->known->number, &bytes);
	if (is_to_keep(talk->reader, reading))
		ms_cache_keep(talk->reader->cache, key, bytes);
	else if (reading != NULL)
		ms_cache_give_up(talk->reader->cache, key);
	return bytes;
}

/* A password is tried by a worker of its own, for the library that tries it may crash. */
static bool tries_password(const MsWireQuestion *question)
{
	guint lines = 0;
	for (const char *p = question->as; *p != '\0'; p++)
		lines += *p == '\n';
	return lines == 4;
}

#define TIMES_LOOKED_AT 2 /* at all of a message */

static GBytes *answer_known(Talk *talk, const MsWireQuestion *question)
{
	MsCacheKey key;
	bool again;
	if (!map_message(talk) || question->end > talk->size)
		return NULL;
	if (tries_password(question) && !talk->line.worker->small) {
		GBytes *bytes = NULL;
		ms_reading_free(read_within(talk->reader, talk->message_fd, question, talk->special,
			PASSWORD_WAIT_MS, talk->line.deadline, talk->known->number, &bytes));
		return bytes;
	}
	/* Parts of a message lie beside one another, and are seldom taken in two ways: who asks for
	 * more wants this thread to be busy. */
	talk->looked_at += question->end - question->start;
	if (talk->reader->cache == NULL || talk->looked_at > TIMES_LOOKED_AT * talk->size)
		return NULL;
	ms_cache_key(talk->reader->cache, talk->map + question->start,
		question->end - question->start, question->as, talk->known->number, &key);
	GBytes *known = ms_cache_find(talk->reader->cache, &key, talk->known->message, &again);
	pthread_mutex_lock(&talk->reader->lock);
	talk->reader->stats.cache_asked++;
	talk->reader->stats.cache_hits += known != NULL;
	pthread_mutex_unlock(&talk->reader->lock);
	return known == NULL && again ? make_known(talk, question, &key) : known;
}

static GBytes *answer_picture(
	Talk *talk, const MsWireQuestion *question, const guint8 *data, gsize len)
{
	MsReader *ocr = talk->reader->ocr;
	bool allowed = talk->pictures++ < talk->special->limits->max[MS_COST_OCR];
	int fd = ocr != NULL && allowed ? ms_memory_of("missent-picture", data, len) : -1;
	if (fd < 0)
		return NULL;
	MsWireQuestion document = *question;
	document.end = len;
	GBytes *bytes = NULL;
	Turn turn;
	queue_turn(ocr->queue, &turn, NULL, len);
	if (queue_enter(ocr->queue, &turn, talk->line.deadline, NULL)) {
		gint64 wait = (talk->line.deadline - g_get_monotonic_time()) / 1000;
		ms_reading_free(read_alone(ocr, fd, &document, talk->special, MAX(wait, 1),
			talk->line.deadline, talk->known->number, &bytes));
		queue_leave(ocr->queue, &turn, true);
	}
	close(fd);
	return bytes;
}

/* Takes a question of `len` bytes from the worker and replies to it. */
static JobEnd reply(Talk *talk, guint64 len)
{
	MsWireQuestion question;
	if (len < sizeof question || len > sizeof question + MS_MAX_PICTURE
		|| talk->asked++ >= MS_MAX_QUESTIONS)
		return JOB_LOST;
	JobEnd end = receive(&talk->line, &question, sizeof question);
	if (end != JOB_DONE)
		return end;
	gsize more = len - sizeof question;
	g_autofree guint8 *data = more > 0 ? g_try_malloc(more) : NULL;
	bool fine = question.as[MS_WIRE_AS - 1] == '\0' && question.start <= question.end
		&& (more > 0 ? question.end == 0 && data != NULL
			     : question.start < question.end && !talk->document);
	if (!fine)
		return JOB_LOST;
	if (more > 0)
		end = receive(&talk->line, data, more);
	if (end != JOB_DONE)
		return end;
	g_autoptr(GBytes) bytes = more > 0 ? answer_picture(talk, &question, data, more)
					   : answer_known(talk, &question);
	gsize size = 0;
	const void *reading = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;
	MsWireHeader header = {MS_REPLY_MAGIC, size};
	end = give(&talk->line, &header, sizeof header);
	return end == JOB_DONE ? give(&talk->line, reading, size) : end;
}

static JobEnd take_answer(Line *line, guint64 len, GBytes **bytes_out)
{
	if (len > MS_READING_MAX_BYTES)
		return JOB_LOST;
	guint8 *data = g_try_malloc(len + 1);
	if (data == NULL) {
		errno = ENOMEM;
		return JOB_SHORT;
	}
	line->turn = NULL; /* it has done what costs */
	JobEnd end = receive(line, data, len);
	if (end == JOB_DONE)
		*bytes_out = g_bytes_new_take(data, len);
	else
		g_free(data);
	return end;
}

#define HAND_OVER_TRIES 20
#define HAND_OVER_US 50000

static MsWireJob job_of(const Special *special)
{
	const MsLimits *limits = special->limits;
	const char *const *passwords = special->passwords;
	MsWireJob job = {.pages = limits->max[MS_COST_PAGE],
		.text = limits->max[MS_COST_TEXT],
		.ocr = limits->max[MS_COST_OCR],
		.milliseconds = limits->milliseconds};
	while (passwords != NULL && passwords[job.n] != NULL && job.n < MS_PASSWORDS_MOST)
		job.bytes += (uint32_t)strlen(passwords[job.n++]) + 1;
	return job;
}

/* In one piece, so that a worker is waked once.  What is in flight between processes is counted for
 * all of this user's: it may be crowded for a moment. */
static JobEnd give_head(
	const Line *line, const Known *known, int fd, const char *magic, const MsWireJob *job)
{
	const int files[2] = {fd, known->added};
	struct {
		MsWireHeader header;
		MsWireJob job;
	} head = {.job = *job};
	memcpy(head.header.magic, magic, sizeof head.header.magic);
	for (int i = 0; i < HAND_OVER_TRIES; i++) {
		if (ms_wire_send(line->worker->socket, &head, sizeof head, files,
			    known->added >= 0 ? 2 : 1, 0))
			return JOB_DONE;
		if (!ms_wire_is_short(errno))
			return JOB_UNTOUCHED;
		g_usleep(HAND_OVER_US);
	}
	return JOB_SHORT;
}

static JobEnd hand_over(Line *line, const Known *known, int fd, const MsWireQuestion *document,
	const Special *special)
{
	const MsWireJob job = job_of(special);
	JobEnd end = give_head(
		line, known, fd, document != NULL ? MS_DOCUMENT_MAGIC : MS_JOB_MAGIC, &job);
	bool fine = end == JOB_DONE;
	for (guint i = 0; i < job.n && fine; i++)
		fine = give(line, special->passwords[i], strlen(special->passwords[i]) + 1) ==
			JOB_DONE;
	if (fine && document != NULL)
		fine = give(line, document, sizeof *document) == JOB_DONE;
	return end == JOB_DONE && !fine ? JOB_UNTOUCHED : end;
}

JobEnd job_run(MsReader *reader, const Worker *worker, const Known *known, int fd,
	const MsWireQuestion *document, const Special *special, Turn *turn, gint64 deadline,
	GBytes **bytes_out)
{
	MsWireHeader header;
	Talk talk = {.reader = reader,
		.message_fd = fd,
		.known = known,
		.special = special,
		.document = document != NULL,
		.line = {worker, reader, turn, 0, deadline, false, false}};
	if (turn != NULL && !turn->quick)
		worker_step_back(worker, turn->dear);
	if (turn != NULL)
		talk.line.look = g_get_monotonic_time() + queue_slice_us(reader->queue);
	JobEnd end = hand_over(&talk.line, known, fd, document, special);
	if (end == JOB_DONE)
		end = receive(&talk.line, &header, sizeof header);
	bool touched = end == JOB_DONE;
	while (end == JOB_DONE) {
		if (memcmp(header.magic, MS_ANSWER_MAGIC, 8) == 0) {
			end = take_answer(&talk.line, header.len, bytes_out);
			break;
		}
		if (worker->small && memcmp(header.magic, MS_BEYOND_MAGIC, 8) == 0) {
			end = JOB_BEYOND;
			break;
		}
		end = memcmp(header.magic, MS_QUESTION_MAGIC, 8) == 0 ? reply(&talk, header.len)
								      : JOB_LOST;
		if (end == JOB_DONE && must_yield(&talk.line, g_get_monotonic_time()))
			end = JOB_YIELD;
		if (end == JOB_DONE)
			end = receive(&talk.line, &header, sizeof header);
	}
	if (talk.map != NULL)
		munmap(talk.map, talk.size);
	if (touched && end == JOB_UNTOUCHED)
		end = JOB_LOST;
	if (end == JOB_LOST && talk.line.closed && worker_was_ended(worker))
		end = JOB_ENDED;
	if (end == JOB_LATE || end == JOB_LOST || end == JOB_ENDED)
		client_count(reader, end);
	return end;
}
