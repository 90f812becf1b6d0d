/*
 * What is asked of the guard's memory for one message, and what it answers: operations on small
 * values under keys.  The same rules are written twice, here (step.c, over any store of values)
 * and as a script for Redis (backend_redis.c); one test runs both on the same rows.  Private to
 * guard/.
 *
 * Numbers are big-endian.  Values, by their letter:
 *
 * i  of an identifier or a document: 1 (common: it was in many documents to many) or 0; how many
 *    members 2; members of the window, of 28 bytes: address 8, domain 8, document 8, time 4; then
 *    where it went, of 26: address 8, domain 8, first 4, last 4, times 2
 * a  of a recipient: how many different ones 4, the same before the last window 4, when that was 4;
 *    how many members 2; members of the window, of 12: id 8, time 4; then what it got, of 18:
 *    identifier 8, first 4, last 4, times 2.  Of a set that learns by itself: the most of this
 *    window 4, of those before 4, since when this one is 4; members
 * t  of an account: when it was written 4, then what is kept of it, of 13 (MsLink)
 * b  a stream: MS_STREAM_HEAD bytes of numbers, a byte for each of the last messages (MsMail), a
 *    label
 * m  what a message was answered; its key begins with its time
 * n  since when there is a memory; x: streams that are listed; both under a key of zeros
 */
#ifndef MISSENT_GUARD_STEP_H
#define MISSENT_GUARD_STEP_H

#include <glib.h>
#include <stdbool.h>

#include "missent/answer.h"
#include "missent/redis.h"

/* States under different keys do not meet. */
#define MS_KEY_NAME_BYTES 4
#define MS_ID_BYTES 8
#define MS_KEY_BYTES 12

typedef enum {
	MS_OP_FAN = 'F',
	MS_OP_SET = 'S',
	MS_OP_PAIR = 'H',
	MS_OP_STREAM = 'B',
	MS_OP_LINK = 'T',
	MS_OP_FORGET = 'X'
} MsOpLetter;

/* F: more than `limit` addresses or `limit2` domains; flag 1: unless as many documents of it go
 *    about.
 * S: more than `limit` members; twice as many as its history has are allowed, and with flag 1 five
 *    times the limit while the memory is new.  Flag 2: it has no history, and learns by itself:
 *    twice the most of a window before is allowed.
 * H: a pair of an identifier (`key`) and a recipient (members: its address, its domain, the
 *    identifier; `key2`, `key3`: of the address and of the domain); `limit`: support; flag 1: only
 *    to be entered.
 * B: a stream; `limit`: bad ones in the window, `limit2`: among the last; flag 1: the message is
 *    bad; flag 2: it is held when the stream is stopped; flag 4: reset.  members: its label.
 * T: an account; members: what is kept of it, of MS_LINK_BYTES.
 * X: `flags` is a letter: forgets that value of `key`, or (members: ids) what it has of these. */
typedef struct {
	MsOpLetter letter;
	guint8 key[MS_KEY_BYTES], key2[MS_KEY_BYTES], key3[MS_KEY_BYTES];
	guint flags;
	guint streams; /* bit n: being over is bad mail of stream n */
	bool holds;    /* being over keeps it from leaving */
	guint32 window, limit, limit2;
	/* F: bit n: operation n; counts only if one of these is not about something common;
	 * 0: always */
	guint32 asks;
	GByteArray *members;
} MsOp;

typedef struct {
	bool over;
	guint32 count, other, since;
	guint32 more; /* F: 1 common; H: 1 it went to others before; B: MS_NEWS_* */
	guint32 x, y; /* B: what was too much, and the usual */
} MsOpAnswer;
enum { MS_NEWS_TRIPPED = 1, MS_NEWS_CLOSED = 2, MS_NEWS_VOLUME = 4, MS_NEWS_CREEP = 8 };

/* What is kept of an account: a letter, a key.  An identifier of its own, and where it is an
 * entry of somebody else's; a recipient of its own, the same, and its id. */
#define MS_LINK_BYTES (1 + MS_KEY_BYTES)
typedef enum { MS_LINK_IDENTIFIER = 'I', MS_LINK_IN_RECIPIENT = 'E', MS_LINK_RECIPIENT = 'A',
	MS_LINK_IN_IDENTIFIER = 'F', MS_LINK_ID = 'D' } MsLink;
#define MS_LINK_HEAD 4

/* What goes for all of them. */
typedef struct {
	guint8 key_name[MS_KEY_NAME_BYTES];
	guint32 now;
	guint8 message[MS_KEY_BYTES]; /* its name, by which it is known when it comes again */
	bool held;    /* nothing of it leaves */
	guint32 keep, learn, cool_down, probes, volume, recipients;
	GArray *ops;  /* of MsOp */
} MsStep;

typedef struct {
	GArray *answers; /* of MsOpAnswer, one an operation */
	guint32 born;
	bool again;      /* the message was known */
} MsStepped;
void ms_stepped_clear(MsStepped *stepped);
/* How it is kept and answered: `born`, then of each answer a byte (over) and its numbers. */
#define MS_ANSWER_BYTES (1 + 6 * 4)

void ms_step_init(MsStep *step);
void ms_step_clear(MsStep *step);
/* A new operation at the end; its members are empty. */
MsOp *ms_step_add(MsStep *step, MsOpLetter letter);

/* The name of a value: a letter, a key. */
#define MS_NAME_BYTES (1 + MS_KEY_BYTES)
typedef struct {
	guint8 bytes[MS_NAME_BYTES];
} MsStepName;
/* `key` NULL: zeros. */
MsStepName ms_step_name(char letter, const guint8 key[MS_KEY_BYTES]);

/* A store of values.  `get`: NULL is not there. */
typedef struct {
	GBytes *(*get)(const MsStepName *name, void *user);
	void (*set)(const MsStepName *name, GBytes *value, guint32 ttl, void *user);
	void *user;
} MsValues;
/* Carries them out, all within one transaction of the store. */
void ms_step_run(const MsStep *step, const MsValues *values, MsStepped *out);
GBytes *ms_stepped_pack(const MsStepped *stepped);
bool ms_stepped_unpack(MsStepped *stepped, const guint8 *data, gsize len, guint n);

/* ---- a stream as it is kept ------------------------------------------------------------- */

#define MS_STREAM_NUMBERS 16
#define MS_STREAM_HEAD (4 * MS_STREAM_NUMBERS)
typedef enum {
	/* since it is known */
	MS_S_TRIPPED, MS_S_LAST_BAD, MS_S_CLEAN, MS_S_HELD, MS_S_ALL, MS_S_ALL_BAD,
	MS_S_START, MS_S_BAD, MS_S_BAD_BEFORE, /* this window and the one before */
	/* messages: this hour, the most of an hour, hours seen */
	MS_S_HOUR, MS_S_HOUR_COUNT, MS_S_PEAK, MS_S_HOURS,
	MS_S_MOST, MS_S_MOST_OF, /* recipients of one message: the most, of so many messages */
	MS_S_RECENT,              /* how many of the last ones are kept */
} MsStreamNumber;
/* A message of a stream.  Moved: its customer's mail went to others before, which nobody minds
 * in one. */
typedef enum { MS_MAIL_GOOD, MS_MAIL_BAD, MS_MAIL_MOVED } MsMail;
typedef struct {
	guint32 n[MS_STREAM_NUMBERS];
	guint8 recent[20];
	char *label;
} MsStream;
/* The label is the caller's to free. */
bool ms_stream_unpack(MsStream *stream, const guint8 *data, gsize len);
guint ms_stream_recent_bad(const MsStream *stream);

/* ---- where it is kept ------------------------------------------------------------------- */

typedef struct MsGuardStore MsGuardStore;
struct MsGuardStore {
	void (*close)(MsGuardStore *store);
	MsAnswer (*step)(MsGuardStore *store, const MsStep *step, MsStepped *out, GError **error);
	/* A value as it is; MS_ABSENT: there is none. */
	MsAnswer (*value)(MsGuardStore *store, const guint8 *key_name, const MsStepName *name,
		GBytes **value_out, GError **error);
};
MsGuardStore *ms_guard_store_sqlite(const char *path, GError **error);
MsGuardStore *ms_guard_store_redis(
	const MsRedisSettings *redis, const char *prefix, GError **error);

#endif
