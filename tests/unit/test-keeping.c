/*
 * How long a trail is kept, and how a new one begins after damage.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "missent/answer.h"
#include "missent/tlog.h"

#include "../proof.h"
#include "../test.h"
#include "../trail.h"

static char *dir;

/* A line a minute from 2026-11-01 on, in a plain file, which becomes the log's beginning. */
static char *old_lines(const char *name, guint n)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GDateTime) begin = g_date_time_new_utc(2026, 11, 1, 0, 0, 0);
	for (guint i = 0; i < n; i++) {
		g_autoptr(GDateTime) time = g_date_time_add_minutes(begin, (gint)i);
		g_autofree char *stamp = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S.000Z");
		g_string_append_printf(
			text, "{\"time\":\"%s\",\"type\":\"message\",\"n\":%u}\n", stamp, i);
	}
	g_autofree char *file = g_strconcat(name, ".jsonl", NULL);
	char *path = g_build_filename(dir, file, NULL);
	g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
	return path;
}

static gint64 minute(guint n)
{
	g_autoptr(GDateTime) begin = g_date_time_new_utc(2026, 11, 1, 0, 0, 0);
	return (g_date_time_to_unix(begin) + 60 * (gint64)n) * G_USEC_PER_SEC;
}

static void on_wrong(guint64 index, const char *why, void *user)
{
	g_string_append_printf(user, "%" G_GUINT64_FORMAT ": %s\n", index, why);
}

static char *wrong_in(const char *folder)
{
	GString *wrong = g_string_new(NULL);
	MsTlogVerified v;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_tlog_verify(folder, on_wrong, NULL, wrong, &v, &error));
	g_assert_no_error(error);
	return g_string_free(wrong, FALSE);
}

static void event(MsAudit *audit, const char *about)
{
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_event(audit, "anna", "", MS_EVENT_LOOK, about, "", &error));
	g_assert_no_error(error);
}

static bool take_nothing(const MsAuditLine *line, void *user, GError **error)
{
	(void)line, (void)user, (void)error;
	return true;
}

static const char *unproven_in(const char *path)
{
	static char first[256];
	g_auto(MsAuditProof) proof = {0};
	g_autoptr(GError) error = NULL;
	g_assert_true(
		ms_audit_each_proven(path, 0, G_MAXINT64, take_nothing, NULL, &proof, &error));
	g_assert_no_error(error);
	g_assert_true((proof.where != NULL) == (proof.wrong > 0));
	g_strlcpy(first, proof.where != NULL ? proof.where : "", sizeof first);
	return first;
}

/* Lines that are passed over, there or not, without a line that says so. */
static void test_passed_over(void)
{
	g_autofree char *path = old_lines("passed-over", 1000), *folder = ms_audit_folder(path);
	g_autofree char *minimum = g_build_filename(folder, "minimum", NULL);
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_publish(audit, NULL, &error));
	static const char *const rows[] = {"256\n", "512\n", "768\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_true(g_file_set_contents(minimum, rows[i], -1, NULL));
		g_assert_true(g_str_has_prefix(unproven_in(path), "entry 0: the entries before "));
	}
	g_assert_cmpint(unlink(minimum), ==, 0);
	g_assert_cmpstr(unproven_in(path), ==, "");
	g_assert_true(ms_audit_prune(audit, minute(300), &error));
	g_assert_no_error(error);
	g_assert_cmpstr(unproven_in(path), ==, "");
	g_assert_true(g_file_set_contents(minimum, "512\n", -1, NULL));
	g_assert_cmpstr(unproven_in(path), ==,
		"entry 0: the entries before 512 are left out, and no line says that they were removed after "
		"their time");
}

static void test_pruned(void)
{
	static const struct {
		guint lines, before, minimum;
	} rows[] = {{10, 5, 0}, {1000, 0, 0}, {1000, 255, 0}, {1000, 256, 256}, {1000, 700, 512},
		{1000, 100000, 768}, {1024, 100000, 1024}, {3000, 2000, 1792}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("pruned%zu", i),
				*path = old_lines(name, rows[i].lines);
		g_autofree char *folder = ms_audit_folder(path),
				*first = g_strdup_printf("\"n\":%u}", rows[i].minimum);
		g_autofree char *gone = g_strdup_printf("\"n\":%u}", rows[i].minimum - 1);
		g_autoptr(MsAudit) audit = ms_audit_new(path);
		g_autoptr(GError) error = NULL;
		event(audit, "look");
		g_assert_true(ms_audit_prune(audit, minute(rows[i].before), &error));
		g_assert_no_error(error);
		event(audit, "after");
		g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(ms_tlog_minimum(log), ==, rows[i].minimum);
		g_autofree char *wrong = wrong_in(folder), *text = trail_text(path);
		g_assert_cmpstr(wrong, ==, "");
		g_assert_cmpstr(unproven_in(path), ==, "");
		if (rows[i].minimum < rows[i].lines)
			g_assert_nonnull(strstr(text, first));
		if (rows[i].minimum > 0)
			g_assert_null(strstr(text, gone));
		g_assert_true(
			(strstr(text, "\"type\":\"prune\"") != NULL) == (rows[i].minimum > 0));
		/* What stays is proved. */
		guint64 size = ms_tlog_checkpoint(log)->size;
		for (guint64 n = rows[i].minimum; n < size; n += 97) {
			g_auto(MsProof) proof = {0};
			g_autoptr(GBytes) entry = ms_tlog_entry(log, n, &error);
			g_assert_no_error(error);
			g_assert_true(ms_tlog_prove(log, n, &proof, &error));
			g_assert_true(proof_shows(
				&proof, g_bytes_get_data(entry, NULL), g_bytes_get_size(entry)));
		}
		/* Once an hour is enough. */
		g_assert_true(ms_audit_prune(audit, G_MAXINT64, &error));
		g_autoptr(MsTlog) later = ms_tlog_look(folder, &error);
		g_assert_cmpuint(ms_tlog_minimum(later), ==, rows[i].minimum);
	}
}

/* ---- texts that lines name --------------------------------------------------------------- */

typedef struct {
	const char *name;
	guint line;    /* that names it; 0: none */
	bool long_one; /* it is split over several entries, right within the digest */
	guint aside;   /* the same of a trail that was put aside */
	bool again;    /* somebody has kept it since */
	bool kinds, stays;
} Named;

static const Named named[] = {
	{"named by a line that stays", .line = 600, .stays = true},
	{"by one that was removed with its time", .line = 400},
	{"by one that is old and stays, in its bundle", .line = 520, .stays = true},
	{"by none"},
	{"by none, and kept again", .again = true, .stays = true},
	{"by the last", .line = 999, .stays = true},
	{"by one that is split", .line = 650, .long_one = true, .stays = true},
	{"by one that was put aside", .aside = 5, .stays = true},
	{"kinds, by a line", .line = 601, .kinds = true, .stays = true},
	{"kinds, by none", .kinds = true},
};

static char *line_of(guint n, const Named *row, const char *id)
{
	g_autoptr(GDateTime) begin = g_date_time_new_utc(2026, 11, 1, 0, 0, 0);
	g_autoptr(GDateTime) time = g_date_time_add_minutes(begin, (gint)n);
	g_autofree char *stamp = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S.000Z");
	g_autoptr(GString) line = g_string_new(NULL);
	g_string_printf(line, "{\"time\":\"%s\",\"type\":\"message\",\"n\":%u", stamp, n);
	if (row != NULL && row->long_one) {
		g_string_append(line, ",\"reasons\":\"");
		while (line->len < 30000 - 40) /* and what is before the digest */
			g_string_append_c(line, 'x');
		g_string_append_c(line, '"');
	}
	if (row != NULL)
		g_string_append_printf(line, ",\"versions\":{\"%s\":\"%s\"}",
			ms_audit_text_names[row->kinds], id);
	if (row != NULL && row->long_one)
		g_string_append_printf(line, ",\"more\":\"%*s\"", 50000, "");
	g_string_append(line, "}\n");
	return g_strdup(line->str);
}

/* The text of that row: as if it had been kept long ago; its digest. */
static void keep_row(const char *path, const Named *row, char id[MS_AUDIT_TEXT_ID])
{
	const struct timespec long_ago[] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_audit_keep_text(path, (MsAuditText)row->kinds, row->name, &error));
	g_assert_no_error(error);
	ms_audit_text_id(row->name, id);
	g_autofree char *log = ms_audit_folder(path);
	g_autofree char *file = g_strdup_printf(
		"%s.texts/%s-%s", log, ms_audit_text_names[row->kinds], id);
	g_assert_no_errno(utimensat(AT_FDCWD, file, long_ago, 0));
	if (row->again)
		g_assert_true(ms_audit_keep_text(path, (MsAuditText)row->kinds, row->name, &error));
}

/* A trail in which each row's text is named as it says, one of them put aside. */
static char *trail_with_texts(const char *name)
{
	g_autofree char *file = g_strconcat(name, ".jsonl", NULL);
	char *path = g_build_filename(dir, file, NULL);
	g_autofree char *aside = g_strdup_printf("%s/%s.until-20261101T000000Z.jsonl", dir, name);
	g_autoptr(GString) lines = g_string_new(NULL), put_aside = g_string_new(NULL);
	char ids[G_N_ELEMENTS(named)][MS_AUDIT_TEXT_ID];
	for (gsize i = 0; i < G_N_ELEMENTS(named); i++)
		keep_row(path, &named[i], ids[i]);
	for (guint n = 0; n < 1000; n++) {
		gsize i = 0, k = 0;
		while (i < G_N_ELEMENTS(named) && (n == 0 || named[i].line != n))
			i++;
		while (k < G_N_ELEMENTS(named) && (n == 0 || named[k].aside != n))
			k++;
		g_autofree char *line = line_of(n, i < G_N_ELEMENTS(named) ? &named[i] : NULL,
			i < G_N_ELEMENTS(named) ? ids[i] : NULL);
		g_string_append(lines, line);
		if (k < G_N_ELEMENTS(named)) {
			g_autofree char *other = line_of(n, &named[k], ids[k]);
			g_string_append(put_aside, other);
		}
	}
	g_assert_true(g_file_set_contents(path, lines->str, -1, NULL));
	g_assert_true(g_file_set_contents(aside, put_aside->str, -1, NULL));
	g_autoptr(MsAudit) one = ms_audit_new(path), two = ms_audit_new(aside);
	event(one, "look");
	event(two, "look");
	return path;
}

static bool is_kept(const char *path, const Named *row)
{
	char id[MS_AUDIT_TEXT_ID];
	g_autoptr(GError) error = NULL;
	ms_audit_text_id(row->name, id);
	g_autofree char *text = ms_audit_text(path, (MsAuditText)row->kinds, id, &error);
	g_assert_no_error(error);
	return text != NULL;
}

static void test_texts(void)
{
	g_autofree char *path = trail_with_texts("texts");
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	g_autoptr(GError) error = NULL;
	bool fine = ms_audit_prune(audit, minute(700), &error);
	g_assert_no_error(error);
	g_assert_true(fine);
	for (gsize i = 0; i < G_N_ELEMENTS(named); i++)
		if (is_kept(path, &named[i]) != named[i].stays)
			g_error("%s: got %s, want %s", named[i].name, named[i].stays ? "gone" : "there",
				named[i].stays ? "there" : "gone");
}

/* Of a trail that cannot be read nobody knows what its lines name. */
static void test_texts_unread(void)
{
	static const char *const rows[] = {"", ".until-20261101T000000Z"};
	for (gsize r = 0; r < G_N_ELEMENTS(rows); r++) {
		g_autofree char *name = g_strdup_printf("unread%zu", r);
		g_autofree char *path = trail_with_texts(name), *log = ms_audit_folder(path);
		g_autofree char *folder = g_strconcat(log, rows[r], NULL);
		g_autofree char *head = g_build_filename(folder, r == 0 ? "head.3" : "head.0", NULL);
		g_autoptr(MsAudit) audit = ms_audit_new(path);
		g_assert_true(g_file_test(head, G_FILE_TEST_EXISTS));
		g_assert_true(g_file_set_contents(head, "", -1, NULL));
		g_assert_false(ms_audit_prune(audit, minute(700), NULL));
		for (gsize i = 0; i < G_N_ELEMENTS(named); i++)
			g_assert_true(is_kept(path, &named[i]));
	}
}

static void test_begin(void)
{
	g_autofree char *path = old_lines("damaged", 300), *folder = ms_audit_folder(path);
	g_autofree char *bundle = g_build_filename(folder, "head.1", NULL), *aside = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_audit_begin(path, "anna", "too early", &aside, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	MsAudit *before = ms_audit_new(path);
	event(before, "look");
	ms_audit_free(before);
	g_assert_true(g_file_set_contents(bundle, "", 0, NULL));
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	g_assert_false(ms_audit_event(audit, "anna", "", MS_EVENT_LOOK, "", "", &error));
	g_assert_nonnull(strstr(error->message, "damaged"));
	g_assert_nonnull(strstr(error->message, "missent audit begin"));
	g_clear_error(&error);
	g_assert_true(
		ms_audit_begin(path, "anna", "the disk was full of \"zeroes\"", &aside, &error));
	g_assert_no_error(error);
	event(audit, "again"); /* who had it open goes on in the new one */
	g_autofree char *text = trail_text(path), *wrong = wrong_in(folder), *old = wrong_in(aside);
	g_assert_true(g_str_has_prefix(text, "{\"time\":\""));
	g_assert_nonnull(strstr(text, "\"type\":\"begin\""));
	g_assert_nonnull(strstr(text, "full of \\\"zeroes\\\""));
	g_assert_nonnull(strstr(text, "/missent|302|"));
	g_assert_nonnull(strstr(text, aside));
	g_assert_nonnull(strstr(text, "\"again\""));
	g_assert_null(strstr(text, "\"n\":7}"));
	g_assert_cmpstr(wrong, ==, "");
	g_assert_cmpstr(old, !=, "");
	/* One that is used while it happens. */
	g_clear_pointer(&aside, g_free);
	g_usleep(1100 * 1000); /* its name has the second */
	g_assert_true(ms_audit_begin(path, "anna", "once more", &aside, &error));
	event(audit, "third");
	g_autofree char *third = trail_text(path);
	g_assert_null(strstr(third, "\"again\""));
	g_assert_nonnull(strstr(third, "\"third\""));
}

static void write_one(const char *path)
{
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	event(audit, "look");
}

static void exchange(const char *one, const char *two)
{
	g_autofree char *aside = g_strconcat(one, ".aside", NULL);
	g_assert_cmpint(g_rename(one, aside), ==, 0);
	g_assert_cmpint(g_rename(two, one), ==, 0);
	g_assert_cmpint(g_rename(aside, two), ==, 0);
}

/* What is there instead of a trail as a whole agrees with itself, lines of this host and all. */
static void test_exchanged(void)
{
	g_autofree char *mine = old_lines("mine", 3), *theirs = old_lines("theirs", 3);
	g_autofree char *folder = ms_audit_folder(mine), *other = ms_audit_folder(theirs);
	g_autofree char *kept = g_strconcat(folder, ".vkey", NULL), *gone = NULL, *aside = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_null(ms_audit_not_as_kept(folder)); /* there is none */
	write_one(mine);
	write_one(theirs);
	g_assert_null(ms_audit_not_as_kept(folder));
	exchange(folder, other);
	write_one(mine);
	g_autofree char *wrong = wrong_in(folder), *why = ms_audit_not_as_kept(folder);
	g_assert_cmpstr(wrong, ==, "");
	g_assert_nonnull(why);
	g_assert_nonnull(strstr(why, kept));
	exchange(folder, other);
	g_assert_null(ms_audit_not_as_kept(folder));
	gone = g_strconcat(folder, ".gone", NULL);
	g_assert_cmpint(g_rename(folder, gone), ==, 0);
	write_one(mine); /* made anew, as the first one is */
	g_autofree char *anew = ms_audit_not_as_kept(folder);
	g_assert_nonnull(anew);
	g_assert_true(ms_audit_begin(mine, "anna", "the disk", &aside, &error));
	g_assert_null(ms_audit_not_as_kept(folder));
	g_assert_cmpint(g_unlink(kept), ==, 0); /* as trails of older versions are */
	write_one(mine);
	g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
}

/* How a trail that was there can be gone, and what is still known of it then: that, and (`entries`)
 * how many it had. */
static const struct {
	const char *name, *how;
	bool told, entries, plain;
} gone_rows[] = {
	{"moved", "mv $1 $1.away", true, true, false},
	{"removed", "rm -r $1", true, true, false},
	{"without-checkpoint", "rm -r $1 $1.checkpoint", true, false, false},
	{"with-plain", "rm -r $1", true, true, true},
	{"all", "rm -r $1 $1.vkey $1.checkpoint", false, false, true},
	{"not", ":", false, false, true},
};

static void do_to(const char *folder, const char *how)
{
	const char *argv[] = {"sh", "-c", how, "sh", folder, NULL};
	int status = 1;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
}

/* Mail goes on, and the line that the new trail begins with says what is gone; it is not taken for
 * the old one until somebody says so, by whom it was begun or while there is none. */
static void test_gone(gconstpointer data)
{
	gsize i = GPOINTER_TO_SIZE(data) / 3, how = GPOINTER_TO_SIZE(data) % 3;
	bool told = gone_rows[i].told;
	g_autofree char *name = g_strdup_printf("gone-%s-%zu", gone_rows[i].name, how);
	g_autofree char *path = old_lines(name, 3), *folder = ms_audit_folder(path);
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	g_autofree char *aside = NULL, *wrong = NULL;
	g_autoptr(GError) error = NULL;
	MsTlogVerified v;
	event(audit, "look");
	g_assert_true(ms_audit_publish(audit, NULL, &error));
	if (how > 0) /* nobody is at work */
		g_clear_pointer(&audit, ms_audit_free);
	if (!gone_rows[i].plain)
		g_unlink(path);
	do_to(folder, gone_rows[i].how);
	g_autofree char *why = ms_audit_not_ours(folder);
	g_assert_true((why != NULL) == told);
	g_assert_true(!told || strstr(why, "gone") != NULL);
	g_assert_true(strstr(why != NULL ? why : "", "5 entries") != NULL ||
		!gone_rows[i].entries);
	if (told) {
		g_assert_false(ms_audit_verify(folder, NULL, NULL, NULL, &v, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
		g_assert_nonnull(strstr(error->message, "gone"));
		g_clear_error(&error);
	}
	if (how < 2) { /* somebody writes */
		g_autoptr(MsAudit) mine = audit != NULL ? g_steal_pointer(&audit)
							: ms_audit_new(path);
		event(mine, "after");
		g_autofree char *text = trail_text(path), *now = ms_audit_not_ours(folder);
		g_assert_true((now != NULL) == told);
		g_assert_true((strstr(text, "that was here is gone") != NULL) == told);
		/* who had it open keeps what it knows of it */
		bool known = told && (gone_rows[i].entries || how == 0);
		g_assert_true((strstr(text, "/missent|5|") != NULL) == known);
		g_assert_true((strstr(text, "\"older_lines\":3") != NULL) ==
			gone_rows[i].plain);
		g_assert_nonnull(strstr(text, "\"after\""));
	}
	if (!told)
		return;
	g_assert_true(ms_audit_begin(path, "anna", "a disk", &aside, &error));
	g_assert_no_error(error);
	g_assert_true((aside == NULL) == (how == 2));
	g_autofree char *after = ms_audit_not_ours(folder), *begun = trail_text(path);
	g_assert_null(after);
	g_assert_nonnull(strstr(begun, "a disk"));
	g_assert_true(how < 2 || !gone_rows[i].entries || strstr(begun, "/missent|5|") != NULL);
	g_assert_true(how == 2 || aside == NULL || strstr(begun, aside) != NULL);
	write_one(path);
	wrong = wrong_in(folder);
	g_assert_cmpstr(wrong, ==, "");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/keeping/pruned", test_pruned);
	g_test_add_func("/keeping/texts", test_texts);
	g_test_add_func("/keeping/texts-unread", test_texts_unread);
	g_test_add_func("/keeping/passed-over", test_passed_over);
	g_test_add_func("/keeping/begin", test_begin);
	g_test_add_func("/keeping/exchanged", test_exchanged);
	for (gsize i = 0; i < 3 * G_N_ELEMENTS(gone_rows); i++) {
		g_autofree char *name = g_strdup_printf(
			"/keeping/gone/%s/%zu", gone_rows[i / 3].name, i % 3);
		g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_gone);
	}
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
