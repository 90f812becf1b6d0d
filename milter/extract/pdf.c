/*
 * In comes a PDF, out go spans: each page's text in reading order and in the order of its content
 * (pdfpage.cc), then whatever stands in its objects (pdfobject.cc).  Here it is judged whether the
 * text of a page is all that one sees on it.  In the worker's only thread.
 */
#include "config.h"

#include <cairo.h>
#include <iconv.h>
#include <poppler.h>
#include <string.h>

#include "missent/scan.h"
#include "missent/text.h"

#include "pdf.h"

#define SHORT_PAGE 120         /* bytes of text below which a page's pictures are looked at */
#define PICTURE_SHARE 0.4      /* of a short page, from which on a picture is its content */
#define LARGE_SHARE 0.6        /* of any page */
#define MANY_OUTLINES 25       /* letter-like shapes in a line, more than a logo has */
#define FEW_OUTLINES 15        /* on a short page */
#define FEW_SHAPES 40
#define LONG_RUN 4             /* unknown characters in a row, more than bullets and signs */

typedef struct {
	const MsExtraction *to;
	const MsDocument *document;
	MsPdf *pdf;
	PopplerDocument *drawn; /* the same, once a page had to be drawn */
	bool tried;
	GString *text; /* of all pages */
	GPtrArray *foot; /* lines of the page before that may go on */
} Pdf;

/* poppler-glib sets its tables up anew, from files, whenever no document is open. */
void ms_pdf_init(void)
{
	static const char smallest[] =
		"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
		"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<<"
		"/F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
		"4 0 obj<</Length 27>>stream\nBT /F 9 Tf 1 1 Td (a) Tj ET\nendstream endobj\n"
		"trailer<</Root 1 0 R>>\n";
	static PopplerDocument *kept;
	if (kept != NULL)
		return;
	/* It converts passwords with iconv, which could not be loaded later, and takes no NULL. */
	static iconv_t latin;
	latin = iconv_open("ISO-8859-1", "UTF-8");
	(void)latin;
	g_autoptr(GBytes) bytes = g_bytes_new_static(smallest, sizeof smallest - 1);
	kept = poppler_document_new_from_bytes(bytes, NULL, NULL);
	PopplerPage *page = kept != NULL ? poppler_document_get_page(kept, 0) : NULL;
	if (page == NULL)
		return;
	g_free(poppler_page_get_text(page));
	g_object_unref(page);
}

/* ---- pages ---------------------------------------------------------------------------- */

static cairo_surface_t *draw(PopplerPage *page, int width, int height, double scale)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	cairo_t *cairo = cairo_create(surface);
	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	cairo_scale(cairo, scale, scale);
	poppler_page_render(page, cairo);
	bool fine = cairo_status(cairo) == CAIRO_STATUS_SUCCESS;
	cairo_destroy(cairo);
	cairo_surface_flush(surface);
	if (fine && cairo_image_surface_get_data(surface) != NULL)
		return surface;
	cairo_surface_destroy(surface);
	return NULL;
}

#define MAX_SIDE 6000 /* pixels of a page that is drawn to be recognised */

/* The page as rows of grey, for who recognises letters. */
static bool recognise(const Pdf *pdf, PopplerPage *page, const char *place)
{
	const MsHelp *help = pdf->to->help;
	if (help == NULL || help->recognise == NULL || pdf->to->budget->left[MS_COST_OCR] == 0)
		return false;
	double width, height;
	poppler_page_get_size(page, &width, &height);
	double scale = MIN(pdf->to->ocr_dpi / 72.0, MAX_SIDE / MAX(MAX(width, height), 1));
	int w = (int)CLAMP(width * scale, 1, MAX_SIDE), h = (int)CLAMP(height * scale, 1, MAX_SIDE);
	cairo_surface_t *surface = draw(page, w, h, scale);
	if (surface == NULL)
		return false;
	const guint8 *data = cairo_image_surface_get_data(surface);
	int stride = cairo_image_surface_get_stride(surface);
	g_autofree guint8 *grey = g_malloc((gsize)w * (gsize)h);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			const guint8 *p = data + (gsize)y * (gsize)stride + (gsize)x * 4;
			grey[(gsize)y * (gsize)w + (gsize)x] =
				(guint8)((p[0] * 29 + p[1] * 150 + p[2] * 77) >> 8);
		}
	cairo_surface_destroy(surface);
	g_autofree char *as = g_strdup_printf("grey %d %d %d", w, h, (int)(scale * 72));
	return ms_extract_picture(pdf->to, place, grey, (gsize)w * (gsize)h, as);
}

/* Is there anything to see on a page without text?  It is drawn, small, and looked at. */
static bool is_marked(PopplerPage *page, double width, double height)
{
	const double longest = 300;
	double scale = longest / MAX(MAX(width, height), 1);
	cairo_surface_t *surface = draw(page, (int)CLAMP(width * scale, 1, longest),
		(int)CLAMP(height * scale, 1, longest), scale);
	if (surface == NULL)
		return true;
	const guint8 *data = cairo_image_surface_get_data(surface);
	int w = cairo_image_surface_get_width(surface), h = cairo_image_surface_get_height(surface);
	int stride = cairo_image_surface_get_stride(surface);
	gsize dark = 0;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			dark += data[y * stride + x * 4 + 1] < 0xe0;
	cairo_surface_destroy(surface);
	return dark > 12;
}

static gsize visible_bytes(const char *text)
{
	gsize n = 0;
	for (; *text != '\0'; text++)
		n += !g_ascii_isspace(*text) && *text != '\f';
	return n;
}

/*
 * Fonts that do not say which characters they draw give text that no one can read back: the
 * numbers of their letters.  It shows: characters of no meaning, hardly any letters and digits,
 * or hardly any vowels among the Latin letters (in print they are a third; when each letter is
 * some places off, a tenth).
 */
static bool is_garbled(const char *text)
{
	static const guint8 vowel[128] = {['a'] = 1, ['e'] = 1, ['i'] = 1, ['o'] = 1, ['u'] = 1,
		['y'] = 1, ['A'] = 1, ['E'] = 1, ['I'] = 1, ['O'] = 1, ['U'] = 1, ['Y'] = 1};
	gsize bad = 0, all = 0, words = 0, latin = 0, vowels = 0;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		if ((*p & 0x80) == 0) {
			all += !g_ascii_isspace(*p);
			bad += *p < 0x20 && !g_ascii_isspace(*p);
			words += g_ascii_isalnum(*p);
			latin += g_ascii_isalpha(*p);
			vowels += vowel[(guint8)*p];
			continue;
		}
		gunichar c = g_utf8_get_char(p);
		if (g_unichar_isspace(c))
			continue;
		all++;
		bad += c == 0xfffd || (c >= 0xe000 && c < 0xf900);
		words += g_unichar_isalnum(c);
	}
	return (all >= 8 && bad * 4 > all) || (all >= 40 && words * 100 < all * 45)
		|| (latin >= 150 && vowels * 100 < latin * 17);
}

/* A page that is drawn: by Poppler's C interface, opened only for this. */
static PopplerPage *page_to_draw(Pdf *pdf, int number)
{
	if (pdf->drawn == NULL && !pdf->tried) {
		pdf->tried = true;
		g_autoptr(GBytes)
			bytes = g_bytes_new_static(pdf->document->data, pdf->document->len);
		pdf->drawn = poppler_document_new_from_bytes(bytes, pdf->to->password, NULL);
	}
	return pdf->drawn != NULL ? poppler_document_get_page(pdf->drawn, number) : NULL;
}

/* Is there something on a page of which nothing is written? */
static bool is_drawn(Pdf *pdf, int number)
{
	PopplerPage *page = page_to_draw(pdf, number);
	if (page == NULL)
		return true;
	double width, height;
	poppler_page_get_size(page, &width, &height);
	bool marked = is_marked(page, width, height);
	g_object_unref(page);
	return marked;
}

/* What of a page is not in its text; NULL if all is.  `*reason_out` says of which kind it is. */
static const char *unwritten(
	Pdf *pdf, int number, const MsPdfPage *page, MsUnreadReason *reason_out)
{
	gsize visible = visible_bytes(page->text);
	*reason_out = MS_UNREAD_IMAGE_ONLY;
	if (visible == 0 && page->raw->len == 0)
		return page->painted > 0 && is_drawn(pdf, number) ? "a page without text" : NULL;
	if (page->pictured >= (visible < SHORT_PAGE ? PICTURE_SHARE : LARGE_SHARE))
		return "a picture with hardly any text";
	if (page->outlines >= MANY_OUTLINES ||
		(visible < SHORT_PAGE &&
			(page->letter_like >= FEW_OUTLINES || page->small >= FEW_SHAPES)))
		return "letters drawn as shapes";
	if (page->strip)
		return "a picture where a page has its text";
	*reason_out = MS_UNREAD_CHARSET;
	return page->runs >= LONG_RUN || is_garbled(page->text)
		? "its fonts do not say which characters they draw" : NULL;
}

static void judge_page(Pdf *pdf, int number, const MsPdfPage *page, const char *place)
{
	const MsExtraction *to = pdf->to;
	MsUnreadReason reason;
	if (page->broken != NULL)
		ms_reading_unread(to->reading, place, MS_UNREAD_DAMAGED, "%s", page->broken);
	const char *detail = unwritten(pdf, number, page, &reason);
	if (detail == NULL)
		return;
	PopplerPage *drawn = to->help != NULL ? page_to_draw(pdf, number) : NULL;
	bool read = drawn != NULL && recognise(pdf, drawn, place);
	g_clear_object(&drawn);
	if (!read)
		ms_reading_unread(to->reading, place, reason, "%s", detail);
}

/* ---- over the end of a page ----------------------------------------------------------- */

#define FOOT 4        /* lines at the end of a page, of which the last ones may be its footer */
#define TOP 3         /* at the beginning of the next, of which the first ones may be its header */
#define MAX_HALF 200  /* bytes of a line */

/* The lines of a page that may go on beyond it, or go on here: those with digits. */
static void keep_lines(GPtrArray *lines, const char *text, bool last)
{
	g_auto(GStrv) all = g_strsplit(text, "\n", -1);
	guint n = g_strv_length(all), seen = 0;
	for (guint i = 0; i < n && seen < (last ? FOOT : TOP); i++) {
		const char *line = g_strstrip(all[last ? n - 1 - i : i]);
		gsize len = strlen(line);
		seen += len > 0;
		if (!ms_has_digit(line, len))
			continue;
		gsize skip = last && len > MAX_HALF ? len - MAX_HALF : 0;
		g_ptr_array_add(lines, g_utf8_make_valid(line + skip,
			(gssize)MIN(len - skip, MAX_HALF)));
	}
}

/* A number may begin on one page and end on the next.  Which lines belong together over footers and
 * headers nobody says, so each is set before each. */
static void read_over(Pdf *pdf, int number, const char *text)
{
	g_autoptr(GPtrArray) top = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) both = g_string_new(NULL);
	keep_lines(top, text, false);
	for (guint i = 0; i < pdf->foot->len; i++)
		for (guint j = 0; j < top->len; j++)
			g_string_append_printf(both, "%s\n%s\n\n",
				(const char *)pdf->foot->pdata[i], (const char *)top->pdata[j]);
	g_autofree char *place = g_strdup_printf(
		"%s pages %d and %d", pdf->document->where, number, number + 1);
	ms_extract_span(pdf->to, place, both->str, both->len);
	g_ptr_array_set_size(pdf->foot, 0);
	keep_lines(pdf->foot, text, true);
}

/* A name of a table stands above values of several columns when it is read line by line.  What is
 * around it is read without it. */
static void read_around(
	const MsExtraction *to, const char *place, const char *text, gsize len, const GArray *named)
{
	gsize from = 0;
	for (guint i = 0; named != NULL && i < named->len; i++) {
		const MsPdfPiece *name = &g_array_index(named, MsPdfPiece, i);
		if (name->from > from && !ms_is_all_blank(text + from, name->from - from))
			ms_extract_span(to, place, text + from, name->from - from);
		from = MAX(from, name->until);
	}
	ms_extract_span(to, place, text + from, len - from);
}

static void read_page(Pdf *pdf, int number, const char *place)
{
	const MsExtraction *to = pdf->to;
	MsPdfPage page;
	if (!ms_pdf_page(pdf->pdf, number, &page)) {
		ms_reading_unread(to->reading, place, MS_UNREAD_DAMAGED, "the page cannot be read");
		return;
	}
	read_around(to, place, page.text, strlen(page.text), page.named[0]);
	ms_extract_span(to, place, page.cells->str, page.cells->len);
	if (page.filled != NULL) {
		g_autofree char *filled = g_strconcat(place, " (with its fields)", NULL);
		ms_extract_span(to, filled, page.filled, strlen(page.filled));
	}
	if (strcmp(page.raw->str, page.text) != 0)
		read_around(to, place, page.raw->str, page.raw->len, page.named[1]);
	g_autofree char *rest = g_strconcat(place, " (not shown)", NULL);
	ms_extract_span(to, rest, page.rest->str, page.rest->len);
	if (page.raw->len >= MS_PDF_MAX_TEXT || page.rest->len >= MS_PDF_MAX_TEXT)
		ms_reading_unread(to->reading, place, MS_UNREAD_LIMIT,
			"more text on a page than is kept (%u bytes)", MS_PDF_MAX_TEXT);
	if (pdf->text->len < (1 << 20))
		g_string_append(pdf->text, page.text);
	read_over(pdf, number, page.text);
	judge_page(pdf, number, &page, place);
	ms_pdf_page_clear(&page);
}

static void read_pages(Pdf *pdf)
{
	const MsExtraction *to = pdf->to;
	int n = ms_pdf_pages(pdf->pdf);
	if (n <= 0)
		ms_reading_unread(to->reading, pdf->document->where, MS_UNREAD_DAMAGED,
			"a PDF without pages");
	for (int i = 0; i < n; i++) {
		g_autofree char *place = g_strdup_printf("%s page %d", pdf->document->where, i + 1);
		if (!ms_budget_time(to->budget)) {
			ms_reading_unread(to->reading, place, MS_UNREAD_TIME,
				"the time for reading is over");
			return;
		}
		if (!ms_budget_charge(to->budget, MS_COST_PAGE, 1)) {
			ms_reading_unread(to->reading, place, MS_UNREAD_LIMIT,
				"more than %s allows", ms_cost_name(MS_COST_PAGE));
			return;
		}
		read_page(pdf, i, place);
	}
}

/* ---- the document --------------------------------------------------------------------- */

void ms_pdf_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	/* Poppler 22.12 crashes on a wrong password that is not empty: whoever gives one has this
	 * document read by a worker of its own. */
	bool locked;
	MsPdf *opened = ms_pdf_open(document->data, document->len, to->password, &locked);
	if (opened == NULL) {
		ms_inventory_unread(inventory, MS_ITEM_WHOLE,
			locked ? MS_UNREAD_PASSWORD : MS_UNREAD_DAMAGED, "%s",
			locked ? "a PDF that asks for a password" : "a PDF that cannot be opened");
		return;
	}
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GPtrArray) buyer = g_ptr_array_new_with_free_func(g_free);
	MsExtraction collecting = *to;
	collecting.buyer = buyer;
	Pdf pdf = {.to = &collecting, .document = document, .pdf = opened, .text = text,
		.foot = g_ptr_array_new_with_free_func(g_free)};
	read_pages(&pdf);
	g_ptr_array_unref(pdf.foot);
	ms_pdf_walk(opened, &collecting, document, inventory, text);
	ms_compare_buyer(to, document->where, buyer, text);
	g_clear_object(&pdf.drawn);
	ms_pdf_close(opened);
}

/* Form data: the objects of a PDF without pages. */
void ms_fdf_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_pdf_walk(NULL, to, document, inventory, NULL);
}

/* ---- for a reviewer ------------------------------------------------------------------- */

#define PREVIEW_SIDE 1100 /* pixels of the longer side */

static cairo_status_t append(void *user, const unsigned char *data, unsigned len)
{
	g_byte_array_append(user, data, len);
	return CAIRO_STATUS_SUCCESS;
}

GBytes *ms_extract_first_page(const guint8 *data, gsize len)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(data, len);
	PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, NULL);
	PopplerPage *page = document != NULL ? poppler_document_get_page(document, 0) : NULL;
	GByteArray *png = ms_bytes_new();
	double width = 0, height = 0;
	if (page != NULL)
		poppler_page_get_size(page, &width, &height);
	double scale = width > 0 && height > 0 ? PREVIEW_SIDE / MAX(width, height) : 0;
	cairo_surface_t *surface = width * scale >= 1 && height * scale >= 1
		? draw(page, (int)(width * scale), (int)(height * scale), scale)
		: NULL;
	if (surface != NULL) {
		cairo_surface_write_to_png_stream(surface, append, png);
		cairo_surface_destroy(surface);
	}
	g_clear_object(&page);
	g_clear_object(&document);
	GBytes *out = g_byte_array_free_to_bytes(png);
	if (g_bytes_get_size(out) == 0)
		g_clear_pointer(&out, g_bytes_unref);
	return out;
}
