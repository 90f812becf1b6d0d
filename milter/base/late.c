/*
 * The name of a library and those of its functions come in; their addresses go out.  No state but
 * the system's own; from any thread.
 *
 * For libraries that one run of many needs, and that take longer to be loaded than that run takes:
 * what libcurl brings along made each command twice as long.  The program that needs one every time
 * is linked with it, so that a package says that it is needed.
 */
#include "config.h"

#include <dlfcn.h>
#include <string.h>

#include "missent/late.h"

bool ms_late_load(const char *file, const char *const *names, MsLateFunction *functions,
	char **why_out)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	for (gsize i = 0; library != NULL && names[i] != NULL; i++) {
		void *function = dlsym(library, names[i]);
		memcpy(&functions[i], &function, sizeof function);
		if (function == NULL)
			library = NULL;
	}
	if (library == NULL)
		*why_out = g_strdup_printf("a library is missing or another than it should be: %s", dlerror());
	return library != NULL;
}
