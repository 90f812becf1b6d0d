/*
 * missent.conf comes in; out go the settings of every program, with defaults, checked against one
 * another.  The thread that starts or reloads.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/settings.h"

const char *const ms_mode_names[] = {"observe", "enforce", NULL};
static const char *const log_targets[] = {"stderr", "syslog", NULL};
static const char *const sandbox_modes[] = {"required", "optional", NULL};
static const char *const restoring[] = {"no", "auto", NULL};
static const char *const mtas[] = {"postfix", "sendmail", NULL};
static const char *const backends[] = {"sqlite", "redis", NULL};
static const char *const behind[] = {"primary", "defer", NULL};
static const char *const plaintext[] = {"refused", "allowed", NULL};

/* Where the value of a row goes.  What several values make, or none, is made below the rows. */
#define TO(field) MS_ROW_INTO(MsSettings, field)

static bool check_mode(const char *value, GError **error)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);
	if (end != value && *end == '\0' && mode <= 0777)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not a file mode (such as 0660)",
		value);
	return false;
}

static bool check_filled(const char *value, GError **error)
{
	if (value[strspn(value, " \t")] != '\0')
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is empty: give a value, or leave the key out", value);
	return false;
}

static bool check_path(const char *value, GError **error)
{
	if (*value == '/')
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" must be a path that begins with /",
		value);
	return false;
}

/* ".example.com" and "!example.com" are so in lists of Postfix. */
static bool is_domain(const char *domain)
{
	return *domain != '\0' && *domain != '.' && strpbrk(domain, "/:<>*!, \t") == NULL;
}

static bool check_domain(const char *value, GError **error)
{
	const char *domain = strrchr(value, '@') != NULL ? strrchr(value, '@') + 1 : value;
	if (domain == value && is_domain(value))
		return true;
	bool usable = domain != value && is_domain(domain);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is no domain; write \"%s\"", value,
		usable ? domain : "example.com");
	return false;
}

/* It is written behind RCPT TO; root alone is a mailbox of the host. */
static bool check_mailbox(const char *value, GError **error)
{
	const char *at = strchr(value, '@');
	if (*value != '\0' && strpbrk(value, " \t<>,;:\"") == NULL &&
		(at == NULL || (at > value && is_domain(at + 1) && strchr(at + 1, '@') == NULL)))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no bare address; write one an item, such as \"desk@example.com\"", value);
	return false;
}

/* With letters, as in "none", samuel@ would get what is sam@'s. */
static bool check_tags(const char *value, GError **error)
{
	for (const char *p = value; *p != '\0'; p++)
		if (!g_ascii_ispunct(*p) || strchr("@\"<>", *p) != NULL) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
				"\"%s\" has other than signs in it: write \"+\", \"+-\", or \"\" for none",
				value);
			return false;
		}
	return true;
}

static bool is_port(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	return g_ascii_isdigit(*text) && *end == '\0' && n > 0 && n < 65536;
}

static bool is_address(const char *value)
{
	const char *colon = strrchr(value, ':');
	return g_str_has_prefix(value, "unix:/") || (colon > value && is_port(colon + 1));
}

/* Of one of these schemes, with a host, and a port that can be if one is said. */
static bool is_url(const char *value, const char *const *schemes)
{
	int port;
	g_autofree char *scheme = NULL, *host = NULL;
	return g_uri_split_network(value, G_URI_FLAGS_NONE, &scheme, &host, &port, NULL) &&
		g_strv_contains(schemes, scheme) && host != NULL && *host != '\0' && port != 0;
}

static bool is_relay(const char *value)
{
	static const char *const schemes[] = {"smtp", "smtps", NULL};
	return is_url(value, schemes);
}

static bool is_web(const char *value)
{
	static const char *const schemes[] = {"https", "http", NULL};
	return is_url(value, schemes);
}

static bool check_listen(const char *value, GError **error)
{
	if (is_address(value))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no address of a page; write 127.0.0.1:port, [::1]:port or unix:/path",
		value);
	return false;
}

/* One, or several that are parted as in lists of Postfix. */
static bool check_servers(const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(value, " ,\t", -1);
	bool some = false, fine = true;
	for (char **word = words; *word != NULL; word++) {
		some = some || **word != '\0';
		fine = fine && (**word == '\0' || is_address(*word));
	}
	if (some && fine)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no address of Redis; write unix:/path/to/socket or host:port", value);
	return false;
}

static bool check_languages(const char *value, GError **error)
{
	bool fine = *value != '\0' && strlen(value) < 200
		&& value[strspn(value, "abcdefghijklmnopqrstuvwxyz_+")] == '\0';
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" are no languages as tesseract names them (such as eng+fra)", value);
	return fine;
}

static bool check_listener(const char *value, GError **error)
{
	if (is_relay(value) || strcmp(value, "sendmail") == 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is neither a listener (smtp://127.0.0.1:25) nor sendmail", value);
	return false;
}

/* Numbers tell no customer, but they are nobody's else either: this host alone. */
static bool check_metrics(const char *value, GError **error)
{
	const char *port = g_str_has_prefix(value, "127.0.0.1:") ? value + 10
		: g_str_has_prefix(value, "[::1]:")              ? value + 6
								 : "";
	if (g_str_has_prefix(value, "unix:/") || is_port(port))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is none of unix:/path, 127.0.0.1:port and [::1]:port", value);
	return false;
}

static const MsRow metrics_rows[] = {
	{.key = "listen", .type = MS_ROW_TEXT, .check = check_metrics, TO(metrics.listen)},
	{.key = "socket-group", .type = MS_ROW_TEXT, TO(metrics.group)},
	{.key = "textfile", .type = MS_ROW_TEXT, .check = check_path, TO(metrics.textfile)},
	{.key = "textfile-every", .type = MS_ROW_TIME, .fallback = "15s", .min = 1000,
		.max = 3600000, TO(metrics.every_ms)},
	{.key = NULL},
};

static bool check_relay(const char *value, GError **error)
{
	if (is_relay(value))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not of the form smtp://host:port",
		value);
	return false;
}

/* An empty list where none has a meaning of its own. */
#define DEFAULT "would be the default, as if the key were not there: leave it out, or say which"

static const MsRow alerts_rows[] = {
	{.key = "mail-to", .type = MS_ROW_LIST, .check = check_mailbox, TO(alerts.mail_to)},
	{.key = "mail-from", .type = MS_ROW_TEXT, .check = check_mailbox, TO(alerts.mail_from)},
	{.key = "relay", .type = MS_ROW_TEXT, .check = check_relay, TO(alerts.relay)},
	{.key = "mail-most", .type = MS_ROW_NUMBER, .fallback = "10", .min = 1, .max = 1000,
		TO(alerts.mail_most)},
	{.key = "hook", .type = MS_ROW_TEXT, .check = check_path, TO(alerts.hook)},
	{.key = "hook-timeout", .type = MS_ROW_TIME, .fallback = "30s", .min = 100, .max = 3600000,
		TO(alerts.hook_ms)},
	{.key = "held-age", .type = MS_ROW_TIME, .fallback = "4h", TO(alerts.held_ms)},
	{.key = "unfinished-age", .type = MS_ROW_TIME, .fallback = "5m", TO(alerts.unfinished_ms)},
	{.key = "stale-age", .type = MS_ROW_TIME, .fallback = "0s", TO(alerts.stale_ms)},
	{.key = "beat-age", .type = MS_ROW_TIME, .fallback = "3m", TO(alerts.beat_ms)},
	{.key = "unread-share", .type = MS_ROW_NUMBER, .fallback = "20", .min = 0, .max = 100,
		TO(alerts.unread_share)},
	{.key = "unread-window", .type = MS_ROW_TIME, .fallback = "5m", .min = 1000,
		.max = 86400000, TO(alerts.unread_ms)},
	{.key = "calm-after", .type = MS_ROW_TIME, .fallback = "1m", .min = 1000, .max = 86400000,
		TO(alerts.calm_ms)},
	{.key = "disk-free", .type = MS_ROW_SIZE, .fallback = "256M", TO(alerts.disk_free)},
	{.key = NULL},
};

static const MsRow canary_rows[] = {
	{.key = "every", .type = MS_ROW_TIME, .fallback = "0s", .min = 0, .max = 7 * 86400000,
		TO(canary.every_ms)},
	{.key = "timeout", .type = MS_ROW_TIME, .fallback = "5m", .min = 1000, .max = 86400000,
		TO(canary.timeout_ms)},
	{.key = "listeners", .type = MS_ROW_LIST, .check = check_listener, TO(canary.listeners)},
	{.key = "sender", .type = MS_ROW_TEXT, .check = check_mailbox, TO(canary.sender)},
	{.key = "recipient", .type = MS_ROW_TEXT, .check = check_mailbox, TO(canary.recipient)},
	{.key = "kind", .type = MS_ROW_TEXT, .fallback = "customer-number", TO(canary.kind)},
	{.key = "identifier", .type = MS_ROW_TEXT, TO(canary.identifier)},
	{.key = NULL},
};

static const MsRow outgoing_rows[] = {
	{.key = "authenticated", .type = MS_ROW_SWITCH, .fallback = "yes", TO(out_authenticated)},
	{.key = "local", .type = MS_ROW_SWITCH, .fallback = "yes", TO(out_local)},
	{.key = "networks", .type = MS_ROW_LIST, .check = ms_network_check, TO(out_networks)},
	{.key = "sender-domains", .type = MS_ROW_LIST, .check = check_domain, TO(out_domains)},
	{.key = NULL},
};

static bool check_document_password(const char *value, GError **error)
{
	if (*value != '\0' && strlen(value) <= MS_SECRET_BYTES)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "one of the passwords is empty, or over %d bytes", MS_SECRET_BYTES);
	return false;
}

static const MsRow reader_rows[] = {
	{.key = "program", .type = MS_ROW_TEXT, .fallback = LIBEXECDIR "/missent-reader",
		.check = check_path, TO(reader_program)},
	{.key = "sandbox", .type = MS_ROW_CHOICE, .fallback = "required", .choices = sandbox_modes,
		TO(sandbox_optional)},
	{.key = "workers", .type = MS_ROW_NUMBER, .min = 1, .max = 200},
	{.key = "reader-jobs", .type = MS_ROW_NUMBER, .fallback = "1", .min = 1, .max = 100000,
		TO(reader_jobs)},
	{.key = "reader-restore", .type = MS_ROW_CHOICE, .fallback = "no", .choices = restoring,
		TO(reader_restore)},
	{.key = "wait", .type = MS_ROW_TIME, .fallback = "60s", .min = 100, .max = 240000,
		TO(reader_wait_ms)},
	{.key = "queue", .type = MS_ROW_NUMBER, .fallback = "1000", .min = 1, .max = 100000,
		TO(reader_queue)},
	{.key = "deadline", .type = MS_ROW_TIME, .fallback = "20s", .min = 100, .max = 120000,
		TO(limits.milliseconds)},
	{.key = "max-memory", .type = MS_ROW_SIZE, .fallback = "512M", .min = 64 << 20,
		TO(limits.memory)},
	{.key = "max-message", .type = MS_ROW_SIZE, .fallback = "64M", .min = 65536, .max = 1 << 30,
		TO(limits.max_message)},
	{.key = "max-text", .type = MS_ROW_SIZE, .fallback = "32M", .min = 65536, .max = 1 << 30,
		TO(limits.max[MS_COST_TEXT])},
	{.key = "max-decoded", .type = MS_ROW_SIZE, .fallback = "128M", .min = 65536,
		TO(limits.max[MS_COST_DECODED])},
	{.key = "max-parts", .type = MS_ROW_NUMBER, .fallback = "200", .min = 1, .max = 1000,
		TO(limits.max[MS_COST_PART])},
	{.key = "max-depth", .type = MS_ROW_NUMBER, .fallback = "20", .min = 1, .max = 100,
		TO(limits.max_depth)},
	{.key = "max-headers", .type = MS_ROW_NUMBER, .fallback = "1000", .min = 10, .max = 1000,
		TO(limits.max[MS_COST_HEADER])},
	{.key = "max-header-bytes", .type = MS_ROW_SIZE, .fallback = "256K", .min = 4096,
		.max = 4 << 20, TO(limits.max[MS_COST_HEADER_BYTES])},
	{.key = "passwords", .type = MS_ROW_LIST, .check = check_document_password},
	{.key = "passwords-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "password-command", .type = MS_ROW_LIST, TO(password_command)},
	{.key = "password-timeout", .type = MS_ROW_TIME, .fallback = "5s", .min = 100, .max = 60000,
		TO(password_ms)},
	{.key = "cache", .type = MS_ROW_SIZE, .fallback = "32M", .max = 1 << 30, TO(cache_bytes)},
	{.key = "ocr", .type = MS_ROW_SWITCH, .fallback = "no"},
	{.key = "ocr-program", .type = MS_ROW_TEXT, .fallback = LIBEXECDIR "/missent-ocr",
		.check = check_path, TO(ocr_program)},
	{.key = "ocr-languages", .type = MS_ROW_TEXT, .fallback = "eng", .check = check_languages,
		TO(ocr_languages)},
	{.key = "ocr-pages", .type = MS_ROW_NUMBER, .fallback = "5", .min = 1, .max = 100,
		TO(ocr_pages)},
	{.key = "ocr-dpi", .type = MS_ROW_NUMBER, .fallback = "200", .min = 70, .max = 600,
		TO(limits.ocr_dpi)},
	{.key = "ocr-confidence", .type = MS_ROW_NUMBER, .fallback = "60", .min = 0, .max = 100,
		TO(limits.ocr_confidence)},
	{.key = "ocr-coverage", .type = MS_ROW_NUMBER, .fallback = "40", .min = 0, .max = 100,
		TO(limits.ocr_coverage)},
	{.key = "max-pages", .type = MS_ROW_NUMBER, .fallback = "500", .min = 1, .max = 100000,
		TO(limits.max[MS_COST_PAGE])},
	{.key = "max-findings", .type = MS_ROW_NUMBER, .fallback = "2000", .min = 10, .max = 10000,
		TO(limits.max[MS_COST_FINDING])},
	{.key = NULL},
};

static bool check_hook(const char *value, GError **error)
{
	if (is_web(value))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not of the form https://host/path",
		value);
	return false;
}

static bool check_alias(const char *value, GError **error)
{
	const char *equal = strchr(value, '=');
	if (equal != NULL && equal != value && equal[1] != '\0')
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not of the form other-name=name",
		value);
	return false;
}

static const char *const languages[] = {"en", "fr", "de", NULL};
static const char *const originals[] = {"none", "header", "message", NULL};

static bool check_link(const char *value, GError **error)
{
	if (is_web(value))
		return true;
	g_set_error(
		error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not of the form https://host/", value);
	return false;
}

static const char *const others[] = {"number", "second-person", NULL};

static const MsRow desk_rows[] = {
	{.key = "socket", .type = MS_ROW_TEXT, .fallback = RUNDIR "/agent.sock",
		.check = check_path, TO(desk.socket)},
	{.key = "socket-group", .type = MS_ROW_TEXT, TO(desk.group)},
	{.key = "submit", .type = MS_ROW_TEXT, .fallback = "smtp://127.0.0.1:25",
		.check = check_relay, TO(desk.submit)},
	{.key = "submit-user", .type = MS_ROW_TEXT, TO(desk.submit_user)},
	{.key = "submit-password-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "submit-timeout", .type = MS_ROW_TIME, .fallback = "5m", .min = 100, .max = 3600000,
		TO(desk.submit_timeout_ms)},
	{.key = "queue-timeout", .type = MS_ROW_TIME, .fallback = "2m", .min = 100, .max = 3600000,
		TO(desk.queue_timeout_ms)},
	{.key = "submit-recipients", .type = MS_ROW_NUMBER, .fallback = "500", .min = 1,
		.max = 50000, TO(desk.submit_recipients)},
	{.key = "requeue-after", .type = MS_ROW_TIME, .fallback = "1d", .min = 1000,
		TO(desk.requeue_ms)},
	{.key = "lost-after", .type = MS_ROW_TIME, .fallback = "1h", TO(desk.lost_ms)},
	{.key = "two-person-above", .type = MS_ROW_NUMBER, .min = 0, TO(desk.two_person)},
	{.key = "two-person-policies", .type = MS_ROW_LIST, TO(desk.two_person_policies)},
	{.key = "webhook-url", .type = MS_ROW_TEXT, .check = check_hook, TO(desk.webhook_url)},
	{.key = "webhook-key-file", .type = MS_ROW_TEXT, .check = check_path,
		TO(desk.webhook_key_file)},
	{.key = "webhook-timeout", .type = MS_ROW_TIME, .fallback = "10s", .min = 100,
		.max = 120000, TO(desk.webhook_timeout_ms)},
	{.key = "person-domains", .type = MS_ROW_LIST, TO(desk.people.domains)},
	{.key = "person-aliases", .type = MS_ROW_LIST, .check = check_alias,
		TO(desk.people.aliases)},
	{.key = "release-others", .type = MS_ROW_CHOICE, .fallback = "number", .choices = others,
		TO(desk.others_need_two)},
	{.key = "expire-after", .type = MS_ROW_TIME, .fallback = "0s", TO(desk.expire_ms)},
	{.key = "expire-warning", .type = MS_ROW_TIME, .fallback = "3d", .min = 1000,
		TO(desk.warn_ms)},
	{.key = "keep-records", .type = MS_ROW_TIME, .fallback = "0s", TO(desk.keep_ms)},
	{.key = "notice-sender", .type = MS_ROW_SWITCH, .fallback = "no", TO(desk.notice_sender)},
	{.key = "notice-reason", .type = MS_ROW_SWITCH, .fallback = "no", TO(desk.notice_reason)},
	{.key = "notice-original", .type = MS_ROW_CHOICE, .fallback = "none", .choices = originals,
		TO(desk.notice_original)},
	{.key = "notice-to", .type = MS_ROW_LIST, .check = check_mailbox, TO(desk.notice_to)},
	{.key = "delay-patience", .type = MS_ROW_TIME, .fallback = "4h", .min = 0,
		TO(desk.delay_patience_ms)},
	{.key = "notice-window", .type = MS_ROW_TIME, .fallback = "4h", .min = 0,
		TO(desk.notice_window_ms)},
	{.key = "notice-from", .type = MS_ROW_TEXT, .check = check_mailbox, TO(desk.notice_from)},
	{.key = "notice-contact", .type = MS_ROW_TEXT, TO(desk.notice_contact)},
	{.key = "notice-language", .type = MS_ROW_CHOICE, .fallback = "en", .choices = languages,
		TO(desk.language)},
	{.key = "digest-to", .type = MS_ROW_LIST, .check = check_mailbox, TO(desk.digest_to)},
	{.key = "digest-every", .type = MS_ROW_TIME, .fallback = "1d", .min = 1000,
		TO(desk.digest_ms)},
	{.key = "summary-every", .type = MS_ROW_TIME, .fallback = "0s", .max = 366 * 86400000LL,
		TO(desk.summary_ms)},
	{.key = "key-file", .type = MS_ROW_TEXT, .check = check_path, TO(desk.redis_key_file)},
	{.key = NULL},
};

static const MsRow review_rows[] = {
	{.key = "listen", .type = MS_ROW_TEXT, .fallback = "127.0.0.1:8025", .check = check_listen,
		TO(review.listen)},
	{.key = "user", .type = MS_ROW_TEXT, TO(review.user)},
	{.key = "socket-group", .type = MS_ROW_TEXT, TO(review.group)},
	{.key = "socket-mode", .type = MS_ROW_TEXT, .fallback = "0660", .check = check_mode},
	{.key = "tls-certificate", .type = MS_ROW_TEXT, .check = check_path, TO(review.tls_cert)},
	{.key = "tls-key", .type = MS_ROW_TEXT, .check = check_path, TO(review.tls_key)},
	{.key = "accounts-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "audit-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "all-hosts", .type = MS_ROW_SWITCH, .fallback = "no", TO(review.mirror)},
	{.key = "mirror-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "proxy-peers", .type = MS_ROW_LIST, .check = ms_network_check,
		TO(review.proxy_peers)},
	{.key = "proxy-header", .type = MS_ROW_TEXT, .fallback = "X-Remote-User",
		TO(review.proxy_header)},
	{.key = "proxy-address-header", .type = MS_ROW_TEXT, .fallback = "X-Forwarded-For",
		TO(review.proxy_address)},
	{.key = "proxy-vouches", .type = MS_ROW_SWITCH, .fallback = "no", TO(review.proxy_vouches)},
	{.key = "idle-timeout", .type = MS_ROW_TIME, .fallback = "30m", .min = 1000,
		TO(review.idle_ms)},
	{.key = "session-timeout", .type = MS_ROW_TIME, .fallback = "12h", .min = 1000,
		TO(review.session_ms)},
	{.key = "show-subjects", .type = MS_ROW_SWITCH, .fallback = "no", TO(review.subjects)},
	{.key = "reasons-file", .type = MS_ROW_TEXT, .check = check_path, TO(review.reasons_file)},
	{.key = "site-name", .type = MS_ROW_TEXT, .fallback = "missent", TO(review.name)},
	{.key = "url", .type = MS_ROW_TEXT, .check = check_link, TO(review.url)},
	{.key = NULL},
};

static const MsRow incident_rows[] = {
	{.key = "clocks", .type = MS_ROW_LIST, .check = ms_clock_check, .empty = DEFAULT,
		TO(incident.clocks)},
	{.key = "notice-templates", .type = MS_ROW_TEXT, .fallback = DATADIR "/notices",
		.check = check_path, TO(incident.templates)},
	{.key = "company", .type = MS_ROW_TEXT, TO(incident.company)},
	{.key = "contact", .type = MS_ROW_TEXT, TO(incident.contact)},
	{.key = NULL},
};

/* Of one message; ms_cost_name() has these names.  The queue is of all. */
static const MsRow judging_rows[] = {
	{.key = "deadline", .type = MS_ROW_TIME, .fallback = "10s", .min = 100, .max = 120000,
		TO(judging.milliseconds)},
	{.key = "max-memory", .type = MS_ROW_SIZE, .fallback = "128M", .min = 1 << 20,
		TO(judging.max[MS_COST_RIGHT])},
	{.key = "max-accounts", .type = MS_ROW_NUMBER, .fallback = "1000000", .min = 1000,
		.max = 100000000, TO(judging.max[MS_COST_ACCOUNT])},
	{.key = "queue", .type = MS_ROW_NUMBER, .fallback = "100", .min = 1, .max = 100000,
		TO(judging_queue)},
	{.key = NULL},
};

static bool check_checkpoints(const char *value, GError **error)
{
	static const char *const places[] = {"log", "digest", "hosts", NULL};
	if (g_strv_contains(places, value))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no place for checkpoints: log, digest, hosts", value);
	return false;
}

static const MsRow audit_rows[] = {
	{.key = "checkpoints", .type = MS_ROW_LIST, .check = check_checkpoints, .empty = DEFAULT},
	{.key = "checkpoint-every", .type = MS_ROW_TIME, .fallback = "1h", .min = 1000,
		TO(checkpoints.every_ms)},
	{.key = "keep", .type = MS_ROW_TIME, .fallback = "0s", TO(checkpoints.keep_ms)},
	{.key = NULL},
};

static const MsRow doctor_rows[] = {
	{.key = "accept", .type = MS_ROW_LIST, TO(accepted)},
	{.key = "mail-log", .type = MS_ROW_TEXT, .check = check_path, TO(mail_log)},
	{.key = NULL},
};

static const MsRow directory_rows[] = {
	{.key = "backend", .type = MS_ROW_CHOICE, .fallback = "sqlite", .choices = backends,
		TO(backend)},
	{.key = "sqlite-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "redis", .type = MS_ROW_TEXT, .fallback = "unix:/run/redis/redis-server.sock",
		.check = check_servers, TO(redis.address)},
	{.key = "redis-user", .type = MS_ROW_TEXT, TO(redis.user)},
	{.key = "redis-password-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "redis-database", .type = MS_ROW_NUMBER, .fallback = "0", .max = 1024,
		TO(redis.database)},
	{.key = "redis-prefix", .type = MS_ROW_TEXT, .fallback = "missent", TO(redis_prefix)},
	{.key = "trust-eviction-policy", .type = MS_ROW_SWITCH, .fallback = "no"},
	{.key = "redis-sentinels", .type = MS_ROW_LIST, .check = check_servers,
		TO(redis.sentinels)},
	{.key = "redis-master", .type = MS_ROW_TEXT, TO(redis.master)},
	{.key = "redis-cluster", .type = MS_ROW_SWITCH, .fallback = "no", TO(redis.cluster)},
	{.key = "sentinel-user", .type = MS_ROW_TEXT, TO(redis.sentinel_user)},
	{.key = "sentinel-password-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "redis-replica", .type = MS_ROW_TEXT, .check = check_servers, TO(redis.replica)},
	{.key = "redis-max-lag", .type = MS_ROW_TIME, .fallback = "10s", .min = 100,
		.max = 86400000, TO(redis.max_lag_ms)},
	{.key = "redis-behind", .type = MS_ROW_CHOICE, .fallback = "primary", .choices = behind,
		TO(redis.replica_only)},
	{.key = "redis-tls", .type = MS_ROW_SWITCH, .fallback = "no", TO(redis.tls)},
	{.key = "redis-tls-ca", .type = MS_ROW_TEXT, .check = check_path, TO(redis.tls_ca)},
	{.key = "redis-tls-certificate", .type = MS_ROW_TEXT, .check = check_path,
		TO(redis.tls_certificate)},
	{.key = "redis-tls-key", .type = MS_ROW_TEXT, .check = check_path, TO(redis.tls_key)},
	{.key = "redis-tls-name", .type = MS_ROW_TEXT, TO(redis.tls_name)},
	{.key = "redis-plaintext", .type = MS_ROW_CHOICE, .fallback = "refused",
		.choices = plaintext, TO(redis.plaintext)},
	{.key = "redis-connections", .type = MS_ROW_NUMBER, .fallback = "8", .min = 1, .max = 256,
		TO(redis.connections)},
	{.key = "timeout", .type = MS_ROW_TIME, .fallback = "2s", .min = 50, .max = 60000,
		TO(redis.timeout_ms)},
	{.key = "key-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "digests", .type = MS_ROW_SWITCH, .fallback = "yes", TO(digests)},
	{.key = "max-age", .type = MS_ROW_TIME, .fallback = "0s", TO(max_age_ms)},
	{.key = "verify-every", .type = MS_ROW_TIME, .fallback = "2m", .min = 1000, .max = 86400000,
		TO(verify_every_ms)},
	{.key = "house", .type = MS_ROW_TEXT, .fallback = "house", .check = check_filled,
		TO(house)},
	{.key = "house-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "subaddress", .type = MS_ROW_TEXT, .fallback = "+", .check = check_tags,
		TO(tag_separators)},
	{.key = NULL},
};

/* Windows and times in seconds at the least: that is how they are kept. */
static const MsRow guard_rows[] = {
	{.key = "enabled", .type = MS_ROW_SWITCH, .fallback = "yes", TO(guard.enabled)},
	{.key = "sqlite-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "key-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "key-file-before", .type = MS_ROW_TEXT, .check = check_path,
		TO(guard.key_file_before)},
	{.key = "window", .type = MS_ROW_TIME, .fallback = "1d", .min = 1000,
		.max = 31 * 86400000LL},
	{.key = "fan-out", .type = MS_ROW_NUMBER, .fallback = "10", .max = 1000,
		TO(guard.limits.fan_out)},
	{.key = "fan-out-domains", .type = MS_ROW_NUMBER, .fallback = "5", .max = 1000,
		TO(guard.limits.fan_out_domains)},
	{.key = "fan-in", .type = MS_ROW_NUMBER, .fallback = "20", .max = 1000,
		TO(guard.limits.fan_in)},
	{.key = "fan-in-names", .type = MS_ROW_NUMBER, .fallback = "20", .max = 1000,
		TO(guard.limits.fan_in_names)},
	{.key = "repeat", .type = MS_ROW_NUMBER, .fallback = "10", .max = 1000,
		TO(guard.limits.repeat)},
	{.key = "customer-kinds", .type = MS_ROW_LIST, .empty = DEFAULT},
	{.key = "history", .type = MS_ROW_TIME, .fallback = "400d", .max = 3650 * 86400000LL},
	{.key = "history-support", .type = MS_ROW_NUMBER, .fallback = "1", .min = 1, .max = 1000,
		TO(guard.limits.support)},
	{.key = "learn", .type = MS_ROW_TIME, .fallback = "28d", .max = 3650 * 86400000LL},
	{.key = "breaker", .type = MS_ROW_NUMBER, .fallback = "20", .max = 100000,
		TO(guard.limits.breaker)},
	{.key = "breaker-recent", .type = MS_ROW_NUMBER, .fallback = "5", .max = MS_GUARD_RECENT,
		TO(guard.limits.breaker_recent)},
	{.key = "breaker-window", .type = MS_ROW_TIME, .fallback = "1h", .min = 1000,
		.max = 31 * 86400000LL},
	{.key = "cool-down", .type = MS_ROW_TIME, .fallback = "0s", .max = 31 * 86400000LL},
	{.key = "probes", .type = MS_ROW_NUMBER, .fallback = "20", .min = 1, .max = 10000,
		TO(guard.limits.probes)},
	{.key = "volume", .type = MS_ROW_NUMBER, .fallback = "10", .max = 1000,
		TO(guard.limits.volume)},
	{.key = "by-template", .type = MS_ROW_SWITCH, .fallback = "no",
		TO(guard.limits.by_template)},
	{.key = NULL},
};

static const char *const sync_formats[] = {"csv", "ldif", NULL};

static const MsRow sync_rows[] = {
	{.key = "command", .type = MS_ROW_LIST, TO(sync.command)},
	{.key = "format", .type = MS_ROW_CHOICE, .fallback = "csv", .choices = sync_formats,
		TO(sync.ldif)},
	{.key = "map", .type = MS_ROW_TEXT, TO(sync.map)},
	{.key = "account", .type = MS_ROW_TEXT, TO(sync.account)},
	{.key = "encoding", .type = MS_ROW_TEXT, TO(sync.encoding)},
	{.key = "max-shrink", .type = MS_ROW_NUMBER, .fallback = "20", .max = 100,
		TO(sync.max_shrink)},
	{.key = "max-moved", .type = MS_ROW_NUMBER, .fallback = "2", .max = 100,
		TO(sync.max_moved)},
	{.key = "max-bad", .type = MS_ROW_NUMBER, .fallback = "1", .max = 100, TO(sync.max_bad)},
	{.key = "timeout", .type = MS_ROW_TIME, .fallback = "10m", .min = 1000, .max = 86400000,
		TO(sync.timeout_ms)},
	{.key = NULL},
};

const MsRow ms_settings_rows[] = {
	{.key = "mode", .type = MS_ROW_CHOICE, .fallback = "observe", .choices = ms_mode_names,
		TO(mode)},
	{.key = "host", .type = MS_ROW_TEXT, .check = check_filled},
	{.key = "socket", .type = MS_ROW_TEXT, .fallback = "unix:" RUNDIR "/missent.sock",
		.check = ms_socket_check, TO(socket)},
	{.key = "socket-group", .type = MS_ROW_TEXT, TO(socket_group)},
	{.key = "socket-mode", .type = MS_ROW_TEXT, .fallback = "0660", .check = check_mode},
	{.key = "user", .type = MS_ROW_TEXT, TO(user)},
	{.key = "log", .type = MS_ROW_CHOICE, .fallback = "stderr", .choices = log_targets,
		TO(log_syslog)},
	{.key = "debug", .type = MS_ROW_SWITCH, .fallback = "no", TO(log_debug)},
	{.key = "state-dir", .type = MS_ROW_TEXT, .fallback = STATEDIR, .check = check_path,
		TO(state_dir)},
	{.key = "policy-dir", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "kinds-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "policy-tests", .type = MS_ROW_SWITCH, .fallback = "yes", TO(policy_tests)},
	{.key = "audit-file", .type = MS_ROW_TEXT, .check = check_path},
	{.key = "release-program", .type = MS_ROW_TEXT, .fallback = LIBEXECDIR "/missent-release",
		.check = check_path, TO(release_program)},
	{.key = "mta", .type = MS_ROW_CHOICE, .fallback = "postfix", .choices = mtas, TO(sendmail)},
	{.key = "postfix-config", .type = MS_ROW_TEXT, .check = check_path, TO(postfix_config)},
	{.key = "sendmail-config", .type = MS_ROW_TEXT, .check = check_path, TO(sendmail_config)},
	{.key = "sendmail-queue", .type = MS_ROW_TEXT, .check = check_path, TO(sendmail_queue)},
	{.key = "sendmail-program", .type = MS_ROW_TEXT, .check = check_path, TO(sendmail_program)},
	{.key = "stop-timeout", .type = MS_ROW_TIME, .fallback = "30s", .min = 0, .max = 600000,
		TO(stop_ms)},
	{.key = "max-memory", .type = MS_ROW_SIZE, .fallback = "1G", .min = 1 << 20,
		TO(max_memory)},
	{.key = "pause-max", .type = MS_ROW_TIME, .fallback = "4h", .min = 1000,
		.max = 7 * 86400000, TO(pause_ms)},
	{.key = "message-deadline", .type = MS_ROW_TIME, .fallback = "3m", .min = 100,
		.max = 540000, TO(deadline_ms)},
	{.key = "hung-after", .type = MS_ROW_TIME, .fallback = "4m", .min = 100, .max = 86400000,
		TO(hung_ms)},
	{.key = "outgoing", .type = MS_ROW_SECTION, .rows = outgoing_rows},
	{.key = "reader", .type = MS_ROW_SECTION, .rows = reader_rows},
	{.key = "judging", .type = MS_ROW_SECTION, .rows = judging_rows},
	{.key = "directory", .type = MS_ROW_SECTION, .rows = directory_rows},
	{.key = "guard", .type = MS_ROW_SECTION, .rows = guard_rows},
	{.key = "sync", .type = MS_ROW_SECTION, .rows = sync_rows},
	{.key = "desk", .type = MS_ROW_SECTION, .rows = desk_rows},
	{.key = "review", .type = MS_ROW_SECTION, .rows = review_rows},
	{.key = "canary", .type = MS_ROW_SECTION, .rows = canary_rows},
	{.key = "audit", .type = MS_ROW_SECTION, .rows = audit_rows},
	{.key = "incident", .type = MS_ROW_SECTION, .rows = incident_rows},
	{.key = "metrics", .type = MS_ROW_SECTION, .rows = metrics_rows},
	{.key = "alerts", .type = MS_ROW_SECTION, .rows = alerts_rows},
	{.key = "doctor", .type = MS_ROW_SECTION, .rows = doctor_rows},
	{.key = NULL},
};

/* The first of: what stands in the file; `name` in `dir`. */
static char *path_or(const MsSection *section, const char *key, const char *dir, const char *name)
{
	const char *given = ms_section_text(section, key);
	return given != NULL ? g_strdup(given) : g_build_filename(dir, name, NULL);
}

static char *own_name(const MsSection *root)
{
	const char *given = ms_section_text(root, "host");
	return g_strdup(given != NULL ? given : g_get_host_name());
}

/* Where none is named: to those that cost nobody a mail. */
static void take_audit(MsSettings *s, const MsSection *audit)
{
	const char *const *places = ms_section_list(audit, "checkpoints");
	s->checkpoints.log = places[0] == NULL || g_strv_contains(places, "log");
	s->checkpoints.hosts = places[0] == NULL || g_strv_contains(places, "hosts");
	s->checkpoints.digest = g_strv_contains(places, "digest");
	s->checkpoints.witness = g_build_filename(s->state_dir, "witness", NULL);
}

static bool take_alerts(MsSettings *s, const MsSection *alerts, GError **error)
{
	bool fine = s->alerts.mail_to[0] == NULL ||
		(s->alerts.mail_from != NULL && s->alerts.relay != NULL);
	if (!fine)
		ms_section_error(alerts, "mail-to", error,
			"needs mail-from and relay too: an SMTP server that missent does not filter");
	return fine;
}

static void take_reader(MsSettings *s, const MsSection *reader)
{
	gint64 workers = ms_section_number(reader, "workers");
	s->reader_workers = workers > 0 ? (guint)workers : CLAMP(g_get_num_processors() * 2, 2, 64);
	s->limits.max[MS_COST_OCR] = ms_section_switch(reader, "ocr") ? s->ocr_pages : 0;
	/* A finding with its place takes up to some 600 bytes of the reading. */
	s->limits.max[MS_COST_READING] = s->limits.max[MS_COST_FINDING] * 600;
}

/* `out` NULL: it is not needed. */
static bool take_password(const MsSection *section, const char *key, char **out, GError **error)
{
	const char *path = ms_section_text(section, key);
	if (path == NULL || out == NULL)
		return true;
	g_autofree char *text = ms_config_read(path, error);
	if (text == NULL)
		return false;
	*out = g_strdup(g_strstrip(text));
	return true;
}

/* One a line, kept out of missent.conf; no word of them is in a complaint. */
static bool take_secrets_file(GPtrArray *out, const MsSection *reader, GError **error)
{
	g_autofree char *text = NULL;
	if (!take_password(reader, "passwords-file", &text, error))
		return false;
	g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);
	for (int i = 0; lines[i] != NULL; i++) {
		gsize len = strcspn(lines[i], "\r");
		lines[i][len] = '\0';
		if (len > MS_SECRET_BYTES) {
			ms_section_error(reader, "passwords-file", error, "line %d of it is over %d bytes", i + 1,
				MS_SECRET_BYTES);
			return false;
		}
		if (len > 0)
			g_ptr_array_add(out, g_strdup(lines[i]));
		explicit_bzero(lines[i], len);
	}
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	return true;
}

static void secret_free(gpointer secret)
{
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

static bool take_passwords(MsSettings *s, const MsSection *reader, bool secrets, GError **error)
{
	s->secrets = g_ptr_array_new(); /* ends with NULL; freed with the settings */
	for (const char *const *p = ms_section_list(reader, "passwords"); *p != NULL; p++)
		g_ptr_array_add(s->secrets, g_strdup(*p));
	if (secrets && !take_secrets_file(s->secrets, reader, error))
		return false;
	if (s->secrets->len > MS_SECRETS_MOST) {
		ms_section_error(reader, "passwords", error, "more than %d passwords, with those of passwords-file: each is tried on each document", MS_SECRETS_MOST);
		return false;
	}
	g_ptr_array_add(s->secrets, NULL);
	s->passwords = (const char *const *)s->secrets->pdata;
	return true;
}

static bool take_desk(MsSettings *s, const MsSection *desk, bool secrets, GError **error)
{
	if (s->desk.redis_key_file != NULL && !s->host_given) {
		ms_section_error(desk, "key-file", error,
			"where several hosts are reviewed on one page, each needs a "
			"name of its own: set host");
		return false;
	}
	if (s->desk.webhook_url != NULL && s->desk.webhook_key_file == NULL) {
		ms_section_error(desk, "webhook-key-file", error,
			"what the webhook is told is signed: make a key with "
			"missent review key FILE");
		return false;
	}
	bool mails = s->desk.notice_sender || s->desk.notice_to[0] != NULL ||
		s->desk.digest_to[0] != NULL;
	if (mails && s->desk.notice_from == NULL) {
		ms_section_error(
			desk, "notice-from", error, "notices and digests need a sender's address");
		return false;
	}
	return take_password(
		desk, "submit-password-file", secrets ? &s->desk.submit_password : NULL, error);
}

static void take_review(MsSettings *s, const MsSection *review)
{
	g_autofree char *dir = g_build_filename(s->state_dir, "review", NULL);
	g_autofree char *agent = g_build_filename(s->state_dir, "agent", NULL);
	s->review.mode = (guint)strtoul(ms_section_text(review, "socket-mode"), NULL, 8);
	s->review.accounts_file = path_or(review, "accounts-file", agent, "accounts.db");
	s->review.audit_file = path_or(review, "audit-file", dir, "audit.jsonl");
	s->review.mirror_file = path_or(review, "mirror-file", s->state_dir, "held-everywhere.db");
}

/* Strings are the section's, but for the passwords. */
static bool take_redis(MsSettings *s, const MsSection *directory, bool secrets, GError **error)
{
	MsRedisSettings *r = &s->redis;
	r->refuse_eviction = !ms_section_switch(directory, "trust-eviction-policy");
	if (r->sentinels[0] != NULL && r->master == NULL) {
		ms_section_error(directory, "redis-sentinels", error,
			"needs redis-master too: what Sentinel calls the primary");
		return false;
	}
	if (!take_password(
		    directory, "redis-password-file", secrets ? &s->redis_password : NULL, error) ||
		!take_password(directory, "sentinel-password-file",
			secrets ? &s->sentinel_password : NULL, error))
		return false;
	r->password = s->redis_password;
	r->sentinel_password = s->sentinel_password;
	return true;
}

static bool take_sync(MsSettings *s, const MsSection *sync, GError **error)
{
	MsSyncSettings *out = &s->sync;
	if ((out->map == NULL) != (out->account == NULL))
		ms_section_error(sync, out->map != NULL ? "account" : "map", error,
			"is missing: map and account belong together");
	else if (out->ldif && out->map == NULL)
		ms_section_error(
			sync, "map", error, "is missing: format = ldif needs map and account");
	else
		return true;
	return false;
}

static bool take_directory(MsSettings *s, const MsSection *directory, const char *conf_dir,
	bool secrets, GError **error)
{
	s->sqlite_file = path_or(directory, "sqlite-file", s->state_dir, "directory.db");
	s->key_file = path_or(directory, "key-file", conf_dir, "site.key");
	s->house_file = path_or(directory, "house-file", conf_dir, "house.csv");
	s->house_needed = ms_section_given(directory, "house-file");
	return take_redis(s, directory, secrets, error);
}

/* One that is sent needs all of it. */
static bool take_canary(MsSettings *s, const MsSection *canary, GError **error)
{
	const char *missing = s->canary.listeners[0] == NULL ? "listeners"
		: s->canary.sender == NULL                   ? "sender"
		: s->canary.recipient == NULL                ? "recipient"
		: s->canary.identifier == NULL               ? "identifier"
							     : NULL;
	if (s->canary.every_ms == 0 || missing == NULL)
		return true;
	ms_section_error(canary, missing, error,
		"where a canary is sent (every), it needs listeners, sender, recipient and identifier");
	return false;
}

static guint seconds(const MsSection *section, const char *key)
{
	return (guint)((ms_section_number(section, key) + 999) / 1000);
}

/* Of many customers each has one, and it is in most of their mail. */
static const char *const customers[] = {
	"customer-number", "vat-id", "siren-siret", "leitweg-id", "iban", NULL};

static void take_limits(MsGuardLimits *l, const MsSection *guard)
{
	l->window = seconds(guard, "window");
	l->customers = ms_section_given(guard, "customer-kinds")
		? ms_section_list(guard, "customer-kinds")
		: customers;
	l->keep = seconds(guard, "history");
	l->learn = seconds(guard, "learn");
	l->breaker_window = seconds(guard, "breaker-window");
	l->cool_down = seconds(guard, "cool-down");
}

/* Its key is made from the site key; who keeps no digests has none, and one host makes one of
 * its own. */
static bool take_guard(MsSettings *s, const MsSection *guard, GError **error)
{
	const char *key = ms_section_text(guard, "key-file");
	s->guard.sqlite_file = path_or(guard, "sqlite-file", s->state_dir, "guard.db");
	s->guard.own_key = key == NULL && !s->digests;
	s->guard.key_file = key != NULL ? g_strdup(key)
		: s->digests            ? g_strdup(s->key_file)
					: g_build_filename(s->state_dir, "guard.key", NULL);
	take_limits(&s->guard.limits, guard);
	if (!s->guard.enabled || !s->guard.own_key || s->backend == 0)
		return true;
	ms_section_error(guard, "key-file", error,
		"hosts that share Redis need one key: name a file that all of them "
		"have (missent directory key FILE makes one), or set digests = yes");
	return false;
}

static MsSettings *load(const char *path, bool secrets, GError **error)
{
	g_autoptr(GError) why = NULL;
	MsSection *root = ms_config_load(path, ms_settings_rows, &why);
	if (root == NULL) {
		bool absent = access(path, F_OK) != 0 && errno == ENOENT;
		g_set_error(error, why->domain, why->code, "%s%s", why->message,
			absent ? " (missent init makes one; -c names another)" : "");
		return NULL;
	}
	g_autoptr(MsSettings) s = g_new0(MsSettings, 1);
	g_autofree char *conf_dir = g_path_get_dirname(path);
	s->root = root;
	ms_limits_default(&s->limits);
	ms_limits_judging(&s->judging);
	ms_section_take(root, s);
	s->host = own_name(root);
	s->host_given = ms_section_given(root, "host");
	s->socket_mode = (guint)strtoul(ms_section_text(root, "socket-mode"), NULL, 8);
	s->policy_dir = path_or(root, "policy-dir", conf_dir, "policies");
	s->kinds_file = path_or(root, "kinds-file", s->policy_dir, "kinds.conf");
	s->audit_file = path_or(root, "audit-file", s->state_dir, "audit.jsonl");
	s->records_file = g_build_filename(s->state_dir, "held.db", NULL);
	s->seen_file = g_build_filename(s->state_dir, "directory.seen", NULL);
	s->spool_dir = g_build_filename(s->state_dir, "spool", NULL);
	s->numbers_file = g_build_filename(s->state_dir, "numbers", NULL);
	s->observing_file = g_build_filename(s->state_dir, "observing", NULL);
	take_reader(s, ms_section_sub(root, "reader"));
	take_review(s, ms_section_sub(root, "review"));
	take_audit(s, ms_section_sub(root, "audit"));
	if (!take_passwords(s, ms_section_sub(root, "reader"), secrets, error)
		|| !take_sync(s, ms_section_sub(root, "sync"), error)
		|| !take_alerts(s, ms_section_sub(root, "alerts"), error)
		|| !take_canary(s, ms_section_sub(root, "canary"), error)
		|| !take_desk(s, ms_section_sub(root, "desk"), secrets, error)
		|| !take_directory(s, ms_section_sub(root, "directory"), conf_dir, secrets, error)
		|| !take_guard(s, ms_section_sub(root, "guard"), error))
		return NULL;
	return g_steal_pointer(&s);
}

char *ms_reload_file(const MsSettings *settings)
{
	return g_build_filename(settings->state_dir, "reloaded", NULL);
}

MsSettings *ms_settings_load(const char *path, GError **error)
{
	return load(path, true, error);
}

MsSettings *ms_settings_load_public(const char *path, GError **error)
{
	return load(path, false, error);
}

void ms_settings_free(MsSettings *s)
{
	if (s == NULL)
		return;
	for (guint i = 0; s->secrets != NULL && i < s->secrets->len; i++)
		if (s->secrets->pdata[i] != NULL)
			secret_free(s->secrets->pdata[i]);
	g_clear_pointer(&s->secrets, g_ptr_array_unref);
	ms_section_free(s->root);
	g_free(s->host);
	g_free(s->seen_file);
	g_free(s->numbers_file);
	g_free(s->observing_file);
	g_free(s->policy_dir);
	g_free(s->kinds_file);
	g_free(s->audit_file);
	g_free(s->checkpoints.witness);
	g_free(s->records_file);
	g_free(s->spool_dir);
	g_free(s->desk.submit_password);
	g_free(s->review.accounts_file);
	g_free(s->review.audit_file);
	g_free(s->review.mirror_file);
	g_free(s->sqlite_file);
	g_free(s->redis_password);
	g_free(s->sentinel_password);
	g_free(s->key_file);
	g_free(s->house_file);
	g_free(s->guard.sqlite_file);
	g_free(s->guard.key_file);
	g_free(s);
}
