/*
 * post.c - libcurl for a hundred thousand small requests, kept from repeating itself.
 *
 * When a connection that is used again dies or sends GOAWAY, libcurl sends what was under way once more on another and tells nobody: of 10,000 messages three hundred arrived
 * twice. So a body goes out through a read callback whose seek always fails; libcurl then ends with an error (65) instead. What had not been read whole by then never
 * left whole, and no vendor acts on half a request: that is VENDOR_UNSENT and may go again. All else without an answer is VENDOR_DOUBT.
 *
 * The thread: take what is queued while there is room in the air, let libcurl work, sleep until a socket or curl_multi_wakeup() stirs.
 *
 * server/http/client.c is the same for the few requests that the rest of the server makes; here handles are used again and many are in the air at a time.
 */
#include "push/post.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/base/memory.h"
#include "server/base/metric.h"
#include "server/http/client.h"
#include "server/http/reach.h"

enum {
    ANSWER_MAX = 512 << 10,
    HEADERS_MAX = 32 << 10,
    TIMEOUT_MS = 30 * 1000,
    CONNECT_MS = 10 * 1000,
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
    pthread_mutex_t lock; /* for what follows */
    bool closing;
    struct post_ride *first, **last;
    int open; /* queued and under way */
};

/* ---- what libcurl calls ---- */

static size_t give_body(char *out, size_t size, size_t n, void *arg)
{
    struct post_ride *r = arg;
    size_t left = r->rq->body_n - r->sent, step = size * n < left ? size * n : left;

    if (step)
        memcpy(out, r->rq->body + r->sent, step);
    r->sent += step;
    return step;
}

static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
    (void)arg, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct post_ride *r = arg;

    if (r->body_in.n + size * n > ANSWER_MAX)
        return 0;
    buf_add(&r->body_in, p, size * n);
    return size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct post_ride *r = arg;
    size_t len = size * n;
    const char *colon = memchr(p, ':', len);

    if (len > 5 && !memcmp(p, "HTTP/", 5))
        r->headers_in.n = 0; /* an interim answer's are not the answer's */
    if (!colon || (len > 5 && !memcmp(p, "HTTP/", 5)))
        return len;
    if (r->headers_in.n + len > HEADERS_MAX)
        return 0;
    for (const char *c = p; c < colon; c++)
        buf_addc(&r->headers_in, (char)tolower((unsigned char)*c));
    while (len && isspace((unsigned char)p[len - 1]))
        len--;
    buf_add(&r->headers_in, colon, (size_t)(p + len - colon));
    buf_addc(&r->headers_in, '\n');
    return size * n;
}

/* The address that a name has at the very moment: one that is looked at beforehand may have another then. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg, (void)purpose;
    return reach_is_public(&a->addr)
               ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol)
               : CURL_SOCKET_BAD;
}

/* ---- a request ---- */

static struct curl_slist *header_list(const struct vendor_request *rq)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    list = curl_slist_append(list, "Content-Type:"); /* libcurl's own would be a form */
    for (const char *const *line = rq->headers; line && *line; line++)
        list = curl_slist_append(list, *line);
    return list;
}

static void set_body(CURL *h, struct post_ride *r)
{
    if (!strcmp(r->rq->method, "GET"))
        return;
    curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, r->rq->method);
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->rq->body_n);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(h, CURLOPT_READDATA, r);
    curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, refuse_rewind);
    /* Without a body there is nothing to rewind: a connection of its own is never tried again. */
    curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, (long)(r->rq->body_n == 0));
}

static void set_way(CURL *h, const struct post *p, const struct vendor_request *rq)
{
    const struct client_proxy *proxy = client_proxy_now();

    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(h, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* the end does not wait for a resolver */
    if (*p->ca)
        curl_easy_setopt(h, CURLOPT_CAINFO, p->ca);
    if (rq->public_only && !*proxy->url)
        curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_public);
    curl_easy_setopt(h, CURLOPT_PROXY, proxy->url); /* "": whatever the environment says */
    curl_easy_setopt(h, CURLOPT_NOPROXY, proxy->direct);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (*proxy->secret)
        curl_easy_setopt(h, CURLOPT_PROXYUSERPWD, proxy->secret);
}

static void take_off(struct post *p, struct post_ride *r)
{
    CURL *h = p->nspare ? p->spare[--p->nspare] : curl_easy_init();

    if (!h)
        memory_end();
    r->handle = h;
    r->list = header_list(r->rq);
    r->sent = 0;
    curl_easy_setopt(h, CURLOPT_URL, r->rq->url);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(r->timeout_ms ? r->timeout_ms : TIMEOUT_MS));
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, r->list);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "tjzw/" TJZW_VERSION);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(h, CURLOPT_PRIVATE, r);
    set_way(h, p, r->rq);
    set_body(h, r);
    r->next = p->flying;
    p->flying = r;
    p->nflying++;
    curl_multi_add_handle(p->multi, h);
}

/* ---- what became of it ---- */

/* Failures before a byte of it can have left. */
static bool is_early(CURLcode code)
{
    static const CURLcode early[] = {
        CURLE_UNSUPPORTED_PROTOCOL,     CURLE_URL_MALFORMAT,     CURLE_COULDNT_RESOLVE_HOST,
        CURLE_COULDNT_RESOLVE_PROXY,    CURLE_COULDNT_CONNECT,   CURLE_SSL_CONNECT_ERROR,
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE
    };

    for (size_t i = 0; i < sizeof early / sizeof *early; i++)
        if (early[i] == code)
            return true;
    return false;
}

static enum vendor_fate fate_of(CURL *h, CURLcode code, const struct post_ride *r)
{
    long tunnel = 0;

    if (!code)
        return VENDOR_ANSWERED;
    curl_easy_getinfo(h, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if (is_early(code) || tunnel / 100 > 2)
        return VENDOR_UNSENT;
    return r->sent < r->rq->body_n ? VENDOR_UNSENT : VENDOR_DOUBT;
}

static void conclude(CURL *h, CURLcode code, struct post_ride *r)
{
    long status = 0;

    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    r->answer = (struct vendor_answer){ .fate = fate_of(h, code, r),
                                        .status = (int)status,
                                        .headers = r->headers_in.p ? r->headers_in.p : "",
                                        .body = r->body_in.p ? r->body_in.p : "",
                                        .body_n = r->body_in.n,
                                        .now = clock_now() };
    snprintf(r->why, sizeof r->why, "%s", code ? curl_easy_strerror(code) : "");
    metric_add(METRIC_push_requests, 1);
    if (r->answer.fate == VENDOR_UNSENT)
        metric_add(METRIC_push_requests_unsent, 1);
    if (r->answer.fate == VENDOR_DOUBT)
        metric_add(METRIC_push_requests_doubt, 1);
}

void post_ride_done(struct post_ride *r)
{
    buf_done(&r->body_in);
    buf_done(&r->headers_in);
}

static void land(struct post *p, struct post_ride *r)
{
    struct post_ride **at = &p->flying;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    p->nflying--;
    curl_multi_remove_handle(p->multi, r->handle);
    if (p->nspare < SPARE) {
        curl_easy_reset(r->handle);
        p->spare[p->nspare++] = r->handle;
    } else {
        curl_easy_cleanup(r->handle);
    }
    curl_slist_free_all(r->list);
    r->handle = r->list = NULL;
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
        conclude(msg->easy_handle, msg->data.result, r);
        land(p, r);
        any = true;
    }
    return any;
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

    while ((r = next_queued(p, &closing)))
        take_off(p, r);
    return !closing;
}

/* What never flew is as if it had: one way out for all. */
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
        r->answer = (struct vendor_answer){
            .fate = VENDOR_UNSENT, .headers = "", .body = "", .now = clock_now()
        };
        snprintf(r->why, sizeof r->why, "this server is stopping");
        pthread_mutex_lock(&p->lock);
        p->open--;
        pthread_mutex_unlock(&p->lock);
        r->done(r);
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
    while (p->flying) {
        conclude(p->flying->handle, CURLE_ABORTED_BY_CALLBACK, p->flying);
        land(p, p->flying);
    }
    end_queued(p);
    return NULL;
}

static enum rc start(struct err *e, struct post *p, const char *name)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    sigdelset(&all, SIGSYS); /* what is refused comes by it (server/confine.c) */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&p->thread, NULL, fly, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set(e, RC_IO, "start the thread %s: %s", name, strerror(failed));
    pthread_setname_np(p->thread, name);
    return RC_OK;
}

static void post_free(struct post *p)
{
    while (p->nspare)
        curl_easy_cleanup(p->spare[--p->nspare]);
    curl_multi_cleanup(p->multi);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum rc post_open(struct err *e, const struct post_conf *c, struct post **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct post *p = calloc(1, sizeof *p);

    pthread_once(&once, init_once);
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
    if (start(e, p, c->name)) {
        post_free(p);
        return e->rc;
    }
    *out = p;
    return RC_OK;
}

bool post_send(struct post *p, struct post_ride *ride)
{
    bool taken;

    ride->body_in = ride->headers_in = BUF_HEAP;
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
