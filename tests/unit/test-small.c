/*
 * The small reader: what it reads it reads as the full one does, what it does not it hands on, and
 * what takes it over spoils one message.
 */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/filter.h"
#include "missent/reader.h"

#include "../test.h"

static MsKinds *kinds;
static char *folder; /* where either reader may be one that misbehaves, or not be there */

static void link_to(const char *name, const char *program)
{
	g_autofree char *from = built_file(program), *to = g_build_filename(folder, name, NULL);
	unlink(to);
	g_assert_cmpint(symlink(from, to), ==, 0);
}

static MsReader *start(const char *small, guint64 cache)
{
	static guint number;
	g_autofree char *name = g_strdup_printf("reader%u", number++),
			*beside = g_strconcat(name, "-text", NULL);
	g_autofree char *program = g_build_filename(folder, name, NULL);
	link_to(name, "missent-reader");
	if (small != NULL)
		link_to(beside, small);
	MsReaderSettings settings = {.program = program,
		.kinds = kinds,
		.workers = 2,
		.jobs = 1,
		.wait_ms = 60000,
		.cache_bytes = cache};
	ms_limits_default(&settings.limits);
	g_autofree char *warning = NULL;
	g_autoptr(GError) error = NULL;
	MsReader *reader = ms_reader_new(&settings, &warning, &error);
	g_assert_no_error(error);
	return reader;
}

static MsReading *read_bytes(MsReader *reader, const char *data, gsize len)
{
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, data, len), ==, (gssize)len);
	g_assert_true(ms_memory_seal(fd));
	MsReading *reading = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_reader_read(reader, fd, NULL, &reading, NULL, &error));
	g_assert_no_error(error);
	close(fd);
	reading->microseconds = 0;
	return reading;
}

static guint64 read_small(MsReader *reader)
{
	MsReaderStats stats;
	ms_reader_stats(reader, &stats);
	return stats.small;
}

typedef struct {
	MsReader *both, *full;
} Pair;

/* Both say the same of it. */
static bool is_read_small(const Pair *pair, const char *name, const char *data, gsize len)
{
	guint64 before = read_small(pair->both);
	g_autoptr(MsReading) got = read_bytes(pair->both, data, len);
	g_autoptr(MsReading) want = read_bytes(pair->full, data, len);
	g_autoptr(GBytes) a = ms_reading_encode(got), b = ms_reading_encode(want);
	if (!g_bytes_equal(a, b))
		g_error("%s: the small reader says something else", name);
	return read_small(pair->both) - before == 1;
}

/* `small`: and the small one said it. */
static void compare(const Pair *pair, const char *name, const char *data, gsize len, bool small)
{
	if (is_read_small(pair, name, data, len) != small)
		g_error("%s: %s", name, small ? "it was handed on" : "it was not handed on");
}

static Pair start_pair(void)
{
	return (Pair){start("missent-reader-text", 0), start(NULL, 0)};
}

static void end_pair(Pair *pair)
{
	ms_reader_free(pair->both);
	ms_reader_free(pair->full);
}

static const char *const charsets[] = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-2",
	"iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-9", "iso-8859-15",
	"windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
	"windows-1255", "windows-1256", "windows-1257", "windows-1258", "koi8-r", "koi8-u",
	"utf-16", "utf-16le", "utf-16be", "utf-32", "utf-7", "gb18030", "gb2312", "big5", "euc-jp",
	"shift_jis", "iso-2022-jp", "euc-kr", "iso-2022-kr", "tis-620", "cp437", "cp850", "cp858",
	"ibm037", "macintosh", "unknown-8bit", "x-none"};

/* All bytes, and text, in each charset, in the body and in a header. */
static void test_charsets(void)
{
	Pair pair = start_pair();
	for (gsize i = 0; i < G_N_ELEMENTS(charsets); i++) {
		g_autoptr(GString) mail = g_string_new(NULL);
		g_string_append_printf(mail,
			"From: =?%s?Q?M=FCller?= <a@b.example>\r\nSubject: =?%s?B?SUJBTiCk2KT+5A==?=\r\n"
			"Content-Type: text/plain; charset=%s\r\n\r\nIBAN DE89 3704 0044 0532 0130 00\r\n",
			charsets[i], charsets[i], charsets[i]);
		for (int c = 1; c < 256; c++)
			g_string_append_c(mail, (char)c);
		g_string_append(mail, "\r\n\x1b$B8\\5RHV9f\x1b(B \x1b$)C\x0e!!\x0f +AGsAYw- =\r\n");
		/* Escape sequences say of any of them that it may be a rare one. */
		is_read_small(&pair, charsets[i], mail->str, mail->len);
	}
	end_pair(&pair);
}

/* Those that much mail has are read by the small one; those whose converters it has not go on. */
static void test_rare(void)
{
	static const char *const common[] = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15",
		"windows-1252", "koi8-r", "utf-16"};
	static const char *const rare[] = {"gb18030", "big5", "euc-jp", "shift_jis", "euc-kr"};
	Pair pair = start_pair();
	for (gsize i = 0; i < G_N_ELEMENTS(common) + G_N_ELEMENTS(rare); i++) {
		bool is_common = i < G_N_ELEMENTS(common);
		const char *charset = is_common ? common[i] : rare[i - G_N_ELEMENTS(common)];
		g_autofree char *mail = g_strdup_printf(
			"From: a@b.example\r\nSubject: s\r\nContent-Type: text/plain; charset=%s\r\n\r\n"
			"IBAN DE89 3704 0044 0532 0130 00 \xa4\xa2\r\n",
			charset);
		compare(&pair, charset, mail, strlen(mail), is_common);
	}
	end_pair(&pair);
}

#define HEAD "From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n"
#define MIXED \
	HEAD "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ncustomer number: 4711\r\n--x\r\n"
#define BASE64 "Content-Transfer-Encoding: base64\r\n\r\n"

static const struct {
	const char *name, *mail;
} texts[] = {
	{"plain", HEAD "\r\nIBAN DE89 3704 0044 0532 0130 00\r\n"},
	{"HTML",
		HEAD
		"Content-Type: text/html\r\n\r\n<table><tr><td>IBAN<td>DE89370400440532013000</table>"},
	{"alternative",
		HEAD
		"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nIBAN "
		"DE89370400440532013000\r\n--x\r\nContent-Type: text/html\r\n\r\n<b>IBAN DE89370400440532013000"
		"</b>\r\n--x--\r\n"},
	{"CSV",
		MIXED
		"Content-Type: text/csv; name=a.csv\r\n\r\nIBAN;DE89370400440532013000\r\n--x--\r\n"},
	{"XML",
		MIXED "Content-Type: application/xml; name=a.xml\r\n\r\n<?xml version=\"1.0\"?><a>"
		      "DE89370400440532013000</a>\r\n--x--\r\n"},
	{"JSON",
		MIXED "Content-Type: application/json; name=a.json\r\n\r\n{\"iban\": "
		      "\"DE89370400440532013000\"}\r\n--x--\r\n"},
	{"SVG",
		MIXED
		"Content-Type: image/svg+xml; name=a.svg\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\">"
		"<text>DE89370400440532013000</text></svg>\r\n--x--\r\n"},
	{"vCard",
		MIXED
		"Content-Type: text/vcard; name=a.vcf\r\n\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\n"
		"END:VCARD\r\n--x--\r\n"},
	{"RTF",
		MIXED
		"Content-Type: application/rtf; name=a.rtf\r\n\r\n{\\rtf1 DE89370400440532013000}\r\n--x--\r\n"},
	{"a picture",
		MIXED "Content-Type: image/gif; name=a.gif\r\n" BASE64
		      "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQB"
		      "ADs=\r\n--x--\r\n"},
	{"a mail",
		MIXED "Content-Type: message/rfc822\r\n\r\n" HEAD
		      "\r\nIBAN DE89370400440532013000\r\n--x--\r\n"},
	{"of no known form",
		MIXED "Content-Type: application/octet-stream\r\n" BASE64
		      "AAECAwQFBgcICQ==\r\n--x--\r\n"},
	{"uuencode", HEAD "\r\nbegin 644 a.txt\r\n#24)!\r\n`\r\nend\r\n"},
};

static const struct {
	const char *name, *mail;
} documents[] = {
	{"PDF",
		MIXED
		"Content-Type: application/pdf\r\n\r\n%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
		"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 "
		"99]>>endobj\ntrailer<</Root 1 0 R>>\r\n--x--\r\n"},
	{"PDF that says it is text",
		HEAD
		"Content-Type: text/plain\r\n\r\n%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>"
		"endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\r\n"},
	{"ZIP",
		MIXED
		"Content-Type: application/octet-stream\r\n" BASE64
		"UEsDBAoAAAAAAAAAIQCsKpPYAgAAAAIAAAABAAAAYWhpUEsBAhQACgAAAAAAAAAhAKwqk9gCAAAAAgAA\r\n"
		"AAEAAAAAAAAAAAAAAAAAAAAAAGFQSwUGAAAAAAEAAQAvAAAAIQAAAAAA\r\n--x--\r\n"},
	{"OLE",
		MIXED "Content-Type: application/msword; name=a.doc\r\n" BASE64
		      "0M8R4KGxGuEAAAAAAAAAAAAAAAAAAAAA\r\n--x--\r\n"},
	{"S/MIME",
		HEAD "Content-Type: application/pkcs7-mime\r\n" BASE64
		     "MIIBAgYJKoZIhvcNAQcCoIIBAAAAAAAAAAAA\r\n"},
	{"in a mail in a mail",
		MIXED "Content-Type: message/rfc822\r\n\r\n" HEAD
		      "Content-Type: application/pdf\r\n\r\n"
		      "%PDF-1.4\n\r\n--x--\r\n"},
	{"in a data: URI",
		HEAD
		"Content-Type: text/html\r\n\r\n<a href=\"data:application/pdf;base64,"
		"JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZz4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4=\">a</a>"},
};

static void test_texts(void)
{
	Pair pair = start_pair();
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		compare(&pair, texts[i].name, texts[i].mail, strlen(texts[i].mail), true);
	end_pair(&pair);
}

/* Each in a client of its own: after some it would not try the small one with mail without a
 * shape. */
static void test_documents(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
		Pair pair = start_pair();
		compare(&pair, documents[i].name, documents[i].mail, strlen(documents[i].mail),
			false);
		end_pair(&pair);
	}
}

/* When nearly all of such mail has documents, only now and then one is tried; and again when it
 * has not. */
static void test_learns(void)
{
	g_autoptr(MsReader) reader = start("missent-reader-text", 0);
	for (int i = 0; i < 12; i++)
		ms_reading_free(read_bytes(reader, documents[0].mail, strlen(documents[0].mail)));
	g_assert_cmpuint(read_small(reader), ==, 0);
	for (int i = 0; i < 200; i++)
		ms_reading_free(read_bytes(reader, texts[0].mail, strlen(texts[0].mail)));
	g_assert_cmpuint(read_small(reader), >, 40);
	g_assert_cmpuint(read_small(reader), <, 200);
}

/* An attachment that comes again is known, and the full reader not asked for it. */
static void test_cache(void)
{
	g_autoptr(MsReader) reader = start("missent-reader-text", 1 << 20);
	g_autofree char *padding = g_strnfill(8192, ' ');
	g_autofree char *mail = g_strdup_printf(MIXED
		"Content-Type: application/pdf; name=a.pdf\r\n\r\n%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>"
		"endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 "
		"99 99]>>endobj\n%s\ntrailer<</Root 1 0 R>>\r\n--x--\r\n",
		padding);
	g_autoptr(MsReading) first = read_bytes(reader, mail, strlen(mail));
	MsReaderStats stats;
	ms_reader_stats(reader, &stats);
	g_assert_cmpuint(stats.small, ==, 0);
	g_assert_cmpuint(stats.cache_bytes, ==, 0); /* both readers asked: for one message */
	/* A reading is made for keeping where a worker is at leisure at once. */
	for (int i = 0; i < 200 && stats.cache_hits == 0; i++) {
		ms_reading_free(read_bytes(reader, mail, strlen(mail)));
		ms_reader_stats(reader, &stats);
	}
	g_assert_cmpuint(stats.cache_hits, >, 0);
	guint64 before = stats.small;
	g_autoptr(MsReading) last = read_bytes(reader, mail, strlen(mail));
	g_assert_cmpuint(read_small(reader), ==, before + 1);
	g_autoptr(GBytes) a = ms_reading_encode(first), b = ms_reading_encode(last);
	g_assert_true(g_bytes_equal(a, b));
}

static guint filters_in_memory(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename("/proc/self/fd", name, NULL);
		g_autofree char *file = g_file_read_link(path, NULL);
		struct stat st;
		if (file != NULL && g_str_has_prefix(file, "/memfd:missent-filter") &&
			stat(path, &st) == 0)
			g_hash_table_add(seen, GSIZE_TO_POINTER(st.st_ino));
	}
	return g_hash_table_size(seen);
}

/* Both readers have it, and there is one copy; what was there before is let go. */
static void test_filter(void)
{
	static const guint8 key[MS_FILTER_KEY_BYTES] = "fifteen letters";
	g_autoptr(MsReader) reader = start("missent-reader-text", 0);
	g_autoptr(GBytes) image = ms_filter_build(key, NULL, 0);
	for (guint64 number = 1; number < 9; number += 3) {
		g_assert_true(ms_reader_know(reader, image, number, NULL));
		g_assert_cmpuint(ms_reader_known(reader), ==, number);
		g_assert_cmpuint(filters_in_memory(), ==, 1);
		for (guint64 more = 1; more < 3; more++) {
			g_assert_true(ms_reader_know_also(reader, image, number + more, NULL));
			g_assert_cmpuint(ms_reader_known(reader), ==, number + more);
			g_assert_cmpuint(filters_in_memory(), ==, 2);
		}
	}
}

static char *quoted(const GByteArray *bytes)
{
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < bytes->len; i++)
		g_string_append_printf(out, "=%02X%s", bytes->data[i], i % 20 == 19 ? "=\r\n" : "");
	return g_string_free(out, FALSE);
}

/* A PNG whose one block of data nobody could unpack. */
static char *picture_mail(guint8 filler, bool base64)
{
	static const guint8 begin[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x10\0\0\0\x10\x08\0\0\0\0";
	GByteArray *png = g_byte_array_new();
	g_byte_array_append(png, begin, sizeof begin - 1);
	g_byte_array_append(png, (const guint8 *)"\0\0\0\0\0\0\x20\0IDAT", 12);
	for (guint i = 0; i < 8192; i++)
		g_byte_array_append(png, &filler, 1);
	g_byte_array_append(png, (const guint8 *)"\0\0\0\0\0\0\0\0IEND\0\0\0\0", 16);
	g_autofree char *text = base64 ? g_base64_encode(png->data, png->len) : quoted(png);
	g_byte_array_free(png, TRUE);
	return g_strdup_printf(MIXED "Content-Type: image/png; name=a.png\r\n"
		"Content-Transfer-Encoding: %s\r\n\r\n%s\r\n--x--\r\n",
		base64 ? "base64" : "quoted-printable", text);
}

/* A picture that comes again is not looked up, for that takes longer than reading its blocks.
 * Where that is not seen beforehand it is in the cache although it is unread: who would read it the
 * next time?  What may be read the next time is not, and is not tried with each message. */
static void test_pictures(void)
{
	g_autoptr(MsReader) reader = start("missent-reader-text", 1 << 20);
	g_autofree char *plain = picture_mail(7, true), *mail = picture_mail(7, false);
	MsReaderStats before;
	for (int i = 0; i < 3; i++)
		ms_reading_free(read_bytes(reader, plain, strlen(plain)));
	ms_reader_stats(reader, &before);
	g_assert_cmpuint(before.cache_asked, ==, 0);
	g_autoptr(MsReading) first = read_bytes(reader, mail, strlen(mail));
	g_autoptr(GBytes) a = ms_reading_encode(first);
	g_assert_cmpuint(first->unread->len, ==, 1);
	g_assert_cmpint(((MsUnread *)first->unread->pdata[0])->reason, ==, MS_UNREAD_IMAGE);
	MsReaderStats stats = {0};
	for (int i = 0; i < 200 && stats.cache_hits == 0; i++) {
		g_autoptr(MsReading) again = read_bytes(reader, mail, strlen(mail));
		g_autoptr(GBytes) b = ms_reading_encode(again);
		g_assert_true(g_bytes_equal(a, b));
		ms_reader_stats(reader, &stats);
	}
	g_assert_cmpuint(stats.cache_hits, >, 0);
}

#define GOOD HEAD "\r\nIBAN DE89 3704 0044 0532 0130 00\r\n"

static void expect_good(MsReader *reader)
{
	g_autoptr(MsReading) r = read_bytes(reader, GOOD, strlen(GOOD));
	g_assert_cmpuint(r->unread->len, ==, 0);
	g_assert_cmpuint(r->findings->len, >=, 1);
}

static void test_hostile(void)
{
	static const char *const acts[] = {
		"crash", "stack", "socket", "lie", "boast", "half", "file", "signal"};
	g_autoptr(MsReader) reader = start("tests/tools/misbehaving-reader", 0);
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		g_autofree char *mail = g_strdup_printf(HEAD "\r\nMISBEHAVE %s\r\n", acts[i]);
		g_autoptr(MsReading) r = read_bytes(reader, mail, strlen(mail));
		g_assert_cmpuint(r->unread->len, ==, 1);
		g_assert_cmpint(((MsUnread *)r->unread->pdata[0])->reason, ==, MS_UNREAD_WORKER);
		expect_good(reader);
	}
}

/* A small reader that is not to be had costs time and no mail. */
static void test_gone(void)
{
	g_autoptr(MsReader) reader = start("missent-reader-text", 0);
	expect_good(reader);
	g_autofree char *children = NULL,
			*path = g_strdup_printf("/proc/%d/task/%d/children", getpid(), getpid());
	g_assert_true(g_file_get_contents(path, &children, NULL, NULL));
	g_auto(GStrv) pids = g_strsplit(g_strstrip(children), " ", -1);
	for (char **pid = pids; *pid != NULL; pid++)
		kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), SIGKILL);
	for (int i = 0; i < 5; i++)
		expect_good(reader);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *file = source_file("policies/kinds.conf"), *text = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
	kinds = ms_kinds_parse("kinds.conf", text, &error);
	g_assert_no_error(error);
	folder = g_dir_make_tmp("missent-small-XXXXXX", NULL);
	g_test_add_func("/small/charsets", test_charsets);
	g_test_add_func("/small/rare", test_rare);
	g_test_add_func("/small/texts", test_texts);
	g_test_add_func("/small/documents", test_documents);
	g_test_add_func("/small/learns", test_learns);
	g_test_add_func("/small/cache", test_cache);
	g_test_add_func("/small/filter", test_filter);
	g_test_add_func("/small/pictures", test_pictures);
	g_test_add_func("/small/hostile", test_hostile);
	g_test_add_func("/small/gone", test_gone);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
