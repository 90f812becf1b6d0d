/*
 * winmail.dat (MS-OXTNEF): a list of attributes, some of which hold MAPI properties.  The
 * library that Debian has refuses a fifth of the files that Outlook writes.  The worker's one
 * thread.
 */
#include "config.h"

#include <string.h>

#include "missent/text.h"

#include "bytes.h"
#include "mapi.h"
#include "readers.h"

#define ATT_SUBJECT 0x8004u
#define ATT_BODY 0x800cu
#define ATT_ATTACH_DATA 0x800fu
#define ATT_ATTACH_TITLE 0x8010u
#define ATT_ATTACH_START 0x9002u
#define ATT_MESSAGE_PROPERTIES 0x9003u
#define ATT_ATTACH_PROPERTIES 0x9005u
#define ATT_CODE_PAGE 0x9007u

typedef struct {
	const guint8 *p;
	gsize left;
} Cursor;

static bool take(Cursor *c, gsize n, const guint8 **out)
{
	if (c->left < n)
		return false;
	*out = c->p;
	c->p += n;
	c->left -= n;
	return true;
}

static bool take32(Cursor *c, guint32 *out)
{
	const guint8 *p;
	if (!take(c, 4, &p))
		return false;
	*out = ms_le32(p);
	return true;
}

static bool skip(Cursor *c, gsize n)
{
	const guint8 *ignored;
	return take(c, n, &ignored);
}

/* A named property: its GUID, then a number or a name. */
static bool skip_name(Cursor *c)
{
	guint32 by_name, len;
	if (!skip(c, 16) || !take32(c, &by_name) || !take32(c, &len))
		return false;
	return by_name == 0 || skip(c, ((gsize)len + 3) & ~(gsize)3);
}

static gsize fixed_size(guint type)
{
	switch (type) {
	case 0x02: case 0x03: case 0x04: case 0x0a: case 0x0b: return 4;
	case 0x05: case 0x06: case 0x07: case 0x14: case 0x40: return 8;
	case 0x48: return 16;
	default: return 0;
	}
}

static bool read_property(Cursor *c, MsMapi *mapi)
{
	guint32 head, count = 1;
	if (!take32(c, &head))
		return false;
	guint type = head & 0xfff, id = head >> 16;
	bool several = (head & 0x1000) != 0;
	if (id >= 0x8000 && !skip_name(c))
		return false;
	gsize fixed = fixed_size(type);
	if ((several || fixed == 0) && !take32(c, &count))
		return false;
	for (guint32 i = 0; i < count; i++) {
		guint32 len = (guint32)fixed;
		const guint8 *data;
		if (fixed == 0 && !take32(c, &len))
			return false;
		if (!take(c, len, &data) || !skip(c, MIN((4 - len % 4) % 4, c->left)))
			return false;
		ms_mapi_property(mapi, id, type, data, len);
	}
	return true;
}

static bool read_properties(Cursor c, MsMapi *mapi)
{
	guint32 n;
	if (!take32(&c, &n))
		return false;
	for (guint32 i = 0; i < n; i++)
		if (!ms_budget_time(mapi->to->budget) || !read_property(&c, mapi))
			return false;
	return true;
}

static bool read_attribute(
	MsMapi *message, MsMapi *attachment, guint32 id, const guint8 *data, gsize len)
{
	Cursor body = {data, len};
	switch (id & 0xffff) {
	case ATT_SUBJECT:
	case ATT_BODY:
		ms_mapi_property(
			message, (id & 0xffff) == ATT_BODY ? 0x1000 : 0x0037, 0x1e, data, len);
		return true;
	case ATT_ATTACH_START: ms_mapi_finish(attachment); return true;
	case ATT_ATTACH_TITLE: ms_mapi_property(attachment, 0x3704, 0x1e, data, len); return true;
	case ATT_ATTACH_DATA: ms_mapi_property(attachment, 0x3701, 0x102, data, len); return true;
	case ATT_MESSAGE_PROPERTIES: return read_properties(body, message);
	case ATT_CODE_PAGE:
		if (len >= 4)
			message->page = attachment->page = ms_le32(data);
		return true;
	case ATT_ATTACH_PROPERTIES: return read_properties(body, attachment);
	default: ms_mapi_property(message, 0, 0x102, data, len); return true; /* words, if any */
	}
}

void ms_tnef_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	Cursor c = {document->data, document->len};
	MsMapi message = {.to = to, .where = document->where};
	MsMapi attachment = {.to = to, .where = document->where};
	bool fine = skip(&c, 6);
	while (fine && c.left > 0) {
		guint32 id, len;
		const guint8 *data;
		fine = skip(&c, 1) && take32(&c, &id) && take32(&c, &len) && take(&c, len, &data)
			&& skip(&c, MIN(2, c.left));
		if (fine && !read_attribute(&message, &attachment, id, data, len))
			fine = false;
	}
	if (!fine)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_DAMAGED,
			"a winmail.dat that breaks off");
	ms_mapi_finish(&attachment);
	ms_mapi_finish(&message);
}
