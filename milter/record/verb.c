/*
 * The table of verbs, and how a word becomes one.  Who adds a verb adds its row here, and a row
 * of how it is carried out in milter/desk/carry.c.  Constants; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/record.h"
#include "missent/verb.h"

const char *const ms_say_names[MS_N_SAYS + 1] = {"recipients", "rightful", "others", "account",
	"identifier", "assignee", "why", NULL};

#define WHY {MS_SAY_WHY, false, MS_WORD_TEXT, "why", "TEXT", "the reason, for the record"}
#define ACCOUNT {MS_SAY_ACCOUNT, true, MS_WORD_ACCOUNT, "account", "ACCOUNT", "which account"}
#define END {0}

static const MsVerbSay release_says[] = {
	{MS_SAY_RECIPIENTS, false, MS_WORD_ADDRESS, "to", "ADDRESS",
		"only to this recipient (several times: to these)"},
	{MS_SAY_RIGHTFUL, false, MS_WORD_ANY, "rightful", NULL, "only to those with a right to it"},
	{MS_SAY_OTHERS, false, MS_WORD_ANY, "others", "NUMBER",
		"so many recipients would get what is another's, and may"},
	WHY, END};
static const MsVerbSay why_says[] = {WHY, END};
static const MsVerbSay note_says[] = {
	{MS_SAY_WHY, true, MS_WORD_TEXT, "why", "TEXT", "what is to be noted"}, END};
static const MsVerbSay assign_says[] = {
	{MS_SAY_ASSIGNEE, false, MS_WORD_PERSON, "to", "WHO", "whom (nobody, if it is left out)"},
	WHY, END};
static const MsVerbSay belongs_says[] = {
	{MS_SAY_IDENTIFIER, true, MS_WORD_IDENTIFIER, "identifier", "REF",
		"which one: what stands in brackets in held show"},
	ACCOUNT, WHY, END};
static const MsVerbSay may_receive_says[] = {
	{MS_SAY_RECIPIENTS, true, MS_WORD_MAILBOX, "recipient", "ADDRESS",
		"which recipient (several times: these)"},
	ACCOUNT, WHY, END};
static const MsVerbSay no_says[] = {END};

#define HELD (1u << MS_STATE_HELD)
/* What was decided stays on record as it was when somebody decided. */
#define OPEN (HELD | 1u << MS_STATE_OBSERVED)
#define ANY_STATE ((1u << MS_N_STATES) - 1)

const MsVerbRow ms_verbs[MS_N_VERBS] = {
	[MS_VERB_RELEASE] = {"release", .many = true, .final = true, .from = HELD,
		.to = MS_STATE_RELEASED, .role = MS_ROLE_REVIEWER, .says = release_says,
		.arguments = "QUEUEID...", .help = "let it go to its recipients"},
	[MS_VERB_RETURN] = {"return", .many = true, .final = true, .of_damaged = true, .from = HELD,
		.to = MS_STATE_RETURNED, .role = MS_ROLE_REVIEWER, .says = why_says,
		.arguments = "QUEUEID...", .help = "return it to its sender"},
	[MS_VERB_DELETE] = {"delete", .many = true, .final = true, .of_damaged = true, .from = HELD,
		.to = MS_STATE_DELETED, .role = MS_ROLE_REVIEWER, .says = why_says,
		.arguments = "QUEUEID...", .help = "delete it for good"},
	[MS_VERB_NOTE] = {"note", .of_damaged = true, .from = ANY_STATE, .to = -1,
		.role = MS_ROLE_REVIEWER, .says = note_says, .arguments = "QUEUEID...",
		.help = "add a note"},
	[MS_VERB_ASSIGN] = {"assign", .of_damaged = true, .from = ANY_STATE, .to = -1,
		.role = MS_ROLE_REVIEWER, .says = assign_says, .arguments = "QUEUEID...",
		.help = "give it to a reviewer"},
	[MS_VERB_BELONGS] = {"belongs", .corrects = true, .from = ANY_STATE, .to = -1,
		.role = MS_ROLE_REVIEWER, .says = belongs_says, .arguments = "QUEUEID",
		.help = "this identifier belongs to that account"},
	[MS_VERB_MAY_RECEIVE] = {"may-receive", .corrects = true, .from = ANY_STATE, .to = -1,
		.role = MS_ROLE_REVIEWER, .says = may_receive_says, .arguments = "QUEUEID",
		.help = "this recipient may receive for that account"},
	[MS_VERB_REJUDGE] = {"rejudge", .many = true, .from = OPEN, .to = -1,
		.role = MS_ROLE_REVIEWER, .says = why_says, .arguments = "QUEUEID...",
		.help = "judge it again by the directory and policies of now"},
	[MS_VERB_AGREE] = {"agree", .of_decision = true, .to = -1, .role = MS_ROLE_REVIEWER,
		.says = no_says, .arguments = "DECISION",
		.help = "agree, as the second person, to what waits"},
	[MS_VERB_WITHDRAW] = {"withdraw", .of_decision = true, .to = -1, .role = MS_ROLE_REVIEWER,
		.says = no_says, .arguments = "DECISION",
		.help = "withdraw what waits for a second person"},
	/* It blocks nothing and may be carried out by nobody. */
	[MS_VERB_UNKNOWN] = {"unknown", .to = -1, .role = MS_N_ROLES, .says = no_says,
		.arguments = "", .help = ""},
};

MsVerb ms_verb_named(const char *word)
{
	int verb = 0;
	while (verb < MS_VERB_UNKNOWN && strcmp(ms_verbs[verb].name, word) != 0)
		verb++;
	return (MsVerb)verb;
}

bool ms_verb_parse(const char *field, const char *word, MsVerb *verb_out, GError **error)
{
	const char *names[MS_VERB_UNKNOWN + 1] = {NULL};
	int place = 0;
	for (int i = 0; i < MS_VERB_UNKNOWN; i++)
		names[i] = ms_verbs[i].name;
	if (!ms_word_choose(names, field, word, &place, error))
		return false;
	*verb_out = (MsVerb)place;
	return true;
}

const MsVerbSay *ms_verb_says(MsVerb verb, MsSay say)
{
	for (const MsVerbSay *s = ms_verbs[verb].says; s->option != NULL; s++)
		if (s->say == say)
			return s;
	return NULL;
}
