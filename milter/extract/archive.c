/*
 * Everything libarchive reads without starting another program.  In come the bytes, out go the
 * members to the reader of each; what of the archive is no member, zip.c and layout.c account for.
 * What comes out empty is suspected: an archive whose list is encrypted has no member either.
 * In the worker's only thread.
 */
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>

#include "missent/text.h"

#include "members.h"
#include "readers.h"

#define MAX_RATIO 300          /* unpacked to packed; above it something else is meant */
#define RATIO_FREE (4 << 20)   /* bytes below which the ratio does not matter */

typedef struct archive Archive;
typedef struct archive_entry Entry;

typedef struct {
	const MsExtraction *to;
	const MsDocument *document;
	bool listed; /* its folders are read already */
	guint64 unpacked;
	guint members;
	bool stopped;
	bool locked; /* a member is, whatever was tried */
} Unpack;

/* The compression of a file that holds one other file and no list; 0: none that is known. */
static int compression_of(const guint8 *data, gsize len)
{
	static const struct {
		const char *magic;
		gsize len;
		int filter;
	} rows[] = {
		{"\x1f\x8b", 2, ARCHIVE_FILTER_GZIP}, {"BZh", 3, ARCHIVE_FILTER_BZIP2},
		{"\xfd" "7zXZ", 5, ARCHIVE_FILTER_XZ}, {"\x28\xb5\x2f\xfd", 4, ARCHIVE_FILTER_ZSTD},
		{"\x1f\x9d", 2, ARCHIVE_FILTER_COMPRESS}, {"LZIP", 4, ARCHIVE_FILTER_LZIP},
		{"\x04\x22\x4d\x18", 4, ARCHIVE_FILTER_LZ4},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (len > rows[i].len && memcmp(data, rows[i].magic, rows[i].len) == 0)
			return rows[i].filter;
	return ARCHIVE_FILTER_NONE;
}

/* libarchive looks for one compression within another of its own accord, and a file that
 * unpacks to itself keeps it busy for a minute: so it is told which one, and no more. */
static Archive *open_archive(const MsDocument *document, const char *password)
{
	Archive *a = archive_read_new();
	if (password != NULL && *password != '\0')
		archive_read_add_passphrase(a, password);
	int filter = compression_of(document->data, document->len);
	if (filter == ARCHIVE_FILTER_COMPRESS)
		archive_read_support_filter_compress(a); /* 3.6.2 crashes on appending this one */
	else
		archive_read_append_filter(a, filter);
	if (filter != ARCHIVE_FILTER_NONE) {
		archive_read_support_format_raw(a);
	} else {
		archive_read_support_format_zip(a);
		archive_read_support_format_7zip(a);
		archive_read_support_format_rar(a);
		archive_read_support_format_rar5(a);
		archive_read_support_format_tar(a);
		archive_read_support_format_cab(a);
		archive_read_support_format_lha(a);
		archive_read_support_format_cpio(a);
		archive_read_support_format_ar(a);
	}
	if (archive_read_open_memory(a, document->data, document->len) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
}

void ms_archive_init(void)
{
	/* libarchive gives names in the charset of the locale, and none at all where that lacks
	 * a letter. */
	setlocale(LC_CTYPE, "C.UTF-8");
	/* Charset of member names: whatever it loads, it loads here. */
	static const guint8 empty_zip[22] = "PK\5\6";
	MsDocument document = {.data = empty_zip, .len = sizeof empty_zip};
	Archive *a = open_archive(&document, NULL);
	Entry *entry;
	if (a == NULL)
		return;
	archive_read_next_header(a, &entry);
	archive_read_free(a);
}

static void note(const Unpack *u, const char *name, MsUnreadReason reason, const char *why)
{
	g_autofree char *safe = ms_text_escape(name, -1, 80);
	g_autofree char *place = *name != '\0'
		? g_strdup_printf("%s > %s", u->document->where, safe)
		: g_strdup(u->document->where);
	ms_reading_unread(u->to->reading, place, reason, "%s", why);
}

/* What libarchive could not do, and of which kind that is; its own words stand behind ours.  Is it
 * for want of a password? */
static bool note_failure(Unpack *u, const char *name, Archive *a, bool encrypted)
{
	const char *why = archive_error_string(a);
	if (why == NULL)
		why = "no more is known";
	/* With a wrong password it comes out as anything. */
	bool locked = encrypted || strstr(why, "ncrypt") != NULL || strstr(why, "assphrase") != NULL;
	MsUnreadReason reason = locked ? MS_UNREAD_PASSWORD
		: strstr(why, "upported") != NULL ? MS_UNREAD_NO_READER : MS_UNREAD_DAMAGED;
	g_autofree char *detail = g_strdup_printf("%s (%s)",
		locked ? "it asks for a password"
		: reason == MS_UNREAD_NO_READER ? "packed in a way that nothing here unpacks"
			: "damaged, cut off, or one volume of several", why);
	note(u, name, reason, detail);
	u->locked = u->locked || locked;
	return locked;
}

/* A name that says it is UTF-8 and is not, libarchive does not give at all. */
static char *member_name(const Unpack *u, Entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry); /* "data" for a compressed file */
	if (name == NULL)
		name = archive_entry_pathname(entry);
	if (name == NULL)
		note(u, "member", MS_UNREAD_CHARSET, "its name is in no charset that is known");
	g_autoptr(GString)
		valid = ms_text_repair(name != NULL ? name : "", name != NULL ? strlen(name) : 0);
	return g_strdup(valid->len > 0 ? valid->str : "member");
}

/* The member's bytes; NULL and a note when it cannot be had whole. */
static GByteArray *unpack(Unpack *u, Archive *a, const char *name, bool encrypted)
{
	g_autoptr(GByteArray) out = ms_bytes_new();
	guint64 allowed = MIN(u->to->budget->left[MS_COST_DECODED], MS_MEMBER_MAX);
	guint8 buffer[16384];
	for (;;) {
		la_ssize_t n = archive_read_data(a, buffer, sizeof buffer);
		if (n == 0)
			return g_steal_pointer(&out);
		if (n == ARCHIVE_RETRY)
			continue;
		if (n < 0) {
			bool locked = note_failure(u, name, a, encrypted);
			/* What was unpacked until then is read as far as it goes. */
			return n == ARCHIVE_FATAL || out->len == 0 || locked
				? NULL
				: g_steal_pointer(&out);
		}
		u->unpacked += (guint64)n;
		const char *over = NULL;
		if (out->len + (gsize)n > allowed)
			over = "larger than max-decoded or 64 MiB";
		else if (u->unpacked > RATIO_FREE && u->unpacked / MAX_RATIO > u->document->len)
			over = "packed more than 300 times smaller than it is";
		else if (!ms_budget_time(u->to->budget))
			over = "the time for reading is over";
		if (over != NULL) {
			note(u, name, MS_UNREAD_LIMIT, over);
			u->stopped = true;
			return NULL;
		}
		g_byte_array_append(out, buffer, (guint)n);
	}
}

static void read_name(const Unpack *u, const char *name)
{
	g_autofree char *safe = ms_text_escape(name, -1, 80);
	g_autofree char *place = g_strdup_printf("%s > %s file name", u->document->where, safe);
	ms_extract_name(u->to, place, name);
}

/* Where a link leads to is a name like any other. */
static void read_links(const Unpack *u, Entry *entry)
{
	const char *links[] = {archive_entry_symlink(entry), archive_entry_hardlink(entry)};
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++)
		if (links[i] != NULL)
			read_name(u, links[i]);
}

typedef void (*MemberFunc)(Unpack *u, const char *name, GByteArray *bytes, void *user);

/* Gives each file to `member`.  False if the archive broke off. */
static bool each_member(Unpack *u, Archive *a, MemberFunc member, void *user)
{
	Entry *entry;
	int rc;
	while (!u->stopped && (rc = archive_read_next_header(a, &entry)) != ARCHIVE_EOF) {
		if (rc == ARCHIVE_RETRY)
			continue;
		if (rc == ARCHIVE_FATAL) {
			note_failure(u, "", a, false);
			return false;
		}
		g_autofree char *name = member_name(u, entry);
		u->members++;
		read_links(u, entry);
		bool folder = archive_entry_filetype(entry) == AE_IFDIR;
		if (folder && !u->listed)
			read_name(u, name);
		if (folder && (u->listed || archive_entry_size(entry) <= 0))
			continue;
		bool encrypted = archive_entry_is_encrypted(entry);
		if (encrypted && u->to->password == NULL) {
			u->locked = true;
			read_name(u, name);
			note(u, name, MS_UNREAD_PASSWORD, "an encrypted member");
			continue;
		}
		if (!ms_budget_charge(u->to->budget, MS_COST_PART, 1)) {
			note(u, name, MS_UNREAD_LIMIT, "more members than max-parts allows");
			return false;
		}
		/* Charged again where it is read. */
		u->to->budget->left[MS_COST_PART]++;
		g_autoptr(GByteArray) bytes = unpack(u, a, name, encrypted);
		if (bytes != NULL)
			member(u, name, bytes, user);
		else
			read_name(u, name);
	}
	return !u->stopped;
}

static void read_member(Unpack *u, const char *name, GByteArray *bytes, void *user)
{
	(void)user;
	ms_extract_within(u->to, u->document->where, name, NULL,
		bytes->data != NULL ? bytes->data : (const guint8 *)"", bytes->len);
}

static void keep_member(Unpack *u, const char *name, GByteArray *bytes, void *user)
{
	if (!ms_budget_charge(u->to->budget, MS_COST_DECODED, bytes->len)) {
		note(u, name, MS_UNREAD_LIMIT, "more than max-decoded allows");
		u->stopped = true;
		return;
	}
	MsMember *member = g_new0(MsMember, 1);
	member->name = g_strdup(name);
	member->bytes = g_byte_array_ref(bytes);
	g_ptr_array_add(user, member);
}

static void member_free(gpointer data)
{
	MsMember *member = data;
	g_free(member->name);
	g_byte_array_unref(member->bytes);
	g_free(member);
}

static void read_office(Unpack *u, Archive *a)
{
	g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func(member_free);
	each_member(u, a, keep_member, members);
	ms_office_read(u->to, u->document, members);
}

/* `body`: what of the document libarchive is to see. */
static void unpack_all(Unpack *u, const MsDocument *body, bool office)
{
	Archive *a = open_archive(body, u->to->password);
	if (a == NULL) {
		note(u, "", MS_UNREAD_DAMAGED, "an archive that cannot be opened");
		return;
	}
	if (office)
		read_office(u, a);
	else
		each_member(u, a, read_member, NULL);
	int encrypted = archive_read_has_encrypted_entries(a);
	archive_read_free(a);
	bool opened = u->to->password != NULL && !u->locked && u->members > 0;
	if (encrypted > 0 && !opened)
		note(u, "", MS_UNREAD_PASSWORD, "an archive with encrypted members");
	else if (u->members == 0 && !ms_zip_is_empty(body->data, body->len))
		note(u, "", MS_UNREAD_DAMAGED, "an archive in which nothing can be found");
}

static void read_zip(Unpack *u, MsInventory *inventory)
{
	const MsDocument *document = u->document;
	MsZip zip = {0};
	const char *wrong = ms_zip_list(document->data, document->len, &zip);
	MsDocument body = *document;
	bool office = false;
	if (zip.entries == NULL) {
		ms_inventory_bytes(inventory, MS_ITEM_STRUCTURAL, 0, document->len);
	} else {
		office = ms_zip_is_office(u->to, document, &zip);
		ms_zip_account(u->to, document, &zip, inventory);
		u->listed = true;
		body.data += zip.start;
		body.len = zip.end - zip.start + MIN(22 + zip.comment, document->len - zip.end);
		wrong = wrong != NULL ? wrong : ms_zip_disagreement(document->data, document->len);
	}
	unpack_all(u, &body, office);
	if (wrong == NULL && !u->stopped && zip.entries != NULL && u->members < zip.entries->len)
		wrong = "a ZIP file whose members cannot all be had";
	if (wrong != NULL)
		note(u, "", MS_UNREAD_AMBIGUOUS, wrong);
	ms_zip_clear(&zip);
}

void ms_archive_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	Unpack u = {.to = to, .document = document};
	/* The members are each read or noted; their bytes are told apart from what is none. */
	ms_inventory_read(inventory, ms_inventory_item(inventory, "members"));
	bool zip = document->len > 2 && memcmp(document->data, "PK", 2) == 0;
	if (zip || ms_ends_as_zip(document->data, document->len)) {
		read_zip(&u, inventory);
	} else if (ms_is_gzip(document->data, document->len)) {
		ms_gzip_read(to, document, inventory);
	} else {
		MsDocument body = *document;
		gsize end;
		if (!ms_layout_account(to, document, inventory, &end))
			ms_inventory_bytes(inventory, MS_ITEM_STRUCTURAL, 0, document->len);
		else if (end > 0 &&
			compression_of(document->data, document->len) != ARCHIVE_FILTER_NONE)
			body.len = end; /* libarchive gives up a packed file that has more behind */
		unpack_all(&u, &body, false);
	}
}
