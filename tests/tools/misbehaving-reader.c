/*
 * missent-reader with a worker that does what a document that has taken it over might do.
 * The message says which: "MISBEHAVE word" anywhere in it.  Without that it reads as usual.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "missent/io.h"
#include "missent/worker.h"

#include "../../milter/reader/reader_private.h"

static void crash(void)
{
	volatile int *nowhere = (int *)g_getenv("MISSENT_NO_SUCH_VARIABLE");
	*nowhere = 1;
}

static void loop(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static guint forever = G_MAXUINT;

static void overflow(volatile char *below)
{
	volatile char here[65536];
	here[0] = below != NULL ? below[0] : 1;
	if (forever > 0)
		overflow(here);
	here[1] = here[0];
}

static void eat(void)
{
	for (;;)
		memset(g_malloc(1 << 24), 1, 1 << 24);
}

/* What follows must not come back: if it does, the message is read as usual, and the test that
 * expects it to be unreadable fails. */
static void open_socket(void)
{
	close(socket(AF_INET, SOCK_STREAM, 0));
}

static void open_file(void)
{
	/* Refused it goes on, so that it is killed only if it was refused. */
	if (open("/etc/passwd", O_RDONLY) < 0)
		abort();
}

static void write_file(void)
{
	close(open("/tmp/missent-was-here", O_WRONLY | O_CREAT, 0600));
}

static void run_program(void)
{
	char program[] = "/nonexistent/program";
	char *argv[] = {program, NULL};
	execv(program, argv);
}

static void make_process(void)
{
	if (fork() == 0)
		_exit(0);
}

static void make_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void protect_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void signal_others(void)
{
	kill(getppid(), 0);
}

/* An answer that is no reading; the job's socket is descriptor 3. */
static void lie(void)
{
	struct {
		char magic[8];
		guint64 len;
		char text[16];
	} answer = {MS_ANSWER_MAGIC, 16, "not a reading..."};
	if (write(3, &answer, sizeof answer) > 0)
		_exit(0);
}

static void boast(void)
{
	struct {
		char magic[8];
		guint64 len;
	} answer = {MS_ANSWER_MAGIC, G_MAXUINT64 / 2};
	if (write(3, &answer, sizeof answer) > 0)
		for (;;)
			if (write(3, &answer, sizeof answer) < 0)
				_exit(0);
}

static void half(void)
{
	if (write(3, MS_ANSWER_MAGIC "\x10\0\0\0\0\0\0\0abc", 19) > 0)
		_exit(0);
}

static void wait_long(void)
{
	gint64 end = g_get_monotonic_time() + 3 * G_USEC_PER_SEC; /* sleeping is not allowed */
	while (g_get_monotonic_time() < end)
		;
}

static void overflow_stack(void)
{
	overflow(NULL);
}

/* ---- questions ---- */

static void question(guint64 more, guint64 start, guint64 end)
{
	MsWireHeader header = {MS_QUESTION_MAGIC, sizeof(MsWireQuestion) + more};
	MsWireQuestion ask = {start, end, "7bit\ntext/plain\n\n"};
	ms_io_send(3, &header, sizeof header);
	ms_io_send(3, &ask, sizeof ask);
}

static void take_reply(void)
{
	char reply[4096];
	if (read(3, reply, sizeof reply) < 0)
		abort();
}

static void ask_beyond(void)
{
	question(0, 0, 1 << 30); /* is answered with no; so go on to what is not */
	take_reply();
	question(0, 7, 7);
	take_reply();
}

static void ask_backwards(void)
{
	question(0, 9, 3);
	take_reply();
}

static void ask_huge(void)
{
	question(1ULL << 40, 0, 0);
	take_reply();
}

static void ask_endless(void)
{
	for (;;) {
		question(0, 0, 5);
		take_reply();
	}
}

static void ask_much(void)
{
	for (int i = 0; i < 100; i++) {
		question(0, 0, 200);
		take_reply();
	}
}

static void ask_deaf(void)
{
	for (;;)
		question(0, 0, 5);
}

static const struct {
	const char *word;
	void (*act)(void);
} acts[] = {
	{"crash", crash}, {"loop", loop}, {"stack", overflow_stack}, {"memory", eat},
	{"socket", open_socket}, {"file", open_file}, {"create", write_file},
	{"program", run_program}, {"process", make_process}, {"code", make_code}, {"protect", protect_code},
	{"signal", signal_others}, {"lie", lie},
	{"boast", boast}, {"half", half}, {"wait", wait_long},
	{"ask-beyond", ask_beyond}, {"ask-backwards", ask_backwards}, {"ask-huge", ask_huge},
	{"ask-endless", ask_endless}, {"ask-much", ask_much}, {"ask-deaf", ask_deaf},
};

static bool remembers;

static void work(const MsJob *job)
{
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		g_autofree char *order = g_strdup_printf("MISBEHAVE %s\r", acts[i].word);
		if (memmem(job->data, job->len, order, strlen(order)) != NULL)
			acts[i].act();
	}
	if (job->as != NULL && memmem(job->data, job->len, "MISBEHAVE document-asks\r", 24) != NULL) {
		question(0, 1, 9);
		take_reply();
	}
	if (job->as != NULL && memmem(job->data, job->len, "MISBEHAVE document-waits\r", 25) != NULL)
		wait_long();
	ms_reader_work(job);
	if (remembers)
		ms_reading_find(job->reading, "customer-number",
			job->as != NULL ? "REMEMBERED BY DOCUMENT" : "REMEMBERED BY MESSAGE", MS_BELIEF_LABELLED, 0,
			ms_place_new(MS_PLACE_HERE, "x", 0, 1, 1));
	if (memmem(job->data, job->len, "MISBEHAVE remember\r", 19) != NULL)
		remembers = true;
	/* A document that adds to what was read: in a reading of itself it may. */
	if (memmem(job->data, job->len, "MISBEHAVE plant\r", 16) != NULL)
		ms_reading_find(job->reading, "customer-number", "PLANTED", MS_BELIEF_LABELLED, 0,
			ms_place_new(MS_PLACE_HERE, "x", 0, 1, 1));
}

int main(int argc, char **argv)
{
	MsReaderProgram program = ms_reader_program;
	program.work = work;
	return ms_reader_main(argc, argv, &program);
}
