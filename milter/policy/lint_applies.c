/*
 * Checks of what policies apply to: lists with entries too many, too wide, or that nothing can
 * match; and mail of the past that falls under none.  Of the thread that lints; nothing is shared.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/domain.h"
#include "missent/text.h"

#include "lint_private.h"

/* ---- covering ------------------------------------------------------------------------- */

static bool covers_one(char a, char b)
{
	return b != '*' && (a == '?' || (b != '?' && g_ascii_tolower(a) == g_ascii_tolower(b)));
}

/* All that the glob `b` matches, `a` matches too; else maybe not.  `b` is taken as a text in which
 * * and ? are letters that only * (and for ? also ?) match: what is covered then is covered
 * whatever stands for them. */
static bool glob_covers(const char *a, const char *b)
{
	const gsize m = strlen(a), n = strlen(b);
	g_autofree bool *row = g_new0(bool, n + 1);
	row[0] = true;
	for (gsize i = 0; i < m; i++) {
		bool before = row[0]; /* of the row above, one to the left */
		row[0] = row[0] && a[i] == '*';
		for (gsize k = 1; k <= n; k++) {
			bool above = row[k];
			row[k] = a[i] == '*' ? above || row[k - 1]
					     : before && covers_one(a[i], b[k - 1]);
			before = above;
		}
	}
	return row[n];
}

static int bits_of(const char *network)
{
	const char *slash = strchr(network, '/');
	return slash != NULL                   ? (int)g_ascii_strtoll(slash + 1, NULL, 10)
		: strchr(network, ':') != NULL ? 128
					       : 32;
}

static bool network_covers(const char *a, const char *b)
{
	g_autofree char *base = g_strndup(b, strcspn(b, "/"));
	return bits_of(a) <= bits_of(b) && ms_network_contains(a, base);
}

/* ---- twice ---------------------------------------------------------------------------- */

bool lint_sender_covers(const char *a, const char *b)
{
	g_autofree char *x = ms_policy_sender_glob(a), *y = ms_policy_sender_glob(b);
	return glob_covers(x, y);
}

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool same_header(const char *a, const char *b)
{
	gsize name = strcspn(a, ":");
	return name == strcspn(b, ":") && g_ascii_strncasecmp(a, b, name) == 0 &&
		strcmp(a + name, b + name) == 0;
}

static bool same_name(const char *a, const char *b)
{
	return g_ascii_strcasecmp(a, b) == 0;
}

static bool range_covers(const char *a, const char *b, bool size)
{
	MsRange x, y;
	return ms_range_parse(a, size, &x) && ms_range_parse(b, size, &y) && x.from <= y.from &&
		x.to >= y.to;
}

static bool count_covers(const char *a, const char *b)
{
	return range_covers(a, b, false);
}

static bool size_covers(const char *a, const char *b)
{
	return range_covers(a, b, true);
}

static bool window_covers(const char *a, const char *b)
{
	MsWindow x, y;
	if (!ms_window_parse(a, &x, NULL) || !ms_window_parse(b, &y, NULL))
		return false;
	for (guint i = 0; i < MS_WEEK; i++)
		if (ms_window_has(&y, i / 1440, i % 1440) && !ms_window_has(&x, i / 1440, i % 1440))
			return false;
	return true;
}

const LintCovers lint_covers[MS_N_CONDITIONS] = {
	[MS_IF_SENDER] = lint_sender_covers,
	[MS_IF_USER] = glob_covers,
	[MS_IF_NETWORK] = network_covers,
	[MS_IF_TIME] = window_covers,
	[MS_IF_HEADER] = same_header,
	[MS_IF_PRESENT] = same_name,
	[MS_IF_FILTER] = same_header,
	[MS_IF_RESULT] = same,
	[MS_IF_SIZE] = size_covers,
	[MS_IF_ATTACHMENT] = glob_covers,
	[MS_IF_TYPE] = glob_covers,
	[MS_IF_NAME] = glob_covers,
	[MS_IF_EACH_SIZE] = size_covers,
	[MS_IF_COUNT] = count_covers,
	[MS_IF_IDENTIFIERS] = count_covers,
};

static void tell_twice(Lint *lint, Subject *s, const char *key, LintCovers covers)
{
	const char *const *list = ms_section_list(s->section, key);
	guint n = g_strv_length((char **)list);
	for (guint b = 0; n * n <= LINT_PAIRS && b < n; b++)
		for (guint a = 0; list[a] != NULL; a++) {
			if (a == b || !covers(list[a], list[b]) ||
				(a > b && covers(list[b], list[a])))
				continue;
			if (same(list[a], list[b]))
				lint_tell(lint, s, key, list[b], "Take one of them out.",
					"%s: \"%s\" stands there twice", key, list[b]);
			else
				lint_tell(lint, s, key, list[b], "Take it out, or the other one.",
					"%s: \"%s\" has no effect beside \"%s\"", key, list[b],
					list[a]);
			break;
		}
}

void lint_twice(Lint *lint, Subject *s)
{
	static const char *const sets[] = {"kinds", "require", "tolerate", "believe-mismatch",
		"believe-unknown-identifier", "believe-proof"};
	for (int what = 0; what < MS_N_CONDITIONS; what++)
		for (int negated = 0; negated < 2; negated++)
			tell_twice(lint, s, ms_condition_key((MsCondition)what, negated == 1),
				lint_covers[what]);
	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
		tell_twice(lint, s, sets[i], same);
}

/* ---- too wide ------------------------------------------------------------------------- */

/* Why a domain is nobody's own; NULL: it may be somebody's. */
static const char *width_of(const char *domain)
{
	g_autofree char *query = g_strconcat("@", domain, NULL);
	g_autofree char *canonical = ms_address_canonical(query, strlen(query));
	if (canonical == NULL)
		return NULL;
	return ms_domain_is_provider(canonical + 1)
		? "a provider at which anybody can have a mailbox"
		: ms_domain_is_suffix(canonical + 1) ? "a public suffix, and no company's domain"
						     : NULL;
}

/* "*@gmail.com", "*@*.com": what is behind the @, without the wildcards before it. */
static const char *width_of_glob(const char *glob)
{
	const char *at = strrchr(glob, '@');
	const char *domain = at != NULL ? at + 1 : glob;
	bool everybody = at == NULL || strspn(glob, "*") == (gsize)(at - glob);
	while (g_str_has_prefix(domain, "*.") || (*domain == '*' && domain[1] == '*'))
		domain += domain[1] == '.' ? 2 : 1;
	if (*domain == '*' && domain[1] != '\0' && strpbrk(domain + 1, "*?") == NULL)
		domain += domain[1] == '.'
			? 2
			: 1; /* "*example.com" may be wider, and is told as that */
	return everybody && strpbrk(domain, "*?") == NULL ? width_of(domain) : NULL;
}

void lint_broad_senders(Lint *lint, Subject *s)
{
	for (const char *const *sender = ms_section_list(s->section, "sender"); *sender != NULL;
		sender++) {
		g_autofree char *glob = ms_policy_sender_glob(*sender);
		const char *width = width_of_glob(glob);
		if (glob_covers(glob, "*@*") || glob_covers(glob, "*@*.*"))
			lint_tell(lint, s, "sender", *sender,
				"Leave sender out to say so, or name your addresses.",
				"sender \"%s\" is everybody", *sender);
		else if (width != NULL)
			lint_tell(lint, s, "sender", *sender, "Name your own addresses or domains.",
				"sender \"%s\" is %s", *sender, width);
	}
	for (const char *const *user = ms_section_list(s->section, "auth-user"); *user != NULL;
		user++)
		if (glob_covers(*user, "*"))
			lint_tell(lint, s, "auth-user", *user,
				"Name users, or see that it is meant.",
				"auth-user \"%s\" is everybody who is authenticated", *user);
}

/* Who writes "*.example.com" may think that example.com is one of them. */
void lint_below_alone(Lint *lint, Subject *s)
{
	const char *const *senders = ms_section_list(s->section, "sender");
	for (const char *const *sender = senders; *sender != NULL; sender++) {
		const char *domain = *sender + (**sender == '@') + 2;
		bool covered = !g_str_has_prefix(*sender + (**sender == '@'), "*.") ||
			strpbrk(domain, "*?") != NULL;
		for (const char *const *other = senders; *other != NULL && !covered; other++)
			covered = lint_sender_covers(*other, domain);
		if (!covered)
			lint_tell(lint, s, "sender", *sender,
				"Name the domain too, or write *@*. to say that it is meant.",
				"sender \"%s\" is what lies below %s, and not %s itself", *sender,
				domain, domain);
	}
}

void lint_broad_networks(Lint *lint, Subject *s)
{
	for (const char *const *network = ms_section_list(s->section, "networks"); *network != NULL;
		network++)
		if (bits_of(*network) == 0)
			lint_tell(lint, s, "networks", *network,
				"Leave networks out to say so, or name your own.",
				"networks \"%s\" is the whole Internet", *network);
}

static const char *config_of(const Lint *lint)
{
	return ms_section_file(lint->options->settings->root);
}

void lint_outgoing(Lint *lint)
{
	const MsSettings *settings = lint->options->settings;
	if (settings == NULL)
		return;
	const MsSection *outgoing = ms_section_sub(settings->root, "outgoing");
	for (const char *const *network = settings->out_networks; *network != NULL; network++)
		if (bits_of(*network) == 0)
			lint_tell_at(lint, config_of(lint),
				ms_section_key_line(outgoing, "networks"), "outgoing",
				"Name your own networks.",
				"networks \"%s\" is the whole Internet: mail that comes in is judged as if you sent it",
				*network);
	for (const char *const *domain = settings->out_domains; *domain != NULL; domain++) {
		const char *width = width_of(*domain);
		if (width != NULL)
			lint_tell_at(lint, config_of(lint),
				ms_section_key_line(outgoing, "sender-domains"), "outgoing",
				"Name your own domains.", "sender-domains \"%s\" is %s", *domain,
				width);
	}
}

/* ---- never ---------------------------------------------------------------------------- */

/* "*.pdf": so end names, and hardly a type. */
static bool is_ending(const char *glob)
{
	const char *dot = strrchr(glob, '.');
	gsize len = dot != NULL ? strlen(dot + 1) : 0;
	return len > 0 && len <= 4 && strchr(glob, '/') == NULL && strpbrk(dot, "*?") == NULL;
}

static void tell_attachment(Lint *lint, Subject *s, const char *key, const char *one)
{
	const char *remedy = "A name is such as \"*.pdf\", a type such as \"application/pdf\".";
	bool type = g_str_has_suffix(key, "-type");
	if (strpbrk(one, "\\|^{") != NULL)
		lint_tell(lint, s, key, one, remedy,
			"%s \"%s\" is the name of no file, and no type: it has * and ? alone for others",
			key, one);
	else if (type && (strpbrk(one, "/*") == NULL || is_ending(one)))
		lint_tell(lint, s, key, one, remedy, "%s \"%s\" is no type", key, one);
	else if (g_str_has_suffix(key, "-name") && strchr(one, '/') != NULL)
		lint_tell(lint, s, key, one, remedy, "%s \"%s\" is the name of no file", key, one);
	else if (!type && strpbrk(one, "*?/") == NULL && (*one == '.' || strchr(one, '.') == NULL))
		lint_tell(lint, s, key, one, remedy,
			"%s \"%s\" is a file of exactly this name alone", key, one);
	else if (g_str_has_suffix(key, "attachment") && glob_covers(one, "*"))
		lint_tell(lint, s, key, one, "Leave it out to say so.",
			"%s \"%s\" is any part of any message", key, one);
	else if (glob_covers(one, type ? "*/*" : "*"))
		lint_tell(lint, s, key, one, "attachments = {\"over 0\"} says so.",
			"%s \"%s\" is any attachment", key, one);
}

void lint_attachments(Lint *lint, Subject *s)
{
	static const MsCondition conditions[] = {MS_IF_ATTACHMENT, MS_IF_TYPE, MS_IF_NAME};
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(conditions); i++) {
		const char *key = ms_condition_key(conditions[i / 2], i % 2 == 1);
		for (const char *const *one = ms_section_list(s->section, key); *one != NULL; one++)
			tell_attachment(lint, s, key, *one);
	}
}

/* Fields that policies are made of; what begins with X- or List- is anybody's. */
static const char *const fields[] = {"Subject", "From", "To", "Cc", "Bcc", "Reply-To", "Sender",
	"Date", "Message-ID", "In-Reply-To", "References", "Comments", "Keywords", "Return-Path",
	"Received", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	"Content-Disposition", "Content-Language", "Authentication-Results", "DKIM-Signature",
	"Received-SPF", "Auto-Submitted", "Precedence", "Importance", "Priority", "Sensitivity",
	"Organization", "User-Agent", "Feedback-ID", "Errors-To", "Return-Receipt-To",
	"Disposition-Notification-To", "Delivered-To", NULL};

static void tell_name(Lint *lint, Subject *s, const char *key, const char *name, const char *value)
{
	const char *near = NULL;
	bool known = g_ascii_strncasecmp(name, "X-", 2) == 0 ||
		g_ascii_strncasecmp(name, "List-", 5) == 0 ||
		g_ascii_strncasecmp(name, "Resent-", 7) == 0;
	for (gsize k = 0; fields[k] != NULL && !known; k++)
		known = g_ascii_strcasecmp(fields[k], name) == 0;
	if (!known && (near = ms_text_nearest(name, fields)) != NULL)
		lint_tell(lint, s, key, value, "Mend its name.", "%s: \"%s\" is likely to be %s",
			key, name, near);
}

void lint_header_names(Lint *lint, Subject *s)
{
	const char *key;
	const MsAsk *ask;
	for (guint n = 0; (ask = lint_header_ask(s, n, &key)) != NULL; n++)
		for (guint i = 0; i < ask->members->len; i++)
			tell_name(lint, s, key, ((MsHeaderRule *)ask->members->pdata[i])->name,
				ms_section_list(s->section, key)[i]);
	for (int negated = 0; negated < 2; negated++) {
		key = ms_condition_key(MS_IF_PRESENT, negated == 1);
		for (const char *const *name = ms_section_list(s->section, key); *name != NULL;
			name++)
			tell_name(lint, s, key, *name, *name);
	}
}

static bool is_same_domain(const char *ascii, const char *domain)
{
	g_autofree char *query = g_strconcat("@", domain, NULL);
	g_autofree char *canonical = ms_address_canonical(query, strlen(query));
	return canonical != NULL && g_ascii_strcasecmp(canonical + 1, ascii) == 0;
}

static bool domain_is_out(const MsSettings *settings, const char *sender)
{
	g_autofree char *glob = ms_policy_sender_glob(sender);
	const char *at = strrchr(glob, '@');
	for (const char *const *domain = settings->out_domains; *domain != NULL; domain++)
		if (at == NULL || strpbrk(at, "*?") != NULL ||
			is_same_domain(at + 1, *domain))
			return true;
	return false;
}

/* Only where outgoing is said by domains, or by networks, alone. */
void lint_never_outgoing(Lint *lint, Subject *s)
{
	const MsSettings *settings = lint->options->settings;
	if (settings == NULL || settings->out_authenticated || settings->out_local)
		return;
	const char *const *senders = ms_section_list(s->section, "sender");
	const char *const *networks = ms_section_list(s->section, "networks");
	const char *remedy = "Say in the section outgoing whose mail is yours.";
	for (; settings->out_networks[0] == NULL && *senders != NULL; senders++)
		if (!domain_is_out(settings, *senders))
			lint_tell(lint, s, "sender", *senders, remedy,
				"sender \"%s\" is none of sender-domains: its mail is not outgoing",
				*senders);
	for (; settings->out_domains[0] == NULL && *networks != NULL; networks++) {
		bool out = false;
		for (const char *const *own = settings->out_networks; *own != NULL && !out; own++)
			out = network_covers(*own, *networks) ||
				network_covers(*networks, *own);
		if (!out)
			lint_tell(lint, s, "networks", *networks, remedy,
				"networks \"%s\" is in none of outgoing's networks", *networks);
	}
}

/* One letter more, less or other, or two that changed places. */
static bool is_slip(const char *a, const char *b)
{
	gsize la = strlen(a), lb = strlen(b);
	for (; la > 0 && lb > 0 && *a == *b; la--, lb--, a++, b++)
		;
	for (; la > 0 && lb > 0 && a[la - 1] == b[lb - 1]; la--, lb--)
		;
	return (la <= 1 && lb <= 1 && la + lb > 0) ||
		(la == 2 && lb == 2 && a[0] == b[1] && a[1] == b[0]);
}

/* Two domains of a company differ in their ends: seller.de and seller.be. */
static bool is_mistyped(const char *domain, const char *own)
{
	const char *a = strrchr(domain, '.'), *b = strrchr(own, '.');
	bool ends = a != NULL && b != NULL && strcmp(a, b) != 0 && ms_domain_is_suffix(a + 1);
	return !ends && is_slip(domain, own);
}

/* Such a policy is for mail that nobody sends: what it is meant for goes by without it. */
void lint_mistyped_senders(Lint *lint, Subject *s)
{
	const MsSettings *settings = lint->options->settings;
	for (const char *const *sender = ms_section_list(s->section, "sender"); *sender != NULL;
		sender++) {
		const char *at = strrchr(*sender, '@');
		const char *domain = at != NULL ? at + 1 : *sender; /* as it is written */
		if (strpbrk(*sender, ".@*?<") == NULL && strcmp(*sender, "localhost") != 0 &&
			width_of(*sender) == NULL)
			lint_tell(lint, s, "sender", *sender,
				"Write an address (billing@example.com), or a whole domain.",
				"sender \"%s\" is all mail of a domain \"%s\"", *sender, *sender);
		if (settings == NULL || domain_is_out(settings, *sender))
			continue;
		for (const char *const *own = settings->out_domains; *own != NULL; own++)
			if (is_mistyped(domain, *own))
				lint_tell(lint, s, "sender", *sender,
					"Correct it, or name its domain in sender-domains too.",
					"sender \"%s\" is of a domain that is not yours by sender-domains: is %s meant?",
					*sender, *own);
	}
}

/* Of RFC 2606 and 6761: nobody sends from there. */
static bool is_example(const char *sender)
{
	static const char *const names[] = {
		"example.com", "example.org", "example.net", NULL};
	g_autofree char *glob = ms_policy_sender_glob(sender);
	const char *at = glob != NULL ? strrchr(glob, '@') : NULL;
	for (gsize i = 0; at != NULL && names[i] != NULL; i++)
		if (g_ascii_strcasecmp(at + 1, names[i]) == 0)
			return true;
	return false;
}

/* Are they for mail that somebody here may send? */
static bool is_for_somebody(const Subject *s)
{
	const char *const *senders = ms_section_list(s->section, "sender");
	bool somebody = senders[0] == NULL;
	for (; *senders != NULL; senders++)
		somebody = somebody || !is_example(*senders);
	return somebody;
}

/* Policies as they are shipped name an example's sender; one that nobody has edited, or the last
 * edited one taken away, leaves all mail without a policy that knows customers. */
void lint_for_nobody(Lint *lint)
{
	const Subject *first = NULL;
	if (lint->policies->len == 0 && lint->findings->len == 0)
		lint_tell_at(lint, lint->options->dir, 0, "",
			"Copy one from the policies that come with missent, and name your billing address "
			"as its sender.",
			"there is no policy in it: no mail is judged");
	if (!lint->options->in_use || lint->policies->len == 0)
		return;
	for (guint i = 0; i < lint->policies->len; i++) {
		const Subject *s = lint->policies->pdata[i];
		if (!lint_looks(s))
			continue;
		if (is_for_somebody(s))
			return;
		first = first != NULL ? first : s;
	}
	const char *remedy = "Name your billing address as sender of the policy \"invoices\".";
	if (first == NULL)
		lint_tell_at(lint, ((Subject *)lint->policies->pdata[0])->file, 0, "", remedy,
			"no policy looks for other customers' data: all have kinds = {\"none\"}");
	else
		lint_tell(lint, first, "sender", NULL, remedy,
			"each policy that looks for other customers' data is for an example's sender "
			"alone (\"%s\"): none of your mail falls under one",
			ms_section_list(first->section, "sender")[0]);
}

/* ---- mail of the past ----------------------------------------------------------------- */

/* The sender of the log that is most like one that none of it matched; or NULL. */
static const char *near_sender(const GPtrArray *envelopes, const char *sender)
{
	g_autoptr(GHashTable) all = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < envelopes->len; i++)
		g_hash_table_add(all, ((MsEnvelope *)envelopes->pdata[i])->sender);
	guint n;
	g_autofree const char **names = (const char **)g_hash_table_get_keys_as_array(all, &n);
	return strchr(sender, '@') > sender ? ms_text_nearest(sender, names) : NULL;
}

static bool fits_any(const Subject *s, const GPtrArray *envelopes)
{
	for (guint i = 0; i < envelopes->len; i++)
		if (ms_policy_envelope_fits(s->policy, envelopes->pdata[i]))
			return true;
	return false;
}

static void tell_log(Lint *lint, Subject *s, const GPtrArray *envelopes)
{
	const char *const *senders = ms_section_list(s->section, "sender");
	const char *first = senders[0];
	const char *near = first != NULL ? near_sender(envelopes, first) : NULL;
	lint_tell(lint, s, first != NULL ? "sender" : NULL, first,
		"See how that mail is really sent.",
		"none of %u messages in the mail log falls under it%s%s", envelopes->len,
		near != NULL ? "; there is the sender " : "", near != NULL ? near : "");
}

/* A sender that no line names by itself may still be a pattern's: those cannot be told by the
 * trail's digests. */
static bool sender_in_trail(const MsLintMail *mail, const Subject *s)
{
	for (const char *const *sender = ms_section_list(s->section, "sender"); *sender != NULL;
		sender++) {
		g_autofree char *glob = ms_policy_sender_glob(*sender);
		const char *plain = g_str_has_prefix(glob, "*@") ? glob + 1 : glob;
		if (mail->sender_seen == NULL || strpbrk(plain, "*?") != NULL ||
			mail->sender_seen(plain, mail->user))
			return true;
	}
	return false;
}

void lint_never_seen(Lint *lint, Subject *s)
{
	const MsLintMail *mail = lint->options->mail;
	if (mail == NULL)
		return;
	bool in_log = mail->envelopes != NULL && mail->envelopes->len > 0 &&
		fits_any(s, mail->envelopes);
	if (mail->envelopes != NULL && mail->envelopes->len > 0 && !in_log)
		tell_log(lint, s, mail->envelopes);
	bool applied = mail->applied != NULL &&
		g_hash_table_contains(mail->applied, s->policy->title);
	if (mail->applied == NULL || in_log || applied || mail->messages < MS_LINT_MESSAGES ||
		sender_in_trail(mail, s))
		return;
	g_autofree char *day = ms_text_time(mail->since, MS_ZONE_LOCAL, MS_TIME_DAY);
	lint_tell(lint, s, NULL, NULL, "See how that mail is really sent; or take the policy out.",
		"none of the %" G_GUINT64_FORMAT
		" messages of the audit trail since %s fell under it",
		mail->messages, day);
}

/* ---- files ------------------------------------------------------------------------------ */

/* What editors and package managers leave, what is turned off by its name, and the notices that lie
 * beside the policies in the sources. */
static bool is_left_over(const char *name)
{
	static const char *const ends[] = {"~", ".bak", ".orig", ".old", ".rej", ".swp",
		".disabled", ".off", ".md", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".ucf-dist",
		".ucf-old", ".rpmnew", ".rpmsave"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
		if (g_str_has_suffix(name, ends[i]))
			return true;
	return name[0] == '.' || g_str_has_prefix(name, "README") ||
		g_str_has_prefix(name, "notice-");
}

/* It, or a file in it. */
static bool is_within(const char *file, const char *path)
{
	gsize n = strlen(path);
	return file != NULL && strncmp(file, path, n) == 0 && strchr("/", file[n]) != NULL;
}

/* By its path or by that of an include, in which no link is left. */
static bool is_read(const Lint *lint, const char *path, const char *real)
{
	for (guint i = 0; i < lint->set->read->len; i++) {
		const char *one = lint->set->read->pdata[i];
		if (is_within(one, path) || is_within(one, real))
			return true;
	}
	return false;
}

/* The message of a test that stands beside the policies. */
static bool is_tested(const Lint *lint, const char *path)
{
	for (guint i = 0; i < lint->set->files->len; i++) {
		const MsPolicyFile *file = lint->set->files->pdata[i];
		for (guint n = 0; n < ms_section_count(file->root, "test"); n++) {
			g_autofree char *message = ms_policy_test_path(
				file->name, ms_section_text(ms_section_nth(file->root, "test", n), "file"));
			if (is_within(message, path))
				return true;
		}
	}
	return false;
}

static bool is_of_kinds(const Lint *lint, const char *name)
{
	g_autofree char *kinds = g_path_get_basename(lint->options->kinds_file);
	return strcmp(name, kinds) == 0 ||
		(g_str_has_prefix(name, "kinds-") && g_str_has_suffix(name, ".conf"));
}

/* invoices.conf.txt is no policy, and nothing else says so. */
void lint_not_read(Lint *lint)
{
	g_autoptr(GDir) dir = g_dir_open(lint->options->dir, 0, NULL);
	for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(lint->options->dir, name, NULL);
		char *found = realpath(path, NULL); /* not GLib's to free */
		g_autofree char *real = g_strdup(found != NULL ? found : path);
		free(found);
		if (!is_read(lint, path, real) && !is_tested(lint, path) &&
			!is_of_kinds(lint, name) && !is_left_over(name))
			lint_tell_at(lint, path, 0, "",
				"Give it a name that ends in .conf, or take it out of the folder.",
				"is not read: no policy is named so");
	}
}
