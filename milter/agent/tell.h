/* The ways in which somebody is told of a state (tell.c). */
#ifndef MISSENT_AGENT_TELL_H
#define MISSENT_AGENT_TELL_H

#include "agent.h"

typedef struct Teller Teller;
Teller *teller_new(Agent *agent);
void teller_free(Teller *teller);
void tell_state(Teller *teller, MsAlert alert, bool on, const char *detail);
/* Now and then: the program that is called has ended, or has to. */
void tell_tend(Teller *teller);

#endif
