/*
 * missent audit verify, prove, show, checkpoint: is the trail whole, and what is in it?  One
 * thread.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "missent/alert.h"
#include "missent/answer.h"
#include "missent/audit.h"
#include "missent/tlog.h"
#include "missent/witness.h"

#include "cli.h"

#define MAX_COMPLAINTS 100
/* Of a program that lives a line comes every minute; lines are stamped before they wait for the
 * disk. */
#define HOLE_US (G_GINT64_CONSTANT(180) * G_USEC_PER_SEC)
#define BACK_US (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)

static int complain(const GError *error)
{
	return cli_fail(
		error->code == MS_ERROR_INPUT ? EX_DATAERR : EX_TEMPFAIL, "%s", error->message);
}

/* The folder of the trail that the configuration names, or that is given. */
static char *folder_of(const Cli *cli, const char *given, int *rc)
{
	g_autoptr(GError) error = NULL;
	if (given != NULL)
		return g_strdup(given);
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, &error);
	if (settings == NULL) {
		*rc = cli_fail_error(error);
		return NULL;
	}
	return ms_audit_folder(settings->audit_file);
}

/* ---- verify --------------------------------------------------------------------------- */

typedef struct {
	guint64 complaints, index;
	guint64 damage;  /* complaints of the log itself, of which people are alarmed */
	char *first;     /* the first of these */
	guint64 remarks; /* of the times in it: nobody changed anything */
	gint64 time;    /* of the line before */
	gint64 beat; /* when missentd last said that it lives; 0: it was stopped, or never there */
	const char *names[2]; /* of this host; NULL: it is not asked whose trail it is */
	bool ours;            /* a line is of this host */
	char *other;          /* the host that a line is of, of another */
	/* complaints and remarks for --json; NULL: they are printed */
	json_t *list, *remarked;
} Look;

static void look_clear(Look *look)
{
	g_free(look->first);
	g_free(look->other);
	json_decref(look->list);
	json_decref(look->remarked);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static void say_one(guint64 n, json_t *list, guint64 index, const char *why)
{
	if (n <= MAX_COMPLAINTS && list != NULL)
		json_array_append_new(
			list, json_pack("{s:I, s:s}", "entry", (json_int_t)index, "why", why));
	else if (n <= MAX_COMPLAINTS)
		printf("%" G_GUINT64_FORMAT ": %s\n", index, why);
	else if (n == MAX_COMPLAINTS + 1 && list == NULL)
		puts("... more follow; they are counted only");
}

static void say(Look *look, guint64 index, const char *why)
{
	say_one(++look->complaints, look->list, index, why);
}

static void remark(Look *look, guint64 index, const char *why)
{
	say_one(++look->remarks, look->remarked, index, why);
}

static void on_wrong(guint64 index, const char *why, void *user)
{
	Look *look = user;
	if (look->damage++ == 0)
		look->first = g_strdup_printf("%" G_GUINT64_FORMAT ": %s", index, why);
	say(look, index, why);
}

/* Where a line's type stands; most are of messages, of which no more is asked. */
#define TYPE_AT 43

static bool has_type(const char *data, gsize len, const char *type)
{
	static const char key[] = ",\"type\":\"";
	const gsize n = strlen(type), skip = sizeof key - 1, at = TYPE_AT - skip;
	return len > TYPE_AT + n && data[TYPE_AT] == *type && memcmp(data + at, key, skip) == 0 &&
		memcmp(data + TYPE_AT, type, n) == 0 && data[TYPE_AT + n] == '"';
}

static void tell_hole(Look *look, guint64 index, gint64 time)
{
	g_autofree char *from = cli_time(look->beat), *to = cli_time(time);
	g_autofree char *why = g_strdup_printf(
		"missentd did not say that it lives from %s to %s: it was not there, or the clock was set "
		"forward; no line is missing from the log",
		from, to);
	remark(look, index, why);
}

/* Whose is it?  "host" follows the type of a message, and of what the daemon says of itself. */
static void look_whose(Look *look, const char *data, gsize len)
{
	static const char key[] = "\",\"host\":\"";
	const char *at = look->names[0] != NULL && !look->ours && len > TYPE_AT
		? g_strstr_len(data + TYPE_AT, (gssize)MIN(len - TYPE_AT, 40), key)
		: NULL;
	const char *host = at != NULL ? at + sizeof key - 1 : NULL;
	const char *end = host != NULL ? memchr(host, '"', len - (gsize)(host - data)) : NULL;
	if (end == NULL)
		return;
	g_autofree char *name = g_strndup(host, (gsize)(end - host));
	look->ours = g_strcmp0(name, look->names[0]) == 0 || g_strcmp0(name, look->names[1]) == 0;
	if (!look->ours && look->other == NULL)
		look->other = g_steal_pointer(&name);
}

/* Time goes on, and missentd says every minute that it lives. */
static bool on_entry(guint64 index, const char *data, gsize len, void *user, GError **error)
{
	(void)error;
	Look *look = user;
	gint64 time = data != NULL ? ms_audit_time_of(data, len) : -1;
	if (time < 0)
		return true; /* of before there was a log; the log says nothing of its form */
	if (look->time > 0 && time < look->time - BACK_US) {
		g_autofree char *from = cli_time(look->time), *to = cli_time(time);
		g_autofree char *why = g_strdup_printf(
			"the clock went back, from %s to %s: the lines are in the order in which they were written, "
			"and nothing was changed; times between the two may stand for two moments",
			from, to);
		remark(look, index, why);
	}
	look_whose(look, data, len);
	if (has_type(data, len, MS_AUDIT_BEAT) || has_type(data, len, MS_AUDIT_START)) {
		if (look->beat > 0 && time > look->beat + HOLE_US)
			tell_hole(look, index, time);
		look->beat = time;
	} else if (has_type(data, len, MS_AUDIT_STOP)) {
		look->beat = 0;
	}
	look->time = time;
	look->index = index;
	return true;
}

/* Is a checkpoint that was kept elsewhere one of this log? */
static bool compare(const char *folder, const char *path, Look *look, GError **error)
{
	g_autofree char *text = NULL;
	gsize len = 0;
	g_auto(MsCheckpoint) kept = {0};
	g_autoptr(GError) why = NULL;
	guint8 root[MS_HASH_BYTES];
	if (!g_file_get_contents(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, &len, &why)) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT, "%s", why->message);
		return false;
	}
	g_autoptr(MsTlog) log = ms_tlog_look(folder, error);
	if (log == NULL)
		return false;
	if (!ms_checkpoint_find(text, len, ms_tlog_vkey(log), &kept, error)) {
		g_prefix_error(error, "%s: ", path);
		return false;
	}
	if (kept.size < ms_tlog_minimum(log)) {
		g_set_error(error, MS_ERROR, MS_ERROR_INPUT,
			"%s is of %" G_GUINT64_FORMAT " entries; those before %" G_GUINT64_FORMAT
			" were pruned (audit { keep }), so that it cannot be compared",
			path, kept.size, ms_tlog_minimum(log));
		return false;
	}
	if (!ms_tlog_root(log, kept.size, root, &why))
		on_wrong(kept.size, why->message, look);
	else if (memcmp(root, kept.root, sizeof root) != 0)
		on_wrong(kept.size,
			"the entries before this one are not those of the checkpoint that was kept",
			look);
	return true;
}

/* Of the folder that was configured: whose is it, is anything in it, does missentd live? */
static void look_at_all(Look *look, const MsTlogVerified *v)
{
	if (look->names[0] != NULL && v->entries == 0)
		say(look, 0, "the trail is empty, and has not even the line that one begins with");
	if (look->other != NULL && !look->ours) {
		g_autofree char *why = g_strdup_printf(
			"the trail is of another host, %s: nothing in it was written on this one (%s)",
			look->other, look->names[0]);
		say(look, 0, why);
	}
	if (look->names[0] != NULL && look->beat > 0 && g_get_real_time() > look->beat + HOLE_US)
		tell_hole(look, look->index, g_get_real_time());
}

#define AGAINST "against a checkpoint that was kept: "

/* The agent tells whom it concerns.  What only a kept checkpoint told is not over because the
 * trail agrees with itself. */
static void leave_alert(const MsSettings *s, const Look *look, bool against)
{
	g_autofree char *before = ms_alert_left(s->state_dir, MS_ALERT_AUDIT);
	bool stays = !against && before != NULL && g_str_has_prefix(before, AGAINST);
	if (look->damage == 0 && (stays || before == NULL))
		return;
	g_autofree char *detail = look->damage == 0
		? g_strdup("")
		: g_strdup_printf("%s%" G_GUINT64_FORMAT " wrong, the first at entry %s",
			  against ? AGAINST : "", look->damage, look->first);
	if (!ms_alert_leave(s->state_dir, MS_ALERT_AUDIT, detail))
		cli_fail(0, "no alert of it can be left in %s: %s", s->state_dir, g_strerror(errno));
}

#define EXIT_WRONG 1
#define EXIT_REMARKS 2

static int print_sum(const char *folder, const Look *look, const MsTlogVerified *v, gint64 start)
{
	double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	int rc = look->complaints > 0 ? EXIT_WRONG : look->remarks > 0 ? EXIT_REMARKS : EX_OK;
	if (look->list != NULL)
		cli_print_json(json_pack("{s:i, s:s, s:I, s:I, s:f, s:I, s:O, s:O}", "exit", rc,
			"folder", folder, "entries", (json_int_t)v->entries, "bytes",
			(json_int_t)v->bytes, "seconds", seconds, "wrong",
			(json_int_t)look->complaints, "complaints", look->list, "remarks",
			look->remarked));
	else
		printf("%s: %" G_GUINT64_FORMAT " entries, %" G_GUINT64_FORMAT
		       " bytes, %.2f s; %" G_GUINT64_FORMAT " wrong; %" G_GUINT64_FORMAT
		       " remark%s on its times\n",
			folder, v->entries, v->bytes, seconds, look->complaints, look->remarks,
			CLI_S(look->remarks));
	return rc;
}

/* A folder that is there and is none of a trail any more is as bad as one that was changed; so is
 * one that is gone. */
static int cannot(const MsSettings *s, const char *folder, Look *look, const GError *error)
{
	g_autofree char *not_ours = ms_audit_not_ours(folder);
	if (s == NULL || error->code != MS_ERROR_INPUT ||
		(not_ours == NULL && !g_file_test(folder, G_FILE_TEST_IS_DIR)))
		return complain(error);
	look->damage = 1;
	g_free(look->first);
	look->first = g_strconcat("0: ", error->message, NULL);
	leave_alert(s, look, false);
	return complain(error);
}

/* `s`: of these settings; NULL: of a folder that was named, of which nobody is alarmed. */
static int verify(const char *folder, const char *against, const MsSettings *s, bool json)
{
	g_auto(Look)
		look = {.names = {s != NULL ? g_get_host_name() : NULL, s != NULL ? s->host : NULL},
			.list = json ? json_array() : NULL,
			.remarked = json ? json_array() : NULL};
	MsTlogVerified v;
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	if (!ms_audit_verify(folder, on_wrong, on_entry, &look, &v, &error))
		return cannot(s, folder, &look, error);
	guint64 alone = look.damage;
	if (against != NULL && !compare(folder, against, &look, &error)) {
		if (s != NULL && alone > 0)
			leave_alert(s, &look, false);
		return complain(error);
	}
	look_at_all(&look, &v);
	if (s != NULL)
		leave_alert(s, &look, against != NULL && alone == 0);
	return print_sum(folder, &look, &v, start);
}

int cli_audit_verify(Cli *cli, int argc, char **argv)
{
	g_autofree char *against = NULL, *given = NULL;
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"against", 0, 0, G_OPTION_ARG_FILENAME, &against,
			"with a checkpoint kept elsewhere: a file, mail or log with one; - to paste",
			"FILE"},
		{"folder", 0, 0, G_OPTION_ARG_FILENAME, &given, "of this trail", "FOLDER"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "as JSON", NULL},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries, "- is the audit trail whole? exit 0: yes, 1: no, 2: yes, and there is something to say of its times",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "audit verify: takes no arguments");
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) s =
		given == NULL ? ms_settings_load_public(cli->config, &error) : NULL;
	if (error != NULL)
		return cli_fail_error(error);
	g_autofree char *folder = given != NULL ? g_strdup(given) : ms_audit_folder(s->audit_file);
	return verify(folder, against, s, json);
}

/* ---- prove, show ---------------------------------------------------------------------- */

static bool parse_number(const char *text, guint64 *out)
{
	return g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, out, NULL);
}

static int with_line(Cli *cli, int argc, char **argv, const char *summary,
	bool (*act)(MsTlog *log, guint64 index, GError **error))
{
	g_autofree char *given = NULL;
	const GOptionEntry entries[] = {
		{"folder", 0, 0, G_OPTION_ARG_FILENAME, &given, "of this trail", "FOLDER"},
		G_OPTION_ENTRY_NULL,
	};
	guint64 index = 0;
	if (!cli_options(entries, summary, &argc, &argv))
		return EX_USAGE;
	if (argc != 2 || !parse_number(argv[1], &index))
		return cli_fail(EX_USAGE, "the number of one line is wanted, from 0 on");
	int rc = EX_OK;
	g_autofree char *folder = folder_of(cli, given, &rc);
	if (folder == NULL)
		return rc;
	g_autoptr(GError) error = NULL;
	g_autoptr(MsTlog) log = ms_tlog_look(folder, &error);
	return log != NULL && act(log, index, &error) ? EX_OK : complain(error);
}

static bool prove(MsTlog *log, guint64 index, GError **error)
{
	g_auto(MsProof) proof = {0};
	if (!ms_tlog_prove(log, index, &proof, error))
		return false;
	g_autofree char *text = ms_proof_print(&proof);
	fputs(text, stdout);
	fprintf(stderr, "the verifier key of this log is %s\n", ms_tlog_vkey(log));
	return true;
}

static bool show(MsTlog *log, guint64 index, GError **error)
{
	g_autoptr(GBytes) entry = ms_tlog_entry(log, index, error);
	if (entry == NULL)
		return false;
	fwrite(g_bytes_get_data(entry, NULL), 1, g_bytes_get_size(entry), stdout);
	if (isatty(STDOUT_FILENO))
		puts("");
	return true;
}

int cli_audit_prove(Cli *cli, int argc, char **argv)
{
	return with_line(
		cli, argc, argv, "LINE - print a proof that this line is in the trail", prove);
}

int cli_audit_show(Cli *cli, int argc, char **argv)
{
	return with_line(
		cli, argc, argv, "LINE - print this line as it was written, without an end", show);
}

/* ---- a new one ------------------------------------------------------------------------ */

int cli_audit_begin(Cli *cli, int argc, char **argv)
{
	g_autofree char *why = NULL, *aside = NULL;
	const GOptionEntry entries[] = {
		{"why", 0, 0, G_OPTION_ARG_STRING, &why, "what was wrong, for the record", "TEXT"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GError) error = NULL;
	if (!cli_options(entries, "- begin a new trail after damage; the old one is kept aside",
		    &argc, &argv))
		return EX_USAGE;
	if (argc != 1 || why == NULL || *g_strstrip(why) == '\0')
		return cli_fail(EX_USAGE, "usage: missent audit begin --why TEXT");
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL)
		return cli_fail_error(error);
	if (!ms_audit_begin(s->audit_file, cli_who(), why, &aside, &error))
		return complain(error);
	ms_alert_leave(s->state_dir, MS_ALERT_AUDIT, "");
	if (aside != NULL)
		printf("A new trail has begun; the old one is in %s (missent audit verify --folder).\n",
			aside);
	else
		puts("A new trail has begun; the old one is gone, and the first line says so.");
	printf("It has a key of its own: other hosts refuse it until missent audit witness --forget %s is said there.\n",
		s->host);
	return EX_OK;
}

/* ---- other hosts ---------------------------------------------------------------------- */

static void print_kept(const char *folder, const char *host, bool json)
{
	g_auto(MsKept) kept = {0};
	g_autoptr(GError) error = NULL;
	bool fine = ms_witness_kept(folder, host, &kept, &error);
	const char *why = error != NULL ? error->message : "nothing is kept";
	if (json) {
		cli_print_json(fine ? json_pack("{s:s, s:I, s:I, s:s, s:s}", "host", host,
					      "entries", (json_int_t)kept.checkpoint.size, "taken",
					      (json_int_t)(kept.time / G_USEC_PER_SEC), "key",
					      kept.vkey, "checkpoint", kept.checkpoint.text)
				    : json_pack("{s:s, s:s}", "host", host, "trouble", why));
		return;
	}
	if (!fine) {
		printf("%s: %s\n", host, why);
		return;
	}
	g_autofree char *time = cli_time(kept.time);
	printf("%s: %" G_GUINT64_FORMAT " entries, taken %s, key %s\n%s\n", host,
		kept.checkpoint.size, time, kept.vkey, kept.checkpoint.text);
}

static int forget(const MsSettings *s, const char *host)
{
	g_autoptr(GError) error = NULL;
	MsAudit *audit = ms_audit_new(s->audit_file);
	bool fine = ms_audit_event(
			    audit, cli_who(), "shell", MS_EVENT_WITNESS_FORGOTTEN, "", host, &error) &&
		ms_witness_forget(s->checkpoints.witness, host, &error);
	ms_audit_free(audit);
	if (!fine)
		return complain(error);
	printf("What was kept of %s is set aside; its next checkpoint is believed.\n", host);
	return EX_OK;
}

int cli_audit_witness(Cli *cli, int argc, char **argv)
{
	g_autofree char *gone = NULL;
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
		{"forget", 0, 0, G_OPTION_ARG_STRING, &gone,
			"believe that host's next checkpoint: it began a new trail", "HOST"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GError) error = NULL;
	if (!cli_options(entries, "- checkpoints of other hosts that are kept here", &argc, &argv))
		return EX_USAGE;
	if (argc != 1)
		return cli_fail(EX_USAGE, "audit witness: takes no arguments");
	if (json && gone != NULL)
		return cli_fail(EX_USAGE, "audit witness: --json prints, --forget does: not both");
	g_autoptr(MsSettings) s = ms_settings_load_public(cli->config, &error);
	if (s == NULL)
		return cli_fail_error(error);
	if (gone != NULL)
		return forget(s, gone);
	g_autoptr(GPtrArray) hosts = ms_witness_hosts(s->checkpoints.witness);
	for (guint i = 0; i < hosts->len; i++)
		print_kept(s->checkpoints.witness, hosts->pdata[i], json);
	if (hosts->len == 0 && !json)
		puts("No checkpoint of another host is kept here.");
	return EX_OK;
}

int cli_audit_checkpoint(Cli *cli, int argc, char **argv)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	g_autoptr(GError) error = NULL;
	if (!cli_options(entries, "- publish the trail's checkpoint, and print it", &argc, &argv))
		return EX_USAGE;
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, &error);
	if (settings == NULL)
		return cli_fail_error(error);
	MsAudit *audit = ms_audit_new(settings->audit_file);
	g_autofree char *text = NULL;
	bool fine = ms_audit_publish(audit, &text, &error);
	ms_audit_free(audit);
	if (!fine)
		return complain(error);
	fputs(text, stdout);
	return EX_OK;
}
