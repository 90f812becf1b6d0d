/* Shared by the files of desk/. */
#ifndef MISSENT_DESK_PRIVATE_H
#define MISSENT_DESK_PRIVATE_H

#include <pthread.h>

#include "missent/answer.h"
#include "missent/desk.h"

/* What the file of settings said when it was last read. */
typedef struct {
	MsSettings *settings;
	char *stamp;
} DeskSettings;

/* Locks of a host, each a mutex of this process and a file of all: what is asked is looked at and
 * written down; what needs no queue is done; mail is moved, which may take long.  Nobody holds
 * two. */
typedef enum { DESK_WRITING, DESK_NOTING, DESK_MOVING, DESK_N_LOCKS } DeskLock;

struct MsDesk {
	/* as it was opened with */
	char *config;
	DeskSettings *first; /* reference counted (GAtomicRcBox) */
	MsLedger *ledger;
	MsAudit *audit;
	struct {
		pthread_mutex_t mutex; /* taken before the file's lock */
		int fd;     /* -1: it is opened by the next who needs it */
		char *path;
	} locks[DESK_N_LOCKS];
	gint64 lock_ms; /* how long for another process's */

	pthread_mutex_t lock; /* of all that follows; held for moments only, and never with another
	                       * of these but `loading`, which is taken before it */
	DeskSettings *now;    /* replaced, never changed */
	char *seen;           /* of when the file was that was tried last */
	MsRuntime *runtime;   /* replaced, never changed; NULL before the first who needs it */
	GHashTable *queue;    /* replaced, never changed */
	gint64 queue_at;
	bool leaves_work;     /* somebody calls ms_desk_work() */
	gint64 wait_ms;
	bool woken;           /* he is to look */
	guint64 carried;      /* grows whenever a decision has an outcome */
	pthread_cond_t changed; /* `woken` or `carried` */

	gint64 caged;         /* when canaries were sent, or tried; of the thread that sends them */
	pthread_mutex_t loading; /* one loads a runtime; the others wait for it */
	pthread_mutex_t ticking; /* of what follows: ms_desk_tick() */
	gint64 noticed;       /* records up to this change had their notices */
	gint64 notices_at;    /* none before: the MTA did not take one lately */
	gint64 ticked;        /* when the slow part of ms_desk_tick() ran */
	GHashTable *waits;    /* wait.c; NULL before the first look */
	/* missing.c: since when records are missing, and what is on hold without one (queue ID to
	 * the digest of its body, NULL: not read) */
	gint64 looked;
	GHashTable *missing, *unrecorded;
	struct {
		gint64 seen, steady; /* at the last look; steady 0: there was none */
		gint64 since;
	} clock;
};

/* One thread at the desk, from the beginning of a call to its end: all that it reads is as it was
 * then.  Of that thread alone. */
typedef struct {
	MsDesk *of;
	DeskSettings *taken;
	const MsSettings *settings;
	MsLedger *ledger;
	MsAudit *audit;
	MsMta mta;
	MsSubmit submit;
	MsRuntime *runtime; /* desk_runtime() */
	char *stale;        /* why that is not what its files say now; NULL: it is */
	GHashTable *queue;  /* desk_queue() */
	bool own_queue;     /* it was looked at for this call, which may change what it was told */
} Desk;

/* clock.c */
/* Looks at the clock.  Since when it goes as it should; 0: as far back as anybody looked. */
gint64 desk_clock_since(Desk *desk);
/* Was that written with a clock that was ahead? */
bool desk_clock_is_ahead(gint64 when, gint64 now);

/* desk.c */
/* As the files say now; as they said before where there is a mistake in them. */
MsRuntime *desk_runtime(Desk *desk, GError **error);
void desk_begin(MsDesk *of, Desk *desk);
void desk_end(Desk *desk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_end)
/* Queue ID to MsQueued.  Borrowed until it is forgotten; then it is asked for anew. */
GHashTable *desk_queue(Desk *desk, GError **error);
void desk_forget_queue(Desk *desk);
/* Does another thread carry out what is written down? */
bool desk_leaves_work(MsDesk *of);
/* One at a time on this host, whoever asks: the page's agent, or a shell. */
bool desk_lock(Desk *desk, DeskLock which, GError **error);
void desk_unlock(Desk *desk, DeskLock which);
void desk_point(const char *name);
/* On this host's audit trail: nothing of a message's content. */
bool desk_audit(Desk *desk, const char *who, MsEvent event, const char *about,
	const char *detail, GError **error);
MsEvent desk_event_of(MsVerb verb);
#define desk_fail ms_fail_input

/* names.c: are there such an account and such a reviewer? */
bool desk_check_names(Desk *desk, const MsAsk *ask, GError **error);
/* ... and has the message each of these recipients, or one of each domain? */
bool desk_check_receivers(const MsRecord *record, const GPtrArray *addresses, GError **error);
/* Borrowed texts, to be looked for: lists here may have very many.  NULL: none. */
GHashTable *desk_set(const GPtrArray *texts);
/* decide.c: what is to be written down for what is asked; NULL: it may not be done. */
GPtrArray *desk_make_decisions(Desk *desk, const MsAsk *ask, GError **error);
/* One person, however the names are spelled. */
bool desk_is_same_person(const MsSettings *s, const char *a, const char *b);

/* others.c: was it said how many recipients there are of a release that is another's?
 * `*two_out`: a second person is asked (already, or instead). */
bool desk_others_confirmed(
	const MsSettings *s, const MsAsk *ask, const MsAskOthers *others, bool *two_out,
	GError **error);
/* Has what else a correction concerns judged again: what has that identifier ("": none) or is
 * held for one of these.  How many they are. */
guint desk_judge_concerned(Desk *desk, const MsDecision *correction, const char *ref,
	const GPtrArray *addresses);

/* Approved, and nothing said with it. */
MsDecision *desk_decision(
	MsVerb verb, const char *uid, const char *group, const char *who, const char *why);

/* Steps of carry.c at which what the spool has is not the message (yet, or any more). */
#define DESK_MOVING_STEP "moving"
#define DESK_LET_GO_STEP "let go"
/* carry.c: held so long that the MTA would return it at its first failed attempt? */
bool desk_is_old(const MsSettings *s, const MsRecord *record);
/* Of its recipients those for whom it is held: all, or those of a newline-separated list.
 * Addresses, borrowed from the record. */
GPtrArray *desk_held_for(const MsRecord *record, const char *recipients);
/* Carries out one decision, which ends as done or failed; false: that could not be written down,
 * and it stays. */
bool desk_carry_out(Desk *desk, MsDecision *decision);

/* evidence.c */
/* The look is on record before anything is seen.  The descriptor of the message, or -1;
 * `*record_out` is set where there is a record and the look was recorded. */
int desk_look(Desk *desk, const char *uid, const char *who, MsEvent event, const char *detail,
	MsRecord **record_out, GError **error);
/* explain.c: the story of a record's message, judged just now; jansson's, the caller's. */
struct json_t *desk_story(Desk *desk, const MsRecord *record, const MsJudgement *judgement,
	const char *recipient, bool reveal);
/* The held message in a sealed memory file; -1 on error. */
int desk_open_message(Desk *desk, const MsRecord *record, GError **error);
/* What the MTA's queue has by the record's queue ID, if it is that message; -1 on error. */
int desk_show_queued(Desk *desk, const MsRecord *record, GError **error);
/* Has a message the body of which that is the digest? */
bool desk_is_message(int fd, const char *digest);
/* As the record has it: all of its recipients, and the policies that it was under. */
MsEnvelope *desk_envelope(const MsRecord *record);
bool desk_judge(Desk *desk, const MsRecord *record, int fd, MsJudgement **out, GError **error);
/* rejudge.c: judges the held message again, by the directory and the policies as they are now,
 * and writes the outcomes into its record.  `*how_out` (the caller's): what could not be looked
 * at, or "". */
bool desk_rejudge(
	Desk *desk, const MsRecord *record, const char *who, char **how_out, GError **error);
/* wait.c: judges again what waits, where there is a reason to; under `ticking`. */
void desk_judge_waiting(Desk *desk);
/* A release that the clock decided came to nothing: is that to be tried again?  Then it waits
 * again, for a while; in the thread that carries out what moves mail. */
bool desk_waits_on(const MsDecision *decision, const GError *why);
void desk_wait_again(Desk *desk, const MsRecord *record);
/* missing.c: sets records and the queue against each other, when it is time; under `ticking`. */
void desk_look_for_held(Desk *desk);
/* Is the mail of that record, which is not where it should be, on hold under another queue ID?
 * Then both records, this and the ledger's, have that. */
bool desk_find_renamed(Desk *desk, MsRecord *record);
/* It is not on hold (queued: where it is then; NULL: nowhere), and nobody decided so. */
void desk_tell_gone(Desk *desk, const MsRecord *record, const MsQueued *queued);
/* ... for some of its recipients, of a message that Sendmail has split.  True: the ledger's record
 * has changed. */
bool desk_tell_gone_parts(Desk *desk, MsRecord *record);
GHashTable *desk_new_digests(void);
/* The identifier that `ref` stands for, read from the message again. */
MsIdentifier *desk_identifier(Desk *desk, const MsRecord *record, const char *ref, GError **error);

/* words.c: texts in the language of notices.  Of a pair, the second is that for several. */
typedef enum { DESK_ENGLISH, DESK_FRENCH, DESK_GERMAN, DESK_N_LANGUAGES } DeskLanguage;
typedef enum {
	W_HELD_TITLE,
	W_HELD,
	W_RETURNED_TITLE,
	W_RETURNED,
	W_EXPIRED,
	W_ASK,
	W_SUBJECT,
	W_SENDER,
	W_DATE,
	W_MESSAGE_ID,
	W_ARRIVED,
	W_RECIPIENTS,
	W_CAUSE,
	W_REASON,
	W_REFERENCE,
	W_PAGE,
	W_EXPIRE_TITLE,
	W_EXPIRE_TITLES,
	W_EXPIRE,
	W_DIGEST_TITLE,
	W_DIGEST_TITLES,
	W_DIGEST_HELD,
	W_DIGEST_HELDS,
	W_DIGEST_WAITS,
	W_DIGEST_WAITSS,
	W_DIGEST_DELAYED,
	W_DIGEST_DELAYEDS,
	W_CHECKPOINT,
	W_HOST,
	W_OLDEST,
	W_MINUTE,
	W_MINUTES,
	W_HOUR,
	W_HOURS,
	W_DAY,
	W_DAYS,
	W_SUMMARY_TITLE,
	W_SUMMARY_DAYS,
	W_SUMMARY_POLICIES,
	W_SUMMARY_SENDERS,
	W_SUMMARY_CAUSES,
	W_SUMMARY_HEAD,
	W_SUMMARY_ALL,
	N_WORDS
} DeskWord;
const char *desk_word(const Desk *desk, DeskWord word);
const char *desk_plural(const Desk *desk, DeskWord one, gint64 n);
/* "%s" filled in, once or twice; NULL: with nothing. */
char *desk_fill(const char *text, const char *first, const char *second);
char *desk_count(const Desk *desk, DeskWord one, gint64 n);
char *desk_age(const Desk *desk, gint64 us);
/* Why it is held, in words, and as policies call it. */
char *desk_reasons(const Desk *desk, const MsRecord *record);

/* compose.c: a mail of our own. */
typedef struct {
	int fd; /* the whole message, a memory file */
	char *digest;
	char *sender; /* of the envelope */
	GPtrArray *recipients;
} DeskMail;
void desk_mail_free(DeskMail *mail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeskMail, desk_mail_free)
typedef struct {
	const char *to, *subject;
	const char *about; /* the Message-ID that it is about; NULL: of none */
	bool answers;      /* it goes to who sent that */
} DeskHead;
/* Its header, but for what says of what type it is. */
GString *desk_begin_mail(const Desk *desk, const DeskHead *head);
void desk_field(GString *out, const char *name, const char *value);
void desk_text_part(GString *out, const char *text);
/* Of a text: a paragraph; a name and a value below each other. */
void desk_paragraph(GString *out, const char *text);
void desk_fact(GString *out, const char *name, const char *value);
/* Takes `text`. */
DeskMail *desk_end_mail(const Desk *desk, GString *text, bool bounce, const char *to);

/* notice.c */
#define DESK_CLOCK "missent" /* who decides what the clock asks for */
typedef enum { DESK_ORIGINAL_NONE, DESK_ORIGINAL_HEADER, DESK_ORIGINAL_WHOLE } DeskOriginal;
DeskMail *desk_return_notice(Desk *desk, const MsRecord *record, const char *who, const char *why);
/* Submits a message with a token for it, whose hash is in `*hash_out` before anything is sent
 * and is given to `before`. */
MsSubmitted desk_submit(Desk *desk, const char *sender, const GPtrArray *recipients,
	int fd, const char *digest,
	bool (*before)(const char *hash, void *user, GError **error), void *user, char **hash_out,
	char **reply_out);
void desk_send_notices(Desk *desk);
void desk_warn_of_expiry(Desk *desk, const GPtrArray *records);
void desk_send_digest(Desk *desk);
/* MS_SUBMITTED: one was taken, or nobody is to be told. */
MsSubmitted desk_send_to_reviewers(Desk *desk, const char *subject, const char *words);
/* summary.c */
void desk_send_summary(Desk *desk);

#endif
