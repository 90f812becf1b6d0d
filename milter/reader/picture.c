/*
 * missent-picture - a picture of the first page of a PDF.
 *
 * The same supervisor and confinement as missent-reader, but its workers do one thing, for a
 * reviewer who asks to see a page.  A page may use fonts that are not in the document: the
 * files of the usual ones are opened before confinement, and Poppler, which opens them by name,
 * gets these descriptors and no others.  The supervisor's one thread opens the fonts, each worker's
 * draws.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/extract.h"
#include "missent/worker.h"

/* ---- fonts ---------------------------------------------------------------------------- */

#define MAX_FONTS 64

static struct {
	char path[256];
	int fd;
	void *data;
	size_t len;
} fonts[MAX_FONTS];
static int n_fonts;
static bool learning, learned;

static bool is_font(const char *path)
{
	static const char *const endings[] = {".ttf", ".otf", ".ttc", ".pfb", ".t1", ".pfa"};
	for (gsize i = 0; i < G_N_ELEMENTS(endings); i++)
		if (g_str_has_suffix(path, endings[i]))
			return true;
	return false;
}

static void learn(const char *path, int fd)
{
	if (n_fonts == MAX_FONTS || strlen(path) >= sizeof fonts[0].path)
		return;
	off_t size = lseek(fd, 0, SEEK_END);
	lseek(fd, 0, SEEK_SET);
	void *data = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0)
			      : MAP_FAILED;
	int kept = data != MAP_FAILED ? fcntl(fd, F_DUPFD_CLOEXEC, 20) : -1;
	if (kept < 0)
		return;
	g_strlcpy(fonts[n_fonts].path, path, sizeof fonts[0].path);
	fonts[n_fonts].data = data;
	fonts[n_fonts].len = (size_t)size;
	fonts[n_fonts++].fd = kept;
}

static int find_font(const char *path)
{
	for (int i = 0; i < n_fonts; i++)
		if (strcmp(fonts[i].path, path) == 0)
			return i;
	return -1;
}

/* These stand before the C library's for the libraries of this program: a font that was seen
 * before confinement is there, any other file is not. */
static int open_file(const char *path, int flags, int mode)
{
	int font = find_font(path);
	if (font >= 0) {
		lseek(fonts[font].fd, 0, SEEK_SET);
		return dup(fonts[font].fd);
	}
	if (learned && !g_str_has_prefix(path, "/dev/")) {
		errno = ENOENT;
		return -1;
	}
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd >= 0 && learning && is_font(path))
		learn(path, fd);
	return fd;
}

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
FILE *fopen(const char *restrict path, const char *restrict mode);

int open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	int mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	int mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return open_file(path, flags, mode);
}

/* Nothing here writes files. */
FILE *fopen(const char *restrict path, const char *restrict mode)
{
	int font = find_font(path);
	if (font >= 0)
		return fmemopen(fonts[font].data, fonts[font].len, "r");
	int fd = *mode == 'r' ? open_file(path, O_RDONLY | O_CLOEXEC, 0) : -1;
	return fd >= 0 ? fdopen(fd, "r") : NULL;
}

/* The C library asks in a way that could also name a path, which confinement forbids. */
int fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

/* A page with each of the fonts that every viewer has, and three that most invoices name. */
static GString *specimen(void)
{
	static const char *const names[] = {"Helvetica", "Helvetica-Bold", "Helvetica-Oblique",
		"Helvetica-BoldOblique", "Times-Roman", "Times-Bold", "Times-Italic",
		"Times-BoldItalic", "Courier", "Courier-Bold", "Courier-Oblique",
		"Courier-BoldOblique", "Symbol", "ZapfDingbats", "Arial", "Arial-Bold", "Verdana",
		"Calibri"};
	GString *out = g_string_new(
		"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
		"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R"
		"/Resources<</Font<<");
	g_autoptr(GString) text = g_string_new("BT ");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_string_append_printf(
			out, "/F%zu<</Type/Font/Subtype/TrueType/BaseFont/%s>>", i, names[i]);
		g_string_append_printf(text, "/F%zu 9 Tf (a) Tj ", i);
	}
	g_string_append(text, "ET");
	g_string_append_printf(out,
		">>>>>>endobj\n4 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
		"trailer<</Root 1 0 R>>\n",
		text->len, text->str);
	return out;
}

/* ---- the program ---------------------------------------------------------------------- */

static bool init(const char *languages, GError **error)
{
	(void)languages;
	(void)error;
	learning = true;
	ms_extract_init();
	g_autoptr(GString) page = specimen();
	GBytes *picture = ms_extract_first_page((const guint8 *)page->str, page->len);
	if (picture != NULL)
		g_bytes_unref(picture);
	learning = false;
	learned = true;
	return true;
}

static void work(const MsJob *job)
{
	if (job->as != NULL)
		job->reading->bytes = ms_extract_first_page(job->data, job->len);
}

int main(int argc, char **argv)
{
	static const MsReaderProgram program = {init, work, NULL};
	return ms_reader_main(argc, argv, &program);
}
