/*
 * TLS on a socket that never blocks, by OpenSSL itself: hiredis has it only in Debian 13, and there
 * with waits of its own.  A server is believed when its certificate is signed by an authority that
 * is trusted and has the name that was asked for; there is no way to do without.  The settings are
 * shared by all threads and do not change; a connection is one thread's at a time.
 */
#include "config.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "missent/io.h"

#include "redis_wire.h"

struct MsTls {
	SSL_CTX *context;
	char *name;
};

struct MsTlsEnd {
	SSL *ssl;
};

static const char *reason(void)
{
	unsigned long why = ERR_peek_last_error();
	const char *text = why != 0 ? ERR_reason_error_string(why) : NULL;
	return text != NULL ? text : "the connection was closed";
}

static bool complain(const char *file, GError **error)
{
	unsigned long first = ERR_peek_error();
	bool wants = ERR_SYSTEM_ERROR(first) && ms_io_is_want(ERR_GET_REASON(first));
	g_set_error(error, MS_ERROR, wants ? MS_ERROR_RETRY : MS_ERROR_CONFIG,
		"TLS for Redis: %s: %s", file,
		ERR_SYSTEM_ERROR(first) ? g_strerror(ERR_GET_REASON(first)) : reason());
	return false;
}

static bool take_files(SSL_CTX *context, const MsRedisSettings *s, GError **error)
{
	ERR_clear_error();
	if (s->tls_ca != NULL ? SSL_CTX_load_verify_locations(context, s->tls_ca, NULL) != 1
			      : SSL_CTX_set_default_verify_paths(context) != 1)
		return complain(s->tls_ca != NULL ? s->tls_ca : "the system's authorities", error);
	if (s->tls_certificate != NULL &&
		SSL_CTX_use_certificate_chain_file(context, s->tls_certificate) != 1)
		return complain(s->tls_certificate, error);
	const char *key = s->tls_key != NULL ? s->tls_key : s->tls_certificate;
	if (key != NULL && SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return complain(key, error);
	return true;
}

MsTls *ms_tls_new(const MsRedisSettings *settings, GError **error)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	g_assert(context != NULL);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(
		context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!take_files(context, settings, error)) {
		SSL_CTX_free(context);
		return NULL;
	}
	MsTls *tls = g_new0(MsTls, 1);
	tls->context = context;
	tls->name = g_strdup(settings->tls_name);
	return tls;
}

void ms_tls_free(MsTls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	g_free(tls->name);
	g_free(tls);
}

/* Whose certificate it must be. */
static void expect(SSL *ssl, const char *name)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1)
		return;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set1_host(ssl, name);
	SSL_set_tlsext_host_name(ssl, name);
}

/* What a step that moved nothing waits for; -1: it never will. */
static gssize waits(SSL *ssl, int rc, short *events)
{
	int why = SSL_get_error(ssl, rc);
	*events = why == SSL_ERROR_WANT_READ ? POLLIN : why == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
	return *events != 0 ? 0 : -1;
}

/* What to look at where its certificate is not believed. */
static const char *hint_of(long bad)
{
	switch (bad) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return "redis-tls-name";
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CERT_HAS_EXPIRED: return "that of Redis; or this host's clock is wrong";
	default: return "redis-tls-ca";
	}
}

MsWireEnd ms_tls_begin(MsTls *tls, int fd, const MsWhere *where, int call_off, gint64 deadline,
	MsTlsEnd **end_out, GError **error)
{
	SSL *ssl = SSL_new(tls->context);
	g_assert(ssl != NULL);
	SSL_set_fd(ssl, fd);
	expect(ssl, tls->name != NULL ? tls->name : where->host);
	MsWireEnd end = MS_WIRE_FINE;
	short events;
	for (int rc; end == MS_WIRE_FINE;) {
		ERR_clear_error();
		rc = SSL_connect(ssl);
		if (rc == 1)
			break;
		if (waits(ssl, rc, &events) == 0) {
			end = ms_wire_wait(fd, events, call_off, deadline);
			continue;
		}
		long bad = SSL_get_verify_result(ssl);
		end = bad != X509_V_OK ? MS_WIRE_FORBIDDEN : MS_WIRE_CLOSED;
		if (bad != X509_V_OK)
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "TLS: %s (%s)",
				X509_verify_cert_error_string(bad), hint_of(bad));
		else
			g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "TLS: %s", reason());
	}
	if (end != MS_WIRE_FINE) {
		SSL_free(ssl);
		return end;
	}
	*end_out = g_new0(MsTlsEnd, 1);
	(*end_out)->ssl = ssl;
	return end;
}

void ms_tls_end_free(MsTlsEnd *end)
{
	if (end == NULL)
		return;
	SSL_free(end->ssl);
	g_free(end);
}

gssize ms_tls_read(MsTlsEnd *end, void *data, gsize len, short *events)
{
	size_t n;
	ERR_clear_error();
	int rc = SSL_read_ex(end->ssl, data, len, &n);
	return rc == 1 ? (gssize)n : waits(end->ssl, rc, events);
}

gssize ms_tls_write(MsTlsEnd *end, const void *data, gsize len, short *events)
{
	size_t n;
	ERR_clear_error();
	int rc = SSL_write_ex(end->ssl, data, len, &n);
	return rc == 1 ? (gssize)n : waits(end->ssl, rc, events);
}
