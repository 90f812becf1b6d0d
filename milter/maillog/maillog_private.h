/* Between the files of this room: a line, who understands it, and where it is kept. */
#ifndef MISSENT_MAILLOG_PRIVATE_H
#define MISSENT_MAILLOG_PRIVATE_H

#include "missent/maillog.h"

/* ---- stamp.c --------------------------------------------------------------------------- */

typedef struct {
	int year;      /* of the line before; 0: not known yet */
	gint64 last;   /* of the line before, microseconds; 0: none */
	gint64 end;    /* nothing in this file is much younger */
	bool yearless; /* the line before says no year */
} LogStamp;

/* The time that `line` begins with, and what follows it; NULL: there is none. */
const char *log_stamp(LogStamp *stamp, const char *line, gint64 *at_out);

/* ---- source.c --------------------------------------------------------------------------- */

/* False: no more, please. */
typedef bool (*LogTake)(const void *data, gsize len, void *user);
/* Opens it, unpacks it as it is packed, and gives it piece by piece.  False: it could not be
 * opened; `*problem_out` (the caller's): it could not be read to its end. */
bool log_source(const char *path, LogTake take, void *user, gint64 *modified_out,
	char **problem_out, GError **error);

/* ---- line.c ----------------------------------------------------------------------------- */

/* One entry; texts are NUL-terminated and valid during the call alone. */
typedef struct {
	gint64 at;
	const char *host, *ident; /* "postfix/smtpd" */
	guint pid;
	char *text;
	bool yearless; /* its stamp says no year */
} LogLine;
typedef bool (*LogLineTake)(LogLine *line, void *user);
/* A time that is not understood, or a line that was cut. */
typedef void (*LogLineOdd)(const char *text, bool cut, void *user);

typedef struct LogLines LogLines;
LogLines *log_lines_new(gint64 end, int year, LogLineTake take, LogLineOdd odd, void *user);
bool log_lines_take(const void *data, gsize len, void *lines);
void log_lines_end(LogLines *lines); /* and frees it */

/* ---- fields.c: "key=value, key=value" ---------------------------------------------------- */

/* The next one; the text is cut up.  The value of the key `last` is all the rest.  False: there
 * is none. */
bool log_field(char **text, const char *last, char **key_out, char **value_out);
/* "<a@b>" without its brackets; the caller's. */
char *log_address(const char *value);
/* What stands between [ and the ] behind it, the caller's; NULL: nothing does. */
char *log_in_brackets(const char *text);
/* The queue ID that a reply names after one of these words; the caller's, or NULL. */
char *log_next_id(const char *reply);

/* What an MTA's queue IDs look like: so many letters and digits, one of them a digit; or
 * capitals alone. */
typedef struct {
	gsize least, most;
	bool may_be_capitals;
} LogIdForm;
/* How long the queue ID is that `text` begins with; 0: none.  Logs are cut off anywhere. */
gsize log_id_at(const char *text, const LogIdForm *form);
/* The queue ID that `text` begins with, "ID: ", cut off, and what follows it; NULL: none. */
char *log_cut_id(char *text, const LogIdForm *form, char **rest_out);

/* ---- maillog.c -------------------------------------------------------------------------- */

/* Who writes: the instance of the MTA, as one host has it. */
typedef struct LogMta LogMta;
LogMta *log_mta(MsMaillog *log, const char *host, const char *instance, bool sendmail);
/* The message of that ID that is in the queue now; NULL: a limit. */
MsMail *log_mail(MsMaillog *log, LogMta *mta, const char *queue_id, gint64 at);
/* The same when a new one begins: an ID that was used before is used again. */
MsMail *log_mail_begins(MsMaillog *log, LogMta *mta, const char *queue_id, gint64 at);
void log_delivery(MsMaillog *log, MsMail *mail, MsDelivered delivered); /* takes what it has */
/* Of a delivery at `at`: since it came in so many seconds had gone. */
void log_took(MsMail *mail, gint64 at, double seconds);
void log_turn(MsMaillog *log, LogMta *mta, gint64 at);
/* What a process says of a milter belongs to the message that it has in hand, or takes next. */
void log_trouble(LogMta *mta, guint pid, const char *text, gint64 at);
void log_process_has(LogMta *mta, guint pid, MsMail *mail);
/* A client has connected to a process, sends a message, goes: of so many texts the process said
 * that they are taken; -1: it does not say. */
void log_session_begins(LogMta *mta, guint pid);
void log_session_has(MsMaillog *log, LogMta *mta, guint pid, MsMail *mail);
void log_session_ends(LogMta *mta, guint pid, int taken, gint64 at);
/* What it sends did not come in whole: it went in the middle of the text, or before one. */
void log_session_breaks(LogMta *mta, guint pid, bool in_text, gint64 at);
void log_set(char **where, const char *text);
/* Did a line with this ID stand there before, the same in every byte?  Call it once a line. */
bool log_again(MsMaillog *log, const LogLine *line, const char *id, const char *rest);

/* postfix.c, sendmail.c: do they know this line? */
bool log_postfix(MsMaillog *log, LogLine *line);
bool log_sendmail(MsMaillog *log, LogLine *line);

/* gap.c: does a log daemon say that it did not write all?  `lines_out`: how many, 0 if it does not
 * know yet; `pid_out`: of which process, 0: of any. */
bool log_gap(const LogLine *line, guint64 *lines_out, guint *pid_out);

#endif
