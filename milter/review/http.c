/*
 * What a browser asked comes in, checked for form, size and right; out go redirects, and answers
 * with the headers that each has.  The thread of the request.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "page.h"

#define MAX_FORM (1 << 20)
#define NAME_COST 256 /* that a field's name takes, beside its text; and each of its values */
#define VALUE_COST 48
#define ADDRESS_MOST 1000 /* of a text in an address; three times that when it is escaped */
#define REQUESTS_OF_ONE 64

/* ---- addresses ------------------------------------------------------------------------ */

typedef struct {
	const char *path; /* one that ends with "/" takes all below it */
	bool post;
	Right right;
	void (*run)(Request *r, Answer *a);
} Route;

extern const char style_css[], app_js[], icon_svg[];

static void page_style(Request *r, Answer *a)
{
	(void)r;
	a->type = "text/css; charset=utf-8";
	a->bytes = g_bytes_new_static(style_css, strlen(style_css));
}

static void page_script(Request *r, Answer *a)
{
	(void)r;
	a->type = "text/javascript; charset=utf-8";
	a->bytes = g_bytes_new_static(app_js, strlen(app_js));
}

static void page_icon(Request *r, Answer *a)
{
	(void)r;
	a->type = "image/svg+xml";
	a->bytes = g_bytes_new_static(icon_svg, strlen(icon_svg));
}

/* More than one verb below /message/UID. */
static void page_below_message(Request *r, Answer *a)
{
	if (strstr(r->path, "/picture/") != NULL)
		page_picture(r, a);
	else
		page_message(r, a);
}

static void post_below_message(Request *r, Answer *a)
{
	if (g_str_has_suffix(r->path, "/reveal"))
		page_reveal(r, a);
	else if (g_str_has_suffix(r->path, "/part"))
		page_part(r, a);
	else
		page_decide(r, a);
}

static const Route routes[] = {
	{"/style.css", false, FOR_ALL, page_style},
	{"/app.js", false, FOR_ALL, page_script},
	{"/icon.svg", false, FOR_ALL, page_icon},
	{"/login", false, FOR_ALL, page_login},
	{"/login", true, FOR_ALL, page_login},
	{"/language", false, FOR_ALL, page_language},
	{"/logout", true, FOR_VIEWER, page_logout},
	{"/", false, FOR_VIEWER, page_list},
	{"/causes", false, FOR_VIEWER, page_causes},
	{"/cause", false, FOR_VIEWER, page_cause},
	{"/bulk", true, FOR_REVIEWER, page_bulk},
	{"/counter", false, FOR_VIEWER, page_counter},
	{"/waiting", false, FOR_VIEWER, page_waiting},
	{"/agree", true, FOR_REVIEWER, page_agree},
	{"/hosts", false, FOR_VIEWER, page_hosts},
	{"/streams", false, FOR_VIEWER, page_streams},
	{"/message/", false, FOR_VIEWER, page_below_message},
	{"/message/", true, FOR_REVIEWER, post_below_message},
	{"/me", false, FOR_VIEWER, page_me},
	{"/me", true, FOR_VIEWER, page_change_me},
	{"/accounts", false, FOR_ADMINISTRATOR, page_accounts},
	{"/accounts", true, FOR_ADMINISTRATOR, page_put_account},
};

static const Route *find_route(const char *path, bool post, bool *known_out)
{
	*known_out = false;
	for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
		gsize len = strlen(routes[i].path);
		bool all = len > 1 && routes[i].path[len - 1] == '/';
		if (all ? !g_str_has_prefix(path, routes[i].path)
			: strcmp(path, routes[i].path) != 0)
			continue;
		*known_out = true;
		if (routes[i].post == post)
			return &routes[i];
	}
	return NULL;
}

/* ---- coming back ---------------------------------------------------------------------- */

#define BACK_MOST 2000

/* Somebody comes back to it: no picture, no number, and nothing that is another site's. */
static bool is_place(const char *path)
{
	bool known;
	const Route *route = find_route(path, false, &known);
	return route != NULL && route->run != page_counter && strstr(path, "/picture/") == NULL &&
		(route->right != FOR_ALL || route->run == page_login);
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (!g_ascii_isgraph(*text))
			return false;
	return true;
}

char *own_page(const char *address)
{
	gsize n = strcspn(address, "?#");
	g_autofree char *path = g_strndup(address, n);
	if (strlen(address) > BACK_MOST || !is_plain(address) || !is_place(path))
		return g_strdup("/");
	/* what a form showed there is not shown again without it */
	static const char *const forms[] = {"/reveal", "/part"};
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
		if (g_str_has_suffix(path, forms[i]))
			path[n - strlen(forms[i])] = '\0';
	return g_strconcat(path, address + n, NULL);
}

static enum MHD_Result add_word(
	void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	GString *out = user;
	g_string_append_c(out, strchr(out->str, '?') == NULL ? '?' : '&');
	g_string_append_uri_escaped(out, name, NULL, FALSE);
	g_string_append_c(out, '=');
	g_string_append_uri_escaped(out, value != NULL ? value : "", NULL, FALSE);
	return MHD_YES;
}

/* The log-in, from which one comes back to what was asked for. */
static char *way_in(const Request *r)
{
	g_autoptr(GString) asked = g_string_new(r->path);
	if (has_text(r))
		MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, add_word, asked);
	g_autofree char *page = own_page(asked->str);
	if (strcmp(page, "/") == 0)
		return g_strdup("/login");
	g_autofree char *to = g_uri_escape_string(page, NULL, FALSE);
	return g_strconcat("/login?to=", to, NULL);
}

char *page_before(const Request *r)
{
	const char *from = header(r, "Referer"), *host = header(r, "Host");
	const char *name = from != NULL ? strstr(from, "://") : NULL;
	if (name == NULL || host == NULL || !g_str_has_prefix(name + 3, host))
		return g_strdup("/");
	return own_page(name + 3 + strlen(host));
}

/* ---- what was sent -------------------------------------------------------------------- */

const char *query(const Request *r, const char *name)
{
	const char *value = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
	return value != NULL ? value : "";
}

const GPtrArray *form_all(const Request *r, const char *name)
{
	return g_hash_table_lookup(r->form, name);
}

const char *form(const Request *r, const char *name)
{
	const GPtrArray *values = form_all(r, name);
	return values != NULL ? values->pdata[0] : "";
}

const char *below(const Request *r, const char *prefix)
{
	return r->path + strlen(prefix);
}

bool may(const Request *r, Right right)
{
	if (right == FOR_ALL)
		return true;
	return r->session != NULL && (int)r->session->account->role >= (int)right - (int)FOR_VIEWER;
}

static enum MHD_Result take_word(void *user, enum MHD_ValueKind kind, const char *name,
	size_t name_len, const char *value, size_t len)
{
	(void)kind;
	*(bool *)user = g_utf8_validate_len(name, name_len, NULL) &&
		(value == NULL || g_utf8_validate_len(value, len, NULL));
	return *(bool *)user ? MHD_YES : MHD_NO;
}

/* A word that cannot be read is no empty one: a list would not be narrowed by it, and what is
 * decided of all of a list would be decided of all there are. */
bool has_text(const Request *r)
{
	bool fine = true;
	MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, take_word, &fine);
	return fine;
}

static void end_value(Request *r)
{
	if (r->growing != NULL)
		g_ptr_array_add(r->grows_in, g_string_free(r->growing, FALSE));
	r->growing = NULL;
}

/* A long value comes in pieces, which end anywhere; there may be a thousand. */
static enum MHD_Result take_field(void *user, enum MHD_ValueKind kind, const char *key,
	const char *file, const char *type, const char *encoding, const char *data, uint64_t offset,
	size_t len)
{
	(void)kind;
	(void)file;
	(void)type;
	(void)encoding;
	Request *r = user;
	GPtrArray *values = key != NULL ? g_hash_table_lookup(r->form, key) : NULL;
	r->form_bytes += len + (offset == 0 ? VALUE_COST : 0);
	if (key != NULL && values == NULL)
		r->form_bytes += strlen(key) + NAME_COST;
	if (key == NULL || r->form_bytes > MAX_FORM)
		return MHD_NO; /* a part without a name is none of our forms */
	if (values == NULL) {
		values = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(r->form, g_strdup(key), values);
	}
	if (offset == 0) {
		end_value(r);
		r->growing = g_string_new(NULL);
		r->grows_in = values;
	}
	if (r->growing != NULL)
		g_string_append_len(r->growing, data, (gssize)len);
	return MHD_YES;
}

/* When it is there whole: a piece may have ended within a character. */
static void make_valid(Request *r)
{
	GHashTableIter iter;
	void *values;
	end_value(r);
	g_hash_table_iter_init(&iter, r->form);
	while (g_hash_table_iter_next(&iter, NULL, &values)) {
		GPtrArray *list = values;
		for (guint i = 0; i < list->len; i++) {
			char *raw = list->pdata[i];
			list->pdata[i] = g_utf8_make_valid(raw, -1);
			g_free(raw);
		}
	}
}

/* ---- who it is ------------------------------------------------------------------------ */

static char *peer_address(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
	char text[INET6_ADDRSTRLEN] = "";
	if (address != NULL && address->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
			text, sizeof text);
	else if (address != NULL && address->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text,
			sizeof text);
	/* A Unix socket's peers are on this host. */
	return g_strdup(*text != '\0' ? text : "127.0.0.1");
}

const char *header(const Request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

typedef struct {
	const char *name;
	GString *lines;
	guint n;
} Lines;

static enum MHD_Result take_line(
	void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	Lines *l = user;
	if (g_ascii_strcasecmp(name, l->name) == 0 && value != NULL)
		g_string_append_printf(l->lines, "%s%s", l->n++ > 0 ? "," : "", value);
	return MHD_YES;
}

char *header_lines(const Request *r, const char *name, guint *n_out)
{
	Lines l = {name, g_string_new(NULL), 0};
	MHD_get_connection_values(r->connection, MHD_HEADER_KIND, take_line, &l);
	*n_out = l.n;
	return g_string_free(l.lines, FALSE);
}

static void identify(Request *r, Answer *a)
{
	find_session(r, a);
	r->language = language_chosen(cookie(r, "language"), header(r, "Accept-Language"));
}

/* A form of our own page has the session's token; browsers say besides where it came from. */
static bool is_our_form(const Request *r)
{
	const char *origin = header(r, "Origin"), *host = header(r, "Host");
	if (origin != NULL && host != NULL) {
		const char *name = strstr(origin, "://");
		if (name == NULL || strcmp(name + 3, host) != 0)
			return false;
	}
	if (r->session == NULL)
		return true; /* the log-in itself */
	const char *token = form(r, "token");
	return strlen(token) == strlen(r->session->csrf) && strcmp(token, r->session->csrf) == 0;
}

/* ---- answering ------------------------------------------------------------------------ */

void redirect(Answer *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_free(a->location);
	a->location = g_strdup_vprintf(format, args);
	va_end(args);
	a->status = 303;
}

char *in_address(const char *text)
{
	const char *end = text + strlen(text);
	if (end - text > ADDRESS_MOST)
		end = g_utf8_find_prev_char(text, text + ADDRESS_MOST + 1);
	g_autofree char *cut = g_strndup(text, (gsize)(end - text));
	g_autofree char *whole = g_strconcat(cut, *end != '\0' ? "..." : "", NULL);
	return g_uri_escape_string(whole, NULL, FALSE);
}

static void add_headers(const Request *r, const Answer *a, struct MHD_Response *response)
{
	const char *const headers[][2] = {
		{"Content-Security-Policy",
			"default-src 'none'; style-src 'self'; script-src 'self'; "
			"img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
			"base-uri 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "same-origin"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
		{"Cache-Control", "no-store"},
		{"Strict-Transport-Security", r->site->tls ? "max-age=31536000" : NULL},
		{"Content-Type", a->type != NULL ? a->type : "text/html; charset=utf-8"},
		{"Location", a->location},
		{"Allow", a->allow},
		{"WWW-Authenticate", a->authenticate},
		{"Retry-After", a->retry_after},
		{"Set-Cookie", a->cookie},
		{"Set-Cookie", a->second_cookie},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++)
		if (headers[i][1] != NULL)
			MHD_add_response_header(response, headers[i][0], headers[i][1]);
	if (a->file_name != NULL) {
		g_autofree char *name = in_address(a->file_name);
		g_autofree char *value = g_strdup_printf("attachment; filename*=UTF-8''%s", name);
		MHD_add_response_header(response, "Content-Disposition", value);
	}
}

static enum MHD_Result send_answer(const Request *r, Answer *a)
{
	g_autoptr(GString) page = NULL;
	const void *data;
	gsize len;
	if (a->bytes != NULL) {
		data = g_bytes_get_data(a->bytes, &len);
	} else {
		page = a->type != NULL ? g_string_new(a->html->str) : frame(r, a);
		data = page->str;
		len = page->len;
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, (void *)data, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	add_headers(r, a, response);
	enum MHD_Result rc = MHD_queue_response(r->connection, a->status, response);
	MHD_destroy_response(response);
	return rc;
}

/* What a form asked for is not done after the log-in: it leads to the page that had the form. */
static void log_in_first(const Request *r, Answer *a)
{
	g_autofree char *way = way_in(r);
	if (r->is_post || strcmp(r->path, "/counter") == 0) {
		lead_on(r, a, 401, T(r, "Your session has ended. Log in again."), way,
			T(r, "Log in"));
	} else {
		redirect(a, "%s", way);
	}
}

static void answer(Request *r, Answer *a)
{
	bool known;
	const Route *route = find_route(r->path, r->is_post, &known);
	make_valid(r);
	identify(r, a);
	if (route == NULL) {
		say_no(r, a, known ? 405 : 404,
			T(r, known ? "This cannot be done here." : "There is no such page."));
	} else if (!has_text(r)) {
		say_no(r, a, 400, MS_NO_TEXT);
	} else if (r->broken) {
		say_no(r, a, 413, T(r, "This form is too large."));
	} else if (r->is_post && !is_our_form(r)) {
		audit(r, "forged form", "", r->path);
		say_no(r, a, 403,
			T(r,
				"This form is not, or no longer, of this page. Go back, load the page "
				"again, and repeat it."));
	} else if (may(r, route->right)) {
		route->run(r, a);
	} else if (r->session != NULL) {
		audit(r, "refused", "", r->path);
		say_no(r, a, 403, T(r, "Your account may not do this."));
	} else {
		log_in_first(r, a);
	}
}

static void answer_clear(Answer *a)
{
	g_string_free(a->html, TRUE);
	g_clear_pointer(&a->bytes, g_bytes_unref);
	g_free(a->about);
	g_free(a->location);
	g_free(a->cookie);
	g_free(a->second_cookie);
	g_free(a->file_name);
}

/* Of a body whose length is said twice a proxy may see the end elsewhere than we do, and take what
 * follows for somebody else's request. */
static bool is_ambiguous(const Request *r)
{
	guint lengths, codings;
	g_autofree char *length G_GNUC_UNUSED = header_lines(r, "Content-Length", &lengths);
	g_autofree char *coding = header_lines(r, "Transfer-Encoding", &codings);
	return lengths + codings > 1 || (codings == 1 && g_ascii_strcasecmp(coding, "chunked") != 0);
}

static Request *begin(Site *site, struct MHD_Connection *connection, const char *url, bool post)
{
	Request *r = g_new0(Request, 1);
	r->site = site;
	r->connection = connection;
	r->path = g_strdup(url);
	r->is_post = post;
	r->peer = peer_address(connection);
	r->client = client_of(r);
	r->form = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	if (g_str_has_prefix(url, API_PREFIX))
		api_begin(r);
	else if (post)
		r->post = MHD_create_post_processor(connection, 65536, take_field, r);
	return r;
}

/* How many requests of one client are being answered: one that asks for much does not take all
 * threads, also where a proxy has one address for all of its users. */
static bool count_client(Site *site, Request *r, int by)
{
	if (by < 0 && !r->counted)
		return true;
	pthread_mutex_lock(&site->lock);
	int n = GPOINTER_TO_INT(g_hash_table_lookup(site->clients, r->client)) + by;
	bool fine = by < 0 || n <= REQUESTS_OF_ONE;
	if (fine && n > 0)
		g_hash_table_replace(site->clients, g_strdup(r->client), GINT_TO_POINTER(n));
	else if (fine)
		g_hash_table_remove(site->clients, r->client);
	r->counted = fine && by > 0;
	pthread_mutex_unlock(&site->lock);
	return fine;
}

/* Called first with the header, then with each piece of the body, then once more. */
enum MHD_Result http_handle(void *site, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **state)
{
	(void)version;
	Request *r = *state;
	bool post = strcmp(method, "POST") == 0;
	if (r == NULL) {
		r = *state = begin(site, connection, url, post);
		connections_busy(connection, false); /* its body has a time of its own */
		return is_ambiguous(r) ? MHD_NO /* it is closed */ : MHD_YES;
	}
	if (*len > 0) {
		if (r->body != NULL && !api_take(r, data, *len))
			return MHD_NO;
		/* What is too long, or of another form than ours, is not read on. */
		if (r->post != NULL && !r->broken &&
			MHD_post_process(r->post, data, *len) != MHD_YES)
			r->broken = true;
		*len = 0;
		return MHD_YES;
	}
	Answer a = {.status = 200, .html = g_string_new(NULL), .title = "missent"};
	connections_busy(connection, true);
	if (!count_client(site, r, 1))
		say_no(r, &a, 429, "Too many requests at once.");
	else if (r->body != NULL)
		api_answer(r, &a, method);
	else if (post || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		answer(r, &a);
	else
		say_no(r, &a, 405, "GET, POST");
	enum MHD_Result rc = send_answer(r, &a);
	answer_clear(&a);
	return rc;
}

void http_done(void *site, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	(void)site;
	(void)code;
	Request *r = *state;
	connections_busy(connection, false);
	if (r == NULL)
		return;
	count_client(r->site, r, -1);
	if (r->post != NULL)
		MHD_destroy_post_processor(r->post);
	end_value(r);
	g_hash_table_unref(r->form);
	ms_session_free(r->session);
	if (r->body != NULL)
		g_byte_array_unref(r->body);
	g_free(r->session_id);
	g_free(r->device);
	g_free(r->token);
	g_free(r->client);
	g_free(r->peer);
	g_free((char *)r->path);
	g_free(r);
	*state = NULL;
}
