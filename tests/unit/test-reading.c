/*
 * A reading on its way between the wings: whole, cut, changed and hostile; and what logs show
 * of its places.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/reading.h"

#include "../test.h"

static MsReading *example(void)
{
	MsReading *r = ms_reading_new();
	const char *text = "your IBAN is DE89 and more";
	ms_reading_find(
		r, "iban", "DE89", MS_BELIEF_SHAPE, 0, ms_place_new("part 1", text, 13, 17, 26));
	ms_reading_find(r, "iban", "DE89", MS_BELIEF_LABELLED | MS_BELIEF_TENTATIVE, 0,
		ms_place_new("part 2", text, 13, 17, 26));
	g_autoptr(GPtrArray) either = ms_identifiers_new();
	g_ptr_array_add(either, ms_identifier_new("subscription-id", "AB4170"));
	ms_reading_find_either(r, "iban", "DE89", either, MS_BELIEF_TENTATIVE, 0,
		ms_place_new("part 2", text, 13, 17, 26));
	ms_reading_unread(r, "part 3", MS_UNREAD_NO_READER, "%s", "application/pdf");
	ms_reading_unread(r, "part 3", MS_UNREAD_NO_READER, "%s", "once only");
	MsHeader *h = g_new0(MsHeader, 1);
	h->name = g_strdup("Subject");
	h->value = g_strdup("Hello");
	g_ptr_array_add(r->headers, h);
	MsPart *p = g_new0(MsPart, 1);
	*p = (MsPart){g_strdup("1"), g_strdup("text/plain"), g_strdup("text/html"), g_strdup(""),
		26, true};
	g_ptr_array_add(r->parts, p);
	g_ptr_array_add(r->visible, g_strdup("a@b.example"));
	g_assert_cmpuint(ms_reading_face(r, "message"), ==, 0);
	g_assert_cmpuint(ms_reading_face(r, "part 3 a.pdf"), ==, 1);
	ms_reading_contradict(
		r, "part 3 a.pdf", "message", "customer-number", "%s", "another buyer");
	r->visible_total = 7;
	r->text_bytes = 26;
	ms_reading_add_text(r, 1, "your", 4);
	ms_reading_add_text(r, 1, "iban", 4);
	((MsFinding *)r->findings->pdata[0])->texts = 2;
	ms_reading_greet(r, "petra weber");
	ms_reading_greet(r, "petra weber");
	return r;
}

static void test_round_trip(void)
{
	g_autoptr(MsReading) r = example();
	g_autoptr(GBytes) bytes = ms_reading_encode(r);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReading) got = ms_reading_decode(bytes, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(got->findings->len, ==, 2);
	const MsFinding *f = got->findings->pdata[1];
	/* It says nothing of the one that is meant for certain. */
	g_assert_cmpuint(f->belief, ==, MS_BELIEF_TENTATIVE | MS_BELIEF_EITHER);
	g_assert_cmpuint(f->either->len, ==, 1);
	g_assert_cmpstr(((MsIdentifier *)f->either->pdata[0])->kind, ==, "subscription-id");
	g_assert_cmpstr(((MsIdentifier *)f->either->pdata[0])->value, ==, "AB4170");
	g_assert_cmpuint(got->others, ==, 1);
	f = got->findings->pdata[0];
	g_assert_null(f->either);
	g_assert_cmpstr(f->kind, ==, "iban");
	g_assert_cmpstr(f->value, ==, "DE89");
	g_assert_cmpuint(f->count, ==, 2);
	/* Believed firmly in one place: not tentative. */
	g_assert_cmpuint(f->belief, ==, MS_BELIEF_SHAPE | MS_BELIEF_LABELLED);
	const MsPlace *place = f->places->pdata[1];
	g_assert_cmpstr(place->where, ==, "part 2");
	g_assert_cmpstr(place->text, ==, "DE89");
	g_assert_cmpstr(place->before, ==, "your IBAN is ");
	g_assert_cmpstr(place->after, ==, " and more");
	g_assert_cmpuint(got->unread->len, ==, 1);
	g_assert_cmpint(((MsUnread *)got->unread->pdata[0])->reason, ==, MS_UNREAD_NO_READER);
	g_assert_cmpstr(((MsHeader *)got->headers->pdata[0])->value, ==, "Hello");
	g_assert_true(((MsPart *)got->parts->pdata[0])->attached);
	g_assert_cmpstr(((MsPart *)got->parts->pdata[0])->actual, ==, "text/html");
	g_assert_cmpuint(f->faces, ==, 1);
	g_assert_cmpstr(got->faces->pdata[1], ==, "part 3 a.pdf");
	guint8 before[MS_TEXT_DIGEST], after[MS_TEXT_DIGEST];
	g_assert_false(ms_reading_text(got, 0, after));
	g_assert_true(ms_reading_text(r, 1, before) && ms_reading_text(got, 1, after));
	g_assert_cmpmem(before, sizeof before, after, sizeof after);
	g_assert_false(ms_reading_text(got, 2, after));
	g_assert_cmpuint(f->texts, ==, 2);
	g_assert_cmpuint(got->greeted->len, ==, 1);
	g_assert_cmpstr(got->greeted->pdata[0], ==, "petra weber");
	g_assert_cmpstr(
		((MsContradiction *)got->contradictions->pdata[0])->detail, ==, "another buyer");
	g_assert_cmpuint(got->visible_total, ==, 7);
}

static void refused(const void *data, gsize len)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, len);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReading) got = ms_reading_decode(bytes, &error);
	g_assert_null(got);
	g_assert_error(error, MS_ERROR, MS_ERROR_INPUT);
}

/* Every cut and a great many flips are refused or give something within the bounds. */
static void test_damage(void)
{
	g_autoptr(MsReading) r = example();
	g_autoptr(GBytes) bytes = ms_reading_encode(r);
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	refused("", 0);
	refused("nonsense", 8);
	for (gsize cut = 1; cut < len; cut++) {
		g_autoptr(GBytes) part = g_bytes_new(data, cut);
		g_autoptr(MsReading) got = ms_reading_decode(part, NULL);
		g_assert_null(got);
	}
	for (gsize i = 0; i < len * 8; i++) {
		g_autofree guint8 *copy = g_memdup2(data, len);
		copy[i / 8] ^= (guint8)(1 << i % 8);
		g_autoptr(GBytes) flipped = g_bytes_new(copy, len);
		g_autoptr(MsReading) got = ms_reading_decode(flipped, NULL);
		if (got == NULL)
			continue;
		for (guint k = 0; k < got->unread->len; k++)
			ms_unread_name(((MsUnread *)got->unread->pdata[k])->reason);
	}
}

/* Numbers of a reading that has nothing but empty lists; what each becomes. */
static void test_hostile(void)
{
	static const guint64 huge[] = {
		G_MAXUINT64, G_MAXUINT64 - 7, G_MAXUINT64 / 8 + 2, 1ULL << 32, 1ULL << 31};
	g_autoptr(MsReading) r = ms_reading_new();
	g_autoptr(GBytes) bytes = ms_reading_encode(r);
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	const gsize lists = 10, numbers = len / 8;
	for (gsize i = 0; i < numbers; i++)
		for (gsize k = 0; k < G_N_ELEMENTS(huge); k++) {
			g_autofree guint8 *copy = g_memdup2(data, len);
			memcpy(copy + 8 * i, &huge[k], 8);
			if (i <= lists ||
				i == numbers - 1) /* form, lists, and how many bytes there are */
				refused(copy, len);
		}
	g_autofree guint8 *longer = g_malloc0(len + 8);
	memcpy(longer, data, len);
	refused(longer, len + 8);
}

/* A text with a NUL, one that is not UTF-8, one without its end. */
static void test_hostile_texts(void)
{
	static const char *const rows[] = {"a\0b", ("a\xff" "b"), "\xc3"};
	static const gsize lens[] = {3, 3, 1};
	g_autoptr(MsReading) r = ms_reading_new();
	g_ptr_array_add(r->visible, g_strdup("abc"));
	g_autoptr(GBytes) bytes = ms_reading_encode(r);
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	const guint8 *at = memmem(data, len, "abc", 4);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree guint8 *copy = g_memdup2(data, len);
		memcpy(copy + (at - data), rows[i], lens[i]);
		refused(copy, len);
	}
	g_autofree guint8 *endless = g_memdup2(data, len);
	endless[at - data + 3] = 'd';
	refused(endless, len);
}

static MsReading *of_text(guint face, const char *text, const char *more)
{
	MsReading *r = ms_reading_new();
	ms_reading_face(r, "message");
	ms_reading_face(r, "part 2");
	ms_reading_add_text(r, face, text, strlen(text));
	ms_reading_add_text(r, face, more, strlen(more));
	return r;
}

/* However a text came: in pieces, over the wire, or of a document that was read by itself. */
static void test_texts(void)
{
	guint8 want[MS_TEXT_DIGEST], got[MS_TEXT_DIGEST];
	g_autoptr(MsReading) whole = of_text(1, "yourinvoice4711", "");
	g_autoptr(MsReading) two = of_text(1, "yourinvoice", "4711");
	g_autoptr(MsReading) other = of_text(1, "yourinvoice4712", "");
	g_autoptr(MsReading) alone = of_text(0, "yourinvoice4711", "");
	g_autoptr(MsReading) to = of_text(0, "dear", "customer");
	g_assert_true(ms_reading_text(whole, 1, want));
	g_assert_true(ms_reading_text(two, 1, got));
	g_assert_cmpmem(got, sizeof got, want, sizeof want);
	g_assert_true(ms_reading_text(other, 1, got));
	g_assert_cmpint(memcmp(got, want, sizeof got), !=, 0);
	g_autoptr(GBytes) bytes = ms_reading_encode(alone);
	g_autoptr(MsReading) document = ms_reading_decode(bytes, NULL);
	g_assert_true(ms_reading_merge(to, document, "part 2", 1));
	g_assert_true(ms_reading_text(to, 1, got));
	g_assert_cmpmem(got, sizeof got, want, sizeof want);
	g_assert_true(ms_reading_merge(
		to, document, "part 2", 1)); /* more of the same face: another text */
	g_assert_true(ms_reading_text(to, 1, got));
	g_assert_cmpint(memcmp(got, want, sizeof got), !=, 0);
	ms_reading_add_text(to, 4000, "x", 1); /* the last face stands for all further ones */
	g_assert_true(ms_reading_text(to, MS_READING_MAX_FACES - 1, got));
	g_assert_cmpuint(to->texts->len, ==, MS_READING_MAX_FACES);
}

/* How often something stands there is more than the places that are kept of it. */
static void test_counted(void)
{
	g_autoptr(MsReading) document = ms_reading_new();
	g_autoptr(MsReading) to = ms_reading_new();
	for (guint i = 0; i < MS_MAX_PLACES + 12; i++) {
		MsPlace *place = g_new0(MsPlace, 1);
		*place = (MsPlace){g_strdup_printf("%s > page %u", MS_PLACE_HERE, i),
			g_strdup("K-1"), g_strdup(""), g_strdup("")};
		ms_reading_find(document, "k", "K-1", MS_BELIEF_SHAPE, 0, place);
	}
	for (guint times = 1; times <= 2; times++) {
		g_assert_true(ms_reading_merge(to, document, "part 2", 1));
		const MsFinding *found = ms_reading_has(to, "k", "K-1", NULL);
		g_assert_cmpuint(found->count, ==, times * (MS_MAX_PLACES + 12));
		g_assert_cmpuint(found->places->len, ==, MS_MAX_PLACES);
	}
}

/* More meanings than a place may have, than a reading may; one that says it has some, and has none,
 * and the other way round. */
static void test_hostile_either(void)
{
	static const struct {
		guint n, findings, belief;
		bool fine;
	} rows[] = {{1, 1, MS_BELIEF_EITHER, true}, {MS_MAX_EITHER, 1, MS_BELIEF_EITHER, true},
		{MS_MAX_EITHER + 1, 1, MS_BELIEF_EITHER, false}, {0, 1, MS_BELIEF_EITHER, false},
		{1, 1, 0, false},
		{MS_MAX_EITHER, MS_READING_MAX_FINDINGS / (MS_MAX_EITHER + 1), MS_BELIEF_EITHER,
			true},
		{MS_MAX_EITHER, MS_READING_MAX_FINDINGS / (MS_MAX_EITHER + 1) + 1,
			MS_BELIEF_EITHER, false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsReading) r = ms_reading_new();
		for (guint k = 0; k < rows[i].findings; k++) {
			g_autofree char *value = g_strdup_printf("A%u", k);
			MsFinding *f = ms_reading_find(
				r, "a", value, 0, 0, ms_place_new("part 1", "", 0, 0, 0));
			f->belief = rows[i].belief;
			f->either = rows[i].n > 0 ? ms_identifiers_new() : NULL;
			for (guint n = 0; n < rows[i].n; n++)
				g_ptr_array_add(f->either, ms_identifier_new("b", "B1"));
		}
		g_autoptr(GBytes) bytes = ms_reading_encode(r);
		g_autoptr(MsReading) got = ms_reading_decode(bytes, NULL);
		if ((got != NULL) != rows[i].fine)
			g_error("row %u: got %d, want %d", (guint)i, got != NULL, rows[i].fine);
	}
}

/* A text without letters that has a digest, a name of none: not the one form that a reading has. */
static void test_hostile_names(void)
{
	g_autoptr(MsReading) r = ms_reading_new();
	ms_reading_add_text(r, 0, "x", 1);
	g_ptr_array_add(r->greeted, g_strnfill(201, 'x'));
	g_autoptr(GBytes) bytes = ms_reading_encode(r);
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);
	refused(data, len);
	g_ptr_array_set_size(r->greeted, 0);
	g_autoptr(GBytes) fine = ms_reading_encode(r);
	g_autoptr(MsReading) got = ms_reading_decode(fine, NULL);
	g_assert_nonnull(got);
	data = g_bytes_get_data(fine, &len);
	g_autofree guint8 *copy = g_memdup2(data, len);
	memset(copy + 8 * 8, 0,
		8); /* behind the form, six lists and how many texts: letters of the first */
	refused(copy, len);
	for (guint i = 0; i < MS_READING_MAX_GREETED + 5; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);
		ms_reading_greet(r, name);
	}
	g_assert_cmpuint(r->greeted->len, ==, MS_READING_MAX_GREETED);
}

/* Found again among many: the same finding, whatever else was added meanwhile. */
static void test_many(void)
{
	g_autoptr(MsReading) r = ms_reading_new();
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 3000; i++) {
			g_autofree char *value = g_strdup_printf("%d", i);
			MsFinding *f = ms_reading_find(r, i % 2 ? "iban" : "vat-id", value,
				MS_BELIEF_SHAPE, 0,
				ms_place_new("part 1", value, 0, strlen(value), strlen(value)));
			g_assert_true(f == r->findings->pdata[i]);
			g_assert_cmpuint(f->count, ==, round + 1);
		}
	g_assert_cmpuint(r->findings->len, ==, 3000);
	ms_reading_find(r, "vat-id", "1", MS_BELIEF_SHAPE, 0, ms_place_new("part 1", "1", 0, 1, 1));
	g_assert_cmpuint(r->findings->len, ==, 3001);
}

/* Within a character, too: what crosses the wings is UTF-8. */
static void test_place_cut(void)
{
	const char *text = "\xe2\x82\xac" "12\xe2\x82\xac";
	MsPlace *place = ms_place_new("part 1", text, 1, 7, strlen(text));
	g_autoptr(MsReading) r = ms_reading_new();
	g_assert_cmpstr(place->text, ==, text);
	g_assert_cmpstr(place->before, ==, "");
	g_assert_cmpstr(place->after, ==, "");
	ms_reading_find(r, "vat-id", "1", MS_BELIEF_SHAPE, 0, place);
}

static void test_place_masked(void)
{
	static const struct {
		const char *where, *want;
	} rows[] = {
		{"part 3.1 Invoice 4711.pdf page 1",
			"part 3.1 (name of 16 characters, .pdf) page 1"},
		{"part 3 Invoice 4711.pdf > a.xml BT-48", "part 3 (name of 16 characters, .pdf)"},
		{"part 2 a.xml BT-46", "part 2 (name of 5 characters, .xml) BT-46"},
		{"part 2 scan.pdf page 1 (recognised)",
			"part 2 (name of 8 characters, .pdf) page 1 (recognised)"},
		{"part 2 KD 4711 (recognised)", "part 2 (name of 7 characters) (recognised)"},
		{"part 2 KD page 4711", "part 2 (name of 12 characters)"},
		{"part 2 a.xml BT-4711", "part 2 (name of 5 characters, .xml)"},
		{"part 2 a.xml BT-46 KD-4711", "part 2 (name of 5 characters, .xml)"},
		{"part 3 Invoice 4711.pdf page 4711 of 4", "part 3 (name of 16 characters, .pdf)"},
		{"part 3 KD.4711", "part 3 (name of 7 characters)"},
		{"part 3 KD > 4711", "part 3 (name of 3 characters)"},
		{"part 3 file name", "part 3 file name"},
		{"part 2 text/html (hidden)", "part 2 text/html"},
		{"part 2 text/x-kd-4711", "part 2 (name of 14 characters)"},
		{"part 2 text/html", "part 2 text/html"},
		{"header X-KD-4711", "header (name of 9 characters)"},
		{"part 2 header X-KD-4711", "part 2 header (name of 9 characters)"},
		{"message at byte 4711", "message at byte 4711"},
		{"KD-4711", "message (name of 7 characters)"},
		{"message at byte KD4711", "message (name of 22 characters)"},
		{"header Subject", "header Subject"},
		{"message", "message"},
		{"part ", "part "},
		{"part 2 header Subject", "part 2 header Subject"},
		{"", ""},
		{"part 2 my header Subject.pdf", "part 2 (name of 21 characters, .pdf)"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_place_masked(rows[i].where);
		g_assert_cmpstr(got, ==, rows[i].want);
		g_autofree char *again = ms_place_masked(got);
		g_assert_cmpstr(again, ==, got);
	}
}

/* Where and why is one of these: what it says of a reason that it has. */
static bool is_told(const MsReading *r, const char *where, MsUnreadReason reason)
{
	for (guint i = 0; i < r->unread->len; i++) {
		const MsUnread *u = r->unread->pdata[i];
		if (u->reason == reason && strcmp(u->where, where) == 0)
			return true;
	}
	return false;
}

static void add_many(MsReading *r, MsUnreadReason reason, guint n)
{
	for (guint i = 0; i < n; i++) {
		g_autofree char *where = g_strdup_printf("part %u", i);
		ms_reading_unread(r, where, reason, "x");
	}
}

/* However many there are of one reason, the first of another has its place; so it has in the
 * reading that this one is made part of, and on the other side of the wire. */
static void test_bounds(void)
{
	for (guint many = 0; many < MS_N_UNREAD; many++) {
		g_autoptr(MsReading) r = ms_reading_new(), whole = ms_reading_new();
		add_many(r, many, MS_READING_MAX_UNREAD + 50);
		g_assert_cmpuint(r->unread->len, <=, MS_READING_MAX_UNREAD);
		g_assert_cmpuint(r->unread->len, >, MS_READING_MAX_UNREAD / 2);
		for (guint other = 0; other < MS_N_UNREAD; other++) {
			ms_reading_unread(r, MS_PLACE_HERE " > last", other, "x");
			ms_reading_unread(r, other % 2 == 0 ? "message" : "headers", other, "x");
		}
		add_many(whole, MS_UNREAD_IMAGE, MS_READING_MAX_UNREAD + 50);
		g_assert_true(ms_reading_merge(whole, r, "part 2 a.zip", 0));
		g_autoptr(GBytes) bytes = ms_reading_encode(whole);
		g_autoptr(MsReading) got = ms_reading_decode(bytes, NULL);
		g_assert_nonnull(got);
		g_assert_cmpuint(got->unread->len, <=, MS_READING_MAX_UNREAD);
		for (guint other = 0; other < MS_N_UNREAD; other++) {
			bool like = other == many || other == MS_UNREAD_IMAGE;
			g_assert_true(like || is_told(got, "part 2 a.zip > last", other));
			g_assert_true(is_told(
				got, other % 2 == 0 ? "message" : "headers", other));
		}
	}
	/* There is never more than there may be. */
	g_autoptr(MsReading) all = ms_reading_new();
	for (guint i = 0; i < 2 * MS_N_UNREAD; i++)
		add_many(all, i % MS_N_UNREAD, 100);
	g_assert_cmpuint(all->unread->len, <=, MS_READING_MAX_UNREAD);
}

/* "": it is taken. */
static void expect_fault(const MsReading *r, const char *want)
{
	g_autoptr(GBytes) bytes = ms_reading_encode(r);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReading) got = ms_reading_decode(bytes, &error);
	const char *fault = error != NULL ? strstr(error->message, "refused: ") + 9 : "";
	g_assert_cmpstr(fault, ==, want);
	g_assert_true((got != NULL) == (*want == '\0'));
}

/* Lists with as many items as there may be, and one more. */
static void test_long_lists(void)
{
	g_autoptr(MsReading) r = ms_reading_new();
	const struct {
		GPtrArray *list;
		guint most;
		const char *why;
	} lists[] = {{r->visible, MS_READING_MAX_VISIBLE, "too many addresses"},
		{r->faces, MS_READING_MAX_FACES, "too many faces"},
		{r->greeted, MS_READING_MAX_GREETED, "too many names"}};
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		for (guint k = 0; k < lists[i].most; k++)
			g_ptr_array_add(lists[i].list, g_strdup("a"));
		expect_fault(r, "");
		g_ptr_array_add(lists[i].list, g_strdup("a"));
		expect_fault(r, lists[i].why);
		g_ptr_array_set_size(lists[i].list, 0);
	}
	for (guint k = 0; k < MS_READING_MAX_UNREAD; k++) {
		MsUnread *one = g_new0(MsUnread, 1);
		*one = (MsUnread){g_strdup("part"), MS_UNREAD_DAMAGED, g_strdup("x")};
		g_ptr_array_add(r->unread, one);
	}
	expect_fault(r, "");
	MsUnread *more = g_new0(MsUnread, 1);
	*more = (MsUnread){g_strdup("part"), MS_UNREAD_DAMAGED, g_strdup("x")};
	g_ptr_array_add(r->unread, more);
	expect_fault(r, "too many unread items");
}

/* One finding, and one item that was not read, whose fields are at their bounds and beyond. */
static void test_fields(void)
{
	static const struct {
		guint kind, value, places, reason; /* how long, how many, which */
		const char *fault;
	} rows[] = {
		{64, MS_IDENTIFIER_MAX, MS_MAX_PLACES, MS_N_UNREAD - 1, ""},
		{1, 1, 0, 0, ""},
		{0, 1, 1, 0, "a finding is over its bounds"},
		{65, 1, 1, 0, "a finding is over its bounds"},
		{1, 0, 1, 0, "a finding is over its bounds"},
		{1, MS_IDENTIFIER_MAX + 1, 1, 0, "a finding is over its bounds"},
		{1, 1, MS_MAX_PLACES + 1, 0, "a finding is over its bounds"},
		{1, 1, 1, MS_N_UNREAD, "an unread item has no known reason"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(MsReading) r = ms_reading_new();
		MsFinding *f = ms_reading_find(r, "k", "v", MS_BELIEF_SHAPE, 0,
			ms_place_new("part 1", "v", 0, 1, 1));
		g_free(f->kind);
		g_free(f->value);
		f->kind = g_strnfill(rows[i].kind, 'k');
		f->value = g_strnfill(rows[i].value, 'v');
		g_ptr_array_set_size(f->places, 0);
		for (guint k = 0; k < rows[i].places; k++)
			g_ptr_array_add(f->places, ms_place_new("part 1", "v", 0, 1, 1));
		ms_reading_unread(r, "part 1", (MsUnreadReason)rows[i].reason, "x");
		expect_fault(r, rows[i].fault);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reading/texts", test_texts);
	g_test_add_func("/reading/counted", test_counted);
	g_test_add_func("/reading/hostile-either", test_hostile_either);
	g_test_add_func("/reading/hostile-names", test_hostile_names);
	g_test_add_func("/reading/round-trip", test_round_trip);
	g_test_add_func("/reading/hostile", test_hostile);
	g_test_add_func("/reading/hostile-texts", test_hostile_texts);
	g_test_add_func("/reading/many", test_many);
	g_test_add_func("/reading/damage", test_damage);
	g_test_add_func("/reading/bounds", test_bounds);
	g_test_add_func("/reading/long-lists", test_long_lists);
	g_test_add_func("/reading/fields", test_fields);
	g_test_add_func("/reading/place-cut", test_place_cut);
	g_test_add_func("/reading/place-masked", test_place_masked);
	return g_test_run();
}
