/*
 * Opens a PDF with Poppler's own interface.  In come its bytes, out goes what pdfpage.cc reads
 * pages of and pdfobject.cc walks.  In the worker's only thread.
 */
#include "pdfdoc.h"

#include <cstring>

#include <Catalog.h>
#include <Error.h>
#include <ErrorCodes.h>
#include <OptionalContent.h>
#include <Stream.h>

/* Poppler tells of trouble in one place for the whole process. */
static const char *trouble;

static void on_error(ErrorCategory category, Goffset pos, const char *message)
{
	(void)category;
	(void)pos;
	static const struct {
		const char *part, *means;
	} known[] = {
		{"Too few (", "an operator of its content is wrong, and what follows is not read"},
		{" is wrong type",
			"an operator of its content is wrong, and what follows is not read"},
		{"nknown filter", "a filter that is not known"},
		{"flate stream", "its compressed data are damaged"},
		{"code in flate", "its compressed data are damaged"},
		{"LZW stream", "its compressed data are damaged"},
		{"ASCIIHex stream", "its encoded data are damaged"},
		{"No font in ", "text without a font"},
		{"non decrypt streams", "a crypt filter that cannot be undone"},
	};
	for (const auto &row : known)
		if (trouble == nullptr && strstr(message, row.part) != nullptr)
			trouble = row.means;
}

void ms_pdf_trouble_reset()
{
	setErrorCallback(on_error);
	trouble = nullptr;
}

const char *ms_pdf_trouble()
{
	return trouble;
}

MsFontTrust *MsPdf::trust_of(const GfxFont *font)
{
	int number = font->getID()->num;
	auto found = fonts.find(number);
	if (found != fonts.end())
		return &found->second;
	MsFontTrust *made = &fonts[number];
	made->learn(document->getXRef(), font);
	return made;
}

/* Layers that are off leave the company like the others. */
bool ms_pdf_set_layers(PDFDoc *document, bool on)
{
	auto *layers = document->getCatalog()->getOptContentConfig();
	if (layers == nullptr || !layers->hasOCGs())
		return false;
	for (const auto &[ref, layer] : layers->getOCGs())
		layer->setState(on ? OptionalContentGroup::On : OptionalContentGroup::Off);
	return true;
}

MsPdf *ms_pdf_open(const guint8 *data, gsize len, const char *password, bool *locked_out)
{
	ms_pdf_trouble_reset();
	auto *stream = new MemStream((const char *)data, 0, (Goffset)len, Object(objNull));
	std::optional<GooString> secret;
	if (password != nullptr)
		secret = GooString(password);
	auto document = std::make_unique<PDFDoc>(stream, secret, secret);
	*locked_out = !document->isOk() && document->getErrorCode() == errEncrypted;
	if (!document->isOk())
		return nullptr;
	auto *pdf = new MsPdf;
	pdf->document = std::move(document);
	pdf->data = data;
	pdf->len = len;
	return pdf;
}

void ms_pdf_close(MsPdf *pdf)
{
	delete pdf;
}

#define NOTHING_COMPRESSED 16 /* bytes that compressed nothing has at most */
#define CHECKSUM 4            /* behind compressed data, not read by Poppler */

/* What stands within the stream, but behind the end of its compressed data. */
static void take_behind(const MsPdf *pdf, BaseStream *base, GString *behind)
{
	Goffset end = base->getStart() + base->getLength(), at = base->getPos() + CHECKSUM;
	if (pdf == nullptr || end > (Goffset)pdf->len || at < base->getStart() || at + 3 >= end
		|| behind->len >= MS_PDF_MAX_TEXT)
		return;
	ms_strings(behind, pdf->data + at, (gsize)(end - at));
}

bool ms_pdf_decode(const MsPdf *pdf, const Object &object, MsBudget *budget, std::string &out,
	GString *behind)
{
	Stream *stream = object.getStream();
	ms_pdf_trouble_reset();
	(void)stream->reset();
	unsigned char buffer[4096];
	int n;
	while ((n = stream->doGetChars(sizeof buffer, buffer)) > 0) {
		out.append((const char *)buffer, (gsize)n);
		if (out.size() > MS_PDF_MAX_STREAM ||
			(budget != nullptr && !ms_budget_time(budget))) {
			stream->close();
			return false;
		}
	}
	stream->close();
	BaseStream *base = stream->getBaseStream();
	if (stream->getKind() == strFlate && behind != nullptr)
		take_behind(pdf, base, behind);
	bool filtered = stream->getDict()->hasKey("Filter");
	/* Poppler told of a filter that it does not know when it came upon the stream. */
	if (filtered && out.empty() && base->getLength() > 0 && stream->getKind() == strWeird)
		return false;
	return ms_pdf_trouble() == nullptr &&
		(!out.empty() || base->getLength() <= NOTHING_COMPRESSED || !filtered);
}

int ms_pdf_pages(const MsPdf *pdf)
{
	return pdf->document->getNumPages();
}
