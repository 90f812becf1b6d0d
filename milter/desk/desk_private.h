/* Shared by the files of desk/. */
#ifndef MISSENT_DESK_PRIVATE_H
#define MISSENT_DESK_PRIVATE_H

#include <pthread.h>

#include "missent/desk.h"

/* Of all desks of a process: to read messages and ask the directory, loaded when first needed. */
typedef struct {
	pthread_mutex_t lock;
	MsRuntime *runtime;
} DeskShared;

struct MsDesk {
	char *config;
	MsSettings *settings;
	MsLedger *ledger;
	MsAudit *audit;
	DeskShared *shared; /* reference counted (GAtomicRcBox) */
	MsRuntime *runtime; /* as it was when it was last asked for */
	char *stale;        /* why that is not what its files say now; NULL: it is */
	void (*poke)(void *user);
	void *poke_user;
	gint64 wait_ms;
	MsMta mta;
	MsSubmit submit;
	/* Files under which one desk works at a time: on what needs no queue, and on what moves mail,
	 * which may take long. */
	int lock[2];
	GHashTable *queue;  /* ms_desk_queue() */
	gint64 queue_at;
	gint64 noticed;     /* records up to this change had their notices */
	gint64 notices_at;  /* none before: the MTA did not take one lately */
	gint64 ticked;      /* when the slow part of ms_desk_tick() ran */
};

/* desk.c */
/* As the files say now; as they said before where there is a mistake in them. */
MsRuntime *desk_runtime(MsDesk *desk, GError **error);
void desk_forget_queue(MsDesk *desk);
void desk_point(const char *name);
/* On this host's audit trail: nothing of a message's content. */
bool desk_audit(MsDesk *desk, const char *who, const char *what, const char *about, const char *detail,
	GError **error);
bool desk_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* decide.c: what is to be written down for what is asked; NULL: it may not be done. */
GPtrArray *desk_make_decisions(MsDesk *desk, const MsAsk *ask, GError **error);
bool desk_is_final(const char *verb);
/* One person, however the names are spelled. */
bool desk_is_same_person(const MsSettings *s, const char *a, const char *b);

/* others.c: recipients of a release of whom the judgement says that it is not theirs. */
typedef struct {
	guint wrong;             /* they */
	guint unnamed, messages; /* those of them that nobody named, and in how many messages */
} Others;
void desk_count_others(Others *others, const MsAsk *ask, const MsRecord *record, const GPtrArray *chosen);
/* Was it said how many they are?  `*two_out`: a second person is asked (already, or instead). */
bool desk_others_confirmed(const MsSettings *s, const MsAsk *ask, const Others *others, bool *two_out,
	GError **error);
/* Has what else a correction concerns judged again: what has that identifier ("": none) or is held for one
 * of these.  How many they are. */
guint desk_judge_concerned(MsDesk *desk, const MsDecision *correction, const char *ref,
	const GPtrArray *addresses);

/* carry.c: held so long that the MTA would return it at its first failed attempt? */
bool desk_is_old(const MsSettings *s, const MsRecord *record);
/* Of its recipients those for whom it is held: all, or those of a newline-separated list.  Addresses,
 * borrowed from the record. */
GPtrArray *desk_held_for(const MsRecord *record, const char *recipients);
/* Carries out one decision, which ends as done or failed. */
void desk_carry_out(MsDesk *desk, MsDecision *decision);

/* evidence.c: the held message in a sealed memory file; -1 on error. */
int desk_open_message(MsDesk *desk, const MsRecord *record, GError **error);
/* Judges the held message again, by the directory and the policies as they are now, and writes the
 * outcomes into its record. */
bool desk_rejudge(MsDesk *desk, const MsRecord *record, const char *who, GError **error);
/* The identifier that `ref` stands for, read from the message again. */
MsIdentifier *desk_identifier(MsDesk *desk, const MsRecord *record, const char *ref, GError **error);

/* notice.c: mail of our own. */
typedef struct {
	int fd; /* the whole message, a memory file */
	char *digest;
	char *sender; /* of the envelope */
	GPtrArray *recipients;
} DeskMail;
void desk_mail_free(DeskMail *mail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeskMail, desk_mail_free)
DeskMail *desk_return_notice(MsDesk *desk, const MsRecord *record, const char *why);
/* Submits a message with a token for it, whose hash is in `*hash_out` before anything is sent
 * and is given to `before`. */
MsSubmitted desk_submit(MsDesk *desk, const char *sender, const GPtrArray *recipients,
	int fd, const char *digest,
	bool (*before)(const char *hash, void *user, GError **error), void *user, char **hash_out,
	char **reply_out);
void desk_send_notices(MsDesk *desk);
void desk_warn_of_expiry(MsDesk *desk, const GPtrArray *records);
void desk_send_digest(MsDesk *desk);

#endif
