/*
 * The table of checks, and the walk over it.
 *
 * A running configuration comes in, complaints go out.  `missent config check` takes the rows
 * that look at what is configured, `missent doctor` all of them.  A row's function complains with
 * the row's gravity and remedy unless it knows better ones; what it cannot look at it says too.
 * A check that belongs to the other MTA, or to the other backend, has nothing to say.  In the
 * caller's thread.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/text.h"

#include "doctor_private.h"

const char *const ms_gravity_names[] = {"unknown", "warning", "fault", NULL};

typedef struct {
	MsCheckRow row;
	void (*run)(Patient *p);
} Check;

#define CONFIGURED true
#define NOW false
#define ROW(name, gravity, when, looks, remedy, run)                   \
	{                                                              \
		{name, looks, remedy, MS_GRAVITY_##gravity, when}, run \
	}

static const Check checks[] = {
	/* ---- what is judged at all ---- */
	ROW("policy-lint", WARNING, CONFIGURED,
		"policies and kinds: what never has an effect, or lets out too much (missent policy lint)",
		"See missent policy lint.", check_policy_lint),
	ROW("outgoing", FAULT, CONFIGURED, "outgoing: is any mail outgoing?",
		"Set authenticated, local, networks or sender-domains in the section outgoing.",
		check_outgoing),
	ROW("names", FAULT, CONFIGURED, "users and groups that are named in missent.conf",
		"Make it (systemd-sysusers), or name another one.", check_names),
	ROW("sandbox", WARNING, CONFIGURED, "reader: are workers confined?",
		"Set sandbox = required.", check_sandbox),
	ROW("programs", FAULT, CONFIGURED,
		"programs that missent.conf names: there, and can they be run?",
		"Name a program that is there; of sync { command } each word is an item of the list.",
		check_programs),
	ROW("socket", FAULT, CONFIGURED, "socket, socket-mode: may the MTA, and only the MTA, connect?",
		"Set socket-mode = 0660 and socket-group to the MTA's group.", check_socket),
	ROW("accepted", WARNING, CONFIGURED,
		"doctor: checks that are accepted, by names that there are",
		"Take it out of accept in the section doctor.", check_accepted),

	/* ---- Postfix ---- */
	ROW("postfix", FAULT, CONFIGURED, "does postconf answer?",
		"Set mta and postfix-config in missent.conf.", check_postfix),
	ROW("postfix-listeners", FAULT, CONFIGURED,
		"master.cf: each smtpd and submission service that sends mail out has missent in smtpd_milters",
		"Name missent's socket last in smtpd_milters, in main.cf or with -o in master.cf.",
		check_postfix_listeners),
	ROW("postfix-local", FAULT, CONFIGURED, "non_smtpd_milters: mail of local programs",
		"Name missent's socket last in non_smtpd_milters.", check_postfix_local),
	ROW("postfix-overrides", FAULT, CONFIGURED, "receive_override_options: no_milters",
		"Take no_milters out of receive_override_options.", check_postfix_overrides),
	ROW("postfix-milter-maps", WARNING, CONFIGURED,
		"smtpd_milter_maps: clients whose mail no milter sees",
		"Look through the table for DISABLE; accept this check when it is right.",
		check_postfix_maps),
	ROW("postfix-order", WARNING, CONFIGURED,
		"the order of milters: is missent the last, behind who signs?",
		"Put missent's socket behind all others.", check_postfix_order),
	ROW("postfix-action", FAULT, CONFIGURED,
		"milter_default_action: what happens when missent is away",
		"Set milter_default_action = tempfail.", check_postfix_action),
	ROW("postfix-timeouts", WARNING, CONFIGURED,
		"milter_content_timeout: is it as long as missent may take?",
		"Set milter_content_timeout = 300s.", check_postfix_timeouts),
	ROW("postfix-protocol", WARNING, CONFIGURED,
		"milter_protocol: versions by which missent is asked for no more than it needs",
		"Take milter_protocol out of main.cf; 6 is Postfix's own.", check_postfix_protocol),
	ROW("postfix-queue-ids", WARNING, CONFIGURED, "enable_long_queue_ids",
		"Set enable_long_queue_ids = yes.", check_postfix_ids),
	ROW("postfix-socket", FAULT, NOW,
		"missent's socket from Postfix's side: its chroot, its user's rights",
		"Set socket below Postfix's queue_directory, and socket-group to Postfix's group; add missent's user to "
		"that group: usermod -aG postfix missent",
		check_postfix_socket),
	ROW("postfix-rewriting", WARNING, CONFIGURED,
		"addresses that Postfix adds or changes behind the milter, and mail that it sends elsewhere (REDIRECT, BCC)",
		"See that no customer's mail can go there; then accept this check.",
		check_postfix_rewriting),
	ROW("postfix-networks", FAULT, CONFIGURED,
		"mynetworks: are these clients outgoing for missent too?",
		"Add it to networks in the section outgoing, or say by sender-domains what is outgoing.",
		check_postfix_networks),
	ROW("postfix-filters", WARNING, CONFIGURED,
		"content_filter, smtpd_proxy_filter: is mail seen once, before a filter or behind it?",
		"Name missent where the filter gives mail back, and not before it; then accept this check.",
		check_postfix_filters),
	ROW("postfix-instances", FAULT, CONFIGURED,
		"multi_instance_directories: does another instance show this missent its mail?",
		"Give each instance a missentd of its own: socket, state-dir, host and postfix-config.",
		check_postfix_instances),

	/* ---- Sendmail ---- */
	ROW("sendmail", FAULT, CONFIGURED,
		"sendmail.cf: InputMailFilters and the X line of missent",
		"Put the INPUT_MAIL_FILTER line of contrib/sendmail.mc into sendmail.mc, and make sendmail.cf anew.",
		check_sendmail),
	ROW("sendmail-daemons", FAULT, CONFIGURED,
		"DaemonPortOptions: listeners with filters of their own",
		"Name missent in I= of that line, or take I= out.", check_sendmail_daemons),
	ROW("sendmail-order", WARNING, CONFIGURED, "the order of filters: is missent the last?",
		"Put missent's INPUT_MAIL_FILTER behind all others.", check_sendmail_order),
	ROW("sendmail-action", FAULT, CONFIGURED,
		"F= of missent's line: what happens when missent is away",
		"Write F=T in missent's INPUT_MAIL_FILTER.", check_sendmail_action),
	ROW("sendmail-timeouts", WARNING, CONFIGURED,
		"T= of missent's line: is E as long as missent may take?",
		"Write T=C:30s;S:30s;R:60s;E:5m in missent's INPUT_MAIL_FILTER.",
		check_sendmail_timeouts),
	ROW("sendmail-rewriting", WARNING, CONFIGURED,
		"virtusertable, domaintable, LUSER_RELAY: recipients that become others behind the milter",
		"See that no customer's mail can go there; then accept this check.",
		check_sendmail_rewriting),

	/* ---- the mapping ---- */
	ROW("directory", FAULT, CONFIGURED, "can the mapping be used now?",
		"See missent directory stats; mail is deferred until it can.", check_directory),
	ROW("directory-used", FAULT, NOW, "does missentd itself use the mapping now?",
		"See its log (journalctl -u missent), and missent directory verify.",
		check_directory_used),
	ROW("guard-used", FAULT, NOW, "does missentd count what goes where?",
		"See guard-unavailable in its log; missent.conf(5), guard, has the rights that it needs in Redis.",
		check_guard_used),
	ROW("mapping-refused", WARNING, NOW, "was the last new mapping taken into use?",
		"Mend what is exported; or, if it is meant so, import it with --accept-moved --why TEXT, or with a higher limit.",
		check_refused),
	ROW("house", WARNING, NOW, "does the mapping know what is your own?",
		"Run missent directory suggest-house on some of your mail, and missent directory put house KIND VALUE for what is yours.",
		check_house),
	ROW("customers", WARNING, NOW, "does the mapping know any customer?",
		"Import your customers: missent directory import FILE.csv; missent-directory(7) says what is in it.",
		check_customers),
	ROW("redis-ways", WARNING, CONFIGURED,
		"how Redis is reached: TLS, password, Sentinels, allowed lag",
		"See section directory in missent.conf(5).", check_redis_ways),
	ROW("redis-open", FAULT, NOW, "does Redis let in who has no password?",
		"Give the user default a password, or turn it off: ACL SETUSER default off",
		check_redis_open),
	ROW("redis-user", WARNING, NOW, "does missent use a user of its own?",
		"Make one as missent-directory(7) says, and name it in redis-user.",
		check_redis_user),
	ROW("redis-persistence", WARNING, NOW, "does Redis keep the mapping over a restart?",
		"Set appendonly yes, or save, in redis.conf.", check_redis_persistence),
	ROW("redis-eviction", FAULT, NOW, "maxmemory-policy: may Redis drop the mapping?",
		"Set maxmemory-policy noeviction, or volatile-lru.", check_redis_eviction),
	ROW("redis-memory", WARNING, NOW, "used memory against maxmemory",
		"Give Redis more maxmemory.", check_redis_memory),
	ROW("redis-replica", WARNING, NOW, "redis-replica: is it one, linked, and near enough?",
		"See replicaof and masterauth of that Redis.", check_redis_replica),

	/* ---- who may see and change what ---- */
	ROW("files", FAULT, CONFIGURED, "state-dir, records, guard, accounts, spool, audit, mapping: owner and mode",
		"Run: systemd-tmpfiles --create missent.conf; chown what remains.",
		check_state_files),
	ROW("databases", FAULT, CONFIGURED,
		"records, guard, mapping, accounts: is each of them a database, that can be written to?",
		"Move it away, and put a copy of the file back; without one: missent held begin, missent directory import; "
		"the guard begins anew.",
		check_databases),
	ROW("readable", FAULT, CONFIGURED,
		"settings, policies, kinds, keys, passwords: does missent's user read them, as root does?",
		"Run: chgrp missent FILE; chmod g+r FILE (of a key: chown missent FILE)",
		check_readable),
	ROW("site-key", FAULT, CONFIGURED, "key-file: there, and for missent's user alone",
		"Run: chown missent FILE; chmod 0400 FILE", check_key_files),
	ROW("password-files", FAULT, CONFIGURED, "files of passwords and keys: who may read them",
		"Run: chmod o= FILE", check_password_files),
	ROW("named-files", FAULT, CONFIGURED, "files and folders that settings name: are they there",
		"Mend the path, or make it: keys by missent review key FILE", check_named_files),
	ROW("agent-key", WARNING, CONFIGURED, "desk { key-file }: for missent's user alone",
		"Run: missent review migrate", check_desk_key),
	ROW("release-program", WARNING, CONFIGURED,
		"missent-release: there, root's, with the set-user-ID bit",
		"Run: systemd-tmpfiles --create missent.conf; where there is none, install it or say where it is (release-program).",
		check_release),
	ROW("page", FAULT, CONFIGURED, "review { listen }: only loopback, a socket, or TLS",
		"Set tls-certificate and tls-key, or listen on 127.0.0.1 behind a proxy with TLS.",
		check_page),
	ROW("page-certificate", WARNING, CONFIGURED,
		"tls-certificate and tls-key: readable, and not about to end",
		"Renew it; systemctl restart missent-review", check_page_key),
	ROW("page-proxy", FAULT, CONFIGURED, "proxy-peers: who may say who somebody is",
		"Name the addresses of your proxies alone in proxy-peers.", check_proxy),

	/* ---- the host ---- */
	ROW("disk", WARNING, NOW, "space and files left where missent and the MTA write",
		"Make room: when it is full, mail is deferred.", check_disk),
	ROW("clock", WARNING, NOW, "is the clock kept right?",
		"Turn on systemd-timesyncd, chrony or ntpd.", check_clock),
	ROW("rotation", WARNING, NOW, "does something rotate a large audit file?",
		"Name it in a file of /etc/logrotate.d (no postrotate is needed).", check_rotation),
	ROW("daemon", FAULT, NOW, "does missentd answer at its socket?",
		"Run: systemctl start missent; journalctl -u missent", check_daemon),
	ROW("agent", WARNING, NOW, "does missent-agent answer at its socket?",
		"Run: systemctl enable --now missent-agent", check_agent),
	ROW("senders", WARNING, NOW,
		"the mail log: outgoing senders that no policy matches, mail that is not outgoing",
		"Add them to a policy's sender, or to outgoing; accept this check when they send no customer's data.",
		check_senders),
	ROW("probe", FAULT, NOW,
		"with --probe: is a mail that must be held recognised, through each listener of the section canary?",
		"See smtpd_milters of that listener, and the policy of the canary's sender: missent check shows its verdict.",
		check_probe),
};

const MsCheckRow *ms_doctor_row(guint nth)
{
	return nth < G_N_ELEMENTS(checks) ? &checks[nth].row : NULL;
}

/* ---- complaints ----------------------------------------------------------------------- */

static void complaint_free(gpointer data)
{
	MsComplaint *complaint = data;
	g_free(complaint->text);
	g_free(complaint->remedy);
	g_free(complaint);
}

static void add(Patient *p, MsGravity gravity, const char *remedy, const char *format, va_list args)
	G_GNUC_PRINTF(4, 0);
static void add(Patient *p, MsGravity gravity, const char *remedy, const char *format, va_list args)
{
	MsComplaint *complaint = g_new0(MsComplaint, 1);
	g_autofree char *text = g_strdup_vprintf(format, args);
	complaint->check = p->row->name;
	complaint->gravity = gravity;
	/* parts of it are the MTA's, or a log's */
	complaint->text = ms_text_escape(text, -1, 1000);
	complaint->remedy = g_strdup(remedy);
	g_ptr_array_add(p->complaints, complaint);
}

void complain(Patient *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(p, p->row->gravity, p->row->remedy, format, args);
	va_end(args);
}

void complain_as(Patient *p, MsGravity gravity, const char *remedy, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(p, gravity, remedy != NULL ? remedy : p->row->remedy, format, args);
	va_end(args);
}

/* A copy that missent keeps, and a message that it holds, are as they were when it saw them: a
 * filter behind it, such as one that signs, would not be asked on release.  Nor does missent hear
 * what that says of the message. */
void complain_not_last(Patient *p, const char *where, const char *behind)
{
	complain(p,
		"%s: missent is not the last: what %s does (a DKIM signature, perhaps) is missing in copies that "
		"are held and released, and of what it refuses missent has a copy, and a record that says "
		"delivered, for each attempt",
		where, behind);
}

void not_seen(Patient *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(p, MS_GRAVITY_UNKNOWN, "", format, args);
	va_end(args);
}

/* ---- the walk ------------------------------------------------------------------------- */

static const char **names_of_checks(void)
{
	const char **names = g_new0(const char *, G_N_ELEMENTS(checks) + 1);
	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++)
		names[i] = checks[i].row.name;
	return names;
}

static bool is_check(const char *name, GError **error)
{
	g_autofree const char **names = names_of_checks();
	if (g_strv_contains(names, name))
		return true;
	const char *near = ms_text_nearest(name, names);
	g_autofree char *all = g_strjoinv(", ", (char **)names);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is none of the checks %s%s%s%s", name,
		all, near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
	return false;
}

static bool is_a_check(const char *name, GError **error)
{
	if (is_check(name, error))
		return true;
	g_prefix_error(error, "--only: ");
	return false;
}

/* What somebody has looked at and found right is not told again: but a name that is none is no
 * check. */
void check_accepted(Patient *p)
{
	for (const char *const *name = p->s->accepted; *name != NULL; name++) {
		g_autoptr(GError) error = NULL;
		if (!is_check(*name, &error))
			complain(p, "doctor { accept }: %s", error->message);
	}
}

static bool is_asked(const Patient *p, const MsCheckRow *row)
{
	if (p->options->only != NULL)
		return strcmp(p->options->only, row->name) == 0;
	return (p->options->all || row->configured) && !g_strv_contains(p->s->accepted, row->name);
}

static int by_gravity(const void *a, const void *b)
{
	const MsComplaint *x = *(MsComplaint *const *)a, *y = *(MsComplaint *const *)b;
	return (int)y->gravity - (int)x->gravity;
}

GPtrArray *complaints_new(void)
{
	return g_ptr_array_new_with_free_func(complaint_free);
}

GPtrArray *ms_doctor_examine(const MsDoctorOptions *options, GError **error)
{
	if (options->only != NULL && !is_a_check(options->only, error))
		return NULL;
	Patient p = {.options = options,
		.runtime = options->runtime,
		.s = ms_runtime_settings(options->runtime),
		.complaints = complaints_new()};
	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
		p.row = &checks[i].row;
		if (is_asked(&p, p.row))
			checks[i].run(&p);
	}
	ms_postfix_free(p.postfix);
	g_ptr_array_sort(p.complaints, by_gravity); /* GLib's sort keeps the order of equals */
	return p.complaints;
}
