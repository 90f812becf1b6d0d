/*
 * What missent init makes of the settings of an MTA and of missent: whatever is in them, an edit
 * done twice is the same as done once, says what it shall say, and is taken back to the byte.
 *
 * The first byte says what the rest is: s missent.conf, c sendmail.cf, m sendmail.mc, and files on
 * disk, divided by a line "%%": f before, after and (where it is given) what somebody made of it
 * since; p main.cf and master.cf.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "missent/settings.h"

#include "../../milter/setup/setup_private.h"
#include "../test.h"
#include "fuzz.h"

#define SOCKET "unix:/var/spool/postfix/missent/missent.sock"
#define ITEM "unix:missent/missent.sock"

/* ---- texts ------------------------------------------------------------------------------- */

static const struct {
	const char *section, *key, *value;
} edits[] = {
	{NULL, "host", "\"mx.seller.example\""},
	{NULL, "socket-group", "\"post\\\"fix\""},
	{"outgoing", "networks", "{\"10.0.0.0/8\", \"::1/128\"}"},
	{"canary", "identifier", "\"CANARY-000001\""},
};

static MsSection *parse(const char *text)
{
	return ms_config_parse("fuzz.conf", text, ms_settings_rows, NULL);
}

/* What the file says of everything else stays as it was. */
static void assert_others(const char *before, const char *after, gsize but)
{
	for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
		g_autofree char *a = edit_get(before, edits[i].section, edits[i].key);
		g_autofree char *b = edit_get(after, edits[i].section, edits[i].key);
		g_assert_cmpstr(b, ==, i == but ? edits[i].value : a);
	}
}

static void fuzz_settings(const char *text)
{
	g_autoptr(MsSection) root = parse(text);
	if (root == NULL)
		return; /* missent init begins with a file that is right */
	for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
		const char *section = edits[i].section, *key = edits[i].key;
		g_autofree char *once = edit_set(text, section, key, edits[i].value);
		g_autofree char *twice = edit_set(once, section, key, edits[i].value);
		g_autofree char *without = edit_unset(once, section, key);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsSection) after =
			ms_config_parse("fuzz.conf", once, ms_settings_rows, &error);
		g_autofree char *left = edit_get(without, section, key);
		g_assert_no_error(error);
		g_assert_nonnull(after);
		g_assert_cmpstr(twice, ==, once);
		assert_others(text, once, i);
		g_assert_null(left);
	}
}

static void fuzz_cf(const char *cf)
{
	g_autofree char *there = sendmail_filter(cf, SOCKET);
	if (there != NULL)
		return; /* nothing is changed */
	g_autofree char *with = sendmail_cf_with(cf, SOCKET);
	g_autofree char *name = sendmail_filter(with, SOCKET);
	g_assert_cmpstr(name, ==, "missent");
	g_assert_true(sendmail_is_last(with, name));
	g_autofree char *merged = sendmail_cf_merged(cf, with);
	g_autofree char *again = sendmail_filter(merged, SOCKET);
	g_assert_cmpstr(again, ==, "missent");
}

static void fuzz_mc(const char *mc)
{
	g_autofree char *once = sendmail_mc_with(mc, SOCKET);
	g_autofree char *twice = sendmail_mc_with(once, SOCKET);
	g_assert_cmpstr(twice, ==, once);
	gsize head = 0, tail = 0, len = strlen(mc), now = strlen(once);
	while (head < len && mc[head] == once[head])
		head++;
	while (tail < len - head && mc[len - tail - 1] == once[now - tail - 1])
		tail++;
	g_assert_cmpuint(head + tail, ==, len); /* something was put in, and nothing else */
}

/* ---- files ------------------------------------------------------------------------------- */

static char *path_in(const char *folder, const char *name, const char *text)
{
	char *path = g_build_filename(folder, name, NULL);
	if (text != NULL)
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static void assert_text(const char *path, const char *want)
{
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, want);
}

/* Carried out, read again as by the next process, and taken back; `now`, or NULL: what somebody
 * made of the first file meanwhile. */
static void do_and_undo(MsPlan *plan, const char *folder, const char *edited, const char *now)
{
	g_autofree char *plans = g_build_filename(folder, "undo", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_plan_begin(plan, plans, &error));
	g_assert_true(ms_plan_apply(plan, MS_SETUP_OF_MTA, &error));
	if (now != NULL)
		g_assert_true(g_file_set_contents(edited, now, -1, NULL));
	g_autoptr(GPtrArray) open = ms_plans_open(plans, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(open->len, ==, 1);
	bool reverted = ms_plan_revert(open->pdata[0], MS_SETUP_OF_MTA, &error);
	g_assert_true(reverted || now != NULL);
	if (!reverted)
		assert_text(edited, now); /* it is left as it is, and said */
	g_assert_true(ms_plan_forget(open->pdata[0], NULL));
}

static void fuzz_files(const char *folder, const char *before, const char *after, const char *now)
{
	g_autofree char *path = path_in(folder, "file", before);
	g_autoptr(MsPlan) plan = ms_plan_new();
	g_assert_true(ms_plan_add(plan, MS_SETUP_OF_MTA, path, after, NULL));
	g_assert_cmpuint(plan->changes->len, ==, strcmp(before, after) != 0);
	if (plan->changes->len > 0)
		do_and_undo(plan, folder, path, now);
	if (now == NULL || strcmp(now, after) == 0)
		assert_text(path, before);
	unlink(path);
}

/* By postconf, where it is installed. */
static void fuzz_postfix(const char *folder, const char *main_cf, const char *master_cf)
{
	g_autofree char *main_path = path_in(folder, "main.cf", main_cf);
	g_autofree char *master_path = path_in(folder, "master.cf", master_cf);
	g_autoptr(MsPlan) plan = ms_plan_new();
	if (plan_postfix(plan, folder, SOCKET, ITEM, NULL) && plan->changes->len > 0) {
		g_autoptr(MsPlan) again = ms_plan_new();
		g_autofree char *plans = g_build_filename(folder, "undo", NULL);
		g_assert_true(ms_plan_begin(plan, plans, NULL));
		g_assert_true(ms_plan_apply(plan, MS_SETUP_OF_MTA, NULL));
		g_assert_true(plan_postfix(again, folder, SOCKET, ITEM, NULL));
		g_assert_cmpuint(again->changes->len, ==, 0);
		g_assert_true(ms_plan_revert(plan, MS_SETUP_OF_MTA, NULL));
		g_assert_true(ms_plan_forget(plan, NULL));
	}
	assert_text(main_path, main_cf);
	assert_text(master_path, master_cf);
	unlink(main_path);
	unlink(master_path);
}

static void fuzz_on_disk(bool postfix, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "\n%%\n", 3);
	g_autofree char *folder = g_dir_make_tmp("missent-fuzz-XXXXXX", NULL);
	g_autofree char *program = g_find_program_in_path("postconf");
	g_assert_nonnull(folder);
	if (parts[0] != NULL && parts[1] != NULL && postfix && program != NULL)
		fuzz_postfix(folder, parts[0], parts[1]);
	else if (parts[0] != NULL && parts[1] != NULL && !postfix)
		fuzz_files(folder, parts[0], parts[1], parts[2]);
	g_assert_cmpint(g_rmdir(folder), ==, 0); /* nothing is left behind */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree char *text = len > 0 ? g_strndup((const char *)data + 1, len - 1) : NULL;
	switch (len > 0 ? *data : 0) {
	case 's': fuzz_settings(text); break;
	case 'c': fuzz_cf(text); break;
	case 'm': fuzz_mc(text); break;
	case 'f': fuzz_on_disk(false, text); break;
	case 'p': fuzz_on_disk(true, text); break;
	default: break;
	}
	return 0;
}
