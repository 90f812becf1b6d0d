/* What a configuration makes, as the two halves of the engine see it: runtime.c makes it, engine.c
 * judges by it. */
#ifndef MISSENT_ENGINE_RUNTIME_H
#define MISSENT_ENGINE_RUNTIME_H

#include "missent/engine.h"

#include "again.h"
#include "gate.h"
#include "known.h"

struct MsRuntime {
	gint refs;
	guint number;
	char *config, *stamp;
	MsSettings *settings;
	MsKinds *kinds;
	MsPolicies *policies;
	MsDirectory *directory;
	MsGuard *guard; /* NULL: nothing is counted */
	MsAgain *again; /* what was counted, and put off */
	MsReader *reader;
	MsKnowledge *knowledge; /* of the reader, about the directory */
	MsLedger *ledger;
	MsAudit *audit;
	char policies_version[MS_AUDIT_TEXT_ID], kinds_version[MS_AUDIT_TEXT_ID];
	char *policies_text;
	guint texts_kept; /* when both were, beside the trail: seconds since 1970; atomic */
	MsGate *judging; /* messages that are dear to judge */
	guint refused;   /* for too many were on their way; atomic */
};

/* The texts of policies and kinds, beside the trail, before a line names them.  Where that cannot
 * be written now, no line can either; it is tried again with the next. */
bool runtime_keep_texts(MsRuntime *runtime, GError **error);

#endif
