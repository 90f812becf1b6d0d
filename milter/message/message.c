#include "config.h"

#include <gmime/gmime.h>
#include <string.h>

#include "missent/extract.h"
#include "missent/message.h"
#include "missent/text.h"
#include "missent/transfer.h"

#include "header.h"

/*
 * GMime finds the structure; everything else that it does with a message is done here or in
 * header.c, because 3.2.13 does it wrongly on input that mail clients read (each case is a row
 * of tests/unit/test-message.c).  Not to be called: g_mime_multipart_get_boundary(), which on
 * some input never returns; the address parser, which recurses without bound.
 */

typedef struct {
	MsExtraction to;
	MsBudget *budget;
	MsReading *reading;
	const guint8 *message; /* all of it: parts that lie in it can be named by their bytes */
	gsize len;
	const char *const *passwords;
	const MsMessageSink *sink;
} Walk;

static void walk_object(Walk *walk, GMimeObject *object, const char *path, bool outermost);
static void walk_bytes(Walk *walk, const guint8 *data, gsize len, const char *path,
	bool outermost);

void ms_message_init(void)
{
	g_mime_init();
	ms_extract_init();
}

/* ---- header fields -------------------------------------------------------------------- */

static bool in_list(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (g_ascii_strcasecmp(*list, name) == 0)
			return true;
	return false;
}

/* Written by mail programs about themselves; no customer's data is put here by a mistake in
 * a billing system, and their random parts would only make false finds. */
static const char *const trace_fields[] = {"Received", "DKIM-Signature", "ARC-Seal",
	"ARC-Message-Signature", "ARC-Authentication-Results", "Authentication-Results",
	"Received-SPF", "MIME-Version", "Date", "Content-Transfer-Encoding", "Return-Path",
	"Content-Type", "Content-Disposition", "Content-ID", /* their names are read by themselves */
	"Message-ID", "References", "In-Reply-To", "DomainKey-Signature", "X-Google-DKIM-Signature", NULL};

/* The recipients and the sender of this very message: who they are is asked by the envelope
 * and by `visible`, so only what is written beside the addresses is text. */
static const char *const address_fields[] = {"From", "To", "Cc", "Bcc", "Sender", "Reply-To",
	"Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender", "Delivered-To", "Errors-To",
	"Disposition-Notification-To", "Return-Receipt-To", "X-Original-To", "List-Unsubscribe", "List-Id", "List-Post", NULL};

static void note_visible(Walk *walk, const char *name, const char *raw, gsize len, GString *rest)
{
	bool shown = g_ascii_strcasecmp(name, "To") == 0 || g_ascii_strcasecmp(name, "Cc") == 0;
	g_autoptr(GPtrArray) other = g_ptr_array_new_with_free_func(g_free);
	guint n = ms_header_addresses(raw, len, shown ? walk->reading->visible : other,
		MS_READING_MAX_VISIBLE, rest);
	if (shown)
		walk->reading->visible_total += n;
}

static void note_header(Walk *walk, const char *name, const GString *value)
{
	if (walk->reading->headers->len >= MS_READING_MAX_HEADERS)
		return;
	MsHeader *header = g_new0(MsHeader, 1);
	g_autoptr(GString) valid = ms_text_repair(name, strlen(name));
	header->name = g_strdup(valid->str);
	/* NULs would end the string early, and what follows would be hidden from a policy. */
	for (gsize i = 0; i < value->len; i++)
		if (value->str[i] == '\0')
			value->str[i] = ' ';
	header->value = g_utf8_make_valid(value->str, (gssize)MIN(value->len, 2000));
	g_ptr_array_add(walk->reading->headers, header);
}

static void read_header(Walk *walk, GMimeHeader *header, const char *prefix, bool outermost)
{
	const char *name = g_mime_header_get_name(header);
	const char *raw = g_mime_header_get_raw_value(header);
	if (name == NULL || raw == NULL)
		return;
	gsize len = strlen(raw);
	g_autofree char *safe_name = ms_text_escape(name, -1, 60);
	g_autofree char *where = g_strdup_printf("%sheader %s", prefix, safe_name);
	if (!ms_budget_charge(walk->budget, MS_COST_HEADER, 1)
		|| !ms_budget_charge(walk->budget, MS_COST_HEADER_BYTES, len)) {
		ms_reading_unread(walk->reading, "headers", MS_UNREAD_LIMIT,
			"more than max-headers or max-header-bytes allow");
		return;
	}
	char *unknown = NULL;
	g_autoptr(GString) rest = g_string_new(NULL);
	bool addresses = outermost && in_list(address_fields, name);
	if (addresses)
		note_visible(walk, name, raw, len, rest);
	g_autoptr(GString) full = ms_header_decode(raw, len, &unknown);
	g_strchug(full->str);
	full->len = strlen(full->str);
	if (outermost)
		note_header(walk, name, full);
	if (!in_list(trace_fields, name)) {
		g_autoptr(GString) names = addresses ? ms_header_decode(rest->str, rest->len, &unknown)
						     : NULL;
		const GString *text = addresses ? names : full;
		ms_extract_span(&walk->to, where, text->str, text->len);
	}
	if (unknown != NULL) {
		g_autofree char *safe = ms_text_escape(unknown, -1, 40);
		ms_reading_unread(walk->reading, where, MS_UNREAD_CHARSET, "charset \"%s\" is not known",
			safe);
		g_free(unknown);
	}
}

static void read_headers(Walk *walk, GMimeObject *object, const char *path, bool outermost)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	g_autofree char *prefix = *path != '\0' ? g_strdup_printf("part %s ", path) : g_strdup("");
	int n = g_mime_header_list_get_count(list);
	for (int i = 0; i < n; i++) {
		if (!ms_budget_time(walk->budget))
			return;
		read_header(walk, g_mime_header_list_get_header_at(list, i), prefix, outermost);
	}
}

/* ---- one part's facts ----------------------------------------------------------------- */

/* The value without quotes, comments and blanks, lower case. */
static char *plain_token(const char *raw)
{
	GString *out = g_string_new(NULL);
	guint depth = 0;
	for (; *raw != '\0' && out->len < 1000; raw++) {
		depth += *raw == '(';
		if (depth == 0 && g_ascii_isgraph(*raw) && *raw != '"')
			g_string_append_c(out, g_ascii_tolower(*raw));
		depth -= *raw == ')' && depth > 0;
	}
	return g_string_free(out, FALSE);
}

/* The last value of a field that may stand once.  If it stands twice and differs, readers
 * differ on what the part is. */
static char *only_value(Walk *walk, GMimeObject *object, const char *name, const char *where)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	char *found = NULL;
	for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *raw = g_mime_header_get_raw_value(header);
		if (raw == NULL || g_ascii_strcasecmp(g_mime_header_get_name(header), name) != 0)
			continue;
		char *next = plain_token(raw);
		if (found != NULL && strcmp(found, next) != 0)
			ms_reading_unread(walk->reading, where, MS_UNREAD_AMBIGUOUS, "two fields %s", name);
		g_free(found);
		found = next;
	}
	return found;
}

/* The transfer encoding as most readers take it: GMime ignores one in quotes. */
static char *transfer_encoding(Walk *walk, GMimeObject *object, const char *where)
{
	char *found = only_value(walk, object, "Content-Transfer-Encoding", where);
	return found != NULL ? found : g_strdup("7bit");
}

/* Two boundaries: readers differ on where the parts are (CVE-2024-28054).  GMime's own
 * warning also comes for filename= beside filename*=, which every second mailer writes. */
static void check_boundaries(Walk *walk, GMimeObject *object, const char *where)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	GMimeHeader *header = g_mime_header_list_get_header(list, "Content-Type");
	g_autofree char *raw =
		g_ascii_strdown(header != NULL ? g_mime_header_get_raw_value(header) : "", -1);
	guint n = 0;
	for (const char *p = raw; (p = strstr(p, "boundary")) != NULL; p += 8) {
		const char *after = p + 8 + strspn(p + 8, " \t\r\n");
		const char *before = p;
		while (before > raw && g_ascii_isspace(before[-1]))
			before--;
		n += *after == '=' && before > raw && before[-1] == ';';
	}
	if (n > 1)
		ms_reading_unread(walk->reading, where, MS_UNREAD_AMBIGUOUS, "two boundaries");
}

/* Both names of an attachment: clients differ on which they show. */
static char *part_names(GMimeObject *object)
{
	const char *a = g_mime_object_get_content_disposition_parameter(object, "filename");
	const char *b = g_mime_object_get_content_type_parameter(object, "name");
	if (a != NULL && b != NULL && strcmp(a, b) == 0)
		b = NULL;
	g_autofree char *raw = g_strdup_printf("%s%s%s", a != NULL ? a : "", a && b ? " " : "",
		b != NULL ? b : "");
	char *unknown = NULL;
	g_autoptr(GString) decoded = ms_header_decode(raw, strlen(raw), &unknown);
	g_free(unknown);
	return g_utf8_make_valid(decoded->str, (gssize)MIN(strlen(decoded->str), 500));
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

static char *place_name(const char *path, const char *name, const char *type)
{
	g_autofree char *safe = ms_text_escape(*name != '\0' ? name : type, -1, 100);
	return g_strdup_printf("part %s %s", *path != '\0' ? path : "1", safe);
}

/* ---- content -------------------------------------------------------------------------- */

static void raw_content(GMimePart *part, GByteArray *copy, const guint8 **data, gsize *len)
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
		*data = all->data + start;
		*len = (gsize)(end - start);
		return;
	}
	char buffer[4096];
	g_mime_stream_reset(stream);
	for (ssize_t n; (n = g_mime_stream_read(stream, buffer, sizeof buffer)) > 0;)
		g_byte_array_append(copy, (guint8 *)buffer, (guint)n);
	*data = copy->data;
	*len = copy->len;
}

/* NULL: the bytes stand for themselves. */
static GByteArray *undo_encoding(Walk *walk, const char *encoding, const guint8 *data, gsize len,
	const char *where)
{
	if (strcmp(encoding, "base64") == 0)
		return ms_transfer_base64(data, len);
	if (strcmp(encoding, "quoted-printable") == 0)
		return ms_transfer_quoted_printable(data, len);
	if (strcmp(encoding, "x-uuencode") == 0 || strcmp(encoding, "uuencode") == 0
		|| strcmp(encoding, "x-uue") == 0) {
		const guint8 *nl = memchr(data, '\n', len);
		bool begins = len > 6 && memcmp(data, "begin ", 6) == 0 && nl != NULL;
		gsize skip = begins ? (gsize)(nl + 1 - data) : 0;
		return ms_transfer_uudecode(data + skip, len - skip);
	}
	if (strcmp(encoding, "7bit") != 0 && strcmp(encoding, "8bit") != 0
		&& strcmp(encoding, "binary") != 0 && *encoding != '\0') {
		g_autofree char *safe = ms_text_escape(encoding, -1, 40);
		ms_reading_unread(walk->reading, where, MS_UNREAD_ENCODING,
			"transfer encoding \"%s\" is not known", safe);
	}
	return NULL;
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

static void read_names(Walk *walk, const char *path, const char *name)
{
	if (*name == '\0')
		return;
	g_autofree char *where = g_strdup_printf("part %s file name", *path != '\0' ? path : "1");
	ms_extract_name(&walk->to, where, name);
}

static bool is_parameter(GMimeObject *object, const char *name, const char *value)
{
	const char *have = g_mime_object_get_content_type_parameter(object, name);
	return have != NULL && g_ascii_strcasecmp(have, value) == 0;
}

/* Decoded content of a leaf, whatever it is; what it really is. */
static const char *read_content(Walk *walk, GMimeObject *object, const char *path, const char *type,
	const char *where, const guint8 *data, gsize len)
{
	/* A message under base64 is no leaf to a mail client. */
	if (strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0) {
		g_autofree char *below = g_strdup_printf("%s%s1", path, *path != '\0' ? "." : "");
		walk_bytes(walk, data, len, below, false);
		return "message/rfc822";
	}
	MsDocument document = {
		.where = where,
		.type = type,
		.charset = g_mime_object_get_content_type_parameter(object, "charset"),
		.flowed = strcmp(type, "text/plain") == 0 && is_parameter(object, "format", "flowed"),
		.delsp = is_parameter(object, "delsp", "yes"),
		.data = data,
		.len = len,
	};
	return ms_extract(&walk->to, &document);
}

#define WORTH_ASKING 4096 /* bytes: below, reading costs less than asking */

/* One attachment, as it is named to who may know it already. */
typedef struct {
	const char *path, *name, *where, *encoding, *type, *charset;
	const guint8 *data; /* in the message, still encoded */
	gsize len;
} Leaf;

static bool may_ask(const Walk *walk, const Leaf *leaf)
{
	const MsHelp *help = walk->to.help;
	return help != NULL && help->known != NULL && walk->message != NULL
		&& leaf->data >= walk->message && leaf->data + leaf->len <= walk->message + walk->len
		&& !g_str_has_prefix(leaf->type, "message/") && !g_str_has_prefix(leaf->type, "text/")
		&& (leaf->charset == NULL || strlen(leaf->charset) <= 40);
}

/* `more`: what is added to how it is to be taken. */
static MsReading *ask(const Walk *walk, const Leaf *leaf, const char *more)
{
	g_autofree char *as = g_strdup_printf("%s\n%s\n%s%s", leaf->encoding, leaf->type,
		leaf->charset != NULL ? leaf->charset : "", more);
	gsize start = (gsize)(leaf->data - walk->message);
	return walk->to.help->known(walk->to.help->user, start, start + leaf->len, as);
}

static void merge(Walk *walk, const Leaf *leaf, const MsReading *known, guint face)
{
	if (!ms_budget_charge(walk->budget, MS_COST_FINDING, known->findings->len)
		|| !ms_reading_merge(walk->reading, known, leaf->where, face))
		ms_reading_unread(walk->reading, leaf->where, MS_UNREAD_LIMIT,
			"more identifiers than max-findings allows");
}

/* The terms and conditions ride on every mail of a run: read once, they are known. */
static bool read_known(Walk *walk, const Leaf *leaf)
{
	g_autoptr(MsReading) known =
		leaf->len >= WORTH_ASKING && may_ask(walk, leaf) ? ask(walk, leaf, "") : NULL;
	if (known == NULL)
		return false;
	const MsPart *part = known->parts->len > 0 ? known->parts->pdata[0] : NULL;
	MsPart *noted = note_part(walk, leaf->path, leaf->type, leaf->name,
		part != NULL ? part->size : 0, true);
	if (noted != NULL && part != NULL) {
		g_free(noted->actual);
		noted->actual = g_strdup(part->actual);
	}
	merge(walk, leaf, known, ms_reading_face(walk->reading, leaf->where));
	return true;
}

static bool is_locked(const MsReading *reading, const char *where, guint *index)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		if (u->reason == MS_UNREAD_PASSWORD && strcmp(u->where, where) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* A document that asks for a password, tried with each that is listed. */
static void unlock(Walk *walk, const Leaf *leaf, guint face)
{
	guint noted, ignored;
	if (walk->passwords == NULL || !is_locked(walk->reading, leaf->where, &noted)
		|| !may_ask(walk, leaf))
		return;
	for (guint i = 0; walk->passwords[i] != NULL; i++) {
		g_autofree char *more = g_strdup_printf("\n%u", i);
		g_autoptr(MsReading) known = ask(walk, leaf, more);
		if (known == NULL || is_locked(known, MS_PLACE_HERE, &ignored))
			continue;
		g_ptr_array_remove_index(walk->reading->unread, noted);
		merge(walk, leaf, known, face);
		return;
	}
}

static void walk_leaf(Walk *walk, GMimePart *part, const char *path)
{
	GMimeObject *object = GMIME_OBJECT(part);
	g_autofree char *type = part_type(object);
	g_autofree char *name = part_names(object);
	g_autofree char *where = place_name(path, name, type);
	g_autofree char *encoding = transfer_encoding(walk, object, where);
	read_names(walk, path, name);
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
	bool attached = *name != '\0'
		|| (disposition != NULL && g_mime_content_disposition_is_attachment(disposition));
	g_autoptr(GByteArray) copy = g_byte_array_new();
	const guint8 *data;
	gsize len;
	raw_content(part, copy, &data, &len);
	const char *charset = g_mime_object_get_content_type_parameter(object, "charset");
	const Leaf leaf = {path, name, where, encoding, type, charset, data, len};
	if (attached && read_known(walk, &leaf))
		return;
	if (!ms_budget_charge(walk->budget, MS_COST_DECODED, len)) {
		ms_reading_unread(walk->reading, where, MS_UNREAD_LIMIT, "larger than %s allows",
			ms_cost_name(MS_COST_DECODED));
		return;
	}
	g_autoptr(GByteArray) decoded = undo_encoding(walk, encoding, data, len, where);
	if (decoded != NULL) {
		data = decoded->data != NULL ? decoded->data : (const guint8 *)"";
		len = decoded->len;
	}
	if (walk->sink->wanted != NULL && strcmp(walk->sink->wanted, path) == 0)
		walk->sink->part(data, len, walk->sink->user);
	MsPart *noted = note_part(walk, path, type, name, len, attached);
	guint face = walk->to.face;
	if (attached)
		walk->to.face = ms_reading_face(walk->reading, where);
	const char *actual = read_content(walk, object, path, type, where, data, len);
	unlock(walk, &leaf, walk->to.face);
	walk->to.face = face;
	if (noted != NULL) {
		g_free(noted->actual);
		noted->actual = g_strdup(actual);
	}
}

/* ---- structure ------------------------------------------------------------------------ */

/* Text outside of all parts: clients that do not know MIME show it. */
static void read_outside(Walk *walk, const char *text, const char *path, const char *what)
{
	if (text == NULL || *text == '\0')
		return;
	g_autofree char *where = g_strdup_printf("part %s %s", *path != '\0' ? path : "1", what);
	ms_extract_span(&walk->to, where, text, strlen(text));
}

/* A multipart with a transfer encoding of its own: RFC 2045 6.4 forbids it, some clients
 * undo it.  What they would see is read by parsing the decoded bytes once more. */
static bool walk_encoded(Walk *walk, GMimeMultipart *multipart, const char *path)
{
	const char *text = g_mime_multipart_get_prologue(multipart);
	g_autofree char *where = place_name(path, "", "multipart");
	g_autofree char *encoding = transfer_encoding(walk, GMIME_OBJECT(multipart), where);
	bool encoded = strcmp(encoding, "base64") == 0 || strcmp(encoding, "quoted-printable") == 0;
	if (!encoded || text == NULL || g_mime_multipart_get_count(multipart) > 0)
		return false;
	g_autoptr(GByteArray) decoded =
		undo_encoding(walk, encoding, (const guint8 *)text, strlen(text), where);
	GMimeHeader *type = g_mime_header_list_get_header(
		g_mime_object_get_header_list(GMIME_OBJECT(multipart)), "Content-Type");
	const char *value = type != NULL ? g_mime_header_get_raw_value(type) : " text/plain\n";
	g_autofree char *head = g_strdup_printf("Content-Type:%s\n", value);
	g_byte_array_prepend(decoded, (const guint8 *)head, (guint)strlen(head));
	walk_bytes(walk, decoded->data, decoded->len, path, false);
	return true;
}

static void walk_multipart(Walk *walk, GMimeMultipart *multipart, const char *path)
{
	int n = g_mime_multipart_get_count(multipart);
	bool empty = n == 0;
	g_autofree char *own = place_name(path, "", "multipart");
	check_boundaries(walk, GMIME_OBJECT(multipart), own);
	if (empty && walk_encoded(walk, multipart, path))
		return;
	if (empty) {
		ms_reading_unread(walk->reading, own, MS_UNREAD_DAMAGED,
			"a multipart without any part");
	}
	read_outside(walk, g_mime_multipart_get_prologue(multipart), path, "before the first part");
	for (int i = 0; i < n; i++) {
		g_autofree char *below =
			g_strdup_printf("%s%s%d", path, *path != '\0' ? "." : "", i + 1);
		walk_object(walk, g_mime_multipart_get_part(multipart, i), below, false);
	}
	read_outside(walk, g_mime_multipart_get_epilogue(multipart), path, "after the last part");
}

static void walk_nested(Walk *walk, GMimeMessagePart *part, const char *path)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	g_autofree char *where = place_name(path, "", "message/rfc822");
	note_part(walk, path, "message/rfc822", "", 0, true);
	if (message == NULL) {
		ms_reading_unread(walk->reading, where, MS_UNREAD_DAMAGED, "no message in it");
		return;
	}
	guint face = walk->to.face;
	walk->to.face = ms_reading_face(walk->reading, where);
	read_headers(walk, GMIME_OBJECT(message), path, false);
	GMimeObject *inner = g_mime_message_get_mime_part(message);
	g_autofree char *below = g_strdup_printf("%s%s1", path, *path != '\0' ? "." : "");
	if (inner != NULL)
		walk_object(walk, inner, below, false);
	walk->to.face = face;
}

static void walk_object(Walk *walk, GMimeObject *object, const char *path, bool outermost)
{
	g_autofree char *where = place_name(path, "", "part");
	if (!ms_budget_time(walk->budget)) {
		ms_reading_unread(walk->reading, where, MS_UNREAD_TIME, "the time for reading is over");
		return;
	}
	if (walk->budget->depth_left == 0 || !ms_budget_charge(walk->budget, MS_COST_PART, 1)) {
		ms_reading_unread(walk->reading, where, MS_UNREAD_LIMIT, "more parts or deeper than %s",
			walk->budget->depth_left == 0 ? "max-depth" : "max-parts");
		return;
	}
	walk->budget->depth_left--;
	g_free(only_value(walk, object, "Content-Type", where));
	/* Fields of a part such as Content-Description are shown by some clients. */
	read_headers(walk, object, path, outermost);
	if (GMIME_IS_MULTIPART(object))
		walk_multipart(walk, GMIME_MULTIPART(object), path);
	else if (GMIME_IS_MESSAGE_PART(object))
		walk_nested(walk, GMIME_MESSAGE_PART(object), path);
	else if (GMIME_IS_PART(object))
		walk_leaf(walk, GMIME_PART(object), path);
	else
		ms_reading_unread(walk->reading, where, MS_UNREAD_DAMAGED, "a part of no known form");
	walk->budget->depth_left++;
}

/* ---- the parser ----------------------------------------------------------------------- */

static void on_warning(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer user)
{
	(void)item;
	Walk *walk = user;
	MsUnreadReason reason = MS_UNREAD_AMBIGUOUS;
	const char *what;
	switch ((int)code) {
	case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY: what = "a multipart without boundary"; break;
	case GMIME_CRIT_NESTING_OVERFLOW: what = "nested too deep"; break;
	case GMIME_WARN_MALFORMED_MULTIPART:
		what = "a multipart without parts";
		reason = MS_UNREAD_DAMAGED;
		break;
	default: return;
	}
	g_autofree char *where = g_strdup_printf("message at byte %" G_GINT64_FORMAT, offset);
	ms_reading_unread(walk->reading, where, reason, "%s", what);
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

static void read_raw(Walk *walk, const guint8 *data, gsize len, const char *path, const char *why)
{
	g_autofree char *where = place_name(path, "", "unparsed");
	ms_reading_unread(walk->reading, where, MS_UNREAD_DAMAGED, "%s", why);
	ms_extract_span(&walk->to, where, (const char *)data, len);
}

static void walk_bytes(Walk *walk, const guint8 *data, gsize len, const char *path, bool outermost)
{
	/* GMime takes memory and time for headers before anybody could count them. */
	if (header_block(data, len) > walk->budget->left[MS_COST_HEADER_BYTES]) {
		g_autofree char *where = place_name(path, "", "headers");
		ms_reading_unread(walk->reading, where, MS_UNREAD_LIMIT, "longer than %s allows",
			ms_cost_name(MS_COST_HEADER_BYTES));
		return;
	}
	/* The array only points at the bytes: it must not free them. */
	GByteArray window = {(guint8 *)data, (guint)len};
	GMimeStream *stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), &window);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	GMimeParserOptions *options = g_mime_parser_options_new();
#ifdef MS_GMIME_WARNING_NOTIFY
	g_mime_parser_options_set_warning_callback(options, on_warning, walk, NULL);
#else
	g_mime_parser_options_set_warning_callback(options, on_warning, walk);
#endif
	GMimeObject *object = g_mime_parser_construct_part(parser, options);
	if (object != NULL) {
		walk_object(walk, object, path, outermost);
		g_object_unref(object);
	} else {
		read_raw(walk, data, len, path, "no header and no body could be made out");
	}
	g_mime_parser_options_free(options);
	g_object_unref(parser);
	g_object_unref(stream);
}

/* A mail that a document has in it: the signed content of S/MIME, an .eml in an archive. */
static void read_within(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	Walk *walk = to->walk;
	Walk inner = {*to, walk->budget, walk->reading, NULL, 0, NULL, walk->sink};
	inner.to.walk = &inner;
	const char *number = g_str_has_prefix(where, "part ") ? where + 5 : "";
	g_autofree char *path = g_strndup(number, strspn(number, "0123456789."));
	g_autofree char *below = g_strdup_printf("%s%s1", path, *path != '\0' ? "." : "");
	walk_bytes(&inner, data, len, below, false);
}

static MsExtraction extraction(const MsMessageSink *sink)
{
	return (MsExtraction){.budget = sink->budget, .reading = sink->reading, .span = sink->span,
		.user = sink->user, .message = read_within, .help = sink->help,
		.ocr_dpi = sink->ocr_dpi};
}

void ms_message_read(const guint8 *data, gsize len, const MsMessageSink *sink)
{
	Walk walk = {extraction(sink), sink->budget, sink->reading, data, len, sink->passwords, sink};
	walk.to.walk = &walk;
	walk.to.face = ms_reading_face(sink->reading, "message");
	walk_bytes(&walk, data, len, "", true);
}

/* ---- one attachment by itself --------------------------------------------------------- */

void ms_message_read_document(const guint8 *data, gsize len, const char *as,
	const MsMessageSink *sink)
{
	Walk walk = {extraction(sink), sink->budget, sink->reading, NULL, 0, NULL, sink};
	walk.to.walk = &walk;
	g_auto(GStrv) words = g_strsplit(as, "\n", 4);
	walk.to.face = ms_reading_face(sink->reading, MS_PLACE_HERE);
	guint n = g_strv_length(words);
	gsize password = n == 4 ? (gsize)g_ascii_strtoull(words[3], NULL, 10) : 0;
	for (gsize i = 0; n == 4 && sink->passwords != NULL && sink->passwords[i] != NULL; i++)
		if (i == password)
			walk.to.password = sink->passwords[i];
	if (n < 3 || !ms_budget_charge(walk.budget, MS_COST_DECODED, len)) {
		ms_reading_unread(walk.reading, MS_PLACE_HERE, MS_UNREAD_LIMIT, "larger than %s allows",
			ms_cost_name(MS_COST_DECODED));
		return;
	}
	g_autoptr(GByteArray) decoded = undo_encoding(&walk, words[0], data, len, MS_PLACE_HERE);
	if (decoded != NULL) {
		data = decoded->data != NULL ? decoded->data : (const guint8 *)"";
		len = decoded->len;
	}
	MsDocument document = {.where = MS_PLACE_HERE, .type = words[1],
		.charset = *words[2] != '\0' ? words[2] : NULL, .data = data, .len = len};
	MsPart *part = note_part(&walk, "", words[1], "", len, true);
	g_free(part->actual);
	part->actual = g_strdup(ms_extract(&walk.to, &document));
}
