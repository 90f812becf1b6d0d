#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/identifier.h"
#include "missent/io.h"

/*
 * One message's verdict, or what a person did, comes in; one line of JSON goes to the end of a file.
 * Lines are made by their callers' threads and written one at a time, under one lock.  Nothing is
 * kept open between them.
 */

#define MAX_RECIPIENTS 50
#define MAX_POLICIES 100

struct MsAudit {
	char *path;
	pthread_mutex_t lock; /* of the file's end */
};

MsAudit *ms_audit_new(const char *path)
{
	MsAudit *audit = g_new0(MsAudit, 1);
	audit->path = g_strdup(path);
	pthread_mutex_init(&audit->lock, NULL);
	return audit;
}

void ms_audit_free(MsAudit *audit)
{
	if (audit == NULL)
		return;
	pthread_mutex_destroy(&audit->lock);
	g_free(audit->path);
	g_free(audit);
}

static json_t *masked(const char *text)
{
	if (text == NULL)
		return json_null();
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autofree char *mask = ms_identifier_masked("", valid);
	return json_string(mask);
}

static json_t *plain(const char *text)
{
	if (text == NULL)
		return json_null();
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	return json_string(valid);
}

static json_t *recipients_of(const MsEnvelope *envelope)
{
	json_t *list = json_array();
	for (guint i = 0; i < envelope->recipients->len && i < MAX_RECIPIENTS; i++)
		json_array_append_new(list, masked(envelope->recipients->pdata[i]));
	return list;
}

static json_t *reasons_of(const MsVerdict *verdict)
{
	json_t *list = json_array();
	for (guint i = 0; i < verdict->reasons->len && i < MS_MAX_REASONS; i++) {
		const MsReason *reason = verdict->reasons->pdata[i];
		g_autofree char *where =
			reason->where != NULL ? ms_place_masked(reason->where) : NULL;
		json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:i}", "reason",
			ms_reason_names[reason->code], "policy", reason->policy, "action",
			ms_action_names[reason->action], "enforced", (int)reason->enforced, "kind",
			plain(reason->kind), "identifier", plain(reason->masked), "where",
			plain(where), "account", masked(reason->owner), "recipient",
			masked(reason->recipient), "recipients", (int)reason->recipients);
		json_array_append_new(list, row);
	}
	return list;
}

static char *stamp(gint64 microseconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(microseconds / G_USEC_PER_SEC);
	g_autofree char *second = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
	return g_strdup_printf("%s.%03dZ", second, (int)(microseconds / 1000 % 1000));
}

static char *make_line(const MsEnvelope *envelope, const MsReading *reading,
	const MsVerdict *verdict, gint64 microseconds)
{
	g_autofree char *time = stamp(g_get_real_time());
	json_t *line = json_pack("{s:s, s:o, s:o, s:o, s:o, s:i, s:o, s:I, s:s, s:s, s:o, s:i, s:I}",
		"time", time, "host", plain(envelope->host), "queue_id", plain(envelope->queue_id),
		"sender", masked(envelope->sender), "client", plain(envelope->client_address),
		"recipients", (int)envelope->recipients->len, "to", recipients_of(envelope), "size",
		(json_int_t)envelope->size, "verdict", ms_action_names[verdict->action], "would",
		ms_action_names[verdict->would], "reasons", reasons_of(verdict), "reasons_more",
		(int)verdict->more, "microseconds", (json_int_t)microseconds);
	json_t *policies = json_array();
	for (guint i = 0; i < verdict->policies->len && i < MAX_POLICIES; i++)
		json_array_append_new(policies, plain(verdict->policies->pdata[i]));
	json_object_set_new(line, "policies", policies);
	if (reading != NULL) {
		json_object_set_new(line, "findings", json_integer(reading->findings->len));
		json_object_set_new(line, "unread", json_integer(reading->unread->len));
		json_object_set_new(line, "parts", json_integer(reading->parts->len));
	}
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(line);
	return text;
}

/* One that root makes is to be the daemon's; one that is there stays whose it is. */
static int open_file(const char *path)
{
	const int how = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, how);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(path, how | O_CREAT | O_EXCL, 0640);
	if (fd >= 0)
		ms_io_like_folder(fd, path);
	return fd < 0 && errno == EEXIST ? open(path, how) : fd; /* another was faster */
}

/* To the last byte; a disk that fills up takes a part and says why at the next. */
static bool write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Opened for each line, so that a rotated file is let go of.  A line that was cut short is taken
 * back. */
static bool append(const char *path, const char *line, GError **error)
{
	int fd = open_file(path);
	if (fd < 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit file %s cannot be opened: %s", path,
			g_strerror(errno));
		return false;
	}
	g_autofree char *whole = g_strconcat(line, "\n", NULL);
	off_t end = lseek(fd, 0, SEEK_END);
	bool fine = write_all(fd, whole, strlen(whole));
	if (!fine) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "the audit file %s cannot be written to: %s", path,
			g_strerror(errno));
		if (end < 0 || ftruncate(fd, end) != 0)
			g_prefix_error(error, "(a part of a line is left) ");
	}
	close(fd);
	return fine;
}

/* `line` is jansson's. */
static bool write_line(MsAudit *audit, char *line, GError **error)
{
	if (line == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "no audit line could be made");
		return false;
	}
	pthread_mutex_lock(&audit->lock);
	bool fine = append(audit->path, line, error);
	pthread_mutex_unlock(&audit->lock);
	free(line);
	return fine;
}

bool ms_audit_write(MsAudit *audit, const MsEnvelope *envelope, const MsReading *reading,
	const MsVerdict *verdict, gint64 microseconds, GError **error)
{
	return write_line(audit, make_line(envelope, reading, verdict, microseconds), error);
}

bool ms_audit_event(MsAudit *audit, const char *who, const char *client, const char *what,
	const char *about, const char *detail, GError **error)
{
	g_autofree char *time = stamp(g_get_real_time());
	json_t *line = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "time", time, "event", plain(what), "who",
		plain(who), "client", plain(client), "about", plain(about), "detail", plain(detail));
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(line);
	return write_line(audit, text, error);
}
