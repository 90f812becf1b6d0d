/*
 * What notices, returns and digests say, in each language: a row a text, a column a language.  Pure
 * data, and how a number and an age are said with it; any thread.
 */
#include "config.h"

#include <string.h>

#include "missent/verdict.h"

#include "desk_private.h"

typedef const char *Row[DESK_N_LANGUAGES];

static const Row texts[N_WORDS] = {
	[W_HELD_TITLE] = {"A message is held for review", "Un message est retenu pour examen",
		"Eine Nachricht wird zur Prüfung zurückgehalten"},
	[W_HELD] = {"A message is held for review, because it does not fit its recipients. It has not been lost; a "
		    "reviewer will release or return it. Others that are held for the same cause are not announced one by one.",
		"Un message est retenu pour examen, car il ne correspond pas à ses destinataires. Il n'est pas perdu ; il sera "
		"libéré ou retourné. Les autres messages retenus pour la même cause ne sont pas annoncés un par un.",
		"Eine Nachricht wird zur Prüfung zurückgehalten, weil sie nicht zu ihren Empfängern passt. Sie ist nicht "
		"verloren; sie wird freigegeben oder zurückgesandt. Weitere, die aus demselben Grund zurückgehalten werden, "
		"werden nicht einzeln gemeldet."},
	[W_RETURNED_TITLE] = {"Returned after review: your message was not sent",
		"Retour après examen : votre message n'a pas été envoyé",
		"Nach Prüfung zurück: Ihre Nachricht wurde nicht gesandt"},
	[W_RETURNED] = {"Your message was held because it does not fit its recipients. A reviewer has returned it; it was "
			"not delivered to the recipients below.",
		"Votre message a été retenu car il ne correspond pas à ses destinataires. Après examen il vous est retourné ; "
		"il n'a pas été remis aux destinataires ci-dessous.",
		"Ihre Nachricht wurde zurückgehalten, weil sie nicht zu ihren Empfängern passt. Nach Prüfung geht sie an Sie "
		"zurück; den Empfängern unten wurde sie nicht zugestellt."},
	[W_EXPIRED] = {"Nobody decided on it in time.", "Personne n'a pris de décision à temps.",
		"Niemand hat rechtzeitig über sie entschieden."},
	[W_ASK] = {"Ask %s.", "Adressez-vous à %s.", "Fragen Sie %s."},
	[W_SUBJECT] = {"Subject", "Objet", "Betreff"},
	[W_SENDER] = {"Sender", "Expéditeur", "Absender"},
	[W_DATE] = {"Its date", "Sa date", "Ihr Datum"},
	[W_MESSAGE_ID] = {"Its Message-ID", "Son Message-ID", "Ihre Message-ID"},
	[W_ARRIVED] = {"Held since", "Retenu depuis", "Gehalten seit"},
	[W_RECIPIENTS] = {"Recipients", "Destinataires", "Empfänger"},
	[W_CAUSE] = {"Cause", "Cause", "Grund"},
	[W_REASON] = {"The reviewer writes", "L'examinateur écrit", "Der Prüfer schreibt"},
	[W_REFERENCE] = {"Reference", "Référence", "Kennzeichen"},
	[W_PAGE] = {"For reviewers", "Pour les examinateurs", "Für Prüfer"},
	[W_EXPIRE_TITLE] = {"%s held message expires soon", "%s message retenu expire bientôt",
		"%s zurückgehaltene Nachricht läuft bald ab"},
	[W_EXPIRE_TITLES] = {"%s held messages expire soon", "%s messages retenus expirent bientôt",
		"%s zurückgehaltene Nachrichten laufen bald ab"},
	[W_EXPIRE] = {"These held messages will be returned to their senders soon, in %s or later, unless somebody decides "
		      "before:",
		"Ces messages retenus seront bientôt retournés à leurs expéditeurs, dans %s ou plus tard, sauf décision prise "
		"avant :",
		"Diese zurückgehaltenen Nachrichten gehen bald an ihre Absender zurück, in %s oder später, wenn niemand vorher "
		"entscheidet:"},
	[W_DIGEST_TITLE] = {"%s held message", "%s message retenu", "%s zurückgehaltene Nachricht"},
	[W_DIGEST_TITLES] = {"%s held messages", "%s messages retenus",
		"%s zurückgehaltene Nachrichten"},
	[W_DIGEST_HELD] = {"%s message is held, since %s", "%s message est retenu, depuis %s",
		"%s Nachricht wird zurückgehalten, seit %s"},
	[W_DIGEST_HELDS] = {"%s messages are held, the oldest since %s",
		"%s messages sont retenus, le plus ancien depuis %s",
		"%s Nachrichten werden zurückgehalten, die älteste seit %s"},
	[W_CHECKPOINT] = {"Keep this mail: missent audit verify --against it tells whether the audit trail was written anew.",
		"Conservez ce message : missent audit verify --against dit si le journal a été réécrit.",
		"Bewahren Sie diese Mail auf: missent audit verify --against sagt, ob das Protokoll neu geschrieben wurde."},
	[W_DIGEST_WAITS] = {"%s decision waits for a second person",
		"%s décision attend une seconde personne",
		"%s Entscheidung wartet auf eine zweite Person"},
	[W_DIGEST_WAITSS] = {"%s decisions wait for a second person",
		"%s décisions attendent une seconde personne",
		"%s Entscheidungen warten auf eine zweite Person"},
	[W_DIGEST_DELAYED] = {"%s message waits to be judged again",
		"%s message attend d'être jugé à nouveau",
		"%s Nachricht wartet darauf, noch einmal beurteilt zu werden"},
	[W_DIGEST_DELAYEDS] = {"%s messages wait to be judged again",
		"%s messages attendent d'être jugés à nouveau",
		"%s Nachrichten warten darauf, noch einmal beurteilt zu werden"},
	[W_HOST] = {"Host", "Hôte", "Rechner"},
	[W_OLDEST] = {"oldest", "le plus ancien", "älteste"},
	[W_MINUTE] = {"%s minute", "%s minute", "%s Minute"},
	[W_MINUTES] = {"%s minutes", "%s minutes", "%s Minuten"},
	[W_HOUR] = {"%s hour", "%s heure", "%s Stunde"},
	[W_HOURS] = {"%s hours", "%s heures", "%s Stunden"},
	[W_DAY] = {"%s day", "%s jour", "%s Tag"},
	[W_DAYS] = {"%s days", "%s jours", "%s Tagen"},
	[W_SUMMARY_TITLE] = {"What was judged", "Ce qui a été jugé", "Was beurteilt wurde"},
	[W_SUMMARY_DAYS] = {"By day", "Par jour", "Nach Tagen"},
	[W_SUMMARY_POLICIES] = {"By policy", "Par politique", "Nach Richtlinien"},
	[W_SUMMARY_SENDERS] = {"By sender", "Par expéditeur", "Nach Absendern"},
	[W_SUMMARY_CAUSES] = {"By cause", "Par cause", "Nach Gründen"},
	[W_SUMMARY_HEAD] = {"   judged   stopped  observed", "    jugés   arrêtés  observés",
		"beurteilt angehalt. beobachtet"},
	[W_SUMMARY_ALL] = {"all messages", "tous les messages", "alle Nachrichten"},
};

/* As reasons are said to who need not know how missent calls them. */
static const Row reasons[MS_N_REASONS] = {
	[MS_MISMATCH] = {"something in it belongs to another customer",
		"un élément appartient à un autre client",
		"etwas darin gehört einem anderen Kunden"},
	[MS_UNPROVEN] = {"nothing in it is known to be the recipient's",
		"rien n'est connu comme étant au destinataire",
		"nichts darin ist als das des Empfängers bekannt"},
	[MS_UNKNOWN_IDENTIFIER] = {"something in it is nobody's that is known",
		"un élément n'est à personne de connu",
		"etwas darin gehört niemandem, der bekannt ist"},
	[MS_UNKNOWN_RECIPIENT] = {"a recipient is not known", "un destinataire n'est pas connu",
		"ein Empfänger ist nicht bekannt"},
	[MS_ROUTED_RECIPIENT] = {"the address of a recipient leads elsewhere",
		"l'adresse d'un destinataire mène ailleurs",
		"die Adresse eines Empfängers führt anderswohin"},
	[MS_OVERSIZED] = {"it has too many recipients", "il a trop de destinataires",
		"sie hat zu viele Empfänger"},
	[MS_MIXED_ACCOUNTS] = {"it is about several customers", "il concerne plusieurs clients",
		"sie handelt von mehreren Kunden"},
	[MS_EXPOSED_RECIPIENTS] = {"too many addresses are to be seen in its header",
		"trop d'adresses sont visibles dans son en-tête",
		"zu viele Adressen sind in ihrem Kopf zu sehen"},
	[MS_CONTRADICTION] = {"two of its parts name different customers",
		"deux de ses parties nomment des clients différents",
		"zwei ihrer Teile nennen verschiedene Kunden"},
	[MS_UNREADABLE] = {"something in it could not be read", "un élément n'a pas pu être lu",
		"etwas darin konnte nicht gelesen werden"},
	[MS_DIRECTORY_UNAVAILABLE] = {"the list of customers could not be asked",
		"la liste des clients n'était pas accessible",
		"das Kundenverzeichnis war nicht zu erreichen"},
	[MS_SALUTATION] = {"it greets somebody else", "il salue quelqu'un d'autre",
		"sie begrüßt jemand anderen"},
	[MS_LIST_ATTACHED] = {"a list of customers seems to be in it",
		"elle semble contenir une liste de clients", "sie enthält wohl eine Kundenliste"},
	[MS_FAN_OUT] = {"the same went to too many recipients lately",
		"la même chose est partie vers trop de destinataires",
		"dasselbe ging zuletzt an zu viele Empfänger"},
	[MS_FAN_IN] = {"a recipient got the mail of too many customers lately",
		"un destinataire a reçu le courrier de trop de clients",
		"ein Empfänger bekam zuletzt die Post zu vieler Kunden"},
	[MS_REPEAT] = {"it was sent too often to the same recipient",
		"il a été envoyé trop souvent au même destinataire",
		"sie ging zu oft an denselben Empfänger"},
	[MS_UNUSUAL] = {"it always went to others before", "jusqu’ici cela allait à d’autres",
		"bisher ging es immer an andere"},
	[MS_VOLUME] = {"the sender sends far more than usual",
		"l’expéditeur envoie bien plus que d’habitude",
		"der Absender sendet weit mehr als sonst"},
	[MS_BREAKER] = {"mail of this sender is stopped",
		"les messages de cet expéditeur sont arrêtés",
		"Mails dieses Absenders sind angehalten"},
	[MS_GUARD_UNAVAILABLE] = {"what went where lately could not be asked",
		"les envois récents n’ont pas pu être consultés",
		"was zuletzt wohin ging, war nicht zu erfahren"},
};

const char *desk_word(const Desk *desk, DeskWord word)
{
	return texts[word][desk->settings->desk.language];
}

/* The word of one, and behind it in the table that of several.  French has none and one alike. */
const char *desk_plural(const Desk *desk, DeskWord one, gint64 n)
{
	bool single = n == 1 || (n == 0 && desk->settings->desk.language == DESK_FRENCH);
	return desk_word(desk, single ? one : one + 1);
}

char *desk_count(const Desk *desk, DeskWord one, gint64 n)
{
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, n);
	return desk_fill(desk_plural(desk, one, n), number, NULL);
}

char *desk_fill(const char *text, const char *first, const char *second)
{
	GString *out = g_string_new(NULL);
	const char *const with[] = {first, second};
	for (gsize i = 0; i < G_N_ELEMENTS(with); i++) {
		const char *hole = strstr(text, "%s");
		if (hole == NULL)
			break;
		g_string_append_len(out, text, hole - text);
		g_string_append(out, with[i] != NULL ? with[i] : "");
		text = hole + 2;
	}
	g_string_append(out, text);
	return g_string_free(out, FALSE);
}

char *desk_age(const Desk *desk, gint64 us)
{
	gint64 minutes = MAX(us, 0) / (60 * G_USEC_PER_SEC);
	if (minutes < 120)
		return desk_count(desk, W_MINUTE, minutes);
	return minutes < 48 * 60 ? desk_count(desk, W_HOUR, minutes / 60)
				 : desk_count(desk, W_DAY, minutes / 1440);
}

char *desk_reasons(const Desk *desk, const MsRecord *record)
{
	GString *out = g_string_new(NULL);
	g_auto(GStrv) codes = g_strsplit(record->codes, ", ", -1);
	for (int i = 0; codes[i] != NULL; i++)
		for (int k = 0; k < MS_N_REASONS; k++)
			if (strcmp(codes[i], ms_reason_names[k]) == 0)
				g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "",
					reasons[k][desk->settings->desk.language]);
	g_autofree char *summary = ms_record_summary(record);
	g_string_append_printf(out, "%s(%s)", out->len > 0 ? " " : "", summary);
	return g_string_free(out, FALSE);
}
