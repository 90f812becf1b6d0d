/* Header fields: RFC 2047 words and addresses, on raw bytes. */
#ifndef MISSENT_MESSAGE_HEADER_H
#define MISSENT_MESSAGE_HEADER_H

#include <glib.h>
#include <stdbool.h>

/* Valid UTF-8, unfolded; encoded words decoded.  `*unknown_out` names a charset that is not
 * known (caller frees), or is left alone. */
GString *ms_header_decode(const char *raw, gsize len, char **unknown_out);

/* Splits an address list: each address goes to `addresses` (of char *, until it has `max`),
 * what is no address (display names, comments) to `names`.  Returns how many addresses. */
guint ms_header_addresses(const char *raw, gsize len, GPtrArray *addresses, guint max,
	GString *names);

#endif
