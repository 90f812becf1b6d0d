#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "missent/answer.h"

#include "audit_private.h"

/*
 * The trail comes in, the oldest file first; each line goes to who asks for it, parsed.  Files that
 * were rotated away lie beside the one in use ("audit.jsonl.2.gz", "audit.jsonl-20261126") and have
 * their place by the time of their first line.
 */

#define MAX_LINE (64u << 20)

typedef struct {
	char *path;
	gint64 time; /* of its first line */
	bool current;
} File;

typedef struct {
	gint64 from, to;
	MsAuditTake take;
	void *user;
	guint64 number;
	gint64 time; /* of the line before */
} Reading;

static void free_file(void *data)
{
	File *file = data;
	g_free(file->path);
	g_free(file);
}

static gint64 time_of(const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "time"));
	g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;
	return time != NULL ? g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time) : -1;
}

/* Lines of before there were types. */
static const char *type_of(const json_t *line)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	return type != NULL ? type : json_object_get(line, "event") != NULL ? "act" : "message";
}

/* One line without its end; NULL at the end of the file, or with `*error`. */
static char *next_line(gzFile in, GString *line, const char *path, GError **error)
{
	char piece[16384];
	g_string_truncate(line, 0);
	while (gzgets(in, piece, sizeof piece) != NULL) {
		g_string_append(line, piece);
		if (line->len > 0 && line->str[line->len - 1] == '\n') {
			g_string_truncate(line, line->len - 1);
			return line->str;
		}
		if (line->len > MAX_LINE)
			break;
	}
	int code = Z_OK;
	const char *why = gzerror(in, &code);
	if (code != Z_OK && code != Z_STREAM_END)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be read: %s", path,
			code == Z_ERRNO ? g_strerror(errno) : why);
	return line->len > 0 && code != Z_ERRNO ? line->str : NULL;
}

/* False: enough, or `*error`. */
static bool give(Reading *r, const char *text, gsize len, GError **error)
{
	json_t *json = json_loadb(text, len, 0, NULL);
	gint64 time = json_is_object(json) ? time_of(json) : -1;
	bool damaged = time < 0;
	r->time = damaged ? r->time : time;
	const MsAuditLine line = {r->number++, r->time, damaged ? "" : type_of(json), text, len,
		damaged ? NULL : json};
	bool go_on = r->time < r->from || r->time >= r->to || r->take(&line, r->user, error);
	json_decref(json);
	return go_on;
}

static bool give_file(Reading *r, const File *file, bool *enough_out, GError **error)
{
	gzFile in = gzopen(file->path, "rbe");
	if (in == NULL) {
		if (errno == ENOENT)
			return true;
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be read: %s", file->path, g_strerror(errno));
		return false;
	}
	g_autoptr(GString) line = g_string_new(NULL);
	g_autoptr(GError) why = NULL;
	while (!*enough_out && why == NULL && next_line(in, line, file->path, &why) != NULL)
		*enough_out = !give(r, line->str, line->len, &why);
	gzclose(in);
	if (why == NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(&why));
	return false;
}

/* ---- which files ---------------------------------------------------------------------- */

static gint64 first_time(const char *path)
{
	gint64 time = -1;
	gzFile in = gzopen(path, "rbe");
	g_autoptr(GString) line = g_string_new(NULL);
	while (in != NULL && time < 0 && next_line(in, line, path, NULL) != NULL) {
		json_t *json = json_loadb(line->str, line->len, 0, NULL);
		time = json_is_object(json) ? time_of(json) : -1;
		json_decref(json);
	}
	if (in != NULL)
		gzclose(in);
	return time;
}

static int by_time(const void *a, const void *b)
{
	const File *one = *(File *const *)a, *two = *(File *const *)b;
	if (one->current != two->current)
		return one->current ? 1 : -1;
	return one->time < two->time ? -1 : one->time > two->time ? 1 : strcmp(one->path, two->path);
}

/* "audit.jsonl" and a number or a date, and nothing else that may lie there. */
static bool is_rotated(const char *name, const char *base)
{
	if (!g_str_has_prefix(name, base))
		return false;
	const char *rest = name + strlen(base);
	return (*rest == '.' || *rest == '-') && g_ascii_isdigit(rest[1]);
}

static GPtrArray *files_of(const char *path)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(free_file);
	g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		bool current = strcmp(name, base) == 0;
		if (!current && !is_rotated(name, base))
			continue;
		File *file = g_new0(File, 1);
		file->path = g_build_filename(folder, name, NULL);
		file->current = current;
		file->time = current ? 0 : first_time(file->path);
		g_ptr_array_add(files, file);
	}
	g_ptr_array_sort(files, by_time);
	return files;
}

bool ms_audit_each(const char *path, gint64 from, gint64 to, MsAuditTake take, void *user,
	GError **error)
{
	g_autoptr(GPtrArray) files = files_of(path);
	Reading r = {from, to, take, user, 0, 0};
	bool enough = false;
	for (guint i = 0; i < files->len && !enough; i++)
		if (!give_file(&r, files->pdata[i], &enough, error))
			return false;
	return true;
}
