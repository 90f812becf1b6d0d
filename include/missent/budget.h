/*
 * budget.h - what one message may cost.
 *
 * WHAT    One purse for everything a sender can make grow.  A charge that does not fit is
 *         refused, and the place that was refused is noted on the reading as unread.
 * OWNS    Nothing; a plain struct.
 * ERRORS  A refusal is false; it is never an abort.
 * THREADS One message, one thread.
 * LIMITS  Those of MsLimits, each a setting (missent.conf(5), section reader).
 * NOT     Does not interrupt: a loop must ask ms_budget_time() or ms_budget_step() itself.  In the
 *         reading wing the supervisor's deadline is the backstop; in the judging wing there is
 *         none, so its time is what the thread itself has computed: a busy machine holds no mail.
 */
#ifndef MISSENT_BUDGET_H
#define MISSENT_BUDGET_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
	MS_COST_TEXT,     /* bytes of text looked at */
	MS_COST_DECODED,  /* bytes decoded from transfer encodings */
	MS_COST_PART,     /* MIME parts, attachments of documents, members of archives */
	MS_COST_HEADER,   /* header fields */
	MS_COST_HEADER_BYTES,
	MS_COST_PAGE,     /* pages of documents */
	MS_COST_OCR,      /* pictures whose text is recognised */
	MS_COST_FINDING,  /* different identifiers */
	MS_COST_READING,  /* bytes of reading given back */
	/* The judging wing's. */
	MS_COST_ACCOUNT,  /* accounts that the directory's answers bring */
	MS_COST_RIGHT,    /* bytes of who has a right to what */
	MS_COST_STEP,     /* words of such looked at */
	MS_N_COSTS,
} MsCost;

typedef struct {
	guint64 max[MS_N_COSTS];
	guint max_depth;         /* nesting of parts */
	gint64 milliseconds;     /* wall time for reading one message */
	guint64 memory;          /* address space of the worker, bytes */
	guint64 max_message;     /* bytes of a message that are read */
	guint ocr_dpi;           /* resolution at which pages are drawn to be recognised */
	guint ocr_confidence;    /* per cent from which on a recognised word counts */
	guint ocr_coverage;      /* per cent of what is dark that such words must cover */
} MsLimits;

/* What a fresh install uses. */
void ms_limits_default(MsLimits *limits);
/* The same for judging one message. */
void ms_limits_judging(MsLimits *limits);

typedef struct {
	guint64 left[MS_N_COSTS];
	guint depth_left;
	gint64 deadline; /* monotonic microseconds */
	guint64 ticks;
	bool own_time; /* the deadline is on the clock of what this thread computes */
	bool late;
} MsBudget;

void ms_budget_init(MsBudget *budget, const MsLimits *limits);
/* In this thread's own time; it is only for this thread then. */
void ms_budget_init_judging(MsBudget *budget, const MsLimits *limits);
/* False when `amount` is more than is left; then nothing is taken. */
bool ms_budget_charge(MsBudget *budget, MsCost cost, guint64 amount);
/* False once the time is over.  Cheap enough for inner loops. */
bool ms_budget_time(MsBudget *budget);
/* Charges `steps` of MS_COST_STEP and looks at the clock now and then.  False for good once there
 * was too little of either. */
bool ms_budget_step(MsBudget *budget, guint64 steps);
/* The setting that bounds `cost`, for messages to people. */
const char *ms_cost_name(MsCost cost);

#endif
