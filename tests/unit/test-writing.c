/*
 * What is on disk before an MTA is answered: records that many threads add at a time, a database
 * that another program keeps, or that is moved about while it is open, a disk that fills up, an
 * audit file that cannot be written to, or is locked.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/canary.h"
#include "missent/engine.h"
#include "missent/ledger.h"
#include "missent/spool.h"
#include "missent/store.h"

#include "../test.h"
#include "../trail.h"

static char *dir;

static char *path_of(const char *name)
{
	return g_build_filename(dir, name, NULL);
}

static MsRecord *a_record(const char *queue_id, guint recipients)
{
	MsRecord *r = ms_record_new();
	r->host = g_strdup("mx");
	r->queue_id = g_strdup(queue_id);
	r->sender = g_strdup("billing@seller.example");
	r->arrived = g_get_real_time();
	r->codes = g_strdup("mismatch");
	for (guint i = 0; i < recipients; i++) {
		g_autofree char *address = g_strdup_printf("r%u@a.example", i);
		ms_record_recipient(r, address, MS_STATE_HELD, MS_OUTCOME_WRONG, "A");
	}
	return r;
}

static guint how_many(MsLedger *ledger)
{
	const MsRecordFilter all = {.state = -1};
	g_autoptr(GError) error = NULL;
	gint64 n = ms_records_count(ledger, &all, 0, &error);
	g_assert_no_error(error);
	return (guint)n;
}

/* ---- many at a time ------------------------------------------------------------------- */

typedef struct {
	MsLedger *ledger;
	guint number, records;
	const char *uid; /* of the first one, or NULL: a new one */
	guint added, failed;
	gint64 took;
} Worker;

static void *work(void *user)
{
	Worker *w = user;
	gint64 start = g_get_monotonic_time();
	for (guint i = 0; i < w->records; i++) {
		g_autofree char *queue_id = g_strdup_printf("Q%u-%u", w->number, i);
		g_autoptr(MsRecord) record = a_record(queue_id, 2);
		g_autoptr(GError) error = NULL;
		record->uid = i == 0 ? g_strdup(w->uid) : NULL;
		if (ms_records_add(w->ledger, record, &error)) {
			g_autoptr(MsRecord) found = ms_records_find(w->ledger, record->uid, NULL);
			g_assert_nonnull(found); /* as soon as it is told */
			g_assert_cmpstr(found->queue_id, ==, queue_id);
			g_assert_cmpuint(found->recipients->len, ==, 2);
			w->added++;
		} else {
			g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
			w->failed++;
		}
	}
	w->took = g_get_monotonic_time() - start;
	return NULL;
}

#define THREADS 12

static void together(MsLedger *ledger, guint records, const char *uid, Worker workers[THREADS],
	void (*meanwhile)(void *user), void *user)
{
	pthread_t threads[THREADS];
	for (guint i = 0; i < THREADS; i++) {
		workers[i] = (Worker){.ledger = ledger,
			.number = i,
			.records = records,
			.uid = i == 5 ? uid : NULL};
		pthread_create(&threads[i], NULL, work, &workers[i]);
	}
	if (meanwhile != NULL)
		meanwhile(user);
	for (guint i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void test_together(void)
{
	g_autofree char *path = path_of("together.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	Worker workers[THREADS];
	together(ledger, 20, NULL, workers, NULL, NULL);
	for (guint i = 0; i < THREADS; i++)
		g_assert_cmpuint(workers[i].added, ==, 20);
	g_assert_cmpuint(how_many(ledger), ==, THREADS * 20);
}

/* ---- moved about ---------------------------------------------------------------------- */

static const char *const ends[] = {"", "-wal", "-shm"};

/* The database with its log, or without: ends from `first` on, `n` of them. */
static void move(const char *from, const char *to, guint first, guint n)
{
	for (guint i = first; i < first + n; i++) {
		g_autofree char *old = g_strconcat(from, ends[i], NULL);
		g_autofree char *new = to != NULL ? g_strconcat(to, ends[i], NULL) : NULL;
		g_assert_cmpint(new != NULL ? rename(old, new) : unlink(old), ==, 0);
	}
}

static void make_other(const char *path, const char *queue_id)
{
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
	g_autoptr(MsRecord) record = a_record(queue_id, 1);
	g_assert_true(ms_records_add(ledger, record, NULL));
}

static void remove_all(const char *path)
{
	move(path, NULL, 0, 3);
}

static void remove_it_alone(const char *path)
{
	move(path, NULL, 0, 1);
}

static void move_away(const char *path)
{
	g_autofree char *away = g_strconcat(path, ".away", NULL);
	move(path, away, 0, 3);
}

static void put_other_over(const char *path)
{
	g_autofree char *other_path = g_strconcat(path, ".other", NULL);
	make_other(other_path, "other");
	move(other_path, path, 0, 1);
}

static void make_anew(const char *path)
{
	move(path, NULL, 0, 3);
	make_other(path, "other");
}

typedef struct {
	const char *name;
	void (*change)(const char *path);
	bool lacks; /* nothing has its name then */
} Moved;

/* Who is told that a record is there finds it there, when he starts anew too. */
static void test_moved(const void *user)
{
	const Moved *row = user;
	g_autofree char *name = g_strdelimit(g_strconcat(row->name, ".db", NULL), " ", '-');
	g_autofree char *path = path_of(name);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	g_autoptr(MsRecord) before = a_record("before", 1);
	g_autoptr(MsRecord) record = a_record("after", 1);
	g_assert_true(ms_records_add(ledger, before, &error));
	row->change(path);
	bool added = ms_records_add(ledger, record, &error);
	g_assert_cmpint(added, ==, !row->lacks);
	if (!added) {
		g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
		g_assert_nonnull(strstr(error->message, "No such file"));
		g_assert_null(ms_records_find(ledger, "before", NULL));
		make_other(path, "other"); /* where there is one again, it goes on */
		g_assert_true(ms_records_add(ledger, record, NULL));
	}
	g_autoptr(MsLedger) anew = ms_ledger_open(path, NULL);
	static const char *const there[] = {"after", "other"};
	for (gsize i = 0; i < G_N_ELEMENTS(there); i++) {
		g_autoptr(MsRecord) in_new = ms_records_find(anew, there[i], NULL);
		g_autoptr(MsRecord) in_old = ms_records_find(ledger, there[i], NULL);
		g_assert_nonnull(in_new);
		g_assert_nonnull(in_old);
	}
}

/* The same again, one file after the other: nothing of it is lost meanwhile, for its log has what
 * the database does not have yet. */
static void test_moved_back(void)
{
	g_autofree char *path = path_of("back.db"), *away = path_of("back-away.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	g_autoptr(MsRecord) before = a_record("before", 1);
	g_autoptr(MsRecord) record = a_record("after", 1);
	g_assert_true(ms_records_add(ledger, before, &error));
	move(path, away, 0, 1);
	g_assert_false(ms_records_add(ledger, record, NULL));
	move(path, away, 1, 2);
	g_assert_false(ms_records_add(ledger, record, NULL));
	move(away, path, 0, 3);
	g_assert_true(ms_records_add(ledger, record, &error));
	g_clear_pointer(&ledger, ms_ledger_free);
	g_autoptr(MsLedger) anew = ms_ledger_open(path, &error);
	g_assert_cmpuint(how_many(anew), ==, 2);
}

static const Moved moved[] = {
	{"removed", remove_all, true},
	{"removed without its log", remove_it_alone, true},
	{"moved away", move_away, true},
	{"replaced", put_other_over, false},
	{"made anew", make_anew, false},
};

/* ---- locked --------------------------------------------------------------------------- */

/* Another program. */
static MsSqlite *other;

static void open_other(const char *path)
{
	g_autoptr(GError) error = NULL;
	char head[72];
	FILE *file = fopen(path, "r");
	g_assert_cmpuint(fread(head, 1, sizeof head, file), ==, sizeof head);
	fclose(file);
	gint32 id = (gint32)GUINT32_FROM_BE(*(guint32 *)(void *)(head + 68));
	other = ms_sqlite_open(path, id, "", true, NULL, &error);
	g_assert_no_error(error);
}

static void other_says(const char *sql)
{
	g_autoptr(GError) error = NULL;
	ms_sqlite_ask(other, sql, NULL, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
}

static void let_go(void *user)
{
	g_usleep(*(gulong *)user);
	other_says("COMMIT");
}

/* A message with little time left gives up a database that somebody holds. */
static void waits_for_less(MsLedger *ledger)
{
	g_autoptr(GError) error = NULL;
	MsPatience patience;
	ms_patience_begin(&patience, 200);
	ms_patience_work(&patience);
	gint64 start = g_get_monotonic_time();
	g_assert_false(ms_ledger_set_clock(ledger, 1, 1, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_assert_cmpint(g_get_monotonic_time() - start, <, 3 * G_USEC_PER_SEC);
	g_assert_true(ms_patience_work(NULL) == &patience);
}

/* One wait for all, and none for those after it; when it is free again all is as before.  One that
 * cannot be added does no harm to those that are added with it. */
static void test_locked(void)
{
	g_autofree char *path = path_of("locked.db");
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	g_autoptr(MsRecord) first = a_record("FIRST", 1);
	g_assert_true(ms_records_add(ledger, first, &error));
	ms_ledger_free(ledger); /* now the file says which application's it is */
	ledger = ms_ledger_open(path, &error);
	open_other(path);

	/* For a moment: all are added but the one whose name is taken. */
	Worker workers[THREADS];
	gulong moment = 300 * 1000;
	other_says("BEGIN IMMEDIATE");
	together(ledger, 1, first->uid, workers, let_go, &moment);
	for (guint i = 0; i < THREADS; i++)
		g_assert_cmpuint(workers[i].added, ==, i != 5);
	g_assert_cmpuint(how_many(ledger), ==, THREADS);

	/* A message without time waits for less, and others wait as before. */
	other_says("BEGIN IMMEDIATE");
	waits_for_less(ledger);
	together(ledger, 1, NULL, workers, let_go, &moment);
	g_assert_cmpuint(how_many(ledger), ==, 2 * THREADS);

	/* For long. */
	other_says("BEGIN IMMEDIATE");
	gint64 start = g_get_monotonic_time();
	together(ledger, 3, NULL, workers, NULL, NULL);
	gint64 took = g_get_monotonic_time() - start;
	g_test_message(
		"%d that wait for a locked database: %.1f s", 3 * THREADS, (double)took / 1e6);
	g_assert_cmpint(took, <, 9 * G_USEC_PER_SEC); /* one wait is 5 s */
	for (guint i = 0; i < THREADS; i++)
		g_assert_cmpuint(workers[i].failed, ==, 3);
	g_assert_cmpuint(how_many(ledger), ==, 2 * THREADS);
	other_says("COMMIT");

	together(ledger, 1, NULL, workers, NULL, NULL);
	g_assert_cmpuint(how_many(ledger), ==, 3 * THREADS);
	/* And a moment is waited for again. */
	other_says("BEGIN IMMEDIATE");
	together(ledger, 1, NULL, workers, let_go, &moment);
	g_assert_cmpuint(how_many(ledger), ==, 4 * THREADS);
	ms_sqlite_free(other);
	ms_ledger_free(ledger);
}

/* Nor does one without time wait for a file that came in the place of ours, and is locked. */
static void test_locked_anew(void)
{
	g_autofree char *path = path_of("anew.db"), *copy = path_of("anew.copy");
	g_autofree char *vacuum = g_strdup_printf("VACUUM INTO '%s'", copy);
	g_autoptr(GError) error = NULL;
	/* now the file says which application's it is */
	ms_ledger_free(ms_ledger_open(path, &error));
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	open_other(path);
	other_says(vacuum);
	ms_sqlite_free(other);
	sqlite3 *holder;
	g_assert_cmpint(sqlite3_open(copy, &holder), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
	g_assert_no_errno(rename(copy, path));
	waits_for_less(ledger);
	sqlite3_close(holder);
}

/* ---- a lock that the system does not take back ------------------------------------------- */

static guint let_unlock; /* so many; then one fails */

static int failing_fcntl(int fd, int what, ...)
{
	va_list more;
	va_start(more, what);
	void *argument = va_arg(more, void *);
	va_end(more);
	if (what == F_SETLK && ((struct flock *)argument)->l_type == F_UNLCK && let_unlock-- == 0) {
		errno = EIO;
		return -1;
	}
	return fcntl(fd, what, argument);
}

static int no_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

/* The connection takes it for held from then on, and waits for itself at each message. */
static void test_stuck(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	int (*sleep)(sqlite3_vfs *, int) = vfs->xSleep;
	vfs->xSleep = no_sleep;
	for (guint n = 0; n < 24; n++) {
		g_autofree char *name = g_strdup_printf("stuck%u.db", n), *path = path_of(name);
		g_autoptr(MsRecord) first = a_record("FIRST", 1), second = a_record("SECOND", 1);
		g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
		let_unlock = n;
		vfs->xSetSystemCall(vfs, "fcntl", (sqlite3_syscall_ptr)failing_fcntl);
		guint added = ms_records_add(ledger, first, NULL);
		vfs->xSetSystemCall(vfs, "fcntl", NULL);
		for (guint i = 0; i < 4; i++)
			ms_records_forget(ledger, 1, 1, NULL);
		g_test_message("unlocking fails at %u", n);
		g_assert_true(ms_records_add(ledger, second, NULL));
		g_assert_cmpuint(how_many(ledger), ==, added + 1);
	}
	vfs->xSleep = sleep;
}

/* ---- full ----------------------------------------------------------------------------- */

/* From here on no file of this process grows beyond `bytes`. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = MIN(bytes, limit.rlim_max);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* Nothing of what could not be written is there, and what is written later is. */
static void test_full(void)
{
	g_autofree char *path = path_of("full.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	g_autofree char *wal = g_strconcat(path, "-wal", NULL);
	GStatBuf st;
	g_assert_cmpint(g_stat(wal, &st), ==, 0);
	for (rlim_t more = 5000; more < 200000; more += 20000) {
		g_autoptr(GError) full = NULL;
		g_autoptr(MsRecord) record = a_record("LARGE", 5000);
		limit_files((rlim_t)st.st_size + more);
		g_assert_false(ms_records_add(ledger, record, &full));
		limit_files(RLIM_INFINITY);
		g_assert_nonnull(full);
		g_assert_cmpuint(how_many(ledger), ==, 0);
	}
	g_autoptr(MsRecord) record = a_record("LATER", 5000);
	g_assert_true(ms_records_add(ledger, record, &error));
	g_autoptr(MsRecord) found = ms_records_find(ledger, "LATER", &error);
	g_assert_cmpuint(found->recipients->len, ==, 5000);
}

/* What is done for each recipient does not look at all of them. */
static void test_very_many(void)
{
	const guint many = 30000;
	g_autofree char *path = path_of("many.db");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	g_autoptr(MsRecord) record = a_record("MANY", many);
	g_autoptr(MsRecord) again = a_record("MANY", 0);
	for (guint i = 0; i < many; i++) {
		g_autofree char *address = g_strdup_printf("r%u@a.example", i);
		ms_record_recipient(again, address, MS_STATE_HELD,
			i % 2 ? MS_OUTCOME_RIGHT : MS_OUTCOME_WRONG, "A");
	}
	gint64 start = cpu_time();
	g_assert_true(ms_records_add(ledger, record, &error));
	g_assert_true(ms_records_rejudge(ledger, record, again->recipients, "r", "", &error));
	g_test_message("%u recipients: %.1f s", many, (double)(cpu_time() - start) / 1e6);
	g_assert_cmpint(cpu_time() - start, <, 10 * G_USEC_PER_SEC);
	g_autoptr(MsRecord) after = ms_records_find(ledger, "MANY", &error);
	g_assert_cmpint(
		((MsHeldRecipient *)after->recipients->pdata[1])->outcome, ==, MS_OUTCOME_RIGHT);
}

/* ---- the audit file ------------------------------------------------------------------- */

static MsJudgement *a_judgement(MsAction action, guint recipients)
{
	MsJudgement *j = g_new0(MsJudgement, 1);
	j->reading = ms_reading_new();
	j->verdict = ms_verdict_new();
	j->verdict->action = j->verdict->would = action;
	for (guint i = 0; i < recipients; i++) {
		g_byte_array_append(j->verdict->withheld, (const guint8 *)"\1", 1);
		g_byte_array_append(j->verdict->outcomes, (const guint8 *)"\3", 1);
	}
	return j;
}

static MsEnvelope *an_envelope(void)
{
	MsEnvelope *e = ms_envelope_new();
	e->host = g_strdup("mx");
	e->queue_id = g_strdup("4Q1");
	e->sender = g_strdup("billing@seller.example");
	e->arrived = g_get_real_time();
	g_ptr_array_add(e->recipients, g_strdup("a@a.example"));
	return e;
}

static void expect_failure(const char *path, const char *words)
{
	MsAudit *audit = ms_audit_new(path);
	g_autoptr(MsEnvelope) e = an_envelope();
	g_autoptr(MsJudgement) j = a_judgement(MS_HOLD, 1);
	g_autoptr(GError) error = NULL;
	const MsAuditMessage message = {
		.envelope = e, .reading = j->reading, .verdict = j->verdict};
	g_assert_false(ms_audit_write(audit, &message, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_autofree char *folder = ms_audit_folder(path);
	if (strstr(error->message, words) == NULL || strstr(error->message, folder) == NULL)
		g_error("got \"%s\", want \"%s\" of %s", error->message, words, folder);
	ms_audit_free(audit);
}

/* What failed is said as the system says it. */
static void test_audit_words(void)
{
	g_autofree char *file = path_of("file"), *as_folder = path_of("file.jsonl"),
			*below = path_of("file/audit");
	g_autofree char *closed = path_of("closed"), *within = path_of("closed/audit"),
			*grown = path_of("grown");
	g_file_set_contents(file, "x", 1, NULL);
	expect_failure("/nonexistent/audit.jsonl", "cannot be opened: No such file or directory");
	expect_failure(as_folder, "cannot be opened: Not a directory");
	expect_failure(below, "cannot be opened: Not a directory");
	if (geteuid() != 0) {
		g_assert_cmpint(g_mkdir(closed, 0500), ==, 0);
		expect_failure(within, "cannot be made: Permission denied");
	}
	limit_files(0);
	expect_failure(grown, "File too large");
	limit_files(RLIM_INFINITY);
	struct rlimit files, few;
	getrlimit(RLIMIT_NOFILE, &files);
	few = files;
	few.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &few);
	expect_failure(grown, "cannot be opened: Too many open files");
	setrlimit(RLIMIT_NOFILE, &files);
}

static MsRuntime *load_with(const char *audit_file, GError **error)
{
	g_autofree char *conf = path_of("missent.conf"), *policies = path_of("policies"),
			*kinds = path_of("kinds.conf");
	g_autofree char *text = g_strdup_printf(
		"mode = enforce\nstate-dir = \"%s\"\npolicy-dir = \"%s\"\nkinds-file = \"%s\"\n"
		"audit-file = \"%s\"\n",
		dir, policies, kinds, audit_file);
	g_mkdir(policies, 0700);
	g_file_set_contents(kinds, "kind \"k\" { pattern = {'K-[0-9]+'} }\n", -1, NULL);
	g_file_set_contents(conf, text, -1, NULL);
	return ms_runtime_load(conf, MS_PARTS_WRITE, NULL, error);
}

static MsRuntime *runtime_with(const char *audit_file)
{
	g_autoptr(GError) error = NULL;
	MsRuntime *runtime = load_with(audit_file, &error);
	g_assert_no_error(error);
	return runtime;
}

static guint copies(const MsRuntime *runtime)
{
	guint n = 0;
	g_autoptr(GDir) open = g_dir_open(ms_runtime_settings(runtime)->spool_dir, 0, NULL);
	while (open != NULL && g_dir_read_name(open) != NULL)
		n++;
	return n;
}

/* A message that is refused for now because its line could not be written is not among those that
 * are held, and no copy of it is kept. */
static void test_taken_back(void)
{
	static const MsAction actions[] = {MS_HOLD, MS_SPLIT};
	g_autofree char *good = path_of("audit.jsonl");
	for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
		g_autoptr(MsEnvelope) e = an_envelope();
		g_autoptr(MsJudgement) j = a_judgement(actions[i], 1);
		int fd = ms_memory_file("test");
		g_assert_cmpint(write(fd, "x", 1), ==, 1);
		g_assert_true(ms_memory_seal(fd));
		MsRuntime *bad = runtime_with("/nonexistent/audit.jsonl");
		g_autoptr(GError) error = NULL;
		g_assert_false(ms_engine_write_down(bad, e, j, fd, "d", &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
		g_assert_cmpuint(how_many(ms_runtime_ledger(bad)), ==, i);
		g_assert_cmpuint(copies(bad), ==, 0);
		ms_runtime_unref(bad);
		MsRuntime *runtime = runtime_with(good);
		g_clear_error(&error);
		g_assert_true(ms_engine_write_down(runtime, e, j, fd, "d", &error));
		g_assert_cmpuint(how_many(ms_runtime_ledger(runtime)), ==, i + 1);
		g_assert_cmpuint(copies(runtime), ==, actions[i] == MS_SPLIT);
		ms_runtime_unref(runtime);
		close(fd);
	}
}

static void empty_spool(const char *folder)
{
	g_autoptr(GDir) open = g_dir_open(folder, 0, NULL);
	for (const char *name; open != NULL && (name = g_dir_read_name(open)) != NULL;) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		unlink(path);
	}
}

static MsHeader *header(const char *name, const char *value)
{
	MsHeader *h = g_new0(MsHeader, 1);
	*h = (MsHeader){.name = g_strdup(name), .value = g_strdup(value)};
	return h;
}

/* A client that did not hear the answer sends it again: the one copy is the record's of both lines.
 * Who is kept from it by a split is said of a split alone. */
static void test_sent_again(void)
{
	g_autofree char *trail = path_of("again.jsonl");
	MsRuntime *runtime = runtime_with(trail);
	empty_spool(ms_runtime_settings(runtime)->spool_dir);
	guint before = how_many(ms_runtime_ledger(runtime));
	static const MsAction actions[] = {MS_SPLIT, MS_SPLIT, MS_HOLD};
	for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
		g_autoptr(MsEnvelope) e = an_envelope();
		g_autoptr(MsJudgement) j = a_judgement(actions[i], 1);
		g_ptr_array_add(j->reading->headers, header("Message-ID", "<again@x.example>"));
		int fd = ms_memory_file("test");
		g_assert_true(ms_memory_seal(fd));
		g_assert_true(ms_engine_write_down(runtime, e, j, fd, "d", NULL));
		close(fd);
	}
	g_assert_cmpuint(how_many(ms_runtime_ledger(runtime)), ==, before + 2);
	g_assert_cmpuint(copies(runtime), ==, 1);
	g_autofree char *text = trail_text(trail);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	char *records[3] = {NULL};
	guint n = 0;
	for (char **line = lines; *line != NULL; line++) {
		const char *record = strstr(*line, "\"record\":\"");
		if (strstr(*line, "\"type\":\"message\"") == NULL)
			continue;
		g_assert_cmpuint(n, <, G_N_ELEMENTS(actions));
		g_assert_nonnull(record);
		g_assert_cmpint(strstr(*line, "\"withheld\":true") != NULL, ==, actions[n] == MS_SPLIT);
		records[n++] = g_strndup(record, 30);
	}
	g_assert_cmpuint(n, ==, 3);
	g_assert_cmpstr(records[0], ==, records[1]);
	g_assert_cmpstr(records[0], !=, records[2]);
	for (guint i = 0; i < n; i++)
		g_free(records[i]);
	empty_spool(ms_runtime_settings(runtime)->spool_dir);
	ms_runtime_unref(runtime);
}

/* What was written down before the database went. */
static const struct {
	const char *name;
	MsAction action;
	bool undone, emptied;
	bool copy; /* one lies in the spool, and no line tells of it */
	bool gone;
} gones[] = {
	{"a hold", MS_HOLD, .gone = true},
	{"a delay", MS_DELAY, .gone = true},
	{"a split", MS_SPLIT, .gone = true},
	{"a hold, and the file is empty", MS_HOLD, .emptied = true, .gone = true},
	{"a hold that came to nothing", MS_HOLD, .undone = true},
	{"what was delivered", MS_DELIVER, .gone = false},
	{"a copy alone", MS_DELIVER, .copy = true, .gone = true},
};

static void write_verdict(MsRuntime *runtime, MsAction action, bool undone)
{
	g_autoptr(MsEnvelope) e = an_envelope();
	g_autoptr(MsJudgement) j = a_judgement(action, 1);
	int fd = ms_memory_file("test");
	g_assert_true(ms_memory_seal(fd));
	g_assert_true(ms_engine_write_down(runtime, e, j, fd, "d", NULL));
	if (undone)
		g_assert_true(ms_engine_take_back(runtime, e, j, "too late", NULL));
	close(fd);
}

/* One that is gone is not begun anew in silence: nobody would know what is held. */
static void test_gone(void)
{
	g_autofree char *records = path_of("held.db"), *spool = path_of("spool"),
			*copy = path_of("spool/0123456789abcdef.eml"), *others = path_of("others.db");
	g_assert_no_errno(rename(records, others));
	for (gsize i = 0; i < G_N_ELEMENTS(gones); i++) {
		g_autofree char *name = g_strdup_printf("gone%u.jsonl", (guint)i),
				*trail = path_of(name);
		g_autoptr(GError) error = NULL;
		MsForgotten known;
		unlink(records);
		empty_spool(spool);
		g_test_message("%s", gones[i].name);
		MsRuntime *runtime = runtime_with(trail);
		g_assert_false(ms_engine_records_gone(
			ms_runtime_settings(runtime), &known, &error));
		write_verdict(runtime, gones[i].action, gones[i].undone);
		unlink(records);
		if (gones[i].emptied)
			g_assert_true(g_file_set_contents(records, "", 0, NULL));
		if (gones[i].copy)
			g_assert_true(g_file_set_contents(copy, "x", 1, NULL));
		g_assert_cmpint(ms_engine_records_gone(ms_runtime_settings(runtime), &known, NULL),
			==, gones[i].gone);
		ms_runtime_unref(runtime);
		g_autoptr(MsRuntime) anew = load_with(trail, &error);
		g_assert_cmpint(anew == NULL, ==, gones[i].gone);
		if (gones[i].gone) {
			g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
			g_assert_nonnull(strstr(error->message, "missent held begin --why"));
		}
	}
	empty_spool(spool);
	g_assert_no_errno(rename(others, records));
}

/* What goes out, tagged or not, and would be kept were all policies enforced, is on record as
 * observed; a canary of that kind is noted as observed. */
static void test_observed(void)
{
	static const struct {
		MsAction action, would;
		bool recorded;
		MsState state;
		const char *became;
	} rows[] = {
		{MS_DELIVER, MS_DELIVER, false, MS_STATE_OBSERVED, "deliver"},
		{MS_DELIVER, MS_TAG, false, MS_STATE_OBSERVED, "deliver"},
		{MS_DELIVER, MS_SPLIT, true, MS_STATE_OBSERVED, MS_CANARY_OBSERVED},
		{MS_DELIVER, MS_TEMPFAIL, true, MS_STATE_OBSERVED, MS_CANARY_OBSERVED},
		{MS_TAG, MS_TAG, false, MS_STATE_OBSERVED, "tag"},
		{MS_TAG, MS_SPLIT, true, MS_STATE_OBSERVED, MS_CANARY_OBSERVED},
		{MS_TAG, MS_REJECT, true, MS_STATE_OBSERVED, MS_CANARY_OBSERVED},
		{MS_HOLD, MS_HOLD, true, MS_STATE_HELD, "hold"},
		{MS_HOLD, MS_REJECT, true, MS_STATE_HELD, "hold"},
		{MS_DELAY, MS_HOLD, true, MS_STATE_HELD, "delay"},
		{MS_REJECT, MS_REJECT, false, MS_STATE_HELD, "reject"},
	};
	g_autofree char *good = path_of("audit.jsonl");
	MsRuntime *runtime = runtime_with(good);
	MsLedger *ledger = ms_runtime_ledger(runtime);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsEnvelope) e = an_envelope();
		g_autoptr(MsJudgement) j = a_judgement(rows[i].action, 1),
			again = a_judgement(rows[i].action, 1);
		g_autofree char *id = g_strdup_printf("observed-%zu", i);
		g_autoptr(GError) error = NULL;
		j->verdict->would = again->verdict->would = rows[i].would;
		g_free(e->queue_id);
		e->queue_id = g_strdup(id);
		g_assert_true(ms_engine_write_down(runtime, e, j, -1, "d", &error));
		g_assert_cmpint(j->added, ==, rows[i].recorded);
		if (rows[i].recorded)
			g_assert_cmpint(j->record->state, ==, rows[i].state);
		e->canary = true;
		g_assert_true(ms_canaries_add(ledger, id, "sendmail", id, e->sender,
			e->recipients->pdata[0], &error));
		g_assert_true(ms_engine_write_down(runtime, e, again, -1, id, &error));
		g_autoptr(MsCanary) canary = ms_canaries_find(ledger, id, &error);
		g_assert_cmpstr(canary->became, ==, rows[i].became);
	}
	ms_runtime_unref(runtime);
}

/* What its policies say is kept before its line, also by a runtime that could not when it began. */
static void test_texts_later(void)
{
	g_autoptr(MsEnvelope) e = an_envelope();
	g_autoptr(MsJudgement) j = a_judgement(MS_DELIVER, 1);
	g_autofree char *folder = path_of("later"),
			*trail = g_build_filename(folder, "audit.jsonl", NULL);
	MsRuntime *runtime = runtime_with(trail);
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
	g_assert_true(ms_engine_write_down(runtime, e, j, -1, "d", &error));
	g_assert_no_error(error);
	g_autofree char *text = ms_audit_text(
		trail, MS_AUDIT_POLICIES, ms_runtime_policies_version(runtime), &error);
	g_assert_nonnull(text);
	ms_runtime_unref(runtime);
}

/* How its MTA waits: not any more, as it is gone or its time is over; or only until the line is
 * written, which another process keeps from it. */
typedef struct {
	const char *name;
	gint64 budget_ms;
	bool gone, written;
	bool goes; /* in any case: what was written of it was done */
} Patience;

static const Patience patiences[] = {
	{"/writing/patience/over", 0, false, false, false},
	{"/writing/patience/gone", 60000, true, false, false},
	{"/writing/patience/meanwhile", 1500, false, true, false},
	{"/writing/patience/paused", 1500, false, true, true},
};

static void *let_go_later(void *user)
{
	g_usleep(2500 * 1000);
	close(GPOINTER_TO_INT(user));
	return NULL;
}

typedef struct {
	const char *word;
	guint n;
} Count;

static bool count_line(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	Count *count = user;
	count->n += strstr(line->text, count->word) != NULL;
	return true;
}

/* Messages that somebody who reads the trail takes for judged, and answered so. */
static bool count_done(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	const char *verdict = json_string_value(json_object_get(line->json, "verdict"));
	*(guint *)user += strcmp(line->type, MS_AUDIT_MESSAGE) == 0 &&
		g_strcmp0(verdict, ms_action_names[MS_TEMPFAIL]) != 0;
	return true;
}

static guint lines_done(const char *path)
{
	guint n = 0;
	g_autoptr(GError) error = NULL;
	g_auto(MsAuditProof) proof = {0};
	ms_audit_each(path, G_MININT64, G_MAXINT64, count_done, &n, &error);
	guint one = n;
	n = 0;
	ms_audit_each_proven(path, G_MININT64, G_MAXINT64, count_done, &n, &proof, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(n, ==, one);
	return n;
}

static guint lines_with(const char *path, const char *word)
{
	g_autoptr(GError) error = NULL;
	Count count = {word, 0};
	ms_audit_each(path, G_MININT64, G_MAXINT64, count_line, &count, &error);
	g_assert_no_error(error);
	return count.n;
}

/* Of an answer that nobody waits for nothing is kept, and the trail does not tell of it as done. */
static void test_patience(const void *user)
{
	static const MsAction actions[] = {MS_HOLD, MS_SPLIT, MS_DELIVER};
	const Patience *row = user;
	g_autofree char *good = path_of("patience.jsonl"), *lock = path_of("patience/lock");
	for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
		g_autoptr(MsEnvelope) e = an_envelope();
		g_autoptr(MsJudgement) j = a_judgement(actions[i], 1);
		g_autoptr(GError) error = NULL;
		MsRuntime *runtime = runtime_with(good);
		guint before = how_many(ms_runtime_ledger(runtime)), were = copies(runtime);
		g_assert_true(
			ms_audit_note(ms_runtime_audit(runtime), MS_AUDIT_BEAT, "test", "", NULL));
		guint lines = lines_with(good, "4Q1"), undone = lines_with(good, "\"undone\"");
		guint done = lines_done(good);
		int fd = ms_memory_file("test"), held = open(lock, O_RDONLY | O_CLOEXEC);
		g_assert_cmpint(write(fd, "x", 1), ==, 1);
		g_assert_true(ms_memory_seal(fd));
		pthread_t thread;
		if (row->written) {
			g_assert_cmpint(flock(held, LOCK_EX), ==, 0);
			pthread_create(&thread, NULL, let_go_later, GINT_TO_POINTER(held));
		}
		MsPatience patience;
		ms_patience_begin(&patience, row->budget_ms);
		e->patience = &patience;
		if (row->gone)
			ms_patience_lose(&patience);
		j->verdict->paused = row->goes;
		g_assert_true(ms_engine_write_down(runtime, e, j, fd, "d", &error) == row->goes);
		if (!row->goes)
			g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
		if (row->written)
			pthread_join(thread, NULL);
		else
			close(held);
		guint undone_now = row->written && !row->goes;
		g_assert_cmpuint(how_many(ms_runtime_ledger(runtime)), ==,
			before + (row->goes && j->record != NULL));
		g_assert_cmpuint(copies(runtime), ==,
			were + (row->goes && actions[i] == MS_SPLIT));
		g_assert_cmpuint(lines_with(good, "\"undone\""), ==, undone + undone_now);
		g_assert_cmpuint(
			lines_with(good, "4Q1"), ==, lines + row->written + undone_now);
		g_assert_cmpuint(lines_done(good), ==, done + row->goes);
		ms_runtime_unref(runtime);
		close(fd);
	}
}

typedef struct {
	MsAudit *audit;
	bool written;
	gint64 took;
	GError *error;
} Line;

static void *write_one(void *user)
{
	Line *line = user;
	gint64 start = g_get_monotonic_time();
	line->written = ms_audit_note(line->audit, MS_AUDIT_BEAT, "test", "", &line->error);
	line->took = g_get_monotonic_time() - start;
	return NULL;
}

static gint64 write_together(MsAudit *audit, guint n, bool want)
{
	Line lines[THREADS] = {0};
	pthread_t threads[THREADS];
	gint64 longest = 0;
	for (guint i = 0; i < n; i++) {
		lines[i].audit = audit;
		pthread_create(&threads[i], NULL, write_one, &lines[i]);
	}
	for (guint i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		g_assert_cmpint(lines[i].written, ==, want);
		if (!want)
			g_assert_error(lines[i].error, MS_ERROR, MS_ERROR_RETRY);
		g_clear_error(&lines[i].error);
		longest = MAX(longest, lines[i].took);
	}
	return longest;
}

typedef struct {
	const char *name;
	int how;
	const char *locked; /* in the folder of the trail, or beside it */
	bool there;         /* the trail, before */
} Held;

/* Another process has a lock of the trail and was stopped, or is none of ours: one wait for all
 * that write, and hardly one for those after it; when it lets go, all is as before. */
static void test_audit_held(const void *user)
{
	const Held *row = user;
	g_autofree char *folder = path_of(row->name), *in = g_build_filename(folder, "t", NULL);
	g_autofree char *locked = g_build_filename(folder, row->locked, NULL);
	g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
	g_autoptr(MsAudit) audit = ms_audit_new(in);
	if (row->there)
		write_together(audit, 1, true);
	int fd = open(locked, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(flock(fd, row->how), ==, 0);
	gint64 took = write_together(audit, THREADS, false);
	g_test_message("%u lines that wait for a locked trail: %.1f s", THREADS, took / 1e6);
	g_assert_cmpint(took, <, 12 * G_USEC_PER_SEC);
	took = write_together(audit, 1, false);
	if (row->there)
		g_assert_cmpint(took, <, 3 * G_USEC_PER_SEC);
	close(fd);
	write_together(audit, THREADS, true);
}

static const Held helds[] = {
	{"written", LOCK_EX, "t.log/lock", true},
	{"read", LOCK_SH, "t.log/lock", true},
	{"made", LOCK_EX, "", false},
};

/* ---- a part of what is written together -------------------------------------------------- */

typedef struct {
	MsAudit *audit;
	char name[8];
	bool written;
} Named;

static void *write_named(void *user)
{
	Named *named = user;
	named->written = ms_audit_event(
		named->audit, "anna", "", MS_EVENT_LOOK, named->name, "", NULL);
	return NULL;
}

/* What is said to be written is, and nothing else. */
static guint check_named(const char *path, const Named *named, guint n)
{
	guint written = 0;
	for (guint i = 0; i < n; i++) {
		g_autofree char *word = g_strdup_printf("\"about\":\"%s\"", named[i].name);
		g_assert_cmpuint(lines_with(path, word), ==, named[i].written);
		written += named[i].written;
	}
	return written;
}

/* Several wait for the same write, of which the first fill a bundle; the next cannot be begun. */
static void test_audit_in_part(void)
{
	g_autofree char *path = path_of("part.jsonl"),
			*lock = path_of("part/lock"), *tile = path_of("part/tile");
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	Named named[THREADS];
	pthread_t threads[THREADS];
	for (guint i = 0; i < 253; i++) /* behind the line that begins it */
		g_assert_true(ms_audit_event(audit, "anna", "", MS_EVENT_LOOK, "before", "", NULL));
	g_assert_true(g_file_set_contents(tile, "", 0, NULL));
	int fd = open(lock, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
	for (guint i = 0; i < THREADS; i++) {
		named[i] = (Named){.audit = audit};
		g_snprintf(named[i].name, sizeof named[i].name, "name%u", i);
		pthread_create(&threads[i], NULL, write_named, &named[i]);
		g_usleep(i == 0 ? 200000 : 20000); /* the first waits for the lock, they for it */
	}
	close(fd);
	for (guint i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	g_assert_cmpuint(check_named(path, named, THREADS), ==, 2);
	g_assert_cmpint(unlink(tile), ==, 0);
	write_named(&named[THREADS - 1]);
	g_assert_true(named[THREADS - 1].written);
	g_assert_cmpuint(check_named(path, named, THREADS), ==, 3);
}

/* A crash left a line of which no checkpoint speaks: that is told as soon as it can be, and is no
 * matter of who comes first. */
static void test_audit_recovered(void)
{
	guint fine = 0, rounds = 0;
	for (rlim_t more = 0; more < 400; more += 20, rounds++) {
		g_autofree char *name = g_strdup_printf("crash%u", rounds), *file =
			g_strconcat(name, ".jsonl", NULL), *path = path_of(file),
			*head = g_build_filename(dir, name, "head.0", NULL);
		MsAudit *audit = ms_audit_new(path);
		for (guint i = 0; i < 20; i++)
			g_assert_true(ms_audit_event(
				audit, "anna", "", MS_EVENT_LOOK, "before", "", NULL));
		ms_audit_free(audit);
		int fd = open(head, O_WRONLY | O_APPEND | O_CLOEXEC);
		g_assert_cmpint(write(fd, "\0\2{}", 4), ==, 4);
		GStatBuf st;
		g_assert_cmpint(fstat(fd, &st), ==, 0);
		close(fd);
		audit = ms_audit_new(path);
		Named named[] = {{audit, "first", false}, {audit, "second", false}};
		limit_files((rlim_t)st.st_size + more);
		write_named(&named[0]);
		limit_files(RLIM_INFINITY);
		fine += named[0].written;
		check_named(path, named, 1);
		write_named(&named[1]);
		g_assert_true(named[1].written);
		check_named(path, named, 2);
		g_assert_cmpuint(lines_with(path, "\"type\":\"recovered\""), ==, 1);
		ms_audit_free(audit);
	}
	g_assert_cmpuint(fine, >, 0);
	g_assert_cmpuint(fine, <, rounds);
}

static void name_message(MsJudgement *j, const char *name)
{
	MsHeader *header = g_new0(MsHeader, 1);
	header->name = g_strdup("Message-ID");
	header->value = g_strdup(name);
	g_ptr_array_add(j->reading->headers, header);
}

static void expect_copy(const MsRuntime *runtime, const char *uid)
{
	int fd = ms_spool_open(ms_runtime_settings(runtime)->spool_dir, uid, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(lseek(fd, 0, SEEK_END), ==, 4);
	close(fd);
}

/* Its sender tries again because it did not hear the first answer: of a message that was split the
 * copy is there before the MTA lets go of those who may not have it.  Whatever became of the first
 * one: its record may have stayed though all was to be taken back. */
static void test_copy_again(void)
{
	g_autofree char *good = path_of("again.jsonl"), *records = path_of("held.db");
	g_autoptr(MsEnvelope) e = an_envelope();
	g_autoptr(MsJudgement) j = a_judgement(MS_SPLIT, 1);
	g_autoptr(GError) error = NULL;
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, "mail", 4), ==, 4);
	g_assert_true(ms_memory_seal(fd));
	name_message(j, "<1@seller.example>");
	ms_runtime_unref(runtime_with(good)); /* now the file says which application's it is */
	MsRuntime *bad = runtime_with("/nonexistent/audit.jsonl");
	guint records_before = how_many(ms_runtime_ledger(bad)), before = copies(bad);
	open_other(records);
	other_says("CREATE TRIGGER full BEFORE DELETE ON held"
		   " BEGIN SELECT RAISE(ABORT, 'full'); END");
	g_assert_false(ms_engine_write_down(bad, e, j, fd, "d", &error));
	other_says("DROP TRIGGER full");
	ms_sqlite_free(other);
	g_assert_cmpuint(how_many(ms_runtime_ledger(bad)), ==, records_before + 1);
	g_autofree char *uid = g_strdup(j->record->uid);
	ms_runtime_unref(bad);
	MsRuntime *runtime = runtime_with(good);
	expect_copy(runtime, uid);
	for (int i = 0; i < 2; i++) {
		g_clear_error(&error);
		g_assert_true(ms_engine_write_down(runtime, e, j, fd, "d", &error));
		g_assert_cmpuint(how_many(ms_runtime_ledger(runtime)), ==, records_before + 1);
		g_assert_cmpuint(copies(runtime), ==, before + 1);
		expect_copy(runtime, uid);
		g_assert_true(ms_spool_remove(
			ms_runtime_settings(runtime)->spool_dir, uid, NULL)); /* once */
	}
	/* One of which nobody knows whether it is there is none: the sender tries again. */
	g_autofree char *copy = g_strdup_printf(
		"%s/%s.eml", ms_runtime_settings(runtime)->spool_dir, uid);
	g_assert_no_errno(symlink("elsewhere", copy));
	g_clear_error(&error);
	g_assert_false(ms_engine_write_down(runtime, e, j, fd, "d", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	unlink(copy);
	ms_runtime_unref(runtime);
	close(fd);
}

/* ---- a file that several programs make at the same time --------------------------------- */

#define FIRST_ONES 6
#define FIRST_ROUNDS 40

typedef struct {
	const char *path;
	pthread_barrier_t *start;
	char *problem; /* NULL: it has it open */
} First;

static void *open_first(void *user)
{
	First *first = user;
	pthread_barrier_wait(first->start);
	g_autoptr(GError) error = NULL;
	MsLedger *ledger = ms_ledger_open(first->path, &error);
	if (ledger == NULL)
		first->problem = g_strdup(error->message);
	else
		ms_ledger_free(ledger);
	return NULL;
}

/* What may have a database's name, by mistake or not: each is told as what it is, whoever opens it,
 * and whether it was there from the beginning or came while the database was open. */
static const struct {
	const char *what, *end, *words;
} in_the_way[] = {
	{"pipe", "", "is a pipe and no database: move it away"},
	{"folder", "", "is a folder and no database: move it away"},
	{"link", "", "is a link to a file that is not there and no database: move it away"},
	{"device", "", "is a device and no database: move it away"},
	{"text", "", "the file is damaged: move it away"},
	{"pipe", "-wal", "is a pipe and no database: move it away"},
	{"folder", "-shm", "is a folder and no database: move it away"},
	{"pipe", "-journal", "is a pipe and no database: move it away"},
};

static void put_in_the_way(const char *what, const char *path)
{
	static const char text[] = "this is no database, but a text that is longer than the head of one, "
				   "which has a hundred bytes in all of its versions to this day\n";
	if (strcmp(what, "pipe") == 0)
		g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	else if (strcmp(what, "folder") == 0)
		g_assert_cmpint(mkdir(path, 0700), ==, 0);
	else if (strcmp(what, "text") == 0)
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
	else
		g_assert_cmpint(symlink(strcmp(what, "link") == 0 ? "/none/here" : "/dev/zero", path),
			==, 0);
}

static void expect_words(const GError *error, const char *path, const char *words)
{
	g_test_message("%s", error->message);
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, path));
	g_assert_nonnull(strstr(error->message, words));
}

static void test_in_the_way(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data);
	const char *words = in_the_way[i].words;
	g_autofree char *name = g_strdup_printf("way-%zu.db", i);
	g_autofree char *path = path_of(name);
	g_autofree char *at = g_strconcat(path, in_the_way[i].end, NULL);
	bool beside = *in_the_way[i].end != '\0';
	for (int create = 0; create < 2; create++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MsSqlite) db = NULL;
		if (beside && create == 0) {
			g_autoptr(MsSqlite) made = ms_sqlite_open(
				path, 7, "CREATE TABLE IF NOT EXISTS t (a INTEGER)", true, NULL, NULL);
			g_assert_nonnull(made);
		}
		if (create == 0)
			put_in_the_way(in_the_way[i].what, at);
		db = ms_sqlite_open(path, 7, "CREATE TABLE IF NOT EXISTS t (a INTEGER)", create == 1,
			NULL, &error);
		g_assert_null(db);
		expect_words(error, at, words);
	}
	if (beside)
		return;
	g_autoptr(GError) error = NULL;
	g_autofree char *here = g_strconcat(path, ".open", NULL), *away = g_strconcat(path, ".away", NULL);
	g_autoptr(MsSqlite) open = ms_sqlite_open(
		here, 7, "CREATE TABLE IF NOT EXISTS t (a INTEGER)", true, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(rename(here, away), ==, 0);
	put_in_the_way(in_the_way[i].what, here);
	g_assert_cmpint(ms_sqlite_ask(open, "INSERT INTO t VALUES (1)", NULL, NULL, NULL, NULL, &error), ==,
		MS_CONFIG);
	g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, here));
}

/* In a child that is nobody's: root may write everything. */
static int open_as_nobody(const char *path)
{
	g_autoptr(GError) error = NULL;
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 2;
	g_autoptr(MsSqlite) db = ms_sqlite_open(
		path, 7, "CREATE TABLE IF NOT EXISTS t (a INTEGER)", true, NULL, &error);
	if (db == NULL)
		return 3;
	bool fine = ms_sqlite_can_write(db, &error);
	if (fine)
		return 0;
	if (!g_error_matches(error, MS_ERROR, MS_ERROR_CONFIG))
		return 4;
	return strstr(error->message, path) != NULL ? 1 : 4;
}

static void test_can_write(void)
{
	static const struct {
		mode_t mode;
		int want;
	} rows[] = {{0444, 1}, {0644, 1}, {0666, 0}};
	if (geteuid() != 0) {
		g_test_skip("only root becomes another");
		return;
	}
	g_autofree char *folder = path_of("open"), *path = g_build_filename(folder, "x.db", NULL);
	g_assert_cmpint(mkdir(folder, 0777), ==, 0);
	g_assert_cmpint(chmod(folder, 0777), ==, 0);
	g_assert_cmpint(chmod(dir, 0755), ==, 0);
	g_autoptr(MsSqlite) made = ms_sqlite_open(
		path, 7, "CREATE TABLE IF NOT EXISTS t (a INTEGER)", true, NULL, NULL);
	g_assert_true(ms_sqlite_can_write(made, NULL));
	g_clear_pointer(&made, ms_sqlite_free);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int status;
		g_assert_cmpint(chmod(path, rows[i].mode), ==, 0);
		pid_t child = fork();
		if (child == 0)
			_exit(open_as_nobody(path));
		g_assert_cmpint(waitpid(child, &status, 0), ==, child);
		g_test_message("mode %04o", (guint)rows[i].mode);
		g_assert_cmpint(WEXITSTATUS(status), ==, rows[i].want);
	}
}

/* At the first start of a machine missentd and missent-agent find no database, both. */
static void test_first(void)
{
	for (guint round = 0; round < FIRST_ROUNDS; round++) {
		g_autofree char *name = g_strdup_printf("first-%u.db", round);
		g_autofree char *path = path_of(name);
		pthread_barrier_t start;
		pthread_barrier_init(&start, NULL, FIRST_ONES);
		First first[FIRST_ONES] = {0};
		pthread_t threads[FIRST_ONES];
		for (guint i = 0; i < FIRST_ONES; i++) {
			first[i] = (First){.path = path, .start = &start};
			g_assert_cmpint(
				pthread_create(&threads[i], NULL, open_first, &first[i]), ==, 0);
		}
		for (guint i = 0; i < FIRST_ONES; i++) {
			pthread_join(threads[i], NULL);
			g_assert_cmpstr(first[i].problem, ==, NULL);
		}
		pthread_barrier_destroy(&start);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGXFSZ, SIG_IGN);
	dir = scratch_folder();
	g_test_add_func("/writing/first", test_first);
	g_test_add_func("/writing/together", test_together);
	for (gsize i = 0; i < G_N_ELEMENTS(moved); i++) {
		g_autofree char *path = g_strconcat("/writing/moved/", moved[i].name, NULL);
		g_test_add_data_func(path, &moved[i], test_moved);
	}
	g_test_add_func("/writing/moved/back", test_moved_back);
	g_test_add_func("/writing/locked", test_locked);
	g_test_add_func("/writing/locked-anew", test_locked_anew);
	g_test_add_func("/writing/stuck", test_stuck);
	g_test_add_func("/writing/full", test_full);
	g_test_add_func("/writing/very-many", test_very_many);
	g_test_add_func("/writing/audit/words", test_audit_words);
	for (gsize i = 0; i < G_N_ELEMENTS(helds); i++) {
		g_autofree char *path = g_strconcat("/writing/audit/held/", helds[i].name, NULL);
		g_test_add_data_func(path, &helds[i], test_audit_held);
	}
	g_test_add_func("/writing/audit/in-part", test_audit_in_part);
	g_test_add_func("/writing/audit/recovered", test_audit_recovered);
	g_test_add_func("/writing/audit/taken-back", test_taken_back);
	g_test_add_func("/writing/audit/sent-again", test_sent_again);
	g_test_add_func("/writing/records/gone", test_gone);
	g_test_add_func("/writing/texts-later", test_texts_later);
	for (gsize i = 0; i < G_N_ELEMENTS(in_the_way); i++) {
		g_autofree char *path = g_strdup_printf(
			"/writing/in-the-way/%s%s", in_the_way[i].what, in_the_way[i].end);
		g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_in_the_way);
	}
	g_test_add_func("/writing/can-write", test_can_write);
	g_test_add_func("/writing/records/observed", test_observed);
	for (gsize i = 0; i < G_N_ELEMENTS(patiences); i++)
		g_test_add_data_func(patiences[i].name, &patiences[i], test_patience);
	g_test_add_func("/writing/audit/copy-again", test_copy_again);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	return rc;
}
