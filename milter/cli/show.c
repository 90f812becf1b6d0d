/*
 * missent config show: what is in effect, and where it is said: every setting with file and line,
 * or as a default; for people and, --json, for programs.  The tool's one thread.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "missent/policy.h"

#include "cli.h"

typedef struct {
	const Cli *cli;
	const MsSettings *settings;
	json_t *json; /* NULL: for people */
} Show;

/* Defaults that are worked out: a row each. */
static const char *worked_out(const MsSettings *s, const char *section, const char *key)
{
	const struct {
		const char *section, *key, *value;
	} rows[] = {{"", "host", s->host}, {"", "policy-dir", s->policy_dir},
		{"", "kinds-file", s->kinds_file}, {"", "audit-file", s->audit_file},
		{"directory", "sqlite-file", s->sqlite_file},
		{"directory", "key-file", s->key_file},
		{"guard", "sqlite-file", s->guard.sqlite_file},
		{"guard", "key-file", s->guard.key_file},
		{"review", "accounts-file", s->review.accounts_file},
		{"review", "audit-file", s->review.audit_file},
		{"review", "mirror-file", s->review.mirror_file}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return rows[i].value;
	return NULL;
}

static bool is_secret(const char *section, const char *key)
{
	return strcmp(section, "reader") == 0 && strcmp(key, "passwords") == 0;
}

/* The values in effect, of char *; empty: not set.  The caller's. */
static GPtrArray *values_of(
	const Show *show, const MsSection *section, const char *name, const MsRow *row)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	const char *const *list = row->type == MS_ROW_LIST ? ms_section_list(section, row->key)
							   : NULL;
	const char *text = row->type == MS_ROW_LIST ? NULL : ms_section_text(section, row->key);
	if (text == NULL && list == NULL)
		text = worked_out(show->settings, name, row->key);
	if (text == NULL && strcmp(name, "reader") == 0 && strcmp(row->key, "workers") == 0)
		g_ptr_array_add(out, g_strdup_printf("%u", show->settings->reader_workers));
	if (list != NULL && list[0] == NULL && strcmp(name, "guard") == 0 &&
		strcmp(row->key, "customer-kinds") == 0 && !ms_section_given(section, row->key))
		list = show->settings->guard.limits.customers;
	for (; list != NULL && *list != NULL; list++)
		g_ptr_array_add(out, g_strdup(is_secret(name, row->key) ? "***" : *list));
	if (text != NULL)
		g_ptr_array_add(out, g_strdup(text));
	return out;
}

static json_t *json_of(const MsSection *section, const MsRow *row, const GPtrArray *values)
{
	json_t *value = row->type == MS_ROW_LIST ? json_array()
		: values->len > 0                ? json_string(values->pdata[0])
						 : json_null();
	for (guint i = 0; row->type == MS_ROW_LIST && i < values->len; i++)
		json_array_append_new(value, json_string(values->pdata[i]));
	int line = ms_section_key_line(section, row->key);
	bool given = ms_section_given(section, row->key);
	json_t *out = json_pack("{s:o, s:b}", "value", value, "default", (int)!given);
	if (given) {
		json_object_set_new(out, "file", json_string(ms_section_key_file(section, row->key)));
		json_object_set_new(out, "line", json_integer(line));
	}
	return out;
}

static void print_value(const Show *show, const MsSection *section, const MsRow *row,
	const GPtrArray *values, const char *indent)
{
	g_autoptr(GString) text = g_string_new(NULL);
	bool given = ms_section_given(section, row->key);
	if (row->type == MS_ROW_LIST) {
		for (guint i = 0; i < values->len; i++)
			g_string_append_printf(
				text, "%s\"%s\"", i > 0 ? ", " : "", (char *)values->pdata[i]);
		g_string_append_c(g_string_prepend_c(text, '{'), '}');
	} else if (values->len > 0) {
		g_string_printf(text, "\"%s\"", (char *)values->pdata[0]);
	}
	g_autofree char *left = values->len == 0 && row->type != MS_ROW_LIST
		? g_strdup_printf("# %s is not set", row->key)
		: g_strdup_printf("%s = %s", row->key, text->str);
	g_autofree char *safe = cli_cell(left, 0),
			*cell = g_utf8_strlen(safe, -1) < 44 ? cli_cell(safe, 44) : g_strdup(safe);
	printf("%s%s%s%s", given ? cli_colour(show->cli, BOLD) : "", indent, cell,
		cli_colour(show->cli, PLAIN));
	if (given)
		printf("  # %s:%d\n", ms_section_key_file(section, row->key),
			ms_section_key_line(section, row->key));
	else
		printf("%s", values->len == 0 && row->type != MS_ROW_LIST ? "\n" : "  # default\n");
}

/* Settings of a block before the blocks in it. */
static void show_block(const Show *show, const MsSection *section, const MsRow *rows,
	const char *name, const char *indent, json_t *into)
{
	for (const MsRow *row = rows; row->key != NULL; row++) {
		if (row->rows != NULL)
			continue;
		g_autoptr(GPtrArray) values = values_of(show, section, name, row);
		if (into != NULL)
			json_object_set_new(into, row->key, json_of(section, row, values));
		else
			print_value(show, section, row, values, indent);
	}
	for (const MsRow *row = rows; row->key != NULL; row++) {
		if (row->type != MS_ROW_SECTION)
			continue;
		json_t *below = into != NULL ? json_object() : NULL;
		if (into == NULL)
			printf("%s {\n", row->key);
		show_block(
			show, ms_section_sub(section, row->key), row->rows, row->key, "\t", below);
		if (into == NULL)
			printf("}\n");
		else
			json_object_set_new(into, row->key, below);
	}
}

static void show_policy(const MsSection *section, const MsRow *rows, void *user)
{
	const Show *show = user;
	json_t *into = show->json != NULL ? json_object() : NULL;
	g_autofree char *title = cli_cell(ms_section_title(section), 0);
	if (into == NULL)
		printf("policy \"%s\" {%*s# %s:%d\n", title, (int)MAX(42 - (int)strlen(title), 1),
			"", ms_section_file(section), ms_section_line(section));
	/* "policy": no default of these is worked out, but for the mode, which missent.conf has. */
	show_block(show, section, rows, "policy", "\t", into);
	if (into == NULL)
		printf("}\n");
	else
		json_object_set_new(
			json_object_get(show->json, "policies"), ms_section_title(section), into);
}

int cli_config_show(Cli *cli, bool json, bool policies)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MsSettings) settings = ms_settings_load_public(cli->config, &error);
	if (settings == NULL)
		return cli_fail_error(error);
	Show show = {cli, settings, json ? json_object() : NULL};
	json_t *into = json ? json_object() : NULL;
	show_block(&show, settings->root, ms_settings_rows, "", "", into);
	if (json) {
		json_object_set_new(show.json, "settings", into);
		json_object_set_new(show.json, "policies", json_object());
	}
	bool fine = !policies ||
		ms_policies_sections(settings->policy_dir, show_policy, &show, &error);
	if (fine && json)
		cli_print_json(show.json);
	else
		json_decref(show.json);
	return fine ? 0 : cli_fail_error(error);
}
