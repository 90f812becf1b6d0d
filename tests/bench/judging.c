/*
 * judging - what judging one message costs, by how much of each thing there is.
 *
 *   judging [MOST]        (100: per cent of the largest sizes)
 *
 * Makes a mapping of 50,000 customers, and of tax advisers who receive for up to 20,000 of them, in
 * SQLite; then grows one thing at a time: recipients (half of them tagged forms of one adviser's
 * address), findings, accounts of that adviser, policies, kinds.  Columns are milliseconds of CPU:
 * asking the directory, judging, making the record, the audit line; and what the record takes to be
 * on disk, by the clock.  The slope is that of all CPU over the last two sizes: 1 is twice as much
 * for twice as much.  The last two lines are
 *
 *   all: R recipients x A accounts x F findings: T ms
 *   judging: slopes recipients S, findings S, accounts S, policies S, kinds S
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "missent/directory.h"
#include "missent/engine.h"
#include "../test.h"

#define CUSTOMERS 50000

typedef struct {
	guint recipients, findings, accounts, policies, kinds;
} Size;

static const guint advisers[] = {1, 10, 100, 1000, 10000, 20000};
static char *folder;

static double cpu(void)
{
	return (double)cpu_time() / 1e3;
}

static void fail_on(GError *error)
{
	if (error != NULL)
		g_error("%s", error->message);
}

static MsKinds *make_kinds(guint n)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(
			text, "kind \"kind-%u\" { pattern = {'K%u-[0-9]{7}'} }\n", i, i);
	g_autoptr(GError) error = NULL;
	MsKinds *kinds = ms_kinds_parse("kinds.conf", text->str, &error);
	fail_on(error);
	return kinds;
}

static MsPolicies *make_policies(const Size *size, const MsKinds *kinds)
{
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < size->kinds; i++)
		g_string_append_printf(names, "%s\"kind-%u\"", i > 0 ? ", " : "", i);
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < size->policies; i++)
		g_string_append_printf(text,
			"policy \"p%u\" {\n sender = {\"*@seller.example\"}\n kinds = {%s}\n"
			" require = {%s}\n on-unknown-identifier = tag\n}\n",
			i, names->str, names->str);
	g_autoptr(GError) error = NULL;
	MsPolicies *policies = ms_policies_parse(
		"p.conf", text->str, kinds, MS_MODE_ENFORCE, &error);
	fail_on(error);
	return policies;
}

static MsDirectory *open_directory(MsKinds *kinds)
{
	g_autofree char *path = g_build_filename(folder, "directory.db", NULL);
	const MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE, .sqlite = path,
		.house = "house", .tag_separators = "+"};
	g_autoptr(GError) error = NULL;
	MsDirectory *directory = ms_directory_open(&settings, kinds, &error);
	fail_on(error);
	return directory;
}

static void import(void)
{
	g_autoptr(GString) rows = g_string_new(NULL);
	for (guint i = 0; i < CUSTOMERS; i++)
		g_string_append_printf(rows,
			"AC-%u,kind-%u,K%u-%07u\nAC-%u,recipient,r%u@c.example\n", i, i % 10,
			i % 10, i, i, i);
	for (gsize k = 0; k < G_N_ELEMENTS(advisers); k++)
		for (guint i = 0; i < advisers[k]; i++)
			g_string_append_printf(
				rows, "AC-%u,recipient,tax%u@firm.example\n", i, advisers[k]);
	g_autofree char *path = g_build_filename(folder, "mapping.csv", NULL);
	g_autoptr(GError) error = NULL;
	g_file_set_contents(path, rows->str, (gssize)rows->len, &error);
	fail_on(error);
	MsKinds *kinds = make_kinds(10);
	g_autoptr(MsDirectory) directory = open_directory(kinds);
	FILE *file = fopen(path, "r");
	const MsImportOptions options = {.max_shrink = 1, .max_bad = 0, .source = "bench"};
	MsImportResult result;
	ms_directory_import(directory, fileno(file), &options, &result, &error);
	fail_on(error);
	fclose(file);
	ms_kinds_unref(kinds);
}

static MsEnvelope *make_envelope(const Size *size)
{
	MsEnvelope *envelope = ms_envelope_new();
	envelope->sender = g_strdup("billing@seller.example");
	envelope->host = g_strdup("mx");
	envelope->queue_id = g_strdup("BENCH");
	envelope->arrived = g_get_real_time();
	for (guint i = 0; i < size->recipients; i++)
		g_ptr_array_add(envelope->recipients, i % 2 == 0
				? g_strdup_printf("tax%u+%u@firm.example", size->accounts, i)
				: g_strdup_printf("r%u@c.example", i));
	return envelope;
}

static MsReading *make_reading(const Size *size)
{
	MsReading *reading = ms_reading_new();
	for (guint i = 0; i < size->findings; i++) {
		g_autofree char *kind = g_strdup_printf("kind-%u", i % size->kinds);
		g_autofree char *value = g_strdup_printf("K%u-%07u", i % size->kinds, i);
		ms_reading_find(reading, kind, value, MS_BELIEF_LABELLED, 0,
			ms_place_new("part 1 text/plain", "x", 0, 1, 1));
	}
	MsHeader *subject = g_new0(MsHeader, 1);
	subject->name = g_strdup("Subject");
	subject->value = g_strdup("Your invoice");
	g_ptr_array_add(reading->headers, subject);
	return reading;
}

/* Without its reader; it is all that a record asks for. */
static MsRuntime *make_runtime(void)
{
	g_autofree char *conf = g_build_filename(folder, "missent.conf", NULL);
	g_autofree char *kinds = g_build_filename(folder, "kinds.conf", NULL);
	g_autofree char *policies = g_build_filename(folder, "policies", NULL);
	g_autofree char *text = g_strdup_printf(
		"state-dir = \"%s\"\npolicy-dir = \"%s\"\nkinds-file = \"%s\"\n", folder, policies,
		kinds);
	g_autoptr(GError) error = NULL;
	g_mkdir(policies, 0700);
	g_file_set_contents(kinds, "kind \"k\" { pattern = {'K-[0-9]+'} }\n", -1, NULL);
	g_file_set_contents(conf, text, -1, NULL);
	MsRuntime *runtime = ms_runtime_load(conf, MS_PARTS_WRITE, NULL, &error);
	fail_on(error);
	return runtime;
}

static MsRuntime *runtime;

static void resolve(MsDirectory *directory, const MsEnvelope *envelope, MsJudgement *j)
{
	g_autoptr(GPtrArray)
		ids = g_ptr_array_new_with_free_func((GDestroyNotify)ms_identifier_free);
	for (guint i = 0; i < j->reading->findings->len; i++) {
		const MsFinding *f = j->reading->findings->pdata[i];
		g_ptr_array_add(ids, ms_identifier_new(f->kind, f->value));
	}
	g_autoptr(GError) error = NULL;
	ms_directory_resolve(directory, (const MsIdentifier *const *)ids->pdata, ids->len,
		(const char *const *)envelope->recipients->pdata, envelope->recipients->len,
		&j->resolution, &error);
	fail_on(error);
	if (ms_resolution_over(j->resolution) != NULL)
		g_error("%s", ms_resolution_over(j->resolution));
}

/* Milliseconds of CPU for one message of that size. */
static double one(const Size *size, const char *name, guint n)
{
	MsKinds *kinds = make_kinds(size->kinds);
	g_autoptr(MsPolicies) policies = make_policies(size, kinds);
	g_autoptr(MsDirectory) directory = open_directory(kinds);
	MsEnvelope *envelope = make_envelope(size);
	g_autoptr(MsJudgement) j = g_new0(MsJudgement, 1);
	j->reading = make_reading(size);
	g_autoptr(GError) error = NULL;
	double t0 = cpu();
	resolve(directory, envelope, j);
	double t1 = cpu();
	ms_policy_drop_addressed(envelope, j->reading, j->resolution);
	j->verdict = ms_policy_judge(policies, envelope, j->reading, j->resolution, NULL);
	double t2 = cpu();
	g_autoptr(MsRecord) record = ms_engine_record(runtime, envelope, j, "");
	double t3 = cpu();
	const MsAuditMessage message = {
		.envelope = envelope, .reading = j->reading, .verdict = j->verdict};
	ms_audit_write(ms_runtime_audit(runtime), &message, &error);
	fail_on(error);
	double t4 = cpu();
	gint64 wall = g_get_monotonic_time();
	ms_records_add(ms_runtime_ledger(runtime), record, &error);
	fail_on(error);
	printf("  %-10s %6u  ask %8.2f  judge %8.2f  record %7.2f  audit %6.2f | on disk %8.2f ms, %u reasons of %u, %s\n",
		name, n, t1 - t0, t2 - t1, t3 - t2, t4 - t3,
		(double)(g_get_monotonic_time() - wall) / 1e3, j->verdict->reasons->len,
		j->verdict->reasons->len + j->verdict->more, ms_action_names[j->verdict->action]);
	ms_envelope_free(envelope);
	ms_kinds_unref(kinds);
	return t4 - t0;
}

/* `at`: which part of a size grows. */
static double curve(const char *name, gsize at, const guint *sizes, gsize n)
{
	double before = 0, now = 0;
	for (gsize i = 0; i < n; i++) {
		Size size = {.recipients = 10,
			.findings = 20,
			.accounts = 100,
			.policies = 3,
			.kinds = 10};
		*(guint *)(void *)((char *)&size + at) = sizes[i];
		before = now;
		now = one(&size, name, sizes[i]);
	}
	double slope = log(now / before) / log((double)sizes[n - 1] / sizes[n - 2]);
	printf("  %-10s slope %.2f\n", name, slope);
	return slope;
}

#define CURVE(field, ...)                                                                         \
	curve(#field, offsetof(Size, field), (const guint[]){__VA_ARGS__},                         \
		sizeof((const guint[]){__VA_ARGS__}) / sizeof(guint))

int main(int argc, char **argv)
{
	guint share = argc > 1 ? (guint)atoi(argv[1]) : 100;
	folder = scratch_folder();
	import();
	runtime = make_runtime();
	double recipients = CURVE(
		recipients, 1, 100, 1000, 10000 * share / 100, 50000 * share / 100);
	double findings = CURVE(findings, 1, 100, 1000, 5000 * share / 100, 20000 * share / 100);
	double accounts = CURVE(accounts, 1, 10, 100, 1000, 10000, 20000);
	double policies = CURVE(policies, 1, 10, 100 * share / 100, 1000 * share / 100);
	double kinds = CURVE(kinds, 10, 50, 250, 1000); /* there are no more */
	const Size all = {.recipients = 50000 * share / 100,
		.findings = 1500,
		.accounts = 20000,
		.policies = 3,
		.kinds = 10};
	printf("all: %u recipients x %u accounts x %u findings: %.0f ms\n", all.recipients,
		all.accounts, all.findings, one(&all, "all", all.recipients));
	printf("judging: slopes recipients %.2f, findings %.2f, accounts %.2f, policies %.2f, kinds %.2f\n",
		recipients, findings, accounts, policies, kinds);
	ms_runtime_unref(runtime);
	remove_folder(folder);
	g_free(folder);
	return 0;
}
