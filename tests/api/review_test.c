/* A site's review as people go through it: each signed in, with the rights of his role. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/derived/derived.h"
#include "server/projections.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "server/websub/websub_table.h"
#include "tests/lib/people.h"

#define CHAIN "/v1/sites/1200000000/chain"
#define DRAFT                                                                       \
    "{\"site\":\"1200000000\",\"column\":\"要闻\",\"title\":\"标题\",\"body\":" \
    "\"第一句。第二句。\"}"

static const char *json(struct world *t, const struct person *p)
{
    return URL("%scontent-type: application/json\n", p->header);
}

static struct answer say(struct world *t, const struct person *p, const char *id,
                         const char *verb, const char *body)
{
    return ask(t, POST, URL("/v1/items/%s/%s", id, verb),
               &(struct ask){ .headers = json(t, p), .body = body });
}

static struct answer save(struct world *t, const struct person *p, const char *id, int rev,
                          const char *body)
{
    return ask(
        t, PUT, URL("/v1/items/%s", id),
        &(struct ask){ .headers = URL("%sif-match: \"%d\"\n", json(t, p), rev), .body = body });
}

static const char *write_draft(struct world *t, const struct person *p)
{
    struct answer a =
        ask(t, POST, "/v1/items", &(struct ask){ .headers = json(t, p), .body = DRAFT });

    assert_int_equal(a.status, 201);
    return text_of(t, &a, "id");
}

static void three_people_review_what_a_fourth_wrote(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff(t, "editor", EVERYWHERE),
                  one = person_staff(t, "reviewer_1", EVERYWHERE),
                  two = person_staff(t, "reviewer_2", EVERYWHERE),
                  three = person_staff(t, "reviewer_3", EVERYWHERE),
                  publisher = person_staff(t, "publisher", EVERYWHERE),
                  admin = person_staff(t, "site_admin", EVERYWHERE),
                  security = person_staff(t, "security", EVERYWHERE);
    static const char *const steps[] = { "{\"who\":[\"reviewer_1\"]}",
                                         "{\"who\":[\"reviewer_2\"]}" };
    struct answer a;
    const char *id;

    assert_int_equal(person_ask(t, &admin, PUT, CHAIN, "{\"steps\":3}").status, 403);
    a = person_ask(t, &security, PUT, CHAIN, "{\"steps\":3,\"secrecy\":\"last\"}");
    assert_int_equal(a.status, 200);
    HAS(a, "\"own\":true");
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            person_ask(t, &security, PUT, URL(CHAIN "/%d", i + 1), steps[i]).status, 200);
    a = person_ask(t, &admin, GET, CHAIN, NULL);
    HAS(a, "\"reviewers\":[{\"step\":1,\"who\":[\"reviewer_1\"]},{\"step\":2,\"who\":"
           "[\"reviewer_2\"]}]");
    id = write_draft(t, &editor);
    assert_int_equal(say(t, &editor, id, "submit", NULL).status, 200);
    assert_int_equal(say(t, &two, id, "approve", NULL).status, 403);
    a = say(t, &one, id, "approve", "{\"reason\":\"事实无误\"}");
    assert_int_equal(a.status, 200);
    HAS(a, "\"state\":\"in_review\"");
    HAS(person_ask(t, &two, GET, URL("/v1/drafts/%s", id), NULL), "\"nextStep\":2");
    assert_int_equal(say(t, &two, id, "comment", "{\"said\":\"请核对日期\"}").status, 200);
    assert_int_equal(say(t, &two, id, "approve", NULL).status, 200);
    assert_int_equal(say(t, &three, id, "approve", NULL).status, 409);
    assert_int_equal(say(t, &three, id, "secrecy", "{}").status, 400);
    assert_int_equal(say(t, &three, id, "secrecy", "{\"basis\":\"第3条\"}").status, 200);
    a = say(t, &three, id, "approve", NULL);
    HAS(a, "\"state\":\"approved\"");
    /* The operator's socket and a command of his are no way around it. */
    id = write_draft(t, &editor);
    assert_int_equal(say(t, &editor, id, "submit", NULL).status, 200);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/approve", id), NULL).status, 403);
    assert_int_equal(tell(t, POST, URL("/v1/items/%s/publish", id), NULL).status, 409);
    assert_int_equal(say(t, &publisher, id, "publish", NULL).status, 409);
    assert_int_equal(say(t, &publisher, id, "publish", "{\"emergency\":true}").status, 400);
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 404);
    a = say(t, &publisher, id, "publish", "{\"emergency\":true,\"reason\":\"汛情\"}");
    assert_int_equal(a.status, 200);
    HAS(tell(t, GET, "/v1/audit?action=item.emergency", NULL), id);
    HAS(person_ask(t, &one, GET, URL("/v1/drafts/%s", id), NULL), "\"verb\":\"emergency\"");
}

static void a_program_takes_no_step_and_breaks_no_glass(void **state)
{
    struct world *t = *state;
    const char *cms = service_program(t, "cms", "import,edit,review,publish");
    const char *head = URL("%scontent-type: application/json\n", cms);
    struct answer a;
    const char *id;

    assert_int_equal(tell(t, PUT, CHAIN, "{\"steps\":1}").status, 200);
    a = ask(t, POST, "/v1/items", &(struct ask){ .headers = head, .body = DRAFT });
    assert_int_equal(a.status, 201);
    id = text_of(t, &a, "id");
    ask(t, POST, URL("/v1/items/%s/submit", id), &(struct ask){ .headers = head });
    a = ask(t, POST, URL("/v1/items/%s/approve", id), &(struct ask){ .headers = head });
    assert_int_equal(a.status, 403);
    a = ask(t, POST, URL("/v1/items/%s/publish", id),
            &(struct ask){ .headers = head, .body = "{\"emergency\":true,\"reason\":\"急\"}" });
    assert_int_equal(a.status, 403);
    a = ask(t, POST, "/v1/import?publish=1",
            &(struct ask){ .headers = URL("%scontent-type: application/x-ndjson\n", cms),
                           .body = "{\"id\":\"x\",\"source\":\"1200000000\",\"column\":"
                                   "\"要闻\",\"title\":\"外来\",\"body\":\"字\"}\n" });
    assert_int_equal(a.status, 200);
    HAS(a, "\"unreviewed\":1");
    HAS_NOT(get(t, "/v1/items"), "外来");
}

static void a_stale_save_is_told_what_the_other_changed(void **state)
{
    struct world *t = *state;
    struct person li = person_staff(t, "editor", EVERYWHERE),
                  wang = person_staff(t, "editor", EVERYWHERE);
    const char *id = write_draft(t, &li);
    struct answer a;

    assert_int_equal(
        save(t, &wang, id, 1, "{\"title\":\"标题\",\"body\":\"第一句。改了。\"}").status, 200);
    a = save(t, &li, id, 1, "{\"title\":\"我的\",\"body\":\"第一句。第二句。\"}");
    assert_int_equal(a.status, 409);
    HAS(a, URL("\"changed\":{\"actor\":\"account:%d\"", (int)wang.account));
    HAS(a, "{\"op\":\"removed\",\"text\":\"第二句。\"},{\"op\":\"added\",\"text\":\"改了。\"}");
    HAS(a, "\"revision\":2");
    assert_int_equal(
        save(t, &li, id, 2, "{\"title\":\"我的\",\"body\":\"第一句。改了。\"}").status, 200);
    assert_int_equal(save(t, &li, id, 9, "{\"title\":\"我的\"}").status, 412);
}

/* Who edits at another site sees nothing of this one's drafts. */
static void a_stale_save_tells_strangers_nothing(void **state)
{
    struct world *t = *state;
    struct person li = person_staff(t, "editor", 1), stranger;
    const char *id = write_draft(t, &li);
    struct answer a;

    tell(t, POST, "/v1/sites", "{\"code\":\"1200000009\",\"name\":\"另一个\"}");
    stranger = person_staff(t, "editor", 2);
    save(t, &li, id, 1, "{\"title\":\"内部\",\"body\":\"不公开的字\"}");
    a = save(t, &stranger, id, 1, "{\"title\":\"x\"}");
    assert_int_equal(a.status, 412);
    HAS_NOT(a, "不公开");
    a = person_ask(t, &stranger, GET, URL("/v1/drafts/%s/diff", id), NULL);
    assert_int_equal(a.status, 403);
    HAS_NOT(a, "不公开");
    assert_int_equal(
        person_ask(t, &stranger, GET, URL("/v1/drafts/%s/revisions/2", id), NULL).status, 403);
    assert_int_equal(
        person_ask(t, &stranger, POST, URL("/v1/items/%s/comment", id), "{\"said\":\"x\"}")
            .status,
        403);
}

static void revisions_are_compared_and_restored(void **state)
{
    struct world *t = *state;
    struct person li = person_staff(t, "editor", EVERYWHERE);
    const char *id = write_draft(t, &li);
    struct answer a;

    save(t, &li, id, 1, "{\"title\":\"新题\",\"body\":\"第一句。第二句。第三句。\"}");
    a = person_ask(t, &li, GET, URL("/v1/drafts/%s/diff", id), NULL);
    assert_int_equal(a.status, 200);
    HAS(a, "\"after\":\"新题\",\"before\":\"标题\"");
    HAS(a, "{\"op\":\"added\",\"text\":\"第三句。\"}");
    a = person_ask(t, &li, GET, URL("/v1/drafts/%s/diff?from=2&to=1", id), NULL);
    HAS(a, "{\"op\":\"removed\",\"text\":\"第三句。\"}");
    assert_int_equal(person_ask(t, &li, GET, URL("/v1/drafts/%s/diff?from=7", id), NULL).status,
                     404);
    assert_int_equal(say(t, &li, id, "restore", "{\"revision\":1}").status, 200);
    a = person_ask(t, &li, GET, URL("/v1/drafts/%s/revisions", id), NULL);
    HAS(a, "\"revision\":3");
    HAS(person_ask(t, &li, GET, URL("/v1/drafts/%s/revisions/3", id), NULL),
        "\"title\":\"标题\"");
    HAS(person_ask(t, &li, GET, URL("/v1/drafts/%s/revisions/2", id), NULL),
        "\"title\":\"新题\"");
}

static void two_people_take_it_down(void **state)
{
    struct world *t = *state;
    struct person li = person_staff(t, "publisher", EVERYWHERE),
                  wang = person_staff(t, "publisher", EVERYWHERE);
    const char *id = service_publish(t, "要撤", "正文", NULL);
    struct answer a;

    assert_int_equal(tell(t, PUT, CHAIN, "{\"eyes\":2}").status, 200);
    a = say(t, &li, id, "withdraw", "{\"reason\":\"有误\"}");
    assert_int_equal(a.status, 202);
    HAS(a, URL("\"asked\":{\"actor\":\"account:%d\"", (int)li.account));
    assert_int_equal(say(t, &li, id, "withdraw", "{\"reason\":\"有误\"}").status, 202);
    assert_int_equal(get(t, URL("/v1/items/%s", id)).status, 200);
    HAS(person_ask(t, &wang, GET, URL("/v1/drafts/%s", id), NULL), "\"asked\":{");
    assert_int_equal(say(t, &wang, id, "withdraw", NULL).status, 200);
    a = get(t, URL("/v1/items/%s", id));
    assert_int_equal(a.status, 410);
}

static void what_is_scheduled_is_shown_and_taken_back(void **state)
{
    struct world *t = *state;
    struct person editor = person_staff(t, "editor", EVERYWHERE),
                  one = person_staff(t, "reviewer_1", EVERYWHERE),
                  publisher = person_staff(t, "publisher", EVERYWHERE);
    const char *id = write_draft(t, &editor), *body;
    char at[CLOCK_TEXT];

    body = URL("{\"at\":\"%s\"}", clock_text(clock_now() + 3600, at));
    assert_int_equal(say(t, &publisher, id, "schedule", body).status, 409);
    say(t, &editor, id, "submit", NULL);
    say(t, &one, id, "approve", NULL);
    assert_int_equal(say(t, &editor, id, "schedule", body).status, 403);
    assert_int_equal(say(t, &publisher, id, "schedule", "{\"at\":\"soon-12345\"}").status, 400);
    assert_int_equal(say(t, &publisher, id, "schedule", body).status, 200);
    HAS(person_ask(t, &one, GET, URL("/v1/drafts/%s", id), NULL), "\"schedule\":{");
    assert_int_equal(
        person_ask(t, &publisher, DELETE, URL("/v1/items/%s/schedule", id), NULL).status, 200);
    assert_int_equal(
        person_ask(t, &publisher, DELETE, URL("/v1/items/%s/schedule", id), NULL).status, 404);
}

/* ---- how far a takedown has come ---- */

static int derive(void **state)
{
    int failed = service_world_set_up(state);
    struct world *t = *state;
    struct err e = { 0 };

    if (derived_open(&e, world_dir(t), projections))
        fail_msg("%s", e.text);
    return failed;
}

static int derive_no_more(void **state)
{
    derived_close();
    return service_world_tear_down(state);
}

static struct work reading(struct world *t)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&w.err, URL("%s/tjzw.db", world_dir(t)), DB_READ, &w.db), RC_OK);
    return w;
}

/* What the threads of derived.db do in a server. */
static void catch_up(struct world *t)
{
    struct work w = reading(t);

    if (derived_catch_up(&w))
        fail_msg("%s", w.err.text);
    db_close(w.db);
}

/* One verified subscriber of everything, who has acknowledged the feed's row n. */
static enum rc subscribe(struct work *w, void *arg)
{
    const struct websub_ask ask = { .mode = WEBSUB_SUBSCRIBE,
                                    .topic = "/feeds/all.atom",
                                    .callback = "https://reader.example.cn/h",
                                    .host = "reader.example.cn",
                                    .lease = 86400 };
    struct websub_place place = { .n = *(const int64_t *)arg };
    struct websub_ask *asks;
    struct websub_row row;
    enum rc rc;
    int n;

    if ((rc = websub_ask_add(w, &ask)) || (rc = websub_ask_list(w, 0, 1, &asks, &n)))
        return rc;
    return websub_put(w, asks[0].no, &place, &row);
}

static enum rc acknowledge(struct work *w, void *arg)
{
    struct websub_place place = { .n = *(const int64_t *)arg };
    struct websub_row *rows;
    enum rc rc;
    int n;

    if ((rc = websub_list(w, 0, 1, false, &rows, &n)))
        return rc;
    return websub_set(w, rows[0].no, &place, 0, 0);
}

static enum rc on_writer(struct world *t, enum rc (*fn)(struct work *w, void *arg), int64_t n)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    return writer_call(&w, fn, &n);
}

static const char *channel(struct world *t, const char *id, const char *name)
{
    struct answer a = tell(t, GET, URL("/v1/drafts/%s/withdrawal", id), NULL);
    const json_t *list = json_object_get(json_of(t, &a), "channels"), *one;
    size_t i;

    assert_int_equal(a.status, 200);
    json_array_foreach(list, i, one) if (!strcmp(jx_text(one, "channel"), name)) return jx_text(
        one, "state");
    fail_msg("there is no channel %s", name);
    return NULL;
}

static void a_takedown_is_told_channel_by_channel(void **state)
{
    struct world *t = *state;
    const char *id = service_publish(t, "要撤", "正文", NULL);

    assert_int_equal(tell(t, GET, URL("/v1/drafts/%s/withdrawal", id), NULL).status, 404);
    catch_up(t);
    assert_int_equal(on_writer(t, subscribe, 1), RC_OK);
    assert_int_equal(
        tell(t, POST, URL("/v1/items/%s/withdraw", id), "{\"reason\":\"有误\"}").status, 200);
    assert_string_equal(channel(t, id, "library"), "done");
    assert_string_equal(channel(t, id, "pages"), "done");
    assert_string_equal(channel(t, id, "feeds"), "waiting");
    assert_string_equal(channel(t, id, "search"), "waiting");
    assert_string_equal(channel(t, id, "websub"), "waiting");
    catch_up(t);
    assert_string_equal(channel(t, id, "feeds"), "done");
    assert_string_equal(channel(t, id, "search"), "done");
    assert_string_equal(channel(t, id, "websub"), "waiting");
    assert_int_equal(on_writer(t, acknowledge, 2), RC_OK);
    assert_string_equal(channel(t, id, "websub"), "done");
    assert_string_equal(channel(t, id, "push"), "none");
    assert_string_equal(channel(t, id, "wechat"), "none");
    assert_string_equal(channel(t, id, "mirrors"), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_people_review_what_a_fourth_wrote),
        TEST(a_program_takes_no_step_and_breaks_no_glass),
        TEST(a_stale_save_is_told_what_the_other_changed),
        TEST(a_stale_save_tells_strangers_nothing),
        TEST(revisions_are_compared_and_restored),
        TEST(two_people_take_it_down),
        TEST(what_is_scheduled_is_shown_and_taken_back),
        cmocka_unit_test_setup_teardown(a_takedown_is_told_channel_by_channel, derive,
                                        derive_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
