/*
 * Sendmail's queue: hfID (quarantined) or qfID has the envelope and the header, dfID the body.
 * Lines of a control file begin with a letter: T arrival in seconds, S sender, H a header field
 * ("H?flags?Name: value", continued by lines that begin with white space).  Source: Sendmail
 * Installation and Operation Guide, appendix B.  Only Sendmail itself takes a message out of
 * quarantine; showing and deleting have no command, so they are done here, under its lock.
 *
 * Queue groups (their limit r=, or several of them) split a message: each part has a control file
 * and an ID of its own, for some of the recipients, and its data file is a link to that of the
 * others, in their folder, wherever the control file is.  What is done to one of them is done to
 * all that are quarantined.  The program's one thread.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "release.h"

#define QUEUE "/var/spool/mqueue"
#define PROGRAM "/usr/sbin/sendmail"

/*
 * One folder, or many below it (QueueDirectory=/var/spool/mqueue/q*, queue groups), and in each of
 * them control and data files may have folders of their own, qf and df.  A data file may be in
 * another folder than its control file; an ID names one message in all of them.
 */
#define DEPTH 2

typedef struct {
	int control, data;
} Place;

/* False and errno: it could not be looked at. */
typedef bool (*Visit)(const Place *place, void *user);

/* What is not there, or is no file or folder of ours.  All else is no answer: a message that could
 * not be seen is not one that has gone. */
static bool is_absent(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

static int open_folder(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A link to a folder on another disk is usual; one that somebody else's files would come in by
 * is not. */
static bool is_ours(int dir, int above)
{
	struct stat st, top;
	return fstat(dir, &st) == 0 && fstat(above, &top) == 0 &&
		(st.st_uid == top.st_uid || st.st_uid == 0);
}

static bool open_part(int dir, const char *name, int *part_out)
{
	*part_out = open_folder(dir, name);
	return *part_out >= 0 || is_absent();
}

static bool visit_one(int dir, Visit func, void *user)
{
	Place part = {-1, -1};
	bool seen = open_part(dir, "qf", &part.control) && open_part(dir, "df", &part.data);
	Place here = {part.control >= 0 ? part.control : dir, part.data >= 0 ? part.data : dir};
	seen = seen && func(&here, user);
	if (part.control >= 0)
		close(part.control);
	if (part.data >= 0)
		close(part.data);
	return seen;
}

static bool is_part(const char *name)
{
	return name[0] == '.' || strcmp(name, "qf") == 0 || strcmp(name, "df") == 0 ||
		strcmp(name, "xf") == 0;
}

/* Files are not opened to see that they are none. */
static bool may_be_folder(const struct dirent *entry)
{
	return (entry->d_type == DT_DIR || entry->d_type == DT_LNK ||
		       entry->d_type == DT_UNKNOWN) &&
		!is_part(entry->d_name);
}

typedef bool (*Entry)(const struct dirent *entry, const void *user);

/* False and errno: not all was seen. */
static bool each_entry(int dir, Entry func, const void *user)
{
	int fd = open_folder(dir, ".");
	DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
	bool seen = all != NULL;
	while (seen) {
		errno = 0;
		const struct dirent *entry = readdir(all);
		seen = entry != NULL ? func(entry, user) : errno == 0;
		if (entry == NULL)
			break;
	}
	if (all != NULL)
		closedir(all);
	return seen;
}

typedef struct {
	int dir, depth;
	Visit func;
	void *user;
} Walk;

static bool visit_all(const Walk *walk);

static bool visit_below(const struct dirent *entry, const void *user)
{
	Walk below = *(const Walk *)user;
	const int above = below.dir;
	if (!may_be_folder(entry))
		return true;
	below.dir = open_folder(above, entry->d_name);
	if (below.dir < 0)
		return is_absent();
	below.depth--;
	bool seen = !is_ours(below.dir, above) || visit_all(&below);
	close(below.dir);
	return seen;
}

static bool visit_all(const Walk *walk)
{
	return visit_one(walk->dir, walk->func, walk->user) &&
		(walk->depth == 0 || each_entry(walk->dir, visit_below, walk));
}

/* False and errno: there is no queue, or not all of it was seen. */
static bool visit_queue(const Mta *mta, Visit func, void *user)
{
	int dir = release_become_root()
		? open_folder(AT_FDCWD, mta->queue != NULL ? mta->queue : QUEUE)
		: -1;
	if (dir < 0)
		return false;
	bool seen = visit_all(&(Walk){dir, DEPTH, func, user});
	close(dir);
	return seen;
}

/* The file itself, never what a link points to. */
static FILE *open_file(int dir, const char *type, const char *id)
{
	char name[64];
	snprintf(name, sizeof name, "%s%s", type, id);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fdopen(fd, "r") : NULL;
}

/* ---- data files ----------------------------------------------------------------------- */

/* The folders that may have them, once one was not where its control file is. */
typedef struct {
	const Mta *mta;
	int *dirs;
	size_t n;
} Bodies;

static bool add_folder(const Place *place, void *user)
{
	Bodies *all = user;
	int *dirs = realloc(all->dirs, (all->n + 1) * sizeof *dirs);
	if (dirs == NULL)
		return false;
	all->dirs = dirs;
	dirs[all->n] = fcntl(place->data, F_DUPFD_CLOEXEC, 0);
	return dirs[all->n] >= 0 && ++all->n > 0;
}

static void bodies_clear(Bodies *all)
{
	while (all->n > 0)
		close(all->dirs[--all->n]);
	free(all->dirs);
}

/* False and errno: it is not there, or that could not be seen. */
static bool find_body(Bodies *all, const Place *place, const char *id, struct stat *st)
{
	char name[64];
	snprintf(name, sizeof name, "df%s", id);
	bool found = fstatat(place->data, name, st, AT_SYMLINK_NOFOLLOW) == 0;
	if (found || !is_absent() || (all->n == 0 && !visit_queue(all->mta, add_folder, all)))
		return found;
	errno = ENOENT;
	for (size_t i = 0; i < all->n && !found && is_absent(); i++)
		found = fstatat(all->dirs[i], name, st, AT_SYMLINK_NOFOLLOW) == 0;
	return found;
}

/* ---- one message ---------------------------------------------------------------------- */

typedef struct {
	const char *id;
	FILE *control, *data;
	int control_dir, data_dir;
} Message;

static bool look_for(int dir, const char *type, const char *id, FILE **file, int *dir_out)
{
	if (*file != NULL)
		return true;
	*file = open_file(dir, type, id);
	if (*file == NULL)
		return is_absent();
	*dir_out = dup(dir);
	return *dir_out >= 0;
}

static bool look_in(const Place *place, void *user)
{
	Message *m = user;
	return look_for(place->control, "hf", m->id, &m->control, &m->control_dir) &&
		look_for(place->data, "df", m->id, &m->data, &m->data_dir);
}

static void message_close(Message *m)
{
	if (m->control != NULL) {
		fclose(m->control);
		close(m->control_dir);
	}
	if (m->data != NULL) {
		fclose(m->data);
		close(m->data_dir);
	}
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

/* "<a@b.example>" or "a@b.example". */
static void print_address(const char *text)
{
	size_t len = strlen(text);
	bool angled = len >= 2 && text[0] == '<' && text[len - 1] == '>';
	print_text(text + angled, len - 2 * (size_t)angled);
}

/* "RPFD:<a@b.example>": flags, then the address. */
static void print_recipient(const char *line, bool first)
{
	size_t flags = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	printf("%s{\"address\": ", first ? "" : ", ");
	print_address(line[flags] == ':' ? line + flags + 1 : line + 1);
	putchar('}');
}

/* False and errno: there is more, which could not be read. */
static bool print_envelope(FILE *file, long long size)
{
	char *line = NULL, *sender = NULL;
	size_t room = 0;
	long arrived = 0;
	bool first = true;
	printf(", \"recipients\": [");
	for (ssize_t n; (n = getline(&line, &room, file)) > 0;) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == 'T')
			arrived = strtol(line + 1, NULL, 10);
		else if (line[0] == 'S' && sender == NULL)
			sender = strdup(line + 1);
		if (line[0] != 'R')
			continue;
		print_recipient(line, first);
		first = false;
	}
	printf("], \"arrival_time\": %ld, \"message_size\": %lld, \"sender\": ", arrived, size);
	print_address(sender != NULL ? sender : "");
	free(line);
	free(sender);
	return ferror(file) == 0;
}

typedef struct {
	const Place *place;
	Bodies bodies;
} Listing;

static bool list_one(Listing *listing, const char *name)
{
	FILE *file = open_file(listing->place->control, "", name);
	struct stat st = {0};
	if (file == NULL)
		return is_absent();
	if (!find_body(&listing->bodies, listing->place, name + 2, &st) && !is_absent()) {
		fclose(file);
		return false;
	}
	printf("{\"queue_name\": \"%s\", ", name[0] == 'h' ? "hold" : "active");
	if (st.st_nlink > 1)
		printf("\"body\": \"%jx:%jx\", ", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	printf("\"queue_id\": ");
	print_text(name + 2, strlen(name + 2));
	bool read = print_envelope(file, (long long)st.st_size);
	printf("}\n");
	fclose(file);
	return read;
}

static bool list_entry(const struct dirent *entry, const void *user)
{
	const char *name = entry->d_name;
	bool control = (name[0] == 'h' || name[0] == 'q') && name[1] == 'f' && name[2] != '\0' &&
		strlen(name) < 60;
	return !control || list_one((Listing *)user, name);
}

static bool list_place(const Place *place, void *user)
{
	Listing *listing = user;
	listing->place = place;
	return each_entry(place->control, list_entry, listing);
}

static int no_queue(void)
{
	return release_fail(EX_OSERR, "the queue directory");
}

static int list(const Mta *mta)
{
	Listing listing = {.bodies = {.mta = mta}};
	bool seen = visit_queue(mta, list_place, &listing);
	bodies_clear(&listing.bodies);
	if (!seen)
		return no_queue();
	return fflush(stdout) == 0 ? EX_OK : release_fail(EX_IOERR, "the list");
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

static int print_message(const Message *m)
{
	static char buffer[65536];
	show_header(m->control);
	putchar('\n');
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, m->data)) > 0;)
		fwrite(buffer, 1, n, stdout);
	return ferror(m->control) || ferror(m->data) || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
}

static int not_there(const char *id)
{
	errno = ENOENT;
	return release_fail(EX_NOINPUT, id);
}

static int show(const Mta *mta, const char *id)
{
	Message m = {.id = id};
	int rc = !visit_queue(mta, look_in, &m)       ? no_queue()
		: m.control != NULL && m.data != NULL ? print_message(&m)
						      : not_there(id);
	message_close(&m);
	return rc;
}

/* ---- change --------------------------------------------------------------------------- */

/* "-qIabc": of such a word Sendmail takes each message whose ID has it; an ID is whole. */
#define SELECT "-qI"
#define ID_OF(word) ((word) + sizeof SELECT - 1)
typedef char Word[64];

typedef struct {
	const Place *place;
	Bodies bodies;
	const char *id;   /* of the message, which is not a part of itself */
	struct stat body;
	/* one for each part on hold, and the message's last: while that is there, not all is done,
	 * and it is done again */
	Word *words;
	size_t n;
} Parts;

static bool add_part(Parts *parts, const char *id)
{
	Word *words = realloc(parts->words, (parts->n + 1) * sizeof *words);
	if (words == NULL)
		return false;
	parts->words = words;
	snprintf(words[parts->n++], sizeof *words, SELECT "%s", id);
	return true;
}

static bool note_part(const struct dirent *entry, const void *user)
{
	Parts *parts = (Parts *)user;
	const char *id = entry->d_name + 2;
	struct stat st;
	if (strncmp(entry->d_name, "hf", 2) != 0 || strlen(id) > 50 || strcmp(id, parts->id) == 0)
		return true;
	if (!find_body(&parts->bodies, parts->place, id, &st))
		return is_absent();
	return st.st_ino != parts->body.st_ino || st.st_dev != parts->body.st_dev ||
		add_part(parts, id);
}

static bool note_parts(const Place *place, void *user)
{
	Parts *parts = user;
	parts->place = place;
	return each_entry(place->control, note_part, parts);
}

/* EX_OK: that are all. */
static int find_parts(const Mta *mta, const char *id, Parts *parts)
{
	Message m = {.id = id};
	*parts = (Parts){.bodies = {.mta = mta}, .id = id};
	bool seen = visit_queue(mta, look_in, &m);
	if (seen && m.data != NULL && fstat(fileno(m.data), &parts->body) == 0 &&
		parts->body.st_nlink > 1)
		seen = visit_queue(mta, note_parts, parts);
	bodies_clear(&parts->bodies);
	message_close(&m);
	return seen && add_part(parts, id) ? EX_OK : no_queue();
}

/* PROGRAM [-C CONFIG] [-qQ] -qIID... [-Q] */
static int run_queue(const Mta *mta, const Word *words, size_t n, bool let_go)
{
	const char **argv = calloc(n + 6, sizeof *argv);
	size_t at = 0;
	if (argv == NULL)
		return release_fail(EX_OSERR, "memory");
	argv[at++] = mta->program != NULL ? mta->program : PROGRAM;
	if (mta->config != NULL) {
		argv[at++] = "-C";
		argv[at++] = mta->config;
	}
	if (let_go)
		argv[at++] = "-qQ";
	for (size_t i = 0; i < n; i++)
		argv[at++] = words[i];
	if (let_go)
		argv[at++] = "-Q";
	int rc = release_run(argv, -1);
	free(argv);
	return rc;
}

/* Of one that somebody has locked Sendmail says nothing, and lets it be. */
static int is_locked(void)
{
	return release_fail(EX_TEMPFAIL, "Sendmail is at this message now");
}

/* All but the last, which says afterwards that they were. */
static int let_go_parts(const Mta *mta, const Parts *parts)
{
	Parts left;
	int rc = parts->n > 1 ? run_queue(mta, parts->words, parts->n - 1, true) : EX_OK;
	if (rc != EX_OK || parts->n == 1)
		return rc;
	rc = find_parts(mta, parts->id, &left);
	free(left.words);
	return rc == EX_OK && left.n > 1 ? is_locked() : rc;
}

static int let_go_last(const Mta *mta, const Parts *parts)
{
	Message m = {.id = parts->id};
	int rc = run_queue(mta, parts->words + parts->n - 1, 1, true);
	if (rc != EX_OK)
		return rc;
	bool seen = visit_queue(mta, look_in, &m), stays = m.control != NULL;
	message_close(&m);
	if (!seen)
		return no_queue();
	return stays ? is_locked() : EX_OK;
}

/* Out of quarantine, all of it; then an attempt at once, which may wait for another host as long as
 * that likes. */
static int release(const Mta *mta, const char *id)
{
	Parts parts;
	int rc = find_parts(mta, id, &parts);
	if (rc == EX_OK)
		rc = let_go_parts(mta, &parts);
	if (rc == EX_OK)
		rc = let_go_last(mta, &parts);
	if (rc == EX_OK)
		run_queue(mta, parts.words, parts.n, false); /* or the next queue run does it */
	free(parts.words);
	return rc;
}

/* Sendmail locks by flock() or by fcntl(), as it was built. */
static bool lock(FILE *control)
{
	struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	return flock(fileno(control), LOCK_EX | LOCK_NB) == 0 &&
		fcntl(fileno(control), F_SETLK, &range) == 0;
}

/* Between its opening and its lock somebody may have let it go: then it is qfID, and the body in
 * dfID is that message's. */
static bool is_still(FILE *control, int dir, const char *id)
{
	char name[64];
	struct stat mine, there;
	snprintf(name, sizeof name, "hf%s", id);
	return fstat(fileno(control), &mine) == 0 &&
		fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

static int remove_file(int dir, const char *type, const char *id)
{
	char name[64];
	snprintf(name, sizeof name, "%s%s", type, id);
	return unlinkat(dir, name, 0) == 0 ? EX_OK : release_fail(EX_OSERR, name);
}

/* The control file first: without it the body is nobody's. */
static int delete_one(const Mta *mta, const char *id)
{
	Message m = {.id = id};
	int rc = !visit_queue(mta, look_in, &m) ? no_queue()
		: m.control == NULL             ? not_there(id)
		: !lock(m.control) || !is_still(m.control, m.control_dir, id)
		? release_fail(EX_TEMPFAIL, "Sendmail is at this message now")
		: remove_file(m.control_dir, "hf", id);
	if (rc == EX_OK && m.data != NULL)
		rc = remove_file(m.data_dir, "df", id);
	message_close(&m);
	return rc;
}

static int delete(const Mta *mta, const char *id)
{
	Parts parts;
	int rc = find_parts(mta, id, &parts);
	for (size_t i = 0; i < parts.n && rc == EX_OK; i++)
		rc = delete_one(mta, ID_OF(parts.words[i]));
	free(parts.words);
	return rc;
}

const Mta release_sendmail = {list, show, release, NULL, delete, NULL, NULL, NULL};
