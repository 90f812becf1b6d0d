/*
 * dispatch.h - which of many patterns can match at a place of a text?
 *
 * WHAT    A table over the next three characters, made by asking each anchored pattern which
 *         beginnings it can have, and one of the letters that labels begin with.  At most places
 *         of a text the answer is none.
 * OWNS    MsDispatch borrows the patterns.
 * ERRORS  None.
 * THREADS Immutable.
 * LIMITS  65,535 patterns.
 * NOT     Decides no match: who asks runs the patterns that are named.
 */
#ifndef MISSENT_DISPATCH_H
#define MISSENT_DISPATCH_H

#include <glib.h>

#include "missent/compact.h"
#include "missent/regex.h"

typedef struct MsDispatch MsDispatch;

/* `patterns`: of MsRegex, anchored.  `labels` (or NULL): for each of them NULL, or a
 * NULL-terminated list of folded texts, of which it matches the first that stands there, with any
 * blanks for one, not within a word (kind.c). */
MsDispatch *ms_dispatch_new(const GPtrArray *patterns, const GPtrArray *labels);
void ms_dispatch_free(MsDispatch *dispatch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsDispatch, ms_dispatch_free)

/* The numbers of the patterns that may match at `at`, ascending; `*n_out` of them; without those
 * that have labels, where a letter of ASCII stands. */
const guint16 *ms_dispatch_at(const MsDispatch *dispatch, const char *text, gsize len, gsize at,
	guint *n_out);
/* The first word of `compact`, the text's, from `word` on and before `until`, that may begin a
 * match, or has a mark before it that may (ms_dispatch_marked()); or `until`.  `*figure`: 0, or
 * what an earlier call for a word before this one left there. */
gsize ms_dispatch_next(const MsDispatch *dispatch, const char *text, gsize len,
	const MsCompact *compact, gsize word, gsize until, gsize *figure);
/* The same of those that have labels, where the word `word`, in small letters and of a text of
 * compact.h, begins; and where the match ends, or MS_DISPATCH_ASK. */
#define MS_DISPATCH_MAX 1000 /* of patterns with labels: one a kind */
#define MS_DISPATCH_ASK G_MAXSIZE
typedef struct {
	guint16 pattern;
	gsize end;
} MsLabelled;
guint ms_dispatch_word(const MsDispatch *dispatch, const char *text, gsize len, gsize at,
	const char *word, gsize word_len, MsLabelled out[MS_DISPATCH_MAX]);
/* Does any without labels begin with this mark of ASCII? */
bool ms_dispatch_marked(const MsDispatch *dispatch, char byte);

#endif
