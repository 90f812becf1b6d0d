#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"

#include "audit_private.h"

/*
 * One message's verdict, or what a person did, comes in; one line of JSON goes to the end of a file.
 * Lines are made by their callers' threads and written one at a time, under one lock.  Nothing is
 * kept open between them.
 */

struct MsAudit {
	char *path;
	bool has_key;
	guint8 key[MS_AUDIT_KEY_BYTES];
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
	memset(audit->key, 0, sizeof audit->key);
	g_free(audit);
}

void ms_audit_key(MsAudit *audit, const guint8 key[MS_AUDIT_KEY_BYTES])
{
	audit->has_key = true;
	memcpy(audit->key, key, MS_AUDIT_KEY_BYTES);
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

/* Takes `line`; NULL: none could be made. */
static bool write_line(MsAudit *audit, json_t *line, GError **error)
{
	char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(line);
	if (text == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "no audit line could be made");
		return false;
	}
	pthread_mutex_lock(&audit->lock);
	bool fine = append(audit->path, text, error);
	pthread_mutex_unlock(&audit->lock);
	free(text);
	return fine;
}

bool ms_audit_write(MsAudit *audit, const MsAuditMessage *message, GError **error)
{
	return write_line(audit, ms_audit_line_of_message(message, audit->has_key ? audit->key : NULL), error);
}

bool ms_audit_event(MsAudit *audit, const char *who, const char *client, const char *what,
	const char *about, const char *detail, GError **error)
{
	g_autofree char *time = ms_audit_stamp(g_get_real_time());
	json_t *line = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "time", time, "type", "act", "event",
		ms_audit_plain(what), "who", ms_audit_plain(who), "client", ms_audit_plain(client), "about",
		ms_audit_plain(about), "detail", ms_audit_plain(detail));
	return write_line(audit, line, error);
}
