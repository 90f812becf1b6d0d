/*
 * A log to be filled comes in; what the MTA of this host logged is read into it, from its file or
 * from the journal.  No state; from any thread.
 */
#include "config.h"

#include <unistd.h>

#include "missent/mtaconf.h"

#include "program.h"

static const char *usual_log(void)
{
	static const char *const usual[] = {"/var/log/mail.log", "/var/log/maillog"};
	for (gsize i = 0; i < G_N_ELEMENTS(usual); i++)
		if (access(usual[i], R_OK) == 0)
			return usual[i];
	return NULL;
}

/* Debian's hosts have no other log since 2023. */
static bool feed_journal(MsMaillog *log)
{
	const char *argv[] = {"journalctl", "-q", "--no-pager", "-o", "export", "--since",
		"-7 days", "SYSLOG_FACILITY=2", NULL};
	g_autoptr(GString) out = mta_ask(argv, NULL);
	if (out == NULL || out->len == 0)
		return false;
	ms_maillog_feed(log, "journal", out->str, out->len);
	return true;
}

const char *ms_mta_read_log(MsMaillog *log, const char *path, GError **error)
{
	/* In a container Postfix logs to what is its standard output, which is not ours. */
	bool own = path != NULL && !g_str_has_prefix(path, "/dev/std") && access(path, F_OK) == 0;
	const char *file = own ? path : usual_log();
	const char *const paths[] = {file, NULL};
	if (file == NULL)
		return feed_journal(log) ? "the journal of seven days" : NULL;
	return ms_maillog_read(log, paths, error) ? file : NULL;
}
