/*
 * Checks of Sendmail's side, by sendmail.cf: the X line of missent, and the lists that name it.
 *
 * Source: the Sendmail Installation and Operation Guide, "Mail Filters (Milters)" and
 * DaemonPortOptions.  The thread of who examines (doctor.h).
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor_private.h"

typedef struct {
	char *name;  /* NULL: no X line is missent's */
	char *flags, *times;
	GPtrArray *filters; /* of InputMailFilters, in their order */
	GPtrArray *daemons; /* the lines */
} Cf;

static void cf_clear(Cf *cf)
{
	g_free(cf->name);
	g_free(cf->flags);
	g_free(cf->times);
	g_ptr_array_unref(cf->filters);
	g_ptr_array_unref(cf->daemons);
}

/* An empty list is one too: no filter at all. */
static bool has_equate(const char *line, char letter)
{
	g_auto(GStrv) words = g_strsplit(line, ",", -1);
	for (char **word = words; *word != NULL; word++) {
		const char *text = g_strstrip(*word);
		if (strchr(text, '=') != NULL && text[0] == letter)
			return true;
	}
	return false;
}

static bool is_our_socket(const Patient *p, const char *theirs)
{
	const char *ours = strchr(p->s->socket, '/'), *path = strchr(theirs, '/');
	g_autofree char *x = ms_socket_spec(p->s->socket, NULL);
	struct stat a, b;
	if (ours == NULL || path == NULL)
		return g_strcmp0(x, theirs) == 0;
	return strcmp(ours, path) == 0 ||
		(stat(ours, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
			a.st_ino == b.st_ino);
}

/* "Xname, S=socket, F=flags, T=times" */
static void take_filter(const Patient *p, Cf *cf, const char *line)
{
	g_autofree char *socket = ms_sendmail_equate(line, 'S');
	if (cf->name != NULL || !is_our_socket(p, socket))
		return;
	g_autofree char *name = g_strndup(line + 1, strcspn(line + 1, ","));
	cf->name = g_strdup(g_strstrip(name));
	cf->flags = ms_sendmail_equate(line, 'F');
	cf->times = ms_sendmail_equate(line, 'T');
}

static void take_line(const Patient *p, Cf *cf, const char *line)
{
	const char *list = ms_sendmail_value(line, "InputMailFilters");
	const char *daemon = ms_sendmail_value(line, "DaemonPortOptions");
	if (line[0] == 'X') {
		take_filter(p, cf, line);
	} else if (list != NULL) {
		g_auto(GStrv) names = g_strsplit_set(list, ",; \t", -1);
		g_ptr_array_set_size(cf->filters, 0);
		for (char **name = names; *name != NULL; name++)
			if (**name != '\0')
				g_ptr_array_add(cf->filters, g_strdup(*name));
	} else if (daemon != NULL) {
		g_ptr_array_add(cf->daemons, g_strdup(daemon));
	}
}

/* False: there is nothing to look at. */
static bool read_cf(const Patient *p, Cf *cf, GError **error)
{
	g_autofree char *text = NULL;
	if (!p->s->sendmail ||
		!g_file_get_contents(
			p->s->sendmail_config != NULL ? p->s->sendmail_config : MS_SENDMAIL_CF,
			&text, NULL, error))
		return false;
	*cf = (Cf){.filters = g_ptr_array_new_with_free_func(g_free),
		.daemons = g_ptr_array_new_with_free_func(g_free)};
	g_auto(GStrv) lines = ms_sendmail_lines(text);
	for (char **line = lines; *line != NULL; line++)
		take_line(p, cf, *line);
	return true;
}

static int place_of(const Cf *cf, const GPtrArray *filters)
{
	for (guint i = 0; cf->name != NULL && i < filters->len; i++)
		if (strcmp(filters->pdata[i], cf->name) == 0)
			return (int)i;
	return -1;
}

void check_sendmail(Patient *p)
{
	Cf cf;
	g_autoptr(GError) error = NULL;
	if (!read_cf(p, &cf, &error)) {
		if (error != NULL)
			not_seen(p, "%s", error->message);
		return;
	}
	if (cf.name == NULL)
		complain(p, "no X line of sendmail.cf has the socket %s: no mail is judged",
			p->s->socket);
	else if (place_of(&cf, cf.filters) < 0)
		complain(p, "InputMailFilters of sendmail.cf does not name %s: no mail is judged",
			cf.name);
	cf_clear(&cf);
}

/* `name` NULL: each. */
static void look_at_daemons(Patient *p, const char *name)
{
	Cf cf;
	if (!read_cf(p, &cf, NULL))
		return;
	for (guint i = 0; i < cf.daemons->len; i++) {
		const char *line = cf.daemons->pdata[i];
		g_autofree char *own = ms_sendmail_equate(line, 'I'),
				*called = ms_sendmail_equate(line, 'N');
		if (name != NULL && strcmp(name, called) != 0)
			continue;
		g_auto(GStrv) names = g_strsplit(own, ";", -1);
		if (has_equate(line, 'I') && cf.name != NULL &&
			!g_strv_contains((const char *const *)names, cf.name))
			complain(p,
				"DaemonPortOptions=%s has filters of its own (I=%s), missent is none of them: such mail is not "
				"judged",
				line, own);
	}
	cf_clear(&cf);
}

void check_sendmail_daemons(Patient *p)
{
	look_at_daemons(p, NULL);
}

void check_sendmail_order(Patient *p)
{
	Cf cf;
	if (!read_cf(p, &cf, NULL))
		return;
	int place = place_of(&cf, cf.filters);
	if (place >= 0 && place + 1 < (int)cf.filters->len)
		complain_not_last(
			p, "InputMailFilters", cf.filters->pdata[cf.filters->len - 1]);
	cf_clear(&cf);
}

void check_sendmail_action(Patient *p)
{
	Cf cf;
	if (!read_cf(p, &cf, NULL))
		return;
	if (cf.name != NULL && strpbrk(cf.flags, "TR") == NULL)
		complain(p, "X%s has %s%s: while missent does not answer, mail goes out unjudged",
			cf.name, *cf.flags != '\0' ? "F=" : "no F=", cf.flags);
	else if (cf.name != NULL && strchr(cf.flags, 'R') != NULL)
		complain_as(p, MS_GRAVITY_WARNING, NULL,
			"X%s has F=R: while missent does not answer, mail is refused for good",
			cf.name);
	cf_clear(&cf);
}

/* Sendmail's own: from the end of a message to the answer, and from one word of a filter to the
 * next. */
#define SENDMAIL_END_S 300
#define SENDMAIL_READ_S 10

/* One of "C:30s;S:30s;R:60s;E:5m", in seconds. */
static gint64 time_of(const char *times, const char *which, gint64 out)
{
	g_auto(GStrv) words = g_strsplit(times, ";", -1);
	for (char **word = words; *word != NULL; word++) {
		char *end;
		if (!g_str_has_prefix(g_strstrip(*word), which))
			continue;
		out = g_ascii_strtoll(*word + 2, &end, 10);
		out *= *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
	}
	return out;
}

void check_sendmail_timeouts(Patient *p)
{
	Cf cf;
	if (!read_cf(p, &cf, NULL))
		return;
	gint64 need = (p->s->deadline_ms + 999) / 1000;
	if (cf.name != NULL && time_of(cf.times, "E:", SENDMAIL_END_S) <= need)
		complain(p,
			"X%s has T=%s: missent may take %" G_GINT64_FORMAT
			" s at the end of a message (message-deadline, which must be less than E)",
			cf.name, cf.times, need);
	if (cf.name != NULL && time_of(cf.times, "R:", SENDMAIL_READ_S) < SENDMAIL_READ_S)
		complain(p,
			"X%s has T=%s: Sendmail would give up between two words of missent, which says "
			"every 3 s that it is at work",
			cf.name, cf.times);
	cf_clear(&cf);
}

/* What local programs submit comes over a listener of its own, or in none of the filter's ways. */
void sendmail_way(Patient *p, MsWay way, const char *daemon)
{
	switch (way) {
	case MS_WAY_LISTENER:
		check_sendmail(p);
		look_at_daemons(p, daemon != NULL ? daemon : "");
		break;
	case MS_WAY_OPEN: check_sendmail_action(p); break;
	case MS_WAY_LOCAL: break;
	}
}
