/*
 * A slice of a mapping: the entries whose places fall into it.  In the clear it has their number,
 * their keys, and for each a link to the entry of who receives for its account; in its box, their
 * accounts.  missent-directory(7) writes it out.
 *
 * Slices 0 to S-1 have the entries of identifiers, recipients and other forms, by the first four
 * bytes of their digests; slices S to S+A-1 those about accounts, by the first three, which are
 * the link.
 */
#ifndef MISSENT_DIRECTORY_SLICE_H
#define MISSENT_DIRECTORY_SLICE_H

#include "part.h"

#define MS_LINK_BYTES 3
#define MS_MAX_SLICES (1u << 21) /* so that places are exact in numbers of 53 bits, too */

typedef struct {
	guint32 slices, accounts; /* S and A */
} MsPlaces;
guint32 ms_place_entry(const MsPlaces *places, const guint8 digest[MS_PLACE_BYTES]);
guint32 ms_place_account(const MsPlaces *places, const guint8 link[MS_LINK_BYTES]);

/* ---- what an entry says, in the box ------------------------------------------------------ */

#define MS_REF_BYTES 4
typedef struct {
	const char *account;
	gsize account_len;
	/* of another form: the beginning of the key that it is a form of; or NULL */
	const guint8 *ref;
	const char *text;  /* its name, where digests are off */
	gsize text_len;
} MsSaid;
void ms_said_write(GByteArray *out, const MsKeys *keys, const MsSaid *said);
/* False at the end, or where it makes no sense: then `*at` is not `end`. */
bool ms_said_read(const MsKeys *keys, const guint8 **at, const guint8 *end, MsSaid *out);

/* ---- reading ---------------------------------------------------------------------------- */

typedef struct {
	guint n;
	const guint8 *keys, *links; /* in `data` */
	GBytes *data;
	guint8 *secret;
	gsize secret_len;
} MsSlice;

/* The number, keys and links of one, without a key.  False: it has not the form of one. */
bool ms_slice_clear(const guint8 *data, gsize len, guint *n_out, const guint8 **keys_out,
	const guint8 **links_out);
/* NULL: it is not what it should be. */
MsSlice *ms_slice_open(const MsKeys *keys, const char *generation, guint32 number, GBytes *data);
void ms_slice_free(MsSlice *slice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSlice, ms_slice_free)
/* The first entry with this key, and how many there are. */
guint ms_slice_find(const guint8 *keys, guint n, const guint8 key[MS_ENTRY_KEY], guint *many_out);
/* Calls `each` for every entry; NULL, or (static) what is wrong with its form. */
const char *ms_slice_each(const MsKeys *keys, const MsSlice *slice,
	void (*each)(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user), void *user);
/* Adds (char *) the accounts of one key. */
const char *ms_slice_accounts(const MsKeys *keys, const MsSlice *slice,
	const guint8 key[MS_ENTRY_KEY], GPtrArray *accounts);

/* ---- writing ---------------------------------------------------------------------------- */

typedef struct {
	guint8 key[MS_ENTRY_KEY], link[MS_LINK_BYTES];
	gsize said_len;
	const guint8 *said; /* as ms_said_write() made it */
	guint32 line; /* of a file that is imported; else 0 */
	guint16 kind; /* likewise: moved.h */
	guint16 written; /* likewise: lint.h */
} MsRecord;
/* By key, then by what is said. */
gint ms_record_compare(const MsRecord *a, const MsRecord *b);
/* Of records in order. */
GBytes *ms_slice_seal(const MsKeys *keys, const char *generation, guint32 number,
	const MsRecord *records, guint n);
/* With a record more, or less; `*data` is replaced.  False: it was there, or was not. */
bool ms_slice_put(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	const MsRecord *record);
bool ms_slice_remove(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	const MsRecord *record);
/* Without the entries of which `goes` says so; `*data` is replaced if there are any.  `*rows_out`
 * grows by those of them that are rows, and no other forms.  False: it is not what it should be. */
typedef bool (*MsSliceGoes)(const guint8 key[MS_ENTRY_KEY], const MsSaid *said, void *user);
bool ms_slice_strip(const MsKeys *keys, const char *generation, guint32 number, GBytes **data,
	MsSliceGoes goes, void *user, gint64 *rows_out);

#endif
