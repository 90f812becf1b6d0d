/*
 * The names of what is asked: is there such an account, and may such a person be given a message?
 * Looked up before anything is written down, in the thread of who asks; what cannot be looked up
 * now is an error of its own, never "there is none".
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/accounts.h"
#include "missent/answer.h"
#include "missent/domain.h"

#include "desk_private.h"

GHashTable *desk_set(const GPtrArray *texts)
{
	GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; texts != NULL && i < texts->len; i++)
		g_hash_table_add(set, texts->pdata[i]);
	return set;
}

static bool check_account(Desk *desk, const char *account, GError **error)
{
	MsRuntime *runtime = desk_runtime(desk, error);
	g_autofree char *near = NULL;
	if (runtime == NULL)
		return false;
	switch (ms_directory_has_account(ms_runtime_directory(runtime), account, &near, error)) {
	case MS_FOUND: return true;
	case MS_ABSENT: break;
	case MS_RETRY:
	case MS_CONFIG: return false;
	}
	const char *names[] = {near, NULL};
	return ms_word_refuse(
		"account", account, "is no account that the directory knows", names, error);
}

/* People of the page on this host.  Where it has none the page is elsewhere, and knows them. */
static bool check_assignee(const MsSettings *s, const char *field, const char *name, GError **error)
{
	if (access(s->review.accounts_file, R_OK | W_OK) != 0)
		return true;
	g_autoptr(MsAccounts)
		accounts = ms_accounts_open(s->review.accounts_file, &s->desk.people, error);
	g_autoptr(GPtrArray) list = accounts != NULL ? ms_accounts_list(accounts, error) : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	if (list == NULL || list->len == 0)
		return list != NULL;
	for (guint i = 0; i < list->len; i++) {
		const MsAccount *a = list->pdata[i];
		if (a->disabled || a->role < ms_verbs[MS_VERB_ASSIGN].role)
			continue;
		if (ms_person_is(&s->desk.people, a->name, name))
			return true;
		g_ptr_array_add(names, a->name);
	}
	g_ptr_array_add(names, NULL);
	return ms_word_refuse(
		field, name, "is no reviewer's account", (const char *const *)names->pdata, error);
}

bool desk_check_names(Desk *desk, const MsAsk *ask, GError **error)
{
	return (ask->account == NULL || check_account(desk, ask->account, error)) &&
		(ask->assignee == NULL ||
			check_assignee(desk->settings, "assignee", ask->assignee, error));
}

/* ---- who may receive ------------------------------------------------------------------- */

/* "@alpha.example" for "anna@alpha.example" */
static bool is_of_domain(const char *domain, const char *address)
{
	const char *at = strrchr(address, '@');
	return *domain == '@' && at != NULL && strcmp(at, domain) == 0;
}

/* All of a domain at which anybody can have an address. */
static bool is_anybodys(const char *canonical)
{
	return *canonical == '@' &&
		(ms_domain_is_provider(canonical + 1) || ms_domain_is_suffix(canonical + 1));
}

static bool check_receiver(const MsRecord *record, const char *said, GError **error)
{
	g_autofree char *canonical = ms_address_canonical(said, strlen(said));
	g_autofree char *field = g_strdup_printf("%s: recipient", record->queue_id);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	if (canonical != NULL && is_anybodys(canonical))
		return ms_word_refuse(field, said,
			"is a domain at which anybody can have an address: name the address", NULL,
			error);
	for (guint i = 0; i < record->recipients->len; i++) {
		const MsHeldRecipient *to = record->recipients->pdata[i];
		g_autofree char *own = ms_address_canonical(to->address, strlen(to->address));
		if (own != NULL && canonical != NULL &&
			(strcmp(own, canonical) == 0 || is_of_domain(canonical, own)))
			return true;
		g_ptr_array_add(names, to->address);
	}
	g_ptr_array_add(names, NULL);
	return ms_word_refuse(field, said, "is no recipient of this message, nor the domain of one",
		(const char *const *)names->pdata, error);
}

/* A typing error would give a stranger, or everybody at a provider, a right for good. */
bool desk_check_receivers(const MsRecord *record, const GPtrArray *addresses, GError **error)
{
	for (guint i = 0; addresses != NULL && i < addresses->len; i++)
		if (!check_receiver(record, addresses->pdata[i], error))
			return false;
	return true;
}

/* ---- filters -------------------------------------------------------------------------- */

/* Is it a name that a record has?  `*names_out`: all of them, the caller's; NULL: `*error`. */
static bool has_record(
	Desk *desk, MsNames what, const char *name, GPtrArray **names_out, GError **error)
{
	*names_out = ms_records_names(desk->ledger, what, error);
	return *names_out != NULL &&
		g_ptr_array_find_with_equal_func(*names_out, name, g_str_equal, NULL);
}

/* Also those of policies that are no more, whose records remain.  Files with a mistake in them do
 * not keep anybody from looking. */
static bool check_policy(Desk *desk, const char *config, const char *title, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	bool enforced, there = has_record(desk, MS_NAMES_POLICY, title, &names, error);
	g_autoptr(MsRuntime)
		runtime = !there && names != NULL ? ms_runtime_load(config, 0, NULL, NULL) : NULL;
	if (runtime == NULL)
		return names != NULL;
	for (guint i = 0; i < ms_policies_count(ms_runtime_policies(runtime)); i++)
		g_ptr_array_add(names,
			g_strdup(ms_policies_nth(ms_runtime_policies(runtime), i, &enforced)));
	if (g_ptr_array_find_with_equal_func(names, title, g_str_equal, NULL))
		return true;
	g_ptr_array_add(names, NULL);
	return ms_word_refuse("policy", title, "is no policy, and in no record",
		(const char *const *)names->pdata, error);
}

static bool check_host(Desk *desk, const char *host, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	if (has_record(desk, MS_NAMES_HOST, host, &names, error) ||
		(names != NULL && strcmp(host, desk->settings->host) == 0))
		return true;
	if (names == NULL)
		return false;
	g_ptr_array_add(names, g_strdup(desk->settings->host));
	g_ptr_array_add(names, NULL);
	return ms_word_refuse("host", host, "is not this host, and in no record",
		(const char *const *)names->pdata, error);
}

/* Who is in a record may be asked for, though he has gone since; a directory that is away keeps
 * nobody from looking. */
static bool check_who(Desk *desk, const MsRecordFilter *f, GError **error)
{
	g_autoptr(GPtrArray) accounts = NULL, assignees = NULL;
	g_autoptr(GError) why = NULL;
	if (f->account != NULL &&
		!has_record(desk, MS_NAMES_ACCOUNT, f->account, &accounts, error) &&
		(accounts == NULL ||
			(!check_account(desk, f->account, &why) &&
				g_error_matches(why, MS_ERROR, MS_ERROR_INPUT)))) {
		if (why != NULL)
			g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	return f->assignee == NULL || *f->assignee == '\0' ||
		has_record(desk, MS_NAMES_ASSIGNEE, f->assignee, &assignees, error) ||
		(assignees != NULL &&
			check_assignee(desk->settings, "assigned", f->assignee, error));
}

bool ms_desk_check_filter(MsDesk *of, const MsRecordFilter *filter, GError **error)
{
	if (!ms_filter_check(filter, error))
		return false;
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	return (filter->policy == NULL || check_policy(&desk, of->config, filter->policy, error)) &&
		(filter->host == NULL || check_host(&desk, filter->host, error)) &&
		check_who(&desk, filter, error);
}
