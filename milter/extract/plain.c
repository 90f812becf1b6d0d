/*
 * Text of format=flowed (RFC 3676) comes in; out goes what its writer wrote.  A worker's one
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "plain.h"

GString *ms_plain_unflow(const char *text, gsize len, bool delsp)
{
	GString *out = g_string_sized_new(len);
	const char *p = text, *end = text + len;
	while (p < end) {
		const char *next = ms_line_after(p, end), *stop = next;
		if (stop[-1] == '\n')
			stop--;
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
