/*
 * One thread, warmed up: patterns compiled, converters open, GMime ready.  It forks workers
 * ahead of need and puts each one's socket into the control socket, whose kernel queue is the
 * pool of idle workers: a thread of the daemon that needs a worker takes the next packet.
 * The supervisor never sees a message.  It answers the daemon's pulse, so that one that hangs is
 * replaced, with what keeps it from having workers.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/usage.h"

#include "reader_private.h"

#define MAX_WORKERS 512

typedef struct {
	int socket, pidfd; /* the second -1: it is put back */
	pid_t pid;
} Offer;

typedef struct {
	WorkerSetup worker;
	MsSandbox *sandbox;
	const MsReaderProgram *program;
	char *languages; /* that are recognised in pictures */
	bool optional;
	bool restores; /* workers are put back (restore.c) */
	unsigned workers;
	unsigned alive, dying; /* the second of the first: they were killed */
	unsigned n_offered;
	int signals;
	int null; /* /dev/null */
	pid_t self;
	bool crowded; /* descriptors cannot be handed over for now */
	MsWirePulse pulse; /* what it is short of */
	void *filter; /* the image that workers inherit */
	size_t filter_size, filter_room; /* bytes that are its own, and that are mapped */
	/* That the queue did not take yet.  Last, for of the pages that a fork shares few are
	 * to be written to. */
	Offer offered[MAX_WORKERS];
} Supervisor;

static void say(char letter, const char *text)
{
	char packet[MS_PACKET_MAX];
	int n = snprintf(packet, sizeof packet, "%c%s", letter, text);
	size_t len = (size_t)n < sizeof packet ? (size_t)n : sizeof packet - 1;
	if (!ms_wire_send(MS_CONTROL_FD, packet, len, NULL, 0, 0))
		_exit(1);
}

static int fail(const char *text)
{
	say(MS_PACKET_FAILED, text);
	return 1;
}

/* The host lacks something now: neither the settings nor the confinement are at fault. */
static int lack(const char *what)
{
	g_autofree char *text = g_strdup_printf("%s: %s", what, strerror(errno));
	say(MS_PACKET_SHORT, text);
	return 1;
}

/* ---- settings ------------------------------------------------------------------------- */

static GBytes *read_setup(void)
{
	struct stat st;
	if (fstat(MS_SETUP_FD, &st) != 0 || st.st_size <= 0 || st.st_size > (64 << 20))
		return NULL;
	guint8 *data = g_malloc((gsize)st.st_size);
	if (pread(MS_SETUP_FD, data, (size_t)st.st_size, 0) != st.st_size) {
		g_free(data);
		return NULL;
	}
	return g_bytes_new_take(data, (gsize)st.st_size);
}

static bool load_setup(Supervisor *s, GError **error)
{
	g_autoptr(GBytes) bytes = read_setup();
	if (bytes == NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"no settings on descriptor %d: missent-reader is started by missentd",
			MS_SETUP_FD);
		return false;
	}
	g_autoptr(GVariant) setup = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(MS_SETUP_FORMAT), bytes, FALSE));
	const char *text;
	g_autoptr(GVariantIter) costs = NULL;
	gboolean optional;
	guint64 milliseconds;
	MsLimits *limits = &s->worker.limits;
	gboolean help, lean, restore;
	const char *languages;
	g_variant_get(setup, "(&satuttuuuuub^as&sbbb)", &text, &costs, &limits->max_depth,
		&milliseconds, &limits->memory, &limits->ocr_dpi, &limits->ocr_confidence,
		&limits->ocr_coverage, &s->workers, &s->worker.jobs, &optional,
		&s->worker.passwords, &languages, &help, &lean, &restore);
	s->worker.restored = restore && s->worker.jobs == 1 && s->program->no_tables;
	s->worker.lean = lean;
	s->worker.help = help;
	s->languages = g_strdup(languages);
	limits->milliseconds = (gint64)milliseconds;
	s->optional = optional;
	for (int i = 0; i < MS_N_COSTS; i++)
		g_variant_iter_next(costs, "t", &limits->max[i]);
	s->worker.kinds = ms_kinds_parse("kinds.conf", text, error);
	return s->worker.kinds != NULL;
}

/* ---- warming up ----------------------------------------------------------------------- */

/* Whatever libraries load or set up at first use (types, tables, converters) is set up here,
 * once, and not in every worker anew; a confined one could not load anything. */
static void run_once(Supervisor *s)
{
	MsBudget budget;
	ms_budget_init(&budget, &s->worker.limits);
	g_autoptr(MsReading) reading = ms_reading_new();
	MsFilters none = {{NULL, NULL}, false};
	MsJob job = {.kinds = s->worker.kinds,
		.known = &none,
		.data = (const guint8 *)s->program->warm,
		.len = strlen(s->program->warm),
		.budget = &budget,
		.reading = reading};
	s->program->work(&job);
	ms_reading_unread(reading, "warm", MS_UNREAD_DAMAGED, "%s", "x");
	g_bytes_unref(ms_reading_encode(reading));
}

/* A terminal's interrupt and an operator's stop reach the daemon, which closes us when it has
 * answered for the messages in hand.  Whatever was blocked for who started us is not for us. */
static void block_stops(bool children)
{
	static const int stops[] = {SIGINT, SIGHUP, SIGTERM, SIGUSR1};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
		sigaddset(&set, stops[i]);
	if (children)
		sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* ---- workers -------------------------------------------------------------------------- */

/* Of computing that a job may take. */
static unsigned seconds_of_job(const Supervisor *s)
{
	return (unsigned)(s->worker.limits.milliseconds / 1000 + 2);
}

static void begin_worker(const Supervisor *s)
{
	block_stops(false);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != s->self)
		_exit(0); /* it died before it could be said */
}

static void become_worker(const Supervisor *s, int fd)
{
	begin_worker(s);
	if (!sandbox_descriptors(fd, s->null))
		_exit(1);
	const char *failed = sandbox_enter(s->sandbox, s->worker.limits.memory,
		seconds_of_job(s) * s->worker.jobs, false);
	if (failed != NULL && !s->optional)
		_exit(2);
	worker_serve(3, &s->worker);
}

/* Whenever a job begins it has as many seconds left as any worker. */
static void become_restored(const Supervisor *s, int line)
{
	begin_worker(s);
	if (!restored_begin(line) || !sandbox_descriptors(line, s->null))
		_exit(1);
	uint64_t memory = s->worker.limits.memory + restored_extra();
	if (sandbox_enter(s->sandbox, memory, seconds_of_job(s) * 2, true) != NULL)
		_exit(2);
	worker_serve_restored(3, &s->worker);
}

static bool lacks(Supervisor *s, const char *what)
{
	s->pulse.why = errno;
	g_strlcpy(s->pulse.what, what, sizeof s->pulse.what);
	return false;
}

static bool start_forked(Supervisor *s)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return lacks(s, "socketpair");
	pid_t pid = fork();
	int why = errno;
	if (pid == 0)
		become_worker(s, pair[1]);
	close(pair[1]);
	s->alive += pid > 0; /* reaped it is counted off, whatever else fails */
	if (pid > 0)
		deaths_begin(pid);
	int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pid > 0)
		why = errno;
	if (pidfd < 0) {
		if (pid > 0)
			kill(pid, SIGKILL);
		close(pair[0]);
		errno = why;
		return lacks(s, pid > 0 ? "pidfd_open" : "fork");
	}
	s->offered[s->n_offered++] = (Offer){pair[0], pidfd, pid};
	s->pulse.why = 0;
	return true;
}

/* It is offered when it first says that it is ready. */
static bool start_restored(Supervisor *s)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return lacks(s, "socketpair");
	pid_t pid = fork();
	int why = errno;
	if (pid == 0)
		become_restored(s, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		errno = why;
		return lacks(s, "fork");
	}
	s->alive++;
	deaths_begin(pid);
	if (restored_new(pid, pair[0]) == NULL) {
		why = errno;
		s->dying += kill(pid, SIGKILL) == 0;
		errno = why;
		return lacks(s, "tracing a worker");
	}
	s->pulse.why = 0;
	return true;
}

static bool start_worker(Supervisor *s)
{
	return s->restores ? start_restored(s) : start_forked(s);
}

static bool offer_restored(Supervisor *s, Restored *w, pid_t pid)
{
	int pair[2];
	if (s->n_offered == MAX_WORKERS
		|| socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	bool fine = restored_go(w, pair[1]);
	close(pair[1]);
	if (fine)
		s->offered[s->n_offered++] = (Offer){pair[0], -1, pid};
	else
		close(pair[0]);
	return fine;
}

/* A worker that is put back has stopped: true.  Else it, or another, has ended. */
static bool look_at(Supervisor *s, pid_t pid, int status)
{
	Restored *w = s->restores ? restored_find(pid) : NULL;
	if (!WIFSTOPPED(status)) {
		if (w != NULL)
			restored_free(w);
		return false;
	}
	RestoredStop stop = w != NULL ? restored_stopped(w, status) : RESTORED_KILL;
	if (stop == RESTORED_GOES_ON || (stop == RESTORED_READY && offer_restored(s, w, pid)))
		return true;
	deaths_ours(pid);
	if (kill(pid, SIGKILL) == 0)
		s->dying++; /* another may take its place */
	return true;
}

/* The last one that is offered: it is somebody's, or nobody's. */
static void withdraw(Supervisor *s)
{
	const Offer *offer = &s->offered[--s->n_offered];
	close(offer->socket);
	ms_io_close(offer->pidfd);
}

static void offer_workers(Supervisor *s)
{
	s->crowded = false;
	while (s->n_offered > 0) {
		const Offer *offer = &s->offered[s->n_offered - 1];
		const int fds[2] = {offer->socket, offer->pidfd};
		const Restored *w = offer->pidfd < 0 ? restored_find(offer->pid) : NULL;
		MsWireWorker packet = {.letter = MS_PACKET_WORKER,
			.pid = offer->pid,
			.filter = s->worker.filter_number,
			.serial = w != NULL ? restored_serial(w) : 0,
			.before = w != NULL ? restored_microseconds(w) : 0};
		if (!ms_wire_send(MS_CONTROL_FD, &packet, sizeof packet, fds, w != NULL ? 1 : 2,
			    MSG_DONTWAIT)) {
			s->crowded = errno != EAGAIN && ms_wire_is_short(errno);
			if (s->crowded)
				lacks(s, "handing over a worker");
			if (s->crowded || errno == EAGAIN || errno == EINTR)
				return; /* again in a moment */
			_exit(0); /* the daemon is gone */
		}
		withdraw(s);
	}
}

/* ---- the filter ----------------------------------------------------------------------- */

#define HUGE_PAGE (2u << 20)

/* Memory of our own, in large pages where there are any: workers inherit it with their page
 * tables and find it without a fault.  A shared file would be mapped anew, page by page, by
 * each of them. */
static void *copy_image(int fd, size_t size)
{
	size_t room = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
	guint8 *area = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return NULL;
	guint8 *image = area + (HUGE_PAGE - (uintptr_t)area % HUGE_PAGE) % HUGE_PAGE;
	munmap(area, (size_t)(image - area));
	munmap(image + room - HUGE_PAGE, (size_t)(area + HUGE_PAGE - image));
	madvise(image, room - HUGE_PAGE, MADV_HUGEPAGE);
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, image + done, size - done, (off_t)done);
		if (n <= 0) {
			munmap(image, room - HUGE_PAGE);
			return NULL;
		}
		done += (size_t)n;
	}
	return image;
}

/* It is sealed.  Who reads documents has few messages, which cost more than the pages that each
 * maps anew; who reads all mail has a copy, so that there is one beside the daemon's, not two.
 * Private, though nobody writes: older kernels share nothing that is sealed. */
static void *share_image(int fd, size_t size)
{
	void *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	return image != MAP_FAILED ? image : NULL;
}

static void drop_filter(Supervisor *s)
{
	g_clear_pointer(&s->worker.filter, ms_filter_free);
	if (s->filter != NULL)
		munmap(s->filter, s->filter_room);
	s->filter = NULL;
	s->worker.filter_number = 0;
}

/* Workers that nobody has taken yet know the old one only; those in the queue are told apart by
 * its number. */
static void drop_offered(Supervisor *s)
{
	while (s->n_offered > 0)
		withdraw(s);
}

static void take_filter(Supervisor *s, uint64_t number, int fd)
{
	struct stat st;
	drop_filter(s);
	drop_offered(s);
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		s->filter_size = (size_t)st.st_size;
		bool copies = s->program->no_tables;
		s->filter_room = copies
			? (s->filter_size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE
			: s->filter_size;
		s->filter = copies ? copy_image(fd, s->filter_size)
				   : share_image(fd, s->filter_size);
	}
	if (s->filter != NULL)
		s->worker.filter = ms_filter_open(s->filter, s->filter_size, NULL);
	if (s->worker.filter == NULL)
		_exit(1); /* started anew, it is given the filter again */
	s->worker.filter_number = number;
	/* Nobody writes to it: it is not among what is put back. */
	if (s->restores
		&& (mprotect(s->filter, s->filter_room, PROT_READ) != 0 || !restored_renew()))
		_exit(1);
}

/* Anything else than a filter means that the daemon ended or let go. */
static void hear(Supervisor *s)
{
	for (;;) {
		MsWireWorker packet;
		int fd;
		ssize_t n = ms_wire_receive(
			MS_CONTROL_FD, &packet, sizeof packet, &fd, 1, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == sizeof packet && packet.letter == MS_PACKET_KILLED) {
			/* One that computes little because others want the processor dies late,
			 * too. */
			Restored *w = packet.serial != 0 ? restored_find(packet.pid) : NULL;
			if (packet.serial == 0 || (w != NULL && restored_let_go(w, packet.serial)))
				s->dying += s->dying < s->workers;
			continue;
		}
		if (n != sizeof packet || packet.letter != MS_PACKET_FILTER || fd < 0)
			_exit(0);
		take_filter(s, packet.filter, fd);
		close(fd);
	}
}

static void reap(Supervisor *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof info) == sizeof info)
		;
	struct rusage used;
	int status;
	for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &used)) > 0;) {
		if (look_at(s, pid, status))
			continue;
		deaths_see(pid, status, &used,
			seconds_of_job(s) * (s->restores ? 2 : s->worker.jobs));
		s->alive--;
		s->dying = MIN(s->dying, s->alive);
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && s->dying > 0) {
			s->dying--;
			continue; /* the daemon knows why */
		}
		if (WIFSIGNALED(status))
			fprintf(stderr, "missent-reader: worker %d killed by signal %d (%s)\n",
				(int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status) != 0)
			fprintf(stderr, "missent-reader: worker %d ended with status %d\n",
				(int)pid, WEXITSTATUS(status));
		if (status != 0)
			usleep(2000); /* a broken set-up must not become a fork storm */
	}
}

/* A worker's line is closed a moment before it has ended. */
static MsWireEnded how_it_ended(Supervisor *s, pid_t pid)
{
	reap(s);
	if (deaths_tell(pid))
		return MS_ENDED_BY_ANOTHER;
	return kill(pid, 0) == 0 ? MS_ENDED_NOT_YET : MS_ENDED_BY_ITSELF;
}

static void beat(Supervisor *s)
{
	MsWireAsk ask;
	while (recv(MS_PULSE_FD, &ask, sizeof ask, MSG_DONTWAIT) == sizeof ask) {
		s->pulse.pid = ask.pid;
		s->pulse.ended = ask.pid > 0 ? how_it_ended(s, ask.pid) : MS_ENDED_BY_ITSELF;
		if (!ms_wire_send(MS_PULSE_FD, &s->pulse, sizeof s->pulse, NULL, 0, MSG_DONTWAIT))
			return;
	}
}

/* What a child says of the confinement that it tries: "ok", or what fails. */
typedef const char *(*Attempt)(Supervisor *s);

static const char *try_worker(Supervisor *s)
{
	return sandbox_enter(s->sandbox, s->worker.limits.memory, 10, false);
}

/* Is the confinement really to be had?  A child tries it and is asked.  NULL: yes. */
static const char *probe(Supervisor *s, Attempt attempt, bool *lacking_out)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		*lacking_out = true;
		return "socketpair";
	}
	pid_t pid = fork();
	if (pid < 0) {
		*lacking_out = true;
		return "fork";
	}
	if (pid == 0) {
		const char *failed = attempt(s);
		const char *word = failed != NULL ? failed : "ok";
		_exit(write(pair[1], word, strlen(word)) < 0);
	}
	close(pair[1]);
	static char answer[64];
	ssize_t n = read(pair[0], answer, sizeof answer - 1);
	close(pair[0]);
	waitpid(pid, NULL, 0);
	answer[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		return "the confined process was killed";
	return strcmp(answer, "ok") == 0 ? NULL : answer;
}

static bool try_handing_over(void)
{
	int pair[2], fds[2];
	char byte = 0;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0
		&& ms_wire_send(pair[0], &byte, 1, pair, 2, MSG_DONTWAIT)
		&& ms_wire_receive(pair[1], &byte, 1, fds, 2, MSG_DONTWAIT) == 1
		&& recv(pair[0], &byte, 1, MSG_DONTWAIT) < 0 && close(pair[0]) == 0;
}

/* As for a filter. */
static bool try_memory(int file)
{
	struct stat st;
	char byte;
	void *room = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return room != MAP_FAILED && fstat(file, &st) == 0 && pread(file, &byte, 1, 0) == 0
		&& munmap(room, 1) == 0;
}

static bool try_worker_and_wait(Supervisor *s)
{
	struct pollfd none = {-1, POLLIN, 0};
	s->self = getpid();
	s->alive = s->n_offered = 0;
	return start_worker(s) && poll(&none, 1, 1) == 0 && usleep(1) == 0
		&& kill(s->offered[0].pid, SIGKILL) == 0
		&& waitpid(s->offered[0].pid, NULL, 0) == s->offered[0].pid;
}

/* A child in the supervisor's place takes upon itself what it would, and does what it does: a C
 * library with other habits may need a call that is not among them. */
static const char *try_supervising(Supervisor *s)
{
	bool lacking = false;
	sandbox_share(s->sandbox);
	bool fine = sandbox_is_shared(s->sandbox) && probe(s, try_worker, &lacking) == NULL
		&& try_handing_over() && try_memory(s->null) && try_worker_and_wait(s);
	return fine ? NULL : "a supervisor cannot work within it";
}

static bool check_sandbox(Supervisor *s, char **missing)
{
	bool lacking = false;
	const char *failed = probe(s, try_worker, &lacking);
	if (lacking)
		return lack(failed) == 0;
	if (failed != NULL && *missing == NULL)
		*missing = g_strdup_printf("confinement of workers fails: %s", failed);
	if (*missing == NULL || s->optional)
		return true;
	g_autofree char *text = g_strdup_printf("%s (set reader { sandbox = optional } to go on "
		"without, which exposes this host to every document)", *missing);
	say(MS_PACKET_FAILED, text);
	return false;
}

/* Where it cannot, workers cost more, and are confined the same. */
static void share_sandbox(Supervisor *s)
{
	bool lacking = false;
	if (probe(s, try_supervising, &lacking) == NULL && !lacking)
		sandbox_share(s->sandbox);
}

/* Until one of them stops, if `stop`, or until all have ended. */
static pid_t wait_for(Supervisor *s, bool stop, int *status)
{
	while (s->alive > 0) {
		pid_t pid = waitpid(-1, status, 0);
		if (pid < 0 || (stop && WIFSTOPPED(*status)))
			return pid;
		s->alive -= !WIFSTOPPED(*status);
		if (!WIFSTOPPED(*status) && restored_find(pid) != NULL)
			restored_free(restored_find(pid));
	}
	return -1;
}

/* Two are made, the second like the first, and ended. */
static bool try_restoring(Supervisor *s)
{
	bool fine = true;
	int status;
	for (int i = 0; i < 2 && fine; i++) {
		fine = start_restored(s);
		pid_t pid = wait_for(s, true, &status);
		Restored *w = pid > 0 ? restored_find(pid) : NULL;
		fine = w != NULL && restored_stopped(w, status) == RESTORED_READY;
		if (w != NULL)
			kill(pid, SIGKILL);
	}
	int why = errno;
	wait_for(s, false, &status);
	errno = why;
	return fine;
}

static bool can_restore(Supervisor *s)
{
	MsRooms rooms;
	if (!restored_prepare(s->workers, seconds_of_job(s)))
		return false;
	restored_rooms(&rooms);
	return sandbox_trace_others(s->sandbox, &rooms) && try_restoring(s);
}

/* Where it is to be had.  The supervisor then has no filter of its own, for it traces workers; what
 * it hears from them is that they have stopped.  Says how workers are made (caller frees). */
static char *begin_restoring(Supervisor *s, bool confined)
{
	heap_settle(!s->program->no_tables, true);
	errno = 0;
	s->restores = confined && can_restore(s);
	s->worker.restored = s->restores;
	if (s->restores)
		return g_strdup("its workers are put back after each message");
	const char *why = !confined ? "they are not confined"
		: errno != 0	    ? strerror(errno)
				    : "what one comes back to is not what it was";
	restored_forget();
	return g_strdup_printf(
		"its workers are forked for each message, for they cannot be put back here (%s)",
		why);
}

static void loop(Supervisor *s)
{
	for (;;) {
		while (s->alive - s->dying < s->workers && s->n_offered < MAX_WORKERS &&
			start_worker(s))
			;
		offer_workers(s);
		struct pollfd fds[3] = {
			{MS_CONTROL_FD, POLLIN, 0},
			{s->signals, POLLIN, 0},
			{MS_PULSE_FD, POLLIN, 0},
		};
		if (s->n_offered > 0)
			fds[0].events |= POLLOUT;
		/* What is in flight counts for all processes of this user: there may be no room
		 * for a worker's descriptors although the socket takes more. */
		if (s->crowded)
			fds[0].events = POLLIN;
		if (poll(fds, 3, s->alive - s->dying < s->workers || s->crowded ? 100 : -1) < 0 &&
			errno != EINTR)
			_exit(1);
		if (fds[2].revents & POLLIN)
			beat(s);
		if (fds[0].revents & POLLIN)
			hear(s);
		else if (fds[0].revents & (POLLHUP | POLLERR))
			_exit(0);
		if (fds[1].revents & POLLIN)
			reap(s);
	}
}

/* Where memory ends it is a reader that has it, and one message that pays, not the daemon. */
static void spare_others(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "500", 3) < 0)
		errno = 0; /* as it was */
	ms_io_close(fd);
}

/* To who starts it by hand. */
static int explain(int argc, char **argv)
{
	static const MsOption none[] = {{0}};
	const char *slash = strrchr(argv[0], '/'), *argument;
	int rest;
	const MsUsage usage = {slash != NULL ? slash + 1 : argv[0],
		"reads what is in messages, in confined workers", none, NULL,
		"It is started by missentd, missent-agent and missent check, not by hand.  See missentd(8)."};
	ms_usage_next(&usage, argc, argv, &argument, &rest);
	return ms_usage_wrong(
		&usage, "it is started by missentd and by missent check, not by hand");
}

/* Before anything is allocated that stays. */
static void begin(const MsReaderProgram *program)
{
	/* Types count their uses: what every worker writes to lies in few pages, and in none of the
	 * large ones, which whoever writes to one of them first would break up. */
	if (program->begin != NULL)
		program->begin();
	heap_begin();
	/* Memory that was given back would be asked for again, page by page. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 512 << 20);
	/* Archives have local times; without a zone that is known, glibc would look for its file
	 * each time, and a worker that opens a file is killed. */
	g_setenv("TZ", "UTC0", TRUE);
	tzset();
	signal(SIGPIPE, SIG_IGN); /* a client that went away is none of the log's business */
	spare_others();
	ms_io_private_memory();
	fcntl(MS_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	fcntl(MS_PULSE_FD, F_SETFD, FD_CLOEXEC);
}

/* All that workers inherit, warm, and the confinement, tried.  0; else it was told why not. */
static int prepare(Supervisor *s, char **missing_out)
{
	const MsReaderProgram *program = s->program;
	g_autoptr(GError) error = NULL;
	if (!load_setup(s, &error))
		return fail(error->message);
	close(MS_SETUP_FD);
	if (s->workers < 1 || s->workers > MAX_WORKERS || s->worker.jobs < 1)
		return fail("the number of workers or jobs is out of range");
	if (!program->init(s->languages, &error))
		return fail(error->message);
	ms_kinds_patterns(s->worker.kinds); /* who is confined makes no code */
	for (int i = 0; i < 3 && program->warm != NULL; i++)
		run_once(s);
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null < 0)
		return ms_wire_is_short(errno) ? lack("/dev/null")
					       : fail("/dev/null cannot be opened");
	s->sandbox = sandbox_prepare(!program->no_tables, missing_out);
	if (s->sandbox == NULL)
		return lack("preparing the confinement");
	if (!check_sandbox(s, missing_out))
		return 1;
	block_stops(true);
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	s->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? lack("signalfd") : 0;
}

int ms_reader_main(int argc, char **argv, const MsReaderProgram *program)
{
	int type = 0;
	socklen_t size = sizeof type;
	if (argc > 2 || getsockopt(MS_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0
		|| type != SOCK_SEQPACKET)
		return explain(argc, argv);
	if (argc < 2 || strcmp(argv[1], MS_WIRE_VERSION) != 0)
		return fail("it is of another version than the program that started it, which is to "
			    "be restarted (systemctl restart missent missent-agent)");
	begin(program);
	Supervisor s = {.worker.work = program->work, .program = program, .self = getpid()};
	g_autofree char *missing = NULL;
	int rc = prepare(&s, &missing);
	if (rc != 0)
		return rc;
	pages_enlarge();
	g_autofree char *workers = s.worker.restored ? begin_restoring(&s, missing == NULL) : NULL;
	if (missing == NULL && !s.restores)
		share_sandbox(&s);
	if (workers == NULL)
		heap_settle(!program->no_tables, false);
	char text[MS_PACKET_MAX]; /* of the heap a page would be written to */
	snprintf(text, sizeof text, "%s%s%s", missing != NULL ? missing : "",
		workers != NULL ? "\n" : "", workers != NULL ? workers : "");
	say(MS_PACKET_READY, text);
	loop(&s);
	return 0;
}
