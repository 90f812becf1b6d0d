/*
 * A mapping is whole, or known not to be: what is lost, changed, moved or older is never "not
 * found".
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/directory.h"
#include "missent/store.h"

#include "../../milter/directory/directory_private.h"
#include "../redis.h"
#include "../test.h"

static MsKinds *kinds;
static char *dir;
static char *redis_address; /* NULL: no redis-server here */

static MsDirectorySettings settings_for(MsBackendType backend, const char *name, bool digests)
{
	static GPtrArray *kept;
	if (kept == NULL)
		kept = g_ptr_array_new_with_free_func(g_free);
	char *file = g_strdup_printf("%s/%s.db", dir, name);
	char *key = g_build_filename(dir, "site.key", NULL);
	g_ptr_array_add(kept, file);
	g_ptr_array_add(kept, key);
	return (MsDirectorySettings){
		.backend = backend,
		.sqlite = file,
		.redis = {.address = redis_address,
			.timeout_ms = 5000,
			.connections = 4,
			.refuse_eviction = true},
		.redis_prefix = name,
		.key_file = key,
		.digests = digests,
		.house = "house",
		.tag_separators = "+",
	};
}

static MsDirectory *open_directory(const MsDirectorySettings *settings)
{
	g_autoptr(GError) error = NULL;
	MsDirectory *directory = ms_directory_open(settings, kinds, &error);
	g_assert_no_error(error);
	return directory;
}

static int file_of(const char *text)
{
	g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	int fd = open(path, O_RDONLY);
	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static bool import(
	MsDirectory *directory, const char *text, MsImportOptions options, GError **error)
{
	int fd = file_of(text);
	MsImportResult result;
	options.max_shrink = 1;
	options.source = "in.csv";
	bool fine = ms_directory_import(directory, fd, &options, &result, error);
	close(fd);
	return fine;
}

static void load(MsDirectory *directory, const char *text)
{
	g_autoptr(GError) error = NULL;
	import(directory, text, (MsImportOptions){.max_bad = 0}, &error);
	g_assert_no_error(error);
}

/* n accounts, each with three numbers, an address and somebody who receives for it. */
static char *rows_of(guint n)
{
	GString *out = g_string_new("account,kind,value\n");
	for (guint i = 0; i < n; i++)
		g_string_append_printf(out,
			"A-%05u,recipient,user%u@a%u.example\nA-%05u,customer-number,C-%06u\n"
			"A-%05u,customer-number,D-%06u\nA-%05u,customer-number,E-%06u\nR-%u,receives-for,A-%05u\n",
			i, i, i, i, i, i, i, i, i, i % 7, i);
	g_string_append(
		out, "R-3,recipient,desk@reseller.example\nhouse,recipient,@seller.example\n");
	return g_string_free(out, FALSE);
}

/* The relation of a number to a recipient; -1: unavailable. */
static int ask(MsDirectory *directory, const char *value, const char *recipient)
{
	g_autoptr(MsIdentifier) identifier = ms_identifier_new("customer-number", value);
	const MsIdentifier *list[] = {identifier};
	g_autoptr(MsResolution) resolution = NULL;
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_directory_resolve(
		directory, list, 1, &recipient, 1, &resolution, &error);
	g_assert_true((answer == MS_FOUND) == (error == NULL));
	return answer == MS_FOUND ? (int)ms_resolution_relation(resolution, 0, 0) : -1;
}

/* How many answers about account i are wrong; unavailable is not. */
static guint wrong_answers(MsDirectory *directory, guint i, guint n, guint *right)
{
	g_autofree char *own = g_strdup_printf("C%06u", i),
			*other = g_strdup_printf("E%06u", (i + 1) % n);
	g_autofree char *to = g_strdup_printf("user%u@a%u.example", i, i);
	g_autofree char *nobody = g_strdup_printf("Z%06u", i);
	const struct {
		const char *value, *to;
		int want;
	} rows[] = {{own, to, MS_OWN}, {other, to, MS_OTHER}, {nobody, to, MS_UNKNOWN},
		{own, "desk@reseller.example", i % 7 == 3 ? MS_OWN : MS_OTHER}};
	guint wrong = 0;
	for (gsize k = 0; k < G_N_ELEMENTS(rows); k++) {
		int got = ask(directory, rows[k].value, rows[k].to);
		wrong += got >= 0 && got != rows[k].want;
		*right += got == rows[k].want;
	}
	return wrong;
}

static void ignore_wrong(const char *part, const char *why, void *user)
{
	g_test_message("%s %s", part, why);
	if (user != NULL)
		g_string_append_printf(user, "%s %s\n", part, why);
}

/* How many parts are wrong. */
static gint64 verify(MsDirectory *directory, GString *text, MsVerified *out)
{
	MsVerified v = {.wrong = 0};
	g_autoptr(GError) error = NULL;
	MsAnswer answer = ms_directory_verify(directory, ignore_wrong, text, &v, &error);
	if (answer != MS_FOUND) {
		g_test_message("%s", error->message);
		return -1;
	}
	if (out != NULL)
		*out = v;
	else
		ms_verified_clear(&v);
	return v.wrong;
}

/* ---- against a model ------------------------------------------------------------------ */

static void change_at_random(MsDirectory *directory, GHashTable *model, int round)
{
	g_autofree char *account = g_strdup_printf("A-%d", g_test_rand_int_range(0, 9));
	g_autofree char *value = g_strdup_printf("N-%04d", g_test_rand_int_range(0, 300));
	g_autofree char *key = g_strdup_printf("%s/%s", account, value);
	bool changed = false, there = g_hash_table_contains(model, key);
	g_autoptr(GError) error = NULL;
	if (g_test_rand_int_range(0, 3) > 0) {
		ms_directory_put(directory, account, "customer-number", value, &changed, &error);
		g_assert_cmpint(changed, ==, !there);
		g_hash_table_add(model, g_steal_pointer(&key));
	} else {
		ms_directory_delete(directory, account, "customer-number", value, &changed, &error);
		g_assert_cmpint(changed, ==, there);
		g_hash_table_remove(model, key);
	}
	g_assert_no_error(error);
	(void)round;
}

static void check_model(const MsDirectorySettings *settings)
{
	g_autoptr(MsDirectory) directory = open_directory(settings);
	g_autoptr(GHashTable) model = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	load(directory, "A-0,customer-number,FIRST-1\n");
	for (int round = 0; round < 600; round++)
		change_at_random(directory, model, round);
	for (int i = 0; i < 300; i++) {
		g_autofree char *canonical = g_strdup_printf("N%04d", i);
		g_autoptr(MsIdentifier)
			identifier = ms_identifier_new("customer-number", canonical);
		const MsIdentifier *list[] = {identifier};
		g_autoptr(MsResolution) r = NULL;
		g_assert_cmpint(
			ms_directory_resolve(directory, list, 1, NULL, 0, &r, NULL), ==, MS_FOUND);
		g_autoptr(GPtrArray) owners = g_ptr_array_new();
		ms_resolution_owners(r, 0, 20, owners);
		guint want = 0;
		for (int a = 0; a < 9; a++) {
			g_autofree char *key = g_strdup_printf("A-%d/N-%04d", a, i);
			g_autofree char *account = g_strdup_printf("A-%d", a);
			bool there = g_hash_table_contains(model, key);
			want += there;
			g_assert_cmpint(g_ptr_array_find_with_equal_func(
						owners, account, g_str_equal, NULL),
				==, there);
		}
		g_assert_cmpuint(owners->len, ==, want);
	}
	MsVerified v;
	g_assert_cmpint(verify(directory, NULL, &v), ==, 0);
	g_assert_cmpint(v.entries, ==, g_hash_table_size(model) + 1);
	g_assert_cmpint(v.state.entries, ==, v.entries);
	ms_verified_clear(&v);
}

static void test_model(void)
{
	for (int digests = 0; digests < 2; digests++) {
		MsDirectorySettings settings = settings_for(
			MS_BACKEND_SQLITE, digests ? "model" : "model-plain", digests);
		check_model(&settings);
	}
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "model", true);
	if (redis_address != NULL)
		check_model(&settings);
}

/* ---- databases with other bytes in them ------------------------------------------------- */

static void mutate(char *data, gsize len)
{
	int n = 1 << g_test_rand_int_range(0, 8);
	gsize at = (gsize)g_test_rand_int_range(0, (gint32)len);
	bool near = g_test_rand_bit();
	for (int i = 0; i < n; i++) {
		if (!near || i == 0)
			at = (gsize)g_test_rand_int_range(0, (gint32)len);
		else
			at = (at + (gsize)g_test_rand_int_range(0, 200)) % len;
		data[at] = (char)g_test_rand_int_range(0, 256);
	}
}

/* Whole pages in the place of others, and of an earlier moment. */
static void mutate_pages(char *data, gsize len, const char *older, gsize older_len)
{
	const gsize page = 4096;
	for (int i = g_test_rand_int_range(1, 4); i > 0; i--) {
		gsize to = (gsize)g_test_rand_int_range(0, (gint32)(len / page)) * page;
		gsize from = (gsize)g_test_rand_int_range(0, (gint32)(MIN(len, older_len) / page)) *
			page;
		if (g_test_rand_bit())
			memmove(data + to, data + from, page);
		else if (to + page <= older_len)
			memcpy(data + to, older + to, page);
	}
}

static void make_database(const char *path, const char *text)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "whole", true);
	settings.sqlite = path;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	bool more = true;
	load(directory, text);
	while (more)
		g_assert_true(ms_directory_tidy(directory, &more, NULL));
}

/* Whatever bytes of the file become others, no verdict is wrong. */
static void test_mutated(void)
{
	const guint accounts = 300, databases = 1000;
	g_autofree char *text = rows_of(accounts), *path = g_build_filename(dir, "whole.db", NULL);
	g_autofree char *hurt = g_build_filename(dir, "hurt.db", NULL);
	g_autofree char *older = NULL, *data = NULL;
	gsize older_len, len;
	make_database(path, text);
	g_assert_true(g_file_get_contents(path, &older, &older_len, NULL));
	make_database(path, text); /* so that there are free pages of another mapping, too */
	g_assert_true(g_file_get_contents(path, &data, &len, NULL));
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "hurt", true);
	guint wrong = 0, right = 0, unusable = 0;
	for (guint i = 0; i < databases; i++) {
		g_autofree char *copy = g_memdup2(data, len);
		static const char *const ends[] = {"", "-wal", "-shm"};
		for (gsize k = 0; k < G_N_ELEMENTS(ends); k++) {
			g_autofree char *name = g_strconcat(hurt, ends[k], NULL);
			unlink(name);
		}
		if (i % 4 == 3)
			mutate_pages(copy, len, older, older_len);
		else
			mutate(copy, len);
		g_assert_true(g_file_set_contents(hurt, copy, (gssize)len, NULL));
		g_autoptr(MsDirectory) directory = ms_directory_open(&settings, kinds, NULL);
		unusable += directory == NULL;
		for (int k = 0; k < 3 && directory != NULL; k++)
			wrong += wrong_answers(directory, (guint)g_test_rand_int_range(0, accounts),
				accounts, &right);
	}
	g_test_message("%u databases, %u not opened, %u right answers, %u wrong", databases,
		unusable, right, wrong);
	g_assert_cmpuint(wrong, ==, 0);
	g_assert_cmpuint(right, >, databases); /* or the test says nothing */
}

/* ---- parts that are gone, changed, moved or older -------------------------------------- */

static MsRedis *raw(void)
{
	MsRedisSettings settings = {.address = redis_address, .timeout_ms = 5000, .connections = 1};
	g_autoptr(GError) error = NULL;
	MsRedis *redis = ms_redis_new(&settings, &error);
	g_assert_no_error(error);
	return redis;
}

/* Words are parted by |; % is the generation in use. */
static MsReply *say(MsRedis *redis, const char *prefix, const char *line)
{
	g_autofree char *key = g_strconcat(prefix, ":current", NULL);
	const char *get[] = {"GET", key};
	g_autoptr(MsReply) current = NULL;
	g_autoptr(GError) error = NULL;
	ms_redis_command(redis, 2, get, &current, &error);
	g_assert_no_error(error);
	g_auto(GStrv) around = g_strsplit(line, "%", -1);
	g_autofree char *whole = g_strjoinv(current->text, around);
	g_auto(GStrv) words = g_strsplit(whole, "|", -1);
	MsReply *reply = NULL;
	ms_redis_command(redis, g_strv_length(words), (const char *const *)words, &reply, &error);
	g_assert_no_error(error);
	return reply;
}

static void hurt(MsRedis *redis, const char *prefix, const char *line)
{
	ms_reply_free(say(redis, prefix, line));
}

typedef struct {
	GMutex lock;
	guint lost, whole;
	char *text;
} Told;

static void on_told(bool whole, const char *text, void *user)
{
	Told *told = user;
	g_mutex_lock(&told->lock);
	told->whole += whole;
	told->lost += !whole;
	g_free(told->text);
	told->text = g_strdup(text);
	g_mutex_unlock(&told->lock);
}

static bool wait_for(Told *told, guint lost, guint whole)
{
	for (int i = 0; i < 200; i++) {
		g_mutex_lock(&told->lock);
		bool come = told->lost >= lost && told->whole >= whole;
		g_mutex_unlock(&told->lock);
		if (come)
			return true;
		g_usleep(50 * 1000);
	}
	return false;
}

/* One part of many, far from what is asked for.  A byte is made another, whatever it was: sealed
 * parts are as good as random. */
static void test_parts(void)
{
	static const struct {
		const char *name, *command, *part;
	} cases[] = {
		{"a slice", "DEL|parts:%:s:40", "s:40 is lost"},
		{"the last slice", "DEL|parts:%:s:87", "s:87 is lost"},
		{"a byte of one",
			"EVAL|local v=redis.call('GETRANGE',KEYS[1],300,300) redis.call('SETRANGE',KEYS[1],300,"
			"string.char(255-string.byte(v)))|1|parts:%:s:11",
			"s:11 is damaged"},
		{"two that changed places",
			"EVAL|local a=redis.call('GET',KEYS[1]) redis.call('SET',KEYS[1],"
			"redis.call('GET',KEYS[2])) redis.call('SET',KEYS[2],a)|2|parts:%:s:3|parts:%:s:4",
			"s:3 is damaged"},
		{"a group", "DEL|parts:%:g:0", "g:0 is lost"},
		{"a byte of a group",
			"EVAL|local v=redis.call('GETRANGE',KEYS[1],7,7) redis.call('SETRANGE',KEYS[1],7,"
			"string.char(255-string.byte(v)))|1|parts:%:g:0",
			"g:0 is not the sum of its slices"},
		{"a list of marks", "DEL|parts:%:m:0", "m:0 is lost"},
		{"a byte of it",
			"EVAL|local v=redis.call('GETRANGE',KEYS[1],700,700) redis.call('SETRANGE',KEYS[1],700,"
			"string.char(255-string.byte(v)))|1|parts:%:m:0",
			"m:0 is damaged"},
	};
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "parts", true);
	g_autofree char *text = rows_of(430);
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) loader = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		load(loader, text);
		g_autoptr(GString) found = g_string_new(NULL);
		g_test_message("%s", cases[i].name);
		g_assert_cmpint(verify(loader, NULL, NULL), ==, 0);
		hurt(redis, "parts", cases[i].command);
		g_assert_cmpint(verify(loader, found, NULL), >, 0);
		if (strstr(found->str, cases[i].part) == NULL)
			g_error("got \"%s\", want \"%s\"", found->str, cases[i].part);
	}
}

/* Whatever is done to all of it, by whoever has the keys of Redis and not ours: unavailable. */
static void test_hostile(void)
{
#define EACH(body)                                                                            \
	"EVAL|for i=0,87 do local k=KEYS[1]..'s:'..i local v=redis.call('GET',k) or '' " body \
	" end|1|hostile:%:"
#define STATE(from, to)                                                                        \
	"EVAL|redis.call('SET',KEYS[1],(string.gsub(redis.call('GET',KEYS[1]),'" from "','" to \
	"')))"                                                                                 \
	"|1|hostile:%:now"
	static const struct {
		const char *name, *command;
	} cases[] = {
		{"slices of another type", EACH("redis.call('DEL',k) redis.call('LPUSH',k,'x')")},
		{"empty ones", EACH("redis.call('SET',k,'')")},
		{"shorter ones", EACH("redis.call('SET',k,string.sub(v,1,-2))")},
		{"longer ones", EACH("redis.call('APPEND',k,'x')")},
		{"of no entries",
			EACH("redis.call('SET',k,string.sub(v,1,16)..string.rep(string.char(0),4)..string.sub(v,21))")},
		{"of four milliards of them",
			EACH("redis.call('SET',k,string.sub(v,1,16)..string.rep(string.char(255),4)"
			     "..string.sub(v,21))")},
		{"the one beside it",
			EACH("redis.call('SET',k,redis.call('GET',KEYS[1]..'s:'..(i+1)) or v)")},
		{"all the same", EACH("redis.call('SET',k,redis.call('GET',KEYS[1]..'s:87'))")},
		{"lists of marks in their place",
			EACH("redis.call('SET',k,redis.call('GET',KEYS[1]..'m:0'))")},
		{"they expire", EACH("redis.call('PEXPIRE',k,1)")},
		{"one slice", STATE("slices=[0-9]+", "slices=1")},
		{"no slice", STATE("slices=[0-9]+", "slices=0")},
		{"more slices", STATE("slices=", "slices=1")},
		{"slices without end", STATE("slices=", "slices=9999999999999999999")},
		{"other accounts", STATE("accounts=", "accounts=1")},
		{"of an earlier version", STATE("mapping=" MS_MAPPING_FORM, "mapping=1")},
		{"without a seal", STATE("seal=.*", "")},
		{"of another seal", STATE("seal=.", "seal=")},
		{"another generation", STATE("generation=.", "generation=")},
		{"a state of another type",
			"EVAL|redis.call('DEL',KEYS[1]) redis.call('LPUSH',KEYS[1],'x')|1|hostile:%:now"},
		{"no name", "SET|hostile:current|"},
		{"a name of nothing", "SET|hostile:current|0000000000000000"},
	};
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "hostile", true);
	g_autofree char *text = rows_of(430);
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) loader = open_directory(&settings),
			       reader = open_directory(&settings);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint before = 0, after = 0;
		load(loader, text);
		g_assert_cmpuint(wrong_answers(reader, 5, 430, &before), ==, 0);
		g_assert_cmpuint(before, ==, 4);
		hurt(redis, "hostile", cases[i].command);
		g_usleep(5000); /* for what expires */
		guint wrong = wrong_answers(reader, 5, 430, &after) +
			wrong_answers(reader, 6, 430, &after);
		if (wrong + after > 0)
			g_error("%s: %u wrong answers, %u right ones", cases[i].name, wrong, after);
	}
#undef EACH
#undef STATE
}

/* What one lookup cannot see is found by the thread that goes over all. */
static void test_watch(void)
{
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "watch", true);
	g_autofree char *text = rows_of(430);
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsDirectory) loader = open_directory(&settings),
			       watched = open_directory(&settings);
	load(loader, text);
	Told told = {.lost = 0};
	g_mutex_init(&told.lock);
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_directory_watch(watched, 300, on_told, &told, &error));
	guint right = 0;
	g_assert_cmpuint(wrong_answers(watched, 5, 430, &right), ==, 0);
	g_assert_cmpuint(right, ==, 4);
	/* a slice that is older than the rest: each part by itself is right */
	bool changed;
	hurt(redis, "watch",
		"EVAL|for i=0,87 do redis.call('SET','kept:'..i,redis.call('GET',KEYS[1]..i)) end|1|watch:%:s:");
	ms_directory_put(loader, "A-00005", "customer-number", "NEW-1", &changed, NULL);
	g_assert_cmpint(ask(watched, "NEW1", "user5@a5.example"), ==, MS_OWN);
	hurt(redis, "watch",
		"EVAL|for i=0,87 do redis.call('SET',KEYS[1]..i,redis.call('GET','kept:'..i)) end|1|watch:%:s:");
	g_assert_true(wait_for(&told, 1, 0));
	g_assert_nonnull(strstr(told.text, "is not the sum of its slices"));
	g_assert_nonnull(strstr(told.text, "missent directory import"));
	right = 0;
	g_assert_cmpuint(wrong_answers(watched, 5, 430, &right), ==, 0);
	g_assert_cmpuint(right, ==, 0);
	g_usleep(1000 * 1000);
	g_assert_cmpuint(told.lost, ==, 1); /* told once */
	/* Who takes its place has not seen it, and is told. */
	g_autoptr(MsDirectory) next = open_directory(&settings);
	right = 0;
	g_assert_cmpuint(wrong_answers(next, 5, 430, &right), ==, 0);
	g_assert_cmpuint(right, >, 0);
	ms_directory_succeed(next, watched);
	right = 0;
	g_assert_cmpuint(wrong_answers(next, 5, 430, &right), ==, 0);
	g_assert_cmpuint(right, ==, 0);
	/* Another mapping is another matter. */
	load(loader, text);
	right = 0;
	g_assert_cmpuint(wrong_answers(watched, 5, 430, &right), ==, 0);
	g_assert_cmpuint(right, ==, 4);
	/* and one that comes back is told, too */
	hurt(redis, "watch", "RENAME|watch:%:s:80|kept");
	g_assert_true(wait_for(&told, 2, 0));
	hurt(redis, "watch", "RENAME|kept|watch:%:s:80");
	g_assert_true(wait_for(&told, 2, 1));
	g_assert_cmpint(ask(watched, "C000005", "user5@a5.example"), ==, MS_OWN);
	ms_directory_free(g_steal_pointer(&watched));
	g_free(told.text);
}

/* A promoted replica, or a dump of before: all of it is right, and older. */
static void test_gone_back(void)
{
	g_autofree char *text = rows_of(20), *path = NULL, *data = NULL;
	gsize len;
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "back", true);
	path = g_strdup(settings.sqlite);
	{
		g_autoptr(MsDirectory) loader = open_directory(&settings);
		load(loader, text);
	}
	g_assert_true(g_file_get_contents(path, &data, &len, NULL));
	g_autoptr(MsDirectory) reader = open_directory(&settings);
	bool changed;
	ms_directory_put(reader, "A-00007", "customer-number", "NEW-7", &changed, NULL);
	g_assert_cmpint(ask(reader, "NEW7", "user1@a1.example"), ==, MS_OTHER);
	g_assert_true(g_file_set_contents(path, data, (gssize)len, NULL)); /* renames over */
	const char *recipient = "user1@a1.example";
	g_autoptr(MsResolution) r = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(
		ms_directory_resolve(reader, NULL, 0, &recipient, 1, &r, &error), ==, MS_CONFIG);
	g_assert_nonnull(strstr(error->message, "changes that were made to it are gone"));
	/* What it knows is no more to be searched for by than to be asked. */
	g_clear_error(&error);
	g_autoptr(MsKnown) known = NULL;
	g_assert_cmpint(ms_directory_known(reader, NULL, 0, &known, &error), ==, MS_CONFIG);
	g_assert_nonnull(strstr(error->message, "changes that were made to it are gone"));
	/* A change would make it as new as what is gone. */
	g_assert_cmpint(ms_directory_put(reader, "A-00007", "customer-number", "NEW-7", &changed, NULL),
		==, MS_CONFIG);
	g_assert_cmpint(ask(reader, "NEW7", "user1@a1.example"), ==, -1);
	g_assert_cmpint(ms_directory_accept(reader, NULL), ==, MS_FOUND);
	ms_directory_put(reader, "A-00007", "customer-number", "NEW-7", &changed, NULL);
	g_assert_cmpint(ask(reader, "NEW7", "user1@a1.example"), ==, MS_OTHER);
}

/* ---- files copied over ------------------------------------------------------------------ */

/* As cp does: into the file that is there. */
static void copy_over(const char *path, const char *data, gsize len)
{
	FILE *f = fopen(path, "wb");
	g_assert_nonnull(f);
	g_assert_cmpuint(fwrite(data, 1, len, f), ==, len);
	g_assert_cmpint(fclose(f), ==, 0);
}

/* A file with `text` alone, as it is when nobody has it open. */
static char *database_of(const char *text, const char *name, gsize *len_out)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, name, true);
	g_autofree char *path = g_strdup(settings.sqlite);
	char *data = NULL;
	g_autoptr(MsDirectory) loader = open_directory(&settings);
	load(loader, text);
	g_clear_pointer(&loader, ms_directory_free);
	g_assert_true(g_file_get_contents(path, &data, len_out, NULL));
	return data;
}

/* Another mapping in the same file is the one that is asked, whoever has it open and whatever has
 * been remembered of the one before. */
static void check_copied(guint n)
{
	g_autofree char *first = rows_of(n),
			*moved = g_strconcat(first, "A-00002,customer-number,MOVED-1\n", NULL);
	g_autofree char *before = g_strconcat(first, "A-00001,customer-number,MOVED-1\n", NULL);
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "copied", true);
	g_autofree char *path = g_strdup(settings.sqlite), *data = NULL;
	gsize len;
	g_autoptr(MsDirectory) reader = open_directory(&settings);
	load(reader, first);
	g_assert_cmpint(ask(reader, "MOVED1", "user1@a1.example"), ==, MS_UNKNOWN);
	{
		/* whose pages stay in the log */
		g_autoptr(MsDirectory) other = open_directory(&settings);
		bool more = true;
		load(other, before);
		while (more)
			g_assert_true(ms_directory_tidy(other, &more, NULL));
		g_assert_cmpint(ask(reader, "MOVED1", "user1@a1.example"), ==, MS_OWN);
	}
	data = database_of(moved, "apart", &len);
	copy_over(path, data, len);
	g_assert_cmpint(ask(reader, "MOVED1", "user1@a1.example"), ==, MS_OTHER);
	g_assert_cmpint(ask(reader, "MOVED1", "user2@a2.example"), ==, MS_OWN);
	/* Half of one, none, something else: unavailable, and whole again when the file is. */
	const gsize halves[] = {len / 2, 0, 100, len};
	for (gsize i = 0; i < G_N_ELEMENTS(halves); i++) {
		copy_over(path, data, halves[i]);
		for (guint k = 0; k < 20; k++) {
			int got = ask(
				reader, "MOVED1", k % 2 ? "user1@a1.example" : "user2@a2.example");
			g_assert_true(got == -1 || got == (k % 2 ? MS_OTHER : MS_OWN));
		}
	}
	g_assert_cmpint(ask(reader, "MOVED1", "user2@a2.example"), ==, MS_OWN);
	load(reader, before);
	g_assert_cmpint(ask(reader, "MOVED1", "user1@a1.example"), ==, MS_OWN);
}

static void test_copied_over(void)
{
	check_copied(5);
	check_copied(3000);
}

/* ---- written by an earlier version -------------------------------------------------------- */

static void expect_refused(MsDirectory *directory, const char *why)
{
	const char *recipient = "a@b.example";
	g_autoptr(MsResolution) r = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_cmpint(
		ms_directory_resolve(directory, NULL, 0, &recipient, 1, &r, &error), ==, MS_CONFIG);
	g_assert_nonnull(strstr(error->message, why));
}

static void expect_earlier(MsDirectory *directory)
{
	expect_refused(directory, "earlier version; import it again (missent directory import)");
}

/* The form before this one, which had its parts in the same places, and one of a version to
 * come. */
static void test_other_forms_of_state(void)
{
	g_autofree char *text = rows_of(3);
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "versions", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, text);
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OWN);
	MsSqlite *db = ms_sqlite_open(settings.sqlite, 0x6d736469, "", true, NULL, NULL);
	static const char other[] =
		"UPDATE mapping SET state = 'missent-mapping=' || :other || substr(state, instr(state, char(10)))";
	g_autofree char *earlier = g_strdup_printf("%d", atoi(MS_MAPPING_FORM) - 1);
	g_autofree char *later = g_strdup_printf("%d", atoi(MS_MAPPING_FORM) + 1);
	ms_sqlite_ask(
		db, other, MS_SQL_VALUES(MS_SQL_TEXT("other", earlier)), NULL, NULL, NULL, NULL);
	expect_earlier(directory);
	ms_sqlite_ask(db, other, MS_SQL_VALUES(MS_SQL_TEXT("other", later)), NULL, NULL, NULL, NULL);
	expect_refused(directory, "later version than this host's");
	ms_sqlite_ask(db, other, MS_SQL_VALUES(MS_SQL_TEXT("other", "x")), NULL, NULL, NULL, NULL);
	expect_refused(directory, "directory: ");
	ms_sqlite_free(db);
	load(directory, text);
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OWN);
}

/* ---- written under another kinds.conf ----------------------------------------------------- */

#define KIND(name, settings) "kind " name " {\n pattern = { \"[A-Z]?[0-9]{6}\" }\n" settings "}\n"

/* A mapping of which the first kinds.conf was made, asked under the second. */
static void test_other_kinds(void)
{
	static const struct {
		const char *before, *after, *why; /* NULL: it is as good as before */
	} rows[] = {
		{KIND("customer-number", ""), KIND("customer-number", " label-required = yes\n labels = { \"no\" }\n"), NULL},
		{KIND("customer-number", ""), KIND("customer-number", "") KIND("order", ""), NULL},
		{KIND("customer-number", "") KIND("order", ""), KIND("customer-number", ""), NULL},
		{KIND("customer-number", "") KIND("order", ""), KIND("order", "") KIND("customer-number", ""), NULL},
		{KIND("customer-number", "") KIND("order", ""), KIND("customer-number", "") KIND("job", ""),
			"has a kind \"job\" and no \"order\""},
		{KIND("customer-number", ""), KIND("client-number", ""),
			"has a kind \"client-number\" and no \"customer-number\""},
		{KIND("customer-number", ""), KIND("customer-number", " canonical = digits\n"),
			"\"customer-number\" otherwise (digits none none known 0) than when it was "
			"imported (alnum none none known 0)"},
		{KIND("customer-number", ""), KIND("customer-number", " check = luhn\n"), "otherwise"},
		{KIND("customer-number", ""), KIND("customer-number", " family = vat\n"), "otherwise"},
		{KIND("customer-number", " known = no\n"), KIND("customer-number", ""), "otherwise"},
		{KIND("customer-number", "") KIND("tel", " canonical = phone\n country-code = 49\n"),
			KIND("customer-number", "") KIND("tel", " canonical = phone\n country-code = 43\n"),
			"\"tel\" otherwise"},
	};
	static const char text[] =
		"account,kind,value\nA-1,recipient,user1@a1.example\nA-1,customer-number,C000001\n";
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "kinds", true);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MsKinds) before = ms_kinds_parse("kinds.conf", rows[i].before, &error);
		g_autoptr(MsKinds) after = ms_kinds_parse("kinds.conf", rows[i].after, &error);
		g_assert_no_error(error);
		g_autoptr(MsDirectory) was = ms_directory_open(&settings, before, &error);
		g_autoptr(MsDirectory) is = ms_directory_open(&settings, after, &error);
		g_assert_no_error(error);
		load(was, text);
		g_assert_cmpint(ask(was, "C000001", "user1@a1.example"), ==, MS_OWN);
		g_test_message("row %zu", i);
		if (rows[i].why == NULL) {
			g_assert_cmpint(ask(is, "C000001", "user1@a1.example"), ==, MS_OWN);
			continue;
		}
		expect_refused(is, rows[i].why);
		/* Nor is anything put beside what is kept otherwise. */
		bool changed = false;
		g_assert_cmpint(ms_directory_put(is, "A-1", "recipient", "b@a1.example", &changed,
					&error), ==, MS_CONFIG);
		g_assert_nonnull(strstr(error->message, rows[i].why));
		g_assert_cmpint(ask(was, "C000001", "b@a1.example"), !=, MS_OWN);
		/* Imported again it is as it should be. */
		g_clear_error(&error);
		MsImportOptions lenient = {.max_bad = 1};
		import(is, text, lenient, &error);
		g_assert_no_error(error);
		expect_refused(was, "kinds.conf has");
	}
}

static void test_earlier_version(void)
{
	g_autofree char *text = rows_of(3);
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "earlier", true);
	static const char schema[] =
		"CREATE TABLE entry (generation INTEGER, key TEXT, token TEXT);"
		"CREATE TABLE mark (generation INTEGER, number INTEGER, marks TEXT);"
		"CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT);"
		"INSERT INTO state VALUES ('current', '17');";
	MsSqlite *db = ms_sqlite_open(settings.sqlite, 0x6d736469, schema, true, NULL, NULL);
	ms_sqlite_free(db);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	expect_earlier(directory);
	load(directory, text);
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OWN);
	bool more = true;
	while (more)
		g_assert_true(ms_directory_tidy(directory, &more, NULL));
	if (redis_address == NULL)
		return;
	g_autoptr(MsRedis) redis = raw();
	MsDirectorySettings r = settings_for(MS_BACKEND_REDIS, "earlier", true);
	hurt(redis, "none", "SET|earlier:current|00112233445566778899aabbccddeeff");
	hurt(redis, "none",
		"HSET|earlier:00112233445566778899aabbccddeeff:state|slices|16|changes|1");
	g_autoptr(MsDirectory) again = open_directory(&r);
	expect_earlier(again);
	load(again, text);
	g_assert_cmpint(ask(again, "C000001", "user1@a1.example"), ==, MS_OWN);
}

/* ---- imports that end before their end ----------------------------------------------------- */

static void on_note(const char *text, void *user)
{
	g_string_append(user, text);
}

/* Killed at any moment: the mapping in use stays as it is, the next import says what it found. */
static void check_killed(const MsDirectorySettings *settings)
{
	g_autofree char *before = rows_of(400), *after = rows_of(4000);
	g_autoptr(MsDirectory) directory = open_directory(settings);
	guint cut_off = 0;
	load(directory, before);
	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			MsDirectory *writer = open_directory(settings);
			load(writer, after);
			_exit(0);
		}
		g_usleep((gulong)g_test_rand_int_range(1000, 250000));
		kill(pid, SIGKILL);
		int status;
		waitpid(pid, &status, 0);
		guint right = 0;
		g_assert_cmpuint(wrong_answers(directory, (guint)i, 400, &right), ==, 0);
		g_assert_cmpuint(right, ==, 4);
		g_assert_cmpint(verify(directory, NULL, NULL), ==, 0);
		g_autoptr(GString) note = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		import(directory, before, (MsImportOptions){.note = on_note, .user = note}, &error);
		g_assert_no_error(error); /* at once, too: nobody waits for the dead */
		cut_off += strstr(note->str, "was cut off before; this one begins anew") != NULL;
		g_assert_cmpint(verify(directory, NULL, NULL), ==, 0);
	}
	g_assert_cmpuint(cut_off, >, 0);
	bool more = true;
	while (more)
		g_assert_true(ms_directory_tidy(directory, &more, NULL));
	g_assert_cmpint(verify(directory, NULL, NULL), ==, 0);
}

static void test_killed(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "killed", true);
	check_killed(&settings);
}

static void test_killed_redis(void)
{
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "killed", true);
	check_killed(&settings);
	g_autoptr(MsRedis) redis = raw();
	g_autoptr(MsReply)
		left = say(redis, "killed", "EVAL|return #redis.call('KEYS','killed:*:now')|0");
	g_assert_cmpint(left->integer, ==, 1);
}

/* Stopped in order: nothing is left behind, and nothing claimed. */
static void test_stopped(void)
{
	g_autofree char *before = rows_of(10), *after = rows_of(3000);
	MsDirectorySettings settings = settings_for(
		redis_address != NULL ? MS_BACKEND_REDIS : MS_BACKEND_SQLITE, "stopped", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, before);
	const volatile int stop = 1;
	g_autoptr(GError) error = NULL;
	g_assert_false(import(directory, after, (MsImportOptions){.stop = &stop}, &error));
	g_assert_nonnull(strstr(error->message, "the mapping in use is unchanged"));
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OWN);
	g_assert_cmpint(ask(directory, "C000100", "user1@a1.example"), ==, MS_UNKNOWN);
	load(directory, after);
	g_assert_cmpint(ask(directory, "C000100", "user1@a1.example"), ==, MS_OTHER);
}

/* What is written is read back before anybody may use it. */
typedef struct {
	MsRedis *redis;
	bool done;
} Spoil;

static void spoil(const MsImportProgress *progress, void *user)
{
	Spoil *s = user;
	if (progress->phase != MS_IMPORT_PROVE || s->done)
		return;
	s->done = true;
	hurt(s->redis, "spoilt",
		"EVAL|local g=string.match(redis.call('GET','spoilt:loading'),'^[^@]*')"
		" redis.call('DEL','spoilt:'..g..':s:7')|0");
}

static void test_spoilt(void)
{
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	g_autofree char *before = rows_of(10), *after = rows_of(300);
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "spoilt", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	g_autoptr(MsRedis) redis = raw();
	load(directory, before);
	Spoil s = {redis, false};
	g_autoptr(GError) error = NULL;
	g_assert_false(
		import(directory, after, (MsImportOptions){.progress = spoil, .user = &s}, &error));
	g_assert_true(s.done);
	g_assert_nonnull(strstr(error->message, "part s:7 of the mapping is lost"));
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OWN);
	g_assert_cmpint(ask(directory, "C000100", "user1@a1.example"), ==, MS_UNKNOWN);
}

/* ---- many at once ----------------------------------------------------------------------- */

static void check_writers(const MsDirectorySettings *settings)
{
	g_autoptr(MsDirectory) directory = open_directory(settings);
	load(directory, "A,customer-number,FIRST-1\n");
	pid_t pids[3];
	for (int w = 0; w < 3; w++) {
		pids[w] = fork();
		if (pids[w] != 0)
			continue;
		MsDirectory *writer = open_directory(settings);
		int rc = 0;
		for (int i = 0; i < 60; i++) {
			g_autofree char *value = g_strdup_printf("W%d-%03d", w, i);
			bool changed = false;
			rc |= ms_directory_put(writer, "A", "customer-number", value, &changed,
				      NULL) != MS_FOUND ||
				!changed;
		}
		_exit(rc);
	}
	for (int w = 0; w < 3; w++) {
		int status;
		waitpid(pids[w], &status, 0);
		g_assert_cmpint(status, ==, 0);
	}
	MsVerified v;
	g_assert_cmpint(verify(directory, NULL, &v), ==, 0);
	g_assert_cmpint(v.entries, ==, 181);
	ms_verified_clear(&v);
}

static void test_writers(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "writers", true);
	check_writers(&settings);
}

static void test_writers_redis(void)
{
	if (redis_address == NULL) {
		g_test_skip("redis-server is not installed");
		return;
	}
	MsDirectorySettings settings = settings_for(MS_BACKEND_REDIS, "writers", true);
	check_writers(&settings);
}

/* ---- following -------------------------------------------------------------------------- */

static bool set_aside(const MsChange *change, void *user, GError **error)
{
	(void)error;
	g_string_append_printf(user, "%s: %s\n", change->raw, change->why);
	return true;
}

/* One batch of CSV lines. */
static MsFollowed follow(
	MsDirectory *directory, const char *source, const char *text, GString *aside)
{
	int fd = file_of(text);
	g_autoptr(MsChanges) changes = ms_changes_from_file(fd, true, false);
	g_autoptr(GPtrArray) batch = ms_changes_batch();
	g_autoptr(GError) error = NULL;
	MsFollowed followed = {0};
	MsAnswer answer;
	g_autofree char *position = ms_directory_position(directory, source, &answer, NULL);
	ms_changes_begin(changes, position != NULL ? position : "");
	g_assert_cmpint(ms_changes_next(changes, batch, 0, &error), ==, MS_FOUND);
	ms_directory_follow(directory, source, batch, set_aside, aside, &followed, &error);
	g_assert_no_error(error);
	close(fd);
	return followed;
}

/* The last change of a source that is in the mapping. */
static char *position_of(MsDirectory *directory, const char *source)
{
	g_autoptr(MsMapping) mapping = ms_directory_in_use(directory, true, NULL, NULL);
	return g_strdup(g_hash_table_lookup(mapping->positions, source));
}

/* All of a file, as from where its source had come; "4 made, 1 there, 1 aside". */
static char *followed_by(MsDirectory *directory, const char *text, GString *aside)
{
	int fd = file_of(text);
	g_autoptr(MsChanges) changes = ms_changes_from_file(fd, true, false);
	MsFollowed all = {0};
	MsAnswer answer;
	g_autofree char *position = ms_directory_position(directory, "order", &answer, NULL);
	ms_changes_begin(changes, position);
	for (;;) {
		g_autoptr(GPtrArray) batch = ms_changes_batch();
		g_autoptr(GError) error = NULL;
		MsFollowed one = {0};
		if (ms_changes_next(changes, batch, 0, &error) != MS_FOUND)
			break;
		if (batch->len > 0)
			ms_directory_follow(
				directory, "order", batch, set_aside, aside, &one, &error);
		g_assert_no_error(error);
		all.applied += one.applied;
		all.repeated += one.repeated;
		all.bad += one.bad;
	}
	close(fd);
	return g_strdup_printf("%u %u %u", all.applied, all.repeated, all.bad);
}

/* A change behind one of a greater ID is no change that was there already. */
static void test_follow_order(void)
{
#define PUT(id, value) id ",put,A-00001,customer-number," value "\n"
	static const struct {
		const char *text, *want, *aside, *known, *unknown;
	} rows[] = {
		{PUT("1", "N-1001") PUT("3", "N-1003") PUT("2", "N-1002"), "2 0 1", "has ID 2 and stands behind 3",
			"N1003", "N1002"},
		/* the same file again, and what was made from it in order */
		{PUT("1", "N-1001") PUT("3", "N-1003") PUT("2", "N-1002"), "0 3 0", "", "N1001", "N1002"},
		{PUT("1", "N-1001") PUT("2", "N-1002") PUT("3", "N-1003") PUT("4", "N-1004"), "1 3 0", "",
			"N1004", "N1002"},
		/* sent twice, or again from a while ago */
		{PUT("5", "N-1005") PUT("5", "N-1005") PUT("6", "N-1006") PUT("5", "N-1005") PUT("6", "N-1006"),
			"2 3 0", "", "N1006", NULL},
		/* one ID for two changes */
		{PUT("7", "N-1007") PUT("7", "N-1008"), "1 0 1", "has ID 7 and stands behind 7", "N1007", "N1008"},
		{PUT("8-2", "N-1082") PUT("8-1", "N-1081") PUT("8-3", "N-1083"), "2 0 1",
			"has ID 8-1 and stands behind 8-2", "N1083", "N1081"},
	};
	g_autofree char *text = rows_of(3);
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "order", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, text);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) aside = g_string_new(NULL);
		g_autofree char *got = followed_by(directory, rows[i].text, aside);
		g_test_message("row %zu: %s", i, aside->str);
		g_assert_cmpstr(got, ==, rows[i].want);
		g_assert_true(*rows[i].aside == '\0' ? aside->len == 0
						     : strstr(aside->str, rows[i].aside) != NULL);
		g_assert_cmpint(ask(directory, rows[i].known, "user1@a1.example"), ==, MS_OWN);
		if (rows[i].unknown != NULL)
			g_assert_cmpint(
				ask(directory, rows[i].unknown, "user1@a1.example"), ==, MS_UNKNOWN);
	}
	/* In other batches than what stood before them, too. */
	GString *many = g_string_new(NULL);
	for (guint i = 0; i < 600; i++)
		g_string_append_printf(many, "%u,put,A-00001,customer-number,M-%u\n", 1000 + i, 20000 + i);
	g_string_append(many, PUT("1000-5", "M-19999"));
	g_autoptr(GString) aside = g_string_new(NULL);
	g_autofree char *got = followed_by(directory, many->str, aside);
	g_assert_cmpstr(got, ==, "600 0 1");
	g_assert_nonnull(strstr(aside->str, "stands behind 1599"));
	g_string_free(many, TRUE);
#undef PUT
}

static void check_follow(const MsDirectorySettings *settings)
{
	g_autofree char *text = rows_of(20);
	g_autoptr(MsDirectory) directory = open_directory(settings);
	g_autoptr(GString) aside = g_string_new(NULL);
	load(directory, text);
	MsFollowed f = follow(directory, "a",
		"1,put,A-00001,customer-number,NEW-1\n2,put,A-00001,iban,DE00\n"
		"3,delete,A-00001,customer-number,C-000001\n3-1,put,A-00002,customer-number,C-000001\n",
		aside);
	g_assert_cmpuint(f.applied, ==, 3);
	g_assert_cmpuint(f.bad, ==, 1);
	g_assert_true(g_str_has_prefix(aside->str, "2,put,A-00001,iban,DE00: an IBAN"));
	g_assert_cmpint(ask(directory, "NEW1", "user1@a1.example"), ==, MS_OWN);
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OTHER);
	/* What was there already is known, whatever it says; one out of order is, too. */
	f = follow(directory, "a",
		"3,put,A-00001,customer-number,C-000001\n4,delete,A-00001,customer-number,NEW-1\n"
		"2,put,A-00001,customer-number,LATE-2\n",
		aside);
	g_assert_cmpuint(f.applied, ==, 1);
	g_assert_cmpuint(f.repeated, ==, 2);
	g_assert_cmpint(ask(directory, "C000001", "user1@a1.example"), ==, MS_OTHER);
	g_assert_cmpint(ask(directory, "NEW1", "user1@a1.example"), ==, MS_UNKNOWN);
	g_assert_cmpint(ask(directory, "LATE2", "user1@a1.example"), ==, MS_UNKNOWN);
	/* Another source has its own position, and both stay with the mapping. */
	f = follow(directory, "b", "1,put,A-00003,customer-number,FROM-B1\n", aside);
	g_assert_cmpuint(f.applied, ==, 1);
	g_autofree char *a = position_of(directory, "a"),
			*b = position_of(directory, "b");
	g_assert_cmpstr(a, ==, "4");
	g_assert_cmpstr(b, ==, "1");
	g_assert_cmpint(verify(directory, NULL, NULL), ==, 0);
	/* An import must say what of them it has. */
	g_autoptr(GError) error = NULL;
	g_assert_false(import(directory, text, (MsImportOptions){.max_bad = 0}, &error));
	g_assert_nonnull(strstr(error->message, "--position"));
	const char *const positions[] = {"a=2", "b=1", NULL};
	g_clear_error(&error);
	g_assert_true(import(directory, text, (MsImportOptions){.positions = positions}, &error));
	f = follow(directory, "a",
		"2,put,A-00001,customer-number,X-2\n3,delete,A-00001,customer-number,C-000001\n",
		aside);
	g_assert_cmpuint(f.applied, ==, 1);
}

static void test_follow(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "follow", true);
	check_follow(&settings);
	if (redis_address == NULL)
		return;
	MsDirectorySettings redis = settings_for(MS_BACKEND_REDIS, "follow", true);
	check_follow(&redis);
}

/* Two that follow the same changes, one killed again and again: each is made once. */
static void test_follow_twice(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "twice", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory, "A,customer-number,FIRST-1\n");
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 1; i <= 1500; i++) /* each is put, and every second taken away by the next */
		g_string_append_printf(text, "%d,%s,A,customer-number,T-%04d\n", i,
			i % 3 == 0 ? "delete" : "put", i - (i % 3 == 0));
	int fd = file_of(text->str);
	for (int round = 0; round < 12; round++) {
		pid_t pids[2];
		for (int k = 0; k < 2; k++) {
			pids[k] = fork();
			if (pids[k] != 0)
				continue;
			g_autofree char *path = g_build_filename(dir, "in.csv", NULL);
			MsDirectory *mine = open_directory(&settings);
			MsChanges *changes = ms_changes_from_file(
				open(path, O_RDONLY), true, false);
			g_autoptr(GString) aside = g_string_new(NULL);
			for (MsAnswer answer = MS_FOUND; answer == MS_FOUND;) {
				g_autoptr(GPtrArray) batch = ms_changes_batch();
				MsFollowed followed;
				answer = ms_changes_next(changes, batch, 0, NULL);
				while (answer == MS_FOUND &&
					ms_directory_follow(mine, "s", batch, set_aside, aside,
						&followed, NULL) != MS_FOUND)
					g_usleep(1000);
			}
			_exit(0);
		}
		g_usleep((gulong)g_test_rand_int_range(1000, 60000));
		for (int k = 0; k < 2; k++) {
			int status;
			if (round < 11)
				kill(pids[k], SIGKILL);
			waitpid(pids[k], &status, 0);
		}
	}
	close(fd);
	MsVerified v;
	g_assert_cmpint(verify(directory, NULL, &v), ==, 0);
	g_assert_cmpint(v.entries, ==, 501);
	ms_verified_clear(&v);
	g_autofree char *position = position_of(directory, "s");
	g_assert_cmpstr(position, ==, "1500");
}

/* ---- compared with a file --------------------------------------------------------------- */

static void on_line(guint64 line, const char *why, void *user)
{
	g_string_append_printf(user, "%" G_GUINT64_FORMAT ": %s\n", line, why);
}

static void test_compare(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "compare", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	load(directory,
		"account,kind,value\nA,customer-number,C-100\nA,email,jo@a.example\nB,receives-for,A\n");
	int fd = file_of(
		"account,kind,value\nA,customer-number,C-100\nB,customer-number,C-100\nA,customer-number,C-101\n"
		"B,receives-for,A\nA,iban,DE00\nA,email,JO@a.example\n");
	g_autoptr(GString) wrong = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	guint64 right = 0;
	g_assert_cmpint(ms_directory_compare(
				directory, fd, &(MsTableForm){0}, on_line, wrong, &right, &error),
		==, MS_FOUND);
	close(fd);
	g_assert_cmpuint(right, ==, 3);
	g_assert_nonnull(strstr(wrong->str, "3: the mapping has other accounts for it"));
	g_assert_nonnull(strstr(wrong->str, "4: the mapping does not have it"));
	g_assert_nonnull(strstr(wrong->str, "6: "));
}

/* ---- slices ----------------------------------------------------------------------------- */

/* Bytes of any kind are no slice, and none of ours that was cut is one. */
static void test_slices(void)
{
	MsKeys keys = {.digests = true};
	memset(&keys.parts, 7, sizeof keys.parts);
	GByteArray *room = g_byte_array_new();
	const MsSaid said = {"account", 7, NULL, NULL, 0};
	ms_said_write(room, &keys, &said);
	MsRecord records[3] = {{.said = room->data, .said_len = room->len},
		{.said = room->data, .said_len = room->len},
		{.said = room->data, .said_len = room->len}};
	for (int i = 0; i < 3; i++)
		memset(records[i].key, i, MS_ENTRY_KEY);
	g_autoptr(GBytes) whole = ms_slice_seal(&keys, "g", 5, records, 3);
	gsize len;
	const guint8 *data = g_bytes_get_data(whole, &len);
	g_autoptr(MsSlice) slice = ms_slice_open(&keys, "g", 5, whole);
	g_assert_nonnull(slice);
	g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func(g_free);
	g_assert_null(ms_slice_accounts(&keys, slice, records[1].key, accounts));
	g_assert_cmpuint(accounts->len, ==, 1);
	g_assert_cmpstr(accounts->pdata[0], ==, "account");
	g_assert_null(ms_slice_open(&keys, "g", 6, whole)); /* another place */
	g_assert_null(ms_slice_open(&keys, "h", 5, whole)); /* another generation */
	for (gsize i = 0; i < len; i++) {
		g_autofree char *cut = exact_copy(data, i);
		g_autoptr(GBytes) bytes = g_bytes_new_static(cut, i);
		g_assert_null(ms_slice_open(&keys, "g", 5, bytes));
		g_bytes_unref(g_steal_pointer(&bytes));
		g_autofree char *changed = exact_copy(data, len);
		changed[i] = (char)(changed[i] ^ (1 << g_test_rand_int_range(0, 8)));
		g_autoptr(GBytes) other = g_bytes_new_static(changed, len);
		g_assert_null(ms_slice_open(&keys, "g", 5, other));
	}
	g_byte_array_unref(room);
}

/* ---- what the manual says --------------------------------------------------------------- */

/* All of it without white space. */
static char *manual(void)
{
	g_autofree char *text = read_source("milter/directory/missent-directory.7");
	GString *out = g_string_new(NULL);
	for (const char *p = text; *p != '\0'; p++)
		if (!g_ascii_isspace(*p))
			g_string_append_c(out, *p);
	return g_string_free(out, FALSE);
}

static void expect_in(const char *text, const char *before, const guint8 *bytes, gsize len)
{
	g_autoptr(GString) want = g_string_new(before);
	for (gsize i = 0; i < len; i++)
		g_string_append_printf(want, "%02x", bytes[i]);
	if (strstr(text, want->str) == NULL)
		g_error("the manual's example has not: %s", want->str);
}

static void expect_part(const char *text, const char *before, GBytes *part)
{
	gsize len;
	const guint8 *bytes = g_bytes_get_data(part, &len);
	expect_in(text, before, bytes, len);
	g_bytes_unref(part);
}

/* Its example is what is stored. */
static void test_manual(void)
{
	static const char generation[] = "0011223344556677";
	g_autofree char *text = manual(), *path = g_build_filename(dir, "example.key", NULL);
	g_assert_true(g_file_set_contents(path,
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", -1, NULL));
	g_assert_cmpint(g_chmod(path, 0640), ==, 0);
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "example", true);
	settings.key_file = path;
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	const char *why;
	g_autoptr(MsRowStored)
		row = ms_row_new(directory, "AC-1", "customer-number", "C-10001", 7, &why);
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(MsEntry));
	g_autoptr(GByteArray) room = g_byte_array_new();
	ms_row_entries(&directory->keys, row, entries, room);
	const MsEntry *entry = &g_array_index(entries, MsEntry, 0);
	expect_in(text, "KE", directory->keys.parts.entry, MS_DIGEST_BYTES);
	expect_in(text, "i:customer-number=C10001", entry->digest, MS_ENTRY_DIGEST);
	expect_in(text, "link", entry->link, MS_LINK_BYTES);
	expect_in(text, "mark", g_array_index(row->marks, MsMark, 0).bytes, sizeof(MsMark));
	MsRecord record = {.said = room->data + entry->said, .said_len = entry->said_len};
	memcpy(record.key, entry->digest + MS_PLACE_BYTES, MS_ENTRY_KEY);
	memcpy(record.link, entry->link, MS_LINK_BYTES);
	expect_part(text, "s:0", ms_slice_seal(&directory->keys, generation, 0, &record, 1));
	const MsEntry *known = &g_array_index(entries, MsEntry, entries->len - 1);
	expect_in(text, "k:AC-1", known->digest, MS_ENTRY_DIGEST);
	MsRecord of_account = {.said = room->data + known->said, .said_len = known->said_len};
	memcpy(of_account.key, known->digest + MS_PLACE_BYTES, MS_ENTRY_KEY);
	expect_part(text, "s:1", ms_slice_seal(&directory->keys, generation, 1, &of_account, 1));
	expect_part(text, "m:0", ms_marks_seal(directory, generation, 0, row->marks));
}

/* As a program of others has it from the manual, and the scenarios' one does. */
static int form_in(const char *file, const char *before)
{
	char *text = read_source(file), *line = g_strstr_len(text, -1, before);
	g_assert_nonnull(line);
	int version = atoi(line + strlen(before));
	g_free(text);
	return version;
}

/* What is compared with a stored mapping is of the form that its version says.  Who changes how
 * values are written, and so what is stored, raises the version: of an older mapping nothing would
 * agree, and nobody would be told. */
static void test_form(void)
{
	static const char form[] = "10", *want =
		"d98008817b5d987408d1ab546cd4d71def39c21ac43d4413d36309aef2cd3f8d";
	static const struct {
		const char *kind, *text;
	} rows[] = {
		{"customer-number", "C-10 001"}, {"customer-number", "0048213"},
		{"customer-number", "ACC-0048213"}, {"customer-number", "кл-0048213"},
		{"contract-number", "Πας-77849"}, {"order-number", "Й.77Ä"}, {"invoice-number", "RE 2026/00417"},
		{"contract-number", "V.4711-A"}, {"order-number", "4500012345"},
		{"reference", "RF18 5390 0754 7034"}, {"creditor-reference", "RF18539007547034"},
		{"subscription-id", "6f1d2a33-0b64-4c02-9d7e-5a1f0c9b7e21"},
		{"email", "John.Doe@B\xc3\xbc" "cher.example"}, {"phone", "+49 30 1234567"},
		{"iban", "DE89 3704 0044 0532 0130 00"}, {"iban", "GB82 WEST 1234 5698 7654 32"},
		{"iban", "CZ65 0800 0000 1920 0014 5399"}, {"iban", "IT60 X054 2811 1010 0000 0123 456"},
		{"iban", "HU42 1177 3016 1111 1018 0000 0000"}, {"iban", "PL61 1090 1014 0000 0712 1981 2874"},
		{"vat-id", "DE136695976"}, {"vat-id", "CHE-116.281.710 MWST"}, {"vat-id", "ATU13585627"},
		{"vat-id", "FR40 303 265 045"}, {"siren-siret", "303 265 045"},
		{"company-registration", "HRB 12345"}, {"participant-id", "0088:4304171000002"},
		{"gln", "4304171000002"}, {"payment-card", "4111 1111 1111 1111"},
		{"billing-address", "Hauptstr. 1, 10115 Berlin"},
		{"billing-address", "Lindenwg. 5\n8010 Graz"},
		{"billing-address", "12, rue de la Paix, 75002 Paris"},
		{"billing-address", "Flat 3, 14 High Street, Bristol BS1 4ST"},
		{"billing-address", "1600 Pennsylvania Ave NW, Washington, DC 20500"},
		{"billing-address", "Calle Mayor 5, 28013 Madrid"},
		{"billing-address", "Keizersgr. 123, 1015 CJ Amsterdam"},
		{"billing-address", "Rua Augusta 27, 1100-053 Lisboa"},
		{"billing-address", "ul. Marsza\xc5\x82kowska 10, 00-590 Warszawa"},
		{"billing-address", "Vinohradsk\xc3\xa1 846/1, 120 00 Praha 2"},
		{"billing-address", "Kungsgatan 12, 111 43 Stockholm"},
		{"billing-address", "Postfach 4711, 60311 Frankfurt"},
		{"billing-address", "Postfach 10 12 34, 50452 K\xc3\xb6ln"},
		{"billing-address", "Linden-Weg 5, 8010 Graz"},
		{"billing-address", "Karl Johans gate 22, 0026 Oslo"},
		{"billing-address", "Rue Royale - Koningsstraat 72, 1000 Bruxelles"},
		{"billing-address", "Lazimpat Ward 2, House 41"},
		{"billing-address", "Delta 7 Oy, Mannerheimintie 92 A 12, FI-33100 Tampere"},
		{"billing-address", "15 The Avenue, Cardiff, CF10 3AT"},
	};
	g_autoptr(GString) all = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const MsKind *kind = ms_kinds_find(kinds, rows[i].kind);
		gsize len = strlen(rows[i].text);
		const char *why;
		g_assert_nonnull(kind);
		g_autofree char *value = ms_kind_canonical(kind, rows[i].text, len, &why);
		if (value == NULL)
			g_error("%s \"%s\": %s", rows[i].kind, rows[i].text, why);
		g_string_append_printf(all, "%s\n", value);
		g_autoptr(GPtrArray) forms = ms_kind_stored_forms(kind, value, rows[i].text, len);
		for (guint k = 0; k < forms->len; k++) {
			const MsOtherForm *other = forms->pdata[k];
			g_string_append_printf(all, "%s %s %d\n",
				other->key != NULL ? other->key : "-",
				other->compact != NULL ? other->compact : "-", other->part);
		}
	}
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, -1);
	g_assert_cmpint(form_in("milter/directory/missent-directory.7", "\nmissent-mapping="), ==,
		atoi(MS_MAPPING_FORM));
	g_assert_cmpint(form_in("tests/scenario/mapping_writer.py", "'missent-mapping="), ==,
		atoi(MS_MAPPING_FORM));
	if (strcmp(sum, want) != 0 || strcmp(form, MS_MAPPING_FORM) != 0)
		g_error("what is stored is now\n%sraise MS_MAPPING_FORM (now %s, state.h), say so in NEWS, "
			"and note both here: %s", all->str, MS_MAPPING_FORM, sum);
}

/* Instead of the system's: a disk of 10 GiB, with so much left. */
static guint64 disk_left = (guint64)5 << 30;

int statvfs(const char *path, struct statvfs *fs)
{
	(void)path;
	*fs = (struct statvfs){
		.f_frsize = 1, .f_blocks = (fsblkcnt_t)10 << 30, .f_bavail = disk_left};
	return 0;
}

/* What a full disk took of an import is never part of a mapping in use, whatever is tried next. */
static void test_full_disk(void)
{
	MsDirectorySettings settings = settings_for(MS_BACKEND_SQLITE, "full-disk", true);
	g_autoptr(MsDirectory) directory = open_directory(&settings);
	g_autofree char *before = rows_of(20), *after = rows_of(30);
	load(directory, before);
	MsBackend *backend = directory->backend;
	g_autofree char *large = g_malloc0(100000);
	const char *note;
	struct rlimit was;
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &was), ==, 0);
	const struct rlimit full = {20000, was.rlim_max};
	g_assert_true(backend->ops->begin(backend, "half", &note, NULL));
	g_autoptr(GBytes) part = g_bytes_new_static(large, 100000);
	g_assert_true(backend->ops->store(backend, MS_PART(MS_PART_SLICE, 0), part, NULL));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &full), ==, 0);
	g_assert_false(backend->ops->settle(backend, NULL));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &was), ==, 0);
	g_assert_false(backend->ops->settle(backend, NULL));
	g_assert_false(backend->ops->commit(backend, "state", NULL));
	backend->ops->abandon(backend);
	guint right = 0;
	g_assert_cmpuint(wrong_answers(directory, 3, 20, &right), ==, 0);
	g_assert_cmpuint(right, ==, 4);
	/* It leaves room for mail. */
	g_autoptr(GError) error = NULL;
	disk_left = ((guint64)64 << 20) + 1000;
	g_assert_false(import(directory, after, (MsImportOptions){.max_bad = 0}, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_FULL);
	g_assert_cmpint(ask(directory, "C000025", "user25@a25.example"), ==, MS_UNKNOWN);
	disk_left += 1 << 20;
	load(directory, after);
	g_assert_cmpint(ask(directory, "C000025", "user25@a25.example"), ==, MS_OWN);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	g_autofree char *text = read_source("policies/kinds.conf");
	kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_assert_nonnull(kinds);
	dir = scratch_folder();
	g_autofree char *key = g_build_filename(dir, "site.key", NULL);
	g_assert_true(g_file_set_contents(key,
		"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100", -1, NULL));
	g_assert_cmpint(g_chmod(key, 0640), ==, 0);
	GPid redis = start_redis(dir, &redis_address);
	g_test_add_func("/mapping/slices", test_slices);
	g_test_add_func("/mapping/form", test_form);
	g_test_add_func("/mapping/manual", test_manual);
	g_test_add_func("/mapping/model", test_model);
	g_test_add_func("/mapping/mutated", test_mutated);
	g_test_add_func("/mapping/parts", test_parts);
	g_test_add_func("/mapping/hostile", test_hostile);
	g_test_add_func("/mapping/watch", test_watch);
	g_test_add_func("/mapping/gone-back", test_gone_back);
	g_test_add_func("/mapping/copied-over", test_copied_over);
	g_test_add_func("/mapping/earlier-version", test_earlier_version);
	g_test_add_func("/mapping/versions", test_other_forms_of_state);
	g_test_add_func("/mapping/kinds", test_other_kinds);
	g_test_add_func("/mapping/import/killed", test_killed);
	g_test_add_func("/mapping/import/killed-redis", test_killed_redis);
	g_test_add_func("/mapping/import/stopped", test_stopped);
	g_test_add_func("/mapping/import/spoilt", test_spoilt);
	g_test_add_func("/mapping/import/full-disk", test_full_disk);
	g_test_add_func("/mapping/writers", test_writers);
	g_test_add_func("/mapping/writers-redis", test_writers_redis);
	g_test_add_func("/mapping/follow", test_follow);
	g_test_add_func("/mapping/follow/twice", test_follow_twice);
	g_test_add_func("/mapping/follow/order", test_follow_order);
	g_test_add_func("/mapping/compare", test_compare);
	int rc = g_test_run();
	stop_redis(redis);
	remove_folder(dir);
	ms_kinds_unref(kinds);
	g_free(redis_address);
	return rc;
}
