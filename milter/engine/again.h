/*
 * Messages that the guard counted, and that were put off after all.  Their sender tries again, and
 * the MTA gives them another queue ID; by the name under which they were counted the guard knows
 * them, and counts nothing twice.
 */
#ifndef MISSENT_ENGINE_AGAIN_H
#define MISSENT_ENGINE_AGAIN_H

#include "missent/envelope.h"
#include "missent/guard.h"
#include "missent/reading.h"

#define MS_AGAIN 4096 /* so many are remembered, for MS_GUARD_KNOWN_SECONDS */

/* A queue ID, and when it arrived. */
typedef struct {
	char *queue_id;
	gint64 arrived; /* microseconds since 1970 */
} MsCounted;

typedef struct MsAgain MsAgain;
MsAgain *ms_again_new(void);
void ms_again_free(MsAgain *again);
/* What has no Message-ID is not remembered: nothing else tells it from its like. */
void ms_again_put(MsAgain *again, const MsEnvelope *envelope, const MsReading *reading,
	const MsCounted *counted);
/* Forgets it; false: it was not there, or too long ago. */
bool ms_again_take(MsAgain *again, const MsEnvelope *envelope, const MsReading *reading,
	MsCounted *counted_out);

#endif
