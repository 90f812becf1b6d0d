/*
 * Whose request it is: a cookie, or a name that a trusted proxy gives, comes in; missent-agent
 * says whose session it is.  The page keeps no secret and believes nobody by name; what it
 * remembers, for some minutes in which the agent may be away, lets somebody see the lists, and do
 * nothing.  Threads of requests.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

#define WAIT_MS 60000
#define LOOK_ON_US (5 * 60 * (gint64)G_USEC_PER_SEC)

/* ---- asking --------------------------------------------------------------------------- */

static void add_asker(const Request *r, json_t *ask)
{
	json_object_set_new(ask, "client", json_string(r->client));
	if (r->token != NULL)
		json_object_set_new(ask, "token", json_string(r->token));
	else if (r->session_id != NULL && json_object_get(ask, "session") == NULL)
		json_object_set_new(ask, "session", json_string(r->session_id));
}

static const char *code_of(const char *name)
{
	static const char *const codes[] = {"input", "session", "role", "proof", "wait"};
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (strcmp(codes[i], name) == 0)
			return codes[i];
	return "retry";
}

json_t *ask_agent(const Request *r, json_t *ask, char **why_out, const char **code_out)
{
	g_autoptr(GError) error = NULL;
	add_asker(r, ask);
	char *text = json_dumps(ask, JSON_COMPACT);
	json_decref(ask);
	g_autofree char *reply = text != NULL
		? ms_link_ask(r->site->link, "", text, WAIT_MS, &error)
		: NULL;
	free(text);
	json_t *out = reply != NULL ? json_loads(reply, 0, NULL) : NULL;
	if (out != NULL && json_is_true(json_object_get(out, "ok")))
		return out;
	const char *why = json_string_value(json_object_get(out, "error"));
	const char *code = json_string_value(json_object_get(out, "code"));
	*why_out = g_strdup(error != NULL ? error->message
			: why != NULL     ? why
					  : "the host gave no answer");
	if (code_out != NULL)
		*code_out = out == NULL ? "retry" : code != NULL ? code_of(code) : "desk";
	json_decref(out);
	return NULL;
}

GPtrArray *hosts_of(const Request *r, char **why_out)
{
	json_t *reply = ask_agent(r, json_pack("{s:s}", "do", "hosts"), why_out, NULL);
	if (reply == NULL)
		return NULL;
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)ms_link_host_free);
	const json_t *hosts = json_object_get(reply, "hosts");
	for (size_t i = 0; i < json_array_size(hosts); i++) {
		const json_t *item = json_array_get(hosts, i);
		MsLinkHost *host = g_new0(MsLinkHost, 1);
		host->name = g_strdup(word(item, "name"));
		host->seen = json_integer_value(json_object_get(item, "seen"));
		g_ptr_array_add(list, host);
	}
	json_decref(reply);
	return list;
}

/* ---- what is remembered --------------------------------------------------------------- */

typedef struct {
	gint64 at;
	char *session; /* JSON */
} Vouched;

static void vouched_free(gpointer data)
{
	Vouched *v = data;
	g_free(v->session);
	g_free(v);
}

void session_cache_init(Site *site)
{
	pthread_mutex_init(&site->lock, NULL);
	site->vouched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, vouched_free);
	site->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void session_cache_clear(Site *site)
{
	g_clear_pointer(&site->vouched, g_hash_table_unref);
	g_clear_pointer(&site->clients, g_hash_table_unref);
	pthread_mutex_destroy(&site->lock);
}

static gboolean is_over(gpointer key, gpointer value, gpointer now)
{
	(void)key;
	return *(gint64 *)now - ((Vouched *)value)->at > LOOK_ON_US;
}

/* `session` NULL: it is not good any more. */
static void remember(Site *site, const char *id, const json_t *session)
{
	gint64 now = g_get_monotonic_time();
	char *text = session != NULL ? json_dumps(session, JSON_COMPACT) : NULL;
	pthread_mutex_lock(&site->lock);
	g_hash_table_foreach_remove(site->vouched, is_over, &now);
	if (text == NULL) {
		g_hash_table_remove(site->vouched, id);
	} else {
		Vouched *v = g_new0(Vouched, 1);
		v->at = now;
		v->session = g_strdup(text);
		g_hash_table_replace(site->vouched, g_strdup(id), v);
	}
	pthread_mutex_unlock(&site->lock);
	free(text);
}

void session_forget(const Request *r)
{
	if (r->session_id != NULL)
		remember(r->site, r->session_id, NULL);
}

static json_t *recall(Site *site, const char *id)
{
	pthread_mutex_lock(&site->lock);
	const Vouched *v = g_hash_table_lookup(site->vouched, id);
	json_t *out = v != NULL && g_get_monotonic_time() - v->at <= LOOK_ON_US
		? json_loads(v->session, 0, NULL)
		: NULL;
	pthread_mutex_unlock(&site->lock);
	return out;
}

/* ---- whose it is ---------------------------------------------------------------------- */

static MsSession *session_from(const json_t *json)
{
	if (!json_is_object(json))
		return NULL;
	MsSession *s = g_new0(MsSession, 1);
	s->account = g_new0(MsAccount, 1);
	s->account->name = g_strdup(word(json, "name"));
	s->account->role = (MsRole)MAX(ms_role_of(word(json, "role")), 0);
	s->account->download = json_is_true(json_object_get(json, "download"));
	s->account->password = json_is_true(json_object_get(json, "password"));
	s->account->totp = json_is_true(json_object_get(json, "totp"));
	s->actor = g_strdup(word(json, "actor"));
	s->csrf = g_strdup(word(json, "csrf"));
	for (int i = 0; i < MS_N_BY; i++)
		if (strcmp(ms_by_names[i], word(json, "by")) == 0)
			s->by = (MsBy)i;
	return s;
}

/* Only to look on: the agent checks again what is to be done. */
static MsSession *session_of(const Request *r, const char *id)
{
	g_autofree char *why = NULL;
	const char *code = NULL;
	json_t *reply = ask_agent(r,
		json_pack("{s:s, s:s, s:b}", "do", "session", "session", id, "unattended",
			(int)(strcmp(r->path, "/counter") == 0 && *query(r, "typed") == '\0')),
		&why, &code);
	json_t *json = reply != NULL ? json_incref(json_object_get(reply, "session"))
		: strcmp(code, "retry") == 0 ? recall(r->site, id)
					     : NULL;
	if (reply != NULL)
		remember(r->site, id, json_is_object(json) ? json : NULL);
	MsSession *session = session_from(json);
	json_decref(json);
	json_decref(reply);
	return session;
}

void find_token(Request *r, char **why_out, const char **code_out)
{
	json_t *reply = ask_agent(r, json_pack("{s:s}", "do", "session"), why_out, code_out);
	r->session = session_from(json_object_get(reply, "session"));
	json_decref(reply);
}

/* A trusted proxy names the user: a session is still made, for its token.  A session of somebody
 * else, left over in the browser, does not count.  Of two names one may be what the client wrote:
 * neither counts. */
static void admit(Request *r, Answer *a)
{
	guint n = 0;
	g_autofree char *name = from_proxy(r)
		? header_lines(r, r->site->settings->review.proxy_header, &n)
		: g_strdup("");
	g_autofree char *why = NULL;
	if (*name == '\0')
		return;
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	if (n == 1 && r->session != NULL && is_person(r, valid))
		return;
	g_clear_pointer(&r->session, ms_session_free);
	g_clear_pointer(&r->session_id, g_free);
	if (n > 1)
		return;
	json_t *reply = ask_agent(
		r, json_pack("{s:s, s:s}", "do", "admit", "name", valid), &why, NULL);
	if (reply == NULL)
		return;
	r->session_id = g_strdup(word(reply, "session"));
	json_decref(reply);
	r->session = session_of(r, r->session_id);
	a->cookie = cookie_of(r, "missent", r->session_id, 0);
}

static bool is_id(const char *id)
{
	return id != NULL && strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

void find_session(Request *r, Answer *a)
{
	const char *id = cookie(r, "missent"), *device = cookie(r, "missent-browser");
	if (is_id(device))
		r->device = g_strdup(device);
	if (is_id(id)) {
		r->session_id = g_strdup(id);
		r->session = session_of(r, id);
	}
	admit(r, a);
}

/* ---- for whom a proxy asks ------------------------------------------------------------ */

static bool is_proxy(const Request *r, const char *address)
{
	for (const char *const *p = r->site->settings->review.proxy_peers; *p != NULL; p++)
		if (ms_network_contains(*p, address))
			return true;
	return false;
}

bool from_proxy(const Request *r)
{
	return is_proxy(r, r->peer);
}

/* "[2001:db8::1]:4711", "192.0.2.1:4711", "192.0.2.1"; NULL: no address. */
static char *address_of(const char *text)
{
	g_autofree char *bare = g_strstrip(g_strdup(text));
	char *colon = strchr(bare, ':'), buffer[sizeof(struct in6_addr)];
	if (*bare == '[') {
		char *end = strchr(bare, ']');
		if (end != NULL)
			*end = '\0';
		memmove(bare, bare + 1, strlen(bare));
	} else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		*colon = '\0';
	}
	return inet_pton(AF_INET, bare, buffer) == 1 || inet_pton(AF_INET6, bare, buffer) == 1
		? g_steal_pointer(&bare)
		: NULL;
}

/* Each proxy adds, at the end, for whom it asks: the last that is no proxy of ours is the client;
 * what stands before it the client wrote itself. */
char *client_of(const Request *r)
{
	guint n;
	g_autofree char *text = from_proxy(r)
		? header_lines(r, r->site->settings->review.proxy_address, &n)
		: g_strdup("");
	for (char *comma = text; comma != NULL && *text != '\0';) {
		comma = strrchr(text, ',');
		g_autofree char *address = address_of(comma != NULL ? comma + 1 : text);
		if (address == NULL)
			break;
		if (!is_proxy(r, address))
			return g_steal_pointer(&address);
		if (comma != NULL)
			*comma = '\0';
	}
	return g_strdup(r->peer);
}
