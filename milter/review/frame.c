/*
 * Values come in, HTML goes out, in which nothing of them is markup; and what each page has
 * around it.  The thread of the request.
 */
#include "config.h"

#include <string.h>

#include "missent/alert.h"
#include "missent/pause.h"
#include "missent/text.h"

#include "page.h"

/* ---- text into HTML ------------------------------------------------------------------- */

/* How many bytes from `p` on are plain ASCII that needs no other form. */
static gsize plain_run(const char *p)
{
	gsize n = 0;
	while (p[n] >= ' ' && p[n] < 0x7f && strchr("<>&\"'", p[n]) == NULL)
		n++;
	return n;
}

void html_text(GString *out, const char *text)
{
	g_autofree char *valid = text == NULL || g_utf8_validate(text, -1, NULL)
		? NULL
		: g_utf8_make_valid(text, -1);
	const char *p = valid != NULL ? valid : text != NULL ? text : "";
	for (;; p = g_utf8_next_char(p)) {
		gsize n = plain_run(p);
		g_string_append_len(out, p, (gssize)n);
		p += n;
		if (*p == '\0')
			return;
		gunichar c = g_utf8_get_char(p);
		switch (c) {
		case '<': g_string_append(out, "&lt;"); break;
		case '>': g_string_append(out, "&gt;"); break;
		case '&': g_string_append(out, "&amp;"); break;
		case '"': g_string_append(out, "&quot;"); break;
		case '\'': g_string_append(out, "&#39;"); break;
		default:
			if (c != '\n' && c != '\t' && ms_text_is_unseen(c))
				g_string_append_printf(out, "\\u%04x", c);
			else
				g_string_append_unichar(out, c);
		}
	}
}

void html(GString *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	for (const char *p = format; *p != '\0'; p++) {
		gsize n = strcspn(p, "%");
		g_string_append_len(out, p, (gssize)n);
		p += n;
		if (*p == '\0')
			break;
		switch (*++p) {
		case 's': html_text(out, va_arg(args, const char *)); break;
		case 'S': g_string_append(out, va_arg(args, const char *)); break;
		case 'd':
			g_string_append_printf(out, "%" G_GINT64_FORMAT, va_arg(args, gint64));
			break;
		case '%': g_string_append_c(out, '%'); break;
		default: g_assert_not_reached();
		}
	}
	va_end(args);
}

void html_query(GString *out, const char *const *pairs)
{
	const char *between = "?";
	for (; pairs[0] != NULL; pairs += 2) {
		if (pairs[1] == NULL || *pairs[1] == '\0')
			continue;
		g_autofree char *value = g_uri_escape_string(pairs[1], NULL, FALSE);
		html(out, "%S%s=%s", between, pairs[0], value);
		between = "&amp;";
	}
}

/* ---- pieces --------------------------------------------------------------------------- */

const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

void html_token(GString *out, const Request *r)
{
	html(out, "<input type=\"hidden\" name=\"token\" value=\"%s\">",
		r->session != NULL ? r->session->csrf : "");
}

void html_no_default(GString *out)
{
	html(out, "<button disabled hidden></button>");
}

void html_time(GString *out, gint64 us)
{
	g_autofree char *text = ms_text_time(us, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_autofree char *machine = ms_text_time(us, MS_ZONE_LOCAL, "%Y-%m-%dT%H:%M:%S%:z");
	html(out, "<time datetime=\"%s\">%s</time>", machine, text);
}

char *age_text(const Request *r, gint64 us)
{
	gint64 s = MAX((g_get_real_time() - us) / G_USEC_PER_SEC, 0);
	if (s < 60)
		return said(T(r, "{n} s"), s);
	if (s < 3600)
		return said(T(r, "{n} min"), s / 60);
	if (s < 2 * 86400)
		return said(T(r, "{n} h"), s / 3600);
	return said(TN(r, s / 86400, "{n} day", "{n} days"), s / 86400);
}

void html_heads(GString *out, const Request *r, const char *const *heads)
{
	for (; *heads != NULL; heads++)
		html(out, "<th scope=\"col\">%s</th>", T(r, *heads));
}

void html_state(GString *out, const Request *r, const char *state)
{
	html(out, "<span class=\"chip %s\">%s</span>", state, T(r, state));
}

void html_notice(GString *out, bool fine, const char *text)
{
	html(out, "<p class=\"notice %S\" role=\"status\">%s</p>", fine ? "good" : "bad", text);
}

/* ---- around a page -------------------------------------------------------------------- */

static void counter(GString *out, const Request *r)
{
	gint64 n;
	g_autofree char *age = held_now(r, &n);
	if (age == NULL)
		return;
	/* How many is told when it changes; an age changes all the time. */
	html(out, "<div id=\"counter\" class=\"counter\">"
		"<span aria-live=\"polite\" aria-atomic=\"true\"><b data-held>%d</b> %s</span>"
		" <span>· %s <b data-oldest>%s</b></span></div>",
		n, T(r, "held now"), T(r, "the oldest"), age);
}

static void link_to(
	GString *out, const Request *r, const char *path, const char *key, const char *text)
{
	html(out, "<a href=\"%s\"%S data-key=\"%s\">%s</a>", path,
		strcmp(r->path, path) == 0 ? " aria-current=\"page\"" : "", key, text);
}

static void navigation(GString *out, const Request *r)
{
	html(out, "<nav aria-label=\"%s\">", T(r, "Pages"));
	link_to(out, r, "/", "h", T(r, "Held mail"));
	link_to(out, r, "/causes", "c", T(r, "By cause"));
	link_to(out, r, "/waiting", "", T(r, "Second person"));
	if (r->site->settings->review.mirror)
		link_to(out, r, "/hosts", "", T(r, "Hosts"));
	if (may(r, FOR_ADMINISTRATOR))
		link_to(out, r, "/accounts", "", T(r, "Accounts"));
	html(out, "</nav>");
}

static void top(GString *out, const Request *r)
{
	html(out,
		"<header><a class=\"brand\" href=\"/\"><span aria-hidden=\"true\">✉</span> %s</a>",
		r->site->settings->review.name);
	if (r->session != NULL) {
		navigation(out, r);
		counter(out, r);
		html(out,
			"<button type=\"button\" class=\"keys plain\" id=\"keys\" hidden>%s <kbd>?</kbd></button>",
			T(r, "Keys"));
		html(out,
			"<form class=\"me\" method=\"post\" action=\"/logout\"><a href=\"/me\" title=\"%s (%s)\">%s</a>",
			T(r, "My account"), T(r, ms_role_names[r->session->account->role]),
			r->session->account->name);
		html_token(out, r);
		html(out, "<button class=\"plain\">%s</button></form>", T(r, "Log out"));
	}
	html(out, "</header>");
}

/* Whoever looks at held mail has to know that none comes now. */
static void paused(GString *out, const Request *r)
{
	const MsSettings *s = r->site->settings;
	g_auto(MsPause) pause = {0};
	if (r->session == NULL ||
		ms_pause_read(s->state_dir, s->pause_ms, g_get_real_time(), &pause, NULL) !=
			MS_FOUND)
		return;
	html(out, "<p class=\"notice bad\" role=\"status\">%s ",
		T(r, "Paused: mail is let through as observed, until"));
	html_time(out, ms_pause_until(&pause) * G_USEC_PER_SEC);
	html(out, " (%s: %s)</p>", pause.who, pause.why);
}

/* Whoever looks at its mail has to know that none of it goes until somebody says so. */
static void stopped(GString *out, const Request *r)
{
	if (r->session == NULL)
		return;
	g_autoptr(MsAlerts) alerts = ms_alerts_new(r->site->settings->state_dir);
	if (!ms_alerts_is(alerts, MS_ALERT_BREAKER))
		return;
	html(out,
		"<p class=\"notice bad\" role=\"status\">%s <a href=\"/streams\">%s</a> · "
		"<a href=\"/?reason=%s\">%s</a></p>",
		T(r, "A stream of mail is stopped, for too much of it was wrong."),
		T(r, "Which, and what to do"), ms_reason_names[MS_BREAKER],
		T(r, "Mail that is stopped"));
}

/* ---- keys ----------------------------------------------------------------------------- */

static const struct {
	const char *key, *text;
} keys[] = {
	{"?", W("these keys")},
	{"j", W("the next one")},
	{"k", W("the one before")},
	{"n", W("the next page")},
	{"Enter", W("open what is marked")},
	{"u", W("back to the list")},
	{"x", W("choose, or not (in a list)")},
	{"*", W("choose all (in a list)")},
	{"b", W("return to sender")},
	{"r", W("release")},
	{"i", W("release to those with a right")},
	{"t", W("release to the chosen")},
	{"d", W("delete")},
	{"1…9", W("then the reason of that number")},
	{"w", W("then a reason in your words")},
	{"m", W("this recipient may receive for that account")},
	{"g", W("judge again")},
	{"s", W("show in clear")},
	{"a", W("assign to me")},
	{"o", W("what could now go")},
	{"h", W("held mail")},
	{"c", W("by cause")},
	{"/", W("search")},
};

/* What the script shows when it is asked: it has no words of its own. */
static void html_keys(GString *out, const Request *r)
{
	html(out,
		"<dialog id=\"help\" aria-labelledby=\"help-title\"><h2 id=\"help-title\">%s</h2><dl>",
		T(r, "Keys"));
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		html(out, "<dt><kbd>%s</kbd></dt><dd>%s</dd>", keys[i].key, T(r, keys[i].text));
	html(out,
		"</dl><form method=\"dialog\"><button>%s</button></form></dialog>"
		"<dialog id=\"why\" aria-labelledby=\"why-title\"><h2 id=\"why-title\">%s</h2><ol></ol><p><kbd>w</kbd> %s</p>"
		"<form method=\"dialog\"><button class=\"quiet\">%s</button></form></dialog>",
		T(r, "Close"), T(r, "Reason, for the record"), T(r, "or in your words"),
		T(r, "Close"));
}

/* What a form brought has no address of its own: who comes back to it, or asks anew, is shown the
 * page that the form stood on, by the script. */
static void main_begin(GString *out, const Request *r)
{
	g_autofree char *from = r->is_post ? page_before(r) : NULL;
	if (from != NULL)
		html(out, "<main id=\"main\" data-again=\"%s\">", from);
	else
		html(out, "<main id=\"main\">");
}

GString *frame(const Request *r, const Answer *a)
{
	GString *out = g_string_new("<!DOCTYPE html>\n");
	html(out,
		"<html lang=\"%S\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"robots\" content=\"noindex\"><title>%s%S%s · %s</title>"
		"<link rel=\"stylesheet\" href=\"/style.css\"><link rel=\"icon\" href=\"/icon.svg\">"
		"<script src=\"/app.js\" defer></script></head><body><a class=\"skip\" href=\"#main\">%s</a>",
		language_code(r->language), a->title, a->about != NULL ? " " : "",
		a->about != NULL ? a->about : "", r->site->settings->review.name,
		T(r, "To the content"));
	top(out, r);
	paused(out, r);
	stopped(out, r);
	main_begin(out, r);
	g_string_append_len(out, a->html->str, (gssize)a->html->len);
	html(out, "</main><footer>");
	html_languages(out);
	html(out, "<span>missent %S</span></footer>", PACKAGE_VERSION);
	if (r->session != NULL)
		html_keys(out, r);
	html(out, "</body></html>\n");
	return out;
}
