/*
 * Names and contents of the files of C2SP tlog-tiles.  Any thread: what is read and written is the
 * caller's.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "tlog_private.h"

#define MAX_TILE_FILE (MS_TILE * (MS_TLOG_MAX_ENTRY + 2))

char *ms_tile_path(const char *folder, int level, guint64 n, guint width)
{
	GString *path = g_string_new(folder);
	if (level == MS_ENTRIES)
		g_string_append(path, "/tile/entries/");
	else
		g_string_append_printf(path, "/tile/%d/", level);
	guint64 unit = 1;
	while (n / unit >= 1000)
		unit *= 1000;
	for (; unit > 1; unit /= 1000)
		g_string_append_printf(path, "x%03u/", (guint)(n / unit % 1000));
	g_string_append_printf(path, "%03u", (guint)(n % 1000));
	if (width < MS_TILE)
		g_string_append_printf(path, ".p/%u", width);
	return g_string_free(path, FALSE);
}

GBytes *ms_tile_file(const char *path, GError **error)
{
	char *data = NULL;
	gsize len = 0;
	g_autoptr(GError) why = NULL;
	if (!ms_io_contents(path, &data, &len, &why)) {
		if (!g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)
			&& !g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s", why->message);
		return NULL;
	}
	if (len > MAX_TILE_FILE) {
		g_free(data);
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s is too long", path);
		return NULL;
	}
	return g_bytes_new_take(data, len);
}

/* The widest partial tile; 0: there is none. */
static guint widest(const char *folder, int level, guint64 n)
{
	g_autofree char *path = ms_tile_path(folder, level, n, MS_TILE);
	g_autofree char *partial = g_strconcat(path, ".p", NULL);
	g_autoptr(GDir) dir = g_dir_open(partial, 0, NULL);
	guint best = 0;
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		guint64 width = 0;
		if (g_ascii_string_to_unsigned(name, 10, 1, MS_TILE - 1, &width, NULL))
			best = MAX(best, (guint)width);
	}
	return best;
}

guint ms_tile_hashes(
	const char *folder, int level, guint64 n, guint width, MsHash *out, GError **error)
{
	const guint widths[] = {MS_TILE, widest(folder, level, n)};
	for (gsize i = 0; i < G_N_ELEMENTS(widths) && widths[i] > 0; i++) {
		g_autofree char *path = ms_tile_path(folder, level, n, widths[i]);
		g_autoptr(GError) why = NULL;
		g_autoptr(GBytes) bytes = ms_tile_file(path, &why);
		if (why != NULL) {
			g_propagate_error(error, g_steal_pointer(&why));
			return 0;
		}
		if (bytes == NULL || g_bytes_get_size(bytes) != widths[i] * sizeof *out)
			continue;
		guint some = MIN(width, widths[i]);
		memcpy(out, g_bytes_get_data(bytes, NULL), some * sizeof *out);
		return some;
	}
	return 0;
}

bool ms_bundle_parse(const char *data, gsize len, GArray *slots, gsize *whole_out)
{
	gsize at = 0;
	g_array_set_size(slots, 0);
	while (at + 2 <= len) {
		gsize n = (gsize)((guint8)data[at] << 8 | (guint8)data[at + 1]);
		if (n > len - at - 2)
			break;
		const MsSlot slot = {data + at + 2, n};
		g_array_append_val(slots, slot);
		at += 2 + n;
	}
	if (whole_out != NULL)
		*whole_out = at;
	return at == len;
}
