/*
 * regex.h - patterns written by operators, run on bytes written by anybody.
 *
 * WHAT    PCRE2 with JIT behind a match limit, so that no pattern can run away.
 * OWNS    MsRegex, freed by ms_regex_free().
 * ERRORS  A bad pattern is a GError that shows the place.  A limit reached is its own answer,
 *         MS_MATCH_LIMIT: "unreadable", never "no match".
 * THREADS A compiled pattern may be used by many threads at once.
 * LIMITS  10,000 match steps a start position, 10 MB heap, depth 1,000, patterns 32 kB.
 * NOT     The subject must be valid UTF-8 (ms_text_repair); this is not checked again.
 */
#ifndef MISSENT_REGEX_H
#define MISSENT_REGEX_H

#include <glib.h>
#include <stdbool.h>

typedef struct MsRegex MsRegex;

typedef enum { MS_MATCH, MS_NO_MATCH, MS_MATCH_LIMIT } MsMatchResult;

typedef struct {
	gsize start, end;             /* the whole match */
	gsize group_start, group_end; /* group 1, or the whole match if there is none */
} MsMatch;

/* Is it a pattern? */
bool ms_regex_check(const char *pattern, GError **error);
MsRegex *ms_regex_new(const char *pattern, bool caseless, GError **error);
/* One that matches nowhere but where it is asked; case is ignored. */
MsRegex *ms_regex_new_anchored(const char *pattern, GError **error);
void ms_regex_free(MsRegex *regex);
const char *ms_regex_pattern(const MsRegex *regex);
/* Compiles it for this processor, which takes most of the time, and which else its first match
 * does. */
void ms_regex_make_ready(const MsRegex *regex);
/* Makes what this thread's matches write to, which else the first match does. */
void ms_regex_begin(void);
/* The first match that starts at `from` or later and before `until`. */
MsMatchResult ms_regex_match(const MsRegex *regex, const char *text, gsize len, gsize from,
	gsize until, MsMatch *match_out);
/* An anchored one's match at `at`. */
MsMatchResult ms_regex_at(const MsRegex *regex, const char *text, gsize len, gsize at,
	MsMatch *match_out);
/* Could a text that begins with these bytes match an anchored one? */
bool ms_regex_may_begin(const MsRegex *regex, const char *text, gsize len);
/* A pattern for a shell-like glob (only * and ?), anchored at both ends. */
char *ms_regex_from_glob(const char *glob);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsRegex, ms_regex_free)

/* Within how many characters each match of a pattern has a digit; MS_REGEX_NO_DIGIT if that is not
 * known, or not so. */
#define MS_REGEX_NO_DIGIT ((gsize)1 << 40)
gsize ms_regex_digit_of(const char *pattern, bool *unbroken_out);
gsize ms_regex_digit(const MsRegex *regex);
/* Has each match a digit before its first blank, or what follows it has? */
bool ms_regex_digit_unbroken(const MsRegex *regex);

#endif
