/* The reader's filters follow the directory: there is no moment at which what it knows is not
 * found. */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/engine.h"

#include "../trail.h"
#include "engine.h"

/* A directory of its own handle, as another host has. */
static MsDirectory *other_host(MsKinds **kinds_out)
{
	g_autoptr(GError) error = NULL;
	MsSettings *settings = ms_settings_load(config, &error);
	g_assert_no_error(error);
	*kinds_out = ms_engine_load_kinds(settings, &error);
	g_assert_no_error(error);
	MsDirectory *directory = ms_engine_open_directory(settings, *kinds_out, &error);
	g_assert_no_error(error);
	ms_settings_free(settings);
	return directory;
}

static MsJudgement *judgement_of(MsRuntime *runtime, MsEnvelope *envelope, const char *message)
{
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, message, strlen(message)), ==, (gssize)strlen(message));
	ms_memory_seal(fd);
	envelope->sender = g_strdup("a@seller.example");
	envelope->size += strlen(message); /* and what was not stored of it */
	MsJudgement *judgement = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_engine_judge(runtime, envelope, fd, strlen(message), &judgement, &error));
	g_assert_no_error(error);
	close(fd);
	if (judgement->trouble != NULL)
		g_test_message("%s", judgement->trouble);
	return judgement;
}

/* What is done with a message, to a recipient of account R. */
static MsAction judge_message(MsRuntime *runtime, const char *message)
{
	g_autoptr(MsEnvelope) envelope = ms_envelope_new();
	g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
	g_autoptr(MsJudgement) judgement = judgement_of(runtime, envelope, message);
	return judgement->verdict->action;
}

static MsAction judge(MsRuntime *runtime, const char *text)
{
	g_autofree char *message = g_strdup_printf(
		"From: a@seller.example\r\nSubject: s\r\n\r\n%s\r\n", text);
	return judge_message(runtime, message);
}

static MsRuntime *start(void)
{
	g_autoptr(GError) error = NULL;
	MsRuntime *runtime = ms_runtime_load(config, MS_PARTS_CHECK, NULL, &error);
	g_assert_no_error(error);
	return runtime;
}

#define MAPPING "account,kind,value\nR,recipient,r@recipient.example\nX,customer-number,FIRST-1\n"

/* As soon as a put has returned, the next message is judged by it; on another host too. */
static void test_put(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	MsRuntime *runtime = start();
	g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
	for (int i = 0; i < 40; i++) {
		g_autofree char *value = g_strdup_printf("NEW-%05d-Q", i);
		g_assert_cmpint(judge(runtime, value), ==, MS_DELIVER);
		bool changed;
		ms_directory_put(directory, "X", "customer-number", value, &changed, NULL);
		g_assert_true(changed);
		g_assert_cmpint(judge(runtime, value), ==, MS_HOLD);
	}
	g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* The same for a mapping that is replaced, and for more new entries than the small filter takes. */
#ifdef MS_SANITIZERS
#define IMPORTS 2
#else
#define IMPORTS 6
#endif

static void test_import(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	MsRuntime *runtime = start();
	for (int i = 0; i < IMPORTS; i++) {
		GString *text = g_string_new(MAPPING);
		for (int k = 0; k < 3000; k++)
			g_string_append_printf(text, "X,customer-number,G%d-%05d\n", i, k);
		g_autofree char *value = g_strdup_printf("see G%d-%05d there", i, 2999);
		g_assert_cmpint(judge(runtime, value), ==, MS_DELIVER);
		import(directory, text->str);
		g_assert_cmpint(judge(runtime, value), ==, MS_HOLD);
		g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
		g_string_free(text, TRUE);
	}
	/* Gone is gone. */
	g_assert_cmpint(judge(runtime, "see G0-00001 there"), ==, MS_DELIVER);
	for (int k = 0; k < 9000; k++) {
		g_autofree char *value = g_strdup_printf("LATER-%05d", k);
		bool changed;
		ms_directory_put(directory, "X", "customer-number", value, &changed, NULL);
		if (k % 1500 == 0)
			g_assert_cmpint(judge(runtime, value), ==, MS_HOLD);
	}
	g_assert_cmpint(judge(runtime, "LATER-00001 LATER-08999"), ==, MS_HOLD);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* The reading of an attachment that was kept does not outlive what it was made with. */
static void test_attachment(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	MsRuntime *runtime = start();
	GString *text = g_string_new(
		"From: a@seller.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
		"boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream; name=a.html\r\nContent-Disposition: attachment; "
		"filename=a.html\r\n\r\n<!DOCTYPE html><html><p>PLUM-77-KIWI</p>");
	for (int i = 0; i < 4000; i++)
		g_string_append(text, "<p>some words of the terms</p>\r\n");
	g_string_append(text, "\r\n--b--\r\n");
	/* A reading is made for keeping where a worker is at leisure at once: on a busy machine
	 * not the second time. */
	MsReaderStats stats = {0};
	for (int i = 0; i < 200 && stats.cache_hits == 0; i++) {
		g_assert_cmpint(judge_message(runtime, text->str), ==, MS_DELIVER);
		ms_reader_stats(ms_runtime_reader(runtime), &stats);
	}
	g_assert_cmpuint(stats.cache_hits, >, 0);
	bool changed;
	ms_directory_put(directory, "X", "customer-number", "PLUM-77-KIWI", &changed, NULL);
	g_assert_cmpint(judge_message(runtime, text->str), ==, MS_HOLD);
	g_string_free(text, TRUE);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* A reader process that takes the place of one that died has the filters of that one from its first
 * worker on: at no time is something read without them. */
static void test_restart(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	MsRuntime *runtime = start();
	g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
	guint64 before = ms_reader_known(ms_runtime_reader(runtime));
	MsReaderStats stats = {0};
	g_autofree char *command = g_strdup_printf(
		"pkill -KILL -P %d missent-reader", (int)getpid());
	g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	/* Its workers end with it, a moment later; one of them might still answer. */
	for (int i = 0; i < 200 && stats.replaced == 0; i++) {
		g_usleep(20000);
		g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
		ms_reader_stats(ms_runtime_reader(runtime), &stats);
	}
	/* one or two: mail without documents has a crew of its own, and the watcher is quick */
	g_assert_cmpuint(stats.replaced, >, 0);
	g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
	g_assert_cmpuint(ms_reader_known(ms_runtime_reader(runtime)), ==, before);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

static volatile gint done;

static void *change_all_the_time(void *user)
{
	MsDirectory *directory = user;
	for (int i = 0; !g_atomic_int_get(&done); i++) {
		g_autofree char *value = g_strdup_printf("NOISE-%05d", i);
		bool changed;
		ms_directory_put(directory, "Y", "customer-number", value, &changed, NULL);
		if (i % 40 == 39)
			import(directory, MAPPING);
	}
	return NULL;
}

/* While the mapping changes and is replaced all the time, what it always had is always found. */
static void test_always(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	MsRuntime *runtime = start();
	pthread_t thread;
	pthread_create(&thread, NULL, change_all_the_time, directory);
	for (int i = 0; i < 60; i++)
		g_assert_cmpint(judge(runtime, "about FIRST-1 we"), ==, MS_HOLD);
	g_atomic_int_set(&done, 1);
	pthread_join(thread, NULL);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* Of a list that grew out of hand, the record keeps for whom the message is wrong. */
static void test_many(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING "X,recipient,@x.example\n");
	MsRuntime *runtime = start();
	g_autoptr(MsEnvelope) envelope = ms_envelope_new();
	for (int i = 0; i < MS_HELD_RELATIONS + 50; i++)
		g_ptr_array_add(envelope->recipients, g_strdup_printf("r%d@x.example", i));
	g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
	g_autoptr(MsJudgement) judgement = judgement_of(
		runtime, envelope, "From: a@seller.example\r\n\r\nabout FIRST-1 we\r\n");
	g_autoptr(MsRecord) record = ms_engine_record(runtime, envelope, judgement, "");
	g_assert_cmpuint(record->recipients->len, ==, MS_HELD_RELATIONS + 51);
	g_assert_cmpstr(((MsHeldRecipient *)record->recipients->pdata[0])->address, ==,
		"r@recipient.example");
	g_assert_cmpstr(
		((MsHeldRecipient *)record->recipients->pdata[1])->address, ==, "r0@x.example");
	const MsHeldFinding *first = record->findings->pdata[0];
	g_assert_cmpstr(first->kind, ==, "customer-number");
	g_assert_cmpuint(strlen(first->relations), ==, MS_HELD_RELATIONS);
	g_assert_cmpint(first->relations[0], ==, 'x');
	g_assert_cmpuint(strspn(first->relations + 1, "o"), ==, MS_HELD_RELATIONS - 1);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* Who got it stands in the record as it was judged: of two recipients the first may not have
 * it. */
#define TRIED "\n}\npolicy \"tried\" {\n mode = observe\n "

static void test_recipients(void)
{
	static const struct {
		const char *policy;
		guint64 missing; /* bytes of the message that were not stored */
		MsAction action;
		const char *states;
	} rows[] = {
		{"on-mismatch = deliver", 0, MS_DELIVER, "dd"},
		{"on-mismatch = tag", 0, MS_TAG, "dd"},
		{"on-mismatch = split", 0, MS_SPLIT, "hd"},
		{"on-mismatch = split\n on-unreadable = deliver", 0, MS_SPLIT, "hd"},
		{"on-mismatch = split\n on-unreadable = deliver", 1, MS_HOLD, "hh"},
		{"on-mismatch = tag\n on-unreadable = deliver", 1, MS_TAG, "dd"},
		/* one that only observes adds nothing to what is done */
		{"on-mismatch = split\n on-unreadable = deliver" TRIED "on-mismatch = reject", 1,
			MS_HOLD, "hh"},
		{"on-mismatch = split" TRIED "on-mismatch = reject", 0, MS_SPLIT, "hd"},
		{"on-mismatch = tag" TRIED "on-mismatch = hold", 0, MS_TAG, "dd"},
		{"on-mismatch = deliver" TRIED "on-mismatch = split", 0, MS_DELIVER, "dd"},
		{"on-mismatch = \"delay 30m\"", 0, MS_DELAY, "hh"},
		{"on-mismatch = hold", 0, MS_HOLD, "hh"},
	};
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING "X,recipient,@x.example\n");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *policy = g_strdup_printf("policy \"all\" {\n %s\n}\n", rows[i].policy);
		write_file("policies/all.conf", policy);
		MsRuntime *runtime = start();
		g_autoptr(MsEnvelope) envelope = ms_envelope_new();
		envelope->size = rows[i].missing;
		g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
		g_ptr_array_add(envelope->recipients, g_strdup("x@x.example"));
		g_autoptr(MsJudgement) judgement = judgement_of(
			runtime, envelope, "From: a@seller.example\r\n\r\nabout FIRST-1 we\r\n");
		g_autoptr(MsRecord) record = ms_engine_record(runtime, envelope, judgement, "");
		char states[3] = "";
		for (guint k = 0; k < 2; k++)
			states[k] = ((MsHeldRecipient *)record->recipients->pdata[k])->state ==
					MS_STATE_HELD ? 'h' : 'd';
		g_assert_cmpint(record->state, ==,
			rows[i].states[0] == 'h' ? MS_STATE_HELD : MS_STATE_OBSERVED);
		if (judgement->verdict->action != rows[i].action ||
			strcmp(states, rows[i].states) != 0)
			g_error("%s: got %s %s, want %s", rows[i].policy,
				ms_action_names[judgement->verdict->action], states,
				rows[i].states);
		ms_runtime_unref(runtime);
	}
	write_file("policies/all.conf", "policy \"all\" {\n}\n");
	ms_kinds_unref(kinds);
}

/* Whose it is about: a recipient's own account, and that of a finding which nobody here has. */
static void test_accounts(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	MsRuntime *runtime = start();
	g_autoptr(MsEnvelope) envelope = ms_envelope_new();
	g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
	g_autoptr(MsJudgement) judgement = judgement_of(
		runtime, envelope, "From: a@seller.example\r\n\r\nabout FIRST-1 we\r\n");
	g_autoptr(MsRecord) record = ms_engine_record(runtime, envelope, judgement, "");
	g_assert_cmpuint(record->accounts->len, ==, 2);
	g_assert_cmpstr(record->accounts->pdata[0], ==, "R");
	g_assert_cmpstr(record->accounts->pdata[1], ==, "X");
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* The message that stops a stream tells of it, and no other does. */
static void test_stopped(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	g_autofree char *text = NULL, *file = g_build_filename(dir, "stops.conf", NULL);
	g_assert_true(g_file_get_contents(config, &text, NULL, NULL));
	g_autofree char *stops = g_strconcat(text, "guard {\n breaker-recent = 2\n}\n", NULL);
	write_file("stops.conf", stops);
	g_autoptr(GError) error = NULL;
	MsRuntime *runtime = ms_runtime_load(file, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	for (int i = 0; i < 3; i++) {
		g_autoptr(MsEnvelope) envelope = ms_envelope_new();
		g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
		envelope->queue_id = g_strdup_printf("Q%d", i);
		g_autoptr(MsJudgement) judgement = judgement_of(runtime, envelope,
			"From: a@seller.example\r\n\r\nabout FIRST-1 we\r\n");
		g_assert_true((judgement->stopped != NULL) == (i == 1));
		if (i == 1)
			g_assert_cmpstr(judgement->stopped->pdata[0], ==, "all");
		/* What stopped it is told, though the message itself comes to nothing. */
		MsPatience patience;
		ms_patience_begin(&patience, 1);
		g_usleep(5000);
		envelope->patience = &patience;
		g_assert_false(ms_engine_write_down(runtime, envelope, judgement, -1, "", &error));
		g_clear_error(&error);
	}
	g_autofree char *trail = trail_text(ms_runtime_settings(runtime)->audit_file);
	const char *told = strstr(trail, "\"stream-stopped\"");
	g_assert_true(told != NULL && strstr(told + 1, "\"stream-stopped\"") == NULL);
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* With a number in the place of "%d". */
static char *replaced(const char *text, guint number)
{
	g_auto(GStrv) parts = g_strsplit(text, "%d", 2);
	return parts[1] != NULL ? g_strdup_printf("%s%u%s", parts[0], number, parts[1])
				: g_strdup(text);
}

/* Counted, and put off for it could not be written down: how often it is tried is not how often it
 * is sent. */
static void test_again(void)
{
	static const struct {
		const char *id, *text; /* of each try; %d: another each time */
		guint put_off;         /* before one is written down, and three more with it */
		guint held;            /* of those four: the first that is held for it; 0: none */
	} rows[] = {
		{"<once@seller.example>", "hello", 8, 4}, /* one, and three repeats */
		{"<first@seller.example>", "hello there", 0, 4},
		{"<other@seller.example>", "hello %d", 8, 0}, /* another text is another message */
		{"<each-%d@seller.example>", "good day", 8, 1}, /* as one that was sent so often */
	};
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	g_autofree char *text = NULL, *file = g_build_filename(dir, "again.conf", NULL);
	g_assert_true(g_file_get_contents(config, &text, NULL, NULL));
	g_autofree char *more = g_strdup_printf(
		"%sguard {\n repeat = 3\n breaker = 0\n breaker-recent = 0\n"
		" sqlite-file = \"%s/again.db\"\n}\n", text, dir);
	write_file("again.conf", more);
	g_autoptr(GError) error = NULL;
	MsRuntime *runtime = ms_runtime_load(file, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	guint number = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint held = 0;
		for (guint k = 0; k < rows[i].put_off + 4; k++) {
			g_autoptr(MsEnvelope) envelope = ms_envelope_new();
			g_autofree char *id = replaced(rows[i].id, k);
			g_autofree char *body = replaced(rows[i].text, k);
			g_autofree char *message = g_strdup_printf(
				"From: a@seller.example\r\nMessage-ID: %s\r\n\r\n%s\r\n", id, body);
			g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
			envelope->queue_id = g_strdup_printf("A%u", number++);
			envelope->host = g_strdup("mx");
			envelope->arrived = g_get_real_time();
			g_autoptr(MsJudgement) judgement = judgement_of(runtime, envelope, message);
			MsPatience patience;
			ms_patience_begin(&patience, k < rows[i].put_off ? 1 : 60000);
			g_usleep(3000);
			envelope->patience = &patience;
			bool written = ms_engine_write_down(runtime, envelope, judgement, -1, "", &error);
			g_assert_true(written == (k >= rows[i].put_off));
			g_clear_error(&error);
			if (written && held == 0 && judgement->verdict->action == MS_HOLD)
				held = k - rows[i].put_off + 1;
		}
		g_test_message("row %zu: %u", i, held);
		g_assert_cmpuint(held, ==, rows[i].held);
	}
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

#define TOKEN "ZQ7740912XK"

/* What a sender writes where nobody looks for text: each with the token in it. */
static const char *const hidden[] = {
	"Content-Type: text/plain; charset=x-" TOKEN "\r\n\r\nx \xe9\r\n",
	"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-" TOKEN "\r\n\r\nx\r\n",
	"Content-Type: application/x-" TOKEN "\r\n\r\n\x01\x02\x03\r\n",
	"Content-Type: " TOKEN "/" TOKEN "\r\n\r\n\x01\x02\x03\r\n",
	"Content-Type: application/pdf; name=\"" TOKEN ".pdf\"\r\n\r\n%PDF-1.4 x\r\n",
	"Content-Type: application/x-foo; name=\"a." TOKEN "\"\r\n\r\n\x01\x02\r\n",
	"Content-Type: application/x-foo\r\nContent-Disposition: attachment; filename=\"header " TOKEN
	"\"\r\n\r\n\x01\x02\r\n",
	"Content-Disposition: attachment; filename=\"" TOKEN
	" page 1\"\r\n\r\nabout FIRST-1 we\r\n",
	"X-" TOKEN ": about FIRST-1 we\r\n\r\nx\r\n",
	"X-" TOKEN ": =?x-none?Q?x=E9?=\r\n\r\nx\r\n",
	"Subject: =?x-" TOKEN "?Q?x=E9?=\r\n\r\nx\r\n",
	"Content-Type: message/external-body; x=" TOKEN "\r\n\r\nx\r\n",
	"Content-Type: multipart/" TOKEN "; boundary=b\r\n\r\n--b\r\nX-" TOKEN
	": =?y?Q?x=E9?=\r\n\r\nx\r\n--b--\r\n",
	"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	"UEsDBAoAAAAAAAAAIQCDFtyMAgAAAAIAAAAPAAAAWlE3NzQwOTEyWEsuYmluAQJQSwECFAAKAAAAAAAAACEAgxbcjAIAAAACAAAA"
	"DwAAAAAAAAAAAAAAgAEAAAAAWlE3NzQwOTEyWEsuYmluUEsFBgAAAAABAAEAPQAAAC8AAAAAAA==\r\n",
};

static void expect_no_token(const char *name, const char *text, gsize len)
{
	g_autofree char *lower = g_ascii_strdown(text, (gssize)len);
	g_autofree char *token = g_ascii_strdown(TOKEN, -1);
	if (memmem(lower, len, token, strlen(token)) != NULL)
		g_error("%s has the token in it", name);
}

/* Names and labels that a sender chose are in no reason, no record and no line of the audit: not in
 * the log, and not for those who only look at the list. */
static void test_tokens(void)
{
	MsKinds *kinds;
	g_autoptr(MsDirectory) directory = other_host(&kinds);
	import(directory, MAPPING);
	g_autoptr(GError) error = NULL;
	MsRuntime *runtime = ms_runtime_load(config, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(hidden); i++) {
		g_autoptr(MsEnvelope) envelope = ms_envelope_new();
		envelope->host = g_strdup("mx.seller.example");
		envelope->queue_id = g_strdup_printf("Q%zu", i);
		g_ptr_array_add(envelope->recipients, g_strdup("r@recipient.example"));
		g_autofree char *message = g_strconcat(
			"From: a@seller.example\r\n", hidden[i], NULL);
		g_autoptr(MsJudgement) judgement = judgement_of(runtime, envelope, message);
		g_test_message("row %zu", i);
		g_assert_cmpint(judgement->verdict->action, ==, MS_HOLD);
		for (guint k = 0; k < judgement->verdict->reasons->len; k++) {
			const MsReason *r = judgement->verdict->reasons->pdata[k];
			expect_no_token("a reason's text", r->text, strlen(r->text));
			if (r->where != NULL)
				expect_no_token("a reason's place", r->where, strlen(r->where));
		}
		ms_engine_write_down(runtime, envelope, judgement, -1, "", &error);
		g_assert_no_error(error);
	}
	const MsSettings *s = ms_runtime_settings(runtime);
	g_autofree char *trail = trail_text(s->audit_file);
	expect_no_token(s->audit_file, trail, strlen(trail));
	const char *const files[] = {s->records_file};
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *text = NULL, *wal = NULL;
		g_autofree char *log = g_strconcat(files[i], "-wal", NULL);
		gsize len = 0, wal_len = 0;
		g_assert_true(g_file_get_contents(files[i], &text, &len, NULL));
		expect_no_token(files[i], text, len);
		if (g_file_get_contents(log, &wal, &wal_len, NULL))
			expect_no_token(log, wal, wal_len);
	}
	ms_runtime_unref(runtime);
	ms_kinds_unref(kinds);
}

/* A runtime knows when its files say something else. */
static void test_current(void)
{
	MsRuntime *runtime = start();
	g_autofree char *file = g_build_filename(dir, "policies", "other.conf", NULL);
	g_assert_true(ms_runtime_is_current(runtime));
	write_file("policies/other.conf", "policy \"other\" {\n}\n");
	g_assert_false(ms_runtime_is_current(runtime));
	unlink(file);
	g_assert_true(ms_runtime_is_current(runtime));
	/* the same words, but written anew */
	write_file("policies/all.conf", "policy \"all\" {\n}\n");
	g_assert_false(ms_runtime_is_current(runtime));
	/* another may be put where it was: it is another all the same */
	guint number = ms_runtime_number(runtime);
	ms_runtime_unref(runtime);
	runtime = start();
	g_assert_cmpuint(ms_runtime_number(runtime), >, number);
	ms_runtime_unref(runtime);
}

/* What a runtime that writes would have its lines name can be read afterwards: each text once, and
 * the mode that it leaves open makes another. */
static void test_kept(void)
{
	g_autoptr(GError) error = NULL;
	MsRuntime *reads = start();
	MsRuntime *runtime = ms_runtime_load(config, MS_PARTS_CHECK | MS_PARTS_WRITE, NULL, &error);
	g_assert_no_error(error);
	const char *trail = ms_runtime_settings(runtime)->audit_file;
	g_autofree char *policies = ms_audit_text(trail, MS_AUDIT_POLICIES,
				ms_runtime_policies_version(runtime), &error),
			*kinds = ms_audit_text(
				trail, MS_AUDIT_KINDS, ms_runtime_kinds_version(runtime), &error);
	g_assert_nonnull(strstr(policies, "\n# ---- all.conf, 17 bytes\npolicy \"all\" {\n}\n"));
	g_assert_true(g_str_has_prefix(policies, "# mode = "));
	g_assert_nonnull(strstr(kinds, "kind \"customer-number\""));
	g_assert_cmpstr(
		ms_runtime_policies_version(reads), ==, ms_runtime_policies_version(runtime));
	g_autoptr(GPtrArray) all = ms_audit_texts(trail);
	g_assert_cmpuint(all->len, ==, 2);
	ms_runtime_unref(reads);
	ms_runtime_unref(runtime);
}

/* A fault lets out what is only observed: nothing that a policy of its own mode is against, and
 * without a judgement nothing that it might be. */
static void test_unchecked(void)
{
	static const struct {
		const char *mode, *policy, *sender;
		int action; /* -1: it came to no judgement */
		bool goes;
	} rows[] = {
		{"observe", "", "billing@seller.example", -1, true},
		{"observe", "", "billing@seller.example", MS_DELIVER, true},
		{"observe", "", "billing@seller.example", MS_TEMPFAIL, false},
		{"observe", "mode = observe", "billing@seller.example", -1, true},
		{"observe", "mode = enforce", "billing@seller.example", -1, false},
		{"observe", "mode = enforce", "other@seller.example", -1, true},
		{"observe", "mode = enforce", "billing@seller.example", MS_DELIVER, true},
		{"observe", "mode = enforce", "billing@seller.example", MS_TAG, true},
		{"observe", "mode = enforce", "billing@seller.example", MS_SPLIT, false},
		{"observe", "mode = enforce", "billing@seller.example", MS_DELAY, false},
		{"observe", "mode = enforce", "billing@seller.example", MS_HOLD, false},
		{"observe", "mode = enforce", "billing@seller.example", MS_REJECT, false},
		{"enforce", "", "billing@seller.example", -1, false},
		{"enforce", "mode = observe", "billing@seller.example", -1, false},
		{"enforce", "mode = observe", "billing@seller.example", MS_DELIVER, false},
	};
	g_autofree char *plain = NULL, *path = g_build_filename(dir, "unchecked.conf", NULL);
	g_assert_true(g_file_get_contents(config, &plain, NULL, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *policy = g_strdup_printf(
			"policy \"all\" {\n sender = {\"billing@seller.example\"}\n%s\n}\n",
			rows[i].policy);
		g_autofree char *text = g_strdup_printf("mode = %s\n%s", rows[i].mode,
			strchr(plain, '\n') + 1); /* its first line is the mode */
		write_file("policies/all.conf", policy);
		write_file("unchecked.conf", text);
		MsRuntime *runtime = ms_runtime_load(path, 0, NULL, &error);
		g_assert_no_error(error);
		g_autoptr(MsEnvelope) envelope = ms_envelope_new();
		envelope->sender = g_strdup(rows[i].sender);
		g_autoptr(MsVerdict) verdict = ms_verdict_new();
		verdict->action = (MsAction)MAX(rows[i].action, 0);
		MsJudgement judgement = {.verdict = verdict};
		g_test_message("row %zu", i);
		bool goes = ms_engine_lets_unchecked(
			runtime, envelope, rows[i].action >= 0 ? &judgement : NULL);
		g_assert_cmpint(goes, ==, rows[i].goes);
		ms_runtime_unref(runtime);
	}
	write_file("policies/all.conf", "policy \"all\" {\n}\n");
}

/* ---- causes ---------------------------------------------------------------------------- */

/* "hold mismatch invoices iban": action, code, policy, kind ("-": none). */
static void add_reason(MsRecord *record, const char *words)
{
	g_auto(GStrv) w = g_strsplit(words, " ", 4);
	int action = 0, code = 0;
	g_assert_true(ms_word_choose(ms_action_names, "action", w[0], &action, NULL));
	g_assert_true(ms_word_choose(ms_reason_names, "reason", w[1], &code, NULL));
	MsReason *reason = g_new0(MsReason, 1);
	*reason = (MsReason){.code = (MsReasonCode)code,
		.action = (MsAction)action,
		.policy = g_strdup(w[2]),
		.text = g_strdup("x"),
		.enforced = true,
		.kind = *w[3] != '-' ? g_strdup(w[3]) : NULL};
	g_ptr_array_add(record->reasons, reason);
}

/* What one fault brought is one cause, whatever is noted beside it, in whatever order, and
 * whether the stream was stopped before or after. */
static void test_causes(void)
{
#define ONE "mismatch (iban), for right, invoices, <b@s.example>"
#define TWO "mismatch (iban, vat-id), for right, a, b, <b@s.example>"
#define STOPPED "breaker, for right, invoices, <b@s.example>"
	static const char *const rows[][4] = {
		{ONE, "hold mismatch invoices iban"},
		{ONE, "hold mismatch invoices iban", "hold breaker all -"},
		{ONE, "hold mismatch invoices iban", "tag oversized lists -"},
		{TWO, "hold mismatch b vat-id", "hold mismatch a iban"},
		{TWO, "hold mismatch a iban", "hold mismatch b vat-id", "hold breaker b -"},
		{STOPPED, "hold breaker invoices -"},
		{STOPPED, "hold breaker invoices -", "tag unknown-identifier other iban",
			"tag oversized lists -"},
		{"unproven, for right, invoices, <b@s.example>", "tag mismatch lists iban",
			"hold unproven invoices -"},
		{"nothing, for right, , <b@s.example>", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsRecord) record = ms_record_new();
		record->sender = g_strdup("b@s.example");
		record->codes = g_strdup("");
		record->policies = g_strdup("");
		ms_record_recipient(record, "a@a.example", MS_STATE_HELD, MS_OUTCOME_RIGHT, "");
		for (gsize k = 1; k < G_N_ELEMENTS(rows[i]) && rows[i][k] != NULL; k++)
			add_reason(record, rows[i][k]);
		g_autofree char *cause = ms_engine_cause_again(record);
		g_assert_cmpstr(cause, ==, rows[i][0]);
	}
}

/* A folder that cannot be listed may have kinds in it: it is never taken for one without. */
static void test_unlisted(void)
{
	g_autofree char *folder = g_build_filename(dir, "kinds", NULL);
	g_autofree char *file = g_build_filename(folder, "kinds.conf", NULL);
	g_autoptr(MsSettings) settings = ms_settings_load(config, NULL);
	g_autoptr(GError) error = NULL;
	g_mkdir(folder, 0755);
	write_file("kinds/kinds.conf", "kind \"k\" { pattern = {'K-[0-9]+'} }\n");
	write_file("kinds/kinds-more.conf", "kind \"m\" { pattern = {'M-[0-9]+'} }\n");
	g_free(settings->kinds_file);
	settings->kinds_file = g_strdup(file);
	MsKinds *kinds = ms_engine_load_kinds(settings, &error);
	g_assert_cmpuint(ms_kinds_count(kinds), ==, 2);
	ms_kinds_unref(kinds);
	g_assert_cmpint(chmod(folder, 0311), ==, 0);
	g_assert_cmpint(chmod(dir, 0755), ==, 0);
	uid_t user = geteuid();
	g_assert_cmpint(seteuid(user == 0 ? 65534 : user), ==, 0);
	g_assert_null(ms_engine_load_kinds(settings, &error));
	g_assert_cmpint(seteuid(user), ==, 0);
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	chmod(folder, 0755);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	engine_begin("");
	write_file("policies/all.conf", "policy \"all\" {\n}\n");
	g_test_add_func("/engine/known/put", test_put);
	g_test_add_func("/engine/known/import", test_import);
	g_test_add_func("/engine/known/attachment", test_attachment);
	g_test_add_func("/engine/known/restart", test_restart);
	g_test_add_func("/engine/known/always", test_always);
	g_test_add_func("/engine/record/many", test_many);
	g_test_add_func("/engine/record/recipients", test_recipients);
	g_test_add_func("/engine/record/accounts", test_accounts);
	g_test_add_func("/engine/stopped", test_stopped);
	g_test_add_func("/engine/again", test_again);
	g_test_add_func("/engine/record/tokens", test_tokens);
	g_test_add_func("/engine/runtime/current", test_current);
	g_test_add_func("/engine/runtime/kept", test_kept);
	g_test_add_func("/engine/kinds/unlisted", test_unlisted);
	g_test_add_func("/engine/unchecked", test_unchecked);
	g_test_add_func("/engine/causes", test_causes);
	return engine_run();
}
