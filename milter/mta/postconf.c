/*
 * Questions to postconf come in, answers go out: main.cf, and each service of master.cf with what
 * -o sets there.  No state; from any thread.
 *
 * Mail comes to a milter through an smtpd (smtpd_milters) or from local programs through cleanup
 * (non_smtpd_milters).  Each service is asked for its own values.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/io.h"
#include "missent/mtaconf.h"
#include "missent/settings.h"

#include "program.h"

#define POSTCONF "/usr/sbin/postconf"
/* More than systemctl waits for a service by itself. */
#define ASK_MS 300000

/* All of a memory file, which is closed. */
static GString *text_of(int fd)
{
	GString *out = g_string_new(NULL);
	char piece[4096];
	for (ssize_t n; (n = pread(fd, piece, sizeof piece, (off_t)out->len)) > 0;)
		g_string_append_len(out, piece, n);
	ms_io_close(fd);
	return out;
}

GString *mta_ask(const char *const *argv, GError **error)
{
	MtaProgram program = {.argv = argv,
		.in = -1,
		.out = memfd_create("missent-answer", MFD_CLOEXEC),
		.err = memfd_create("missent-complaint", MFD_CLOEXEC),
		.timeout_ms = ASK_MS,
		.alone = true}; /* whoever interrupts us at a terminal interrupts it */
	int status = -1;
	bool fine = program.out >= 0 && program.err >= 0;
	if (!fine)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "memory file: %s", g_strerror(errno));
	fine = fine && mta_program_run(&program, &status, error) == MTA_ENDED;
	g_autoptr(GString) out = text_of(program.out);
	g_autofree char *err = g_strstrip(g_string_free(text_of(program.err), FALSE));
	if (fine && status == 0)
		return g_steal_pointer(&out);
	char *last = strrchr(err, '\n');
	if (fine)
		g_set_error(error, MS_ERROR, MS_ERROR_RETRY, "%s: %s", argv[0],
			*err == '\0'   ? "it failed"
				: last ? last + 1
				       : err);
	return NULL;
}

char *ms_mta_ask(const char *const *argv, GError **error)
{
	GString *out = mta_ask(argv, error);
	return out != NULL ? g_string_free(out, FALSE) : NULL;
}

/* ---- what postconf says --------------------------------------------------------------- */

static void service_free(gpointer data)
{
	MsService *service = data;
	g_free(service->name);
	g_free(service->type);
	g_free(service->program);
	g_free(service);
}

void ms_postfix_free(MsPostfix *postfix)
{
	if (postfix == NULL)
		return;
	g_free(postfix->config);
	g_hash_table_unref(postfix->settings);
	g_hash_table_unref(postfix->overrides);
	g_ptr_array_unref(postfix->services);
	g_free(postfix);
}

char *ms_postfix_postconf(const char *config, const char *option, const char *name, GError **error)
{
	const char *argv[6] = {POSTCONF};
	int n = 1;
	if (config != NULL) {
		argv[n++] = "-c";
		argv[n++] = config;
	}
	argv[n++] = option;
	argv[n++] = name;
	return ms_mta_ask(argv, error);
}

/* "name = value", a line each. */
static GHashTable *take_settings(const char *text)
{
	GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		char *equal = strchr(*line, '=');
		if (equal != NULL) {
			*equal = '\0';
			g_hash_table_replace(
				out, g_strdup(g_strstrip(*line)), g_strdup(g_strstrip(equal + 1)));
		}
	}
	return out;
}

/* "smtp inet n - y - - smtpd -o ..." */
static GPtrArray *take_services(const char *text)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(service_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		g_auto(GStrv) all = g_strsplit_set(*line, " \t", -1);
		const char *words[8];
		guint n = 0;
		for (char **word = all; *word != NULL && n < 8; word++)
			if (**word != '\0')
				words[n++] = *word;
		if (n < 8)
			continue;
		MsService *service = g_new0(MsService, 1);
		service->name = g_strdup(words[0]);
		service->type = g_strdup(words[1]);
		service->chrooted = strcmp(words[4], "n") !=
			0; /* "-": the built-in default, n since 3.0 */
		service->chrooted = service->chrooted && strcmp(words[4], "-") != 0;
		service->program = g_path_get_basename(words[7]);
		g_ptr_array_add(out, service);
	}
	return out;
}

MsPostfix *ms_postfix_ask(const char *config, GError **error)
{
	g_autofree char *settings = ms_postfix_postconf(config, "-x", NULL, error);
	g_autofree char *overrides = settings != NULL
		? ms_postfix_postconf(config, "-Px", NULL, error)
		: NULL;
	g_autofree char *services = overrides != NULL
		? ms_postfix_postconf(config, "-M", NULL, error)
		: NULL;
	if (services == NULL)
		return NULL;
	MsPostfix *postfix = g_new0(MsPostfix, 1);
	postfix->config = g_strdup(config);
	postfix->settings = take_settings(settings);
	postfix->overrides = take_settings(overrides);
	postfix->services = take_services(services);
	return postfix;
}

GPtrArray *ms_postfix_instances(const char *first)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *list =
		ms_postfix_postconf(first, "-hx", "multi_instance_directories", NULL);
	g_auto(GStrv) words = g_strsplit_set(list != NULL ? list : "", ", \t\n", -1);
	for (char **word = words; *word != NULL; word++) {
		g_autofree char *on = **word != '\0' && access(*word, F_OK) == 0
			? ms_postfix_postconf(*word, "-hx", "multi_instance_enable", NULL)
			: NULL;
		if (on != NULL && strcmp(g_strstrip(on), "yes") == 0)
			g_ptr_array_add(out, g_strdup(*word));
	}
	return out;
}

static const char *override_of(const MsPostfix *postfix, const MsService *service, const char *name)
{
	if (service == NULL)
		return NULL;
	g_autofree char *key = g_strconcat(service->name, "/", service->type, "/", name, NULL);
	return g_hash_table_lookup(postfix->overrides, key);
}

bool ms_postfix_overrides(const MsPostfix *postfix, const MsService *service, const char *name)
{
	return override_of(postfix, service, name) != NULL;
}

const char *ms_postfix_value(const MsPostfix *postfix, const MsService *service, const char *name)
{
	const char *own = override_of(postfix, service, name);
	const char *main = own == NULL ? g_hash_table_lookup(postfix->settings, name) : NULL;
	return own != NULL ? own : main != NULL ? main : "";
}

bool ms_postfix_sends_out(const MsPostfix *postfix, const MsService *service)
{
	static const char *const lists[] = {
		"smtpd_relay_restrictions", "smtpd_recipient_restrictions"};
	bool sasl = strcmp(ms_postfix_value(postfix, service, "smtpd_sasl_auth_enable"), "yes") ==
		0;
	bool networks = *ms_postfix_value(postfix, service, "mynetworks") != '\0';
	guint n = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_auto(GStrv) words = g_strsplit_set(
			ms_postfix_value(postfix, service, lists[i]), ", \t\n", -1);
		for (char **word = words; *word != NULL; word++) {
			n += **word != '\0';
			if ((networks && strcmp(*word, "permit_mynetworks") == 0) ||
				(sasl && strcmp(*word, "permit_sasl_authenticated") == 0) ||
				strcmp(*word, "permit") == 0 || g_str_has_prefix(*word, "check_") ||
				strcmp(*word, "permit_tls_clientcerts") == 0 ||
				strcmp(*word, "permit_tls_all_clientcerts") == 0)
				return true;
		}
	}
	return n == 0;
}

/* ---- lists of milters ----------------------------------------------------------------- */

GPtrArray *ms_postfix_list(const char *list)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	for (const char *at = list; *(at += strspn(at, ", \t\n")) != '\0';) {
		bool braced = *at == '{';
		gsize len = braced ? strcspn(at + 1, "}") : strcspn(at, ", \t\n");
		char *item = g_strndup(at + braced, len);
		g_ptr_array_add(out, g_strstrip(item));
		at += len + braced;
		at += braced && *at == '}';
	}
	return out;
}

char *ms_postfix_address(const char *item)
{
	return g_strndup(item, strcspn(item, ", \t"));
}

char *ms_postfix_path(const MsPostfix *postfix, const MsService *service, const char *milter)
{
	const char *queue = g_hash_table_lookup(postfix->settings, "queue_directory");
	const char *name = g_str_has_prefix(milter, "unix:") ? milter + 5
		: g_str_has_prefix(milter, "local:")         ? milter + 6
							     : NULL;
	if (name == NULL)
		return NULL;
	return *name == '/' && (service == NULL || !service->chrooted)
		? g_strdup(name)
		: g_build_filename(queue, name, NULL);
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return strcmp(a, b) == 0 ||
		(stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
			x.st_ino == y.st_ino);
}

static bool is_loopback(const char *spec)
{
	return strstr(spec, "@127.0.0.1") != NULL || strstr(spec, "@localhost") != NULL ||
		strstr(spec, "@::1") != NULL;
}

static bool same_port(const char *a, const char *b)
{
	g_autofree char *x = ms_socket_spec(a, NULL), *y = ms_socket_spec(b, NULL);
	if (x == NULL || y == NULL || ms_socket_path(x) != NULL || ms_socket_path(y) != NULL)
		return false;
	const char *at = strchr(x, '@'), *colon = strchr(x, ':');
	return strcmp(x, y) == 0 ||
		(is_loopback(x) && is_loopback(y) &&
			strncmp(colon, strchr(y, ':'), (gsize)(at - colon) + 1) == 0);
}

bool ms_postfix_is(
	const MsPostfix *postfix, const MsService *service, const char *milter, const char *socket)
{
	const char *ours = strchr(socket, '/');
	g_autofree char *theirs = ms_postfix_path(postfix, service, milter);
	if (ours == NULL || theirs == NULL)
		return same_port(socket, milter);
	const char *name = strchr(milter, ':') + 1;
	return same_file(ours, theirs) || (*name != '\0' && g_str_has_suffix(ours, name));
}

/* ---- networks and times --------------------------------------------------------------- */

char *ms_postfix_network(const char *text)
{
	GString *out = g_string_new(NULL);
	for (; *text != '\0'; text++)
		if (*text != '[' && *text != ']')
			g_string_append_c(out, *text);
	return g_string_free(out, FALSE);
}

bool ms_network_is_loopback(const char *network)
{
	return g_str_has_prefix(network, "127.") || strcmp(network, "::1") == 0 ||
		strcmp(network, "::1/128") == 0 || g_str_has_prefix(network, "::ffff:127.");
}

gint64 ms_postfix_seconds(const char *text)
{
	char *end;
	gint64 n = g_ascii_strtoll(text, &end, 10);
	return *end == 'm' ? n * 60
		: *end == 'h' ? n * 3600
		: *end == 'd' ? n * 86400
		: *end == 'w' ? n * 7 * 86400
			      : n;
}
