/*
 * maillog.h - what an MTA's log says became of its mail.
 *
 * WHAT    Reads logs of Postfix and Sendmail, in any order: with RFC 3339 stamps, in the form of
 *         RFC 5424, with traditional stamps (which have no year), as `journalctl -o export`
 *         writes them; as they are, or compressed with gzip, bzip2, xz, zstd or lz4.  Makes of
 *         them one MsMail for each message that a queue had.
 * OWNS    MsMaillog owns all that it gives; ms_maillog_free().
 * ERRORS  GError: a file cannot be opened.  One that is damaged or ends early, lines whose time
 *         is not understood, lines that were cut: no errors, but told (MsMaillogNotes), since
 *         what they had is not known.
 * THREADS One at a time.
 * LIMITS  MS_MAILLOG_MOST messages, MS_MAILLOG_EVENTS events of a message, MS_MAILLOG_LINE bytes
 *         of a line; what is over is counted in the notes.
 * NOT     Judges nothing (reconcile.h).  Month names are C's.  Which of two hours a stamp without
 *         zone is of, when clocks were put back, is told by the lines before it.
 */
#ifndef MISSENT_MAILLOG_H
#define MISSENT_MAILLOG_H

#include <glib.h>
#include <stdbool.h>

#define MS_MAILLOG_MOST 4000000
#define MS_MAILLOG_EVENTS 100000
#define MS_MAILLOG_LINE 16384

typedef struct MsMaillog MsMaillog;

/* How a message came into the queue.  UNKNOWN: the log does not have its beginning.  INTERNAL:
 * the MTA made it, and does not say of what. */
typedef enum {
	MS_CAME_UNKNOWN,
	MS_CAME_SMTP,
	MS_CAME_LOCAL,
	MS_CAME_BOUNCE,
	MS_CAME_REQUEUED,
	MS_CAME_SPLIT,
	MS_CAME_FORWARDED,
	MS_CAME_INTERNAL,
	MS_N_CAME
} MsCame;
extern const char *const ms_came_names[MS_N_CAME + 1];

typedef struct {
	char *to, *orig_to; /* NULL: as `to` */
	char *relay;        /* as the log has it, or "" */
	char *next;         /* the queue ID that it got there, or NULL */
	bool sent;          /* else: later, returned, or thrown away */
	gint64 at;
} MsDelivered;

typedef struct {
	/* the log's host; the MTA's name there: "postfix", "postfix-out", "sm-mta" */
	char *host, *instance;
	bool sendmail;
	char *queue_id;
	gint64 first, last;      /* microseconds since 1970: of its first and last line */
	/* when it came in, by how long a delivery says that it took; 0: none says so */
	gint64 entered;
	MsCame came;
	char *service; /* who took it in: "smtpd", "submission/smtpd", "pickup", Sendmail's daemon */
	guint pid;               /* ... as which process; 0: not known */
	char *client;            /* IP address of the client; NULL: local, or not known */
	char *auth_user;         /* NULL: none */
	char *sender;            /* NULL: not known */
	char *message_id;        /* NULL: not known */
	char *parent;            /* the queue ID that it was made of, or NULL */
	bool accepted;           /* it was in the queue, and not refused while it came in */
	bool held, refused, discarded; /* a milter had it so */
	bool let_go;             /* somebody took it off hold */
	bool redirected;         /* by header_checks and the like */
	/* missentd says in the same log that it let it go so, since it only observes */
	bool unchecked;
	bool removed;            /* it left the queue */
	bool taken_out;          /* ... since somebody deleted it, or put it back */
	/* no more is to come of it: it did not come in whole, was not taken, or became others */
	bool ended;
	/* what the MTA said of a milter that it could not ask; NULL: nothing */
	char *trouble;
	guint n_recipients;      /* as the MTA says; 0: it does not */
	GPtrArray *deliveries;   /* of MsDelivered */
	/* since when it is known that lines of it are not in the log: it was begun, and nothing
	 * says what became of it; 0: not so */
	gint64 lost;
	guint missing;           /* it left the queue, and of so many the log says nothing */
	bool tried;              /* a program that delivers had it */
	bool uncounted;          /* ... and the line before, to how many it goes, is lost */
} MsMail;

/* The MTA was started, or read its settings again. */
typedef struct {
	gint64 at;
	char *host, *instance;
} MsMaillogTurn;

typedef struct {
	guint64 lines, used;     /* of all, and of a mail's */
	/* of a mail's, the same in every byte as one before: it is one event.  The same event in
	 * two forms (a journal and a file) are two. */
	guint64 again;
	guint64 undated;         /* the time is not understood */
	char *undated_line;      /* the first of them, or NULL */
	guint64 cut;             /* longer than MS_MAILLOG_LINE, or without an end */
	guint64 dropped;         /* over a limit */
	GPtrArray *problems;     /* of char *: of files that could not be read to their end */
	/* what a log daemon itself says that it did not write: how often, how many lines at least,
	 * and when first and last */
	guint64 gaps, gap_lines;
	gint64 gap_from, gap_to;
	gint64 from, to;         /* the first and the last time; 0: none */
	bool yearless; /* lines have no year: it was said, or taken from the file's time */
} MsMaillogNotes;

typedef struct {
	gint64 now;  /* of when the log is, if nothing else says so; 0: now */
	int year;    /* of the first line of traditional stamps; 0: the file's time tells */
} MsMaillogOptions;

MsMaillog *ms_maillog_new(const MsMaillogOptions *options);
void ms_maillog_free(MsMaillog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsMaillog, ms_maillog_free)
/* "-" is standard input.  They are taken by the time of their first lines. */
bool ms_maillog_read(MsMaillog *log, const char *const *paths, GError **error);
/* The bytes of one log, not compressed. */
void ms_maillog_feed(MsMaillog *log, const char *name, const void *data, gsize len);
/* In the order in which they came in; call it when all is read. */
const GPtrArray *ms_maillog_mails(MsMaillog *log); /* of MsMail */
const GPtrArray *ms_maillog_turns(const MsMaillog *log); /* of MsMaillogTurn */
const MsMaillogNotes *ms_maillog_notes(const MsMaillog *log);

#endif
