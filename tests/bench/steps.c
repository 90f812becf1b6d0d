/*
 * steps - what each step of a message costs by itself, in this process: microseconds of CPU.
 *
 *   steps CONFIG MESSAGE.eml [ROUNDS [detect]]       (detect: that alone)
 *
 * What is found is what a reader finds that knows the mapping of CONFIG.
 */
#include "config.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "missent/detect.h"
#include "missent/engine.h"
#include "missent/filter.h"
#include "missent/message.h"
#include "../test.h"

static MsRuntime *runtime;
static const guint8 *data;
static gsize data_len;
static MsLimits limits;
static MsReading *reading;
static MsEnvelope *envelope;
static MsJudgement *judgement;
static MsLedger *ledger;
static MsAudit *audit;
static MsFilters known;
static int message_fd;

static double cpu(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void ignore(const MsSpan *span, void *user)
{
	(void)span;
	(void)user;
}

typedef struct {
	MsBudget *budget;
	MsReading *reading;
} Sink;

static void detect(const MsSpan *span, void *user)
{
	Sink *sink = user;
	ms_detect(ms_runtime_kinds(runtime), &known, span, sink->budget, sink->reading);
}

static void parse(MsSpanFunc func)
{
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	MsReading *r = ms_reading_new();
	Sink sink = {&budget, r};
	MsMessageSink to = {.budget = &budget, .reading = r, .span = func, .user = &sink};
	ms_message_read(data, data_len, &to);
	ms_reading_free(reading);
	reading = r;
}

/* The filter that its readers would be given. */
static MsFilter *filter_of(MsDirectory *directory)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsKnown) all = NULL;
	guint8 key[MS_FILTER_KEY_BYTES];
	if (ms_directory_known(directory, NULL, 0, &all, &error) != MS_FOUND)
		g_error("%s", error->message);
	ms_directory_filter_key(directory, key);
	gsize size;
	/* for as long as this process */
	const void *image = g_bytes_unref_to_data(ms_filter_build(key,
		(const MsMark *)(const void *)all->marks->data, all->marks->len), &size);
	return ms_filter_open(image, size, NULL);
}

static void step_parse(void)
{
	parse(ignore);
}

static void step_parse_detect(void)
{
	parse(detect);
}

static void step_codec(void)
{
	GBytes *bytes = ms_reading_encode(reading);
	ms_reading_free(ms_reading_decode(bytes, NULL));
	g_bytes_unref(bytes);
}

static void step_memory(void)
{
	int fd = ms_memory_file("bench");
	if (write(fd, data, data_len) != (gssize)data_len || !ms_memory_seal(fd))
		g_error("memory file");
	close(fd);
}

static void step_decide(void)
{
	g_clear_pointer(&judgement->resolution, ms_resolution_free);
	g_clear_pointer(&judgement->verdict, ms_verdict_free);
	ms_engine_decide(runtime, envelope, message_fd, judgement);
}

static void step_judge(void)
{
	ms_verdict_free(ms_policy_judge(ms_runtime_policies(runtime), envelope, judgement->reading,
		judgement->resolution, NULL));
}

static void step_audit(void)
{
	const MsAuditMessage message = {.envelope = envelope, .reading = judgement->reading,
		.verdict = judgement->verdict};
	ms_audit_write(audit, &message, NULL);
}

static void step_record(void)
{
	g_autoptr(MsRecord) record = ms_engine_record(runtime, envelope, judgement, "");
	ms_records_add(ledger, record, NULL);
}

static void step_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static double measure(const char *name, void (*step)(void), guint rounds)
{
	for (guint i = 0; i < rounds / 10 + 1; i++)
		step();
	double start = cpu();
	gint64 wall = g_get_monotonic_time();
	for (guint i = 0; i < rounds; i++)
		step();
	double each = (cpu() - start) / rounds;
	printf("  %-42s %8.1f us CPU  %8.1f us wall\n", name, each,
		(double)(g_get_monotonic_time() - wall) / rounds);
	return each;
}

static void the_rest(guint rounds)
{
	g_autoptr(GError) error = NULL;
	measure("reading: encode, decode, check", step_codec, rounds);
	measure("memory file: make, write, seal", step_memory, rounds);
	measure("fork and wait for an empty process", step_fork, rounds / 4);
	message_fd = ms_memory_file("bench");
	if (write(message_fd, data, data_len) != (gssize)data_len || !ms_memory_seal(message_fd)
		|| !ms_engine_read(runtime, NULL, message_fd, &judgement, &error))
		g_error("cannot read the message");
	measure("lookup and judge", step_decide, rounds);
	measure("judge", step_judge, rounds);
	measure("audit line", step_audit, rounds);
	measure("record of a hold (fsync)", step_record, rounds / 20);
	ms_judgement_free(judgement);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	guint rounds = argc > 3 ? (guint)atoi(argv[3]) : 2000;
	g_autoptr(GError) error = NULL;
	char *text;
	if (!g_file_get_contents(argv[2], &text, &data_len, &error))
		g_error("%s", error->message);
	data = (guint8 *)text;
	ms_message_init();
	runtime = ms_runtime_load(argv[1], MS_PARTS_CHECK, NULL, &error);
	if (runtime == NULL)
		g_error("%s", error->message);
	g_autoptr(MsFilter) filter = filter_of(ms_runtime_directory(runtime));
	known = (MsFilters){.parts = {filter}, .lean = true};
	limits = ms_runtime_settings(runtime)->limits;
	envelope = ms_envelope_new();
	envelope->sender = g_strdup("billing@seller.example");
	envelope->queue_id = g_strdup("BENCH");
	envelope->host = g_strdup("mx");
	g_ptr_array_add(envelope->recipients, g_strdup("kunde@alpha.example"));
	g_autofree char *dir = scratch_folder();
	g_autofree char *db = g_build_filename(dir, "held.db", NULL);
	g_autofree char *log = g_build_filename(dir, "audit", NULL);
	ledger = ms_ledger_open(db, NULL);
	audit = ms_audit_new(log);
	bool alone = argc > 4;
	double whole = alone ? 0 : measure("parse (MIME, charsets, text)", step_parse, rounds);
	measure("detect (all kinds)", step_parse_detect, rounds);
	printf("    (of which parse %.1f; %u findings, %u unread)\n", whole, reading->findings->len,
		reading->unread->len);
	if (!alone)
		the_rest(rounds);
	remove_folder(dir);
	return 0;
}
