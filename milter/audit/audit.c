#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"

#include "audit_private.h"

/*
 * One message's verdict, or what a person did, comes in; it is an entry of the log, on disk, when we
 * return.  Lines are made by their callers' threads; of those that come while a batch is on its way to
 * disk one thread writes all with the next, so that many wait for one fsync.  The log is opened with the
 * first line: then also the plain files of older versions become its first entries.
 */

typedef struct {
	GPtrArray *texts; /* of char *: its entries, more than one if it is long */
	GError *error;
	bool done, fine;
} Waiting;

struct MsAudit {
	char *path, *folder;
	bool has_key;
	guint8 key[MS_AUDIT_KEY_BYTES];
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t written;
	GPtrArray *waiting; /* of Waiting */
	bool writing;       /* a thread has the log, and gives it back */
	MsTlog *log;        /* NULL: not open */
	guint64 counts[MS_N_ACTIONS], acts;
};

char *ms_audit_folder(const char *path)
{
	return g_str_has_suffix(path, ".jsonl") ? g_strndup(path, strlen(path) - strlen(".jsonl"))
						: g_strconcat(path, ".log", NULL);
}

MsAudit *ms_audit_new(const char *path)
{
	MsAudit *audit = g_new0(MsAudit, 1);
	audit->path = g_strdup(path);
	audit->folder = ms_audit_folder(path);
	audit->waiting = g_ptr_array_new();
	pthread_mutex_init(&audit->lock, NULL);
	pthread_cond_init(&audit->written, NULL);
	return audit;
}

void ms_audit_free(MsAudit *audit)
{
	if (audit == NULL)
		return;
	g_ptr_array_unref(audit->waiting);
	ms_tlog_free(audit->log);
	pthread_cond_destroy(&audit->written);
	pthread_mutex_destroy(&audit->lock);
	g_free(audit->path);
	g_free(audit->folder);
	memset(audit->key, 0, sizeof audit->key);
	g_free(audit);
}

void ms_audit_key(MsAudit *audit, const guint8 key[MS_AUDIT_KEY_BYTES])
{
	audit->has_key = true;
	memcpy(audit->key, key, MS_AUDIT_KEY_BYTES);
}

/* ---- entries -------------------------------------------------------------------------- */

/* In JSON within JSON each quote and each \ becomes two. */
#define PIECE 30000

static char *part_of(const char *text, gsize len, const char *name, guint n, guint parts)
{
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	json_t *part = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s%}", "time", time, "type", "part", "of", name, "part",
		(int)n, "parts", (int)parts, "text", text, len);
	char *out = json_dumps(part, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(part);
	return out;
}

/* One that is too long for an entry becomes several, one after the other. */
GPtrArray *ms_audit_entries(char *text)
{
	GPtrArray *texts = g_ptr_array_new_with_free_func(free);
	gsize len = strlen(text);
	if (len <= MS_TLOG_MAX_ENTRY) {
		g_ptr_array_add(texts, text);
		return texts;
	}
	g_autofree char *name = ms_digest_random_name(8);
	guint parts = (guint)((len + PIECE - 1) / PIECE);
	for (guint i = 0; i < parts; i++) /* ASCII: it may be cut anywhere */
		g_ptr_array_add(texts, part_of(text + i * PIECE, MIN(PIECE, len - i * PIECE), name, i + 1, parts));
	free(text);
	return texts;
}

/* ---- the log -------------------------------------------------------------------------- */

static bool append_texts(MsTlog *log, const GPtrArray *texts, guint64 *first_out, GError **error)
{
	g_autofree MsEntryText *entries = g_new(MsEntryText, texts->len + 1);
	for (guint i = 0; i < texts->len; i++)
		entries[i] = (MsEntryText){texts->pdata[i], strlen(texts->pdata[i])};
	return ms_tlog_append(log, entries, texts->len, first_out, error);
}

static bool append_line(MsTlog *log, json_t *line, GError **error)
{
	guint64 first;
	g_autoptr(GPtrArray) texts = ms_audit_entries(json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII));
	json_decref(line);
	return append_texts(log, texts, &first, error);
}

typedef struct {
	MsTlog *log;
	GPtrArray *batch; /* of char *, malloc()ed */
	guint64 lines;
} Import;

#define IMPORT_AT_ONCE 1000

static bool import_batch(Import *import, GError **error)
{
	guint64 first;
	bool fine = import->batch->len == 0 || append_texts(import->log, import->batch, &first, error);
	g_ptr_array_set_size(import->batch, 0);
	return fine;
}

/* Any line: one that was damaged is taken over as it is. */
static bool import_line(const MsAuditLine *line, void *user, GError **error)
{
	Import *import = user;
	g_autoptr(GPtrArray) texts = ms_audit_entries(strdup(line->text));
	for (guint i = 0; i < texts->len; i++)
		g_ptr_array_add(import->batch, strdup(texts->pdata[i]));
	import->lines++;
	return import->batch->len < IMPORT_AT_ONCE || import_batch(import, error);
}

/* A log whose first entries are the lines of the plain files. */
static bool fill(MsTlog *log, const char *path, GError **error)
{
	g_autoptr(GPtrArray) batch = g_ptr_array_new_with_free_func(free);
	Import import = {log, batch, 0};
	if (!ms_audit_each_plain(path, G_MININT64, G_MAXINT64, import_line, &import, error)
		|| !import_batch(&import, error))
		return false;
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	return append_line(log, json_pack("{s:s, s:s, s:s, s:I}", "time", time, "type", "begin", "host",
		g_get_host_name(), "older_lines", (json_int_t)import.lines), error);
}

static bool remove_folder(const char *path, GError **error)
{
	const char *argv[] = {"rm", "-rf", "--", path, NULL};
	return g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, error);
}

/* "mx.example/missent": what every checkpoint begins with. */
static char *origin(void)
{
	g_autofree char *host = g_strdup(g_get_host_name());
	g_strcanon(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", '-');
	return g_strconcat(host, "/missent", NULL);
}

/* Made beside its place, and put there when it is whole. */
static bool make(const char *folder, const char *path, GError **error)
{
	g_autofree char *fresh = g_strconcat(folder, ".new", NULL), *name = origin();
	if (g_file_test(fresh, G_FILE_TEST_EXISTS) && !remove_folder(fresh, error))
		return false;
	MsTlog *log = ms_tlog_open(fresh, name, error);
	bool fine = log != NULL && fill(log, path, error);
	ms_tlog_free(log);
	if (fine && g_rename(fresh, folder) != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit trail %s cannot be made: %s", folder,
			g_strerror(errno));
		return false;
	}
	return fine;
}

/* One process makes it, the others wait. */
static bool make_once(const MsAudit *audit, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(audit->folder);
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit trail %s cannot be opened: %s", audit->folder,
			g_strerror(errno));
		return false;
	}
	while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	bool fine = g_file_test(audit->folder, G_FILE_TEST_EXISTS) || make(audit->folder, audit->path, error);
	fine = fine && fsync(fd) == 0;
	close(fd);
	return fine;
}

static bool open_log(MsAudit *audit, GError **error)
{
	if (audit->log != NULL)
		return true;
	if (!g_file_test(audit->folder, G_FILE_TEST_EXISTS) && !make_once(audit, error))
		return false;
	audit->log = ms_tlog_open(audit->folder, NULL, error);
	return audit->log != NULL;
}

/* A crash left entries that no checkpoint spoke of. */
static bool tell_recovered(MsAudit *audit, GError **error)
{
	guint64 n = ms_tlog_recovered(audit->log);
	if (n == 0)
		return true;
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	return append_line(audit->log, json_pack("{s:s, s:s, s:I}", "time", time, "type", "recovered", "entries",
		(json_int_t)n), error);
}

/* The folder was moved away, or made anew: an open lock is another's. */
static void let_go(MsAudit *audit)
{
	if (audit->log != NULL && !ms_tlog_is_there(audit->log))
		g_clear_pointer(&audit->log, ms_tlog_free);
}

/* In the thread that has the log. */
static bool commit(MsAudit *audit, const GPtrArray *batch, GError **error)
{
	guint64 first;
	g_autoptr(GPtrArray) texts = g_ptr_array_new();
	for (guint i = 0; i < batch->len; i++) {
		const Waiting *w = batch->pdata[i];
		for (guint k = 0; k < w->texts->len; k++)
			g_ptr_array_add(texts, w->texts->pdata[k]);
	}
	let_go(audit);
	return open_log(audit, error) && append_texts(audit->log, texts, &first, error) && tell_recovered(audit, error);
}

static void finish(const GPtrArray *batch, bool fine, const GError *error)
{
	for (guint i = 0; i < batch->len; i++) {
		Waiting *w = batch->pdata[i];
		w->done = true;
		w->fine = fine;
		w->error = fine ? NULL : g_error_copy(error);
	}
}

/* The lock is held, before and after. */
static void write_batch(MsAudit *audit)
{
	g_autoptr(GPtrArray) batch = audit->waiting;
	g_autoptr(GError) error = NULL;
	audit->waiting = g_ptr_array_new();
	audit->writing = true;
	pthread_mutex_unlock(&audit->lock);
	bool fine = commit(audit, batch, &error);
	pthread_mutex_lock(&audit->lock);
	audit->writing = false;
	finish(batch, fine, error);
	pthread_cond_broadcast(&audit->written);
}

static bool write_texts(MsAudit *audit, GPtrArray *texts, GError **error)
{
	Waiting mine = {.texts = texts};
	pthread_mutex_lock(&audit->lock);
	g_ptr_array_add(audit->waiting, &mine);
	while (!mine.done)
		if (audit->writing)
			pthread_cond_wait(&audit->written, &audit->lock);
		else
			write_batch(audit);
	pthread_mutex_unlock(&audit->lock);
	if (!mine.fine)
		g_propagate_error(error, mine.error);
	return mine.fine;
}

/* Takes `line`; NULL: none could be made. */
static bool write_line(MsAudit *audit, json_t *line, GError **error)
{
	char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(line);
	if (text == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "no audit line could be made");
		return false;
	}
	g_autoptr(GPtrArray) texts = ms_audit_entries(text);
	return write_texts(audit, texts, error);
}

/* ---- lines ---------------------------------------------------------------------------- */

static void count(MsAudit *audit, guint64 *counter)
{
	pthread_mutex_lock(&audit->lock);
	++*counter;
	pthread_mutex_unlock(&audit->lock);
}

bool ms_audit_write(MsAudit *audit, const MsAuditMessage *message, GError **error)
{
	if (!write_line(audit, ms_audit_line_of_message(message, audit->has_key ? audit->key : NULL), error))
		return false;
	if (!message->envelope->canary) /* which counts nowhere */
		count(audit, &audit->counts[message->verdict->action]);
	return true;
}

bool ms_audit_event(MsAudit *audit, const char *who, const char *client, const char *what,
	const char *about, const char *detail, GError **error)
{
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	json_t *line = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "time", time, "type", "act", "event",
		ms_audit_plain(what), "who", ms_audit_plain(who), "client", ms_audit_plain(client), "about",
		ms_audit_plain(about), "detail", ms_audit_plain(detail));
	if (!write_line(audit, line, error))
		return false;
	count(audit, &audit->acts);
	return true;
}

bool ms_audit_note(MsAudit *audit, const char *type, const char *program, const char *detail, GError **error)
{
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	return write_line(audit, json_pack("{s:s, s:s, s:o, s:o, s:o}", "time", time, "type", type, "host",
		ms_audit_plain(g_get_host_name()), "program", ms_audit_plain(program), "detail",
		ms_audit_plain(detail)), error);
}

bool ms_audit_beat(MsAudit *audit, const char *program, GError **error)
{
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	json_t *line = json_pack("{s:s, s:s, s:s, s:o}", "time", time, "type", MS_AUDIT_BEAT, "host", g_get_host_name(),
		"program", ms_audit_plain(program));
	json_t *counts = json_object();
	pthread_mutex_lock(&audit->lock);
	for (int i = 0; i < MS_N_ACTIONS; i++)
		json_object_set_new(counts, ms_action_names[i], json_integer((json_int_t)audit->counts[i]));
	json_object_set_new(counts, "acts", json_integer((json_int_t)audit->acts));
	pthread_mutex_unlock(&audit->lock);
	json_object_set_new(line, "written", counts);
	if (!write_line(audit, line, error))
		return false;
	return ms_audit_publish(audit, NULL, error);
}

/* Waits for the log, as a batch does. */
static MsTlog *borrow(MsAudit *audit)
{
	pthread_mutex_lock(&audit->lock);
	while (audit->writing)
		pthread_cond_wait(&audit->written, &audit->lock);
	audit->writing = true;
	pthread_mutex_unlock(&audit->lock);
	return audit->log;
}

static void give_back(MsAudit *audit)
{
	pthread_mutex_lock(&audit->lock);
	audit->writing = false;
	pthread_cond_broadcast(&audit->written);
	pthread_mutex_unlock(&audit->lock);
}

bool ms_audit_publish(MsAudit *audit, char **checkpoint_out, GError **error)
{
	borrow(audit);
	bool fine = open_log(audit, error) && ms_tlog_publish(audit->log, error);
	if (fine && checkpoint_out != NULL)
		*checkpoint_out = g_strdup(ms_tlog_checkpoint(audit->log)->text);
	give_back(audit);
	return fine;
}
