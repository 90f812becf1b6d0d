/*
 * A reading is made, filled within its bounds, and freed; places are cut to what is shown.  The
 * thread that has the message.
 */
#include "config.h"

#include <string.h>

#include "missent/reading.h"

#include "reading_private.h"

const char *const ms_unread_names[MS_N_UNREAD + 1] = {
	"no-reader",
	"image",
	"image-only",
	"signature",
	"encrypted",
	"password",
	"damaged",
	"ambiguous",
	"charset",
	"encoding",
	"partial",
	"limit",
	"time",
	"pattern",
	"worker",
	NULL,
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

GPtrArray *reading_places(guint n)
{
	return g_ptr_array_new_full(n, place_free);
}

static void finding_free(gpointer data)
{
	MsFinding *finding = data;
	if (finding == NULL)
		return;
	g_free(finding->kind);
	g_free(finding->value);
	g_clear_pointer(&finding->either, g_ptr_array_unref);
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
	g_free(contradiction->kind);
	g_free(contradiction->detail);
	g_free(contradiction);
}

static void text_clear(gpointer data)
{
	g_clear_pointer(&((MsText *)data)->sum, ms_sum_free);
}

MsReading *ms_reading_new(void)
{
	MsReading *reading = g_new0(MsReading, 1);
	reading->findings = g_ptr_array_new_with_free_func(finding_free);
	reading->dropped = g_ptr_array_new_with_free_func(finding_free);
	reading->unread = g_ptr_array_new_with_free_func(unread_free);
	reading->headers = g_ptr_array_new_with_free_func(header_free);
	reading->parts = g_ptr_array_new_with_free_func(part_free);
	reading->visible = g_ptr_array_new_with_free_func(g_free);
	reading->faces = g_ptr_array_new_with_free_func(g_free);
	reading->texts = g_array_new(FALSE, TRUE, sizeof(MsText));
	g_array_set_clear_func(reading->texts, text_clear);
	reading->greeted = g_ptr_array_new_with_free_func(g_free);
	reading->contradictions = g_ptr_array_new_with_free_func(contradiction_free);
	reading->shown = g_ptr_array_new_with_free_func(shown_free);
	return reading;
}

const char *ms_reading_header(const MsReading *reading, const char *name)
{
	for (guint i = 0; i < reading->headers->len; i++) {
		const MsHeader *header = reading->headers->pdata[i];
		if (g_ascii_strcasecmp(header->name, name) == 0)
			return header->value;
	}
	return NULL;
}

void ms_reading_free(MsReading *reading)
{
	if (reading == NULL)
		return;
	g_clear_pointer(&reading->table, g_hash_table_unref);
	g_ptr_array_unref(reading->findings);
	g_ptr_array_unref(reading->dropped);
	g_ptr_array_unref(reading->unread);
	g_ptr_array_unref(reading->headers);
	g_ptr_array_unref(reading->parts);
	g_ptr_array_unref(reading->visible);
	g_ptr_array_unref(reading->faces);
	g_array_unref(reading->texts);
	g_ptr_array_unref(reading->greeted);
	g_ptr_array_unref(reading->shown);
	g_clear_pointer(&reading->bytes, g_bytes_unref);
	g_ptr_array_unref(reading->contradictions);
	g_free(reading);
}

/* ---- filling -------------------------------------------------------------------------- */

static bool is_whole(const char *where)
{
	return strcmp(where, "message") == 0 || strcmp(where, "headers") == 0;
}

bool ms_unread_is_whole(const MsUnread *unread)
{
	return is_whole(unread->where);
}

/* One policy tolerates what another does not: of what they can tell apart, each reason of a part
 * and of the whole, the first one has its place however many there are of others.  One more that is
 * like one of these says nothing that they do not. */
#define N_LIKE (2 * MS_N_UNREAD)

void ms_reading_unread(MsReading *reading, const char *where, MsUnreadReason reason,
	const char *format, ...)
{
	bool like = false;
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *old = g_ptr_array_index(reading->unread, i);
		if (old->reason == reason && strcmp(old->where, where) == 0)
			return;
		like = like || (old->reason == reason &&
				       ms_unread_is_whole(old) == is_whole(where));
	}
	if (reading->unread->len >= MS_READING_MAX_UNREAD - (like ? N_LIKE : 0))
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

/* ---- texts ---------------------------------------------------------------------------- */

static MsText *text_of(MsReading *reading, guint face)
{
	face = MIN(face, MS_READING_MAX_FACES - 1);
	if (reading->texts->len <= face)
		g_array_set_size(reading->texts, face + 1);
	return &g_array_index(reading->texts, MsText, face);
}

static void add_bytes(MsText *text, const void *data, gsize len, guint64 letters)
{
	if (text->sum == NULL) {
		text->sum = ms_sum_new();
		if (text->letters > 0) /* of a document that was read by itself */
			ms_sum_add(text->sum, text->digest, sizeof text->digest);
	}
	ms_sum_add(text->sum, data, len);
	text->letters += letters;
}

void ms_reading_add_text(MsReading *reading, guint face, const char *compact, gsize len)
{
	if (len > 0)
		add_bytes(text_of(reading, face), compact, len, len);
}

static bool digest_of(const MsText *text, guint8 digest[MS_TEXT_DIGEST])
{
	memcpy(digest, text->digest, MS_TEXT_DIGEST);
	if (text->sum != NULL)
		ms_sum_get(text->sum, digest);
	return text->letters > 0;
}

bool ms_reading_text(const MsReading *reading, guint face, guint8 digest[MS_TEXT_DIGEST])
{
	return face < reading->texts->len &&
		digest_of(&g_array_index(reading->texts, MsText, face), digest);
}

/* A document that was read by itself has the digest that it has where it is read with its mail. */
static void merge_text(MsReading *reading, guint face, const MsText *from)
{
	guint8 digest[MS_TEXT_DIGEST];
	if (!digest_of(from, digest))
		return;
	MsText *to = text_of(reading, face);
	if (to->letters > 0) {
		add_bytes(to, digest, sizeof digest, from->letters);
		return;
	}
	to->letters = from->letters;
	memcpy(to->digest, digest, sizeof digest);
}

void ms_reading_greet(MsReading *reading, const char *name)
{
	if (reading->greeted->len < MS_READING_MAX_GREETED &&
		!g_ptr_array_find_with_equal_func(reading->greeted, name, g_str_equal, NULL))
		g_ptr_array_add(reading->greeted, g_strdup(name));
}

void ms_reading_contradict(MsReading *reading, const char *where, const char *other,
	const char *kind, const char *format, ...)
{
	if (reading->contradictions->len >= MS_READING_MAX_CONTRADICTIONS)
		return;
	MsContradiction *c = g_new0(MsContradiction, 1);
	c->where = g_strdup(where);
	c->other = g_strdup(other);
	c->kind = g_strdup(kind);
	va_list args;
	va_start(args, format);
	c->detail = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(reading->contradictions, c);
}

/* A byte within a character. */
static bool goes_on(char c)
{
	return ((guchar)c & 0xc0) == 0x80;
}

char *reading_cut(const char *text, gsize len, gsize max)
{
	if (len > max) {
		len = max;
		while (len > 0 && goes_on(text[len]))
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
	while (start > 0 && start < len && goes_on(text[start]))
		start--;
	while (end < len && goes_on(text[end]))
		end++;
	gsize from = start > MAX_CONTEXT ? start - MAX_CONTEXT : 0;
	while (from < start && goes_on(text[from]))
		from++;
	MsPlace *place = g_new0(MsPlace, 1);
	place->where = g_strdup(where);
	place->text = reading_cut(text + start, end - start, MAX_TEXT);
	place->before = reading_cut(text + from, start - from, MAX_CONTEXT);
	place->after = reading_cut(text + end, len - end, MAX_CONTEXT);
	return place;
}

static guint finding_hash(gconstpointer key)
{
	const MsFinding *finding = key;
	return g_str_hash(finding->value) * 31 + g_str_hash(finding->kind);
}

static bool same_either(const GPtrArray *a, const GPtrArray *b)
{
	guint n = a != NULL ? a->len : 0;
	if (n != (b != NULL ? b->len : 0))
		return false;
	for (guint i = 0; i < n; i++) {
		const MsIdentifier *x = a->pdata[i], *y = b->pdata[i];
		if (strcmp(x->value, y->value) != 0 || strcmp(x->kind, y->kind) != 0)
			return false;
	}
	return true;
}

static gboolean finding_equal(gconstpointer a, gconstpointer b)
{
	const MsFinding *x = a, *y = b;
	return strcmp(x->value, y->value) == 0 && strcmp(x->kind, y->kind) == 0 &&
		same_either(x->either, y->either);
}

#define FEW 16 /* findings that are sooner looked through than looked up */

/* The table has all findings up to those that were added since it was asked last. */
static MsFinding *lookup(
	MsReading *reading, const char *kind, const char *value, const GPtrArray *either)
{
	const MsFinding wanted = {
		.kind = (char *)kind, .value = (char *)value, .either = (GPtrArray *)either};
	guint n = reading->findings->len;
	if (n > FEW && reading->table == NULL)
		reading->table = g_hash_table_new(finding_hash, finding_equal);
	for (guint i = reading->table != NULL ? g_hash_table_size(reading->table) : n; i < n; i++)
		g_hash_table_add(reading->table, reading->findings->pdata[i]);
	if (reading->table != NULL)
		return g_hash_table_lookup(reading->table, &wanted);
	for (guint i = 0; i < n; i++)
		if (finding_equal(reading->findings->pdata[i], &wanted))
			return reading->findings->pdata[i];
	return NULL;
}

MsFinding *ms_reading_find(MsReading *reading, const char *kind, const char *value, guint belief,
	guint face, MsPlace *place)
{
	return ms_reading_find_either(reading, kind, value, NULL, belief, face, place);
}

MsFinding *ms_reading_find_either(MsReading *reading, const char *kind, const char *value,
	GPtrArray *either, guint belief, guint face, MsPlace *place)
{
	MsFinding *finding = lookup(reading, kind, value, either);
	belief |= either != NULL ? MS_BELIEF_EITHER : 0;
	if (finding == NULL) {
		finding = g_new0(MsFinding, 1);
		finding->kind = g_strdup(kind);
		finding->value = g_strdup(value);
		finding->either = either != NULL ? g_ptr_array_ref(either) : NULL;
		finding->belief = belief;
		finding->places = reading_places(1);
		reading->others += either != NULL ? either->len : 0;
		g_ptr_array_add(reading->findings, finding);
	}
	/* Believed firmly in one place, believed. */
	const guint weakening = MS_BELIEF_TENTATIVE | MS_BELIEF_SELLER | MS_BELIEF_SCHEME |
		MS_BELIEF_ADDRESSED | MS_BELIEF_GUESS;
	guint weak = finding->belief & belief & weakening;
	finding->belief = ((finding->belief | belief) & ~weakening) | weak;
	finding->faces |= 1ULL << MIN(face, MS_READING_MAX_FACES - 1);
	if (place == NULL)
		return finding;
	finding->count++;
	bool room = finding->places->len < MS_MAX_PLACES;
	reading->guesses += room && (belief & MS_BELIEF_GUESS) != 0;
	if (room)
		g_ptr_array_add(finding->places, place);
	else
		place_free(place);
	return finding;
}

const MsFinding *ms_reading_has(
	MsReading *reading, const char *kind, const char *value, const GPtrArray *either)
{
	return lookup(reading, kind, value, either);
}

bool ms_finding_leads(const MsFinding *finding)
{
	for (guint i = 0; finding->either != NULL && i < finding->either->len; i++) {
		const MsIdentifier *other = finding->either->pdata[i];
		if (strcmp(other->kind, finding->kind) == 0 &&
			strcmp(other->value, finding->value) < 0)
			return false;
	}
	return true;
}

GPtrArray *ms_reading_identifiers(const GPtrArray *findings)
{
	GPtrArray *out = ms_identifiers_new();
	for (guint i = 0; i < findings->len; i++) {
		const MsFinding *f = findings->pdata[i];
		MsIdentifier *identifier = ms_identifier_new(f->kind, f->value);
		identifier->either = f->either != NULL ? g_ptr_array_ref(f->either) : NULL;
		g_ptr_array_add(out, identifier);
	}
	return out;
}

void ms_reading_drop_guesses(MsReading *reading)
{
	guint kept = 0;
	g_clear_pointer(&reading->table, g_hash_table_unref);
	for (guint i = 0; i < reading->findings->len; i++) {
		MsFinding *f = reading->findings->pdata[i];
		if (f->belief & MS_BELIEF_GUESS) {
			reading->others -= f->either != NULL ? f->either->len : 0;
			finding_free(f);
		} else {
			reading->findings->pdata[kept++] = f;
		}
	}
	/* Those that were moved to the front are not to be freed with the rest. */
	for (guint i = kept; i < reading->findings->len; i++)
		reading->findings->pdata[i] = NULL;
	g_ptr_array_set_size(reading->findings, (gint)kept);
}

/* ---- why it is believed --------------------------------------------------------------- */

const char *const ms_level_names[MS_N_LEVELS + 1] = {
	"exact", "checked", "labelled", "shape", "either", NULL};

guint ms_belief_levels(guint belief)
{
	return (belief & MS_BELIEF_EXACT ? MS_LEVEL_EXACT : 0) |
		(belief & MS_BELIEF_CHECKED ? MS_LEVEL_CHECKED : 0) |
		(belief & (MS_BELIEF_LABELLED | MS_BELIEF_FIELD) ? MS_LEVEL_LABELLED : 0) |
		(belief & MS_BELIEF_SHAPE ? MS_LEVEL_SHAPE : 0) |
		(belief & MS_BELIEF_EITHER ? MS_LEVEL_EITHER : 0);
}

char *ms_belief_words(guint belief)
{
	guint levels = ms_belief_levels(belief);
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < MS_N_LEVELS; i++)
		if (levels >> i & 1) {
			g_string_append(out, out->len > 0 ? ", " : "");
			g_string_append(out, ms_level_names[i]);
		}
	return g_string_free(out, FALSE);
}

/* ---- merging -------------------------------------------------------------------------- */

/* Those of a mail within the document are parts below the document's own. */
char *ms_reading_placed(const char *relative, const char *where)
{
	gsize part = g_str_has_prefix(relative, "part " MS_PLACE_HERE) ? 5 : 0;
	const char *number = g_str_has_prefix(where, "part ") ? where + 5 : "";
	if (!g_str_has_prefix(relative + part, MS_PLACE_HERE))
		return g_strdup(relative);
	if (part == 0 && relative[1] != '.')
		return g_strconcat(where, relative + 1, NULL);
	return g_strdup_printf("%.*s%.*s%s", (int)part, relative,
		(int)strspn(number, "0123456789."), number, relative + part + 1);
}

static bool merge_finding(MsReading *reading, const MsFinding *from, const char *where,
	const guint *faces, guint n)
{
	if ((from->belief & MS_BELIEF_GUESS) && reading->guesses >= MS_READING_MAX_GUESSES &&
		lookup(reading, from->kind, from->value, from->either) == NULL)
		return true;
	if (reading->findings->len + reading->others +
			(from->either != NULL ? from->either->len : 0) >=
		MS_READING_MAX_FINDINGS)
		return false;
	MsFinding *to = NULL;
	for (guint i = 0; i < from->places->len; i++) {
		const MsPlace *p = from->places->pdata[i];
		MsPlace *copy = g_new0(MsPlace, 1);
		*copy = (MsPlace){ms_reading_placed(p->where, where), g_strdup(p->text),
			g_strdup(p->before), g_strdup(p->after)};
		to = ms_reading_find_either(reading, from->kind, from->value, from->either,
			from->belief, faces[0], copy);
	}
	if (to == NULL)
		return true;
	to->count += from->count - MIN(from->count, from->places->len);
	if ((from->faces & 1) == 0)
		to->faces &= ~(1ULL << MIN(faces[0], MS_READING_MAX_FACES - 1));
	for (guint i = 0; i < n; i++) {
		guint64 bit = 1ULL << MIN(faces[i], MS_READING_MAX_FACES - 1);
		to->faces |= (from->faces >> i & 1) != 0 ? bit : 0;
		to->texts |= (from->texts >> i & 1) != 0 ? bit : 0;
	}
	return true;
}

bool ms_reading_merge(MsReading *reading, const MsReading *document, const char *where, guint face)
{
	bool fits = true;
	guint faces[MS_READING_MAX_FACES] = {face};
	guint n = MIN(document->faces->len, MS_READING_MAX_FACES);
	for (guint i = 1; i < n; i++) {
		g_autofree char *place = ms_reading_placed(document->faces->pdata[i], where);
		faces[i] = ms_reading_face(reading, place);
	}
	for (guint i = 0; i < MIN(document->texts->len, MAX(n, 1)); i++)
		merge_text(reading, faces[i], &g_array_index(document->texts, MsText, i));
	for (guint i = 0; i < document->findings->len; i++)
		fits = merge_finding(
			       reading, document->findings->pdata[i], where, faces, MAX(n, 1)) &&
			fits;
	for (guint i = 0; i < document->unread->len; i++) {
		const MsUnread *u = document->unread->pdata[i];
		g_autofree char *place = ms_reading_placed(u->where, where);
		ms_reading_unread(reading, place, u->reason, "%s", u->detail);
	}
	for (guint i = 0; i < document->contradictions->len; i++) {
		const MsContradiction *c = document->contradictions->pdata[i];
		g_autofree char *place = ms_reading_placed(c->where, where),
			       *other = ms_reading_placed(c->other, where);
		ms_reading_contradict(reading, place, other, c->kind, "%s", c->detail);
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
	if (before + strlen(copy) > MS_READING_MAX_SHOWN ||
		reading->shown->len >= MS_READING_MAX_PARTS)
		return;
	MsShown *last = reading->shown->len > 0 ? reading->shown->pdata[reading->shown->len - 1]
						: NULL;
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
