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
		{" args to '", "an operator of its content is wrong, and what follows is not read"},
		{" is wrong type", "an operator of its content is wrong, and what follows is not read"},
		{"nknown filter", "a filter that is not known"},
		{"flate stream", "its compressed data are damaged"},
		{"code in flate", "its compressed data are damaged"},
		{"LZW stream", "its compressed data are damaged"},
		{"ASCIIHex stream", "its encoded data are damaged"},
		{"decrypted streams", "a crypt filter that cannot be undone"},
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

int ms_pdf_pages(const MsPdf *pdf)
{
	return pdf->document->getNumPages();
}
