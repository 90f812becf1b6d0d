/*
 * The page, its API and the agent, as they are run: two processes beside the host of world.h,
 * asked over their sockets.  What is decided on the page is seen in the queue, in the mail and in
 * the records; who may not is refused by both.
 */
#include "config.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <jansson.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/accounts.h"
#include "missent/alert.h"
#include "missent/answer.h"
#include "missent/ask.h"
#include "missent/io.h"
#include "missent/link.h"
#include "missent/settings.h"

#include "../test.h"
#include "../trail.h"
#include "world.h"

#define CONTAINS(text, part)                                                                     \
	do {                                                                                     \
		if (strstr(text, part) == NULL)                                                  \
			g_error("%s:%d: got \"%.3000s\", want \"...%s...\"", __FILE__, __LINE__, \
				text, part);                                                     \
	} while (0)
#define API "/api/1/"

typedef struct {
	World *w;
	GPid agent, page;
	char *socket; /* of the page */
} Site;

/* ---- starting ------------------------------------------------------------------------- */

/* If the test fails, nothing stays behind. */
static void die_with_us(void *user)
{
	(void)user;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int undertaker = -1;

/* The kernel forgets that of a program that becomes another user, as the page does: a process that
 * hears of each of them ends them all when the test, however it ended, says no more. */
static void bury(int ears)
{
	GPid pid, all[256];
	guint n = 0;
	while (read(ears, &pid, sizeof pid) == sizeof pid)
		if (n < G_N_ELEMENTS(all))
			all[n++] = pid;
	for (guint i = 0; i < n; i++)
		if (all[i] > 0)
			kill(all[i], SIGKILL);
	_exit(0);
}

static void hire_undertaker(void)
{
	int ends[2];
	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		close(ends[1]);
		bury(ends[0]);
	}
	close(ends[0]);
	undertaker = ends[1];
}

static void tell_undertaker(GPid pid)
{
	g_assert_cmpint(write(undertaker, &pid, sizeof pid), ==, sizeof pid);
}

static GPid start(const char *program, const char *config, const char *socket)
{
	g_autofree char *path = built_file(program);
	char *argv[] = {path, (char *)"-c", (char *)config, NULL};
	g_autoptr(GError) error = NULL;
	GPid pid = 0;
	g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_us, NULL, &pid, &error);
	g_assert_no_error(error);
	tell_undertaker(pid);
	for (int i = 0; i < 600 && !g_file_test(socket, G_FILE_TEST_EXISTS); i++) {
		g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0);
		g_usleep(50000);
	}
	g_assert_true(g_file_test(socket, G_FILE_TEST_EXISTS));
	return pid;
}

/* It ends as it should: asked to, and in time. */
static void stop(GPid pid)
{
	int status = -1;
	kill(pid, SIGTERM);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
}

static char *tool(const Site *s, const char *input, const char *words)
{
	g_autofree char *path = built_file("missent");
	g_autofree char *line = g_strdup_printf(
		"printf '%%s' '%s' | %s -c %s %s 2>&1", input, path, s->w->config, words);
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", line, NULL}, *out = NULL;
	g_autoptr(GError) error = NULL;
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, NULL, &error);
	g_assert_no_error(error);
	return out;
}

#define PASSWORD "correct horse battery"

static void add_user(const Site *s, const char *name, const char *role)
{
	g_autofree char *words = g_strdup_printf(
		"review adduser %s --role %s --download", name, role);
	g_autofree char *out = tool(s, PASSWORD, words);
	CONTAINS(out, role);
}

/* ---- a browser ------------------------------------------------------------------------ */

typedef struct {
	const Site *site;
	CURL *curl;
	char *form;  /* the token of forms */
	const char *header, *second; /* of each request, or NULL */
	GString *body;
	char *location;
} Browser;

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
	g_string_append_len(user, data, (gssize)(size * n));
	return size * n;
}

static size_t take_header(char *data, size_t size, size_t n, void *user)
{
	Browser *b = user;
	if (n > 10 && g_ascii_strncasecmp(data, "Location: ", 10) == 0) {
		g_free(b->location);
		b->location = g_strchomp(g_strndup(data + 10, size * n - 10));
	}
	return size * n;
}

static Browser *browser_new(const Site *site)
{
	Browser *b = g_new0(Browser, 1);
	b->site = site;
	b->body = g_string_new(NULL);
	b->curl = curl_easy_init();
	curl_easy_setopt(b->curl, CURLOPT_UNIX_SOCKET_PATH, site->socket);
	curl_easy_setopt(b->curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(b->curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(b->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(b->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(b->curl, CURLOPT_HEADERDATA, b);
	return b;
}

static void browser_free(Browser *b)
{
	curl_easy_cleanup(b->curl);
	g_string_free(b->body, TRUE);
	g_free(b->form);
	g_free(b->location);
	g_free(b);
}

/* Is there `word` in the tag that begins at `p`? */
static bool in_tag(const char *p, const char *word)
{
	g_autofree char *tag = g_strndup(p, strcspn(p, ">"));
	return strstr(tag, word) != NULL;
}

/* Who hears a page instead of seeing it is told what it is about, and what each table, column and
 * field is. */
static void can_be_heard(const char *page)
{
	const char *h1 = strstr(page, "<h1");
	if (h1 == NULL || strstr(h1 + 1, "<h1") != NULL)
		g_error("got %s, want one h1", page);
	for (const char *p = page; (p = strchr(p, '<')) != NULL; p++) {
		bool fine = true;
		if (g_str_has_prefix(p, "<html"))
			fine = in_tag(p, " lang=");
		else if (g_str_has_prefix(p, "<th>") || g_str_has_prefix(p, "<th "))
			fine = in_tag(p, " scope=");
		else if (g_str_has_prefix(p, "<table"))
			fine = in_tag(p, " aria-label=") || g_str_has_prefix(strchr(p, '>'), "><caption");
		else if ((g_str_has_prefix(p, "<input") && !in_tag(p, "type=\"hidden\"")) ||
			g_str_has_prefix(p, "<select")) {
			const char *from = g_strrstr_len(page, p - page, "<label");
			const char *to = g_strrstr_len(page, p - page, "</label");
			fine = in_tag(p, " aria-label=") || (from != NULL && (to == NULL || from > to));
		}
		if (!fine)
			g_error("got %.200s, want what it is in words", p);
	}
}

/* The status. */
static long ask(
	Browser *b, const char *method, const char *path, const char *data, const char *type)
{
	g_autofree char *url = g_strdup_printf("http://localhost%s", path);
	struct curl_slist *headers = NULL;
	long status = 0;
	g_string_truncate(b->body, 0);
	g_clear_pointer(&b->location, g_free);
	if (type != NULL)
		headers = curl_slist_append(headers, type);
	if (b->header != NULL)
		headers = curl_slist_append(headers, b->header);
	if (b->second != NULL)
		headers = curl_slist_append(headers, b->second);
	curl_easy_setopt(b->curl, CURLOPT_URL, url);
	curl_easy_setopt(b->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(b->curl, CURLOPT_WRITEDATA, b->body);
	curl_easy_setopt(b->curl, CURLOPT_HTTPGET, 1L);
	if (data != NULL) {
		curl_easy_setopt(b->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(b->curl, CURLOPT_POSTFIELDS, data);
	}
	curl_easy_setopt(b->curl, CURLOPT_CUSTOMREQUEST, method);
	g_assert_cmpint(curl_easy_perform(b->curl), ==, CURLE_OK);
	curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	if (b->location == NULL && g_str_has_prefix(b->body->str, "<!DOCTYPE"))
		can_be_heard(b->body->str);
	return status;
}

static long get(Browser *b, const char *path)
{
	return ask(b, "GET", path, NULL, NULL);
}

/* "name=value&name=value", of which blanks are kept, with the token of the form. */
static long post(Browser *b, const char *path, const char *fields)
{
	g_autofree char *plain = g_strdup_printf("%s%stoken=%s", fields, *fields != '\0' ? "&" : "",
		b->form != NULL ? b->form : "");
	g_auto(GStrv) words = g_strsplit(plain, " ", -1);
	g_autofree char *data = g_strjoinv("+", words);
	return ask(b, "POST", path, data, NULL);
}

static void learn_token(Browser *b)
{
	const char *at = strstr(b->body->str, "name=\"token\" value=\"");
	if (at == NULL)
		return;
	at += strlen("name=\"token\" value=\"");
	g_free(b->form);
	b->form = g_strndup(at, strcspn(at, "\""));
}

static Browser *logged_in(const Site *s, const char *name)
{
	Browser *b = browser_new(s);
	g_autofree char *fields = g_strdup_printf("name=%s&password=" PASSWORD, name);
	g_assert_cmpint(get(b, "/login"), ==, 200);
	learn_token(b);
	g_assert_cmpint(post(b, "/login", fields), ==, 303);
	g_assert_cmpint(get(b, "/me"), ==, 200);
	learn_token(b);
	g_assert_nonnull(b->form);
	return b;
}

/* A decision on the message's page; what the page says of it. */
static char *decide(Browser *b, const char *uid, const char *fields)
{
	g_autofree char *path = g_strdup_printf("/message/%s", uid);
	long status = post(b, path, fields);
	if (status != 303)
		return g_strdup_printf("%ld", status);
	g_autofree char *to = g_strdup(b->location);
	const char *done = strstr(to, "done=");
	g_assert_cmpint(get(b, to), ==, 200);
	learn_token(b);
	return done != NULL ? g_uri_unescape_string(done + 5, NULL) : g_strdup("");
}

/* ---- a site ---------------------------------------------------------------------------- */

/* The socket is there before the page has asked the agent. */
static void wait_until_served(const Site *s)
{
	for (int i = 0; i < 600; i++) {
		Browser *b = browser_new(s);
		CURLcode rc = CURLE_OK;
		curl_easy_setopt(b->curl, CURLOPT_URL, "http://localhost/style.css");
		curl_easy_setopt(b->curl, CURLOPT_WRITEDATA, b->body);
		rc = curl_easy_perform(b->curl);
		browser_free(b);
		g_assert_cmpint(waitpid(s->page, NULL, WNOHANG), ==, 0);
		if (rc == CURLE_OK)
			return;
		g_usleep(50000);
	}
	g_error("the page does not answer");
}

/* The page runs as nobody where the tests are root's: it refuses to be root. */
static void open_to_nobody(const World *w)
{
	g_autofree char *records = g_build_filename(w->state, "held.db", NULL);
	g_autofree char *page = g_build_filename(w->dir, "page", NULL);
	g_chmod(w->dir, 0755);
	g_chmod(w->state, 0777);
	const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
	if (nobody != NULL) /* what is made in it later is its group's */
		g_assert_cmpint(chown(w->state, 0, nobody->pw_gid), ==, 0);
	g_mkdir(page, 0755);
	g_chmod(page, 0777);
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *file = g_strconcat(records, ends[i], NULL);
		g_chmod(file, 0666);
	}
}

static Site *site_new_with(const char *top, const char *review, const char *more)
{
	Site *s = g_new0(Site, 1);
	bool root = geteuid() == 0;
	g_autofree char *desk = g_strdup_printf(
		"%s%s", more, root ? " socket-group = \"nogroup\"\n" : "");
	s->w = world_new("", desk);
	s->socket = g_build_filename(s->w->dir, "page.sock", NULL);
	g_autofree char *agent = g_build_filename(s->w->dir, "agent.sock", NULL);
	g_autofree char *settings = g_strdup_printf(
		"review {\n listen = \"unix:%s\"\n %s\n audit-file = \"%s/page/audit\"\n"
		" url = \"https://review.example/\"\n%s\n}\n%s",
		s->socket, root ? "user = \"nobody\"" : "", s->w->dir, review, top);
	world_settings(s->w, settings, desk);
	open_to_nobody(s->w);
	add_user(s, "anna", "administrator");
	add_user(s, "bert", "reviewer");
	add_user(s, "vera", "viewer");
	s->agent = start("missent-agent", s->w->config, agent);
	s->page = start("missent-review", s->w->config, s->socket);
	wait_until_served(s);
	return s;
}

static Site *site_new(const char *review, const char *more)
{
	return site_new_with("", review, more);
}

static void site_free(Site *s)
{
	stop(s->page);
	stop(s->agent);
	world_free(s->w);
	g_free(s->socket);
	g_free(s);
}

/* ---- looking -------------------------------------------------------------------------- */

/* How many forms with a choice of verbs.  In these Enter in a field presses no button, and what a
 * browser kept of an older page of that address is not chosen again. */
static guint forms_of(const Browser *b)
{
	guint found = 0;
	for (const char *at = b->body->str; (at = strstr(at, "<form")) != NULL; at++) {
		g_autofree char *form = g_strndup(at, (gsize)(strstr(at, "</form>") - at));
		g_autofree char *tag = g_strndup(at, strcspn(at, ">"));
		if (strstr(form, " name=\"verb\" value=") == NULL)
			continue;
		CONTAINS(tag, " autocomplete=\"off\"");
		g_assert_true(g_str_has_prefix(
			strstr(form, "<button"), "<button disabled hidden></button>"));
		found++;
	}
	return found;
}

static void test_look(void)
{
	Site *s = site_new("", "");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){.subject = "Invoice <b>&"});
	g_autofree char *seen = world_hold(
		s->w, &(WorldHold){.state = MS_STATE_OBSERVED, .gone = true});
	for (int i = 0; i < 60; i++)
		g_free(world_hold(s->w,
			&(WorldHold){.sender = i % 2 ? "x@seller.example" : NULL, .gone = true}));
	/* One with much to tell. */
	WorldRecipient many[120];
	WorldFinding found[30];
	char relations[121];
	for (guint i = 0; i < G_N_ELEMENTS(many); i++) {
		many[i] = (WorldRecipient){
			g_strdup_printf("r%u@%s.example", i, i % 3 ? "beta" : "alpha"),
			(MsOutcome)(i % MS_N_OUTCOMES), i % 3 ? "AC-2" : "AC-1"};
		relations[i] = "ohx?"[i % 4];
	}
	relations[120] = '\0';
	for (guint i = 0; i < G_N_ELEMENTS(found); i++)
		found[i] = (WorldFinding){
			"0123456789abcdef01234567", i % 4 ? "AC-2" : "AC-3, AC-4", relations};
	g_autofree char *much = world_hold(s->w,
		&(WorldHold){.to = many,
			.n = 120,
			.found = found,
			.n_found = 30,
			.cause = "much",
			.codes = "mismatch, unknown-recipient, unreadable"});
	g_autofree char *crowd = g_strdup_printf("/message/%s", much);
	g_autofree char *next = g_strdup_printf("/message/%s?from=50", much);
	g_autofree char *sought = g_strdup_printf("/message/%s?find=r11", much);
	Browser *b = browser_new(s);
	/* Nobody yet. */
	g_assert_cmpint(get(b, "/"), ==, 303);
	g_assert_cmpstr(b->location, ==, "/login");
	g_assert_cmpint(get(b, "/counter"), ==, 401);
	g_assert_cmpint(post(b, "/logout", ""), ==, 401);
	static const char *const open[] = {"/style.css", "/app.js", "/icon.svg", "/login"};
	for (gsize i = 0; i < G_N_ELEMENTS(open); i++)
		g_assert_cmpint(get(b, open[i]), ==, 200);
	g_assert_cmpint(get(b, "/nothing"), ==, 404);
	g_assert_cmpint(ask(b, "DELETE", "/", NULL, NULL), ==, 405);
	g_assert_cmpint(post(b, "/causes", ""), ==, 405);
	post(b, "/login", "name=anna&password=wrong");
	CONTAINS(b->body->str, "<form");
	g_assert_cmpint(get(b, "/"), ==, 303);
	browser_free(b);

	b = logged_in(s, "vera");
	g_autofree char *message = g_strdup_printf("/message/%s", uid);
	g_autofree char *observed = g_strdup_printf("/message/%s", seen);
	static const char *const pages[] = {"/", "/?state=held&sort=oldest", "/?state=observed",
		"/?search=billing", "/?account=AC-2", "/?policy=invoices&reason=mismatch",
		"/?age=1d", "/?search=%00%ff", "/causes", "/waiting", "/hosts", "/streams", "/me", "/counter",
		"/cause?is=mismatch,+for+wrong,+invoices", "/cause?is=none", "/cause",
		"/?assignee=anna&host=mx.test", "/?sort=nonsense&after=nonsense"};
	static const char *const languages[] = {
		"Accept-Language: en", "Accept-Language: fr", "Accept-Language: de"};
	for (gsize l = 0; l < G_N_ELEMENTS(languages); l++) {
		b->header = languages[l];
		for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
			long status = get(b, pages[i]);
			if (status != 200 && status != 400 && status != 404)
				g_error("%s: %ld", pages[i], status);
		}
		g_assert_cmpint(get(b, message), ==, 200);
		CONTAINS(b->body->str, "b@beta.example");
		/* An arrow is not heard; nor is an age, each time that it grows. */
		CONTAINS(b->body->str, "→</span> <span class=\"unseen\">");
		CONTAINS(b->body->str, "aria-atomic=\"true\"><b data-held>");
		g_assert_cmpint(get(b, observed), ==, 200);
		g_assert_cmpint(get(b, crowd), ==, 200);
		CONTAINS(b->body->str, "r3@alpha.example");
		g_assert_cmpint(get(b, next), ==, 200);
		g_assert_cmpint(get(b, sought), ==, 200);
		CONTAINS(b->body->str, "r11@");
		g_assert_cmpint(get(b, "/cause?is=much"), ==, 200);
	}
	b->header = NULL;
	g_assert_cmpint(get(b, "/language?to=fr"), ==, 303);
	g_assert_cmpint(get(b, "/language?to=en"), ==, 303);
	g_assert_cmpint(get(b, "/message/0000000000000000"), ==, 404);
	for (guint i = 0; i < G_N_ELEMENTS(many); i++)
		g_free((char *)many[i].address);
	/* A reviewer is offered more. */
	Browser *bert = logged_in(s, "bert");
	static const struct {
		const char *path;
		guint forms;
	} offered[] = {{NULL, 3}, {"/cause?is=much", 1}, {"/?cause=much", 1}, {"/?state=held", 1}};
	for (gsize i = 0; i < G_N_ELEMENTS(offered); i++) {
		g_assert_cmpint(
			get(bert, offered[i].path != NULL ? offered[i].path : crowd), ==, 200);
		g_assert_cmpuint(forms_of(bert), ==, offered[i].forms);
	}
	browser_free(bert);
	/* A viewer decides nothing, whatever he sends, and sees no accounts. */
	g_autofree char *no = decide(b, uid, "verb=delete&why=x&sure=1");
	g_assert_cmpstr(no, ==, "403");
	g_autofree char *reveal = g_strconcat(message, "/reveal", NULL);
	g_assert_cmpint(post(b, reveal, ""), ==, 403);
	g_assert_cmpint(get(b, "/accounts"), ==, 403);
	/* A form of somewhere else. */
	g_autofree char *form = g_strdup(b->form);
	b->form[0] = b->form[0] == '0' ? '1' : '0';
	g_assert_cmpint(post(b, "/me", "act=password"), ==, 403);
	g_free(b->form);
	b->form = g_strdup(form);
	b->second = "Origin: https://evil.example";
	g_assert_cmpint(post(b, "/me", "act=password"), ==, 403);
	b->second = NULL;
	/* One that is too large. */
	g_autofree char *large = g_strnfill(2 << 20, 'x');
	long status = post(b, "/me", large);
	g_assert_true(status == 413 || status == 403);
	g_assert_cmpint(post(b, "/logout", ""), ==, 303);
	g_assert_cmpint(get(b, "/"), ==, 303);
	browser_free(b);
	site_free(s);
}

static void nobody(MsAlert alert, bool on, const char *detail, void *user)
{
	(void)alert, (void)on, (void)detail, (void)user;
}

/* Wrong mail of one sender, until the guard stops it. */
static void stop_stream(World *w)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(w->config, &error);
	g_assert_no_error(error);
	MsGuard *guard = ms_engine_open_guard(settings, &error);
	g_assert_no_error(error);
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(MsReading) reading = ms_reading_new();
	g_autoptr(GByteArray) outcomes = g_byte_array_new();
	g_autoptr(GHashTable) kinds = g_hash_table_new(g_str_hash, g_str_equal);
	const MsGuardStream stream = {
		.policy = "invoices", .kinds = kinds, .bad = true, .max_recipients = -1};
	const guint8 wrong = MS_OUTCOME_WRONG;
	e->sender = g_strdup("billing@seller.example");
	e->host = g_strdup("mx.test");
	g_ptr_array_add(e->recipients, g_strdup("b@beta.example"));
	g_byte_array_append(outcomes, &wrong, 1);
	for (int i = 0; i < 30; i++) {
		g_autoptr(MsGuardCounts) counts = NULL;
		g_free(e->queue_id);
		e->queue_id = g_strdup_printf("W%06d", i);
		e->arrived = g_get_real_time();
		const MsGuardMessage m = {
			e, reading, NULL, outcomes, &stream, 1, true, e->arrived / G_USEC_PER_SEC};
		ms_guard_count(guard, &m, &counts, &error);
		g_assert_no_error(error);
	}
	ms_guard_free(guard);
}

/* Which streams are stopped, and what lets them run again. */
static void test_streams(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "vera");
	g_assert_cmpint(get(b, "/streams"), ==, 200);
	CONTAINS(b->body->str, "No stream is stopped.");
	stop_stream(s->w);
	g_assert_cmpint(get(b, "/streams"), ==, 200);
	CONTAINS(b->body->str, "policy invoices");
	CONTAINS(b->body->str, "missent guard reset ");
	CONTAINS(b->body->str, "\"/?reason=breaker\"");
	g_assert_null(strstr(b->body->str, "billing@seller.example"));
	const char *id = strstr(b->body->str, "missent guard reset ");
	g_autofree char *words = g_strdup_printf("guard reset %.24s --why looked", id + strlen("missent guard reset "));
	g_autofree char *out = tool(s, "", words);
	g_assert_cmpint(get(b, "/streams"), ==, 200);
	if (strstr(b->body->str, "No stream is stopped.") == NULL)
		g_error("%s: %s", words, out);
	browser_free(b);
	site_free(s);
}

/* What holds, or lets through, mail that is not on the page is told on it. */
static void test_states(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "vera");
	g_assert_cmpint(get(b, "/"), ==, 200);
	g_assert_null(strstr(b->body->str, "is stopped"));
	g_assert_null(strstr(b->body->str, "Paused"));
	g_free(tool(s, "", "pause --for 1h --why late"));
	g_assert_cmpint(get(b, "/"), ==, 200);
	CONTAINS(b->body->str, "Paused");
	CONTAINS(b->body->str, "late");
	g_autoptr(MsAlerts) alerts = ms_alerts_new(s->w->state);
	bool told = false;
	for (guint i = 0; i < 200 && !told; i++) { /* the agent writes there, too */
		ms_alerts_set(alerts, MS_ALERT_BREAKER, false, "", nobody, NULL);
		ms_alerts_set(alerts, MS_ALERT_BREAKER, true, "", nobody, NULL);
		g_assert_cmpint(get(b, "/"), ==, 200);
		told = strstr(b->body->str, "is stopped") != NULL;
	}
	g_assert_true(told);
	CONTAINS(b->body->str, "\"/?reason=breaker\"");
	CONTAINS(b->body->str, "\"/streams\"");
	browser_free(b);
	site_free(s);
}

/* ---- deciding ------------------------------------------------------------------------- */

static char *mail_of(World *w)
{
	g_autoptr(GPtrArray) got = stub_take(w->stub);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < got->len; i++) {
		const Delivery *d = got->pdata[i];
		g_assert_true(d->unjudged);
		for (guint k = 0; k < d->recipients->len; k++)
			g_string_append_printf(out, "%s ", (char *)d->recipients->pdata[k]);
	}
	return g_string_free(out, FALSE);
}

static void test_decide(void)
{
	static const struct {
		const char *fields, *states, *mail, *log;
	} rows[] = {
		{"verb=release-some&to=b@beta.example&why=fine", "held released held",
			"b@beta.example ", "delete "},
		{"verb=release-right&why=fine", "released held held", "a@alpha.example ",
			"delete "},
		{"verb=release&others=1&why=fine", "released released released", "", "release "},
		{"verb=release&others=7&why=fine", "held held held", "", ""},
		{"verb=release-some&why=fine", "held held held", "", ""},
		{"verb=return&why=wrong", "returned returned returned", WORLD_SENDER " ",
			"delete "},
		{"verb=delete&why=wrong&sure=1", "deleted deleted deleted", "", "delete "},
		/* asked first, on a page of its own */
		{"verb=delete&why=wrong", "held held held", "", ""},
		{"verb=delete&why=wrong&sure=", "held held held", "", ""},
		{"verb=delete&why=wrong&sure=yes", "held held held", "", ""},
		{"verb=delete&sure=1", "held held held", "", ""},
		{"verb=note&why=seen", "held held held", "", ""},
		{"verb=assign&assignee=bert", "held held held", "", ""},
		{"verb=assign&assignee=nobody-known", "held held held", "", ""},
		{"verb=may-receive&recipient=b@beta.example&receives=AC-1&why=x", "held held held",
			"", ""},
		{"verb=may-receive&recipient=b@beta.example&receives=AC-99&why=x", "held held held",
			"", ""},
		{"verb=belongs&ref=0123&account=AC-1&why=x", "held held held", "", ""},
		{"verb=rejudge&why=x", "held held held", "", ""},
		{"verb=nothing", "held held held", "", ""},
		{"verb=", "held held held", "", ""},
	};
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "bert");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
		g_autofree char *said = decide(b, uid, rows[i].fields);
		g_autofree char *states = world_states(s->w, uid);
		g_autofree char *mail = mail_of(s->w), *log = world_log(s->w);
		if (strcmp(states, rows[i].states) != 0 || strcmp(mail, rows[i].mail) != 0 ||
			!g_str_has_prefix(log, rows[i].log) ||
			(*log != '\0') != (*rows[i].log != '\0'))
			g_error("%s: got %s, mail \"%s\", log \"%s\": %s", rows[i].fields, states,
				mail, log, said);
		g_autoptr(MsRecord) r = world_record(s->w, uid);
		for (guint k = 0; k < r->decisions->len; k++)
			g_assert_cmpstr(((MsDecision *)r->decisions->pdata[k])->who, ==, "bert");
	}
	/* What became of it is what is read first. */
	g_autofree char *noted = world_hold(s->w, &(WorldHold){0});
	g_autofree char *done = decide(b, noted, "verb=note&why=seen");
	CONTAINS(done, "Done.");
	CONTAINS(b->body->str,
		"<p class=\"notice good\" role=\"status\" tabindex=\"-1\" autofocus>");
	/* All of a cause at once, when somebody has looked. */
	g_autofree char *one = world_hold(s->w, &(WorldHold){.cause = "a cause"});
	g_autofree char *two = world_hold(s->w, &(WorldHold){.cause = "a cause"});
	g_autofree char *both = g_strdup_printf("verb=release-right&uid=%s&uid=%s", one, two);
	g_autofree char *fine = g_strdup_printf("%s&why=fine", both);
	g_autofree char *all = g_strdup_printf("verb=release&uid=%s&uid=%s&why=fine", one, two);
	g_assert_cmpint(get(b, "/cause?cause=a+cause"), ==, 200);
	/* none is chosen */
	g_assert_cmpint(post(b, "/bulk", "verb=release-right&why=fine"), ==, 400);
	g_assert_cmpint(post(b, "/bulk", "verb=nothing&why=fine"), ==, 400);
	g_assert_cmpint(post(b, "/bulk", both), ==, 400); /* why? */
	/* how many are there to whom it does not belong? */
	g_assert_cmpint(post(b, "/bulk", all), ==, 200);
	g_autofree char *asked = world_states(s->w, one);
	g_assert_cmpstr(asked, ==, "held held held");
	g_assert_cmpint(post(b, "/bulk", fine), ==, 200);
	g_autofree char *states = world_states(s->w, one), *others = world_states(s->w, two);
	g_assert_cmpstr(states, ==, "released held held");
	g_assert_cmpstr(others, ==, states);
	browser_free(b);
	site_free(s);
}

/* The value of a hidden field. */
static char *hidden(const Browser *b, const char *name)
{
	g_autofree char *mark = g_strdup_printf("name=\"%s\" value=\"", name);
	const char *at = strstr(b->body->str, mark);
	return at != NULL ? g_strndup(at + strlen(mark), strcspn(at + strlen(mark), "\""))
			  : g_strdup("");
}

/* "All that are like this" are those that were like it when the list was shown: not what came in
 * since, nor what has grown old enough, nor what only a search in whole finds. */
static void test_all(void)
{
	const gint64 week = 7 * 86400 * (gint64)G_USEC_PER_SEC, second = G_USEC_PER_SEC;
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "bert");
	g_autofree char *old = world_hold(s->w, &(WorldHold){.age_us = week + 60 * second});
	g_autofree char *older = world_hold(s->w, &(WorldHold){.age_us = week + 61 * second});
	g_autofree char *nearly = world_hold(s->w, &(WorldHold){.age_us = week - 3 * second});
	g_assert_cmpint(get(b, "/?state=held&age=older7d"), ==, 200);
	g_assert_null(strstr(b->body->str, nearly));
	g_autofree char *up_to = hidden(b, "up_to"), *at = hidden(b, "at");
	g_autofree char *late = world_hold(s->w, &(WorldHold){.age_us = week + 62 * second});
	g_usleep(4 * G_USEC_PER_SEC);
	static const char *const verbs[] = {"delete&why=x", "delete&why=x&others=2"};
	for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
		g_autofree char *all = g_strdup_printf(
			"verb=%s&all=1&up_to=%s&at=%s", verbs[i], up_to, at);
		g_assert_cmpint(post(b, "/bulk?state=held&age=older7d", all), ==, 200);
		if (i == 0) { /* asked for the number, it is still about these */
			g_autofree char *same = hidden(b, "up_to"), *then = hidden(b, "at");
			CONTAINS(b->body->str, "type how many they are: 2");
			g_assert_cmpstr(same, ==, up_to);
			g_assert_cmpstr(then, ==, at);
		}
	}
	const struct {
		const char *uid, *states;
	} rows[] = {{old, "deleted deleted deleted"}, {older, "deleted deleted deleted"},
		{nearly, "held held held"}, {late, "held held held"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *states = world_states(s->w, rows[i].uid);
		g_assert_cmpstr(states, ==, rows[i].states);
	}
	g_autofree char *kinds = read_source("policies/kinds.conf");
	world_file(s->w, "policies/kinds.conf", "nonsense");
	g_assert_cmpint(get(b, "/?state=held&search=billing"), ==, 200);
	CONTAINS(b->body->str, "there may be more");
	CONTAINS(b->body->str, "name=\"uid\"");
	g_assert_null(strstr(b->body->str, "name=\"all\""));
	world_file(s->w, "policies/kinds.conf", kinds);
	g_assert_cmpint(get(b, "/?state=held&search=billing"), ==, 200);
	CONTAINS(b->body->str, "name=\"all\"");
	stop(s->agent); /* nor is a search shown that nobody could put on record */
	g_assert_cmpint(get(b, "/?state=held&search=billing"), ==, 503);
	g_assert_cmpint(get(b, "/?state=held"), ==, 200);
	g_autofree char *agent = g_build_filename(s->w->dir, "agent.sock", NULL);
	unlink(agent);
	s->agent = start("missent-agent", s->w->config, agent);
	browser_free(b);
	site_free(s);
}

/* Sends a form in two pieces, each read by the page by itself. */
typedef struct {
	const char *data;
	gsize at, first, len;
} Pieces;

static size_t give_piece(char *to, size_t size, size_t n, void *user)
{
	Pieces *p = user;
	gsize end = p->at < p->first ? p->first : p->len, take = MIN(end - p->at, size * n);
	if (p->at == p->first)
		g_usleep(300 * 1000);
	memcpy(to, p->data + p->at, take);
	p->at += take;
	return take;
}

static long post_in_pieces(Browser *b, const char *path, const char *data, gsize first)
{
	Pieces pieces = {.data = data, .first = first, .len = strlen(data)};
	curl_easy_setopt(b->curl, CURLOPT_READFUNCTION, give_piece);
	curl_easy_setopt(b->curl, CURLOPT_READDATA, &pieces);
	curl_easy_setopt(b->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(b->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(b->curl, CURLOPT_POSTFIELDSIZE, (long)pieces.len);
	g_autofree char *url = g_strdup_printf("http://localhost%s", path);
	long status = 0;
	curl_easy_setopt(b->curl, CURLOPT_URL, url);
	curl_easy_setopt(b->curl, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(b->curl, CURLOPT_CUSTOMREQUEST, "POST");
	g_assert_cmpint(curl_easy_perform(b->curl), ==, CURLE_OK);
	curl_easy_getinfo(b->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_setopt(b->curl, CURLOPT_POSTFIELDSIZE, -1L);
	return status;
}

static void test_fields(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "bert");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
	g_autofree char *path = g_strdup_printf("/message/%s", uid);
	/* Very long, or with what ends a header: it is said, in a header. */
	g_autofree char *large = g_strnfill(40000, 'x');
	static const char *const rows[] = {"verb=%s", "verb=note%%0d%%0aX-Evil:%%20%s&why=x",
		"verb=%%ff%s", "verb=assign&assignee=%s", "verb=may-receive&recipient=%s&receives=AC-1",
		"verb=may-receive&recipient=b@beta.example&receives=%s", "verb=release-some&to=%s&why=x",
		"verb=note&why=%s"};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) parts = g_strsplit(rows[i], "%s", 2);
		g_autofree char *raw = g_strjoinv(large, parts);
		g_autoptr(GString) fields = g_string_new(raw);
		g_string_replace(fields, "%%", "%", 0);
		g_autofree char *said = decide(b, uid, fields->str);
		g_assert_cmpstr(said, !=, "");
	}
	g_autofree char *states = world_states(s->w, uid);
	g_assert_cmpstr(states, ==, "held held held");
	/* A piece that ends within a character. */
	g_autofree char *form = g_strdup_printf("token=%s&verb=note&why=Pr%%C3%%BCfung", b->form);
	g_assert_cmpint(
		post_in_pieces(b, path, form, strlen(form) - strlen("%BCfung")), ==, 303);
	g_autoptr(MsRecord) r = world_record(s->w, uid);
	g_assert_cmpstr(((MsAct *)r->acts->pdata[r->acts->len - 1])->why, ==, "Pr\xc3\xbc" "fung");
	/* As many as may be decided on; and more fields than any form of ours has, from nobody. */
	GString *many = g_string_new("verb=nothing&why=x");
	for (guint i = 0; i < MS_ASK_MOST; i++)
		g_string_append_printf(many, "&uid=%016x", i);
	g_assert_cmpint(post(b, "/bulk", many->str), ==, 400);
	g_string_truncate(many, 0);
	for (guint i = 0; i < 40000; i++)
		g_string_append_printf(many, "%x=&", i);
	Browser *stranger = browser_new(s);
	g_assert_cmpint(post(stranger, "/login", many->str), ==, 413);
	g_string_free(many, TRUE);
	browser_free(stranger);
	browser_free(b);
	site_free(s);
}

/* A word that is none must not mean "any": of a list, nor of what is decided of it. */
static void test_words(void)
{
	static const struct {
		const char *query;
		long status;
	} rows[] = {{"", 200}, {"state=held", 200}, {"state=all", 200}, {"state=", 200},
		{"age=24h&sort=oldest&waiting=0&go=1&reason=mismatch", 200},
		{"age=&sort=&waiting=&go=&reason=&policy=&account=&search=", 200},
		{"state=hold", 400}, {"state=Held", 400}, {"age=25h", 400}, {"age=older", 400},
		{"sort=olddest", 400}, {"waiting=2", 400}, {"waiting=yes", 400}, {"go=yes", 400},
		{"reason=mismach", 400}, {"policy=%07", 400}, {"account=%ff", 400},
		{"account=%00", 400}, {"cause=a%00b", 400}, {"search=m%fcller", 400},
		{"host=%ff&state=held", 400}, {"%ff=a", 400}};
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "bert");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *list = g_strdup_printf("/?%s", rows[i].query);
		g_autofree char *bulk = g_strdup_printf("/bulk?%s", rows[i].query);
		if (get(b, list) != rows[i].status)
			g_error("%s: %s", list, b->body->str);
		if (rows[i].status == 400 &&
			post(b, bulk, "verb=return&all=1&up_to=999999&why=x") != 400)
			g_error("%s: %s", bulk, b->body->str);
	}
	g_autofree char *states = world_states(s->w, uid);
	g_assert_cmpstr(states, ==, "held held held");
	browser_free(b);
	site_free(s);
}

/* More than are shown are counted. */
static void test_much(void)
{
	Site *s = site_new("", "");
	g_autoptr(GString) body = g_string_new(NULL);
	for (int i = 0; i < 507; i++)
		g_string_append_printf(body, "customer number: C-%d\n", 20000 + i);
	g_autofree char *uid = world_hold(s->w, &(WorldHold){.body = body->str});
	g_autofree char *reveal = g_strdup_printf("/message/%s/reveal", uid);
	Browser *b = logged_in(s, "bert");
	g_assert_cmpint(post(b, reveal, ""), ==, 200);
	CONTAINS(b->body->str, "<code>C20499</code>");
	CONTAINS(b->body->str, "<p class=\"warn\">+7</p>");
	browser_free(b);
	site_free(s);
}

/* What is in it, read again for who asks. */
static void test_evidence(void)
{
	Site *s = site_new("", "");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){.body = "customer number: C-10002"});
	g_autofree char *gone = world_hold(s->w, &(WorldHold){.gone = true});
	g_autofree char *reveal = g_strdup_printf("/message/%s/reveal", uid);
	g_autofree char *part = g_strdup_printf("/message/%s/part", uid);
	g_autofree char *picture = g_strdup_printf("/message/%s/picture/1", uid);
	g_autofree char *without = g_strdup_printf("/message/%s/reveal", gone);
	Browser *b = logged_in(s, "bert");
	/* a condition of which nobody knows: told, with why */
	world_file(s->w, "policies/partners.conf",
		"policy \"partners\" {\n sender = {\"billing@seller.example\"}\n"
		" kinds = {\"customer-number\"}\n authserv-id = {\"mx.seller.example\"}\n"
		" auth-results = {\"spf=fail\"}\n}\n");
	g_assert_cmpint(post(b, reveal, ""), ==, 200);
	CONTAINS(b->body->str, "Policies that apply because a condition is not known");
	CONTAINS(b->body->str, "no service that is believed");
	CONTAINS(b->body->str, "C-10002");
	CONTAINS(b->body->str, "AC-2");
	long status = post(b, part, "path=1");
	g_assert_true(status == 200 || status == 404 || status == 502 || status == 503);
	status = get(b, picture); /* no PDF */
	g_assert_true(status >= 400);
	g_assert_cmpint(post(b, without, ""), >=, 200);
	g_autoptr(MsRecord) r = world_record(s->w, uid);
	bool looked = false; /* is on record */
	for (guint i = 0; i < r->acts->len; i++)
		looked = looked || strcmp(((MsAct *)r->acts->pdata[i])->what, "reveal") == 0;
	g_assert_true(looked);
	browser_free(b);
	site_free(s);
}

static void test_second_person(void)
{
	Site *s = site_new("", " two-person-above = 0\n");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
	g_autofree char *other = world_hold(s->w, &(WorldHold){0});
	Browser *bert = logged_in(s, "bert"), *anna = logged_in(s, "anna");
	g_autofree G_GNUC_UNUSED char *said = decide(
		bert, uid, "verb=release-some&to=b@beta.example&why=fine");
	g_autofree G_GNUC_UNUSED char *too = decide(bert, other, "verb=delete&why=fine&sure=1");
	g_autoptr(MsRecord) r = world_record(s->w, uid), o = world_record(s->w, other);
	const char *id = ((MsDecision *)r->decisions->pdata[0])->id,
		   *second = ((MsDecision *)o->decisions->pdata[0])->id;
	g_autofree char *some = world_hold(s->w, &(WorldHold){0});
	g_autofree char *more = world_hold(s->w, &(WorldHold){0});
	g_autofree char *both = g_strdup_printf(
		"verb=release&uid=%s&uid=%s&why=fine&others=2", some, more);
	g_autofree char *own = world_hold(s->w, &(WorldHold){0});
	g_autofree G_GNUC_UNUSED char *right = decide(bert, own, "verb=release-right&why=fine");
	g_assert_cmpint(post(bert, "/bulk", both), ==, 200);
	g_assert_cmpint(get(anna, "/waiting"), ==, 200);
	/* What goes if he agrees, and to whom; each of what he agrees to can be looked at. */
	const char *const told[] = {id, "b@beta.example would receive what belongs to another account",
		"<li>b@beta.example</li>", "Releasing sends 2 messages", "Release to those with a right",
		uid, other, some, more, own};
	for (gsize i = 0; i < G_N_ELEMENTS(told); i++)
		CONTAINS(anna->body->str, told[i]);
	g_assert_null(strstr(anna->body->str, "n@nobody.example is not known"));
	/* Nothing else is offered meanwhile. */
	g_autofree char *page = g_strdup_printf("/message/%s", some);
	g_assert_cmpint(get(anna, page), ==, 200);
	CONTAINS(anna->body->str, "role=\"status\"><b>bert</b> release: waits for a second person");
	g_assert_null(strstr(anna->body->str, "name=\"verb\" value=\"delete\""));
	CONTAINS(anna->body->str, "name=\"verb\" value=\"note\"");
	static const struct {
		bool anna;
		const char *fields;
	} not [] = {{false, "agrees=yes&password=" PASSWORD}, {true, "agrees=yes"},
		{true, "agrees=yes&password=wrong"}};
	for (gsize i = 0; i < G_N_ELEMENTS(not); i++) {
		g_autofree char *fields = g_strdup_printf("id=%s&%s", id, not[i].fields);
		post(not[i].anna ? anna : bert, "/agree", fields);
		g_autofree char *mail = mail_of(s->w);
		g_assert_cmpstr(mail, ==, "");
	}
	g_autofree char *fields = g_strdup_printf("id=%s&agrees=yes&password=" PASSWORD, id);
	g_assert_cmpint(post(anna, "/agree", fields), ==, 200);
	g_autofree char *mail = mail_of(s->w);
	g_assert_cmpstr(mail, ==, "b@beta.example ");
	g_autofree char *withdraw = g_strdup_printf("id=%s&agrees=no", second);
	g_assert_cmpint(post(bert, "/agree", withdraw), ==, 200);
	g_assert_true(world_is_queued(s->w, o));
	g_assert_cmpint(post(bert, "/agree", "id=0000000000000000&agrees=no"), ==, 200);
	browser_free(anna);
	browser_free(bert);
	site_free(s);
}

/* Whatever stands in addresses and names: a terminal obeys none of it, and a line stays one. */
static void test_shell(void)
{
	World *w = world_new("", "");
	Site s = {.w = w};
	const char odd[] = "\"\033[2J\r\nstate       released\xe2\x80\xae\"@alpha.example";
	const WorldRecipient to[] = {{odd, MS_OUTCOME_WRONG, odd}, {"b@beta.example", 0, ""}};
	const WorldFinding found = {"0123456789abcdef01234567", odd, "xo"};
	g_autofree char *uid = world_hold(w,
		&(WorldHold){.to = to,
			.n = 2,
			.found = &found,
			.n_found = 1,
			.cause = odd,
			.sender = odd});
	static const char *const shows[] = {"held show", "held show --json", "held list -a #",
		"held causes #", "held note --why x", "held release --to x@y.example"};
	for (gsize i = 0; i < G_N_ELEMENTS(shows); i++) {
		g_autofree char *words = g_strdup_printf("%s %s", shows[i], uid);
		g_autofree char *out = tool(&s, "", words);
		for (const char *p = out; *p != '\0'; p++)
			if ((guchar)*p < ' ' && *p != '\n')
				g_error("%s: %s", words, out);
		g_assert_null(strstr(out, "\nstate       released"));
		if (strstr(words, "--json") == NULL) /* for programs, as it is */
			g_assert_null(strstr(out, "\xe2\x80\xae"));
	}
	world_free(w);
}

/* ---- people --------------------------------------------------------------------------- */

/* The token that the page shows once. */
static char *new_token(Browser *b, const char *name, const char *role)
{
	g_autofree char *fields = g_strdup_printf(
		"act=token-add&name=%s&role=%s&days=1&password=" PASSWORD, name, role);
	g_assert_cmpint(post(b, "/accounts", fields), ==, 200);
	const char *at = strstr(b->body->str, "mst_");
	g_assert_nonnull(at);
	return g_strndup(at, strcspn(at, "<\" "));
}

static void test_people(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "anna");
	g_assert_cmpint(get(b, "/accounts"), ==, 200);
	CONTAINS(b->body->str, "vera");
	static const struct {
		const char *path, *fields;
	} rows[] = {
		{"/accounts",
			"act=account-put&name=carl&role=reviewer&new-password=" PASSWORD
			"&password=" PASSWORD},
		{"/accounts",
			"act=account-put&name=carl&role=viewer&disabled=1&password=" PASSWORD},
		{"/accounts", "act=account-put&name=carl&role=nonsense&password=" PASSWORD},
		{"/accounts",
			"act=account-put&name=dora&role=viewer&new-password=short&password=" PASSWORD},
		{"/accounts",
			"act=account-put&name=dora&role=viewer&new-password=" PASSWORD
			"&password=wrong"},
		{"/accounts", "act=account-put&name=anna&role=viewer&password=" PASSWORD},
		{"/accounts", "delete=1&name=anna&password=" PASSWORD},
		{"/accounts", "delete=1&name=nobody&password=" PASSWORD},
		{"/accounts", "act=token-delete&name=none"},
		{"/accounts", "act=token-delete&name=none&password=" PASSWORD},
		{"/me", "act=totp-begin"},
		{"/me", "act=totp-confirm&new-code=000000&password=" PASSWORD},
		{"/me", "act=totp-end&password=" PASSWORD},
		{"/me", "act=password&new-password=short&password=" PASSWORD},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		long status = post(b, rows[i].path, rows[i].fields);
		if (status >= 500 && status != 503)
			g_error("%s: %ld %s", rows[i].fields, status, b->body->str);
		if (status == 303 && b->location != NULL) {
			g_autofree char *to = g_strdup(b->location);
			g_assert_cmpint(get(b, to), ==, 200);
		}
	}
	g_assert_cmpint(post(b, "/accounts", "act=nonsense&password=" PASSWORD), ==, 400);
	g_autofree char *users = tool(s, "", "review users");
	CONTAINS(users, "carl");
	g_assert_null(strstr(users, "dora"));
	CONTAINS(users, "administrator");
	Browser *carl = browser_new(s); /* disabled */
	get(carl, "/login");
	post(carl, "/login", "name=carl&password=" PASSWORD);
	g_assert_cmpint(get(carl, "/"), ==, 303);
	browser_free(carl);
	g_assert_cmpint(post(b, "/accounts", "delete=1&name=carl&password=" PASSWORD), ==, 303);
	g_autofree char *left = tool(s, "", "review users");
	g_assert_null(strstr(left, "carl"));
	/* A new password ends his other sessions, not this one. */
	Browser *other = logged_in(s, "anna");
	g_assert_cmpint(
		post(b, "/me", "act=password&new-password=another battery&password=" PASSWORD), ==,
		303);
	g_assert_cmpint(get(other, "/"), ==, 303);
	g_assert_cmpint(get(b, "/"), ==, 200);
	browser_free(other);
	browser_free(b);
	site_free(s);
}

/* Named by a trusted proxy, and by nobody else. */
static void test_proxy(void)
{
	Site *s = site_new(" proxy-peers = {\"127.0.0.1\"}\n", "");
	Browser *b = browser_new(s);
	b->second = "X-Forwarded-For: 192.0.2.7, 127.0.0.1";
	b->header = "X-Remote-User: bert";
	g_assert_cmpint(get(b, "/"), ==, 200);
	b->header = "X-Remote-User: Bert";
	g_assert_cmpint(get(b, "/me"), ==, 200);
	b->header = "X-Remote-User: nobody-known";
	g_assert_cmpint(get(b, "/"), ==, 303);
	/* One line is of the client, one of the proxy: which is which nobody knows. */
	b->header = "X-Remote-User: anna";
	b->second = "X-Remote-User: bert";
	g_assert_cmpint(get(b, "/"), ==, 303);
	b->header = NULL;
	b->second = NULL;
	browser_free(b);
	b = browser_new(s);
	g_assert_cmpint(get(b, "/"), ==, 303);
	/* Who guesses waits. */
	for (int i = 0; i < 9; i++)
		post(b, "/login", "name=anna&password=guess");
	post(b, "/login", "name=anna&password=" PASSWORD);
	g_assert_cmpint(get(b, "/"), ==, 303);
	browser_free(b);
	site_free(s);
}

/* For whom a proxy asks, it says last, in a line of its own (HAProxy) or at the end of the
 * client's; whatever the client writes before that, it is the one who waits. */
static void test_proxied_guesser(void)
{
	static const struct {
		const char *name, *before, *after, *second;
	} rows[] = {
		{"anna", "203.0.113.", "", "198.51.100.1"},
		{"bert", "x, 203.0.113.", ", 198.51.100.2", NULL},
		{"vera", "nonsense ", "", "198.51.100.3"},
		{"carl", NULL, ", 203.0.113.1", "198.51.100.4"}, /* more than anybody needs */
	};
	Site *s = site_new(" proxy-peers = {\"127.0.0.1\"}\n", "");
	g_autofree char *long_list = g_strnfill(5000, ',');
	add_user(s, "carl", "viewer");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Browser *b = browser_new(s);
		g_autofree char *second = g_strdup_printf("X-Forwarded-For: %s",
			rows[i].second != NULL ? rows[i].second : "");
		g_autofree char *right = g_strdup_printf(
			"name=%s&password=" PASSWORD, rows[i].name);
		g_autofree char *wrong = g_strdup_printf("name=%s&password=x", rows[i].name);
		b->second = rows[i].second != NULL ? second : NULL;
		for (int k = 0; k <= MS_TRIES; k++) {
			g_autofree char *first = g_strdup_printf("X-Forwarded-For: %s%d%s",
				rows[i].before != NULL ? rows[i].before : long_list, k,
				rows[i].after);
			b->header = first;
			post(b, "/login", k < MS_TRIES ? wrong : right);
		}
		b->header = NULL;
		g_test_message("%s", rows[i].name);
		CONTAINS(b->body->str, "Too many failed attempts");
		b->second = "X-Forwarded-For: 192.0.2.1"; /* it was that address, and no other */
		g_assert_cmpint(post(b, "/login", right), ==, 303);
		browser_free(b);
	}
	site_free(s);
}

/* Who has logged out does not look on with what he had, either, while the agent is away; who has
 * not does. */
static void test_logged_out(void)
{
	Site *s = site_new("", "");
	char *kept[2];
	for (int out = 0; out < 2; out++) {
		Browser *b = logged_in(s, "vera");
		struct curl_slist *all = NULL;
		kept[out] = NULL;
		curl_easy_getinfo(b->curl, CURLINFO_COOKIELIST, &all);
		for (const struct curl_slist *c = all; c != NULL; c = c->next) {
			const char *at = strstr(c->data, "\tmissent\t");
			if (at != NULL)
				kept[out] = g_strdup_printf(
					"Cookie: missent=%s", at + strlen("\tmissent\t"));
		}
		curl_slist_free_all(all);
		g_assert_nonnull(kept[out]);
		if (out)
			g_assert_cmpint(post(b, "/logout", ""), ==, 303);
		browser_free(b);
	}
	stop(s->agent);
	for (int out = 0; out < 2; out++) {
		Browser *b = browser_new(s);
		b->header = kept[out];
		g_assert_cmpint(get(b, "/"), ==, out ? 303 : 200);
		browser_free(b);
		g_free(kept[out]);
	}
	g_autofree char *agent = g_build_filename(s->w->dir, "agent.sock", NULL);
	unlink(agent);
	s->agent = start("missent-agent", s->w->config, agent);
	site_free(s);
}

/* Done to the file itself; the number of its first row. */
static gint64 in_file(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		g_error("%s: %s", sql, sqlite3_errmsg(db));
	int rc = sqlite3_step(s);
	gint64 n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	g_assert_true(rc == SQLITE_ROW || rc == SQLITE_DONE);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

/* A page that is left open asks for its counter, and nobody is before it. */
static void test_unattended(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "vera");
	g_autoptr(MsSettings) settings = ms_settings_load(s->w->config, NULL);
	const char *file = settings->review.accounts_file;
	in_file(file, "UPDATE session SET used = used - 60000000");
	gint64 before = in_file(file, "SELECT used FROM session");
	g_assert_cmpint(get(b, "/counter"), ==, 200);
	g_assert_cmpint(in_file(file, "SELECT used FROM session"), ==, before);
	/* who types in it is there */
	static const char *const attended[] = {"/counter?typed=1", "/"};
	for (gsize i = 0; i < G_N_ELEMENTS(attended); i++) {
		in_file(file, "UPDATE session SET used = used - 60000000");
		before = in_file(file, "SELECT used FROM session");
		g_assert_cmpint(get(b, attended[i]), ==, 200);
		g_assert_cmpint(in_file(file, "SELECT used FROM session"), >, before);
	}
	in_file(file, "UPDATE session SET used = used - 3600000000");
	g_assert_cmpint(get(b, "/counter"), ==, 401);
	browser_free(b);
	site_free(s);
	/* whom a proxy names has no other to log in with */
	s = site_new(" proxy-peers = {\"127.0.0.1\"}\n", "");
	b = browser_new(s);
	b->header = "X-Remote-User: bert";
	g_assert_cmpint(get(b, "/"), ==, 200);
	g_autoptr(MsSettings) proxied = ms_settings_load(s->w->config, NULL);
	in_file(proxied->review.accounts_file, "UPDATE session SET used = used - 60000000");
	before = in_file(proxied->review.accounts_file, "SELECT used FROM session");
	g_assert_cmpint(get(b, "/counter"), ==, 200);
	g_assert_cmpint(
		in_file(proxied->review.accounts_file, "SELECT used FROM session"), >, before);
	browser_free(b);
	site_free(s);
}

/* Where the link leads that has this in it. */
static char *link_of(const Browser *b, const char *mark)
{
	const char *at = strstr(b->body->str, mark);
	const char *href = at != NULL ? strstr(at, "href=\"") : NULL;
	g_assert_nonnull(href);
	g_autofree char *raw = g_strndup(href + 6, strcspn(href + 6, "\""));
	g_auto(GStrv) parts = g_strsplit(raw, "&amp;", -1);
	return g_strjoinv("&", parts);
}

/* What a list says of itself, back and forth in it. */
static void test_listed(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "bert");
	g_autoptr(MsSettings) settings = ms_settings_load(s->w->config, NULL);
	g_autofree char *oldest = NULL, *newest = NULL;
	for (int i = 0; i < 53; i++) {
		g_autofree char *uid = world_hold(
			s->w, &(WorldHold){.gone = true, .age_us = (60 - i) * 1000000});
		if (i == 0)
			oldest = g_steal_pointer(&uid);
		else if (i == 52)
			newest = g_steal_pointer(&uid);
	}
	get(b, "/");
	CONTAINS(b->body->str, newest);
	g_assert_null(strstr(b->body->str, oldest));
	g_assert_null(strstr(b->body->str, "rel=\"prev\""));
	CONTAINS(b->body->str, "<b data-held>53</b>");
	g_autofree char *next = link_of(b, "rel=\"next\"");
	get(b, next);
	CONTAINS(b->body->str, oldest);
	g_assert_null(strstr(b->body->str, newest));
	g_assert_null(strstr(b->body->str, "rel=\"next\""));
	g_autofree char *back = link_of(b, "rel=\"prev\"");
	get(b, back);
	CONTAINS(b->body->str, newest);
	g_assert_null(strstr(b->body->str, oldest));
	/* what is decided and not yet done is in neither */
	g_autofree char *decided = g_strdup_printf(
		"INSERT INTO decision (id, uid, grp, verb, recipients, who, second, why, outcome,"
		" token, step, at, state) VALUES ('0123456789abcdef', '%s', '', 'delete', '',"
		" 'anna', '', '', '', '', '', 1, 'approved')", newest);
	in_file(settings->records_file, decided);
	get(b, "/");
	CONTAINS(b->body->str, "<b data-held>52</b>");
	CONTAINS(b->body->str, "<small>52</small>");
	get(b, "/counter");
	CONTAINS(b->body->str, "\"held\":52");
	/* an account that is mistyped is told */
	in_file(settings->records_file,
		"INSERT INTO account (held, name) SELECT max(id), 'ALPHA' FROM held");
	get(b, "/?account=ALPH");
	CONTAINS(b->body->str, "No message on record is about an account <b class=\"account\">ALPH</b>");
	CONTAINS(b->body->str, "account=ALPHA\"");
	get(b, "/?account=ALPHA&state=deleted");
	g_assert_null(strstr(b->body->str, "No message on record"));
	browser_free(b);
	site_free(s);
}

/* What comes back over the page's socket for these bytes, until it is closed. */
static char *said_to(const Site *s, const char *bytes)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	g_strlcpy(at.sun_path, s->socket, sizeof at.sun_path);
	GString *out = g_string_new(NULL);
	char buffer[4096];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_no_errno(connect(fd, (struct sockaddr *)&at, sizeof at));
	g_assert_true(ms_io_send(fd, bytes, strlen(bytes)));
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
		g_string_append_len(out, buffer, n);
	close(fd);
	return g_string_free(out, FALSE);
}

/* Where a body ends is said once: behind a proxy what follows may be somebody else's request. */
static void test_lengths(void)
{
	static const struct {
		const char *headers, *body;
		bool answered;
	} rows[] = {{"Content-Length: 3\r\n", "a=b", true},
		{"Transfer-Encoding: chunked\r\n", "3\r\na=b\r\n0\r\n\r\n", true},
		{"Content-Length: 3\r\nContent-Length: 0\r\n", "a=b", false},
		{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", false},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n", false},
		{"Transfer-Encoding: x, chunked\r\n", "0\r\n\r\n", false}};
	Site *s = site_new("", "");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *bytes = g_strdup_printf("POST /login HTTP/1.1\r\nHost: x\r\n"
			"Content-Type: application/x-www-form-urlencoded\r\n%s\r\n%s"
			"GET /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			rows[i].headers, rows[i].body);
		g_autofree char *out = said_to(s, bytes);
		if ((strstr(out, "HTTP/1.1 403") != NULL) != rows[i].answered ||
			(strstr(out, "HTTP/1.1 200") != NULL) != rows[i].answered)
			g_error("%s: %.300s", rows[i].headers, out);
	}
	site_free(s);
}

/* What cannot be read is not nothing. */
static void test_unreadable(void)
{
	static const char *const pages[] = {"/", "/?search=x", "/causes", "/cause?is=mismatch", "/waiting",
		"/counter", "/message/0123456789abcdef"},
		*const posts[][2] = {{"/agree", "id=0123456789abcdef0123456789abcdef&agrees=yes"},
			{"/bulk?state=held", "verb=return&why=x&uid=0123456789abcdef"},
			{"/bulk?state=held", "verb=return&why=x&all=1&up_to=9000000000000000"},
			{"/message/0123456789abcdef", "verb=release&why=x"}},
		*const asked[] = {"stats", "held", "held/0123456789abcdef", "causes", "waiting"};
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "anna");
	g_autofree char *token = new_token(b, "reads", "viewer");
	g_autoptr(MsSettings) settings = ms_settings_load(s->w->config, NULL);
	in_file(settings->records_file, "ALTER TABLE held RENAME TO gone");
	in_file(settings->records_file, "ALTER TABLE decision RENAME TO went");
	for (gsize i = 0; i < G_N_ELEMENTS(pages); i++)
		if (get(b, pages[i]) != 503)
			g_error("%s: %s", pages[i], b->body->str);
	for (gsize i = 0; i < G_N_ELEMENTS(posts); i++)
		if (post(b, posts[i][0], posts[i][1]) != 503)
			g_error("%s %s: %s", posts[i][0], posts[i][1], b->body->str);
	g_autofree char *bearer = g_strconcat("Authorization: Bearer ", token, NULL);
	b->header = bearer;
	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autofree char *path = g_strconcat(API, asked[i], NULL);
		if (get(b, path) != 503)
			g_error("%s: %s", path, b->body->str);
	}
	in_file(settings->records_file, "ALTER TABLE gone RENAME TO held");
	in_file(settings->records_file, "ALTER TABLE went RENAME TO decision");
	browser_free(b);
	site_free(s);
}

static guint searches(const Site *s, char **trail_out)
{
	g_autofree char *path = g_build_filename(s->w->state, "audit.jsonl", NULL);
	*trail_out = trail_text(path);
	g_auto(GStrv) parts = g_strsplit(*trail_out, "\"event\":\"search\"", -1);
	return g_strv_length(parts) - 1;
}

/* Whether somebody's mail is held is about him too: who asks that is on record, and what he asked
 * for is not. */
static void test_searched(void)
{
	Site *s = site_new("", "");
	Browser *b = logged_in(s, "anna");
	g_autofree char *token = new_token(b, "reads", "viewer"), *trail = NULL, *after = NULL;
	g_autofree char *bearer = g_strconcat("Authorization: Bearer ", token, NULL);
	g_assert_cmpint(get(b, "/"), ==, 200);
	g_assert_cmpint(get(b, "/?state=all&account=&search="), ==, 200);
	g_assert_cmpuint(searches(s, &trail), ==, 0);
	g_assert_cmpint(get(b, "/?search=C-10001&account=AC-10007&after=1.2"), ==, 200);
	b->header = bearer;
	g_assert_cmpint(get(b, API "held?recipient=b@beta.example"), ==, 200);
	g_assert_cmpint(get(b, API "held?cause=%ff"), ==, 400);
	CONTAINS(b->body->str, "\"code\":\"input\"");
	g_assert_cmpuint(searches(s, &after), ==, 2);
	CONTAINS(after, "\"event\":\"search\",\"who\":\"anna\"");
	CONTAINS(after, "\"detail\":\"search *****01, account ******07\"");
	CONTAINS(after, "\"detail\":\"recipient b***@b***.example\"");
	g_assert_null(strstr(after, "10001"));
	browser_free(b);
	site_free(s);
}

/* ---- programs ------------------------------------------------------------------------- */

static char *decision_of(Browser *b, const char *uid, const char *id, const char *why)
{
	g_autofree char *body = g_strdup_printf(
		"{\"verb\":\"note\",\"uids\":[\"%s\"],\"why\":\"%s\",\"id\":\"%s\"}", uid, why, id);
	g_assert_cmpint(
		ask(b, "POST", API "decide", body, "Content-Type: application/json"), ==, 200);
	json_t *reply = json_loads(b->body->str, 0, NULL);
	char *name = g_strdup(json_string_value(
		json_object_get(json_array_get(json_object_get(reply, "decisions"), 0), "id")));
	json_decref(reply);
	return name;
}

/* The same request is one decision; an ID as it came is no decision's name, which others may
 * wait under. */
static void names_of_decisions(Browser *b, const char *uid)
{
	g_autofree char *first = decision_of(b, uid, "00000000000000aa", "x");
	g_autofree char *again = decision_of(b, uid, "00000000000000aa", "x");
	g_autofree char *other = decision_of(b, uid, "00000000000000aa", "y");
	g_autofree char *third = decision_of(b, uid, "00000000000000ab", "x");
	g_assert_cmpstr(first, ==, again);
	g_assert_cmpstr(first, !=, other);
	g_assert_cmpstr(first, !=, third);
	g_assert_false(g_str_has_prefix(first, "00000000000000aa"));
}

static void test_api(void)
{
	Site *s = site_new("", " two-person-above = 2\n");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
	g_autofree char *one = world_hold(s->w, &(WorldHold){0});
	g_autofree char *big = world_hold(s->w, &(WorldHold){0});
	Browser *anna = logged_in(s, "anna");
	g_autofree char *token = new_token(anna, "billing", "reviewer"),
			*looks = new_token(anna, "looks", "viewer");
	g_autofree char *bearer = g_strdup_printf("Authorization: Bearer %s", token);
	g_autofree char *viewer = g_strdup_printf("Authorization: Bearer %s", looks);
	Browser *b = browser_new(s);
	const char *json = "Content-Type: application/json";
	g_assert_cmpint(get(b, API "stats"), ==, 401);
	b->header =
		"Authorization: Bearer mst_0000000000000000000000000000000000000000000000000000000000000000";
	g_assert_cmpint(get(b, API "stats"), ==, 401);
	b->header = bearer;
	g_autofree char *show = g_strdup_printf(API "held/%s", uid);
	const char *const reads[] = {API "stats", API "held", API "held?state=held&limit=1",
		API "causes", API "waiting", show};
	for (gsize i = 0; i < G_N_ELEMENTS(reads); i++) {
		if (get(b, reads[i]) != 200)
			g_error("%s: %s", reads[i], b->body->str);
		json_t *reply = json_loads(b->body->str, 0, NULL);
		g_assert_true(json_is_true(json_object_get(reply, "ok")));
		json_decref(reply);
	}
	g_assert_cmpint(get(b, API "nothing"), ==, 404);
	g_assert_cmpint(get(b, API "decide"), ==, 405);
	g_assert_cmpint(get(b, API "held/0000000000000000"), ==, 404);
	g_assert_cmpint(get(b, API "held?nonsense=1"), ==, 400);
	g_autofree char *evidence = g_strdup_printf(API "held/%s/evidence", uid);
	g_assert_cmpint(ask(b, "POST", evidence, "{}", json), ==, 200);
	CONTAINS(b->body->str, "C-10001");
	static const struct {
		const char *body;
		long want;
	} bad[] = {{"", 400}, {"[]", 400}, {"{", 400}, {"{\"verb\":\"release\"}", 400},
		{"{\"verb\":7,\"uids\":[\"x\"]}", 400},
		{"{\"verb\":\"let-go\",\"uids\":[\"0000000000000000\"]}", 400},
		{"{\"verb\":\"release\",\"uids\":[\"\"]}", 400},
		{"{\"verb\":\"release\",\"uids\":[],\"more\":1}", 400},
		{"{\"verb\":\"delete\",\"verb\":\"release\",\"uids\":[\"0000000000000000\"]}",
			400}};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		if (ask(b, "POST", API "decide", bad[i].body, json) != bad[i].want)
			g_error("%s: %s", bad[i].body, b->body->str);
	g_assert_cmpint(ask(b, "POST", API "decide", "verb=release", NULL), ==, 415);
	g_autofree char *large = g_strnfill(2 << 20, ' ');
	g_assert_cmpint(ask(b, "POST", API "decide", large, json), ==, 413);
	g_autofree char *note = g_strdup_printf(
		"{\"verb\":\"note\",\"uids\":[\"%s\"],\"why\":\"seen\"}", uid);
	g_autofree char *some = g_strdup_printf(
		"{\"verb\":\"release\",\"uids\":[\"%s\"],\"recipients\":[\"b@beta.example\"],"
		"\"why\":\"fine\"}",
		uid);
	g_autofree char *all = g_strdup_printf(
		"{\"verb\":\"delete\",\"uids\":[\"%s\"],\"why\":\"x\"}", big);
	g_autofree char *again = g_strdup_printf("{\"uids\":[\"%s\"]}", one);
	b->header = viewer;
	g_assert_cmpint(ask(b, "POST", API "decide", note, json), ==, 403);
	b->header = bearer;
	g_assert_cmpint(ask(b, "POST", API "decide", note, json), ==, 200);
	g_assert_cmpint(ask(b, "POST", API "rejudge", again, json), ==, 200);
	g_assert_cmpint(ask(b, "POST", API "decide", some, json), ==, 200);
	g_autofree char *mail = mail_of(s->w);
	g_assert_cmpstr(mail, ==, "b@beta.example ");
	names_of_decisions(b, uid);
	/* More than two wait for a person, who is named and proves it: a token is none. */
	g_assert_cmpint(ask(b, "POST", API "decide", all, json), ==, 200);
	CONTAINS(b->body->str, "waiting");
	g_autoptr(MsRecord) r = world_record(s->w, big);
	const char *id = ((MsDecision *)r->decisions->pdata[0])->id;
	static const char *const by[] = {"", ",\"name\":\"bert\"",
		",\"name\":\"bert\",\"password\":\"wrong\"",
		",\"name\":\"vera\",\"password\":\"" PASSWORD "\"",
		",\"name\":\"anna\",\"password\":\"" PASSWORD "\""};
	for (gsize i = 0; i < G_N_ELEMENTS(by); i++) {
		g_autofree char *agree = g_strdup_printf(
			"{\"id\":\"%s\",\"agrees\":true%s}", id, by[i]);
		long status = ask(b, "POST", API "agree", agree, json);
		if (status < 400)
			g_error("%s: %ld %s", by[i], status, b->body->str);
	}
	g_autofree char *agree = g_strdup_printf(
		"{\"id\":\"%s\",\"agrees\":true,\"name\":\"bert\",\"password\":\"" PASSWORD "\"}",
		id);
	g_assert_cmpint(ask(b, "POST", API "agree", agree, json), ==, 200);
	g_autofree char *states = world_states(s->w, big);
	g_assert_cmpstr(states, ==, "deleted deleted deleted");
	/* Nor is one taken away by who has a session and no more. */
	static const char *const proofs[] = {"", "&password=wrong",
		("&password=" PASSWORD)};
	for (gsize i = 0; i < G_N_ELEMENTS(proofs); i++) {
		g_autofree char *gone = g_strconcat("act=token-delete&name=billing", proofs[i], NULL);
		g_assert_cmpint(post(anna, "/accounts", gone), ==, 303);
		g_assert_cmpint(
			get(b, API "stats"), ==, i + 1 < G_N_ELEMENTS(proofs) ? 200 : 401);
	}
	browser_free(b);
	browser_free(anna);
	site_free(s);
}

/* What cannot be read of a record is not nothing, and least of all that all is right. */
static void test_blind(void)
{
	Site *s = site_new("", "");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
	g_autofree char *path = g_build_filename(s->w->state, "held.db", NULL);
	Browser *anna = logged_in(s, "anna");
	g_autofree char *token = new_token(anna, "looks", "viewer");
	g_autofree char *bearer = g_strdup_printf("Authorization: Bearer %s", token);
	Browser *b = browser_new(s);
	b->header = bearer;
	g_assert_cmpint(get(b, API "held"), ==, 200);
	CONTAINS(b->body->str, uid);
	in_file(path, "ALTER TABLE glance RENAME TO away");
	g_assert_cmpint(get(b, API "held"), ==, 503);
	CONTAINS(b->body->str, "\"code\":\"retry\"");
	g_assert_cmpint(get(anna, "/"), ==, 200);
	CONTAINS(anna->body->str, uid);
	CONTAINS(anna->body->str, "The records cannot be read now.");
	in_file(path, "ALTER TABLE away RENAME TO glance");
	g_assert_cmpint(get(b, API "held"), ==, 200);
	browser_free(b);
	browser_free(anna);
	site_free(s);
}

/* ---- the agent by itself -------------------------------------------------------------- */

static void test_agent(void)
{
	static const struct {
		const char *ask, *want;
	} rows[] = {
		{"", "this is no request"},
		{"[]", "this is no request"},
		{"{}", "there is no such request"},
		{"{\"do\":\"nothing\"}", "there is no such request"},
		{"{\"do\":\"hello\"}", "\"accounts\":3"},
		{"{\"do\":\"session\"}", "\"session\":null"},
		{"{\"do\":\"session\",\"session\":\"0000\"}", "\"session\":null"},
		{"{\"do\":\"accounts\"}", "\"code\":\"session\""},
		{"{\"do\":\"decide\",\"verb\":\"release\",\"uids\":[\"0000000000000000\"],\"who\":\"anna\"}",
			"\"code\":\"session\""},
		{"{\"do\":\"agree\",\"id\":\"0000000000000000\",\"agrees\":true,\"who\":\"anna\"}",
			"\"code\":\"session\""},
		{"{\"do\":\"evidence\",\"uid\":\"0000000000000000\",\"who\":\"anna\"}",
			"\"code\":\"session\""},
		{"{\"do\":\"part\",\"uid\":\"0000000000000000\",\"path\":\"1\"}",
			"\"code\":\"session\""},
		{"{\"do\":\"marks\",\"text\":\"C-10001\"}", "\"code\":\"session\""},
		{"{\"do\":\"hosts\"}", "\"code\":\"session\""},
		{"{\"do\":\"admit\",\"name\":\"anna\"}", "no proxy is trusted"},
		{"{\"do\":\"login\",\"name\":\"anna\",\"password\":\"wrong\",\"client\":\"192.0.2.1\"}",
			"\"result\":\"wrong\""},
		{"{\"do\":\"login\",\"name\":\"anna\",\"password\":\"" PASSWORD
		 "\",\"client\":\"192.0.2.2\"}",
			"\"result\":\"fine\""},
		/* The page writes no line in another's name, nor one of an act that is not its. */
		{"{\"do\":\"tell\",\"event\":\"look\",\"about\":\"x\",\"who\":\"anna\",\"name\":\"anna\"}",
			"\"code\":\"session\""},
		{"{\"do\":\"tell\",\"event\":\"decide\",\"session\":\"0000\"}",
			"\"code\":\"session\""},
		{"{\"do\":\"tell\",\"event\":\"release\",\"about\":\"x\",\"detail\":\"done\"}",
			"does no such thing"},
		{"{\"do\":\"tell\",\"event\":\"refused\",\"who\":\"mallory\",\"client\":\"192.0.2.9\"}",
			"\"ok\":true"},
		{"{\"do\":\"totp-begin\"}", "\"code\":\"session\""},
		{"{\"do\":\"tokens\"}", "\"code\":\"session\""},
	};
	Site *s = site_new("", "");
	g_autoptr(GError) error = NULL;
	MsSettings *settings = ms_settings_load_public(s->w->config, &error);
	g_assert_no_error(error);
	g_autoptr(MsLink) link = ms_link_open(settings, false, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *reply = ms_link_ask(link, "", rows[i].ask, 20000, &error);
		g_assert_no_error(error);
		CONTAINS(reply, rows[i].want);
	}
	/* A look is on the agent's trail, which the page has no other of. */
	Browser *b = logged_in(s, "bert");
	g_autofree char *uid = world_hold(s->w, &(WorldHold){0});
	g_autofree char *path = g_strdup_printf("/message/%s", uid),
			*own = g_build_filename(s->w->dir, "page", "audit.log", NULL);
	g_autofree char *line = g_strdup_printf(
		"\"event\":\"look\",\"who\":\"bert\",\"client\":\"127.0.0.1\",\"about\":\"%s\"",
		uid);
	g_assert_cmpint(get(b, path), ==, 200);
	g_autofree char *trail = trail_text(settings->audit_file);
	CONTAINS(trail, line);
	CONTAINS(trail, "\"event\":\"start\",\"who\":null");
	CONTAINS(trail, "\"event\":\"refused\",\"who\":null,\"client\":\"192.0.2.9\"");
	g_assert_null(strstr(trail, "mallory"));
	g_assert_null(strstr(trail, "\"event\":\"look\",\"who\":\"anna\""));
	g_assert_false(g_file_test(own, G_FILE_TEST_EXISTS));
	/* Without it the page has its lists, and says what is missing; nothing is looked at or
	 * decided. */
	g_autofree char *agent = g_build_filename(s->w->dir, "agent.sock", NULL);
	stop(s->agent);
	g_assert_cmpint(get(b, "/"), ==, 200);
	g_assert_cmpint(get(b, path), ==, 503);
	CONTAINS(b->body->str, "does missent-agent run?");
	g_assert_null(strstr(b->body->str, "@beta.example"));
	g_autofree G_GNUC_UNUSED char *said = decide(b, uid, "verb=delete&why=x&sure=1");
	g_autofree char *states = world_states(s->w, uid);
	g_assert_cmpstr(states, ==, "held held held");
	g_autofree char *none = ms_link_ask(link, "", "{\"do\":\"hello\"}", 1000, &error);
	g_assert_null(none);
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	/* One that hangs is waited for no longer with a request that it does not take. */
	g_clear_error(&error);
	int hangs = ms_io_listen(agent, NULL, 0600);
	g_autofree char *large = g_strnfill(8 << 20, ' ');
	g_autofree char *unheard = ms_link_ask(link, "", large, 300, &error);
	g_assert_null(unheard);
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	close(hangs);
	unlink(agent);
	/* What was written down while it was away is done when it is back. */
	world_file(s->w, "queue/do.release", "fail");
	MsDesk *desk = world_desk(s->w);
	g_assert_true(world_killed(
		s->w, "decided", 1, world_ask, &(WorldAsk){.verb = "delete", .uids = uid}));
	ms_desk_free(desk);
	s->agent = start("missent-agent", s->w->config, agent);
	for (int i = 0; i < 200; i++) {
		g_autoptr(MsRecord) r = world_record(s->w, uid);
		if (r->state == MS_STATE_DELETED)
			break;
		g_usleep(50000);
	}
	g_autofree char *done = world_states(s->w, uid);
	g_assert_cmpstr(done, ==, "deleted deleted deleted");
	browser_free(b);
	ms_settings_free(settings);
	site_free(s);
}

/* ---- several hosts -------------------------------------------------------------------- */

static GPid start_redis(const World *w, char **socket_out)
{
	g_autofree char *program = g_find_program_in_path("redis-server");
	*socket_out = g_build_filename(w->dir, "redis.sock", NULL);
	char *argv[] = {program, (char *)"--port", (char *)"0", (char *)"--unixsocket", *socket_out,
		(char *)"--save", (char *)"", (char *)"--dir", w->dir, NULL};
	g_autoptr(GError) error = NULL;
	GPid pid = 0;
	if (program == NULL)
		return 0;
	g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
		die_with_us, NULL, &pid, &error);
	g_assert_no_error(error);
	for (int i = 0; i < 200 && !g_file_test(*socket_out, G_FILE_TEST_EXISTS); i++)
		g_usleep(50000);
	return pid;
}

static bool comes(Browser *b, const char *path, const char *word)
{
	for (int i = 0; i < 300; i++) {
		if (get(b, path) == 200 && strstr(b->body->str, word) != NULL)
			return true;
		g_usleep(50000);
	}
	return false;
}

/* Who can write to Redis, and has no key, puts there once more what went through it. */
static void replay(const char *redis)
{
	static const char script[] =
		"local n = 0 for _, e in ipairs(redis.call('xrange', 't:desk:mx2.test', '-', '+'))"
		" do redis.call('xadd', 't:desk:mx2.test', '*', 'ask', e[2][2]) n = n + 1 end return n";
	char *argv[] = {(char *)"redis-cli", (char *)"-s", (char *)redis, (char *)"EVAL",
		(char *)script, (char *)"0", NULL};
	g_autofree char *out = NULL;
	g_autoptr(GError) error = NULL;
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(atoi(out), >=, 2);
}

static guint decisions_of(World *w, const char *uid)
{
	g_autoptr(MsRecord) r = world_record(w, uid);
	return r->decisions->len;
}

/* One page for two hosts: what the other holds is on it, what is decided is done there, once. */
static void test_hosts(void)
{
	World *other = world_new("", "");
	g_autofree char *redis = NULL;
	GPid server = start_redis(other, &redis);
	if (server == 0) {
		g_test_skip("no redis-server");
		world_free(other);
		return;
	}
	g_autofree char *key = g_build_filename(other->dir, "shared.key", NULL);
	g_autofree char *more = g_strdup_printf(
		"directory {\n redis = \"unix:%s\"\n redis-prefix = \"t\"\n}\n", redis);
	g_autofree char *desk = g_strdup_printf(" key-file = \"%s\"\n", key);
	g_autofree char *named = g_strdup_printf("host = \"mx2.test\"\n%s", more);
	Site bare = {.w = other};
	g_autofree char *words = g_strdup_printf("review key %s", key);
	g_autofree char *made = tool(&bare, "", words);
	CONTAINS(made, "made");
	world_settings(other, named, desk);
	g_autofree char *socket = g_build_filename(other->dir, "agent.sock", NULL);
	GPid agent = start("missent-agent", other->config, socket);
	Site *s = site_new_with(more, " all-hosts = yes\n", desk);
	Browser *b = logged_in(s, "bert");
	g_autofree char *here = world_hold(s->w, &(WorldHold){0});
	g_autofree char *there = world_hold(other, &(WorldHold){.host = "mx2.test"});
	g_autofree char *path = g_strdup_printf("/message/%s", there);
	g_autofree char *own = g_strdup_printf("/message/%s", here);
	g_assert_true(comes(b, path, "b@beta.example"));
	g_assert_true(comes(b, own, "b@beta.example"));
	g_assert_true(comes(b, "/hosts", "mx2.test"));
	learn_token(b);
	g_autofree char *said = decide(b, there, "verb=release-some&to=b@beta.example&why=fine");
	g_autofree char *mail = mail_of(other);
	if (strcmp(mail, "b@beta.example ") != 0)
		g_error("got \"%s\": %s", mail, said);
	g_autofree G_GNUC_UNUSED char *done = decide(b, here, "verb=delete&why=wrong&sure=1");
	g_autofree char *states = world_states(s->w, here);
	g_assert_cmpstr(states, ==, "deleted deleted deleted");
	g_autofree char *reveal = g_strconcat(path, "/reveal", NULL);
	g_assert_cmpint(post(b, reveal, ""), ==, 200);
	g_autofree G_GNUC_UNUSED char *note = decide(b, there, "verb=note&why=seen");
	g_assert_cmpuint(decisions_of(other, there), ==, 2);
	replay(redis);
	g_usleep(G_USEC_PER_SEC / 2);
	g_autofree G_GNUC_UNUSED char *after = decide(b, there, "verb=note&why=after");
	g_usleep(G_USEC_PER_SEC / 2);
	g_assert_cmpuint(decisions_of(other, there), ==, 3);
	g_autofree char *all = g_build_filename(s->w->state, "held-everywhere.db", NULL);
	in_file(all, "ALTER TABLE held RENAME TO away");
	g_assert_cmpint(get(b, "/hosts"), ==, 200);
	CONTAINS(b->body->str, "The records cannot be read now.");
	g_assert_null(strstr(b->body->str, "-1"));
	browser_free(b);
	stop(agent);
	site_free(s);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	world_free(other);
}

/* Whatever a form is like, and whoever sends it, the page goes on. */
static void test_forms(void)
{
#define PART(head) "--b\r\n" head "\r\n\r\nanna\r\n--b--\r\n"
#define NAMED(name) PART("Content-Disposition: form-data; name=\"" name "\"")
#define MULTIPART "Content-Type: multipart/form-data; boundary=b"
#define PLAIN "Content-Type: application/x-www-form-urlencoded"
	static const struct {
		const char *type, *body;
	} rows[] = {
		{MULTIPART, PART("Content-Disposition: form-data")},
		{MULTIPART, PART("Content-Type: text/plain")},
		{MULTIPART, PART("Content-Disposition: form-data; filename=\"x\"")},
		{MULTIPART, PART("")},
		{MULTIPART, NAMED("name")},
		{MULTIPART, NAMED("")},
		{MULTIPART, NAMED("\xff")},
		{MULTIPART, "--b\r\n"},
		{MULTIPART, "--b--\r\n"},
		{MULTIPART, ""},
		{"Content-Type: multipart/form-data", NAMED("name")},
		{"Content-Type: multipart/form-data; boundary=", NAMED("name")},
		{"Content-Type: multipart/mixed; boundary=b", NAMED("name")},
		{PLAIN, "="},
		{PLAIN, "=x"},
		{PLAIN, "&&&"},
		{PLAIN, "name"},
		{PLAIN, "name&password"},
		{PLAIN, "name=%"},
		{PLAIN, "name=%ff%00x&password=%zz"},
		{PLAIN, "%00=x"},
		{PLAIN, ""},
		{"Content-Type: text/plain", "name=x"},
		{"Content-Type:", "name=x"},
	};
	static const char *const paths[] = {"/login", "/me", "/bulk", "/message/x/part"};
	Site *s = site_new("", "");
	Browser *b = browser_new(s);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		for (gsize k = 0; k < G_N_ELEMENTS(paths); k++) {
			long status = ask(b, "POST", paths[k], rows[i].body, rows[i].type);
			if (status < 400 || status >= 500)
				g_error("%s, form %zu: got %ld", paths[k], i, status);
		}
		g_assert_cmpint(waitpid(s->page, NULL, WNOHANG), ==, 0);
		g_assert_cmpint(get(b, "/login"), ==, 200);
	}
	browser_free(b);
	site_free(s);
}

/* Neither starts with settings that cannot be. */
static void test_refusals(void)
{
	static const struct {
		const char *program, *settings, *desk, *want;
	} rows[] = {
		{"missent-agent", "nonsense = 1\n", "", "no such option"},
		{"missent-agent", "", " socket = \"/nowhere/at/all.sock\"\n",
			"/nowhere/at/all.sock"},
		{"missent-agent", "metrics {\n listen = \"unix:/nowhere/at/all.sock\"\n}\n", "",
			"metrics { listen"},
		{"missent-review", "nonsense = 1\n", "", "no such option"},
		{"missent-review", "review {\n listen = \"nowhere\"\n}\n", "",
			"is no address of a page"},
		{"missent-review", "review {\n listen = \"192.0.2.1:80\"\n}\n", "",
			"another address than loopback"},
		{"missent-review",
			"review {\n tls-certificate = \"/nowhere\"\n tls-key = \"/nowhere\"\n}\n",
			"", "/nowhere"},
	};
	World *w = world_new("", "");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = built_file(rows[i].program);
		char *argv[] = {path, (char *)"-c", w->config, NULL};
		int status = 0;
		g_autofree char *err = NULL;
		world_settings(w, rows[i].settings, rows[i].desk);
		g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, die_with_us, NULL,
			NULL, &err, &status, NULL));
		if (!WIFEXITED(status) || WEXITSTATUS(status) == 0)
			g_error("%s %s: status %d", rows[i].program, rows[i].settings, status);
		CONTAINS(err, rows[i].want);
	}
	world_free(w);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	hire_undertaker();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	g_test_add_func("/pages/look", test_look);
	g_test_add_func("/pages/states", test_states);
	g_test_add_func("/pages/streams", test_streams);
	g_test_add_func("/pages/decide", test_decide);
	g_test_add_func("/pages/all", test_all);
	g_test_add_func("/pages/fields", test_fields);
	g_test_add_func("/pages/words", test_words);
	g_test_add_func("/pages/searched", test_searched);
	g_test_add_func("/pages/evidence", test_evidence);
	g_test_add_func("/pages/much", test_much);
	g_test_add_func("/pages/second-person", test_second_person);
	g_test_add_func("/pages/shell", test_shell);
	g_test_add_func("/pages/people", test_people);
	g_test_add_func("/pages/proxy", test_proxy);
	g_test_add_func("/pages/proxied-guesser", test_proxied_guesser);
	g_test_add_func("/pages/logged-out", test_logged_out);
	g_test_add_func("/pages/unattended", test_unattended);
	g_test_add_func("/pages/listed", test_listed);
	g_test_add_func("/pages/unreadable", test_unreadable);
	g_test_add_func("/pages/lengths", test_lengths);
	g_test_add_func("/pages/api", test_api);
	g_test_add_func("/pages/blind", test_blind);
	g_test_add_func("/pages/agent", test_agent);
	g_test_add_func("/pages/hosts", test_hosts);
	g_test_add_func("/pages/forms", test_forms);
	g_test_add_func("/pages/refusals", test_refusals);
	return g_test_run();
}
