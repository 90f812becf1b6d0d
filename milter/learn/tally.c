/*
 * What single messages tell comes in; out goes what all of them tell, each different thing once:
 * identifiers, recipients, and shapes, which are sets of identifiers that went to sets of
 * recipients.  One thread at a time.
 */
#include "config.h"

#include <string.h>

#include "learn_private.h"

/* About what one of each takes, with its place in tables. */
#define COST_ID 250
#define COST_TO 200
#define COST_SHAPE 400
#define COST_CELL 64

static void id_free(gpointer data)
{
	LearnId *id = data;
	g_free(id->kind);
	g_free(id->value);
	g_free(id->text);
	g_free(id);
}

static void to_free(gpointer data)
{
	LearnTo *to = data;
	g_free(to->address);
	g_free(to);
}

static void shape_free(gpointer data)
{
	LearnShape *shape = data;
	for (int i = 0; i < LEARN_EXAMPLES; i++) {
		g_free(shape->examples[i].name);
		g_free(shape->examples[i].subject);
	}
	g_free(shape->to);
	g_free(shape->in);
	g_free(shape);
}

Tally *tally_new(guint64 memory)
{
	Tally *tally = g_new0(Tally, 1);
	tally->most = memory;
	tally->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	tally->tos = g_hash_table_new(g_str_hash, g_str_equal);
	tally->shapes = g_hash_table_new_full(
		g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	tally->id_list = g_ptr_array_new_with_free_func(id_free);
	tally->to_list = g_ptr_array_new_with_free_func(to_free);
	tally->shape_list = g_ptr_array_new_with_free_func(shape_free);
	tally->sender_domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return tally;
}

void tally_free(Tally *tally)
{
	if (tally == NULL)
		return;
	g_hash_table_unref(tally->ids);
	g_hash_table_unref(tally->tos);
	g_hash_table_unref(tally->shapes);
	g_hash_table_unref(tally->sender_domains);
	g_ptr_array_unref(tally->id_list);
	g_ptr_array_unref(tally->to_list);
	g_ptr_array_unref(tally->shape_list);
	g_free(tally);
}

/* ---- single things --------------------------------------------------------------------- */

static LearnId *id_of(Tally *tally, const LearnFound *found)
{
	g_autofree char *key = g_strdup_printf("%s %s", found->kind, found->value);
	LearnId *id = g_hash_table_lookup(tally->ids, key);
	if (id == NULL) {
		id = g_new0(LearnId, 1);
		*id = (LearnId){g_strdup(found->kind), g_strdup(found->value),
			g_strdup(found->text), tally->id_list->len, 0, 0};
		tally->memory += COST_ID + 2 * strlen(found->value) + strlen(found->text);
		g_ptr_array_add(tally->id_list, id);
		g_hash_table_insert(tally->ids, g_steal_pointer(&key), id);
	} else if (strcmp(found->text, id->text) < 0) {
		g_free(id->text);
		id->text = g_strdup(found->text);
	}
	return id;
}

static LearnTo *to_of(Tally *tally, const char *address)
{
	LearnTo *to = g_hash_table_lookup(tally->tos, address);
	if (to == NULL) {
		to = g_new0(LearnTo, 1);
		*to = (LearnTo){g_strdup(address), tally->to_list->len, 0};
		tally->memory += COST_TO + strlen(address);
		g_ptr_array_add(tally->to_list, to);
		g_hash_table_insert(tally->tos, to->address, to);
	}
	return to;
}

static int by_number(const void *a, const void *b)
{
	const LearnTo *x = *(LearnTo *const *)a, *y = *(LearnTo *const *)b;
	return (x->number > y->number) - (x->number < y->number);
}

static int by_id(const void *a, const void *b)
{
	const LearnIn *x = a, *y = b;
	return (x->id->number > y->id->number) - (x->id->number < y->id->number);
}

static GBytes *key_of(const LearnTo *const *to, guint n_to, const LearnIn *in, guint n_in)
{
	GByteArray *key = g_byte_array_new();
	g_byte_array_append(key, (const guint8 *)&n_to, sizeof n_to);
	for (guint i = 0; i < n_to; i++)
		g_byte_array_append(key, (const guint8 *)&to[i]->number, sizeof to[i]->number);
	for (guint i = 0; i < n_in; i++) {
		g_byte_array_append(
			key, (const guint8 *)&in[i].id->number, sizeof in[i].id->number);
		g_byte_array_append(key, (const guint8 *)&in[i].faces, sizeof in[i].faces);
	}
	return g_byte_array_free_to_bytes(key);
}

static LearnShape *shape_of(Tally *tally, GPtrArray *to, GArray *in)
{
	g_ptr_array_sort(to, by_number);
	g_array_sort(in, by_id);
	g_autoptr(GBytes) key = key_of((const LearnTo *const *)to->pdata, to->len,
		(const LearnIn *)(void *)in->data, in->len);
	LearnShape *shape = g_hash_table_lookup(tally->shapes, key);
	if (shape != NULL)
		return shape;
	shape = g_new0(LearnShape, 1);
	shape->n_to = to->len;
	shape->n_in = in->len;
	shape->to = g_memdup2(to->pdata, to->len * sizeof *shape->to);
	shape->in = g_memdup2(in->data, in->len * sizeof *shape->in);
	tally->memory += COST_SHAPE + 12 * (guint64)to->len + 28 * (guint64)in->len +
		COST_CELL * (guint64)in->len * MIN(to->len, MS_LEARN_CROWD);
	g_ptr_array_add(tally->shape_list, shape);
	g_hash_table_insert(tally->shapes, g_steal_pointer(&key), shape);
	return shape;
}

/* The first of them by date and name are kept. */
static void add_example(
	Tally *tally, LearnShape *shape, const char *name, const char *subject, gint64 date)
{
	int at = 0;
	while (at < LEARN_EXAMPLES && shape->examples[at].name != NULL &&
		(shape->examples[at].date < date ||
			(shape->examples[at].date == date &&
				strcmp(shape->examples[at].name, name) <= 0)))
		at++;
	if (at == LEARN_EXAMPLES)
		return;
	LearnExample *last = &shape->examples[LEARN_EXAMPLES - 1];
	g_free(last->name);
	g_free(last->subject);
	memmove(&shape->examples[at + 1], &shape->examples[at],
		(gsize)(LEARN_EXAMPLES - 1 - at) * sizeof *last);
	shape->examples[at] = (LearnExample){g_strdup(name), g_strdup(subject), date};
	tally->memory += strlen(name) + strlen(subject) + 64;
}

static void note_date(LearnShape *shape, gint64 date)
{
	if (date > 0 && (shape->first == 0 || date < shape->first))
		shape->first = date;
	shape->last = MAX(shape->last, date);
}

/* ---- a message ------------------------------------------------------------------------- */

static void count_sender(Tally *tally, const char *sender)
{
	const char *at = strrchr(sender, '@');
	if (at == NULL || at[1] == '\0')
		return;
	guint n = GPOINTER_TO_UINT(g_hash_table_lookup(tally->sender_domains, at + 1));
	g_hash_table_insert(tally->sender_domains, g_strdup(at + 1), GUINT_TO_POINTER(n + 1));
}

static void count_reading(MsLearnSum *sum, const LearnMail *mail)
{
	sum->by[mail->by]++;
	sum->undated += mail->date == 0;
	sum->unwritable += mail->unwritable;
	sum->unread_any += mail->unread != 0;
	for (guint i = 0; i < MS_N_UNREAD; i++)
		sum->unread[i] += (mail->unread >> i) & 1;
}

void tally_add(Tally *tally, const LearnMail *mail)
{
	MsLearnSum *sum = &tally->sum;
	if (tally->memory >= tally->most) {
		sum->over++;
		return;
	}
	count_reading(sum, mail);
	g_autoptr(GPtrArray) to = g_ptr_array_new();
	g_autoptr(GArray) in = g_array_new(FALSE, FALSE, sizeof(LearnIn));
	for (guint i = 0; i < mail->to->len; i++) {
		LearnTo *one = to_of(tally, mail->to->pdata[i]);
		one->messages++;
		g_ptr_array_add(to, one);
	}
	for (guint i = 0; i < mail->found->len; i++) {
		const LearnFound *found = &g_array_index(mail->found, LearnFound, i);
		const LearnIn one = {id_of(tally, found), found->faces};
		one.id->messages++;
		one.id->seller += found->seller;
		if (!found->seller)
			g_array_append_val(in, one);
	}
	count_sender(tally, mail->sender);
	sum->learned++;
	sum->bare += in->len == 0 || to->len == 0;
	if (in->len == 0 || to->len == 0)
		return;
	LearnShape *shape = shape_of(tally, to, in);
	shape->messages++;
	note_date(shape, mail->date);
	add_example(tally, shape, mail->name, mail->subject, mail->date);
}

void tally_add_trail(Tally *tally, GPtrArray *ids, GPtrArray *tos, gint64 date, const char *name)
{
	g_autoptr(GArray) in = g_array_new(FALSE, FALSE, sizeof(LearnIn));
	if (tally->memory >= tally->most)
		return;
	for (guint i = 0; i < ids->len; i++) {
		const LearnIn one = {ids->pdata[i], 0};
		g_array_append_val(in, one);
	}
	LearnShape *shape = shape_of(tally, tos, in);
	shape->trail++;
	note_date(shape, date);
	add_example(tally, shape, name, "", date);
	tally->sum.trail_messages++;
}

/* ---- in order -------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const LearnId *x = *(LearnId *const *)a, *y = *(LearnId *const *)b;
	int kind = strcmp(x->kind, y->kind);
	return kind != 0 ? kind : strcmp(x->value, y->value);
}

static int by_address(const void *a, const void *b)
{
	return strcmp((*(LearnTo *const *)a)->address, (*(LearnTo *const *)b)->address);
}

static int by_shape(const void *a, const void *b)
{
	const LearnShape *x = *(LearnShape *const *)a, *y = *(LearnShape *const *)b;
	for (guint i = 0; i < MIN(x->n_to, y->n_to); i++)
		if (x->to[i] != y->to[i])
			return x->to[i]->number < y->to[i]->number ? -1 : 1;
	for (guint i = 0; i < MIN(x->n_in, y->n_in); i++) {
		if (x->in[i].id != y->in[i].id)
			return x->in[i].id->number < y->in[i].id->number ? -1 : 1;
		if (x->in[i].faces != y->in[i].faces)
			return x->in[i].faces < y->in[i].faces ? -1 : 1;
	}
	if (x->n_to != y->n_to)
		return x->n_to < y->n_to ? -1 : 1;
	return (x->n_in > y->n_in) - (x->n_in < y->n_in);
}

void tally_settle(Tally *tally)
{
	g_ptr_array_sort(tally->id_list, by_value);
	g_ptr_array_sort(tally->to_list, by_address);
	for (guint i = 0; i < tally->id_list->len; i++)
		((LearnId *)tally->id_list->pdata[i])->number = i;
	for (guint i = 0; i < tally->to_list->len; i++)
		((LearnTo *)tally->to_list->pdata[i])->number = i;
	for (guint i = 0; i < tally->shape_list->len; i++) {
		LearnShape *s = tally->shape_list->pdata[i];
		qsort(s->to, s->n_to, sizeof *s->to, by_number);
		qsort(s->in, s->n_in, sizeof *s->in, by_id);
	}
	g_ptr_array_sort(tally->shape_list, by_shape);
	g_hash_table_remove_all(tally->shapes);
}
