/*
 * A pattern comes in, out goes what it matches, within bounds of steps (PCRE2).  Many threads may
 * use one pattern.
 */
#include "config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/regex.h"

/* match_limit works under JIT and counts about 2 ns a step; no legitimate text was seen to
 * need 1,000.  Depth and heap limits bind only where JIT is not to be had. */
#define MATCH_LIMIT 10000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KIB 10240
#define MAX_PATTERN 32768

struct MsRegex {
	char *pattern;
	pcre2_code *code;
	pcre2_match_context *context;
	uint32_t jit; /* options of its compiler */
	gsize how;    /* 0: not asked yet; a How */
	gsize digit; /* see ms_regex_digit_of() */
	bool unbroken;
	bool unsure; /* where it may begin is not told by its first characters in small letters */
};

typedef enum { COMPILED = 1, INTERPRETED } How;

/* For what stands before it, or for the case of letters, which are all small where it is asked. */
static bool asks_for_more(const char *pattern)
{
	static const char *const signs[] = {"(?<=", "\\B", "(?-", "(?^", "(?(", "(*", "\\G", "\\K"};
	for (gsize i = 0; i < G_N_ELEMENTS(signs); i++)
		if (strstr(pattern, signs[i]) != NULL)
			return true;
	const char *options = pattern;
	while ((options = strstr(options, "(?")) != NULL) { /* "(?x-i)" */
		options += 2;
		gsize n = strspn(options, "imsnxJU");
		if (n > 0 && options[n] == '-')
			return true;
	}
	return false;
}

static pcre2_match_context *context_new(void)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(context, MATCH_LIMIT);
	pcre2_set_depth_limit(context, DEPTH_LIMIT);
	pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
	return context;
}

static pcre2_code *compile_code(const char *pattern, uint32_t more, GError **error)
{
	if (strlen(pattern) > MAX_PATTERN) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "pattern is longer than %d bytes",
			MAX_PATTERN);
		return NULL;
	}
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C
		| PCRE2_USE_OFFSET_LIMIT | more;
	int code;
	PCRE2_SIZE at;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code,
		&at, NULL);
	if (re == NULL) {
		char why[256];
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "bad pattern at character %zu: %s",
			(size_t)at + 1, why);
	}
	return re;
}

/* As tables of Postfix have them: /invoice/i.  A path has more slashes, or ends with none. */
static bool has_delimiters(const char *pattern)
{
	gsize len = strlen(pattern);
	while (len > 0 && strchr("imsx", pattern[len - 1]) != NULL)
		len--;
	return *pattern == '/' && len > 2 &&
		memchr(pattern + 1, '/', len - 1) == pattern + len - 1;
}

bool ms_regex_check(const char *pattern, GError **error)
{
	if (has_delimiters(pattern)) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\": a pattern stands without / around it (to look for one write [/])",
			pattern);
		return false;
	}
	pcre2_code *re = compile_code(pattern, 0, error);
	pcre2_code_free(re);
	return re != NULL;
}

static MsRegex *compile(const char *pattern, uint32_t more, GError **error)
{
	pcre2_code *re = compile_code(pattern, more, error);
	if (re == NULL)
		return NULL;
	MsRegex *regex = g_new0(MsRegex, 1);
	regex->pattern = g_strdup(pattern);
	regex->code = re;
	regex->jit = PCRE2_JIT_COMPLETE | (more & PCRE2_ANCHORED ? PCRE2_JIT_PARTIAL_HARD : 0);
	regex->digit = ms_regex_digit_of(pattern, &regex->unbroken);
	regex->unsure = asks_for_more(pattern);
	regex->context = context_new();
	return regex;
}

/* An old kernel or a strict systemd unit may refuse executable pages; the interpreter then does the
 * same work slower. */
static How how_to_match(const MsRegex *made)
{
	MsRegex *regex = (MsRegex *)made; /* filled once, unseen from outside */
	if (g_once_init_enter(&regex->how))
		g_once_init_leave(&regex->how,
			pcre2_jit_compile(regex->code, regex->jit) == 0 ? COMPILED : INTERPRETED);
	return (How)regex->how;
}

void ms_regex_make_ready(const MsRegex *regex)
{
	how_to_match(regex);
}

MsRegex *ms_regex_new(const char *pattern, bool caseless, GError **error)
{
	return compile(pattern, caseless ? PCRE2_CASELESS : 0, error);
}

/* Anchored when it is compiled: pcre2_match() under JIT forgets it when told later.  And without
 * what is looked for first: a character that each match has at its end, such as the "-" of a UUID,
 * would be looked for in thousands of bytes of text behind each word. */
MsRegex *ms_regex_new_anchored(const char *pattern, GError **error)
{
	return compile(
		pattern, PCRE2_CASELESS | PCRE2_ANCHORED | PCRE2_NO_START_OPTIMIZE, error);
}

void ms_regex_free(MsRegex *regex)
{
	if (regex == NULL)
		return;
	pcre2_match_context_free(regex->context);
	pcre2_code_free(regex->code);
	g_free(regex->pattern);
	g_free(regex);
}

gsize ms_regex_digit(const MsRegex *regex)
{
	return regex->digit;
}

bool ms_regex_digit_unbroken(const MsRegex *regex)
{
	return regex->unbroken;
}

const char *ms_regex_pattern(const MsRegex *regex)
{
	return regex->pattern;
}

/* What a match writes to belongs to one thread. */
typedef struct {
	pcre2_match_data *data;
	pcre2_match_context *context;
} Scratch;

static void scratch_free(gpointer data)
{
	Scratch *scratch = data;
	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
	g_free(scratch);
}

static Scratch *scratch_of_thread(void)
{
	static GPrivate key = G_PRIVATE_INIT(scratch_free);
	static _Thread_local Scratch *mine;
	if (mine == NULL) {
		mine = g_new0(Scratch, 1);
		mine->data = pcre2_match_data_create(2, NULL); /* the whole and group 1 */
		mine->context = context_new();
		g_private_set(&key, mine);
	}
	return mine;
}

void ms_regex_begin(void)
{
	scratch_of_thread();
}

static MsMatchResult match(const MsRegex *regex, const char *text, gsize len, gsize from,
	pcre2_match_context *context, pcre2_match_data *data, MsMatch *match_out)
{
	/* The fast path does not look at anything that pcre2_match() would check first. */
	int rc = how_to_match(regex) == COMPILED
		? pcre2_jit_match(regex->code, (PCRE2_SPTR)text, len, from, PCRE2_NO_UTF_CHECK,
			  data, context)
		: pcre2_match(regex->code, (PCRE2_SPTR)text, len, from, PCRE2_NO_UTF_CHECK, data,
			  context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return MS_NO_MATCH;
	if (rc < 0)
		return MS_MATCH_LIMIT;
	/* 0: it has more groups than there is room for. */
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);
	bool group = rc != 1 && v[2] != PCRE2_UNSET;
	*match_out = (MsMatch){v[0], v[1], group ? v[2] : v[0], group ? v[3] : v[1]};
	return MS_MATCH;
}

MsMatchResult ms_regex_match(const MsRegex *regex, const char *text, gsize len, gsize from,
	gsize until, MsMatch *match_out)
{
	Scratch *scratch = scratch_of_thread();
	pcre2_set_offset_limit(scratch->context, until);
	return match(regex, text, len, from, scratch->context, scratch->data, match_out);
}

MsMatchResult ms_regex_at(const MsRegex *regex, const char *text, gsize len, gsize at,
	MsMatch *match_out)
{
	return match(regex, text, len, at, regex->context, scratch_of_thread()->data, match_out);
}

bool ms_regex_may_begin(const MsRegex *regex, const char *text, gsize len)
{
	if (regex->unsure)
		return true;
	how_to_match(regex);
	int rc = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0,
		PCRE2_NO_UTF_CHECK | PCRE2_PARTIAL_HARD, scratch_of_thread()->data, regex->context);
	return rc != PCRE2_ERROR_NOMATCH;
}

char *ms_regex_from_glob(const char *glob)
{
	GString *out = g_string_new("^");
	for (const char *p = glob; *p != '\0'; p++) {
		if (*p == '*')
			g_string_append(out, ".*");
		else if (*p == '?')
			g_string_append_c(out, '.');
		else if (g_ascii_isalnum(*p) || (*p & 0x80))
			g_string_append_c(out, *p);
		else
			g_string_append_printf(out, "\\x%02x", (unsigned char)*p);
	}
	g_string_append(out, "$");
	return g_string_free(out, FALSE);
}
