/*
 * An envelope is made and freed.  The thread that has the message.
 */
#include "config.h"

#include "missent/envelope.h"

MsEnvelope *ms_envelope_new(void)
{
	MsEnvelope *envelope = g_new0(MsEnvelope, 1);
	envelope->recipients = g_ptr_array_new_with_free_func(g_free);
	return envelope;
}

void ms_envelope_free(MsEnvelope *envelope)
{
	if (envelope == NULL)
		return;
	g_free(envelope->host);
	g_free(envelope->queue_id);
	g_free(envelope->client_address);
	g_free(envelope->client_name);
	g_free(envelope->helo);
	g_free(envelope->auth_user);
	g_free(envelope->sender);
	g_strfreev(envelope->policies);
	g_ptr_array_unref(envelope->recipients);
	g_free(envelope);
}
