/* Shared by directory.c and import.c. */
#ifndef MISSENT_DIRECTORY_PRIVATE_H
#define MISSENT_DIRECTORY_PRIVATE_H

#include "backend.h"
#include "keys.h"

struct MsDirectory {
	MsKinds *kinds;
	MsBackend *backend;
	MsKeys keys;
	char *house;
	char *tag_separators;
	gint64 max_age; /* seconds; 0: any */
};

char *ms_directory_canary(const MsDirectory *directory);

#endif
