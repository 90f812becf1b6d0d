/*
 * Checks of the host's files: whose they are and who else comes to them, the disk below them, the
 * clock that they are dated by, and what rotates the one that grows.  The thread of who examines
 * (doctor.h).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "missent/audit.h"
#include "missent/io.h"
#include "missent/store.h"

#include "doctor_private.h"

bool is_closed(Patient *p, const char *path, bool write)
{
	if (path == NULL || access(path, write ? W_OK : R_OK) == 0 || errno != EACCES)
		return false;
	not_seen(p, "%s: %s", path, g_strerror(EACCES));
	return true;
}

/* ---- owner and mode ------------------------------------------------------------------- */

/* Nothing to say of what is not there: who needs it says so.  `mask`: what others may not. */
static void look_at(Patient *p, const char *path, mode_t mask, bool or_root)
{
	struct stat st;
	if (path == NULL)
		return;
	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			not_seen(p, "%s: %s", path, g_strerror(errno));
		return;
	}
	const struct passwd *user = p->s->user != NULL ? getpwnam(p->s->user) : NULL;
	if (user != NULL && st.st_uid != user->pw_uid && !(or_root && st.st_uid == 0))
		complain(p, "%s belongs to user %u, not to %s", path, (guint)st.st_uid, p->s->user);
	if ((st.st_mode & mask) != 0)
		complain(p, "%s has mode %04o: %s", path, (guint)st.st_mode & 07777,
			(st.st_mode & mask & 0022) != 0 ? "others may write to it"
							: "others may read it");
}

/* What SQLite has beside it counts as it does: neither can be used without the other. */
static void look_at_files(Patient *p, const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (gsize i = 0; i < G_N_ELEMENTS(ends) && path != NULL; i++) {
		g_autofree char *file = g_strconcat(path, ends[i], NULL);
		look_at(p, file, 0027, false);
	}
}

void check_state_files(Patient *p)
{
	const MsSettings *s = p->s;
	g_autofree char *audit = ms_audit_folder(s->audit_file);
	struct stat st;
	if (stat(s->state_dir, &st) != 0) {
		complain(p, "state-dir %s: %s", s->state_dir, g_strerror(errno));
		return;
	}
	look_at(p, s->state_dir, 0022, false);
	look_at_files(p, s->records_file);
	look_at(p, s->spool_dir, 0077, false);
	look_at(p, s->audit_file, 0027, false);
	look_at(p, audit, 0027, false);
	g_autofree char *key = g_build_filename(audit, "vkey", NULL);
	if (access(audit, X_OK) == 0 && access(key, F_OK) != 0 && errno == ENOENT)
		complain_as(p, MS_GRAVITY_FAULT,
			"Unmount what is over it, or begin a new one: missent audit begin --why TEXT",
			"%s is there, and no trail is in it: mail is deferred", audit);
	g_autofree char *not_ours = ms_audit_not_as_kept(audit);
	if (not_ours != NULL)
		complain_as(p, MS_GRAVITY_FAULT,
			"Put the folder back where it was, and run missent audit verify; or, if it is to be so: missent audit begin --why TEXT",
			"%s: %s", audit, not_ours);
	look_at(p, s->seen_file, 0027, false);
	look_at_files(p, s->review.accounts_file);
	if (s->backend == MS_BACKEND_SQLITE)
		look_at_files(p, s->sqlite_file);
	if (s->backend == MS_BACKEND_SQLITE && s->guard.enabled)
		look_at_files(p, s->guard.sqlite_file);
}

#define HEAD "SQLite format 3" /* and its NUL; one that is made has nothing yet */

static bool is_other_text(const char *path)
{
	char head[sizeof HEAD] = "";
	int fd = ms_io_open(path, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : 0;
	ms_io_close(fd);
	return n > 0 && (n < (ssize_t)sizeof head || memcmp(head, HEAD, sizeof head) != 0);
}

/* `what`: what is in it.  Nothing to say of what is not there. */
static void look_at_database(Patient *p, const char *path, const char *what, bool writes)
{
	const char *other = ms_sqlite_in_the_way(path);
	struct stat st;
	if (other != NULL)
		complain(p, "%s, %s, is %s", path, what, other);
	else if (stat(path, &st) != 0)
		return;
	else if (is_other_text(path))
		complain(p, "%s, %s, is no database: something else is in it", path, what);
	else if (writes && (st.st_mode & 0600) != 0600) /* whose it is, another check says */
		complain_as(p, MS_GRAVITY_FAULT, "Run: chmod u+rw FILE",
			"%s, %s, has mode %04o: missent must write it", path, what,
			(guint)st.st_mode & 07777);
}

/* missentd reads the mapping alone. */
void check_databases(Patient *p)
{
	const MsSettings *s = p->s;
	bool sqlite = s->backend == MS_BACKEND_SQLITE;
	look_at_database(p, s->records_file, "the records of held mail", true);
	look_at_database(p, s->review.accounts_file, "the page's accounts", true);
	if (sqlite)
		look_at_database(p, s->sqlite_file, "the mapping", false);
	if (sqlite && s->guard.enabled)
		look_at_database(p, s->guard.sqlite_file, "what the guard counts", true);
	if (s->review.mirror)
		look_at_database(p, s->review.mirror_file, "the records of all hosts", true);
}

static void ask_for(Patient *p, const char *path)
{
	if (ask_file(p->s->user, path) == EACCES)
		complain(p, "%s may not read %s: the next start or reload fails", p->s->user, path);
}

/* What missentd and missent-agent read besides, where it is set. */
static const struct {
	const char *block, *key;
} read_files[] = {{"directory", "redis-password-file"}, {"directory", "sentinel-password-file"},
	{"directory", "redis-tls-ca"}, {"directory", "redis-tls-certificate"},
	{"directory", "redis-tls-key"}, {"directory", "house-file"}, {"guard", "key-file"},
	{"guard", "key-file-before"}, {"reader", "passwords-file"}, {"desk", "submit-password-file"},
	{"desk", "webhook-key-file"}, {"desk", "key-file"}};

/* Root's tools read all: who writes a policy under umask 077 finds nothing wrong until missentd
 * starts, which reads it as its own user. */
void check_readable(Patient *p)
{
	g_autofree char *kinds = g_path_get_dirname(p->s->kinds_file);
	const char *const folders[] = {p->s->policy_dir,
		strcmp(kinds, p->s->policy_dir) != 0 ? kinds : NULL};
	if (p->s->user == NULL)
		return;
	ask_for(p, p->options->config);
	ask_for(p, p->s->key_file);
	for (gsize i = 0; i < G_N_ELEMENTS(read_files); i++) {
		const MsSection *block = ms_section_sub(p->s->root, read_files[i].block);
		if (ms_section_given(block, read_files[i].key))
			ask_for(p, ms_section_text(block, read_files[i].key));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GDir) dir = folders[i] != NULL ? g_dir_open(folders[i], 0, NULL) : NULL;
		if (dir != NULL)
			ask_for(p, folders[i]);
		for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
			g_autofree char *path = g_build_filename(folders[i], name, NULL);
			if (g_str_has_suffix(name, ".conf"))
				ask_for(p, path);
		}
	}
}

void check_key_files(Patient *p)
{
	struct stat st;
	if (stat(p->s->key_file, &st) != 0 && errno == ENOENT)
		complain_as(p, MS_GRAVITY_FAULT,
			"Run: missent directory key (or bring the key of the other hosts)",
			"there is no site key %s", p->s->key_file);
	/* The page's user is in the group, to read the records. */
	look_at(p, p->s->key_file, 0077, true);
}

void check_password_files(Patient *p)
{
	static const char *const in_directory[] = {
		"redis-password-file", "sentinel-password-file", "redis-tls-key"};
	static const char *const in_desk[] = {"submit-password-file", "webhook-key-file"};
	const MsSection *directory = ms_section_sub(p->s->root, "directory"),
			*desk = ms_section_sub(p->s->root, "desk");
	for (gsize i = 0; i < G_N_ELEMENTS(in_directory); i++)
		look_at(p, ms_section_text(directory, in_directory[i]), 0007, true);
	for (gsize i = 0; i < G_N_ELEMENTS(in_desk); i++)
		look_at(p, ms_section_text(desk, in_desk[i]), 0007, true);
	struct stat st;
	if (p->s->review.tls_key != NULL && stat(p->s->review.tls_key, &st) == 0 &&
		(st.st_mode & 0007) != 0)
		complain(p, "%s has mode %04o: others may read it", p->s->review.tls_key,
			(guint)st.st_mode & 07777);
}

/* Who needs it may need it at night, and for the first time. */
typedef struct {
	const char *block, *key;
	bool folder; /* itself, or (of a file that is written) the one that it is to be in */
	const char *follows;
} NamedFile;

static const NamedFile named_files[] = {
	{"desk", "webhook-key-file", false, "missent-agent does not start"},
	{"desk", "key-file", false, "missent-agent does not start"},
	{"review", "reasons-file", false, "the page has no reasons to choose from"},
	{"guard", "key-file", false, "nothing is counted"},
	{"guard", "key-file-before", false, "what was counted by it is not known"},
	{"incident", "notice-templates", true, "incident notices can write none"},
	{"metrics", "textfile", true, "no numbers are written"},
};

static int why_not(const char *path, bool folder)
{
	struct stat st;
	return stat(path, &st) != 0             ? errno
		: S_ISDIR(st.st_mode) == folder ? 0
		: folder                        ? ENOTDIR
						: EISDIR;
}

void check_named_files(Patient *p)
{
	for (gsize i = 0; i < G_N_ELEMENTS(named_files); i++) {
		const NamedFile *f = &named_files[i];
		const MsSection *block = ms_section_sub(p->s->root, f->block);
		if (!ms_section_given(block, f->key))
			continue;
		const char *path = ms_section_text(block, f->key);
		bool written = strcmp(f->key, "textfile") == 0;
		g_autofree char *at = written ? g_path_get_dirname(path) : g_strdup(path);
		int why = why_not(at, f->folder);
		if (why == EACCES)
			not_seen(p, "%s: %s", at, g_strerror(why));
		else if (why != 0)
			complain(p, "%s { %s } %s: %s: %s", f->block, f->key, at, g_strerror(why),
				f->follows);
	}
}

/* With it one is every agent; the page, whose user may be in the group, is none. */
void check_desk_key(Patient *p)
{
	struct stat st;
	const char *path = p->s->desk.redis_key_file;
	if (path != NULL && stat(path, &st) == 0 && (st.st_mode & 0077) != 0)
		complain(p,
			"key-file %s: others than its owner may read it, the review page among them",
			path);
}

/* Decisions on held mail go through it; without its right each of them fails. */
void check_release(Patient *p)
{
	struct stat st;
	const char *path = p->s->release_program;
	if (stat(path, &st) != 0)
		complain(p, "release-program %s: %s: no held message can be released", path,
			g_strerror(errno));
	else if (st.st_uid != 0 || (st.st_mode & S_ISUID) == 0)
		complain(p,
			"release-program %s is not root's with the set-user-ID bit: only root can decide on held mail",
			path);
	else if ((st.st_mode & 0022) != 0)
		complain_as(p, MS_GRAVITY_FAULT, NULL,
			"release-program %s has mode %04o: who may write to it is root", path,
			(guint)st.st_mode & 07777);
	else if ((st.st_mode & 0001) != 0)
		complain(p, "release-program %s has mode %04o: every user of this host may run it",
			path, (guint)st.st_mode & 07777);
}

/* ---- the disk ------------------------------------------------------------------------- */

#define MIB ((guint64)1 << 20)

static void look_at_disk(Patient *p, const char *path, const char *what)
{
	struct statvfs fs;
	if (path == NULL || statvfs(path, &fs) != 0)
		return;
	if (ms_io_takes_nothing(path)) {
		complain_as(p, MS_GRAVITY_FAULT,
			"See the kernel's log (dmesg), check the file system, and mount it anew. Mail is deferred meanwhile.",
			"%s (%s): nothing can be written there: %s", path, what, g_strerror(errno));
		return;
	}
	guint64 left = (guint64)fs.f_bavail * fs.f_frsize, all = (guint64)fs.f_blocks * fs.f_frsize;
	if (left < 64 * MIB || ms_io_files_left(path) < MS_IO_FEW_FILES)
		complain_as(p, MS_GRAVITY_FAULT, NULL,
			"%s (%s): %" G_GUINT64_FORMAT " MiB and %" G_GUINT64_FORMAT
			" files are left",
			path, what, left / MIB, (guint64)fs.f_favail);
	else if (left < 1024 * MIB && left < all / 20)
		complain(p, "%s (%s): %" G_GUINT64_FORMAT " MiB are left", path, what, left / MIB);
}

void check_disk(Patient *p)
{
	g_autofree char *audit = g_path_get_dirname(p->s->audit_file);
	look_at_disk(p, p->s->state_dir, "records and spool");
	if (strcmp(audit, p->s->state_dir) != 0)
		look_at_disk(p, audit, "audit");
	if (p->s->sendmail)
		look_at_disk(p,
			p->s->sendmail_queue != NULL ? p->s->sendmail_queue : "/var/spool/mqueue",
			"Sendmail's queue");
	else
		look_at_disk(p, postfix_setting(p, "queue_directory"), "Postfix's queue");
}

/* ---- the clock ------------------------------------------------------------------------ */

/* Records and audit are dated: what is from the future was written when the clock was ahead. */
static void look_ahead(Patient *p, const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && st.st_mtime > time(NULL) + 300)
		complain(p,
			"%s was written %" G_GINT64_FORMAT
			" minutes from now: the clock was ahead then, or is behind now",
			path, (gint64)(st.st_mtime - time(NULL)) / 60);
}

void check_clock(Patient *p)
{
	struct timex clock = {0};
	int state = adjtimex(&clock);
	g_autofree char *audit = ms_audit_folder(p->s->audit_file);
	if (state == TIME_ERROR && (clock.status & STA_UNSYNC) != 0)
		complain(p, "nothing keeps this host's clock right");
	look_ahead(p, audit);
	look_ahead(p, p->s->records_file);
}

/* ---- what grows ----------------------------------------------------------------------- */

#define ROTATED_FROM (256 * MIB)
#define LOGROTATE "/etc/logrotate.d"

static bool names_file(const char *path, const char *name, const char *folder)
{
	g_autofree char *text = NULL;
	g_autofree char *any = g_build_filename(folder, "*", NULL);
	return ms_io_contents(path, &text, NULL, NULL) &&
		(strstr(text, name) != NULL || strstr(text, any) != NULL);
}

static bool is_rotated(const char *file)
{
	g_autofree char *folder = g_path_get_dirname(file);
	g_autoptr(GDir) dir = g_dir_open(LOGROTATE, 0, NULL);
	bool found = false;
	for (const char *name; dir != NULL && !found && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *path = g_build_filename(LOGROTATE, name, NULL);
		found = names_file(path, file, folder);
	}
	return found;
}

void check_rotation(Patient *p)
{
	struct stat st;
	const char *const files[] = {p->s->audit_file, p->s->review.audit_file};
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		if (stat(files[i], &st) == 0 && (guint64)st.st_size > ROTATED_FROM &&
			!is_rotated(files[i]))
			complain(p,
				"%s has %" G_GUINT64_FORMAT " MiB, and nothing in " LOGROTATE
				" names it",
				files[i], (guint64)st.st_size / MIB);
}
