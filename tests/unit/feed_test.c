/* feed_test.c - what is in a document stands in each format, escaped as that format wants it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "api/feed.h"
#include "api/xml.h"

static void escaped(const char *in, const char *out)
{
    struct buf b = BUF_HEAP;

    buf_adds(&b, "");
    xml_text(&b, in);
    assert_string_equal(b.p, out);
    buf_done(&b);
}

static void text_is_only_text(void **state)
{
    (void)state;
    escaped("一 <b>&amp;\"'</b>]]>", "一 &lt;b&gt;&amp;amp;&quot;'&lt;/b&gt;]]&gt;");
    escaped("", "");
    escaped("a\tb\nc\rd", "a\tb\nc&#13;d");
    escaped("\x01\x1f", "\ufffd\ufffd");
    escaped("\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbf\xbd|\xef\xbb\xbf",
            "\ufffd|\ufffd|\ufffd|\xef\xbb\xbf");
    escaped("\xef\xbf", "\xef\xbf"); /* cut text is passed on, and nothing behind it is read */
    escaped("𠮷𬭚", "𠮷𬭚");
}

static void formats_are_known_by_their_ending(void **state)
{
    size_t n = 0;

    (void)state;
    assert_string_equal(feed_format_of("all.atom", &n)->label, "Atom");
    assert_int_equal(n, 3);
    assert_string_equal(feed_format_of("a.atom.rss", &n)->label, "RSS");
    assert_int_equal(n, 6);
    assert_null(feed_format_of(".atom", &n));
    assert_null(feed_format_of("all.ATOM", &n));
    assert_null(feed_format_of("all.atom ", &n));
    assert_null(feed_format_of("", &n));
}

static const char *const nasty = "</title><script>\"x\" & 'y'\x02";

static void is_sound_xml(const struct buf *b)
{
    assert_null(strstr(b->p, "<script>"));
    assert_non_null(strstr(b->p, "&lt;/title&gt;&lt;script&gt;"));
    assert_non_null(strstr(b->p, "https://x/a?b&amp;c"));
}

static void is_sound_json(const struct buf *b)
{
    json_t *o = json_loadb(b->p, b->n, JSON_REJECT_DUPLICATES, NULL),
           *item = json_array_get(json_object_get(o, "items"), 0),
           *place = json_object_get(item, "_tjzw"), *ours = json_object_get(o, "_tjzw");

    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(item, "title")), nasty);
    assert_int_equal(json_integer_value(json_object_get(place, "seq")), 9);
    assert_int_equal(json_array_size(json_object_get(ours, "deleted")), 1);
    assert_string_equal(json_string_value(json_object_get(ours, "prev_archive")),
                        "https://x/f/1");
    json_decref(o);
}

static void nothing_is_lost_and_nothing_breaks_out(void **state)
{
    const struct feed_file file = {
        .name = nasty, .url = "https://x/a?b&c", .type = "application/pdf", .size = 7
    };
    const struct feed_entry entry = { .stream = "main",
                                      .seq = 9,
                                      .revision = 2,
                                      .title = nasty,
                                      .url = "https://x/a",
                                      .html = "<p>全文</p>",
                                      .author = nasty,
                                      .terms = &nasty,
                                      .nterms = 1,
                                      .published = 1790000000,
                                      .updated = 1790000001,
                                      .files = &file,
                                      .nfiles = 1 };
    const struct feed_gone gone = {
        .stream = "main", .seq = 8, .at = 1790000000, .reason = nasty
    };
    const struct feed feed = { .title = nasty,
                               .about = nasty,
                               .home = "https://x/",
                               .self = "https://x/f",
                               .current = "https://x/f",
                               .before = "https://x/f/1",
                               .updated = 1790000001,
                               .entries = &entry,
                               .n = 1,
                               .gone = &gone,
                               .ngone = 1 };

    (void)state;
    for (int i = 0; i < FEED_FORMATS; i++) {
        struct buf b = BUF_HEAP;

        feed_formats[i].write(&feed, &b);
        assert_null(strchr(b.p, '\x02'));
        assert_non_null(strstr(b.p, "00000000-0000-0000-0000-000000000000"));
        (strcmp(feed_formats[i].ending, ".json") ? is_sound_xml : is_sound_json)(&b);
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_only_text),
        cmocka_unit_test(formats_are_known_by_their_ending),
        cmocka_unit_test(nothing_is_lost_and_nothing_breaks_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
