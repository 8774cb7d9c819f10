/*
 * cover.c - a reader asks for the cover of the head it has just accepted, so those of the newest
 * heads are enough: the last 64, and all of the last ten minutes, together at most 2 MB.
 *
 * They are kept and not made when asked for, because the tree goes on. A cover of a million items
 * has 3 to 7 KB. Whoever comes too late (404) asks for the head again.
 */
#include "sync/cover.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/memory.h"

enum { KEEP = 64, KEEP_SECONDS = 600, COVERS_MAX = 2048, BYTES_MAX = 2 << 20 };

struct cover {
    uint64_t epoch, seq;
    int64_t kept; /* seconds */
    char *p;
    size_t n;
};

struct covers {
    pthread_mutex_t lock;
    size_t n, bytes;
    struct cover at[COVERS_MAX]; /* oldest first */
};

struct covers *covers_new(void)
{
    struct covers *c = calloc(1, sizeof *c);

    if (!c)
        memory_end();
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void covers_free(struct covers *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        free(c->at[i].p);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct cover *find(struct covers *c, uint64_t epoch, uint64_t seq)
{
    for (size_t i = c->n; i-- > 0;)
        if (c->at[i].seq == seq && c->at[i].epoch == epoch)
            return &c->at[i];
    return NULL;
}

static void drop(struct covers *c, struct cover *old)
{
    c->bytes -= old->n;
    c->n--;
    free(old->p);
    memmove(old, old + 1, (size_t)(c->at + c->n - old) * sizeof *old);
}

static bool too_many(const struct covers *c, int64_t now)
{
    return c->n && (c->n == COVERS_MAX || c->bytes > BYTES_MAX ||
                    (c->n >= KEEP && c->at[0].kept + KEEP_SECONDS < now));
}

void cover_keep(struct covers *c, uint64_t epoch, uint64_t seq, const char *p, size_t n)
{
    struct cover new = { epoch, seq, clock_now(), malloc(n), n };
    struct cover *old;

    if (!new.p)
        memory_end();
    memcpy(new.p, p, n);
    pthread_mutex_lock(&c->lock);
    if ((old = find(c, epoch, seq)))
        drop(c, old);
    c->bytes += n;
    while (too_many(c, new.kept))
        drop(c, &c->at[0]);
    c->at[c->n++] = new;
    pthread_mutex_unlock(&c->lock);
}

void cover_take(struct covers *c, struct tree *t, uint64_t epoch, uint64_t seq)
{
    struct buf b = BUF_HEAP;

    tree_cover(t, &b);
    cover_keep(c, epoch, seq, b.p, b.n);
    buf_done(&b);
}

enum rc cover_read(struct covers *c, struct err *e, struct arena *mem, uint64_t epoch,
                   uint64_t seq, const char **p, size_t *n)
{
    const struct cover *found;

    pthread_mutex_lock(&c->lock);
    if ((found = find(c, epoch, seq))) {
        *p = arena_dup(mem, found->p, found->n);
        *n = found->n;
    }
    pthread_mutex_unlock(&c->lock);
    return found ? RC_OK
                 : err_set(e, RC_NOT_FOUND,
                           "%" PRIu64 ".%" PRIu64 " is the state of none of the newest heads",
                           epoch, seq);
}
