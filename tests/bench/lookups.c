/*
 * What one message costs the directory, in a mapping as tests/bench/mapping makes it: usage
 * `lookups CONFIG ACCOUNTS ROUNDS`.  Each asks for seven numbers of one account, an address in
 * the text and two recipients; half of the numbers are another account's.  Prints the median and
 * the 99th percentile in microseconds.
 *
 * `lookups CONFIG ACCOUNTS -SECONDS` asks that long, from two threads, and looks at the answers:
 * prints how many were right, wrong and unavailable, the longest time without a right one, and
 * why there was none.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "missent/engine.h"

static int compare(const void *a, const void *b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
	return (x > y) - (x < y);
}

static void fail_on(GError *error)
{
	if (error == NULL)
		return;
	fprintf(stderr, "lookups: %s\n", error->message);
	exit(1);
}

static MsIdentifier *number_of(MsKinds *kinds, guint account, int i)
{
	const char *why;
	g_autofree char *text = g_strdup_printf("INV-%04d-%08u", 2020 + i % 7,
		10000000 + account * 10 + (guint)i);
	g_autofree char *value = ms_kind_canonical(
		ms_kinds_find(kinds, "invoice-number"), text, strlen(text), &why);
	return ms_identifier_new("invoice-number", value);
}

typedef struct {
	guint owned, wrong;
	GError *error;
} Answer;

/* Each number is its account's, and of the two recipients the one that is may have it. */
static void look_at(const MsResolution *r, guint n, bool same, Answer *out)
{
	for (guint i = 0; i < n; i++) {
		bool own = i % 2 == 0 || i == n - 1; /* the address is the last one */
		out->owned += ms_resolution_is_owned(r, i);
		for (guint k = 0; k < 2; k++)
			out->wrong += ms_resolution_relation(r, i, k) !=
				(own == (k == 0) || same ? MS_OWN : MS_OTHER);
	}
}

static gint64 ask(MsDirectory *directory, MsKinds *kinds, guint accounts, Answer *out)
{
	guint own = (guint)g_random_int_range(0, (gint32)accounts),
	      other = (guint)g_random_int_range(0, (gint32)accounts);
	g_autoptr(GPtrArray)
		ids = g_ptr_array_new_with_free_func((GDestroyNotify)ms_identifier_free);
	for (int i = 0; i < 7; i++)
		g_ptr_array_add(ids, number_of(kinds, i % 2 ? other : own, i));
	g_autofree char *address = g_strdup_printf("user%u@customer%u.example", own, own);
	g_autofree char *copy = g_strdup_printf("user%u@customer%u.example", other, other);
	g_ptr_array_add(ids, ms_identifier_new("email", address));
	const char *recipients[] = {address, copy};
	g_autoptr(MsResolution) r = NULL;
	gint64 start = g_get_monotonic_time();
	ms_directory_resolve(directory, (const MsIdentifier *const *)ids->pdata, ids->len,
		recipients, 2, &r, &out->error);
	gint64 took = g_get_monotonic_time() - start;
	if (r != NULL)
		look_at(r, ids->len, own == other, out);
	return took;
}

/* ---- how long it takes ---- */

static void measure(MsDirectory *directory, MsKinds *kinds, guint accounts, guint rounds)
{
	Answer answer = {0};
	g_autofree gint64 *took = g_new(gint64, rounds);
	for (guint i = 0; i < rounds / 10; i++)
		ask(directory, kinds, accounts, &answer); /* to warm up */
	answer.owned = 0;
	for (guint i = 0; i < rounds; i++) {
		took[i] = ask(directory, kinds, accounts, &answer);
		fail_on(answer.error);
	}
	qsort(took, rounds, sizeof *took, compare);
	printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %.2f\n", took[rounds / 2],
		took[rounds * 99 / 100], (double)answer.owned / rounds);
}

/* ---- whether it is right ---- */

typedef struct {
	MsDirectory *directory;
	MsKinds *kinds;
	guint accounts;
	gint64 end;
	guint64 right, wrong, unavailable;
	gint64 gap;
	char *why;
} Traffic;

static gpointer run(gpointer user)
{
	Traffic *t = user;
	gint64 last = g_get_monotonic_time();
	while (g_get_monotonic_time() < t->end) {
		Answer answer = {0};
		ask(t->directory, t->kinds, t->accounts, &answer);
		gint64 now = g_get_monotonic_time();
		t->unavailable += answer.error != NULL;
		t->wrong += answer.wrong > 0;
		if (answer.error != NULL) {
			g_free(t->why);
			t->why = g_strdup(answer.error->message);
			g_clear_error(&answer.error);
			g_usleep(20000);
		} else if (answer.wrong == 0) {
			t->right++;
			t->gap = MAX(t->gap, now - last);
			last = now;
		}
	}
	return NULL;
}

static void watch(MsDirectory *directory, MsKinds *kinds, guint accounts, gint64 seconds)
{
	Traffic t[2];
	GThread *threads[G_N_ELEMENTS(t)];
	for (gsize i = 0; i < G_N_ELEMENTS(t); i++) {
		t[i] = (Traffic){.directory = directory, .kinds = kinds, .accounts = accounts,
			.end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC};
		threads[i] = g_thread_new("asks", run, &t[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(t); i++)
		g_thread_join(threads[i]);
	const char *why = t[0].why != NULL ? t[0].why : t[1].why;
	printf("right=%" G_GUINT64_FORMAT " wrong=%" G_GUINT64_FORMAT
	       " unavailable=%" G_GUINT64_FORMAT " gap=%.2f%s%s\n",
		t[0].right + t[1].right, t[0].wrong + t[1].wrong,
		t[0].unavailable + t[1].unavailable,
		(double)MAX(t[0].gap, t[1].gap) / G_USEC_PER_SEC, why != NULL ? " why=" : "",
		why != NULL ? why : "");
	for (gsize i = 0; i < G_N_ELEMENTS(t); i++)
		g_free(t[i].why);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load(argv[1], &error);
	fail_on(error);
	MsKinds *kinds = ms_engine_load_kinds(settings, &error);
	fail_on(error);
	g_autoptr(MsDirectory) directory = ms_engine_open_directory(settings, kinds, &error);
	fail_on(error);
	guint accounts = (guint)atoi(argv[2]);
	int rounds = atoi(argv[3]);
	if (rounds > 0)
		measure(directory, kinds, accounts, (guint)rounds);
	else
		watch(directory, kinds, accounts, -rounds);
	ms_kinds_unref(kinds);
	return 0;
}
