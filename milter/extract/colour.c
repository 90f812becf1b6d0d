/*
 * Poppler opens the colour profile of every PDF/A, and that takes four fifths of the time of
 * reading its text.  These definitions stand before those of liblcms2, for text has no colour;
 * Poppler goes on without a profile.  Linked into the program itself, or they have no effect.  The
 * worker's one thread.
 */
#include "config.h"

void *cmsOpenProfileFromMem(const void *data, unsigned len);
void *cmsCreateTransform(void *from, unsigned from_format, void *to, unsigned to_format,
	unsigned intent, unsigned flags);

void *cmsOpenProfileFromMem(const void *data, unsigned len)
{
	(void)data;
	(void)len;
	return (void *)0;
}

void *cmsCreateTransform(void *from, unsigned from_format, void *to, unsigned to_format,
	unsigned intent, unsigned flags)
{
	(void)from;
	(void)from_format;
	(void)to;
	(void)to_format;
	(void)intent;
	(void)flags;
	return (void *)0;
}
