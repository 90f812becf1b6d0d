/*
 * What the modes of policies say comes in, and a file of how far each is with it; out goes which
 * of them enforce.  The thread that loads, and the daemon's that looks after it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/text.h"
#include "missent/trial.h"

#include "policy_private.h"

/* ---- terms ---------------------------------------------------------------------------- */

#define UNTIL "observe-until "

/* "500 messages" */
static bool take_messages(const char *text, guint64 *out)
{
	char *end;
	guint64 n = g_ascii_strtoull(text, &end, 10);
	bool fine = g_ascii_isdigit(*text) && n > 0 && n <= 1000000000
		&& (strcmp(end, " messages") == 0 || strcmp(end, " message") == 0);
	*out = fine ? n : 0;
	return fine;
}

/* "2026-12-01", "2026-12-01 14:00", local time. */
static bool take_date(const char *text, gint64 *out)
{
	*out = 0;
	return ms_text_take_time(text, MS_ZONE_LOCAL, out) && *out > 0;
}

bool ms_mode_parse(const char *text, MsMode *mode_out, gint64 *until_out, guint64 *messages_out,
	GError **error)
{
	*until_out = 0;
	*messages_out = 0;
	*mode_out = strcmp(text, "enforce") == 0 ? MS_MODE_ENFORCE : MS_MODE_OBSERVE;
	if (strcmp(text, "enforce") == 0 || strcmp(text, "observe") == 0)
		return true;
	const char *terms = g_str_has_prefix(text, UNTIL) ? text + strlen(UNTIL) : "";
	if (take_messages(terms, messages_out) || take_date(terms, until_out))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is not allowed; use one of observe, enforce, \"" UNTIL
		"2026-12-01\", \"" UNTIL "500 messages\"%s",
		text,
		g_ascii_strncasecmp(text, "enf", 3) == 0 ? " (did you mean \"enforce\"?)"
			: g_ascii_strncasecmp(text, "obs", 3) == 0 && strchr(text, ' ') == NULL
			? " (did you mean \"observe\"?)"
			: "");
	return false;
}

bool ms_policies_terms(const MsPolicies *policies, guint n, MsTerms *out)
{
	const MsPolicy *policy = g_ptr_array_index(policies->list, n);
	*out = (MsTerms){policy->title, policy->terms, policy->until, policy->until_messages,
		policy->enforced};
	return policy->terms != NULL;
}

/* ---- the file ------------------------------------------------------------------------- */

struct MsTrials {
	GKeyFile *file;
};

/* A title may have anything in it: a group is named by its digest. */
static char *group_of(const MsTerms *terms)
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, terms->title, -1);
	return g_strndup(sum, 24);
}

MsTrials *ms_trials_read(const char *file, GError **error)
{
	g_autoptr(MsTrials) trials = g_new0(MsTrials, 1);
	g_autoptr(GError) why = NULL;
	g_autofree char *text = NULL;
	gsize len = 0;
	trials->file = g_key_file_new();
	bool read = ms_io_contents(file, &text, &len, &why);
	bool known = read &&
		(len == 0 ||
			g_key_file_load_from_data(trials->file, text, len, G_KEY_FILE_NONE, &why));
	if (known || g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return g_steal_pointer(&trials);
	g_set_error(error, MS_ERROR,
		why->domain == G_FILE_ERROR ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"%s: how far policies are that observe until something cannot be read: %s; "
		"without it they begin anew",
		file, why->message);
	return NULL;
}

void ms_trials_free(MsTrials *trials)
{
	if (trials == NULL)
		return;
	g_key_file_free(trials->file);
	g_free(trials);
}

bool ms_trials_write(const MsTrials *trials, const char *file, GError **error)
{
	gsize len;
	g_autofree char *text = g_key_file_to_data(trials->file, &len, NULL);
	return ms_io_replace(file, text, len, 0640, true) || ms_io_fail(error, file, errno);
}

static gint64 number_of(GKeyFile *file, const char *group, const char *key)
{
	return MAX(g_key_file_get_int64(file, group, key, NULL), 0);
}

MsTrial ms_trials_get(const MsTrials *trials, const MsTerms *terms)
{
	MsTrial out = {0};
	g_autofree char *group = group_of(terms);
	g_autofree char *written = g_key_file_get_string(trials->file, group, "terms", NULL);
	if (g_strcmp0(written, terms->terms) != 0)
		return out;
	out.began = number_of(trials->file, group, "began");
	out.elapsed = number_of(trials->file, group, "elapsed");
	out.messages = (guint64)number_of(trials->file, group, "messages");
	out.jumped = number_of(trials->file, group, "jumped");
	out.switched = number_of(trials->file, group, "switched");
	return out;
}

void ms_trials_set(MsTrials *trials, const MsTerms *terms, const MsTrial *trial)
{
	g_autofree char *group = group_of(terms), *title = g_utf8_make_valid(terms->title, -1);
	g_key_file_set_string(trials->file, group, "policy", title);
	g_key_file_set_string(trials->file, group, "terms", terms->terms);
	g_key_file_set_int64(trials->file, group, "began", trial->began);
	g_key_file_set_int64(trials->file, group, "elapsed", trial->elapsed);
	g_key_file_set_int64(trials->file, group, "messages", (gint64)trial->messages);
	g_key_file_set_int64(trials->file, group, "jumped", trial->jumped);
	g_key_file_set_int64(trials->file, group, "switched", trial->switched);
}

#define ALL "trials"

gint64 ms_trials_seen(const MsTrials *trials)
{
	return number_of(trials->file, ALL, "seen");
}

void ms_trials_set_seen(MsTrials *trials, gint64 now)
{
	g_key_file_set_int64(trials->file, ALL, "seen", now);
}

void ms_trials_apply(const MsTrials *trials, MsPolicies *policies)
{
	for (guint i = 0; i < policies->list->len; i++) {
		MsPolicy *policy = policies->list->pdata[i];
		MsTerms terms;
		if (ms_policies_terms(policies, i, &terms))
			policy->enforced = ms_trials_get(trials, &terms).switched > 0;
	}
}

/* ---- time ----------------------------------------------------------------------------- */

#define DOWN_US (4 * 86400 * (gint64)G_USEC_PER_SEC)

void ms_trial_go_on(MsTrial *trial, gint64 wall, gint64 steady)
{
	gint64 jump = steady >= 0 ? wall - steady : wall < 0 || wall > DOWN_US ? wall : 0;
	gint64 believed = steady >= 0 ? steady : jump == 0 ? wall : 0;
	if (ABS(jump) >= MS_TRIAL_JUMP)
		trial->jumped += ABS(jump);
	trial->elapsed += believed;
}

bool ms_trial_is_due(const MsTrial *trial, const MsTerms *terms, gint64 now, char **why_out)
{
	*why_out = NULL;
	if (terms->until == 0)
		return trial->messages >= terms->messages;
	if (now < terms->until)
		return false;
	gint64 wanted = MAX(terms->until - trial->began, 0);
	/* of looks that were late, and of a clock that is trimmed */
	gint64 slack = MS_TRIAL_JUMP + wanted / 20;
	if (trial->elapsed + slack >= wanted)
		return true;
	*why_out = g_strdup_printf(
		"the clock says that it is over, but has jumped: it was observed for %" G_GINT64_FORMAT
		" of %" G_GINT64_FORMAT " minutes",
		trial->elapsed / (60 * G_USEC_PER_SEC), wanted / (60 * (gint64)G_USEC_PER_SEC));
	return false;
}
