/*
 * Linked into the small reader with GMime itself: what GMime names for encryption, signatures and
 * files, and a worker, which has neither keys nor files, never calls.  The libraries that have it
 * would be in every worker's memory.  Who calls it all the same is ended, and its message unread.
 * The worker's one thread.
 */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#define ABSENT(name) \
	void name(void); \
	void name(void) \
	{ \
		abort(); \
	}

ABSENT(g_file_append_to)
ABSENT(g_file_read)
ABSENT(g_input_stream_close)
ABSENT(g_input_stream_read)
ABSENT(g_output_stream_close)
ABSENT(g_output_stream_flush)
ABSENT(g_output_stream_write_all)
ABSENT(g_seekable_seek)
ABSENT(g_seekable_tell)
ABSENT(gpgme_data_new_from_cbs)
ABSENT(gpgme_data_release)
ABSENT(gpgme_engine_check_version)
ABSENT(gpgme_get_key)
ABSENT(gpgme_get_keylist_mode)
ABSENT(gpgme_get_protocol)
ABSENT(gpgme_key_unref)
ABSENT(gpgme_new)
ABSENT(gpgme_op_decrypt)
ABSENT(gpgme_op_decrypt_result)
ABSENT(gpgme_op_decrypt_verify)
ABSENT(gpgme_op_encrypt)
ABSENT(gpgme_op_encrypt_sign)
ABSENT(gpgme_op_export_ext)
ABSENT(gpgme_op_import)
ABSENT(gpgme_op_import_result)
ABSENT(gpgme_op_keylist_end)
ABSENT(gpgme_op_keylist_next)
ABSENT(gpgme_op_keylist_start)
ABSENT(gpgme_op_sign)
ABSENT(gpgme_op_sign_result)
ABSENT(gpgme_op_verify)
ABSENT(gpgme_op_verify_result)
ABSENT(gpgme_release)
ABSENT(gpgme_set_armor)
ABSENT(gpgme_set_ctx_flag)
ABSENT(gpgme_set_keylist_mode)
ABSENT(gpgme_set_offline)
ABSENT(gpgme_set_passphrase_cb)
ABSENT(gpgme_set_protocol)
ABSENT(gpgme_set_textmode)
ABSENT(gpgme_signers_add)
ABSENT(gpgme_signers_clear)
ABSENT(gpgme_strerror)

/* Names of users and hosts, for which a static program would load the C library's own modules. */
ABSENT(freeaddrinfo)
ABSENT(getaddrinfo)
ABSENT(getgrnam)
ABSENT(getpwnam)
ABSENT(getpwnam_r)
ABSENT(getpwuid)
ABSENT(getpwuid_r)
ABSENT(initgroups)

/* Asked at the start, and told that there is none. */
const char *gpgme_check_version_internal(const char *wanted, unsigned long offset);
const char *gpgme_check_version_internal(const char *wanted, unsigned long offset)
{
	(void)wanted;
	(void)offset;
	return NULL;
}

/* Types that no object here has. */
#define NO_TYPE(name) \
	unsigned long name(void); \
	unsigned long name(void) \
	{ \
		return 0; \
	}

NO_TYPE(g_file_get_type)
NO_TYPE(g_seekable_get_type)

/* Charsets are decoded by extract/charset.c.  GMime converts the names in From and To, which nobody
 * here asks for, with converters of the C library, which are files: here it has none. */
iconv_t iconv_open(const char *to, const char *from)
{
	(void)to;
	(void)from;
	errno = EINVAL;
	return (iconv_t)-1;
}

size_t iconv(iconv_t converter, char **in, size_t *left, char **out, size_t *room)
{
	(void)converter;
	(void)in;
	(void)left;
	(void)out;
	(void)room;
	errno = EBADF;
	return (size_t)-1;
}

int iconv_close(iconv_t converter)
{
	(void)converter;
	errno = EBADF;
	return -1;
}
