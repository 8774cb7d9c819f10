/*
 * session_test.c - tokens are exchanged once, repeated for ten seconds, and betray who uses them twice.
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
#include "server/base/fs.h"
#include "server/identity/session.h"
#include "server/identity/session_table.h"
#include "tests/lib/library_world.h"

static const uint8_t key[32] = "the key of the tokens' tags, 32";

enum { ACCOUNT = 7, SECOND = 1000000, SINCE_BOOT = 500 * SECOND };

static int set_up(void **state)
{
    int bad = library_world_set_up(state);

    if (!bad)
        assert_int_equal(session_load(&((struct library_world *)*state)->w, key), RC_OK);
    return bad;
}

static int tear_down(void **state)
{
    session_table_empty();
    return library_world_tear_down(state);
}

static struct session_tokens open_as(struct library_world *t, enum session_kind kind,
                                     int64_t *id)
{
    struct session_new n = {
        .account = ACCOUNT, .kind = kind, .level = 1, .device = "示例手机"
    };
    struct session_tokens tokens = { 0 };

    world_begin(t);
    assert_int_equal(session_open(&t->w, &n, id, &tokens), RC_OK);
    world_commit(t);
    return tokens;
}

static struct session_tokens open_one(struct library_world *t)
{
    int64_t id;

    return open_as(t, SESSION_CITIZEN, &id);
}

/* Seconds after the boot. */
static enum session_answer exchange(struct library_world *t, const char *refresh, double at,
                                    struct session_tokens *out)
{
    enum session_answer how;

    world_begin(t);
    assert_int_equal(
        session_exchange(&t->w, 0, refresh, SINCE_BOOT + (int64_t)(at * SECOND), &how, out),
        RC_OK);
    world_commit(t);
    return how;
}

static bool is_in(const char *access)
{
    struct session_now now;

    return session_check(access, &now);
}

static void restart(struct library_world *t)
{
    assert_int_equal(session_load(&t->w, key), RC_OK);
}

static void a_token_opens_until_its_end(void **state)
{
    struct library_world *t = *state;
    struct session_new n = {
        .account = ACCOUNT, .kind = SESSION_STAFF, .level = 3, .device = "示例"
    };
    struct session_tokens tokens;
    struct session_now now;
    int64_t id;

    world_begin(t);
    assert_int_equal(session_open(&t->w, &n, &id, &tokens), RC_OK);
    assert_false(session_check(tokens.access, &now)); /* not before the COMMIT */
    world_commit(t);
    assert_true(session_check(tokens.access, &now));
    assert_int_equal(now.id, id);
    assert_int_equal(now.account, ACCOUNT);
    assert_int_equal(now.kind, SESSION_STAFF);
    assert_int_equal(now.level, 3);
    assert_int_equal(now.authenticated, WORLD_NOW);
    assert_int_equal(tokens.seconds, SESSION_ACCESS_LIFE);
    clock_set(WORLD_NOW + SESSION_ACCESS_LIFE - 1);
    assert_true(is_in(tokens.access));
    clock_set(WORLD_NOW + SESSION_ACCESS_LIFE);
    assert_false(is_in(tokens.access));
}

static void an_exchange_gives_the_next_and_leaves_the_last_access_token(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a = open_one(t), b, c;

    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_EXCHANGED);
    assert_string_not_equal(a.refresh, b.refresh);
    assert_string_not_equal(a.access, b.access);
    assert_true(is_in(a.access) && is_in(b.access));
    assert_int_equal(exchange(t, b.refresh, 1, &c), SESSION_EXCHANGED);
    assert_false(is_in(a.access));
    assert_true(is_in(b.access) && is_in(c.access));
}

static void a_lost_answer_is_given_again(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a = open_one(t), b, again;

    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_EXCHANGED);
    for (double at = 0; at <= 10; at += 2.5) {
        assert_int_equal(exchange(t, a.refresh, at, &again), SESSION_REPEATED);
        assert_string_equal(again.refresh, b.refresh);
        assert_string_equal(again.access, b.access);
    }
    clock_set(WORLD_NOW + 9);
    restart(t);
    assert_int_equal(exchange(t, a.refresh, 1000, &again), SESSION_REPEATED);
    assert_string_equal(again.refresh, b.refresh);
    assert_string_equal(again.access, b.access);
    assert_int_equal(again.seconds, SESSION_ACCESS_LIFE - 9);
    assert_int_equal(exchange(t, b.refresh, 1001, &again), SESSION_EXCHANGED);
}

static void two_in_one_transaction_get_the_same(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a = open_one(t), b, c;
    enum session_answer how;

    world_begin(t);
    assert_int_equal(session_exchange(&t->w, 0, a.refresh, SINCE_BOOT, &how, &b), RC_OK);
    assert_int_equal(how, SESSION_EXCHANGED);
    assert_int_equal(session_exchange(&t->w, 0, a.refresh, SINCE_BOOT, &how, &c), RC_OK);
    assert_int_equal(how, SESSION_REPEATED);
    world_commit(t);
    assert_string_equal(b.refresh, c.refresh);
    assert_string_equal(b.access, c.access);
}

/* Each way to use a token twice ends the session, and everything it gave. */
static void reuse_ends_the_session(void **state)
{
    static const struct {
        int old; /* which token is used again, of those that were exchanged one after another */
        int exchanges;
        double after; /* seconds */
        bool restart;
        int64_t wall; /* seconds that the wall clock has moved meanwhile */
    } cases[] = {
        { 0, 1, 10.01, false, 0 }, { 0, 2, 0, false, 0 },        { 3, 5, 0, false, 0 },
        { 0, 1, 0, true, 11 },     { 0, 1, 0, true, -5 },        { 0, 1, 0, true, 3600 },
        { 0, 2, 0, true, 0 },      { 0, 1, 3600, false, -3600 }, { 0, 9, 0.001, false, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct library_world *t = *state;
        struct session_tokens chain[10] = { open_one(t) }, other = open_one(t), out;
        int n = cases[i].exchanges;

        for (int k = 0; k < n; k++)
            assert_int_equal(exchange(t, chain[k].refresh, 0, &chain[k + 1]),
                             SESSION_EXCHANGED);
        clock_set(WORLD_NOW + cases[i].wall);
        if (cases[i].restart)
            restart(t);
        assert_int_equal(exchange(t, chain[cases[i].old].refresh, cases[i].after, &out),
                         SESSION_REUSED);
        for (int k = 0; k <= n; k++) {
            assert_false(is_in(chain[k].access));
            assert_int_equal(exchange(t, chain[k].refresh, cases[i].after, &out),
                             SESSION_UNKNOWN);
        }
        clock_set(WORLD_NOW);
        assert_true(is_in(other.access)); /* a session of the same account is not touched */
        assert_int_equal(exchange(t, other.refresh, cases[i].after, &out), SESSION_EXCHANGED);
    }
}

/* A guessed token does nothing to the session it names. */
static void what_we_did_not_make_ends_nothing(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a = open_one(t), b, out;
    struct bearer token;
    char text[BEARER_TEXT];
    static const uint8_t others[32] = "another key", seed[BEARER_SEED] = "any";

    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_EXCHANGED);
    for (size_t i = 0; i < strlen(a.refresh); i++) {
        memcpy(text, a.refresh, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(exchange(t, text, 100, &out), SESSION_UNKNOWN);
        memcpy(text, b.refresh, sizeof text); /* nor is the newest, whichever bit is altered */
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(exchange(t, text, 100, &out), SESSION_UNKNOWN);
    }
    assert_true(bearer_read(a.refresh, &token));
    token = bearer_next(BEARER_REFRESH, &token, others, seed);
    bearer_put(&token, text);
    assert_int_equal(exchange(t, text, 100, &out), SESSION_UNKNOWN);
    for (int i = 0; i < 9; i++)
        token = bearer_next(BEARER_REFRESH, &token, key, seed);
    bearer_put(&token, text); /* ours, and from a future that a restore has undone */
    assert_int_equal(exchange(t, text, 100, &out), SESSION_UNKNOWN);
    for (const char *const *wrong = (const char *const[]){ "", "tjr_", "tja_", a.access,
                                                           "tjr_AAAA", "' OR 1=1", NULL };
         *wrong; wrong++)
        assert_int_equal(exchange(t, *wrong, 100, &out), SESSION_UNKNOWN);
    assert_int_equal(exchange(t, b.refresh, 100, &out), SESSION_EXCHANGED);
    assert_false(is_in(b.refresh));
}

static void the_database_holds_no_token(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a = open_one(t), b;
    struct bearer tokens[4];
    const char *const texts[] = { a.access, a.refresh, b.access, b.refresh };

    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_EXCHANGED);
    for (int i = 0; i < 4; i++) {
        char hex[65];

        assert_true(bearer_read(texts[i], &tokens[i]));
        hex_text(tokens[i].secret, 32, hex);
        assert_int_equal(
            world_number(
                t, arena_printf(
                       t->mem,
                       "SELECT count(*) FROM session WHERE '%s' IN (lower(hex(refresh)), "
                       "lower(hex(before)), lower(hex(access)), lower(hex(access_before)))",
                       hex)),
            0);
    }
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), 1);
}

static void it_ends_by_rest_and_by_age(void **state)
{
    enum { IDLE = 1800, WHOLE = 12 * 3600 };
    struct library_world *t = *state;
    struct session_tokens a, b;
    int64_t id, now = WORLD_NOW;

    a = open_as(t, SESSION_STAFF, &id);
    clock_set(now + IDLE);
    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_UNKNOWN);
    clock_set(now + IDLE - 1);
    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_EXCHANGED);
    for (now += IDLE - 1; now + 800 < WORLD_NOW + WHOLE; now += 800) {
        clock_set(now + 800);
        a = b;
        assert_true(is_in(a.access)); /* a use puts its end off, the access token's own aside */
        assert_int_equal(exchange(t, a.refresh, (double)(now - WORLD_NOW), &b),
                         SESSION_EXCHANGED);
    }
    clock_set(WORLD_NOW + WHOLE);
    assert_false(is_in(b.access));
    assert_int_equal(exchange(t, b.refresh, WHOLE, &a), SESSION_UNKNOWN);
}

/* Its cookie stays what it is, for nobody is there to exchange it. */
static void a_browser_is_in_as_long_as_its_session(void **state)
{
    enum { IDLE = 1800, WHOLE = 12 * 3600 };
    struct library_world *t = *state;
    struct session_new n = { .account = ACCOUNT,
                             .kind = SESSION_STAFF,
                             .level = 1,
                             .device = "示例浏览器",
                             .browser = true };
    struct session_tokens a, b;
    int64_t id;

    world_begin(t);
    assert_int_equal(session_open(&t->w, &n, &id, &a), RC_OK);
    world_commit(t);
    assert_string_equal(a.refresh, "");
    assert_int_equal(a.seconds, WHOLE);
    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_UNKNOWN);
    for (int64_t now = WORLD_NOW; now < WORLD_NOW + WHOLE; now += IDLE - 1) {
        clock_set(now);
        assert_true(is_in(a.access));
        session_tick(t->w.db, NULL);
        restart(t);
    }
    clock_set(WORLD_NOW + WHOLE);
    assert_false(is_in(a.access));
    clock_set(WORLD_NOW);
    world_begin(t);
    assert_int_equal(session_open(&t->w, &n, &id, &a), RC_OK);
    world_commit(t);
    clock_set(WORLD_NOW + IDLE);
    assert_false(is_in(a.access));
}

static void a_use_counts_before_it_is_written(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a, b;
    int64_t id;

    a = open_as(t, SESSION_STAFF, &id);
    clock_set(WORLD_NOW + 850);
    assert_true(is_in(a.access));
    clock_set(WORLD_NOW + 1900); /* over by the row, not by the table */
    session_tick(t->w.db, NULL);
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), 1);
    assert_int_equal(exchange(t, a.refresh, 0, &b), SESSION_EXCHANGED);
}

static void the_tick_writes_uses_and_removes_what_is_over(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a;
    struct session *list;
    int64_t id;
    int n;

    a = open_as(t, SESSION_STAFF, &id);
    clock_set(WORLD_NOW + 30);
    assert_true(is_in(a.access));
    session_tick(t->w.db, NULL);
    assert_int_equal(world_number(t, "SELECT used FROM session"), WORLD_NOW); /* not worth it */
    assert_int_equal(session_list(&t->w, ACCOUNT, &list, &n), RC_OK);
    assert_int_equal(list[0].used, WORLD_NOW + 30);
    clock_set(WORLD_NOW + 60);
    assert_true(is_in(a.access));
    session_tick(t->w.db, NULL);
    assert_int_equal(world_number(t, "SELECT used FROM session"), WORLD_NOW + 60);
    restart(t);
    assert_true(is_in(a.access));
    clock_set(WORLD_NOW + 60 + 1800);
    session_tick(t->w.db, NULL);
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), 0);
}

enum { PARTY = 3, OTHER_PARTY = 4, SCOPES = 5 };

static struct session_tokens open_for_party(struct library_world *t, bool once, int64_t *id)
{
    struct session_new n = { .account = ACCOUNT,
                             .party = PARTY,
                             .scopes = SCOPES,
                             .kind = SESSION_CITIZEN,
                             .proofs = PROOF_SMS,
                             .authenticated = WORLD_NOW - 500,
                             .level = 2,
                             .device = "和平区政务网",
                             .once = once };
    struct session_tokens tokens = { 0 };

    world_begin(t);
    assert_int_equal(session_open(&t->w, &n, id, &tokens), RC_OK);
    world_commit(t);
    return tokens;
}

static void a_partys_session_is_its_own(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a, b;
    enum session_answer how;
    struct session_now now;
    struct session *list;
    int64_t id;
    int n;

    a = open_for_party(t, false, &id);
    for (int round = 0; round < 2; round++, restart(t)) {
        assert_true(session_check(a.access, &now));
        assert_int_equal(now.party, PARTY);
        assert_int_equal(now.scopes, SCOPES);
        assert_int_equal(now.proofs, PROOF_SMS);
        assert_int_equal(now.authenticated, WORLD_NOW - 500);
    }
    assert_int_equal(session_list(&t->w, ACCOUNT, &list, &n), RC_OK);
    assert_int_equal(list[0].party, PARTY);
    assert_int_equal(list[0].scopes, SCOPES);
    world_begin(t);
    assert_int_equal(session_exchange(&t->w, 0, a.refresh, SINCE_BOOT, &how, &b), RC_OK);
    assert_int_equal(how, SESSION_UNKNOWN); /* nor does it end */
    assert_int_equal(session_exchange(&t->w, OTHER_PARTY, a.refresh, SINCE_BOOT, &how, &b),
                     RC_OK);
    assert_int_equal(how, SESSION_UNKNOWN);
    assert_int_equal(session_exchange(&t->w, PARTY, a.refresh, SINCE_BOOT, &how, &b), RC_OK);
    assert_int_equal(how, SESSION_EXCHANGED);
    world_commit(t);
    assert_true(session_check(b.access, &now));
    assert_int_equal(now.party, PARTY);
}

static void a_token_is_found_without_being_exchanged(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a, b;
    struct session_now now;
    enum session_answer how;
    char other[BEARER_TEXT];
    int64_t id, ends;

    a = open_for_party(t, false, &id);
    assert_int_equal(session_find(&t->w, a.access, &now, &ends), RC_OK);
    assert_int_equal(now.id, id);
    assert_int_equal(ends, WORLD_NOW + SESSION_ACCESS_LIFE);
    assert_int_equal(session_find(&t->w, a.refresh, &now, &ends), RC_OK);
    assert_int_equal(now.id, id);
    assert_int_equal(ends, WORLD_NOW + 90 * 86400);

    world_begin(t);
    assert_int_equal(session_exchange(&t->w, PARTY, a.refresh, SINCE_BOOT, &how, &b), RC_OK);
    world_commit(t);
    assert_int_equal(session_find(&t->w, a.refresh, &now, &ends), RC_OK);
    assert_int_equal(ends, 0);
    memcpy(other, b.refresh, sizeof other);
    other[60] = other[60] == 'A' ? 'B' : 'A';
    assert_int_equal(session_find(&t->w, other, &now, &ends), RC_NOT_FOUND);
    assert_int_equal(session_find(&t->w, "tjr_", &now, &ends), RC_NOT_FOUND);
    clock_set(WORLD_NOW + SESSION_ACCESS_LIFE);
    assert_int_equal(session_find(&t->w, b.access, &now, &ends), RC_NOT_FOUND);
    clock_set(WORLD_NOW + 91 * 86400);
    assert_int_equal(session_find(&t->w, b.refresh, &now, &ends), RC_NOT_FOUND);
}

static void a_session_without_refresh_token_ends_with_its_access_token(void **state)
{
    struct library_world *t = *state;
    struct session_tokens a;
    int64_t id;

    a = open_for_party(t, true, &id);
    assert_string_equal(a.refresh, "");
    assert_true(is_in(a.access));
    clock_set(WORLD_NOW + SESSION_ACCESS_LIFE);
    assert_false(is_in(a.access));
    session_tick(t->w.db, NULL);
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), 0);
}

static void a_partys_sessions_end_none_of_another(void **state)
{
    struct library_world *t = *state;
    struct session_tokens own = open_one(t), first, last;
    int64_t id;

    first = open_for_party(t, false, &id);
    clock_set(WORLD_NOW + 1);
    for (int i = 0; i < SESSIONS_PER_ACCOUNT; i++)
        last = open_for_party(t, false, &id);
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), SESSIONS_PER_ACCOUNT + 1);
    assert_false(is_in(first.access));
    assert_true(is_in(last.access));
    assert_true(is_in(own.access));
}

static void one_is_ended_or_all(void **state)
{
    struct library_world *t = *state;
    struct session_tokens tokens[4];
    struct session *list;
    int64_t id[4];
    int n;

    for (int i = 0; i < 4; i++) {
        clock_set(WORLD_NOW + i);
        tokens[i] = open_as(t, SESSION_CITIZEN, &id[i]);
    }
    assert_int_equal(session_list(&t->w, ACCOUNT, &list, &n), RC_OK);
    assert_int_equal(n, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(list[i].id, id[3 - i]);
    assert_string_equal(list[0].device, "示例手机");

    world_begin(t);
    assert_int_equal(session_end(&t->w, ACCOUNT + 1, id[1]), RC_NOT_FOUND);
    assert_int_equal(session_end(&t->w, ACCOUNT, id[1]), RC_OK);
    assert_true(is_in(tokens[1].access)); /* until the COMMIT */
    world_commit(t);
    assert_false(is_in(tokens[1].access));
    world_begin(t);
    assert_int_equal(session_end_all(&t->w, ACCOUNT, id[2]), RC_OK);
    world_commit(t);
    for (int i = 0; i < 4; i++)
        assert_int_equal(is_in(tokens[i].access), i == 2);
}

static void the_oldest_of_too_many_gives_way(void **state)
{
    struct library_world *t = *state;
    struct session_tokens first, last;
    int64_t id;

    first = open_as(t, SESSION_CITIZEN, &id);
    for (int i = 1; i <= SESSIONS_PER_ACCOUNT; i++) {
        clock_set(WORLD_NOW + i);
        last = open_as(t, SESSION_CITIZEN, &id);
    }
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), SESSIONS_PER_ACCOUNT);
    assert_false(is_in(first.access));
    assert_true(is_in(last.access));
}

/* The row does not know yet that it was. */
static void one_that_was_used_just_now_is_not_the_oldest(void **state)
{
    struct library_world *t = *state;
    struct session_tokens first, second = { 0 }, next;
    int64_t id;

    first = open_as(t, SESSION_CITIZEN, &id);
    for (int i = 1; i <= SESSIONS_PER_ACCOUNT; i++) {
        clock_set(WORLD_NOW + i);
        assert_true(is_in(first.access));
        next = open_as(t, SESSION_CITIZEN, &id);
        if (i == 1)
            second = next;
    }
    assert_int_equal(world_number(t, "SELECT count(*) FROM session"), SESSIONS_PER_ACCOUNT);
    assert_true(is_in(first.access));
    assert_false(is_in(second.access));
}

static void a_bad_device_name_is_refused(void **state)
{
    struct library_world *t = *state;
    struct session_new n = { .account = ACCOUNT, .level = 1, .device = "" };
    struct session_tokens out;
    int64_t id;

    world_begin(t);
    assert_int_equal(session_open(&t->w, &n, &id, &out), RC_INVALID);
    db_rollback(t->w.db);
}

/* The table grows and shrinks, and finds each of many. */
static void the_table_finds_all_of_many(void **state)
{
    enum { MANY = 20000 };
    struct session_entry e = { .kind = SESSION_CITIZEN, .idle = 10, .ends = 10 };

    (void)state;
    for (int64_t i = 1; i <= MANY; i++) {
        e.id = i * 7919;
        e.account = i;
        session_table_put(&e);
        session_table_put(&e);
    }
    for (int64_t i = 1; i <= MANY; i += 2)
        session_table_drop(i * 7919);
    for (int64_t i = 1; i <= MANY; i++) {
        assert_int_equal(session_table_get(i * 7919, &e), i % 2 == 0);
        assert_true(i % 2 || e.account == i);
    }
    session_table_empty();
    assert_false(session_table_get(2 * 7919, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_token_opens_until_its_end),
        T(an_exchange_gives_the_next_and_leaves_the_last_access_token),
        T(a_lost_answer_is_given_again),
        T(two_in_one_transaction_get_the_same),
        T(reuse_ends_the_session),
        T(what_we_did_not_make_ends_nothing),
        T(the_database_holds_no_token),
        T(it_ends_by_rest_and_by_age),
        T(a_browser_is_in_as_long_as_its_session),
        T(a_use_counts_before_it_is_written),
        T(the_tick_writes_uses_and_removes_what_is_over),
        T(a_partys_session_is_its_own),
        T(a_token_is_found_without_being_exchanged),
        T(a_session_without_refresh_token_ends_with_its_access_token),
        T(a_partys_sessions_end_none_of_another),
        T(one_is_ended_or_all),
        T(the_oldest_of_too_many_gives_way),
        T(one_that_was_used_just_now_is_not_the_oldest),
        T(a_bad_device_name_is_refused),
        T(the_table_finds_all_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
