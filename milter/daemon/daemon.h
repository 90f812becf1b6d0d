/*
 * What the files of daemon/ ask of each other; of a connection and a message on it: session.h.
 */
#ifndef MISSENT_DAEMON_DAEMON_H
#define MISSENT_DAEMON_DAEMON_H

#include <pthread.h>

#include "session.h"

/* ---- main.c: what all sessions share; any thread ---- */
MsRuntime *daemon_runtime(Daemon *daemon);
MsNumbers *daemon_numbers(Daemon *daemon);
/* Takes room for `bytes` of messages in flight, or refuses. */
bool daemon_take_memory(Daemon *daemon, guint64 bytes);
void daemon_give_memory(Daemon *daemon, guint64 bytes);
/* False for a while after the wall clock jumped. */
bool daemon_clock_is_sure(Daemon *daemon);
void daemon_enter(Daemon *daemon); /* a verdict is being made: a stop waits for it */
void daemon_leave(Daemon *daemon);
/* Is mail let through as observed, now? */
bool daemon_paused(Daemon *daemon);
void daemon_pause(Daemon *daemon, bool paused);
/* Verdicts being made, and bytes of messages in flight. */
void daemon_load(Daemon *daemon, guint *busy_out, guint64 *memory_out);

/* ---- beat.c: lines of the audit trail about this process ---- */
void daemon_note(Daemon *daemon, const char *type);
void daemon_beat(Daemon *daemon);

/* ---- tally.c: a message that was judged; one that no policy looks at ---- */
void tally_judged(MsNumbers *numbers, const MsEnvelope *envelope, const MsJudgement *judgement);
void tally_passed(MsNumbers *numbers, MsConcern concern, const MsEnvelope *envelope);

/* ---- rounds.c ---- */
typedef struct {
	void (*go)(void *user);
	void *user;
	gint64 every_us; /* from the end of a round to the next */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping; /* under the lock */
} Rounds;
/* The first round is at once.  False: there is no thread. */
bool rounds_start(Rounds *rounds, const char *name, void (*round)(void *user), void *user,
	gint64 every_us);
/* Returns when the last one has ended. */
void rounds_stop(Rounds *rounds);

/* ---- hand.c ---- */
/* A verdict that is being made; on the stack of who makes it. */
typedef struct {
	GList link;
	const char *queue_id;
	gint64 since;
	gint stage; /* MsStage; atomic */
	bool told;
	TellProgress tell; /* to whom it is told that it goes on; or NULL */
	void *user;
	gint64 last;          /* when it was */
	MsPatience *patience; /* his */
} Hand;
void hand_begin(Hand *hand, const char *queue_id);
void hand_end(Hand *hand);
/* How many have been in hand for longer; each is told once.  `*fresh_out`: those that were not
 * yet. */
guint hand_look(gint64 limit_us, guint *fresh_out);
/* A thread that tells MTAs that it goes on; nothing else that it waits for can hold it up. */
bool progress_start(void);
void progress_stop(void);

/* ---- interpose.c ---- */
/* Of all descriptors that this process may have, `needed` are kept for messages in hand:
 * connections, and messages that begin, get the others. */
void room_keep(guint needed);
/* Which socket libmilter listens on, and its file, NULL if it has none, which must stay; before it
 * takes connections there.  `descriptor` knows which one that no thread works on is, by its
 * context, or -1. */
void listener_find(const char *path, int (*descriptor)(void *context));
/* Of a start that failed: nobody finds a socket that nobody will ever answer at. */
void listener_leave(void);
/* How many there are for these beyond that one; below 1: there is none, it must be closed. */
int room_left(int fd);
/* Connections that were refused since the last call, for lack of that. */
typedef enum { LACK_DESCRIPTORS, LACK_THREADS, N_LACKS } Lack;
guint room_refused(Lack lack);
/* The connection from which this thread read last. */
int room_last(void);
/* Connections that have no thread get one, or are closed.  Once a second. */
void threads_make(void);

/* ---- care.c ---- */
/* A thread that tells what happened to readers and connections, and systemd that libmilter turns:
 * it asks over the filter's own socket. */
bool care_start(Daemon *daemon, const char *libmilter_spec);
/* Returns when it has ended. */
void care_stop(void);

/* ---- account.c: the part of that thread that counts, looks whether it is paused, and
 * publishes ---- */
bool account_begin(Daemon *daemon);
void account_end(Daemon *daemon);
/* Once a second, and behind a reload; any thread.  False: threads hang, as many as there are
 * processors. */
bool account_look(Daemon *daemon);

/* ---- trial.c: policies that observe until something ---- */
/* A message was judged; any thread. */
void trial_count(const MsVerdict *verdict);
/* Before the first message is judged with what was loaded: of policies whose terms are new it is
 * counted from here on.  The thread that waits for reloads, or none is there yet. */
void trial_begin(const MsRuntime *runtime);
/* Every few seconds, by the thread that waits for reloads.  True: one is to be enforced from now
 * on, by a reload. */
bool trial_look(Daemon *daemon);
/* Before the process ends, when that thread has. */
void trial_end(Daemon *daemon);

/* ---- milter.c ---- */
bool milter_register(Daemon *daemon, GError **error);
/* Of a connection of libmilter's on which no thread works; -1: it has sent nothing yet. */
int milter_descriptor(void *context);

#endif
