/*
 * run_test.c - campaigns that are killed at every place, over vendors that refuse, are slow, lie down and forget to answer; and after each commit, everyone stands in exactly one place.
 *
 * The vendor here counts what it put on which screen. A crash forgets all that was not committed: what was taken, sent or answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "push/address.h"
#include "push/audience.h"
#include "push/run.h"
#include "push/run_row.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"
#include "tests/lib/library_world.h"

enum {
    PEOPLE = 90,
    NUMBERS = 3 * BITS, /* devices stand in the first three blocks */
    HOUR = 3600
};
static const unsigned ON = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_APNS;

static uint64_t dice = 1;

static int roll(int below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (int)(dice % (uint64_t)below);
}

/* ---- a town ---- */

static void put(struct library_world *t, int64_t account, const char *type, const char *key,
                const char *value)
{
    world_begin(t);
    assert_int_equal(entry_put(&t->w, account, type, key, value, NULL, NULL), RC_OK);
    world_commit(t);
}

static int64_t device[PEOPLE]; /* their numbers */

static int64_t person(struct library_world *t, int i)
{
    static const enum transport by[] = { TRANSPORT_HUAWEI, TRANSPORT_APNS, TRANSPORT_XIAOMI };
    enum transport mine = by[i % 7 == 6 ? 2 : i % 2];
    struct account a;

    world_begin(t);
    assert_int_equal(account_make(&t->w, &(struct account_new){ ACCOUNT_CITIZEN, 1, NULL }, &a),
                     RC_OK);
    assert_int_equal(address_tell(&t->w, a.id, arena_printf(t->mem, "device%016d", i), mine,
                                  arena_printf(t->mem, "%064d", i)),
                     RC_OK);
    world_commit(t);
    device[i] = world_number(t, "SELECT max(no) FROM push_address");
    return a.id;
}

/* A third lives in each of two districts; every fifth sleeps from ten to seven. */
static void populate(struct library_world *t)
{
    for (int i = 0; i < PEOPLE; i++) {
        int64_t who = person(t, i);

        if (i % 3)
            put(t, who, "set", "area", i % 3 == 1 ? "\"120101\"" : "\"120102001\"");
        if (i % 5 == 0)
            put(t, who, "set", "quiet", "\"22:00-07:00\"");
        if (i == PEOPLE / 3)
            world_vandalise(
                t, "UPDATE sqlite_sequence SET seq = 65530 WHERE name = 'push_address'");
        if (i == PEOPLE / 2)
            world_vandalise(
                t, "UPDATE sqlite_sequence SET seq = 131080 WHERE name = 'push_address'");
    }
}

static int set_up(void **state)
{
    struct library_world *t;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&t->w.err, t->dir, SEAL_XCHACHA), RC_OK);
    clock_set(WORLD_NOW);
    dice = 88172645463325252u;
    populate(t);
    return 0;
}

static int tear_down(void **state)
{
    clock_unset();
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- everyone stands in one place ---- */

struct books { /* by the number of a device */
    uint8_t audience[NUMBERS], places[NUMBERS], outcome[NUMBERS], resent[NUMBERS];
    int64_t ticks; /* in audience and places */
};

static void book_clear(struct books *b)
{
    for (int i = 0; i < PEOPLE; i++) {
        int64_t no = device[i];

        b->audience[no] = b->places[no] = b->outcome[no] = b->resent[no] = 0;
    }
    b->ticks = 0;
}

static void count_in(struct books *b, const struct bits *who, int64_t block, uint8_t *list)
{
    for (int at = bits_next(who, 0); at >= 0; at = bits_next(who, at + 1)) {
        list[block * BITS + at]++;
        b->ticks++;
    }
}

static void mark(const struct bits *who, int64_t block, uint8_t *list, uint8_t value)
{
    for (int at = bits_next(who, 0); at >= 0; at = bits_next(who, at + 1))
        list[block * BITS + at] = value;
}

/* Rows of (block, from, what, bits), read by a connection of its own: what is committed. */
static void each_row(struct library_world *t, const char *sql, int64_t campaign,
                     struct books *b,
                     void (*fn)(struct books *b, int64_t block, int what,
                                const struct bits *who))
{
    sqlite3_stmt *s;
    struct bits who;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_bind_int64(s, 1, campaign);
    while (sqlite3_step(s) == SQLITE_ROW) {
        assert_true(
            bits_read(&who, sqlite3_column_blob(s, 3), (size_t)sqlite3_column_bytes(s, 3)));
        for (int at = 0; at < sqlite3_column_int(s, 1); at++)
            bits_take(&who, (unsigned)at);
        fn(b, sqlite3_column_int64(s, 0), sqlite3_column_int(s, 2), &who);
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void book_part(struct books *b, int64_t block, int what, const struct bits *who)
{
    (void)what;
    count_in(b, who, block, b->audience);
}

static void book_rest(struct books *b, int64_t block, int what, const struct bits *who)
{
    (void)what;
    count_in(b, who, block, b->places);
}

static void book_outcome(struct books *b, int64_t block, int what, const struct bits *who)
{
    if (what == RUN_RESENT) {
        mark(who, block, b->resent, 1);
        return;
    }
    count_in(b, who, block, b->places);
    mark(who, block, b->outcome, (uint8_t)what);
}

/* Everyone of the audience is in one place; and the numbers that are kept beside the sets say the same. */
static void book(struct library_world *t, int64_t campaign, struct books *b)
{
    int64_t all = 0, placed = 0, said;
    struct run_counts n;

    book_clear(b);
    each_row(t, "SELECT block, 0, 0, bits FROM push_part WHERE campaign = ?", campaign, b,
             book_part);
    each_row(
        t,
        "SELECT block, next, 0, bits FROM push_part WHERE campaign = ? AND transport IN (1, 7)",
        campaign, b, book_rest);
    each_row(t, "SELECT block, 0, 0, bits FROM push_batch WHERE campaign = ?", campaign, b,
             book_rest);
    each_row(t, "SELECT block, 0, what, bits FROM push_outcome WHERE campaign = ?", campaign, b,
             book_outcome);
    for (int i = 0; i < PEOPLE; i++) {
        assert_in_range(b->audience[device[i]], 0, 1);
        assert_int_equal(b->places[device[i]], b->audience[device[i]]);
        all += b->audience[device[i]];
        placed += b->places[device[i]];
    }
    assert_int_equal(b->ticks, all + placed); /* and nobody who does not exist */
    assert_int_equal(run_count(&t->w, campaign, &n), RC_OK);
    assert_int_equal(n.audience, all);
    said = n.waiting + n.sent;
    for (int by = 0; by < TRANSPORT_COUNT; by++)
        for (int what = 0; what < RUN_RESENT; what++)
            said += n.by[by][what];
    assert_int_equal(said, all);
}

/* ---- a vendor ---- */

struct vendor {
    uint8_t shown[NUMBERS]; /* how often the campaign came on this screen */
    int percent[RUN_WHATS]; /* of which answer; [0]: not now. The rest is taken */
    bool down;
};

/* What it says to one; in doubt are some that it had shown, and some that never came. */
static enum run_what answer(struct vendor *v, int64_t no)
{
    int at = roll(100);

    if (v->down)
        return 0;
    for (int what = 0; what < RUN_WHATS; what++) {
        if (at < v->percent[what]) {
            if (what == RUN_DOUBT)
                v->shown[no] += (uint8_t)roll(2);
            return (enum run_what)what;
        }
        at -= v->percent[what];
    }
    v->shown[no]++;
    return RUN_ACCEPTED;
}

/* ---- the server ---- */

static enum rc open_some(struct library_world *t, void *arg)
{
    int64_t campaign;

    return run_open(&t->w, *(unsigned *)arg, *(unsigned *)arg, &campaign);
}

struct taking {
    enum transport by;
    struct run_limits limits;
    struct run_batch b;
};

static enum rc take(struct library_world *t, void *arg)
{
    struct taking *k = arg;

    return run_take(&t->w, k->by, &k->limits, &k->b);
}

struct writing {
    struct run_batch *b;
    int64_t again_ms;
};

static enum rc write_it(struct library_world *t, void *arg)
{
    struct writing *k = arg;

    return run_write(&t->w, k->b, k->again_ms);
}

static enum rc recover(struct library_world *t, void *arg)
{
    int64_t campaign;

    return run_recover(&t->w, arg, &campaign);
}

static enum rc drop(struct library_world *t, void *arg)
{
    int64_t campaign;

    return run_drop(&t->w, arg ? *(unsigned *)arg : ON, &campaign);
}

static enum rc finish(struct library_world *t, void *arg)
{
    bool stopped;

    return run_end(&t->w, arg, &stopped);
}

static enum rc stop(struct library_world *t, void *arg)
{
    return run_stop(&t->w, *(int64_t *)arg);
}

static enum rc begin(struct library_world *t, void *arg)
{
    return run_begin(&t->w, arg);
}

/* A start after a kill -9. */
static void recover_all(struct library_world *t)
{
    int64_t no = 0;
    enum rc rc;

    while ((rc = world_do(t, recover, &no)) == RC_OK)
        continue;
    assert_int_equal(rc, RC_NOT_FOUND);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_batch WHERE sent = 1"), 0);
}

struct plan {
    struct run_new run;
    struct vendor *vendor;
    int kills, stops; /* of a hundred steps */
    int a_day, a_person, batch;
    struct books *after; /* each step; NULL: none */
};

/* One batch, killed or not. False: there was nothing to do for this transport. */
static bool send_one(struct library_world *t, const struct plan *p, enum transport by)
{
    struct taking k = { .by = by,
                        .limits = { .most = p->batch,
                                    .a_day = { [PUSH_MARKETING] = p->a_day },
                                    .a_person = p->a_person } };
    enum rc rc = world_do(t, take, &k);
    struct writing written = { &k.b, clock_now_ms() + 1000 * (1 + roll(30)) };

    if (rc == RC_NOT_FOUND)
        return false;
    assert_int_equal(rc, RC_OK);
    if (k.b.n) {
        if (roll(100) < p->kills) { /* before it was sent */
            recover_all(t);
            return true;
        }
        for (int i = 0; i < k.b.n; i++)
            k.b.target[i].what = answer(p->vendor, k.b.target[i].no);
        if (roll(100) < p->kills) { /* behind it */
            recover_all(t);
            return true;
        }
        assert_int_equal(world_do(t, write_it, &written), RC_OK);
        assert_int_equal(world_do(t, write_it, &written), RC_NOT_FOUND); /* twice is once */
    }
    return true;
}

/* Until it is over. Returns at how many seconds. */
static int64_t go(struct library_world *t, struct plan *p)
{
    int64_t campaign = p->run.campaign, over = 0, began = clock_now();
    unsigned on = ON;

    assert_int_equal(world_do(t, begin, &p->run), RC_OK);
    assert_int_equal(world_do(t, begin, &p->run), RC_CONFLICT);
    for (int steps = 0; over != campaign; steps++) {
        bool busy = false;
        enum rc rc = world_do(t, open_some, &on);

        assert_true(rc == RC_OK || rc == RC_NOT_FOUND || rc == RC_BUSY);
        busy = rc != RC_NOT_FOUND;
        busy |= send_one(t, p, TRANSPORT_HUAWEI);
        busy |= send_one(t, p, TRANSPORT_APNS);
        if (roll(100) < p->stops)
            (void)world_do(t, stop, &campaign);
        busy |= world_do(t, drop, NULL) == RC_OK;
        if (p->after)
            book(t, campaign, p->after);
        if (world_do(t, finish, &over) == RC_OK)
            break;
        if (!busy)
            clock_set(clock_now() + 1);
        assert_in_range(steps, 0, 100000);
    }
    assert_int_equal(over, campaign);
    return clock_now() - began;
}

static struct plan plan_of(int64_t campaign, struct vendor *v)
{
    return (struct plan){ .run = { .campaign = campaign,
                                   .audience = "{\"all\":true}",
                                   .class = PUSH_SERVICE,
                                   .doubt = RUN_SKIP,
                                   .ends_ms = clock_now_ms() + 8 * HOUR * 1000 },
                          .vendor = v,
                          .batch = 7 };
}

/* ---- tests ---- */

static struct books books;

static void count_outcomes(int64_t out[RUN_WHATS])
{
    memset(out, 0, RUN_WHATS * sizeof *out);
    for (int i = 0; i < PEOPLE; i++)
        out[books.outcome[device[i]]]++;
}

static void everyone_gets_it_once(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    int64_t n[RUN_WHATS];

    p.after = &books;
    go(t, &p);
    count_outcomes(n);
    assert_int_equal(n[RUN_OFF], PEOPLE / 7);
    assert_int_equal(n[RUN_ACCEPTED], PEOPLE - PEOPLE / 7);
    for (int i = 0; i < PEOPLE; i++)
        assert_int_equal(v.shown[device[i]], books.outcome[device[i]] == RUN_ACCEPTED);
}

static void districts_come_in_their_order(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    struct taking k = { .by = TRANSPORT_HUAWEI, .limits = { .most = RUN_BATCH } };
    unsigned on = ON;
    int64_t in[RUN_WHATS];

    p.run.areas[0] = "120102";
    p.run.areas[1] = "120101";
    p.run.nareas = 2;
    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
    for (int i = 0; i < 3;
         i++) { /* the three blocks of the first district, of which some may be empty */
        struct writing written = { &k.b, 0 };

        assert_int_equal(world_do(t, take, &k), RC_OK);
        for (int j = 0; j < k.b.n; j++)
            k.b.target[j].what = RUN_ACCEPTED;
        assert_int_equal(world_do(t, write_it, &written), RC_OK);
        assert_int_equal(run_count_area(&t->w, 1, "120102", in), RC_OK);
        if (!world_number(t, "SELECT count(*) FROM push_part WHERE transport = 1 AND rank = 0 "
                             "AND next < 65536"))
            break;
    }
    assert_int_equal(world_number(t, "SELECT sum(n) FROM push_outcome WHERE what = 1"),
                     in[RUN_ACCEPTED]);
    assert_true(in[RUN_ACCEPTED] > 0);
    assert_int_equal(run_count_area(&t->w, 1, "120101", in), RC_OK);
    assert_int_equal(in[RUN_ACCEPTED], 0);
}

/* With skip nobody sees it twice; with resend only who is noted. */
static void killed_at_every_place(void **state)
{
    static const char *const whom[] = { "{\"all\":true}", "{\"area\":\"120101\"}",
                                        "{\"not\":{\"area\":\"120102\"}}",
                                        "{\"accounts\":[1,2,3,5,8,13,21,34,55,89]}" };
    struct library_world *t = *state;
    int64_t twice = 0, doubtful = 0;

    for (int64_t round = 1; round <= (getenv("TJZW_FULL") ? 500 : 12); round++) {
        struct vendor *v = calloc(1, sizeof *v);
        struct plan p = plan_of(round, v);

        v->percent[0] = roll(30);
        v->percent[RUN_REJECTED] = roll(10);
        v->percent[RUN_QUOTA] = roll(10);
        v->percent[RUN_DOUBT] = roll(20);
        p.run.audience = whom[roll(4)];
        p.run.doubt = roll(2) ? RUN_SKIP : RUN_RESEND;
        p.run.areas[0] = "120101";
        p.run.nareas = roll(2);
        p.kills = roll(30);
        p.stops = roll(4) ? 0 : 3;
        p.after = &books;
        go(t, &p);
        for (int i = 0; i < PEOPLE; i++) {
            int64_t no = device[i];

            assert_int_equal(books.outcome[no] != 0, books.audience[no]);
            if (books.outcome[no] == RUN_ACCEPTED)
                assert_true(v->shown[no] >= 1);
            else if (books.outcome[no] != RUN_DOUBT && !books.resent[no])
                assert_int_equal(v->shown[no], 0);
            if (v->shown[no] > 1) {
                assert_int_equal(p.run.doubt, RUN_RESEND);
                assert_true(books.resent[no]);
                twice++;
            }
            doubtful += books.outcome[no] == RUN_DOUBT;
        }
        free(v);
        clock_set(clock_now() + 24 * HOUR);
    }
    assert_true(twice > 0 && doubtful > 0);
}

static void an_hour_without_the_vendor_costs_nobody(void **state)
{
    struct library_world *t = *state;
    int64_t n[RUN_WHATS], devices = world_number(t, "SELECT count(*) FROM push_address");
    struct vendor v = { .down = true };
    struct plan p = plan_of(1, &v);
    unsigned on = ON;

    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
    for (int64_t until = clock_now() + HOUR; clock_now() < until; clock_set(clock_now() + 40)) {
        send_one(t, &p, TRANSPORT_HUAWEI);
        send_one(t, &p, TRANSPORT_APNS);
    }
    v.down = false;
    while (world_number(t, "SELECT count(*) FROM push_batch") ||
           world_number(t, "SELECT sum(rest) FROM push_part")) {
        send_one(t, &p, TRANSPORT_HUAWEI);
        send_one(t, &p, TRANSPORT_APNS);
        clock_set(clock_now() + 1);
    }
    book(t, 1, &books);
    count_outcomes(n);
    assert_int_equal(n[RUN_ACCEPTED], PEOPLE - PEOPLE / 7);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address"), devices);
}

static void whoever_is_gone_is_forgotten_unless_he_spoke_since(void **state)
{
    struct library_world *t = *state;
    struct taking k = { .by = TRANSPORT_APNS, .limits = { .most = RUN_BATCH } };
    struct writing written = { &k.b, 0 };
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    unsigned on = ON;

    p.run.audience = "{\"accounts\":[2,4]}";
    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
    assert_int_equal(world_do(t, take, &k), RC_OK);
    assert_int_equal(k.b.n, 2);
    clock_set(clock_now() + 48 * HOUR);
    world_begin(t);
    assert_int_equal(address_tell(&t->w, 2, arena_printf(t->mem, "device%016d", 1),
                                  TRANSPORT_APNS, arena_printf(t->mem, "%064d", 1)),
                     RC_OK);
    world_commit(t);
    k.b.target[0].what = k.b.target[1].what = RUN_GONE;
    assert_int_equal(world_do(t, write_it, &written), RC_OK);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address WHERE account = 2"), 1);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_address WHERE account = 4"), 0);
}

/* Marketing at eleven in the evening, and twice a day. */
static void nights_and_quotas(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    int64_t n[RUN_WHATS];

    p.run.class = PUSH_MARKETING;
    p.a_day = 2;
    p.after = &books;
    clock_set(WORLD_NOW + 7 * HOUR);
    go(t, &p);
    count_outcomes(n);
    assert_int_equal(n[RUN_QUIET],
                     PEOPLE / 5 - 2); /* two of these have a transport that is off */
    clock_set(WORLD_NOW + 20 * HOUR); /* noon of the next day */
    for (int64_t campaign = 2; campaign < 5; campaign++) {
        p.run.campaign = campaign;
        p.run.ends_ms = clock_now_ms() + HOUR * 1000;
        go(t, &p);
        count_outcomes(n);
        assert_int_equal(n[RUN_QUOTA], campaign < 4 ? 0 : PEOPLE - PEOPLE / 7);
    }
    p.run.class = PUSH_SERVICE; /* has no quota, and wakes who wants to be told */
    p.run.campaign = 5;
    clock_set(WORLD_NOW + 31 * HOUR);
    p.run.ends_ms = clock_now_ms() + HOUR * 1000;
    go(t, &p);
    count_outcomes(n);
    assert_int_equal(n[RUN_ACCEPTED], PEOPLE - PEOPLE / 7);
}

static void whoever_moves_meanwhile_gets_it_once(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    unsigned on = ON;
    int64_t n[RUN_WHATS];

    p.run.areas[0] = "120101";
    p.run.areas[1] = "120102";
    p.run.nareas = 2;
    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    for (int i = 0; world_do(t, open_some, &on) == RC_OK; i++) {
        put(t, 1 + i * 7 % PEOPLE, "set", "area", roll(2) ? "\"120101\"" : "\"120102\"");
        put(t, 1 + i * 5 % PEOPLE, "set", "area", roll(2) ? "\"120101\"" : "\"120103\"");
    }
    while (world_number(t, "SELECT sum(rest) FROM push_part")) {
        send_one(t, &p, TRANSPORT_HUAWEI);
        send_one(t, &p, TRANSPORT_APNS);
    }
    book(t, 1, &books);
    count_outcomes(n);
    assert_int_equal(n[RUN_ACCEPTED] + n[RUN_OFF], PEOPLE);
    for (int i = 0; i < PEOPLE; i++)
        assert_in_range(v.shown[device[i]], 0, 1);
}

static void tells(struct library_world *t, int64_t account, const char *name, enum transport by,
                  int token)
{
    world_begin(t);
    assert_int_equal(
        address_tell(&t->w, account, name, by, arena_printf(t->mem, "%064d", token)), RC_OK);
    world_commit(t);
}

/* Begun, opened, and nothing of it sent. */
static void opened(struct library_world *t, struct plan *p)
{
    unsigned on = ON;

    assert_int_equal(world_do(t, begin, &p->run), RC_OK);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
}

static void send_all(struct library_world *t, struct plan *p)
{
    while (world_number(t, "SELECT sum(rest) FROM push_part") ||
           world_number(t, "SELECT count(*) FROM push_batch")) {
        send_one(t, p, TRANSPORT_HUAWEI);
        send_one(t, p, TRANSPORT_APNS);
        clock_set(clock_now() + 1);
    }
}

/* Red before: a new number stood in a block that was still to be opened, and the old one had had it. */
static void a_phone_installed_anew_gets_it_once(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    unsigned on = ON;

    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    assert_int_equal(world_do(t, open_some, &on), RC_OK);
    while (send_one(t, &p, TRANSPORT_HUAWEI))
        continue;
    assert_int_equal(v.shown[device[0]], 1);
    tells(t, 1, "another-name-of-the-same", TRANSPORT_HUAWEI, 0);
    assert_int_equal(world_number(t, "SELECT no FROM push_address WHERE account = 1"),
                     device[0]);
    tells(t, 2, "a-device-that-came-since-then", TRANSPORT_HUAWEI, 1000);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
    send_all(t, &p);
    assert_int_equal(v.shown[device[0]], 1);
    assert_int_equal(v.shown[world_number(t, "SELECT max(no) FROM push_address")], 0);
}

/* Red before: it was counted as gone. */
static void who_is_reached_another_way_since_gets_it_there(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);

    opened(t, &p);
    tells(t, 1, arena_printf(t->mem, "device%016d", 0), TRANSPORT_APNS, 0);
    send_all(t, &p);
    book(t, 1, &books);
    assert_int_equal(books.outcome[device[0]], RUN_ACCEPTED);
    assert_int_equal(v.shown[device[0]], 1);
}

/* Red before: gone, though it had a token that was good. */
static void who_spoke_while_he_was_sent_to_gets_it_by_what_he_said(void **state)
{
    struct taking k = { .by = TRANSPORT_APNS, .limits = { .most = RUN_BATCH } };
    struct library_world *t = *state;
    struct writing written = { &k.b, 0 };
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);

    p.run.audience = "{\"accounts\":[2]}";
    opened(t, &p);
    assert_int_equal(world_do(t, take, &k), RC_OK);
    clock_set(clock_now() + 5);
    tells(t, 2, arena_printf(t->mem, "device%016d", 1), TRANSPORT_APNS, 2000);
    k.b.target[0].what = RUN_GONE;
    assert_int_equal(world_do(t, write_it, &written), RC_OK);
    send_all(t, &p);
    book(t, 1, &books);
    assert_int_equal(books.outcome[device[1]], RUN_ACCEPTED);
}

/* Red before: each phone had as many. */
static void a_person_has_so_many_a_day_on_all_his_phones(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    int64_t second;

    tells(t, 1, "the-second-phone-of-the-first", TRANSPORT_APNS, 3000);
    second = world_number(t, "SELECT max(no) FROM push_address");
    p.run.class = PUSH_MARKETING;
    p.a_person = 2;
    for (int64_t campaign = 1; campaign <= 4; campaign++) {
        /* first to one, then to the other, then to both */
        static const char *const whom[] = { "{\"transport\":\"huawei\"}",
                                            "{\"transport\":\"apns\"}", "{\"all\":true}",
                                            "{\"all\":true}" };

        p.run.campaign = campaign;
        p.run.audience = whom[campaign - 1];
        p.run.ends_ms = clock_now_ms() + HOUR * 1000;
        go(t, &p);
    }
    assert_int_equal(v.shown[device[0]], 1); /* the first, and then his other phone's */
    assert_int_equal(v.shown[second], 1);
    assert_int_equal(v.shown[device[1]], 2); /* one phone: the second and the third */
    assert_int_equal(v.shown[device[2]], 2);
    clock_set(WORLD_NOW + 24 * HOUR);
    p.run.campaign = 5;
    p.run.ends_ms = clock_now_ms() + HOUR * 1000;
    go(t, &p);
    assert_int_equal(v.shown[device[0]], 2);
    assert_int_equal(v.shown[second], 2);
}

/* Who sends reads all words of quiet hours once a minute and block, not for each batch. */
static void the_night_is_read_once_a_minute(void **state)
{
    static struct ledger_quiets quiets;
    struct library_world *t = *state;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    struct bits first, again;

    memset(&quiets, 0, sizeof quiets);
    opened(t, &p);
    clock_set(WORLD_NOW + 7 * HOUR);
    world_begin(t);
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 0, &first), RC_OK);
    world_commit(t);
    assert_true(bits_count(&first) > 0);
    world_vandalise(t, "DELETE FROM push_set");
    world_begin(t);
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 0, &again), RC_OK);
    assert_int_equal(bits_count(&again), bits_count(&first));
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 1, &again), RC_OK);
    assert_int_equal(bits_count(&again), 0);
    clock_set(clock_now() + 60);
    assert_int_equal(ledger_quiet_now(&t->w, &quiets, 0, &again), RC_OK);
    assert_int_equal(bits_count(&again), 0);
    world_commit(t);
}

static enum rc pause_it(struct library_world *t, void *arg)
{
    return run_pause(&t->w, 1, *(bool *)arg);
}

static void paused_it_rests(void **state)
{
    struct library_world *t = *state;
    bool yes = true, no = false;
    struct vendor v = { 0 };
    struct plan p = plan_of(1, &v);
    unsigned on = ON;

    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
    assert_int_equal(world_do(t, pause_it, &no), RC_CONFLICT);
    assert_int_equal(world_do(t, pause_it, &yes), RC_OK);
    assert_false(send_one(t, &p, TRANSPORT_HUAWEI));
    assert_int_equal(world_do(t, pause_it, &no), RC_OK);
    assert_true(send_one(t, &p, TRANSPORT_HUAWEI));
}

/* Its keys are taken away in the middle, and at last its time is over: the campaign ends all the same. */
static void a_transport_that_is_off_by_now_holds_up_nobody(void **state)
{
    struct library_world *t = *state;
    struct vendor v = { .down = true };
    struct plan p = plan_of(1, &v);
    unsigned on = ON, later = 1U << TRANSPORT_HUAWEI;
    int64_t n[RUN_WHATS], over = 0;

    assert_int_equal(world_do(t, begin, &p.run), RC_OK);
    while (world_do(t, open_some, &on) == RC_OK)
        continue;
    assert_true(send_one(t, &p, TRANSPORT_APNS)); /* they wait */
    while (world_do(t, drop, &later) == RC_OK)
        continue;
    book(t, 1, &books);
    count_outcomes(n);
    assert_int_equal(n[RUN_OFF],
                     PEOPLE / 7 +
                         world_number(t, "SELECT sum(n) FROM push_part WHERE transport = 7"));
    assert_int_equal(world_do(t, finish, &over), RC_NOT_FOUND);
    clock_set(clock_now() + 9 * HOUR);
    while (world_do(t, drop, &later) == RC_OK)
        continue;
    assert_int_equal(world_do(t, finish, &over), RC_OK);
    book(t, 1, &books);
    count_outcomes(n);
    assert_int_equal(n[RUN_REJECTED],
                     world_number(t, "SELECT sum(n) FROM push_part WHERE transport = 1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everyone_gets_it_once),
        TEST(districts_come_in_their_order),
        TEST(killed_at_every_place),
        TEST(an_hour_without_the_vendor_costs_nobody),
        TEST(whoever_is_gone_is_forgotten_unless_he_spoke_since),
        TEST(nights_and_quotas),
        TEST(whoever_moves_meanwhile_gets_it_once),
        TEST(a_phone_installed_anew_gets_it_once),
        TEST(who_is_reached_another_way_since_gets_it_there),
        TEST(who_spoke_while_he_was_sent_to_gets_it_by_what_he_said),
        TEST(a_person_has_so_many_a_day_on_all_his_phones),
        TEST(the_night_is_read_once_a_minute),
        TEST(paused_it_rests),
        TEST(a_transport_that_is_off_by_now_holds_up_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
