/*
 * alert.h - states that somebody has to know of, each told once when it begins and once when it
 * ends.
 *
 * WHAT    A table of states; which of them hold, found from numbers of now and of before; a file
 *         in state-dir that remembers what was told, over restarts.
 * OWNS    MsAlerts: ms_alerts_free().
 * ERRORS  None: what cannot be remembered is told again after a restart.
 * THREADS MsAlerts: one thread's.  What is left for it: any, of any process.
 * LIMITS  The table.
 * NOT     Tells nobody: that is the agent.
 */
#ifndef MISSENT_ALERT_H
#define MISSENT_ALERT_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	MS_ALERT_SILENT,
	MS_ALERT_PAUSED,
	MS_ALERT_DIRECTORY,
	MS_ALERT_STALE,
	MS_ALERT_HUNG,
	MS_ALERT_OVERLOAD,
	MS_ALERT_WRITE,
	MS_ALERT_RECORDS,
	MS_ALERT_HELD_OLD,
	MS_ALERT_UNFINISHED,
	MS_ALERT_UNREAD,
	MS_ALERT_DISK,
	MS_ALERT_BYPASS,
	MS_ALERT_CANARY,
	MS_ALERT_BREAKER,
	MS_ALERT_GUARD,
	MS_ALERT_TRAIL,
	MS_ALERT_WITNESS,
	MS_ALERT_AUDIT,
	MS_ALERT_OBSERVING,
	MS_ALERT_REFUSED,
	MS_N_ALERTS,
} MsAlert;

typedef struct {
	const char *name, *on, *off;
	const char *remedy; /* what to do, for who is woken by it */
} MsAlertRow;
extern const MsAlertRow ms_alert_rows[MS_N_ALERTS];

typedef struct MsAlerts MsAlerts;
MsAlerts *ms_alerts_new(const char *state_dir);
void ms_alerts_free(MsAlerts *alerts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAlerts, ms_alerts_free)

/* Called for each that has begun (`on`) or ended, with what there is to say. */
typedef void (*MsAlertTold)(MsAlert alert, bool on, const char *detail, void *user);
/* A state that is now so: tells if it was not, and of a bypass also if there is more of it, which
 * `detail` says. */
void ms_alerts_set(
	MsAlerts *alerts, MsAlert alert, bool on, const char *detail, MsAlertTold told, void *user);
bool ms_alerts_is(const MsAlerts *alerts, MsAlert alert);
/* Another program says so, for whoever looks next; "" for what is over.  False: it cannot
 * (errno). */
bool ms_alert_leave(const char *state_dir, MsAlert alert, const char *detail);
/* What was left; NULL: nothing.  The caller's. */
char *ms_alert_left(const char *state_dir, MsAlert alert);
/* The names of those that hold, as they were remembered, "paused, directory"; the caller's. */
char *ms_alerts_remembered(const char *state_dir);

#endif
