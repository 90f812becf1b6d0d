/* Shared by the files of the guard. */
#ifndef MISSENT_GUARD_PRIVATE_H
#define MISSENT_GUARD_PRIVATE_H

#include "missent/digest.h"
#include "missent/guard.h"

#include "step.h"

struct MsGuard {
	MsGuardStore *store;
	guint8 key[MS_DIGEST_BYTES];
	MsGuardLimits limits;
	char **customers;
};

/* What an operation of a step is about, to tell its answer. */
typedef struct {
	MsGuardWhat what;
	int finding, recipient, document, stream;
} MsAbout;

/* A keyed digest; `bytes` at most MS_DIGEST_BYTES. */
void ms_guard_digest(const MsGuard *guard, const char *domain, const char *text, const char *more, guint8 *out,
	gsize bytes);
/* The step of a message, and what each of its operations is about. */
void ms_guard_ask(const MsGuard *guard, const MsGuardMessage *message, MsStep *step, GArray *abouts);
void ms_guard_prepare(const MsGuard *guard, MsStep *step, gint64 now);
/* For whom is it: policy and masked sender. */
char *ms_guard_label(const MsGuard *guard, const MsGuardMessage *message, guint stream);

#endif
