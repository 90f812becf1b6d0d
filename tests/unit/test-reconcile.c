/*
 * Rows of a log and of a trail, and what is to be told of them.
 */
#include "config.h"

#include "missent/alert.h"
#include "missent/audit.h"
#include "missent/clock.h"
#include "missent/reconcile.h"
#include "missent/token.h"

#include "../test.h"
#include "../trail.h"

static char *dir, *config;
static guint8 key[MS_AUDIT_KEY_BYTES] = {1, 2, 3}, new_key[MS_AUDIT_KEY_BYTES] = {4, 5, 6};

static void write_file(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* ---- the trail: "09:00:05 ABCDE1 hold a@x,b@y-" (withheld), and after a blank a version of
 * policies  */

static void add_recipients(GString *out, const char *list)
{
	g_auto(GStrv) all = g_strsplit(list, ",", -1);
	g_string_append_printf(out, ",\"recipients\":%u,\"to\":[", g_strv_length(all));
	for (int i = 0; all[i] != NULL; i++) {
		bool withheld = g_str_has_suffix(all[i], "-");
		if (withheld)
			all[i][strlen(all[i]) - 1] = '\0';
		g_autofree char *id = ms_audit_id_of_address(key, all[i]);
		g_string_append_printf(out, "%s{\"id\":\"%s\"%s}", i > 0 ? "," : "", id,
			withheld ? ",\"withheld\":true" : "");
	}
	g_string_append_c(out, ']');
}

static void write_trail(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *number = ms_audit_key_number(key);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (int i = 0; lines[i] != NULL; i++) {
		g_auto(GStrv) w = g_strsplit(lines[i], " ", 5);
		if (g_strv_length(w) < 2)
			continue;
		if (strcmp(w[1], "undone") == 0) { /* "09:00:20 undone ABCDE1 09:00:05" */
			g_autofree char *time = g_strdup_printf("2026-11-26T%s.000Z", w[0]);
			trail_undo(out, time, "mx", w[2], w[3]);
			continue;
		}
		if (g_strv_length(w) < 4) {
			g_string_append_printf(out,
				"{\"time\":\"2026-11-26T%s.000Z\",\"type\":\"act\",\"event\":\"%s\"}\n",
				w[0], w[1]);
			continue;
		}
		g_string_append_printf(out,
			"{\"time\":\"2026-11-26T%s.000Z\",\"type\":\"message\",\"key\":\"%s\",\"host\":\"mx\","
			"\"queue_id\":\"%s\",\"arrived\":\"%s\",\"verdict\":\"%s\"",
			w[0], number, w[1], w[0], w[2]);
		add_recipients(out, w[3]);
		if (w[4] != NULL)
			g_string_append_printf(out, ",\"versions\":{\"policies\":\"%s\"}", w[4]);
		g_string_append(out, "}\n");
	}
	write_file("audit.jsonl", out->str);
}

/* ---- the log, of "09:00:01 mx postfix/smtpd[7]: ..." ------------------------------------ */

#define CLIENT(time, id)                                                          \
	time " smtpd[7]: " id ": client=app[192.0.2.7]\n" time " cleanup[8]: " id \
	     ": message-id=<x@y>\n"
#define BACK(time, id, of)                                                       \
	time " smtpd[7]: " id ": client=localhost[127.0.0.1], orig_queue_id=" of \
	     ", orig_client=app[192.0.2.7]\n" time " cleanup[8]: " id ": message-id=<x@y>\n"
#define OUT_BACK(time, id, of)                                                                  \
	time " mx postfix-out/smtpd[7]: " id ": client=localhost[127.0.0.1], orig_queue_id=" of \
	     "\n" time " mx postfix-out/qmgr[9]: " id                                           \
	     ": from=<billing@seller.example>, size=1, nrcpt=1 (queue active)\n" time           \
	     " mx postfix-out/smtp[10]: " id                                                    \
	     ": to=<a@x.example>, relay=mx[192.0.2.9]:25, status=sent (250 ok)\n"
#define FROM(time, id) \
	time " qmgr[9]: " id ": from=<billing@seller.example>, size=1, nrcpt=1 (queue active)\n"
#define N_FROM(time, id, n)                                                        \
	time " qmgr[9]: " id ": from=<billing@seller.example>, size=1, nrcpt=" n   \
	     " (queue active)\n"
/* so long after all of these that what is there no more comes not */
#define LATER "11:00:05 smtpd[99]: connect from app[192.0.2.7]\n"
#define SM_FROM(time, id, size)                                                            \
	time " mx sm-mta[7]: " id ": from=<billing@seller.example>, size=" size            \
	     ", class=0, nrcpts=1, msgid=<a@b>, proto=ESMTP, daemon=MTA, relay=app [192.0.2.7]\n"
#define SM_LATER "11:00:05 mx sm-mta[99]: NOQUEUE: connect from app [192.0.2.7]\n"
#define NIGHTLY(time, id) \
	time " qmgr[9]: " id ": from=<nightly@seller.example>, size=1, nrcpt=1 (queue active)\n"
#define SENT(time, id, to)                \
	time " smtp[10]: " id ": to=<" to \
	     ">, relay=mx[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n"
#define AS(time, id, to, next)                                          \
	time " smtp[10]: " id ": to=<" to                               \
	     ">, relay=127.0.0.1[127.0.0.1]:10025, delay=1, dsn=2.0.0," \
	     " status=sent (250 2.0.0 Ok: queued as " next ")\n"
#define AS_OF(time, id, to, of, next)                                               \
	time " smtp[10]: " id ": to=<" to ">, orig_to=<" of                         \
	     ">, relay=127.0.0.1[127.0.0.1]:10025, delay=1, dsn=2.0.0, status=sent" \
	     " (250 2.0.0 Ok: queued as " next ")\n"
#define GONE(time, id) time " qmgr[9]: " id ": removed\n"
#define ONE(time, id, to) CLIENT(time, id) FROM(time, id) SENT(time, id, to) GONE(time, id)

static MsMaillog *read_log(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (int i = 0; lines[i] != NULL; i++) {
		const char *words = strchr(lines[i], ' ');
		if (words == NULL)
			continue;
		bool whole = g_str_has_prefix(words, " mx ") || g_str_has_prefix(words, " my ");
		g_string_append_printf(out, "2026-11-26T%.8s+00:00 %s%s\n", lines[i],
			whole ? "" : "mx postfix/", words + 1);
	}
	const MsMaillogOptions options = {0};
	MsMaillog *log = ms_maillog_new(&options);
	ms_maillog_feed(log, "test", out->str, out->len);
	return log;
}

/* "ABCDE1 bypass 1 listener", and of the whole the first word of what is not known. */
static char *told(const MsReconciliation *r)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < r->rows->len; i++) {
		const MsPassedRow *row = r->rows->pdata[i];
		g_string_append_printf(out, "%s %s %u\n", row->mail->queue_id,
			ms_passed_names[row->what], row->recipients);
	}
	if (r->replaced > 0)
		g_string_append_printf(out, "replaced %" G_GUINT64_FORMAT "\n", r->replaced);
	if (r->unseen > 0)
		g_string_append_printf(out, "unseen %" G_GUINT64_FORMAT "\n", r->unseen);
	return g_string_free(out, FALSE);
}

static const struct {
	const char *name, *trail, *log, *want;
	const char *word; /* in the reason of the first row; NULL: any */
} rows[] = {
	{"judged, and gone", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "A@X.example"), "", NULL},
	{"not judged", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", "other mail of the listener smtpd"},
	{"... held by a milter before it, and let go", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") CLIENT("09:00:06",
			"ABCDE2") "09:00:06 cleanup[8]: ABCDE2: milter-hold: END-OF-MESSAGE from app[192.0.2.7]: virus\n"
			"09:10:00 postsuper[9]: ABCDE2: released from hold\n" FROM("09:10:01", "ABCDE2")
				SENT("09:10:01", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", "behind a milter that holds Postfix asks none"},
	{"a short ID that is used again: the first was judged",
		"09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:20:05", "ABCDE1", "a@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"... the second was", "08:00:00 start\n09:20:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:20:05", "ABCDE1", "a@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"... both were",
		"09:00:05 ABCDE1 deliver a@x.example\n09:00:09 ABCDE1 deliver b@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:00:09", "ABCDE1", "b@x.example"),
		"", NULL},
	{"... within seconds, and only the first was", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:00:20", "ABCDE1", "b@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"... and only the second was", "08:00:00 start\n09:00:20 ABCDE1 deliver b@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:00:20", "ABCDE1", "b@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"... and of three the first two",
		"09:00:05 ABCDE1 deliver a@x.example\n09:00:20 ABCDE1 deliver b@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:00:20", "ABCDE1", "b@x.example")
			ONE("09:00:35", "ABCDE1", "c@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"... the first was refused, and the second was not judged",
		"09:00:05 ABCDE1 reject a@x.example",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:05 cleanup[8]: ABCDE1: milter-reject: END-OF-MESSAGE from app[192.0.2.7]: 5.7.1 no\n" ONE(
			"09:00:20", "ABCDE1", "a@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"every line stands there twice", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("09:00:05", "ABCDE1", "a@x.example")
			ONE("09:00:06", "ABCDE2", "a@x.example")
				ONE("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", NULL},
	{"a content filter gives it back", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") ONE("09:00:06", "ABCDE2",
			"a@x.example") AS("09:00:06", "ABCDE1", "a@x.example", "ABCDE2")
			GONE("09:00:06", "ABCDE1"),
		"", NULL},
	{"... and the milter stands behind it", "09:00:06 ABCDE2 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") ONE("09:00:06", "ABCDE2",
			"a@x.example") AS("09:00:06", "ABCDE1", "a@x.example", "ABCDE2")
			GONE("09:00:06", "ABCDE1"),
		"", NULL},
	{"... and nobody judged it: it is told once", "09:00:00 start",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") ONE("09:00:06", "ABCDE2",
			"a@x.example") AS("09:00:06", "ABCDE1", "a@x.example", "ABCDE2")
			GONE("09:00:06", "ABCDE1"),
		"ABCDE1 bypass 1\n", NULL},
	{"... to one whom it adds", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") ONE("09:00:06", "ABCDE2",
			"spy@x.example") AS("09:00:06", "ABCDE1", "a@x.example", "ABCDE2")
			GONE("09:00:06", "ABCDE1"),
		"ABCDE2 added 1\n", NULL},
	{"... to whom an alias leads, before it", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1")
			ONE("09:00:06", "ABCDE2", "b@y.example") AS_OF("09:00:06", "ABCDE1",
				"b@y.example", "a@x.example", "ABCDE2") GONE("09:00:06", "ABCDE1"),
		"replaced 1\n", NULL},
	{"... through two of them", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") AS_OF("09:00:06", "ABCDE1",
			"b@y.example", "a@x.example", "ABCDE2") CLIENT("09:00:06", "ABCDE2")
			FROM("09:00:06", "ABCDE2") AS_OF("09:00:07", "ABCDE2", "c@z.example",
				"b@y.example", "ABCDE3") ONE("09:00:07", "ABCDE3", "c@z.example"),
		"replaced 1\n", NULL},
	{"... and one of whom only another alias knows", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") ONE(
			"09:00:06", "ABCDE2", "b@y.example") AS_OF("09:00:06", "ABCDE1",
			"b@y.example", "spy@x.example", "ABCDE2") GONE("09:00:06", "ABCDE1"),
		"ABCDE2 added 1\n", NULL},
	{"... to whom an alias of one leads for whom it is withheld",
		"09:00:05 ABCDE1 split a@x.example,b@y.example-",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1")
			ONE("09:00:06", "ABCDE2", "c@y.example") AS_OF("09:00:06", "ABCDE1",
				"c@y.example", "b@y.example", "ABCDE2") GONE("09:00:06", "ABCDE1"),
		"ABCDE2 withheld 1\n", NULL},
	{"... which names what it gives back, and says no queue ID itself",
		"09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") BACK("09:00:06", "ABCDE2", "ABCDE1")
			FROM("09:00:06", "ABCDE2") SENT("09:00:06", "ABCDE2", "a@x.example"),
		"", NULL},
	{"... and the milter stands behind it, in another instance",
		"09:00:06 ABCDE2 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") OUT_BACK("09:00:06", "ABCDE2", "ABCDE1"),
		"", NULL},
	{"... and one who is added gets it past the filter", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") SENT("09:00:05", "ABCDE1", "spy@y.example")
			BACK("09:00:06", "ABCDE2", "ABCDE1") FROM("09:00:06", "ABCDE2")
				SENT("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE1 added 1\n", NULL},
	{"... and nobody judged it, behind it either", "09:00:00 start",
		ONE("09:00:05", "ABCDE1", "a@x.example") BACK("09:00:06", "ABCDE2", "ABCDE1")
			FROM("09:00:06", "ABCDE2") SENT("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"... and what is of no message here is nobody's", "09:00:00 start",
		BACK("09:00:06", "ABCDE2", "ABCDE9") FROM("09:00:06", "ABCDE2")
			SENT("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", NULL},
	{"what is thrown away goes nowhere", "09:00:05 ABCDE1 hold a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05",
			"ABCDE1") "09:00:05 discard[10]: ABCDE1: to=<a@x.example>, relay=none, delay=1, dsn=2.0.0, status=sent (x)\n",
		"", NULL},
	{"another host that names one of our queue IDs hides nothing",
		"09:00:05 ABCDE2 deliver b@x.example",
		ONE("09:00:05", "ABCDE2", "b@x.example") CLIENT("09:30:05", "ABCDE1")
			FROM("09:30:05", "ABCDE1") AS("09:30:05", "ABCDE1", "a@x.example", "ABCDE2")
				GONE("09:30:05", "ABCDE1"),
		"ABCDE1 bypass 1\n", NULL},
	{"... nor two that name each other", "09:00:00 start",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1")
			AS("09:00:06", "ABCDE1", "a@x.example", "ABCDE2")
				CLIENT("09:00:05", "ABCDE2") FROM("09:00:05", "ABCDE2")
					AS("09:00:06", "ABCDE2", "b@x.example", "ABCDE1"),
		"ABCDE1 bypass 1\n", NULL},
	{"the filter refused it, and the MTA took it", "09:00:05 ABCDE1 tempfail a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 against-verdict 1\n",
		"refused it (tempfail)"},
	{"... and it did not", "09:00:05 ABCDE1 tempfail a@x.example",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:05 cleanup[8]: ABCDE1: milter-reject: END-OF-MESSAGE from app[192.0.2.7]: 4.7.1 later\n",
		"", NULL},
	{"taken back, and the MTA took it",
		"09:00:05 ABCDE1 deliver a@x.example\n09:00:09 undone ABCDE1 09:00:05",
		ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 against-verdict 1\n", "tempfail"},
	{"... and it was another of that queue ID",
		"08:59:00 ABCDE1 deliver a@x.example\n08:59:10 undone ABCDE1 08:59:00\n"
		"09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example"), "", NULL},
	{"... and the MTA did not take it",
		"09:00:05 ABCDE1 deliver a@x.example\n09:00:09 undone ABCDE1 09:00:05",
		ONE("09:20:05", "ABCDE2", "a@x.example"), "ABCDE2 bypass 1\n", NULL},
	{"a verdict that nobody knows", "09:00:05 ABCDE1 postpone a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 not-known 1\n", "does not know"},
	{"held, and gone without a record", "09:00:05 ABCDE1 hold a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 against-verdict 1\n",
		"did not hold it"},
	{"held, and there", "09:00:05 ABCDE1 hold a@x.example",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:05 cleanup[8]: ABCDE1: milter-hold: END-OF-MESSAGE from app[192.0.2.7]: x\n",
		"ABCDE1 unrecorded 0\n", "held adopt ABCDE1"},
	{"... and let go by hand since", "09:00:05 ABCDE1 hold a@x.example",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:05 cleanup[8]: ABCDE1: milter-hold: END-OF-MESSAGE from app[192.0.2.7]: x\n"
				  "09:00:09 postsuper[11]: ABCDE1: released from hold\n",
		"", NULL},
	{"split, as it should be", "09:00:05 ABCDE1 split a@x.example,b@y.example-",
		ONE("09:00:05", "ABCDE1", "a@x.example"), "", NULL},
	{"... though the MTA counts who was taken off",
		"09:00:05 ABCDE1 split a@x.example,b@y.example-",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "2")
			SENT("09:00:05", "ABCDE1", "a@x.example") GONE("09:00:06", "ABCDE1"),
		"", NULL},
	{"... and one more", "09:00:05 ABCDE1 split a@x.example,b@y.example-",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "3")
			SENT("09:00:05", "ABCDE1", "a@x.example") GONE("09:00:06", "ABCDE1"),
		"ABCDE1 not-known 1\n", NULL},
	{"split, and gone to all", "09:00:05 ABCDE1 split a@x.example,b@y.example-",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") SENT("09:00:05", "ABCDE1",
			"a@x.example") SENT("09:00:05", "ABCDE1", "b@y.example"),
		"ABCDE1 withheld 1\n", NULL},
	{"an alias is who was asked for", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05",
			"ABCDE1") "09:00:05 smtp[10]: ABCDE1: to=<b@y.example>, orig_to=<a@x.example>, relay=h, delay=1, status=sent (250 ok)\n",
		"replaced 1\n", NULL},
	{"one who is added", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example")
			SENT("09:00:05", "ABCDE1", "spy@y.example"),
		"ABCDE1 added 1\n", "always_bcc"},
	{"mail of no policy, and a bounce of it", "09:00:00 start",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:05 qmgr[9]: ABCDE1: from=<x@stranger.example>, size=1, nrcpt=1 (queue active)\n"
				  "09:00:06 cleanup[8]: ABCDE2: message-id=<y@mx>\n09:00:06 bounce[4]: ABCDE1: sender non-delivery notification: ABCDE2\n"
				  "09:00:06 qmgr[9]: ABCDE2: from=<>, size=1, nrcpt=1 (queue active)\n" SENT(
					  "09:00:06", "ABCDE2", "x@stranger.example"),
		"", NULL},
	{"a bounce of outgoing mail", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05",
			"ABCDE1") "09:00:06 smtp[10]: ABCDE1: to=<a@x.example>, relay=h, delay=1, dsn=5.1.1, status=bounced (no)\n"
				  "09:00:06 cleanup[8]: ABCDE2: message-id=<y@mx>\n09:00:06 bounce[4]: ABCDE1: sender non-delivery notification: ABCDE2\n"
				  "09:00:06 qmgr[9]: ABCDE2: from=<>, size=1, nrcpt=1 (queue active)\n" SENT(
					  "09:00:06", "ABCDE2", "billing@seller.example"),
		"ABCDE2 made-by-mta 1\n", NULL},
	{"put back after it was judged", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05",
			"ABCDE1") "09:10:00 postsuper[11]: ABCDE1: requeued\n09:10:01 pickup[3]: ABCDE2: uid=0 from=<billing@seller.example> orig_id=ABCDE1\n"
				  "09:10:01 cleanup[8]: ABCDE2: message-id=<x@y>\n" FROM("09:10:01",
					  "ABCDE2") SENT("09:10:02", "ABCDE2", "a@x.example"),
		"", NULL},
	{"... after it was held", "09:00:05 ABCDE1 hold a@x.example",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:05 cleanup[8]: ABCDE1: milter-hold: END-OF-MESSAGE from app[192.0.2.7]: x\n"
				  "09:10:00 postsuper[11]: ABCDE1: requeued\n09:10:01 pickup[3]: ABCDE2: uid=0 from=<billing@seller.example> orig_id=ABCDE1\n"
				  "09:10:01 cleanup[8]: ABCDE2: message-id=<x@y>\n" FROM("09:10:01",
					  "ABCDE2") SENT("09:10:02", "ABCDE2", "a@x.example"),
		"ABCDE2 against-verdict 1\n", NULL},
	{"the trail begins later", "12:00:00 start", ONE("09:00:05", "ABCDE1", "a@x.example"),
		"ABCDE1 not-known 1\n", "does not reach back"},
	{"there is no trail", "", ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 not-known 1\n",
		NULL},
	{"its beginning is not in the log, and it was judged",
		"08:00:05 ABCDE1 deliver a@x.example",
		SENT("09:00:05", "ABCDE1", "a@x.example") GONE("09:00:05", "ABCDE1"), "", NULL},
	{"... and it was not", "08:00:00 start",
		SENT("09:00:05", "ABCDE1", "a@x.example") GONE("09:00:05", "ABCDE1"), "", NULL},
	{"policies were others then",
		"09:00:04 ABCDE9 deliver a@x.example aaaa\n09:00:04 ABCDE8 deliver a@x.example aaaa",
		ONE("09:00:04", "ABCDE9", "a@x.example") ONE("09:00:04", "ABCDE8", "a@x.example")
			ONE("09:00:05", "ABCDE1", "a@x.example"),
		"ABCDE1 not-known 1\n", "other policies"},
	{"the log lacks what the trail has",
		"09:30:00 ABCDE9 deliver a@x.example\n09:00:05 ABCDE1 deliver a@x.example\n10:00:05 ABCDE2 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("10:00:05", "ABCDE2", "a@x.example"),
		"unseen 1\n", NULL},
	{"... but what was refused is in none",
		"09:30:00 ABCDE9 reject a@x.example\n09:00:05 ABCDE1 deliver a@x.example\n10:00:05 ABCDE2 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("10:00:05", "ABCDE2", "a@x.example"),
		"", NULL},
	{"... and what came at its ends may be in another",
		"09:00:15 ABCDE9 deliver a@x.example\n09:59:55 ABCDE8 deliver a@x.example\n"
		"09:00:05 ABCDE1 deliver a@x.example\n10:00:05 ABCDE2 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") ONE("10:00:05", "ABCDE2", "a@x.example"),
		"", NULL},
	{"a policy that has its hours, outside of them", "08:00:00 start",
		CLIENT("09:00:05", "ABCDE1") NIGHTLY("09:00:05", "ABCDE1")
			SENT("09:00:05", "ABCDE1", "a@x.example"),
		"", NULL},
	{"... and within", "08:00:00 start",
		CLIENT("23:00:05", "ABCDE1") NIGHTLY("23:00:05", "ABCDE1")
			SENT("23:00:05", "ABCDE1", "a@x.example"),
		"ABCDE1 bypass 1\n", NULL},
	{"a bounce of what is not in the log", "09:00:05 ABCDE3 deliver a@x.example",
		"09:00:06 cleanup[8]: ABCDE2: message-id=<y@mx>\n"
		"09:00:06 bounce[4]: ABCDE1: sender non-delivery notification: ABCDE2\n"
		"09:00:06 qmgr[9]: ABCDE2: from=<>, size=1, nrcpt=1 (queue active)\n" SENT(
			"09:00:06", "ABCDE2", "billing@seller.example"),
		"ABCDE2 made-by-mta 1\n", NULL},
	{"another listener", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") "09:00:06 mx postfix/submission/smtpd[17]: ABCDE2: client=app[192.0.2.7]\n" FROM(
			"09:00:06", "ABCDE2") SENT("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", "the listener submission/smtpd"},
	{"another listener without a name", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1",
			"a@x.example") "09:00:06 smtpd[17]: ABCDE2: client=app[192.0.2.7]\n" FROM("09:00:06",
			"ABCDE2") SENT("09:00:06", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", "process 17"},
	{"a list that was emptied", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") "09:10:00 master[1]: reload -- version 3.7.11, configuration /etc/postfix\n" ONE(
			"09:10:06", "ABCDE2", "a@x.example"),
		"ABCDE2 bypass 1\n", "emptied (smtpd_milters)"},
	{"an instance that takes mail in for others", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1",
			"a@x.example") "09:00:06 mx postfix-in/smtpd[17]: ABCDE2: client=h[198.51.100.1]\n"
				       "09:00:06 mx postfix-in/qmgr[18]: ABCDE2: from=<x@stranger.example>, size=1, nrcpt=1 (queue active)\n"
				       "09:00:06 mx postfix-in/smtp[19]: ABCDE2: to=<a@seller.example>, relay=h, delay=1, status=sent (250 ok)\n",
		"", NULL},
	{"another host's mail is not ours to look at", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1",
			"a@x.example") "09:00:06 my postfix/smtpd[17]: ABCDE2: client=app[192.0.2.7]\n"
				       "09:00:06 my postfix/qmgr[18]: ABCDE2: from=<billing@seller.example>, size=1, nrcpt=1 (queue active)\n"
				       "09:00:06 my postfix/smtp[19]: ABCDE2: to=<a@x.example>, relay=h, delay=1, status=sent (250 ok)\n",
		"", NULL},
	{"the filter let it go unchecked", "09:00:04 ABCDE2 deliver a@x.example",
		ONE("09:00:04", "ABCDE2", "a@x.example")
			CLIENT("09:00:05", "ABCDE1") "09:00:05 mx missentd[5]: ABCDE1: action=deliver, unchecked=yes, why=mode is observe\n" FROM(
				"09:00:05", "ABCDE1") SENT("09:00:05", "ABCDE1", "a@x.example"),
		"ABCDE1 bypass 1\n", "could not check it"},
	/* lines of it are lost */
	{"it came in, and nothing says what became of it", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") CLIENT("09:10:00", "ABCDE2") LATER,
		"ABCDE2 not-known 0\n", "the trail does not have it"},
	{"... though it was judged", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") LATER, "ABCDE1 not-known 0\n", "it was judged"},
	{"... submitted here", "09:00:05 ABCDE1 deliver a@x.example",
		"09:00:05 pickup[3]: ABCDE2: uid=1000 from=<anna>\n"
		"09:00:05 cleanup[8]: ABCDE2: message-id=<x@y>\n" LATER,
		"ABCDE2 not-known 0\n", NULL},
	{"... one of two recipients was refused", "09:00:00 start",
		CLIENT("09:00:05", "ABCDE1") "09:00:04 smtpd[7]: ABCDE1: reject: RCPT from app[192.0.2.7]: 550 5.1.1 <b@y.example>: no\n" LATER,
		"ABCDE1 not-known 0\n", NULL},
	{"... and the MTA says that it took two", "09:00:05 ABCDE1 deliver a@x.example",
		"09:00:04 smtpd[7]: connect from app[192.0.2.7]\n" ONE("09:00:05", "ABCDE1", "a@x.example")
		"09:00:06 smtpd[7]: ABCDE2: client=app[192.0.2.7]\n"
		"09:00:07 smtpd[7]: disconnect from app[192.0.2.7] ehlo=1 mail=2 rcpt=2 data=2 quit=1 commands=8\n"
		"09:10:00 smtpd[9]: connect from b[192.0.2.8]\n",
		"ABCDE2 not-known 0\n", NULL},
	{"... and it may still be coming in", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") CLIENT("09:10:00", "ABCDE2") ONE(
			"09:30:05", "ABCDE1", "a@x.example"), "ABCDE1 bypass 1\n", NULL},
	{"... in a session that goes on", "09:00:00 start",
		"09:00:05 smtpd[7]: ABCDE1: client=app[192.0.2.7]\n"
		"10:30:05 smtpd[7]: ABCDE2: client=app[192.0.2.7]\n" LATER, "", NULL},
	{"somebody asked whether there is such a recipient", "09:00:00 start",
		"09:00:04 smtpd[7]: connect from app[192.0.2.7]\n"
		"09:00:05 smtpd[7]: ABCDE1: client=app[192.0.2.7]\n"
		"09:00:06 smtpd[7]: disconnect from app[192.0.2.7] ehlo=1 mail=1 rcpt=1 rset=1 quit=1 commands=5\n" LATER,
		"", NULL},
	{"... and an older MTA counts no commands", "09:00:00 start",
		"09:00:04 smtpd[7]: connect from app[192.0.2.7]\n"
		"09:00:05 smtpd[7]: ABCDE1: client=app[192.0.2.7]\n"
		"09:00:06 smtpd[7]: disconnect from app[192.0.2.7]\n" LATER, "", NULL},
	{"what was not taken, for want of room", "09:00:00 start",
		"09:00:04 smtpd[7]: connect from app[192.0.2.7]\n" CLIENT("09:00:05", "ABCDE1")
		"09:00:06 cleanup[8]: warning: ABCDE1: queue file size limit exceeded\n"
		"09:00:06 smtpd[7]: disconnect from app[192.0.2.7] ehlo=1 mail=1 rcpt=1 data=0/1 quit=1 commands=4/5\n" LATER,
		"", NULL},
	{"broken off in the middle of the text", "09:00:00 start",
		CLIENT("09:00:05", "ABCDE1") "09:00:06 smtpd[7]: lost connection after DATA (17 bytes) from app[192.0.2.7]\n" LATER,
		"", NULL},
	{"... behind the end of it, it may have been taken", "09:00:00 start",
		CLIENT("09:00:05", "ABCDE1") "09:00:06 smtpd[7]: lost connection after END-OF-MESSAGE from app[192.0.2.7]\n" LATER,
		"ABCDE1 not-known 0\n", NULL},
	{"fewer outcomes than recipients", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "3") SENT(
			"09:00:05", "ABCDE1", "a@x.example") GONE("09:00:06", "ABCDE1"),
		"ABCDE1 not-known 2\n", "of 2 of 3 recipients no line says how"},
	{"... none at all", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") FROM("09:00:05", "ABCDE1") GONE("09:00:06", "ABCDE1"),
		"ABCDE1 not-known 1\n", NULL},
	{"... nor whose it is", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") GONE("09:00:06", "ABCDE1"),
		"ABCDE1 not-known 1\n", NULL},
	{"its beginning alone is lost", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") FROM("09:10:05", "ABCDE2") SENT(
			"09:10:05", "ABCDE2", "a@x.example") GONE("09:10:06", "ABCDE2"),
		"ABCDE2 not-known 1\n", "though it came in when the log had begun"},
	{"... it was judged", "09:00:05 ABCDE1 deliver a@x.example\n09:10:05 ABCDE2 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") FROM("09:10:05", "ABCDE2") SENT(
			"09:10:05", "ABCDE2", "a@x.example") GONE("09:10:06", "ABCDE2"), "", NULL},
	{"... it was in the queue before the log began", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") FROM("09:10:05", "ABCDE2")
		"09:10:05 smtp[10]: ABCDE2: to=<a@x.example>, relay=h, delay=900, dsn=2.0.0, status=sent (250 ok)\n",
		"", NULL},
	{"... or about then", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") FROM("11:10:05", "ABCDE2")
		"11:10:05 smtp[10]: ABCDE2: to=<a@x.example>, relay=h, delay=7700, dsn=2.0.0, status=sent (250 ok)\n"
		FROM("09:01:05", "ABCDE3") SENT("09:01:05", "ABCDE3", "a@x.example"),
		"", NULL},
	{"... since when it was is not said", "09:00:05 ABCDE1 deliver a@x.example",
		ONE("09:00:05", "ABCDE1", "a@x.example") FROM("09:10:05", "ABCDE2")
		"09:10:05 smtp[10]: ABCDE2: to=<a@x.example>, relay=h, dsn=2.0.0, status=sent (250 ok)\n",
		"", NULL},
	{"the queue manager's line is lost", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") SENT("09:00:05", "ABCDE1", "a@x.example") GONE("09:00:06", "ABCDE1"),
		"ABCDE1 not-known 0\n", "to how many"},
	{"... both of them", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") SENT("09:00:05", "ABCDE1", "a@x.example"),
		"ABCDE1 not-known 0\n", "to how many"},
	{"... it comes a moment later", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") SENT("09:00:05", "ABCDE1", "a@x.example") FROM("09:00:05", "ABCDE1"),
		"", NULL},
	{"... it is still in the queue", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "3") SENT(
			"09:00:05", "ABCDE1", "a@x.example"), "", NULL},
	{"... somebody deleted it", "09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "3") SENT(
			"09:00:05", "ABCDE1", "a@x.example") "09:00:06 postsuper[9]: ABCDE1: removed\n", "", NULL},
	{"... the log begins within it", "09:00:05 ABCDE1 deliver a@x.example",
		N_FROM("09:00:05", "ABCDE1", "3") SENT(
			"09:00:05", "ABCDE1", "a@x.example") GONE("09:00:06", "ABCDE1"), "", NULL},
	{"... those who got it before are not counted again",
		"09:00:05 ABCDE1 deliver a@x.example,b@y.example",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "2") SENT(
			"09:00:05", "ABCDE1", "a@x.example")
		"09:00:05 qmgr[9]: ABCDE1: to=<b@y.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (delivery temporarily suspended)\n"
		N_FROM("09:20:05", "ABCDE1", "1") SENT("09:20:05", "ABCDE1", "b@y.example") GONE("09:20:06", "ABCDE1"),
		"", NULL},
	{"... an alias that leads to two, before and after it is counted",
		"09:00:05 ABCDE1 deliver a@x.example",
		CLIENT("09:00:05", "ABCDE1") N_FROM("09:00:05", "ABCDE1", "2") AS_OF("09:00:05", "ABCDE1",
			"b@y.example", "a@x.example", "ABCDE8") AS_OF("09:00:05", "ABCDE1",
			"c@y.example", "a@x.example", "ABCDE8") GONE("09:00:06", "ABCDE1")
		CLIENT("09:00:07", "ABCDE2") N_FROM("09:00:07", "ABCDE2", "1") AS_OF("09:00:07", "ABCDE2",
			"b@y.example", "a@x.example", "ABCDE8") AS_OF("09:00:07", "ABCDE2",
			"c@y.example", "a@x.example", "ABCDE8") GONE("09:00:08", "ABCDE2"),
		"ABCDE2 bypass 2\nreplaced 2\n", NULL},
	{"... of mail that is none of the filter's business", "09:00:00 start",
		CLIENT("09:00:05", "ABCDE1")
		"09:00:05 qmgr[9]: ABCDE1: from=<x@stranger.example>, size=1, nrcpt=3 (queue active)\n"
		GONE("09:00:06", "ABCDE1"), "", NULL},
	{"Sendmail: it came in, and nothing says what became of it", "09:00:00 start",
		SM_FROM("09:00:05", "5AQ901ab000077", "321") SM_LATER,
		"5AQ901ab000077 not-known 0\n", NULL},
	{"... it was in the queue", "09:00:00 start",
		SM_FROM("09:00:05", "5AQ901ab000077", "321")
		"09:00:05 mx sm-mta[7]: 5AQ901ab000077: to=<a@x.example>, delay=00:00:00, mailer=esmtp, pri=1, stat=queued\n" SM_LATER,
		"5AQ901ab000077 bypass 0\n", NULL},
	{"... no text came", "09:00:00 start",
		SM_FROM("09:00:05", "5AQ901ab000077", "0") SM_LATER, "", NULL},
	{"... the client went away", "09:00:00 start",
		"09:00:05 mx sm-mta[7]: 5AQ901ab000077: collect: premature EOM: unexpected close\n"
		SM_FROM("09:00:05", "5AQ901ab000077", "321") SM_LATER, "", NULL},
	{"... the filter refused it", "09:00:05 5AQ901ab000077 reject a@x.example",
		SM_FROM("09:00:05", "5AQ901ab000077", "321")
		"09:00:05 mx sm-mta[7]: 5AQ901ab000077: Milter: data, reject=550 5.7.1 no\n" SM_LATER, "", NULL},
	{"... all of it became another's", "09:00:05 5AQ901ab000077 deliver a@x.example",
		SM_FROM("09:00:05", "5AQ901ab000077", "321")
		"09:00:05 mx sm-mta[7]: 5AQ901ab000077: 5AQ901ab000078: clone: owner=owner-list\n"
		"09:00:05 mx sm-mta[7]: 5AQ901ab000078: to=<a@x.example>, delay=00:00:00, mailer=esmtp, relay=h [192.0.2.9], dsn=2.0.0, stat=Sent (ok)\n"
		SM_LATER, "", NULL},
	{"it came in and went nowhere", "09:00:00 start",
		CLIENT("09:00:05",
			"ABCDE1") "09:00:06 smtpd[7]: lost connection after DATA from app[192.0.2.7]\n",
		"", NULL},
};

static MsReconciliation *reconcile(MsMaillog *log, MsLedger *ledger)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsRuntime) runtime = ms_runtime_load(config, 0, NULL, &error);
	g_assert_no_error(error);
	const MsReconcileWith with = {runtime, ledger, key, log};
	MsReconciliation *r = ms_reconcile(&with, &error);
	g_assert_no_error(error);
	return r;
}

static bool is_not_known(const MsReconciliation *r, const char *words)
{
	for (guint i = 0; i < r->unknown->len; i++)
		if (strstr(r->unknown->pdata[i], words) != NULL)
			return true;
	return false;
}

#define ARRIVED G_GINT64_CONSTANT(1795683605) /* 2026-11-26, 09:00:05 */

static void set_clock(gint64 seconds)
{
	ms_clock_shift(seconds * G_USEC_PER_SEC - ms_clock_now(), 0);
}

/* One run after the other: what a run that failed did not tell, the next one does; a clean run ends
 * the alert only if it looked at all the time since. */
static void test_since(void)
{
	static const char *const early = ONE("09:00:05", "ABCDE2", "a@x.example"),
				*const late = ONE("10:30:00", "ABCDE1", "a@x.example");
	const MsMaillogNotes *notes;
	MsReconciled state;
	g_autoptr(GError) error = NULL;
	write_trail("08:00:00 start\n10:30:00 ABCDE1 deliver a@x.example\n12:30:00 ABCDE3 deliver a@x.example");
	ms_reconciled_load(dir, &state);
	g_assert_cmpint(state.until, ==, 0);
	g_assert_cmpint(ms_reconciled_since(&state), ==, 0);
	/* the hour of the bypass was never looked at: two hours later it is */
	state.until = (ARRIVED - 300) * G_USEC_PER_SEC;
	g_autofree char *both = g_strconcat(CLIENT("08:00:00", "ABCDE0"), early, late, NULL);
	g_autoptr(MsMaillog) log = read_log(both);
	g_autoptr(MsReconciliation) r = reconcile(log, NULL);
	notes = ms_maillog_notes(log);
	gint64 since = ms_reconciled_since(&state);
	ms_reconciliation_drop_old(r, since);
	g_assert_cmpuint(r->counts[MS_PASSED_BYPASS], ==, 1);
	guint known = r->unknown->len;
	ms_reconciled_tell_hole(&state, notes, r);
	g_assert_cmpuint(r->unknown->len, ==, known);
	set_clock(ARRIVED + 2 * 3600);
	ms_reconciled_take(&state, r, notes, since, true);
	g_assert_true(ms_reconciled_save(dir, &state, &error));
	g_autofree char *left = ms_alert_left(dir, MS_ALERT_BYPASS);
	g_assert_nonnull(strstr(left, "1 since 2026-11-26 09:00:05 ("));
	/* the next hour is clean, and that hour alone: the alert stays, and
	 * nothing is told twice */
	g_autofree char *text = g_strconcat(both, ONE("12:30:00", "ABCDE3", "a@x.example"), NULL);
	g_autoptr(MsMaillog) next = read_log(text);
	g_autoptr(MsReconciliation) clean = reconcile(next, NULL);
	ms_reconciled_load(dir, &state);
	g_assert_cmpint(state.until, ==, notes->to);
	since = ms_reconciled_since(&state);
	g_assert_cmpint(since, <, state.until);
	ms_reconciliation_drop_old(clean, since);
	g_assert_cmpuint(clean->rows->len, ==, 0);
	ms_reconciled_take(&state, clean, ms_maillog_notes(next), since, true);
	g_assert_cmpuint(state.wrong, ==, 1);
	/* so it does by a log without a line */
	g_autoptr(MsMaillog) none = read_log("");
	g_autoptr(MsReconciliation) nothing = reconcile(none, NULL);
	MsReconciled same = state;
	ms_reconciled_take(&same, nothing, ms_maillog_notes(none), 0, false);
	g_assert_cmpuint(same.wrong, ==, 1);
	ms_reconciled_take(&same, nothing, ms_maillog_notes(none), 0, true);
	g_assert_cmpint(same.until, ==, state.until);
	/* a run over all the time since, in which it is none any more, ends it */
	ms_reconciled_take(&same, clean, ms_maillog_notes(next), 0, false);
	g_assert_cmpuint(same.wrong, ==, 0);
	g_assert_true(ms_reconciled_save(dir, &same, &error));
	g_assert_null(ms_alert_left(dir, MS_ALERT_BYPASS));
	/* a log that begins after the last run */
	g_autoptr(MsMaillog) short_log = read_log(ONE("12:30:00", "ABCDE3", "a@x.example"));
	g_autoptr(MsReconciliation) hole = reconcile(short_log, NULL);
	state.until = (ARRIVED - 300) * G_USEC_PER_SEC;
	ms_reconciled_tell_hole(&state, ms_maillog_notes(short_log), hole);
	g_assert_true(is_not_known(hole, "the last run looked at mail until 2026-11-26 08:55:05"));
	/* a file that says nothing ends no alert */
	g_assert_true(ms_alert_leave(dir, MS_ALERT_BYPASS, "1"));
	write_file("reconciled.json", "{");
	ms_reconciled_load(dir, &state);
	g_assert_true(state.wrong == 1 && state.wrong_since == 0 && state.until == 0);
	ms_reconciled_take(&state, clean, ms_maillog_notes(next), 0, false);
	g_assert_cmpuint(state.wrong, ==, 1);
	g_assert_true(ms_alert_leave(dir, MS_ALERT_BYPASS, ""));
	set_clock(ARRIVED + 3600);
}

/* What was written under the key before is compared under it, or not known; so is what a line does
 * not name. */
static void test_keys(void)
{
	static const char *const trail =
		"09:00:05 ABCDE1 deliver a@x.example\n"
		"09:00:06 ABCDE2 split a@x.example,b@y.example-";
	static const struct {
		const guint8 *now, *before;
		const char *edit, *to; /* of the trail's text */
		const char *want, *unknown;
	} cases[] = {
		{key, NULL, NULL, NULL, "ABCDE1 added 1\nABCDE2 withheld 1\n", NULL},
		{new_key, key, NULL, NULL, "ABCDE1 added 1\nABCDE2 withheld 1\n", NULL},
		{new_key, NULL, NULL, NULL, "", "recipients of 2 messages cannot be compared: the line was written under another key"},
		{new_key, new_key, NULL, NULL, "", "recipients of 2 messages cannot be compared"},
		{NULL, NULL, NULL, NULL, "", "the site key cannot be read"},
		{NULL, key, NULL, NULL, "ABCDE1 added 1\nABCDE2 withheld 1\n", "the site key"},
		{key, NULL, "\"recipients\":1", "\"recipients\":1001", "ABCDE2 withheld 1\n",
			"recipients of 1 message cannot be compared: the line does not name all"},
		{key, NULL, "\"key\"", "\"kex\"", "", "recipients of 2 messages cannot be compared"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		write_trail(trail);
		g_autofree char *path = g_build_filename(dir, "audit.jsonl", NULL), *text = NULL;
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
		g_auto(GStrv) pieces = g_strsplit(
			text, cases[i].edit != NULL ? cases[i].edit : "\1", -1);
		g_autofree char *edited = g_strjoinv(
			cases[i].edit != NULL ? cases[i].to : "\1", pieces);
		write_file("audit.jsonl", edited);
		g_autoptr(MsMaillog) log = read_log(
			ONE("09:00:05", "ABCDE1", "a@x.example") SENT("09:00:05", "ABCDE1", "spy@z.example")
				ONE("09:00:06", "ABCDE2", "a@x.example")
					SENT("09:00:06", "ABCDE2", "b@y.example"));
		g_autoptr(MsRuntime) runtime = ms_runtime_load(config, 0, NULL, &error);
		g_assert_no_error(error);
		const MsReconcileWith with = {.runtime = runtime,
			.audit_key = cases[i].now,
			.audit_key_before = cases[i].before,
			.log = log};
		g_autoptr(MsReconciliation) r = ms_reconcile(&with, &error);
		g_assert_no_error(error);
		g_autofree char *got = told(r);
		if (strcmp(got, cases[i].want) != 0)
			g_error("keys, %zu: got\n%swant\n%s", i, got, cases[i].want);
		if (cases[i].unknown != NULL ? !is_not_known(r, cases[i].unknown)
					     : is_not_known(r, "cannot be compared"))
			g_error("keys, %zu: what is not known", i);
	}
}

/* Each message ends as one thing, or in rows. */
static void expect_one_end(const MsReconciliation *r, const char *name)
{
	g_autoptr(GHashTable) told_of = g_hash_table_new(NULL, NULL);
	for (guint i = 0; i < r->rows->len; i++)
		g_hash_table_add(told_of, (void *)((MsPassedRow *)r->rows->pdata[i])->mail);
	guint64 ends = r->judged + r->released + r->own + r->chained + r->exempt + r->before +
		g_hash_table_size(told_of);
	if (ends > r->mails)
		g_error("%s: %" G_GUINT64_FORMAT " ends of %" G_GUINT64_FORMAT, name, ends, r->mails);
}

static void test_rows(void)
{
	g_autofree char *path = g_build_filename(dir, "held.db", NULL);
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		write_trail(rows[i].trail);
		g_autoptr(MsMaillog) log = read_log(rows[i].log);
		g_autoptr(MsReconciliation) r = reconcile(log, ledger);
		g_autofree char *got = told(r);
		if (strcmp(got, rows[i].want) != 0)
			g_error("%s: got\n%swant\n%s", rows[i].name, got, rows[i].want);
		expect_one_end(r, rows[i].name);
		const char *why = r->rows->len > 0 ? ((MsPassedRow *)r->rows->pdata[0])->why : "";
		if (rows[i].word != NULL && strstr(why, rows[i].word) == NULL)
			g_error("%s: the reason is \"%s\"", rows[i].name, why);
		g_assert_null(strchr(why, '@'));
	}
}

/* Without the ledger nothing is called a release, nor the want of one. */
static void test_without_ledger(void)
{
	write_trail("09:00:05 ABCDE1 hold a@x.example");
	g_autoptr(MsMaillog) log = read_log(ONE("09:00:05", "ABCDE1", "a@x.example"));
	g_autoptr(MsReconciliation) r = reconcile(log, NULL);
	g_autofree char *got = told(r);
	g_assert_cmpstr(got, ==, "ABCDE1 not-known 1\n");
	g_assert_cmpuint(r->unknown->len, ==, 1);
}

/* What missent submitted is known by the token that it spent, then and under that queue ID, and is
 * for those whom that names. */
static void test_own(void)
{
	static const struct {
		const char *log, *want;
		gint64 later; /* seconds that its token was spent after 09:00:05 */
		guint own;
	} cases[] = {
		{ONE("09:00:05", "ABCDE1", "a@x.example"), "", 0, 1},
		{ONE("09:00:05", "ABCDE1", "A@X.example"), "", 100, 1},
		{ONE("09:00:05", "ABCDE1", "d@b\303\274cher.example"), "", 0, 1},
		{ONE("09:00:05", "ABCDE1", "a@x.example") SENT("09:00:06", "ABCDE1", "spy@z.example"),
			"ABCDE1 added 1\n", 0, 0},
		{ONE("09:00:05", "ABCDE2", "a@x.example"), "ABCDE2 bypass 1\n", 0, 0},
		{ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 bypass 1\n", -600, 0},
		{ONE("09:00:05", "ABCDE1", "a@x.example"), "ABCDE1 bypass 1\n", 600, 0},
		/* it waited for days */
		{SENT("09:00:05", "ABCDE1", "a@x.example") GONE("09:00:05", "ABCDE1"), "",
			-5 * 86400, 1},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = g_strdup_printf("own-%zu.db", i), *hash = NULL;
		g_autofree char *path = g_build_filename(dir, name, NULL);
		g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
		g_autoptr(GPtrArray) to = g_ptr_array_new();
		g_ptr_array_add(to, (char *)"a@x.example");
		g_ptr_array_add(to, (char *)"d@xn--bcher-kva.example");
		set_clock(ARRIVED + cases[i].later);
		g_autofree char *token = ms_tokens_make(
			ledger, "d", "billing@seller.example", to, &hash, NULL);
		g_assert_cmpint(ms_tokens_spend(ledger, token, "d", "billing@seller.example", to,
					"ABCDE1", NULL),
			==, MS_FOUND);
		set_clock(ARRIVED + 3600);
		write_trail("08:00:00 start");
		g_autoptr(MsMaillog) log = read_log(cases[i].log);
		g_autoptr(MsReconciliation) r = reconcile(log, ledger);
		g_autofree char *got = told(r);
		if (strcmp(got, cases[i].want) != 0 || r->own != cases[i].own)
			g_error("own, %zu: got %" G_GUINT64_FORMAT "\n%swant\n%s", i, r->own, got,
				cases[i].want);
		expect_one_end(r, name);
	}
}

/* Held, released, and gone: to whom, beside who was released? */
static void test_released(void)
{
	static const struct {
		MsState states[2]; /* of a@x.example and b@y.example */
		const char *more, *want;
		gint64 later; /* seconds that its record came after it */
	} released[] = {
		{{MS_STATE_RELEASED, MS_STATE_RELEASED}, "", ""},
		{{MS_STATE_RELEASED, MS_STATE_RELEASED},
			SENT("09:10:00", "ABCDE1", "spy@z.example"), "ABCDE1 added 1\n"},
		{{MS_STATE_RELEASED, MS_STATE_RELEASED},
			SENT("09:10:00", "ABCDE1", "spy@z.example")
				SENT("09:10:00", "ABCDE1", "other@z.example"),
			"ABCDE1 added 2\n"},
		{{MS_STATE_RELEASED, MS_STATE_RELEASED},
			"09:10:00 smtp[10]: ABCDE1: to=<c@z.example>, orig_to=<b@y.example>, relay=h, delay=1, status=sent (250 ok)\n",
			"replaced 1\n"},
		{{MS_STATE_RELEASED, MS_STATE_DELETED}, "", "ABCDE1 withheld 1\n"},
		{{MS_STATE_HELD, MS_STATE_HELD}, "", "ABCDE1 against-verdict 2\n"},
		/* a record of that queue ID of before, or of after, is another message's */
		{{MS_STATE_RELEASED, MS_STATE_RELEASED}, "", "", 100},
		{{MS_STATE_RELEASED, MS_STATE_RELEASED}, "", "", -5 * 3600},
		{{MS_STATE_RELEASED, MS_STATE_RELEASED}, "", "ABCDE1 not-known 2\n", -7 * 3600},
		{{MS_STATE_RELEASED, MS_STATE_RELEASED}, "", "ABCDE1 not-known 2\n", 600},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(released); i++) {
		g_autofree char *name = g_strdup_printf("released-%zu.db", i);
		g_autofree char *path = g_build_filename(dir, name, NULL);
		g_autofree char *text = g_strconcat(
			CLIENT("09:00:05", "ABCDE1") "09:00:05 cleanup[8]: ABCDE1: milter-hold: END-OF-MESSAGE from app[192.0.2.7]: x\n"
						     "09:09:59 postsuper[11]: ABCDE1: released from hold\n" FROM(
							     "09:10:00", "ABCDE1")
							     SENT("09:10:00", "ABCDE1", "a@x.example")
								     SENT("09:10:00", "ABCDE1", "b@y.example"),
			released[i].more, GONE("09:10:01", "ABCDE1"), NULL);
		g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
		g_autoptr(MsRecord) record = ms_record_new();
		char **const words[] = {&record->digest, &record->message, &record->assignee,
			&record->subject, &record->attached};
		for (gsize k = 0; k < G_N_ELEMENTS(words); k++)
			*words[k] = g_strdup("");
		record->state = released[i].states[0];
		record->host = g_strdup("mx");
		record->queue_id = g_strdup("ABCDE1");
		record->sender = g_strdup("billing@seller.example");
		record->codes = g_strdup("mismatch");
		record->policies = g_strdup("invoices");
		record->cause = g_strdup("mismatch");
		record->arrived = (ARRIVED + released[i].later) * G_USEC_PER_SEC;
		ms_record_recipient(record, "a@x.example", released[i].states[0], MS_OUTCOME_WRONG, "");
		ms_record_recipient(record, "b@y.example", released[i].states[1], MS_OUTCOME_WRONG, "");
		g_assert_true(ms_records_add(ledger, record, NULL));
		write_trail("09:00:05 ABCDE1 hold a@x.example,b@y.example");
		g_autoptr(MsMaillog) log = read_log(text);
		g_autoptr(MsReconciliation) r = reconcile(log, ledger);
		g_autofree char *got = told(r);
		if (strcmp(got, released[i].want) != 0)
			g_error("released, %zu: got\n%swant\n%s", i, got, released[i].want);
	}
}

/* What the ledger has forgotten is no bypass. */
static void test_old(void)
{
	write_trail("08:00:00 start");
	g_autoptr(MsMaillog) log = read_log(ONE("09:00:05", "ABCDE1", "a@x.example"));
	g_autofree char *path = g_build_filename(dir, "held.db", NULL);
	g_autoptr(MsLedger) ledger = ms_ledger_open(path, NULL);
	ms_clock_shift(40 * 86400 * (gint64)G_USEC_PER_SEC, 0);
	g_autoptr(MsReconciliation) r = reconcile(log, ledger);
	ms_clock_shift(-40 * 86400 * (gint64)G_USEC_PER_SEC, 0);
	g_autofree char *got = told(r);
	g_assert_cmpstr(got, ==, "ABCDE1 not-known 1\n");
}

/* A log with nothing in it, and one of another trail's time. */
static void test_empty(void)
{
	write_trail("09:00:05 ABCDE1 deliver a@x.example");
	g_autoptr(MsMaillog) none = read_log("");
	g_autoptr(MsReconciliation) r = reconcile(none, NULL);
	g_assert_cmpuint(r->rows->len, ==, 0);
	g_assert_cmpuint(r->unknown->len, ==, 1);
	write_trail("");
	g_autoptr(MsMaillog) log = read_log(ONE("09:00:05", "ABCDE1", "a@x.example"));
	g_autoptr(MsReconciliation) lost = reconcile(log, NULL);
	g_assert_true(lost->unknown->len >= 1 && lost->counts[MS_PASSED_BYPASS] == 0);
}

/* What is the matter with a log that says nothing, in words that lead on. */
static void test_hints(void)
{
	static const struct {
		const char *log, *words;
	} hints[] = {
		{"Nov 26 09:00:05 mx postfix/smtpd[7]: ABCDE1: client=app[192.0.2.7]\n",
			"taken for 2021, and --year says another"},
		{"Okt 26 09:00:05 mx postfix/smtpd[7]: ABCDE1: client=app[192.0.2.7]\n",
			"1 line begins with no time that is understood (the first: \"Okt 26 "},
		{"Okt 26 09:00:05 mx postfix/smtpd[7]: ABCDE1: client=app[192.0.2.7]\n",
			"LC_ALL=C"},
		{"{\"MESSAGE\":\"ABCDE1: removed\"}\n{}\n", "2 lines begin with no time"},
		{"{\"MESSAGE\":\"ABCDE1: removed\"}\n", "journalctl -o export is read"},
		{"2026-11-26 09:00:05 1tF0ab-000001-AB <= a@seller.example H=(x) P=esmtp S=5\n",
			"no line of Postfix or Sendmail is in it"},
	};
	write_trail("09:00:05 ABCDE9 deliver a@x.example");
	for (gsize i = 0; i < G_N_ELEMENTS(hints); i++) {
		g_autoptr(GDateTime) then = g_date_time_new_utc(2021, 12, 1, 0, 0, 0);
		const MsMaillogOptions options = {
			.now = g_date_time_to_unix(then) * G_USEC_PER_SEC};
		g_autoptr(MsMaillog) log = ms_maillog_new(&options);
		ms_maillog_feed(log, "log", hints[i].log, strlen(hints[i].log));
		g_autoptr(MsReconciliation) r = reconcile(log, NULL);
		bool found = false;
		for (guint k = 0; k < r->unknown->len; k++)
			found = found || strstr(r->unknown->pdata[k], hints[i].words) != NULL;
		if (!found)
			g_error("row %zu: nothing says \"%s\"", i, hints[i].words);
	}
}

/* What log daemons say that they left out. */
static void test_gaps(void)
{
	static const struct {
		const char *line, *words;
	} gaps[] = {
		{"systemd-journald[50]: Suppressed 4711 messages from postfix@-.service",
			"left out 4711 lines at least"},
		{"systemd-journal[50]: Suppressed 12 messages from /system.slice/sendmail.service",
			"left out 12 lines at least"},
		{"rsyslogd: imjournal: 4711 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
			"left out 4711 lines at least"},
		{"rsyslogd: imjournal: begin to drop messages due to rate-limiting",
			"left out lines of this log"},
		{"rsyslogd-2177: imuxsock lost 12 messages from pid 7 due to rate-limiting",
			"12 lines at least of this log, as it says itself (1 times, from 2026-11-26 09:00:07"},
		{"rsyslogd: imuxsock[pid: 7, name: smtpd]: begin to drop messages due to rate-limiting",
			"left out lines of this log"},
		/* none of the mail's */
		{"systemd-journald[50]: Suppressed 4711 messages from nginx.service", NULL},
		{"rsyslogd-2177: imuxsock lost 12 messages from pid 4000 due to rate-limiting", NULL},
		{"app[50]: Suppressed 4711 messages from postfix@-.service", NULL},
		{"rsyslogd: [origin software=\"rsyslogd\"] rsyslogd was HUPed", NULL},
	};
	write_trail("09:00:05 ABCDE1 deliver a@x.example");
	for (gsize i = 0; i < G_N_ELEMENTS(gaps); i++) {
		g_autofree char *text = g_strconcat(ONE("09:00:05", "ABCDE1", "a@x.example"),
			"09:00:07 mx ", gaps[i].line, "\n", NULL);
		g_autoptr(MsMaillog) log = read_log(text);
		g_autoptr(MsReconciliation) r = reconcile(log, NULL);
		bool found = gaps[i].words == NULL;
		for (guint k = 0; k < r->unknown->len; k++)
			found = gaps[i].words == NULL
				? found && strstr(r->unknown->pdata[k], "left out") == NULL
				: found || strstr(r->unknown->pdata[k], gaps[i].words) != NULL;
		if (!found)
			g_error("gap %zu", i);
	}
}

/* Another host's log by mistake; and ours, in which this host has another name. */
static void test_foreign(void)
{
	static const struct {
		const char *trail, *host;
		bool told;
	} hosts[] = {{"09:00:05 ABCDE9 deliver a@x.example", "my", true},
		{"09:00:05 ABCDE1 deliver a@x.example", "my", false},
		{"09:00:05 ABCDE9 deliver a@x.example", "mx", false},
		{"09:00:05 ABCDE9 deliver a@x.example", "mx.seller.example", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
		write_trail(hosts[i].trail);
		g_autofree char *text = g_strdup_printf(
			"2026-11-26T09:00:05Z %s postfix/smtpd[7]: ABCDE1: client=app[192.0.2.7]\n"
			"2026-11-26T09:00:05Z %s postfix/qmgr[9]: ABCDE1: from=<billing@seller.example>, size=1, nrcpt=1 (queue active)\n"
			"2026-11-26T09:00:05Z %s postfix/smtp[9]: ABCDE1: to=<a@x.example>, relay=h, status=sent (ok)\n",
			hosts[i].host, hosts[i].host, hosts[i].host);
		const MsMaillogOptions options = {0};
		g_autoptr(MsMaillog) log = ms_maillog_new(&options);
		ms_maillog_feed(log, "log", text, strlen(text));
		g_autoptr(MsReconciliation) r = reconcile(log, NULL);
		bool told_it = false;
		for (guint k = 0; k < r->unknown->len; k++)
			told_it = told_it ||
				strstr(r->unknown->pdata[k], "of this host (mx.seller.example)");
		if (told_it != hosts[i].told)
			g_error("row %zu", i);
	}
}

int main(int argc, char **argv)
{
	g_setenv("TZ", "UTC", TRUE);
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	config = g_build_filename(dir, "missent.conf", NULL);
	g_autofree char *kinds = source_file("policies/kinds.conf");
	g_autofree char *text = g_strdup_printf(
		"mode = enforce\nhost = \"mx.seller.example\"\nstate-dir = \"%s\"\npolicy-dir = \"%s/policies\"\n"
		"kinds-file = \"%s\"\noutgoing { local = no\nsender-domains = {\"seller.example\"} }\n",
		dir, dir, kinds);
	g_autofree char *policies = g_build_filename(dir, "policies", NULL);
	g_assert_cmpint(g_mkdir(policies, 0700), ==, 0);
	write_file("missent.conf", text);
	write_file("policies/a.conf",
		"policy \"all\" {\n\tsender = {\"billing@seller.example\"}\n}\n");
	write_file("policies/b.conf",
		"policy \"night\" {\n\tsender = {\"nightly@seller.example\"}\n"
		"\ttime = {\"22:00-06:00\"}\n\ttime-zone = \"UTC\"\n}\n");
	set_clock(ARRIVED + 3600); /* what is old is not known any more */
	g_test_add_func("/reconcile/hints", test_hints);
	g_test_add_func("/reconcile/rows", test_rows);
	g_test_add_func("/reconcile/without-ledger", test_without_ledger);
	g_test_add_func("/reconcile/own", test_own);
	g_test_add_func("/reconcile/released", test_released);
	g_test_add_func("/reconcile/old", test_old);
	g_test_add_func("/reconcile/empty", test_empty);
	g_test_add_func("/reconcile/foreign", test_foreign);
	g_test_add_func("/reconcile/gaps", test_gaps);
	g_test_add_func("/reconcile/keys", test_keys);
	g_test_add_func("/reconcile/since", test_since);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
