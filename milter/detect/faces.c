/*
 * One invoice has several faces: the mail that says whose it is, the pages of the PDF, the
 * e-invoice within it.  Which customer each of them names is asked of the findings that a label
 * or a field vouches for; faces that have no customer in common contradict each other.  The
 * worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/detect.h"

/* Says whether some faces of `a` and some of `b` name customers, and none the same. */
static bool differ(const MsReading *reading, const char *kind, guint64 a, guint64 b)
{
	const guint vouched = MS_BELIEF_LABELLED | MS_BELIEF_FIELD;
	const guint weak = MS_BELIEF_TENTATIVE | MS_BELIEF_SELLER | MS_BELIEF_SCHEME;
	bool in_a = false, in_b = false;
	for (guint i = 0; i < reading->findings->len; i++) {
		const MsFinding *f = reading->findings->pdata[i];
		if (strcmp(f->kind, kind) != 0)
			continue;
		if ((f->faces & a) != 0 && (f->faces & b) != 0)
			return false;
		if ((f->belief & vouched) == 0 || (f->belief & weak) != 0)
			continue;
		in_a |= (f->faces & a) != 0;
		in_b |= (f->faces & b) != 0;
	}
	return in_a && in_b;
}

static void compare(MsReading *reading, const MsKinds *kinds, guint first, guint64 a, guint second,
	guint64 b)
{
	for (guint i = 0; i < ms_kinds_count(kinds); i++) {
		const MsKind *kind = ms_kinds_nth(kinds, i);
		if (kind->names_buyer && differ(reading, kind->name, a, b))
			ms_reading_contradict(reading, reading->faces->pdata[second],
				reading->faces->pdata[first], kind->name,
				"another %s than in %s", kind->name,
				first == 0 ? "the mail itself" : "the document that it is in");
	}
}

/* "part 2 a.pdf > factur-x.xml" is within "part 2 a.pdf". */
static bool is_within(const char *inner, const char *outer)
{
	gsize n = strlen(outer);
	return strncmp(inner, outer, n) == 0 && g_str_has_prefix(inner + n, " > ");
}

void ms_detect_contradictions(const MsKinds *kinds, MsReading *reading)
{
	guint n = MIN(reading->faces->len, MS_READING_MAX_FACES - 1);
	if (n < 2)
		return;
	compare(reading, kinds, 0, 1, 1, ((1ULL << n) - 1) & ~1ULL);
	for (guint i = 1; i < n; i++)
		for (guint k = i + 1; k < n; k++)
			if (is_within(reading->faces->pdata[k], reading->faces->pdata[i]))
				compare(reading, kinds, i, 1ULL << i, k, 1ULL << k);
}
