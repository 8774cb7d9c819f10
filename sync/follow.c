/*
 * follow.c - one run of the pull engine, round by round.
 *
 *     ask       the newest head: signed, and may it follow the one held?           follow_ask.c
 *     plan      what of it is not held, and a first look into it                  follow_plan.c
 *     fetch     parts, side by side, resumed where they stopped                  follow_fetch.c
 *     apply     in one transaction that commits only under the signed root       follow_apply.c
 *     widen     down to the horizon wanted, step by step                         follow_widen.c
 *     prove     kept items below it whose root has changed                       follow_prove.c
 *
 * A store that does not add up, or that belongs to a history that is no more, is repaired instead
 * of caught up with (follow_repair.c). A round that fails is followed by another where that can help
 * (the table `remedies`): an answer that cannot be believed is fetched once more past every cache,
 * keeping the parts whose hash is right; if something that the head names is gone (the log
 * moved on, a takedown), a newer head is waited for; if the catch-up is too large, what the index
 * has is taken first. Everything else is the embedder's to decide: the result carries what the
 * server said about waiting.
 */
#include "sync/follow_engine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { STALE_MOST_S = 10 /* caches hold a head for a shorter time */ };

void *engine_alloc(size_t n)
{
    void *p = malloc(n ? n : 1);

    if (!p)
        abort();
    return p;
}

/* ---- a round ---- */

static void text_drop(struct text *t)
{
    free(t->at);
    *t = (struct text){ 0 };
}

static void round_begin(struct engine *f)
{
    struct text *texts[] = { &f->ancestry, &f->directory, &f->withheld, &f->index,
                             &f->cover_text };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        text_drop(texts[i]);
    f->plan.n = 0;
    f->raced = f->too_large = f->damaged = f->missed = f->head_known = false;
    f->progress = (struct follow_progress){ .phase = FOLLOW_ASKING };
    f->retry_after = 0;
    f->out->rounds++;
}

/* Another history: ours may be its beginning. */
static enum sync_rc check_epoch(struct sync_err *e, struct engine *f)
{
    bool allowed;
    enum sync_rc rc;

    if (f->step != VERIFY_EPOCH || f->must_repair)
        return SYNC_OK;
    if ((rc = plan_take_texts(e, f)) || (rc = plan_epoch(e, f, &allowed)))
        return rc;
    f->must_repair = !allowed;
    return SYNC_OK;
}

/* From what is held to the new head. */
static enum sync_rc bring_up(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    f->must_repair |= f->foreign;
    plan_texts(f);
    if ((rc = check_epoch(e, f)))
        return rc;
    if (f->must_repair && f->note_len > 0)
        return repair(e, f);
    if ((rc = plan_catch_up(e, f)))
        return rc;
    return apply_plan(e, f);
}

static enum sync_rc one_round(struct sync_err *e, struct engine *f)
{
    bool due, idle;
    enum sync_rc rc;

    round_begin(f);
    if ((rc = ask_load(e, f)) || (rc = ask_head(e, f)))
        return rc;
    f->progress.phase = FOLLOW_FETCHING;
    idle = ask_same(f) && !f->must_repair;
    if ((!idle && (rc = bring_up(e, f))) || (rc = widen_on(e, f)) ||
        (rc = prove_due(e, f, &due)) || (due && (rc = prove_kept(e, f))))
        return rc;
    return f->plan.n > 0 ? f->store->parts.keep(f->store->parts.ctx, e, NULL, 0) : SYNC_OK;
}

/* ---- rounds ---- */

/* Why a round failed, as far as another round may mend it. */
enum trouble { RACED, STALE, TOO_LARGE, DAMAGED, UNBELIEVABLE, MISSED_AGAIN, HOPELESS };

static enum trouble trouble_of(const struct engine *f, enum sync_rc rc)
{
    if (f->raced)
        return RACED;
    if (f->too_large)
        return TOO_LARGE;
    if (f->damaged)
        return DAMAGED;
    switch (rc) {
    case SYNC_STALE: return STALE;
    case SYNC_INVALID:
    case SYNC_MISMATCH: return f->missed && f->past_caches ? MISSED_AGAIN : UNBELIEVABLE;
    case SYNC_UNTRUSTED:
    case SYNC_ROLLBACK: return UNBELIEVABLE;
    default: return HOPELESS;
    }
}

static enum sync_rc go_again(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)e, (void)f, (void)nth;
    return SYNC_OK;
}

/* The head that fits is being signed, or still on its way through the caches. All who met the
 * old one come again, but not together. */
static enum sync_rc let_it_settle(struct sync_err *e, struct engine *f, unsigned nth)
{
    uint32_t seconds = f->retry_after ? f->retry_after : 1u << nth;
    uint32_t ms = 1000 * (seconds < STALE_MOST_S ? seconds : STALE_MOST_S);
    enum sync_rc rc;

    f->fresh_head = true;
    if (nth > 0) { /* or what sent us there was a lie */
        f->past_caches = true;
        if (f->head_known && (rc = part_weed(e, f)))
            return rc;
    }
    return f->transport->wait(f->transport->ctx, e, ms + randombytes_uniform(ms / 2));
}

static enum sync_rc take_objects(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)e, (void)nth;
    f->by_objects = true;
    return SYNC_OK;
}

static enum sync_rc believe_no_cache(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)nth;
    f->past_caches = true;
    f->keys_fetched = false; /* a cache may have answered with an old chain */
    return f->head_known ? part_weed(e, f) : SYNC_OK;
}

static enum sync_rc believe_nothing(struct sync_err *e, struct engine *f, unsigned nth)
{
    (void)e, (void)nth;
    f->must_repair = true;
    return SYNC_OK;
}

static const struct {
    unsigned times; /* at most, in one run */
    enum sync_rc (*prepare)(struct sync_err *e, struct engine *f, unsigned nth);
} remedies[] = {
    [RACED] = { 5, go_again },
    [STALE] = { 3, let_it_settle },
    [TOO_LARGE] = { 1, take_objects },
    [DAMAGED] = { 1, believe_nothing },
    [UNBELIEVABLE] = { 1, believe_no_cache },
    [MISSED_AGAIN] = { 1, believe_nothing },
    [HOPELESS] = { 0, NULL },
};

typedef enum sync_rc round_fn(struct sync_err *e, struct engine *f);

static enum sync_rc run_rounds(struct sync_err *e, struct engine *f, round_fn *round)
{
    unsigned used[HOPELESS + 1] = { 0 };
    struct sync_err ignored;
    enum sync_rc rc;

    while ((rc = round(e, f))) {
        enum trouble t = trouble_of(f, rc);
        unsigned nth = used[t]++;

        if (nth >= remedies[t].times) {
            if (f->head_known && t != RACED && t != HOPELESS)
                (void)!part_weed(&ignored, f); /* the next run is not to stumble over them */
            return rc;
        }
        if ((rc = remedies[t].prepare(e, f, nth)))
            return rc;
    }
    return SYNC_OK;
}

/* ---- a run ---- */

static struct engine *engine_new(const struct follow_store *store,
                                 const struct follow_transport *transport,
                                 const struct follow_options *options,
                                 struct follow_result *out)
{
    struct engine *f = engine_alloc(sizeof *f);

    memset(f, 0, sizeof *f);
    f->store = store;
    f->transport = transport;
    f->options = options;
    f->out = out;
    f->keys = engine_alloc(VERIFY_KEYS_MAX);
    f->list = engine_alloc(WIRE_HEADS_MAX);
    f->answer = engine_alloc(WIRE_HEADS_MAX);
    f->below.roots = engine_alloc((size_t)BELOW_MAX * WIRE_HASH);
    f->next.roots = engine_alloc((size_t)BELOW_MAX * WIRE_HASH);
    f->must_repair = options->repair;
    return f;
}

static void engine_free(struct engine *f)
{
    text_drop(&f->ancestry);
    text_drop(&f->directory);
    text_drop(&f->withheld);
    text_drop(&f->index);
    text_drop(&f->cover_text);
    free(f->plan.parts);
    free(f->wrong);
    free(f->keys);
    free(f->list);
    free(f->answer);
    free(f->below.roots);
    free(f->next.roots);
    free(f);
}

static enum sync_rc run(struct sync_err *e, const struct follow_options *options,
                        struct engine *f, round_fn *round)
{
    enum sync_rc rc;

    if (!options->stream || !wire_stream_ok(options->stream, strlen(options->stream)))
        return sync_err_set(e, SYNC_USAGE, "no such stream name");
    rc = run_rounds(e, f, round);
    if (!rc)
        f->out->wait = f->out->head.poll;
    return rc;
}

enum sync_rc follow_run(struct sync_err *e, const struct follow_store *store,
                        const struct follow_transport *transport,
                        const struct follow_options *options, struct follow_result *out)
{
    struct engine *f;
    enum sync_rc rc;

    *out = (struct follow_result){ 0 };
    f = engine_new(store, transport, options, out);
    rc = run(e, options, f, one_round);
    engine_free(f);
    return rc;
}

/* The first round tries under the head that is held; those behind it bring the store up before. */
static enum sync_rc item_round(struct sync_err *e, struct engine *f)
{
    enum sync_rc rc;

    round_begin(f);
    if ((rc = ask_load(e, f)))
        return rc;
    if (f->out->rounds > 1 || f->held.epoch == 0) {
        f->out->rounds--;
        if ((rc = one_round(e, f)))
            return rc;
    }
    f->head = f->held;
    f->head_known = true;
    if ((rc = prove_one(e, f, f->item)))
        return rc;
    return f->store->parts.keep(f->store->parts.ctx, e, NULL, 0);
}

enum sync_rc follow_fetch_item(struct sync_err *e, const struct follow_store *store,
                               const struct follow_transport *transport,
                               const struct follow_options *options, const uint8_t id[WIRE_ID],
                               struct follow_result *out)
{
    struct engine *f;
    enum sync_rc rc;

    *out = (struct follow_result){ 0 };
    f = engine_new(store, transport, options, out);
    memcpy(f->item, id, WIRE_ID);
    rc = run(e, options, f, item_round);
    engine_free(f);
    return rc;
}

uint32_t follow_backoff(uint32_t poll, unsigned failures, uint32_t random)
{
    enum { HOUR = 3600 };
    uint64_t wait = poll ? poll : 1;

    for (unsigned i = 1; i < failures && wait < HOUR; i++)
        wait *= 2;
    wait = wait < HOUR ? wait : HOUR;
    return (uint32_t)(wait / 2 + random % (wait / 2 + 1));
}
