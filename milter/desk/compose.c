/*
 * A mail of our own, put together: header fields and paragraphs come in as they are to be read,
 * bytes as RFC 5322, 2045 and 2047 want them go out.  Whatever stands in a value, it ends no
 * line.  No state; any thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/bodydigest.h"
#include "missent/io.h"
#include "missent/text.h"

#include "desk_private.h"

#define LINE 76

/* ---- header fields -------------------------------------------------------------------- */

/* =?UTF-8?B?...?= takes 12 characters besides its base64; a line with it may have 76.  Each is of
 * whole characters. */
static gsize encoded_bytes(gsize column)
{
	return (LINE - column - 12) / 4 * 3;
}

static void append_encoded(GString *out, const char *text, gsize column)
{
	const char *p = text;
	while (*p != '\0') {
		const char *end = p;
		gsize room = encoded_bytes(p == text ? column : 1);
		while (*end != '\0' && (gsize)(g_utf8_next_char(end) - p) <= room)
			end = g_utf8_next_char(end);
		g_autofree char *base64 = g_base64_encode((const guchar *)p, (gsize)(end - p));
		g_string_append_printf(out, "%s=?UTF-8?B?%s?=", p > text ? "\n " : "", base64);
		p = end;
	}
}

/* At blanks, which stay: the line may be as long as a word is. */
static void append_folded(GString *out, const char *text, gsize column)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	for (int i = 0; words[i] != NULL; i++) {
		gsize len = strlen(words[i]);
		bool fold = i > 0 && len > 0 && column + 1 + len > LINE;
		g_string_append(out, i == 0 ? "" : fold ? "\n " : " ");
		g_string_append(out, words[i]);
		column = fold ? 1 + len : column + (i > 0) + len;
	}
}

/* Of what cannot be a header field, nothing is left but what can be seen. */
void desk_field(GString *out, const char *name, const char *value)
{
	g_autofree char *safe = ms_text_escape(value, -1, 2000);
	g_string_append_printf(out, "%s: ", name);
	if (g_str_is_ascii(safe))
		append_folded(out, safe, strlen(name) + 2);
	else
		append_encoded(out, safe, strlen(name) + 2);
	g_string_append_c(out, '\n');
}

/* An address stands in angle brackets, as it is: RFC 6532 where it is not ASCII. */
static void address_field(GString *out, const char *name, const char *words, const char *address)
{
	g_autofree char *safe = ms_text_escape(address, -1, 320);
	g_string_append_printf(out, "%s: %s<%s>\n", name, words, safe);
}

static char *own_address(const Desk *desk)
{
	const char *from = desk->settings->desk.notice_from;
	return from != NULL ? g_strdup(from)
			    : g_strdup_printf("MAILER-DAEMON@%s", desk->settings->host);
}

GString *desk_begin_mail(const Desk *desk, const DeskHead *head)
{
	g_autofree char *date = ms_text_mail_date(g_get_real_time());
	g_autofree char *name = ms_record_name();
	g_autofree char *from = own_address(desk);
	g_autofree char *id = g_strdup_printf("<%s@%s>", name, desk->settings->host);
	GString *out = g_string_new(NULL);
	address_field(out, "From", "missent ", from);
	address_field(out, "To", "", head->to);
	desk_field(out, "Subject", head->subject);
	desk_field(out, "Date", date);
	desk_field(out, "Message-ID", id);
	if (head->about != NULL) {
		desk_field(out, "In-Reply-To", head->about);
		desk_field(out, "References", head->about);
	}
	/* RFC 3834: an answer to a message, or none */
	desk_field(out, "Auto-Submitted", head->answers ? "auto-replied" : "auto-generated");
	desk_field(out, "MIME-Version", "1.0");
	return out;
}

/* ---- bodies --------------------------------------------------------------------------- */

#define QP_LINE 75 /* and the "=" of a soft line break */

static void append_quoted_line(GString *out, const char *line, gsize len)
{
	static const char digits[] = "0123456789ABCDEF";
	gsize column = 0;
	for (gsize i = 0; i < len; i++) {
		guchar c = (guchar)line[i];
		bool blank = c == ' ' || c == '\t';
		bool plain = (c > ' ' && c < 127 && c != '=') || (blank && i + 1 < len);
		/* a full stop alone on a line would be SMTP's */
		plain = plain && !(c == '.' && len == 1);
		if (column + (plain ? 1 : 3) > QP_LINE) {
			g_string_append(out, "=\n");
			column = 0;
		}
		column += plain ? 1 : 3;
		if (plain)
			g_string_append_c(out, (char)c);
		else
			g_string_append_printf(out, "=%c%c", digits[c >> 4], digits[c & 15]);
	}
	g_string_append_c(out, '\n');
}

void desk_text_part(GString *out, const char *text)
{
	g_string_append(out,
		"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (int i = 0; lines[i] != NULL && (lines[i + 1] != NULL || *lines[i] != '\0'); i++)
		append_quoted_line(out, lines[i], strlen(lines[i]));
}

void desk_paragraph(GString *out, const char *text)
{
	ms_text_wrap(out, text, 0, LINE);
	g_string_append(out, "\n\n");
}

#define NAME_COLUMNS 24

void desk_fact(GString *out, const char *name, const char *value)
{
	g_autofree char *safe = ms_text_escape(value, -1, 1000);
	glong pad = MAX(NAME_COLUMNS - g_utf8_strlen(name, -1) - 1, 1);
	if (*value == '\0')
		return;
	g_string_append_printf(out, "%s:%*s", name, (int)pad, "");
	ms_text_wrap(out, safe, NAME_COLUMNS, LINE);
	g_string_append_c(out, '\n');
}

/* ---- the whole ------------------------------------------------------------------------ */

void desk_mail_free(DeskMail *mail)
{
	if (mail == NULL)
		return;
	ms_io_close(mail->fd);
	g_free(mail->digest);
	g_free(mail->sender);
	g_ptr_array_unref(mail->recipients);
	g_free(mail);
}

DeskMail *desk_end_mail(const Desk *desk, GString *text, bool bounce, const char *to)
{
	DeskMail *mail = g_new0(DeskMail, 1);
	mail->sender = bounce ? g_strdup("") : own_address(desk);
	mail->recipients = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(mail->recipients, g_strdup(to));
	/* -1: submitting says so */
	mail->fd = ms_memory_of("missent-notice", text->str, text->len);
	MsBodyDigest digest;
	char sum[MS_BODY_DIGEST];
	ms_body_digest_init(&digest);
	ms_body_digest_message(&digest, text->str, text->len);
	ms_body_digest_end(&digest, sum);
	mail->digest = g_strdup(sum);
	g_string_free(text, TRUE);
	return mail;
}
