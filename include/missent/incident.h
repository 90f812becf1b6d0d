/*
 * incident.h - what happened: told from the audit trail and the records of held mail.
 *
 * WHAT    Counts what was judged wrong in a time, what of it got out, to how many and of whom;
 *         tells it as a report (text, HTML, JSON), as drafts to the customers concerned, as a
 *         register by month; judges the recorded past again by another mapping and other policies.
 * OWNS    MsIncident, MsReport, MsLookback: freed by their _free functions.
 * ERRORS  GError.  A trail that is damaged, has a hole or is not there is no error: what is not
 *         known for it is told (ms_incident_gaps()).
 * THREADS One thread.
 * LIMITS  Memory grows with the messages concerned, not with all that were judged.
 * NOT     Says what missent did: whether the MTA delivered what it was handed, the mail log knows.
 *         Knows nobody's name or address but those that it is given.
 */
#ifndef MISSENT_INCIDENT_H
#define MISSENT_INCIDENT_H

#include <glib.h>
#include <stdbool.h>

#include "missent/audit.h"
#include "missent/kind.h"
#include "missent/ledger.h"
#include "missent/settings.h"

/* ---- counting ------------------------------------------------------------------------- */

typedef struct {
	gint64 from, to; /* microseconds since 1970; `to` is not in it */
	const char *policy; /* its title; NULL: any */
	/* Digests (audit.h), of which one is to fit; NULL: any. */
	const char *const *senders;     /* of an address, or a domain */
	const char *const *identifiers;
	const char *account;            /* whose data it is; what is another's is left out */
	const char *house;              /* the house account: nothing of it is anybody's secret */
	/* number of the key that these were made with; NULL: no key */
	const char *key;
	gint64 now;
} MsIncidentAsk;

typedef struct MsIncident MsIncident;
MsIncident *ms_incident_new(const MsIncidentAsk *ask);
void ms_incident_free(MsIncident *incident);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsIncident, ms_incident_free)
/* The trail of a host, all of it up to `to`; several hosts' one after the other.  MS_ERROR_INPUT:
 * that log, or a copy of it, was read already; what was counted is of no use then. */
bool ms_incident_trail(MsIncident *incident, const char *path, GError **error);
/* What became of what was held, as the records of that host have it.  `key`: of the trail. */
bool ms_incident_records(MsIncident *incident, MsLedger *ledger,
	const guint8 key[MS_AUDIT_KEY_BYTES], GError **error);

/* What became of a recipient's copy. */
typedef enum { MS_FATE_STOPPED, MS_FATE_HELD, MS_FATE_UNTOLD, MS_FATE_RELEASED, MS_FATE_OUT,
	MS_N_FATES } MsFate;
extern const char *const ms_fate_names[MS_N_FATES + 1];

/* Of messages, each by the worst that became of any of its wrong copies; of recipients, accounts
 * and so on, each by the worst that it was part of. */
typedef struct {
	guint64 of[MS_N_FATES];
	guint64 all;
} MsFates;

typedef struct {
	char *name;
	MsFates fates;
} MsNamedFates;

typedef struct {
	guint64 lines, judged, deferred, unread, unknown;
	gint64 first, last;         /* message that is wrong; 0: none */
	gint64 first_out, last_out; /* ... of those that got out */
	gint64 first_stopped;
	gint64 found;               /* the first line that says so */
	MsFates others;             /* messages that are held, or would be, for something else */
	MsFates messages, recipients, accounts, identifiers, disclosures;
	GPtrArray *kinds;           /* of MsNamedFates: identifiers by kind */
	/* wrong messages whose line has none: not in the numbers of whom */
	guint64 without_digests;
	guint64 cut;                /* ... whose line had to leave something out */
	/* released, as the trail says, and to nobody, or not to those, as the record does */
	guint64 contradicted;
	guint64 keys;               /* keys that digests were made with */
	/* messages that could not be looked through for `identifiers` and so on */
	guint64 other_key;
} MsIncidentSum;
const MsIncidentSum *ms_incident_sum(MsIncident *incident);
/* What is not known of the time, a sentence each; of char *, borrowed. */
const GPtrArray *ms_incident_gaps(MsIncident *incident);
/* Has the trail anything of that time? */
bool ms_incident_has_trail(const MsIncident *incident);

/* ---- the report ----------------------------------------------------------------------- */

typedef struct {
	gint64 known_at, classified_at; /* 0: not said */
	const char *const *clocks;      /* of the settings (ms_clock_parse()); none: "gdpr" */
	const char *what;               /* was asked for, in words */
	/* of accounts, by digest, for who may see them; NULL: none */
	GHashTable *names;
} MsReportAsk;

typedef struct MsReport MsReport;
MsReport *ms_report_new(MsIncident *incident, const MsReportAsk *ask);
void ms_report_free(MsReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsReport, ms_report_free)
char *ms_report_text(const MsReport *report);
/* One page that asks nobody for anything, to be printed. */
char *ms_report_html(const MsReport *report);
char *ms_report_json(const MsReport *report);

/* ---- one account ---------------------------------------------------------------------- */

typedef struct {
	char *digest;
	MsFates messages;
	guint64 recipients;  /* who got something of it */
	guint64 identifiers; /* of it that got out */
	gint64 first, last;  /* of what got out; 0: nothing did */
	GPtrArray *kinds;    /* of MsNamedFates */
	GPtrArray *masked;   /* of char *: what got out, masked, at most MS_ACCOUNT_SHOWN */
} MsAccountPart;
#define MS_ACCOUNT_SHOWN 200
/* All of whom something is in it, those of whom something got out first; of MsAccountPart,
 * borrowed. */
const GPtrArray *ms_incident_accounts(MsIncident *incident);
const MsAccountPart *ms_incident_account(MsIncident *incident, const char *digest);

/* A draft to that customer, by a template of "{words}"; MS_ERROR_INPUT names a word that is
 * none. */
typedef struct {
	const char *account, *company, *contact;
} MsNoticeWords;
char *ms_notice_draft(const char *template, const MsAccountPart *part, const MsNoticeWords *words,
	GError **error);

/* ---- the register --------------------------------------------------------------------- */

typedef struct {
	char *month, *cause, *policies;
	MsFates messages;
	guint64 accounts;
	gint64 first, last;
} MsRegisterRow;
/* By month and cause, of MsRegisterRow, borrowed. */
const GPtrArray *ms_incident_register(MsIncident *incident);

/* ---- looking back --------------------------------------------------------------------- */

typedef struct {
	guint64 judged, again;   /* messages; of which so many could be judged again */
	/* went, and nobody knew better; by the new ones they would be held */
	guint64 leaks;
	guint64 wrong;           /* ... with another's data for somebody who got it */
	/* went, and would be held, as was said at the time (mode observe) */
	guint64 known;
	guint64 let_go;          /* held, and would go */
	guint64 without_digests, other_key, cut, damaged;
	guint64 identifiers, unseen_identifiers; /* in the trail; of them not in the new mapping */
	guint64 recipients, unseen_recipients;
	guint64 greet_others;    /* went, and greet nobody of the recipient's account */
	guint64 unknown_greeted; /* messages whose line does not say whom they greet */
	guint64 no_policy; /* messages none of whose policies is among the new ones */
	guint64 not_whole; /* places where the trail is not as it should be (audit.h) */
	guint64 plain;     /* 1: its lines stand in plain files, which prove nothing */
	guint64 bad;       /* lines of the mapping that could not be taken */
} MsLookbackSum;

/* One that went and would be held.  Borrowed; sender and recipient (the first wrong one) are
 * masked. */
typedef struct {
	gint64 time;
	const char *host, *queue_id, *was, *would, *codes, *sender, *recipient;
	guint wrong; /* recipients */
} MsLookbackRow;

typedef struct {
	gint64 from, to;
	const char *const *csv; /* files of the mapping, account,kind,value: together, it */
	const char *policies;  /* a folder */
	MsKinds *kinds;
	const MsSettings *settings; /* for the house, the site key and the limits */
	const guint8 *key;     /* of the trail */
	void (*found)(const MsLookbackRow *row, void *user);
	/* A line of one of these files that cannot be taken, and why; or NULL. */
	void (*bad)(const char *csv, guint64 line, const char *why, void *user);
	void *user;
} MsLookback;
bool ms_incident_look_back(
	const MsLookback *ask, const char *trail, MsLookbackSum *sum_out, GError **error);

/* ---- for other programs ---------------------------------------------------------------- */

typedef enum { MS_EXPORT_ECS, MS_EXPORT_OCSF } MsExport;
/* A line of the trail as the Elastic Common Schema, or the Open Cybersecurity Schema Framework, has
 * it: one JSON object (malloc()ed).  NULL: it is damaged, or (OCSF) no message. */
char *ms_audit_export(const MsAuditLine *line, MsExport format);

#endif
