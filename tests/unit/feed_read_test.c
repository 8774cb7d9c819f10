/* Feeds of others, as they are written in the wild. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/source/feed_read.h"

#define RSS(items) "<rss version=\"2.0\"><channel><title>x</title>" items "</channel></rss>"

static struct arena *mem;
static struct err why;
static struct feed_entry *got;
static int n;

static int set_up(void **state)
{
    (void)state;
    mem = arena_new();
    why = (struct err){ 0 };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}

static enum rc take(const char *text)
{
    return feed_read(&why, mem, text, strlen(text), "https://www.example.cn/feeds/all.rss",
                     &got, &n);
}

static void rss_is_read(void **state)
{
    (void)state;
    assert_int_equal(
        take(RSS("<item><title>\n 新建  公园 </title><link>/a/1.html</link><guid>g1</guid>"
                 "<description>&lt;p&gt;三处&lt;/p&gt;</description>"
                 "<pubDate>Mon, 16 Mar 2026 09:30:00 +0800</pubDate><author>甲</author></item>"
                 "<item><guid>https://www.example.cn/2</guid></item>")),
        RC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(got[0].title, "新建 公园");
    assert_string_equal(got[0].url, "https://www.example.cn/a/1.html");
    assert_string_equal(got[0].id, "g1");
    assert_string_equal(got[0].html, "<p>三处</p>");
    assert_string_equal(got[0].author, "甲");
    assert_int_equal(got[0].at, 1773624600);
    assert_string_equal(got[1].url, "https://www.example.cn/2");
    assert_null(got[1].title);
}

static void the_fullest_text_counts(void **state)
{
    (void)state;
    assert_int_equal(
        take("<rss xmlns:c=\"http://purl.org/rss/1.0/modules/content/\"><channel><item>"
             "<description>简</description><c:encoded><![CDATA[<p>全文</p>]]></c:encoded>"
             "</item></channel></rss>"),
        RC_OK);
    assert_string_equal(got[0].html, "<p>全文</p>");
}

static void atom_is_read(void **state)
{
    (void)state;
    assert_int_equal(
        take(
            "<feed "
            "xmlns=\"http://www.w3.org/2005/Atom\"><id>f</id><author><name>全体</name></author>"
            "<entry><id>urn:1</id><title>甲 &amp; 乙</title><link rel=\"enclosure\" "
            "href=\"/no\"/>"
            "<link href=\"a.html\"/><updated>2026-03-16T09:30:00+08:00</updated>"
            "<author><name>丙</name></author><content type=\"xhtml\"><div "
            "xmlns=\"http://www.w3.org/1999/xhtml\"><p>三 &lt; 四<a href=\"b.html\" "
            "onclick=\"x()\">见</a></p></div></content></entry>"
            "<entry><id>2</id><summary>甲&lt;乙</summary></entry>"
            "<entry><id>3</id><summary "
            "type=\"html\">&lt;b&gt;粗&lt;/b&gt;</summary></entry></feed>"),
        RC_OK);
    assert_int_equal(n, 3);
    assert_string_equal(got[0].title, "甲 & 乙");
    assert_string_equal(got[0].url, "https://www.example.cn/feeds/a.html");
    assert_string_equal(got[0].html, "<div><p>三 &lt; 四<a href=\"b.html\">见</a></p></div>");
    assert_string_equal(got[0].author, "丙");
    assert_int_equal(got[0].at, 1773624600);
    assert_string_equal(got[1].html, "甲&lt;乙"); /* text, not markup */
    assert_string_equal(got[2].html, "<b>粗</b>");
}

static void dates_are_read_or_said(void **state)
{
    static const struct {
        const char *text;
        int64_t at;
    } cases[] = { { "Mon, 16 Mar 2026 01:30:00 GMT", 1773624600 },
                  { "16 Mar 2026 09:30 +0800", 1773624600 },
                  { "2026-03-16 09:30", 1773624600 },
                  { "2026/03/16", 0 },
                  { "昨天", 0 },
                  { "Mon, 16 Mar 2026 09:30:00 +9999", 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            take(arena_printf(mem, RSS("<item><guid>1</guid><pubDate>%s</pubDate></item>"),
                              cases[i].text)),
            RC_OK);
        assert_int_equal(got[0].at, cases[i].at);
        assert_string_equal(got[0].date, cases[i].text);
    }
}

static void what_is_no_feed_says_why(void **state)
{
    static const char *const bad[] = {
        "",
        "<rss><channel>",
        "not xml",
        "<rss>&nbsp;</rss>",
        ("<!DOCTYPE r [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><rss><channel><item>"
         "<title>&b;</title></item></channel></rss>"),
        "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><rss/>",
    };
    struct buf deep = BUF_IN(mem);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        why = (struct err){ 0 };
        assert_int_equal(take(bad[i]), RC_INVALID);
        assert_true(*why.text);
    }
    assert_non_null(strstr(why.text, "DOCTYPE"));
    for (int i = 0; i < 100; i++)
        buf_adds(&deep, "<a>");
    why = (struct err){ 0 };
    assert_int_equal(take(deep.p), RC_TOO_LARGE);
    assert_int_equal(take("<html><body>错误</body></html>"), RC_OK);
    assert_int_equal(n, 0); /* who takes it in says so */
}

static void a_feed_is_bounded(void **state)
{
    struct buf b = BUF_IN(mem);

    (void)state;
    buf_adds(&b, "<rss><channel>");
    for (int i = 0; i <= FEED_ENTRIES_MAX; i++)
        buf_adds(&b, "<item><guid>1</guid></item>");
    buf_adds(&b, "</channel></rss>");
    assert_int_equal(take(b.p), RC_TOO_LARGE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(rss_is_read),
        T(the_fullest_text_counts),
        T(atom_is_read),
        T(dates_are_read_or_said),
        T(what_is_no_feed_says_why),
        T(a_feed_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
