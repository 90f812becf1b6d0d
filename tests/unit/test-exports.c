/*
 * Files as billing systems, spreadsheets and databases export them; and imports that go on.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/filter.h"
#include "missent/kind.h"

#include "../../milter/directory/entries.h"
#include "../../milter/directory/spill.h"
#include "../../milter/directory/table.h"

#include "../test.h"

static MsKinds *kinds;
static char *dir;

static int memory_file(const char *text, gsize len)
{
	int fd = memfd_create("export", MFD_CLOEXEC);
	g_assert_cmpint(write(fd, text, len), ==, (gssize)len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* ---- what they look like -------------------------------------------------------------- */

#define MARK "\xef\xbb\xbf"
#define PER_LINE "Kundennr=customer-number,Mail=recipient"
#define PER_NR "Nr=customer-number,Mail=recipient"

/* Lines that are wanted: "account|kind|value", "!LINE words" for a bad one, "~LINE words" for one
 * that is passed over; or "error: words". */
static const struct {
	const char *name, *text, *as; /* as: the encoding it is written in */
	MsTableForm form;
	const char *want;
} shapes[] = {
	{"plain", "account,kind,value\nA-1,iban,DE89\n", NULL, {0}, "A-1|iban|DE89\n"},
	{"no heading", "A-1,iban,DE89\nA-2,email,a@b.example\n", NULL, {0},
		"A-1|iban|DE89\nA-2|email|a@b.example\n"},
	{"no line end at the end", "A-1,iban,DE89", NULL, {0}, "A-1|iban|DE89\n"},
	{"one line", "A-1;iban;DE89\r\n", NULL, {0}, "A-1|iban|DE89\n"},
	{"byte order mark", MARK "account,kind,value\r\nA-1,iban,DE89\r\n", NULL, {0},
		"A-1|iban|DE89\n"},
	{"mark and quotes", MARK "\"account\",\"kind\",\"value\"\r\n\"A-1\",\"iban\",\"DE89\"\r\n",
		NULL, {0}, "A-1|iban|DE89\n"},
	{"semicolons", "account;kind;value\nA-1;billing-address;Hauptstr. 1, 10115 Berlin\n", NULL,
		{0}, "A-1|billing-address|Hauptstr. 1, 10115 Berlin\n"},
	{"semicolons, quoted", "\"account\";\"kind\";\"value\"\n\"A;1\";\"iban\";\"DE89\"\n", NULL,
		{0}, "A;1|iban|DE89\n"},
	{"tabulators", "account\tkind\tvalue\nA-1\tiban\tDE89\n", NULL, {0}, "A-1|iban|DE89\n"},
	{"bars", "account|kind|value\nA-1|iban|DE89\n", NULL, {0}, "A-1|iban|DE89\n"},
	{"sep=", "sep=;\r\naccount;kind;value\r\nA-1;iban;DE89\r\n", NULL, {0}, "A-1|iban|DE89\n"},
	{"heading in any case", "Account,Kind,VALUE\nA-1,IBAN,DE89\n", NULL, {0},
		"A-1|iban|DE89\n"},
	{"heading in any order", "value,account,kind\nDE89,A-1,iban\n", NULL, {0},
		"A-1|iban|DE89\n"},
	{"more columns", "id,account,kind,value,changed\n7,A-1,iban,DE89,2026-01-01\n", NULL, {0},
		"A-1|iban|DE89\n"},
	{"blanks around",
		"account, kind , value\nA-1 , customer number, 4711 \nA-2,Customer_Number,4712\n",
		NULL, {0}, "A-1|customer-number|4711\nA-2|customer-number|4712\n"},
	{"no-break spaces and what has no width",
		"account,kind,value\n\xc2\xa0" "A-1\xe2\x80\x8b,iban\xc2\xa0,\xe2\x80\xaf" "DE 89\xc2\xa0\n", NULL, {0},
		"A-1|iban|DE 89\n"},
	{"blanks before quotes", "account, kind, \"value\"\nA-1, \"billing-address\", \"DE,89\"\n", NULL,
		{0}, "A-1|billing-address|DE,89\n"},
	{"old line ends", "account,kind,value\rA-1,iban,DE89\rA-2,billing-address,\"DE\r90\"\r", NULL, {0},
		"A-1|iban|DE89\nA-2|billing-address|DE\r90\n"},
	{"line ends of several sorts", "account,kind,value\nA-1,iban,DE89\rA-2,iban,DE90\r\nA-3,iban\r", NULL,
		{0}, "A-1|iban|DE89\nA-2|iban|DE90\n!4 2 fields\n"},
	{"files put together", MARK "account,kind,value\nA-1,iban,DE89\n" MARK "A-2,iban,DE90\n", NULL, {0},
		"A-1|iban|DE89\nA-2|iban|DE90\n"},
	{"mark twice", MARK MARK "account,kind,value\nA-1,iban,DE89\n", NULL, {0}, "A-1|iban|DE89\n"},
	{"delimiter at the end", "account;kind;value\nA-1;iban;DE89;\n", NULL, {0},
		"A-1|iban|DE89\n"},
	{"delimiter at the end of some, commas in others",
		"account;kind;value\nA-1;billing-address;Hauptstr. 1, Berlin;\n"
		"A-2;billing-address;Hauptstr. 2, Berlin;\nA-3;billing-address;Hauptstr. 3, Berlin;\n"
		"A-4;billing-address;Hauptstr. 4, Berlin\nA-5;iban;DE89\nA-6;iban;DE90\nA-7;iban;DE91\n",
		NULL, {0},
		"A-1|billing-address|Hauptstr. 1, Berlin\nA-2|billing-address|Hauptstr. 2, Berlin\n"
		"A-3|billing-address|Hauptstr. 3, Berlin\nA-4|billing-address|Hauptstr. 4, Berlin\n"
		"A-5|iban|DE89\nA-6|iban|DE90\nA-7|iban|DE91\n"},
	{"UTF-16 with mark", MARK "account\tkind\tvalue\r\nM\xc3\xbcller\tiban\tDE89\r\n",
		"UTF-16LE", {0}, "M\xc3\xbcller|iban|DE89\n"},
	{"UTF-16 of the other order", MARK "account,kind,value\r\nM\xc3\xbcller,iban,DE89\r\n",
		"UTF-16BE", {0}, "M\xc3\xbcller|iban|DE89\n"},
	{"UTF-32 with mark", MARK "account,kind,value\r\nM\xc3\xbcller,iban,DE89\r\n", "UTF-32LE",
		{0}, "M\xc3\xbcller|iban|DE89\n"},
	{"UTF-32 of the other order", MARK "account,kind,value\r\nM\xc3\xbcller,iban,DE89\r\n",
		"UTF-32BE", {0}, "M\xc3\xbcller|iban|DE89\n"},
	{"UTF-16 without mark", "account,kind,value\r\nA-1,iban,DE89\r\n", "UTF-16LE", {0},
		"A-1|iban|DE89\n"},
	{"Latin-1", "account;kind;value\nM\xc3\xbcller;iban;DE89\n", "ISO-8859-1", {0},
		"M\xc3\xbcller|iban|DE89\n"},
	{"Windows-1252",
		"account;kind;value\n\xe2\x80\x9eM\xc3\xbcller\xe2\x80\x9c \xe2\x82\xac;iban;DE89\n",
		"windows-1252", {0},
		"\xe2\x80\x9eM\xc3\xbcller\xe2\x80\x9c \xe2\x82\xac|iban|DE89\n"},
	{"an encoding that is said",
		"account,kind,value\n\xc5\x81\xc3\xb3"
		"d\xc5\xba,iban,PL61\n",
		"ISO-8859-2", {.encoding = "ISO-8859-2"},
		"\xc5\x81\xc3\xb3"
		"d\xc5\xba|iban|PL61\n"},
	{"DOS", "account;kind;value\nM\u00fcller Stra\u00dfe;iban;DE89\nK\u00f6ln;iban;DE90\n", "CP850",
		{0}, "M\u00fcller Stra\u00dfe|iban|DE89\nK\u00f6ln|iban|DE90\n"},
	{"DOS, French", "account;kind;value\nH\u00e9l\u00e8ne;iban;FR1\nOr\u00e9e;iban;FR2\n", "CP850", {0},
		"H\u00e9l\u00e8ne|iban|FR1\nOr\u00e9e|iban|FR2\n"},
	{"an old Mac", "account;kind;value\nM\u00fcller Stra\u00dfe;iban;DE89\nK\u00f6ln;iban;DE90\n",
		"macintosh", {0}, "M\u00fcller Stra\u00dfe|iban|DE89\nK\u00f6ln|iban|DE90\n"},
	{"... in Finnish", "account;kind;value\nJyv\u00e4skyl\u00e4;iban;FI1\n", "macintosh", {0},
		"Jyv\u00e4skyl\u00e4|iban|FI1\n"},
	{"... in Swedish", "account;kind;value\n\u00c5kesson;iban;SE1\n\u00d6stra V\u00e4g;iban;SE2\n",
		"CP850", {0}, "\u00c5kesson|iban|SE1\n\u00d6stra V\u00e4g|iban|SE2\n"},
	{"Polish", "account;kind;value\nGda\u0144ska;iban;PL1\ns\u0142upska;iban;PL2\n", "windows-1250", {0},
		"Gda\u0144ska|iban|PL1\ns\u0142upska|iban|PL2\n"},
	{"Portuguese", "account;kind;value\nConcei\u00e7\u00e3o;iban;PT1\nSim\u00f5es;iban;PT2\n", "windows-1252",
		{0}, "Concei\u00e7\u00e3o|iban|PT1\nSim\u00f5es|iban|PT2\n"},
	{"Danish", "account;kind;value\nS\u00f8rensen;iban;DK1\nN\u00e6stved;iban;DK2\n", "windows-1252",
		{0}, "S\u00f8rensen|iban|DK1\nN\u00e6stved|iban|DK2\n"},
	{"Italian", "account;kind;value\nSociet\u00e0;iban;IT1\nForl\u00ec;iban;IT2\nCantu;iban;IT3\n", "CP850",
		{0}, "Societ\u00e0|iban|IT1\nForl\u00ec|iban|IT2\nCantu|iban|IT3\n"},
	{"... in capitals", "account;kind;value\nCITT\u00c0;iban;IT1\nCAFF\u00c8;iban;IT2\n", "CP850",
		{0}, "CITT\u00c0|iban|IT1\nCAFF\u00c8|iban|IT2\n"},
	{"Czech", "account;kind;value\nDvo\u0159\u00e1k;iban;CZ1\nKu\u010dera;iban;CZ2\nN\u00e1m\u011bst\u00ed;iban;CZ3\n",
		"windows-1250", {0},
		"Dvo\u0159\u00e1k|iban|CZ1\nKu\u010dera|iban|CZ2\nN\u00e1m\u011bst\u00ed|iban|CZ3\n"},
	{"... and German, of DOS", "account;kind;value\nDvo\u0159\u00e1k;iban;CZ1\nM\u00fcller;iban;CZ2\n", "CP852",
		{0}, "Dvo\u0159\u00e1k|iban|CZ1\nM\u00fcller|iban|CZ2\n"},
	{"Hungarian", "account;kind;value\nSz\u0151ke;iban;HU1\n\u00d6d\u00f6n F\u0171zf\u0151;iban;HU2\n", "ISO-8859-2",
		{0}, "Sz\u0151ke|iban|HU1\n\u00d6d\u00f6n F\u0171zf\u0151|iban|HU2\n"},
	{"Croatian", "account;kind;value\nBabi\u0107;iban;HR1\n\u010cakovec;iban;HR2\n", "windows-1250",
		{0}, "Babi\u0107|iban|HR1\n\u010cakovec|iban|HR2\n"},
	{"Romanian", "account;kind;value\nBra\u015fov;iban;RO1\nM\u00e2ndru\u0163\u0103;iban;RO2\n", "windows-1250",
		{0}, "Bra\u015fov|iban|RO1\nM\u00e2ndru\u0163\u0103|iban|RO2\n"},
	{"Turkish", "account;kind;value\nY\u0131ld\u0131z;iban;TR1\n\u0130stanbul;iban;TR2\nBe\u015fikta\u015f;iban;TR3\n",
		"windows-1254", {0},
		"Y\u0131ld\u0131z|iban|TR1\n\u0130stanbul|iban|TR2\nBe\u015fikta\u015f|iban|TR3\n"},
	{"Icelandic", "account;kind;value\nSigur\u00f0sson;iban;IS1\nReykjav\u00edk;iban;IS2\n\u00de\u00f3r;iban;IS3\n",
		"windows-1252", {0},
		"Sigur\u00f0sson|iban|IS1\nReykjav\u00edk|iban|IS2\n\u00de\u00f3r|iban|IS3\n"},
	{"Lithuanian", "account;kind;value\nPanev\u0117\u017eys;iban;LT1\n\u0160iauliai;iban;LT2\n", "windows-1257",
		{0}, "Panev\u0117\u017eys|iban|LT1\n\u0160iauliai|iban|LT2\n"},
	{"Russian", "account;kind;value\n\u041c\u043e\u0441\u043a\u0432\u0430;iban;RU1\n\u0418\u0432\u0430\u043d\u043e\u0432;iban;RU2\n",
		"KOI8-R", {0}, "\u041c\u043e\u0441\u043a\u0432\u0430|iban|RU1\n\u0418\u0432\u0430\u043d\u043e\u0432|iban|RU2\n"},
	{"... of Windows", "account;kind;value\n\u041c\u043e\u0441\u043a\u0432\u0430;iban;RU1\n\u0418\u0432\u0430\u043d\u043e\u0432;iban;RU2\n",
		"windows-1251", {0}, "\u041c\u043e\u0441\u043a\u0432\u0430|iban|RU1\n\u0418\u0432\u0430\u043d\u043e\u0432|iban|RU2\n"},
	{"... of DOS", "account;kind;value\n\u041c\u043e\u0441\u043a\u0432\u0430;iban;RU1\n\u0418\u0432\u0430\u043d\u043e\u0432;iban;RU2\n",
		"CP866", {0}, "\u041c\u043e\u0441\u043a\u0432\u0430|iban|RU1\n\u0418\u0432\u0430\u043d\u043e\u0432|iban|RU2\n"},
	{"Greek", "account;kind;value\n\u0391\u03b8\u03ae\u03bd\u03b1;iban;GR1\n\u0393\u03b9\u03ce\u03c1\u03b3\u03bf\u03c2;iban;GR2\n",
		"windows-1253", {0},
		"\u0391\u03b8\u03ae\u03bd\u03b1|iban|GR1\n\u0393\u03b9\u03ce\u03c1\u03b3\u03bf\u03c2|iban|GR2\n"},
	{"many of the west, and signs around",
		"account;kind;value\nPe\u00f1a;iban;X1\nH\u00e9l\u00e8ne;iban;X2\nJos\u00e9 Mar\u00eda;iban;X3\nS\u00f8ren;iban;X4\n"
		"O\u2019Neill;iban;X5\n\u201cM\u00fcller\u201d \u2026;iban;X6\n", "windows-1252", {0},
		"Pe\u00f1a|iban|X1\nH\u00e9l\u00e8ne|iban|X2\nJos\u00e9 Mar\u00eda|iban|X3\nS\u00f8ren|iban|X4\n"
		"O\u2019Neill|iban|X5\n\u201cM\u00fcller\u201d \u2026|iban|X6\n"},
	{"an apostrophe alone", "account;kind;value\nO\u2019Neill;iban;IE1\n", "windows-1252", {0},
		"O\u2019Neill|iban|IE1\n"},
	{"Dutch, of DOS", "account;kind;value\nBelgi\u00eb;iban;BE1\nCo\u00f6peratie;iban;NL2\n", "CP850", {0},
		"Belgi\u00eb|iban|BE1\nCo\u00f6peratie|iban|NL2\n"},
	{"the heading on each page",
		"|Nr  |Mail       |\n|4711|a@m.example|\n|Nr  |Mail       |\n|4712|b@m.example|\n", NULL,
		{.map = "Nr=customer-number,Mail=recipient", .account = "Nr"},
		"4711|customer-number|4711\n4711|recipient|a@m.example\n"
		"4712|customer-number|4712\n4712|recipient|b@m.example\n"},
	{"... of a table by row", "account,kind,value\nA-1,iban,DE89\naccount,kind,value\nA-2,iban,DE90\n", NULL, {0},
		"A-1|iban|DE89\nA-2|iban|DE90\n"},
	{"another heading", "Nr;Mail;IBAN\n1;a@m.example;DE89\nNr;IBAN;Mail\n2;DE90;b@m.example\n", NULL,
		{.map = "Nr=customer-number,IBAN=iban", .account = "Nr"},
		"1|customer-number|1\n1|iban|DE89\n!3 import each file by itself\n2|customer-number|2\n2|iban|b@m.example\n"},
	{"totals below",
		"Nr;Mail;Tax\n1;a@m.example;\nSumme;;12,00\nTOTAL: 1;;\nGrand  Total;1;\n\u00d6sszesen;;\n"
		"Summe;s@m.example;\nTotal Gas;;DE1\n", NULL,
		{.map = "Nr=customer-number,Mail=recipient", .account = "Nr"},
		"1|customer-number|1\n1|recipient|a@m.example\n~3 the word of a total\n~4 the word of a total\n"
		"~5 the word of a total\n~6 the word of a total\n"
		"Summe|customer-number|Summe\nSumme|recipient|s@m.example\nTotal Gas|customer-number|Total Gas\n"},
	{"rows counted below", "Nr;Mail\n11;a@m.example\n12;b@m.example\n(2 rows)\n", NULL,
		{.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n12|customer-number|12\n12|recipient|b@m.example\n"
		"~4 stands below the table\n"},
	{"... by row", "A-1,iban,DE89\n\n1 row selected.\n", NULL, {0},
		"A-1|iban|DE89\n~3 stands below the table\n"},
	{"a report's last lines", "\"Nr\",\"Mail\"\n\"11\",\"a@m.example\"\n\n\"Customers\"\n\"Printed by: A\"\n", NULL,
		{.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n~4 stands below the table\n~5 stands below the table\n"},
	{"... and more of it behind", "Nr;Mail\n11;a@m.example\nPage 1\nNr;Mail\n12;b@m.example\nPage 2\n", NULL,
		{.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n!3 has 1 field, the heading has 2\n"
		"12|customer-number|12\n12|recipient|b@m.example\n~6 stands below the table\n"},
	{"... that are many",
		"Nr;Mail\n11;a@m.example\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n",
		NULL, {.map = "Mail=recipient", .account = "Nr"},
		"11|recipient|a@m.example\n!3 \n!4 \n!5 \n!6 \n!7 \n!8 \n!9 \n!10 \n!11 \n!12 \n!13 \n!14 \n!15 \n!16 \n"
		"!17 \n!18 \n!19 \n!20 \n!21 \n!22 \n!23 \n"},
	{"a file that was cut", "Nr;Mail\n11;a@m.example\n12", NULL, {.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n!3 has 1 field\n"},
	{"... in a later column", "Nr;Mail;X\n11;a@m.example;\n12;b@\n", NULL, {.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n!3 has 2 fields\n"},
	{"lines that are drawn",
		"-----------\n|Nr  |Mail       |\n-----------\n|4711|a@m.example|\n|----+-----------|\n", NULL,
		{.map = PER_NR, .account = "Nr"}, "4711|customer-number|4711\n4711|recipient|a@m.example\n"},
	{"... as columns", "Nr;Mail\n--;----\n11;a@m.example\n\n(1 row affected)\n", NULL,
		{.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n~5 stands below the table\n"},
	{"... and what is a customer", "Nr;Mail\n--;a@m.example\n-;-\n", NULL, {.map = PER_NR, .account = "Nr"},
		"!2 the account is none\n!3 the account is none\n"},
	{"the end of a file of DOS", "Nr;Mail\r\n11;a@m.example\r\n\x1a", NULL, {.map = PER_NR, .account = "Nr"},
		"11|customer-number|11\n11|recipient|a@m.example\n"},
	{"quotes in SAP's lists",
		"Nr\tName\tMail\n11\t\"Muster\" GmbH\ta@m.example\n12\t6\" Rohr\t\"b@m.example\"\n13\t\"Haus\tc@m.example\n"
		"14\t\"Hof\"\td@m.example\n15\t\"a \"\"b\"\"\"\te@m.example\n",
		NULL, {.map = "Name=greeted-as,Mail=recipient", .account = "Nr"},
		"11|greeted-as|\"Muster\" GmbH\n11|recipient|a@m.example\n12|greeted-as|6\" Rohr\n12|recipient|b@m.example\n"
		"13|greeted-as|\"Haus\n13|recipient|c@m.example\n14|greeted-as|Hof\n14|recipient|d@m.example\n"
		"15|greeted-as|a \"b\"\n15|recipient|e@m.example\n"},
	{"... of the last column", "Nr\tMail\tName\n11\ta@m.example\t\"Haus\n12\tb@m.example\tHof\"\n", NULL,
		{.map = "Mail=recipient,Name=greeted-as", .account = "Nr"},
		"11|recipient|a@m.example\n11|greeted-as|\"Haus\n12|recipient|b@m.example\n12|greeted-as|Hof\"\n"},
	{"... and cells of several lines",
		"Nr\tMail\tAddress\n11\ta@m.example\t\"Haus\nHauptstr. 1\"\n12\tb@m.example\t\"x\"\n", NULL,
		{.map = "Mail=recipient,Address=billing-address", .account = "Nr"},
		"11|recipient|a@m.example\n11|billing-address|Haus\nHauptstr. 1\n12|recipient|b@m.example\n12|billing-address|x\n"},
	{"... between bars", "Nr|Name|Mail\n11|\"A|B\"|a@m.example\n12|\"Haus\" C|b@m.example\n13|\"x|c@m.example\n14|\"y|d@m.example\n",
		NULL, {.map = "Name=greeted-as,Mail=recipient", .account = "Nr"},
		"11|greeted-as|A\n11|greeted-as|B\n11|recipient|a@m.example\n12|greeted-as|\"Haus\" C\n12|recipient|b@m.example\n"
		"13|greeted-as|\"x\n13|recipient|c@m.example\n14|greeted-as|\"y\n14|recipient|d@m.example\n"},
	{"an account in brackets", "[1],iban,DE89\n", NULL, {0}, "[1]|iban|DE89\n"},
	{"a web page behind lines", "\r\n\r\n<html>\n", NULL, {0}, "error: it is a web page\n"},
	{"titles above the heading",
		"Customers, as of 2026-11-28\r\nby;R\u00f6hl;;\r\n\r\nKundennr;Name;Mail;Ort\r\n"
		"4711;\"Muster; Max\";a@m.example;Ulm\r\n4712;B, C;b@m.example;\r\n",
		NULL, {.map = PER_LINE, .account = "Kundennr"},
		"4711|customer-number|4711\n4711|recipient|a@m.example\n"
		"4712|customer-number|4712\n4712|recipient|b@m.example\n"},
	{"DATEV's first line",
		"\"EXTF\";700;16;\"Debitoren/Kreditoren\";5;20261128103000000;;\"RE\"\n"
		"\"Konto\";\"E-Mail\"\n10001;\"a@m.example\"\n",
		NULL, {.map = "Konto=customer-number,E-Mail=recipient", .account = "Konto"},
		"10001|customer-number|10001\n10001|recipient|a@m.example\n"},
	{"a comment above the heading", "# made by hand\nNr,Mail\n4711,a@m.example\n", NULL,
		{.map = "Mail=recipient", .account = "Nr"}, "4711|recipient|a@m.example\n"},
	{"a heading that is too far down",
		"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\nNr;Mail\n",
		NULL, {.map = "Mail=recipient", .account = "Nr"},
		"error: line 1: there is no column \"Nr\"\n"},
	{"more fields than the heading, and other marks",
		"Nr;Name;Mail;X;Y\n1;x;a@m.example; b@m.example, c@m.example;p;q\n", NULL,
		{.map = "Mail=recipient", .account = "Nr"}, "!2 has 6 fields, the heading has 5\n"},
	{"a heading over lines", "Nr;\"E-Mail\r\n(invoice)\"\n4711;a@m.example\n", NULL,
		{.map = "E-Mail (invoice)=recipient", .account = "Nr"},
		"4711|recipient|a@m.example\n"},
	{"a heading with commas", "Nr;\"Mail, invoice, PDF\";Tax\n4711;a@m.example;DE1\n", NULL,
		{.map = "Nr=customer-number,Mail, invoice, PDF=recipient,Tax=vat-id", .account = "Nr"},
		"4711|customer-number|4711\n4711|recipient|a@m.example\n4711|vat-id|DE1\n"},
	{"a map that ends early", "Nr;Mail\n", NULL, {.map = "Nr=iban,Mail", .account = "Nr"},
		"error: --map: \"Mail\" is not COLUMN=KIND\n"},
	{"another delimiter, a line for each customer", "Nr^Mail\n1^a@m.example\n", NULL,
		{.map = "Mail=recipient", .account = "Nr"},
		"error: the heading has: Nr^Mail (what is between its fields, --delimiter says)\n"},
	{"a line for each customer",
		"Kundennr;Name;Mail;IBAN\n4711;Muster;a@m.example;DE89\n4712;M\xc3\xbcller;b@m.example;\n",
		NULL, {.map = PER_LINE ",IBAN=iban", .account = "Kundennr"},
		"4711|customer-number|4711\n4711|recipient|a@m.example\n4711|iban|DE89\n4712|customer-number|4712\n"
		"4712|recipient|b@m.example\n"},
	{"names in another case", " kundennr ;MAIL\n4711;a@m.example\n", NULL,
		{.map = PER_LINE, .account = "KundenNr"},
		"4711|customer-number|4711\n4711|recipient|a@m.example\n"},
	{"several values",
		"Kundennr;Mail\n4711;\"a@m.example; b@m.example,c@m.example\nd@m.example\"\n", NULL,
		{.map = PER_LINE, .account = "Kundennr"},
		"4711|customer-number|4711\n4711|recipient|a@m.example\n4711|recipient|b@m.example\n4711|recipient|c@m.example\n"
		"4711|recipient|d@m.example\n"},
	{"several numbers", "K,Alt\nX,\"C-1, C-2|C-3\"\n", NULL,
		{.map = "Alt=customer-number", .account = "K"},
		"X|customer-number|C-1\nX|customer-number|C-2\nX|customer-number|C-3\n"},
	{"several addresses of mail", "A-1,recipient,a@m.example; b@m.example\n", NULL, {0},
		"A-1|recipient|a@m.example\nA-1|recipient|b@m.example\n"},
	{"names before addresses",
		"A-1,recipient,Max Muster <a@m.example>\nA-1,recipient,\"Muster, Max <a@m.example>; <b@m.example>\"\n",
		NULL, {0},
		"A-1|recipient|a@m.example\nA-1|recipient|a@m.example\nA-1|recipient|b@m.example\n"},
	{"NULL of a database", "K,Mail\n4711,NULL\n4712,\\N\n4713,\n4714,a@m.example\n", NULL,
		{.map = "Mail=recipient", .account = "K"}, "4714|recipient|a@m.example\n"},
	{"an address over lines",
		"account,kind,value\nA-1,billing-address,\"Muster GmbH\nHauptstr. 1, Hof\n10115 Berlin\"\n",
		NULL, {0}, "A-1|billing-address|Muster GmbH\nHauptstr. 1, Hof\n10115 Berlin\n"},
	{"quotes doubled", "A-1,iban,\"DE\"\"89\"\n", NULL, {0}, "A-1|iban|DE\"89\n"},
	/* ---- what is bad ---- */
	{"spreadsheet's text",
		"account;kind;value\nA-1;customer-number;=\"00123\"\nA-1;customer-number;\"=\"\"00124\"\"\"\n",
		NULL, {0}, "!2 is a formula of a spreadsheet\n!3 is a formula of a spreadsheet\n"},
	{"apostrophe", "A-1,customer-number,'00123\nA-1,billing-address,'s-Gravenweg 1\n", NULL,
		{0}, "!1 apostrophe\nA-1|billing-address|'s-Gravenweg 1\n"},
	{"exponents",
		"account;kind;value\nA-1;customer-number;1,00E+05\nA-1;customer-number;4.71E11\nA-1;customer-number;12E5\n"
		"1,00E+05;iban;DE89\n",
		NULL, {0},
		"!2 exponent form\n!3 exponent form\nA-1|customer-number|12E5\n!5 the account is a number in exponent form\n"},
	{"decimals", "A-1,customer-number,48291746.0\nA-1,customer-number,4711.0\nA-1,customer-number,48291746.05\n",
		NULL, {0},
		"!1 a number with a decimal\nA-1|customer-number|4711.0\nA-1|customer-number|48291746.05\n"},
	{"one number or several", "K;Nr\nX;1,234\n", NULL,
		{.map = "Nr=customer-number", .account = "K"}, "!2 may be one number or several\n"},
	{"failed formula", "A-1,iban,#N/A\nA-2,iban,#####\n", NULL, {0},
		"!1 error of a spreadsheet\n!2 error of a spreadsheet\n"},
	{"two @", "A-1,recipient,a@b@c.example\n", NULL, {0}, "!1 more than one @\n"},
	{"blanks that do not break",
		"Nr;Mail\n\xc2\xa0"
		"1;a@m.example\xc2\xa0\n2;\xe2\x80\x8b"
		"b@m.example\xe2\x80\xaf\n3;\xef\xbb\xbf"
		"c@m.example\n",
		NULL, {.map = "Mail=recipient", .account = "Nr"},
		"1|recipient|a@m.example\n2|recipient|b@m.example\n3|recipient|c@m.example\n"},
	{"who has none",
		"K;Mail;Nr\n1;a@m.example;-\n2;--;4711\n3;n/a;\xe2\x80\x93\n4;.;N/A\n5;-1;/\n",
		NULL, {.map = "Mail=recipient,Nr=customer-number", .account = "K"},
		"1|recipient|a@m.example\n2|customer-number|4711\n5|recipient|-1\n"},
	{"... as an account", "K;Mail\n-;a@m.example\n", NULL,
		{.map = "Mail=recipient", .account = "K"}, "!2 the account is none\n"},
	{"no such kind", "account,kind,value\nA-1,ibam,DE89\n", NULL, {0},
		"!2 is no kind of kinds.conf, nor recipient or receives-for (is iban meant?)\n"},
	{"half of a kind's name", "account,kind,value\nA-1,customer,4711\n", NULL, {0},
		"!2 is no kind of kinds.conf, nor recipient or receives-for (is customer-number meant?)\n"},
	{"fields missing", "account,kind,value\nA-1,iban\nA-1,iban,DE89,x\n", NULL, {0},
		"!2 2 fields, the heading has 3\n!3 4 fields\n"},
	{"fields missing, no heading", "A-1,iban,DE89\nA-1,iban\n", NULL, {0},
		"A-1|iban|DE89\n!2 three fields account,kind,value\n"},
	/* ---- what is not read at all ---- */
	{"never closed", "account,kind,value\nA-1,iban,DE89\nA-2,iban,\"DE90\nA-3,iban,DE91\n",
		NULL, {0}, "A-1|iban|DE89\nerror: line 3: a quote\n"},
	{"closed by another",
		"account,kind,value\nA-2,iban,\"DE90\nA-3,iban,\"DE91\"\nA-4,iban,DE92\n", NULL,
		{0}, "error: line 2: a quote\n"},
	{"closed at a line's end",
		"account,kind,value\nA-2,iban,\"DE90\nA-3,iban,DE91\nA-4,iban,DE92\"\nA-5,iban,DE93\n",
		NULL, {0}, "error: line 2: a quote\n"},
	{"closed at a line's end, by line",
		"K;N;Mail\n1;x;\"a@m.example\n2;y;b@m.example\n3;z;c@m.example\"\n", NULL,
		{.map = "Mail=recipient", .account = "K"}, "error: line 2: a quote\n"},
	{"a line for each customer, not said",
		"Kundennr;Name;Mail;IBAN\n4711;Muster;a@m.example;DE89\n", NULL, {0},
		"error: line 1: has 4 columns (Kundennr, Name, Mail, IBAN), not account,kind,value; for a file with\n"},
	{"... three columns of it", "Kundennr;Name;Mail\n4711;Muster;a@m.example\n", NULL, {0},
		"error: line 1: has 3 columns (Kundennr, Name, Mail), not account,kind,value; for a file with\n"},
	{"... one of them a kind", "account;vat-id;recipient\n4711;DE136695976;a@m.example\n", NULL, {0},
		"error: line 1: has 3 columns (account, vat-id, recipient), not account,kind,value; for a file with\n"},
	{"... no heading: a person at the house", "house,greeted-as,Petra Weber\n", NULL, {0},
		"house|greeted-as|Petra Weber\n"},
	{"... a first line with a slip", "A,ibann,DE89\nA-1,iban,DE89\n", NULL, {0},
		"!1 \"ibann\" is no kind\nA-1|iban|DE89\n"},
	{"no such column", "Nr;Mail\n1;a@m.example\n", NULL, {.map = PER_LINE, .account = "Nr"},
		"error: there is no column \"Kundennr\"; the heading has: Nr, Mail\n"},
	{"a title above the heading", "Customers of March\n\nNr;Mail\n1;a@m.example\n", NULL,
		{.map = "Mail=recipient", .account = "nr"},
		"1|recipient|a@m.example\n"},
	{"... of a table by row", "Customers of March,,,\nby Petra\naccount,kind,value,since\nA-1,iban,DE89,\n", NULL, {0},
		"error: line 1: has 4 columns (Customers of March, , , ), not account,kind,value; for a file with a line for each customer say --map 'COLUMN=KIND,...' --account COLUMN; nothing is loaded; line 3 looks like the heading: take out what stands above it\n"},
	{"no such column, nor a heading", "Weber;a@m.example\n", NULL,
		{.map = PER_LINE, .account = "Nr"},
		"error: there is no column \"Nr\"; the heading has: what may be values, and is not shown\n"},
	{"... with figures in other names", "Kd-Nr.;Name 1;Umsatz 2025 (\xe2\x82\xac);Mail @\n1;x;2;a@m.example\n",
		NULL, {.map = "Kd-Nr=recipient", .account = "Kd-Nr."},
		"error: there is no column \"Kd-Nr\"; the heading has: Kd-Nr., Name 1, Umsatz 2025 (\xe2\x82\xac), Mail @\n"},
	{"... the account's mistyped", "Kd-Nr.;Name 1;Mail @\n1;x;a@m.example\n", NULL,
		{.map = "Mail @=recipient", .account = "KdNr"},
		"error: there is no column \"KdNr\"; the heading has: Kd-Nr., Name 1, Mail @\n"},
	{"... nothing that was said is in it", "K-1;Weber 7;a@m.example\n", NULL,
		{.map = "Mail=recipient", .account = "KdNr"},
		"error: there is no column \"KdNr\"; the heading has: what may be values, and is not shown\n"},
	{"no heading, too many columns", "4711;Petra Weber;Hof;DE89\n", NULL, {0},
		"error: line 1: has 4 columns (what may be values, and is not shown), not account,kind,value; for a file\n"},
	{"columns that were shifted",
		"A-1,iban,DE89\nA-1,Petra Weber,Hof\nA-1,M\xc3\xbcller,Hof\nA-1,custno,4711\n",
		NULL, {0},
		"A-1|iban|DE89\n!2 \"...\" is no kind\n!3 \"...\" is no kind\n!4 \"custno\" is no kind\n"},
	{"a heading with a slip", "acount,kind,value\nA-1,iban,DE89\n", NULL, {0},
		"error: line 1: there is no column \"account\"; the heading has: acount, kind, value\n"},
	{"... beside other columns", "account;type;value;since\nA-1;iban;DE89;2020\n", NULL, {0},
		"error: line 1: there is no column \"kind\"; the heading has: account, type, value, since\n"},
	{"another delimiter", "account^kind^value\nA-1^iban^DE89\n", NULL, {0},
		"error: line 1: has 1 column (account^kind^value), not account,kind,value: what is between its fields, --delimiter says\n"},
	{"... without a heading", "A-1^iban^DE89\n", NULL, {0},
		"error: line 1: has 1 column (what may be values, and is not shown), not\n"},
	{"several columns of one name", "account,kind,value,value\nA-1,iban,DE89,DE90\n", NULL, {0},
		"error: several columns are called \"value\"\n"},
	{"... of other files, at the end", "A-1,iban,DE89\r", NULL, {0}, "A-1|iban|DE89\n"},
	{"two such columns", "Mail;Nr;mail\n", NULL, {.map = "Mail=recipient", .account = "Nr"},
		"error: several columns are called \"Mail\"\n"},
	{"no account", "Nr;Mail\n", NULL, {.map = "Mail=recipient"},
		"error: --map needs --account\n"},
	{"no map", "Nr;Mail\n", NULL, {.account = "Nr"}, "error: --account needs --map\n"},
	{"a map to no kind", "Nr;Mail\n", NULL, {.map = "Mail=recipeint", .account = "Nr"},
		"error: is no kind of kinds.conf\n"},
	{"no encoding", "A-1,iban,DE89\n", NULL, {.encoding = "klingon"}, "error: --encoding\n"},
	{"nothing", "", NULL, {0}, ""},
};

static void take_note(const char *text, void *user)
{
	g_string_append(user, text);
}

/* What a file gives, in the form of `want`. */
static char *rows_of(int fd, const MsTableForm *form, GString *notes)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTable) table = ms_table_new(fd, form, kinds, take_note, notes, &error);
	GString *out = g_string_new(NULL);
	MsTableResult result = table != NULL ? MS_TABLE_ROW : MS_TABLE_FAILED;
	MsTableRow row;
	while (table != NULL && (result = ms_table_next(table, &row, &error)) != MS_TABLE_END &&
		result != MS_TABLE_FAILED) {
		if (result == MS_TABLE_BAD || result == MS_TABLE_PASSED)
			g_string_append_printf(out, "%c%" G_GUINT64_FORMAT " %s\n",
				result == MS_TABLE_BAD ? '!' : '~', row.line, row.why);
		else
			g_string_append_printf(out, "%s|%s|%s\n", row.account, row.kind, row.value);
	}
	g_assert_true((result == MS_TABLE_FAILED) == (error != NULL));
	if (error != NULL)
		g_string_append_printf(out, "error: %s\n", error->message);
	return g_string_free(out, FALSE);
}

/* Good rows must be the same; of others the words must be there. */
static bool fits(const char *got, const char *want)
{
	g_auto(GStrv) g = g_strsplit(got, "\n", -1), w = g_strsplit(want, "\n", -1);
	if (g_strv_length(g) != g_strv_length(w))
		return false;
	for (guint i = 0; w[i] != NULL; i++) {
		const char *words = w[i];
		if (*words == '!' || *words == '~' || g_str_has_prefix(words, "error: ")) {
			gsize n = strcspn(words, " ") + 1;
			if (strncmp(g[i], words, n) != 0 || strstr(g[i] + n, words + n) == NULL)
				return false;
		} else if (strcmp(g[i], words) != 0) {
			return false;
		}
	}
	return true;
}

static void test_shapes(void)
{
	guint wrong = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
		gsize len = strlen(shapes[i].text);
		g_autofree char *text = shapes[i].as == NULL ? g_strdup(shapes[i].text)
			: g_convert(shapes[i].text, -1, shapes[i].as, "UTF-8", NULL, &len, NULL);
		g_assert_nonnull(text);
		g_autoptr(GString) notes = g_string_new(NULL);
		int fd = memory_file(text, len);
		g_autofree char *got = rows_of(fd, &shapes[i].form, notes);
		close(fd);
		bool right = fits(got, shapes[i].want);
		if (!right)
			g_printerr("# %s: got\n%s# want\n%s", shapes[i].name, got, shapes[i].want);
		wrong += !right;
		/* Whatever was guessed is told. */
		bool guess = shapes[i].as != NULL && shapes[i].form.encoding == NULL;
		if ((strstr(notes->str, "it is read as") != NULL) != guess)
			g_error("%s: told \"%s\"", shapes[i].name, notes->str);
	}
	g_assert_cmpuint(wrong, ==, 0);
}

/* Of any length: what is found out at the beginning holds where buffers end, too. */
static void check_long(const char *encoding, const char *line)
{
	g_autoptr(GString) text = g_string_new("Nr;Name;Mail\n"), want = g_string_new(NULL);
	for (int i = 0; i < 9000; i++) {
		g_string_append_printf(text, "%d;%s;u%d@m.example\n", i, line, i);
		g_string_append_printf(want, "%s|recipient|u%d@m.example\n", line, i);
	}
	gsize len;
	g_autofree char *bytes = g_convert(
		text->str, (gssize)text->len, encoding, "UTF-8", NULL, &len, NULL);
	g_autoptr(GString) notes = g_string_new(NULL);
	int fd = memory_file(bytes, len);
	g_autofree char *got = rows_of(
		fd, &(MsTableForm){.map = "Mail=recipient", .account = "Name"}, notes);
	close(fd);
	g_assert_cmpstr(got, ==, want->str);
}

static void test_long(void)
{
	check_long("UTF-8", "M\xc3\xbcller & S\xc3\xb6hne");
	check_long("UTF-16LE", "M\xc3\xbcller & S\xc3\xb6hne \xe2\x82\xac");
	check_long("UTF-16BE", "\xf0\x9f\x98\x80 x");
	check_long("windows-1252", "M\xc3\xbcller & S\xc3\xb6hne \xe2\x82\xac");
}

/* The first other letter comes late, and within one that is cut by a buffer. */
static void test_late(void)
{
	static const struct {
		const char *as, *name, *other; /* other: in half as many lines; or NULL */
		bool right;
	} rows[] = {
		{"windows-1252", "M\u00fcller", NULL, true},
		{"CP850", "M\u00fcller Stra\u00dfe", NULL, true},
		{"windows-1251", "\u041c\u043e\u0441\u043a\u0432\u0430", NULL, true},
		{"UTF-8", "M\u00fcller", NULL, true},
		{"UTF-8", "M\u00fcller \u6771\u4eac", "M\xfcller", false},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) text = g_string_new("account,kind,value\n"), notes = g_string_new(NULL);
		gsize len;
		g_autofree char *name =
			g_convert(rows[i].name, -1, rows[i].as, "UTF-8", NULL, &len, NULL);
		for (int k = 0; k < 30000; k++)
			g_string_append_printf(text, "A-%d,customer-number,%d\n", k, 100000 + k);
		for (int k = 0; k < 30000; k++)
			g_string_append_printf(text, "%s,customer-number,%d\n",
				rows[i].other != NULL && k % 2 == 1 ? rows[i].other : name,
				100000 + k);
		int fd = memory_file(text->str, text->len);
		g_autofree char *got = rows_of(fd, &(MsTableForm){0}, notes);
		close(fd);
		g_autofree char *want = g_strdup_printf("%s|customer-number|129998\n", rows[i].name);
		if (strstr(got, want) == NULL)
			g_error("%s: %s, got %s", rows[i].as, notes->str, got + strlen(got) - 60);
		g_assert_cmpint(strchr(got, '!') == NULL, ==, rows[i].right);
		g_assert_cmpint(notes->len > 0, ==, strcmp(rows[i].as, "UTF-8") != 0);
	}
}

/* From a pipe only its beginning is known before it is read. */
static void test_late_piped(void)
{
	g_autoptr(GString) text = g_string_new("account,kind,value\n"), notes = g_string_new(NULL);
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(text, "A-%d,customer-number,%d\n", i, 100000 + i);
	g_string_append(text, "M\xfcller,customer-number,4711\n");
	int ends[2];
	g_assert_cmpint(pipe(ends), ==, 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(write(ends[1], text->str, text->len) != (gssize)text->len);
	close(ends[1]);
	g_autofree char *got = rows_of(ends[0], &(MsTableForm){0}, notes);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	g_assert_nonnull(strstr(got, "A-19999|customer-number|119999\n!20002 "));
	g_assert_nonnull(strstr(got, "is not UTF-8"));
}

/* What a record begins with, and what its fields do, is seen wherever buffers end. */
static void test_where_buffers_end(void)
{
	for (int shift = 0; shift < 40; shift++) {
		g_autoptr(GString) text = g_string_new(NULL), want = g_string_new(NULL),
			notes = g_string_new(NULL);
		for (int i = 0; i < shift; i++)
			g_string_append_c(text, '\n');
		for (int i = 0; i < 17000; i++) {
			g_string_append_printf(text, "%sA-%05d,   \"billing-address\", \"DE,%d\"\n", i % 2 ? MARK : "", i, i);
			g_string_append_printf(want, "A-%05d|billing-address|DE,%d\n", i, i);
		}
		int fd = memory_file(text->str, text->len);
		g_autofree char *got = rows_of(fd, &(MsTableForm){.delimiter = ','}, notes);
		close(fd);
		g_assert_cmpstr(got, ==, want->str);
	}
}

/* ---- imports that go on --------------------------------------------------------------- */

static MsDirectorySettings settings_for(const char *name)
{
	static GPtrArray *kept;
	if (kept == NULL)
		kept = g_ptr_array_new_with_free_func(g_free);
	char *file = g_strdup_printf("%s/%s.db", dir, name),
	     *key = g_build_filename(dir, "site.key", NULL);
	char *seen = g_strdup_printf("%s/%s.seen", dir, name);
	g_ptr_array_add(kept, file);
	g_ptr_array_add(kept, key);
	g_ptr_array_add(kept, seen);
	return (MsDirectorySettings){.backend = MS_BACKEND_SQLITE,
		.sqlite = file,
		.key_file = key,
		.digests = true,
		.house = "house",
		.tag_separators = "+",
		.seen_file = seen};
}

static MsDirectory *open_directory(const MsDirectorySettings *settings)
{
	g_autoptr(GError) error = NULL;
	MsDirectory *directory = ms_directory_open(settings, kinds, &error);
	g_assert_no_error(error);
	return directory;
}

/* ---- what is odd ---------------------------------------------------------------------- */

static void on_warning(guint64 line, const char *text, void *user)
{
	g_string_append_printf(user, "%" G_GUINT64_FORMAT " %s\n", line, text);
}

/* Each row: lines after two of a good account and one of the house, and the warning that there
 * must be (line 0: of one of them); NULL: none. */
static const struct {
	const char *rows;
	guint64 line;
	const char *want;
} odd[] = {
	{"", 0, NULL},
	{"G,recipient,@gmail.com\n", 4, "anybody can have a mailbox"},
	{"G,recipient,@GMX.de\n", 4, "anybody can have a mailbox"},
	{"G,recipient,somebody@gmail.com\n", 0, NULL},
	{"G,recipient,test@firm.example\n", 4, "looks like a placeholder"},
	{"G,recipient,NoReply@firm.example\n", 4, "looks like a placeholder"},
	{"G,email,x@example.com\n", 4, "looks like a placeholder"},
	{"G,customer-number,0000\n", 4, "looks like a placeholder"},
	{"G,customer-number,C-00000\n", 4, "looks like a placeholder"},
	{"G,customer-number,123456\n", 4, "looks like a placeholder"},
	{"G,invoice-number,INV-2026-00017\n", 0, NULL},
	{"G,contract-number,26.11.2026\n", 4, "looks like a date"},
	{"G,contract-number,2026-11-26 00:00:00\n", 4, "looks like a date"},
	{"G,customer-number,Feb 25\n", 4, "looks like a date"},
	{"G,customer-number,01-M\xc3\xa4r\n", 4, "looks like a date"},
	{"G,customer-number,A-01\n", 0, NULL},
	{"G,contract-number,10.2031.26\n", 4, "looks like a date"},
	{"G,contract-number,10.203.26\n", 0, NULL},
	{"G,customer-number,48291746.00\n", 4, "with decimals"},
	{"G,customer-number,48291746.01\n", 0, NULL},
	{"G,billing-address,\"Hauptstra\xc3\x83\xc2\x9f" "e 5, 10115 Berlin\"\n", 4, "letters that are none"},
	{"G,billing-address,\"Hauptstra&szlig;e 5, 10115 Berlin\"\n", 4, "letters that are none"},
	{"G,billing-address,\"M&M Stra\xc3\x9f" "e 5, 10115 Berlin\"\n", 0, NULL},
	{"G,customer-number,70000\n", 0, NULL},
	{"X,customer-number,C-100\n", 4, "without recipients"},
	{"X,recipient,x@x.example\n", 4, "without identifiers"},
	{"R,recipient,r@r.example\nR,receives-for,G\n", 0, NULL},
	{"R,recipient,r@r.example\nR,receives-for,NOBODY\n", 5, "of which nothing else is said"},
	{"G,receives-for,G\n", 4, "receives for it"},
	{"H,customer-number,H-771\nH,receives-for,G\nG,receives-for,H\n", 0, "receives for it"},
	{"G,iban,DE89370400440532013000\n", 4, "also the house's"},
	{"G,billing-address,\"M\u00b3ynarska 5, 10-115 Olsztyn\"\n", 4, "letters that are none"},
	{"G,billing-address,\"Hauptstra?e 5, 10115 Berlin\"\n", 4, "letters that are none"},
	{"G,billing-address,\"Hauptstra\ufffd" "e 5, 10115 Berlin\"\n", 4, "letters that are none"},
	{"G,greeted-as,M\u201eller\n", 4, "letters that are none"},
	{"G,greeted-as,M\u00c3\u00bcller\n", 4, "letters that are none"},
	{"G,greeted-as,Marcel\u00b7l\u00ed O\u2019Neil-Grau\n", 0, NULL},
	{"G,billing-address,\"Str. 5?, 10115 Berlin\"\n", 0, NULL},
	{"G,customer-number,Weber\nG,customer-number,Hof\nG,customer-number,Kurz\nG,customer-number,Lang\n",
		4, "a customer-number without a digit"},
	{"G,customer-number,47#11\nG,customer-number,47#12\nG,customer-number,47#13\nG,customer-number,47#14\n",
		4, "of the first 5 values of customer-number 4 have not the form"},
	{"G,customer-number,Barverkauf\n", 4, "each mail that has the word"},
	{"G,customer-number,a@m.example\nG,customer-number,b@m.example\nG,customer-number,c@m.example\n"
	 "G,customer-number,d@m.example\n", 4, "is it the right column"},
	/* several in one cell, and words beside one, each with its line */
	{"G,customer-number,C-20032 C-20033\n", 4, "several in one cell"},
	{"G,customer-number,48291746 / 48291747\n", 4, "several in one cell"},
	{"G,customer-number,C-20062 (old: C-20063)\n", 4, "several in one cell"},
	{"G,customer-number,Kd.-Nr. 48291756\n", 4, "several in one cell"},
	{"G,order-number,C-20072 Beta SARL\n", 4, "several in one cell"},
	{"G,customer-number,C-20022/C-20023\n", 4, "several in one cell"},
	{"G,invoice-number,482917/482918\n", 4, "several in one cell"},
	{"G,customer-number,C-20022\nG,customer-number,\"C-20042 [C-20043]\"\n", 5, "several in one cell"},
	{"G,contract-number,2024/1207\n", 0, NULL},
	{"G,invoice-number,RE 2026/00417\n", 0, NULL},
	{"G,customer-number,\"C-20012, C-20013\"\n", 0, NULL},
	/* a court is no company's */
	{"G,company-registration,\"HRB 20717, Amtsgericht K\303\266ln\"\n", 4, "several in one cell"},
	/* one value of two accounts, written otherwise */
	{"G,customer-number,11-234\nH,recipient,h@h.example\nH,customer-number,112-34\n", 6,
		"is in line 4 at another account"},
	{"G,contract-number,2024/1-1207\nH,recipient,h@h.example\nH,contract-number,2024/11-207\n", 6,
		"is in line 4 at another account"},
	{"G,customer-number,abC-77123\nH,recipient,h@h.example\nH,customer-number,ABc-77123\n", 6,
		"is in line 4 at another account"},
	{"G,customer-number,Ä-77129\nH,recipient,h@h.example\nH,customer-number,A-77129\n", 6,
		"is in line 4 at another account"},
	{"G,customer-number,11-234\nH,recipient,h@h.example\nH,customer-number,11-234\n", 0, NULL},
	{"G,customer-number,11-234\nG,customer-number,112-34\n", 0, NULL},
	{"G,iban,DE89370400440532013000\n", 4, "also the house's"},
	{"G,customer-number,KD 10 001\nG,customer-number,4823117A\nG,customer-number,K-7002\nG,customer-number,8001\n",
		0, NULL},
	{"X,recipient,x@x.example\nX,customer-number,C-8812\nA,recipient,x@x.example\nA,customer-number,C-8813\n"
	 "B,recipient,x@x.example\nB,customer-number,C-8814\n",
		4, "is at 3 accounts"},
};

static void test_odd(void)
{
	MsDirectorySettings settings = settings_for("odd");
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
		g_autofree char *text = g_strconcat(
			"G,recipient,g@g.example\nG,customer-number,C-4711\n"
			"house,iban,DE89370400440532013000\n",
			odd[i].rows, NULL);
		g_autoptr(GString) told = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		int fd = memory_file(text, strlen(text));
		MsImportResult result;
		MsImportOptions options = {.max_shrink = 1,
			.source = "x",
			.dry_run = true,
			.warn = on_warning,
			.user = told,
			.many = 2};
		ms_directory_import(directory, fd, &options, &result, &error);
		g_assert_no_error(error);
		close(fd);
		g_autofree char *line = g_strdup_printf("%" G_GUINT64_FORMAT " ", odd[i].line);
		bool right = odd[i].want == NULL
			? told->len == 0
			: (odd[i].line == 0 || g_str_has_prefix(told->str, line)) &&
				strstr(told->str, odd[i].want) != NULL;
		if (!right || (result.warnings > 0) != (odd[i].want != NULL))
			g_error("%s: told \"%s\"", odd[i].rows, told->str);
	}
}

/* Of many only some are told, and how many more there are. */
static void test_odd_many(void)
{
	MsDirectorySettings settings = settings_for("odd-many");
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	g_autoptr(GString) text = g_string_new(NULL), told = g_string_new(NULL);
	for (int i = 0; i < 300; i++)
		g_string_append_printf(text,
			"A-%d,recipient,office@adviser.example\nA-%d,recipient,@gmail.com\nA-%d,customer-number,C-%05d\n",
			i, i, i, 20000 + i);
	int fd = memory_file(text->str, text->len);
	MsImportResult result;
	MsImportOptions options = {
		.max_shrink = 1, .source = "x", .warn = on_warning, .user = told};
	g_assert_true(ms_directory_import(directory, fd, &options, &result, NULL));
	close(fd);
	g_assert_nonnull(strstr(told->str, "295 more domains at which anybody"));
	g_assert_nonnull(strstr(told->str, "1 the same value is at 300 accounts"));
	g_assert_null(strstr(told->str, "adviser"));
	g_assert_cmpuint(result.warnings, ==, 302);
	/* The same of the mapping, which has no values. */
	g_string_truncate(told, 0);
	guint64 warnings;
	g_assert_cmpint(ms_directory_lint(directory, 0, 30, on_warning, told, &warnings, NULL), ==,
		MS_FOUND);
	g_assert_nonnull(strstr(told->str, "0 the same value is at 300 accounts"));
	g_assert_nonnull(strstr(told->str, "0 300 entries have a domain at which anybody"));
	g_assert_cmpuint(warnings, ==, 302);
}

/* ---- LDIF, JSON ----------------------------------------------------------------------- */

#define OF_PEOPLE {.map = "mail=recipient,customerNumber=customer-number", .account = "cn"}
#define OF_JSON {.map = "nr=customer-number,contact.mail=recipient", .account = "nr"}

/* As those of tables. */
static const struct {
	const char *name, *text;
	MsTableForm form;
	const char *want, *note;
} others[] = {
	{"LDIF",
		"version: 1\n\n# a comment\n that goes on\ndn: uid=1,dc=example\ncustomerNumber: 4711\n"
		"mail: a@m.example\nMail;lang-de: b@m.exa\n mple\ncn:: TcO8bGxlcg==\n\n"
		"dn: uid=2,dc=example\r\ncn: \"x\"\r\ncustomerNumber: 4712\r\nmail: c@m.example\r\n\r\n"
		"search: 2\nmail: z@m.example\nresult: 0 Success\n",
		OF_PEOPLE,
		"M\xc3\xbcller|recipient|a@m.example\nM\xc3\xbcller|recipient|b@m.example\n"
		"M\xc3\xbcller|customer-number|4711\n\"x\"|recipient|c@m.example\n\"x\"|customer-number|4712\n", ""},
	{"... that does not say so", "# made by a script\ndn: uid=1\ncn: x\nmail: c@m.example",
		{.map = "mail=recipient,customerNumber=customer-number", .account = "cn", .ldif = true},
		"x|recipient|c@m.example\n", "no entry has \"customerNumber\""},
	{"... with a value elsewhere", "dn: x\nmail:< file:///etc/passwd\n", OF_PEOPLE, "error: lies elsewhere\n", ""},
	{"... with a line that is none", "dn: x\ncn: 1\nmail\n", OF_PEOPLE, "error: line 4 of the LDIF has no colon\n", ""},
	{"... without a map", "dn: x\nmail: c@m.example\n", {0}, "error: --map ATTRIBUTE=KIND\n", ""},
	{"JSON, a line each",
		"{\"nr\": 4711, \"contact\": {\"mail\": \"a@m.example\"}}\r\n{\"contact\":{\"mail\":[\"b@m.example\",\"c@m.example\"]},\"nr\":\"M\u00fcller, \\\"K\\\"\"}\n",
		OF_JSON,
		"4711|customer-number|4711\n4711|recipient|a@m.example\n"
		"M\u00fcller, \"K\"|customer-number|M\u00fcller, \"K\"\n"
		"M\u00fcller, \"K\"|recipient|b@m.example\nM\u00fcller, \"K\"|recipient|c@m.example\n", ""},
	{"... a list", MARK "[\n  {\"nr\": \"4711\", \"contact.mail\": \"a@m.example\", \"x\": [1, {}]},\n  {\"nr\": \"4712\"},\n  {\"nr\": 4713, \"contact\": null}\n]\n",
		OF_JSON, "4711|customer-number|4711\n4711|recipient|a@m.example\n4712|customer-number|4712\n4713|customer-number|4713\n", ""},
	{"... by row", "{\"value\":\"DE89\",\"kind\":\"iban\",\"account\":\"A-1\"}\n{\"account\":\"A-2\",\"kind\":\"ibam\",\"value\":\"DE90\"}", {0},
		"A-1|iban|DE89\n!2 is no kind of kinds.conf\n", ""},
	{"... an empty list", "[\n\n]\n", OF_JSON, "", "no entry has \"nr\", no entry has \"contact.mail\""},
	{"... a member that is called otherwise", "{\"nr\": 4711, \"Mail\": \"a@m.example\"}\n", OF_JSON, "4711|customer-number|4711\n",
		"no entry has \"contact.mail\""},
	{"... a number with a fraction", "{\"nr\": 48291746.0}\n", OF_JSON, "!1 a number with a decimal\n", "no entry"},
	{"... a number that is too long", "{\"nr\": 482917460000000000000000}\n", OF_JSON, "error: line 1 of the JSON cannot be read\n", "no entry"},
	{"... an object as value", "{\"nr\": 1}\n{\"nr\": {\"id\": 7}}\n", OF_JSON, "error: line 2 of the JSON ends an object whose \"nr\"\n", "no entry"},
	{"... twice the same member", "{\"nr\": 1, \"nr\": 2}\n", OF_JSON, "error: line 1 of the JSON cannot be read\n", "no entry"},
	{"... cut in an object", "{\"nr\": 1}\n{\"nr\": 2,", OF_JSON, "error: line 2 of the JSON cannot be read\n", "no entry"},
	{"... cut in its list", "[{\"nr\": 1}\n,\n", OF_JSON, "error: line 3 of the JSON ends within its list\n", "no entry"},
	{"... a list that is not closed", "[{\"nr\": 1}\n", OF_JSON, "error: line 2 of the JSON ends within its list\n", "no entry"},
	{"... and more behind", "[{\"nr\": 1}]\n{\"nr\": 2}\n", OF_JSON, "error: line 2 of the JSON has something that is no object\n", "no entry"},
	{"... a list of numbers", "{\"nr\": 1}\n17\n", OF_JSON, "error: line 2 of the JSON has something that is no object\n", "no entry"},
	{"... no comma", "[{\"nr\": 1} {\"nr\": 2}]\n", OF_JSON, "error: line 1 of the JSON has no comma\n", "no entry"},
};

static void test_entries(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(GString) notes = g_string_new(NULL);
		int fd = memory_file(others[i].text, strlen(others[i].text));
		g_autofree char *got = rows_of(fd, &others[i].form, notes);
		close(fd);
		if (!fits(got, others[i].want))
			g_error("%s: got %s want %s", others[i].name, got, others[i].want);
		bool failed = g_str_has_prefix(others[i].want, "error");
		if (!failed && (strstr(notes->str, others[i].note) == NULL ||
				       (notes->len > 0) != (*others[i].note != '\0')))
			g_error("%s: told %s", others[i].name, notes->str);
	}
}

/* One that is all in one is not taken into memory; nor is a value. */
static void test_entries_long(void)
{
	static const char *const rows[][3] = {
		{"{\"customers\": [", "{\"nr\": 1},", "line 1 of the JSON is within an object of more than"},
		{"{\"nr\": [\"\"", ",\"0123456789012345678901234567890\"", "line 1 of the JSON is within an object"},
		{"dn: x\ncn: 1\n", "cn: 0123456789012345678901234567890\n", "an entry that is longer than 65,536"},
		{"dn: x\ncn: 1\n", "0123456789012345678901234567890", "is longer than 262,144 bytes"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) text = g_string_new(rows[i][0]), notes = g_string_new(NULL);
		for (int k = 0; k < 40000; k++)
			g_string_append(text, rows[i][1]);
		int fd = memory_file(text->str, text->len);
		const MsTableForm people = OF_PEOPLE, json = OF_JSON;
		g_autofree char *got = rows_of(fd, i < 2 ? &json : &people, notes);
		close(fd);
		if (!g_str_has_prefix(got, "error") || strstr(got, rows[i][2]) == NULL)
			g_error("%zu: got %.300s", i, got);
	}
}

/* A part of it is not a smaller one. */
static void test_entries_broken(void)
{
	static const char *const rows[][2] = {
		{"/", "/dev/null"}, {"/dev/null", "/dev/full"}, {"/no/such", "/dev/null"}, {"/dev/null", "/no/such"}};
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GString) told = g_string_new(NULL);
		const MsTableForm people = OF_PEOPLE;
		int in = open(rows[i / 2][0], O_RDONLY | O_CLOEXEC);
		int out = open(rows[i / 2][1], O_RDWR | O_CLOEXEC);
		MsCsv *csv = ms_csv_new(in);
		g_assert_false(ms_entries_to_csv(csv, out, &people, i % 2 == 1, told, &error));
		g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
		ms_csv_free(csv);
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
	}
}

/* Every hundredth line is bad, so that somebody is called all the time. */
static char *many_rows(guint n, guint first)
{
	GString *out = g_string_new("account,kind,value\n");
	for (guint i = first; i < first + n; i++) {
		g_string_append_printf(out,
			"A-%05u,recipient,u%u@a.example\nA-%05u,customer-number,C-%06u\nR-%u,receives-for,A-%05u\n",
			i, i, i, i, i % 7, i);
		if (i % 100 == 50)
			g_string_append(out, "A-0,iban,DE00\n");
	}
	return g_string_free(out, FALSE);
}

typedef struct {
	GString *notes;
	char *progress; /* the file */
	guint64 bad;
	bool killing;
	guint64 waited;
	bool stop_writing, stop_reading;
	MsImportPhase phase;
	volatile int stop;
} Run;

static void on_run_note(const char *text, void *user)
{
	g_string_append(((Run *)user)->notes, text);
}

/* Dies as soon as something is kept. */
static void on_run_bad(guint64 line, const char *why, void *user)
{
	Run *run = user;
	g_assert_nonnull(strstr(why, "IBAN"));
	run->bad++;
	if (run->killing && g_file_test(run->progress, G_FILE_TEST_EXISTS))
		kill(getpid(), SIGKILL);
	if (run->killing && run->waited < line) {
		g_usleep(300 * 1000);
		run->waited = line + 500;
	}
}

static void on_run_progress(const MsImportProgress *progress, void *user)
{
	Run *run = user;
	run->phase = progress->phase;
	if (run->stop_reading || (run->stop_writing && progress->phase == MS_IMPORT_WRITE))
		run->stop = 1;
}

static char *progress_file(void)
{
	g_autoptr(GDir) all = g_dir_open(dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(all)) != NULL;)
		if (g_str_has_suffix(name, ".import"))
			return g_build_filename(dir, name, NULL);
	return NULL;
}

static bool import(
	MsDirectory *directory, const char *text, Run *run, MsImportResult *result, GError **error)
{
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	MsImportOptions options = {.max_shrink = 1,
		.max_bad = 1,
		.source = "in.csv",
		.note = on_run_note,
		.bad = on_run_bad,
		.progress = on_run_progress,
		.user = run,
		.stop = &run->stop};
	bool fine = ms_directory_import(directory, fd, &options, result, error);
	close(fd);
	return fine;
}

static gint64 wrong_parts(MsDirectory *directory, gint64 *entries)
{
	MsVerified v;
	g_assert_cmpint(ms_directory_verify(directory, NULL, NULL, &v, NULL), ==, MS_FOUND);
	*entries = v.entries;
	gint64 wrong = v.wrong;
	ms_verified_clear(&v);
	return wrong;
}

/* Killed while it reads. */
static void kill_one(const MsDirectorySettings *settings, const char *text, const char *progress)
{
	pid_t pid = fork();
	if (pid == 0) {
		MsDirectory *writer = open_directory(settings);
		Run run = {.notes = g_string_new(NULL),
			.progress = g_strdup(progress),
			.killing = true};
		MsImportResult result;
		import(writer, text, &run, &result, NULL);
		_exit(1);
	}
	int status;
	waitpid(pid, &status, 0);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What an import has learned of how the numbers of a kind are made is among the marks. */
static bool has_style(MsDirectory *directory, const char *kind, const char *letters)
{
	const MsStyle style = {ms_kind_tag(kind), letters, strlen(letters), 0};
	g_autoptr(MsKnown) all = NULL;
	MsMark mark;
	bool found = false;
	ms_style_mark(&style, &mark);
	g_assert_cmpint(ms_directory_known(directory, NULL, 0, &all, NULL), ==, MS_FOUND);
	for (guint i = 0; i < all->marks->len; i++)
		found = found ||
			memcmp(&g_array_index(all->marks, MsMark, i), &mark, sizeof mark) == 0;
	return found;
}

static void test_goes_on(void)
{
	MsDirectorySettings settings = settings_for("goes-on");
	g_autofree char *before = many_rows(10, 0), *rows = many_rows(3000, 0),
			*other = many_rows(3000, 1),
			*text = g_strconcat("account,kind,value\nR-1,order-number,AB-000001\n",
				strchr(rows, '\n') + 1, NULL);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	Run run = {.notes = g_string_new(NULL)};
	MsImportResult result, again;
	g_assert_true(import(directory, before, &run, &result, NULL));
	g_assert_null(progress_file());
	/* What the file is called is known by the directory alone. */
	MsDirectoryState state = {0};
	g_assert_cmpint(ms_directory_state(directory, &state, NULL), ==, MS_FOUND);
	ms_directory_state_clear(&state);
	g_autofree char *sum = NULL;
	g_autoptr(GDir) all = g_dir_open(dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(all)) != NULL;)
		if (g_str_has_prefix(name, "goes-on.seen-"))
			sum = g_strdup_printf("%s/%s.import", dir, name);
	g_assert_nonnull(sum);

	kill_one(&settings, text, sum);
	g_autofree char *kept = progress_file();
	g_assert_nonnull(kept);
	gint64 entries;
	g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
	g_assert_cmpint(entries, ==, 30); /* nothing of it is to be seen */
	g_string_truncate(run.notes, 0);
	run.bad = 0;
	g_assert_true(import(directory, text, &run, &result, NULL));
	g_assert_nonnull(strstr(run.notes->str, "this one goes on at line "));
	g_assert_cmpuint(result.bad, ==, 30);
	g_assert_cmpuint(run.bad, <, 30); /* those before were told before */
	g_assert_true(has_style(directory, "customer-number", "c"));
	g_assert_true(has_style(directory, "order-number", "ab")); /* only that one has read it */
	g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
	g_assert_cmpint(entries, ==, result.entries);
	g_assert_null(progress_file());

	/* The same at once. */
	g_string_truncate(run.notes, 0);
	g_assert_true(import(directory, text, &run, &again, NULL));
	g_assert_cmpint(again.entries, ==, result.entries);
	g_assert_cmpuint(again.lines, ==, result.lines);
	g_assert_cmpstr(run.notes->str, ==, "");

	/* Another file begins anew. */
	kill_one(&settings, text, sum);
	g_string_truncate(run.notes, 0);
	g_assert_true(import(directory, other, &run, &again, NULL));
	g_assert_nonnull(strstr(run.notes->str, "begins anew"));
	g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
	g_assert_null(progress_file());
	g_string_free(run.notes, TRUE);
}

/* However many ways there are that a few numbers of a kind are made in: what most have is learned,
 * of that kind and of others that come later. */
static void test_styles(void)
{
	MsDirectorySettings settings = settings_for("styles");
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	Run run = {.notes = g_string_new(NULL)};
	MsImportResult result;
	GString *text = g_string_new("account,kind,value\n");
	for (int i = 0; i < 21000; i++)
		g_string_append_printf(text, "A-%d,order-number,%c%c%c%c1\n", i,
			'A' + i / 17576, 'A' + i / 676 % 26, 'A' + i / 26 % 26, 'A' + i % 26);
	for (int i = 0; i < 9000; i++)
		g_string_append_printf(text, "A-%d,order-number,AB%d\nA-%d,customer-number,C-%d\n",
			i, 4000 + i, i, 4000 + i);
	g_assert_true(import(directory, text->str, &run, &result, NULL));
	g_assert_cmpint(result.entries, ==, 39000);
	g_assert_true(has_style(directory, "order-number", "ab"));
	g_assert_true(has_style(directory, "customer-number", "c"));
	g_assert_false(has_style(directory, "order-number", "abcd"));
	g_string_free(text, TRUE);
	g_string_free(run.notes, TRUE);
}

/* Stopped while slices are written; then what was put aside is damaged. */
static void test_goes_on_writing(void)
{
	MsDirectorySettings settings = settings_for("writing");
	g_autofree char *text = many_rows(6000, 0);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	MsImportResult result;
	gint64 entries;
	for (int damaged = 0; damaged < 2; damaged++) {
		Run run = {.notes = g_string_new(NULL), .stop_writing = true};
		g_autoptr(GError) error = NULL;
		g_assert_false(import(directory, text, &run, &result, &error));
		g_assert_nonnull(strstr(error->message, "The same command goes on from here"));
		g_assert_true(result.kept);
		g_autofree char *kept = progress_file();
		g_autofree char *aside = g_strconcat(kept, ".entries", NULL);
		if (damaged) {
			int fd = open(aside, O_WRONLY);
			g_assert_cmpint(pwrite(fd, "damage", 6, 5000), ==, 6);
			close(fd);
		}
		run.stop = 0;
		run.stop_writing = false;
		g_clear_error(&error);
		bool fine = import(directory, text, &run, &result, &error);
		g_assert_nonnull(strstr(run.notes->str, "goes on with what that one had read"));
		g_assert_cmpint(fine, ==, !damaged);
		if (damaged) {
			g_assert_nonnull(strstr(error->message, "begins anew"));
			g_string_truncate(run.notes, 0);
			g_assert_true(import(directory, text, &run, &result, NULL));
			g_assert_null(strstr(run.notes->str, "goes on"));
		}
		g_assert_cmpint(result.entries, ==, 18000);
		g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
		g_assert_cmpint(entries, ==, 18000);
		g_assert_null(progress_file());
		g_string_free(run.notes, TRUE);
	}
}

/* While it is read it can be stopped, and says that it is there, whatever it is encoded in. */
static void test_stops_reading(void)
{
	static const char *const encodings[] = {"UTF-8", "windows-1252", "UTF-16LE"};
	MsDirectorySettings settings = settings_for("stops");
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(encodings); i++) {
		g_autofree char *rows = many_rows(500, 0);
		g_autofree char *text = g_strconcat(rows, "M\u00fcller,recipient,m@a.example\n", NULL);
		gsize len;
		g_autofree char *bytes = g_convert(text, -1, encodings[i], "UTF-8", NULL, &len, NULL);
		Run run = {.stop_reading = true};
		MsImportOptions options = {.max_shrink = 1, .max_bad = 1, .source = "x",
			.progress = on_run_progress, .user = &run, .stop = &run.stop};
		MsImportResult result;
		g_autoptr(GError) error = NULL;
		int fd = memory_file(bytes, len);
		g_assert_false(ms_directory_import(directory, fd, &options, &result, &error));
		close(fd);
		g_assert_nonnull(strstr(error->message, "stopped; the mapping in use is unchanged"));
		g_assert_cmpint(run.phase, ==, MS_IMPORT_READ);
		g_assert_cmpint(strstr(error->message, "goes on from here") != NULL, ==, result.kept);
	}
}

static bool count_alive(void *user, GError **error)
{
	(void)error;
	return ++*(guint *)user < 100;
}

static bool take_nothing(
	const guint8 digest[MS_ENTRY_DIGEST], const MsRecord *record, void *user, GError **error)
{
	(void)digest, (void)record, (void)user, (void)error;
	return true;
}

/* What is put aside may be so much that a claim is lost while it is gone over. */
static void test_alive(void)
{
	static const MsKeys keys;
	guint alive = 0;
	const MsSpillPlace place = {.keys = &keys, .generation = "0", .kind = 'E',
		.alive = count_alive, .user = &alive};
	MsSpill *spill = ms_spill_new(&place, NULL);
	g_assert_nonnull(spill);
	g_assert_false(ms_spill_each(spill, take_nothing, NULL, NULL));
	g_assert_cmpuint(alive, ==, 100);
	ms_spill_free(spill);
}

/* What -n says is what an import would. */
static void test_dry_run(void)
{
	MsDirectorySettings settings = settings_for("dry");
	g_autofree char *text = many_rows(40, 0), *less = many_rows(20, 0);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	Run run = {.notes = g_string_new(NULL)};
	MsImportResult result;
	g_assert_true(import(directory, text, &run, &result, NULL));
	g_assert_cmpint(result.entries, ==, 120);
	int fd = memory_file(less, strlen(less));
	MsImportOptions options = {.max_shrink = 0.2, .max_bad = 1, .source = "x", .dry_run = true};
	g_autoptr(GError) error = NULL;
	g_assert_false(ms_directory_import(directory, fd, &options, &result, &error));
	g_assert_nonnull(strstr(error->message, "would shrink from 120 to 60"));
	g_clear_error(&error);
	options.max_shrink = 0.5;
	lseek(fd, 0, SEEK_SET);
	g_assert_true(ms_directory_import(directory, fd, &options, &result, &error));
	g_assert_cmpint(result.entries, ==, 60);
	close(fd);
	gint64 entries;
	g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
	g_assert_cmpint(entries, ==, 120);
	g_string_free(run.notes, TRUE);
}

/* So many that some of it is stored before all is read; then the mapping in use is asked for the
 * house, which the file has not. */
static void test_large_without_house(void)
{
	MsDirectorySettings settings = settings_for("large");
	g_autofree char *text = many_rows(8000, 0);
	for (int i = 0; i < 2; i++) {
		g_autoptr(MsDirectory) directory = open_directory(&settings);
		g_autoptr(GString) told = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		int fd = memory_file(text, strlen(text));
		MsImportResult result;
		MsImportOptions options = {.max_shrink = 1,
			.max_bad = 1,
			.source = "x",
			.warn = on_warning,
			.user = told};
		ms_directory_import(directory, fd, &options, &result, &error);
		g_assert_no_error(error);
		close(fd);
		gint64 entries;
		g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
		g_assert_cmpint(entries, ==, 24000);
	}
}

/* A table with a line below it, however small, and none that says nothing. */
static void test_small(void)
{
	static const struct {
		const char *text, *want;
		guint64 warnings;
	} rows[] = {
		{"A-1,customer-number,C-4711\nA-1,recipient,a@a.example\n(1 row)\n", NULL, 1},
		{"A-1,customer-number,C-4711\n(1 row)\nA-1,recipient,a@a.example\n", "1 of 3 lines is bad", 0},
		{"account,kind,value\n(0 rows)\n", "no good line was found", 0},
		{"K;Mail\n1;\n2;n/a\n", "none of its 2 lines says anything", 0},
		{"K;Mail\nTotal;\n", "no good line was found", 0},
	};
	g_autofree char *house = g_build_filename(dir, "own.csv", NULL);
	g_assert_true(g_file_set_contents(
		house, "account,kind,value\nhouse,recipient,@seller.example\n", -1, NULL));
	/* What is added of the house's own makes nothing of it. */
	for (gsize k = 0; k < 2 * G_N_ELEMENTS(rows); k++) {
		gsize i = k / 2;
		g_autofree char *name = g_strdup_printf("small-%zu", k);
		MsDirectorySettings settings = settings_for(name);
		settings.house = "house";
		settings.house_file = k % 2 == 1 ? house : NULL;
		g_autoptr(MsDirectory) directory = open_directory(&settings);
		g_autoptr(GString) told = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		MsImportResult result;
		int fd = memory_file(rows[i].text, strlen(rows[i].text));
		bool by_row = rows[i].text[0] != 'K';
		MsImportOptions options = {.form = {.map = by_row ? NULL : "Mail=recipient",
						   .account = by_row ? NULL : "K"},
			.max_shrink = 1, .max_bad = 0.01, .source = "x", .warn = on_warning, .user = told};
		bool fine = ms_directory_import(directory, fd, &options, &result, &error);
		close(fd);
		g_assert_cmpint(fine, ==, rows[i].want == NULL);
		if (!fine && strstr(error->message, rows[i].want) == NULL)
			g_error("%s: %s", rows[i].text, error->message);
		if (fine)
			g_assert_cmpuint(result.warnings, ==, rows[i].warnings);
	}
}

/* A quote that is not closed: nothing of the file is taken. */
static void test_nothing_loaded(void)
{
	MsDirectorySettings settings = settings_for("quote");
	g_autofree char *text = many_rows(400, 0);
	g_autofree char *broken = g_strconcat(text, "A-1,customer-number,\"4711\n", text, NULL);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	Run run = {.notes = g_string_new(NULL)};
	MsImportResult result;
	g_autoptr(GError) error = NULL;
	g_assert_true(import(directory, text, &run, &result, NULL));
	g_assert_false(import(directory, broken, &run, &result, &error));
	g_assert_nonnull(
		strstr(error->message, "line 1206: a quote (\") is opened and not closed"));
	g_assert_nonnull(strstr(error->message, "nothing is loaded"));
	gint64 entries;
	g_assert_cmpint(wrong_parts(directory, &entries), ==, 0);
	g_assert_cmpint(entries, ==, 1200);
	g_string_free(run.notes, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *file = source_file("policies/kinds.conf");
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	dir = scratch_folder();
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_assert_true(g_file_set_contents(key,
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", -1, NULL));
	g_assert_cmpint(chmod(key, 0600), ==, 0);
	g_test_add_func("/exports/shapes", test_shapes);
	g_test_add_func("/exports/long", test_long);
	g_test_add_func("/exports/late", test_late);
	g_test_add_func("/exports/late/piped", test_late_piped);
	g_test_add_func("/exports/where-buffers-end", test_where_buffers_end);
	g_test_add_func("/exports/odd", test_odd);
	g_test_add_func("/exports/odd/many", test_odd_many);
	g_test_add_func("/exports/entries", test_entries);
	g_test_add_func("/exports/entries/long", test_entries_long);
	g_test_add_func("/exports/entries/broken", test_entries_broken);
	g_test_add_func("/exports/goes-on", test_goes_on);
	g_test_add_func("/exports/styles", test_styles);
	g_test_add_func("/exports/goes-on/writing", test_goes_on_writing);
	g_test_add_func("/exports/stops-reading", test_stops_reading);
	g_test_add_func("/exports/alive", test_alive);
	g_test_add_func("/exports/dry-run", test_dry_run);
	g_test_add_func("/exports/large-without-house", test_large_without_house);
	g_test_add_func("/exports/small", test_small);
	g_test_add_func("/exports/nothing-loaded", test_nothing_loaded);
	int rc = g_test_run();
	remove_folder(dir);
	g_free(dir);
	ms_kinds_unref(kinds);
	return rc;
}
