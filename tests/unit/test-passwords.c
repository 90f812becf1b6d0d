/*
 * Passwords of documents: what an operator's command may do and what not, archives that are
 * opened by one, and a message whose locked attachment is read with what came with that message
 * alone.
 */
#include "config.h"

#include <signal.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/policy.h"
#include "missent/reader.h"

#include "../../milter/engine/passwords.h"
#include "../test.h"
#include "documents.h"
#include "locked.h"

static MsKinds *kinds;

/* ---- the command ------------------------------------------------------------------------ */

static char *ask(const char *const *argv, gint64 ms, const char *recipients)
{
	g_autoptr(GPtrArray) to = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) each = g_strsplit(recipients, " ", -1);
	for (int i = 0; each[i] != NULL; i++)
		g_ptr_array_add(to, g_strdup(each[i]));
	const MsPasswordCommand command = {argv, "nobody", ms};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsPasswords) passwords = ms_passwords_ask(&command, to, &error);
	if (passwords == NULL)
		return g_strdup_printf("error: %s", error->message);
	return g_strjoinv("|", (char **)ms_passwords_list(passwords));
}

static void test_command(void)
{
	static const struct {
		const char *argv[4];
		const char *recipients, *want; /* its beginning */
	} cases[] = {
		{{"/bin/cat"}, "a@x.example b@y.example", "a@x.example|b@y.example"},
		{{"/usr/bin/printf", "one\\r\\n\\n75001\\nlast", NULL}, "a@x.example",
			"one|75001|last"},
		{{"/usr/bin/printf", "$(id)\\n", NULL}, "a", "$(id)"}, /* no shell looks at it */
		{{"/usr/bin/printf", "", NULL}, "a", ""},
		{{"/usr/bin/id", "-un", NULL}, "a", NULL}, /* nobody, or who runs the tests */
		{{"/usr/bin/env", NULL}, "a", "PATH=/usr/local/sbin"},
		{{"/bin/false"}, "a", "error: it failed"},
		{{"/bin/sleep", "60"}, "a", "error: it took too long"},
		{{"/usr/bin/yes"}, "a", "error: it printed too much"},
		{{"/nonexistent/command"}, "a", "error: "},
		{{"/bin/true"}, "a", ""}, /* reads nothing */
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (access(cases[i].argv[0], X_OK) != 0 && cases[i].argv[0][1] != 'n')
			continue;
		gint64 before = g_get_monotonic_time();
		bool slow = g_str_has_suffix(cases[i].argv[0], "sleep");
		g_autofree char *got = ask(cases[i].argv, slow ? 300 : 30000, cases[i].recipients);
		if (cases[i].want == NULL ? strcmp(got, "root") == 0
					  : !g_str_has_prefix(got, cases[i].want))
			g_error("row %zu: got \"%s\", want \"%s\"", i, got, cases[i].want);
		g_assert_true(!slow || g_get_monotonic_time() - before < 30 * G_USEC_PER_SEC);
	}
}

/* More recipients than a pipe takes, to one that reads none and to one that reads them all. */
static void test_many(void)
{
	g_autoptr(GString) to = g_string_new("first@x.example");
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(to, " recipient-%d@x.example", i);
	static const char *const none[] = {"/bin/true", NULL},
				 *const all[] = {"/usr/bin/tail", "-n1", NULL};
	g_autofree char *nothing = ask(none, 30000, to->str), *last = ask(all, 30000, to->str);
	g_assert_cmpstr(nothing, ==, "");
	g_assert_cmpstr(last, ==, "recipient-19999@x.example");
}

/* At most so many, and none that is too long. */
static void test_bounds(void)
{
	g_autoptr(GString) to = g_string_new(NULL);
	g_autofree char *fits = g_strnfill(MS_PASSWORD_BYTES, 'a'),
			*too_long = g_strnfill(MS_PASSWORD_BYTES + 1, 'b');
	g_string_printf(to, "%s %s c", too_long, fits);
	static const char *const cat[] = {"/bin/cat", NULL};
	g_autofree char *got = ask(cat, 30000, to->str), *want = g_strconcat(fits, "|c", NULL);
	g_assert_cmpstr(got, ==, want);
	g_string_assign(to, "p0");
	for (int i = 1; i < 2 * MS_PASSWORDS_MOST; i++)
		g_string_append_printf(to, " p%d", i);
	g_autofree char *many = ask(cat, 30000, to->str);
	g_auto(GStrv) list = g_strsplit(many, "|", -1);
	g_assert_cmpuint(g_strv_length(list), ==, MS_PASSWORDS_MOST);
}

/* ---- a message -------------------------------------------------------------------------- */

static MsReader *start(const char *const *own)
{
	g_autofree char *program = built_file("missent-reader");
	MsReaderSettings settings = {.program = program,
		.kinds = kinds,
		.workers = 2,
		.jobs = 1,
		.wait_ms = 60000,
		.passwords = own,
		.asks_passwords = true,
		.sandbox_optional = true};
	ms_limits_default(&settings.limits);
	settings.limits.milliseconds = 60000;
	g_autofree char *warning = NULL;
	g_autoptr(GError) error = NULL;
	MsReader *reader = ms_reader_new(&settings, &warning, &error);
	g_assert_no_error(error);
	return reader;
}

static int message_with(GByteArray *attached)
{
	g_autofree char *encoded = g_base64_encode(attached->data, attached->len);
	g_autoptr(GString) m = g_string_new(
		"Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
		"--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n--x\r\nContent-Type: application/zip; name=a.zip\r\n"
		"Content-Disposition: attachment; filename=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	for (gsize i = 0; encoded[i] != '\0'; i += MIN(strlen(encoded + i), 76))
		g_string_append_printf(m, "%.76s\r\n", encoded + i);
	g_string_append(m, "--x--\r\n");
	int fd = ms_memory_file("test");
	g_assert_cmpint(write(fd, m->str, m->len), ==, (gssize)m->len);
	g_assert_true(ms_memory_seal(fd));
	g_byte_array_unref(attached);
	return fd;
}

/* What was found, and "locked" or what else was not read. */
static char *read_with(MsReader *reader, int fd, const char *const *passwords)
{
	MsLimits limits;
	ms_limits_default(&limits);
	limits.milliseconds = 60000;
	const MsErrand errand = {"who", MS_SHAPE_OTHER, &limits, passwords};
	MsReading *reading = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(ms_reader_read(reader, fd, &errand, &reading, NULL, &error));
	GString *out = g_string_new(NULL);
	for (guint i = 0; i < reading->findings->len; i++)
		g_string_append_printf(
			out, "%s ", ((MsFinding *)reading->findings->pdata[i])->value);
	for (guint i = 0; i < reading->unread->len; i++)
		g_string_append_printf(out, "%s ",
			ms_unread_names[((MsUnread *)reading->unread->pdata[i])->reason]);
	ms_reading_free(reading);
	return g_string_free(out, FALSE);
}

static void test_message(void)
{
	static const Member text[] = {
		{"a.txt", "IBAN DE89 3704 0044 0532 0130 00", -1}, {"b.txt", "nothing", -1}};
	static const char *const own[] = {"house", NULL};
	static const struct {
		const char *password; /* of the archive; NULL: none */
		const char *passwords[5];
		const char *want;
	} cases[] = {
		{"75001", {NULL}, "password password password "},
		{"75001", {"75002"}, "password password password "},
		{"75001", {"75002", "", "75001"}, "DE89370400440532013000 "},
		{"75001", {"75001", "75002"}, "DE89370400440532013000 "},
		{"house", {NULL}, "DE89370400440532013000 "}, /* the reader's own */
		{"house", {"75001"}, "DE89370400440532013000 "},
		{NULL, {"75001"}, "DE89370400440532013000 "},
	};
	g_autoptr(MsReader) reader = start(own);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		int fd = message_with(make_archive("zip", NULL, cases[i].password, text, 2));
		g_autofree char *got = read_with(reader, fd, cases[i].passwords);
		if (strcmp(got, cases[i].want) != 0)
			g_error("row %zu: got \"%s\", want \"%s\"", i, got, cases[i].want);
		close(fd);
	}
	/* Those of one message are not those of the next. */
	static const char *const right[] = {"75001", NULL};
	int fd = message_with(make_archive("zip", NULL, "75001", text, 2));
	g_autofree char *with = read_with(reader, fd, right),
			*without = read_with(reader, fd, NULL);
	g_assert_cmpstr(with, ==, "DE89370400440532013000 ");
	g_assert_cmpstr(without, ==, "password password password ");
	close(fd);
}

/* ---- Office files ----------------------------------------------------------------------- */

#define DOCUMENT "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r>" \
	"<w:t>IBAN DE89 3704 0044 0532 0130 00</w:t></w:r></w:p></w:body></w:document>"
#define TYPES "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Override PartName=\"/word/document.xml\" " \
	"ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>"

/* Longer than a segment, so that more than one is opened. */
static GByteArray *a_letter(void)
{
	g_autofree char *words = g_malloc0(9001);
	for (int i = 0; i < 9000; i++)
		words[i] = (char)('a' + (i * i + i / 7) % 26);
	g_autofree char *noise = g_strdup_printf("<x>%s</x>", words);
	const Member members[] = {{"[Content_Types].xml", TYPES, -1}, {"a.xml", noise, -1},
		{"word/document.xml", DOCUMENT, -1}};
	return make_archive("zip", NULL, NULL, members, G_N_ELEMENTS(members));
}

#define OPENED "DE89370400440532013000 "
#define LOCKED "password "

static void test_office(void)
{
	static const struct {
		Locking how;
		const char *passwords[4];
		const char *want;
	} cases[] = {
		{{"SHA512", 256, 1000, "75001"}, {"75001"}, OPENED},
		{{"SHA512", 256, 1000, "75001"}, {"1", "2", "75001"}, OPENED},
		{{"SHA512", 256, 1000, "75001"}, {"75002"}, LOCKED},
		{{"SHA512", 256, 1000, "75001"}, {NULL}, LOCKED},
		{{"SHA512", 256, 100000, "Größe €"}, {"Größe €"}, OPENED},
		{{"SHA512", 256, 0, "75001"}, {"75001"}, OPENED},
		{{"SHA384", 192, 100, "75001"}, {"75001"}, OPENED},
		{{"SHA256", 256, 100, "75001"}, {"75001"}, OPENED},
		{{"SHA-1", 256, 100, "75001"}, {"75001"}, OPENED}, /* a key longer than its hash */
		{{"SHA1", 128, 100, "75001"}, {"75001"}, OPENED},
		{{"SHA512", 256, 1000001, "75001"}, {"75001"}, LOCKED}, /* too slow for us */
		{{"MD5", 128, 100, "75001"}, {"75001"}, LOCKED},
		{{NULL, 128, 50000, "75001"}, {"75001"}, OPENED},
		{{NULL, 256, 50000, "75001"}, {"75001"}, OPENED},
		{{NULL, 128, 50000, "75001"}, {"75002"}, LOCKED},
		/* nobody is asked for it */
		{{"SHA512", 256, 1000, "VelvetSweatshop"}, {NULL}, OPENED},
		{{"SHA512", 256, 1000, "VelvetSweatshop"}, {"75001"}, OPENED},
		{{NULL, 128, 50000, "VelvetSweatshop"}, {NULL}, OPENED},
	};
	g_autoptr(MsReader) reader = start(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		int fd = message_with(make_locked(&cases[i].how, a_letter()));
		g_autofree char *got = read_with(reader, fd, cases[i].passwords);
		if (strcmp(got, cases[i].want) != 0)
			g_error("row %zu: got \"%s\", want \"%s\"", i, got, cases[i].want);
		close(fd);
	}
}

/* Whatever is missing or wrong of one, it stays locked or is told, and nobody dies. */
static void test_office_damaged(void)
{
	const Locking ways[] = {{"SHA512", 256, 10, "75001"}, {NULL, 128, 50000, "75001"}};
	static const char *const passwords[] = {"75001", NULL};
	g_autoptr(MsReader) reader = start(NULL);
	for (gsize w = 0; w < G_N_ELEMENTS(ways); w++) {
		g_autoptr(GByteArray) info = g_byte_array_new(), plain = a_letter();
		g_autoptr(GByteArray) locked = ways[w].hash != NULL
			? locked_agile(&ways[w], plain, info)
			: locked_standard(&ways[w], plain, info);
		const gsize cuts[] = {0, 1, 7, 8, 11, 12, 40, info->len - 40, info->len - 1};
		for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
			g_autoptr(GByteArray) part = g_byte_array_new();
			g_byte_array_append(part, info->data, (guint)cuts[i]);
			int fd = message_with(locked_file(part, locked));
			g_autofree char *got = read_with(reader, fd, passwords);
			g_assert_cmpstr(got, ==, LOCKED);
			close(fd);
		}
		/* no size, one that is larger than what there is, and no whole block */
		const gsize lengths[] = {1, 7, 8, 20, locked->len - 5};
		for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
			g_autoptr(GByteArray) package = g_byte_array_new();
			g_byte_array_append(package, (const guint8 *)"\xff\xff\xff\x7f\0\0\0", 8);
			g_byte_array_append(package, locked->data, locked->len);
			g_byte_array_set_size(package, (guint)lengths[i]);
			int fd = message_with(locked_file(info, package));
			g_autofree char *got = read_with(reader, fd, passwords);
			g_assert_cmpstr(got, !=, "");
			g_assert_null(strstr(got, ms_unread_names[MS_UNREAD_WORKER]));
			close(fd);
		}
	}
}

/* ---- limits of policies ----------------------------------------------------------------- */

static void test_limits(void)
{
	static const struct {
		const char *policies, *sender;
		guint64 ocr, pages;
		gint64 ms;
	} cases[] = {
		{"", "a@x.example", 0, 500, 20000},
		{"policy \"p\" { ocr = yes }", "a@x.example", 5, 500, 20000},
		{"policy \"p\" { ocr = yes\nsender = {\"b@x.example\"} }", "a@x.example", 0, 500,
			20000},
		/* the most of those that may apply; one that says nothing has the reader's own */
		{"policy \"p\" { ocr = yes }\npolicy \"q\" { ocr = no }", "a@x.example", 5, 500,
			20000},
		{"policy \"p\" { read-max-pages = 10\nread-deadline = 1s }", "a@x.example", 0, 10,
			1000},
		{"policy \"p\" { read-max-pages = 10\nread-deadline = 1s }\npolicy \"q\" { }",
			"a@x.example", 0, 500, 20000},
		{"policy \"p\" { read-max-pages = 900\nread-deadline = 60s }\npolicy \"q\" { }",
			"a@x.example", 0, 900, 60000},
		{"policy \"p\" { read-max-pages = 10 }\npolicy \"q\" { sender = {\"b@x.example\"} }",
			"a@x.example", 0, 10, 20000},
		/* what is not known yet may apply */
		{"policy \"p\" { read-max-pages = 10 }\npolicy \"q\" { attachments = {\"over 3\"} }",
			"a@x.example", 0, 500, 20000},
		/* nobody's: all of them */
		{"policy \"p\" { ocr = yes\nsender = {\"b@x.example\"} }", NULL, 5, 500, 20000},
	};
	MsLimits own;
	ms_limits_default(&own);
	own.milliseconds = 20000;
	own.max[MS_COST_PAGE] = 500;
	own.max[MS_COST_OCR] = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(MsPolicies) p = ms_policies_parse("p",
			*cases[i].policies != '\0' ? cases[i].policies : "# none\n", kinds,
			MS_MODE_ENFORCE, &error);
		g_assert_no_error(error);
		g_autoptr(MsEnvelope) envelope = ms_envelope_new();
		envelope->sender = g_strdup(cases[i].sender);
		MsLimits got;
		ms_policies_reading(p, cases[i].sender != NULL ? envelope : NULL, &own, 5, &got);
		if (got.max[MS_COST_OCR] != cases[i].ocr ||
			got.max[MS_COST_PAGE] != cases[i].pages || got.milliseconds != cases[i].ms)
			g_error("row %zu: got %" G_GUINT64_FORMAT " pictures, %" G_GUINT64_FORMAT
				" pages, %" G_GINT64_FORMAT " ms",
				i, got.max[MS_COST_OCR], got.max[MS_COST_PAGE], got.milliseconds);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN); /* as all programs that ask */
	kinds = ms_kinds_parse("k",
		"kind \"iban\" {\npattern = {'DE[0-9 ]+'}\ncheck = iban\ncanonical = alnum\n}\n",
		NULL);
	g_assert_nonnull(kinds);
	g_test_add_func("/passwords/command", test_command);
	g_test_add_func("/passwords/many", test_many);
	g_test_add_func("/passwords/bounds", test_bounds);
	g_test_add_func("/passwords/message", test_message);
	g_test_add_func("/passwords/office", test_office);
	g_test_add_func("/passwords/office-damaged", test_office_damaged);
	g_test_add_func("/passwords/limits", test_limits);
	int rc = g_test_run();
	ms_kinds_unref(kinds);
	return rc;
}
