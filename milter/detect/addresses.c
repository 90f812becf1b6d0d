#include "config.h"

#include <string.h>

#include "missent/postal.h"

#include "detect_private.h"

/* Postal addresses that the directory knows, wherever they stand (postal.h). */

typedef struct {
	Search *search;
	const MsKind *kind;
} Sink;

static bool may(const char *key, MsPostalDepth depth, void *user)
{
	const Sink *sink = user;
	char part[512];
	bool cut = depth == MS_POSTAL_CODE || depth == MS_POSTAL_NUMBER;
	gsize len = g_strlcpy(part, key, sizeof part - 1);
	if (len >= sizeof part - 1)
		return false;
	if (cut)
		part[len++] = '/';
	return ms_filters_have(sink->search->known, sink->kind->name, part, len);
}

static void found(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	const Sink *sink = user;
	g_autofree char *place = g_strdup(key);
	if (depth == MS_POSTAL_NAME)
		*strrchr(place, '/') = '\0';
	ms_detect_add_value(sink->search, sink->kind, start, end, place,
		MS_BELIEF_TENTATIVE | MS_BELIEF_SHAPE | (depth == MS_POSTAL_NAME ? MS_BELIEF_CHECKED : 0));
}

void ms_detect_addresses(Search *s)
{
	if (s->known == NULL || (s->known->parts[0] == NULL && s->known->parts[1] == NULL))
		return;
	for (guint i = 0; i < ms_kinds_count(s->kinds); i++) {
		const MsKind *kind = ms_kinds_nth(s->kinds, i);
		if (kind->form != MS_FORM_ADDRESS || !kind->known)
			continue;
		Sink sink = {s, kind};
		MsPostalSink to = {may, found, &sink};
		ms_postal_find(s->fold->text, s->fold->len, false, &to);
	}
}
