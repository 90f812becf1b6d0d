/*
 * extract.h - documents to text.
 *
 * WHAT    One table of readers; each turns the decoded bytes of a document into spans.  What a
 *         document is, its bytes say first and its label last.
 * OWNS    Nothing is kept after the call.
 * ERRORS  What cannot be read is an unread item on the reading.
 * THREADS ms_extract_init() once, before confinement and before threads; then one message,
 *         one thread.
 * LIMITS  MsBudget.
 * NOT     No MIME (message.h) and no identifiers (detect.h).
 *
 * To add a reader: write milter/extract/NAME.c with a function of the form MsRead, declare
 * it in readers.h and give it a row in the table of extract.c; xps.c is the smallest.  It is
 * handed an inventory (inventory.h) in which it must account for the whole document.
 */
#ifndef MISSENT_EXTRACT_H
#define MISSENT_EXTRACT_H

#include <stdbool.h>

#include "missent/budget.h"
#include "missent/help.h"
#include "missent/reading.h"
#include "missent/span.h"

typedef struct {
	const char *where;
	const char *type;    /* claimed content type, lower case; "" if nothing is claimed */
	const char *charset; /* claimed charset or NULL */
	bool flowed;         /* text/plain; format=flowed (RFC 3676) */
	bool delsp;
	const guint8 *data;  /* transfer encoding already undone */
	gsize len;
} MsDocument;

typedef struct MsExtraction MsExtraction;
struct MsExtraction {
	MsBudget *budget;
	MsReading *reading;
	MsSpanFunc span;
	void *user;
	guint face; /* that the spans belong to */
	MsSpanOf of;          /* what they are the text of */
	const char *own;      /* as in a span */
	const char *password; /* tried on encrypted documents before the empty one, or NULL */
	const MsHelp *help; /* or NULL */
	guint ocr_dpi;
	GPtrArray *buyer; /* of char *, or NULL: takes what an e-invoice calls its buyer */
	/* Reads a mail that is kept within a document. */
	void (*message)(const MsExtraction *to, const char *where, const guint8 *data, gsize len);
	void *walk; /* of `message` */
};

/* Opens and keeps what readers need from the file system. */
void ms_extract_init(void);

/* Reads a document.  What its bytes say it is, as a content type; "" if nothing is known. */
const char *ms_extract(const MsExtraction *to, const MsDocument *document);

/* Is there a program that shows these bytes: are they text, or do they begin as something known? */
bool ms_extract_may_show(const guint8 *data, gsize len);

/* Does what begins so cost less to read than to look up whether it was read already?  Of a picture
 * that nobody recognises little is read. */
bool ms_extract_is_quick(const MsExtraction *to, const guint8 *begin, gsize len);

/* Reads a file kept within the document at `where`: a face and a place of its own, charged as
 * a part and as decoded bytes. */
void ms_extract_within(const MsExtraction *to, const char *where, const char *name,
	const char *type, const guint8 *data, gsize len);

/* Charges and hands over one span of text: valid UTF-8, or repaired here. */
void ms_extract_span(const MsExtraction *to, const char *where, const char *text, gsize len);
/* The same for what counts only where the directory knows it: other header fields with their
 * names, and the address fields of the message itself. */
void ms_extract_aside(const MsExtraction *to, const char *where, bool addresses, const char *text,
	gsize len);
/* The same for a file's name: "Invoice 4711.pdf" has the number 4711, not 4711PDF, and so has
 * "RechnungKD_4711.pdf". */
void ms_extract_name(const MsExtraction *to, const char *where, const char *name);
/* The same for the value of a named field. */
void ms_extract_field(const MsExtraction *to, const char *where, const char *term,
	const char *party, const char *text, gsize len);

/* The same message with LF, if its lines end with CR alone: for a parser it would have no line end.
 * NULL if they do not. */
GByteArray *ms_mail_line_feeds(const guint8 *data, gsize len);

/* Asks for the text of a picture.  False if nobody recognises it; then it is unread. */
bool ms_extract_picture(const MsExtraction *to, const char *where, const guint8 *data, gsize len,
	const char *as);

/* A picture (PNG) of the first page of a PDF, for a reviewer; NULL if it cannot be drawn. */
GBytes *ms_extract_first_page(const guint8 *data, gsize len);

/* Opens and keeps one converter per charset. */
void ms_charset_init(void);
/* Before it: without those that little mail has.  A text in one of them is told to `func`, which
 * need not return; if it does, the text's charset is one that is not known. */
void ms_charset_leave_out_rare(void);
void ms_charset_hand_on(void (*func)(void *user), void *user);
/* Can iconv convert it, as it calls it, without loading anything?  Before ms_charset_init() has
 * ended all may be loaded. */
bool ms_charset_is_loaded(const char *name);
/* Two names of one charset; NULL is UTF-8. */
bool ms_charset_same(const char *a, const char *b);
/* Letters and digits may be written in it with other bytes than in ASCII. */
bool ms_charset_is_long(const char *charset);
/* What bytes plainly are that nothing names: UTF-16, UTF-32, EBCDIC; else NULL. */
const char *ms_charset_guess(const guint8 *data, gsize len);
/* Valid UTF-8 of bytes in `charset` (NULL: not said).  False when the charset is not known;
 * `*out` then has a guess.  Bytes that are plainly UTF-16, UTF-32
 * or EBCDIC are read so whatever is said of them as text. */
bool ms_charset_decode(const char *charset, const guint8 *data, gsize len, GString **out);
/* Valid UTF-8 without NULs, encoded words (RFC 2047) decoded, folded lines unfolded; other line
 * ends stay only if `lines` is true.  `*unknown_out` names a charset that is not known (caller
 * frees), or is left alone. */
GString *ms_words_decode(const char *raw, gsize len, bool lines, char **unknown_out);

#endif
