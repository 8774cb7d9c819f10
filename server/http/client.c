/*
 * client.c - the few requests that the server makes: what one is, transfer.c knows.
 *
 * The thread: take what is queued, let libcurl work, sleep until a socket or
 * curl_multi_wakeup() stirs.
 */
#include "server/http/client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/base/thread.h"
#include "server/base/url.h"
#include "server/http/transfer.h"

enum {
    ANSWER_MAX = 1 << 20,
    ASK_MS = 2000,
    POLL_MS = 1000,
    HOST_CONNECTIONS = 16,
    CONNECTIONS_KEPT = 256
};

static const CURLcode we_stop =
    CURLE_ABORTED_BY_CALLBACK; /* nothing else of ours ends a request by it */

/* ---- one request ---- */

struct flight { /* what a request needs while it is under way */
    CURL *h;
    struct transfer t;
};

const char *client_header(const struct client_request *rq, const char *name, char *out,
                          size_t n)
{
    return transfer_header(rq->headers_in.p, name, out, n);
}

void client_request_done(struct client_request *rq)
{
    buf_done(&rq->body_in);
    buf_done(&rq->headers_in);
}

static void begin(struct flight *f, struct client_request *rq)
{
    f->h = curl_easy_init();
    f->t = (struct transfer){ .method = rq->method,
                              .url = rq->url,
                              .headers = rq->headers,
                              .bearer = rq->bearer,
                              .body = rq->body,
                              .body_n = rq->body_len,
                              .ca_file = rq->ca_file,
                              .socket = rq->socket,
                              .answer_max = rq->answer_max ? rq->answer_max : ANSWER_MAX,
                              .timeout_ms = rq->timeout_ms,
                              .tls_only = rq->tls_only,
                              .heard = rq->heard,
                              .heard_arg = rq->heard_arg,
                              .public_only = rq->public_only };
    rq->rc = RC_OK;
    transfer_begin(&f->t, f->h, rq);
}

enum { CLOCKS = 4 }; /* a webhook, a purge hook, and what they were before */

static struct {
    pthread_mutex_t lock;
    struct client_clock of[CLOCKS];
} others = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* One host's word is replaced by its own next one, or when there are too many and nobody has been silent for longer. */
static void keep_clock(const struct client_clock *c)
{
    struct client_clock *at = others.of;

    for (int i = 0; i < CLOCKS; i++) {
        if (!strcmp(others.of[i].host, c->host)) {
            at = &others.of[i];
            break;
        }
        if (others.of[i].at < at->at)
            at = &others.of[i];
    }
    *at = *c;
}

/* Answers of ourselves, over the admin socket, say nothing that we did not know. */
static void note_clock(const struct client_request *rq)
{
    char date[64];
    time_t says = curl_getdate(client_header(rq, "date", date, sizeof date), NULL);
    size_t n;
    const char *host = url_host(rq->url, &n);
    struct client_clock c = { .at = clock_now(), .ahead_s = says - clock_now() };

    if (says <= 0 || rq->socket)
        return;
    snprintf(c.host, sizeof c.host, "%.*s", (int)n, host);
    pthread_mutex_lock(&others.lock);
    keep_clock(&c);
    pthread_mutex_unlock(&others.lock);
}

void client_clock(int64_t since, struct client_clock *out)
{
    *out = (struct client_clock){ 0 };
    pthread_mutex_lock(&others.lock);
    for (int i = 0; i < CLOCKS; i++) {
        const struct client_clock *c = &others.of[i];

        if (c->at && c->at >= since && (!out->at || llabs(c->ahead_s) > llabs(out->ahead_s)))
            *out = *c;
    }
    pthread_mutex_unlock(&others.lock);
}

/* The caller may log it, and a URL may hold a password. */
static void say_failure(struct client_request *rq, const char *why)
{
    struct buf shown = BUF_HEAP;

    url_show(&shown, rq->url);
    rq->rc = err_set(&rq->err, RC_IO, "%s %.200s: %s", rq->method, shown.p, why);
    buf_done(&shown);
}

/* Of what is not certain here, nothing is: who half of a request reached may have acted on it. */
static void conclude(struct flight *f, CURLcode code, struct client_request *rq)
{
    struct transfer *t = &f->t;

    transfer_end(t, f->h, (int)code);
    curl_easy_cleanup(f->h);
    rq->status = t->status;
    rq->body_in = t->body_in;
    rq->headers_in = t->headers_in;
    rq->in_doubt = t->fate == TRANSFER_DOUBT || t->fate == TRANSFER_CUT;
    if (t->too_long)
        rq->rc = err_set(&rq->err, RC_TOO_LARGE, "the answer is longer than %zu bytes",
                         t->answer_max);
    else if (code == we_stop)
        rq->rc = err_set(&rq->err, RC_BUSY, "this server is stopping");
    else if (code)
        say_failure(rq, t->why);
    else
        note_clock(rq);
    metric_add(METRIC_outbound_requests, 1);
    if (rq->rc)
        metric_add(METRIC_outbound_failures, 1);
}

enum rc client_call(struct client_request *rq)
{
    struct flight f;

    transfer_prepare();
    begin(&f, rq);
    conclude(&f, curl_easy_perform(f.h), rq);
    return rq->rc;
}

const char *client_ask(const char *data, struct arena *mem, const char *target)
{
    struct client_request rq = { .method = "GET",
                                 .url = arena_printf(mem, "http://localhost%s", target),
                                 .socket = arena_printf(mem, "%s/admin.sock", data),
                                 .timeout_ms = ASK_MS };
    const char *answer = NULL;

    if (!client_call(&rq) && rq.status == 200)
        answer = arena_strndup(mem, rq.body_in.p, rq.body_in.n);
    client_request_done(&rq);
    return answer;
}

/* ---- the outbound thread ---- */

static struct {
    pthread_t thread;
    CURLM *multi;
    struct client_request *flying; /* the thread's own */
    int64_t silent_us; /* … too: when a connection that had served was last silent; 0: never */
    pthread_mutex_t lock; /* for what follows */
    bool running, stopping;
    struct client_request *first, **last;
    int open, open_max; /* queued and under way */
} client = { .lock = PTHREAD_MUTEX_INITIALIZER };

/*
 * A connection that has died without a word (a router forgot it) is kept by libcurl if it is HTTP/2, and given to the next request. So after a
 * silence connections are new until whoever still waits on that one has given up; then it is idle, and too old.
 */
static void avoid_the_dead(CURL *h)
{
    int64_t since_us = clock_mono_us() - client.silent_us;

    if (!client.silent_us)
        return;
    if (since_us < TRANSFER_TIMEOUT_MS * INT64_C(1000))
        curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(h, CURLOPT_MAXLIFETIME_CONN, (long)(since_us / 1000000 + 1));
}

static void note_silence(CURL *h, CURLcode code)
{
    long connects = 0;

    if (code != CURLE_OPERATION_TIMEDOUT)
        return;
    curl_easy_getinfo(h, CURLINFO_NUM_CONNECTS, &connects);
    if (!connects) /* none of its own: it has served before */
        client.silent_us = clock_mono_us();
}

static void take_off(struct client_request *rq)
{
    struct flight *f = malloc(sizeof *f);

    if (!f)
        memory_end();
    begin(f, rq);
    avoid_the_dead(f->h);
    rq->handle = f;
    rq->next = client.flying;
    client.flying = rq;
    curl_multi_add_handle(client.multi, f->h);
}

static void land(struct client_request *rq, CURLcode code)
{
    struct flight *f = rq->handle;
    struct client_request **at = &client.flying;

    while (*at != rq)
        at = &(*at)->next;
    *at = rq->next;
    curl_multi_remove_handle(client.multi, f->h);
    conclude(f, code, rq);
    free(f);
    rq->handle = NULL;
    pthread_mutex_lock(&client.lock);
    client.open--;
    pthread_mutex_unlock(&client.lock);
    rq->done(rq);
}

/* False: it is time to stop. */
static bool take_queued(void)
{
    struct client_request *rq, *next;
    bool stopping;

    pthread_mutex_lock(&client.lock);
    rq = client.first;
    client.first = NULL;
    client.last = &client.first;
    stopping = client.stopping;
    pthread_mutex_unlock(&client.lock);
    for (; rq; rq = next) {
        next = rq->next;
        take_off(rq);
    }
    return !stopping;
}

static void land_finished(void)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(client.multi, &left))) {
        struct client_request *rq = NULL;

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &rq);
        note_silence(msg->easy_handle, msg->data.result);
        land(rq, msg->data.result);
    }
}

static void *fly(void *unused)
{
    int running;

    while (take_queued()) {
        curl_multi_perform(client.multi, &running);
        land_finished();
        curl_multi_poll(client.multi, NULL, 0, POLL_MS, NULL);
    }
    while (client.flying)
        land(client.flying, we_stop);
    return unused;
}

enum rc client_start(struct err *e, int queue_max)
{
    enum rc rc;

    transfer_prepare();
    client.multi = curl_multi_init();
    curl_multi_setopt(client.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTIONS);
    curl_multi_setopt(client.multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    client.last = &client.first;
    client.open_max = queue_max;
    client.stopping = false;
    client.running = true;
    if ((rc = thread_start(e, "outbound", fly, NULL, &client.thread))) {
        client.running = false;
        curl_multi_cleanup(client.multi);
    }
    return rc;
}

bool client_send(struct client_request *rq)
{
    bool taken;

    pthread_mutex_lock(&client.lock);
    taken = client.running && !client.stopping && client.open < client.open_max;
    if (taken) {
        rq->next = NULL;
        *client.last = rq;
        client.last = &rq->next;
        client.open++;
        curl_multi_wakeup(client.multi);
    }
    pthread_mutex_unlock(&client.lock);
    return taken;
}

void client_stop(void)
{
    if (!client.running)
        return;
    pthread_mutex_lock(&client.lock);
    client.stopping = true;
    curl_multi_wakeup(client.multi);
    pthread_mutex_unlock(&client.lock);
    pthread_join(client.thread, NULL);
    client.running = false;
    curl_multi_cleanup(client.multi);
}
