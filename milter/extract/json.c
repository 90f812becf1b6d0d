/*
 * JSON (RFC 8259), and JSON a line.  In come bytes, out go all values with their keys,
 * the escapes undone, and what the strings hold: HTML, JSON, base64 and data: URIs.  One
 * message, one thread.
 *
 * What a list of words says is taken for the names of the columns of the lists of values behind it:
 * {"columns": ["date", "customer_no"], "rows": [["2026-11-01", 4711]]}.
 *
 * No tree and no recursion: what is open is a byte each.  What is not as it should be is
 * skipped, for the text as it stands is read, too.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/named.h"
#include "missent/scan.h"
#include "missent/text.h"

#include "html.h"
#include "readers.h"

#define MAX_NESTED 4 /* JSON in strings of JSON */
#define LEAST_HTML 7 /* "<b>1</b" */
#define LEAST_BYTES 8
#define MAX_WORD 60  /* bytes of the name of a column */

/* A string that may be a file. */
typedef struct {
	GByteArray *bytes;
	guint object;
} Candidate;

typedef struct {
	const MsExtraction *to;
	const char *where, *p, *end;
	MsNamedText *named, *aside; /* aside: numbers as they stand, where they may be words */
	GByteArray *open; /* '{' or '[' each */
	GArray *objects;  /* of guint: the number of each that is open */
	guint n_objects;
	GArray *had;        /* of guint: how many values each that is open had so far */
	GPtrArray *words;   /* of char *: what the values of a list say, if all are words */
	guint words_depth;  /* how many are open in that list; 0: none has words only */
	GPtrArray *columns; /* likewise, of the last such list */
	guint columns_depth;
	GString *key; /* of the value to come */
	bool has_key;
	GPtrArray *candidates; /* of Candidate * */
	GByteArray *bytes;     /* what is open has had these numbers, and nothing else */
	bool other;            /* it has had something else */
	GHashTable *encoded;   /* numbers of objects that say "base64" */
	GPtrArray *inner;
	GPtrArray *nested; /* of GString *: JSON and HTML in strings */
} Json;

bool ms_is_json(const guint8 *data, gsize len)
{
	const char *p = (const char *)data, *end = p + MIN(len, 4096);
	if (end - p > 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end && g_ascii_isspace(*p))
		p++;
	if (p == end || (*p != '{' && *p != '['))
		return false;
	bool object = *p++ == '{';
	while (p < end && (g_ascii_isspace(*p) || (!object && *p == '[')))
		p++;
	if (p == end)
		return false;
	return object ? *p == '"' || *p == '}' : *p == '{' || *p == '"' || *p == ']';
}

/* ---- strings --------------------------------------------------------------------------
 */

static bool hex4(const char *p, const char *end, guint *out)
{
	*out = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		if (!g_ascii_isxdigit(p[i]))
			return false;
		*out = *out << 4 | (guint)g_ascii_xdigit_value(p[i]);
	}
	return true;
}

/* `p` is behind the backslash. */
static const char *put_escape(GString *out, const char *p, const char *end)
{
	static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
	guint unit, low;
	if (p == end)
		return p;
	const char *known = strchr(from, *p);
	if (known != NULL && *p != '\0') {
		g_string_append_c(out, into[known - from]);
		return p + 1;
	}
	if (*p != 'u' || !hex4(p + 1, end, &unit)) {
		g_string_append_c(out, *p);
		return p + 1;
	}
	p += 5;
	if (unit >= 0xd800 && unit < 0xdc00 && end - p >= 6 && p[0] == '\\' &&
		p[1] == 'u' && hex4(p + 2, end, &low) && low >= 0xdc00 && low < 0xe000) {
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	g_string_append_unichar(out, unit == 0                         ? ' '
				     : unit >= 0xd800 && unit < 0xe000 ? 0xfffd
								       : unit);
	return p;
}

/* `p` is on the quote; behind the string's end. */
static GString *take_string(Json *json)
{
	GString *out = g_string_new(NULL);
	const char *p = json->p + 1;
	while (p < json->end && *p != '"') {
		gsize plain = 0;
		while (p + plain < json->end && p[plain] != '"' && p[plain] != '\\')
			plain++;
		g_string_append_len(out, p, (gssize)plain);
		p += plain;
		if (p < json->end && *p == '\\')
			p = put_escape(out, p + 1, json->end);
	}
	json->p = p < json->end ? p + 1 : p;
	return out;
}

static bool has_tag(const GString *text)
{
	if (text->len < LEAST_HTML)
		return false;
	const char *open = memchr(text->str, '<', text->len);
	return open != NULL &&
	       (g_ascii_isalpha(open[1]) || open[1] == '/' || open[1] == '!') &&
	       strchr(open, '>') != NULL;
}

static guint object_of(const Json *json)
{
	return json->objects->len > 0
		       ? g_array_index(json->objects, guint, json->objects->len - 1)
		       : 0;
}

static void note_candidate(Json *json, const GString *text)
{
	GByteArray *bytes = ms_base64_text(text->str, text->len);
	if (bytes == NULL)
		return;
	Candidate *one = g_new0(Candidate, 1);
	one->bytes = bytes;
	one->object = object_of(json);
	g_ptr_array_add(json->candidates, one);
}

/* [37,80,68,70], {"type":"Buffer","data":[...]}, {"0":37,"1":80}: a file as programs write their
 * arrays of bytes.  `word` is a number. */
static void take_byte(Json *json, const GString *word)
{
	gsize len = word->len;
	guint64 number = len <= 3 && strspn(word->str, "0123456789") == len
		? g_ascii_strtoull(word->str, NULL, 10)
		: G_MAXUINT64;
	guint8 byte = (guint8)number;
	json->other = json->other || number > G_MAXUINT8;
	if (!json->other)
		g_byte_array_append(json->bytes, &byte, 1);
}

/* What is open begins or ends: what it has had may be a file, or text. */
static void end_bytes(Json *json)
{
	const GByteArray *bytes = json->bytes;
	if (!json->other && bytes->len >= LEAST_BYTES &&
		(ms_is_document(bytes->data, bytes->len) || ms_is_text(bytes->data, bytes->len)))
		ms_extract_within(
			json->to, json->where, "bytes", NULL, bytes->data, bytes->len);
	g_byte_array_set_size(json->bytes, 0);
	json->other = false;
}

/* ---- numbers ---------------------------------------------------------------------------
 */

#define MAX_WHOLE 1e15 /* to here a double has each whole number */

/* The number of `len` letters at `p`, written to `out` as it would be without ".0" or "e7".  True
 * if it had an exponent: then it may be no number but a word of digits, such as 1234E5. */
static bool put_number(const char *p, gsize len, GString *out)
{
	char *end = NULL;
	bool figures = strspn(p, "0123456789.eE+-") >= len;
	double number = figures && (memchr(p, '.', len) != NULL || memchr(p, 'e', len) != NULL ||
			memchr(p, 'E', len) != NULL)
		? g_ascii_strtod(p, &end) : 0;
	bool whole = end == p + len && number > 0 && number < MAX_WHOLE &&
		number == (double)(gint64)number;
	if (whole)
		g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)number);
	else
		g_string_append_len(out, p, (gssize)len);
	return whole && (memchr(p, 'e', len) != NULL || memchr(p, 'E', len) != NULL);
}

/* ---- columns and rows -----------------------------------------------------------------
 */

static guint8 open_at(const Json *json, guint up)
{
	return json->open->len > up ? json->open->data[json->open->len - 1 - up] : '\0';
}

/* How many values what is open had before this one; `up`: what is around it. */
static guint *had_at(const Json *json, guint up)
{
	return &g_array_index(json->had, guint, json->had->len - 1 - up);
}

static void count_value(const Json *json)
{
	if (json->had->len > 0)
		++*had_at(json, 0);
}

/* Is this a row, of a list of them or of a file with one a line? */
static bool in_row(const Json *json)
{
	return open_at(json, 0) == '[' && (json->open->len == 1 || open_at(json, 1) == '[');
}

static const char *column_of(const Json *json)
{
	guint at = json->had->len > 0 ? *had_at(json, 0) : 0;
	return json->columns_depth > 0 && in_row(json) && at < json->columns->len
		? json->columns->pdata[at] : NULL;
}

/* A value of the list, or of an object in it: {"columns": [{"name": "customer_no"}]}. */
static void take_word(Json *json, const char *key, const GString *text)
{
	static const char *const keys[] = {"name", "field", "title", "label", "header", "id", NULL};
	guint up = open_at(json, 0) == '{' ? 1 : 0;
	if (json->words_depth == 0 || json->words_depth + up != json->open->len)
		return;
	if (up == 0 && (text == NULL || text->len > MAX_WORD || ms_has_digit(text->str, text->len)))
		json->words_depth = 0;
	else if ((up == 0 || (key != NULL && g_strv_contains(keys, key))) && text != NULL &&
		text->len <= MAX_WORD && json->words->len + up == *had_at(json, up))
		g_ptr_array_add(json->words, g_strdup(text->str));
}

static void begin_words(Json *json, guint8 what)
{
	if (what == '{' && json->words_depth == json->open->len)
		return;
	g_ptr_array_set_size(json->words, 0);
	json->words_depth = what == '[' ? json->open->len + 1 : 0;
}

/* Names, unless it is a row of words below names. */
static void end_words(Json *json)
{
	guint depth = json->open->len;
	bool row = open_at(json, 1) == '[';
	if (json->words_depth == depth && json->words->len > 1 &&
		json->words->len == *had_at(json, 0) &&
		(!row || (*had_at(json, 1) == 1 && json->columns_depth == 0))) {
		GPtrArray *columns = json->columns;
		json->columns = json->words;
		json->words = columns;
		json->columns_depth = depth;
	}
	if (json->words_depth >= depth)
		json->words_depth = 0;
	/* They are of what is in the object around them, or beside that. */
	if (depth + 1 < json->columns_depth)
		json->columns_depth = 0;
}

static void take_value(Json *json, GString *text)
{
	const char *key = json->has_key ? json->key->str : column_of(json);
	take_word(json, key, text);
	count_value(json);
	if (strcmp(text->str, "base64") == 0)
		g_hash_table_add(json->encoded, GUINT_TO_POINTER(object_of(json)));
	ms_data_uris_take(text, 0, json->inner);
	ms_named_value(json->named, key, text->str, text->len);
	note_candidate(json, text);
	if (has_tag(text) || ms_is_json((const guint8 *)text->str, text->len))
		g_ptr_array_add(json->nested, text);
	else
		g_string_free(text, TRUE);
	json->has_key = false;
}

/* ---- structure ------------------------------------------------------------------------
 */

static void take_key(Json *json, GString *text)
{
	/* A key may be data, too; as it stands it is read with the rest of the text. */
	if (text->len > 0 && memchr(json->key->str, '\\', json->key->len) != NULL)
		ms_named_value(json->named, NULL, text->str, text->len);
	g_string_assign(json->key, text->str);
	json->has_key = true;
	g_string_free(text, TRUE);
}

static bool is_key(const Json *json)
{
	const char *p = json->p;
	while (p < json->end && g_ascii_isspace(*p))
		p++;
	return p < json->end && *p == ':' && json->open->len > 0 &&
	       json->open->data[json->open->len - 1] == '{' && !json->has_key;
}

static void open_container(Json *json, guint8 what)
{
	static const guint none = 0;
	end_bytes(json);
	ms_named_open(json->named, json->has_key ? json->key->str : NULL);
	ms_named_open(json->aside, json->has_key ? json->key->str : NULL);
	begin_words(json, what);
	count_value(json);
	g_byte_array_append(json->open, &what, 1);
	g_array_append_val(json->had, none);
	guint number = ++json->n_objects;
	g_array_append_val(json->objects, number);
	json->has_key = false;
}

static void close_container(Json *json)
{
	end_bytes(json);
	json->other = true; /* what goes on has had this */
	if (json->open->len == 0)
		return;
	end_words(json);
	g_byte_array_set_size(json->open, json->open->len - 1);
	g_array_set_size(json->had, json->had->len - 1);
	g_array_set_size(json->objects, json->objects->len - 1);
	ms_named_close(json->named);
	ms_named_close(json->aside);
	json->has_key = false;
}

static void take_number(Json *json)
{
	const char *start = json->p;
	while (json->p < json->end && !g_ascii_isspace(*json->p) &&
		strchr(",:[]{}\"", *json->p) == NULL)
		json->p++;
	if (json->p == start) { /* a NUL */
		json->p++;
		return;
	}
	gsize len = (gsize)(json->p - start), minus = *start == '-';
	GString *word = g_string_new_len(start, (gssize)minus);
	bool other = put_number(start + minus, len - minus, word);
	take_byte(json, word);
	if (minus > 0 || g_ascii_isdigit(*start)) {
		const char *key = json->has_key ? json->key->str : column_of(json);
		if (other)
			ms_named_value(json->aside, key, start + minus, len - minus);
		take_value(json, word);
		return;
	}
	g_string_free(word, TRUE);
	take_word(json, NULL, NULL);
	count_value(json);
	json->has_key = false;
}

static void walk(Json *json)
{
	while (json->p < json->end && ms_budget_time(json->to->budget)) {
		char c = *json->p;
		if (c == '"') {
			const char *start = json->p;
			GString *text = take_string(json);
			if (is_key(json)) {
				g_string_truncate(json->key, 0);
				g_string_append_len(json->key, start, json->p - start);
				take_key(json, text);
			} else {
				json->other = true;
				take_value(json, text);
			}
		} else if (c == '{' || c == '[') {
			open_container(json, (guint8)c);
			json->p++;
		} else if (c == '}' || c == ']') {
			close_container(json);
			json->p++;
		} else if (c == ',' || c == ':' || g_ascii_isspace(c)) {
			json->has_key = json->has_key && c != ',';
			json->p++;
		} else {
			take_number(json);
		}
	}
}

/* ---- what the strings hold ------------------------------------------------------------
 */

static void free_candidate(gpointer data)
{
	Candidate *one = data;
	g_byte_array_unref(one->bytes);
	g_free(one);
}

static void free_text(gpointer data)
{
	g_string_free(data, TRUE);
}

/* Words and hashes look like base64, too: they make no text and no document. */
static void read_candidates(const Json *json)
{
	for (guint i = 0; i < json->candidates->len; i++) {
		const Candidate *one = json->candidates->pdata[i];
		bool said = g_hash_table_contains(
			json->encoded, GUINT_TO_POINTER(one->object));
		const GByteArray *bytes = one->bytes;
		if (bytes->len == 0)
			continue;
		if (said || ms_is_document(bytes->data, bytes->len))
			ms_extract_within(json->to, json->where, "base64", NULL,
				bytes->data, bytes->len);
	}
}

static void read_json(
	const MsExtraction *to, const char *where, const GString *text, guint depth);

static void read_nested(const Json *json, guint depth)
{
	for (guint i = 0; i < json->nested->len; i++) {
		const GString *text = json->nested->pdata[i];
		if (has_tag(text))
			ms_html_text_read(json->to, json->where, text->str, text->len);
		else if (depth + 1 < MAX_NESTED)
			read_json(json->to, json->where, text, depth + 1);
	}
}

static void read_json(
	const MsExtraction *to, const char *where, const GString *text, guint depth)
{
	Json json = {.to = to,
		.where = where,
		.p = text->str,
		.end = text->str + text->len,
		.named = ms_named_new(),
		.aside = ms_named_new(),
		.open = ms_bytes_new(),
		.objects = g_array_new(FALSE, FALSE, sizeof(guint)),
		.had = g_array_new(FALSE, FALSE, sizeof(guint)),
		.words = g_ptr_array_new_with_free_func(g_free),
		.columns = g_ptr_array_new_with_free_func(g_free),
		.key = g_string_new(NULL),
		.candidates = g_ptr_array_new_with_free_func(free_candidate),
		.bytes = ms_bytes_new(),
		.encoded = g_hash_table_new(NULL, NULL),
		.inner = ms_inner_new(),
		.nested = g_ptr_array_new_with_free_func(free_text)};
	walk(&json);
	ms_extract_named(to, where, json.named);
	ms_extract_named_as(to, MS_SPAN_ASIDE, where, json.aside);
	ms_inner_read(to, where, json.inner);
	read_candidates(&json);
	read_nested(&json, depth);
	ms_named_free(json.named);
	ms_named_free(json.aside);
	g_byte_array_unref(json.open);
	g_array_unref(json.objects);
	g_array_unref(json.had);
	g_ptr_array_unref(json.words);
	g_ptr_array_unref(json.columns);
	g_string_free(json.key, TRUE);
	g_ptr_array_unref(json.candidates);
	g_byte_array_unref(json.bytes);
	g_hash_table_unref(json.encoded);
	g_ptr_array_unref(json.inner);
	g_ptr_array_unref(json.nested);
}

/* Programs that know no whole numbers write 51730264.0 and 5.1730264e7 (outside of strings).
 * `*other_out`: what had an exponent may be something else. */
static GString *whole_numbers(const GString *text, bool *other_out)
{
	GString *out = g_string_sized_new(text->len);
	bool string = false;
	for (const char *p = text->str, *end = p + text->len; p < end;) {
		gsize n = string || !g_ascii_isdigit(*p) ? 0 : strspn(p, "0123456789.eE+-");
		if (n > 0) {
			*other_out |= put_number(p, n, out);
			p += n;
			continue;
		}
		if (string && *p == '\\' && p + 1 < end)
			g_string_append_c(out, *p++);
		else if (*p == '"')
			string = !string;
		g_string_append_c(out, *p++);
	}
	return out;
}

static void read_text(const MsExtraction *to, const MsDocument *document,
	const char *where, const GString *said)
{
	(void)document;
	bool other = false;
	g_autoptr(GString) text = g_string_new_len(said->str, (gssize)said->len);
	ms_text_blank_nuls(text);
	g_autoptr(GString) whole = whole_numbers(text, &other);
	/* A string that is cut short is found in the text as it stands. */
	ms_extract_span(to, where, whole->str, whole->len);
	if (other)
		ms_extract_aside(to, where, false, text->str, text->len);
	read_json(to, where, text, 0);
	if (!ms_budget_time(to->budget))
		ms_reading_unread(to->reading, where, MS_UNREAD_TIME,
			"the time for reading is over");
}

void ms_json_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	ms_decode_each(to, document, NULL, read_text);
}
