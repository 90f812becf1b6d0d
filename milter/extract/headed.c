/*
 * In come the places of a text at which something begins and ends that names what stands in it and
 * is not seen itself: a content control, a field, a bookmark, an element with a title.  Out goes
 * each short stretch with its names, beside the text in which it is shown.  It counts where the
 * directory knows it, for what such a name says of other values is anybody's guess.  In the
 * worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "missent/named.h"

#include "headed.h"
#include "readers.h"

#define MAX_OPEN 200
#define MAX_STRETCH 200 /* bytes; what is longer is no value */

typedef struct {
	guint64 key;
	const GString *out; /* compared, and not looked into: it may be gone */
	gsize from;
	char *names;        /* or NULL */
} Stretch;

struct MsHeaded {
	MsNamedText *named;
	GArray *open; /* of Stretch */
};

static void clear(gpointer stretch)
{
	g_free(((Stretch *)stretch)->names);
}

MsHeaded *ms_headed_new(void)
{
	MsHeaded *headed = g_new0(MsHeaded, 1);
	headed->named = ms_named_new();
	headed->open = g_array_new(FALSE, FALSE, sizeof(Stretch));
	g_array_set_clear_func(headed->open, clear);
	return headed;
}

void ms_headed_free(MsHeaded *headed)
{
	if (headed == NULL)
		return;
	ms_named_free(headed->named);
	g_array_unref(headed->open);
	g_free(headed);
}

static void put_value(MsHeaded *headed, const char *names, const char *text, gsize len)
{
	while (len > 0 && g_ascii_isspace(text[len - 1]))
		len--;
	gsize digit = 0;
	while (digit < len && !g_ascii_isdigit(text[digit]))
		digit++;
	if (digit == len || len > MAX_STRETCH)
		return;
	g_auto(GStrv) each = g_strsplit(names, "\n", -1);
	for (char **name = each; *name != NULL; name++) {
		if (**name == '\0')
			continue;
		ms_named_open(headed->named, NULL); /* of no object with others */
		ms_named_value(headed->named, *name, text, len);
		ms_named_close(headed->named);
	}
}

void ms_headed_attributes(MsHeaded *headed, const char *element, const char *const *attributes)
{
	ms_named_open(headed->named, element);
	for (; *attributes != NULL; attributes += 2)
		if (!g_str_has_prefix(attributes[0], "xmlns"))
			ms_named_value(headed->named, attributes[0], attributes[1],
				strlen(attributes[1]));
	ms_named_close(headed->named);
}

void ms_headed_begin(MsHeaded *headed, guint64 key, const char *names, const GString *out)
{
	bool any = names != NULL && *names != '\0';
	Stretch stretch = {key, out, out->len, any ? g_strdup(names) : NULL};
	if (headed->open->len >= MAX_OPEN) /* many that never end were open before */
		g_array_remove_index(headed->open, 0);
	g_array_append_val(headed->open, stretch);
}

/* The place behind the innermost one with this key; 0: none is open. */
static guint behind(const MsHeaded *headed, guint64 key)
{
	guint i = headed->open->len;
	while (i > 0 && g_array_index(headed->open, Stretch, i - 1).key != key)
		i--;
	return i;
}

bool ms_headed_is_open(const MsHeaded *headed, guint64 key)
{
	return behind(headed, key) > 0;
}

void ms_headed_end(MsHeaded *headed, guint64 key, const GString *out)
{
	guint i = behind(headed, key);
	if (i == 0)
		return;
	const Stretch *s = &g_array_index(headed->open, Stretch, i - 1);
	if (s->names != NULL && s->out == out && s->from < out->len)
		put_value(headed, s->names, out->str + s->from, out->len - s->from);
	g_array_remove_index(headed->open, i - 1);
}

void ms_headed_field(GString *names, const char *instruction)
{
	const char *p = instruction + strspn(instruction, " \t\r\n");
	const char *behind_word = p + strcspn(p, " \t\r\n");
	const char *argument = behind_word + strspn(behind_word, " \t\r\n");
	/* A bookmark's name by itself stands for REF and its name. */
	const char *name = *argument != '\0' && *argument != '\\' ? argument : p;
	bool quoted = *name == '"';
	name += quoted;
	g_string_append_len(names, name, (gssize)strcspn(name, quoted ? "\"" : " \t\r\n"));
	g_string_append_c(names, '\n');
}

void ms_headed_hand_over(const MsExtraction *to, const char *where, const MsHeaded *headed)
{
	g_autofree char *place = g_strconcat(where, " (named)", NULL);
	ms_extract_named_as(to, MS_SPAN_ASIDE, place, headed->named);
}
