#include "config.h"

#include <string.h>

#include "missent/extract.h"

/*
 * What logs may show of what a sender chose: words that stand in a list, and nothing else.  No
 * state; any thread.
 */

const char *ms_type_shown(const char *type)
{
	static const char *const common[] = {"application/gzip", "application/json", "application/msword",
		"application/ms-tnef", "application/octet-stream", "application/pdf", "application/pgp-encrypted",
		"application/pgp-signature", "application/pkcs7-mime", "application/pkcs7-signature",
		"application/postscript", "application/rtf", "application/vnd.ms-excel", "application/vnd.ms-outlook",
		"application/vnd.ms-powerpoint", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.oasis.opendocument.text",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/x-7z-compressed", "application/x-gzip", "application/x-pkcs7-mime",
		"application/x-pkcs7-signature", "application/x-zip-compressed", "application/xhtml+xml",
		"application/xml", "application/zip", "audio/mpeg", "image/bmp", "image/gif", "image/heic", "image/jpeg",
		"image/png", "image/svg+xml", "image/tiff", "image/webp", "message/delivery-status",
		"message/disposition-notification", "message/external-body", "message/global", "message/partial",
		"message/rfc822", "multipart/alternative", "multipart/mixed", "multipart/related", "text/calendar",
		"text/csv", "text/html", "text/markdown", "text/plain", "text/rfc822-headers", "text/rtf",
		"text/vcard", "text/x-vcard", "text/xml", "video/mp4", NULL};
	for (const char *const *p = common; *p != NULL; p++)
		if (strcmp(*p, type) == 0)
			return *p;
	return *type != '\0' ? "a type of another name" : "nothing";
}
