/*
 * A pause is a file: it is there before missentd is, survives it, and nothing has to listen for
 * it.  What can let all mail go is believed only when nobody but root or we ourselves can have
 * written it, and ends by the clock: one that went back ends it too.  Any thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/pause.h"
#include "missent/text.h"

#define NAME "pause.json"
#define MOST_BYTES 8192

void ms_pause_clear(MsPause *pause)
{
	g_clear_pointer(&pause->who, g_free);
	g_clear_pointer(&pause->why, g_free);
}

static MsAnswer distrust(GError **error, const char *path, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: %s; nothing is paused", path, why);
	return MS_CONFIG;
}

/* Its folder's owner is who missentd runs as. */
static const char *distrusted(int fd, const char *state_dir)
{
	struct stat file, folder;
	if (fstat(fd, &file) != 0 || stat(state_dir, &folder) != 0 || !S_ISREG(file.st_mode))
		return "it is no file";
	if (file.st_uid != 0 && file.st_uid != folder.st_uid)
		return "it is neither root's nor of who owns the folder";
	if (file.st_mode & 0022)
		return "others may write to it";
	return NULL;
}

static MsAnswer take(const char *path, const char *text, gsize len, gint64 most_ms, gint64 now,
	MsPause *out, GError **error)
{
	json_t *json = json_loadb(text, len, 0, NULL);
	json_int_t since = 0, until = 0;
	const char *who = NULL, *why = NULL;
	if (json == NULL ||
		json_unpack(json, "{s:I, s:I, s:s, s:s}", "since", &since, "until", &until, "who",
			&who, "why", &why) != 0) {
		json_decref(json);
		return distrust(error, path, "it is damaged");
	}
	gint64 most = most_ms * 1000;
	bool now_is_in = since <= now && since > now - most && now < until;
	if (now_is_in)
		*out = (MsPause){since, MIN(until, since + most), g_strdup(who), g_strdup(why)};
	json_decref(json);
	return now_is_in ? MS_FOUND : MS_ABSENT;
}

MsAnswer ms_pause_read(
	const char *state_dir, gint64 most_ms, gint64 now, MsPause *out, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, NAME, NULL);
	char text[MOST_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return MS_ABSENT;
	if (fd < 0)
		return distrust(error, path, g_strerror(errno));
	const char *why = distrusted(fd, state_dir);
	ssize_t n = why == NULL ? read(fd, text, sizeof text) : 0;
	close(fd);
	if (why != NULL || n < 0)
		return distrust(error, path, why != NULL ? why : "it cannot be read");
	return take(path, text, (gsize)n, most_ms, now, out, error);
}

static bool failed(const char *path, GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", path, g_strerror(errno));
	return false;
}

bool ms_pause_begin(const char *state_dir, const MsPause *pause, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, NAME, NULL);
	json_t *json = json_pack("{s:I, s:I, s:s, s:s}", "since", (json_int_t)pause->since, "until",
		(json_int_t)pause->until, "who", pause->who, "why", pause->why);
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (text == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "who or why is not UTF-8");
		return false;
	}
	bool fine = ms_io_replace(path, text, strlen(text), 0640, true) || failed(path, error);
	free(text);
	return fine;
}

MsAnswer ms_pause_end(const char *state_dir, GError **error)
{
	g_autofree char *path = g_build_filename(state_dir, NAME, NULL);
	/* One that has ended must not be there again when the power comes back. */
	bool gone = unlink(path) == 0;
	if (gone && ms_io_sync_folder(state_dir))
		return MS_FOUND;
	if (!gone && errno == ENOENT)
		return MS_ABSENT;
	failed(path, error);
	return MS_RETRY;
}

gint64 ms_pause_until(const MsPause *pause)
{
	return (pause->until + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
}

char *ms_pause_words(const MsPause *pause)
{
	g_autofree char *time = ms_text_time(
		ms_pause_until(pause) * G_USEC_PER_SEC, MS_ZONE_LOCAL, MS_TIME_SECONDS);
	g_autofree char *who = ms_text_escape(pause->who, -1, MS_PAUSE_WHY);
	g_autofree char *why = ms_text_escape(pause->why, -1, MS_PAUSE_WHY);
	return g_strdup_printf(
		"missent is paused until %s (%s: %s): mail is let through as observed", time, who,
		why);
}
