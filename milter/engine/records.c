/*
 * The database of records, opened by who writes in it.  One that is not there, or empty, begins
 * only where none was: where the trail tells of messages that were held here, or the spool has
 * copies, it is gone, and a new one would be silent about mail that waits.  The thread that loads.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "missent/answer.h"
#include "missent/engine.h"
#include "missent/spool.h"

static bool take_held(const MsAuditLine *line, void *user, GError **error)
{
	static const MsAction holds[] = {MS_HOLD, MS_DELAY, MS_SPLIT};
	MsForgotten *out = user;
	const char *verdict = json_string_value(json_object_get(line->json, "verdict"));
	(void)error;
	for (gsize i = 0; verdict != NULL && i < G_N_ELEMENTS(holds); i++)
		if (strcmp(line->type, MS_AUDIT_MESSAGE) == 0 &&
			strcmp(verdict, ms_action_names[holds[i]]) == 0) {
			out->messages++;
			out->last = line->time;
		}
	return true;
}

bool ms_engine_records_gone(const MsSettings *s, MsForgotten *out, GError **error)
{
	*out = (MsForgotten){0};
	struct stat st;
	if (stat(s->records_file, &st) == 0 ? st.st_size > 0 : errno != ENOENT)
		return false;
	out->copies = ms_spool_count(s->spool_dir);
	return ms_audit_each(s->audit_file, G_MININT64, G_MAXINT64, take_held, out, error) &&
		(out->messages > 0 || out->copies > 0);
}

char *ms_engine_forgotten_text(const MsForgotten *gone)
{
	g_autoptr(GDateTime) last = g_date_time_new_from_unix_utc(gone->last / G_USEC_PER_SEC);
	g_autofree char *when = g_date_time_format(last, "%Y-%m-%d %H:%M:%S UTC");
	return g_strdup_printf("the trail tells of %" G_GUINT64_FORMAT " message%s held here%s%s, the spool has %u held cop%s",
		gone->messages, gone->messages == 1 ? "" : "s", gone->messages > 0 ? " until " : "",
		gone->messages > 0 ? when : "", gone->copies, gone->copies == 1 ? "y" : "ies");
}

/* False: `*error`. */
static bool none_is_gone(const MsSettings *s, GError **error)
{
	MsForgotten gone;
	g_autoptr(GError) why = NULL;
	if (ms_engine_records_gone(s, &gone, &why)) {
		g_autofree char *known = ms_engine_forgotten_text(&gone);
		g_set_error(&why, MS_ERROR, MS_ERROR_CONFIG,
			"%s: the records of held mail are gone: %s; put back a copy of the file, or begin without it: "
			"missent held begin --why TEXT",
			s->records_file, known);
	}
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	return *error == NULL;
}

MsLedger *ms_engine_open_records(const MsSettings *s, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (none_is_gone(s, &why))
		return ms_ledger_open(s->records_file, error);
	g_propagate_error(error, g_steal_pointer(&why));
	return NULL;
}
