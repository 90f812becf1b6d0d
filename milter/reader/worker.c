#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/detect.h"
#include "missent/message.h"

#include "wire.h"

typedef struct {
	const MsKinds *kinds;
	MsBudget *budget;
	MsReading *reading;
} Sink;

static void on_span(const MsSpan *span, void *user)
{
	Sink *sink = user;
	ms_detect(sink->kinds, span, sink->budget, sink->reading);
}

void ms_reader_work(const MsKinds *kinds, const guint8 *data, gsize len, MsBudget *budget,
	MsReading *reading)
{
	Sink sink = {kinds, budget, reading};
	ms_message_read(data, len, budget, reading, on_span, &sink);
	ms_detect_contradictions(kinds, reading);
}

static GBytes *encode(MsReading *reading)
{
	GBytes *bytes = ms_reading_encode(reading);
	if (g_bytes_get_size(bytes) <= MS_READING_MAX_BYTES)
		return bytes;
	g_bytes_unref(bytes);
	g_autoptr(MsReading) instead = ms_reading_new();
	ms_reading_unread(instead, "message", MS_UNREAD_LIMIT, "the reading is larger than %u bytes",
		MS_READING_MAX_BYTES);
	return ms_reading_encode(instead);
}

static GBytes *read_message(int message, const WorkerSetup *setup)
{
	gint64 start = g_get_monotonic_time();
	MsBudget budget;
	ms_budget_init(&budget, &setup->limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	off_t size = lseek(message, 0, SEEK_END); /* fstat() would take a path as well */
	if (size < 0)
		_exit(1);
	gsize len = (gsize)size;
	void *data = len > 0 ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, message, 0) : NULL;
	if (data == MAP_FAILED)
		ms_reading_unread(reading, "message", MS_UNREAD_LIMIT, "too large for max-memory");
	else
		setup->work(setup->kinds, len > 0 ? data : (const guint8 *)"", len, &budget, reading);
	if (data != NULL && data != MAP_FAILED)
		munmap(data, len);
	reading->microseconds = g_get_monotonic_time() - start;
	return encode(reading);
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

void worker_serve(int fd, const WorkerSetup *setup)
{
	for (unsigned i = 0; i < setup->jobs; i++) {
		WireHeader header;
		int message;
		ssize_t n = wire_receive(fd, &header, sizeof header, &message, 1, 0);
		if (n != sizeof header || message < 0
			|| memcmp(header.magic, JOB_MAGIC, sizeof header.magic) != 0)
			_exit(0); /* the client went away */
		g_autoptr(GBytes) bytes = read_message(message, setup);
		close(message);
		gsize len;
		const void *data = g_bytes_get_data(bytes, &len);
		memcpy(header.magic, ANSWER_MAGIC, sizeof header.magic);
		header.len = len;
		if (!write_all(fd, &header, sizeof header) || !write_all(fd, data, len))
			_exit(1);
	}
	_exit(0); /* no atexit handlers: nothing of this process is to live on */
}
