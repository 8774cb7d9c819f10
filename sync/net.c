/*
 * net.c - requests by libcurl's multi interface, driven by the thread that waits for the answers.
 *
 * libcurl 7.88, which Debian 12 has, can forget a stream that shares its connection: its bytes have come and lie in a buffer, and nobody
 * looks. A transfer that is silent is therefore nudged several times a second, and the time limit for silence is kept here, because
 * a nudge starts curl's own anew. It is one limit for all that are under way: on a slow link they take turns, and each is silent for long.
 *
 * A connection that has died without a word (a router forgot it, somebody in between hangs) is kept by libcurl if it is HTTP/2, and given to the
 * next request. So a batch that ends for silence takes all connections with it.
 *
 * When a connection is lost, libcurl sends a request again on another one, silently, also one that the server has received. For a GET
 * that is welcome. A body is therefore handed to it by a function, and rewinding it is refused: then curl ends the request
 * (CURLE_SEND_FAIL_REWIND) instead.
 *
 * Bytes are HTTP's: headers as text and bodies, without TLS. Compression is ours (suffixes in
 * the URL), so none is asked for; redirects are not followed, because the protocol has none.
 */
#include "sync/net.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_BY_SIDE = 16,
    CONNECTIONS = 6 /* where there is no HTTP/2 */,
    WAIT_MS = 20,
    NUDGE_MS = 200
};

struct net {
    CURLM *multi;
    bool mute;                /* a batch ended for silence: its connections may be dead */
    CURL *idle[SIDE_BY_SIDE]; /* handles at rest */
    size_t nidle;
    char cacert[512];
    uint32_t connect_timeout, idle_timeout;
    const char *agent;
    const char *proxy, *proxy_secret, *direct; /* NULL: the environment's */
    uint64_t (*now_ms)(void);
    uint64_t heard; /* ms: when any request last moved */
};

/* One request under way. */
struct flight {
    struct net *net;
    struct net_request *request;
    struct curl_slist *headers;
    size_t sent;            /* of the body */
    bool aborted;           /* on_body asked to end the batch */
    uint64_t heard, nudged; /* ms: when it last moved, or was nudged */
};

static void open_connections(struct net *n)
{
    if (!(n->multi = curl_multi_init()))
        abort();
    curl_multi_setopt(n->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(n->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS);
    n->mute = false;
}

static void close_connections(struct net *n)
{
    while (n->nidle > 0)
        curl_easy_cleanup(n->idle[--n->nidle]);
    curl_multi_cleanup(n->multi);
}

struct net *net_open(const char *agent, uint64_t (*now_ms)(void))
{
    struct net *n = calloc(1, sizeof *n);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!n)
        abort();
    n->agent = agent;
    n->now_ms = now_ms;
    open_connections(n);
    return n;
}

void net_close(struct net *n)
{
    if (!n)
        return;
    close_connections(n);
    free(n);
}

void net_configure(struct net *n, const char *cacert, uint32_t connect_timeout,
                   uint32_t idle_timeout)
{
    snprintf(n->cacert, sizeof n->cacert, "%s", cacert ? cacert : "");
    n->connect_timeout = connect_timeout;
    n->idle_timeout = idle_timeout;
}

void net_proxy(struct net *n, const char *url, const char *secret, const char *direct)
{
    n->proxy = url;
    n->proxy_secret = secret;
    n->direct = direct;
}

/* ---- what curl calls ---- */

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    size_t n = size * count;
    char text[1024], *colon, *value;
    int status;

    f->heard = f->net->heard = f->net->now_ms();
    if (n >= sizeof text)
        return n; /* none that we want is so long */
    memcpy(text, line, n);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (sscanf(text, "HTTP/%*[0-9.] %d", &status) == 1) {
        f->request->on_status(f->request->ctx, status);
        return n;
    }
    if (!(colon = strchr(text, ':')))
        return n;
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    f->request->on_header(f->request->ctx, text, value);
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;

    f->heard = f->net->heard = f->net->now_ms();
    f->aborted = f->request->on_body(f->request->ctx, bytes, size * count) != 0;
    return f->aborted ? 0 : size * count;
}

static size_t on_send(char *room, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    size_t left = f->request->size - f->sent, n = size * count < left ? size * count : left;

    f->heard = f->net->heard = f->net->now_ms();
    if (n > 0)
        memcpy(room, (const char *)f->request->body + f->sent, n);
    f->sent += n;
    return n;
}

static int refuse_rewind(void *ctx, curl_off_t offset, int origin)
{
    (void)ctx, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

/* ---- one request ---- */

static void give_body(CURL *c, struct flight *f)
{
    const struct net_request *r = f->request;

    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->size);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(c, CURLOPT_READDATA, f);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, refuse_rewind);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, f);
    f->headers = curl_slist_append(f->headers, "Expect:"); /* do not wait to be asked for it */
}

static CURL *launch(struct net *n, struct flight *f)
{
    CURL *c = n->nidle > 0 ? n->idle[--n->nidle] : curl_easy_init();

    if (!c)
        abort();
    for (const char *const *h = f->request->headers; h && *h; h++)
        f->headers = curl_slist_append(f->headers, *h);
    curl_easy_reset(c);
    if (f->request->method)
        give_body(c, f);
    curl_easy_setopt(c, CURLOPT_URL, f->request->url);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, n->agent);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)n->connect_timeout);
    if (n->cacert[0])
        curl_easy_setopt(c, CURLOPT_CAINFO, n->cacert);
    curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (n->proxy) {
        curl_easy_setopt(c, CURLOPT_PROXY, n->proxy); /* "": not the environment's either */
        curl_easy_setopt(c, CURLOPT_NOPROXY, n->direct);
        curl_easy_setopt(c, CURLOPT_PROXYUSERPWD, *n->proxy_secret ? n->proxy_secret : NULL);
    }
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_PRIVATE, f);
    curl_multi_add_handle(n->multi, c);
    f->heard = f->nudged = n->heard = n->now_ms();
    return c;
}

static bool is_certificate(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR;
}

/* Takes the numbers and puts the handle to rest. */
static void land(struct net *n, CURL *c, struct flight *f, CURLcode code)
{
    struct net_request *r = f->request;
    long headers = 0, sent = 0;
    curl_off_t body = 0, up = 0, us = 0;

    curl_easy_getinfo(c, CURLINFO_HEADER_SIZE, &headers);
    curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(c, CURLINFO_SIZE_DOWNLOAD_T, &body);
    curl_easy_getinfo(c, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(c, CURLINFO_TOTAL_TIME_T, &us);
    r->bytes_down = (uint64_t)headers + (uint64_t)body;
    r->bytes_up = (uint64_t)sent + (uint64_t)up;
    r->ms = (uint64_t)us / 1000;
    r->whole = code == CURLE_OK;
    r->untrusted = is_certificate(code);
    if (!r->whole)
        snprintf(r->why, sizeof r->why, "%s", curl_easy_strerror(code));
    curl_multi_remove_handle(n->multi, c);
    curl_slist_free_all(f->headers);
    f->headers = NULL;
    if (n->nidle < SIDE_BY_SIDE)
        n->idle[n->nidle++] = c;
    else
        curl_easy_cleanup(c);
}

/* ---- the batch ---- */

struct batch {
    struct net *n;
    struct flight *flights;
    CURL **handles; /* of those under way, by index */
    size_t count, next, flying;
    bool ended;
};

static void reap(struct batch *b)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(b->n->multi, &left))) {
        struct flight *f;
        CURLcode code = m->data.result;
        CURL *c = m->easy_handle;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(c, CURLINFO_PRIVATE, &f);
        b->handles[f - b->flights] = NULL;
        b->flying--;
        land(b->n, c, f, code);
        b->ended |= f->aborted;
    }
}

/* Changing what is paused (here: sending) makes curl look at the connection again, whatever the socket says. */
static void nudge(CURL *c)
{
    curl_easy_pause(c, CURLPAUSE_SEND);
    curl_easy_pause(c, CURLPAUSE_CONT);
}

static void mind_the_silent(struct batch *b)
{
    uint64_t now = b->n->now_ms();

    for (size_t i = 0; i < b->next; i++) {
        struct flight *f = &b->flights[i];

        if (!b->handles[i])
            continue;
        if (now - b->n->heard >= (uint64_t)b->n->idle_timeout * 1000) {
            b->n->mute = true;
            land(b->n, b->handles[i], f, CURLE_OPERATION_TIMEDOUT);
            b->handles[i] = NULL;
            b->flying--;
        } else if (now - f->heard >= NUDGE_MS && now - f->nudged >= NUDGE_MS) {
            nudge(b->handles[i]);
            f->nudged = now;
        }
    }
}

static void end_all(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->handles[i])
            land(b->n, b->handles[i], &b->flights[i], CURLE_ABORTED_BY_CALLBACK);
}

void net_get(struct net *n, struct net_request *requests, size_t count, bool (*stop)(void *),
             void *stop_ctx)
{
    struct batch b = { .n = n, .count = count };
    int running;

    b.flights = calloc(count + 1, sizeof *b.flights);
    b.handles = calloc(count + 1, sizeof(CURL *));
    if (!b.flights || !b.handles)
        abort();
    for (size_t i = 0; i < count; i++) {
        requests[i].whole = requests[i].untrusted = false;
        snprintf(requests[i].why, sizeof requests[i].why, "not asked");
    }
    while (!b.ended && (b.next < count || b.flying > 0)) {
        if (n->mute && !b.flying) {
            close_connections(n);
            open_connections(n);
        }
        for (; b.next < count && b.flying < SIDE_BY_SIDE; b.next++, b.flying++) {
            b.flights[b.next].net = n;
            b.flights[b.next].request = &requests[b.next];
            b.handles[b.next] = launch(b.n, &b.flights[b.next]);
        }
        curl_multi_perform(b.n->multi, &running);
        reap(&b);
        mind_the_silent(&b);
        b.ended |= stop(stop_ctx);
        if (!b.ended && b.flying > 0)
            curl_multi_poll(b.n->multi, NULL, 0, WAIT_MS, NULL);
    }
    end_all(&b);
    free(b.flights);
    free(b.handles);
}
