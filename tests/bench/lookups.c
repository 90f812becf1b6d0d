#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "missent/engine.h"

/*
 * What one message costs the directory, in a mapping as tests/bench/mapping makes it: usage
 * `lookups CONFIG ACCOUNTS ROUNDS`.  Each asks for seven numbers of one account, an address in the
 * text and two recipients; half of the numbers are another account's.  Prints the median and the 99th
 * percentile in microseconds.
 */

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
	g_autofree char *value = ms_kind_canonical(ms_kinds_find(kinds, "invoice-number"), text, strlen(text), &why);
	return ms_identifier_new("invoice-number", value);
}

static gint64 ask(MsDirectory *directory, MsKinds *kinds, guint accounts, guint *owned)
{
	guint own = (guint)g_random_int_range(0, (gint32)accounts), other = (guint)g_random_int_range(0, (gint32)accounts);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func((GDestroyNotify)ms_identifier_free);
	for (int i = 0; i < 7; i++)
		g_ptr_array_add(ids, number_of(kinds, i % 2 ? other : own, i));
	g_autofree char *address = g_strdup_printf("user%u@customer%u.example", own, own);
	g_autofree char *copy = g_strdup_printf("user%u@customer%u.example", other, other);
	g_ptr_array_add(ids, ms_identifier_new("email", address));
	const char *recipients[] = {address, copy};
	g_autoptr(MsResolution) r = NULL;
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	ms_directory_resolve(directory, (const MsIdentifier *const *)ids->pdata, ids->len, recipients, 2, &r, &error);
	gint64 took = g_get_monotonic_time() - start;
	fail_on(error);
	for (guint i = 0; i < ids->len; i++)
		*owned += ms_resolution_is_owned(r, i);
	return took;
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
	guint accounts = (guint)atoi(argv[2]), rounds = (guint)atoi(argv[3]), owned = 0;
	g_autofree gint64 *took = g_new(gint64, rounds);
	for (guint i = 0; i < rounds / 10; i++)
		ask(directory, kinds, accounts, &owned); /* to warm up */
	owned = 0;
	for (guint i = 0; i < rounds; i++)
		took[i] = ask(directory, kinds, accounts, &owned);
	qsort(took, rounds, sizeof *took, compare);
	printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %.2f\n", took[rounds / 2], took[rounds * 99 / 100],
		(double)owned / rounds);
	ms_kinds_unref(kinds);
	return 0;
}
