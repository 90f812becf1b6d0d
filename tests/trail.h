/* The lines of an audit trail, for tests. */
#ifndef MISSENT_TESTS_TRAIL_H
#define MISSENT_TESTS_TRAIL_H

#include "missent/audit.h"

static inline bool trail_take(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	g_string_append_printf(user, "%s\n", line->text);
	return true;
}

/* One after the other; the caller's. */
static inline char *trail_text(const char *path)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	if (!ms_audit_each(path, G_MININT64, G_MAXINT64, trail_take, text, &error))
		g_error("%s", error->message);
	return g_string_free(text, FALSE);
}

/* That the message of that name was not done after all, as missentd says it. */
static inline void trail_undo(GString *trail, const char *time, const char *host,
	const char *queue_id, const char *arrived)
{
	g_string_append_printf(trail,
		"{\"time\":\"%s\",\"type\":\"act\",\"event\":\"undone\",\"who\":\"missentd\",\"client\":\"\","
		"\"about\":\"%s\",\"detail\":\"hold; the MTA did not take it\",\"host\":\"%s\","
		"\"queue_id\":\"%s\",\"arrived\":\"%s\"}\n",
		time, queue_id, host, queue_id, arrived);
}

#endif

