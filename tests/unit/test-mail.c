/*
 * Mail within mail, and files written in letters.  Each row is a file that is attached under a
 * name and a type that say nothing; what must be found in it, or told.  A row without a reason is
 * its own right twin: nothing of it may be unread.
 */
#include "config.h"

#include "missent/message.h"

#include "../test.h"

static void collect(const MsSpan *span, void *user)
{
	g_string_append_printf(user, "[%s] ", span->where);
	g_string_append_len(user, span->text, (gssize)span->len);
	g_string_append_c(user, '\n');
}

static MsLimits limits;

static MsReading *read_message(const char *message, gsize len, GString *out)
{
	char *input = exact_copy(message, len);
	MsReading *reading = ms_reading_new();
	MsBudget budget;
	ms_budget_init(&budget, &limits);
	MsMessageSink sink = {.budget = &budget, .reading = reading, .span = collect, .user = out};
	ms_message_read((guint8 *)input, len, &sink);
	free(input);
	return reading;
}

typedef struct {
	const char *name, *content, *found, *unread;
} Row;

static void check(const char *message, gsize len, const Row *row)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(MsReading) reading = read_message(message, len, out);
	if (row->found != NULL && strstr(out->str, row->found) == NULL)
		g_error("got \"%s\", want \"%s\" in it", out->str, row->found);
	bool told = false;
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		if (row->unread == NULL)
			g_error("got unread \"%s: %s\", want none", u->where, u->detail);
		told = told || strcmp(ms_unread_name(u->reason), row->unread) == 0;
	}
	if (row->unread != NULL && !told)
		g_error("got no unread item of reason %s", row->unread);
}

/* ---- attached files ------------------------------------------------------------------- */

/* A packed text, in base64 that needs no padding. */
#define PACKED_1 "H4sIAAAAAAACA3MuLS7Jz00tUsgrzU0CUt4uuubmJgaWhkYK+WkKiXn5JRlA0eT83ILEvEqFzDwF"
#define PACKED_2 "j8TcpNKidKBUioJTalFOZp6OAlCVQmV+aVExAJxvNExOAAAA"
#define PACKED PACKED_1 "\n" PACKED_2 "\n"

#define SIGNED "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
#define SIGNATURE "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"

static const Row files[] = {
	{"two fields",
		"From: a@b.example\nSubject: x\nContent-Transfer-Encoding: base64\n\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n",
		"KD-7740912", NULL},
	{"two fields, CR LF",
		"From: a@b.example\r\nSubject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\r\n",
		"KD-7740912", NULL},
	{"CR alone",
		"From: a@b.example\rSubject: x\rContent-Transfer-Encoding: base64\r\rQ3VzdG9tZXIgbnVt"
		"YmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0MDkxMiBvZiBhbm90"
		"aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\r",
		"KD-7740912", NULL},
	{"blank lines first",
		"\n\r\n \nFrom: a@b.example\nSubject: x\nContent-Transfer-Encoding: base64\n\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n",
		"KD-7740912", NULL},
	{"mailbox of one field",
		"From a@b.example Thu Nov 26 10:00:00 2026\nSubject: x\n"
		"Content-Transfer-Encoding: base64\n\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n",
		"KD-7740912", NULL},
	{"mailbox, second message",
		"From a@b.example Thu Nov 26 10:00:00 2026\nFrom: a@b.example\n"
		"Subject: x\n\nhello\n\nFrom c@b.example Thu Nov 26 10:00:01 2026\n"
		">From x y\nFrom: a@b.example\nSubject: y\n"
		"Content-Transfer-Encoding: base64\n\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n",
		"KD-7740912", NULL},
	{"mailbox's own line",
		"From KD-7740912@b.example Thu Nov 26 10:00:00 2026\nFrom: a@b.example\n"
		"Subject: x\n\nhello\n",
		"KD-7740912", NULL},
	{"escaped line",
		"From a@b.example Thu Nov 26 10:00:00 2026\nFrom: a@b.example\n"
		"Subject: x\n\n>From KD-7740912\n",
		"KD-7740912", NULL},
	{"number line",
		"240     \nFrom: a@b.example\nSubject: x\n"
		"Content-Transfer-Encoding: base64\n\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n"
		"<?xml version=\"1.0\"?><plist><dict/></plist>\n",
		"KD-7740912", NULL},
	{"property list behind",
		"42\nFrom: a@b.example\nSubject: x\n\nhello\n"
		"<?xml version=\"1.0\"?><plist><dict><string>KD-7740912</string></dict></plist>\n",
		"KD-7740912", NULL},
	{"web archive",
		"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=\"x\"\n\n--x\n"
		"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
		"PHA+Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgo8L3A+\n--x--\n",
		"KD-7740912", NULL},
	{"web archive of one field",
		"Content-Type: multipart/related; boundary=\"x\"\n\n--x\n"
		"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
		"<p>KD-77=\n40912</p>\n--x--\n",
		"KD-7740912", NULL},
	{"web archive with a prologue",
		"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=\"x\"\n\n"
		"of KD-7740912\n--x\n\nhello\n--x--\n",
		"KD-7740912", NULL},
	{"memo is read as text too", "To: Anna\nSubject: list\nKD-7740912 is theirs\n",
		"KD-7740912", NULL},
	{"uuencode",
		"begin 644 a.txt\nF0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n"
		"`\nend\n",
		"KD-7740912", NULL},
	{"uuencode in lines of an old Mac",
		"begin 644 a.txt\rF0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\r"
		"`\rend\r",
		"KD-7740912", NULL},
	{"uuencode in lines of an old Mac, behind others",
		"Hello,\r\nthe list:\r\nbegin 644 a.txt\r"
		"F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\r`\rend\r",
		"KD-7740912", NULL},
	{"uuencode, five digits",
		"begin 10644 a.txt\n"
		"F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n`\nend\n",
		"KD-7740912", NULL},
	{"uuencode, three spaces",
		"begin   644   a.txt\n"
		"F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n`\nend\n",
		"KD-7740912", NULL},
	{"uuencode behind prose",
		"Hello,\n\nthe list:\nbegin 644 a.txt\n"
		"F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n`\nend\n",
		"KD-7740912", NULL},
	{"uuencode, second file",
		"begin 644 a.txt\n::&5L;&\\@=V]R;&0L(&YO=&AI;F<@:&5R90H`\n`\nend\n"
		"begin 644 a.txt\nF0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n"
		"`\nend\n",
		"KD-7740912", NULL},
	{"uuencode, quoted",
		"> begin 644 a.txt\n"
		"> F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n> `\n> end\n",
		"KD-7740912", NULL},
	{"uuencode without end",
		"begin 644 a.txt\nF0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n",
		"KD-7740912", NULL},
	{"uuencode without begin",
		"M;&EN92`P(&]F('1H92!L:7-T+\"!A;F0@;F]T:&EN9R!E;'-E\"FQI;F4@,2!O\n"
		"M9B!T:&4@;&ES=\"P@86YD(&YO=&AI;F<@96QS90IL:6YE(#(@;V8@=&AE(&QI\n"
		"M<W0L(&%N9\"!N;W1H:6YG(&5L<V4*0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y\n"
		".,3(@;V8@86YO=&AE<@H`\n`\nend\n",
		"KD-7740912", NULL},
	{"uuencode in HTML",
		"<html><body><pre>\nbegin 644 a.txt\n"
		"F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n`\nend\n"
		"</pre></body></html>",
		"KD-7740912", NULL},
	{"uuencode in HTML, escaped",
		"<html><body><pre>\nbegin 644 a.txt\n"
		"M/\"!#=7-T;VUE&lt;B!N=6UB97(@2T0M-S&lt;T,#DQ,B!O9B!A;F]T:&amp;5R(#X@)B!S\n"
		"%;R!O;@H`\n"
		"`\nend\n</pre></body></html>",
		"KD-7740912", NULL},
	{"uuencode in HTML, a line each",
		"<html><body><p>begin 644 a.txt<br>"
		"M/\"!#=7-T;VUE&lt;B!N=6UB97(@2T0M-S&lt;T,#DQ,B!O9B!A;F]T:&amp;5R(#X@)B!S<br>"
		"%;R!O;@H`<br>`<br>end</p></body></html>",
		"KD-7740912", NULL},
	{"xxencode",
		"begin 644 a.txt\naErJnR4xhNL6UPbJhMaJm62h29HQrB1+tAH6UPqMUMKtjR4VZQUc+\n"
		"+\nend\n",
		"KD-7740912", NULL},
	{"xxencode without begin",
		"hP4ZiNG+l64xa65FcNG-gOLBo90-VPaEUPaxoO4ZiNm-ZP5BZ0aldPaIUAW-j\n"
		"hNW-oO4IUP4ZnR0kUMKtY64tjR4VdPaQUNKlnNEdgOKtZ61AUPqMUR4VZ64ld\n"
		"hQrEg643iN0-iPrFcOKtb64JgQqI8ErJnR4xhNL6UPbJhMaJm62h29HQrB1+t\n"
		"CAH6UPqMUMKtjR4VZQUc+\n"
		"+\nend\n",
		"KD-7740912", NULL},
	{"bytes with blanks",
		"43 75 73 74 6f 6d 65 72 20 6e 75 6d 62 65 72 20\n"
		"4b 44 2d 37 37 34 30 39 31 32 20 6f 66 20 61 6e\n"
		"6f 74 68 65 72 20 63 75 73 74 6f 6d 65 72 2c 20\n"
		"61 6e 64 20 6d 6f 72 65 20 6f 66 20 69 74\n",
		"KD-7740912", NULL},
	{"bytes with colons",
		"43:75:73:74:6F:6D:65:72:20:6E:75:6D:62:65:72:20\n"
		"4B:44:2D:37:37:34:30:39:31:32:20:6F:66:20:61:6E\n"
		"6F:74:68:65:72:20:63:75:73:74:6F:6D:65:72:2C:20\n"
		"61:6E:64:20:6D:6F:72:65:20:6F:66:20:69:74\n",
		"KD-7740912", NULL},
	{"bytes of a program",
		"0x43, 0x75, 0x73, 0x74, 0x6f, 0x6d, 0x65, 0x72, 0x20, 0x6e, 0x75, 0x6d,\n"
		"0x62, 0x65, 0x72, 0x20, 0x4b, 0x44, 0x2d, 0x37, 0x37, 0x34, 0x30, 0x39,\n"
		"0x31, 0x32, 0x20, 0x6f, 0x66, 0x20, 0x61, 0x6e, 0x6f, 0x74, 0x68, 0x65,\n"
		"0x72, 0x20, 0x63, 0x75, 0x73, 0x74, 0x6f, 0x6d, 0x65, 0x72, 0x2c, 0x20,\n"
		"0x61, 0x6e, 0x64, 0x20, 0x6d, 0x6f, 0x72, 0x65, 0x20, 0x6f, 0x66, 0x20,\n"
		"0x69, 0x74,\n",
		"KD-7740912", NULL},
	{"od",
		"000000 43 75 73 74 6f 6d 65 72 20 6e 75 6d 62 65 72 20\n"
		"000010 4b 44 2d 37 37 34 30 39 31 32 20 6f 66 20 61 6e\n"
		"000020 6f 74 68 65 72 20 63 75 73 74 6f 6d 65 72 2c 20\n"
		"000030 61 6e 64 20 6d 6f 72 65 20 6f 66 20 69 74\n"
		"00003e\n",
		"KD-7740912", NULL},
	{"xxd across lines",
		"00000000: 6162 6364 6566 4375 7374 6f6d 6572 206e  abcdefCustomer n\n"
		"00000010: 756d 6265 7220 4b44 2d37 3734 3039 3132  umber KD-7740912\n"
		"00000020: 206f 6620 616e 6f74 6865 7220 6375 7374   of another cust\n"
		"00000030: 6f6d 6572 2c20 616e 6420 6d6f 7265 206f  omer, and more o\n"
		"00000040: 6620 6974  f it\n",
		"KD-7740912", NULL},
	{"xxd, groups of four",
		"00000000: 43757374 6f6d6572 206e756d 62657220  ................\n"
		"00000010: 4b442d37 37343039 3132206f 6620616e  ................\n"
		"00000020: 6f746865 72206375 73746f6d 65722c20  ................\n"
		"00000030: 616e6420 6d6f7265 206f6620 6974  ................\n",
		"KD-7740912", NULL},
	{"hexdump",
		"00000000  43 75 73 74 6f 6d 65 72  20 6e 75 6d 62 65 72 20  |................|\n"
		"00000010  4b 44 2d 37 37 34 30 39  31 32 20 6f 66 20 61 6e  |................|\n"
		"00000020  6f 74 68 65 72 20 63 75  73 74 6f 6d 65 72 2c 20  |................|\n"
		"00000030  61 6e 64 20 6d 6f 72 65  20 6f 66 20 69 74  |................|\n",
		"KD-7740912", NULL},
	{"bytes, quoted",
		"> 43 75 73 74 6f 6d 65 72 20 6e 75 6d 62 65 72 20\n"
		"> 4b 44 2d 37 37 34 30 39 31 32 20 6f 66 20 61 6e\n"
		"> 6f 74 68 65 72 20 63 75 73 74 6f 6d 65 72 2c 20\n"
		"> 61 6e 64 20 6d 6f 72 65 20 6f 66 20 69 74\n",
		"KD-7740912", NULL},
	{"fingerprint",
		"SHA1 Fingerprint\n83:A8:CD:F2:17:3C:61:86:AB:D0:F5:1A:3F:64:89:AE:D3:F8:1D:42\n",
		"Fingerprint", NULL},
	{"times and figures",
		"10:20:30 11:22:33 44:55:06 12:13:14\n2026 1128 4711 1001 2002 3003\n",
		"4711", NULL},
	{"base64 without its first letters, 1",
		"3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlciBjdXN0b21lciwgYW5kIG1vc\n"
		"mUgb2YgaXRDdXN0b21lciBudW1iZXIgS0QtNzc0MDkxMiBvZiBhbm90aGVyIGN1c3RvbWVyL\n"
		"CBhbmQgbW9yZSBvZiBpdA==\n",
		"KD-7740912", NULL},
	{"base64 without its first letters, 2",
		"VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlciBjdXN0b21lciwgYW5kIG1vcm\n"
		"Ugb2YgaXRDdXN0b21lciBudW1iZXIgS0QtNzc0MDkxMiBvZiBhbm90aGVyIGN1c3RvbWVyLC\n"
		"BhbmQgbW9yZSBvZiBpdA==\n",
		"KD-7740912", NULL},
	{"base64 without its first letters, 3",
		"zdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlciBjdXN0b21lciwgYW5kIG1vcmU\n"
		"gb2YgaXRDdXN0b21lciBudW1iZXIgS0QtNzc0MDkxMiBvZiBhbm90aGVyIGN1c3RvbWVyLCB\n"
		"hbmQgbW9yZSBvZiBpdA==\n",
		"KD-7740912", NULL},
	{"base64 without its first letters, a key",
		"q83vEiM0RVZnd4iZqru83e7/ABEiM0RVZneImaq7zN3u/wECAwQFBgcICQoLDA0O\n",
		"q83v", NULL},
	{"begin-base64",
		"begin-base64 644 a.txt\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0QtNzc0"
		"MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n"
		"====\n",
		"KD-7740912", NULL},
	{"BinHex",
		"(This file must be converted with BinHex 4.0)\n\n"
		":#'aTFh3ZG(Kd!&4&@&4dG(Kd!!!!!!!Q!!!!!-[e3h9cG'pYCA)JER9YBQ9b)%Y\n"
		"%,6Fh0$!j-6)JEfBJB@j[G'KPFJU&KJ!!:\n",
		"KD-7740912", NULL},
	{"BinHex name",
		"(This file must be converted with BinHex 4.0)\n\n"
		":$NY%,6Fh0$!j-6)ZG(Kd!&4&@&4dG(Kd!!!!!!!-!!!!!0qBD'9XE'mJGfpbE'3\n"
		"+`R)!!!:\n",
		"KD-7740912", NULL},
	{"BinHex without its line",
		":#'aTFh3ZG(Kd!&4&@&4dG(Kd!!!!!!!Q!!!!!-[e3h9cG'pYCA)JER9YBQ9b)%Y\n"
		"%,6Fh0$!j-6)JEfBJB@j[G'KPFJU&KJ!!:\n",
		"KD-7740912", NULL},
	{"BinHex cut",
		"(This file must be converted with BinHex 4.0)\n\n"
		":#'aTFh3ZG(Kd!&4&@&4dG(Kd!!!!!!!Q!!!!!-[e3h9cG'pYCA)JER9YBQ9b)%Y\n"
		"%,6Fh0$!j-6)JEfBJB@j[G'KPFJU",
		NULL, "damaged"},
	{"base64 again", "Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgo=\n", "KD-7740912",
		NULL},
	{"base64 thrice",
		"UTNWemRHOXRaWElnYm5WdFltVnlJRXRFTFRjM05EQTVNVElnYjJZZ1lXNXZkR2hsY2dvPQ==\n",
		"KD-7740912", NULL},
	{"base64 behind prose",
		"Hello,\n"
		"Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0Qt\n"
		"Nzc0MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n"
		"bye\n",
		"KD-7740912", NULL},
	{"base64 behind a line without a mark",
		"Please find the document of today below\n" PACKED, "KD-7740912", NULL},
	{"base64 behind such a line and a blank one",
		"Please find the document of today\n\n" PACKED, "KD-7740912", NULL},
	{"base64 behind a longer line",
		"Please find the document that you have asked us for in your letter of "
		"today below this very line\n" PACKED, "KD-7740912", NULL},
	{"base64 behind one word", "Unternehmensunterlagen\n" PACKED, "KD-7740912", NULL},
	{"base64 behind a digest",
		"8c5f1f0e9a3b7d248c5f1f0e9a3b7d248c5f1f0e9a3b7d248c5f1f0e9a3b7d24\n\n" PACKED,
		"KD-7740912", NULL},
	{"base64 behind several lines, quoted",
		"> see below\n> what the others have written to us\n>\n> " PACKED_1
		"\n> " PACKED_2 "\n", "KD-7740912", NULL},
	{"base64 between marks",
		"-----BEGIN DATA-----\n" PACKED "-----END DATA-----\n", "KD-7740912", NULL},
	{"base64 before words", PACKED "\nWith kind regards\n", "KD-7740912", NULL},
	{"base64 before a word", PACKED "\nBye\n", "KD-7740912", NULL},
	{"base64 before two", PACKED "\nRegards\nAnna\n", "KD-7740912", NULL},
	{"base64 whose lines were broken",
		"Q3VzdG9tZXIgbnVtYmVyIGlzIHRoZSBvbmUg\ndGhhdCB5b3Uga25vdywg\n"
		"YW5kIG5vdCBLRC03NzQwOTEyIG9mIHRoZW0K\nYW5kIG5vdCBLRC03NzQw\nOTEyIG9mIHRoZW0K\n",
		"not KD-7740912 of them\nand not KD-7740912 of them", NULL},
	{"base64 below a drawn line",
		"____________________________________________________________________________\n"
		PACKED, "KD-7740912", NULL},
	{"uuencode behind a line without a mark",
		"Please find the list of today below\nbegin 644 list\n"
		"F0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\n`\nend\n",
		"KD-7740912", NULL},
	{"xxencode behind prose",
		"Please find the list of today below\n\nbegin 644 the list\n"
		"aErJnR4xhNL6UPbJhMaJm62h29HQrB1+tAH6UPqMUMKtjR4VZQUc+\n+\nend\n",
		"KD-7740912", NULL},
	{"PGP behind prose",
		"Please find the list of today below\n\n-----BEGIN PGP MESSAGE-----\n\n"
		"yDMAAAAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8w\n"
		"=aaaa\n-----END PGP MESSAGE-----\n",
		NULL, "encrypted"},
	{"RTF signed in clear",
		SIGNED "{\\rtf1 KD-774\\'30912}\n" SIGNATURE, "KD-7740912", NULL},
	{"HTML signed in clear",
		SIGNED "<html><body>KD-77<b>409</b>12</body></html>\n" SIGNATURE, "KD-7740912", NULL},
	{"uuencode signed in clear",
		SIGNED "begin 644 a.txt\n- -;V8@2T0M-S<T,#DQ,@  \n`\nend\n" SIGNATURE, "of KD-7740912", NULL},
	{"a list signed in clear", SIGNED "- - KD-7740912\n- - and more\n" SIGNATURE, "\n- and more",
		NULL},
	{"signed in clear, many times",
		SIGNED SIGNED SIGNED "- - KD-7740912\n- - and more\n" SIGNATURE, "\n- and more", NULL},
	{"PGP in parts, behind one word",
		"Unternehmensunterlagen\n-----BEGIN PGP MESSAGE, PART 1-----\n\n"
		"yDMAAAAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8w\n",
		NULL, "encrypted"},
	{"PGP for a passphrase, without its marks",
		"See below.\n\njA0ECQMC1s2N0bY4pmT/0kYBvvf3VQn3WQ3iXr0l3z6y3v1n0b3d9J0cYw6lqf2z\n"
		"=aaaa\n",
		NULL, "encrypted"},
	{"base64 in a field", "name;data;date\na.gz;" PACKED_1 PACKED_2 ";2026\n",
		"KD-7740912", NULL},
	{"base64 in the last field", "name,data\na.gz," PACKED_1 PACKED_2 "\n",
		"KD-7740912", NULL},
	{"a word of a link is no file",
		"https://t.example/ls/click?upn=" PACKED_1 "AAAAAAAAAAAAAAAA&x=1\n"
		"https://t.example/e/" PACKED_1 "AAAAAAAAAAAAAAAA\n"
		"https://t.example/e/N3q8ryccAAQ/N3q8ryccAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&x=N3q8ryccAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&y=1\n",
		"ls/click", NULL},
	{"padded base64 behind a comma",
		"a.txt,Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgo=,2026\n",
		"KD-7740912", NULL},
	{"base64 in quotes", "data = \"" PACKED_1 PACKED_2 "\"\n", "KD-7740912", NULL},
	{"base64, quoted",
		"> Q3VzdG9tZXIgbnVtYmVyIEtELTc3NDA5MTIgb2YgYW5vdGhlcgpDdXN0b21lciBudW1iZXIgS0Qt\n"
		"> Nzc0MDkxMiBvZiBhbm90aGVyCkN1c3RvbWVyIG51bWJlciBLRC03NzQwOTEyIG9mIGFub3RoZXIK\n",
		"KD-7740912", NULL},
	{"base64 of nothing known",
		"AOQQdR0DJ4kuETKRMxMxjSwJJH0Z7gth9czhOcqesAWTZHPAUB4qdAHH0ByhaW+zOvoCQ8KEhMJDAvo6"
		"s29poRzQxwF0Kh5QwHNkkwWwnso54cz1YQvuGX0kCSyNMRMzkTIRLoknAx11EOQAVei+0im5jJ3sfk5c"
		"qDcED1jfqbH3gEdMjxXU1huZWlmWFs/LCoI9Nm3impDEO+veFIM1JVO/bluG75uFrRi8o8gw0bXXPNq7"
		"2jzXtdEwyKO8GK2Fm++GW26/UyU1gxTe6zvEkJribTY9ggrLzxaWWVqZG9bUFY9MR4D3sanfWA8EN6hc"
		"Tn7snYy5KdK+6FUA5BB1HQMniS4RMpEzEzGNLAkkfRnuC2H1zOE5yp6wBZNkc8BQHip0AcfQHKFpb7M6"
		"+gJDwoSEwkMC+jqzb2mhHNDHAXQqHlDAc2STBbCeyjnhzPVhC+4ZfSQJLI0xEzORMhEuiScDHXUQ5ABV"
		"6L7SKbmMnex+TlyoNwQPWN+psfeAR0yPFdTWG5laWZYWz8sKgj02beKakMQ7694UgzUlU79uW4bvm4Wt"
		"GLyjyDDRtdc82rvaPNe10TDIo7wYrYWb74Zbbr9TJTWDFN7rO8SQmuJtNj2CCsvPFpZZWpkb1tQVj0xH"
		"gPexqd9YDwQ3qFxOfuydjLkp0r7oVQDkEHUdAyeJLhEykTMTMY0sCSR9Ge4LYfXM4TnKnrAFk2RzwFAe"
		"KnQBx9AcoWlvszr6AkPChITCQwL6OrNvaaEc0McBdCoeUMBzZJMFsJ7KOeHM9WEL7hl9JAksjTETM5Ey"
		"ES6JJwMddRDkAFXovtIpuYyd7H5OXKg3BA9Y36mx94BHTI8V1NYbmVpZlhbPywqCPTZt4pqQxDvr3hSD"
		"NSVTv25bhu+bha0YvKPIMNG11zzau9o817XRMMijvBithZvvhltuv1MlNYMU3us7xJCa4m02PYIKy88W"
		"lllamRvW1BWPTEeA97Gp31gPBDeoXE5+7J2MuSnSvuhVAOQQdR0DJ4kuETKRMxMxjSwJJH0Z7gth9czh"
		"OcqesAWTZHPAUB4qdAHH0ByhaW+zOvoCQ8KEhMJDAvo6s29poRzQxwF0Kh5QwHNkkwWwnso54cz1YQvu"
		"GX0kCSyNMRMzkTIRLoknAx11EOQAVei+0im5jJ3sfk5cqDcED1jfqbH3gEdMjxXU1huZWlmWFs/LCoI9\n",
		NULL, "no-reader"},
	{"a digest is no file",
		"sha512 of it:\n"
		"8c5f1f0e9a3b7d248c5f1f0e9a3b7d248c5f1f0e9a3b7d248c5f1f0e9a3b7d248c5f1f0e9a3b7d24"
		"8c5f1f0e9a3b7d248c5f1f0e9a3b7d248c5f1f0e9a3b7d24\n",
		"sha512", NULL},
	{"quoted-printable again", "Customer =\nnumber KD=2D77=\n40912\n", "KD-7740912", NULL},
	{"quoted-printable again, of each letter", "of =4B=44=2D=37=37=34=30=39=31=32\n", "KD-7740912",
		NULL},
	{"encoded words in a report",
		"Reporting-MTA: dns; x\n\nSubject: =?UTF-8?B?b2YgS0QtNzc0MDkxMg==?=\n",
		"KD-7740912", NULL},
	{"yEnc", "=ybegin line=128 size=11 name=a\nxxx\n=yend size=11\n", NULL, "encoding"},
};

static void test_file(gconstpointer data)
{
	const Row *row = data;
	g_autofree char *encoded = g_base64_encode(
		(const guchar *)row->content, strlen(row->content));
	g_autofree char *message = g_strdup_printf(
		"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\n\r\nsee below\r\n--b\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n",
		encoded);
	check(message, strlen(message), row);
}

/* ---- whole messages ------------------------------------------------------------------- */

#define MIXED \
	"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n"
#define ENDED "\r\n--b--\r\n"
#define TEXT64 MIXED "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
#define DISPOSITION MIXED "Content-Type: text/plain\r\nContent-Disposition: attachment; "

static const Row messages[] = {
	{"base64, '-' in front", TEXT64 "\r\n-b2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED, "KD-7740912",
		NULL},
	{"base64, '_' within", TEXT64 "\r\nb2YgS0QtN_zc0MDkxMiB0aGVpcnM=" ENDED, "KD-7740912",
		NULL},
	{"base64 of RFC 4648, 5", TEXT64 "\r\n_-7_S0QtNzc0MDkxMg" ENDED, "KD-7740912", NULL},
	{"base64, '=' after the second", TEXT64 "\r\nb2=YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", NULL},
	{"base64, '=' after the third", TEXT64 "\r\nb2Y=gS0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", NULL},
	{"base64, '=' after the fourth", TEXT64 "\r\nb2Yg=S0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", NULL},
	{"base64, '=' and '-'", TEXT64 "\r\n-b2Y=gS0QtNzc0MDkxMiB0aGVpcnM=" ENDED, "KD-7740912",
		NULL},
	{"base64 without padding", TEXT64 "\r\nb2YgS0QtNzc0MDkxMg" ENDED, "KD-7740912", NULL},
	{"base64 and a footer", TEXT64 "\r\naGVsbG8=\r\n\r\nThe list of KD-7740912\r\n" ENDED,
		"KD-7740912", NULL},
	{"base64 that is none", TEXT64 "\r\nThe list of KD-7740912, in clear" ENDED, "KD-7740912",
		NULL},
	{"base64 twice", TEXT64 "\r\nYjJZZ1MwUXROemMwTURreE1pQjBhR1ZwY25NPQ==" ENDED, "KD-7740912",
		NULL},
	{"7bit that is base64",
		MIXED "Content-Type: application/pdf\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
		      "b2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", NULL},
	{"no encoding, but base64",
		MIXED "Content-Type: application/pdf\r\n\r\nb2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", NULL},
	{"quoted-printable that is base64",
		MIXED "Content-Type: application/pdf\r\nContent-Transfer-Encoding:"
		      " quoted-printable\r\n\r\nb2YgS0QtNzc0MDkxMiB0aGVpcnM=3D" ENDED,
		"KD-7740912", NULL},
	{"quoted-printable twice",
		MIXED "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n"
		      "\r\nof KD=3D2D77=3D\r\n40912" ENDED,
		"KD-7740912", NULL},
	{"encoding spelt wrong",
		MIXED "Content-Type: text/plain\r\nContent-Transfer-Encoding: bas64\r\n\r\n"
		      "b2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", "encoding"},
	{"blank line with a tab", TEXT64 "\t\r\nb2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED, "KD-7740912",
		NULL},
	{"blank line with a blank", TEXT64 " \r\nb2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED, "KD-7740912",
		NULL},
	{"blank line with a tab, text",
		MIXED "Content-Type: text/plain\r\n\t\r\nof KD-7740912\r\n" ENDED, "KD-7740912",
		NULL},
	{"no blank line", TEXT64 "b2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED, "KD-7740912", NULL},
	{"no blank line, text",
		MIXED "Content-Type: text/plain\r\nof KD-7740912\r\nand more\r\n" ENDED,
		"KD-7740912", NULL},
	{"a line that is no field",
		MIXED "Content-Type: text/plain\r\nof KD-7740912\r\nX-A: b\r\n\r\nhello" ENDED,
		"KD-7740912", NULL},
	{"a field with a blank in its name",
		"Subject: s\r\nX KD-7740912: b\r\nTo: a@b.example\r\n\r\nhello\r\n", "KD-7740912",
		NULL},
	{"a field that is named so", "Subject: s\r\nX-KD-7740912: b\r\n\r\nhello\r\n", "KD-7740912",
		NULL},
	{"prologue and epilogue",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\nThis is a message in MIME.\r\n"
		"--b\r\n\r\nhello\r\n--b--\r\n\r\nof KD-7740912\r\n",
		"KD-7740912", NULL},
	{"behind the end of an inner multipart",
		MIXED "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n"
		      "x\r\n--c--\r\nof KD-7740912\r\n" ENDED,
		"KD-7740912", NULL},
	{"a part behind the last", MIXED "\r\nx\r\n--b--\r\n--b\r\n\r\nof KD-7740912\r\n",
		"KD-7740912", NULL},
	{"parameter of another name",
		MIXED "Content-Type: text/plain; x-customer=\"KD-7740912\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"name of a multipart",
		"Content-Type: multipart/mixed; boundary=b; name=\"KD-7740912\"\r\n\r\n--b\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name twice",
		DISPOSITION "filename=\"a.txt\"; filename=\"KD-7740912.txt\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name plain and extended",
		DISPOSITION "filename=\"a.txt\"; filename*=UTF-8''KD%2D7740912.txt\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name extended and plain",
		DISPOSITION "filename*=UTF-8''a.txt; filename=\"KD-7740912.txt\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name in pieces",
		DISPOSITION "filename*1=\"40912.txt\"; filename*0=\"KD-77\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name in two fields",
		DISPOSITION "filename=\"KD-7740912.txt\"\r\nContent-Disposition: attachment;"
			    " filename=\"a.txt\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name in a charset",
		DISPOSITION "filename*=ISO-8859-1'de'M%FCller-KD-7740912.txt\r\n\r\nx" ENDED,
		"M\xc3\xbcller-KD-7740912", NULL},
	{"file name with a blank, without quotes",
		DISPOSITION "filename=of KD-7740912.txt\r\n\r\nx" ENDED, "KD-7740912", NULL},
	{"file name with underscores",
		DISPOSITION "filename=\"Rechnung_4711_max.txt\"\r\n\r\nx" ENDED,
		"Rechnung 4711 max", NULL},
	{"file name without borders",
		DISPOSITION "filename=\"RechnungKD7740912.txt\"\r\n\r\nx" ENDED,
		"Rechnung KD7740912", NULL},
	{"number at the end of a word",
		DISPOSITION "filename=\"invoice48291746.txt\"\r\n\r\nx" ENDED, "invoice 48291746",
		NULL},
	{"file name of a mail",
		MIXED
		"Content-Type: message/rfc822; name=\"KD-7740912.eml\"\r\n\r\nSubject: s\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"uuencode, blank lines first",
		MIXED "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"
		      "\r\nbegin 600 a.txt\r\n-;V8@2T0M-S<T,#DQ,@``\r\n`\r\nend" ENDED,
		"KD-7740912", NULL},
	{"uuencode, prose first",
		MIXED "Content-Type: text/plain\r\nContent-Transfer-Encoding: uuencode\r\n\r\n"
		      "of 4711\r\n\r\nbegin 600 a.txt\r\n-;V8@2T0M-S<T,#DQ,@``\r\n`\r\nend" ENDED,
		"KD-7740912", NULL},
	{"uuencode, the prose",
		MIXED "Content-Type: text/plain\r\nContent-Transfer-Encoding: uuencode\r\n\r\n"
		      "of KD-7740912\r\n\r\nbegin 600 a.txt\r\n%:&5L;&\\\r\n`\r\nend" ENDED,
		"KD-7740912", NULL},
	{"header of a reported message",
		"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: text/rfc822-headers\r\n\r\nSubject: =?UTF-8?B?b2YgS0QtNzc0MDkxMg==?=\r\n"
		"Content-Type: multipart/mixed; boundary=c\r\n" ENDED,
		"of KD-7740912", NULL},
	{"status of a reported message",
		"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
		"Diagnostic-Code: =?UTF-8?Q?of_KD=2D7740912?=\r\n" ENDED,
		"of KD-7740912", NULL},
	{"mail that says text",
		MIXED
		"Content-Type: text/plain; name=a.eml\r\n\r\nFrom: a@b.example\r\nSubject: s\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nb2YgS0QtNzc0MDkxMiB0aGVpcnM=" ENDED,
		"KD-7740912", NULL},
	{"quoted header in a text",
		MIXED
		"\r\nFrom: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n\r\nof KD-7740912" ENDED,
		"KD-7740912", NULL},
	{"list field",
		"Subject: s\r\nList-Unsubscribe: <mailto:u@b.example?subject=KD-7740912>\r\n\r\nx\r\n",
		"KD-7740912", NULL},
	{"reply to", "Subject: s\r\nReply-To: kd7740912@b.example\r\n\r\nx\r\n",
		"kd7740912@b.example", NULL},
	{"parts of a text",
		"Content-Type: text/plain; boundary=b\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"parts of no subtype",
		"Content-Type: multipart; boundary=b\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"parts of an empty type",
		"Content-Type: multipart//mixed; boundary=\"b\"\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"parts of an encoded type",
		"Content-Type: =?us-ascii?q?multipart/mixed?=; boundary=b\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"parts behind a semicolon",
		"Content-Type: ;multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"parts of a boundary in pieces",
		"Content-Type: text/plain; boundary*0=b\r\n\r\n--b\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"file before the first part",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"begin 644 a.txt\r\nF0W5S=&]M97(@;G5M8F5R($M$+3<W-#`Y,3(@;V8@86YO=&AE<@H`\r\n`\r\nend\r\n"
		"--b\r\n\r\nx\r\n--b--\r\n",
		"KD-7740912", NULL},
	{"boundary behind a carriage return",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r--b\r"
		"Content-Transfer-Encoding: base64\r\rS0QtNzc0MDkxMg==\r\n--b--\r\n",
		NULL, "ambiguous"},
	{"twin: dashes behind a carriage return",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nKD-7740912\r-- \r\n--b--\r\n",
		"KD-7740912", NULL},
	{"the only fragment",
		"Content-Type: message/partial; id=\"a\"; number=1; total=1\r\n\r\nSubject: s\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nS0QtNzc0MDkxMg==\r\n",
		"KD-7740912", NULL},
	{"the first fragment",
		"Content-Type: message/partial; id=\"a\"; number=1; total=2\r\n\r\nSubject: s\r\n\r\nx\r\n",
		NULL, "partial"},
	{"the last fragment",
		"Content-Type: message/partial; id=\"a\"; number=2; total=2\r\n\r\nx\r\n", NULL,
		"partial"},
	{"a fragment of an unknown number",
		"Content-Type: message/partial; id=\"a\"; number=1\r\n\r\nSubject: s\r\n\r\nx\r\n",
		NULL, "partial"},
	{"EBCDIC of Germany",
		"Content-Type: text/plain; charset=cp273\r\n\r\n"
		"\xd4\xd0\x93\x93\x85\x99\xb5\x82\x4b\x85\xa7\x81\x94\x97\x93\x85",
		"M\u00fcller@b.example", NULL},
	{"EBCDIC of Germany with a euro",
		"Content-Type: text/plain; charset=IBM1141\r\n\r\n"
		"\xd4\xd0\x93\x93\x85\x99\xb5\x82\x4b\x85\xa7\x81\x94\x97\x93\x85",
		"M\u00fcller@b.example", NULL},
	{"ASCII that is called EBCDIC",
		"Content-Type: text/plain; charset=cp037\r\n\r\nKunde KD-7740912\r\n", "KD-7740912",
		NULL},
	{"ASCII that is called EBCDIC of Germany",
		"Content-Type: text/plain; charset=IBM273\r\n\r\nKunde KD-7740912\r\n", "KD-7740912",
		NULL},
	{"EBCDIC that is called Latin-1",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n"
		"\xd2\xa4\x95\x84\x85\x40\xd2\xc4\x60\xf7\xf7\xf4\xf0\xf9\xf1\xf2",
		"Kunde KD-7740912", NULL},
	{"twin: Latin-1",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n"
		"\xc4\xd6\xdc\xe4\xf6\xfc KD-7740912 \xe9\xe8\xe0\xe7\r\n",
		"\u00c4\u00d6\u00dc\u00e4\u00f6\u00fc KD-7740912 \u00e9\u00e8\u00e0\u00e7", NULL},
	{"a charset of DOS in Turkey",
		"Content-Type: text/plain; charset=ibm857\r\n\r\nM\x81\x9fteri KD-7740912\r\n",
		"M\u00fc\u015fteri KD-7740912", NULL},
	{"a charset of an old Mac",
		"Content-Type: text/plain; charset=x-mac-ce\r\n\r\nz\x87kazn\x92k KD-7740912\r\n",
		"z\u00e1kazn\u00edk KD-7740912", NULL},
	{"a charset of an old Mac, by another name",
		"Content-Type: text/plain; charset=mac-roman\r\n\r\nM\x9fller KD-7740912\r\n",
		"M\u00fcller KD-7740912", NULL},
	{"ISO-2022-KR",
		"Content-Type: text/plain; charset=iso-2022-kr\r\n\r\n\x1b$)C\x0e""0m\x0f \x0e""0m\x0f \x0e""0m\x0f "
		"\x0e""0m\x0f \x0e""0m\x0f KD-7740912\r\n",
		"KD-7740912", NULL},
	{"a page that says so",
		"Content-Type: text/html\r\n\r\n<html><meta charset=cp1141>"
		"\xd2\xc4\x60\xf7\xf7\xf4\xf0\xf9\xf1\xf2\r\n",
		"KD-7740912", NULL},
	{"file name without a semicolon",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment filename=\"KD-7740912.txt\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name behind a comma",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment, filename=\"KD-7740912.txt\"\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"file name and nothing before it",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: filename=KD-7740912.txt\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"comment before the file name",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment (KD-7740912); filename=a.txt\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"disposition of its own",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: KD-7740912\r\n\r\nx" ENDED,
		"KD-7740912", NULL},
	{"type and more",
		"Content-Type: text/plain (KD-7740912)\r\n\r\nx\r\n", "KD-7740912", NULL},
	{"yEnc",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin line=128 size=38 name=a.txt\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\n=yend size=38 crc32=6ddd7d9d\r\n",
		"KD-7740912", NULL},
	{"yEnc without a checksum",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin line=128 size=38 name=a.txt\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\n=yend size=38\r\n",
		"KD-7740912", NULL},
	{"yEnc of one part",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin part=1 total=1 line=128 size=38 name=a.txt\r\n=ypart begin=1 end=38\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\n=yend size=38 part=1 pcrc32=6ddd7d9d\r\n",
		"KD-7740912", NULL},
	{"yEnc, a part of it",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin part=1 total=2 line=128 size=76 name=a.txt\r\n=ypart begin=1 end=38\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\n=yend size=38 part=1\r\n",
		NULL, "encoding"},
	{"yEnc of another checksum",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin line=128 size=38 name=a.txt\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\n=yend size=38 crc32=00000000\r\n",
		NULL, "encoding"},
	{"yEnc without an end",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin line=128 size=38 name=a.txt\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\nof them\r\n",
		NULL, "encoding"},
	{"yEnc, its lines",
		"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhello\r\n"
		"=ybegin line=128 size=38 name=of KD-7740912\r\nm\237\235\236\231\227\217\234J\230\237\227\214\217\234JunWaa^Zc[\134J\231\220J\213\230\231\236\222\217\2344\r\n=yend size=38\r\n",
		"of KD-7740912", NULL},
	{"XML in EBCDIC",
		"Content-Type: application/xml\r\n\r\nLo\247\224\223@\245\205\231\242\211\226\225~\177\361K\360\177onL\201n\322\304`\367\367\364\360\371\361\362La\201n", "KD-7740912", NULL},
	{"empty charset", "Content-Type: text/plain; charset=\"\"\r\n\r\nof KD-7740912\r\n",
		"KD-7740912", NULL},
};

static void test_message(gconstpointer data)
{
	const Row *row = data;
	check(row->content, strlen(row->content), row);
}

/* Names and words are read whole, whatever is shown of them. */
static void test_long(void)
{
	g_autofree char *filler = g_strnfill(6000, 'x');
	const char *const forms[] = {
		"Subject: s\r\nContent-Type: text/plain; name=\"%s KD-7740912.txt\"\r\n\r\nx\r\n",
		"Subject: s\r\nContent-Disposition: attachment; filename*=UTF-8''%s%%20KD%%2D7740912.txt\r\n\r\nx\r\n",
		"Subject: =?UTF-8?Q?%s_KD=2D7740912?=\r\n\r\nx\r\n",
		"Subject: s\r\nCc: %s <kd-7740912@KD-7740912.example>\r\n\r\nx\r\n",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_auto(GStrv) around = g_strsplit(forms[i], "%s", 2);
		g_autofree char *joined = g_strconcat(around[0], filler, around[1], NULL);
		g_auto(GStrv) percent = g_strsplit(joined, "%%", -1);
		g_autofree char *message = g_strjoinv("%", percent);
		const Row row = {"long", NULL, "KD-7740912", NULL};
		check(message, strlen(message), &row);
	}
}

static void add_rows(const char *folder, const Row *rows, gsize n, void (*test)(gconstpointer))
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *name = g_strdelimit(g_strdup(rows[i].name), "/", '-');
		g_autofree char *path = g_strdup_printf("/mail/%s/%s", folder, name);
		g_test_add_data_func(path, &rows[i], test);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	ms_limits_default(&limits);
	add_rows("file", files, G_N_ELEMENTS(files), test_file);
	add_rows("message", messages, G_N_ELEMENTS(messages), test_message);
	g_test_add_func("/mail/long", test_long);
	return g_test_run();
}
