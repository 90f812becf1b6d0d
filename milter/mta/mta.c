/*
 * The MTA's queue through missent-release: a verb and a queue ID go to a process of its own, what
 * it prints comes back in a memory file.  No state; from any thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/mta.h"
#include "missent/text.h"

#include "program.h"

/* ---- missent-release ------------------------------------------------------------------ */

static GPtrArray *arguments(
	const MsMta *mta, const char *verb, const char *queue_id, const char *digest)
{
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, (char *)mta->program);
	const struct {
		const char *option, *value;
	} options[] = {{"--mta", mta->sendmail ? "sendmail" : NULL}, {"--config", mta->config},
		{"--queue", mta->queue}, {"--program", mta->sendmail_program}};
	for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
		if (options[i].value == NULL)
			continue;
		g_ptr_array_add(argv, (char *)options[i].option);
		g_ptr_array_add(argv, (char *)options[i].value);
	}
	const char *rest[] = {verb, queue_id, digest};
	for (gsize i = 0; i < G_N_ELEMENTS(rest) && rest[i] != NULL; i++)
		g_ptr_array_add(argv, (char *)rest[i]);
	g_ptr_array_add(argv, NULL);
	return argv;
}

static char *complaint_of(int fd)
{
	char text[501];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[MAX(n, 0)] = '\0';
	return ms_text_escape(g_strstrip(text), -1, 500);
}

static bool ended_well(int status, int err, GError **error)
{
	if (status == 0)
		return true;
	g_autofree char *why = complaint_of(err);
	bool other = WIFEXITED(status) && WEXITSTATUS(status) == 65; /* EX_DATAERR */
	g_set_error(error, MS_ERROR, other ? MS_ERROR_INPUT : MS_ERROR_RETRY, "%s",
		*why != '\0' ? why : "missent-release failed");
	return false;
}

/* What the helper prints goes into the memory file `out`.  Of one that is late the caller looks
 * whether it was done. */
static bool run(const MsMta *mta, int out, const char *verb, const char *queue_id,
	const char *digest, GError **error)
{
	g_autoptr(GPtrArray) argv = arguments(mta, verb, queue_id, digest);
	MtaProgram program = {.argv = (const char *const *)argv->pdata,
		.in = -1,
		.out = out,
		.err = memfd_create("missent-complaint", MFD_CLOEXEC),
		.timeout_ms = mta->timeout_ms,
		.setting = "queue-timeout",
		.alone = true};
	int status;
	if (program.err < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY, "memory file: %s", g_strerror(errno));
		return false;
	}
	bool fine = mta_program_run(&program, &status, error) == MTA_ENDED &&
		ended_well(status, program.err, error);
	if (!fine)
		g_prefix_error(error, "%s%s%s: ", verb, queue_id != NULL ? " " : "",
			queue_id != NULL ? queue_id : "");
	close(program.err);
	return fine;
}

static int run_into_memory(const MsMta *mta, const char *verb, const char *queue_id,
	const char *digest, GError **error)
{
	int out = memfd_create("missent-queue", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (out < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_BUSY, "memory file: %s", g_strerror(errno));
		return -1;
	}
	if (run(mta, out, verb, queue_id, digest, error) &&
		fcntl(out, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
			0)
		return out;
	if (error != NULL && *error == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "sealing: %s", g_strerror(errno));
	close(out);
	return -1;
}

bool ms_mta_run(const MsMta *mta, const char *verb, const char *queue_id, const char *digest,
	GError **error)
{
	int out = run_into_memory(mta, verb, queue_id, digest, error);
	ms_io_close(out);
	return out >= 0;
}

int ms_mta_show(const MsMta *mta, const char *queue_id, GError **error)
{
	return run_into_memory(mta, "show", queue_id, NULL, error);
}

/* ---- the queue ------------------------------------------------------------------------ */

void ms_queued_free(MsQueued *queued)
{
	g_free(queued->queue_id);
	g_free(queued->queue);
	g_free(queued->sender);
	g_free(queued->body);
	g_ptr_array_unref(queued->recipients);
	g_free(queued);
}

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

static GPtrArray *recipients_of(const json_t *object)
{
	const json_t *list = json_object_get(object, "recipients");
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < json_array_size(list); i++)
		g_ptr_array_add(out, g_strdup(member(json_array_get(list, i), "address")));
	return out;
}

/* As `postqueue -j` prints it: one JSON object a line.  Of what is none, nobody knows which message
 * it is. */
static void take_line(GHashTable *queue, const char *line, gsize len)
{
	g_autofree char *valid = g_utf8_make_valid(line, (gssize)len);
	json_t *object = json_loads(valid, 0, NULL);
	if (*valid != '\0') {
		MsQueued *queued = g_new0(MsQueued, 1);
		queued->queue_id = g_strdup(member(object, "queue_id"));
		queued->queue = g_strdup(member(object, "queue_name"));
		queued->sender = g_strdup(member(object, "sender"));
		queued->recipients = recipients_of(object);
		queued->arrived = json_integer_value(json_object_get(object, "arrival_time"));
		queued->size = (guint64)json_integer_value(json_object_get(object, "message_size"));
		queued->body = g_strdup(member(object, "body"));
		queued->expires = json_is_true(json_object_get(object, "forced_expire"));
		g_hash_table_replace(queue, queued->queue_id, queued);
	}
	json_decref(object);
}

GHashTable *ms_mta_queue(const MsMta *mta, GError **error)
{
	int fd = run_into_memory(mta, "list", NULL, NULL, error);
	if (fd < 0)
		return NULL;
	GHashTable *queue = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)ms_queued_free);
	off_t size = lseek(fd, 0, SEEK_END);
	char *map = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (size != 0 && map == MAP_FAILED) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the list of the queue: %s",
			g_strerror(errno));
		g_clear_pointer(&queue, g_hash_table_unref);
	}
	for (const char *p = map, *end = p + size; map != MAP_FAILED && p < end;) {
		const char *stop = memchr(p, '\n', (gsize)(end - p));
		gsize len = (gsize)((stop != NULL ? stop : end) - p);
		take_line(queue, p, len);
		p += len + 1;
	}
	if (map != MAP_FAILED)
		munmap(map, (size_t)size);
	close(fd);
	return queue;
}

const MsQueued *ms_mta_queued(GHashTable *queue, const MsRecord *record, GError **error)
{
	const MsQueued *queued = g_hash_table_lookup(queue, record->queue_id);
	if (queued == NULL && g_hash_table_contains(queue, ""))
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"%s: whether it is in the MTA's queue is not known: its list has lines that cannot "
			"be read",
			record->queue_id);
	return queued != NULL && ms_mta_is_same(record, queued) ? queued : NULL;
}

/* The queue file is made at MAIL FROM, our record at the end of the message; but what was given to
 * sendmail(1) arrived when it was, and has waited in the maildrop while the MTA was stopped, or we
 * could not judge. */
#define MAX_WAIT_SECONDS (30 * 86400)

void ms_mta_recorded(const MsQueued *queued, gint64 *from_out, gint64 *to_out)
{
	*from_out = (queued->arrived - 2) * G_USEC_PER_SEC;
	*to_out = (queued->arrived + MAX_WAIT_SECONDS + 1) * G_USEC_PER_SEC - 1;
}

bool ms_mta_is_same(const MsRecord *record, const MsQueued *queued)
{
	gint64 from, to;
	ms_mta_recorded(queued, &from, &to);
	return record->arrived >= from && record->arrived <= to;
}
