/*
 * In come the primary's replication offset, now and then, and a replica's with each of its answers;
 * out goes whether the answer is recent enough.  Any thread, one lock.
 *
 * The offset proves it: the replication stream is one sequence of bytes with a name (replid), so
 * a replica that has applied as much of it as the primary had written when we asked lacks nothing
 * that was written before we asked, and "when" is our own clock, which never jumps.  What else is
 * there does not prove it: master_last_io_seconds_ago says when the last bytes came and not how old
 * they were, master_link_status is up while a slow link lags by minutes, and a time written by
 * another host is as true as its clock.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "redis_private.h"

#define SAMPLES 32

typedef struct {
	gint64 asked_at, offset;
} Sample;

struct MsLag {
	pthread_mutex_t lock;
	gint64 max_us;
	char *replid;
	Sample samples[SAMPLES]; /* a ring */
	guint n, next;
};

MsLag *ms_lag_new(gint64 max_us)
{
	MsLag *lag = g_new0(MsLag, 1);
	pthread_mutex_init(&lag->lock, NULL);
	lag->max_us = max_us;
	return lag;
}

void ms_lag_free(MsLag *lag)
{
	if (lag == NULL)
		return;
	pthread_mutex_destroy(&lag->lock);
	g_free(lag->replid);
	g_free(lag);
}

gint64 ms_lag_period(const MsLag *lag)
{
	return CLAMP(lag->max_us / 5, 20 * 1000, 2 * G_USEC_PER_SEC);
}

static bool take_number(const char *info, const char *name, gint64 *out)
{
	g_autofree char *text = ms_info_value(info, name);
	return text != NULL && g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, out, NULL);
}

/* How far in its stream a server is, whatever its role: a replica may have been promoted. */
static bool take_offset(const char *info, char **replid, gint64 *offset)
{
	g_autofree char *role = ms_info_value(info, "role");
	*replid = ms_info_value(info, "master_replid");
	return *replid != NULL && role != NULL &&
		take_number(info,
			strcmp(role, "master") == 0 ? "master_repl_offset" : "slave_repl_offset",
			offset);
}

void ms_lag_sample(MsLag *lag, const char *info, gint64 asked_at)
{
	g_autofree char *replid = NULL;
	gint64 offset;
	if (!take_offset(info, &replid, &offset))
		return;
	pthread_mutex_lock(&lag->lock);
	if (g_strcmp0(lag->replid, replid) != 0) {
		lag->n = lag->next = 0;
		g_free(lag->replid);
		lag->replid = g_steal_pointer(&replid);
	}
	lag->samples[lag->next] = (Sample){asked_at, offset};
	lag->next = (lag->next + 1) % SAMPLES;
	lag->n = MIN(lag->n + 1, SAMPLES);
	pthread_mutex_unlock(&lag->lock);
}

/* The least that was asked of within the bound, -1: none. */
static gint64 needed(const MsLag *lag, gint64 now)
{
	gint64 least = -1;
	for (guint i = 0; i < lag->n; i++) {
		const Sample *sample = &lag->samples[i];
		if (now - sample->asked_at <= lag->max_us && (least < 0 || sample->offset < least))
			least = sample->offset;
	}
	return least;
}

bool ms_lag_is_known(MsLag *lag)
{
	pthread_mutex_lock(&lag->lock);
	bool known = needed(lag, g_get_monotonic_time()) >= 0;
	pthread_mutex_unlock(&lag->lock);
	return known;
}

bool ms_lag_fits(MsLag *lag, const char *info, char **why_out)
{
	g_autofree char *replid = NULL;
	gint64 offset = -1;
	bool told = take_offset(info, &replid, &offset);
	pthread_mutex_lock(&lag->lock);
	gint64 least = needed(lag, g_get_monotonic_time());
	bool same = told && g_strcmp0(replid, lag->replid) == 0;
	pthread_mutex_unlock(&lag->lock);
	if (!told)
		*why_out = g_strdup("does not say how far behind it is");
	else if (least < 0)
		*why_out = g_strdup(
			"how far it is behind cannot be known: the primary has not answered within redis-max-lag");
	else if (!same)
		*why_out = g_strdup("is no replica of the primary, or not yet again");
	else if (offset < least)
		*why_out = g_strdup_printf(
			"is further behind the primary than redis-max-lag allows (by %" G_GINT64_FORMAT
			" bytes or more)",
			least - offset);
	else
		return true;
	return false;
}
