/*
 * reader.h - messages are read: the client of the reading wing.
 *
 * WHAT    MsReader runs one missent-reader, and missent-reader-text if it lies beside it, for mail
 *         without documents, and asks them to read messages.  Each message is read by a
 *         worker process that can do nothing else, is made for it or put back to what it was when
 *         it had been made (`restore`), and keeps nothing of it.
 * OWNS    MsReader owns the process; ms_reader_free() ends it.
 * ERRORS  ms_reader_read() returns a reading in every case in which a worker was had: a
 *         worker that died, hung or lied is a reading with one unread item.  False means that
 *         no worker could be had (MS_ERROR_RETRY, MS_ERROR_BUSY): try the message again.  A message
 *         whose worker died with all of its process is read once more, alone in another one; one
 *         whose worker was ended from outside, and not by what it read, once more by another.
 * THREADS ms_reader_read() from any number of threads at once.
 * LIMITS  `workers` messages at once, of which no sender has all and dear ones half, and some
 *         more that cost little; `queue` messages that wait; MsLimits for each message.
 * NOT     Trusts nothing that a worker says beyond its meaning for that one message.
 */
#ifndef MISSENT_READER_H
#define MISSENT_READER_H

#include <glib.h>
#include <stdbool.h>

#include "missent/budget.h"
#include "missent/kind.h"
#include "missent/patience.h"
#include "missent/reading.h"
#include "missent/shape.h"
#include "missent/wire.h"

typedef struct MsReader MsReader;

typedef struct {
	const char *program;     /* path of missent-reader */
	const MsKinds *kinds;
	MsLimits limits;
	const MsLimits *most;    /* those that an errand may ask for; NULL: `limits` */
	guint workers;           /* messages that are read at once */
	guint queue;             /* messages that may wait for that; 0: 1000 */
	guint jobs;              /* messages a worker reads before it is replaced */
	bool restore;            /* small workers are put back, not ended, where that can be had */
	gint64 wait_ms;          /* how long a message waits for a free worker */
	bool sandbox_optional;   /* go on where confinement cannot be set up */
	const char *const *passwords; /* tried on encrypted documents; NULL-terminated, or NULL */
	bool asks_passwords;     /* errands may have some */
	guint64 cache_bytes;     /* of readings of attachments that come again; 0: none are kept */
	bool lean;               /* guesses that count for nothing are left out (finding.h) */
	const char *ocr_program; /* path of missent-ocr; used if limits.max[MS_COST_OCR] > 0 */
	const char *ocr_languages; /* as tesseract names them, "eng+fra"; NULL: "eng" */
} MsReaderSettings;

/* Starts the process and waits until its first worker is confined and ready.  What part of the
 * confinement was not to be had is in `*warning_out` (caller frees), or NULL. */
MsReader *ms_reader_new(const MsReaderSettings *settings, char **warning_out, GError **error);
void ms_reader_free(MsReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsReader, ms_reader_free)

/* What is known of a message before it is read. */
typedef struct {
	const char *who; /* no sender's messages wait for all those of another; or NULL */
	MsShape shape;
	/* pages, text, OCR and milliseconds of this message, within the reader's `most`; NULL:
	 * its limits */
	const MsLimits *limits;
	/* tried after the reader's own; NULL-terminated, or NULL; at most MS_PASSWORDS_MOST */
	const char *const *passwords;
	/* it is not read for longer than that; NULL: as long as its limits say */
	const MsPatience *patience;
} MsErrand;

/* `message_fd` is a memory file sealed against any change.  `*known_out`, if not NULL: the
 * number of the filters that were used; 0: none.  `errand` may be NULL. */
bool ms_reader_read(MsReader *reader, int message_fd, const MsErrand *errand,
	MsReading **reading_out, guint64 *known_out, GError **error);

/* Waits until a worker of each kind has what is known by now, and keeps it for the message that
 * comes first; false: it took longer than `wait_ms`, or there was none. */
bool ms_reader_warm(MsReader *reader, gint64 wait_ms);

/* What a reviewer asks of one message (MS_VIEW_TEXTS, MS_VIEW_PART): its texts in the reading's
 * `shown`; or the bytes of a part in `bytes`, which is NULL if there is none of that path or it
 * is over MS_VIEW_MAX_BYTES. */
bool ms_reader_view(MsReader *reader, int message_fd, const char *as, MsReading **reading_out,
	GError **error);

/* From now on messages are read with this image (filter.h) of what the directory knows, or with
 * one of what was added since.  Numbers are the caller's, not 0, and never used twice.  A reader
 * process that had to be started anew is given them again. */
bool ms_reader_know(MsReader *reader, GBytes *image, guint64 number, GError **error);
bool ms_reader_know_also(MsReader *reader, GBytes *image, guint64 number, GError **error);
/* The number of the filters in use; 0: none. */
guint64 ms_reader_known(MsReader *reader);

/* Since it was made. */
typedef struct {
	guint64 messages, workers_lost;
	guint64 small;             /* of the messages, those that the small reader read */
	guint64 stepped_back;      /* dear ones that were begun again, for others were waiting */
	/* workers lost: at their deadline; by themselves; for what they gave back */
	guint64 late, died, lied;
	guint64 replaced;          /* reader processes that died or hung */
	/* messages that had been in those, messages and documents of workers that others ended */
	guint64 read_again;
	guint64 cache_hits, cache_asked; /* attachments read from the cache; and asked about */
	guint64 cache_bytes;
} MsReaderStats;
void ms_reader_stats(MsReader *reader, MsReaderStats *out);

/* What happened to reader processes since the last call, for a log; NULL: nothing (caller
 * frees). */
char *ms_reader_news(MsReader *reader);

/* A memory file that takes a message as it comes in; -1 and errno on failure. */
int ms_memory_file(const char *name);
/* Seals it against writing, growing and shrinking. */
bool ms_memory_seal(int fd);
/* A sealed memory file of these bytes; -1 and errno on failure. */
int ms_memory_of(const char *name, const void *data, gsize len);

#endif
