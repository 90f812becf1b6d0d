/*
 * JSON comes in: objects one after the other, a line each or not, or one list of them; out go the
 * members that are mapped, an object at a time.  A member of a member has a dot in its name
 * (contact.mail).  Numbers are taken as they are written, as far as they have no fraction.  One
 * thread.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>

#include "missent/answer.h"

#include "entries.h"

#define MAX_OBJECT (4 * MS_CSV_MAX_RECORD)

typedef struct {
	MsCsv *in;
	MsEntries *to;
	guint64 line;
	gsize bytes; /* of the object; more than MAX_OBJECT: it is too long */
	int first;   /* a byte that was taken; -1: none */
} Json;

static bool fail(const Json *json, GError **error, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
		"line %" G_GUINT64_FORMAT " of the JSON %s; nothing is loaded", json->line, why);
	return false;
}

static int take(Json *json)
{
	int c = json->first >= 0 ? json->first : ms_csv_byte(json->in);
	json->first = -1;
	json->line += c == '\n';
	return c;
}

/* One byte, so that nothing behind the object is taken. */
static size_t give(void *buffer, size_t len, void *user)
{
	Json *json = user;
	int c = len > 0 && json->bytes <= MAX_OBJECT ? take(json) : -1;
	if (c < 0)
		return 0;
	json->bytes++;
	*(char *)buffer = (char)c;
	return 1;
}

/* ---- one object ----------------------------------------------------------------------- */

/* By its whole name, or member by member. */
static json_t *find(json_t *object, const char *name)
{
	json_t *found = json_object_get(object, name);
	const char *dot = strchr(name, '.');
	if (found != NULL || dot == NULL)
		return found;
	g_autofree char *outer = g_strndup(name, (gsize)(dot - name));
	return find(json_object_get(object, outer), dot + 1);
}

/* False: it has no text. */
static bool add(Json *json, guint column, json_t *value)
{
	json_t *item;
	size_t i;
	if (json_is_string(value)) {
		ms_entries_add(
			json->to, column, json_string_value(value), json_string_length(value));
	} else if (json_is_number(value)) {
		char *text = json_dumps(value, JSON_ENCODE_ANY); /* jansson's to free */
		ms_entries_add(json->to, column, text, strlen(text));
		free(text);
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
			if (json_is_array(item) || !add(json, column, item))
				return false;
	} else {
		return value == NULL || json_is_null(value);
	}
	return true;
}

static bool take_object(Json *json, GError **error)
{
	json_error_t trouble;
	json->bytes = 0;
	json_t *object = json_load_callback(
		give, json, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &trouble);
	if (json->bytes > MAX_OBJECT)
		fail(json, error, "is within an object of more than 262,144 bytes: one for each customer is "
			"wanted (as jq -c '.customers[]' gives them)");
	else if (object == NULL)
		fail(json, error, "cannot be read: it ends within an object, or is damaged");
	const char *wrong = NULL;
	for (guint i = 0; object != NULL && i < json->to->n && wrong == NULL; i++)
		if (!add(json, i, find(object, json->to->columns[i])))
			wrong = json->to->columns[i];
	bool read = object != NULL;
	json_decref(object);
	g_autofree char *why = wrong == NULL ? NULL : g_strdup_printf(
		"ends an object whose \"%s\" is no text, number or list of them (a member of it: %s.NAME)",
		wrong, wrong);
	if (!read || why != NULL)
		return read ? fail(json, error, why) : false;
	return ms_entries_end(json->to) ||
		fail(json, error, "ends an object with a value that is longer than 65,536 bytes");
}

/* ---- all of them ---------------------------------------------------------------------- */

static int next(Json *json)
{
	int c;
	do
		c = take(json);
	while (c >= 0 && g_ascii_isspace(c));
	return c;
}

bool entries_read_json(MsCsv *in, MsEntries *to, GError **error)
{
	Json json = {.in = in, .to = to, .line = 1, .first = -1};
	int c = next(&json);
	bool list = c == '[';
	c = list ? next(&json) : c;
	while (c == '{') {
		json.first = c;
		if (!take_object(&json, error))
			return false;
		c = next(&json);
		if (list && c == ',')
			c = next(&json);
		else if (list && c == '{')
			return fail(&json, error, "has no comma between two objects");
	}
	if (list ? c == ']' && next(&json) < 0 : c < 0)
		return true;
	return fail(&json, error, list && c < 0 ? "ends within its list" : "has something that is no object");
}
