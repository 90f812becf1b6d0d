/*
 * The MTAs of this host: which are there, which run, and how one reads its settings anew.  No
 * state.
 *
 * Postfix may have several instances (postmulti(1)); each is a folder of settings.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"

#include "setup_private.h"

#define POSTFIX_CONFIG "/etc/postfix"
#define SENDMAIL_PID "/var/run/sendmail/mta/sendmail.pid"

void ms_setup_mta_free(MsSetupMta *mta)
{
	if (mta == NULL)
		return;
	g_free(mta->config);
	g_free(mta->instance);
	g_free(mta);
}

static void add(GPtrArray *list, bool sendmail, const char *config)
{
	for (guint i = 0; i < list->len; i++)
		if (strcmp(((MsSetupMta *)list->pdata[i])->config, config) == 0)
			return;
	MsSetupMta *mta = g_new0(MsSetupMta, 1);
	mta->sendmail = sendmail;
	mta->config = g_strdup(config);
	g_ptr_array_add(list, mta);
}

static void add_instances(GPtrArray *list, const char *first)
{
	g_autoptr(GPtrArray) others = ms_postfix_instances(first);
	guint from = list->len;
	add(list, false, first);
	for (guint i = 0; i < others->len; i++)
		add(list, false, others->pdata[i]);
	for (guint i = from; i < list->len && others->len > 0; i++) {
		MsSetupMta *mta = list->pdata[i];
		g_autofree char *name = ms_postfix_postconf(
			mta->config, "-hx", "multi_instance_name", NULL);
		mta->instance = name != NULL && *g_strstrip(name) != '\0' ? g_strdup(name)
									  : g_strdup("-");
	}
}

static bool has_postfix(const char *config)
{
	g_autofree char *main = g_build_filename(config, "main.cf", NULL);
	return access("/usr/sbin/postconf", X_OK) == 0 && access(main, R_OK) == 0;
}

GPtrArray *ms_setup_find(const MsSettings *s)
{
	GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)ms_setup_mta_free);
	const char *postfix = s != NULL && s->postfix_config != NULL ? s->postfix_config
								     : POSTFIX_CONFIG;
	const char *sendmail = s != NULL && s->sendmail_config != NULL ? s->sendmail_config
								       : MS_SENDMAIL_CF;
	bool sendmail_first = s != NULL && s->sendmail;
	if (sendmail_first && access(sendmail, R_OK) == 0)
		add(out, true, sendmail);
	if (has_postfix(postfix))
		add_instances(out, postfix);
	if (!sendmail_first && access(sendmail, R_OK) == 0)
		add(out, true, sendmail);
	return out;
}

/* ---- does it run, and does it read its settings anew ------------------------------------- */

/* 0: it does not run. */
static pid_t sendmail_pid(const char *config)
{
	g_autofree char *cf = NULL, *text = NULL;
	if (!g_file_get_contents(config, &cf, NULL, NULL))
		return 0;
	g_autofree char *path = ms_sendmail_option(cf, "PidFile");
	if (!g_file_get_contents(path != NULL ? path : SENDMAIL_PID, &text, NULL, NULL))
		return 0;
	pid_t pid = (pid_t)g_ascii_strtoll(text, NULL, 10);
	return pid > 1 && kill(pid, 0) == 0 ? pid : 0;
}

bool ms_setup_is_running(const MsSetupMta *mta)
{
	const char *argv[] = {"postfix", "-c", mta->config, "status", NULL};
	if (mta->sendmail)
		return sendmail_pid(mta->config) != 0;
	g_autofree char *out = ms_mta_ask(argv, NULL);
	return out != NULL;
}

static bool by_systemd(const char *unit)
{
	const char *argv[] = {"systemctl", "is-active", "--quiet", unit, NULL};
	g_autofree char *out = access("/run/systemd/system", F_OK) == 0 ? ms_mta_ask(argv, NULL)
									: NULL;
	return out != NULL;
}

/* One that was started by root starts itself again on SIGHUP; another would end. */
static bool hang_up(const char *config, GError **error)
{
	pid_t pid = sendmail_pid(config);
	g_autofree char *proc = g_strdup_printf("/proc/%d", (int)pid);
	struct stat st;
	if (pid > 0 && stat(proc, &st) == 0 && st.st_uid == 0 && kill(pid, SIGHUP) == 0)
		return true;
	g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "start Sendmail again, so that it reads %s",
		config);
	return false;
}

bool ms_setup_reload(const MsSetupMta *mta, GError **error)
{
	const char *postfix[] = {"postfix", "-c", mta->config, "reload", NULL};
	const char *sendmail[] = {"systemctl", "restart", "sendmail", NULL};
	if (mta->sendmail && !by_systemd("sendmail"))
		return hang_up(mta->config, error);
	g_autofree char *out = ms_mta_ask(mta->sendmail ? sendmail : postfix, error);
	return out != NULL;
}
