/*
 * Faults that people make in policies and kinds, each planted by itself: the check that finds it,
 * on its line, and no other; nothing in the policies that are shipped, and nothing in what only
 * looks like a fault.
 */
#include "config.h"

#include <string.h>

#include "missent/domain.h"
#include "missent/policylint.h"
#include "missent/settings.h"

#include "../test.h"

#define KINDS                                                     \
	"kind \"customer-number\" { pattern = {'C-[0-9]{5}'} }\n" \
	"kind \"invoice-number\" { pattern = {'R-[0-9]{6}'} }\n"  \
	"kind \"iban\" { pattern = {'[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}'} check = iban\nmax-length = 34 }\n"

typedef struct {
	const char *check;
	int line;
	const char *word;  /* in what is told */
	const char *policies, *kinds, *settings;
} Row;

#define A "policy \"a\" { sender = {\"a@example.com\"} kinds = {\"iban\"}\n"

static const Row planted[] = {
	/* cannot be loaded */
	{"load", 2, "stands here already", A "kinds = {\"customer-numer\"} }\n", NULL, NULL},
	{"load", 2, "no kind \"contract\"", "policy \"a\" {\nkinds = {\"contract\"} }\n", NULL,
		NULL},
	{"load", 2, "not among the kinds", A "require = {\"invoice-number\"} }\n", NULL, NULL},
	{"load", 2, "on-mismach", A "on-mismach = hold }\n", NULL, NULL},
	{"load", 3, "duplicate title", A "}\npolicy \"a\" { }\n", NULL, NULL},
	{"load", 2, "is defined in", A "}\n", "\nkind \"iban\" { pattern = {'[A-Z]{9}'} }\n", NULL},
	/* never has an effect */
	{"dead-limit", 2, "on-oversized = deliver",
		A "max-recipients = 20\non-oversized = deliver }\n", NULL, NULL},
	{"dead-limit", 2, "on-mixed-accounts",
		A "max-accounts = 1\non-mixed-accounts = deliver }\n", NULL, NULL},
	{"dead-limit", 3, "max-identifiers",
		"policy \"a\" { kinds = {\"none\"}\nmax-recipients = 5\nmax-identifiers = 9 }\n",
		NULL, NULL},
	/* conditions */
	{"contradiction", 2, "leaves nothing of sender", A "not-sender = {\"example.com\"} }\n", NULL,
		NULL},
	{"contradiction", 3, "leaves nothing of auth-user",
		A "auth-user = {\"anna\", \"otto\"}\nnot-auth-user = {\"an*\", \"otto\"} }\n", NULL, NULL},
	{"contradiction", 3, "leaves nothing of networks",
		A "networks = {\"192.0.2.0/25\"}\nnot-networks = {\"192.0.2.0/24\"} }\n", NULL, NULL},
	{"contradiction", 4, "no hour of the week of time",
		A "time-zone = \"UTC\"\ntime = {\"Sat\", \"Sun 10:00-12:00\"}\nnot-time = {\"Sat-Sun\"} }\n",
		NULL, NULL},
	{"contradiction", 3, "no hour of the week",
		A "time-zone = \"UTC\"\nnot-time = {\"Mon-Fri\", \"Sat-Sun\"} }\n", NULL, NULL},
	{"contradiction", 2, "attachment-name asks for one",
		A "attachments = {\"none\"}\nattachment-name = {\"*.pdf\"} }\n", NULL, NULL},
	{"contradiction", 3, "larger than message-size",
		A "message-size = {\"under 1M\"}\nattachment-size = {\"over 5M\"} }\n", NULL, NULL},
	{"contradiction", 3, "not-header-present excludes",
		A "header = {'List-Id: news'}\nnot-header-present = {\"list-id\"} }\n", NULL, NULL},
	{"contradiction", 2, "looks for none",
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\nidentifiers = {\"over 10\"} }\n",
		NULL, NULL},
	{"contradiction", 2, "looks for none",
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\nnot-identifiers = {\"none\"} }\n",
		NULL, NULL},
	{"always", 3, "every hour", A "time-zone = \"UTC\"\ntime = {\"00:00-12:00\", \"12:00-24:00\"} }\n",
		NULL, NULL},
	{"unasked", 2, "no effect without auth-results", A "authserv-id = {\"mx.example.com\"} }\n",
		NULL, NULL},
	{"unasked", 2, "no effect without time", A "time-zone = \"UTC\" }\n", NULL, NULL},
	{"twice", 2, "has no effect beside", A "message-size = {\"over 5M\", \"over 1M\"} }\n", NULL, NULL},
	{"header-name", 2, "likely to be Subject", A "not-header-present = {\"Subjekt\"} }\n", NULL,
		NULL},
	{"attachment", 2, "is no type", A "attachment-type = {\"pdf\"} }\n", NULL, NULL},
	{"pattern-empty", 2, "where nothing stands", A "not-header = {'Subject: x*'} }\n", NULL, NULL},
	{"load", 3, "there is no policy \"aa\"", A "}\ntest \"t\" { policy = \"aa\"\nfrom = \"x@y.example\"\n"
		"to = \"a@b.example\"\ntext = \"x\"\nexpect = deliver }\n", NULL, NULL},
	{"load", 3, "for nobody", A "}\ntest \"t\" { from = \"x@y.example\"\ntext = \"x\"\nexpect = deliver }\n", NULL, NULL},
	{"load", 2, "needs time-zone", A "time = {\"Mon\"} }\n", NULL, NULL},
	{"load", 2, "needs authserv-id", A "auth-results = {\"spf=fail\"} }\n", NULL, NULL},
	/* lists and templates */
	{"unused", 3, "names this list", A "}\nlist \"l\" { values = {\"b.example\"} }\n", NULL, NULL},
	{"unused", 4, "inherits this template", A "}\n\ntemplate \"t\" { }\n", NULL, NULL},
	{"unused", 4, "inherits this template",
		A "inherits = \"t\" }\ntemplate \"t\" { }\ntemplate \"u\" { inherits = \"t\" }\n", NULL,
		NULL},
	{"load", 2, "no list \"l\"", A "auth-user = {\"list:l\"} }\n", NULL, NULL},
	{"twice", 2, "stands there twice",
		"list \"l\" { values = {\"b@example.com\"} }\npolicy \"a\" { kinds = {\"iban\"} sender = {\"list:l\", \"b@example.com\"} }\n",
		NULL, NULL},
	{"dead-action", 2, "no max-recipients", A "on-oversized = reject }\n", NULL, NULL},
	{"dead-action", 2, "no require", A "on-unproven = hold }\n", NULL, NULL},
	{"dead-action", 2, "on-unproven = hold is stricter",
		A "on-unknown-recipient = \"delay 30m\"\nrequire = {\"iban\"} }\n", NULL, NULL},
	{"dead-action", 3, "on-unknown-recipient = split",
		A "require = {\"iban\"}\non-unknown-recipient = split\non-unproven = reject }\n",
		NULL, NULL},
	{"dead-action", 2, "no max-visible", A "on-exposed-recipients = hold }\n", NULL, NULL},
	{"dead-action", 2, "kinds = {\"none\"}",
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\non-mismatch = hold }\n",
		NULL, NULL},
	{"dead-action", 2, "on-fan-out never",
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\non-fan-out = hold }\n", NULL, NULL},
	{"dead-action", 2, "on-fan-in never",
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\non-fan-in = hold }\n", NULL, NULL},
	{"dead-action", 2, "on-unusual never",
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\non-unusual = hold }\n", NULL, NULL},
	{"dead-belief", 2, "believe-proof", A "believe-proof = {\"labelled\"} }\n", NULL, NULL},
	{"dead-belief", 2, "on-unknown-identifier = deliver",
		A "believe-unknown-identifier = {\"labelled\"} }\n", NULL, NULL},
	{"guard-off", 2, "enabled = no", A "on-fan-out = hold }\n", NULL,
		"guard { enabled = no }\n"},
	{"guard-off", 2, "volume = 0", A "on-volume = hold }\n", NULL, "guard { volume = 0 }\n"},
	{"require", 2, "none",
		"policy \"a\" { sender = {\"a@example.com\"}\nrequire = {\"none\"} }\n", NULL,
		NULL},
	{"limits", 3, "max-domains", A "max-recipients = 5\nmax-domains = 10 }\n", NULL, NULL},
	{"limits", 2, "max-visible-recipients",
		A "max-visible-recipients = 50\nmax-recipients = 5 }\n", NULL, NULL},
	{"limits", 3, "max-accounts", A "max-identifiers = 3\nmax-accounts = 9 }\n", NULL, NULL},
	{"twice", 3, "stands there twice",
		"policy \"a\" { kinds = {\"iban\",\n\"customer-number\",\n\"iban\"} }\n", NULL,
		NULL},
	{"twice", 2, "beside \"@example.com\"",
		"policy \"a\" { sender = {\"@example.com\",\n\"a@example.com\"} kinds = {\"iban\"} }\n",
		NULL, NULL},
	{"twice", 2, "beside \"*.pdf\"", A "attachment = {\"invoice*.pdf\", \"*.pdf\"} }\n", NULL,
		NULL},
	{"twice", 2, "beside \"10.0.0.0/8\"", A "networks = {\"10.0.0.0/8\", \"10.1.0.0/16\"} }\n",
		NULL, NULL},
	{"shadowed", 3, "policy \"a\"",
		A "}\npolicy \"b\" { sender = {\"a@example.com\"} kinds = {\"iban\"} }\n", NULL,
		NULL},
	{"shadowed", 3, "policy \"a\"",
		A "on-unknown-recipient = \"delay 1h\" }\n"
		"policy \"b\" { sender = {\"a@example.com\"} kinds = {\"iban\"} on-unknown-recipient = \"delay 10m then deliver\" }\n",
		NULL, NULL},
	{"shadowed", 1, "policy \"b\"", A "}\npolicy \"b\" { sender = {\"a@example.com\"} kinds = {\"iban\"} ocr = yes }\n",
		NULL, NULL},
	{"shadowed", 1, "policy \"b\"",
		A "read-max-pages = 50 }\n"
		"policy \"b\" { sender = {\"a@example.com\"} kinds = {\"iban\"} read-max-pages = 60 }\n",
		NULL, NULL},
	{"shadowed", 1, "policy \"b\"",
		A "on-unknown-recipient = \"delay 10m\" }\n"
		"policy \"b\" { sender = {\"a@example.com\"} kinds = {\"iban\"} on-unknown-recipient = \"delay 1h\" }\n",
		NULL, NULL},
	{"shadowed", 1, "policy \"wide\"",
		A
		"}\npolicy \"wide\" { sender = {\"@example.com\"} on-unknown-identifier = hold }\n",
		NULL, NULL},
	{"weaker", 4, "has reject",
		A
		"on-mismatch = reject }\npolicy \"b\" { kinds = {\"iban\"} sender = {\"a@example.com\"}\non-mismatch = hold\n"
		"on-unknown-recipient = tag }\n",
		NULL, NULL},
	{"weaker", 3, "for a@example.com",
		"policy \"a\" { sender = {\"a@example.com\", \"b@example.com\"} on-unreadable = hold }\n"
		"policy \"b\" { sender = {\"a@example.com\", \"c@example.com\"}\non-unreadable = tag\non-unknown-recipient = hold }\n",
		NULL, NULL},
	{"attachment", 2, "exactly this name", A "attachment = {\".pdf\"} }\n", NULL, NULL},
	{"attachment", 2, "exactly this name", A "attachment = {\"pdf\"} }\n", NULL, NULL},
	{"attachment", 2, "is no type", A "attachment-type = {\"*.pdf\"} }\n", NULL, NULL},
	{"attachment", 2, "is no type", A "not-attachment-type = {\"invoice.*.docx\"} }\n", NULL,
		NULL},
	{"attachment", 2, "the name of no file", A "attachment-name = {\"application/pdf\"} }\n",
		NULL, NULL},
	{"attachment", 2, "the name of no file", A "not-attachment-name = {\"image/*\"} }\n", NULL,
		NULL},
	{"attachment", 2, "the name of no file", A "attachment-name = {'.*\\.pdf$'} }\n", NULL, NULL},
	{"attachment", 2, "the name of no file", A "attachment = {'*.{xls,csv}'} }\n", NULL, NULL},
	{"attachment", 2, "the name of no file", A "not-attachment-name = {'*.xls|*.csv'} }\n", NULL, NULL},
	{"attachment", 2, "any attachment", A "attachment-name = {\"*\"} }\n", NULL, NULL},
	{"attachment", 2, "any attachment", A "attachment-type = {\"*/*\"} }\n", NULL, NULL},
	{"attachment", 2, "any part", A "attachment = {\"*\"} }\n", NULL, NULL},
	{"header-name", 2, "likely to be Subject", A "header = {'Subjct: invoice'} }\n", NULL,
		NULL},
	{"never-outgoing", 2, "a@other.example",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"a@other.example\"} }\n", NULL,
		"outgoing { authenticated = no\nlocal = no\nsender-domains = {\"example.com\"} }\n"},
	{"never-outgoing", 2, "192.0.2.0/24",
		"policy \"a\" { kinds = {\"iban\"}\nnetworks = {\"192.0.2.0/24\"} }\n", NULL,
		"outgoing { authenticated = no\nlocal = no\nnetworks = {\"10.0.0.0/8\"} }\n"},
	/* lets out too much */
	{"then-deliver", 2, "speaks of a leak", A "on-mismatch = \"delay 5m then deliver\" }\n", NULL, NULL},
	{"then-deliver", 2, "speaks of a leak", A "on-contradiction = \"delay 5m then deliver\" }\n", NULL, NULL},
	{"mismatch-tagged", 2, "delivered, with a header field", A "on-mismatch = tag }\n", NULL, NULL},
	{"unchecked", 2, "all mail is delivered unchecked", A "on-directory-unavailable = deliver }\n", NULL, NULL},
	{"unchecked", 2, "all mail is delivered unchecked", A "on-directory-unavailable = tag }\n", NULL, NULL},
	{"unchecked", 2, "as if it were clean", A "on-unreadable = deliver }\n", NULL, NULL},
	{"mismatch-delivered", 2, "delivered", A "on-mismatch = deliver }\n", NULL, NULL},
	{"tolerates", 2, "\"worker\"", A "tolerate = {\"image\", \"worker\"} }\n", NULL, NULL},
	{"tolerates", 2, "\"damaged\"", A "tolerate = {\"damaged\"} }\n", NULL, NULL},
	{"mistyped-sender", 2, "is seller.example meant?",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"billing@seller.exmaple\"} }\n", NULL,
		"outgoing { sender-domains = {\"seller.example\"} }\n"},
	{"mistyped-sender", 2, "is b\xc3\xbc" "cher.example meant?",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"@b\xc3\xbc" "chr.example\"} }\n", NULL,
		"outgoing { sender-domains = {\"b\xc3\xbc" "cher.example\"} }\n"},
	{"mistyped-sender", 2, "all mail of a domain \"billing\"",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"billing\"} }\n", NULL, NULL},
	{"broad-sender", 2, "everybody", "policy \"a\" { kinds = {\"iban\"}\nsender = {\"*\"} }\n",
		NULL, NULL},
	{"broad-sender", 2, "anybody can have",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"@gmail.com\"} }\n", NULL, NULL},
	{"broad-sender", 2, "public suffix",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"com\"} }\n", NULL, NULL},
	{"broad-sender", 2, "public suffix",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"*@*.co.uk\"} }\n", NULL, NULL},
	{"below-alone", 2, "not seller.example itself",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"*.seller.example\", \"a@seller.example\"} }\n", NULL, NULL},
	{"below-alone", 2, "below b\xc3\xbc" "cher.example",
		"policy \"a\" { kinds = {\"iban\"}\nsender = {\"@*.b\xc3\xbc" "cher.example\"} }\n", NULL, NULL},
	{"broad-network", 2, "whole Internet", A "networks = {\"0.0.0.0/0\"} }\n", NULL, NULL},
	{"broad-outgoing", 1, "whole Internet", A "}\n", NULL,
		"outgoing { networks = {\"::/0\"} }\n"},
	{"broad-outgoing", 1, "anybody can have", A "}\n", NULL,
		"outgoing { sender-domains = {\"gmx.de\"} }\n"},
	/* patterns */
	{"pattern-empty", 2, "nothing stands", A "header = {'Subject: (invoice|bill|)'} }\n", NULL,
		NULL},
	{"pattern-empty", 2, "nothing stands", A "header = {'Subject: .*'} }\n", NULL, NULL},
	{"pattern-everything", 2, "any text", A "header = {'Subject: .+'} }\n", NULL, NULL},
	{"pattern-everything", 2, "any text", A "header = {'Subject: [a-z]'} }\n", NULL, NULL},
	{"pattern-runs-away", 2, "limit of steps", A "header = {'Subject: (a+)+$'} }\n", NULL,
		NULL},
	{"pattern-runs-away", 2, "limit of steps", A "header = {'Subject: ^(\\w+\\s?)*!$'} }\n",
		NULL, NULL},
	{"pattern-runs-away", 2, "limit of steps", A "header = {'Subject: (x|xx)*y'} }\n", NULL,
		NULL},
	{"pattern-runs-away", 2, "limit of steps",
		A "header = {'Subject: Invoice ([0-9]+-?)*;'} }\n", NULL, NULL},
	{"pattern-runs-away", 2, "limit of steps", A "header = {'Subject: (.*,){9}P'} }\n", NULL,
		NULL},
	{"pattern-runs-away", 2, "limit of steps",
		A "header = {'Subject: [A-Z]{2}-(?:[0-9]|[0-9]{2})+#'} }\n", NULL, NULL},
	{"pattern-runs-away", 2, "limit of steps", A "header = {'X-Id: ^([a-z0-9._-]+)*@'} }\n",
		NULL, NULL},
	{"kind-empty", 2, "nothing stands", A "}\n",
		"\nkind \"x\" { pattern = {'[0-9]*'} labels = {\"xx\"} label-required = yes }\n",
		NULL},
	{"kind-everything", 2, "any word", A "}\n", "\nkind \"x\" { pattern = {'[A-Z0-9]+'} }\n",
		NULL},
	{"kind-everything", 2, "any number", A "}\n",
		"\nkind \"x\" { pattern = {'[0-9]{4,10}'} }\n", NULL},
	{"kind-everything", 2, "eight digits", A "}\n", "\nkind \"x\" { pattern = {'[0-9]{8}'} }\n",
		NULL},
	{"kind-runs-away", 2, "limit of steps", A "}\n",
		"\nkind \"x\" { pattern = {'K(?:[0-9]+ ?)+Z'} }\n", NULL},
	{"kind-runs-away", 2, "limit of steps", A "}\n",
		"\nkind \"x\" { pattern = {'([A-Z]+)*[0-9]'} labels = {\"xx\"} label-required = yes }\n",
		NULL},
	{"kind-lengths", 3, "check = uuid", A "}\n",
		"\nkind \"x\" { pattern = {'[0-9a-f-]{36}'} check = uuid\nmax-length = 20 }\n",
		NULL},
	{"kind-lengths", 3, "canonical = digits", A "}\n",
		"\nkind \"x\" { pattern = {'[A-Z]{4}[A-Z0-9]{4}'} check = bic\ncanonical = digits }\n",
		NULL},
	{"kind-lengths", 2, "takes \"AK\" alone", A "}\n",
		"\nkind \"x\" { pattern = {'(AK|BK)-[0-9]{5}'} }\n", NULL},
	{"kind-lengths", 2, "takes \"FILE-\" alone", A "}\n",
		"\nkind \"x\" { pattern = {'(FILE-)?[0-9]{5}'} labels = {\"xx\"} label-required = yes }\n",
		NULL},
	{"kind-lengths", 2, "the whole text", A "}\n",
		"\nkind \"x\" { pattern = {'^AK-[0-9]{5}'} }\n", NULL},
	{"kind-lengths", 2, "the whole text", A "}\n",
		"\nkind \"x\" { pattern = {'AK-[0-9]{5}$'} }\n", NULL},
	{"kind-lengths", 2, "lengths say 3 to 64", A "}\n",
		"\nkind \"x\" { pattern = {'[0-9]{2}'} labels = {\"xx\"} label-required = yes }\n",
		NULL},
	{"kind-lengths", 2, "lengths say 3 to 4", A "}\n",
		"\nkind \"x\" { pattern = {'C-[0-9]{5}'} max-length = 4 }\n", NULL},
	{"kind-lengths", 2, "lengths say 3 to 64", A "}\n",
		"\nkind \"x\" { pattern = {'[0-9]{5}'} check = gln }\n", NULL},
	{"kind-labels", 2, "before anything", A "}\n",
		"\nkind \"x\" { pattern = {'K[0-9]{5}'} labels = {\"K\"} }\n", NULL},
	{"kind-labels", 2, "name \"\" stands before anything", A "}\n",
		"\nkind \"x\" { pattern = {'K[0-9]{5}'} names = {\"\", \"Kunde\"} }\n", NULL},
	{"names", 1, "custmer-number", A "}\n", NULL,
		"guard { customer-kinds = {\"custmer-number\"} }\n"},
	{"names", 1, "no policy \"aa\"", A "}\n", NULL,
		"desk { two-person-policies = {\"aa\"} }\n"},
};

/* What only looks like one. */
static const Row harmless[] = {
	{NULL, 0, NULL, A "max-recipients = 5\nmax-domains = 5\nmax-visible-recipients = 5 }\n",
		NULL, NULL},
	{NULL, 0, NULL, A "header = {'Subject: invoice|bill', 'X-Kind: ^$', 'List-Id: .'} }\n",
		NULL, NULL},
	{NULL, 0, NULL,
		A
		"header = {'Subject: ^(Re: )?Your invoice [0-9]+', 'Subject: rechnung.*kunde'} }\n",
		NULL, NULL},
	{NULL, 0, NULL,
		"policy \"a\" { sender = {\"*@*.example.co.uk\", \"<>\", \"me@gmail.com\"} kinds = {\"iban\"} }\n",
		NULL, NULL},
	{NULL, 0, NULL,
		"policy \"a\" { sender = {\"billing@*\", \"@internal\"} kinds = {\"iban\"} }\n",
		NULL, NULL},
	{NULL, 0, NULL,
		A "header = {'X-Path: /in/out/', 'Subject: [/]x[/]', 'Subject: AB/', 'Subject: //', 'X-Is: y'}\n"
		  "not-auth-user = {'CORP\\anna', \"a!\", \"CORP\\\\bert\"} }\n",
		NULL, NULL},
	{NULL, 0, NULL, A "attachment = {\"application/pdf\", \"*.pdf\", \"invoice.txt\"} }\n",
		NULL, NULL},
	{NULL, 0, NULL, A "attachment-type = {\"*.sheet\", \"image/*\", \"*/vnd.ms-excel\"} }\n", NULL,
		NULL},
	{NULL, 0, NULL,
		"policy \"a\" { sender = {\"b\xc3\xbc" "cher.example\", \"o'neill+x@seller.example\", \"*\xc3\xa9@*.b\xc3\xbc" "cher.example\"} kinds = {\"iban\"} }\n",
		NULL, NULL},
	{NULL, 0, NULL,
		"policy \"a\" { sender = {\"a@seller.be\", \"a@seller.example\", \"a@mail.seller.de\", \"a@seller.xe\", "
		"\"a@*.sellers.de\", \"localhost\", \"<>\"} kinds = {\"iban\"} }\n",
		NULL, "outgoing { sender-domains = {\"seller.de\", \"seller.example\", \"seller.xe\"} }\n"},
	{NULL, 0, NULL,
		"policy \"a\" { sender = {\"*.seller.example\", \"@seller.example\", \"*@*.other.example\"} kinds = {\"iban\"} }\n",
		NULL, NULL},
	/* The wide one is the milder, but looks at other mail too. */
	{NULL, 0, NULL,
		A
		"on-unreadable = hold }\npolicy \"all\" { kinds = {\"none\"} max-recipients = 50\non-unreadable = deliver }\n",
		NULL, NULL},
	/* Without the second one what waits would go. */
	{NULL, 0, NULL,
		A "on-unproven = \"delay 2h then deliver\"\nrequire = {\"iban\"} }\n"
		"policy \"b\" { sender = {\"a@example.com\"} kinds = {\"iban\"} require = {\"iban\"} on-unproven = \"delay 1h\" }\n",
		NULL, NULL},
	/* The stricter one counts no customer's numbers. */
	{NULL, 0, NULL,
		A "on-fan-out = tag\non-unreadable = hold }\n"
		"policy \"all\" { kinds = {\"none\"} max-recipients = 50 }\n",
		NULL, NULL},
	{NULL, 0, NULL,
		"policy \"a\" { kinds = {\"none\"} max-recipients = 5\non-directory-unavailable = deliver }\n",
		NULL, NULL},
	/* The stricter one does not enforce. */
	{NULL, 0, NULL,
		"policy \"a\" { mode = enforce\nsender = {\"a@example.com\"} kinds = {\"iban\"} }\n"
		"policy \"new\" { mode = observe\nsender = {\"a@example.com\"} kinds = {\"iban\"} on-mismatch = reject }\n",
		NULL, NULL},
	{NULL, 0, NULL, A "}\n",
		"\nkind \"x\" { pattern = {'[A-Z0-9-]{4,20}'} labels = {\"our reference\"} label-required = yes }\n",
		NULL},
	{NULL, 0, NULL, A "}\n",
		"\nkind \"x\" { pattern = {'X[0-9 ]{20}', 'Y[- 0-9]{5}', 'Z[0-9]{2,9}'} max-length = 16 }\n",
		NULL},
	{NULL, 0, NULL, A "on-fan-out = deliver }\n", NULL, "guard { enabled = no }\n"},
};

static void write_file(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	g_file_set_contents(path, text, -1, &error);
	g_assert_no_error(error);
}

static GPtrArray *lint_row(const char *dir, const Row *row)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *kinds = g_build_filename(dir, "kinds.conf", NULL),
			*extra = g_build_filename(dir, "kinds-x.conf", NULL);
	g_autofree char *config = g_build_filename(dir, ".missent.conf", NULL);
	write_file(dir, "kinds.conf", KINDS);
	g_unlink(extra);
	if (row->kinds != NULL)
		write_file(dir, "kinds-x.conf", row->kinds);
	write_file(dir, "p.conf", row->policies);
	write_file(dir, ".missent.conf",
		row->settings != NULL ? row->settings : "mode = observe\n");
	g_autoptr(MsSettings) settings = ms_settings_load(config, &error);
	g_assert_no_error(error);
	const MsLintOptions options = {.dir = dir, .kinds_file = kinds, .settings = settings};
	GPtrArray *findings = ms_policy_lint(&options, &error);
	g_assert_no_error(error);
	return findings;
}

static char *all_of(const GPtrArray *findings)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < findings->len; i++) {
		const MsLintFinding *f = findings->pdata[i];
		g_string_append_printf(out, "%s:%d: %s (%s) %s. %s\n", f->file, f->line, f->about,
			f->check, f->text, f->remedy);
	}
	return g_string_free(out, FALSE);
}

static void test_planted(void)
{
	g_autofree char *dir = scratch_folder();
	guint bad = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(planted); i++) {
		const Row *row = &planted[i];
		g_autoptr(GPtrArray) findings = lint_row(dir, row);
		g_autofree char *all = all_of(findings);
		const MsLintFinding *f = findings->len > 0 ? findings->pdata[0] : NULL;
		g_autofree char *low = g_ascii_strdown(all, -1),
				*word = g_ascii_strdown(row->word, -1);
		bool fine = findings->len == 1 && strcmp(f->check, row->check) == 0 &&
			f->line == row->line && strstr(low, word) != NULL;
		if (!fine)
			g_test_message("row %zu: want %s:%d %s, got %s", i, row->check, row->line,
				row->word, all);
		bad += !fine;
	}
	g_test_message("%zu planted, %u not found as they should be", G_N_ELEMENTS(planted), bad);
	g_assert_cmpuint(bad, ==, 0);
	remove_folder(dir);
}

static void test_harmless(void)
{
	g_autofree char *dir = scratch_folder();
	guint bad = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(harmless); i++) {
		g_autoptr(GPtrArray) findings = lint_row(dir, &harmless[i]);
		g_autofree char *all = all_of(findings);
		if (findings->len > 0)
			g_test_message("row %zu: want nothing, got %s", i, all);
		bad += findings->len > 0;
	}
	g_assert_cmpuint(bad, ==, 0);
	remove_folder(dir);
}

/* Is any policy of this host for its mail? */
static void test_for_nobody(void)
{
	static const struct {
		const char *policies;
		int line; /* 0: nothing is told */
	} rows[] = {{A "}\n", 1}, {"policy \"a\" { kinds = {\"iban\"} }\n", 0},
		{A "}\npolicy \"b\" { sender = {\"b@seller.example\"} kinds = {\"iban\"} }\n", 0},
		{A "}\npolicy \"b\" { kinds = {\"none\"} max-recipients = 9 }\n", 1},
		{"policy \"a\" { kinds = {\"iban\"}\nsender = {\"example.org\", \"x@seller.example\"} }\n", 0},
		{"policy \"a\" { kinds = {\"iban\"}\nsender = {\"example.org\", \"x@example.net\"} }\n", 2},
		{"policy \"b\" {\nkinds = {\"none\"} max-recipients = 9 }\n", -1},
		{"# none yet\n", -1}};
	g_autofree char *dir = scratch_folder();
	g_autofree char *kinds = g_build_filename(dir, "kinds.conf", NULL);
	write_file(dir, "kinds.conf", KINDS);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		write_file(dir, "p.conf", rows[i].policies);
		const MsLintOptions options = {.dir = dir, .kinds_file = kinds, .in_use = true};
		g_autoptr(GPtrArray) findings = ms_policy_lint(&options, &error);
		g_assert_no_error(error);
		const MsLintFinding *f = findings->len > 0 ? findings->pdata[0] : NULL;
		g_autofree char *all = all_of(findings);
		if (findings->len != (rows[i].line != 0) ||
			(f != NULL && (strcmp(f->check, "for-nobody") != 0 ||
					      f->line != MAX(rows[i].line, 0))))
			g_error("row %zu: want a fault at line %d, got %s", i, rows[i].line, all);
	}
	remove_folder(dir);
}

/* What lies in the folder, and is no policy. */
static void test_not_read(void)
{
	static const struct {
		const char *name;
		bool told;
	} rows[] = {{"invoices.conf.txt", true}, {"invoices.CONF", true}, {"invoices.cfg", true},
		{"invoices", true}, {"kinds.old.conf", true}, {"brands2", true},
		{"a.conf~", false}, {"a.conf.bak", false}, {"a.conf.dpkg-old", false},
		{"README.txt", false}, {".a.conf.swp", false}, {"kinds-x.conf", false},
		{"brands", false}, {"values.txt", false}, {"a.conf", false}, {"kinds.conf", false}};
	g_autofree char *dir = scratch_folder(), *kinds = g_build_filename(dir, "kinds.conf", NULL),
			*brands = g_build_filename(dir, "brands", NULL);
	g_autoptr(GError) error = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (!g_str_has_prefix(rows[i].name, "brands"))
			write_file(dir, rows[i].name, "");
	g_assert_cmpint(g_mkdir(brands, 0700), ==, 0);
	write_file(dir, "brands2", "");
	write_file(brands, "one.inc", "");
	write_file(dir, "values.txt", "b@seller.example\n");
	write_file(dir, "kinds.conf", KINDS);
	write_file(dir, "a.conf",
		"include = {\"brands/one.inc\"}\nlist \"l\" { file = \"values.txt\" }\n"
		"policy \"a\" { kinds = {\"iban\"} sender = {\"list:l\"} }\n");
	const MsLintOptions options = {.dir = dir, .kinds_file = kinds};
	g_autoptr(GPtrArray) findings = ms_policy_lint(&options, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_build_filename(dir, rows[i].name, NULL);
		bool told = false;
		for (guint k = 0; k < findings->len; k++) {
			const MsLintFinding *f = findings->pdata[k];
			told = told || (strcmp(f->check, "not-read") == 0 && strcmp(f->file, path) == 0);
		}
		if (told != rows[i].told)
			g_error("%s: %s", rows[i].name, told ? "told" : "not told");
	}
	remove_folder(dir);
}

/* All of a file's faults at once, each where it is. */
static void test_many_at_once(void)
{
	g_autofree char *dir = scratch_folder();
	const Row row = {NULL, 0, NULL, A "on-mismach = hold }\n",
		"\nkind \"x\" { pattern = {'[0-9]*'} labels = {\"a\"} label-required = yes }\n",
		NULL};
	g_autoptr(GPtrArray) findings = lint_row(dir, &row);
	g_assert_cmpuint(findings->len, ==, 3);
	remove_folder(dir);
}

static void test_shipped(void)
{
	g_autofree char *dir = source_file("policies"), *kinds = source_file("policies/kinds.conf");
	g_autofree char *scratch = scratch_folder(),
			*config = g_build_filename(scratch, "missent.conf", NULL);
	g_autoptr(GError) error = NULL;
	write_file(scratch, "missent.conf", "mode = observe\n");
	g_autoptr(MsSettings) settings = ms_settings_load(config, &error);
	g_assert_no_error(error);
	const MsLintOptions options = {.dir = dir, .kinds_file = kinds, .settings = settings};
	g_autoptr(GPtrArray) findings = ms_policy_lint(&options, &error);
	g_assert_no_error(error);
	g_autofree char *all = all_of(findings);
	g_assert_cmpstr(all, ==, "");
	remove_folder(scratch);
}

/* ---- mail of the past ----------------------------------------------------------------- */

static bool is_billing(const char *address, void *user)
{
	(void)user;
	return strcmp(address, "billing@example.com") == 0 || strcmp(address, "@shop.example") == 0;
}

static void test_never_seen(void)
{
	g_autofree char *dir = scratch_folder(), *kinds = g_build_filename(dir, "kinds.conf", NULL);
	g_autoptr(GError) error = NULL;
	write_file(dir, "kinds.conf", KINDS);
	write_file(dir, "p.conf",
		"policy \"applied\" { sender = {\"x@example.com\"} kinds = {\"iban\"} }\n"
		"policy \"fresh\" { sender = {\"billing@example.com\"} kinds = {\"iban\"} }\n"
		"policy \"domain\" { sender = {\"@shop.example\"} kinds = {\"iban\"} }\n"
		"policy \"glob\" { sender = {\"bill*@example.com\"} kinds = {\"customer-number\"} }\n"
		"policy \"never\" { sender = {\"biling@example.com\"} kinds = {\"iban\"} }\n");
	g_autoptr(GHashTable) applied = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_add(applied, (char *)"applied");
	MsLintMail mail = {
		.messages = 1000, .since = 0, .applied = applied, .sender_seen = is_billing};
	const MsLintOptions options = {.dir = dir, .kinds_file = kinds, .mail = &mail};
	g_autoptr(GPtrArray) findings = ms_policy_lint(&options, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(findings->len, ==, 1);
	const MsLintFinding *f = findings->pdata[0];
	g_assert_cmpstr(f->about, ==, "never");
	g_assert_cmpstr(f->check, ==, "never-seen");
	mail.messages = MS_LINT_MESSAGES - 1; /* too few to say so */
	g_autoptr(GPtrArray) few = ms_policy_lint(&options, &error);
	g_assert_cmpuint(few->len, ==, 0);

	/* A mail log names senders: all that is asked, and the one that was meant. */
	g_autoptr(GPtrArray)
		envelopes = g_ptr_array_new_with_free_func((GDestroyNotify)ms_envelope_free);
	MsEnvelope *envelope = ms_envelope_new();
	envelope->sender = g_strdup("billing@example.com");
	g_ptr_array_add(envelopes, envelope);
	const MsLintMail log = {.envelopes = envelopes};
	const MsLintOptions of_log = {.dir = dir, .kinds_file = kinds, .mail = &log};
	g_autoptr(GPtrArray) unseen = ms_policy_lint(&of_log, &error);
	g_assert_cmpuint(unseen->len, ==, 3); /* all but fresh and glob */
	const MsLintFinding *last = unseen->pdata[2];
	g_assert_nonnull(strstr(last->text, "billing@example.com"));
	remove_folder(dir);
}

static void test_domains(void)
{
	g_assert_true(ms_domain_is_provider("gmail.com"));
	g_assert_false(ms_domain_is_provider("example.com"));
	g_assert_true(ms_domain_is_suffix("com"));
	g_assert_true(ms_domain_is_suffix("co.uk"));
	g_assert_false(ms_domain_is_suffix("example.co.uk"));
	g_assert_false(ms_domain_is_suffix("internal"));
	g_assert_false(ms_domain_is_suffix(""));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/policylint/planted", test_planted);
	g_test_add_func("/policylint/for-nobody", test_for_nobody);
	g_test_add_func("/policylint/harmless", test_harmless);
	g_test_add_func("/policylint/not-read", test_not_read);
	g_test_add_func("/policylint/many-at-once", test_many_at_once);
	g_test_add_func("/policylint/shipped", test_shipped);
	g_test_add_func("/policylint/never-seen", test_never_seen);
	g_test_add_func("/policylint/domains", test_domains);
	return g_test_run();
}
