/* missent init, in three files: what is asked (init_ask.c), what is done on the host
 * (init_host.c), and the way through it (init.c). */
#ifndef MISSENT_CLI_INIT_H
#define MISSENT_CLI_INIT_H

#include "missent/setup.h"

#include "cli.h"

typedef struct {
	Cli *cli;
	gboolean yes, dry, undo, no_start;
	char *answers, *log;
	const MsSetupMta *mta;    /* of `mtas` */
	GPtrArray *mtas, *notes;
	MsSetupAnswers given;
	char *customers;          /* a file, or NULL */
	bool asks, sits;          /* questions are asked; somebody sits there */
} Init;

/* init_ask.c */
bool init_ask(Init *init, GError **error);
/* An empty answer means no. */
bool init_confirm(const Init *init, const char *question);
void init_say(const Init *init, Colour colour, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* init_host.c */
bool init_make_user(const char *name, GError **error);
/* Folders that a service needs, each its user's. */
bool init_make_folders(const MsSettings *settings, GError **error);
/* missent's user into the MTA's group, for the socket; noted in the plan. */
bool init_join_group(MsPlan *plan, const MsSettings *settings, GError **error);
bool init_start(MsPlan *plan, const Init *init, const MsSettings *settings, GError **error);
void init_stop(const MsPlan *plan, const Init *init);

#endif
