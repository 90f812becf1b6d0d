#include "config.h"

#include <string.h>

#include "missent/text.h"
#include "missent/transfer.h"

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

static const char *line_start(const char *text, gsize len, const char *from, const char *word)
{
	gsize n = strlen(word);
	while (from != NULL) {
		const char *hit = g_strstr_len(from, (gssize)(len - (gsize)(from - text)), word);
		if (hit == NULL || hit == text || hit[-1] == '\n')
			return hit;
		from = hit + n;
	}
	return NULL;
}

/* "begin 644 name", lines, "end". */
static bool is_uu_begin(const char *p, const char *end)
{
	gsize left = (gsize)(end - p);
	return left > 10 && g_ascii_isdigit(p[6]) && g_ascii_isdigit(p[7]) && g_ascii_isdigit(p[8])
		&& (p[9] == ' ' || (g_ascii_isdigit(p[9]) && p[10] == ' '));
}

static void read_uu(const MsExtraction *to, const char *where, const char *body, gsize len)
{
	g_autofree char *inner = g_strconcat(where, " (uuencoded file)", NULL);
	if (!ms_budget_charge(to->budget, MS_COST_DECODED, len)) {
		ms_reading_unread(to->reading, inner, MS_UNREAD_LIMIT, "more than %s allows",
			ms_cost_name(MS_COST_DECODED));
		return;
	}
	g_autoptr(GByteArray) data = ms_transfer_uudecode((const guint8 *)body, len);
	if (data->len == 0)
		return;
	ms_extract_within(to, where, "uuencoded file", NULL, data->data, data->len);
}

void ms_plain_embedded(const MsExtraction *to, const char *where, const char *text, gsize len)
{
	const char *end = text + len;
	const char *p = text;
	while ((p = line_start(text, len, p, "begin ")) != NULL) {
		if (!is_uu_begin(p, end)) {
			p += 6;
			continue;
		}
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		if (nl == NULL)
			break;
		const char *stop = line_start(text, len, nl + 1, "end");
		read_uu(to, where, nl + 1, (gsize)((stop != NULL ? stop : end) - nl - 1));
		if (stop == NULL)
			break;
		p = stop;
	}
	if (line_start(text, len, text, "-----BEGIN PGP MESSAGE-----") != NULL)
		ms_reading_unread(to->reading, where, MS_UNREAD_ENCRYPTED, "a PGP message in the text");
	if (line_start(text, len, text, "=ybegin ") != NULL)
		ms_reading_unread(to->reading, where, MS_UNREAD_ENCODING, "a yEnc file in the text");
}
