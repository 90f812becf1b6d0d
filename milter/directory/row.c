/*
 * What one row of the mapping is stored as: the entry of its own name; those of other forms of the
 * same thing (a SIRET has the SIREN in it); and marks, by which readers know it in a text.  Any
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/audit.h"
#include "missent/domain.h"
#include "missent/greeting.h"
#include "missent/identifier.h"
#include "missent/text.h"

#include "directory_private.h"

const char *const ms_rows_beside_kinds[] = {
	MS_ROW_RECIPIENT, MS_ROW_RECEIVES_FOR, MS_ROW_GREETED_AS, NULL};

static MsRowStored *row_alloc(void)
{
	MsRowStored *row = g_new0(MsRowStored, 1);
	row->others = g_ptr_array_new_with_free_func(g_free);
	row->marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	return row;
}

void ms_row_free(MsRowStored *row)
{
	if (row == NULL)
		return;
	g_free(row->name);
	g_free(row->account);
	g_ptr_array_unref(row->others);
	g_array_unref(row->marks);
	g_free(row);
}

static void add_mark(
	const MsDirectory *directory, MsRowStored *row, const MsKind *kind, const char *compact)
{
	guint8 key[MS_FILTER_KEY_BYTES];
	MsMark mark;
	ms_directory_filter_key(directory, key);
	if (kind->known && ms_mark_make(key, kind->name, compact, strlen(compact), &mark))
		g_array_append_val(row->marks, mark);
}

static void add_forms(const MsDirectory *directory, MsRowStored *row, const MsKind *kind,
	const char *canonical, const char *text, gsize len)
{
	g_autoptr(GPtrArray) forms = ms_kind_stored_forms(kind, canonical, text, len);
	for (guint i = 0; i < forms->len; i++) {
		const MsOtherForm *form = forms->pdata[i];
		if (form->key != NULL)
			g_ptr_array_add(row->others, ms_keys_make('a', MS_OTHER_FORM, form->key));
		if (form->compact != NULL)
			add_mark(directory, row, kind, form->compact);
	}
	/* An e-mail address and a postal one never stand in a compact text as they are. */
	if (kind->form != MS_FORM_EMAIL && kind->form != MS_FORM_ADDRESS) {
		g_autofree char *compact = ms_compact_of(canonical, strlen(canonical));
		add_mark(directory, row, kind, compact);
	}
}

static const MsKind *kind_of_email(MsKinds *kinds)
{
	for (guint i = 0; i < ms_kinds_count(kinds); i++)
		if (ms_kinds_nth(kinds, i)->form == MS_FORM_EMAIL)
			return ms_kinds_nth(kinds, i);
	return NULL;
}

/* ---- addresses ------------------------------------------------------------------------ */

#define NO_ADDRESS "it is not an e-mail address or @domain"

/*
 * What no message can ever be sent to, or come from, would be an entry that nobody meets: its
 * account's mail is held, and the mapping looks whole.  A domain that a host took from a message is
 * not looked at so (kind.h): it is as it is.
 */
static const char *why_no_domain(const char *domain)
{
	if (*domain == '[') /* an IP address */
		return NULL;
	if (*domain == '*' || *domain == '.')
		return "subdomains are domains of their own: name each (@mail.acme.example)";
	g_auto(GStrv) labels = g_strsplit(domain, ".", -1);
	for (char **label = labels; *label != NULL; label++) {
		gsize n = 0;
		while (g_ascii_isalnum((*label)[n]) || (*label)[n] == '-' || (*label)[n] == '_')
			n++;
		if (n == 0 || (*label)[n] != '\0')
			return "there is no such domain as the one after its @";
	}
	return NULL;
}

static const char *why_no_local(const char *address, const char *at)
{
	gsize n = (gsize)(at - address);
	if (n == 0)
		return NULL;
	if (memchr(address, '*', n) != NULL || (n == 1 && strchr("%?", *address) != NULL))
		return "nothing stands for any text in it: an address, or @domain for all of one";
	if (g_str_has_prefix(address, "mailto:"))
		return "write the address alone, without mailto:";
	for (const char *p = address; p < at; p++)
		if (strchr("@:,;()[]\"\\", *p) != NULL)
			return NO_ADDRESS;
	return NULL;
}

static const char *why_no_address(const char *canonical)
{
	const char *at = strrchr(canonical, '@');
	const char *why = why_no_local(canonical, at);
	return why != NULL ? why : why_no_domain(at + 1);
}

const char *ms_recipient_problem(const char *address)
{
	g_autoptr(GPtrArray) readings = ms_address_readings(address);
	const char *why = NULL;
	for (guint i = 0; i < readings->len; i++) {
		const char *reading = readings->pdata[i];
		why = *reading != '\0' ? why_no_address(reading)
				       : "it is not an e-mail address";
		if (why == NULL)
			break;
	}
	return why;
}

/* House recipients may receive anything. */
static const char *why_no_house(
	const MsDirectory *directory, const char *account, const char *canonical)
{
	bool house = directory->house != NULL && strcmp(account, directory->house) == 0;
	bool anybodys = *canonical == '@' &&
		(ms_domain_is_provider(canonical + 1) || ms_domain_is_suffix(canonical + 1));
	return house && anybodys
		? "everybody there would be of your own company, and may receive anything: name addresses"
		: NULL;
}

static char *recipient_name(
	MsDirectory *directory, MsRowStored *row, const char *value, gsize len, const char **why)
{
	g_autofree char *address = ms_address_canonical(value, len);
	const MsKind *email = kind_of_email(directory->kinds);
	*why = address != NULL ? why_no_address(address) : NO_ADDRESS;
	if (*why == NULL)
		*why = why_no_house(directory, row->account, address);
	if (*why != NULL)
		return NULL;
	if (email != NULL && address[0] != '@')
		add_forms(directory, row, email, address, value, len);
	return ms_keys_make('r', MS_ROW_RECIPIENT, address);
}

/* With what is asked for: that the account has names, and each word of this one. */
static char *name_of_person(MsRowStored *row, const char *value, gsize len)
{
	g_autofree char *name = ms_name_canonical(value, len);
	if (name == NULL)
		return NULL;
	g_auto(GStrv) words = g_strsplit(name, " ", -1);
	g_ptr_array_add(row->others, ms_keys_named_account(row->account, NULL));
	for (char **word = words; *word != NULL; word++)
		if (!g_strv_contains((const char *const *)word + 1, *word))
			g_ptr_array_add(row->others, ms_keys_named_account(row->account, *word));
	return ms_keys_make('i', MS_ROW_GREETED_AS, name);
}

/* The name of the row's own entry, after all checks. */
static char *own_name(MsDirectory *directory, MsRowStored *row, const char *kind, const char *value,
	gsize len, const char **why)
{
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0)
		return recipient_name(directory, row, value, len, why);
	if (strcmp(kind, MS_ROW_RECEIVES_FOR) == 0) {
		g_autofree char *principal = ms_keys_bare(value);
		*why = ms_account_problem(principal);
		return *why == NULL ? ms_keys_of_account(principal) : NULL;
	}
	if (strcmp(kind, MS_ROW_GREETED_AS) == 0) {
		*why = "there is no name in it";
		return name_of_person(row, value, len);
	}
	const MsKind *known = ms_kinds_find(directory->kinds, kind);
	*why = "the kind is not in kinds.conf";
	if (known == NULL)
		return NULL;
	g_autofree char *canonical = ms_kind_canonical(known, value, len, why);
	if (canonical == NULL)
		return NULL;
	if (known->form == MS_FORM_EMAIL && (*why = why_no_address(canonical)) != NULL)
		return NULL;
	add_forms(directory, row, known, canonical, value, len);
	return ms_keys_make('i', kind, canonical);
}

MsRowStored *ms_row_new(MsDirectory *directory, const char *account, const char *kind,
	const char *value, gsize len, const char **why_out)
{
	g_autoptr(MsRowStored) row = row_alloc();
	row->account = ms_keys_bare(account); /* as an import has it, wherever it comes from */
	*why_out = ms_account_problem(row->account);
	if (*why_out == NULL && !g_utf8_validate_len(value, len, NULL))
		*why_out = "it is not UTF-8";
	if (*why_out == NULL && g_strstr_len(value, (gssize)len, "***") != NULL)
		*why_out = "it is masked, and not the value: with *** it would be the few letters beside them";
	if (*why_out != NULL)
		return NULL;
	row->name = own_name(directory, row, kind, value, len, why_out);
	if (row->name == NULL)
		return NULL;
	return g_steal_pointer(&row);
}

static void print_digest(const MsKeys *keys, const char *name, GString *out)
{
	guint8 digest[MS_ENTRY_DIGEST];
	ms_keys_digest(keys, name, digest);
	g_autofree char *hex = ms_hex(digest, sizeof digest);
	g_string_append_printf(out, "%s %s", hex, name);
}

char *ms_directory_key(MsDirectory *directory, const char *kind, const char *value, gsize len,
	bool all, const char **why_out)
{
	g_autoptr(MsRowStored) row = ms_row_new(directory, "-", kind, value, len, why_out);
	if (row == NULL)
		return NULL;
	GString *out = g_string_new(NULL);
	print_digest(&directory->keys, row->name, out);
	for (guint i = 0; all && i < row->others->len; i++) {
		g_string_append_c(out, '\n');
		print_digest(&directory->keys, row->others->pdata[i], out);
	}
	for (guint i = 0; all && i < row->marks->len; i++) {
		g_autofree char *hex =
			ms_hex(g_array_index(row->marks, MsMark, i).bytes, sizeof(MsMark));
		g_string_append_printf(out, "\nmark %s", hex);
	}
	return g_string_free(out, FALSE);
}

/* ---- records -------------------------------------------------------------------------- */

static void add_entry(const MsKeys *keys, const MsRowStored *row, const char *name,
	const guint8 *ref, GArray *entries, GByteArray *room)
{
	MsEntry entry = {.account = ms_keys_are_account(name), .said = room->len};
	ms_keys_digest(keys, name, entry.digest);
	const MsSaid said = {row->account, strlen(row->account), ref, name, strlen(name)};
	ms_said_write(room, keys, &said);
	entry.said_len = room->len - entry.said;
	g_array_append_val(entries, entry);
}

void ms_row_entries(const MsKeys *keys, const MsRowStored *row, GArray *entries, GByteArray *room)
{
	guint8 link[MS_ENTRY_DIGEST], own[MS_ENTRY_DIGEST];
	g_autofree char *account = ms_keys_of_account(row->account),
			*known = ms_keys_known_account(row->account);
	guint first = entries->len;
	ms_keys_digest(keys, account, link);
	ms_keys_digest(keys, row->name, own);
	add_entry(keys, row, row->name, NULL, entries, room);
	for (guint i = 0; i < row->others->len; i++)
		add_entry(keys, row, row->others->pdata[i], own + MS_PLACE_BYTES, entries, room);
	add_entry(keys, row, known, link + MS_PLACE_BYTES, entries, room);
	g_array_index(entries, MsEntry, entries->len - 1).stays = true;
	for (guint i = first; i < entries->len; i++) {
		MsEntry *entry = &g_array_index(entries, MsEntry, i);
		if (!entry->account) /* who receives for an account is not followed further */
			memcpy(entry->link, link, MS_LINK_BYTES);
	}
}

/* ---- marks ---------------------------------------------------------------------------- */

void ms_directory_filter_key(const MsDirectory *directory, guint8 key[16])
{
	if (directory->keys.digests)
		ms_key_filter(directory->keys.key, key);
	else
		memcpy(key, "missent, in open", 16); /* as the values are */
}

void ms_directory_subkey(const MsDirectory *directory, const char *purpose, guint8 key[32])
{
	ms_key_subkey(directory->keys.key, purpose, key);
}

/* ---- on the audit trail --------------------------------------------------------------- */

static char *digest_of(
	const MsDirectory *directory, const guint8 *key, const char *kind, const char *value)
{
	gsize len = strlen(value);
	const char *why = NULL;
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0) {
		g_autofree char *address = ms_address_canonical(value, len);
		if (address == NULL)
			return g_strdup("");
		return *address == '@' ? ms_audit_id(key, "domain", address + 1)
				       : ms_audit_id_of_address(key, address);
	}
	if (strcmp(kind, MS_ROW_RECEIVES_FOR) == 0)
		return ms_audit_id(key, "account", value);
	const MsKind *known = ms_kinds_find(directory->kinds, kind);
	g_autofree char *canonical = known != NULL ? ms_kind_canonical(known, value, len, &why)
						   : NULL;
	return canonical != NULL ? ms_audit_id(key, kind, canonical) : g_strdup("");
}

char *ms_directory_told_account(const MsDirectory *directory, const char *account)
{
	guint8 key[MS_AUDIT_KEY_BYTES];
	ms_directory_subkey(directory, MS_AUDIT_PURPOSE, key);
	return ms_audit_id(key, "account", account);
}

char *ms_directory_told(const MsDirectory *directory, const char *account, const char *kind,
	const char *value, char **about_out)
{
	guint8 key[MS_AUDIT_KEY_BYTES];
	ms_directory_subkey(directory, MS_AUDIT_PURPOSE, key);
	g_autofree char *whose = ms_audit_id(key, "account", account);
	g_autofree char *masked = ms_identifier_masked(value);
	*about_out = digest_of(directory, key, kind, value);
	return g_strdup_printf("%s %s, account %s", kind, masked, whose);
}

GBytes *ms_marks_seal(
	const MsDirectory *directory, const char *generation, gint64 number, const GArray *marks)
{
	return ms_part_seal(&directory->keys, generation, MS_PART(MS_PART_MARKS, (guint32)number),
		NULL, 0, marks->len > 0 ? marks->data : "", marks->len * sizeof(MsMark));
}

void ms_known_free(MsKnown *known)
{
	if (known == NULL)
		return;
	g_free(known->generation);
	g_array_unref(known->marks);
	g_free(known);
}

#define LISTS_AT_ONCE 64

static MsAnswer take_list(MsDirectory *directory, const MsMapping *mapping, const MsView *view,
	MsPartId id, MsKnown *known, MsFingerprint *sum, GError **error)
{
	GBytes *data = ms_view_part(view, id);
	if (data == NULL)
		return ms_directory_lost(error, id, MS_NOT_THERE);
	gsize len, size;
	const guint8 *bytes = g_bytes_get_data(data, &size);
	g_autofree guint8 *marks = ms_part_open(
		&directory->keys, mapping->generation, id, bytes, size, 0, &len);
	if (marks == NULL || len % sizeof(MsMark) != 0)
		return ms_directory_lost(error, id, MS_NOT_WHOLE);
	ms_fingerprint_add(sum, bytes);
	g_array_append_vals(known->marks, marks, (guint)(len / sizeof(MsMark)));
	return MS_FOUND;
}

/* A replica may be behind what answered last; the primary is not. */
typedef struct {
	MsDirectory *directory;
	bool primary;
	MsKnown *known;
	GError **error;
} Lists;

/* MS_ABSENT: another mapping was taken into use meanwhile. */
static MsAnswer take_lists(Lists *l, const MsMapping *mapping, gint64 from)
{
	MsFingerprint sum = {{0}};
	MsBackend *backend = l->directory->backend;
	MsAnswer answer = MS_FOUND;
	for (gint64 at = from; at < mapping->changes && answer == MS_FOUND; at += LISTS_AT_ONCE) {
		MsPartId ids[LISTS_AT_ONCE];
		gsize n = (gsize)MIN(LISTS_AT_ONCE, mapping->changes - at);
		for (gsize i = 0; i < n; i++)
			ids[i] = MS_PART(MS_PART_MARKS, (guint32)(at + (gint64)i));
		MsView view;
		ms_view_init(&view);
		view.primary = l->primary;
		answer = backend->ops->fetch(backend, mapping->generation, ids, n, &view, l->error);
		if (answer == MS_FOUND && g_strcmp0(view.generation, mapping->generation) != 0)
			answer = MS_ABSENT;
		for (gsize i = 0; i < n && answer == MS_FOUND; i++)
			answer = take_list(l->directory, mapping, &view, ids[i], l->known, &sum,
				l->error);
		ms_view_clear(&view);
	}
	if (answer == MS_FOUND && from == 0 && memcmp(&sum, &mapping->marks, sizeof sum) != 0)
		return ms_directory_unfit(l->error,
			"its marks are not all of them, or older ones; import it again "
			"(missent directory import)");
	return answer;
}

/* Not older than what any message here was answered from: what that had more would be looked for
 * by nobody. */
static MsAnswer check_newest(const MsDirectory *directory, const MsMapping *mapping, GError **error)
{
	MsDirectoryState state = {0};
	ms_directory_state_of(mapping, &state);
	MsAnswer answer = ms_directory_check_seen(directory, &state, error);
	ms_directory_state_clear(&state);
	return answer;
}

static MsAnswer ask_known(MsDirectory *directory, bool *primary, const char *generation,
	gint64 changes, MsKnown **known_out, GError **error)
{
	MsAnswer answer;
	g_autoptr(GError) older = NULL;
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, *primary, &answer, error);
	if (mapping == NULL)
		return answer;
	answer = check_newest(directory, mapping, &older);
	if (older != NULL && !*primary) {
		*primary = true;
		return MS_ABSENT;
	}
	if (older != NULL) {
		g_propagate_error(error, g_steal_pointer(&older));
		return answer;
	}
	g_autoptr(MsKnown) known = g_new0(MsKnown, 1);
	known->marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	known->generation = g_strdup(mapping->generation);
	known->changes = mapping->changes;
	known->whole = g_strcmp0(generation, known->generation) != 0;
	Lists lists = {directory, *primary, known, error};
	answer = take_lists(&lists, mapping, known->whole ? 0 : changes);
	if (answer == MS_FOUND)
		*known_out = g_steal_pointer(&known);
	return answer;
}

#define MAX_RESTARTS 5

MsAnswer ms_directory_known(MsDirectory *directory, const char *generation, gint64 changes,
	MsKnown **known_out, GError **error)
{
	bool primary = false;
	for (int i = 0; i < MAX_RESTARTS; i++) {
		MsAnswer answer = ask_known(
			directory, &primary, generation, changes, known_out, error);
		if (answer != MS_ABSENT)
			return answer;
	}
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY,
		"directory: mappings are taken into use faster than they can be read");
	return MS_RETRY;
}
