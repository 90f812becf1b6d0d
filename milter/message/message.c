/*
 * GMime finds the structure; everything else that it does with a message is done here, in
 * fields.c, header.c and content.c, because 3.2.13 does it wrongly on input that mail clients read
 * (each case is a row of tests/unit/test-message.c).  Not to be called:
 * g_mime_multipart_get_boundary(), which on some input never returns; the address parser, which
 * recurses without bound.
 *
 * Each byte of a message is a field that was read, the content of a part, text around the parts,
 * or a boundary; what is none of these was lost between two readers' ways of taking the message
 * (a blank in the line that ends a header) and is read by itself.  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "header.h"
#include "walk.h"

static void walk_object(Walk *walk, GMimeObject *object, const char *path, bool outermost);
static bool is_boundary(const Walk *walk, const char *line, gsize len);
static void walk_bytes(
	Walk *walk, const guint8 *data, gsize len, const char *path, bool outermost);

void ms_message_init(void)
{
	g_mime_init();
	ms_extract_init();
}

/* ---- one part's facts ----------------------------------------------------------------- */

/* The first Content-Type as it stands; "" if there is none. */
static const char *raw_type(GMimeObject *object)
{
	GMimeHeader *header = g_mime_header_list_get_header(
		g_mime_object_get_header_list(object), "Content-Type");
	const char *raw = header != NULL ? g_mime_header_get_raw_value(header) : NULL;
	return raw != NULL ? raw : "";
}

/* Its parameters, of MsParameter. */
static GPtrArray *type_parameters(GMimeObject *object)
{
	const char *raw = raw_type(object);
	return ms_header_parameters(raw, strlen(raw));
}

/* Two boundaries: readers differ on where the parts are (CVE-2024-28054).  GMime's own
 * warning also comes for filename= beside filename*=, which every second mailer writes. */
static void check_boundaries(
	Walk *walk, const char *type, const GPtrArray *parameters, const char *where)
{
	g_autofree char *raw = g_ascii_strdown(type, -1);
	guint n = 0, given = 0;
	const char *first = NULL;
	bool differ = false;
	for (const char *p = raw; (p = strstr(p, "boundary")) != NULL; p += 8) {
		const char *after = p + 8 + strspn(p + 8, " \t\r\n");
		const char *before = p;
		while (before > raw && g_ascii_isspace(before[-1]))
			before--;
		n += *after == '=' && before > raw && before[-1] == ';';
	}
	for (guint i = 0; i < parameters->len; i++) {
		const MsParameter *parameter = parameters->pdata[i];
		if (strcmp(parameter->name, "boundary") != 0)
			continue;
		first = given++ == 0 ? parameter->value : first;
		differ = differ || strcmp(parameter->value, first) != 0;
		g_hash_table_add(walk->boundaries, g_strdup(parameter->value));
	}
	if (differ || n > MAX(given, 1))
		ms_reading_unread(walk->reading, where, MS_UNREAD_AMBIGUOUS, "two boundaries");
}

static char *part_type(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	if (type == NULL)
		return g_strdup("text/plain");
	const char *media = g_mime_content_type_get_media_type(type);
	const char *subtype = g_mime_content_type_get_media_subtype(type);
	g_autofree char *joined = g_strdup_printf("%s/%s", media != NULL ? media : "text",
		subtype != NULL ? subtype : "plain");
	g_autofree char *lower = g_ascii_strdown(joined, -1);
	return ms_text_escape(lower, -1, 100);
}

/* ---- content -------------------------------------------------------------------------- */

static void raw_content(
	const Walk *walk, GMimePart *part, GByteArray *copy, const guint8 **data, gsize *len)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	*data = (const guint8 *)"";
	*len = 0;
	if (content == NULL)
		return;
	GMimeStream *stream = g_mime_data_wrapper_get_stream(content);
	if (GMIME_IS_STREAM_MEM(stream) && stream->bound_end >= stream->bound_start) {
		/* A window on the message itself: nothing is copied. */
		const GByteArray *all = GMIME_STREAM_MEM(stream)->buffer;
		gint64 end = MIN(stream->bound_end, (gint64)all->len);
		gint64 start = MIN(stream->bound_start, end);
		bool outline = walk->outline != NULL && all == ms_outline_bytes(walk->outline);
		const Outline *of = outline ? walk->outline : NULL;
		gsize at = ms_outline_place(of, (gsize)start);
		*data = (outline ? walk->window : all->data) + at;
		*len = ms_outline_place(of, (gsize)end) - at;
		return;
	}
	char buffer[4096];
	g_mime_stream_reset(stream);
	for (ssize_t n; (n = g_mime_stream_read(stream, buffer, sizeof buffer)) > 0;)
		g_byte_array_append(copy, (guint8 *)buffer, (guint)n);
	*data = copy->data;
	*len = copy->len;
}

static MsPart *note_part(Walk *walk, const char *path, const char *type, const char *name,
	gsize size, bool attached)
{
	if (walk->reading->parts->len >= MS_READING_MAX_PARTS)
		return NULL;
	MsPart *part = g_new0(MsPart, 1);
	part->path = g_strdup(*path != '\0' ? path : "1");
	part->claimed = g_strdup(type);
	part->actual = g_strdup("");
	part->name = g_strdup(name);
	part->size = size;
	part->attached = attached;
	g_ptr_array_add(walk->reading->parts, part);
	return part;
}

static void note_actual(MsPart *part, const char *actual)
{
	if (part == NULL)
		return;
	g_free(part->actual);
	part->actual = g_strdup(actual);
}

static bool is_parameter(GMimeObject *object, const char *name, const char *value)
{
	const char *have = g_mime_object_get_content_type_parameter(object, name);
	g_autofree char *token = ms_walk_token(have != NULL ? have : "");
	return strcmp(token, value) == 0;
}

#define WORTH_ASKING 4096 /* bytes: below, reading costs less than asking */

static bool may_ask(const Walk *walk, const Leaf *leaf)
{
	const MsHelp *help = walk->to.help;
	return help != NULL && help->known != NULL && walk->message != NULL &&
		leaf->data >= walk->message &&
		leaf->data + leaf->len <= walk->message + walk->len &&
		!g_str_has_prefix(leaf->type, "message/") &&
		!g_str_has_prefix(leaf->type, "text/") &&
		(leaf->charset == NULL || strlen(leaf->charset) <= 40) &&
		(walk->to.own == NULL || strchr(walk->to.own, '\n') == NULL);
}

/* All of the mail that the reading of a document depends on is in how it is to be taken: read by
 * itself it says what it says within its mail.  `more`: what is added to that. */
static MsReading *ask(const Walk *walk, const Leaf *leaf, const char *more)
{
	g_autofree char *as = g_strdup_printf("%s\n%s\n%s\n%s%s", leaf->encoding, leaf->type,
		leaf->charset != NULL ? leaf->charset : "",
		walk->to.own != NULL ? walk->to.own : "", more);
	gsize start = (gsize)(leaf->data - walk->message);
	return walk->to.help->known(walk->to.help->user, start, start + leaf->len, as);
}

static void merge(Walk *walk, const Leaf *leaf, const MsReading *known, guint face)
{
	guint count = 0;
	for (guint i = 1; i < known->parts->len; i++) { /* those of mails in it */
		const MsPart *part = known->parts->pdata[i];
		g_autofree char *path = ms_reading_placed(part->path, leaf->where);
		note_actual(note_part(walk, path, part->claimed, part->name, part->size,
				    part->attached),
			part->actual);
	}
	for (guint i = 0; i < known->findings->len; i++)
		count += (((MsFinding *)known->findings->pdata[i])->belief & MS_BELIEF_GUESS) == 0;
	if (!ms_budget_charge(walk->budget, MS_COST_FINDING, count) ||
		!ms_reading_merge(walk->reading, known, leaf->where, face))
		ms_reading_unread(walk->reading, leaf->where, MS_UNREAD_LIMIT,
			"more identifiers than max-findings allows");
}

#define BEGINNING 64 /* characters of base64, of which one knows a picture */

static bool is_quick(const Walk *walk, const Leaf *leaf)
{
	if (strcmp(leaf->encoding, "base64") != 0)
		return false;
	g_autoptr(GByteArray) begin = ms_transfer_base64(leaf->data, MIN(leaf->len, BEGINNING));
	return ms_extract_is_quick(&walk->to, begin->data, begin->len);
}

/* At that place, or within the document there? */
static bool is_locked_at(const MsUnread *unread, const char *where)
{
	gsize len = strlen(where);
	return unread->reason == MS_UNREAD_PASSWORD && strncmp(unread->where, where, len) == 0
		&& (unread->where[len] == '\0' || g_str_has_prefix(unread->where + len, " > "));
}

static bool is_locked(const MsReading *reading, const char *where)
{
	for (guint i = 0; i < reading->unread->len; i++)
		if (is_locked_at(reading->unread->pdata[i], where))
			return true;
	return false;
}

static void forget_locked(MsReading *reading, const char *where)
{
	for (guint i = reading->unread->len; i-- > 0;)
		if (is_locked_at(reading->unread->pdata[i], where))
			g_ptr_array_remove_index(reading->unread, i);
}

/* A document that asks for a password, or has one in it that does, tried with each that is
 * listed.  One that opens a part of it alone opens nothing. */
static void unlock(Walk *walk, const Leaf *leaf, guint face)
{
	if (walk->passwords == NULL || !is_locked(walk->reading, leaf->where) ||
		!may_ask(walk, leaf))
		return;
	for (guint i = 0; walk->passwords[i] != NULL; i++) {
		g_autofree char *more = g_strdup_printf("\n%u", i);
		g_autoptr(MsReading) known = ask(walk, leaf, more);
		if (known == NULL || is_locked(known, MS_PLACE_HERE))
			continue;
		forget_locked(walk->reading, leaf->where);
		merge(walk, leaf, known, face);
		return;
	}
}

/* The terms and conditions ride on every mail of a run: read once, they are known. */
static bool read_known(Walk *walk, const Leaf *leaf)
{
	g_autoptr(MsReading) known =
		leaf->len >= WORTH_ASKING && may_ask(walk, leaf) && !is_quick(walk, leaf)
			? ask(walk, leaf, "") : NULL;
	if (known == NULL)
		return false;
	const MsPart *part = known->parts->len > 0 ? known->parts->pdata[0] : NULL;
	MsPart *noted = note_part(walk, leaf->path, leaf->type, leaf->name,
		part != NULL ? part->size : 0, true);
	if (part != NULL)
		note_actual(noted, part->actual);
	guint face = ms_reading_face(walk->reading, leaf->where);
	merge(walk, leaf, known, face);
	unlock(walk, leaf, face);
	return true;
}

static void read_leaf(Walk *walk, Leaf *leaf, bool attached)
{
	if ((attached && read_known(walk, leaf)) || !ms_walk_charge(walk, leaf))
		return;
	g_autoptr(GByteArray) decoded = ms_walk_decode(walk, leaf);
	gsize len = decoded != NULL ? decoded->len : leaf->len;
	if (walk->sink->wanted != NULL && strcmp(walk->sink->wanted, leaf->path) == 0)
		walk->sink->part(len == 0         ? (const guint8 *)""
				: decoded != NULL ? decoded->data
						  : leaf->data,
			len, walk->sink->user);
	MsPart *noted = note_part(walk, leaf->path, leaf->type, leaf->name, len, attached);
	guint face = walk->to.face;
	MsSpanOf of = walk->to.of;
	if (attached) {
		walk->to.face = ms_reading_face(walk->reading, leaf->where);
		walk->to.of = MS_OF_DOCUMENT;
	}
	note_actual(noted, ms_walk_content(walk, leaf, decoded));
	unlock(walk, leaf, walk->to.face);
	walk->to.face = face;
	walk->to.of = of;
}

/* Does a part begin there: "--" and the boundary at the beginning of a line? */
static bool has_boundary(const guint8 *data, gsize len, const char *boundary)
{
	g_autofree char *mark = g_strconcat("--", boundary, NULL);
	gsize n = strlen(mark);
	const guint8 *end = data + len;
	for (const guint8 *p = data; p < end; p++) {
		if ((p = memmem(p, (gsize)(end - p), mark, n)) == NULL)
			return false;
		bool last = end - p >= (ptrdiff_t)n + 2 && memcmp(p + n, "--", 2) == 0;
		if (!last && (p == data || p[-1] == '\n'))
			return true;
	}
	return false;
}

/* Some clients take a carriage return alone for the end of a line, and see parts where others see
 * none. */
static void check_line_ends(Walk *walk, const Leaf *leaf)
{
	const char *text = (const char *)leaf->data;
	bool own = leaf->data >= walk->window && leaf->data < walk->window + walk->window_len;
	gsize at = own && !walk->returns ? leaf->len : 0;
	for (; (at = ms_scan_pair(text, leaf->len, at, "\r-")) < leaf->len; at++) {
		gsize stop = at + 1;
		while (stop < leaf->len && text[stop] != '\r' && text[stop] != '\n')
			stop++;
		if (!is_boundary(walk, text + at + 1, stop - at - 1))
			continue;
		ms_reading_unread(walk->reading, leaf->where, MS_UNREAD_AMBIGUOUS,
			"a boundary behind a carriage return alone");
		return;
	}
}

/* Parts where GMime sees none, but the object names a boundary, and it is there.  There are clients
 * that show them.  `cut`: to a boundary without the comment or the blank that GMime takes for its
 * end.  False: there are none. */
static bool walk_hidden_parts(Walk *walk, const GPtrArray *parameters, bool cut,
	const guint8 *data, gsize len, const char *path)
{
	for (guint i = 0; len > 0 && i < parameters->len; i++) {
		const MsParameter *parameter = parameters->pdata[i];
		gsize whole = strlen(parameter->value),
		      n = cut ? strcspn(parameter->value, " \t(") : whole;
		g_autofree char *boundary = g_strndup(parameter->value, n);
		if (strcmp(parameter->name, "boundary") != 0 || n == 0 || (cut && n == whole) ||
			strpbrk(boundary, "\"\\\r\n") != NULL || !has_boundary(data, len, boundary))
			continue;
		/* They may be within one another. */
		g_autofree char *where = ms_walk_place(path, "", "multipart");
		if (!ms_walk_charge(walk, &(Leaf){.where = where, .len = len}))
			return true;
		g_autofree char *head = g_strdup_printf(
			"Content-Type: multipart/mixed; boundary=\"%s\"\n\n", boundary);
		g_autoptr(GByteArray) bytes = ms_bytes_new();
		g_byte_array_append(bytes, (const guint8 *)head, (guint)strlen(head));
		g_byte_array_append(bytes, data, (guint)len);
		walk_bytes(walk, bytes->data, bytes->len, path, false);
		return true;
	}
	return false;
}

/* Clients differ on which of two charsets counts. */
static void read_other_charsets(Walk *walk, const GPtrArray *parameters, Leaf *leaf)
{
	const char *first = leaf->charset;
	if (first == NULL || !g_str_has_prefix(leaf->type, "text/"))
		return;
	for (guint i = 0; i < parameters->len && ms_budget_time(walk->budget); i++) {
		const MsParameter *parameter = parameters->pdata[i];
		g_autofree char *charset = ms_walk_token(parameter->value);
		if (strcmp(parameter->name, "charset") != 0 || strcmp(charset, first) == 0)
			continue;
		leaf->charset = charset;
		if (!ms_walk_charge(walk, leaf))
			return;
		g_autoptr(GByteArray) decoded = ms_walk_decode(walk, leaf);
		ms_walk_content(walk, leaf, decoded);
	}
	leaf->charset = first;
}

static void walk_leaf(Walk *walk, GMimePart *part, const char *path)
{
	GMimeObject *object = GMIME_OBJECT(part);
	g_autofree char *type = part_type(object);
	g_autofree char *name = ms_walk_names(walk, object, path);
	g_autofree char *where = ms_walk_place(path, name, type);
	g_autofree char *encoding = ms_walk_encoding(walk, object, where);
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
	/* A mail under base64 is a leaf to GMime. */
	bool attached = *name != '\0' || g_str_has_prefix(type, "message/")
		|| (disposition != NULL && g_mime_content_disposition_is_attachment(disposition));
	g_autoptr(GByteArray) copy = ms_bytes_new();
	Leaf leaf = {
		.path = path, .name = name, .where = where, .encoding = encoding, .type = type};
	raw_content(walk, part, copy, &leaf.data, &leaf.len);
	ms_walk_account(walk, leaf.data, leaf.len);
	const char *said = g_mime_object_get_content_type_parameter(object, "charset");
	g_autofree char *charset = ms_walk_token(said != NULL ? said : "");
	leaf.charset = *charset != '\0' ? charset : NULL;
	leaf.flowed = strcmp(type, "text/plain") == 0 && is_parameter(object, "format", "flowed");
	leaf.delsp = is_parameter(object, "delsp", "yes");
	/* All of a message, as the only fragment of it. */
	if (strcmp(type, "message/partial") == 0 && is_parameter(object, "number", "1") &&
		is_parameter(object, "total", "1"))
		leaf.type = "message/rfc822";
	check_line_ends(walk, &leaf);
	read_leaf(walk, &leaf, attached);
	g_autoptr(GPtrArray) parameters = type_parameters(object);
	read_other_charsets(walk, parameters, &leaf);
	/* Its type is none that GMime knows as that of many parts ("multipart", "multipart//mixed",
	 * a word in RFC 2047's form), or another. */
	walk_hidden_parts(walk, parameters, false, leaf.data, leaf.len, path);
}

/* ---- structure ------------------------------------------------------------------------ */

/* What GMime gives a copy of: it stands behind what was accounted for last. */
static void account_text(Walk *walk, const char *text)
{
	const guint8 *from = walk->window + walk->at;
	const guint8 *found = memmem(from, walk->window_len - walk->at, text, strlen(text));
	if (found != NULL)
		ms_walk_account(walk, found, strlen(text));
}

/* Text outside of all parts: clients that do not know MIME show it. */
static void read_outside(Walk *walk, const char *text, const char *path, const char *what)
{
	if (text == NULL || *text == '\0')
		return;
	account_text(walk, text);
	g_autofree char *where = g_strdup_printf("part %s %s", *path != '\0' ? path : "1", what);
	MsDocument document = {.where = where,
		.type = "text/plain",
		.data = (const guint8 *)text,
		.len = strlen(text)};
	ms_extract(&walk->to, &document);
}

/* A multipart without parts, with a transfer encoding of its own: RFC 2045 6.4 forbids it, some
 * clients undo it.  What they would see is read by parsing the decoded bytes once more. */
static bool walk_encoded(Walk *walk, GMimeMultipart *multipart, const char *path)
{
	const char *text = g_mime_multipart_get_prologue(multipart);
	g_autofree char *where = ms_walk_place(path, "", "multipart");
	g_autofree char *encoding = ms_walk_encoding(walk, GMIME_OBJECT(multipart), where);
	bool encoded = strcmp(encoding, "base64") == 0 || strcmp(encoding, "quoted-printable") == 0;
	if (!encoded || text == NULL)
		return false;
	account_text(walk, text);
	Leaf leaf = {.path = path,
		.where = where,
		.encoding = encoding,
		.data = (const guint8 *)text,
		.len = strlen(text)};
	g_autoptr(GByteArray) decoded = ms_walk_decode(walk, &leaf);
	g_autofree char *head =
		g_strdup_printf("Content-Type:%s\n", raw_type(GMIME_OBJECT(multipart)));
	g_byte_array_prepend(decoded, (const guint8 *)head, (guint)strlen(head));
	walk_bytes(walk, decoded->data, decoded->len, path, false);
	return true;
}

/* "boundary=b (made by hand)" */
static bool walk_cut_boundary(
	Walk *walk, const GPtrArray *parameters, const char *before, const char *path)
{
	if (before == NULL || !walk_hidden_parts(walk, parameters, true, (const guint8 *)before,
				      strlen(before), path))
		return false;
	account_text(walk, before);
	return true;
}

static bool is_blank_text(const char *text)
{
	return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

static void walk_multipart(Walk *walk, GMimeMultipart *multipart, const char *path)
{
	int n = g_mime_multipart_get_count(multipart);
	const char *before = g_mime_multipart_get_prologue(multipart);
	const char *behind = g_mime_multipart_get_epilogue(multipart);
	bool empty = n == 0, blank = is_blank_text(before) && is_blank_text(behind);
	g_autofree char *own = ms_walk_place(path, "", "multipart");
	g_autoptr(GPtrArray) parameters = type_parameters(GMIME_OBJECT(multipart));
	check_boundaries(walk, raw_type(GMIME_OBJECT(multipart)), parameters, own);
	g_free(ms_walk_names(walk, GMIME_OBJECT(multipart), path));
	if (empty && (walk_encoded(walk, multipart, path) ||
			     walk_cut_boundary(walk, parameters, before, path)))
		return;
	if (empty && !blank && !walk->bodyless) {
		ms_reading_unread(walk->reading, own, MS_UNREAD_DAMAGED,
			"a multipart without any part");
	}
	read_outside(walk, before, path, "before the first part");
	for (int i = 0; i < n; i++) {
		g_autofree char *below =
			g_strdup_printf("%s%s%d", path, *path != '\0' ? "." : "", i + 1);
		walk_object(walk, g_mime_multipart_get_part(multipart, i), below, false);
	}
	read_outside(walk, behind, path, "after the last part");
	if (behind != NULL)
		walk_hidden_parts(
			walk, parameters, false, (const guint8 *)behind, strlen(behind), path);
}

/* Asked for as it is: the original in a journal's report. */
static void give_nested(Walk *walk, GMimeMessage *message, const char *path)
{
	if (walk->sink->wanted == NULL || strcmp(walk->sink->wanted, path) != 0)
		return;
	g_autoptr(GByteArray) bytes = ms_bytes_new();
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
	g_object_unref(stream);
	walk->sink->part(bytes->data, bytes->len, walk->sink->user);
}

static void walk_nested(Walk *walk, GMimeMessagePart *part, const char *path)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	g_autofree char *where = ms_walk_place(path, "", "message/rfc822");
	g_autofree char *name = ms_walk_names(walk, GMIME_OBJECT(part), path);
	note_part(walk, path, "message/rfc822", name, 0, true);
	if (message == NULL) {
		ms_reading_unread(walk->reading, where, MS_UNREAD_DAMAGED, "no message in it");
		return;
	}
	give_nested(walk, message, path);
	guint face = walk->to.face;
	MsSpanOf of = walk->to.of;
	walk->to.face = ms_reading_face(walk->reading, where);
	walk->to.of = MS_OF_DOCUMENT;
	ms_walk_headers(walk, GMIME_OBJECT(message), path, false);
	GMimeObject *inner = g_mime_message_get_mime_part(message);
	g_autofree char *below = g_strdup_printf("%s%s1", path, *path != '\0' ? "." : "");
	if (inner != NULL)
		walk_object(walk, inner, below, false);
	walk->to.face = face;
	walk->to.of = of;
}

static void walk_object(Walk *walk, GMimeObject *object, const char *path, bool outermost)
{
	g_autofree char *where = ms_walk_place(path, "", "part");
	if (!ms_budget_time(walk->budget)) {
		ms_reading_unread(
			walk->reading, where, MS_UNREAD_TIME, "the time for reading is over");
		return;
	}
	if (walk->budget->depth_left == 0 || !ms_budget_charge(walk->budget, MS_COST_PART, 1)) {
		ms_reading_unread(walk->reading, where, MS_UNREAD_LIMIT,
			"more parts or deeper than %s",
			walk->budget->depth_left == 0 ? "max-depth" : "max-parts");
		return;
	}
	walk->budget->depth_left--;
	g_free(ms_walk_only_value(walk, object, "Content-Type", where));
	/* Fields of a part such as Content-Description are shown by some clients. */
	ms_walk_headers(walk, object, path, outermost);
	if (GMIME_IS_MULTIPART(object))
		walk_multipart(walk, GMIME_MULTIPART(object), path);
	else if (GMIME_IS_MESSAGE_PART(object))
		walk_nested(walk, GMIME_MESSAGE_PART(object), path);
	else if (GMIME_IS_PART(object))
		walk_leaf(walk, GMIME_PART(object), path);
	else
		ms_reading_unread(
			walk->reading, where, MS_UNREAD_DAMAGED, "a part of no known form");
	walk->budget->depth_left++;
}

/* ---- the parser ----------------------------------------------------------------------- */

static void on_warning(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer user)
{
	(void)item;
	Walk *walk = user;
	const char *what;
	if (walk->bodyless)
		return;
	/* That a multipart has no end is told, too, and says nothing: all bytes have an account. */
	switch ((int)code) {
	case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY: what = "a multipart without boundary"; break;
	case GMIME_CRIT_NESTING_OVERFLOW: what = "nested too deep"; break;
	default: return;
	}
	if (offset >= 0)
		offset = (gint64)ms_outline_place(walk->outline, (gsize)offset);
	g_autofree char *where = g_strdup_printf("message at byte %" G_GINT64_FORMAT, offset);
	ms_reading_unread(walk->reading, where, MS_UNREAD_AMBIGUOUS, "%s", what);
}

static gsize header_block(const guint8 *data, gsize len)
{
	for (const guint8 *p = data; p < data + len;) {
		const guint8 *nl = memchr(p, '\n', (gsize)(data + len - p));
		if (nl == NULL || nl == p || (nl == p + 1 && *p == '\r'))
			return (gsize)((nl != NULL ? nl : data + len) - data);
		p = nl + 1;
	}
	return len;
}

/* A header that was reported or quoted has no body, whatever it says of one. */
static bool is_bodyless(const guint8 *data, gsize len)
{
	for (gsize i = header_block(data, len); i < len; i++)
		if (!g_ascii_isspace((char)data[i]))
			return false;
	return true;
}

static void read_raw(Walk *walk, const guint8 *data, gsize len, const char *path, const char *why)
{
	g_autofree char *where = ms_walk_place(path, "", "unparsed");
	ms_reading_unread(walk->reading, where, MS_UNREAD_DAMAGED, "%s", why);
	ms_extract_span(&walk->to, where, (const char *)data, len);
	ms_walk_account(walk, data, len);
}

void ms_walk_account(Walk *walk, const guint8 *data, gsize len)
{
	if (data < walk->window || data + len > walk->window + walk->window_len)
		return; /* a copy */
	gsize from = (gsize)(data - walk->window);
	ms_inventory_bytes(walk->inventory, MS_ITEM_WHOLE, from, from + len);
	walk->at = MAX(walk->at, from + len);
}

/* "--boundary" or "--boundary--" */
static bool is_boundary(const Walk *walk, const char *line, gsize len)
{
	while (len > 0 && g_ascii_isspace(line[len - 1]))
		len--;
	if (len < 3 || line[0] != '-' || line[1] != '-')
		return false;
	g_autofree char *whole = g_strndup(line + 2, len - 2);
	if (g_hash_table_contains(walk->boundaries, whole))
		return true;
	if (!g_str_has_suffix(whole, "--"))
		return false;
	whole[len - 4] = '\0';
	return g_hash_table_contains(walk->boundaries, whole);
}

/* What is in no field and no part, without boundaries and blank lines. */
static bool read_lost(gsize from, gsize to, void *user)
{
	Walk *walk = user;
	g_autoptr(GString) text = g_string_new(NULL);
	const char *end = (const char *)walk->window + to;
	bool any = false;
	for (const char *p = (const char *)walk->window + from; p < end;) {
		const char *next = ms_line_after(p, end);
		if (!is_boundary(walk, p, (gsize)(next - p))) {
			g_string_append_len(text, p, next - p);
			for (; !any && p < next; p++)
				any = *p > ' ' || *p < 0;
		}
		p = next;
	}
	if (any)
		ms_extract_within(&walk->to, "message", "between the parts", "text/plain",
			(guint8 *)text->str, text->len);
	return true;
}

/* A mail of nothing, as an attachment of no bytes that says message/rfc822. */
static bool is_blank(const guint8 *data, gsize len)
{
	gsize n = 0;
	while (n < len && (data[n] == 0 || g_ascii_isspace((char)data[n])))
		n++;
	return n == len;
}

static void walk_parsed(Walk *walk, GMimeObject *object, const char *path, bool outermost)
{
	const Walk before = *walk;
	walk->inventory = ms_inventory_open(walk->reading, "message", "mail", walk->window_len);
	ms_inventory_read(walk->inventory, ms_inventory_item(walk->inventory, "fields and parts"));
	walk->boundaries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	walk->at = 0;
	if (object != NULL)
		walk_object(walk, object, path, outermost);
	else if (!outermost && is_blank(walk->window, walk->window_len))
		ms_walk_account(walk, walk->window, walk->window_len);
	else
		read_raw(walk, walk->window, walk->window_len, path,
			"no header and no body could be made out");
	ms_inventory_close(walk->inventory, read_lost, walk);
	g_hash_table_unref(walk->boundaries);
	walk->inventory = before.inventory;
	walk->boundaries = before.boundaries;
	walk->at = before.at;
}

typedef struct {
	GByteArray window; /* only points at the bytes: it must not free them */
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeParserOptions *options;
	GMimeObject *object;
} Parsed;

static void parse_bytes(Walk *walk, GByteArray *bytes, Parsed *out)
{
	out->stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(out->stream), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(out->stream), FALSE);
	out->parser = g_mime_parser_new_with_stream(out->stream);
	g_mime_parser_set_persist_stream(out->parser, TRUE);
	out->options = g_mime_parser_options_new();
#ifdef MS_GMIME_WARNING_NOTIFY
	g_mime_parser_options_set_warning_callback(out->options, on_warning, walk, NULL);
#else
	g_mime_parser_options_set_warning_callback(out->options, on_warning, walk);
#endif
	out->object = g_mime_parser_construct_part(out->parser, out->options);
}

static void parsed_clear(Parsed *parsed)
{
	g_clear_object(&parsed->object);
	g_mime_parser_options_free(parsed->options);
	g_object_unref(parsed->parser);
	g_object_unref(parsed->stream);
}

/* What is in the walk's window, by its outline if it has one that holds. */
static void parse(Walk *walk, Parsed *out)
{
	guint unread = walk->reading->unread->len;
	out->window = (GByteArray){(guint8 *)walk->window, (guint)walk->window_len};
	if (walk->outline != NULL) {
		parse_bytes(walk, ms_outline_bytes(walk->outline), out);
		if (ms_outline_holds(walk->outline, out->object))
			return;
		parsed_clear(out);
		g_clear_pointer(&walk->outline, ms_outline_free);
		g_ptr_array_set_size(walk->reading->unread, (gint)unread);
	}
	parse_bytes(walk, &out->window, out);
}

/* Parses a message or a part of one, and accounts for each byte of it. */
static void walk_bytes(
	Walk *walk, const guint8 *data, gsize len, const char *path, bool outermost)
{
	/* GMime takes memory and time for headers before anybody could count them. */
	if (header_block(data, len) > walk->budget->left[MS_COST_HEADER_BYTES]) {
		g_autofree char *where = ms_walk_place(path, "", "headers");
		ms_reading_unread(walk->reading, where, MS_UNREAD_LIMIT, "longer than %s allows",
			ms_cost_name(MS_COST_HEADER_BYTES));
		return;
	}
	const Walk around = *walk;
	walk->window = data;
	walk->window_len = len;
	walk->bodyless = is_bodyless(data, len);
	walk->outline = ms_outline_new(data, len, &walk->returns);
	if (walk->sink->wanted != NULL) /* may be a whole part, as GMime has it */
		g_clear_pointer(&walk->outline, ms_outline_free);
	Parsed parsed;
	parse(walk, &parsed);
	walk_parsed(walk, parsed.object, path, outermost);
	Outline *outline = walk->outline;
	walk->window = around.window;
	walk->window_len = around.window_len;
	walk->bodyless = around.bodyless;
	walk->outline = around.outline;
	walk->returns = around.returns;
	if (outermost && walk->sink->last)
		return; /* a tenth of the work on a small mail */
	parsed_clear(&parsed);
	ms_outline_free(outline);
}

/* A mail that a document has in it: the signed content of S/MIME, an .eml in an archive. */
static void read_within(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	Walk *walk = to->walk;
	Walk inner = {
		.to = *to, .budget = walk->budget, .reading = walk->reading, .sink = walk->sink};
	inner.to.walk = &inner;
	/* "part 2.1 a.eml", or of a document by itself "@ > a.eml", "part @.1 b.eml" */
	const char *number = where + (g_str_has_prefix(where, "part ") ? 5 : 0);
	bool known = number > where || g_str_has_prefix(where, MS_PLACE_HERE);
	gsize n = known ? strspn(number, MS_PLACE_HERE "0123456789.") : 0;
	g_autofree char *path = g_strndup(number, n);
	g_autofree char *below = g_strdup_printf("%s%s1", path, *path != '\0' ? "." : "");
	walk_bytes(&inner, data, len, below, false);
}

static MsExtraction extraction(const MsMessageSink *sink)
{
	return (MsExtraction){.budget = sink->budget, .reading = sink->reading, .span = sink->span,
		.user = sink->user, .message = read_within, .help = sink->help,
		.ocr_dpi = sink->ocr_dpi};
}

/* GMime, and arrays of bytes, count to 4 GiB: what is larger would be cut without a word. */
static bool is_too_large(MsReading *reading, const char *where, gsize len)
{
	if (len <= G_MAXUINT)
		return false;
	ms_reading_unread(reading, where, MS_UNREAD_LIMIT, "4 GiB or more");
	return true;
}

void ms_message_read(const guint8 *data, gsize len, const MsMessageSink *sink)
{
	Walk walk = {.to = extraction(sink),
		.budget = sink->budget,
		.reading = sink->reading,
		.message = data,
		.len = len,
		.passwords = sink->passwords,
		.sink = sink};
	walk.to.walk = &walk;
	walk.to.face = ms_reading_face(sink->reading, "message");
	walk.to.of = MS_OF_LETTER;
	if (is_too_large(sink->reading, "message", len))
		return;
	g_autoptr(GByteArray) fed = ms_mail_line_feeds(data, len);
	if (fed != NULL)
		walk.message = NULL; /* its parts are not where they were */
	walk_bytes(&walk, fed != NULL ? fed->data : data, len, "", true);
	g_free(walk.own);
}

/* ---- one attachment by itself --------------------------------------------------------- */

void ms_message_read_document(const guint8 *data, gsize len, const char *as,
	const MsMessageSink *sink)
{
	Walk walk = {.to = extraction(sink),
		.budget = sink->budget,
		.reading = sink->reading,
		.sink = sink};
	walk.to.walk = &walk;
	g_auto(GStrv) words = g_strsplit(as, "\n", 5);
	walk.to.face = ms_reading_face(sink->reading, MS_PLACE_HERE);
	guint n = g_strv_length(words);
	walk.to.own = n >= 4 && *words[3] != '\0' ? words[3] : NULL;
	gsize password = n == 5 ? (gsize)g_ascii_strtoull(words[4], NULL, 10) : 0;
	for (gsize i = 0; n == 5 && sink->passwords != NULL && sink->passwords[i] != NULL; i++)
		if (i == password)
			walk.to.password = sink->passwords[i];
	if (is_too_large(walk.reading, MS_PLACE_HERE, len))
		return;
	if (n < 4 || !ms_budget_charge(walk.budget, MS_COST_DECODED, len)) {
		ms_reading_unread(walk.reading, MS_PLACE_HERE, MS_UNREAD_LIMIT,
			"larger than %s allows", ms_cost_name(MS_COST_DECODED));
		return;
	}
	Leaf leaf = {.path = "",
		.name = "",
		.where = MS_PLACE_HERE,
		.encoding = words[0],
		.type = words[1],
		.charset = *words[2] != '\0' ? words[2] : NULL,
		.data = data,
		.len = len};
	g_autoptr(GByteArray) decoded = ms_walk_decode(&walk, &leaf);
	MsPart *part = note_part(
		&walk, "", words[1], "", decoded != NULL ? decoded->len : len, true);
	note_actual(part, ms_walk_content(&walk, &leaf, decoded));
}
