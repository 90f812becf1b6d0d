/*
 * Mail as a file: a message that was saved (.eml), with a mailbox's "From " line or Apple Mail's
 * number before it (.emlx), several in one mailbox (mbox), a web archive (.mht).  In come the
 * bytes of a file, out go the messages in it to `message` of the extraction, and what stands
 * around them as text.  One thread; nothing is kept.
 *
 * That it is mail is told by two known header fields.  A text may begin so too (a reply quotes
 * the header of what it answers): what is called text is read as text as well (extract.c).
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "readers.h"

#define HEAD 8192 /* bytes in which the fields must stand */

typedef struct {
	const guint8 *p, *stop, *next;
} Line;

/* Lines end with LF, CR LF, or CR alone (old Macs, some mainframes). */
static Line line_at(const guint8 *p, const guint8 *end)
{
	const guint8 *lf = memchr(p, '\n', (gsize)(end - p));
	const guint8 *cr = memchr(p, '\r', (gsize)((lf != NULL ? lf : end) - p));
	if (cr != NULL && cr + 1 != lf)
		return (Line){p, cr, cr + 1};
	return (Line){p, cr != NULL ? cr : lf != NULL ? lf : end, lf != NULL ? lf + 1 : end};
}

static gsize length(const Line *line)
{
	return (gsize)(line->stop - line->p);
}

static bool is_blank(const Line *line)
{
	for (const guint8 *p = line->p; p < line->stop; p++)
		if (*p != ' ' && *p != '\t')
			return false;
	return true;
}

/* "From anna@a.example Thu Nov 26 10:00:00 2026": the year tells it from prose. */
static bool is_mailbox_line(const Line *line)
{
	if (length(line) < 10 || memcmp(line->p, "From ", 5) != 0)
		return false;
	const guint8 *p = line->p + 5;
	guint digits = 0, colons = 0;
	for (; p < line->stop; p++) {
		digits += g_ascii_isdigit((char)*p) != 0;
		colons += *p == ':';
	}
	return digits >= 6 && colons >= 1;
}

static bool is_number_line(const Line *line)
{
	const guint8 *p = line->p;
	while (p < line->stop && g_ascii_isdigit((char)*p))
		p++;
	gsize digits = (gsize)(p - line->p);
	while (p < line->stop && *p == ' ')
		p++;
	return digits > 0 && digits < 11 && p == line->stop;
}

/* The length of the field's name before the colon; 0 if the line is no field. */
static gsize field_name(const Line *line)
{
	const guint8 *p = line->p;
	while (p < line->stop && *p > ' ' && *p < 0x7f && *p != ':')
		p++;
	const guint8 *colon = p;
	while (colon < line->stop && (*colon == ' ' || *colon == '\t'))
		colon++;
	return colon < line->stop && *colon == ':' ? (gsize)(p - line->p) : 0;
}

static const char *const fields[] = {"apparently-to", "arc-seal", "authentication-results", "bcc",
	"cc", "content-disposition", "content-location", "content-transfer-encoding",
	"content-type", "date", "delivered-to", "disposition-notification-to", "dkim-signature",
	"from", "importance", "in-reply-to", "list-id", "list-unsubscribe", "message-id",
	"mime-version", "priority", "received", "references", "reply-to", "resent-date",
	"resent-from", "resent-to", "return-path", "sender", "status", "subject", "thread-index",
	"thread-topic", "to", "user-agent", "x-gm-thrid", "x-gmail-labels", "x-mailer",
	"x-mozilla-status", "x-ms-has-attach", "x-originating-ip", "x-priority", "x-sender",
	"x-spam-status", "x-uid", "x-unsent"};

static gssize known_field(const guint8 *name, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		if (strlen(fields[i]) == len &&
			g_ascii_strncasecmp(fields[i], (const char *)name, len) == 0)
			return (gssize)i;
	return -1;
}

typedef struct {
	const guint8 *start;  /* of the first field */
	const guint8 *before; /* the line that announced it ("From ...", a number), or NULL */
	bool mailbox, number, mime;
	guint known;          /* different known fields */
} Head;

static void count_fields(const guint8 *p, const guint8 *end, Head *head)
{
	guint64 seen = 0;
	bool any = false;
	for (Line line; p < end; p = line.next, any = true) {
		line = line_at(p, end);
		if (any && line.p < line.stop && (*line.p == ' ' || *line.p == '\t') &&
			!is_blank(&line))
			continue; /* folded */
		gsize name = field_name(&line);
		if (name == 0 && any && length(&line) > 6 && memcmp(line.p, ">From ", 6) == 0)
			continue;
		if (name == 0)
			break; /* the end of the header, or of what is like one */
		gssize known = known_field(line.p, name);
		if (known >= 0)
			seen |= 1ULL << known;
		head->mime = head->mime ||
			(name == 12 &&
				g_ascii_strncasecmp((const char *)line.p, "content-type", 12) ==
					0 &&
				memmem(line.p, length(&line), "ultipart/", 9) != NULL);
	}
	head->known = (guint)__builtin_popcountll(seen);
}

static bool find_head(const guint8 *data, gsize len, Head *head)
{
	const guint8 *p = data, *end = data + MIN(len, HEAD);
	*head = (Head){0};
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (Line line; p < end; p = line.next) {
		line = line_at(p, end);
		if (is_blank(&line))
			continue;
		if (head->before != NULL || !(is_mailbox_line(&line) || is_number_line(&line)))
			break;
		head->before = line.p;
		head->mailbox = is_mailbox_line(&line);
		head->number = !head->mailbox;
	}
	head->start = p;
	count_fields(p, end, head);
	return head->known >= 2 ||
		(head->known == 1 && (head->mailbox || head->number || head->mime));
}

bool ms_is_mail(const guint8 *data, gsize len)
{
	/* Most files are told by their first byte. */
	if (len < 8 || data[0] == '<' || data[0] == '%' || data[0] == '{' || data[0] == 'P')
		if (len < 8 || field_name(&(Line){data, data + MIN(len, 80), NULL}) == 0)
			return false;
	Head head;
	return find_head(data, len, &head);
}

/* ---- reading -------------------------------------------------------------------------- */

typedef struct {
	const MsExtraction *to;
	const MsDocument *document;
	MsInventory *inventory;
	guint n;
} Mailbox;

GByteArray *ms_mail_line_feeds(const guint8 *data, gsize len)
{
	gsize head = MIN(len, HEAD);
	if (memchr(data, '\n', head) != NULL || memchr(data, '\r', head) == NULL)
		return NULL;
	GByteArray *out = g_byte_array_append(ms_bytes_new(), data, (guint)len);
	for (gsize i = 0; i < len; i++)
		if (out->data[i] == '\r' && (i + 1 == len || out->data[i + 1] != '\n'))
			out->data[i] = '\n';
	return out;
}

static void read_one(Mailbox *box, const guint8 *from, const guint8 *until)
{
	while (until - from > 6 && memcmp(from, ">From ", 6) == 0)
		from = line_at(from, until).next;
	const guint8 *data = box->document->data;
	gsize len = (gsize)(until - from);
	g_autofree char *name = g_strdup_printf("message %u", ++box->n);
	g_autofree char *place = g_strdup_printf("%s > %s", box->document->where, name);
	MsItem item = ms_inventory_item(box->inventory, name);
	ms_inventory_bytes(box->inventory, item, (gsize)(from - data), (gsize)(until - data));
	if (!ms_budget_charge(box->to->budget, MS_COST_PART, 1)) {
		ms_inventory_unread(box->inventory, item, MS_UNREAD_LIMIT, "more than %s allows",
			ms_cost_name(MS_COST_PART));
		return;
	}
	g_autoptr(GByteArray) fed = ms_mail_line_feeds(from, len);
	box->to->message(box->to, box->n == 1 ? box->document->where : place,
		fed != NULL ? fed->data : from, len);
	ms_inventory_read(box->inventory, item);
}

/* The next line that begins a message of the mailbox; `end` if there is none. */
static const guint8 *next_message(const guint8 *p, const guint8 *end)
{
	bool blank = false;
	for (Line line; p < end; p = line.next) {
		line = line_at(p, end);
		if (blank && is_mailbox_line(&line)) {
			Line after = line.next < end ? line_at(line.next, end) : line;
			if (field_name(&after) > 0 ||
				(length(&after) > 6 && memcmp(after.p, ">From ", 6) == 0))
				return p;
		}
		blank = line.p == line.stop;
	}
	return end;
}

static void read_mailbox(Mailbox *box, const Head *head)
{
	const guint8 *end = box->document->data + box->document->len;
	const guint8 *announced = head->before, *start = head->start;
	while (announced < end && ms_budget_time(box->to->budget)) {
		Line line = line_at(announced, end);
		const guint8 *from = MAX(start, line.next), *until = next_message(from, end);
		read_one(box, from, until);
		announced = start = until;
	}
}

static bool is_padding(const guint8 *p, const guint8 *end)
{
	while (p < end && g_ascii_isspace((char)*p))
		p++;
	return p == end;
}

/* The number is the length of the message; behind it stands a property list.  A number that is
 * wrong is not believed. */
static void read_numbered(Mailbox *box, const Head *head)
{
	const guint8 *end = box->document->data + box->document->len;
	guint64 said = g_ascii_strtoull((const char *)head->before, NULL, 10);
	const guint8 *list = memmem(head->start, (gsize)(end - head->start), "<?xml version", 13);
	for (const guint8 *next = list; next != NULL;
		next = memmem(next + 1, (gsize)(end - next - 1), "<?xml version", 13))
		list = next;
	bool plist = list != NULL && memmem(list, (gsize)(end - list), "<plist", 6) != NULL;
	const guint8 *until = plist ? list : end;
	if (said <= (guint64)(until - head->start) && is_padding(head->start + said, until))
		until = head->start + said;
	read_one(box, head->start, until);
}

void ms_message_file_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	Head head;
	bool found = find_head(document->data, document->len, &head);
	Mailbox box = {to, document, inventory, 0};
	const guint8 *end = document->data + document->len;
	if (found && head.mailbox)
		read_mailbox(&box, &head);
	else if (found && head.number)
		read_numbered(&box, &head);
	else if (found)
		read_one(&box, head.start, end);
	else /* it says that it is mail */
		read_one(&box, document->data, end);
	/* The lines that announce messages are gaps, which are read as text. */
}
