/*
 * The review page: requests in, HTML out.  One file a group of addresses, one row each in the
 * table of http.c.  Everything that is shown goes through html(), everything that is done
 * through a POST with the session's token.
 */
#ifndef MISSENT_REVIEW_PAGE_H
#define MISSENT_REVIEW_PAGE_H

#include <glib.h>
#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>

#include "missent/accounts.h"
#include "missent/ask.h"
#include "missent/ask.h"
#include "missent/link.h"
#include "missent/decision.h"
#include "missent/settings.h"

typedef struct Language Language; /* text.c */

typedef struct {
	MsSettings *settings;
	MsLedger *ledger; /* of this host, or of all hosts; read-only */
	MsLink *link;     /* to missent-agent, which knows who is who */
	bool tls;
	pthread_mutex_t lock;
	/* session ID to when, and of whom, the agent last said that it is good */
	GHashTable *vouched;
	GHashTable *clients; /* address to how many of its requests are being answered */
} Site;

typedef struct {
	Site *site;
	struct MHD_Connection *connection;
	const char *path;      /* without the query */
	bool is_post;
	GHashTable *form;      /* name to GPtrArray of values, of a POST */
	GString *growing;      /* the value that is being received, or NULL; and where it belongs */
	GPtrArray *grows_in;
	struct MHD_PostProcessor *post;
	gsize form_bytes;
	bool broken;           /* the form could not be read whole */
	GByteArray *body;      /* of a request of the API, else NULL */
	char *peer, *client;   /* the address that is connected; the one for whom a proxy is */
	bool counted;          /* among its client's requests */
	char *session_id;      /* of the cookie, or NULL */
	char *token;           /* of a program, or NULL */
	char *device;          /* of the cookie that an earlier log-in left, or NULL */
	MsSession *session;    /* NULL: not logged in */
	const Language *language; /* NULL: English */
} Request;

/* What a handler makes. */
typedef struct {
	unsigned status;
	GString *html;         /* of the body; the frame is added */
	const char *title;
	char *about;           /* what is told with the title: which message; or NULL */
	const char *type;      /* NULL: a page in its frame */
	GBytes *bytes;         /* instead of `html` */
	char *location;        /* with status 303 */
	char *cookie, *second_cookie; /* to set */
	char *file_name;       /* to download as */
	const char *allow, *authenticate, *retry_after; /* of the API; or NULL */
} Answer;

/* Who may use an address. */
typedef enum { FOR_ALL, FOR_VIEWER, FOR_REVIEWER, FOR_ADMINISTRATOR } Right;

/* http.c */
enum MHD_Result http_handle(void *site, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **state);
void http_done(void *site, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code);
/* Is all of the query text?  Who asks with what is none is refused. */
bool has_text(const Request *r);
#define MS_NO_TEXT "This address has in it what is no text."
/* A value of the query or of the form; "" if there is none. */
const char *query(const Request *r, const char *name);
const char *form(const Request *r, const char *name);
const GPtrArray *form_all(const Request *r, const char *name); /* or NULL */
bool may(const Request *r, Right right);
void redirect(Answer *a, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* An address that was handed about, if it is that of a page of ours that is looked at; else "/". */
char *own_page(const char *address);
/* The page on which a link was followed. */
char *page_before(const Request *r);
/* A text to stand in an address: escaped, and cut where no header would have room for it; the
 * caller's. */
char *in_address(const char *text);
/* Is the client a trusted proxy? */
bool from_proxy(const Request *r);
const char *header(const Request *r, const char *name);
/* All lines of that name, in their order, with commas between them (RFC 9110, 5.3), and how many
 * they are; the caller's, "" for none. */
char *header_lines(const Request *r, const char *name, guint *n_out);
/* The part of the path behind `prefix`. */
const char *below(const Request *r, const char *prefix);

/* frame.c */
/* Appends text in which every "%s" is escaped, "%S" is taken as it stands, "%d" is a number
 * (gint64).  Nothing else is a format. */
void html(GString *out, const char *format, ...);
void html_text(GString *out, const char *text);
/* "?name=value&..." with what is not empty. */
void html_query(GString *out, const char *const *pairs);
GString *frame(const Request *r, const Answer *a);
/* A host's word: "" if it is none. */
const char *word(const json_t *object, const char *key);
/* A form field that every POST needs. */
void html_token(GString *out, const Request *r);
/* The first thing in a form with several buttons: Enter in a field would press the first of them,
 * which nobody chose; this one cannot be pressed (HTML, "implicit submission"). */
void html_no_default(GString *out);
/* That others have it already (split); that it waits to be judged again (delay), and until when. */
void html_apart(GString *out, const Request *r, const MsRecord *record);
void html_time(GString *out, gint64 us);
char *age_text(const Request *r, gint64 us);
void html_state(GString *out, const Request *r, const char *state);
/* Heads of columns, each a W(...), up to a NULL. */
void html_heads(GString *out, const Request *r, const char *const *heads);
/* What went wrong or well, at the top of a page. */
void html_notice(GString *out, bool fine, const char *text);

/* text.c: the words of the page in the reader's language. */
/* Marks a word in a table, so that the check of translations finds it. */
#define W(text) text
const Language *language_chosen(const char *cookie, const char *header);
const char *language_code(const Language *language);
void html_languages(GString *out);
const char *T(const Request *r, const char *english);
const char *TN(const Request *r, gint64 n, const char *one, const char *many);
/* Appends a sentence with values for its "{name}"s: pairs of a name and a text, ended by NULL.
 * Before a name, "#": the value is a gint64; "!": it is HTML already; "@": an account; "=": in
 * bold. */
void say(GString *out, const char *sentence, ...) G_GNUC_NULL_TERMINATED;
/* A sentence with a number in it, as text; the caller's. */
char *said(const char *sentence, gint64 n);
/* Texts that were written down in English: translated where they are of a known form. */
bool html_known_text(GString *out, const Request *r, const char *text);
/* What somebody did, by the desk's name for it. */
void html_act(GString *out, const Request *r, const char *what);
void html_list(GString *out, const Request *r, const char *list);
void html_place(GString *out, const Request *r, const char *where);
/* With its meaning, where there is one to tell. */
void html_explained(GString *out, const Request *r, const char *word);
const char *meaning_of(const Request *r, const char *word);
void html_legend(GString *out, const Request *r);

/* filter.c: what a list is asked for, in the query of a list and of all that is reached from it. */
typedef struct {
	MsRecordFilter filter;
	const char *state, *age;
	GPtrArray *refs, *words; /* of what is searched for */
	bool given;              /* it was reached from a list */
	bool partial;            /* not all that is searched for could be looked for */
	gint64 at; /* ages count from here: now, or when the list was shown that is decided on */
} Lookup;
Lookup asked_take(const Request *r);
/* Is each word of the query one that it may be?  One that is none must not mean "any". */
bool asked_check(const Request *r, const Lookup *asked, GError **error);
MsRecordFilter asked_filter(const Lookup *asked);
/* Of what is searched for the digests that records have.  Without a host that answers, addresses,
 * accounts and queue IDs are still found: it is partial. */
void asked_marks(const Request *r, Lookup *asked);
/* What is looked for goes on the audit trail, masked; false: it could not. */
bool search_told(const Request *r, const MsRecordFilter *f);
void asked_clear(Lookup *asked);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lookup, asked_clear)
/* "?state=held&..." of it, from the beginning. */
void asked_query(GString *out, const Lookup *asked);
/* The same as fields of a form that asks. */
void asked_fields(GString *out, const Lookup *asked);
/* Fields of a form that is about all of them: what has changed since, has come in or has grown old
 * enough, is not part of it. */
void asked_as_of(GString *out, gint64 up_to, gint64 at);
void asked_form(GString *out, const Request *r, const Lookup *asked);
/* The one behind (or before) this one; NULL: there is none. */
MsRecord *asked_next(const Request *r, const Lookup *asked, const MsRecord *record, bool before);

/* list.c */
/* How many are held that nobody has decided about, and the age of the oldest, the caller's; NULL:
 * the records cannot be read. */
char *held_now(const Request *r, gint64 *n_out);
void page_list(Request *r, Answer *a);
void page_counter(Request *r, Answer *a);
void page_waiting(Request *r, Answer *a);
void page_hosts(Request *r, Answer *a);
void page_streams(Request *r, Answer *a);
/* Rows of MsRecord, each with a box where `boxes`; messages lead back to what was asked for. */
void html_rows(GString *out, const Request *r, const GPtrArray *list, const Lookup *asked,
	bool boxes, bool checked);
/* "CUST0220 -> a@b.example" */
void html_whose(GString *out, const Request *r, const char *owners, const char *recipient,
	const char *accounts, MsOutcome outcome, guint more);

/* groups.c: messages with one cause. */
void page_causes(Request *r, Answer *a);
void page_cause(Request *r, Answer *a);
void html_cause(GString *out, const Request *r, const char *cause);
/* Some of these messages, as different as can be. */
void html_sample(GString *out, const Request *r, const GPtrArray *uids, const Lookup *asked);

/* bulk.c: many as one. */
void page_bulk(Request *r, Answer *a);
/* In one sentence each: what would be sent, to how many, whose data. */
void html_sentence(GString *out, const Request *r, const MsTallies *t);
/* Counts by outcome, owner and domain. */
void html_tallies(GString *out, const Request *r, const MsTallies *t);
/* Reason and buttons; the first one is never one that lets go what is another's. */
void html_reason_field(GString *out, const Request *r);
/* `cleared`: judged again, nothing speaks against it any more. */
void bulk_buttons(GString *out, const Request *r, const MsTallies *t, bool cleared);
bool is_cleared(const char *cause);
/* The reason of a form: what was written, or chosen. */
const char *form_reason(const Request *r);
/* Before what is another's is let go: says so, and asks for the number.  Nothing else that was sent
 * has to be chosen again; nor where only the reason is missing. */
void confirm_page(
	Request *r, Answer *a, const char *action, const MsTallies *t, const char *complaint);
void reason_page(Request *r, Answer *a, const char *action);
/* Before one message is deleted, where no browser's own question was answered. */
void sure_page(Request *r, Answer *a, const char *action);

/* message.c */
/* What is sent to whom if it is released to those of the newline-separated list; "": to all. */
void html_consequences(
	GString *out, const Request *r, const MsRecord *record, const char *recipients);
void page_message(Request *r, Answer *a);
void page_reveal(Request *r, Answer *a);
void page_picture(Request *r, Answer *a);
void page_part(Request *r, Answer *a);

/* reasons.c: why it is held, each thing once. */
void html_reasons(GString *out, const Request *r, const MsRecord *record);

/* message.c */
MsRecord *find_record(const Request *r, Answer *a, const char *uid);
/* One that is to be agreed to, or is being carried out; NULL: none.  Nothing else that ends it can
 * be decided meanwhile. */
const MsDecision *open_decision(const MsRecord *record);

/* recipients.c */
typedef struct {
	GArray *list;      /* of guint: places in the record's recipients, the wrong ones first */
	/* this page's first among those that are looked for, and how many they are */
	guint from, found;
} Shown;
/* The query's "find" and "from". */
Shown recipients_shown(const Request *r, const MsRecord *record);
/* `asked`: the list it was reached from, which is not lost by that. */
void recipients_pages(GString *out, const Request *r, const MsRecord *record, const Shown *shown,
	const Lookup *asked);
/* How many identifiers of another account are in it for that recipient, and whose the last is. */
guint wrong_for(const MsRecord *record, guint recipient, const char **owner_out);

/* decide.c */
void page_decide(Request *r, Answer *a);
/* Of several decisions (many recipients) the one that is furthest from done. */
const json_t *least_done(const json_t *decisions);
/* What was pressed, in the words of the desk.  False: what is missing, or is none. */
bool pressed(const Request *r, MsAsk *ask, GError **error);
bool may_decide(const Request *r, MsVerb verb);
/* Asks the host to decide; the reply, or NULL and what to say about it. */
json_t *ask_decision(const Request *r, const char *host, MsAsk *ask, char **why_out);
/* What became of the last decision, at the top of a page. */
void html_done(GString *out, const Request *r);
void page_agree(Request *r, Answer *a);
/* Takes `ask`.  Asks a host; the reply, or NULL and what to say about it. */
json_t *ask_host(const Request *r, const char *host, json_t *ask, char **why_out);
bool audit(const Request *r, const char *what, const char *about, const char *detail);
void say_no(const Request *r, Answer *a, unsigned status, const char *text);
/* ... with a link elsewhere than to what is held. */
void lead_on(const Request *r, Answer *a, unsigned status, const char *text, const char *address,
	const char *name);
/* False, and 503, for what is NULL because the records cannot be read: that is never "nothing". */
bool was_read(const Request *r, Answer *a, const void *what);

/* session.c: what the page asks of missent-agent, which knows people and hosts. */
/* Takes `ask`, and adds who asks.  The reply; NULL: in `*why_out` (the caller's) what to say, in
 * `*code_out` (may be NULL) the agent's word for it. */
json_t *ask_agent(const Request *r, json_t *ask, char **why_out, const char **code_out);
/* Finds the session of the cookie, or of whom a trusted proxy names. */
void find_session(Request *r, Answer *a);
/* It has ended: nobody looks on with it, also while the agent is away. */
void session_forget(const Request *r);
/* Finds whose the token is; in `*code_out`, if it cannot be found now, why. */
void find_token(Request *r, char **why_out, const char **code_out);
/* The address for which a trusted proxy asks, or that is connected. */
char *client_of(const Request *r);
/* The hosts, of MsLinkHost; NULL and why. */
GPtrArray *hosts_of(const Request *r, char **why_out);
void session_cache_init(Site *site);
void session_cache_clear(Site *site);

/* login.c */
/* Fields in which somebody proves anew that it is he, and what was written into them. */
void html_proof(GString *out, const Request *r);
void add_proof(const Request *r, json_t *ask);
/* Are the two names one person's? */
bool is_person(const Request *r, const char *name);
void page_me(Request *r, Answer *a);
void page_change_me(Request *r, Answer *a);
void page_login(Request *r, Answer *a);
void page_logout(Request *r, Answer *a);
void page_language(Request *r, Answer *a);
void page_accounts(Request *r, Answer *a);
void page_put_account(Request *r, Answer *a);
/* What sets a cookie; and what the browser sent of it, or NULL. */
char *cookie_of(const Request *r, const char *name, const char *value, gint64 seconds);
const char *cookie(const Request *r, const char *name);

/* api.c: for programs. */
#define API_PREFIX "/api/1/"
void api_begin(Request *r);
/* The hosts with a part of what waits for a second person, each once; NULL: the records cannot be
 * read. */
GPtrArray *hosts_of_decision(const Request *r, const char *id);
/* False: it is so long that it is not even read to its end. */
bool api_take(Request *r, const char *data, gsize len);
void api_answer(Request *r, Answer *a, const char *method);
/* The token of such a header; NULL: it has none. */
char *api_token(const char *authorization);
/* A body, checked; NULL and why. */
json_t *api_body(const char *text, gsize len, const MsKeyRow *keys, GError **error);
const MsKeyRow *api_keys(const char *method, const char *path);

/* connections.c: nobody who says nothing keeps others out. */
#define CONNECTIONS_MOST 400
void connections_start(void);
void connections_notify(void *user, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code);
/* A request has begun (its header is there), or ended. */
void connections_busy(struct MHD_Connection *connection, bool busy);
/* Ends those that are silent too long; to be called each second. */
void connections_sweep(void);

#endif
