/*
 * Checks of Postfix's side, by what postconf says: main.cf, and each service of master.cf with what -o sets
 * there.
 *
 * Mail comes to a milter through an smtpd (smtpd_milters) or from local programs through cleanup
 * (non_smtpd_milters).  Each service is asked for its own values; one that can only take mail for this
 * host's own users sends nothing out.  Source: milter(5) of Postfix's MILTER_README, postconf(5), master(5).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/directory.h"

#include "doctor_private.h"

#define POSTCONF "/usr/sbin/postconf"

typedef struct {
	char *name;    /* "submission" */
	char *type;    /* "inet" */
	char *program; /* "smtpd" */
	bool chrooted;
} Service;

struct Postfix {
	GHashTable *settings;  /* of main.cf, with defaults */
	GHashTable *overrides; /* "submission/inet/smtpd_milters" */
	GPtrArray *services;   /* of Service */
};

/* ---- what postconf says --------------------------------------------------------------- */

static void service_free(gpointer data)
{
	Service *service = data;
	g_free(service->name);
	g_free(service->type);
	g_free(service->program);
	g_free(service);
}

void postfix_free(Postfix *postfix)
{
	if (postfix == NULL)
		return;
	g_hash_table_unref(postfix->settings);
	g_hash_table_unref(postfix->overrides);
	g_ptr_array_unref(postfix->services);
	g_free(postfix);
}

static char *postconf(const Patient *p, const char *option, GError **error)
{
	const char *argv[6] = {POSTCONF};
	int n = 1;
	if (p->s->postfix_config != NULL) {
		argv[n++] = "-c";
		argv[n++] = p->s->postfix_config;
	}
	argv[n++] = option;
	return ask_program(argv, error);
}

/* "name = value", a line each. */
static GHashTable *take_settings(const char *text)
{
	GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char *equal = strchr(*line, '=');
		if (equal != NULL) {
			*equal = '\0';
			g_hash_table_replace(out, g_strdup(g_strstrip(*line)), g_strdup(g_strstrip(equal + 1)));
		}
	}
	return out;
}

/* "smtp inet n - y - - smtpd -o ..." */
static GPtrArray *take_services(const char *text)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(service_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) all = g_strsplit_set(*line, " \t", -1);
		const char *words[8];
		guint n = 0;
		for (char **word = all; *word != NULL && n < 8; word++)
			if (**word != '\0')
				words[n++] = *word;
		if (n < 8)
			continue;
		Service *service = g_new0(Service, 1);
		service->name = g_strdup(words[0]);
		service->type = g_strdup(words[1]);
		service->chrooted = strcmp(words[4], "n") != 0; /* "-": the built-in default, n since 3.0 */
		service->chrooted = service->chrooted && strcmp(words[4], "-") != 0;
		service->program = g_path_get_basename(words[7]);
		g_ptr_array_add(out, service);
	}
	return out;
}

/* NULL, and nothing said: there is none; the row "postfix" says it. */
static Postfix *postfix_of(Patient *p, GError **error)
{
	if (p->postfix_asked || p->s->sendmail)
		return p->postfix;
	g_autofree char *settings = postconf(p, "-x", error);
	g_autofree char *overrides = settings != NULL ? postconf(p, "-Px", error) : NULL;
	g_autofree char *services = overrides != NULL ? postconf(p, "-M", error) : NULL;
	p->postfix_asked = true;
	if (services == NULL)
		return NULL;
	p->postfix = g_new0(Postfix, 1);
	p->postfix->settings = take_settings(settings);
	p->postfix->overrides = take_settings(overrides);
	p->postfix->services = take_services(services);
	return p->postfix;
}

const char *postfix_setting(Patient *p, const char *name)
{
	const Postfix *postfix = postfix_of(p, NULL);
	return postfix != NULL ? g_hash_table_lookup(postfix->settings, name) : NULL;
}

/* As that service sees it. */
static const char *value(const Patient *p, const Service *service, const char *name)
{
	g_autofree char *key = g_strconcat(service->name, "/", service->type, "/", name, NULL);
	const char *own = g_hash_table_lookup(p->postfix->overrides, key);
	const char *main = own == NULL ? g_hash_table_lookup(p->postfix->settings, name) : NULL;
	return own != NULL ? own : main != NULL ? main : "";
}

void check_postfix(Patient *p)
{
	g_autoptr(GError) error = NULL;
	if (!p->s->sendmail && postfix_of(p, &error) == NULL)
		not_seen(p, "Postfix cannot be asked: %s", error != NULL ? error->message : "no postconf");
}

/* ---- lists of milters ----------------------------------------------------------------- */

/* "unix:path, { inet:host:port, default_action=accept }": an item each, without braces.  Of char *. */
static GPtrArray *split_list(const char *list)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (const char *at = list; *(at += strspn(at, ", \t\n")) != '\0';) {
		bool braced = *at == '{';
		gsize len = braced ? strcspn(at + 1, "}") : strcspn(at, ", \t\n");
		char *item = g_strndup(at + braced, len);
		g_ptr_array_add(out, g_strstrip(item));
		at += len + braced;
		at += braced && *at == '}';
	}
	return out;
}

static char *address_of(const char *item)
{
	return g_strndup(item, strcspn(item, ", \t"));
}

/* Where the service would look for it; NULL: not on this host's files. */
static char *path_of(const Patient *p, const Service *service, const char *milter)
{
	const char *queue = g_hash_table_lookup(p->postfix->settings, "queue_directory");
	const char *name = g_str_has_prefix(milter, "unix:") ? milter + 5 : g_str_has_prefix(milter, "local:") ? milter + 6 : NULL;
	if (name == NULL)
		return NULL;
	return *name == '/' && !service->chrooted ? g_strdup(name) : g_build_filename(queue, name, NULL);
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static bool is_loopback(const char *spec)
{
	return strstr(spec, "@127.0.0.1") != NULL || strstr(spec, "@localhost") != NULL || strstr(spec, "@::1") != NULL;
}

static bool same_port(const char *a, const char *b)
{
	g_autofree char *x = ms_socket_spec(a, NULL), *y = ms_socket_spec(b, NULL);
	if (x == NULL || y == NULL || ms_socket_path(x) != NULL || ms_socket_path(y) != NULL)
		return false;
	const char *at = strchr(x, '@'), *colon = strchr(x, ':');
	return strcmp(x, y) == 0
		|| (is_loopback(x) && is_loopback(y) && strncmp(colon, strchr(y, ':'), (gsize)(at - colon) + 1) == 0);
}

/* Also where it looks in a wrong place for it: that is another complaint. */
static bool is_ours(const Patient *p, const Service *service, const char *milter)
{
	const char *ours = strchr(p->s->socket, '/');
	g_autofree char *theirs = path_of(p, service, milter);
	if (ours == NULL || theirs == NULL)
		return same_port(p->s->socket, milter);
	const char *name = strchr(milter, ':') + 1;
	return same_file(ours, theirs) || (*name != '\0' && g_str_has_suffix(ours, name));
}

typedef struct {
	GPtrArray *items;
	int ours; /* which of them; -1: none */
} Milters;

static Milters milters_of(const Patient *p, const Service *service, const char *list)
{
	Milters out = {split_list(value(p, service, list)), -1};
	for (guint i = 0; i < out.items->len; i++) {
		g_autofree char *address = address_of(out.items->pdata[i]);
		if (is_ours(p, service, address))
			out.ours = (int)i;
	}
	return out;
}

/* ---- which services ------------------------------------------------------------------- */

typedef void (*Each)(Patient *p, const Service *service, const char *list);

static void each_service(Patient *p, const char *program, const char *list, Each each)
{
	if (postfix_of(p, NULL) == NULL)
		return;
	for (guint i = 0; i < p->postfix->services->len; i++) {
		const Service *service = p->postfix->services->pdata[i];
		if (strcmp(service->program, program) == 0)
			each(p, service, list);
	}
}

static void each_way_in(Patient *p, Each each)
{
	each_service(p, "smtpd", "smtpd_milters", each);
	each_service(p, "cleanup", "non_smtpd_milters", each);
}

/* May a client send mail through it to others than this host's users?  Where it cannot be told: yes. */
static bool sends_out(const Patient *p, const Service *service)
{
	static const char *const lists[] = {"smtpd_relay_restrictions", "smtpd_recipient_restrictions"};
	bool sasl = strcmp(value(p, service, "smtpd_sasl_auth_enable"), "yes") == 0;
	bool networks = *value(p, service, "mynetworks") != '\0';
	guint n = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_auto(GStrv) words = g_strsplit_set(value(p, service, lists[i]), ", \t\n", -1);
		for (char **word = words; *word != NULL; word++) {
			n += **word != '\0';
			if ((networks && strcmp(*word, "permit_mynetworks") == 0)
				|| (sasl && strcmp(*word, "permit_sasl_authenticated") == 0) || strcmp(*word, "permit") == 0
				|| g_str_has_prefix(*word, "check_") || strcmp(*word, "permit_tls_clientcerts") == 0
				|| strcmp(*word, "permit_tls_all_clientcerts") == 0)
				return true;
		}
	}
	return n == 0;
}

/* ---- does it come to missent? --------------------------------------------------------- */

static bool takes_no_milters(const Patient *p, const Service *service)
{
	return strstr(value(p, service, "receive_override_options"), "no_milters") != NULL;
}

static void look_for_ours(Patient *p, const Service *service, const char *list)
{
	Milters milters = milters_of(p, service, list);
	if (milters.ours < 0)
		complain(p, "%s of service %s (master.cf) does not name %s: such mail is not judged", list, service->name,
			p->s->socket);
	g_ptr_array_unref(milters.items);
}

static void look_at_listener(Patient *p, const Service *service, const char *list)
{
	if (sends_out(p, service))
		look_for_ours(p, service, list);
}

void check_postfix_listeners(Patient *p)
{
	each_service(p, "smtpd", "smtpd_milters", look_at_listener);
}

void check_postfix_local(Patient *p)
{
	each_service(p, "cleanup", "non_smtpd_milters", look_for_ours);
}

static void look_at_override(Patient *p, const Service *service, const char *list)
{
	(void)list;
	if (takes_no_milters(p, service) && (strcmp(service->program, "smtpd") != 0 || sends_out(p, service)))
		complain(p, "receive_override_options of service %s (master.cf) has no_milters: such mail is not judged",
			service->name);
}

void check_postfix_overrides(Patient *p)
{
	each_service(p, "smtpd", NULL, look_at_override);
	each_service(p, "pickup", NULL, look_at_override);
	each_service(p, "qmqpd", NULL, look_at_override);
}

static void look_at_maps(Patient *p, const Service *service, const char *list)
{
	(void)list;
	const char *maps = value(p, service, "smtpd_milter_maps");
	if (*maps != '\0')
		complain(p, "smtpd_milter_maps = %s (service %s): clients with DISABLE in it are not judged", maps,
			service->name);
}

void check_postfix_maps(Patient *p)
{
	each_service(p, "smtpd", NULL, look_at_maps);
}

/* A copy that missent keeps, and a message that it holds, are as they were when it saw them: a
 * filter behind it, such as one that signs, would not be asked on release. */
static void look_at_order(Patient *p, const Service *service, const char *list)
{
	Milters milters = milters_of(p, service, list);
	if (milters.ours >= 0 && milters.ours + 1 < (int)milters.items->len)
		complain(p, "%s of service %s: missent is not the last: what %s does (a DKIM signature, perhaps) is missing "
			"in copies that are held and released", list, service->name,
			(const char *)milters.items->pdata[milters.items->len - 1]);
	g_ptr_array_unref(milters.items);
}

void check_postfix_order(Patient *p)
{
	each_way_in(p, look_at_order);
}

/* ---- when missent is away, or slow ---------------------------------------------------- */

/* "default_action=accept" in a milter's own braces, or NULL. */
static char *own_option(const char *item, const char *name)
{
	g_auto(GStrv) words = g_strsplit_set(item, ", \t", -1);
	g_autofree char *prefix = g_strconcat(name, "=", NULL);
	for (char **word = words; *word != NULL; word++)
		if (g_str_has_prefix(*word, prefix))
			return g_strdup(*word + strlen(prefix));
	return NULL;
}

/* Of missent in that list; NULL: it is not in it.  Caller frees. */
static char *option_of_ours(const Patient *p, const Service *service, const char *list, const char *own,
	const char *general)
{
	Milters milters = milters_of(p, service, list);
	char *out = milters.ours >= 0 ? own_option(milters.items->pdata[milters.ours], own) : NULL;
	if (out == NULL && milters.ours >= 0)
		out = g_strdup(value(p, service, general));
	g_ptr_array_unref(milters.items);
	return out;
}

static void look_at_action(Patient *p, const Service *service, const char *list)
{
	g_autofree char *action = option_of_ours(p, service, list, "default_action", "milter_default_action");
	if (action != NULL && strcmp(action, "accept") == 0)
		complain(p, "milter_default_action = accept (%s of service %s): while missent does not answer, mail goes out "
			"unjudged", list, service->name);
	else if (action != NULL && strcmp(action, "reject") == 0)
		complain_as(p, MS_GRAVITY_WARNING, NULL, "milter_default_action = reject (%s of service %s): while missent does "
			"not answer, mail is refused for good", list, service->name);
	else if (action != NULL && strcmp(action, "quarantine") == 0)
		complain_as(p, MS_GRAVITY_WARNING, NULL, "milter_default_action = quarantine (%s of service %s): while missent "
			"does not answer, mail is held without a record: missent cannot show it", list, service->name);
}

void check_postfix_action(Patient *p)
{
	each_way_in(p, look_at_action);
}

static gint64 seconds(const char *text)
{
	char *end;
	gint64 n = g_ascii_strtoll(text, &end, 10);
	return *end == 'm' ? n * 60 : *end == 'h' ? n * 3600 : *end == 'd' ? n * 86400 : n;
}

static void look_at_timeout(Patient *p, const Service *service, const char *list)
{
	g_autofree char *text = option_of_ours(p, service, list, "content_timeout", "milter_content_timeout");
	/* A message is read twice at most, after its turn has come. */
	gint64 need = (p->s->reader_wait_ms + 2 * p->s->limits.milliseconds + p->s->judging.milliseconds) / 1000;
	if (text != NULL && seconds(text) < need)
		complain(p, "milter_content_timeout = %s (%s of service %s): missent may take %" G_GINT64_FORMAT " s; mail that "
			"is slow to read would never come through", text, list, service->name, need);
}

void check_postfix_timeouts(Patient *p)
{
	each_way_in(p, look_at_timeout);
}

static void look_at_protocol(Patient *p, const Service *service, const char *list)
{
	g_autofree char *text = option_of_ours(p, service, list, "protocol", "milter_protocol");
	if (text != NULL && g_ascii_strtoll(text, NULL, 10) < 6)
		complain(p, "milter_protocol = %s (%s of service %s): missent cannot hold mail by it", text, list, service->name);
}

void check_postfix_protocol(Patient *p)
{
	each_way_in(p, look_at_protocol);
}

void check_postfix_ids(Patient *p)
{
	const char *long_ids = postfix_setting(p, "enable_long_queue_ids");
	if (long_ids != NULL && strcmp(long_ids, "yes") != 0)
		complain(p, "enable_long_queue_ids = no: Postfix uses queue IDs again");
}

/* ---- the socket ----------------------------------------------------------------------- */

static void look_at_socket(Patient *p, const Service *service, const char *list)
{
	Milters milters = milters_of(p, service, list);
	const char *queue = g_hash_table_lookup(p->postfix->settings, "queue_directory");
	const char *user = g_hash_table_lookup(p->postfix->settings, "mail_owner");
	if (milters.ours >= 0) {
		g_autofree char *address = address_of(milters.items->pdata[milters.ours]);
		g_autofree char *path = path_of(p, service, address);
		const char *name = path != NULL ? strchr(address, ':') + 1 : NULL;
		int why = name != NULL ? ask_socket(user, service->chrooted ? queue : NULL, queue, name) : 0;
		if (why == EPERM && geteuid() != 0)
			not_seen(p, "whether %s comes to %s: only root can try it", user, path);
		else if (why != 0)
			complain(p, "%s (%s of service %s): Postfix's user %s cannot connect to %s: %s", address, list,
				service->name, user, path, g_strerror(why));
	}
	g_ptr_array_unref(milters.items);
}

void check_postfix_socket(Patient *p)
{
	each_way_in(p, look_at_socket);
}

/* ---- what comes behind ---------------------------------------------------------------- */

void check_postfix_rewriting(Patient *p)
{
	static const struct {
		const char *name, *what;
	} settings[] = {
		{"always_bcc", "gets a copy of all mail"},
		{"sender_bcc_maps", "copies are sent to addresses in it"},
		{"recipient_bcc_maps", "copies are sent to addresses in it"},
		{"virtual_alias_maps", "recipients in it become others"},
		{"canonical_maps", "addresses in it become others"},
		{"recipient_canonical_maps", "recipients in it become others"},
		{"smtp_generic_maps", "addresses in it become others on their way out"},
		{NULL, NULL},
	};
	for (gsize i = 0; settings[i].what != NULL; i++) {
		const char *text = postfix_setting(p, settings[i].name);
		if (text != NULL && *text != '\0')
			complain(p, "%s = %s: %s after missent has judged", settings[i].name, text, settings[i].what);
	}
}

/* Postfix writes "[::1]/128". */
static char *plain_network(const char *text)
{
	GString *out = g_string_new(NULL);
	for (; *text != '\0'; text++)
		if (*text != '[' && *text != ']')
			g_string_append_c(out, *text);
	return g_string_free(out, FALSE);
}

static bool is_loopback_network(const char *network)
{
	return g_str_has_prefix(network, "127.") || strcmp(network, "::1") == 0 || strcmp(network, "::1/128") == 0
		|| g_str_has_prefix(network, "::ffff:127.");
}

/* Is all of `inner` in `outer`? */
static bool covers(const char *outer, const char *inner)
{
	g_autofree char *address = g_strndup(inner, strcspn(inner, "/"));
	bool six = strchr(inner, ':') != NULL;
	const char *a = strchr(outer, '/'), *b = strchr(inner, '/');
	gint64 whole = six ? 128 : 32;
	gint64 outer_bits = a != NULL ? g_ascii_strtoll(a + 1, NULL, 10) : whole;
	gint64 inner_bits = b != NULL ? g_ascii_strtoll(b + 1, NULL, 10) : whole;
	return outer_bits <= inner_bits && ms_network_contains(outer, address);
}

static bool is_outgoing(const Patient *p, const char *network)
{
	if (is_loopback_network(network) && p->s->out_local)
		return true;
	for (const char *const *own = p->s->out_networks; *own != NULL; own++)
		if (covers(*own, network))
			return true;
	return false;
}

void check_postfix_networks(Patient *p)
{
	const char *text = postfix_setting(p, "mynetworks");
	if (text == NULL || p->s->out_domains[0] != NULL)
		return;
	g_auto(GStrv) words = g_strsplit_set(text, ", \t\n", -1);
	for (char **word = words; *word != NULL; word++) {
		g_autofree char *network = plain_network(*word);
		if (*network == '\0' || *network == '!')
			continue;
		if (!ms_network_check(network, NULL))
			not_seen(p, "mynetworks names %s: whether its clients are outgoing for missent is not looked at", *word);
		else if (!is_outgoing(p, network))
			complain(p, "mail of clients in %s (mynetworks) is not judged: they are not in outgoing { networks }",
				network);
	}
}
