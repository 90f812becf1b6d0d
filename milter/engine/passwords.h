/* Passwords of documents that the operator's command knows (passwords.c).  Private to engine/. */
#ifndef MISSENT_ENGINE_PASSWORDS_H
#define MISSENT_ENGINE_PASSWORDS_H

#include <glib.h>
#include <stdbool.h>

#include "missent/reader.h"

typedef struct {
	const char *const *argv; /* the program and its arguments */
	const char *user;        /* that it is run as, if we are root; or NULL */
	gint64 timeout_ms;
} MsPasswordCommand;

typedef struct MsPasswords MsPasswords;

/* At most MS_PASSWORDS_MOST, of MS_PASSWORD_BYTES each.  NULL: it failed, or took too long; no
 * word of what it printed is in `error`. */
MsPasswords *ms_passwords_ask(
	const MsPasswordCommand *command, const GPtrArray *recipients, GError **error);
const char *const *ms_passwords_list(const MsPasswords *passwords);
/* Overwrites them. */
void ms_passwords_free(MsPasswords *passwords);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsPasswords, ms_passwords_free)

#endif
