/* form.c: what a settings file looks like, before libconfuse takes it. */
#ifndef MISSENT_CONFIG_FORM_H
#define MISSENT_CONFIG_FORM_H

#include <glib.h>
#include <stdbool.h>

#include "missent/config.h"

typedef struct {
	char *name, *title; /* title NULL: none */
	int line;
} MsBlock;

/* The blocks of a text without comments, in their order; of MsBlock.  NULL: a quote, comma, brace
 * or value is missing, a key stands twice in one block, one that by `rows` has one value has a
 * list, or one that may not be empty has an empty one; `error` says where. */
GPtrArray *ms_form_read(const char *file, const char *text, const MsRow *rows, GError **error);

#endif
