/*
 * config.h - settings files, checked row by row.
 *
 * WHAT    Reads a file of `key = value` lines and `section title { }` blocks against a table
 *         of rows: unknown keys, wrong types and values out of range are errors that say file,
 *         line, key, what is allowed, and the nearest known name.
 * OWNS    MsSection is a tree; the root is freed by ms_section_free(), the rest is borrowed.
 * ERRORS  MS_ERROR_CONFIG with every mistake of the file, one a line; where a quote, comma or
 *         brace is missing that one alone, with the line where it is missing.  A key that stands
 *         twice in a block is one.
 * THREADS Safe: parsing waits for its turn, a parsed tree is immutable.
 * LIMITS  Files of 4 MiB.
 * NOT     No functions; includes are their reader's (policy.h).  The syntax is libconfuse's:
 * "..." has escapes and
 *         ${VAR}, '...' is taken as it stands (patterns!), lists are {a, b}, # comments.
 */
#ifndef MISSENT_CONFIG_H
#define MISSENT_CONFIG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
	MS_ROW_TEXT,
	MS_ROW_LIST,     /* of text */
	MS_ROW_SWITCH,   /* yes or no */
	MS_ROW_NUMBER,
	MS_ROW_SIZE,     /* bytes: 64M, 256K */
	MS_ROW_TIME,     /* milliseconds: 500ms, 20s, 5m, 12h, 7d */
	MS_ROW_SHARE,    /* per cent: 20% */
	MS_ROW_CHOICE,   /* one of `choices` */
	MS_ROW_SECTION,  /* one block without title */
	MS_ROW_SECTIONS, /* any number of titled blocks */
} MsRowType;

/* As what a struct has a value. */
typedef enum {
	MS_INTO_NOTHING,
	MS_INTO_TEXT,  /* const char *, the section's */
	MS_INTO_LIST,  /* const char *const *, the section's */
	MS_INTO_BOOL,  /* a switch; of a choice: is it the second? */
	MS_INTO_INT,   /* also an enum, of a choice */
	MS_INTO_INT64,
} MsRowInto;

typedef struct MsRow {
	const char *key;
	MsRowType type;
	const char *fallback; /* as it would be written; NULL: none (text: NULL, number: -1) */
	gint64 min, max;      /* numbers, sizes, times; max 0: no limit */
	const char *const *choices;
	bool (*check)(const char *value, GError **error); /* text and each member of a list */
	bool named; /* a list of which a value may be "list:NAME" (ms_section_expand()) */
	/* Of a list: why it may not be {}, which is taken as if the key were not there; it follows
	 * "KEY = {} ".  NULL: it may, for that is none as well. */
	const char *empty;
	const struct MsRow *rows;                         /* of a block; ends with key NULL */
	MsRowInto into;
	size_t at; /* in the struct that ms_section_take() fills */
} MsRow;

/* Of a row: the member of a struct that has its value.  Of another type than these it is refused by
 * the compiler. */
#define MS_ROW_INTO(type, member)                                                         \
	.at = offsetof(type, member), .into = _Generic(((type *)NULL)->member,            \
		const char *: MS_INTO_TEXT, const char *const *: MS_INTO_LIST,            \
		bool: MS_INTO_BOOL, int: MS_INTO_INT, guint: MS_INTO_INT,                 \
		gint64: MS_INTO_INT64, guint64: MS_INTO_INT64)

typedef struct MsSection MsSection;

MsSection *ms_config_parse(const char *file, const char *text, const MsRow *rows, GError **error);
/* Reads `path` and parses it. */
MsSection *ms_config_load(const char *path, const MsRow *rows, GError **error);
/* The bytes of a settings file, size-checked.  An empty one is an error: it is what a reload sees
 * of a file that is being written over. */
char *ms_config_read(const char *path, GError **error);
/* All bytes of a file that settings name, whatever it is of, and a NUL behind them.  What is no
 * file is an error, and not waited for. */
char *ms_config_bytes(const char *path, gsize *len_out, GError **error);
/* How a program ends that could not begin: 78 where somebody has to mend it, after which systemd
 * does not start it again; else 75. */
int ms_config_exit_code(const GError *why);
void ms_section_free(MsSection *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSection, ms_section_free)

const char *ms_section_title(const MsSection *section);
/* Where it begins; 0: it does not stand in the file, or is the file. */
int ms_section_line(const MsSection *section);
/* Where a key's value ends, and in which file it stands; 0: a fallback. */
int ms_section_key_line(const MsSection *section, const char *key);
const char *ms_section_file(const MsSection *section);
/* That of a key, which may be inherited. */
const char *ms_section_key_file(const MsSection *section, const char *key);
/* A complaint found after parsing: "FILE:LINE: SECTION "TITLE": KEY: ...".  `key` may be NULL. */
void ms_section_error(const MsSection *section, const char *key, GError **error,
	const char *format, ...) G_GNUC_PRINTF(4, 5);
/* Puts each value where its row says, those of blocks without title as well, in one struct. */
void ms_section_take(const MsSection *section, void *into);
/* A key that is not in the rows is a programming error. */
const char *ms_section_text(const MsSection *section, const char *key);
const char *const *ms_section_list(const MsSection *section, const char *key);
bool ms_section_switch(const MsSection *section, const char *key);
gint64 ms_section_number(const MsSection *section, const char *key); /* also size, time, share */
int ms_section_choice(const MsSection *section, const char *key);    /* index in choices */
bool ms_section_given(const MsSection *section, const char *key);    /* stands in the file */
bool ms_section_own(const MsSection *section, const char *key);      /* ... in this very block */
const MsSection *ms_section_sub(const MsSection *section, const char *key);
guint ms_section_count(const MsSection *section, const char *key);
const MsSection *ms_section_nth(const MsSection *section, const char *key, guint n);

/* ---- before a tree is read ---- */
/* To be changed by these two. */
MsSection *ms_section_open(MsSection *section, const char *key, guint n);
/* Takes every value that it does not give itself from another block of the same rows. */
void ms_section_inherit(MsSection *section, const MsSection *from);
/* A value that stands elsewhere. */
typedef struct {
	char *text, *file;
	int line;
} MsConfigValue;
GPtrArray *ms_config_values_new(void); /* of MsConfigValue */
void ms_config_value_add(GPtrArray *values, const char *text, const char *file, int line);
#define MS_LIST_PREFIX "list:"
/* Puts the values of a list, each checked by the row, in the place of "list:NAME".  `find`
 * gives them, or NULL. */
bool ms_section_expand(MsSection *section, const GPtrArray *(*find)(const char *name, void *user),
	void *user, GError **error);

#endif
