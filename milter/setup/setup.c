/*
 * Answers come in; the plan of all files goes out: missent's own, and those of the MTA.  And
 * before there are answers: what is proposed, by what is configured already, by the MTA and by
 * its log.  One thread.
 *
 * A file that is there is changed value by value, so that what a person wrote stays; where there
 * is none, what comes with missent is the beginning.
 */
#include "config.h"

#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "setup_private.h"

#define POLICY "policy \"invoices\""
#define EXAMPLE_SENDER "billing@example.com"
#define POSTFIX_CONFIG "/etc/postfix"
#define POSTFIX_FOLDER "/var/spool/postfix/missent"
#define DROP_IN "/etc/systemd/system/missent.service.d/init.conf"

void ms_setup_answers_clear(MsSetupAnswers *answers)
{
	g_clear_pointer(&answers->networks, g_strfreev);
	g_clear_pointer(&answers->domains, g_strfreev);
	g_clear_pointer(&answers->senders, g_strfreev);
}

/* ---- files that are there ---------------------------------------------------------------- */

/* Its text, or what comes with missent. */
static char *text_or(const char *path, const char *template)
{
	char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup(template);
}

static GStrv values_at(const char *text, const char *section, const char *key)
{
	g_autofree char *written = edit_get(text, section, key);
	return written != NULL ? edit_values(written) : NULL;
}

/* NULL: it is not there. */
static char *value_at(const char *text, const char *section, const char *key)
{
	g_auto(GStrv) values = values_at(text, section, key);
	return values != NULL && values[0] != NULL ? g_strdup(values[0]) : NULL;
}

static char *policy_folder(const char *config, const char *text)
{
	g_autofree char *dir = g_path_get_dirname(config),
			*given = value_at(text, NULL, "policy-dir");
	return given != NULL ? g_steal_pointer(&given) : g_build_filename(dir, "policies", NULL);
}

/* The file with the policy of invoices, or the one that shall have it. */
static char *policy_file(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;)
		if (g_str_has_suffix(name, ".conf") && !g_str_has_prefix(name, "kinds"))
			g_ptr_array_add(names, g_build_filename(folder, name, NULL));
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *text = NULL;
		if (g_file_get_contents(names->pdata[i], &text, NULL, NULL) &&
			edit_has_section(text, POLICY))
			return g_strdup(names->pdata[i]);
	}
	return g_build_filename(folder, "invoices.conf", NULL);
}

/* ---- proposals --------------------------------------------------------------------------- */

/* "10.1" of Sendmail's access table is all that begins so. */
static char *network_of_prefix(const char *word)
{
	g_auto(GStrv) parts = g_strsplit(word, ".", -1);
	guint n = g_strv_length(parts);
	if (strchr(word, ':') != NULL || strchr(word, '/') != NULL || n >= 4)
		return g_strdup(word);
	return g_strdup_printf("%s%s/%u", word, n == 1 ? ".0.0.0" : n == 2 ? ".0.0" : ".0", n * 8);
}

/* Clients that may send out by Sendmail's access table: "Connect:10.1 RELAY". */
static GStrv relaying_clients(const char *cf)
{
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	g_autofree char *dir = g_path_get_dirname(cf),
			*path = g_build_filename(dir, "access", NULL), *text = NULL;
	g_auto(GStrv) lines = g_strsplit(
		g_file_get_contents(path, &text, NULL, NULL) ? text : "", "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_strstrip(*line);
		const char *word = g_ascii_strncasecmp(*line, "Connect:", 8) == 0 ? *line + 8
										  : *line;
		gsize n = strcspn(word, " \t");
		g_autofree char *name = g_strndup(word, n), *network = network_of_prefix(name);
		if (strcmp(word + n + strspn(word + n, " \t"), "RELAY") == 0 &&
			ms_network_check(network, NULL) && !ms_network_is_loopback(network))
			g_strv_builder_add(out, network);
	}
	return g_strv_builder_end(out);
}

/* "mx.seller.example" is of seller.example; a name without dots is nobody's domain. */
static char *domain_of_host(const char *host)
{
	const char *dot = strchr(host, '.');
	return dot == NULL ? NULL : g_strdup(strchr(dot + 1, '.') != NULL ? dot + 1 : host);
}

/* What mail of local programs is from; Debian names a file. */
static char *domain_of_postfix(const MsPostfix *postfix)
{
	g_autofree char *text = g_strdup(ms_postfix_value(postfix, NULL, "myorigin"));
	g_autofree char *name = NULL;
	if (*text == '/' && g_file_get_contents(text, &name, NULL, NULL))
		g_strstrip(name);
	const char *origin = name != NULL ? name : text;
	const char *host = ms_postfix_value(postfix, NULL, "myhostname");
	return strchr(origin, '.') != NULL && strcmp(origin, host) != 0 ? g_strdup(origin)
									: domain_of_host(host);
}

static GStrv one_of(char *value)
{
	GStrv out = g_new0(char *, 2);
	out[0] = value;
	return out;
}

static void propose_networks(const char *text, const MsSetupMta *mta, const MsPostfix *postfix,
	MsSetupAnswers *out, GPtrArray *notes)
{
	out->networks = values_at(text, "outgoing", "networks");
	if (out->networks != NULL && out->networks[0] != NULL)
		return;
	g_strfreev(out->networks);
	out->networks = postfix != NULL ? networks_of(postfix, notes)
					: relaying_clients(mta->config);
}

static void propose_domains(
	const char *text, const MsPostfix *postfix, Traffic *traffic, MsSetupAnswers *out)
{
	out->domains = values_at(text, "outgoing", "sender-domains");
	if (out->domains != NULL && out->domains[0] != NULL)
		return;
	g_strfreev(out->domains);
	out->domains = NULL;
	if (traffic->domains[0] != NULL) {
		out->domains = g_steal_pointer(&traffic->domains);
		traffic->domains = g_new0(char *, 1);
		return;
	}
	char *own = postfix != NULL ? domain_of_postfix(postfix) : NULL;
	own = own != NULL ? own : domain_of_host(g_get_host_name());
	out->domains = own != NULL ? one_of(own) : g_new0(char *, 1);
}

static void propose_senders(const char *policy, const Traffic *traffic, MsSetupAnswers *out)
{
	out->senders = values_at(policy, POLICY, "sender");
	if (out->senders != NULL && out->senders[0] != NULL &&
		strcmp(out->senders[0], EXAMPLE_SENDER) != 0)
		return;
	g_strfreev(out->senders);
	if (traffic->billing[0] != NULL)
		out->senders = g_strdupv(traffic->billing);
	else
		out->senders = out->domains[0] != NULL
			? one_of(g_strconcat("billing@", out->domains[0], NULL))
			: g_new0(char *, 1);
}

void ms_setup_propose(const char *config, const MsSetupMta *mta, const char *log,
	MsSetupAnswers *out, GPtrArray *notes)
{
	g_auto(Traffic) traffic = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPostfix) postfix = mta->sendmail ? NULL : ms_postfix_ask(mta->config, &error);
	g_autofree char *text = text_or(config, setup_missent_conf);
	g_autofree char *folder = policy_folder(config, text), *path = policy_file(folder);
	g_autofree char *policy = text_or(path, setup_invoices_conf);
	if (error != NULL)
		setup_note(notes, "%s", error->message);
	const char *own = postfix != NULL ? ms_postfix_value(postfix, NULL, "maillog_file") : "";
	traffic_look(log != NULL ? log : *own == '/' ? own : NULL, &traffic, notes);
	out->mta = mta;
	propose_networks(text, mta, postfix, out, notes);
	propose_domains(text, postfix, &traffic, out);
	propose_senders(policy, &traffic, out);
}

/* ---- missent.conf ------------------------------------------------------------------------ */

typedef struct {
	char *text;
} Draft;

/* Only where it says something else: blanks are a person's. */
static void set_value(Draft *draft, const char *section, const char *key, const char *value)
{
	g_autofree char *old = value_at(draft->text, section, key), *quoted = edit_quote(value);
	if (g_strcmp0(old, value) == 0)
		return;
	char *text = edit_set(draft->text, section, key, quoted);
	g_free(draft->text);
	draft->text = text;
}

static void set_list(Draft *draft, const char *section, const char *key, const char *const *values)
{
	g_auto(GStrv) old = values_at(draft->text, section, key);
	bool empty = values == NULL || values[0] == NULL;
	if ((old == NULL || old[0] == NULL)
			? empty
			: (!empty && g_strv_equal((const char *const *)old, values)))
		return;
	g_autofree char *written = edit_quote_list(values);
	char *text = edit_set(draft->text, section, key, written);
	g_free(draft->text);
	draft->text = text;
}

static void unset(Draft *draft, const char *key)
{
	char *text = edit_unset(draft->text, NULL, key);
	g_free(draft->text);
	draft->text = text;
}

/* Is the value the one that comes with missent, or none? */
static bool is_stock(const char *text, const char *key)
{
	g_autofree char *now = value_at(text, NULL, key),
			*stock = value_at(setup_missent_conf, NULL, key);
	return now == NULL || g_strcmp0(now, stock) == 0;
}

static char *group_of(const char *user)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *group = pw != NULL ? getgrgid(pw->pw_gid) : NULL;
	return group != NULL ? g_strdup(group->gr_name) : NULL;
}

/* A socket that a person has chosen stays. */
static void set_socket(Draft *draft, const MsSetupMta *mta, const MsPostfix *postfix)
{
	if (!is_stock(draft->text, "socket"))
		return;
	if (mta->sendmail) {
		set_value(draft, NULL, "socket", "unix:" RUNDIR "/missent.sock");
		if (is_stock(draft->text, "socket-group"))
			unset(draft, "socket-group");
		return;
	}
	g_autofree char *socket = g_strdup_printf("unix:%s/missent/missent.sock",
		ms_postfix_value(postfix, NULL, "queue_directory"));
	g_autofree char *group = group_of(ms_postfix_value(postfix, NULL, "mail_owner"));
	set_value(draft, NULL, "socket", socket);
	if (group != NULL && is_stock(draft->text, "socket-group"))
		set_value(draft, NULL, "socket-group", group);
}

static void set_mta(Draft *draft, const MsSetupMta *mta)
{
	g_autofree char *now = value_at(draft->text, NULL, "mta");
	const char *key = mta->sendmail ? "sendmail-config" : "postfix-config";
	const char *usual = mta->sendmail ? MS_SENDMAIL_CF : POSTFIX_CONFIG;
	g_autofree char *where = value_at(draft->text, NULL, key);
	if (mta->sendmail || now != NULL)
		set_value(draft, NULL, "mta", mta->sendmail ? "sendmail" : "postfix");
	if (where != NULL || strcmp(mta->config, usual) != 0)
		set_value(draft, NULL, key, mta->config);
}

/* ---- where the probe goes in ------------------------------------------------------------- */

static char *url_of(const char *host, const char *port)
{
	const struct servent *service = g_ascii_isdigit(*port) ? NULL : getservbyname(port, "tcp");
	int number = service != NULL ? ntohs((guint16)service->s_port) : atoi(port);
	bool bare_six = strchr(host, ':') != NULL && *host != '[';
	return number > 0
		? g_strdup_printf(bare_six ? "smtp://[%s]:%d" : "smtp://%s:%d", host, number)
		: NULL;
}

/* Does it take mail of this host without a login? */
static bool is_open_here(const MsPostfix *postfix, const MsService *service)
{
	static const char *const lists[] = {
		"smtpd_relay_restrictions", "smtpd_recipient_restrictions"};
	bool permits = false;
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		permits = permits ||
			strstr(ms_postfix_value(postfix, service, lists[i]), "permit_mynetworks") !=
				NULL;
	return permits &&
		strcmp(ms_postfix_value(postfix, service, "smtpd_tls_wrappermode"), "yes") != 0 &&
		strcmp(ms_postfix_value(postfix, service, "smtpd_tls_security_level"), "encrypt") !=
		0 &&
		strstr(ms_postfix_value(postfix, service, "smtpd_client_restrictions"),
			"permit_sasl_authenticated") == NULL;
}

static void add_listener(GPtrArray *out, const MsPostfix *postfix, const MsService *service)
{
	const char *interfaces = ms_postfix_value(postfix, service, "inet_interfaces");
	const char *colon = strrchr(service->name, ':');
	bool emptied = ms_postfix_overrides(postfix, service, "smtpd_milters")
		&& *ms_postfix_value(postfix, service, "smtpd_milters") == '\0';
	g_autofree char *host = colon != NULL
		? g_strndup(service->name, (gsize)(colon - service->name))
		: NULL;
	g_auto(GStrv) own = g_strsplit_set(interfaces, ", \t", -1);
	bool here = strstr(interfaces, "all") != NULL || strstr(interfaces, "loopback") != NULL ||
		strstr(interfaces, "localhost") != NULL ||
		strstr(interfaces, "127.0.0.1") != NULL || own[0] == NULL;
	if (emptied || !is_open_here(postfix, service))
		return;
	char *url = url_of(host != NULL ? host
			: here          ? "127.0.0.1"
					: own[0],
		colon != NULL ? colon + 1 : service->name);
	if (url != NULL)
		g_ptr_array_add(out, url);
}

static void add_sendmail_listeners(GPtrArray *out, const char *path)
{
	g_autofree char *cf = NULL;
	bool read = g_file_get_contents(path, &cf, NULL, NULL);
	g_auto(GStrv) lines = ms_sendmail_lines(read ? cf : "");
	for (char **line = lines; *line != NULL; line++) {
		const char *text = ms_sendmail_value(*line, "DaemonPortOptions");
		if (text == NULL)
			continue;
		g_autofree char *modes = ms_sendmail_equate(text, 'M'),
				*host = ms_sendmail_equate(text, 'A'),
				*port = ms_sendmail_equate(text, 'P'),
				*family = ms_sendmail_equate(text, 'F');
		bool open = strpbrk(modes, "as") == NULL && strcmp(family, "inet6") != 0;
		char *url = open
			? url_of(*host != '\0' ? host : "127.0.0.1", *port != '\0' ? port : "smtp")
			: NULL;
		if (url != NULL)
			g_ptr_array_add(out, url);
	}
}

static GPtrArray *listeners_of(const MsSetupMta *mta, const MsPostfix *postfix)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; postfix != NULL && i < postfix->services->len; i++) {
		const MsService *service = postfix->services->pdata[i];
		bool smtp = strcmp(service->program, "smtpd") == 0 ||
			strcmp(service->program, "postscreen") == 0;
		if (smtp && strcmp(service->type, "inet") == 0)
			add_listener(out, postfix, service);
	}
	if (mta->sendmail)
		add_sendmail_listeners(out, mta->config);
	/* Local programs come to Sendmail's milters by submit.cf and the listener on this host. */
	if (!mta->sendmail)
		g_ptr_array_add(out, g_strdup("sendmail"));
	g_ptr_array_add(out, NULL);
	return out;
}

/* A made-up customer, whose mail goes nowhere: .invalid is nobody's (RFC 2606). */
static void set_canary(Draft *draft, const MsSetupAnswers *answers, const MsPostfix *postfix)
{
	const char *sender = answers->senders[0];
	g_autofree char *now = value_at(draft->text, "canary", "recipient");
	if (now != NULL || sender == NULL)
		return;
	const char *at = strchr(sender, '@');
	g_autofree char *address = at != NULL && at != sender ? g_strdup(sender)
		: g_strconcat("missent-canary@", at != NULL ? at + 1 : sender, NULL);
	g_autofree char *number = g_strdup_printf(
		"CANARY-%06u", g_random_int_range(100000, 1000000));
	g_autoptr(GPtrArray) listeners = listeners_of(answers->mta, postfix);
	set_list(draft, "canary", "listeners", (const char *const *)listeners->pdata);
	set_value(draft, "canary", "sender", address);
	set_value(draft, "canary", "recipient", "canary@missent.invalid");
	set_value(draft, "canary", "identifier", number);
}

/* ---- the plan ---------------------------------------------------------------------------- */

static bool plan_policies(
	MsPlan *plan, const char *folder, const MsSetupAnswers *answers, GError **error)
{
	g_autofree char *kinds = g_build_filename(folder, "kinds.conf", NULL),
			*path = policy_file(folder);
	g_autofree char *kinds_text = text_or(kinds, setup_kinds_conf);
	Draft draft = {text_or(path, setup_invoices_conf)};
	if (edit_has_section(draft.text, POLICY))
		set_list(&draft, POLICY, "sender", (const char *const *)answers->senders);
	else
		setup_note(plan->notes, "%s has no policy \"invoices\": it stays as it is", path);
	bool fine = ms_plan_add(plan, MS_SETUP_OWN, kinds, kinds_text, error)
		&& ms_plan_add(plan, MS_SETUP_OWN, path, draft.text, error);
	g_free(draft.text);
	return fine;
}

/* A unit may write only where it says. */
static bool plan_unit(MsPlan *plan, const char *config, const char *socket, GError **error)
{
	g_autofree char *spec = ms_socket_spec(socket, NULL);
	const char *path = spec != NULL ? ms_socket_path(spec) : NULL;
	g_autofree char *folder = path != NULL ? g_path_get_dirname(path) : NULL;
	bool known = folder == NULL || strcmp(folder, POSTFIX_FOLDER) == 0 ||
		strcmp(folder, RUNDIR) == 0;
	if (known || strcmp(config, CONFDIR "/missent.conf") != 0 ||
		access("/run/systemd/system", F_OK) != 0)
		return true;
	g_autofree char *text = g_strdup_printf(
		"# By missent init: where the socket of missent.conf is.\n[Service]\n"
		"ReadWritePaths=-%s\n",
		folder);
	return ms_plan_add(plan, MS_SETUP_OWN, DROP_IN, text, error);
}

static bool plan_own(MsPlan *plan, const char *config, const MsSetupAnswers *answers,
	const MsPostfix *postfix, char **socket_out, GError **error)
{
	Draft draft = {text_or(config, setup_missent_conf)};
	g_autofree char *folder = policy_folder(config, draft.text);
	set_socket(&draft, answers->mta, postfix);
	set_mta(&draft, answers->mta);
	set_list(&draft, "outgoing", "networks", (const char *const *)answers->networks);
	set_list(&draft, "outgoing", "sender-domains", (const char *const *)answers->domains);
	set_canary(&draft, answers, postfix);
	g_autoptr(MsSection) checked = ms_config_parse(config, draft.text, ms_settings_rows, error);
	if (checked != NULL)
		*socket_out = g_strdup(ms_section_text(checked, "socket"));
	bool fine = checked != NULL && ms_plan_add(plan, MS_SETUP_OWN, config, draft.text, error) &&
		plan_policies(plan, folder, answers, error) &&
		plan_unit(plan, config, *socket_out, error);
	g_free(draft.text);
	return fine;
}

bool ms_setup_keep_mta(
	const char *config, const MsSetupMta *mta, bool *kept_out, GError **error)
{
	g_autoptr(MsPlan) plan = ms_plan_new();
	Draft draft = {text_or(config, setup_missent_conf)};
	set_mta(&draft, mta);
	bool fine = ms_plan_add(plan, MS_SETUP_OWN, config, draft.text, error) &&
		ms_plan_apply(plan, MS_SETUP_OWN, error);
	*kept_out = fine && plan->changes->len > 0;
	g_free(draft.text);
	return fine;
}

MsPlan *ms_setup_plan(const char *config, const MsSetupAnswers *answers, GError **error)
{
	g_autoptr(MsPlan) plan = ms_plan_new();
	g_autoptr(MsPostfix) postfix = answers->mta->sendmail
		? NULL
		: ms_postfix_ask(answers->mta->config, error);
	g_autofree char *socket = NULL;
	if ((postfix == NULL && !answers->mta->sendmail) ||
		!plan_own(plan, config, answers, postfix, &socket, error))
		return NULL;
	g_autofree char *item = postfix != NULL
		? postfix_item(ms_postfix_value(postfix, NULL, "queue_directory"), socket)
		: NULL;
	bool fine = postfix != NULL ? plan_postfix(plan, answers->mta->config, socket, item, error)
				    : plan_sendmail(plan, answers->mta->config, socket, error);
	return fine ? g_steal_pointer(&plan) : NULL;
}
