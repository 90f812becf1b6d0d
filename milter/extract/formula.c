/*
 * Programs that write workbooks leave it to Excel to work a formula out, so that what its cell
 * shows may stand nowhere: CONCATENATE("KD","-",7740912), CHAR(75)&"D-1", "KD-"&A5.  In comes a
 * formula, out go the texts that its constants make, and the cells that whoever asks knows.  It
 * is no calculator: what depends on more than the functions below ends a text.  Pure functions,
 * linear.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "missent/text.h"

#include "formula.h"
#include "numfmt.h"

#define MAX_TEXT 2000 /* bytes of one */

typedef enum { NONE, JOIN, CODE, SHOW, PLAIN } Function;

/* Names as they stand before a bracket. */
static const struct {
	const char *name;
	Function function;
} functions[] = {{"CHAR", CODE}, {"UNICHAR", CODE}, {"CONCATENATE", JOIN}, {"CONCAT", JOIN},
	{"TEXT", SHOW}, {"VALUE", PLAIN}, {"TRIM", PLAIN}, {"UPPER", PLAIN},
	{"LOWER", PLAIN}, {"T", PLAIN}};

typedef struct {
	const char *begin, *p;
	MsFormulaCell *cell;
	void *user;
	GString *out, *text; /* lines, and what is joined so far */
	guint pieces;
	guint depth;
	guint64 joins;  /* a bit for each open bracket: do its commas join? */
	guint64 hidden; /* a bit: is what is in it made something else of? */
} Formula;

static void open_bracket(Formula *f, bool joins, bool hidden)
{
	if (++f->depth >= 64)
		return;
	guint64 bit = G_GUINT64_CONSTANT(1) << f->depth;
	f->joins = joins ? f->joins | bit : f->joins & ~bit;
	f->hidden = hidden ? f->hidden | bit : f->hidden & ~bit;
}

static bool commas_join(const Formula *f)
{
	return f->depth < 64 && (f->joins >> f->depth & 1) != 0;
}

static void skip_blanks(Formula *f)
{
	while (g_ascii_isspace(*f->p))
		f->p++;
}

static void end_text(Formula *f)
{
	if (f->pieces > 1)
		g_string_append_printf(f->out, "%s\n", f->text->str);
	g_string_truncate(f->text, 0);
	f->pieces = 0;
}

static void put(Formula *f, const char *text, gsize len)
{
	if (f->text->len + len <= MAX_TEXT)
		g_string_append_len(f->text, text, (gssize)len);
}

/* A string in quotes, at `f->p`; two quotes within it are one. */
static void take_string(Formula *f, GString *to)
{
	for (f->p++; *f->p != '\0'; f->p++) {
		if (*f->p == '"' && *++f->p != '"')
			return;
		if (to->len < MAX_TEXT)
			g_string_append_c(to, *f->p);
	}
}

#define MAX_CELL 64 /* letters and digits of one's name */
#define MAX_SHEET 128 /* bytes of a sheet's */

/* "Data!" or "'My data'!" at `p`; returns behind it, `p` if none stands there.  A quote within is
 * doubled. */
static const char *take_sheet(GString *name, const char *p)
{
	const char *at = p;
	bool quoted = *at == '\'';
	for (at += quoted; *at != '\0' && name->len <= MAX_SHEET; at++) {
		if (quoted && *at == '\'' && *++at != '\'')
			break;
		if (!quoted && !g_ascii_isalnum(*at) && *at != '_' && *at != '.' &&
			(*at & 0x80) == 0)
			break;
		g_string_append_c(name, *at);
	}
	if (*at == '!' && name->len > 0) {
		g_string_append_c(name, '!');
		return at + 1;
	}
	g_string_truncate(name, 0);
	return p;
}

/* What the cell named at `f->p` has in it ("$A$5", or a name that somebody gave it), and behind it;
 * NULL, and nothing: no such cell is known. */
static const char *take_cell(Formula *f)
{
	const char *p = f->p;
	gsize n = 0;
	if (f->cell == NULL || (p > f->begin && strchr("!:.'", p[-1]) != NULL))
		return NULL;
	g_autoptr(GString) name = g_string_new(NULL);
	p = take_sheet(name, p);
	for (; g_ascii_isalnum(*p) || (*p & 0x80) != 0 || (*p != '\0' && strchr("$_.", *p) != NULL);
		p++) {
		if (n == MAX_CELL)
			return NULL;
		if (*p != '$')
			g_string_append_c(name, g_ascii_toupper(*p));
		n += *p != '$';
	}
	if (n == 0 || (*p != '\0' && strchr("(!:[", *p) != NULL))
		return NULL;
	const char *value = f->cell(f->user, name->str);
	if (value != NULL)
		f->p = p;
	return value;
}

/* A number or a string of digits, or a cell with one; false if there is none. */
static bool take_number(Formula *f, double *number_out)
{
	char *end;
	skip_blanks(f);
	bool named = g_ascii_isalpha(*f->p) || (*f->p & 0x80) != 0;
	const char *value = named || *f->p == '$' || *f->p == '\'' ? take_cell(f) : NULL;
	if (value != NULL) {
		*number_out = g_ascii_strtod(value, &end);
		return end != value && *end == '\0';
	}
	if (*f->p == '"') {
		g_autoptr(GString) text = g_string_new(NULL);
		take_string(f, text);
		*number_out = g_ascii_strtod(text->str, &end);
		return end != text->str && *end == '\0';
	}
	if (!g_ascii_isdigit(*f->p) && *f->p != '-')
		return false;
	*number_out = g_ascii_strtod(f->p, &end);
	bool fine = end != f->p;
	f->p = end;
	return fine;
}

/* Behind the bracket that closes a call. */
static void end_call(Formula *f)
{
	guint depth = 1;
	g_autoptr(GString) string = g_string_new(NULL);
	while (*f->p != '\0' && depth > 0) {
		if (*f->p == '"') {
			take_string(f, string);
			continue;
		}
		depth += *f->p == '(';
		depth -= *f->p == ')';
		f->p++;
	}
}

/* CHAR(75): `f->p` behind the bracket.  False if it is none of a constant. */
static bool take_code(Formula *f)
{
	double code = 0;
	if (!take_number(f, &code) || code < 32 || code > 0xffff
		|| !g_unichar_validate((gunichar)code)) {
		bool line = code == 10; /* CHAR(10), the end of a line in a cell */
		if (line)
			put(f, "\n", 1);
		return line;
	}
	char utf8[6];
	put(f, utf8, (gsize)g_unichar_to_utf8((gunichar)code, utf8));
	return true;
}

/* TEXT(7740912,"KD-0"). */
static bool take_shown(Formula *f)
{
	double number;
	if (!take_number(f, &number))
		return false;
	skip_blanks(f);
	if (*f->p != ',' && *f->p != ';')
		return false;
	f->p++;
	skip_blanks(f);
	if (*f->p != '"')
		return false;
	g_autoptr(GString) format = g_string_new(NULL);
	g_autoptr(GString) shown = g_string_new(NULL);
	take_string(f, format);
	if (!ms_number_shown(shown, number, format->str))
		ms_number_stored(shown, number);
	put(f, shown->str, shown->len);
	f->pieces++; /* it stands nowhere else */
	return true;
}

static Function function_at(const Formula *f, gsize *len_out)
{
	gsize n = 0;
	while (g_ascii_isalnum(f->p[n]) || f->p[n] == '.' || f->p[n] == '_')
		n++;
	*len_out = n;
	const char *name = f->p;
	if (f->p[n] != '(')
		return NONE;
	if (n > 6 && g_ascii_strncasecmp(name, "_xlfn.", 6) == 0) {
		name += 6;
		n -= 6;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(functions); i++)
		if (strlen(functions[i].name) == n
			&& g_ascii_strncasecmp(functions[i].name, name, n) == 0)
			return functions[i].function;
	return NONE;
}

/* False if none is known there. */
static bool put_cell(Formula *f)
{
	const char *value = take_cell(f);
	if (value == NULL)
		return false;
	put(f, value, strlen(value));
	f->pieces++;
	return true;
}

/* A name, of a cell or of a function. */
static void take_name(Formula *f)
{
	gsize len;
	if (put_cell(f))
		return;
	Function function = function_at(f, &len);
	f->p += MAX(len, 1);
	if (function == NONE)
		end_text(f);
	if (function == NONE && *f->p != '(')
		return;
	f->p++;
	if (function == NONE || function == JOIN || function == PLAIN) {
		/* What it joins is read as it comes. */
		open_bracket(f, function == JOIN, function == NONE);
		return;
	}
	if (function == CODE ? take_code(f) : take_shown(f))
		f->pieces++;
	else
		end_text(f);
	end_call(f);
}

static void take_digits(Formula *f)
{
	gsize n = strspn(f->p, "0123456789");
	put(f, f->p, n);
	f->p += n;
	f->pieces++;
}

static void close_bracket(Formula *f)
{
	if (f->depth >= 64 || (f->hidden >> f->depth & 1) != 0)
		end_text(f);
	f->depth -= f->depth > 0;
}

/* "&" joins, and so do the commas of CONCATENATE. */
static void take_sign(Formula *f)
{
	bool comma = *f->p == ',' || *f->p == ';';
	if (*f->p == '(')
		open_bracket(f, commas_join(f), false);
	else if (*f->p == ')')
		close_bracket(f);
	else if (comma ? !commas_join(f) : *f->p != '&' && !g_ascii_isspace(*f->p))
		end_text(f);
	f->p++;
}

void ms_formula_texts(GString *out, const char *formula, MsFormulaCell *cell, void *user)
{
	g_autoptr(GString) text = g_string_new(NULL);
	Formula f = {.begin = formula, .p = formula, .out = out, .text = text, .cell = cell,
		.user = user};
	while (*f.p != '\0') {
		if (*f.p == '"') {
			take_string(&f, text);
			f.pieces++;
		} else if (g_ascii_isdigit(*f.p)) {
			take_digits(&f);
		} else if (g_ascii_isalpha(*f.p) || (*f.p & 0x80) != 0 || *f.p == '_'
			|| *f.p == '[' || *f.p == '$') {
			take_name(&f);
		} else if (*f.p != '\'' || !put_cell(&f)) {
			take_sign(&f);
		}
	}
	end_text(&f);
}
