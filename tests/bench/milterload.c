/*
 * milterload - plays the MTA to a milter, without one.
 *
 *   milterload -S SOCKET [-c CONNECTIONS] [-n MESSAGES] [-k PER_CONNECTION] [-f SENDER]
 *              [-r RECIPIENT]... [-s FIRST] [-t] [-v] FILE.eml...
 *
 * Speaks the milter protocol, version 6, over a Unix socket on several connections at once, and
 * prints messages per second, the time from the first header to the verdict (p50, p95, p99, max,
 * in milliseconds) and how often each verdict came.  -v prints each verdict.  -t: the N-th file,
 * from 0, goes to customer-N@site-N.example.
 *
 * Exit: 0, or 1 when a message got no verdict.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_RCPT 1024
#define MAX_FILES 4096
#define MAX_THREADS 1024
#define CHUNK 65535
#define ACTIONS 0x1ffu
#define STEPS 0x1fffffu
/* Steps of which the filter wants no word, and those to which it gives no answer. */
enum { NO_CONNECT = 1, NO_HELO = 2, NO_MAIL = 4, NO_RCPT = 8, NO_BODY = 0x10, NO_HEADERS = 0x20,
	NO_EOH = 0x40, NR_HEADER = 0x80, NO_DATA = 0x200, NR_CONNECT = 0x1000, NR_HELO = 0x2000,
	NR_MAIL = 0x4000, NR_RCPT = 0x8000, NR_DATA = 0x10000, NR_EOH = 0x40000, NR_BODY = 0x80000,
	LEADING_SPACE = 0x100000 };

typedef struct {
	char *text;
	size_t len;
	size_t serials[16]; /* where they are */
	int n_serials;
} File;

static struct {
	const char *path, *sender;
	const char *rcpt[MAX_RCPT];
	int n_rcpt, n_files;
	long messages, per_connection, first;
	bool verbose, to_each;
	File files[MAX_FILES];
} opt = {.sender = "<billing@seller.example>", .messages = 1, .per_connection = 1};

static atomic_long next_message, failures;
static double *latency; /* milliseconds, one a message */
static pthread_mutex_t tally_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char name[64];
	long n;
} tally[32];

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* ---- the wire ------------------------------------------------------------------------- */

typedef struct {
	int fd;
	uint32_t steps;
	char in[70000];
	char verdict[64];
} Conn;

static bool put(Conn *c, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool packet(Conn *c, char command, const void *data, size_t len)
{
	char head[5];
	uint32_t size = htonl((uint32_t)len + 1);
	memcpy(head, &size, 4);
	head[4] = command;
	return put(c, head, 5) && put(c, data, len);
}

static bool take(Conn *c, void *data, size_t len)
{
	char *p = data;
	while (len > 0) {
		ssize_t n = recv(c->fd, p, len, 0);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* One answer; its letter, or 0. */
static char answer(Conn *c, size_t *len)
{
	uint32_t size;
	if (!take(c, &size, 4))
		return 0;
	size = ntohl(size);
	if (size < 1 || size > sizeof c->in || !take(c, c->in, size))
		return 0;
	*len = size - 1;
	return c->in[0];
}

/* Answers to the end of the message until the last one; modifications are noted. */
static bool verdict(Conn *c)
{
	size_t len;
	c->verdict[0] = '\0';
	for (;;) {
		char letter = answer(c, &len);
		const char *name = letter == 'q' ? "hold" : letter == 'h' ? "addheader" : NULL;
		switch (letter) {
		case 0: return false;
		case 'p': continue; /* progress */
		case 'c': name = c->verdict[0] ? NULL : "continue"; break;
		case 'a': name = "accept"; break;
		case 't': name = "tempfail"; break;
		case 'r': name = "reject"; break;
		case 'd': name = "discard"; break;
		case 'y': name = c->in[1] == '4' ? "tempfail" : "reject"; break;
		default: break;
		}
		if (name != NULL)
			snprintf(c->verdict + strlen(c->verdict),
				sizeof c->verdict - strlen(c->verdict), "%s%s",
				c->verdict[0] ? "+" : "", name);
		if (strchr("catrdy", letter) != NULL)
			return true;
	}
}

/* A step with its answer, where there is one.  False: the session cannot go on. */
static bool step(Conn *c, char command, const void *data, size_t len, uint32_t no, uint32_t nr)
{
	size_t n;
	if (c->steps & no)
		return true;
	if (!packet(c, command, data, len))
		return false;
	return (c->steps & nr) || answer(c, &n) == 'c';
}

static bool macros(Conn *c, char command, const char *text, size_t len)
{
	char data[256];
	data[0] = command;
	memcpy(data + 1, text, len);
	return packet(c, 'D', data, len + 1);
}

static bool begin(Conn *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", opt.path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
		return false;
	uint32_t offer[3] = {htonl(6), htonl(ACTIONS), htonl(STEPS)};
	size_t len;
	if (!packet(c, 'O', offer, sizeof offer) || answer(c, &len) != 'O' || len < 12)
		return false;
	memcpy(&c->steps, c->in + 9, 4);
	c->steps = ntohl(c->steps);
	static const char hello[] = "localhost\0004\0\0" "127.0.0.1";
	char data[sizeof hello];
	memcpy(data, hello, sizeof hello);
	return macros(c, 'C', "j\0mx.seller.example", 20)
		&& step(c, 'C', data, sizeof data, NO_CONNECT, NR_CONNECT)
		&& step(c, 'H', "client", 7, NO_HELO, NR_HELO);
}

/* ---- a message ------------------------------------------------------------------------ */

static bool header(Conn *c, const char *p, const char *stop)
{
	const char *colon = memchr(p, ':', (size_t)(stop - p));
	if (colon == NULL || colon == p) /* no header; to an MTA the body begins here */
		return true;
	const char *value = colon + 1;
	if (!(c->steps & LEADING_SPACE) && value < stop && *value == ' ')
		value++;
	size_t name_len = (size_t)(colon - p), value_len = (size_t)(stop - value);
	char *data = malloc(name_len + value_len + 2);
	memcpy(data, p, name_len);
	data[name_len] = '\0';
	size_t n = name_len + 1;
	for (size_t i = 0; i < value_len; i++)
		if (value[i] != '\r')
			data[n++] = value[i];
	data[n++] = '\0';
	bool fine = step(c, 'L', data, n, NO_HEADERS, NR_HEADER);
	free(data);
	return fine;
}

/* Sends the headers; where the body begins, or NULL. */
static const char *headers(Conn *c, const File *file)
{
	const char *p = file->text, *end = file->text + file->len;
	while (p < end && *p != '\n' && *p != '\r') {
		const char *nl = p;
		do {
			nl = memchr(nl, '\n', (size_t)(end - nl));
			nl = nl != NULL ? nl + 1 : end;
		} while (nl < end && (*nl == ' ' || *nl == '\t'));
		const char *stop = nl;
		while (stop > p && (stop[-1] == '\n' || stop[-1] == '\r'))
			stop--;
		if (!header(c, p, stop))
			return NULL;
		p = nl;
	}
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	return nl != NULL ? nl + 1 : end;
}

static bool body(Conn *c, const char *p, size_t left)
{
	size_t n;
	while (left > 0 && !(c->steps & NO_BODY)) {
		size_t chunk = left < CHUNK ? left : CHUNK;
		if (!packet(c, 'B', p, chunk))
			return false;
		char letter = c->steps & NR_BODY ? 'c' : answer(c, &n);
		if (letter == 's') /* skip the rest */
			break;
		if (letter != 'c')
			return false;
		p += chunk;
		left -= chunk;
	}
	return true;
}

static bool message(Conn *c, long number, const File *file)
{
	char id[64], to[96];
	int n = snprintf(id, sizeof id, "i%cBENCH%ld", 0, number);
	if (!step(c, 'M', opt.sender, strlen(opt.sender) + 1, NO_MAIL, NR_MAIL))
		return false;
	long which = number % opt.n_files;
	int len = snprintf(to, sizeof to, "<customer-%ld@site-%ld.example>", which, which);
	if (opt.to_each && !step(c, 'R', to, (size_t)len + 1, NO_RCPT, NR_RCPT))
		return false;
	for (int i = 0; i < opt.n_rcpt; i++)
		if (!step(c, 'R', opt.rcpt[i], strlen(opt.rcpt[i]) + 1, NO_RCPT, NR_RCPT))
			return false;
	if (!step(c, 'T', "", 0, NO_DATA, NR_DATA))
		return false;
	double start = now();
	const char *content = headers(c, file);
	bool fine = content != NULL && step(c, 'N', "", 0, NO_EOH, NR_EOH)
		&& body(c, content, (size_t)(file->text + file->len - content))
		&& macros(c, 'E', id, (size_t)n + 1) && packet(c, 'E', "", 0) && verdict(c);
	latency[number] = now() - start;
	return fine;
}

#define SERIAL "0SERIAL0"
#define SERIAL_LEN (sizeof SERIAL - 1)

static void find_serials(File *file)
{
	const char *p = file->text, *end = file->text + file->len;
	while (file->n_serials < 16 &&
		(p = memmem(p, (size_t)(end - p), SERIAL, SERIAL_LEN)) != NULL) {
		file->serials[file->n_serials++] = (size_t)(p - file->text);
		p += SERIAL_LEN;
	}
}

/* The message of that number in memory of its own. */
static File numbered(const File *file, long number)
{
	char digits[32];
	File own = *file;
	snprintf(digits, sizeof digits, "%08ld", (opt.first + number) % 100000000);
	own.text = malloc(file->len + 1);
	memcpy(own.text, file->text, file->len);
	for (int i = 0; i < file->n_serials; i++)
		memcpy(own.text + file->serials[i], digits, SERIAL_LEN);
	return own;
}

static void count(const char *name)
{
	pthread_mutex_lock(&tally_lock);
	for (int i = 0; i < 32; i++) {
		if (tally[i].name[0] == '\0')
			snprintf(tally[i].name, sizeof tally[i].name, "%s", name);
		if (strcmp(tally[i].name, name) == 0) {
			tally[i].n++;
			break;
		}
	}
	pthread_mutex_unlock(&tally_lock);
}

static void *work(void *unused)
{
	(void)unused;
	Conn *c = calloc(1, sizeof *c);
	bool open = false;
	for (long used = 0, number; (number = next_message++) < opt.messages; used++) {
		if (open && used % opt.per_connection == 0) {
			packet(c, 'Q', "", 0);
			close(c->fd);
			open = false;
		}
		if (!open)
			open = begin(c);
		File file = numbered(&opt.files[number % opt.n_files], number);
		bool fine = open && message(c, number, &file);
		free(file.text);
		if (!fine) {
			failures++;
			count("none");
			if (open)
				close(c->fd);
			open = false;
			continue;
		}
		count(c->verdict);
		if (opt.verbose)
			printf("%ld %s\n", number, c->verdict);
	}
	if (open) {
		packet(c, 'Q', "", 0);
		close(c->fd);
	}
	free(c);
	return NULL;
}

/* ---- start ---------------------------------------------------------------------------- */

static File load(const char *path)
{
	FILE *in = fopen(path, "rb");
	if (in == NULL) {
		perror(path);
		exit(66);
	}
	File file = {.text = NULL};
	for (size_t n = 1; n > 0;) {
		file.text = realloc(file.text, file.len + 65536);
		n = fread(file.text + file.len, 1, 65536, in);
		file.len += n;
	}
	fclose(in);
	find_serials(&file);
	return file;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int threads = 1;
	for (int o; (o = getopt(argc, argv, "S:c:n:k:f:r:s:tv")) != -1;) {
		switch (o) {
		case 'S': opt.path = strncmp(optarg, "unix:", 5) == 0 ? optarg + 5 : optarg; break;
		case 'c': threads = atoi(optarg); break;
		case 'n': opt.messages = atol(optarg); break;
		case 'k': opt.per_connection = atol(optarg); break;
		case 'f': opt.sender = optarg; break;
		case 's': opt.first = atol(optarg); break;
		case 'r':
			if (opt.n_rcpt < MAX_RCPT)
				opt.rcpt[opt.n_rcpt++] = optarg;
			break;
		case 't': opt.to_each = true; break;
		case 'v': opt.verbose = true; break;
		default: return 64;
		}
	}
	for (; optind < argc && opt.n_files < MAX_FILES; optind++)
		opt.files[opt.n_files++] = load(argv[optind]);
	if (opt.path == NULL || opt.n_files == 0 || threads < 1 || threads > MAX_THREADS)
		return 64;
	if (opt.n_rcpt == 0 && !opt.to_each)
		opt.rcpt[opt.n_rcpt++] = "<kunde@alpha.example>";
	latency = calloc((size_t)opt.messages, sizeof *latency);
	static pthread_t ids[MAX_THREADS];
	double start = now();
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, work, NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	double took = now() - start;
	qsort(latency, (size_t)opt.messages, sizeof *latency, ascending);
	printf("msg/s %.0f  ms p50 %.2f p95 %.2f p99 %.2f max %.2f ",
		(double)opt.messages / took * 1e3, latency[opt.messages / 2],
		latency[opt.messages * 95 / 100], latency[opt.messages * 99 / 100],
		latency[opt.messages - 1]);
	for (int i = 0; i < 32 && tally[i].name[0] != '\0'; i++)
		printf(" %s=%ld", tally[i].name, tally[i].n);
	printf("\n");
	return failures > 0;
}
