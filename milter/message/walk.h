/* Shared by the files of message/: one message on its way through them. */
#ifndef MISSENT_MESSAGE_WALK_H
#define MISSENT_MESSAGE_WALK_H

#include <gmime/gmime.h>

#include "missent/extract.h"
#include "missent/inventory.h"
#include "missent/message.h"

typedef struct Outline Outline;

typedef struct {
	MsExtraction to;
	MsBudget *budget;
	MsReading *reading;
	const guint8 *message; /* all of it: parts that lie in it can be named by their bytes */
	gsize len;
	const char *const *passwords;
	const MsMessageSink *sink;
	char *own; /* the author's domain, which `to` has too; or NULL */
	/* Of the bytes that are parsed just now (message.c): */
	const guint8 *window;
	gsize window_len;
	Outline *outline; /* what GMime has of it; or NULL: all */
	bool returns;     /* a "-" stands behind a carriage return somewhere */
	MsInventory *inventory;
	GHashTable *boundaries; /* of char * */
	gsize at;              /* behind what was accounted for last */
	bool bodyless;
	guint addressed; /* addresses in fields that name whom it goes to, */
	guint listed;    /* and the most in any other field of addresses */
} Walk;

/* These bytes, if they lie in what is parsed just now, are accounted for. */
void ms_walk_account(Walk *walk, const guint8 *data, gsize len);

/* ---- outline.c ---- */
/* NULL: there is nothing long enough to be left out.  `returns_out`: a "-" stands behind a carriage
 * return. */
Outline *ms_outline_new(const guint8 *data, gsize len, bool *returns_out);
void ms_outline_free(Outline *outline);
GByteArray *ms_outline_bytes(Outline *outline);
/* Where in the message it is what is there in the outline.  NULL: they are the same. */
gsize ms_outline_place(const Outline *outline, gsize at);
/* Did GMime find the parts that it would have found in all of it?  False: that is not known. */
bool ms_outline_holds(const Outline *outline, GMimeObject *object);

/* ---- fields.c ---- */
void ms_walk_headers(Walk *walk, GMimeObject *object, const char *path, bool outermost);
/* The value without quotes, comments and blanks, lower case. */
char *ms_walk_token(const char *raw);
/* The value of a field that may stand once, without quotes, comments and blanks, lower case; if it
 * stands twice and differs, readers differ on what the part is.  NULL if it is not there. */
char *ms_walk_only_value(Walk *walk, GMimeObject *object, const char *name, const char *where);
/* The transfer encoding as most readers take it: GMime ignores one in quotes. */
char *ms_walk_encoding(Walk *walk, GMimeObject *object, const char *where);
/* Reads all parameters of a part.  All names of an attachment that differ, blank-separated: clients
 * differ on which they show. */
char *ms_walk_names(Walk *walk, GMimeObject *object, const char *path);
/* "part 2 invoice.pdf" */
char *ms_walk_place(const char *path, const char *name, const char *type);

/* ---- content.c ---- */
/* The bytes of a leaf, still encoded, and how they are to be taken. */
typedef struct {
	const char *path, *name, *where, *encoding, *type, *charset;
	bool flowed, delsp;
	const guint8 *data;
	gsize len;
	gsize plain; /* once it is decoded: so many of the first are base64 and nothing else */
} Leaf;
/* That it is read (once more) is paid for, or told as unread. */
bool ms_walk_charge(Walk *walk, const Leaf *leaf);
/* NULL: the bytes stand for themselves. */
GByteArray *ms_walk_decode(Walk *walk, Leaf *leaf);
/* Reads a leaf in each way that clients take its encoding.  What it is. */
const char *ms_walk_content(Walk *walk, const Leaf *leaf, const GByteArray *decoded);

#endif
