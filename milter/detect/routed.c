/*
 * Addresses that mailers write into others: a sender that was rewritten on its way (SRS), one to
 * which mail bounces, a route (%, !), what Exchange wraps, and "annaATexampleDOTcom".  In come the
 * places of an @ and text; the address within goes out as one that counts only if the directory
 * knows it or its domain.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "detect_private.h"

#define MAX_LOCAL 200  /* bytes to go back from an @ */
#define MAX_DOMAIN 253
#define MAX_MARKS 8

static bool is_local(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) ||
		(c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

static bool is_host(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80) || c == '.' || c == '-';
}

/* ---- whole domains -------------------------------------------------------------------- */

/* What ends many domains; of countries it is two letters. */
static bool is_top(const char *text, gsize len)
{
	static const MsListed generic[] = {MS_LISTED("com"), MS_LISTED("net"), MS_LISTED("org"),
		MS_LISTED("edu"), MS_LISTED("gov"), MS_LISTED("int"), MS_LISTED("mil"),
		MS_LISTED("biz"), MS_LISTED("info"), MS_LISTED("name"), MS_LISTED("pro"),
		MS_LISTED("shop"), MS_LISTED("store"), MS_LISTED("online"), MS_LISTED("cloud"),
		MS_LISTED("app"), MS_LISTED("dev"), MS_LISTED("tech"), MS_LISTED("site"),
		MS_LISTED("email"), MS_LISTED("group"), MS_LISTED("agency"), MS_LISTED("gmbh"),
		MS_LISTED("energy"), MS_LISTED("bank"), MS_LISTED("live"), MS_LISTED("club"),
		MS_LISTED("world"), MS_LISTED("global"), MS_LISTED("digital"), MS_LISTED("media"),
		MS_LISTED("solutions"), MS_LISTED("services"), MS_LISTED("company"),
		MS_LISTED("xyz"), MS_LISTED("berlin"), MS_LISTED("wien"), MS_LISTED("paris")};
	return len == 2 || ms_detect_is_listed(generic, G_N_ELEMENTS(generic), text, len);
}

/* Text that stands right behind an address begins with a capital, or is one word. */
bool ms_detect_domain_goes_on(const Search *s, gsize end)
{
	const char *text = s->fold->text;
	gsize at = end, labels = 0, last = 0;
	while (s->span->type != MS_SPAN_NAME && (text[at] == '.' || text[at] == '-')) {
		gsize from = at + 1, until = from;
		while (g_ascii_islower(text[until]) || g_ascii_isdigit(text[until]))
			until++;
		if (until == from || strncmp(text + from, "www.", 4) == 0)
			break;
		if (text[at] == '.') {
			labels++;
			last = until - from;
		}
		at = until;
	}
	return labels > 1 || (labels > 0 && is_top(text + at - last, last));
}

/* ---- one within another --------------------------------------------------------------- */

static void add(Search *s, const MsKind *kind, gsize start, gsize end, const char *address)
{
	const char *why;
	g_autofree char *value = ms_kind_canonical(kind, address, strlen(address), &why);
	if (value != NULL)
		ms_detect_add_value(
			s, kind, start, end, value, MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
}

static void add_parts(Search *s, const MsKind *kind, gsize local, gsize local_end, gsize domain,
	gsize domain_end)
{
	const char *text = s->fold->text;
	if (local == local_end || domain_end - domain > MAX_DOMAIN ||
		memchr(text + domain, '.', domain_end - domain) == NULL)
		return;
	g_autofree char *address = g_strdup_printf("%.*s@%.*s", (int)(local_end - local),
		text + local, (int)(domain_end - domain), text + domain);
	add(s, kind, MIN(local, domain), MAX(local_end, domain_end), address);
}

static gsize host_from(const char *text, gsize low, gsize at)
{
	while (at > low && is_host(text[at - 1]))
		at--;
	return at;
}

static gsize host_until(const char *text, gsize at)
{
	while (is_host(text[at]))
		at++;
	return at;
}

/* Around the mark at `at` within the local part from `start` until `sign`: "anna=a.example",
 * "anna%a.example", "a.example=anna", "a.example!anna". */
static void around_mark(Search *s, const MsKind *kind, gsize start, gsize at, gsize sign)
{
	const char *text = s->fold->text;
	gsize domain_end = host_until(text, at + 1);
	if (text[at] != '!' && domain_end <= sign)
		add_parts(s, kind, host_from(text, start, at), at, at + 1, domain_end);
	if (text[at] != '%')
		add_parts(s, kind, at + 1, sign, host_from(text, start, at), at);
}

/* "IMCEASMTP-anna+40a+2Eexample": what is no letter or digit in two of hexadecimal. */
static void unwrap(Search *s, const MsKind *kind, gsize start, gsize sign)
{
	const char *text = s->fold->text;
	const char *from = memchr(text + start, '-', sign - start);
	if (from == NULL || g_ascii_strncasecmp(text + start, "imcea", 5) != 0)
		return;
	g_autoptr(GString) address = g_string_new(NULL);
	for (const char *p = from + 1; p < text + sign; p++) {
		if (*p != '+' || !g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2])) {
			g_string_append_c(address, *p);
			continue;
		}
		int high = g_ascii_xdigit_value(p[1]), low = g_ascii_xdigit_value(p[2]);
		g_string_append_c(address, (char)(high << 4 | low));
		p += 2;
	}
	if (memchr(address->str, 0, address->len) == NULL &&
		g_utf8_validate_len(address->str, address->len, NULL))
		add(s, kind, start, sign, address->str);
}

void ms_detect_routed(Search *s, const MsKind *kind, gsize sign)
{
	const char *text = s->fold->text;
	gsize start = sign;
	while (start > 0 && sign - start < MAX_LOCAL && is_local(text[start - 1]))
		start--;
	guint marks = 0;
	for (gsize at = sign; at > start && marks < MAX_MARKS && !s->full; at--) {
		if (text[at - 1] != '=' && text[at - 1] != '%' && text[at - 1] != '!')
			continue;
		around_mark(s, kind, start, at - 1, sign);
		marks++;
	}
	unwrap(s, kind, start, sign);
}

/* ---- without an @ --------------------------------------------------------------------- */

static bool is_known(const Search *s, const MsKind *kind, const char *compact)
{
	gsize len = strlen(compact);
	return len <= MS_FILTER_MAX && ms_filters_have(s->known, kind->tag, compact, len);
}

static void add_known(Search *s, const MsKind *kind, gsize start, gsize end, const char *address)
{
	g_autofree char *compact = ms_compact_of(address, strlen(address));
	if (is_known(s, kind, compact))
		ms_detect_add_value(
			s, kind, start, end, compact, MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE);
}

/* "relay!a.example!anna" */
static void around_bangs(Search *s, const MsKind *kind)
{
	const char *text = s->fold->text, *end = text + s->fold->len;
	for (const char *p = text; !s->full && (p = memchr(p, '!', (gsize)(end - p))) != NULL;
		p++) {
		gsize at = (gsize)(p - text), stop = at + 1;
		gsize from = host_from(text, at > MAX_DOMAIN ? at - MAX_DOMAIN : 0, at);
		while (stop - at < MAX_LOCAL && text[stop] != '!' && is_local(text[stop]))
			stop++;
		if (from == at || stop == at + 1 || text[stop] == '@' ||
			memchr(text + from, '.', at - from) == NULL)
			continue;
		if (!ms_detect_in_time(s, kind))
			return;
		g_autofree char *address = g_strdup_printf("%.*s@%.*s", (int)(stop - at - 1),
			text + at + 1, (int)(at - from), text + from);
		add_known(s, kind, from, stop, address);
	}
}

static bool is_small(char c)
{
	return g_ascii_islower(c) || g_ascii_isdigit(c);
}

static bool is_between_small(const char *text, gsize at, gsize len)
{
	return at > 0 && is_small(text[at - 1]) && is_small(text[at + len]);
}

#define MAX_NAME 64

/* "annaATexampleDOTcom" */
static void around_capitals(Search *s, const MsKind *kind)
{
	const char *text = s->fold->text;
	gsize len = s->fold->len, at = 0;
	for (; !s->full && (at = ms_scan_pair(text, len, at, "AT")) < len; at += 2) {
		if (!is_between_small(text, at, 2))
			continue;
		if (!ms_detect_in_time(s, kind))
			return;
		gsize from = host_from(text, at > MAX_NAME ? at - MAX_NAME : 0, at);
		g_autoptr(GString) address = g_string_new_len(text + from, (gssize)(at - from));
		gsize stop = at + 2;
		while (stop - at < MAX_NAME && is_host(text[stop])) {
			bool dot = strncmp(text + stop, "DOT", 3) == 0 &&
				is_between_small(text, stop, 3);
			g_string_append_c(address, dot ? '.' : text[stop]);
			stop += dot ? 3 : 1;
		}
		add_known(s, kind, from, stop, address->str);
	}
}

void ms_detect_unsigned(Search *s, const MsKind *kind)
{
	around_bangs(s, kind);
	around_capitals(s, kind);
}

/* ---- what looks like one -------------------------------------------------------------- */

#define MAX_LINE 1000

/* Is it the name of a field that names mails or parts of them? */
static bool names_mails(const char *line, gsize len)
{
	static const char *const fields[] = {"message-id:", "in-reply-to:", "references:",
		"content-id:", "resent-message-id:", "original-message-id:", "supersedes:"};
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		if (len >= strlen(fields[i]) &&
			g_ascii_strncasecmp(line, fields[i], strlen(fields[i])) == 0)
			return true;
	return false;
}

/* The "<" at `at`: does it stand in such a field, or in a line that this goes on in? */
static bool is_in_names_of_mails(const char *text, gsize at)
{
	gsize low = at > MAX_LINE ? at - MAX_LINE : 0;
	for (gsize line = at; line > low;) {
		const char *nl = memrchr(text + low, '\n', line - low);
		gsize from = nl != NULL ? (gsize)(nl + 1 - text) : low, begin = from;
		while (begin < at && strchr("> \t", text[begin]) != NULL && text[begin] != '\0')
			begin++;
		if (names_mails(text + begin, at - begin))
			return true;
		if (from == low || text[begin] != '<')
			return false;
		line = from - 1;
	}
	return false;
}

bool ms_detect_is_no_mailbox(const Search *s, gsize start)
{
	const char *text = s->fold->text;
	if (start >= 4 && (g_ascii_strncasecmp(text + start - 4, "cid:", 4) == 0 ||
				  g_ascii_strncasecmp(text + start - 4, "mid:", 4) == 0))
		return start == 4 || !g_ascii_isalnum(text[start - 5]);
	return start >= 1 && text[start - 1] == '<' && is_in_names_of_mails(text, start - 1);
}
