/* The host of world.h: settings, queue and records come from the tests, what became of them goes
 * back to them.  One thread, besides that of the SMTP server. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/bodydigest.h"
#include "missent/clock.h"
#include "missent/directory.h"
#include "missent/io.h"
#include "missent/spool.h"

#include "../test.h"
#include "world.h"

#define KINDS "policies/kinds.conf"
#define POLICY \
	"policy \"invoices\" {\n sender = {\"billing@seller.example\"}\n kinds = {\"customer-number\"}\n}\n"
#define ROWS \
	"AC-1,recipient,a@alpha.example\nAC-1,customer-number,C-10001\n" \
	"AC-2,recipient,@beta.example\nAC-2,customer-number,C-10002\n" \
	"AC-3,recipient,c@gamma.example\nAC-3,customer-number,C-10003\n" \
	"house,recipient,@seller.example\n"

const WorldRecipient world_to[3] = {{"a@alpha.example", MS_OUTCOME_RIGHT, "AC-1"},
	{"b@beta.example", MS_OUTCOME_WRONG, "AC-2"},
	{"n@nobody.example", MS_OUTCOME_UNKNOWN_RECIPIENT, ""}};

/* Where writing to disk costs nothing, if there is such a place: thousands of decisions are
 * synced. */
static char *folder(void)
{
	char *path = g_strdup("/dev/shm/missent-test-XXXXXX");
	if (g_mkdtemp(path) != NULL)
		return path;
	g_free(path);
	return scratch_folder();
}

void world_file(const World *w, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(w->dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* What a test says of itself is not said before it: a key has one line. */
static char *unless(const char *desk, const char *key, const char *value)
{
	g_autofree char *line = g_strdup_printf(" %s = ", key);
	return strstr(desk, line) != NULL ? g_strdup("") : g_strdup_printf("%s%s\n", line, value);
}

void world_settings(World *w, const char *settings, const char *desk)
{
	g_autofree char *relay = g_strdup_printf("\"smtp://127.0.0.1:%u\"", stub_port(w->stub));
	g_autofree char *own = g_strdup_printf("\"%s/agent.sock\"", w->dir);
	g_autofree char *submit = unless(desk, "submit", relay);
	g_autofree char *timeout = unless(desk, "submit-timeout", "10s");
	g_autofree char *from = unless(desk, "notice-from", "\"missent@seller.example\"");
	g_autofree char *socket = unless(desk, "socket", own);
	g_autofree char *reader = built_file("missent-reader");
	g_autofree char *release = built_file("tests/tools/fake-release");
	const char *mta = strstr(settings, "mta = sendmail") != NULL ? "sendmail-config"
								     : "postfix-config";
	g_autofree char *text = g_strdup_printf(
		"mode = enforce\n%slog = stderr\n"
		"state-dir = \"%s\"\npolicy-dir = \"%s/policies\"\nrelease-program = \"%s\"\n%s = \"%s\"\n%s\n"
		"reader {\n program = \"%s\"\n workers = 1\n}\ndirectory {\n digests = no\n}\n"
		"desk {\n%s%s%s%s%s\n}\n",
		strstr(settings, "host = ") != NULL ? "" : "host = \"mx.test\"\n", w->state, w->dir,
		release, mta, w->queue, settings, reader, submit, timeout, from, socket, desk);
	world_file(w, "missent.conf", text);
}

static MsDirectory *open_directory(const World *w)
{
	g_autoptr(GError) error = NULL;
	MsSettings *settings = ms_settings_load(w->config, &error);
	g_assert_no_error(error);
	MsKinds *kinds = ms_engine_load_kinds(settings, &error);
	g_assert_no_error(error);
	MsDirectory *directory = ms_engine_open_directory(settings, kinds, &error);
	g_assert_no_error(error);
	ms_kinds_unref(kinds);
	ms_settings_free(settings);
	return directory;
}

void world_mapping(World *w, const char *rows)
{
	g_autofree char *text = g_strconcat("account,kind,value\n", rows, NULL);
	g_autofree char *path = g_build_filename(w->dir, "in.csv", NULL);
	g_autoptr(MsDirectory) directory = open_directory(w);
	g_autoptr(GError) error = NULL;
	MsImportOptions options = {.max_shrink = 1, .source = "in.csv"};
	MsImportResult result;
	world_file(w, "in.csv", text);
	int fd = open(path, O_RDONLY);
	ms_directory_import(directory, fd, &options, &result, &error);
	g_assert_no_error(error);
	close(fd);
}

/* The only one that is looked for here: each program of each world compiles the patterns of all. */
static char *kind_of_policy(void)
{
	g_autofree char *all = read_source(KINDS);
	const char *from = g_strstr_len(all, -1, "kind \"customer-number\" {");
	const char *to = from != NULL ? strstr(from, "\n}\n") : NULL;
	g_assert_nonnull(to);
	return g_strndup(from, (gsize)(to + 3 - from));
}

World *world_new(const char *settings, const char *desk)
{
	World *w = g_new0(World, 1);
	w->dir = folder();
	w->config = g_build_filename(w->dir, "missent.conf", NULL);
	w->queue = g_build_filename(w->dir, "queue", NULL);
	w->state = g_build_filename(w->dir, "state", NULL);
	w->spool = g_build_filename(w->state, "spool", NULL);
	g_autofree char *policies = g_build_filename(w->dir, "policies", NULL);
	const char *const folders[] = {w->queue, w->state, w->spool, policies};
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++)
		g_assert_cmpint(g_mkdir(folders[i], 0755), ==, 0);
	g_autofree char *kinds = kind_of_policy();
	world_file(w, KINDS, kinds);
	world_file(w, "policies/invoices.conf", POLICY);
	g_autofree char *path = g_build_filename(w->state, "held.db", NULL);
	g_autoptr(GError) error = NULL;
	w->ledger = ms_ledger_open(path, &error);
	g_assert_no_error(error);
	w->stub = stub_new(path, w->queue);
	world_settings(w, settings, desk);
	world_mapping(w, ROWS);
	return w;
}

void world_free(World *w)
{
	stub_free(w->stub);
	ms_ledger_free(w->ledger);
	remove_folder(w->dir);
	g_free(w->dir);
	g_free(w->config);
	g_free(w->queue);
	g_free(w->state);
	g_free(w->spool);
	g_free(w);
}

MsDesk *world_desk(World *w)
{
	g_autoptr(GError) error = NULL;
	MsDesk *desk = ms_desk_open(w->config, &error);
	g_assert_no_error(error);
	return desk;
}

/* ---- a held message ------------------------------------------------------------------- */

static char *text_of(const WorldHold *h, const char *id)
{
	return g_strdup_printf(
		"From: Billing <%s>\nTo: %s\nSubject: %s\n"
		"Date: Thu, 26 Nov 2026 10:00:00 +0100\nMessage-ID: <%s@seller.example>\n\n%s\n",
		WORLD_SENDER, h->to != NULL ? h->to[0].address : world_to[0].address,
		h->subject != NULL ? h->subject : "Invoice", id,
		h->body != NULL ? h->body : "Your customer number: C-10001");
}

static char *digest_of(const char *text)
{
	MsBodyDigest digest;
	char sum[MS_BODY_DIGEST];
	ms_body_digest_init(&digest);
	ms_body_digest_message(&digest, text, strlen(text));
	ms_body_digest_end(&digest, sum);
	return g_strdup(sum);
}

static bool is_spooled(const WorldHold *h)
{
	return h->spooled || h->split;
}

static void put_message(World *w, const WorldHold *h, const MsRecord *r, const char *text)
{
	g_autoptr(GError) error = NULL;
	if (h->gone)
		return;
	if (!is_spooled(h) || h->split) {
		g_autofree char *mail = g_strdup_printf("queue/%s.mail", r->queue_id);
		g_autofree char *queue = g_strdup_printf("queue/%s.queue", r->queue_id);
		g_autoptr(GString) to = g_string_new(NULL);
		for (guint i = 0; i < r->recipients->len; i++)
			g_string_append_printf(
				to, "%s ", ((MsHeldRecipient *)r->recipients->pdata[i])->address);
		g_autofree char *head = g_strdup_printf(
			"hold\n%s\n%" G_GINT64_FORMAT "\n%s\n",
			h->queued_sender != NULL ? h->queued_sender : r->sender,
			r->arrived / G_USEC_PER_SEC, to->str);
		world_file(w, mail, text);
		world_file(w, queue, head);
	}
	if (!is_spooled(h))
		return;
	int fd = ms_memory_file("held");
	g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
	ms_spool_write(w->spool, r->uid, fd, false, &error);
	g_assert_no_error(error);
	close(fd);
}

static void add_findings(MsRecord *r, const WorldHold *h)
{
	g_auto(GStrv) refs = g_strsplit(h->refs != NULL ? h->refs : "", " ", -1);
	for (int i = 0; refs[i] != NULL; i++)
		ms_record_finding(r,
			(MsHeldFinding){(char *)"customer-number", (char *)"C-***", refs[i],
				(char *)"AC-2", (char *)"labelled", (char *)"body", 1,
				(char *)"x"});
	for (guint i = 0; i < h->n_found; i++)
		ms_record_finding(r,
			(MsHeldFinding){(char *)"customer-number", (char *)"C-***",
				(char *)h->found[i].ref, (char *)h->found[i].owners,
				(char *)"labelled", (char *)"body", 1,
				(char *)h->found[i].relations});
}

/* One for each identifier that a recipient may not have. */
static void add_reasons(MsRecord *r, const WorldHold *h)
{
	for (guint i = 0; i < h->n_found; i++) {
		MsReason *reason = g_new0(MsReason, 1);
		*reason = (MsReason){.code = i % 2 == 0 ? MS_MISMATCH : MS_UNKNOWN_RECIPIENT,
			.policy = g_strdup("invoices"),
			.action = MS_HOLD,
			.enforced = true,
			.kind = g_strdup("customer-number"),
			.masked = g_strdup("C-***"),
			.where = g_strdup("part 1 text/plain"),
			.owner = g_strdup(h->found[i].owners),
			.recipient = g_strdup(h->n > 0 ? h->to[0].address : "a@alpha.example"),
			.recipients = 1,
			.text = g_strdup("customer-number of another")};
		g_ptr_array_add(r->reasons, reason);
	}
	if (h->n_found == 0)
		return;
	MsReason *unread = g_new0(MsReason, 1);
	*unread = (MsReason){.code = MS_UNREADABLE,
		.policy = g_strdup("invoices"),
		.action = MS_HOLD,
		.enforced = true,
		.where = g_strdup("part 2"),
		.text = g_strdup("encrypted: a PDF with a password")};
	g_ptr_array_add(r->reasons, unread);
}

static void add_wait(MsRecord *r, const WorldHold *h)
{
	MsReason *reason = g_new0(MsReason, 1);
	*reason = (MsReason){.code = h->waits_for,
		.policy = g_strdup(r->policies),
		.action = MS_DELAY,
		.enforced = true,
		.text = g_strdup("it waits")};
	g_ptr_array_add(r->reasons, reason);
	r->waits_since = ms_clock_now();
	r->due = r->waits_since + h->wait_us;
}

static MsRecord *record_of(World *w, const WorldHold *h)
{
	MsRecord *r = ms_record_new();
	const WorldRecipient *to = h->to != NULL ? h->to : world_to;
	guint n = h->to != NULL ? h->n : G_N_ELEMENTS(world_to);
	r->uid = ms_record_name();
	r->state = h->state;
	r->place = is_spooled(h) ? MS_PLACE_SPOOL : MS_PLACE_QUEUE;
	r->host = g_strdup(h->host != NULL ? h->host : "mx.test");
	r->queue_id = g_strdup_printf("Q%07u", ++w->names);
	r->sender = g_strdup(h->sender != NULL ? h->sender : WORLD_SENDER);
	r->arrived = g_get_real_time() - h->age_us;
	r->message = g_strdup("");
	r->codes = g_strdup(h->codes != NULL ? h->codes : "mismatch");
	r->policies = g_strdup(h->policies != NULL ? h->policies : "invoices");
	r->cause = g_strdup(h->cause != NULL ? h->cause : "mismatch, for wrong, invoices");
	r->assignee = g_strdup("");
	for (guint i = 0; i < n; i++)
		ms_record_recipient(r, to[i].address, h->state, to[i].outcome,
			to[i].accounts != NULL ? to[i].accounts : "");
	add_findings(r, h);
	add_reasons(r, h);
	if (h->wait_us > 0)
		add_wait(r, h);
	return r;
}

char *world_hold(World *w, const WorldHold *h)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecord) r = record_of(w, h);
	g_autofree char *text = text_of(h, r->queue_id);
	r->digest = digest_of(text);
	r->size = strlen(text);
	put_message(w, h, r, text);
	ms_records_add(w->ledger, r, &error);
	g_assert_no_error(error);
	return g_strdup(r->uid);
}

MsRecord *world_record(World *w, const char *uid)
{
	g_autoptr(GError) error = NULL;
	MsRecord *r = ms_records_find(w->ledger, uid, &error);
	g_assert_no_error(error);
	g_assert_nonnull(r);
	return r;
}

char *world_states(World *w, const char *uid)
{
	g_autoptr(MsRecord) r = world_record(w, uid);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < r->recipients->len; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
			ms_state_names[((MsHeldRecipient *)r->recipients->pdata[i])->state]);
	return g_string_free(out, FALSE);
}

bool world_is_queued(World *w, const MsRecord *r)
{
	g_autofree char *path = g_strdup_printf("%s/%s.queue", w->queue, r->queue_id);
	g_autofree char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) && g_str_has_prefix(text, "hold\n");
}

bool world_is_spooled(World *w, const char *uid)
{
	g_autofree char *path = g_strdup_printf("%s/%s.eml", w->spool, uid);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

char *world_log(World *w)
{
	g_autofree char *path = g_build_filename(w->queue, "log", NULL);
	g_autofree char *text = NULL;
	gsize len = 0;
	if (!g_file_get_contents(path, &text, &len, NULL))
		return g_strdup("");
	char *fresh = g_strdup(text + w->log_at);
	w->log_at = len;
	return g_strdelimit(fresh, "\n", ',');
}

void world_orders(World *w, const char *verb, const char *what)
{
	g_autofree char *name = g_strdup_printf("queue/do.%s", verb);
	world_file(w, name, what);
}

/* ---- decisions ------------------------------------------------------------------------ */

static GPtrArray *split(const char *words)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) each = g_strsplit(words != NULL ? words : "", " ", -1);
	for (int i = 0; each[i] != NULL; i++)
		g_ptr_array_add(list, g_strdup(each[i]));
	return list;
}

GPtrArray *world_decide(MsDesk *desk, const WorldAsk *a, GError **error)
{
	g_autoptr(GPtrArray) uids = split(a->uids);
	g_autoptr(GPtrArray) to = split(a->to);
	MsVerb verb;
	if (!ms_verb_parse("verb", a->verb, &verb, error))
		return NULL;
	MsAsk ask = {.verb = verb,
		.uids = uids,
		.recipients = to,
		.who = a->who != NULL ? a->who : "anna",
		.why = a->why != NULL ? a->why : "test",
		.account = a->account,
		.identifier = a->identifier,
		.assignee = a->assignee,
		.rightful = a->rightful,
		.others = a->others};
	return ms_desk_decide(desk, &ask, error);
}

char *world_said(MsDesk *desk, const WorldAsk *ask)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) done = world_decide(desk, ask, &error);
	if (done == NULL)
		return g_strdup_printf("error: %s", error->message);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < done->len; i++) {
		const MsDecision *d = done->pdata[i];
		g_string_append_printf(out, "%s%s: %s", i > 0 ? "; " : "",
			ms_decision_state_names[d->state], d->outcome);
	}
	return g_string_free(out, FALSE);
}

void world_ask(MsDesk *desk, void *ask)
{
	g_autoptr(GPtrArray) G_GNUC_UNUSED done = world_decide(desk, ask, NULL);
}

/* ---- being killed --------------------------------------------------------------------- */

/* There when the counters of gcov are: what a process ran that is killed counts as well. */
extern void __gcov_dump(void) __attribute__((weak));

static void dump_counters(void)
{
	if (__gcov_dump != NULL)
		__gcov_dump();
}

static const char *kill_at;
static guint kill_after;

static void come_by(const char *point)
{
	if ((kill_at != NULL && strcmp(kill_at, point) != 0) || --kill_after > 0)
		return;
	dump_counters();
	kill(getpid(), SIGKILL);
}

bool world_killed(World *w, const char *point, guint nth, void (*func)(MsDesk *desk, void *user),
	void *user)
{
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		MsDesk *desk = world_desk(w);
		kill_at = point;
		kill_after = nth;
		ms_desk_crash_point = come_by;
		func(desk, user);
		ms_desk_free(desk);
		dump_counters();
		_exit(0);
	}
	int status = 0;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}
