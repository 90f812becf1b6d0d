/*
 * Tests that stand beside policies come in as blocks of their files; out go plain tests, checked
 * for form.  The thread that starts or reloads.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/text.h"

#include "policy_private.h"

static bool check_reason(const char *value, GError **error)
{
	if (g_strv_contains(ms_reason_names, value))
		return true;
	g_autofree char *all = g_strjoinv(", ", (char **)ms_reason_names);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not allowed; use any of %s", value,
		all);
	return false;
}

static bool check_row(const char *value, GError **error)
{
	g_auto(GStrv) fields = g_strsplit(value, ",", 3);
	if (g_strv_length(fields) == 3 && *fields[0] != '\0' && *fields[1] != '\0' &&
		*fields[2] != '\0')
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is not of the form \"account,kind,value\"", value);
	return false;
}

static bool check_field(const char *value, GError **error)
{
	const char *colon = strchr(value, ':');
	if (colon != NULL && colon > value && strpbrk(value, "\r\n") == NULL)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is not of the form \"Name: value\", in one line", value);
	return false;
}

static bool check_client(const char *value, GError **error)
{
	bool fine = ms_network_contains("::/0", value);
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is no IP address, such as 192.0.2.1 or 2001:db8::1", value);
	return fine;
}

static bool check_recipient(const char *value, GError **error)
{
	g_autofree char *address = ms_address_bare(value);
	if (*address == '\0')
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is no address of a recipient", value);
	return *address != '\0';
}

static gint64 time_of(const char *text)
{
	gint64 us = 0;
	return ms_text_take_time(text, MS_ZONE_UTC, &us) ? us : 0;
}

static bool check_time(const char *value, GError **error)
{
	if (time_of(value) > 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is no time such as \"2026-12-01 14:00\" (UTC)",
		value);
	return false;
}

const MsRow ms_policy_test_rows[] = {
	{.key = "policy", .type = MS_ROW_TEXT},
	{.key = "from", .type = MS_ROW_TEXT, .fallback = "billing@example.com"},
	{.key = "to", .type = MS_ROW_LIST, .check = check_recipient},
	{.key = "auth-user", .type = MS_ROW_TEXT},
	{.key = "client", .type = MS_ROW_TEXT, .check = check_client},
	{.key = "time", .type = MS_ROW_TEXT, .check = check_time},
	{.key = "header", .type = MS_ROW_LIST, .check = check_field},
	{.key = "text", .type = MS_ROW_TEXT},
	{.key = "file", .type = MS_ROW_TEXT},
	{.key = "mapping", .type = MS_ROW_LIST, .check = check_row},
	{.key = "expect", .type = MS_ROW_CHOICE, .choices = ms_action_names},
	{.key = "reason", .type = MS_ROW_LIST, .check = check_reason},
	{.key = NULL},
};

void ms_policy_test_free(gpointer data)
{
	MsPolicyTest *test = data;
	char *const texts[] = {test->title, test->file, test->policy, test->from, test->user,
		test->client, test->text, test->path};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_strfreev(test->to);
	g_strfreev(test->headers);
	g_strfreev(test->mapping);
	g_strfreev(test->reasons);
	g_free(test);
}

/* A file is beside the policies that it tests. */
char *ms_policy_test_path(const char *file, const char *name)
{
	g_autofree char *folder = g_path_get_dirname(file);
	return name == NULL                ? NULL
		: g_path_is_absolute(name) ? g_strdup(name)
					   : g_build_filename(folder, name, NULL);
}

static char **list_of(const MsSection *section, const char *key)
{
	return g_strdupv((char **)ms_section_list(section, key));
}

static MsPolicyTest *take_test(const MsSection *section, const char *file)
{
	MsPolicyTest *test = g_new0(MsPolicyTest, 1);
	*test = (MsPolicyTest){
		.title = g_strdup(ms_section_title(section)),
		.file = g_strdup(file),
		.line = ms_section_line(section),
		.policy = g_strdup(ms_section_text(section, "policy")),
		.from = g_strdup(ms_section_text(section, "from")),
		.user = g_strdup(ms_section_text(section, "auth-user")),
		.client = g_strdup(ms_section_text(section, "client")),
		.text = g_strdup(ms_section_text(section, "text")),
		.path = ms_policy_test_path(file, ms_section_text(section, "file")),
		.to = list_of(section, "to"),
		.headers = list_of(section, "header"),
		.mapping = list_of(section, "mapping"),
		.reasons = list_of(section, "reason"),
		.arrived = ms_section_given(section, "time") ? time_of(ms_section_text(section, "time")) : 0,
		.expect = ms_section_choice(section, "expect"),
	};
	return test;
}

static bool is_complete(const MsSection *section, const MsPolicyTest *test, GError **error)
{
	if (test->expect < 0)
		ms_section_error(section, NULL, error,
			"expect is missing: what is to be done with the message (deliver, hold, ...)");
	else if (test->to[0] == NULL)
		ms_section_error(section, NULL, error,
			"to is missing: a message without a recipient is for nobody");
	else if ((test->text == NULL) == (test->path == NULL))
		ms_section_error(section, NULL, error,
			"a message is either text or a file; one of the two is to be given");
	else
		return true;
	return false;
}

bool ms_policy_take_tests(
	MsPolicies *policies, const MsSection *root, const char *file, GError **error)
{
	for (guint i = 0; i < ms_section_count(root, "test"); i++) {
		const MsSection *section = ms_section_nth(root, "test", i);
		MsPolicyTest *test = take_test(section, file);
		g_ptr_array_add(policies->tests, test);
		if (!is_complete(section, test, error))
			return false;
	}
	return true;
}

/* NULL: it speaks of none that is not there.  The caller's. */
static char *unknown_policy(const MsPolicyTest *test, const char *const *titles)
{
	if (test->policy == NULL || g_strv_contains(titles, test->policy))
		return NULL;
	const char *near = ms_text_nearest(test->policy, titles);
	return g_strdup_printf("%s:%d: test \"%s\": policy: there is no policy \"%s\"%s%s%s",
		test->file, test->line, test->title, test->policy,
		near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		near != NULL ? "\"?" : "");
}

/* They may speak of a policy of a file that comes later. */
bool ms_policy_check_tests(const MsPolicies *policies, GError **error)
{
	g_autofree const char **titles = g_new0(const char *, policies->list->len + 1);
	for (guint i = 0; i < policies->list->len; i++)
		titles[i] = ((const MsPolicy *)policies->list->pdata[i])->title;
	for (guint i = 0; i < policies->tests->len; i++) {
		g_autofree char *why = unknown_policy(policies->tests->pdata[i], titles);
		if (why != NULL) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s", why);
			return false;
		}
	}
	return true;
}

void ms_policy_look_at_tests(const MsSection *root, const char *file, const char *const *titles,
	void (*told)(const char *file, const GError *error, void *user), void *user)
{
	for (guint i = 0; i < ms_section_count(root, "test"); i++) {
		const MsSection *section = ms_section_nth(root, "test", i);
		g_autoptr(GError) error = NULL;
		MsPolicyTest *test = take_test(section, file);
		g_autofree char *why = is_complete(section, test, &error)
			? unknown_policy(test, titles) : NULL;
		if (why != NULL)
			g_set_error(&error, MS_ERROR, MS_ERROR_CONFIG, "%s", why);
		if (error != NULL)
			told(file, error, user);
		ms_policy_test_free(test);
	}
}

const GPtrArray *ms_policies_tests(const MsPolicies *policies)
{
	return policies->tests;
}
