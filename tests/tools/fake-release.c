/*
 * Stands for missent-release and the MTA's queue in tests that have neither root nor an MTA: the
 * same command line, and a queue that is a folder (--config DIR or --queue DIR).
 *
 *   ID.queue   "QUEUE\nSENDER\nARRIVED\nTO TO\n", QUEUE being hold, active, deferred or incoming
 *   ID.mail    the message; of several that are parts of one, links to one file
 *   log        a line for each change that was made: "release ID" (it left, for all its
 *              recipients), "requeue ID", "delete ID"
 *   do.VERB    what is to go wrong when the verb is called next (the file is taken away then; with
 *              " always" behind it, it stays):
 *     fail     nothing is done, exit status 75
 *     data     nothing is done, exit status 65: "is not, or is no longer, that message"
 *     hang     nothing is done, and nothing is answered
 *     before   killed before anything is done
 *     after    killed when it is done
 *     late     it is done, then nothing is answered
 *     other    first the queue ID is given to another message, which do.mail and do.queue have
 *     garbage  (list) lines that are no JSON, or say too little, stand among the others
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/bodydigest.h"

static int fail(int code, const char *why, const char *what)
{
	fprintf(stderr, "missent-release: %s%s\n", what, why);
	return code;
}

/* False: there is no such file. */
static bool read_file(const char *name, char *out, size_t room)
{
	FILE *file = fopen(name, "r");
	if (file == NULL)
		return false;
	out[fread(out, 1, room - 1, file)] = '\0';
	fclose(file);
	return true;
}

static void name_of(char *out, size_t room, const char *id, const char *suffix)
{
	snprintf(out, room, "%s%s", id, suffix);
}

/* ---- what is to go wrong -------------------------------------------------------------- */

static char wrong[64];

static bool is_to(const char *word)
{
	return strcmp(wrong, word) == 0;
}

static void hang(void)
{
	for (;;)
		pause();
}

static void give_id_away(const char *id)
{
	char name[64];
	name_of(name, sizeof name, id, ".mail");
	rename("do.mail", name);
	name_of(name, sizeof name, id, ".queue");
	rename("do.queue", name);
}

static void take_orders(const char *verb, const char *id)
{
	char name[64];
	name_of(name, sizeof name, "do.", verb);
	if (!read_file(name, wrong, sizeof wrong))
		return;
	char *blank = strchr(wrong, ' ');
	if (blank != NULL)
		*blank = '\0';
	else
		unlink(name);
	wrong[strcspn(wrong, "\n")] = '\0';
	if (is_to("hang"))
		hang();
	if (is_to("before"))
		kill(getpid(), SIGKILL);
	if (is_to("let-go")) {
		name_of(name, sizeof name, id, ".queue");
		rename("do.active", name);
	}
	if (is_to("take")) {
		name_of(name, sizeof name, id, ".queue");
		unlink(name);
		name_of(name, sizeof name, id, ".mail");
		unlink(name);
	}
	if (is_to("other"))
		give_id_away(id);
}

static void took_effect(void)
{
	if (is_to("after"))
		kill(getpid(), SIGKILL);
	if (is_to("late"))
		hang();
}

/* ---- the queue ------------------------------------------------------------------------ */

static void print_text(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void list_one(const char *id, const char *file)
{
	static char text[1 << 20];
	char name[80];
	struct stat st = {0};
	if (!read_file(file, text, sizeof text))
		return;
	name_of(name, sizeof name, id, ".mail");
	stat(name, &st);
	char *rest = text, *queue = strsep(&rest, "\n"), *sender = rest != NULL ? strsep(&rest, "\n") : NULL;
	printf("{\"queue_name\": ");
	print_text(queue);
	printf(", \"queue_id\": ");
	print_text(id);
	if (st.st_nlink > 1)
		printf(", \"body\": \"%ju\"", (uintmax_t)st.st_ino);
	printf(", \"arrival_time\": %ld, \"message_size\": %ld, \"sender\": ", rest != NULL ? atol(rest) : 0,
		(long)st.st_size);
	print_text(sender != NULL ? sender : "");
	printf(", \"recipients\": [");
	const char *arrived = rest != NULL ? strsep(&rest, "\n") : NULL;
	bool first = true;
	(void)arrived;
	for (char *to; rest != NULL && (to = strsep(&rest, " \n")) != NULL;) {
		if (*to == '\0')
			continue;
		printf("%s{\"address\": ", first ? "" : ", ");
		print_text(to);
		printf("}");
		first = false;
	}
	printf("]}\n");
}

static int list(void)
{
	DIR *dir = opendir(".");
	if (dir == NULL)
		return fail(EX_OSERR, strerror(errno), "the queue: ");
	if (is_to("garbage"))
		printf("this is no JSON\n[1]\n{\"queue_id\": 7}\n\n{\"queue_id\": \"");
	if (is_to("garbage"))
		printf("\n");
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char id[64];
		size_t len = strlen(entry->d_name);
		if (len <= 6 || len >= sizeof id || strcmp(entry->d_name + len - 6, ".queue") != 0
			|| strncmp(entry->d_name, "do.", 3) == 0)
			continue;
		snprintf(id, sizeof id, "%.*s", (int)(len - 6), entry->d_name);
		list_one(id, entry->d_name);
	}
	closedir(dir);
	return EX_OK;
}

static int show(const char *id, MsBodyDigest *digest)
{
	char name[64], buffer[65536];
	name_of(name, sizeof name, id, ".mail");
	int fd = open(name, O_RDONLY);
	if (fd < 0)
		return fail(EX_NOINPUT, strerror(errno), "no such message: ");
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) {
		if (digest != NULL)
			ms_body_digest_message(digest, buffer, (size_t)n);
		else if (write(STDOUT_FILENO, buffer, (size_t)n) != n)
			return EX_IOERR;
	}
	close(fd);
	return EX_OK;
}

static bool is_held(const char *id)
{
	char text[2048], name[64];
	name_of(name, sizeof name, id, ".queue");
	return read_file(name, text, sizeof text) && strncmp(text, "hold\n", 5) == 0;
}

/* It leaves the queue, and the log has it, in one step: whoever looks sees both or neither. */
static int leave(const char *verb, const char *id)
{
	char line[128], name[64];
	int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	int n = snprintf(line, sizeof line, "%s %s\n", verb, id);
	name_of(name, sizeof name, id, ".queue");
	if (log < 0 || unlink(name) != 0)
		return fail(EX_OSERR, strerror(errno), "cannot: ");
	if (write(log, line, (size_t)n) != n)
		return fail(EX_OSERR, strerror(errno), "log: ");
	close(log);
	name_of(name, sizeof name, id, ".mail");
	unlink(name);
	return EX_OK;
}

static int change(const char *verb, const char *id, const char *want)
{
	MsBodyDigest digest;
	char got[MS_BODY_DIGEST];
	ms_body_digest_init(&digest);
	if (is_to("fail"))
		return fail(EX_TEMPFAIL, "postsuper: fatal: told to fail", "");
	int rc = show(id, &digest);
	ms_body_digest_end(&digest, got);
	if (rc == EX_NOINPUT || (rc == EX_OK && (strcmp(got, want) != 0 || is_to("data"))))
		return fail(EX_DATAERR, " is not, or is no longer, that message", id);
	if (rc == EX_OK && !is_held(id))
		return fail(EX_DATAERR, " is not on hold", id);
	rc = rc == EX_OK ? leave(verb, id) : rc;
	took_effect();
	return rc;
}

static int run(int argc, char **argv)
{
	static const char *const changes[] = {"release", "requeue", "delete"};
	if (argc < 1)
		return fail(EX_USAGE, "no verb", "");
	take_orders(argv[0], argc > 1 ? argv[1] : "");
	if (is_to("fail") && argc < 3)
		return fail(EX_TEMPFAIL, "postqueue: fatal: told to fail", "");
	if (strcmp(argv[0], "list") == 0 && argc == 1)
		return list();
	if (strcmp(argv[0], "show") == 0 && argc == 2)
		return show(argv[1], NULL);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		if (argc == 3 && strcmp(argv[0], changes[i]) == 0)
			return change(argv[0], argv[1], argv[2]);
	return fail(EX_USAGE, "unknown verb, or too few words", "");
}

#ifdef MS_SANITIZERS
/* What it leaves is of no matter, and to look for that takes longer than all that it does. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	int at = 1;
	const char *folder = NULL;
	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
		if (strcmp(argv[at], "--config") == 0 || strcmp(argv[at], "--queue") == 0)
			folder = argv[at + 1];
	if (folder == NULL || chdir(folder) != 0)
		return fail(EX_USAGE, "no folder", "");
	return run(argc - at, argv + at);
}
