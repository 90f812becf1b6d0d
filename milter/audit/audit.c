/*
 * One message's verdict, or what a person did, comes in; it is an entry of the log, on disk, when
 * we return.  Lines are made by their callers' threads; of those that come while a batch is on
 * its way to disk one thread writes all with the next, so that many wait for one fsync.  The log
 * is opened with the first line: then also the plain files of older versions become its first
 * entries.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"
#include "missent/witness.h"

#include "audit_private.h"

typedef struct {
	GPtrArray *texts; /* of char *: its entries, more than one if it is long */
	GError *error;
	bool done, fine;
	pthread_cond_t turn; /* it is done, or the log is free and this one is the first */
} Waiting;

struct MsAudit {
	char *path, *folder;
	bool has_key;
	guint8 key[MS_AUDIT_KEY_BYTES];
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t free;  /* for who borrows the log */
	GPtrArray *waiting;   /* of Waiting */
	bool writing;         /* a thread has the log, and gives it back */
	MsTlog *log;          /* NULL: not open */
	guint64 recovered;    /* entries that a crash left, and nobody was told of */
	guint64 counts[MS_N_ACTIONS], acts;
	gint64 pruned; /* when it was looked for what is too old, monotonic */
};

char *ms_audit_folder(const char *path)
{
	return g_str_has_suffix(path, ".jsonl") ? g_strndup(path, strlen(path) - strlen(".jsonl"))
						: g_strconcat(path, ".log", NULL);
}

/* What it had stays known, for it may be an older copy that is opened next.  False: it cannot be
 * kept, and the log stays open. */
static bool close_log(MsAudit *audit, GError **error)
{
	if (audit->log != NULL &&
		!ms_audit_keep(audit->folder, ms_tlog_vkey(audit->log),
			ms_tlog_checkpoint(audit->log), error))
		return false;
	g_clear_pointer(&audit->log, ms_tlog_free);
	return true;
}

MsAudit *ms_audit_new(const char *path)
{
	MsAudit *audit = g_new0(MsAudit, 1);
	audit->path = g_strdup(path);
	audit->folder = ms_audit_folder(path);
	audit->waiting = g_ptr_array_new();
	pthread_mutex_init(&audit->lock, NULL);
	pthread_cond_init(&audit->free, NULL);
	return audit;
}

void ms_audit_free(MsAudit *audit)
{
	if (audit == NULL)
		return;
	g_ptr_array_unref(audit->waiting);
	close_log(audit, NULL);
	ms_tlog_free(audit->log);
	pthread_cond_destroy(&audit->free);
	pthread_mutex_destroy(&audit->lock);
	g_free(audit->path);
	g_free(audit->folder);
	explicit_bzero(audit->key, sizeof audit->key);
	g_free(audit);
}

void ms_audit_key(MsAudit *audit, const guint8 key[MS_AUDIT_KEY_BYTES])
{
	audit->has_key = true;
	memcpy(audit->key, key, MS_AUDIT_KEY_BYTES);
}

/* ---- types ---------------------------------------------------------------------------- */

const char *const ms_audit_types[] = {MS_AUDIT_MESSAGE, MS_AUDIT_CANARY, MS_AUDIT_ACT,
	MS_AUDIT_BEGIN, MS_AUDIT_START, MS_AUDIT_BEAT, MS_AUDIT_STOP, MS_AUDIT_RELOAD,
	MS_AUDIT_IMPORT, MS_AUDIT_PRUNE, MS_AUDIT_WITNESS, MS_AUDIT_RESUMED, MS_AUDIT_REFUSED,
	MS_AUDIT_RECOVERED, MS_AUDIT_PART, NULL};

/* What every line begins with: readers find time and type there without parsing it (time_of()). */
GString *ms_audit_line(const char *type)
{
	g_assert(g_strv_contains(ms_audit_types, type));
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	GString *line = g_string_sized_new(4096);
	ms_put_open(line, NULL, '{');
	ms_put_text(line, "time", time);
	ms_put_text(line, "type", type);
	return line;
}

/* Takes it. */
static char *end_line(GString *line)
{
	ms_put_close(line, '}');
	return g_string_free(line, FALSE);
}

static void put_host(GString *line)
{
	ms_put_text(line, "host", g_get_host_name());
}

/* ---- entries -------------------------------------------------------------------------- */

/* In JSON within JSON each quote and each \ becomes two. */
#define PIECE 30000

static char *part_of(const char *text, gsize len, const char *name, guint n, guint parts)
{
	g_autofree char *piece = g_strndup(text, len);
	GString *part = ms_audit_line(MS_AUDIT_PART);
	ms_put_text(part, "of", name);
	ms_put_integer(part, "part", n);
	ms_put_integer(part, "parts", parts);
	ms_put_text(part, "text", piece);
	return end_line(part);
}

/* A line as entries (of char *, malloc()ed): several where it is too long for one; takes `text`,
 * which is ASCII and malloc()ed. */
static GPtrArray *entries_of(char *text)
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
		g_ptr_array_add(texts,
			part_of(text + i * PIECE, MIN(PIECE, len - i * PIECE), name, i + 1, parts));
	free(text);
	return texts;
}

/* ---- the log -------------------------------------------------------------------------- */

static bool append_texts(MsTlog *log, const GPtrArray *texts, guint *done_out, GError **error)
{
	g_autofree MsEntryText *entries = g_new(MsEntryText, texts->len + 1);
	for (guint i = 0; i < texts->len; i++)
		entries[i] = (MsEntryText){texts->pdata[i], strlen(texts->pdata[i])};
	return ms_tlog_append(log, entries, texts->len, done_out, error);
}

static bool append_line(MsTlog *log, GString *line, GError **error)
{
	guint done;
	g_autoptr(GPtrArray)
		texts = entries_of(end_line(line));
	return append_texts(log, texts, &done, error);
}

typedef struct {
	MsTlog *log;
	GPtrArray *batch; /* of char *, malloc()ed */
	guint64 lines;
} Import;

#define IMPORT_AT_ONCE 1000

static bool import_batch(Import *import, GError **error)
{
	guint done;
	bool fine = import->batch->len == 0 ||
		append_texts(import->log, import->batch, &done, error);
	g_ptr_array_set_size(import->batch, 0);
	return fine;
}

/* Any line: one that was damaged is taken over as it is. */
static bool import_line(const MsAuditLine *line, void *user, GError **error)
{
	Import *import = user;
	g_autoptr(GPtrArray) texts = entries_of(strdup(line->text));
	for (guint i = 0; i < texts->len; i++)
		g_ptr_array_add(import->batch, strdup(texts->pdata[i]));
	import->lines++;
	return import->batch->len < IMPORT_AT_ONCE || import_batch(import, error);
}

/* Of a log that takes the place of another. */
typedef struct {
	const char *who, *why, *kept_in, *checkpoint; /* kept_in: NULL: it is gone */
} After;

/* Those of the plain files of older versions, if there are any. */
static bool import_plain(MsTlog *log, const char *path, guint64 *lines_out, GError **error)
{
	g_autoptr(GPtrArray) batch = g_ptr_array_new_with_free_func(free);
	Import import = {log, batch, 0};
	bool fine = ms_audit_each_plain(
			    path, G_MININT64, G_MAXINT64, import_line, &import, error) &&
		import_batch(&import, error);
	*lines_out = import.lines;
	return fine;
}

/* A log whose first entries are the lines of the plain files, unless another log is kept that has
 * them, and then, with `after`, what was before. */
static bool fill(MsTlog *log, const char *path, const After *after, GError **error)
{
	guint64 older = 0;
	bool imports = after == NULL || after->kept_in == NULL;
	if (imports && !import_plain(log, path, &older, error))
		return false;
	GString *begin = ms_audit_line(MS_AUDIT_BEGIN);
	put_host(begin);
	if (imports)
		ms_put_integer(begin, "older_lines", (gint64)older);
	if (after != NULL) {
		ms_put_text(begin, "who", after->who);
		ms_put_text(begin, "why", after->why);
		ms_put_text(begin, "kept_in", after->kept_in);
		ms_put_text(begin, "checkpoint", after->checkpoint);
	}
	return append_line(log, begin, error);
}

/* "mx.example/missent": what every checkpoint begins with. */
static char *origin(void)
{
	g_autofree char *host = g_strdup(g_get_host_name());
	g_strcanon(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", '-');
	return g_strconcat(host, "/missent", NULL);
}

static bool cannot_be_made(const char *folder, GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit trail %s cannot be made: %s",
		folder, g_strerror(errno));
	return false;
}

/* Made beside its place, where one that was killed may have left a part of one. */
static bool make_fresh(const char *fresh, const char *path, const After *after, GError **error)
{
	g_autofree char *name = origin();
	ms_io_remove_folder(fresh);
	if (access(fresh, F_OK) == 0) {
		errno = ENOTEMPTY;
		return cannot_be_made(fresh, error);
	}
	MsTlog *log = ms_tlog_open(fresh, name, error);
	bool fine = log != NULL && fill(log, path, after, error);
	ms_tlog_free(log);
	return fine;
}

/* The last one that its key signed, in one line; NULL: there is none. */
static char *last_good(const char *folder)
{
	static const char *const names[] = {"latest", "latest.new", "checkpoint"};
	g_autofree char *vkey = ms_audit_key_of(folder);
	g_auto(MsCheckpoint) best = {0};
	if (vkey == NULL)
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL), *text = NULL;
		gsize len = 0;
		MsCheckpoint one = {0};
		if (!ms_io_contents(path, &text, &len, NULL) ||
			!ms_checkpoint_parse(text, len, vkey, &one, NULL))
			continue;
		if (best.text == NULL || one.size > best.size) {
			ms_checkpoint_clear(&best);
			best = one;
		} else {
			ms_checkpoint_clear(&one);
		}
	}
	g_auto(MsCheckpoint) kept = {0};
	if (ms_audit_kept(folder, vkey, &kept) && kept.size > best.size)
		return ms_checkpoint_line(kept.text);
	return best.text != NULL ? ms_checkpoint_line(best.text) : NULL;
}

/* Put in its place when it is whole. */
static bool put_fresh(
	const char *folder, const char *path, const After *after, GError **error)
{
	g_autofree char *fresh = g_strconcat(folder, ".new", NULL);
	return make_fresh(fresh, path, after, error) &&
		(g_rename(fresh, folder) == 0 || cannot_be_made(folder, error));
}

/* Mail goes on where a trail was and is gone, and so does what is written of it: but the new one
 * begins with that, and is none of this host's until somebody has said so (known.c). */
static bool make(const char *folder, const char *path, GError **error)
{
	g_autofree char *gone = ms_audit_gone(folder);
	g_autofree char *checkpoint = gone != NULL ? last_good(folder) : NULL;
	const After after = {"missent", gone, NULL, checkpoint};
	return put_fresh(folder, path, gone != NULL ? &after : NULL, error);
}

int ms_audit_lock_parent(const char *folder, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(folder);
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && ms_io_lock(fd, LOCK_EX, MS_IO_LOCK_MS))
		return fd;
	if (fd >= 0 && errno == EWOULDBLOCK)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the audit trail %s cannot be made: another process has its folder locked",
			folder);
	else
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
			"the audit trail %s cannot be opened: %s", folder, g_strerror(errno));
	ms_io_close(fd);
	return -1;
}

/* One process makes it, the others wait. */
static bool make_once(const MsAudit *audit, GError **error)
{
	int fd = ms_audit_lock_parent(audit->folder, error);
	if (fd < 0)
		return false;
	bool fine = g_file_test(audit->folder, G_FILE_TEST_EXISTS) ||
		make(audit->folder, audit->path, error);
	fine = fine && fsync(fd) == 0;
	close(fd);
	return fine;
}

/* The one that is open may have been moved away, or made anew: its lock is another's then. */
static bool open_log(MsAudit *audit, GError **error)
{
	if (audit->log != NULL && ms_tlog_is_there(audit->log))
		return true;
	if (!close_log(audit, error))
		return false;
	if (!g_file_test(audit->folder, G_FILE_TEST_EXISTS) && !make_once(audit, error))
		return false;
	g_autoptr(GError) why = NULL;
	audit->log = ms_tlog_open(audit->folder, NULL, &why);
	if (audit->log != NULL && !ms_audit_is_as_kept(audit->log, audit->folder, &why))
		g_clear_pointer(&audit->log, ms_tlog_free);
	if (g_error_matches(why, MS_ERROR, MS_ERROR_INPUT))
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s (missent audit verify tells where; missent audit begin keeps it "
			"aside and begins a new one)",
			why->message);
	else if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	if (audit->log != NULL) /* where none can be kept, nothing can be compared with it */
		ms_audit_keep_key(audit->folder, ms_tlog_vkey(audit->log));
	return audit->log != NULL;
}

/* A crash left entries that no checkpoint spoke of.  Where that cannot be told now it is told with
 * the next lines: those that are written are. */
static void tell_recovered(MsAudit *audit)
{
	audit->recovered += ms_tlog_recovered(audit->log);
	if (audit->recovered == 0)
		return;
	GString *line = ms_audit_line(MS_AUDIT_RECOVERED);
	ms_put_integer(line, "entries", (gint64)audit->recovered);
	if (append_line(audit->log, line, NULL))
		audit->recovered = 0;
}

/* In the thread that has the log.  How many entries of the batch are written. */
static guint commit(MsAudit *audit, const GPtrArray *batch, GError **error)
{
	guint done = 0;
	g_autoptr(GPtrArray) texts = g_ptr_array_new();
	for (guint i = 0; i < batch->len; i++) {
		const Waiting *w = batch->pdata[i];
		for (guint k = 0; k < w->texts->len; k++)
			g_ptr_array_add(texts, w->texts->pdata[k]);
	}
	if (open_log(audit, error) && append_texts(audit->log, texts, &done, error))
		tell_recovered(audit);
	return done;
}

static void finish(const GPtrArray *batch, guint written, const GError *error)
{
	for (guint i = 0; i < batch->len; i++) {
		Waiting *w = batch->pdata[i];
		w->done = true;
		w->fine = w->texts->len <= written;
		w->error = w->fine ? NULL : g_error_copy(error);
		written -= MIN(written, w->texts->len);
		pthread_cond_signal(&w->turn);
	}
}

/* The lock is held.  Of those that wait for the next batch the first writes it; no other is woken
 * for that. */
static void log_is_free(MsAudit *audit)
{
	audit->writing = false;
	pthread_cond_broadcast(&audit->free);
	if (audit->waiting->len > 0)
		pthread_cond_signal(&((Waiting *)audit->waiting->pdata[0])->turn);
}

/* The lock is held, before and after. */
static void write_batch(MsAudit *audit)
{
	g_autoptr(GPtrArray) batch = audit->waiting;
	g_autoptr(GError) error = NULL;
	audit->waiting = g_ptr_array_new();
	audit->writing = true;
	pthread_mutex_unlock(&audit->lock);
	guint written = commit(audit, batch, &error);
	pthread_mutex_lock(&audit->lock);
	finish(batch, written, error);
	log_is_free(audit);
}

static bool write_texts(MsAudit *audit, GPtrArray *texts, GError **error)
{
	Waiting mine = {.texts = texts, .turn = PTHREAD_COND_INITIALIZER};
	pthread_mutex_lock(&audit->lock);
	g_ptr_array_add(audit->waiting, &mine);
	while (!mine.done)
		if (audit->writing)
			pthread_cond_wait(&mine.turn, &audit->lock);
		else
			write_batch(audit);
	pthread_mutex_unlock(&audit->lock);
	pthread_cond_destroy(&mine.turn);
	if (!mine.fine)
		g_propagate_error(error, mine.error);
	return mine.fine;
}

/* Takes `line`. */
static bool write_line(MsAudit *audit, GString *line, GError **error)
{
	g_autoptr(GPtrArray)
		texts = entries_of(end_line(line));
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
	if (!write_line(audit,
		    ms_audit_line_of_message(message, audit->has_key ? audit->key : NULL), error))
		return false;
	if (!message->envelope->canary) /* which counts nowhere */
		count(audit, &audit->counts[message->verdict->action]);
	return true;
}

static GString *line_of_act(const char *who, const char *client, MsEvent event, const char *about,
	const char *detail)
{
	GString *line = ms_audit_line(MS_AUDIT_ACT);
	ms_put_text(line, "event", ms_event_names[event]);
	ms_put_text(line, "who", who);
	ms_put_text(line, "client", client);
	ms_put_text(line, "about", about);
	ms_put_text(line, "detail", detail);
	return line;
}

static bool write_act(MsAudit *audit, GString *line, GError **error)
{
	if (!write_line(audit, line, error))
		return false;
	count(audit, &audit->acts);
	return true;
}

bool ms_audit_event(MsAudit *audit, const char *who, const char *client, MsEvent event,
	const char *about, const char *detail, GError **error)
{
	return write_act(audit, line_of_act(who, client, event, about, detail), error);
}

bool ms_audit_done(MsAudit *audit, const MsAuditDone *done, GError **error)
{
	GString *line = line_of_act(done->who, NULL, done->event, done->about, done->detail);
	ms_put_text(line, "decision", done->decision);
	if (audit->has_key)
		ms_audit_put_to(line, audit->key, done->to);
	if (done->sent_as != NULL)
		ms_put_text(line, "sent_as", done->sent_as);
	return write_act(audit, line, error);
}

bool ms_audit_undone(
	MsAudit *audit, const MsEnvelope *envelope, const char *detail, GError **error)
{
	const char *id = envelope->queue_id;
	GString *line = line_of_act("missentd", "", MS_EVENT_UNDONE, id != NULL ? id : "", detail);
	ms_audit_name(line, envelope);
	return write_act(audit, line, error);
}

bool ms_audit_note(
	MsAudit *audit, const char *type, const char *program, const char *detail, GError **error)
{
	GString *line = ms_audit_line(type);
	put_host(line);
	ms_put_text(line, "program", program);
	ms_put_text(line, "detail", detail);
	return write_line(audit, line, error);
}

bool ms_audit_beat(MsAudit *audit, const char *program, GError **error)
{
	GString *line = ms_audit_line(MS_AUDIT_BEAT);
	put_host(line);
	ms_put_text(line, "program", program);
	ms_put_open(line, "written", '{');
	pthread_mutex_lock(&audit->lock);
	for (int i = 0; i < MS_N_ACTIONS; i++)
		ms_put_integer(line, ms_action_names[i], (gint64)audit->counts[i]);
	ms_put_integer(line, "acts", (gint64)audit->acts);
	pthread_mutex_unlock(&audit->lock);
	ms_put_close(line, '}');
	if (!write_line(audit, line, error))
		return false;
	return ms_audit_publish(audit, NULL, error);
}

/* Waits for the log, as a batch does. */
static void borrow(MsAudit *audit)
{
	pthread_mutex_lock(&audit->lock);
	while (audit->writing)
		pthread_cond_wait(&audit->free, &audit->lock);
	audit->writing = true;
	pthread_mutex_unlock(&audit->lock);
}

static void give_back(MsAudit *audit)
{
	pthread_mutex_lock(&audit->lock);
	log_is_free(audit);
	pthread_mutex_unlock(&audit->lock);
}

/* Of what is kept beside it somebody else may have reminded us since it was opened: then nothing
 * more is written into it. */
static bool publish(MsAudit *audit, GError **error)
{
	if (!open_log(audit, error))
		return false;
	if (!ms_audit_is_as_kept(audit->log, audit->folder, error)) {
		g_clear_pointer(&audit->log, ms_tlog_free);
		return false;
	}
	if (!ms_tlog_publish(audit->log, error))
		return false;
	/* where none can be kept, nothing can be compared with it */
	const MsCheckpoint *now = ms_tlog_checkpoint(audit->log);
	ms_audit_keep(audit->folder, ms_tlog_vkey(audit->log), now, NULL);
	return true;
}

bool ms_audit_publish(MsAudit *audit, char **checkpoint_out, GError **error)
{
	borrow(audit);
	bool fine = publish(audit, error);
	if (fine && checkpoint_out != NULL)
		*checkpoint_out = g_strdup(ms_tlog_checkpoint(audit->log)->text);
	give_back(audit);
	return fine;
}

/* ---- what is too old ------------------------------------------------------------------ */

#define PRUNE_US (3600 * (gint64)G_USEC_PER_SEC)
#define BUNDLE 256 /* of tlog-tiles */

typedef struct {
	guint64 end;
	gint64 newest; /* -1: none of them tells its time */
} Age;

static bool take_age(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	(void)error;
	Age *age = user;
	if (index >= age->end)
		return false;
	gint64 time = ms_audit_time_of(data, len);
	age->newest = MAX(age->newest, time);
	return true;
}

/* Where what is younger begins; what tells no time is as old as what comes after it. */
static bool find_minimum(MsTlog *log, gint64 before, guint64 *minimum_out, GError **error)
{
	guint64 at = ms_tlog_minimum(log) / BUNDLE * BUNDLE, size = ms_tlog_checkpoint(log)->size;
	*minimum_out = at;
	for (; at + BUNDLE < size; at += BUNDLE) {
		Age age = {at + BUNDLE, -1};
		if (!ms_tlog_each(log, at, take_age, &age, error))
			return false;
		if (age.newest >= before)
			break;
		if (age.newest >= 0)
			*minimum_out = age.end;
	}
	return true;
}

static bool prune(MsAudit *audit, gint64 before, GError **error)
{
	guint64 minimum;
	if (!open_log(audit, error) || !find_minimum(audit->log, before, &minimum, error))
		return false;
	guint64 was = ms_tlog_minimum(audit->log);
	if (minimum <= was)
		return true;
	g_autofree char *until = ms_audit_stamp(before);
	GString *line = ms_audit_line(MS_AUDIT_PRUNE);
	put_host(line);
	ms_put_text(line, "before", until);
	ms_put_integer(line, "from_entry", (gint64)was);
	ms_put_integer(line, "to_entry", (gint64)minimum);
	return append_line(audit->log, line, error) && ms_tlog_prune(audit->log, minimum, error);
}

bool ms_audit_prune(MsAudit *audit, gint64 before, GError **error)
{
	gint64 now = g_get_monotonic_time();
	borrow(audit);
	bool due = audit->pruned == 0 || now - audit->pruned >= PRUNE_US;
	bool fine = !due || prune(audit, before, error);
	if (due)
		audit->pruned = now;
	give_back(audit);
	/* It goes through all lines: nobody who writes one waits for that. */
	return fine && (!due || ms_audit_prune_texts(audit->path, before, error));
}

/* ---- a new one after damage ------------------------------------------------------------ */

/* The old one away and the new one in its place, in one step where the file system can: who is
 * killed within two of them would leave none, and the next line would begin one that says nothing
 * of it. */
static bool change(const char *folder, const char *fresh, const char *aside, GError **error)
{
	if (g_rename(fresh, aside) != 0)
		return cannot_be_made(folder, error);
	if (renameat2(AT_FDCWD, aside, AT_FDCWD, folder, RENAME_EXCHANGE) == 0)
		return true;
	return (g_rename(aside, fresh) == 0 && g_rename(folder, aside) == 0 &&
		       g_rename(fresh, folder) == 0) ||
		cannot_be_made(folder, error);
}

bool ms_audit_begin(
	const char *path, const char *who, const char *why, char **aside_out, GError **error)
{
	g_autofree char *folder = ms_audit_folder(path), *fresh = g_strconcat(folder, ".new", NULL);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
	g_autofree char *aside = g_strconcat(folder, ".until-", stamp, NULL);
	g_autofree char *gone = ms_audit_gone(folder);
	if (gone == NULL && !g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"there is no audit trail in %s: one begins with the first line", folder);
		return false;
	}
	int fd = ms_audit_lock_parent(folder, error);
	if (fd < 0)
		return false;
	g_autofree char *checkpoint = last_good(folder);
	const After after = {who, why, gone == NULL ? aside : NULL, checkpoint};
	bool fine = gone != NULL ? put_fresh(folder, path, &after, error)
				 : make_fresh(fresh, path, &after, error) &&
			change(folder, fresh, aside, error);
	if (fine && !ms_audit_change_key(folder, aside))
		fine = cannot_be_made(folder, error);
	close(fd);
	if (fine)
		*aside_out = gone == NULL ? g_steal_pointer(&aside) : NULL;
	return fine;
}
