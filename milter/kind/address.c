#include "config.h"

#include <string.h>

#include "missent/kind.h"

#include <idn2.h> /* after GLib, whose macro it defines as well */

#define MAX_LOCAL 64   /* RFC 5321 4.5.3.1.1 */
#define MAX_DOMAIN 255

/* The domain in lower-case A-labels: "Köln.example" and "xn--kln-sna.example" are one. */
static char *canonical_domain(const char *domain)
{
	if (*domain == '\0' || strlen(domain) > MAX_DOMAIN * 4)
		return NULL;
	g_autofree char *lower = g_utf8_strdown(domain, -1);
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

char *ms_address_canonical(const char *text, gsize len)
{
	if (memchr(text, '\0', len) != NULL || !g_utf8_validate_len(text, len, NULL))
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
	g_autofree char *local = g_utf8_strdown(s, -1);
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
