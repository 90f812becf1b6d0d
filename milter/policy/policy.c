/*
 * Policy files come in; out go policies, checked against the kinds, in the order of their files.
 * The thread that starts or reloads.
 */
#include "config.h"

#include <string.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/io.h"
#include "missent/text.h"

#include "policy_private.h"

#define MAX_POLICIES 1000

/* ---- rows ----------------------------------------------------------------------------- */

static const char *const house_modes[] = {"trusted", "judged", NULL};

static bool check_mode(const char *value, GError **error)
{
	MsMode mode;
	gint64 until;
	guint64 messages;
	return ms_mode_parse(value, &mode, &until, &messages, error);
}

static bool check_unread(const char *value, GError **error)
{
	for (int i = 0; i < MS_N_UNREAD; i++)
		if (strcmp(ms_unread_names[i], value) == 0)
			return true;
	g_autofree char *all = g_strjoinv(", ", (char **)ms_unread_names);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not allowed; use any of %s", value,
		all);
	return false;
}

static bool check_level(const char *value, GError **error)
{
	if (g_strv_contains(ms_level_names, value))
		return true;
	g_autofree char *all = g_strjoinv(", ", (char **)ms_level_names);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is not allowed; use any of %s", value,
		all);
	return false;
}

#define ON(reason, action)                                                      \
	{                                                                       \
		.key = "on-" reason, .type = MS_ROW_TEXT, .fallback = action, \
		.check = ms_doing_check                                         \
	}

/* An empty list says the opposite of what it looks like: it is as if the key were not there. */
#define NO_CONDITION \
	"asks for nothing, so that the policy would apply to all: leave the key out if it is to"
#define NO_LEVEL "asks for nothing, so that any finding would count: leave the key out if it is to"
#define NOT_GIVEN                                                                              \
	"is as if the key were not there, and what the policy inherits would hold: leave the " \
	"key out"

/* A condition and its twin. */
#define ASK(name, valid)                                                         \
	{                                                                        \
		.key = name, .type = MS_ROW_LIST, .check = valid, .named = true, \
		.empty = NO_CONDITION                                            \
	}
#define ASKS(name, valid) ASK(name, valid), ASK("not-" name, valid)

#define TO(field) MS_ROW_INTO(MsPolicy, field)

static const MsRow policy_rows[] = {
	{.key = "inherits", .type = MS_ROW_TEXT},
	{.key = "mode", .type = MS_ROW_TEXT, .check = check_mode},
	ASKS("sender", ms_check_sender),
	ASKS("auth-user", ms_check_name),
	ASKS("networks", ms_network_check),
	ASKS("time", ms_check_window),
	{.key = "time-zone", .type = MS_ROW_TEXT, .check = ms_check_zone},
	ASKS("header", ms_check_header),
	ASKS("header-present", ms_check_field_name),
	ASKS("filter-header", ms_check_header),
	ASKS("auth-results", ms_check_result),
	{.key = "authserv-id",
		.type = MS_ROW_LIST,
		.check = ms_check_service,
		.empty = NOT_GIVEN},
	ASKS("message-size", ms_check_size),
	ASKS("attachment", ms_check_name),
	ASKS("attachment-type", ms_check_name),
	ASKS("attachment-name", ms_check_name),
	ASKS("attachment-size", ms_check_size),
	ASKS("attachments", ms_check_count),
	ASKS("identifiers", ms_check_count),
	{.key = "kinds",
		.type = MS_ROW_LIST,
		.empty = "would be all kinds: leave the key out for these, or write {\"none\"}"},
	{.key = "require", .type = MS_ROW_LIST, .empty = NOT_GIVEN},
	{.key = "tolerate", .type = MS_ROW_LIST, .check = check_unread, .empty = NOT_GIVEN},
	{.key = "house-recipients", .type = MS_ROW_CHOICE, .fallback = "trusted", .choices = house_modes,
		TO(judge_house)},
	{.key = "ocr", .type = MS_ROW_SWITCH, TO(ocr)},
	{.key = "read-deadline", .type = MS_ROW_TIME, .min = 100, .max = 120000, TO(read_ms)},
	{.key = "read-max-pages", .type = MS_ROW_NUMBER, .min = 1, .max = 100000, TO(read_pages)},
	{.key = "read-max-text", .type = MS_ROW_SIZE, .min = 65536, .max = 1 << 30, TO(read_text)},
	{.key = "max-recipients", .type = MS_ROW_NUMBER, .min = 1, TO(max_recipients)},
	{.key = "max-domains", .type = MS_ROW_NUMBER, .min = 1, TO(max_domains)},
	{.key = "max-accounts", .type = MS_ROW_NUMBER, .min = 1, TO(max_accounts)},
	{.key = "max-visible-recipients", .type = MS_ROW_NUMBER, .min = 1, TO(max_visible)},
	{.key = "max-identifiers", .type = MS_ROW_NUMBER, .min = 1, TO(max_identifiers)},
	{.key = "believe-mismatch", .type = MS_ROW_LIST, .check = check_level, .empty = NO_LEVEL},
	{.key = "believe-unknown-identifier",
		.type = MS_ROW_LIST,
		.check = check_level,
		.empty = NO_LEVEL},
	{.key = "believe-proof", .type = MS_ROW_LIST, .check = check_level, .empty = NO_LEVEL},
	ON("mismatch", "hold"),
	ON("unproven", "hold"),
	ON("unknown-identifier", "deliver"),
	ON("unknown-recipient", "deliver"),
	ON("routed-recipient", "deliver"),
	ON("oversized", "hold"),
	ON("mixed-accounts", "hold"),
	ON("exposed-recipients", "hold"),
	ON("contradiction", "hold"),
	ON("unreadable", "hold"),
	ON("directory-unavailable", "tempfail"),
	ON("salutation", "tag"),
	ON("list-attached", "hold"),
	ON("fan-out", "hold"),
	ON("fan-in", "hold"),
	ON("repeat", "hold"),
	ON("unusual", "deliver"),
	ON("volume", "deliver"),
	ON("breaker", "hold"),
	ON("guard-unavailable", "deliver"),
	{.key = NULL},
};

static const MsRow list_rows[] = {
	{.key = "values", .type = MS_ROW_LIST},
	{.key = "file", .type = MS_ROW_TEXT},
	{.key = NULL},
};

const MsRow ms_policy_rows[] = {
	{.key = "include", .type = MS_ROW_LIST},
	{.key = "list", .type = MS_ROW_SECTIONS, .rows = list_rows},
	{.key = "template", .type = MS_ROW_SECTIONS, .rows = policy_rows},
	{.key = "policy", .type = MS_ROW_SECTIONS, .rows = policy_rows},
	{.key = "test", .type = MS_ROW_SECTIONS, .rows = ms_policy_test_rows},
	{.key = NULL},
};

/* ---- taking --------------------------------------------------------------------------- */

void ms_policy_free(gpointer data)
{
	MsPolicy *policy = data;
	g_free(policy->title);
	g_free(policy->file);
	g_free(policy->terms);
	ms_policy_clear_asks(policy);
	g_clear_pointer(&policy->kinds, g_hash_table_unref);
	g_clear_pointer(&policy->required, g_hash_table_unref);
	g_free(policy->required_words);
	g_free(policy);
}

static GPtrArray *take_strings(const MsSection *section, const char *key)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (const char *const *p = ms_section_list(section, key); *p != NULL; p++)
		g_ptr_array_add(out, g_strdup(*p));
	return out;
}

/* The kinds of a list; NULL if one is not known. */
static GHashTable *take_kinds(const MsSection *section, const char *key, const GPtrArray *list,
	const MsKinds *kinds, GError **error)
{
	g_autoptr(GHashTable) set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < list->len; i++) {
		const char *name = list->pdata[i];
		if (ms_kinds_find(kinds, name) != NULL ||
			(list->len == 1 && strcmp(name, "none") == 0)) {
			g_hash_table_add(set, g_strdup(name));
			continue;
		}
		if (strcmp(name, "none") == 0) {
			ms_section_error(
				section, key, error, "\"none\" stands alone, or not at all");
			return NULL;
		}
		const char *near = ms_text_nearest(name, ms_kinds_names(kinds));
		g_autofree char *all = g_strjoinv(", ", (char **)ms_kinds_names(kinds));
		ms_section_error(section, key, error,
			"there is no kind \"%s\" in kinds.conf; %s%s%s", name,
			near ? "did you mean \"" : "known are ", near ? near : all,
			near ? "\"?" : "");
		return NULL;
	}
	return g_steal_pointer(&set);
}

/* What is not looked for proves nothing: every message would be unproven. */
static bool looks_at_required(const MsSection *section, const MsPolicy *policy, GError **error)
{
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, policy->required);
	while (g_hash_table_size(policy->kinds) > 0 && g_hash_table_iter_next(&iter, &name, NULL)) {
		if (g_hash_table_contains(policy->kinds, name))
			continue;
		ms_section_error(section, "require", error,
			"\"%s\" is not among the kinds that this policy looks at, so that "
			"every message would be unproven; add it to kinds",
			(const char *)name);
		return false;
	}
	return true;
}

static bool take_all_kinds(
	const MsSection *section, const MsKinds *kinds, MsPolicy *policy, GError **error)
{
	g_autoptr(GPtrArray) looked = take_strings(section, "kinds");
	g_autoptr(GPtrArray) required = take_strings(section, "require");
	g_autoptr(GPtrArray) few = g_ptr_array_new();
	for (guint i = 0; i < MIN(required->len, 5); i++)
		g_ptr_array_add(few, required->pdata[i]);
	policy->required_words = ms_text_list(few, required->len);
	policy->kinds = take_kinds(section, "kinds", looked, kinds, error);
	policy->required = policy->kinds != NULL
		? take_kinds(section, "require", required, kinds, error)
		: NULL;
	return policy->required != NULL && looks_at_required(section, policy, error);
}

static void take_tolerated(MsPolicy *policy, const MsSection *section)
{
	for (const char *const *p = ms_section_list(section, "tolerate"); *p != NULL; p++)
		for (int i = 0; i < MS_N_UNREAD; i++)
			if (strcmp(ms_unread_names[i], *p) == 0)
				policy->tolerated[i] = true;
}

static guint take_levels(const MsSection *section, const char *key)
{
	guint levels = 0;
	for (const char *const *p = ms_section_list(section, key); *p != NULL; p++)
		for (guint i = 0; i < MS_N_LEVELS; i++)
			if (strcmp(ms_level_names[i], *p) == 0)
				levels |= 1U << i;
	return levels;
}

/* Only what is said of single recipients can be done for some and not for others. */
static bool splits_well(const MsSection *section, const MsPolicy *policy, GError **error)
{
	for (int i = 0; i < MS_N_REASONS; i++) {
		if (policy->on[i] != MS_SPLIT || i == MS_MISMATCH || i == MS_UNPROVEN ||
			i == MS_UNKNOWN_RECIPIENT || i == MS_ROUTED_RECIPIENT)
			continue;
		g_autofree char *key = g_strconcat("on-", ms_reason_names[i], NULL);
		ms_section_error(section, key, error,
			"split is for reasons about single recipients "
			"(on-mismatch, on-unproven, on-unknown-recipient, on-routed-recipient); use hold");
		return false;
	}
	return true;
}

/* What could not be asked stays unknown, however much time goes by. */
static bool delays_well(const MsSection *section, const MsPolicy *policy, GError **error)
{
	if (!policy->then_deliver[MS_DIRECTORY_UNAVAILABLE])
		return true;
	ms_section_error(section, "on-directory-unavailable", error,
		"what could not be asked is not delivered by the "
		"time alone: use \"delay 30m\", or deliver");
	return false;
}

static void take_actions(MsPolicy *policy, const MsSection *section)
{
	for (int i = 0; i < MS_N_REASONS; i++) {
		g_autofree char *key = g_strconcat("on-", ms_reason_names[i], NULL);
		MsDoing doing = {MS_DELIVER, 0, false};
		bool parsed = ms_doing_parse(ms_section_text(section, key), &doing, NULL);
		g_assert(parsed);
		policy->on[i] = doing.action;
		policy->delay_us[i] = doing.delay_us;
		policy->then_deliver[i] = doing.then_deliver;
	}
}

/* One that observes until something has its end from trial.h. */
static void take_mode(MsPolicy *policy, const MsSection *section, MsMode mode)
{
	const char *own = ms_section_text(section, "mode");
	bool parsed = own == NULL ||
		ms_mode_parse(own, &mode, &policy->until, &policy->until_messages, NULL);
	g_assert(parsed);
	policy->enforced = mode == MS_MODE_ENFORCE;
	policy->terms = policy->until > 0 || policy->until_messages > 0 ? g_strdup(own) : NULL;
}

MsPolicy *ms_policy_take(const MsSection *section, const MsKinds *kinds, MsMode mode,
	GError **error)
{
	MsPolicy *policy = g_new0(MsPolicy, 1);
	policy->title = g_strdup(ms_section_title(section));
	policy->tags = "+";
	take_mode(policy, section, mode);
	ms_section_take(section, policy);
	policy->mismatch_levels = take_levels(section, "believe-mismatch");
	policy->unknown_levels = take_levels(section, "believe-unknown-identifier");
	policy->proof_levels = take_levels(section, "believe-proof");
	take_tolerated(policy, section);
	take_actions(policy, section);
	if (ms_policy_take_asks(policy, section, error) && splits_well(section, policy, error)
		&& delays_well(section, policy, error)
		&& take_all_kinds(section, kinds, policy, error))
		return policy;
	ms_policy_free(policy);
	return NULL;
}

/* ---- files ---------------------------------------------------------------------------- */

static MsPolicies *policies_new(void)
{
	MsPolicies *policies = g_new0(MsPolicies, 1);
	policies->list = g_ptr_array_new_with_free_func(ms_policy_free);
	policies->tests = g_ptr_array_new_with_free_func(ms_policy_test_free);
	return policies;
}

void ms_policies_free(MsPolicies *policies)
{
	if (policies == NULL)
		return;
	g_ptr_array_unref(policies->list);
	g_clear_pointer(&policies->tests, g_ptr_array_unref);
	g_clear_pointer(&policies->read, g_ptr_array_unref);
	g_clear_pointer(&policies->stamps, g_ptr_array_unref);
	g_free(policies->text);
	g_clear_pointer(&policies->copies, g_ptr_array_unref);
	g_free(policies);
}

const MsPolicy *ms_policy_find(const MsPolicies *policies, const char *title)
{
	for (guint i = 0; i < policies->list->len; i++) {
		const MsPolicy *policy = policies->list->pdata[i];
		if (strcmp(policy->title, title) == 0)
			return policy;
	}
	return NULL;
}

bool ms_policy_ignores_customers(const MsPolicy *policy)
{
	return g_hash_table_contains(policy->kinds, "none");
}

static bool may_be_added(const MsPolicies *policies, const MsSection *section, GError **error)
{
	const MsPolicy *same = ms_policy_find(policies, ms_section_title(section));
	if (same != NULL)
		ms_section_error(section, NULL, error,
			"a policy in %s, line %d, has this title: give one of them another",
			same->file, same->line);
	else if (policies->list->len >= MAX_POLICIES)
		ms_section_error(
			section, NULL, error, "there are more than %d policies", MAX_POLICIES);
	else
		return true;
	return false;
}

static bool add_file(MsPolicies *policies, const MsPolicyFile *file, const MsKinds *kinds,
	MsMode mode, GError **error)
{
	for (guint i = 0; i < ms_section_count(file->root, "policy"); i++) {
		const MsSection *section = ms_section_nth(file->root, "policy", i);
		MsPolicy *policy = may_be_added(policies, section, error)
			? ms_policy_take(section, kinds, mode, error)
			: NULL;
		if (policy == NULL)
			return false;
		policy->file = g_strdup(file->name);
		policy->line = ms_section_line(section);
		g_ptr_array_add(policies->list, policy);
	}
	return ms_policy_take_tests(policies, file->root, file->name, error);
}

static MsPolicies *take_set(MsPolicySet *set, const MsKinds *kinds, MsMode mode, GError **error)
{
	if (set == NULL)
		return NULL;
	g_autoptr(MsPolicies) policies = policies_new();
	policies->read = g_ptr_array_ref(set->read);
	policies->stamps = g_ptr_array_ref(set->stamps);
	policies->text = g_strdup(set->text->str);
	for (guint i = 0; i < set->files->len; i++)
		if (!add_file(policies, set->files->pdata[i], kinds, mode, error))
			return NULL;
	return ms_policy_check_tests(policies, error) ? g_steal_pointer(&policies) : NULL;
}

MsPolicies *ms_policies_parse(const char *file, const char *text, const MsKinds *kinds, MsMode mode,
	GError **error)
{
	g_autoptr(MsPolicySet) set = ms_policy_set_parse(file, text, error);
	return take_set(set, kinds, mode, error);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *ms_policy_files(const char *dir, GError **error)
{
	g_autoptr(GDir) open = ms_io_open_folder(dir, error);
	if (open == NULL) {
		g_prefix_error(error, "policy-dir: ");
		return NULL;
	}
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; (name = g_dir_read_name(open)) != NULL;)
		if (g_str_has_suffix(name, ".conf") && !g_str_has_prefix(name, "kinds.") &&
			!g_str_has_prefix(name, "kinds-") && name[0] != '.')
			g_ptr_array_add(names, g_build_filename(dir, name, NULL));
	g_ptr_array_sort(names, compare_names);
	return names;
}

MsPolicies *ms_policies_load(const char *dir, const MsKinds *kinds, MsMode mode, GError **error)
{
	g_autoptr(MsPolicySet) set = ms_policy_set_load(dir, NULL, NULL, error);
	return take_set(set, kinds, mode, error);
}

void ms_policies_tags(MsPolicies *policies, const char *separators)
{
	for (guint i = 0; i < policies->list->len; i++)
		((MsPolicy *)policies->list->pdata[i])->tags = g_intern_string(separators);
}

const char *ms_policies_text(const MsPolicies *policies)
{
	return policies->text;
}

bool ms_policies_current(const MsPolicies *policies)
{
	for (guint i = 0; i < policies->read->len; i++) {
		g_autofree char *now = ms_io_stamp(policies->read->pdata[i]);
		if (strcmp(now, policies->stamps->pdata[i]) != 0)
			return false;
	}
	return true;
}

guint ms_policies_count(const MsPolicies *policies)
{
	return policies->list->len;
}

const char *ms_policies_place(const MsPolicies *policies, guint n, int *line_out)
{
	const MsPolicy *policy = g_ptr_array_index(policies->list, n);
	*line_out = policy->line;
	return policy->file;
}

const char *ms_policies_nth(const MsPolicies *policies, guint n, bool *enforced_out)
{
	const MsPolicy *policy = g_ptr_array_index(policies->list, n);
	*enforced_out = policy->enforced;
	return policy->title;
}

bool ms_policies_sections(const char *dir,
	void (*each)(const MsSection *policy, const MsRow *rows, void *user), void *user,
	GError **error)
{
	g_autoptr(MsPolicySet) set = ms_policy_set_load(dir, NULL, NULL, error);
	for (guint i = 0; set != NULL && i < set->files->len; i++) {
		const MsSection *root = ((MsPolicyFile *)set->files->pdata[i])->root;
		for (guint k = 0; k < ms_section_count(root, "policy"); k++)
			each(ms_section_nth(root, "policy", k), policy_rows, user);
	}
	return set != NULL;
}
