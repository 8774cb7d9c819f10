/*
 * purge_hook.c - one POST at a time, until it is answered 2xx.
 *
 *     rows of purge_url --tick--> POST {"urls":["https://www.example.cn/a/…", …]} --2xx--> rows go
 *                                   \--anything else: 1, 2, 4 … 300 s later the same again
 *
 * At most URLS_AT_ONCE a request, oldest first. The rows are taken away only after the answer, so
 * a crash or a restart sends some twice and none never: whoever is told forgets a URL twice
 * without harm. What the other side is (a script that runs `nginx` or calls a CDN) is the
 * operator's business; nothing of its answer but the status is looked at.
 *
 * All but done() runs on the writer thread, between transactions; done() on the outbound one.
 */
#include "server/channel/purge_hook.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/http/client.h"
#include "server/library/purge_url.h"

enum { URLS_AT_ONCE = 500, TIMEOUT_MS = 10000, WAIT_MOST_S = 300, ANSWER_MAX = 65536 };

struct flight {
    struct arena *mem;
    struct client_request rq;
    int64_t last; /* of the batch */
    _Atomic bool landed;
};

static struct {
    const char *hook, *origin;
    _Atomic bool started;
    struct flight *flight; /* NULL: nothing is under way */
    int64_t wait_s;        /* 0: the last one went well */
    int64_t not_before_us;
} hook;

static void landed(struct client_request *rq)
{
    atomic_store_explicit(&((struct flight *)rq->arg)->landed, true, memory_order_release);
}

static void flight_free(struct flight *f)
{
    client_request_done(&f->rq);
    arena_free(f->mem);
}

static struct flight *flight_new(const struct purge_batch *b, struct arena *mem)
{
    static const char *const headers[] = { "content-type: application/json", NULL };
    struct flight *f = arena_zalloc(mem, sizeof *f);
    struct buf body = BUF_IN(mem);

    buf_adds(&body, "{\"urls\":[");
    for (int i = 0; i < b->n; i++) {
        const char *url = arena_printf(mem, "%s%s", hook.origin, b->urls[i]);

        buf_adds(&body, i ? "," : "");
        jx_quote(&body, url, strlen(url));
    }
    buf_adds(&body, "]}\n");
    f->mem = mem;
    f->last = b->last;
    f->rq = (struct client_request){ .method = "POST",
                                     .url = hook.hook,
                                     .headers = headers,
                                     .body = body.p,
                                     .body_len = body.n,
                                     .answer_max = ANSWER_MAX,
                                     .timeout_ms = TIMEOUT_MS,
                                     .done = landed,
                                     .arg = f };
    return f;
}

/* The next batch goes, if there is one. */
static void send_next(struct db *db)
{
    struct purge_batch b;
    struct work w;
    int64_t n = 0, oldest;

    work_init(&w, arena_new(), db, "clock", RIGHT_ALL);
    if (purge_url_waiting(&w, &n, &oldest) || purge_url_batch(&w, URLS_AT_ONCE, &b))
        LOG(LOG_ERROR, "purge_urls_not_read", L_STR("why", w.err.text));
    else if (n) {
        struct flight *f = flight_new(&b, w.mem);

        metric_set(METRIC_purge_urls_waiting, n);
        if (client_send(&f->rq)) {
            hook.flight = f;
            return; /* the arena is the flight's */
        }
    }
    arena_free(w.mem);
}

static enum rc forget(struct db *db, int64_t last)
{
    struct work w;
    int64_t n = 0, oldest;
    enum rc rc;

    work_init(&w, arena_new(), db, "clock", RIGHT_ALL);
    if ((rc = db_begin(&w)) || (rc = purge_url_done(&w, last)) || (rc = db_commit(&w)))
        db_rollback(db);
    else if (!purge_url_waiting(&w, &n, &oldest))
        metric_set(METRIC_purge_urls_waiting, n);
    if (rc)
        LOG(LOG_ERROR, "purge_urls_not_forgotten", L_STR("why", w.err.text));
    arena_free(w.mem);
    return rc;
}

/* Told when it begins, not at every attempt. */
static void went_wrong(const struct client_request *rq)
{
    metric_add(METRIC_purge_hook_failures, 1);
    if (!hook.wait_s)
        LOG(LOG_WARN, "purge_hook_failed", L_INT("status", rq->rc ? 0 : rq->status),
            L_STR("why", rq->rc ? rq->err.text : ""));
    hook.wait_s = hook.wait_s ? hook.wait_s * 2 : 1;
    if (hook.wait_s > WAIT_MOST_S)
        hook.wait_s = WAIT_MOST_S;
    hook.not_before_us = clock_mono_us() + hook.wait_s * 1000000;
}

static void take_answer(struct db *db, struct flight *f)
{
    bool good = !f->rq.rc && f->rq.status >= 200 && f->rq.status < 300;

    if (!good) {
        went_wrong(&f->rq);
    } else if (!forget(db, f->last)) {
        metric_add(METRIC_purge_hook_sent, 1);
        if (hook.wait_s)
            LOG(LOG_INFO, "purge_hook_works_again");
        hook.wait_s = 0;
    }
    flight_free(f);
    hook.flight = NULL;
}

void purge_hook_tick(struct db *db, void *arg)
{
    (void)arg;
    if (!atomic_load_explicit(&hook.started, memory_order_acquire))
        return;
    if (hook.flight && atomic_load_explicit(&hook.flight->landed, memory_order_acquire))
        take_answer(db, hook.flight);
    if (!hook.flight && clock_mono_us() >= hook.not_before_us)
        send_next(db);
}

enum rc purge_hook_start(struct err *e, const char *url, const char *origin)
{
    if (!*url)
        return RC_OK;
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return err_set(e, RC_INVALID, "purge_hook should be an http or https URL");
    hook.hook = url;
    hook.origin = origin;
    hook.wait_s = hook.not_before_us = 0;
    atomic_store_explicit(&hook.started, true, memory_order_release);
    return RC_OK;
}

void purge_hook_stop(void)
{
    atomic_store(&hook.started, false);
    if (hook.flight)
        flight_free(hook.flight);
    hook.flight = NULL;
}
