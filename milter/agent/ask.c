/*
 * Who asks, and may he?  A request comes in as JSON with a session or a token, never with a name;
 * the agent finds the person and the role itself, has him prove it anew where that is asked for,
 * and puts the name in before the desk sees it.  A request for another host goes on through
 * Redis, sealed with what agents share: there the agent that sealed it is believed, not the page.
 * Many threads at a time.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/log.h"
#include "missent/text.h"

#include "agent.h"

G_DEFINE_QUARK(missent-agent, agent_error)

static const char *const code_names[] = {"input", "session", "role", "proof", "wait", "retry"};

json_t *agent_refuse(GError **error, AgentCode code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(AGENT_ERROR, (int)code, format, args));
	va_end(args);
	return NULL;
}

const char *agent_word(const json_t *ask, const char *key)
{
	const char *text = json_string_value(json_object_get(ask, key));
	return text != NULL ? text : "";
}

/* Whatever a page hands on is no longer than what people read. */
#define TOLD_BYTES 300

bool agent_audit(
	const Asker *asker, MsEvent event, const char *about, const char *detail, GError **error)
{
	g_autofree char *what = ms_text_escape(about, -1, TOLD_BYTES);
	g_autofree char *more = ms_text_escape(detail, -1, TOLD_BYTES);
	return ms_audit_event(asker->agent->audit,
		asker->session != NULL ? asker->session->actor : NULL,
		agent_word(asker->ask, "client"), event, what, more, error);
}

/* False: there is no room for this one. */
static bool has_room_for_stranger(Agent *agent, guint *untold_out)
{
	gint64 now = g_get_monotonic_time();
	pthread_mutex_lock(&agent->lock);
	gint64 from = MAX(agent->strangers_from, now);
	bool room = from - now <= (AGENT_STRANGERS - 1) * AGENT_STRANGERS_US;
	if (room) {
		agent->strangers_from = from + AGENT_STRANGERS_US;
		*untold_out = agent->strangers_untold;
		agent->strangers_untold = 0;
	} else {
		agent->strangers_untold++;
	}
	pthread_mutex_unlock(&agent->lock);
	return room;
}

bool agent_audit_stranger(
	Agent *agent, MsEvent event, const AgentStranger *stranger, GError **error)
{
	guint untold = 0;
	if (!has_room_for_stranger(agent, &untold))
		return true;
	g_autofree char *before = untold > 0
		? g_strdup_printf("%s%u of nobody known before this had no room here",
			  *stranger->detail != '\0' ? "; " : "", untold)
		: g_strdup("");
	g_autofree char *about = ms_text_escape(stranger->about, -1, TOLD_BYTES);
	g_autofree char *detail = ms_text_escape(stranger->detail, -1, TOLD_BYTES);
	g_autofree char *all = g_strconcat(detail, before, NULL);
	return ms_audit_event(
		agent->audit, stranger->who, stranger->client, event, about, all, error);
}

/* ---- held mail ------------------------------------------------------------------------ */

static json_t *carry_on(Asker *asker, GError **error);
static json_t *hosts(Asker *asker, GError **error);

/* What the desk and the other hosts are asked for. */
static const AgentRow rows[] = {
	{"decide", BY_REVIEWER, false, carry_on},
	{"agree", BY_REVIEWER, true, carry_on},
	{"evidence", BY_REVIEWER, false, carry_on},
	{"explain", BY_REVIEWER, false, carry_on},
	{"part", BY_REVIEWER, false, carry_on},
	{"marks", BY_VIEWER, false, carry_on},
	{"streams", BY_VIEWER, false, carry_on},
	{"hosts", BY_VIEWER, false, hosts},
	{NULL},
};

static const AgentRow *row_of(const AgentRow *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

#define OTHER_HOST_MS 15000

static char *ask_desk(Agent *agent, const char *text)
{
	return ms_desk_request(agent->desk, text, strlen(text));
}

/* What the desk is asked: without what proved who it is, and in the name that we found. */
static json_t *for_desk(const json_t *ask, const char *who)
{
	static const char *const ours[] = {
		"session", "token", "password", "code", "host", "client", "device", "name"};
	json_t *out = json_copy((json_t *)ask);
	for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
		json_object_del(out, ours[i]);
	json_object_set_new(out, "who", json_string(who));
	return out;
}

/* Takes `what`. */
static char *text_of(json_t *what)
{
	char *text = json_dumps(what, JSON_COMPACT);
	char *copy = g_strdup(
		text != NULL ? text : "{\"ok\":false,\"error\":\"no reply could be made\"}");
	free(text);
	json_decref(what);
	return copy;
}

/* What the verb needs more than the request itself, and a right of its own within the role. */
static bool may_do(const MsSession *session, const json_t *ask, GError **error)
{
	const char *what = agent_word(ask, "do");
	MsVerb verb = strcmp(what, "decide") == 0 ? ms_verb_named(agent_word(ask, "verb"))
						  : MS_VERB_UNKNOWN;
	if (verb != MS_VERB_UNKNOWN && session->account->role < ms_verbs[verb].role)
		agent_refuse(error, AGENT_ROLE, "this account may not do this");
	else if (strcmp(what, "part") == 0 && !json_is_true(json_object_get(ask, "picture")) &&
		!session->account->download)
		agent_refuse(error, AGENT_ROLE, "this account may not download attached files");
	else
		return true;
	return false;
}

/* Takes `ask`.  The page gives each decision its name, so that who keeps what goes through Redis
 * and puts it there once more asks for nothing new. */
static char *ask_other(Asker *asker, const char *host, json_t *ask, GError **error)
{
	const MsSession *s = asker->session;
	g_autofree char *text = text_of(json_pack("{s:{s:s, s:s, s:s, s:b, s:b}, s:o}", "vouched",
		"by", ms_desk_settings(asker->agent->desk)->host, "who", s->actor, "role",
		ms_role_names[s->account->role], "download", (int)s->account->download, "proved",
		(int)asker->proved, "ask", ask));
	return ms_link_ask(asker->agent->several, host, text, OTHER_HOST_MS, error);
}

static json_t *carry_on(Asker *asker, GError **error)
{
	const char *host = agent_word(asker->ask, "host");
	bool here = asker->agent->several == NULL || *host == '\0'
		|| strcmp(host, ms_desk_settings(asker->agent->desk)->host) == 0;
	if (!may_do(asker->session, asker->ask, error))
		return NULL;
	json_t *ask = for_desk(asker->ask, asker->session->actor);
	g_autofree char *text = here ? text_of(ask) : NULL;
	g_autofree char *reply = here ? ask_desk(asker->agent, text)
				      : ask_other(asker, host, ask, error);
	json_t *out = reply != NULL ? json_loads(reply, 0, NULL) : NULL;
	if (out == NULL && reply != NULL)
		agent_refuse(error, AGENT_RETRY, "the host gave no answer");
	return out;
}

static json_t *hosts(Asker *asker, GError **error)
{
	g_autoptr(GPtrArray) list = asker->agent->several != NULL
		? ms_link_hosts(asker->agent->several, error)
		: g_ptr_array_new();
	if (list == NULL)
		return NULL;
	json_t *out = json_array();
	for (guint i = 0; i < list->len; i++) {
		const MsLinkHost *host = list->pdata[i];
		json_array_append_new(out,
			json_pack(
				"{s:s, s:I}", "name", host->name, "seen", (json_int_t)host->seen));
	}
	return json_pack("{s:o}", "hosts", out);
}

/* ---- who it is ------------------------------------------------------------------------ */

/* What a page asks by itself, with nobody before it, is no use of the session; but whom a proxy
 * names that logs out, and a new session would make what stands in his page void. */
static MsSession *session_of(Asker *asker, GError **error)
{
	const MsSettings *s = agent_settings(asker->agent);
	const char *token = agent_word(asker->ask, "token");
	gint64 idle = s->review.idle_ms * 1000;
	asker->session_id = agent_word(asker->ask, "session");
	if (*token != '\0')
		return ms_accounts_token(asker->agent->accounts, token, error);
	MsSession *session = *asker->session_id != '\0'
		? ms_accounts_session(asker->agent->accounts, asker->session_id, idle,
			  s->review.session_ms * 1000, error)
		: NULL;
	bool unattended = json_is_true(json_object_get(asker->ask, "unattended"));
	if (session != NULL && (!unattended || session->by == MS_BY_PROXY))
		ms_accounts_session_used(asker->agent->accounts, asker->session_id, idle);
	return session;
}

static bool is_allowed(Asker *asker, const AgentRow *row, GError **error)
{
	g_autoptr(GError) why = NULL;
	asker->session = session_of(asker, &why);
	if (why != NULL) {
		agent_refuse(error, AGENT_RETRY, "%s", why->message);
		return false;
	}
	if (row->by == BY_ANYBODY)
		return true;
	if (asker->session == NULL)
		agent_refuse(
			error, AGENT_SESSION, "the session has ended, or the token is not good");
	else if ((int)asker->session->account->role < (int)row->by - (int)BY_VIEWER)
		agent_refuse(error, AGENT_ROLE, "this account may not do this");
	else
		return true;
	return false;
}

/* What a program's token agrees to, a person does, who is named and proves it. */
static bool take_person(Asker *asker, MsTry *try, GError **error)
{
	if (asker->session->by != MS_BY_TOKEN)
		return true;
	if (strcmp(agent_word(asker->ask, "do"), "agree") != 0)
		return agent_refuse(error, AGENT_ROLE, "a token cannot do this") != NULL;
	const char *name = agent_word(asker->ask, "name");
	g_autoptr(MsAccount) account =
		*name != '\0' ? ms_accounts_find(asker->agent->accounts, name, NULL) : NULL;
	if (account == NULL || account->disabled || account->role < MS_ROLE_REVIEWER)
		return agent_refuse(error, AGENT_PROOF,
			       "who agrees? Name a reviewer, with his password or code") != NULL;
	g_free(asker->session->actor);
	asker->session->actor = g_strdup(account->name);
	ms_account_free(asker->session->account);
	asker->session->account = g_steal_pointer(&account);
	try->name = asker->session->account->name;
	try->device = "token";
	return true;
}

static bool has_proved(Asker *asker, MsLogin result, gint64 wait, GError **error)
{
	bool vouched = asker->session->by == MS_BY_PROXY &&
		agent_settings(asker->agent)->review.proxy_vouches;
	switch (result) {
	case MS_LOGIN_FINE: return true;
	case MS_LOGIN_WAIT:
		agent_refuse(error, AGENT_WAIT,
			"too many failed attempts; wait %" G_GINT64_FORMAT " seconds", wait);
		break;
	case MS_LOGIN_BUSY:
		agent_refuse(error, AGENT_WAIT, "too many log in now; try again");
		break;
	case MS_LOGIN_CODE:
		agent_refuse(error, AGENT_PROOF, "this needs a code of your second factor");
		break;
	case MS_LOGIN_UNABLE:
		if (vouched)
			return true;
		agent_refuse(error, AGENT_PROOF,
			"this needs a second factor, which your account has not (missent review totp)");
		break;
	case MS_LOGIN_WRONG:
		agent_refuse(error, AGENT_PROOF,
			asker->session->account->totp ? "the code is wrong"
						      : "the password is wrong");
		break;
	case MS_LOGIN_ERROR:
	case MS_N_LOGINS: agent_refuse(error, AGENT_RETRY, "nobody can prove anything now"); break;
	}
	return false;
}

#define PROOF_US (60 * (gint64)G_USEC_PER_SEC)

/* A group may lie on several hosts, each of which is asked: one proof is for all of that
 * decision, and for nothing else. */
static char *proof_key(const Asker *asker)
{
	const char *by = *asker->session_id != '\0' ? asker->session_id
						    : agent_word(asker->ask, "token");
	return strcmp(agent_word(asker->ask, "do"), "agree") == 0
		? g_strjoin(" ", by, asker->session->account->name, agent_word(asker->ask, "id"),
			  NULL)
		: NULL;
}

static gboolean is_old(gpointer key, gpointer value, gpointer now)
{
	(void)key;
	return *(gint64 *)now - *(gint64 *)value > PROOF_US;
}

static bool proved_before(const Asker *asker)
{
	g_autofree char *key = proof_key(asker);
	gint64 now = g_get_monotonic_time();
	pthread_mutex_lock(&asker->agent->lock);
	g_hash_table_foreach_remove(asker->agent->proofs, is_old, &now);
	bool there = key != NULL && g_hash_table_contains(asker->agent->proofs, key);
	pthread_mutex_unlock(&asker->agent->lock);
	return there;
}

static void note_proof(const Asker *asker)
{
	char *key = proof_key(asker);
	if (key == NULL)
		return;
	gint64 *now = g_new(gint64, 1);
	*now = g_get_monotonic_time();
	pthread_mutex_lock(&asker->agent->lock);
	g_hash_table_replace(asker->agent->proofs, key, now);
	pthread_mutex_unlock(&asker->agent->lock);
}

static bool prove(Asker *asker, GError **error)
{
	gint64 wait = 0;
	MsTry try = {.name = asker->session->account->name,
		.password = agent_word(asker->ask, "password"),
		.code = agent_word(asker->ask, "code"),
		.source = agent_word(asker->ask, "client"),
		.device = ""};
	if (!take_person(asker, &try, error))
		return false;
	if (proved_before(asker))
		return asker->proved = true;
	MsLogin result = ms_accounts_prove(asker->agent->accounts, &try, &wait, NULL);
	if (result == MS_LOGIN_WRONG || result == MS_LOGIN_WAIT)
		agent_audit(asker, MS_EVENT_PROOF_FAILED, "", agent_word(asker->ask, "do"), NULL);
	asker->proved = has_proved(asker, result, wait, error);
	if (asker->proved)
		note_proof(asker);
	return asker->proved;
}

/* Withdrawing lets nothing go. */
static bool needs_proof(const AgentRow *row, const json_t *ask)
{
	return row->proof &&
		(strcmp(row->name, "agree") != 0 || json_is_true(json_object_get(ask, "agrees")));
}

/* ---- answers -------------------------------------------------------------------------- */

static json_t *answer(Asker *asker, GError **error)
{
	const char *what = agent_word(asker->ask, "do");
	const AgentRow *row = row_of(rows, what);
	if (row == NULL)
		row = row_of(agent_people, what);
	if (row == NULL)
		return agent_refuse(error, AGENT_INPUT, "there is no such request");
	if (!is_allowed(asker, row, error) ||
		(needs_proof(row, asker->ask) && !prove(asker, error)))
		return NULL;
	return row->answer(asker, error);
}

static json_t *complaint(const GError *error)
{
	int code = error == NULL ? AGENT_INPUT
		: error->domain == AGENT_ERROR                     ? error->code
		: g_error_matches(error, MS_ERROR, MS_ERROR_INPUT) ? AGENT_INPUT
								   : AGENT_RETRY;
	return json_pack("{s:b, s:s, s:s}", "ok", 0, "error",
		error != NULL ? error->message : "this is no request", "code", code_names[code]);
}

static char *reply_of(json_t *out, const GError *error)
{
	if (out == NULL)
		out = complaint(error);
	else if (json_object_get(out, "ok") == NULL)
		json_object_set_new(out, "ok", json_true());
	return text_of(out);
}

json_t *agent_read(const char *json, gsize len)
{
	return json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
}

/* All of the desk's and the other hosts' may: documents are read, Redis and the MTA are asked. */
bool agent_is_slow(const json_t *ask)
{
	return row_of(rows, agent_word(ask, "do")) != NULL;
}

char *agent_answer(Agent *agent, const json_t *ask)
{
	g_autoptr(GError) error = NULL;
	Asker asker = {.agent = agent, .ask = ask, .session_id = ""};
	json_t *out = json_is_object(ask) ? answer(&asker, &error) : NULL;
	char *reply = reply_of(out, error);
	ms_session_free(asker.session);
	return reply;
}

/* The role is looked at again here: who vouches may be of another version. */
static json_t *vouched(Agent *agent, const json_t *outer, GError **error)
{
	const json_t *by = json_object_get(outer, "vouched"), *ask = json_object_get(outer, "ask");
	const AgentRow *row = json_is_object(ask) ? row_of(rows, agent_word(ask, "do")) : NULL;
	int role = ms_role_of(agent_word(by, "role"));
	MsAccount account = {.role = (MsRole)MAX(role, 0),
		.download = json_is_true(json_object_get(by, "download"))};
	MsSession session = {.account = &account};
	if (row == NULL || row->answer != carry_on || *agent_word(by, "who") == '\0')
		return agent_refuse(error, AGENT_INPUT, "nobody vouches for this request");
	if (role < (int)row->by - (int)BY_VIEWER || !may_do(&session, ask, error)
		|| (needs_proof(row, ask) && !json_is_true(json_object_get(by, "proved"))))
		return *error != NULL
			? NULL
			: agent_refuse(error, AGENT_ROLE, "this account may not do this");
	g_autofree char *text = text_of(for_desk(ask, agent_word(by, "who")));
	g_autofree char *reply = ask_desk(agent, text);
	return json_loads(reply, 0, NULL);
}

char *agent_vouched(const char *json, gsize len, void *agent)
{
	g_autoptr(GError) error = NULL;
	json_t *outer = agent_read(json, len);
	const json_t *trail = json_object_get(outer, "trail");
	json_t *out = trail != NULL ? agent_trail(agent, trail, &error)
				    : vouched(agent, outer, &error);
	char *reply = reply_of(out, error);
	json_decref(outer);
	return reply;
}
