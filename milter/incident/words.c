/* Times and spans in words, and what is not known, a sentence each.  Pure functions of the
 * incident. */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "incident_private.h"

char *incident_time(gint64 us)
{
	return us != 0 ? ms_text_time(us, MS_ZONE_UTC, MS_TIME_SECONDS " UTC")
		       : g_strdup("not known");
}

/* As a line has it. */
char *incident_iso(gint64 us)
{
	g_autofree char *second = ms_text_time(us, MS_ZONE_UTC, "%Y-%m-%dT%H:%M:%S");
	return g_strdup_printf("%s.%03dZ", second, (int)(us / 1000 % 1000));
}

char *incident_span(gint64 us)
{
	gint64 s = us / G_USEC_PER_SEC;
	if (s < 60)
		return g_strdup_printf("%d s", (int)s);
	if (s < 3600)
		return g_strdup_printf("%d min %d s", (int)(s / 60), (int)(s % 60));
	if (s < 86400)
		return g_strdup_printf("%d h %d min", (int)(s / 3600), (int)(s % 3600 / 60));
	return g_strdup_printf("%d d %d h", (int)(s / 86400), (int)(s % 86400 / 3600));
}

/* ---- what is not known ------------------------------------------------------------------ */

static void say(GPtrArray *gaps, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(GPtrArray *gaps, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(gaps, g_strdup_vprintf(format, args));
	va_end(args);
}

static void say_holes(const MsIncident *incident, GPtrArray *gaps)
{
	gint64 to = MIN(incident->ask.to, incident->ask.now);
	g_autofree char *a = incident_time(incident->ask.from), *b = incident_time(to);
	g_autofree char *begins = incident_time(incident->begins);
	if (incident->lines == 0) {
		say(gaps,
			"There is no audit trail of this time (%s to %s)%s%s: nothing is known of it, which does not mean "
			"that nothing happened.",
			a, b, incident->begins > 0 ? "; the trail begins at " : "",
			incident->begins > 0 ? begins : "");
		return;
	}
	for (guint i = 0; i < incident->holes->len; i++)
		g_ptr_array_add(gaps, listen_words(incident, incident->holes->pdata[i]));
	g_autofree char *sum = incident_span(incident->holes_more_us);
	if (incident->holes_more > 0)
		say(gaps, "So it is of %" G_GUINT64_FORMAT " further times, of %s together.",
			incident->holes_more, sum);
}

static void say_odd_lines(const MsIncident *incident, GPtrArray *gaps)
{
	g_autofree char *back = incident_time(incident->back_at);
	if (incident->back_at > 0)
		say(gaps, "The clock went back after %s: times near it are not sure.", back);
	g_autofree char *damaged = incident_time(incident->damaged_at);
	if (incident->damaged > 0)
		say(gaps,
			"%" G_GUINT64_FORMAT
			" line%s damaged (the first after %s): what stood there is not known.",
			incident->damaged, incident->damaged == 1 ? " is" : "s are", damaged);
}

/* Lines are worth what the log that has them proves. */
static void say_proofs(const MsIncident *incident, GPtrArray *gaps)
{
	for (guint i = 0; i < incident->sources->len; i++) {
		const Source *source = &g_array_index(incident->sources, Source, i);
		const MsAuditProof *proof = &source->proof;
		const char *of = *source->host != '\0' ? " of " : "";
		if (proof->plain && incident->lines > 0)
			say(gaps,
				"The lines%s%s stand in a plain file: nothing proves that they are those that were "
				"written, or all of them.",
				of, source->host);
		if (proof->wrong > 0)
			say(gaps,
				"The audit trail%s%s is not whole, in %" G_GUINT64_FORMAT
				" place%s (the first: %s; missent audit verify): what was removed or "
				"changed there is not known, and what follows may be less than happened.",
				of, source->host, proof->wrong, proof->wrong == 1 ? "" : "s",
				proof->where);
	}
}

static void say_of(GPtrArray *gaps, guint64 n, const char *what)
{
	if (n > 0)
		say(gaps, "%" G_GUINT64_FORMAT " message%s %s", n, n == 1 ? "" : "s", what);
}

static void say_sums(const MsIncident *incident, GPtrArray *gaps)
{
	const MsIncidentSum *s = &incident->sum;
	say_of(gaps, s->messages.of[MS_FATE_UNTOLD],
		"held, of which neither records nor decisions say what became of it for those whom it "
		"concerns: whether they were released is not known.");
	if (s->contradicted > 0)
		say(gaps,
			"%" G_GUINT64_FORMAT
			" message%s that the trail says %s released, and the records say nobody got, or not those "
			"who did: one of the two was changed, or is behind; where the trail does not say to whom, "
			"whether they got out is not known.",
			s->contradicted, s->contradicted == 1 ? "" : "s",
			s->contradicted == 1 ? "was" : "were");
	say_of(gaps, s->without_digests,
		"whose line has no digests: recipients, accounts and identifiers of them are not in "
		"the numbers below.");
	say_of(gaps, s->cut,
		"with more recipients, identifiers or owners than a line keeps, or from before lines told what is "
		"whose: numbers of whom are at least what is said.");
	say_of(gaps, s->other_key,
		"whose digests were made with another key (or none): they could not be looked through for "
		"what was asked, and are not counted.");
	if (s->keys > 1)
		say(gaps,
			"The key of the digests changed in this time (%" G_GUINT64_FORMAT
			" keys): who was concerned under two "
			"keys is counted twice.",
			s->keys);
	say_of(gaps, s->unread,
		"delivered although not all of them could be read: what was in there is not known.");
	say_of(gaps, s->unknown,
		"with customers' data delivered to recipients whom the directory does not know: whether "
		"that was right is not known.");
	say_of(gaps, incident->unjudged,
		"came while the directory could not be asked: whose data was in them is not known.");
}

const GPtrArray *ms_incident_gaps(MsIncident *incident)
{
	incident_settle(incident);
	if (incident->gaps != NULL)
		return incident->gaps;
	incident->gaps = g_ptr_array_new_with_free_func(g_free);
	say_holes(incident, incident->gaps);
	say_proofs(incident, incident->gaps);
	say_odd_lines(incident, incident->gaps);
	say_sums(incident, incident->gaps);
	return incident->gaps;
}
