/*
 * What programs send along beside the file that one meant to send, and none shows: what a Macintosh
 * keeps of it, the list of its folder, a certificate.  What must be found in it, or told; a row
 * without a reason is its own right twin.
 */
#include "config.h"

#include "gotten.h"

static void put(GByteArray *out, guint64 value, guint bytes)
{
	for (guint i = bytes; i-- > 0;) {
		guint8 byte = (guint8)(value >> (8 * i));
		g_byte_array_append(out, &byte, 1);
	}
}

static void put_text(GByteArray *out, const char *text)
{
	g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

/* An AppleDouble file of one entry. */
static GByteArray *apple(guint32 id, const guint8 *data, gsize len)
{
	GByteArray *out = g_byte_array_new();
	put(out, 0x00051607, 4);
	put(out, 0x00020000, 4);
	put_text(out, "Mac OS X        ");
	put(out, 1, 2);
	put(out, id, 4);
	put(out, 38, 4);
	put(out, len, 4);
	return g_byte_array_append(out, data, (guint)len);
}

static void expect_entry(
	const char *name, guint32 id, const GByteArray *data, const char *found, const char *reason)
{
	g_autoptr(GByteArray) file = apple(id, data->data, data->len);
	expect_of(name, file, found, reason);
}

static void test_entries(void)
{
	static const struct {
		const char *name;
		guint32 id;
		const char *data, *found;
	} rows[] = {
		{"data", 1, "number KD-7740912", "KD-7740912"},
		{"name", 3, "KD-7740912.pdf", "KD-7740912"},
		{"name in Mac Roman", 3, "M\x9fller KD-7740912.pdf", "M\u00fcller KD-7740912"},
		{"comment", 4, "of KD-7740912", "KD-7740912"},
		{"attribute", 9, "ATTR...kMDItemWhereFroms\1https://a.example/KD-7740912\2",
			"KD-7740912"},
		{"times", 8, "\x20\x11\xc2\x55", ""},
		{"what nobody knows", 77, "KD-7740912", "KD-7740912"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) data = g_byte_array_new();
		put_text(data, rows[i].data);
		expect_entry(rows[i].name, rows[i].id, data, rows[i].found, "");
	}
	g_autoptr(GByteArray) large = g_byte_array_new();
	g_byte_array_set_size(large, 5000);
	memset(large->data, 1, large->len);
	expect_entry("a large one that nobody knows", 77, large, "", "no-reader");
	expect_entry("resources that are none", 2, large, "", "no-reader");
	g_autoptr(GByteArray) broken = apple(1, large->data, large->len);
	g_byte_array_set_size(broken, 100);
	expect_of("breaks off", broken, "", "damaged no-reader");
	g_autoptr(GByteArray) more = apple(4, (const guint8 *)"x", 1);
	put_text(more, "behind it KD-7740912");
	expect_of("text that no entry has", more, "KD-7740912", "");
}

/* A fork of one resource, or of none. */
static GByteArray *fork_of(const char *type, const guint8 *data, gsize len)
{
	GByteArray *out = g_byte_array_new();
	gsize all = type != NULL ? len + 4 : 0;
	put(out, 256, 4);
	put(out, 256 + all, 4);
	put(out, all, 4);
	put(out, type != NULL ? 50 : 30, 4);
	put_text(out, "This resource fork intentionally left blank   ");
	gsize at = out->len;
	g_byte_array_set_size(out, 256);
	memset(out->data + at, 0, 256 - at);
	if (type != NULL) {
		put(out, len, 4);
		g_byte_array_append(out, data, (guint)len);
	}
	put(out, 0, 8);
	put(out, 0, 8);
	put(out, 0, 8);
	put(out, 28, 2);
	put(out, 30, 2);
	put(out, type != NULL ? 0 : 0xffff, 2);
	if (type != NULL) {
		put_text(out, type);
		put(out, 0, 2);
		put(out, 10, 2);
		put(out, 128, 2);
		put(out, 0xffff, 2);
		put(out, 0, 8);
	}
	return out;
}

static void test_resources(void)
{
	static const char html[] = "<html><body>KD-77<b>40912</b></body></html>";
	g_autoptr(GByteArray) none = fork_of(NULL, NULL, 0);
	expect_entry("none", 2, none, "", "");
	g_autoptr(GByteArray) text = fork_of("TEXT", (const guint8 *)"of KD-7740912", 13);
	expect_entry("text", 2, text, "KD-7740912", "");
	g_autoptr(GByteArray) page = fork_of("HTML", (const guint8 *)html, strlen(html));
	expect_entry("a document", 2, page, "KD-7740912", "");
	g_autoptr(GByteArray) large = g_byte_array_new();
	g_byte_array_set_size(large, 5000);
	memset(large->data, 1, large->len);
	g_autoptr(GByteArray) icon = fork_of("icns", large->data, large->len);
	expect_entry("an icon", 2, icon, "", "");
	g_autoptr(GByteArray) odd = fork_of("oddT", large->data, large->len);
	expect_entry("what nobody knows", 2, odd, "", "no-reader");
}

static void test_folder(void)
{
	static const char name[] =
		"\0\0\0\1Bud1\0\0\x10\0\0\0\x08\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\x0e\0K\0D\0-\0"
		"7\0"
		"7\0"
		"4\0"
		"0\0"
		"9\0"
		"1\0"
		"2\0.\0p\0d\0f\0\0";
	g_autoptr(GByteArray) file = g_byte_array_new();
	g_byte_array_append(file, (const guint8 *)name, sizeof name - 1);
	expect_of("name of another file", file, "KD-7740912.pdf", "");
}

static void test_certificate(void)
{
	static const char der[] =
		"MIIBpTCCAUugAwIBAgIUQ7OFDIZoHZBeZ7Ld3IkK/fD/xZIwCgYIKoZIzj0EAwIwJzETMBEGA1UEAwwKS0Qt"
		"Nzc0MDkxMjEQMA4GA1UECgwHTcO8bGxlcjAgFw0yNjExMjgwMTMzNTVaGA8yMTI2MTEwNDAxMzM1NVowJzET"
		"MBEGA1UEAwwKS0QtNzc0MDkxMjEQMA4GA1UECgwHTcO8bGxlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA"
		"BBtJYxMi6e15fmDsZITMpn/a4OERrZmkttoHBio3LAWYyO1jCJEjSVxU9YQShW4EtAHqLf4ZVV7iaWHbcI+d"
		"jLyjUzBRMB0GA1UdDgQWBBTfZwi6egwOF2HMluEQM3kwcKhVHjAfBgNVHSMEGDAWgBTfZwi6egwOF2HMluEQ"
		"M3kwcKhVHjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCICrj6/Wc7ogpTOYfKrO6EUGx4w0Q"
		"Ae1Q0MdJBMPATcz3AiEAnyl+7H/zcW5jtW+fYWpDLaV5XJyjM9a3Ci+xG5Znttw=";
	gsize len;
	g_autofree guchar *bytes = g_base64_decode(der, &len);
	g_autoptr(GByteArray) whole = g_byte_array_new();
	g_byte_array_append(whole, bytes, (guint)len);
	expect_of("whose it is", whole, "KD-7740912", "");
	expect_of("whose it is, in letters", whole, "M\u00fcller", "");
	put_text(whole, "behind it KD-4711");
	expect_of("text behind it", whole, "KD-4711", "");
	g_byte_array_set_size(whole, 100);
	expect_of("breaks off", whole, "", "damaged");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_extract_init();
	g_test_add_func("/beside/entries", test_entries);
	g_test_add_func("/beside/resources", test_resources);
	g_test_add_func("/beside/folder", test_folder);
	g_test_add_func("/beside/certificate", test_certificate);
	return g_test_run();
}
