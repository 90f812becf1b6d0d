/*
 * All objects of a PDF, used or not.  In come the bytes of the file and what Poppler knows of
 * them, out go spans, embedded files, and the fate of each object in the inventory.  In the
 * worker's only thread.
 *
 * The objects are found by looking at every byte between the first and the last, not by
 * following references: a former revision, a page taken out of a batch, a bookmark that points
 * nowhere have left the company all the same.  What the table of objects points to and the bytes
 * do not show as an object is added.  Every string is text unless the table of structural items
 * names its key; every stream is read as what it is.
 */
#include "pdfdoc.h"

#include <cstring>
#include <string>

#include <Array.h>
#include <Dict.h>
#include <Lexer.h>
#include <Parser.h>
#include <Stream.h>
#include <UTF.h>

extern "C" {
#include "missent/named.h"
#include "missent/text.h"
}

#define MAX_NESTING 100
#define MAX_PARENTS 8
#define MAX_VALUES 1000 /* of a field */
#define MAX_LABELS 100000
#define TELLING_LABEL 4 /* bytes */
#define MAX_UNCERTAIN 4 /* characters in a row that nobody knows */

/* ---- what is found -------------------------------------------------------------------- */

struct Found {
	int number, generation;
	Object object;
	bool current; /* not of a former revision, nor hidden */
};

/* What those who refer to a stream take it for. */
enum Role : unsigned {
	ROLE_CONTENT = 1,
	ROLE_FONT = 2,
	ROLE_CHARACTERS = 4,
	ROLE_FONT_TABLE = 8,
	ROLE_XML = 16,
	ROLE_FILE = 32,
	ROLE_TEXT = 64,
	ROLE_COLOURS = 128,
	ROLE_PICTURE = 256,
	ROLE_FORM = 512,
};

enum Place {
	FIELDS,
	LINKS,
	BOOKMARKS,
	SCRIPTS,
	STRUCTURE,
	INFORMATION,
	OTHERS,
	NAMES,
	COMMENTS,
	HIDDEN,
	VALUES, /* of fields, one a line: a number may be spread over several */
	N_PLACES
};

static const char *const place_names[N_PLACES] = {"fields and notes", "links", "bookmarks",
	"scripts", "structure", "document information", "objects", "names", "comments",
	"not shown", "values of fields"};

static bool is_stream_of(const Object &object, const char *type)
{
	return object.isStream() && object.getStream()->getDict()->is(type);
}

class Walk
{
public:
  Walk(MsPdf *pdfA, const MsExtraction *toA, const MsDocument *documentA, MsInventory *inventoryA)
      : pdf(pdfA), xref(pdfA != nullptr ? pdfA->document->getXRef() : nullptr), to(toA),
	document(documentA), inventory(inventoryA), data((const char *)documentA->data),
	len(documentA->len),
	shift(pdfA != nullptr ? pdfA->document->getBaseStream()->getStart() : 0)
  {
	  for (GString *&text : texts)
		  text = g_string_new(nullptr);
	  learn_encryption();
	}
	~Walk()
	{
		ms_named_free(form);
		for (GString *text : texts)
			g_string_free(text, TRUE);
	}
	Walk(const Walk &) = delete;
	Walk &operator=(const Walk &) = delete;

	void scan();
	void add_referenced();
	void open_object_streams();
	void learn_roles();
	void read_all();
	void hand_over(GString *fields);

private:
	/* finding */
	void learn_encryption();
	gsize token(gsize at);
	gsize comment(gsize at);
	gsize table(gsize at) const;
	gsize object_at(gsize at, gsize body, int number, int generation);
	gsize body_end(gsize at, bool *stream_out);
	Object parse(gsize from, gsize to_, int number, int generation, bool streams, bool plain);
	bool is_current(int number, gsize at) const;
	bool is_current_within(int number, int container) const;
	void add_gap(const std::string &bytes, gsize from, gsize to_);
	void open_object_stream(Found &container, std::vector<Found> &into);

	/* meaning */
	void roles_of(const Object &object, int depth);
	void role(const Object &object, unsigned what);
	void files_of(const Object &spec);
	void packets_of(const Object &xfa);
	void read_forms();
	void strings_of(const Object &object, const char *key, Place place, int depth);
	void page_labels(const Dict *dict);
	void strings_of_dict(const Object &object, Place place, int depth);
	bool values_of(const Object &value, int depth, std::vector<std::string> *out) const;
	void name_values(const std::vector<std::string> &path,
		const std::vector<std::string> &values);
	bool read_field(const Dict *dict);
	bool is_structural(const char *what, const char *name);
	bool add_string(const std::string &bytes, const char *key, Place place);
	void add_name(const char *name, const char *key);
	Place place_of(const Object &dict, Place otherwise) const;

	/* streams */
	void read_stream(Found &one);
	const char *structural_stream(Found &one, unsigned roles);
	std::string beginning(const Object &stream, gsize n) const;
	bool is_locked(const Object &stream) const;
	bool is_open(const Object &stream) const;
	void read_file(Found &one, MsItem item);
	void read_bytes(Found &one, MsItem item, unsigned roles);
	void read_rows(const Object &object);
	void read_shown(Found &one, MsItem item, unsigned role);
	void read_content(Found &one, MsItem item, std::string &bytes);
	Dict *resources_of(const Object &stream, Object &holder);
	Dict *all_resources();

	MsPdf *pdf;
	XRef *xref;
	const MsExtraction *to;
	const MsDocument *document;
	MsInventory *inventory;
	const char *data;
	gsize len;
	Goffset shift;
	const unsigned char *key = nullptr;
	CryptAlgorithm algorithm = cryptRC4;
	int key_length = 0;
	int encryption_number = -1, information_number = -1;
	bool files_locked = false, metadata_open = false, linearised = false;
	bool full = false; /* something was left out that is more than is kept */
	std::string of_streams; /* the crypt filter of streams */
	std::vector<Found> found;
	std::unordered_set<gsize> starts;
	std::unordered_map<int, unsigned> roles;
	std::unordered_map<int, std::string> names; /* of embedded files, UTF-8 */
	std::unordered_map<std::string, bool> asked; /* of the table of structural items */
	std::string last_name;
	std::vector<std::vector<int>> xfas;           /* forms in XML: numbers of their streams */
	std::unordered_map<int, std::string> packets; /* what these say */
	Object merged;
	GString *texts[N_PLACES];
	MsNamedText *form = ms_named_new(); /* values of fields, by their names */
	std::string of_form;                /* the same, as text */
};

/* ---- the bytes of the file ------------------------------------------------------------ */

static bool begins(const char *data, gsize len, gsize at, const char *word)
{
	gsize n = strlen(word);
	return len - at >= n && memcmp(data + at, word, n) == 0;
}

static gsize skip_blank(const char *data, gsize len, gsize at)
{
	while (at < len && ms_pdf_is_blank(data[at]))
		at++;
	return at;
}

static const std::unordered_map<std::string, unsigned> role_keys = {
	{"Contents", ROLE_CONTENT},
	{"CharProcs", ROLE_CONTENT},
	{"AP", ROLE_CONTENT},
	{"N", ROLE_CONTENT},
	{"R", ROLE_CONTENT},
	{"D", ROLE_CONTENT},
	{"FontFile", ROLE_FONT},
	{"FontFile2", ROLE_FONT},
	{"FontFile3", ROLE_FONT},
	{"ToUnicode", ROLE_CHARACTERS},
	{"Encoding", ROLE_CHARACTERS},
	{"UseCMap", ROLE_CHARACTERS},
	{"CIDToGIDMap", ROLE_FONT_TABLE},
	{"CIDSet", ROLE_FONT_TABLE},
	{"Metadata", ROLE_XML},
	{"XFA", ROLE_FORM},
	{"JS", ROLE_TEXT},
	{"V", ROLE_TEXT},
	{"DV", ROLE_TEXT},
	{"RV", ROLE_TEXT},
	{"DestOutputProfile", ROLE_COLOURS},
	{"Thumb", ROLE_PICTURE},
	{"SMask", ROLE_PICTURE},
	{"Mask", ROLE_PICTURE},
};

/* Can an object without a stream say anything, of itself or of others?  Most cannot: places in a
 * tree, widths, states.  Those are not parsed. */
static bool is_telling(const char *bytes, gsize from, gsize to)
{
	static const std::unordered_set<std::string> also = {"EF", "RF", "Linearized", "ICCBased",
		"Indexed", "Separation", "DeviceN", "Resources", "DPM", "St"};
	for (gsize at = from; at < to; at++) {
		if (bytes[at] == '(')
			return true;
		if (bytes[at] == '<') {
			if (at + 1 >= to || bytes[at + 1] != '<')
				return true;
			at++;
		}
		if (bytes[at] != '/')
			continue;
		gsize start = at + 1;
		guint digits = 0;
		while (at + 1 < to && !ms_pdf_is_blank(bytes[at + 1]) &&
			strchr("/<>[](){}%", bytes[at + 1]) == nullptr) {
			at++;
			digits += g_ascii_isdigit(bytes[at]) != 0;
			if (bytes[at] == '#' || bytes[at] == '@' || digits >= 4)
				return true;
		}
		gsize length = at + 1 - start;
		if (length > 17 || (length > 2 && bytes[start] > 'X'))
			continue;
		std::string name(bytes + start, length);
		if (role_keys.count(name) > 0 || also.count(name) > 0)
			return true;
	}
	return false;
}

/* "12 0 obj" at `at`: where its body begins, or 0. */
static gsize match_header(
	const char *data, gsize len, gsize at, int *number_out, int *generation_out)
{
	long values[2];
	for (long &value : values) {
		gsize from = at;
		value = 0;
		while (at < len && g_ascii_isdigit(data[at]) && at - from < 10)
			value = value * 10 + (data[at++] - '0');
		if (at == from || at >= len || !ms_pdf_is_blank(data[at]))
			return 0;
		gsize next = skip_blank(data, len, at);
		if (next - at > 64)
			return 0;
		at = next;
	}
	if (!begins(data, len, at, "obj") || values[0] > G_MAXINT || values[1] > G_MAXINT)
		return 0;
	*number_out = (int)values[0];
	*generation_out = (int)values[1];
	return at + 3;
}

void Walk::learn_encryption()
{
	if (xref == nullptr)
		return;
	const Object *trailer = xref->getTrailerDict();
	if (!trailer->isDict())
		return;
	const Object &information = trailer->dictLookupNF("Info");
	if (information.isRef())
		information_number = information.getRef().num;
	const Object &reference = trailer->dictLookupNF("Encrypt");
	if (reference.isRef())
		encryption_number = reference.getRef().num;
	Object encryption = trailer->dictLookup("Encrypt");
	if (!encryption.isDict())
		return;
	unsigned char *found_key = nullptr;
	if (xref->isEncrypted())
		xref->getEncryptionParameters(&found_key, &algorithm, &key_length);
	key = found_key;
	Object files = encryption.dictLookup("EFF"), streams = encryption.dictLookup("StmF");
	of_streams = streams.isName() ? streams.getName() : "";
	files_locked = files.isName() && strcmp(files.getName(), "Identity") != 0
		&& of_streams != files.getName();
	Object metadata = encryption.dictLookup("EncryptMetadata");
	metadata_open = metadata.isBool() && !metadata.getBool();
}

gsize Walk::comment(gsize at)
{
	gsize end = at;
	bool binary = false;
	while (end < len && data[end] != '\n' && data[end] != '\r') {
		binary |= (data[end] & 0x80) != 0;
		end++;
	}
	gsize from = at + 1;
	if (begins(data, len, at, "%PDF-") || begins(data, len, at, "%FDF-"))
		from = MIN(at + 8, end);
	else if (begins(data, len, at, "%%EOF"))
		from = at + 5;
	/* Most files have a line of high bytes, so that they are not taken for text. */
	if (from < end && !(binary && end - at <= 16) && texts[COMMENTS]->len < MS_PDF_MAX_TEXT) {
		g_string_append_len(texts[COMMENTS], data + from, (gssize)(end - from));
		g_string_append_c(texts[COMMENTS], '\n');
	}
	return end;
}

/* "xref" and its lines of numbers. */
gsize Walk::table(gsize at) const
{
	at += 4;
	while (at < len &&
		(ms_pdf_is_blank(data[at]) || g_ascii_isdigit(data[at]) ||
			((data[at] == 'n' || data[at] == 'f') && at > 0 &&
				ms_pdf_is_blank(data[at - 1]))))
		at++;
	return at;
}

/* The end of what is written between "obj" and "endobj", "stream", or the next object. */
gsize Walk::body_end(gsize at, bool *stream_out)
{
	int number, generation;
	*stream_out = false;
	while (at < len) {
		char c = data[at];
		bool word = at == 0 || ms_pdf_is_blank(data[at - 1]) ||
			strchr("<>[]()/", data[at - 1]) != nullptr;
		if (c == '(') {
			int depth = 1;
			for (at++; at < len && depth > 0; at++) {
				if (data[at] == '\\')
					at++;
				else
					depth += data[at] == '(' ? 1 : data[at] == ')' ? -1 : 0;
			}
			continue;
		}
		if (c == '<' && at + 1 < len && data[at + 1] != '<') {
			const void *close = memchr(data + at, '>', len - at);
			at = close != nullptr ? (gsize)((const char *)close - data) + 1 : len;
			continue;
		}
		if (c == '%') {
			at = comment(at);
			continue;
		}
		if (c == '<')
			at++;
		else if (c == 'e' && begins(data, len, at, "endobj"))
			return at;
		else if (c == 's' && word && begins(data, len, at, "stream")) {
			*stream_out = true;
			return at;
		} else if (word && c == 's' && begins(data, len, at, "startxref"))
			return at;
		else if (word && g_ascii_isdigit(c) &&
			match_header(data, len, at, &number, &generation) > 0)
			return at;
		at++;
	}
	return MIN(at, len);
}

Object Walk::parse(gsize from, gsize end, int number, int generation, bool streams, bool plain)
{
	auto *stream = new MemStream(data, (Goffset)from, (Goffset)(end - from), Object(objNull));
	Parser parser(xref, stream, streams);
	return plain || key == nullptr
		? parser.getObj(false, nullptr, cryptRC4, 0, number, generation, 0)
		: parser.getObj(false, key, algorithm, key_length, number, generation, 0);
}

bool Walk::is_current(int number, gsize at) const
{
	if (xref == nullptr || number < 0 || number >= xref->getNumObjects())
		return xref == nullptr;
	const XRefEntry *entry = xref->getEntry(number, false);
	return entry->type == xrefEntryUncompressed && entry->offset + shift == (Goffset)at;
}

bool Walk::is_current_within(int number, int container) const
{
	if (xref == nullptr || number < 0 || number >= xref->getNumObjects())
		return xref == nullptr;
	const XRefEntry *entry = xref->getEntry(number, false);
	return entry->type == xrefEntryCompressed && entry->offset == container;
}

/* Its crypt filter, or "". */
static std::string crypt_filter(const Object &stream)
{
	Object filters = stream.streamGetDict()->lookup("Filter");
	Object settings = stream.streamGetDict()->lookup("DecodeParms");
	int n = filters.isArray() ? filters.arrayGetLength() : 1;
	for (int i = 0; i < n; i++) {
		Object filter = filters.isArray() ? filters.arrayGet(i) : filters.copy();
		if (!filter.isName("Crypt"))
			continue;
		Object setting = settings.isArray() ? settings.arrayGet(i) : settings.copy();
		Object name = setting.isDict() ? setting.dictLookup("Name") : Object(objNull);
		return name.isName() ? name.getName() : "Identity";
	}
	return "";
}

/* Is it what no key is for: never, or as the file says?  Metadata may name the filter that does
 * nothing, too, which Poppler follows. */
bool Walk::is_open(const Object &stream) const
{
	return is_stream_of(stream, "XRef") ||
		(metadata_open && is_stream_of(stream, "Metadata") &&
			crypt_filter(stream).empty());
}

/* Parses the object whose body begins at `body`; the end of its bytes. */
gsize Walk::object_at(gsize at, gsize body, int number, int generation)
{
	bool has_stream;
	gsize end = body_end(body, &has_stream);
	starts.insert(at);
	bool plain = number >= 0 && number == encryption_number;
	/* A dictionary that does not end where its stream begins would be read to the end of the
	 * file, once for each. */
	gsize last = end;
	while (last > body && ms_pdf_is_blank(data[last - 1]))
		last--;
	bool sound = has_stream && last - body >= 2 && data[last - 1] == '>';
	if (!has_stream && number >= 0 && number != information_number &&
		!is_telling(data, body, end))
		return begins(data, len, end, "endobj") ? end + 6 : end;
	Object object = parse(body, sound ? len : end, number, generation, sound, plain);
	if (sound) {
		if (key != nullptr && is_open(object))
			object = parse(body, len, number, generation, true, true);
		if (!object.isStream()) {
			object = parse(body, end, number, generation, false, plain);
			ms_inventory_unread(inventory, MS_ITEM_WHOLE, MS_UNREAD_DAMAGED,
				"a stream that cannot be found");
		} else {
			BaseStream *base = object.getStream()->getBaseStream();
			gsize after = (gsize)(base->getStart() + base->getLength());
			end = skip_blank(data, len, CLAMP(after, end, len));
			if (begins(data, len, end, "endstream"))
				end = skip_blank(data, len, end + 9);
			else
				end = CLAMP(after, body, len);
		}
	}
	if (begins(data, len, end, "endobj"))
		end += 6;
	if (number < 0 && end == body)
		return end;
	found.push_back(
		{number, generation, std::move(object), number < 0 || is_current(number, at)});
	return end;
}

/* The end of what begins at `at`, or `at` if nothing of a PDF begins there. */
gsize Walk::token(gsize at)
{
	int number, generation;
	if (data[at] == '%')
		return comment(at);
	if (g_ascii_isdigit(data[at])) {
		gsize body = match_header(data, len, at, &number, &generation);
		return body > 0 ? object_at(at, body, number, generation) : at;
	}
	if (begins(data, len, at, "xref"))
		return table(at);
	if (begins(data, len, at, "trailer"))
		return object_at(at, at + 7, -1, 0);
	if (begins(data, len, at, "startxref")) {
		gsize end = skip_blank(data, len, at + 9);
		while (end < len && g_ascii_isdigit(data[end]))
			end++;
		return end;
	}
	if (begins(data, len, at, "endobj"))
		return at + 6;
	return begins(data, len, at, "endstream") ? at + 9 : at;
}

void Walk::scan()
{
	gsize clean = 0;
	for (gsize at = skip_blank(data, len, 0); at < len && ms_budget_time(to->budget);
		at = skip_blank(data, len, at)) {
		gsize end = token(at);
		bool together = skip_blank(data, len, clean) == at;
		if (end > at) {
			ms_inventory_bytes(
				inventory, MS_ITEM_STRUCTURAL, together ? clean : at, end);
			clean = at = end;
			continue;
		}
		while (at < len && !ms_pdf_is_blank(data[at]))
			at++;
	}
	if (skip_blank(data, len, clean) == len)
		ms_inventory_bytes(inventory, MS_ITEM_STRUCTURAL, clean, len);
}

/* What the table of objects points to, and the bytes in their order did not show: objects within
 * streams and strings of others. */
void Walk::add_referenced()
{
	for (int i = 0; xref != nullptr && i < xref->getNumObjects(); i++) {
		const XRefEntry *entry = xref->getEntry(i, false);
		if (entry->type != xrefEntryUncompressed || entry->offset <= 0
			|| entry->offset + shift >= (Goffset)len)
			continue;
		gsize at = skip_blank(data, len, (gsize)(entry->offset + shift));
		int number, generation;
		if (at >= len || starts.count(at) > 0 || !ms_budget_time(to->budget))
			continue;
		gsize body = match_header(data, len, at, &number, &generation);
		gsize before = found.size();
		if (body > 0)
			object_at(at, body, number, generation);
		if (found.size() > before)
			found.back().current = true;
	}
}

/* Bytes of an object stream that are of none of its objects. */
void Walk::add_gap(const std::string &bytes, gsize from, gsize to_)
{
	from = skip_blank(bytes.data(), bytes.size(), from);
	if (from < to_ && to_ <= bytes.size() && texts[COMMENTS]->len < MS_PDF_MAX_TEXT)
		ms_strings(texts[COMMENTS], (const guint8 *)bytes.data() + from, to_ - from);
}

void Walk::open_object_stream(Found &container, std::vector<Found> &into)
{
	std::string bytes;
	Object count = container.object.getStream()->getDict()->lookup("N");
	Object first = container.object.getStream()->getDict()->lookup("First");
	g_autofree char *name = g_strdup_printf("object stream %d", container.number);
	MsItem item = ms_inventory_item(inventory, name);
	bool whole = ms_pdf_decode(pdf, container.object, to->budget, bytes, texts[COMMENTS]);
	if (!whole || !count.isInt() || !first.isInt() || first.getInt() < 0
		|| (gsize)first.getInt() > bytes.size()) {
		ms_inventory_unread(
			inventory, item, MS_UNREAD_DAMAGED, "objects that cannot be decoded");
		return;
	}
	ms_inventory_read(inventory, item);
	gsize header = (gsize)first.getInt(), at = 0;
	GString *said = texts[COMMENTS];
	std::vector<std::pair<int, gsize>> places;
	for (int i = 0; i < count.getInt() && at < header; i++) {
		long values[2] = {-1, -1};
		for (long &value : values) {
			at = skip_blank(bytes.data(), header, at);
			for (gsize n = 0; at < header && g_ascii_isdigit(bytes[at]) && n < 10; n++)
				value = (value < 0 ? 0 : value) * 10 + (bytes[at++] - '0');
		}
		if (values[0] < 0 || values[1] < 0 || values[0] > G_MAXINT)
			break;
		if (header + (gsize)values[1] < bytes.size())
			places.emplace_back((int)values[0], header + (gsize)values[1]);
	}
	add_gap(bytes, at, header);
	if (!places.empty())
		add_gap(bytes, header, places[0].second);
	for (gsize i = 0; i < places.size(); i++) {
		const auto &[number, offset] = places[i];
		gsize next = i + 1 < places.size() && places[i + 1].second > offset
			? places[i + 1].second
			: bytes.size();
		if (!ms_budget_time(to->budget))
			return;
		add_gap(bytes, ms_pdf_value_end(bytes.data(), offset, next, said), next);
		if (number != information_number &&
			!is_telling(bytes.data(), offset, next))
			continue;
		auto *stream = new MemStream(bytes.data(), (Goffset)offset,
			(Goffset)(bytes.size() - offset), Object(objNull));
		Parser parser(xref, stream, false);
		into.push_back(
			{number, 0, parser.getObj(0), is_current_within(number, container.number)});
	}
}

void Walk::open_object_streams()
{
	std::vector<Found> inner;
	for (Found &one : found)
		if (is_stream_of(one.object, "ObjStm"))
			open_object_stream(one, inner);
	for (Found &one : inner)
		found.push_back(std::move(one));
}

/* ---- what objects are to one another -------------------------------------------------- */

/* A reference, or those in an array or dictionary. */
void Walk::role(const Object &object, unsigned what)
{
	if (object.isRef())
		roles[object.getRef().num] |= what;
	else if (object.isArray())
		for (int i = 0; i < object.arrayGetLength(); i++)
			if (object.arrayGetNF(i).isRef())
				roles[object.arrayGetNF(i).getRef().num] |= what;
	if (object.isDict())
		for (int i = 0; i < object.dictGetLength(); i++)
			if (object.dictGetValNF(i).isRef())
				roles[object.dictGetValNF(i).getRef().num] |= what;
}

static std::string bytes_of(const Object &string)
{
	return std::string(string.getString()->c_str(), (gsize)string.getString()->getLength());
}

/* A file specification: its name, for each stream that it names. */
void Walk::files_of(const Object &spec)
{
	std::string name;
	for (const char *which : {"UF", "F", "Unix", "DOS", "Mac", "Desc"}) {
		const Object &value = spec.dictLookupNF(which);
		if (name.empty() && value.isString())
			name = ms_pdf_to_utf8(bytes_of(value));
	}
	for (const char *which : {"EF", "RF"}) {
		Object files = spec.dictLookup(which);
		for (int i = 0; files.isDict() && i < files.dictGetLength(); i++) {
			const Object &file = files.dictGetValNF(i);
			role(file, ROLE_FILE);
			Object list = files.dictGetVal(i);
			role(list, ROLE_FILE);
			if (file.isRef() && !name.empty())
				names.emplace(file.getRef().num, name);
		}
	}
}

/* The streams that make a form in XML together: a part of it need not end what it begins. */
void Walk::packets_of(const Object &xfa)
{
	std::vector<int> numbers;
	Object list = xfa.isRef() && xref != nullptr ? xfa.fetch(xref) : xfa.copy();
	if (xfa.isRef() && list.isStream())
		numbers.push_back(xfa.getRef().num);
	for (int i = 0; list.isArray() && i < list.arrayGetLength(); i++)
		if (list.arrayGetNF(i).isRef())
			numbers.push_back(list.arrayGetNF(i).getRef().num);
	xfas.push_back(std::move(numbers));
}

void Walk::roles_of(const Object &object, int depth)
{
	if (depth > MAX_NESTING)
		return;
	if (object.isArray()) {
		if (object.arrayGetLength() > 1 && object.arrayGetNF(0).isName()) {
			const char *family = object.arrayGetNF(0).getName();
			if (strcmp(family, "ICCBased") == 0 || strcmp(family, "Indexed") == 0 ||
				strcmp(family, "Separation") == 0 || strcmp(family, "DeviceN") == 0)
				role(object, ROLE_COLOURS);
		}
		for (int i = 0; i < object.arrayGetLength(); i++)
			roles_of(object.arrayGetNF(i), depth + 1);
		return;
	}
	const Dict *dict = object.isDict() ? object.getDict()
		: object.isStream()	   ? object.getStream()->getDict() : nullptr;
	if (dict == nullptr)
		return;
	for (int i = 0; i < dict->getLength(); i++) {
		const Object &value = dict->getValNF(i);
		bool composed = value.isRef() || value.isArray() || value.isDict();
		auto row = composed ? role_keys.find(dict->getKey(i)) : role_keys.end();
		if (row != role_keys.end()) {
			role(value, row->second);
			if (value.isRef() && (row->second & (ROLE_CONTENT | ROLE_XML | ROLE_FORM)))
				role(dict->getVal(i), row->second);
			if (row->second == ROLE_FORM)
				packets_of(value);
		}
		if (composed && !value.isRef())
			roles_of(value, depth + 1);
	}
	if (object.isDict() && (dict->hasKey("EF") || dict->hasKey("RF")))
		files_of(object);
}

void Walk::learn_roles()
{
	for (const Found &one : found) {
		if (!ms_budget_time(to->budget))
			return;
		roles_of(one.object, 0);
		linearised |= one.object.isDict() && one.object.getDict()->hasKey("Linearized");
	}
}

/* ---- strings -------------------------------------------------------------------------- */

static bool is_date(const std::string &bytes)
{
	gsize digits = 0, i = bytes.compare(0, 2, "D:") == 0 ? 2 : 0;
	if (i == 0)
		return false;
	for (; i < bytes.size(); i++) {
		digits += g_ascii_isdigit(bytes[i]) != 0;
		if (!g_ascii_isdigit(bytes[i]) && strchr("+-'Z ", bytes[i]) == nullptr)
			return false;
	}
	return digits >= 4 && digits <= 18;
}

bool Walk::is_structural(const char *what, const char *name)
{
	std::string item = std::string(what) + name;
	auto known = asked.find(item);
	if (known == asked.end())
		known = asked.emplace(item, ms_structural("pdf", item.c_str()) != nullptr).first;
	return known->second;
}

bool Walk::add_string(const std::string &bytes, const char *name, Place place)
{
	if (bytes.empty() || is_structural("/", is_date(bytes) ? "(date)" : name))
		return false;
	if (texts[place]->len >= MS_PDF_MAX_TEXT) {
		full = true;
		return false;
	}
	std::string text = ms_pdf_to_utf8(bytes);
	if (place == INFORMATION) /* its key says what it is */
		g_string_append_printf(texts[place], "%s: ", name);
	g_string_append_len(texts[place], text.data(), (gssize)text.size());
	g_string_append_c(texts[place], '\n');
	return true;
}

void Walk::add_name(const char *name, const char *of)
{
	gsize n = strlen(name);
	bool font = strcmp(of, "BaseFont") == 0 || strcmp(of, "FontName") == 0;
	if (font && n > 7 && name[6] == '+') { /* the mark of a subset, made at random */
		name += 7;
		n -= 7;
	}
	if (!ms_pdf_is_telling_name(name, n) || is_structural("/", of) ||
		last_name == name) /* most come many times */
		return;
	if (texts[NAMES]->len >= MS_PDF_MAX_TEXT) {
		full = true;
		return;
	}
	last_name = name;
	g_string_append(texts[NAMES], name);
	g_string_append_c(texts[NAMES], '\n');
}

Place Walk::place_of(const Object &dict, Place otherwise) const
{
	const Dict *d = dict.getDict();
	if (d->hasKey("FT") || d->hasKey("Rect") || d->hasKey("Fields") || d->hasKey("Opt"))
		return FIELDS;
	if (d->hasKey("Title") && (d->hasKey("Parent") || d->hasKey("Dest") || d->hasKey("A")))
		return BOOKMARKS;
	if (d->is("StructElem"))
		return STRUCTURE;
	return otherwise;
}

/* A page's label is counted, not written: "KD-" from 7740912 on (ISO 32000-1, 12.4.2).  How far
 * a range of labels goes is said by the next one; too far does no harm. */
void Walk::page_labels(const Dict *dict)
{
	Object style = dict->lookup("S"), prefix = dict->lookup("P"), start = dict->lookup("St");
	if (!style.isName("D") || dict->getLength() > 4 || (!prefix.isString() && !start.isInt()))
		return;
	std::string before = prefix.isString() ? ms_pdf_to_utf8(bytes_of(prefix)) : "";
	gint64 first = start.isInt() ? start.getInt() : 1;
	int all = pdf != nullptr ? ms_pdf_pages(pdf) : 1, pages = CLAMP(all, 1, MAX_LABELS), i = 0;
	if (before.size() + std::to_string(first).size() < TELLING_LABEL)
		return;
	for (; i < pages && texts[BOOKMARKS]->len < MS_PDF_MAX_TEXT; i++)
		g_string_append_printf(texts[BOOKMARKS], "%s%" G_GINT64_FORMAT "\n",
			before.c_str(), first + i);
	full |= i < pages || all > pages;
}

/* ---- fields --------------------------------------------------------------------------- */

/* Notes have an author under the key of a field's name. */
static bool is_field(const Dict *dict)
{
	Object subtype = dict->lookup("Subtype");
	return subtype.isNull() || subtype.isName("Widget");
}

static const char *const field_keys[] = {"TU", "TM", "T", "V", "DV", "Opt"};

static bool is_of_field(const char *name)
{
	for (const char *key : field_keys)
		if (strcmp(name, key) == 0)
			return true;
	return false;
}

/* False: there are more than are taken. */
bool Walk::values_of(const Object &value, int depth, std::vector<std::string> *out) const
{
	std::string bytes;
	bool all = true;
	if (value.isNull())
		return true;
	if (depth > MAX_PARENTS || out->size() >= MAX_VALUES)
		return false;
	if (value.isString())
		out->push_back(ms_pdf_to_utf8(bytes_of(value)));
	else if (value.isName())
		out->push_back(value.getName());
	else if (value.isIntOrInt64())
		out->push_back(std::to_string(value.getIntOrInt64()));
	else if (value.isReal() && value.getNum() == (double)(gint64)value.getNum())
		out->push_back(std::to_string((gint64)value.getNum()));
	else if (value.isStream() && ms_pdf_decode(pdf, value, to->budget, bytes, nullptr))
		out->push_back(ms_pdf_to_utf8(bytes));
	for (int i = 0; value.isArray() && all && i < value.arrayGetLength(); i++)
		all = values_of(value.arrayGet(i), depth + 1, out);
	return all;
}

/* "CustomerNo_1", "CustomerNo[0]": one of several. */
static std::string without_number(const std::string &name)
{
	gsize n = name.size();
	if (n > 0 && name[n - 1] == ']' && name.rfind('[') != std::string::npos)
		n = name.rfind('[');
	while (n > 0 && g_ascii_isdigit(name[n - 1]))
		n--;
	while (n > 0 && n < name.size() && (name[n - 1] == '_' || name[n - 1] == '-'))
		n--;
	return n > 0 ? name.substr(0, n) : name;
}

/* Its name's parts, the outermost first; one may have several, as "form1[0].#page[0].customer". */
static std::vector<std::string> path_of(const Dict *dict)
{
	std::vector<std::string> path;
	Object name = dict->lookup("T"), parent = dict->lookup("Parent");
	for (int i = 0; i < MAX_PARENTS; i++) {
		std::string text = name.isString() ? ms_pdf_to_utf8(bytes_of(name)) : "";
		for (gsize end = text.size(), dot; end > 0; end = dot) {
			dot = text.rfind('.', end - 1);
			bool parts = dot != std::string::npos && dot + 1 < end &&
				(g_ascii_isalpha(text[dot + 1]) || text[dot + 1] == '#');
			if (!parts)
				dot = 0;
			std::string part = text.substr(dot + parts, end - dot - parts);
			if (part[0] != '#')
				path.insert(path.begin(), without_number(part));
		}
		if (!parent.isDict())
			break;
		name = parent.dictLookup("T");
		parent = parent.dictLookup("Parent");
	}
	return path;
}

void Walk::name_values(
	const std::vector<std::string> &path, const std::vector<std::string> &values)
{
	ms_named_open(form, nullptr);
	for (const std::string &name : path)
		ms_named_open(form, name.c_str());
	for (const std::string &value : values)
		ms_named_value(form, nullptr, value.data(), value.size());
	for (gsize i = 0; i <= path.size(); i++)
		ms_named_close(form);
}

/* Of a text with tags (RV), what it says. */
static std::string without_tags(const std::string &text)
{
	std::string out;
	for (gsize at = 0; at < text.size(); at++) {
		gsize end = text[at] == '<' ? text.find('>', at) : std::string::npos;
		if (end == std::string::npos) {
			out += text[at];
			continue;
		}
		std::string tag = text.substr(at + 1, 2);
		if (tag == "p>" || tag == "p " || tag == "/p" || tag == "br")
			out += '\n';
		at = end;
	}
	return out;
}

/* What a program calls it, what it shows to who points at it, and what is typed.  False: that is
 * not all that its keys say. */
bool Walk::read_field(const Dict *dict)
{
	std::vector<std::string> values, labels;
	bool all_of_it = true;
	for (const char *name : {"V", "DV", "Opt"})
		all_of_it = values_of(dict->lookup(name), 0, &values) && all_of_it;
	gsize plain = values.size();
	values_of(dict->lookup("RV"), 0, &values); /* is read as any text, too */
	for (gsize i = plain; i < values.size(); i++)
		values[i] = without_tags(values[i]);
	for (const char *name : {"TU", "TM", "T"})
		all_of_it = values_of(dict->lookup(name), 0, &labels) && all_of_it;
	if (values.empty() && labels.empty())
		return all_of_it;
	if (of_form.size() > MS_PDF_MAX_TEXT)
		return false;
	name_values(path_of(dict), values);
	for (const std::string &label : labels)
		name_values({label}, values);
	std::string all;
	for (const auto *list : {&labels, &values})
		for (const std::string &text : *list)
			all += text + "\n";
	name_values({"text"}, {all});
	of_form += all;
	if (dict->lookup("V").isString())
		add_string(bytes_of(dict->lookup("V")), "V", VALUES);
	return all_of_it;
}

void Walk::strings_of_dict(const Object &object, Place place, int depth)
{
	const Dict *dict = object.getDict();
	page_labels(dict);
	place = place_of(object, place);
	bool sealed = dict->hasKey("ByteRange"), field = place == FIELDS && is_field(dict);
	bool done = field && read_field(dict);
	for (int i = 0; i < dict->getLength(); i++) {
		const char *name = dict->getKey(i);
		const Object &value = dict->getValNF(i);
		add_name(name, "");
		if (strcmp(name, "Encrypt") == 0 && dict->hasKey("Root"))
			continue;
		if (done && is_of_field(name) && !value.isDict())
			continue;
		if (value.isString() && sealed && strcmp(name, "Contents") == 0)
			name = "(signature)";
		else if (strcmp(name, "ID") == 0 && (dict->hasKey("Root") || dict->hasKey("Size")))
			name = "ID[]";
		bool described = strcmp(name, "Info") == 0 || strcmp(name, "DPM") == 0 ||
			strcmp(name, "CI") == 0;
		Place at = described ? INFORMATION
			: strcmp(name, "URI") == 0                                    ? LINKS
			: strcmp(name, "JS") == 0                                     ? SCRIPTS
			: strcmp(name, "ActualText") == 0 || strcmp(name, "Alt") == 0 ? STRUCTURE
										      : place;
		strings_of(value, name, at, depth + 1);
	}
}

void Walk::strings_of(const Object &object, const char *name, Place place, int depth)
{
	if (depth > MAX_NESTING) {
		full = true;
		return;
	}
	if (object.isString()) {
		add_string(bytes_of(object), name, place);
	} else if (object.isName()) {
		add_name(object.getName(), name);
	} else if (place == INFORMATION && object.isIntOrInt64()) {
		/* Elsewhere numbers are for the machine. */
		if (!is_structural("/", name))
			g_string_append_printf(texts[place], "%s: %lld\n", name,
				(long long)object.getIntOrInt64());
	} else if (object.isDict()) {
		strings_of_dict(object, place, depth);
	} else if (object.isArray()) {
		bool colours = object.arrayGetLength() == 4 &&
			object.arrayGetNF(0).isName("Indexed");
		for (int i = 0; i < object.arrayGetLength(); i++)
			strings_of(object.arrayGetNF(i), colours ? "(indexed)" : name, place,
				depth + 1);
	} else if (object.isStream()) {
		strings_of_dict(*object.getStream()->getDictObject(), place, depth);
	}
}

/* ---- streams -------------------------------------------------------------------------- */

static bool has(const Object &stream, const char *name)
{
	return stream.getStream()->getDict()->hasKey(name);
}

/* Its first bytes, undone of their filters. */
std::string Walk::beginning(const Object &object, gsize n) const
{
	std::string out;
	Stream *stream = object.getStream();
	(void)stream->reset();
	for (int c; out.size() < n && (c = stream->getChar()) != EOF;)
		out += (char)c;
	stream->close();
	return out;
}

static bool is_font(const std::string &head)
{
	static const char *const marks[] = {
		"OTTO", "true", "ttcf", "%!PS-AdobeFont", "%!FontType", "%!"};
	for (const char *mark : marks)
		if (head.compare(0, strlen(mark), mark) == 0)
			return true;
	return head.size() >= 4 && (memcmp(head.data(), "\0\1\0\0", 4) == 0 /* TrueType */
			|| (head[0] == 1 && head[1] == 0 && head[2] >= 4 && head[2] < 16 /* CFF */)
			|| head[0] == '\x80');
}

/* What stands behind the rows of a cross-reference stream. */
void Walk::read_rows(const Object &object)
{
	const Dict *dict = object.getStream()->getDict();
	Object widths = dict->lookup("W"), index = dict->lookup("Index"),
	       size = dict->lookup("Size");
	gint64 width = 0, rows = size.isInt() ? size.getInt() : 0;
	for (int i = 0; widths.isArray() && i < widths.arrayGetLength(); i++)
		width += widths.arrayGet(i).isInt() ? CLAMP(widths.arrayGet(i).getInt(), 0, 8) : 0;
	for (int i = 1; index.isArray() && i < index.arrayGetLength(); i += 2)
		rows = (i == 1 ? 0 : rows) +
			(index.arrayGet(i).isInt() ? MAX(index.arrayGet(i).getInt(), 0) : 0);
	std::string bytes;
	ms_pdf_decode(pdf, object, to->budget, bytes, texts[COMMENTS]);
	if ((gint64)bytes.size() > width * rows)
		add_gap(bytes, (gsize)(width * rows), bytes.size());
}

/* What kind of stream it is, for the table of structural items; NULL if it is to be read. */
const char *Walk::structural_stream(Found &one, unsigned role)
{
	const Object &object = one.object;
	if (is_stream_of(object, "XRef")) {
		read_rows(object);
		return "(xref)";
	}
	Object subtype = object.streamGetDict()->lookup("Subtype");
	if (subtype.isName("Image") || ((role & ROLE_PICTURE) && has(object, "Width")))
		return "(image)";
	if (has(object, "FunctionType"))
		return "(function)";
	if (has(object, "ShadingType"))
		return "(shading)";
	if (has(object, "HalftoneType"))
		return "(halftone)";
	if (linearised && role == 0 && has(object, "S") && !has(object, "Type") &&
		!has(object, "Subtype") && object.streamGetDict()->lookup("S").isInt())
		return "(hints)";
	bool font = (role & ROLE_FONT) || has(object, "Length1") || subtype.isName("Type1C")
		|| subtype.isName("CIDFontType0C") || subtype.isName("OpenType");
	if (font && is_font(beginning(object, 16)))
		return "/FontFile";
	if (role & ROLE_FONT_TABLE)
		return "/CIDSet";
	if (role & ROLE_COLOURS) {
		if (!has(object, "N"))
			return "(indexed)";
		std::string head = beginning(object, 40);
		return head.size() == 40 && head.compare(36, 4, "acsp") == 0 ? "/DestOutputProfile"
									     : nullptr;
	}
	if ((role & ROLE_CHARACTERS) &&
		beginning(object, 4096).find("begincmap") != std::string::npos)
		return "/ToUnicode";
	return nullptr;
}

/* Has it a crypt filter of its own, other than that of all streams? */
bool Walk::is_locked(const Object &stream) const
{
	std::string filter = crypt_filter(stream);
	return !filter.empty() && filter != "Identity" && filter != of_streams;
}

void Walk::read_file(Found &one, MsItem item)
{
	std::string bytes;
	auto known = names.find(one.number);
	const char *name = known != names.end() ? known->second.c_str() : "attachment";
	if (files_locked || is_locked(one.object)) {
		ms_inventory_unread(
			inventory, item, MS_UNREAD_ENCRYPTED, "an attachment, encrypted by itself");
		return;
	}
	bool whole = ms_pdf_decode(pdf, one.object, to->budget, bytes, texts[COMMENTS]);
	if (!whole)
		ms_inventory_unread(inventory, item,
			bytes.size() > MS_PDF_MAX_STREAM ? MS_UNREAD_LIMIT : MS_UNREAD_DAMAGED,
			"an attachment larger than %d MiB, or damaged", MS_PDF_MAX_STREAM >> 20);
	else
		ms_inventory_read(inventory, item);
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	ms_extract_within(
		to, document->where, valid, nullptr, (const guint8 *)bytes.data(), bytes.size());
}

static bool contains(const std::string &bytes, const char *word)
{
	return bytes.find(word) != std::string::npos;
}

/* Can it show text at all?  Saves the interpretation of frames and check marks. */
static bool may_show(const std::string &bytes)
{
	return contains(bytes, "Tj") || contains(bytes, "TJ") || contains(bytes, "Do")
		|| (contains(bytes, "BT") && (contains(bytes, "'") || contains(bytes, "\"")));
}

Dict *Walk::all_resources()
{
	if (merged.isDict())
		return merged.getDict();
	auto *fonts = new Dict(xref), *forms = new Dict(xref), *all = new Dict(xref);
	for (const Found &one : found) {
		Object resources = one.object.isDict() ? one.object.dictLookup("Resources")
						       : Object(objNull);
		for (const char *kind : {"Font", "XObject"}) {
			Dict *into = *kind == 'F' ? fonts : forms;
			Object list = resources.isDict() ? resources.dictLookup(kind)
							 : Object(objNull);
			for (int i = 0; list.isDict() && i < list.dictGetLength() &&
				into->getLength() < 1000;
				i++)
				if (!into->hasKey(list.dictGetKey(i)))
					into->add(list.dictGetKey(i), list.dictGetValNF(i).copy());
		}
	}
	all->add("Font", Object(fonts));
	all->add("XObject", Object(forms));
	merged = Object(all);
	return merged.getDict();
}

/* Its own, or those of all pages: what belongs to no page does not say which it wants. */
Dict *Walk::resources_of(const Object &stream, Object &holder)
{
	holder = stream.streamGetDict()->lookup("Resources");
	return holder.isDict() ? holder.getDict() : all_resources();
}

void Walk::read_content(Found &one, MsItem item, std::string &bytes)
{
	ms_inventory_read(inventory, item);
	if (pdf == nullptr || !may_show(bytes)) {
		ms_pdf_leftovers(bytes.data(), bytes.size(), false, texts[HIDDEN]);
		return;
	}
	Object holder;
	Dict *resources = resources_of(one.object, holder);
	MsPdfPage page;
	ms_pdf_content(pdf, bytes, resources, texts[HIDDEN], &page);
	if (page.raw->len > 0 && texts[HIDDEN]->len < MS_PDF_MAX_TEXT)
		g_string_append_printf(texts[HIDDEN], "%s\n\n", page.raw->str);
	if (page.broken != nullptr || page.raw->len == 0) /* as they stand, without their fonts */
		ms_pdf_leftovers(bytes.data(), bytes.size(), false, texts[HIDDEN]);
	if (page.runs >= MAX_UNCERTAIN)
		ms_inventory_unread(inventory, item, MS_UNREAD_CHARSET,
			"its fonts do not say which characters they draw");
	if (page.broken != nullptr && strcmp(page.broken, "text without a font") != 0)
		ms_inventory_unread(inventory, item, MS_UNREAD_DAMAGED, "%s", page.broken);
	ms_pdf_page_clear(&page);
}

/* What a stream is, its bytes say when nothing that refers to it does. */
void Walk::read_bytes(Found &one, MsItem item, unsigned role)
{
	std::string bytes;
	Object subtype = one.object.streamGetDict()->lookup("Subtype");
	bool whole = ms_pdf_decode(pdf, one.object, to->budget, bytes, texts[COMMENTS]);
	if (!whole) {
		bool large = bytes.size() > MS_PDF_MAX_STREAM;
		ms_inventory_unread(inventory, item, large ? MS_UNREAD_LIMIT : MS_UNREAD_DAMAGED,
			"%s",
			large                                 ? "a stream of more than 64 MiB"
				: ms_pdf_trouble() != nullptr ? ms_pdf_trouble()
							      : "a stream that cannot be decoded");
	}
	if (!ms_budget_charge(to->budget, MS_COST_DECODED, bytes.size())) {
		ms_inventory_unread(inventory, item, MS_UNREAD_LIMIT, "more than %s allows",
			ms_cost_name(MS_COST_DECODED));
		return;
	}
	const guint8 *at = (const guint8 *)bytes.data();
	if (skip_blank(bytes.data(), bytes.size(), 0) == bytes.size()) {
		ms_inventory_read(inventory, item);
	} else if (subtype.isName("Form") || has(one.object, "PatternType") ||
		(role & ROLE_CONTENT)) {
		read_content(one, item, bytes);
	} else if ((role & ROLE_FORM) && packets.count(one.number) == 0) {
		packets.emplace(one.number, std::move(bytes));
		ms_inventory_read(inventory, item);
	} else if ((role & (ROLE_XML | ROLE_FORM)) || subtype.isName("XML")) {
		g_autofree char *where = g_strconcat(document->where, " (metadata)", nullptr);
		MsDocument inner = {};
		inner.where = where;
		inner.type = "application/xml";
		inner.data = at;
		inner.len = bytes.size();
		ms_inventory_read(inventory, item);
		ms_read_with(ms_xml_document_read, to, &inner);
	} else if (role & ROLE_TEXT) {
		std::string text = ms_pdf_to_utf8(bytes);
		bool room = texts[SCRIPTS]->len < MS_PDF_MAX_TEXT;
		g_string_append_len(texts[SCRIPTS], text.data(), room ? (gssize)text.size() : 0);
		g_string_append_c(texts[SCRIPTS], '\n');
		full |= !room;
		ms_inventory_read(inventory, item);
	} else if (contains(bytes, "BT") && may_show(bytes) && ms_is_text(at, bytes.size())) {
		read_content(one, item, bytes);
	} else {
		g_autofree char *name = g_strdup_printf("stream %d", one.number);
		ms_inventory_read(inventory, item);
		ms_extract_within(to, document->where, name, nullptr, at, bytes.size());
	}
}

/* What a page has shown; a form may have more in it than that.  The content of a page was looked
 * at with it. */
void Walk::read_shown(Found &one, MsItem item, unsigned role)
{
	ms_inventory_read(inventory, item);
	std::string bytes;
	if (role & ROLE_CONTENT)
		return;
	ms_pdf_decode(pdf, one.object, to->budget, bytes, texts[COMMENTS]);
	const MsPdfCensus census =
		ms_pdf_leftovers(bytes.data(), bytes.size(), true, texts[HIDDEN]);
	/* With an operator at which Poppler has ended, it was not. */
	if (!census.unmatched.empty())
		read_content(one, item, bytes);
}

void Walk::read_stream(Found &one)
{
	auto known = roles.find(one.number);
	unsigned role = known != roles.end() ? known->second : 0;
	const char *kind = structural_stream(one, role);
	if (kind != nullptr && ms_inventory_item(inventory, kind) == MS_ITEM_STRUCTURAL)
		return;
	if (is_stream_of(one.object, "ObjStm"))
		return; /* opened */
	g_autofree char *name = g_strdup_printf("object %d", one.number);
	MsItem item = ms_inventory_item(inventory, name);
	if ((role & ROLE_FILE) || is_stream_of(one.object, "EmbeddedFile"))
		read_file(one, item);
	else if (one.current && pdf != nullptr && pdf->shown.count(one.number) > 0)
		read_shown(one, item, role);
	else
		read_bytes(one, item, role);
}

void Walk::read_forms()
{
	g_autofree char *where = g_strconcat(document->where, " (form)", nullptr);
	for (const auto &[number, bytes] : packets) /* of none, after all */
		xfas.push_back({number});
	for (const std::vector<int> &numbers : xfas) {
		std::string all;
		for (int number : numbers)
			all += packets[number];
		if (all.empty())
			continue;
		for (int number : numbers)
			packets[number].clear();
		MsDocument inner = {};
		inner.where = where;
		inner.type = "application/xml";
		inner.data = (const guint8 *)all.data();
		inner.len = all.size();
		ms_read_with(ms_xml_document_read, to, &inner);
		ms_xfa_read(to, &inner);
	}
}

void Walk::read_all()
{
	MsItem objects = ms_inventory_item(inventory, "objects");
	for (Found &one : found) {
		if (!ms_budget_time(to->budget)) {
			ms_reading_unread(to->reading, document->where, MS_UNREAD_TIME,
				"the time for reading is over");
			return;
		}
		if (one.number >= 0 && one.number == encryption_number)
			continue;
		Place place = one.number >= 0 && one.number == information_number ? INFORMATION
										  : OTHERS;
		strings_of(one.object, one.number < 0 ? "trailer" : "object", place, 0);
		if (one.object.isStream())
			read_stream(one);
	}
	read_forms();
	ms_inventory_read(inventory, objects);
}

void Walk::hand_over(GString *fields)
{
	/* What is added elsewhere ends where a text is so long. */
	for (Place place : {HIDDEN, COMMENTS})
		full |= texts[place]->len >= MS_PDF_MAX_TEXT;
	if (full)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_LIMIT,
			"more text in its objects than is kept (%u bytes of a kind)",
			MS_PDF_MAX_TEXT);
	for (int i = 0; i < N_PLACES; i++) {
		g_autofree char *where = g_strdup_printf(
			"%s (%s)", document->where, place_names[i]);
		ms_extract_span(to, where, texts[i]->str, texts[i]->len);
	}
	g_autofree char *where = g_strdup_printf("%s (fields)", document->where);
	ms_extract_named(to, where, form);
	if (fields != nullptr) {
		g_string_append_len(fields, texts[FIELDS]->str, (gssize)texts[FIELDS]->len);
		g_string_append_len(fields, of_form.data(), (gssize)of_form.size());
	}
}

void ms_pdf_walk(MsPdf *pdf, const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory, GString *fields)
{
	Walk walk(pdf, to, document, inventory);
	walk.scan();
	walk.add_referenced();
	walk.open_object_streams();
	walk.learn_roles();
	walk.read_all();
	walk.hand_over(fields);
}
