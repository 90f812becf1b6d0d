/*
 * A way by which mail comes in is named; what the MTA's configuration has there that keeps
 * missent from seeing such mail, or lets it go unseen, goes out in words.  The MTA is asked once;
 * it says how it is configured now, not how it was.  One thread.
 */
#include "config.h"

#include "doctor_private.h"

#define MOST 3

struct MsWays {
	MsDoctorOptions options;
	Patient patient;
};

static const MsCheckRow row = {
	.name = "way in", .gravity = MS_GRAVITY_FAULT, .looks = "", .remedy = ""};

MsWays *ms_ways_new(MsRuntime *runtime)
{
	MsWays *ways = g_new0(MsWays, 1);
	ways->options.runtime = runtime;
	ways->patient = (Patient){.options = &ways->options,
		.runtime = runtime,
		.s = ms_runtime_settings(runtime),
		.row = &row};
	return ways;
}

void ms_ways_free(MsWays *ways)
{
	if (ways == NULL)
		return;
	ms_postfix_free(ways->patient.postfix);
	g_free(ways);
}

char *ms_ways_why(MsWays *ways, MsWay way, const char *instance, const char *service)
{
	Patient *p = &ways->patient;
	g_autoptr(GPtrArray) found = complaints_new();
	g_autoptr(GString) out = g_string_new(NULL);
	p->complaints = found;
	if (p->s->sendmail)
		sendmail_way(p, way, service);
	else
		postfix_way(p, way, instance, service);
	p->complaints = NULL;
	for (guint i = 0; i < found->len && i < MOST; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? "; " : "",
			((const MsComplaint *)found->pdata[i])->text);
	if (found->len > MOST)
		g_string_append_printf(out, "; and %u more", found->len - MOST);
	return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
