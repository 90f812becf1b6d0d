/*
 * Rows come in, those of one account beside each other; out go warnings.  Of an account, its name,
 * the names of its people and each kind of its addresses, the words are kept, and those of the
 * account before it.  In a sound file words of one column stand in another of the same account more
 * often than in one of its neighbour's; where it is the other way round in most of some dozen
 * accounts, one of both has slipped.  Words that all have, and accounts of one company beside
 * each other, count on both sides, so that nothing is told of them.
 *
 * Only words of letters are looked at: numbers that are counted up stand beside each other in any
 * file.  Memory does not grow with the file.  One thread.
 */
#include "config.h"

#include <string.h>

#include "missent/domain.h"

#include "slip.h"

#define COLUMNS 4 /* account, names, recipients, other addresses */
#define WORDS 24  /* of an account; more are passed over */
#define LEAST 4   /* letters of a word */
#define WINDOW 64 /* accounts that are looked at together */
#define ENOUGH 16 /* of them */
#define TIMES 4   /* as often with a neighbour's as with its own */
#define EXAMPLES 3

enum { ACCOUNT, NAMES, RECIPIENTS, ADDRESSES };

static const char *const column_names[COLUMNS] = {
	"account", MS_ROW_GREETED_AS, MS_ROW_RECIPIENT, "email"};

typedef struct {
	guint32 word;
	guint8 column;
} Word;

typedef struct {
	Word words[WORDS];
	guint n;
} Words;

struct MsSlip {
	const MsKinds *kinds;
	MsSlipTold told;
	void *user;
	guint times;
	char *account; /* that is read; or NULL */
	Words now, before;
	/* in this window */
	guint accounts;
	guint64 line;
	guint own[COLUMNS][COLUMNS], next[COLUMNS][COLUMNS];
};

MsSlip *ms_slip_new(const MsKinds *kinds, MsSlipTold told, void *user)
{
	MsSlip *slip = g_new0(MsSlip, 1);
	slip->kinds = kinds;
	slip->told = told;
	slip->user = user;
	return slip;
}

void ms_slip_free(MsSlip *slip)
{
	if (slip == NULL)
		return;
	g_free(slip->account);
	g_free(slip);
}

/* ---- words ---------------------------------------------------------------------------- */

static void add_word(Words *words, guint column, const char *word, gsize len)
{
	guint32 hash = 2166136261u;
	for (gsize i = 0; i < len; i++)
		hash = (hash ^ (guint8)g_ascii_tolower(word[i])) * 16777619u;
	if (words->n < WORDS)
		words->words[words->n++] = (Word){hash, (guint8)column};
}

/* Letters beyond ASCII are letters; a word with a digit beside it is none. */
static bool is_letter(char c)
{
	return g_ascii_isalpha(c) || (guint8)c >= 0x80;
}

static void add_words(Words *words, guint column, const char *text, gsize len)
{
	for (gsize at = 0; at < len;) {
		gsize n = 0;
		bool digits = false;
		while (at + n < len && (is_letter(text[at + n]) || g_ascii_isdigit(text[at + n]))) {
			digits = digits || g_ascii_isdigit(text[at + n]);
			n++;
		}
		if (n >= LEAST && !digits)
			add_word(words, column, text + at, n);
		at += n + 1;
	}
}

/* Without what anybody may have after the @. */
static void add_address(Words *words, guint column, const char *value)
{
	const char *at = strrchr(value, '@');
	if (at == NULL)
		return;
	const char *end = strrchr(at, '.');
	add_words(words, column, value, (gsize)(at - value));
	if (end != NULL && !ms_domain_is_provider(at + 1))
		add_words(words, column, at + 1, (gsize)(end - at - 1));
}

/* ---- beside each other ---------------------------------------------------------------- */

static bool has_common(const Words *a, guint x, const Words *b, guint y)
{
	for (guint i = 0; i < a->n; i++)
		for (guint k = 0; a->words[i].column == x && k < b->n; k++)
			if (b->words[k].column == y && b->words[k].word == a->words[i].word)
				return true;
	return false;
}

static void end_window(MsSlip *slip)
{
	for (guint x = 0; x < COLUMNS; x++)
		for (guint y = 0; y < COLUMNS; y++) {
			guint own = slip->own[x][y], next = slip->next[x][y];
			if (next < ENOUGH || next <= TIMES * own || slip->times++ >= EXAMPLES)
				continue;
			g_autofree char *text = g_strdup_printf(
				"from here on the %s of %u of %u accounts goes "
				"with the %s of the next, and that of %u with its own: did a column slip by a row?",
				column_names[x], next, slip->accounts, column_names[y], own);
			slip->told(slip->line, text, slip->user);
		}
	memset(slip->own, 0, sizeof slip->own);
	memset(slip->next, 0, sizeof slip->next);
	slip->accounts = 0;
}

static void end_account(MsSlip *slip)
{
	for (guint x = 0; x < COLUMNS; x++)
		for (guint y = 0; y < COLUMNS; y++) {
			slip->own[x][y] += x != y && has_common(&slip->now, x, &slip->now, y);
			slip->next[x][y] += x != y && has_common(&slip->before, x, &slip->now, y);
		}
	slip->before = slip->now;
	slip->now.n = 0;
	if (++slip->accounts == WINDOW)
		end_window(slip);
}

void ms_slip_row(
	MsSlip *slip, guint64 line, const char *account, const char *kind, const char *value)
{
	if (g_strcmp0(slip->account, account) != 0) {
		if (slip->account != NULL)
			end_account(slip);
		g_free(slip->account);
		slip->account = g_strdup(account);
		add_words(&slip->now, ACCOUNT, account, strlen(account));
		slip->line = slip->accounts == 0 ? line : slip->line;
	}
	if (strcmp(kind, MS_ROW_RECIPIENT) == 0) {
		add_address(&slip->now, RECIPIENTS, value);
	} else if (strcmp(kind, MS_ROW_GREETED_AS) == 0) {
		add_words(&slip->now, NAMES, value, strlen(value));
	} else {
		const MsKind *known = ms_kinds_find(slip->kinds, kind);
		if (known != NULL && known->form == MS_FORM_EMAIL)
			add_address(&slip->now, ADDRESSES, value);
	}
}

guint ms_slip_end(MsSlip *slip)
{
	if (slip->account != NULL)
		end_account(slip);
	end_window(slip);
	return slip->times;
}
