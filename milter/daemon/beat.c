/*
 * What the audit trail hears of this process itself: that it started, reloaded, stopped, and
 * every minute that it lives, so that silence is one.  In the thread that waits for reloads;
 * start and stop in that of main().
 */
#include "config.h"

#include "missent/alert.h"
#include "missent/answer.h"
#include "missent/log.h"
#include "missent/witness.h"

#include "daemon.h"

static gint silent; /* the last one could not be written, which was told; atomic */

/* One that is not what it was is an alert: no mail goes until somebody has looked. */
static void tell(const MsRuntime *runtime, bool fine, const GError *error)
{
	if (fine)
		g_atomic_int_set(&silent, 0);
	else if (g_atomic_int_compare_and_exchange(&silent, 0, 1)) {
		bool damaged = g_error_matches(error, MS_ERROR, MS_ERROR_INPUT);
		ms_log(damaged ? LOG_CRIT : LOG_ERR, NULL, "audit: %s", error->message);
		if (damaged)
			ms_alert_leave(ms_runtime_settings(runtime)->state_dir, MS_ALERT_AUDIT,
				error->message);
	}
}

/* A trail in another one's place, or where one was and is gone: mail goes on, and somebody has to
 * look.  Told once for as long as it is so. */
static void look_whose(const MsRuntime *runtime)
{
	static gint told; /* atomic */
	const MsSettings *s = ms_runtime_settings(runtime);
	g_autofree char *folder = ms_audit_folder(s->audit_file),
			*why = ms_audit_not_ours(folder);
	if (why == NULL) {
		g_atomic_int_set(&told, 0);
	} else if (g_atomic_int_compare_and_exchange(&told, 0, 1)) {
		ms_log(LOG_CRIT, NULL,
			"audit: %s (put the folder back; or, if it is to be so: missent audit begin --why TEXT)",
			why);
		ms_alert_leave(s->state_dir, MS_ALERT_AUDIT, why);
	}
}

void daemon_note(Daemon *daemon, const char *type)
{
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	g_autoptr(GError) error = NULL;
	bool fine = ms_audit_note(ms_runtime_audit(runtime), type, "missentd", "", &error);
	tell(runtime, fine, error);
	look_whose(runtime);
}

/* In one line, from which missent audit verify --against reads it again. */
static void log_checkpoint(MsAudit *audit)
{
	g_autofree char *text = NULL;
	g_autofree char *line = ms_audit_publish(audit, &text, NULL) && text != NULL
		? ms_checkpoint_line(text)
		: NULL;
	if (line != NULL)
		ms_log(LOG_NOTICE, NULL, "audit: checkpoint=%s", line);
}

/* A mapping that was imported, wherever, is told by each host that judges by it. */
static void note_mapping(MsRuntime *runtime)
{
	static char *known; /* of one thread */
	MsDirectoryState state = {0};
	g_autoptr(GError) error = NULL;
	if (ms_directory_state(ms_runtime_directory(runtime), &state, &error) == MS_FOUND &&
		state.generation != NULL && g_strcmp0(known, state.generation) != 0) {
		g_autofree char *detail = g_strdup_printf(
			"%s, %" G_GINT64_FORMAT " entries", state.generation, state.entries);
		if (ms_audit_note(
			    ms_runtime_audit(runtime), MS_AUDIT_IMPORT, "missentd", detail, NULL)) {
			g_free(known);
			known = g_strdup(state.generation);
		}
	}
	ms_directory_state_clear(&state);
}

void daemon_beat(Daemon *daemon)
{
	static gint64 logged; /* of one thread */
	g_autoptr(MsRuntime) runtime = daemon_runtime(daemon);
	MsAudit *audit = ms_runtime_audit(runtime);
	g_autoptr(GError) error = NULL;
	bool fine = ms_audit_beat(audit, "missentd", &error);
	tell(runtime, fine, error);
	look_whose(runtime);
	note_mapping(runtime);
	const MsSettings *s = ms_runtime_settings(runtime);
	gint64 now = g_get_monotonic_time();
	if (!fine || !s->checkpoints.log ||
		(logged != 0 && now - logged < s->checkpoints.every_ms * 1000))
		return;
	log_checkpoint(audit);
	logged = now;
}
