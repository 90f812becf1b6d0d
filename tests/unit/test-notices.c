/* Mail of our own: what it tells, whom, in which language, and that it is mail as the RFCs want
 * it. */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/audit.h"

#include "../test.h"
#include "world.h"

#define DAY (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define CONTAINS(text, part)                                                                      \
	do {                                                                                      \
		if (strstr(text, part) == NULL)                                                   \
			g_error("%s:%d: got \"%s\", want \"...%s...\"", __FILE__, __LINE__, text, \
				part);                                                            \
	} while (0)
#define LACKS(text, part)                                                                      \
	do {                                                                                   \
		if (strstr(text, part) != NULL)                                                \
			g_error("%s:%d: got \"%s\", without \"...%s...\"", __FILE__, __LINE__, \
				text, part);                                                   \
	} while (0)

/* ---- reading a mail ------------------------------------------------------------------- */

/* The value of a field, unfolded and decoded; NULL: there is none. */
static char *field(const char *mail, const char *name)
{
	g_autofree char *head = g_strndup(mail, (gsize)(strstr(mail, "\r\n\r\n") - mail) + 2);
	g_autofree char *pattern = g_strdup_printf("(?im)^%s: ((?:.*\\r\\n[ \\t])*.*)\\r\\n", name);
	g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	if (!g_regex_match(regex, head, 0, &match))
		return NULL;
	g_autofree char *raw = g_match_info_fetch(match, 1);
	g_autoptr(GRegex) folds = g_regex_new("\\?=\\r\\n[ \\t]=\\?", 0, 0, NULL);
	g_autofree char *joined = g_regex_replace_literal(folds, raw, -1, 0, "?==?", 0, NULL);
	g_auto(GStrv) words = g_strsplit(joined, "=?UTF-8?B?", -1);
	GString *out = g_string_new(words[0]);
	for (int i = 1; words[i] != NULL; i++) {
		gsize len;
		char *end = strstr(words[i], "?=");
		g_assert_nonnull(end);
		g_assert_cmpuint(strlen("=?UTF-8?B?") + (gsize)(end - words[i]) + 2, <=, 75);
		g_autofree char *base64 = g_strndup(words[i], (gsize)(end - words[i]));
		g_autofree guchar *bytes = g_base64_decode(base64, &len);
		/* each of whole characters */
		g_assert_true(g_utf8_validate((char *)bytes, (gssize)len, NULL));
		g_string_append_len(out, (char *)bytes, (gssize)len);
		g_string_append(out, end + 2);
	}
	g_autoptr(GRegex) blanks = g_regex_new("\\r\\n([ \\t])", 0, 0, NULL);
	g_autofree char *text = g_string_free(out, FALSE);
	return g_regex_replace(blanks, text, -1, 0, "\\1", 0, NULL);
}

/* The first part that is text, decoded; a blank for each end of a line. */
static char *words_of(const char *mail)
{
	const char *at = strstr(mail, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	g_assert_nonnull(at);
	GString *out = g_string_new(NULL);
	for (const char *p = strstr(at, "\r\n\r\n") + 4; *p != '\0' && strncmp(p, "\r\n--", 4) != 0;
		p++) {
		if (strncmp(p, "=\r\n", 3) == 0)
			p += 2;
		else if (*p == '=')
			g_string_append_c(out,
				(char)(g_ascii_xdigit_value(p[1]) << 4 |
					g_ascii_xdigit_value(p[2]))),
				p += 2;
		else if (*p != '\r')
			g_string_append_c(out, *p);
	}
	g_autofree char *text = g_string_free(out, FALSE);
	g_autoptr(GRegex) blanks = g_regex_new("\\s+", 0, 0, NULL);
	g_assert_true(g_utf8_validate(text, -1, NULL));
	return g_regex_replace_literal(blanks, text, -1, 0, " ", 0, NULL);
}

/* RFC 5322: ASCII, lines of 78, the date in English; RFC 3834. */
static void check_form(const char *mail, bool ascii)
{
	g_auto(GStrv) lines = g_strsplit(mail, "\r\n", -1);
	g_autofree char *date = field(mail, "Date");
	g_autofree char *automatic = field(mail, "Auto-Submitted");
	g_autofree char *id = field(mail, "Message-ID");
	for (int i = 0; lines[i] != NULL; i++) {
		g_assert_cmpuint(strlen(lines[i]), <=, 78);
		g_assert_null(strchr(lines[i], '\r'));
	}
	g_assert_true(!ascii || g_str_is_ascii(mail));
	g_assert_true(g_regex_match_simple(
		"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|"
		"Oct|Nov|Dec) \\d{4} \\d\\d:\\d\\d:\\d\\d [+-]\\d{4}$",
		date, 0, 0));
	g_assert_true(g_regex_match_simple("^auto-(generated|replied)$", automatic, 0, 0));
	g_assert_true(g_regex_match_simple("^<[0-9a-f]{16}@mx\\.test>$", id, 0, 0));
}

/* The only mail that came, to that one. */
static char *only(World *w, const char *to)
{
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	char *text = NULL;
	for (guint i = 0; i < got->len; i++) {
		const Delivery *d = got->pdata[i];
		g_assert_true(d->unjudged);
		if (strcmp(d->recipients->pdata[0], to) != 0)
			continue;
		g_assert_null(text);
		text = g_strdup(d->text);
	}
	g_assert_nonnull(text);
	return text;
}

/* ---- a return ------------------------------------------------------------------------- */

typedef struct {
	const char *name, *desk;
	const char *const *has, *const *lacks;
} ReturnRow;

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
static const ReturnRow return_rows[] = {
	{"english", "",
		WORDS("was held because it does not fit", "customer", "Message-ID",
			"seller.example>", "Thu, 26 Nov 2026 10:00:00 +0100", "Recipients:", "3"),
		WORDS("C-10001", "the reviewer", "text/rfc822-headers", "message/rfc822",
			"review.example")},
	{"french", " notice-language = fr\n",
		WORDS("Votre message a été retenu car", "appartient à un autre client", "heures"),
		WORDS("Your", "held", "hours")},
	{"german", " notice-language = de\n",
		WORDS("Ihre Nachricht wurde zurückgehalten", "gehört einem anderen Kunden",
			"Stunden"),
		WORDS("Your", "held", "hours")},
	{"reason", " notice-reason = yes\n",
		WORDS("The reviewer writes:", "wrong invoice for *** and *** please correct"),
		WORDS("C-10002", "x@y.example")},
	{"contact", " notice-contact = \"help@seller.example\"\n",
		WORDS("Ask help@seller.example."), WORDS("%s")},
	{"header", " notice-original = header\n", WORDS("wrong"), WORDS("nothing of this kind")},
};

static char *return_of(const ReturnRow *row, const char *settings, char **uid_out)
{
	World *w = world_new(settings, row->desk);
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(
		w, &(WorldHold){.subject = "Invoice for Zoë", .age_us = DAY / 4});
	g_autofree char *said = world_said(desk, &(WorldAsk){"return", uid,
		.why = "wrong invoice for C-10002 and x@y.example please correct"});
	CONTAINS(said, "done");
	char *mail = only(w, WORLD_SENDER);
	*uid_out = g_steal_pointer(&uid);
	ms_desk_free(desk);
	world_free(w);
	return mail;
}

static void test_return(gconstpointer data)
{
	const ReturnRow *row = data;
	g_autofree char *uid = NULL;
	g_autofree char *mail = return_of(row, "", &uid);
	g_autofree char *words = words_of(mail);
	g_autofree char *in_reply = field(mail, "In-Reply-To"),
			*references = field(mail, "References");
	g_autofree char *automatic = field(mail, "Auto-Submitted");
	/* the sender's own original may have what it likes */
	check_form(mail, strstr(row->desk, "notice-original") == NULL);
	g_assert_true(g_regex_match_simple("^<Q\\d{7}@seller\\.example>$", in_reply, 0, 0));
	g_assert_cmpstr(references, ==, in_reply);
	g_assert_cmpstr(automatic, ==, "auto-replied");
	CONTAINS(words, uid);
	CONTAINS(mail,
		"Final-Recipient: rfc822; b@beta.example\r\nAction: failed\r\nStatus: 5.7.1\r\n");
	CONTAINS(mail, "X-Original-Message-ID: <Q");
	if (strcmp(row->name, "header") == 0) {
		CONTAINS(mail,
			"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nFrom: Billing");
		CONTAINS(mail, "Subject: Invoice for Zoë\r\n");
		LACKS(mail, "C-10001");
		return;
	}
	for (int i = 0; row->has[i] != NULL; i++)
		CONTAINS(words, row->has[i]);
	for (int i = 0; row->lacks[i] != NULL; i++)
		LACKS(words, row->lacks[i]);
	LACKS(mail, "C-10002");
	LACKS(mail, "AC-2");
}

/* As far as it may, what went back carries what it was; and where the page is. */
static void test_whole(void)
{
	g_autofree char *uid = NULL;
	ReturnRow row = {.desk = " notice-original = message\n"};
	g_autofree char *mail = return_of(
		&row, "review {\n url = \"https://review.example/m\"\n}\n", &uid);
	g_autofree char *words = words_of(mail);
	g_autofree char *link = g_strdup_printf("https://review.example/m/message/%s", uid);
	CONTAINS(words, link);
	CONTAINS(mail, "Content-Type: message/rfc822\r\n");
	CONTAINS(mail, "\r\n\r\nYour customer number: C-10001\r\n");
}

/* One of many lines costs what its length does; of one that is too large there is no half. */
static void test_large(void)
{
	static const struct {
		const char *lines;
		gsize len;
		bool whole;
	} rows[] = {{"\r\n", 12 << 20, true}, {"123456789\r\n", 17 << 20, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) body = g_string_new(NULL);
		while (body->len < rows[i].len)
			g_string_append(body, rows[i].lines);
		g_string_append(body, "the end\r\n");
		World *w = world_new("", " notice-original = message\n");
		MsDesk *desk = world_desk(w);
		const WorldHold hold = {.spooled = true, .body = body->str};
		g_autofree char *uid = world_hold(w, &hold);
		g_autofree char *said = world_said(desk, &(WorldAsk){"return", uid});
		CONTAINS(said, "done");
		g_autofree char *mail = only(w, WORLD_SENDER);
		g_assert_true((strstr(mail, "message/rfc822") != NULL) == rows[i].whole);
		g_assert_true((strstr(mail, "\r\nthe end\r\n") != NULL) == rows[i].whole);
		ms_desk_free(desk);
		world_free(w);
	}
}

/* What is gone, or cannot be read, is returned without. */
static void test_without(void)
{
	World *w = world_new("reader {\n deadline = 1s\n}\n", " notice-original = message\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){.spooled = true, .gone = true});
	g_autofree char *said = world_said(desk, &(WorldAsk){"return", uid});
	CONTAINS(said, "done");
	g_autofree char *mail = only(w, WORLD_SENDER);
	g_autofree char *about = field(mail, "In-Reply-To");
	check_form(mail, true);
	g_assert_null(about);
	LACKS(mail, "message/rfc822");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- it is held ----------------------------------------------------------------------- */

static void test_held(void)
{
	World *w = world_new("review {\n url = \"https://review.example\"\n}\n",
		" notice-sender = yes\n notice-to = {\"desk@seller.example\"}\n");
	MsDesk *desk = world_desk(w);
	g_autofree char *uid = world_hold(w, &(WorldHold){0});
	g_autofree G_GNUC_UNUSED char *second = world_hold(w, &(WorldHold){0});
	g_autofree char *link = g_strdup_printf("https://review.example/message/%s", uid);
	stub_next(w->stub, AT_DATA, STUB_LATER); /* one is told later */
	ms_desk_tick(desk);
	ms_desk_free(desk);
	desk = world_desk(w); /* which does not wait */
	ms_desk_tick(desk);
	ms_desk_tick(desk);
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	g_assert_cmpuint(got->len, ==, 2); /* one for each, of one cause */
	for (guint i = 0; i < got->len; i++) {
		const Delivery *d = got->pdata[i];
		bool own = strcmp(d->recipients->pdata[0], WORLD_SENDER) == 0;
		g_autofree char *words = words_of(d->text), *about = field(d->text, "In-Reply-To");
		g_autofree char *automatic = field(d->text, "Auto-Submitted");
		check_form(d->text, true);
		g_assert_cmpstr(d->sender, ==, "missent@seller.example");
		g_assert_cmpstr(automatic, ==, own ? "auto-replied" : "auto-generated");
		g_assert_true(own == (about != NULL)); /* its name is for its sender */
		CONTAINS(words, link);
		CONTAINS(words, "(mismatch)");
		LACKS(d->text, "C-1000");
		LACKS(d->text, "b@beta.example");
	}
	/* Refused for good, it is not tried again. */
	g_autofree G_GNUC_UNUSED char *third = world_hold(w, &(WorldHold){.cause = "another"});
	stub_next(w->stub, AT_MAIL, STUB_REFUSE);
	ms_desk_tick(desk);
	ms_desk_tick(desk);
	g_autofree G_GNUC_UNUSED char *other = only(w, "desk@seller.example");
	ms_desk_free(desk);
	world_free(w);
}

/* Whom the MTA does not take it for is told later, and the others are told; each once. */
static void test_untold(void)
{
	World *w = world_new("", " notice-to = {\"one@seller.example\", \"two@seller.example\"}\n");
	MsDesk *desk = world_desk(w);
	static const char *const causes[] = {"one", "two", "three"};
	for (gsize i = 0; i < G_N_ELEMENTS(causes); i++) {
		g_autofree G_GNUC_UNUSED char *uid =
			world_hold(w, &(WorldHold){.cause = causes[i]});
	}
	stub_next(w->stub, AT_RCPT, STUB_LATER);
	ms_desk_tick(desk);
	g_autoptr(GPtrArray) others = stub_take(w->stub);
	g_assert_cmpuint(others->len, ==, 3);
	for (guint i = 0; i < others->len; i++)
		g_assert_cmpstr(((Delivery *)others->pdata[i])->recipients->pdata[0], ==,
			"two@seller.example");
	ms_desk_free(desk);
	desk = world_desk(w); /* which does not wait */
	ms_desk_tick(desk);
	g_autoptr(GPtrArray) first = stub_take(w->stub);
	g_assert_cmpuint(first->len, ==, 3);
	ms_desk_tick(desk);
	g_autoptr(GPtrArray) none = stub_take(w->stub);
	g_assert_cmpuint(none->len, ==, 0);
	ms_desk_free(desk);
	world_free(w);
}

/* Whatever stands in a record ends no line and begins no field. */
static void test_hostile(void)
{
	World *w = world_new("", " notice-to = {\"desk@seller.example\"}\n");
	MsDesk *desk = world_desk(w);
	static const WorldRecipient to[] = {{"x\r\nBcc: y@z.example", MS_OUTCOME_WRONG, ""}};
	g_autofree G_GNUC_UNUSED char *uid = world_hold(w,
		&(WorldHold){.to = to,
			.n = 1,
			.sender = "\"a\r\nBcc: evil\"@seller.example",
			.cause = "x\nBcc: z",
			.spooled = true});
	ms_desk_tick(desk);
	g_autofree char *mail = only(w, "desk@seller.example");
	g_autofree char *bcc = field(mail, "Bcc");
	check_form(mail, true);
	g_assert_null(bcc);
	LACKS(mail, "\nBcc");
	ms_desk_free(desk);
	world_free(w);
}

/* ---- digests, expiry ------------------------------------------------------------------ */

static void test_digest(void)
{
	static const struct {
		const char *language;
		guint n;
		const char *subject, *words;
	} rows[] = {
		{"en", 1, "1 held message", "1 message is held, since"},
		{"en", 3, "3 held messages", "3 messages are held, the oldest since"},
		{"fr", 1, "1 message retenu", "0 décision attend une seconde personne"},
		{"fr", 3, "3 messages retenus", "3 messages sont retenus, le plus ancien depuis"},
		{"de", 1, "1 zurückgehaltene Nachricht",
			"0 Entscheidungen warten auf eine zweite Person"},
		{"de", 2, "2 zurückgehaltene Nachrichten",
			"2 Nachrichten werden zurückgehalten, die älteste seit"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *settings = g_strdup_printf(
			" digest-to = {\"team@seller.example\"}\n notice-language = %s\n",
			rows[i].language);
		World *w = world_new("review {\n url = \"https://review.example/\"\n}\n", settings);
		for (guint k = 0; k < rows[i].n; k++)
			g_free(world_hold(w, &(WorldHold){.age_us = 3 * DAY}));
		MsDesk *desk = world_desk(w);
		ms_desk_tick(desk);
		ms_desk_free(desk);
		desk = world_desk(w);
		ms_desk_tick(desk); /* once a day */
		g_autofree char *mail = only(w, "team@seller.example");
		g_autofree char *subject = field(mail, "Subject"), *words = words_of(mail);
		check_form(mail, true);
		g_assert_cmpstr(subject, ==, rows[i].subject);
		CONTAINS(words, rows[i].words);
		CONTAINS(words, "mismatch, for wrong, invoices");
		CONTAINS(words, "https://review.example/causes");
		CONTAINS(words,
			*rows[i].language == 'e'           ? "3 days"
				: *rows[i].language == 'f' ? "3 jours"
							   : "3 Tagen");
		ms_desk_free(desk);
		world_free(w);
	}
}

/* Mail that waits is counted by itself, and is no reason for a mail: no reviewer has to look. */
static void test_digest_delayed(void)
{
	static const struct {
		const char *language;
		guint held, waits;
		const char *words; /* NULL: no mail at all */
	} rows[] = {
		{"en", 1, 1, "1 message waits to be judged again."},
		{"fr", 1, 2, "2 messages attendent d'être jugés à nouveau."},
		{"de", 1, 2, "2 Nachrichten warten darauf, noch einmal beurteilt zu werden."},
		{"en", 1, 0, ""},
		{"en", 0, 2, NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *settings = g_strdup_printf(
			" digest-to = {\"team@seller.example\"}\n notice-language = %s\n",
			rows[i].language);
		World *w = world_new("", settings);
		for (guint k = 0; k < rows[i].held; k++)
			g_free(world_hold(w, &(WorldHold){.age_us = 3 * DAY}));
		for (guint k = 0; k < rows[i].waits; k++)
			g_free(world_hold(w,
				&(WorldHold){.wait_us = DAY, .waits_for = MS_UNKNOWN_RECIPIENT}));
		MsDesk *desk = world_desk(w);
		ms_desk_tick(desk);
		if (rows[i].words != NULL) {
			g_autofree char *mail = only(w, "team@seller.example");
			g_autofree char *words = words_of(mail);
			CONTAINS(words, rows[i].words);
			g_assert_true(rows[i].waits > 0 || strstr(words, "waits to be") == NULL);
		} else {
			g_autoptr(GPtrArray) got = stub_take(w->stub);
			g_assert_cmpuint(got->len, ==, 0);
		}
		ms_desk_free(desk);
		world_free(w);
	}
}

/* What the trail says of the last days: once in so long, and nothing where nothing was judged. */
static void test_summary(void)
{
	World *w = world_new("", " digest-to = {\"team@seller.example\"}\n summary-every = 7d\n");
	g_autofree char *path = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autoptr(GError) error = NULL;
	MsDesk *desk = world_desk(w);
	ms_desk_tick(desk);
	ms_desk_free(desk);
	g_autoptr(GPtrArray) none = stub_take(w->stub);
	g_assert_cmpuint(none->len, ==, 0);
	world_free(w);

	w = world_new("", " digest-to = {\"team@seller.example\"}\n summary-every = 7d\n");
	g_free(path);
	path = g_build_filename(w->state, "audit.jsonl", NULL);
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	g_autoptr(MsEnvelope) envelope = ms_envelope_new();
	envelope->sender = g_strdup("billing@seller.example");
	g_ptr_array_add(envelope->recipients, g_strdup("a@alpha.example"));
	g_autoptr(MsVerdict) verdict = ms_verdict_new();
	g_ptr_array_add(verdict->policies, g_strdup("invoices"));
	verdict->would = MS_HOLD;
	MsReason *reason = g_new0(MsReason, 1);
	*reason = (MsReason){
		.code = MS_MISMATCH, .policy = g_strdup("invoices"), .action = MS_HOLD};
	g_ptr_array_add(verdict->reasons, reason);
	const MsAuditMessage message = {.envelope = envelope, .verdict = verdict};
	for (int i = 0; i < 3; i++)
		g_assert_true(ms_audit_write(audit, &message, &error));
	desk = world_desk(w);
	ms_desk_tick(desk);
	ms_desk_free(desk);
	desk = world_desk(w);
	ms_desk_tick(desk); /* once in seven days */
	ms_desk_free(desk);
	g_autofree char *mail = only(w, "team@seller.example");
	g_autofree char *subject = field(mail, "Subject"), *words = words_of(mail);
	check_form(mail, true);
	g_assert_cmpstr(subject, ==, "What was judged");
	CONTAINS(words, "3 0 3 invoices");
	CONTAINS(words, "3 0 3 all messages");
	CONTAINS(words, "3 0 3 mismatch");
	LACKS(mail, "alpha.example");
	world_free(w);
}

/* Announced first; returned when the time that was announced is over, whatever second person. */
static void test_expiry(void)
{
	World *w = world_new("",
		" notice-to = {\"desk@seller.example\"}\n notice-window = 0s\n expire-after = 1d\n"
		" expire-warning = 1h\n two-person-above = 0\n keep-records = 1s\n");
	g_autofree char *old = world_hold(w, &(WorldHold){.age_us = 2 * DAY, .cause = "a"});
	g_autofree char *bounce = world_hold(
		w, &(WorldHold){.age_us = 2 * DAY, .cause = "a", .sender = ""});
	g_autofree char *fresh = world_hold(w, &(WorldHold){.cause = "a"});
	MsDesk *desk = world_desk(w);
	ms_desk_tick(desk);
	ms_desk_free(desk);
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	const Delivery *last = got->pdata[got->len - 1];
	g_autofree char *subject = field(last->text, "Subject"), *words = words_of(last->text);
	check_form(last->text, true);
	g_assert_cmpstr(subject, ==, "2 held messages expire soon");
	CONTAINS(words, "in 60 minutes or later");
	CONTAINS(words, old);
	CONTAINS(words, bounce);
	LACKS(words, fresh);
	g_autofree char *before = world_states(w, old);
	g_assert_cmpstr(before, ==, "held held held");
	g_autoptr(MsRecord) r = world_record(w, old), b = world_record(w, bounce);
	g_assert_cmpint(r->warned, >, 0);
	g_assert_true(ms_records_warned(w->ledger, r->id, 1, NULL));
	g_assert_true(ms_records_warned(w->ledger, b->id, 1, NULL));
	desk = world_desk(w);
	ms_desk_tick(desk);
	ms_desk_free(desk);
	g_autofree char *mail = only(w, WORLD_SENDER);
	g_autofree char *notice = words_of(mail);
	CONTAINS(notice, "Nobody decided on it in time.");
	g_assert_false(world_is_queued(w, r));
	g_assert_false(world_is_queued(w, b));
	/* And forgotten, being old, at the next look; what is held is not. */
	desk = world_desk(w);
	ms_desk_tick(desk);
	g_autoptr(MsRecord) gone = ms_records_find(w->ledger, old, NULL);
	g_assert_null(gone);
	g_autofree char *kept = world_states(w, fresh);
	g_assert_cmpstr(kept, ==, "held held held");
	ms_desk_free(desk);
	world_free(w);
}

/* Where another call carries out, the clock waits for nobody; what fails is not tried with every
 * tick. */
static void test_expiry_left(void)
{
	World *w = world_new("", " expire-after = 1d\n expire-warning = 1h\n");
	g_autofree char *uid = world_hold(w, &(WorldHold){.age_us = 2 * DAY});
	g_autoptr(MsRecord) r = world_record(w, uid);
	gint64 began = g_get_monotonic_time();
	for (int i = 0; i < 2; i++) {
		MsDesk *desk = world_desk(w);
		ms_desk_leave_work(desk, 100000); /* it would wait for itself */
		if (i == 0)
			g_assert_true(ms_records_warned(w->ledger, r->id, 1, NULL));
		stub_next(w->stub, AT_MAIL, STUB_REFUSE);
		ms_desk_tick(desk);
		ms_desk_work(desk, 0);
		g_autoptr(MsRecord) after = world_record(w, uid);
		g_assert_cmpuint(after->decisions->len, ==, 1);
		g_assert_cmpint(
			((MsDecision *)after->decisions->pdata[0])->state, ==, MS_DECISION_FAILED);
		ms_desk_free(desk);
	}
	g_assert_cmpint(g_get_monotonic_time() - began, <, 100 * G_USEC_PER_SEC);
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(return_rows); i++) {
		g_autofree char *path = g_strdup_printf("/notices/return/%s", return_rows[i].name);
		g_test_add_data_func(path, &return_rows[i], test_return);
	}
	g_test_add_func("/notices/return/whole", test_whole);
	g_test_add_func("/notices/return/large", test_large);
	g_test_add_func("/notices/return/without", test_without);
	g_test_add_func("/notices/held", test_held);
	g_test_add_func("/notices/untold", test_untold);
	g_test_add_func("/notices/hostile", test_hostile);
	g_test_add_func("/notices/digest", test_digest);
	g_test_add_func("/notices/digest-delayed", test_digest_delayed);
	g_test_add_func("/notices/summary", test_summary);
	g_test_add_func("/notices/expiry", test_expiry);
	g_test_add_func("/notices/expiry/left", test_expiry_left);
	return g_test_run();
}
