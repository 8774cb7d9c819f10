/*
 * throttle.c - sketches of counters, and the rule of each.
 *
 * A cell is a count, when it began and when it last grew; after the rule's window it begins anew. A name has a cell in each of two rows, and what
 * counts is the smaller of both, so that only who meets another in both rows is taken for him: with 65,536 cells a row and 1,000 names
 * in them, one in 4,000.
 */
#include "server/identity/throttle.h"

#include <stdlib.h>

#include <sodium.h>

#include "server/base/memory.h"
#include "server/base/secret.h"

enum {
    ROWS = 2,
    CELLS = 1 << 16,
    MINUTE = 60,
    HOUR = 3600,
    DAY = 86400,
    WAIT_FIRST = 60,
    WAIT_MOST = HOUR
};

enum count { DEVICE, PAIR, CLIENT, UNDER_WAY, STRANGERS, STRANGERS_FACTOR, QUIET, COUNTS };

static const struct rule {
    int64_t free, window;
    bool waits; /* longer after each; else until the window ends */
} rules[COUNTS] = {
    [DEVICE] = { 5, HOUR, true },
    [PAIR] = { 5, DAY, true },
    [CLIENT] = { 50, HOUR, true },
    [UNDER_WAY] = { 100, MINUTE,
                    false }, /* what nobody gave back is forgotten with the minute */
    [STRANGERS] = { 100, HOUR, false },
    [STRANGERS_FACTOR] = { 20, HOUR, false },
    [QUIET] = { 1000, DAY, false },
};

struct cell {
    uint32_t began, last, n;
};

struct throttle {
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct cell cells[COUNTS][ROWS][CELLS];
};

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof *t);

    if (!t)
        memory_end();
    secret_random(t->key, sizeof t->key);
    return t;
}

void throttle_free(struct throttle *t)
{
    free(t);
}

static void find(struct throttle *t, enum count which, uint64_t a, uint64_t b,
                 struct cell *out[ROWS])
{
    const uint64_t name[2] = { a, b };
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, sizeof name, t->key);
    for (int row = 0; row < ROWS; row++, hash >>= 16)
        out[row] = &t->cells[which][row][hash % CELLS];
}

/* Seconds from the last guess to the next. */
static int64_t pause_after(const struct rule *r, int64_t n)
{
    int64_t doubled = n - r->free;

    if (n < r->free)
        return 0;
    return doubled < 6 ? (int64_t)WAIT_FIRST << doubled : WAIT_MOST;
}

/* When the cell lets the next one pass; it begins anew if its time is over. */
static int64_t free_at(const struct rule *r, struct cell *c, int64_t now)
{
    int64_t until = r->waits                   ? c->last + pause_after(r, c->n)
                    : (int64_t)c->n >= r->free ? c->began + r->window
                                               : 0;

    if (!c->n || (now >= c->began + r->window && now >= until))
        *c = (struct cell){ .began = (uint32_t)now };
    return c->n ? until : 0;
}

/* Seconds until this count lets a guess pass; 0: now. */
static int64_t wait_of(struct throttle *t, enum count which, uint64_t a, uint64_t b,
                       int64_t now)
{
    struct cell *c[ROWS];
    int64_t soonest = INT64_MAX;

    find(t, which, a, b, c);
    for (int row = 0; row < ROWS; row++) {
        int64_t at = free_at(&rules[which], c[row], now);

        soonest = at < soonest ? at : soonest;
    }
    return soonest > now ? soonest - now : 0;
}

static void count(struct throttle *t, enum count which, uint64_t a, uint64_t b, int64_t now)
{
    struct cell *c[ROWS];

    find(t, which, a, b, c);
    for (int row = 0; row < ROWS; row++) {
        if (c[row]->n < UINT32_MAX)
            c[row]->n++;
        c[row]->last = (uint32_t)now;
    }
}

static void take_back(struct throttle *t, enum count which, uint64_t a, uint64_t b, uint32_t n)
{
    struct cell *c[ROWS];

    find(t, which, a, b, c);
    for (int row = 0; row < ROWS; row++)
        c[row]->n -= c[row]->n < n ? c[row]->n : n;
}

/* What this count has of them at this moment. */
static uint32_t count_of(struct throttle *t, enum count which, uint64_t a, uint64_t b,
                         int64_t now)
{
    struct cell *c[ROWS];

    (void)wait_of(t, which, a, b, now); /* what is over begins anew */
    find(t, which, a, b, c);
    return c[0]->n < c[1]->n ? c[0]->n : c[1]->n;
}

/* ---- a guess ---- */

/* A count, and of whom. */
struct name {
    enum count which;
    uint64_t a, b;
};

/* A password and a second factor of one account are two things to guess. */
static uint64_t target_of(const struct throttle_guess *g)
{
    return g->account ^ (g->what == THROTTLE_FACTOR ? ~UINT64_C(0) : 0);
}

/* What a guess counts for from its beginning; the first is of nobody else. */
static int names_of(const struct throttle_guess *g, struct name out[3])
{
    uint64_t target = target_of(g);

    if (g->device) {
        out[0] = (struct name){ DEVICE, g->device, target };
        return 1;
    }
    out[0] = (struct name){ PAIR, g->client, target };
    out[1] = (struct name){ UNDER_WAY, g->client, 0 };
    out[2] = (struct name){ g->what == THROTTLE_FACTOR ? STRANGERS_FACTOR
                            : g->quiet                 ? QUIET
                                                       : STRANGERS,
                            0, target };
    return g->what == THROTTLE_SMS ? 2 : 3;
}

static int64_t wait_for(struct throttle *t, const struct name *n, int64_t now)
{
    return wait_of(t, n->which, n->a, n->b, now);
}

static bool is_quiet(struct throttle *t, const struct throttle_guess *g, int64_t now)
{
    return !count_of(t, PAIR, g->client, target_of(g), now) &&
           !count_of(t, CLIENT, g->client, 0, now);
}

/* What strangers guessed here together; a quiet client goes on among the quiet ones. */
static enum throttle_answer ask_strangers(struct throttle *t, struct throttle_guess *g,
                                          int64_t now, int64_t *wait)
{
    struct name names[3];

    if (names_of(g, names) < 3 || !(*wait = wait_for(t, &names[2], now)))
        return THROTTLE_GO;
    if (g->what != THROTTLE_PASSWORD)
        return THROTTLE_WAIT;
    if (!(g->quiet = is_quiet(t, g, now)))
        return THROTTLE_CODE;
    names_of(g, names);
    return (*wait = wait_for(t, &names[2], now)) ? THROTTLE_CODE : THROTTLE_GO;
}

static enum throttle_answer ask_own(struct throttle *t, const struct throttle_guess *g,
                                    int64_t now, int64_t *wait)
{
    struct name names[3];
    int n = names_of(g, names);
    int64_t client = g->device ? 0 : wait_of(t, CLIENT, g->client, 0, now);

    *wait = wait_for(t, &names[0], now);
    *wait = client > *wait ? client : *wait;
    if (*wait)
        return THROTTLE_WAIT;
    return n > 1 && wait_for(t, &names[1], now) ? THROTTLE_BUSY : THROTTLE_GO;
}

enum throttle_answer throttle_take(struct throttle *t, struct throttle_guess *g, int64_t now,
                                   int64_t *wait)
{
    enum throttle_answer answer;
    struct name names[3];
    int n;

    g->quiet = false;
    if ((answer = ask_strangers(t, g, now, wait)) || (answer = ask_own(t, g, now, wait)))
        return answer;
    n = names_of(g, names);
    for (int i = 0; i < n; i++)
        count(t, names[i].which, names[i].a, names[i].b, now);
    return THROTTLE_GO;
}

void throttle_give_back(struct throttle *t, const struct throttle_guess *g)
{
    struct name names[3];
    int n = names_of(g, names);

    for (int i = 0; i < n; i++)
        take_back(t, names[i].which, names[i].a, names[i].b, 1);
}

void throttle_wrong(struct throttle *t, const struct throttle_guess *g, int64_t now)
{
    if (g->device)
        return;
    take_back(t, UNDER_WAY, g->client, 0, 1);
    count(t, CLIENT, g->client, 0, now);
}

/* What one client guessed wrong at his own account is forgotten; what counts for others too is less by this one alone, or
 * who has an account would have as many guesses at others' as he likes. */
void throttle_right(struct throttle *t, const struct throttle_guess *g)
{
    struct name names[3];
    struct cell *c[ROWS];

    throttle_give_back(t, g);
    names_of(g, names);
    find(t, names[0].which, names[0].a, names[0].b, c);
    take_back(t, names[0].which, names[0].a, names[0].b, c[0]->n < c[1]->n ? c[0]->n : c[1]->n);
}
