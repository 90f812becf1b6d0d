/*
 * Lines for the log come in, of a message under its queue ID; they go to syslog or to standard
 * error, foreign text escaped and cut.  Also how an error of one kind is made.  A process has
 * one log, which is opened before there is a second thread; any thread writes.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/log.h"
#include "missent/text.h"

static struct {
	bool to_syslog;
	bool debug;
} target;

G_DEFINE_QUARK(missent-error-quark, ms_error)

bool ms_fail_input(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(MS_ERROR, MS_ERROR_INPUT, format, args));
	va_end(args);
	return false;
}

void ms_log_open(const char *ident, bool to_syslog, bool debug)
{
	target.to_syslog = to_syslog;
	target.debug = debug;
	if (to_syslog)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void ms_log(int priority, const char *queue_id, const char *format, ...)
{
	if (priority == LOG_DEBUG && !target.debug)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *id = ms_text_escape(queue_id != NULL ? queue_id : "NOQUEUE", -1, 64);
	g_autofree char *safe = ms_text_escape(text, -1, 2000);
	if (target.to_syslog) {
		syslog(priority, "%s: %s", id, safe);
		return;
	}
	/* One write(2) a line: threads do not mix within it. */
	g_autofree char *line = g_strdup_printf("%s: %s\n", id, safe);
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}
