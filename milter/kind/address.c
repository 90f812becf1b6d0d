/*
 * An e-mail address comes in; out goes its canonical form, and the forms an MTA may make of it.
 * Any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "missent/kind.h"

#include <idn2.h> /* after GLib, whose macro it defines as well */

#define MAX_LOCAL 64   /* RFC 5321 4.5.3.1.1 */
#define MAX_DOMAIN 255

/* Nearly all are ASCII, for which no table is needed. */
static char *lower_of(const char *text)
{
	gsize len = strlen(text);
	return ms_scan_ascii(text, len) == len ? g_ascii_strdown(text, (gssize)len)
					       : g_utf8_strdown(text, (gssize)len);
}

/* The domain in lower-case A-labels: "Köln.example" and "xn--kln-sna.example" are one. */
static char *canonical_domain(const char *domain)
{
	if (*domain == '\0' || strlen(domain) > MAX_DOMAIN * 4)
		return NULL;
	g_autofree char *lower = lower_of(domain);
	gsize len = strlen(lower);
	if (len > 1 && lower[len - 1] == '.')
		lower[len - 1] = '\0';
	bool ascii = true;
	for (const char *p = lower; *p != '\0'; p++) {
		ascii = ascii && (*p & 0x80) == 0;
		if (g_ascii_isspace(*p) || g_ascii_iscntrl(*p) || strchr("<>()@,;\"\\", *p) != NULL)
			return NULL;
	}
	if (ascii)
		return strlen(lower) <= MAX_DOMAIN ? g_steal_pointer(&lower) : NULL;
	char *out = NULL;
	if (idn2_to_ascii_8z(lower, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	char *copy = g_strdup(out);
	idn2_free(out);
	return copy;
}

char *ms_address_bare(const char *value)
{
	const char *open = value != NULL ? strrchr(value, '<') : NULL;
	const char *close = open != NULL ? strchr(open, '>') : NULL;
	if (close != NULL)
		return g_strndup(open + 1, (gsize)(close - open - 1));
	return g_strstrip(g_strdup(value != NULL ? value : ""));
}

char *ms_address_canonical(const char *text, gsize len)
{
	if (!ms_scan_utf8(text, len))
		return NULL;
	g_autofree char *copy = g_strndup(text, len);
	char *s = g_strstrip(copy);
	gsize n = strlen(s);
	if (n >= 2 && s[0] == '<' && s[n - 1] == '>') {
		s[n - 1] = '\0';
		s++;
	}
	char *at = strrchr(s, '@');
	if (at == NULL)
		return NULL;
	*at = '\0';
	g_autofree char *domain = canonical_domain(at + 1);
	if (domain == NULL)
		return NULL;
	if (at == s || strcmp(s, "*") == 0)
		return g_strconcat("@", domain, NULL);
	/* "john"@x and john@x are one mailbox (RFC 5321 4.1.2). */
	gsize local_len = strlen(s);
	if (local_len >= 2 && s[0] == '"' && s[local_len - 1] == '"') {
		s[local_len - 1] = '\0';
		s++;
	}
	if (*s == '\0' || strlen(s) > MAX_LOCAL * 4)
		return NULL;
	for (const char *p = s; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p) || *p == ' ' || *p == '<' || *p == '>')
			return NULL;
	/* RFC 5321 leaves case to the receiving host; none in practice tells two customers
	 * apart by it. */
	g_autofree char *local = lower_of(s);
	return g_strconcat(local, "@", domain, NULL);
}

char *ms_address_untagged(const char *canonical, const char *separators)
{
	const char *at = strrchr(canonical, '@');
	if (at == NULL || separators == NULL || *separators == '\0')
		return NULL;
	gsize n = strcspn(canonical, separators);
	if (n == 0 || canonical + n >= at)
		return NULL;
	return g_strdup_printf("%.*s%s", (int)n, canonical, at);
}

/* ---- what an MTA may make of it ------------------------------------------------------- */

/*
 * Postfix and Sendmail take the domain off an address that ends at them, and read on in what was
 * before it: with an @, as "site!user", "user%site" or "host::user".  Whether they do depends on
 * settings that we do not see, so each of these is one of the mailboxes that may be meant.
 */

#define MAX_READINGS 16
#define MAX_ROUTE 8

typedef struct {
	GPtrArray *found; /* of char * */
	bool over;        /* more than are followed */
} Readings;

static void read_route(Readings *readings, const char *text, guint depth);

static void join_route(Readings *readings, const char *local, gssize local_len, const char *domain,
	gssize domain_len, guint depth)
{
	g_autofree char *a = local_len < 0 ? g_strdup(local) : g_strndup(local, (gsize)local_len);
	g_autofree char *b = domain_len < 0 ? g_strdup(domain)
					    : g_strndup(domain, (gsize)domain_len);
	g_autofree char *joined = g_strconcat(a, "@", b, NULL);
	if (*a != '\0' && *b != '\0')
		read_route(readings, joined, depth + 1);
}

static void read_local(Readings *readings, const char *local, guint depth)
{
	if (strchr(local, '@') != NULL)
		read_route(readings, local, depth + 1);
	const char *bang = strchr(local, '!'), *colons = strstr(local, "::"),
		   *percent = strrchr(local, '%');
	if (bang != NULL)
		join_route(readings, bang + 1, -1, local, bang - local, depth);
	if (colons != NULL)
		join_route(readings, colons + 2, -1, local, colons - local, depth);
	if (percent != NULL)
		join_route(readings, local, percent - local, percent + 1, -1, depth);
}

static void read_route(Readings *readings, const char *text, guint depth)
{
	if (depth > MAX_ROUTE || readings->found->len >= MAX_READINGS) {
		readings->over = true;
		return;
	}
	/* "@a.example,@b.example:user@c.example" (RFC 5321, appendix C) */
	for (const char *colon; *text == '@' && (colon = strchr(text, ':')) != NULL;)
		text = colon + 1;
	g_autofree char *canonical = ms_address_canonical(text, strlen(text));
	if (canonical != NULL && *canonical != '@'
		&& !g_ptr_array_find_with_equal_func(readings->found, canonical, g_str_equal, NULL))
		g_ptr_array_add(readings->found, g_steal_pointer(&canonical));
	const char *at = strrchr(text, '@');
	g_autofree char *local = g_strndup(text, at != NULL ? (gsize)(at - text) : strlen(text));
	read_local(readings, local, depth);
}

/* Does a blank there part nothing? */
static bool is_loose(const GString *out, const char *next)
{
	const char *marks = "@.,:";
	next += strspn(next, " \t\r\n");
	return out->len == 0 || strchr(marks, out->str[out->len - 1]) != NULL ||
		strchr("@.,:>(", *next) != NULL; /* or the end */
}

/* What is left for an MTA that takes an address as RFC 822 has it, as Postfix does: no comments, no
 * name before the angle brackets, nothing behind them.  Quotes and backslashes only say that what
 * they hold is one word. */
static char *plain(const char *text)
{
	GString *out = g_string_new(NULL);
	bool quoted = false;
	guint depth = 0;
	for (const char *p = text; *p != '\0'; p++) {
		bool literal = *p == '\\' && p[1] != '\0', mark = !literal && !quoted;
		p += literal;
		if (!literal && *p == '"' && depth == 0)
			quoted = !quoted;
		else if (mark && (*p == '(' || (*p == ')' && depth > 0)))
			depth += *p == '(' ? 1U : -1U;
		else if (depth > 0 || (mark && g_ascii_isspace(*p) && is_loose(out, p)))
			continue;
		else if (mark && *p == '<')
			g_string_truncate(out, 0);
		else if (mark && *p == '>')
			break;
		else
			g_string_append_c(out, *p);
	}
	return g_string_free(out, FALSE);
}

GPtrArray *ms_address_readings(const char *text)
{
	Readings readings = {g_ptr_array_new_with_free_func(g_free), false};
	g_autofree char *bare = plain(text);
	read_route(&readings, bare, 0);
	if (readings.over || readings.found->len == 0)
		g_ptr_array_add(readings.found, g_strdup("")); /* some mailbox that nobody knows */
	return readings.found;
}

bool ms_address_is_routed(const char *text)
{
	g_autoptr(GPtrArray) readings = ms_address_readings(text);
	g_autofree char *bare = plain(text);
	return readings->len > 1 || *bare == '@';
}

bool ms_address_is_wrapped(const char *text)
{
	g_autofree char *bare = plain(text);
	return *bare == '@' || strchr(text, '<') != NULL;
}
