/*
 * retention_test.c - two years in which people sign in every third day: no table grows beyond its bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/base/secret.h"
#include "server/http/idempotency.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/audit_head.h"
#include "server/identity/code.h"
#include "server/identity/consent.h"
#include "server/identity/device_grant.h"
#include "server/identity/erase.h"
#include "server/identity/grant_code.h"
#include "server/identity/identifier.h"
#include "server/identity/invite.h"
#include "server/identity/party_log.h"
#include "server/identity/party_sandbox.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "server/identity/trail.h"
#include "server/retention.h"
#include "tests/lib/library_world.h"

enum {
    DAY = 86400,
    YEAR = 366 * DAY,
    PEOPLE = 8,
    DAYS = 732,
    STEP = 3,
    SETTLED = 480,
    REQUESTS = 20,
    TABLES_MAX = 64
};

static int set_up(void **state)
{
    static const uint8_t key[32] = "token key";
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(fs_mkdirs(&e, arena_printf(t->mem, "%s/keys", t->dir), 0700), RC_OK);
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(code_open(&e, t->dir), RC_OK);
    assert_int_equal(audit_head_load(&e, t->dir, false), RC_OK);
    assert_int_equal(session_load(&t->w, key), RC_OK);
    retention_open((int64_t)YEAR * 1000);
    return 0;
}

static int tear_down(void **state)
{
    audit_head_forget();
    session_table_empty();
    code_close();
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- a day ---- */

static const char *phone_of(struct library_world *t, int person)
{
    return arena_printf(t->mem, "861380013%04d", person);
}

static int64_t make(struct library_world *t, const char *phone)
{
    const struct account_new new = { ACCOUNT_CITIZEN, 1, NULL };
    struct account a;

    assert_int_equal(account_make(&t->w, &new, &a), RC_OK);
    assert_int_equal(identifier_add(&t->w, a.id, "phone", phone), RC_OK);
    return a.id;
}

static void allow_a_program(struct library_world *t, int64_t account, int64_t party)
{
    const struct grant_person who = { .account = account,
                                      .level = 1,
                                      .authenticated = clock_now() };
    struct grant_code code = {
        .party = party, .person = who, .scopes = 1, .redirect = "https://a.example/"
    };
    char text[GRANT_CODE_TEXT], device[DEVICE_CODE_TEXT], user[USER_CODE_TEXT];

    assert_int_equal(grant_code_make(&t->w, &code, text), RC_OK);
    assert_int_equal(device_grant_make(&t->w, party, 1, 0, device, user), RC_OK);
    assert_int_equal(consent_give(&t->w, account, party, 1), RC_OK);
}

/* Somebody signs in with a code, his app sends a form, a program is allowed something. */
static void live(struct library_world *t, int64_t account, int person, int day)
{
    const struct session_new session = { .account = account, .level = 1, .device = "手机" };
    uint8_t find[HASH_BYTES], request[HASH_BYTES] = { 0 };
    struct session_tokens tokens;
    char digits[CODE_DIGITS + 1];
    int64_t id, wait;
    struct rows q;

    snprintf(t->w.who.name, sizeof t->w.who.name, "account:%d", (int)account);
    identifier_index("phone", phone_of(t, person), find);
    assert_int_equal(
        code_make(&t->w, &(struct code_ask){ find, "sign_in", account }, digits, &wait), RC_OK);
    assert_int_equal(session_open(&t->w, &session, &id, &tokens), RC_OK);
    assert_int_equal(audit_add(&t->w, AUDIT_sign_in, NULL, RC_OK), RC_OK);
    assert_int_equal(db_one(&t->w, SQL_idempotency_put, &q, "ttbiti", t->w.who.name,
                            arena_printf(t->mem, "%d", day), request, sizeof request,
                            (int64_t)201, "application/json", clock_now()),
                     RC_OK);
    assert_int_equal(rows_done(&q), RC_OK);
    allow_a_program(t, account, (int64_t)day * PEOPLE + person + 1);
}

/* A key of a day for a program, which asks with it, and tries something; and somebody is invited who does not come. */
static void go_about(struct library_world *t, int day)
{
    const struct party_request request = { .method = "GET", .route = "/v1/items" };
    const struct sandbox_request trial = { "POST", "/v1/inbox", 201, NULL, 0 };
    const uint8_t hash[HASH_BYTES] = { (uint8_t)day, (uint8_t)(day >> 8) };
    char link[INVITE_TEXT];
    struct rows q;

    assert_int_equal(invite_make(&t->w, NULL, EVERYWHERE, link), RC_OK);
    assert_int_equal(db_one(&t->w, SQL_party_key_add, &q, "ibiiii", (int64_t)1, hash,
                            sizeof hash, clock_now(), clock_now() + DAY, (int64_t)1,
                            (int64_t)1),
                     RC_OK);
    assert_int_equal(rows_done(&q), RC_OK);
    for (int i = 0; i < REQUESTS; i++)
        party_log_note(1, &request);
    t->w.who.party = 1;
    assert_int_equal(party_sandbox_add(&t->w, &trial), RC_OK);
    t->w.who.party = 0;
}

/* Another account, whose owner proves that both are his; and one whose owner wants to be forgotten. */
static void come_and_go(struct library_world *t, int64_t account, int day)
{
    int64_t other = make(t, "8613900139000"),
            last = make(t, arena_printf(t->mem, "861370013%04d", day)), due;

    assert_int_equal(account_merge(&t->w, other, account), RC_OK);
    assert_int_equal(identifier_remove(&t->w, account, "phone", "8613900139000"), RC_OK);
    t->w.who.session = 0;
    assert_int_equal(erase_ask(&t->w, last, &due), RC_OK);
}

static void tick(struct library_world *t)
{
    bool more = true;

    session_tick(t->w.db, NULL);
    party_log_tick(t->w.db, NULL);
    retention_tick(t->w.db, NULL);
    erase_tick(t->w.db, NULL);
    while (more) {
        world_begin(t);
        assert_int_equal(trail_prune(&t->w, YEAR, &more), RC_OK);
        world_commit(t);
    }
}

/* ---- what is there ---- */

static const struct bound {
    const char *table;
    int64_t most;
} bounds[] = {
    { "code", 2 * PEOPLE },
    { "grant_code", 2 * PEOPLE },
    { "device_grant", 2 * PEOPLE },
    { "idempotency", 2 * PEOPLE },
    { "consent", 368 / STEP *PEOPLE + PEOPLE },
    { "session", SESSIONS_PER_ACCOUNT *PEOPLE },
    { "account", PEOPLE + 80 },
    { "identifier", PEOPLE + 6 },
    { "audit", 400 / STEP *(PEOPLE + 4) },
    { "audit_head", 60 },
    { "audit_end", 1 },
    { "invite", 1 },
    { "party_key", 91 / STEP + 2 },
    { "party_request", PARTY_LOG_MAX },
    { "party_sandbox", 7 / STEP + 2 },
    { "acting", 0 },
    { "factor", 0 },
    { "role", 0 },
};

static int64_t rows_of(struct library_world *t, const char *table)
{
    return world_number(t, arena_printf(t->mem, "SELECT count(*) FROM %s", table));
}

static void look(struct library_world *t, int64_t out[])
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        out[i] = rows_of(t, bounds[i].table);
}

static void no_table_grows_beyond_its_bound(void **state)
{
    enum { N = sizeof bounds / sizeof *bounds };
    struct library_world *t = *state;
    int64_t people[PEOPLE], settled[N] = { 0 }, end[N];

    world_begin(t);
    for (int i = 0; i < PEOPLE; i++)
        people[i] = make(t, phone_of(t, i));
    world_commit(t);
    for (int day = 0; day < DAYS; day += STEP) {
        clock_set(WORLD_NOW + (int64_t)day * DAY);
        world_begin(t);
        for (int i = 0; i < PEOPLE; i++)
            live(t, people[i], i, day);
        go_about(t, day);
        if (day % (2 * STEP) == 0)
            come_and_go(t, people[day / STEP % PEOPLE], day);
        world_commit(t);
        tick(t);
        if (day == SETTLED)
            look(t, settled);
    }
    look(t, end);
    for (int i = 0; i < N; i++) {
        print_message("%-14s %6d rows after %d days, %6d after %d\n", bounds[i].table,
                      (int)settled[i], SETTLED, (int)end[i], DAYS);
        if (end[i] > bounds[i].most || settled[i] > bounds[i].most)
            fail_msg("%s has more than %d rows", bounds[i].table, (int)bounds[i].most);
    }
}

static void the_file_stops_growing_too(void **state)
{
    struct library_world *t = *state;
    int64_t person, pages[2] = { 0 };

    world_begin(t);
    person = make(t, phone_of(t, 1));
    world_commit(t);
    for (int day = 0; day < DAYS; day += STEP) {
        clock_set(WORLD_NOW + (int64_t)day * DAY);
        world_begin(t);
        live(t, person, 1, day);
        world_commit(t);
        tick(t);
        if (day == SETTLED)
            pages[0] = world_number(t, "SELECT page_count FROM pragma_page_count()");
    }
    pages[1] = world_number(t, "SELECT page_count FROM pragma_page_count()");
    assert_true(pages[1] <= pages[0] + pages[0] / 10 + 4);
}

/* A server that was off for long catches up by thousands, and answers in between. */
static void much_goes_in_batches(void **state)
{
    enum { MANY = 2 * RETENTION_BATCH + 500 };
    struct library_world *t = *state;

    world_begin(t);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(consent_give(&t->w, 7, i + 1, 1), RC_OK);
    world_commit(t);
    clock_set(WORLD_NOW + CONSENT_LIFE - 1);
    assert_true(retention_run(t->w.db));
    assert_int_equal(rows_of(t, "consent"), MANY);
    clock_set(WORLD_NOW + CONSENT_LIFE);
    assert_false(retention_run(t->w.db));
    assert_int_equal(rows_of(t, "consent"), MANY - RETENTION_BATCH);
    assert_false(retention_run(t->w.db));
    assert_true(retention_run(t->w.db));
    assert_int_equal(rows_of(t, "consent"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_table_grows_beyond_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_stops_growing_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(much_goes_in_batches, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
