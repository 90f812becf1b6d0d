/* Shared by policy.c, conditions.c (files), applies.c and judge.c (evaluation). */
#ifndef MISSENT_POLICY_PRIVATE_H
#define MISSENT_POLICY_PRIVATE_H

#include "missent/config.h"
#include "missent/policy.h"
#include "missent/regex.h"

typedef struct {
	char *name; /* of the header field */
	MsRegex *pattern;
} MsHeaderRule;

/* What a policy may ask of a message before it applies, in the order in which it is looked at. */
typedef enum {
	MS_IF_SENDER,
	MS_IF_USER,
	MS_IF_NETWORK,
	MS_IF_TIME,
	MS_IF_HEADER,
	MS_IF_PRESENT, /* is there a header field? */
	MS_IF_FILTER,  /* a header field of a filter's */
	MS_IF_RESULT,
	MS_IF_SIZE,
	MS_IF_ATTACHMENT, /* any part, by type or name */
	MS_IF_TYPE,
	MS_IF_NAME,
	MS_IF_EACH_SIZE, /* of an attachment */
	MS_IF_COUNT,
	MS_IF_IDENTIFIERS,
	MS_N_CONDITIONS
} MsCondition;

typedef struct {
	guint64 from, to;
} MsRange;
typedef struct {
	guint8 days;      /* a bit each, Monday first */
	guint16 from, to; /* minutes; from > to: over midnight */
} MsWindow;
typedef struct {
	char *method, *result;
	GPtrArray *properties; /* of MsRegex, on "ptype.property=value" */
} MsResultRule;

/* One thing that a policy asks: any of a list, or, negated, none of it. */
typedef struct {
	MsCondition what;
	bool negated;
	/* sender, auth-user, attachment, attachment-type, attachment-name: of MsRegex;
	 * networks, header-present: of char *; header, filter-header: of MsHeaderRule;
	 * auth-results: of MsResultRule; time: of MsWindow; else of MsRange */
	GPtrArray *members;
	char *words; /* as it was written, to be shown */
} MsAsk;

typedef struct {
	char *title, *file;
	int line; /* of the file */
	bool enforced;
	char *terms; /* of mode, if it has an end; else NULL */
	gint64 until;
	guint64 until_messages;

	/* What it applies to: all of them must fit. */
	GPtrArray *asks;     /* of MsAsk, in the order in which they are put */
	GPtrArray *services; /* of char *: whose Authentication-Results are believed, lower case */
	GTimeZone *zone;     /* of time; or NULL */
	const char *tags;    /* what sets off a tag in a sender, interned */

	/* What reading may cost; -1: it does not say.  ocr: 0 no, 1 yes. */
	gint64 ocr, read_ms, read_pages, read_text;

	/* What it looks at. */
	GHashTable *kinds;    /* of char *; empty: all; only "none": none */
	GHashTable *required; /* of char * */
	char *required_words; /* the same, to be shown */
	/* How a finding must be believed to count for a reason: MsLevel; 0: in any way. */
	guint mismatch_levels, unknown_levels, proof_levels;
	bool tolerated[MS_N_UNREAD];
	bool judge_house;
	/* -1: no limit */
	gint64 max_recipients, max_domains, max_accounts, max_visible, max_identifiers;

	MsAction on[MS_N_REASONS];
	gint64 delay_us[MS_N_REASONS]; /* of those that are delay */
	bool then_deliver[MS_N_REASONS];
} MsPolicy;

/* action.c: what is done for a reason, as it is written; of a delay, how long, and whether it is
 * delivered then, or held. */
typedef struct {
	MsAction action;
	gint64 delay_us;
	bool then_deliver;
} MsDoing;
bool ms_doing_parse(const char *text, MsDoing *out, GError **error);
bool ms_doing_check(const char *text, GError **error);

struct MsPolicies {
	GPtrArray *list;   /* of MsPolicy */
	GPtrArray *tests;  /* of MsPolicyTest */
	GPtrArray *read, *stamps; /* of char *: the files that they are from; NULL: copies */
	char *text; /* of all of them; NULL: copies */
	/* of MsPolicy: changed ones of others' policies, whose `list` this borrows from; or NULL */
	GPtrArray *copies;
};
bool ms_mode_parse(const char *text, MsMode *mode_out, gint64 *until_out, guint64 *messages_out,
	GError **error);
/* As a policy file has them, and what they make. */
extern const MsRow ms_policy_rows[];
GPtrArray *ms_policy_files(const char *dir, GError **error);

/* set.c: a folder of policies, as its files are meant. */
typedef struct {
	char *name, *text;
	MsSection *root;
} MsPolicyFile;
typedef struct {
	const MsSection *section;
	GPtrArray *values; /* of MsConfigValue */
	bool used;
} MsPolicyList;
typedef struct {
	GPtrArray *files; /* of MsPolicyFile, each followed by what it includes */
	GHashTable *lists; /* char * to MsPolicyList */
	/* of char *: every file of which something was taken, and what it was like then
	 * (ms_io_stamp()) */
	GPtrArray *read, *stamps;
	GString *text; /* what was read, file after file */
	GPtrArray *broken; /* of MsSection: policies of which something could not be had */
	GHashTable *inherited; /* of MsSection: that a policy has, or is to have, something of */
} MsPolicySet;
/* Of what is wrong in `file`. */
typedef void (*MsPolicyTell)(const char *file, const GError *error, void *user);
/* `tell` NULL: the first that is wrong is the end; else all of it is told, and passed over. */
MsPolicySet *ms_policy_set_load(const char *dir, MsPolicyTell tell, void *user, GError **error);
MsPolicySet *ms_policy_set_parse(const char *file, const char *text, GError **error);
void ms_policy_set_free(MsPolicySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsPolicySet, ms_policy_set_free)

MsPolicy *ms_policy_take(
	const MsSection *section, const MsKinds *kinds, MsMode mode, GError **error);
void ms_policy_free(gpointer policy);
/* conditions.c */
const char *ms_condition_key(MsCondition what, bool negated);
bool ms_range_parse(const char *text, bool size, MsRange *out);
bool ms_check_header(const char *value, GError **error);
bool ms_check_field_name(const char *value, GError **error);
bool ms_check_service(const char *value, GError **error);
bool ms_check_sender(const char *value, GError **error);
bool ms_check_name(const char *value, GError **error);
bool ms_check_window(const char *value, GError **error);
bool ms_check_zone(const char *value, GError **error);
bool ms_check_count(const char *value, GError **error);
bool ms_check_size(const char *value, GError **error);
bool ms_check_result(const char *value, GError **error);
/* Domains in A-labels; NULL: no address can have that domain. */
char *ms_policy_sender_glob(const char *sender);
bool ms_policy_take_asks(MsPolicy *policy, const MsSection *section, GError **error);
void ms_policy_clear_asks(MsPolicy *policy);
/* What it asks of that kind, or NULL. */
const MsAsk *ms_policy_ask(const MsPolicy *policy, MsCondition what, bool negated);

/* window.c */
#define MS_WEEK (7 * 1440) /* minutes */
bool ms_window_parse(const char *text, MsWindow *out, GError **error);
/* `day` 0 is Monday. */
bool ms_window_has(const MsWindow *window, guint day, guint minute);
bool ms_window_contains(const MsWindow *window, GTimeZone *zone, gint64 us);

/* Could it apply to this envelope, whatever the message says? */
bool ms_policy_envelope_fits(const MsPolicy *policy, const MsEnvelope *envelope);

/* beside.c */
extern const MsRow ms_policy_test_rows[];
void ms_policy_test_free(gpointer test);
/* Of what `file` names as the message of a test; NULL for NULL.  The caller's. */
char *ms_policy_test_path(const char *file, const char *name);
bool ms_policy_take_tests(
	MsPolicies *policies, const MsSection *root, const char *file, GError **error);
bool ms_policy_check_tests(const MsPolicies *policies, GError **error);
/* The same of one file, and what a load says of each test first: told, of every one that is not
 * right. */
void ms_policy_look_at_tests(const MsSection *root, const char *file, const char *const *titles,
	void (*told)(const char *file, const GError *error, void *user), void *user);
const MsPolicy *ms_policy_find(const MsPolicies *policies, const char *title);
/* Does it ask about recipients only? */
bool ms_policy_ignores_customers(const MsPolicy *policy);

/* A verdict that grows by one policy's reasons. */
typedef struct {
	const MsPolicy *policy;
	MsVerdict *verdict;
	guint kept[MS_N_REASONS];
} MsAdding;
/* A reason counts, whether or not it is kept to be shown; is it?  Of each policy and code the
 * first always is. */
bool ms_adding_count(MsAdding *adding, MsReasonCode code);
MsReason *ms_adding_keep(MsAdding *adding, MsReasonCode code, char *text); /* takes `text` */
/* Who a reason is about, masked. */
void ms_reason_about(
	MsReason *reason, const MsFinding *finding, const MsResolution *resolution, guint index);
void ms_verdict_sort(MsVerdict *verdict);

/* What all policies ask of one message to see whether they apply. */
typedef struct MsFacts MsFacts;
/* `reading`: NULL before it is read; `resolution`: NULL where the directory was not asked.  All
 * borrowed. */
MsFacts *ms_facts_new(const MsEnvelope *envelope, const MsReading *reading,
	const MsResolution *resolution);
void ms_facts_free(MsFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsFacts, ms_facts_free)
/* `late`: there is no time left to look at headers and attachments; then they may fit. */
bool ms_facts_fit(const MsFacts *facts, const MsPolicy *policy, bool late);
/* Which conditions of one that applies are not known to be met, and why, in words; NULL: all
 * are.  The caller's. */
char *ms_facts_unsure(const MsFacts *facts, const MsPolicy *policy, bool late);

#endif
