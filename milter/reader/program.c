/*
 * The reading of a message, as the program missent-reader does it: one job comes in, out goes a
 * reading.  A worker's one thread.
 */
#include "config.h"

#include "missent/detect.h"
#include "missent/extract.h"
#include "missent/message.h"
#include "missent/wire.h"
#include "missent/worker.h"

/* ---- what production does with a job -------------------------------------------------- */

typedef struct {
	const MsKinds *kinds;
	const MsFilters *known;
	MsBudget *budget;
	MsReading *reading;
	bool show;
} Sink;

static void on_span(const MsSpan *span, void *user)
{
	Sink *sink = user;
	ms_detect(sink->kinds, sink->known, span, sink->budget, sink->reading);
	if (sink->show)
		ms_reading_show(sink->reading, span->where, span->text, span->len);
}

static void on_part(const guint8 *data, gsize len, void *user)
{
	Sink *sink = user;
	if (len <= MS_VIEW_MAX_BYTES && sink->reading->bytes == NULL)
		sink->reading->bytes = g_bytes_new(data, len);
}

void ms_reader_work(const MsJob *job)
{
	bool texts = job->as != NULL && strcmp(job->as, MS_VIEW_TEXTS) == 0;
	bool part = job->as != NULL && g_str_has_prefix(job->as, MS_VIEW_PART);
	Sink sink = {job->kinds, job->known, job->budget, job->reading, texts};
	MsMessageSink to = {.budget = job->budget,
		.reading = job->reading,
		.span = on_span,
		.user = &sink,
		.passwords = job->passwords,
		.help = job->help,
		.ocr_dpi = job->ocr_dpi,
		.last = job->last};
	if (part) {
		to.wanted = job->as + strlen(MS_VIEW_PART);
		to.part = on_part;
	}
	ms_charset_hand_on(job->help != NULL ? job->help->beyond : NULL,
		job->help != NULL ? job->help->user : NULL);
	bool alone = job->as != NULL && !texts && !part;
	if (alone) {
		ms_message_read_document(job->data, job->len, job->as, &to);
	} else {
		ms_message_read(job->data, job->len, &to);
		ms_detect_contradictions(job->kinds, job->reading);
		/* What one document guesses may yet be sure elsewhere in the message. */
		if (job->known != NULL && job->known->lean)
			ms_reading_drop_guesses(job->reading);
	}
	/* Wherever somebody stopped for it, and whatever was dropped of what they said. */
	if (job->budget->late)
		ms_reading_unread(job->reading, alone ? MS_PLACE_HERE : "message", MS_UNREAD_TIME,
			"the time for reading is over");
}

/* ---- the program ---------------------------------------------------------------------- */

static bool init(const char *languages, GError **error)
{
	(void)languages;
	(void)error;
	ms_message_init();
	return true;
}

static void begin_text(void)
{
	ms_charset_leave_out_rare();
	ms_message_init();
	ms_regex_begin();
}

static bool init_text(const char *languages, GError **error)
{
	(void)languages;
	(void)error;
	return true;
}

/* One of each, so that what libraries load at first use is loaded before confinement. */
#define WARM_TEXT \
	"From: a <a@b.example>\r\nTo: c@d.example\r\nSubject: =?UTF-8?Q?warm=C3=BC?=\r\n" \
	"Content-Type: multipart/mixed; boundary=x\r\n\r\nbefore\r\n--x\r\n" \
	"Content-Type: text/plain; charset=iso-8859-1; format=flowed\r\n" \
	"Content-Transfer-Encoding: quoted-printable\r\n\r\ncustomer number: 4711\r\n--x\r\n" \
	"Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n" \
	"Content-Disposition: attachment; filename*=UTF-8''a.html\r\n\r\nPABiAD4AMQA=\r\n--x\r\n" \
	"Content-Type: application/xml\r\nContent-Disposition: attachment; filename=a.xml\r\n\r\n" \
	"<?xml version=\"1.0\"?><a xmlns=\"b\"><c d=\"e\">f</c></a>\r\n--x\r\n"
#define WARM_END \
	"Content-Type: message/rfc822\r\n\r\nTo: e@f.example\r\nSubject: s\r\n\r\ntext\r\n--x--\r\n"

static const char warm[] = WARM_TEXT
	"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	"UEsDBAoAAAAAAAAAIQCsKpPYAgAAAAIAAAABAAAAYWhpUEsBAhQACgAAAAAAAAAhAKwqk9gCAAAAAgAA\r\n"
	"AAEAAAAAAAAAAAAAAAAAAAAAAGFQSwUGAAAAAAEAAQAvAAAAIQAAAAAA\r\n--x\r\n"
	"Content-Type: application/pdf\r\n\r\n%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<<"
	"/F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
	"4 0 obj<</Length 27>>stream\nBT /F 9 Tf 1 1 Td (a) Tj ET\nendstream endobj\n"
	"trailer<</Root 1 0 R>>\r\n--x\r\n" WARM_END;
static const char warm_text[] = WARM_TEXT WARM_END;

const MsReaderProgram ms_reader_program = {init, ms_reader_work, warm, false};
const MsReaderProgram ms_reader_text_program = {
	init_text, ms_reader_work, warm_text, true, begin_text};
