/*
 * Which states hold, and which of them somebody was told of.  A state is told when it begins and
 * when it ends, however often it is looked at between; what was told is remembered in a file, so
 * that a restart repeats nothing.  What another program finds out (a bypass) it leaves in a file
 * of its own.  The agent's thread of alerts; what is left for it, any thread of any program.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "missent/alert.h"
#include "missent/io.h"

const MsAlertRow ms_alert_rows[MS_N_ALERTS] = {
	[MS_ALERT_OBSERVING] = {"observing", "a policy goes on observing past its end",
		"no policy observes past its end any more",
		"missent policy report says what speaks against it: mend that, or set its mode"},
	[MS_ALERT_SILENT] = {"silent", "missentd is silent: it is stopped, or hangs",
		"missentd is at work again",
		"systemctl status missent; journalctl -u missent. The MTA defers mail meanwhile"},
	[MS_ALERT_PAUSED] = {"paused", "missent is paused: mail is let through as observed",
		"mail is judged as before the pause",
		"missent resume ends it; missent status says who began it, and until when"},
	[MS_ALERT_DIRECTORY] = {"directory", "the directory is unavailable",
		"the directory answers again",
		"missent directory stats says why. Mail that needs it is deferred meanwhile"},
	[MS_ALERT_STALE] = {"stale", "the mapping has not been imported for long",
		"the mapping was imported",
		"import it (missent directory import), or see journalctl -u missent-sync"},
	[MS_ALERT_REFUSED] = {"refused", "a new mapping was refused, and the one before stays in use",
		"a mapping was imported",
		"missent status says why. Mend what is exported, or, if it is meant so, import it with --accept-moved --why TEXT, or a higher limit"},
	[MS_ALERT_HUNG] = {"hung", "messages hang", "no message hangs any more",
		"journalctl -u missent says which, and how far they came; systemctl restart missent frees them"},
	[MS_ALERT_OVERLOAD] = {"overload", "mail is deferred for overload",
		"no mail is deferred for overload any more",
		"senders try again; missent status says for want of what, missent.conf(5) what limits it (reader, max-memory)"},
	[MS_ALERT_WRITE] = {"write", "verdicts cannot be written down (records or audit file)",
		"verdicts are written down again",
		"room and rights of state-dir (df, missent doctor). Mail is deferred meanwhile"},
	[MS_ALERT_RECORDS] = {"records", "the records of held mail cannot be read: nothing is decided",
		"the records of held mail can be read again",
		"missent held list says why; rights and owner of held.db in state-dir, or a copy of it from before. What is held stays held meanwhile"},
	[MS_ALERT_HELD_OLD] = {"held-old", "held mail has waited for long",
		"no held mail has waited for long any more",
		"decide, on the page or with missent held list --sort oldest"},
	[MS_ALERT_UNFINISHED] = {"unfinished", "a decision on held mail was begun and cannot be finished",
		"no decision on held mail is left unfinished any more",
		"missent held show says how far it came, missent held work what is in its way. It is tried again until it is done, and the message may be on hold still"},
	[MS_ALERT_UNREAD] = {"unread", "much of the mail cannot be read whole",
		"mail can be read again",
		"missent held list --reason unreadable, missent stats --by cause: what do they have in common?"},
	[MS_ALERT_DISK] = {"disk", "the disk of state-dir is nearly full, or takes nothing",
		"the disk of state-dir has room again",
		"make room, or mount it anew (missent doctor says which): without it mail is deferred"},
	[MS_ALERT_BYPASS] = {"bypass", "mail went out that was not judged",
		"no mail went out unjudged any more",
		"missent audit reconcile says which, and why; missent doctor which way is open; then missent audit reconcile --acknowledge WHY"},
	[MS_ALERT_CANARY] = {"canary", "a canary was not held", "canaries are held again",
		"missent doctor --probe. Until it is held, what is wrong may go out as well"},
	[MS_ALERT_BREAKER] = {"breaker", "a stream of mail goes wrong: its breaker has tripped",
		"no breaker holds mail any more",
		"missent guard status says which and why. Its mail is held; when that is mended, missent guard reset ID --why TEXT"},
	[MS_ALERT_GUARD] = {"guard", "the guard cannot be asked", "the guard answers again",
		"missent guard status, missent doctor"},
	[MS_ALERT_TRAIL] = {"trail", "the audit trail stands still, though missentd is at work",
		"the audit trail goes on",
		"missent audit verify; room and rights of state-dir; then systemctl restart missent"},
	[MS_ALERT_WITNESS] = {"witness", "another host's audit trail is not what it was",
		"the trails of other hosts continue what was kept",
		"look at that host now: who has its root may have written it anew (missent audit witness)"},
	[MS_ALERT_AUDIT] = {"audit-fault", "the audit trail is damaged", "the audit trail is whole again",
		"missent audit verify says where. Copy the folder as it is before anything else"},
};

#define FILE_NAME "alerts.json"

struct MsAlerts {
	char *path;
	bool on[MS_N_ALERTS];
	char *detail[MS_N_ALERTS]; /* of what is told again; NULL: not known */
};

/* More of it is another event, though the state is the same: whoever did not look at the first one
 * hears of it. */
static bool is_told_again(MsAlert alert)
{
	return alert == MS_ALERT_BYPASS;
}

static char *path_of(const char *state_dir, const char *name)
{
	return g_build_filename(state_dir, name, NULL);
}

/* A regular file of a few bytes, as it is; NULL: there is none. */
static char *contents(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	ms_io_close(fd);
	return n >= 0 ? g_strndup(text, (gsize)n) : NULL;
}

MsAlerts *ms_alerts_new(const char *state_dir)
{
	MsAlerts *alerts = g_new0(MsAlerts, 1);
	alerts->path = path_of(state_dir, FILE_NAME);
	g_autofree char *text = contents(alerts->path);
	json_t *json = text != NULL ? json_loads(text, 0, NULL) : NULL;
	for (guint i = 0; i < MS_N_ALERTS; i++) {
		const json_t *is = json_object_get(json, ms_alert_rows[i].name);
		alerts->on[i] = json_is_true(is) || json_is_string(is);
		alerts->detail[i] = g_strdup(json_string_value(is));
	}
	json_decref(json);
	return alerts;
}

void ms_alerts_free(MsAlerts *alerts)
{
	if (alerts == NULL)
		return;
	for (guint i = 0; i < MS_N_ALERTS; i++)
		g_free(alerts->detail[i]);
	g_free(alerts->path);
	g_free(alerts);
}

static void remember(const MsAlerts *alerts)
{
	json_t *json = json_object();
	for (guint i = 0; i < MS_N_ALERTS; i++)
		json_object_set_new(json, ms_alert_rows[i].name,
			alerts->on[i] && alerts->detail[i] != NULL
				? json_string(alerts->detail[i])
				: json_boolean(alerts->on[i]));
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	ms_io_replace(alerts->path, text, strlen(text), 0640, false);
	free(text);
	json_decref(json);
}

/* Told first: who is killed between tells it again, and not never. */
void ms_alerts_set(
	MsAlerts *alerts, MsAlert alert, bool on, const char *detail, MsAlertTold told, void *user)
{
	bool again = on && is_told_again(alert);
	const char *before = alerts->detail[alert];
	bool same = alerts->on[alert] == on, known = again && g_strcmp0(before, detail) == 0;
	if (same && (!again || known))
		return;
	bool told_before = same && before == NULL; /* by who did not remember what */
	alerts->on[alert] = on;
	if (!told_before)
		told(alert, on, detail, user);
	g_free(alerts->detail[alert]);
	alerts->detail[alert] = again ? g_utf8_make_valid(detail, -1) : NULL;
	remember(alerts);
}

bool ms_alerts_is(const MsAlerts *alerts, MsAlert alert)
{
	return alerts->on[alert];
}

char *ms_alerts_remembered(const char *state_dir)
{
	g_autoptr(MsAlerts) alerts = ms_alerts_new(state_dir);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < MS_N_ALERTS; i++)
		if (alerts->on[i])
			g_string_append_printf(
				out, "%s%s", out->len > 0 ? ", " : "", ms_alert_rows[i].name);
	return g_string_free(out, FALSE);
}

static char *left_path(const char *state_dir, MsAlert alert)
{
	g_autofree char *name = g_strconcat("alert-", ms_alert_rows[alert].name, NULL);
	return path_of(state_dir, name);
}

bool ms_alert_leave(const char *state_dir, MsAlert alert, const char *detail)
{
	g_autofree char *path = left_path(state_dir, alert);
	if (*detail == '\0')
		return unlink(path) == 0 || errno == ENOENT;
	return ms_io_replace(path, detail, strlen(detail), 0640, false);
}

char *ms_alert_left(const char *state_dir, MsAlert alert)
{
	g_autofree char *path = left_path(state_dir, alert);
	return contents(path);
}
