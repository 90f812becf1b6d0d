/*
 * What a policy asks of a message before it applies, as its file has it, comes in; out go
 * questions that applies.c can put to a message.  One row a condition: how a value is checked,
 * and what is made of it.  Each condition has a twin, not-..., of the same values.  The thread
 * that starts or reloads.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/authresults.h"
#include "missent/text.h"

#include "policy_private.h"

/* ---- checks ---------------------------------------------------------------------------- */

/* What stands behind "Name:", as it is compiled: a blank before it belongs to it no more than to
 * the value of the field. */
static const char *pattern_of(const char *colon)
{
	return colon + 1 + strspn(colon + 1, " ");
}

/* So lists of Postfix leave something out; here it would be a letter that nothing has. */
static bool is_negated(const char *value, GError **error)
{
	if (*value == '!')
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\": a ! leaves nothing out: name it under the key that has not- before it",
			value);
	return *value == '!';
}

bool ms_check_header(const char *value, GError **error)
{
	const char *colon = strchr(value, ':');
	if (colon == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is not of the form 'Name: pattern'", value);
		return false;
	}
	g_autofree char *name = g_strndup(value, (gsize)(colon - value));
	if (!ms_check_field_name(name, error))
		return false;
	const char *pattern = pattern_of(colon);
	bool fine = ms_regex_check(pattern, error);
	if (!fine && strchr("*?", *pattern) != NULL)
		g_prefix_error(error, "\"%s\": any text is .* here: ", pattern);
	return fine;
}

/* A name may have wildcards by RFC 5322, and has none. */
bool ms_check_field_name(const char *value, GError **error)
{
	gsize len = strlen(value);
	if (is_negated(value, error))
		return false;
	for (gsize i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] > '~' || strchr(":*?", value[i]) != NULL)
			len = 0;
	if (len == 0)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is not the name of a header field, such as \"List-Id\"", value);
	return len > 0;
}

bool ms_check_service(const char *value, GError **error)
{
	bool fine = *value != '\0' && strpbrk(value, " \t*?:;,\"<>") == NULL;
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is the name of no service: one stands there as it names itself in "
			"Authentication-Results, such as \"mx.example.com\"",
			value);
	return fine;
}

/* Letters of a domain, and wildcards; what a pattern of another kind has as well is none. */
static bool is_domain_glob(const char *domain)
{
	gsize len = strlen(domain);
	if (len == 0 || *domain == '.' || domain[len - 1] == '.' || strstr(domain, "..") != NULL)
		return false;
	if (*domain == '[')
		return domain[len - 1] == ']';
	for (const char *p = domain; *p != '\0'; p++)
		if ((*p & 0x80) == 0 && !g_ascii_isalnum(*p) && strchr(".-_*?", *p) == NULL)
			return false;
	return true;
}

/* It is set against the bare address of the envelope, whose domain is in A-labels: what could
 * never be one would have the policy apply to nothing. */
bool ms_check_sender(const char *value, GError **error)
{
	g_autofree char *bare = NULL, *glob = NULL;
	const char *open = strrchr(value, '<'), *at = strchr(value, '@');
	if (strcmp(value, "<>") == 0)
		return true;
	if (is_negated(value, error))
		return false;
	if (*value != '\0' && strpbrk(value, " \t<>,;:()\"") == NULL &&
		(at == NULL || strchr(at + 1, '@') == NULL) &&
		is_domain_glob(at == NULL ? value : at + 1)) {
		glob = ms_policy_sender_glob(value);
		if (glob != NULL)
			return true;
	}
	if (open != NULL && strchr(open, '>') > open + 1)
		bare = g_strndup(open + 1, strcspn(open + 1, ">"));
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is no sender: write %s%s%s", value,
		bare ? "\"" : "",
		bare ? bare
		     : "the bare address, one an item, such as \"billing@example.com\", \"@example.com\", "
		       "\"*@*.example.com\" or \"<>\"",
		bare ? "\"" : "");
	return false;
}

bool ms_check_name(const char *value, GError **error)
{
	gsize len = strlen(value);
	if (is_negated(value, error))
		return false;
	if (len > 0 && *value != ' ' && value[len - 1] != ' ')
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" fits nothing: give a value without blanks at its ends, or leave the key out",
		value);
	return false;
}

bool ms_check_window(const char *value, GError **error)
{
	MsWindow ignored;
	return ms_window_parse(value, &ignored, error);
}

static bool is_zone_file(const char *name)
{
	const char *dir = g_getenv("TZDIR");
	g_autofree char *file = g_build_filename(
		dir != NULL ? dir : "/usr/share/zoneinfo", name, NULL);
	g_autofree char *text = NULL;
	gsize len;
	return name[strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_+-/")] == '\0' &&
		g_file_get_contents(file, &text, &len, NULL) && len > 4 &&
		memcmp(text, "TZif", 4) == 0;
}

/* GLib takes more: rules of POSIX, by which "UTC+2" is two hours behind, and any file. */
bool ms_check_zone(const char *value, GError **error)
{
	bool said = strcmp(value, "UTC") == 0 || strchr("+-", *value) != NULL ||
		is_zone_file(value);
	g_autoptr(GTimeZone) zone = said ? g_time_zone_new_identifier(value) : NULL;
	if (zone == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"there is no time zone \"%s\" on this host (package tzdata); they are "
			"called such as \"Europe/Paris\", \"UTC\" or \"+02:00\"",
			value);
	return zone != NULL;
}

/* "12", "5M" */
static bool take_amount(const char *text, bool size, guint64 *out)
{
	char *end;
	if (!g_ascii_isdigit(*text))
		return false;
	guint64 n = g_ascii_strtoull(text, &end, 10);
	const char *units = "KMG", *unit = *end != '\0' ? strchr(units, *end) : NULL;
	if (unit != NULL && size && end[1] == '\0' && n <= (G_MAXUINT64 >> 30))
		n <<= 10 * (unit - units + 1);
	else if (*end != '\0')
		return false;
	*out = n;
	return n <= G_MAXINT64;
}

/* "over 5", "under 5", "1 to 3"; of what is counted, "4" and "none": nothing has just so many
 * bytes. */
bool ms_range_parse(const char *text, bool size, MsRange *out)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 4);
	guint n = g_strv_length(words);
	guint64 a = 0, b = 0;
	*out = (MsRange){0, G_MAXUINT64};
	if (n == 1 && !size && strcmp(words[0], "none") == 0)
		*out = (MsRange){0, 0};
	else if (n == 1 && !size && take_amount(words[0], size, &a))
		*out = (MsRange){a, a};
	else if (n == 2 && strcmp(words[0], "over") == 0 && take_amount(words[1], size, &a))
		out->from = a + 1;
	else if (n == 2 && strcmp(words[0], "under") == 0 && take_amount(words[1], size, &a) &&
		a > 0)
		out->to = a - 1;
	else if (n == 3 && strcmp(words[1], "to") == 0 && take_amount(words[0], size, &a) &&
		take_amount(words[2], size, &b) && a <= b)
		*out = (MsRange){a, b};
	else
		return false;
	return true;
}

static bool check_range(const char *value, bool size, GError **error)
{
	MsRange ignored;
	if (ms_range_parse(value, size, &ignored))
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is no %s; write such as %s", value,
		size ? "range of sizes" : "range",
		size ? "\"over 5M\", \"under 100K\" or \"1M to 5M\""
		     : "\"over 5\", \"under 3\", \"1 to 3\", \"4\" or \"none\"");
	return false;
}

bool ms_check_count(const char *value, GError **error)
{
	return check_range(value, false, error);
}

bool ms_check_size(const char *value, GError **error)
{
	return check_range(value, true, error);
}

static bool is_named(const char *word, const char *const *names, const char *what, GError **error)
{
	if (g_strv_contains(names, word))
		return true;
	const char *near = ms_text_nearest(word, names);
	g_autofree char *all = g_strjoinv(", ", (char **)names);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "there is no %s \"%s\"; %s%s%s", what, word,
		near != NULL ? "did you mean \"" : "known are ", near != NULL ? near : all,
		near != NULL ? "\"?" : "");
	return false;
}

/* "dkim=pass", "dkim=pass header.d=example.com" */
bool ms_check_result(const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit(value, " ", -1);
	bool fine = words[0] != NULL;
	for (int i = 0; fine && words[i] != NULL; i++) {
		const char *equal = strchr(words[i], '='), *dot = strchr(words[i], '.');
		bool property = i > 0;
		fine = equal != NULL && equal > words[i] && equal[1] != '\0' &&
			(!property || (dot != NULL && dot < equal));
	}
	if (!fine) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"\"%s\" is not of the form \"dkim=pass\" or \"dkim=pass "
			"header.d=example.com\"",
			value);
		return false;
	}
	g_auto(GStrv) pair = g_strsplit(words[0], "=", 2);
	return is_named(pair[0], ms_auth_methods, "method", error) &&
		is_named(pair[1], ms_auth_words, "result", error);
}

/* ---- taking ---------------------------------------------------------------------------- */

static void header_rule_free(gpointer data)
{
	MsHeaderRule *rule = data;
	g_free(rule->name);
	ms_regex_free(rule->pattern);
	g_free(rule);
}

static gpointer take_text(const char *value)
{
	return g_strdup(value);
}

static gpointer take_glob(const char *value)
{
	g_autofree char *pattern = ms_regex_from_glob(value);
	return ms_regex_new(pattern, true, NULL);
}

/* A label in the form in which the envelope's are compared; one with a wildcard has no other. */
static char *label_of(const char *label)
{
	if (g_str_is_ascii(label))
		return g_strdup(label);
	g_autofree char *query = g_strconcat("@", label, NULL);
	g_autofree char *canonical =
		strpbrk(label, "*?") == NULL ? ms_address_canonical(query, strlen(query)) : NULL;
	return canonical != NULL ? g_strdup(canonical + 1) : NULL;
}

/* NULL: a label can be in no address. */
static char *domain_glob(const char *domain)
{
	g_auto(GStrv) labels = g_strsplit(domain, ".", -1);
	for (char **label = labels; *label != NULL; label++) {
		char *ascii = label_of(*label);
		if (ascii == NULL)
			return NULL;
		g_free(*label);
		*label = ascii;
	}
	return g_strjoinv(".", labels);
}

/* "billing@example.com", "@example.com", "example.com", "*@*.example.com", "<>". */
char *ms_policy_sender_glob(const char *sender)
{
	if (strcmp(sender, "<>") == 0)
		return g_strdup("");
	const char *at = strchr(sender, '@');
	g_autofree char *domain = domain_glob(at == NULL ? sender : at + 1);
	if (domain == NULL)
		return NULL;
	if (at == NULL || at == sender)
		return g_strconcat("*@", domain, NULL);
	return g_strdup_printf("%.*s@%s", (int)(at - sender), sender, domain);
}

static gpointer take_sender(const char *value)
{
	g_autofree char *glob = ms_policy_sender_glob(value);
	return take_glob(glob);
}

static gpointer take_header(const char *value)
{
	const char *colon = strchr(value, ':');
	MsHeaderRule *rule = g_new0(MsHeaderRule, 1);
	rule->name = g_strndup(value, (gsize)(colon - value));
	rule->pattern = ms_regex_new(pattern_of(colon), true, NULL);
	return rule;
}

static gpointer take_window(const char *value)
{
	MsWindow *window = g_new0(MsWindow, 1);
	bool parsed = ms_window_parse(value, window, NULL);
	g_assert(parsed);
	return window;
}

static gpointer take_count(const char *value)
{
	MsRange *range = g_new0(MsRange, 1);
	bool parsed = ms_range_parse(value, false, range);
	g_assert(parsed);
	return range;
}

static gpointer take_size(const char *value)
{
	MsRange *range = g_new0(MsRange, 1);
	bool parsed = ms_range_parse(value, true, range);
	g_assert(parsed);
	return range;
}

static void result_rule_free(gpointer data)
{
	MsResultRule *rule = data;
	g_free(rule->method);
	g_free(rule->result);
	g_ptr_array_unref(rule->properties);
	g_free(rule);
}

static gpointer take_result(const char *value)
{
	g_auto(GStrv) words = g_strsplit(value, " ", -1);
	g_auto(GStrv) pair = g_strsplit(words[0], "=", 2);
	MsResultRule *rule = g_new0(MsResultRule, 1);
	rule->method = g_strdup(pair[0]);
	rule->result = g_strdup(pair[1]);
	rule->properties = g_ptr_array_new_with_free_func((GDestroyNotify)ms_regex_free);
	for (int i = 1; words[i] != NULL; i++)
		g_ptr_array_add(rule->properties, take_glob(words[i]));
	return rule;
}

static void regex_free(gpointer data)
{
	ms_regex_free(data);
}

typedef struct {
	const char *key, *twin;
	gpointer (*take)(const char *value);
	GDestroyNotify free;
} Row;

#define ROW(name, take, release)                 \
	{                                        \
		name, "not-" name, take, release \
	}

static const Row rows[MS_N_CONDITIONS] = {
	[MS_IF_SENDER] = ROW("sender", take_sender, regex_free),
	[MS_IF_USER] = ROW("auth-user", take_glob, regex_free),
	[MS_IF_NETWORK] = ROW("networks", take_text, g_free),
	[MS_IF_TIME] = ROW("time", take_window, g_free),
	[MS_IF_HEADER] = ROW("header", take_header, header_rule_free),
	[MS_IF_PRESENT] = ROW("header-present", take_text, g_free),
	[MS_IF_FILTER] = ROW("filter-header", take_header, header_rule_free),
	[MS_IF_RESULT] = ROW("auth-results", take_result, result_rule_free),
	[MS_IF_SIZE] = ROW("message-size", take_size, g_free),
	[MS_IF_ATTACHMENT] = ROW("attachment", take_glob, regex_free),
	[MS_IF_TYPE] = ROW("attachment-type", take_glob, regex_free),
	[MS_IF_NAME] = ROW("attachment-name", take_glob, regex_free),
	[MS_IF_EACH_SIZE] = ROW("attachment-size", take_size, g_free),
	[MS_IF_COUNT] = ROW("attachments", take_count, g_free),
	[MS_IF_IDENTIFIERS] = ROW("identifiers", take_count, g_free),
};

const char *ms_condition_key(MsCondition what, bool negated)
{
	return negated ? rows[what].twin : rows[what].key;
}

static void ask_free(gpointer data)
{
	MsAsk *ask = data;
	g_ptr_array_unref(ask->members);
	g_free(ask->words);
	g_free(ask);
}

#define SHOWN 20 /* values of a list, in an explanation */

static char *words_of(const char *const *list)
{
	GString *out = g_string_new(NULL);
	guint n = g_strv_length((char **)list);
	for (guint i = 0; i < MIN(n, SHOWN); i++)
		g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", list[i]);
	if (n > SHOWN)
		g_string_append_printf(out, " and %u more", n - SHOWN);
	return g_string_free(out, FALSE);
}

static MsAsk *take_ask(const MsSection *section, MsCondition what, bool negated)
{
	const char *const *list = ms_section_list(section, ms_condition_key(what, negated));
	if (list[0] == NULL)
		return NULL;
	MsAsk *ask = g_new0(MsAsk, 1);
	ask->what = what;
	ask->negated = negated;
	ask->words = words_of(list);
	ask->members = g_ptr_array_new_with_free_func(rows[what].free);
	for (; *list != NULL; list++)
		g_ptr_array_add(ask->members, rows[what].take(*list));
	return ask;
}

const MsAsk *ms_policy_ask(const MsPolicy *policy, MsCondition what, bool negated)
{
	for (guint i = 0; i < policy->asks->len; i++) {
		const MsAsk *ask = policy->asks->pdata[i];
		if (ask->what == what && ask->negated == negated)
			return ask;
	}
	return NULL;
}

/* The key under which it asks that; NULL: it does not. */
static const char *asks(const MsPolicy *policy, MsCondition what)
{
	for (int negated = 0; negated < 2; negated++)
		if (ms_policy_ask(policy, what, negated == 1) != NULL)
			return ms_condition_key(what, negated == 1);
	return NULL;
}

/* What a condition cannot be asked without. */
static bool is_complete(const MsSection *section, const MsPolicy *policy, GError **error)
{
	const char *result = asks(policy, MS_IF_RESULT), *time = asks(policy, MS_IF_TIME);
	if (result != NULL && policy->services->len == 0)
		ms_section_error(section, result, error,
			"needs authserv-id: results are believed only of a service that is named, as it names itself in "
			"Authentication-Results, such as \"mx.example.com\"");
	else if (time != NULL && policy->zone == NULL)
		ms_section_error(section, time, error,
			"needs time-zone: days and hours are those of a zone, such as \"Europe/Paris\"");
	else
		return true;
	return false;
}

bool ms_policy_take_asks(MsPolicy *policy, const MsSection *section, GError **error)
{
	const char *zone = ms_section_text(section, "time-zone");
	policy->asks = g_ptr_array_new_with_free_func(ask_free);
	policy->services = g_ptr_array_new_with_free_func(g_free);
	policy->zone = zone != NULL ? g_time_zone_new_identifier(zone) : NULL;
	for (const char *const *p = ms_section_list(section, "authserv-id"); *p != NULL; p++)
		g_ptr_array_add(policy->services, g_ascii_strdown(*p, -1));
	for (int what = 0; what < MS_N_CONDITIONS; what++)
		for (int negated = 0; negated < 2; negated++) {
			MsAsk *ask = take_ask(section, (MsCondition)what, negated == 1);
			if (ask != NULL)
				g_ptr_array_add(policy->asks, ask);
		}
	return is_complete(section, policy, error);
}

void ms_policy_clear_asks(MsPolicy *policy)
{
	g_clear_pointer(&policy->asks, g_ptr_array_unref);
	g_clear_pointer(&policy->services, g_ptr_array_unref);
	g_clear_pointer(&policy->zone, g_time_zone_unref);
}
