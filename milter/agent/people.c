/*
 * What the page asks about people: who comes in, whose session it is, and changes of accounts,
 * second factors and tokens, each of which is proved anew by who makes it and is on the audit
 * trail before it is done.  Many threads at a time.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"

#include "agent.h"

static json_t *session_json(const MsSession *s)
{
	const MsAccount *a = s->account;
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:s}", "name", a->name, "actor",
		s->actor, "role", ms_role_names[a->role], "download", (int)a->download, "password",
		(int)a->password, "totp", (int)a->totp, "by", ms_by_names[s->by], "csrf",
		s->csrf != NULL ? s->csrf : "");
}

static json_t *hello(Asker *asker, GError **error)
{
	g_autoptr(GPtrArray) list = ms_accounts_list(asker->agent->accounts, error);
	return list != NULL ? json_pack("{s:I}", "accounts", (json_int_t)list->len) : NULL;
}

static json_t *session(Asker *asker, GError **error)
{
	(void)error;
	return json_pack("{s:o}", "session",
		asker->session != NULL ? session_json(asker->session) : json_null());
}

static json_t *login(Asker *asker, GError **error)
{
	const json_t *ask = asker->ask;
	MsTry try = {.name = agent_word(ask, "name"),
		.password = agent_word(ask, "password"),
		.code = agent_word(ask, "code"),
		.source = agent_word(ask, "client"),
		.device = agent_word(ask, "device")};
	g_auto(MsPass) pass = {0};
	g_autofree char *who = g_strndup(try.name, 100);
	MsLogin result = ms_accounts_login(asker->agent->accounts, &try, &pass, error);
	if (result == MS_LOGIN_ERROR)
		return NULL;
	const AgentStranger stranger = {who, try.source, "",
		result == MS_LOGIN_WRONG ? "" : ms_login_names[result]};
	if (result == MS_LOGIN_FINE
			? !ms_audit_event(asker->agent->audit, who, try.source, MS_EVENT_LOG_IN, "",
				  "", error)
			: !agent_audit_stranger(
				  asker->agent, MS_EVENT_LOG_IN_FAILED, &stranger, error))
		return NULL;
	json_t *out = json_pack(
		"{s:s, s:I}", "result", ms_login_names[result], "wait", (json_int_t)pass.wait);
	if (result == MS_LOGIN_FINE) {
		json_object_set_new(out, "session", json_string(pass.session));
		json_object_set_new(out, "device", json_string(pass.device));
	}
	return out;
}

/* Believed of the page only where it has proxies to believe, and no more than to let somebody
 * look and decide: what needs a second person, or changes accounts, needs a proof of his own. */
static json_t *admit(Asker *asker, GError **error)
{
	const char *name = agent_word(asker->ask, "name");
	if (agent_settings(asker->agent)->review.proxy_peers[0] == NULL)
		return agent_refuse(error, AGENT_ROLE, "no proxy is trusted (proxy-peers)");
	g_autoptr(GError) why = NULL;
	g_autofree char *id = ms_accounts_admit(asker->agent->accounts, name, &why);
	if (why != NULL)
		return agent_refuse(error, AGENT_RETRY, "%s", why->message);
	if (id == NULL)
		return agent_refuse(error, AGENT_SESSION, "there is no such account");
	if (!ms_audit_event(asker->agent->audit, name, agent_word(asker->ask, "client"),
		    MS_EVENT_LOG_IN, "", "named by a trusted proxy", error))
		return NULL;
	return json_pack("{s:s}", "session", id);
}

static json_t *logout(Asker *asker, GError **error)
{
	if (asker->session != NULL && !agent_audit(asker, MS_EVENT_LOG_OUT, "", "", error))
		return NULL;
	return ms_accounts_logout(asker->agent->accounts, asker->session_id, error) ? json_object()
										    : NULL;
}

/* ---- what somebody does on the page ---------------------------------------------------- */

/* What only who is logged in can do, and what may be anybody's. */
static bool is_act_of_people(MsEvent event)
{
	return event == MS_EVENT_SEARCH || event == MS_EVENT_LOOK || event == MS_EVENT_REVEAL ||
		event == MS_EVENT_PICTURE || event == MS_EVENT_DOWNLOAD ||
		event == MS_EVENT_DECIDE || event == MS_EVENT_AGREE || event == MS_EVENT_WITHDRAW;
}

static bool is_act_of_anybody(MsEvent event)
{
	return event == MS_EVENT_PAGE_STARTED || event == MS_EVENT_REFUSED ||
		event == MS_EVENT_FORGED;
}

/* The page hands its lines to us before what they tell of happens: it has no trail that it could
 * write to, and names nobody. */
static json_t *tell(Asker *asker, GError **error)
{
	const json_t *ask = asker->ask;
	MsEvent event = ms_event_named(agent_word(ask, "event"));
	bool by_people = is_act_of_people(event);
	if (!by_people && !is_act_of_anybody(event))
		return agent_refuse(error, AGENT_INPUT, "the page does no such thing");
	if (asker->session == NULL && by_people)
		return agent_refuse(
			error, AGENT_SESSION, "the session has ended, or the token is not good");
	const AgentStranger stranger = {
		NULL, agent_word(ask, "client"), agent_word(ask, "about"), agent_word(ask, "detail")};
	bool told = asker->session == NULL && event != MS_EVENT_PAGE_STARTED
		? agent_audit_stranger(asker->agent, event, &stranger, error)
		: agent_audit(asker, event, stranger.about, stranger.detail, error);
	return told ? json_object() : NULL;
}

/* ---- accounts ------------------------------------------------------------------------- */

static json_t *accounts(Asker *asker, GError **error)
{
	g_autoptr(GPtrArray) list = ms_accounts_list(asker->agent->accounts, error);
	json_t *out = list != NULL ? json_array() : NULL;
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsAccount *a = list->pdata[i];
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:I}", "name", a->name, "role",
				ms_role_names[a->role], "download", (int)a->download, "disabled",
				(int)a->disabled, "password", (int)a->password, "totp",
				(int)a->totp, "seen", (json_int_t)a->seen));
	}
	return out != NULL ? json_pack("{s:o}", "accounts", out) : NULL;
}

static bool is_own(const Asker *asker, const char *name)
{
	return ms_person_is(&ms_desk_settings(asker->agent->desk)->desk.people, name,
		asker->session->account->name);
}

static const char *password_or_null(const json_t *ask, const char *key)
{
	return *agent_word(ask, key) != '\0' ? agent_word(ask, key) : NULL;
}

static json_t *account_put(Asker *asker, GError **error)
{
	const json_t *ask = asker->ask;
	int role = ms_role_of(agent_word(ask, "role"));
	MsAccount account = {.name = (char *)agent_word(ask, "about"), .role = (MsRole)MAX(role, 0),
		.download = json_is_true(json_object_get(ask, "download")),
		.disabled = json_is_true(json_object_get(ask, "disabled"))};
	if (role < 0)
		return agent_refuse(
			error, AGENT_INPUT, "a role is viewer, reviewer or administrator");
	if (is_own(asker, account.name) && (account.disabled || role != MS_ROLE_ADMINISTRATOR))
		return agent_refuse(error, AGENT_INPUT, "you cannot take your own rights away");
	g_autofree char *detail = g_strdup_printf("%s: %s%s%s", account.name, ms_role_names[role],
		account.download ? ", download" : "", account.disabled ? ", disabled" : "");
	if (!agent_audit(asker, MS_EVENT_ACCOUNT, "", detail, error) ||
		!ms_accounts_put(asker->agent->accounts, &account,
			password_or_null(ask, "new-password"), error) ||
		(json_is_true(json_object_get(ask, "totp-off")) &&
			!ms_totp_end(asker->agent->accounts, account.name, error)))
		return NULL;
	return json_object();
}

static json_t *account_delete(Asker *asker, GError **error)
{
	const char *name = agent_word(asker->ask, "about");
	g_autoptr(MsAccount) account = ms_accounts_find(asker->agent->accounts, name, NULL);
	if (account == NULL)
		return agent_refuse(error, AGENT_INPUT, "there is no such account");
	if (is_own(asker, name))
		return agent_refuse(error, AGENT_INPUT, "you cannot take your own rights away");
	if (!agent_audit(asker, MS_EVENT_ACCOUNT_DELETED, "", account->name, error)
		|| !ms_accounts_delete(asker->agent->accounts, account->name, error))
		return NULL;
	return json_object();
}

/* ---- one's own ------------------------------------------------------------------------ */

static bool is_person(const Asker *asker, GError **error)
{
	if (asker->session->by != MS_BY_TOKEN)
		return true;
	agent_refuse(error, AGENT_ROLE, "a token has no password and no second factor");
	return false;
}

static json_t *password(Asker *asker, GError **error)
{
	const char *new = agent_word(asker->ask, "new-password");
	if (!is_person(asker, error))
		return NULL;
	if (!agent_audit(asker, MS_EVENT_PASSWORD, "", "", error) ||
		!ms_accounts_password(asker->agent->accounts, asker->session->account->name, new,
			asker->session_id, error))
		return NULL;
	return json_object();
}

static json_t *totp_begin(Asker *asker, GError **error)
{
	const char *name = asker->session->account->name;
	if (!is_person(asker, error))
		return NULL;
	g_autofree char *secret = ms_totp_begin(asker->agent->accounts, name, error);
	if (secret == NULL)
		return NULL;
	g_autofree char *uri = ms_totp_uri(agent_settings(asker->agent)->review.name, name, secret);
	return json_pack("{s:s, s:s}", "secret", secret, "uri", uri);
}

static json_t *totp_confirm(Asker *asker, GError **error)
{
	if (!is_person(asker, error) || !agent_audit(asker, MS_EVENT_FACTOR, "", "set up", error))
		return NULL;
	g_auto(GStrv) codes = ms_totp_confirm(asker->agent->accounts, asker->session->account->name,
		agent_word(asker->ask, "new-code"), error);
	json_t *list = codes != NULL ? json_array() : NULL;
	for (int i = 0; codes != NULL && codes[i] != NULL; i++)
		json_array_append_new(list, json_string(codes[i]));
	return list != NULL ? json_pack("{s:o}", "codes", list) : NULL;
}

static json_t *totp_end(Asker *asker, GError **error)
{
	if (!is_person(asker, error) ||
		!agent_audit(asker, MS_EVENT_FACTOR, "", "taken away", error) ||
		!ms_totp_end(asker->agent->accounts, asker->session->account->name, error))
		return NULL;
	return json_object();
}

/* ---- tokens --------------------------------------------------------------------------- */

static json_t *tokens(Asker *asker, GError **error)
{
	g_autoptr(GPtrArray) list = ms_accounts_token_list(asker->agent->accounts, error);
	json_t *out = list != NULL ? json_array() : NULL;
	for (guint i = 0; list != NULL && i < list->len; i++) {
		const MsToken *t = list->pdata[i];
		json_array_append_new(out,
			json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I}", "name", t->name, "owner",
				t->owner, "role", ms_role_names[t->role], "download",
				(int)t->download, "made", (json_int_t)t->made, "expires",
				(json_int_t)t->expires, "seen", (json_int_t)t->seen));
	}
	return out != NULL ? json_pack("{s:o}", "tokens", out) : NULL;
}

static json_t *token_add(Asker *asker, GError **error)
{
	const json_t *ask = asker->ask;
	int role = ms_role_of(agent_word(ask, "role"));
	gint64 days = json_integer_value(json_object_get(ask, "days"));
	MsToken token = {.name = (char *)agent_word(ask, "about"),
		.owner = asker->session->account->name,
		.role = (MsRole)MAX(role, 0),
		.download = json_is_true(json_object_get(ask, "download"))};
	if (role < 0 || days < 0 || days > 36500)
		return agent_refuse(error, AGENT_INPUT,
			role < 0 ? "a role is viewer, reviewer or administrator"
				 : "for how many days?");
	if (days > 0)
		token.expires = g_get_real_time() + days * 86400 * (gint64)G_USEC_PER_SEC;
	if (!is_person(asker, error) || !agent_audit(asker, MS_EVENT_TOKEN, "", token.name, error))
		return NULL;
	g_autofree char *secret = ms_accounts_token_add(asker->agent->accounts, &token, error);
	return secret != NULL ? json_pack("{s:s}", "token", secret) : NULL;
}

static json_t *token_delete(Asker *asker, GError **error)
{
	const char *name = agent_word(asker->ask, "about");
	if (!agent_audit(asker, MS_EVENT_TOKEN_DELETED, "", name, error)
		|| !ms_accounts_token_delete(asker->agent->accounts, name, error))
		return NULL;
	return json_object();
}

const AgentRow agent_people[] = {
	{"hello", BY_ANYBODY, false, hello},
	{"login", BY_ANYBODY, false, login},
	{"admit", BY_ANYBODY, false, admit},
	{"session", BY_ANYBODY, false, session},
	{"tell", BY_ANYBODY, false, tell},
	{"logout", BY_ANYBODY, false, logout},
	{"password", BY_VIEWER, true, password},
	{"totp-begin", BY_VIEWER, false, totp_begin},
	{"totp-confirm", BY_VIEWER, true, totp_confirm},
	{"totp-end", BY_VIEWER, true, totp_end},
	{"accounts", BY_ADMINISTRATOR, false, accounts},
	{"account-put", BY_ADMINISTRATOR, true, account_put},
	{"account-delete", BY_ADMINISTRATOR, true, account_delete},
	{"tokens", BY_ADMINISTRATOR, false, tokens},
	{"token-add", BY_ADMINISTRATOR, true, token_add},
	{"token-delete", BY_ADMINISTRATOR, true, token_delete},
	{NULL},
};
