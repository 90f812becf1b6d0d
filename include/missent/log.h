/*
 * log.h - one line of log, beginning with the queue ID.
 *
 * WHAT    Writes `QUEUEID: key=value, ...` to standard error or to syslog (facility mail).
 * OWNS    The process's one log target, set once at start.
 * ERRORS  None: a line that cannot be written is lost.
 * THREADS Safe after ms_log_open().
 * LIMITS  What is said is cut at 2,000 bytes, a queue ID at 64; control and invalid bytes are
 *         escaped as \xNN.
 * NOT     Only daemon and cli log above debug; other parts return errors.  Never give it
 *         an identifier that is not masked.
 */
#ifndef MISSENT_LOG_H
#define MISSENT_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <syslog.h>

void ms_log_open(const char *ident, bool to_syslog, bool debug);

/* `queue_id` may be NULL: the line begins with NOQUEUE. */
void ms_log(int priority, const char *queue_id, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
