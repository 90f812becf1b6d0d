/*
 * dispatch.h - which of many patterns can match at a place of a text?
 *
 * WHAT    A table over the next three characters, made by asking each anchored pattern which
 *         beginnings it can have.  At most places of a text the answer is none.
 * OWNS    MsDispatch borrows the patterns.
 * ERRORS  None.
 * THREADS Immutable.
 * LIMITS  65,535 patterns.
 * NOT     Decides no match: who asks runs the patterns that are named.
 */
#ifndef MISSENT_DISPATCH_H
#define MISSENT_DISPATCH_H

#include <glib.h>

#include "missent/regex.h"

typedef struct MsDispatch MsDispatch;

/* `patterns`: of MsRegex, anchored. */
MsDispatch *ms_dispatch_new(const GPtrArray *patterns);
void ms_dispatch_free(MsDispatch *dispatch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsDispatch, ms_dispatch_free)

/* The numbers of the patterns that may match at `at`, ascending; `*n_out` of them. */
const guint16 *ms_dispatch_at(const MsDispatch *dispatch, const char *text, gsize len, gsize at,
	guint *n_out);

#endif
