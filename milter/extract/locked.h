/* Documents that are locked with a password.  Private to extract/. */
#ifndef MISSENT_EXTRACT_LOCKED_H
#define MISSENT_EXTRACT_LOCKED_H

#include "missent/extract.h"

/* Before the worker is confined: what libcrypto looks up once. */
void ms_locked_init(void);

/* What an Office file has in its stream EncryptedPackage, by what EncryptionInfo says of it
 * (MS-OFFCRYPTO).  NULL: the password does not open it, or it is locked in another way. */
GByteArray *ms_locked_office(MsBudget *budget, const GByteArray *info, const GByteArray *package,
	const char *password);

#endif
