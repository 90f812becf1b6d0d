/*
 * The raw value of a header field comes in; its addresses, and apart from them the names beside
 * them, go out; or its parameters.  GMime's address parser recurses until the stack ends, and of
 * parameters it keeps the first of each name, where clients differ.  Both here are linear.  The
 * worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/extract.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "header.h"

/* ---- addresses ------------------------------------------------------------------------ */

typedef struct {
	GPtrArray *addresses;
	guint max, count;
	GString *names;
} List;

/* An address, or a name.  The names are a list too: white space alone between two of them would be
 * none once words in RFC 2047's form are decoded. */
static void add(List *list, bool address, const char *text, gsize len)
{
	while (len > 0 && g_ascii_isspace(*text)) {
		text++;
		len--;
	}
	while (len > 0 && g_ascii_isspace(text[len - 1]))
		len--;
	if (len == 0)
		return;
	if (!address || memchr(text, '@', len) == NULL) {
		g_string_append(list->names, list->names->len > 0 ? "; " : "");
		g_string_append_len(list->names, text, (gssize)len);
		return;
	}
	list->count++;
	if (list->addresses->len < list->max) {
		g_autoptr(GString) valid = ms_text_repair(text, MIN(len, 1024));
		g_ptr_array_add(list->addresses, g_strdup(valid->str));
	}
}

/* To the end of "..." or (...), which may hold commas; comments nest. */
static const char *skip_quoted(const char *p, const char *end)
{
	char open = *p, close = open == '(' ? ')' : '"';
	guint depth = 0;
	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (open == '(' && *p == '(')
			depth++;
		else if (*p == close && (open == '"' ? depth++ > 0 : --depth == 0))
			return p + 1;
	}
	return end;
}

guint ms_header_addresses(const char *raw, gsize len, GPtrArray *addresses, guint max,
	GString *names)
{
	List list = {addresses, max, 0, names};
	g_autoptr(GString) text = g_string_new(NULL); /* of the entry so far */
	bool angle = false;
	const char *p = raw, *end = raw + len;
	while (p < end) {
		if (*p == '"' || *p == '(') {
			const char *after = skip_quoted(p, end);
			if (*p == '"' && after < end && *after == '@') /* a local part */
				g_string_append_len(text, p, after - p);
			else
				add(&list, false, p, (gsize)(after - p));
			p = after;
		} else if (*p == '<') {
			const char *close = memchr(p, '>', (gsize)(end - p));
			const char *stop = close != NULL ? close : end;
			add(&list, false, text->str, text->len);
			g_string_truncate(text, 0);
			add(&list, true, p + 1, (gsize)(stop - p - 1));
			angle = true;
			p = close != NULL ? close + 1 : end;
		} else if (*p == ',' || *p == ';' || (*p == ':' && !angle)) {
			add(&list, *p != ':', text->str, text->len); /* a group has a name */
			g_string_truncate(text, 0);
			angle = false;
			p++;
		} else {
			g_string_append_c(text, *p == '\0' ? ' ' : *p);
			p++;
		}
	}
	add(&list, true, text->str, text->len);
	return list.count;
}

/* ---- parameters, RFC 2231 ------------------------------------------------------------- */

/* One piece as it stands in the field. */
typedef struct {
	char *name;
	guint64 number; /* of a continuation */
	bool numbered, extended;
	GString *value;
	guint order;
} Piece;

static void piece_free(gpointer data)
{
	Piece *piece = data;
	g_free(piece->name);
	g_string_free(piece->value, TRUE);
	g_free(piece);
}

static void parameter_free(gpointer data)
{
	MsParameter *parameter = data;
	g_free(parameter->name);
	g_free(parameter->value);
	g_free(parameter);
}

/* Up to the next ';' that is in no quotes. */
static const char *take_value(const char *p, const char *end, GString *out)
{
	while (p < end && g_ascii_isspace(*p))
		p++;
	bool quoted = p < end && *p == '"', inside = quoted;
	p += quoted;
	for (; p < end && (inside || *p != ';'); p++) {
		if (inside && *p == '"')
			inside = false;
		else if (inside && *p == '\\' && p + 1 < end)
			g_string_append_c(out, *++p);
		else if (*p != '\r' && *p != '\n')
			g_string_append_c(out, *p);
	}
	while (!quoted && out->len > 0 && g_ascii_isspace(out->str[out->len - 1]))
		g_string_truncate(out, out->len - 1);
	return p;
}

/* "filename*1*" */
static void take_name(const char *p, gsize len, Piece *piece)
{
	g_autofree char *raw = g_strndup(p, len);
	g_strstrip(raw);
	char *star = strchr(raw, '*');
	if (star != NULL) {
		piece->numbered = g_ascii_isdigit(star[1]);
		piece->number = g_ascii_strtoull(star + 1, NULL, 10);
		piece->extended = star[strlen(star) - 1] == '*';
		*star = '\0';
	}
	piece->name = g_ascii_strdown(raw, -1);
}

static int by_name(const void *a, const void *b)
{
	const Piece *x = *(Piece *const *)a, *y = *(Piece *const *)b;
	int names = strcmp(x->name, y->name);
	if (names != 0)
		return names;
	if (x->numbered != y->numbered)
		return x->numbered ? 1 : -1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static GPtrArray *take_pieces(const char *raw, gsize len)
{
	GPtrArray *pieces = g_ptr_array_new_with_free_func(piece_free);
	const char *end = raw + len;
	g_autoptr(GString) ignored = g_string_new(NULL);
	for (const char *p = take_value(raw, end, ignored); p < end;) {
		const char *name = ++p; /* past the ';' */
		while (p < end && *p != '=' && *p != ';')
			p++;
		bool bare = p == end || *p == ';'; /* of a name with a semicolon in it */
		Piece *piece = g_new0(Piece, 1);
		take_name(name, bare ? 0 : (gsize)(p - name), piece);
		piece->value = g_string_new(NULL);
		piece->order = pieces->len;
		p = take_value(bare ? name : p + 1, end, piece->value);
		if (bare && piece->value->len == 0)
			piece_free(piece);
		else
			g_ptr_array_add(pieces, piece);
	}
	g_ptr_array_sort(pieces, by_name);
	return pieces;
}

static void unescape(const char *text, GString *out)
{
	g_autoptr(GByteArray) plain = ms_transfer_percent(text, strlen(text));
	g_string_append_len(out, (const char *)plain->data, plain->len);
}

/* "UTF-8'de'Rechnung%204711" and the pieces that follow it. */
static char *join_pieces(const GPtrArray *pieces, guint first, guint n, bool *unknown_out)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autofree char *charset = NULL;
	bool extended = false;
	for (guint i = first; i < first + n; i++) {
		const Piece *piece = pieces->pdata[i];
		const char *text = piece->value->str;
		const char *tick = piece->extended && i == first ? strchr(text, '\'') : NULL;
		const char *second = tick != NULL ? strchr(tick + 1, '\'') : NULL;
		if (second != NULL) {
			charset = g_strndup(text, (gsize)(tick - text));
			text = second + 1;
		}
		extended = extended || piece->extended;
		if (piece->extended)
			unescape(text, bytes);
		else
			g_string_append(bytes, text);
	}
	char *unknown = NULL;
	GString *value = NULL;
	*unknown_out = false;
	if (extended)
		*unknown_out = !ms_charset_decode(
			charset != NULL && *charset != '\0' ? charset : NULL,
			(guint8 *)bytes->str, bytes->len, &value);
	else
		value = g_string_new_len(bytes->str, (gssize)bytes->len);
	GString *words = ms_words_decode(value->str, value->len, false, &unknown);
	g_string_free(value, TRUE);
	value = words;
	*unknown_out |= unknown != NULL;
	g_free(unknown);
	char *valid = g_utf8_make_valid(value->str, (gssize)value->len);
	g_string_free(value, TRUE);
	return valid;
}

GPtrArray *ms_header_parameters(const char *raw, gsize len)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(parameter_free);
	g_autoptr(GPtrArray) pieces = take_pieces(raw, len);
	for (guint i = 0; i < pieces->len;) {
		const Piece *first = pieces->pdata[i], *next = first;
		guint n = 1;
		for (; first->numbered && i + n < pieces->len; n++) {
			next = pieces->pdata[i + n];
			if (!next->numbered || strcmp(first->name, next->name) != 0)
				break;
		}
		MsParameter *parameter = g_new0(MsParameter, 1);
		parameter->name = g_strdup(first->name);
		parameter->value = join_pieces(pieces, i, n, &parameter->unknown);
		g_ptr_array_add(out, parameter);
		i += n;
	}
	return out;
}
