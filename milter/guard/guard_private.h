/* Shared by the files of the guard. */
#ifndef MISSENT_GUARD_PRIVATE_H
#define MISSENT_GUARD_PRIVATE_H

#include <pthread.h>

#include "missent/digest.h"
#include "missent/guard.h"

#include "step.h"

struct MsGuard {
	MsGuardStore *store;
	guint8 key[MS_DIGEST_BYTES], key_name[MS_KEY_NAME_BYTES];
	MsGuard *before; /* the same under the key before, on the same store; or NULL */
	MsGuardLimits limits;
	char **customers, *tag_separators;
	pthread_mutex_t lock;
	GHashTable *stopped; /* of char *: streams, by ID, that were so when last heard of */
	gint failing; /* the last message could not be counted; atomic */
};

/* What an operation of a step is about, to tell its answer. */
typedef struct {
	MsGuardWhat what;
	int finding, recipient, document, stream;
} MsAbout;

/* A keyed digest; `bytes` at most MS_DIGEST_BYTES. */
void ms_guard_digest(const MsGuard *guard, const char *domain, const char *text, const char *more,
	guint8 *out, gsize bytes);
/* The step of a message, and what each of its operations is about. */
void ms_guard_ask(
	const MsGuard *guard, const MsGuardMessage *message, MsStep *step, GArray *abouts);
void ms_guard_prepare(const MsGuard *guard, MsStep *step, gint64 now);
void ms_guard_account_key(const MsGuard *guard, const char *account, guint8 key[MS_KEY_BYTES]);

#endif
