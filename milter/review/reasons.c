/*
 * Why a message is held, each thing once.  The record's reasons come in, one an identifier and
 * policy; out go sentences in which those that differ only in the identifier or the place are
 * taken together ("4 identifiers of CUST0220"), with the single ones below for who wants them.  The
 * request's own thread.
 */
#include "config.h"

#include <string.h>

#include "page.h"

typedef struct {
	const MsReason *first;
	GPtrArray *all; /* of const MsReason * */
} Merged;

static void merged_free(gpointer data)
{
	Merged *m = data;
	g_ptr_array_unref(m->all);
	g_free(m);
}

static bool is_like(const MsReason *a, const MsReason *b)
{
	return a->code == b->code && g_strcmp0(a->owner, b->owner) == 0 &&
		strcmp(a->policy, b->policy) == 0 && (a->kind != NULL) == (b->kind != NULL) &&
		(a->kind != NULL || strcmp(a->text, b->text) == 0 || a->code == MS_UNREADABLE);
}

static GPtrArray *merge(const MsRecord *record)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(merged_free);
	for (guint i = 0; i < record->reasons->len; i++) {
		const MsReason *reason = record->reasons->pdata[i];
		Merged *m = NULL;
		for (guint k = 0; k < out->len && m == NULL; k++)
			if (is_like(((Merged *)out->pdata[k])->first, reason))
				m = out->pdata[k];
		if (m == NULL) {
			m = g_new0(Merged, 1);
			*m = (Merged){reason, g_ptr_array_new()};
			g_ptr_array_add(out, m);
		}
		g_ptr_array_add(m->all, (void *)reason);
	}
	return out;
}

static char *identifiers_of(const Request *r, gint64 n)
{
	return said(TN(r, n, "{n} identifier", "{n} identifiers"), n);
}

/* "customer number, IBAN": each once. */
static char *kinds_of(const Request *r, const Merged *m)
{
	GString *out = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < m->all->len; i++) {
		const MsReason *reason = m->all->pdata[i];
		if (reason->kind != NULL && g_hash_table_add(seen, reason->kind))
			g_string_append_printf(
				out, "%s%s", out->len > 0 ? ", " : "", T(r, reason->kind));
	}
	return g_string_free(out, FALSE);
}

/* Different identifiers: the same one in two policies, or twice, is one. */
static gint64 different(const Merged *m)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < m->all->len; i++) {
		const MsReason *reason = m->all->pdata[i];
		g_hash_table_add(seen, g_strconcat(reason->kind != NULL ? reason->kind : "", " ",
			reason->masked != NULL ? reason->masked : "", NULL));
	}
	return g_hash_table_size(seen);
}

/* "encrypted: a sentence": the name of what was not read, and the rest as it is. */
static void unread_text(GString *out, const Request *r, const char *text)
{
	g_autofree char *name = g_strndup(text, strcspn(text, ":"));
	html(out, "%s", T(r, name));
}

static void sentence(GString *out, const Request *r, const Merged *m)
{
	const MsReason *first = m->first;
	g_autofree char *kinds = kinds_of(r, m);
	g_autofree char *n = identifiers_of(r, different(m));
	const char *owner = first->owner != NULL ? first->owner : "";
	switch (first->code) {
	case MS_MISMATCH:
		say(out, T(r, "{n} of {owner} ({kinds})"), "n", n, "@owner", owner, "kinds", kinds,
			NULL);
		break;
	case MS_UNKNOWN_IDENTIFIER:
		say(out, T(r, "{n} that the directory does not know ({kinds})"), "n", n, "kinds",
			kinds, NULL);
		break;
	case MS_UNREADABLE:
		unread_text(out, r, first->text);
		break;
	case MS_UNPROVEN:
	case MS_UNKNOWN_RECIPIENT:
	case MS_ROUTED_RECIPIENT:
	case MS_OVERSIZED:
	case MS_MIXED_ACCOUNTS:
	case MS_EXPOSED_RECIPIENTS:
	case MS_CONTRADICTION:
	case MS_DIRECTORY_UNAVAILABLE:
	case MS_SALUTATION:
	case MS_LIST_ATTACHED:
	case MS_FAN_OUT:
	case MS_FAN_IN:
	case MS_REPEAT:
	case MS_UNUSUAL:
	case MS_VOLUME:
	case MS_BREAKER:
	case MS_GUARD_UNAVAILABLE:
	case MS_N_REASONS:
		if (!html_known_text(out, r, first->text))
			html(out, "%s", meaning_of(r, ms_reason_names[first->code]));
	}
}

#define SHOWN 50

static void single(GString *out, const Request *r, const MsReason *reason)
{
	html(out, "<li>");
	if (reason->kind != NULL)
		html(out, "%s <code>%s</code> ", T(r, reason->kind),
			reason->masked != NULL ? reason->masked : "");
	if (reason->where != NULL)
		html_place(out, r, reason->where);
	html(out, "</li>");
}

static void singles(GString *out, const Request *r, const Merged *m)
{
	html(out, "<details><summary>%s</summary><ul>", T(r, "where"));
	for (guint i = 0; i < m->all->len && i < SHOWN; i++)
		single(out, r, m->all->pdata[i]);
	if (m->all->len > SHOWN)
		html(out, "<li>+%d</li>", (gint64)m->all->len - SHOWN);
	html(out, "</ul></details>");
}

void html_reasons(GString *out, const Request *r, const MsRecord *record)
{
	g_autoptr(GPtrArray) list = merge(record);
	html(out, "<ul class=\"reasons\">");
	for (guint i = 0; i < list->len; i++) {
		const Merged *m = list->pdata[i];
		html(out, "<li><span class=\"code\">");
		html_explained(out, r, ms_reason_names[m->first->code]);
		html(out, "</span> ");
		sentence(out, r, m);
		if (m->first->recipient != NULL && m->first->recipients == 1)
			html(out, " → %s", m->first->recipient);
		else if (m->first->recipients > 1)
			say(out,
				TN(r, m->first->recipients, " → {n} recipient",
					" → {n} recipients"),
				"#n", (gint64)m->first->recipients, NULL);
		html(out, " <small>(%s %s)</small>", T(r, "policy"), m->first->policy);
		if (m->all->len > 1 || m->first->where != NULL)
			singles(out, r, m);
		html(out, "</li>");
	}
	html(out, "</ul>");
}
