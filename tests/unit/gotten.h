/* Reads a document and asks what came out of it. */
#ifndef MISSENT_TESTS_GOTTEN_H
#define MISSENT_TESTS_GOTTEN_H

#include "missent/extract.h"
#include "missent/message.h"

#include "../test.h"

/* ---- reading -------------------------------------------------------------------------- */

typedef struct {
	GString *text;     /* "[place] text" a span, "{term party} value" a field */
	MsReading *reading;
	char *type;
} Got;

static inline void collect(const MsSpan *span, void *user)
{
	GString *out = user;
	if (span->type == MS_SPAN_FIELD)
		g_string_append_printf(out, "{%s %s} ", span->term, span->party);
	else
		g_string_append_printf(out, "[%s] ", span->where);
	for (gsize i = 0; i < span->len; i++)
		g_string_append_c(out, span->text[i] != '\0' ? span->text[i] : ' ');
	g_string_append_c(out, '\n');
}

static inline void read_mail(
	const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	(void)where;
	MsMessageSink sink = {.budget = to->budget, .reading = to->reading, .span = to->span,
		.user = to->user};
	ms_message_read(data, len, &sink);
}

static inline Got read_as(const GByteArray *bytes, const char *claimed, const MsLimits *limits)
{
	Got got = {g_string_new(NULL), ms_reading_new(), NULL};
	MsBudget budget;
	ms_budget_init(&budget, limits);
	char *copy = exact_copy(bytes->data, bytes->len);
	MsExtraction to = {.budget = &budget, .reading = got.reading, .span = collect,
		.user = got.text, .message = read_mail};
	to.face = ms_reading_face(got.reading, "doc");
	MsDocument document = {.where = "doc", .type = claimed, .data = (guint8 *)copy,
		.len = bytes->len};
	got.type = g_strdup(ms_extract(&to, &document));
	free(copy);
	return got;
}

static inline Got read_document(const GByteArray *bytes)
{
	MsLimits limits;
	ms_limits_default(&limits);
	return read_as(bytes, "application/octet-stream", &limits);
}

static inline void got_free(Got *got)
{
	g_string_free(got->text, TRUE);
	ms_reading_free(got->reading);
	g_free(got->type);
}

static inline char *unread_of(const MsReading *reading)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < reading->unread->len; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
			ms_unread_name(((MsUnread *)reading->unread->pdata[i])->reason));
	return g_string_free(out, FALSE);
}

/* `wanted`: set apart by '|', each must be in the text, or must not be there: "!word"; `unread`:
 * the reasons, exactly. */
static inline void check(const char *name, const Got *got, const char *wanted, const char *unread)
{
	g_auto(GStrv) words = g_strsplit(wanted, "|", -1);
	for (char **word = words; *word != NULL; word++)
		if (**word == '!' && g_ascii_isalnum((*word)[1])
				? strstr(got->text->str, *word + 1) != NULL
				: **word != '\0' && strstr(got->text->str, *word) == NULL)
			g_error("%s: \"%s\" is not so in:\n%s", name, *word, got->text->str);
	g_autofree char *reasons = unread_of(got->reading);
	if (strcmp(reasons, unread) != 0)
		g_error("%s: unread is \"%s\", want \"%s\"\n%s", name, reasons, unread,
			got->text->str);
}

/* MISSENT_DUMP=DIR keeps the documents, as seeds for fuzzing. */
static inline void dump(const char *name, const GByteArray *bytes)
{
	const char *dir = g_getenv("MISSENT_DUMP");
	if (dir == NULL || bytes->len > 20000)
		return;
	g_autofree char *path = g_strdup_printf("%s/%s", dir, name);
	g_strdelimit(path + strlen(dir) + 1, " ,'/.:", '-');
	g_file_set_contents(path, (char *)bytes->data, bytes->len, NULL);
}

static inline void expect_of(
	const char *name, const GByteArray *bytes, const char *wanted, const char *unread)
{
	dump(name, bytes);
	Got got = read_document(bytes);
	check(name, &got, wanted, unread);
	got_free(&got);
}

/* Takes `bytes`. */
static inline void expect(
	const char *name, GByteArray *bytes, const char *wanted, const char *unread)
{
	expect_of(name, bytes, wanted, unread);
	g_byte_array_unref(bytes);
}

#endif
