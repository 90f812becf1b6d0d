/*
 * A reading becomes bytes in the worker, and bytes a reading in the daemon.
 *
 * Numbers are eight bytes of this machine's; a text is its length, its bytes and a NUL; a list is
 * its length and its items.  All stand one behind the other, in the order of MsReading, with
 * nothing between or after them: each reading has one form.  (A GVariant, as it was before, cost
 * ten times as much for the same.)
 *
 * Whoever decodes trusts nothing: a length is compared with what is left before it is used, a
 * list with its bound before an item is made, a text must be UTF-8 without a NUL.  One that is
 * broken is refused as a whole; from the first fault on nothing more is taken from it.  No state:
 * the worker's one thread encodes, any thread decodes.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/reading.h"
#include "missent/scan.h"

#include "reading_private.h"

#define FORMAT G_GUINT64_CONSTANT(0x334452534d) /* "MSRD3" */

/* ---- to bytes ------------------------------------------------------------------------- */

static void put(GByteArray *out, guint64 number)
{
	g_byte_array_append(out, (const guint8 *)&number, sizeof number);
}

static void put_text(GByteArray *out, const char *text)
{
	gsize len = strlen(text);
	put(out, len);
	g_byte_array_append(out, (const guint8 *)text, (guint)len + 1);
}

static void put_finding(GByteArray *out, gconstpointer item)
{
	const MsFinding *f = item;
	put_text(out, f->kind);
	put_text(out, f->value);
	put(out, f->either != NULL ? f->either->len : 0);
	for (guint i = 0; f->either != NULL && i < f->either->len; i++) {
		const MsIdentifier *other = f->either->pdata[i];
		put_text(out, other->kind);
		put_text(out, other->value);
	}
	put(out, f->belief);
	put(out, f->count);
	put(out, f->faces);
	put(out, f->texts);
	put(out, f->places->len);
	for (guint i = 0; i < f->places->len; i++) {
		const MsPlace *p = f->places->pdata[i];
		put_text(out, p->where);
		put_text(out, p->text);
		put_text(out, p->before);
		put_text(out, p->after);
	}
}

static void put_unread(GByteArray *out, gconstpointer item)
{
	const MsUnread *u = item;
	put_text(out, u->where);
	put(out, u->reason);
	put_text(out, u->detail);
}

static void put_header(GByteArray *out, gconstpointer item)
{
	const MsHeader *h = item;
	put_text(out, h->name);
	put_text(out, h->value);
}

static void put_part(GByteArray *out, gconstpointer item)
{
	const MsPart *p = item;
	put_text(out, p->path);
	put_text(out, p->claimed);
	put_text(out, p->actual);
	put_text(out, p->name);
	put(out, p->size);
	put(out, p->attached);
}

static void put_string(GByteArray *out, gconstpointer item)
{
	put_text(out, item);
}

static void put_contradiction(GByteArray *out, gconstpointer item)
{
	const MsContradiction *c = item;
	put_text(out, c->where);
	put_text(out, c->other);
	put_text(out, c->kind);
	put_text(out, c->detail);
}

static void put_shown(GByteArray *out, gconstpointer item)
{
	const MsShown *s = item;
	put_text(out, s->where);
	put_text(out, s->text);
}

static void put_texts(GByteArray *out, const MsReading *reading)
{
	put(out, reading->texts->len);
	for (guint i = 0; i < reading->texts->len; i++) {
		guint8 digest[MS_TEXT_DIGEST] = {0};
		bool any = ms_reading_text(reading, i, digest);
		put(out, any ? g_array_index(reading->texts, MsText, i).letters : 0);
		g_byte_array_append(out, digest, sizeof digest);
	}
}

static void put_list(
	GByteArray *out, const GPtrArray *list, void (*item)(GByteArray *, gconstpointer))
{
	put(out, list->len);
	for (guint i = 0; i < list->len; i++)
		item(out, list->pdata[i]);
}

GBytes *ms_reading_encode(const MsReading *reading)
{
	GByteArray *out = g_byte_array_sized_new(8192);
	put(out, FORMAT);
	put_list(out, reading->findings, put_finding);
	put_list(out, reading->unread, put_unread);
	put_list(out, reading->headers, put_header);
	put_list(out, reading->parts, put_part);
	put_list(out, reading->visible, put_string);
	put_list(out, reading->faces, put_string);
	put_texts(out, reading);
	put_list(out, reading->greeted, put_string);
	put_list(out, reading->contradictions, put_contradiction);
	put_list(out, reading->shown, put_shown);
	put(out, reading->visible_total);
	put(out, reading->text_bytes);
	put(out, (guint64)reading->microseconds);
	gsize len = 0;
	const guint8 *bytes = reading->bytes != NULL ? g_bytes_get_data(reading->bytes, &len)
						     : NULL;
	put(out, len);
	if (len > 0)
		g_byte_array_append(out, bytes, (guint)len);
	return g_byte_array_free_to_bytes(out);
}

/* ---- from bytes ----------------------------------------------------------------------- */

typedef struct {
	const guint8 *at, *end;
	const char *fault; /* the first one; then all that is taken is 0 and "" */
} In;

static void refuse(In *in, const char *why)
{
	if (in->fault == NULL)
		in->fault = why;
	in->at = in->end;
}

static guint64 take(In *in)
{
	guint64 number = 0;
	if ((gsize)(in->end - in->at) < sizeof number) {
		refuse(in, "it ends too early");
		return 0;
	}
	memcpy(&number, in->at, sizeof number);
	in->at += sizeof number;
	return number;
}

/* ... of at most `max`. */
static guint64 take_up_to(In *in, guint64 max, const char *why)
{
	guint64 number = take(in);
	if (number <= max)
		return number;
	refuse(in, why);
	return 0;
}

/* What is longer than `max` is cut. */
static char *take_text(In *in, gsize max)
{
	guint64 len = take(in);
	if (in->fault == NULL && len >= (guint64)(in->end - in->at))
		refuse(in, "a text goes beyond its end");
	if (in->fault == NULL &&
		(in->at[len] != '\0' || !ms_scan_utf8((const char *)in->at, (gsize)len)))
		refuse(in, "a text is not UTF-8");
	if (in->fault != NULL)
		return g_strdup("");
	const guint8 *text = in->at;
	in->at += len + 1;
	if (len > max)
		return reading_cut((const char *)text, (gsize)len, max);
	return g_memdup2(text, (gsize)len + 1);
}

static char *take_whole(In *in)
{
	return take_text(in, G_MAXSIZE);
}

static void check_identifier(In *in, const char *kind, const char *value)
{
	if (*kind == '\0' || strlen(kind) > 64 || *value == '\0' ||
		strlen(value) > MS_IDENTIFIER_MAX)
		refuse(in, "a finding is over its bounds");
}

static GPtrArray *take_either(In *in)
{
	guint n = (guint)take_up_to(in, MS_MAX_EITHER, "a place may mean too much");
	GPtrArray *either = n > 0 ? ms_identifiers_new() : NULL;
	for (guint i = 0; i < n && in->fault == NULL; i++) {
		g_autofree char *kind = take_whole(in), *value = take_whole(in);
		check_identifier(in, kind, value);
		g_ptr_array_add(either, ms_identifier_new(kind, value));
	}
	return either;
}

static gpointer take_finding(In *in)
{
	MsFinding *f = g_new0(MsFinding, 1);
	f->kind = take_whole(in);
	f->value = take_whole(in);
	check_identifier(in, f->kind, f->value);
	f->either = take_either(in);
	f->belief = (guint)take_up_to(in, G_MAXUINT32, "a finding is over its bounds");
	f->count = (guint)take_up_to(in, G_MAXUINT32, "a finding is over its bounds");
	f->faces = take(in);
	f->texts = take(in);
	guint n = (guint)take_up_to(in, MS_MAX_PLACES, "a finding is over its bounds");
	f->places = reading_places(n);
	for (guint i = 0; i < n && in->fault == NULL; i++) {
		MsPlace *p = g_new0(MsPlace, 1);
		p->where = take_text(in, MAX_TEXT);
		p->text = take_text(in, MAX_TEXT);
		p->before = take_text(in, MAX_CONTEXT);
		p->after = take_text(in, MAX_CONTEXT);
		g_ptr_array_add(f->places, p);
	}
	if (((f->belief & MS_BELIEF_EITHER) != 0) != (f->either != NULL))
		refuse(in, "a place means one thing, or several");
	return f;
}

static gpointer take_unread(In *in)
{
	MsUnread *u = g_new0(MsUnread, 1);
	u->where = take_text(in, MAX_TEXT);
	u->reason = (MsUnreadReason)take_up_to(
		in, MS_N_UNREAD - 1, "an unread item has no known reason");
	u->detail = take_text(in, MAX_TEXT);
	return u;
}

static gpointer take_header(In *in)
{
	MsHeader *h = g_new0(MsHeader, 1);
	h->name = take_whole(in);
	h->value = take_whole(in);
	return h;
}

static gpointer take_part(In *in)
{
	MsPart *p = g_new0(MsPart, 1);
	p->path = take_whole(in);
	p->claimed = take_whole(in);
	p->actual = take_whole(in);
	p->name = take_whole(in);
	p->size = take(in);
	p->attached = take_up_to(in, 1, "a part is attached or not") != 0;
	return p;
}

static gpointer take_address(In *in)
{
	return take_whole(in);
}

static gpointer take_face(In *in)
{
	return take_text(in, MAX_TEXT);
}

static gpointer take_contradiction(In *in)
{
	MsContradiction *c = g_new0(MsContradiction, 1);
	c->where = take_text(in, MAX_TEXT);
	c->other = take_text(in, MAX_TEXT);
	c->kind = take_text(in, MAX_TEXT);
	c->detail = take_text(in, MAX_TEXT);
	return c;
}

static gpointer take_shown(In *in)
{
	MsShown *s = g_new0(MsShown, 1);
	s->where = take_text(in, MAX_TEXT);
	s->text = take_whole(in);
	return s;
}

static void take_list(In *in, GPtrArray *list, guint64 max, const char *why, gpointer (*item)(In *))
{
	for (guint64 n = take_up_to(in, max, why); n > 0 && in->fault == NULL; n--)
		g_ptr_array_add(list, item(in));
}

/* A name as greeting.h writes it down. */
static gpointer take_greeted(In *in)
{
	char *name = take_whole(in);
	if (*name == '\0' || strlen(name) > MAX_GREETED)
		refuse(in, "a name that is greeted is over its bounds");
	return name;
}

static void take_texts(In *in, GArray *texts)
{
	static const guint8 none[MS_TEXT_DIGEST];
	for (guint64 n = take_up_to(in, MS_READING_MAX_FACES, "too many texts");
		n > 0 && in->fault == NULL; n--) {
		MsText text = {.letters = take(in)};
		if ((gsize)(in->end - in->at) < sizeof text.digest) {
			refuse(in, "it ends too early");
			return;
		}
		memcpy(text.digest, in->at, sizeof text.digest);
		in->at += sizeof text.digest;
		if (text.letters == 0 && memcmp(text.digest, none, sizeof none) != 0)
			refuse(in, "a text has no letters");
		g_array_append_val(texts, text);
	}
}

static void take_bytes(In *in, MsReading *reading)
{
	guint64 len = take(in);
	if (in->fault == NULL && len != (guint64)(in->end - in->at))
		refuse(in, len > (guint64)(in->end - in->at) ? "its bytes go beyond its end"
							      : "something follows its end");
	if (in->fault == NULL && len > 0)
		reading->bytes = g_bytes_new(in->at, (gsize)len);
}

MsReading *ms_reading_decode(GBytes *bytes, GError **error)
{
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	if (data == NULL) /* of no bytes */
		data = (const guint8 *)"";
	In in = {data, data + len, NULL};
	g_autoptr(MsReading) reading = ms_reading_new();
	if (len > MS_READING_MAX_BYTES)
		refuse(&in, "it is too large");
	if (take(&in) != FORMAT)
		refuse(&in, "it has another form");
	take_list(
		&in, reading->findings, MS_READING_MAX_FINDINGS, "too many findings", take_finding);
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		reading->others += f->either != NULL ? f->either->len : 0;
	}
	if (reading->findings->len + reading->others > MS_READING_MAX_FINDINGS)
		refuse(&in, "too many findings");
	take_list(
		&in, reading->unread, MS_READING_MAX_UNREAD, "too many unread items", take_unread);
	take_list(&in, reading->headers, MS_READING_MAX_HEADERS, "too many headers", take_header);
	take_list(&in, reading->parts, MS_READING_MAX_PARTS, "too many parts", take_part);
	take_list(
		&in, reading->visible, MS_READING_MAX_VISIBLE, "too many addresses", take_address);
	take_list(&in, reading->faces, MS_READING_MAX_FACES, "too many faces", take_face);
	take_texts(&in, reading->texts);
	take_list(&in, reading->greeted, MS_READING_MAX_GREETED, "too many names", take_greeted);
	take_list(&in, reading->contradictions, MS_READING_MAX_CONTRADICTIONS,
		"too many contradictions", take_contradiction);
	take_list(&in, reading->shown, MS_READING_MAX_PARTS, "too many texts", take_shown);
	gsize shown = 0;
	for (guint i = 0; i < reading->shown->len; i++)
		shown += strlen(((MsShown *)reading->shown->pdata[i])->text);
	if (shown > MS_READING_MAX_SHOWN)
		refuse(&in, "too much text");
	reading->visible_total = (guint)take_up_to(&in, G_MAXUINT32, "too many addresses");
	reading->text_bytes = take(&in);
	reading->microseconds = (gint64)take(&in);
	take_bytes(&in, reading);
	if (in.fault == NULL)
		return g_steal_pointer(&reading);
	g_set_error(
		error, MS_ERROR, MS_ERROR_INPUT, "the worker's reading was refused: %s", in.fault);
	return NULL;
}
