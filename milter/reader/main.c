/*
 * missent-reader: the full reader, mail with documents of all kinds.  Its arguments come in;
 * all else is the supervisor's (supervisor.c), whose one thread this is.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "missent/inventory.h"
#include "missent/worker.h"

/* What need not be read of documents, and why: format, item, reason; for those who check it. */
static int print_structural(void)
{
	for (const MsStructural *row = ms_structural_rows; row->format != NULL; row++)
		for (const char *const *item = row->items; *item != NULL; item++)
			printf("%s\t%s\t%s\n", row->format, *item, row->reason);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--structural") == 0)
		return print_structural();
	return ms_reader_main(argc, argv, &ms_reader_program);
}
