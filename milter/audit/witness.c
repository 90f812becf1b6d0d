/*
 * A host's answer for its log comes in; the checkpoint that is kept of it is replaced, or it is
 * refused and why.  Kept is a file a host: its verifier key, the time, and the note.  Who
 * rewrites a log with its key, or rolls it back, has no proof that leads from what is kept to
 * what he has.  One thread at a time of a folder and host.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/io.h"
#include "missent/text.h"
#include "missent/witness.h"

#include "audit_private.h"

#define ENDING ".checkpoint"

void ms_kept_clear(MsKept *kept)
{
	g_clear_pointer(&kept->host, g_free);
	g_clear_pointer(&kept->vkey, g_free);
	ms_checkpoint_clear(&kept->checkpoint);
}

/* ---- for who asks --------------------------------------------------------------------- */

static json_t *hashes_of(guint8 hashes[][MS_HASH_BYTES], guint n)
{
	json_t *list = json_array();
	for (guint i = 0; i < n; i++) {
		g_autofree char *text = g_base64_encode(hashes[i], MS_HASH_BYTES);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

json_t *ms_witness_answer(const char *path, guint64 size, GError **error)
{
	g_autofree char *folder = ms_audit_folder(path);
	guint8 hashes[MS_PROOF_MAX][MS_HASH_BYTES];
	guint n = 0;
	g_autoptr(GError) why = NULL;
	if (!g_file_test(folder, G_FILE_TEST_EXISTS))
		return json_pack("{s:b}", "none", 1);
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &why);
	const MsCheckpoint *now = log != NULL ? ms_tlog_checkpoint(log) : NULL;
	if (now != NULL && now->text != NULL && size <= now->size)
		ms_tlog_consistency(log, size, hashes, &n, &why);
	bool pruned = now != NULL && size < ms_tlog_minimum(log);
	if (g_error_matches(why, MS_ERROR, MS_ERROR_INPUT) && !pruned)
		return json_pack("{s:s}", "damaged", why->message);
	if (g_error_matches(why, MS_ERROR, MS_ERROR_INPUT))
		return json_pack("{s:s, s:s, s:I}", "vkey", ms_tlog_vkey(log), "checkpoint",
			now->text, "pruned", (json_int_t)ms_tlog_minimum(log));
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	if (now->text == NULL)
		return json_pack("{s:b}", "none", 1);
	return json_pack("{s:s, s:s, s:o}", "vkey", ms_tlog_vkey(log), "checkpoint", now->text,
		"hashes", hashes_of(hashes, n));
}

/* ---- what is kept --------------------------------------------------------------------- */

/* Any name is one of a file below the folder. */
static char *path_of(const char *folder, const char *host)
{
	g_autofree char *name = g_uri_escape_string(host, NULL, FALSE);
	return g_strconcat(folder, "/of-", name, ENDING, NULL);
}

bool ms_witness_kept(const char *folder, const char *host, MsKept *out, GError **error)
{
	g_autofree char *path = path_of(folder, host), *text = NULL;
	g_autoptr(GError) why = NULL;
	if (!ms_io_contents(path, &text, NULL, &why)) {
		if (!g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", why->message);
		return false;
	}
	g_auto(GStrv) parts = g_strsplit(text, "\n", 3); /* key, time, note */
	MsCheckpoint checkpoint = {0};
	if (g_strv_length(parts) != 3 ||
		!ms_checkpoint_parse(parts[2], strlen(parts[2]), parts[0], &checkpoint, NULL)) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s is not what was written: missent audit witness --forget %s", path,
			host);
		return false;
	}
	*out = (MsKept){g_strdup(host), g_strdup(parts[0]), checkpoint,
		g_ascii_strtoll(parts[1], NULL, 10)};
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *ms_witness_hosts(const char *folder)
{
	GPtrArray *hosts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		if (!g_str_has_prefix(name, "of-") || !g_str_has_suffix(name, ENDING))
			continue;
		char *host = g_uri_unescape_segment(
			name + 3, name + strlen(name) - strlen(ENDING), NULL);
		if (host != NULL)
			g_ptr_array_add(hosts, host);
	}
	g_ptr_array_sort(hosts, by_name);
	return hosts;
}

static bool keep(const char *folder, const char *host, const char *vkey,
	const MsCheckpoint *checkpoint, GError **error)
{
	g_autofree char *path = path_of(folder, host);
	g_autofree char *text = g_strdup_printf(
		"%s\n%" G_GINT64_FORMAT "\n%s", vkey, g_get_real_time(), checkpoint->text);
	if (ms_io_make_folder(folder, 0750) && ms_io_replace(path, text, strlen(text), 0640, true))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
	return false;
}

/* ---- taking --------------------------------------------------------------------------- */

static guint hashes_from(const json_t *list, guint8 hashes[][MS_HASH_BYTES])
{
	guint n = 0;
	for (gsize i = 0; i < json_array_size(list) && n < MS_PROOF_MAX; i++) {
		gsize len = 0;
		const char *text = json_string_value(json_array_get(list, i));
		g_autofree guint8 *raw = text != NULL ? g_base64_decode(text, &len) : NULL;
		if (raw != NULL && len == MS_HASH_BYTES)
			memcpy(hashes[n++], raw, MS_HASH_BYTES);
	}
	return n;
}

#define WORDS_MOST 1000 /* of a host that may send megabytes, and another of them each time */

static MsWitness refuse(char **why_out, const char *format, ...) G_GNUC_PRINTF(2, 3);
static MsWitness refuse(char **why_out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	*why_out = ms_text_escape(text, -1, WORDS_MOST);
	return MS_WITNESS_REFUSED;
}

#define SKEW_US (3600 * (gint64)G_USEC_PER_SEC) /* of two hosts' clocks */

/* What it would have to prove is gone there.  That is right of lines as old as lines may become,
 * and of those alone: who writes a trail anew may say it too. */
static MsWitness resume(const MsKept *old, gint64 lines_ms, char **why_out)
{
	gint64 lines = lines_ms * 1000, age = g_get_real_time() - old->time;
	if (lines > 0 && age > lines - MIN(SKEW_US, lines / 10))
		return MS_WITNESS_RESUMED;
	g_autofree char *time = ms_text_time(old->time, MS_ZONE_UTC, "%Y-%m-%d %H:%M UTC");
	return refuse(why_out,
		"it has removed the lines after the checkpoint that is kept here, which was taken %s: here "
		"lines are kept %s (audit { keep }).  If it may: missent audit witness --forget %s",
		time, lines > 0 ? "longer" : "for ever", old->host);
}

static MsWitness compare(const MsKept *old, const MsCheckpoint *new, const json_t *answer,
	gint64 lines_ms, char **why_out)
{
	guint8 hashes[MS_PROOF_MAX][MS_HASH_BYTES];
	const MsCheckpoint *kept = &old->checkpoint;
	json_int_t pruned = json_integer_value(json_object_get(answer, "pruned"));
	if (new->size < kept->size)
		return refuse(why_out,
			"its trail was rolled back: it had %" G_GUINT64_FORMAT
			" entries, and has %" G_GUINT64_FORMAT,
			kept->size, new->size);
	if (ms_checkpoint_same(kept, new))
		return MS_WITNESS_SAME;
	if (pruned > 0 && (guint64)pruned > kept->size)
		return resume(old, lines_ms, why_out);
	guint n = hashes_from(json_object_get(answer, "hashes"), hashes);
	if (!ms_consistency_check(kept, new, hashes, n))
		return refuse(why_out,
			"its trail was written anew: the first %" G_GUINT64_FORMAT
			" entries are not those of the "
			"checkpoint that is kept here",
			kept->size);
	return MS_WITNESS_GREW;
}

/* Of which other host a log with this key is kept: one of the two has a copy.  The caller's; NULL:
 * of none. */
static char *other_host(const char *folder, const char *host, const char *vkey)
{
	g_autoptr(GPtrArray) hosts = ms_witness_hosts(folder);
	for (guint i = 0; i < hosts->len; i++) {
		g_auto(MsKept) kept = {0};
		if (strcmp(hosts->pdata[i], host) != 0 &&
			ms_witness_kept(folder, hosts->pdata[i], &kept, NULL) &&
			strcmp(kept.vkey, vkey) == 0)
			return g_strdup(kept.host);
	}
	return NULL;
}

static MsWitness take_first(
	const char *folder, const char *host, const char *vkey, char **why_out)
{
	g_autofree char *other = other_host(folder, host, vkey);
	if (other == NULL)
		return MS_WITNESS_FIRST;
	return refuse(why_out,
		"its trail has the key of %s: one of the two is a copy.  If %s has this name now: "
		"missent audit witness --forget %s; if not: missent audit begin on %s",
		other, other, other, host);
}

static const char *word(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	return text != NULL ? text : "";
}

bool ms_witness_take(const char *folder, const char *host, const json_t *answer, gint64 lines_ms,
	MsWitness *how_out, char **why_out, GError **error)
{
	g_auto(MsKept) old = {0};
	g_auto(MsCheckpoint) new = {0};
	g_autoptr(GError) why = NULL;
	bool kept = ms_witness_kept(folder, host, &old, &why);
	const char *vkey = word(answer, "vkey"), *note = word(answer, "checkpoint"),
		   *damaged = word(answer, "damaged");
	*how_out = MS_WITNESS_SAME;
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	if (*damaged != '\0')
		*how_out = refuse(why_out, "%s", damaged);
	else if (json_is_true(json_object_get(answer, "none")))
		*how_out = !kept
			? MS_WITNESS_SAME
			: refuse(why_out,
				  "it has no trail any more; it had %" G_GUINT64_FORMAT " entries",
				  old.checkpoint.size);
	else if (kept && strcmp(old.vkey, vkey) != 0)
		*how_out = refuse(why_out,
			"its trail has another key (%s) than it had (%s): if a new one was begun there, missent "
			"audit witness --forget %s",
			vkey, old.vkey, host);
	else if (!ms_checkpoint_parse(note, strlen(note), vkey, &new, &why))
		*how_out = refuse(why_out, "%s", why->message);
	else
		*how_out = kept ? compare(&old, &new, answer, lines_ms, why_out)
				: take_first(folder, host, vkey, why_out);
	return *how_out == MS_WITNESS_SAME || *how_out == MS_WITNESS_REFUSED ||
		keep(folder, host, vkey, &new, error);
}

bool ms_witness_forget(const char *folder, const char *host, GError **error)
{
	g_autofree char *path = path_of(folder, host);
	g_autofree char *aside = g_strdup_printf("%s.%" G_GINT64_FORMAT, path, g_get_real_time());
	if (g_rename(path, aside) == 0)
		return true;
	g_set_error(error, MS_ERROR, errno == ENOENT ? MS_ERROR_INPUT : MS_ERROR_RETRY,
		"of %s no checkpoint can be set aside: %s", host, g_strerror(errno));
	return false;
}
