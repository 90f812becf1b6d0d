/* So many at a time, so many waiting, in the order in which they came.  Private to engine/. */
#ifndef MISSENT_ENGINE_GATE_H
#define MISSENT_ENGINE_GATE_H

#include <glib.h>
#include <stdbool.h>

#include "missent/patience.h"

typedef struct MsGate MsGate;

MsGate *ms_gate_new(guint at_once, guint most_waiting, gint64 wait_ms);
void ms_gate_free(MsGate *gate);
/* MS_ERROR_BUSY: too many wait already, or none left in time. */
bool ms_gate_enter(MsGate *gate, const MsPatience *patience, GError **error);
void ms_gate_leave(MsGate *gate);
void ms_gate_counts(MsGate *gate, guint *inside_out, guint *waiting_out);

#endif
