/*
 * GMime converts the names in From and To as soon as it reads them, though nobody here asks for
 * that (message/header.c has its own way), with converters that iconv would load from files.  A
 * confined worker must not open one: where Landlock cannot refuse it, it is killed.  This
 * definition stands before libc's and knows only the converters that are loaded.  Linked into the
 * program itself, or it has no effect.  The worker's one thread.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>

#include "missent/extract.h"

iconv_t iconv_open(const char *to, const char *from)
{
	static iconv_t (*libc)(const char *to, const char *from);
	if (libc == NULL)
		*(void **)&libc = dlsym(RTLD_NEXT, "iconv_open");
	if (libc != NULL && ms_charset_is_loaded(to) && ms_charset_is_loaded(from))
		return libc(to, from);
	errno = EINVAL;
	return (iconv_t)-1;
}
