/*
 * The sender's own VAT ID, IBAN, address and support mailbox are in nearly every message that it
 * sends, and no customer's are.  So a sample of mail tells what belongs to the house; a person
 * has the last word.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"

#define MIN_MESSAGES 3

typedef struct {
	char *kind, *text; /* as it was written */
	guint messages;
} Candidate;

typedef struct {
	MsRuntime *runtime;
	GHashTable *candidates; /* kind and value to Candidate */
	guint messages;
} Sample;

static void candidate_free(gpointer data)
{
	Candidate *candidate = data;
	g_free(candidate->kind);
	g_free(candidate->text);
	g_free(candidate);
}

static void count(Sample *sample, const MsFinding *finding)
{
	g_autofree char *key = g_strdup_printf("%s %s", finding->kind, finding->value);
	Candidate *candidate = g_hash_table_lookup(sample->candidates, key);
	if (candidate == NULL) {
		candidate = g_new0(Candidate, 1);
		candidate->kind = g_strdup(finding->kind);
		const MsPlace *place = finding->places->len > 0 ? finding->places->pdata[0] : NULL;
		candidate->text = g_strdup(
			place != NULL && *place->text != '\0' ? place->text : finding->value);
		g_hash_table_insert(sample->candidates, g_steal_pointer(&key), candidate);
	}
	candidate->messages++;
}

static int read_one(const char *name, const guint8 *data, gsize len, void *user)
{
	Sample *sample = user;
	guint64 max = ms_runtime_settings(sample->runtime)->limits.max_message;
	int fd = ms_memory_of("missent-check", data, MIN(len, max));
	if (fd < 0)
		return cli_fail(EX_OSERR, "%s: %s", name, g_strerror(errno));
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(GError) error = NULL;
	bool fine = ms_engine_read(sample->runtime, NULL, fd, &judgement, &error);
	close(fd);
	if (!fine)
		return cli_fail_error(error);
	sample->messages++;
	for (guint i = 0; i < judgement->reading->findings->len; i++)
		count(sample, judgement->reading->findings->pdata[i]);
	return 0;
}

static int most_first(const void *a, const void *b)
{
	const Candidate *x = *(Candidate *const *)a, *y = *(Candidate *const *)b;
	int by_kind = strcmp(x->kind, y->kind);
	return x->messages != y->messages ? (int)y->messages - (int)x->messages
		: by_kind != 0 ? by_kind : strcmp(x->text, y->text);
}

/* Lines for the mapping on standard output, and what they rest on beside it. */
static int suggest(const Sample *sample, double percent)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, sample->candidates);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((Candidate *)value)->messages * 100.0 >= percent * sample->messages)
			g_ptr_array_add(list, value);
	g_ptr_array_sort(list, most_first);
	printf("account,kind,value\n");
	for (guint i = 0; i < list->len; i++) {
		const Candidate *c = list->pdata[i];
		g_autofree char *text = cli_cell(c->text, 0);
		cli_csv_field(stdout, ms_runtime_settings(sample->runtime)->house, ',');
		cli_csv_field(stdout, c->kind, ',');
		cli_csv_field(stdout, c->text, '\n');
		fprintf(stderr, "in %u of %u messages: %s %s\n", c->messages, sample->messages,
			c->kind, text);
	}
	if (list->len == 0)
		return cli_fail(1, "nothing is in %g %% of the %u messages (--percent for fewer)",
			percent, sample->messages);
	fprintf(stderr,
		"Strike out what is not yours, and add the rest to the mapping that is imported, or: "
		"missent directory put %s KIND VALUE\n",
		ms_runtime_settings(sample->runtime)->house);
	return 0;
}

int cli_suggest_house(Cli *cli, int argc, char **argv)
{
	double percent = 80;
	const GOptionEntry entries[] = {
		{"percent", 0, 0, G_OPTION_ARG_DOUBLE, &percent,
			"of the messages that must have it (default 80)", "PERCENT"},
		G_OPTION_ENTRY_NULL,
	};
	if (!cli_options(entries,
		    "FILE|MBOX|MAILDIR|-... - what is in nearly every one of these messages, and so "
		    "is the sender's own",
		    &argc, &argv))
		return EX_USAGE;
	if (argc < 2)
		return cli_fail(EX_USAGE,
			"directory suggest-house: which messages? (- for standard input)");
	if (!cli_is_percent("percent", percent))
		return EX_USAGE;
	g_autoptr(GError) error = NULL;
	g_autofree char *warning = NULL;
	Sample sample = {.runtime = ms_runtime_load(cli->config, MS_PARTS_CHECK, &warning, &error)};
	if (sample.runtime == NULL)
		return cli_fail_error(error);
	sample.candidates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, candidate_free);
	int worst = 0;
	for (int i = 1; i < argc; i++) {
		int rc = cli_messages(argv[i], read_one, &sample);
		worst = MAX(worst, rc);
	}
	if (worst == 0 && sample.messages < MIN_MESSAGES)
		worst = cli_fail(EX_DATAERR,
			"too few messages to tell: %u, and it takes %d; give a sample of many customers' mail",
			sample.messages, MIN_MESSAGES);
	if (worst == 0)
		worst = suggest(&sample, percent);
	g_hash_table_unref(sample.candidates);
	ms_runtime_unref(sample.runtime);
	return worst;
}
