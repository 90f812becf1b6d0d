/*
 * In comes the first word of what a machine reads to pay: the text of a QR code as EMVCo has it
 * ("00020126...6304A1B2": PIX, PayNow, QRIS, VietQR), the digits of a Brazilian boleto
 * ("23793.38128 60007.827136 95000.063305 9 84660000012345"); out go the identifiers of the
 * directory in it, which no blank sets apart.  A worker's only thread.
 *
 * EMV QR Code Specification for Payment Systems, merchant-presented mode: two digits for what it
 * is, two for its length, and so on within it.  FEBRABAN, layout of the codes of boletos: check
 * digits stand between the fields of what is typed, not in the bars.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define EMV "000201"
#define MAX_EMV 600
#define MAX_DEPTH 2
#define FIRST_TEMPLATE 26
#define LAST_TEMPLATE 51
#define MORE 62       /* of the bill: its number, the customer's, a reference */
#define FIRST_OPEN 80 /* templates of whoever likes */
#define MIN_SAID 4
#define TYPED 47 /* digits of a boleto, */
#define TAXES 48 /* and of one for taxes and utilities, in four blocks of twelve */
#define FREE 25  /* digits of which the bank makes what it likes */
#define MAX_TYPED 80

typedef struct {
	Search *s;
	gsize from, until; /* all of it, in the fold */
} Payload;

/* ---- EMV ------------------------------------------------------------------------------ */

static void take_email(const Payload *p, const MsKind *kind, const char *text, gsize len)
{
	const char *why;
	g_autofree char *value = memchr(text, '@', len) != NULL
		? ms_kind_canonical(kind, text, len, &why)
		: NULL;
	if (value != NULL)
		ms_detect_add_value(p->s, kind, p->from, p->until, value,
			MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
}

/* `least`: so many digits say enough if there is nothing else. */
static void take_value(const Payload *p, const char *text, gsize len, gsize least)
{
	Search *s = p->s;
	g_autofree char *compact = ms_compact_of(text, len);
	gsize n = strlen(compact);
	bool digits = ms_detect_is_number(compact, n);
	if (n < MIN_SAID || n > MS_FILTER_MAX ||
		(!ms_has_digit(compact, n) && memchr(text, '@', len) == NULL))
		return;
	for (guint k = 0; k < ms_kinds_count(s->kinds); k++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, k);
		gsize enough = least > 0 ? least : kind->bare_digits;
		if (!kind->known || kind->form == MS_FORM_ADDRESS || (digits && n < enough) ||
			!ms_filters_have(s->known, kind->tag, compact, n))
			continue;
		if (kind->form == MS_FORM_EMAIL) {
			take_email(p, kind, text, len);
			continue;
		}
		ms_detect_add_known(s, k, p->from, p->until, compact, n, 0);
	}
}

static guint two_digits(const char *text)
{
	return (guint)(text[0] - '0') * 10 + (guint)(text[1] - '0');
}

/* How many bytes `n` characters have; 0: the text has no more as many. */
static gsize bytes_of(const char *text, gsize len, guint n)
{
	gsize at = 0;
	for (; n > 0 && at < len; n--)
		at += (gsize)g_utf8_skip[(guchar)text[at]];
	return n == 0 && at <= len ? at : 0;
}

static void read_fields(const Payload *p, const char *text, gsize len, guint depth, gsize least)
{
	while (len > 4 && ms_detect_is_number(text, 4)) {
		guint id = two_digits(text);
		gsize n = bytes_of(text + 4, len - 4, two_digits(text + 2));
		bool within = (id >= FIRST_TEMPLATE && id <= LAST_TEMPLATE) || id == MORE ||
			id >= FIRST_OPEN;
		if (n == 0)
			return;
		if (depth > 0)
			take_value(p, text + 4, n, least);
		else if (within && depth + 1 < MAX_DEPTH)
			read_fields(p, text + 4, n, depth + 1, id == MORE ? MIN_SAID : 0);
		text += 4 + n;
		len -= 4 + n;
	}
}

/* Lines may have been broken within it. */
static void read_emv(Search *s, gsize from)
{
	char text[MAX_EMV];
	const char *fold = s->fold->text;
	gsize len = 0, at = from;
	for (; at < s->fold->len && len < sizeof text && strchr("\"<>\t", fold[at]) == NULL; at++)
		if (fold[at] != '\r' && fold[at] != '\n')
			text[len++] = fold[at];
	while (len > 0 && (text[len - 1] & 0x80) != 0)
		len--; /* perhaps cut */
	const Payload p = {s, from, at};
	read_fields(&p, text, len, 0, 0);
}

/* ---- boletos -------------------------------------------------------------------------- */

/* The digits from `at` on, with a blank, point or dash between them here and there. */
static gsize typed_digits(const Search *s, gsize at, char out[MAX_TYPED], gsize *end_out)
{
	const char *fold = s->fold->text;
	gsize n = 0, limit = MIN(s->fold->len, at + MAX_TYPED);
	for (; at < limit; at++) {
		if (g_ascii_isdigit(fold[at])) {
			out[n++] = fold[at];
			*end_out = at + 1;
		} else if (strchr(" .-", fold[at]) == NULL || fold[at] == '\0' || at + 1 >= limit ||
			!(g_ascii_isdigit(fold[at + 1]) || fold[at] == '-')) {
			break;
		}
	}
	return n;
}

static void read_boleto(Search *s, gsize from)
{
	char typed[MAX_TYPED], bars[TAXES];
	gsize until = from, n = typed_digits(s, from, typed, &until);
	if (n == TYPED && ms_kind_luhn(typed, 10) && ms_kind_luhn(typed + 10, 11) &&
		ms_kind_luhn(typed + 21, 11)) {
		memcpy(bars, typed + 4, 5);
		memcpy(bars + 5, typed + 10, 10);
		memcpy(bars + 15, typed + 21, 10);
		bars[FREE] = '\0';
		ms_detect_reference(s, from, until, bars, FREE);
	} else if (n == TAXES && typed[0] == '8') {
		for (gsize i = 0; i < 4; i++)
			memcpy(bars + 11 * i, typed + 12 * i, 11);
		bars[44] = '\0';
		ms_detect_reference(s, from, until, bars, 44);
	}
}

void ms_detect_payloads(Search *s, gsize word)
{
	const MsWord *w = &s->compact->words[word];
	const char *text = s->compact->text + w->start;
	gsize len = w->end - w->start;
	char behind = s->fold->text[w->until];
	if (len > sizeof EMV - 1 && memcmp(text, EMV, sizeof EMV - 1) == 0)
		read_emv(s, w->from);
	else if ((len == 5 && behind == '.') || len == TYPED || len == TAXES ||
		(*text == '8' && ((len == 12 && behind == ' ') || (len == 11 && behind == '-'))))
		read_boleto(s, w->from);
}
