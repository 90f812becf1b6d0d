/*
 * Raw values are kept nowhere: who may see them has the message read again, in the sandbox.  A
 * record's name comes in, what is in its message goes out, in the thread of who looks; the look
 * is on record before.
 */
#include "config.h"

#include <jansson.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/bodydigest.h"
#include "missent/spool.h"
#include "missent/text.h"

#include "desk_private.h"

/* ---- the message ---------------------------------------------------------------------- */

static int sealed_copy(int from, GError **error)
{
	int fd = ms_memory_file("missent-spooled");
	off_t at = 0;
	ssize_t n = fd >= 0 ? 1 : -1;
	while (n > 0)
		n = sendfile(fd, from, &at, 1 << 20);
	if (n == 0 && ms_memory_seal(fd))
		return fd;
	desk_fail(error, "the spooled message cannot be read");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_queued(Desk *desk, const MsRecord *record, GError **error)
{
	GHashTable *queue = desk_queue(desk, error);
	return queue != NULL && ms_mta_queued(queue, record, error) != NULL;
}

bool desk_is_message(int fd, const char *digest)
{
	MsBodyDigest sum;
	char got[MS_BODY_DIGEST], buffer[65536];
	ms_body_digest_init(&sum);
	off_t at = 0;
	for (ssize_t n; (n = pread(fd, buffer, sizeof buffer, at)) > 0; at += n)
		ms_body_digest_message(&sum, buffer, (size_t)n);
	ms_body_digest_end(&sum, got);
	return strcmp(got, digest) == 0;
}

int desk_show_queued(Desk *desk, const MsRecord *record, GError **error)
{
	int fd = ms_mta_show(&desk->mta, record->queue_id, error);
	if (fd < 0 || desk_is_message(fd, record->digest))
		return fd;
	close(fd);
	desk_fail(error, "%s: is not, or is no longer, that message; nothing was done",
		record->queue_id);
	return -1;
}

static int open_queued(Desk *desk, const MsRecord *record, GError **error)
{
	g_autoptr(GError) why = NULL;
	bool there = is_queued(desk, record, &why);
	if (!there && why == NULL) {
		desk_forget_queue(desk); /* it may have come in since we looked */
		there = is_queued(desk, record, &why);
	}
	if (there)
		return desk_show_queued(desk, record, error);
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	else
		desk_fail(
			error, "%s: the message is no longer in the MTA's queue", record->queue_id);
	return -1;
}

int desk_open_message(Desk *desk, const MsRecord *record, GError **error)
{
	if (record->place == MS_PLACE_QUEUE)
		return open_queued(desk, record, error);
	int spooled = ms_spool_open(desk->settings->spool_dir, record->uid, error);
	if (spooled < 0)
		return -1;
	int fd = sealed_copy(spooled, error);
	close(spooled);
	return fd;
}

static MsRecord *find(Desk *desk, const char *uid, GError **error)
{
	g_autoptr(GError) why = NULL;
	if (!ms_word_check(MS_WORD_MESSAGE, "uid", uid, error))
		return NULL;
	MsRecord *record = ms_records_find(desk->ledger, uid, &why);
	if (why != NULL)
		g_propagate_error(error, g_steal_pointer(&why));
	else if (record == NULL)
		desk_fail(error, "%s: there is no such record", uid);
	return record;
}

int desk_look(Desk *desk, const char *uid, const char *who, MsEvent event, const char *detail,
	MsRecord **record_out, GError **error)
{
	g_autoptr(MsRecord) record = find(desk, uid, error);
	const char *what = event == MS_EVENT_PICTURE ? "picture of" : ms_event_names[event];
	g_autofree char *act = g_strconcat(what, *detail != '\0' ? " " : "", detail, NULL);
	if (record == NULL || !ms_word_check(MS_WORD_PERSON, "who", who, error) ||
		!desk_audit(desk, who, event, record->uid, detail, error) ||
		!ms_records_act(desk->ledger, record->id, who, act, "", error))
		return -1;
	int fd = desk_open_message(desk, record, error);
	*record_out = g_steal_pointer(&record);
	return fd;
}

int ms_desk_message(MsDesk *of, const char *uid, const char *who, GError **error)
{
	g_auto(Desk) desk = {0};
	g_autoptr(MsRecord) record = NULL;
	desk_begin(of, &desk);
	return desk_look(&desk, uid, who, MS_EVENT_REVEAL, "", &record, error);
}

bool ms_desk_reads(MsDesk *of, const char *who, MsEvent event, const char *about,
	const char *detail, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	return desk_audit(&desk, who, event, about, detail, error);
}

/* ---- judged again --------------------------------------------------------------------- */

MsEnvelope *desk_envelope(const MsRecord *record)
{
	MsEnvelope *e = ms_envelope_new();
	e->host = g_strdup(record->host);
	e->queue_id = g_strdup(record->queue_id);
	e->sender = g_strdup(record->sender);
	e->arrived = record->arrived;
	e->size = record->size;
	e->policies = ms_text_list_apart(record->policies, NULL);
	for (guint i = 0; i < record->recipients->len; i++)
		g_ptr_array_add(e->recipients,
			g_strdup(((MsHeldRecipient *)record->recipients->pdata[i])->address));
	return e;
}

bool desk_judge(Desk *desk, const MsRecord *record, int fd, MsJudgement **out, GError **error)
{
	MsRuntime *runtime = desk_runtime(desk, error);
	g_autoptr(MsEnvelope) envelope = desk_envelope(record);
	return runtime != NULL &&
		ms_engine_judge(runtime, envelope, fd, envelope->size, out, error);
}

MsIdentifier *desk_identifier(Desk *desk, const MsRecord *record, const char *ref, GError **error)
{
	g_autoptr(MsJudgement) judgement = NULL;
	int fd = desk_open_message(desk, record, error);
	if (fd < 0)
		return NULL;
	bool fine = desk_judge(desk, record, fd, &judgement, error);
	close(fd);
	for (guint i = 0; fine && i < judgement->reading->findings->len; i++) {
		const MsFinding *f = judgement->reading->findings->pdata[i];
		g_autofree char *own = ms_engine_ref(desk->runtime, f->kind, f->value);
		if (strcmp(own, ref) == 0)
			return ms_identifier_new(f->kind, f->value);
	}
	if (fine)
		desk_fail(error, "the identifier is not found in the message any more");
	return NULL;
}

static GPtrArray *marks(Desk *desk, const char *text, GPtrArray *refs, GError **error)
{
	const MsRuntime *runtime = desk_runtime(desk, error);
	if (runtime == NULL)
		return NULL;
	const MsKinds *kinds = ms_runtime_kinds(runtime);
	for (guint i = 0; i < ms_kinds_count(kinds); i++) {
		const MsKind *kind = ms_kinds_nth(kinds, i);
		const char *why;
		g_autofree char *value = ms_kind_canonical(kind, text, strlen(text), &why);
		if (value != NULL)
			g_ptr_array_add(refs, ms_engine_ref(runtime, kind->name, value));
	}
	return ms_engine_subject_words(runtime, text);
}

GPtrArray *ms_desk_marks(MsDesk *of, const char *text, GPtrArray *refs, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	return ms_word_check(MS_WORD_ANY, "text", text, error) ? marks(&desk, text, refs, error)
							       : NULL;
}

/* ---- as JSON -------------------------------------------------------------------------- */

static json_t *text_of(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
	return json_string(valid);
}

/* Several ways of reading find the same thing at the same place. */
static bool is_seen(const MsFinding *f, guint n)
{
	const MsPlace *p = f->places->pdata[n];
	for (guint i = 0; i < n; i++) {
		const MsPlace *q = f->places->pdata[i];
		if (strcmp(p->where, q->where) == 0 && strcmp(p->text, q->text) == 0
			&& strcmp(p->before, q->before) == 0)
			return true;
	}
	return false;
}

static json_t *places_of(const MsFinding *f)
{
	json_t *list = json_array();
	for (guint i = 0; i < f->places->len; i++) {
		const MsPlace *p = f->places->pdata[i];
		if (is_seen(f, i))
			continue;
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:o}", "where", text_of(p->where), "before",
				text_of(p->before), "text", text_of(p->text), "after",
				text_of(p->after)));
	}
	return list;
}

static char *owners_of(const MsJudgement *judgement, guint finding)
{
	if (judgement->resolution == NULL)
		return g_strdup("");
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	guint all = ms_resolution_owners(judgement->resolution, finding, MS_HELD_NAMES, names);
	return ms_text_list(names, all);
}

#define MOST_FINDINGS 500

/* `*more_out`: how many are left out. */
static json_t *findings_of(Desk *desk, const MsJudgement *judgement, guint *more_out)
{
	json_t *list = json_array();
	const GPtrArray *findings = judgement->reading->findings;
	*more_out = 0;
	for (guint i = 0; i < findings->len; i++) {
		const MsFinding *f = findings->pdata[i];
		g_autofree char *owners = owners_of(judgement, i);
		if ((f->belief & MS_BELIEF_TENTATIVE) && *owners == '\0')
			continue; /* one of several readings, which nobody owns */
		if (json_array_size(list) >= MOST_FINDINGS) {
			++*more_out;
			continue;
		}
		g_autofree char *ref = ms_engine_ref(desk->runtime, f->kind, f->value);
		g_autofree char *belief = ms_belief_words(f->belief);
		json_array_append_new(list,
			json_pack("{s:s, s:o, s:s, s:o, s:s, s:o}", "kind", f->kind, "value",
				text_of(f->value), "belief", belief, "accounts", text_of(owners),
				"ref", ref, "places", places_of(f)));
	}
	return list;
}

static json_t *headers_of(const MsReading *reading)
{
	static const char *const shown[] = {
		"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", NULL};
	json_t *list = json_array();
	for (guint i = 0; i < reading->headers->len; i++) {
		const MsHeader *h = reading->headers->pdata[i];
		for (int k = 0; shown[k] != NULL; k++)
			if (g_ascii_strcasecmp(shown[k], h->name) == 0)
				json_array_append_new(list,
					json_pack("{s:s, s:o}", "name", shown[k], "value",
						text_of(h->value)));
	}
	return list;
}

static json_t *parts_of(const MsReading *reading)
{
	json_t *list = json_array();
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *p = reading->parts->pdata[i];
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:o, s:I, s:b}", "path", text_of(p->path),
				"says", text_of(p->claimed), "is", text_of(p->actual), "name",
				text_of(p->name), "size", (json_int_t)p->size, "attached",
				(int)p->attached));
	}
	return list;
}

static json_t *shown_of(const MsReading *view)
{
	json_t *list = json_array();
	for (guint i = 0; view != NULL && i < view->shown->len; i++) {
		const MsShown *s = view->shown->pdata[i];
		json_array_append_new(list,
			json_pack("{s:o, s:o}", "where", text_of(s->where), "text",
				text_of(s->text)));
	}
	return list;
}

static json_t *unread_of(const MsReading *reading)
{
	json_t *list = json_array();
	for (guint i = 0; i < reading->unread->len; i++) {
		const MsUnread *u = reading->unread->pdata[i];
		json_array_append_new(list,
			json_pack("{s:o, s:s, s:o}", "where", text_of(u->where), "reason",
				ms_unread_name(u->reason), "detail", text_of(u->detail)));
	}
	return list;
}

static char *evidence(Desk *desk, const char *uid, const char *who, GError **error)
{
	g_autoptr(MsRecord) record = NULL;
	g_autoptr(MsJudgement) judgement = NULL;
	g_autoptr(MsReading) view = NULL;
	int fd = desk_look(desk, uid, who, MS_EVENT_REVEAL, "", &record, error);
	if (fd < 0)
		return NULL;
	bool fine = desk_judge(desk, record, fd, &judgement, error) &&
		ms_reader_view(ms_runtime_reader(desk->runtime), fd, MS_VIEW_TEXTS, &view, error);
	close(fd);
	if (!fine)
		return NULL;
	g_autofree char *codes = ms_verdict_codes(judgement->verdict, MS_TAG);
	guint more;
	json_t *findings = findings_of(desk, judgement, &more);
	json_t *out = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "uid", record->uid,
		"findings", findings, "headers", headers_of(judgement->reading), "parts",
		parts_of(judgement->reading), "texts", shown_of(view), "unread",
		unread_of(judgement->reading), "verdict",
		ms_action_names[judgement->verdict->would], "reasons", codes);
	json_object_set_new(out, "story", desk_story(desk, record, judgement, NULL, true));
	if (more > 0)
		json_object_set_new(out, "findings_more", json_integer(more));
	if (desk->stale != NULL)
		json_object_set_new(out, "stale", text_of(desk->stale));
	char *text = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	return text;
}

char *ms_desk_evidence(MsDesk *of, const char *uid, const char *who, GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	return evidence(&desk, uid, who, error);
}

/* ---- a part --------------------------------------------------------------------------- */

static GBytes *draw(Desk *desk, GBytes *pdf, GError **error)
{
	const MsSettings *s = desk->settings;
	g_autofree char *folder = g_path_get_dirname(s->reader_program);
	g_autofree char *program = g_build_filename(folder, "missent-picture", NULL);
	MsReaderSettings settings = {.program = program,
		.kinds = ms_runtime_kinds(desk->runtime),
		.limits = s->limits,
		.workers = 1,
		.jobs = 1,
		.wait_ms = s->reader_wait_ms,
		.sandbox_optional = s->sandbox_optional};
	g_autoptr(MsReader) reader = ms_reader_new(&settings, NULL, error);
	g_autoptr(MsReading) picture = NULL;
	gsize len;
	const void *data = g_bytes_get_data(pdf, &len);
	int fd = reader != NULL ? ms_memory_of("missent-picture", data, len) : -1;
	if (fd >= 0) {
		ms_reader_view(reader, fd, "picture", &picture, error);
		close(fd);
	}
	if (picture != NULL && picture->bytes != NULL)
		return g_bytes_ref(picture->bytes);
	if (error != NULL && *error == NULL)
		desk_fail(error, "the page cannot be drawn");
	return NULL;
}

static GBytes *part(Desk *desk, const char *uid, const char *path, bool picture, const char *who,
	GError **error)
{
	g_autoptr(MsRecord) record = NULL;
	g_autoptr(MsReading) view = NULL;
	MsEvent event = picture ? MS_EVENT_PICTURE : MS_EVENT_DOWNLOAD;
	g_autofree char *which = g_strdup_printf("part %.20s", path);
	g_autofree char *as = g_strdup_printf(MS_VIEW_PART "%.40s", path);
	int fd = desk_runtime(desk, error) != NULL
		? desk_look(desk, uid, who, event, which, &record, error)
		: -1;
	if (fd < 0)
		return NULL;
	bool fine = ms_reader_view(ms_runtime_reader(desk->runtime), fd, as, &view, error);
	close(fd);
	if (!fine)
		return NULL;
	if (view->bytes == NULL) {
		desk_fail(error, "there is no such part, or it is larger than %u bytes",
			MS_VIEW_MAX_BYTES);
		return NULL;
	}
	return picture ? draw(desk, view->bytes, error) : g_bytes_ref(view->bytes);
}

GBytes *ms_desk_part(MsDesk *of, const char *uid, const char *path, bool picture, const char *who,
	GError **error)
{
	g_auto(Desk) desk = {0};
	desk_begin(of, &desk);
	return ms_word_check(MS_WORD_PART, "path", path, error)
		? part(&desk, uid, path, picture, who, error)
		: NULL;
}
