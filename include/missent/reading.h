/*
 * reading.h - what the reading wing hands to the judging wing, and nothing else.
 *
 * WHAT    Findings, facts for the policies, and all that could not be read, of one message.
 *         The worker encodes it (coding.c says how); the client decodes it with distrust.
 * OWNS    MsReading owns all below it; ms_reading_free().
 * ERRORS  ms_reading_decode() refuses what is not of the one form that a reading has, is over a
 *         bound or is not UTF-8 (MS_ERROR_INPUT): the message is then unreadable as a whole.
 * THREADS One message, one thread.
 * LIMITS  MS_READING_* below, checked on both sides; a list that is full turns into an unread
 *         item, so that what was left out is never taken for clean.
 * NOT     No trust: a worker taken over by a document may lie about that message.  It can
 *         neither harm the daemon nor another message.
 */
#ifndef MISSENT_READING_H
#define MISSENT_READING_H

#include <glib.h>
#include <stdbool.h>

#include "missent/finding.h"
#include "missent/sum.h"

#define MS_READING_MAX_BYTES (8u << 20)
#define MS_READING_MAX_FINDINGS 20000 /* with all else that their places may mean */
#define MS_READING_MAX_GUESSES 3000 /* places of findings that count for nothing */
#define MS_READING_MAX_UNREAD 200
#define MS_READING_MAX_HEADERS 1000
#define MS_READING_MAX_PARTS 1000
#define MS_READING_MAX_VISIBLE 5000
#define MS_READING_MAX_FACES 64 /* the last stands for all further ones */
#define MS_READING_MAX_GREETED 20
#define MS_READING_MAX_CONTRADICTIONS 50
#define MS_READING_MAX_SHOWN (2u << 20) /* bytes of all texts */

/* Why something was not read.  The names are what policies and reports print. */
typedef enum {
	MS_UNREAD_NO_READER, /* no reader for this type of document */
	MS_UNREAD_IMAGE,     /* a picture, sound or film */
	MS_UNREAD_IMAGE_ONLY, /* a document whose pages are pictures: a scan */
	MS_UNREAD_SIGNATURE, /* a detached signature: carries no text */
	MS_UNREAD_ENCRYPTED,
	MS_UNREAD_PASSWORD,  /* encrypted with a password that we have not */
	MS_UNREAD_DAMAGED,
	MS_UNREAD_AMBIGUOUS, /* readers differ on what it is */
	MS_UNREAD_CHARSET,   /* unknown charset */
	MS_UNREAD_ENCODING,  /* unknown transfer encoding */
	MS_UNREAD_PARTIAL,   /* a fragment of a message */
	MS_UNREAD_LIMIT,     /* over a limit of ours */
	MS_UNREAD_TIME,      /* over the deadline */
	MS_UNREAD_PATTERN,   /* a pattern gave up */
	MS_UNREAD_WORKER,    /* the worker died */
	MS_N_UNREAD,
} MsUnreadReason;

typedef struct {
	char *where;
	MsUnreadReason reason;
	char *detail;
} MsUnread;

typedef struct {
	char *name;
	char *value; /* decoded, cut at 2,000 bytes */
} MsHeader;

typedef struct {
	char *path;     /* "1", "2.1" */
	char *claimed;  /* its Content-Type, lower case, without parameters */
	char *actual;   /* what its bytes are, as a content type; "" if nothing knows them */
	char *name;     /* file name or "" */
	guint64 size;   /* decoded bytes */
	bool attached;  /* has a file name or the disposition "attachment" */
} MsPart;

/* Is how it is packed all that its bytes were asked?  So are documents of Office, and archives. */
static inline bool ms_part_is_packed(const MsPart *part)
{
	return g_str_equal(part->actual, "application/zip") ||
		g_str_equal(part->actual, "application/x-ole-storage");
}

/* Two faces of one message that name different buyers. */
typedef struct {
	char *where;  /* one of them */
	char *other;  /* the other */
	char *kind;   /* of which they have different values; "": of no single one */
	char *detail; /* what differs, in words, without values */
} MsContradiction;

/* A text as it was read, for who reviews the message. */
typedef struct {
	char *where;
	char *text;
} MsShown;

/* The text of a face in one number: the same for the same letters and digits, whatever blanks,
 * marks, case and accents are between and above them, and whoever the mail greets.  Not of fields,
 * names of files, and what stands beside the text.  It is not keyed, and never leaves the host. */
#define MS_TEXT_DIGEST MS_SUM_BYTES
typedef struct {
	guint64 letters; /* how many; 0: it has no text */
	guint8 digest[MS_TEXT_DIGEST];
	MsSum *sum; /* reading.c's, while it is read; does not cross */
} MsText;

typedef struct {
	GPtrArray *findings; /* of MsFinding; only added to */
	/* of MsFinding: those that ms_policy_drop_addressed() took out; does not cross */
	GPtrArray *dropped;
	GPtrArray *unread;   /* of MsUnread */
	GPtrArray *headers;  /* of MsHeader, of the message itself */
	GPtrArray *parts;    /* of MsPart, leaves only */
	GPtrArray *visible;  /* of char *: addresses in To and Cc */
	GPtrArray *faces;    /* of char *: the mail itself, then each document in it */
	GArray *texts;       /* of MsText, a face each; those behind have none */
	GPtrArray
		*greeted; /* of char *: names that the mail itself greets, canonical (greeting.h) */
	GPtrArray *contradictions; /* of MsContradiction */
	GPtrArray *shown;  /* of MsShown; only if asked for (ms_reader_view()) */
	GBytes *bytes;     /* of a part, or a picture; only if asked for, else NULL */
	guint visible_total; /* ... and like them; or in another field, if they are more */
	guint64 text_bytes;
	gint64 microseconds; /* the worker's own clock, for measurements */
	guint guesses;       /* places that were kept of guesses; the worker's */
	guint searches;      /* texts that were looked through; the worker's */
	guint others;        /* meanings beside those of the findings, of them all */
	GHashTable *table;   /* reading.c's, of the findings */
} MsReading;

MsReading *ms_reading_new(void);
void ms_reading_free(MsReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsReading, ms_reading_free)

const char *ms_unread_name(MsUnreadReason reason);
extern const char *const ms_unread_names[MS_N_UNREAD + 1]; /* NULL-terminated */

/* Is it of the message or its header fields, and not of a part? */
bool ms_unread_is_whole(const MsUnread *unread);
/* Notes what could not be read.  The same place and reason is noted once; where there are more than
 * MS_READING_MAX_UNREAD, those that are first of their reason stay. */
void ms_reading_unread(MsReading *reading, const char *where, MsUnreadReason reason,
	const char *format, ...) G_GNUC_PRINTF(4, 5);
/* A new face: a document that says by itself whose it is.  Its number. */
guint ms_reading_face(MsReading *reading, const char *where);
/* More of a face's text, compact (compact.h). */
void ms_reading_add_text(MsReading *reading, guint face, const char *compact, gsize len);
/* False: the face has no text. */
bool ms_reading_text(const MsReading *reading, guint face, guint8 digest[MS_TEXT_DIGEST]);
/* The same name is noted once. */
void ms_reading_greet(MsReading *reading, const char *name);
/* `kind`: of which they have different values, or "". */
void ms_reading_contradict(MsReading *reading, const char *where, const char *other,
	const char *kind, const char *format, ...) G_GNUC_PRINTF(5, 6);
/* Takes `place` (NULL: one that the finding has already); the finding of that kind and value is
 * made when there is none. */
MsFinding *ms_reading_find(MsReading *reading, const char *kind, const char *value, guint belief,
	guint face, MsPlace *place);
/* The same where each of its places may mean one of `either` (finding.h; NULL: it does not)
 * instead. */
MsFinding *ms_reading_find_either(MsReading *reading, const char *kind, const char *value,
	GPtrArray *either, guint belief, guint face, MsPlace *place);
/* The finding of that kind and value, and of these other meanings, or NULL. */
const MsFinding *ms_reading_has(
	MsReading *reading, const char *kind, const char *value, const GPtrArray *either);
/* What the directory is to be asked for findings, in their order: of MsIdentifier; the
 * caller's. */
GPtrArray *ms_reading_identifiers(const GPtrArray *findings);
/* Takes out the findings that are guesses alone. */
void ms_reading_drop_guesses(MsReading *reading);
/* The value of the first field of that name, or NULL. */
const char *ms_reading_header(const MsReading *reading, const char *name);
/* Adds to what is shown of a place; what is over the bound is left out. */
void ms_reading_show(MsReading *reading, const char *where, const char *text, gsize len);
/* A place without the names that a sender gave ("part 3 (name of 16 characters, .pdf)"), for
 * logs, audit and records; what is masked stays as it is.  A content type: common ones by their
 * name, others not. */
char *ms_place_masked(const char *where);
const char *ms_type_shown(const char *type);
/* A subject in one line for lists that many look at: as it is, or with words that any bill has
 * alone. */
char *ms_subject_shown(const char *subject, bool whole);
/* Its words in one spelling, each once; of char *. */
GPtrArray *ms_subject_words(const char *subject);
/* ".pdf" of a file's name; "?" for an ending that is not a common one, or none. */
char *ms_name_ending(const char *name);
/* A place that begins or ends within a character has the whole of it. */
MsPlace *ms_place_new(const char *where, const char *text, gsize start, gsize end, gsize len);

/* What stands for the place of a document in a reading of that document alone. */
#define MS_PLACE_HERE "@"
/* A place, or the path of a part, of such a reading ("@ > a.txt", "part @.1 text/plain", "@.1") in
 * the mail that has the document at `where`. */
char *ms_reading_placed(const char *relative, const char *where);
/* Adds what was read of the document at `where`, whose face is `face`, on its own.  False if
 * not all of it fits into the bounds of a reading. */
bool ms_reading_merge(MsReading *reading, const MsReading *document, const char *where, guint face);

GBytes *ms_reading_encode(const MsReading *reading);
MsReading *ms_reading_decode(GBytes *bytes, GError **error);

#endif
