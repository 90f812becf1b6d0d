/*
 * A page of a PDF is interpreted once; out come its text in two orders, and what is needed to
 * judge whether the text is all that one sees.  In the worker's only thread.
 *
 * Reading order (Poppler's) puts the lines of neighbouring table cells side by side, so that a
 * number that wraps within its cell is torn; in the order of the content it mostly stands whole,
 * and so does what is set at an angle.  Each character is seen with its font: does anything say
 * which letter it is?
 */
#include "pdfdoc.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <Gfx.h>
#include <GfxFont.h>
#include <GfxState.h>
#include <GlobalParams.h>
#include <Page.h>
#include <TextOutputDev.h>
#include <UTF.h>

/* ---- fonts: who says which letters they draw? ----------------------------------------- */

static bool is_private(Unicode u)
{
	return u == 0 || u == 0xfffd || (u < 0x20 && u != '\t') || (u >= 0xe000 && u < 0xf900);
}

/* The letter that the name of a glyph means; 0 if it means none. */
static Unicode of_name(const char *name)
{
	if (name == nullptr)
		return 0;
	Unicode u = globalParams->mapNameToUnicodeText(name);
	if (u == 0)
		u = globalParams->mapNameToUnicodeAll(name);
	if (u == 0 && strncmp(name, "uni", 3) == 0 && strlen(name) >= 7)
		u = (Unicode)g_ascii_strtoull(name + 3, nullptr, 16);
	else if (u == 0 && name[0] == 'u' && g_ascii_isxdigit(name[1]) && strlen(name) >= 5)
		u = (Unicode)g_ascii_strtoull(name + 1, nullptr, 16);
	return u;
}

/* "a97" for the code 97, as TeX calls the pictures of its letters: that names nothing. */
static bool is_own_number(const char *name, int code)
{
	char *end;
	return name[0] == 'a' && g_ascii_strtoull(name + 1, &end, 10) == (guint64)code &&
		end > name + 1 && *end == '\0';
}

#define UNASKED 0xffffffff

void MsFontTrust::learn(XRef *xref, const GfxFont *font)
{
	cid = font->isCIDFont();
	mapped = font->hasToUnicodeCMap();
	type3 = font->getType() == fontType3;
	if (cid) {
		const GooString *collection = ((const GfxCIDFont *)font)->getCollection();
		numbers = !mapped &&
			(collection == nullptr || collection->cmp("Adobe-Identity") == 0);
		return;
	}
	for (Unicode &one : meant)
		one = UNASKED;
	Object dict = xref->fetch(*font->getID());
	Object encoding = dict.isDict() ? dict.dictLookup("Encoding") : Object(objNull);
	bool loose = font->getType() == fontTrueType && font->isSymbolic();
	bool base = encoding.isName() ||
		(encoding.isDict() && encoding.dictLookup("BaseEncoding").isName());
	if (base && !loose)
		memset(named, 1, sizeof named);
	Ref embedded;
	numbers = loose && !mapped && encoding.isNull() && font->getEmbeddedFontID(&embedded);
	Object list = encoding.isDict() ? encoding.dictLookup("Differences") : Object(objNull);
	int code = 0;
	for (int i = 0; list.isArray() && i < list.arrayGetLength(); i++) {
		Object item = list.arrayGet(i);
		if (item.isInt())
			code = item.getInt();
		else if (item.isName() && code >= 0 && code < 256) {
			named[code] = !type3 || !is_own_number(item.getName(), code);
			code++;
		}
	}
}

/* Does anything say that this code of the font draws these characters? */
bool MsFontTrust::believes(const GfxFont *font, CharCode code, const Unicode *u, int n)
{
	if (cid)
		return !numbers && n > 0 && !is_private(u[0]);
	Unicode &known = meant[code & 0xff];
	if (known == UNASKED)
		known = of_name(((const Gfx8BitFont *)font)->getCharName((int)(code & 0xff)));
	if (!mapped)
		return !numbers &&
			(known != 0 || (n > 0 && !is_private(u[0]) && !named[code & 0xff]));
	if (n == 0 || is_private(u[0]))
		return known != 0 && !type3;
	/* A map that says otherwise than the glyph's name, of a letter or digit. */
	return !named[code & 0xff] || known == 0 || !g_unichar_isalnum(known)
		|| g_unichar_tolower(known) == g_unichar_tolower(u[0]) || n > 1 || known > 0x17f;
}

/* The letter or digit that one sees where the map of the font tells programs another, or none: what
 * its encoding calls the glyph.  0 if the map says the same, or nobody names the glyph. */
Unicode MsFontTrust::shows(CharCode code, const Unicode *u, int n) const
{
	if (cid || !mapped || type3 || code > 0xff || !named[code])
		return 0;
	Unicode known = meant[code];
	if (known == UNASKED || known > 0x17f || !g_unichar_isalnum(known))
		return 0;
	bool same = n == 1 && g_unichar_tolower(known) == g_unichar_tolower(u[0]);
	return same ? 0 : known;
}

/* ---- the device ----------------------------------------------------------------------- */

#define MIN_SHOWN 3 /* bytes of an operator that shows more than a letter */
#define GRID 64 /* a page is looked at in as many columns and rows */

struct Words;

class MsDevice : public OutputDev
{
public:
	MsDevice(MsPdf *pdfA, const PDFRectangle *box, bool laid_out)
		: pdf(pdfA), raw(g_string_new(nullptr)),
		  text(nullptr, false, 0, false, false), laid(laid_out)
	{
		width = box != nullptr ? std::fabs(box->x2 - box->x1) : 612;
		height = box != nullptr ? std::fabs(box->y2 - box->y1) : 792;
		if (width < 1)
			width = 1;
		if (height < 1)
			height = 1;
	}
	~MsDevice() override { g_string_free(raw, TRUE); }

	bool upsideDown() override { return true; }
	bool useDrawChar() override { return true; }
	bool interpretType3Chars() override { return false; }
	bool needNonText() override { return true; }
	bool needCharCount() override { return true; }
	/* Patterns are read by themselves, and shadings have no text. */
	bool useTilingPatternFill() override { return true; }
	bool useShadedFills(int) override { return true; }
	bool functionShadedFill(GfxState *, GfxFunctionShading *) override { return true; }
	bool axialShadedFill(GfxState *, GfxAxialShading *, double, double) override
	{
		return true;
	}
	bool radialShadedFill(GfxState *, GfxRadialShading *, double, double) override
	{
		return true;
	}
	bool gouraudTriangleShadedFill(GfxState *, GfxGouraudTriangleShading *) override
	{
		return true;
	}
	bool patchMeshShadedFill(GfxState *, GfxPatchMeshShading *) override { return true; }
	bool tilingPatternFill(GfxState *, Gfx *, Catalog *, GfxTilingPattern *, const double *,
		int, int, int, int, double, double) override
	{
		painted++;
		return true;
	}

	void startPage(int number, GfxState *state, XRef *xref) override
	{
		if (laid)
			text.startPage(number, state, xref);
	}
	void endPage() override
	{
		if (laid)
			text.endPage();
	}
	void restoreState(GfxState *state) override
	{
		if (laid)
			text.restoreState(state);
		trust = nullptr;
		size = 0;
	}
	void updateFont(GfxState *state) override
	{
		if (laid)
			text.updateFont(state);
		trust = nullptr;
		size = 0;
	}
	void beginStringOp(GfxState *) override
	{
		shows += forms == 0;
		begin = place;
	}
	void endStringOp(GfxState *) override { note_begin(begin); }
	void beginTextObject(GfxState *) override { object = place; }
	void endTextObject(GfxState *) override { note_begin(object); }
	void beginString(GfxState *state, const GooString *s) override
	{
		if (laid)
			text.beginString(state, s);
		size = 0;
	}
	void endString(GfxState *state) override
	{
		if (laid)
			text.endString(state);
	}
	void incCharCount(int n) override
	{
		hidden += n;
		place += n;
		if (laid)
			text.incCharCount(n);
	}
	void beginActualText(GfxState *state, const GooString *s) override
	{
		if (laid)
			text.beginActualText(state, s);
	}
	void endActualText(GfxState *state) override
	{
		if (laid)
			text.endActualText(state);
	}
	void drawChar(GfxState *state, double x, double y, double dx, double dy, double ox,
		double oy, CharCode code, int bytes, const Unicode *u, int n) override;
	void fill(GfxState *state) override { shape(state, true); }
	void eoFill(GfxState *state) override { shape(state, true); }
	void stroke(GfxState *state) override { shape(state, false); }
	/* The signature of these differs between versions of Poppler; one of each overrides. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winconsistent-missing-override"
#endif
	virtual void beginForm(Ref id) { enter(id); }
	virtual void beginForm(Object *, Ref id) { enter(id); }
	virtual void endForm(Ref) { forms--; }
	virtual void endForm(Object *, Ref) { forms--; }
#ifdef __clang__
#pragma clang diagnostic pop
#endif

	void drawImage(GfxState *state, Object *ref, Stream *str, int w, int h,
		GfxImageColorMap *map, bool interpolate, const int *colors, bool inlined) override
	{
		picture(state);
		if (inlined)
			OutputDev::drawImage(
				state, ref, str, w, h, map, interpolate, colors, inlined);
	}
	void drawImageMask(GfxState *state, Object *ref, Stream *str, int w, int h, bool invert,
		bool interpolate, bool inlined) override
	{
		picture(state);
		if (inlined)
			OutputDev::drawImageMask(
				state, ref, str, w, h, invert, interpolate, inlined);
	}
	void drawMaskedImage(GfxState *state, Object *, Stream *, int, int, GfxImageColorMap *,
		bool, Stream *, int, int, bool, bool) override
	{
		picture(state);
	}
	void drawSoftMaskedImage(GfxState *state, Object *, Stream *, int, int, GfxImageColorMap *,
		bool, Stream *, int, int, GfxImageColorMap *, bool) override
	{
		picture(state);
	}

	void finish(MsPdfPage *out);
	bool has_hidden() const { return hidden > 0; }
	/* Was so much of the content itself shown, without the forms that it draws? */
	bool has_shown(guint n) const { return shows >= n; }

private:
	struct Box {
		double x1, y1, x2, y2;
	};
	/* A letter by itself begins nothing. */
	void note_begin(int from)
	{
		if (laid && place - from >= MIN_SHOWN)
			begins.push_back(from);
	}
	void enter(Ref form)
	{
		pdf->shown.insert(form.num);
		forms++;
	}
	bool known(GfxState *state, CharCode code, const Unicode *u, int n);
	void append(int at, double x, double y, double dx, double dy, const Unicode *u, int n);
	using Spots = std::vector<std::pair<int, gsize>>;
	Spots::const_iterator spot_from(int at) const;
	bool is_blank_between(int behind, int next) const;
	void add_word(Words *words, const TextWord *word, int from, int until) const;
	gsize find_raw(const MsPdfWord &word) const;
	void note_names(const std::vector<MsPdfRow> &names, MsPdfPage *out) const;
	static bool is_line(const Box &box);
	void shape(GfxState *state, bool filled);
	void picture(GfxState *state);
	void mark(const Box &box);
	void lay_out(MsPdfPage *out);
	void judge_pictures(MsPdfPage *out) const;

	MsPdf *pdf;
	GString *raw;
	TextOutputDev text;
	bool laid;
	double width, height;
	MsFontTrust *trust = nullptr;
	double size = 0; /* of the letters of one string; 0: not known yet */
	/* the end of the last character, its direction and size */
	double at_x = 0, at_y = 0, along_x = 1, along_y = 0, from_x = 0, from_y = 0;
	Unicode last = 0;
	guint run = 0, longest = 0, painted = 0;
	guint16 letters[GRID][GRID] = {};
	std::vector<Box> pictures;
	std::unordered_map<int, guint> rows; /* letter-like shapes by where they stand */
	guint most = 0, marks = 0, small = 0;
	int hidden = 0;
	/* Bytes shown, as Poppler counts them; before this operator, and this text object. */
	int place = 0, begin = 0, object = 0;
	std::vector<int> begins; /* where these begin, of those that show more than a letter */
	Spots spots; /* where in `raw` which of these is */
	guint shows = 0, forms = 0; /* operators that show text; forms around what is shown */
};

static int cell(double at, double all)
{
	double n = at / all * GRID;
	return n < 0 ? 0 : n >= GRID ? GRID - 1 : (int)n;
}

bool MsDevice::known(GfxState *state, CharCode code, const Unicode *u, int n)
{
	const auto &font = state->getFont();
	if (font == nullptr)
		return true;
	if (trust == nullptr)
		trust = pdf->trust_of(font.get());
	return trust->believes(font.get(), code, u, n);
}

void MsDevice::drawChar(GfxState *state, double x, double y, double dx, double dy, double ox,
	double oy, CharCode code, int bytes, const Unicode *u, int n)
{
	static const Unicode blank = ' ';
	if (n == 1 && *u == '\t') /* as Qt calls the glyph of the blank */
		u = &blank;
	if (laid)
		text.drawChar(state, x, y, dx, dy, ox, oy, code, bytes, u, n);
	place += bytes;
	double x1, y1, dx1, dy1;
	state->transform(x, y, &x1, &y1);
	state->transformDelta(dx, dy, &dx1, &dy1);
	if (size == 0)
	{
		size = std::fabs(state->getTransformedFontSize());
		size = size < 0.01 ? 0.01 : size;
	}
	if (!std::isfinite(x1) || !std::isfinite(y1) || !std::isfinite(dx1) || !std::isfinite(dy1))
		return;
	bool fine = known(state, code, u, n);
	Unicode shown = trust != nullptr ? trust->shows(code, u, n) : 0;
	if (shown != 0)
		append(place - bytes, x1, y1, dx1, dy1, &shown, 1);
	else
		append(place - bytes, x1, y1, dx1, dy1, u, n);
	if (n > 0 && u[0] == ' ' && fine)
		return;
	run = fine ? 0 : run + 1;
	longest = run > longest ? run : longest;
	guint16 &count = letters[cell(y1, height)][cell(x1, width)];
	count = count < 0xffff ? (guint16)(count + 1) : count;
}

#define WORD_GAP 0.15 /* of the size of the letters */
#define CELL_GAP 1.0

static bool is_character(Unicode u)
{
	return u < 0x110000 && (u < 0xd800 || u > 0xdfff);
}

static void put(GString *out, Unicode u)
{
	if (u < 0x80)
		g_string_append_c(out, (char)u);
	else
		g_string_append_unichar(out, u);
}

/* Most text is level: then there is no root to take. */
static double distance(double x, double y)
{
	return y == 0 ? std::fabs(x) : std::hypot(x, y);
}

/* Adds the character at `at` where it stands beside the last one, in the direction of its line. */
void MsDevice::append(
	int at, double x, double y, double dx, double dy, const Unicode *u, int n)
{
	if (raw->len >= MS_PDF_MAX_TEXT)
		return;
	double away_x = x - at_x, away_y = y - at_y;
	double along = away_x * along_x + away_y * along_y;
	double across = std::fabs(away_x * along_y - away_y * along_x);
	double from_last = std::hypot(x - from_x, y - from_y);
	bool again = n == 1 && u[0] == last && from_last < 0.1 * size &&
		from_last < std::hypot(away_x, away_y);
	if (again) /* printed twice, to look bold; letters of no width are two */
		return;
	double length = distance(dx, dy);
	bool turned = length > 0.01 * size
		&& (dx * along_x + dy * along_y) / length < 0.9; /* more than 25 degrees */
	if (raw->len > 0) {
		if (across > 0.5 * size || along < -0.5 * size || turned) {
			g_string_append_c(raw, '\n');
			run = 0;
		} else if (along > CELL_GAP * size) {
			g_string_append_c(raw, '\t');
		} else if (along > WORD_GAP * size && last != ' ' && !(n > 0 && u[0] == ' ')) {
			g_string_append_c(raw, ' ');
		}
	}
	if (laid)
		spots.emplace_back(at, raw->len);
	for (int i = 0; i < n; i++)
		put(raw, u[i] != 0 && is_character(u[i]) ? u[i] : 0xfffd);
	if (n == 0)
		put(raw, 0xfffd);
	last = n > 0 ? u[n - 1] : 0xfffd;
	from_x = x;
	from_y = y;
	at_x = x + dx;
	at_y = y + dy;
	if (length > 0.01 * size) {
		along_x = dx / length;
		along_y = dy / length;
	}
}

/* ---- what is drawn and not written ---------------------------------------------------- */

#define LETTER_MIN 2.0 /* points */
#define LETTER_MAX 40.0

/* A letter-like shape: counted with others that stand on the same line. */
void MsDevice::mark(const Box &box)
{
	double w = box.x2 - box.x1, h = box.y2 - box.y1;
	if (h < LETTER_MIN || h > LETTER_MAX || w > LETTER_MAX || w < 0.2)
		return;
	marks++;
	guint n = ++rows[(int)(box.y2 / 2)];
	most = n > most ? n : most;
}

#define LINE_WIDTH 1.5
#define LINE_LENGTH 10.0

/* A line of a table, whichever way its ends are cut. */
bool MsDevice::is_line(const Box &box)
{
	double w = box.x2 - box.x1, h = box.y2 - box.y1;
	return std::fmin(w, h) <= LINE_WIDTH && std::fmax(w, h) >= LINE_LENGTH;
}

void MsDevice::shape(GfxState *state, bool filled)
{
	painted++;
	const GfxPath *path = state->getPath();
	for (int i = 0; i < path->getNumSubpaths(); i++) {
		const GfxSubpath *sub = path->getSubpath(i);
		int n = sub->getNumPoints();
		if (n < 2)
			continue;
		Box box = {1e9, 1e9, -1e9, -1e9};
		bool slanted = false;
		double px = 0, py = 0;
		for (int j = 0; j < n; j++) {
			double x, y;
			state->transform(sub->getX(j), sub->getY(j), &x, &y);
			box.x1 = std::fmin(box.x1, x);
			box.y1 = std::fmin(box.y1, y);
			box.x2 = std::fmax(box.x2, x);
			box.y2 = std::fmax(box.y2, y);
			if (j > 0 && std::fabs(x - px) > 0.3 && std::fabs(y - py) > 0.3)
				slanted = true;
			px = x;
			py = y;
		}
		if (is_line(box))
			continue;
		small += box.x2 - box.x1 < LETTER_MAX && box.y2 - box.y1 < LETTER_MAX;
		/* Lines of tables, bars and squares of codes are straight. */
		if (slanted || (filled && n > 6))
			mark(box);
	}
}

void MsDevice::picture(GfxState *state)
{
	painted++;
	const double *m = state->getCTM();
	double xs[4] = {m[4], m[4] + m[0], m[4] + m[2], m[4] + m[0] + m[2]};
	double ys[4] = {m[5], m[5] + m[1], m[5] + m[3], m[5] + m[1] + m[3]};
	Box box = {xs[0], ys[0], xs[0], ys[0]};
	for (int i = 1; i < 4; i++) {
		box.x1 = std::fmin(box.x1, xs[i]);
		box.y1 = std::fmin(box.y1, ys[i]);
		box.x2 = std::fmax(box.x2, xs[i]);
		box.y2 = std::fmax(box.y2, ys[i]);
	}
	box = {std::fmax(box.x1, 0), std::fmax(box.y1, 0), std::fmin(box.x2, width),
		std::fmin(box.y2, height)};
	if (box.x2 > box.x1 && box.y2 > box.y1 && pictures.size() < 10000)
		pictures.push_back(box);
}

#define OVERPRINTED 120 /* letters on a picture from which on it is the paper */

void MsDevice::judge_pictures(MsPdfPage *out) const
{
	if (pictures.empty())
		return;
	std::vector<bool> under(GRID * GRID, false);
	for (const Box &box : pictures) {
		int x1 = cell(box.x1, width), x2 = cell(box.x2 - 0.01, width);
		int y1 = cell(box.y1, height), y2 = cell(box.y2 - 0.01, height);
		guint over = 0;
		for (int y = y1; y <= y2; y++)
			for (int x = x1; x <= x2; x++)
				over += letters[y][x];
		double w = box.x2 - box.x1, h = box.y2 - box.y1;
		if (over >= OVERPRINTED)
			continue;
		for (int y = y1; y <= y2; y++)
			for (int x = x1; x <= x2; x++)
				under[(size_t)(y * GRID + x)] = true;
		if (w > 0.5 * width && h >= 20 && over == 0 && box.y1 > 0.25 * height &&
			box.y2 < 0.85 * height)
			out->strip = true;
	}
	guint n = 0;
	for (bool one : under)
		n += one;
	out->pictured = (double)n / (GRID * GRID);
}

/* ---- reading order -------------------------------------------------------------------- */

typedef struct {
	double x1, y1, x2, y2;
} Place;

#define GAP 0.3 /* of the height of the line */

static bool apart(const Place &a, const Place &b)
{
	double h = std::fmax(std::fabs(a.y2 - a.y1), std::fabs(b.y2 - b.y1));
	double gap = b.x1 - a.x2;
	return gap > GAP * h || gap < -3 * h;
}

using Lines = std::vector<std::vector<std::unique_ptr<TextWordSelection>>>;

/* The text as it is, and what stands where in it. */
struct Words {
	GString *text;
	std::vector<MsPdfWord> placed;
	bool plain; /* Poppler turns no letter of it around */
	int behind; /* place in the content of what follows the last word */
	int way;    /* which most digits run, as Poppler counts quarters of a turn */
};

/* As one sees it who turns the page so that this way is from left to right. */
static Place upright(const Place &at, int way)
{
	switch (way) {
	case 1: return {at.y1, -at.x2, at.y2, -at.x1};
	case 2: return {-at.x2, -at.y2, -at.x1, -at.y1};
	case 3: return {-at.y2, at.x1, -at.y1, at.x2};
	default: return at;
	}
}

/* Names of columns may be turned, their values are not. */
static int way_of_digits(const Lines &lines)
{
	int digits[4] = {};
	for (const auto &line : lines)
		for (const auto &selection : line) {
			const TextWord *word = selection->getWord();
			for (int i = 0; i < word->getLength(); i++)
				digits[word->getRotation() & 3] += *word->getChar(i) - '0' < 10;
		}
	return (int)(std::max_element(digits, digits + 4) - digits);
}

/* Letters of scripts that run from left to right, which begin below Hebrew. */
static bool is_plain(Unicode u)
{
	return u > 0 && u < 0x590;
}

static bool is_space(Unicode u)
{
	return u < 0x80 ? g_ascii_isspace((char)u) : g_unichar_isspace(u);
}

static void put(std::string *out, Unicode u)
{
	char bytes[6];
	out->append(bytes, (size_t)g_unichar_to_utf8(is_character(u) ? u : 0xfffd, bytes));
}

/* How many bytes of the content a character of a word takes.  Newer versions of Poppler tell how far
 * the last one is from the first. */
static int step_of(const TextWord *word)
{
#if POPPLER_CHECK_VERSION(24, 0, 0)
	return word->getLength() > 1 ? word->getCharLen() / (word->getLength() - 1) : 1;
#else
	return word->getCharLen() / word->getLength();
#endif
}

/* Where in the content the character of a word is, if each takes as many bytes. */
static int place_of(const TextWord *word, int i)
{
	return word->getCharPos() + i * step_of(word);
}

/* A place behind its last character, and not behind what follows. */
static int behind(const TextWord *word)
{
#if POPPLER_CHECK_VERSION(24, 0, 0)
	return word->getCharPos() + word->getCharLen() + 1;
#else
	return word->getCharPos() + word->getCharLen();
#endif
}

/* The first character in the content that is behind this place, or there. */
MsDevice::Spots::const_iterator MsDevice::spot_from(int at) const
{
	return std::lower_bound(spots.begin(), spots.end(), std::make_pair(at, (gsize)0));
}

/* Is it nothing but a blank that stands before `next`, from `behind` on? */
bool MsDevice::is_blank_between(int behind, int next) const
{
	if (behind < 0 || behind >= next)
		return false;
	auto spot = spot_from(behind);
	return spot != spots.end() && spot->second < raw->len &&
		is_space(g_utf8_get_char(raw->str + spot->second)) && ++spot != spots.end() &&
		spot->first == next;
}

void MsDevice::add_word(Words *words, const TextWord *word, int from, int until) const
{
	MsPdfWord out = {};
	Place all = {}, before = {};
	word->getBBox(&all.x1, &all.y1, &all.x2, &all.y2);
	all = upright(all, words->way);
	out.turned = ((word->getRotation() ^ words->way) & 1) != 0;
	out.height = out.turned ? all.x2 - all.x1 : all.y2 - all.y1;
	out.y = out.turned ? all.y2 - out.height / 2 : (all.y1 + all.y2) / 2;
	out.spaced = is_blank_between(words->behind, word->getCharPos());
	out.at = words->text->len;
	out.place = place_of(word, from);
	for (int i = from; i < until; i++) {
		Place here;
		word->getCharBBox(i, &here.x1, &here.y1, &here.x2, &here.y2);
		if (words->way != 0)
			here = upright(here, words->way);
		Unicode u = *word->getChar(i);
		gsize at = words->text->len;
		put(words->text, u);
		words->plain &= is_plain(u);
		/* Poppler sets cells that touch side by side without anything between them
		 * ("C-10001INV-2026-0417"). */
		bool cut = i > from && !out.turned && !is_space(u);
		bool away = cut && apart(before, here);
		bool begun = cut && std::binary_search(
					    begins.begin(), begins.end(), place_of(word, i));
		if (away || begun) {
			words->placed.push_back(out);
			out.text.clear();
			out.apart = away;
			out.begins = !away;
			out.spaced = false;
			out.at = at;
			out.place = place_of(word, i);
		}
		if (out.text.empty())
			out.x1 = here.x1;
		out.x2 = here.x2;
		put(&out.text, u);
		before = here;
	}
	words->behind = behind(word);
	if (std::isfinite(all.x1 + all.x2 + all.y1 + all.y2))
		words->placed.push_back(std::move(out));
}

/* These differ between versions of Poppler by who owns what they return. */
#if POPPLER_CHECK_VERSION(24, 0, 0)
static char *selected_text(TextPage *page, const PDFRectangle *box)
{
	GooString found = page->getSelectionText(box, selectionStyleGlyph);
	return g_strdup(found.c_str());
}

static Lines selected_words(TextPage *page, const PDFRectangle *box)
{
	return page->getSelectionWords(box, selectionStyleGlyph);
}
#else
static char *selected_text(TextPage *page, const PDFRectangle *box)
{
	GooString *found = page->getSelectionText(box, selectionStyleGlyph);
	char *text = g_strdup(found != nullptr ? found->c_str() : "");
	delete found;
	return text;
}

static Lines selected_words(TextPage *page, const PDFRectangle *box)
{
	Lines out;
	int n = 0;
	std::vector<TextWordSelection *> **lines = page->getSelectionWords(
		box, selectionStyleGlyph, &n);
	for (int i = 0; i < n; i++) {
		out.emplace_back();
		for (TextWordSelection *selection : *lines[i])
			out.back().emplace_back(selection);
		delete lines[i];
	}
	gfree(lines);
	return out;
}
#endif

/* Where in the order of the content a word stands; its length, if it is another there. */
gsize MsDevice::find_raw(const MsPdfWord &word) const
{
	auto spot = spot_from(word.place);
	gsize len = word.text.size();
	bool same = spot != spots.end() && raw->len - spot->second >= len &&
		memcmp(raw->str + spot->second, word.text.data(), len) == 0;
	return same ? spot->second : raw->len;
}

static int by_beginning(const void *a, const void *b)
{
	gsize one = ((const MsPdfPiece *)a)->from, two = ((const MsPdfPiece *)b)->from;
	return one < two ? -1 : one > two;
}

void MsDevice::note_names(const std::vector<MsPdfRow> &names, MsPdfPage *out) const
{
	for (GArray *&named : out->named)
		named = g_array_new(FALSE, FALSE, sizeof(MsPdfPiece));
	for (const MsPdfRow &row : names)
		for (const MsPdfWord &word : row) {
			gsize len = word.text.size(), at = find_raw(word);
			MsPdfPiece pieces[] = {{word.at, word.at + len}, {at, at + len}};
			g_array_append_val(out->named[0], pieces[0]);
			if (at < raw->len)
				g_array_append_val(out->named[1], pieces[1]);
		}
	for (GArray *named : out->named)
		g_array_sort(named, by_beginning);
}

void MsDevice::lay_out(MsPdfPage *out)
{
	TextPage *page = text.takeText();
	PDFRectangle all(0, 0, width, height);
	GString *whole = g_string_new(nullptr);
	const Lines lines = selected_words(page, &all);
	Words words = {whole, {}, true, -1, way_of_digits(lines)};
	std::sort(begins.begin(), begins.end());
	for (gsize i = 0; i < lines.size(); i++) {
		if (i > 0)
			g_string_append_c(whole, '\n');
		for (gsize k = 0; k < lines[i].size(); k++) {
			const TextWord *word = lines[i][k]->getWord();
			add_word(&words, word, lines[i][k]->getBegin(),
				std::min(lines[i][k]->getEnd(), word->getLength()));
			if (word->hasSpaceAfter() && k + 1 < lines[i].size())
				g_string_append_c(whole, ' ');
		}
	}
	std::vector<MsPdfRow> names;
	ms_pdf_grid(words.placed, &pdf->head, out->cells, &names);
	/* Where each letter follows the one before, this is all that Poppler's text is. */
	out->text = words.plain ? g_strdup(whole->str) : selected_text(page, &all);
	if (words.plain && !names.empty())
		note_names(names, out);
	g_string_free(whole, TRUE);
	page->decRefCnt();
}

void MsDevice::finish(MsPdfPage *out)
{
	out->cells = g_string_new(nullptr);
	if (laid)
		lay_out(out);
	else
		out->text = g_strdup("");
	out->raw = raw;
	raw = g_string_new(nullptr);
	out->runs = longest;
	out->outlines = most;
	out->letter_like = marks;
	out->small = small;
	out->painted = painted;
	judge_pictures(out);
}

/* ---- contents ------------------------------------------------------------------------- */

static bool is_late(void *user)
{
	return user != nullptr && !ms_budget_time((MsBudget *)user);
}

/* The streams of a page that is being read. */
static void remember_contents(MsPdf *pdf, Page *page)
{
	Object dict = pdf->document->getXRef()->fetch(page->getRef());
	if (!dict.isDict())
		return;
	const Object &contents = dict.dictLookupNF("Contents");
	if (contents.isRef())
		pdf->shown.insert(contents.getRef().num);
	Object list = dict.dictLookup("Contents");
	for (int i = 0; list.isArray() && i < list.arrayGetLength(); i++)
		if (list.arrayGetNF(i).isRef())
			pdf->shown.insert(list.arrayGetNF(i).getRef().num);
}

/* The content without each "Q" that restores nothing: Poppler ends with it, others pass over it. */
static MsPdfCensus look_at_rest(std::string &bytes, GString *rest)
{
	MsPdfCensus census = ms_pdf_leftovers(bytes.data(), bytes.size(), true, rest);
	for (gsize at : census.unmatched)
		bytes[at] = ' ';
	return census;
}

/* Decodes the content once, for who interprets it and for who looks at the rest. */
static std::string decode_contents(MsPdf *pdf, Page *page, MsPdfPage *out, MsPdfCensus *census)
{
	std::string bytes;
	Object contents = page->getContents();
	out->rest = g_string_new(nullptr);
	int n = contents.isArray() ? contents.arrayGetLength() : 1;
	for (int i = 0; i < n && bytes.size() <= MS_PDF_MAX_STREAM; i++) {
		Object one = contents.isArray() ? contents.arrayGet(i) : contents.copy();
		if (!one.isStream())
			continue;
		if (!ms_pdf_decode(pdf, one, pdf->budget, bytes, out->rest) &&
			out->broken == nullptr)
			out->broken = ms_pdf_trouble() != nullptr
				? ms_pdf_trouble()
				: "its content is damaged or too long";
		bytes += '\n';
	}
	*census = look_at_rest(bytes, out->rest);
	return bytes;
}

/* Poppler takes what another program shows for the data of a picture or the operand of nothing, or
 * stopped: what is wrong with the content, or NULL. */
static const char *trouble_of(const MsDevice &device, const MsPdfCensus &census)
{
	const char *known = ms_pdf_trouble();
	return known != nullptr || device.has_shown(census.shows)
		? known
		: "not all of its text is read, for its operators do not go together";
}

/* True if some of it was hidden. */
static bool show_page(MsPdf *pdf, Page *page, Object *contents, const MsPdfCensus &census,
	const PDFRectangle *box, bool crop, int rotate, const PDFRectangle *paper, bool laid_out,
	Object *over, MsPdfPage *out)
{
	MsDevice device(pdf, paper, laid_out);
	ms_pdf_trouble_reset();
	{
		const PDFRectangle *cropped = crop ? page->getCropBox() : nullptr;
		Gfx gfx(pdf->document.get(), &device, page->getNum(), page->getResourceDict(), 72,
			72, box, cropped, rotate, is_late, pdf->budget);
		gfx.saveState();
		gfx.display(contents);
		while (gfx.getState()->hasSaves())
			gfx.restoreState();
		Object fonts = ms_pdf_filled_resources(pdf->document->getXRef());
		if (over != nullptr && fonts.isDict()) {
			gfx.pushResources(fonts.getDict());
			gfx.display(over);
			gfx.popResources();
		}
	} /* ends the page, too */
	device.finish(out);
	if (out->broken == nullptr)
		out->broken = trouble_of(device, census);
	return device.has_hidden();
}

bool ms_pdf_page(MsPdf *pdf, int number, MsPdfPage *out)
{
	*out = MsPdfPage();
	Page *page = pdf->document->getPage(number + 1);
	if (page == nullptr || !page->isOk())
		return false;
	PDFRectangle box;
	bool crop = true;
	int rotate = page->getRotate() % 360;
	if (rotate < 0)
		rotate += 360;
	page->makeBox(72, 72, rotate, false, true, -1, -1, -1, -1, &box, &crop);
	PDFRectangle paper = rotate == 90 || rotate == 270
		? PDFRectangle(0, 0, box.y2 - box.y1, box.x2 - box.x1)
		: PDFRectangle(0, 0, box.x2 - box.x1, box.y2 - box.y1);
	bool layers = ms_pdf_set_layers(pdf->document.get(), true);
	remember_contents(pdf, page);
	MsPdfCensus census;
	std::string bytes = decode_contents(pdf, page, out, &census);
	Stream *stream = new MemStream(bytes.data(), 0, (Goffset)bytes.size(),
		Object(new Dict(pdf->document->getXRef())));
	Object contents(stream);
	bool hides = show_page(
		pdf, page, &contents, census, &box, crop, rotate, &paper, true, nullptr, out);
	std::string filled[2];
	ms_pdf_filled(pdf, page, filled);
	for (std::string &over : filled) {
		if (over.empty())
			continue;
		Stream *fields = new MemStream(over.data(), 0, (Goffset)over.size(),
			Object(new Dict(pdf->document->getXRef())));
		Object content(fields);
		MsPdfPage both = MsPdfPage();
		show_page(pdf, page, &contents, census, &box, crop, rotate, &paper, true, &content,
			&both);
		char *before = out->filled;
		out->filled = before != nullptr ? g_strconcat(before, "\n\n", both.text, nullptr)
						: g_strdup(both.text);
		g_free(before);
		ms_pdf_page_clear(&both);
	}
	if (!hides || !layers)
		return true;
	/* Some layers are shown when others are not. */
	MsPdfPage others = MsPdfPage();
	ms_pdf_set_layers(pdf->document.get(), false);
	show_page(pdf, page, &contents, census, &box, crop, rotate, &paper, false, nullptr,
		&others);
	g_string_append_printf(out->raw, "\n%s", others.raw->str);
	ms_pdf_page_clear(&others);
	return true;
}

void ms_pdf_content(MsPdf *pdf, std::string &bytes, Dict *resources, GString *rest,
	MsPdfPage *out)
{
	*out = MsPdfPage();
	const MsPdfCensus census = look_at_rest(bytes, rest);
	Stream *stream = new MemStream(bytes.data(), 0, (Goffset)bytes.size(),
		Object(new Dict(pdf->document->getXRef())));
	Object content(stream);
	PDFRectangle paper(0, 0, 612, 792);
	MsDevice device(pdf, &paper, false);
	ms_pdf_trouble_reset();
	{
		Gfx gfx(pdf->document.get(), &device, resources, &paper, nullptr, is_late,
			pdf->budget);
		gfx.display(&content);
	}
	device.finish(out);
	out->broken = trouble_of(device, census);
}

void ms_pdf_page_clear(MsPdfPage *page)
{
	g_free(page->text);
	g_free(page->filled);
	if (page->cells != nullptr)
		g_string_free(page->cells, TRUE);
	if (page->rest != nullptr)
		g_string_free(page->rest, TRUE);
	if (page->raw != nullptr)
		g_string_free(page->raw, TRUE);
	for (GArray *named : page->named)
		if (named != nullptr)
			g_array_unref(named);
	*page = MsPdfPage();
}
