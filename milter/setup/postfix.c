/*
 * Postfix's files come in; out go main.cf and master.cf with missent as the last milter of each
 * way out.
 *
 * postconf edits copies, so that comments and order stay, and what it makes of them is asked
 * again before anything is written.  Values are taken as they are written (with $names), so that
 * who changes such a name later changes all.  A service of master.cf with milters of its own gets
 * missent there, but for one on loopback that was emptied: there a content filter gives back what
 * was judged before.  One thread.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#include "missent/answer.h"

#include "setup_private.h"

typedef struct {
	MsPlan *plan;
	const char *config, *socket, *item;
	char *copy;         /* the folder that postconf edits */
	MsPostfix *postfix; /* what it says of that */
} Work;

static void work_clear(Work *work)
{
	static const char *const names[] = {"main.cf", "master.cf"};
	for (gsize i = 0; work->copy != NULL && i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(work->copy, names[i], NULL);
		unlink(path);
	}
	if (work->copy != NULL)
		g_rmdir(work->copy);
	g_free(work->copy);
	ms_postfix_free(work->postfix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

char *postfix_item(const char *queue, const char *socket)
{
	g_autofree char *below = g_strconcat(queue, "/", NULL);
	g_autofree char *spec = ms_socket_spec(socket, NULL);
	const char *path = spec != NULL ? ms_socket_path(spec) : NULL;
	if (path != NULL)
		return g_strconcat(
			"unix:", g_str_has_prefix(path, below) ? path + strlen(below) : path, NULL);
	/* inet:port@host, which Postfix writes inet:host:port */
	const char *port = spec != NULL ? strchr(spec, ':') : NULL,
		   *at = port != NULL ? strchr(port, '@') : NULL;
	bool six = at != NULL && strchr(at + 1, ':') != NULL;
	return at != NULL ? g_strdup_printf(six ? "inet:[%s]:%.*s" : "inet:%s:%.*s", at + 1,
				    (int)(at - port - 1), port + 1)
			  : g_strdup(socket);
}

/* postconf puts what it adds right behind the last line, also where that has no end. */
static char *with_end(const char *text)
{
	bool whole = *text == '\0' || g_str_has_suffix(text, "\n");
	return g_strconcat(text, whole ? "" : "\n", NULL);
}

static bool copy_file(const Work *work, const char *name, GError **error)
{
	g_autofree char *from = g_build_filename(work->config, name, NULL),
			*to = g_build_filename(work->copy, name, NULL);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(from, &text, NULL, error))
		return false;
	g_autofree char *whole = with_end(text);
	return g_file_set_contents(to, whole, -1, error);
}

/* Postfix waits until a file that it reads is some seconds old. */
static void age(const Work *work, const char *name)
{
	g_autofree char *path = g_build_filename(work->copy, name, NULL);
	utime(path, &(struct utimbuf){.actime = 1, .modtime = 1});
}

static bool look_again(Work *work, GError **error)
{
	age(work, "main.cf");
	age(work, "master.cf");
	ms_postfix_free(work->postfix);
	work->postfix = ms_postfix_ask(work->copy, error);
	return work->postfix != NULL;
}

static bool edit(
	Work *work, const char *option, const char *name, const char *value, GError **error)
{
	g_autofree char *assignment = g_strdup_printf("%s=%s", name, value);
	g_autofree char *out = ms_postfix_postconf(work->copy, option, assignment, error);
	return out != NULL && look_again(work, error);
}

/* ---- missent in a list ------------------------------------------------------------------- */

typedef enum { LACKS, LAST, NOT_LAST } Place;

static Place place_in(const Work *work, const MsService *service, const char *list)
{
	g_autoptr(GPtrArray)
		items = ms_postfix_list(ms_postfix_value(work->postfix, service, list));
	Place out = LACKS;
	for (guint i = 0; i < items->len; i++) {
		g_autofree char *address = ms_postfix_address(items->pdata[i]);
		if (ms_postfix_is(work->postfix, service, address, work->socket))
			out = i + 1 == items->len ? LAST : NOT_LAST;
	}
	return out;
}

/* What Postfix does when a milter is away, and how long it waits, may be right for others and
 * wrong for missent: then missent has its own. */
static char *item_for(const Work *work, const MsService *service)
{
	GString *out = g_string_new(work->item);
	const MsPostfix *p = work->postfix;
	const char *protocol = ms_postfix_value(p, service, "milter_protocol");
	if (strcmp(ms_postfix_value(p, service, "milter_default_action"), "tempfail") != 0)
		g_string_append(out, ",default_action=tempfail");
	if (ms_postfix_seconds(ms_postfix_value(p, service, "milter_content_timeout")) < 300)
		g_string_append(out, ",content_timeout=300s");
	if (*protocol != '\0' && g_ascii_strtoll(protocol, NULL, 10) < 6)
		g_string_append(out, ",protocol=6");
	if (strchr(out->str, ',') != NULL) {
		g_string_prepend_c(out, '{');
		g_string_append_c(out, '}');
	}
	return g_string_free(out, FALSE);
}

/* Commas alone: postconf takes no blanks in master.cf. */
static char *tight(const char *value)
{
	GString *out = g_string_new(NULL);
	bool pending = false;
	for (; *value != '\0'; value++) {
		if (strchr(", \t\n", *value) != NULL) {
			pending = out->len > 0 && out->str[out->len - 1] != '{';
			continue;
		}
		if (pending && *value != '}')
			g_string_append_c(out, ',');
		pending = false;
		g_string_append_c(out, *value);
	}
	return g_string_free(out, FALSE);
}

/* As it is written, of main.cf or (with "service/type/") of master.cf. */
static char *written(const Work *work, const char *option, const char *name)
{
	g_autofree char *out = ms_postfix_postconf(work->copy, option, name, NULL);
	if (out == NULL)
		return g_strdup("");
	const char *equal = *option == '-' && option[1] == 'P' ? strchr(out, '=') : NULL;
	return g_strstrip(g_strdup(equal != NULL ? equal + 1 : out));
}

static bool append_to_main(Work *work, const char *list, GError **error)
{
	Place place = place_in(work, NULL, list);
	if (place == NOT_LAST)
		setup_note(work->plan->notes,
			"%s has missent, but not as the last: what comes behind it is not done to mail that is held "
			"and released",
			list);
	if (place != LACKS)
		return true;
	g_autofree char *old = written(work, "-h", list), *item = item_for(work, NULL);
	g_autofree char *value = *old == '\0'
		? g_strdup(item)
		: g_strdup_printf(g_str_has_suffix(old, ",") ? "%s %s"
				  : strchr(old, ',') != NULL ? "%s, %s"
							     : "%s %s",
			  old, item);
	return edit(work, "-e", list, value, error);
}

static bool is_local_name(const char *name)
{
	return g_str_has_prefix(name, "127.") || g_str_has_prefix(name, "localhost:") ||
		g_str_has_prefix(name, "[::1]:");
}

static bool append_to_service(Work *work, guint i, const char *list, GError **error)
{
	const MsService *service = work->postfix->services->pdata[i];
	const char *value = ms_postfix_value(work->postfix, service, list);
	if (place_in(work, service, list) != LACKS)
		return true;
	if (*value == '\0' && is_local_name(service->name)) {
		setup_note(work->plan->notes,
			"service %s of master.cf has no milters: it stays so, as for mail that a content filter "
			"gives back; if programs submit mail there, it is not judged",
			service->name);
		return true;
	}
	g_autofree char *name = g_strconcat(service->name, "/", service->type, "/", list, NULL);
	g_autofree char *raw = written(work, "-P", name), *old = tight(raw),
			*item = item_for(work, service);
	g_autofree char *new = *old == '\0' ? g_strdup(item) : g_strconcat(old, ",", item, NULL);
	return edit(work, "-P", name, new, error);
}

static bool look_at_service(Work *work, guint i, GError **error)
{
	const MsService *service = work->postfix->services->pdata[i];
	bool smtpd = strcmp(service->program, "smtpd") == 0,
	     cleanup = strcmp(service->program, "cleanup") == 0;
	const char *list = smtpd ? "smtpd_milters" : "non_smtpd_milters";
	if ((!smtpd && !cleanup) || (smtpd && !ms_postfix_sends_out(work->postfix, service)))
		return true;
	if (smtpd &&
		strstr(ms_postfix_value(work->postfix, service, "receive_override_options"),
			"no_milters") != NULL)
		setup_note(work->plan->notes,
			"service %s of master.cf has receive_override_options with no_milters: its mail is not judged",
			service->name);
	return !ms_postfix_overrides(work->postfix, service, list) ||
		append_to_service(work, i, list, error);
}

static bool edit_all(Work *work, GError **error)
{
	if (strcmp(ms_postfix_value(work->postfix, NULL, "enable_long_queue_ids"), "yes") != 0
		&& !edit(work, "-e", "enable_long_queue_ids", "yes", error))
		return false;
	if (!append_to_main(work, "smtpd_milters", error) ||
		!append_to_main(work, "non_smtpd_milters", error))
		return false;
	for (guint i = 0; i < work->postfix->services->len; i++)
		if (!look_at_service(work, i, error))
			return false;
	const char *maps = ms_postfix_value(work->postfix, NULL, "smtpd_milter_maps");
	if (*maps != '\0')
		setup_note(work->plan->notes,
			"smtpd_milter_maps = %s: clients that have DISABLE there are not judged",
			maps);
	return true;
}

static bool take(const Work *work, const char *name, GError **error)
{
	g_autofree char *from = g_build_filename(work->copy, name, NULL),
			*to = g_build_filename(work->config, name, NULL);
	g_autofree char *text = NULL, *before = NULL;
	if (!g_file_get_contents(from, &text, NULL, error) ||
		!g_file_get_contents(to, &before, NULL, error))
		return false;
	g_autofree char *whole = with_end(before);
	return strcmp(whole, text) == 0 ||
		ms_plan_add(work->plan, MS_SETUP_OF_MTA, to, text, error);
}

bool plan_postfix(
	MsPlan *plan, const char *config, const char *socket, const char *item, GError **error)
{
	g_auto(Work) work = {.plan = plan, .config = config, .socket = socket, .item = item};
	work.copy = g_dir_make_tmp("missent-postfix-XXXXXX", error);
	return work.copy != NULL && copy_file(&work, "main.cf", error) &&
		copy_file(&work, "master.cf", error) && look_again(&work, error) &&
		edit_all(&work, error) && take(&work, "main.cf", error) &&
		take(&work, "master.cf", error);
}

bool ms_setup_keep_queue_ids(const MsSetupMta *mta, bool *kept_out, GError **error)
{
	g_autoptr(MsPostfix) postfix = ms_postfix_ask(mta->config, error);
	if (postfix == NULL)
		return false;
	*kept_out = strcmp(ms_postfix_value(postfix, NULL, "enable_long_queue_ids"), "yes") != 0;
	g_autofree char *out = *kept_out
		? ms_postfix_postconf(mta->config, "-e", "enable_long_queue_ids=yes", error)
		: NULL;
	return !*kept_out || out != NULL;
}
