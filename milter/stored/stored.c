/*
 * A file, a folder, a Maildir or an mbox comes in; its messages go out one by one.  Any thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/scan.h"
#include "missent/stored.h"

#define MAX_DEPTH 20

typedef struct {
	MsStoredTake take;
	void *user;
	guint64 before; /* bytes of files before this one */
	bool stopped;
	GError *why; /* what was refused */
} Walk;

static bool is_too_large(Walk *walk, const char *name, gsize len)
{
	if (len <= MS_STORED_MOST)
		return false;
	g_set_error(&walk->why, MS_ERROR, MS_ERROR_INPUT,
		"%s: a message of %zu bytes; one of 4 GiB or more is not read", name, len);
	walk->stopped = true;
	return true;
}

static void give(Walk *walk, const char *name, const guint8 *data, gsize len, gsize end, bool cut)
{
	const MsStored message = {name, data, len, walk->before + end, cut};
	walk->stopped = !walk->take(&message, walk->user);
}

/* ---- mbox ------------------------------------------------------------------------------- */

/*
 * Which "From " begins a message?  RFC 4155 wants an empty line before it, which programs leave
 * out that append to a mail without a line's end, and senders a date, which some leave out: either
 * does, if what a message begins with follows.  A line of prose has neither ("From our side ...");
 * ">From " was quoted when it was stored.  Content-Length is not believed: a wrong one hides the
 * mail that follows.
 */

static bool is_blank(const char *p, const char *stop)
{
	return p == stop || *p == '\n' || (*p == '\r' && p + 1 < stop && p[1] == '\n');
}

/* A field, or none of them. */
static bool begins_message(const char *p, const char *end)
{
	const char *stop = ms_line_after(p, end), *start = p;
	while (p < stop && *p > ' ' && *p < 0x7f && *p != ':')
		p++;
	return is_blank(start, stop) || (p > start && p < stop && *p == ':') ||
		(stop - start > 6 && memcmp(start, ">From ", 6) == 0);
}

static bool is_one_of(const char *word, const char *names)
{
	const char *at = strlen(word) == 3 ? strstr(names, word) : NULL;
	return at != NULL && (at - names) % 3 == 0;
}

static bool is_time(const char *word)
{
	gsize n = strspn(word, G_CSET_DIGITS);
	return n > 0 && n <= 2 && word[n] == ':' && g_ascii_isdigit(word[n + 1]);
}

/* A day of the week, a month, a time and a year, in any order: zones and commas may be between. */
static bool has_date(const char *p, const char *stop)
{
	g_autofree char *line = g_strndup(p, MIN((gsize)(stop - p), 1000));
	g_auto(GStrv) words = g_strsplit_set(line, " ,\t\r\n", -1);
	bool day = false, month = false, time = false, year = false;
	for (char **word = words; *word != NULL; word++) {
		day = day || is_one_of(*word, "MonTueWedThuFriSatSun");
		month = month || is_one_of(*word, "JanFebMarAprMayJunJulAugSepOctNovDec");
		time = time || is_time(*word);
		year = year || (strlen(*word) == 4 && strspn(*word, G_CSET_DIGITS) == 4);
	}
	return day && month && time && year;
}

/* `nl` ends the line before. */
static bool begins_here(const char *begin, const char *nl, const char *end)
{
	const char *stop = ms_line_after(nl + 1, end), *before = nl;
	if (before > begin && before[-1] == '\r')
		before--;
	bool empty = before == begin || before[-1] == '\n';
	return (empty || has_date(nl + 1, stop)) && begins_message(stop, end);
}

/* The next one after the line's end `p`; or `end`. */
static const char *next_from(const char *p, const char *end)
{
	const char *begin = p + 1;
	while (p < end) {
		const char *hit = memmem(p, (gsize)(end - p), "\nFrom ", 6);
		if (hit == NULL)
			return end;
		if (begins_here(begin, hit, end))
			return hit + 1;
		p = hit + 1;
	}
	return end;
}

static GByteArray *unquote(const char *p, const char *end)
{
	GByteArray *out = g_byte_array_sized_new((guint)(end - p));
	while (p < end) {
		const char *stop = ms_line_after(p, end);
		gsize quotes = 0;
		while (p + quotes < stop && p[quotes] == '>')
			quotes++;
		if (quotes > 0 && stop - p > (gssize)quotes + 5 &&
			memcmp(p + quotes, "From ", 5) == 0)
			p++;
		g_byte_array_append(out, (const guint8 *)p, (guint)(stop - p));
		p = stop;
	}
	return out;
}

static void each_of_mbox(Walk *walk, const char *name, const char *data, gsize len)
{
	const char *p = data, *end = data + len;
	for (guint n = 1; p < end && !walk->stopped; n++) {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		const char *stop = nl != NULL ? next_from(nl, end) : end;
		g_autofree char *label = g_strdup_printf("%s:%u", name, n);
		const char *begin = nl != NULL ? nl + 1 : end;
		if (is_too_large(walk, label, (gsize)(stop - begin)))
			return;
		g_autoptr(GByteArray) message = unquote(begin, stop);
		/* A mailbox ends with a line's end: else what wrote it was stopped. */
		give(walk, label, message->len > 0 ? message->data : (const guint8 *)"",
			message->len, (gsize)(stop - data), stop == end && end[-1] != '\n');
		p = stop;
	}
}

static void each_of_text(Walk *walk, const char *name, const char *data, gsize len)
{
	if (len >= 5 && memcmp(data, "From ", 5) == 0)
		each_of_mbox(walk, name, data, len);
	else if (!is_too_large(walk, name, len))
		give(walk, name, (const guint8 *)data, len, len, false);
	walk->before += len;
}

/* ---- files and folders ------------------------------------------------------------------ */

static bool refuse(GError **error, const char *path, const char *why)
{
	g_set_error(error, MS_ERROR, MS_ERROR_ABSENT, "%s: %s", path, why);
	return false;
}

static bool read_all(Walk *walk, int fd, const char *name, GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);
	char buffer[65536];
	ssize_t n;
	while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			g_string_append_len(all, buffer, n);
	if (n < 0)
		return refuse(error, name, g_strerror(errno));
	each_of_text(walk, name, all->str, all->len);
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef enum { NOTHING, MESSAGE, FOLDER, NO_FILE, UNKNOWN } What;

static What what_opens(const struct stat *s)
{
	return S_ISREG(s->st_mode) ? MESSAGE : NO_FILE;
}

/* A link to a folder may lead back, and is not followed. */
static What what_is(const char *path)
{
	struct stat s, there;
	if (lstat(path, &s) != 0 || (S_ISLNK(s.st_mode) && stat(path, &there) != 0))
		return errno == ENOENT ? NOTHING : UNKNOWN;
	if (S_ISLNK(s.st_mode))
		return S_ISDIR(there.st_mode) ? NOTHING : what_opens(&there);
	return S_ISDIR(s.st_mode) ? FOLDER : what_opens(&s);
}

static bool add_folder(
	GPtrArray *files, const char *path, bool every_name, int depth, GError **error)
{
	if (depth >= MAX_DEPTH)
		return refuse(error, path, "so many folders, one within the other, are not read");
	errno = 0;
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	bool fine = dir != NULL || errno == ENOENT;
	if (!fine)
		return refuse(error, path, g_strerror(errno));
	for (const char *name; fine && dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		bool every = strcmp(name, "cur") == 0 || strcmp(name, "new") == 0;
		bool named = name[0] != '.' && (every_name || g_str_has_suffix(name, ".eml"));
		switch (what_is(child)) {
		case NOTHING: break;
		case MESSAGE:
			if (named)
				g_ptr_array_add(files, g_steal_pointer(&child));
			break;
		case NO_FILE: /* where nobody writes into a pipe, who reads it waits for good */
			fine = !named || refuse(error, child, "is a pipe or a device, and no file");
			break;
		case FOLDER:
			fine = strcmp(name, "tmp") == 0 ||
				add_folder(files, child, every, depth + 1, error);
			break;
		case UNKNOWN: fine = refuse(error, child, g_strerror(errno)); break;
		}
	}
	return fine;
}

/* The message files of a folder; a Maildir's, and its subfolders', are in cur and new.  NULL: not
 * all could be looked at. */
static GPtrArray *files_of(const char *path, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	if (!g_file_test(path, G_FILE_TEST_IS_DIR))
		g_ptr_array_add(files, g_strdup(path));
	else if (!add_folder(files, path, false, 0, error))
		return NULL;
	g_ptr_array_sort(files, compare);
	return g_steal_pointer(&files);
}

static bool each_of_file(Walk *walk, const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(error, path, g_strerror(errno));
	g_autoptr(GMappedFile) file = g_mapped_file_new_from_fd(fd, FALSE, NULL);
	bool fine = file != NULL || read_all(walk, fd, path, error); /* a pipe cannot be mapped */
	close(fd);
	if (file != NULL) {
		const char *data = g_mapped_file_get_contents(file);
		each_of_text(walk, path, data != NULL ? data : "", g_mapped_file_get_length(file));
	}
	return fine;
}

static bool is_whole(Walk *walk, GError **error)
{
	if (walk->why == NULL)
		return true;
	g_propagate_error(error, g_steal_pointer(&walk->why));
	return false;
}

bool ms_stored_each(const char *path, MsStoredTake take, void *user, GError **error)
{
	Walk walk = {take, user, 0, false, NULL};
	if (strcmp(path, "-") == 0)
		return read_all(&walk, STDIN_FILENO, "standard input", error) &&
			is_whole(&walk, error);
	g_autoptr(GPtrArray) files = files_of(path, error);
	if (files == NULL)
		return false;
	if (files->len == 0)
		return refuse(error, path, "no Maildir, and no *.eml file in it");
	for (guint i = 0; i < files->len && !walk.stopped; i++)
		if (!each_of_file(&walk, files->pdata[i], error))
			return false;
	return is_whole(&walk, error);
}

guint64 ms_stored_size(const char *path)
{
	guint64 size = 0;
	g_autoptr(GPtrArray) files = files_of(path, NULL);
	for (guint i = 0; files != NULL && i < files->len; i++) {
		struct stat s;
		size += stat(files->pdata[i], &s) == 0 ? (guint64)s.st_size : 0;
	}
	return size;
}

bool ms_stored_is_many(const char *path)
{
	char start[5] = {0};
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return true;
	int fd = g_file_test(path, G_FILE_TEST_IS_REGULAR) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool many = fd >= 0 && read(fd, start, sizeof start) == (ssize_t)sizeof start &&
		memcmp(start, "From ", sizeof start) == 0;
	if (fd >= 0)
		close(fd);
	return many;
}
