/* Keeps the reader's filters (filter.h) in step with the directory.  Private to engine/. */
#ifndef MISSENT_ENGINE_KNOWN_H
#define MISSENT_ENGINE_KNOWN_H

#include "missent/directory.h"
#include "missent/reader.h"

typedef struct MsKnowledge MsKnowledge;

MsKnowledge *ms_knowledge_new(MsDirectory *directory, MsReader *reader);
void ms_knowledge_free(MsKnowledge *knowledge);
/* Was a reading that was made with filters `number` made with all that the directory knew when
 * it gave this answer? */
bool ms_knowledge_covers(MsKnowledge *knowledge, guint64 number, const MsResolution *resolution,
	const MsPatience *patience);
/* Brings the reader's filters up to the directory's state of now.  Both wait for another that is at
 * it; who has no time left for that is told that it cannot be had. */
bool ms_knowledge_update(MsKnowledge *knowledge, const MsPatience *patience, GError **error);

#endif
