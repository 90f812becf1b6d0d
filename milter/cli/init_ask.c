/*
 * The five questions of missent init: defaults come in, answers go out, from a terminal, a file,
 * or as they are proposed.  The tool's one thread.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/config.h"
#include "missent/kind.h"
#include "missent/text.h"

#include "init.h"

void init_say(const Init *init, Colour colour, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *safe = ms_text_escape(text, -1, 4000);
	printf("%s%s%s\n", cli_colour(init->cli, colour), safe, cli_colour(init->cli, PLAIN));
	fflush(stdout);
}

/* ---- from a file ------------------------------------------------------------------------- */

static const char *const mtas[] = {"postfix", "sendmail", NULL};

static bool check_answer(const char *value, GError **error)
{
	g_autofree char *query = strchr(value, '@') != NULL ? g_strdup(value)
							    : g_strconcat("@", value, NULL);
	g_autofree char *canonical = ms_address_canonical(query, strlen(query));
	if (canonical != NULL && strpbrk(value, " \t\"\\$<>,;/:") == NULL)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no address or domain; write billing@example.com or example.com, one "
		"an item",
		value);
	return false;
}

/* A local part alone would be taken for a domain, to which no mail ever belongs. */
static bool check_sender(const char *value, GError **error)
{
	if (strpbrk(value, "@.") != NULL)
		return check_answer(value, error);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
		"\"%s\" is no address or domain; write %s@example.com or example.com", value, value);
	return false;
}

static bool check_own(const char *value, GError **error)
{
	if (strchr(value, '@') == NULL)
		return check_answer(value, error);
	g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "\"%s\" is no domain; write \"%s\"", value,
		strchr(value, '@') + 1);
	return false;
}

static const MsRow rows[] = {
	{.key = "mta", .type = MS_ROW_CHOICE, .choices = mtas, .fallback = "postfix"},
	{.key = "mta-config", .type = MS_ROW_TEXT},
	{.key = "networks", .type = MS_ROW_LIST, .check = ms_network_check},
	{.key = "domains", .type = MS_ROW_LIST, .check = check_own},
	{.key = "senders", .type = MS_ROW_LIST, .check = check_sender},
	{.key = "customers", .type = MS_ROW_TEXT},
	{.key = NULL},
};

static void take_list(const MsSection *file, const char *key, GStrv *out)
{
	if (!ms_section_given(file, key))
		return;
	g_strfreev(*out);
	*out = g_strdupv((GStrv)ms_section_list(file, key));
}

static const MsSetupMta *find_mta(const Init *init, const char *config, const char *type)
{
	for (guint i = 0; i < init->mtas->len; i++) {
		const MsSetupMta *mta = init->mtas->pdata[i];
		if ((config == NULL || strcmp(config, mta->config) == 0)
			&& (type == NULL || strcmp(type, mtas[mta->sendmail]) == 0))
			return mta;
	}
	return NULL;
}

/* ---- from a person ----------------------------------------------------------------------- */

/* NULL: the default. */
static char *ask(const Init *init, bool reads, const char *question, const char *fallback)
{
	printf("%s%s%s [%s]: ", cli_colour(init->cli, BOLD), question, cli_colour(init->cli, PLAIN),
		fallback);
	fflush(stdout);
	char line[8192];
	if (!reads || fgets(line, sizeof line, stdin) == NULL) {
		printf("%s\n", reads ? "" : fallback);
		return NULL;
	}
	g_strstrip(line);
	return *line != '\0' ? g_strdup(line) : NULL;
}

bool init_confirm(const Init *init, const char *question)
{
	if (init->yes)
		return true;
	if (!init->sits)
		return false;
	g_autofree char *answer = ask(init, true, question, "no");
	return answer != NULL && g_ascii_tolower(*answer) == 'y';
}

static GStrv words_of(const char *text)
{
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	g_auto(GStrv) words = g_strsplit_set(text, ", \t", -1);
	for (char **word = words; *word != NULL; word++)
		if (**word != '\0' && strcmp(*word, "none") != 0 && strcmp(*word, "-") != 0)
			g_strv_builder_add(out, *word);
	return g_strv_builder_end(out);
}

/* Until each word is one. */
static void ask_list(const Init *init, const char *question, bool (*check)(const char *, GError **),
	GStrv *values)
{
	for (;;) {
		g_autofree char *now = *values != NULL && (*values)[0] != NULL
			? g_strjoinv(", ", *values)
			: g_strdup("none");
		g_autofree char *answer = ask(init, init->asks, question, now);
		g_autoptr(GError) error = NULL;
		if (answer == NULL)
			return;
		g_auto(GStrv) words = words_of(answer);
		bool fine = true;
		for (char **word = words; fine && *word != NULL; word++)
			fine = check(*word, &error);
		if (fine) {
			g_strfreev(*values);
			*values = g_steal_pointer(&words);
			return;
		}
		init_say(init, RED, "%s", error->message);
	}
}

static bool ask_mta(Init *init, GError **error)
{
	if (init->mtas->len == 0) {
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"there is neither a Postfix (/etc/postfix/main.cf) nor a Sendmail "
			"(/etc/mail/sendmail.cf) on this host: install one, or name its settings in the answers (mta-config)");
		return false;
	}
	for (;;) {
		GString *list = g_string_new(NULL);
		for (guint i = 0; i < init->mtas->len; i++) {
			const MsSetupMta *mta = init->mtas->pdata[i];
			g_string_append_printf(list, "%s%s%s%s", i > 0 ? ", " : "", mta->config,
				mta->instance != NULL ? " " : "",
				mta->instance != NULL ? mta->instance : "");
		}
		if (init->mtas->len > 1)
			init_say(init, PLAIN, "There are: %s", list->str);
		g_string_free(list, TRUE);
		g_autofree char *answer = ask(
			init, init->asks, "1. The MTA's settings", init->mta->config);
		const MsSetupMta *found = answer != NULL ? find_mta(init, answer, NULL) : init->mta;
		if (found != NULL) {
			init->mta = found;
			return true;
		}
		init_say(init, RED, "%s is none of them", answer);
	}
}

static void ask_customers(Init *init)
{
	for (;;) {
		g_autofree char *answer = ask(init, init->asks,
			"5. Customers, as CSV (account,kind,value)",
			init->customers != NULL ? init->customers : "none");
		if (answer == NULL)
			return;
		g_free(init->customers);
		init->customers = strcmp(answer, "none") == 0 ? NULL : g_strdup(answer);
		if (init->customers == NULL || access(init->customers, R_OK) == 0)
			return;
		init_say(init, RED, "%s cannot be read", init->customers);
	}
}

/* ---- all of it --------------------------------------------------------------------------- */

/* The MTA that is there, or that is configured or answered. */
static bool choose_mta(Init *init, const MsSection *file, GError **error)
{
	const char *config = file != NULL ? ms_section_text(file, "mta-config") : NULL;
	const char *type = file != NULL && ms_section_given(file, "mta")
		? ms_section_text(file, "mta")
		: NULL;
	if (config == NULL && type == NULL) {
		init->mta = init->mtas->len > 0 ? init->mtas->pdata[0] : NULL;
		return true;
	}
	init->mta = find_mta(init, config, type);
	if (init->mta == NULL && config != NULL && access(config, R_OK) == 0) {
		MsSetupMta *mta = g_new0(MsSetupMta, 1);
		mta->sendmail = g_strcmp0(type, "sendmail") == 0;
		mta->config = g_strdup(config);
		g_ptr_array_add(init->mtas, mta);
		init->mta = mta;
	}
	if (init->mta == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG, "%s: there is no %s here",
			config != NULL ? config : init->answers, type != NULL ? type : "MTA");
	return init->mta != NULL;
}

bool init_ask(Init *init, GError **error)
{
	g_autoptr(MsSection)
		file = init->answers != NULL ? ms_config_load(init->answers, rows, error) : NULL;
	if ((init->answers != NULL && file == NULL) || !choose_mta(init, file, error) ||
		!ask_mta(init, error))
		return false;
	ms_setup_propose(init->cli->config, init->mta, init->log, &init->given, init->notes);
	for (guint i = 0; i < init->notes->len; i++)
		init_say(init, DIM, "   %s", (const char *)init->notes->pdata[i]);
	if (file != NULL) {
		take_list(file, "networks", &init->given.networks);
		take_list(file, "domains", &init->given.domains);
		take_list(file, "senders", &init->given.senders);
		init->customers = g_strdup(ms_section_text(file, "customers"));
		if (init->customers != NULL && access(init->customers, R_OK) != 0)
			return ms_fail_input(error, "%s: customers: \"%s\": %s", init->answers,
				init->customers, g_strerror(errno));
	}
	init->given.mta = init->mta;
	ask_list(init, "2. Networks whose mail is outgoing, beside this host and who logs in",
		ms_network_check, &init->given.networks);
	ask_list(init, "3. Your own domains", check_own, &init->given.domains);
	ask_list(init, "4. Addresses that send invoices", check_sender, &init->given.senders);
	ask_customers(init);
	if (init->given.senders[0] == NULL)
		g_set_error(error, MS_ERROR, MS_ERROR_CONFIG,
			"nobody sends invoices: a policy without a sender is for all mail, which is not "
			"meant; say who does (question 4, or senders in the answers)");
	return init->given.senders[0] != NULL;
}
