/*
 * A stored message and its reading come in; out go its sender and recipients, as far as can be
 * told, and how they were told.  Any thread.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/identifier.h"
#include "missent/wire.h"

#include "backtest_private.h"

const char *const ms_backtest_by_names[MS_N_KNOWN_BY + 1] = {
	"record", "journal", "delivery", "headers", NULL};

typedef struct {
	const char *name;
	gsize len;
	const char *spool; /* our own spool, or NULL */
	const char *const *archive;
	const GPtrArray *delivery; /* of char *: lines that delivery wrote */
} Stored;

static void add_recipient(MsEnvelope *envelope, const char *text)
{
	g_autofree char *address = ms_address_bare(text);
	if (strchr(address, '@') != NULL &&
		!g_ptr_array_find_with_equal_func(envelope->recipients, address, g_str_equal, NULL))
		g_ptr_array_add(envelope->recipients, g_steal_pointer(&address));
}

/* ---- our own records ---------------------------------------------------------------------- */

static bool by_record(MsLedger *ledger, const Stored *m, MsEnvelope *envelope)
{
	g_autofree char *folder = g_path_get_dirname(m->name), *uid = g_path_get_basename(m->name);
	if (ledger == NULL || m->spool == NULL || strcmp(folder, m->spool) != 0)
		return false;
	g_autoptr(MsRecord) record = ms_records_find(ledger, uid, NULL);
	if (record == NULL)
		return false;
	g_free(envelope->sender);
	envelope->sender = g_strdup(record->sender);
	for (guint i = 0; i < record->recipients->len; i++)
		add_recipient(envelope, ((MsHeldRecipient *)record->recipients->pdata[i])->address);
	return envelope->recipients->len > 0;
}

/* ---- journal reports of Exchange ----------------------------------------------------------- */

/* "Recipient: a@b, Expanded: list@b": what stands before the comma got it. */
static void take_line(const char *line, MsEnvelope *envelope)
{
	static const char *const fields[] = {
		"Recipient:", "To:", "Cc:", "Bcc:", "On-Behalf-Of:", "Sender:"};
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (g_ascii_strncasecmp(line, fields[i], strlen(fields[i])) != 0)
			continue;
		g_autofree char *value = g_strndup(
			line + strlen(fields[i]), strcspn(line + strlen(fields[i]), ",;"));
		g_autofree char *address = ms_address_bare(value);
		if (i < 4) {
			add_recipient(envelope, address);
		} else if (i == 5 && strchr(address, '@') != NULL) {
			g_free(envelope->sender);
			envelope->sender = g_steal_pointer(&address);
		}
		return;
	}
}

/* The message that a report is about: the part that is one. */
static GBytes *nested(MsRuntime *runtime, const MsReading *reading, int fd)
{
	for (guint i = 0; i < reading->parts->len; i++) {
		const MsPart *p = reading->parts->pdata[i];
		if (strcmp(p->claimed, "message/rfc822") != 0)
			continue;
		g_autoptr(MsReading) view = NULL;
		g_autofree char *as = g_strconcat(MS_VIEW_PART, p->path, NULL);
		if (ms_reader_view(ms_runtime_reader(runtime), fd, as, &view, NULL) &&
			view->bytes != NULL)
			return g_bytes_ref(view->bytes);
		return NULL;
	}
	return NULL;
}

/* The first part says who: its bytes, for as a text it may look like a message itself. */
static bool take_report(MsRuntime *runtime, int fd, MsEnvelope *envelope, GError **error)
{
	g_autoptr(MsReading) view = NULL;
	gsize len = 0;
	if (!ms_reader_view(ms_runtime_reader(runtime), fd, MS_VIEW_PART "1", &view, error))
		return false;
	const char *data = view->bytes != NULL ? g_bytes_get_data(view->bytes, &len) : NULL;
	g_autofree char *text = g_utf8_make_valid(data != NULL ? data : "", (gssize)len);
	g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
	for (int k = 0; lines[k] != NULL; k++)
		take_line(g_strchug(lines[k]), envelope);
	return true;
}

static bool by_journal(MsRuntime *runtime, const MsReading *reading, int fd, MsEnvelope *envelope,
	GBytes **inner_out, GError **error)
{
	if (ms_reading_header(reading, "X-MS-Journal-Report") == NULL ||
		!take_report(runtime, fd, envelope, error))
		return false;
	*inner_out = nested(runtime, reading, fd);
	if (*inner_out != NULL && envelope->recipients->len > 0)
		return true;
	g_clear_pointer(inner_out, g_bytes_unref);
	return ms_fail_input(error, "it is a journal report of which %s cannot be read",
		envelope->recipients->len > 0 ? "the message" : "the recipients");
}

/* ---- what delivery wrote ------------------------------------------------------------------- */

static bool is_archive(const char *const *archive, const char *value)
{
	g_autofree char *address = ms_address_bare(value);
	for (; archive != NULL && *archive != NULL; archive++)
		if (g_ascii_strcasecmp(*archive, address) == 0)
			return true;
	return false;
}

/* The first of which there are any says it: a later one may be what an alias made of it. */
static const char *const delivery_fields[] = {"X-Original-To:", "X-Envelope-To:", "Delivered-To:"};

static bool is_field(const char *line, gsize len, const char *field)
{
	return len > strlen(field) && g_ascii_strncasecmp(line, field, strlen(field)) == 0;
}

static bool is_delivery(const char *line, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(delivery_fields); i++)
		if (is_field(line, len, delivery_fields[i]))
			return true;
	return false;
}

/* Delivery wrote them later: the message that was sent had none of them.  Their lines are added
 * to `fields_out`. */
static GBytes *without_delivery(GBytes *stored, GPtrArray *fields_out)
{
	gsize len;
	const char *data = g_bytes_get_data(stored, &len);
	const char *p = data != NULL ? data : "", *end = p + len; /* NULL: it is empty */
	g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)len);
	bool drop = false;
	while (p < end && *p != '\n' && *p != '\r') {
		const char *nl = memchr(p, '\n', (gsize)(end - p));
		const char *next = nl != NULL ? nl + 1 : end;
		if (*p != ' ' && *p != '\t') {
			drop = is_delivery(p, (gsize)(next - p));
			if (drop)
				g_ptr_array_add(fields_out, g_strndup(p, (gsize)(next - p)));
		}
		if (!drop)
			g_byte_array_append(out, (const guint8 *)p, (guint)(next - p));
		p = next;
	}
	if (fields_out->len == 0)
		return g_bytes_ref(stored);
	g_byte_array_append(out, (const guint8 *)p, (guint)(end - p));
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

static bool by_delivery(const Stored *m, MsEnvelope *envelope)
{
	for (gsize k = 0; k < G_N_ELEMENTS(delivery_fields) && envelope->recipients->len == 0; k++)
		for (guint i = 0; i < m->delivery->len; i++) {
			const char *line = m->delivery->pdata[i],
				   *value = line + strlen(delivery_fields[k]);
			if (is_field(line, strlen(line), delivery_fields[k]) &&
				!is_archive(m->archive, value))
				add_recipient(envelope, value);
		}
	return envelope->recipients->len > 0;
}

/* The envelope, and the message itself where what was stored is a report about it (else NULL).
 * NULL: why. */
static MsEnvelope *envelope_of(MsRuntime *runtime, MsLedger *ledger, const Stored *m,
	const MsReading *reading, int fd, MsBacktestBy *by_out, GBytes **inner_out, GError **error)
{
	g_autoptr(MsEnvelope) e = ms_envelope_new();
	g_autoptr(GError) why = NULL;
	const char *from = ms_reading_header(reading, "Return-Path");
	e->host = g_strdup(ms_runtime_settings(runtime)->host);
	e->sender = ms_address_bare(from != NULL ? from : ms_reading_header(reading, "From"));
	e->arrived = g_get_real_time();
	e->size = m->len;
	/* What is stored does not say who had logged in, where, and when it came to the MTA. */
	e->unsaid = MS_UNSAID_USER | MS_UNSAID_CLIENT | MS_UNSAID_TIME;
	*by_out = MS_BY_HEADERS;
	if (by_record(ledger, m, e)) {
		*by_out = MS_BY_RECORD;
	} else if (by_journal(runtime, reading, fd, e, inner_out, &why)) {
		*by_out = MS_BY_JOURNAL;
		e->size = g_bytes_get_size(*inner_out);
	} else if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	} else if (by_delivery(m, e)) {
		*by_out = MS_BY_DELIVERY;
	} else {
		for (guint i = 0; i < reading->visible->len; i++)
			add_recipient(e, reading->visible->pdata[i]);
	}
	if (e->recipients->len > 0)
		return g_steal_pointer(&e);
	ms_fail_input(error, "it names no recipient");
	return NULL;
}

/* ---- one message ------------------------------------------------------------------------ */

void ms_batch_mail_clear(MsBatchMail *mail)
{
	ms_envelope_free(mail->envelope);
	ms_judgement_free(mail->judgement);
	if (mail->fd >= 0)
		close(mail->fd);
	*mail = (MsBatchMail){.fd = -1};
}

static int memory_of(GBytes *bytes, guint64 most, GError **error)
{
	gsize len;
	const void *data = g_bytes_get_data(bytes, &len);
	int fd = ms_memory_of("missent-stored", data, MIN(len, most));
	if (fd < 0)
		ms_fail_input(error, "%s", g_strerror(errno));
	return fd;
}

/* What was read to learn whom it was for; or, where that is a report about a message, that. */
static bool read_inner(
	MsRuntime *runtime, GBytes *inner, guint64 most, MsBatchMail *mail, GError **error)
{
	close(mail->fd);
	g_clear_pointer(&mail->judgement, ms_judgement_free);
	mail->fd = memory_of(inner, most, error);
	return mail->fd >= 0 &&
		ms_engine_read(runtime, mail->envelope, mail->fd, &mail->judgement, error);
}

bool ms_batch_mail_read(MsRuntime *runtime, MsLedger *ledger, const char *const *archive,
	const MsBatchItem *item, MsBatchMail *mail_out, GError **error)
{
	const MsSettings *s = ms_runtime_settings(runtime);
	guint64 most = s->limits.max_message;
	g_autoptr(GPtrArray) delivery = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GBytes) bytes = without_delivery(item->bytes, delivery), inner = NULL;
	const Stored stored = {
		item->name, g_bytes_get_size(bytes), s->spool_dir, archive, delivery};
	g_auto(MsBatchMail) mail = {.fd = memory_of(bytes, most, error)};
	if (mail.fd < 0 || !ms_engine_read(runtime, NULL, mail.fd, &mail.judgement, error))
		return false;
	mail.envelope = envelope_of(runtime, ledger, &stored, mail.judgement->reading, mail.fd,
		&mail.by, &inner, error);
	if (mail.envelope == NULL ||
		(inner != NULL && !read_inner(runtime, inner, most, &mail, error)))
		return false;
	mail.judgement->stored = MIN(mail.envelope->size, most);
	*mail_out = mail;
	mail = (MsBatchMail){.fd = -1};
	return true;
}
