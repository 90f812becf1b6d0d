/* Shared by the files of this folder: what was taken out of the trail. */
#ifndef MISSENT_INCIDENT_PRIVATE_H
#define MISSENT_INCIDENT_PRIVATE_H

#include <jansson.h>

#include "missent/incident.h"

/* Something found in a message that is another's to one of its recipients. */
typedef struct {
	const char *kind, *id, *masked;
	GPtrArray *accounts; /* of const char *: digests, without the house */
	bool more;           /* it has further owners */
} Item;

/* A recipient for whom a message is wrong. */
typedef struct {
	const char *id;  /* NULL: its line has no digests */
	const char *masked, *account; /* of the recipient; account: the first, "": not known */
	MsFate fate;
	GPtrArray *items; /* of Item, the case's */
} Copy;

/* A message that is wrong for somebody; or that is held, or would be, for something else. */
typedef struct {
	gint64 time;
	const char *host, *queue_id, *arrived, *uid; /* uid: "", it has no record */
	const char *key;                             /* of its digests; "": it has none */
	const char *cause, *policies;
	MsFate worst;
	bool wrong, cut, waits;   /* waits: it was held; its record tells */
	bool recorded, to_nobody; /* its record was read; by it nobody got it */
	GPtrArray *items;  /* of Item */
	GPtrArray *copies; /* of Copy */
} Case;

typedef struct {
	gint64 time;
	const char *who, *what, *detail;
} Event;

/* Of one kind of act on the messages concerned. */
typedef struct {
	guint64 n;
	gint64 first, last;
	GHashTable *by; /* name of a person to how many, as a number; NULL: none yet */
} Acts;

typedef struct {
	gint64 begin, width;
	GArray *judged;          /* of guint64, one a bucket */
	GArray *of[MS_N_FATES];
} Buckets;

/* A time of which nothing is known, or less than all. */
typedef enum { HOLE_BEFORE, HOLE_AFTER, HOLE_SILENT, HOLE_STOPPED, HOLE_QUIET } HoleKind;
extern const char *const hole_names[];
typedef struct {
	HoleKind kind;
	gint64 from, to;
	char *host; /* whose trail; "": not known */
} Hole;

/* To one trail. */
typedef struct {
	char *host;
	gint64 begins, before, sign; /* its first line, the one before, the last sign of life */
	bool beats, stopped;
} Listening;

/* What is known of a trail itself. */
typedef struct {
	char *host; /* "": no line says it */
	MsAuditProof proof;
} Source;

#define MAX_EVENTS 200
#define MAX_HOLES 50
#define MAX_BUCKETS 96

struct MsIncident {
	MsIncidentAsk ask;
	GStringChunk *strings;
	GPtrArray *cases;       /* of Case */
	GHashTable *by_uid;     /* to Case, borrowed */
	/* 1 << MsVerb of each act that ended it, or a part of it: of a uid where its lines do not
	 * say for whom, else of an incident_end_name(); RELEASED_NAMED of a uid: one says to whom
	 * it went */
	GHashTable *ended_by;
	GHashTable *keys;       /* numbers of keys */
	GPtrArray *events;      /* of Event */
	guint64 events_more;
	Acts acts[MS_N_VERBS];
	MsIncidentSum sum;
	guint64 unjudged;       /* messages without a directory */
	guint64 lines, damaged; /* of [from, to) */
	gint64 damaged_at, begins, back_at; /* begins: of the first of the trails */
	GArray *sources;                    /* of Source, a trail each */
	Listening listening;    /* to the trail that is read */
	GPtrArray *holes;       /* of Hole */
	guint64 holes_more;
	gint64 holes_more_us;
	Buckets buckets;
	bool settled;
	GPtrArray *gaps, *accounts, *rows; /* made when asked for */
	GHashTable *by_account; /* digest to MsAccountPart, borrowed */
};

/* settle.c: under which what ended a case for one recipient is remembered; the caller's. */
#define RELEASED (1u << MS_VERB_RELEASE)
#define RELEASED_NAMED (1u << MS_N_VERBS)
char *incident_end_name(const Case *c, const char *id);

/* listen.c */
GPtrArray *listen_holes_new(void);
void listen_begin(Listening *l);
void listen_line(MsIncident *incident, Listening *l, const MsAuditLine *line);
void listen_end(MsIncident *incident, Listening *l);
char *listen_words(const MsIncident *incident, const Hole *hole);

/* settle.c */
/* To whom something of an account went, or would have: the report's alone, for it names others. */
typedef struct {
	const char *id, *masked, *account;
	MsFate fate;
} Whom;
GArray *incident_whom(const MsAccountPart *part); /* of Whom, the worst first; the caller's */
void incident_settle(MsIncident *incident);

/* words.c: "2026-11-26 14:03:07 UTC"; "not known" for 0. */
char *incident_time(gint64 us);
char *incident_span(gint64 us); /* "3 h 20 min" */
char *incident_iso(gint64 us);

/* json of lines: "" where it is none. */
const char *line_text(const json_t *object, const char *name);
guint64 line_number(const json_t *object, const char *name);
int line_word(const json_t *object, const char *name, const char *const *names, int otherwise);

/* clocks.c */
typedef struct {
	char *title, *source; /* "GDPR Art. 33(1): ..." */
	char *from_what;      /* what it runs from, in words */
	gint64 from, ends;    /* 0: not known */
} Clock;
GPtrArray *incident_clocks(const MsReportAsk *ask, gint64 known_at);

/* report.c: what all three forms are made of. */
typedef enum { ROW_KNOWN, ROW_UNKNOWN, ROW_QUESTION } RowState;
typedef struct {
	char *key, *label, *text;
	RowState state;
	json_t *value; /* for programs; NULL: the text */
	bool programs; /* for programs alone: people have the number of such rows */
} Row;
typedef struct {
	char *key, *title;
	GPtrArray *rows;
} Section;
struct MsReport {
	MsIncident *incident;
	gint64 from, to, made, known_at;
	bool guessed; /* known_at: the first line that says so */
	bool named;   /* accounts stand there by their names */
	char *what;
	GPtrArray *sections; /* of Section */
};
/* chart.c */
void report_chart(GString *out, const MsReport *report);

#endif
