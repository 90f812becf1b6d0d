/*
 * A stored message comes in, read by the whole way that mail is read; out goes what there is to
 * learn from it: who got it, when, and which identifiers are in it.  Any thread.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "missent/answer.h"

#include "learn_private.h"

#define MAX_FOUND 5000

static void found_clear(gpointer data)
{
	LearnFound *found = data;
	g_free(found->kind);
	g_free(found->value);
	g_free(found->text);
}

static LearnMail *mail_new(const char *name, const char *digest)
{
	LearnMail *mail = g_new0(LearnMail, 1);
	mail->name = g_strdup(name);
	mail->digest = g_strdup(digest);
	mail->subject = g_strdup("");
	mail->sender = g_strdup("");
	mail->to = g_ptr_array_new_with_free_func(g_free);
	mail->found = g_array_new(FALSE, FALSE, sizeof(LearnFound));
	g_array_set_clear_func(mail->found, found_clear);
	return mail;
}

void learn_mail_free(LearnMail *mail)
{
	if (mail == NULL)
		return;
	char *const texts[] = {mail->name, mail->digest, mail->failed, mail->subject, mail->sender};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	g_ptr_array_unref(mail->to);
	g_array_unref(mail->found);
	g_free(mail);
}

/* ---- its date -------------------------------------------------------------------------- */

static int month_of(const char *name)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	g_autofree char *small = g_ascii_strdown(name, -1);
	const char *at = strlen(small) == 3 ? strstr(months, small) : NULL;
	return at != NULL && (at - months) % 3 == 0 ? (int)(at - months) / 3 + 1 : 0;
}

/* East of Greenwich, in seconds; what has no number is taken for it. */
static gint64 zone_of(const char *text)
{
	int hours, minutes;
	char sign[2];
	if (sscanf(text, " %1[+-]%2d%2d", sign, &hours, &minutes) != 3)
		return 0;
	gint64 seconds = (hours * 60 + minutes) * 60;
	return *sign == '-' ? -seconds : seconds;
}

gint64 learn_date(const char *text)
{
	const char *comma = strchr(text, ',');
	int day, year, hour, minute, second = 0, length = 0;
	char name[4], colon[2];
	if (comma != NULL)
		text = comma + 1;
	if (sscanf(text, " %2d %3[A-Za-z] %4d %2d:%2d%n", &day, name, &year, &hour, &minute,
		    &length) != 5)
		return 0;
	text += length;
	if (sscanf(text, "%1[:]%2d%n", colon, &second, &length) == 2)
		text += length;
	if (year < 100)
		year += year < 50 ? 2000 : 1900;
	int month = month_of(name);
	g_autoptr(GDateTime) time = month > 0
		? g_date_time_new_utc(year, month, day, hour, minute, MIN(second, 59))
		: NULL;
	gint64 seconds = time != NULL ? g_date_time_to_unix(time) - zone_of(text) : 0;
	return MAX(seconds, 0);
}

/* ---- what is in it --------------------------------------------------------------------- */

static bool says(const MsKind *kind, const char *text, const char *value)
{
	const char *why;
	g_autofree char *canonical = ms_kind_canonical(kind, text, strlen(text), &why);
	return canonical != NULL && strcmp(canonical, value) == 0;
}

/* As it was written, where a mapping that says so means the same; else as we compare it, if
 * that does; else NULL. */
static const char *words_of(const MsKind *kind, const MsFinding *finding)
{
	for (guint i = 0; i < finding->places->len; i++) {
		const MsPlace *place = finding->places->pdata[i];
		if (strpbrk(place->text, "\r\n") == NULL && says(kind, place->text, finding->value))
			return place->text;
	}
	return says(kind, finding->value, finding->value) ? finding->value : NULL;
}

static void take_finding(LearnMail *mail, MsKinds *kinds, const MsFinding *finding)
{
	const MsKind *kind = ms_kinds_find(kinds, finding->kind);
	if (kind == NULL || kind->hidden ||
		(finding->belief & (MS_BELIEF_TENTATIVE | MS_BELIEF_ADDRESSED)) != 0)
		return;
	const char *words = words_of(kind, finding);
	if (words == NULL) {
		mail->unwritable++;
		return;
	}
	const LearnFound found = {g_strdup(finding->kind), g_strdup(finding->value),
		g_strdup(words), finding->faces, (finding->belief & MS_BELIEF_SELLER) != 0};
	g_array_append_val(mail->found, found);
}

static void take_recipients(LearnMail *mail, const MsEnvelope *envelope)
{
	for (guint i = 0; i < envelope->recipients->len; i++) {
		const char *text = envelope->recipients->pdata[i];
		g_autofree char *address = ms_address_canonical(text, strlen(text));
		if (address != NULL && *address != '@' &&
			!g_ptr_array_find_with_equal_func(mail->to, address, g_str_equal, NULL))
			g_ptr_array_add(mail->to, g_steal_pointer(&address));
	}
	g_autofree char *sender = ms_address_canonical(envelope->sender, strlen(envelope->sender));
	if (sender != NULL) {
		g_free(mail->sender);
		mail->sender = g_steal_pointer(&sender);
	}
}

static void fill(LearnMail *mail, MsKinds *kinds, const MsBatchMail *read)
{
	const MsReading *reading = read->judgement->reading;
	const char *date = ms_reading_header(reading, "Date"),
		   *subject = ms_reading_header(reading, "Subject");
	mail->by = read->by;
	mail->date = date != NULL ? learn_date(date) : 0;
	g_free(mail->subject);
	mail->subject = ms_subject_shown(subject != NULL ? subject : "", false);
	take_recipients(mail, read->envelope);
	for (guint i = 0; i < reading->findings->len && mail->found->len < MAX_FOUND; i++)
		take_finding(mail, kinds, reading->findings->pdata[i]);
	for (guint i = 0; i < reading->unread->len; i++)
		mail->unread |= 1u << ((MsUnread *)reading->unread->pdata[i])->reason;
	if (read->judgement->stored < read->envelope->size || reading->findings->len > MAX_FOUND)
		mail->unread |= 1u << MS_UNREAD_LIMIT;
}

LearnMail *learn_mail_read(const LearnReader *reader, const MsBatchItem *item)
{
	g_autoptr(GError) error = NULL;
	g_auto(MsBatchMail) read = {.fd = -1};
	LearnMail *mail = mail_new(item->name, item->digest);
	if (ms_batch_mail_read(
		    reader->runtime, reader->ledger, reader->archive, item, &read, &error)) {
		fill(mail, ms_runtime_kinds(reader->runtime), &read);
	} else {
		mail->failed = g_strdup(error->message);
		mail->nobody = error->code == MS_ERROR_INPUT;
	}
	return mail;
}

/* ---- written down ---------------------------------------------------------------------- */

static json_t *text(const char *words)
{
	g_autofree char *valid = g_utf8_make_valid(words, -1);
	return json_string(valid);
}

static const char *word(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));
	return value != NULL ? value : "";
}

static json_t *found_to_json(const LearnMail *mail)
{
	json_t *list = json_array();
	for (guint i = 0; i < mail->found->len; i++) {
		const LearnFound *f = &g_array_index(mail->found, LearnFound, i);
		json_array_append_new(list,
			json_pack("[s, o, o, I, b]", f->kind, text(f->value), text(f->text),
				(json_int_t)f->faces, (int)f->seller));
	}
	return list;
}

json_t *learn_mail_to_json(const LearnMail *mail)
{
	json_t *out = json_pack("{s:o, s:s}", "name", text(mail->name), "digest", mail->digest);
	json_t *to = json_array();
	if (mail->failed != NULL) {
		json_object_set_new(out, "failed", text(mail->failed));
		json_object_set_new(out, "nobody", json_boolean(mail->nobody));
	}
	for (guint i = 0; i < mail->to->len; i++)
		json_array_append_new(to, text(mail->to->pdata[i]));
	json_object_set_new(out, "by", json_integer((json_int_t)mail->by));
	json_object_set_new(out, "date", json_integer(mail->date));
	json_object_set_new(out, "subject", text(mail->subject));
	json_object_set_new(out, "sender", text(mail->sender));
	json_object_set_new(out, "to", to);
	json_object_set_new(out, "found", found_to_json(mail));
	json_object_set_new(out, "unread", json_integer((json_int_t)mail->unread));
	json_object_set_new(out, "unwritable", json_integer((json_int_t)mail->unwritable));
	return out;
}

static bool found_from_json(LearnMail *mail, const json_t *list)
{
	gsize i;
	json_t *row;
	json_array_foreach(list, i, row)
	{
		const char *kind, *value, *words;
		json_int_t faces;
		int seller;
		if (json_unpack(row, "[s, s, s, I, b]", &kind, &value, &words, &faces, &seller) !=
			0)
			return false;
		const LearnFound found = {g_strdup(kind), g_strdup(value), g_strdup(words),
			(guint64)faces, seller != 0};
		g_array_append_val(mail->found, found);
	}
	return json_is_array(list);
}

LearnMail *learn_mail_from_json(const json_t *json)
{
	gsize i;
	json_t *address;
	json_int_t by = json_integer_value(json_object_get(json, "by"));
	LearnMail *mail = mail_new(word(json, "name"), word(json, "digest"));
	char **const texts[] = {&mail->subject, &mail->sender};
	const char *const keys[] = {"subject", "sender"};
	for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
		g_free(*texts[k]);
		*texts[k] = g_strdup(word(json, keys[k]));
	}
	if (json_object_get(json, "failed") != NULL)
		mail->failed = g_strdup(word(json, "failed"));
	mail->nobody = json_is_true(json_object_get(json, "nobody"));
	mail->by = (MsBacktestBy)CLAMP(by, 0, MS_N_KNOWN_BY - 1);
	mail->date = json_integer_value(json_object_get(json, "date"));
	mail->unread = (guint)json_integer_value(json_object_get(json, "unread"));
	mail->unwritable = (guint)json_integer_value(json_object_get(json, "unwritable"));
	bool fine = *mail->digest != '\0' && found_from_json(mail, json_object_get(json, "found"));
	json_array_foreach(json_object_get(json, "to"), i, address)
	{
		const char *to = json_string_value(address);
		fine = fine && to != NULL && strchr(to, '@') != NULL;
		g_ptr_array_add(mail->to, g_strdup(to));
	}
	if (fine)
		return mail;
	learn_mail_free(mail);
	return NULL;
}
