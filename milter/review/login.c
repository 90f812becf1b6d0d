#include "config.h"

#include <string.h>

#include "page.h"

char *cookie_of(const Request *r, const char *value, gint64 seconds)
{
	g_autofree char *age = seconds != 0 ? g_strdup_printf("; Max-Age=%" G_GINT64_FORMAT, MAX(seconds, 0))
					    : g_strdup("");
	const char *proto = from_proxy(r) ? header(r, "X-Forwarded-Proto") : NULL;
	bool secure = r->site->tls || (proto != NULL && strcmp(proto, "https") == 0);
	return g_strdup_printf("missent=%s; Path=/; HttpOnly; SameSite=Strict%s%s", value,
		secure ? "; Secure" : "", age);
}

static void login_form(Request *r, Answer *a, const char *complaint)
{
	a->title = T(r, "Log in");
	html(a->html, "<form class=\"card alone\" method=\"post\" action=\"/login\"><h1>%s</h1>", T(r, "Log in"));
	if (complaint != NULL)
		html_notice(a->html, false, complaint);
	html(a->html, "<label class=\"wide\">%s<input name=\"name\" autocomplete=\"username\" required autofocus></label>"
		"<label class=\"wide\">%s<input type=\"password\" name=\"password\" autocomplete=\"current-password\" "
		"required></label><button>%s</button></form>", T(r, "Name"), T(r, "Password"), T(r, "Log in"));
}

static void try_login(Request *r, Answer *a)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *id = NULL;
	const char *name = form(r, "name");
	MsLogin result = ms_accounts_login(r->site->accounts, name, form(r, "password"), r->client, &id, &error);
	g_autofree char *who = g_strndup(name, 100);
	switch (result) {
	case MS_LOGIN_FINE:
		if (ms_audit_event(r->site->audit, who, r->client, "log-in", "", "", NULL)) {
			a->cookie = cookie_of(r, id, 0);
			redirect(a, "/");
			return;
		}
		break;
	case MS_LOGIN_WRONG:
		ms_audit_event(r->site->audit, who, r->client, "failed log-in", "", "", NULL);
		a->status = 403;
		login_form(r, a, T(r, "Name or password is wrong."));
		return;
	case MS_LOGIN_TOO_OFTEN:
		ms_audit_event(r->site->audit, who, r->client, "failed log-in", "", "too often", NULL);
		a->status = 429;
		login_form(r, a, T(r, "Too many failed attempts. Wait a quarter of an hour."));
		return;
	case MS_LOGIN_ERROR: break;
	}
	say_no(r, a, 503, T(r, "Nobody can log in now."));
}

void page_login(Request *r, Answer *a)
{
	if (r->is_post)
		try_login(r, a);
	else if (r->session != NULL)
		redirect(a, "/");
	else
		login_form(r, a, NULL);
}

void page_logout(Request *r, Answer *a)
{
	audit(r, "log-out", "", "");
	ms_accounts_logout(r->site->accounts, r->session_id, NULL);
	a->cookie = cookie_of(r, "", -1);
	redirect(a, "/login");
}

void page_language(Request *r, Answer *a)
{
	a->cookie = g_strdup_printf("language=%s; Path=/; SameSite=Strict; Max-Age=31536000",
		strcmp(query(r, "to"), "fr") == 0 ? "fr" : "en");
	redirect(a, "/");
}

/* ---- accounts ------------------------------------------------------------------------- */

static void role_select(GString *out, const Request *r, MsRole chosen)
{
	html(out, "<label>%s<select name=\"role\">", T(r, "Role"));
	for (int i = 0; i < MS_N_ROLES; i++)
		html(out, "<option value=\"%s\"%S>%s</option>", ms_role_names[i], i == (int)chosen ? " selected" : "",
			T(r, ms_role_names[i]));
	html(out, "</select></label>");
}

static void account_form(GString *out, const Request *r, const MsAccount *account)
{
	html(out, "<form class=\"card decide\" method=\"post\" action=\"/accounts\">");
	html_token(out, r);
	if (account != NULL)
		html(out, "<h2>%s</h2><input type=\"hidden\" name=\"name\" value=\"%s\">", account->name, account->name);
	else
		html(out, "<h2>%s</h2><label>%s<input name=\"name\" required maxlength=\"100\"></label>",
			T(r, "New account"), T(r, "Name"));
	role_select(out, r, account != NULL ? account->role : MS_ROLE_REVIEWER);
	html(out, "<label>%s<input type=\"password\" name=\"password\" autocomplete=\"new-password\" "
		"minlength=\"10\"%S></label>", T(r, account != NULL ? "New password" : "Password"),
		account != NULL ? "" : " required");
	html(out, "<label class=\"check\"><input type=\"checkbox\" name=\"download\" value=\"1\"%S> %s</label>"
		"<label class=\"check\"><input type=\"checkbox\" name=\"disabled\" value=\"1\"%S> %s</label>"
		"<div class=\"buttons\"><button class=\"quiet\">%s</button></div></form>",
		account != NULL && account->download ? " checked" : "", T(r, "may download attached files"),
		account != NULL && account->disabled ? " checked" : "", T(r, "may not log in"), T(r, "Save"));
}

void page_accounts(Request *r, Answer *a)
{
	g_autoptr(GPtrArray) list = ms_accounts_list(r->site->accounts, NULL);
	a->title = T(r, "Accounts");
	html(a->html, "<h1>%s</h1>", T(r, "Accounts"));
	if (*query(r, "done") != '\0')
		html_notice(a->html, *query(r, "fine") == '1', query(r, "done"));
	html(a->html, "<div class=\"forms\">");
	for (guint i = 0; list != NULL && i < list->len; i++)
		account_form(a->html, r, list->pdata[i]);
	account_form(a->html, r, NULL);
	html(a->html, "</div>");
}

void page_put_account(Request *r, Answer *a)
{
	MsAccount account = {.name = (char *)form(r, "name"), .role = MS_ROLE_VIEWER,
		.download = strcmp(form(r, "download"), "1") == 0,
		.disabled = strcmp(form(r, "disabled"), "1") == 0};
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < MS_N_ROLES; i++)
		if (strcmp(ms_role_names[i], form(r, "role")) == 0)
			account.role = (MsRole)i;
	bool own = strcmp(account.name, r->session->account->name) == 0;
	if (own && (account.disabled || account.role != MS_ROLE_ADMINISTRATOR)) {
		say_no(r, a, 400, T(r, "You cannot take your own rights away."));
		return;
	}
	if (!audit(r, "account", "", account.name)) {
		say_no(r, a, 503, T(r, "The audit trail cannot be written; nothing was done."));
		return;
	}
	const char *password = *form(r, "password") != '\0' ? form(r, "password") : NULL;
	bool fine = ms_accounts_put(r->site->accounts, &account, password, &error);
	g_autofree char *text = g_uri_escape_string(fine ? T(r, "Saved.") : error->message, NULL, FALSE);
	if (own && fine)
		redirect(a, "/login"); /* its sessions have ended */
	else
		redirect(a, "/accounts?done=%s&fine=%d", text, fine);
}
