/* missent-release and Sendmail's queue, with somebody else at it: between any two steps a message
 * may be let go, and then nothing of it is removed; its lock stands for that moment.  And on a host
 * that lacks descriptors: what could not be seen is never what is not there. */
#include "config.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define flock(fd, how) while_it_locks(fd, how) /* the function, not the structure */
static int while_it_locks(int fd, int how);
#include "../../milter/release/sendmail.c"
#undef flock
int release_main(int argc, char **argv);
#define main release_main
#include "../../milter/release/main.c"
#undef main

#include "../test.h"

const Mta release_postfix = {0};
static char *dir;
static void (*meanwhile)(void);

static int while_it_locks(int fd, int how)
{
	(void)fd;
	g_assert_cmpint(how, ==, LOCK_EX | LOCK_NB);
	if (meanwhile != NULL)
		meanwhile();
	return 0;
}

/* ---- the queue ---------------------------------------------------------------------------- */

static void move(const char *from, const char *to)
{
	g_autofree char *old = g_build_filename(dir, from, NULL);
	g_autofree char *new = g_build_filename(dir, to, NULL);
	g_assert_no_errno(rename(old, new));
}

static void put(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, "x\n", 2, NULL));
}

static void take_away(const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	unlink(path);
}

/* sendmail -qQ -Q: it is delivered with the next run. */
static void let_go(void)
{
	move("hfABCDE12", "qfABCDE12");
}

/* It was let go, and another one, with that ID, is held. */
static void another(void)
{
	let_go();
	put("hfABCDE12");
}

static void delivered(void)
{
	take_away("hfABCDE12");
	take_away("dfABCDE12");
}

static const struct {
	const char *name;
	void (*meanwhile)(void);
	int code;
	const char *left;
} rows[] = {
	{"nobody is at it", NULL, EX_OK, ""},
	{"it is let go", let_go, EX_TEMPFAIL, "dfABCDE12 qfABCDE12 "},
	{"another has its ID", another, EX_TEMPFAIL, "dfABCDE12 hfABCDE12 qfABCDE12 "},
	{"it is delivered", delivered, EX_TEMPFAIL, ""},
};

static char *all_files(void)
{
	static const char *const names[] = {"dfABCDE12", "hfABCDE12", "qfABCDE12"};
	GString *out = g_string_new(NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, names[i], NULL);
		if (g_file_test(path, G_FILE_TEST_EXISTS))
			g_string_append_printf(out, "%s ", names[i]);
		unlink(path);
	}
	return g_string_free(out, FALSE);
}

static void test_delete(void)
{
	const Mta mta = {.queue = dir};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		put("hfABCDE12");
		put("dfABCDE12");
		meanwhile = rows[i].meanwhile;
		int code = release_sendmail.delete(&mta, "ABCDE12");
		g_autofree char *left = all_files();
		if (code != rows[i].code || strcmp(left, rows[i].left) != 0)
			g_error("%s: got %d and \"%s\", want %d and \"%s\"", rows[i].name, code,
				left, rows[i].code, rows[i].left);
	}
}

/* ---- a host that lacks descriptors ---------------------------------------------------------- */

#define NONE "NoSuch12"

static int list_it(const Mta *mta)
{
	return release_sendmail.list(mta);
}

static int show_it(const Mta *mta)
{
	return release_sendmail.show(mta, "ABCDE12");
}

static int show_none(const Mta *mta)
{
	return release_sendmail.show(mta, NONE);
}

static int keep(const Mta *mta, const char *id)
{
	(void)mta, (void)id;
	return EX_OK;
}

/* Of the message that is there: of its body "x\n". */
static char *digest_there(void)
{
	char digest[MS_BODY_DIGEST];
	MsBodyDigest body;
	ms_body_digest_init(&body);
	ms_body_digest_add(&body, "x\n", 2);
	ms_body_digest_end(&body, digest);
	return g_strdup(digest);
}

static int change_it(const Mta *mta)
{
	g_autofree char *digest = digest_there();
	return change(mta, "ABCDE12", digest, keep);
}

/* The numbers of descriptors end at `most`; what it says goes to the memory file. */
static char *says(int (*what)(const Mta *), const Mta *mta, rlim_t most, int *code_out)
{
	struct rlimit before, less;
	char text[2000];
	int said = memfd_create("said", 0), out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	fflush(stdout);
	dup2(said, STDOUT_FILENO);
	dup2(said, STDERR_FILENO);
	g_assert_no_errno(getrlimit(RLIMIT_NOFILE, &before));
	less = (struct rlimit){MIN(most, before.rlim_max), before.rlim_max};
	g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &less));
	*code_out = what(mta);
	g_assert_no_errno(setrlimit(RLIMIT_NOFILE, &before));
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	ssize_t n = pread(said, text, sizeof text, 0);
	close(said);
	close(out);
	close(err);
	return g_strndup(text, (gsize)MAX(n, 0));
}

static const struct {
	const char *name;
	int (*what)(const Mta *);
	int code;
} lacking[] = {
	{"list", list_it, EX_OK},
	{"show", show_it, EX_OK},
	{"show what is not there", show_none, EX_NOINPUT},
	{"change", change_it, EX_OK},
};

static void test_lacking(void)
{
	static const char *const folders[] = {"q1", "q1/qf", "q1/df", "q2"};
	Mta mta = release_sendmail;
	mta.queue = dir;
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_build_filename(dir, folders[i], NULL);
		g_assert_no_errno(g_mkdir(path, 0700));
	}
	put("q1/qf/hfABCDE12");
	put("q1/df/dfABCDE12");
	put("q2/hfABCDE13");
	for (gsize i = 0; i < G_N_ELEMENTS(lacking); i++) {
		int code, refused = 0;
		g_autofree char *whole = says(lacking[i].what, &mta, 200, &code);
		g_assert_cmpint(code, ==, lacking[i].code);
		for (rlim_t most = 6; most < 40; most++) {
			g_autofree char *text = says(lacking[i].what, &mta, most, &code);
			refused += code == EX_OSERR;
			if (code != EX_OSERR &&
				(code != lacking[i].code || strcmp(text, whole) != 0))
				g_error("%s: below %d got %d and \"%s\"", lacking[i].name,
					(int)most, code, text);
		}
		g_assert_cmpint(refused, >, 0);
	}
}

/* The parts first, in one run, and what was named last: of one that stays on hold nothing is said
 * to be released.  A Sendmail that writes down how it is called, and lets go what it is told to. */
static void check_release_of_parts(Mta *mta)
{
	static const char *const parts[] = {"", "ABCDE12", "q1/", "ABCDE13", "q2/", "ABCDE16"};
	g_autofree char *program = g_build_filename(dir, "program", NULL),
			*log = g_build_filename(dir, "log", NULL), *text = NULL;
	g_autofree char *script = g_strdup_printf(
		"#!/bin/sh\ncd %s\necho $* >>log\ncase \"$*\" in *-Q) ;; *) exit 0 ;; esac\n"
		"for w; do for at in . q1 q2; do mv $at/hf${w#-qI} $at/qf${w#-qI} 2>/dev/null; done; done\nexit 0\n",
		dir);
	mta->program = "/bin/true";
	g_assert_cmpint(release_sendmail.release(mta, "ABCDE12"), ==, EX_TEMPFAIL);
	mta->program = program;
	g_assert_true(g_file_set_contents(program, script, -1, NULL));
	g_assert_no_errno(g_chmod(program, 0700));
	g_assert_cmpint(release_sendmail.release(mta, "ABCDE12"), ==, EX_OK);
	g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
	g_auto(GStrv) runs = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(runs), ==, 4);
	g_assert_true(strstr(runs[0], "-qIABCDE13") != NULL && strstr(runs[0], "-qIABCDE16") != NULL &&
		strstr(runs[0], "12") == NULL && strstr(runs[0], "15") == NULL);
	g_assert_cmpstr(runs[1], ==, "-qQ -qIABCDE12 -Q");
	g_assert_true(strstr(runs[2], "12") != NULL && strstr(runs[2], "13") != NULL &&
		strstr(runs[2], "16") != NULL && strstr(runs[2], "Q") == NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i += 2) { /* back on hold */
		g_autofree char *held = g_strdup_printf("%s/%shf%s", dir, parts[i], parts[i + 1]);
		g_autofree char *gone = g_strdup_printf("%s/%sqf%s", dir, parts[i], parts[i + 1]);
		g_assert_no_errno(g_rename(gone, held));
	}
}

/* One whose recipients Sendmail has split among several control files, all with one body: what is
 * done is done to all that are on hold, and to nothing else. */
static void test_parts(void)
{
	static const char *const own[] = {"hfABCDE12", "dfABCDE12", "q1/hfABCDE13", "qfABCDE14", "hfABCDE15",
		"dfABCDE15", "q2/hfABCDE16"};
	static const char *const links[] = {"q1/dfABCDE13", "dfABCDE14", "dfABCDE16"};
	g_autofree char *above = dir;
	Mta mta = release_sendmail;
	int code;
	meanwhile = NULL;
	mta.queue = dir = scratch_folder();
	g_autofree char *folder = g_build_filename(dir, "q1", NULL),
			*group = g_build_filename(dir, "q2", NULL),
			*body = g_build_filename(dir, "dfABCDE12", NULL);
	g_assert_no_errno(g_mkdir(folder, 0700));
	g_assert_no_errno(g_mkdir(group, 0700));
	for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
		put(own[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
		g_autofree char *path = g_build_filename(dir, links[i], NULL);
		g_assert_no_errno(link(body, path));
	}
	g_autofree char *text = says(list_it, &mta, 200, &code);
	g_auto(GStrv) of_one = g_strsplit(text, "\"body\"", -1);
	g_assert_cmpuint(g_strv_length(of_one), ==, 5); /* and 15 has none with another */
	check_release_of_parts(&mta);
	g_assert_cmpint(release_sendmail.delete(&mta, "ABCDE12"), ==, EX_OK);
	static const struct {
		const char *name;
		bool there;
	} want[] = {{"hfABCDE12", false}, {"dfABCDE12", false}, {"q1/hfABCDE13", false}, {"q1/dfABCDE13", false},
		{"q2/hfABCDE16", false}, {"dfABCDE16", false}, {"qfABCDE14", true}, {"dfABCDE14", true}, {"hfABCDE15", true}, {"dfABCDE15", true}};
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
		g_autofree char *path = g_build_filename(dir, want[i].name, NULL);
		g_test_message("%s", want[i].name);
		g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS) == want[i].there);
	}
	remove_folder(dir);
	g_free(dir);
	dir = g_steal_pointer(&above);
}

/* A file of the queue that cannot be read to its end is no message, and none of its parts. */
static void test_unreadable(void)
{
	static const char *const parts[] = {"hf", "df"};
	Mta mta = release_sendmail;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		int code;
		g_autofree char *queue = scratch_folder();
		g_autofree char *bad = g_strdup_printf("%s/%sABCDE12", queue, parts[i]),
				*good = g_strdup_printf("%s/%sABCDE12", queue, parts[1 - i]);
		mta.queue = queue;
		g_assert_no_errno(g_mkdir(bad, 0700)); /* opened, but not read */
		g_assert_true(g_file_set_contents(good, "x\n", -1, NULL));
		g_autofree char *text = says(show_it, &mta, 200, &code);
		g_test_message("%s: %d, \"%s\"", parts[i], code, text);
		g_assert_cmpint(code, ==, EX_IOERR);
		remove_folder(queue);
	}
}

/* ---- the verbs ---------------------------------------------------------------------------- */

static char **verb_words;

static int run_words(const Mta *mta)
{
	return run_verb(mta, (int)g_strv_length(verb_words), verb_words);
}

#define OTHER_DIGEST "00112233445566778899aabbccddeeff"

/* What is let go or deleted is the very message that was decided on; "=" is its digest. */
static void test_verbs(void)
{
	static const struct {
		const char *words;
		int code;
		const char *left;
	} rows_of_verbs[] = {
		{"list", EX_OK, "dfABCDE12 hfABCDE12 "},
		{"show ABCDE12", EX_OK, "dfABCDE12 hfABCDE12 "},
		{"show NoSuch12", EX_NOINPUT, "dfABCDE12 hfABCDE12 "},
		{"delete ABCDE12 " OTHER_DIGEST, EX_DATAERR, "dfABCDE12 hfABCDE12 "},
		{"delete NoSuch12 =", EX_DATAERR, "dfABCDE12 hfABCDE12 "},
		{"delete ABCDE12 =0", EX_USAGE, "dfABCDE12 hfABCDE12 "},
		{"delete ABCDE12 = more", EX_USAGE, "dfABCDE12 hfABCDE12 "},
		{"delete ABCDE12", EX_USAGE, "dfABCDE12 hfABCDE12 "},
		{"release ABCDE12 " OTHER_DIGEST, EX_DATAERR, "dfABCDE12 hfABCDE12 "},
		{"release ABCDE12 =", EX_OK, "dfABCDE12 qfABCDE12 "},
		{"delete ABCDE12 =", EX_OK, ""},
	};
	g_autofree char *digest = digest_there(),
			*program = g_build_filename(dir, "program", NULL);
	g_autofree char *script = g_strdup_printf(
		"#!/bin/sh\ncd %s\ncase \"$*\" in *-Q) mv hfABCDE12 qfABCDE12 ;; esac\n", dir);
	Mta mta = release_sendmail;
	mta.queue = dir;
	mta.program = program;
	meanwhile = NULL;
	g_assert_true(g_file_set_contents(program, script, -1, NULL));
	g_assert_no_errno(g_chmod(program, 0700));
	for (gsize i = 0; i < G_N_ELEMENTS(rows_of_verbs); i++) {
		g_auto(GStrv) parts = g_strsplit(rows_of_verbs[i].words, "=", -1);
		g_autofree char *text = g_strjoinv(digest, parts);
		verb_words = g_strsplit(text, " ", -1);
		int code;
		put("hfABCDE12");
		put("dfABCDE12");
		g_autofree char *said = says(run_words, &mta, 200, &code), *left = all_files();
		g_strfreev(verb_words);
		if (code != rows_of_verbs[i].code || strcmp(left, rows_of_verbs[i].left) != 0)
			g_error("%s: got %d, \"%s\" and \"%s\"", rows_of_verbs[i].words, code, left,
				said);
	}
	unlink(program);
}

/* ---- what a message of the queue is ---------------------------------------------------------- */

static void write_in(const char *queue, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(queue, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static int show_13(const Mta *mta)
{
	return release_sendmail.show(mta, "ABCDE13");
}

/* Who sent it to whom and when, and its header fields: all others are Sendmail's own. */
static void test_control_file(void)
{
	g_autofree char *queue = scratch_folder();
	int code;
	Mta mta = release_sendmail;
	mta.queue = queue;
	write_in(queue, "hfABCDE13",
		"V8\nT1764158400\nK0\nN0\nP0\n$_[192.0.2.1]\nS<billing@seller.example>\n"
		"S<other@seller.example>\nrRFC822; a@x.example\nRPFD:<a@x.example>\nRPFD:b@\xc3\xa4\"\\\n"
		"R<c@x.example>\nH??From: Billing\nH?P?Return-Path: <g>\n more of it\n"
		"HSubject: one\n\ttwo\n.\n");
	write_in(queue, "dfABCDE13", "the body\n");
	write_in(queue, "qfABCDE14", "");
	write_in(queue, "tfABCDE16", "RPFD:<a@x.example>\n"); /* Sendmail's, while it writes one */
	write_in(queue, "hgABCDE16", "");
	write_in(queue, "hf", "");
	g_autofree char *listed = says(list_it, &mta, 200, &code);
	g_assert_cmpint(code, ==, EX_OK);
	g_assert_nonnull(strstr(listed,
		"{\"queue_name\": \"hold\", \"queue_id\": \"ABCDE13\", \"recipients\": "
		"[{\"address\": \"a@x.example\"}, {\"address\": \"b@\\u00c3\\u00a4\\u0022\\u005c\"}, "
		"{\"address\": \"c@x.example\"}], \"arrival_time\": 1764158400, \"message_size\": 9, "
		"\"sender\": \"billing@seller.example\"}\n"));
	g_assert_nonnull(strstr(listed,
		"{\"queue_name\": \"active\", \"queue_id\": \"ABCDE14\", \"recipients\": [], "
		"\"arrival_time\": 0, \"message_size\": 0, \"sender\": \"\"}\n"));
	g_assert_null(strstr(listed, "ABCDE16"));
	g_assert_null(strstr(listed, "\"queue_id\": \"\""));
	g_autofree char *shown = says(show_13, &mta, 200, &code);
	g_assert_cmpint(code, ==, EX_OK);
	g_assert_cmpstr(shown, ==, "From: Billing\nSubject: one\n\ttwo\n\nthe body\n");
	/* Nobody else puts messages into the queue: what is in his folder is not there. */
	g_autofree char *folder = g_build_filename(queue, "q1", NULL);
	g_assert_no_errno(g_mkdir(folder, 0700));
	write_in(folder, "hfABCDE15", "");
	if (getuid() == 0) {
		g_autofree char *own = says(list_it, &mta, 200, &code);
		g_assert_no_errno(chown(folder, 65534, 65534));
		g_autofree char *his = says(list_it, &mta, 200, &code);
		g_assert_nonnull(strstr(own, "ABCDE15"));
		g_assert_null(strstr(his, "ABCDE15"));
		g_assert_nonnull(strstr(his, "ABCDE13"));
	}
	remove_folder(queue);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	dir = scratch_folder();
	g_test_add_func("/release/verbs", test_verbs);
	g_test_add_func("/release/sendmail/control-file", test_control_file);
	g_test_add_func("/release/sendmail/delete", test_delete);
	g_test_add_func("/release/sendmail/lacking", test_lacking);
	g_test_add_func("/release/sendmail/parts", test_parts);
	g_test_add_func("/release/sendmail/unreadable", test_unreadable);
	int rc = g_test_run();
	remove_folder(dir);
	return rc;
}
