/*
 * In comes each start tag of a document's parts, out go the values that can be somebody's.  The
 * table of structural items is asked once for each name; a hostile document with more names than
 * any schema has gets all of their values read.  In the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "missent/inventory.h"

#include "attributes.h"
#include "xml.h"

#define SHORTEST 3       /* no identifier is shorter */
#define MAX_NAMES 20000
#define MAX_SEEN 200000  /* values remembered, so that each is read once */
#define NAME_DIGITS 4    /* a name of a schema has fewer */
#define VALUE_DIGITS 9   /* so has a measure, a colour, a word of a schema */
#define VALUE_LENGTH 40  /* longer ones are outlines of shapes */

enum { READ = 1, STRUCTURAL, MARK };

struct MsAttributes {
	const char *format;
	GHashTable *names; /* digest of a name to READ or STRUCTURAL */
	GHashTable *seen;  /* digest of a value to its place in `values`, plus one */
	GString *values;   /* all of them, each with its line end */
	gsize taken;       /* of `values` */
};

MsAttributes *ms_attributes_new(const char *format)
{
	MsAttributes *a = g_new0(MsAttributes, 1);
	a->format = format;
	a->names = g_hash_table_new(NULL, NULL);
	a->seen = g_hash_table_new(NULL, NULL);
	a->values = g_string_new(NULL);
	return a;
}

void ms_attributes_free(MsAttributes *a)
{
	if (a == NULL)
		return;
	g_hash_table_unref(a->names);
	g_hash_table_unref(a->seen);
	g_string_free(a->values, TRUE);
	g_free(a);
}

/* FNV-1a.  Who makes two names meet gains nothing that a structural name would not give. */
static gsize digest(gsize hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (guchar)*text) * (gsize)G_GUINT64_CONSTANT(0x100000001b3);
	return hash;
}
#define DIGEST_START ((gsize)G_GUINT64_CONSTANT(0xcbf29ce484222325))

static guint count_digits(const char *text)
{
	guint n = 0;
	for (; *text != '\0'; text++)
		n += g_ascii_isdigit(*text);
	return n;
}

/* READ, STRUCTURAL or, of what programs make at random, MARK. */
static guint fate_of(MsAttributes *a, const char *before, const char *between, const char *after)
{
	gpointer key = GSIZE_TO_POINTER(
		digest(digest(digest(DIGEST_START, before), between), after));
	guint known = GPOINTER_TO_UINT(g_hash_table_lookup(a->names, key));
	if (known != 0 || g_hash_table_size(a->names) >= MAX_NAMES)
		return MAX(known, READ);
	g_autofree char *item = g_strconcat(before, between, after, NULL);
	const char *reason = ms_structural(a->format, item);
	known = reason == NULL ? READ : strcmp(reason, MS_MADE_AT_RANDOM) == 0 ? MARK : STRUCTURAL;
	g_hash_table_insert(a->names, key, GUINT_TO_POINTER(known));
	if (count_digits(item) >= NAME_DIGITS)
		g_string_append_printf(a->values, "%s\n", item);
	return known;
}

/* A value whose name is structural, but which is more than such a value can be. */
static bool is_more(const char *value, gsize len)
{
	return len <= VALUE_LENGTH && count_digits(value) >= VALUE_DIGITS;
}

/* The digest is only a hint: values that merely share it are compared. */
static bool is_seen(MsAttributes *a, const char *value, gsize len)
{
	gpointer key = GSIZE_TO_POINTER(digest(DIGEST_START, value));
	gsize at = GPOINTER_TO_SIZE(g_hash_table_lookup(a->seen, key));
	if (at > 0)
		return a->values->len - (at - 1) > len &&
			memcmp(a->values->str + at - 1, value, len) == 0 &&
			a->values->str[at - 1 + len] == '\n';
	if (g_hash_table_size(a->seen) < MAX_SEEN)
		g_hash_table_insert(a->seen, key, GSIZE_TO_POINTER(a->values->len + 1));
	return false;
}

/* A namespace of the standards; one of somebody's own may say whose. */
static bool is_known_namespace(const char *name, const char *value)
{
	static const char *const begins[] = {"http://schemas.openxmlformats.org/",
		"http://schemas.microsoft.com/office/",
		"urn:schemas-microsoft-com:", "urn:oasis:names:tc:", "http://www.w3.org/",
		"http://purl.org/dc/", "http://purl.oclc.org/ooxml/", "http://openoffice.org/",
		NULL};
	if (strncmp(name, "xmlns", 5) != 0)
		return false;
	for (const char *const *b = begins; *b != NULL; b++)
		if (g_str_has_prefix(value, *b))
			return strlen(value) < strlen(*b) + 70 &&
				count_digits(value) < VALUE_DIGITS;
	return false;
}

void ms_attributes_keep(
	MsAttributes *a, const char *element, const char *const *list, bool standard)
{
	for (; *list != NULL; list += 2) {
		gsize len = strlen(list[1]);
		if (is_known_namespace(list[0], list[1]))
			continue;
		guint fate = fate_of(a, element, "@", ms_xml_local(list[0]));
		if (len < SHORTEST ||
			(standard &&
				(fate == MARK || (fate == STRUCTURAL && !is_more(list[1], len)))) ||
			is_seen(a, list[1], len))
			continue;
		g_string_append_len(a->values, list[1], (gssize)len);
		g_string_append_c(a->values, '\n');
	}
}

bool ms_attributes_no_text(MsAttributes *a, const char *element)
{
	return fate_of(a, "text of ", "", element) != READ;
}

GString *ms_attributes_take(MsAttributes *a)
{
	GString *taken = g_string_new_len(
		a->values->str + a->taken, (gssize)(a->values->len - a->taken));
	a->taken = a->values->len;
	return taken;
}
