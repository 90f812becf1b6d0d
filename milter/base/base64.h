/* Long runs of base64, for transfer.c alone. */
#ifndef MISSENT_BASE_BASE64_H
#define MISSENT_BASE_BASE64_H

#include <glib.h>

/* Decodes whole groups, over single line ends between digits, and says where it stopped: before
 * whatever is no digit of RFC 4648, 4, and some way before the end.  At `*out` is room for what all
 * up to `end` decodes to. */
const guint8 *base64_groups(const guint8 *p, const guint8 *end, guint8 **out);

#endif
