/*
 * audience_test.c - people who follow, move, refuse and go; and after each step, whom an expression reaches, against a plain list of people.
 *
 * Addresses, sets and audiences in one: what a campaign counts must be what the citizens' own entries say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/address.h"
#include "push/audience.h"
#include "push/sets.h"
#include "push/trait.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/adopt.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "tests/lib/library_world.h"

static int set_up(void **state)
{
    struct library_world *t;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    clock_set(WORLD_NOW);
    return 0;
}

static int tear_down(void **state)
{
    seal_forget();
    return library_world_tear_down(state);
}

static int64_t person(struct library_world *t)
{
    struct account a;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &(struct account_new){ ACCOUNT_CITIZEN, 1, NULL }, &a),
                     RC_OK);
    world_commit(t);
    return a.id;
}

static const char *token_of(struct library_world *t, int64_t account, int device)
{
    return arena_printf(t->mem, "token-%016" PRId64 "-%d", account, device);
}

static const char *device_of(struct library_world *t, int device)
{
    return arena_printf(t->mem, "device%016d", device);
}

static void tell(struct library_world *t, int64_t account, int device, enum transport by,
                 const char *token)
{
    world_begin(t);
    assert_int_equal(address_tell(&t->w, account, device_of(t, device), by, token), RC_OK);
    world_commit(t);
}

static void put(struct library_world *t, int64_t account, const char *type, const char *key,
                const char *value)
{
    world_begin(t);
    assert_int_equal(entry_put(&t->w, account, type, key, value, NULL, NULL), RC_OK);
    world_commit(t);
}

static void settle(struct library_world *t)
{
    int n = 1;

    while (n) {
        world_begin(t);
        assert_int_equal(address_settle(&t->w, 7, &n), RC_OK);
        world_commit(t);
    }
}

static enum rc parse(struct library_world *t, const char *text, struct audience **out)
{
    json_t *value;
    enum rc rc = jx_object(&t->w.err, t->mem, text, strlen(text), &value);

    return rc ? rc : audience_parse(&t->w, value, out);
}

static bool several_blocks; /* of devices without addresses, and so without transports */

static int64_t count_for(struct library_world *t, const char *text, const char *class,
                         const char *column)
{
    struct audience *a;
    struct audience_counts n;
    int64_t sum = 0;

    if (parse(t, text, &a))
        fail_msg("%s: %s", text, t->w.err.text);
    if (class)
        audience_refusals(&t->w, a, class, column);
    assert_int_equal(audience_open(&t->w, a), RC_OK);
    assert_int_equal(audience_count(&t->w, a, &n), RC_OK);
    for (int i = 0; i < TRANSPORT_COUNT; i++)
        sum += n.by[i];
    if (!several_blocks)
        assert_int_equal(sum, n.all);
    return n.all;
}

static int64_t count(struct library_world *t, const char *text)
{
    settle(t);
    return count_for(t, text, NULL, NULL);
}

static void a_follower_is_reached_until_he_goes(void **state)
{
    struct library_world *t = *state;
    int64_t li = person(t), han = person(t);

    tell(t, li, 1, TRANSPORT_HUAWEI, token_of(t, li, 1));
    tell(t, li, 2, TRANSPORT_APNS,
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    tell(t, han, 3, TRANSPORT_XIAOMI, token_of(t, han, 3));
    assert_int_equal(count(t, "{\"all\":true}"), 3);
    assert_int_equal(count(t, "{\"column\":\"main/12\"}"), 0);
    put(t, li, "follow", "column/main/12", "{\"rank\":\"m\"}");
    assert_int_equal(count(t, "{\"column\":\"main/12\"}"), 2);
    assert_int_equal(count(t, "{\"and\":[{\"column\":\"main/12\"},{\"transport\":\"apns\"}]}"),
                     1);
    assert_int_equal(count(t, "{\"not\":{\"column\":\"main/12\"}}"), 1);
    put(t, li, "follow", "column/main/12", NULL);
    assert_int_equal(count(t, "{\"column\":\"main/12\"}"), 0);
    world_begin(t);
    assert_int_equal(address_forget(&t->w, li, device_of(t, 1)), RC_OK);
    world_commit(t);
    assert_int_equal(count(t, "{\"all\":true}"), 2);
    assert_int_equal(count(t, "{\"transport\":\"huawei\"}"), 0);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_dirty"), 0);
}

static void an_area_is_part_of_those_around_it(void **state)
{
    struct library_world *t = *state;
    int64_t li = person(t), han = person(t);

    tell(t, li, 1, TRANSPORT_VIVO, token_of(t, li, 1));
    tell(t, han, 2, TRANSPORT_VIVO, token_of(t, han, 2));
    put(t, li, "set", "area", "\"120101001005\"");
    put(t, han, "follow", "area/120102", "{\"rank\":\"m\"}");
    assert_int_equal(count(t, "{\"area\":\"120101001005\"}"), 1);
    assert_int_equal(count(t, "{\"area\":\"120101001\"}"), 1);
    assert_int_equal(count(t, "{\"area\":\"120101\"}"), 1);
    assert_int_equal(count(t, "{\"area\":\"120102\"}"), 1);
    assert_int_equal(count(t, "{\"area\":\"120000\"}"), 2);
    put(t, li, "set", "area", "\"120102\"");
    assert_int_equal(count(t, "{\"area\":\"120101\"}"), 0);
    assert_int_equal(count(t, "{\"area\":\"120102\"}"), 2);
}

static void who_refuses_is_not_reached(void **state)
{
    struct library_world *t = *state;
    int64_t li = person(t);

    tell(t, li, 1, TRANSPORT_OPPO, token_of(t, li, 1));
    put(t, li, "consent", "push/class/marketing", "false");
    put(t, li, "consent", "push/column/main/12", "true");
    settle(t);
    assert_int_equal(count_for(t, "{\"all\":true}", "marketing", "main/12"), 0);
    assert_int_equal(count_for(t, "{\"all\":true}", "service", "main/12"), 1);
    put(t, li, "consent", "push/class/marketing", "true");
    put(t, li, "consent", "push/column/main/12", "false");
    settle(t);
    assert_int_equal(count_for(t, "{\"all\":true}", "marketing", "main/12"), 0);
    assert_int_equal(count_for(t, "{\"all\":true}", "marketing", "main/13"), 1);
    assert_int_equal(count_for(t, "{\"all\":true}", "marketing", NULL), 1);
}

static void a_phone_is_one_persons_at_a_time(void **state)
{
    struct library_world *t = *state;
    int64_t li = person(t), han = person(t);
    const char *list;

    tell(t, li, 1, TRANSPORT_HONOR, "the-same-token-0001");
    put(t, li, "follow", "tag/养老", "{\"rank\":\"m\"}");
    assert_int_equal(count(t, "{\"tag\":\"养老\"}"), 1);
    tell(t, han, 1, TRANSPORT_HONOR, "the-same-token-0001");
    assert_int_equal(count(t, "{\"all\":true}"), 1);
    assert_int_equal(count(t, "{\"tag\":\"养老\"}"), 0);
    list = arena_printf(t->mem, "{\"accounts\":[%" PRId64 ",%" PRId64 "]}", li, han);
    assert_int_equal(count(t, list), 1);
    world_begin(t);
    assert_int_equal(adopt(&t->w, han, li), RC_OK);
    world_commit(t);
    assert_int_equal(count(t, "{\"tag\":\"养老\"}"), 1);
    assert_int_equal(count(t, "{\"all\":true}"), 1);
}

static void a_token_stands_sealed_and_is_checked(void **state)
{
    struct library_world *t = *state;
    int64_t li = person(t);

    world_begin(t);
    assert_int_equal(address_tell(&t->w, li, device_of(t, 1), TRANSPORT_APNS, "short"),
                     RC_INVALID);
    assert_int_equal(
        address_tell(&t->w, li, device_of(t, 1), TRANSPORT_HUAWEI, "has a space in the middle"),
        RC_INVALID);
    assert_int_equal(
        address_tell(&t->w, li, device_of(t, 1), TRANSPORT_NONE, "0123456789abcdef"),
        RC_INVALID);
    world_commit(t);
    tell(t, li, 1, TRANSPORT_HUAWEI, "0123456789abcdef");
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address WHERE instr(token, "
                                     "CAST('0123456789abcdef' AS BLOB)) OR length(token) < 17"),
                     0);
}

static void what_is_no_audience_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"all\":false}",
        "{\"all\":1}",
        "{\"all\":true,\"tag\":\"x\"}",
        "{\"column\":12}",
        "{\"column\":\"12\"}",
        "{\"area\":\"12010\"}",
        "{\"area\":\"120101' OR 1\"}",
        "{\"transport\":\"pigeon\"}",
        "{\"and\":[{\"all\":true}]}",
        "{\"or\":{}}",
        "{\"not\":[]}",
        "{\"phone\":\"13800000000\"}",
        "{\"accounts\":[]}",
        "{\"accounts\":[0]}",
        "{\"accounts\":[\"7\"]}",
        "{\"and\":[{\"all\":true},{\"accounts\":[7]}]}",
        ("{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"not\":{\"all\":"
         "true}"
         "}}}}}}}}"),
    };
    struct library_world *t = *state;
    struct buf many = BUF_IN(t->mem);
    struct audience *a;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(t, bad[i], &a) != RC_INVALID)
            fail_msg("%s was taken", bad[i]);
    for (int n = 64; n <= 65; n++) {
        many.n = 0;
        buf_adds(&many, "{\"or\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&many, "%s{\"tag\":\"t%d\"}", i ? "," : "", i);
        buf_adds(&many, "]}");
        assert_int_equal(parse(t, many.p, &a), n == 64 ? RC_OK : RC_INVALID);
    }
}

/* ---- against a plain list ---- */

enum { PEOPLE = 40, TAGS = 4, STEPS = 600, CHECKS = 15 };

struct someone {
    int64_t account;
    bool here, tags[TAGS];
};

static bool meets(const struct someone *s, const json_t *e)
{
    const char *name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)e));
    const json_t *in = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)e)), *part;
    bool all = true, any = false;
    size_t i;

    if (!strcmp(name, "all"))
        return true;
    if (!strcmp(name, "tag"))
        return s->tags[json_string_value(in)[1] - '0'];
    if (!strcmp(name, "not"))
        return !meets(s, in);
    json_array_foreach(in, i, part)
    {
        all &= meets(s, part);
        any |= meets(s, part);
    }
    return *name == 'a' ? all : any;
}

static void draw_expression(struct buf *b, int deep)
{
    int kind = deep > 3 ? rand() % 2 : rand() % 5;
    int parts = 2 + rand() % 2;

    if (kind == 0)
        buf_adds(b, "{\"all\":true}");
    else if (kind == 1)
        buf_printf(b, "{\"tag\":\"t%d\"}", rand() % TAGS);
    else if (kind == 2) {
        buf_adds(b, "{\"not\":");
        draw_expression(b, deep + 1);
        buf_adds(b, "}");
    } else {
        buf_adds(b, kind == 3 ? "{\"and\":[" : "{\"or\":[");
        for (int i = 0; i < parts; i++) {
            buf_adds(b, i ? "," : "");
            draw_expression(b, deep + 1);
        }
        buf_adds(b, "]}");
    }
}

static void step(struct library_world *t, struct someone *s, int no)
{
    int tag = rand() % TAGS;

    if (rand() % 3 == 0) {
        s->here = !s->here;
        if (s->here)
            tell(t, s->account, no, TRANSPORT_HUAWEI, token_of(t, s->account, no));
        world_begin(t);
        if (!s->here)
            assert_int_equal(address_forget(&t->w, s->account, device_of(t, no)), RC_OK);
        world_commit(t);
        return;
    }
    s->tags[tag] = !s->tags[tag];
    put(t, s->account, "follow", arena_printf(t->mem, "tag/t%d", tag),
        s->tags[tag] ? "{\"rank\":\"m\"}" : NULL);
}

static void what_is_counted_is_what_people_said(void **state)
{
    struct library_world *t = *state;
    struct someone people[PEOPLE] = { 0 };
    struct buf text = BUF_IN(t->mem);

    srand(11);
    for (int i = 0; i < PEOPLE; i++)
        people[i].account = person(t);
    for (int i = 1; i <= STEPS; i++) {
        int at = rand() % PEOPLE;
        int64_t expected = 0;
        json_t *value;

        step(t, &people[at], at);
        if (i % CHECKS)
            continue;
        text.n = 0;
        draw_expression(&text, 1);
        assert_int_equal(jx_object(&t->w.err, t->mem, text.p, text.n, &value), RC_OK);
        for (int k = 0; k < PEOPLE; k++)
            expected += people[k].here && meets(&people[k], value);
        if (count(t, text.p) != expected)
            fail_msg("step %d: %s", i, text.p);
    }
}

/* Devices of several blocks, without their addresses: 200,000 of them, every third with the trait. */
static void blocks_add_up(void **state)
{
    enum { N = 200000 };
    struct library_world *t = *state;
    struct sets_change *list = malloc(sizeof *list * N * 2);
    int64_t all, tag, li = person(t);
    int n = 0;

    tell(t, li, 1, TRANSPORT_HUAWEI, token_of(t, li, 1));
    put(t, li, "follow", "tag/t", "{\"rank\":\"m\"}");
    settle(t);
    assert_int_equal(trait_find(&t->w, "all", &all), RC_OK);
    assert_int_equal(trait_find(&t->w, "tag/t", &tag), RC_OK);
    for (int i = 2; i <= N; i++) {
        list[n++] = (struct sets_change){ all, i, true };
        if (i % 3 == 0)
            list[n++] = (struct sets_change){ tag, i, true };
    }
    world_begin(t);
    assert_int_equal(sets_apply(&t->w, list, n), RC_OK);
    world_commit(t);
    free(list);
    world_vandalise(t, "UPDATE push_address SET no = 200000");
    settle(t);
    several_blocks = true;
    assert_int_equal(count_for(t, "{\"all\":true}", NULL, NULL), N);
    assert_int_equal(count_for(t, "{\"tag\":\"t\"}", NULL, NULL), N / 3 + 1);
    assert_int_equal(count_for(t, "{\"not\":{\"tag\":\"t\"}}", NULL, NULL), N - N / 3 - 1);
    world_vandalise(
        t, "UPDATE push_set SET bits = x'0100'  WHERE rowid = (SELECT max(at) FROM push_set)");
    world_vandalise(t, "UPDATE push_set SET bits = x'01' WHERE at % 65536 = 2");
    {
        struct audience *a;
        struct audience_counts sum;

        assert_int_equal(parse(t, "{\"all\":true}", &a), RC_OK);
        assert_int_equal(audience_open(&t->w, a), RC_OK);
        assert_int_equal(audience_count(&t->w, a, &sum), RC_CORRUPT);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* What phones are told by (sync/addressed.h) and what is counted here cannot differ. */
static void check_example(struct library_world *t, const json_t *one)
{
    const char *text = json_string_value(json_object_get(one, "for"));
    const json_t *holds = json_object_get(one, "holds"), *word;
    struct audience *a;
    int64_t who, before;
    size_t i;

    if (!holds) {
        assert_int_equal(parse(t, text, &a),
                         json_object_get(one, "server") ? RC_OK : RC_INVALID);
        return;
    }
    before = count(t, text);
    who = person(t);
    tell(t, who, 1, TRANSPORT_HUAWEI, token_of(t, who, 1));
    json_array_foreach(json_object_get(one, "words"), i, word)
        put(t, who, "follow", json_string_value(word), "{\"rank\":\"a\"}");
    settle(t);
    if (count(t, text) - before != json_is_true(holds))
        fail_msg("%s", text);
}

static void it_is_told_as_phones_tell_it(void **state)
{
    struct library_world *t = *state;
    json_t *all = json_load_file(TJZW_ADDRESSED, 0, NULL), *one;
    size_t i;

    assert_true(json_array_size(all) > 30);
    json_array_foreach(all, i, one) check_example(t, one);
    json_decref(all);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(a_follower_is_reached_until_he_goes),  CASE(an_area_is_part_of_those_around_it),
        CASE(who_refuses_is_not_reached),           CASE(a_phone_is_one_persons_at_a_time),
        CASE(a_token_stands_sealed_and_is_checked), CASE(what_is_no_audience_is_refused),
        CASE(what_is_counted_is_what_people_said),  CASE(blocks_add_up),
        CASE(it_is_told_as_phones_tell_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
