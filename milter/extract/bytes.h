/* Numbers as formats store them, with their lowest byte first or last.  Private to extract/. */
#ifndef MISSENT_EXTRACT_BYTES_H
#define MISSENT_EXTRACT_BYTES_H

#include <glib.h>

static inline guint32 ms_be16(const guint8 *p)
{
	return (guint32)p[0] << 8 | p[1];
}

static inline guint32 ms_be32(const guint8 *p)
{
	return ms_be16(p) << 16 | ms_be16(p + 2);
}

static inline guint32 ms_le16(const guint8 *p)
{
	return p[0] | (guint32)p[1] << 8;
}

static inline guint32 ms_le32(const guint8 *p)
{
	return ms_le16(p) | ms_le16(p + 2) << 16;
}

static inline guint64 ms_le64(const guint8 *p)
{
	return ms_le32(p) | (guint64)ms_le32(p + 4) << 32;
}

#endif
