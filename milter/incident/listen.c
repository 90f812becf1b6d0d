/*
 * Signs of life come in, line by line; times of which nothing is known go out.  missentd says
 * every minute that it lives, and when it starts and stops: between two signs that are farther
 * apart lines may be lost, or mail may have gone by.  Trails of before there were heartbeats are
 * only told to be quiet.  One thread.
 */
#include "config.h"

#include <string.h>

#include "incident_private.h"

#define BEAT_LATE ((gint64)3 * 60 * G_USEC_PER_SEC)
#define QUIET_LONG ((gint64)3600 * G_USEC_PER_SEC)

static void free_hole(void *data)
{
	Hole *hole = data;
	g_free(hole->host);
	g_free(hole);
}

GPtrArray *listen_holes_new(void)
{
	return g_ptr_array_new_with_free_func(free_hole);
}

/* As much of it as was asked for. */
static void add_hole(
	MsIncident *incident, const Listening *l, HoleKind kind, gint64 from, gint64 to)
{
	from = MAX(from, incident->ask.from);
	to = MIN(to, MIN(incident->ask.to, incident->ask.now));
	if (from >= to)
		return;
	if (incident->holes->len >= MAX_HOLES) {
		incident->holes_more++;
		incident->holes_more_us += to - from;
		return;
	}
	Hole *hole = g_new0(Hole, 1);
	*hole = (Hole){kind, from, to, g_strdup(l->host != NULL ? l->host : "")};
	g_ptr_array_add(incident->holes, hole);
}

static bool is_sign(const MsAuditLine *line)
{
	static const char *const signs[] = {
		MS_AUDIT_BEAT, MS_AUDIT_START, MS_AUDIT_STOP, "message", "canary", NULL};
	return g_strv_contains(signs, line->type);
}

static void after_sign(MsIncident *incident, Listening *l, gint64 time, bool end)
{
	if (l->sign == 0)
		return;
	if (l->stopped)
		add_hole(incident, l, HOLE_STOPPED, l->sign, time);
	else if (l->beats && time - l->sign > BEAT_LATE)
		add_hole(incident, l, end ? HOLE_AFTER : HOLE_SILENT, l->sign, time);
	else if (!l->beats && time - l->sign > QUIET_LONG)
		add_hole(incident, l, HOLE_QUIET, l->sign, time);
}

void listen_begin(Listening *l)
{
	*l = (Listening){0};
}

void listen_line(MsIncident *incident, Listening *l, const MsAuditLine *line)
{
	gint64 from = incident->ask.from, to = MIN(incident->ask.to, incident->ask.now);
	const char *host = json_string_value(json_object_get(line->json, "host"));
	if (l->host == NULL && host != NULL)
		l->host = g_strdup(host);
	if (l->begins == 0) {
		l->begins = line->time;
		if (from > 0)
			add_hole(incident, l, HOLE_BEFORE, from, line->time);
	}
	if (line->time < l->before - G_USEC_PER_SEC && l->before >= from && line->time < to &&
		incident->back_at == 0)
		incident->back_at = l->before;
	l->before = line->time;
	if (!is_sign(line))
		return;
	after_sign(incident, l, line->time, false);
	l->stopped = strcmp(line->type, MS_AUDIT_STOP) == 0;
	l->beats = l->beats || strcmp(line->type, MS_AUDIT_BEAT) == 0 ||
		strcmp(line->type, MS_AUDIT_START) == 0;
	l->sign = line->time;
}

/* A trail is at its end: what of the time that was asked for comes after it? */
void listen_end(MsIncident *incident, Listening *l)
{
	gint64 to = MIN(incident->ask.to, incident->ask.now);
	incident->begins = incident->begins == 0 || (l->begins > 0 && l->begins < incident->begins)
		? l->begins
		: incident->begins;
	if (l->sign == 0 && l->begins > 0)
		add_hole(incident, l, HOLE_QUIET, l->begins, to);
	after_sign(incident, l, to, true);
	g_clear_pointer(&l->host, g_free);
}

/* ---- in words ---------------------------------------------------------------------------- */

const char *const hole_names[] = {"before", "after", "silent", "stopped", "quiet"};

char *listen_words(const MsIncident *incident, const Hole *hole)
{
	static const char *const words[] = {
		[HOLE_BEFORE] =
			"The trail begins at %2$s: nothing is known of the time from %1$s until then",
		[HOLE_AFTER] =
			"The last sign of life in the trail is of %1$s: nothing is known of the time until %2$s",
		[HOLE_SILENT] =
			"The trail has no heartbeat between %1$s and %2$s: nothing is known of that time",
		[HOLE_STOPPED] =
			"missentd was stopped from %1$s to %2$s: mail of that time was not judged, and whether there "
			"was any is not known",
		[HOLE_QUIET] =
			"The trail is quiet from %1$s to %2$s, and has no heartbeats there: whether there was no mail, "
			"or lines are lost, is not known",
	};
	g_autofree char *from = incident_time(hole->from), *to = incident_time(hole->to);
	g_autoptr(GString) out = g_string_new(words[hole->kind]);
	g_string_replace(out, "%1$s", from, 1);
	g_string_replace(out, "%2$s", to, 1);
	bool several = incident->sources->len > 1 && *hole->host != '\0';
	return g_strdup_printf("%s%s%s.", several ? hole->host : "", several ? ": " : "", out->str);
}
