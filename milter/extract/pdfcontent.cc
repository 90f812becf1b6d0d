/*
 * The words of a content that an interpreter passes over: comments, operands of operators that
 * nobody knows, strings that are not shown (ActualText, marked points).  In come decoded bytes, out
 * go lines of text.  No state.
 */
#include "pdfcontent.h"

#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <CharTypes.h>
#include <UTF.h>
#include <goo/gmem.h>
#include <poppler-features.h>

#include "pdf.h"

bool ms_pdf_is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0';
}

static bool is_delimiter(char c)
{
	switch (c) {
	case '(':
	case ')':
	case '<':
	case '>':
	case '[':
	case ']':
	case '{':
	case '}':
	case '/':
	case '%': return true;
	default:
		return ms_pdf_is_blank(c);
	}
}

static void add_line(GString *out, const char *text, gsize len)
{
	if (out == nullptr || out->len >= MS_PDF_MAX_TEXT)
		return;
	g_string_append_len(out, text, (gssize)len);
	g_string_append_c(out, '\n');
}

void MsPdfLexer::skip_blank()
{
	while (at < len) {
		if (data[at] == '%') {
			gsize start = ++at;
			while (at < len && data[at] != '\n' && data[at] != '\r')
				at++;
			add_line(comments, data + start, at - start);
		} else if (ms_pdf_is_blank(data[at])) {
			at++;
		} else {
			return;
		}
	}
}

/* "(...)", with what is escaped in it undone. */
void MsPdfLexer::read_string()
{
	static const char escaped[] = "nrtbf", means[] = "\n\r\t\b\f";
	text.clear();
	int depth = 1;
	for (at++; at < len; at++) {
		gsize run = at;
		while (at < len && data[at] != '(' && data[at] != ')' && data[at] != '\\')
			at++;
		text.append(data + run, at - run);
		if (at == len)
			return;
		char c = data[at];
		if (c == '(') {
			depth++;
		} else if (c == ')' && --depth == 0) {
			at++;
			return;
		} else if (c == '\\' && at + 1 < len) {
			c = data[++at];
			const char *known = c != '\0' ? strchr(escaped, c) : nullptr;
			if (known != nullptr) {
				c = means[known - escaped];
			} else if (c >= '0' && c <= '7') {
				int value = 0;
				for (int i = 0;
					i < 3 && at < len && data[at] >= '0' && data[at] <= '7';
					i++)
					value = value * 8 + (data[at++] - '0');
				at--;
				c = (char)value;
			} else if (c == '\n' || c == '\r') {
				if (c == '\r' && at + 1 < len && data[at + 1] == '\n')
					at++;
				continue;
			}
		}
		text += c;
	}
}

void MsPdfLexer::read_hex()
{
	text.clear();
	int high = -1;
	for (at++; at < len && data[at] != '>'; at++) {
		int digit = g_ascii_xdigit_value(data[at]);
		if (digit < 0)
			continue;
		if (high < 0) {
			high = digit;
			continue;
		}
		text += (char)(high << 4 | digit);
		high = -1;
	}
	if (high >= 0)
		text += (char)(high << 4);
	at = at < len ? at + 1 : len;
}

MsPdfToken MsPdfLexer::next()
{
	skip_blank();
	from = at;
	if (at >= len)
		return MS_PDF_END;
	char c = data[at];
	bool twice = at + 1 < len && data[at + 1] == c;
	if (c == '(') {
		read_string();
		return MS_PDF_STRING;
	}
	if (c == '<' && !twice) {
		read_hex();
		return MS_PDF_STRING;
	}
	if (c == '[' || c == '<') {
		at += c == '<' ? 2 : 1;
		return MS_PDF_OPEN;
	}
	if (c == ']' || (c == '>' && twice)) {
		at += c == '>' ? 2 : 1;
		return MS_PDF_CLOSE;
	}
	at++;
	if (is_delimiter(c) && c != '/')
		return MS_PDF_WORD;
	bool number = c != '/' && (g_ascii_isdigit(c) || c == '-' || c == '+' || c == '.');
	while (at < len && !is_delimiter(data[at])) {
		number &= g_ascii_isdigit(data[at]) || data[at] == '.' || data[at] == '-';
		at++;
	}
	return c == '/' ? MS_PDF_NAME : number ? MS_PDF_NUMBER : MS_PDF_WORD;
}

gsize ms_pdf_value_end(const char *data, gsize from, gsize to, GString *comments)
{
	MsPdfLexer lexer(data, to, from, comments);
	int depth = 0;
	do {
		MsPdfToken token = lexer.next();
		if (token == MS_PDF_END)
			return to;
		depth += token == MS_PDF_OPEN ? 1 : token == MS_PDF_CLOSE ? -1 : 0;
		if (token == MS_PDF_NUMBER && depth == 0) { /* or a reference */
			MsPdfLexer ahead(data, to, lexer.at, nullptr);
			if (ahead.next() == MS_PDF_NUMBER && ahead.next() == MS_PDF_WORD
				&& ahead.at - ahead.from == 1 && data[ahead.from] == 'R')
				return ahead.at;
		}
	} while (depth > 0);
	return lexer.at;
}

bool ms_pdf_is_telling_name(const char *name, gsize len)
{
	guint digits = 0;
	for (gsize i = 0; i < len; i++) {
		digits += g_ascii_isdigit(name[i]) != 0;
		if (name[i] == ' ' || name[i] == '@' || name[i] == '#')
			return true;
	}
	return digits >= 4;
}

std::string ms_pdf_to_utf8(const std::string &bytes)
{
	Unicode *u = nullptr;
	std::string swapped;
	const std::string *from = &bytes;
	if (bytes.size() >= 2 && bytes[0] == '\xff' && bytes[1] == '\xfe') {
		swapped = "\xfe\xff";
		for (gsize i = 2; i + 1 < bytes.size(); i += 2) {
			swapped += bytes[i + 1];
			swapped += bytes[i];
		}
		from = &swapped;
	}
	if (bytes.size() >= 3 && bytes.compare(0, 3, "\xef\xbb\xbf") == 0)
		return bytes.substr(3);
#if POPPLER_CHECK_VERSION(24, 5, 0)
	std::vector<Unicode> got = TextStringToUCS4(*from);
	int n = (int)got.size();
	const Unicode *at = got.data();
#else
	int n = TextStringToUCS4(*from, &u);
	const Unicode *at = u;
#endif
	g_autoptr(GString) out = g_string_new(nullptr);
	for (int i = 0; i < n; i++)
		g_string_append_unichar(out, at[i] < 0x110000 && (at[i] < 0xd800 || at[i] > 0xdfff)
				&& at[i] != 0 ? at[i] : ' ');
	gfree(u);
	return std::string(out->str, out->len);
}

#define ANY 100000

/* Operators of ISO 32000-1, table A.1, and how many operands they take. */
static const std::unordered_map<std::string_view, int> operators = {
	{"b", 0},
	{"B", 0},
	{"b*", 0},
	{"B*", 0},
	{"BDC", 2},
	{"BI", 0},
	{"BMC", 1},
	{"BT", 0},
	{"BX", 0},
	{"c", 6},
	{"cm", 6},
	{"CS", 1},
	{"cs", 1},
	{"d", 2},
	{"d0", 2},
	{"d1", 6},
	{"Do", 1},
	{"DP", 2},
	{"EI", 0},
	{"EMC", 0},
	{"ET", 0},
	{"EX", 0},
	{"f", 0},
	{"F", 0},
	{"f*", 0},
	{"G", 1},
	{"g", 1},
	{"gs", 1},
	{"h", 0},
	{"i", 1},
	{"j", 1},
	{"J", 1},
	{"K", 4},
	{"k", 4},
	{"l", 2},
	{"m", 2},
	{"M", 1},
	{"MP", 1},
	{"n", 0},
	{"q", 0},
	{"Q", 0},
	{"re", 4},
	{"RG", 3},
	{"rg", 3},
	{"ri", 1},
	{"s", 0},
	{"S", 0},
	{"SC", ANY},
	{"sc", ANY},
	{"SCN", ANY},
	{"scn", ANY},
	{"sh", 1},
	{"T*", 0},
	{"Tc", 1},
	{"Td", 2},
	{"TD", 2},
	{"Tf", 2},
	{"Tj", 1},
	{"TJ", 1},
	{"TL", 1},
	{"Tm", 6},
	{"Tr", 1},
	{"Ts", 1},
	{"Tw", 1},
	{"Tz", 1},
	{"v", 4},
	{"w", 1},
	{"W", 0},
	{"W*", 0},
	{"y", 4},
	{"'", 1},
	{"\"", 3},
};

static bool is_show(std::string_view word)
{
	return word == "Tj" || word == "TJ" || word == "'" || word == "\"";
}

/* Behind the "EI" of a picture's data, which should have a blank before it. */
static gsize image_end(const char *data, gsize len, gsize at, bool blank)
{
	for (; at + 2 < len; at++)
		if ((!blank || ms_pdf_is_blank(data[at])) && data[at + 1] == 'E'
			&& data[at + 2] == 'I' && (at + 3 == len || ms_pdf_is_blank(data[at + 3])))
			return at + 3;
	return 0;
}

/* What stands between "ID" and "EI"; without the one, the other is no picture's.  `none`: there is
 * no end, nor will there be one further on. */
static gsize skip_image(const char *data, gsize len, gsize at, bool &none)
{
	gsize end = none ? 0 : image_end(data, len, at, true);
	if (end == 0 && !none)
		end = image_end(data, len, at, false);
	none = end == 0;
	return none ? at : end;
}

static bool is_literal(std::string_view word)
{
	return word == "true" || word == "false" || word == "null";
}

/* The operands of one operator. */
struct Operands {
	gsize start = 0;
	int count = 0, depth = 0;
	bool strings = false; /* some have text */
	std::string name;     /* the last that tells something */

	void begin(gsize at)
	{
		start = at;
		count = depth = 0;
		strings = false;
		name.clear();
	}
};

/* Their texts, up to `end`.  Most strings are shown, and so read by who interprets the content: the
 * few that are not are taken apart once more. */
static void add_strings(GString *out, const char *data, gsize end, const Operands &operands)
{
	std::string words;
	MsPdfLexer lexer(data, end, operands.start, nullptr);
	for (MsPdfToken token; operands.strings && (token = lexer.next()) != MS_PDF_END;)
		if (token == MS_PDF_STRING && !lexer.text.empty())
			words += ms_pdf_to_utf8(lexer.text) + "\n";
	if (operands.strings)
		add_line(out, words.data(), words.size());
}

static void add_operand(Operands &operands, MsPdfToken token, const MsPdfLexer &lexer)
{
	if (token == MS_PDF_CLOSE) {
		operands.depth = operands.depth > 0 ? operands.depth - 1 : 0;
		return;
	}
	operands.count += operands.depth == 0;
	operands.depth += token == MS_PDF_OPEN;
	operands.strings |= token == MS_PDF_STRING && !lexer.text.empty();
	if (token == MS_PDF_NAME
		&& ms_pdf_is_telling_name(lexer.data + lexer.from + 1, lexer.at - lexer.from - 1))
		operands.name.assign(lexer.data + lexer.from + 1, lexer.at - lexer.from - 1);
}

/* A name in which "#20" is a blank. */
static char *without_escapes(const std::string &name)
{
	GString *out = g_string_new(nullptr);
	for (gsize i = 0; i < name.size(); i++) {
		bool escaped = name[i] == '#' && i + 2 < name.size() &&
			g_ascii_isxdigit(name[i + 1]) && g_ascii_isxdigit(name[i + 2]);
		if (escaped) {
			int c = g_ascii_xdigit_value(name[i + 1]) << 4 |
				g_ascii_xdigit_value(name[i + 2]);
			g_string_append_c(out, c != 0 ? (char)c : ' ');
			i += 2;
		} else {
			g_string_append_c(out, name[i]);
		}
	}
	return g_string_free(out, FALSE);
}

static void count(MsPdfCensus &census, guint &saved, std::string_view word, gsize at,
	const Operands &operands)
{
	census.shows += is_show(word) && operands.strings;
	if (word == "q")
		saved++;
	else if (word == "Q" && saved > 0)
		saved--;
	else if (word == "Q")
		census.unmatched.push_back(at);
}

MsPdfCensus ms_pdf_leftovers(const char *data, gsize len, bool shown, GString *out)
{
	MsPdfCensus census;
	guint saved = 0;
	bool no_image = false;
	MsPdfLexer lexer(data, len, 0, out);
	Operands operands;
	std::string marks; /* the last name of a mark: most come many times */
	for (MsPdfToken token; (token = lexer.next()) != MS_PDF_END;) {
		std::string_view word;
		if (token == MS_PDF_WORD)
			word = std::string_view(data + lexer.from, lexer.at - lexer.from);
		if (token != MS_PDF_WORD || is_literal(word)) {
			add_operand(operands, token, lexer);
			continue;
		}
		count(census, saved, word, lexer.from, operands);
		if (word == "ID") {
			lexer.at = skip_image(data, len, lexer.at, no_image);
		} else {
			auto known = operators.find(word);
			bool marked = word == "BMC" || word == "BDC" || word == "MP" ||
				word == "DP";
			if (marked && operands.name != marks && !operands.name.empty()) {
				marks = operands.name;
				g_autofree char *plain = without_escapes(marks);
				add_line(out, plain, strlen(plain));
			}
			if (known == operators.end() || operands.count > known->second)
				add_line(out, data + operands.start, lexer.at - operands.start);
			if (!is_show(word) || !shown || known == operators.end() ||
				operands.count > known->second)
				add_strings(out, data, lexer.from, operands);
		}
		operands.begin(lexer.at);
	}
	if (operands.count > 0)
		add_line(out, data + operands.start, len - operands.start);
	add_strings(out, data, len, operands);
	return census;
}
