/*
 * Did a column of a file slip by a row?  Told without an earlier mapping, where names and addresses
 * say whose they are: anna.weber@alpha.example and Anna Weber, or Alpha.
 */
#ifndef MISSENT_DIRECTORY_SLIP_H
#define MISSENT_DIRECTORY_SLIP_H

#include "missent/directory.h"

typedef struct MsSlip MsSlip;
typedef void (*MsSlipTold)(guint64 line, const char *text, void *user);

MsSlip *ms_slip_new(const MsKinds *kinds, MsSlipTold told, void *user);
void ms_slip_free(MsSlip *slip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSlip, ms_slip_free)
/* Each row, in the order of the file. */
void ms_slip_row(
	MsSlip *slip, guint64 line, const char *account, const char *kind, const char *value);
/* There is no more.  How many times it was told. */
guint ms_slip_end(MsSlip *slip);

#endif
