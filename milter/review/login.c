/*
 * Logging in and out, one's own account, and, for administrators, the others' and the tokens: forms
 * come in, missent-agent is asked, which checks passwords and codes and keeps all of it.  The
 * request's own thread.
 */
#include "config.h"

#include <string.h>

#include "page.h"

/* The browser speaks TLS with us, or with a proxy that is trusted to say so.  Of several each says
 * how it was asked, the first how the browser did ("https, http"). */
static bool is_secure(const Request *r)
{
	const char *proto = from_proxy(r) ? header(r, "X-Forwarded-Proto") : NULL;
	return r->site->tls || (proto != NULL && strcspn(proto, ", \t") == 5 &&
				       g_ascii_strncasecmp(proto, "https", 5) == 0);
}

/* Nobody but this very site can set one that is named so, no site beside it under one domain, and
 * none without TLS; and then no other counts. */
static const char *cookie_prefix(const Request *r)
{
	return is_secure(r) ? "__Host-" : "";
}

char *cookie_of(const Request *r, const char *name, const char *value, gint64 seconds)
{
	g_autofree char *age = seconds != 0
		? g_strdup_printf("; Max-Age=%" G_GINT64_FORMAT, MAX(seconds, 0))
		: g_strdup("");
	return g_strdup_printf("%s%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", cookie_prefix(r),
		name, value, is_secure(r) ? "; Secure" : "", age);
}

const char *cookie(const Request *r, const char *name)
{
	g_autofree char *whole = g_strconcat(cookie_prefix(r), name, NULL);
	return MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, whole);
}

bool is_person(const Request *r, const char *name)
{
	return r->session != NULL
		&& ms_person_is(&r->site->settings->desk.people, name, r->session->account->name);
}

static void code_field(
	GString *out, const Request *r, const char *name, const char *label, bool required)
{
	html(out,
		"<label class=\"wide\">%s<input name=\"%S\" autocomplete=\"one-time-code\" maxlength=\"40\"%S></label>",
		T(r, label), name, required ? " required" : "");
}

static void login_form(Request *r, Answer *a, const char *complaint, bool code)
{
	a->title = T(r, "Log in");
	html(a->html, "<form class=\"card alone\" method=\"post\" action=\"/login\"><h1>%s</h1>",
		T(r, "Log in"));
	if (complaint != NULL)
		html_notice(a->html, false, complaint);
	html(a->html,
		"<label class=\"wide\">%s<input name=\"name\" value=\"%s\" autocomplete=\"username\" required "
		"autofocus></label><label class=\"wide\">%s<input type=\"password\" name=\"password\" "
		"autocomplete=\"current-password\" required></label>",
		T(r, "Name"), code ? form(r, "name") : "", T(r, "Password"));
	code_field(a->html, r, "code", W("Code, if you have a second factor"), false);
	html(a->html, "<input type=\"hidden\" name=\"to\" value=\"%s\"><button>%s</button></form>",
		r->is_post ? form(r, "to") : query(r, "to"), T(r, "Log in"));
}

/* 90 days: longer than the session, so that who guesses at a name keeps its owner's browser not
 * waiting. */
#define DEVICE_SECONDS (90 * 86400)

static void let_in(Request *r, Answer *a, const json_t *reply)
{
	a->cookie = cookie_of(r, "missent", word(reply, "session"), 0);
	a->second_cookie = cookie_of(r, "missent-browser", word(reply, "device"), DEVICE_SECONDS);
	g_autofree char *to = own_page(form(r, "to"));
	redirect(a, "%s", to);
}

static void turn_away(Request *r, Answer *a, const char *result, gint64 wait)
{
	bool later = strcmp(result, "wait") == 0 || strcmp(result, "busy") == 0;
	bool code = strcmp(result, "code") == 0;
	g_autofree char *text = wait > 0
		? g_strdup_printf("%s %" G_GINT64_FORMAT " s",
			  T(r, "Too many failed attempts. Try again in"), wait)
		: g_strdup(T(r,
			  later          ? "Too many log in now. Try again."
				  : code ? "Your account needs its code as well."
					 : "Name, password or code is wrong."));
	a->status = later ? 429 : 403;
	login_form(r, a, text, code);
}

static void try_login(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	json_t *reply = ask_agent(r,
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "do", "login", "name", form(r, "name"),
			"password", form(r, "password"), "code", form(r, "code"), "device",
			r->device != NULL ? r->device : ""),
		&why, NULL);
	const char *result = word(reply, "result");
	if (reply == NULL)
		say_no(r, a, 503, T(r, "Nobody can log in now."));
	else if (strcmp(result, "fine") == 0)
		let_in(r, a, reply);
	else
		turn_away(r, a, result, json_integer_value(json_object_get(reply, "wait")));
	json_decref(reply);
}

static void go_on(const Request *r, Answer *a)
{
	g_autofree char *to = own_page(query(r, "to"));
	redirect(a, "%s", to);
}

void page_login(Request *r, Answer *a)
{
	if (r->is_post)
		try_login(r, a);
	else if (r->session != NULL)
		go_on(r, a);
	else
		login_form(r, a, NULL, false);
}

void page_logout(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	json_decref(ask_agent(r, json_pack("{s:s}", "do", "logout"), &why, NULL));
	session_forget(r);
	a->cookie = cookie_of(r, "missent", "", -1);
	redirect(a, "/login");
}

#define LANGUAGE_SECONDS (365 * 86400)

void page_language(Request *r, Answer *a)
{
	const char *code = language_code(language_chosen(query(r, "to"), NULL));
	g_autofree char *page = page_before(r);
	a->cookie = cookie_of(r, "language", code, LANGUAGE_SECONDS);
	redirect(a, "%s", page);
}

/* ---- proving it anew ------------------------------------------------------------------ */

void html_proof(GString *out, const Request *r)
{
	const MsAccount *a = r->session->account;
	if (a->totp)
		code_field(out, r, "code", W("Code of your second factor"), true);
	else if (a->password)
		html(out,
			"<label class=\"wide\">%s<input type=\"password\" name=\"password\" "
			"autocomplete=\"current-password\" required></label>",
			T(r, "Your password"));
	else if (!r->site->settings->review.proxy_vouches)
		html(out, "<p><small>%s</small></p>",
			T(r,
				"This needs a second factor, which an administrator sets up for "
				"you (missent review totp)."));
}

void add_proof(const Request *r, json_t *ask)
{
	json_object_set_new(ask, "password", json_string(form(r, "password")));
	json_object_set_new(ask, "code", json_string(form(r, "code")));
}

/* What was asked for is done, or it is said why not, on the page from which it came. */
static void tell(Request *r, Answer *a, const char *path, json_t *reply, const char *why)
{
	g_autofree char *text = in_address(reply != NULL ? T(r, "Saved.") : why);
	redirect(a, "%s?done=%s&fine=%d", path, text, reply != NULL);
	json_decref(reply);
}

static void told(Request *r, Answer *a)
{
	if (*query(r, "done") != '\0')
		html_notice(a->html, *query(r, "fine") == '1', query(r, "done"));
}

/* ---- one's own ------------------------------------------------------------------------ */

static void begin_form(
	GString *out, const Request *r, const char *path, const char *act, const char *title)
{
	html(out, "<form class=\"card decide\" method=\"post\" action=\"%s\"><h2>%s</h2>"
		"<input type=\"hidden\" name=\"act\" value=\"%s\">", path, title, act);
	html_token(out, r);
}

static void end_form(GString *out, const Request *r, const char *button)
{
	html_proof(out, r);
	html(out, "<div class=\"buttons\"><button class=\"quiet\">%s</button></div></form>",
		T(r, button));
}

static void new_password(GString *out, const Request *r, const char *label, bool required)
{
	html(out,
		"<label>%s<input type=\"password\" name=\"new-password\" autocomplete=\"new-password\" "
		"minlength=\"10\"%S></label>",
		T(r, label), required ? " required" : "");
}

void page_me(Request *r, Answer *a)
{
	const MsAccount *own = r->session->account;
	a->title = T(r, "My account");
	html(a->html, "<h1>%s <small>%s</small></h1>", own->name, T(r, ms_role_names[own->role]));
	told(r, a);
	html(a->html, "<div class=\"forms\">");
	begin_form(a->html, r, "/me", "password", T(r, "New password"));
	new_password(a->html, r, W("New password"), true);
	end_form(a->html, r, W("Save"));
	begin_form(a->html, r, "/me", "totp-begin", T(r, "Second factor"));
	html(a->html,
		"<p>%s</p><div class=\"buttons\"><button class=\"quiet\">%s</button></div></form>",
		T(r, own->totp ? "You have a second factor." : "You have no second factor."),
		T(r, own->totp ? "Set up another" : "Set up"));
	if (own->totp) {
		begin_form(a->html, r, "/me", "totp-end", T(r, "Without a second factor"));
		end_form(a->html, r, W("Take it away"));
	}
	html(a->html, "</div>");
}

/* No style and no script of its own: the picture is a drawing of squares. */
static void html_picture(GString *out, const Request *r, const char *uri)
{
	g_auto(GStrv) rows = ms_totp_picture(uri);
	gint64 n = rows != NULL ? (gint64)g_strv_length(rows) : 0;
	if (n == 0)
		return;
	html(out,
		"<p><svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" width=\"240\" height=\"240\" "
		"viewBox=\"-2 -2 %d %d\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"%s\"><rect x=\"-2\" y=\"-2\" "
		"width=\"%d\" height=\"%d\" fill=\"#fff\"/>",
		n + 4, n + 4, T(r, "Second factor"), n + 4, n + 4);
	for (gint64 y = 0; y < n; y++)
		for (gint64 x = 0; x < n; x++)
			if (rows[y][x] == '1')
				html(out, "<rect x=\"%d\" y=\"%d\" width=\"1\" height=\"1\"/>", x,
					y);
	html(out, "</svg></p>");
}

static void begin_totp(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	json_t *reply = ask_agent(r, json_pack("{s:s}", "do", "totp-begin"), &why, NULL);
	if (reply == NULL) {
		tell(r, a, "/me", NULL, why);
		return;
	}
	a->title = T(r, "Second factor");
	html(a->html, "<h1>%s</h1><p>%s</p>", T(r, "Second factor"),
		T(r, "Let your authenticator read this, or type the key into it; then type the code that it shows."));
	html_picture(a->html, r, word(reply, "uri"));
	html(a->html, "<p><code>%s</code></p><p><small>%s</small></p>", word(reply, "secret"),
		word(reply, "uri"));
	begin_form(a->html, r, "/me", "totp-confirm", T(r, "Its code now"));
	code_field(a->html, r, "new-code", W("Code"), true);
	end_form(a->html, r, W("Save"));
	json_decref(reply);
}

static void confirm_totp(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	json_t *ask = json_pack(
		"{s:s, s:s}", "do", "totp-confirm", "new-code", form(r, "new-code"));
	add_proof(r, ask);
	json_t *reply = ask_agent(r, ask, &why, NULL);
	if (reply == NULL) {
		tell(r, a, "/me", NULL, why);
		return;
	}
	a->title = T(r, "Second factor");
	html(a->html, "<h1>%s</h1><p>%s</p><ul class=\"recovery\">", T(r, "Second factor"),
		T(r,
			"It counts from now on. Keep these codes where your authenticator is not: each is good once. They are "
			"not shown again."));
	const json_t *codes = json_object_get(reply, "codes");
	for (size_t i = 0; i < json_array_size(codes); i++)
		html(a->html, "<li><code>%s</code></li>",
			json_string_value(json_array_get(codes, i)));
	html(a->html, "</ul><p><a href=\"/me\">← %s</a></p>", T(r, "My account"));
	json_decref(reply);
}

static json_t *own_change(const Request *r, const char *act)
{
	json_t *ask = json_pack("{s:s}", "do", act);
	if (strcmp(act, "password") == 0)
		json_object_set_new(ask, "new-password", json_string(form(r, "new-password")));
	add_proof(r, ask);
	return ask;
}

void page_change_me(Request *r, Answer *a)
{
	const char *act = form(r, "act");
	g_autofree char *why = NULL;
	if (strcmp(act, "totp-begin") == 0) {
		begin_totp(r, a);
	} else if (strcmp(act, "totp-confirm") == 0) {
		confirm_totp(r, a);
	} else if (strcmp(act, "password") == 0 || strcmp(act, "totp-end") == 0) {
		json_t *reply = ask_agent(r, own_change(r, act), &why, NULL);
		tell(r, a, "/me", reply, why);
	} else {
		say_no(r, a, 400, T(r, "This cannot be done here."));
	}
}

/* ---- accounts ------------------------------------------------------------------------- */

static void role_select(GString *out, const Request *r, int chosen)
{
	html(out, "<label>%s<select name=\"role\">", T(r, "Role"));
	for (int i = 0; i < MS_N_ROLES; i++)
		html(out, "<option value=\"%s\"%S>%s</option>", ms_role_names[i],
			i == chosen ? " selected" : "", T(r, ms_role_names[i]));
	html(out, "</select></label>");
}

static void check_field(
	GString *out, const Request *r, const char *name, const char *label, bool checked)
{
	html(out,
		"<label class=\"check\"><input type=\"checkbox\" name=\"%s\" value=\"1\"%S> %s</label>",
		name, checked ? " checked" : "", T(r, label));
}

static void account_form(GString *out, const Request *r, const json_t *account)
{
	const char *name = word(account, "name");
	begin_form(
		out, r, "/accounts", "account-put", account != NULL ? name : T(r, "New account"));
	if (account != NULL)
		html(out, "<input type=\"hidden\" name=\"name\" value=\"%s\">", name);
	else
		html(out, "<label>%s<input name=\"name\" required maxlength=\"100\"></label>",
			T(r, "Name"));
	role_select(out, r, account != NULL ? ms_role_of(word(account, "role")) : MS_ROLE_REVIEWER);
	new_password(out, r, account != NULL ? W("New password") : W("Password"), account == NULL);
	check_field(out, r, "download", W("may download attached files"),
		json_is_true(json_object_get(account, "download")));
	check_field(out, r, "disabled", W("may not log in"),
		json_is_true(json_object_get(account, "disabled")));
	if (json_is_true(json_object_get(account, "totp")))
		check_field(out, r, "totp-off", W("take the second factor away"), false);
	html_proof(out, r);
	html(out, "<div class=\"buttons\"><button class=\"quiet\">%s</button>", T(r, "Save"));
	if (account != NULL && !is_person(r, name))
		html(out, "<button class=\"danger\" name=\"delete\" value=\"1\">%s</button>",
			T(r, "Delete"));
	html(out, "</div></form>");
}

static void token_forms(GString *out, const Request *r)
{
	g_autofree char *why = NULL;
	json_t *reply = ask_agent(r, json_pack("{s:s}", "do", "tokens"), &why, NULL);
	const json_t *list = json_object_get(reply, "tokens");
	html(out, "<h2>%s</h2><div class=\"forms\">", T(r, "Tokens for programs"));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *token = json_array_get(list, i);
		gint64 end = json_integer_value(json_object_get(token, "expires"));
		begin_form(out, r, "/accounts", "token-delete", word(token, "name"));
		html(out, "<input type=\"hidden\" name=\"name\" value=\"%s\"><p>%s · %s",
			word(token, "name"),
			T(r, ms_role_names[MAX(ms_role_of(word(token, "role")), 0)]),
			word(token, "owner"));
		if (end > 0) {
			html(out, " · %s ", T(r, "expires"));
			html_time(out, end);
		}
		html(out, "</p>");
		html_proof(out, r);
		html(out, "<div class=\"buttons\"><button class=\"danger\">%s</button></div></form>",
			T(r, "Delete"));
	}
	begin_form(out, r, "/accounts", "token-add", T(r, "New token"));
	html(out,
		"<label>%s<input name=\"name\" required maxlength=\"60\" pattern=\"[A-Za-z0-9._\\-]+\"></label>",
		T(r, "Name"));
	role_select(out, r, MS_ROLE_VIEWER);
	html(out, "<label>%s<input name=\"days\" type=\"number\" min=\"1\" max=\"36500\"></label>",
		T(r, "Days that it is good for"));
	end_form(out, r, W("Make"));
	html(out, "</div>");
	json_decref(reply);
}

void page_accounts(Request *r, Answer *a)
{
	g_autofree char *why = NULL;
	json_t *reply = ask_agent(r, json_pack("{s:s}", "do", "accounts"), &why, NULL);
	const json_t *list = json_object_get(reply, "accounts");
	a->title = T(r, "Accounts");
	html(a->html, "<h1>%s</h1>", T(r, "Accounts"));
	told(r, a);
	if (reply == NULL)
		html_notice(a->html, false, why);
	html(a->html, "<div class=\"forms\">");
	for (size_t i = 0; i < json_array_size(list); i++)
		account_form(a->html, r, json_array_get(list, i));
	account_form(a->html, r, NULL);
	html(a->html, "</div>");
	token_forms(a->html, r);
	json_decref(reply);
}

static bool is_checked(const Request *r, const char *name)
{
	return strcmp(form(r, name), "1") == 0;
}

static void show_token(Request *r, Answer *a, const json_t *reply)
{
	a->title = T(r, "New token");
	html(a->html,
		"<h1>%s</h1><p>%s</p><p><code class=\"token\">%s</code></p><p><a href=\"/accounts\">← %s</a></p>",
		T(r, "New token"), T(r, "It is not shown again."), word(reply, "token"),
		T(r, "Accounts"));
}

static json_t *change_of(const Request *r, const char *act)
{
	json_t *ask = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I}", "do", act, "about",
		form(r, "name"), "role", form(r, "role"), "new-password", form(r, "new-password"),
		"download", (int)is_checked(r, "download"), "disabled",
		(int)is_checked(r, "disabled"), "totp-off", (int)is_checked(r, "totp-off"), "days",
		(json_int_t)g_ascii_strtoll(form(r, "days"), NULL, 10));
	add_proof(r, ask);
	return ask;
}

void page_put_account(Request *r, Answer *a)
{
	static const char *const acts[] = {"account-put", "token-add", "token-delete", NULL};
	const char *act = is_checked(r, "delete") ? "account-delete" : form(r, "act");
	g_autofree char *why = NULL;
	if (!is_checked(r, "delete") && !g_strv_contains(acts, act)) {
		say_no(r, a, 400, T(r, "This cannot be done here."));
		return;
	}
	bool own = strcmp(act, "account-put") == 0 && is_person(r, form(r, "name"));
	json_t *reply = ask_agent(r, change_of(r, act), &why, NULL);
	if (reply != NULL && strcmp(act, "token-add") == 0) {
		show_token(r, a, reply);
		json_decref(reply);
	} else if (reply != NULL && own) {
		redirect(a, "/login"); /* its sessions have ended */
		json_decref(reply);
	} else {
		tell(r, a, "/accounts", reply, why);
	}
}
