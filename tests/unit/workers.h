/* Reader processes of this one, and their workers, found and signalled from outside. */
#ifndef MISSENT_TESTS_WORKERS_H
#define MISSENT_TESTS_WORKERS_H

#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Of this process: supervisors, workers are theirs.  All are known before the first has the signal:
 * another may take its place at once. */
static inline char **children_of(pid_t parent)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)parent);
	g_autoptr(GDir) tasks = g_dir_open(path, 0, NULL);
	g_autoptr(GString) all = g_string_new(NULL);
	for (const char *task; tasks != NULL && (task = g_dir_read_name(tasks)) != NULL;) {
		g_autofree char *file = g_build_filename(path, task, "children", NULL);
		g_autofree char *children = NULL;
		if (g_file_get_contents(file, &children, NULL, NULL))
			g_string_append(all, children);
	}
	g_strstrip(all->str);
	return g_strsplit(all->str, " ", all->str[0] != '\0' ? -1 : 0);
}

static inline guint signal_children(int number)
{
	g_auto(GStrv) pids = children_of(getpid());
	guint n = 0;
	for (char **pid = pids; *pid != NULL; pid++)
		n += kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), number) == 0;
	return n;
}

/* One that was only just made computes, too, but not for so long. */
static inline bool is_at_work(const char *stat)
{
	g_auto(GStrv) fields = g_strsplit(strrchr(stat, ')') + 2, " ", 13);
	gint64 ticks = g_ascii_strtoll(fields[11], NULL, 10);
	return *fields[0] == 'R' && ticks >= sysconf(_SC_CLK_TCK) / 5;
}

/* Workers that compute, and do not wait for somebody. */
static inline guint signal_workers(int number)
{
	g_auto(GStrv) supervisors = children_of(getpid());
	guint n = 0;
	for (char **s = supervisors; *s != NULL; s++) {
		g_auto(GStrv) pids = children_of((pid_t)g_ascii_strtoll(*s, NULL, 10));
		for (char **pid = pids; *pid != NULL; pid++) {
			g_autofree char *path = g_strdup_printf("/proc/%s/stat", *pid);
			g_autofree char *stat = NULL;
			if (g_file_get_contents(path, &stat, NULL, NULL) && is_at_work(stat))
				n += kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), number) == 0;
		}
	}
	return n;
}

/* As soon as there is one. */
static inline void signal_one(int number)
{
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	while (signal_workers(number) == 0) {
		g_usleep(100000);
		g_assert_cmpint(g_get_monotonic_time(), <, end);
	}
}

#endif
