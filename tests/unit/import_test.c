/*
 * import_test.c - records from elsewhere: again, changed, moved, hostile, and the real corpus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/library/export.h"
#include "server/library/import.h"
#include "server/library/publish.h"
#include "tests/lib/library_world.h"

#define RECORD(more) \
    "{\"id\":\"a-1\",\"source\":\"国务院\",\"column\":\"法律/宪法\",\"title\":\"标题\"" more "}"

static struct import_line one(struct library_world *t, const char *text, size_t n, bool publish)
{
    struct import_options o = { .stream = t->stream.no, .publish = publish, .create = true };
    struct import_line line;

    import_prepare(t->mem, text, n, &line);
    world_begin(t);
    if (import_apply(&t->w, &o, &line, 1))
        fail_msg("%s", t->w.err.text);
    world_commit(t);
    return line;
}

static enum import_result take(struct library_world *t, const char *text)
{
    return one(t, text, strlen(text), true).result;
}

static struct item item_of(struct library_world *t, const char *origin)
{
    struct item it;

    assert_int_equal(item_by_origin(&t->w, "main", origin, &it), RC_OK);
    return it;
}

static void the_same_again_changes_nothing(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(take(t, RECORD()), IMPORT_CREATED);
    assert_int_equal(take(t, RECORD()), IMPORT_UNCHANGED);
    /* other provenance is not other content */
    assert_int_equal(take(t, RECORD(",\"licence\":\"MIT\",\"origin-path\":\"x\"")),
                     IMPORT_UNCHANGED);
    /* a byte order mark is not content */
    assert_int_equal(take(t, "\xef\xbb\xbf" RECORD()), IMPORT_UNCHANGED);
    assert_int_equal(world_stream(t).seq, 1);
}

static void changed_text_is_a_new_revision_and_a_new_column_a_move(void **state)
{
    struct library_world *t = *state;
    struct item it;

    assert_int_equal(take(t, RECORD()), IMPORT_CREATED);
    assert_int_equal(take(t, RECORD(",\"body\":\"正文\"")), IMPORT_UPDATED);
    it = item_of(t, "a-1");
    assert_int_equal(it.live_rev, 2);
    assert_int_equal(it.seq, 2);
    assert_int_equal(take(t,
                          "{\"id\":\"a-1\",\"source\":\"国务院\",\"column\":\"法律\",\"title\":"
                          "\"标题\",\"body\":\"正文\"}"),
                     IMPORT_MOVED);
    it = item_of(t, "a-1");
    assert_int_equal(it.live_rev, 2);
    assert_int_equal(it.seq, 3);
    assert_int_equal(world_stream(t).born, 1);
}

static void without_publish_the_public_sees_nothing_of_it(void **state)
{
    struct library_world *t = *state;
    const char *changed = RECORD(",\"body\":\"改\"");

    assert_int_equal(one(t, RECORD(), strlen(RECORD()), false).result, IMPORT_CREATED);
    assert_int_equal(item_of(t, "a-1").state, STATE_DRAFT);
    assert_int_equal(world_stream(t).seq, 0);
    assert_int_equal(take(t, RECORD()),
                     IMPORT_UPDATED); /* the same text, now to be published */
    assert_int_equal(world_stream(t).seq, 1);
    assert_int_equal(one(t, changed, strlen(changed), false).result, IMPORT_UPDATED);
    assert_int_equal(world_stream(t).seq, 1);
    assert_int_equal(item_of(t, "a-1").live_rev, 1);
    assert_int_equal(take(t, changed), IMPORT_UPDATED);
    assert_int_equal(item_of(t, "a-1").live_rev, 2);
    assert_int_equal(take(t, changed), IMPORT_UNCHANGED);
    assert_int_equal(world_stream(t).seq, 2);
}

static void what_was_withdrawn_is_not_brought_back(void **state)
{
    struct library_world *t = *state;
    struct item it;

    assert_int_equal(take(t, RECORD()), IMPORT_CREATED);
    it = item_of(t, "a-1");
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "撤稿", &it), RC_OK);
    world_commit(t);
    assert_int_equal(take(t, RECORD()), IMPORT_UNCHANGED);
    assert_int_equal(take(t, RECORD(",\"body\":\"新\"")), IMPORT_UPDATED);
    it = item_of(t, "a-1");
    assert_int_equal(it.live_rev, 0);
    assert_int_equal(it.state, STATE_DRAFT);
    world_begin(t);
    assert_int_equal(publish_end(&t->w, &it.id, VERB_GONE, "删除", &it), RC_OK);
    world_commit(t);
    assert_int_equal(take(t, RECORD(",\"body\":\"又新\"")), IMPORT_REFUSED);
}

static void members_get_their_place(void **state)
{
    struct library_world *t = *state;
    struct import_line line;
    struct item it;
    struct slice record;

    line = one(t,
               RECORD(",\"pubDate\":\"2024-02-29\",\"url\":\"http://www.gov.cn/"
                      "a?b=1\",\"docNumber\":\"国发〔2019〕5号\""),
               strlen(RECORD(",\"pubDate\":\"2024-02-29\",\"url\":\"http://www.gov.cn/"
                             "a?b=1\",\"docNumber\":\"国发〔2019〕5号\"")),
               true);
    assert_int_equal(line.result, IMPORT_CREATED);
    assert_int_equal(item_live(&t->w, &line.id, &it, &record), RC_OK);
    assert_int_equal(it.kind, KIND_POLICY);
    assert_int_equal(it.date, 1709136000); /* 2024-02-29 in Beijing */
    assert_null(content_warning(&line.content));
    record.p = arena_strndup(t->mem, record.p, record.n);
    assert_memory_equal(record.p,
                        "{\"authority\":\"main\",\"column\":\"法律/"
                        "宪法\",\"contentSource\":\"国务院\",\"docNumber\":"
                        "\"国发〔2019〕5号\",\"id\":\"",
                        60);
    assert_non_null(
        strstr(record.p, "\"kind\":\"policy\",\"originId\":\"a-1\",\"published\":"));
    assert_non_null(strstr(record.p, "\"site\":\"国务院\",\"sourceDate\":\"2024-02-29\","
                                     "\"sourceUrl\":\"http://www.gov.cn/a?b=1\""));
}

#define WITH(member) "{\"id\":\"h\",\"source\":\"s\",\"column\":\"c\"," member "}"
#define TITLE        "\"title\":\"t\""
static const struct {
    const char *text, *field;
} hostile[] = {
    { "", "" },
    { "[]", "" },
    { "{\"id\":\"h\"", "" },
    { "\"x\"", "" },
    { "null", "" },
    { WITH(TITLE) " x", "" },
    { WITH(TITLE "," TITLE), "" },
    { WITH(TITLE ",\"body\":1"), "body" },
    { WITH(TITLE ",\"body\":null"), "body" },
    { WITH(TITLE ",\"body\":\"\""), "body" },
    { WITH(TITLE ",\"keywords\":\"x\""), "keywords" },
    { WITH(TITLE ",\"keywords\":[1]"), "keywords" },
    { WITH(TITLE ",\"keywords\":[\"\"]"), "keywords" },
    { WITH("\"title\":[]"), "title" },
    { WITH("\"title\":\"\""), "title" },
    { WITH("\"title\":\"　 \""), "title" },
    { WITH("\"title\":\"a\\u202eb\""), "title" },
    { WITH("\"title\":\"a\\u2066b\""), "title" },
    { WITH("\"title\":\"a\\u200bb\""), "title" },
    { WITH("\"title\":\"\\ufeffab\""), "title" },
    { WITH("\"title\":\"a\\nb\""), "title" },
    { WITH("\"title\":\"a\\u0007b\""), "title" },
    { WITH("\"title\":\"a\\u0085b\""), "title" },
    { WITH("\"title\":\"a\\u0000b\""), "" },
    { WITH("\"title\":\"\xff\xfe\""), "" },
    { WITH("\"title\":\"\xed\xa0\x80\""), "" },
    { WITH("\"title\":\"\xc0\xaf\""), "" },
    { WITH("\"body\":\"x\""), "title" },
    { WITH(TITLE ",\"body\":\"a\\u001b[2J\""), "body" },
    { WITH(TITLE ",\"pubDate\":\"2025-02-30\""), "pubDate" },
    { WITH(TITLE ",\"pubDate\":\"2025-2-3\""), "pubDate" },
    { WITH(TITLE ",\"pubDate\":\"0000-01-01\""), "pubDate" },
    { WITH(TITLE ",\"pubDate\":20250203"), "pubDate" },
    { WITH(TITLE ",\"pubDate\":\"2025-02-03\",\"sourceDate\":\"2025-02-03\""), "pubDate" },
    { WITH(TITLE ",\"expires\":\"tomorrow\""), "expires" },
    { WITH(TITLE ",\"url\":\"javascript:alert(1)\""), "url" },
    { WITH(TITLE ",\"url\":\"http://x/\\\" onload=\""), "url" },
    { WITH(TITLE ",\"kind\":\"virus\""), "kind" },
    { WITH(TITLE ",\"kind\":1"), "kind" },
    { WITH(TITLE ",\"kind\":\"article\",\"conditions\":\"x\""), "conditions" },
    { WITH(TITLE ",\"validity\":\"也许\""), "validity" },
    { WITH(TITLE ",\"isReprint\":\"是\""), "isReprint" },
    { WITH(TITLE ",\"docKind\":\"\""), "docKind" },
    { WITH(TITLE ",\"theme2\":7"), "theme2" },
    { WITH(TITLE ",\"related\":\"https://a.example/\""), "related" },
    { WITH(TITLE ",\"related\":[\"not-an-id\"]"), "related" },
    { WITH(TITLE ",\"related\":[\"javascript:alert(1)\"]"), "related" },
    { WITH(TITLE ",\"related\":[7]"), "related" },
    { WITH(TITLE ",\"image\":\"../../etc/passwd\""), "image" },
    { WITH(TITLE ",\"html\":\"<p>\""), "html" },
    { WITH(TITLE ",\"rights\":31"), "rights" },
    { WITH(TITLE
           ",\"attachments\":[{\"hash\":\"x\",\"name\":\"a\",\"size\":1,\"type\":\"a/b\"}]"),
      "attachments/hash" },
    { WITH(TITLE
           ",\"attachments\":[{\"hash\":"
           "\"0000000000000000000000000000000000000000000000000000000000000000\",\"name\":"
           "\"../a\",\"size\":1,\"type\":\"a/b\"}]"),
      "attachments/name" },
    { "{\"source\":\"s\",\"column\":\"c\"," TITLE "}", "id" },
    { "{\"id\":7,\"source\":\"s\",\"column\":\"c\"," TITLE "}", "id" },
    { "{\"id\":\"../../x\",\"source\":\"s\",\"column\":\"c\"," TITLE "}", "id" },
    { "{\"id\":\"..\",\"source\":\"s\",\"column\":\"c\"," TITLE "}", "id" },
    { "{\"id\":\"a b\",\"source\":\"s\",\"column\":\"c\"," TITLE "}", "id" },
    { "{\"id\":\"\",\"source\":\"s\",\"column\":\"c\"," TITLE "}", "id" },
    { "{\"id\":\"h\",\"column\":\"c\"," TITLE "}", "source" },
    { "{\"id\":\"h\",\"source\":\"\",\"column\":\"c\"," TITLE "}", "source" },
    { "{\"id\":\"h\",\"source\":\"s\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"../c\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"/c\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"c/\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"a//b\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"a/./b\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"1/2/3/4/5/6/7/8/9\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"a\\u0009b\"," TITLE "}", "column" },
    { "{\"id\":\"h\",\"source\":\"s\",\"column\":\"a\\\\b\"," TITLE "}", "column" },
};

/* Each is refused with a reason that names the field, and leaves no trace. */
static void hostile_records_are_refused(void **state)
{
    struct library_world *t = *state;

    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct import_line line = one(t, hostile[i].text, strlen(hostile[i].text), true);

        if (line.result != IMPORT_REFUSED || !line.why.rc || !line.why.text[0] ||
            strcmp(line.why.field, hostile[i].field))
            fail_msg("%s -> %s, field \"%s\": %s", hostile[i].text,
                     import_result_name(line.result), line.why.field, line.why.text);
    }
    assert_int_equal(world_number(t, "SELECT count(*) FROM item"), 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM site"), 1);
    assert_int_equal(world_stream(t).seq, 0);
}

/* What to write instead, in the words of the line. */
static void a_refusal_says_what_to_write(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { WITH(TITLE ",\"pubDate\":\"2024-02-31\""),
          "pubDate: \"2024-02-31\" is no date; write it like 2026-11-21" },
        { WITH(TITLE ",\"pubDate\":\"\\u001b[2J\""),
          "pubDate has the control character U+001B" },
        { "{\"id\":\"h\",\"column\":\"c\"," TITLE "}", "source is missing" },
    };
    struct library_world *t = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(one(t, rows[i].text, strlen(rows[i].text), true).why.text,
                            rows[i].why);
}

static char *long_record(struct library_world *t, const char *member, char fill, size_t n)
{
    char *text = arena_alloc(t->mem, n + 1);

    memset(text, fill, n);
    text[n] = '\0';
    return arena_printf(t->mem, "{\"id\":\"h\",\"source\":\"s\",\"column\":\"c\",%s%s\"}",
                        member, text);
}

static void lengths_are_limited(void **state)
{
    struct library_world *t = *state;

    assert_int_equal(take(t, long_record(t, "\"title\":\"", 't', 201)), IMPORT_REFUSED);
    assert_int_equal(
        take(t, long_record(t, "\"title\":\"t\",\"body\":\"", 'b', 200 * 1024 + 1)),
        IMPORT_REFUSED);
    assert_int_equal(take(t, long_record(t, "\"title\":\"t\",\"body\":\"", 'b', 1024 * 1024)),
                     IMPORT_REFUSED);
    assert_int_equal(take(t, long_record(t, "\"title\":\"t\",\"column\":\"", 'c', 65)),
                     IMPORT_REFUSED);
    assert_int_equal(world_stream(t).seq, 0);
    assert_int_equal(take(t, long_record(t, "\"title\":\"t\",\"body\":\"", 'b', 200 * 1024)),
                     IMPORT_CREATED);
    assert_int_equal(
        take(t, "{\"id\":\"h\",\"source\":\"s\",\"column\":\"c\",\"title\":\"t\"}"),
        IMPORT_UPDATED);
    /* deep nesting must not cost stack */
    assert_int_equal(take(t, long_record(t, "\"title\":", '[', 100000)), IMPORT_REFUSED);
}

static void a_refused_record_hinders_no_other(void **state)
{
    struct library_world *t = *state;
    struct import_options o = { .stream = t->stream.no, .publish = true };
    struct import_line lines[3];
    const char *texts[] = {
        "{\"id\":\"1\",\"source\":\"1200000000\",\"column\":\"新闻\",\"title\":\"甲\"}",
        "{\"id\":\"2\",\"source\":\"1200000000\",\"column\":\"不存在\",\"title\":\"乙\"}",
        "{\"id\":\"3\",\"source\":\"1200000000\",\"column\":\"新闻\",\"title\":\"丙\"}",
    };

    for (int i = 0; i < 3; i++)
        import_prepare(t->mem, texts[i], strlen(texts[i]), &lines[i]);
    world_begin(t);
    assert_int_equal(import_apply(&t->w, &o, lines, 3), RC_OK);
    world_commit(t);
    assert_int_equal(lines[0].result, IMPORT_CREATED);
    assert_int_equal(lines[1].result, IMPORT_REFUSED);
    assert_int_equal(lines[2].result, IMPORT_CREATED);
    assert_int_equal(world_stream(t).seq, 2);
}

static void an_import_needs_its_right(void **state)
{
    struct library_world *t = *state;
    struct import_options o = { .stream = t->stream.no, .publish = true };
    struct import_line line;

    import_prepare(t->mem, RECORD(), strlen(RECORD()), &line);
    world_begin(t);
    t->w.who.rights = RIGHT_IMPORT;
    assert_int_equal(import_apply(&t->w, &o, &line, 1), RC_FORBIDDEN);
    t->w.who.rights = RIGHT_PUBLISH | RIGHT_EDIT;
    o.publish = false;
    assert_int_equal(import_apply(&t->w, &o, &line, 1), RC_FORBIDDEN);
    world_commit(t);
}

/* To make a public place is to edit: a record that names one which is not there is refused. */
static void an_import_makes_no_place_without_the_right_to_edit(void **state)
{
    struct library_world *t = *state;
    const char *known = "{\"id\":\"b\",\"source\":\"1200000000\",\"column\":\"新闻\","
                        "\"title\":\"甲\"}",
               *column = "{\"id\":\"c\",\"source\":\"1200000000\",\"column\":\"新的\","
                         "\"title\":\"乙\"}";
    struct import_line line;

    t->w.who.rights = RIGHT_IMPORT | RIGHT_PUBLISH;
    line = one(t, RECORD(), strlen(RECORD()), true);
    assert_int_equal(line.why.rc, RC_FORBIDDEN);
    assert_non_null(strstr(line.why.text, "\"edit\""));
    line = one(t, column, strlen(column), true);
    assert_int_equal(line.why.rc, RC_FORBIDDEN);
    assert_int_equal(take(t, known), IMPORT_CREATED);
    assert_int_equal(world_number(t, "SELECT count(*) FROM site"), 1);
    t->w.who.rights |= RIGHT_EDIT;
    assert_int_equal(take(t, RECORD()), IMPORT_CREATED);
    assert_int_equal(take(t, column), IMPORT_CREATED);
}

static void a_source_that_can_be_no_site_is_named(void **state)
{
    static const char *const wrong[] = { "..",     ".a", "/b", "b/",  "a//b",      "a/../b",
                                         "a\\\\b", " a", "a ", "　a", "a\\u202eb", "a\\u0007" };
    struct library_world *t = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *text = arena_printf(
            t->mem, "{\"id\":\"h\",\"source\":\"%s\",\"column\":\"c\",\"title\":\"t\"}",
            wrong[i]);
        struct import_line line = one(t, text, strlen(text), true);

        if (line.result != IMPORT_REFUSED || strcmp(line.why.field, "source"))
            fail_msg("%s: \"%s\" %s", text, line.why.field, line.why.text);
    }
    assert_int_equal(world_number(t, "SELECT count(*) FROM site"), 1);
}

/* ---- the real corpus, where it is ---- */

enum { HIJACKED = 1 }; /* records of it whose title is: they stay drafts */

struct listing {
    struct buf text;
    char last[ID_TEXT];
    int n;
    bool sorted;
};

static enum rc add_line(void *arg, const void *bytes, size_t n)
{
    struct listing *l = arg;
    const char *id = memmem(bytes, n, "\"id\":\"", 6);

    l->sorted = l->sorted && strncmp(l->last, id + 6, 36) < 0;
    memcpy(l->last, id + 6, 36);
    buf_add(&l->text, bytes, n);
    buf_addc(&l->text, '\n');
    l->n++;
    return RC_OK;
}

static int take_file(struct library_world *t, FILE *in, int counts[IMPORT_RESULTS], int *held)
{
    struct import_options o = { .stream = t->stream.no, .publish = true, .create = true };
    struct import_line *lines = arena_alloc(t->mem, 1000 * sizeof *lines);
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    int n = 0;

    while (n < 1000 && (len = getline(&text, &room, in)) > 0)
        import_prepare(t->mem, arena_strndup(t->mem, text, (size_t)len), (size_t)len,
                       &lines[n++]);
    free(text);
    world_begin(t);
    assert_int_equal(import_apply(&t->w, &o, lines, n), RC_OK);
    world_commit(t);
    memset(counts, 0, IMPORT_RESULTS * sizeof *counts);
    *held = 0;
    for (int i = 0; i < n; i++) {
        counts[lines[i].result]++;
        *held += lines[i].held != NULL;
    }
    return n;
}

static void the_corpus_goes_in_and_comes_out_again(void **state)
{
    struct library_world *t = *state;
    const char *path = getenv("TJZW_CORPUS");
    FILE *in = fopen(path ? path : "../shared/corpus/articles.ndjson", "r");
    struct listing l = { .text = BUF_IN(t->mem), .sorted = true };
    int counts[IMPORT_RESULTS], n, held;

    if (!in)
        in = fopen("../../shared/corpus/articles.ndjson", "r");
    if (!in) {
        print_message("skipped: ../shared/corpus is not here\n");
        skip();
    }
    n = take_file(t, in, counts, &held);
    assert_int_equal(counts[IMPORT_CREATED], n);
    assert_int_equal(held, HIJACKED);
    rewind(in);
    assert_int_equal(take_file(t, in, counts, &held), n);
    assert_int_equal(counts[IMPORT_UNCHANGED], n);
    n -= HIJACKED;
    assert_int_equal(world_stream(t).seq, n);
    assert_int_equal(export_published(&t->w, 0, add_line, &l), RC_OK);
    assert_int_equal(l.n, n);
    assert_true(l.sorted);

    /* What was exported is a record too, and holds nothing new. */
    fclose(in);
    in = fmemopen(l.text.p, l.text.n, "r");
    assert_int_equal(take_file(t, in, counts, &held), n);
    assert_int_equal(counts[IMPORT_UNCHANGED], n);
    fclose(in);
}

int main(void)
{
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, library_world_set_up, library_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_same_again_changes_nothing),
        TEST(changed_text_is_a_new_revision_and_a_new_column_a_move),
        TEST(without_publish_the_public_sees_nothing_of_it),
        TEST(what_was_withdrawn_is_not_brought_back),
        TEST(members_get_their_place),
        TEST(hostile_records_are_refused),
        TEST(a_refusal_says_what_to_write),
        TEST(lengths_are_limited),
        TEST(a_refused_record_hinders_no_other),
        TEST(an_import_needs_its_right),
        TEST(a_source_that_can_be_no_site_is_named),
        TEST(an_import_makes_no_place_without_the_right_to_edit),
        TEST(the_corpus_goes_in_and_comes_out_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
