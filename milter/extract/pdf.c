#include "config.h"

#include <cairo.h>
#include <iconv.h>
#include <poppler.h>
#include <string.h>

#include "missent/text.h"

#include "readers.h"

/*
 * Poppler's page text leaves out what stands in form fields and annotations, which every viewer
 * shows, and what only a program reads: link targets, the document's information, attachments.
 * All of it leaves the company.
 */

#define SHORT_PAGE 120         /* bytes of text below which a page's pictures are looked at */
#define PICTURE_SHARE 0.4      /* of the page, from which on a picture is its content */
#define MAX_ATTACHMENT (64 << 20)

typedef struct {
	const MsExtraction *to;
	const char *where;
	PopplerDocument *document;
	GString *text; /* of all pages */
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

static void add_line(GString *out, char *line)
{
	if (line != NULL && *line != '\0') {
		g_string_append(out, line);
		g_string_append_c(out, '\n');
	}
	g_free(line);
}

static void add_fields(GString *out, PopplerPage *page)
{
	GList *list = poppler_page_get_form_field_mapping(page);
	for (GList *item = list; item != NULL; item = item->next) {
		PopplerFormField *field = ((PopplerFormFieldMapping *)item->data)->field;
		PopplerFormFieldType type = poppler_form_field_get_field_type(field);
		add_line(out, poppler_form_field_get_alternate_ui_name(field));
		if (type == POPPLER_FORM_FIELD_TEXT)
			add_line(out, poppler_form_field_text_get_text(field));
		else if (type == POPPLER_FORM_FIELD_BUTTON)
			add_line(out, poppler_form_field_button_get_state(field)
					? poppler_form_field_get_name(field) : NULL);
		else if (type == POPPLER_FORM_FIELD_CHOICE) {
			gint n = poppler_form_field_choice_get_n_items(field);
			for (gint i = 0; i < n && i < 1000; i++)
				if (poppler_form_field_choice_is_item_selected(field, i))
					add_line(out, poppler_form_field_choice_get_item(field, i));
			if (poppler_form_field_choice_is_editable(field))
				add_line(out, poppler_form_field_choice_get_text(field));
		}
	}
	poppler_page_free_form_field_mapping(list);
}

static void read_attachment(const Pdf *pdf, PopplerAttachment *attachment);

static void add_annotations(const Pdf *pdf, GString *out, PopplerPage *page)
{
	GList *list = poppler_page_get_annot_mapping(page);
	for (GList *item = list; item != NULL; item = item->next) {
		PopplerAnnot *annot = ((PopplerAnnotMapping *)item->data)->annot;
		PopplerAnnotType type = poppler_annot_get_annot_type(annot);
		if (type != POPPLER_ANNOT_WIDGET)
			add_line(out, poppler_annot_get_contents(annot));
		if (POPPLER_IS_ANNOT_MARKUP(annot)) {
			add_line(out, poppler_annot_markup_get_label(POPPLER_ANNOT_MARKUP(annot)));
			add_line(out, poppler_annot_markup_get_subject(POPPLER_ANNOT_MARKUP(annot)));
		}
		if (POPPLER_IS_ANNOT_FILE_ATTACHMENT(annot)) {
			PopplerAttachment *attachment = poppler_annot_file_attachment_get_attachment(
				POPPLER_ANNOT_FILE_ATTACHMENT(annot));
			if (attachment != NULL)
				read_attachment(pdf, attachment);
		}
	}
	poppler_page_free_annot_mapping(list);
}

static void add_links(GString *out, PopplerPage *page)
{
	GList *list = poppler_page_get_link_mapping(page);
	for (GList *item = list; item != NULL; item = item->next) {
		const PopplerAction *action = ((PopplerLinkMapping *)item->data)->action;
		if (action == NULL)
			continue;
		if (action->type == POPPLER_ACTION_URI)
			add_line(out, g_strdup(action->uri.uri));
		else if (action->type == POPPLER_ACTION_LAUNCH)
			add_line(out, g_strdup(action->launch.file_name));
		else if (action->type == POPPLER_ACTION_GOTO_REMOTE)
			add_line(out, g_strdup(action->goto_remote.file_name));
		else if (action->type == POPPLER_ACTION_JAVASCRIPT)
			add_line(out, g_strdup(action->javascript.script));
	}
	poppler_page_free_link_mapping(list);
}

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
			grey[(gsize)y * (gsize)w + (gsize)x] = (guint8)((p[0] * 29 + p[1] * 150 + p[2] * 77) >> 8);
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

/* Is what one sees on this page drawn, and not written? */
static bool is_picture(PopplerPage *page, gsize text_length)
{
	double width, height, drawn = 0;
	poppler_page_get_size(page, &width, &height);
	if (text_length == 0) /* letters may be drawn as curves, too */
		return is_marked(page, width, height);
	GList *list = poppler_page_get_image_mapping(page);
	for (GList *item = list; item != NULL; item = item->next) {
		const PopplerRectangle *r = &((PopplerImageMapping *)item->data)->area;
		drawn += ABS((r->x2 - r->x1) * (r->y2 - r->y1));
	}
	poppler_page_free_image_mapping(list);
	return drawn >= PICTURE_SHARE * ABS(width * height);
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
	gsize bad = 0, all = 0, words = 0, latin = 0, vowels = 0;
	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (g_unichar_isspace(c))
			continue;
		all++;
		bad += c == 0xfffd || c < 0x20 || (c >= 0xe000 && c < 0xf900);
		words += g_unichar_isalnum(c);
		latin += c < 0x80 && g_ascii_isalpha((char)c);
		vowels += c < 0x80 && strchr("aeiouyAEIOUY", (int)c) != NULL;
	}
	return (all >= 8 && bad * 4 > all) || (all >= 40 && words * 100 < all * 45)
		|| (latin >= 150 && vowels * 100 < latin * 17);
}

/*
 * Poppler sets the cells of a table side by side without anything between them
 * ("C-10001INV-2026-0417").  Where the page has a gap between two characters that the text has
 * not, a tab is put there.  Letters may be spaced out on purpose, so this is a second reading
 * of those lines, beside the text as it is.
 */
#define GAP 0.3 /* of the height of the line */

static bool apart(const PopplerRectangle *a, const PopplerRectangle *b)
{
	double height = MAX(ABS(a->y2 - a->y1), ABS(b->y2 - b->y1));
	double gap = b->x1 - a->x2;
	return gap > GAP * height || gap < -3 * height;
}

/* The lines of `text` in which characters stand apart; empty if there are none. */
static GString *separated(PopplerPage *page, const char *text)
{
	GString *out = g_string_new(NULL), *line = g_string_new(NULL);
	PopplerRectangle *places = NULL;
	guint n = 0, i = 0;
	bool changed = false;
	if (!poppler_page_get_text_layout(page, &places, &n))
		n = 0;
	gunichar last = '\n';
	for (const char *p = text; *p != '\0' && i < n; p = g_utf8_next_char(p), i++) {
		gunichar c = g_utf8_get_char(p);
		if (i > 0 && !g_unichar_isspace(c) && !g_unichar_isspace(last)
			&& apart(&places[i - 1], &places[i])) {
			g_string_append_c(line, '\t');
			changed = true;
		}
		g_string_append_unichar(line, c);
		last = c;
		/* What stands after such a line may be its values: the next one is kept as well. */
		if (c == '\n') {
			if (changed || out->len > 0)
				g_string_append_len(out, line->str, (gssize)line->len);
			g_string_truncate(line, 0);
		}
	}
	if (changed)
		g_string_append_len(out, line->str, (gssize)line->len);
	else
		g_string_truncate(out, 0);
	g_string_free(line, TRUE);
	g_free(places);
	return out;
}

static void read_page(const Pdf *pdf, PopplerPage *page, const char *place)
{
	const MsExtraction *to = pdf->to;
	g_autofree char *text = poppler_page_get_text(page);
	if (text == NULL)
		text = g_strdup("");
	ms_extract_span(to, place, text, strlen(text));
	g_autoptr(GString) cells = separated(page, text);
	ms_extract_span(to, place, cells->str, cells->len);
	if (pdf->text->len < (1 << 20))
		g_string_append(pdf->text, text);
	g_autoptr(GString) more = g_string_new(NULL);
	add_fields(more, page);
	add_annotations(pdf, more, page);
	g_autofree char *fields = g_strconcat(place, " (fields and notes)", NULL);
	ms_extract_span(to, fields, more->str, more->len);
	if (pdf->text->len < (1 << 20))
		g_string_append(pdf->text, more->str);
	g_string_truncate(more, 0);
	add_links(more, page);
	g_autofree char *links = g_strconcat(place, " (links)", NULL);
	ms_extract_span(to, links, more->str, more->len);
	gsize visible = visible_bytes(text);
	bool picture = visible < SHORT_PAGE && is_picture(page, visible);
	bool garbled = !picture && is_garbled(text);
	if ((picture || garbled) && recognise(pdf, page, place))
		return;
	if (picture)
		ms_reading_unread(to->reading, place, MS_UNREAD_IMAGE_ONLY, "%s",
			visible > 0 ? "a picture with hardly any text" : "a page without text");
	else if (garbled)
		ms_reading_unread(to->reading, place, MS_UNREAD_CHARSET,
			"its fonts do not say which characters they draw");
}

static void read_pages(const Pdf *pdf)
{
	const MsExtraction *to = pdf->to;
	int n = poppler_document_get_n_pages(pdf->document);
	if (n <= 0)
		ms_reading_unread(to->reading, pdf->where, MS_UNREAD_DAMAGED, "a PDF without pages");
	for (int i = 0; i < n; i++) {
		g_autofree char *place = g_strdup_printf("%s page %d", pdf->where, i + 1);
		if (!ms_budget_time(to->budget)) {
			ms_reading_unread(to->reading, place, MS_UNREAD_TIME,
				"the time for reading is over");
			return;
		}
		if (!ms_budget_charge(to->budget, MS_COST_PAGE, 1)) {
			ms_reading_unread(to->reading, place, MS_UNREAD_LIMIT, "more than %s allows",
				ms_cost_name(MS_COST_PAGE));
			return;
		}
		PopplerPage *page = poppler_document_get_page(pdf->document, i);
		if (page == NULL) {
			ms_reading_unread(to->reading, place, MS_UNREAD_DAMAGED, "the page cannot be read");
			continue;
		}
		read_page(pdf, page, place);
		g_object_unref(page);
	}
}

/* ---- the document --------------------------------------------------------------------- */

static gboolean save(const gchar *data, gsize len, gpointer user, GError **error)
{
	(void)error;
	GByteArray *out = user;
	if (out->len + len > MAX_ATTACHMENT)
		return FALSE;
	g_byte_array_append(out, (const guint8 *)data, (guint)len);
	return TRUE;
}

/* Takes the attachment. */
static void read_attachment(const Pdf *pdf, PopplerAttachment *attachment)
{
	const char *name = attachment->name != NULL ? attachment->name : "attachment";
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	if (attachment->description != NULL)
		ms_extract_span(pdf->to, pdf->where, attachment->description,
			strlen(attachment->description));
	if (poppler_attachment_save_to_callback(attachment, save, bytes, NULL)) {
		ms_extract_within(pdf->to, pdf->where, valid, NULL,
			bytes->data != NULL ? bytes->data : (const guint8 *)"", bytes->len);
	} else {
		g_autofree char *safe = ms_text_escape(valid, -1, 80);
		g_autofree char *place = g_strdup_printf("%s > %s", pdf->where, safe);
		ms_reading_unread(pdf->to->reading, place, MS_UNREAD_LIMIT,
			"an attachment larger than %d MiB, or damaged", MAX_ATTACHMENT >> 20);
	}
	g_object_unref(attachment);
}

static void read_attachments(const Pdf *pdf)
{
	GList *list = poppler_document_get_attachments(pdf->document);
	for (GList *item = list; item != NULL; item = item->next)
		read_attachment(pdf, item->data);
	g_list_free(list);
}

static void read_information(const Pdf *pdf)
{
	g_autoptr(GString) out = g_string_new(NULL);
	add_line(out, poppler_document_get_title(pdf->document));
	add_line(out, poppler_document_get_subject(pdf->document));
	add_line(out, poppler_document_get_keywords(pdf->document));
	add_line(out, poppler_document_get_author(pdf->document));
	add_line(out, poppler_document_get_creator(pdf->document));
	g_autofree char *where = g_strconcat(pdf->where, " (document information)", NULL);
	ms_extract_span(pdf->to, where, out->str, out->len);
	g_autofree char *metadata = poppler_document_get_metadata(pdf->document);
	if (metadata == NULL)
		return;
	g_autofree char *xmp = g_strconcat(pdf->where, " (metadata)", NULL);
	MsDocument inner = {.where = xmp, .type = "application/xml", .data = (guint8 *)metadata,
		.len = strlen(metadata)};
	ms_read_with(ms_xml_document_read, pdf->to, &inner);
}

void ms_pdf_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	g_autoptr(GBytes) bytes = g_bytes_new_static(document->data, document->len);
	g_autoptr(GError) error = NULL;
	/* Poppler 22.12 crashes on a wrong password that is not empty: whoever gives one has this
	 * document read by a worker of its own. */
	PopplerDocument *opened = poppler_document_new_from_bytes(bytes, to->password, &error);
	if (opened == NULL) {
		bool locked = g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
		ms_reading_unread(to->reading, document->where,
			locked ? MS_UNREAD_PASSWORD : MS_UNREAD_DAMAGED, "%s",
			locked ? "a PDF that asks for a password" : "a PDF that cannot be opened");
		return;
	}
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GPtrArray) buyer = g_ptr_array_new_with_free_func(g_free);
	MsExtraction collecting = *to;
	collecting.buyer = buyer;
	Pdf pdf = {&collecting, document->where, opened, text};
	read_pages(&pdf);
	read_information(&pdf);
	read_attachments(&pdf);
	ms_compare_buyer(to, document->where, buyer, text);
	g_object_unref(opened);
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
	GByteArray *png = g_byte_array_new();
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
