/* Made trails: empty, with a hole, cut, of two keys, with every fate; what is told of each. */
#include "config.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "missent/answer.h"
#include "missent/history.h"
#include "missent/incident.h"
#include "missent/io.h"
#include "missent/ledger.h"
#include "missent/tlog.h"

#include "../test.h"
#include "../trail.h"

static const guint8 key[MS_AUDIT_KEY_BYTES] = "a key of this test";
#define DAY "2026-11-20T"
#define NUMBER "k1"

static gint64 at(const char *iso)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, NULL);
	g_assert_nonnull(time);
	return g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

typedef struct {
	const char *time, *queue_id, *verdict, *would, *key, *record;
	const char *address, *outcome, *value, *owner;
	bool no_others;
} Made;

/* A line as the trail has it: one recipient, one identifier. */
static void add(GString *trail, const Made *m)
{
	g_autofree char *to = ms_audit_id_of_address(key, m->address),
			*id = ms_audit_id(key, "customer-number", m->value);
	g_autofree char *owner = ms_audit_id(key, "account", m->owner);
	json_t *row = json_pack(
		"{s:s, s:s, s:s}", "address", "a***", "id", to, "outcome", m->outcome);
	if (strcmp(m->outcome, "wrong") == 0 && !m->no_others)
		json_object_set_new(row, "others", json_pack("[s]", id));
	json_t *line = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:[o], s:[{s:s, s:s, s:s, s:[s]}],"
		"s:[{s:s, s:s}]}",
		"time", m->time, "type", "message", "host", "mx", "queue_id", m->queue_id,
		"arrived", m->time, "verdict", m->verdict, "would",
		m->would != NULL ? m->would : m->verdict, "sender_domain", "d1", "policies",
		"invoices", "to", row, "identifiers", "kind", "customer-number", "identifier",
		"C***", "id", id, "accounts", owner, "reasons", "reason", "mismatch", "action",
		"hold");
	json_object_set_new(line, "key", json_string(m->key != NULL ? m->key : NUMBER));
	if (m->record != NULL)
		json_object_set_new(line, "record", json_string(m->record));
	char *text = json_dumps(line, JSON_COMPACT);
	g_string_append_printf(trail, "%s\n", text);
	free(text);
	json_decref(line);
}

static void add_text(GString *trail, const char *time, const char *rest)
{
	g_string_append_printf(trail, "{\"time\":\"%s\",%s}\n", time, rest);
}

typedef struct {
	char *dir, *path;
	GString *trail;
	MsIncidentAsk ask;
	char *house;
} Site;

static void begin(Site *site)
{
	site->dir = scratch_folder();
	site->path = g_build_filename(site->dir, "audit.jsonl", NULL);
	site->trail = g_string_new(NULL);
	site->house = ms_audit_id(key, "account", "house");
	site->ask = (MsIncidentAsk){.from = at(DAY "08:00:00Z"),
		.to = at(DAY "12:00:00Z"),
		.house = site->house,
		.key = NUMBER,
		.now = at("2026-11-21T00:00:00Z")};
}

static void end(Site *site)
{
	g_string_free(site->trail, TRUE);
	remove_folder(site->dir);
	g_free(site->dir);
	g_free(site->path);
	g_free(site->house);
}

/* As a new log, in place of the one before. */
static void write_log(const char *path, const char *trail)
{
	g_autofree char *folder = ms_audit_folder(path);
	g_autoptr(GError) error = NULL;
	ms_io_remove_folder(folder);
	g_autoptr(MsTlog) log = ms_tlog_open(folder, "mx/missent", &error);
	g_assert_no_error(error);
	g_auto(GStrv) lines = g_strsplit(trail, "\n", -1);
	for (int i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
		const MsEntryText entry = {lines[i], strlen(lines[i])};
		guint done;
		g_assert_true(ms_tlog_append(log, &entry, 1, &done, &error));
	}
	g_assert_true(ms_tlog_publish(log, &error));
}

static MsIncident *tell(Site *site)
{
	g_autoptr(GError) error = NULL;
	MsIncident *incident = ms_incident_new(&site->ask);
	write_log(site->path, site->trail->str);
	g_assert_true(ms_incident_trail(incident, site->path, &error));
	g_assert_no_error(error);
	return incident;
}

static void expect_gap(MsIncident *incident, const char *words, bool there)
{
	const GPtrArray *gaps = ms_incident_gaps(incident);
	g_autoptr(GString) all = g_string_new(NULL);
	for (guint i = 0; i < gaps->len; i++)
		g_string_append_printf(all, "%s\n", (char *)gaps->pdata[i]);
	if ((strstr(all->str, words) != NULL) != there)
		g_error("\"%s\" %s: %s", words, there ? "is missing" : "is there", all->str);
}

static const char healthy[] =
	"\"type\":\"act\",\"event\":\"start\",\"who\":\"\",\"about\":\"\",\"detail\":\"\"";

static bool last_line(const MsAuditLine *line, void *user, GError **error)
{
	char **text = user;
	(void)error;
	g_free(*text);
	*text = g_strndup(line->text, line->len);
	return true;
}

/* What the daemon itself writes, at another time; it says "start", "beat" or "stop". */
static void add_sign(GString *trail, const char *time, const char *sign)
{
	g_autofree char *dir = scratch_folder(), *path = g_build_filename(dir, "audit.jsonl", NULL),
			*text = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsAudit) audit = ms_audit_new(path);
	if (strcmp(sign, MS_AUDIT_BEAT) == 0)
		ms_audit_beat(audit, "missentd", &error);
	else
		ms_audit_note(audit, sign, "missentd", "", &error);
	g_assert_no_error(error);
	g_assert_true(ms_audit_each(path, 0, G_MAXINT64, last_line, &text, &error));
	g_assert_no_error(error);
	json_t *line = json_loads(text, 0, NULL);
	g_assert_cmpstr(json_string_value(json_object_get(line, "type")), ==, sign);
	json_object_set_new(line, "time", json_string(time));
	char *again = json_dumps(line, JSON_COMPACT);
	g_string_append_printf(trail, "%s\n", again);
	free(again);
	json_decref(line);
	remove_folder(dir);
}

static void beats(GString *trail, const char *hour, int first, int last)
{
	for (int i = first; i <= last; i++) {
		g_autofree char *time = g_strdup_printf(DAY "%s:%02d:00.000Z", hour, i);
		add_sign(trail, time, MS_AUDIT_BEAT);
	}
}

static void test_empty(void)
{
	Site site;
	begin(&site);
	g_autoptr(MsIncident) none = tell(&site);
	g_assert_false(ms_incident_has_trail(none));
	expect_gap(none, "There is no audit trail of this time", true);
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(none, &ask);
	g_autofree char *text = ms_report_text(report), *html = ms_report_html(report);
	g_assert_nonnull(strstr(text, "There is no audit trail of this time"));
	g_assert_nonnull(strstr(html, "There is no audit trail of this time"));
	add_text(site.trail, "2026-11-20T18:00:00.000Z", healthy);
	g_autoptr(MsIncident) later = tell(&site);
	g_assert_false(ms_incident_has_trail(later));
	expect_gap(later, "the trail begins at 2026-11-20 18:00:00 UTC", true);
	end(&site);
}

static void test_hole(void)
{
	Site site;
	begin(&site);
	site.ask.from = at(DAY "08:00:00Z");
	site.ask.to = at(DAY "09:00:00Z");
	beats(site.trail, "08", 0, 59);
	g_autoptr(MsIncident) whole = tell(&site);
	g_assert_cmpuint(ms_incident_gaps(whole)->len, ==, 0);
	g_string_truncate(site.trail, 0);
	beats(site.trail, "08", 0, 20);
	beats(site.trail, "08", 31, 59);
	g_autoptr(MsIncident) hole = tell(&site);
	expect_gap(hole, "no heartbeat between 2026-11-20 08:20:00 UTC and 2026-11-20 08:31:00 UTC",
		true);
	/* what others write while missentd is gone is no sign of it */
	g_string_truncate(site.trail, 0);
	beats(site.trail, "08", 0, 20);
	add_text(site.trail, DAY "08:25:00.000Z",
		"\"type\":\"act\",\"event\":\"look\",\"who\":\"anna\"");
	beats(site.trail, "08", 27, 33);
	beats(site.trail, "08", 45, 59);
	g_autoptr(MsIncident) several = tell(&site);
	expect_gap(several,
		"no heartbeat between 2026-11-20 08:20:00 UTC and 2026-11-20 08:27:00 UTC", true);
	expect_gap(several,
		"no heartbeat between 2026-11-20 08:33:00 UTC and 2026-11-20 08:45:00 UTC", true);
	/* cut: its end is missing */
	g_string_truncate(site.trail, 0);
	beats(site.trail, "08", 5, 20);
	g_string_append(site.trail, "{\"time\":\"2026-11-20T08:2");
	g_autoptr(MsIncident) cut = tell(&site);
	expect_gap(cut, "The trail begins at 2026-11-20 08:05:00 UTC", true);
	expect_gap(cut, "The last sign of life in the trail is of 2026-11-20 08:20:00 UTC", true);
	expect_gap(cut, "1 line is damaged", true);
	end(&site);
}

/* Stopped and started again; killed and started again at once; of two hosts one that fell
 * silent. */
static void test_stopped(void)
{
	Site site;
	begin(&site);
	site.ask.to = at(DAY "09:00:00Z");
	beats(site.trail, "08", 0, 20);
	add_sign(site.trail, DAY "08:20:30.000Z", MS_AUDIT_STOP);
	add_sign(site.trail, DAY "08:21:30.000Z", MS_AUDIT_START);
	beats(site.trail, "08", 22, 40);
	add_sign(site.trail, DAY "08:41:00.000Z", MS_AUDIT_START);
	beats(site.trail, "08", 42, 59);
	g_autoptr(MsIncident) incident = tell(&site);
	expect_gap(incident,
		"missentd was stopped from 2026-11-20 08:20:30 UTC to 2026-11-20 08:21:30 UTC",
		true);
	g_assert_cmpuint(ms_incident_gaps(incident)->len, ==, 1);
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *text = ms_report_json(report);
	json_t *json = json_loads(text, 0, NULL);
	const json_t *times = json_object_get(json, "unknown-times");
	g_assert_cmpuint(json_array_size(times), ==, 1);
	g_assert_cmpstr(
		json_string_value(json_object_get(json_array_get(times, 0), "why")), ==, "stopped");
	/* that it lives is no event */
	g_assert_cmpuint(
		json_array_size(json_object_get(json_object_get(json, "containment"), "events")),
		==, 3);
	json_decref(json);
	/* the other host */
	g_string_truncate(site.trail, 0);
	beats(site.trail, "08", 0, 30);
	g_autoptr(GError) error = NULL;
	MsIncident *two = ms_incident_new(&site.ask);
	g_assert_true(ms_incident_trail(two, site.path, &error));
	write_log(site.path, site.trail->str);
	g_assert_true(ms_incident_trail(two, site.path, &error));
	g_assert_no_error(error);
	expect_gap(two, "The last sign of life in the trail is of 2026-11-20 08:30:00 UTC", true);
	g_autofree char *host = g_strdup_printf("%s: missentd was stopped", g_get_host_name());
	expect_gap(two, host, true);
	ms_incident_free(two);
	end(&site);
}

static void expect_fates(const char *what, const MsFates *f, guint out, guint released,
	guint untold, guint held, guint stopped)
{
	const guint want[MS_N_FATES] = {[MS_FATE_OUT] = out,
		[MS_FATE_RELEASED] = released,
		[MS_FATE_UNTOLD] = untold,
		[MS_FATE_HELD] = held,
		[MS_FATE_STOPPED] = stopped};
	for (int i = 0; i < MS_N_FATES; i++)
		if (f->of[i] != want[i])
			g_error("%s: %s: got %u, want %u", what, ms_fate_names[i], (guint)f->of[i],
				want[i]);
	g_assert_cmpuint(f->all, ==, out + released + untold + held + stopped);
}

static const Made mixed[] = {
	{DAY "09:00:00.000Z", "Q1", "deliver", NULL, NULL, NULL, "a@alpha.example", "right", "C1",
		"AC-1", false},
	{DAY "09:01:00.000Z", "Q2", "deliver", "hold", NULL, "00000000000000a2", "a@alpha.example",
		"wrong", "C2", "AC-2", false},
	{DAY "09:02:00.000Z", "Q3", "hold", NULL, NULL, "00000000000000a3", "a@alpha.example",
		"wrong", "C2", "AC-2", false},
	{DAY "09:03:00.000Z", "Q4", "hold", NULL, NULL, "00000000000000a4", "b@beta.example",
		"wrong", "C3", "AC-3", false},
	{DAY "09:04:00.000Z", "Q5", "reject", NULL, NULL, NULL, "b@beta.example", "wrong", "C4",
		"AC-4", false},
	{DAY "09:05:00.000Z", "Q6", "tempfail", NULL, NULL, NULL, "b@beta.example", "wrong", "C4",
		"AC-4", false},
	{DAY "13:00:00.000Z", "Q7", "deliver", NULL, NULL, NULL, "b@beta.example", "wrong", "C4",
		"AC-4", false},
};

static void add_mixed(GString *trail)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mixed); i++)
		add(trail, &mixed[i]);
	add_text(trail, DAY "14:00:00.000Z",
		"\"type\":\"act\",\"event\":\"release\",\"who\":\"anna\",\"about\":"
		"\"00000000000000a4\",\"detail\":\"done\"");
}

/* Who decided is told; a day at the desk takes no room of what else was done. */
static void test_who_decided(void)
{
	Site site;
	begin(&site);
	add_mixed(site.trail);
	for (int i = 0; i < 300; i++)
		add_text(site.trail, DAY "14:10:00.000Z",
			"\"type\":\"act\",\"event\":\"decide\",\"who\":\"bert\",\"about\":"
			"\"00000000000000a4\",\"detail\":\"delete\"");
	add_text(site.trail, DAY "14:11:00.000Z",
		"\"type\":\"act\",\"event\":\"pause\",\"who\":\"carl\",\"about\":\"\",\"detail\":\"x\"");
	add_text(site.trail, DAY "14:11:30.000Z",
		"\"type\":\"act\",\"event\":\"start\",\"who\":null,\"about\":\"\",\"detail\":\"\"");
	/* told twice, for a crash came between */
	for (int i = 0; i < 2; i++)
		add_text(site.trail, DAY "14:12:00.000Z",
			"\"type\":\"act\",\"event\":\"note\",\"who\":\"bert\",\"about\":"
			"\"00000000000000a4\",\"decision\":\"d1\",\"detail\":\"done\"");
	g_autoptr(MsIncident) incident = tell(&site);
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *text = ms_report_json(report);
	json_t *json = json_loads(text, 0, NULL);
	const json_t *done = json_object_get(json, "containment");
	const json_t *events = json_object_get(done, "events");
	static const char *const want[] = {"pause", "the page starts"};
	g_assert_cmpuint(json_array_size(events), ==, G_N_ELEMENTS(want));
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++)
		g_assert_cmpstr(
			json_string_value(json_object_get(json_array_get(events, i), "what")), ==,
			want[i]);
	g_assert_cmpint(json_integer_value(
				json_object_get(json_object_get(done, "release-by"), "anna")),
		==, 1);
	g_assert_cmpint(
		json_integer_value(json_object_get(json_object_get(done, "note-by"), "bert")), ==,
		1);
	g_assert_null(json_object_get(done, "delete-by"));
	json_decref(json);
	end(&site);
}

/* What was taken back went to nobody, and is nothing that is held: it is as one that was refused
 * for now, whatever its verdict was.  Another of its queue ID stays what it is. */
static void test_undone(void)
{
	static const struct {
		const char *queue_id, *arrived, *host;
		guint out, held, deferred;
	} undone[] = {{"Q2", DAY "09:01:00.000Z", "mx", 0, 1, 2},
		{"Q3", DAY "09:02:00.000Z", "mx", 1, 0, 2},
		{"Q3", DAY "09:01:00.000Z", "mx", 1, 1, 1}, {"Q3", DAY "09:02:00.000Z", "my", 1, 1, 1},
		{"Q1", DAY "09:00:00.000Z", "mx", 1, 1, 2}};
	for (gsize i = 0; i < G_N_ELEMENTS(undone); i++) {
		Site site;
		begin(&site);
		add_mixed(site.trail);
		trail_undo(site.trail, "2026-11-20T18:00:00.000Z", undone[i].host,
			undone[i].queue_id, undone[i].arrived);
		g_autoptr(MsIncident) incident = tell(&site);
		const MsIncidentSum *sum = ms_incident_sum(incident);
		g_assert_cmpuint(sum->messages.of[MS_FATE_OUT], ==, undone[i].out);
		g_assert_cmpuint(sum->messages.of[MS_FATE_UNTOLD], ==, undone[i].held);
		g_assert_cmpuint(sum->deferred, ==, undone[i].deferred);
		end(&site);
	}
}

/* ---- a trail that is not what was written ------------------------------------------------- */

static char *in_log(const Site *site, const char *name)
{
	g_autofree char *folder = ms_audit_folder(site->path);
	return g_build_filename(folder, name, NULL);
}

/* The name of him who got it becomes another's, where it stands first. */
static void change(const Site *site, const char *name, const char *from, const char *to)
{
	g_autofree char *path = in_log(site, name), *data = NULL;
	gsize len = 0;
	g_assert_true(g_file_get_contents(path, &data, &len, NULL));
	char *place = memmem(data, len, from, strlen(from));
	g_assert_nonnull(place);
	memcpy(place, to, strlen(to));
	g_assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

static void lose(const Site *site, const char *name)
{
	g_autofree char *path = in_log(site, name);
	g_assert_cmpint(unlink(path), ==, 0);
}

static void change_bundle(const Site *site)
{
	change(site, "tile/entries/000", "\"outcome\":\"wrong\"", "\"outcome\":\"right\"");
}

static void lose_bundle(const Site *site)
{
	lose(site, "tile/entries/000");
}

static void lose_tile_and_bundle(const Site *site)
{
	lose(site, "tile/entries/000");
	lose(site, "tile/0/000");
}

static void change_head(const Site *site)
{
	change(site, "head.2", "\"n\":599", "\"n\":699");
}

static void lose_head(const Site *site)
{
	lose(site, "head.2");
}

static void cut_head(const Site *site)
{
	g_autofree char *path = in_log(site, "head.2");
	g_assert_cmpint(truncate(path, 1000), ==, 0);
}

static void pass_over(const Site *site)
{
	g_autofree char *path = in_log(site, "minimum");
	g_assert_true(g_file_set_contents(path, "256\n", -1, NULL));
}

static void lose_checkpoint(const Site *site)
{
	lose(site, "latest");
}

static void change_checkpoint(const Site *site)
{
	change(site, "latest", "mx/missent\n6", "mx/missent\n5");
}

static const struct {
	const char *name;
	void (*damage)(const Site *site);
	guint wrong;       /* messages that are known of */
	const char *where; /* the first place that is told */
	guint damaged;     /* lines */
} damages[] = {
	{"whole", NULL, 3, NULL, 0},
	{"an entry is changed", change_bundle, 2, "entry 1: the entry is not the one that was", 1},
	{"a bundle is gone", lose_bundle, 0, "entry 0: the entries 0 to 255 are missing", 0},
	{"... and its tile", lose_tile_and_bundle, 0, "entry 0: the entries 0 to 255 are missing",
		0},
	{"the end is changed", change_head, 3, "are not those that", 0},
	{"the end is gone", lose_head, 3, "entry 512: the trail ends here", 0},
	{"the end is cut", cut_head, 3, "is cut short", 0},
	{"passed over", pass_over, 0, "entry 0: the entries before 256 are left out", 0},
	{"the checkpoint is gone", lose_checkpoint, 3, "entry 0: the latest checkpoint is missing",
		0},
	{"the checkpoint is changed", change_checkpoint, 3, "entry 0: the file latest: ", 0},
};

static const Made gone[] = {
	{DAY "09:00:00.000Z", "Q1", "deliver", NULL, NULL, NULL, "a@alpha.example", "right", "C1",
		"AC-1", false},
	{DAY "09:01:00.000Z", "Q2", "deliver", "hold", NULL, NULL, "a@alpha.example", "wrong", "C2",
		"AC-2", false},
	{DAY "09:02:00.000Z", "Q3", "deliver", "hold", NULL, NULL, "b@beta.example", "wrong", "C3",
		"AC-3", false},
	{DAY "09:03:00.000Z", "Q4", "deliver", "hold", NULL, NULL, "b@beta.example", "wrong", "C4",
		"AC-4", false},
};

static bool is_complete(MsIncident *incident)
{
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *text = ms_report_text(report);
	return strstr(text, "complete, as far as missent can know") != NULL;
}

/* Somebody else had the files: the report is made all the same, has nothing that was not written,
 * and says that it may not be all. */
static void test_damaged(void)
{
	Site site;
	begin(&site);
	site.ask.to = at(DAY "09:10:00Z");
	site.ask.from = at(DAY "08:58:00Z");
	for (gsize i = 0; i < G_N_ELEMENTS(gone); i++)
		add(site.trail, &gone[i]);
	for (int i = 4; i < 600; i++) {
		g_autofree char *words = g_strdup_printf("\"type\":\"beat\",\"n\":%d", i);
		add_text(site.trail, DAY "09:06:00.000Z", words);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
		write_log(site.path, site.trail->str);
		if (damages[i].damage != NULL)
			damages[i].damage(&site);
		g_autoptr(GError) error = NULL;
		g_autoptr(MsIncident) incident = ms_incident_new(&site.ask);
		g_assert_true(ms_incident_trail(incident, site.path, &error));
		g_assert_no_error(error);
		guint wrong = (guint)ms_incident_sum(incident)->messages.all;
		if (wrong != damages[i].wrong)
			g_error("%s: got %u, want %u", damages[i].name, wrong, damages[i].wrong);
		expect_gap(incident, "The audit trail of mx is not whole",
			damages[i].where != NULL && wrong > 0);
		expect_gap(incident, "is not whole, in ", damages[i].where != NULL);
		if (damages[i].where != NULL)
			expect_gap(incident, damages[i].where, true);
		expect_gap(incident, "1 line is damaged", damages[i].damaged == 1);
		if (damages[i].where != NULL)
			g_assert_false(is_complete(incident));
	}
	end(&site);
}

/* Lines of before there was a log: anybody may have written them. */
static void test_plain(void)
{
	Site site;
	begin(&site);
	add(site.trail, &gone[1]);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsIncident) incident = ms_incident_new(&site.ask);
	g_assert_true(g_file_set_contents(site.path, site.trail->str, -1, NULL));
	g_assert_true(ms_incident_trail(incident, site.path, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(ms_incident_sum(incident)->messages.all, ==, 1);
	expect_gap(incident, "stand in a plain file: nothing proves", true);
	g_assert_false(is_complete(incident));
	end(&site);
}

/* A trail that is named twice, or once more as a copy, is no second host. */
static void test_again(void)
{
	Site site;
	begin(&site);
	add(site.trail, &gone[1]);
	g_autoptr(MsIncident) twice = tell(&site);
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_incident_trail(twice, site.path, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	g_clear_error(&error);
	g_autofree char *folder = ms_audit_folder(site.path),
			*copy = g_build_filename(site.dir, "copy.jsonl", NULL);
	g_autofree char *beside = ms_audit_folder(copy);
	const char *argv[] = {"cp", "-a", folder, beside, NULL};
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
		NULL, NULL, NULL));
	g_autoptr(MsIncident) incident = tell(&site); /* a new log, with a key of its own */
	g_assert_true(ms_incident_trail(incident, copy, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(ms_incident_sum(incident)->messages.all, ==, 2);
	end(&site);
}

/* What was done about mixed[3]; `to`: for whom, as its line says; NULL: it says nothing. */
static void add_end(GString *trail, const char *verb, const char *to, const char *number, int more)
{
	g_autofree char *id = ms_audit_id_of_address(key, to != NULL ? to : "");
	g_autofree char *named = to == NULL
		? g_strdup("")
		: g_strdup_printf(
			  ",\"key\":\"%s\",\"to_more\":%d,\"to\":[\"%s\"]", number, more, id);
	g_autofree char *act = g_strdup_printf(
		"\"type\":\"act\",\"event\":\"%s\",\"who\":\"anna\",\"about\":"
		"\"00000000000000a4\",\"detail\":\"done\"%s",
		verb, named);
	add_text(trail, DAY "14:00:00.000Z", act);
}

/* Without its record nobody knows who is who of a message that was released to some, and was kept
 * from others, unless the lines say it. */
static void test_parted(void)
{
	static const char own[] = "b@beta.example", other[] = "c@gamma.example";
	static const struct {
		const char *verbs[3], *to[2];
		MsFate want;
		const char *key;
		int more;
	} rows[] = {{{"release"}, {NULL}, MS_FATE_RELEASED}, {{"delete"}, {NULL}, MS_FATE_STOPPED},
		{{"return"}, {NULL}, MS_FATE_STOPPED},
		{{"return", "delete"}, {NULL}, MS_FATE_STOPPED},
		{{"release", "delete"}, {NULL}, MS_FATE_UNTOLD},
		{{"release", "return"}, {NULL}, MS_FATE_UNTOLD},
		{{"delete", "release"}, {NULL}, MS_FATE_UNTOLD}, {{"note"}, {NULL}, MS_FATE_UNTOLD},
		{{"release"}, {own}, MS_FATE_RELEASED}, {{"release"}, {other}, MS_FATE_UNTOLD},
		{{"release", "delete"}, {own, other}, MS_FATE_RELEASED},
		{{"release", "return"}, {other, own}, MS_FATE_STOPPED},
		{{"release", "return"}, {other, NULL}, MS_FATE_STOPPED},
		{{"release"}, {other}, MS_FATE_RELEASED, "k0"},
		{{"release"}, {other}, MS_FATE_RELEASED, NUMBER, 1}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Site site;
		begin(&site);
		add(site.trail, &mixed[3]);
		for (int k = 0; rows[i].verbs[k] != NULL; k++)
			add_end(site.trail, rows[i].verbs[k], rows[i].to[k],
				rows[i].key != NULL ? rows[i].key : NUMBER, rows[i].more);
		g_autoptr(MsIncident) incident = tell(&site);
		const MsFates *fates = &ms_incident_sum(incident)->messages;
		if (fates->of[rows[i].want] != 1)
			g_error("row %zu, %s, %s: not %s", i, rows[i].verbs[0], rows[i].verbs[1],
				ms_fate_names[rows[i].want]);
		end(&site);
	}
}

/* Released later than the time that was asked for: it got out all the same. */
static void test_fates(void)
{
	Site site;
	begin(&site);
	add_mixed(site.trail);
	g_autoptr(MsIncident) incident = tell(&site);
	const MsIncidentSum *s = ms_incident_sum(incident);
	g_assert_cmpuint(s->judged, ==, 5);
	g_assert_cmpuint(s->deferred, ==, 1);
	expect_fates("messages", &s->messages, 1, 1, 1, 0, 1);
	expect_fates("accounts", &s->accounts, 1, 1, 0, 0, 1);
	expect_fates("recipients", &s->recipients, 1, 1, 0, 0, 0);
	expect_fates("identifiers", &s->identifiers, 1, 1, 0, 0, 1);
	expect_gap(incident, "1 message held, of which neither records nor decisions", true);
	g_autofree char *digest = ms_audit_id(key, "account", "AC-2");
	const MsAccountPart *part = ms_incident_account(incident, digest);
	g_assert_nonnull(part);
	expect_fates("AC-2", &part->messages, 1, 0, 1, 0, 0);
	g_assert_cmpuint(part->recipients, ==, 1);
	/* of one account, nothing of another */
	site.ask.account = digest;
	g_autoptr(MsIncident) about = tell(&site);
	g_assert_cmpuint(ms_incident_accounts(about)->len, ==, 1);
	expect_fates("about", &ms_incident_sum(about)->messages, 1, 0, 1, 0, 0);
	end(&site);
}

/* Of one that was held: its recipient, and further ones, have these states.  Has it the name that
 * its line says? */
static bool add_record(MsLedger *ledger, const Made *m, const MsState *states)
{
	static const char *const more[] = {NULL, "c@gamma.example", "d@delta.example"};
	g_autoptr(MsRecord) r = ms_record_new();
	g_autoptr(GError) error = NULL;
	char **const texts[] = {&r->digest, &r->message, &r->assignee, &r->subject, &r->attached};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		*texts[i] = g_strdup("");
	r->host = g_strdup("mx");
	r->queue_id = g_strdup(m->queue_id);
	r->sender = g_strdup("billing@seller.example");
	r->codes = g_strdup("mismatch");
	r->policies = g_strdup("invoices");
	r->cause = g_strdup("mismatch");
	r->arrived = at(m->time);
	for (int i = 0; states[i] != MS_N_STATES; i++)
		ms_record_recipient(r, i == 0 ? m->address : more[i], states[i],
			i == 0 ? MS_OUTCOME_WRONG : MS_OUTCOME_RIGHT, "AC-1");
	r->uid = g_strdup(m->record);
	g_assert_true(ms_records_add(ledger, r, &error));
	g_assert_no_error(error);
	return strcmp(r->uid, m->record) == 0;
}

/* Who writes the ledger anew does not unmake what the trail says: released there, and to nobody
 * here, it may have got out. */
static void test_contradicted(void)
{
	static const struct {
		MsState states[4];
		const char *to; /* whom the trail names */
		MsFate want;
		bool told;
	} rows[] = {
		{{MS_STATE_RELEASED, MS_N_STATES}, NULL, MS_FATE_RELEASED, false},
		{{MS_STATE_HELD, MS_N_STATES}, NULL, MS_FATE_UNTOLD, true},
		{{MS_STATE_RETURNED, MS_N_STATES}, NULL, MS_FATE_UNTOLD, true},
		{{MS_STATE_DELETED, MS_STATE_DELETED, MS_N_STATES}, NULL, MS_FATE_UNTOLD, true},
		{{MS_STATE_DELETED, MS_STATE_RELEASED, MS_N_STATES}, NULL, MS_FATE_STOPPED, false},
		{{MS_STATE_HELD, MS_STATE_RELEASED, MS_N_STATES}, NULL, MS_FATE_HELD, false},
		{{MS_STATE_HELD, MS_STATE_RELEASED, MS_N_STATES}, "c@gamma.example", MS_FATE_HELD,
			false},
		{{MS_STATE_RELEASED, MS_N_STATES}, "b@beta.example", MS_FATE_RELEASED, false},
		{{MS_STATE_HELD, MS_STATE_RELEASED, MS_N_STATES}, "b@beta.example",
			MS_FATE_RELEASED, true},
		{{MS_STATE_DELETED, MS_N_STATES}, "b@beta.example", MS_FATE_RELEASED, true},
		{{MS_STATE_HELD, MS_STATE_HELD, MS_N_STATES}, "c@gamma.example", MS_FATE_HELD,
			true},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Site site;
		begin(&site);
		add(site.trail, &mixed[3]);
		add_end(site.trail, "release", rows[i].to, NUMBER, 0);
		g_autoptr(MsIncident) incident = tell(&site);
		g_autoptr(GError) error = NULL;
		g_autofree char *file = g_build_filename(site.dir, "held.db", NULL);
		g_autoptr(MsLedger) ledger = ms_ledger_open(file, &error);
		g_assert_no_error(error);
		g_assert_true(add_record(ledger, &mixed[3], rows[i].states));
		g_assert_true(ms_incident_records(incident, ledger, key, &error));
		if (ms_incident_sum(incident)->messages.of[rows[i].want] != 1)
			g_error("row %zu: not %s", i, ms_fate_names[rows[i].want]);
		expect_gap(incident, "1 message that the trail says was released", rows[i].told);
		end(&site);
	}
}

static void test_records(void)
{
	Site site;
	begin(&site);
	add_mixed(site.trail);
	g_autoptr(MsIncident) incident = tell(&site);
	g_autoptr(GError) error = NULL;
	g_autofree char *file = g_build_filename(site.dir, "held.db", NULL);
	g_autoptr(MsLedger) ledger = ms_ledger_open(file, &error);
	g_assert_no_error(error);
	const MsState states[] = {MS_STATE_HELD, MS_N_STATES};
	bool named = add_record(ledger, &mixed[2], states);
	g_assert_true(ms_incident_records(incident, ledger, key, &error));
	expect_fates("messages", &ms_incident_sum(incident)->messages, 1, 1, named ? 0 : 1,
		named ? 1 : 0, 1);
	end(&site);
}

static void test_keys(void)
{
	Site site;
	begin(&site);
	Made other = mixed[1];
	add(site.trail, &other);
	other.key = "k0";
	other.queue_id = "Q9";
	add(site.trail, &other);
	g_autoptr(MsIncident) both = tell(&site);
	g_assert_cmpuint(ms_incident_sum(both)->keys, ==, 2);
	expect_gap(both, "The key of the digests changed", true);
	g_autofree char *id = ms_audit_id(key, "customer-number", "C2");
	const char *const wanted[] = {id, NULL};
	site.ask.identifiers = wanted;
	g_autoptr(MsIncident) one = tell(&site);
	g_assert_cmpuint(ms_incident_sum(one)->messages.all, ==, 1);
	expect_gap(one, "1 message whose digests were made with another key", true);
	other = mixed[1];
	other.no_others = true;
	site.ask.identifiers = NULL;
	g_string_truncate(site.trail, 0);
	add(site.trail, &other);
	g_autoptr(MsIncident) old = tell(&site);
	expect_gap(old, "from before lines told what is whose", true);
	end(&site);
}

static const char *const clocks[] = {"gdpr", "nis2", "dora", "Contract: 2d", NULL};

static void test_report(void)
{
	Site site;
	begin(&site);
	add_mixed(site.trail);
	g_autoptr(MsIncident) incident = tell(&site);
	const MsReportAsk ask = {
		.known_at = at(DAY "09:30:00Z"), .clocks = clocks, .what = "all <mail>"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *json = ms_report_json(report), *html = ms_report_html(report),
			*text = ms_report_text(report);
	json_t *all = json_loads(json, 0, NULL);
	g_assert_nonnull(all);
	json_t *wrong = json_object_get(json_object_get(all, "summary"), "wrong");
	g_assert_cmpint(json_integer_value(json_object_get(wrong, "got-out")), ==, 1);
	json_t *list = json_object_get(json_object_get(all, "clocks"), "clocks");
	const char *const want[] = {"2026-11-23T09:30:00.000Z", "2026-11-21T09:30:00.000Z",
		"2026-11-23T09:30:00.000Z", "2026-12-23T09:30:00.000Z", NULL,
		"2026-11-21T09:30:00.000Z", "2026-11-22T09:30:00.000Z"};
	g_assert_cmpuint(json_array_size(list), ==, G_N_ELEMENTS(want));
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++)
		g_assert_cmpstr(json_string_value(json_object_get(json_array_get(list, i), "ends")),
			==, want[i]);
	g_assert_cmpuint(json_array_size(json_object_get(all, "questions")), >, 8);
	json_decref(all);
	g_assert_nonnull(strstr(html, "all &lt;mail&gt;"));
	g_assert_nonnull(strstr(html, "<svg "));
	static const char *const foreign[] = {"<script", "src=", "href=", "url(", "@import", NULL};
	for (int i = 0; foreign[i] != NULL; i++)
		g_assert_null(strstr(html, foreign[i]));
	static const char *const secrets[] = {
		"alpha.example", "beta.example", "AC-2", "C2\"", NULL};
	for (int i = 0; secrets[i] != NULL; i++) {
		g_assert_null(strstr(html, secrets[i]));
		g_assert_null(strstr(text, secrets[i]));
		g_assert_null(strstr(json, secrets[i]));
	}
	g_assert_nonnull(strstr(text, "  ? Who became aware of it"));
	end(&site);
}

/* What the template asks for: each has a section, in which something is known, or asked of
 * people. */
static void test_template(void)
{
	static const char *const sections[] = {"nature", "when", "detection", "numbers",
		"categories", "consequences", "whom", "protection", "containment", "told", "phase",
		"clocks", "delay", "not-known"};
	static const char *const questions[] = {"when/over", "when/began-before", "detection/how",
		"detection/late", "numbers/persons", "numbers/groups", "numbers/exact",
		"categories/special", "categories/others", "consequences/consequences",
		"consequences/severity", "containment/measures", "containment/recipients-said",
		"containment/prevention", "told/persons-told", "told/persons-not-told",
		"told/authorities", "told/contact", "phase/reference", "delay/delay",
		"nature/controller", "nature/states", "nature/cause", "nature/risk"};
	Site site;
	begin(&site);
	add_mixed(site.trail);
	g_autoptr(MsIncident) incident = tell(&site);
	const MsReportAsk ask = {.known_at = at(DAY "09:30:00Z"), .what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *json = ms_report_json(report);
	json_t *all = json_loads(json, 0, NULL), *asked = json_object_get(all, "questions");
	for (gsize i = 0; i < G_N_ELEMENTS(sections); i++)
		g_assert_true(json_is_object(json_object_get(all, sections[i])));
	for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
		bool found = false;
		for (gsize k = 0; k < json_array_size(asked); k++) {
			const json_t *row = json_array_get(asked, k);
			g_autofree char *name = g_strjoin("/",
				json_string_value(json_object_get(row, "section")),
				json_string_value(json_object_get(row, "key")), NULL);
			found = found || strcmp(name, questions[i]) == 0;
		}
		if (!found)
			g_error("nobody is asked for %s", questions[i]);
	}
	const char *result = json_string_value(
		json_object_get(json_object_get(all, "summary"), "result"));
	g_assert_nonnull(strstr(result, "1 got out"));
	json_decref(all);
	end(&site);
}

/* Nothing that went wrong, and nothing at all of what was asked for: no breach is told. */
static void test_nothing(void)
{
	Site site;
	begin(&site);
	add_text(site.trail, DAY "08:00:00.000Z", healthy);
	add_text(site.trail, DAY "18:00:00.000Z", healthy);
	g_autoptr(MsIncident) incident = tell(&site);
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *text = ms_report_text(report);
	g_assert_nonnull(strstr(text, "no message of what was asked for is in the audit trail"));
	g_assert_nonnull(strstr(text, "none is known"));
	g_assert_null(strstr(text, "confidentiality"));
	end(&site);
}

static void test_register(void)
{
	Site site;
	begin(&site);
	site.ask.from = 0;
	add_mixed(site.trail);
	g_autoptr(MsIncident) incident = tell(&site);
	const GPtrArray *rows = ms_incident_register(incident);
	g_assert_cmpuint(rows->len, ==, 1);
	const MsRegisterRow *row = rows->pdata[0];
	g_assert_cmpstr(row->month, ==, "2026-11");
	g_assert_cmpstr(row->cause, ==, "mismatch");
	expect_fates("register", &row->messages, 1, 1, 1, 0, 1);
	g_assert_cmpuint(row->accounts, ==, 3);
	end(&site);
}

/* The end of a month is UTC's, wherever this host is; what is asked for has its begin, and not
 * its end. */
static void test_month(void)
{
	static const struct {
		const char *from, *to;
		guint months, first, second;
	} rows[] = {
		{NULL, "2027-01-01T00:00:00Z", 2, 2, 2},
		{"2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z", 1, 1, 0},
		{"2026-12-01T00:00:00Z", "2026-12-01T00:00:00.001Z", 1, 1, 0},
		{"2026-12-01T01:00:00+01:00", "2026-12-31T23:59:59.999Z", 1, 1, 0},
		{"2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z", 1, 1, 0},
	};
	static const char *const times[] = {"2026-11-15T10:00:00.000Z", "2026-11-30T23:59:59.999Z",
		"2026-12-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z"};
	g_setenv("TZ", "Pacific/Auckland", TRUE);
	tzset();
	Site site;
	begin(&site);
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		Made made = mixed[1];
		made.time = times[i];
		made.record = NULL;
		add(site.trail, &made);
	}
	site.ask.now = at("2027-06-01T00:00:00Z");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		site.ask.from = rows[i].from != NULL ? at(rows[i].from) : 0;
		site.ask.to = at(rows[i].to);
		g_autoptr(MsIncident) incident = tell(&site);
		const GPtrArray *months = ms_incident_register(incident);
		g_assert_cmpuint(months->len, ==, rows[i].months);
		g_assert_cmpuint(
			((MsRegisterRow *)months->pdata[0])->messages.all, ==, rows[i].first);
		if (months->len > 1)
			g_assert_cmpuint(((MsRegisterRow *)months->pdata[1])->messages.all, ==,
				rows[i].second);
	}
	g_setenv("TZ", "UTC", TRUE);
	tzset();
	end(&site);
}

static void add_customers(GString *trail, guint n)
{
	for (guint i = 0; i < n; i++) {
		g_autofree char *value = g_strdup_printf("C%02u", i),
				*owner = g_strdup_printf("AC-%02u", i);
		g_autofree char *to = g_strdup_printf("a%02u@alpha.example", (i + 1) % n);
		const Made made = {DAY "09:00:00.000Z", "Q", "deliver", NULL, NULL, NULL, to,
			"wrong", value, owner, false};
		g_autofree char *masked = g_strdup_printf("\"identifier\":\"masked%02u\"", i);
		g_autoptr(GString) line = g_string_new(NULL);
		add(line, &made);
		g_string_replace(line, "\"identifier\":\"C***\"", masked, 0);
		g_string_append(trail, line->str);
	}
}

/* Whose data went to whom stands in the report, masked. */
static void test_whom(void)
{
	Site site;
	begin(&site);
	add_customers(site.trail, 3);
	g_autoptr(MsIncident) incident = tell(&site);
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *text = ms_report_json(report), *words = ms_report_html(report);
	g_autofree char *account = ms_audit_id(key, "account", "AC-01"),
			*to = ms_audit_id_of_address(key, "a02@alpha.example");
	json_t *json = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(
		json_object_get(json_object_get(json, "whom"), account), "to");
	g_assert_cmpuint(json_array_size(list), ==, 1);
	const json_t *row = json_array_get(list, 0);
	g_assert_cmpstr(json_string_value(json_object_get(row, "id")), ==, to);
	g_assert_cmpstr(json_string_value(json_object_get(row, "recipient")), ==, "a***");
	g_assert_cmpstr(json_string_value(json_object_get(row, "fate")), ==, "got-out");
	g_assert_nonnull(strstr(words, "to a*** (no account): got out"));
	json_decref(json);
	end(&site);
}

/* People read the first ones, and how many more there are; programs have all, as who has to write
 * to each needs. */
static void test_all(void)
{
	enum { ACCOUNTS = 80, RECIPIENTS = 30 };
	Site site;
	begin(&site);
	add_customers(site.trail, ACCOUNTS);
	for (int i = 0; i < RECIPIENTS; i++) {
		g_autofree char *to = g_strdup_printf("b%02d@beta.example", i),
				*id = g_strdup_printf("R%d", i);
		const Made made = {DAY "09:30:00.000Z", id, "deliver", "hold", NULL, NULL, to,
			"wrong", "C-of-many", "AC-of-many", false};
		add(site.trail, &made);
	}
	g_autoptr(MsIncident) incident = tell(&site);
	g_autofree char *many = ms_audit_id(key, "account", "AC-of-many");
	const MsReportAsk ask = {.what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *json_text = ms_report_json(report), *html = ms_report_html(report);
	json_t *json = json_loads(json_text, 0, NULL);
	const json_t *whom = json_object_get(json, "whom");
	g_assert_cmpuint(json_object_size(whom), ==, ACCOUNTS + 2); /* and how many more */
	g_assert_cmpuint(json_array_size(json_object_get(json_object_get(whom, many), "to")), ==,
		RECIPIENTS);
	g_assert_cmpint(json_integer_value(json_object_get(whom, "more")), ==, ACCOUNTS + 1 - 50);
	g_assert_nonnull(strstr(html, "and to 10 more"));
	guint shown = 0;
	for (const char *p = html;
		(p = strstr(p, "<tr class=\"known\"><th scope=\"row\">Account ")) != NULL; p++)
		shown++;
	g_assert_cmpuint(shown, ==, 50);
	json_decref(json);
	end(&site);
}

/* Of those to whom it went the accounts are named too, however long their names. */
static void test_long_names(void)
{
	Site site;
	begin(&site);
	g_autoptr(GHashTable)
		names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (int i = 0; i < 25; i++) {
		g_autofree char *to = g_strdup_printf("b%02d@beta.example", i),
				*id = g_strdup_printf("R%d", i);
		g_autofree char *own = g_strdup_printf("AC-%d", i),
				*digest = ms_audit_id(key, "account", own);
		const Made made = {DAY "09:30:00.000Z", id, "deliver", "hold", NULL, NULL, to,
			"wrong", "C-of-many", "AC-of-many", false};
		g_hash_table_insert(names, g_strdup(digest), g_strnfill(200, 'n'));
		gsize before = site.trail->len;
		add(site.trail, &made);
		/* whose recipient it is */
		char *row = strstr(site.trail->str + before, "\"outcome\":\"wrong\"");
		g_autofree char *more = g_strdup_printf("\"accounts\":[\"%s\"],", digest);
		g_string_insert(site.trail, row - site.trail->str, more);
	}
	g_autoptr(MsIncident) incident = tell(&site);
	const MsReportAsk ask = {.what = "all", .names = names};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *html = ms_report_html(report);
	g_assert_nonnull(strstr(html, "and to 5 more"));
	end(&site);
}

/* Each draft is looked through for each value, name and digest of each other customer. */
static void test_others(void)
{
	enum { N = 12 };
	Site site;
	begin(&site);
	add_customers(site.trail, N);
	g_autoptr(MsIncident) incident = tell(&site);
	const GPtrArray *parts = ms_incident_accounts(incident);
	static const char template[] =
		"{account}|{messages}|{recipients}|{first}|{last}|{kinds}|{identifiers}|{contact}|{company}";
	g_assert_cmpuint(parts->len, ==, N);
	for (guint i = 0; i < N; i++) {
		g_autofree char *own = g_strdup_printf("AC-%02u", i),
				*digest = ms_audit_id(key, "account", own);
		g_autofree char *own_masked = g_strdup_printf("masked%02u", i);
		const MsNoticeWords words = {own, "Seller", "privacy@seller.example"};
		g_autofree char *draft = ms_notice_draft(
			template, ms_incident_account(incident, digest), &words, NULL);
		g_assert_nonnull(strstr(draft, own_masked));
		for (guint k = 0; k < N; k++) {
			g_autofree char *name = g_strdup_printf("AC-%02u", k),
					*value = g_strdup_printf("C%02u", k);
			g_autofree char *masked = g_strdup_printf("masked%02u", k),
					*address = g_strdup_printf("a%02u@", k);
			g_autofree char *account = ms_audit_id(key, "account", name),
					*id = ms_audit_id(key, "customer-number", value);
			const char *const others[] = {name, value, masked, address, account, id};
			for (gsize w = 0; k != i && w < G_N_ELEMENTS(others); w++)
				g_assert_null(strstr(draft, others[w]));
		}
	}
	end(&site);
}

static void test_notice(void)
{
	Site site;
	begin(&site);
	add_mixed(site.trail);
	g_autoptr(MsIncident) incident = tell(&site);
	const MsAccountPart *part = ms_incident_accounts(incident)->pdata[0];
	const MsNoticeWords words = {"AC-2", "Seller", "privacy@seller.example"};
	g_autoptr(GError) error = NULL;
	static const char *const languages[] = {"en", "fr"};
	for (gsize i = 0; i < G_N_ELEMENTS(languages); i++) {
		g_autofree char *file = g_strdup_printf(
			"%s/policies/notice-%s.txt", g_getenv("SOURCE"), languages[i]);
		g_autofree char *template = NULL;
		g_assert_true(g_file_get_contents(file, &template, NULL, NULL));
		g_autofree char *draft = ms_notice_draft(template, part, &words, &error);
		g_assert_no_error(error);
		g_assert_null(strchr(draft, '{'));
		g_assert_nonnull(strstr(draft, "AC-2"));
		g_assert_nonnull(strstr(draft, "2026-11-20"));
		g_assert_null(strstr(draft, "AC-3"));
	}
	g_autofree char *none = ms_notice_draft("a {subject} b", part, &words, &error);
	g_assert_null(none);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
	end(&site);
}

/* ---- export ------------------------------------------------------------------------------ */

static const char *path_of(const json_t *json, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	for (int i = 0; names[i] != NULL && json != NULL; i++)
		json = json_is_array(json)
			? json_array_get(json, (gsize)g_ascii_strtoull(names[i], NULL, 10))
			: json_object_get(json, names[i]);
	return json_string_value(json);
}

static bool export_each(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	guint *n = user;
	char *ecs = ms_audit_export(line, MS_EXPORT_ECS),
	     *ocsf = ms_audit_export(line, MS_EXPORT_OCSF);
	json_t *one = ecs != NULL ? json_loads(ecs, 0, NULL) : NULL,
	       *two = ocsf != NULL ? json_loads(ocsf, 0, NULL) : NULL;
	bool message = strcmp(line->type, "message") == 0;
	g_assert_nonnull(one);
	g_assert_cmpstr(path_of(one, "observer/product"), ==, "missent");
	g_assert_true((two != NULL) == message);
	if (message) {
		g_assert_cmpstr(path_of(one, "email/direction"), ==, "outbound");
		g_assert_cmpstr(path_of(one, "email/to/address/0"), ==, "a***");
		g_assert_cmpstr(path_of(one, "event/category/0"), ==, "email");
		g_assert_nonnull(path_of(one, "email/local_id"));
		json_int_t class = json_integer_value(json_object_get(two, "class_uid"));
		bool held = strcmp(path_of(one, "missent/would"), "hold") == 0;
		g_assert_true(!held || class == 2006);
		g_assert_cmpint(
			json_integer_value(json_object_get(two, "type_uid")), ==, class * 100 + 1);
	}
	json_decref(one);
	json_decref(two);
	free(ecs);
	free(ocsf);
	(*n)++;
	return true;
}

static void test_export(void)
{
	Site site;
	begin(&site);
	add_mixed(site.trail);
	g_autoptr(GError) error = NULL;
	guint n = 0;
	g_assert_true(g_file_set_contents(site.path, site.trail->str, -1, NULL));
	g_assert_true(ms_audit_each(site.path, 0, G_MAXINT64, export_each, &n, &error));
	g_assert_cmpuint(n, ==, G_N_ELEMENTS(mixed) + 1);
	end(&site);
}

/* ---- lines of a host that was taken over -------------------------------------------------- */

/* The n-th value below, of which there is one less each time; its place gets `other`. */
static bool replace_nth(json_t *in, guint *n, const json_t *other)
{
	const char *key_of;
	json_t *value;
	void *next;
	gsize i;
	json_object_foreach_safe(in, next, key_of, value) {
		if (strcmp(key_of, "time") == 0 || strcmp(key_of, "type") == 0)
			continue;
		if ((*n)-- == 0)
			return json_object_set(in, key_of, (json_t *)other) == 0;
		if (replace_nth(value, n, other))
			return true;
	}
	json_array_foreach(in, i, value) {
		if ((*n)-- == 0)
			return json_array_set(in, i, (json_t *)other) == 0;
		if (replace_nth(value, n, other))
			return true;
	}
	return false;
}

static const char *const of_all_types[] = {"null", "7", "-1", "true", "\"\"", "\"x\"", "[]", "[7]", "{}",
	"[null]", "{\"id\":7}"};

/* A line for each value and each type that it is not. */
static guint add_of_other_types(GString *trail, const char *line)
{
	guint made = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(of_all_types); i++) {
		json_t *other = json_loads(of_all_types[i], JSON_DECODE_ANY, NULL);
		for (guint n = 0;; n++) {
			json_t *json = json_loads(line, 0, NULL);
			guint left = n;
			bool more = replace_nth(json, &left, other);
			char *text = json_dumps(json, JSON_COMPACT);
			g_string_append_printf(trail, "%s\n", text);
			free(text);
			json_decref(json);
			if (!more)
				break;
			made++;
		}
		json_decref(other);
	}
	return made;
}

static bool export_any(const MsAuditLine *line, void *user, GError **error)
{
	(void)user;
	(void)error;
	for (int format = 0; format <= MS_EXPORT_OCSF; format++)
		free(ms_audit_export(line, (MsExport)format));
	return true;
}

/* Who holds its key signs what he likes. */
static void test_types(void)
{
	Site site;
	begin(&site);
	g_autoptr(GString) one = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(mixed); i++) {
		g_string_truncate(one, 0);
		add(one, &mixed[i]);
		g_assert_cmpuint(add_of_other_types(site.trail, one->str), >, 200);
	}
	g_string_truncate(one, 0);
	add_end(one, "release", "b@beta.example", NUMBER, 0);
	g_assert_cmpuint(add_of_other_types(site.trail, one->str), >, 50);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsIncident) incident = ms_incident_new(&site.ask);
	g_assert_true(g_file_set_contents(site.path, site.trail->str, -1, NULL));
	g_assert_true(ms_incident_trail(incident, site.path, &error));
	const MsReportAsk ask = {.known_at = at(DAY "09:30:00Z"), .clocks = clocks, .what = "all"};
	g_autoptr(MsReport) report = ms_report_new(incident, &ask);
	g_autofree char *json = ms_report_json(report), *html = ms_report_html(report),
			*text = ms_report_text(report);
	g_assert_nonnull(json);
	g_assert_nonnull(html);
	g_assert_nonnull(text);
	g_assert_true(ms_audit_each(site.path, 0, G_MAXINT64, export_any, NULL, &error));
	MsReportLimits limits;
	ms_report_limits(&limits);
	const char *const policies[] = {"invoices", NULL};
	g_autoptr(GPtrArray) reports = ms_policy_reports(
		site.path, policies, 0, G_MAXINT64, &limits, &error);
	g_assert_nonnull(reports);
	g_autoptr(MsApplied) applied = ms_applied_read(site.path, 0, G_MAXINT64, key, &error);
	g_assert_nonnull(applied);
	end(&site);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/incident/empty", test_empty);
	g_test_add_func("/incident/hole", test_hole);
	g_test_add_func("/incident/undone", test_undone);
	g_test_add_func("/incident/who-decided", test_who_decided);
	g_test_add_func("/incident/stopped", test_stopped);
	g_test_add_func("/incident/fates", test_fates);
	g_test_add_func("/incident/damaged", test_damaged);
	g_test_add_func("/incident/plain", test_plain);
	g_test_add_func("/incident/again", test_again);
	g_test_add_func("/incident/parted", test_parted);
	g_test_add_func("/incident/records", test_records);
	g_test_add_func("/incident/contradicted", test_contradicted);
	g_test_add_func("/incident/keys", test_keys);
	g_test_add_func("/incident/report", test_report);
	g_test_add_func("/incident/template", test_template);
	g_test_add_func("/incident/nothing", test_nothing);
	g_test_add_func("/incident/register", test_register);
	g_test_add_func("/incident/month", test_month);
	g_test_add_func("/incident/whom", test_whom);
	g_test_add_func("/incident/all", test_all);
	g_test_add_func("/incident/long-names", test_long_names);
	g_test_add_func("/incident/others", test_others);
	g_test_add_func("/incident/notice", test_notice);
	g_test_add_func("/incident/export", test_export);
	g_test_add_func("/incident/types", test_types);
	return g_test_run();
}
