/* Shared by the files of detect/. */
#ifndef MISSENT_DETECT_PRIVATE_H
#define MISSENT_DETECT_PRIVATE_H

#include "missent/compact.h"
#include "missent/detect.h"
#include "missent/text.h"

typedef struct {
	guint kind;
	gsize end; /* in the fold */
} Label;

typedef struct {
	const MsKinds *kinds;
	const MsFilters *known; /* or NULL */
	const MsSpan *span;
	const MsFold *fold;
	const MsCompact *compact;
	MsBudget *budget;
	MsReading *reading;
	GArray *labels; /* of Label, by their ends */
	bool full;      /* no more findings are taken */
} Search;

/* Notes that a kind was not searched for to the end; false. */
bool ms_detect_gave_up(const Search *s, const MsKind *kind, MsUnreadReason reason, const char *what);
/* Is there time left?  If not, notes it. */
bool ms_detect_in_time(const Search *s, const MsKind *kind);
/* Adds the finding that stands from `start` to `end` in the fold, with this value. */
bool ms_detect_add_value(Search *s, const MsKind *kind, gsize start, gsize end, const char *value,
	guint belief);
/* The same; false if the text there is no value of the kind. */
bool ms_detect_add(Search *s, const MsKind *kind, gsize start, gsize end, guint belief);
/* Does a label of the kind stand within its distance before `start`? */
bool ms_detect_labelled(const Search *s, guint kind, gsize start);
/* Where a word begins and ends in the fold. */
static inline gsize ms_detect_word_start(const Search *s, gsize word)
{
	return s->compact->words[word].from;
}

static inline gsize ms_detect_word_end(const Search *s, gsize word)
{
	return s->compact->words[word].until;
}

/* emails.c, known.c, addresses.c: what each adds to the reading. */
void ms_detect_emails(Search *s);
void ms_detect_known(Search *s);
void ms_detect_addresses(Search *s);

#endif
