#include "config.h"

#include <unistd.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/link.h"
#include "missent/password.h"

#include "../../milter/review/page.h"
#include "../test.h"

static char *dir;

/* ---- accounts ------------------------------------------------------------------------- */

static MsAccounts *open_accounts(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	MsAccounts *accounts = ms_accounts_open(path, &error);
	g_assert_no_error(error);
	return accounts;
}

static void put(MsAccounts *accounts, const char *name, MsRole role, const char *password, bool disabled)
{
	MsAccount account = {(char *)name, role, false, disabled, 0};
	g_autoptr(GError) error = NULL;
	ms_accounts_put(accounts, &account, password, &error);
	g_assert_no_error(error);
}

static void test_login(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("login.db");
	g_autoptr(GError) error = NULL;
	g_autofree char *id = NULL, *none = NULL;
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	put(accounts, "bert", MS_ROLE_VIEWER, "another password", true);
	put(accounts, "proxy-only", MS_ROLE_VIEWER, NULL, false);
	g_assert_cmpint(ms_accounts_login(accounts, "anna", "a good password", "::1", &id, &error), ==, MS_LOGIN_FINE);
	g_assert_cmpuint(strlen(id), ==, 64);
	static const char *const wrong[][2] = {{"anna", "a good passwor"}, {"anna", ""}, {"bert", "another password"},
		{"carl", "a good password"}, {"proxy-only", ""}, {"", ""}, {"' OR 1=1 --", "x"}};
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_cmpint(ms_accounts_login(accounts, wrong[i][0], wrong[i][1], "::2", &none, &error), ==,
			MS_LOGIN_WRONG);
	g_assert_null(none);
	const gint64 hour = 3600 * (gint64)G_USEC_PER_SEC;
	g_autoptr(MsSession) session = ms_accounts_session(accounts, id, hour, hour, &error);
	g_assert_cmpstr(session->account->name, ==, "anna");
	g_assert_cmpint(session->account->role, ==, MS_ROLE_REVIEWER);
	g_assert_cmpuint(strlen(session->csrf), ==, 64);
	g_assert_null(ms_accounts_session(accounts, "0000", hour, hour, &error));
	g_assert_null(ms_accounts_session(accounts, id, 0, hour, &error)); /* idle for too long */
	g_assert_null(ms_accounts_session(accounts, id, hour, 0, &error)); /* too old */
	/* changed rights, or a new password, end sessions */
	put(accounts, "anna", MS_ROLE_VIEWER, NULL, false);
	g_assert_null(ms_accounts_session(accounts, id, hour, hour, &error));
	g_free(id);
	g_assert_cmpint(ms_accounts_login(accounts, "anna", "a good password", "::1", &id, &error), ==, MS_LOGIN_FINE);
	g_assert_true(ms_accounts_logout(accounts, id, &error));
	g_assert_null(ms_accounts_session(accounts, id, hour, hour, &error));
	g_autofree char *admitted = ms_accounts_admit(accounts, "proxy-only", &error);
	g_assert_nonnull(admitted);
	g_assert_null(ms_accounts_admit(accounts, "bert", &error)); /* disabled */
	g_assert_null(ms_accounts_admit(accounts, "carl", &error));
	g_assert_true(ms_accounts_delete(accounts, "proxy-only", &error));
	g_assert_null(ms_accounts_session(accounts, admitted, hour, hour, &error));
}

static void test_tries(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("tries.db");
	g_autoptr(GError) error = NULL;
	g_autofree char *id = NULL;
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	for (int i = 0; i < MS_TRIES_USER; i++)
		g_assert_cmpint(ms_accounts_login(accounts, "anna", "x", "::1", &id, &error), ==, MS_LOGIN_WRONG);
	g_assert_cmpint(ms_accounts_login(accounts, "anna", "a good password", "::3", &id, &error), ==,
		MS_LOGIN_TOO_OFTEN);
	for (int i = MS_TRIES_USER; i < MS_TRIES_CLIENT; i++) {
		g_autofree char *name = g_strdup_printf("guess%d", i);
		g_assert_cmpint(ms_accounts_login(accounts, name, "x", "::1", &id, &error), ==, MS_LOGIN_WRONG);
	}
	g_assert_cmpint(ms_accounts_login(accounts, "new", "x", "::1", &id, &error), ==, MS_LOGIN_TOO_OFTEN);
	g_assert_cmpint(ms_accounts_login(accounts, "new", "x", "::4", &id, &error), ==, MS_LOGIN_WRONG);
}

static gint wrong_tries;

static void *guess(void *accounts)
{
	g_autofree char *id = NULL;
	if (ms_accounts_login(accounts, "anna", "x", "::1", &id, NULL) == MS_LOGIN_WRONG)
		g_atomic_int_inc(&wrong_tries);
	return NULL;
}

/* Many guesses at the same moment are not more guesses. */
static void test_tries_at_once(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("at-once.db");
	GThread *threads[30];
	put(accounts, "anna", MS_ROLE_REVIEWER, "a good password", false);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("guess", guess, accounts);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	g_assert_cmpint(wrong_tries, ==, MS_TRIES_USER);
}

static void test_names(void)
{
	g_autoptr(MsAccounts) accounts = open_accounts("names.db");
	static const struct {
		const char *name, *password, *want;
	} rows[] = {{"", "a good password", "a name has"}, {"a b", "a good password", "a name has"},
		{"a<b", "a good password", "a name has"}, {"a,b", "a good password", "a name has"},
		{"anna", "short", "at least 10"}, {"anna@example.com", "a good password", NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		MsAccount account = {(char *)rows[i].name, MS_ROLE_VIEWER, false, false, 0};
		bool fine = ms_accounts_put(accounts, &account, rows[i].password, &error);
		g_assert_cmpint(fine, ==, rows[i].want == NULL);
		if (!fine)
			g_assert_nonnull(strstr(error->message, rows[i].want));
	}
	g_autofree char *a = ms_password_hash("same password"), *b = ms_password_hash("same password");
	g_assert_true(g_str_has_prefix(a, "$argon2id$"));
	g_assert_cmpstr(a, !=, b);
	g_assert_true(ms_password_matches(a, "same password"));
	g_assert_false(ms_password_matches(a, "same passwore"));
	g_assert_false(ms_password_matches(NULL, "same password"));
}

/* ---- HTML ----------------------------------------------------------------------------- */

static void test_html(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"plain", "plain"},
		{"<b> & \"x\" 'y'", "&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;"},
		{"a\xe2\x80\xae" "b", "a\\u202eb"}, /* turns the direction of what follows */
		{"a\xe2\x80\x8b" "b", "a\\u200bb"}, /* not seen */
		{"a\x01\x1b[31m", "a\\u0001\\u001b[31m"},
		{"line\n\tnext", "line\n\tnext"},
		{"bad \xff byte", "bad \xef\xbf\xbd byte"},
		{"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
		{NULL, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		html_text(out, rows[i].text);
		g_assert_cmpstr(out->str, ==, rows[i].want);
	}
	g_autoptr(GString) out = g_string_new(NULL);
	html(out, "<a title=\"%s\">%d %S 5%%</a>", "\"><script>", (gint64)7, "<i>");
	g_assert_cmpstr(out->str, ==, "<a title=\"&quot;&gt;&lt;script&gt;\">7 <i> 5%</a>");
	g_string_truncate(out, 0);
	html_query(out, (const char *const[]){"a", "x&y=\"", "b", "", "c", "\xc3\xa9 1", NULL});
	g_assert_cmpstr(out->str, ==, "?a=x%26y%3D%22&amp;c=%C3%A9%201");
}

/* ---- the socket ----------------------------------------------------------------------- */

static void test_frames(void)
{
	int pair[2];
	gsize len;
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
	g_assert_true(ms_link_send(pair[0], "{\"a\":1}", 7));
	g_autofree char *got = ms_link_receive(pair[1], &len);
	g_assert_cmpstr(got, ==, "{\"a\":1}");
	g_assert_cmpuint(len, ==, 7);
	/* a length that nobody has room for; a frame that is cut short */
	g_assert_cmpint(write(pair[0], "\xff\xff\xff\xff", 4), ==, 4);
	g_assert_null(ms_link_receive(pair[1], &len));
	g_assert_cmpint(write(pair[0], "\0\0\0\5ab", 6), ==, 6);
	close(pair[0]);
	g_assert_null(ms_link_receive(pair[1], &len));
	close(pair[1]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/review/login", test_login);
	g_test_add_func("/review/tries", test_tries);
	g_test_add_func("/review/tries-at-once", test_tries_at_once);
	g_test_add_func("/review/names-and-passwords", test_names);
	g_test_add_func("/review/html", test_html);
	g_test_add_func("/review/frames", test_frames);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
