/*
 * Sendmail's files come in; out go sendmail.mc with missent as the last filter, and the
 * sendmail.cf that m4 makes of it.
 *
 * Comments of a sendmail.cf stay, for somebody may have written them.
 * Where sendmail.cf is not what m4 makes of sendmail.mc (somebody edited it, or there is no m4),
 * its own lines are changed instead, and nothing else of it.  One thread.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"

#include "setup_private.h"

#define FILTERS "InputMailFilters"
#define EQUATES "F=T, T=C:30s;S:30s;R:60s;E:5m"

static char *mc_of(const char *cf)
{
	return g_str_has_suffix(cf, ".cf") ? g_strdup_printf("%.*s.mc", (int)strlen(cf) - 3, cf)
					   : NULL;
}

/* What m4 makes of a text; it may include what lies beside the file. */
static char *m4(const char *path, const char *text, GError **error)
{
	g_autofree char *dir = g_path_get_dirname(path), *name = NULL;
	int fd = g_file_open_tmp("missent-mc-XXXXXX", &name, error);
	if (fd < 0)
		return NULL;
	close(fd);
	char *out = NULL;
	/* Debian's includes name their folder; others' need to be told it. */
	g_autofree char *include = g_strdup_printf("-I%s", dir);
	const char *argv[] = {"m4", include, name, NULL};
	if (g_file_set_contents(name, text, -1, error))
		out = ms_mta_ask(argv, error);
	unlink(name);
	return out;
}

/* Of comments, which have times and names in them, and of the version nothing depends. */
static bool is_plain(const char *line)
{
	return *line != '#' && *line != '\0' && !g_str_has_prefix(line, "DZ");
}

static char *plain(const char *cf)
{
	GString *out = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(cf, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		if (is_plain(*line))
			g_string_append_printf(out, "%s\n", *line);
	return g_string_free(out, FALSE);
}

/* The lines from there up to that one; where it stands.  NULL: it does not come. */
static char *const *add_up_to(GString *out, char *const *from, const char *line)
{
	char *const *end = from;
	while (*end != NULL && strcmp(*end, line) != 0)
		end++;
	if (*end == NULL)
		return NULL;
	for (; from < end; from++)
		g_string_append_printf(out, "%s\n", *from);
	return end;
}

char *sendmail_cf_merged(const char *cf, const char *made)
{
	g_autofree char *plain_made = plain(made);
	g_auto(GStrv) theirs = g_strsplit(plain_made, "\n", -1), ours = g_strsplit(cf, "\n", -1);
	g_autoptr(GString) out = g_string_new(NULL), beside = g_string_new(NULL);
	char *const *at = theirs;
	for (char **line = ours; *line != NULL; line++) {
		bool last = line[1] == NULL;
		if (!is_plain(*line)) {
			g_string_append_printf(beside, "%s%s", *line, last ? "" : "\n");
			continue;
		}
		/* what is new comes before the comments of the next line */
		char *const *next = add_up_to(out, at, *line);
		g_string_append_len(out, beside->str, (gssize)beside->len);
		g_string_truncate(beside, 0);
		if (next == NULL) /* it has changed: what it has become is among those */
			continue;
		g_string_append_printf(out, "%s%s", *line, last ? "" : "\n");
		at = next + 1;
	}
	for (; *at != NULL; at++)
		if (**at != '\0')
			g_string_append_printf(out, "%s\n", *at);
	g_string_append_len(out, beside->str, (gssize)beside->len);
	g_autofree char *got = plain(out->str);
	return strcmp(got, plain_made) == 0 ? g_strdup(out->str) : g_strdup(made);
}

/* Is missent the last of the filters that it asks? */
bool sendmail_is_last(const char *cf, const char *name)
{
	g_autofree char *filters = ms_sendmail_option(cf, FILTERS);
	g_auto(GStrv) names = g_strsplit_set(filters != NULL ? filters : "", ",; \t", -1);
	const char *last = "";
	for (char **one = names; *one != NULL; one++)
		last = **one != '\0' ? *one : last;
	return strcmp(last, name) == 0;
}

/* The name of the filter at that socket; NULL: there is none. */
char *sendmail_filter(const char *cf, const char *socket)
{
	g_auto(GStrv) lines = ms_sendmail_lines(cf);
	g_autofree char *spec = ms_socket_spec(socket, NULL);
	const char *path = spec != NULL ? ms_socket_path(spec) : NULL;
	for (char **line = lines; *line != NULL; line++) {
		if (**line != 'X')
			continue;
		g_autofree char *theirs = ms_sendmail_equate(*line, 'S');
		const char *slash = strchr(theirs, '/');
		if (strcmp(theirs, socket) == 0 || g_strcmp0(theirs, spec) == 0 ||
			(path != NULL && g_strcmp0(slash, path) == 0))
			return g_strstrip(g_strndup(*line + 1, strcspn(*line + 1, ",")));
	}
	return NULL;
}

/* ---- sendmail.mc ------------------------------------------------------------------------- */

/* Where a filter goes: behind the last that is named, and before the mailers. */
static gsize place_in(const char *mc)
{
	static const char *const filters[] = {
		"INPUT_MAIL_FILTER(", "MAIL_FILTER(", "define(`confINPUT_MAIL_FILTERS'"};
	static const char *const mailers[] = {
		"MAILER_DEFINITIONS", "MAILER(", "LOCAL_CONFIG", "LOCAL_RULE"};
	gsize out = strlen(mc), at = 0;
	bool behind = false;
	g_auto(GStrv) lines = g_strsplit(mc, "\n", -1);
	for (char **line = lines; *line != NULL; at += strlen(*line) + 1, line++) {
		const char *text = *line + strspn(*line, " \t");
		gsize here = MIN(at + strlen(*line) + 1, strlen(mc));
		for (gsize i = 0; i < G_N_ELEMENTS(filters); i++)
			if (g_str_has_prefix(text, filters[i])) {
				out = here;
				behind = true;
			}
		for (gsize i = 0; i < G_N_ELEMENTS(mailers); i++)
			if (g_str_has_prefix(text, mailers[i]) && !behind) {
				out = at;
				behind = true;
			}
	}
	return out;
}

/* Where sendmail.cf was made anew without it, the line may stand there all the same. */
static bool has_filter(const char *mc, const char *filter)
{
	g_auto(GStrv) lines = g_strsplit(mc, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		if (g_str_has_prefix(*line, filter))
			return true;
	return false;
}

char *sendmail_mc_with(const char *mc, const char *socket)
{
	gsize at = place_in(mc);
	g_autofree char *filter =
		g_strdup_printf("INPUT_MAIL_FILTER(`missent', `S=%s, ", socket);
	if (has_filter(mc, filter))
		return g_strdup(mc);
	g_autofree char *head = g_strndup(mc, at);
	const char *end = at > 0 && mc[at - 1] != '\n' ? "\n" : "";
	return g_strdup_printf("%s%s%s" EQUATES "')dnl\n%s", head, end, filter, mc + at);
}

/* ---- sendmail.cf ------------------------------------------------------------------------- */

typedef struct {
	guint list;    /* the last line of the option with the filters; G_MAXUINT: there is none */
	guint mailers; /* the first line of mailers, or the end: options go before */
} CfPlaces;

static CfPlaces places_in(char *const *lines)
{
	CfPlaces out = {G_MAXUINT, G_MAXUINT};
	bool within = false;
	guint i = 0;
	for (; lines[i] != NULL && (*lines[i] != '\0' || lines[i + 1] != NULL); i++) {
		bool goes_on = *lines[i] == ' ' || *lines[i] == '\t';
		within = goes_on ? within : ms_sendmail_value(lines[i], FILTERS) != NULL;
		if (within)
			out.list = i;
		if (*lines[i] == 'M' && out.mailers == G_MAXUINT)
			out.mailers = i;
	}
	out.mailers = MIN(out.mailers, i);
	return out;
}

/* Behind a comma, or where nothing is named yet, the name needs none. */
static void append_to_list(GString *out, const char *line)
{
	const char *value = ms_sendmail_value(line, FILTERS);
	const char *last = line + strlen(line);
	while (last > line && strchr(" \t\r", last[-1]) != NULL)
		last--;
	bool bare = (value != NULL && *value == '\0') || last == line || last[-1] == ',';
	g_string_append_printf(out, "%s%smissent", line, bare ? " " : ", ");
}

static void declare(GString *out, bool listed, const char *socket)
{
	if (out->len > 0 && out->str[out->len - 1] != '\n')
		g_string_append_c(out, '\n');
	if (!listed)
		g_string_append(out, "O " FILTERS "=missent\n");
	g_string_append_printf(out, "Xmissent, S=%s, " EQUATES "\n", socket);
}

char *sendmail_cf_with(const char *cf, const char *socket)
{
	GString *out = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(cf, "\n", -1);
	CfPlaces places = places_in(lines);
	guint i = 0;
	for (; lines[i] != NULL; i++) {
		if (i == places.mailers)
			declare(out, places.list != G_MAXUINT, socket);
		if (i == places.list)
			append_to_list(out, lines[i]);
		else
			g_string_append(out, lines[i]);
		if (lines[i + 1] != NULL)
			g_string_append_c(out, '\n');
	}
	if (places.mailers >= i) /* the last line has no end */
		declare(out, places.list != G_MAXUINT, socket);
	return g_string_free(out, FALSE);
}

static bool fail(GError **error, const char *path)
{
	g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
		"%s: missent would not be the last filter there; put the INPUT_MAIL_FILTER line of "
		"contrib/sendmail.mc behind all others yourself",
		path);
	return false;
}

/* Debian's make has the sendmail.mc as comments behind all that m4 makes: it is of the new one
 * then. */
static char *whole_of(const char *cf, const char *path, const char *made, const char *mc)
{
	g_autofree char *head = g_strdup_printf("\n### %s ###\n", path);
	const char *copy = strstr(cf, head);
	if (copy == NULL)
		return sendmail_cf_merged(cf, made);
	g_autofree char *own = g_strndup(cf, (gsize)(copy - cf));
	g_autofree char *merged = sendmail_cf_merged(own, made);
	GString *out = g_string_new(merged);
	g_string_append(out, head);
	g_auto(GStrv) lines = g_strsplit(mc, "\n", -1);
	for (char **line = lines; *line != NULL; line++)
		if (line[1] != NULL || **line != '\0')
			g_string_append_printf(out, "# %s\n", *line);
	return g_string_free(out, FALSE);
}

/* Both files by m4; `*new_out` NULL: the two do not fit one another. */
static bool make_anew(const char *path, const char *mc, const char *cf, const char *socket,
	char **mc_out, char **new_out, GError **error)
{
	g_autofree char *old = m4(path, mc, NULL);
	if (old == NULL)
		return true;
	g_autofree char *a = plain(old), *b = plain(cf);
	if (strcmp(a, b) != 0)
		return true;
	g_autofree char *changed = sendmail_mc_with(mc, socket);
	g_autofree char *made = m4(path, changed, error);
	if (made == NULL)
		return false;
	if (!sendmail_is_last(made, "missent"))
		return fail(error, path);
	*new_out = whole_of(cf, path, made, changed);
	*mc_out = g_steal_pointer(&changed);
	return true;
}

bool plan_sendmail(MsPlan *plan, const char *path, const char *socket, GError **error)
{
	g_autofree char *cf = NULL, *mc = NULL, *mc_path = mc_of(path), *new_mc = NULL,
			*new_cf = NULL;
	if (!g_file_get_contents(path, &cf, NULL, error))
		return false;
	g_autofree char *name = sendmail_filter(cf, socket);
	if (name != NULL) {
		if (!sendmail_is_last(cf, name))
			setup_note(plan->notes,
				"InputMailFilters of %s does not have %s as the last: put it there",
				path, name);
		return true;
	}
	if (mc_path != NULL && g_file_get_contents(mc_path, &mc, NULL, NULL)
		&& !make_anew(mc_path, mc, cf, socket, &new_mc, &new_cf, error))
		return false;
	if (new_cf == NULL) {
		setup_note(plan->notes,
			"%s is not what m4 makes of %s: its own lines are changed, and nothing else",
			path, mc != NULL ? mc_path : "a sendmail.mc");
		new_cf = sendmail_cf_with(cf, socket);
		new_mc = mc != NULL ? sendmail_mc_with(mc, socket) : NULL;
	}
	return (new_mc == NULL || ms_plan_add(plan, MS_SETUP_OF_MTA, mc_path, new_mc, error))
		&& ms_plan_add(plan, MS_SETUP_OF_MTA, path, new_cf, error);
}
