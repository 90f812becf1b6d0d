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

#endif
