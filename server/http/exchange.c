/*
 * exchange.c - the way of a request through the threads.
 *
 *     loop: early? --> (worker: early?, prepare) --> writer: savepoint, handler, COMMIT --> loop
 *      |             \--> errand, on threads of its own --> writer: the same --> loop
 *      |--> worker: handler --(an act)--> writer: it is told, COMMIT -----> loop
 *      |--> worker: handler ----------------------------------------------> loop
 *      '--> cache: somebody makes this answer already --------------------> loop
 *
 * Who asks, and that he may, is settled before it leaves (gate.h).
 *
 * The exchange owns an arena with copies of all that was asked, so the client may hang up at any
 * moment. The ticket, a word in the request's own pool, tells us: only the loop thread ever
 * touches the h2o_req_t. When nobody waits any more, work that has not begun is not begun,
 * unless others wait for the same answer; what has begun is finished and its answer dropped.
 *
 * A route with a prompt is answered by the loop itself if nothing has come home in time; then nobody waits any more.
 *
 * What comes home is a block of its own (outcome.h). What it took to make it lies in another arena, the work's, and goes with the work: there is
 * never more of it than there are workers, and a peer that takes no bytes keeps the answer and nothing else. A file in
 * memory is not copied; it keeps its arena.
 */
#include "server/http/exchange.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "server/base/metric.h"
#include "server/http/connection.h"
#include "server/http/crowd.h"
#include "server/http/idempotency.h"
#include "server/http/shown.h"
#include "server/http/witness.h"
#include "server/store/disk.h"

/* ---- out ---- */

static void go_home(struct exchange *x)
{
    h2o_multithread_send_message(&x->loop->home, &x->back);
}

enum rc exchange_refuse_unread(struct err *e)
{
    metric_add(METRIC_answers_shed, 1);
    return err_set(e, RC_BUSY, "too many answers wait to be read");
}

/* A change that was made is told whatever it costs. */
static struct outcome *outcome_of(struct exchange *x, enum rc rc)
{
    struct outcome *o = outcome_new(rc, &x->rp, &x->w.err, x->build);

    if (rc || x->route->method != GET || outcome_has_room(o))
        return o;
    outcome_unref(o);
    return outcome_new(exchange_refuse_unread(&x->w.err), &(struct reply){ 0 }, &x->w.err,
                       false);
}

/* A file, or what a stream of events begins with. */
static bool lies_in_place(const struct reply *rp)
{
    return rp->in_place || rp->stream;
}

static void finish(struct exchange *x, enum rc rc)
{
    x->rc = rc;
    x->w.db = NULL;
    if (x->w.err.inside && x->route->method != GET)
        disk_note(rc);
    if (rc || !lies_in_place(&x->rp)) {
        x->outcome = outcome_of(x, rc);
        arena_free(x->w.mem);
        x->w.mem = NULL;
    }
    if (x->build)
        cache_finish(x->build, x->outcome);
    go_home(x);
}

static enum rc handle(struct exchange *x)
{
    return x->route->handler(&x->w, &x->rq, &x->rp);
}

static enum rc run_on_writer(struct work *w, void *arg)
{
    struct exchange *x = arg;

    return idempotency_run(w, x->route, &x->rq, &x->rp);
}

static void written(struct writer_job *job)
{
    finish(H2O_STRUCT_FROM_MEMBER(struct exchange, write, job), job->rc);
}

static enum rc refuse_busy(struct exchange *x)
{
    return err_set(&x->w.err, RC_BUSY, "too many requests are waiting");
}

static void submit_write(struct exchange *x, enum rc (*run)(struct work *w, void *arg))
{
    x->w.db = NULL;
    x->write = (struct writer_job){ .w = &x->w, .run = run, .done = written, .arg = x };
    if (writer_submit(&x->write))
        return; /* it may be home already */
    metric_add(METRIC_jobs_shed, 1);
    finish(x, refuse_busy(x));
}

static void errand_done(struct errand *d)
{
    submit_write(d->waiter, run_on_writer);
}

/* Once it is started the exchange is its own; it may be home before we know. */
static enum rc start_errand(struct exchange *x)
{
    struct errand *d = x->rq.errand;

    x->w.db = NULL;
    d->done = errand_done;
    d->waiter = x;
    return d->start(d, &x->w.err);
}

static enum rc tell_on_writer(struct work *w, void *arg)
{
    const struct exchange *x = arg;

    return witness_tell(w, x->route, &x->rq, &x->rp);
}

/* *done: x->rp is the answer already. */
static enum rc prepare(struct exchange *x, bool *done)
{
    enum rc rc = x->route->early ? x->route->early(&x->w, &x->rq, &x->rp, done) : RC_OK;

    return rc || *done || !x->route->prepare ? rc : x->route->prepare(&x->w, &x->rq);
}

static void run_on_worker(struct pool_job *job, struct db *db)
{
    struct exchange *x = H2O_STRUCT_FROM_MEMBER(struct exchange, job, job);
    enum rc rc;

    x->w.db = db;
    if (atomic_load_explicit(&x->gone, memory_order_relaxed) && !x->build) {
        finish(x, refuse_busy(x));
        return;
    }
    if (x->route->where != ON_WRITER) {
        rc = handle(x);
        if (!rc && x->route->act)
            submit_write(x, tell_on_writer);
        else
            finish(x, rc);
        return;
    }
    rc = prepare(x, &x->early);
    if (x->early)
        finish(x, rc);
    else if (!rc && !x->rq.errand)
        submit_write(x, run_on_writer);
    else if (rc || (rc = start_errand(x)))
        finish(x, rc);
}

static void dispatch(struct exchange *x, struct pool *pool)
{
    if (x->route->where == ON_LOOP)
        finish(x, handle(x));
    else if (x->route->where == ON_WRITER && !x->route->prepare && !x->route->early)
        submit_write(x, run_on_writer);
    else {
        x->job.run = run_on_worker;
        if (!pool_submit(pool, &x->job))
            finish(x, refuse_busy(x));
    }
}

static void made_by_another(struct cache_waiter *w, struct outcome *o)
{
    struct exchange *x = H2O_STRUCT_FROM_MEMBER(struct exchange, waiter, w);

    x->outcome = o;
    go_home(x);
}

static void request_gone(void *p)
{
    struct exchange *x = *(struct exchange **)p;

    if (!x)
        return;
    x->sending.req = NULL;
    atomic_store_explicit(&x->gone, true, memory_order_relaxed);
}

static void answer_prompt(struct exchange *x)
{
    struct sending s = x->sending;
    struct reply rp = { 0 };

    reply_body(&rp, TYPE_TEXT, x->route->prompt, strlen(x->route->prompt));
    s.id = arena_strdup(arena_of_pool(&s.req->pool), s.id);
    metric_add(METRIC_answers_prompted, 1);
    send_reply(&s, &rp);
}

/* Nobody waits for it any more, as if the request had gone. */
static void on_late(h2o_timeout_entry_t *late)
{
    struct exchange *x = H2O_STRUCT_FROM_MEMBER(struct exchange, late, late);

    if (!x->sending.req)
        return;
    *x->ticket = NULL;
    atomic_store_explicit(&x->gone, true, memory_order_relaxed);
    answer_prompt(x);
    x->sending.req = NULL;
}

void exchange_send_off(struct exchange *x, struct pool *pool, const char *key, size_t key_n)
{
    bool forever = x->route->flags & R_FOREVER;

    x->ticket =
        h2o_mem_alloc_shared(&x->sending.req->pool, sizeof(struct exchange *), request_gone);
    *x->ticket = x;
    x->mem = x->w.mem;
    x->w.mem = arena_new();
    x->loop->away++;
    if (x->route->prompt) {
        x->late = (h2o_timeout_entry_t){ .cb = on_late };
        h2o_timeout_link(x->loop->loop, &x->loop->prompt, &x->late);
    }
    if (!(x->route->flags & R_CACHED)) {
        dispatch(x, pool);
        return;
    }
    x->waiter.ready = made_by_another;
    switch (cache_claim(key, key_n, forever, &x->waiter, &x->outcome, &x->build)) {
    case CLAIM_HIT: go_home(x); break;
    case CLAIM_WAIT: break;
    case CLAIM_BUILD:
        metric_add(METRIC_cache_misses, 1);
        dispatch(x, pool);
        break;
    }
}

/* ---- and back ---- */

/* Tells an outcome. What a handler of an R_CACHED route answered is the same for everybody, and has no id. */
static void tell(struct exchange *x)
{
    const struct outcome *o = x->outcome;
    struct sending s = x->sending;
    struct reply rp = o->rp; /* it may be shared: a problem is written into a copy */

    s.early = x->early;
    s.id = arena_strdup(arena_of_pool(&s.req->pool), s.id);
    if (o->rc) {
        send_problem(&s, o->rc, o->err, &rp);
        return;
    }
    if (x->route->flags & R_CACHED && rp.status < 400)
        s.id = NULL;
    shown_tell(s.req, rp.status);
    send_reply(&s, &rp);
}

void exchange_answer(struct exchange *x)
{
    x->sending.early = x->early;
    if (x->rc)
        send_problem(&x->sending, x->rc, &x->w.err, &x->rp);
    else
        send_reply(&x->sending, &x->rp);
}

static void free_arena(void *mem)
{
    arena_free(mem);
}

static void answer_in_place(struct exchange *x)
{
    struct arena *request = arena_of_pool(&x->sending.req->pool);

    arena_defer(request, free_arena, x->mem);
    arena_defer(request, free_arena, x->w.mem);
    exchange_answer(x);
}

static void forget(struct exchange *x)
{
    outcome_unref(x->outcome);
    arena_free(x->w.mem);
    arena_free(x->mem);
}

/* Who has much unread gets no more, but for what somebody else reads already. */
static void check_share(struct exchange *x, const struct crowd_client *client)
{
    struct outcome *o = x->outcome;

    if (o->rc || x->route->method != GET || !outcome_is_too_much(o, client))
        return;
    outcome_unref(o);
    x->outcome =
        outcome_new(exchange_refuse_unread(&x->w.err), &(struct reply){ 0 }, &x->w.err, false);
}

static void come_home(struct exchange *x)
{
    struct crowd_client *client;

    x->loop->away--;
    if (x->route->prompt)
        h2o_timeout_unlink(&x->late);
    if (!x->sending.req) {
        metric_add(METRIC_jobs_orphaned, 1);
        forget(x);
        return;
    }
    *x->ticket = NULL;
    if (!x->outcome) {
        answer_in_place(x);
        return;
    }
    client = connection_client(x->sending.req);
    if (x->route->prompt && x->outcome->rc == RC_BUSY) {
        answer_prompt(x);
        forget(x);
        return;
    }
    check_share(x, client);
    outcome_read(outcome_ref(x->outcome), arena_of_pool(&x->sending.req->pool), client);
    tell(x);
    forget(x);
}

void exchange_come_home(h2o_multithread_receiver_t *home, h2o_linklist_t *messages)
{
    (void)home;
    while (!h2o_linklist_is_empty(messages)) {
        struct exchange *x = H2O_STRUCT_FROM_MEMBER(struct exchange, back.link, messages->next);

        h2o_linklist_unlink(&x->back.link);
        come_home(x);
    }
}
