/*
 * detect.h - from text to findings.
 *
 * WHAT    Runs every kind over a span and adds what it finds to the reading.
 * OWNS    Nothing.
 * ERRORS  A pattern that gives up, a budget that is spent: an unread item on the reading.
 * THREADS One message, one thread; MsKinds is shared and immutable.
 * LIMITS  MS_COST_FINDING different identifiers; PCRE2's limits a pattern (regex.h).
 * NOT     Knows no customer.  Does not yet join an identifier over two spans.
 */
#ifndef MISSENT_DETECT_H
#define MISSENT_DETECT_H

#include "missent/budget.h"
#include "missent/filter.h"
#include "missent/kind.h"
#include "missent/reading.h"
#include "missent/span.h"

/* When all spans of a message are through: notes where two of its faces name different
 * customers. */
void ms_detect_contradictions(const MsKinds *kinds, MsReading *reading);

/* `known` is what the directory knows, or NULL. */
void ms_detect(const MsKinds *kinds, const MsFilters *known, const MsSpan *span, MsBudget *budget,
	MsReading *reading);

#endif
