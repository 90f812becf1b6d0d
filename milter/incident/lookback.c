/*
 * Looking back: another mapping, other policies and the trail come in; what they would have said
 * of each message goes out.  The mapping is loaded into a folder of its own, made for this; of
 * its values and the trail's key a table is made, by which digests become values again, as far as
 * the mapping has them.  Then directory and judge are asked as for mail.  One thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/policy.h"

#include "incident_private.h"

/* Of a file within several as one. */
typedef struct {
	gint64 before; /* lines */
	gint64 less;   /* to be taken from a line's number for that in its own file */
} Start;

typedef struct {
	const MsLookback *ask;
	MsLookbackSum *sum;
	MsDirectory *directory;
	MsPolicies *policies;
	GHashTable *values;    /* of an identifier's digest: MsIdentifier */
	GHashTable *addresses; /* of a recipient's digest: canonical */
	GHashTable *domains;   /* of a domain's digest: its name */
	GHashTable *words;     /* of the digest of a word of somebody's name: the word */
	GHashTable *seen;      /* digests of the trail that were counted */
	GArray *starts;        /* of several files: of Start, one each */
	char *key_number;
} Look;

/* ---- the mapping ------------------------------------------------------------------------ */

static void learn_name(Look *look, const char *name)
{
	g_auto(GStrv) words = g_strsplit(name, " ", -1);
	for (char **word = words; *word != NULL; word++)
		g_hash_table_insert(look->words,
			ms_audit_id(look->ask->key, MS_AUDIT_NAME, *word), g_strdup(*word));
}

static void learn(const char *account, const char *kind, const char *value, void *user)
{
	(void)account;
	Look *look = user;
	const char *at = strrchr(value, '@');
	if (strcmp(kind, MS_ROW_RECEIVES_FOR) == 0)
		return;
	if (strcmp(kind, MS_ROW_GREETED_AS) == 0) {
		learn_name(look, value);
		return;
	}
	if (strcmp(kind, MS_ROW_RECIPIENT) != 0) {
		g_hash_table_insert(look->values, ms_audit_id(look->ask->key, kind, value),
			ms_identifier_new(kind, value));
		return;
	}
	if (at != NULL)
		g_hash_table_insert(look->domains, ms_audit_id(look->ask->key, "domain", at + 1),
			g_strdup(at + 1));
	if (at != value)
		g_hash_table_insert(look->addresses, ms_audit_id(look->ask->key, "address", value),
			g_strdup(value));
}

/* A heading is said once. */
static const char *behind_heading(const char *text)
{
	const char *start = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
	start += *start == '"';
	if (g_ascii_strncasecmp(start, "account", 7) != 0 || g_ascii_isalnum(start[7]) ||
		start[7] == '-')
		return text;
	const char *end = strchr(start, '\n');
	return end != NULL ? end + 1 : "";
}

static int fails(const char *path, GError **error)
{
	g_set_error(error, MS_ERROR, MS_ERROR_ABSENT, "%s: %s", path, g_strerror(errno));
	return -1;
}

static gint64 lines_in(const char *text, const char *end)
{
	gint64 n = 0;
	for (const char *at = text; at < end; at++)
		n += *at == '\n';
	return n;
}

/* `*lines_io`: of all before it.  `*less_out`: what is to be taken from the number of a line of
 * all for that of its own file, whose heading may be left out. */
static bool append_file(FILE *out, const char *path, bool first, gint64 *lines_io,
	gint64 *less_out, GError **error)
{
	g_autofree char *text = NULL;
	gsize len = 0;
	if (!g_file_get_contents(path, &text, &len, NULL))
		return fails(path, error) >= 0;
	if (!g_utf8_validate(text, (gssize)len, NULL))
		return ms_fail_input(error, "%s: several files must be UTF-8", path);
	const char *rest = first ? text : behind_heading(text);
	bool ends = *rest == '\0' || rest[strlen(rest) - 1] == '\n';
	*less_out = *lines_io - lines_in(text, rest);
	*lines_io += lines_in(rest, rest + strlen(rest)) + !ends;
	return (fputs(rest, out) >= 0 && (ends || fputc('\n', out) != EOF)) ||
		ms_fail_input(error, "%s", g_strerror(errno));
}

static bool append_all(Look *look, int fd, const char *const *paths, GError **error)
{
	gint64 lines = 0;
	int again = dup(fd);
	FILE *out = again >= 0 ? fdopen(again, "w") : NULL;
	if (out == NULL && again >= 0)
		close(again);
	bool fine = out != NULL || fails(paths[0], error) >= 0;
	for (int i = 0; fine && paths[i] != NULL; i++) {
		Start start = {lines, 0};
		fine = append_file(out, paths[i], i == 0, &lines, &start.less, error);
		g_array_append_val(look->starts, start);
	}
	if (out != NULL && fclose(out) != 0 && fine)
		fine = fails(paths[0], error) >= 0;
	return fine;
}

/* One file as it is; of several one of all, which is in clear, and so is nowhere any more once
 * this process has ended, however it ends.  -1: why not. */
static int open_mapping(
	Look *look, const char *const *paths, const char *folder, GError **error)
{
	if (paths[1] == NULL) {
		int one = open(paths[0], O_RDONLY | O_CLOEXEC);
		bool folder_there = one >= 0 && g_file_test(paths[0], G_FILE_TEST_IS_DIR);
		if (one >= 0 && !folder_there)
			return one;
		ms_io_close(one);
		errno = folder_there ? EISDIR : errno;
		return fails(paths[0], error);
	}
	g_autofree char *path = g_build_filename(folder, "mapping.csv", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fails(path, error);
	if (unlink(path) == 0 && append_all(look, fd, paths, error) && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if (error == NULL || *error == NULL)
		fails(path, error);
	close(fd);
	return -1;
}

/* By the name of its file, and the number that it has there. */
static void take_bad(guint64 line, const char *why, void *user)
{
	Look *look = user;
	const MsLookback *ask = look->ask;
	gint64 at = (gint64)line;
	guint i = 0;
	if (ask->bad == NULL)
		return;
	while (i + 1 < look->starts->len && g_array_index(look->starts, Start, i + 1).before < at)
		i++;
	if (i < look->starts->len)
		at -= g_array_index(look->starts, Start, i).less;
	ask->bad(ask->csv[i], (guint64)at, why, ask->user);
}

static bool load_mapping(Look *look, const char *folder, GError **error)
{
	const MsSettings *s = look->ask->settings;
	g_autofree char *file = g_build_filename(folder, "mapping.db", NULL);
	const MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = file,
		.key_file = s->key_file,
		.house = s->house,
		.house_file = s->house_file,
		.house_needed = s->house_needed,
		.tag_separators = s->tag_separators,
		.judging = &s->judging};
	const char *csv = look->ask->csv[0];
	const MsImportOptions options = {
		.max_shrink = 1, .max_moved = 1, .max_bad = 0.01, .source = csv, .bad = take_bad,
		.user = look};
	MsImportResult result;
	look->directory = ms_directory_open(&settings, look->ask->kinds, error);
	int fd = look->directory != NULL ? open_mapping(look, look->ask->csv, folder, error) : -1;
	if (fd < 0)
		return false;
	bool fine = ms_directory_import(look->directory, fd, &options, &result, error);
	close(fd);
	look->sum->bad = fine ? result.bad : 0;
	if (!fine && look->ask->csv[1] == NULL)
		g_prefix_error(error, "%s: ", csv);
	else if (!fine)
		g_prefix_error(error, "%s and the files behind it, as one: ", csv);
	return fine && ms_directory_each(look->directory, learn, look, error) == MS_FOUND;
}

/* ---- a line becomes what the judge is asked ---------------------------------------------- */

static void count_seen(Look *look, const char *id, bool known, guint64 *all, guint64 *unseen)
{
	if (!g_hash_table_add(look->seen, g_strdup(id)))
		return;
	(*all)++;
	*unseen += !known;
}

static guint belief_of(const char *words)
{
	static const guint beliefs[MS_N_LEVELS] = {
		MS_BELIEF_EXACT, MS_BELIEF_CHECKED, MS_BELIEF_LABELLED, MS_BELIEF_SHAPE,
		MS_BELIEF_EITHER};
	guint belief = 0;
	for (int i = 0; i < MS_N_LEVELS; i++)
		belief |= strstr(words, ms_level_names[i]) != NULL ? beliefs[i] : 0;
	return belief;
}

/* NULL: nothing else was meant. */
static GPtrArray *either_of(const Look *look, const json_t *list)
{
	GPtrArray *either = list != NULL ? ms_identifiers_new() : NULL;
	for (gsize i = 0; i < json_array_size(list); i++) {
		const char *id = json_string_value(json_array_get(list, i));
		const MsIdentifier *known = id != NULL ? g_hash_table_lookup(look->values, id)
						       : NULL;
		if (known != NULL)
			g_ptr_array_add(either,
				ms_identifier_new(known->kind, ms_identifier_raw(known)));
	}
	return either;
}

/* What the new mapping has not keeps its digest for a value, which nobody owns. */
static void add_finding(Look *look, MsReading *reading, const json_t *row)
{
	const char *kind = line_text(row, "kind"), *id = line_text(row, "id");
	const MsIdentifier *known = g_hash_table_lookup(look->values, id);
	if (*id == '\0' || ms_kinds_find(look->ask->kinds, kind) == NULL)
		return;
	g_autofree char *digest = g_ascii_strup(id, -1);
	count_seen(
		look, id, known != NULL, &look->sum->identifiers, &look->sum->unseen_identifiers);
	g_autoptr(GPtrArray) either = either_of(look, json_object_get(row, "either"));
	ms_reading_find_either(reading, kind, known != NULL ? ms_identifier_raw(known) : digest,
		either, belief_of(line_text(row, "belief")), 0,
		ms_place_new("recorded", "", 0, 0, 0));
}

/* A word that the new mapping has not in any name becomes one of letters, which is nobody's. */
static void add_greeted(Look *look, MsReading *reading, const json_t *json)
{
	const json_t *list = json_object_get(json, "greeted");
	look->sum->unknown_greeted += list == NULL && json_object_get(json, "identifiers") != NULL;
	for (gsize i = 0; i < json_array_size(list); i++) {
		const char *id = json_string_value(json_array_get(list, i));
		const char *known = id != NULL ? g_hash_table_lookup(look->words, id) : NULL;
		g_autofree char *word = g_strdup(known != NULL ? known : id != NULL ? id : "");
		for (char *c = word; known == NULL && *c != '\0'; c++)
			*c = g_ascii_isdigit(*c) ? (char)('g' + (*c - '0')) : *c;
		if (*word != '\0')
			ms_reading_greet(reading, word);
	}
}

static MsReading *reading_of(Look *look, const json_t *json)
{
	MsReading *reading = ms_reading_new();
	const json_t *list = json_object_get(json, "identifiers"),
		     *causes = json_object_get(json, "unread_causes");
	/* Conditions on headers and attachments were met by the policies that it was under, and
	 * by no other. */
	MsHeader *header = g_new0(MsHeader, 1);
	header->name = g_strdup("Recorded");
	header->value = g_strdup("");
	g_ptr_array_add(reading->headers, header);
	for (gsize i = 0; i < json_array_size(list); i++)
		add_finding(look, reading, json_array_get(list, i));
	add_greeted(look, reading, json);
	for (int i = 0; i < MS_N_UNREAD; i++)
		if (line_number(causes, ms_unread_names[i]) > 0)
			ms_reading_unread(reading, "recorded", (MsUnreadReason)i, "as recorded");
	return reading;
}

static char *address_of(Look *look, const json_t *to)
{
	const char *id = line_text(to, "id");
	const char *known = g_hash_table_lookup(look->addresses, id);
	const char *domain = g_hash_table_lookup(look->domains, line_text(to, "domain"));
	count_seen(look, id, known != NULL || domain != NULL, &look->sum->recipients,
		&look->sum->unseen_recipients);
	if (known != NULL)
		return g_strdup(known);
	return g_strdup_printf("%s@%s", id, domain != NULL ? domain : "recorded.invalid");
}

static MsEnvelope *envelope_of(Look *look, const json_t *json)
{
	MsEnvelope *envelope = ms_envelope_new();
	const json_t *to = json_object_get(json, "to"),
		     *policies = json_object_get(json, "policies");
	gsize n = json_array_size(policies);
	envelope->sender = g_strdup("");
	envelope->policies = g_new0(char *, n + 1);
	for (gsize i = 0, k = 0; i < n; i++)
		if (json_is_string(json_array_get(policies, i)))
			envelope->policies[k++] = g_strdup(
				json_string_value(json_array_get(policies, i)));
	for (gsize i = 0; i < json_array_size(to); i++)
		g_ptr_array_add(envelope->recipients, address_of(look, json_array_get(to, i)));
	return envelope;
}

static bool has_policy_of(const Look *look, const MsEnvelope *envelope)
{
	for (guint i = 0; i < ms_policies_count(look->policies); i++) {
		bool enforced;
		if (g_strv_contains((const char *const *)envelope->policies,
			    ms_policies_nth(look->policies, i, &enforced)))
			return true;
	}
	return false;
}

static MsVerdict *judge(
	Look *look, const MsEnvelope *envelope, const MsReading *reading, GError **error)
{
	g_autoptr(GPtrArray) identifiers = ms_reading_identifiers(reading->findings);
	g_autoptr(MsResolution) resolution = NULL;
	if (ms_directory_resolve_greeted(look->directory,
		    (const MsIdentifier *const *)identifiers->pdata, identifiers->len,
		    (const char *const *)envelope->recipients->pdata, envelope->recipients->len,
		    ms_policy_greeted(envelope, reading), &resolution, error) != MS_FOUND)
		return NULL;
	if (ms_resolution_over(resolution) != NULL)
		return ms_policy_judge(
			look->policies, envelope, reading, NULL, ms_resolution_over(resolution));
	return ms_policy_judge(look->policies, envelope, reading, resolution, NULL);
}

/* ---- what came of it ---------------------------------------------------------------------- */

static bool greets_another(const MsVerdict *verdict)
{
	for (guint i = 0; i < verdict->reasons->len; i++)
		if (((MsReason *)verdict->reasons->pdata[i])->code == MS_SALUTATION)
			return true;
	return false;
}

static void tell(Look *look, const MsAuditLine *line, const MsVerdict *verdict, MsAction was)
{
	const json_t *to = json_object_get(line->json, "to");
	g_autofree char *codes = ms_verdict_codes(verdict, MIN(MS_SPLIT, verdict->would));
	MsLookbackRow row = {.time = line->time,
		.host = line_text(line->json, "host"),
		.queue_id = line_text(line->json, "queue_id"),
		.was = ms_action_names[was],
		.would = ms_action_names[verdict->would],
		.codes = codes,
		.sender = line_text(line->json, "sender"),
		.recipient = ""};
	for (guint i = 0; i < verdict->outcomes->len; i++) {
		const json_t *recipient = json_array_get(to, i);
		if (verdict->outcomes->data[i] != MS_OUTCOME_WRONG ||
			(was == MS_SPLIT && json_is_true(json_object_get(recipient, "withheld"))))
			continue;
		if (row.wrong++ == 0)
			row.recipient = line_text(recipient, "address");
	}
	look->sum->wrong += row.wrong > 0;
	look->ask->found(&row, look->ask->user);
}

static bool look_again(Look *look, const MsAuditLine *line, GError **error)
{
	const json_t *json = line->json;
	MsAction was = (MsAction)line_word(json, "verdict", ms_action_names, MS_DELIVER);
	MsAction said = (MsAction)line_word(json, "would", ms_action_names, MS_DELIVER);
	g_autoptr(MsReading) reading = reading_of(look, json);
	g_autoptr(MsEnvelope) envelope = envelope_of(look, json);
	g_autoptr(MsVerdict) verdict = judge(look, envelope, reading, error);
	if (verdict == NULL)
		return false;
	bool went = was <= MS_SPLIT;
	look->sum->again++;
	look->sum->no_policy += !has_policy_of(look, envelope);
	look->sum->cut += line_number(json, "identifiers_more") > 0 ||
		line_number(json, "to_more") > 0;
	if (went && verdict->would >= MS_SPLIT && said >= MS_SPLIT)
		look->sum->known++;
	else if (went && verdict->would >= MS_SPLIT)
		look->sum->leaks++;
	else if (!went && verdict->would < MS_SPLIT)
		look->sum->let_go++;
	bool greets = went && greets_another(verdict);
	look->sum->greet_others += greets;
	if (went && (verdict->would >= MS_SPLIT || greets) && said < MS_SPLIT)
		tell(look, line, verdict, was);
	return true;
}

static bool take_line(const MsAuditLine *line, void *user, GError **error)
{
	Look *look = user;
	look->sum->damaged += line->json == NULL;
	if (line->json == NULL || strcmp(line->type, "message") != 0
		|| strcmp(line_text(line->json, "verdict"), ms_action_names[MS_TEMPFAIL]) == 0)
		return true;
	const char *key = line_text(line->json, "key");
	look->sum->judged++;
	if (*key == '\0')
		look->sum->without_digests++;
	else if (strcmp(key, look->key_number) != 0)
		look->sum->other_key++;
	else
		return look_again(look, line, error);
	return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void free_identifier(void *data)
{
	ms_identifier_free(data);
}

static bool run(Look *look, const char *folder, const char *trail, GError **error)
{
	const MsLookback *ask = look->ask;
	g_auto(MsAuditProof) proof = {0};
	look->policies = ms_policies_load(ask->policies, ask->kinds, MS_MODE_ENFORCE, error);
	if (look->policies != NULL)
		ms_policies_tags(look->policies, ask->settings->tag_separators);
	bool fine = look->policies != NULL && load_mapping(look, folder, error) &&
		ms_audit_each_proven(trail, ask->from, ask->to, take_line, look, &proof, error);
	look->sum->plain = proof.plain;
	look->sum->not_whole = proof.wrong;
	return fine;
}

bool ms_incident_look_back(
	const MsLookback *ask, const char *trail, MsLookbackSum *sum_out, GError **error)
{
	MsLookbackSum sum = {0};
	Look look = {.ask = ask, .sum = &sum};
	/* The mapping stands in it in clear. */
	g_autoptr(MsScratch) scratch = ms_io_scratch("missent-rejudge", error);
	if (scratch == NULL)
		return false;
	look.values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_identifier);
	look.addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	look.domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	look.words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	look.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	look.starts = g_array_new(FALSE, FALSE, sizeof(Start));
	look.key_number = ms_audit_key_number(ask->key);
	bool fine = run(&look, ms_io_scratch_path(scratch), trail, error);
	ms_directory_free(look.directory);
	ms_policies_free(look.policies);
	g_hash_table_unref(look.values);
	g_hash_table_unref(look.addresses);
	g_hash_table_unref(look.domains);
	g_hash_table_unref(look.words);
	g_hash_table_unref(look.seen);
	g_array_unref(look.starts);
	g_free(look.key_number);
	if (fine)
		*sum_out = sum;
	return fine;
}
