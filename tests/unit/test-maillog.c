/*
 * Logs of MTAs to messages: rows of lines, and what is to be made of them.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/maillog.h"

#include "../test.h"

#define AT(text) (g_date_time_to_unix(g_date_time_new_from_iso8601(text, NULL)) * G_USEC_PER_SEC)

static void add_word(GString *out, const char *name, const char *value)
{
	if (value != NULL)
		g_string_append_printf(out, " %s=%s", name, value);
}

static void tell_mail(GString *out, const MsMail *m)
{
	g_string_append_printf(out, "%s %s", m->queue_id, ms_came_names[m->came]);
	add_word(out, "by", m->service);
	add_word(out, "client", m->client);
	add_word(out, "user", m->auth_user);
	add_word(out, "from", m->sender);
	add_word(out, "of", m->parent);
	const struct {
		bool is;
		const char *word;
	} flags[] = {{m->accepted, "accepted"}, {m->held, "held"}, {m->refused, "refused"},
		{m->discarded, "discarded"}, {m->let_go, "let-go"}, {m->removed, "removed"},
		{m->redirected, "redirected"},
		{m->trouble != NULL, "trouble"}};
	for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
		if (flags[i].is)
			g_string_append_printf(out, " %s", flags[i].word);
	for (guint i = 0; i < m->deliveries->len; i++) {
		const MsDelivered *d = m->deliveries->pdata[i];
		g_string_append_printf(out, " %s:%s", d->sent ? "sent" : "not", d->to);
		add_word(out, "was", d->orig_to);
		add_word(out, "next", d->next);
	}
	g_string_append_c(out, '\n');
}

static char *tell(MsMaillog *log)
{
	GString *out = g_string_new(NULL);
	const GPtrArray *mails = ms_maillog_mails(log);
	for (guint i = 0; i < mails->len; i++)
		tell_mail(out, mails->pdata[i]);
	return g_string_free(out, FALSE);
}

static MsMaillog *feed(const char *text, const char *now)
{
	const MsMaillogOptions options = {.now = AT(now)};
	MsMaillog *log = ms_maillog_new(&options);
	char *copy = exact_copy(text, strlen(text));
	ms_maillog_feed(log, "test", copy, strlen(text));
	free(copy);
	return log;
}

/* ---- what lines say ------------------------------------------------------------------------ */

#define P "2026-11-26T09:00:01+00:00 mx postfix"
#define S "2026-11-26T09:00:01+00:00 mx sm-mta[77]: "

static const struct {
	const char *name, *log, *want;
} lines[] = {
	{"a message over SMTP",
		P
		"/smtpd[7]: 4jXfpR2nhgz1bY3s: client=app[192.0.2.7]:4711, sasl_method=PLAIN, sasl_username=anna\n" P
		"/cleanup[8]: 4jXfpR2nhgz1bY3s: message-id=<a@b>\n" P
		"/qmgr[9]: 4jXfpR2nhgz1bY3s: from=<billing@s.example>, size=321, nrcpt=2 (queue active)\n" P
		"/smtp[10]: 4jXfpR2nhgz1bY3s: to=<x@a.example>, orig_to=<y@a.example>, relay=mx.a[192.0.2.9]:25, delay=0.1,"
		" delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jXfpZ2nhgz1bY3t)\n" P
		"/smtp[10]: 4jXfpR2nhgz1bY3s: to=<z@a.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect)\n" P
		"/qmgr[9]: 4jXfpR2nhgz1bY3s: removed\n",
		"4jXfpR2nhgz1bY3s smtp by=smtpd client=192.0.2.7 user=anna from=billing@s.example accepted removed"
		" sent:x@a.example was=y@a.example next=4jXfpZ2nhgz1bY3t not:z@a.example\n"},
	{"a listener with a name, and an instance",
		"Nov 26 09:00:01 mx postfix-out/submission/smtpd[7]: 9A0C1D2E3F: client=h[2001:db8::1]\n",
		"9A0C1D2E3F smtp by=submission/smtpd client=2001:db8::1\n"},
	{"held, and let go by hand",
		P
		"/smtpd[7]: ABCDE1: client=h[127.0.0.1]\n" P
		"/cleanup[8]: ABCDE1: milter-hold: END-OF-MESSAGE from h[127.0.0.1]: missent: mismatch; from=<a@b> to=<c@d>\n" P
		"/postsuper[9]: ABCDE1: released from hold\n",
		"ABCDE1 smtp by=smtpd client=127.0.0.1 held let-go\n"},
	{"refused, discarded",
		P
		"/cleanup[8]: ABCDE1: milter-reject: END-OF-MESSAGE from h[127.0.0.1]: 4.7.1 later; from=<a@b> to=<c@d>\n" P
		"/cleanup[8]: ABCDE2: milter-discard: END-OF-MESSAGE from h[127.0.0.1]: x\n",
		"ABCDE1 unknown refused\nABCDE2 unknown discarded\n"},
	{"sent elsewhere by what is in it; by an access table it is judged all the same",
		P
		"/cleanup[8]: ABCDE1: redirect: header Subject: x from h[127.0.0.1]; from=<a@b> to=<c@d>: e@f\n" P
		"/cleanup[8]: ABCDE2: redirect: body x from h[127.0.0.1]; from=<a@b> to=<c@d>: e@f\n" P
		"/smtpd[7]: ABCDE3: redirect: RCPT from h[127.0.0.1]: <c@d>: Recipient address triggers REDIRECT e@f\n",
		"ABCDE1 unknown redirected\nABCDE2 unknown redirected\nABCDE3 unknown\n"},
	{"one recipient that a milter refuses does not refuse the message",
		P
		"/smtpd[7]: ABCDE1: client=h[127.0.0.1]\n" P
		"/smtpd[7]: ABCDE1: milter-reject: RCPT from h[127.0.0.1]: 5.7.1 no; from=<a@b> to=<c@d>\n",
		"ABCDE1 smtp by=smtpd client=127.0.0.1\n"},
	{"local, put back, of a bounce, of nobody",
		P "/pickup[3]: ABCDE1: uid=1000 from=<anna>\n" P
		  "/pickup[3]: ABCDE2: uid=0 from=<a@b> orig_id=ABCDE9\n" P
		  "/cleanup[8]: ABCDE3: message-id=<x@mx>\n" P
		  "/bounce[4]: ABCDE1: sender non-delivery notification: ABCDE3\n" P
		  "/cleanup[8]: ABCDE4: message-id=<y@mx>\n",
		"ABCDE1 local by=pickup\nABCDE2 requeued by=pickup of=ABCDE9\nABCDE3 bounce of=ABCDE1\nABCDE4 internal\n"},
	{"an ID that is used again",
		P "/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n" P
		  "/qmgr[9]: ABCDE1: from=<a@b>, size=1, nrcpt=1 (queue active)\n" P
		  "/qmgr[9]: ABCDE1: removed\n" P "/smtpd[7]: ABCDE1: client=h[192.0.2.2]\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1 from=a@b accepted removed\nABCDE1 smtp by=smtpd client=192.0.2.2\n"},
	{"the same ID in another instance, and on another host",
		P "/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n"
		  "2026-11-26T09:00:01+00:00 mx postfix-in/smtpd[7]: ABCDE1: client=h[192.0.2.2]\n"
		  "2026-11-26T09:00:01+00:00 my postfix/smtpd[7]: ABCDE1: client=h[192.0.2.3]\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1\nABCDE1 smtp by=smtpd client=192.0.2.2\n"
		"ABCDE1 smtp by=smtpd client=192.0.2.3\n"},
	{"a milter that cannot be asked, for the whole of a session and no longer",
		P
		"/smtpd[7]: connect from h[192.0.2.1]\n" P
		"/smtpd[7]: warning: connect to Milter service unix:missent/missent.sock: No such file or directory\n" P
		"/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n" P
		"/cleanup[8]: ABCDE1: message-id=<>\n" P
		"/smtpd[7]: ABCDE2: client=h[192.0.2.1]\n" P
		"/smtpd[7]: disconnect from h[192.0.2.1]\n" P
		"/smtpd[7]: connect from h[192.0.2.1]\n" P
		"/smtpd[7]: ABCDE3: client=h[192.0.2.1]\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1 trouble\nABCDE2 smtp by=smtpd client=192.0.2.1 trouble\n"
		"ABCDE3 smtp by=smtpd client=192.0.2.1\n"},
	{"... at the end of a message",
		P
		"/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n" P
		"/cleanup[8]: ABCDE1: message-id=<a>\n" P
		"/cleanup[8]: warning: milter unix:x: can't read SMFIC_BODYEOB reply packet header: Connection timed out\n" P
		"/qmgr[9]: ABCDE1: from=<a@b>, size=1, nrcpt=1 (queue active)\n" P
		"/smtpd[7]: ABCDE2: client=h[192.0.2.1]\n" P
		"/cleanup[8]: ABCDE2: message-id=<a>\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1 from=a@b accepted trouble\nABCDE2 smtp by=smtpd client=192.0.2.1\n"},
	{"an address that looks like the rest of a line",
		P
		"/smtp[10]: ABCDE1: to=<\"x>, relay=y, status=sent (queued as AAAAAAA1)\"@a.example>, relay=none, delay=1, status=deferred (no)\n",
		"ABCDE1 unknown accepted not:\"x>, relay=y, status=sent (queued as AAAAAAA1)\"@a.example\n"},
	{"a quote that does not end",
		P
		"/smtp[10]: ABCDE1: to=<x\"@a.example>, relay=none, delay=1, status=sent (250 ok)\n",
		"ABCDE1 unknown accepted sent:x\"@a.example\n"},
	{"words of another host are no status",
		P
		"/smtp[10]: ABCDE1: to=<x@a>, relay=h, status=bounced (host said: 550 to=<y@a>, status=sent (queued as AAAAAAA1))\n",
		"ABCDE1 unknown accepted not:x@a\n"},
	{"words that are no queue ID, and lines of others",
		P "/smtpd[7]: warning: client=h[192.0.2.1]\n" P
		  "/smtpd[7]: NOQUEUE: client=h[192.0.2.1]\n"
		  "2026-11-26T09:00:01+00:00 mx missentd[7]: ABCDE1: action=hold\n"
		  "2026-11-26T09:00:01+00:00 mx last message repeated 2 times\n",
		""},
	{"Sendmail: taken, and sent",
		S
		"5AQ901ab000077: from=<billing@s.example>, size=1, class=0, nrcpts=2, msgid=<a@b>, proto=ESMTP, daemon=MTA, relay=app [192.0.2.7]\n" S
		"5AQ901ab000077: to=<x@a.example>,<y@a.example>, delay=00:00:00, mailer=relay, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0,"
		" stat=Sent (5AQ901ab000078 Message accepted for delivery)\n",
		"5AQ901ab000077 smtp by=MTA client=192.0.2.7 from=billing@s.example accepted sent:x@a.example next=5AQ901ab000078"
		" sent:y@a.example next=5AQ901ab000078\n"},
	{"Sendmail: a milter that could not be asked, before the message has its line",
		S
		"5AQ901ab000077: Milter (missent): error connecting to filter: Connection refused\n" S
		"5AQ901ab000077: from=<a@b>, size=1, nrcpts=1, daemon=MTA, relay=app [IPv6:2001:db8::7]\n",
		"5AQ901ab000077 smtp by=MTA client=2001:db8::7 from=a@b trouble\n"},
	{"Sendmail: held, and let go",
		S
		"5AQ901ab000077: from=<a@b>, size=1, nrcpts=1, daemon=MTA, relay=app [192.0.2.7]\n" S
		"5AQ901ab000077: milter=missent, quarantine=missent: mismatch\n" S
		"5AQ901ab000077: unquarantine\n",
		"5AQ901ab000077 smtp by=MTA client=192.0.2.7 from=a@b held let-go\n"},
	{"Sendmail: refused",
		S
		"5AQ901ab000077: from=<a@b>, size=1, nrcpts=1, daemon=MTA, relay=app [192.0.2.7]\n" S
		"5AQ901ab000077: Milter: data, reject=451 4.7.1 later\n" S
		"5AQ901ab000077: to=<c@d>, delay=00:00:00, pri=1, stat=later\n",
		"5AQ901ab000077 smtp by=MTA client=192.0.2.7 from=a@b refused not:c@d\n"},
	{"Sendmail: a return, and mail of a user here",
		S
		"5AQ901ab000077: from=anna, size=1, nrcpts=1, relay=anna@localhost\n" S
		"5AQ901ab000077: 5AQ901ab000078: DSN: Host unknown (Name server: a: host not found)\n",
		"5AQ901ab000077 local from=anna\n5AQ901ab000078 bounce from= of=5AQ901ab000077 accepted\n"},
	{"Sendmail: a list with an owner, of whose members some have another envelope",
		S
		"5AQ901ab000077: from=<a@b>, size=1, nrcpts=1, daemon=MTA, relay=app [192.0.2.7]\n" S
		"5AQ901ab000077: 5AQ901ab000078: clone: owner=owner-list\n" S
		"5AQ901ab000078: to=<x@a.example>, delay=00:00:00, mailer=esmtp, relay=h [192.0.2.9], dsn=2.0.0, stat=Sent (ok)\n",
		"5AQ901ab000077 smtp by=MTA client=192.0.2.7 from=a@b\n"
		"5AQ901ab000078 split of=5AQ901ab000077 accepted sent:x@a.example\n"},
	{"Sendmail: more recipients than a line has room for",
		S
		"5AQ901ab000077: to=<x@a.example>,<y@a.example>, [more], delay=00:00:00, mailer=esmtp, relay=h [192.0.2.9], stat=Sent (ok)\n" S
		"5AQ901ab000077: to=<z@a.example>, delay=00:00:00, mailer=esmtp, relay=h [192.0.2.9], stat=Sent (ok)\n",
		"5AQ901ab000077 unknown accepted sent:x@a.example sent:y@a.example sent:z@a.example\n"},
	{"an ID at which the line was cut off is of no message",
		P "/smtpd[7]: ABCDE1: client=h[192.0.2.1], orig_queue_id=\n" P
		  "/pickup[3]: ABCDE2: uid=0 from=<a@b> orig_id=AB\n" P
		  "/bounce[4]: ABCDE1: sender non-delivery notification: \n" P
		  "/bounce[4]: ABCDE1: sender non-delivery notification: AB\n" P
		  "/bounce[4]: ABCDE1: sender non-delivery notification: ABCDE3 and more\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1\nABCDE2 requeued by=pickup\n"},
	{"... of Sendmail",
		S "5AQ901ab000077: split: maxrcpts=1, rcpts=2, count=1, ids=5AQ901ab000078, 5AQ90\n",
		"5AQ901ab000078 split of=5AQ901ab000077\n"},
	{"Sendmail: parts of a message, as 8.17 names them",
		S "5AQ901ab000077: split: maxrcpts=1, rcpts=3, count=2, ids=5AQ901ab000078; 5AQ901ab000079\n",
		"5AQ901ab000078 split of=5AQ901ab000077\n5AQ901ab000079 split of=5AQ901ab000077\n"},
	{"Sendmail: more of them than a line has room for",
		S "5AQ901ab000077[1]: split: maxrcpts=1, rcpts=4, count=3, ids=5AQ901ab000078;  ...\n" S
		  "5AQ901ab000077[2]: 5AQ901ab000079;  ...\n" S
		  "5AQ901ab000077[3]: 5AQ901ab000080\n",
		"5AQ901ab000078 split of=5AQ901ab000077\n5AQ901ab000079 split of=5AQ901ab000077\n"
		"5AQ901ab000080 split of=5AQ901ab000077\n"},
	{"Sendmail: what another host says in a long line ties nothing",
		S "5AQ901ab000077[1]: to=<x@a.example>, relay=h [192.0.2.9], stat=Sent (5AQ901ab000078  ...\n" S
		  "5AQ901ab000077[2]: 5AQ901ab000079 Message accepted)\n",
		""},
	{"lines that stand there twice",
		P "/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n" P
		  "/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n" P
		  "/smtp[9]: ABCDE1: to=<x@a>, relay=h, status=sent (ok)\n" P
		  "/smtp[9]: ABCDE1: to=<x@a>, relay=h, status=sent (ok)\n" P
		  "/smtp[9]: ABCDE1: to=<y@a>, relay=h, status=sent (ok)\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1 accepted sent:x@a sent:y@a\n"},
	{"... of Sendmail",
		S
		"5AQ901ab000077: from=<a@b>, size=1, nrcpts=1, daemon=MTA, relay=app [192.0.2.7]\n" S
		"5AQ901ab000077: from=<a@b>, size=1, nrcpts=1, daemon=MTA, relay=app [192.0.2.7]\n" S
		"5AQ901ab000077: to=<x@a>, stat=Sent (ok)\n" S
		"5AQ901ab000077: to=<x@a>, stat=Sent (ok)\n",
		"5AQ901ab000077 smtp by=MTA client=192.0.2.7 from=a@b accepted sent:x@a\n"},
	{"the same words of another process, or at another time, are another event",
		P "/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n" P
		  "/smtpd[8]: ABCDE1: client=h[192.0.2.1]\n"
		  "2026-11-26T09:00:02+00:00 mx postfix/smtpd[8]: ABCDE1: client=h[192.0.2.1]\n",
		"ABCDE1 smtp by=smtpd client=192.0.2.1\nABCDE1 smtp by=smtpd client=192.0.2.1\n"
		"ABCDE1 smtp by=smtpd client=192.0.2.1\n"},
};

/* The same three lines in each form that syslog daemons write. */
static void test_forms(void)
{
	static const struct {
		const char *name, *before;
		bool yearless;
	} forms[] = {
		{"traditional", "Nov 26 09:00:01 mx postfix/%s[7]: ", true},
		{"with a priority", "<22>Nov 26 09:00:01 mx postfix/%s[7]: ", true},
		{"RFC 3339", "2026-11-26T09:00:01.5+00:00 mx postfix/%s[7]: ", false},
		{"RFC 5424", "<22>1 2026-11-26T09:00:01.5Z mx postfix/%s 7 - - ", false},
		{"RFC 5424 with elements",
			"<22>1 2026-11-26T09:00:01Z mx postfix/%s 7 ID [a@1 b=\"] \\\" [\"][c d=\"e\"] ",
			false},
		{"RFC 5424 with a mark",
			"<22>1 2026-11-26T09:00:01Z mx postfix/%s 7 - - \xef\xbb\xbf", false},
	};
	static const char *const words[][2] = {{"smtpd", "ABCDE1: client=h[192.0.2.1]"},
		{"qmgr", "ABCDE1: from=<a@seller.example>, size=1, nrcpt=1 (queue active)"},
		{"smtp", "ABCDE1: to=<b@alpha.example>, relay=h[192.0.2.9]:25, delay=1, dsn=2.0.0, "
			 "status=sent (250 ok)"}};
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		for (gsize k = 0; k < G_N_ELEMENTS(words); k++) {
			g_autoptr(GString) before = g_string_new(forms[i].before);
			g_string_replace(before, "%s", words[k][0], 0);
			g_string_append_printf(text, "%s%s\n", before->str, words[k][1]);
		}
		g_autoptr(MsMaillog) log = feed(text->str, "2026-11-27T00:00:00Z");
		g_autofree char *got = tell(log);
		const char *want = "ABCDE1 smtp by=smtpd client=192.0.2.1 from=a@seller.example "
				   "accepted sent:b@alpha.example\n";
		if (strcmp(got, want) != 0)
			g_error("%s: got\n%swant\n%s", forms[i].name, got, want);
		g_assert_cmpuint(ms_maillog_notes(log)->undated, ==, 0);
		g_assert_cmpint(ms_maillog_notes(log)->yearless, ==, forms[i].yearless);
	}
	/* Cut off anywhere it is nobody's line, and read not too far. */
	static const char whole[] = "<22>1 2026-11-26T09:00:01Z mx postfix/smtpd 7 - [a b=\"c\"] A";
	for (gsize n = 1; n < sizeof whole; n++) {
		g_autofree char *some = g_strndup(whole, n), *line = g_strconcat(some, "\n", NULL);
		g_autoptr(MsMaillog) log = feed(line, "2026-11-27T00:00:00Z");
		g_assert_cmpuint(ms_maillog_mails(log)->len, ==, 0);
	}
}

static void test_lines(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(MsMaillog) log = feed(lines[i].log, "2026-11-27T00:00:00Z");
		g_autofree char *got = tell(log);
		if (strcmp(got, lines[i].want) != 0)
			g_error("%s: got\n%swant\n%s", lines[i].name, got, lines[i].want);
	}
}

/* ---- what time it is ----------------------------------------------------------------------- */

static const struct {
	const char *name, *zone, *now;
	const char *stamps[5]; /* of lines, one after the other */
	const char *want[5];   /* UTC; "": not understood */
} times[] = {
	{"traditional", "UTC", "2026-11-27T00:00:00Z", {"Nov 26 09:00:01", "Nov  6 09:00:01"},
		{"2026-11-26T09:00:01Z", "2026-11-06T09:00:01Z"}},
	{"a zone", "Europe/Berlin", "2026-11-27T00:00:00Z", {"Nov 26 09:00:01", "Jul  1 09:00:01"},
		{"2026-11-26T08:00:01Z", "2026-07-01T07:00:01Z"}},
	{"over the turn of the year", "UTC", "2026-01-01T02:00:00Z",
		{"Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 31 23:59:59", "Jan  1 00:00:02"},
		{"2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z",
			"2026-01-01T00:00:02Z"}},
	{"a file of last year", "UTC", "2026-01-01T02:00:00Z",
		{"Nov 26 09:00:01", "Dec 31 23:59:59"},
		{"2025-11-26T09:00:01Z", "2025-12-31T23:59:59Z"}},
	{"the 29th of February", "UTC", "2026-11-27T00:00:00Z",
		{"Feb 29 09:00:01", "Feb 30 09:00:01"}, {"2024-02-29T09:00:01Z", ""}},
	{"clocks put back", "Europe/Berlin", "2026-11-27T00:00:00Z",
		{"Oct 25 02:30:00", "Oct 25 02:59:59", "Oct 25 02:00:10", "Oct 25 02:59:59",
			"Oct 25 03:00:01"},
		{"2026-10-25T00:30:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:10Z",
			"2026-10-25T01:59:59Z", "2026-10-25T02:00:01Z"}},
	{"clocks put forward", "Europe/Berlin", "2026-11-27T00:00:00Z",
		{"Mar 29 01:59:59", "Mar 29 03:00:00"},
		{"2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"}},
	{"RFC 3339", "Europe/Berlin", "2026-11-27T00:00:00Z",
		{"2026-11-26T09:00:01Z", "2026-11-26T09:00:01.999+01:00",
			"2026-11-26T09:00:01-05:30", "2026-11-26 09:00:01"},
		{"2026-11-26T09:00:01Z", "2026-11-26T08:00:01Z", "2026-11-26T14:30:01Z",
			"2026-11-26T08:00:01Z"}},
	{"another language, and none", "UTC", "2026-11-27T00:00:00Z",
		{"Dez 24 09:00:01", "nov. 26 09:00:01", "2026-13-01T00:00:00Z", "Nov 26 24:00:01"},
		{"", "", "", ""}},
};

static void check_time(const char *name, const MsMail *mail, const char *want)
{
	if (mail->first / G_USEC_PER_SEC * G_USEC_PER_SEC != AT(want)) {
		g_autoptr(GDateTime)
			time = g_date_time_new_from_unix_utc(mail->first / G_USEC_PER_SEC);
		g_autofree char *got = g_date_time_format_iso8601(time);
		g_error("%s: got %s, want %s", name, got, want);
	}
}

static void test_times(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		g_setenv("TZ", times[i].zone, TRUE);
		tzset();
		g_autoptr(GString) text = g_string_new(NULL);
		guint undated = 0;
		for (int k = 0; k < 5 && times[i].stamps[k] != NULL; k++) {
			g_string_append_printf(text,
				"%s mx postfix/smtpd[7]: ABCDE%d: client=h[192.0.2.1]\n",
				times[i].stamps[k], k);
			undated += *times[i].want[k] == '\0';
		}
		g_autoptr(MsMaillog) log = feed(text->str, times[i].now);
		const GPtrArray *mails = ms_maillog_mails(log);
		for (guint k = 0; k < mails->len; k++) {
			const MsMail *mail = mails->pdata[k];
			check_time(times[i].name, mail, times[i].want[mail->queue_id[5] - '0']);
		}
		g_assert_cmpuint(ms_maillog_notes(log)->undated, ==, undated);
		g_assert_true((undated > 0) == (ms_maillog_notes(log)->undated_line != NULL));
	}
	g_setenv("TZ", "UTC", TRUE);
	tzset();
}

/* ---- files --------------------------------------------------------------------------------- */

static char *some_log(const char *id, int hour, int n)
{
	GString *out = g_string_new(NULL);
	for (int i = 0; i < n; i++)
		g_string_append_printf(out,
			"Nov 26 %02d:00:01 mx postfix/smtpd[7]: %s%d: client=h[192.0.2.1]\n", hour,
			id, i);
	return g_string_free(out, FALSE);
}

static char *write_packed(
	const char *dir, const char *name, const char *text, int (*filter)(struct archive *))
{
	char *path = g_build_filename(dir, name, NULL);
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	if (filter != NULL)
		g_assert_cmpint(filter(a), ==, ARCHIVE_OK);
	archive_write_set_format_raw(a);
	g_assert_cmpint(archive_write_open_filename(a, path), ==, ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_write_header(a, entry);
	g_assert_cmpint(archive_write_data(a, text, strlen(text)), ==, (la_ssize_t)strlen(text));
	archive_write_free(a);
	archive_entry_free(entry);
	return path;
}

/* Rotated, packed in every way, in any order: the same messages in the order in which they came. */
static void test_files(void)
{
	g_autofree char *dir = scratch_folder();
	int (*const filters[])(struct archive *) = {NULL, archive_write_add_filter_gzip,
		archive_write_add_filter_xz, archive_write_add_filter_zstd,
		archive_write_add_filter_bzip2};
	char *paths[7] = {NULL};
	for (int i = 0; i < 5; i++) {
		g_autofree char *id = g_strdup_printf("ABCDE%d", i),
				*name = g_strdup_printf("mail.log.%d", 4 - i);
		g_autofree char *text = some_log(id, 9 + i, 300);
		paths[(i * 3) % 5] = write_packed(dir, name, text, filters[i]);
	}
	paths[5] = write_packed(dir, "empty", "", NULL);
	const MsMaillogOptions options = {.now = AT("2026-11-27T00:00:00Z")};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	g_autoptr(GError) error = NULL;
	ms_maillog_read(log, (const char *const *)paths, &error);
	g_assert_no_error(error);
	const GPtrArray *mails = ms_maillog_mails(log);
	g_assert_cmpuint(mails->len, ==, 1500);
	for (guint i = 0; i < mails->len; i++)
		g_assert_cmpint(((MsMail *)mails->pdata[i])->queue_id[5] - '0', ==, (int)i / 300);
	g_assert_cmpuint(ms_maillog_notes(log)->problems->len, ==, 0);
	for (int i = 0; i < 6; i++)
		g_free(paths[i]);
	remove_folder(dir);
}

/* What rsyslog writes to two files, and logrotate has packed and not yet removed: each mail
 * once. */
static void test_twice(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *text = some_log("ABCDE", 9, 300), *later = some_log("ABCDF", 10, 300);
	g_autofree char *both = g_strconcat(text, later, NULL);
	g_autofree char *a = write_packed(dir, "mail.log.1", text, NULL),
			*b = write_packed(
				dir, "mail.log.1.gz", text, archive_write_add_filter_gzip),
			*c = write_packed(dir, "mail.info", both, NULL),
			*d = write_packed(dir, "mail.log", later, NULL);
	const char *const paths[] = {a, b, c, d, NULL};
	const MsMaillogOptions options = {.now = AT("2026-11-27T00:00:00Z")};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	g_assert_true(ms_maillog_read(log, paths, NULL));
	g_assert_cmpuint(ms_maillog_mails(log)->len, ==, 600);
	g_assert_cmpuint(ms_maillog_notes(log)->again, ==, 900);
	remove_folder(dir);
}

/* journalctl marks boots and gaps by lines of its own; they lack no time. */
static void test_marks(void)
{
	g_autoptr(MsMaillog) log = feed(
		"-- Journal begins at Mon 2026-11-02 09:00:00 UTC, ends at Thu 2026-11-26 09:00:02 UTC. --\n"
		"Nov 26 09:00:01 mx postfix/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n"
		"-- Boot 0123456789abcdef0123456789abcdef --\n"
		"Nov 26 09:00:02 mx postfix/smtpd[7]: ABCDE2: client=h[192.0.2.1]\n",
		"2026-11-27T00:00:00Z");
	g_assert_cmpuint(ms_maillog_mails(log)->len, ==, 2);
	g_assert_cmpuint(ms_maillog_notes(log)->undated, ==, 0);
}

/* missentd says of two messages with one ID, and of two hosts, that it let them go unchecked. */
static void test_unchecked(void)
{
	static const char *const said[] = {"mx 10", "mx 12", "my 12"};
	g_autoptr(GString) text = g_string_new(NULL);
	for (int hour = 10; hour <= 12; hour++)
		for (int k = 0; k < 2; k++) {
			const char *host = k == 0 ? "mx" : "my";
			g_autofree char *name = g_strdup_printf("%s %d", host, hour);
			g_string_append_printf(text,
				"2026-11-26T%d:00:01Z %s postfix/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n",
				hour, host);
			for (gsize i = 0; i < G_N_ELEMENTS(said); i++)
				if (strcmp(said[i], name) == 0)
					g_string_append_printf(text,
						"2026-11-26T%d:00:01Z %s missentd[5]: ABCDE1: action=deliver, unchecked=yes\n",
						hour, host);
		}
	g_autoptr(MsMaillog) log = feed(text->str, "2026-11-27T00:00:00Z");
	g_autoptr(GString) got = g_string_new(NULL);
	const GPtrArray *mails = ms_maillog_mails(log);
	for (guint i = 0; i < mails->len; i++) {
		const MsMail *m = mails->pdata[i];
		g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(m->first / G_USEC_PER_SEC);
		if (m->unchecked)
			g_string_append_printf(got, "%s %d,", m->host, g_date_time_get_hour(at));
	}
	g_assert_cmpstr(got->str, ==, "mx 10,mx 12,my 12,");
}

/* A packed file that was cut, a line without an end, a file that is none. */
static void test_cut(void)
{
	g_autofree char *dir = scratch_folder();
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(text,
			"Nov 26 09:00:01 mx postfix/smtpd[7]: AB%d: client=h[192.0.2.%d]\n",
			10000 + i, g_random_int_range(1, 250));
	g_autofree char *path = write_packed(dir, "a.gz", text->str, archive_write_add_filter_gzip);
	GStatBuf st;
	g_assert_cmpint(g_stat(path, &st), ==, 0);
	g_assert_cmpint(truncate(path, st.st_size / 2), ==, 0);
	const MsMaillogOptions options = {.now = AT("2026-11-27T00:00:00Z")};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	g_autoptr(GError) error = NULL;
	ms_maillog_read(log, (const char *const[]){path, NULL}, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(ms_maillog_notes(log)->problems->len, ==, 1);
	g_assert_cmpuint(ms_maillog_mails(log)->len, >, 100);
	g_assert_false(
		ms_maillog_read(log, (const char *const[]){"/nowhere/at.all", NULL}, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_ABSENT);
	g_clear_error(&error);
	g_assert_false(ms_maillog_read(log, (const char *const[]){dir, NULL}, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_ABSENT);
	remove_folder(dir);
	g_autoptr(MsMaillog) half = feed(
		"Nov 26 09:00:01 mx postfix/smtpd[7]: ABCDE1: client=h[192.0.2.1]\nNov 26 09:00:02 mx postfix/sm",
		"2026-11-27T00:00:00Z");
	g_assert_cmpuint(ms_maillog_notes(half)->cut, ==, 1);
	g_assert_cmpuint(ms_maillog_mails(half)->len, ==, 1);
	g_autofree char *filler = g_strnfill(100000, 'x');
	g_autofree char *is_long = g_strdup_printf(
		"Nov 26 09:00:01 mx postfix/smtpd[7]: ABCDE1: client=h[192.0.2.1]\n%s\n"
		"Nov 26 09:00:01 mx postfix/smtpd[7]: ABCDE2: client=h[192.0.2.1]\n",
		filler);
	g_autoptr(MsMaillog) over = feed(is_long, "2026-11-27T00:00:00Z");
	g_assert_cmpuint(ms_maillog_notes(over)->cut, ==, 1);
	g_assert_cmpuint(ms_maillog_mails(over)->len, ==, 2);
}

static void test_journal(void)
{
	static const char text[] =
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795683601000000\n_HOSTNAME=mx\nSYSLOG_IDENTIFIER=postfix/smtpd\n"
		"SYSLOG_PID=7\n_PID=1\nMESSAGE=ABCDE1: client=h[192.0.2.1]\n\n"
		"__REALTIME_TIMESTAMP=1795683602000000\n_SOURCE_REALTIME_TIMESTAMP=1795683601500000\n_HOSTNAME=mx\n"
		"BINARY\n\x05\0\0\0\0\0\0\0a\nb\0c\nSYSLOG_IDENTIFIER=postfix/qmgr\n"
		"MESSAGE\n\x37\0\0\0\0\0\0\0"
		"ABCDE1: from=<a@b>, size=1, nrcpt=1 (queue active)     \n\n"
		"__REALTIME_TIMESTAMP=1795683603000000\nSYSLOG_IDENTIFIER=kernel\nMESSAGE=ABCDE2: client=h[192.0.2.1]\n\n"
		"__REALTIME_TIMESTAMP=1795683604000000\n_HOSTNAME=mx\nSYSLOG_IDENTIFIER=postfix/qmgr\nMESSAGE=ABCDE1: removed\n";
	const MsMaillogOptions options = {.now = AT("2026-11-27T00:00:00Z")};
	g_autoptr(MsMaillog) log = ms_maillog_new(&options);
	char *copy = exact_copy(text, sizeof text - 1);
	ms_maillog_feed(log, "journal", copy, sizeof text - 1);
	free(copy);
	g_autofree char *got = tell(log);
	g_assert_cmpstr(
		got, ==, "ABCDE1 smtp by=smtpd client=192.0.2.1 from=a@b accepted removed\n");
	const MsMail *mail = ms_maillog_mails(log)->pdata[0];
	g_assert_cmpint(mail->first, ==, 1795683601000000);
	g_assert_cmpuint(mail->pid, ==, 7);
}

int main(int argc, char **argv)
{
	g_setenv("TZ", "UTC", TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/maillog/forms", test_forms);
	g_test_add_func("/maillog/lines", test_lines);
	g_test_add_func("/maillog/times", test_times);
	g_test_add_func("/maillog/files", test_files);
	g_test_add_func("/maillog/twice", test_twice);
	g_test_add_func("/maillog/marks", test_marks);
	g_test_add_func("/maillog/unchecked", test_unchecked);
	g_test_add_func("/maillog/cut", test_cut);
	g_test_add_func("/maillog/journal", test_journal);
	return g_test_run();
}
