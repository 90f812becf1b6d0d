/*
 * missent-ocr - the reader of pictures.
 *
 * The same supervisor and confinement as missent-reader, but its workers do one thing: they
 * recognise what is written in a picture.  Tesseract is large, slow and holds 80 MB, so that
 * only messages with scans pay for it.  The supervisor's one thread makes tesseract ready, each
 * worker's uses a copy of it.
 */
#include "config.h"

#include <leptonica/allheaders.h>
#include <stdio.h>
#include <string.h>
#include <tesseract/capi.h>

#include "missent/answer.h"
#include "missent/detect.h"
#include "missent/worker.h"

#define MAX_PIXELS (50 << 20)

static TessBaseAPI *tesseract;

static bool init(const char *languages, GError **error)
{
	tesseract = TessBaseAPICreate();
	if (tesseract == NULL || TessBaseAPIInit3(tesseract, NULL, languages) != 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"tesseract has not all of the languages \"%s\" (Debian: apt-get install "
			"tesseract-ocr-eng, and so on)", languages);
		return false;
	}
	setMsgSeverity(L_SEVERITY_NONE);
	TessBaseAPISetVariable(tesseract, "debug_file", "/dev/null");
	/* What is read once is in memory: dictionaries and the network of each language. */
	guint8 blank[64 * 64];
	memset(blank, 255, sizeof blank);
	char *text = TessBaseAPIRect(tesseract, blank, 1, 64, 0, 0, 64, 64);
	TessDeleteText(text);
	return true;
}

/* An image file that somebody sent: leptonica reads PNG, JPEG, TIFF, GIF, BMP and WebP. */
static bool set_image(const guint8 *data, gsize len)
{
	PIX *pix = pixReadMem(data, len);
	if (pix == NULL)
		return false;
	bool fine = (gint64)pixGetWidth(pix) * pixGetHeight(pix) <= MAX_PIXELS;
	if (fine)
		TessBaseAPISetImage2(tesseract, pix);
	pixDestroy(&pix);
	return fine;
}

static bool set_picture(const MsJob *job)
{
	int width, height, dpi;
	if (strcmp(job->as, "image") == 0)
		return set_image(job->data, job->len);
	if (sscanf(job->as, "grey %d %d %d", &width, &height, &dpi) != 3 || width < 1 || height < 1
		|| width > 20000 || height > 20000 || (gsize)width * (gsize)height != job->len)
		return false;
	TessBaseAPISetImage(tesseract, job->data, width, height, 1, width);
	TessBaseAPISetSourceResolution(tesseract, CLAMP(dpi, 70, 600));
	return true;
}

/* Ink within a box. */
static l_int32 ink_of(PIX *ink, BOX *box)
{
	l_int32 n = 0;
	PIX *part = pixClipRectangle(ink, box, NULL);
	if (part != NULL)
		pixCountPixels(part, &n, NULL);
	pixDestroy(&part);
	return n;
}

/* Is what was recognised with confidence most of what is to be seen?  A handful of words out of a
 * photograph of a letter does not make it read. */
static bool is_covered(const MsJob *job)
{
	PIX *ink = TessBaseAPIGetThresholdedImage(tesseract);
	TessResultIterator *words = ink != NULL ? TessBaseAPIGetIterator(tesseract) : NULL;
	l_int32 all = 0;
	gint64 covered = 0;
	if (ink != NULL)
		pixCountPixels(ink, &all, NULL);
	if (words != NULL) {
		do {
			int x1, y1, x2, y2;
			if (TessResultIteratorConfidence(words, RIL_WORD) <
					(float)job->ocr_confidence ||
				!TessPageIteratorBoundingBox(
					TessResultIteratorGetPageIterator(words), RIL_WORD, &x1,
					&y1, &x2, &y2))
				continue;
			BOX *box = boxCreate(x1, y1, x2 - x1, y2 - y1);
			covered += ink_of(ink, box);
			boxDestroy(&box);
		} while (TessResultIteratorNext(words, RIL_WORD));
		TessResultIteratorDelete(words);
	}
	pixDestroy(&ink);
	return all > 0 && covered * 100 >= (gint64)job->ocr_coverage * all;
}

static void work(const MsJob *job)
{
	guint face = ms_reading_face(job->reading, MS_PLACE_HERE);
	if (job->as == NULL || !set_picture(job))
		return;
	char *text = TessBaseAPIGetUTF8Text(tesseract);
	if (text == NULL)
		return;
	MsSpan span = {.type = MS_SPAN_TEXT, .where = MS_PLACE_HERE " (recognised)", .text = text,
		.len = strlen(text), .face = face};
	gsize seen = 0;
	for (const char *p = text; *p != '\0'; p++)
		seen += g_ascii_isalnum(*p) != 0;
	if (seen >= 4 && g_utf8_validate(text, -1, NULL)) {
		job->reading->text_bytes = is_covered(job) ? span.len : 0;
		ms_detect(job->kinds, job->known, &span, job->budget, job->reading);
	}
	TessDeleteText(text);
}

int main(int argc, char **argv)
{
	static const MsReaderProgram program = {init, work, NULL};
	return ms_reader_main(argc, argv, &program);
}
