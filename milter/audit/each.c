/*
 * The trail comes in; each line goes to who asks for it, parsed; what is split over several
 * entries is one line again.  The plain files of older versions are read too, the oldest first:
 * those that were rotated away lie beside the one in use ("audit.jsonl.2.gz",
 * "audit.jsonl-20261126") and have their place by the time of their first line.
 *
 * That a message was not done after all is said by a later line.  The trail is gone through for
 * those first, so that nobody who reads it has to know of them.  Nor of how a decision is written
 * down: its end is told before the ledger has it, and again where that was interrupted; such a line
 * is marked.  The thread of who asks, beside those that write.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "missent/answer.h"
#include "missent/digest.h"
#include "missent/io.h"

#include "audit_private.h"

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
	gint64 time;  /* of the line before */
	gint64 first; /* of the first line; 0: there was none */
	GHashTable *undone; /* of a message's name: the act's detail; NULL: none is */
	GHashTable *ended;  /* of decisions whose end was told; NULL: it is not asked for */
	bool unparsed;
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
	return time != NULL
		? g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time)
		: -1;
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

/* ---- what was not done ------------------------------------------------------------------ */

static const char *text_of(const json_t *line, const char *field)
{
	const char *text = json_string_value(json_object_get(line, field));
	return text != NULL ? text : "";
}

static char *name_of(const json_t *line)
{
	return g_strjoin("\n", text_of(line, "host"), text_of(line, "queue_id"),
		text_of(line, "arrived"), NULL);
}

/* Few lines are worth parsing. */
static bool may_undo(const char *text, gsize len)
{
	static const char event[] = "\"undone\"";
	return memmem(text, len, event, sizeof event - 1) != NULL;
}

static bool take_undone(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	if (strcmp(line->type, MS_AUDIT_ACT) == 0 &&
		ms_event_named(text_of(line->json, "event")) == MS_EVENT_UNDONE)
		g_hash_table_insert(
			user, name_of(line->json), g_strdup(text_of(line->json, "detail")));
	return true;
}

/* Its sender was told to try again: that is what became of it. */
static void tell_undone(const Reading *r, json_t *line)
{
	const char *type = type_of(line);
	if (r->undone == NULL ||
		(strcmp(type, MS_AUDIT_MESSAGE) != 0 && strcmp(type, MS_AUDIT_CANARY) != 0))
		return;
	g_autofree char *name = name_of(line);
	const char *detail = g_hash_table_lookup(r->undone, name);
	if (detail == NULL)
		return;
	json_object_set_new(line, "verdict", json_string(ms_action_names[MS_TEMPFAIL]));
	json_object_set_new(line, "undone", json_string(detail));
}

/* ---- what is told again ----------------------------------------------------------------- */

static GHashTable *new_ended(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* One that is done is done, however that is worded.  Names that others give may come again after
 * years, of other messages. */
static void tell_again(const Reading *r, json_t *line)
{
	const char *decision = text_of(line, "decision"), *how = text_of(line, "detail");
	if (r->ended == NULL || *decision == '\0' || strcmp(type_of(line), MS_AUDIT_ACT) != 0)
		return;
	if (!g_hash_table_add(r->ended,
		    g_strjoin("\n", text_of(line, "about"), decision,
			    g_str_has_prefix(how, MS_AUDIT_DONE) ? MS_AUDIT_DONE : how, NULL)))
		json_object_set_new(line, "again", json_true());
}

/* ---- a line --------------------------------------------------------------------------- */

/* False: enough, or `*error`. */
static bool give(Reading *r, const char *text, gsize len, GError **error)
{
	if (r->take == take_undone && !may_undo(text, len))
		return true;
	if (r->unparsed)
		return r->take(&(MsAuditLine){.type = "", .text = text, .len = len}, r->user, error);
	json_t *json = json_loadb(text, len, 0, NULL);
	gint64 time = json_is_object(json) ? time_of(json) : -1;
	bool damaged = time < 0;
	r->time = damaged ? r->time : time;
	r->first = r->first == 0 ? r->time : r->first;
	bool asked_for = r->time >= r->from && r->time < r->to;
	if (!damaged && asked_for) {
		tell_undone(r, json);
		tell_again(r, json);
	}
	const MsAuditLine line = {r->number++, r->time, damaged ? "" : type_of(json), text, len,
		damaged ? NULL : json};
	bool go_on = !asked_for || r->take(&line, r->user, error);
	json_decref(json);
	return go_on;
}

/* NULL and errno. */
static gzFile open_plain(const char *path)
{
	int fd = ms_io_open(path, O_RDONLY);
	gzFile in = fd >= 0 ? gzdopen(fd, "rb") : NULL;
	if (in == NULL)
		ms_io_close(fd);
	return in;
}

static bool give_file(Reading *r, const File *file, bool *enough_out, GError **error)
{
	gzFile in = open_plain(file->path);
	if (in == NULL) {
		if (errno == ENOENT)
			return true;
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be read: %s", file->path,
			g_strerror(errno));
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
	gzFile in = open_plain(path);
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
	return one->time < two->time    ? -1
		: one->time > two->time ? 1
					: strcmp(one->path, two->path);
}

/* "audit.jsonl" and a number or a date, and nothing else that may lie there. */
static bool is_rotated(const char *name, const char *base)
{
	if (!g_str_has_prefix(name, base))
		return false;
	const char *rest = name + strlen(base);
	return (*rest == '.' || *rest == '-') && g_ascii_isdigit(rest[1]);
}

/* What is not there is no line; what may not be looked at is never taken for that. */
static bool may_look(const char *path, GError **error)
{
	struct stat st;
	if (stat(path, &st) == 0 || errno == ENOENT || errno == ENOTDIR)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be read: %s", path,
		g_strerror(errno));
	return false;
}

/* NULL: the folder is there, and may not be looked into. */
static GPtrArray *files_of(const char *path, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(free_file);
	g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
	g_autoptr(GError) why = NULL;
	g_autoptr(GDir) dir = g_dir_open(folder, 0, &why);
	if (dir == NULL && !g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT) &&
		!g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOTDIR)) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s cannot be read: %s", folder,
			why->message);
		return NULL;
	}
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
	return g_steal_pointer(&files);
}

static bool give_files(Reading *r, const char *path, GError **error)
{
	g_autoptr(GPtrArray) files = files_of(path, error);
	bool enough = false;
	if (files == NULL)
		return false;
	for (guint i = 0; i < files->len && !enough; i++)
		if (!give_file(r, files->pdata[i], &enough, error))
			return false;
	return true;
}

bool ms_audit_each_plain(
	const char *path, gint64 from, gint64 to, MsAuditTake take, void *user, GError **error)
{
	Reading r = {.from = from, .to = to, .take = take, .user = user};
	return give_files(&r, path, error);
}

/* ---- the log -------------------------------------------------------------------------- */

static gint64 two(const char *at)
{
	return g_ascii_isdigit(at[0]) && g_ascii_isdigit(at[1]) ? (at[0] - '0') * 10 + at[1] - '0'
								: -1;
}

/* {"time":"2026-11-26T20:15:03.123Z": most of a log is passed over. */
gint64 ms_audit_time_of(const char *text, gsize len)
{
	static const char begin[] = "{\"time\":\"";
	const gsize skip = sizeof begin - 1;
	if (len < skip + 25 || memcmp(text, begin, skip) != 0 ||
		memcmp(text + skip + 23, "Z\"", 2) != 0)
		return -1;
	const char *t = text + skip;
	gint64 year = two(t) * 100 + two(t + 2), month = two(t + 5), day = two(t + 8);
	gint64 hour = two(t + 11), minute = two(t + 14), second = two(t + 17), ms = two(t + 20);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0 ||
		second < 0 || ms < 0 || !g_ascii_isdigit(t[22]))
		return -1;
	/* Days since 1970, the year beginning in March. */
	gint64 y = year - (month <= 2), m = month + (month > 2 ? -3 : 9);
	gint64 days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
	gint64 seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
	return seconds * G_USEC_PER_SEC + (ms * 10 + t[22] - '0') * 1000;
}

typedef struct {
	Reading reading;
	GString *parts;    /* of a line that is split */
	char *of;          /* its name, or NULL */
	guint64 first;     /* its first entry */
	json_int_t next;
	MsAuditProof *proof; /* NULL: it is not asked for */
} LogReading;

static void drop_parts(LogReading *r)
{
	g_clear_pointer(&r->of, g_free);
	g_string_truncate(r->parts, 0);
}

/* One more part of a line; true: it is whole. */
static bool add_part(LogReading *r, guint64 index, const json_t *json)
{
	const char *of = json_string_value(json_object_get(json, "of"));
	const json_t *text = json_object_get(json, "text");
	json_int_t part = json_integer_value(json_object_get(json, "part"));
	if (part == 1) {
		drop_parts(r);
		r->of = g_strdup(of);
		r->first = index;
		r->next = 1;
	}
	if (g_strcmp0(of, r->of) != 0 || part != r->next || !json_is_string(text)) {
		drop_parts(r);
		return false;
	}
	g_string_append_len(r->parts, json_string_value(text), (gssize)json_string_length(text));
	return r->next++ == json_integer_value(json_object_get(json, "parts"));
}

static bool take_entry(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	LogReading *r = user;
	gint64 time = ms_audit_time_of(data, len);
	r->reading.first = r->reading.first == 0 && time > 0 ? time : r->reading.first;
	static const char part[] = ",\"type\":\"part\"";
	bool split = time >= 0 && len > 34 + sizeof part &&
		memcmp(data + 34, part, sizeof part - 1) == 0;
	/* Parts of a line are as old as it is, or a little younger. */
	if (time >= 0 && !split && (time < r->reading.from || time >= r->reading.to)) {
		r->reading.time = time;
		return true;
	}
	r->reading.number = index;
	if (!split && r->reading.take == take_undone && !may_undo(data, len))
		return true;
	if (!split) {
		g_autofree char *text = g_strndup(data, len);
		return give(&r->reading, text, len, error);
	}
	json_t *json = json_loadb(data, len, 0, NULL);
	bool whole = json != NULL && add_part(r, index, json);
	json_decref(json);
	if (!whole)
		return true;
	r->reading.number = r->first;
	bool go_on = give(&r->reading, r->parts->str, r->parts->len, error);
	drop_parts(r);
	return go_on;
}

bool ms_audit_is_there(const char *path, GError **error)
{
	g_autofree char *folder = ms_audit_folder(path);
	if (!may_look(folder, error))
		return false;
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return ms_fail_input(error,
			"%s: is a folder; name the trail as audit-file does, such as %s.jsonl", path,
			path);
	g_autoptr(GPtrArray) files = files_of(path, error);
	if (files == NULL)
		return false;
	if (files->len > 0 || g_file_test(folder, G_FILE_TEST_IS_DIR))
		return true;
	g_autofree char *gone = ms_audit_gone(folder);
	return ms_fail_input(
		error, "%s: %s", path, gone != NULL ? gone : "there is no audit trail");
}

static bool give_log(LogReading *r, const char *folder, GError **error)
{
	g_autoptr(MsTlog) log = ms_tlog_look(folder, error);
	r->parts = g_string_new(NULL);
	bool fine = log != NULL && ms_tlog_each(log, 0, take_entry, r, error);
	drop_parts(r);
	g_string_free(r->parts, TRUE);
	return fine;
}

static bool give_trail(LogReading *r, const char *path, GError **error)
{
	g_autofree char *folder = ms_audit_folder(path);
	if (!may_look(folder, error))
		return false;
	return g_file_test(folder, G_FILE_TEST_EXISTS) ? give_log(r, folder, error)
						       : give_files(&r->reading, path, error);
}

/* Old lines may be removed while it is gone through: then once more. */
#define MOST_AGAIN 3

/* Of messages from `from` on.  What cannot be read is told when all lines are; NULL: there is
 * none. */
static GHashTable *find_undone(const char *path, gint64 from)
{
	g_autoptr(GHashTable)
		undone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	LogReading r = {.reading = {
		.from = from, .to = G_MAXINT64, .take = take_undone, .user = undone}};
	g_autoptr(GError) why = NULL;
	for (int i = 0; i < MOST_AGAIN && !give_trail(&r, path, &why); i++)
		if (!g_error_matches(why, MS_ERROR, MS_ERROR_RETRY))
			break;
		else
			g_clear_error(&why);
	return g_hash_table_size(undone) > 0 ? g_steal_pointer(&undone) : NULL;
}

bool ms_audit_each(const char *path, gint64 from, gint64 to, MsAuditTake take, void *user,
	GError **error)
{
	g_autoptr(GHashTable) undone = find_undone(path, from), ended = new_ended();
	LogReading r = {.reading = {.from = from, .to = to, .take = take, .user = user,
				.undone = undone, .ended = ended}};
	return give_trail(&r, path, error);
}

bool ms_audit_each_text(const char *path, MsAuditTake take, void *user, GError **error)
{
	LogReading r = {.reading = {.from = G_MININT64,
				.to = G_MAXINT64,
				.take = take,
				.user = user,
				.unparsed = true}};
	return give_trail(&r, path, error);
}

static bool stop_at_first(const MsAuditLine *line, void *user, GError **error)
{
	(void)user;
	(void)error;
	return line->json == NULL; /* a damaged one has no time */
}

gint64 ms_audit_first(const char *path)
{
	LogReading r = {.reading = {
		.from = G_MININT64, .to = G_MAXINT64, .take = stop_at_first}};
	give_trail(&r, path, NULL);
	return r.reading.first;
}

/* ---- proven ---------------------------------------------------------------------------- */

void ms_audit_proof_clear(MsAuditProof *proof)
{
	g_clear_pointer(&proof->where, g_free);
	g_clear_pointer(&proof->root, g_free);
	g_clear_pointer(&proof->vkey, g_free);
}

/* Before which entry a line says that all were removed after their time; 0: it says no such
 * thing. */
static guint64 pruned_to(const char *text, gsize len)
{
	static const char prune[] = ",\"type\":\"" MS_AUDIT_PRUNE "\"";
	if (len < 34 + sizeof prune || ms_audit_time_of(text, len) < 0 ||
		memcmp(text + 34, prune, sizeof prune - 1) != 0)
		return 0;
	json_t *json = json_loadb(text, len, 0, NULL);
	json_int_t to = json_integer_value(json_object_get(json, "to_entry"));
	json_decref(json);
	return to > 0 ? (guint64)to : 0;
}

typedef struct {
	MsWrong wrong;
	MsTakeEntry take;
	void *user;
	guint64 pruned; /* entries before it are gone, as lines say */
} Verifying;

static void pass_wrong(guint64 index, const char *why, void *user)
{
	const Verifying *v = user;
	v->wrong(index, why, v->user);
}

static bool pass_entry(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	Verifying *v = user;
	if (data != NULL)
		v->pruned = MAX(v->pruned, pruned_to(data, len));
	return v->take == NULL || v->take(index, data, len, v->user, error);
}

bool ms_audit_verify(const char *folder, MsWrong wrong, MsTakeEntry take, void *user,
	MsTlogVerified *out, GError **error)
{
	Verifying v = {wrong, take, user, 0};
	g_autofree char *gone = ms_audit_gone(folder);
	if (gone != NULL)
		return ms_fail_input(error, "%s", gone);
	if (!ms_tlog_verify(folder, pass_wrong, pass_entry, &v, out, error))
		return false;
	g_autofree char *unsaid = out->minimum <= v.pruned
		? NULL
		: g_strdup_printf("the entries before %" G_GUINT64_FORMAT
				  " are left out, and no line says that they were removed after "
				  "their time",
			  out->minimum);
	g_autofree char *other = ms_audit_not_as_kept(folder);
	const char *const more[] = {unsaid, other};
	for (gsize i = 0; i < G_N_ELEMENTS(more); i++)
		if (more[i] != NULL) {
			out->wrong++;
			wrong(0, more[i], user);
		}
	return true;
}

static void on_wrong(guint64 index, const char *why, void *user)
{
	MsAuditProof *proof = ((LogReading *)user)->proof;
	if (proof->wrong++ == 0)
		proof->where = g_strdup_printf("entry %" G_GUINT64_FORMAT ": %s", index, why);
}

/* What is no entry of the log stands for the line that was. */
static bool take_proven(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	LogReading *r = user;
	if (data != NULL)
		return take_entry(index, data, len, user, error);
	drop_parts(r);
	r->reading.number = index;
	return give(&r->reading, "", 0, error);
}

static bool verify(LogReading *r, const char *folder, GError **error)
{
	MsTlogVerified v;
	g_autofree char *path = g_build_filename(folder, "vkey", NULL);
	if (ms_io_contents(path, &r->proof->vkey, NULL, NULL))
		g_strstrip(r->proof->vkey);
	if (!ms_audit_verify(folder, on_wrong, take_proven, r, &v, error))
		return false;
	r->proof->size = v.size;
	r->proof->root = ms_hex(v.root, sizeof v.root);
	return true;
}

bool ms_audit_each_proven(const char *path, gint64 from, gint64 to, MsAuditTake take, void *user,
	MsAuditProof *proof_out, GError **error)
{
	g_autofree char *folder = ms_audit_folder(path);
	g_auto(MsAuditProof) proof = {0};
	g_autoptr(GHashTable) undone = find_undone(path, from), ended = new_ended();
	LogReading r = {.reading = {.from = from, .to = to, .take = take, .user = user,
				.undone = undone, .ended = ended},
		.parts = g_string_new(NULL),
		.proof = &proof};
	bool fine = may_look(folder, error);
	if (fine) {
		proof.plain = !g_file_test(folder, G_FILE_TEST_EXISTS);
		fine = proof.plain ? give_files(&r.reading, path, error)
				   : verify(&r, folder, error);
	}
	proof.first = r.reading.first;
	drop_parts(&r);
	g_string_free(r.parts, TRUE);
	if (!fine)
		return false;
	*proof_out = proof;
	proof = (MsAuditProof){0};
	return true;
}
