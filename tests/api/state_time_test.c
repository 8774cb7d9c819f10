/* What time does to a citizen's own state, and guests: docs/protocol/state.md sections 6 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/compact.h"
#include "server/citizen/entry.h"
#include "server/citizen/epoch.h"
#include "server/citizen/guest.h"
#include "server/citizen/known.h"
#include "server/identity/account.h"
#include "server/store/db.h"
#include "server/store/writer.h"
#include "tests/lib/phone_state.h"

enum { DAY = 86400 };

#define FAV(item)  "\"type\":\"fav\",\"key\":\"" item "\",\"value\":{\"at\":1}"
#define DROP(item) "\"type\":\"fav\",\"key\":\"" item "\""
#define FONT(n)    "\"type\":\"set\",\"key\":\"font\",\"value\":" #n

static int set_up(void **state)
{
    struct err e;

    service_world_set_up(state);
    return seal_load(&e, world_dir(*state), SEAL_XCHACHA);
}

static int tear_down(void **state)
{
    seal_forget();
    return service_world_tear_down(state);
}

static void on_writer(struct world *t, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct work w;

    work_init(&w, world_mem(t), NULL, "test", RIGHT_ALL);
    if (writer_call(&w, run, arg))
        fail_msg("%s", w.err.text);
}

static enum rc renew_session(struct work *w, void *arg)
{
    struct person *p = arg;
    struct session_new n = { .account = p->account, .level = 1, .device = "test" };
    struct session_tokens tokens;
    enum rc rc = session_open(w, &n, &p->session, &tokens);

    p->header = arena_printf(w->mem, "authorization: Bearer %s\n", tokens.access);
    return rc;
}

/* So many days later, signed in again. */
static void wait_days(struct world *t, struct person *p, int64_t days)
{
    clock_set(clock_now() + days * DAY);
    on_writer(t, renew_session, p);
}

static enum rc tick(struct work *w, void *unused)
{
    struct rows q;
    enum rc rc;

    (void)unused;
    if ((rc = db_query(w, SQL_entry_bury_old, &q, "ii", clock_now() - COMPACT_AFTER,
                       (int64_t)1000)))
        return rc;
    while (rows_next(&q))
        if ((rc = db_run(w, SQL_citizen_raise_floor, "ii", rows_int(&q, 0), rows_int(&q, 1))))
            break;
    return rc ? rc : rows_done(&q);
}

static struct person citizen(struct world *t)
{
    return person_sign_in(t, SESSION_CITIZEN, 1);
}

static json_t *pull(struct world *t, const struct person *p, const char *device,
                    const char *cursor)
{
    return exchange(t, p, URL("{\"cursor\":\"%s\",\"device\":\"%s\"}", cursor, device));
}

/* ---- compaction ---- */

static void tombstones_go_when_all_phones_have_read_them(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = bring(t, &p, DEVICE_A, 1, FAV(ITEM_1)),
           *b = exchange(t, &p, "{\"device\":\"" DEVICE_B "\"}");
    const char *before = cursor_of(b);

    a = exchange(t, &p,
                 URL("{\"cursor\":\"%s\",\"device\":\"" DEVICE_A
                     "\",\"mutations\":[{\"n\":2," DROP(ITEM_1) "},{\"n\":3," FONT(20) "}]}",
                     cursor_of(a)));
    wait_days(t, &p, 1);
    pull(t, &p, DEVICE_A, cursor_of(a)); /* written down, but B has not read it */
    b = pull(t, &p, DEVICE_B, before);
    assert_int_equal(number_of(b, "reset"), false);
    assert_string_equal(value_of(t, b, "fav", ITEM_1), "null");
    wait_days(t, &p, 1);
    pull(t, &p, DEVICE_A, cursor_of(a));
    pull(t, &p, DEVICE_B, cursor_of(b));
    wait_days(t, &p, 1);
    pull(t, &p, DEVICE_A, cursor_of(a));
    b = pull(t, &p, DEVICE_B, before); /* a cursor from before: a small state, no error */
    assert_int_equal(number_of(b, "reset"), true);
    assert_int_equal(entries_of(b), 1);
    assert_string_equal(value_of(t, b, "set", "font"), "20");
    b = pull(t, &p, DEVICE_B, cursor_of(a));
    assert_int_equal(number_of(b, "reset"), false);
}

static void who_is_silent_for_ninety_days_is_not_waited_for(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = bring(t, &p, DEVICE_A, 1, FAV(ITEM_1)),
           *b = exchange(t, &p, "{\"device\":\"" DEVICE_B "\"}");

    a = exchange(t, &p,
                 URL("{\"cursor\":\"%s\",\"device\":\"" DEVICE_A
                     "\",\"mutations\":[{\"n\":2," DROP(ITEM_1) "}]}",
                     cursor_of(a)));
    wait_days(t, &p, 91);
    pull(t, &p, DEVICE_A, cursor_of(a));
    wait_days(t, &p, 1);
    pull(t, &p, DEVICE_A, cursor_of(a));
    b = pull(t, &p, DEVICE_B, cursor_of(b));
    assert_int_equal(number_of(b, "reset"), true);
    assert_int_equal(entries_of(b), 0);
}

static void after_a_year_they_go_in_any_case(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *b = bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));

    bring(t, &p, DEVICE_A, 2, DROP(ITEM_1));
    wait_days(t, &p, 367);
    on_writer(t, tick, NULL);
    b = pull(t, &p, DEVICE_B, cursor_of(b));
    assert_int_equal(number_of(b, "reset"), true);
    assert_int_equal(entries_of(b), 0);
    b = pull(t, &p, DEVICE_B, cursor_of(b));
    assert_int_equal(number_of(b, "reset"), false);
}

static void all_there_is_comes_in_pieces_and_misses_nothing_that_changes_meanwhile(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *b;

    bring(t, &p, DEVICE_A, 1, FAV(ITEM_1));
    bring(t, &p, DEVICE_A, 2, FAV(ITEM_2));
    bring(t, &p, DEVICE_A, 3, FONT(20));
    b = exchange(t, &p, "{\"most\":1}");
    assert_int_equal(number_of(b, "reset"), true);
    assert_int_equal(number_of(b, "more"), true);
    assert_string_equal(value_of(t, b, "fav", ITEM_1), "{\"at\":1}");
    bring(t, &p, DEVICE_A, 4, DROP(ITEM_1)); /* was given already */
    bring(t, &p, DEVICE_A, 5, DROP(ITEM_2)); /* was not */
    b = exchange(t, &p, URL("{\"cursor\":\"%s\",\"most\":1}", cursor_of(b)));
    assert_int_equal(number_of(b, "reset"), false);
    assert_string_equal(value_of(t, b, "set", "font"), "20");
    b = exchange(t, &p, URL("{\"cursor\":\"%s\",\"most\":5}", cursor_of(b)));
    assert_int_equal(number_of(b, "more"), false);
    assert_string_equal(value_of(t, b, "fav", ITEM_1), "null");
    assert_string_equal(value_of(t, b, "fav", ITEM_2), "null");
    b = exchange(t, &p, URL("{\"cursor\":\"%s\"}", cursor_of(b)));
    assert_int_equal(number_of(b, "reset"), false);
    assert_int_equal(entries_of(b), 0);
}

/* ---- epochs, and cursors that are nobody's ---- */

static enum rc another_epoch(struct work *w, void *unused)
{
    enum rc rc = db_run(w, SQL_state_epoch_set, "i", epoch_now() + 1);

    (void)unused;
    known_forget_all();
    return rc ? rc : epoch_load(w);
}

static void another_epoch_gives_all_there_is(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = bring(t, &p, DEVICE_A, 1, FAV(ITEM_1)), *b;

    on_writer(t, another_epoch, NULL);
    b = pull(t, &p, DEVICE_A, cursor_of(a));
    assert_int_equal(number_of(b, "reset"), true);
    assert_string_not_equal(cursor_of(a), cursor_of(b));
    b = pull(t, &p, DEVICE_A, URL("%" PRId64 ".99999", epoch_now())); /* ahead of us */
    assert_int_equal(number_of(b, "reset"), true);
}

/* ---- devices ---- */

static void of_more_than_fifty_phones_the_least_used_is_forgotten(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a;

    for (int i = 0; i < 51; i++) {
        const char *device = URL("%02dAAAAAAAAAAAAAAAAAAAA", i);

        clock_set(clock_now() + 1);
        bring(t, &p, device, 1, FONT(20));
    }
    a = bring(t, &p, "00AAAAAAAAAAAAAAAAAAAA", 2, FONT(24));
    assert_string_equal(result_of(t, a, 0), "");
    assert_int_equal(number_of(a, "expected"), 1);
    a = bring(t, &p, "50AAAAAAAAAAAAAAAAAAAA", 2, FONT(24));
    assert_string_equal(result_of(t, a, 0), "done");
}

/* ---- guests ---- */

struct guest {
    struct person p;
    const char *access, *refresh;
};

static struct guest make_guest(struct world *t, const char *client)
{
    struct answer a =
        ask(t, POST, "/v1/guest",
            &(struct ask){ .body = "{\"device\":\"示例手机\"}", .client = client });
    struct guest g = { 0 };
    json_t *o;

    if (a.status != 201)
        fail_msg("%d: %s", a.status, a.body);
    o = json_of(t, &a);
    assert_string_equal(json_string_value(json_object_get(o, "step")), "done");
    assert_int_equal(number_of(o, "level"), 0);
    g.access = json_string_value(json_object_get(o, "access"));
    g.refresh = json_string_value(json_object_get(o, "refresh"));
    g.p.account = number_of(o, "account");
    g.p.header = URL("authorization: Bearer %s\n", g.access);
    return g;
}

static void a_guest_may_exchange_state_and_nothing_else(void **state)
{
    struct world *t = *state;
    struct guest g = make_guest(t, NULL);
    struct answer a;

    bring(t, &g.p, DEVICE_A, 1, FONT(20));
    assert_int_equal(person_ask(t, &g.p, GET, "/v1/me", NULL).status, 403);
    assert_int_equal(person_ask(t, &g.p, GET, "/v1/me/export", NULL).status, 403);
    assert_int_equal(
        person_ask(t, &g.p, POST, "/v1/me/adopt", URL("{\"guest\":\"%s\"}", g.access)).status,
        403);
    a = ask(t, POST, "/v1/auth/refresh",
            &(struct ask){ .body = URL("{\"refresh\":\"%s\"}", g.refresh) });
    assert_int_equal(a.status, 200);
}

static void signing_in_merges_what_the_guest_had(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    struct guest g = make_guest(t, NULL);
    const char *body = URL("{\"guest\":\"%s\"}", g.access);
    json_t *a;

    bring(t, &p, DEVICE_A, 1, FONT(20));
    bring(t, &p, DEVICE_A, 2, "\"type\":\"read\",\"key\":\"main/1\",\"value\":\"1-3\"");
    bring(t, &g.p, DEVICE_B, 1, FONT(24));
    bring(t, &g.p, DEVICE_B, 2, FAV(ITEM_1));
    bring(t, &g.p, DEVICE_B, 3, "\"type\":\"read\",\"key\":\"main/1\",\"value\":\"5\"");
    bring(t, &g.p, DEVICE_B, 4, FAV(ITEM_2));
    bring(t, &g.p, DEVICE_B, 5, DROP(ITEM_2));
    assert_int_equal(person_ask(t, &p, POST, "/v1/me/adopt", body).status, 204);
    a = exchange(t, &p, "{}");
    assert_string_equal(value_of(t, a, "set", "font"), "20"); /* the account's own stays */
    assert_string_equal(value_of(t, a, "fav", ITEM_1), "{\"at\":1}");
    assert_string_equal(value_of(t, a, "fav", ITEM_2), "");
    assert_string_equal(value_of(t, a, "read", "main/1"), "\"1-3,5\"");
    assert_int_equal(person_ask(t, &g.p, POST, "/v1/me/sync", "{}").status, 401);
    assert_int_equal(person_ask(t, &p, POST, "/v1/me/adopt", body).status, 204); /* again */
    assert_int_equal(entries_of(exchange(t, &p, "{}")), 3);
}

static void only_guests_are_adopted_and_no_token_is_lost(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t), other = citizen(t);
    struct guest g = make_guest(t, NULL);
    const char *of_other = other.header + strlen("authorization: Bearer ");

    assert_int_equal(
        person_ask(t, &p, POST, "/v1/me/adopt",
                   URL("{\"guest\":\"%.*s\"}", (int)strcspn(of_other, "\n"), of_other))
            .status,
        409);
    assert_int_equal(person_ask(t, &p, POST, "/v1/me/adopt", "{\"guest\":\"tja_x\"}").status,
                     400);
    bring(t, &g.p, DEVICE_B, 1, FONT(24));
    clock_set(clock_now() + 1000); /* the access token is over, what it opened is not */
    on_writer(t, renew_session, &p);
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/me/adopt", URL("{\"guest\":\"%s\"}", g.access)).status,
        400);
    assert_int_equal(
        person_ask(t, &p, POST, "/v1/me/adopt", URL("{\"guest\":\"%s\"}", g.refresh)).status,
        204);
    assert_string_equal(value_of(t, exchange(t, &p, "{}"), "set", "font"), "24");
}

static void one_client_makes_no_million_of_guests(void **state)
{
    struct world *t = *state;
    struct answer a;

    clock_set(clock_now() + 7200);
    for (int i = 0; i < GUESTS_PER_HOUR; i++)
        make_guest(t, "198.51.100.7");
    a = ask(t, POST, "/v1/guest", &(struct ask){ .body = "{}", .client = "198.51.100.7" });
    assert_int_equal(a.status, 429);
    assert_true(strlen(HEADER(a, "retry-after")) > 0);
    make_guest(t, "198.51.100.8");
    clock_set(clock_now() + 61);
    make_guest(t, "198.51.100.7");
}

static enum rc look(struct work *w, void *arg)
{
    struct account a;
    enum rc rc;

    work_init(w, w->mem, w->db, "system", RIGHT_ALL);
    rc = account_by_id(w, *(int64_t *)arg, &a);
    *(int64_t *)arg = rc ? -1 : (int64_t)a.state;
    return RC_OK;
}

static enum rc sessions_over(struct work *w, void *arg)
{
    return session_end_all(w, *(int64_t *)arg, 0);
}

static void a_guest_whose_session_has_ended_leaves(void **state)
{
    struct world *t = *state;
    struct guest g = make_guest(t, NULL);
    int64_t account = g.p.account;

    on_writer(t, sessions_over, &account);
    on_writer(t, look, &account);
    assert_int_equal(account, ACCOUNT_LEAVING);
}

/* "Clear all" of an app on which nobody has signed in: what it had goes, and it may begin anew at once. */
static void a_guest_signs_out_and_begins_anew(void **state)
{
    struct world *t = *state;
    struct guest g = make_guest(t, NULL), next;
    int64_t account = g.p.account;

    bring(t, &g.p, DEVICE_A, 1, "\"type\":\"set\",\"key\":\"font\",\"value\":20");
    assert_int_equal(person_ask(t, &g.p, POST, "/v1/auth/sign-out", NULL).status, 204);
    assert_int_equal(person_ask(t, &g.p, POST, "/v1/me/sync", "{}").status, 401);
    assert_int_equal(person_ask(t, &g.p, POST, "/v1/auth/sign-out", NULL).status, 401);
    on_writer(t, look, &account);
    assert_int_equal(account, ACCOUNT_LEAVING);
    next = make_guest(t, NULL);
    assert_true(next.p.account != g.p.account);
    assert_string_equal(value_of(t, exchange(t, &next.p, "{}"), "set", "font"), "");
}

/* ---- rights that went between writing and sending ---- */

struct again { /* the same account in a session of another level */
    int64_t account;
    int level;
    struct session_tokens tokens;
};

static enum rc open_again(struct work *w, void *arg)
{
    struct again *a = arg;
    struct session_new s = {
        .kind = SESSION_CITIZEN, .level = a->level, .account = a->account, .device = "test"
    };
    int64_t session;

    return session_open(w, &s, &session, &a->tokens);
}

static struct person sign_in_again(struct world *t, const struct person *p, int level)
{
    struct again a = { .account = p->account, .level = level };
    struct person out = *p;

    on_writer(t, open_again, &a);
    out.header = URL("authorization: Bearer %s\n", a.tokens.access);
    return out;
}

#define LETTER(category)                                                                    \
    "\"type\":\"letter.send\",\"key\":\"0190f3c2-7d1c-4a3e-9f00-3c1d5b7e9a11\",\"value\":{" \
    "\"category\":\"" category                                                              \
    "\",\"text\":\"请公开\",\"title\":\"公开\",\"unit\":\"heping\"}"

static void who_is_known_less_well_now_is_refused_and_nothing_waits_for_it(void **state)
{
    struct world *t = *state;
    struct person p = person_sign_in(t, SESSION_CITIZEN, 2), low;
    json_t *a;

    tell(t, POST, "/v1/orgs", "{\"code\":\"heping\",\"name\":\"和平区\"}");
    low = sign_in_again(t, &p, 1); /* 依申请公开 was written when he had proved his name */
    a = exchange(t, &low,
                 URL("{\"device\":\"" DEVICE_A
                     "\",\"mutations\":[{\"n\":1,%s},{\"n\":2,\"type\":"
                     "\"set\",\"key\":\"font\",\"value\":20}]}",
                     LETTER("disclose")));
    assert_string_equal(result_of(t, a, 0), "refused:rights");
    assert_string_equal(result_of(t, a, 1), "done");
    assert_int_equal(number_of(a, "expected"), 3);
    a = bring(t, &p, DEVICE_A, 3, LETTER("disclose")); /* he has proved it again */
    assert_string_equal(result_of(t, a, 0), "done");
}

static void what_a_locked_account_wrote_waits_and_arrives_once(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    const char *account = URL("/v1/accounts/%lld", (long long)p.account),
               *body = URL("{\"device\":\"" DEVICE_A "\",\"mutations\":[{\"n\":1,%s}]}",
                           LETTER("suggest"));
    json_t *a;

    tell(t, POST, "/v1/orgs", "{\"code\":\"heping\",\"name\":\"和平区\"}");
    assert_int_equal(tell(t, PATCH, account, "{\"state\":\"locked\"}").status, 200);
    assert_int_equal(person_ask(t, &p, POST, "/v1/me/sync", body).status, 401);
    HAS(tell(t, GET, "/v1/letters", NULL), "\"letters\":[]");
    assert_int_equal(tell(t, PATCH, account, "{\"state\":\"open\"}").status, 200);
    p = sign_in_again(t, &p, 1);
    for (int i = 0; i < 2; i++) {
        a = exchange(t, &p, body);
        assert_string_equal(result_of(t, a, 0), "done");
    }
    HAS(tell(t, GET, "/v1/letters", NULL), "JY");
}

/* ---- messages ---- */

static enum rc send_message(struct work *w, void *arg)
{
    return entry_put(w, *(int64_t *)arg, "message", "7", "{\"title\":\"您好\"}",
                     "{\"main\":\"1.5\"}", NULL);
}

static void a_message_comes_with_what_it_needs_and_its_owner_may_drop_it(void **state)
{
    struct world *t = *state;
    struct person p = citizen(t);
    json_t *a = exchange(t, &p, "{}"), *needs;

    on_writer(t, send_message, &p.account);
    a = pull(t, &p, DEVICE_A, cursor_of(a)); /* memory knows that there is something new */
    assert_string_equal(value_of(t, a, "message", "7"),
                        "{\"title\":\"\xe6\x82\xa8\xe5\xa5\xbd\"}");
    needs = json_object_get(json_array_get(json_object_get(a, "entries"), 0), "needs");
    assert_string_equal(json_string_value(json_object_get(needs, "main")), "1.5");
    a = bring(t, &p, DEVICE_A, 1, "\"type\":\"message.drop\",\"key\":\"7\"");
    assert_string_equal(result_of(t, a, 0), "done");
    assert_string_equal(value_of(t, exchange(t, &p, "{}"), "message", "7"), "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(tombstones_go_when_all_phones_have_read_them),
        CASE(who_is_silent_for_ninety_days_is_not_waited_for),
        CASE(after_a_year_they_go_in_any_case),
        CASE(all_there_is_comes_in_pieces_and_misses_nothing_that_changes_meanwhile),
        CASE(another_epoch_gives_all_there_is),
        CASE(of_more_than_fifty_phones_the_least_used_is_forgotten),
        CASE(a_guest_may_exchange_state_and_nothing_else),
        CASE(signing_in_merges_what_the_guest_had),
        CASE(only_guests_are_adopted_and_no_token_is_lost),
        CASE(one_client_makes_no_million_of_guests),
        CASE(a_guest_whose_session_has_ended_leaves),
        TEST(a_guest_signs_out_and_begins_anew),
        CASE(who_is_known_less_well_now_is_refused_and_nothing_waits_for_it),
        CASE(what_a_locked_account_wrote_waits_and_arrives_once),
        CASE(a_message_comes_with_what_it_needs_and_its_owner_may_drop_it),
    };

    return cmocka_run_group_tests_name("state in time", tests, NULL, NULL);
}
