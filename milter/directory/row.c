#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "directory_private.h"

/*
 * What one row of the mapping is stored as: its own key; the keys of other forms of the same
 * thing (a SIRET has the SIREN in it); and marks, by which readers know it in a text.
 */

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
	g_free((char *)row->keys.key);
	g_free((char *)row->keys.token);
	g_free((char *)row->keys.other_token);
	g_ptr_array_unref(row->others);
	g_array_unref(row->marks);
	g_free(row);
}

static void add_mark(const MsDirectory *directory, MsRowStored *row, const MsKind *kind, const char *compact)
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
			g_ptr_array_add(row->others,
				ms_keys_make(&directory->keys, 'a', MS_OTHER_FORM, form->key));
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

static char *recipient_key(MsDirectory *directory, MsRowStored *row, const char *value, gsize len)
{
	g_autofree char *address = ms_address_canonical(value, len);
	const MsKind *email = kind_of_email(directory->kinds);
	if (address == NULL)
		return NULL;
	if (email != NULL && address[0] != '@')
		add_forms(directory, row, email, address, value, len);
	return ms_keys_make(&directory->keys, 'r', MS_ROW_RECIPIENT, address);
}

/* The row's own key, after all checks. */
static char *own_key(MsDirectory *directory, MsRowStored *row, const char *kind, const char *value,
	gsize len, const char **why)
{
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0) {
		*why = "it is not an e-mail address or @domain";
		return recipient_key(directory, row, value, len);
	}
	if (strcmp(kind, MS_ROW_RECEIVES_FOR) == 0) {
		*why = ms_account_problem(value);
		if (*why != NULL)
			return NULL;
		g_autofree char *token = ms_keys_token(&directory->keys, value);
		return g_strconcat("d:", token, NULL);
	}
	const MsKind *known = ms_kinds_find(directory->kinds, kind);
	*why = "the kind is not in kinds.conf";
	if (known == NULL)
		return NULL;
	g_autofree char *canonical = ms_kind_canonical(known, value, len, why);
	if (canonical == NULL)
		return NULL;
	add_forms(directory, row, known, canonical, value, len);
	return ms_keys_make(&directory->keys, 'i', kind, canonical);
}

MsRowStored *ms_row_new(MsDirectory *directory, const char *account, const char *kind,
	const char *value, gsize len, const char **why_out)
{
	g_autoptr(MsRowStored) row = row_alloc();
	*why_out = ms_account_problem(account);
	if (*why_out == NULL && !g_utf8_validate_len(value, len, NULL))
		*why_out = "it is not UTF-8";
	if (*why_out != NULL)
		return NULL;
	row->keys.key = own_key(directory, row, kind, value, len, why_out);
	if (row->keys.key == NULL)
		return NULL;
	row->keys.token = ms_keys_token(&directory->keys, account);
	row->keys.other_token = g_strdup_printf("%s%c%s", row->keys.token, MS_TOKEN_END, row->keys.key);
	g_ptr_array_add(row->others, NULL);
	row->keys.other_keys = (const char *const *)row->others->pdata;
	return g_steal_pointer(&row);
}

char *ms_directory_key(MsDirectory *directory, const char *kind, const char *value, gsize len,
	const char **why_out)
{
	g_autoptr(MsRowStored) row = ms_row_new(directory, "-", kind, value, len, why_out);
	return row != NULL ? g_steal_pointer((char **)&row->keys.key) : NULL;
}

/* ---- marks ---------------------------------------------------------------------------- */

void ms_directory_filter_key(const MsDirectory *directory, guint8 key[16])
{
	if (directory->keys.digests)
		ms_key_filter(directory->keys.key, key);
	else
		memcpy(key, "missent, in open", 16); /* as the values are */
}

char *ms_marks_pack(const MsDirectory *directory, const GArray *marks)
{
	gsize len = marks->len * sizeof(MsMark);
	return directory->keys.digests ? ms_key_seal(directory->keys.key, marks->data, len)
				       : g_base64_encode((const guchar *)marks->data, len);
}

typedef struct {
	MsDirectory *directory;
	GArray *marks;
	bool foreign;
} Unpack;

static void unpack(const char *text, void *user)
{
	Unpack *u = user;
	gsize len = 0;
	g_autofree guint8 *raw = u->directory->keys.digests ? ms_key_open(u->directory->keys.key, text, &len)
							    : g_base64_decode(text, &len);
	if (raw == NULL || len % sizeof(MsMark) != 0)
		u->foreign = true;
	else
		g_array_append_vals(u->marks, raw, (guint)(len / sizeof(MsMark)));
}

void ms_known_free(MsKnown *known)
{
	if (known == NULL)
		return;
	g_free(known->generation);
	g_array_unref(known->marks);
	g_free(known);
}

MsAnswer ms_directory_known(MsDirectory *directory, const char *generation, gint64 changes,
	MsKnown **known_out, GError **error)
{
	g_autoptr(MsKnown) known = g_new0(MsKnown, 1);
	known->marks = g_array_new(FALSE, FALSE, sizeof(MsMark));
	Unpack u = {directory, known->marks, false};
	MsDirectoryState state = {0};
	MsAnswer answer = directory->backend->ops->marks(directory->backend, generation, changes, &state,
		unpack, &u, error);
	known->generation = g_steal_pointer(&state.generation);
	known->changes = state.changes;
	known->whole = generation == NULL || g_strcmp0(generation, known->generation) != 0;
	ms_directory_state_clear(&state);
	if (answer == MS_FOUND && u.foreign) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"directory: its marks were made with another site key, or are damaged; import it anew");
		answer = MS_CONFIG;
	}
	if (answer == MS_FOUND)
		*known_out = g_steal_pointer(&known);
	return answer;
}
