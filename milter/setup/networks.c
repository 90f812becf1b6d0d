/*
 * mynetworks comes in; the networks it means go out, without this host: files and tables it names
 * are read.  What could not be read is told.  No state.
 */
#include "config.h"

#include <string.h>

#include "setup_private.h"

#define DEEP 5
#define MOST 1000

typedef struct {
	GPtrArray *out; /* of char * */
	GPtrArray *notes;
	const char *config;
} Look;

static void take_words(Look *look, const char *text, int deep);

static void take_network(Look *look, const char *word)
{
	g_autofree char *network = ms_postfix_network(word);
	if (ms_network_is_loopback(network) ||
		g_ptr_array_find_with_equal_func(look->out, network, g_str_equal, NULL))
		return;
	if (!ms_network_check(network, NULL))
		setup_note(look->notes,
			"mynetworks names %s, which is no network: say yourself what is outgoing",
			word);
	else if (look->out->len >= MOST)
		return;
	else
		g_ptr_array_add(look->out, g_steal_pointer(&network));
}

/* The first word of each line; the rest is what a table says of it. */
static char *first_words(const char *text, bool only_ok)
{
	GString *out = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_strstrip(*line);
		gsize n = strcspn(*line, " \t");
		const char *rest = *line + n + strspn(*line + n, " \t");
		bool denies = only_ok &&
			(g_ascii_strncasecmp(rest, "DUNNO", 5) == 0 ||
				g_ascii_strncasecmp(rest, "REJECT", 6) == 0);
		if (**line != '#' && n > 0 && !denies)
			g_string_append_printf(out, "%.*s\n", (int)n, *line);
	}
	return g_string_free(out, FALSE);
}

/* "hash:/etc/postfix/networks": by postmap, which knows how; cidr and texthash are text. */
static char *read_table(const Look *look, const char *word)
{
	const char *path = strchr(word, ':') + 1;
	g_autofree char *text = NULL;
	if (g_str_has_prefix(word, "cidr:") || g_str_has_prefix(word, "texthash:")) {
		if (!g_file_get_contents(path, &text, NULL, NULL))
			return NULL;
	} else {
		const char *argv[] = {"postmap", "-c", look->config, "-s", word, NULL};
		const char *plain[] = {"postmap", "-s", word, NULL};
		text = ms_mta_ask(look->config != NULL ? argv : plain, NULL);
	}
	return text != NULL ? first_words(text, true) : NULL;
}

static void take_word(Look *look, const char *word, int deep)
{
	bool file = *word == '/', table = !file && strstr(word, ":/") != NULL;
	g_autofree char *text = NULL;
	if (*word == '!') {
		setup_note(look->notes,
			"mynetworks leaves out %s, which outgoing cannot: its clients are judged too",
			word + 1);
		return;
	}
	if (!file && !table) {
		take_network(look, word);
		return;
	}
	g_autofree char *whole = NULL;
	if (file && g_file_get_contents(word, &whole, NULL, NULL))
		text = first_words(whole, false);
	else if (table)
		text = read_table(look, word);
	if (text == NULL || deep >= DEEP)
		setup_note(look->notes,
			"mynetworks names %s, which cannot be read: say yourself which of its networks are outgoing",
			word);
	else
		take_words(look, text, deep + 1);
}

static void take_words(Look *look, const char *text, int deep)
{
	g_auto(GStrv) words = g_strsplit_set(text, ", \t\n", -1);
	for (char **word = words; *word != NULL; word++)
		if (**word != '\0')
			take_word(look, *word, deep);
}

GStrv networks_of(const MsPostfix *postfix, GPtrArray *notes)
{
	g_autoptr(GPtrArray) out = g_ptr_array_new_with_free_func(g_free);
	Look look = {out, notes, postfix->config};
	take_words(&look, ms_postfix_value(postfix, NULL, "mynetworks"), 0);
	GStrv list = g_new0(char *, out->len + 1);
	for (guint i = 0; i < out->len; i++)
		list[i] = g_strdup(out->pdata[i]);
	return list;
}
