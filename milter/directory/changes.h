/* Changes of a mapping from lines or a stream of Redis: who reads them, and in what form. */
#ifndef MISSENT_DIRECTORY_CHANGES_H
#define MISSENT_DIRECTORY_CHANGES_H

#include "missent/directory.h"

/* An ID is a number, or two with - between: 17, 1764170000000-3.  They grow. */
bool ms_change_id_valid(const char *id);
int ms_change_id_compare(const char *a, const char *b);
void ms_change_free(MsChange *change);

#endif
