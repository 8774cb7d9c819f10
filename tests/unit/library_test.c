/*
 * library_test.c - sites, columns, organisations, the directory, lists and their cursors, the
 * table of fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/column.h"
#include "server/library/org.h"
#include "server/library/publish.h"
#include "server/library/site.h"
#include "tests/lib/library_world.h"

static void the_table_of_fields_is_sorted(void **state)
{
    (void)state;
    for (int i = 1; i < FIELD_COUNT; i++)
        assert_true(strcmp(fields[i - 1].name, fields[i].name) < 0);
    for (int i = 0; i < FIELD_COUNT; i++)
        assert_int_equal(field_find(fields[i].name), i);
    assert_int_equal(field_find(""), -1);
    assert_int_equal(field_find("titles"), -1);
    for (int i = 0; i < KIND_COUNT; i++)
        assert_int_equal(kind_parse(kind_name(i)), i);
}

static void a_path_makes_its_parents_with_fitting_types(void **state)
{
    struct library_world *t = *state;
    struct column c, parent;

    world_begin(t);
    assert_int_equal(column_at(&t->w, t->site, "地方性法规/北京地方法规", false, &c),
                     RC_NOT_FOUND);
    assert_int_equal(column_at(&t->w, t->site, "地方性法规/北京/专题", true, &c), RC_OK);
    assert_string_equal(c.name, "专题");
    assert_string_equal(c.type, "政策文件"); /* its parents' */
    assert_int_equal(c.period_days, 183);
    assert_int_equal(column_at(&t->w, t->site, "地方性法规", false, &parent), RC_OK);
    assert_int_equal(parent.parent, 0);
    assert_int_equal(column_at(&t->w, t->site, "市长信箱", true, &c), RC_OK);
    assert_string_equal(c.type, "咨询投诉");
    assert_int_equal(column_at(&t->w, t->site, "随笔", true, &c), RC_OK);
    assert_string_equal(c.type, "其他");
    world_commit(t);
}

static void a_new_name_changes_the_paths_below(void **state)
{
    struct library_world *t = *state;
    struct column c;

    world_begin(t);
    assert_int_equal(column_at(&t->w, t->site, "法/甲/乙", true, &c), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "法律", true, &c), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "法", false, &c), RC_OK);
    c.name = "法律";
    assert_int_equal(column_edit(&t->w, &c), RC_CONFLICT);
    c.name = "法/规";
    assert_int_equal(column_edit(&t->w, &c), RC_INVALID);
    c.name = "法规";
    assert_int_equal(column_edit(&t->w, &c), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "法规/甲/乙", false, &c), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "法/甲", false, &c), RC_NOT_FOUND);
    c.open = false;
    assert_int_equal(column_edit(&t->w, &c), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "法规/甲/乙/丙", true, &c), RC_CONFLICT);
    assert_int_equal(column_at(&t->w, t->site, "法规", false, &c), RC_OK);
    c.open = false; /* 甲 below it is open */
    assert_int_equal(column_edit(&t->w, &c), RC_CONFLICT);
    c.open = true;
    c.type = "随便";
    assert_int_equal(column_edit(&t->w, &c), RC_INVALID);
    world_commit(t);
}

static char *directory(struct library_world *t)
{
    struct buf out = BUF_IN(t->mem), again = BUF_IN(t->mem);
    json_t *object;

    assert_int_equal(directory_json(&t->w, t->stream.no, &out), RC_OK);
    assert_int_equal(jx_object(&t->w.err, t->mem, out.p, out.n, &object), RC_OK);
    jx_canonical(&again, object);
    assert_string_equal(out.p, again.p);
    return out.p;
}

static void the_directory_names_whatever_is_pointed_at(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    struct column c;

    assert_string_equal(directory(t), "{\"columns\":[{\"name\":\"新闻\",\"no\":1,\"parent\":0,"
                                      "\"path\":\"新闻\",\"position\":0,\"site\":1,"
                                      "\"type\":\"工作动态\"},{\"name\":\"通知公告\",\"no\":2,"
                                      "\"parent\":0,\"path\":\"通知公告\",\"position\":0,"
                                      "\"site\":1,\"type\":\"通知公告\"}],\"sites\":[{\"code\":"
                                      "\"1200000000\",\"name\":\"天津市人民政府\",\"no\":1}]}");
    world_begin(t);
    for (int64_t no = t->news; no <= t->notices; no++) {
        assert_int_equal(column_by_no(&t->w, no, &c), RC_OK);
        c.open = false;
        assert_int_equal(column_edit(&t->w, &c), RC_OK);
    }
    assert_non_null(strstr(directory(t), "新闻"));
    assert_null(strstr(directory(t), "通知公告"));
    assert_int_equal(publish_end(&t->w, &it.id, VERB_WITHDRAW, "差错", &it), RC_OK);
    assert_null(strstr(directory(t), "新闻"));
    world_commit(t);
}

static void a_closed_site_gets_no_new_columns(void **state)
{
    struct library_world *t = *state;
    struct column c;
    struct site s;

    world_begin(t);
    assert_int_equal(site_by_no(&t->w, t->site, &s), RC_OK);
    s.open = false;
    assert_int_equal(site_edit(&t->w, &s), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "新闻", true, &c), RC_OK);
    assert_int_equal(column_at(&t->w, t->site, "新闻/专题", true, &c), RC_CONFLICT);
    assert_int_equal(column_at(&t->w, t->site, "新闻/专题", false, &c), RC_NOT_FOUND);
    world_commit(t);
}

static void region_codes_are_built_by_rule(void **state)
{
    static const char *const right[] = { "120000",    "120101",    "120116",       "110000",
                                         "120101001", "441900003", "120101001001", "820000" };
    static const char *const wrong[] = { "",
                                         "12",
                                         "12010",
                                         "1201011",
                                         "990000",
                                         "120001",
                                         "120000001",
                                         "120101000",
                                         "120101001000",
                                         "12010a",
                                         "１２０１０１",
                                         "120101 01",
                                         "1201010010010" };

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_true(org_region_ok(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(org_region_ok(wrong[i]));
}

/* The real ones, where they are. */
static void every_district_and_street_of_tianjin_has_a_region_code(void **state)
{
    FILE *in = fopen("../shared/corpus/tianjin-divisions.json", "r");
    char line[256], *code;
    int n = 0;

    (void)state;
    if (!in)
        in = fopen("../../shared/corpus/tianjin-divisions.json", "r");
    if (!in) {
        print_message("skipped: ../shared/corpus is not here\n");
        skip();
    }
    while (fgets(line, sizeof line, in))
        if ((code = strstr(line, "\"code\": \""))) {
            code = strtok(code + strlen("\"code\": \""), "\"");
            if (strlen(code) > 2 && ++n && !org_region_ok(code))
                fail_msg("%s", code);
        }
    fclose(in);
    assert_int_equal(n, 16 + 299);
}

static void organisations_are_kept(void **state)
{
    struct library_world *t = *state;
    struct org city = { .code = "tj", .name = "天津市人民政府", .region = "120000" }, part,
               *list;
    int n;

    world_begin(t);
    assert_int_equal(org_create(&t->w, &city), RC_OK);
    part =
        (struct org){ .code = "hp", .name = "和平区", .region = "120101", .parent = city.no };
    assert_int_equal(org_create(&t->w, &part), RC_OK);
    assert_int_equal(org_create(&t->w, &part), RC_CONFLICT);
    part.region = "1201";
    assert_int_equal(org_edit(&t->w, &part), RC_INVALID);
    part.region = NULL;
    part.parent = 99;
    assert_int_equal(org_edit(&t->w, &part), RC_NOT_FOUND);
    assert_int_equal(org_list(&t->w, &list, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(list[1].region, "120101");
    world_commit(t);
}

static void sites_are_checked(void **state)
{
    struct library_world *t = *state;
    struct site s = { .code = "1200000000", .name = "另一", .stream = t->stream.no };

    world_begin(t);
    assert_int_equal(site_create(&t->w, &s), RC_CONFLICT);
    s.code = "x";
    s.domain = "www.tj.gov.cn/x";
    assert_int_equal(site_create(&t->w, &s), RC_INVALID);
    s.domain = "www.tj.gov.cn";
    s.name = "a\x1b";
    assert_int_equal(site_create(&t->w, &s), RC_INVALID);
    s.name = "另一";
    s.stream = 9;
    assert_int_equal(site_create(&t->w, &s), RC_NOT_FOUND);
    s.stream = t->stream.no;
    assert_int_equal(site_create(&t->w, &s), RC_OK);
    t->w.who.rights = RIGHT_READ;
    assert_int_equal(site_edit(&t->w, &s), RC_FORBIDDEN);
    world_commit(t);
}

/* ---- lists ---- */

static void publish_on(struct library_world *t, int i, const char *day)
{
    struct content c = world_content(
        t, arena_printf(t->mem,
                        "{\"kind\":\"article\",\"sourceDate\":\"%s\",\"title\":\"第%d条\"}",
                        day, i));
    struct item it;

    world_begin(t);
    assert_int_equal(
        item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it), RC_OK);
    assert_int_equal(world_put_through(t, &it.id, 1, &it), RC_OK);
    world_commit(t);
}

/* Three items a day, so that pages end inside of days; while the reader pages, others publish
 * before and behind him. */
static void pages_stay_whole_while_items_come(void **state)
{
    struct library_world *t = *state;
    struct item_query q = { .by = LIST_COLUMN, .no = t->news, .limit = 4 };
    struct item_page page;
    bool seen[30] = { false };
    int64_t last_date = INT64_MAX, last_born = INT64_MAX;

    for (int i = 0; i < 30; i++)
        publish_on(t, i, arena_printf(t->mem, "2025-03-%02d", 1 + i / 3));
    do {
        assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
        assert_in_range(page.n, 1, 4);
        for (int i = 0; i < page.n; i++) {
            const struct item *it = &page.items[i];

            assert_true(it->date < last_date ||
                        (it->date == last_date && it->born < last_born));
            last_date = it->date;
            last_born = it->born;
            if (it->born < 30) {
                assert_false(seen[it->born]);
                seen[it->born] = true;
            }
        }
        q.cursor = arena_strdup(t->mem, page.next);
        publish_on(t, 100, "2025-03-31");
        publish_on(t, 101, "2025-02-01");
    } while (*page.next);
    for (int i = 0; i < 30; i++)
        assert_true(seen[i]);
}

static void ranges_and_lists_agree(void **state)
{
    struct library_world *t = *state;
    struct item_query q = { .by = LIST_STREAM, .no = t->stream.no, .limit = 100 };
    struct item_page page;

    for (int i = 0; i < 6; i++)
        publish_on(t, i, arena_printf(t->mem, "2025-03-%02d", 1 + i));
    assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
    assert_int_equal(page.n, 6);
    assert_int_equal(clock_parse("2025-03-02", 10, &q.since), 0);
    assert_int_equal(clock_parse("2025-03-04", 10, &q.until), 0);
    assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
    assert_int_equal(page.n, 2);
    assert_string_equal(page.items[0].title, "第2条");
    q.by = LIST_SITE;
    q.no = t->site;
    assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
    assert_int_equal(page.n, 2);
    q.limit = 0;
    assert_int_equal(item_list(&t->w, &q, &page), RC_INVALID);
    q.limit = ITEM_PAGE_MAX + 1;
    assert_int_equal(item_list(&t->w, &q, &page), RC_INVALID);
}

static enum rc make_stream(struct library_world *t, void *arg)
{
    return stream_make(&t->w, "heping", arg);
}

/* Each stream counts from born 0, so items of one day stand equal but for their stream. */
static void pages_of_all_streams_neither_repeat_nor_skip(void **state)
{
    struct library_world *t = *state;
    struct item_query q = { .by = LIST_ALL, .limit = 2 };
    struct item_page page;
    struct stream other;
    bool seen[2][5] = { 0 };
    int n = 0;

    assert_int_equal(world_do(t, make_stream, &other), RC_OK);
    for (int i = 0; i < 5; i++)
        publish_on(t, i, "2025-03-01");
    world_vandalise(t,
                    arena_printf(t->mem,
                                 "INSERT INTO item SELECT randomblob(16), %d, born, site, col, "
                                 "kind, state, rev, live_rev, seq, 'heping', origin_id, "
                                 "content_hash, title, summary, date, published, updated, "
                                 "expires, created FROM item",
                                 (int)other.no));
    do {
        assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
        for (int i = 0; i < page.n; i++, n++) {
            bool *place = &seen[page.items[i].stream == other.no][page.items[i].born];

            assert_false(*place);
            *place = true;
        }
        q.cursor = arena_strdup(t->mem, page.next);
    } while (*page.next);
    assert_int_equal(n, 10);
    q = (struct item_query){ .by = LIST_STREAM, .no = other.no, .limit = 100 };
    assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
    assert_int_equal(page.n, 5);
}

static void what_is_older_than_1970_is_listed_too(void **state)
{
    struct library_world *t = *state;
    struct item_query q = { .by = LIST_COLUMN, .no = t->news, .limit = 2 };
    struct item_page page;

    publish_on(t, 1, "1954-09-20");
    publish_on(t, 2, "1949-09-29");
    publish_on(t, 3, "1970-01-01");
    assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
    assert_string_equal(page.items[1].title, "第1条");
    q.cursor = page.next;
    assert_int_equal(item_list(&t->w, &q, &page), RC_OK);
    assert_int_equal(page.n, 1);
    assert_string_equal(page.items[0].title, "第2条");
    assert_string_equal(page.next, "");
}

static void strange_cursors_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "x",
        "AAAA",
        "cAAAAAAAAAAAAAAAAAAAAAA=",
        "cAAAAAAAAAAAAAAAAAAAAAAA",
        "../../../../etc/passwd",
        "' OR 1=1 --",
        "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
    };
    struct library_world *t = *state;
    struct item_query q = { .by = LIST_STREAM, .no = t->stream.no, .limit = 1 };
    struct item_page page;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        q.cursor = wrong[i];
        assert_int_equal(item_list(&t->w, &q, &page), RC_INVALID);
    }
}

static void work_in_hand_is_listed_by_state(void **state)
{
    struct library_world *t = *state;
    struct content c = world_content(t, "{\"kind\":\"faq\",\"title\":\"如何办理\"}");
    const char *cursor = NULL;
    struct item_page page;
    struct item it;
    int n = 0;

    world_begin(t);
    for (int i = 0; i < 7; i++)
        assert_int_equal(
            item_create(&t->w, &(struct item_new){ t->site, t->news, &c, NULL, NULL }, &it),
            RC_OK);
    assert_int_equal(item_step(&t->w, &it.id, 1, VERB_SUBMIT, NULL, &it), RC_OK);
    world_commit(t);
    do {
        assert_int_equal(item_list_state(&t->w, STATE_DRAFT, 2, cursor, &page), RC_OK);
        n += page.n;
        cursor = arena_strdup(t->mem, page.next);
    } while (*page.next);
    assert_int_equal(n, 6);
    assert_int_equal(item_list_state(&t->w, STATE_IN_REVIEW, 2, NULL, &page), RC_OK);
    assert_int_equal(page.n, 1);
}

static void revisions_and_events_are_told(void **state)
{
    struct library_world *t = *state;
    struct item it = world_publish(t, "一", t->news);
    struct content c = world_content(t,
                                     "{\"body\":\"草\",\"kind\":\"article\",\"title\":\"二\"}"),
                   back;
    struct revision *r, one;
    struct item_event *events;
    struct slice record;
    int n;

    world_begin(t);
    assert_int_equal(item_edit(&t->w, &it.id, 1, &c, "major", "改错字", &it), RC_OK);
    world_commit(t);
    assert_int_equal(item_revisions(&t->w, &it.id, false, &r, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(r[0].note, "改错字");
    assert_int_equal(item_revisions(&t->w, &it.id, true, &r, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(item_revision(&t->w, &it.id, 0, &it, &one, &back), RC_OK);
    assert_memory_equal(back.hash, c.hash, sizeof c.hash);
    assert_int_equal(item_revision(&t->w, &it.id, 1, &it, &one, &back), RC_OK);
    assert_string_equal(back.title, "一");
    assert_int_equal(item_record(&t->w, &it.id, 1, &record), RC_OK);
    assert_int_equal(item_record(&t->w, &it.id, 2, &record), RC_NOT_FOUND);
    assert_int_equal(item_events(&t->w, &it.id, &events, &n), RC_OK);
    assert_int_equal(n, 3);
    assert_string_equal(events[2].after, "published");
}

int main(void)
{
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, library_world_set_up, library_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_table_of_fields_is_sorted),
        TEST(a_path_makes_its_parents_with_fitting_types),
        TEST(a_new_name_changes_the_paths_below),
        TEST(the_directory_names_whatever_is_pointed_at),
        TEST(a_closed_site_gets_no_new_columns),
        TEST(region_codes_are_built_by_rule),
        TEST(every_district_and_street_of_tianjin_has_a_region_code),
        TEST(organisations_are_kept),
        TEST(sites_are_checked),
        TEST(pages_stay_whole_while_items_come),
        TEST(ranges_and_lists_agree),
        TEST(what_is_older_than_1970_is_listed_too),
        TEST(pages_of_all_streams_neither_repeat_nor_skip),
        TEST(strange_cursors_are_refused),
        TEST(work_in_hand_is_listed_by_state),
        TEST(revisions_and_events_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
