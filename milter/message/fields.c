/*
 * Header fields and their parameters: those of the message and of each part come in; text goes
 * out to spans, facts to the reading.  Which fields carry no text stands in the table of
 * structural items ("mail").  The worker's one thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "header.h"
#include "walk.h"

/* The recipients and the sender of this very message: that they stand there is no finding, and
 * who they are is asked by the envelope and by `visible`; what is written beside the addresses is
 * text.  An address of somebody else is told by the judge, who knows the envelope. */
static const char *const address_fields[] = {"From", "To", "Cc", "Bcc", "Sender", "Reply-To",
	"Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender", "Resent-Bcc", "Resent-Reply-To",
	"Delivered-To", "Errors-To", "Disposition-Notification-To", "Return-Receipt-To",
	"Apparently-To", "X-Original-To", "Mail-Followup-To", "Mail-Reply-To", NULL};

/* Those that name who this mail goes to; each of the others is a list of its own. */
static const char *const recipient_fields[] = {
	"To", "Cc", "Apparently-To", "Resent-To", "Resent-Cc", NULL};

/* Fields whose names say nothing about their values. */
static const char *const plain_fields[] = {"Subject", "Comments", "Keywords", "Organization",
	"Content-Description", "Content-Location", "Content-Language", "Content-Base",
	"Thread-Topic", "List-Unsubscribe", "List-Id", "List-Post", "List-Help", "List-Owner",
	"List-Subscribe", "List-Archive", "Importance", "Priority", "User-Agent", "X-Mailer",
	"X-Priority", "Auto-Submitted", "Precedence", NULL};

static bool in_list(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (g_ascii_strcasecmp(*list, name) == 0)
			return true;
	return false;
}

static bool is_structural(const char *what, const char *name)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);
	g_autofree char *item = g_strdup_printf("%s %s", what, lower);
	return ms_structural("mail", item) != NULL;
}

static void note_visible(Walk *walk, const char *name, const char *raw, gsize len, GString *rest)
{
	bool shown = g_ascii_strcasecmp(name, "To") == 0 || g_ascii_strcasecmp(name, "Cc") == 0;
	g_autoptr(GPtrArray) other = g_ptr_array_new_with_free_func(g_free);
	guint n = ms_header_addresses(raw, len, shown ? walk->reading->visible : other,
		MS_READING_MAX_VISIBLE, rest);
	if (in_list(recipient_fields, name))
		walk->addressed += n;
	else
		walk->listed = MAX(walk->listed, n);
	walk->reading->visible_total = MAX(walk->addressed, walk->listed);
}

/* A NUL would end the string early and hide what follows from a policy: there is none. */
static void note_header(Walk *walk, const char *name, const GString *value)
{
	if (walk->reading->headers->len >= MS_READING_MAX_HEADERS)
		return;
	MsHeader *header = g_new0(MsHeader, 1);
	g_autoptr(GString) valid = ms_text_repair(name, strlen(name));
	header->name = g_strdup(valid->str);
	header->value = g_utf8_make_valid(value->str, (gssize)MIN(value->len, 2000));
	g_ptr_array_add(walk->reading->headers, header);
}

static void note_charset(Walk *walk, const char *where, char *unknown)
{
	if (unknown == NULL)
		return;
	ms_reading_unread(walk->reading, where, MS_UNREAD_CHARSET,
		"a charset that is not known (its name has %zu characters)", strlen(unknown));
	g_free(unknown);
}

static void read_addresses(
	Walk *walk, const char *name, const char *raw, const char *where, const GString *full)
{
	char *unknown = NULL;
	g_autoptr(GString) rest = g_string_new(NULL);
	note_visible(walk, name, raw, strlen(raw), rest);
	g_autoptr(GString) names = ms_words_decode(rest->str, rest->len, false, &unknown);
	ms_extract_span(&walk->to, where, names->str, names->len);
	ms_extract_aside(&walk->to, where, true, full->str, full->len);
	note_charset(walk, where, unknown);
}

/* The value; and where its name may say what it is ("X-Customer-No: 4711"), with the name. */
static void read_value(Walk *walk, const char *name, const char *where, const GString *full)
{
	ms_extract_span(&walk->to, where, full->str, full->len);
	if (in_list(plain_fields, name))
		return;
	g_autofree char *spaced = g_strdelimit(g_strdup(name), "-_", ' ');
	g_autoptr(GString) labelled = g_string_new(NULL);
	g_string_append_printf(labelled, "%s\n%s: ", name, spaced);
	g_string_append_len(labelled, full->str, (gssize)full->len);
	ms_extract_aside(&walk->to, where, false, labelled->str, labelled->len);
}

/* A CR alone is a line end to some: what stands behind it is not what the field is made of. */
static bool has_line(const char *raw)
{
	const char *cr = strchr(raw, '\r');
	while (cr != NULL && cr[1] == '\n')
		cr = strchr(cr + 1, '\r');
	return cr != NULL;
}

/* ---- names that the sender's programs made --------------------------------------------- */

/* What names a mail or a part of one, with the number of what it was made for in it as often as
 * not.  What others made is theirs. */
static const char *const made_fields[] = {"Message-ID", "Content-ID", "In-Reply-To", "References",
	"Return-Path", "Resent-Message-ID", "Original-Message-ID", "Supersedes", NULL};

/* Those of the author's own domain, or below it; what names a part needs none.  They look like
 * addresses and are none, so they are handed on as links; but in a Return-Path is one. */
static void read_made(Walk *walk, const char *name, const char *where, const GString *full)
{
	g_autoptr(GString) own = g_string_new(NULL);
	if (walk->to.own == NULL)
		return;
	bool address = g_ascii_strcasecmp(name, "Return-Path") == 0;
	bool part = g_ascii_strcasecmp(name, "Content-ID") == 0;
	g_auto(GStrv) names = g_strsplit_set(full->str, "<> \t\r\n,", -1);
	for (char **made = names; *made != NULL && ms_budget_time(walk->budget); made++) {
		const char *at = strrchr(*made, '@');
		gsize n = strlen(walk->to.own), len = at != NULL ? strlen(at + 1) : 0;
		if (part && **made != '\0') {
			g_string_append_printf(own, "cid://%s/%.*s\n", walk->to.own,
				at != NULL ? (int)(at - *made) : -1, *made);
			continue;
		}
		if (len < n || g_ascii_strcasecmp(at + 1 + len - n, walk->to.own) != 0 ||
			(len > n && at[len - n] != '.'))
			continue;
		if (address)
			g_string_append_printf(own, "%s\n", *made);
		else
			g_string_append_printf(
				own, "mid://%s/%.*s\n", at + 1, (int)(at - *made), *made);
	}
	ms_extract_aside(&walk->to, where, false, own->str, own->len);
}

/* Public suffixes are not known here: of "mail.seller.co.uk" it is "seller.co.uk", for no company's
 * name is as short as "co". */
static const char *without_hosts(const char *domain)
{
	const char *from = domain + strlen(domain);
	for (guint labels = 0; from > domain; labels++) {
		const char *begin = from;
		while (begin > domain && begin[-1] != '.')
			begin--;
		gsize n = strcspn(begin, ".");
		from = begin > domain ? begin - 1 : begin;
		if (labels >= 1 && (labels >= 2 || n > 3))
			return begin;
	}
	return domain;
}

/* The domain of who wrote it, for what else is the sender's own. */
static void note_own(Walk *walk, GMimeHeaderList *list)
{
	GMimeHeader *from = g_mime_header_list_get_header(list, "From");
	const char *raw = from != NULL ? g_mime_header_get_raw_value(from) : NULL;
	if (raw == NULL)
		return;
	g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) names = g_string_new(NULL);
	ms_header_addresses(raw, strlen(raw), addresses, 1, names);
	const char *at = addresses->len > 0 ? strrchr(addresses->pdata[0], '@') : NULL;
	if (at == NULL || strchr(at, '.') == NULL)
		return;
	walk->own = g_ascii_strdown(without_hosts(at + 1), -1);
	walk->to.own = walk->own;
}

static void read_header(Walk *walk, GMimeHeader *header, const char *prefix, bool outermost)
{
	const char *name = g_mime_header_get_name(header);
	const char *raw = g_mime_header_get_raw_value(header);
	if (name == NULL || raw == NULL)
		return;
	gsize len = strlen(raw);
	g_autofree char *safe_name = ms_text_escape(name, -1, 60);
	g_autofree char *where = g_strdup_printf("%sheader %s", prefix, safe_name);
	if (!ms_budget_charge(walk->budget, MS_COST_HEADER, 1)
		|| !ms_budget_charge(walk->budget, MS_COST_HEADER_BYTES, len)) {
		ms_reading_unread(walk->reading, "headers", MS_UNREAD_LIMIT,
			"more than max-headers or max-header-bytes allow");
		return;
	}
	char *unknown = NULL;
	g_autoptr(GString) full = ms_words_decode(raw, len, false, &unknown);
	g_strchug(full->str);
	full->len = strlen(full->str);
	if (outermost)
		note_header(walk, name, full);
	if (in_list(made_fields, name))
		read_made(walk, name, where, full);
	else if (outermost && in_list(address_fields, name))
		read_addresses(walk, name, raw, where, full);
	else if (!is_structural("header", name) || has_line(raw))
		read_value(walk, name, where, full);
	note_charset(walk, where, unknown);
}

/* Where a field stands, with its name and colon. */
static void account_header(Walk *walk, GMimeHeader *header)
{
	gint64 offset = g_mime_header_get_offset(header);
	const char *name = g_mime_header_get_raw_name(header),
		   *raw = g_mime_header_get_raw_value(header);
	gsize at = offset >= 0 ? ms_outline_place(walk->outline, (gsize)offset) : G_MAXSIZE;
	if (at >= walk->window_len || name == NULL || raw == NULL)
		return;
	gsize len = strlen(name) + 1 + strlen(raw);
	ms_walk_account(walk, walk->window + at, MIN(len, walk->window_len - at));
}

void ms_walk_headers(Walk *walk, GMimeObject *object, const char *path, bool outermost)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	g_autofree char *prefix = *path != '\0' ? g_strdup_printf("part %s ", path) : g_strdup("");
	int n = g_mime_header_list_get_count(list);
	MsSpanOf of = walk->to.of;
	walk->to.of = MS_OF_HEADER;
	if (outermost && walk->own == NULL)
		note_own(walk, list);
	for (int i = 0; i < n && ms_budget_time(walk->budget); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		account_header(walk, header);
		read_header(walk, header, prefix, outermost);
	}
	walk->to.of = of;
}

/* ---- one part's facts ----------------------------------------------------------------- */

char *ms_walk_token(const char *raw)
{
	GString *out = g_string_new(NULL);
	guint depth = 0;
	for (; *raw != '\0' && out->len < 1000; raw++) {
		depth += *raw == '(';
		if (depth == 0 && g_ascii_isgraph(*raw) && *raw != '"')
			g_string_append_c(out, g_ascii_tolower(*raw));
		depth -= *raw == ')' && depth > 0;
	}
	return g_string_free(out, FALSE);
}

char *ms_walk_only_value(Walk *walk, GMimeObject *object, const char *name, const char *where)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	char *found = NULL;
	for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *raw = g_mime_header_get_raw_value(header);
		if (raw == NULL || g_ascii_strcasecmp(g_mime_header_get_name(header), name) != 0)
			continue;
		char *next = ms_walk_token(raw);
		if (found != NULL && strcmp(found, next) != 0)
			ms_reading_unread(
				walk->reading, where, MS_UNREAD_AMBIGUOUS, "two fields %s", name);
		g_free(found);
		found = next;
	}
	return found;
}

char *ms_walk_encoding(Walk *walk, GMimeObject *object, const char *where)
{
	char *found = ms_walk_only_value(walk, object, "Content-Transfer-Encoding", where);
	if (found != NULL)
		found[strcspn(found, ";")] = '\0'; /* parameters, or nothing */
	return found != NULL ? found : g_strdup("7bit");
}

char *ms_walk_place(const char *path, const char *name, const char *type)
{
	g_autofree char *safe = ms_text_escape(*name != '\0' ? name : type, -1, 100);
	return g_strdup_printf("part %s %s", *path != '\0' ? path : "1", safe);
}

typedef struct {
	Walk *walk;
	const char *path;
	GString *names;  /* what is shown of them */
	GPtrArray *seen; /* of char * */
} Names;

static void take_parameter(Names *names, const MsParameter *parameter, const char *field)
{
	const char *number = *names->path != '\0' ? names->path : "1";
	if (is_structural("parameter", parameter->name) ||
		g_ptr_array_find_with_equal_func(names->seen, parameter->value, g_str_equal, NULL))
		return;
	g_ptr_array_add(names->seen, g_strdup(parameter->value));
	bool is_name = strcmp(parameter->name, "filename") == 0 ||
		strcmp(parameter->name, "name") == 0;
	g_autofree char *where = is_name ? g_strdup_printf("part %s file name", number)
					 : g_strdup_printf("part %s header %s", number, field);
	if (parameter->unknown)
		ms_reading_unread(names->walk->reading, where, MS_UNREAD_CHARSET,
			"a parameter in a charset that is not known");
	if (!is_name) {
		MsExtraction to = names->walk->to;
		to.of = MS_OF_HEADER;
		ms_extract_span(&to, where, parameter->value, strlen(parameter->value));
		return;
	}
	ms_extract_name(&names->walk->to, where, parameter->value);
	if (names->names->len < 500)
		g_string_append_printf(
			names->names, "%s%s", names->names->len > 0 ? " " : "", parameter->value);
}

/* What stands before the parameters is a word, or a type: of what is more, clients make names
 * ("attachment filename=a.pdf"). */
static void take_words(Names *names, const char *raw, const char *field)
{
	g_autofree char *words = g_strndup(raw, strcspn(raw, ";"));
	g_strstrip(words);
	const char *p = words;
	while (g_ascii_isalnum(*p) || (*p != '\0' && strchr("-+./_*", *p) != NULL))
		p++;
	if (*p == '\0' && strpbrk(words, "0123456789") == NULL)
		return;
	g_autofree char *where = g_strdup_printf("part %s header %s",
		*names->path != '\0' ? names->path : "1", field);
	ms_extract_aside(&names->walk->to, where, false, words, strlen(words));
}

static void take_field(Names *names, GMimeObject *object, const char *field)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *raw = g_mime_header_get_raw_value(header);
		if (raw == NULL || g_ascii_strcasecmp(g_mime_header_get_name(header), field) != 0)
			continue;
		take_words(names, raw, field);
		g_autoptr(GPtrArray) parameters = ms_header_parameters(raw, strlen(raw));
		for (guint k = 0; k < parameters->len && ms_budget_time(names->walk->budget); k++)
			take_parameter(names, parameters->pdata[k], field);
	}
}

char *ms_walk_names(Walk *walk, GMimeObject *object, const char *path)
{
	g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
	Names names = {walk, path, g_string_new(NULL), seen};
	take_field(&names, object, "Content-Disposition");
	take_field(&names, object, "Content-Type");
	gsize len = MIN(names.names->len, 500);
	while (len > 0 && ((guchar)names.names->str[len] & 0xc0) == 0x80)
		len--;
	g_string_truncate(names.names, len);
	return g_string_free(names.names, FALSE);
}
