/*
 * The page's HTML, in which nothing of a value is markup, and frames on the agent's socket.
 */
#include "config.h"

#include <unistd.h>

#include "missent/link.h"

#include "../../milter/review/page.h"
#include "../test.h"

/* ---- HTML ----------------------------------------------------------------------------- */

static void test_html(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"plain", "plain"},
		{"<b> & \"x\" 'y'", "&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;"},
		{"a\xe2\x80\xae" "b", "a\\u202eb"}, /* turns the direction of what follows */
		{"a\xe2\x80\x8b" "b", "a\\u200bb"}, /* not seen */
		/* a mark of Arabic, a soft hyphen, joiners and fillers, line ends, tags */
		{"a\xd8\x9c" "b", "a\\u061cb"},
		{"a\xc2\xad" "b\xcd\x8f", "a\\u00adb\\u034f"},
		{"\xe3\x85\xa4|\xe1\xa0\x8e|\xef\xbe\xa0", "\\u3164|\\u180e|\\uffa0"},
		{"a\xe2\x80\xa8" "b\xe2\x80\xa9", "a\\u2028b\\u2029"},
		{"a\xf3\xa0\x81\x81" "b\xef\xbf\xb9", "a\\ue0041b\\ufff9"},
		{"\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\xef\xb8\x8f"}, /* a heart, as a picture */
		{"\xd7\x90\xd8\xa7 \xe4\xb8\x80", "\xd7\x90\xd8\xa7 \xe4\xb8\x80"},
		{"a\x01\x1b[31m", "a\\u0001\\u001b[31m"},
		{"line\n\tnext", "line\n\tnext"},
		{"bad \xff byte", "bad \xef\xbf\xbd byte"},
		{"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
		{NULL, ""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		html_text(out, rows[i].text);
		g_assert_cmpstr(out->str, ==, rows[i].want);
	}
	g_autoptr(GString) out = g_string_new(NULL);
	html(out, "<a title=\"%s\">%d %S 5%%</a>", "\"><script>", (gint64)7, "<i>");
	g_assert_cmpstr(out->str, ==, "<a title=\"&quot;&gt;&lt;script&gt;\">7 <i> 5%</a>");
	g_string_truncate(out, 0);
	html_query(out, (const char *const[]){"a", "x&y=\"", "b", "", "c", "\xc3\xa9 1", NULL});
	g_assert_cmpstr(out->str, ==, "?a=x%26y%3D%22&amp;c=%C3%A9%201");
}

/* ---- the socket ----------------------------------------------------------------------- */

static void test_frames(void)
{
	int pair[2];
	gsize len;
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
	g_assert_true(ms_link_send(pair[0], "{\"a\":1}", 7));
	g_autofree char *got = ms_link_receive(pair[1], MS_LINK_MAX, &len);
	g_assert_cmpstr(got, ==, "{\"a\":1}");
	g_assert_cmpuint(len, ==, 7);
	/* a length that nobody has room for; a frame that is cut short */
	g_assert_cmpint(write(pair[0], "\xff\xff\xff\xff", 4), ==, 4);
	g_assert_null(ms_link_receive(pair[1], MS_LINK_MAX, &len));
	g_assert_cmpint(write(pair[0], "\0\0\0\5ab", 6), ==, 6);
	close(pair[0]);
	g_assert_null(ms_link_receive(pair[1], MS_LINK_MAX, &len));
	close(pair[1]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/review/html", test_html);
	g_test_add_func("/review/frames", test_frames);
	int rc = g_test_run();
	return rc;
}
