/* A made trail judged again by mappings of one and of several files, and by other policies. */
#include "config.h"

#include <glib/gstdio.h>
#include <glob.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/incident.h"
#include "missent/tlog.h"

#include "../test.h"

static const guint8 key[MS_AUDIT_KEY_BYTES] = "a key of this test";

static const char policy_text[] = "policy \"bills\" {\n\tkinds = {\"customer-number\"}\n}\n";
static const char blind_text[] = "policy \"bills\" {\n\tkinds = {\"iban\"}\n}\n";

typedef struct {
	char *dir, *trail, *policies, *blind;
	MsKinds *kinds;
	MsSettings *settings;
	GString *found;
} Site;

static char *put(const Site *site, const char *name, const char *text)
{
	char *path = g_build_filename(site->dir, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

/* One message: an identifier, to one recipient. */
static void add(GString *trail, const char *queue_id, const char *verdict, const char *would,
	const char *value, const char *address, const guint8 *with)
{
	static const guint8 other_key[MS_AUDIT_KEY_BYTES] = "another";
	const guint8 *k = with != NULL ? with : other_key;
	g_autofree char *id = ms_audit_id(k, "customer-number", value),
			*to = ms_audit_id_of_address(k, address);
	g_autofree char *domain = ms_audit_id(k, "domain", strchr(address, '@') + 1),
			*number = ms_audit_key_number(k);
	json_t *line = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:[{s:s, s:s, s:s, s:s}],"
		"s:[{s:s, s:s, s:s, s:s}]}",
		"time", "2026-11-20T09:00:00.000Z", "type", "message", "host", "mx", "queue_id",
		queue_id, "verdict", verdict, "would", would, "key", number, "sender", "b***",
		"arrived", "2026-11-20T09:00:00.000Z", "policies", "bills", "to", "address", "a***",
		"id", to, "domain", domain, "outcome", "right", "identifiers", "kind",
		"customer-number", "identifier", "C***", "id", id, "belief", "exact");
	char *text = json_dumps(line, JSON_COMPACT);
	g_string_append_printf(trail, "%s\n", text);
	free(text);
	json_decref(line);
}

/* Whatever ends this process now leaves no file in which the mapping stands in clear. */
static void no_file_in_clear(void)
{
	glob_t found = {0};
	g_autofree char *all = g_build_filename(g_get_tmp_dir(), "missent-rejudge-*", "*", NULL);
	g_assert_cmpint(glob(all, 0, NULL, &found), ==, 0); /* it works in there */
	for (gsize i = 0; i < found.gl_pathc; i++) {
		g_autofree char *text = NULL;
		gsize len = 0;
		g_assert_true(g_file_get_contents(found.gl_pathv[i], &text, &len, NULL));
		if (memmem(text, len, "C-10001", 7) != NULL)
			g_error("%s has the mapping in clear", found.gl_pathv[i]);
	}
	globfree(&found);
}

static void note(const MsLookbackRow *row, void *user)
{
	g_string_append_printf(user, "%s %s %s; ", row->queue_id, row->would, row->codes);
	no_file_in_clear();
}

static void ignore(const MsLookbackRow *row, void *user)
{
	(void)row, (void)user;
}

static char *canonical(const Site *site, const char *value)
{
	const char *why = NULL;
	char *text = ms_kind_canonical(
		ms_kinds_find(site->kinds, "customer-number"), value, strlen(value), &why);
	g_assert_nonnull(text);
	return text;
}

static void begin(Site *site)
{
	g_autoptr(GError) error = NULL;
	site->dir = scratch_folder();
	site->found = g_string_new(NULL);
	g_autofree char *policy = put(site, "policies/bills.conf", policy_text);
	g_autofree char *blind = put(site, "blind/bills.conf", blind_text);
	g_autofree char *site_key = put(site, "site.key",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
	site->policies = g_path_get_dirname(policy);
	site->blind = g_path_get_dirname(blind);
	g_autofree char *file = g_build_filename(g_getenv("SOURCE"), "policies/kinds.conf", NULL),
			*kinds = NULL;
	g_assert_true(g_file_get_contents(file, &kinds, NULL, NULL));
	site->kinds = ms_kinds_parse("kinds.conf", kinds, &error);
	g_assert_no_error(error);
	g_assert_cmpint(g_chmod(site_key, 0600), ==, 0);
	g_autofree char *text = g_strdup_printf(
		"socket = \"unix:%s/s\"\nstate-dir = \"%s\"\npolicy-dir = \"%s\"\ndirectory {\n"
		"\tkey-file = \"%s\"\n}\n",
		site->dir, site->dir, site->policies, site_key);
	g_autofree char *conf = put(site, "missent.conf", text);
	site->settings = ms_settings_load(conf, &error);
	g_assert_no_error(error);
	g_autofree char *one = canonical(site, "C-10001"), *two = canonical(site, "C-10002"),
			*none = canonical(site, "C-99999");
	g_autoptr(GString) trail = g_string_new(NULL);
	add(trail, "right", "deliver", "deliver", one, "a@alpha.example", key);
	add(trail, "leak", "deliver", "deliver", two, "a@alpha.example", key);
	add(trail, "observed", "deliver", "hold", two, "a@alpha.example", key);
	add(trail, "held", "hold", "hold", one, "a@alpha.example", key);
	add(trail, "nobody", "deliver", "deliver", none, "a@alpha.example", key);
	add(trail, "later", "tempfail", "tempfail", two, "a@alpha.example", key);
	add(trail, "otherkey", "deliver", "deliver", two, "a@alpha.example", NULL);
	g_string_append(trail, "{\"time\":\"2026-11-20T09:0");
	site->trail = put(site, "audit.jsonl", trail->str);
}

static void end(Site *site)
{
	ms_settings_free(site->settings);
	ms_kinds_unref(site->kinds);
	g_string_free(site->found, TRUE);
	remove_folder(site->dir);
	g_free(site->dir);
	g_free(site->trail);
	g_free(site->policies);
	g_free(site->blind);
}

static MsLookbackSum look(Site *site, const char *const *csv, const char *policies, GError **error)
{
	MsLookbackSum sum = {0};
	const MsLookback ask = {.to = G_MAXINT64,
		.csv = csv,
		.policies = policies,
		.kinds = site->kinds,
		.settings = site->settings,
		.key = key,
		.found = note,
		.user = site->found};
	g_string_truncate(site->found, 0);
	bool fine = ms_incident_look_back(&ask, site->trail, &sum, error);
	g_assert_true(fine == (error == NULL || *error == NULL));
	return sum;
}

/* ---- who is greeted ---------------------------------------------------------------------- */

/* Delivered: a mail to a@alpha.example that greets Petra Weber, and has nothing else in it. */
static void write_greeting(MsAudit *audit, const char *queue_id, const char *greeted)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsReading) reading = ms_reading_new();
	g_autoptr(MsVerdict) v = ms_verdict_new();
	e->host = g_strdup("mx");
	e->queue_id = g_strdup(queue_id);
	e->sender = g_strdup("billing@seller.example");
	g_ptr_array_add(e->recipients, g_strdup("a@alpha.example"));
	g_ptr_array_add(v->policies, g_strdup("bills"));
	if (greeted != NULL)
		ms_reading_greet(reading, greeted);
	const MsAuditMessage message = {.envelope = e, .verdict = v, .reading = reading};
	ms_audit_write(audit, &message, &error);
	g_assert_no_error(error);
}

static MsLookbackSum greeted_by(Site *site, const char *name, const char *rows)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *csv = put(site, name, rows);
	const MsLookbackSum s = look(
		site, (const char *const[]){csv, NULL}, site->policies, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(s.again, ==, 2);
	g_assert_cmpuint(s.unknown_greeted, ==, 0);
	return s;
}

static void test_greeted(void)
{
	static const char others[] = "AC-1,recipient,a@alpha.example\nAC-1,greeted-as,Hans Meier\n",
			  both[] = "AC-1,recipient,a@alpha.example\nAC-1,greeted-as,Dr. Petra Weber\n",
			  none[] = "AC-1,recipient,a@alpha.example\n";
	Site site;
	begin(&site);
	g_free(site.trail);
	site.trail = g_build_filename(site.dir, "greeted.jsonl", NULL);
	g_autofree char *strict G_GNUC_UNUSED = put(&site, "policies/bills.conf",
		"policy \"bills\" {\n\tkinds = {\"customer-number\"}\n\ton-unproven = deliver\n"
		"\ton-salutation = hold\n}\n");
	g_autoptr(MsAudit) audit = ms_audit_new(site.trail);
	ms_audit_key(audit, key);
	write_greeting(audit, "petra", "petra weber");
	write_greeting(audit, "nobody", NULL);
	MsLookbackSum s = greeted_by(&site, "others.csv", others);
	g_assert_cmpuint(s.leaks, ==, 1);
	g_assert_cmpuint(s.greet_others, ==, 1);
	g_assert_cmpstr(site.found->str, ==, "petra hold salutation; ");
	s = greeted_by(&site, "both.csv", both);
	g_assert_cmpuint(s.leaks + s.greet_others, ==, 0);
	s = greeted_by(&site, "none.csv", none); /* nobody knows the names of this account */
	g_assert_cmpuint(s.leaks + s.greet_others, ==, 0);
	g_autofree char *lax G_GNUC_UNUSED = put(&site, "policies/bills.conf",
		"policy \"bills\" {\n\tkinds = {\"customer-number\"}\n\ton-unproven = deliver\n}\n");
	s = greeted_by(&site, "others.csv", others); /* only tagged, but told */
	g_assert_cmpuint(s.leaks, ==, 0);
	g_assert_cmpstr(site.found->str, ==, "petra tag salutation; ");
	end(&site);
}

/* ---- mappings ---------------------------------------------------------------------------- */

static const char alpha[] =
	"account,kind,value\nAC-1,recipient,a@alpha.example\nAC-1,customer-number,C-10001\n";
static const char beta[] =
	"\xef\xbb\xbf\"account\",kind,value\nAC-2,recipient,b@beta.example\nAC-2,customer-number,C-10002";
static const char bare[] = "AC-2,customer-number,C-10002\n";

static void test_leaks(void)
{
	Site site;
	begin(&site);
	g_autoptr(GError) error = NULL;
	g_autofree char *one = put(&site, "alpha.csv", alpha), *two = put(&site, "beta.csv", beta),
			*three = put(&site, "bare.csv", bare);
	const MsLookbackSum s = look(
		&site, (const char *const[]){one, two, NULL}, site.policies, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(s.judged, ==, 6);
	g_assert_cmpuint(s.again, ==, 5);
	g_assert_cmpuint(s.other_key, ==, 1);
	g_assert_cmpuint(s.unknown_greeted, ==, 5); /* those lines are of an older version */
	g_assert_cmpuint(s.damaged, ==, 1);
	g_assert_cmpuint(s.plain, ==, 1);
	g_assert_cmpuint(s.leaks, >=, 1);
	g_assert_cmpuint(s.wrong, ==, 1);
	g_assert_cmpuint(s.known, ==, 1);
	g_assert_cmpuint(s.let_go, ==, 1);
	g_assert_cmpuint(s.unseen_identifiers, ==, 1);
	g_assert_nonnull(strstr(site.found->str, "leak hold mismatch"));
	g_assert_null(strstr(site.found->str, "right "));
	/* with or without a heading, in any order, it is one mapping */
	const MsLookbackSum again = look(
		&site, (const char *const[]){three, one, NULL}, site.policies, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(&s, sizeof s, &again, sizeof again);
	/* by half of it the other half is nobody's */
	const MsLookbackSum half = look(
		&site, (const char *const[]){one, NULL}, site.policies, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(half.wrong, ==, 0);
	g_assert_cmpuint(half.unseen_identifiers, ==, 2);
	end(&site);
}

static void note_bad(const char *csv, guint64 line, const char *why, void *user)
{
	g_autofree char *name = g_path_get_basename(csv);
	g_assert_cmpstr(why, !=, "");
	g_string_append_printf(user, "%s:%" G_GUINT64_FORMAT "; ", name, line);
}

/* A line that cannot be taken leaves a value with nobody: it is told, by its own file and line,
 * also where it is one in a hundred and the others are taken. */
static void test_bad_lines(void)
{
	static const struct {
		const char *first, *second; /* files; NULL: there is one */
		guint more;                 /* good lines behind the last */
		const char *want;
		bool fine;
	} rows[] = {{"AC-1,no-such-kind,x\n", NULL, 200, "1.csv:1; ", true},
		{alpha, "account,kind,value\nAC-2,customer-number,C-10002\nAC-3,no-such-kind,x\n", 200,
			"2.csv:3; ", true},
		{alpha, "AC-2,customer-number,C-10002\nAC-3,no-such-kind,x\n", 200, "2.csv:2; ", true},
		{"account,kind,value\nAC-1,iban,XX00", "AC-3,no-such-kind,x\n", 300,
			"1.csv:2; 2.csv:1; ", true},
		{"AC-1,recipient,a@alpha.example\nAC-1,\"x\ny\",z\n", beta, 300, "1.csv:2; 2.csv:3; ", true},
		{alpha, beta, 0, "", true},
		{alpha, "AC-3,no-such-kind,x\n", 0, "2.csv:1; ", false}};
	Site site;
	begin(&site);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) last = g_string_new(
			rows[i].second != NULL ? rows[i].second : rows[i].first);
		g_autoptr(GString) bad = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		for (guint k = 0; k < rows[i].more; k++)
			g_string_append_printf(last, "AC-9,customer-number,C-2%04u\n", k);
		g_autofree char *one = put(&site, "1.csv",
			rows[i].second != NULL ? rows[i].first : last->str);
		g_autofree char *two =
			rows[i].second != NULL ? put(&site, "2.csv", last->str) : NULL;
		const char *const csv[] = {one, two, NULL};
		MsLookbackSum sum = {0};
		const MsLookback ask = {.to = G_MAXINT64,
			.csv = csv,
			.policies = site.policies,
			.kinds = site.kinds,
			.settings = site.settings,
			.key = key,
			.found = ignore,
			.bad = note_bad,
			.user = bad};
		bool fine = ms_incident_look_back(&ask, site.trail, &sum, &error);
		if (fine != rows[i].fine || strcmp(bad->str, rows[i].want) != 0)
			g_error("row %zu: \"%s\" for \"%s\", %s", i, bad->str, rows[i].want,
				error != NULL ? error->message : "");
		guint64 n = 0;
		for (const char *c = bad->str; *c != '\0'; c++)
			n += *c == ';';
		g_assert_cmpuint(sum.bad, ==, fine ? n : 0);
	}
	end(&site);
}

/* Policies that do not look at what is in it see nothing; what is no mapping is told. */
static void test_odd(void)
{
	Site site;
	begin(&site);
	g_autoptr(GError) error = NULL;
	g_autofree char *one = put(&site, "alpha.csv", alpha), *two = put(&site, "beta.csv", beta);
	g_autofree char *odd = put(&site, "odd.csv", "AC-2,customer-number,C-1000\xff\n");
	const MsLookbackSum blind = look(
		&site, (const char *const[]){one, two, NULL}, site.blind, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(blind.wrong, ==, 0);
	look(&site, (const char *const[]){one, odd, NULL}, site.policies, &error);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_assert_nonnull(strstr(error->message, "odd.csv"));
	g_clear_error(&error);
	look(&site, (const char *const[]){one, "/nowhere/at.all", NULL}, site.policies, &error);
	g_assert_error(error, MS_ERROR, MS_ERROR_ABSENT);
	g_clear_error(&error);
	look(&site, (const char *const[]){"/nowhere/at.all", NULL}, site.policies, &error);
	g_assert_error(error, MS_ERROR, MS_ERROR_ABSENT);
	end(&site);
}

/* Of a log that somebody changed what is left is judged, and that it is not whole is told. */
static void test_damaged(void)
{
	Site site;
	begin(&site);
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = ms_audit_folder(site.trail), *text = NULL,
			*one = put(&site, "both.csv",
				"AC-1,recipient,a@alpha.example\nAC-1,customer-number,C-10001\n"
				"AC-2,customer-number,C-10002\n");
	g_assert_true(g_file_get_contents(site.trail, &text, NULL, NULL));
	g_autoptr(MsTlog) log = ms_tlog_open(folder, "mx/missent", &error);
	g_assert_no_error(error);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint done;
	for (int i = 0; i < 300; i++) {
		const char *line = lines[i % 5];
		const MsEntryText entry = {line, strlen(line)};
		g_assert_true(ms_tlog_append(log, &entry, 1, &done, &error));
	}
	const char *const csv[] = {one, NULL};
	MsLookbackSum s = look(&site, csv, site.policies, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(s.not_whole + s.plain + s.damaged, ==, 0);
	g_assert_cmpuint(s.judged, ==, 300);
	g_autofree char *bundle = g_build_filename(folder, "tile/entries/000", NULL), *data = NULL;
	gsize len = 0;
	g_assert_true(g_file_get_contents(bundle, &data, &len, NULL));
	data[len - 5] ^= 1;
	g_assert_true(g_file_set_contents(bundle, data, (gssize)len, NULL));
	s = look(&site, csv, site.policies, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(s.not_whole, >=, 1);
	g_assert_cmpuint(s.damaged, ==, 1);
	g_assert_cmpuint(s.judged, ==, 299);
	g_assert_cmpint(unlink(bundle), ==, 0);
	s = look(&site, csv, site.policies, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(s.not_whole, >=, 1);
	g_assert_cmpuint(s.judged, ==, 44);
	end(&site);
}

int main(int argc, char **argv)
{
	char tmp[] = "/tmp/missent-test-lookback-XXXXXX";
	g_assert_nonnull(g_mkdtemp(tmp));
	g_setenv("TMPDIR", tmp, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lookback/leaks", test_leaks);
	g_test_add_func("/lookback/odd", test_odd);
	g_test_add_func("/lookback/bad-lines", test_bad_lines);
	g_test_add_func("/lookback/greeted", test_greeted);
	g_test_add_func("/lookback/damaged", test_damaged);
	int rc = g_test_run();
	remove_folder(tmp);
	return rc;
}
