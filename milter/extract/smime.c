#include "config.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "readers.h"

/*
 * S/MIME (RFC 8551).  A signed message carries its content in the signature: it is taken out,
 * and whether the signature is any good is no question of ours.
 */

static GByteArray *content_of(CMS_ContentInfo *cms)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	if (content == NULL || *content == NULL)
		return NULL;
	return g_byte_array_append(g_byte_array_new(), ASN1_STRING_get0_data(*content),
		(guint)ASN1_STRING_length(*content));
}

static void read_content(const MsExtraction *to, const MsDocument *document, CMS_ContentInfo *cms)
{
	g_autoptr(GByteArray) content = content_of(cms);
	if (content == NULL) {
		ms_reading_unread(to->reading, document->where, MS_UNREAD_SIGNATURE,
			"a signature without content");
		return;
	}
	g_autofree char *place = g_strconcat(document->where, " > signed message", NULL);
	to->message(to, place, content->data, content->len);
}

void ms_smime_read(const MsExtraction *to, const MsDocument *document,
	MsInventory *inventory)
{
	ms_inventory_read(inventory, MS_ITEM_WHOLE);
	BIO *bio = BIO_new_mem_buf(document->data, (int)MIN(document->len, G_MAXINT));
	CMS_ContentInfo *cms = bio != NULL ? d2i_CMS_bio(bio, NULL) : NULL;
	int type = cms != NULL ? OBJ_obj2nid(CMS_get0_type(cms)) : NID_undef;
	if (type == NID_pkcs7_signed)
		read_content(to, document, cms);
	else if (type == NID_pkcs7_enveloped || type == NID_id_smime_ct_authEnvelopedData
		|| type == NID_pkcs7_encrypted)
		ms_reading_unread(to->reading, document->where, MS_UNREAD_ENCRYPTED,
			"an encrypted S/MIME message");
	else
		ms_reading_unread(to->reading, document->where,
			cms != NULL ? MS_UNREAD_NO_READER : MS_UNREAD_DAMAGED,
			"an S/MIME message of no known kind");
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	ERR_clear_error();
}
