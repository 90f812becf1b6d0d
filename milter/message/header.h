/* Header fields: addresses and parameters, on raw bytes. */
#ifndef MISSENT_MESSAGE_HEADER_H
#define MISSENT_MESSAGE_HEADER_H

#include <glib.h>
#include <stdbool.h>

/* Splits an address list: each address goes to `addresses` (of char *, until it has `max`),
 * what is no address (display names, comments) to `names`.  Returns how many addresses. */
guint ms_header_addresses(const char *raw, gsize len, GPtrArray *addresses, guint max,
	GString *names);

/* One value of a parameter of Content-Type or Content-Disposition.  A name that stands more than
 * once, plain and extended ("filename", "filename*"), has as many. */
typedef struct {
	char *name;  /* lower case, without its "*" and number */
	char *value; /* valid UTF-8, encoded words and RFC 2231 undone, continuations joined */
	bool unknown; /* ... from a charset that is not known: the value is a guess */
} MsParameter;
/* All of them (of MsParameter), in the order of their names. */
GPtrArray *ms_header_parameters(const char *raw, gsize len);

#endif
