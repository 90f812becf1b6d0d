/*
 * Archives have more in them than members: comments, names of folders, what lies between.  Each of
 * these is planted here in an archive that is right without it.
 */
#include "config.h"

#include "documents.h"
#include "gotten.h"

static GByteArray *good(void)
{
	return ZIP({"a.txt", "Member-1", -1}, {"b.txt", "Member-2", -1});
}

static GByteArray *behind(GByteArray *bytes, const void *data, gsize len)
{
	return g_byte_array_append(bytes, data, (guint)len);
}
#define BEHIND(bytes, literal) behind(bytes, literal, sizeof(literal) - 1)

static GByteArray *before(const char *text, GByteArray *bytes)
{
	return g_byte_array_prepend(bytes, (const guint8 *)text, (guint)strlen(text));
}

static guint8 *find(GByteArray *bytes, const char *magic)
{
	guint8 *at = memmem(bytes->data, bytes->len, magic, 4);
	g_assert_nonnull(at);
	return at;
}

/* Puts `text` into the file at `at`. */
static void insert(GByteArray *bytes, gsize at, const char *text, gsize n)
{
	gsize tail = bytes->len - at;
	g_byte_array_set_size(bytes, (guint)(bytes->len + n));
	memmove(bytes->data + at + n, bytes->data + at, tail);
	memcpy(bytes->data + at, text, n);
}

static void put32(guint8 *p, gsize value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (guint8)(value >> 8 * i);
}

static gsize get32(const guint8 *p)
{
	return p[0] | (gsize)p[1] << 8 | (gsize)p[2] << 16 | (gsize)p[3] << 24;
}

/* Puts `text` behind the name in the first entry of the directory, as its extra field or comment,
 * whose length stands at `field`. */
static GByteArray *with_entry_text(guint field, const char *text, gsize n)
{
	GByteArray *bytes = good();
	gsize at = (gsize)(find(bytes, "PK\1\2") - bytes->data);
	guint8 *entry = bytes->data + at;
	gsize own = entry[28] + (gsize)entry[30];
	entry[field] = (guint8)(entry[field] + n);
	insert(bytes, at + 46 + own, text, n);
	guint8 *end = find(bytes, "PK\5\6");
	put32(end + 12, get32(end + 12) + n);
	return bytes;
}

static GByteArray *with_comment(const char *text)
{
	GByteArray *bytes = good();
	find(bytes, "PK\5\6")[20] = (guint8)strlen(text);
	return behind(bytes, text, strlen(text));
}

/* Bytes between the first member and the second. */
static GByteArray *with_middle(const char *text)
{
	GByteArray *bytes = good();
	guint8 *second = memmem(bytes->data + 4, bytes->len - 4, "PK\3\4", 4);
	gsize at = (gsize)(second - bytes->data), n = strlen(text);
	insert(bytes, at, text, strlen(text));
	guint8 *entry = find(bytes, "PK\1\2");
	guint8 *next = memmem(
		entry + 4, (gsize)(bytes->data + bytes->len - entry - 4), "PK\1\2", 4);
	put32(next + 42, at + n);
	guint8 *end = find(bytes, "PK\5\6");
	put32(end + 16, get32(end + 16) + n);
	return bytes;
}

/* Members that do not say that checksum and sizes stand behind them; these sizes of the first, or
 * its own. */
static GByteArray *with_silent_sizes(guint size)
{
	GByteArray *bytes = good();
	static const struct {
		const char *magic;
		guint flags;
	} headers[] = {{"PK\3\4", 6}, {"PK\1\2", 8}};
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++)
		for (guint8 *p = bytes->data, *end = p + bytes->len;
			(p = memmem(p, (gsize)(end - p), headers[i].magic, 4)) != NULL; p += 4)
			p[headers[i].flags] &= (guint8)~8;
	guint8 *behind = find(bytes, "PK\7\10");
	put32(behind + 8, size > 0 ? size : get32(behind + 8));
	return bytes;
}

/* A member whose name has these two bytes in it, in UTF-8 (general purpose bit 11) or not. */
static GByteArray *with_name(const char *two, bool utf8)
{
	GByteArray *bytes = ZIP({"M--ller Plant-1.txt", "Member-1", -1});
	static const struct {
		const char *magic;
		guint flags, name;
	} headers[] = {{"PK\3\4", 6, 30}, {"PK\1\2", 8, 46}};
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
		guint8 *at = find(bytes, headers[i].magic);
		memcpy(at + headers[i].name + 1, two, 2);
		at[headers[i].flags + 1] = (guint8)((at[headers[i].flags + 1] & ~8) |
			(utf8 ? 8 : 0));
	}
	return bytes;
}

/* Whatever letters are in it, a name is read whole. */
static void test_names(void)
{
	expect("ASCII", with_name("ue", false), "Member-1|Mueller Plant-1", "");
	expect("UTF-8", with_name("\xc3\xbc", true), "Member-1|M\xc3\xbcller Plant-1", "");
	expect("UTF-8 that does not say so", with_name("\xc3\xbc", false), "Member-1|ller Plant-1",
		"");
	expect("bytes that are no UTF-8", with_name("\x81\x82", false), "Member-1|ller Plant-1",
		"");
	expect("... and say that they are", with_name("\x81\x82", true), "Member-1", "charset");
}

static void test_zip(void)
{
	expect("ZIP", good(), "Member-1|Member-2", "");
	expect("comment", with_comment("Plant-1"), "Member-1|Plant-1", "");
	expect("comment of a member", with_entry_text(32, "Plant-1", 7), "Member-1|Plant-1", "");
	expect("extra field", with_entry_text(30, "zz\3\0abc", 7), "Member-1", "");
	expect("text in front", before("Plant-1\n", good()), "Member-1|Plant-1", "");
	expect("text behind", BEHIND(good(), "\nPlant-1\n"), "Member-1|Plant-1", "");
	expect("text between", with_middle("Plant-1\n"), "Member-1|Member-2|Plant-1", "");
	expect("sizes behind members that do not say so", with_silent_sizes(0), "Member-1|Member-2",
		"");
	expect("sizes of another member", with_silent_sizes(99), "Member-1|Member-2",
		"damaged ambiguous");
	expect("zeros behind", BEHIND(good(), "\0\0\0\0"), "Member-1", "");
	expect("bytes behind", BEHIND(good(), "\1\2\3\4\5\6\7"), "Member-1", "no-reader");
	g_autoptr(GByteArray) second = ZIP({"c.txt", "Plant-1", -1});
	GByteArray *two = behind(good(), second->data, second->len);
	expect("two archives", two, "Member-1|Plant-1", "ambiguous");
	expect("an archive in front of a PDF", behind(good(), "\n", 1), "Member-1", "");
}

/* Members that say they are packed in this way. */
static GByteArray *with_method(guint8 method)
{
	GByteArray *bytes = ZIP({"a.txt", "Member-1", -1});
	find(bytes, "PK\3\4")[8] = method;
	find(bytes, "PK\1\2")[10] = method;
	return bytes;
}

/* The first thing that is unread of `bytes`, which are taken. */
static void expect_words(const char *name, GByteArray *bytes, const char *reason, const char *words)
{
	g_autoptr(GByteArray) taken = bytes;
	Got got = read_document(taken);
	g_assert_cmpuint(got.reading->unread->len, >, 0);
	const MsUnread *first = got.reading->unread->pdata[0];
	const char *got_reason = ms_unread_name(first->reason);
	if (strcmp(got_reason, reason) != 0 || strstr(first->detail, words) == NULL)
		g_error("%s: got %s: \"%s\", want %s: \"%s\"", name, got_reason, first->detail,
			reason, words);
	got_free(&got);
}

/* Whoever decides on it is told what is the matter, not what a library calls it. */
static void test_failures(void)
{
	static const char unknown[] = "nothing here unpacks";
	expect_words("a way of packing of others", with_method(9), "no-reader", unknown);
	expect_words("one that nobody has", with_method(77), "no-reader", unknown);
	static const Member text[] = {{"a.txt", "Member-1", -1}};
	GByteArray *cut = make_archive("7zip", NULL, NULL, text, 1);
	g_byte_array_set_size(cut, cut->len - 40);
	expect_words("cut off", cut, "damaged", "cut off, or one volume of several");
	GByteArray *tar = make_archive("ustar", NULL, NULL, text, 1);
	g_byte_array_set_size(tar, 515);
	expect_words("cut off in a member", tar, "damaged", "cut off");
}

static GByteArray *folder(const char *name, const char *content)
{
	GByteArray *bytes = ZIP({name, content, -1});
	return bytes;
}

static void test_folders(void)
{
	expect("name of an empty folder", folder("Plant-1/", ""), "Plant-1", "");
	expect("file of that name", folder("Plant-1.txt", "x"), "Plant-1", "");
}

/* ---- tar -------------------------------------------------------------------------------- */

static void tar_header(GByteArray *out, const char *name, char type, const char *link, gsize size)
{
	char block[512] = "";
	g_strlcpy(block, name, 100);
	memcpy(block + 100, "0000644\0" "0000000\0" "0000000\0", 24);
	g_snprintf(block + 124, 12, "%011" G_GSIZE_MODIFIER "o", size);
	memcpy(block + 136, "14000000000", 11);
	block[156] = type;
	g_strlcpy(block + 157, link, 100);
	memcpy(block + 257, "ustar\0" "00", 8);
	guint sum = 8 * ' ';
	for (int i = 0; i < 512; i++)
		sum += (guint8)block[i];
	g_snprintf(block + 148, 8, "%06o", sum);
	g_byte_array_append(out, (guint8 *)block, 512);
}

static GByteArray *tar(
	GByteArray *out, const char *name, char type, const char *link, const char *content)
{
	static const guint8 zeros[512];
	gsize n = strlen(content);
	tar_header(out, name, type, link, n);
	g_byte_array_append(out, (const guint8 *)content, (guint)n);
	return g_byte_array_append(out, zeros, (guint)((512 - n % 512) % 512));
}

static GByteArray *tar_end(GByteArray *out)
{
	static const guint8 zeros[1024];
	return g_byte_array_append(out, zeros, sizeof zeros);
}

static void test_tar(void)
{
	expect("tar", tar_end(tar(g_byte_array_new(), "a.txt", '0', "", "Member-1")), "Member-1",
		"");
	expect("name of a folder", tar_end(tar(g_byte_array_new(), "Plant-1/", '5', "", "")),
		"Plant-1", "");
	expect("target of a link",
		tar_end(tar(tar(g_byte_array_new(), "a", '0', "", "x"), "b", '2', "Plant-1", "")),
		"Plant-1", "");
	expect("target of a hard link",
		tar_end(tar(tar(g_byte_array_new(), "a", '0', "", "x"), "b", '1', "Plant-1", "")),
		"Plant-1", "");
	expect("a header of pax",
		tar_end(tar(tar(g_byte_array_new(), "p", 'x', "", "19 comment=Plant-1\n"), "a", '0',
			"", "Member-1")),
		"Member-1|Plant-1", "");
	expect("behind the end",
		tar(tar_end(tar(g_byte_array_new(), "a", '0', "", "Member-1")), "c", '0', "",
			"Plant-1"),
		"Member-1|Plant-1", "");
	expect("text behind the end",
		BEHIND(tar_end(tar(g_byte_array_new(), "a", '0', "", "Member-1")), "Plant-1\n"),
		"Member-1|Plant-1", "");
}

/* ---- one packed file --------------------------------------------------------------------- */

static GByteArray *packed(const char *filter, const char *content)
{
	return make_archive("raw", filter, NULL, (const Member[]){{"a", content, -1}}, 1);
}

static void test_packed(void)
{
	static const struct {
		const char *filter, *unread;
	} rows[] = {{"gzip", ""}, {"zstd", ""}, {"lz4", ""}, {"xz", ""}, {"bzip2", "ambiguous"},
		{"lzip", "ambiguous"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("%s with text behind", rows[i].filter);
		expect(rows[i].filter, packed(rows[i].filter, "Member-1"), "Member-1", "");
		expect(name, BEHIND(packed(rows[i].filter, "Member-1"), "Plant-1 is a text\n"),
			*rows[i].unread == '\0' ? "Member-1|Plant-1" : "Member-1", rows[i].unread);
	}
	g_autoptr(GByteArray) second = packed("gzip", "Plant-1");
	expect("two members", behind(packed("gzip", "Member-1\n"), second->data, second->len),
		"Member-1\nPlant-1", "");
	GByteArray *named = packed("gzip", "Member-1");
	named->data[3] = 8 | 16;
	insert(named, 10, "Plant-1.txt", 11);
	g_byte_array_set_size(named, named->len + 1);
	memmove(named->data + 22, named->data + 21, named->len - 22);
	named->data[21] = 0;
	insert(named, 22, "Plant-2", 7);
	g_byte_array_set_size(named, named->len + 1);
	memmove(named->data + 30, named->data + 29, named->len - 30);
	named->data[29] = 0;
	expect("name and comment", named, "Member-1|Plant-1|Plant-2", "");
}

static void test_others(void)
{
	static const Member text[] = {{"a.txt", "Member-1", -1}};
	static const char *const formats[] = {"7zip", "cpio", "newc", "arbsd"};
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_test_message("%s", formats[i]);
		expect(formats[i],
			BEHIND(make_archive(formats[i], NULL, NULL, text, 1),
				"Plant-1 is a text\n"),
			"Member-1|Plant-1", "");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	g_test_add_func("/archive/zip", test_zip);
	g_test_add_func("/archive/names", test_names);
	g_test_add_func("/archive/failures", test_failures);
	g_test_add_func("/archive/folders", test_folders);
	g_test_add_func("/archive/tar", test_tar);
	g_test_add_func("/archive/packed", test_packed);
	g_test_add_func("/archive/others", test_others);
	return g_test_run();
}
