#include "config.h"

#include "missent/answer.h"
#include "missent/quarantine.h"

#include "../test.h"

static char *dir;

static MsEnvelope *envelope(const char *queue_id, const char *sender, gint64 arrived)
{
	MsEnvelope *e = ms_envelope_new();
	e->host = g_strdup("mx");
	e->queue_id = g_strdup(queue_id);
	e->sender = g_strdup(sender);
	e->arrived = arrived;
	e->size = 1234;
	g_ptr_array_add(e->recipients, g_strdup("a@x.example"));
	g_ptr_array_add(e->recipients, g_strdup("b@x.example"));
	return e;
}

static MsVerdict *verdict(MsReasonCode code)
{
	MsVerdict *v = ms_verdict_new();
	v->action = v->would = MS_HOLD;
	g_ptr_array_add(v->policies, g_strdup("invoices"));
	MsReason *r = g_new0(MsReason, 1);
	*r = (MsReason){.code = code, .policy = g_strdup("invoices"), .action = MS_HOLD,
		.enforced = true, .kind = g_strdup("iban"), .masked = g_strdup("DE****00"),
		.where = g_strdup("part 2"), .owner = g_strdup("AC-2"),
		.recipient = g_strdup("a@x.example"), .recipients = 2, .text = g_strdup("why")};
	g_ptr_array_add(v->reasons, r);
	return v;
}

static void add(MsRecords *records, const char *queue_id, const char *sender, gint64 arrived,
	MsReasonCode code, MsState state)
{
	g_autoptr(MsEnvelope) e = envelope(queue_id, sender, arrived);
	g_autoptr(MsVerdict) v = verdict(code);
	g_autoptr(GError) error = NULL;
	ms_records_add(records, e, v, state, &error);
	g_assert_no_error(error);
}

static void test_records(void)
{
	g_autofree char *path = g_build_filename(dir, "held.db", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRecords) records = ms_records_open(path, &error);
	g_assert_no_error(error);
	add(records, "A1", "x@s.example", 1000, MS_MISMATCH, MS_STATE_HELD);
	add(records, "B2", "y@s.example", 2000, MS_OVERSIZED, MS_STATE_HELD);
	add(records, "C3", "x@s.example", 3000, MS_MISMATCH, MS_STATE_OBSERVED);
	add(records, "A1", "z@s.example", 9000, MS_UNREADABLE, MS_STATE_HELD); /* ID used again */
	static const struct {
		MsRecordFilter filter;
		const char *want;
	} rows[] = {
		{{.state = MS_STATE_HELD}, "A1 B2 A1 "},
		{{.state = -1}, "A1 C3 B2 A1 "},
		{{.state = -1, .reason = "mismatch"}, "C3 A1 "},
		{{.state = -1, .policy = "invoices"}, "A1 C3 B2 A1 "},
		{{.state = -1, .policy = "other"}, ""},
		{{.state = -1, .sender = "Y@S"}, "B2 "},
		{{.state = -1, .older_than = 2000}, "B2 A1 "},
		{{.state = -1, .newer_than = 3000}, "A1 C3 "},
		{{.state = -1, .limit = 1}, "A1 "},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) list = ms_records_list(records, &rows[i].filter, &error);
		g_assert_no_error(error);
		g_autoptr(GString) got = g_string_new(NULL);
		for (guint k = 0; k < list->len; k++)
			g_string_append_printf(got, "%s ", ((MsRecord *)list->pdata[k])->queue_id);
		g_assert_cmpstr(got->str, ==, rows[i].want);
	}
	g_autoptr(MsRecord) r = ms_records_find(records, "A1", &error);
	g_assert_cmpstr(r->sender, ==, "z@s.example"); /* the newest */
	g_assert_cmpuint(r->recipients->len, ==, 2);
	const MsReason *reason = r->reasons->pdata[0];
	g_assert_cmpint(reason->code, ==, MS_UNREADABLE);
	g_assert_cmpstr(reason->masked, ==, "DE****00");
	g_assert_cmpstr(reason->owner, ==, "AC-2");
	g_assert_null(ms_records_find(records, "Z9", &error));
	g_assert_no_error(error);
	g_assert_true(ms_records_act(records, r->id, MS_STATE_RELEASED, "anna", "release", "fine",
		&error));
	g_autoptr(MsRecord) after = ms_records_find(records, "A1", &error);
	g_assert_cmpint(after->state, ==, MS_STATE_RELEASED);
	const MsAct *act = after->acts->pdata[0];
	g_assert_cmpstr(act->who, ==, "anna");
	g_assert_cmpstr(act->why, ==, "fine");
	GStatBuf st;
	g_assert_cmpint(g_stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0640);
}

static void test_same(void)
{
	static const struct {
		gint64 recorded, arrived;
		const char *sender;
		bool want;
	} rows[] = {
		{1000, 1000, "x@s.example", true}, {1000, 998, "X@S.example", true},
		{1000, 1500, "x@s.example", false}, {1000, 998, "other@s.example", false},
		{100000, 1000, "x@s.example", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		MsRecord record = {.sender = (char *)"x@s.example",
			.arrived = rows[i].recorded * G_USEC_PER_SEC};
		MsQueued queued = {.sender = (char *)rows[i].sender, .arrived = rows[i].arrived};
		g_assert_cmpint(ms_mta_is_same(&record, &queued), ==, rows[i].want);
	}
}

/* The helper takes what it is made for and nothing else. */
static void test_release_arguments(void)
{
	g_autofree char *program = built_file("missent-release");
	static const char *const bad[][5] = {
		{NULL}, {"shell", NULL}, {"release", NULL}, {"release", "ALL;id", NULL},
		{"release", "-d", NULL}, {"release", "A/../B", NULL}, {"release", "ABCDE12", "XYZ99", NULL},
		{"list", "ABCDE", NULL}, {"release", "ALL", NULL}, {"--config", "relative", "list", NULL},
		{"delete", "", NULL}, {"show", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *argv[7] = {program};
		for (int k = 0; k < 5 && bad[i][k] != NULL; k++)
			argv[k + 1] = bad[i][k];
		g_autofree char *err = NULL;
		int status;
		g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
			&err, &status, NULL));
		g_assert_cmpint(status >> 8, ==, 64);
		g_assert_nonnull(strstr(err, "usage:"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/quarantine/records", test_records);
	g_test_add_func("/quarantine/same-message", test_same);
	g_test_add_func("/quarantine/release-arguments", test_release_arguments);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
