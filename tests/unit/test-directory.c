/*
 * The directory in SQLite and in Redis: imports, lookups, rights, single changes, and whatever
 * makes it unavailable.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/directory.h"
#include "missent/filter.h"
#include "missent/kind.h"
#include "missent/store.h"

#include "../../milter/directory/csv.h"
#include "../../milter/directory/directory_private.h"
#include "../redis.h"
#include "../test.h"

static MsKinds *kinds;
static char *dir;
static char *redis_address; /* NULL: no redis-server here */

static bool no_redis(void)
{
	if (redis_address == NULL)
		g_test_skip("redis-server is not installed");
	return redis_address == NULL;
}

static const char mapping[] =
	"account,kind,value\n"
	"AC-1,recipient,Kunde@Alpha.example\n"
	"AC-1,iban,DE89 3704 0044 0532 0130 00\n"
	"AC-1,customer-number,C-100\n"
	"AC-2,recipient,@beta.example\n"
	"AC-2,customer-number,C-2000\n"
	"AC-2,recipient,desk@k\xc3\xb6ln.example\n"
	"AC-1,customer-number,SHARED-77\n"
	"AC-2,customer-number,SHARED-77\n"
	"AC-R,recipient,reseller@gamma.example\n"
	"AC-R,receives-for,AC-2\n"
	"house,recipient,@seller.example\n"
	"house,vat-id,DE136695976\n"
	"AC-1,vat-id,FR40303265045\n"
	"AC-2,siren-siret,73282932000074\n"
	"AC-1,gln,4304171000002\n"
	"AC-2,company-registration,923609016\n"
	"AC-1,billing-address,\"Muster GmbH\nHauptstr. 5\n10115 Berlin\"\n";

static MsDirectorySettings settings_for(MsBackendType backend, bool digests)
{
	static char *key, *file;
	g_free(key);
	g_free(file);
	key = g_build_filename(dir, "site.key", NULL);
	file = g_build_filename(dir, digests ? "d.db" : "p.db", NULL);
	return (MsDirectorySettings){
		.backend = backend,
		.sqlite = file,
		.redis = {.address = redis_address,
			.timeout_ms = 2000,
			.connections = 4,
			.refuse_eviction = true},
		.redis_prefix = digests ? "d" : "p",
		.key_file = key,
		.digests = digests,
		.house = "house",
		.tag_separators = "+",
	};
}

static MsDirectory *open_directory(const MsDirectorySettings *settings)
{
	g_autoptr(GError) error = NULL;
	MsDirectory *directory = ms_directory_open(settings, kinds, &error);
	g_assert_no_error(error);
	return directory;
}

typedef struct {
	guint64 lines[20];
	char *whys[20];
	guint n;
} Bad;

static void on_bad(guint64 line, const char *why, void *user)
{
	Bad *bad = user;
	g_assert_cmpuint(bad->n, <, 20);
	bad->lines[bad->n] = line;
	bad->whys[bad->n++] = (char *)g_intern_string(why);
}

static bool import(MsDirectory *directory, const char *text, gsize len, double max_bad,
	double max_shrink, MsImportResult *result, Bad *bad, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	g_assert_true(g_file_set_contents(path, text, (gssize)len, NULL));
	int fd = open(path, O_RDONLY);
	MsImportOptions options = {
		.max_bad = max_bad,
		.max_shrink = max_shrink,
		.source = "in.csv",
		.bad = bad != NULL ? on_bad : NULL,
		.user = bad,
	};
	bool fine = ms_directory_import(directory, fd, &options, result, error);
	close(fd);
	return fine;
}

static void load(MsDirectory *directory, const char *text)
{
	MsImportResult result;
	g_autoptr(GError) error = NULL;
	import(directory, text, strlen(text), 0, 1, &result, NULL, &error);
	g_assert_no_error(error);
}

static MsRelation relation(MsDirectory *directory, const char *kind, const char *value,
	const char *recipient)
{
	const char *why;
	const MsKind *row = ms_kinds_find(kinds, kind);
	g_autofree char *canonical = ms_kind_canonical(row, value, strlen(value), &why);
	g_assert_nonnull(canonical);
	g_autoptr(MsIdentifier) identifier = ms_identifier_new(kind, canonical);
	const MsIdentifier *list[] = {identifier};
	g_autoptr(MsResolution) resolution = NULL;
	g_autoptr(GError) error = NULL;
	MsAnswer answer =
		ms_directory_resolve(directory, list, 1, &recipient, 1, &resolution, &error);
	g_assert_no_error(error);
	g_assert_cmpint(answer, ==, MS_FOUND);
	return ms_resolution_relation(resolution, 0, 0);
}

static const struct {
	const char *kind, *value, *recipient;
	MsRelation want;
} rows[] = {
	{"iban", "DE89370400440532013000", "kunde@alpha.example", MS_OWN},
	{"iban", "DE89370400440532013000", "KUNDE@ALPHA.EXAMPLE", MS_OWN},
	{"iban", "DE89370400440532013000", "kunde+rechnung@alpha.example", MS_OWN},
	{"iban", "DE89370400440532013000", "x@beta.example", MS_OTHER},
	/* What may go to several mailboxes: the right must hold for each. */
	{"iban", "DE89370400440532013000", "x%beta.example@seller.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "beta.example!x@seller.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "\"x@beta.example\"@seller.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "x@beta.example@seller.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "@seller.example,@a.example:x@beta.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "beta.example::x@seller.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "x%beta.example@alpha.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "kunde%alpha.example@seller.example", MS_HOUSE},
	{"iban", "DE89370400440532013000", "alpha.example!kunde@seller.example", MS_HOUSE},
	{"iban", "DE89370400440532013000", "\"kunde@alpha.example\"@seller.example", MS_HOUSE},
	{"iban", "DE89370400440532013000", "kunde@alpha.example@seller.example", MS_HOUSE},
	{"iban", "DE89370400440532013000", "@seller.example,@a.example:kunde@alpha.example",
		MS_OWN},
	{"iban", "DE89370400440532013000", "nobody@nowhere.example", MS_OTHER},
	{"iban", "DE89370400440532013000", "boss@seller.example", MS_HOUSE},
	{"customer-number", "C 2000", "x@beta.example", MS_OWN},
	{"customer-number", "C 2000", "x@sub.beta.example", MS_OTHER},
	{"customer-number", "C-2000", "desk@xn--kln-sna.example", MS_OWN},
	{"customer-number", "C-2000", "DESK@K\xc3\x96LN.example", MS_OWN},
	{"customer-number", "C-2000", "reseller@gamma.example", MS_OWN},
	{"iban", "DE89370400440532013000", "reseller@gamma.example", MS_OTHER},
	{"customer-number", "SHARED77", "x@beta.example", MS_OWN},
	{"customer-number", "SHARED77", "kunde@alpha.example", MS_OWN},
	{"customer-number", "SHARED77", "z@delta.example", MS_OTHER},
	{"customer-number", "NOBODYS-9", "x@beta.example", MS_UNKNOWN},
	{"vat-id", "DE136695976", "nobody@nowhere.example", MS_HOUSE},
	{"email", "anyone@beta.example", "x@beta.example", MS_OWN},
	{"email", "anyone@beta.example", "kunde@alpha.example", MS_OTHER},
	{"email", "support@seller.example", "kunde@alpha.example", MS_HOUSE},
	{"email", "who@unknown.example", "kunde@alpha.example", MS_UNKNOWN},
	/* numbers of one company that contain each other */
	{"siren-siret", "303265045", "kunde@alpha.example", MS_OWN},
	{"siren-siret", "303265045", "x@beta.example", MS_OTHER},
	{"siren-siret", "30326504500012", "x@beta.example", MS_OTHER},
	{"participant-id", "0002:303265045", "x@beta.example", MS_OTHER},
	{"participant-id", "9957:FR40303265045", "x@beta.example", MS_OTHER},
	{"company-registration", "303265045", "x@beta.example", MS_OTHER},
	{"company-registration", "303 265 045", "kunde@alpha.example", MS_OWN},
	{"participant-id", "0088:4304171000002", "x@beta.example", MS_OTHER},
	{"participant-id", "0088:4304171000002", "kunde@alpha.example", MS_OWN},
	/* of an establishment only: the company may be others' as well */
	{"siren-siret", "73282932000074", "kunde@alpha.example", MS_OTHER},
	{"siren-siret", "732829320", "x@beta.example", MS_OWN},
	{"siren-siret", "732829320", "kunde@alpha.example", MS_UNKNOWN},
	{"vat-id", "FR44732829320", "x@beta.example", MS_OWN},
	{"vat-id", "FR44732829320", "kunde@alpha.example", MS_UNKNOWN},
	/* another country's number with the same digits */
	{"vat-id", "DE303265045", "x@beta.example", MS_UNKNOWN},
	{"vat-id", "NO923609016MVA", "kunde@alpha.example", MS_OTHER},
	{"tax-id", "923609016MVA", "kunde@alpha.example", MS_OTHER},
	{"company-registration", "NLKVK923609016", "kunde@alpha.example", MS_OTHER},
	{"company-registration", "NLKVK303265045", "x@beta.example", MS_UNKNOWN},
	{"company-registration", "DK303265045", "x@beta.example", MS_UNKNOWN},
	{"participant-id", "0106:303265045", "x@beta.example", MS_UNKNOWN},
	{"participant-id", "0002:303265045", "x@beta.example", MS_OTHER},
	{"billing-address", "HAUPTSTRASSE 5 a, 10115 BERLIN", "x@beta.example", MS_OTHER},
	{"billing-address", "Hauptstr. 6, 10115 Berlin", "x@beta.example", MS_UNKNOWN},
};

static void check_contract(const MsDirectorySettings *settings)
{
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, mapping);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		MsRelation got =
			relation(directory, rows[i].kind, rows[i].value, rows[i].recipient);
		if (got != rows[i].want)
			g_error("%s %s for %s: got %s, want %s", rows[i].kind, rows[i].value,
				rows[i].recipient, ms_relation_names[got],
				ms_relation_names[rows[i].want]);
	}
	/* single entries */
	g_autoptr(GError) error = NULL;
	bool changed = false;
	g_assert_cmpint(ms_directory_put(directory, "AC-3", "customer-number", "NOBODYS-9",
				&changed, &error),
		==, MS_FOUND);
	g_assert_true(changed);
	ms_directory_put(directory, "AC-3", "customer-number", "nobodys 9", &changed, &error);
	g_assert_false(changed);
	g_assert_cmpint(
		relation(directory, "customer-number", "NOBODYS9", "x@beta.example"), ==, MS_OTHER);
	MsDirectoryState state = {0};
	g_assert_cmpint(ms_directory_state(directory, &state, &error), ==, MS_FOUND);
	g_assert_cmpint(state.entries, ==, 18); /* other forms are not counted */
	g_assert_cmpint(state.digests, ==, settings->digests);
	ms_directory_state_clear(&state);
	ms_directory_delete(directory, "AC-3", "customer-number", "NOBODYS-9", &changed, &error);
	g_assert_true(changed);
	g_assert_cmpint(relation(directory, "customer-number", "NOBODYS9", "x@beta.example"), ==,
		MS_UNKNOWN);
	g_assert_cmpint(ms_directory_put(directory, "AC-3", "iban", "DE00", &changed, &error), ==,
		MS_CONFIG);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
}

/* An address as its letters alone, which is how a text that hides it is asked about. */
static guint owners_of_letters(MsDirectory *directory, const char *letters)
{
	g_autoptr(MsIdentifier) identifier = ms_identifier_new("email", letters);
	const MsIdentifier *list[] = {identifier};
	g_autoptr(MsResolution) r = NULL;
	g_assert_cmpint(ms_directory_resolve(directory, list, 1, NULL, 0, &r, NULL), ==, MS_FOUND);
	return ms_resolution_owners(r, 0, 0, NULL);
}

static void check_other_forms(const MsDirectorySettings *settings)
{
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, mapping);
	g_assert_cmpuint(owners_of_letters(directory, "kundealphaexample"), ==, 1);
	g_assert_cmpuint(owners_of_letters(directory, "nobodyalphaexample"), ==, 0);
	/* They come and go with their row, and with none else. */
	bool changed;
	ms_directory_put(directory, "AC-5", "email", "jo.hn@x.example", &changed, NULL);
	ms_directory_put(directory, "AC-5", "email", "john@x.example", &changed, NULL);
	g_assert_cmpuint(owners_of_letters(directory, "johnxexample"), ==, 1);
	ms_directory_delete(directory, "AC-5", "email", "jo.hn@x.example", &changed, NULL);
	g_assert_cmpuint(owners_of_letters(directory, "johnxexample"), ==, 1);
	ms_directory_delete(directory, "AC-5", "email", "john@x.example", &changed, NULL);
	g_assert_cmpuint(owners_of_letters(directory, "johnxexample"), ==, 0);
}

/* The same digits as a number of another sort prove nothing. */
static void check_same_digits(const MsDirectorySettings *settings)
{
	static const struct {
		const char *kind, *value, *asked, *as;
		MsRelation want; /* for somebody else */
	} numbers[] = {
		{"customer-number", "129273398", "vat-id", "DE129273398", MS_UNKNOWN},
		{"invoice-number", "129273398", "vat-id", "DE129273398", MS_UNKNOWN},
		{"order-number", "129273398", "participant-id", "9930:DE129273398", MS_UNKNOWN},
		{"customer-number", "30326504500012", "participant-id", "0009:30326504500012",
			MS_OTHER}, /* AC-1's VAT ID */
		{"reference", "923609017", "participant-id", "0192:923609017", MS_UNKNOWN},
		{"duns", "129273398", "vat-id", "DE129273398", MS_UNKNOWN},
		{"duns", "129273398", "participant-id", "0060:129273398", MS_OTHER},
		{"vat-id", "DE129273398", "duns", "129273398", MS_UNKNOWN},
		{"vat-id", "DE129273398", "participant-id", "9930:DE129273398", MS_OTHER},
		{"company-registration", "129273398", "vat-id", "DE129273398", MS_OTHER},
		{"tax-id", "129273398", "vat-id", "DE129273398", MS_OTHER},
	};
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, mapping);
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		bool changed;
		ms_directory_put(
			directory, "AC-3", numbers[i].kind, numbers[i].value, &changed, NULL);
		g_assert_true(changed);
		MsRelation got = relation(
			directory, numbers[i].asked, numbers[i].as, "x@beta.example");
		if (got != numbers[i].want)
			g_error("%s %s asked as %s %s: got %s, want %s", numbers[i].kind,
				numbers[i].value, numbers[i].asked, numbers[i].as,
				ms_relation_names[got], ms_relation_names[numbers[i].want]);
		ms_directory_delete(
			directory, "AC-3", numbers[i].kind, numbers[i].value, &changed, NULL);
	}
}

/* One question, however large the mapping is. */
static void check_accounts(const MsDirectorySettings *settings)
{
	static const struct {
		const char *account;
		MsAnswer want;
		const char *near;
	} accounts[] = {
		{"AC-1", MS_FOUND, NULL},
		{"house", MS_FOUND, NULL},
		{"AC-R", MS_FOUND, NULL},
		{"AC-ONLY", MS_FOUND, NULL}, /* somebody receives for it, no more is said */
		{"AC-9", MS_FOUND, NULL},    /* was put */
		{"AC-11", MS_ABSENT, "AC-1"},
		{"ac-1", MS_ABSENT, "AC-1"},
		{"something quite different", MS_ABSENT, NULL},
		{"", MS_ABSENT, NULL},
	};
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, mapping);
	bool changed;
	ms_directory_put(directory, "AC-9", "customer-number", "N-12345", &changed, NULL);
	ms_directory_put(directory, "AC-R", "receives-for", "AC-ONLY", &changed, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(accounts); i++) {
		g_autofree char *near = NULL;
		g_autoptr(GError) error = NULL;
		MsDirectoryCounts before, after;
		ms_directory_counts(directory, &before);
		g_assert_cmpint(
			ms_directory_has_account(directory, accounts[i].account, &near, &error), ==,
			accounts[i].want);
		ms_directory_counts(directory, &after);
		g_assert_no_error(error);
		g_assert_cmpuint(after.round_trips - before.round_trips, ==, 1);
		if (accounts[i].near != NULL)
			g_assert_cmpstr(near, ==, accounts[i].near);
	}
}

/* Whose an entry is, of whichever sort. */
static void check_holders(const MsDirectorySettings *settings)
{
	static const struct {
		const char *kind, *value, *want;
	} holders[] = {
		{"customer-number", "C-100", "AC-1"},
		{"customer-number", "SHARED-77", "AC-1 AC-2"},
		{"customer-number", "C-999", ""},
		{"recipient", "@Beta.example", "AC-2"},
		{"receives-for", "AC-2", "AC-R"},
		{"receives-for", "AC-1", ""},
		{"greeted-as", "Frau Anna Weber", "AC-1"},
		{"no-such-kind", "x", NULL},
	};
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, mapping);
	bool changed;
	ms_directory_put(directory, "AC-1", "greeted-as", "Anna Weber", &changed, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(holders); i++) {
		g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func(g_free);
		MsAnswer answer = ms_directory_holders(
			directory, holders[i].kind, holders[i].value, accounts, NULL);
		g_ptr_array_add(accounts, NULL);
		g_autofree char *got = g_strjoinv(" ", (char **)accounts->pdata);
		g_assert_cmpint(answer, ==, holders[i].want != NULL ? MS_FOUND : MS_CONFIG);
		g_assert_cmpstr(got, ==, holders[i].want != NULL ? holders[i].want : "");
	}
}

static bool in_marks(
	const MsDirectory *directory, const GArray *marks, const char *kind, const char *compact)
{
	guint8 key[MS_FILTER_KEY_BYTES];
	MsMark mark;
	ms_directory_filter_key(directory, key);
	g_assert_true(ms_mark_make(key, kind, compact, strlen(compact), &mark));
	for (guint i = 0; i < marks->len; i++)
		if (memcmp(&g_array_index(marks, MsMark, i), &mark, sizeof mark) == 0)
			return true;
	return false;
}

/* How these numbers are made was learned from all of them. */
static bool has_style(const GArray *marks, const char *kind, const char *letters, gsize width)
{
	const MsStyle style = {ms_kind_tag(kind), letters, strlen(letters), width};
	MsMark mark;
	ms_style_mark(&style, &mark);
	for (guint i = 0; i < marks->len; i++)
		if (memcmp(&g_array_index(marks, MsMark, i), &mark, sizeof mark) == 0)
			return true;
	return false;
}

static void check_marks(const MsDirectorySettings *settings)
{
	g_autoptr(MsDirectory) directory = open_directory(settings),
			       other = open_directory(settings);
	load(other, mapping);
	g_autoptr(MsKnown) all = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(ms_directory_known(directory, NULL, 0, &all, &error), ==, MS_FOUND);
	g_assert_true(all->whole);
	g_assert_true(in_marks(directory, all->marks, "customer-number", "c2000"));
	g_assert_true(in_marks(directory, all->marks, "email", "kundealphaexample"));
	g_assert_true(in_marks(directory, all->marks, "billing-address", "10115/5/haupt"));
	g_assert_false(in_marks(directory, all->marks, "customer-number", "new1"));
	g_assert_true(has_style(all->marks, "customer-number", "c", 0));
	g_assert_false(has_style(all->marks, "customer-number", "c", 4));
	g_assert_false(has_style(all->marks, "iban", "de", 0));
	/* What another host puts is all that comes next. */
	bool changed;
	ms_directory_put(other, "AC-9", "customer-number", "NEW-1", &changed, &error);
	g_autoptr(MsKnown) added = NULL;
	g_assert_cmpint(
		ms_directory_known(directory, all->generation, all->changes, &added, &error), ==,
		MS_FOUND);
	g_assert_false(added->whole);
	g_assert_cmpuint(added->marks->len, ==, 1);
	g_assert_cmpint(added->changes, >, all->changes);
	/* Every answer tells it, or nobody would ask for what was added. */
	MsDirectoryState state = {0};
	ms_directory_state(directory, &state, &error);
	g_assert_cmpint(state.changes, ==, added->changes);
	ms_directory_state_clear(&state);
	g_assert_true(in_marks(directory, added->marks, "customer-number", "new1"));
	g_autoptr(MsKnown) none = NULL;
	ms_directory_known(directory, added->generation, added->changes, &none, &error);
	g_assert_cmpuint(none->marks->len, ==, 0);
	/* A new generation begins anew, with more lists of marks than are asked for at once. */
	GString *many = g_string_new("account,kind,value\n");
	for (int i = 0; i < 300000; i += i < 9000 ? 1 : 50)
		g_string_append_printf(many, "A,customer-number,N-%06d\n", i);
	load(other, many->str);
	g_string_free(many, TRUE);
	g_autoptr(MsKnown) anew = NULL;
	g_assert_cmpint(
		ms_directory_known(directory, added->generation, added->changes, &anew, &error), ==,
		MS_FOUND);
	g_assert_true(anew->whole);
	g_assert_true(in_marks(directory, anew->marks, "customer-number", "n000000"));
	g_assert_true(in_marks(directory, anew->marks, "customer-number", "n299950"));
	g_assert_false(in_marks(directory, anew->marks, "customer-number", "c2000"));
	g_assert_no_error(error);
}

static void test_forms_and_marks(void)
{
	for (int digests = 0; digests < 2; digests++) {
		MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, digests == 1);
		g_autofree char *file = g_build_filename(dir, digests ? "fd.db" : "fp.db", NULL);
		settings.sqlite = file;
		check_other_forms(&settings);
		check_same_digits(&settings);
		check_accounts(&settings);
		check_holders(&settings);
		check_marks(&settings);
	}
}

static void test_forms_and_marks_redis(void)
{
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "forms";
	check_other_forms(&settings);
	check_same_digits(&settings);
	check_accounts(&settings);
	check_holders(&settings);
	check_marks(&settings);
}

static void test_sqlite(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	check_contract(&settings);
}

static void test_plain(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, false);
	check_contract(&settings);
}

static void test_redis(void)
{
	if (no_redis())
		return;
	MsDirectorySettings digests = settings_for(MS_BACKEND_REDIS, true);
	check_contract(&digests);
	MsDirectorySettings plain = settings_for(MS_BACKEND_REDIS, false);
	check_contract(&plain);
}

/* ---- what must not happen ------------------------------------------------------------- */

static void expect_unavailable(MsDirectory *directory, MsAnswer want, const char *why)
{
	const char *recipient = "kunde@alpha.example";
	g_autoptr(MsResolution) resolution = NULL;
	g_autoptr(GError) error = NULL;
	MsAnswer got = ms_directory_resolve(directory, NULL, 0, &recipient, 1, &resolution, &error);
	g_assert_cmpint(got, ==, want);
	g_assert_null(resolution);
	g_assert_nonnull(error);
	if (strstr(error->message, why) == NULL)
		g_error("got \"%s\", want \"%s\" in it", error->message, why);
}

static void test_unavailable(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "u.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	expect_unavailable(directory, MS_CONFIG, "nothing was ever imported");
	load(directory, mapping);
	/* older than max-age */
	settings.max_age_ms = 1000;
	g_autoptr(MsDirectory) strict = open_directory(&settings);
	g_usleep(2100 * 1000);
	expect_unavailable(strict, MS_CONFIG, "max-age");
	/* another site key */
	g_autofree char *key = g_build_filename(dir, "other.key", NULL);
	g_assert_true(g_file_set_contents(key,
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", -1, NULL));
	g_assert_cmpint(g_chmod(key, 0600), ==, 0);
	settings.max_age_ms = 0;
	settings.key_file = key;
	g_autoptr(MsDirectory) foreign = open_directory(&settings);
	expect_unavailable(foreign, MS_CONFIG, "another site key");
	/* digests switched */
	settings.digests = false;
	g_autoptr(MsDirectory) plain = open_directory(&settings);
	expect_unavailable(plain, MS_CONFIG, "digests");
	/* not reachable */
	settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis.address = "unix:/nonexistent/redis.sock";
	g_autoptr(MsDirectory) nowhere = open_directory(&settings);
	expect_unavailable(nowhere, MS_RETRY, "Redis at unix:/nonexistent");
	/* The last entry was taken out, where others said so: nobody is unknown for that. */
	g_autofree char *one = g_build_filename(dir, "emptied.db", NULL);
	static const char row[] = "1,delete,AC-1,customer-number,NEW-4711\n";
	g_autoptr(GError) error = NULL;
	settings = settings_for(MS_BACKEND_SQLITE, true);
	settings.sqlite = one;
	g_autoptr(MsDirectory) last = open_directory(&settings);
	load(last, "AC-1,customer-number,NEW-4711\n");
	int fd = memfd_create("changes", MFD_CLOEXEC);
	g_assert_cmpint(pwrite(fd, row, strlen(row), 0), ==, strlen(row));
	g_autoptr(MsChanges) changes = ms_changes_from_file(fd, true, false);
	g_autoptr(GPtrArray) batch = ms_changes_batch();
	MsFollowed followed = {0};
	g_assert_cmpint(ms_changes_next(changes, batch, 0, &error), ==, MS_FOUND);
	ms_directory_follow(last, "others", batch, NULL, NULL, &followed, &error);
	g_assert_no_error(error);
	close(fd);
	expect_unavailable(last, MS_CONFIG, "it is empty");
}

static void test_not_a_database(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "text.db", NULL);
	settings.sqlite = file;
	g_assert_true(
		g_file_set_contents(file, "this is no database, however long it may be", -1, NULL));
	g_autoptr(GError) error = NULL;
	g_assert_null(ms_directory_open(&settings, kinds, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "text.db: file is not a database"));
}

/* A stolen file tells nothing. */
static void test_nothing_in_clear(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "clear.db", NULL);
	settings.sqlite = file;
	MsDirectory *directory = open_directory(&settings);
	load(directory, mapping);
	ms_directory_free(directory);
	g_autofree char *data = NULL;
	gsize len;
	g_assert_true(g_file_get_contents(file, &data, &len, NULL));
	static const char *const secrets[] = {"AC-1", "alpha.example", "DE8937", "C2000", "house"};
	for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
		g_assert_null(memmem(data, len, secrets[i], strlen(secrets[i])));
	g_autoptr(MsDirectory) again = open_directory(&settings);
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(ms_directory_each(again, NULL, NULL, &error), ==, MS_CONFIG);
	g_assert_nonnull(strstr(error->message, "digests"));
}

/* ---- import --------------------------------------------------------------------------- */

static void test_bad_lines(void)
{
	static const char text[] =
		"account,kind,value\r\n"
		"AC-1,iban,DE00\r\n"                          /* 2 */
		"AC-1,ibam,x\r\n"                             /* 3 */
		",iban,DE89 3704 0044 0532 0130 00\r\n"       /* 4 */
		"AC-1,iban\r\n"                               /* 5 */
		"AC-1,greeted-as,\"Anna\n Muster\"\r\n"      /* 6, 7: fine */
		"AC-1,customer-number,\"open\"x\r\n"          /* 8 */
		"AC-1,customer-number,\xff\xfe 12\r\n"        /* 9 */
		"AC-1,customer-number,1\0 2\r\n"              /* 10 */
		"\r\n"
		"AC-1,recipient,not an address\r\n"           /* 12 */
		"\"A\tC\",customer-number,4711\r\n";          /* 13 */
	static const struct {
		guint64 line;
		const char *why;
	} want[] = {
		{2, "IBAN"},
		{3, "kinds.conf"},
		{4, "account is empty"},
		{5, "has 2 fields"},
		{8, "after a closing quote"},
		{9, "UTF-8"},
		{10, "NUL"},
		{12, "not an e-mail address"},
		{13, "control character"},
	};
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "bad.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	MsImportResult result;
	Bad bad = {.n = 0};
	g_autoptr(GError) error = NULL;
	g_assert_true(import(directory, text, sizeof text - 1, 1, 1, &result, &bad, &error));
	g_assert_cmpuint(bad.n, ==, G_N_ELEMENTS(want));
	for (guint i = 0; i < bad.n; i++) {
		g_test_message("line %" G_GUINT64_FORMAT, want[i].line);
		g_assert_cmpuint(bad.lines[i], ==, want[i].line);
		if (strstr(bad.whys[i], want[i].why) == NULL)
			g_error("line %" G_GUINT64_FORMAT ": got \"%s\", want \"%s\"", want[i].line,
				bad.whys[i], want[i].why);
	}
	g_assert_cmpuint(result.entries, ==, 1);
	/* the same with a limit: refused, and the mapping in use is as it was */
	Bad again = {.n = 0};
	g_assert_false(import(directory, text, sizeof text - 1, 0.5, 1, &result, &again, &error));
	g_assert_nonnull(strstr(error->message, "--max-bad"));
	g_clear_error(&error);
	MsDirectoryState state = {0};
	g_assert_cmpint(ms_directory_state(directory, &state, NULL), ==, MS_FOUND);
	g_assert_cmpint(state.entries, ==, 1);
	ms_directory_state_clear(&state);
}

/* An entry that no message can meet is told: it looks as if it were there, and all is held. */
static void test_addresses(void)
{
	static const struct {
		const char *value, *why; /* NULL: fine */
	} given[] = {{"anna@alpha.example", NULL}, {"Anna <anna@alpha.example>", NULL},
		{"@alpha.example", NULL}, {"*@alpha.example", NULL},
		{"@sub-1.alpha.example.", NULL}, {"@intern", NULL},
		{"@m\xc3\xbcller.example", NULL}, {"m\xc3\xbcller@alpha.example", NULL},
		{"o'neill+tag%x=y/z@alpha.example", NULL}, {"\"\"anna\"\"@alpha.example", NULL},
		{"anna@[192.0.2.1]", NULL}, {"a_b@mx_1.example", NULL},
		{"%@alpha.example", "nothing stands for any text"},
		{"?@alpha.example", "nothing stands for any text"},
		{"a*@alpha.example", "nothing stands for any text"},
		{"@*.alpha.example", "subdomains are domains"},
		{"anna@*.alpha.example", "subdomains are domains"},
		{"@.alpha.example", "subdomains are domains"},
		{"@alpha..example", "no such domain"}, {"@alpha.example/", "no such domain"},
		{"mailto:anna@alpha.example", "without mailto:"},
		{"MAILTO:anna@alpha.example", "without mailto:"},
		{"@@alpha.example", "more than one @"},
		{"anna@beta@alpha.example", "more than one @"},
		{"@beta.example:anna@alpha.example", "more than one @"},
		{"smtp:anna@alpha.example", "not an e-mail address"},
		{"\"\"anna@alpha.example", "not an e-mail address"},
		{"(anna)@alpha.example", "not an e-mail address"},
		{"anna\\@alpha.example", "not an e-mail address"}};
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "addresses.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(given); i++) {
		g_autofree char *text = g_strdup_printf(
			"account,kind,value\nAC-1,recipient,\"%s\"\nAC-1,customer-number,4711\n",
			given[i].value);
		const char *why = given[i].why;
		MsImportResult result;
		Bad bad = {.n = 0};
		g_autoptr(GError) error = NULL;
		g_assert_true(import(directory, text, strlen(text), 1, 1, &result, &bad, &error));
		if (bad.n != (why != NULL) || (why != NULL && strstr(bad.whys[0], why) == NULL))
			g_error("%s: %s", given[i].value, bad.n > 0 ? bad.whys[0] : "fine");
	}
}

/* What missent, or a billing system, has shown with stars for letters is no value: of a long one
 * enough letters are left to be one, and to be found in others' mail. */
static void test_masked(void)
{
	static const struct {
		const char *kind, *value;
		guint bad;
	} given[] = {{"customer-number", "1E**********17", 1}, {"invoice-number", "RE***********17", 1},
		{"order-number", "AB***1", 1}, {"phone", "+4***********67", 1},
		{"iban", "DE****************00", 1}, {"billing-address", "L*** 1*** 5***", 1},
		{"email", "a***@a***.example", 1}, {"recipient", "a***@a***.example", 1},
		{"greeted-as", "P*** W***", 1}, {"customer-number", "1E**17", 0},
		{"customer-number", "C-10001 *", 0}};
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "masked.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(given); i++) {
		const char *why = NULL;
		g_autofree char *text = g_strdup_printf(
			"account,kind,value\nAC-1,%s,%s\nAC-1,customer-number,4711\n",
			given[i].kind, given[i].value);
		MsImportResult result;
		Bad bad = {.n = 0};
		g_assert_true(import(directory, text, strlen(text), 1, 1, &result, &bad, NULL));
		if (bad.n != given[i].bad || (bad.n > 0 && strstr(bad.whys[0], "masked") == NULL))
			g_error("%s: %s", given[i].value, bad.n > 0 ? bad.whys[0] : "fine");
		g_autofree char *key = ms_directory_key(directory, given[i].kind, given[i].value,
			strlen(given[i].value), false, &why);
		g_assert_cmpint(key == NULL, ==, given[i].bad);
	}
}

static void test_long_line(void)
{
	g_autoptr(GString) text = g_string_new("AC-1,customer-number,");
	for (int i = 0; i < 10 * 1024 * 1024; i++)
		g_string_append_c(text, '7');
	g_string_append(text, "\nAC-1,customer-number,4711\n");
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "long.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	MsImportResult result;
	Bad bad = {.n = 0};
	g_assert_true(import(directory, text->str, text->len, 1, 1, &result, &bad, NULL));
	g_assert_cmpuint(bad.n, ==, 1);
	g_assert_nonnull(strstr(bad.whys[0], "longer than"));
	g_assert_cmpint(result.entries, ==, 1);
}

static void test_shrink(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "shrink.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, mapping);
	MsImportResult result;
	g_autoptr(GError) error = NULL;
	static const char less[] = "AC-1,customer-number,C-100\n";
	g_assert_false(import(directory, less, sizeof less - 1, 0, 0.2, &result, NULL, &error));
	g_assert_nonnull(strstr(error->message, "would shrink from 17 to 1"));
	g_clear_error(&error);
	g_assert_cmpint(
		relation(directory, "customer-number", "C2000", "x@beta.example"), ==, MS_OWN);
	g_assert_false(import(directory, "", 0, 0, 1, &result, NULL, &error));
	g_assert_nonnull(strstr(error->message, "no good line"));
}

/* A verdict during an import sees the old mapping or the new one. */
static void half_mapping(const MsDirectorySettings *settings)
{
	g_autoptr(GString) a = g_string_new(NULL), b = g_string_new(NULL);
	for (int i = 0; i < 3000; i++) {
		g_string_append_printf(a, "A,customer-number,N-%05d\n", i);
		g_string_append_printf(b, "B,customer-number,N-%05d\n", i);
	}
	{
		g_autoptr(MsDirectory) writer = open_directory(settings);
		load(writer, a->str);
	}
	pid_t pid = fork(); /* before the reader: no connection of SQLite may go through it */
	if (pid == 0) {
		MsDirectory *writer = open_directory(settings);
		for (int i = 0; i < 6; i++)
			load(writer, i % 2 ? a->str : b->str);
		_exit(0);
	}
	g_autoptr(MsDirectory) reader = open_directory(settings);
	g_autoptr(MsIdentifier) first = ms_identifier_new("customer-number", "N00000");
	g_autoptr(MsIdentifier) last = ms_identifier_new("customer-number", "N02999");
	const MsIdentifier *list[] = {first, last};
	int status, rounds = 0;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		g_autoptr(MsResolution) r = NULL;
		g_autoptr(GError) error = NULL;
		ms_directory_resolve(reader, list, 2, NULL, 0, &r, &error);
		g_assert_no_error(error);
		g_autoptr(GPtrArray) x = g_ptr_array_new();
		g_autoptr(GPtrArray) y = g_ptr_array_new();
		ms_resolution_owners(r, 0, 2, x);
		ms_resolution_owners(r, 1, 2, y);
		g_assert_cmpuint(x->len, ==, 1);
		g_assert_cmpuint(y->len, ==, 1);
		g_assert_cmpstr(x->pdata[0], ==, y->pdata[0]);
		rounds++;
	}
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	g_assert_cmpint(rounds, >, 5);
}

static void test_never_half(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "half.db", NULL);
	settings.sqlite = file;
	half_mapping(&settings);
}

static void test_never_half_redis(void)
{
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "half";
	half_mapping(&settings);
}

/* Until somebody, who has claimed the mapping before, has taken what is in the pipe. */
static void wait_until_taken(int fd)
{
	int left = 1;
	for (int i = 0; i < 6000 && left > 0; i++) {
		g_usleep(10000);
		g_assert_no_errno(ioctl(fd, FIONREAD, &left));
	}
	g_assert_cmpint(left, ==, 0);
}

static void test_one_import(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *file = g_build_filename(dir, "one.db", NULL);
	settings.sqlite = file;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, mapping);
	int pipe_fds[2];
	g_assert_cmpint(pipe(pipe_fds), ==, 0);
	pid_t pid = fork(); /* an import that waits for its input */
	if (pid == 0) {
		close(pipe_fds[1]);
		MsDirectory *other = open_directory(&settings);
		MsImportOptions options = {.max_bad = 1, .max_shrink = 1, .source = "pipe"};
		MsImportResult result;
		_exit(!ms_directory_import(other, pipe_fds[0], &options, &result, NULL));
	}
	g_assert_cmpint(write(pipe_fds[1], "A", 1), ==, 1);
	wait_until_taken(pipe_fds[0]);
	MsImportResult result;
	g_autoptr(GError) error = NULL;
	g_assert_false(import(directory, mapping, strlen(mapping), 0, 1, &result, NULL, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_BUSY);
	g_assert_cmpint(write(pipe_fds[1], ",customer-number,N-777\n", 23), ==, 23);
	close(pipe_fds[1]);
	close(pipe_fds[0]);
	int status;
	waitpid(pid, &status, 0);
	g_assert_cmpint(status, ==, 0);
	g_assert_cmpint(
		relation(directory, "customer-number", "N777", "x@beta.example"), ==, MS_OTHER);
}

/* ---- a server that is no Redis -------------------------------------------------------- */

static void test_nonsense(void)
{
	static const char *const answers[] = {"HTTP/1.1 200 OK\r\n\r\n", "*1\r\n*1\r\n:1\r\n",
		":5\r\n", "$-1\r\n", "*4\r\n$1\r\n1\r\n*0\r\n*0\r\n*0\r\n", "-ERR unknown\r\n",
		"\x80\x81\x82", "*99999999999\r\n", "$99999999999\r\nx"};
	for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_autofree char *path = g_strdup_printf("%s/n%zu.sock", dir, i);
		g_autofree char *script = g_strdup_printf(
			"import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(4)\n"
			"print('up',flush=True)\n"
			"for _ in range(3):\n c,_=s.accept()\n c.recv(65536)\n c.sendall(bytes.fromhex(sys.argv[2]))\n"
			" c.close()\n");
		GString *hex = g_string_new(NULL);
		for (const char *p = answers[i]; *p != '\0'; p++)
			g_string_append_printf(hex, "%02x", (guchar)*p);
		const char *argv[] = {g_getenv("PYTHON") ? g_getenv("PYTHON") : "python3", "-c",
			script, path, hex->str, NULL};
		GPid pid;
		int out;
		g_assert_true(g_spawn_async_with_pipes(NULL, (char **)argv, NULL,
			G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
			&out, NULL, NULL));
		char up[3];
		g_assert_cmpint(read(out, up, 3), >, 0);
		MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
		g_autofree char *address = g_strconcat("unix:", path, NULL);
		settings.redis.address = address;
		g_autoptr(MsDirectory) directory = open_directory(&settings);
		const char *recipient = "a@b.example";
		g_autoptr(MsResolution) r = NULL;
		g_autoptr(GError) error = NULL;
		MsAnswer answer =
			ms_directory_resolve(directory, NULL, 0, &recipient, 1, &r, &error);
		g_test_message("%s: %s", answers[i], error != NULL ? error->message : "no error");
		g_assert_true(answer == MS_RETRY || answer == MS_CONFIG);
		g_assert_null(r);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(out);
		g_string_free(hex, TRUE);
	}
}

/* ---- TCP, a user with no more rights than the manual page asks for ---------------------- */

static guint free_port(void)
{
	const char *argv[] = {g_getenv("PYTHON") ? g_getenv("PYTHON") : "python3", "-c",
		"import socket\ns=socket.socket()\ns.bind(('127.0.0.1',0))\nprint(s.getsockname()[1])",
		NULL};
	g_autofree char *out = NULL;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
		NULL, NULL, NULL));
	return (guint)atoi(out);
}

static void test_acl(void)
{
	g_autofree char *server = g_find_program_in_path("redis-server");
	if (server == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	g_autofree char *port = g_strdup_printf("%u", free_port());
	g_autofree char *acl = g_build_filename(dir, "users.acl", NULL);
	g_assert_true(g_file_set_contents(acl,
		"user default off\n"
		"user loader on >loadpw ~acl:* +eval +evalsha +get +mget +exists +info "
		"+set +del +pexpire +scan +unlink\n"
		"user undone on >undonepw ~acl:* +eval +evalsha +get +mget +exists +info "
		"+set +pexpire\n"
		"user reader on >readpw ~acl:* +eval +evalsha +get +mget +exists +info\n",
		-1, NULL));
	const char *argv[] = {server, "--bind", "127.0.0.1", "--port", port, "--save", "",
		"--aclfile", acl, NULL};
	GPid pid;
	g_assert_true(g_spawn_async(dir, (char **)argv, NULL,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, &pid, NULL));
	g_autofree char *address = g_strdup_printf("127.0.0.1:%s", port);
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis.address = address;
	settings.redis_prefix = "acl";
	settings.redis.user = "loader";
	settings.redis.password = "loadpw";
	g_autoptr(MsDirectory) loader = open_directory(&settings);
	MsDirectoryState state = {0};
	for (int i = 0; i < 200; i++) { /* until it listens */
		g_autoptr(GError) error = NULL;
		ms_directory_state(loader, &state, &error);
		if (error != NULL && strstr(error->message, "nothing was ever imported") != NULL)
			break;
		g_usleep(50 * 1000);
	}
	load(loader, mapping);
	bool more = true;
	while (more)
		g_assert_true(ms_directory_tidy(loader, &more, NULL));
	/* who may not do all of the last step does nothing of it */
	settings.redis.user = "undone";
	settings.redis.password = "undonepw";
	g_autoptr(MsDirectory) undone = open_directory(&settings);
	g_autoptr(GError) lacks = NULL;
	MsDirectoryState before = {0}, after = {0};
	MsImportResult result;
	g_assert_cmpint(ms_directory_state(loader, &before, NULL), ==, MS_FOUND);
	g_assert_false(import(undone, mapping, strlen(mapping), 0, 1, &result, NULL, &lacks));
	g_assert_nonnull(strstr(lacks->message, "lacks a right"));
	g_assert_cmpint(ms_directory_state(loader, &after, NULL), ==, MS_FOUND);
	g_assert_cmpstr(before.generation, ==, after.generation);
	ms_directory_state_clear(&before);
	ms_directory_state_clear(&after);
	settings.redis.user = "reader";
	settings.redis.password = "readpw";
	g_autoptr(MsDirectory) reader = open_directory(&settings);
	g_assert_cmpint(relation(reader, "customer-number", "C2000", "x@beta.example"), ==, MS_OWN);
	bool changed;
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(
		ms_directory_put(reader, "AC-9", "customer-number", "C-9999", &changed, &error), ==,
		MS_CONFIG);
	settings.redis.password = "wrong";
	g_autoptr(MsDirectory) wrong = open_directory(&settings);
	expect_unavailable(wrong, MS_CONFIG, "WRONGPASS");
	settings.redis.password = NULL;
	g_autoptr(MsDirectory) nobody = open_directory(&settings);
	expect_unavailable(nobody, MS_CONFIG, "NOAUTH");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	expect_unavailable(reader, MS_RETRY, "Redis at 127.0.0.1:");
}

/* ---- a Redis of our own --------------------------------------------------------------- */

/* ---- a mapping that is not whole ------------------------------------------------------ */

static MsRedis *raw(void)
{
	MsRedisSettings settings = {.address = redis_address, .timeout_ms = 5000, .connections = 1};
	g_autoptr(GError) error = NULL;
	MsRedis *redis = ms_redis_new(&settings, &error);
	g_assert_no_error(error);
	return redis;
}

/* Words are parted by |. */
static MsReply *say(MsRedis *redis, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, "|", -1);
	g_autoptr(GError) error = NULL;
	MsReply *reply = NULL;
	ms_redis_command(redis, g_strv_length(words), (const char *const *)words, &reply, &error);
	g_assert_no_error(error);
	return reply;
}

/* With the name of the generation in use for %. */
static void hurt(MsRedis *redis, const char *line)
{
	g_autoptr(MsReply) current = say(redis, "GET|lost:current");
	g_auto(GStrv) around = g_strsplit(line, "%", -1);
	g_autofree char *whole = g_strjoinv(current->text, around);
	ms_reply_free(say(redis, whole));
}

static MsAnswer ask_one(MsDirectory *directory)
{
	const char *recipient = "kunde@alpha.example";
	g_autoptr(MsIdentifier) identifier = ms_identifier_new("iban", "DE89370400440532013000");
	const MsIdentifier *list[] = {identifier};
	g_autoptr(MsResolution) resolution = NULL;
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_directory_resolve(
		directory, list, 1, &recipient, 1, &resolution, &error);
	g_assert_true((answer == MS_FOUND) == (error == NULL));
	return answer;
}

/* Whatever is lost, nothing is ever "not found". */
static void test_lost(void)
{
	static const struct {
		const char *name, *command;
	} cases[] = {
		{"a slice", "DEL|lost:%:s:0"},
		{"the slice of who receives for accounts", "DEL|lost:%:s:1"},
		{"one byte of a key",
			"EVAL|local v=redis.call('GETRANGE',KEYS[1],21,21) redis.call('SETRANGE',KEYS[1],"
			"21,string.char(255-string.byte(v)))|1|lost:%:s:0"},
		{"one byte of a box",
			"EVAL|local v=redis.call('GETRANGE',KEYS[1],600,600) redis.call('SETRANGE',KEYS[1],"
			"600,string.char(255-string.byte(v)))|1|lost:%:s:0"},
		{"the number of entries",
			"EVAL|local v=redis.call('GETRANGE',KEYS[1],16,16) redis.call('SETRANGE',KEYS[1],"
			"16,string.char(255-string.byte(v)))|1|lost:%:s:0"},
		{"its end",
			"EVAL|redis.call('SET',KEYS[1],string.sub(redis.call('GET',KEYS[1]),1,-2))|1|lost:%:s:0"},
		{"more at its end", "APPEND|lost:%:s:0|x"},
		{"one slice in the place of another", "COPY|lost:%:s:1|lost:%:s:0|REPLACE"},
		{"an empty one", "SET|lost:%:s:0|"},
		{"the state", "DEL|lost:%:now"},
		{"a digit of the state",
			"EVAL|redis.call('SET',KEYS[1],(string.gsub(redis.call('GET',KEYS[1]),"
			"'entries=17','entries=18')))|1|lost:%:now"},
		{"the number of slices",
			"EVAL|redis.call('SET',KEYS[1],(string.gsub(redis.call('GET',KEYS[1]),"
			"'slices=1','slices=2')))|1|lost:%:now"},
		{"no number of slices",
			"EVAL|redis.call('SET',KEYS[1],(string.gsub(redis.call('GET',KEYS[1]),"
			"'slices=','slides=')))|1|lost:%:now"},
		{"an empty state", "SET|lost:%:now|"},
	};
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "lost";
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool changed;
		g_autoptr(GError) error = NULL;
		load(directory, mapping);
		g_assert_cmpint(ask_one(directory), ==, MS_FOUND);
		g_test_message("%s", cases[i].name);
		hurt(redis, cases[i].command);
		g_assert_cmpint(ask_one(directory), ==, MS_CONFIG);
		/* Nor is one that was hurt mended by the next entry. */
		ms_directory_put(
			directory, "AC-9", "customer-number", "NEW-4711", &changed, &error);
		g_assert_cmpint(ask_one(directory), ==, MS_CONFIG);
	}
	load(directory, mapping);
	g_assert_cmpint(ask_one(directory), ==, MS_FOUND);
}

/* A reader that starts when marks are gone would find less: it is told. */
static void test_lost_marks(void)
{
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "lost";
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	g_autoptr(MsKnown) known = NULL;
	g_autoptr(GError) error = NULL;
	load(directory, mapping);
	hurt(redis, "DEL|lost:%:m:0");
	g_assert_cmpint(ms_directory_known(directory, NULL, 0, &known, &error), ==, MS_CONFIG);
	g_assert_null(known);
	/* Nor is anybody looked up any more who does not need them: more than they may be gone. */
	MsAnswer answer = MS_FOUND;
	for (guint i = 0; i < 100 && answer == MS_FOUND; i++)
		answer = ask_one(directory);
	g_assert_cmpint(answer, ==, MS_CONFIG);
}

/* What is lost between two steps of who goes over all is told by its name, too. */
static void test_lost_group(void)
{
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "lost";
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, mapping);
	g_autoptr(MsMapping) now = ms_directory_in_use(directory, true, NULL, NULL);
	g_autoptr(MsSweep) sweep = ms_sweep_new(directory, now, NULL, NULL, NULL);
	g_autoptr(GError) error = NULL;
	bool whole;
	g_assert_cmpint(ms_sweep_step(sweep, &whole, &error), ==, MS_FOUND);
	hurt(redis, "DEL|lost:%:g:0");
	g_assert_cmpint(ms_sweep_all(sweep, &error), ==, MS_CONFIG);
	g_assert_nonnull(strstr(error->message, "part g:0 of the mapping is lost"));
}

/* Redis may be set to drop keys at any time: what may drop ours is refused. */
static void test_eviction_policy(void)
{
	static const struct {
		const char *policy;
		MsAnswer want;
	} cases[] = {{"noeviction", MS_FOUND}, {"volatile-lru", MS_FOUND},
		{"allkeys-lru", MS_CONFIG}, {"allkeys-random", MS_CONFIG},
		{"allkeys-lfu", MS_CONFIG}};
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "lost";
	g_autoptr(MsRedis) redis = raw();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *command = g_strconcat(
			"CONFIG|SET|maxmemory-policy|", cases[i].policy, NULL);
		ms_reply_free(say(redis, "CONFIG|SET|maxmemory-policy|noeviction"));
		g_autoptr(MsDirectory) before = open_directory(&settings);
		load(before, mapping);
		ms_reply_free(say(redis, command));
		g_autoptr(MsDirectory) directory = open_directory(&settings);
		g_test_message("%s", cases[i].policy);
		g_assert_cmpint(ask_one(directory), ==, cases[i].want);
		settings.redis.refuse_eviction = false;
		g_autoptr(MsDirectory) trusting = open_directory(&settings);
		g_assert_cmpint(ask_one(trusting), ==, MS_FOUND);
		settings.redis.refuse_eviction = true;
	}
	ms_reply_free(say(redis, "CONFIG|SET|maxmemory-policy|noeviction"));
}

static void set_loaded(MsRedis *redis, MsDirectory *directory, gint64 loaded_us)
{
	const char *why;
	g_autoptr(MsReply) current = say(redis, "GET|lost:current");
	g_autofree char *get = g_strdup_printf("GET|lost:%s:now", current->text);
	g_autoptr(MsReply) state = say(redis, get);
	g_autoptr(MsMapping) m = ms_mapping_read(state->text, &directory->keys, &why);
	g_assert_nonnull(m);
	m->loaded_us = loaded_us;
	g_autofree char *text = ms_mapping_write(m, &directory->keys);
	g_autofree char *set = g_strdup_printf("SET|lost:%s:now|%s", current->text, text);
	ms_reply_free(say(redis, set));
}

/* A mapping that was loaded tomorrow has no age: max-age would never come. */
static void test_clock(void)
{
	static const struct {
		int ahead;
		gint64 max_age_ms;
		MsAnswer want;
	} cases[] = {{86400, 3600000, MS_CONFIG}, {86400, 0, MS_FOUND}, {30, 3600000, MS_FOUND},
		{-1800, 3600000, MS_FOUND}, {-7200, 3600000, MS_CONFIG}};
	if (no_redis())
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
		settings.redis_prefix = "lost";
		settings.max_age_ms = cases[i].max_age_ms;
		g_autoptr(MsRedis) redis = raw();
		g_autoptr(MsDirectory) directory = open_directory(&settings);
		load(directory, mapping);
		set_loaded(redis, directory,
			g_get_real_time() + cases[i].ahead * (gint64)G_USEC_PER_SEC);
		g_autoptr(MsDirectory) later = open_directory(&settings);
		g_test_message("%d s ahead", cases[i].ahead);
		g_assert_cmpint(ask_one(later), ==, cases[i].want);
	}
}

/* A name of a generation never comes again, whatever Redis has forgotten. */
static void test_names(void)
{
	if (no_redis())
		return;
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, true);
	settings.redis_prefix = "lost";
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (int i = 0; i < 5; i++) {
		load(directory, mapping);
		g_autoptr(MsReply) current = say(redis, "GET|lost:current");
		g_assert_cmpuint(strlen(current->text), ==, 16);
		g_assert_true(g_hash_table_add(seen, g_strdup(current->text)));
		ms_reply_free(say(redis, "DEL|lost:current"));
		g_assert_cmpint(ask_one(directory), !=, MS_FOUND);
	}
	/* and what is not in use is removed, while what is being written is not */
	load(directory, mapping);
	ms_reply_free(say(redis, "SET|lost:loading|00112233aabbccdd@host/1"));
	ms_reply_free(say(redis, "SET|lost:00112233aabbccdd:s:0|x"));
	ms_reply_free(say(redis, "SET|lost:other|x"));
	ms_reply_free(say(redis, "HSET|lost:17:state|x|y"));
	bool more = true;
	while (more)
		g_assert_true(ms_directory_tidy(directory, &more, NULL));
	g_autoptr(MsReply) left = say(redis, "EVAL|return #redis.call('KEYS','lost:*')|0");
	/* current, loading, other; a slice; of the mapping: state, two slices, a group, a list
	 * of marks */
	g_assert_cmpint(left->integer, ==, 9);
	ms_reply_free(say(redis, "DEL|lost:loading|lost:00112233aabbccdd:s:0|lost:other"));
	g_assert_cmpint(ask_one(directory), ==, MS_FOUND);
}

/* ---- one address of many accounts ----------------------------------------------------- */

static void check_many(const MsDirectorySettings *settings)
{
	const guint n = 400;
	g_autoptr(GString) text = g_string_new("account,kind,value\n");
	for (guint i = 0; i < n; i++)
		g_string_append_printf(text, "ACCOUNT-%03u,recipient,tax@adviser.example\n"
			"ACCOUNT-%03u,customer-number,NUMBER-%03u\n", i, i, i);
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, text->str);
	for (guint gone = 0; gone < n; gone += 57) {
		g_autofree char *account = g_strdup_printf("ACCOUNT-%03u", gone);
		g_autoptr(GError) error = NULL;
		bool changed;
		g_assert_cmpint(ms_directory_delete(directory, account, "recipient",
					"tax@adviser.example", &changed, &error),
			==, MS_FOUND);
		g_assert_true(changed);
		for (guint i = 0; i < n; i += 19) {
			g_autofree char *number = g_strdup_printf("NUMBER%03u", i);
			MsRelation want = i <= gone && i % 57 == 0 ? MS_OTHER : MS_OWN;
			g_assert_cmpint(relation(directory, "customer-number", number,
						"tax@adviser.example"),
				==, want);
		}
	}
	MsDirectoryState state = {0};
	g_assert_cmpint(ms_directory_state(directory, &state, NULL), ==, MS_FOUND);
	g_assert_cmpint(state.entries, ==, 2 * n - 8);
	ms_directory_state_clear(&state);
}

static void test_many(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	check_many(&settings);
	if (redis_address == NULL)
		return;
	for (int digests = 0; digests <= 1; digests++) {
		MsDirectorySettings redis = settings_for(MS_BACKEND_REDIS, digests);
		redis.redis_prefix = digests ? "many" : "many-plain";
		check_many(&redis);
	}
}

/* ---- a file that is another one ------------------------------------------------------- */

static void remove_database(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *name = g_strconcat(path, ends[i], NULL);
		unlink(name);
	}
}

static void test_replaced(void)
{
	static const char iban[] = "DE89370400440532013000", to[] = "kunde@alpha.example";
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	g_autofree char *path = g_build_filename(dir, "replaced.db", NULL);
	g_autofree char *other = g_build_filename(dir, "other.db", NULL);
	settings.sqlite = path;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, mapping);
	g_assert_cmpint(relation(directory, "iban", iban, to), ==, MS_OWN);
	/* removed: nothing is known, and it is not "not found" */
	remove_database(path);
	g_assert_cmpint(ask_one(directory), ==, MS_CONFIG);
	/* made anew by another program */
	g_autoptr(MsDirectory) importer = open_directory(&settings);
	load(importer, "AC-7,recipient,kunde@alpha.example\nAC-8,iban,DE89370400440532013000\n");
	g_assert_cmpint(relation(directory, "iban", iban, to), ==, MS_OTHER);
	ms_directory_free(g_steal_pointer(&importer));
	/* renamed over */
	settings.sqlite = other;
	g_autoptr(MsDirectory) second = open_directory(&settings);
	load(second, mapping);
	ms_directory_free(g_steal_pointer(&second));
	g_assert_cmpint(rename(other, path), ==, 0);
	g_assert_cmpint(relation(directory, "iban", iban, to), ==, MS_OWN);
}

/* ---- who is greeted ------------------------------------------------------------------- */

static MsGreeted greeted(MsDirectory *directory, const char *recipient, const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(MsIdentifier) identifier = ms_identifier_new("customer-number", "C2000");
	const MsIdentifier *list[] = {identifier};
	g_autoptr(MsResolution) r = NULL;
	g_autoptr(GError) error = NULL;
	g_ptr_array_add(names, (char *)name);
	g_assert_cmpint(
		ms_directory_resolve_greeted(directory, list, 1, &recipient, 1, names, &r, &error),
		==, MS_FOUND);
	g_assert_no_error(error);
	g_assert_null(ms_resolution_over(r));
	return ms_resolution_greeted(r, 0);
}

static void check_greeted(const MsDirectorySettings *settings)
{
	static const struct {
		const char *recipient, *name;
		MsGreeted want;
	} asked[] = {
		{"kunde@alpha.example", "weber", MS_GREETED_RIGHT},
		{"kunde@alpha.example", "petra", MS_GREETED_RIGHT},
		{"kunde@alpha.example", "anna weber", MS_GREETED_RIGHT},
		{"kunde@alpha.example", "klein", MS_GREETED_RIGHT},
		{"kunde@alpha.example", "morel", MS_GREETED_OTHER},
		{"kunde@alpha.example", "petra2", MS_GREETED_OTHER},
		{"kunde@alpha.example", "von der tann", MS_GREETED_OTHER},
		{"x@beta.example", "morel", MS_GREETED_RIGHT},
		{"x@beta.example", "weber", MS_GREETED_OTHER},
		/* of the customer that is received for, whose number is in it */
		{"reseller@gamma.example", "morel", MS_GREETED_RIGHT},
		{"reseller@gamma.example", "rossi", MS_GREETED_RIGHT},
		{"reseller@gamma.example", "weber", MS_GREETED_OTHER},
		{"nobody@nowhere.example", "weber", MS_GREETED_UNKNOWN},
		{"x@seller.example", "weber", MS_GREETED_UNKNOWN},
	};
	g_autoptr(MsDirectory) directory = open_directory(settings);
	g_autofree char *text = g_strconcat(mapping,
		"AC-1,greeted-as,\"Weber, Dr. Petra\"\n"
		"AC-1,greeted-as,Frau von Klein\nAC-2,greeted-as,Jean MOREL\n"
		"AC-R,greeted-as,Sig.ra Rossi\n",
		NULL);
	load(directory, text);
	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		MsGreeted got = greeted(directory, asked[i].recipient, asked[i].name);
		if (got != asked[i].want)
			g_error("%s, %s: got %d, want %d", asked[i].recipient, asked[i].name, got,
				asked[i].want);
	}
	/* One comes and goes by itself; what another name has too stays; without any nothing is
	 * known. */
	bool changed;
	g_assert_cmpint(
		ms_directory_put(directory, "AC-1", "greeted-as", "Petra Rossi", &changed, NULL),
		==, MS_FOUND);
	g_assert_true(changed);
	g_assert_cmpint(greeted(directory, "kunde@alpha.example", "rossi"), ==, MS_GREETED_RIGHT);
	g_assert_cmpint(ms_directory_delete(
				directory, "AC-1", "greeted-as", "ROSSI, Petra", &changed, NULL),
		==, MS_FOUND);
	g_assert_false(changed); /* the order of words is that of the row */
	g_assert_cmpint(ms_directory_delete(
				directory, "AC-1", "greeted-as", "Mrs PETRA ROSSI", &changed, NULL),
		==, MS_FOUND);
	g_assert_true(changed);
	g_assert_cmpint(greeted(directory, "kunde@alpha.example", "rossi"), ==, MS_GREETED_OTHER);
	g_assert_cmpint(greeted(directory, "kunde@alpha.example", "petra"), ==, MS_GREETED_RIGHT);
	ms_directory_delete(directory, "AC-1", "greeted-as", "Weber, Petra", &changed, NULL);
	ms_directory_delete(directory, "AC-1", "greeted-as", "von Klein", &changed, NULL);
	g_assert_cmpint(greeted(directory, "kunde@alpha.example", "rossi"), ==, MS_GREETED_UNKNOWN);
	g_assert_cmpint(ms_directory_put(directory, "AC-1", "greeted-as", "4711", &changed, NULL),
		==, MS_CONFIG);
	MsVerified whole = {0};
	g_assert_cmpint(
		ms_directory_verify(directory, NULL, NULL, &whole, NULL), ==, MS_FOUND);
	g_assert_cmpint(whole.wrong, ==, 0);
	ms_verified_clear(&whole);
}

static void test_greeted(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	check_greeted(&settings);
	settings = settings_for(MS_BACKEND_SQLITE, false);
	check_greeted(&settings);
	if (redis_address == NULL)
		return;
	settings = settings_for(MS_BACKEND_REDIS, true);
	check_greeted(&settings);
}

/* ---- an account goes ------------------------------------------------------------------- */

static void add_row(const char *account, const char *kind, const char *value, void *user)
{
	g_ptr_array_add(user, g_strdup_printf("%s %s %s", account, kind, value));
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *joined(GPtrArray *texts)
{
	g_ptr_array_sort(texts, by_text);
	g_ptr_array_add(texts, NULL);
	char *all = g_strjoinv("; ", (char **)texts->pdata);
	g_ptr_array_remove_index(texts, texts->len - 1);
	return all;
}

static char *every_row(MsDirectory *directory)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
	g_assert_cmpint(ms_directory_each(directory, add_row, all, NULL), ==, MS_FOUND);
	return joined(all);
}

static const struct {
	const char *account;
	MsAnswer want;
	const char *own, *receives_for, *received_by;
	gint64 n_own;
} leaving[] = {
	{"AC-2",
		MS_FOUND,
		"AC-2 company-registration 923609016; AC-2 customer-number C2000; "
		"AC-2 customer-number SHARED77; AC-2 greeted-as jean morel; "
		"AC-2 recipient @beta.example; AC-2 recipient desk@xn--kln-sna.example; "
		"AC-2 siren-siret 73282932000074", "AC-1", "AC-R", 7},
	{"AC-R", MS_FOUND, "AC-R recipient reseller@gamma.example", "AC-2; AC-20; AC-NONE", "",
		1},
	{"AC-NONE", MS_FOUND, "", "", "AC-R", 0}, /* somebody receives for it, no more is said */
	{"AC-", MS_ABSENT, "", "", "", 0},
	{"AC-200", MS_ABSENT, "", "", "", 0},
	{"ac-2", MS_ABSENT, "", "", "", 0},
	{"", MS_ABSENT, "", "", "", 0},
};

/* What is shown of it first. */
static void expect_entries(MsDirectory *directory, gsize i, bool digests)
{
	g_autoptr(GPtrArray) own = g_ptr_array_new_with_free_func(g_free);
	g_auto(MsAccountEntries) entries = {0};
	g_assert_cmpint(ms_directory_account_entries(
				directory, leaving[i].account, add_row, own, &entries, NULL),
		==, leaving[i].want);
	if (leaving[i].want != MS_FOUND)
		return;
	g_autofree char *rows_said = joined(own), *for_whom = joined(entries.receives_for),
			*by = joined(entries.received_by);
	g_assert_cmpint(entries.own, ==, leaving[i].n_own);
	g_assert_cmpstr(rows_said, ==, digests ? "" : leaving[i].own);
	if (digests && strcmp(leaving[i].account, "AC-R") == 0) /* no more is known of AC-NONE */
		g_assert_cmpstr(for_whom, ==, "; AC-2; AC-20");
	else if (!digests || strcmp(leaving[i].account, "AC-R") != 0)
		g_assert_cmpstr(for_whom, ==, leaving[i].receives_for);
	g_assert_cmpstr(by, ==, leaving[i].received_by);
}

/* What is left is what an import of the rows of others has, to the entry. */
static void expect_left(MsDirectory *directory, const char *text, const char *account,
	const MsDirectorySettings *settings)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *others = g_string_new(NULL);
	g_autofree char *begins = g_strconcat(account, ",", NULL),
			*receives = g_strconcat(",receives-for,", account, NULL);
	for (char **line = lines; *line != NULL; line++)
		if (!g_str_has_prefix(*line, begins) && !g_str_has_suffix(*line, receives))
			g_string_append_printf(others, "%s\n", *line);
	g_autofree char *csv = g_string_free(others, FALSE);
	g_autofree char *file = g_build_filename(dir, "left.db", NULL);
	MsDirectorySettings fresh = *settings;
	fresh.backend = MS_BACKEND_SQLITE;
	fresh.sqlite = file;
	g_autoptr(MsDirectory) want = open_directory(&fresh);
	load(want, csv);
	MsVerified a = {0}, b = {0};
	g_assert_cmpint(ms_directory_verify(directory, NULL, NULL, &a, NULL), ==, MS_FOUND);
	g_assert_cmpint(ms_directory_verify(want, NULL, NULL, &b, NULL), ==, MS_FOUND);
	g_assert_cmpint(a.wrong, ==, 0);
	g_assert_cmpint(a.state.entries, ==, b.state.entries);
	g_assert_cmpint(a.entries, ==, b.entries);
	/* The name of who receives for it stays, if nothing else is said of him; no test has it. */
	g_assert_cmpint(a.other_forms, ==, b.other_forms);
	if (!settings->digests) {
		g_autofree char *got = every_row(directory), *wanted = every_row(want);
		g_assert_cmpstr(got, ==, wanted);
	}
	g_assert_cmpint(
		ms_directory_has_account(directory, account, NULL, NULL), ==, MS_ABSENT);
	ms_verified_clear(&a);
	ms_verified_clear(&b);
}

static void check_removed(const MsDirectorySettings *settings)
{
	g_autofree char *text = g_strconcat(mapping,
		"AC-2,receives-for,AC-1\nAC-R,receives-for,AC-20\nAC-R,receives-for,AC-NONE\n"
		"AC-20,customer-number,C-20020\nAC-20,recipient,@twenty.example\n"
		"AC-1,greeted-as,Petra Weber\nAC-2,greeted-as,Jean MOREL\n",
		NULL);
	g_autoptr(MsDirectory) directory = open_directory(settings);
	for (gsize i = 0; i < G_N_ELEMENTS(leaving); i++) {
		load(directory, text);
		expect_entries(directory, i, settings->digests);
		MsDirectoryState before = {0}, after = {0};
		ms_directory_state(directory, &before, NULL);
		gint64 removed = 0;
		g_autoptr(GError) error = NULL;
		g_assert_cmpint(ms_directory_remove_account(
					directory, leaving[i].account, &removed, &error),
			==, leaving[i].want);
		g_assert_no_error(error);
		ms_directory_state(directory, &after, NULL);
		g_assert_cmpint(removed, ==, before.entries - after.entries);
		g_assert_cmpint(after.version, ==,
			before.version + (leaving[i].want == MS_FOUND));
		ms_directory_state_clear(&before);
		ms_directory_state_clear(&after);
		if (leaving[i].want != MS_FOUND)
			continue;
		expect_left(directory, text, leaving[i].account, settings);
		g_assert_cmpint(ms_directory_remove_account(
					directory, leaving[i].account, &removed, &error),
			==, MS_ABSENT);
	}
	load(directory, text);
	gint64 removed;
	ms_directory_remove_account(directory, "AC-2", &removed, NULL);
	g_assert_cmpint(
		relation(directory, "customer-number", "C-2000", "x@beta.example"), ==, MS_UNKNOWN);
	g_assert_cmpint(relation(directory, "customer-number", "SHARED77", "kunde@alpha.example"),
		==, MS_OWN);
	g_assert_cmpint(relation(directory, "customer-number", "C-100", "x@beta.example"), ==,
		MS_OTHER);
}

/* An empty mapping is unavailable, and all mail waits: what is the last of it stays. */
static void check_last(const MsDirectorySettings *settings)
{
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, "account,kind,value\nAC-1,recipient,@alpha.example\n"
			"AC-1,customer-number,C-100\n");
	g_autoptr(GError) error = NULL;
	bool changed;
	gint64 removed;
	g_assert_cmpint(ms_directory_remove_account(directory, "AC-1", &removed, &error), ==,
		MS_CONFIG);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	g_assert_cmpint(ms_directory_delete(directory, "AC-1", "customer-number", "C-100",
				&changed, &error), ==, MS_FOUND);
	g_assert_cmpint(ms_directory_delete(directory, "AC-1", "recipient", "@alpha.example",
				&changed, &error), ==, MS_CONFIG);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	MsDirectoryState state = {0};
	g_assert_cmpint(ms_directory_state(directory, &state, NULL), ==, MS_FOUND);
	g_assert_cmpint(state.entries, ==, 1);
	ms_directory_state_clear(&state);
}

static void test_removed(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, true);
	check_removed(&settings);
	check_last(&settings);
	settings = settings_for(MS_BACKEND_SQLITE, false);
	check_removed(&settings);
	check_last(&settings);
	if (redis_address == NULL)
		return;
	settings = settings_for(MS_BACKEND_REDIS, true);
	check_removed(&settings);
	check_last(&settings);
	settings = settings_for(MS_BACKEND_REDIS, false);
	check_removed(&settings);
	check_last(&settings);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN); /* as the programs do: servers here hang up */
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	dir = scratch_folder();
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_assert_true(g_file_set_contents(key,
		"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", -1, NULL));
	g_assert_cmpint(g_chmod(key, 0640), ==, 0);
	GPid redis = start_redis(dir, &redis_address);
	g_test_add_func("/directory/sqlite", test_sqlite);
	g_test_add_func("/directory/plain", test_plain);
	g_test_add_func("/directory/greeted", test_greeted);
	g_test_add_func("/directory/removed", test_removed);
	g_test_add_func("/directory/redis", test_redis);
	g_test_add_func("/directory/forms-and-marks", test_forms_and_marks);
	g_test_add_func("/directory/forms-and-marks-redis", test_forms_and_marks_redis);
	g_test_add_func("/directory/unavailable", test_unavailable);
	g_test_add_func("/directory/not-a-database", test_not_a_database);
	g_test_add_func("/directory/nothing-in-clear", test_nothing_in_clear);
	g_test_add_func("/directory/import/bad-lines", test_bad_lines);
	g_test_add_func("/directory/import/addresses", test_addresses);
	g_test_add_func("/directory/import/masked", test_masked);
	g_test_add_func("/directory/import/long-line", test_long_line);
	g_test_add_func("/directory/import/shrink", test_shrink);
	g_test_add_func("/directory/import/never-half", test_never_half);
	g_test_add_func("/directory/import/never-half-redis", test_never_half_redis);
	g_test_add_func("/directory/import/one-at-a-time", test_one_import);
	g_test_add_func("/directory/redis-nonsense", test_nonsense);
	g_test_add_func("/directory/redis-acl", test_acl);
	g_test_add_func("/directory/lost", test_lost);
	g_test_add_func("/directory/lost-marks", test_lost_marks);
	g_test_add_func("/directory/lost-group", test_lost_group);
	g_test_add_func("/directory/eviction-policy", test_eviction_policy);
	g_test_add_func("/directory/clock", test_clock);
	g_test_add_func("/directory/names", test_names);
	g_test_add_func("/directory/many", test_many);
	g_test_add_func("/directory/replaced", test_replaced);
	int rc = g_test_run();
	stop_redis(redis);
	remove_folder(dir);
	ms_kinds_unref(kinds);
	g_free(redis_address);
	return rc;
}
