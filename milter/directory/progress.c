/*
 * A file of two lines, its form and the generation, and a sealed rest.  What does not open, or is
 * of another file, is as if it were not there.  One thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/io.h"

#include "progress.h"
#include "state.h"

#define FORM "missent-import=2\n"
#define PART MS_PART('p', 0)

MsProgress *ms_progress_new(void)
{
	MsProgress *progress = g_new0(MsProgress, 1);
	for (int i = 0; i < MS_SPILLS; i++)
		progress->aside[i] = g_byte_array_new();
	progress->pending = g_byte_array_new();
	return progress;
}

void ms_progress_free(MsProgress *progress)
{
	if (progress == NULL)
		return;
	g_free(progress->generation);
	for (int i = 0; i < MS_SPILLS; i++)
		g_byte_array_unref(progress->aside[i]);
	g_byte_array_unref(progress->pending);
	g_free(progress);
}

/* ---- of what file? -------------------------------------------------------------------- */

static bool digest_file(int fd, GChecksum *sum)
{
	g_autofree guint8 *buffer = g_malloc(1 << 18);
	off_t at = 0;
	ssize_t n;
	while ((n = pread(fd, buffer, 1 << 18, at)) > 0) {
		g_checksum_update(sum, buffer, n);
		at += n;
	}
	return n == 0;
}

static void digest_word(GChecksum *sum, const char *word)
{
	g_checksum_update(sum, (const guchar *)(word != NULL ? word : "\1"),
		word != NULL ? (gssize)strlen(word) + 1 : 2);
}

bool ms_progress_recipe(int fd, const MsTableForm *form, const char *beside, const MsKinds *kinds,
	const MsKeys *keys, guint8 out[MS_RECIPE])
{
	struct stat st;
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_CUR) != 0)
		return false;
	const char delimiter[] = {form->delimiter, '\0'};
	const char *words[] = {PACKAGE_VERSION " " MS_MAPPING_FORM, form->encoding, form->map,
		form->account, delimiter, beside, ms_kinds_text(kinds), keys->digests ? "digests" : "open"};
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		digest_word(sum, words[i]);
	gsize len = MS_RECIPE;
	if (!digest_file(fd, sum))
		return false;
	g_checksum_get_digest(sum, out, &len);
	return true;
}

/* ---- the file ------------------------------------------------------------------------- */

typedef struct {
	guint8 recipe[MS_RECIPE];
	MsTableMark mark;
	gint64 lists;
	MsFingerprint marks;
	guint32 read, slices;
	guint32 aside[MS_SPILLS], pending; /* bytes that follow */
} Head;

bool ms_progress_write(const MsProgress *p, const char *path, const MsKeys *keys, GError **error)
{
	Head head;
	memset(&head, 0, sizeof head); /* gaps between members too */
	memcpy(head.recipe, p->recipe, MS_RECIPE);
	head.mark = p->mark;
	head.lists = p->lists;
	head.marks = p->marks;
	head.read = p->read;
	head.slices = p->slices;
	for (int i = 0; i < MS_SPILLS; i++)
		head.aside[i] = p->aside[i]->len;
	head.pending = p->pending->len;
	g_autoptr(GByteArray) text = g_byte_array_new();
	g_byte_array_append(text, (const guint8 *)&head, sizeof head);
	for (int i = 0; i < MS_SPILLS; i++)
		g_byte_array_append(text, p->aside[i]->data, p->aside[i]->len);
	g_byte_array_append(text, p->pending->data, p->pending->len);
	g_autoptr(GBytes)
		sealed = ms_part_seal(keys, p->generation, PART, NULL, 0, text->data, text->len);
	g_autoptr(GString) out = g_string_new(FORM);
	gsize len;
	const char *data = g_bytes_get_data(sealed, &len);
	g_string_append_printf(out, "%s\n", p->generation);
	g_string_append_len(out, data, (gssize)len);
	return ms_io_replace(path, out->str, out->len, 0600, true) ||
		ms_io_fail(error, path, errno);
}

static MsProgress *take(const guint8 *text, gsize len)
{
	Head head;
	if (len < sizeof head)
		return NULL;
	memcpy(&head, text, sizeof head);
	guint64 follow = head.pending;
	for (int i = 0; i < MS_SPILLS; i++)
		follow += head.aside[i];
	if (follow != len - sizeof head
		|| head.pending % sizeof(MsMark) != 0 || head.lists < 0 || head.lists > G_MAXUINT32)
		return NULL;
	MsProgress *p = ms_progress_new();
	memcpy(p->recipe, head.recipe, MS_RECIPE);
	p->mark = head.mark;
	p->lists = head.lists;
	p->marks = head.marks;
	p->read = head.read != 0;
	p->slices = head.slices;
	text += sizeof head;
	for (int i = 0; i < MS_SPILLS; text += head.aside[i++])
		g_byte_array_append(p->aside[i], text, head.aside[i]);
	g_byte_array_append(p->pending, text, head.pending);
	return p;
}

MsProgress *ms_progress_read(const char *path, const MsKeys *keys, const guint8 recipe[MS_RECIPE])
{
	g_autofree char *text = NULL;
	gsize len, opened;
	if (!ms_io_contents(path, &text, &len, NULL) || len < strlen(FORM) ||
		memcmp(text, FORM, strlen(FORM)) != 0)
		return NULL;
	const char *name = text + strlen(FORM), *end = memchr(name, '\n', len - strlen(FORM));
	if (end == NULL || end == name || strspn(name, "0123456789abcdef") != (gsize)(end - name))
		return NULL;
	g_autofree char *generation = g_strndup(name, (gsize)(end - name));
	g_autofree guint8 *inner = ms_part_open(keys, generation, PART, (const guint8 *)end + 1,
		len - (gsize)(end + 1 - text), 0, &opened);
	g_autoptr(MsProgress) progress = inner != NULL ? take(inner, opened) : NULL;
	if (progress == NULL || memcmp(progress->recipe, recipe, MS_RECIPE) != 0)
		return NULL;
	progress->generation = g_steal_pointer(&generation);
	return g_steal_pointer(&progress);
}
