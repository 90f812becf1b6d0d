/*
 * fresh - what a worker of its own for each message costs, by reader.
 *
 *   fresh MESSAGE.eml ROUNDS READER...
 *
 * READER is the path of a missent-reader (missent-reader-text lies beside it), with ":100" behind
 * it for as many messages a worker, or ":restore" for one that is put back after each, and ":0"
 * behind that for no cache of readings. They take turns within one run, 1,000 messages a turn.
 * Printed for each are microseconds of CPU and page faults a message (medians): of this process,
 * which hands over and decodes; of the readers' supervisors; and of their workers.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "missent/filter.h"
#include "missent/reader.h"
#include "../test.h"

#define TURN 1000 /* the kernel tells of children in steps of 10 ms */
#define MOST 16
#define ROUNDS 99
#define FIGURES 6

static const char *const names[FIGURES] = {
	"client us", "supervisor us", "workers us", "all us", "supervisor faults", "worker faults"};

typedef struct {
	const char *name;
	MsReader *reader;
	double figures[FIGURES][ROUNDS];
	double now[FIGURES];
} Row;

/* Of children of this process: clock ticks are too coarse, so these are their own words. */
static double run_time(const char *path)
{
	unsigned long long ns = 0;
	FILE *f = fopen(path, "r");
	if (f != NULL && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f != NULL)
		fclose(f);
	return (double)ns / 1e3;
}

/* Those that live on: their parent is a child of this process. */
static bool is_grandchild(int parent)
{
	int of = 0;
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", parent), *text = NULL;
	const char *after = g_file_get_contents(path, &text, NULL, NULL) ? strrchr(text, ')')
									 : NULL;
	return after != NULL && sscanf(after + 2, "%*c %d", &of) == 1 && of == getpid();
}

static bool is_child(
	const char *pid, int *parent_out, double *minor, double *of_children, double *ticks)
{
	g_autofree char *path = g_strdup_printf("/proc/%s/stat", pid), *text = NULL;
	int parent = 0;
	unsigned long minflt = 0, cminflt = 0;
	long cutime = 0, cstime = 0;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	const char *after = strrchr(text, ')');
	if (after == NULL ||
		sscanf(after + 2, "%*c %d %*d %*d %*d %*d %*u %lu %lu %*u %*u %*u %*u %ld %ld",
			&parent, &minflt, &cminflt, &cutime, &cstime) != 5)
		return false;
	*minor = (double)minflt;
	*of_children = (double)cminflt;
	*ticks = (double)(cutime + cstime);
	*parent_out = parent;
	return parent == getpid();
}

#define KNOWN 100000

/* What a directory of so many customer numbers has. */
static GBytes *filter(void)
{
	static const guint8 key[MS_FILTER_KEY_BYTES] = {7};
	g_autofree MsMark *marks = g_new(MsMark, KNOWN);
	for (guint i = 0; i < KNOWN; i++) {
		char number[16];
		g_snprintf(number, sizeof number, "k%09u", i);
		g_assert_true(
			ms_mark_make(key, "customer-number", number, strlen(number), &marks[i]));
	}
	return ms_filter_build(key, marks, KNOWN);
}

/* Since the readers were started; only one of them works at a time. */
static void look(double *out)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	memset(out, 0, FIGURES * sizeof *out);
	out[0] = (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
	DIR *proc = opendir("/proc");
	for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
		double minor, of_children, ticks;
		int parent = 0;
		if (!g_ascii_isdigit(*e->d_name))
			continue;
		g_autofree char *path = g_strdup_printf("/proc/%s/schedstat", e->d_name);
		if (!is_child(e->d_name, &parent, &minor, &of_children, &ticks)) {
			if (parent > 0 && is_grandchild(parent)) {
				out[2] += run_time(path);
				out[5] += minor;
			}
			continue;
		}
		out[1] += run_time(path);
		out[2] += ticks * 1e6 / (double)sysconf(_SC_CLK_TCK);
		out[4] += minor;
		out[5] += of_children;
	}
	if (proc != NULL)
		closedir(proc);
	out[3] = out[0] + out[1] + out[2];
}

static MsReader *start(const char *word, const MsKinds *kinds, GBytes *known)
{
	g_auto(GStrv) parts = g_strsplit(word, ":", 3);
	bool restore = parts[1] != NULL && strcmp(parts[1], "restore") == 0;
	MsReaderSettings settings = {.program = parts[0],
		.kinds = kinds,
		.workers = 2,
		.jobs = parts[1] != NULL && !restore ? (guint)atoi(parts[1]) : 1,
		.restore = restore,
		.wait_ms = 60000,
		.cache_bytes = parts[1] != NULL && parts[2] != NULL ? 0 : 1 << 20,
		.lean = true};
	ms_limits_default(&settings.limits);
	g_autofree char *warning = NULL;
	g_autoptr(GError) error = NULL;
	MsReader *reader = ms_reader_new(&settings, &warning, &error);
	if (reader == NULL)
		g_error("%s: %s", word, error->message);
	if (warning != NULL)
		g_printerr("%s: %s\n", word, warning);
	if (!ms_reader_know(reader, known, 1, &error))
		g_error("%s: %s", word, error->message);
	return reader;
}

static void turn(Row *row, int fd, guint round)
{
	double before[FIGURES], after[FIGURES];
	look(before);
	for (guint i = 0; i < TURN; i++) {
		g_autoptr(MsReading) reading = NULL;
		g_autoptr(GError) error = NULL;
		if (!ms_reader_read(row->reader, fd, NULL, &reading, NULL, &error))
			g_error("%s: %s", row->name, error->message);
	}
	g_usleep(20000); /* the last ones are reaped */
	look(after);
	for (guint i = 0; i < FIGURES; i++)
		row->figures[i][round] = (after[i] - before[i]) / TURN;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static Row rows[MOST];
	g_test_init(&argc, &argv, NULL);
	guint rounds = argc > 3 ? (guint)CLAMP(atoi(argv[2]), 1, ROUNDS) : 0, n = 0;
	g_autofree char *data = NULL, *text = read_source("policies/kinds.conf");
	gsize len;
	if (rounds == 0 || argc - 3 > MOST || !g_file_get_contents(argv[1], &data, &len, NULL))
		g_error("usage: fresh MESSAGE.eml ROUNDS READER...");
	g_autoptr(MsKinds) kinds = ms_kinds_parse("kinds.conf", text, NULL);
	g_autoptr(GBytes) known = filter();
	int fd = ms_memory_of("message", data, len);
	for (; n < (guint)argc - 3; n++)
		rows[n] = (Row){.name = argv[3 + n], .reader = start(argv[3 + n], kinds, known)};
	for (guint round = 0; round < rounds; round++)
		for (guint i = 0; i < n; i++)
			turn(&rows[i], fd, round);
	for (guint i = 0; i < n; i++) {
		printf("%s\n", rows[i].name);
		for (guint k = 0; k < FIGURES; k++) {
			qsort(rows[i].figures[k], rounds, sizeof(double), by_value);
			printf("  %-18s %9.1f  (least %.1f)\n", names[k],
				rows[i].figures[k][rounds / 2], rows[i].figures[k][0]);
		}
		ms_reader_free(rows[i].reader);
	}
	close(fd);
	return 0;
}
