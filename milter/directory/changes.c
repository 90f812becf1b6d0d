/*
 * Bytes come in, from a file, a pipe or a stream of Redis, and changes go out in the order they
 * came, each with what it was read from; one that makes no sense goes out too, with the reason.
 * One thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/store.h"

#include "changes.h"
#include "csv.h"

#define MAX_LINE 65536
#define ID_DIGITS 18
#define AT_ONCE 256

struct MsChanges {
	/* of lines */
	int fd;
	bool csv, wait, ended;
	GByteArray *buffer;
	bool skip; /* the rest of a line that is too long */
	guint64 line;
	char *begun, *greatest; /* IDs: where its position was; of what was read; or NULL */
	GHashTable *lately;     /* of char *: lines */
	GQueue order;           /* the same, borrowed, the oldest first */
	/* of a stream */
	MsRedis *redis;
	char *key, *group, *consumer;
	gint64 timeout_ms;
	bool made, old_done; /* the group; what was given to us before, and not acknowledged */
};

void ms_change_free(MsChange *c)
{
	if (c == NULL)
		return;
	g_free(c->id);
	g_free(c->account);
	g_free(c->kind);
	g_free(c->value);
	g_free(c->raw);
	g_free(c->why);
	g_free(c);
}

/* ---- IDs ------------------------------------------------------------------------------ */

static bool take_digits(const char **at, guint64 *out)
{
	gsize n = strspn(*at, "0123456789");
	if (n == 0 || n > ID_DIGITS)
		return false;
	*out = g_ascii_strtoull(*at, NULL, 10);
	*at += n;
	return true;
}

static bool parse_id(const char *id, guint64 out[2])
{
	out[1] = 0;
	if (id == NULL || !take_digits(&id, &out[0]))
		return false;
	if (*id == '-') {
		id++;
		if (!take_digits(&id, &out[1]))
			return false;
	}
	return *id == '\0';
}

bool ms_change_id_valid(const char *id)
{
	guint64 numbers[2];
	return parse_id(id, numbers);
}

int ms_change_id_compare(const char *a, const char *b)
{
	guint64 x[2] = {0}, y[2] = {0};
	parse_id(a, x);
	parse_id(b, y);
	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return (x[1] > y[1]) - (x[1] < y[1]);
}

/* ---- one change ----------------------------------------------------------------------- */

static void set_why(MsChange *c, const char *why)
{
	if (c->why == NULL)
		c->why = g_strdup(why);
}

static void set_op(MsChange *c, const char *op)
{
	c->remove = g_strcmp0(op, "delete") == 0;
	if (!c->remove && g_strcmp0(op, "put") != 0)
		set_why(c, "op is neither put nor delete");
}

static void check(MsChange *c)
{
	if (!ms_change_id_valid(c->id))
		set_why(c, "has no ID, or one that is not a number (17) or two (17-3)");
	if (c->account == NULL || c->kind == NULL || c->value == NULL)
		set_why(c, "has not account, kind and value");
}

static void set_field(MsChange *c, const char *name, const char *value, bool *op_seen)
{
	char **const fields[] = {&c->id, &c->account, &c->kind, &c->value};
	static const char *const names[] = {"id", "account", "kind", "value"};
	if (strcmp(name, "op") == 0) {
		*op_seen = true;
		set_op(c, value);
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		if (*fields[i] != NULL)
			set_why(c, "has a field twice");
		g_free(*fields[i]);
		*fields[i] = g_strdup(value);
		return;
	}
	set_why(c, "has a field that is none of id, op, account, kind, value");
}

/* ---- order ---------------------------------------------------------------------------- */

#define LATELY 10000

/* Has the same line been read a while ago?  From now on it has. */
static bool again(MsChanges *source, const char *raw)
{
	if (g_hash_table_contains(source->lately, raw))
		return true;
	char *kept = g_strdup(raw);
	g_hash_table_add(source->lately, kept);
	g_queue_push_tail(&source->order, kept);
	if (g_queue_get_length(&source->order) > LATELY)
		g_hash_table_remove(source->lately, g_queue_pop_head(&source->order));
	return false;
}

/* Its ID is not above that of one before it: it would be taken for one that was there already,
 * and is only where the position was beyond it when reading began. */
static void check_order(MsChanges *source, MsChange *c)
{
	if (!ms_change_id_valid(c->id) || again(source, c->raw))
		return;
	if (source->greatest == NULL || ms_change_id_compare(c->id, source->greatest) > 0) {
		g_free(source->greatest);
		source->greatest = g_strdup(c->id);
		return;
	}
	if (source->begun != NULL && ms_change_id_compare(c->id, source->begun) <= 0)
		return;
	g_autofree char *why = g_strdup_printf(
		"has ID %s and stands behind %s: changes are made in the order of their IDs, each "
		"of which is greater than the one before",
		c->id, source->greatest);
	c->late = true;
	set_why(c, why);
}

void ms_changes_begin(MsChanges *source, const char *position)
{
	g_free(source->begun);
	source->begun = ms_change_id_valid(position) ? g_strdup(position) : NULL;
}

/* ---- lines ---------------------------------------------------------------------------- */

static void take_json(MsChange *c, const char *text, gsize len)
{
	json_error_t trouble;
	json_t *all = json_loadb(text, len, JSON_REJECT_DUPLICATES, &trouble);
	const char *name;
	json_t *value;
	bool op_seen = false;
	if (!json_is_object(all))
		set_why(c, all == NULL ? trouble.text : "is no JSON object");
	json_object_foreach(all, name, value) {
		if (json_is_integer(value) && strcmp(name, "id") == 0 &&
			json_integer_value(value) >= 0)
			c->id = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
		else if (json_is_string(value))
			set_field(c, name, json_string_value(value), &op_seen);
		else
			set_why(c, "has a field that is no text");
	}
	if (!op_seen)
		set_why(c, "has no op");
	json_decref(all);
}

static void take_csv(MsChange *c, const char *text, gsize len)
{
	g_autoptr(MsCsv) csv = ms_csv_of_line(text, len);
	MsCsvRecord record;
	switch (ms_csv_next(csv, &record)) {
	case MS_CSV_RECORD: break;
	case MS_CSV_BAD:
	case MS_CSV_FAILED: set_why(c, record.why); return;
	case MS_CSV_END: set_why(c, "is empty"); return;
	}
	if (record.n != 5) {
		set_why(c, "has not the five fields id,op,account,kind,value");
		return;
	}
	c->id = g_strdup(record.fields[0]);
	set_op(c, record.fields[1]);
	c->account = g_strdup(record.fields[2]);
	c->kind = g_strdup(record.fields[3]);
	c->value = g_strdup(record.fields[4]);
}

static MsChange *change_of_line(MsChanges *source, const char *text, gsize len, bool too_long)
{
	MsChange *c = g_new0(MsChange, 1);
	c->line = source->line;
	c->raw = g_strndup(text, len);
	if (too_long)
		set_why(c, "is longer than 65,536 bytes");
	else if (!g_utf8_validate_len(text, len, NULL))
		set_why(c, "is not UTF-8, or has a NUL byte");
	else if (source->csv)
		take_csv(c, text, len);
	else
		take_json(c, text, len);
	check(c);
	check_order(source, c);
	return c;
}

static bool is_nothing(const MsChanges *source, const char *text, gsize len)
{
	static const char heading[] = "id,op,account,kind,value";
	if (len == strspn(text, " \t\r") || len == 0)
		return true;
	return source->csv && source->line == 1 && strncmp(text, heading, strlen(heading)) == 0
		&& len - strlen(heading) <= 1;
}

/* Whole lines of the buffer; at the end of all also one without its line feed. */
static void take_lines(MsChanges *source, GPtrArray *batch)
{
	guint8 *data = source->buffer->data;
	gsize done = 0, len = source->buffer->len;
	while (batch->len < AT_ONCE && done < len) {
		const guint8 *end = memchr(data + done, '\n', len - done);
		gsize n = end != NULL ? (gsize)(end - data) - done : len - done;
		bool too_long = end == NULL && n > MAX_LINE;
		if (end == NULL && !too_long && !source->ended)
			break;
		g_autofree char *text = g_strndup((const char *)data + done, MIN(n, MAX_LINE));
		done += n + (end != NULL);
		bool rest = source->skip;
		source->skip = too_long;
		source->line += !rest;
		if (!rest && !is_nothing(source, text, strlen(text)))
			g_ptr_array_add(batch,
				change_of_line(source, text, MIN(n, MAX_LINE), n > MAX_LINE));
	}
	g_byte_array_remove_range(source->buffer, 0, (guint)done);
}

static MsAnswer fill(MsChanges *source, gint64 wait_ms, GError **error)
{
	struct pollfd poll_fd = {.fd = source->fd, .events = POLLIN};
	guint8 room[MAX_LINE];
	if (poll(&poll_fd, 1, (int)wait_ms) <= 0)
		return MS_FOUND;
	ssize_t n = read(source->fd, room, sizeof room);
	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the changes cannot be read: %s",
			g_strerror(errno));
		return MS_RETRY;
	}
	if (n > 0)
		g_byte_array_append(source->buffer, room, (guint)n);
	else if (n == 0 && source->wait) /* a file that grows, perhaps */
		g_usleep((gulong)MIN(wait_ms, 500) * 1000);
	else if (n == 0)
		source->ended = true;
	return MS_FOUND;
}

static MsAnswer next_lines(MsChanges *source, GPtrArray *batch, gint64 wait_ms, GError **error)
{
	take_lines(source, batch);
	if (batch->len == 0 && !source->ended) {
		MsAnswer answer = fill(source, wait_ms, error);
		if (answer != MS_FOUND)
			return answer;
		take_lines(source, batch);
	}
	return batch->len == 0 && source->ended ? MS_ABSENT : MS_FOUND;
}

/* ---- a stream ------------------------------------------------------------------------- */

static MsAnswer make_group(MsChanges *source, GError **error)
{
	const char *argv[] = {"XGROUP", "CREATE", source->key, source->group, "0", "MKSTREAM"};
	g_autoptr(MsReply) reply = NULL;
	g_autoptr(GError) why = NULL;
	MsAnswer answer = ms_redis_command(source->redis, G_N_ELEMENTS(argv), argv, &reply, &why);
	/* it is there */
	source->made = answer == MS_FOUND || strstr(why->message, "BUSYGROUP") != NULL;
	if (source->made)
		return MS_FOUND;
	g_propagate_error(error, g_steal_pointer(&why));
	return answer;
}

static const GPtrArray *list_of(const MsReply *reply)
{
	return reply != NULL && reply->type == MS_REPLY_LIST ? reply->items : NULL;
}

static const char *text_of(const GPtrArray *list, guint i)
{
	const MsReply *item = i < list->len ? list->pdata[i] : NULL;
	return item != NULL && item->type == MS_REPLY_TEXT && strlen(item->text) == item->len
		? item->text
		: NULL;
}

/* An entry: its ID, and its fields in pairs.  Its own ID is that of the change. */
static MsChange *change_of_entry(const MsReply *entry)
{
	const GPtrArray *parts = list_of(entry);
	const char *id = parts != NULL ? text_of(parts, 0) : NULL;
	const GPtrArray *fields = parts != NULL && parts->len > 1 ? list_of(parts->pdata[1]) : NULL;
	if (id == NULL)
		return NULL;
	MsChange *c = g_new0(MsChange, 1);
	GString *raw = g_string_new(id);
	bool op_seen = false;
	if (fields == NULL)
		set_why(c, "was deleted before it was read");
	for (guint i = 0; fields != NULL && i + 1 < fields->len; i += 2) {
		const char *name = text_of(fields, i), *value = text_of(fields, i + 1);
		g_string_append_printf(
			raw, " %s=%s", name != NULL ? name : "?", value != NULL ? value : "?");
		if (name == NULL || value == NULL || !g_utf8_validate(value, -1, NULL))
			set_why(c, "has a field that is not UTF-8, or has a NUL byte");
		else if (strcmp(name, "id") != 0)
			set_field(c, name, value, &op_seen);
	}
	g_free(c->id);
	c->id = g_strdup(id);
	c->raw = g_string_free(raw, FALSE);
	if (!op_seen)
		set_why(c, "has no op");
	check(c);
	return c;
}

static MsAnswer take_entries(const MsReply *reply, GPtrArray *batch, GError **error)
{
	if (reply->type == MS_REPLY_NIL)
		return MS_FOUND;
	const GPtrArray *streams = list_of(reply);
	const GPtrArray *stream = streams != NULL && streams->len == 1 ? list_of(streams->pdata[0])
								       : NULL;
	const GPtrArray *entries = stream != NULL && stream->len == 2 ? list_of(stream->pdata[1])
								      : NULL;
	for (guint i = 0; entries != NULL && i < entries->len; i++) {
		MsChange *change = change_of_entry(entries->pdata[i]);
		if (change != NULL)
			g_ptr_array_add(batch, change);
	}
	if (entries != NULL)
		return MS_FOUND;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "Redis gave an answer of the wrong form");
	return MS_RETRY;
}

/* First what was given to us before we died, then what is new. */
static MsAnswer next_entries(MsChanges *source, GPtrArray *batch, gint64 wait_ms, GError **error)
{
	if (!source->made && make_group(source, error) != MS_FOUND)
		return MS_RETRY;
	g_autofree char *block = g_strdup_printf(
		"%" G_GINT64_FORMAT, CLAMP(wait_ms, 1, source->timeout_ms / 2));
	const char *argv[] = {"XREADGROUP", "GROUP", source->group, source->consumer, "COUNT",
		G_STRINGIFY(AT_ONCE), "BLOCK", block, "STREAMS", source->key,
		source->old_done ? ">" : "0"};
	g_autoptr(MsReply) reply = NULL;
	g_autoptr(GError) why = NULL;
	MsAnswer answer = ms_redis_command(source->redis, G_N_ELEMENTS(argv), argv, &reply, &why);
	if (answer != MS_FOUND) {
		/* A Redis that was restarted without what it had. */
		source->made = strstr(why->message, "NOGROUP") == NULL;
		g_propagate_error(error, g_steal_pointer(&why));
		return MS_RETRY;
	}
	answer = take_entries(reply, batch, error);
	if (answer == MS_FOUND && batch->len == 0)
		source->old_done = true;
	return answer;
}

static MsAnswer acknowledge(MsChanges *source, const GPtrArray *batch, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_ptr_array_add(argv, (gpointer)"XACK");
	g_ptr_array_add(argv, source->key);
	g_ptr_array_add(argv, source->group);
	for (guint i = 0; i < batch->len; i++)
		g_ptr_array_add(argv, ((MsChange *)batch->pdata[i])->id);
	g_autoptr(MsReply) reply = NULL;
	return ms_redis_command(
		source->redis, argv->len, (const char *const *)argv->pdata, &reply, error);
}

/* ---- either --------------------------------------------------------------------------- */

MsChanges *ms_changes_from_file(int fd, bool csv, bool wait)
{
	MsChanges *source = g_new0(MsChanges, 1);
	source->fd = fd;
	source->csv = csv;
	source->wait = wait;
	source->lately = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	source->buffer = g_byte_array_new();
	return source;
}

MsChanges *ms_changes_from_stream(const MsRedisSettings *settings, const char *key,
	const char *group, const char *consumer, GError **error)
{
	MsRedis *redis = ms_redis_new(settings, error);
	if (redis == NULL)
		return NULL;
	MsChanges *source = g_new0(MsChanges, 1);
	source->redis = redis;
	source->fd = -1;
	source->key = g_strdup(key);
	source->group = g_strdup(group);
	source->consumer = g_strdup(consumer);
	source->timeout_ms = settings->timeout_ms;
	source->buffer = g_byte_array_new();
	return source;
}

void ms_changes_free(MsChanges *source)
{
	if (source == NULL)
		return;
	ms_redis_free(source->redis);
	g_byte_array_unref(source->buffer);
	g_free(source->key);
	g_free(source->group);
	g_free(source->consumer);
	g_free(source->begun);
	g_free(source->greatest);
	g_clear_pointer(&source->lately, g_hash_table_unref);
	g_queue_clear(&source->order);
	g_free(source);
}

GPtrArray *ms_changes_batch(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)ms_change_free);
}

MsAnswer ms_changes_next(MsChanges *source, GPtrArray *batch, gint64 wait_ms, GError **error)
{
	return source->redis != NULL ? next_entries(source, batch, wait_ms, error)
				     : next_lines(source, batch, wait_ms, error);
}

MsAnswer ms_changes_done(MsChanges *source, const GPtrArray *batch, GError **error)
{
	return source->redis != NULL && batch->len > 0 ? acknowledge(source, batch, error)
						       : MS_FOUND;
}
