/* The MTA's queue and a webhook as mta.h promises them: what a line that cannot be read says of the
 * others, how long a program of the MTA is waited for, and where a POST goes; and its settings
 * (mtaconf.h). */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/mta.h"
#include "missent/mtaconf.h"

#include "../test.h"

/* ---- the queue ------------------------------------------------------------------------- */

static void put(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void check_queue(const MsMta *mta, bool whole)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) queue = ms_mta_queue(mta, &error);
	MsRecord there = {.queue_id = (char *)"THERE", .arrived = 1000 * (gint64)G_USEC_PER_SEC};
	MsRecord gone = {.queue_id = (char *)"GONE", .arrived = there.arrived};
	MsRecord later = {
		.queue_id = (char *)"THERE", .arrived = 9000000 * (gint64)G_USEC_PER_SEC};
	g_assert_no_error(error);
	g_assert_cmpint(g_hash_table_contains(queue, ""), ==, !whole);
	g_assert_nonnull(ms_mta_queued(queue, &there, &error));
	g_assert_null(ms_mta_queued(queue, &later, &error));
	g_assert_no_error(error);
	/* It may be one of those that could not be read. */
	g_assert_null(ms_mta_queued(queue, &gone, &error));
	if (whole)
		g_assert_no_error(error);
	else
		g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
}

static void test_queue(void)
{
	g_autofree char *dir = scratch_folder();
	g_autofree char *program = built_file("tests/tools/fake-release");
	const MsMta mta = {.program = program, .config = dir, .timeout_ms = 60000};
	g_autoptr(GError) error = NULL;
	put(dir, "THERE.queue", "hold\ns@x\n1000\na@x\n");
	check_queue(&mta, true);
	put(dir, "do.list", "garbage");
	check_queue(&mta, false);
	check_queue(&mta, true);
	/* None at all is another answer than an empty one. */
	put(dir, "do.list", "fail");
	g_assert_null(ms_mta_queue(&mta, &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	remove_folder(dir);
}

/* ---- programs that do not end ---------------------------------------------------------- */

static void deny(int number, int why)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (guint)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (guint)why),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {G_N_ELEMENTS(code), code};
	g_assert_cmpint(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
	g_assert_cmpint(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), ==, 0);
}

static void ask_one_that_hangs(const MsMta *mta)
{
	g_autoptr(GError) error = NULL;
	put(mta->config, "do.delete", "hang");
	g_assert_false(ms_mta_run(mta, MS_MTA_DELETE, "THERE1", "0", &error));
	g_assert_error(error, MS_ERROR, MS_ERROR_RETRY);
	g_assert_nonnull(strstr(error->message, "queue-timeout"));
}

/* What it has started is gone as well: it becomes ours, and has ended. */
static void submit_to_one_that_hangs(const MsMta *mta)
{
	g_autofree char *reply = NULL;
	FILE *message = tmpfile();
	g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), ==, 0);
	g_assert_cmpint(ms_mta_submit_locally(mta, "s@x", "a@x", fileno(message), &reply), ==,
		MS_UNCLEAR);
	g_assert_nonnull(strstr(reply, "queue-timeout"));
	fclose(message);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

static void test_hangs(void)
{
	static const struct {
		const char *name;
		bool denied;
		void (*ask)(const MsMta *);
	} rows[] = {
		{"a verb", false, ask_one_that_hangs},
		{"a verb, without pidfd_open", true, ask_one_that_hangs},
		{"a mail", false, submit_to_one_that_hangs},
		{"a mail, without pidfd_open", true, submit_to_one_that_hangs},
	};
	g_autofree char *dir = scratch_folder();
	g_autofree char *program = built_file("tests/tools/fake-release");
	g_autofree char *sendmail = g_build_filename(dir, "sendmail", NULL);
	const MsMta mta = {.program = program,
		.config = dir,
		.sendmail = true,
		.queue = dir,
		.sendmail_program = sendmail,
		.timeout_ms = 300};
	put(dir, "sendmail", "#!/bin/sh\nsleep 100 &\nwait\n");
	g_assert_no_errno(g_chmod(sendmail, 0700));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int status;
		g_test_message("%s", rows[i].name);
		pid_t pid = fork();
		if (pid == 0) {
			alarm(10);
			if (rows[i].denied)
				/* as a container's filter that is older */
				deny(SYS_pidfd_open, EPERM);
			rows[i].ask(&mta);
			_exit(0);
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_cmpint(status, ==, 0);
	}
	remove_folder(dir);
}

/* What this host lacks for now is another answer than what a program said, or that there is none:
 * nothing was begun. */
static void test_want(void)
{
	static const struct {
		const char *name;
		int number, why;
		bool missing, want;
	} rows[] = {
		{"nothing", SYS_pidfd_open, EPERM, false, false},
		{"descriptors", SYS_memfd_create, EMFILE, false, true},
		{"descriptors of all", SYS_pipe2, ENFILE, false, true},
		{"processes", SYS_clone, EAGAIN, false, true},
		{"processes of that user", SYS_execve, EAGAIN, false, true},
		{"memory", SYS_execve, ENOMEM, false, true},
		{"the program", SYS_pidfd_open, EPERM, true, false},
	};
	g_autofree char *dir = scratch_folder();
	g_autofree char *program = built_file("tests/tools/fake-release");
	put(dir, "do.delete", "fail always");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const MsMta mta = {.program = rows[i].missing ? "/nowhere/release" : program,
			.config = dir,
			.timeout_ms = 60000};
		int status;
		g_test_message("%s", rows[i].name);
		pid_t pid = fork();
		if (pid == 0) {
			g_autoptr(GError) error = NULL;
			int want = rows[i].want ? MS_ERROR_BUSY : MS_ERROR_RETRY;
			deny(rows[i].number, rows[i].why);
			g_assert_false(ms_mta_run(&mta, MS_MTA_DELETE, "THERE1", "0", &error));
			g_assert_error(error, MS_ERROR, want);
			_exit(0);
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_cmpint(status, ==, 0);
	}
	remove_folder(dir);
}

/* ---- a webhook ------------------------------------------------------------------------- */

typedef struct {
	int listening;
	guint port, status;
} Elsewhere;

/* One connection: its first line, and all of its head and body. */
static void take_request(FILE *in, char *first, int size)
{
	char line[512];
	gsize length = 0;
	g_assert_nonnull(fgets(first, size, in));
	while (fgets(line, sizeof line, in) != NULL && strcmp(line, "\r\n") != 0)
		if (g_ascii_strncasecmp(line, "Content-Length:", 15) == 0)
			length = (gsize)g_ascii_strtoull(line + 15, NULL, 10);
	while (length-- > 0)
		g_assert_cmpint(fgetc(in), !=, EOF);
}

/* Who asks for /hook is sent on to /taken, where all is taken. */
static void *serve(void *user)
{
	const Elsewhere *here = user;
	for (int fd; (fd = accept(here->listening, NULL, NULL)) >= 0;) {
		char first[512];
		FILE *in = fdopen(fd, "r");
		g_assert_nonnull(in);
		take_request(in, first, sizeof first);
		bool taken = strstr(first, " /taken ") != NULL;
		g_autofree char *reply = g_strdup_printf(
			"HTTP/1.1 %u x\r\nLocation: http://127.0.0.1:%u/taken\r\n"
			"Content-Length: 0\r\nConnection: close\r\n\r\n",
			taken ? 200 : here->status, here->port);
		g_assert_cmpint(send(fd, reply, strlen(reply), MSG_NOSIGNAL), >, 0);
		fclose(in);
	}
	return NULL;
}

static void start(Elsewhere *here)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	here->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_no_errno(bind(here->listening, (struct sockaddr *)&address, len));
	g_assert_no_errno(listen(here->listening, 8));
	g_assert_no_errno(getsockname(here->listening, (struct sockaddr *)&address, &len));
	here->port = ntohs(address.sin_port);
}

static bool post(const Elsewhere *here, const char *path, char **why_out)
{
	g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u%s", here->port, path);
	const MsHook hook = {.url = url, .key = "key", .timeout_ms = 60000};
	return ms_hook_post(&hook, "name", "{}", why_out);
}

/* The body goes where the setting says, and nowhere that a reply says. */
static void test_redirects(void)
{
	static const guint rows[] = {301, 302, 303, 307, 308};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		Elsewhere here = {.status = rows[i]};
		g_autofree char *why = NULL, *none = NULL;
		g_autofree char *want = g_strdup_printf("HTTP status %u", rows[i]);
		pthread_t thread;
		start(&here);
		g_assert_cmpint(pthread_create(&thread, NULL, serve, &here), ==, 0);
		g_assert_true(post(&here, "/taken", &none));
		g_assert_false(post(&here, "/hook", &why));
		g_assert_cmpstr(why, ==, want);
		shutdown(here.listening, SHUT_RDWR);
		pthread_join(thread, NULL);
		close(here.listening);
	}
}

/* ---- settings of the MTA ---------------------------------------------------------------- */

static void test_seconds(void)
{
	static const struct {
		const char *text;
		gint64 want;
	} rows[] = {{"300", 300}, {"300s", 300}, {"5m", 300}, {"2h", 7200}, {"1d", 86400},
		{"1w", 604800}, {"0", 0}, {"", 0}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(ms_postfix_seconds(rows[i].text), ==, rows[i].want);
}

static void test_lists(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {{"", ""}, {" ,\t\n", ""}, {"unix:/a, inet:b:1\tc", "unix:/a|inet:b:1|c"},
		{"{ inet:b:1, connect_timeout=10s }, unix:/a", "inet:b:1, connect_timeout=10s|unix:/a"},
		{"{a}{b}c", "a|b|c"}, {"{a, b", "a, b"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) list = ms_postfix_list(rows[i].text);
		g_ptr_array_add(list, NULL);
		g_autofree char *got = g_strjoinv("|", (char **)list->pdata);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
}

static void test_options(void)
{
	static const char cf[] = "O Milter.macros.connect=j\nO Timeout.queuereturn = 5d\n"
				 "#O QueueDirectory=/old\no queuedirectory=/no\n"
				 "O  QUEUEDIRECTORY =\t/var/spool\n\t/q*\nO QueueDirectoryOf=/other\n";
	static const struct {
		const char *name, *want;
	} rows[] = {{"QueueDirectory", "/var/spool \t/q*"}, {"Timeout.queuereturn", "5d"},
		{"Milter.macros", NULL}, {"Milter.macros.connect", "j"}, {"Queue", NULL}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = ms_sendmail_option(cf, rows[i].name);
		g_assert_cmpstr(got, ==, rows[i].want);
	}
	g_autofree char *there = ms_sendmail_equate("missent, S = unix:/a=b , F=T", 'S'),
			*none = ms_sendmail_equate("S, F=T", 'S');
	g_assert_cmpstr(there, ==, "unix:/a=b");
	g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mta/queue", test_queue);
	g_test_add_func("/mta/hangs", test_hangs);
	g_test_add_func("/mta/want", test_want);
	g_test_add_func("/mta/redirects", test_redirects);
	g_test_add_func("/mta/seconds", test_seconds);
	g_test_add_func("/mta/lists", test_lists);
	g_test_add_func("/mta/options", test_options);
	return g_test_run();
}
