/*
 * Thousands of reloads while others ask for policies: everybody has one whole configuration, and
 * memory is as before.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/engine.h"

#include "../test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

typedef struct {
	char *dir, *config;
	GMutex lock;
	MsRuntime *runtime; /* under the lock, as in missentd */
	gint stopping, asked, mixed;
} World;

static void write_file(const World *w, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(w->dir, name, NULL);
	g_autoptr(GError) error = NULL;
	g_file_set_contents(path, text, -1, &error);
	g_assert_no_error(error);
}

/* `n` policies whose titles begin with `word`. */
static void write_policies(const World *w, const char *word, guint n)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(text,
			"policy \"%s-%u\" {\n sender = {\"%s%u@example.com\", \"@%s%u.example\"}\n"
			" header = {'Subject: invoice %u'}\n kinds = {\"iban\"}\n}\n",
			word, i, word, i, word, i, i);
	write_file(w, "policies/p.conf", text->str);
}

static void world_init(World *w)
{
	memset(w, 0, sizeof *w);
	w->dir = scratch_folder();
	w->config = g_build_filename(w->dir, "missent.conf", NULL);
	g_autofree char *policies = g_build_filename(w->dir, "policies", NULL);
	g_autofree char *text = g_strdup_printf("state-dir = \"%s\"\n", w->dir);
	g_assert_cmpint(g_mkdir(policies, 0700), ==, 0);
	write_file(w, "missent.conf", text);
	write_file(w, "policies/kinds.conf", "kind \"iban\" { pattern = {'[A-Z]{2}[0-9]{20}'} }\n");
}

static MsRuntime *runtime_of(World *w)
{
	g_mutex_lock(&w->lock);
	MsRuntime *runtime = ms_runtime_ref(w->runtime);
	g_mutex_unlock(&w->lock);
	return runtime;
}

static void reload(World *w)
{
	g_autoptr(GError) error = NULL;
	MsRuntime *fresh = ms_runtime_load(w->config, 0, NULL, &error);
	g_assert_no_error(error);
	g_mutex_lock(&w->lock);
	MsRuntime *old = w->runtime;
	w->runtime = fresh;
	g_mutex_unlock(&w->lock);
	ms_runtime_unref(old);
}

/* A message's thread: of what it begins with, all policies are of one word. */
static void *ask(void *user)
{
	World *w = user;
	while (g_atomic_int_get(&w->stopping) == 0) {
		MsRuntime *runtime = runtime_of(w);
		const MsPolicies *policies = ms_runtime_policies(runtime);
		bool enforced;
		char first = *ms_policies_nth(policies, 0, &enforced);
		for (guint i = 0; i < ms_policies_count(policies); i++)
			if (*ms_policies_nth(policies, i, &enforced) != first)
				g_atomic_int_inc(&w->mixed);
		g_autoptr(MsEnvelope) envelope = ms_envelope_new();
		envelope->sender = g_strdup("a1@example.com");
		if (ms_policy_may_apply(policies, envelope) != (first == 'a'))
			g_atomic_int_inc(&w->mixed);
		g_atomic_int_inc(&w->asked);
		ms_runtime_unref(runtime);
		g_usleep(100);
	}
	return NULL;
}

static gint64 resident(void)
{
	g_autofree char *text = NULL;
	long pages = 0;
	g_file_get_contents("/proc/self/statm", &text, NULL, NULL);
	g_assert_cmpint(sscanf(text, "%*s %ld", &pages), ==, 1);
	return pages * sysconf(_SC_PAGESIZE);
}

/* The first ones fill what is kept for later. */
static void go(guint policies, guint warm, guint n)
{
	World w;
	GThread *threads[2];
	gint64 before = 0;
	world_init(&w);
	write_policies(&w, "a", policies);
	reload(&w);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("ask", ask, &w);
	for (guint i = 0; i < n; i++) {
		if (i == warm)
			before = resident();
		if (i % 10 == 0)
			write_policies(&w, i % 20 == 0 ? "b" : "a", policies);
		reload(&w);
	}
	while (g_atomic_int_get(&w.asked) < 100)
		g_usleep(1000);
	g_atomic_int_set(&w.stopping, 1);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	gint64 more = resident() - before;
	g_test_message("%u reloads of %u policies, %d asked meanwhile: memory %+" G_GINT64_FORMAT
		       " kB",
		n, policies, w.asked, more / 1024);
	g_assert_cmpint(w.mixed, ==, 0);
	if (!SANITIZED) /* these keep what is freed */
		g_assert_cmpint(more, <, 8 << 20);
	ms_runtime_unref(w.runtime);
	remove_folder(w.dir);
	g_free(w.dir);
	g_free(w.config);
}

static void test_many_reloads(void)
{
	const char *many = g_getenv("MS_RELOADS"); /* 10000: half a minute */
	go(3, 500,
		many != NULL        ? (guint)CLAMP(g_ascii_strtoll(many, NULL, 10), 1000, 1000000)
			: SANITIZED ? 800
				    : 2000);
}

static void test_many_policies(void)
{
	go(1000, 5, SANITIZED ? 8 : 25);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reload/many-reloads", test_many_reloads);
	g_test_add_func("/reload/many-policies", test_many_policies);
	return g_test_run();
}
