/* Signed notes: the key that signs, and what it signs. */
#ifndef MISSENT_NOTE_H
#define MISSENT_NOTE_H

#include "merkle.h"

typedef struct MsSigner MsSigner;
/* Of a file that only its owner may read. */
MsSigner *ms_signer_load(const char *path, const char *name, GError **error);
/* Makes a key there; a file that is there stays. */
bool ms_signer_create(const char *path, GError **error);
void ms_signer_free(MsSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSigner, ms_signer_free)
/* "name+d34db33f+AbC..."; the caller's. */
char *ms_signer_vkey(const MsSigner *signer);
/* The name in a verifier key; NULL: it is none. */
char *ms_vkey_name(const char *vkey);
const char *ms_signer_name(const MsSigner *signer);
/* A signed checkpoint; the caller's. */
char *ms_signer_checkpoint(const MsSigner *signer, guint64 size, const MsHash *root);

#endif
