/*
 * Who may ask the agent for what, in one process: each request by each role, what has to be proved
 * anew, programs with tokens, what another host's agent vouches for, and who may knock at all.
 */
#include "config.h"

#include "../../milter/agent/door.c"

#include "../test.h"
#include "../trail.h"
#include "world.h"

#define PASSWORD "correct horse battery"
#define NOBODY 65534

atomic_bool agent_stopping;

void agent_watch(Agent *agent)
{
	(void)agent;
}

json_t *agent_trail(Agent *agent, const json_t *ask, GError **error)
{
	(void)agent;
	(void)ask;
	return agent_refuse(error, AGENT_RETRY, "another test has trails");
}

const MsSettings *agent_settings(Agent *agent)
{
	return agent->settings;
}

/* ---- a host and its people -------------------------------------------------------------- */

/* "gone" may do nothing any more. */
enum { NONE, VERA, BERT, ANNA, N_PEOPLE };
static const char *const names[N_PEOPLE] = {NULL, "vera", "bert", "anna"};

typedef struct {
	World *w;
	Agent agent;
	char *sessions[N_PEOPLE];
} Host;

static void add_person(
	Host *h, const char *name, MsRole role, bool disabled, const char *password)
{
	g_autoptr(GError) error = NULL;
	MsAccount account = {.name = (char *)name, .role = role, .disabled = disabled};
	g_assert_true(ms_accounts_put(h->agent.accounts, &account, password, &error));
}

static void begin_session(Host *h, int who, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_free(h->sessions[who]);
	h->sessions[who] = ms_accounts_admit(h->agent.accounts, name, &error);
	g_assert_no_error(error);
}

/* Who has no password came by way of a proxy. */
static Host *host_with(const char *settings, const char *desk, const char *password)
{
	Host *h = g_new0(Host, 1);
	g_autoptr(GError) error = NULL;
	h->w = world_new(settings, desk);
	h->agent = (Agent){.config = h->w->config, .lock = PTHREAD_MUTEX_INITIALIZER, .page = 4711};
	h->agent.desk = world_desk(h->w);
	h->agent.settings = ms_settings_load(h->w->config, &error);
	g_assert_no_error(error);
	g_autofree char *path = g_build_filename(h->w->state, "accounts.db", NULL);
	h->agent.accounts = ms_accounts_open(path, &h->agent.settings->desk.people, &error);
	g_assert_no_error(error);
	h->agent.audit = ms_audit_new(h->agent.settings->audit_file);
	h->agent.proofs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	add_person(h, "gone", MS_ROLE_REVIEWER, true, password);
	for (int who = VERA; who < N_PEOPLE; who++) {
		add_person(h, names[who], (MsRole)(who - VERA), false, password);
		begin_session(h, who, names[who]);
	}
	return h;
}

static Host *host_new(const char *settings, const char *desk)
{
	return host_with(settings, desk, PASSWORD);
}

static void host_free(Host *h)
{
	for (int who = 0; who < N_PEOPLE; who++)
		g_free(h->sessions[who]);
	g_hash_table_unref(h->agent.proofs);
	ms_audit_free(h->agent.audit);
	ms_accounts_free(h->agent.accounts);
	ms_settings_free(h->agent.settings);
	ms_desk_free(h->agent.desk);
	world_free(h->w);
	g_free(h);
}

static char *asked(Host *h, const char *key, const char *secret, const char *ask)
{
	g_autofree char *text = g_strdup_printf("{\"%s\":\"%s\",\"client\":\"192.0.2.1\",%s}", key,
		secret != NULL ? secret : "", ask);
	json_t *json = agent_read(text, strlen(text));
	g_assert_nonnull(json);
	char *reply = agent_answer(&h->agent, json);
	json_decref(json);
	return reply;
}

/* "ok", the code of a refusal, or "desk": it came as far as the desk, which refused it. */
static char *code_in(const char *reply)
{
	json_t *json = json_loads(reply, 0, NULL);
	const char *code = json_string_value(json_object_get(json, "code"));
	char *out = g_strdup(json_is_true(json_object_get(json, "ok")) ? "ok"
			: code != NULL                                 ? code
								       : "desk");
	json_decref(json);
	return out;
}

static char *code_of(Host *h, int who, const char *ask)
{
	g_autofree char *reply = asked(h, "session", h->sessions[who], ask);
	return code_in(reply);
}

#define GETS(h, who, ask, want)                                                                    \
	do {                                                                                       \
		g_autofree char *got_ = code_of(h, who, ask);                                      \
		if (strcmp(got_, want) != 0)                                                       \
			g_error("%s:%d: %s: %s: got %s, want %s", __FILE__, __LINE__,              \
				names[who] != NULL ? names[who] : "nobody", ask, got_, want);      \
	} while (0)

static guint count_in(const char *text, const char *part)
{
	guint n = 0;
	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

/* So many lines of the trail have it. */
static guint audited(Host *h, const char *part)
{
	g_autofree char *text = trail_text(h->agent.settings->audit_file);
	return count_in(text, part);
}

/* ---- roles ------------------------------------------------------------------------------ */

#define UID "\"uid\":\"0123456789abcdef\""
#define NEW(name) "\"do\":\"account-put\",\"about\":\"" name "\",\"role\":\"administrator\""

/* What nobody, who may only look, a reviewer and an administrator get. */
static const struct {
	const char *name, *ask, *want[N_PEOPLE];
} roles[] = {
	{"hello", "", {"ok", "ok", "ok", "ok"}},
	{"session", "", {"ok", "ok", "ok", "ok"}},
	{"login", "\"name\":\"nobody\",\"password\":\"x\"", {"ok", "ok", "ok", "ok"}},
	{"admit", "\"name\":\"anna\"", {"role", "role", "role", "role"}},
	{"tell", "\"event\":\"search\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"look\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"reveal\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"picture\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"download\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"decide\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"agree\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"withdraw\"", {"session", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"forged form\"", {"ok", "ok", "ok", "ok"}},
	{"tell", "\"event\":\"release\"", {"input", "input", "input", "input"}},
	{"decide", "\"verb\":\"note\",\"uids\":[\"0123456789abcdef\"],\"why\":\"x\"",
		{"session", "role", "desk", "desk"}},
	{"agree", "\"id\":\"0123456789abcdef\",\"agrees\":true",
		{"session", "role", "proof", "proof"}},
	{"agree", "\"id\":\"0123456789abcdef\",\"agrees\":false",
		{"session", "role", "desk", "desk"}},
	{"evidence", UID, {"session", "role", "desk", "desk"}},
	{"explain", UID, {"session", "role", "desk", "desk"}},
	{"part", UID ",\"path\":\"1\",\"picture\":true", {"session", "role", "desk", "desk"}},
	{"part", UID ",\"path\":\"1\",\"picture\":false", {"session", "role", "role", "role"}},
	{"part", UID ",\"path\":\"1\"", {"session", "role", "role", "role"}},
	{"marks", "\"text\":\"C-10001\"", {"session", "ok", "ok", "ok"}},
	{"streams", "", {"session", "ok", "ok", "ok"}},
	{"hosts", "", {"session", "ok", "ok", "ok"}},
	{"password", "\"new-password\":\"" PASSWORD "\"", {"session", "proof", "proof", "proof"}},
	{"totp-confirm", "\"new-code\":\"123456\"", {"session", "proof", "proof", "proof"}},
	{"totp-end", "", {"session", "proof", "proof", "proof"}},
	{"totp-begin", "", {"session", "ok", "ok", "ok"}},
	{"accounts", "", {"session", "role", "role", "ok"}},
	{"tokens", "", {"session", "role", "role", "ok"}},
	{"account-put", NEW("bert"), {"session", "role", "role", "proof"}},
	{"account-delete", "\"about\":\"bert\"", {"session", "role", "role", "proof"}},
	{"token-add", "\"about\":\"t\",\"role\":\"viewer\"", {"session", "role", "role", "proof"}},
	{"token-delete", "\"about\":\"t\"", {"session", "role", "role", "proof"}},
	{"logout", "", {"ok", "ok", "ok", "ok"}},
	{"marks", "\"text\":\"C-10001\"", {"session", "session", "session", "session"}},
};

static void test_roles(void)
{
	Host *h = host_with("", "", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		for (int who = NONE; who < N_PEOPLE; who++) {
			bool own = g_str_has_prefix(roles[i].ask, "\"do\"");
			g_autofree char *ask = own ? g_strdup(roles[i].ask)
						   : g_strdup_printf("\"do\":\"%s\"%s%s",
							     roles[i].name,
							     *roles[i].ask != '\0' ? "," : "",
							     roles[i].ask);
			GETS(h, who, ask, roles[i].want[who]);
		}
	for (const AgentRow *row = agent_people; row->name != NULL; row++) {
		bool there = false;
		for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
			there = there || strcmp(roles[i].name, row->name) == 0;
		if (!there)
			g_error("nobody has tried who may ask for %s", row->name);
	}
	g_assert_cmpuint(audited(h, "\"event\":\"account\""), ==, 0);
	g_assert_cmpuint(audited(h, "\"event\":\"note\""), ==, 0);
	/* An account that is taken away, or whose role is, may no more. */
	begin_session(h, BERT, "bert");
	begin_session(h, ANNA, "anna");
	add_person(h, "bert", MS_ROLE_VIEWER, false, NULL);
	GETS(h, BERT, "\"do\":\"marks\",\"text\":\"x\"", "session");
	add_person(h, "anna", MS_ROLE_ADMINISTRATOR, true, NULL);
	GETS(h, ANNA, "\"do\":\"accounts\"", "session");
	host_free(h);
}

/* Attached files are for who may download them; pictures of them for reviewers. */
static void test_download(void)
{
	Host *h = host_new("", "");
	g_autoptr(GError) error = NULL;
	MsAccount bert = {.name = (char *)"bert", .role = MS_ROLE_REVIEWER, .download = true};
	g_assert_true(ms_accounts_put(h->agent.accounts, &bert, NULL, &error));
	begin_session(h, BERT, "bert");
	GETS(h, BERT, "\"do\":\"part\"," UID ",\"path\":\"1\"", "desk");
	GETS(h, ANNA, "\"do\":\"part\"," UID ",\"path\":\"1\"", "role");
	host_free(h);
}

/* ---- what is proved anew ----------------------------------------------------------------- */

/* A release to somebody whom the message does not belong to, by `who`; the decision's ID. */
static char *waiting(Host *h, const char *who)
{
	g_autofree char *uid = world_hold(h->w, &(WorldHold){0});
	g_autofree char *said = world_said(
		h->agent.desk, &(WorldAsk){"release", uid, .who = who, .others = 1});
	g_assert_cmpstr(said, ==, "waiting: ");
	g_autoptr(MsRecord) r = world_record(h->w, uid);
	return g_strdup(((MsDecision *)r->decisions->pdata[0])->id);
}

static char *agreeing(const char *id, const char *more)
{
	return g_strdup_printf("\"do\":\"agree\",\"id\":\"%s\",\"agrees\":true%s", id, more);
}

static void test_proof(void)
{
	Host *h = host_new("", " two-person-above = 2\n");
	g_autofree char *first = waiting(h, "bert"), *second = waiting(h, "bert");
	g_autofree char *bare = agreeing(first, ""), *other = agreeing(second, "");
	g_autofree char *wrong = agreeing(first, ",\"password\":\"wrong\"");
	g_autofree char *right = agreeing(first, ",\"password\":\"" PASSWORD "\"");
	GETS(h, ANNA, bare, "proof");
	GETS(h, ANNA, wrong, "proof");
	g_assert_cmpuint(audited(h, "\"event\":\"failed proof\",\"who\":\"anna\""), ==, 2);
	GETS(h, ANNA, right, "ok");
	g_assert_cmpuint(audited(h, "\"event\":\"failed proof\",\"who\":\"anna\""), ==, 2);
	/* One proof is for all hosts that have a part of that decision, and for nothing else. */
	GETS(h, ANNA, bare, "desk");
	GETS(h, ANNA, other, "proof");
	GETS(h, BERT, bare, "proof");
	GETS(h, ANNA, NEW("vera"), "proof");
	GETS(h, ANNA, NEW("vera") ",\"password\":\"" PASSWORD "\"", "ok");
	GETS(h, ANNA, NEW("vera"), "proof");
	/* Who guesses waits, and is on record. */
	guint guesses = 0;
	for (g_autofree char *code = g_strdup("proof"); strcmp(code, "proof") == 0; guesses++) {
		g_assert_cmpuint(guesses, <, 50);
		g_free(code);
		code = code_of(h, BERT, "\"do\":\"totp-end\",\"password\":\"guess\"");
		if (strcmp(code, "proof") != 0)
			g_assert_cmpstr(code, ==, "wait");
	}
	GETS(h, BERT, "\"do\":\"totp-end\",\"password\":\"" PASSWORD "\"", "wait");
	/* ... also while he waits; that bare one and the last one, too. */
	g_assert_cmpuint(
		audited(h, "\"event\":\"failed proof\",\"who\":\"bert\""), ==, guesses + 2);
	host_free(h);
}

/* How many the trail says had no room there. */
static guint told_of(const Host *h)
{
	g_autofree char *trail = trail_text(h->agent.settings->audit_file);
	guint sum = 0;
	for (const char *p = trail; (p = strstr(p, " of nobody known before this")) != NULL; p++) {
		const char *from = p;
		while (g_ascii_isdigit(from[-1]))
			from--;
		g_assert_true(from < p);
		sum += (guint)strtoul(from, NULL, 10);
	}
	return sum;
}

/* Whoever reaches the page may ask as often as he likes, and as much at a time: what is written of
 * it is bounded, and says that it was. */
static void test_strangers(void)
{
	Host *h = host_new("", "");
	g_autofree char *path = g_strnfill(20000, 'a');
	g_autofree char *forged = g_strdup_printf(
		"\"do\":\"tell\",\"event\":\"forged form\",\"detail\":\"/message/%s\"", path);
	for (guint i = 0; i < 500; i++) {
		GETS(h, NONE, forged, "ok");
		GETS(h, NONE, "\"do\":\"login\",\"name\":\"gone\",\"password\":\"\"", "ok");
	}
	guint written = audited(h, "\"event\":\"forged form\",\"who\":null") +
		audited(h, "\"event\":\"failed log-in\"");
	g_assert_cmpuint(written, >=, AGENT_STRANGERS);
	g_assert_cmpuint(written, <, AGENT_STRANGERS + 60);
	h->agent.strangers_from = 0; /* it is later */
	GETS(h, NONE, forged, "ok");
	/* On a slow machine some were told of meanwhile. */
	g_assert_cmpuint(told_of(h), ==, 1000 - written);
	GETS(h, NONE, forged, "ok");
	g_assert_cmpuint(told_of(h), ==, 1000 - written);
	/* Whom it knows it knows each time. */
	for (guint i = 0; i < 200; i++)
		GETS(h, VERA, forged, "ok");
	g_assert_cmpuint(audited(h, "\"event\":\"forged form\",\"who\":\"vera\""), ==, 200);
	g_autofree char *trail = trail_text(h->agent.settings->audit_file);
	g_assert_cmpuint(strlen(trail), <, 400 * 700);
	host_free(h);
}

/* Nobody takes his own rights away; what an administrator does is on record before it is done. */
static void test_accounts(void)
{
#define MINE ",\"password\":\"" PASSWORD "\""
	static const struct {
		const char *ask, *want;
	} rows[] = {
		{"\"do\":\"account-put\",\"about\":\"vera\",\"role\":\"king\"" MINE, "input"},
		{"\"do\":\"account-put\",\"about\":\"anna\",\"role\":\"reviewer\"" MINE, "input"},
		{"\"do\":\"account-put\",\"about\":\" Anna\",\"role\":\"reviewer\"" MINE, "input"},
		{"\"do\":\"account-put\",\"about\":\"anna\",\"role\":\"administrator\","
		 "\"disabled\":true" MINE,
			"input"},
		{"\"do\":\"account-delete\",\"about\":\"anna\"" MINE, "input"},
		{"\"do\":\"account-delete\",\"about\":\"ANNA\"" MINE, "input"},
		{"\"do\":\"account-delete\",\"about\":\"nobody\"" MINE, "input"},
		{"\"do\":\"account-delete\",\"about\":\"gone\"" MINE, "ok"},
		{"\"do\":\"account-put\",\"about\":\"carl\",\"role\":\"reviewer\","
		 "\"download\":true" MINE,
			"ok"},
		{"\"do\":\"account-put\",\"about\":\"vera\",\"role\":\"viewer\","
		 "\"disabled\":true" MINE,
			"ok"},
		{"\"do\":\"token-add\",\"about\":\"t\",\"role\":\"king\"" MINE, "input"},
		{"\"do\":\"token-add\",\"about\":\"t\",\"role\":\"viewer\",\"days\":-1" MINE, "input"},
		{"\"do\":\"token-add\",\"about\":\"t\",\"role\":\"viewer\",\"days\":36501" MINE, "input"},
		{"\"do\":\"token-add\",\"about\":\"t\",\"role\":\"viewer\",\"days\":36500" MINE, "ok"},
		{"\"do\":\"token-delete\",\"about\":\"t\"" MINE, "ok"},
		/* her own, as it is: her sessions end, as anybody's whose account is changed */
		{"\"do\":\"account-put\",\"about\":\"anna\",\"role\":\"administrator\"" MINE, "ok"},
		{"\"do\":\"accounts\"", "session"},
	};
	Host *h = host_new("", "");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		GETS(h, ANNA, rows[i].ask, rows[i].want);
	g_autoptr(MsAccount) gone = ms_accounts_find(h->agent.accounts, "gone", NULL);
	g_autoptr(MsAccount) anna = ms_accounts_find(h->agent.accounts, "anna", NULL);
	g_autoptr(MsAccount) carl = ms_accounts_find(h->agent.accounts, "carl", NULL);
	g_assert_null(gone);
	g_assert_true(anna->role == MS_ROLE_ADMINISTRATOR && !anna->disabled);
	g_assert_true(carl->role == MS_ROLE_REVIEWER && carl->download && !carl->disabled);
	g_assert_cmpuint(audited(h, "\"event\":\"account\",\"who\":\"anna\""), ==, 3);
	g_assert_cmpuint(audited(h, "\"carl: reviewer, download\""), ==, 1);
	g_assert_cmpuint(audited(h, "\"vera: viewer, disabled\""), ==, 1);
	g_assert_cmpuint(audited(h, "\"anna: administrator\""), ==, 1);
	g_assert_cmpuint(audited(h, "\"event\":\"account deleted\",\"who\":\"anna\""), ==, 1);
	g_assert_cmpuint(audited(h, "\"event\":\"token\",\"who\":\"anna\""), ==, 1);
	g_assert_cmpuint(audited(h, "\"event\":\"token deleted\",\"who\":\"anna\""), ==, 1);
	host_free(h);
}

/* ---- programs --------------------------------------------------------------------------- */

static void test_tokens(void)
{
	Host *h = host_new("", " two-person-above = 2\n");
	g_autoptr(GError) error = NULL;
	MsToken all = {.name = (char *)"all", .owner = (char *)"anna",
		.role = MS_ROLE_ADMINISTRATOR};
	g_autofree char *token = ms_accounts_token_add(h->agent.accounts, &all, &error);
	g_assert_no_error(error);
	g_autofree char *id = waiting(h, "carl");
	const struct {
		const char *more, *want;
	} rows[] = {
		{"", "proof"},
		{",\"password\":\"" PASSWORD "\"", "proof"},
		{",\"name\":\"vera\",\"password\":\"" PASSWORD "\"", "proof"},
		{",\"name\":\"gone\",\"password\":\"" PASSWORD "\"", "proof"},
		{",\"name\":\"nobody\",\"password\":\"" PASSWORD "\"", "proof"},
		{",\"name\":\"bert\"", "proof"},
		{",\"name\":\"bert\",\"password\":\"wrong\"", "proof"},
		{",\"name\":\"bert\",\"password\":\"" PASSWORD "\"", "ok"},
	};
	static const char *const of_people[] = {
		"\"do\":\"password\",\"new-password\":\"" PASSWORD "\"" MINE,
		"\"do\":\"totp-begin\"", "\"do\":\"totp-confirm\",\"new-code\":\"123456\"" MINE,
		"\"do\":\"totp-end\"" MINE, NEW("vera") MINE,
		"\"do\":\"token-add\",\"about\":\"t\",\"role\":\"viewer\"" MINE};
	for (gsize i = 0; i < G_N_ELEMENTS(of_people); i++) {
		g_autofree char *reply = asked(h, "token", token, of_people[i]),
				*code = code_in(reply);
		g_assert_cmpstr(code, ==, "role");
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *ask = agreeing(id, rows[i].more);
		g_autofree char *reply = asked(h, "token", token, ask), *code = code_in(reply);
		if (strcmp(code, rows[i].want) != 0)
			g_error("%s: got %s, want %s", rows[i].more, reply, rows[i].want);
	}
	g_assert_cmpuint(audited(h, "\"event\":\"agree\",\"who\":\"bert\""), ==, 1);
	g_autofree char *reply = asked(h, "token", "no-token", "\"do\":\"accounts\""),
			*code = code_in(reply);
	g_assert_cmpstr(code, ==, "session");
	host_free(h);
}

/* ---- whom a proxy names ------------------------------------------------------------------- */

static void test_proxy(void)
{
	Host *h = host_new("review { proxy-peers = {\"127.0.0.1\"} }\n", " two-person-above = 2\n");
	g_autofree char *id = waiting(h, "bert");
	g_autofree char *agree = agreeing(id, "");
	add_person(h, "carl", MS_ROLE_REVIEWER, false, NULL);
	GETS(h, NONE, "\"do\":\"admit\",\"name\":\"nobody\"", "session");
	GETS(h, NONE, "\"do\":\"admit\",\"name\":\"gone\"", "session");
	GETS(h, NONE, "\"do\":\"admit\",\"name\":\"carl\"", "ok");
	g_assert_cmpuint(audited(h, "\"event\":\"log-in\",\"who\":\"carl\""), ==, 1);
	begin_session(h, BERT, "carl");
	/* He has nothing to prove it with, unless the proxy vouches for that too. */
	GETS(h, BERT, agree, "proof");
	h->agent.settings->review.proxy_vouches = true;
	GETS(h, BERT, agree, "ok");
	host_free(h);
}

/* ---- what another host's agent vouches for -------------------------------------------- */

#define BY(who, role, more) "{\"vouched\":{\"by\":\"mx2\",\"who\":\"" who "\",\"role\":\"" role "\"" more "},"
#define REQUEST(ask) "\"ask\":{" ask "}}"
#define NOTE "\"do\":\"decide\",\"verb\":\"note\",\"uids\":[\"0123456789abcdef\"],\"why\":\"x\""
#define AGREE(yes) "\"do\":\"agree\",\"id\":\"0123456789abcdef\",\"agrees\":" yes
#define PART "\"do\":\"part\"," UID ",\"path\":\"1\""

static void test_vouched(void)
{
	static const struct {
		const char *outer, *want;
	} rows[] = {
		{BY("anna", "reviewer", "") REQUEST(NOTE), "desk"},
		{BY("anna", "administrator", "") REQUEST(NOTE), "desk"},
		{BY("anna", "viewer", "") REQUEST(NOTE), "role"},
		{BY("anna", "king", "") REQUEST(NOTE), "role"},
		{BY("", "reviewer", "") REQUEST(NOTE), "input"},
		{BY("anna", "viewer", "") REQUEST("\"do\":\"evidence\"," UID), "role"},
		{BY("anna", "viewer", "") REQUEST("\"do\":\"marks\",\"text\":\"x\""), "ok"},
		{BY("anna", "", "") REQUEST("\"do\":\"marks\",\"text\":\"x\""), "role"},
		{BY("anna", "reviewer", "") REQUEST(AGREE("true")), "role"},
		{BY("anna", "reviewer", ",\"proved\":false") REQUEST(AGREE("true")), "role"},
		{BY("anna", "viewer", ",\"proved\":true") REQUEST(AGREE("true")), "role"},
		{BY("anna", "reviewer", ",\"proved\":true") REQUEST(AGREE("true")), "desk"},
		{BY("anna", "reviewer", "") REQUEST(AGREE("false")), "desk"},
		{BY("anna", "reviewer", "") REQUEST(PART), "role"},
		{BY("anna", "reviewer", ",\"download\":true") REQUEST(PART), "desk"},
		{BY("anna", "reviewer", "") REQUEST(PART ",\"picture\":true"), "desk"},
		/* nothing else crosses hosts */
		{BY("anna", "administrator", "") REQUEST("\"do\":\"hosts\""), "input"},
		{BY("anna", "administrator", ",\"proved\":true") REQUEST(NEW("vera")), "input"},
		{BY("anna", "administrator", "") REQUEST("\"do\":\"accounts\""), "input"},
		{BY("anna", "administrator", "") "\"ask\":[]}", "input"},
		{"{\"ask\":{" NOTE "}}", "input"},
		{"{}", "input"},
		{"", "input"},
	};
	Host *h = host_new("", "");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *copy = exact_copy(rows[i].outer, strlen(rows[i].outer));
		g_autofree char *reply = agent_vouched(copy, strlen(rows[i].outer), &h->agent),
				*code = code_in(reply);
		if (strcmp(code, rows[i].want) != 0)
			g_error("%s: got %s, want %s", rows[i].outer, reply, rows[i].want);
	}
	/* It is done in the name that is vouched for, whatever the request says. */
	g_autofree char *uid = world_hold(h->w, &(WorldHold){0});
	g_autofree char *outer = g_strdup_printf(
		BY("anna", "reviewer", "") REQUEST("\"do\":\"decide\",\"verb\":\"note\",\"uids\":[\"%s\"],"
						   "\"why\":\"x\",\"who\":\"mallory\""),
		uid);
	g_autofree char *reply = agent_vouched(outer, strlen(outer), &h->agent),
			*code = code_in(reply);
	g_assert_cmpstr(code, ==, "ok");
	g_assert_cmpuint(audited(h, "mallory"), ==, 0);
	g_assert_cmpuint(audited(h, "\"event\":\"note\",\"who\":\"anna\""), >, 0);
	host_free(h);
}

/* ---- the door --------------------------------------------------------------------------- */

static void test_knocks(void)
{
	Agent agent = {.page = 4711};
	g_assert_true(may_ask(&agent, 0));
	g_assert_true(may_ask(&agent, geteuid()));
	g_assert_true(may_ask(&agent, 4711));
	g_assert_false(may_ask(&agent, 4712));
	agent.page = (uid_t)-1; /* there is no such user */
	g_assert_false(may_ask(&agent, 4711));
	g_assert_false(may_ask(&agent, (uid_t)-1));
}

typedef struct {
	int fd;
	const char *text;
	gsize len;
} Said;

static gpointer say(gpointer user)
{
	const Said *said = user;
	ms_link_send(said->fd, said->text, said->len);
	return NULL;
}

/* The reply to that, of a visitor who is `uid`. */
static char *visited(Host *h, uid_t uid, const char *text, gsize len)
{
	Door door = {.agent = &h->agent};
	int fds[2];
	g_assert_cmpint(seteuid(uid), ==, 0);
	int made = socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	g_assert_cmpint(seteuid(getuid()), ==, 0);
	g_assert_cmpint(made, ==, 0);
	Visit *visit = g_new0(Visit, 1);
	visit->fd = fds[0];
	Said said = {fds[1], text, len};
	GThread *thread = g_thread_new("say", say, &said);
	receive(visit, &door);
	g_thread_join(thread);
	char *reply = ms_link_receive(fds[1], MS_DESK_REQUEST_MAX, &len);
	close(fds[1]);
	return reply;
}

static void test_door(void)
{
	Host *h = host_new("", "");
	static const char hello[] = "{\"do\":\"hello\"}";
	g_autofree char *large = g_strnfill(MS_DESK_REQUEST_MAX + 1, ' ');
	g_autofree char *fine = visited(h, geteuid(), hello, strlen(hello)),
			*much = visited(h, geteuid(), large, MS_DESK_REQUEST_MAX + 1);
	g_assert_nonnull(strstr(fine, "\"accounts\":4"));
	g_assert_cmpstr(much, ==, TOO_LARGE);
	if (getuid() == 0) {
		g_autofree char *stranger = visited(h, NOBODY, hello, strlen(hello));
		g_assert_nonnull(strstr(stranger, "\"code\":\"role\""));
		g_assert_null(strstr(stranger, "accounts"));
		h->agent.page = NOBODY;
		g_autofree char *page = visited(h, NOBODY, hello, strlen(hello));
		g_assert_nonnull(strstr(page, "\"accounts\":4"));
	}
	host_free(h);
}

/* ---- all of them ------------------------------------------------------------------------ */

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/agent/roles", test_roles);
	g_test_add_func("/agent/download", test_download);
	g_test_add_func("/agent/proof", test_proof);
	g_test_add_func("/agent/strangers", test_strangers);
	g_test_add_func("/agent/accounts", test_accounts);
	g_test_add_func("/agent/tokens", test_tokens);
	g_test_add_func("/agent/proxy", test_proxy);
	g_test_add_func("/agent/vouched", test_vouched);
	g_test_add_func("/agent/knocks", test_knocks);
	g_test_add_func("/agent/door", test_door);
	return g_test_run();
}
