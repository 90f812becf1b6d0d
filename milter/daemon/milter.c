/*
 * libmilter's callbacks come in, and are calls of session.h; its decision goes back to the MTA.
 * libmilter's threads: one at a time for a connection, another for its next step.
 *
 * Nothing is decided before the end of the message: an early accept leaks into the next message of
 * the session in some versions of the MTAs.
 */
#include "config.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/log.h"
#include "missent/token.h"

#include "daemon.h"

/* libmilter has no pointer for the filter as a whole, only one a connection. */
static Daemon *the_daemon;

#define OWN_TAG "X-Missent"

typedef struct {
	Session *session;
	unsigned long protocol; /* what was agreed on */
	int fd;
} Connection;

/* What was agreed on last. */
static atomic_ulong agreed;

/* After "quit, and a new connection follows" on_close() was called, and what was agreed on is not
 * asked again: MTAs of one host agree on the same.  NULL: there is no context any more. */
static Connection *connection_of(SMFICTX *ctx)
{
	Connection *connection = smfi_getpriv(ctx);
	if (connection != NULL)
		return connection;
	connection = g_new0(Connection, 1);
	connection->protocol = atomic_load(&agreed);
	connection->fd = room_last();
	if (smfi_setpriv(ctx, connection) != MI_SUCCESS)
		g_clear_pointer(&connection, g_free);
	return connection;
}

/* Where the MTA waits for no reply, none may be given. */
static sfsistat go_on(SMFICTX *ctx, unsigned long no_reply)
{
	const Connection *connection = connection_of(ctx);
	return connection != NULL && (connection->protocol & no_reply) ? SMFIS_NOREPLY
								       : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
	unsigned long f3, unsigned long *pf0, unsigned long *pf1, unsigned long *pf2,
	unsigned long *pf3)
{
	(void)f2;
	(void)f3;
	unsigned long need = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_QUARANTINE;
	if ((f0 & need) != need) {
		ms_log(LOG_ERR, NULL,
			"the MTA does not offer quarantine, or changing headers and recipients; refused");
		return SMFIS_REJECT;
	}
	/* Where nothing is ever said, the MTA need not wait for it: most of a milter's cost. */
	unsigned long wanted = SMFIP_HDR_LEADSPC | SMFIP_SKIP | SMFIP_NOHELO | SMFIP_NOUNKNOWN
		| SMFIP_NODATA | SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR
		| SMFIP_NR_EOH;
	*pf0 = need;
	*pf1 = f1 & wanted;
	*pf2 = 0;
	*pf3 = 0;
	smfi_setsymlist(ctx, SMFIM_CONNECT, (char *)"j");
	smfi_setsymlist(ctx, SMFIM_ENVFROM, (char *)"i {auth_authen}");
	smfi_setsymlist(ctx, SMFIM_ENVRCPT, (char *)"i");
	smfi_setsymlist(ctx, SMFIM_EOM, (char *)"i");
	atomic_store(&agreed, *pf1);
	Connection *connection = connection_of(ctx);
	if (connection == NULL)
		return SMFIS_REJECT;
	connection->protocol = *pf1;
	return SMFIS_CONTINUE;
}

static char *address_text(const _SOCK_ADDR *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	if (address == NULL)
		return NULL;
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof in);
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof in6);
		inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
	}
	return text[0] != '\0' ? g_strdup(text) : NULL;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	Connection *connection = connection_of(ctx);
	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	g_autofree char *text = address_text(address);
	session_free(connection->session);
	connection->session = session_new(the_daemon, name, text);
	return go_on(ctx, SMFIP_NR_CONN);
}

static Session *session_of(SMFICTX *ctx)
{
	Connection *connection = connection_of(ctx);
	if (connection == NULL)
		return NULL;
	/* An MTA may leave out the connect step. */
	if (connection->session == NULL)
		connection->session = session_new(the_daemon, NULL, NULL);
	return connection->session;
}

/* In another thread, while that of this connection makes a verdict and writes nothing to it. */
static bool tell_progress(void *user)
{
	return smfi_progress(user) == MI_SUCCESS;
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
	Session *session = session_of(ctx);
	if (session == NULL)
		return SMFIS_TEMPFAIL;
	const char *user = smfi_getsymval(ctx, (char *)"{auth_authen}");
	session_mail(session, argv[0], user != NULL && *user != '\0' ? user : NULL);
	return go_on(ctx, SMFIP_NR_MAIL);
}

static sfsistat on_recipient(SMFICTX *ctx, char **argv)
{
	Session *session = session_of(ctx);
	if (session != NULL)
		session_recipient(session, argv[0]);
	return go_on(ctx, SMFIP_NR_RCPT);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	Session *session = session_of(ctx);
	if (session != NULL)
		session_header(session, name, value,
			connection_of(ctx)->protocol & SMFIP_HDR_LEADSPC);
	return go_on(ctx, SMFIP_NR_HDR);
}

static sfsistat on_end_of_headers(SMFICTX *ctx)
{
	Session *session = session_of(ctx);
	if (session != NULL)
		session_end_of_headers(session);
	return go_on(ctx, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	Session *session = session_of(ctx);
	if (session != NULL && session_body(session, data, len))
		return SMFIS_CONTINUE;
	const Connection *connection = connection_of(ctx);
	/* Skipped, not accepted: the end of the message still comes. */
	return connection != NULL && (connection->protocol & SMFIP_SKIP) ? SMFIS_SKIP
									 : SMFIS_CONTINUE;
}

static sfsistat refuse(SMFICTX *ctx, const char *code, const char *status, const char *text,
	sfsistat result)
{
	/* "%" begins a format in the Sendmail documentation of setreply. */
	g_autofree char *copy = g_strdelimit(g_strdup(text), "%\r\n", ' ');
	smfi_setreply(ctx, (char *)code, (char *)status, copy);
	return result;
}

static bool remove_recipients(SMFICTX *ctx, const GPtrArray *removed)
{
	for (guint i = 0; i < removed->len; i++)
		if (smfi_delrcpt(ctx, removed->pdata[i]) != MI_SUCCESS)
			return false;
	return true;
}

/* A token is ours alone; it does not leave with the mail.  From the last to the first: indices
 * of what was there before do not change. */
static bool remove_tokens(SMFICTX *ctx, guint n)
{
	for (; n > 0; n--)
		if (smfi_chgheader(ctx, (char *)MS_TOKEN_HEADER, (int)n, NULL) != MI_SUCCESS)
			return false;
	return true;
}

static sfsistat carry_out(
	SMFICTX *ctx, const Decision *decision, const char *queue_id, bool *taken_out)
{
	*taken_out = true;
	switch (decision->action) {
	case MS_DELIVER: return decision->discard ? SMFIS_DISCARD : SMFIS_CONTINUE;
	case MS_TAG: {
		const Connection *connection = connection_of(ctx);
		g_autofree char *value = g_strconcat(
			connection->protocol & SMFIP_HDR_LEADSPC ? " " : "", decision->header,
			NULL);
		if (smfi_addheader(ctx, (char *)OWN_TAG, value) == MI_SUCCESS)
			return SMFIS_CONTINUE;
		break;
	}
	case MS_SPLIT:
		if (remove_recipients(ctx, decision->removed))
			return SMFIS_CONTINUE;
		break;
	case MS_DELAY:
	case MS_HOLD:
		if (smfi_quarantine(ctx, decision->reason) == MI_SUCCESS)
			return SMFIS_CONTINUE;
		break;
	case MS_REJECT: return refuse(ctx, "550", "5.7.1", decision->reply, SMFIS_REJECT);
	case MS_TEMPFAIL: return refuse(ctx, "451", "4.7.1", decision->reply, SMFIS_TEMPFAIL);
	case MS_N_ACTIONS: break;
	}
	ms_log(LOG_ERR, queue_id, "action=tempfail, trouble=\"the MTA did not take the %s\"",
		ms_action_names[decision->action]);
	*taken_out = false;
	return SMFIS_TEMPFAIL;
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
	Session *session = session_of(ctx);
	if (session == NULL)
		return SMFIS_TEMPFAIL;
	const char *queue_id = smfi_getsymval(ctx, (char *)"i");
	Decision decision;
	session_on_progress(session, tell_progress, ctx);
	session_end_of_message(session, smfi_getsymval(ctx, (char *)"j"), queue_id, &decision);
	bool taken = false,
	     clean = decision.action >= MS_REJECT || remove_tokens(ctx, decision.tokens);
	if (!clean)
		ms_log(LOG_ERR, queue_id,
			"action=tempfail, trouble=\"the MTA did not take off a header\"");
	sfsistat result = clean ? carry_out(ctx, &decision, queue_id, &taken) : SMFIS_TEMPFAIL;
	session_answered(session, taken);
	decision_clear(&decision);
	return result;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	Connection *connection = smfi_getpriv(ctx);
	if (connection != NULL && connection->session != NULL)
		session_abort(connection->session);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	Connection *connection = smfi_getpriv(ctx);
	if (connection != NULL) {
		session_free(connection->session);
		g_free(connection);
		smfi_setpriv(ctx, NULL);
	}
	return SMFIS_CONTINUE;
}

int milter_descriptor(void *context)
{
	const Connection *connection = smfi_getpriv(context);
	return connection != NULL ? connection->fd : -1;
}

bool milter_register(Daemon *daemon, GError **error)
{
	the_daemon = daemon;
	struct smfiDesc description = {
		.xxfi_name = (char *)"missent",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_QUARANTINE |
			SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_recipient,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_headers,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};
	if (smfi_register(description) == MI_SUCCESS)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "libmilter refused the registration");
	return false;
}
