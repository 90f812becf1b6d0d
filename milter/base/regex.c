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
};

MsRegex *ms_regex_new(const char *pattern, bool caseless, GError **error)
{
	if (strlen(pattern) > MAX_PATTERN) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "pattern is longer than %d bytes",
			MAX_PATTERN);
		return NULL;
	}
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C
		| PCRE2_USE_OFFSET_LIMIT | (caseless ? PCRE2_CASELESS : 0);
	int code;
	PCRE2_SIZE at;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code,
		&at, NULL);
	if (re == NULL) {
		char why[256];
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "bad pattern at character %zu: %s",
			(size_t)at + 1, why);
		return NULL;
	}
	/* An old kernel or a strict systemd unit may refuse executable pages; the interpreter
	 * then does the same work slower. */
	pcre2_jit_compile(re, PCRE2_JIT_COMPLETE);
	MsRegex *regex = g_new0(MsRegex, 1);
	regex->pattern = g_strdup(pattern);
	regex->code = re;
	regex->context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(regex->context, MATCH_LIMIT);
	pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
	return regex;
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

const char *ms_regex_pattern(const MsRegex *regex)
{
	return regex->pattern;
}

MsMatchResult ms_regex_match(const MsRegex *regex, const char *text, gsize len, gsize from,
	gsize until, MsMatch *match_out)
{
	/* The offset limit differs from call to call, and a context belongs to one thread. */
	pcre2_match_context *context = pcre2_match_context_copy(regex->context);
	pcre2_set_offset_limit(context, until);
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, NULL);
	int rc = pcre2_match(regex->code, (PCRE2_SPTR)text, len, from, PCRE2_NO_UTF_CHECK, data,
		context);
	MsMatchResult result = MS_NO_MATCH;
	if (rc > 0) {
		const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);
		bool group = rc > 1 && v[2] != PCRE2_UNSET;
		*match_out = (MsMatch){v[0], v[1], group ? v[2] : v[0], group ? v[3] : v[1]};
		result = MS_MATCH;
	} else if (rc != PCRE2_ERROR_NOMATCH) {
		result = MS_MATCH_LIMIT;
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return result;
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
