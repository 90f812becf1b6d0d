/*
 * setup.h - how missent comes to an MTA, and goes again.
 *
 * WHAT    Finds the MTAs of this host, proposes what is outgoing and who sends invoices, works
 *         out which files change and how, changes them, and takes that back to the byte.
 * OWNS    What is returned is the caller's; a plan owns its changes.
 * ERRORS  GError.  A plan that was written down and not ended (a kill, a power cut) can be taken
 *         back.
 * THREADS One at a time.
 * LIMITS  Those of maillog.h for logs; a log of the journal is of seven days.
 * NOT     Asks nobody and starts nothing (cli); proves nothing (desk.h).
 */
#ifndef MISSENT_SETUP_H
#define MISSENT_SETUP_H

#include <glib.h>
#include <stdbool.h>

#include "missent/settings.h"

/* ---- what is there ---------------------------------------------------------------------- */

typedef struct {
	bool sendmail;
	char *config;   /* Postfix's folder, Sendmail's .cf */
	char *instance; /* of Postfix: its name where there are several; or NULL */
} MsSetupMta;
void ms_setup_mta_free(MsSetupMta *mta);
/* Of MsSetupMta.  `settings`, or NULL: what missent.conf names is among them. */
GPtrArray *ms_setup_find(const MsSettings *settings);
bool ms_setup_is_running(const MsSetupMta *mta);
/* Has it read its settings anew.  The command is told in the error. */
bool ms_setup_reload(const MsSetupMta *mta, GError **error);
/* Postfix's queue IDs stay long ones; *kept_out: they would not have. */
bool ms_setup_keep_queue_ids(const MsSetupMta *mta, bool *kept_out, GError **error);
/* missent.conf says, once more, which MTA it is; *kept_out: it did not. */
bool ms_setup_keep_mta(
	const char *config, const MsSetupMta *mta, bool *kept_out, GError **error);

/* ---- what is answered, and what is proposed --------------------------------------------- */

typedef struct {
	const MsSetupMta *mta;
	GStrv networks, domains, senders;
} MsSetupAnswers;
void ms_setup_answers_clear(MsSetupAnswers *answers);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MsSetupAnswers, ms_setup_answers_clear)

/* `log`: a file, or NULL for the usual one or the journal.  What is in missent.conf and its
 * policies already is proposed again.  `notes`, of char *: what was looked at, and what could not
 * be. */
void ms_setup_propose(const char *config, const MsSetupMta *mta, const char *log,
	MsSetupAnswers *out, GPtrArray *notes);

/* ---- the plan --------------------------------------------------------------------------- */

/* missent's own files come first: the MTA is told of missent when that answers. */
typedef enum { MS_SETUP_OWN, MS_SETUP_OF_MTA } MsSetupStep;

typedef struct {
	char *path;
	GBytes *before, *after; /* NULL: there is no such file */
	guint mode;
	gint64 uid, gid;        /* -1: whoever does it */
	gint64 mtime;           /* of `before`, seconds since 1970 */
	MsSetupStep step;
} MsFileChange;

typedef struct {
	GPtrArray *changes; /* of MsFileChange */
	GPtrArray *notes;   /* of char *: what stays as it is, and why that matters */
	char *folder;       /* where it is written down; NULL: it is not yet */
	GKeyFile *facts;    /* what else was done */
	bool ended;
} MsPlan;

MsPlan *ms_plan_new(void);
void ms_plan_free(MsPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsPlan, ms_plan_free)
/* All files, of both steps.  `config`: the path of missent.conf. */
MsPlan *ms_setup_plan(const char *config, const MsSetupAnswers *answers, GError **error);
/* Adds the change of one file, if it is one; `text` NULL: it goes. */
bool ms_plan_add(
	MsPlan *plan, MsSetupStep step, const char *path, const char *text, GError **error);
/* As `diff -u` shows it; NULL: it could not be made. */
char *ms_change_diff(const char *path, GBytes *before, GBytes *after, GError **error);

/* ---- carried out ------------------------------------------------------------------------ */

/* Where plans of that missent.conf are written down.  The caller's. */
char *ms_plans_folder(const char *config);
/* On disk before anything is changed. */
bool ms_plan_begin(MsPlan *plan, const char *plans, GError **error);
/* Writes the files of one step: each is there whole, as it was or as it shall be. */
bool ms_plan_apply(MsPlan *plan, MsSetupStep step, GError **error);
/* What was done beside files; on disk before it is done. */
bool ms_plan_note(MsPlan *plan, const char *what, const char *value, GError **error);
char *ms_plan_fact(const MsPlan *plan, const char *what);
bool ms_plan_end(MsPlan *plan, GError **error);

/* Of MsPlan, the newest first. */
GPtrArray *ms_plans_open(const char *plans, GError **error);
/* What `path` would be without the plan: as before, where nobody edited it since; else what was
 * changed since, without what the plan changed.  MS_ERROR_INPUT: the two are of the same lines.
 * `*now_out`, `*then_out`: NULL is no file. */
bool ms_change_without(
	const MsFileChange *change, GBytes **now_out, GBytes **then_out, GError **error);
/* ... and it stays as it is now: it is missent's own. */
bool ms_plan_leaves(const MsFileChange *change, const GError *why);
/* Takes back the files of one step, but for those that stay. */
bool ms_plan_revert(MsPlan *plan, MsSetupStep step, GError **error);
/* Nothing is left of it to take back. */
bool ms_plan_forget(MsPlan *plan, GError **error);

#endif
