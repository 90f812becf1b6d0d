/*
 * history.h - what the audit trail says of policies.
 *
 * WHAT    Which policies applied to mail of the past, and of whom it was; counts by day, policy,
 *         sender and cause; what enforcing a policy would have held, and whether there is
 *         anything against it.
 * OWNS    MsApplied, MsStats, MsPolicyReport; each freed by its _free function.
 * ERRORS  GError: a trail that cannot be read.  None is no line.
 * THREADS One at a time.
 * LIMITS  Memory grows with the number of senders, causes and days.
 * NOT     Knows addresses: senders are digests (audit.h), asked for by who has the key.
 */
#ifndef MISSENT_HISTORY_H
#define MISSENT_HISTORY_H

#include <glib.h>
#include <stdbool.h>

#include "missent/audit.h"
#include "missent/policylint.h"
#include "missent/verdict.h"

typedef struct MsApplied MsApplied;
/* Of [from, to).  `key`: of the trail; NULL: senders are not known. */
MsApplied *ms_applied_read(const char *trail, gint64 from, gint64 to,
	const guint8 key[MS_AUDIT_KEY_BYTES], GError **error);
void ms_applied_free(MsApplied *applied);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsApplied, ms_applied_free)
/* For the lint; borrows. */
void ms_applied_lint(MsApplied *applied, MsLintMail *out);

/* ---- counts --------------------------------------------------------------------------- */

typedef enum {
	MS_STATS_DAY,
	MS_STATS_POLICY,
	MS_STATS_SENDER,
	MS_STATS_CAUSE,
	MS_N_STATS
} MsStatsBy;
extern const char *const ms_stats_names[MS_N_STATS + 1];

typedef struct {
	char *name;                     /* a sender masked */
	char *id;                       /* its digest, or "" */
	guint64 judged, recipients;
	guint64 verdicts[MS_N_ACTIONS]; /* by policy: that policy's own */
	/* delivered, and would have been held, rejected or deferred */
	guint64 observed;
	guint64 unsure; /* a condition of a policy was not known, and counted as met */
} MsStatsRow;

/* Which, and why: as the verdict's `unsure` has it. */
typedef struct {
	char *what; /* "invoices: auth-results (...)" */
	guint64 messages;
} MsStatsUnsure;

typedef struct MsStats MsStats;
MsStats *ms_stats_new(MsStatsBy by);
void ms_stats_free(MsStats *stats);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsStats, ms_stats_free)
/* Adds what a trail has of [from, to). */
bool ms_stats_read(MsStats *stats, const char *trail, gint64 from, gint64 to, GError **error);
/* Of MsStatsRow: days in their order, others the most frequent first. */
const GPtrArray *ms_stats_rows(const MsStats *stats);
const MsStatsRow *ms_stats_all(const MsStats *stats);
/* Of MsStatsUnsure, the most frequent first. */
const GPtrArray *ms_stats_unsure(const MsStats *stats);
/* Lines that could not be read. */
guint64 ms_stats_damaged(const MsStats *stats);

/* ---- what enforcing would have held ---------------------------------------------------- */

/* When is it safe to enforce a policy? */
typedef struct {
	guint64 least;        /* messages that were judged under it */
	double most_held;     /* per cent of them that would be held or rejected */
	guint64 most_a_day;   /* that reviewers can look at */
	double most_deferred; /* per cent */
	double minutes;       /* that a message takes a reviewer */
} MsReportLimits;
void ms_report_limits(MsReportLimits *out);

#define MS_REPORT_EXAMPLES 3
typedef struct {
	gint64 time;
	char *queue_id, *record;  /* "" where there is none */
	char *sender, *recipient, *identifier, *where, *account; /* masked, or "" */
} MsReportExample;

typedef struct {
	char *cause;
	guint64 messages, recipients;
	guint days;         /* on which there was one */
	GPtrArray *examples; /* of MsReportExample */
} MsReportGroup;

typedef struct {
	char *policy;
	gint64 from, to;      /* of its messages; 0: none */
	gint64 changed;       /* when policies or kinds changed last within that; 0: not */
	guint64 judged, since_change;
	guint64 held, delayed, rejected, deferred, tagged; /* by it alone, were it enforced */
	guint64 enforced;     /* of them, messages for which it was */
	guint days;
	char *worst_day;      /* on which it would hold most, or "" */
	guint64 worst;
	double minutes_a_day;
	GPtrArray *groups;    /* of MsReportGroup, the largest first */
	GPtrArray *objections; /* of char *: why it is not safe to enforce it; empty: it is */
} MsPolicyReport;
void ms_policy_report_free(MsPolicyReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsPolicyReport, ms_policy_report_free)

/* What the trail has of [from, to) of each of these policies (ends with NULL): of
 * MsPolicyReport, in their order. */
GPtrArray *ms_policy_reports(const char *trail, const char *const *policies, gint64 from, gint64 to,
	const MsReportLimits *limits, GError **error);
/* Objects to what the lint found wrong with it. */
void ms_policy_report_lint(MsPolicyReport *report, const GPtrArray *findings);

#endif
