/* Stretches of a text that something out of sight names.  Private to extract/. */
#ifndef MISSENT_EXTRACT_HEADED_H
#define MISSENT_EXTRACT_HEADED_H

#include "missent/extract.h"

typedef struct MsHeaded MsHeaded;

MsHeaded *ms_headed_new(void);
void ms_headed_free(MsHeaded *headed);

/* From here on `out` is named by `names` (one a line; NULL or "": nothing names it), up to the end
 * of the innermost stretch with the same key.  Stretches may overlap. */
void ms_headed_begin(MsHeaded *headed, guint64 key, const char *names, const GString *out);
void ms_headed_end(MsHeaded *headed, guint64 key, const GString *out);
/* Is a stretch with this key open? */
bool ms_headed_is_open(const MsHeaded *headed, guint64 key);
/* Those of one element, in which one may say what another is. */
void ms_headed_attributes(MsHeaded *headed, const char *element, const char *const *attributes);

/* Of what a field of a word processor is: "MERGEFIELD Customer \* Upper" is of Customer.  Appends
 * it, with its line end. */
void ms_headed_field(GString *names, const char *instruction);

void ms_headed_hand_over(const MsExtraction *to, const char *where, const MsHeaded *headed);

#endif
