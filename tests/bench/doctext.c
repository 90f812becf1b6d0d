/*
 * Reads documents with missent's own readers and prints what they hand over, for
 * tests/bench/documents.
 *
 * usage: doctext [-n | -t] FILE...
 *
 * One line a span: S or F (a field), term, party, place, text; one line U an unread item; and
 * at the end of each file one line D: path, CPU milliseconds, peak memory in kB, signal.  Tabs,
 * line ends and backslashes within are escaped.  Each file is read by a child process of this
 * warm one, as in production; -n keeps nothing warm, as a program started for each file would;
 * -t takes the text of a PDF's pages and nothing else, to compare with.
 */
#include "config.h"

#include <poppler.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/message.h"
#include "missent/extract.h"

static void put(const char *text, gsize len)
{
	putchar('\t');
	for (gsize i = 0; i < len; i++) {
		switch (text[i]) {
		case '\t': fputs("\\t", stdout); break;
		case '\n': fputs("\\n", stdout); break;
		case '\r': fputs("\\r", stdout); break;
		case '\\': fputs("\\\\", stdout); break;
		case '\0': putchar(' '); break;
		default: putchar(text[i]);
		}
	}
}

static void put_string(const char *text)
{
	put(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void on_span(const MsSpan *span, void *user)
{
	(void)user;
	putchar(span->type == MS_SPAN_FIELD ? 'F' : 'S');
	put_string(span->term);
	put_string(span->party);
	put_string(span->where);
	put(span->text, span->len);
	putchar('\n');
}

static void read_mail(const MsExtraction *to, const char *where, const guint8 *data, gsize len)
{
	(void)where;
	MsMessageSink sink = {.budget = to->budget, .reading = to->reading, .span = to->span,
		.user = to->user};
	ms_message_read(data, len, &sink);
}

static void read_document(const char *path, const guint8 *data, gsize len)
{
	MsLimits limits;
	ms_limits_default(&limits);
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsExtraction to = {.budget = &budget, .reading = reading, .span = on_span,
		.message = read_mail};
	to.face = ms_reading_face(reading, "document");
	if (g_str_has_suffix(path, ".eml")) {
		MsMessageSink sink = {.budget = &budget, .reading = reading, .span = on_span};
		ms_message_read(data, len, &sink);
	} else {
		MsDocument document = {.where = "document", .type = "application/octet-stream",
			.data = data, .len = len};
		const char *type = ms_extract(&to, &document);
		printf("T");
		put_string(type);
		putchar('\n');
	}
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		putchar('U');
		put_string(ms_unread_name(u->reason));
		put_string(u->where);
		put_string(u->detail);
		putchar('\n');
	}
	for (guint i = 0; i < reading->contradictions->len; i++) {
		const MsContradiction *c = reading->contradictions->pdata[i];
		putchar('C');
		put_string(c->where);
		put_string(c->other);
		put_string(c->detail);
		putchar('\n');
	}
	fflush(stdout);
}

/* What text extraction alone costs. */
static void text_only(const guint8 *data, gsize len)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, len);
	PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, NULL);
	for (int i = 0; document != NULL && i < poppler_document_get_n_pages(document); i++) {
		PopplerPage *page = poppler_document_get_page(document, i);
		char *text = page != NULL ? poppler_page_get_text(page) : NULL;
		printf("S\t\t\t");
		put_string(text);
		putchar('\n');
		g_free(text);
		g_clear_object(&page);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool cold = argc > 1 && strcmp(argv[1], "-n") == 0,
	     bare = argc > 1 && strcmp(argv[1], "-t") == 0;
	if (!cold)
		ms_message_init();
	for (int i = cold || bare ? 2 : 1; i < argc; i++) {
		g_autofree char *data = NULL;
		gsize len;
		if (!g_file_get_contents(argv[i], &data, &len, NULL))
			continue;
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			alarm(60);
			if (cold)
				ms_message_init();
			if (bare)
				text_only((const guint8 *)data, len);
			else
				read_document(argv[i], (const guint8 *)data, len);
			_exit(0);
		}
		int status = 0;
		struct rusage used;
		wait4(child, &status, 0, &used);
		double ms = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000
			+ (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
		printf("D");
		put_string(argv[i]);
		printf("\t%.2f\t%ld\t%d\n", ms, used.ru_maxrss,
			WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	return 0;
}
