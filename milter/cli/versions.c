/*
 * missent audit versions: a message of the trail, or a digest that its lines have, comes in; out
 * go the policies and kinds that it was judged by, as they were then.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/answer.h"
#include "missent/audit.h"

#include "cli.h"

typedef struct {
	const char *trail, *asked;
	gboolean json, kinds;
	GHashTable *told; /* digests */
	guint found, lacking;
	int code; /* the first that failed */
} Versions;

/* What is asked for in one line, in several the text. */
static void print_text(
	const Versions *v, MsAuditText what, const char *id, const char *time, const char *text)
{
	if (v->json) {
		cli_print_json(json_pack("{s:s, s:s, s:s?, s:s?}", "what",
			ms_audit_text_names[what], "version", id, "judged", time, "text", text));
		return;
	}
	printf("# %s %s%s%s\n%s", ms_audit_text_names[what], id,
		time != NULL ? ", by which it was judged " : "", time != NULL ? time : "", text);
}

/* Bytes of files that are not UTF-8 are none of JSON's. */
static char *valid_text(const Versions *v, char *text)
{
	char *valid = v->json && text != NULL ? g_utf8_make_valid(text, -1) : g_strdup(text);
	g_free(text);
	return valid;
}

static void tell(Versions *v, MsAuditText what, const char *id, const char *time)
{
	g_autoptr(GError) error = NULL;
	if (!g_hash_table_add(v->told, g_strdup_printf("%d%s", what, id)))
		return;
	g_autofree char *text = valid_text(v, ms_audit_text(v->trail, what, id, &error));
	if (text != NULL) {
		v->found++;
		print_text(v, what, id, time, text);
	} else if (error != NULL) {
		int code = cli_fail_error(error);
		v->code = v->code != 0 ? v->code : code;
	} else {
		v->lacking++;
	}
}

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	(void)error;
	Versions *v = user;
	const json_t *versions = json_object_get(line->json, "versions");
	if (versions == NULL ||
		g_strcmp0(json_string_value(json_object_get(line->json, "queue_id")), v->asked) !=
			0)
		return true;
	g_autofree char *time = cli_time(line->time);
	MsAuditText what = v->kinds ? MS_AUDIT_KINDS : MS_AUDIT_POLICIES;
	const char *id = json_string_value(json_object_get(versions, ms_audit_text_names[what]));
	if (id != NULL)
		tell(v, what, id, time);
	return true;
}

static int list(const Versions *v)
{
	g_autoptr(GPtrArray) all = ms_audit_texts(v->trail);
	for (guint i = 0; i < all->len; i++) {
		const MsAuditKept *kept = all->pdata[i];
		g_autofree char *time = cli_time(kept->time);
		if (v->json)
			cli_print_json(json_pack("{s:s, s:s, s:I}", "what",
				ms_audit_text_names[kept->what], "version", kept->id, "kept",
				(json_int_t)(kept->time / G_USEC_PER_SEC)));
		else
			printf("%-9s %s  kept since %s\n", ms_audit_text_names[kept->what],
				kept->id, time);
	}
	return all->len > 0 ? 0 : cli_fail(EX_NOINPUT, "no policies are kept beside %s", v->trail);
}

static int find(Versions *v)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) all = ms_audit_texts(v->trail);
	for (guint i = 0; i < all->len; i++) {
		const MsAuditKept *kept = all->pdata[i];
		if (strcmp(kept->id, v->asked) == 0)
			tell(v, kept->what, kept->id, NULL);
	}
	if (v->found == 0 && v->code == 0 &&
		!ms_audit_each(v->trail, G_MININT64, G_MAXINT64, take_line, v, &error))
		return cli_fail_error(error);
	if (v->code != 0)
		return v->code;
	if (v->lacking > 0)
		return cli_fail(EX_NOINPUT,
			"the text of the %s that judged %s is not kept: it is of before there were such files, "
			"or they were removed",
			ms_audit_text_names[v->kinds], v->asked);
	return v->found > 0 ? 0
			    : cli_fail(EX_DATAERR,
				      "%s: no message in the audit trail has this queue ID, and no "
				      "text that is kept this digest",
				      v->asked);
}

int cli_audit_versions(Cli *cli, int argc, char **argv)
{
	gboolean json = FALSE, kinds = FALSE;
	g_autofree char *trail = NULL;
	const GOptionEntry entries[] = {
		{"kinds", 0, 0, G_OPTION_ARG_NONE, &kinds,
			"of a message: its kinds, not its policies", NULL},
		{"trail", 0, 0, G_OPTION_ARG_FILENAME, &trail, "another audit trail", "FILE"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "[QUEUE-ID|DIGEST] - the policies that judged it, as they were; without one: all that are kept",
		    &argc, &argv))
		return EX_USAGE;
	if (argc > 2 || (kinds && argc != 2))
		return cli_fail(EX_USAGE,
			argc > 2 ? "audit versions: one message, or one digest"
				 : "audit versions: --kinds of which message?");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL)
		return cli_fail_error(error);
	if (trail != NULL && !ms_audit_is_there(trail, &error))
		return cli_fail_error(error);
	g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Versions v = {.trail = trail != NULL ? trail : s->audit_file,
		.asked = argv[1],
		.json = json,
		.kinds = kinds,
		.told = told};
	return argc == 1 ? list(&v) : find(&v);
}
