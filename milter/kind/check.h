/* Checks on canonical values; each is a pure function of letters and digits. */
#ifndef MISSENT_KIND_CHECK_H
#define MISSENT_KIND_CHECK_H

#include <stdbool.h>

#include "missent/kind.h"

/* NULL if `value` passes, or (static) what is wrong with it. */
const char *ms_check_value(MsCheck check, const char *value);

#endif
