/*
 * S/MIME and CMS (RFC 8551, 5652).  A signed message or document carries its content in the
 * signature, a compressed one packed: it is taken out, and whether the signature is any good is no
 * question of ours.  In
 * comes DER, BER or PEM, out goes the content to the mail's reader, where it is MIME, or to that
 * of the document which it is.  One thread; nothing is kept.
 */
#include "config.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <string.h>

#include "missent/transfer.h"

#include "readers.h"

/* Does it begin as a MIME entity does?  Signed mail may have Content-Type as its only field. */
static bool is_mime(const guint8 *data, gsize len)
{
	static const char *const names[] = {"content-", "mime-version:"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (len > strlen(names[i])
			&& g_ascii_strncasecmp((const char *)data, names[i], strlen(names[i])) == 0)
			return true;
	return ms_is_mail(data, len);
}

static void read_inner(const MsExtraction *to, const MsDocument *document, const char *how,
	const guint8 *data, gsize len)
{
	g_autofree char *name = g_strconcat(how, " document", NULL);
	g_autofree char *place = g_strconcat(document->where, " > ", how, " message", NULL);
	if (is_mime(data, len))
		to->message(to, place, data, len);
	else
		ms_extract_within(to, document->where, name, NULL, data, len);
}

/* Certificates, algorithms and digests stand around the content: they say who signed. */
static void read_content(const MsExtraction *to, const MsDocument *document, CMS_ContentInfo *cms)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	if (content == NULL || *content == NULL) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_SIGNATURE,
			"a signature without content");
		return;
	}
	read_inner(to, document, "signed", ASN1_STRING_get0_data(*content),
		(gsize)ASN1_STRING_length(*content));
}

/* CompressedData (RFC 3274): zlib is its only algorithm. */
static void read_compressed(
	const MsExtraction *to, const MsDocument *document, CMS_ContentInfo *cms)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	const guint8 *data = content != NULL && *content != NULL ? ASN1_STRING_get0_data(*content)
								 : NULL;
	gsize len = data != NULL ? (gsize)ASN1_STRING_length(*content) : 0, used = 0;
	g_autoptr(GByteArray) bytes = ms_inflate(to, document->where, data, len, MS_ZLIB, &used);
	if (bytes == NULL || bytes->len == 0) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_DAMAGED,
			"a compressed S/MIME message without content");
		return;
	}
	read_inner(to, document, "compressed", bytes->data, bytes->len);
	if (used < len)
		ms_extract_within(
			to, document->where, "bytes behind", NULL, data + used, len - used);
}

static void read_cms(const MsExtraction *to, const MsDocument *document, CMS_ContentInfo *cms)
{
	int type = cms != NULL ? OBJ_obj2nid(CMS_get0_type(cms)) : NID_undef;
	if (type == NID_pkcs7_signed)
		read_content(to, document, cms);
	else if (type == NID_id_smime_ct_compressedData)
		read_compressed(to, document, cms);
	else if (type == NID_pkcs7_enveloped || type == NID_id_smime_ct_authEnvelopedData
		|| type == NID_pkcs7_encrypted)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_ENCRYPTED,
			"an encrypted S/MIME message");
	else
		ms_reading_unread(to->reading, document->where,
			cms != NULL ? MS_UNREAD_NO_READER : MS_UNREAD_DAMAGED,
			"an S/MIME message of no known kind");
}

/* Reads DER or BER at the beginning of `data`; how many bytes it took, 0 if it is none. */
static gsize read_binary(
	const MsExtraction *to, const MsDocument *document, const guint8 *data, gsize len)
{
	const guint8 *p = data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)MIN(len, G_MAXINT));
	read_cms(to, document, cms);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return cms != NULL ? (gsize)(p - data) : 0;
}

/* From "-----BEGIN" to the end of the "-----END" line; its base64 is decoded by our own rules,
 * which skip what OpenSSL refuses. */
static gsize read_armour(const MsExtraction *to, const MsDocument *document, gsize from)
{
	const char *text = (const char *)document->data + from;
	gsize left = document->len - from;
	const char *body = memchr(text, '\n', left);
	body = body != NULL ? body : text + left;
	const char *stop = memmem(body, left - (gsize)(body - text), "-----END", 8);
	stop = stop != NULL ? stop : text + left;
	const char *after = memchr(stop, '\n', left - (gsize)(stop - text));
	g_autoptr(GByteArray)
		bytes = ms_transfer_base64((const guint8 *)body, (gsize)(stop - body));
	read_binary(to, document, bytes->data, bytes->len);
	return from + (gsize)((after != NULL ? after : text + left) - text);
}

void ms_smime_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	MsItem item = ms_inventory_item(inventory, "signed or encrypted data");
	gsize blank;
	bool armour = ms_is_pkcs7_armour(document->data, document->len, &blank);
	gsize end = armour ? read_armour(to, document, blank)
			   : read_binary(to, document, document->data, document->len);
	ms_inventory_bytes(inventory, item, 0, end > 0 ? end : document->len);
	ms_inventory_read(inventory, item);
}

/* ---- certificates ---------------------------------------------------------------------- */

/* Its names and extensions in words.  Keys, signatures and serial numbers are random. */
static void print_certificate(const MsExtraction *to, const char *where, X509 *certificate)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	X509_print_ex(text, certificate, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB,
		X509_FLAG_NO_PUBKEY | X509_FLAG_NO_SIGDUMP | X509_FLAG_NO_SERIAL);
	long len = BIO_get_mem_data(text, &bytes);
	ms_extract_aside(to, where, false, bytes != NULL ? bytes : "", (gsize)MAX(len, 0));
	BIO_free(text);
}

void ms_certificate_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	const guint8 *p = document->data;
	X509 *certificate = d2i_X509(NULL, &p, (long)MIN(document->len, G_MAXINT));
	MsItem item = ms_inventory_item(inventory, "certificate");
	gsize end = certificate != NULL ? (gsize)(p - document->data) : document->len;
	ms_inventory_bytes(inventory, item, 0, end);
	if (certificate != NULL) {
		print_certificate(to, document->where, certificate);
		ms_inventory_read(inventory, item);
	} else {
		ms_inventory_unread(
			inventory, item, MS_UNREAD_DAMAGED, "a certificate that cannot be read");
	}
	X509_free(certificate);
	ERR_clear_error();
}

/* ---- what tells whether a certificate still holds ---------------------------------------- */

/* How many bytes a list of revoked certificates (RFC 5280, 5) or an answer about one (RFC 6960)
 * takes; 0: it is neither.  Both stand in PDFs whose signatures are to last. */
static gsize status_size(const guint8 *data, gsize len)
{
	const guint8 *p = data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)MIN(len, G_MAXINT));
	OCSP_RESPONSE *answer = NULL;
	if (crl == NULL) {
		p = data;
		answer = d2i_OCSP_RESPONSE(NULL, &p, (long)MIN(len, G_MAXINT));
	}
	/* An answer alone is a number and what it encloses: that must be an answer, too. */
	OCSP_BASICRESP *basic = answer != NULL ? OCSP_response_get1_basic(answer) : NULL;
	gsize size = crl != NULL || basic != NULL ? (gsize)(p - data) : 0;
	X509_CRL_free(crl);
	OCSP_RESPONSE_free(answer);
	OCSP_BASICRESP_free(basic);
	ERR_clear_error();
	return size;
}

/* Names, times and reasons stand in them as they are; the rest are numbers of certificates. */
void ms_certificate_status_read(
	const MsExtraction *to, const MsDocument *document, MsInventory *inventory)
{
	gsize end = status_size(document->data, document->len);
	if (end == 0) {
		ms_inventory_unread(inventory, MS_ITEM_WHOLE, MS_UNREAD_DAMAGED,
			"a status of certificates that cannot be read");
		return;
	}
	MsItem item = ms_inventory_item(inventory, "status of certificates");
	ms_inventory_bytes(inventory, item, 0, end);
	g_autoptr(GString) text = g_string_new(NULL);
	ms_strings(text, document->data, end);
	ms_extract_aside(to, document->where, false, text->str, text->len);
	ms_inventory_read(inventory, item);
}
