#include "config.h"

#include <jansson.h>

#include "missent/answer.h"
#include "missent/audit.h"

#include "../test.h"

static void test_line(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL);
	MsAudit *audit = ms_audit_new(path);
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->host = g_strdup("mx");
	e->queue_id = g_strdup("A1");
	e->sender = g_strdup("billing\xff@seller.example");
	g_ptr_array_add(e->recipients, g_strdup("kunde@alpha.example"));
	g_autoptr(MsVerdict) v = ms_verdict_new();
	v->action = v->would = MS_HOLD;
	MsReason *r = g_new0(MsReason, 1);
	*r = (MsReason){.code = MS_MISMATCH, .policy = g_strdup("p"), .action = MS_HOLD,
		.kind = g_strdup("iban"), .masked = g_strdup("DE****00"), .owner = g_strdup("ACME-4711"),
		.where = g_strdup("part 3.1 Invoice C-10002.pdf page 1"),
		.recipient = g_strdup("kunde@alpha.example"), .recipients = 1, .text = g_strdup("t")};
	g_ptr_array_add(v->reasons, r);
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < 3; i++)
		g_assert_true(ms_audit_write(audit, e, NULL, v, 5, &error));
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 4);
	json_t *line = json_loads(lines[0], 0, NULL);
	g_assert_nonnull(line);
	g_assert_cmpstr(json_string_value(json_object_get(line, "queue_id")), ==, "A1");
	g_assert_cmpstr(json_string_value(json_object_get(line, "verdict")), ==, "hold");
	json_decref(line);
	g_assert_null(strstr(text, "kunde@"));
	g_assert_null(strstr(text, "ACME-4711"));
	g_assert_null(strstr(text, "C-10002"));
	g_assert_nonnull(strstr(text, "part 3.1 (name of 19 characters, .pdf) page 1"));
	GStatBuf st;
	g_assert_cmpint(g_stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0640);
	/* rotated away: the next line goes to a new file */
	g_autofree char *old = g_strconcat(path, ".1", NULL);
	g_assert_cmpint(g_rename(path, old), ==, 0);
	g_assert_true(ms_audit_write(audit, e, NULL, v, 5, &error));
	g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
	ms_audit_free(audit);
	remove_folder(dir);
}

static void test_failure(void)
{
	MsAudit *audit = ms_audit_new("/nonexistent/audit.jsonl");
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	e->sender = g_strdup("");
	g_autoptr(MsVerdict) v = ms_verdict_new();
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_audit_write(audit, e, NULL, v, 0, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	ms_audit_free(audit);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audit/line", test_line);
	g_test_add_func("/audit/failure", test_failure);
	return g_test_run();
}
