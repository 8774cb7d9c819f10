/*
 * post.c - libcurl for a hundred thousand small requests: what one is, and why it is never sent twice, server/http/transfer.h says. Here handles are used again and many are in the air.
 *
 * The thread: end what nobody wants any more, take what is queued while there is room in the air, let libcurl work, sleep until a socket or curl_multi_wakeup() stirs.
 *
 * What is unwanted ends at once if its body has not been touched, wherever it is: in our queue, or in libcurl, which lets requests wait for a connection. What was begun comes home.
 */
#include "push/post.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/base/thread.h"

enum {
    ANSWER_MAX = 512 << 10,
    IDLE_S =
        110, /* a connection that was still for longer is not trusted: who stands between may have forgotten it */
    POLL_MS = 1000,
    STREAMS = 1000,
    SPARE = 256 /* handles kept for the next */
};

struct post {
    pthread_t thread;
    CURLM *multi;
    char ca[512];
    int queue_max, flying_max;
    /* the thread's own */
    struct post_ride *flying;
    int nflying, nspare;
    CURL *spare[SPARE];
    pthread_mutex_t lock;  /* for what follows */
    bool closing, stirred; /* stirred: some may be unwanted */
    struct post_ride *first, **last;
    int open; /* queued and under way */
};

/* ---- a request ---- */

static void take_off(struct post *p, struct post_ride *r)
{
    CURL *h = p->nspare ? p->spare[--p->nspare] : curl_easy_init();

    if (!h)
        memory_end();
    r->handle = h;
    r->transfer = (struct transfer){ .method = r->rq->method,
                                     .url = r->rq->url,
                                     .headers = r->rq->headers,
                                     .body = r->rq->body,
                                     .body_n = r->rq->body_n,
                                     .ca_file = *p->ca ? p->ca : NULL,
                                     .answer_max = ANSWER_MAX,
                                     .timeout_ms = r->timeout_ms,
                                     .tls_only = true,
                                     .public_only = r->rq->public_only };
    transfer_begin(&r->transfer, h, r);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* the end does not wait for a resolver */
    r->next = p->flying;
    p->flying = r;
    p->nflying++;
    curl_multi_add_handle(p->multi, h);
}

/* ---- what became of it ---- */

/* No vendor acts on half a request: what had not left whole may go again. */
static const enum vendor_fate fates[] = {
    [TRANSFER_ANSWERED] = VENDOR_ANSWERED,
    [TRANSFER_UNSENT] = VENDOR_UNSENT,
    [TRANSFER_CUT] = VENDOR_UNSENT,
    [TRANSFER_DOUBT] = VENDOR_DOUBT,
};

static void conclude(struct post_ride *r, CURLcode code)
{
    struct transfer *t = &r->transfer;

    transfer_end(t, r->handle, (int)code);
    r->answer = (struct vendor_answer){ .fate = fates[t->fate],
                                        .status = t->status,
                                        .headers = t->headers_in.p ? t->headers_in.p : "",
                                        .body = t->body_in.p ? t->body_in.p : "",
                                        .body_n = t->body_in.n,
                                        .now = clock_now() };
    snprintf(r->why, sizeof r->why, "%s", t->why);
    metric_add(METRIC_push_requests, 1);
    if (r->answer.fate == VENDOR_UNSENT)
        metric_add(METRIC_push_requests_unsent, 1);
    if (r->answer.fate == VENDOR_DOUBT)
        metric_add(METRIC_push_requests_doubt, 1);
}

void post_ride_done(struct post_ride *r)
{
    buf_done(&r->transfer.body_in);
    buf_done(&r->transfer.headers_in);
}

static void land(struct post *p, struct post_ride *r, CURLcode code)
{
    struct post_ride **at = &p->flying;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    p->nflying--;
    curl_multi_remove_handle(p->multi, r->handle);
    conclude(r, code);
    if (p->nspare < SPARE) {
        curl_easy_reset(r->handle);
        p->spare[p->nspare++] = r->handle;
    } else {
        curl_easy_cleanup(r->handle);
    }
    r->handle = NULL;
    pthread_mutex_lock(&p->lock);
    p->open--;
    pthread_mutex_unlock(&p->lock);
    r->done(r);
}

/* Whether there was any: then there is room for who waits. */
static bool land_finished(struct post *p)
{
    CURLMsg *msg;
    bool any = false;
    int left;

    while ((msg = curl_multi_info_read(p->multi, &left))) {
        struct post_ride *r = NULL;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r);
        land(p, r, msg->data.result);
        any = true;
    }
    return any;
}

/* What never flew is as if it had: one way out for all. */
static void end_unsent(struct post *p, struct post_ride *r, const char *why)
{
    r->answer = (struct vendor_answer){
        .fate = VENDOR_UNSENT, .headers = "", .body = "", .now = clock_now()
    };
    snprintf(r->why, sizeof r->why, "%s", why);
    pthread_mutex_lock(&p->lock);
    p->open--;
    pthread_mutex_unlock(&p->lock);
    r->done(r);
}

/* ---- what nobody wants any more ---- */

static bool is_unwanted(const struct post_ride *r)
{
    return r->unwanted && atomic_load(r->unwanted);
}

/* From the queue: a list of those that are. */
static struct post_ride *take_unwanted(struct post *p)
{
    struct post_ride *list = NULL, **at = &p->first, *r;

    while ((r = *at)) {
        if (!is_unwanted(r)) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        r->next = list;
        list = r;
    }
    p->last = at;
    return list;
}

static void drop_flying(struct post *p)
{
    for (struct post_ride *r = p->flying, *next; r; r = next) {
        next = r->next;
        if (!is_unwanted(r) || r->transfer.sent || !r->transfer.body_n)
            continue;
        r->dropped = true;
        land(p, r, CURLE_ABORTED_BY_CALLBACK);
    }
}

static void drop_unwanted(struct post *p)
{
    struct post_ride *r = NULL;
    bool stirred;

    pthread_mutex_lock(&p->lock);
    if ((stirred = p->stirred))
        r = take_unwanted(p);
    p->stirred = false;
    pthread_mutex_unlock(&p->lock);
    for (struct post_ride *next; r; r = next) {
        next = r->next;
        r->dropped = true;
        end_unsent(p, r, "it is not wanted any more");
    }
    if (stirred)
        drop_flying(p);
}

/* ---- the thread ---- */

static struct post_ride *next_queued(struct post *p, bool *closing)
{
    struct post_ride *r;

    pthread_mutex_lock(&p->lock);
    r = p->first;
    *closing = p->closing;
    if (*closing || p->nflying >= p->flying_max)
        r = NULL;
    if (r && !(p->first = r->next))
        p->last = &p->first;
    pthread_mutex_unlock(&p->lock);
    return r;
}

/* False: it is time to stop. */
static bool take_queued(struct post *p)
{
    struct post_ride *r;
    bool closing;

    drop_unwanted(p);
    while ((r = next_queued(p, &closing)))
        take_off(p, r);
    return !closing;
}

static void end_queued(struct post *p)
{
    struct post_ride *r;

    pthread_mutex_lock(&p->lock);
    r = p->first;
    p->first = NULL;
    p->last = &p->first;
    pthread_mutex_unlock(&p->lock);
    for (struct post_ride *next; r; r = next) {
        next = r->next;
        end_unsent(p, r, "this server is stopping");
    }
}

static void *fly(void *arg)
{
    struct post *p = arg;
    int running;

    while (take_queued(p)) {
        curl_multi_perform(p->multi, &running);
        if (!land_finished(p))
            curl_multi_poll(p->multi, NULL, 0, POLL_MS, NULL);
    }
    (void)land_finished(p);
    while (p->flying)
        land(p, p->flying, CURLE_ABORTED_BY_CALLBACK);
    end_queued(p);
    return NULL;
}

static void post_free(struct post *p)
{
    while (p->nspare)
        curl_easy_cleanup(p->spare[--p->nspare]);
    curl_multi_cleanup(p->multi);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

enum rc post_open(struct err *e, const struct post_conf *c, struct post **out)
{
    struct post *p = calloc(1, sizeof *p);

    transfer_prepare();
    if (!p || !(p->multi = curl_multi_init()))
        memory_end();
    snprintf(p->ca, sizeof p->ca, "%s", c->ca);
    p->queue_max = c->queue_max;
    p->flying_max = c->flying_max;
    p->last = &p->first;
    pthread_mutex_init(&p->lock, NULL);
    curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)c->host_connections);
    curl_multi_setopt(p->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->total_connections);
    curl_multi_setopt(p->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS);
    if (thread_start(e, c->name, fly, p, &p->thread)) {
        post_free(p);
        return e->rc;
    }
    *out = p;
    return RC_OK;
}

bool post_send(struct post *p, struct post_ride *ride)
{
    bool taken;

    ride->transfer = (struct transfer){ 0 };
    ride->dropped = false;
    ride->next = NULL;
    pthread_mutex_lock(&p->lock);
    taken = !p->closing && p->open < p->queue_max;
    if (taken) {
        *p->last = ride;
        p->last = &ride->next;
        p->open++;
        curl_multi_wakeup(p->multi);
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

int post_room(struct post *p)
{
    int room;

    pthread_mutex_lock(&p->lock);
    room = p->closing ? 0 : p->queue_max - p->open;
    pthread_mutex_unlock(&p->lock);
    return room;
}

void post_stir(struct post *p)
{
    pthread_mutex_lock(&p->lock);
    p->stirred = true;
    curl_multi_wakeup(p->multi);
    pthread_mutex_unlock(&p->lock);
}

void post_close(struct post *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    curl_multi_wakeup(p->multi);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    post_free(p);
}
