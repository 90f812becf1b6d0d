/*
 * A certificate in a file: when it ends.  No state; any thread.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include "missent/io.h"
#include "missent/store.h"

bool ms_certificate_ends(const char *path, gint64 *ends_out, GError **error)
{
	int fd = ms_io_open(path, O_RDONLY);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	struct tm end = {0};
	bool fine = certificate != NULL &&
		ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
	if (file == NULL) {
		ms_io_fail(error, path, errno);
		ms_io_close(fd);
	} else if (!fine) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s is no certificate", path);
	} else {
		*ends_out = timegm(&end);
	}
	X509_free(certificate);
	if (file != NULL)
		fclose(file);
	return fine;
}
