/*
 * `missent completion bash|zsh`: the tables of commands come in, and the options that each
 * command asks cli_options for; out goes a script for a shell.  So nothing is written twice: a
 * new verb or option is completed without a word here.  Each command is run with the one argument
 * that is CLI_DESCRIBE itself, not a text that says the same; what looks at arguments
 * (cli_dispatch, cli_options) then tells what it would take, does nothing, and the command ends
 * as after a wrong option.  The tool's one thread.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "missent/text.h"

#include "cli.h"

const char cli_describe[] = "--describe";

bool cli_is_described(int argc, char **argv)
{
	return argc == 3 && argv[1] == cli_describe;
}

/* One line of the table: after which words, which word, what it is. */
static void say(const char *path, const char *prefix, const char *word, const char *help)
{
	printf("%s\t%s%s\t%s\n", path, prefix, word, help != NULL ? help : "");
}

void cli_describe_verbs(Cli *cli, const char *path, const CliVerb *verbs)
{
	for (; verbs->name != NULL; verbs++) {
		say(path, "", verbs->name, verbs->help);
		g_autofree char *below = *path != '\0' ? g_strconcat(path, " ", verbs->name, NULL)
						       : g_strdup(verbs->name);
		char *argv[] = {(char *)verbs->name, (char *)cli_describe, below, NULL};
		verbs->run(cli, 3, argv);
	}
}

void cli_describe_options(const char *path, const char *summary, const GOptionEntry *entries)
{
	/* "check|show - ...": words that the command takes; "FILE|-": are none. */
	gsize n = summary != NULL ? strspn(summary, "abcdefghijklmnopqrstuvwxyz|") : 0;
	bool listed = n > 0 && summary[n] == ' ' && memchr(summary, '|', n) != NULL;
	g_autofree char *first = g_strndup(listed ? summary : "", n);
	g_auto(GStrv) words = g_strsplit(first, "|", -1);
	for (int i = 0; words[i] != NULL; i++)
		say(path, "", words[i], "");
	for (; entries != NULL && entries->long_name != NULL; entries++)
		if (!(entries->flags & G_OPTION_FLAG_HIDDEN) && *entries->long_name != '\0')
			say(path, "--", entries->long_name, entries->description);
	say(path, "--", "help", "says more");
}

/* Both shells: a table, and a function that finds the words so far in it. */
static const char in_bash[] =
	"_missent() {\n"
	"\tlocal IFS=$'\\n' cur=${COMP_WORDS[COMP_CWORD]} path= i word\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $word == -c ]]; then ((i++)); continue; fi\n"
	"\t\t[[ $word == -* ]] && continue\n"
	"\t\tif [[ $'\\n'$_missent_table != *$'\\n'\"$path\"$'\\t'\"$word\"$'\\t'* ]]; then\n"
	"\t\t\t[[ $'\\n'$_missent_table == *$'\\n'\"$path\"$'\\t'[a-z]* ]] && return\n"
	"\t\t\tbreak\n"
	"\t\tfi\n"
	"\t\tpath=${path:+$path }$word\n"
	"\tdone\n"
	"\tlocal words=() line\n"
	"\twhile IFS= read -r line; do\n"
	"\t\t[[ $line == \"$path\"$'\\t'* ]] || continue\n"
	"\t\tline=${line#\"$path\"$'\\t'}\n"
	"\t\twords+=(\"${line%%$'\\t'*}\")\n"
	"\tdone <<<\"$_missent_table\"\n"
	"\tCOMPREPLY=($(compgen -W \"${words[*]}\" -- \"$cur\"))\n"
	"}\n"
	"complete -o bashdefault -o default -F _missent missent\n";

static const char in_zsh[] =
	"_missent() {\n"
	"\tlocal at= word line i\n"
	"\tlocal -a found\n"
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\tword=$words[i]\n"
	"\t\tif [[ $word == -c ]]; then ((i++)); continue; fi\n"
	"\t\t[[ $word == -* ]] && continue\n"
	"\t\tif [[ $'\\n'$_missent_table != *$'\\n'\"$at\"$'\\t'\"$word\"$'\\t'* ]]; then\n"
	"\t\t\t[[ $'\\n'$_missent_table == *$'\\n'\"$at\"$'\\t'[a-z]* ]] && return\n"
	"\t\t\tbreak\n"
	"\t\tfi\n"
	"\t\tat=${at:+$at }$word\n"
	"\tdone\n"
	"\tfor line in ${(f)_missent_table}; do\n"
	"\t\t[[ $line == \"$at\"$'\\t'* ]] || continue\n"
	"\t\tline=${line#\"$at\"$'\\t'}\n"
	"\t\tword=${line%%$'\\t'*}\n"
	"\t\tfound+=(\"${word//:/\\\\:}:${line#*$'\\t'}\")\n"
	"\tdone\n"
	"\t_describe -t commands missent found\n"
	"\t[[ -n ${found:#--*} ]] || _files\n" /* where a verb is wanted no file is */
	"}\n"
	"(( $+functions[compdef] )) && compdef _missent missent\n"
	"[[ $funcstack[1] == _missent ]] && _missent \"$@\"\n";

/* All that can be typed, a line each; the caller frees it. */
static char *table_of(Cli *cli)
{
	char *text = NULL;
	size_t len = 0;
	FILE *kept = stdout, *memory = open_memstream(&text, &len);
	g_assert(memory != NULL); /* like malloc */
	stdout = memory; /* where each command says what it takes */
	cli_describe_verbs(cli, "", cli_commands);
	stdout = kept;
	fclose(memory);
	return text;
}

/* The verbs of the table, each with where it stands: its cells. */
static GPtrArray *verbs_of(const char *table)
{
	GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
	for (int i = 0; lines[i] != NULL; i++) {
		char **cells = g_strsplit(lines[i], "\t", 3);
		if (g_strv_length(cells) == 3 && *cells[1] != '-')
			g_ptr_array_add(out, cells);
		else
			g_strfreev(cells);
	}
	return out;
}

char *cli_elsewhere(Cli *cli, const char *word, bool near)
{
	char *table = table_of(cli);
	g_autoptr(GPtrArray) verbs = verbs_of(table), names = g_ptr_array_new();
	g_autoptr(GString) out = g_string_new(NULL);
	free(table);
	for (guint i = 0; near && i < verbs->len; i++)
		g_ptr_array_add(names, ((char **)verbs->pdata[i])[1]);
	g_ptr_array_add(names, NULL);
	const char *like = ms_text_nearest(word, (const char *const *)names->pdata);
	for (guint i = 0; i < verbs->len; i++) {
		char **cells = verbs->pdata[i];
		if (strcmp(cells[1], like != NULL ? like : word) == 0)
			g_string_append_printf(out, "%s\"missent %s%s%s\"", out->len > 0 ? " or " : "", cells[0],
				*cells[0] != '\0' ? " " : "", cells[1]);
	}
	return out->len > 0 ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

int cmd_completion(Cli *cli, int argc, char **argv)
{
	if (!cli_options(NULL, "bash|zsh - print a script that completes commands and options",
		    &argc, &argv))
		return EX_USAGE;
	bool zsh = argc == 2 && strcmp(argv[1], "zsh") == 0;
	if (!zsh && (argc != 2 || strcmp(argv[1], "bash") != 0))
		return cli_fail(EX_USAGE, "completion: bash or zsh?");
	if (zsh)
		printf("#compdef missent\n");
	printf("# Made by: missent completion %s\n_missent_table=$(cat <<'END'\n", argv[1]);
	char *table = table_of(cli);
	fputs(table, stdout);
	free(table);
	printf("END\n)\n%s", zsh ? in_zsh : in_bash);
	return 0;
}
