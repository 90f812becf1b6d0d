/*
 * Paths come in, their messages go to a command one by one.  The tool's one thread.
 */
#include "config.h"

#include <stdio.h>

#include "missent/stored.h"

#include "cli.h"

typedef struct {
	CliMessageFunc func;
	void *user;
	int worst;
} Each;

static bool take(const MsStored *message, void *user)
{
	Each *each = user;
	if (message->cut)
		cli_fail(0,
			"%s: the mailbox ends within this message: what is there of it is judged",
			message->name);
	int rc = each->func(message->name, message->data, message->len, each->user);
	each->worst = MAX(each->worst, rc);
	return true;
}

int cli_messages(const char *path, CliMessageFunc func, void *user)
{
	g_autoptr(GError) error = NULL;
	Each each = {func, user, 0};
	if (!ms_stored_each(path, take, &each, &error))
		return cli_fail_error(error);
	return each.worst;
}
