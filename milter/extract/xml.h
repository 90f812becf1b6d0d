/* A streaming XML parser without entities of its own and without any file or network access. */
#ifndef MISSENT_EXTRACT_XML_H
#define MISSENT_EXTRACT_XML_H

#include "missent/extract.h"

typedef struct {
	/* Names are without their prefixes; attributes are name, value, ..., NULL. */
	void (*start)(void *user, const char *name, const char *const *attributes);
	void (*end)(void *user, const char *name);
	void (*text)(void *user, const char *text, gsize len);
	/* Comments and what stands in processing instructions; or NULL. */
	void (*comment)(void *user, const char *text, gsize len);
} MsXmlHandler;

/* NULL, or why it was not read to its end (static). */
const char *ms_xml_parse(const guint8 *data, gsize len, MsBudget *budget,
	const MsXmlHandler *handler, void *user);
const char *ms_xml_attribute(const char *const *attributes, const char *name);
/* A name without its prefix. */
const char *ms_xml_local(const char *name);
/* The name of the outermost element, without prefix, or NULL. */
char *ms_xml_root(const guint8 *data, gsize len);

/* Comments, processing instructions, the document type, and names that are no mere words. */
void ms_xml_asides_read(const MsExtraction *to, const MsDocument *document);
/* What is no XML, for the reason `why`: noted, and read as a browser would show it. */
void ms_xml_broken_read(const MsExtraction *to, const MsDocument *document, const char *why);

/* einvoice.c: reads an e-invoice's fields; false if the root element is none of one.  Text that
 * is no field goes to `rest`. */
bool ms_einvoice_is(const char *root);
const char *ms_einvoice_read(
	const MsExtraction *to, const char *where, const guint8 *data, gsize len);

#endif
