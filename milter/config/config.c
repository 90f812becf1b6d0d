/*
 * The text of a settings file and the rows it may have come in; out go sections whose values are
 * of the rows' types, or what is wrong, with file and line.  libconfuse has one scanner: threads
 * take turns.
 */
#include "config.h"

#include <confuse.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/text.h"

#include "form.h"

#define MAX_FILE (4 << 20)
#define MAX_COMPLAINTS 20

/* libconfuse parses; every value reaches us as text and is converted by its row, so that one
 * function per type words the complaint. */

struct MsSection {
	const MsRow *rows;
	char *name;  /* file for the root, "policy" and the like below */
	char *title;
	char *file;
	int line;            /* where it begins; 0: it does not stand there */
	GHashTable *values; /* key to Value */
};

typedef struct {
	GPtrArray *texts; /* NULL-terminated */
	gint64 number;
	bool given;
	int line; /* of the file; 0 if not given */
	char *file; /* where it stands, if not in its section's */
	GPtrArray *sections;
} Value;

/* libconfuse's callbacks carry no pointer of ours, and its scanner is one for all threads: there is
 * one parse at a time, and this is it. */
typedef struct {
	const MsRow *rows;
	GString *complaints;
	guint n;
	GHashTable *lines; /* of cfg_opt_t: where it was given */
	GPtrArray *blocks; /* of MsBlock, as they stand in the file */
} Parse;
static Parse *parse;

/* ---- one value ------------------------------------------------------------------------ */

static bool complain(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool complain(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(MS_ERROR, MS_ERROR_CONFIG, format, args));
	va_end(args);
	return false;
}

typedef struct {
	const char *suffix;
	gint64 factor;
} Unit;

static const Unit size_units[] = {
	{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
static const Unit time_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000},
	{"d", 86400000}, {NULL, 0}};
static const Unit share_units[] = {{"%", 1}, {"", 1}, {NULL, 0}};
static const Unit plain_units[] = {{"", 1}, {NULL, 0}};

/* What is counted in a time is microseconds, from 1970 on: all of it stays within 64 bits. */
#define MOST_TIME (36500 * G_GINT64_CONSTANT(86400000))
#define MOST_SIZE (G_GINT64_CONSTANT(1) << 50)

static const struct {
	const Unit *units;
	gint64 most; /* where the row has no limit */
	const char *what;
} measures[] = {
	[MS_ROW_NUMBER] = {plain_units, G_MAXINT32, "a number (digits alone, such as 20)"},
	[MS_ROW_SIZE] = {size_units, MOST_SIZE, "a size (such as 512K, 64M)"},
	[MS_ROW_TIME] = {time_units, MOST_TIME, "a time (such as 500ms, 20s, 5m, 12h, 7d)"},
	[MS_ROW_SHARE] = {share_units, 100, "a share (such as 20%)"},
};

/* As it is written: 120000 of a time is 2m. */
static char *written(const Unit *units, gint64 n)
{
	const Unit *best = units;
	for (; n != 0 && units->suffix != NULL; units++)
		if (n % units->factor == 0 && units->factor > best->factor)
			best = units;
	return g_strdup_printf("%" G_GINT64_FORMAT "%s", n / best->factor, best->suffix);
}

static bool convert_number(const MsRow *row, const char *text, gint64 *out, GError **error)
{
	const Unit *units = measures[row->type].units, *unit = units;
	char *end;
	gint64 n = g_ascii_strtoll(text, &end, 10); /* what is too large ends as the largest */
	if (*text == '\0')
		return complain(error, "it is empty: give %s, or leave the key out",
			measures[row->type].what);
	while (unit->suffix != NULL && strcmp(end, unit->suffix) != 0)
		unit++;
	if (end == text || unit->suffix == NULL)
		return complain(error, "\"%s\" is not %s", text, measures[row->type].what);
	gint64 most = row->max > 0 ? row->max : measures[row->type].most;
	if (n >= 0 && n <= most / unit->factor && n * unit->factor >= row->min) {
		*out = n * unit->factor;
		return true;
	}
	g_autofree char *from = written(units, row->min), *to = written(units, most);
	return complain(error, "\"%s\" is out of range (%s to %s)", text, from, to);
}

static bool convert_word(const char *const *choices, const char *text, gint64 *out, GError **error)
{
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(choices[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	g_autofree char *all = g_strjoinv(", ", (char **)choices);
	const char *near = ms_text_nearest(text, choices);
	return complain(error, "\"%s\" is not allowed; use one of %s%s%s%s", text, all,
		near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

static bool convert(const MsRow *row, const char *text, gint64 *out, GError **error)
{
	static const char *const switches[] = {"no", "yes", NULL};
	switch (row->type) {
	case MS_ROW_TEXT:
	case MS_ROW_LIST:
		if (row->named && g_str_has_prefix(text, MS_LIST_PREFIX))
			return true;
		return row->check == NULL || row->check(text, error);
	case MS_ROW_SWITCH: return convert_word(switches, text, out, error);
	case MS_ROW_CHOICE: return convert_word(row->choices, text, out, error);
	case MS_ROW_NUMBER:
	case MS_ROW_SIZE:
	case MS_ROW_TIME:
	case MS_ROW_SHARE: return convert_number(row, text, out, error);
	case MS_ROW_SECTION:
	case MS_ROW_SECTIONS: break;
	}
	g_assert_not_reached();
}

/* ---- libconfuse's side ---------------------------------------------------------------- */

static const MsRow *find_row(const MsRow *rows, const char *key)
{
	for (; rows->key != NULL; rows++)
		if (strcmp(rows->key, key) == 0)
			return rows;
	return NULL;
}

/* Blocks are one level deep, so a block's name finds its rows. */
static const MsRow *rows_of(cfg_t *cfg)
{
	const MsRow *row = find_row(parse->rows, cfg_name(cfg));
	return row != NULL && row->rows != NULL ? row->rows : parse->rows;
}

/* libconfuse takes the end of the file for the end of any open block: half a policy would be
 * a weaker one.  So the text is followed by an option that only the root knows. */
#define END_MARK "missent-end-of-file"

/* Where the block of that name and number begins; 0: there is none. */
static int line_of_block(const char *name, guint n)
{
	for (guint i = 0; i < parse->blocks->len; i++) {
		const MsBlock *block = parse->blocks->pdata[i];
		if (strcmp(block->name, name) == 0 && n-- == 0)
			return block->line;
	}
	return 0;
}

static int line_of_title(const char *title)
{
	for (guint i = 0; i < parse->blocks->len; i++) {
		const MsBlock *block = parse->blocks->pdata[i];
		if (g_strcmp0(block->title, title) == 0)
			return block->line;
	}
	return 0;
}

/* "; it stands in the section reader, or judging", or NULL. */
static char *other_place(const MsRow *here, const char *word)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	if (here != parse->rows && find_row(parse->rows, word) != NULL)
		return g_strdup_printf("; \"%s\" stands outside of all blocks", word);
	for (const MsRow *row = parse->rows; row->key != NULL; row++)
		if (row->rows != NULL && row->rows != here && find_row(row->rows, word) != NULL)
			g_ptr_array_add(names, (char *)row->key);
	if (names->len == 0)
		return NULL;
	g_ptr_array_add(names, NULL);
	g_autofree char *all = g_strjoinv(" or ", (char **)names->pdata);
	return g_strdup_printf("; \"%s\" stands in the block %s { }", word, all);
}

static char *hint_for_key(const MsRow *rows, const char *word)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (const MsRow *row = rows; row->key != NULL; row++)
		g_ptr_array_add(names, (char *)row->key);
	g_ptr_array_add(names, NULL);
	char *elsewhere = other_place(rows, word);
	const char *near = elsewhere == NULL
		? ms_text_nearest(word, (const char *const *)names->pdata)
		: NULL;
	g_autofree char *known = g_strjoinv(", ", (char **)names->pdata);
	if (elsewhere != NULL)
		return elsewhere;
	return near != NULL ? g_strdup_printf("; did you mean \"%s\"?", near)
			    : g_strdup_printf("; known here: %s", known);
}

#define NO_BREAK "\xc2\xa0" /* looks like a blank, and is a letter to libconfuse */

/* What libconfuse does not say. */
static char *hint_for(cfg_t *cfg, const char *message)
{
	const char *quote = strchr(message, '\'');
	g_autofree char *word = quote != NULL ? g_strndup(quote + 1, strcspn(quote + 1, "'"))
					      : g_strdup("");
	if (g_str_has_prefix(message, "no such option") && strstr(word, NO_BREAK) != NULL)
		return g_strdup(
			"; a no-break space stands in it, as in pasted text: write a plain one");
	if (g_str_has_prefix(message, "no such option"))
		return hint_for_key(rows_of(cfg), word);
	if (g_str_has_prefix(message, "found duplicate title"))
		return g_strdup_printf(
			"; it stands at line %d already: give one of them another title",
			line_of_title(word));
	if (g_str_has_prefix(message, "missing title"))
		return g_strdup_printf("; write %s \"a title\" {", word);
	return g_strdup("");
}

static void on_error(cfg_t *cfg, const char *format, va_list args) G_GNUC_PRINTF(2, 0);
static void on_error(cfg_t *cfg, const char *format, va_list args)
{
	if (parse->n++ >= MAX_COMPLAINTS)
		return;
	g_autofree char *message = g_strdup_vprintf(format, args);
	if (strstr(message, END_MARK) != NULL) {
		g_free(message);
		message = g_strdup("a block or text is not closed (} or \" is missing)");
	}
	g_autofree char *hint = hint_for(cfg, message);
	g_autofree char *safe = ms_text_escape(message, -1, 300);
	if (parse->complaints->len > 0)
		g_string_append_c(parse->complaints, '\n');
	g_string_append_printf(parse->complaints, "%s:%d: %s%s", cfg->filename, cfg->line, safe,
		hint);
}

#define NOT_UTF8 "is not UTF-8"

/* Called after each value, which is the last one of its list, while cfg->line is its line. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const MsRow *row = find_row(rows_of(cfg), cfg_opt_name(opt));
	gint64 ignored;
	g_hash_table_insert(parse->lines, opt, GINT_TO_POINTER(cfg->line));
	unsigned n = cfg_opt_size(opt);
	const char *text = n > 0 ? cfg_opt_getnstr(opt, n - 1) : NULL;
	g_autoptr(GError) error = NULL;
	if (text == NULL)
		return 0;
	bool utf8 = g_utf8_validate(text, -1, NULL);
	if (utf8 && convert(row, text, &ignored, &error))
		return 0;
	cfg_error(cfg, "%s: %s", row->key, utf8 ? error->message : NOT_UTF8);
	return -1;
}

static bool is_title(const char *title)
{
	for (const char *p = title; *p != '\0'; p = g_utf8_next_char(p))
		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			return false;
	return title[strspn(title, " ")] != '\0';
}

/* Called at the end of each block, which is the last of its name. */
static int on_block(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *title = cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));
	bool utf8 = title == NULL || g_utf8_validate(title, -1, NULL);
	if (title == NULL || (utf8 && is_title(title)))
		return 0;
	int line = line_of_block(cfg_opt_name(opt), cfg_opt_size(opt) - 1);
	cfg->line = line > 0 ? line : cfg->line;
	cfg_error(cfg, "the title of this %s %s", cfg_opt_name(opt),
		utf8 ? "is empty, or has a control character: it is named by it, so give it another"
		     : NOT_UTF8);
	return -1;
}

static void free_opts(cfg_opt_t *opts, const MsRow *rows)
{
	for (guint i = 0; rows[i].key != NULL; i++)
		if (rows[i].rows != NULL)
			free_opts(opts[i].subopts, rows[i].rows);
	g_free(opts);
}

static cfg_opt_t *make_opts(const MsRow *rows, bool root)
{
	guint n = 0;
	while (rows[n].key != NULL)
		n++;
	cfg_opt_t *opts = g_new0(cfg_opt_t, n + 2);
	for (guint i = 0; i < n; i++) {
		const MsRow *row = &rows[i];
		cfg_opt_t str = CFG_STR(row->key, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(row->key, NULL, CFGF_NODEFAULT);
		opts[i] = row->type == MS_ROW_LIST ? list : str;
		if (row->rows != NULL) {
			cfg_opt_t section = CFG_SEC(
				row->key, make_opts(row->rows, false), CFGF_NONE);
			section.flags = row->type == MS_ROW_SECTIONS
				? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES
				: CFGF_NODEFAULT;
			opts[i] = section;
		}
	}
	cfg_opt_t end = CFG_END();
	cfg_opt_t mark = CFG_STR(END_MARK, NULL, CFGF_NODEFAULT);
	if (root)
		opts[n++] = mark;
	opts[n] = end;
	return opts;
}

static void watch_values(cfg_t *cfg, const MsRow *rows, const char *prefix)
{
	for (; rows->key != NULL; rows++) {
		g_autofree char *path = g_strconcat(prefix, rows->key, NULL);
		if (rows->rows != NULL) {
			g_autofree char *below = g_strconcat(path, "|", NULL);
			watch_values(cfg, rows->rows, below);
			cfg_set_validate_func(cfg, path, on_block);
		} else {
			cfg_set_validate_func(cfg, path, on_value);
		}
	}
}

/* ---- our tree ------------------------------------------------------------------------- */

static void value_free(gpointer data)
{
	Value *value = data;
	if (value->texts != NULL)
		g_ptr_array_unref(value->texts);
	if (value->sections != NULL)
		g_ptr_array_unref(value->sections);
	g_free(value->file);
	g_free(value);
}

void ms_section_free(MsSection *section)
{
	if (section == NULL)
		return;
	g_hash_table_unref(section->values);
	g_free(section->name);
	g_free(section->title);
	g_free(section->file);
	g_free(section);
}

static void section_free(gpointer data)
{
	ms_section_free(data);
}

static Value *take_value(const MsRow *row, cfg_opt_t *opt)
{
	Value *value = g_new0(Value, 1);
	value->number = -1;
	value->texts = g_ptr_array_new_with_free_func(g_free);
	value->given = cfg_opt_size(opt) > 0 && cfg_opt_getnstr(opt, 0) != NULL;
	value->line = GPOINTER_TO_INT(g_hash_table_lookup(parse->lines, opt));
	if (value->given) {
		for (unsigned i = 0; i < cfg_opt_size(opt); i++)
			g_ptr_array_add(value->texts, g_strdup(cfg_opt_getnstr(opt, i)));
	} else if (row->fallback != NULL) {
		g_ptr_array_add(value->texts, g_strdup(row->fallback));
	}
	if (value->texts->len > 0)
		g_assert(convert(row, value->texts->pdata[0], &value->number, NULL));
	g_ptr_array_add(value->texts, NULL);
	return value;
}

static MsSection *take_section(
	cfg_t *cfg, const MsRow *rows, const char *name, int line, const char *file)
{
	MsSection *section = g_new0(MsSection, 1);
	section->rows = rows;
	section->name = g_strdup(name);
	section->file = g_strdup(file);
	section->line = line;
	section->title = g_strdup(cfg != NULL ? cfg_title(cfg) : NULL);
	section->values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, value_free);
	for (; rows->key != NULL; rows++) {
		cfg_opt_t *opt = cfg != NULL ? cfg_getopt(cfg, rows->key) : NULL;
		Value *value;
		if (rows->rows == NULL) {
			cfg_opt_t none = CFG_STR(rows->key, NULL, CFGF_NODEFAULT);
			value = take_value(rows, opt != NULL ? opt : &none);
		} else {
			value = g_new0(Value, 1);
			value->sections = g_ptr_array_new_with_free_func(section_free);
			unsigned n = opt != NULL ? cfg_opt_size(opt) : 0;
			value->given = n > 0;
			for (unsigned i = 0; i < n; i++)
				g_ptr_array_add(value->sections,
					take_section(cfg_opt_getnsec(opt, i), rows->rows, rows->key,
						line_of_block(rows->key, i), file));
			if (n == 0 && rows->type == MS_ROW_SECTION)
				g_ptr_array_add(value->sections,
					take_section(NULL, rows->rows, rows->key, 0, file));
		}
		g_hash_table_insert(section->values, (char *)rows->key, value);
	}
	return section;
}

/* Blanks in the place of comments: libconfuse (3.3) counts the lines of a comment three times, and
 * takes none in a list. */
static void blank_comments(char *text)
{
	char quote = '\0';
	for (char *p = text; *p != '\0'; p++) {
		if (quote != '\0' && *p == '\\' && p[1] != '\0') {
			p++;
		} else if (quote != '\0') {
			quote = *p == quote ? '\0' : quote;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '#') {
			for (; p[1] != '\0' && p[1] != '\n'; p++)
				*p = ' ';
			*p = ' ';
		}
	}
}

static MsSection *parse_alone(const char *file, const char *text, const MsRow *rows, GError **error)
{
	g_autofree char *bare = g_strdup(text);
	blank_comments(bare);
	g_autoptr(GPtrArray) blocks = ms_form_read(file, bare, rows, error);
	if (blocks == NULL)
		return NULL;
	Parse state = {rows, g_string_new(NULL), 0, g_hash_table_new(NULL, NULL), blocks};
	cfg_opt_t *opts = make_opts(rows, true);
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	cfg->filename = strdup(file); /* freed by cfg_free() */
	cfg_set_error_function(cfg, on_error);
	parse = &state;
	watch_values(cfg, rows, "");
	/* cfg_parse_buf() would call every file "[buf]". */
	g_autofree char *with_end = g_strconcat(bare, "\n", END_MARK " = yes\n", NULL);
	FILE *stream = fmemopen(with_end, strlen(with_end), "r");
	g_assert(stream != NULL);
	int rc = cfg_parse_fp(cfg, stream);
	fclose(stream);
	MsSection *root = NULL;
	if (rc == CFG_SUCCESS && state.n == 0)
		root = take_section(cfg, rows, file, 0, file);
	else
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s",
			state.complaints->len > 0 ? state.complaints->str : "cannot be parsed");
	parse = NULL;
	g_hash_table_unref(state.lines);
	cfg_free(cfg);
	free_opts(opts, rows);
	g_string_free(state.complaints, TRUE);
	return root;
}

MsSection *ms_config_parse(const char *file, const char *text, const MsRow *rows, GError **error)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&one_at_a_time);
	MsSection *root = parse_alone(file, text, rows, error);
	pthread_mutex_unlock(&one_at_a_time);
	return root;
}

/* As ms_io_is_want() (io.h), of what GLib says of a file. */
static bool is_want(const GError *why)
{
	static const GFileError wants[] = {G_FILE_ERROR_NOSPC, G_FILE_ERROR_MFILE,
		G_FILE_ERROR_NFILE, G_FILE_ERROR_NOMEM, G_FILE_ERROR_AGAIN, G_FILE_ERROR_IO,
		G_FILE_ERROR_ROFS};
	for (gsize i = 0; i < G_N_ELEMENTS(wants); i++)
		if (g_error_matches(why, G_FILE_ERROR, wants[i]))
			return true;
	return false;
}

int ms_config_exit_code(const GError *why)
{
	bool mistake = g_error_matches(why, MS_ERROR, MS_ERROR_CONFIG) ||
		(why->domain == G_FILE_ERROR && !is_want(why));
	return mistake ? EX_CONFIG : EX_TEMPFAIL;
}

/* Why it is no settings file; NULL: it may be one. */
static const char *why_no_text(const char *text, gsize len)
{
	bool wide = len >= 2 &&
		(memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
	/* To us all of it would be one line, and a comment at its beginning the end of it. */
	bool old_mac = memchr(text, '\r', len) != NULL && memchr(text, '\n', len) == NULL;
	return len > MAX_FILE                         ? "larger than 4 MiB"
		: old_mac                             ? "its lines end with CR alone: save it with LF, or CR LF"
		: wide                                ? "it is UTF-16: save it as UTF-8"
		: memchr(text, '\0', len) != NULL ? "it contains a NUL byte"
						      : NULL;
}

#define MARK "\xef\xbb\xbf" /* of UTF-8, as editors of Windows write it first */

/* Where nobody writes into a pipe, who reads it waits for good.  Those of a shell, <(...), are
 * below /dev. */
static bool is_no_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !g_str_has_prefix(path, "/dev/");
}

char *ms_config_bytes(const char *path, gsize *len_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	char *text = NULL;
	if (is_no_file(path)) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: cannot be read: it is a folder or a pipe, and no file", path);
		return NULL;
	}
	if (g_file_get_contents(path, &text, len_out, &why))
		return text;
	/* "Failed to open file “PATH”: WHY" */
	const char *colon = strrchr(why->message, ':');
	g_set_error(error, MS_ERROR, is_want(why) ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"%s: cannot be read%s", path, colon != NULL ? colon : "");
	return NULL;
}

char *ms_config_read(const char *path, GError **error)
{
	gsize len = 0;
	char *text = ms_config_bytes(path, &len, error);
	if (text == NULL)
		return NULL;
	const char *no = why_no_text(text, len);
	if (no != NULL) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: not a settings file (%s)", path, no);
		g_free(text);
		return NULL;
	}
	if (g_str_has_prefix(text, MARK)) {
		len -= strlen(MARK);
		memmove(text, text + strlen(MARK), len + 1);
	}
	if (len == 0) { /* what a file is while it is written over: not "no policy" */
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"%s: the file is empty; is it being written? (one that is not needed is removed)",
			path);
		g_free(text);
		return NULL;
	}
	return text;
}

MsSection *ms_config_load(const char *path, const MsRow *rows, GError **error)
{
	g_autofree char *text = ms_config_read(path, error);
	return text != NULL ? ms_config_parse(path, text, rows, error) : NULL;
}

/* ---- asking --------------------------------------------------------------------------- */

static const Value *get(const MsSection *section, const char *key)
{
	const Value *value = g_hash_table_lookup(section->values, key);
	g_assert(value != NULL);
	return value;
}

const char *ms_section_title(const MsSection *section)
{
	return section->title;
}

void ms_section_error(const MsSection *section, const char *key, GError **error,
	const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	int line = key != NULL ? get(section, key)->line : 0;
	const char *file = line > 0 ? ms_section_key_file(section, key) : section->file;
	line = line > 0 ? line : section->line;
	g_autofree char *at = line > 0 ? g_strdup_printf(":%d", line) : g_strdup("");
	g_autofree char *block = section->title != NULL
		? g_strdup_printf("%s \"%s\": ", section->name, section->title)
		: g_strdup("");
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s%s: %s%s%s%s", file, at, block,
		key != NULL ? key : "", key != NULL ? ": " : "", text);
}

const char *ms_section_text(const MsSection *section, const char *key)
{
	return get(section, key)->texts->pdata[0];
}

const char *const *ms_section_list(const MsSection *section, const char *key)
{
	return (const char *const *)get(section, key)->texts->pdata;
}

bool ms_section_switch(const MsSection *section, const char *key)
{
	return get(section, key)->number == 1;
}

gint64 ms_section_number(const MsSection *section, const char *key)
{
	return get(section, key)->number;
}

int ms_section_line(const MsSection *section)
{
	return section->line;
}

int ms_section_key_line(const MsSection *section, const char *key)
{
	return get(section, key)->line;
}

const char *ms_section_key_file(const MsSection *section, const char *key)
{
	const Value *value = get(section, key);
	return value->file != NULL ? value->file : section->file;
}

const char *ms_section_file(const MsSection *section)
{
	return section->file;
}

int ms_section_choice(const MsSection *section, const char *key)
{
	return (int)get(section, key)->number;
}

bool ms_section_given(const MsSection *section, const char *key)
{
	return get(section, key)->given;
}

bool ms_section_own(const MsSection *section, const char *key)
{
	const Value *value = get(section, key);
	return value->given && value->file == NULL;
}

const MsSection *ms_section_sub(const MsSection *section, const char *key)
{
	return ms_section_nth(section, key, 0);
}

guint ms_section_count(const MsSection *section, const char *key)
{
	return get(section, key)->sections->len;
}

const MsSection *ms_section_nth(const MsSection *section, const char *key, guint n)
{
	return g_ptr_array_index(get(section, key)->sections, n);
}

static void take_one(const Value *value, const MsRow *row, void *at)
{
	g_assert((row->type == MS_ROW_TEXT) == (row->into == MS_INTO_TEXT));
	g_assert((row->type == MS_ROW_LIST) == (row->into == MS_INTO_LIST));
	switch (row->into) {
	case MS_INTO_NOTHING: break;
	case MS_INTO_TEXT: *(const char **)at = value->texts->pdata[0]; break;
	case MS_INTO_LIST:
		*(const char *const **)at = (const char *const *)value->texts->pdata;
		break;
	case MS_INTO_BOOL: *(bool *)at = value->number == 1; break;
	case MS_INTO_INT: *(int *)at = (int)value->number; break;
	case MS_INTO_INT64: *(gint64 *)at = value->number; break;
	}
}

void ms_section_take(const MsSection *section, void *into)
{
	for (const MsRow *row = section->rows; row->key != NULL; row++)
		if (row->type == MS_ROW_SECTION)
			ms_section_take(ms_section_sub(section, row->key), into);
		else if (row->into != MS_INTO_NOTHING)
			take_one(get(section, row->key), row, (char *)into + row->at);
}

/* ---- before it is read ---------------------------------------------------------------- */

MsSection *ms_section_open(MsSection *section, const char *key, guint n)
{
	return g_ptr_array_index(get(section, key)->sections, n);
}

static GPtrArray *copy_texts(const GPtrArray *texts)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < texts->len; i++)
		g_ptr_array_add(out, g_strdup(texts->pdata[i]));
	return out;
}

void ms_section_inherit(MsSection *section, const MsSection *from)
{
	for (const MsRow *row = section->rows; row->key != NULL; row++) {
		Value *own = g_hash_table_lookup(section->values, row->key);
		const Value *theirs = get(from, row->key);
		if (own->given || !theirs->given || own->texts == NULL)
			continue;
		g_ptr_array_unref(own->texts);
		own->texts = copy_texts(theirs->texts);
		own->number = theirs->number;
		own->given = true;
		own->line = theirs->line;
		own->file = g_strdup(theirs->file != NULL ? theirs->file : from->file);
	}
}

static void config_value_free(gpointer data)
{
	MsConfigValue *value = data;
	g_free(value->text);
	g_free(value->file);
	g_free(value);
}

GPtrArray *ms_config_values_new(void)
{
	return g_ptr_array_new_with_free_func(config_value_free);
}

void ms_config_value_add(GPtrArray *values, const char *text, const char *file, int line)
{
	MsConfigValue *value = g_new0(MsConfigValue, 1);
	*value = (MsConfigValue){g_strdup(text), g_strdup(file), line};
	g_ptr_array_add(values, value);
}

static bool add_listed(GPtrArray *out, const MsSection *section, const MsRow *row,
	const GPtrArray *list, GError **error)
{
	for (guint i = 0; i < list->len; i++) {
		const MsConfigValue *value = list->pdata[i];
		g_autoptr(GError) why = NULL;
		gint64 ignored;
		if (g_str_has_prefix(value->text, MS_LIST_PREFIX) ||
			!convert(row, value->text, &ignored, &why)) {
			g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
				"%s:%d: for %s of %s \"%s\" (%s): %s", value->file, value->line,
				row->key, section->name, section->title, section->file,
				why != NULL ? why->message : "a list has no lists in it");
			return false;
		}
		g_ptr_array_add(out, g_strdup(value->text));
	}
	return true;
}

static bool expand(MsSection *section, const MsRow *row, Value *value,
	const GPtrArray *(*find)(const char *name, void *user), void *user, GError **error)
{
	g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i + 1 < value->texts->len; i++) {
		const char *text = value->texts->pdata[i];
		const char *name = g_str_has_prefix(text, MS_LIST_PREFIX)
			? text + strlen(MS_LIST_PREFIX)
			: NULL;
		const GPtrArray *list = name != NULL ? find(name, user) : NULL;
		if (name != NULL && list == NULL) {
			ms_section_error(section, row->key, error, "there is no list \"%s\"", name);
			return false;
		}
		if (list == NULL)
			g_ptr_array_add(out, g_strdup(text));
		else if (!add_listed(out, section, row, list, error))
			return false;
	}
	g_ptr_array_add(out, NULL);
	g_ptr_array_unref(value->texts);
	value->texts = g_steal_pointer(&out);
	return true;
}

bool ms_section_expand(MsSection *section, const GPtrArray *(*find)(const char *name, void *user),
	void *user, GError **error)
{
	for (const MsRow *row = section->rows; row->key != NULL; row++)
		if (row->named &&
			!expand(section, row, g_hash_table_lookup(section->values, row->key), find,
				user, error))
			return false;
	return true;
}
