#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "release.h"

/*
 * Sendmail's queue: hfID (quarantined) or qfID has the envelope and the header, dfID the body.
 * Lines of a control file begin with a letter: T arrival in seconds, S sender, H a header field
 * ("H?flags?Name: value", continued by lines that begin with white space).  Source: Sendmail
 * Installation and Operation Guide, appendix B.  Only Sendmail itself takes a message out of
 * quarantine; showing and deleting have no command, so they are done here, under its lock.
 */

#define QUEUE "/var/spool/mqueue"
#define PROGRAM "/usr/sbin/sendmail"

static int open_queue(const Mta *mta)
{
	const char *path = mta->queue != NULL ? mta->queue : QUEUE;
	if (!release_become_root())
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The file itself, never what a link points to. */
static FILE *open_file(int dir, const char *type, const char *id)
{
	char name[64];
	snprintf(name, sizeof name, "%s%s", type, id);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fdopen(fd, "r") : NULL;
}

/* ---- list ----------------------------------------------------------------------------- */

static void print_text(const char *text, size_t len)
{
	putchar('"');
	for (; len > 0; text++, len--) {
		unsigned char c = (unsigned char)*text;
		if (c < ' ' || c == '"' || c == '\\' || c >= 127)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void list_one(int dir, const char *name)
{
	FILE *file = open_file(dir, "", name);
	char body[64];
	struct stat st = {0};
	if (file == NULL)
		return;
	snprintf(body, sizeof body, "df%s", name + 2);
	fstatat(dir, body, &st, AT_SYMLINK_NOFOLLOW);
	char *line = NULL, *sender = NULL;
	size_t room = 0;
	long arrived = 0;
	for (ssize_t n; (n = getline(&line, &room, file)) > 0;) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == 'T')
			arrived = strtol(line + 1, NULL, 10);
		else if (line[0] == 'S' && sender == NULL)
			sender = strdup(line + 1);
	}
	const char *from = sender != NULL ? sender : "";
	size_t len = strlen(from);
	bool angled = len >= 2 && from[0] == '<' && from[len - 1] == '>';
	printf("{\"queue_name\": \"%s\", \"queue_id\": ", name[0] == 'h' ? "hold" : "active");
	print_text(name + 2, strlen(name + 2));
	printf(", \"arrival_time\": %ld, \"message_size\": %lld, \"sender\": ", arrived,
		(long long)st.st_size);
	print_text(from + angled, len - 2 * (size_t)angled);
	printf("}\n");
	free(line);
	free(sender);
	fclose(file);
}

static int list(const Mta *mta)
{
	int fd = open_queue(mta);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL)
		return release_fail(EX_OSERR, "the queue directory");
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *name = entry->d_name;
		if ((name[0] == 'h' || name[0] == 'q') && name[1] == 'f' && strlen(name) < 60)
			list_one(fd, name);
	}
	closedir(dir);
	return EX_OK;
}

/* ---- show ----------------------------------------------------------------------------- */

/* "H?flags?Name: value": with flags it depends on the mailer, and is Sendmail's own. */
static const char *header_of(const char *line)
{
	if (strncmp(line, "H??", 3) == 0)
		return line + 3;
	if (line[0] == 'H' && line[1] != '?')
		return line + 1;
	return NULL;
}

static void show_header(FILE *control)
{
	char *line = NULL;
	size_t room = 0;
	bool printing = false;
	for (ssize_t n; (n = getline(&line, &room, control)) > 0;) {
		const char *header = line;
		if (line[0] != ' ' && line[0] != '\t') {
			header = header_of(line);
			printing = header != NULL;
		}
		if (printing)
			fputs(header, stdout);
	}
	free(line);
}

static int show(const Mta *mta, const char *id)
{
	int dir = open_queue(mta);
	FILE *control = dir >= 0 ? open_file(dir, "hf", id) : NULL;
	FILE *body = control != NULL ? open_file(dir, "df", id) : NULL;
	int rc = EX_OK;
	if (body == NULL) {
		rc = release_fail(errno == ENOENT ? EX_NOINPUT : EX_OSERR, id);
	} else {
		static char buffer[65536];
		show_header(control);
		putchar('\n');
		for (size_t n; (n = fread(buffer, 1, sizeof buffer, body)) > 0;)
			fwrite(buffer, 1, n, stdout);
		if (ferror(body) || fflush(stdout) != 0)
			rc = EX_IOERR;
		fclose(body);
	}
	if (control != NULL)
		fclose(control);
	if (dir >= 0)
		close(dir);
	return rc;
}

/* ---- change --------------------------------------------------------------------------- */

/* Out of quarantine, then an attempt at once. */
static int release(const Mta *mta, const char *id)
{
	char select[64];
	snprintf(select, sizeof select, "-qI%s", id);
	const char *program = mta->program != NULL ? mta->program : PROGRAM;
	const char *argv[8] = {program};
	int n = 1;
	if (mta->config != NULL) {
		argv[n++] = "-C";
		argv[n++] = mta->config;
	}
	argv[n] = "-qQ";
	argv[n + 1] = select;
	argv[n + 2] = "-Q";
	int rc = release_run(argv);
	argv[n] = select;
	argv[n + 1] = NULL;
	if (rc == EX_OK)
		release_run(argv); /* if it fails, the next queue run does it */
	return rc;
}

/* The control file first: without it the body is nobody's, and this verb can be repeated. */
static int delete(const Mta *mta, const char *id)
{
	int dir = open_queue(mta);
	FILE *control = dir >= 0 ? open_file(dir, "hf", id) : NULL;
	if (control == NULL)
		return release_fail(EX_NOINPUT, id);
	char name[64];
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int rc = EX_OK;
	if (flock(fileno(control), LOCK_EX | LOCK_NB) != 0
		|| fcntl(fileno(control), F_SETLK, &lock) != 0)
		rc = release_fail(EX_TEMPFAIL, "Sendmail is at this message now");
	for (int i = 0; i < 2 && rc == EX_OK; i++) {
		snprintf(name, sizeof name, "%s%s", i == 0 ? "hf" : "df", id);
		if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
			rc = release_fail(EX_OSERR, name);
	}
	fclose(control);
	close(dir);
	return rc;
}

const Mta release_sendmail = {list, show, release, NULL, delete, NULL, NULL, NULL};
