#include "config.h"

#include <jansson.h>
#include <string.h>
#include <sys/wait.h>

#include "missent/answer.h"
#include "missent/quarantine.h"
#include "missent/text.h"

bool ms_mta_run(const MsMta *mta, const char *verb, const char *queue_id, char **output_out,
	GError **error)
{
	const char *argv[6];
	int n = 0;
	argv[n++] = mta->program;
	if (mta->config != NULL) {
		argv[n++] = "--config";
		argv[n++] = mta->config;
	}
	argv[n++] = verb;
	argv[n++] = queue_id;
	argv[n] = NULL;
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;
	int status;
	if (!g_spawn_sync("/", (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, &complaint,
		    &status, error))
		return false;
	if (status != 0) {
		g_autofree char *safe = ms_text_escape(g_strstrip(complaint), -1, 500);
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s %s: %s", verb,
			queue_id != NULL ? queue_id : "",
			*safe != '\0' ? safe : "missent-release failed");
		return false;
	}
	*output_out = g_steal_pointer(&output);
	return true;
}

static void queued_free(gpointer data)
{
	MsQueued *queued = data;
	g_free(queued->queue_id);
	g_free(queued->queue);
	g_free(queued->sender);
	g_free(queued);
}

static const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

/* `postqueue -j`: one JSON object a line. */
static void take_line(GHashTable *queue, const char *line)
{
	json_t *object = json_loads(line, 0, NULL);
	if (json_is_object(object)) {
		MsQueued *queued = g_new0(MsQueued, 1);
		queued->queue_id = g_strdup(member(object, "queue_id"));
		queued->queue = g_strdup(member(object, "queue_name"));
		queued->sender = g_strdup(member(object, "sender"));
		queued->arrived = json_integer_value(json_object_get(object, "arrival_time"));
		queued->size = (guint64)json_integer_value(json_object_get(object, "message_size"));
		g_hash_table_replace(queue, queued->queue_id, queued);
	}
	json_decref(object);
}

GHashTable *ms_mta_queue(const MsMta *mta, GError **error)
{
	g_autofree char *output = NULL;
	if (!ms_mta_run(mta, "list", NULL, &output, error))
		return NULL;
	GHashTable *queue = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, queued_free);
	g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
	for (int i = 0; lines[i] != NULL; i++)
		take_line(queue, lines[i]);
	return queue;
}

/* The queue file is made at MAIL FROM, our record at the end of the message. */
#define MAX_TRANSFER_SECONDS 7200

bool ms_mta_is_same(const MsRecord *record, const MsQueued *queued)
{
	gint64 recorded = record->arrived / G_USEC_PER_SEC;
	return g_ascii_strcasecmp(record->sender, queued->sender) == 0
		&& queued->arrived <= recorded + 2
		&& recorded - queued->arrived <= MAX_TRANSFER_SECONDS;
}
