/*
 * A subject for a list that many look at.  It comes in as its sender wrote it; out goes which
 * sort of mail it is ("Invoice *****02 for A**** G***"): words that bills and letters of any
 * company have stay, of all others the first letter, of numbers the last two digits at most.
 * Besides, its words in one spelling, so that who knows one finds the mail by it.  No state; any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/reading.h"

/* In order, for a search; lower case. */
static const char *const common[] = {"&", "a", "abbuchung", "abo", "abonnement", "about", "account",
	"advice", "an", "and", "angebot", "anlage", "any", "april", "at", "attached", "au",
	"auftrag", "august", "avis", "avoir", "bestellung", "bienvenue", "bill", "billing", "by",
	"c'est", "case", "change", "client", "commande", "compte", "confirmation", "confirmed",
	"contract", "contrat", "copie", "copy", "credit", "cuenta", "customer", "d", "daily", "das",
	"de", "debit", "december", "delivery", "den", "der", "des", "devis", "dezember", "die",
	"direct", "document", "documents", "du", "due", "dunning", "décembre", "email", "en", "ein",
	"eine", "er", "erinnerung", "est", "et", "facture", "factures", "factuur", "factura",
	"fattura", "february", "februar", "final", "first", "for", "from", "fwd", "février", "für",
	"gebühr", "gutschrift", "has", "hello", "ihr", "ihre", "ihrer", "il", "im", "important",
	"in", "information", "invoice", "invoices", "is", "januar", "january", "janvier", "juillet",
	"juin", "juli", "july", "june", "juni", "konto", "kontoauszug", "kunde", "kunden",
	"kundennummer", "l", "la", "lastschrift", "le", "les", "lieferschein", "lieferung", "list",
	"liste", "livraison", "mahnung", "mai", "mail", "mandat", "march", "mars", "may", "mensuel",
	"message", "mit", "monat", "month", "monthly", "märz", "new", "newsletter", "no", "nos",
	"note", "notice", "notification", "notre", "november", "novembre", "nr", "number", "numéro",
	"n°", "octobre", "of", "offer", "offre", "oktober", "october", "of", "on", "or", "order",
	"our", "overdue", "paiement", "paid", "past", "payment", "payments", "pour", "pro",
	"proforma", "quarterly", "quote", "quotation", "rappel", "re", "receipt", "rechnung",
	"rechnungen", "recurring", "reference", "refund", "relance", "relevé", "reminder",
	"renewal", "report", "request", "reçu", "second", "september", "septembre", "service",
	"statement", "subscription", "sur", "tarif", "tax", "the", "ticket", "to", "tr", "un",
	"und", "une", "unser", "unsere", "update", "upcoming", "usage", "vertrag", "vom", "von",
	"vos", "votre", "welcome", "with", "wg", "year", "yearly", "you", "your", "zahlung",
	"zahlungserinnerung", "zu", "zum", "zur", "août", "échéance", "étude", NULL};

static bool is_common(const char *folded)
{
	for (const char *const *p = common; *p != NULL; p++)
		if (strcmp(*p, folded) == 0)
			return true;
	return false;
}

static bool is_of_word(gunichar c)
{
	return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* The end of the word that begins at `p`. */
static const char *word_end(const char *p, bool *digits_out)
{
	*digits_out = false;
	for (; *p != '\0' && is_of_word(g_utf8_get_char(p)); p = g_utf8_next_char(p))
		*digits_out = *digits_out || g_unichar_isdigit(g_utf8_get_char(p));
	return p;
}

static void append_stars(GString *out, glong n)
{
	for (glong i = 0; i < MIN(n, 8); i++)
		g_string_append_c(out, '*');
}

static void append_masked(GString *out, const char *word, gsize len, bool digits)
{
	glong n = g_utf8_strlen(word, (gssize)len);
	g_autofree char *folded = g_utf8_casefold(word, (gssize)len);
	if (!digits && is_common(folded)) {
		g_string_append_len(out, word, (gssize)len);
	} else if (digits) {
		glong shown = n >= 6 ? 2 : 0;
		append_stars(out, n - shown);
		g_string_append(out,
			g_utf8_offset_to_pointer(word, n - shown) < word + len && shown > 0
				? g_utf8_offset_to_pointer(word, n - shown)
				: "");
	} else {
		g_string_append_unichar(out, g_utf8_get_char(word));
		append_stars(out, n - 1);
	}
}

#define MAX_SHOWN 120 /* characters */

char *ms_subject_shown(const char *subject, bool whole)
{
	g_autofree char *valid = g_utf8_make_valid(subject, -1);
	GString *out = g_string_new(NULL);
	glong n = 0;
	for (const char *p = valid; *p != '\0' && n < MAX_SHOWN; n++) {
		bool digits;
		const char *end = word_end(p, &digits);
		if (end == p) {
			g_string_append_unichar(out,
				g_unichar_iscntrl(g_utf8_get_char(p)) ? ' ' : g_utf8_get_char(p));
			p = g_utf8_next_char(p);
			continue;
		}
		g_autofree char *word = g_strndup(p, (gsize)(end - p));
		if (whole)
			g_string_append(out, word);
		else
			append_masked(out, word, strlen(word), digits);
		n += g_utf8_strlen(word, -1) - 1;
		p = end;
	}
	return g_string_free(out, FALSE);
}

#define MAX_WORDS 40

GPtrArray *ms_subject_words(const char *subject)
{
	g_autofree char *valid = g_utf8_make_valid(subject, -1);
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	for (const char *p = valid; *p != '\0' && words->len < MAX_WORDS;) {
		bool digits;
		const char *end = word_end(p, &digits);
		if (end == p) {
			p = g_utf8_next_char(p);
			continue;
		}
		g_autofree char *composed = g_utf8_normalize(p, end - p, G_NORMALIZE_ALL_COMPOSE);
		g_autofree char *folded = g_utf8_casefold(composed != NULL ? composed : "", -1);
		if (g_utf8_strlen(folded, -1) > 1
			&& !g_ptr_array_find_with_equal_func(words, folded, g_str_equal, NULL))
			g_ptr_array_add(words, g_steal_pointer(&folded));
		p = end;
	}
	return words;
}

char *ms_name_ending(const char *name)
{
	static const char *const endings[] = {".7z", ".csv", ".doc", ".docx", ".eml", ".gif", ".gz",
		".htm", ".html", ".ics", ".jpeg", ".jpg", ".json", ".mht", ".msg", ".odp", ".ods",
		".odt", ".p7m", ".pdf", ".png", ".ppt", ".pptx", ".rtf", ".tar", ".tif", ".tiff",
		".txt", ".vcf", ".xls", ".xlsx", ".xml", ".zip", NULL};
	const char *dot = strrchr(name, '.');
	g_autofree char *lower = dot != NULL ? g_ascii_strdown(dot, -1) : NULL;
	return g_strdup(lower != NULL && g_strv_contains(endings, lower) ? lower : "?");
}
