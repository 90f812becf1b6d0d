/*
 * missent-review - the reviewer's page.
 *
 * Server-rendered HTML over libmicrohttpd.  It may run as a user of its own, who can read the
 * records and ask missent-agent: it keeps no secret, and has neither the site key nor a right to
 * queue, spool or accounts.  The thread of main() looks after connections and systemd; each
 * connection has one of libmicrohttpd's.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/io.h"
#include "missent/log.h"
#include "missent/usage.h"

#include "page.h"

static atomic_bool stopping; /* lock-free, so that a signal may set it */

static int complain(int code, const char *what, const char *why)
{
	return ms_usage_ended("missent-review", code, what, why);
}

/* ---- where to listen ------------------------------------------------------------------ */

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)address)
					->sin_addr.s_addr) >>
			       24) == 127;
	return address->sa_family == AF_INET6 &&
		IN6_IS_ADDR_LOOPBACK(
			&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* "host:port" or "[v6]:port", numeric. */
static struct addrinfo *parse_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	gsize len = colon != NULL ? (gsize)(colon - text) : 0;
	bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
	g_autofree char *host = g_strndup(text + bracketed, len - (bracketed ? 2 : 0));
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *out = NULL;
	return len > 0 && getaddrinfo(host, colon + 1, &hints, &out) == 0 ? out : NULL;
}

static int listen_on_address(const Site *site, const char *text, int *rc)
{
	struct addrinfo *address = parse_address(text);
	int on = 1, fd = -1;
	if (address == NULL) {
		*rc = complain(EX_CONFIG, "review { listen }",
			"write unix:/path, 127.0.0.1:port or [::1]:port");
	} else if (!is_loopback(address->ai_addr) && !site->tls) {
		*rc = complain(EX_CONFIG, "review { listen }",
			"another address than loopback needs tls-certificate and tls-key: reviewers would send "
			"their passwords, and see customers' data, in clear");
	} else {
		fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
			bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 64) != 0)
			*rc = complain(EX_UNAVAILABLE, text, g_strerror(errno));
	}
	if (address != NULL)
		freeaddrinfo(address);
	return fd;
}

static int open_socket(const Site *site, int *rc)
{
	const char *text = site->settings->review.listen;
	if (!g_str_has_prefix(text, "unix:"))
		return listen_on_address(site, text, rc);
	int fd = ms_io_listen(text + 5, site->settings->review.group, site->settings->review.mode);
	if (fd < 0)
		*rc = complain(EX_UNAVAILABLE, text, g_strerror(errno));
	return fd;
}

/* ---- starting ------------------------------------------------------------------------- */

/* A page that nobody can use is a mistake; one that anybody can, a worse one. */
static int no_accounts(void)
{
	return complain(
		EX_CONFIG, "there is no account yet", "make one with: missent review adduser NAME");
}

#define AGENT_WAIT_US (15 * (gint64)G_USEC_PER_SEC)

/* The agent, which may be starting still, knows the accounts. */
static int check_accounts(const Site *site)
{
	gint64 end = g_get_monotonic_time() + AGENT_WAIT_US;
	g_autoptr(GError) error = NULL;
	g_autofree char *reply = NULL;
	while ((reply = ms_link_ask(site->link, "", "{\"do\":\"hello\"}", 5000, &error)) == NULL
		&& g_get_monotonic_time() < end && !stopping) {
		g_clear_error(&error);
		g_usleep(G_USEC_PER_SEC / 5);
	}
	if (reply == NULL)
		return complain(EX_TEMPFAIL,
			error != NULL ? error->message : "missent-agent does not answer", "");
	json_t *json = json_loads(reply, 0, NULL);
	gint64 n = json_integer_value(json_object_get(json, "accounts"));
	bool fine = json_is_true(json_object_get(json, "ok"));
	int rc = !fine  ? complain(EX_NOPERM, "missent-agent", word(json, "error"))
		: n > 0 ? EX_OK
			: no_accounts();
	json_decref(json);
	return rc;
}

#define RECORDS_WAIT_US (5 * (gint64)G_USEC_PER_SEC)

/* Of this host, or those that its agent keeps of all hosts. */
static bool open_records(Site *site, GError **error)
{
	const MsSettings *s = site->settings;
	const char *path = s->review.mirror ? s->review.mirror_file : s->records_file;
	gint64 end = g_get_monotonic_time() + RECORDS_WAIT_US;
	/* Whoever makes the file may be starting still. */
	while ((site->ledger = ms_ledger_open_readonly(path, error)) == NULL &&
		g_get_monotonic_time() < end && !stopping) {
		g_clear_error(error);
		g_usleep(G_USEC_PER_SEC / 5);
	}
	return site->ledger != NULL;
}

/* Nothing is served that could not be told of. */
static int note_start(const Site *site)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *reply = ms_link_ask(
		site->link, "", "{\"do\":\"tell\",\"event\":\"start\"}", 5000, &error);
	json_t *json = reply != NULL ? json_loads(reply, 0, NULL) : NULL;
	bool fine = json_is_true(json_object_get(json, "ok"));
	if (!fine)
		complain(EX_TEMPFAIL, "the audit trail cannot be written",
			error != NULL ? error->message : word(json, "error"));
	json_decref(json);
	return fine ? EX_OK : EX_TEMPFAIL;
}

static int open_site(Site *site)
{
	const MsSettings *s = site->settings;
	g_autoptr(GError) error = NULL;
	session_cache_init(site);
	site->link = ms_link_open(s, false, &error);
	if (site->link == NULL)
		return complain(ms_config_exit_code(error), error->message, "");
	int rc = check_accounts(site);
	if (rc != EX_OK)
		return rc;
	if (!open_records(site, &error))
		return complain(EX_TEMPFAIL, error->message, "");
	return note_start(site);
}

static void close_site(Site *site)
{
	ms_link_free(site->link);
	ms_ledger_free(site->ledger);
	ms_settings_free(site->settings);
	if (site->vouched != NULL)
		session_cache_clear(site);
}

/* ---- running -------------------------------------------------------------------------- */

static void on_stop(int signal)
{
	(void)signal;
	stopping = true;
}

static struct MHD_Daemon *start(Site *site, int fd, const char *cert, const char *key)
{
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
		MHD_USE_POLL | MHD_USE_ERROR_LOG | (site->tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	return MHD_start_daemon(flags, 0, NULL, NULL, http_handle, site, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_NOTIFY_COMPLETED, http_done, NULL, MHD_OPTION_CONNECTION_TIMEOUT,
		60u, MHD_OPTION_NOTIFY_CONNECTION, connections_notify, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)(1 << 20), MHD_OPTION_ARRAY,
		site->tls ? tls : plain, MHD_OPTION_END);
}

/* systemd is told that all is well each time that the page has answered on its own socket. */
static void feed(int fd, gint64 every, gint64 *fed)
{
	static const char ask[] = "GET /style.css HTTP/1.0\r\n\r\n";
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	gint64 now = g_get_monotonic_time();
	if (every == 0 || now - *fed < every)
		return;
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
		!ms_io_answers((struct sockaddr *)&address, len, ask, sizeof ask - 1,
			(int)(every / 1000))) {
		ms_log(LOG_ERR, NULL,
			"the page does not answer; systemd is not told that all is well");
		return;
	}
	sd_notify(0, "WATCHDOG=1");
	*fed = now;
}

static int serve(Site *site, int fd, const char *cert, const char *key)
{
	struct sigaction stop = {.sa_handler = on_stop};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	signal(SIGHUP, SIG_IGN); /* who rotates logs sends it; there is nothing to do */
	ms_io_usual_start();
	connections_start();
	errno = 0;
	struct MHD_Daemon *daemon = start(site, fd, cert, key);
	if (daemon == NULL)
		return complain(ms_io_is_want(errno) ? EX_TEMPFAIL : EX_CONFIG, "the page cannot be served",
			site->tls ? "are certificate and key in PEM, and of one another?"
				  : g_strerror(errno));
	ms_log(LOG_NOTICE, NULL, "started, version=%s, listen=%s, tls=%s", PACKAGE_VERSION,
		site->settings->review.listen, site->tls ? "yes" : "no");
	sd_notify(0, "READY=1");
	uint64_t us = 0;
	gint64 every = sd_watchdog_enabled(0, &us) > 0 ? (gint64)us / 3 : 0, fed = 0;
	while (!stopping) {
		feed(fd, every, &fed);
		connections_sweep();
		g_usleep(200 * 1000);
	}
	MHD_stop_daemon(daemon);
	ms_log(LOG_NOTICE, NULL, "stopped");
	return EX_OK;
}

static int run(Site *site)
{
	const MsSettings *s = site->settings;
	g_autoptr(GError) error = NULL;
	g_autofree char *cert = NULL, *key = NULL;
	site->tls = s->review.tls_cert != NULL && s->review.tls_key != NULL;
	/* Read before root is given up: a private key is root's. */
	if (site->tls && (!ms_io_contents(s->review.tls_cert, &cert, NULL, &error)
				 || !ms_io_contents(s->review.tls_key, &key, NULL, &error)))
		return complain(ms_config_exit_code(error), error->message, "");
	int rc = EX_OK;
	int fd = open_socket(site, &rc);
	if (rc == EX_OK && geteuid() == 0 && s->review.user == NULL)
		return complain(EX_NOPERM, "refusing to run as root", "set review { user }");
	if (rc == EX_OK && !ms_io_become(s->review.user, &error))
		return complain(EX_NOUSER, error->message, "");
	umask(0027);
	if (rc == EX_OK)
		rc = open_site(site);
	return rc == EX_OK ? serve(site, fd, cert, key) : rc;
}

static const MsOption options[] = {
	{'c', "config", "FILE", "its settings (" CONFDIR "/missent.conf)"},
	{0},
};
static const MsUsage usage = {"missent-review", "the page on which people decide about held mail",
	options, NULL, "It stays in the foreground.  SIGTERM stops it.  See missent-review(8)."};

int main(int argc, char **argv)
{
	const char *argument;
	int rest;
	const char *config = CONFDIR "/missent.conf";
	while (ms_usage_next(&usage, argc, argv, &argument, &rest) != -1)
		config = argument; /* the one option that there is */
	if (rest < argc)
		return ms_usage_wrong(&usage, "it takes options alone");
	ms_io_private_memory();
	g_autoptr(GError) error = NULL;
	Site site = {.settings = ms_settings_load_public(config, &error)};
	if (site.settings == NULL)
		return complain(ms_config_exit_code(error), error->message, "");
	ms_log_open("missent-review", site.settings->log_syslog, site.settings->log_debug);
	int rc = run(&site);
	close_site(&site);
	return rc;
}
