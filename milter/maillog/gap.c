/*
 * A line of a log daemon comes in; whether it says that it left lines out, and how many, goes out.
 * systemd-journald limits each unit and says so of it ("Suppressed 4711 messages from
 * postfix@-.service"), rsyslog what it reads from the journal, or each process ("imuxsock lost 12
 * messages from pid 3 due to rate-limiting").  The thread of who reads the log.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "maillog_private.h"

/* "Suppressed 4711 messages from postfix@-.service", or from "/system.slice/...": what
 * another unit did not get written is none of the mail's. */
static bool journald(const char *text, guint64 *lines_out)
{
	static const char *const units[] = {"postfix", "sendmail", "sm-", "syslog"};
	char *end;
	if (!g_str_has_prefix(text, "Suppressed "))
		return false;
	guint64 n = g_ascii_strtoull(text + strlen("Suppressed "), &end, 10);
	const char *from = strstr(end, " from ");
	for (gsize i = 0; from != NULL && i < G_N_ELEMENTS(units); i++)
		if (strstr(from, units[i]) != NULL) {
			*lines_out = n;
			return true;
		}
	return false;
}

/* "imjournal: 4711 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
 * "imjournal: begin to drop messages due to rate-limiting", "imuxsock begins to drop messages from
 * pid 3 due to rate-limiting", "imuxsock[pid: 3, name: smtpd] from <mx:postfix/smtpd>: begin to
 * drop messages due to rate-limiting" */
static bool rsyslog(const char *text, guint64 *lines_out, guint *pid_out)
{
	const char *lost = strstr(text, " messages"), *pid = strstr(text, "pid");
	if (strstr(text, "due to rate-limiting") == NULL ||
		(strstr(text, "lost") == NULL && strstr(text, " to drop messages") == NULL))
		return false;
	while (lost != NULL && lost > text && g_ascii_isdigit(lost[-1]))
		lost--;
	*lines_out = lost != NULL ? g_ascii_strtoull(lost, NULL, 10) : 0;
	if (pid != NULL)
		*pid_out = (guint)strtoul(pid + strcspn(pid, "0123456789"), NULL, 10);
	return true;
}

bool log_gap(const LogLine *line, guint64 *lines_out, guint *pid_out)
{
	*lines_out = 0;
	*pid_out = 0;
	if (strcmp(line->ident, "systemd-journald") == 0 ||
		strcmp(line->ident, "systemd-journal") == 0 || strcmp(line->ident, "journal") == 0)
		return journald(line->text, lines_out);
	return g_str_has_prefix(line->ident, "rsyslogd") && rsyslog(line->text, lines_out, pid_out);
}
