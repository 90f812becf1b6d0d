/*
 * The text is cut into words and numbers.  From each number that may be a postcode one looks
 * around for a house number, and from that to both sides for a street; what is not part of a
 * street (its type, particles, points of the compass) is left out on both sides of a
 * comparison, so that "12, rue de la Paix" and "12 R Paix" are one.  Pure functions; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/postal.h"
#include "missent/scan.h"

#define NEAR 60      /* words from postcode to house number */
#define MAX_LINES 6  /* lines between them */
#define MAX_STREET 6 /* words of a street */
#define MAX_BLOCKS 6 /* words of a number with blocks */
#define MAX_BOX 6    /* digits of a box */
#define MAX_KEY 160
#define MAX_WORD 40

typedef enum { WORD, NUMBER, MIXED } TokenType;

typedef struct {
	gsize start, end;
	TokenType type;
	guint line;              /* tokens of one line, or cell, have one number */
	guint segment;           /* the same of pieces between commas, or lines */
	bool comma;              /* something other than blanks stands before it */
	bool dash;               /* '-' or '/' stands directly before it */
	bool hash;               /* '#' does: a unit in a building */
	bool bar;                /* '/' stands before it, or '-' between blanks */
	char text[MAX_WORD + 1]; /* lower case, cut */
} Token;

/* ---- cutting -------------------------------------------------------------------------- */

/* How many digits a token begins with; strspn() would fill a table for a few bytes. */
static gsize leading_digits(const char *s)
{
	gsize n = 0;
	while (g_ascii_isdigit(s[n]))
		n++;
	return n;
}

static gsize leading_letters(const char *s)
{
	gsize n = 0;
	while (g_ascii_islower(s[n]))
		n++;
	return n;
}

static TokenType type_of(const char *text)
{
	gsize digits = leading_digits(text), len = strlen(text);
	if (digits == len)
		return NUMBER;
	/* 10b, 22A */
	if (digits > 0 && len - digits == 1)
		return MIXED;
	return ms_has_digit(text, strlen(text)) ? MIXED : WORD;
}

/* Of a word or a number; other bytes than ASCII's begin a character of UTF-8. */
static bool is_letter(const char *at)
{
	if ((*at & 0x80) == 0)
		return g_ascii_isalnum(*at);
	gunichar c = g_utf8_get_char(at);
	return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* Scripts without blanks between words. */
static bool is_han(const char *at)
{
	gunichar c = (*at & 0x80) != 0 ? g_utf8_get_char(at) : 0;
	if (c < 0x2e80)
		return false;
	GUnicodeScript script = g_unichar_get_script(c);
	return script == G_UNICODE_SCRIPT_HAN || script == G_UNICODE_SCRIPT_HIRAGANA ||
		script == G_UNICODE_SCRIPT_KATAKANA;
}

/* "一丁目" is 1丁目: the number that is written there, up to 99; 0: none is. */
static guint counted(const char *at, gsize len, gsize *bytes_out)
{
	static const char figures[] = "一二三四五六七八九";
	guint value = 0, one = 0;
	gsize i = 0;
	for (; i + 3 <= len && (at[i] & 0x80) != 0 && i < 9; i += 3) {
		const char *figure = memmem(figures, sizeof figures - 1, at + i, 3);
		if (figure != NULL && (figure - figures) % 3 == 0)
			one = (guint)(figure - figures) / 3 + 1;
		else if (memcmp(at + i, "十", 3) == 0) {
			value = MAX(one, 1) * 10;
			one = 0;
		} else
			break;
	}
	*bytes_out = i;
	return i > 0 && len - i >= 6 && memcmp(at + i, "丁目", 6) == 0 ? value + one : 0;
}

/* There a word ends without a blank: behind a prefecture, a town or a street, and between a name
 * and a number ("梅田8-3-1"). */
static bool ends_word(const char *before, const char *at, gsize left)
{
	static const char divisions[] = "都道府県市区町村郡省县镇路街";
	gsize bytes;
	if (is_han(before))
		return g_ascii_isdigit(*at) || counted(at, left, &bytes) > 0 ||
			g_utf8_strchr(divisions, -1, g_utf8_get_char(before)) != NULL;
	return g_ascii_isdigit(*before) && is_han(at);
}

static gsize append_letter(Token *token, gsize n, const char *at)
{
	char utf8[6];
	gsize len = 1;
	if (*at & 0x80)
		len = (gsize)g_unichar_to_utf8(g_unichar_tolower(g_utf8_get_char(at)), utf8);
	else
		utf8[0] = g_ascii_tolower(*at);
	if (n + len > MAX_WORD)
		return n;
	memcpy(token->text + n, utf8, len);
	return n + len;
}

/* "Nr5", and what "nº5" is folded to: a word of its own. */
static bool is_number_word(const char *text, gsize len)
{
	return len == 2 && text[0] == 'n' && (text[1] == 'o' || text[1] == 'r');
}

/* "A / B", "A/B", "A - B" are two; "A-B" is one name. */
static bool is_bar(const char *text, gsize len, gsize at)
{
	return text[at] == '/' ||
		(text[at] == '-' &&
			((at + 1 < len && text[at + 1] == ' ') || (at > 0 && text[at - 1] == ' ')));
}

static GArray *cut(const char *text, gsize len)
{
	GArray *tokens = g_array_new(FALSE, TRUE, sizeof(Token));
	guint line = 0;
	bool comma = false, bar = false, ended = false, segment_ended = false;
	guint segment = 0;
	for (gsize i = 0; i < len;) {
		if (!is_letter(text + i)) {
			if (strchr("\n\t|", text[i]) != NULL && text[i] != '\0')
				ended = true;
			else if (strchr(" .'\r>", text[i]) == NULL && text[i] != '\0')
				comma = true;
			segment_ended = segment_ended || ended || text[i] == ',' || text[i] == ';';
			bar = bar || is_bar(text, len, i);
			i += (gsize)g_utf8_skip[(guchar)text[i]];
			continue;
		}
		line += ended && tokens->len > 0; /* empty lines and cells do not count */
		segment += segment_ended && tokens->len > 0;
		Token token = {.start = i, .line = line, .segment = segment, .comma = comma};
		token.dash = i > 0 && (text[i - 1] == '-' || text[i - 1] == '/');
		token.hash = i > 0 && text[i - 1] == '#';
		token.bar = bar;
		gsize n = 0, bytes;
		const char *before = NULL;
		guint figure = counted(text + i, len - i, &bytes);
		if (figure > 0) {
			g_snprintf(token.text, sizeof token.text, "%u", figure);
			i += bytes;
		}
		while (figure == 0 && i < len && is_letter(text + i) &&
			(before == NULL || !ends_word(before, text + i, len - i)) &&
			!(g_ascii_isdigit(text[i]) && is_number_word(token.text, n))) {
			before = text + i;
			n = append_letter(&token, n, before);
			i += (gsize)g_utf8_skip[(guchar)*before];
		}
		token.end = i;
		token.type = type_of(token.text);
		g_array_append_val(tokens, token);
		comma = bar = ended = segment_ended = false;
	}
	return tokens;
}

/* ---- streets -------------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *list)
{
	gsize n = strlen(word);
	for (const char *p = list; n > 0 && (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

/* Types of streets and their abbreviations. */
static const char street_types[] =
	"rue r avenue av ave avn boulevard bd blvd bvd boul place pl plaza plz pza platz street "
	"str st strasse "
	"road rd lane ln drive dr court ct close cl way square sq terrace highway hwy parkway "
	"pkwy circle cir "
	"calle c carrera cra cr kr avda avd avenida paseo po via v viale vle corso cso piazza "
	"pzza largo strada "
	"straat laan plein ulica ul aleja aleje al plac os osiedle rua travessa praca estrada "
	"chemin ch che "
	"route rte rt impasse imp allee quai cours passage weg gasse g vej gade gata gatan gt "
	"vagen tie katu "
	"utca u ut ter namesti nam trg ulice "
	"yл byл бyл yлицa бд leoforos odos iela mnt tanav ro daero bulevar bulevardul blv gate "
	"carrer avinguda triq "
	"bld bvard bul blvr sgt sugarut krt korut rkp rakpart setany fasor maantee pst puiestee tee "
	"prospektas pr prospekt prosp gatve prospect intrarea aleea calea cesta cad caddesi cadde "
	"sok sokak sokagi bulvari bulvar rambla rbla passeig pg ronda rda camino cno carretera ctra "
	"glorieta gta alameda rodovia rod vicolo contrada ulitsa plastiras faubourg fg ";
/* Saints, points of the compass, particles. */
static const char particles[] =
	"all saint sainte sankt santa ste s "
	"n e w o nw ne sw se no so north south east west nord sud ouest est norte sur "
	"de la le les du des d l der die das den dem von van vom zum zur am im an auf del della "
	"delle dei degli di da "
	"do dos el los las the of and und et y i a at in nr num numero number bis quater nouvelle ";

/* What tells no street from another. */
static bool is_left_out(const char *word)
{
	return is_one_of(word, street_types) || is_one_of(word, particles);
}

static const char unit_words[] =
	"apt apartment appt appartement suite ste unit flat room rm floor fl etage et stock og eg "
	"stiege top bat batiment "
	"building bldg piso puerta planta esc escalier interno int scala lok lokal m bus box "
	"porte sala level lvl oficina "
	"office shop dept depto dpto ap apart ap kv kb em ajto d daire kat sec unidade andar "
	"lvl lev niv niveau kerros lgh huoneisto torre tower block blk sc bl dto dcha izq izda "
	"esq tv th mf og etg piano tr trp trappor ";
static const char box_words[] =
	"box pobox postfach bp boite postale apartado correos casella postbus skrytka pocztowa "
	"poczt postboks postlada caixa pf "
	"locked bag postholf postal ";
/* What may stand between a street and its number. */
static const char house_words[] =
	"n no nr num numero number nro hs haus bud бyд o hausnummer hausnr housenumber "
	"huisnummer streetnumber buildingnumber civico ";
/* The same where they stand alone before the number. */
static const char short_box_words[] = "pl cp pb ";
static const char months[] =
	"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
	"janeiro fevereiro marco "
	"maio junho julho setembro outubro novembro dezembro gennaio febbraio aprile maggio "
	"giugno luglio settembre ottobre "
	"novembre dicembre janvier fevrier mars avril mai juin juillet aout septembre octobre "
	"decembre januar februar marz "
	"april juni juli august september oktober november dezember maja stycznia lutego marca "
	"kwietnia czerwca lipca "
	"sierpnia wrzesnia pazdziernika listopada grudnia ";
static const char countries[] =
	"united arab emirates uae qatar ireland deutschland germany france italia italy espana "
	"spain portugal osterreich austria "
	"schweiz suisse switzerland nederland netherlands belgium belgie belgique china kingdom "
	"states america usa india japan "
	"korea singapore kuwait bahrain oman jamaica chile colombia peru ";

static bool is_unit(const char *word)
{
	return is_one_of(word, unit_words) && strcmp(word, "box") != 0;
}

/* What names of streets end in, and how that is written short.  "Hauptstr." is "Haupt Str." as
 * well; the others stay apart, for a Gartenweg 5 may lie beside a Gartenstr. 5. */
static const struct {
	const char *ending, *brief;
} endings[] = {
	{"strasse", ""},
	{"straat", ""},
	{"str", ""},
	/* German, Dutch */
	{"weg", "wg"},
	{"gasse", "g"},
	{"gss", "g"},
	{"platz", "pl"},
	{"allee", "al"},
	{"plein", "pl"},
	{"pln", "pl"},
	{"laan", "ln"},
	{"gracht", "gr"},
	{"singel", "sngl"},
	{"kade", "kd"},
	{"dijk", "dk"},
	/* Swedish, Norwegian, Danish, Finnish */
	{"gatan", "g"},
	{"vagen", "v"},
	{"vaegen", "v"},
	{"grand", "gr"},
	{"graend", "gr"},
	{"gata", "gt"},
	{"gate", "gt"},
	{"gaten", "gt"},
	{"veien", "v"},
	{"vegen", "v"},
	{"vei", "v"},
	{"plass", "pl"},
	{"gade", "g"},
	{"vej", "v"},
	{"plads", "pl"},
	{"katu", "k"},
	{"tie", "t"},
};

static void shorten(char *word)
{
	gsize n = strlen(word);
	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++) {
		gsize len = strlen(endings[i].ending), before = *endings[i].brief != '\0' ? 2 : 3;
		if (n >= len + before && strcmp(word + n - len, endings[i].ending) == 0) {
			g_strlcpy(word + n - len, endings[i].brief, len + 1);
			return;
		}
	}
}

/* "hauptstrasse" and "hauptstr" are "haupt"; Mueller is Muller; Fifth Avenue is 5th. */
static void reduce_word(const char *word, char *out)
{
	static const char *const ordinals[][2] = {{"first", "1st"}, {"second", "2nd"},
		{"third", "3rd"}, {"fourth", "4th"}, {"fifth", "5th"}, {"sixth", "6th"},
		{"seventh", "7th"}, {"eighth", "8th"}, {"ninth", "9th"}, {"tenth", "10th"},
		{"eleventh", "11th"}, {"twelfth", "12th"}};
	for (gsize i = 0; i < G_N_ELEMENTS(ordinals); i++)
		word = strcmp(word, ordinals[i][0]) == 0 ? ordinals[i][1] : word;
	g_strlcpy(out, word, MAX_WORD + 1);
	shorten(out);
	char *to = out;
	for (const char *p = out; *p != '\0'; p++) {
		*to++ = *p;
		if (strchr("aou", *p) != NULL && p[1] == 'e')
			p++;
	}
	*to = '\0';
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Endings that some write as a word of its own: "Linden-Weg", "Karl Johans gate". */
static const char own_endings[] =
	"weg wg gasse platz plein gracht singel kade dijk laan gatan gata gate gaten gt vagen "
	"vegen veien vei vej gade plass plads katu tie ring ufer damm hof steig stieg pfad markt "
	"chaussee promenade wall graben zeile allee ";

/* Is the word behind this one, the last of `n` that count, such an ending of it? */
static bool has_own_ending(const Token *words, guint n, guint i)
{
	if (i + 1 >= n || !is_one_of(words[i + 1].text, own_endings) || words[i].type != WORD ||
		is_left_out(words[i].text) ||
		strlen(words[i].text) + strlen(words[i + 1].text) > MAX_WORD)
		return false;
	for (i += 2; i < n; i++)
		if (!is_left_out(words[i].text))
			return false;
	return true;
}

/* A word, with its ending. */
static void keep_word(const Token *words, guint n, guint i, char *out)
{
	char whole[MAX_WORD + 1];
	g_strlcpy(whole, words[i].text, sizeof whole);
	if (has_own_ending(words, n, i))
		g_strlcat(whole, words[i + 1].text, sizeof whole);
	reduce_word(whole, out);
}

/* "The Ave." is "The Avenue". */
static const char *whole_type(const char *word)
{
	static const char *const types[][2] = {{"av", "avenue"}, {"ave", "avenue"}, {"cl", "close"},
		{"ct", "court"}, {"dr", "drive"}, {"ln", "lane"}, {"pl", "place"}, {"rd", "road"},
		{"sq", "square"}, {"st", "street"}};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (strcmp(word, types[i][0]) == 0)
			return types[i][1];
	return word;
}

/* What is left of `n` words that are nothing but such as are left out; how many. */
static guint reduce_types(const Token *words, guint n, char (*kept)[MAX_WORD + 1], guint room)
{
	guint k = 0;
	for (guint i = 0; i < n && k < room; i++) {
		const char *word = whole_type(words[i].text);
		if (strlen(word) > 3)
			reduce_word(word, kept[k++]);
	}
	return k;
}

/* What is left of `n` words; false if nothing is. */
static bool reduce(const Token *words, guint n, char *out)
{
	char kept[MAX_STREET * 2][MAX_WORD + 1];
	guint k = 0;
	for (guint i = 0; i < n && k < G_N_ELEMENTS(kept); i++)
		if (!is_left_out(words[i].text) && (i == 0 || !has_own_ending(words, n, i - 1)))
			keep_word(words, n, i, kept[k++]);
	if (k == 0) /* "The Avenue" */
		k = reduce_types(words, n, kept, G_N_ELEMENTS(kept));
	if (k == 0)
		return false;
	qsort(kept, k, sizeof kept[0], compare_words);
	out[0] = '\0';
	for (guint i = 0; i < k; i++) {
		if (i > 0)
			g_strlcat(out, "-", MAX_KEY);
		g_strlcat(out, kept[i], MAX_KEY);
	}
	return strlen(out) >= 2;
}

/* ---- postcodes ------------------------------------------------------------------------ */

/* "sw1a", "m1": one or two letters, a digit, and sometimes one more. */
static bool is_british(const char *s)
{
	gsize n = strlen(s), letters = leading_letters(s);
	return n >= 2 && n <= 4 && letters >= 1 && letters <= 2 && g_ascii_isdigit(s[letters]);
}

/* "2aa", "1a1": a digit and two more, of which the second is a letter. */
static bool is_inward(const char *s)
{
	return strlen(s) == 3 && g_ascii_isdigit(s[0]) && g_ascii_isalpha(s[1]) &&
		g_ascii_isalnum(s[2]);
}

static bool all_digits(const char *s, gsize min, gsize max)
{
	gsize n = leading_digits(s);
	return n >= min && n <= max && s[n] == '\0';
}

/* "10115", "1012ab", "sw1a2aa", "d10115" */
static bool is_code(const char *s)
{
	gsize n = strlen(s), digits = leading_digits(s);
	if (digits > 0 &&
		digits < n) /* of those that begin with digits only the Dutch end in letters */
		return digits == 4 && n == 6;
	return all_digits(s, 4, 8) ||
		(n >= 5 && n <= 8 && strcspn(s, "0123456789") <= 3 &&
			strpbrk(s, "abcdefghijklmnopqrstuvwxyz") != NULL);
}

/* "LV1010" is 1010: the letters of the country before it. */
static const char *without_country(const char *code)
{
	gsize letters = leading_letters(code);
	return letters > 0 && letters <= 3 && all_digits(code + letters, 4, 8) ? code + letters
									       : code;
}

/* Of two words with nothing but a blank or, `dash`, a dash between them. */
static bool is_code_of_two(const char *a, const char *b, bool dash)
{
	return (all_digits(a, 3, 3) &&
		       (all_digits(b, 2, 3) ||
			       (dash && all_digits(b, 4, 4))))  /* SE, CZ, SK, GR, IN; JP */
		|| (all_digits(a, 2, 2) && all_digits(b, 3, 3)) /* PL */
		|| (all_digits(a, 4, 5) && all_digits(b, 3, 3)) /* PT, BR */
		|| (all_digits(a, 4, 4) && strlen(b) == 2 && !ms_has_digit(b, strlen(b))) /* NL */
		|| (is_british(a) && is_inward(b))                                        /* GB */
		|| (strlen(a) == 3 && g_ascii_isalpha(a[0]) &&
			   ms_has_digit(a, strlen(a))
			   /* CA, IE */
			   && (is_inward(b) || (strlen(b) == 4 && ms_has_digit(b, strlen(b)))));
}

void ms_postal_codes(const char *first, const char *second, bool dash,
	void (*code)(const char *code, void *user), void *user)
{
	char both[MAX_WORD * 2 + 1];
	if (is_code(first) || all_digits(first, 3, 3))
		code(without_country(first), user);
	if (second != NULL && is_code_of_two(first, second, dash)) {
		g_snprintf(both, sizeof both, "%s%s", first, second);
		code(both, user);
	}
}

/* Ways to a postcode, or to what stands for one. */
enum { ONE_TOKEN, TWO_TOKENS, THREE_DIGITS, TOWN, N_WAYS };

/* How many tokens of a postcode begin at `i`; the postcode. */
static guint postcode(const GArray *tokens, guint i, guint way, char *out)
{
	const Token *t = &g_array_index(tokens, Token, i);
	const Token *next = i + 1 < tokens->len ? t + 1 : NULL;
	if (way == ONE_TOKEN || way == THREE_DIGITS) {
		g_strlcpy(out, without_country(t->text), MAX_WORD);
		return way == ONE_TOKEN ? is_code(t->text) : all_digits(t->text, 3, 3);
	}
	if (way == TOWN) {
		g_snprintf(out, MAX_KEY, MS_POSTAL_TOWN "%s", t->text);
		return t->type == WORD && strlen(t->text) >= 3 && g_str_is_ascii(t->text) &&
			!is_left_out(t->text) && !is_one_of(t->text, countries);
	}
	if (next == NULL || next->line != t->line || next->start - t->end > 1 ||
		!is_code_of_two(t->text, next->text, next->dash))
		return 0;
	g_snprintf(out, MAX_KEY, "%s%s", t->text, next->text);
	return 2;
}

/* ---- searching ------------------------------------------------------------------------ */

/*
 * An address to be stored is one place, and is known by the surest of what might be its street and
 * number.  What is stored beside that ("12/fi" of "Mannerheimintie 92 A 12, FI-33100 Tampere",
 * "136/riga" of "Elizabetes iela 136, Riga") would be the same for half a town.
 */
typedef enum {
	SURE,
	ONLY_TYPES,  /* no word that is a name: "The Avenue", or what is left of "Main Road" */
	APART,       /* a comma between number and words, none of which is the type of a street */
	TOWN_BESIDE, /* the same, and they stand beside the postcode */
	NO_HOUSE,    /* the number is a flat's, a floor's, a sector's, or of a company's name */
	ONLY_FORMS   /* words that say what a company is */
} Doubt;

typedef struct {
	const GArray *tokens;
	const MsPostalSink *sink;
	bool whole;
	guint lines;          /* of the text */
	guint code, code_len; /* tokens of the postcode */
	char key[MAX_KEY * 2];
	gsize number_len;  /* of the key up to and with the house number */
	guint number, way; /* that are tried now */
	/* Of an address to be stored: */
	const MsPostalSink *to;
	GArray *candidates;
	bool apart;         /* some house's number does not stand beside the postcode */
	Doubt doubt, least; /* of what is tried now; of all candidates */
} Search;

static const Token *token(const Search *s, guint i)
{
	return &g_array_index(s->tokens, Token, i);
}

static bool in_code(const Search *s, guint i)
{
	return i >= s->code && i < s->code + s->code_len;
}

/* The names that stand in the lines before the street make it surer. */
static void add_names(Search *s, guint first, gsize start, gsize end)
{
	gsize street_len = strlen(s->key);
	guint line = token(s, first)->line;
	for (guint i = first; i-- > 0 && line - token(s, i)->line <= 3;) {
		guint last = i;
		while (i > 0 && token(s, i - 1)->line == token(s, last)->line)
			i--;
		char name[MAX_KEY];
		if (token(s, last)->line == line || last - i >= MAX_STREET * 2 ||
			!reduce(token(s, i), last - i + 1, name))
			continue;
		g_snprintf(s->key + street_len, sizeof s->key - street_len, "/%s", name);
		if (s->sink->may(s->key, MS_POSTAL_NAME, s->sink->user))
			s->sink->found(s->key, MS_POSTAL_NAME, start, end, s->sink->user);
	}
	s->key[street_len] = '\0';
}

/* "Postfach 4711"; "PL 123" only as a line of its own, or where such a box is known. */
static bool is_box(const Search *s, guint number, const Token *before)
{
	guint line = token(s, number)->line;
	bool alone = before->line == line && before == token(s, number - 1) &&
		(number < 2 || token(s, number - 2)->line != line ||
			token(s, number)->start - before->end > 1 || before->comma) &&
		(number + 1 >= s->tokens->len || token(s, number + 1)->line != line ||
			token(s, number + 1)->comma);
	return is_one_of(before->text, box_words) ||
		((alone || !s->whole) && is_one_of(before->text, short_box_words));
}

/* Which no street is called alone. */
static const char company_forms[] =
	"gmbh mbh ggmbh gbr ohg kgaa ltd limited llc llp inc incorporated plc sarl srl bv nv "
	"kft zrt nyrt oy oyj ab "
	"aps sro doo ood ead sia uab eurl ";
/* The same at the end of a name only. */
static const char brief_forms[] = "ag kg sa sas sl spa as co corp ";

/* "B.V.", "S.p.A.": nothing but letters, each by itself, up to the end of the segment. */
static bool is_initials(const Search *s, guint i)
{
	guint n = 0, segment = token(s, i)->segment;
	for (; i < s->tokens->len && token(s, i)->segment == segment; i++, n++)
		if (token(s, i)->text[1] != '\0' || (n > 0 && token(s, i)->dash))
			return false; /* "20 a-c" is a number */
	return n > 1;
}

/* Does a company's name go on behind the number: "Delta 7 GmbH", "Studio 54 Media Ltd"? */
static bool is_companys(const Search *s, guint number)
{
	const Token *t = token(s, number);
	for (guint i = number + 1; i < s->tokens->len && token(s, i)->segment == t->segment; i++) {
		bool ends = i + 1 == s->tokens->len || token(s, i + 1)->segment != t->segment;
		if (token(s, i)->type != WORD)
			return false;
		if (is_one_of(token(s, i)->text, company_forms) ||
			(ends && is_one_of(token(s, i)->text, brief_forms)) || is_initials(s, i))
			return true;
	}
	return false;
}

/* Words before the number of a quarter. */
static bool is_quarter(const char *word)
{
	return is_one_of(word, "sector phase ");
}

/* "92 A 12": a flat; "12/F", "3 tr": a floor; "Sector 18". */
static bool is_no_house(const Search *s, guint number)
{
	const Token *t = token(s, number), *before = number > 0 ? t - 1 : NULL;
	const Token *behind = number + 1 < s->tokens->len ? t + 1 : NULL;
	if (before != NULL && before->segment == t->segment &&
		(is_quarter(before->text) ||
			(number > 1 && before->text[1] == '\0' && before->type == WORD &&
				!before->comma && before[-1].segment == t->segment &&
				before[-1].type == NUMBER)))
		return true;
	if (behind != NULL && behind->segment == t->segment &&
		((behind->dash && strcmp(behind->text, "f") == 0) ||
			(is_unit(behind->text) &&
				(number + 2 == s->tokens->len || behind[1].segment != t->segment))))
		return true;
	return is_companys(s, number);
}

/* "5th", "1e" */
static bool is_ordinal(const char *word)
{
	const char *ending = word + leading_digits(word);
	return ending != word && is_one_of(ending, "st nd rd th e er de ste ");
}

static Doubt doubt_of(const Search *s, guint number, guint first, guint n)
{
	guint idle = 0, forms = 0;
	bool typed = false;
	for (guint i = first; i < first + n; i++) {
		const char *word = token(s, i)->text;
		typed = typed || (word[1] != '\0' && is_one_of(word, street_types));
		idle += word[1] == '\0' || is_left_out(word);
		forms += is_one_of(word, company_forms);
	}
	if (idle + forms == n && forms > 0)
		return ONLY_FORMS;
	/* "1e Helmersstraat" */
	if (is_no_house(s, number) || (first > number && is_ordinal(token(s, number)->text)))
		return NO_HOUSE;
	if (idle == n)
		return ONLY_TYPES;
	guint near = first < number ? first + n - 1 : first;
	if (typed || token(s, near)->segment == token(s, number)->segment)
		return SURE;
	return token(s, near)->segment == token(s, s->code)->segment ? TOWN_BESIDE : APART;
}

static bool try_street(Search *s, guint number, guint first, guint n)
{
	char street[MAX_KEY];
	const Token *nearest = token(s, first + n - 1);
	bool box = first < number && is_box(s, number, nearest);
	if (box)
		g_strlcpy(street, "pobox", sizeof street);
	else if (!reduce(token(s, first), n, street))
		return false;
	if (s->whole)
		s->doubt = box ? SURE : doubt_of(s, s->number, first, n);
	s->key[s->number_len] = '\0';
	g_snprintf(s->key + s->number_len, sizeof s->key - s->number_len, "/%s", street);
	if (!s->sink->may(s->key, MS_POSTAL_STREET, s->sink->user))
		return false;
	guint a = MIN(MIN(first, number), s->code),
	      b = MAX(MAX(first + n - 1, number), s->code + s->code_len - 1);
	gsize start = token(s, a)->start, end = token(s, b)->end;
	s->sink->found(s->key, MS_POSTAL_STREET, start, end, s->sink->user);
	add_names(s, MIN(first, number), start, end);
	return true;
}

static bool is_street_word(const Search *s, guint i, guint line)
{
	const Token *t = token(s, i);
	if (i + 1 == s->code && strlen(t->text) <= 3 && token(s, s->code)->dash)
		return false; /* "FI-33100" */
	return t->line == line && !in_code(s, i) &&
		(t->type == WORD ||
			(t->type == MIXED &&
				(!g_ascii_isdigit(t->text[0]) || is_ordinal(t->text))));
}

/* "Calle 12 # 34-56", "Cra. 7 No. 93-60": the street is a number too. */
static void to_a_numbered_street(Search *s, guint number)
{
	static const char types[] =
		"calle cl cra carrera kr cr av avenida diagonal transversal dg tv c ";
	guint i = number;
	while (i > 0 &&
		is_one_of(token(s, i - 1)->text,
			"no n nr num numero a b c d e sur norte este oeste "))
		i--;
	if (i < 2 || token(s, i - 1)->type == WORD || in_code(s, i - 1) ||
		token(s, i - 1)->line != token(s, number)->line ||
		!is_one_of(token(s, i - 2)->text, types))
		return;
	s->key[s->number_len] = '\0';
	gsize digits = leading_digits(token(s, i - 1)->text);
	if (digits == 0)
		return;
	g_snprintf(s->key + s->number_len, sizeof s->key - s->number_len, "/%.*s%s", (int)digits,
		token(s, i - 1)->text,
		token(s, i - 2)->text[0] == 'c' && token(s, i - 2)->text[1] != 'r' ? "calle"
										   : "other");
	if (s->sink->may(s->key, MS_POSTAL_STREET, s->sink->user))
		s->sink->found(s->key, MS_POSTAL_STREET, token(s, MIN(i - 2, s->code))->start,
			token(s, MAX(number, s->code + s->code_len - 1))->end, s->sink->user);
}

/* "Rue Royale - Koningsstraat 72": the street in the other tongue, before token `end`. */
static void to_another_on_the_left(Search *s, guint number, guint end, bool all)
{
	guint line = token(s, end)->line, first = end, n = 0;
	while (first > 0 && n < MAX_STREET && is_street_word(s, first - 1, line) &&
		(n == 0 || !token(s, first)->comma || token(s, first)->dash)) {
		first--;
		n++;
	}
	for (guint i = 0; i < (all ? n : MIN(n, 1)); i++)
		try_street(s, number, first + i, n - i);
}

/* "Hauptstr. 5", "Calle Mayor, 5" */
static void to_the_left(Search *s, guint number)
{
	guint line = token(s, number)->line, first = number, n = 0;
	bool begins = number > 0 && token(s, number - 1)->line != line;
	if (begins) /* then the street may be the line above */
		line = token(s, number - 1)->line;
	if (first > 1 && token(s, first)->dash && token(s, first - 1)->type == NUMBER)
		first--; /* of "846/1" */
	while (first > 1 && token(s, first - 1)->line == line &&
		is_one_of(token(s, first - 1)->text, house_words))
		first--;
	if (first > 0 && first < number && token(s, first - 1)->line + 1 == token(s, first)->line) {
		line = token(s, first - 1)->line; /* "House number: 5" below "Street: Hauptstr." */
		begins = true;
	}
	while (first > 0 && n < MAX_STREET && is_street_word(s, first - 1, line) &&
		(n == 0 || !token(s, first)->comma || token(s, first)->dash)) {
		first--;
		n++;
	}
	if (n == 0 || is_unit(token(s, number - 1)->text) || is_quarter(token(s, number - 1)->text))
		return;
	bool all = !s->whole || s->lines < 2 || begins;
	for (guint i = 0; i < (all ? n : 1); i++)
		try_street(s, number, first + i, n - i);
	guint other = first + n - 1;
	while (other > first && !token(s, other)->bar)
		other--;
	if (other > 0 && token(s, other)->bar)
		to_another_on_the_left(s, number, other, all);
}

/* "House number: 12" above "Street: rue de la Paix", or above what is only the name of it. */
static void to_below(Search *s, guint number)
{
	guint line = token(s, number)->line, before = number, first = number + 1;
	while (before > 0 && token(s, before - 1)->line == line &&
		(is_one_of(token(s, before - 1)->text, house_words) ||
			is_one_of(token(s, before - 1)->text, "house street building ")))
		before--;
	if (before > 0 && token(s, before - 1)->line == line)
		return; /* the line is of something else */
	for (guint below = line + 1; below <= line + 2; below++) {
		guint n = 0;
		while (first + n < s->tokens->len && n < MAX_STREET &&
			is_street_word(s, first + n, below))
			n++;
		for (guint i = 0; i < n; i++)
			try_street(s, number, first + i, n - i);
		first += n;
	}
}

/* "12, rue de la Paix", "1600 Pennsylvania Ave" */
static void to_the_right(Search *s, guint number)
{
	guint line = token(s, number)->line, first = number + 1, n = 0;
	if (number > 0 && token(s, number - 1)->line == line && is_unit(token(s, number - 1)->text))
		return;
	if (first + 2 < s->tokens->len && is_one_of(token(s, first)->text, "sec section ") &&
		token(s, first + 1)->type == NUMBER) /* "No. 7, Sec. 4, Zhongxiao E. Rd." */
		first += 2;
	while (first + n < s->tokens->len && n < MAX_STREET && is_street_word(s, first + n, line) &&
		(n == 0 || !token(s, first + n)->comma || token(s, first + n)->dash) &&
		!is_unit(token(s, first + n)->text))
		n++;
	bool all = !s->whole || s->lines < 2;
	for (guint i = 0; i < (all ? n : MIN(n, 1)); i++)
		try_street(s, number, first, n - i);
	guint other = first + 1, end = first + n, m = 0;
	while (n > 0 && other < end && !token(s, other)->bar)
		other++;
	if (n == 0 || other >= s->tokens->len || !token(s, other)->bar)
		return; /* "72 rue Royale / Koningsstraat" */
	while (other + m < s->tokens->len && m < MAX_STREET && is_street_word(s, other + m, line) &&
		(m == 0 || !token(s, other + m)->comma))
		m++;
	for (guint i = 0; i < (all ? m : MIN(m, 1)); i++)
		try_street(s, number, other, m - i);
}

/* Of two numbers with a dash between, is the second one the house's as well: "846/1" of Czechia and
 * Slovakia, where the first is of a register, and "3/14 High Street", where it is a flat's? */
static bool is_second(const Search *s, guint i)
{
	const Token *t = token(s, i), *first = t - 1;
	if (first->type != NUMBER || t->type != NUMBER || t->start != first->end + 1 || first->hash)
		return false;
	/* Their postcode is 110 00; in Poland and Turkey the second number is a flat's. */
	bool czech = all_digits(first->text, 3, 4) && strlen(t->text) < strlen(first->text) &&
		s->code_len == 2 && strlen(token(s, s->code)->text) == 3 &&
		strcspn(s->key, "/") == 5;
	bool leads = i == 1 || first[-1].line != first->line ||
		first[-1].segment != first->segment || is_unit(first[-1].text);
	bool street = i + 1 < s->tokens->len && t[1].type == WORD && t[1].line == t->line &&
		!t[1].comma && !in_code(s, i + 1);
	return czech || (leads && street);
}

/* A house number, or what is written where there is none; its digits. */
static const char *house_number(const Search *s, guint i, gsize *digits_out)
{
	const Token *t = token(s, i);
	gsize digits = leading_digits(t->text);
	const char *rest = t->text + digits;
	*digits_out = digits;
	if (strcmp(t->text, "bb") == 0 || strcmp(t->text, "sn") == 0 ||
		(t->text[0] == 'n' && t->text[1] == '\0' && t->dash && i > 0 &&
			strcmp(token(s, i - 1)->text, "s") == 0)) {
		*digits_out = 1;
		return "0";
	}
	if (digits == 0 ||
		(rest[0] != '\0' && rest[1] != '\0' && !is_one_of(rest, "bis ter quater ")))
		return NULL;
	return t->text;
}

/* Is it, behind a counter or a dash, more of the number before it: "8丁目3番1号", "8-3-1"? */
static bool is_further(const Search *s, guint i, bool counted)
{
	const Token *t = token(s, i);
	if (i == 0 || t->type != NUMBER)
		return false;
	if (!counted && t->dash && t[-1].type == NUMBER && t[-1].end + 1 == t->start)
		return true;
	return i > 1 && t[-1].end == t->start && t[-2].end == t[-1].start && t[-2].type == NUMBER &&
		is_one_of(t[-1].text, "丁目 番 番地 番町 の ノ ");
}

/* In Japan a house has no number of its own street, but one of a block of a part of the town. */
static void add_blocks(Search *s, guint i, gsize at)
{
	const Token *code = token(s, s->code);
	if (s->code_len != 2 || strlen(code[0].text) != 3 || strlen(code[1].text) != 4)
		return;
	for (guint k = i + 1; k < s->tokens->len && k < i + MAX_BLOCKS; k++) {
		if (!is_further(s, k, false) && token(s, k)->type == NUMBER)
			return;
		if (token(s, k)->type == NUMBER)
			at += (gsize)g_snprintf(
				s->key + at, sizeof s->key - at, "-%s", token(s, k)->text);
		else if (k + 1 >= s->tokens->len || !is_further(s, k + 1, true))
			return;
	}
}

/* Boxes are written in groups: the digits of those behind token `i` that are of its number
 * ("Postfach 10 12 34") are appended at `at`. */
static void add_groups(Search *s, guint i, gsize at)
{
	if (i == 0 || !is_box(s, i, token(s, i - 1)))
		return;
	gsize n = strlen(token(s, i)->text);
	for (const Token *t = token(s, i) + 1; ++i < s->tokens->len && !in_code(s, i); t++) {
		gsize len = strlen(t->text);
		n += len;
		if (t->type != NUMBER || len > 3 || n > MAX_BOX || t->line != t[-1].line ||
			t->start != t[-1].end + 1 || t->comma || t->dash)
			break;
		at += (gsize)g_snprintf(s->key + at, sizeof s->key - at, "%s", t->text);
	}
}

/* Of two numbers the longer is the postcode, but where a box is meant. */
static bool may_be_house(const Search *s, guint i, gsize digits, gsize code_len)
{
	gsize code_digits = leading_digits(s->key);
	if (i > 0 && is_box(s, i, token(s, i - 1)))
		return digits <= MAX_BOX;
	return digits <= 5 && !(code_digits == code_len && digits > code_len && code_len > 3);
}

/* "9 de Julio" is a street. */
static bool is_day(const Search *s, guint number)
{
	guint month = number + 1;
	if (month < s->tokens->len && strcmp(token(s, month)->text, "de") == 0)
		month++;
	return month < s->tokens->len && is_one_of(token(s, month)->text, months);
}

static void with_number(Search *s, guint i)
{
	s->number = i;
	to_a_numbered_street(s, i);
	if (token(s, i)->hash || is_day(s, i))
		return;
	to_the_left(s, i);
	to_below(s, i);
	/* Behind a range of numbers. */
	guint line = token(s, i)->line, last = i;
	while (last + 1 < s->tokens->len && token(s, last + 1)->dash &&
		token(s, last + 1)->type != WORD && !in_code(s, last + 1))
		last++;
	while (last + 1 < s->tokens->len && token(s, last + 1)->line == line &&
		!in_code(s, last + 1) &&
		is_one_of(token(s, last + 1)->text, "a b c d e f g h bis ter quater "))
		last++;
	to_the_right(s, last);
}

static void around(Search *s)
{
	guint line = token(s, s->code)->line;
	guint from = s->code > NEAR ? s->code - NEAR : 0;
	guint until = MIN(s->tokens->len, s->code + s->code_len + NEAR);
	gsize code_len = strlen(s->key);
	for (guint i = from; i < until; i++) {
		const Token *t = token(s, i);
		gsize digits;
		const char *number = house_number(s, i, &digits);
		if (number == NULL || in_code(s, i) || !may_be_house(s, i, digits, code_len) ||
			(t->line > line ? t->line - line : line - t->line) > MAX_LINES)
			continue;
		if (s->whole && s->way == TOWN && t->segment >= token(s, s->code)->segment)
			continue;
		if (i > 0 && t->dash && token(s, i - 1)->type != WORD && !in_code(s, i - 1) &&
			!is_second(s, i))
			continue; /* of "4-6" the 4 counts, of "9/12" the 9 */
		if (is_further(s, i, true))
			continue;
		const char *plain = number + MIN(strspn(number, "0"), digits - 1);
		g_snprintf(s->key + code_len, sizeof s->key - code_len, "/%.*s",
			(int)(digits - (gsize)(plain - number)), plain);
		add_blocks(s, i, strlen(s->key));
		add_groups(s, i, strlen(s->key));
		s->number_len = strlen(s->key);
		if (s->sink->may(s->key, MS_POSTAL_NUMBER, s->sink->user))
			with_number(s, i);
		s->key[code_len] = '\0';
	}
}

/* "1100-053" is one postcode: neither half is one; of ZIP+4 the first is. */
static bool is_half(const Search *s, guint i)
{
	char code[MAX_KEY];
	if (i > 0 && token(s, i)->dash && all_digits(token(s, i)->text, 4, 4) &&
		all_digits(token(s, i - 1)->text, 5, 5))
		return true;
	return (i + 1 < s->tokens->len && token(s, i + 1)->dash &&
		       postcode(s->tokens, i, TWO_TOKENS, code) > 0) ||
		(i > 0 && token(s, i)->dash && postcode(s->tokens, i - 1, TWO_TOKENS, code) > 0);
}

static void by_way(Search *s, guint way)
{
	guint last = s->tokens->len > 0 ? token(s, s->tokens->len - 1)->segment : 0;
	for (guint i = 0; i < s->tokens->len; i++) {
		s->code = i;
		s->way = way;
		/* In what is to be stored eight digits are a telephone's sooner than Brazil's. */
		if (s->whole &&
			((way == ONE_TOKEN &&
				 (is_half(s, i) || all_digits(token(s, i)->text, 8, 8))) ||
				(way == TOWN && token(s, i)->segment + 1 < last)))
			continue;
		s->code_len = postcode(s->tokens, i, way, s->key);
		if (s->code_len > 0 && s->sink->may(s->key, MS_POSTAL_CODE, s->sink->user))
			around(s);
	}
}

/* What is found in an address to be stored, until it is known what the best of it is. */
typedef struct {
	char *key;
	MsPostalDepth depth;
	gsize start, end;
	guint number;
	Doubt doubt;
	bool beside; /* the number stands beside the postcode: "110 00 Praha 1" */
} Candidate;

static void clear_candidate(gpointer data)
{
	g_free(((Candidate *)data)->key);
}

static bool ask(const char *key, MsPostalDepth depth, void *user)
{
	const Search *s = user;
	return s->to->may(key, depth, s->to->user);
}

static void keep(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	Search *s = user;
	Candidate candidate = {g_strdup(key), depth, start, end, s->number, s->doubt,
		token(s, s->number)->segment == token(s, s->code)->segment};
	s->apart = s->apart || (!candidate.beside && s->doubt < NO_HOUSE);
	s->least = MIN(s->least, s->doubt);
	g_array_append_val(s->candidates, candidate);
}

/* The least doubt there is of each number, a token each. */
static guint8 *least_doubts(const Search *s)
{
	guint8 *of = g_malloc(s->tokens->len + 1); /* there may be none */
	memset(of, ONLY_FORMS, s->tokens->len + 1);
	for (guint i = 0; i < s->candidates->len; i++) {
		const Candidate *c = &g_array_index(s->candidates, Candidate, i);
		of[c->number] = (guint8)MIN(of[c->number], c->doubt);
	}
	return of;
}

static void find_whole(Search *s)
{
	MsPostalSink sink = {ask, keep, s, s->to->towns};
	g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
	g_array_set_clear_func(candidates, clear_candidate);
	s->candidates = candidates;
	s->least = ONLY_FORMS;
	s->sink = &sink;
	for (guint way = 0; way < N_WAYS; way++) {
		/* Less certain: only where there is nothing better. */
		if ((way == THREE_DIGITS && s->least < NO_HOUSE) ||
			(way == TOWN && (s->least < NO_HOUSE || !sink.towns)))
			break;
		by_way(s, way);
	}
	g_autofree guint8 *doubts = least_doubts(s);
	for (guint i = 0; i < candidates->len; i++) {
		const Candidate *c = &g_array_index(candidates, Candidate, i);
		bool surer = doubts[c->number] < c->doubt ||
			(c->doubt >= TOWN_BESIDE && s->least < MIN(c->doubt, NO_HOUSE));
		if ((!c->beside || !s->apart) && !surer)
			s->to->found(c->key, c->depth, c->start, c->end, s->to->user);
	}
	s->sink = s->to;
}

void ms_postal_find(const char *folded, gsize len, bool whole, const MsPostalSink *sink)
{
	g_autoptr(GArray) tokens = cut(folded, len);
	Search s = {.tokens = tokens, .sink = sink, .to = sink, .whole = whole};
	s.lines = tokens->len > 0 ? token(&s, tokens->len - 1)->line + 1 : 0;
	if (whole) {
		find_whole(&s);
		return;
	}
	for (guint way = 0; way < N_WAYS; way++)
		if (way != TOWN || sink->towns)
			by_way(&s, way);
}

static bool always(const char *key, MsPostalDepth depth, void *user)
{
	(void)key;
	(void)user;
	return depth != MS_POSTAL_NAME;
}

/* The surest: a box, then the longest postcode that is not a number of the street as well, then
 * the longest street. */
static void take_best(const char *key, MsPostalDepth depth, gsize start, gsize end, void *user)
{
	(void)depth;
	(void)start;
	(void)end;
	char **best = user;
	bool box = g_str_has_suffix(key, "/pobox"),
	     best_box = *best != NULL && g_str_has_suffix(*best, "/pobox");
	gsize code = strcspn(key, "/"), best_code = *best != NULL ? strcspn(*best, "/") : 0;
	if (best_box && !box)
		return;
	if (*best == NULL || (box && !best_box) || code > best_code ||
		(code == best_code && strlen(key) > strlen(*best))) {
		g_free(*best);
		*best = g_strdup(key);
	}
}

char *ms_postal_key(const char *folded, gsize len)
{
	char *best = NULL;
	MsPostalSink sink = {always, take_best, &best, false};
	ms_postal_find(folded, len, true, &sink);
	return best;
}
