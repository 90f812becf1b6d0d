/* The attribute values of XML parts, but for those that the table of structural items names.
 * Private to extract/. */
#ifndef MISSENT_EXTRACT_ATTRIBUTES_H
#define MISSENT_EXTRACT_ATTRIBUTES_H

#include <glib.h>
#include <stdbool.h>

/* One for all parts of a document: a value that was read before is not read again. */
typedef struct MsAttributes MsAttributes;

/* `format` as in the table of structural items; its rows are "element@attribute" and
 * "text of element", without prefixes. */
MsAttributes *ms_attributes_new(const char *format);
void ms_attributes_free(MsAttributes *attributes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsAttributes, ms_attributes_free)

/* `list` is name, value, ..., NULL.  `standard`: in a schema that the table knows. */
void ms_attributes_keep(MsAttributes *attributes, const char *element, const char *const *list,
	bool standard);
/* Is the text directly within such an element structural? */
bool ms_attributes_no_text(MsAttributes *attributes, const char *element);
/* What came since the last call, one value a line; the caller's. */
GString *ms_attributes_take(MsAttributes *attributes);

#endif
