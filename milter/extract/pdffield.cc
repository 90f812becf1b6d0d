/*
 * What is typed into the fields of a page, stamped on it and noted over it.  In comes a page, out
 * goes a content that writes it where it is seen: behind the label or the first half of a number
 * that is printed there.  A field has a value and an appearance, which show the same unless a
 * program has changed only one: each is written.  Poppler would make appearances where there are
 * none, but asks for fonts of the host.  In the worker's only thread.
 */
#include "pdfdoc.h"

#include <string>

#include <Page.h>
#include <Parser.h>
#include <Stream.h>

extern "C" {
#include "missent/text.h"
}

#define MAX_FIELDS 2000 /* of a page */
#define MAX_FILLED (256 << 10) /* bytes of a page's */
#define MAX_PARENTS 8
#define MAX_CHOICES 1000
#define MAX_APPEARANCES 200 /* of a page */
#define MAX_SIZE 12.0   /* of letters */
#define MARGIN 2.0

/* A key of a field, or of one that it is a part of. */
static Object inherited(const Object &field, const char *name)
{
	Object at = field.copy();
	for (int i = 0; i < MAX_PARENTS && at.isDict(); i++) {
		Object value = at.dictLookup(name);
		if (!value.isNull())
			return value;
		at = at.dictLookup("Parent");
	}
	return Object(objNull);
}

static std::string text_of(const Object &value)
{
	if (value.isString())
		return ms_pdf_to_utf8(std::string(value.getString()->c_str(),
			(gsize)value.getString()->getLength()));
	return value.isIntOrInt64() ? std::to_string(value.getIntOrInt64()) : "";
}

/* What is shown of a value: that of several, or what a choice calls it. */
static std::string shown(const Object &field, const Object &value)
{
	if (value.isArray()) {
		std::string all;
		for (int i = 0; i < MIN(value.arrayGetLength(), MAX_CHOICES); i++)
			all += (i > 0 ? "\n" : "") + shown(field, value.arrayGet(i));
		return all;
	}
	std::string text = text_of(value);
	Object choices = inherited(field, "Opt");
	int n = choices.isArray() ? MIN(choices.arrayGetLength(), MAX_CHOICES) : 0;
	for (int i = 0; i < n; i++) {
		Object choice = choices.arrayGet(i);
		if (choice.isArray() && choice.arrayGetLength() == 2 &&
			text_of(choice.arrayGet(0)) == text)
			return text_of(choice.arrayGet(1));
	}
	return text;
}

/* The bytes of WinAnsiEncoding, as digits. */
static void write_line(std::string &out, const std::string &line)
{
	for (const char *p = line.c_str(); *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		char digits[3];
		g_snprintf(digits, sizeof digits, "%02x",
			(c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0x100) ? c : '?');
		out += digits;
	}
}

static void write_text(std::string &out, const std::string &text, const double box[4])
{
	g_auto(GStrv) lines = g_strsplit_set(text.c_str(), "\r\n", -1);
	guint n = MAX(g_strv_length(lines), 1);
	double height = (box[3] - box[1]) / n;
	double size = CLAMP(height * 0.7, 1.0, MAX_SIZE);
	for (guint i = 0; i < n; i++) {
		char place[6][G_ASCII_DTOSTR_BUF_SIZE];
		g_ascii_formatd(place[0], sizeof place[0], "%.2f", size);
		g_ascii_formatd(place[1], sizeof place[1], "%.2f", box[0] + MARGIN);
		g_ascii_formatd(place[2], sizeof place[2], "%.2f",
			box[3] - height * (i + 1) + (height - size) / 2 + size * 0.2);
		out += std::string("BT /MsF ") + place[0] + " Tf " + place[1] + " " + place[2] +
			" Td <";
		write_line(out, lines[i]);
		out += "> Tj ET\n";
	}
}

static bool box_of(const Object &annotation, double box[4])
{
	Object rect = annotation.dictLookup("Rect");
	if (!rect.isArray() || rect.arrayGetLength() != 4)
		return false;
	for (int i = 0; i < 4; i++) {
		Object number = rect.arrayGet(i);
		if (!number.isNum() || !(number.getNum() > -1e6 && number.getNum() < 1e6))
			return false;
		box[i] = number.getNum();
	}
	for (int i = 0; i < 2; i++)
		if (box[i] > box[i + 2])
			std::swap(box[i], box[i + 2]);
	return true;
}

/* What the document itself draws there. */
static std::string drawn_text(MsPdf *pdf, const Object &annotation)
{
	Object all = annotation.dictLookup("AP");
	Object normal = all.isDict() ? all.dictLookup("N") : Object(objNull);
	Object resources = normal.isStream() ? normal.streamGetDict()->lookup("Resources")
					     : Object(objNull);
	std::string bytes;
	g_autoptr(GString) rest = g_string_new(nullptr);
	if (!resources.isDict() || !ms_pdf_decode(pdf, normal, pdf->budget, bytes, rest))
		return "";
	MsPdfPage page;
	ms_pdf_content(pdf, bytes, resources.getDict(), rest, &page);
	std::string text = g_strchomp(page.raw->str);
	ms_pdf_page_clear(&page);
	return text;
}

static std::string without_blanks(const std::string &text)
{
	std::string out;
	for (char c : text)
		if (!g_ascii_isspace(c))
			out += c;
	return out;
}

/* The value, or what is drawn: where there is only one, and where they say the same, that. */
static std::string choose(const std::string &value, const std::string &drawn, bool as_drawn)
{
	bool same = without_blanks(value) == without_blanks(drawn);
	return drawn.empty() || (!value.empty() && (same || !as_drawn)) ? value : drawn;
}

static void write_all(MsPdf *pdf, Page *page, std::string out[2])
{
	Object list = page->getAnnotsObject();
	int n = list.isArray() ? MIN(list.arrayGetLength(), MAX_FIELDS) : 0, drawings = 0;
	for (int i = 0; i < n && out[0].size() < MAX_FILLED; i++) {
		Object annotation = list.arrayGet(i);
		Object subtype = annotation.isDict() ? annotation.dictLookup("Subtype")
						     : Object(objNull);
		double box[4];
		if (!annotation.isDict() || subtype.isName("Link") || !box_of(annotation, box))
			continue;
		std::string value = subtype.isName("Widget")
			? shown(annotation, inherited(annotation, "V"))
			: subtype.isName("FreeText") ? text_of(annotation.dictLookup("Contents"))
			: subtype.isName("Redact")   ? text_of(annotation.dictLookup("OverlayText"))
						     : "";
		std::string drawn =
			drawings++ < MAX_APPEARANCES ? drawn_text(pdf, annotation) : "";
		for (int as_drawn = 0; as_drawn < 2; as_drawn++) {
			std::string text = choose(value, drawn, as_drawn != 0);
			if (!text.empty() && text.size() < 4096)
				write_text(out[as_drawn], text, box);
		}
	}
}

void ms_pdf_filled(MsPdf *pdf, Page *page, std::string out[2])
{
	const std::unordered_set<int> shown = pdf->shown; /* by the page, not by these */
	write_all(pdf, page, out);
	pdf->shown = shown;
	if (out[1] == out[0])
		out[1].clear();
}

Object ms_pdf_filled_resources(XRef *xref)
{
	static const char resources[] = "<</Font<</MsF<</Type/Font/Subtype/Type1/BaseFont/Helvetica"
					"/Encoding/WinAnsiEncoding>>>>>>";
	Parser parser(xref,
		new MemStream(resources, 0, sizeof resources - 1, Object(objNull)), false);
	return parser.getObj();
}
