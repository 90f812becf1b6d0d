/*
 * Whom a mail greets, against the names of the recipient's account: the judge's part, on
 * resolutions made here.
 */
#include "config.h"

#include <string.h>

#include "missent/policy.h"

#include "../test.h"

static MsKinds *kinds;

static guint union_of(MsResolution *r, const char *account)
{
	guint list = ms_resolution_list(r, &account, 1);
	return ms_resolution_union(r, &list, 1);
}

/* "A" or "A+B", or "" for nobody. */
static guint mailbox_of(MsResolution *r, const char *accounts)
{
	g_auto(GStrv) all = g_strsplit(accounts, "+", -1);
	g_autoptr(GArray) lists = g_array_new(FALSE, FALSE, sizeof(guint));
	for (char **account = all; *account != NULL && **account != '\0'; account++) {
		guint list = ms_resolution_list(r, (const char *const *)account, 1);
		g_array_append_val(lists, list);
	}
	return ms_resolution_union(r, (const guint *)(const void *)lists->data, lists->len);
}

/* "A=yes B=no": whether a name of it is greeted. */
static void add_names(MsResolution *r, const char *names)
{
	g_auto(GStrv) all = g_strsplit(names, " ", -1);
	for (char **name = all; *name != NULL && **name != '\0'; name++) {
		g_autofree char *account = g_strndup(*name, strcspn(*name, "="));
		ms_resolution_named(r, account, g_str_has_suffix(*name, "=yes"));
	}
}

typedef struct {
	const char *to, *accounts; /* of the first recipient */
	const char *greeted, *names;
	const char *policy;
	MsAction want;
} Row;

static MsVerdict *judge(const Row *row)
{
	g_autofree char *text = g_strdup_printf("policy \"p\" {\n%s\n}\n", row->policy);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPolicies)
		policies = ms_policies_parse("p.conf", text, kinds, MS_MODE_ENFORCE, &error);
	g_assert_no_error(error);
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsReading) reading = ms_reading_new();
	g_autoptr(MsResolution) r = ms_resolution_new("house", NULL);
	g_auto(GStrv) to = g_strsplit(row->to, " ", -1);
	e->sender = g_strdup("billing@seller.example");
	ms_reading_find(reading, "customer-number", "C1", MS_BELIEF_LABELLED, 0,
		ms_place_new("part 1", "x", 0, 1, 1));
	ms_resolution_identifier(r, union_of(r, "A"), union_of(r, "RESELLER"), 0);
	for (char **address = to; *address != NULL; address++) {
		guint mailbox = mailbox_of(r, row->accounts);
		g_ptr_array_add(e->recipients, g_strdup(*address));
		ms_resolution_recipient(r, &mailbox, 1);
	}
	if (row->greeted != NULL)
		ms_reading_greet(reading, row->greeted);
	add_names(r, row->names);
	ms_resolution_settle(r);
	return ms_policy_judge(policies, e, reading, r, NULL);
}

#define QUIET "on-unproven = deliver\non-mismatch = deliver\n"

static void test_judge(void)
{
	static const Row rows[] = {
		{"a@a.example", "A", "petra weber", "A=no", QUIET, MS_TAG},
		{"a@a.example", "A", "petra weber", "A=no", QUIET "on-salutation = hold", MS_HOLD},
		{"a@a.example", "A", "petra weber", "A=no", QUIET "on-salutation = deliver",
			MS_DELIVER},
		{"a@a.example", "A", "petra weber", "A=no", QUIET "mode = observe", MS_DELIVER},
		{"a@a.example", "A", "petra weber", "A=no", QUIET "kinds = {\"none\"}", MS_DELIVER},
		{"a@a.example", "A", "petra weber", "A=yes", QUIET, MS_DELIVER},
		/* Nothing is known of it, or nobody is greeted. */
		{"a@a.example", "A", "petra weber", "", QUIET, MS_DELIVER},
		{"a@a.example", "A", "petra weber", "B=yes", QUIET, MS_DELIVER},
		{"a@a.example", "A", NULL, "A=no", QUIET, MS_DELIVER},
		{"a@a.example", "", "petra weber", "A=no", QUIET, MS_DELIVER},
		/* Several: each recipient would be greeted as the one. */
		{"a@a.example b@a.example", "A", "petra weber", "A=no", QUIET, MS_DELIVER},
		{"a%b.example@c.example", "A", "petra weber", "A=no", QUIET, MS_DELIVER},
		/* Of several accounts one will do; and one without names may have it. */
		{"a@a.example", "A+B", "petra weber", "A=no B=yes", QUIET, MS_DELIVER},
		{"a@a.example", "A+B", "petra weber", "A=no", QUIET, MS_DELIVER},
		{"a@a.example", "A+B", "petra weber", "A=no B=no", QUIET, MS_TAG},
		{"us@seller.example", "house", "petra weber", "house=no A=no", QUIET, MS_DELIVER},
		/* Who receives for a customer gets what greets the customer. */
		{"r@r.example", "RESELLER", "petra weber", "RESELLER=no A=yes", QUIET, MS_DELIVER},
		{"r@r.example", "RESELLER", "petra weber", "RESELLER=no A=no", QUIET, MS_TAG},
		{"b@b.example", "B", "petra weber", "B=no A=yes", QUIET, MS_TAG},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsVerdict) verdict = judge(&rows[i]);
		if (verdict->action != rows[i].want)
			g_error("row %zu: got %s, want %s", i, ms_action_names[verdict->action],
				ms_action_names[rows[i].want]);
	}
}

/* The name is not told. */
static void test_words(void)
{
	const Row row = {"a@a.example", "A", "petra weber", "A=no", QUIET, MS_TAG};
	g_autoptr(MsVerdict) verdict = judge(&row);
	const MsReason *reason = verdict->reasons->pdata[0];
	g_assert_cmpint(reason->code, ==, MS_SALUTATION);
	g_assert_cmpstr(reason->recipient, ==, "a@a.example");
	g_assert_true(g_str_has_prefix(reason->text, "P*** W*** is greeted, "));
	g_assert_null(strstr(reason->text, "weber"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "policies", "kinds.conf", NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/salutation/judge", test_judge);
	g_test_add_func("/salutation/words", test_words);
	return g_test_run();
}
