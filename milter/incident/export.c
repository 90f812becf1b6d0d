/*
 * A line of the trail comes in; the same in a public form goes out.  Pure functions.
 *
 * ECS: Elastic Common Schema 8.11, fields of event, email, host, observer, rule, source and user.
 * OCSF 1.6: Data Security Finding (2006) for a message that is concerned, Email Activity (4009)
 * for any other.  What neither has a field for stands under "missent" and "unmapped".
 */
#include "config.h"

#include <string.h>

#include "incident_private.h"

#define ECS_VERSION "8.11.0"
#define OCSF_VERSION "1.6.0"

/* ---- both ------------------------------------------------------------------------------- */

static void set(json_t *object, const char *name, json_t *value)
{
	if (value != NULL)
		json_object_set_new(object, name, value);
}

/* What a line has under that name, unless it is null. */
static json_t *same(const json_t *json, const char *name)
{
	json_t *value = json_object_get(json, name);
	return value != NULL && !json_is_null(value) ? json_incref(value) : NULL;
}

static void copy(json_t *to, const char *as, const json_t *json, const char *name)
{
	set(to, as, same(json, name));
}

static json_t *addresses_of(const json_t *json)
{
	const json_t *to = json_object_get(json, "to");
	json_t *list = json_array();
	for (gsize i = 0; i < json_array_size(to); i++)
		json_array_append_new(
			list, json_string(line_text(json_array_get(to, i), "address")));
	return list;
}

static json_t *codes_of(const json_t *json)
{
	const json_t *reasons = json_object_get(json, "reasons");
	json_t *list = json_array();
	for (gsize i = 0; i < json_array_size(reasons); i++) {
		const char *code = line_text(json_array_get(reasons, i), "reason");
		bool there = false;
		for (gsize k = 0; k < json_array_size(list); k++)
			there = there ||
				strcmp(json_string_value(json_array_get(list, k)), code) == 0;
		if (!there)
			json_array_append_new(list, json_string(code));
	}
	return list;
}

static bool is_message(const MsAuditLine *line)
{
	return strcmp(line->type, "message") == 0;
}

/* Fields that stand elsewhere; all others are kept under a name of ours. */
static json_t *rest_of(const json_t *json, const char *const *told)
{
	json_t *rest = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)json, name, value)
		if (!g_strv_contains(told, name) && !json_is_null(value))
			json_object_set(rest, name, value);
	return rest;
}

static bool is_address(const char *text)
{
	return strchr(text, '.') != NULL || strchr(text, ':') != NULL;
}

/* ---- ECS -------------------------------------------------------------------------------- */

static const char *outcome_of(const MsAuditLine *line)
{
	if (!is_message(line))
		return strstr(line_text(line->json, "event"), "failed") != NULL ||
				strcmp(line_text(line->json, "detail"), "failed") == 0
			? "failure"
			: "success";
	return strcmp(line_text(line->json, "verdict"), ms_action_names[MS_TEMPFAIL]) == 0
		? "failure"
		: "success";
}

static json_t *ecs_event(const MsAuditLine *line)
{
	const json_t *json = line->json;
	bool message = is_message(line);
	const char *action = message ? line_text(json, "verdict") : line_text(json, "event");
	bool acts = strcmp(line->type, "act") == 0;
	json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "kind",
		message || acts ? "event" : "metric", "module", "missent", "dataset",
		"missent.audit", "action", *action != '\0' ? action : line->type, "outcome",
		outcome_of(line), "sequence", (json_int_t)line->number);
	if (message) {
		set(event, "category", json_pack("[s]", "email"));
		set(event, "type", json_pack("[s]", "info"));
		set(event, "duration",
			json_integer((json_int_t)line_number(json, "microseconds") * 1000));
		g_autofree char *id = g_strjoin("/", line_text(json, "host"),
			line_text(json, "queue_id"), line_text(json, "arrived"), NULL);
		set(event, "id", json_string(id));
		const json_t *reasons = json_object_get(json, "reasons");
		if (json_array_size(reasons) > 0)
			copy(event, "reason", json_array_get(reasons, 0), "reason");
	} else if (acts) {
		set(event, "category", json_pack("[s]", "configuration"));
		set(event, "type", json_pack("[s]", "info"));
	}
	return event;
}

static json_t *ecs_attachments(const json_t *json)
{
	const json_t *documents = json_object_get(json, "documents");
	json_t *list = json_array();
	for (gsize i = 0; i < json_array_size(documents); i++) {
		const json_t *row = json_array_get(documents, i);
		const char *ending = line_text(row, "ending"), *type = line_text(row, "type");
		json_t *file = json_object();
		copy(file, "size", row, "size");
		if (*ending == '.')
			set(file, "extension", json_string(ending + 1));
		if (strchr(type, '/') != NULL)
			set(file, "mime_type", json_string(type));
		json_array_append_new(list, json_pack("{s:o}", "file", file));
	}
	return list;
}

static void ecs_message(json_t *out, const json_t *json)
{
	json_t *email = json_pack("{s:s, s:{s:[s]}, s:{s:s}, s:{s:o}, s:o}", "direction",
		"outbound", "from", "address", line_text(json, "sender"), "sender", "address",
		line_text(json, "sender"), "to", "address", addresses_of(json), "attachments",
		ecs_attachments(json));
	copy(email, "local_id", json, "queue_id");
	set(out, "email", email);
	if (is_address(line_text(json, "client")))
		set(out, "source",
			json_pack("{s:s, s:s}", "address", line_text(json, "client"), "ip",
				line_text(json, "client")));
	json_t *policies = json_object_get(json, "policies");
	if (json_array_size(policies) > 0)
		set(out, "rule", json_pack("{s:O}", "name", policies));
}

static json_t *ecs_of(const MsAuditLine *line)
{
	static const char *const told[] = {
		"time", "host", "queue_id", "client", "policies", "sender", "who", "event", NULL};
	const json_t *json = line->json;
	json_t *out = json_pack("{s:s, s:{s:s}, s:o, s:{s:s, s:s, s:s, s:s}}", "@timestamp",
		line_text(json, "time"), "ecs", "version", ECS_VERSION, "event", ecs_event(line),
		"observer", "product", "missent", "vendor", "missent", "type", "email-gateway",
		"version", PACKAGE_VERSION);
	if (*line_text(json, "host") != '\0')
		set(out, "host",
			json_pack("{s:s, s:s}", "name", line_text(json, "host"), "hostname",
				line_text(json, "host")));
	if (is_message(line))
		ecs_message(out, json);
	else if (is_address(line_text(json, "client")))
		set(out, "source", json_pack("{s:s}", "address", line_text(json, "client")));
	if (*line_text(json, "who") != '\0')
		set(out, "user", json_pack("{s:s}", "name", line_text(json, "who")));
	json_t *rest = rest_of(json, told);
	json_object_set_new(rest, "type", json_string(line->type));
	set(out, "missent", rest);
	return out;
}

/* ---- OCSF ------------------------------------------------------------------------------- */

typedef struct {
	int id;
	const char *name;
} Word;

/* disposition_id */
static const Word dispositions[MS_N_ACTIONS] = {[MS_DELIVER] = {1, "Allowed"},
	[MS_TAG] = {18, "Tagged"},
	[MS_SPLIT] = {3, "Quarantined"},
	[MS_DELAY] = {3, "Quarantined"},
	[MS_HOLD] = {3, "Quarantined"},
	[MS_REJECT] = {25, "Rejected"},
	[MS_TEMPFAIL] = {14, "Delayed"}};

static json_t *ocsf_email(const json_t *json)
{
	json_t *email = json_pack(
		"{s:s, s:o}", "from", line_text(json, "sender"), "to", addresses_of(json));
	copy(email, "size", json, "size");
	copy(email, "uid", json, "queue_id");
	return email;
}

static void ocsf_finding(json_t *out, const json_t *json, const char *uid)
{
	set(out, "finding_info",
		json_pack("{s:s, s:s, s:o}", "uid", uid, "title", "A message with another's data",
			"types", codes_of(json)));
	set(out, "data_security",
		json_pack("{s:i, s:s, s:i, s:s}", "detection_system_id", 6, "detection_system",
			"Secure Email Gateway", "data_lifecycle_state_id", 2,
			"data_lifecycle_state", "Data in-Transit"));
}

static json_t *ocsf_of(const MsAuditLine *line)
{
	static const char *const told[] = {"time", "host", "queue_id", "sender", "size", NULL};
	const json_t *json = line->json;
	if (!is_message(line))
		return NULL;
	bool concerned = line_word(json, "would", ms_action_names, MS_DELIVER) >= MS_TAG;
	const Word *disposition =
		&dispositions[line_word(json, "verdict", ms_action_names, MS_DELIVER)];
	int class = concerned ? 2006 : 4009, activity = 1;
	g_autofree char *uid = g_strjoin("/", line_text(json, "host"), line_text(json, "queue_id"),
		line_text(json, "arrived"), NULL);
	json_t *out = json_pack(
		"{s:i, s:i, s:i, s:i, s:i, s:I, s:i, s:s, s:{s:s, s:s, s:[s, s], s:{s:s, s:s, s:s}}}",
		"category_uid", class / 1000, "class_uid", class, "activity_id", activity,
		"type_uid", class * 100 + activity, "severity_id", concerned ? 3 : 1, "time",
		(json_int_t)(line->time / 1000), "disposition_id", disposition->id, "disposition",
		disposition->name, "metadata", "version", OCSF_VERSION, "uid", uid, "profiles",
		"security_control", "host", "product", "name", "missent", "vendor_name", "missent",
		"version", PACKAGE_VERSION);
	set(out, "device",
		json_pack("{s:s, s:i}", "hostname", line_text(json, "host"), "type_id", 0));
	if (concerned)
		ocsf_finding(out, json, uid);
	else
		set(out, "direction_id", json_integer(2));
	json_t *email = ocsf_email(json);
	if (concerned)
		set(out, "evidences", json_pack("[{s:o}]", "email", email));
	else
		set(out, "email", email);
	set(out, "unmapped", rest_of(json, told));
	return out;
}

char *ms_audit_export(const MsAuditLine *line, MsExport format)
{
	json_t *out = line->json == NULL  ? NULL
		: format == MS_EXPORT_ECS ? ecs_of(line)
					  : ocsf_of(line);
	char *text = out != NULL ? json_dumps(out, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(out);
	return text;
}
