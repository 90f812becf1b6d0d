/*
 * Policies with tests beside them come in; out goes what each test found that is not as it
 * expects.  Each is judged by the whole way that mail goes, with a mapping of its own in a
 * scratch folder; the directory in use is not asked.  The thread of who asks.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/io.h"

#include "backtest_private.h"

typedef struct {
	MsRuntime *runtime;
	char *folder;
	MsBacktestFailed failed;
	void *user;
	guint failures;
} Beside;

static void complain(Beside *b, const MsPolicyTest *test, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void complain(Beside *b, const MsPolicyTest *test, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	b->failures++;
	b->failed(test, text, b->user);
}

/* ---- its mapping ------------------------------------------------------------------------ */

/* An empty mapping is one that was never loaded: somebody is in it, who has to do with nothing. */
static char *csv_of(const MsPolicyTest *test)
{
	GString *out = g_string_new(
		"account,kind,value\nmissent-test-nobody,recipient,nobody@missent-test.invalid\n");
	for (int i = 0; test->mapping[i] != NULL; i++) {
		g_auto(GStrv) fields = g_strsplit(test->mapping[i], ",", 3);
		g_autoptr(GString) value = g_string_new(g_strstrip(fields[2]));
		g_string_replace(value, "\"", "\"\"", 0);
		g_string_append_printf(out, "%s,%s,\"%s\"\n", g_strstrip(fields[0]),
			g_strstrip(fields[1]), value->str);
	}
	return g_string_free(out, FALSE);
}

typedef struct {
	const MsPolicyTest *test;
	char *why; /* the first row that is bad; NULL: none */
} Rows;

/* Line 1 is the heading, and 2 nobody's. */
static void take_bad(guint64 line, const char *why, void *user)
{
	Rows *rows = user;
	if (rows->why == NULL && line > 2)
		rows->why = g_strdup_printf(
			"mapping \"%s\": %s", rows->test->mapping[line - 3], why);
}

static bool load_mapping(Beside *b, const MsPolicyTest *test, GError **error)
{
	g_autofree char *csv = csv_of(test);
	Rows rows = {test, NULL};
	const MsImportOptions options = {.max_shrink = 1,
		.max_moved = 1,
		.source = test->title,
		.bad = take_bad,
		.user = &rows};
	MsImportResult result;
	int fd = ms_memory_of("missent-test-mapping", csv, strlen(csv));
	bool fine = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0;
	if (!fine)
		ms_fail_input(error, "%s", g_strerror(errno));
	fine = fine &&
		ms_directory_import(ms_runtime_directory(b->runtime), fd, &options, &result, error);
	if (rows.why != NULL) {
		g_clear_error(error);
		ms_fail_input(error, "%s", rows.why);
		g_free(rows.why);
	}
	ms_io_close(fd);
	return fine;
}

/* ---- its message ------------------------------------------------------------------------ */

static GBytes *message_of(const MsPolicyTest *test, GError **error)
{
	if (test->path != NULL) {
		gsize len;
		char *text = ms_config_bytes(test->path, &len, error);
		return text != NULL ? g_bytes_new_take(text, len) : NULL;
	}
	GString *out = g_string_new(NULL);
	bool has_from = false, has_to = false;
	for (int i = 0; test->headers[i] != NULL; i++) {
		has_from = has_from || g_ascii_strncasecmp(test->headers[i], "From:", 5) == 0;
		has_to = has_to || g_ascii_strncasecmp(test->headers[i], "To:", 3) == 0;
	}
	g_autofree char *to = g_strjoinv(", ", test->to);
	if (!has_from)
		g_string_append_printf(out, "From: %s\r\n", test->from);
	if (!has_to)
		g_string_append_printf(out, "To: %s\r\n", to);
	for (int i = 0; test->headers[i] != NULL; i++)
		g_string_append_printf(out, "%s\r\n", test->headers[i]);
	g_string_append_printf(out,
		"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n",
		test->text);
	return g_string_free_to_bytes(out);
}

static MsEnvelope *envelope_of(const Beside *b, const MsPolicyTest *test, gsize size)
{
	MsEnvelope *e = ms_envelope_new();
	e->host = g_strdup(ms_runtime_settings(b->runtime)->host);
	e->sender = ms_address_bare(test->from);
	e->auth_user = g_strdup(test->user);
	e->client_address = g_strdup(test->client);
	e->arrived = test->arrived;
	e->size = size;
	for (int i = 0; test->to[i] != NULL; i++)
		g_ptr_array_add(e->recipients, ms_address_bare(test->to[i]));
	/* Whatever sender it is set to. */
	if (test->policy != NULL) {
		const char *const under[] = {test->policy, NULL};
		e->policies = g_strdupv((char **)under);
	}
	return e;
}

/* ---- one test --------------------------------------------------------------------------- */

static void expect(Beside *b, const MsPolicyTest *test, const MsJudgement *judgement)
{
	const MsVerdict *v = judgement->verdict;
	g_autofree char *codes = ms_verdict_codes(v, MS_DELIVER);
	g_auto(GStrv) got = g_strsplit(codes, ", ", -1);
	if (judgement->trouble != NULL)
		complain(b, test, "its mapping cannot be asked: %s", judgement->trouble);
	else if ((int)v->would != test->expect)
		complain(b, test, "it would be \"%s\"%s%s, and \"%s\" is expected",
			ms_action_names[v->would], *codes != '\0' ? " for " : "", codes,
			ms_action_names[test->expect]);
	for (int i = 0; test->reasons[i] != NULL; i++)
		if (!g_strv_contains((const char *const *)got, test->reasons[i]))
			complain(b, test, "the reason \"%s\" is expected, and %s %s",
				test->reasons[i], *codes != '\0' ? "there is" : "there is none",
				codes);
}

static void run_test(Beside *b, const MsPolicyTest *test)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(GBytes) bytes = message_of(test, &error);
	gsize len = 0;
	const void *data = bytes != NULL ? g_bytes_get_data(bytes, &len) : NULL;
	int fd = bytes != NULL && load_mapping(b, test, &error)
		? ms_memory_of("missent-test", data, len)
		: -1;
	if (fd < 0) {
		complain(b, test, "%s", error != NULL ? error->message : g_strerror(errno));
		return;
	}
	g_autoptr(MsEnvelope) envelope = envelope_of(b, test, len);
	if (ms_engine_judge(b->runtime, envelope, fd, len, &judgement, &error))
		expect(b, test, judgement);
	else
		complain(b, test, "%s", error->message);
	close(fd);
}

/* Where the daemon may write; else, for a person, where everybody may. */
static char *scratch_of(const char *config, GError **error)
{
	g_autoptr(MsSettings) settings = ms_settings_load(config, error);
	if (settings == NULL)
		return NULL;
	char *folder = g_build_filename(settings->state_dir, "policy-test-XXXXXX", NULL);
	if (access(settings->state_dir, W_OK | X_OK) == 0 && g_mkdtemp(folder) != NULL)
		return folder;
	g_free(folder);
	return g_dir_make_tmp("missent-test-XXXXXX", error);
}

bool ms_backtest_beside(const char *config, const char *policies, MsBacktestFailed failed,
	void *user, guint *tests_out, GError **error)
{
	Beside b = {.failed = failed, .user = user, .folder = scratch_of(config, error)};
	if (b.folder == NULL)
		return false;
	g_autofree char *mapping = g_build_filename(b.folder, "mapping.db", NULL);
	const MsInstead instead = {policies, mapping};
	b.runtime = ms_runtime_load_instead(config, MS_PARTS_CHECK, &instead, NULL, error);
	const GPtrArray *tests = b.runtime != NULL
		? ms_policies_tests(ms_runtime_policies(b.runtime))
		: NULL;
	for (guint i = 0; tests != NULL && i < tests->len; i++)
		run_test(&b, tests->pdata[i]);
	if (tests != NULL)
		*tests_out = tests->len;
	ms_runtime_unref(b.runtime);
	ms_io_remove_folder(b.folder);
	g_free(b.folder);
	return tests != NULL && b.failures == 0;
}
