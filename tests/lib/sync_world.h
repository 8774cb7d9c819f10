/*
 * sync_world.h - a publishing server in a temporary directory, without HTTP and without
 * background work: writer thread, log, heads. Beside it a plain memory of what was published,
 * to compare with.
 */
#ifndef TESTS_SYNC_WORLD_H
#define TESTS_SYNC_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/conf.h"
#include "server/base/id.h"
#include "server/base/work.h"
#include "server/store/db.h"
#include "sync/head.h"
#include "sync/live.h"
#include "sync/wire.h"

enum { SYNC_NOW = 1763712000, SYNC_ITEMS = 512, SYNC_CHANGES = 8192 };

struct past { /* one change, as the test remembers it */
    uint64_t born;
    uint8_t leaf[HASH_BYTES];
};

struct state { /* what a reader holds: by born, seq 0 for nothing */
    uint64_t size;
    uint64_t seq[SYNC_ITEMS];
    uint8_t leaf[SYNC_ITEMS][HASH_BYTES];
};

struct sync_world {
    char dir[64];
    struct conf conf;
    struct arena *mem;
    struct work w; /* reads */
    struct live *live;
    struct pool *workers,
        *urgent; /* NULL: nobody builds in the background; who builds for purges, mostly NULL: the same */
    int64_t site;
    uint64_t seq, items;
    struct id id[SYNC_ITEMS];
    struct past past[SYNC_CHANGES + 1]; /* by seq */
    uint64_t random;
};

int sync_world_set_up(void **state);
int sync_world_tear_down(void **state);
void sync_world_stop(struct sync_world *t);
void sync_world_start(struct sync_world *t);
enum rc sync_world_try_start(struct sync_world *t, struct err *e);

uint32_t sync_world_random(struct sync_world *t, uint32_t below);
/* Publishes `n` bytes for an item: an existing one, or a new one if `born` is the number of
 * items. Waits for the COMMIT and a head that is due. */
void sync_world_put(struct sync_world *t, uint64_t born, size_t n);
/* The same with bytes of the test's own. */
void sync_world_put_bytes(struct sync_world *t, uint64_t born, const char *bytes, size_t n);
/* So many small changes of an item there is, in one transaction. */
void sync_world_put_often(struct sync_world *t, uint64_t born, int times);
void sync_world_withdraw(struct sync_world *t, uint64_t born);
/* A takedown: a tombstone that purges. */
void sync_world_take_down(struct sync_world *t, uint64_t born);
/* Takes down items 0 to n-1, each by its own change, in one transaction. */
void sync_world_take_down_all(struct sync_world *t, int n);
void sync_world_random_change(struct sync_world *t, size_t most);
/* `n` random changes in one transaction. */
void sync_world_burst(struct sync_world *t, int n, size_t most);
/* Starts with two workers; with two more for what a purge waits for. */
void sync_world_start_with_workers(struct sync_world *t);
void sync_world_start_with_both(struct sync_world *t);
/* One job of the writer. What it said is in *e; NULL: nobody wants to know. */
enum rc sync_world_on_writer(enum rc (*fn)(struct work *, void *), void *arg, struct err *e);
/* Waits until the writer has done what was queued. */
void sync_world_settle(struct sync_world *t);
/* The newest head, signed now if need be. */
struct wire_head sync_world_head(struct sync_world *t);
/* Ticks run every 50 ms of real time: waits until the newest head is another than `old`, at
 * most some seconds. */
struct wire_head sync_world_next_head(struct sync_world *t, const struct wire_head *old);

/* The state after the change `seq`. */
void sync_world_state(const struct sync_world *t, uint64_t seq, struct state *out);
/* Applies a pack by the rule. */
void state_apply(struct state *s, const char *pack, size_t n);
void state_root(const struct state *s, uint8_t out[HASH_BYTES]);
bool state_equal(const struct state *a, const struct state *b);
/* The identity of an encoded body, in t->mem. */
const char *sync_world_decode(struct sync_world *t, enum wire_encoding encoding, const char *p,
                              size_t n, size_t *out_n);

int64_t sync_world_number(struct sync_world *t, const char *sql);
void sync_world_sql(struct sync_world *t, const char *sql);
void sync_world_shell(struct sync_world *t,
                      const char *command); /* run in the data directory */

#endif
