/*
 * Prometheus asks over loopback or a Unix socket and gets what missentd has published and what
 * the ledger and the disk say, made anew each time; the same goes to a file for node_exporter.
 * GET /metrics and nothing else; libmicrohttpd bounds who asks.  Requests are answered by
 * libmicrohttpd's one thread, the file is written by that of the alerts.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "missent/audit.h"
#include "missent/io.h"
#include "missent/log.h"
#include "missent/tlog.h"

#include "agent.h"

/* How much is in it, and when that was last signed: a trail that stands still is seen by that. */
static void look_at_trail(const MsSettings *s, MsHostNumbers *out)
{
	g_autofree char *folder = ms_audit_folder(s->audit_file),
			*path = g_build_filename(folder, "latest", NULL);
	g_autofree char *text = NULL;
	g_auto(MsCheckpoint) latest = {0};
	struct stat st;
	gsize len;
	if (!ms_io_contents(path, &text, &len, NULL) || stat(path, &st) != 0
		|| !ms_checkpoint_parse(text, len, NULL, &latest, NULL))
		return;
	out->audit_entries = (gint64)latest.size;
	out->audit_signed = st.st_mtime;
}

void agent_host_numbers(Agent *agent, MsHostNumbers *out, GError **error)
{
	const MsSettings *s = agent_settings(agent);
	MsRecordStats stats = {0};
	struct statvfs disk;
	*out = (MsHostNumbers){.held = -1, .audit_entries = -1, .disk_free = -1};
	if (ms_records_stats(ms_desk_ledger(agent->desk), &stats, error)) {
		out->held = stats.held;
		out->oldest = stats.oldest;
		out->waiting = stats.waiting;
		out->delayed = stats.delayed;
		out->due = stats.due;
	}
	look_at_trail(s, out);
	if (statvfs(s->state_dir, &disk) == 0)
		out->disk_free = (gint64)disk.f_bavail * (gint64)disk.f_frsize;
	for (guint i = 0; i < MS_N_ALERTS; i++)
		out->alerts[i] = atomic_load(&agent->alerting[i]);
}

static char *text_of(Agent *agent)
{
	g_autofree MsNumbersView *view = g_new(MsNumbersView, 1);
	MsHostNumbers host;
	bool there = ms_numbers_read(agent_settings(agent)->numbers_file, view, NULL);
	agent_host_numbers(agent, &host, NULL);
	return ms_metrics_text(there ? view : NULL, &host, g_get_real_time());
}

/* ---- over HTTP ------------------------------------------------------------------------ */

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(
		response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *data_len, void **state)
{
	(void)version;
	(void)data;
	(void)data_len;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET it\n");
	if (strcmp(url, "/metrics") != 0)
		return reply(connection, MHD_HTTP_NOT_FOUND, "/metrics\n");
	g_autofree char *text = text_of(user);
	return reply(connection, MHD_HTTP_OK, text);
}

/* "127.0.0.1:9477" or "[::1]:9477": settings.c has looked at its form. */
static int listen_on_loopback(const char *text)
{
	guint16 port = (guint16)strtoul(strrchr(text, ':') + 1, NULL, 10);
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool six = *text == '[';
	const struct sockaddr *address = six ? (const struct sockaddr *)(const void *)&v6
					     : (const struct sockaddr *)(const void *)&v4;
	int on = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0
		&& bind(fd, address, six ? sizeof v6 : sizeof v4) == 0 && listen(fd, 16) == 0)
		return fd;
	ms_io_close(fd);
	return -1;
}

bool agent_metrics_start(Agent *agent)
{
	const MsSettings *s = ms_desk_settings(agent->desk);
	const char *where = s->metrics.listen;
	if (where == NULL)
		return true;
	int fd = g_str_has_prefix(where, "unix:") ? ms_io_listen(where + 5, s->metrics.group, 0660)
						  : listen_on_loopback(where);
	if (fd >= 0)
		agent->metrics = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0,
			NULL, NULL, handle, agent, MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT, 16u, MHD_OPTION_CONNECTION_TIMEOUT, 10u,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
	if (agent->metrics != NULL)
		return true;
	ms_log(LOG_ERR, NULL, "metrics { listen = \"%s\" }: %s", where, g_strerror(errno));
	return false;
}

void agent_metrics_stop(Agent *agent)
{
	const char *where = ms_desk_settings(agent->desk)->metrics.listen;
	if (agent->metrics == NULL)
		return;
	MHD_stop_daemon(agent->metrics);
	if (g_str_has_prefix(where, "unix:"))
		ms_io_leave_socket(-1, where + 5);
}

/* ---- for node_exporter ---------------------------------------------------------------- */

/* Whole at each moment: it reads whenever it likes. */
void agent_metrics_file(Agent *agent)
{
	const char *path = agent_settings(agent)->metrics.textfile;
	if (path == NULL)
		return;
	g_autofree char *text = text_of(agent);
	bool fine = ms_io_replace(path, text, strlen(text), 0644, false);
	if (!fine && !agent->textfile_failed)
		ms_log(LOG_WARNING, NULL, "metrics { textfile = \"%s\" }: %s", path,
			g_strerror(errno));
	agent->textfile_failed = !fine;
}
