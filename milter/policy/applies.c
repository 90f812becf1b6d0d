/*
 * Which policies a message falls under: by its envelope before it is read, by its content after.
 *
 * A question has three answers.  What is not known (a client that a stored message does not name,
 * an attachment that could not be read, a result that no filter has given) may fit: a policy is
 * passed over only for a condition that is known not to be met, and what it was not known is
 * told.  Pure functions of their arguments.
 */
#include "config.h"

#include <string.h>

#include "missent/authresults.h"
#include "missent/identifier.h"

#include "policy_private.h"

typedef enum { NO, YES, UNSURE } Truth;

/* As policies are asked about them. */
struct MsFacts {
	const MsEnvelope *envelope;
	const MsReading *reading;       /* NULL: not read yet */
	const MsResolution *resolution; /* NULL: it is not known which identifiers are whose */
	char *sender;       /* as it is shown */
	GPtrArray *senders; /* of char *: what an MTA may make of it; "" cannot be told */
	char *user;         /* or NULL */
	bool known;         /* headers and structure were read */
	GPtrArray *results; /* of MsAuthResults, topmost first; NULL in it: cannot be parsed */
};

/* Any of a list: one that fits is enough. */
static Truth or (Truth a, Truth b)
{
	return a == YES || b == YES ? YES : a == UNSURE || b == UNSURE ? UNSURE : NO;
}

static Truth matches(const MsRegex *pattern, const char *text)
{
	MsMatch match;
	gsize len = strlen(text);
	switch (ms_regex_match(pattern, text, len, 0, len, &match)) {
	case MS_MATCH: return YES;
	case MS_NO_MATCH: return NO;
	case MS_MATCH_LIMIT: return UNSURE; /* a pattern that gives up may have matched */
	}
	g_assert_not_reached();
}

static Truth matches_any(const GPtrArray *patterns, const char *text)
{
	Truth truth = NO;
	for (guint i = 0; i < patterns->len && truth != YES; i++)
		truth = or (truth, matches(patterns->pdata[i], text));
	return truth;
}

/* What is within `least` and `most`, against any of the ranges. */
static Truth lies_in(const GPtrArray *ranges, guint64 least, guint64 most)
{
	Truth truth = NO;
	for (guint i = 0; i < ranges->len; i++) {
		const MsRange *r = ranges->pdata[i];
		truth = or
			(truth,
				least >= r->from && most <= r->to         ? YES
					: most < r->from || least > r->to ? NO
									  : UNSURE);
	}
	return truth;
}

/* ---- of the envelope -------------------------------------------------------------------- */

/* Of billing+4711@, which a mailer makes for its bounces, billing@ too, whatever tags recipients
 * may have: nothing says that mailer and recipients' hosts set them off alike. */
static Truth sender_fits(const char *sender, const MsPolicy *policy, const MsAsk *ask)
{
	const char *const tags[] = {"+", policy->tags};
	Truth truth = matches_any(ask->members, sender);
	for (gsize i = 0; i < G_N_ELEMENTS(tags) && truth != YES; i++) {
		g_autofree char *untagged = ms_address_untagged(sender, tags[i]);
		if (untagged != NULL)
			truth = or (truth, matches_any(ask->members, untagged));
	}
	return truth;
}

/* An MTA rewrites what it was given after the filter has seen it: "seller.example!billing" and
 * "billing" leave as billing@seller.example. */
static Truth is_sender(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = UNSURE;
	for (guint i = 0; i < f->senders->len; i++) {
		const char *sender = f->senders->pdata[i];
		bool told = *sender != '\0' || *f->sender == '\0';
		Truth one = told ? sender_fits(sender, policy, ask) : UNSURE;
		truth = i == 0 || one == truth ? one : UNSURE;
	}
	return truth;
}

static Truth is_user(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	(void)policy;
	if (f->envelope->unsaid & MS_UNSAID_USER)
		return UNSURE;
	return f->user != NULL ? matches_any(ask->members, f->user) : NO;
}

static Truth is_client(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	const char *address = f->envelope->client_address;
	(void)policy;
	if (f->envelope->unsaid & MS_UNSAID_CLIENT)
		return UNSURE;
	for (guint i = 0; i < ask->members->len; i++)
		if (ms_network_contains(
			    ask->members->pdata[i], address != NULL ? address : "127.0.0.1"))
			return YES;
	return NO;
}

static Truth is_time(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	if ((f->envelope->unsaid & MS_UNSAID_TIME) || f->envelope->arrived <= 0)
		return UNSURE;
	for (guint i = 0; i < ask->members->len; i++)
		if (ms_window_contains(ask->members->pdata[i], policy->zone, f->envelope->arrived))
			return YES;
	return NO;
}

/* ---- of the header ---------------------------------------------------------------------- */

/* A reading has the beginning of a long value alone. */
#define CUT 1990

static Truth rule_fits(const MsHeaderRule *rule, const MsHeader *header)
{
	Truth truth = matches(rule->pattern, header->value);
	return truth == NO && strlen(header->value) >= CUT ? UNSURE : truth;
}

static Truth has_header(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = f->known ? NO : UNSURE;
	(void)policy;
	for (guint i = 0; i < ask->members->len; i++) {
		const MsHeaderRule *rule = ask->members->pdata[i];
		for (guint k = 0; k < f->reading->headers->len && truth != YES; k++) {
			const MsHeader *header = f->reading->headers->pdata[k];
			if (g_ascii_strcasecmp(header->name, rule->name) == 0)
				truth = or (truth, rule_fits(rule, header));
		}
	}
	return truth;
}

static Truth has_field(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	(void)policy;
	for (guint i = 0; i < ask->members->len; i++)
		if (ms_reading_header(f->reading, ask->members->pdata[i]) != NULL)
			return YES;
	return f->known ? NO : UNSURE;
}

/* Filters put theirs on top: what a client wrote stands below.  One that is not there says
 * nothing. */
static Truth filter_says(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = NO;
	(void)policy;
	for (guint i = 0; i < ask->members->len; i++) {
		const MsHeaderRule *rule = ask->members->pdata[i];
		Truth one = UNSURE;
		for (guint k = 0; f->known && k < f->reading->headers->len; k++) {
			const MsHeader *header = f->reading->headers->pdata[k];
			if (g_ascii_strcasecmp(header->name, rule->name) != 0)
				continue;
			one = rule_fits(rule, header);
			break;
		}
		truth = or (truth, one);
	}
	return truth;
}

/* ---- results of other filters ----------------------------------------------------------- */

static GPtrArray *parse_results(const MsReading *reading)
{
	GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)ms_auth_results_free);
	for (guint i = 0; i < reading->headers->len; i++) {
		const MsHeader *header = reading->headers->pdata[i];
		if (g_ascii_strcasecmp(header->name, "Authentication-Results") != 0)
			continue;
		MsAuthResults *one = ms_auth_results_parse(header->value);
		if (one != NULL && strlen(header->value) >= CUT)
			one->whole = false;
		if (one != NULL) /* else it does not say whose it is: nobody's that is believed */
			g_ptr_array_add(out, one);
	}
	return out;
}

static bool is_believed(const MsPolicy *policy, const MsAuthResults *results)
{
	for (guint i = 0; i < policy->services->len; i++)
		if (strcmp(policy->services->pdata[i], results->id) == 0)
			return true;
	return false;
}

static Truth result_fits(const MsResultRule *rule, const MsAuthResult *result)
{
	Truth truth = strcmp(rule->result, result->result) == 0 ? YES : NO;
	for (guint i = 0; i < rule->properties->len && truth != NO; i++) {
		Truth one = NO;
		for (guint k = 0; k < result->properties->len; k++)
			one = or
				(one,
					matches(rule->properties->pdata[i],
						result->properties->pdata[k]));
		truth = one == NO ? NO : one == UNSURE ? UNSURE : truth;
	}
	/* It could not be found out, so that it may as well be what is asked for. */
	bool later = strcmp(result->result, "temperror") == 0 &&
		strcmp(rule->result, "temperror") != 0;
	return later ? UNSURE : truth;
}

/* What that field says of a method; `*says_out`: whether it says anything. */
static Truth field_says(const MsAuthResults *field, const MsResultRule *rule, bool *says_out)
{
	Truth truth = NO;
	*says_out = false;
	for (guint i = 0; i < field->results->len; i++) {
		const MsAuthResult *result = field->results->pdata[i];
		if (strcmp(result->method, rule->method) != 0)
			continue;
		*says_out = true;
		truth = or (truth, result_fits(rule, result));
	}
	return truth;
}

/* The topmost field of a service that is believed and that says something of the method:
 * filters put theirs on top, and one below may be the client's own. */
static Truth rule_says(const MsFacts *f, const MsPolicy *policy, const MsResultRule *rule)
{
	for (guint i = 0; f->known && i < f->results->len; i++) {
		const MsAuthResults *field = f->results->pdata[i];
		bool says;
		if (!is_believed(policy, field))
			continue;
		Truth truth = field_says(field, rule, &says);
		if (!field->whole && truth != YES)
			return UNSURE;
		if (says)
			return truth;
	}
	return UNSURE;
}

static Truth results_say(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = NO;
	for (guint i = 0; i < ask->members->len; i++)
		truth = or (truth, rule_says(f, policy, ask->members->pdata[i]));
	return truth;
}

/* ---- of what is in it ------------------------------------------------------------------- */

/* Is the list of parts whole?  What is encrypted, damaged or over a limit may have further ones
 * in it. */
static bool parts_known(const MsFacts *f, const MsPolicy *policy)
{
	if (!f->known || f->reading->parts->len >= MS_READING_MAX_PARTS)
		return false;
	for (guint i = 0; i < f->reading->unread->len; i++) {
		MsUnreadReason reason = ((MsUnread *)f->reading->unread->pdata[i])->reason;
		switch (reason) {
		case MS_UNREAD_NO_READER:
		case MS_UNREAD_IMAGE:
		case MS_UNREAD_IMAGE_ONLY:
		case MS_UNREAD_SIGNATURE:
		case MS_UNREAD_PASSWORD:
		case MS_UNREAD_CHARSET:
		case MS_UNREAD_PATTERN: break;
		case MS_UNREAD_ENCRYPTED:
		case MS_UNREAD_DAMAGED:
		case MS_UNREAD_AMBIGUOUS:
		case MS_UNREAD_ENCODING:
		case MS_UNREAD_PARTIAL:
		case MS_UNREAD_LIMIT:
		case MS_UNREAD_TIME:
		case MS_UNREAD_WORKER:
			if (!policy->tolerated[reason])
				return false;
			break;
		case MS_N_UNREAD: g_assert_not_reached();
		}
	}
	return true;
}

/* Has a name or is said to be one; or is, by either word for it, neither text nor picture. */
static bool is_attachment(const MsPart *part)
{
	bool text = g_str_has_prefix(part->claimed, "text/") &&
		(*part->actual == '\0' || g_str_has_prefix(part->actual, "text/"));
	return part->attached || (!text && !g_str_has_prefix(part->claimed, "image/"));
}

static Truth has_part(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = parts_known(f, policy) ? NO : UNSURE;
	for (guint i = 0; i < f->reading->parts->len && truth != YES; i++) {
		const MsPart *part = f->reading->parts->pdata[i];
		truth = or (truth, matches_any(ask->members, part->claimed));
		truth = or (truth, matches_any(ask->members, part->actual));
		truth = or (truth, matches_any(ask->members, part->name));
	}
	return truth;
}

/* By what its bytes are, whatever it is called.  Bytes of a workbook are those of an archive: where
 * the label says that it is one, it may be. */
static Truth type_fits(const GPtrArray *globs, const MsPart *part)
{
	Truth truth = *part->actual != '\0' ? matches_any(globs, part->actual) : UNSURE;
	return truth == NO && ms_part_is_packed(part) && matches_any(globs, part->claimed) != NO
		? UNSURE
		: truth;
}

static Truth has_type(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = parts_known(f, policy) ? NO : UNSURE;
	for (guint i = 0; i < f->reading->parts->len && truth != YES; i++) {
		const MsPart *part = f->reading->parts->pdata[i];
		if (is_attachment(part))
			truth = or (truth, type_fits(ask->members, part));
	}
	return truth;
}

#define MAX_NAMES 20

/* Several names of one part stand with a blank between them, and a name may have blanks. */
static Truth name_fits(const GPtrArray *globs, const char *name)
{
	Truth truth = matches_any(globs, name);
	guint n = 0;
	for (const char *blank = strchr(name, ' '); blank != NULL && truth == NO;
		blank = strchr(blank + 1, ' ')) {
		g_autofree char *before = g_strndup(name, (gsize)(blank - name));
		if (n++ >= MAX_NAMES || matches_any(globs, before) != NO ||
			matches_any(globs, blank + 1) != NO)
			truth = UNSURE;
	}
	return truth;
}

static Truth has_name(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = parts_known(f, policy) ? NO : UNSURE;
	for (guint i = 0; i < f->reading->parts->len && truth != YES; i++) {
		const MsPart *part = f->reading->parts->pdata[i];
		if (is_attachment(part))
			truth = or (truth, name_fits(ask->members, part->name));
	}
	return truth;
}

static Truth has_size(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	Truth truth = parts_known(f, policy) ? NO : UNSURE;
	for (guint i = 0; i < f->reading->parts->len && truth != YES; i++) {
		const MsPart *part = f->reading->parts->pdata[i];
		if (is_attachment(part))
			truth = or (truth, lies_in(ask->members, part->size, part->size));
	}
	return truth;
}

static Truth count_fits(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	guint n = 0;
	for (guint i = 0; i < f->reading->parts->len; i++)
		n += is_attachment(f->reading->parts->pdata[i]);
	return lies_in(ask->members, n, parts_known(f, policy) ? n : G_MAXUINT64);
}

static Truth size_fits(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	(void)policy;
	return f->envelope->size > 0 ? lies_in(ask->members, f->envelope->size, f->envelope->size)
				     : UNSURE;
}

/* Of the kinds that the policy looks at; what could not be read, and is not tolerated, may have
 * any number. */
static Truth identifiers_fit(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask)
{
	guint64 least = 0, most = 0;
	for (guint i = 0; i < f->reading->findings->len; i++) {
		const MsFinding *finding = f->reading->findings->pdata[i];
		bool looked = g_hash_table_size(policy->kinds) == 0 ||
			g_hash_table_contains(policy->kinds, finding->kind);
		bool tentative = (finding->belief & MS_BELIEF_TENTATIVE) != 0,
		     asked = f->resolution != NULL;
		if (!looked || (finding->belief & MS_BELIEF_ADDRESSED) != 0 ||
			!ms_finding_leads(finding))
			continue;
		bool owned = tentative && asked && ms_resolution_is_owned(f->resolution, i);
		least += !tentative || owned;
		most += !tentative || owned || !asked;
	}
	for (guint i = 0; i < f->reading->unread->len; i++)
		if (!policy->tolerated[((MsUnread *)f->reading->unread->pdata[i])->reason])
			most = G_MAXUINT64;
	return lies_in(ask->members, least, f->known ? most : G_MAXUINT64);
}

/* ---- all of them ------------------------------------------------------------------------ */

typedef struct {
	Truth (*holds)(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask);
	bool content;        /* not known before it is read */
	const char *unmet;   /* what is said where none of the list fits, and */
	const char *met;     /* where one of those does that must not */
	const char *unknown; /* where it is not known */
} Row;

static const Row rows[MS_N_CONDITIONS] = {
	[MS_IF_SENDER] = {is_sender, false, NULL, NULL, "the sender can be taken in several ways, or for none, or a pattern gave up on it"},
	[MS_IF_USER] = {is_user, false, NULL, NULL, "nobody says who had logged in"},
	[MS_IF_NETWORK] = {is_client, false, NULL, NULL, "nobody says from which client it came"},
	[MS_IF_TIME] = {is_time, false, "it did not come in the days and hours: ",
		"it came in the days and hours: ", "it is not known when it came"},
	[MS_IF_HEADER] = {has_header, true, "no header field is as asked for: ",
		"a header field is one of: ", "not all of the header could be read"},
	[MS_IF_PRESENT] = {has_field, true, "it has none of the header fields: ",
		"it has one of the header fields: ", "not all of the header could be read"},
	[MS_IF_FILTER] = {filter_says, true, "no filter said: ", "a filter said one of: ",
		"the filter's header field is not there, or could not be read"},
	[MS_IF_RESULT] = {results_say, true, "the results in Authentication-Results are none of: ",
		"a result in Authentication-Results is one of: ",
		"no service that is believed (authserv-id) says in Authentication-Results what came out"},
	[MS_IF_SIZE] = {size_fits, true, "the size of the message is not: ",
		"the size of the message is one of: ", "the size of the message is not known"},
	[MS_IF_ATTACHMENT] = {has_part, true, "no part is of a type or name asked for: ",
		"a part is of a type or name of: ", "not all parts could be read"},
	[MS_IF_TYPE] = {has_type, true,
		"no attachment is by its bytes one of: ", "an attachment is by its bytes one of: ",
		"nobody knows what the bytes of an attachment are, or not all parts could be read"},
	[MS_IF_NAME] = {has_name, true,
		"no attachment has a name such as: ", "an attachment has a name such as: ",
		"not all parts could be read, or one has several names"},
	[MS_IF_EACH_SIZE] = {has_size, true, "no attachment is of the size: ",
		"an attachment is of the size: ", "not all parts could be read"},
	[MS_IF_COUNT] = {count_fits, true, "the number of attachments is not: ",
		"the number of attachments is one of: ", "not all parts could be read"},
	[MS_IF_IDENTIFIERS] = {identifiers_fit, true, "the number of identifiers found is not: ",
		"the number of identifiers found is one of: ",
		"not everything could be read, or the directory not be asked"},
};

/* `late`: nobody looks into it any more. */
static Truth truth_of(const MsFacts *f, const MsPolicy *policy, const MsAsk *ask, bool late)
{
	const Row *row = &rows[ask->what];
	Truth truth = row->content && (late || f->reading == NULL) ? UNSURE
								   : row->holds(f, policy, ask);
	return !ask->negated || truth == UNSURE ? truth : truth == YES ? NO : YES;
}

/* Judged again, a message is under the policies it was under, whatever of its session is no
 * longer known. */
static bool was_under(const MsEnvelope *envelope, const MsPolicy *policy)
{
	return envelope->policies != NULL &&
		g_strv_contains((const char *const *)envelope->policies, policy->title);
}

/* The first condition that is known not to be met, or NULL. */
static const MsAsk *unmet(const MsFacts *f, const MsPolicy *policy, bool late)
{
	for (guint i = 0; i < policy->asks->len && !was_under(f->envelope, policy); i++)
		if (truth_of(f, policy, policy->asks->pdata[i], late) == NO)
			return policy->asks->pdata[i];
	return NULL;
}

/* Were headers and structure read at all?  If not, every condition on them may hold. */
static bool facts_known(const MsReading *reading)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *unread = reading->unread->pdata[i];
		if (ms_unread_is_whole(unread) || unread->reason == MS_UNREAD_TIME)
			return false;
	}
	return reading->headers->len > 0;
}

MsFacts *ms_facts_new(
	const MsEnvelope *envelope, const MsReading *reading, const MsResolution *resolution)
{
	MsFacts *f = g_new0(MsFacts, 1);
	f->envelope = envelope;
	f->reading = reading;
	f->resolution = resolution;
	f->sender = ms_address_canonical(envelope->sender, strlen(envelope->sender));
	if (f->sender == NULL)
		f->sender = g_utf8_make_valid(envelope->sender, -1);
	f->senders = ms_address_readings(envelope->sender);
	f->user = envelope->auth_user != NULL ? g_utf8_make_valid(envelope->auth_user, -1) : NULL;
	f->known = reading != NULL && facts_known(reading);
	f->results = reading != NULL ? parse_results(reading) : g_ptr_array_new();
	return f;
}

void ms_facts_free(MsFacts *f)
{
	g_free(f->sender);
	g_ptr_array_unref(f->senders);
	g_free(f->user);
	g_ptr_array_unref(f->results);
	g_free(f);
}

bool ms_facts_fit(const MsFacts *f, const MsPolicy *policy, bool late)
{
	return unmet(f, policy, late) == NULL;
}

char *ms_facts_unsure(const MsFacts *f, const MsPolicy *policy, bool late)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < policy->asks->len && !was_under(f->envelope, policy); i++) {
		const MsAsk *ask = policy->asks->pdata[i];
		if (truth_of(f, policy, ask, late) == UNSURE)
			g_string_append_printf(out, "%s%s (%s)", out->len > 0 ? ", " : "",
				ms_condition_key(ask->what, ask->negated),
				late && rows[ask->what].content ? "there was no time left to look"
								: rows[ask->what].unknown);
	}
	return g_string_free(out, out->len == 0);
}

/* ---- before it is read ------------------------------------------------------------------ */

static MsFacts *envelope_facts(const MsEnvelope *envelope)
{
	return ms_facts_new(envelope, NULL, NULL);
}

bool ms_policy_envelope_fits(const MsPolicy *policy, const MsEnvelope *envelope)
{
	g_autoptr(MsFacts) f = envelope_facts(envelope);
	return unmet(f, policy, false) == NULL;
}

static bool may_apply(const MsPolicies *policies, const MsEnvelope *envelope, bool enforced)
{
	g_autoptr(MsFacts) f = envelope_facts(envelope);
	for (guint i = 0; i < policies->list->len; i++) {
		const MsPolicy *policy = policies->list->pdata[i];
		if ((policy->enforced || !enforced) && unmet(f, policy, false) == NULL)
			return true;
	}
	return false;
}

bool ms_policy_may_apply(const MsPolicies *policies, const MsEnvelope *envelope)
{
	return may_apply(policies, envelope, false);
}

bool ms_policy_may_be_enforced(const MsPolicies *policies, const MsEnvelope *envelope)
{
	return may_apply(policies, envelope, true);
}

static gint64 said_or(gint64 said, guint64 own)
{
	return said >= 0 ? said : (gint64)MIN(own, G_MAXINT64);
}

static void allow(const MsPolicy *policy, const MsLimits *own, guint ocr, MsLimits *out)
{
	guint64 *max = out->max;
	guint64 pictures = policy->ocr < 0 ? own->max[MS_COST_OCR]
		: policy->ocr == 0         ? 0
					   : MAX(own->max[MS_COST_OCR], ocr);
	out->milliseconds = MAX(
		out->milliseconds, policy->read_ms >= 0 ? policy->read_ms : own->milliseconds);
	max[MS_COST_PAGE] = MAX(max[MS_COST_PAGE],
		(guint64)said_or(policy->read_pages, own->max[MS_COST_PAGE]));
	max[MS_COST_TEXT] = MAX(max[MS_COST_TEXT],
		(guint64)said_or(policy->read_text, own->max[MS_COST_TEXT]));
	max[MS_COST_OCR] = MAX(max[MS_COST_OCR], pictures);
}

void ms_policies_reading(const MsPolicies *policies, const MsEnvelope *envelope,
	const MsLimits *own, guint ocr, MsLimits *out)
{
	g_autoptr(MsFacts) f = envelope != NULL ? envelope_facts(envelope) : NULL;
	guint n = 0;
	*out = *own;
	out->milliseconds = 0;
	out->max[MS_COST_PAGE] = out->max[MS_COST_TEXT] = out->max[MS_COST_OCR] = 0;
	for (guint i = 0; i < policies->list->len; i++) {
		const MsPolicy *policy = policies->list->pdata[i];
		if (f != NULL && unmet(f, policy, false) != NULL)
			continue;
		allow(policy, own, ocr, out);
		n++;
	}
	if (n == 0)
		*out = *own;
}

/* ---- told ------------------------------------------------------------------------------- */

/* Those of the envelope say what there was instead. */
static char *words_of(const MsFacts *f, const MsAsk *ask)
{
	const char *no = ask->negated ? "one" : "none", *client = f->envelope->client_address;
	if (ask->what == MS_IF_SENDER)
		return g_strdup_printf("the sender <%s> is %s of: %s", f->sender, no, ask->words);
	if (ask->what == MS_IF_USER && f->user == NULL)
		return g_strdup_printf(
			"nobody had logged in, and it is for auth-user: %s", ask->words);
	if (ask->what == MS_IF_USER)
		return g_strdup_printf(
			"the login name \"%s\" is %s of: %s", f->user, no, ask->words);
	if (ask->what == MS_IF_NETWORK)
		return g_strdup_printf("the client %s is in %s of the networks: %s",
			client != NULL ? client : "(this host)", no, ask->words);
	return g_strconcat(
		ask->negated ? rows[ask->what].met : rows[ask->what].unmet, ask->words, NULL);
}

char *ms_policy_why_not(const MsPolicies *policies, guint n, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution)
{
	g_autoptr(MsFacts) f = ms_facts_new(envelope, reading, resolution);
	const MsAsk *ask = unmet(f, g_ptr_array_index(policies->list, n), false);
	return ask != NULL ? words_of(f, ask) : NULL;
}

char *ms_policy_unsure(const MsPolicies *policies, guint n, const MsEnvelope *envelope,
	const MsReading *reading, const MsResolution *resolution)
{
	g_autoptr(MsFacts) f = ms_facts_new(envelope, reading, resolution);
	return ms_facts_unsure(f, g_ptr_array_index(policies->list, n), false);
}
