/* Connections to Redis: against servers that freeze, drip, boast and err (threads of this process
 * that speak as much of the protocol as each row needs), and a real one where it is installed. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/clock.h"
#include "missent/patience.h"
#include "missent/store.h"

#include "../test.h"

/* ---- a server that does as it is told --------------------------------------------------- */

typedef enum { ANSWER, DRIP, FREEZE, FLOOD, HANG_UP, SLOW } Manner;

typedef struct {
	int listener;
	guint port;
	char *address;
	GThread *thread;
	int manner;          /* a Manner; atomic */
	const char *text;    /* of each answer; NULL: as a primary or replica would */
	const char *role, *replid;
	int offset;          /* atomic */
	int connections, commands; /* atomic */
	int end;             /* atomic */
	const char *slots;   /* what CLUSTER SLOTS tells; atomic */
	const char *asked;   /* what is told after ASKING */
	const char *named;   /* what a sentinel names the primary; atomic */
} Stub;

typedef struct {
	Stub *stub;
	int fd;
	bool asking;
} Client;

/* Threads of clients may look at a stub, and at what it says, until the end. */
static gpointer keep(gpointer data)
{
	static GPtrArray *kept;
	if (kept == NULL)
		kept = g_ptr_array_new();
	g_ptr_array_add(kept, data);
	return data;
}

static void send_text(int fd, const char *text)
{
	send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void send_info(Stub *stub, int fd)
{
	const char *role = g_atomic_pointer_get(&stub->role);
	bool master = strcmp(role, "master") == 0;
	g_autofree char *info = g_strdup_printf(
		"# Replication\r\nrole:%s\r\nmaster_replid:%s\r\n%s:%d\r\n"
		"maxmemory_policy:noeviction\r\n",
		role, stub->replid, master ? "master_repl_offset" : "slave_repl_offset",
		g_atomic_int_get(&stub->offset));
	g_autofree char *reply = g_strdup_printf("$%zu\r\n%s\r\n", strlen(info), info);
	send_text(fd, reply);
}

static void answer_well(Client *client, const char *word)
{
	Stub *stub = client->stub;
	if (g_str_has_prefix(word, "CLUSTER") && g_atomic_pointer_get(&stub->slots) != NULL) {
		send_text(client->fd, g_atomic_pointer_get(&stub->slots));
	} else if (g_str_has_prefix(word, "SENTINEL") && strstr(word, "GET-MASTER") != NULL &&
		strstr(word, "GET-MASTER") < word + 20) {
		send_text(client->fd, g_atomic_pointer_get(&stub->named));
	} else if (g_str_has_prefix(word, "ASKING")) {
		client->asking = true;
		send_text(client->fd, "+OK\r\n");
	} else if (client->asking) {
		client->asking = false;
		send_text(client->fd, stub->asked);
	} else if (stub->text == NULL && g_str_has_prefix(word, "INFO")) {
		send_info(stub, client->fd);
	} else {
		send_text(client->fd, stub->text != NULL ? stub->text : "$5\r\nreply\r\n");
	}
}

/* One answer to a command that begins with `word`. */
static void answer_one(Client *client, const char *word)
{
	Stub *stub = client->stub;
	int fd = client->fd;
	switch ((Manner)g_atomic_int_get(&stub->manner)) {
	case SLOW: g_usleep(300 * 1000); /* and then */ G_GNUC_FALLTHROUGH;
	case ANSWER: answer_well(client, word); return;
	case DRIP:
		for (int i = 0; i < 200 && !g_atomic_int_get(&stub->end); i++) {
			if (send(fd, i == 0 ? "$" : "1", 1, MSG_NOSIGNAL) < 0)
				return;
			g_usleep(50 * 1000);
		}
		return;
	case FLOOD:
		send_text(fd, stub->text);
		for (int i = 0; i < 100000; i++) {
			static char x[16384];
			memset(x, 'x', sizeof x);
			if (send(fd, x, sizeof x, MSG_NOSIGNAL) < 0)
				return;
		}
		return;
	case FREEZE: return;
	case HANG_UP: shutdown(fd, SHUT_RDWR); return;
	}
}

static gpointer serve(gpointer data)
{
	Client *client = data;
	Stub *stub = client->stub;
	char chunk[65536];
	for (gssize n; (n = recv(client->fd, chunk, sizeof chunk - 1, 0)) > 0;) {
		chunk[n] = '\0';
		for (char *p = chunk; *p != '\0'; p++) {
			if (*p != '*' || (p > chunk && p[-1] != '\n'))
				continue;
			g_atomic_int_inc(&stub->commands);
			const char *word = strchr(p, '$');
			word = word != NULL ? strchr(word, '\n') : NULL;
			answer_one(client, word != NULL ? word + 1 : "");
		}
	}
	close(client->fd);
	g_free(client);
	return NULL;
}

static gpointer accept_all(gpointer data)
{
	Stub *stub = data;
	while (!g_atomic_int_get(&stub->end)) {
		struct pollfd p = {.fd = stub->listener, .events = POLLIN};
		if (poll(&p, 1, 50) <= 0)
			continue;
		Client *client = g_new0(Client, 1);
		client->stub = stub;
		client->fd = accept(stub->listener, NULL, NULL);
		g_atomic_int_inc(&stub->connections);
		g_thread_unref(g_thread_new("client", serve, client));
	}
	return NULL;
}

static Stub *stub_new(Manner manner, const char *text)
{
	Stub *stub = keep(g_new0(Stub, 1));
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	stub->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(stub->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	g_assert_cmpint(listen(stub->listener, 50), ==, 0);
	g_assert_cmpint(getsockname(stub->listener, (struct sockaddr *)&address, &size), ==, 0);
	stub->port = ntohs(address.sin_port);
	stub->address = g_strdup_printf("127.0.0.1:%u", stub->port);
	stub->manner = manner;
	stub->text = text;
	stub->role = "master";
	stub->replid = "aaaa";
	stub->offset = 1000;
	stub->thread = g_thread_new("stub", accept_all, stub);
	return stub;
}

static void stub_end(Stub *stub)
{
	g_atomic_int_set(&stub->end, 1);
	g_thread_join(stub->thread);
	close(stub->listener);
}

static MsRedis *open_at(const char *address, gint64 timeout_ms)
{
	MsRedisSettings settings = {.address = address, .timeout_ms = timeout_ms, .connections = 4};
	g_autoptr(GError) error = NULL;
	MsRedis *redis = ms_redis_new(&settings, &error);
	g_assert_no_error(error);
	return redis;
}

/* The answer to GET, and how many milliseconds it took. */
static MsAnswer get(MsRedis *redis, gint64 *ms_out, MsReply **reply_out, char **why_out)
{
	const char *argv[] = {"GET", "x"};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReply) reply = NULL;
	gint64 begun = g_get_monotonic_time();
	MsAnswer answer = ms_redis_command(redis, 2, argv, &reply, &error);
	*ms_out = (g_get_monotonic_time() - begun) / 1000;
	g_assert_true((answer == MS_FOUND) == (error == NULL));
	g_assert_true((answer == MS_FOUND) == (reply != NULL));
	if (why_out != NULL)
		*why_out = g_strdup(error != NULL ? error->message : "");
	if (reply_out != NULL)
		*reply_out = g_steal_pointer(&reply);
	return answer;
}

/* ---- answers ---------------------------------------------------------------------------- */

static void test_replies(void)
{
	static const struct {
		const char *text, *want; /* of the error; NULL: an answer */
		MsAnswer answer;
	} rows[] = {
		{"$5\r\nhello\r\n", NULL, MS_FOUND},
		{":17\r\n", NULL, MS_FOUND},
		{"$-1\r\n", NULL, MS_FOUND},
		{"*-1\r\n", NULL, MS_FOUND},
		{"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", NULL, MS_FOUND},
		{"-LOADING Redis is loading\r\n", "LOADING", MS_RETRY},
		{"-OOM command not allowed\r\n", "OOM", MS_RETRY},
		{"-READONLY You can't write\r\n", "READONLY", MS_RETRY},
		{"-MASTERDOWN Link with MASTER is down\r\n", "MASTERDOWN", MS_RETRY},
		{"-CLUSTERDOWN The cluster is down\r\n", "CLUSTERDOWN", MS_RETRY},
		{"-TRYAGAIN Multiple keys\r\n", "TRYAGAIN", MS_RETRY},
		{"-BUSY Redis is busy running a script\r\n", "BUSY", MS_RETRY},
		{"-MISCONF Redis is configured to save\r\n", "MISCONF", MS_RETRY},
		{"-NOREPLICAS Not enough good replicas\r\n", "NOREPLICAS", MS_RETRY},
		{"-ERR max number of clients reached\r\n", "max number of clients", MS_RETRY},
		{"-NOAUTH Authentication required.\r\n", "redis-password-file", MS_CONFIG},
		{"-WRONGPASS invalid username\r\n", "WRONGPASS", MS_CONFIG},
		{"-NOPERM this user has no permissions\r\n", "NOPERM", MS_CONFIG},
		{"-MOVED 3999 127.0.0.1:6381\r\n", "redis-cluster", MS_CONFIG},
		{"-WRONGTYPE Operation against a key\r\n", "redis-prefix", MS_CONFIG},
		{"-ERR DB index is out of range\r\n", "redis-database", MS_CONFIG},
		{"-DENIED Redis is running in protected mode\r\n", "DENIED", MS_CONFIG},
		{"-ERR unknown command\r\n", "unknown command", MS_CONFIG},
		/* an error within a list is no "nil" */
		{"*2\r\n$1\r\nx\r\n-OOM command not allowed\r\n", "OOM", MS_RETRY},
		{"*2\r\n*1\r\n-NOPERM no\r\n:1\r\n", "NOPERM", MS_CONFIG},
		{"HTTP/1.1 200 OK\r\n\r\n", "protocol error", MS_RETRY},
		{"\x80\x81\x82\r\n", "protocol error", MS_RETRY},
		{"*2147483647\r\n", "too many items", MS_RETRY},
		{"*2147483648\r\n", "protocol error", MS_RETRY},
		{"*99999999999999999999\r\n", "protocol error", MS_RETRY},
		{"*3\r\n*1000000\r\n", "too many items", MS_RETRY},
		{"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
			"protocol error", MS_RETRY},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *stub = stub_new(ANSWER, rows[i].text);
		g_autoptr(MsRedis) redis = open_at(stub->address, 3000);
		gint64 ms;
		g_autofree char *why = NULL;
		MsAnswer answer = get(redis, &ms, NULL, &why);
		g_test_message("%.30s: %s", rows[i].text, why);
		g_assert_cmpint(answer, ==, rows[i].answer);
		g_assert_cmpint(ms, <, 2000); /* nothing was waited for */
		if (rows[i].want != NULL) {
			g_assert_nonnull(strstr(why, rows[i].want));
			g_assert_nonnull(strstr(why, stub->address));
		}
		stub_end(stub);
	}
}

/* ---- bounds ----------------------------------------------------------------------------- */

static gsize resident(void)
{
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
	gsize total, pages;
	g_assert_cmpint(sscanf(text, "%zu %zu", &total, &pages), ==, 2);
	return pages * (gsize)sysconf(_SC_PAGESIZE);
}

/* One timeout, whatever comes how slowly; and no memory. */
static void test_bounds(void)
{
	static const struct {
		const char *name;
		Manner manner;
		const char *text;
	} rows[] = {
		{"drips", DRIP, NULL},
		{"freezes", FREEZE, NULL},
		{"says half", ANSWER, "$100\r\nhalf"},
		{"promises much", ANSWER, "*900000\r\n$2000000000\r\n"},
		{"promises text", ANSWER, "$2147483647\r\n"},
		{"floods a text", FLOOD, "$2147483647\r\n"},
		{"floods a line", FLOOD, "+"},
		{"hangs up", HANG_UP, NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *stub = stub_new(rows[i].manner, rows[i].text);
		MsRedisSettings settings = {.address = stub->address,
			.timeout_ms = 400,
			.connections = 1,
			.max_bytes = 8 << 20};
		g_autoptr(MsRedis) redis = ms_redis_new(&settings, NULL);
		gsize before = resident();
		gint64 ms;
		g_autofree char *why = NULL;
		g_assert_cmpint(get(redis, &ms, NULL, &why), ==, MS_RETRY);
		g_test_message("%s: %s, %" G_GINT64_FORMAT " ms", rows[i].name, why, ms);
		g_assert_cmpint(ms, <, 1500);
		g_assert_cmpuint(resident(), <, before + (100u << 20));
		stub_end(stub);
	}
}

/* ---- the breaker ------------------------------------------------------------------------ */

typedef struct {
	MsRedis *redis;
	gint64 ms;
	MsAnswer answer;
} Asker;

static gpointer ask_alone(gpointer data)
{
	Asker *asker = data;
	asker->answer = get(asker->redis, &asker->ms, NULL, NULL);
	return NULL;
}

static void ask_at_once(MsRedis *redis, Asker *askers, gsize n)
{
	g_autoptr(GPtrArray) threads = g_ptr_array_new();
	for (gsize i = 0; i < n; i++) {
		askers[i].redis = redis;
		g_ptr_array_add(threads, g_thread_new("asker", ask_alone, &askers[i]));
	}
	for (gsize i = 0; i < n; i++)
		g_thread_join(threads->pdata[i]);
}

/* An outage costs one timeout, not one a message, whether they wait at once or one by one. */
static void test_breaker(void)
{
	Stub *stub = stub_new(ANSWER, "$5\r\nhello\r\n");
	g_autoptr(MsRedis) redis = open_at(stub->address, 3000);
	Asker askers[8];
	GThread *threads[8];
	gint64 ms;
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	g_atomic_int_set(&stub->manner, FREEZE);
	/* They come one after another; the first's timeout is the end of all. */
	gint64 begun = g_get_monotonic_time();
	for (int i = 0; i < 8; i++) {
		askers[i].redis = redis;
		threads[i] = g_thread_new("asker", ask_alone, &askers[i]);
		g_usleep(300 * 1000);
	}
	for (int i = 0; i < 8; i++) {
		g_thread_join(threads[i]);
		g_assert_cmpint(askers[i].answer, ==, MS_RETRY);
	}
	/* 3 s, where it would be 5.1 s; 0.9 s, where it would be 3 s */
	g_assert_cmpint((g_get_monotonic_time() - begun) / 1000, <, 4800);
	g_assert_cmpint(askers[7].ms, <, 2700);
	for (int i = 0; i < 20; i++) {
		g_autofree char *why = NULL;
		g_assert_cmpint(get(redis, &ms, NULL, &why), ==, MS_RETRY);
		g_assert_cmpint(ms, <, 1500);
		g_assert_nonnull(strstr(why, "no answer in time"));
		g_assert_nonnull(strstr(why, stub->address));
	}
	/* Probes find that it is back. */
	g_atomic_int_set(&stub->manner, ANSWER);
	for (int i = 0; i < 200 && get(redis, &ms, NULL, NULL) != MS_FOUND; i++)
		g_usleep(50 * 1000);
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	stub_end(stub);
}

/* Which signals a thread of that name lets wait: those that are there to end or to ask this
 * program are not for it. */
static guint64 blocked_by(const char *name)
{
	g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
	for (const char *id; (id = g_dir_read_name(tasks)) != NULL;) {
		g_autofree char *path = g_strdup_printf("/proc/self/task/%s/status", id);
		g_autofree char *status = NULL, *line = g_strdup_printf("Name:\t%s\n", name);
		if (g_file_get_contents(path, &status, NULL, NULL) &&
			g_str_has_prefix(status, line))
			return g_ascii_strtoull(strstr(status, "SigBlk:") + 8, NULL, 16);
	}
	return 0;
}

/* A message that has little time left does not wait for longer, and has nobody else go without. */
static void test_patience(void)
{
	Stub *stub = stub_new(ANSWER, "$5\r\nhello\r\n");
	g_autoptr(MsRedis) redis = open_at(stub->address, 4000);
	gint64 ms;
	MsPatience patience;
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	g_atomic_int_set(&stub->manner, FREEZE);
	ms_patience_begin(&patience, 200);
	g_assert_null(ms_patience_work(&patience));
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_RETRY);
	g_assert_cmpint(ms, <, 3000);
	g_assert_true(ms_patience_work(NULL) == &patience);
	g_atomic_int_set(&stub->manner, ANSWER);
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	stub_end(stub);
}

/* Probes come ever more rarely. */
static void test_probes(void)
{
	Stub *stub = stub_new(FREEZE, NULL);
	g_autoptr(MsRedis) redis = open_at(stub->address, 100);
	const guint64 ends = 1 << (SIGHUP - 1) | 1 << (SIGINT - 1) | 1 << (SIGUSR1 - 1) |
		1 << (SIGTERM - 1);
	gint64 ms;
	get(redis, &ms, NULL, NULL);
	g_assert_cmphex(blocked_by("redis probes") & ends, ==, ends);
	gint64 begun = g_get_monotonic_time();
	while (g_get_monotonic_time() - begun < 3 * G_USEC_PER_SEC ||
		(g_atomic_int_get(&stub->commands) < 3 &&
			g_get_monotonic_time() - begun < 60 * G_USEC_PER_SEC)) {
		get(redis, &ms, NULL, NULL);
		g_usleep(100 * 1000);
	}
	/* 0.2, 0.4, 0.8, 1.6 s apart, each with a quarter of chance: of 31 requests in 3 s, one
	 * and four or five probes were sent. */
	int n = g_atomic_int_get(&stub->commands);
	g_assert_cmpint(n, >=, 3);
	g_assert_cmpint(n, <=, 7);
	stub_end(stub);
}

/* A refused connection costs nothing: it is tried each time, and works as soon as it can. */
static void test_refused(void)
{
	Stub *stub = stub_new(ANSWER, "$5\r\nhello\r\n");
	g_autofree char *address = g_strdup(stub->address);
	stub_end(stub);
	g_autoptr(MsRedis) redis = open_at(address, 1000);
	gint64 ms;
	for (int i = 0; i < 3; i++) {
		g_autofree char *why = NULL;
		g_assert_cmpint(get(redis, &ms, NULL, &why), ==, MS_RETRY);
		g_assert_cmpint(ms, <, 500);
		g_assert_nonnull(strstr(why, "refused"));
	}
}

/* Where one address is dead, another is asked, and first from then on. */
static void test_addresses(void)
{
	Stub *dead = stub_new(FREEZE, NULL), *replica = stub_new(ANSWER, NULL),
	     *alive = stub_new(ANSWER, NULL);
	replica->role = "slave";
	g_autofree char *list = g_strdup_printf(
		"%s %s, %s", dead->address, replica->address, alive->address);
	g_autoptr(MsRedis) redis = open_at(list, 300);
	gint64 ms;
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	g_assert_cmpint(ms, <, 1500);
	for (int i = 0; i < 5; i++) {
		g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
		g_assert_cmpint(ms, <, 290); /* not as long as the dead one is waited for */
	}
	g_assert_cmpint(g_atomic_int_get(&replica->commands), ==, 2);
	stub_end(dead);
	stub_end(replica);
	stub_end(alive);
}

/* What is wrong with one, for now or until somebody changes something, is nothing that another says
 * is so: a server that was built anew lacks our user, the one that took over has it. */
static void test_wrong_first(void)
{
	static const char *const rows[] = {"-LOADING x\r\n", "-NOAUTH x\r\n", "-WRONGPASS x\r\n",
		"-NOPERM x\r\n", "-MISCONF x\r\n", "-MASTERDOWN x\r\n", "-DENIED x\r\n",
		"-MOVED 1 127.0.0.1:1\r\n", "-ERR unknown command\r\n", "HTTP/1.1 400 Bad\r\n\r\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *wrong = stub_new(ANSWER, rows[i]), *right = stub_new(ANSWER, NULL);
		g_autofree char *list = g_strdup_printf("%s %s", wrong->address, right->address);
		g_autoptr(MsRedis) redis = open_at(list, 5000);
		g_autofree char *why = NULL, *alone = NULL;
		gint64 ms;
		if (get(redis, &ms, NULL, &why) != MS_FOUND)
			g_error("%.10s: got %s, want the other's answer", rows[i], why);
		g_autoptr(MsRedis) only = open_at(wrong->address, 5000);
		g_assert_cmpint(get(only, &ms, NULL, &alone), !=, MS_FOUND);
		stub_end(wrong);
		stub_end(right);
	}
}

/* Of several that all fail the first is told: what it says, and of which kind it is. */
static void test_all_wrong(void)
{
	static const struct {
		const char *first, *second, *want;
		MsAnswer answer;
	} rows[] = {
		{"-NOAUTH x\r\n", "-LOADING x\r\n", "NOAUTH", MS_CONFIG},
		{"-LOADING x\r\n", "-NOAUTH x\r\n", "LOADING", MS_RETRY},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *first = stub_new(ANSWER, rows[i].first),
		     *second = stub_new(ANSWER, rows[i].second);
		g_autofree char *list = g_strdup_printf("%s %s", first->address, second->address);
		g_autoptr(MsRedis) redis = open_at(list, 5000);
		g_autofree char *why = NULL;
		gint64 ms;
		g_assert_cmpint(get(redis, &ms, NULL, &why), ==, rows[i].answer);
		g_assert_nonnull(strstr(why, rows[i].want));
		stub_end(first);
		stub_end(second);
	}
}

/* ---- Sentinel --------------------------------------------------------------------------- */

/* That the primary is `stub`, as of that configuration. */
static void tell_primary(Stub *sentinel, int epoch, const Stub *stub)
{
	g_autofree char *n = g_strdup_printf("%d", epoch), *port = g_strdup_printf("%u", stub->port);
	const char *master = g_strdup_printf(
		"*2\r\n$12\r\nconfig-epoch\r\n$%zu\r\n%s\r\n", strlen(n), n);
	const char *address = g_strdup_printf(
		"*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n", strlen(port), port);
	/* in this order: an older address never has a newer number for long */
	g_atomic_pointer_set(&sentinel->text, keep((gpointer)master));
	g_atomic_pointer_set(&sentinel->named, keep((gpointer)address));
}

/* Two sentinels, two servers, both of which say that they are primary: who is believed, first, and
 * when the sentinels have said something else?  An epoch of 0: that sentinel freezes; below, it
 * says this error. */
static void test_sentinels(void)
{
	static const struct {
		const char *name;
		struct {
			int epoch, server;
		} first[2], then[2];
		int want, later; /* which server */
	} rows[] = {
		{"both the same", {{1, 0}, {1, 0}}, {{1, 0}, {1, 0}}, 0, 0},
		{"one of yesterday, asked first", {{4, 0}, {5, 1}}, {{4, 0}, {5, 1}}, 1, 1},
		{"one of yesterday, asked last", {{5, 1}, {4, 0}}, {{5, 1}, {4, 0}}, 1, 1},
		{"a failover, which one has seen", {{5, 0}, {5, 0}}, {{5, 0}, {6, 1}}, 0, 1},
		{"then only one of yesterday", {{4, 0}, {5, 1}}, {{4, 0}, {0, 0}}, 1, 1},
		{"then one that knows of none", {{4, 0}, {5, 1}}, {{4, 0}, {-1, 0}}, 1, 1},
		{"then all of yesterday", {{5, 1}, {5, 1}}, {{4, 0}, {3, 0}}, 1, 1},
		{"then none", {{5, 1}, {5, 1}}, {{0, 0}, {0, 0}}, 1, 1},
		{"then none that knows of it", {{5, 1}, {5, 1}}, {{-1, 0}, {-1, 0}}, 1, 1},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *servers[] = {stub_new(ANSWER, NULL), stub_new(ANSWER, NULL)};
		Stub *sentinels[] = {stub_new(ANSWER, NULL), stub_new(ANSWER, NULL)};
		const char *named[] = {sentinels[0]->address, sentinels[1]->address, NULL};
		const MsRedisSettings settings = {
			.timeout_ms = 300, .connections = 2, .sentinels = named, .master = "m"};
		for (int k = 0; k < 2; k++)
			tell_primary(sentinels[k], rows[i].first[k].epoch,
				servers[rows[i].first[k].server]);
		g_autoptr(MsRedis) redis = ms_redis_new(&settings, NULL);
		gint64 ms;
		g_autofree char *why = NULL;
		g_assert_cmpint(get(redis, &ms, NULL, &why), ==, MS_FOUND);
		g_test_message("%s", rows[i].name);
		int *asked = &servers[rows[i].want]->commands,
		    *other = &servers[!rows[i].want]->commands;
		g_assert_cmpint(g_atomic_int_get(asked), >, 0);
		g_assert_cmpint(g_atomic_int_get(other), ==, 0);
		for (int k = 0; k < 2; k++) {
			if (rows[i].then[k].epoch > 0)
				tell_primary(sentinels[k], rows[i].then[k].epoch,
					servers[rows[i].then[k].server]);
			else if (rows[i].then[k].epoch == 0)
				g_atomic_int_set(&sentinels[k]->manner, FREEZE);
			else
				g_atomic_pointer_set(
					&sentinels[k]->text, "-ERR No such master with that name\r\n");
		}
		/* Asked twice by the follower: what it says then is known. */
		g_usleep(2500 * 1000);
		int before = g_atomic_int_get(&servers[!rows[i].later]->commands);
		for (int n = 0; n < 3; n++)
			g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
		g_assert_cmpint(g_atomic_int_get(&servers[!rows[i].later]->commands), ==, before);
		/* For long: who has not been named since may be another's replica by now. */
		bool silent = rows[i].then[0].epoch <= 0 && rows[i].then[1].epoch <= 0;
		g_autofree char *unnamed = NULL;
		ms_clock_shift(0, 61 * G_USEC_PER_SEC);
		g_assert_cmpint(get(redis, &ms, NULL, &unnamed), ==, silent ? MS_RETRY : MS_FOUND);
		g_assert_true(!silent || strstr(unnamed, "who is primary is not known") != NULL);
		for (int k = 0; k < 2; k++)
			g_atomic_int_set(&sentinels[k]->manner, ANSWER);
		tell_primary(sentinels[0], 7, servers[rows[i].later]);
		for (int n = 0; n < 100 && get(redis, &ms, NULL, NULL) != MS_FOUND; n++)
			g_usleep(100 * 1000);
		g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
		for (int k = 0; k < 2; k++) {
			stub_end(servers[k]);
			stub_end(sentinels[k]);
		}
	}
}

/* The primary that is known fails in whatever way, amid messages: Sentinel is asked who it is by
 * now, and the answer to each is that one's, whichever of them asked. */
static void test_failover(void)
{
	static const struct {
		const char *name, *text;
		Manner manner;
		const char *role;
	} rows[] = {
		{"hangs up", NULL, HANG_UP, "master"},
		{"freezes", NULL, FREEZE, "master"},
		{"is a replica now", NULL, ANSWER, "slave"},
		{"reads its data", "-LOADING x\r\n", ANSWER, "master"},
		{"lost its primary", "-MASTERDOWN x\r\n", ANSWER, "slave"},
		{"cannot write its log", "-MISCONF x\r\n", ANSWER, "master"},
		{"has another password", "-NOAUTH x\r\n", ANSWER, "master"},
		{"lacks our user", "-WRONGPASS x\r\n", ANSWER, "master"},
		{"lacks a right of our user's", "-NOPERM x\r\n", ANSWER, "master"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *old = stub_new(ANSWER, NULL), *new = stub_new(ANSWER, NULL),
		     *sentinel = stub_new(ANSWER, NULL);
		const char *named[] = {sentinel->address, NULL};
		const MsRedisSettings settings = {
			.timeout_ms = 500, .connections = 4, .sentinels = named, .master = "m"};
		Asker askers[4];
		tell_primary(sentinel, 1, old);
		g_autoptr(MsRedis) redis = ms_redis_new(&settings, NULL);
		gint64 ms;
		g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
		g_atomic_pointer_set(&old->text, rows[i].text);
		g_atomic_pointer_set(&old->role, rows[i].role);
		g_atomic_int_set(&old->manner, rows[i].manner);
		tell_primary(sentinel, 2, new);
		ask_at_once(redis, askers, G_N_ELEMENTS(askers));
		for (gsize n = 0; n < G_N_ELEMENTS(askers); n++) {
			if (askers[n].answer != MS_FOUND)
				g_error("%s: no answer to message %zu, want the new primary's",
					rows[i].name, n);
		}
		stub_end(old);
		stub_end(new);
		stub_end(sentinel);
	}
}

/* The only one: it may be made a replica, and primary again, at any time. */
static void test_alone(void)
{
	Stub *stub = stub_new(ANSWER, NULL);
	stub->role = "slave";
	const MsRedisSettings settings = {.address = stub->address,
		.timeout_ms = 5000,
		.connections = 2,
		.refuse_eviction = true};
	g_autoptr(MsRedis) redis = ms_redis_new(&settings, NULL);
	gint64 ms;
	g_autofree char *why = NULL;
	g_assert_cmpint(get(redis, &ms, NULL, &why), ==, MS_RETRY);
	g_assert_nonnull(strstr(why, "is not the primary"));
	g_atomic_pointer_set(&stub->role, "master");
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	int before = g_atomic_int_get(&stub->commands);
	for (int i = 0; i < 20; i++)
		g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	/* not with each command */
	g_assert_cmpint(g_atomic_int_get(&stub->commands) - before, <, 40);
	g_atomic_pointer_set(&stub->role, "slave");
	while (get(redis, &ms, NULL, NULL) == MS_FOUND)
		g_usleep(20000);
	for (int i = 0; i < 5; i++)
		g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_RETRY);
	g_atomic_pointer_set(&stub->role, "master");
	g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND);
	stub_end(stub);
}

/* ---- where it may be -------------------------------------------------------------------- */

static void test_where(void)
{
	static const struct {
		const char *address;
		bool plaintext, fine;
		const char *sentinels[3];
	} rows[] = {
		{"unix:/run/redis.sock", false, true},
		{"127.0.0.1:6379", false, true},
		{"127.1.2.3:6379", false, true},
		{"[::1]:6379", false, true},
		{"localhost:6379", false, true},
		{"10.0.0.1:6379", false, false},
		{"10.0.0.1:6379", true, true},
		{"redis.example:6379", false, false},
		{"[2001:db8::1]:6379", false, false},
		{"127.0.0.1:6379 10.0.0.1:6379", false, false},
		{"localhost.example:6379", false, false},
		{"", true, false},
		{"unix:relative", true, false},
		{"host", true, false},
		{"host:0", true, false},
		{"host:65536", true, false},
		{"host:12x", true, false},
		{":6379", true, false},
		{"", false, true, {"127.0.0.1:26379"}},
		{"", false, false, {"10.0.0.1:26379"}},
		{"", false, false, {"127.0.0.1:26379", "10.0.0.1:26379"}},
		{"", true, true, {"127.0.0.1:26379", "10.0.0.1:26379"}},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		MsRedisSettings settings = {.address = rows[i].address,
			.timeout_ms = 100,
			.connections = 1,
			.plaintext = rows[i].plaintext,
			.sentinels = rows[i].sentinels,
			.master = "missent"};
		g_autoptr(GError) error = NULL;
		g_autoptr(MsRedis) redis = ms_redis_new(&settings, &error);
		g_test_message("%s: %s", rows[i].address, error != NULL ? error->message : "fine");
		g_assert_true((redis != NULL) == rows[i].fine);
		g_assert_true(rows[i].fine || g_error_matches(error, MS_ERROR, MS_ERROR_CONFIG));
	}
}

/* ---- a replica -------------------------------------------------------------------------- */

static MsAnswer read_any(MsRedis *redis, char **why_out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReply) reply = NULL;
	MsAnswer answer = ms_redis_reading_script(
		redis, "return 'reply'", 0, 0, NULL, NULL, &reply, &error);
	*why_out = g_strdup(error != NULL ? error->message : "");
	return answer;
}

/* What it answers counts only where it has all that the primary had. */
static void test_replica(void)
{
	static const struct {
		const char *name;
		int offset;       /* of the replica, beside the primary's 1000 */
		const char *role, *replid;
		Manner replica, primary;
		MsAnswer only, also; /* the replica alone; or the primary too */
		const char *why, *says;
	} rows[] = {
		{"in step", 1000, "slave", "aaaa", ANSWER, ANSWER, MS_FOUND, MS_FOUND, ""},
		{"ahead of what was asked", 1200, "slave", "aaaa", ANSWER, ANSWER, MS_FOUND,
			MS_FOUND, ""},
		{"promoted", 1000, "master", "aaaa", ANSWER, ANSWER, MS_FOUND, MS_FOUND, ""},
		{"behind", 999, "slave", "aaaa", ANSWER, ANSWER, MS_RETRY, MS_FOUND, "behind"},
		{"of another primary", 1000, "slave", "bbbb", ANSWER, ANSWER, MS_RETRY, MS_FOUND,
			"no replica"},
		{"a primary of its own", 5000, "master", "bbbb", ANSWER, ANSWER, MS_RETRY, MS_FOUND,
			"no replica"},
		{"frozen", 1000, "slave", "aaaa", FREEZE, ANSWER, MS_RETRY, MS_FOUND,
			"no answer in time"},
		{"the primary frozen", 1000, "slave", "aaaa", ANSWER, FREEZE, MS_RETRY, MS_RETRY,
			"cannot be known"},
		{"reads its data", 1000, "slave", "aaaa", ANSWER, ANSWER, MS_RETRY, MS_FOUND,
			"LOADING", "-LOADING x\r\n"},
		{"has another password", 1000, "slave", "aaaa", ANSWER, ANSWER, MS_CONFIG, MS_FOUND,
			"NOAUTH", "-NOAUTH x\r\n"},
		{"lacks a right", 1000, "slave", "aaaa", ANSWER, ANSWER, MS_CONFIG, MS_FOUND,
			"NOPERM", "-NOPERM x\r\n"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows) * 2; i++) {
		bool only = i % 2 == 0;
		gsize k = i / 2;
		Stub *primary = stub_new(rows[k].primary, NULL),
		     *replica = stub_new(rows[k].replica, rows[k].says);
		replica->offset = rows[k].offset;
		replica->role = rows[k].role;
		replica->replid = rows[k].replid;
		MsRedisSettings settings = {.address = primary->address,
			.replica = replica->address,
			.timeout_ms = 300,
			.connections = 2,
			.max_lag_ms = 2000,
			.replica_only = only};
		g_autoptr(GError) error = NULL;
		g_autoptr(MsRedis) redis = ms_redis_new(&settings, &error);
		g_assert_no_error(error);
		g_autofree char *why = NULL;
		MsAnswer answer = read_any(redis, &why);
		g_test_message("%s, %s: %s", rows[k].name, only ? "only" : "also", why);
		g_assert_cmpint(answer, ==, only ? rows[k].only : rows[k].also);
		if (only)
			g_assert_nonnull(strstr(why, rows[k].why));
		stub_end(primary);
		stub_end(replica);
	}
}

/* Time alone makes an answer too old: the primary is away, and the replica does as ever. */
static void test_bound(void)
{
	Stub *primary = stub_new(ANSWER, NULL), *replica = stub_new(ANSWER, NULL);
	replica->role = "slave";
	MsRedisSettings settings = {.address = primary->address,
		.replica = replica->address,
		.timeout_ms = 300,
		.connections = 2,
		.max_lag_ms = 1500};
	g_autoptr(MsRedis) redis = ms_redis_new(&settings, NULL);
	g_autofree char *why = NULL, *last = NULL;
	g_assert_cmpint(read_any(redis, &why), ==, MS_FOUND);
	g_atomic_int_set(&primary->manner, FREEZE);
	gint64 begun = g_get_monotonic_time(), good = begun;
	guint answered = 0;
	while (g_get_monotonic_time() - begun < 3 * G_USEC_PER_SEC) {
		g_autofree char *each = NULL;
		gint64 asked = g_get_monotonic_time();
		if (read_any(redis, &each) == MS_FOUND) {
			good = asked;
			answered++;
		}
		g_usleep(50 * 1000);
	}
	/* Within the bound a primary that is away is not missed. */
	g_test_message("answered for %" G_GINT64_FORMAT " ms", (good - begun) / 1000);
	g_assert_cmpuint(answered, >, 0);
	g_assert_cmpint((good - begun) / 1000, <, 1700);
	g_assert_cmpint(read_any(redis, &last), ==, MS_RETRY);
	stub_end(primary);
	stub_end(replica);
}

/* ---- a Cluster -------------------------------------------------------------------------- */

/* That all slots from `from` on are `second`'s, and those before `first`'s. */
static const char *slots_of(const Stub *first, int from, const Stub *second)
{
	GString *text = g_string_new(NULL);
	g_string_append_printf(text, "*%d\r\n", (from > 0) + (from < 16384));
	if (from > 0)
		g_string_append_printf(text,
			"*3\r\n:0\r\n:%d\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$2\r\nid\r\n", from - 1,
			first->port);
	/* a node that does not know its own address */
	if (from < 16384)
		g_string_append_printf(
			text, "*3\r\n:%d\r\n:16383\r\n*2\r\n$0\r\n\r\n:%u\r\n", from, second->port);
	return keep(g_string_free(text, FALSE));
}

static MsRedis *open_cluster(const char *address, gint64 timeout_ms)
{
	MsRedisSettings settings = {
		.address = address, .timeout_ms = timeout_ms, .connections = 4, .cluster = true};
	g_autoptr(GError) error = NULL;
	MsRedis *redis = ms_redis_new(&settings, &error);
	g_assert_no_error(error);
	return redis;
}

/* "foo" has slot 12182, "bar" 5061, "x" 16287; of {a}b and {a}c it is that of "a", 15495. */
static void test_cluster_slots(void)
{
	static const struct {
		const char *key;
		int slot;
	} rows[] = {{"foo", 12182}, {"bar", 5061}, {"x", 16287}, {"{a}b", 15495}, {"c{a}", 15495},
		{"a", 15495}, {"{}foo", 9500}, {"foo{}{bar}", 8363}, {"foo{{bar}}zap", 4015}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		for (int after = 0; after < 2; after++) {
			Stub *first = stub_new(ANSWER, "$5\r\nfirst\r\n"),
			     *second = stub_new(ANSWER, "$6\r\nsecond\r\n");
			first->slots = slots_of(first, rows[i].slot + after, second);
			g_autoptr(MsRedis) redis = open_cluster(first->address, 5000);
			g_autoptr(MsReply) reply = NULL;
			const char *argv[] = {"GET", rows[i].key};
			g_assert_cmpint(
				ms_redis_command(redis, 2, argv, &reply, NULL), ==, MS_FOUND);
			g_assert_cmpstr(reply->text, ==, after ? "first" : "second");
			stub_end(first);
			stub_end(second);
		}
	}
}

static char *with_port(const char *text, const Stub *stub)
{
	g_auto(GStrv) around = g_strsplit(text, "@", -1);
	g_autofree char *port = g_strdup_printf("%u", stub->port);
	return keep(g_strjoinv(port, around));
}

/* Slots that have moved, are being moved, or whose node is gone; as several messages see it at
 * once. */
static void test_cluster_moves(void)
{
	static const struct {
		const char *name, *text; /* of the first; @ is the port of the second */
		Manner manner;
		const char *second;
		int from;                /* which slots it says that it has, later */
		MsAnswer want;
	} rows[] = {
		{"moved", "-MOVED 16287 127.0.0.1:@\r\n", ANSWER, "$6\r\nsecond\r\n", 0, MS_FOUND},
		{"moved, by who does not know its host", "-MOVED 16287 :@\r\n", ANSWER,
			"$6\r\nsecond\r\n", 0, MS_FOUND},
		{"being moved", "-ASK 16287 127.0.0.1:@\r\n", ANSWER,
			"-MOVED 16287 127.0.0.1:1\r\n", 16384, MS_FOUND},
		{"to and fro", "-MOVED 16287 127.0.0.1:@\r\n", ANSWER, "to", 16384, MS_RETRY},
		{"nowhere", "-MOVED 16287 nonsense@\r\n", ANSWER, "", 16384, MS_RETRY},
		{"down", "-CLUSTERDOWN @\r\n", ANSWER, "", 16384, MS_RETRY},
		{"try again", "-TRYAGAIN @\r\n", ANSWER, "", 16384, MS_RETRY},
		{"frozen, and taken over", NULL, FREEZE, "$6\r\nsecond\r\n", 0, MS_FOUND},
		{"frozen", NULL, FREEZE, "$6\r\nsecond\r\n", 16384, MS_RETRY},
		{"frozen, and of nobody", NULL, FREEZE, "$6\r\nsecond\r\n", -1, MS_RETRY},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Stub *first = stub_new(ANSWER, NULL), *second = stub_new(ANSWER, rows[i].second);
		g_autofree char *seeds = g_strdup_printf("%s %s", first->address, second->address);
		const char *back = keep(g_strdup_printf("-MOVED 16287 %s\r\n", first->address));
		if (strcmp(rows[i].second, "to") == 0)
			second->text = back;
		second->asked = "$6\r\nsecond\r\n";
		first->slots = second->slots = slots_of(first, 16384, second);
		g_autoptr(MsRedis) redis = open_cluster(seeds, 1000);
		gint64 ms;
		g_assert_cmpint(get(redis, &ms, NULL, NULL), ==, MS_FOUND); /* the map is known */
		if (rows[i].text != NULL)
			first->text = with_port(rows[i].text, second);
		g_atomic_int_set(&first->manner, rows[i].manner);
		g_atomic_pointer_set(&second->slots,
			rows[i].from < 0 ? "*0\r\n" : slots_of(first, rows[i].from, second));
		Asker askers[12];
		ask_at_once(redis, askers, G_N_ELEMENTS(askers));
		for (gsize n = 0; n < G_N_ELEMENTS(askers); n++) {
			g_test_message("%s: %" G_GINT64_FORMAT " ms", rows[i].name, askers[n].ms);
			g_assert_cmpint(askers[n].answer, ==, rows[i].want);
			g_assert_cmpint(askers[n].ms, <, 3000);
		}
		g_autoptr(MsReply) reply = NULL;
		if (rows[i].want == MS_FOUND) {
			g_assert_cmpint(get(redis, &ms, &reply, NULL), ==, MS_FOUND);
			g_assert_cmpstr(reply->text, ==, "second");
		}
		stub_end(first);
		stub_end(second);
	}
}

/* All nodes are asked before any is waited for. */
static void test_cluster_together(void)
{
	static const char *const keys[] = {"foo", "bar", "x", "{}foo"};
	Stub *first = stub_new(ANSWER, "$5\r\nfirst\r\n"),
	     *second = stub_new(ANSWER, "$6\r\nsecond\r\n");
	first->slots = slots_of(first, 12182, second);
	g_autoptr(MsRedis) redis = open_cluster(first->address, 4000);
	const char *words[G_N_ELEMENTS(keys)][2];
	MsCommand commands[G_N_ELEMENTS(keys)];
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		words[i][0] = "GET";
		words[i][1] = keys[i];
		commands[i] = (MsCommand){2, words[i], NULL};
	}
	gint64 least = G_MAXINT64;
	for (int i = 0; i < 2 || (i < 12 && least >= 1150); i++) {
		g_autoptr(MsReply) reply = NULL;
		gint64 begun = g_get_monotonic_time();
		g_assert_cmpint(ms_redis_many(redis, commands, G_N_ELEMENTS(keys), &reply, NULL),
			==, MS_FOUND);
		gint64 ms = (g_get_monotonic_time() - begun) / 1000;
		static const char *const want[] = {"second", "first", "second", "first"};
		g_assert_cmpuint(reply->items->len, ==, G_N_ELEMENTS(keys));
		for (guint k = 0; k < reply->items->len; k++)
			g_assert_cmpstr(((MsReply *)reply->items->pdata[k])->text, ==, want[k]);
		if (i > 0)
			least = MIN(least, ms);
		g_atomic_int_set(&first->manner, SLOW);
		g_atomic_int_set(&second->manner, SLOW);
	}
	/* 300 ms a command, and two for each node: one after the other it would never be less */
	g_assert_cmpint(least, <, 1150);
	/* One that does not answer: nothing is known of any. */
	g_atomic_int_set(&first->manner, FREEZE);
	g_autoptr(GError) error = NULL;
	g_autoptr(MsReply) reply = NULL;
	g_assert_cmpint(
		ms_redis_many(redis, commands, G_N_ELEMENTS(keys), &reply, &error), ==, MS_RETRY);
	g_assert_null(reply);
	g_assert_nonnull(strstr(error->message, first->address));
	stub_end(first);
	stub_end(second);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	g_test_add_func("/redis/replies", test_replies);
	g_test_add_func("/redis/bounds", test_bounds);
	g_test_add_func("/redis/breaker", test_breaker);
	g_test_add_func("/redis/patience", test_patience);
	g_test_add_func("/redis/probes", test_probes);
	g_test_add_func("/redis/refused", test_refused);
	g_test_add_func("/redis/addresses", test_addresses);
	g_test_add_func("/redis/wrong-first", test_wrong_first);
	g_test_add_func("/redis/all-wrong", test_all_wrong);
	g_test_add_func("/redis/sentinels", test_sentinels);
	g_test_add_func("/redis/failover", test_failover);
	g_test_add_func("/redis/where", test_where);
	g_test_add_func("/redis/alone", test_alone);
	g_test_add_func("/redis/replica", test_replica);
	g_test_add_func("/redis/bound", test_bound);
	g_test_add_func("/redis/cluster/slots", test_cluster_slots);
	g_test_add_func("/redis/cluster/moves", test_cluster_moves);
	g_test_add_func("/redis/cluster/together", test_cluster_together);
	return g_test_run();
}
