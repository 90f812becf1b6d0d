/* Asks a desk what the page's agent would ask, and kills itself at a point: crashing-desk CONFIG
 * POINT JSON.  The points are named in milter/desk/; "none" is none of them. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/desk.h"

static const char *wanted;

static void crash(const char *name)
{
	if (strcmp(name, wanted) == 0)
		kill(getpid(), SIGKILL);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDesk) desk = argc == 4 ? ms_desk_open(argv[1], &error) : NULL;
	if (desk == NULL) {
		fprintf(stderr, "%s\n", error != NULL ? error->message : "usage: crashing-desk CONFIG POINT JSON");
		return 1;
	}
	wanted = argv[2];
	ms_desk_crash_point = crash;
	g_autofree char *reply = ms_desk_request(desk, argv[3], strlen(argv[3]));
	puts(reply);
	return 0;
}
