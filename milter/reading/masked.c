/*
 * What logs, the audit and records may show of what a sender chose: words that stand in the lists
 * here, lengths, and nothing else.  A place comes in as the reading has it ("part 3 invoice
 * 4711.pdf page 1"); out goes where it is, without names ("part 3 (name of 16 characters, .pdf)
 * page 1").  A reviewer who asks sees the place itself.  No state; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/reading.h"

static const char *common_type(const char *type, gsize len)
{
	static const char *const common[] = {"application/gzip", "application/json",
		"application/msword", "application/ms-tnef", "application/octet-stream",
		"application/pdf", "application/pgp-encrypted", "application/pgp-signature",
		"application/pkcs7-mime", "application/pkcs7-signature", "application/postscript",
		"application/rtf", "application/vnd.ms-excel", "application/vnd.ms-outlook",
		"application/vnd.ms-powerpoint", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.text",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/x-7z-compressed", "application/x-gzip", "application/x-pkcs7-mime",
		"application/x-pkcs7-signature", "application/x-zip-compressed",
		"application/xhtml+xml", "application/xml", "application/zip", "audio/mpeg",
		"image/bmp", "image/gif", "image/heic", "image/jpeg", "image/png", "image/svg+xml",
		"image/tiff", "image/webp", "message/delivery-status",
		"message/disposition-notification", "message/external-body", "message/global",
		"message/partial", "message/rfc822", "multipart/alternative", "multipart/mixed",
		"multipart/related", "text/calendar", "text/csv", "text/html", "text/markdown",
		"text/plain", "text/rfc822-headers", "text/rtf", "text/vcard", "text/x-vcard",
		"text/xml", "video/mp4", NULL};
	for (const char *const *p = common; *p != NULL; p++)
		if (strlen(*p) == len && memcmp(*p, type, len) == 0)
			return *p;
	return NULL;
}

const char *ms_type_shown(const char *type)
{
	const char *common = common_type(type, strlen(type));
	return common != NULL ? common : *type != '\0' ? "a type of another name" : "nothing";
}

static bool is_common_field(const char *name)
{
	static const char *const common[] = {"Apparently-To", "Auto-Submitted", "Bcc", "Cc",
		"Comments", "Content-Base", "Content-Description", "Content-Disposition",
		"Content-ID", "Content-Language", "Content-Location", "Content-Transfer-Encoding",
		"Content-Type", "DKIM-Signature", "Date", "Delivered-To",
		"Disposition-Notification-To", "Errors-To", "Feedback-ID", "From", "Importance",
		"In-Reply-To", "Keywords", "List-Archive", "List-Help", "List-Id", "List-Owner",
		"List-Post", "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post",
		"MIME-Version", "Mail-Followup-To", "Mail-Reply-To", "Message-ID", "Organization",
		"Precedence", "Priority", "Received", "References", "Reply-To", "Resent-Bcc",
		"Resent-Cc", "Resent-Date", "Resent-From", "Resent-Message-ID", "Resent-Reply-To",
		"Resent-Sender", "Resent-To", "Return-Path", "Return-Receipt-To", "Sender",
		"Subject", "Thread-Index", "Thread-Topic", "To", "User-Agent", "X-Mailer",
		"X-Original-To", "X-Priority", NULL};
	for (const char *const *p = common; *p != NULL; p++)
		if (g_ascii_strcasecmp(*p, name) == 0)
			return true;
	return false;
}

/* Words of our own that stand where a name could. */
static bool is_own_word(const char *rest)
{
	static const char *const words[] = {"file name", "multipart", "part", "headers", "unparsed",
		"before the first part", "after the last part", NULL};
	for (const char *const *p = words; *p != NULL; p++)
		if (strcmp(*p, rest) == 0)
			return true;
	return false;
}

/* ".pdf" where a name in `rest` ends so; what follows goes to `*after`. */
static const char *known_ending(const char *rest, const char **after)
{
	static const char *const endings[] = {".csv", ".doc", ".docx", ".eml", ".gif", ".htm",
		".html", ".jpeg", ".jpg", ".json", ".mht", ".msg", ".odp", ".ods", ".odt", ".p7m",
		".pdf", ".png", ".ppt", ".pptx", ".rtf", ".tif", ".txt", ".vcf", ".xls", ".xlsx",
		".xml", ".zip", NULL};
	for (const char *dot = strchr(rest, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		gsize n = strcspn(dot, " ");
		for (const char *const *p = endings; *p != NULL; p++)
			if (strlen(*p) == n && g_ascii_strncasecmp(*p, dot, n) == 0) {
				*after = dot + n;
				return *p;
			}
	}
	return NULL;
}

/* The length of a word and a short number at the beginning of `text`; 0: there is none. */
static gsize numbered(const char *text, const char *word, gsize most)
{
	gsize n = strlen(word);
	gsize digits = g_str_has_prefix(text, word) ? strspn(text + n, "0123456789") : 0;
	return digits > 0 && digits <= most ? n + digits : 0;
}

/* What readers themselves add behind a name: " page 12", a term of EN 16931, how it was read. */
static gsize own_end(const char *text)
{
	static const char *const words[] = {" (recognised)", " (hidden)", " (comment)", " (links)",
		" (links and attributes)", " (attributes)", " (fields and notes)", NULL};
	gsize n = numbered(text, " page ", 4);
	n = n > 0 ? n : numbered(text, " BT-", 3);
	for (const char *const *p = words; n == 0 && *p != NULL; p++)
		n = g_str_has_prefix(text, *p) ? strlen(*p) : 0;
	return n;
}

/* Nothing but such words. */
static bool is_own_end(const char *text)
{
	gsize n = 1;
	while (*text != '\0' && (n = own_end(text)) > 0)
		text += n;
	return n > 0;
}

/* Where they begin that stand at the end of a name of no known ending; a number of a page there
 * could as well be the sender's. */
static const char *end_of_name(const char *rest)
{
	const char *blank = strchr(rest, ' ');
	while (blank != NULL && (!is_own_end(blank) || g_str_has_prefix(blank, " page ")))
		blank = strchr(blank + 1, ' ');
	return blank != NULL ? blank : rest + strlen(rest);
}

/* "(name of 16 characters, .pdf) page 1": masked already. */
static bool is_masked(const char *rest)
{
	const char *p = g_str_has_prefix(rest, "(name of ") ? rest + strlen("(name of ") : rest;
	gsize digits = strspn(p, "0123456789");
	if (p == rest || digits == 0 || digits > 4 || !g_str_has_prefix(p + digits, " characters"))
		return false;
	p += digits + strlen(" characters");
	const char *close = strchr(p, ')');
	g_autofree char *ending = close != NULL ? g_strndup(p, (gsize)(close - p)) : NULL;
	const char *after = NULL;
	bool known = ending != NULL && g_str_has_prefix(ending, ", .") &&
		known_ending(ending + 2, &after) != NULL && *after == '\0' &&
		strchr(ending + 3, '.') == NULL;
	return ending != NULL && (*ending == '\0' || known) && is_own_end(close + 1);
}

static char *masked_name(const char *before, const char *rest)
{
	const char *after = end_of_name(rest);
	gsize own = MIN(strcspn(rest, ">"), (gsize)(after - rest));
	const char *ending = known_ending(rest, &after);
	glong letters = g_utf8_strlen(rest, ending != NULL ? after - rest : (gssize)own);
	return g_strdup_printf("%s (name of %ld characters%s%s)%s", before, letters,
		ending != NULL ? ", " : "", ending != NULL ? ending : "",
		is_own_end(after) ? after : "");
}

static char *masked_field(const char *before, const char *name)
{
	return is_common_field(name) || is_masked(name)
		? g_strdup_printf("%sheader %s", before, name)
		: g_strdup_printf(
			  "%sheader (name of %ld characters)", before, g_utf8_strlen(name, -1));
}

static char *masked_part(const char *where)
{
	gsize path = 5 + strspn(where + 5, "0123456789.");
	g_autofree char *before = g_strndup(where, path);
	const char *rest = where[path] == ' ' ? where + path + 1 : where + path;
	if (*rest == '\0' || is_own_word(rest) || is_masked(rest))
		return g_strdup(where);
	if (g_str_has_prefix(rest, "header ")) {
		g_autofree char *spaced = g_strconcat(before, " ", NULL);
		return masked_field(spaced, rest + 7);
	}
	const char *type = common_type(rest, strcspn(rest, " "));
	return type != NULL ? g_strdup_printf("%s %s", before, type) : masked_name(before, rest);
}

char *ms_place_masked(const char *where)
{
	if (g_str_has_prefix(where, "part "))
		return masked_part(where);
	if (g_str_has_prefix(where, "header "))
		return masked_field("", where + 7);
	const char *digits = g_str_has_prefix(where, "message at byte ") ? where + 16 : "";
	bool own = *where == '\0' || (g_str_has_prefix(where, "message ") && is_masked(where + 8))
		|| strcmp(where, "message") == 0 || strcmp(where, "headers") == 0
		|| (*digits != '\0' && digits[strspn(digits, "0123456789")] == '\0');
	return own ? g_strdup(where) : masked_name("message", where);
}
