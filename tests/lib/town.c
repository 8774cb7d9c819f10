/*
 * town.c - ninety people in three blocks; and after each commit, everyone stands in exactly one place.
 */
#include "tests/lib/town.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <string.h>

#include "push/address.h"
#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/identity/account.h"

static uint64_t dice = 1;

int town_roll(int below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (int)(dice % (uint64_t)below);
}

/* ---- a town ---- */

void town_put(struct library_world *t, int64_t account, const char *type, const char *key,
              const char *value)
{
    world_begin(t);
    assert_int_equal(entry_put(&t->w, account, type, key, value, NULL, NULL), RC_OK);
    world_commit(t);
}

int64_t town_device[TOWN_PEOPLE];
const unsigned town_on = 1U << TRANSPORT_HUAWEI | 1U << TRANSPORT_APNS;

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
    town_device[i] = world_number(t, "SELECT max(no) FROM push_address");
    return a.id;
}

/* A third lives in each of two districts; every fifth sleeps from ten to seven. */
static void populate(struct library_world *t)
{
    for (int i = 0; i < TOWN_PEOPLE; i++) {
        int64_t who = person(t, i);

        if (i % 3)
            town_put(t, who, "set", "area", i % 3 == 1 ? "\"120101\"" : "\"120102001\"");
        if (i % 5 == 0)
            town_put(t, who, "set", "quiet", "\"22:00-07:00\"");
        if (i == TOWN_PEOPLE / 3)
            world_vandalise(
                t, "UPDATE sqlite_sequence SET seq = 65530 WHERE name = 'push_address'");
        if (i == TOWN_PEOPLE / 2)
            world_vandalise(
                t, "UPDATE sqlite_sequence SET seq = 131080 WHERE name = 'push_address'");
    }
}

int town_set_up(void **state)
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

int town_tear_down(void **state)
{
    clock_unset();
    seal_forget();
    return library_world_tear_down(state);
}

/* ---- everyone stands in one place ---- */

static void book_clear(struct town_books *b)
{
    for (int i = 0; i < TOWN_PEOPLE; i++) {
        int64_t no = town_device[i];

        b->audience[no] = b->places[no] = b->outcome[no] = b->resent[no] = 0;
    }
    b->ticks = 0;
}

static void count_in(struct town_books *b, const struct bits *who, int64_t block, uint8_t *list)
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
                     struct town_books *b,
                     void (*fn)(struct town_books *b, int64_t block, int what,
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

static void book_part(struct town_books *b, int64_t block, int what, const struct bits *who)
{
    (void)what;
    count_in(b, who, block, b->audience);
}

static void book_rest(struct town_books *b, int64_t block, int what, const struct bits *who)
{
    (void)what;
    count_in(b, who, block, b->places);
}

static void book_outcome(struct town_books *b, int64_t block, int what, const struct bits *who)
{
    if (what == RUN_RESENT) {
        mark(who, block, b->resent, 1);
        return;
    }
    count_in(b, who, block, b->places);
    mark(who, block, b->outcome, (uint8_t)what);
}

/* Everyone of the audience is in one place; and the numbers that are kept beside the sets say the same. */
void town_book(struct library_world *t, int64_t campaign, struct town_books *b)
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
    for (int i = 0; i < TOWN_PEOPLE; i++) {
        assert_in_range(b->audience[town_device[i]], 0, 1);
        assert_int_equal(b->places[town_device[i]], b->audience[town_device[i]]);
        all += b->audience[town_device[i]];
        placed += b->places[town_device[i]];
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

/* What it says to one; in doubt are some that it had shown, and some that never came. */
static enum run_what answer(struct town_vendor *v, int64_t no)
{
    int at = town_roll(100);

    if (v->down)
        return 0;
    for (int what = 0; what < RUN_WHATS; what++) {
        if (at < v->percent[what]) {
            if (what == RUN_DOUBT)
                v->shown[no] += (uint8_t)town_roll(2);
            return (enum run_what)what;
        }
        at -= v->percent[what];
    }
    v->shown[no]++;
    return RUN_ACCEPTED;
}

/* ---- the server ---- */

enum rc town_open(struct library_world *t, void *arg)
{
    int64_t campaign;

    return run_open(&t->w, *(unsigned *)arg, *(unsigned *)arg, &campaign);
}

enum rc town_take(struct library_world *t, void *arg)
{
    struct town_taking *k = arg;

    return run_take(&t->w, k->by, &k->limits, &k->b);
}

enum rc town_write(struct library_world *t, void *arg)
{
    struct town_writing *k = arg;

    return run_write(&t->w, k->b, k->again_ms);
}

static enum rc recover(struct library_world *t, void *arg)
{
    int64_t campaign;

    return run_recover(&t->w, arg, &campaign);
}

enum rc town_drop(struct library_world *t, void *arg)
{
    int64_t campaign;

    return run_drop(&t->w, arg ? *(unsigned *)arg : town_on, &campaign);
}

enum rc town_finish(struct library_world *t, void *arg)
{
    bool stopped;

    return run_end(&t->w, arg, &stopped);
}

enum rc town_stop(struct library_world *t, void *arg)
{
    return run_stop(&t->w, *(int64_t *)arg);
}

enum rc town_begin(struct library_world *t, void *arg)
{
    return run_begin(&t->w, arg);
}

/* A start after a kill -9. */
void town_recover(struct library_world *t)
{
    int64_t no = 0;
    enum rc rc;

    while ((rc = world_do(t, recover, &no)) == RC_OK)
        continue;
    assert_int_equal(rc, RC_NOT_FOUND);
    assert_int_equal(world_number(t, "SELECT count(*) FROM push_batch WHERE sent = 1"), 0);
}

/* One batch, killed or not. False: there was nothing to do for this transport. */
bool town_send_one(struct library_world *t, const struct town_plan *p, enum transport by)
{
    struct town_taking k = { .by = by,
                             .limits = { .most = p->batch,
                                         .a_day = { [PUSH_MARKETING] = p->a_day },
                                         .a_person = p->a_person } };
    enum rc rc = world_do(t, town_take, &k);
    struct town_writing written = { &k.b, clock_now_ms() + 1000 * (1 + town_roll(30)) };

    if (rc == RC_NOT_FOUND)
        return false;
    assert_int_equal(rc, RC_OK);
    if (k.b.n) {
        if (town_roll(100) < p->kills) { /* before it was sent */
            town_recover(t);
            return true;
        }
        for (int i = 0; i < k.b.n; i++)
            k.b.target[i].what = answer(p->vendor, k.b.target[i].no);
        if (town_roll(100) < p->kills) { /* behind it */
            town_recover(t);
            return true;
        }
        assert_int_equal(world_do(t, town_write, &written), RC_OK);
        assert_int_equal(world_do(t, town_write, &written), RC_NOT_FOUND); /* twice is once */
    }
    return true;
}

/* Until it is over. Returns at how many seconds. */
int64_t town_go(struct library_world *t, struct town_plan *p)
{
    int64_t campaign = p->run.campaign, over = 0, began = clock_now();
    unsigned on = town_on;

    assert_int_equal(world_do(t, town_begin, &p->run), RC_OK);
    assert_int_equal(world_do(t, town_begin, &p->run), RC_CONFLICT);
    for (int steps = 0; over != campaign; steps++) {
        bool busy = false;
        enum rc rc = world_do(t, town_open, &on);

        assert_true(rc == RC_OK || rc == RC_NOT_FOUND || rc == RC_BUSY);
        busy = rc != RC_NOT_FOUND;
        busy |= town_send_one(t, p, TRANSPORT_HUAWEI);
        busy |= town_send_one(t, p, TRANSPORT_APNS);
        if (town_roll(100) < p->stops)
            (void)world_do(t, town_stop, &campaign);
        busy |= world_do(t, town_drop, NULL) == RC_OK;
        if (p->after)
            town_book(t, campaign, p->after);
        if (world_do(t, town_finish, &over) == RC_OK)
            break;
        if (!busy)
            clock_set(clock_now() + 1);
        assert_in_range(steps, 0, 100000);
    }
    assert_int_equal(over, campaign);
    return clock_now() - began;
}

struct town_plan town_plan_of(int64_t campaign, struct town_vendor *v)
{
    return (struct town_plan){ .run = { .campaign = campaign,
                                        .audience = "{\"all\":true}",
                                        .class = PUSH_SERVICE,
                                        .doubt = RUN_SKIP,
                                        .ends_ms = clock_now_ms() + 8 * TOWN_HOUR * 1000 },
                               .vendor = v,
                               .batch = 7 };
}

void town_tells(struct library_world *t, int64_t account, const char *name, enum transport by,
                int token)
{
    world_begin(t);
    assert_int_equal(
        address_tell(&t->w, account, name, by, arena_printf(t->mem, "%064d", token)), RC_OK);
    world_commit(t);
}

/* Begun, opened, and nothing of it sent. */
void town_opened(struct library_world *t, struct town_plan *p)
{
    unsigned on = town_on;

    assert_int_equal(world_do(t, town_begin, &p->run), RC_OK);
    while (world_do(t, town_open, &on) == RC_OK)
        continue;
}

void town_send_all(struct library_world *t, struct town_plan *p)
{
    while (world_number(t, "SELECT sum(rest) FROM push_part") ||
           world_number(t, "SELECT count(*) FROM push_batch")) {
        town_send_one(t, p, TRANSPORT_HUAWEI);
        town_send_one(t, p, TRANSPORT_APNS);
        clock_set(clock_now() + 1);
    }
}

void town_count(const struct town_books *b, int64_t out[RUN_WHATS])
{
    memset(out, 0, RUN_WHATS * sizeof *out);
    for (int i = 0; i < TOWN_PEOPLE; i++)
        out[b->outcome[town_device[i]]]++;
}
