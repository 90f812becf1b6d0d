#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/reading.h"

/* The wire format.  A GVariant in normal form is unambiguous, its strings are valid UTF-8,
 * and its decoder is GLib's own, which is fuzzed by others as well. */
#define PLACE "(ssss)"
#define FINDING "(ssuuta" PLACE ")"
#define FORMAT "(a" FINDING "a(sus)a(ss)a(sssstb)asasa(sss)utxa(ss)ay)"

#define MAX_TEXT 200
#define MAX_CONTEXT 60

const char *const ms_unread_names[MS_N_UNREAD + 1] = {
	"no-reader", "image", "image-only", "signature", "encrypted", "password", "damaged", "ambiguous", "charset",
	"encoding", "partial", "limit", "time", "pattern", "worker", NULL,
};

const char *ms_unread_name(MsUnreadReason reason)
{
	g_assert(reason < MS_N_UNREAD);
	return ms_unread_names[reason];
}

/* ---- making and freeing --------------------------------------------------------------- */

static void place_free(gpointer data)
{
	MsPlace *place = data;
	g_free(place->where);
	g_free(place->text);
	g_free(place->before);
	g_free(place->after);
	g_free(place);
}

static void finding_free(gpointer data)
{
	MsFinding *finding = data;
	g_free(finding->kind);
	g_free(finding->value);
	g_ptr_array_unref(finding->places);
	g_free(finding);
}

static void unread_free(gpointer data)
{
	MsUnread *unread = data;
	g_free(unread->where);
	g_free(unread->detail);
	g_free(unread);
}

static void header_free(gpointer data)
{
	MsHeader *header = data;
	g_free(header->name);
	g_free(header->value);
	g_free(header);
}

static void shown_free(gpointer data)
{
	MsShown *shown = data;
	g_free(shown->where);
	g_free(shown->text);
	g_free(shown);
}

static void part_free(gpointer data)
{
	MsPart *part = data;
	g_free(part->path);
	g_free(part->claimed);
	g_free(part->actual);
	g_free(part->name);
	g_free(part);
}

static void contradiction_free(gpointer data)
{
	MsContradiction *contradiction = data;
	g_free(contradiction->where);
	g_free(contradiction->other);
	g_free(contradiction->detail);
	g_free(contradiction);
}

MsReading *ms_reading_new(void)
{
	MsReading *reading = g_new0(MsReading, 1);
	reading->findings = g_ptr_array_new_with_free_func(finding_free);
	reading->unread = g_ptr_array_new_with_free_func(unread_free);
	reading->headers = g_ptr_array_new_with_free_func(header_free);
	reading->parts = g_ptr_array_new_with_free_func(part_free);
	reading->visible = g_ptr_array_new_with_free_func(g_free);
	reading->faces = g_ptr_array_new_with_free_func(g_free);
	reading->contradictions = g_ptr_array_new_with_free_func(contradiction_free);
	reading->shown = g_ptr_array_new_with_free_func(shown_free);
	return reading;
}

void ms_reading_free(MsReading *reading)
{
	if (reading == NULL)
		return;
	g_ptr_array_unref(reading->findings);
	g_ptr_array_unref(reading->unread);
	g_ptr_array_unref(reading->headers);
	g_ptr_array_unref(reading->parts);
	g_ptr_array_unref(reading->visible);
	g_ptr_array_unref(reading->faces);
	g_ptr_array_unref(reading->shown);
	g_clear_pointer(&reading->bytes, g_bytes_unref);
	g_ptr_array_unref(reading->contradictions);
	g_free(reading);
}

/* ---- filling -------------------------------------------------------------------------- */

void ms_reading_unread(MsReading *reading, const char *where, MsUnreadReason reason,
	const char *format, ...)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *old = g_ptr_array_index(reading->unread, i);
		if (old->reason == reason && strcmp(old->where, where) == 0)
			return;
	}
	/* One more than this many says nothing that these do not: the message is unreadable. */
	if (reading->unread->len >= MS_READING_MAX_UNREAD)
		return;
	MsUnread *unread = g_new0(MsUnread, 1);
	unread->where = g_strdup(where);
	unread->reason = reason;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	unread->detail = g_utf8_make_valid(text, (gssize)MIN(strlen(text), MAX_TEXT));
	g_ptr_array_add(reading->unread, unread);
}

guint ms_reading_face(MsReading *reading, const char *where)
{
	if (reading->faces->len < MS_READING_MAX_FACES)
		g_ptr_array_add(reading->faces, g_strdup(where));
	return reading->faces->len - 1;
}

void ms_reading_contradict(MsReading *reading, const char *where, const char *other,
	const char *format, ...)
{
	if (reading->contradictions->len >= MS_READING_MAX_CONTRADICTIONS)
		return;
	MsContradiction *c = g_new0(MsContradiction, 1);
	c->where = g_strdup(where);
	c->other = g_strdup(other);
	va_list args;
	va_start(args, format);
	c->detail = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(reading->contradictions, c);
}

/* Up to `max` bytes of valid UTF-8 from `text`, not cutting a character. */
static char *cut(const char *text, gsize len, gsize max)
{
	if (len > max) {
		len = max;
		while (len > 0 && ((guchar)text[len] & 0xc0) == 0x80)
			len--;
	}
	char *copy = g_strndup(text, len);
	for (gsize i = 0; i < len; i++)
		if (copy[i] == '\0')
			copy[i] = ' ';
	return copy;
}

MsPlace *ms_place_new(const char *where, const char *text, gsize start, gsize end, gsize len)
{
	gsize from = start > MAX_CONTEXT ? start - MAX_CONTEXT : 0;
	while (from < start && ((guchar)text[from] & 0xc0) == 0x80)
		from++;
	MsPlace *place = g_new0(MsPlace, 1);
	place->where = g_strdup(where);
	place->text = cut(text + start, end - start, MAX_TEXT);
	place->before = cut(text + from, start - from, MAX_CONTEXT);
	place->after = cut(text + end, len - end, MAX_CONTEXT);
	return place;
}

/* A few thousand at most (max-findings), each compared by pointer-sized prefix first. */
static MsFinding *lookup(MsReading *reading, const char *kind, const char *value)
{
	for (guint i = 0; i < reading->findings->len; i++) {
		MsFinding *finding = g_ptr_array_index(reading->findings, i);
		if (strcmp(finding->value, value) == 0 && strcmp(finding->kind, kind) == 0)
			return finding;
	}
	return NULL;
}

MsFinding *ms_reading_find(MsReading *reading, const char *kind, const char *value, guint belief,
	guint face, MsPlace *place)
{
	MsFinding *finding = lookup(reading, kind, value);
	if (finding == NULL) {
		finding = g_new0(MsFinding, 1);
		finding->kind = g_strdup(kind);
		finding->value = g_strdup(value);
		finding->belief = belief;
		finding->places = g_ptr_array_new_with_free_func(place_free);
		g_ptr_array_add(reading->findings, finding);
	}
	/* Believed firmly in one place, believed. */
	const guint weakening =
		MS_BELIEF_TENTATIVE | MS_BELIEF_SELLER | MS_BELIEF_SCHEME | MS_BELIEF_ADDRESSED;
	guint weak = finding->belief & belief & weakening;
	finding->belief = ((finding->belief | belief) & ~weakening) | weak;
	finding->faces |= 1ULL << MIN(face, MS_READING_MAX_FACES - 1);
	finding->count++;
	if (finding->places->len < MS_MAX_PLACES)
		g_ptr_array_add(finding->places, place);
	else
		place_free(place);
	return finding;
}

/* ---- why it is believed --------------------------------------------------------------- */

const char *const ms_level_names[MS_N_LEVELS + 1] = {"exact", "checked", "labelled", "shape", NULL};

guint ms_belief_levels(guint belief)
{
	return (belief & MS_BELIEF_EXACT ? MS_LEVEL_EXACT : 0) | (belief & MS_BELIEF_CHECKED ? MS_LEVEL_CHECKED : 0)
		| (belief & (MS_BELIEF_LABELLED | MS_BELIEF_FIELD) ? MS_LEVEL_LABELLED : 0)
		| (belief & MS_BELIEF_SHAPE ? MS_LEVEL_SHAPE : 0);
}

char *ms_belief_words(guint belief)
{
	guint levels = ms_belief_levels(belief);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < MS_N_LEVELS; i++)
		if (levels >> i & 1)
			g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", ms_level_names[i]);
	return g_string_free(out, FALSE);
}

/* ---- merging -------------------------------------------------------------------------- */

static char *placed(const char *relative, const char *where)
{
	return g_str_has_prefix(relative, MS_PLACE_HERE) ? g_strconcat(where, relative + 1, NULL)
							  : g_strdup(relative);
}

static bool merge_finding(MsReading *reading, const MsFinding *from, const char *where,
	const guint *faces, guint n)
{
	if (reading->findings->len >= MS_READING_MAX_FINDINGS)
		return false;
	MsFinding *to = NULL;
	for (guint i = 0; i < from->places->len; i++) {
		const MsPlace *p = from->places->pdata[i];
		MsPlace *copy = g_new0(MsPlace, 1);
		*copy = (MsPlace){placed(p->where, where), g_strdup(p->text), g_strdup(p->before),
			g_strdup(p->after)};
		to = ms_reading_find(reading, from->kind, from->value, from->belief, faces[0], copy);
	}
	if (to == NULL)
		return true;
	to->count += from->count - MIN(from->count, from->places->len);
	if ((from->faces & 1) == 0)
		to->faces &= ~(1ULL << MIN(faces[0], MS_READING_MAX_FACES - 1));
	for (guint i = 0; i < n; i++)
		if ((from->faces >> i & 1) != 0)
			to->faces |= 1ULL << MIN(faces[i], MS_READING_MAX_FACES - 1);
	return true;
}

bool ms_reading_merge(MsReading *reading, const MsReading *document, const char *where, guint face)
{
	bool fits = true;
	guint faces[MS_READING_MAX_FACES] = {face};
	guint n = MIN(document->faces->len, MS_READING_MAX_FACES);
	for (guint i = 1; i < n; i++) {
		g_autofree char *place = placed(document->faces->pdata[i], where);
		faces[i] = ms_reading_face(reading, place);
	}
	for (guint i = 0; i < document->findings->len; i++)
		fits = merge_finding(reading, document->findings->pdata[i], where, faces, MAX(n, 1)) && fits;
	for (guint i = 0; i < document->unread->len; i++) {
		const MsUnread *u = document->unread->pdata[i];
		g_autofree char *place = placed(u->where, where);
		ms_reading_unread(reading, place, u->reason, "%s", u->detail);
	}
	for (guint i = 0; i < document->contradictions->len; i++) {
		const MsContradiction *c = document->contradictions->pdata[i];
		g_autofree char *place = placed(c->where, where), *other = placed(c->other, where);
		ms_reading_contradict(reading, place, other, "%s", c->detail);
	}
	reading->text_bytes += document->text_bytes;
	return fits;
}

void ms_reading_show(MsReading *reading, const char *where, const char *text, gsize len)
{
	gsize before = 0;
	for (guint i = 0; i < reading->shown->len; i++)
		before += strlen(((MsShown *)reading->shown->pdata[i])->text);
	g_autofree char *copy = g_utf8_make_valid(text, (gssize)MIN(len, MS_READING_MAX_SHOWN));
	if (before + strlen(copy) > MS_READING_MAX_SHOWN || reading->shown->len >= MS_READING_MAX_PARTS)
		return;
	MsShown *last = reading->shown->len > 0 ? reading->shown->pdata[reading->shown->len - 1] : NULL;
	if (last != NULL && strcmp(last->where, where) == 0) {
		char *joined = g_strconcat(last->text, "\n", copy, NULL);
		g_free(last->text);
		last->text = joined;
		return;
	}
	MsShown *shown = g_new0(MsShown, 1);
	shown->where = g_strdup(where);
	shown->text = g_steal_pointer(&copy);
	g_ptr_array_add(reading->shown, shown);
}

/* ---- wire ----------------------------------------------------------------------------- */

static void encode_findings(GVariantBuilder *out, const GPtrArray *findings)
{
	g_variant_builder_open(out, G_VARIANT_TYPE("a" FINDING));
	for (guint i = 0; i < findings->len; i++) {
		const MsFinding *f = findings->pdata[i];
		GVariantBuilder places;
		g_variant_builder_init(&places, G_VARIANT_TYPE("a" PLACE));
		for (guint k = 0; k < f->places->len; k++) {
			const MsPlace *p = f->places->pdata[k];
			g_variant_builder_add(&places, PLACE, p->where, p->text, p->before, p->after);
		}
		g_variant_builder_add(out, FINDING, f->kind, f->value, f->belief, f->count, f->faces,
			&places);
	}
	g_variant_builder_close(out);
}

static void encode_strings(GVariantBuilder *out, const GPtrArray *strings)
{
	g_variant_builder_open(out, G_VARIANT_TYPE("as"));
	for (guint i = 0; i < strings->len; i++)
		g_variant_builder_add(out, "s", (const char *)strings->pdata[i]);
	g_variant_builder_close(out);
}

GBytes *ms_reading_encode(const MsReading *reading)
{
	GVariantBuilder out;
	g_variant_builder_init(&out, G_VARIANT_TYPE(FORMAT));
	encode_findings(&out, reading->findings);
	g_variant_builder_open(&out, G_VARIANT_TYPE("a(sus)"));
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		g_variant_builder_add(&out, "(sus)", u->where, (guint32)u->reason, u->detail);
	}
	g_variant_builder_close(&out);
	g_variant_builder_open(&out, G_VARIANT_TYPE("a(ss)"));
	for (guint i = 0; i < reading->headers->len; i++) {
		const MsHeader *h = reading->headers->pdata[i];
		g_variant_builder_add(&out, "(ss)", h->name, h->value);
	}
	g_variant_builder_close(&out);
	g_variant_builder_open(&out, G_VARIANT_TYPE("a(sssstb)"));
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *p = reading->parts->pdata[i];
		g_variant_builder_add(&out, "(sssstb)", p->path, p->claimed, p->actual, p->name,
			p->size, (gboolean)p->attached);
	}
	g_variant_builder_close(&out);
	encode_strings(&out, reading->visible);
	encode_strings(&out, reading->faces);
	g_variant_builder_open(&out, G_VARIANT_TYPE("a(sss)"));
	for (guint i = 0; i < reading->contradictions->len; i++) {
		const MsContradiction *c = reading->contradictions->pdata[i];
		g_variant_builder_add(&out, "(sss)", c->where, c->other, c->detail);
	}
	g_variant_builder_close(&out);
	g_variant_builder_add(&out, "u", reading->visible_total);
	g_variant_builder_add(&out, "t", reading->text_bytes);
	g_variant_builder_add(&out, "x", reading->microseconds);
	g_variant_builder_open(&out, G_VARIANT_TYPE("a(ss)"));
	for (guint i = 0; i < reading->shown->len; i++) {
		const MsShown *s = reading->shown->pdata[i];
		g_variant_builder_add(&out, "(ss)", s->where, s->text);
	}
	g_variant_builder_close(&out);
	g_autoptr(GBytes) none = g_bytes_new_static("", 0);
	g_variant_builder_add_value(&out,
		g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING,
			reading->bytes != NULL ? reading->bytes : none, TRUE));
	g_autoptr(GVariant) variant = g_variant_ref_sink(g_variant_builder_end(&out));
	return g_variant_get_data_as_bytes(variant);
}

static bool refuse(GError **error, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "the worker's reading was refused: %s", why);
	return false;
}

static bool decode_findings(MsReading *reading, GVariant *list, GError **error)
{
	GVariantIter iter;
	const char *kind, *value;
	guint32 belief, count;
	guint64 faces;
	GVariantIter *places;
	if (g_variant_iter_init(&iter, list) > MS_READING_MAX_FINDINGS)
		return refuse(error, "too many findings");
	while (g_variant_iter_next(&iter, "(&s&suuta" PLACE ")", &kind, &value, &belief, &count,
		&faces, &places)) {
		bool fine = g_variant_iter_n_children(places) <= MS_MAX_PLACES
			&& strlen(value) <= MS_IDENTIFIER_MAX && *value != '\0' && *kind != '\0'
			&& strlen(kind) <= 64;
		MsFinding *f = g_new0(MsFinding, 1);
		f->kind = g_strdup(kind);
		f->value = g_strdup(value);
		f->belief = belief;
		f->count = count;
		f->faces = faces;
		f->places = g_ptr_array_new_with_free_func(place_free);
		const char *where, *text, *before, *after;
		while (fine
			&& g_variant_iter_next(places, "(&s&s&s&s)", &where, &text, &before, &after)) {
			MsPlace *p = g_new0(MsPlace, 1);
			p->where = cut(where, strlen(where), MAX_TEXT);
			p->text = cut(text, strlen(text), MAX_TEXT);
			p->before = cut(before, strlen(before), MAX_CONTEXT);
			p->after = cut(after, strlen(after), MAX_CONTEXT);
			g_ptr_array_add(f->places, p);
		}
		g_variant_iter_free(places);
		g_ptr_array_add(reading->findings, f);
		if (!fine)
			return refuse(error, "a finding is over its bounds");
	}
	return true;
}

static bool decode_unread(MsReading *reading, GVariant *list, GError **error)
{
	GVariantIter iter;
	const char *where, *detail;
	guint32 reason;
	if (g_variant_iter_init(&iter, list) > MS_READING_MAX_UNREAD)
		return refuse(error, "too many unread items");
	while (g_variant_iter_next(&iter, "(&su&s)", &where, &reason, &detail)) {
		if (reason >= MS_N_UNREAD)
			return refuse(error, "an unread item has no known reason");
		MsUnread *u = g_new0(MsUnread, 1);
		u->where = cut(where, strlen(where), MAX_TEXT);
		u->reason = (MsUnreadReason)reason;
		u->detail = cut(detail, strlen(detail), MAX_TEXT);
		g_ptr_array_add(reading->unread, u);
	}
	return true;
}

static bool decode_facts(MsReading *reading, GVariant *headers, GVariant *parts, GVariant *visible,
	GError **error)
{
	GVariantIter iter;
	const char *a, *b, *c, *d;
	if (g_variant_iter_init(&iter, headers) > MS_READING_MAX_HEADERS)
		return refuse(error, "too many headers");
	while (g_variant_iter_next(&iter, "(&s&s)", &a, &b)) {
		MsHeader *h = g_new0(MsHeader, 1);
		h->name = g_strdup(a);
		h->value = g_strdup(b);
		g_ptr_array_add(reading->headers, h);
	}
	if (g_variant_iter_init(&iter, parts) > MS_READING_MAX_PARTS)
		return refuse(error, "too many parts");
	guint64 size;
	gboolean attached;
	while (g_variant_iter_next(&iter, "(&s&s&s&stb)", &a, &b, &c, &d, &size, &attached)) {
		MsPart *p = g_new0(MsPart, 1);
		p->path = g_strdup(a);
		p->claimed = g_strdup(b);
		p->actual = g_strdup(c);
		p->name = g_strdup(d);
		p->size = size;
		p->attached = attached;
		g_ptr_array_add(reading->parts, p);
	}
	if (g_variant_iter_init(&iter, visible) > MS_READING_MAX_VISIBLE)
		return refuse(error, "too many addresses");
	while (g_variant_iter_next(&iter, "&s", &a))
		g_ptr_array_add(reading->visible, g_strdup(a));
	return true;
}

static bool decode_faces(MsReading *reading, GVariant *faces, GVariant *contradictions, GError **error)
{
	GVariantIter iter;
	const char *a, *b, *c;
	if (g_variant_iter_init(&iter, faces) > MS_READING_MAX_FACES)
		return refuse(error, "too many faces");
	while (g_variant_iter_next(&iter, "&s", &a))
		g_ptr_array_add(reading->faces, cut(a, strlen(a), MAX_TEXT));
	if (g_variant_iter_init(&iter, contradictions) > MS_READING_MAX_CONTRADICTIONS)
		return refuse(error, "too many contradictions");
	while (g_variant_iter_next(&iter, "(&s&s&s)", &a, &b, &c)) {
		MsContradiction *to = g_new0(MsContradiction, 1);
		to->where = cut(a, strlen(a), MAX_TEXT);
		to->other = cut(b, strlen(b), MAX_TEXT);
		to->detail = cut(c, strlen(c), MAX_TEXT);
		g_ptr_array_add(reading->contradictions, to);
	}
	return true;
}

static bool decode_shown(MsReading *reading, GVariant *list, GVariant *bytes, GError **error)
{
	GVariantIter iter;
	const char *where, *text;
	gsize sum = 0;
	if (g_variant_iter_init(&iter, list) > MS_READING_MAX_PARTS)
		return refuse(error, "too many texts");
	while (g_variant_iter_next(&iter, "(&s&s)", &where, &text)) {
		sum += strlen(text);
		if (sum > MS_READING_MAX_SHOWN)
			return refuse(error, "too much text");
		MsShown *shown = g_new0(MsShown, 1);
		shown->where = cut(where, strlen(where), MAX_TEXT);
		shown->text = g_strdup(text);
		g_ptr_array_add(reading->shown, shown);
	}
	if (g_variant_get_size(bytes) > 0)
		reading->bytes = g_variant_get_data_as_bytes(bytes);
	return true;
}

MsReading *ms_reading_decode(GBytes *bytes, GError **error)
{
	if (g_bytes_get_size(bytes) > MS_READING_MAX_BYTES) {
		refuse(error, "it is too large");
		return NULL;
	}
	g_autoptr(GVariant) variant = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(FORMAT), bytes, FALSE));
	if (!g_variant_is_normal_form(variant)) {
		refuse(error, "it is not in normal form");
		return NULL;
	}
	g_autoptr(MsReading) reading = ms_reading_new();
	g_autoptr(GVariant) findings = g_variant_get_child_value(variant, 0);
	g_autoptr(GVariant) unread = g_variant_get_child_value(variant, 1);
	g_autoptr(GVariant) headers = g_variant_get_child_value(variant, 2);
	g_autoptr(GVariant) parts = g_variant_get_child_value(variant, 3);
	g_autoptr(GVariant) visible = g_variant_get_child_value(variant, 4);
	g_autoptr(GVariant) faces = g_variant_get_child_value(variant, 5);
	g_autoptr(GVariant) contradictions = g_variant_get_child_value(variant, 6);
	g_autoptr(GVariant) shown = g_variant_get_child_value(variant, 10);
	g_autoptr(GVariant) raw = g_variant_get_child_value(variant, 11);
	if (!decode_shown(reading, shown, raw, error) || !decode_findings(reading, findings, error) || !decode_unread(reading, unread, error)
		|| !decode_facts(reading, headers, parts, visible, error)
		|| !decode_faces(reading, faces, contradictions, error))
		return NULL;
	g_variant_get_child(variant, 7, "u", &reading->visible_total);
	g_variant_get_child(variant, 8, "t", &reading->text_bytes);
	g_variant_get_child(variant, 9, "x", &reading->microseconds);
	return g_steal_pointer(&reading);
}
