/*
 * The agent: what asks comes in over a Unix socket (door.c) or, vouched for by another host's
 * agent, through Redis (hosts.c); who it is and what he may is found in ask.c; accounts are
 * people.c's, held mail is the desk's.
 */
#ifndef MISSENT_AGENT_AGENT_H
#define MISSENT_AGENT_AGENT_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "missent/accounts.h"
#include "missent/audit.h"
#include "missent/desk.h"
#include "missent/link.h"
#include "missent/metrics.h"

typedef struct {
	const char *config;
	MsDesk *desk;
	MsAccounts *accounts;
	MsAudit *audit;
	char *webhook_key;  /* NULL: nobody is told */
	MsLink *several;    /* NULL: one host */
	atomic_bool impostor; /* another machine answers for our name: neither tell nor answer */
	int listening;
	_Atomic gint64 carrier_turned; /* when it last came round, monotonic */
	gint64 watched; /* when that was looked at; the door's */
	struct MHD_Daemon *metrics; /* NULL: nobody is served */
	bool textfile_failed;
	atomic_bool alerting[MS_N_ALERTS];
	uid_t page;         /* may ask; (uid_t)-1: there is no such user */
	pthread_mutex_t lock;
	/* as the file says now; those before are kept for who still reads them */
	MsSettings *settings;
	GPtrArray *settings_before;
	char *settings_stamp; /* of the file then */
	/* session and decision, to when he proved that it is he; under the lock */
	GHashTable *proofs;
	/* Lines of the trail for what nobody known did: from when on there is room for one more;
	 * and how many there was none for.  Under the lock. */
	gint64 strangers_from;
	guint strangers_untold;
} Agent;

extern atomic_bool agent_stopping;

/* main.c */
const MsSettings *agent_settings(Agent *agent);

/* watch.c: tells systemd, if it asks and when it is time, that all goes on. */
void agent_watch(Agent *agent);

/* door.c: until it is to stop. */
void agent_serve(Agent *agent);

/* ---- who asks, and what he may (ask.c) ------------------------------------------------- */

typedef struct {
	Agent *agent;
	const json_t *ask;
	MsSession *session;     /* NULL: nobody yet */
	const char *session_id; /* "" of a token */
	bool proved;            /* has proved anew, with this very request, that it is he */
} Asker;

/* The code of a refusal, for who turns it into a status. */
typedef enum {
	AGENT_INPUT,
	AGENT_SESSION,
	AGENT_ROLE,
	AGENT_PROOF,
	AGENT_WAIT,
	AGENT_RETRY
} AgentCode;
#define AGENT_ERROR agent_error_quark()
GQuark agent_error_quark(void);
/* NULL, and why. */
json_t *agent_refuse(GError **error, AgentCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* What came over the socket; NULL: it is none. */
json_t *agent_read(const char *json, gsize len);
/* May it take long: has it to do with held mail, or with other hosts? */
bool agent_is_slow(const json_t *ask);
/* The reply to it. */
char *agent_answer(Agent *agent, const json_t *ask);
/* The reply to what another agent vouches for (MsLinkAnswer). */
char *agent_vouched(const char *json, gsize len, void *agent);
/* "": it is not there, or is no text. */
const char *agent_word(const json_t *ask, const char *key);
bool agent_audit(const Asker *asker, MsEvent event, const char *about, const char *detail,
	GError **error);

/* The same of one whom nobody knows, and who can ask as often as he likes: at most
 * AGENT_STRANGERS lines at once, then one in AGENT_STRANGERS_US; the next one says how many had no
 * room. */
#define AGENT_STRANGERS 60
#define AGENT_STRANGERS_US (5 * (gint64)G_USEC_PER_SEC)
typedef struct {
	const char *who; /* as he says; or NULL */
	const char *client, *about, *detail;
} AgentStranger;
bool agent_audit_stranger(
	Agent *agent, MsEvent event, const AgentStranger *stranger, GError **error);

/* people.c */
typedef json_t *(*AgentAnswer)(Asker *asker, GError **error);
typedef struct {
	const char *name;
	enum { BY_ANYBODY, BY_VIEWER, BY_REVIEWER, BY_ADMINISTRATOR } by;
	bool proof; /* with a password or code of his own */
	AgentAnswer answer;
} AgentRow;
extern const AgentRow agent_people[]; /* ends with name NULL */

/* canary.c: a thread, until it is to stop. */
void *agent_send_canaries(void *agent);

/* outbox.c: a thread, until it is to stop. */
void *agent_send_outbox(void *agent);
char *agent_webhook_key(const char *path, GError **error);

/* metrics.c: serves them; false: it cannot, which was told. */
bool agent_metrics_start(Agent *agent);
void agent_metrics_stop(Agent *agent);
void agent_metrics_file(Agent *agent);
/* `error`: why the records cannot be read, where they cannot. */
void agent_host_numbers(Agent *agent, MsHostNumbers *out, GError **error);

/* alerts.c: a thread, until it is to stop. */
void *agent_tend(void *agent);

/* witness.c: the answer to another host that keeps our checkpoint; a thread that asks them, until
 * it is to stop. */
json_t *agent_trail(Agent *agent, const json_t *ask, GError **error);
void *agent_watch_trails(void *agent);

/* hosts.c */
typedef struct AgentHosts AgentHosts;
/* NULL: a thread could not be started. */
AgentHosts *agent_hosts_start(Agent *agent);
void agent_hosts_join(AgentHosts *hosts);

#endif
