/*
 * Text comes in from a store that nobody has to trust, and goes out; from any thread.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "state.h"

#define NAME "missent-mapping="
#define FORM NAME MS_MAPPING_FORM
#define SEAL_BYTES 16
#define POSITION "position."
#define KIND "kind."

MsMapping *ms_mapping_new(void)
{
	MsMapping *mapping = g_new0(MsMapping, 1);
	mapping->references = 1;
	mapping->positions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	mapping->kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return mapping;
}

MsMapping *ms_mapping_ref(MsMapping *mapping)
{
	g_atomic_int_inc(&mapping->references);
	return mapping;
}

void ms_mapping_free(MsMapping *mapping)
{
	if (mapping == NULL || !g_atomic_int_dec_and_test(&mapping->references))
		return;
	g_free(mapping->generation);
	g_free(mapping->source);
	g_hash_table_unref(mapping->positions);
	g_hash_table_unref(mapping->kinds);
	g_free(mapping);
}

guint32 ms_mapping_slices(const MsPlaces *places)
{
	return places->slices + places->accounts;
}

guint32 ms_mapping_groups(const MsPlaces *places)
{
	return (ms_mapping_slices(places) + MS_GROUP - 1) / MS_GROUP;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void add_hex(GString *out, const char *name, const guint8 *bytes, gsize len)
{
	g_autofree char *hex = ms_hex(bytes, len);
	g_string_append_printf(out, "%s=%s\n", name, hex);
}

static void seal_of(const MsKeys *keys, const char *text, gsize len, guint8 out[SEAL_BYTES])
{
	static const char purpose[] = "state";
	const MsPiece pieces[] = {{purpose, sizeof purpose}, {text, len}};
	ms_digest_plain(keys->parts.nonce, pieces, G_N_ELEMENTS(pieces), out, SEAL_BYTES);
}

/* A source is a file's name: it must stay one line. */
static void add_source(GString *out, const char *source)
{
	g_string_append(out, "source=");
	for (const char *p = source != NULL ? source : ""; *p != '\0'; p++)
		g_string_append_c(out, g_ascii_iscntrl(*p) ? '?' : *p);
	g_string_append_c(out, '\n');
}

/* In the order of names. */
static void add_each(GString *out, const char *what, GHashTable *values)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(values), (GCompareFunc)strcmp);
	for (GList *l = names; l != NULL; l = l->next)
		g_string_append_printf(out, "%s%s=%s\n", what, (char *)l->data,
			(char *)g_hash_table_lookup(values, l->data));
}

char *ms_mapping_write(const MsMapping *m, const MsKeys *keys)
{
	GString *out = g_string_new(FORM "\n");
	g_string_append_printf(out, "generation=%s\ndigests=%d\nslices=%u\naccounts=%u\n",
		m->generation, keys->digests, m->places.slices, m->places.accounts);
	g_string_append_printf(out,
		"entries=%" G_GINT64_FORMAT "\nloaded=%" G_GINT64_FORMAT
		".%06d\nchanges=%" G_GINT64_FORMAT "\nversion=%" G_GINT64_FORMAT "\n",
		m->entries, m->loaded_us / G_USEC_PER_SEC, (int)(m->loaded_us % G_USEC_PER_SEC),
		m->changes, m->version);
	add_source(out, m->source);
	add_hex(out, "sum", m->sum.bytes, MS_FINGERPRINT);
	add_hex(out, "marks", m->marks.bytes, MS_FINGERPRINT);
	add_each(out, POSITION, m->positions);
	add_each(out, KIND, m->kinds);
	guint8 seal[SEAL_BYTES];
	seal_of(keys, out->str, out->len, seal);
	add_hex(out, "seal", seal, SEAL_BYTES);
	return g_string_free(out, FALSE);
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool take_number(const char *value, gint64 most, gint64 *out)
{
	return g_ascii_string_to_signed(value, 10, 0, most, out, NULL);
}

/* Seconds, and perhaps a fraction, which tells two imports within one apart. */
static bool take_time(const char *value, gint64 *out)
{
	gint64 seconds;
	gsize n = strcspn(value, ".");
	g_autofree char *whole = g_strndup(value, n);
	if (!take_number(whole, G_MAXINT64 / G_USEC_PER_SEC - 1, &seconds))
		return false;
	double fraction = value[n] == '.' ? g_ascii_strtod(value + n, NULL) : 0;
	*out = seconds * G_USEC_PER_SEC + (gint64)(CLAMP(fraction, 0, 1) * G_USEC_PER_SEC + 0.5);
	return true;
}

static bool take_count(const char *value, guint32 *out)
{
	gint64 n;
	if (!take_number(value, MS_MAX_SLICES, &n) || n == 0)
		return false;
	*out = (guint32)n;
	return true;
}

/* One line.  What is not known is of a later version, which may add what we need not know. */
static bool take_line(MsMapping *m, const char *name, const char *value)
{
	if (strcmp(name, "generation") == 0) {
		g_free(m->generation);
		m->generation = g_strdup(value);
	} else if (strcmp(name, "source") == 0) {
		g_free(m->source);
		m->source = g_strdup(value);
	} else if (strcmp(name, "digests") == 0) {
		m->digests = strcmp(value, "1") == 0;
	} else if (strcmp(name, "slices") == 0) {
		return take_count(value, &m->places.slices);
	} else if (strcmp(name, "accounts") == 0) {
		return take_count(value, &m->places.accounts);
	} else if (strcmp(name, "entries") == 0) {
		return take_number(value, G_MAXINT64, &m->entries);
	} else if (strcmp(name, "loaded") == 0) {
		return take_time(value, &m->loaded_us);
	} else if (strcmp(name, "changes") == 0) {
		return take_number(value, G_MAXUINT32, &m->changes);
	} else if (strcmp(name, "version") == 0) {
		return take_number(value, G_MAXINT64, &m->version);
	} else if (strcmp(name, "sum") == 0) {
		return ms_unhex(value, m->sum.bytes, MS_FINGERPRINT);
	} else if (strcmp(name, "marks") == 0) {
		return ms_unhex(value, m->marks.bytes, MS_FINGERPRINT);
	} else if (g_str_has_prefix(name, POSITION)) {
		g_hash_table_insert(
			m->positions, g_strdup(name + strlen(POSITION)), g_strdup(value));
	} else if (g_str_has_prefix(name, KIND)) {
		g_hash_table_insert(m->kinds, g_strdup(name + strlen(KIND)), g_strdup(value));
	}
	return true;
}

static bool take_lines(MsMapping *m, const char *text, gsize len)
{
	g_autofree char *copy = g_strndup(text, len);
	g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char *equals = strchr(*line, '=');
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (!take_line(m, *line, equals + 1))
			return false;
	}
	return m->generation != NULL && m->places.slices > 0 && m->places.accounts > 0;
}

static bool seal_fits(const char *text, const MsKeys *keys, const char *seal)
{
	guint8 want[SEAL_BYTES], got[SEAL_BYTES];
	g_autofree char *value = g_strndup(seal, strcspn(seal, "\n"));
	seal_of(keys, text, (gsize)(seal - strlen("seal=") - text), want);
	return ms_unhex(value, got, sizeof got) && memcmp(want, got, sizeof got) == 0;
}

MsMapping *ms_mapping_read(const char *text, const MsKeys *keys, const char **why_out)
{
	g_autoptr(MsMapping) m = ms_mapping_new();
	const char *seal = strstr(text, "\nseal=");
	seal = seal != NULL ? seal + strlen("\nseal=") : NULL;
	int order = g_str_has_prefix(text, NAME) ? atoi(text + strlen(NAME)) - atoi(MS_MAPPING_FORM)
						 : 0;
	*why_out = order < 0
		? "it was imported by an earlier version; import it again (missent directory import)"
		: "it was imported by a later version than this host's: bring missent here up to date";
	if (order != 0)
		return NULL;
	*why_out = "its state has not the right form";
	if (!g_str_has_prefix(text, FORM "\n") || seal == NULL ||
		!take_lines(m, text, (gsize)(seal - text)))
		return NULL;
	*why_out = m->digests ? "it was written with digests = yes, the configuration says no"
			      : "it was written with digests = no, the configuration says yes";
	if (m->digests != keys->digests)
		return NULL;
	*why_out =
		"its state does not verify: it was made with another site key, or changed; import it anew "
		"(missent directory import)";
	return seal_fits(text, keys, seal) ? g_steal_pointer(&m) : NULL;
}

bool ms_mapping_places(const char *text, MsPlaces *out)
{
	const char *slices = strstr(text, "\nslices="), *accounts = strstr(text, "\naccounts=");
	if (slices == NULL || accounts == NULL)
		return false;
	g_autofree char *s = g_strndup(slices + 8, strcspn(slices + 8, "\n"));
	g_autofree char *a = g_strndup(accounts + 10, strcspn(accounts + 10, "\n"));
	return take_count(s, &out->slices) && take_count(a, &out->accounts);
}
