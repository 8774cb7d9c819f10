/*
 * roll.c - who is found, without a lock.
 *
 *     shown --> roll 3 --older--> roll 2 --older--> roll 1 --older--> nobody
 *
 * A roll is never changed, only exchanged for another: whoever looks takes the newest as it stands. Old ones are
 * kept, since somebody may still read them; there are as many as streams ever came and went, and each is small.
 * What was found stays until sync_done(), also when it was dropped meanwhile.
 */
#include "sync/roll.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/memory.h"
#include "sync/heads.h"
#include "sync/live_state.h"

static const struct roll nobody;
static const struct roll *_Atomic shown = &nobody;
static _Atomic(struct live *) own; /* the default stream */

static struct roll
    *rolls; /* the newest first; the writer thread's, but before the start and after the end */

/* ---- looking ---- */

const struct roll *roll_now(void)
{
    return atomic_load_explicit(&shown, memory_order_acquire);
}

bool roll_has_room(void)
{
    return roll_now()->n < WIRE_STREAMS_MAX;
}

struct live *live_own(void)
{
    return atomic_load_explicit(&own, memory_order_acquire);
}

struct live *live_find(const char *name)
{
    const struct roll *r = roll_now();

    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->live[i]->name, name))
            return r->live[i];
    return NULL;
}

struct live *live_by_no(int64_t no)
{
    const struct roll *r = roll_now();

    for (int i = 0; i < r->n; i++)
        if (r->live[i]->no == no)
            return r->live[i];
    return NULL;
}

int live_count(void)
{
    return roll_now()->n;
}

struct live *live_at(int i)
{
    const struct roll *r = roll_now();

    return i < r->n ? r->live[i] : NULL;
}

/* ---- exchanging ---- */

/* The roll with `add` in its place (NULL: nobody is added), and without `drop`. */
static void exchange(struct live *add, const struct live *drop)
{
    const struct roll *old = roll_now();
    struct roll *r = calloc(1, sizeof *r);

    if (!r)
        memory_end();
    for (int i = 0; i < old->n; i++) {
        if (add && strcmp(add->name, old->live[i]->name) < 0) {
            r->live[r->n++] = add;
            add = NULL;
        }
        if (old->live[i] != drop)
            r->live[r->n++] = old->live[i];
    }
    if (add)
        r->live[r->n++] = add;
    r->older = rolls;
    rolls = r;
    atomic_store_explicit(&shown, r, memory_order_release);
    heads_touch();
}

void roll_enter(void *live)
{
    exchange(live, NULL);
}

void roll_leave(void *live)
{
    exchange(NULL, live);
}

void roll_set_own(struct live *l)
{
    atomic_store_explicit(&own, l, memory_order_release);
}

void roll_forget(void)
{
    atomic_store(&own, NULL);
    atomic_store(&shown, &nobody);
    while (rolls) {
        struct roll *older = rolls->older;

        free(rolls);
        rolls = older;
    }
}
