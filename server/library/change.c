/*
 * change.c - appends to the log: numbers, hashes, chains and stores one change.
 *
 *     stream row --> seq + 1, born (first time) --> frame --> leaf --> chain
 *                --> rows of change, record, leaf, stream
 *
 * The stream's row is read and written in the caller's transaction and there is one writer, so
 * the numbers come in the order of commit and a rollback gives them back.
 *
 * Not here: what an item may become (state.c), its rows (publish.c), the frame's bytes
 * (sync/wire.c).
 */
#include "server/library/change.h"

#include <string.h>

#include "server/base/generation.h"
#include "server/base/metric.h"
#include "server/identity/party_reach.h"
#include "server/library/row.h"
#include "server/library/stream.h"
#include "sync/wire.h"

static struct change_observer
    observer; /* set before the writer starts, read by the writer thread only */

void change_observe(const struct change_observer *o)
{
    observer = o ? *o : (struct change_observer){ 0 };
}

struct told {
    struct change_told change;
    int gain;
};

static void tell_change(void *arg)
{
    const struct told *t = arg;

    generation_next();
    metric_add(METRIC_changes, 1);
    metric_add(METRIC_items_published, t->gain);
    if (observer.change)
        observer.change(&t->change);
}

static void tell_directory(void *arg)
{
    generation_next();
    if (observer.directory)
        observer.directory(*(const int64_t *)arg);
}

void change_directory(struct work *w, int64_t stream)
{
    party_reach_public(w);
    for (const struct commit_hook *h = w->after; h; h = h->next)
        if (h->fn == tell_directory && *(const int64_t *)h->arg == stream)
            return; /* once is enough */
    work_after_commit(w, tell_directory, arena_dup(w->mem, &stream, sizeof stream));
}

enum rc change_leaf(struct err *e, const struct change *c, const uint8_t digest[HASH_BYTES],
                    uint8_t leaf[HASH_BYTES])
{
    uint8_t text[1 + WIRE_FRAME_MAX + HASH_BYTES] = { 0x00 };
    struct wire_frame f = {
        .op = (uint8_t)c->op,
        .flags = (uint8_t)c->flags,
        .title_len = (uint16_t)strnlen(c->title, WIRE_TITLE_MAX + 1),
        .length = (uint32_t)c->n,
        .born = (uint64_t)c->born,
        .seq = (uint64_t)c->seq,
        .site = (uint32_t)c->site,
        .column = (uint32_t)c->col,
        .date = c->date,
        .title = c->title,
    };
    struct sync_err why;
    size_t n;

    memcpy(f.id, c->item.b, sizeof f.id);
    if (wire_frame_encode(&why, &f, text + 1, &n))
        return err_set(e, RC_TOO_LARGE, "change %lld does not fit a record: %s",
                       (long long)c->seq, why.text);
    memcpy(text + 1 + n, digest, HASH_BYTES);
    sha256(text, 1 + n + HASH_BYTES, leaf);
    return RC_OK;
}

static enum rc store(struct work *w, const struct change *c, const uint8_t digest[HASH_BYTES],
                     const uint8_t leaf[HASH_BYTES], const struct stream *s)
{
    enum rc rc;

    if ((rc = db_run(w, SQL_change_add, "iiibiiiiiitibbi", c->stream, c->seq, c->born,
                     c->item.b, sizeof c->item.b, c->rev, (int64_t)c->op, (int64_t)c->flags,
                     c->site, c->col, c->date, c->title, (int64_t)c->n, digest,
                     (size_t)HASH_BYTES, s->chain, sizeof s->chain, c->at)) ||
        (rc = db_run(w, SQL_record_add, "iib", c->stream, c->seq, c->bytes, c->n)) ||
        (rc = db_run(w, SQL_leaf_set, "iiib", c->stream, c->born, c->seq, leaf,
                     (size_t)HASH_BYTES)))
        return rc;
    if (c->flags & CHANGE_PURGE &&
        (rc = db_run(w, SQL_record_forget, "iii", c->stream, c->born, c->seq)))
        return rc;
    return db_change(w, SQL_stream_advance, "iiiibi", s->no, s->seq, s->born, s->cut, s->chain,
                     sizeof s->chain, s->live);
}

enum rc change_write(struct work *w, struct change *c)
{
    uint8_t digest[HASH_BYTES];
    struct stream s;
    struct told *told = arena_alloc(w->mem, sizeof *told);
    enum rc rc;

    if ((rc = stream_by_no(w, c->stream, &s)) || (rc = stream_check_own(w, &s)))
        return rc;
    c->seq = ++s.seq;
    if (c->born < 0)
        c->born = s.born++;
    s.cut += c->flags & CHANGE_PURGE ? 1 : 0;
    s.live += c->gain;
    sha256(c->bytes, c->n, digest);
    if ((rc = change_leaf(&w->err, c, digest, told->change.leaf)))
        return rc;
    stream_chain_next(s.chain, told->change.leaf);
    if ((rc = store(w, c, digest, told->change.leaf, &s)))
        return rc;
    party_reach_public(w);
    told->change.stream = c->stream;
    told->change.seq = c->seq;
    told->change.born = (uint64_t)c->born;
    told->change.op = c->op;
    told->change.flags = c->flags;
    told->gain = c->gain;
    work_after_commit(w, tell_change, told);
    return RC_OK;
}
