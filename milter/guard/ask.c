/*
 * A message comes in, the operations of its step come out, in this order: identifiers, documents,
 * recipients, pairs, streams.  All that leaves this file are keyed digests and numbers.
 *
 * A document is known by its text (reading.h), whatever stands in the names and fields around it;
 * one of which no identifier is in the text, by the identifiers that it has.  One without any is
 * none.  What tells common identifiers from others is in how many documents they are: there a
 * document is its identifiers alone, or each letter with a word of its own would be another.  The
 * thread of the message.
 */
#include "config.h"

#include <string.h>

#include "missent/digest.h"
#include "missent/identifier.h"
#include "missent/kind.h"

#include "guard_private.h"

#define SAME_EACH 20   /* recipients that a repeated mail is told apart by */
#define PAIRS_OF 8     /* identifiers with a history */
#define PAIRS_TO 10    /* recipients */
#define LIST_WINDOW 3600

typedef struct {
	const MsGuard *guard;
	const MsGuardMessage *m;
	const MsResolution *resolution; /* NULL: nothing is known */
	MsStep *step;
	GArray *abouts;
	guint n_recipients;             /* that are looked at */
	guint8 (*addresses)[MS_ID_BYTES], (*domains)[MS_ID_BYTES];
	char **names, **at;             /* recipients, their domains */
	GArray *eligible;               /* of guint: findings that may be a customer's */
	guint8 (*documents)[MS_ID_BYTES]; /* a face each */
	guint32 *asks, *asks_text;        /* of a face: which operations; of those in its text */
} Ask;

/* ---- who is looked at ------------------------------------------------------------------- */

static char *canonical(const char *address)
{
	char *out = ms_address_canonical(address, strlen(address));
	g_autofree char *valid = out == NULL ? g_utf8_make_valid(address, -1) : NULL;
	return out != NULL ? out : g_utf8_strdown(valid, -1);
}

/* A mailbox is one, whatever tag an address has. */
static char *mailbox(const Ask *ask, const char *address)
{
	char *whole = canonical(address);
	char *untagged = ms_address_untagged(whole, ask->guard->tag_separators);
	if (untagged == NULL)
		return whole;
	g_free(whole);
	return untagged;
}

static void take_recipients(Ask *ask)
{
	guint n = MIN(ask->m->envelope->recipients->len, MS_GUARD_RECIPIENTS);
	ask->n_recipients = n;
	ask->addresses = g_malloc0_n(n + 1, MS_ID_BYTES);
	ask->domains = g_malloc0_n(n + 1, MS_ID_BYTES);
	ask->names = g_new0(char *, n + 1);
	ask->at = g_new0(char *, n + 1);
	for (guint i = 0; i < n; i++) {
		ask->names[i] = mailbox(ask, ask->m->envelope->recipients->pdata[i]);
		const char *at = strrchr(ask->names[i], '@');
		ask->at[i] = g_strdup(at != NULL ? at : "@");
		ms_guard_digest(
			ask->guard, "address", ask->names[i], "", ask->addresses[i], MS_ID_BYTES);
		ms_guard_digest(ask->guard, "domain", ask->at[i], "", ask->domains[i], MS_ID_BYTES);
	}
}

static bool gets_it(const Ask *ask, guint recipient)
{
	return ask->m->withheld == NULL || !ask->m->withheld->data[recipient];
}

static bool is_senders(const Ask *ask, const MsFinding *f)
{
	const char *mine = strrchr(ask->m->envelope->sender, '@'), *its = strrchr(f->value, '@');
	return mine != NULL && its != NULL && g_ascii_strcasecmp(mine, its) == 0;
}

static bool is_house(const Ask *ask, guint finding)
{
	return ask->resolution != NULL && ms_resolution_is_houses(ask->resolution, finding);
}

static bool may_be_a_customers(const Ask *ask, guint finding)
{
	const MsFinding *f = ask->m->reading->findings->pdata[finding];
	bool owned = ask->resolution != NULL && ms_resolution_is_owned(ask->resolution, finding);
	/* Where one of several is meant nobody knows whose mail went to whom. */
	return f->either == NULL &&
		(owned || (f->belief & (MS_BELIEF_TENTATIVE | MS_BELIEF_SELLER)) == 0) &&
		!is_senders(ask, f) && !is_house(ask, finding);
}

static bool is_customer_kind(const Ask *ask, const char *kind)
{
	return g_strv_contains(ask->guard->limits.customers, kind);
}

/* Those that stand for a customer come first. */
static void take_findings(Ask *ask)
{
	const GPtrArray *findings = ask->m->reading->findings;
	ask->eligible = g_array_new(FALSE, FALSE, sizeof(guint));
	for (int first = 1; first >= 0; first--) {
		for (guint i = 0; i < findings->len && ask->eligible->len < MS_GUARD_IDENTIFIERS;
			i++) {
			const MsFinding *f = findings->pdata[i];
			if (is_customer_kind(ask, f->kind) == first && may_be_a_customers(ask, i))
				g_array_append_val(ask->eligible, i);
		}
	}
}

static const MsFinding *finding_of(const Ask *ask, guint n)
{
	return ask->m->reading->findings->pdata[g_array_index(ask->eligible, guint, n)];
}

static bool has_right(const Ask *ask, guint finding, guint recipient)
{
	if (ask->resolution == NULL)
		return false;
	return ms_resolution_is_house(ask->resolution, recipient)
		|| ms_resolution_relation(ask->resolution, finding, recipient) == MS_OWN;
}

/* ---- operations ------------------------------------------------------------------------- */

static const MsGuardStream *stream_of(const Ask *ask, guint n)
{
	return &ask->m->streams[n];
}

/* Streams that mind it; of a kind, or (NULL) of any. */
static guint minding(const Ask *ask, MsGuardWhat what, const char *kind, bool *holds_out)
{
	guint mask = 0;
	*holds_out = false;
	for (guint i = 0; i < ask->m->n_streams; i++) {
		const MsGuardStream *s = stream_of(ask, i);
		bool looks = what == MS_GUARD_REPEAT || what == MS_GUARD_SPLIT ||
			s->counts_customers;
		if (looks && kind != NULL && g_hash_table_size(s->kinds) > 0)
			looks = g_hash_table_contains(s->kinds, kind);
		mask |= looks && (s->minds & 1U << what) != 0 ? 1U << i : 0;
		*holds_out = *holds_out || (looks && (s->holds & 1U << what) != 0);
	}
	return mask;
}

static bool anybody_looks(const Ask *ask, const char *kind)
{
	for (guint i = 0; i < ask->m->n_streams; i++) {
		const MsGuardStream *s = stream_of(ask, i);
		if (s->counts_customers &&
			(g_hash_table_size(s->kinds) == 0 || g_hash_table_contains(s->kinds, kind)))
			return true;
	}
	return false;
}

static MsOp *add(Ask *ask, MsOpLetter letter, MsGuardWhat what, const char *kind)
{
	const MsAbout about = {what, -1, -1, -1, -1};
	MsOp *op = ms_step_add(ask->step, letter);
	g_array_append_val(ask->abouts, about);
	op->streams = minding(ask, what, kind, &op->holds);
	op->window = ask->guard->limits.window;
	return op;
}

static MsAbout *about_last(Ask *ask)
{
	return &g_array_index(ask->abouts, MsAbout, ask->abouts->len - 1);
}

/* Takes the last one back, if it is about nobody. */
static bool drop_if_empty(Ask *ask, MsOp *op)
{
	if (op->members->len > 0)
		return false;
	g_byte_array_unref(op->members);
	g_array_set_size(ask->step->ops, ask->step->ops->len - 1);
	g_array_set_size(ask->abouts, ask->abouts->len - 1);
	return true;
}

static void add_member(const Ask *ask, MsOp *op, guint recipient)
{
	g_byte_array_append(op->members, ask->addresses[recipient], MS_ID_BYTES);
	g_byte_array_append(op->members, ask->domains[recipient], MS_ID_BYTES);
}

/* ---- fan-out ---------------------------------------------------------------------------- */

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static guint faces_of(const Ask *ask)
{
	return CLAMP(ask->m->reading->faces->len, 1, MS_GUARD_DOCUMENTS);
}

static bool is_in(const MsFinding *f, guint face)
{
	return (f->faces & (guint64)1 << face) != 0 || (f->faces == 0 && face == 0);
}

static void take_documents(Ask *ask)
{
	guint n = faces_of(ask);
	ask->documents = g_malloc0_n(n, MS_ID_BYTES);
	ask->asks = g_new0(guint32, n);
	ask->asks_text = g_new0(guint32, n);
	for (guint face = 0; face < n; face++) {
		g_autoptr(GPtrArray) in = g_ptr_array_new_with_free_func(g_free);
		for (guint i = 0; i < ask->eligible->len; i++)
			if (is_in(finding_of(ask, i), face))
				g_ptr_array_add(in,
					g_strconcat(finding_of(ask, i)->kind, "=",
						finding_of(ask, i)->value, NULL));
		g_ptr_array_sort(in, compare_text);
		g_ptr_array_add(in, NULL);
		g_autofree char *all = g_strjoinv("\n", (char **)in->pdata);
		ms_guard_digest(ask->guard, "document", all, "", ask->documents[face], MS_ID_BYTES);
	}
}

static guint first_face(const Ask *ask, const MsFinding *f)
{
	for (guint face = 0; face < faces_of(ask); face++)
		if (is_in(f, face))
			return face;
	return 0;
}

static void ask_identifier(Ask *ask, guint n)
{
	guint index = g_array_index(ask->eligible, guint, n);
	const MsFinding *f = finding_of(ask, n);
	if (!anybody_looks(ask, f->kind))
		return;
	guint number = ask->step->ops->len;
	MsOp *op = add(ask, MS_OP_FAN, MS_GUARD_FAN_OUT, f->kind);
	about_last(ask)->finding = (int)index;
	ms_guard_digest(ask->guard, "to whom", f->kind, f->value, op->key, MS_KEY_BYTES);
	memcpy(op->key2, ask->documents[first_face(ask, f)], MS_ID_BYTES);
	op->flags = 1;
	op->limit = ask->guard->limits.fan_out;
	op->limit2 = ask->guard->limits.fan_out_domains;
	for (guint r = 0; r < ask->n_recipients; r++)
		if (gets_it(ask, r) && !has_right(ask, index, r))
			add_member(ask, op, r);
	if (drop_if_empty(ask, op))
		return;
	for (guint face = 0; face < faces_of(ask); face++) {
		ask->asks[face] |= is_in(f, face) ? 1U << number : 0;
		ask->asks_text[face] |= (f->texts >> face & 1) != 0 ? 1U << number : 0;
	}
}

/* In hexadecimal; the caller's; NULL: there is none. */
static char *text_of(const Ask *ask, guint face)
{
	guint8 digest[MS_TEXT_DIGEST];
	bool has_it = ms_reading_text(ask->m->reading, face, digest);
	return has_it ? ms_hex(digest, sizeof digest) : NULL;
}

static void ask_document(Ask *ask, guint face)
{
	if (ask->asks[face] == 0)
		return;
	MsOp *op = add(ask, MS_OP_FAN, MS_GUARD_FAN_OUT, NULL);
	g_autofree char *text = ask->asks_text[face] != 0 ? text_of(ask, face) : NULL;
	about_last(ask)->document = (int)face;
	memcpy(op->key, ask->documents[face], MS_ID_BYTES);
	memcpy(op->key2, ask->documents[face], MS_ID_BYTES);
	if (text != NULL)
		ms_guard_digest(ask->guard, "text", text, "", op->key, MS_KEY_BYTES);
	op->asks = text != NULL ? ask->asks_text[face] : ask->asks[face];
	op->limit = ask->guard->limits.fan_out;
	op->limit2 = ask->guard->limits.fan_out_domains;
	for (guint r = 0; r < ask->n_recipients; r++)
		if (gets_it(ask, r) && (ask->m->outcomes == NULL ||
					       ask->m->outcomes->data[r] != MS_OUTCOME_RIGHT))
			add_member(ask, op, r);
	drop_if_empty(ask, op);
}

static void ask_fan_out(Ask *ask)
{
	if (ask->guard->limits.fan_out == 0)
		return;
	take_documents(ask);
	for (guint i = 0; i < ask->eligible->len; i++)
		ask_identifier(ask, i);
	for (guint face = 0; face < faces_of(ask); face++)
		ask_document(ask, face);
}

/* ---- fan-in ----------------------------------------------------------------------------- */

static void got_key(const Ask *ask, const char *kind, const char *whom, guint8 key[MS_KEY_BYTES])
{
	ms_guard_digest(ask->guard, "got", kind, whom, key, MS_KEY_BYTES);
}

static void ask_kind_in(Ask *ask, guint r, const char *kind)
{
	MsOp *op = add(ask, MS_OP_SET, MS_GUARD_FAN_IN, kind);
	about_last(ask)->recipient = (int)r;
	got_key(ask, kind, ask->names[r], op->key);
	op->flags = 1;
	op->limit = ask->guard->limits.fan_in;
	for (guint i = 0; i < ask->eligible->len; i++) {
		const MsFinding *f = finding_of(ask, i);
		guint index = g_array_index(ask->eligible, guint, i);
		guint8 id[MS_ID_BYTES];
		if (strcmp(f->kind, kind) != 0 || has_right(ask, index, r))
			continue;
		if (about_last(ask)->finding < 0)
			about_last(ask)->finding = (int)index;
		ms_guard_digest(ask->guard, "identifier", f->kind, f->value, id, sizeof id);
		g_byte_array_append(op->members, id, sizeof id);
	}
	drop_if_empty(ask, op);
}

/* Of known ones, by account. */
static void ask_accounts_in(Ask *ask, guint r)
{
	MsOp *op = add(ask, MS_OP_SET, MS_GUARD_FAN_IN, NULL);
	about_last(ask)->recipient = (int)r;
	ms_guard_digest(ask->guard, "whose", ask->names[r], "", op->key, MS_KEY_BYTES);
	op->flags = 1;
	op->limit = ask->guard->limits.fan_in;
	for (guint i = 0; i < ask->eligible->len; i++) {
		guint index = g_array_index(ask->eligible, guint, i);
		g_autoptr(GPtrArray) names = g_ptr_array_new();
		guint8 id[MS_ID_BYTES];
		if (has_right(ask, index, r) ||
			ms_resolution_owners(ask->resolution, index, 2, names) != 1)
			continue;
		ms_guard_digest(ask->guard, "owner", names->pdata[0], "", id, sizeof id);
		g_byte_array_append(op->members, id, sizeof id);
	}
	drop_if_empty(ask, op);
}

static bool is_eligible_customer(const Ask *ask)
{
	return ask->eligible->len > 0 && is_customer_kind(ask, finding_of(ask, 0)->kind);
}

/* Mail to one address that greets one after the other: who has many customers' mail has a name of
 * his own, an address that stands in for others' has not.  A copy is greeted as whom it is a copy
 * of. */
static void ask_names_in(Ask *ask)
{
	const GPtrArray *greeted = ask->m->reading->greeted;
	if (greeted->len == 0 || ask->m->envelope->recipients->len != 1 ||
		!is_eligible_customer(ask) ||
		(ask->m->outcomes != NULL && ask->m->outcomes->data[0] == MS_OUTCOME_RIGHT))
		return;
	guint8 id[MS_ID_BYTES];
	MsOp *op = add(ask, MS_OP_SET, MS_GUARD_NAMES, NULL);
	about_last(ask)->recipient = 0;
	ms_guard_digest(ask->guard, "greeted", ask->names[0], "", op->key, MS_KEY_BYTES);
	op->flags = 2;
	op->limit = ask->guard->limits.fan_in_names;
	ms_guard_digest(ask->guard, "name", greeted->pdata[0], "", id, sizeof id);
	g_byte_array_append(op->members, id, sizeof id);
}

static void ask_fan_in(Ask *ask)
{
	if (ask->guard->limits.fan_in_names > 0)
		ask_names_in(ask);
	if (ask->guard->limits.fan_in == 0)
		return;
	for (guint r = 0; r < MIN(ask->n_recipients, PAIRS_TO); r++) {
		if (!gets_it(ask, r))
			continue;
		for (const char *const *kind = ask->guard->limits.customers; *kind != NULL; kind++)
			if (anybody_looks(ask, *kind))
				ask_kind_in(ask, r, *kind);
		if (ask->resolution != NULL)
			ask_accounts_in(ask, r);
	}
}

/* ---- the same again --------------------------------------------------------------------- */

static const char *header_of(const Ask *ask, const char *name)
{
	const char *value = ms_reading_header(ask->m->reading, name);
	return value != NULL ? value : "";
}

#define TOKEN_DIGITS 5

/* Where a token begins that a bulk mailer wrote into its own address
 * ("bounce-48123-weber=x.example@"), for each message another; or NULL. */
static const char *token_in(const char *sender)
{
	const char *at = strrchr(sender, '@');
	gsize local = at != NULL ? (gsize)(at - sender) : strlen(sender);
	for (gsize i = 0; i < local; i++) {
		gsize digits = strspn(sender + i, "0123456789");
		if (strchr("+=", sender[i]) != NULL || MIN(digits, local - i) >= TOKEN_DIGITS)
			return sender + i;
		i += digits > 0 ? digits - 1 : 0;
	}
	return NULL;
}

/* From whom a stream is: the envelope's sender, or the header's where that is another in each
 * message, or none. */
static char *stream_sender(const Ask *ask)
{
	char *sender = canonical(ask->m->envelope->sender);
	const char *token = token_in(sender), *from = header_of(ask, "From");
	if (*sender != '\0' && token == NULL)
		return sender;
	const char *open = strrchr(from, '<');
	g_autofree char *address = open != NULL ? g_strndup(open + 1, strcspn(open + 1, ">"))
						: g_strdup(from);
	char *out = ms_address_canonical(g_strstrip(address), strlen(address));
	if (out == NULL && token != NULL)
		out = g_strdup_printf("%.*s%s", (int)(token - sender), sender,
			strrchr(sender, '@') != NULL ? strrchr(sender, '@') : "");
	if (out == NULL)
		return sender;
	g_free(sender);
	return out;
}

/* False: some of what is in it has no text. */
static bool append_texts(const Ask *ask, GString *out)
{
	const MsReading *reading = ask->m->reading;
	guint n = 0;
	for (guint face = 0; face < reading->faces->len; face++) {
		g_autofree char *text = text_of(ask, face);
		g_string_append_c(out, '\n');
		g_string_append(out, text != NULL ? text : "");
		n += text != NULL;
	}
	return n > 0 && n == reading->faces->len;
}

/* What makes two mails the same, whatever an MTA wrote into them. */
static char *sameness(const Ask *ask)
{
	g_autofree char *sender = stream_sender(ask);
	GString *out = g_string_new(sender);
	const MsReading *reading = ask->m->reading;
	bool all_texts = append_texts(ask, out);
	g_string_append_printf(out, "\n%s\n%" G_GUINT64_FORMAT "\n", header_of(ask, "Subject"),
		all_texts ? 0 : reading->text_bytes);
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *part = reading->parts->pdata[i];
		g_string_append_printf(out, "%s %s %" G_GUINT64_FORMAT "\n", part->name,
			part->actual, all_texts ? 0 : part->size);
	}
	for (guint i = 0; i < MIN(reading->findings->len, 500); i++) {
		const MsFinding *f = reading->findings->pdata[i];
		g_string_append(out, f->kind);
		g_string_append_c(out, '=');
		g_string_append(out, f->value);
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

static void ask_same(Ask *ask, const char *same, const char *whom, int recipient)
{
	MsOp *op = add(ask, MS_OP_SET, MS_GUARD_REPEAT, NULL);
	about_last(ask)->recipient = recipient;
	ms_guard_digest(ask->guard, "same", same, whom, op->key, MS_KEY_BYTES);
	op->limit = ask->guard->limits.repeat;
	g_byte_array_append(
		op->members, ask->step->message + MS_KEY_BYTES - MS_ID_BYTES, MS_ID_BYTES);
}

static void ask_repeat(Ask *ask)
{
	bool holds;
	if (ask->guard->limits.repeat == 0 ||
		(minding(ask, MS_GUARD_REPEAT, NULL, &holds) == 0 && !holds))
		return;
	g_autofree char *same = sameness(ask);
	if (ask->m->envelope->recipients->len <= SAME_EACH) {
		for (guint r = 0; r < ask->n_recipients; r++)
			if (gets_it(ask, r))
				ask_same(ask, same, ask->names[r], (int)r);
		return;
	}
	g_autofree char *all = g_strjoinv("\n", ask->names);
	ask_same(ask, same, all, -1);
}

/* A client that sends one list in several transactions writes one Message-ID in all of them. */
static void ask_split(Ask *ask)
{
	const char *id = header_of(ask, "Message-ID");
	for (guint i = 0; i < ask->m->n_streams && *id != '\0'; i++) {
		gint64 most = stream_of(ask, i)->max_recipients;
		if (most < 0 || most > MS_GUARD_RECIPIENTS ||
			ask->m->envelope->recipients->len > most)
			continue;
		MsOp *op = add(ask, MS_OP_SET, MS_GUARD_SPLIT, NULL);
		about_last(ask)->stream = (int)i;
		op->streams &= 1U << i;
		g_autofree char *sender = stream_sender(ask);
		g_autofree char *limit = g_strdup_printf("%" G_GINT64_FORMAT " %s", most, sender);
		ms_guard_digest(ask->guard, "list", id, limit, op->key, MS_KEY_BYTES);
		op->window = LIST_WINDOW;
		op->limit = (guint32)most;
		for (guint r = 0; r < ask->n_recipients; r++)
			g_byte_array_append(op->members, ask->addresses[r], MS_ID_BYTES);
		drop_if_empty(ask, op);
	}
}

/* ---- history ---------------------------------------------------------------------------- */

static void ask_pair(Ask *ask, guint n, guint r)
{
	guint index = g_array_index(ask->eligible, guint, n);
	const MsFinding *f = finding_of(ask, n);
	if (ask->resolution != NULL && ms_resolution_is_house(ask->resolution, r))
		return;
	MsOp *op = add(ask, MS_OP_PAIR, MS_GUARD_UNUSUAL, f->kind);
	about_last(ask)->finding = (int)index;
	about_last(ask)->recipient = (int)r;
	ms_guard_digest(ask->guard, "to whom", f->kind, f->value, op->key, MS_KEY_BYTES);
	got_key(ask, f->kind, ask->names[r], op->key2);
	got_key(ask, f->kind, ask->at[r], op->key3);
	op->flags = has_right(ask, index, r);
	op->limit = ask->guard->limits.support;
	add_member(ask, op, r);
	g_byte_array_append(op->members, op->key, MS_ID_BYTES);
}

static void ask_history(Ask *ask)
{
	guint pairs = 0;
	for (guint i = 0; ask->guard->limits.keep > 0 && i < ask->eligible->len && pairs < PAIRS_OF;
		i++) {
		const MsFinding *f = finding_of(ask, i);
		if (!is_customer_kind(ask, f->kind) || !anybody_looks(ask, f->kind))
			continue;
		pairs++;
		for (guint r = 0; r < MIN(ask->n_recipients, PAIRS_TO); r++)
			if (gets_it(ask, r))
				ask_pair(ask, i, r);
	}
}

/* ---- accounts --------------------------------------------------------------------------- */

#define ACCOUNTS 8  /* of a message, of which is kept what there is of them */
/* Of an identifier, and of a recipient: who shares it with more is not told apart by it. */
#define OWNERS_OF 2

static MsOp *account_op(GPtrArray *ops, const MsGuard *guard, const char *account)
{
	guint8 key[MS_KEY_BYTES];
	ms_guard_account_key(guard, account, key);
	for (guint i = 0; i < ops->len; i++)
		if (memcmp(((MsOp *)ops->pdata[i])->key, key, sizeof key) == 0)
			return ops->pdata[i];
	if (ops->len >= ACCOUNTS)
		return NULL;
	MsOp *op = g_new0(MsOp, 1);
	memcpy(op->key, key, sizeof key);
	op->members = g_byte_array_new();
	g_ptr_array_add(ops, op);
	return op;
}

static void link_to(MsOp *op, MsLink what, const guint8 *key, gsize len)
{
	guint8 link[MS_LINK_BYTES] = {(guint8)what};
	memcpy(link + 1, key, len);
	if (op != NULL && op->members->len < 200 * MS_LINK_BYTES)
		g_byte_array_append(op->members, link, sizeof link);
}

/* What a pair leaves behind of who owns its identifier, and of whose its recipient is. */
static void link_pair(const Ask *ask, GPtrArray *ops, const MsOp *pair, const MsAbout *about)
{
	g_autoptr(GPtrArray) owners = g_ptr_array_new();
	g_autoptr(GPtrArray) his = g_ptr_array_new();
	guint n = ms_resolution_owners(ask->resolution, (guint)about->finding, OWNERS_OF, owners);
	for (guint i = 0; n <= OWNERS_OF && i < owners->len; i++) {
		MsOp *op = account_op(ops, ask->guard, owners->pdata[i]);
		link_to(op, MS_LINK_IDENTIFIER, pair->key, MS_KEY_BYTES);
		link_to(op, MS_LINK_IN_RECIPIENT, pair->key2, MS_KEY_BYTES);
		link_to(op, MS_LINK_IN_RECIPIENT, pair->key3, MS_KEY_BYTES);
	}
	n = ms_resolution_accounts_of(ask->resolution, (guint)about->recipient, OWNERS_OF, his);
	for (guint i = 0; n <= OWNERS_OF && i < his->len; i++) {
		MsOp *op = account_op(ops, ask->guard, his->pdata[i]);
		if (n == 1)
			link_to(op, MS_LINK_RECIPIENT, pair->key2, MS_KEY_BYTES);
		link_to(op, MS_LINK_IN_IDENTIFIER, pair->key, MS_KEY_BYTES);
		link_to(op, MS_LINK_ID, pair->members->data, MS_ID_BYTES);
	}
}

/* The names that his mail greeted. */
static void link_names(const Ask *ask, GPtrArray *ops, const MsOp *names, const MsAbout *about)
{
	g_autoptr(GPtrArray) his = g_ptr_array_new();
	guint n = ms_resolution_accounts_of(
		ask->resolution, (guint)about->recipient, OWNERS_OF, his);
	if (n == 1)
		link_to(account_op(ops, ask->guard, his->pdata[0]), MS_LINK_RECIPIENT, names->key,
			MS_KEY_BYTES);
}

static void ask_accounts(Ask *ask)
{
	g_autoptr(GPtrArray) ops = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; ask->resolution != NULL && i < ask->step->ops->len; i++) {
		const MsOp *op = &g_array_index(ask->step->ops, MsOp, i);
		if (op->letter == MS_OP_PAIR)
			link_pair(ask, ops, op, &g_array_index(ask->abouts, MsAbout, i));
		if (g_array_index(ask->abouts, MsAbout, i).what == MS_GUARD_NAMES)
			link_names(ask, ops, op, &g_array_index(ask->abouts, MsAbout, i));
	}
	for (guint i = 0; i < ops->len; i++) {
		const MsOp *from = ops->pdata[i];
		MsOp *op = add(ask, MS_OP_LINK, MS_GUARD_UNUSUAL, NULL);
		op->streams = 0;
		op->holds = false;
		memcpy(op->key, from->key, sizeof op->key);
		g_byte_array_append(op->members, from->members->data, from->members->len);
		g_byte_array_unref(from->members);
	}
}

/* ---- streams ---------------------------------------------------------------------------- */

static char *template_of(const Ask *ask)
{
	return ask->guard->limits.by_template ? ms_subject_shown(header_of(ask, "Subject"), false)
					      : g_strdup("");
}

static void ask_streams(Ask *ask)
{
	g_autofree char *sender = stream_sender(ask);
	g_autofree char *template = template_of(ask);
	g_autofree char *masked = ms_identifier_masked(sender);
	g_autofree char *who = g_strdup_printf("%s\n%s", sender, template);
	for (guint i = 0; i < ask->m->n_streams; i++) {
		const MsGuardStream *s = stream_of(ask, i);
		MsOp *op = add(ask, MS_OP_STREAM, MS_GUARD_BREAKER, NULL);
		g_autofree char *label = g_strdup_printf("policy %s, sender %s%s%s", s->policy,
			masked, *template != '\0' ? ", subject " : "", template);
		about_last(ask)->stream = (int)i;
		ms_guard_digest(ask->guard, "stream", s->policy, who, op->key, MS_KEY_BYTES);
		op->flags = (s->bad ? 1 : 0) | ((s->holds & 1U << MS_GUARD_BREAKER) != 0 ? 2 : 0);
		op->window = ask->guard->limits.breaker_window;
		op->limit = ask->guard->limits.breaker;
		op->limit2 = ask->guard->limits.breaker_recent;
		g_byte_array_append(
			op->members, (const guint8 *)label, (guint)MIN(strlen(label), 500));
	}
}

/* ---- all of it -------------------------------------------------------------------------- */

void ms_guard_prepare(const MsGuard *guard, MsStep *step, gint64 now)
{
	const MsGuardLimits *l = &guard->limits;
	ms_step_init(step);
	memcpy(step->key_name, guard->key_name, sizeof step->key_name);
	step->now = (guint32)CLAMP(now, 1, G_MAXUINT32);
	/* Streams are kept at least so long. */
	step->keep = MAX(l->keep, 35 * 86400);
	step->learn = l->learn;
	step->cool_down = l->cool_down;
	step->probes = l->probes;
	step->volume = l->volume;
}

static void name_message(const Ask *ask)
{
	const MsEnvelope *e = ask->m->envelope;
	g_autofree char *name = g_strdup_printf("%s\n%s", e->host != NULL ? e->host : "",
		e->queue_id != NULL ? e->queue_id : "");
	g_autofree char *when = g_strdup_printf("%" G_GINT64_FORMAT, e->arrived);
	ms_guard_digest(ask->guard, "message", name, when, ask->step->message, MS_KEY_BYTES);
	/* By time, so that those of one time are together, and go together. */
	guint32 big = GUINT32_TO_BE((guint32)CLAMP(e->arrived / G_USEC_PER_SEC, 0, G_MAXUINT32));
	memcpy(ask->step->message, &big, sizeof big);
}

void ms_guard_ask(const MsGuard *guard, const MsGuardMessage *message, MsStep *step, GArray *abouts)
{
	const MsResolution *r = message->resolution;
	Ask ask = {.guard = guard, .m = message, .step = step, .abouts = abouts,
		.resolution = r != NULL && ms_resolution_over(r) == NULL ? r : NULL};
	step->held = message->held;
	step->recipients = message->envelope->recipients->len;
	name_message(&ask);
	take_recipients(&ask);
	take_findings(&ask);
	ask_fan_out(&ask);
	ask_fan_in(&ask);
	ask_repeat(&ask);
	ask_split(&ask);
	ask_history(&ask);
	ask_accounts(&ask);
	ask_streams(&ask);
	g_array_unref(ask.eligible);
	g_strfreev(ask.names);
	g_strfreev(ask.at);
	g_free(ask.addresses);
	g_free(ask.domains);
	g_free(ask.documents);
	g_free(ask.asks);
	g_free(ask.asks_text);
}
