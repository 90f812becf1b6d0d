/*
 * Checks of Postfix's side, by what postconf says: main.cf, and each service of master.cf with
 * what -o sets there.
 *
 * Mail comes to a milter through an smtpd (smtpd_milters) or from local programs through cleanup
 * (non_smtpd_milters).  Each service is asked for its own values; one that can only take mail for
 * this host's own users sends nothing out.  Source: milter(5) of Postfix's MILTER_README,
 * postconf(5), master(5).  The thread of who examines (doctor.h).
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/directory.h"

#include "doctor_private.h"

MsPostfix *postfix_of(Patient *p, GError **error)
{
	if (p->postfix_asked || p->s->sendmail)
		return p->postfix;
	p->postfix = ms_postfix_ask(p->s->postfix_config, error);
	p->postfix_asked = true;
	return p->postfix;
}

const char *postfix_setting(Patient *p, const char *name)
{
	const MsPostfix *postfix = postfix_of(p, NULL);
	return postfix != NULL ? g_hash_table_lookup(postfix->settings, name) : NULL;
}

/* As that service sees it. */
static const char *value(const Patient *p, const MsService *service, const char *name)
{
	return ms_postfix_value(p->postfix, service, name);
}

void check_postfix(Patient *p)
{
	g_autoptr(GError) error = NULL;
	if (!p->s->sendmail && postfix_of(p, &error) == NULL)
		not_seen(p, "Postfix cannot be asked: %s",
			error != NULL ? error->message : "no postconf");
}

/* ---- lists of milters ----------------------------------------------------------------- */

typedef struct {
	GPtrArray *items;
	int ours; /* which of them; -1: none */
} Milters;

static Milters milters_of(const Patient *p, const MsService *service, const char *list)
{
	Milters out = {ms_postfix_list(value(p, service, list)), -1};
	for (guint i = 0; i < out.items->len; i++) {
		g_autofree char *address = ms_postfix_address(out.items->pdata[i]);
		if (ms_postfix_is(p->postfix, service, address, p->s->socket))
			out.ours = (int)i;
	}
	return out;
}

/* ---- which services ------------------------------------------------------------------- */

typedef void (*Each)(Patient *p, const MsService *service, const char *list);

static void each_service(Patient *p, const char *program, const char *list, Each each)
{
	if (postfix_of(p, NULL) == NULL)
		return;
	for (guint i = 0; i < p->postfix->services->len; i++) {
		const MsService *service = p->postfix->services->pdata[i];
		if (strcmp(service->program, program) == 0)
			each(p, service, list);
	}
}

static void each_way_in(Patient *p, Each each)
{
	each_service(p, "smtpd", "smtpd_milters", each);
	each_service(p, "cleanup", "non_smtpd_milters", each);
}

/* ---- does it come to missent? --------------------------------------------------------- */

static bool takes_no_milters(const Patient *p, const MsService *service)
{
	return strstr(value(p, service, "receive_override_options"), "no_milters") != NULL;
}

static void look_for_ours(Patient *p, const MsService *service, const char *list)
{
	Milters milters = milters_of(p, service, list);
	if (milters.ours < 0)
		complain(p,
			"%s of service %s (master.cf) does not name %s: such mail is not judged",
			list, service->name, p->s->socket);
	g_ptr_array_unref(milters.items);
}

static bool names_ours(const Patient *p, const MsService *service)
{
	Milters milters = milters_of(p, service, "smtpd_milters");
	g_ptr_array_unref(milters.items);
	return milters.ours >= 0;
}

/* The filter that mail comes through before missent sees it, or "": an smtpd before a proxy filter
 * shows milters envelopes alone. */
static const char *filter_before(const Patient *p, const MsService *service)
{
	const char *proxy = value(p, service, "smtpd_proxy_filter");
	return *proxy != '\0' || names_ours(p, service) ? proxy
							: value(p, service, "content_filter");
}

static void look_at_listener(Patient *p, const MsService *service, const char *list)
{
	if (ms_postfix_sends_out(p->postfix, service) && *filter_before(p, service) == '\0')
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

static void look_at_override(Patient *p, const MsService *service, const char *list)
{
	(void)list;
	if (takes_no_milters(p, service) &&
		(strcmp(service->program, "smtpd") != 0 ||
			ms_postfix_sends_out(p->postfix, service)))
		complain(p,
			"receive_override_options of service %s (master.cf) has no_milters: such mail is not judged",
			service->name);
}

void check_postfix_overrides(Patient *p)
{
	each_service(p, "smtpd", NULL, look_at_override);
	each_service(p, "pickup", NULL, look_at_override);
	each_service(p, "qmqpd", NULL, look_at_override);
}

static void look_at_maps(Patient *p, const MsService *service, const char *list)
{
	(void)list;
	const char *maps = value(p, service, "smtpd_milter_maps");
	if (*maps != '\0')
		complain(p,
			"smtpd_milter_maps = %s (service %s): clients with DISABLE in it are not judged",
			maps, service->name);
}

/* Another that shows missent mail, and gives it to no filter: what a filter gives back may come in
 * there.  NULL: there is none. */
static const MsService *comes_back(const Patient *p)
{
	for (guint i = 0; i < p->postfix->services->len; i++) {
		const MsService *service = p->postfix->services->pdata[i];
		if (strcmp(service->program, "smtpd") == 0 &&
			*value(p, service, "content_filter") == '\0' &&
			ms_postfix_sends_out(p->postfix, service) && names_ours(p, service))
			return service;
	}
	return NULL;
}

static void look_at_filter(Patient *p, const MsService *service, const char *list)
{
	(void)list;
	const char *before = filter_before(p, service), *after = value(p, service, "content_filter");
	const MsService *back = *after != '\0' ? comes_back(p) : NULL;
	if (!ms_postfix_sends_out(p->postfix, service))
		return;
	if (*before != '\0')
		complain(p,
			"mail of service %s (master.cf) goes to the filter %s: missent sees it only where that gives it back",
			service->name, before);
	else if (back != NULL)
		complain(p,
			"mail of service %s (master.cf) goes from missent to the filter %s: if it comes back to service %s, "
			"which shows it to missent once more, what was released is held anew",
			service->name, after, back->name);
}

void check_postfix_filters(Patient *p)
{
	each_service(p, "smtpd", NULL, look_at_filter);
}

void check_postfix_maps(Patient *p)
{
	each_service(p, "smtpd", NULL, look_at_maps);
}

static void look_at_order(Patient *p, const MsService *service, const char *list)
{
	Milters milters = milters_of(p, service, list);
	g_autofree char *where = g_strdup_printf("%s of service %s", list, service->name);
	if (milters.ours >= 0 && milters.ours + 1 < (int)milters.items->len)
		complain_not_last(p, where, milters.items->pdata[milters.items->len - 1]);
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
static char *option_of_ours(const Patient *p, const MsService *service, const char *list,
	const char *own, const char *general)
{
	Milters milters = milters_of(p, service, list);
	char *out = milters.ours >= 0 ? own_option(milters.items->pdata[milters.ours], own) : NULL;
	if (out == NULL && milters.ours >= 0)
		out = g_strdup(value(p, service, general));
	g_ptr_array_unref(milters.items);
	return out;
}

static void look_at_action(Patient *p, const MsService *service, const char *list)
{
	g_autofree char *action = option_of_ours(
		p, service, list, "default_action", "milter_default_action");
	if (action != NULL && strcmp(action, "accept") == 0)
		complain(p,
			"milter_default_action = accept (%s of service %s): while missent does not answer, mail goes out "
			"unjudged",
			list, service->name);
	else if (action != NULL && strcmp(action, "reject") == 0)
		complain_as(p, MS_GRAVITY_WARNING, NULL,
			"milter_default_action = reject (%s of service %s): while missent does "
			"not answer, mail is refused for good",
			list, service->name);
	else if (action != NULL && strcmp(action, "quarantine") == 0)
		complain_as(p, MS_GRAVITY_WARNING, NULL,
			"milter_default_action = quarantine (%s of service %s): while missent "
			"does not answer, mail is held without a record: missent cannot show it",
			list, service->name);
}

void check_postfix_action(Patient *p)
{
	each_way_in(p, look_at_action);
}

static void look_at_timeout(Patient *p, const MsService *service, const char *list)
{
	g_autofree char *text = option_of_ours(
		p, service, list, "content_timeout", "milter_content_timeout");
	gint64 need = (p->s->deadline_ms + 999) / 1000;
	if (text != NULL && ms_postfix_seconds(text) <= need)
		complain(p,
			"milter_content_timeout = %s (%s of service %s): missent may take %" G_GINT64_FORMAT
			" s for one message (message-deadline, which must be less)",
			text, list, service->name, need);
}

void check_postfix_timeouts(Patient *p)
{
	each_way_in(p, look_at_timeout);
}

static void look_at_protocol(Patient *p, const MsService *service, const char *list)
{
	g_autofree char *text = option_of_ours(p, service, list, "protocol", "milter_protocol");
	if (text != NULL && g_ascii_strtoll(text, NULL, 10) < 6)
		complain(p,
			"milter_protocol = %s (%s of service %s): each step of each message, wanted or not, is "
			"shown to missent and waits for its answer",
			text, list, service->name);
}

void check_postfix_protocol(Patient *p)
{
	each_way_in(p, look_at_protocol);
}

void check_postfix_ids(Patient *p)
{
	const char *long_ids = postfix_setting(p, "enable_long_queue_ids");
	if (long_ids != NULL && strcmp(long_ids, "yes") != 0)
		complain(p,
			"enable_long_queue_ids = no: Postfix uses queue IDs again, and at its next start renames what "
			"it holds, which missent then finds no more");
}

/* ---- the socket ----------------------------------------------------------------------- */

static void look_at_socket(Patient *p, const MsService *service, const char *list)
{
	Milters milters = milters_of(p, service, list);
	const char *queue = g_hash_table_lookup(p->postfix->settings, "queue_directory");
	const char *user = g_hash_table_lookup(p->postfix->settings, "mail_owner");
	if (milters.ours >= 0) {
		g_autofree char *address = ms_postfix_address(milters.items->pdata[milters.ours]);
		g_autofree char *path = ms_postfix_path(p->postfix, service, address);
		const char *name = path != NULL ? strchr(address, ':') + 1 : NULL;
		int why = name != NULL
			? ask_socket(user, service->chrooted ? queue : NULL, queue, name)
			: 0;
		if (why == EPERM && geteuid() != 0)
			not_seen(p, "whether %s comes to %s: only root can try it", user, path);
		else if (why != 0 && why != ECONNREFUSED) /* nobody listens: check_daemon() */
			complain(p,
				"%s (%s of service %s): Postfix's user %s cannot connect to %s: %s",
				address, list, service->name, user, path, g_strerror(why));
	}
	g_ptr_array_unref(milters.items);
}

void check_postfix_socket(Patient *p)
{
	each_way_in(p, look_at_socket);
}

/* ---- who is outgoing ------------------------------------------------------------------- */

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
	if (ms_network_is_loopback(network) && p->s->out_local)
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
		g_autofree char *network = ms_postfix_network(*word);
		if (*network == '\0' || *network == '!')
			continue;
		if (!ms_network_check(network, NULL))
			not_seen(p,
				"mynetworks names %s: whether its clients are outgoing for missent is not looked at",
				*word);
		else if (!is_outgoing(p, network))
			complain(p,
				"mail of clients in %s (mynetworks) is not judged: they are not in outgoing { networks }",
				network);
	}
}

/* ---- other instances ------------------------------------------------------------------- */

/* Their queue folders are others, so a name below it is another socket. */
static bool is_same_socket(const Patient *p, const MsService *service, const char *address)
{
	const char *ours = strchr(p->s->socket, '/');
	g_autofree char *theirs = ms_postfix_path(p->postfix, service, address);
	return ours == NULL || theirs == NULL
		? ms_postfix_is(p->postfix, service, address, p->s->socket)
		: strcmp(ours, theirs) == 0;
}

static void look_at_other(Patient *p, const MsService *service, const char *list)
{
	g_autoptr(GPtrArray) items = ms_postfix_list(value(p, service, list));
	for (guint i = 0; i < items->len; i++) {
		g_autofree char *address = ms_postfix_address(items->pdata[i]);
		if (is_same_socket(p, service, address))
			complain(p,
				"%s of service %s in %s names missent too: of what is held in that queue missent finds nothing",
				list, service->name, p->postfix->config);
	}
}

/* What is held is in the queue of the instance that took it, and missent looks into one. */
void check_postfix_instances(Patient *p)
{
	MsPostfix *ours = postfix_of(p, NULL);
	g_autoptr(GPtrArray) others = ours != NULL ? ms_postfix_instances(ours->config) : NULL;
	for (guint i = 0; others != NULL && i < others->len; i++) {
		p->postfix = ms_postfix_ask(others->pdata[i], NULL);
		each_way_in(p, look_at_other);
		ms_postfix_free(p->postfix);
	}
	p->postfix = ours;
}

/* ---- one way in ----------------------------------------------------------------------- */

/* "postfix/submission/smtpd": the service writes to the log so. */
static bool logs_as(
	const Patient *p, const MsService *service, const char *instance, const char *name)
{
	g_autofree char *own = g_strconcat(
		value(p, service, "syslog_name"), "/", service->program, NULL);
	g_autofree char *asked = g_strconcat(instance, "/", name, NULL);
	return strcmp(own, asked) == 0;
}

static void look_at_way(Patient *p, const MsService *service, MsWay way)
{
	bool takes_in = strcmp(service->program, "smtpd") == 0;
	const char *list = takes_in ? "smtpd_milters" : "non_smtpd_milters";
	if (way == MS_WAY_OPEN) {
		look_at_action(p, service, list);
		return;
	}
	look_at_override(p, service, list);
	if (takes_in || strcmp(service->program, "cleanup") == 0)
		look_for_ours(p, service, list);
	if (takes_in)
		look_at_maps(p, service, list);
}

void postfix_way(Patient *p, MsWay way, const char *instance, const char *name)
{
	const MsPostfix *postfix = postfix_of(p, NULL);
	bool local = way == MS_WAY_LOCAL || g_strcmp0(name, "pickup") == 0;
	for (guint i = 0; postfix != NULL && i < postfix->services->len; i++) {
		const MsService *service = postfix->services->pdata[i];
		bool cleanup = strcmp(service->program, "cleanup") == 0,
		     pickup = strcmp(service->program, "pickup") == 0;
		if (local ? cleanup || (pickup && way != MS_WAY_OPEN)
			  : strcmp(service->program, "smtpd") == 0 &&
					(name == NULL || logs_as(p, service, instance, name)))
			look_at_way(p, service, way);
	}
}
