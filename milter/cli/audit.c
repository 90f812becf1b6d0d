/*
 * missent audit: one row a verb.  The tool's one thread.
 */
#include "config.h"

#include "cli.h"

static const CliVerb verbs[] = {
	{"verify", cli_audit_verify, "is the trail whole? against a kept checkpoint too"},
	{"acts", cli_audit_acts, "who did what, when, about which message, and for whom"},
	{"prove", cli_audit_prove, "a proof that one line is in it, for anybody"},
	{"show", cli_audit_show, "one line as it was written"},
	{"versions", cli_audit_versions,
		"the policies and kinds that a message was judged by, as text"},
	{"checkpoint", cli_audit_checkpoint, "publish and print the checkpoint"},
	{"begin", cli_audit_begin, "a new trail after damage; the old one is kept aside"},
	{"witness", cli_audit_witness, "checkpoints of other hosts that are kept here"},
	{"reconcile", cli_reconcile,
		"set an MTA's logs against the trail: was every message judged?"},
	{"rejudge", cli_rejudge,
		"judge the recorded past again, by another mapping and other policies"},
	{"export", cli_export, "the trail as ECS or OCSF JSON"},
	{NULL, NULL, NULL},
};

int cmd_audit(Cli *cli, int argc, char **argv)
{
	return cli_dispatch(cli, verbs, "missent audit VERB ...", argc, argv);
}
