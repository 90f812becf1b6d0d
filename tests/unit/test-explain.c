/* What would have to change for another verdict: each change that is proposed is made, and the
 * message judged anew, by the whole way that mail goes. */
#include "config.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "missent/explain.h"

#include "engine.h"

static MsRuntime *start(void)
{
	g_autoptr(GError) error = NULL;
	MsRuntime *runtime = ms_runtime_load(config, MS_PARTS_CHECK, NULL, &error);
	g_assert_no_error(error);
	return runtime;
}

/* ---- a random world --------------------------------------------------------------------- */

#define ACCOUNTS 6

static guint below(GRand *rand, guint n)
{
	return (guint)g_rand_int_range(rand, 0, (gint32)n);
}

static const char *pick(GRand *rand, const char *const *words, guint n)
{
	return words[below(rand, n)];
}

/* Accounts with numbers, people, a reseller, a number that two share, the house's own. */
static char *random_mapping(GRand *rand)
{
	GString *out = g_string_new(
		"account,kind,value\nHOUSE,vat-id,DE136695976\nHOUSE,recipient,@seller.example\n");
	for (int a = 0; a < ACCOUNTS; a++) {
		g_string_append_printf(out, "A%d,recipient,a%d@c%d.example\n", a, a, a);
		g_string_append_printf(out, "A%d,customer-number,KD-%d0%d7731\n", a, a, a);
		g_string_append_printf(out, "A%d,invoice-number,RE-2026-%d55%d\n", a, a, a);
		if (below(rand, 3) == 0)
			g_string_append_printf(out, "A%d,recipient,@c%d.example\n", a, a);
		if (below(rand, 4) == 0)
			g_string_append_printf(out, "A%d,receives-for,A%u\n", a,
				(a + 1 + below(rand, ACCOUNTS - 1)) % ACCOUNTS);
		if (below(rand, 4) == 0)
			g_string_append_printf(out, "A%d,customer-number,KD-%u0%u7731\n", a,
				(a + 1) % ACCOUNTS, (a + 1) % ACCOUNTS);
	}
	return g_string_free(out, FALSE);
}

static char *random_policy(GRand *rand, const char *title, const char *more)
{
	static const char *const actions[] = {"deliver", "tag", "hold", "hold"};
	GString *out = g_string_new(NULL);
	g_string_append_printf(out,
		"policy \"%s\" {\n\tkinds = {\"customer-number\", \"invoice-number\", \"email\", \"vat-id\"}\n%s",
		title, more);
	if (below(rand, 2) == 0)
		g_string_append(out, "\trequire = {\"customer-number\"}\n");
	if (below(rand, 2) == 0)
		g_string_append_printf(out, "\tmax-recipients = %u\n", 1 + below(rand, 3));
	if (below(rand, 3) == 0)
		g_string_append_printf(out, "\tmax-domains = %u\n", 1 + below(rand, 2));
	if (below(rand, 3) == 0)
		g_string_append_printf(out, "\tmax-accounts = %u\n", 1 + below(rand, 2));
	if (below(rand, 3) == 0)
		g_string_append_printf(out, "\tmax-visible-recipients = %u\n", 1 + below(rand, 3));
	if (below(rand, 4) == 0)
		g_string_append_printf(out, "\tmax-identifiers = %u\n", 1 + below(rand, 3));
	g_string_append_printf(out,
		"\ton-mismatch = %s\n\ton-unknown-identifier = %s\n\ton-unknown-recipient = %s\n}\n",
		below(rand, 4) == 0 ? "split" : "hold", pick(rand, actions, 4),
		pick(rand, actions, 4));
	return g_string_free(out, FALSE);
}

typedef struct {
	MsEnvelope *envelope;
	char *text;
} Mail;

static void random_mail(GRand *rand, Mail *out)
{
	g_autoptr(GString) to = g_string_new(NULL), body = g_string_new(NULL);
	out->envelope = ms_envelope_new();
	out->envelope->sender = g_strdup("billing@seller.example");
	for (guint i = 0, n = 1 + below(rand, 3); i < n; i++) {
		guint a = below(rand, ACCOUNTS + 1);
		char *address = a == ACCOUNTS ? g_strdup("stranger@nowhere.example")
			: below(rand, 4) == 0 ? g_strdup_printf("other@c%u.example", a)
					      : g_strdup_printf("a%u@c%u.example", a, a);
		g_ptr_array_add(out->envelope->recipients, address);
		g_string_append_printf(to, "%s%s", i > 0 ? ", " : "", address);
	}
	for (guint i = 0, n = below(rand, 4); i < n; i++) {
		guint a = below(rand, ACCOUNTS + 2);
		if (below(rand, 2) == 0)
			g_string_append_printf(body, "Customer number: KD-%u0%u7731\r\n", a, a);
		else
			g_string_append_printf(body, "Invoice number: RE-2026-%u55%u\r\n", a, a);
	}
	if (below(rand, 8) == 0)
		g_string_append(body, "VAT ID: DE136695976, write to a2@c2.example\r\n");
	bool odd = below(rand, 6) == 0;
	out->text = g_strdup_printf(
		"From: billing@seller.example\r\nTo: %s\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n%s--b--\r\n",
		to->str, body->str,
		odd ? "--b\r\nContent-Type: application/x-odd; name=a.odd\r\n\r\n\001\002\003\004\r\n"
		    : "");
	out->envelope->size = strlen(out->text);
}

static MsJudgement *judge(MsRuntime *runtime, const Mail *mail)
{
	g_autoptr(GError) error = NULL;
	MsJudgement *judgement = NULL;
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, mail->text, strlen(mail->text)), ==, (gssize)strlen(mail->text));
	ms_memory_seal(fd);
	ms_engine_judge(runtime, mail->envelope, fd, strlen(mail->text), &judgement, &error);
	g_assert_no_error(error);
	close(fd);
	return judgement;
}

static const char *would(MsRuntime *runtime, const Mail *mail)
{
	g_autoptr(MsJudgement) judgement = judge(runtime, mail);
	g_assert_null(judgement->trouble);
	return ms_action_names[judgement->verdict->would];
}

/* ---- what is proposed is done ------------------------------------------------------------ */

static const char *word(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	g_assert_nonnull(text);
	return text;
}

static void change_row(MsRuntime *runtime, const json_t *row, bool back)
{
	g_autoptr(GError) error = NULL;
	bool put = (strcmp(word(row, "do"), "put") == 0) != back, changed = false;
	(put ? ms_directory_put : ms_directory_delete)(ms_runtime_directory(runtime),
		word(row, "account"), word(row, "kind"), word(row, "value"), &changed, &error);
	g_assert_no_error(error);
	g_assert_true(changed);
}

static void change_rows(MsRuntime *runtime, const json_t *changes, bool back)
{
	gsize i;
	json_t *change;
	json_array_foreach(changes, i, change)
	{
		const json_t *row = json_object_get(change, "row");
		if (row != NULL)
			change_row(runtime, row, back);
	}
}

/* As a person would: in the policy's own lines. */
static char *edited(const char *policies, const json_t *changes)
{
	g_auto(GStrv) blocks = g_strsplit(policies, "policy \"", -1);
	gsize i;
	json_t *change;
	json_array_foreach(changes, i, change)
	{
		const json_t *s = json_object_get(change, "setting");
		for (int b = 1; s != NULL && blocks[b] != NULL; b++) {
			if (!g_str_has_prefix(blocks[b], word(s, "policy")) ||
				blocks[b][strlen(word(s, "policy"))] != '"')
				continue;
			const char *key = word(s, "key");
			bool list = strcmp(key, "tolerate") == 0 || strcmp(key, "require") == 0;
			g_autofree char *find = g_strdup_printf("\n\t%s = ", key);
			char *at = strstr(blocks[b], find),
			     *end = at != NULL ? strchr(at + 1, '\n') : NULL;
			g_autofree char *old = at != NULL
				? g_strndup(at + strlen(find), (gsize)(end - at) - strlen(find))
				: g_strdup("{}");
			g_autofree char *inner = list && strlen(old) > 2
				? g_strndup(old + 1, strlen(old) - 2)
				: g_strdup("");
			g_autofree char *line = list
				? g_strdup_printf("\n\t%s = {%s%s\"%s\"}", key, inner,
					  *inner != '\0' ? ", " : "", word(s, "value"))
				: g_strdup_printf("\n\t%s = %s", key, word(s, "value"));
			char *first = strchr(blocks[b], '\n');
			g_autofree char *head = g_strndup(
				blocks[b], (gsize)((at != NULL ? at : first) - blocks[b]));
			char *made = g_strconcat(head, line, at != NULL ? end : first, NULL);
			g_free(blocks[b]);
			blocks[b] = made;
		}
	}
	return g_strjoinv("policy \"", blocks);
}

static bool has_settings(const json_t *changes)
{
	gsize i;
	json_t *change;
	json_array_foreach(changes, i, change)
		if (json_object_get(change, "setting") != NULL)
			return true;
	return false;
}

static void expect_promise(
	MsRuntime *runtime, const Mail *mail, const char *policies, const json_t *set)
{
	const json_t *changes = json_object_get(set, "changes");
	bool settings = has_settings(changes);
	change_rows(runtime, changes, false);
	MsRuntime *used = runtime;
	if (settings) {
		g_autofree char *text = edited(policies, changes);
		write_file("policies/p.conf", text);
		used = start();
	}
	const char *got = would(used, mail);
	if (strcmp(got, word(set, "verdict")) != 0) {
		char *text = json_dumps(set, JSON_INDENT(1));
		g_error("%s was promised, and it is %s\n%s\n%s\n%s", word(set, "verdict"), got,
			text, mail->text, policies);
	}
	if (settings) {
		ms_runtime_unref(used);
		write_file("policies/p.conf", policies);
	}
	change_rows(runtime, changes, true);
}

/* Nothing less than the set gives its verdict: what is left of it when one change is not made. */
static void expect_minimal(MsRuntime *runtime, const Mail *mail, const json_t *set)
{
	const json_t *changes = json_object_get(set, "changes");
	if (has_settings(changes) || json_array_size(changes) < 2)
		return;
	for (gsize without = 0; without < json_array_size(changes); without++) {
		json_t *less = json_copy((json_t *)changes);
		json_array_remove(less, without);
		change_rows(runtime, less, false);
		g_assert_cmpstr(would(runtime, mail), !=, word(set, "verdict"));
		change_rows(runtime, less, true);
		json_decref(less);
	}
}

typedef struct {
	guint verdicts, promises, none, of_size[4];
} Tally;

static void explain_one(GRand *rand, MsRuntime *runtime, const char *policies, Tally *tally)
{
	Mail mail;
	random_mail(rand, &mail);
	g_autoptr(MsJudgement) judgement = judge(runtime, &mail);
	const MsExplainWish wish = {NULL, true, 0, NULL};
	json_t *story = ms_explain(runtime, mail.envelope, judgement, &wish);
	g_assert_nonnull(story);
	const json_t *changes = json_object_get(story, "changes"),
		     *sets = json_object_get(changes, "sets");
	gsize n = json_array_size(sets);
	tally->verdicts++;
	tally->none += n == 0;
	g_assert_true((n == 0) == (json_object_get(changes, "none") != NULL));
	/* One of each size at least, and some more. */
	for (guint i = 0; i < MIN(n, 4); i++) {
		const json_t *set = json_array_get(sets,
			i == 0           ? 0
				: i == 1 ? n - 1
					 : below(rand, (guint)n));
		expect_promise(runtime, &mail, policies, set);
		expect_minimal(runtime, &mail, set);
		tally->promises++;
		tally->of_size[json_array_size(json_object_get(set, "changes"))]++;
	}
	json_decref(story);
	ms_envelope_free(mail.envelope);
	g_free(mail.text);
}

#ifdef MS_SANITIZERS
#define VERDICTS 16
#else
#define VERDICTS 40
#endif

static void test_promises(void)
{
	guint seed = 7, most = VERDICTS;
	if (g_getenv("MS_EXPLAIN") != NULL)
		most = (guint)atoi(g_getenv("MS_EXPLAIN"));
	g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
	Tally tally = {0};
	while (tally.verdicts < most) {
		g_autofree char *mapping = random_mapping(rand),
				*first = random_policy(rand, "first", "");
		g_autofree char *second = below(rand, 2) == 0
			? random_policy(rand, "second", "\tsender = {\"billing@seller.example\"}\n")
			: g_strdup(
				  "policy \"second\" {\n\tsender = {\"nobody@seller.example\"}\n}\n");
		g_autofree char *policies = g_strconcat(first, second, NULL);
		write_file("policies/p.conf", policies);
		MsRuntime *runtime = start();
		import(ms_runtime_directory(runtime), mapping);
		for (int i = 0; i < 10 && tally.verdicts < most; i++)
			explain_one(rand, runtime, policies, &tally);
		ms_runtime_unref(runtime);
	}
	g_test_message(
		"%u verdicts, %u without a set; %u promises kept (%u of one change, %u of two, %u of three)",
		tally.verdicts, tally.none, tally.promises, tally.of_size[1], tally.of_size[2],
		tally.of_size[3]);
	g_assert_cmpuint(tally.of_size[1], >, 0);
	g_assert_cmpuint(tally.of_size[2], >, 0);
	if (most >= 40)
		g_assert_cmpuint(tally.of_size[3], >, 0);
}

/* ---- the story ---------------------------------------------------------------------------- */

static json_t *story_of(MsRuntime *runtime, const char *to, const char *body, bool reveal)
{
	Mail mail = {.envelope = ms_envelope_new()};
	mail.envelope->sender = g_strdup("billing@seller.example");
	g_auto(GStrv) each = g_strsplit(to, " ", -1);
	for (int i = 0; each[i] != NULL; i++)
		g_ptr_array_add(mail.envelope->recipients, g_strdup(each[i]));
	mail.text = g_strdup_printf(
		"From: billing@seller.example\r\nSubject: s\r\n\r\n%s\r\n", body);
	mail.envelope->size = strlen(mail.text);
	g_autoptr(MsJudgement) judgement = judge(runtime, &mail);
	const MsExplainWish wish = {NULL, reveal, 0, NULL};
	json_t *story = ms_explain(runtime, mail.envelope, judgement, &wish);
	ms_envelope_free(mail.envelope);
	g_free(mail.text);
	return story;
}

static void test_story(void)
{
	write_file("policies/p.conf",
		"policy \"invoices\" {\n\tsender = {\"billing@seller.example\"}\n\tmax-recipients = 2\n}\n"
		"policy \"payroll\" {\n\tsender = {\"wages@seller.example\"}\n}\n"
		"policy \"run\" {\n\theader = {'X-Run: july'}\n}\npolicy \"pdf\" {\n\tattachment = {\"*.pdf\"}\n}\n");
	MsRuntime *runtime = start();
	import(ms_runtime_directory(runtime),
		"account,kind,value\nA1,recipient,a1@c1.example\nA1,customer-number,KD-1017731\n"
		"A2,customer-number,KD-2027731\nA2,recipient,a2@c2.example\nA3,customer-number,KD-3037731\n");
	json_t *story = story_of(runtime, "a1@c1.example", "Customer number: KD-2027731", false);
	char *text = json_dumps(story, JSON_COMPACT);
	g_assert_null(strstr(text, "KD-2027731"));
	g_assert_cmpstr(word(story, "would"), ==, "hold");
	const json_t *policies = json_object_get(story, "policies");
	g_assert_cmpuint(json_array_size(policies), ==, 4);
	g_assert_true(json_is_true(json_object_get(json_array_get(policies, 0), "applies")));
	g_assert_cmpstr(word(json_array_get(policies, 1), "because"), ==,
		"the sender <billing@seller.example> is none of: wages@seller.example");
	g_assert_cmpstr(word(json_array_get(policies, 2), "because"), ==,
		"no header field is as asked for: X-Run: july");
	g_assert_cmpstr(word(json_array_get(policies, 3), "because"), ==,
		"no part is of a type or name asked for: *.pdf");
	g_assert_cmpint(
		json_integer_value(json_object_get(json_array_get(policies, 1), "line")), ==, 5);
	const json_t *sets = json_object_get(json_object_get(story, "changes"), "sets");
	g_assert_cmpuint(json_array_size(sets), >=, 3);
	g_assert_cmpstr(word(json_array_get(json_object_get(json_array_get(sets, 0), "changes"), 0),
				"text"),
		==, "a1@c1.example may receive for A2");
	free(text);
	json_decref(story);
	/* Too many recipients, and each gets another's: four things are wrong. */
	story = story_of(runtime, "s1@x.example s2@x.example s3@y.example s4@z.example",
		"Customer number: KD-2027731, customer number: KD-1017731, customer number: KD-3037731",
		true);
	const json_t *changes = json_object_get(story, "changes");
	g_assert_cmpstr(word(story, "would"), ==, "hold");
	g_assert_nonnull(json_object_get(changes, "none"));
	json_decref(story);
	ms_runtime_unref(runtime);
}

/* A directory that cannot be asked has nothing to change. */
static void test_unavailable(void)
{
	MsRuntime *runtime = start();
	g_autofree char *db = g_build_filename(dir, "directory.db", NULL);
	unlink(db);
	ms_runtime_unref(runtime);
	runtime = start();
	json_t *story = story_of(runtime, "a1@c1.example", "Customer number: KD-2027731", false);
	g_assert_cmpstr(word(story, "would"), ==, "tempfail");
	g_assert_nonnull(strstr(
		word(json_object_get(story, "changes"), "none"), "until now is gone"));
	json_decref(story);
	ms_runtime_unref(runtime);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	engine_begin(" house = \"HOUSE\"\n");
	g_test_add_func("/explain/promises", test_promises);
	g_test_add_func("/explain/story", test_story);
	g_test_add_func("/explain/unavailable", test_unavailable);
	return engine_run();
}
