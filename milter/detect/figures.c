/*
 * A number that stands behind a label comes in; out goes whether it is an amount, a share, a
 * quantity, a date, a telephone number or a page sooner than an identifier.  A worker's one thread.
 *
 * What only may be one is not lost: it is tentative, so that it counts if the directory knows it.
 * A number whose form an identifier never has (thousands and cents) beside a currency is none.
 */
#include "config.h"

#include <string.h>

#include "missent/scan.h"

#include "detect_private.h"

#define MAX_NUMBER 40 /* bytes of a number with all its groups */
#define MAX_AMOUNT 6  /* digits of an amount that nobody cuts into groups */
#define MAX_TOKEN 24  /* bytes of a word beside it */
#define MAX_BETWEEN 40
#define MIN_COMPOUND 6 /* letters of a unit that ends a word */
#define MAX_DATE 9 /* bytes before its last digit */
#define MAX_DIALLED 20 /* bytes of a telephone number on one side of some of its digits */

/* ---- words ---------------------------------------------------------------------------- */

typedef enum {
	WORD_NONE,
	WORD_MONEY,
	WORD_SHARE,
	WORD_MEASURE, /* stands behind what it counts, never before */
	WORD_UNIT,    /* "100 users", but "invoice 4711 items 3" */
	WORD_BEFORE,  /* the number behind it is no identifier */
	WORD_DOTTED,  /* the same, with a point behind it */
	WORD_DATED,   /* a date follows, and what stood before it was a number */
	WORD_OF,      /* "page 1 of 250" */
	WORD_SUM,     /* behind a currency: "40222 EUR gross" */
	WORD_NUMBER,  /* in a label, or behind it: an identifier follows */
	WORD_CUT,     /* the same with a point behind it, or between a name and what is known */
	WORD_JOIN,    /* a number before it and one behind it are the same: "as well as", "formerly" */
	WORD_LINK,    /* before "number" it names nothing: "the", "and", "my" */
	WORD_THING,   /* before "number" it is no customer's name: "order" */
} Word;

static const struct {
	Word word;
	const char *list;
} lists[] = {
	{WORD_MONEY,
		"euro euros eur teur keur euroa evro eura eurot cent cents ct dollar dollars dolar "
		"dolares dollari usd us$ c$ a$ hk$ nz$ r$ cad aud pound pounds sterling gbp "
		"franken franc francs fr sfr chf kr kronor kroner kronen krone korun koruna kc kcs "
		"czk sek nok dkk isk zl zlote zlotych zloty pln ft forint huf lei leu ron lv leva "
		"bgn руб рублей рубля рубль р rub грн гривень uah tl lira lire yen jpy 円 元 원 "
		"cny rmb krw rs rupees rupee inr rsd kuna kn hrk peso pesos reais brl mxn ars clp "
		"uyu dh dhs aed qar kwd bhd omr egp ils zar sgd myr thb idr php vnd hkd nzd ngn kzt "
		"lkr tnd twd € £ $ ¥ ₹ ₽ ₺ ₴ ₩ ₪ ฿ ₫ ₱ ₦ ¢ ៛ ₸ ₾"},
	{WORD_SHARE,
		"% ‰ percent prozent pourcent procent procenta procentow prozentpunkte pct proc vh"},
	{WORD_MEASURE,
		"stuck stk pcs pc pieces pz pezzi uds ud unidades szt sztuk ks kpl kg mg gr ml cl "
		"hl km cm mm qm m2 m3 kwh mwh gwh kw mw kwp kva gb mb tb kb gib mib tib gbit mbit "
		"kbit mhz ghz hz gbps mbps kbps g l m h std stunden hours hrs heures horas uur "
		"godzin min minuten minutes minuti minutos tage tagen days jours dias giorni dagen "
		"dni dagar dage paivaa monate monaten months meses mesi maanden miesiecy manader "
		"maneder wochen weeks semaines semanas settimane weken tygodni jahre jahren years "
		"ans annees anos anni lat uhr pm oclock mio mrd tsd million millionen millions "
		"milliarden thousand tausend x"},
	{WORD_UNIT,
		"seiten pages paginas pagine stron sidor sider lizenzen licenses licences licencias "
		"licenze users nutzer benutzer personen persons people personnes personas persone "
		"arbeitsplatze seats sitze platze punkte points puntos punti clients clientes "
		"mitarbeiter employees zeichen worter words items positionen lignes lines zeilen "
		"grad kartons paletten pallets palettes units piece utilisateurs utenti usuarios "
		"utilizadores gebruikers uzytkownikow brukere anvandare brugere kusu kusov"},
	{WORD_BEFORE,
		"tel telefon telefono telephone telefoon telefone tlf telefonnummer phone fon fone "
		"ph fax telefax mobil mobile mobiel movil celular cellulare cell handy gsm hotline "
		"durchwahl ext seite seiten page pages pg pag pagina paginas pagine str strona "
		"strony sida side sivu blatt folio pp § §§ art artikel article articles articulo "
		"articolo artigo artykul absatz section sec sect clause ziffer ziff paragraph "
		"paragraf par kapitel kap chapter chapitre klausel alinea anlage anhang annex "
		"annexe appendix allegato anexo bijlage zalacznik betrag summe gesamtbetrag "
		"gesamtsumme gesamt rechnungsbetrag endbetrag teilbetrag total totale amount sum "
		"montant somme importe importo bedrag totaal kwota suma valor valeur wert value "
		"preis price prix precio prezzo prijs cena preco netto brutto net gross ht ttc "
		"saldo balance uber menge anzahl quantity qty quantite cantidad quantita aantal "
		"ilosc quantidade plz zip postleitzahl postcode jahr year annee anno jaar rok "
		"zimmer room version"},
	{WORD_DOTTED, "s p z abs al cap"},
	{WORD_DATED,
		"vom dated date datum du del dd von am on of z dnia van av den af fra dne ze "
		"kelt datee fechada datata"},
	{WORD_SUM,
		"brutto netto gross net total due gesamt summe saldo balance inkl incl including excl "
		"excluding exkl zzgl plus per pro each monthly yearly annual monatlich jahrlich vat "
		"mwst ust tax ttc ht tva iva btw moms mva dph kdv alv afa totale totaal razem celkem "
		"compris impuestos steuer"},
	{WORD_OF, "of von sur de di da van z ze av af od til out aus su iz"},
	{WORD_NUMBER, "# ° n° 番号 编号 編號 号码 號碼 号 번호 संख्या"},
	{WORD_CUT, "c cd o cis st sz ident"},
	{WORD_JOIN,
		"sowie oder auch also oraz nebo well respektive beziehungsweise ainsi evenals fruher "
		"statt instead formerly previously bisher vormals ehemals plus former previous neue "
		"neuer neuen neues alte alter alten altes bisherige bisherigen fruhere ehemalige "
		"nouveau nouvelle ancien ancienne nuevo nueva antiguo antigua anterior nuovo nuova "
		"vecchio vecchia nieuw nieuwe oude vorige novo nova antigo antiga nowy stary novy "
		"nytt gammalt gammelt tidigare tidligere uusi vanha regi nou vechi yeni eski "
		"vorher zuvor vorige vorheriger earlier anciennement auparavant precedemment antes "
		"anteriormente precedentemente gia voorheen vroeger vroegere poprzedni poprzednia "
		"poprzednio dawniej puvodni drive drivejsi povodne predtym korabbi korabban "
		"aiemmin aikaisemmin fost fosta anterioara onceki vanem senine iepriekseja "
		"buves ankstesnis "
		"παλιοσ παλαιοσ παλια νεοσ νεα πρωην προηγουμενοσ старый старая старого новый "
		"новая нового прежний прежняя прежнего бывший ранее попередній попередня старий "
		"новий раніше колишній стар стара нов нова предишен бивш раније бивши"},
	{WORD_LINK,
		"replaces replaced becomes see ersetzt wird siehe gehort remplace devient voir "
		"sustituye reemplaza sostituisce diventa vervangt wordt substitui zastepuje "
		"nahrazuje ersatter erstatter "
		"and or incl the your our their his its my this that these those same own "
		"with under to from by at in on for as per via is are was now new old current "
		"next last other another second first third further additional extra "
		"following main right wrong correct und bzw ist der die das dem den des ein "
		"eine einer ihr ihre ihrer ihren unser unsere unserer mein meine dein deine "
		"sein seine diese dieser dieses jene mit unter zu zur zum von vom fur bei aus "
		"als wie nach neu alt andere anderer anderen weitere weiterer weiteren "
		"zusatzliche zweite zweiten erste ersten dritte folgende folgenden dieselbe "
		"derselben gleiche gleichen eigene richtige falsche aktuelle kunftige nachste "
		"letzte et ou le la les un une votre vos notre nos leur mon son ce cette avec "
		"sous par pour sur est autre autres deuxieme premier premiere suivant "
		"suivante meme actuel actuelle y e o u el los las su sus tu nuestro nuestra "
		"este esta con bajo por para es otro otra segundo segunda primero primera "
		"siguiente actual mismo misma ed il lo gli i suo sua vostro vostra nostro "
		"nostra questo altro altra secondo seconda primo prima seguente attuale "
		"stesso en of het de uw ons onze dit deze met onder voor oud ander tweede "
		"eerste volgende huidige zelfde os seu com sob outro outra atual mesmo lub a "
		"z pod dla panstwa nasz nasza twoj nowa stara inny inna drugi druga poprzedni "
		"kolejny nastepny aktualny vas vase nas s nove druhy jiny dalsi och eller "
		"ditt din ert er vart var med ny nya gammal gamla annan annat andra og deres "
		"jeres vores gamle anden andet andre ja tai toinen vagy az uj masik si sau "
		"noua veche ve veya diger gmbh ag kg ohg gbr ug se sa sarl sas srl spa ltd "
		"inc llc llp plc corp bv nv vof ab oy oyj aps kft zrt sro doo sp mr mrs ms "
		"herr frau m mme"},
	{WORD_THING,
		"order item job ticket po art article machine part serial delivery shipment tracking case "
		"batch lot booking project meter supplier vendor tax vat purchase sales quote "
		"quotation offer page line position route registration vehicle auftrag "
		"bestell bestellung bestellungs artikel lieferschein liefer serien angebot "
		"angebots projekt vorgang vorgangs steuer beleg commande livraison "
		"devis dossier pedido albaran articulo presupuesto ordine bolla articolo "
		"preventivo bestelling offerte encomenda zamowienia zlecenia artykulu "
		"objednavky tilaus ordre "
		/* places and devices */
		"warehouse dock gate container seal pallet box locker truck trailer driver tour "
		"flight train seat table terminal printer device model modell style sku product "
		"produkt catalog catalogue katalog drawing zeichnungs revision version batchno "
		"lager los charge chargen charg wagen fahrer fahrzeug touren tour zug sitz tisch "
		"gerat gerate typ teile ersatzteil sach muster palette paletten kanal "
		"entrepot quai chauffeur camion lot serie modele produit "
		"magazzino lotto autista modello prodotto almacen lote conductor producto "
		"magazijn chauffeur partij magazyn partii kierowcy seria serii sklad sarze "
		"lager parti chauffor vare varenr varu varunr artikkeli tuote "
		/* people who work there */
		"employee staff clerk cashier agent personal mitarbeiter sachbearbeiter "
		"bearbeiter berater vertreter verkaufer kassierer techniker monteur "
		"vendeur caissier conseiller technicien operatore addetto venditore empleado "
		"vendedor operador medewerker verkoper pracownika sprzedawcy "
		/* papers, and what is on them */
		"form voucher coupon cheque check permit licence license certificate "
		"formular blatt kassen kasse bon zahlschein scheck gutschein positions pos seiten "
		"seite druck pruf kontroll register genehmigungs zulassungs patent katalognummer "
		"abteilungs kostenstellen caisse cheque bordereau formulaire cassa assegno "
		"modulo caja cheque formulario kassa formulier kasy czeku formularza "
		/* where one is reached */
		"phone fax mobile room house telefon mobil zimmer haus hausnummer telefax "
		"telephone chambre telefono camera habitacion telefoon kamer pokoju"},
};

static GHashTable *words; /* folded, in small letters, to Word + 1; WORD_OF is asked by itself */
static GHashTable *dates, *parts, *sums, *links; /* links: WORD_JOIN and what is below it */

/* In small letters; of folded text.  The caller's, or `room`. */
static const char *small_of(const char *text, gsize len, char room[MAX_TOKEN + 1], char **free_out)
{
	gsize i = 0;
	for (; i < len && i < MAX_TOKEN && (text[i] & 0x80) == 0; i++)
		room[i] = ms_small(text[i]);
	room[i] = '\0';
	*free_out = i < len ? g_utf8_strdown(text, (gssize)len) : NULL;
	return *free_out != NULL ? *free_out : room;
}

static void add_word(GHashTable *table, const char *small, Word word)
{
	if (!g_hash_table_contains(table, small))
		g_hash_table_insert(table, g_strdup(small), GUINT_TO_POINTER(word + 1));
}

static void add_number_word(const char *small)
{
	add_word(words, small, WORD_NUMBER);
}

void ms_detect_fill_words(void)
{
	static gsize done;
	if (!g_once_init_enter(&done))
		return;
	words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	dates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	parts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		Word word = lists[i].word;
		GHashTable *table = word >= WORD_JOIN ? links : words;
		table = word == WORD_DATED ? dates : word == WORD_OF ? parts : table;
		table = word == WORD_SUM ? sums : table;
		g_auto(GStrv) list = g_strsplit(lists[i].list, " ", -1);
		for (int k = 0; list[k] != NULL; k++) {
			g_autoptr(MsFold) fold = ms_fold_new(list[k], strlen(list[k]));
			g_autofree char *small = g_utf8_strdown(fold->text, (gssize)fold->len);
			add_word(table, small, word);
		}
	}
	ms_name_each_number(add_number_word);
	g_once_init_leave(&done, 1);
}

static Word look_up_small(GHashTable *table, const char *small)
{
	guint word = GPOINTER_TO_UINT(g_hash_table_lookup(table, small));
	return word > 0 ? (Word)(word - 1) : WORD_NONE;
}

static Word look_up(GHashTable *table, const char *text, gsize len)
{
	if (len == 0 || len > MAX_TOKEN || g_ascii_isdigit(*text)) /* as none of them begins */
		return WORD_NONE;
	char room[MAX_TOKEN + 1];
	g_autofree char *other = NULL;
	return look_up_small(table, small_of(text, len, room, &other));
}

bool ms_detect_says_number(const char *word, gsize len)
{
	Word is = look_up(words, word, len);
	return is == WORD_NUMBER || is == WORD_CUT;
}

bool ms_detect_links(const char *word, gsize len)
{
	Word is = look_up(links, word, len);
	return is == WORD_JOIN || is == WORD_LINK;
}

bool ms_detect_is_thing(const char *word, gsize len)
{
	return look_up(links, word, len) == WORD_THING;
}

/* "of the", behind such a word and before what it is a number of. */
bool ms_detect_says_of(const char *word, gsize len)
{
	return ms_name_is_particle(word, len) || (len == 1 && strchr("ei", *word) != NULL);
}

/* ---- tokens --------------------------------------------------------------------------- */

static bool is_letter(char c)
{
	return g_ascii_isalpha(c) || (c & 0x80) != 0 || c == '$' || c == '%' || c == '#';
}

static gsize skip_blanks(const MsFold *fold, gsize at, const char *set)
{
	while (at < fold->len && fold->text[at] != '\0' && strchr(set, fold->text[at]) != NULL)
		at++;
	return at;
}

static gsize back_over(const MsFold *fold, gsize at, gsize from, const char *set)
{
	while (at > from && fold->text[at - 1] != '\0' && strchr(set, fold->text[at - 1]) != NULL)
		at--;
	return at;
}

/* The end of the letters (a sign of a currency is one) at `at`. */
static gsize letters_end(const MsFold *fold, gsize at)
{
	gsize end = at;
	while (end < fold->len && end - at <= MAX_TOKEN && is_letter(fold->text[end]))
		end++;
	return end;
}

static gsize letters_start(const MsFold *fold, gsize at, gsize from)
{
	gsize start = at;
	while (start > from && at - start <= MAX_TOKEN && is_letter(fold->text[start - 1]))
		start--;
	return start;
}

/* ---- numbers -------------------------------------------------------------------------- */

typedef struct {
	gsize start, end; /* of the whole number, in the fold */
	guint digits;     /* before the cents */
	bool valid;       /* it is cut into groups as numbers are */
	bool grouped;     /* it is cut at all ... */
	char mark;        /* ... by this */
	char cents;       /* the mark before the cents; 0: none */
	guint n_cents;    /* 0 with a mark: a dash */
} Number;

/* The length of the mark at `at` that may cut a number into thousands; 0: none. */
static gsize mark_at(const MsFold *fold, gsize at, char *mark)
{
	const char *p = fold->text + at;
	*mark = *p;
	if (*p == '.' || *p == ',' || *p == '\'' || *p == ' ')
		return 1;
	if (g_str_has_prefix(p, "\xe2\x80\x99")) { /* the apostrophe of Swiss amounts */
		*mark = '\'';
		return 3;
	}
	if (g_str_has_prefix(p, "\xc2\xb7") || g_str_has_prefix(p, "\xc2\xb4")) {
		*mark = '\'';
		return 2;
	}
	return 0;
}

static guint count_digits(const MsFold *fold, gsize at)
{
	guint n = 0;
	while (at + n < fold->len && n < MAX_NUMBER && g_ascii_isdigit(fold->text[at + n]))
		n++;
	return n;
}

/* Groups of three behind one of up to three; in India of two before the last. */
static gsize read_groups(const MsFold *fold, gsize at, Number *n)
{
	guint first = count_digits(fold, at);
	n->digits = first;
	at += first;
	for (guint groups = 0; first <= 3 && groups < 6; groups++) {
		char mark;
		gsize len = mark_at(fold, at, &mark);
		guint more = len > 0 ? count_digits(fold, at + len) : 0;
		bool pair = more == 2 && mark == ',' &&
			mark_at(fold, at + len + 2, &(char){0}) > 0 &&
			count_digits(fold, at + len + 3) >= 2 && fold->text[at + len + 2] == ',';
		if ((more != 3 && !pair) || (n->grouped && mark != n->mark))
			break;
		n->grouped = true;
		n->mark = mark;
		n->digits += more;
		at += len + more;
	}
	return at;
}

static gsize read_cents(const MsFold *fold, gsize at, Number *n)
{
	char mark = at < fold->len ? fold->text[at] : '\0';
	if ((mark != ',' && mark != '.' && mark != ':') || (n->grouped && mark == n->mark))
		return at;
	n->n_cents = count_digits(fold, at + 1);
	if (n->n_cents > 0 && n->n_cents <= 4 && mark != ':') {
		n->cents = mark;
		return at + 1 + n->n_cents;
	}
	n->n_cents = 0;
	gsize end = at + 1;
	while (end < fold->len && fold->text[end] == '-' && end < at + 3)
		end++;
	if (end == at + 1 || (end < fold->len && g_ascii_isdigit(fold->text[end])))
		return at;
	n->cents = mark;
	return end;
}

/* Where the number begins of which the digit at `at` is one: "1'" before "897", and "01.02." */
static gsize number_start(const MsFold *fold, gsize at)
{
	gsize start = at, least = at > MAX_NUMBER ? at - MAX_NUMBER : 0;
	while (start > least) {
		gsize before = start;
		while (before > least && g_ascii_isdigit(fold->text[before - 1]))
			before--;
		if (before == start) {
			gsize gap = 1;
			char mark;
			while (gap < 4 && before >= gap + 1 &&
				mark_at(fold, before - gap, &mark) != gap)
				gap++;
			bool cut = gap < 4 && before >= gap + 1 &&
				g_ascii_isdigit(fold->text[before - gap - 1]);
			if (!cut || (mark == ' ' && count_digits(fold, start) != 3))
				return start;
			before -= gap;
		}
		start = before;
	}
	return start;
}

static bool goes_on(const MsFold *fold, gsize at)
{
	if (at >= fold->len)
		return false;
	char c = fold->text[at], next = at + 1 < fold->len ? fold->text[at + 1] : '\0';
	return g_ascii_isalnum(c)
		? g_ascii_isdigit(c)
		: c != '\0' && strchr("-./_,:", c) != NULL && g_ascii_isdigit(next);
}

static void read_number(const MsFold *fold, gsize at, Number *n)
{
	*n = (Number){.start = at};
	n->end = read_cents(fold, read_groups(fold, at, n), n);
	n->valid = n->digits > 0 && !goes_on(fold, n->end);
}

/* The number that [start, end) is, or is in. */
static void number_of(const MsFold *fold, gsize start, gsize end, Number *n)
{
	gsize first = number_start(fold, start);
	read_number(fold, first, n);
	/* "Vertrag 4711 125,50 EUR": the blank is between two numbers, not within one. */
	while ((!n->valid || n->end < end) && first < start) {
		while (first < start && g_ascii_isdigit(fold->text[first]))
			first++;
		while (first < start && !g_ascii_isdigit(fold->text[first]))
			first++;
		read_number(fold, first, n);
	}
	n->valid = n->valid && n->end >= end;
}

/* Cents behind a comma, or thousands cut by another mark than cents, or by an apostrophe. */
static bool is_sum_by_form(const Number *n)
{
	return n->valid && n->mark != ' ' &&
		((n->grouped && (n->cents != '\0' || n->mark == '\'')) ||
			(n->cents != '\0' && n->n_cents == 0));
}

/* ---- what stands beside --------------------------------------------------------------- */

static bool money_before(const MsFold *fold, gsize from, gsize start)
{
	gsize at = back_over(fold, start, MAX(from, start > 3 ? start - 3 : 0), " \t.:=+-");
	gsize word = letters_start(fold, at, from);
	if (word == at || look_up(words, fold->text + word, at - word) != WORD_MONEY)
		return false;
	gsize before = back_over(fold, word, word > 2 ? word - 2 : 0, " \t");
	return before == 0 || !g_ascii_isdigit(fold->text[before - 1]); /* else it is that one's */
}

static bool has_cents(const MsFold *fold, gsize at)
{
	Number n;
	read_number(fold, at, &n);
	return n.cents != '\0';
}

static bool is_capital(const MsFold *fold, gsize at)
{
	return at < fold->len &&
		g_unichar_isupper((fold->text[at] & 0x80) != 0
				? g_utf8_get_char(fold->text + at)
				: (gunichar)fold->text[at]);
}

/* "50131 Days Inn", "50131 P. Weber", "50131 Euro Trans GmbH": units are written small, or have no
 * name behind them. */
static bool begins_name(const MsFold *fold, gsize at, gsize until)
{
	gsize next = until + (until < fold->len && fold->text[until] == '.');
	if (!is_capital(fold, at) || next >= fold->len)
		return false;
	if (fold->text[next] == '-')
		return is_letter(fold->text[next + 1]);
	gsize end = letters_end(fold, next + 1);
	bool is_sum = look_up(sums, fold->text + next + 1, end - next - 1) == WORD_SUM;
	return fold->text[next] == ' ' &&
		((is_capital(fold, next + 1) && !is_sum) ||
			g_str_has_prefix(fold->text + next, " & "));
}

/* A currency, share or unit behind a number, unless it belongs to the number behind it; in
 * `name_out` whether it may be the beginning of a name. */
static Word word_behind(const MsFold *fold, gsize end, bool *name_out)
{
	gsize at = end + (end < fold->len && fold->text[end] == ' ');
	if (at < fold->len && fold->text[at] == '-' && at == end)
		at++;
	gsize until = letters_end(fold, at);
	if (until < fold->len && (g_ascii_isdigit(fold->text[until]) || fold->text[until] == '_'))
		until += fold->text[until] == '2' || fold->text[until] == '3'; /* m2, m3 */
	Word word = look_up(words, fold->text + at, until - at);
	for (gsize len = MIN_COMPOUND; word == WORD_NONE && at + len + 2 < until; len++)
		if (look_up(words, fold->text + until - len, len) == WORD_UNIT)
			word = WORD_UNIT; /* "Bonuspunkte" */
	if (word != WORD_MONEY && word != WORD_SHARE && word != WORD_MEASURE && word != WORD_UNIT)
		return WORD_NONE;
	if (word == WORD_MEASURE && until - at == 1 &&
		(at == end || !g_ascii_islower(fold->text[at])))
		return WORD_NONE; /* "4711 L. Smith" */
	if (until < fold->len && (g_ascii_isalnum(fold->text[until]) || fold->text[until] == '@'))
		return WORD_NONE; /* "%20", "M4711" */
	gsize next = skip_blanks(fold, until, " \t.:");
	bool number = next < fold->len && g_ascii_isdigit(fold->text[next]);
	bool named = memchr(fold->text + until, ':', next - until) != NULL;
	bool joined = until < fold->len && fold->text[until] == '-' && until + 1 < fold->len &&
		is_letter(fold->text[until + 1]);
	bool elsewhere = (word == WORD_MONEY && (number || joined)) ||
		(word == WORD_UNIT && (joined || (number && !has_cents(fold, next))));
	*name_out = begins_name(fold, at, until);
	return named || elsewhere ? WORD_NONE : word;
}

/* Where a line ends above what begins one at `at`, quoted perhaps, if it has but one word, and the
 * label its number before: "Customer no.\nC-10001\nQuantity:\n417"; or `at`. */
static gsize back_over_line(const MsFold *fold, gsize at, gsize from)
{
	gsize line = back_over(fold, at, from, " \t>");
	if (line == from || fold->text[line - 1] != '\n')
		return at;
	gsize end = back_over(fold, line - 1, from, " \t\r:"), word = letters_start(fold, end, from);
	gsize start = back_over(fold, word, from, " \t>");
	return word < end && start > from && fold->text[start - 1] == '\n' &&
			ms_has_digit(fold->text + from, start - from)
		? end
		: at;
}

/* The word before a number, in `point` whether a point stands between. */
static Word word_before(const MsFold *fold, gsize from, gsize start)
{
	gsize at = back_over(fold, start, from, " \t.:+(-\xc2\xa0");
	at = back_over_line(fold, at, from);
	gsize word = letters_start(fold, at, from);
	Word is = look_up(words, fold->text + word, at - word);
	if (is == WORD_DOTTED && (at >= fold->len || fold->text[at] != '.'))
		return WORD_NONE;
	return is;
}

/* "1 of 250" */
static bool is_part_of(const MsFold *fold, gsize from, gsize start)
{
	gsize at = back_over(fold, start, from, " ");
	gsize word = letters_start(fold, at, from);
	if (at == word || look_up(parts, fold->text + word, at - word) != WORD_OF)
		return false;
	gsize before = back_over(fold, word, from, " ");
	return before > from && before < word && g_ascii_isdigit(fold->text[before - 1]);
}

bool ms_detect_asks_for_number(const MsFold *fold, gsize from, gsize until)
{
	for (gsize at = from; at < until;) {
		gsize end = letters_end(fold, at);
		end = MIN(end, until);
		if (end == at) {
			at++;
			continue;
		}
		char room[MAX_TOKEN + 1];
		g_autofree char *other = NULL;
		const char *small = small_of(fold->text + at, end - at, room, &other);
		Word word = look_up_small(words, small);
		if (word == WORD_NUMBER || (word == WORD_CUT && fold->text[end] == '.') ||
			strstr(small, "numm") != NULL || strstr(small, "numer") != NULL ||
			strstr(small, "number") != NULL || strstr(small, "referen") != NULL ||
			g_str_has_suffix(small, "nr") || g_str_has_suffix(small, "nro") ||
			g_str_has_suffix(small, "kod") || g_str_has_suffix(small, "code"))
			return true;
		at = end;
	}
	return false;
}

/* ---- dates and times ------------------------------------------------------------------ */

static guint two_at(const MsFold *fold, gsize at, guint digits)
{
	guint n = 0;
	for (guint i = 0; i < digits; i++)
		n = n * 10 + (guint)(fold->text[at + i] - '0');
	return n;
}

/* The end of the date that begins at `at`; 0: none does. */
static gsize date_end(const MsFold *fold, gsize at)
{
	guint n[3], value[3];
	gsize place = at;
	char mark = '\0';
	for (int i = 0; i < 3; i++) {
		n[i] = count_digits(fold, place);
		if (n[i] == 0 || n[i] > 4 || (n[i] == 3))
			return 0;
		value[i] = two_at(fold, place, n[i]);
		place += n[i];
		if (i == 2)
			break;
		if (place >= fold->len || (mark != '\0' && fold->text[place] != mark) ||
			strchr("./-", fold->text[place]) == NULL || fold->text[place] == '\0')
			return 0;
		mark = fold->text[place++];
	}
	bool first = n[0] == 4 && n[1] <= 2 && n[2] <= 2;
	bool last = n[0] <= 2 && n[1] <= 2 && (n[2] == 4 || n[2] == 2);
	guint day = first ? value[2] : value[0], month = value[1];
	bool longer = place + 1 < fold->len && fold->text[place] == mark &&
		g_ascii_isdigit(fold->text[place + 1]);
	bool fine = !longer && (first || last) && day >= 1 && day <= 31 && month >= 1 &&
		month <= 31 && (day <= 12 || month <= 12);
	return fine ? place : 0;
}

/* The date that the digit at `at` is of, which begins at `from_out`: its end; 0: it is of none. */
static gsize date_around(const MsFold *fold, gsize at, gsize *from_out)
{
	for (gsize back = 0; back <= MAX_DATE && back <= at; back++) {
		gsize from = at - back;
		if (!g_ascii_isdigit(fold->text[from])) {
			if (back == 0 || strchr("./-", fold->text[from]) == NULL)
				return 0;
			continue;
		}
		if (from > 0 &&
			(g_ascii_isalnum(fold->text[from - 1]) || fold->text[from - 1] == '_'))
			continue;
		bool longer = from > 1 && strchr("./-", fold->text[from - 1]) != NULL &&
			g_ascii_isdigit(fold->text[from - 2]);
		gsize until = longer ? 0 : date_end(fold, from);
		if (until > at) {
			*from_out = from;
			return until;
		}
	}
	return 0;
}

bool ms_detect_is_decimal(const MsFold *fold, gsize start, gsize end)
{
	const char *comma = memchr(fold->text + start, ',', end - start);
	return comma != NULL && comma == fold->text + end - 3 &&
		count_digits(fold, start) == end - start - 3 && count_digits(fold, end - 2) == 2;
}

MsDated ms_detect_of_date(const MsFold *fold, gsize start, gsize end)
{
	gsize from, until = date_around(fold, start, &from);
	if (until > 0 && from < start)
		return MS_DATED_BEHIND;
	if (until >= end)
		return until == end ? MS_DATED_WHOLE : MS_DATED_BEGINS;
	bool ends = until == 0 && date_around(fold, end - 1, &from) > 0;
	return until > 0 || ends ? MS_DATED_ACROSS : MS_DATED_NOT;
}

typedef struct {
	bool letters;
	gsize start, len;
} Piece;

static guint cut_pieces(const char *text, gsize len, Piece pieces[4])
{
	guint n = 0;
	for (gsize i = 0; i < len;) {
		Piece piece = {g_ascii_isalpha(text[i]) != 0, i, 0};
		while (i < len &&
			(piece.letters ? g_ascii_isalpha(text[i]) : g_ascii_isdigit(text[i])))
			i++;
		piece.len = i - piece.start;
		if (n == 4 || piece.len == 0)
			return 0;
		pieces[n++] = piece;
		i += i < len && strchr("./_-", text[i]) != NULL && text[i] != '\0';
	}
	return n;
}

static bool piece_is(const char *text, const Piece *piece, const char *list)
{
	char word[8] = " ";
	if (!piece->letters || piece->len > 4)
		return false;
	for (gsize i = 0; i < piece->len; i++)
		word[1 + i] = g_ascii_tolower(text[piece->start + i]);
	word[1 + piece->len] = ' ';
	return strstr(list, word) != NULL;
}

static bool is_year(const char *text, const Piece *piece)
{
	return !piece->letters &&
		(piece->len == 2 ||
			(piece->len == 4 &&
				(strncmp(text + piece->start, "19", 2) == 0 ||
					strncmp(text + piece->start, "20", 2) == 0)));
}

/* 14h30, Q3/2024, 2024-Q3, KW32/2024, FY2024 */
static bool is_period(const char *text, gsize len)
{
	static const char quarters[] = " q h t kw cw w ";
	Piece p[4];
	guint n = len > 12 ? 0 : cut_pieces(text, len, p);
	if (n == 2)
		return piece_is(text, &p[0], " fy gj kw cw ") && is_year(text, &p[1]);
	if (n == 4 && !piece_is(text, &p[3], " min "))
		return false;
	if (n < 3)
		return false;
	if (piece_is(text, &p[1], " h u ") && p[0].len <= 2 && p[2].len == 2 && !p[0].letters)
		return true;
	return n == 3 &&
		((piece_is(text, &p[0], quarters) && p[1].len <= 2 && is_year(text, &p[2])) ||
			(p[0].len == 4 && is_year(text, &p[0]) && piece_is(text, &p[1], quarters) &&
				p[2].len <= 2));
}

/* ---- what another word names ----------------------------------------------------------- */

#define LEAST_NAME 4 /* letters: "and", "to", "neu" name nothing */

/* What short names are of: of registers, of banks, of an extension.  Others may be a customer's
 * ("4710 Muster AG 4711 Meyer KG"). */
static bool is_register(const char *small)
{
	static const MsListed registers[] = {MS_LISTED("hrb"), MS_LISTED("hra"), MS_LISTED("vr"),
		MS_LISTED("rcs"), MS_LISTED("rea"), MS_LISTED("kvk"), MS_LISTED("krs"),
		MS_LISTED("blz"), MS_LISTED("plz"), MS_LISTED("dw"), MS_LISTED("abi"),
		MS_LISTED("cab"), MS_LISTED("nip"), MS_LISTED("ico"), MS_LISTED("cui"),
		MS_LISTED("cif"), MS_LISTED("nif"), MS_LISTED("fn")};
	return ms_detect_is_listed(registers, G_N_ELEMENTS(registers), small, strlen(small));
}

/* Is there a word right before what is at `start`, or in the cell before it, which says what it is?
 * "4710 branch 4711", but not "4710 as well as 4711", "4710 AND 4711" and "4710 (Meyer), 4711". */
static bool has_name_before(const MsFold *fold, gsize from, gsize start)
{
	gsize at = back_over(fold, start, from, " \t|:.#=\"'"), word = letters_start(fold, at, from);
	if (at == start || at == word)
		return false;
	char room[MAX_TOKEN + 1];
	g_autofree char *other = NULL;
	const char *small = small_of(fold->text + word, at - word, room, &other);
	if (at - word < LEAST_NAME)
		return is_register(small);
	return look_up_small(words, small) < WORD_NUMBER &&
		look_up_small(links, small) != WORD_JOIN;
}

/* ---- all of it ------------------------------------------------------------------------ */

static bool is_plain_number(const MsFold *fold, gsize start, gsize end)
{
	gsize dashes = 0;
	for (gsize i = start; i < end; i++) {
		dashes += fold->text[i] == '-';
		if (!g_ascii_isdigit(fold->text[i]) && strchr(".,-", fold->text[i]) == NULL)
			return false;
	}
	return end > start && g_ascii_isdigit(fold->text[start]) && dashes <= 1;
}

/* "EUR1897", "Art.123", "100GB": the letters glued before or behind the digits. */
static void split(const MsFold *fold, gsize *start, gsize *end, Word *before, Word *behind)
{
	gsize first = letters_end(fold, *start), last = letters_start(fold, *end, *start);
	gsize digits = first + (first > *start && first < *end && fold->text[first] == '.');
	Word word = first > *start && first < *end
		? look_up(words, fold->text + *start, first - *start)
		: WORD_NONE;
	bool glued = word == WORD_MONEY || (digits > first && word == WORD_BEFORE);
	if (glued && digits < *end) {
		*before = word;
		*start = digits;
	}
	word = last < *end && last > *start ? look_up(words, fold->text + last, *end - last)
					    : WORD_NONE;
	if ((word == WORD_MONEY || word == WORD_MEASURE) && *end - last >= 2) {
		*behind = word;
		*end = last;
	}
}

/* Where the groups of digits end that one mark sets apart each; a date is none of them. */
static gsize groups_end(const MsFold *fold, gsize at)
{
	gsize limit = MIN(fold->len, at + MAX_DIALLED);
	while (at < limit) {
		if (!g_ascii_isdigit(fold->text[at]) &&
			(fold->text[at] == '\0' || strchr(" /-.", fold->text[at]) == NULL ||
				!g_ascii_isdigit(fold->text[at + 1]) ||
				date_end(fold, at + 1) > 0))
			break;
		at++;
	}
	return at;
}

static guint digits_in(const MsFold *fold, gsize from, gsize until)
{
	guint digits = 0;
	for (; from < until; from++)
		digits += g_ascii_isdigit(fold->text[from]) != 0;
	return digits;
}

/* A telephone number begins with a +, or with a code in brackets; but "4710+4711" are two, and
 * "(01) 4710 (02) 47110" is a list. */
bool ms_detect_is_dialled(const MsFold *fold, gsize from, gsize start, gsize end)
{
	gsize at = back_over(
		fold, start, MAX(from, start > 12 ? start - 12 : 0), "0123456789 /()-.");
	gsize until = groups_end(fold, end);
	if (at > from && fold->text[at - 1] == '+')
		return digits_in(fold, at, until) >= 7 && g_ascii_isdigit(fold->text[at]) &&
			(at < 2 || !g_ascii_isdigit(fold->text[at - 2]));
	const char *open = memrchr(fold->text + at, '(', start - at);
	if (open == NULL || open[1] != '0')
		return false;
	gsize code = (gsize)(open - fold->text), closed = code + 1 + count_digits(fold, code + 1);
	bool trunk = closed == code + 2;
	return fold->text[closed] == ')' && (trunk || digits_in(fold, at, code) == 0) &&
		digits_in(fold, at, until) >= (closed == code + 3 ? 9 : 7);
}

/* Where the groups of digits begin that one blank sets apart each. */
static gsize groups_start(const MsFold *fold, gsize from, gsize start)
{
	gsize first = start, least = MAX(from, start > MAX_DIALLED ? start - MAX_DIALLED : 0);
	while (first > least + 1 && fold->text[first - 1] == ' ' &&
		g_ascii_isdigit(fold->text[first - 2]))
		first = back_over(fold, first - 1, least, "0123456789");
	return first;
}

/* "020 7946 0958", "(030) 1234567": is it one or some groups of a number that begins with a 0?  A
 * number that has many digits itself is meant as it stands; and groups of one length may be as
 * many numbers ("0612 4471 2098"), unless they are pairs. */
static bool is_national(const MsFold *fold, gsize first, gsize start, gsize end)
{
	guint digits = 0, groups = 0, within = 0, least = G_MAXUINT, most = 0;
	bool ends = false;
	if (fold->text[first] != '0')
		return false;
	for (gsize at = first; groups < 8; at++) {
		guint n = count_digits(fold, at);
		if (n < 2)
			return false;
		digits += n;
		within += at >= start && at < end ? n : 0;
		least = MIN(least, n);
		most = MAX(most, n);
		groups++;
		at += n;
		ends = ends || at == end;
		at += groups == 1 && first > 0 && fold->text[first - 1] == '(' &&
			fold->text[at] == ')';
		if (fold->text[at] != ' ' || !g_ascii_isdigit(fold->text[at + 1]))
			break;
	}
	return groups > 1 && ends && within < 7 && digits >= 9 && digits <= 13 &&
		(least < most || most == 2);
}

typedef struct {
	const MsFold *fold;
	gsize from, start, end; /* behind the label; the digits */
	bool asked;             /* for a number, right before it */
	Word before, behind;
	bool name; /* what is behind may begin one */
	Number number;
} Case;

/* "1897.85", but not "4711.01" or "17.24", where a part, a month or a year follows. */
static bool is_price(const MsFold *fold, const Number *n)
{
	if (n->cents != '.' || n->n_cents != 2)
		return false;
	guint cents = two_at(fold, n->end - 2, 2);
	return cents == 0 || cents > 30;
}

/* Then what the label asks for stands there already. */
static bool has_digit(const MsFold *fold, gsize from, gsize until)
{
	return from < until && ms_has_digit(fold->text + from, until - from);
}

/* Right behind its label, or another number of it, one may be set in groups of whatever kind
 * ("Vertrag 001 4471 20981, 01 4472 00093"), and behind a label of many there may be as many. */
static bool is_phone(const Case *c, gsize label)
{
	gsize first = groups_start(c->fold, c->from, c->start);
	bool led = has_digit(c->fold, c->from, first);
	return (led ? has_name_before(c->fold, c->from, first) &&
				!ms_kind_label_of_many(c->fold->text + label, c->from - label)
		    : first == c->start && !c->asked) &&
		is_national(c->fold, first, c->start, c->end);
}

static MsFigure of_number(Case *c)
{
	const Number *n = &c->number;
	bool cut = n->cents != '\0' || n->grouped;
	bool counted = c->behind == WORD_UNIT || c->behind == WORD_MEASURE;
	bool money = c->before == WORD_MONEY || c->behind == WORD_MONEY || c->behind == WORD_SHARE;
	if (!n->valid) {
		bool small = is_plain_number(c->fold, c->start, c->end) && c->end - c->start <= 9;
		return small && !c->asked && (money || counted) ? MS_FIGURE_PERHAPS
								: MS_FIGURE_NONE;
	}
	if (is_sum_by_form(n) || (money && cut && n->mark != ' '))
		return c->asked ? MS_FIGURE_PERHAPS : MS_FIGURE_SURELY;
	if (n->start < c->start && (n->cents != '\0' || n->mark != ' ' || money))
		return MS_FIGURE_PERHAPS; /* the end of a number is none */
	if (n->cents == ',' && n->n_cents <= 2)
		return MS_FIGURE_PERHAPS;
	if (n->grouped && n->mark == ',' && !c->asked)
		return MS_FIGURE_PERHAPS;
	if (!c->asked && is_price(c->fold, n))
		return MS_FIGURE_PERHAPS;
	if (c->before == WORD_MONEY || (cut && (money || counted)))
		return MS_FIGURE_PERHAPS;
	if (!c->asked && n->digits <= MAX_AMOUNT && (money || counted))
		return MS_FIGURE_PERHAPS;
	return MS_FIGURE_NONE;
}

/* "Tel. 0221 4711", "Fax (0221) 4711", but not "(Tel. 0221 1897) 4711". */
static bool is_group(const MsFold *fold, gsize from, gsize start)
{
	gsize groups = back_over(fold, start, from, "0123456789 /()-"), opened = 0, closed = 0;
	for (gsize i = groups; i < start; i++) {
		opened += fold->text[i] == '(';
		closed += fold->text[i] == ')';
	}
	return groups < start && opened == closed &&
		word_before(fold, from, groups) == WORD_BEFORE;
}

/* Numbers one behind another with commas between, as in a file of such: none has cents. */
static bool is_listed(const MsFold *fold, const Number *n)
{
	char before = n->start > 0 ? fold->text[n->start - 1] : '\0';
	return n->cents == ',' && n->n_cents > 0 &&
		(before == ',' || before == ';' || before == '"' ||
			(n->end < fold->len && strchr(",;\"", fold->text[n->end]) != NULL &&
				n->end + 1 < fold->len &&
				!g_ascii_isspace(fold->text[n->end + 1])));
}

/* "contract value 70711 EUR", "contract price of EUR 70711", "contract quantity: 70711 MWh": does a
 * word behind the label say that a figure follows? */
static bool is_told_sum(const Case *c)
{
	const MsFold *fold = c->fold;
	bool unit = c->before == WORD_MONEY || c->behind != WORD_NONE;
	if (c->asked || !unit || c->start - c->from > MAX_BETWEEN ||
		has_digit(fold, c->from, c->start))
		return false;
	for (gsize at = c->from; at < c->start;) {
		gsize end = letters_end(fold, at);
		if (end > at && look_up(words, fold->text + at, end - at) == WORD_BEFORE)
			return true;
		at = MAX(end, at + 1);
	}
	return false;
}

MsFigure ms_detect_figure(const MsFold *fold, gsize label, gsize from, gsize start, gsize end)
{
	Case c = {.fold = fold, .from = from, .start = start, .end = end};
	MsDated dated = ms_detect_of_date(fold, start, end);
	if (dated == MS_DATED_BEHIND)
		return MS_FIGURE_SURELY;
	if (dated == MS_DATED_WHOLE || dated == MS_DATED_BEGINS)
		return MS_FIGURE_PERHAPS;
	bool near = start <= from + MAX_BETWEEN;
	c.asked = !has_digit(fold, from, start) &&
		ms_detect_asks_for_number(fold, label, near ? start : from);
	if (!c.asked && is_period(fold->text + start, end - start))
		return MS_FIGURE_PERHAPS;
	split(fold, &c.start, &c.end, &c.before, &c.behind);
	if (c.before == WORD_BEFORE)
		return MS_FIGURE_PERHAPS;
	if (!g_ascii_isdigit(fold->text[c.start]))
		return MS_FIGURE_NONE;
	Word before = word_before(fold, from, c.start);
	bool perhaps = before == WORD_BEFORE || before == WORD_DOTTED ||
		is_group(fold, from, c.start) ||
		is_part_of(fold, from, c.start) ||
		ms_detect_is_dialled(fold, from, c.start, c.end) || is_phone(&c, label);
	number_of(fold, c.start, c.end, &c.number);
	if (c.number.valid && is_listed(fold, &c.number))
		return perhaps ? MS_FIGURE_PERHAPS : MS_FIGURE_NONE;
	if (c.before == WORD_NONE &&
		money_before(fold, from, c.number.valid ? c.number.start : c.start))
		c.before = WORD_MONEY;
	if (c.behind == WORD_NONE)
		c.behind = word_behind(fold, c.number.valid ? c.number.end : c.end, &c.name);
	if (is_told_sum(&c) && !c.name)
		return MS_FIGURE_SURELY;
	MsFigure figure = of_number(&c);
	if (c.name && figure == MS_FIGURE_PERHAPS) {
		c.behind = WORD_NONE;
		figure = of_number(&c) == MS_FIGURE_NONE ? MS_FIGURE_NAMED : figure;
	}
	return perhaps && !ms_detect_is_figure(figure) ? MS_FIGURE_PERHAPS : figure;
}

/* ---- what is another's ---------------------------------------------------------------- */

#define MAX_STREET 60 /* bytes */
#define MAX_STREET_WORDS 6

/* "Hauptstr. 5", "8 quai Perrache", "Husova 1234/56": words, and a short number at one end. */
static bool is_street(const MsFold *fold, gsize from, gsize until)
{
	static const char gaps[] = " \r\n.-";
	from = skip_blanks(fold, from, gaps);
	until = back_over(fold, until, from, gaps);
	gsize words_from = from + count_digits(fold, from), words_until = until;
	bool led = words_from > from && words_from - from <= 3 && words_from < until &&
		strchr(" ,", fold->text[words_from]) != NULL;
	if (words_until > from + 2 && g_ascii_isalpha(fold->text[words_until - 1]) &&
		g_ascii_isdigit(fold->text[words_until - 2]))
		words_until--; /* "5a" */
	gsize digits = words_until;
	while (digits > from && g_ascii_isdigit(fold->text[digits - 1]))
		digits--;
	bool ended = digits < words_until && words_until - digits <= 3 && digits > from + 1 &&
		(strchr(" /-", fold->text[digits - 1]) != NULL || is_letter(fold->text[digits - 2]));
	gsize letters = 0;
	for (gsize i = from; i < until; i++)
		letters += is_letter(fold->text[i]);
	return letters > 2 && (led || ended);
}

/* Before its name a street's type is written small, or is this one. */
static bool is_type_before(const char *word, gsize len, const char *small)
{
	return strcmp(small, "rue") == 0 || (len > 0 && g_ascii_islower(*word));
}

bool ms_detect_is_house(const MsFold *fold, gsize end)
{
	static const char *const before[] = {"rue", "avenue", "boulevard", "chemin", "impasse",
		"allee", "quai", "route", NULL};
	static const char *const half[] = {"bis", "ter", NULL}; /* and "until", in German */
	static const char *const behind[] = {"street", "st", "road", "rd", "avenue", "ave", "lane",
		"ln", "drive", "dr", "boulevard", "blvd", NULL};
	bool first = false, last = false;
	guint n = 0;
	gsize at = end + (fold->text[end] == ',');
	while (fold->text[at] == ' ' && is_letter(fold->text[at + 1]) && n < MAX_STREET_WORDS) {
		gsize from = at + 1;
		at = letters_end(fold, from);
		g_autofree char *small = g_ascii_strdown(fold->text + from, (gssize)(at - from));
		first = first || (n == 0 && g_strv_contains(before, small) &&
					 is_type_before(fold->text + from, at - from, small));
		last = n > 0 && g_strv_contains(behind, small);
		at += fold->text[at] == '.';
		n += n > 0 || !g_strv_contains(half, small);
	}
	return n > 1 && (first || last) &&
		(fold->text[at] == '\0' || strchr(",;\r\n\t|)", fold->text[at]) != NULL);
}

static bool parts_address(const MsFold *fold, gsize at)
{
	return strchr(",\n|\t", fold->text[at]) != NULL ||
		(fold->text[at] == '-' && at > 0 && fold->text[at - 1] == ' ');
}

/* Is the number at `at` all that is behind its label, as in "Customer no. 4711, Main St. 5"?  In a
 * list of customers ("Customer no.\n4711 Meyer, Main St. 5\n12694 Smith") a name follows, or the
 * label is above. */
static bool is_alone(const MsFold *fold, gsize from, gsize at)
{
	if (memchr(fold->text + from, '\n', at - from) != NULL)
		return false;
	while (g_ascii_isalnum(fold->text[at]) || memchr("-./", fold->text[at], 3) != NULL)
		at++;
	at = skip_blanks(fold, at, " \r");
	return at == fold->len || parts_address(fold, at);
}

/* "Hauptstr. 5, 10115 Berlin", "1055 Budapest, Váci út 3": a town's, with a street beside it. */
static bool is_postcode(const MsFold *fold, gsize from, gsize start, gsize end)
{
	gsize digits = 0, before = back_over(fold, start, from, " ,\r\n\t|-"), street = before;
	for (gsize i = start; i < end; i++)
		digits += g_ascii_isdigit(fold->text[i]) != 0;
	if (digits < 4 || digits > 5 || end + 1 >= fold->len || fold->text[end] != ' ' ||
		!(g_ascii_isupper(fold->text[end + 1]) || (fold->text[end + 1] & 0x80) != 0))
		return false;
	while (street > from && before - street < MAX_STREET && !parts_address(fold, street - 1))
		street--;
	bool parted = false;
	for (gsize i = before; i < start; i++)
		parted = parted || parts_address(fold, i);
	if (parted && is_street(fold, street, before))
		return true;
	gsize until, limit = MIN(fold->len, end + MAX_STREET);
	for (street = end; street < limit && strchr(",\n", fold->text[street]) == NULL;)
		street++;
	for (until = street + 1; until < limit && !parts_address(fold, until);)
		until++;
	return street < limit && (until < limit || until == fold->len) &&
		is_street(fold, street + 1, until);
}

/* In groups, too: "21 650", "214/580". */
static bool is_digits(const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (!g_ascii_isdigit(text[i]) && text[i] != ' ' && text[i] != '/')
			return false;
	return true;
}

bool ms_detect_is_anothers(
	const Search *s, const MsLabel *label, gsize start, gsize end, MsFigure figure)
{
	const MsFold *fold = s->fold;
	gsize from = label->end, at = from;
	if (start < 2 || end - start > MAX_DATE || !is_digits(fold->text + start, end - start))
		return false;
	while (at < start && !g_ascii_isdigit(fold->text[at]))
		at++;
	bool listed = fold->text[start - 1] == ',' && g_ascii_isdigit(fold->text[start - 2]);
	if (at == start || listed) /* "4710,4711" is no number with a fraction */
		return false;
	if (ms_detect_is_figure(figure) || ms_detect_is_of_another(s, label->kind, at, start))
		return true;
	if (ms_kind_label_of_many(fold->text + label->start, from - label->start))
		return false;
	return has_name_before(fold, at, start) ||
		(is_alone(fold, from, at) && is_postcode(fold, at, start, end));
}

/* ---- numbers that look like a month --------------------------------------------------- */

/* " vom 01.02.2024", ", dated February 2" */
static bool is_dated_behind(const MsFold *fold, gsize end)
{
	gsize at = skip_blanks(fold, end, " \t,(\r\n");
	gsize until = letters_end(fold, at);
	if (look_up(dates, fold->text + at, until - at) != WORD_DATED)
		return false;
	gsize limit = MIN(fold->len, until + 16);
	while (until < limit && !g_ascii_isdigit(fold->text[until]) && fold->text[until] != '\n')
		until++;
	return until < limit && g_ascii_isdigit(fold->text[until]);
}

gsize ms_detect_dated(const MsFold *fold, gsize label, gsize from, gsize until, gsize *end_out)
{
	gsize at = from, end;
	while (at < until && !g_ascii_isdigit(fold->text[at]) && at - from < 12)
		at++;
	if (at >= until || count_digits(fold, at) != 4 || at + 7 > fold->len ||
		strchr("./-", fold->text[at + 4]) == NULL || fold->text[at + 4] == '\0')
		return G_MAXSIZE;
	guint century = two_at(fold, at, 2);
	end = at + 5 + count_digits(fold, at + 5);
	if ((century != 19 && century != 20) || end != at + 7 || goes_on(fold, end) ||
		g_ascii_isalpha(fold->text[end]) || (fold->text[end] & 0x80) != 0 ||
		fold->text[end] == '_' || (at > from && g_ascii_isalpha(fold->text[at - 1])))
		return G_MAXSIZE;
	gsize word = letters_start(fold, back_over(fold, at, from, " \t.:#=\r\n>|*-"), from);
	bool direct = word == from ||
		(word > from &&
			look_up(words, fold->text + word, letters_end(fold, word) - word) ==
				WORD_NUMBER);
	if (!(direct && ms_detect_asks_for_number(fold, label, at)) && !is_dated_behind(fold, end))
		return G_MAXSIZE;
	*end_out = end;
	return at;
}
