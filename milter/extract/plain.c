/*
 * Text of format=flowed (RFC 3676) comes in; out goes what its writer wrote.  A worker's one
 * thread.
 */
#include "config.h"

#include <string.h>

#include "plain.h"

GString *ms_plain_unflow(const char *text, gsize len, bool delsp)
{
	GString *out = g_string_sized_new(len);
	const char *p = text, *end = text + len;
	while (p < end) {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		const char *next = nl != NULL ? nl + 1 : end;
		const char *stop = nl != NULL ? nl : end;
		if (stop > p && stop[-1] == '\r')
			stop--;
		while (p < stop && *p == '>') /* quote depth */
			p++;
		if (p < stop && *p == ' ') /* space-stuffing */
			p++;
		bool signature = stop - p == 3 && memcmp(p, "-- ", 3) == 0;
		bool soft = stop > p && stop[-1] == ' ' && !signature;
		g_string_append_len(out, p, stop - p - (soft && delsp ? 1 : 0));
		if (!soft)
			g_string_append_c(out, '\n');
		p = next;
	}
	return out;
}
