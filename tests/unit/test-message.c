/*
 * Messages and the spans that must come out of them, with where each stands; and what is told
 * as unread at a limit.
 */
#include "config.h"

#include "missent/message.h"

#include "../test.h"

/* All spans as one text: "[where] text <of what it is, face>\n". */
static void collect(const MsSpan *span, void *user)
{
	GString *out = user;
	g_string_append_printf(out, "[%s] %s", span->where,
		span->type == MS_SPAN_ADDRESSES       ? "(addresses) "
			: span->type == MS_SPAN_ASIDE ? "(aside) "
						      : "");
	g_string_append_len(out, span->text, (gssize)span->len);
	static const char *const of[] = {
		[MS_OF_DOCUMENT] = "document", [MS_OF_LETTER] = "letter", [MS_OF_HEADER] = "header"};
	g_string_append_printf(out, " <%s, face %u>\n", of[span->of], span->face);
}

static MsLimits limits;

/* With all of it given to GMime, or with its outline alone (milter/message/outline.c). */
static MsReading *read_given(const char *message, gsize len, bool all, GString *out)
{
	char *input = exact_copy(message, len);
	MsReading *reading = ms_reading_new();
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	MsMessageSink sink = {.budget = &budget,
		.reading = reading,
		.span = collect,
		.user = out,
		.wanted = all ? "nowhere" : NULL};
	ms_message_read((guint8 *)input, len, &sink);
	free(input);
	return reading;
}

static MsReading *read_message(const char *message, gsize len, GString *out)
{
	return read_given(message, len, false, out);
}

static bool has_unread(const MsReading *reading, const char *reason)
{
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		if (strcmp(ms_unread_name(u->reason), reason) == 0)
			return true;
	}
	return false;
}

/* What GMime 3.2.13 gets wrong, and what senders do to hide or garble, row by row: a text that
 * must be found, a reason that must be noted, or a text that must not appear. */
typedef struct {
	const char *name, *message;
	const char *found, *unread, *absent;
} Row;

#define TEXT "Content-Type: text/plain\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const Row rows[] = {
	{"plain", "Subject: s\r\n\r\nINV-1234567\r\n", "[part 1 text/plain] INV-1234567", NULL,
		NULL},
	{"lines that end with CR alone",
		"Received: from x\rSubject: s\rContent-Type: text/plain\r\rINV-1234567\r",
		"[part 1 text/plain] INV-1234567", NULL, NULL},
	{"... and their header", "Received: from x\rSubject: INV-1234567\r\rx\r",
		"[header Subject] INV-1234567", NULL, NULL},
	{"a CR within a field of no content",
		"Received: from x\rINV-1234567\r\nSubject: s\r\n\r\nx\r\n", "INV-1234567", NULL,
		NULL},
	{"a field of no content", "Received: from x\r\n by INV-1234567\r\nSubject: s\r\n\r\nx\r\n",
		"x", NULL, "INV-1234567"},
	{"no header", "INV-1234567 alone\r\nmore\r\n", "INV-1234567", NULL, NULL},
	{"subject", "Subject: Invoice INV-1234567\r\n\r\n", "[header Subject] Invoice INV-1234567",
		NULL, NULL},
	{"folded subject", "Subject: Invoice\r\n INV-1234567\r\n\r\n", "Invoice INV-1234567", NULL,
		NULL},
	{"rfc2047 two words", "Subject: =?UTF-8?B?SU5WLTE=?= =?UTF-8?B?MjM0NTY3?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"rfc2047 unpadded", "Subject: =?UTF-8?B?Q1VTVC02NTQzMjE?=\r\n\r\n", "CUST-654321", NULL,
		NULL},
	{"rfc2047 cut within a character", "Subject: =?UTF-8?B?TcM=?= =?UTF-8?B?vGxsZXI=?=\r\n\r\n",
		"M\xc3\xbcller", NULL, NULL},
	{"rfc2047 cut within a byte",
		"Subject: =?UTF-8?B?Q3VzdG9tZXIgS?= =?UTF-8?B?U5WLTEyMzQ1Njcgb2YgQUNNRQ==?=\r\n\r\n",
		"Customer INV-1234567 of ACME", NULL, NULL},
	{"rfc2047 cut within two",
		"Subject: =?UTF-8?B?Q3VzdG9tZXI?= =?UTF-8?B?gSU5WLTEyM?= =?UTF-8?B?zQ1Njcgb2YgQUNNRQ==?=\r\n\r\n",
		"Customer INV-1234567 of ACME", NULL, NULL},
	{"rfc2047 cut within a byte of a character",
		"Subject: =?UTF-8?B?w?= =?UTF-8?B?5xiZXIgSU5WLTEyMzQ1Njc=?=\r\n\r\n",
		"\xc3\x9c" "ber INV-1234567", NULL, NULL},
	{"rfc2047 unpadded, several",
		"Subject: =?UTF-8?B?SU5WLTE?= =?UTF-8?B?MjM?= =?UTF-8?B?NDU2Nw?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"rfc2047 cut where bits are left that are none",
		"Subject: =?UTF-8?B?UmVjaG51bmcgSU5WLTE?= =?UTF-8?B?yMzQ1NjcgZGVy?=\r\n\r\n",
		"Rechnung INV-1234567 der", NULL, NULL},
	{"rfc2047 cut, and padded at its end",
		"Subject: =?UTF-8?B?SU5WLTE?= =?UTF-8?B?yMzQ1Njcgb2YgdGhlIG8=?=\r\n\r\n",
		"INV-1234567 of the o", NULL, NULL},
	{"rfc2047 two charsets", "Subject: =?utf-8?Q?INV?= =?utf-7?Q?+AC0-1234567?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"rfc2047 q", "Subject: =?iso-8859-1*de?Q?M=FCller_INV=2D1?=\r\n\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"rfc2047 unknown charset", "Subject: =?x-martian?Q?INV-1234567_=E4?=\r\n\r\n",
		"INV-1234567", "charset", NULL},
	{"rfc2047 unknown charset, ASCII", "Subject: =?x-martian?Q?INV-1234567?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"rfc2047 without charset", "Subject: =??Q?INV-1234567?=\r\n\r\n", "INV-1234567", NULL,
		NULL},
	{"rfc2047 twice, B of Q", "Subject: =?utf-8?B?PT91dGYtOD9RPz00OT00RT01Nj0yRD0zMT0zMj0zMz0zND0zNT0zNj0zNz89?=\r\n\r\n",
		"[header Subject] INV-1234567", NULL, NULL},
	{"rfc2047 twice, Q of Q", "Subject: AW: =?utf-8?Q?=3D=3F=75=74=66=2D=38=3F=51=3F=49=4E=56=2D=31=32=33=34=35=36=37=3F=3D?=\r\n\r\n",
		"AW: INV-1234567", NULL, NULL},
	{"rfc2047 thrice", "X-Note: =?utf-8?B?PT91dGYtOD9CP1BUOTFkR1l0T0Q5Q1AxTlZOVmRNVkVWNVRYcFJNVTVxWXowL1BRPT0/PQ==?=\r\n\r\n", "INV-1234567", NULL, NULL},
	{"rfc2047 twice, in two pieces", "Subject: =?utf-8?B?PT91dGYtOD9RP0lOVi0xMj89ID0/dXRmLTg/UT8zNDU2Nz89?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"rfc2047 in rfc2231",
		MIXED "--b\r\nContent-Disposition: attachment; "
		      "filename*=utf-8''%3D%3Futf-8%3FB%3FSU5WLTEyMzQ1Njc%3D%3F%3D\r\n\r\nx\r\n--b--\r\n",
		"file name] INV-1234567", NULL, NULL},
	{"a semicolon in a name without quotes",
		MIXED "--b\r\nContent-Disposition: attachment; filename=a;INV-1234567.txt\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"words before a name that is no parameter",
		MIXED "--b\r\nContent-Disposition: attachment filename=c@customer.example\r\n\r\n"
		      "x\r\n--b--\r\n",
		"c@customer.example", NULL, NULL},
	{"8-bit header", "Subject: M\xfcller INV-1\r\n\r\n", "M\xc3\xbcller INV-1", NULL, NULL},
	{"NUL at the end of a word",
		"Subject: =?utf-8?B?SW52b2ljZQA=?= =?utf-8?B?SU5WLTEyMzQ1Njc=?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NULs that fill up a word",
		"Subject: =?utf-8?B?SW52b2ljZQAAAAA=?= INV-1234567\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL within a word",
		"Subject: =?utf-8?B?SW52b2ljZQAgSU5WLTEyMzQ1Njc=?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL within a word, quoted-printable",
		"X-Note: =?utf-8?Q?a=00INV-1234567?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL before a word within a word",
		"Comments: =?utf-8?B?YQAgPT91dGYtOD9CP1NVNVdMVEV5TXpRMU5qYz0/PQ==?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL within a word in UTF-16",
		"Subject: =?utf-16?B?/v8AYQAAACAASQBOAFYALQAxADIAMwA0ADUANgA3?=\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL within a name beside an address",
		"To: =?utf-8?B?YQAgSU5WLTEyMzQ1Njc=?= <a@b.example>\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL within a comment",
		"Content-Description: a (=?utf-8?B?YQAgSU5WLTEyMzQ1Njc=?=)\r\n\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL in a folded line of LDIF",
		"Content-Type: text/ldif\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"ZG46IGNuPWEKY246IGEAIElOVi0xMgogMzQ1NjcK\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL in a folded line of a card",
		"Content-Type: text/vcard\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"QkVHSU46VkNBUkQNCkZOO1g9ImEAIElOVi0xMg0KIDM0NTY3IjpiDQpFTkQ6VkNBUkQNCg==\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL in a letter of a card",
		"Content-Type: text/vcard\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"QkVHSU46VkNBUkQNCkFEUjtFTkNPRElORz1RVU9URUQtUFJJTlRBQkxFOjthPTAwO0lOPTU2LTEyMz0zNDU2NztCOzsxO0MNCkVORDpWQ0FSRA0K\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL in a string of JSON",
		"Content-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"eyJhIjoiADxiPklOVjwvYj4tMTI8aT4zNDU8L2k+NjcifQ==\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL in a parameter",
		MIXED "--b\r\nContent-Disposition: attachment; "
		      "filename*=utf-8''a%00%20INV-1234567\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"NUL in text", TEXT "\r\nIN\0V-1234567\r\n", "V-1234567", NULL, NULL},
	{"base64 padded within",
		TEXT "Content-Transfer-Encoding: base64\r\n\r\nSU5WLTE=\r\nMjM0NTY3\r\n",
		"INV-1234567", NULL, NULL},
	{"base64 padded line by line",
		TEXT "Content-Transfer-Encoding: base64\r\n\r\n"
		"R3LDvMOfZSwgbnVyIGbDvHIgU2k=\r\n"
		"ZTogSU5WLTEyMzQ1NjcsIHZpZWw=\r\n"
		"ZW4gRGFuayBmw7xyIElocmVuIEE=\r\n"
		"dWZ0cmFnIHVuZCBJaHIgVmVydHI=\r\n"
		"YXVlbi4=\r\n",
		"INV-1234567", NULL, NULL},
	{"base64 of the other alphabet",
		TEXT "Content-Transfer-Encoding: base64\r\n\r\n"
		"SU5WLTEyMzQ1NjcgPz8_Pj4-w7zDvMO8Pz8_Pj4-w7_Dv8O_IElOVg==\r\n",
		"INV-1234567", NULL, NULL},
	{"base64 that is none after its padding",
		TEXT "Content-Transfer-Encoding: base64\r\n\r\n"
		"SU5WLTE=\r\nMjM0NTY3AQIDBAUGBwgJCgECAwQFBgcICQoBAgMEBQYHCAkK\r\n",
		"INV-1234567", "no-reader", NULL},
	{"encoding in quotes",
		TEXT "Content-Transfer-Encoding: \"base64\"\r\n\r\nSU5WLTEyMzQ1Njc=\r\n",
		"INV-1234567", NULL, NULL},
	{"encoding with comment",
		TEXT "Content-Transfer-Encoding: base64 (yes)\r\n\r\nSU5WLTEyMzQ1Njc=\r\n",
		"INV-1234567", NULL, NULL},
	{"unknown encoding", TEXT "Content-Transfer-Encoding: x-zip\r\n\r\nINV-1234567\r\n",
		"INV-1234567", "encoding", NULL},
	{"encoding that is a charset", TEXT "Content-Transfer-Encoding: UTF-8\r\n\r\nINV-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"encoding with a blank too few", TEXT "Content-Transfer-Encoding: 8-bit\r\n\r\nINV-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"two encodings",
		TEXT
		"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nabc\r\n",
		NULL, "ambiguous", NULL},
	{"x-uuencode",
		TEXT "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a.txt\r\n"
		     "+24Y6+3$R,S0U-C<\r\n`\r\nend\r\n",
		"INV-1234567", NULL, NULL},
	{"x-uuencode, what its file is called",
		TEXT "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 INV-1234567.txt\r\n"
		     "%:&5L;&\\\r\n`\r\nend\r\n",
		"INV-1234567", NULL, NULL},
	{"what a part is called by the page",
		"From: a@seller.example\r\n" MIXED
		"--b\r\nContent-ID: <INV-1234567@x>\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"... without a domain",
		"From: a@seller.example\r\n" MIXED
		"--b\r\nContent-ID: <INV-1234567>\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"uuencode in text",
		TEXT "\r\nhello\r\nbegin 644 a.txt\r\n+24Y6+3$R,S0U-C<\r\n`\r\nend\r\nbye\r\n",
		"> uuencoded file] INV-1234567", NULL, NULL},
	{"yEnc in text", TEXT "\r\n=ybegin line=128 size=11 name=a\r\nxxx\r\n=yend size=11\r\n",
		NULL, "encoding", NULL},
	{"broken UTF-8", "Content-Type: text/plain; charset=utf-8\r\n\r\nK\xf6ln INV-1234567\r\n",
		"K\xc3\xb6ln INV-1234567", NULL, NULL},
	{"unknown charset",
		"Content-Type: text/plain; charset=x-martian\r\n\r\nINV-1234567 \xe4\r\n",
		"INV-1234567", "charset", NULL},
	{"UTF-8 that is called utf-8-bom",
		"Content-Type: text/plain; charset=utf-8-bom\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called UTF-8,UTF-8",
		"Content-Type: text/plain; charset=\"UTF-8,UTF-8\"\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called charset=utf-8",
		"Content-Type: text/plain; charset=\"charset=utf-8\"\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called unicode",
		"Content-Type: text/plain; charset=unicode\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called utf8mb4",
		"Content-Type: text/plain; charset=utf8mb4\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called x-martian",
		"Content-Type: text/plain; charset=x-martian\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called 65001",
		"Content-Type: text/plain; charset=65001\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"UTF-8 that is called utf-8mb5",
		"Content-Type: text/plain; charset=utf-8mb5\r\n\r\nM\xc3\xbcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called 1252",
		"Content-Type: text/plain; charset=1252\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called ansi",
		"Content-Type: text/plain; charset=ansi\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called ISO_8859-1:1987",
		"Content-Type: text/plain; charset=\"ISO_8859-1:1987\"\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called windows-28591",
		"Content-Type: text/plain; charset=windows-28591\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called cp-1252",
		"Content-Type: text/plain; charset=cp-1252\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called iso-ir-100",
		"Content-Type: text/plain; charset=iso-ir-100\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called x-cp1252",
		"Content-Type: text/plain; charset=x-cp1252\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called csISOLatin1",
		"Content-Type: text/plain; charset=csISOLatin1\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called ibm819",
		"Content-Type: text/plain; charset=ibm819\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called charset=iso-8859-1",
		"Content-Type: text/plain; charset=\"charset=iso-8859-1\"\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-1 that is called win-1252",
		"Content-Type: text/plain; charset=win-1252\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"Latin-2 that is called L2", "Content-Type: text/plain; charset=l2\r\n\r\n\xb3 INV-1\r\n",
		"\xc5\x82 INV-1", NULL, NULL},
	{"a code page by its number", "Content-Type: text/plain; charset=850\r\n\r\nM\x81ller\r\n",
		"M\xc3\xbcller", NULL, NULL},
	{"a number that is no code page",
		"Content-Type: text/plain; charset=cp-99999\r\n\r\nM\xfcller\r\n", NULL, "charset",
		NULL},
	{"UTF-8 with a shift, in a charset that is not known",
		"Content-Type: text/plain; charset=x-martian\r\n\r\nM\xc3\xbcller \x1b$B\r\n", NULL,
		"charset", NULL},
	{"rfc2047 unknown charset, UTF-8", "Subject: =?utf-8-bom?Q?INV-1234567_=C3=A4?=\r\n\r\n",
		"INV-1234567 \xc3\xa4", NULL, NULL},
	{"unknown charset, ASCII",
		"Content-Type: text/plain; charset=x-martian\r\n\r\nINV-1234567\r\n", "INV-1234567",
		NULL, NULL},
	{"missing charset", "Content-Type: text/plain\r\n\r\nM\xc3\xbcller\r\n", "M\xc3\xbcller",
		NULL, NULL},
	{"latin-1", "Content-Type: text/plain; charset=ISO-8859-1\r\n\r\nM\xfcller\r\n",
		"M\xc3\xbcller", NULL, NULL},
	{"euro", "Content-Type: text/plain; charset=windows-1252\r\n\r\n5 \x80\r\n",
		"5 \xe2\x82\xac", NULL, NULL},
	{"utf-7", "Content-Type: text/plain; charset=utf-7\r\n\r\nINV+AC0-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"iso-2022-jp",
		"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B@A5a\x1b(B INV-1\r\n",
		"\xe8\xab\x8b\xe6\xb1\x82 INV-1", NULL, NULL},
	{"utf-16 base64",
		"Content-Type: text/plain; charset=utf-16\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n//5JAE4AVgAtADEA\r\n",
		"INV-1", NULL, NULL},
	{"utf-16 without mark",
		"Content-Type: text/plain; charset=utf-16\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nSQBOAFYALQAxAA==\r\n",
		"INV-1", NULL, NULL},
	{"utf-8 that says utf-16", "Content-Type: text/plain; charset=utf-16\r\n\r\nINV-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"utf-8 that says ebcdic", "Content-Type: text/plain; charset=cp037\r\n\r\nINV-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"utf-16 of the other order",
		"Content-Type: text/plain; charset=utf-16le\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nAEkATgBWAC0AMQAyADMANAA1ADYANw==\r\n",
		"INV-1234567", NULL, NULL},
	{"flowed",
		"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n> INV-12 \r\n> 34567\r\n",
		"INV-1234567", NULL, NULL},
	{"html", "Content-Type: text/html\r\n\r\n<p>INV-<b>12345</b>67</p>\r\n", "INV-1234567",
		NULL, NULL},
	{"multipart",
		MIXED
		"--b\r\n\r\nfirst\r\n--b\r\nContent-Type: text/html\r\n\r\n<i>second</i>\r\n--b--\r\n",
		"[part 2 text/html] second", NULL, NULL},
	{"prologue", MIXED "INV-1234567\r\n--b\r\n\r\nx\r\n--b--\r\n",
		"before the first part] INV-1234567", NULL, NULL},
	{"epilogue", MIXED "--b\r\n\r\nx\r\n--b--\r\nINV-1234567\r\n",
		"after the last part] INV-1234567", NULL, NULL},
	/* There are clients that go on behind the end. */
	{"a part behind the end",
		MIXED "--b\r\n\r\nx\r\n--b--\r\n--b\r\n"
		      "Content-Transfer-Encoding: quoted-printable\r\n\r\nINV=2D1=3234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a part behind text behind the end",
		MIXED "--b\r\n\r\nx\r\n--b--\r\n\r\nfooter\r\n--b\r\n"
		      "Content-Transfer-Encoding: quoted-printable\r\n\r\nINV=2D1=3234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a part behind the end of one within",
		MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n"
		      "--c--\r\n--c\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
		      "INV=2D1=3234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"an end that comes twice", MIXED "--b\r\n\r\nINV-1234567\r\n--b--\r\n--b--\r\n",
		"INV-1234567", NULL, "behind"},
	{"two charsets",
		"Content-Type: text/plain; charset=utf-8; charset=utf-7\r\n\r\n"
		"INV+AC0-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"two charsets, the other way",
		"Content-Type: text/plain; charset=utf-7; charset=utf-8\r\n\r\n"
		"INV+AC0-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"two charsets, of a part in base64",
		MIXED "--b\r\nContent-Type: text/plain; charset=utf-8; charset*=us-ascii''utf-7\r\n"
		      "Content-Transfer-Encoding: base64\r\n\r\n"
		      "SU5WK0FDMC0xMjM0NTY3\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"one charset, twice",
		"Content-Type: text/plain; charset=utf-8; charset=UTF-8\r\n\r\nINV-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"a comment behind a charset",
		"Content-Type: text/plain; charset=iso-8859-1 (Western)\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"a comment before a charset",
		"Content-Type: text/plain; charset=(Western) iso-8859-1\r\n\r\nM\xfcller INV-1\r\n",
		"M\xc3\xbcller INV-1", NULL, NULL},
	{"a comment behind a charset, of a part in base64",
		"Content-Type: text/plain; charset=utf-16le (Unicode)\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nSQBOAFYALQAxADIAMwA0ADUANgA3AA==\r\n",
		"INV-1234567", NULL, NULL},
	{"a comment behind a boundary",
		"Content-Type: multipart/mixed; boundary=b (by hand)\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nSU5WLTEyMzQ1Njc=\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a blank at the end of a boundary",
		"Content-Type: multipart/mixed; boundary=\"b \"\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nSU5WLTEyMzQ1Njc=\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a bracket in a boundary",
		"Content-Type: multipart/mixed; boundary=\"b(1)\"\r\n\r\n--b(1)\r\n\r\n"
		"INV-1234567\r\n--b(1)--\r\n",
		"INV-1234567", NULL, "part 1.1.1"},
	{"one boundary, twice",
		"Content-Type: multipart/mixed; boundary=b; boundary=\"b\"\r\n\r\n--b\r\n\r\n"
		"INV-1234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"one boundary in two forms",
		"Content-Type: multipart/mixed; boundary=b; boundary*=us-ascii''%62\r\n\r\n--b\r\n\r\n"
		"INV-1234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"two boundaries in two forms",
		"Content-Type: multipart/mixed; boundary=a; boundary*=us-ascii''%62\r\n\r\n--a\r\n\r\n"
		"x\r\n--a--\r\n--b\r\n\r\nINV-1234567\r\n--b--\r\n",
		"INV-1234567", "ambiguous", NULL},
	{"a boundary within another value",
		"Content-Type: multipart/mixed; x=\"; boundary=b\"; boundary=a\r\n\r\n--a\r\n\r\n"
		"x\r\n--a--\r\n",
		NULL, "ambiguous", NULL},
	{"encoding with a semicolon",
		TEXT "Content-Transfer-Encoding: base64;\r\n\r\nSU5WLTEyMzQ1Njc=\r\n",
		"INV-1234567", NULL, NULL},
	{"encoding with a parameter",
		TEXT "Content-Transfer-Encoding: quoted-printable; charset=utf-8\r\n\r\n"
		     "INV=2D1=3234567\r\n",
		"INV-1234567", NULL, NULL},
	{"soft line break of a carriage return alone",
		TEXT "Content-Transfer-Encoding: quoted-printable\r\n\r\nINV-123=\r4567\r\n",
		"INV-1234567", NULL, NULL},
	{"file name in a charset that is not known",
		MIXED "--b\r\nContent-Disposition: attachment; filename*=x-martian''%D2%C4%60%F7\r\n\r\n"
		      "x\r\n--b--\r\n",
		NULL, "charset", NULL},
	{"encoded word in a file name, in a charset that is not known",
		MIXED "--b\r\nContent-Type: text/plain; name=\"=?x-martian?Q?=D2=C4=60=F7?=\"\r\n\r\n"
		      "x\r\n--b--\r\n",
		NULL, "charset", NULL},
	{"file name in a charset that is not known, ASCII",
		MIXED "--b\r\nContent-Disposition: attachment; filename*=x-martian''INV-1234567\r\n\r\n"
		      "x\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"multipart without boundary",
		"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nINV-1234567\r\n--b--\r\n",
		"INV-1234567", "ambiguous", NULL},
	{"no boundary, long 8-bit parameter",
		"Content-Type: multipart/mixed; x=\"\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4"
		"\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\"\r\n\r\nINV-1234567\r\n",
		"INV-1234567", "ambiguous", NULL},
	{"two boundaries",
		"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\none\r\n"
		"--a--\r\n--b\r\n\r\nINV-1234567\r\n--b--\r\n",
		NULL, "ambiguous", NULL},
	{"a multipart within that does not end",
		MIXED "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\n"
		      "INV-1234567\r\n--b\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a part behind it",
		MIXED "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\n"
		      "x\r\n--b\r\n\r\nINV-1234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a multipart of nothing but its end",
		MIXED "--b\r\n\r\nINV-1234567\r\n--b\r\n"
		      "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a multipart of nothing",
		MIXED "--b\r\n\r\nINV-1234567\r\n--b\r\n"
		      "Content-Type: multipart/mixed; boundary=c\r\n\r\n\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"a multipart of parts with another boundary",
		MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--d\r\n\r\n"
		      "INV-1234567\r\n--d--\r\n--b--\r\n",
		"INV-1234567", "damaged", NULL},
	{"two content types", "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n",
		NULL, "ambiguous", NULL},
	{"two content types in a part",
		MIXED "--b\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n"
		      "\r\nx\r\n--b--\r\n",
		NULL, "ambiguous", NULL},
	{"fields that stand twice",
		"Received: a\r\nReceived: b\r\nX-A: 1\r\nX-A: 2\r\nSubject: s\r\n\r\nINV-1234567\r\n",
		"INV-1234567", NULL, NULL},
	{"nested message",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner INV-1\r\n\r\n"
		      "INV-1234567\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"nested message's subject",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: INV-1234567\r\n\r\n"
		      "x\r\n--b--\r\n",
		"[part 1 header Subject] INV-1234567", NULL, NULL},
	{"nested message's addresses are text",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n"
		      "To: other@customer.example\r\n\r\nx\r\n--b--\r\n",
		"other@customer.example", NULL, NULL},
	{"nested message under base64",
		MIXED
		"--b\r\nContent-Type: message/rfc822\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogcwoKSU5WLTEyMzQ1NjcK\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"multipart under base64",
		"Content-Type: multipart/mixed; boundary=b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nLS1iCgpJTlYtMTIzNDU2NwotLWItLQo=\r\n",
		"INV-1234567", NULL, NULL},
	{"nested message under base64, CR alone",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n"
		      "Content-Transfer-Encoding: base64\r\n\r\n"
		      "U3ViamVjdDogcw1Db250ZW50LVRyYW5zZmVyLUVuY29kaW5nOiBiYXNlNjQNDVNVNVdMVEV5\r\n"
		      "TXpRMU5qYz0N\r\n--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"mailbox under base64",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n"
		      "Content-Transfer-Encoding: base64\r\n\r\n"
		      "RnJvbSBhQGIuZXhhbXBsZSBUaHUgTm92IDI2IDEwOjAwOjAwIDIwMjYKU3ViamVjdDogeAoK\r\n"
		      "aGVsbG8KCkZyb20gY0BiLmV4YW1wbGUgVGh1IE5vdiAyNiAxMDowMDowMSAyMDI2ClN1Ympl\r\n"
		      "Y3Q6IHkKQ29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0CgpTVTVXTFRFeU16UTFO\r\n"
		      "amM9Cg==\r\n"
		      "--b--\r\n",
		"INV-1234567", NULL, NULL},
	{"message/partial", "Content-Type: message/partial; id=a; number=1; total=2\r\n\r\nx\r\n",
		NULL, "partial", NULL},
	{"both file names",
		MIXED "--b\r\nContent-Type: application/pdf; name=\"INV-1.pdf\"\r\n"
		      "Content-Disposition: attachment; filename=\"a.pdf\"\r\n\r\nx\r\n--b--\r\n",
		"INV-1\n.pdf", NULL, NULL},
	{"rfc2231 file name",
		MIXED "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;\r\n"
		      " filename*0*=UTF-8''INV%2D12; filename*1*=34567.pdf\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567\n.pdf", NULL, NULL},
	{"rfc2047 file name",
		MIXED "--b\r\nContent-Type: application/pdf;\r\n"
		      " name=\"=?UTF-8?B?SU5WLTEyMzQ1NjcucGRm?=\"\r\n\r\nx\r\n--b--\r\n",
		"INV-1234567\n.pdf", NULL, NULL},
	{"filename and filename* are no conflict",
		MIXED
		"--b\r\nContent-Type: image/png\r\n"
		"Content-Disposition: attachment; filename=\"a.png\"; filename*=UTF-8''a.png\r\n\r\nV-1234567\r\n--b--\r\n",
		"V-1234567", NULL, NULL},
	{"pdf that says text", "Content-Type: text/plain\r\n\r\n%PDF-1.4 x\r\n", NULL, "damaged",
		NULL},
	{"image",
		"Content-Type: image/gif\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAkQBADs=\r\n",
		NULL, "image", NULL},
	{"image that is text", "Content-Type: image/png\r\n\r\nV-1234567\r\n", "V-1234567", NULL,
		NULL},
	{"pgp",
		"Content-Type: multipart/encrypted; boundary=b; protocol=\"application/pgp-encrypted\"\r\n\r\n"
		"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
		"Content-Type: application/octet-stream\r\n\r\nx\r\n--b--\r\n",
		NULL, "encrypted", NULL},
	{"names beside addresses are text",
		"To: \"Kunde 4711\" <a@b.example>\r\nCc: c@d.example\r\n\r\nx\r\n",
		"[header To] \"Kunde 4711\"", NULL, NULL},
	{"comments beside addresses are names",
		"To: a@b.example (KD-10, 23), c@d.example (4711)\r\n\r\nx\r\n",
		"[header To] (KD-10, 23); (4711) <", NULL, NULL},
	{"names are no words of one another",
		"To: KD-10023<a@b.example>,Max <c@d.example>\r\n\r\nx\r\n",
		"[header To] KD-10023; Max <", NULL, NULL},
	{"... in RFC 2047's form",
		"To: =?utf-8?Q?KD-10?= <a@b.example>,\r\n =?utf-8?Q?023?= <c@d.example>\r\n\r\n"
		"x\r\n",
		"[header To] KD-10; 023 <", NULL, NULL},
	{"what is quoted before an address is part of it",
		"To: \"c d\"@b.example, \"Kunde 4711\" <a@b.example>\r\n\r\nx\r\n",
		"[header To] \"Kunde 4711\" <", NULL, NULL},
	{"addresses are told for the judge",
		"To: \"Kunde 4711\" <a@b.example>\r\nCc: c@d.example\r\n\r\nx\r\n",
		"[header Cc] (addresses) c@d.example", NULL, NULL},
	{"trace is no text", "Received: from x.example by y INV-1\r\nSubject: z\r\n\r\nx\r\n",
		"[header Subject] z", NULL, "INV-1"},
	{"own header is text", "X-Customer: INV-1234567\r\n\r\nx\r\n",
		"[header X-Customer] INV-1234567", NULL, NULL},
	/* The letter greets whom it is for; what comes with it has a face of its own. */
	{"a letter", "Subject: s\r\n" MIXED "--b\r\n\r\nx\r\n--b--\r\n",
		"x <letter, face 0>", NULL, "document"},
	{"a file", MIXED "--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
		"x <document, face 1>", NULL, "letter"},
	{"a letter behind a file",
		MIXED "--b\r\nContent-Type: text/plain; name=a.txt\r\n\r\nx\r\n--b\r\n\r\n"
		      "y\r\n--b--\r\n",
		"y <letter, face 0>", NULL, NULL},
	{"a mail in it",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n"
		      "--b--\r\n",
		"x <document, face 1>", NULL, "x <letter"},
	{"a mail in it, under base64",
		MIXED
		"--b\r\nContent-Type: message/rfc822\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogcwoKeAo=\r\n--b--\r\n",
		"x\n <document, face 1>", NULL, "x\n <letter"},
	{"ends within a part", MIXED "--b\r\n\r\nINV-1234567", "INV-1234567", NULL, NULL},
	{"empty", "", NULL, NULL, NULL},
	{"attached mail of no bytes",
		MIXED
		"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b--\r\n",
		NULL, NULL, NULL},
	{"attached mail of blanks",
		MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n \r\n\r\n--b--\r\n", NULL, NULL,
		NULL},
	{"bare LF", "Subject: s\n\nINV-1234567\n", "INV-1234567", NULL, NULL},
};

static void test_row(gconstpointer data)
{
	const Row *row = data;
	/* Rows with a NUL in them say so in their name. */
	gsize len = strcmp(row->name, "NUL in text") == 0 ? strlen(row->message) + 12
							  : strlen(row->message);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(MsReading) reading = read_message(row->message, len, out);
	g_autofree char *all = g_strescape(out->str, NULL);
	if (row->found != NULL &&
		memmem(out->str, out->len, row->found, strlen(row->found)) == NULL)
		g_error("got \"%s\", want \"%s\" in it", all, row->found);
	if (row->absent != NULL && strstr(out->str, row->absent) != NULL)
		g_error("got \"%s\", want no \"%s\" in it", all, row->absent);
	if (row->unread != NULL && !has_unread(reading, row->unread))
		g_error("got no unread item of reason %s", row->unread);
	if (row->unread == NULL && reading->unread->len > 0 && strcmp(row->name, "no header") != 0
		&& strcmp(row->name, "empty") != 0)
		g_error("got unread \"%s\", want none",
			((MsUnread *)reading->unread->pdata[0])->detail);
}

/* A NUL parts words, and does not: what some see as two is read as one, too. */
static void test_nuls(void)
{
	static const struct {
		const char *text;
		gsize len;
		const char *found, *absent;
	} texts[] = {
#define NULS(text) text, sizeof(text) - 1
		{NULS("no. INV-12\0" "34567, due"), "no. INV-1234567, due", NULL},
		{NULS("INV-12\0\0" "34567"), "INV-1234567", NULL},
		{NULS("I\0N\0V\0-\0" "1\0" "2\0" "3\0" "4"), "INV-1234", NULL},
		{NULS("INV-12\0" "34567"), "INV-12", NULL}, /* as well */
		{NULS("x\r\nINV-12\0" "34567\r\nINV-7\0" "7"), "INV-77", NULL},
		{NULS("INV-12\0 34567"), "INV-12", "INV-1234567"},
		{NULS("INV-12 \0" "34567"), "INV-12", "INV-1234567"},
		{NULS("INV-12\0\r\n34567"), "INV-12", "INV-1234567"},
		{NULS("\0INV-12\r\nplain words"), "INV-12", "plain words\nplain words"},
#undef NULS
	};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GString) mail = g_string_new(TEXT "\r\n");
		g_string_append_len(mail, texts[i].text, (gssize)texts[i].len);
		g_string_append(mail, "\r\n");
		g_autoptr(GString) out = g_string_new(NULL);
		ms_reading_free(read_message(mail->str, mail->len, out));
		g_autofree char *all = g_strescape(out->str, NULL);
		if (memmem(out->str, out->len, texts[i].found, strlen(texts[i].found)) == NULL ||
			(texts[i].absent != NULL &&
				memmem(out->str, out->len, texts[i].absent,
					strlen(texts[i].absent)) != NULL))
			g_error("row %zu: got \"%s\"", i, all);
	}
}

/* How many addresses everybody sees whom it goes to: of all such fields, or of one of the
 * others. */
static void test_addressed(void)
{
	static const struct {
		const char *header;
		guint n;
	} cases[] = {
		{"To: a@a.example, b@a.example\nCc: c@a.example\n", 3},
		{"Reply-To: r@a.example\nTo: a@a.example, b@a.example\n", 2},
		{"To: a@a.example\nResent-To: b@a.example, c@a.example\nResent-Cc: d@a.example\n", 4},
		{"Apparently-To: a@a.example, b@a.example, c@a.example\n", 3},
		{"apparently-to: a@a.example\nApparently-To: b@a.example\n", 2},
		{"To: a@a.example\nReply-To: b@a.example, c@a.example, d@a.example\n", 3},
		{"To: a@a.example\nMail-Followup-To: b@a.example, c@a.example\n", 2},
		{"To: a@a.example\nDisposition-Notification-To: b@a.example, c@a.example\n", 2},
		{"To: a@a.example\nBcc: b@a.example, c@a.example, d@a.example\n", 3},
		{"From: a@a.example\n\nTo: b@a.example, c@a.example\n", 1},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *mail = g_strconcat(cases[i].header, "\nx\n", NULL);
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(MsReading) r = read_message(mail, strlen(mail), out);
		if (r->visible_total != cases[i].n)
			g_error("%s: got %u, want %u", cases[i].header, r->visible_total, cases[i].n);
	}
}

static void test_facts(void)
{
	const char *message =
		"From: a@b.example\r\nTo: x@y.example, \"Doe, John\" <j@z.example>,\r\n"
		" group: m@g.example, n@g.example;\r\nCc: =?UTF-8?Q?M=C3=BC?= <mu@e.example>\r\n"
		"Bcc: hidden@h.example\r\nSubject: s\r\n" MIXED
		"--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\ny\r\n--b--\r\n";
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(MsReading) r = read_message(message, strlen(message), out);
	g_assert_cmpuint(r->visible_total, ==, 5);
	static const char *const want[] = {
		"x@y.example", "j@z.example", "m@g.example", "n@g.example", "mu@e.example"};
	for (guint i = 0; i < 5; i++)
		g_assert_cmpstr(r->visible->pdata[i], ==, want[i]);
	g_assert_cmpuint(r->parts->len, ==, 2);
	const MsPart *part = r->parts->pdata[1];
	g_assert_cmpstr(part->claimed, ==, "application/pdf");
	g_assert_cmpstr(part->name, ==, "a.pdf");
	g_assert_cmpstr(part->path, ==, "2");
	g_assert_true(part->attached);
	g_assert_cmpstr(((MsHeader *)r->headers->pdata[0])->name, ==, "From");
}

static char *nested(guint depth)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < depth; i++)
		g_string_append_printf(
			out, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	g_string_append(out, "\r\nINV-1234567\r\n");
	return g_string_free(out, FALSE);
}

/* Over a limit is unread, never clean and never a crash. */
static void test_limits(void)
{
	GString *parts = g_string_new(MIXED);
	for (int i = 0; i < 500; i++)
		g_string_append_printf(parts, "--b\r\n\r\npart %d\r\n", i);
	GString *headers = g_string_new(NULL);
	for (int i = 0; i < 3000; i++)
		g_string_append_printf(headers, "X-%d: v\r\n", i);
	g_string_append(headers, "\r\nbody\r\n");
	GString *header = g_string_new("X-Long: ");
	for (int i = 0; i < 300 * 1024; i++)
		g_string_append_c(header, 'x');
	g_string_append(header, "\r\n\r\nbody\r\n");
	struct {
		const char *name;
		char *text;
	} cases[] = {
		{"depth", nested(150)},
		{"parts", g_string_free(parts, FALSE)},
		{"headers", g_string_free(headers, FALSE)},
		{"header bytes", g_string_free(header, FALSE)},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(MsReading) r = read_message(cases[i].text, strlen(cases[i].text), out);
		g_test_message("%s", cases[i].name);
		g_assert_true(has_unread(r, "limit"));
		g_free(cases[i].text);
	}
}

/* What is read once more is paid for once more; a byte less than all of it is too little. */
static void test_paid(void)
{
	static const struct {
		const char *name;
		MsCost cost;
		guint64 all;
		const char *before, *behind;
	} cases[] = {
		{"text", MS_COST_TEXT, 2000, "\r\n", ""},
		{"a part", MS_COST_DECODED, 2000, "\r\n", ""},
		{"parts that some see", MS_COST_DECODED, 6032,
			"Content-Type: text/plain; boundary=b\r\n\r\n--b\r\n\r\n", "\r\n--b--\r\n"},
		{"two charsets", MS_COST_DECODED, 4000,
			"Content-Type: text/plain; charset=utf-8; charset=utf-7\r\n\r\n", ""},
		{"base64", MS_COST_DECODED, 2000,
			TEXT "Content-Transfer-Encoding: base64\r\n\r\n", ""},
		{"base64 of two alphabets", MS_COST_DECODED, 4008,
			TEXT "Content-Transfer-Encoding: base64\r\n\r\n", "-_/+"},
		{"text beside base64", MS_COST_DECODED, 5522,
			TEXT "Content-Transfer-Encoding: base64\r\n\r\nA footer:\r\n", ""},
	};
	MsLimits saved = limits;
	/* Words, or as many letters of base64. */
	g_autoptr(GString) words = g_string_new(NULL);
	g_autoptr(GString) letters = g_string_new(NULL);
	while (words->len < 2000) {
		g_string_append(words, "a. b");
		g_string_append(letters, "YS4g");
	}
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool encoded = strstr(cases[i].before, "base64") != NULL;
		g_autofree char *message = g_strconcat(cases[i].before,
			encoded ? letters->str : words->str, cases[i].behind, NULL);
		for (gint64 more = -1; more <= 0; more++) {
			limits = saved;
			limits.max[cases[i].cost] = cases[i].all + more;
			g_autoptr(GString) out = g_string_new(NULL);
			g_autoptr(MsReading) r = read_message(message, strlen(message), out);
			if (has_unread(r, "limit") != (more < 0))
				g_error("%s: with %" G_GUINT64_FORMAT, cases[i].name,
					limits.max[cases[i].cost]);
		}
	}
	limits = saved;
}

/* Of 4 GiB and 20 bytes, 20 would be left if their number were cut: none is looked at. */
static void test_huge(void)
{
	static const guint8 data[] = "Subject: C-10001\r\n\r\n";
	g_autoptr(GString) out = g_string_new(NULL);
	for (int document = 0; document < 2; document++) {
		g_autoptr(MsReading) reading = ms_reading_new();
		MsBudget budget;
		ms_budget_init(&budget, &limits);
		MsMessageSink sink = {
			.budget = &budget, .reading = reading, .span = collect, .user = out};
		if (document)
			ms_message_read_document(
				data, ((gsize)1 << 32) + 20, "\ntext/plain\n\n", &sink);
		else
			ms_message_read(data, ((gsize)1 << 32) + 20, &sink);
		g_assert_cmpuint(reading->unread->len, ==, 1);
		g_assert_true(has_unread(reading, "limit"));
		g_assert_cmpuint(out->len, ==, 0);
	}
}

/* What is said of a message, in one text. */
static char *said_of(const char *message, gsize len, bool all)
{
	GString *out = g_string_new(NULL);
	g_autoptr(MsReading) r = read_given(message, len, all, out);
	for (guint i = 0; i < r->unread->len; i++) {
		const MsUnread *u = r->unread->pdata[i];
		g_string_append_printf(out, "%s: %s: %s\n", ms_unread_name(u->reason), u->where,
			u->detail);
	}
	for (guint i = 0; i < r->parts->len; i++) {
		const MsPart *part = r->parts->pdata[i];
		g_string_append_printf(out, "%s %s %s %" G_GUINT64_FORMAT "\n", part->path,
			part->claimed, part->actual, (guint64)part->size);
	}
	return g_string_free(out, FALSE);
}

/* A long stretch, in any place of any message: of so many places one in five. */
static void test_stretch(void)
{
	g_autoptr(GString) stretch = g_string_new(NULL);
	while (stretch->len < 75000)
		g_string_append_printf(stretch, "%01000zu\r\n", stretch->len);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *message = rows[i].message, *at = message;
		for (guint line = 0; at != NULL && line < 12; line++) {
			const char *end = strchr(at, '\n'), *next = end != NULL ? end + 1 : NULL;
			const char *here = at;
			at = next;
			if ((i + line) % 5 != 0)
				continue;
			g_autoptr(GString) text = g_string_new_len(message, here - message);
			g_string_append_len(text, stretch->str, (gssize)stretch->len);
			g_string_append(text, here);
			g_autofree char *want = said_of(text->str, text->len, true),
				       *got = said_of(text->str, text->len, false);
			if (strcmp(want, got) != 0)
				g_error("%s: not the same with a stretch in line %u",
					rows[i].name, line);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	ms_limits_default(&limits);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/message/row/%s", rows[i].name);
		g_strdelimit(path + 13, "/", '-');
		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/message/facts", test_facts);
	g_test_add_func("/message/addressed", test_addressed);
	g_test_add_func("/message/nuls", test_nuls);
	g_test_add_func("/message/limits", test_limits);
	g_test_add_func("/message/huge", test_huge);
	g_test_add_func("/message/stretch", test_stretch);
	g_test_add_func("/message/paid", test_paid);
	return g_test_run();
}
