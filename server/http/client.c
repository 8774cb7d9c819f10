/*
 * client.c - libcurl, kept from repeating itself.
 *
 * The body goes out through a read callback whose seek always fails: when libcurl wants to send
 * a request again on a new connection it cannot rewind, and reports CURLE_SEND_FAIL_REWIND
 * instead. A change without a body has nothing to rewind, so it gets a fresh connection, which
 * libcurl never retries. What the other side refused before looking at it (REFUSED_STREAM) may
 * be sent again.
 *
 * The thread: take what is queued, let libcurl work, sleep until a socket or
 * curl_multi_wakeup() stirs.
 */
#include "server/http/client.h"

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
#include "server/base/url.h"
#include "server/http/reach.h"

enum {
    ANSWER_MAX = 1 << 20,
    HEADERS_MAX = 64 << 10,
    TIMEOUT_MS = 30 * 1000,
    CONNECT_MS = 10 * 1000,
    ASK_MS = 2000,
    POLL_MS = 1000,
    HOST_CONNECTIONS = 4
};

/* ---- one request ---- */

static size_t give_body(char *out, size_t size, size_t n, void *arg)
{
    struct client_request *rq = arg;
    size_t left = rq->body_len - rq->sent, step = size * n < left ? size * n : left;

    if (step)
        memcpy(out, (const char *)rq->body + rq->sent, step);
    rq->sent += step;
    return step;
}

static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
    (void)arg, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct client_request *rq = arg;
    size_t max = rq->answer_max ? rq->answer_max : ANSWER_MAX;

    if (rq->body_in.n + size * n > max) {
        rq->rc = err_set(&rq->err, RC_TOO_LARGE, "the answer is longer than %zu bytes", max);
        return 0;
    }
    buf_add(&rq->body_in, p, size * n);
    return size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct client_request *rq = arg;
    size_t len = size * n;
    const char *colon = memchr(p, ':', len);

    if (len > 5 && !memcmp(p, "HTTP/", 5)) {
        rq->headers_in.n = 0; /* an interim answer's headers are not the answer's */
        return len;
    }
    if (!colon)
        return len;
    if (rq->headers_in.n + len > HEADERS_MAX)
        return 0;
    for (const char *c = p; c < colon; c++)
        buf_addc(&rq->headers_in, (char)tolower((unsigned char)*c));
    while (len && isspace((unsigned char)p[len - 1]))
        len--;
    buf_add(&rq->headers_in, colon, (size_t)(p + len - colon));
    buf_addc(&rq->headers_in, '\n');
    return size * n;
}

const char *client_header(const struct client_request *rq, const char *name, char *out,
                          size_t n)
{
    size_t name_n = strlen(name);
    const char *line = rq->headers_in.p, *end;

    for (; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end)
            break;
        if (strncmp(line, name, name_n) || line[name_n] != ':')
            continue;
        line += name_n + 1;
        line += strspn(line, " ");
        snprintf(out, n, "%.*s", (int)(end - line), line);
        return out;
    }
    return "";
}

void client_request_done(struct client_request *rq)
{
    buf_done(&rq->body_in);
    buf_done(&rq->headers_in);
}

static bool is_change(const struct client_request *rq)
{
    return strcmp(rq->method, "GET") && strcmp(rq->method, "HEAD");
}

static void set_body(CURL *h, struct client_request *rq)
{
    if (!strcmp(rq->method, "HEAD"))
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (!is_change(rq))
        return;
    curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, rq->method);
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(h, CURLOPT_READDATA, rq);
    curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, refuse_rewind);
    curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, (long)(rq->body_len == 0));
}

static struct curl_slist *header_list(const struct client_request *rq)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Expect:"); /* no 100-continue: it costs a round trip */
    struct buf b = BUF_HEAP;

    list = curl_slist_append(list, "Content-Type:"); /* nor libcurl's own: a form */
    for (const char *const *line = rq->headers; line && *line; line++)
        list = curl_slist_append(list, *line);
    if (rq->bearer) {
        buf_printf(&b, "Authorization: Bearer %s", rq->bearer);
        list = curl_slist_append(list, b.p);
        buf_done(&b);
    }
    return list;
}

static struct client_proxy proxy = { "", "", "" };

/* http://HOST:PORT and nothing else: without a port libcurl would take one that nobody expects, and a password would stand in plain sight. */
static bool is_proxy(const char *url)
{
    static const char scheme[] = "http://";
    const char *host = url + sizeof scheme - 1, *port;

    if (strncmp(url, scheme, sizeof scheme - 1) || strpbrk(host, "@/?#"))
        return false;
    port = strrchr(host, ':');
    return port && port > host && port[1] && !port[1 + strspn(port + 1, "0123456789")];
}

enum rc client_proxy_set(struct err *e, const struct client_proxy *p)
{
    if (*p->url && !is_proxy(p->url))
        return err_set(e, RC_INVALID,
                       "outbound_proxy: %.100s should be like http://proxy.example.cn:3128; a "
                       "password goes into outbound_proxy_secret",
                       strchr(p->url, '@') ? "what holds an @" : p->url);
    proxy = *p;
    return RC_OK;
}

const struct client_proxy *client_proxy_now(void)
{
    return &proxy;
}

/* An empty one keeps libcurl from looking at the environment. */
static void set_proxy(CURL *h, const struct client_request *rq)
{
    curl_easy_setopt(h, CURLOPT_PROXY, rq->socket ? "" : proxy.url);
    curl_easy_setopt(h, CURLOPT_NOPROXY, proxy.direct);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (*proxy.secret)
        curl_easy_setopt(h, CURLOPT_PROXYUSERPWD, proxy.secret);
}

/* The address that a name has now, at the very moment: a name that is looked at beforehand may have another one then. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg, (void)purpose;
    return reach_is_public(&a->addr)
               ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol)
               : CURL_SOCKET_BAD;
}

static void set_reach(CURL *h, const struct client_request *rq)
{
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, rq->tls_only ? "https" : "https,http");
    if (rq->public_only && !*proxy.url)
        curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_public);
}

static CURL *handle_new(struct client_request *rq, struct curl_slist **list)
{
    CURL *h = curl_easy_init();

    *list = header_list(rq);
    rq->sent = 0;
    rq->rc = RC_OK;
    curl_easy_setopt(h, CURLOPT_URL, rq->url);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(h, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS,
                     (long)(rq->timeout_ms ? rq->timeout_ms : TIMEOUT_MS));
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, *list);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "tjzw/" TJZW_VERSION);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, rq);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, rq);
    curl_easy_setopt(h, CURLOPT_PRIVATE, rq);
    if (rq->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, rq->ca_file);
    if (rq->socket)
        curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, rq->socket);
    set_reach(h, rq);
    set_proxy(h, rq);
    set_body(h, rq);
    return h;
}

/* Failures before a byte of the request can have left. */
static bool never_sent(CURLcode code)
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

static void conclude(CURL *h, CURLcode code, struct client_request *rq)
{
    long status = 0, tunnel = 0;
    char refused[64];

    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    rq->status = (int)status;
    rq->in_doubt = code && !never_sent(code) && tunnel / 100 < 3;
    snprintf(refused, sizeof refused, "the proxy answered %ld", tunnel);
    if (code && !rq->rc)
        say_failure(rq, tunnel / 100 > 2 ? refused : curl_easy_strerror(code));
    if (!code)
        note_clock(rq);
    metric_add(METRIC_outbound_requests, 1);
    if (rq->rc)
        metric_add(METRIC_outbound_failures, 1);
}

static void init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_once);
}

enum rc client_call(struct client_request *rq)
{
    struct curl_slist *list;
    CURL *h;

    prepare();
    h = handle_new(rq, &list);
    conclude(h, curl_easy_perform(h), rq);
    curl_easy_cleanup(h);
    curl_slist_free_all(list);
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

struct flight { /* what a request needs while it is under way */
    CURL *h;
    struct curl_slist *list;
};

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
    if (since_us < TIMEOUT_MS * INT64_C(1000))
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
    f->h = handle_new(rq, &f->list);
    avoid_the_dead(f->h);
    rq->handle = f;
    rq->next = client.flying;
    client.flying = rq;
    curl_multi_add_handle(client.multi, f->h);
}

static void land(struct client_request *rq)
{
    struct flight *f = rq->handle;
    struct client_request **at = &client.flying;

    while (*at != rq)
        at = &(*at)->next;
    *at = rq->next;
    curl_multi_remove_handle(client.multi, f->h);
    curl_easy_cleanup(f->h);
    curl_slist_free_all(f->list);
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
        conclude(msg->easy_handle, msg->data.result, rq);
        land(rq);
    }
}

static void *fly(void *unused)
{
    int running;

    pthread_setname_np(pthread_self(), "outbound");
    while (take_queued()) {
        curl_multi_perform(client.multi, &running);
        land_finished();
        curl_multi_poll(client.multi, NULL, 0, POLL_MS, NULL);
    }
    while (client.flying) {
        client.flying->rc = err_set(&client.flying->err, RC_BUSY, "this server is stopping");
        client.flying->in_doubt = true;
        land(client.flying);
    }
    return unused;
}

enum rc client_start(struct err *e, int queue_max)
{
    sigset_t all, before;
    int failed;

    prepare();
    client.multi = curl_multi_init();
    curl_multi_setopt(client.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTIONS);
    client.last = &client.first;
    client.open_max = queue_max;
    client.stopping = false;
    client.running = true;
    sigfillset(&all);
    sigdelset(&all, SIGSYS); /* what is refused comes by it (server/confine.c) */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&client.thread, NULL, fly, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return RC_OK;
    client.running = false;
    curl_multi_cleanup(client.multi);
    return err_set(e, RC_IO, "start the outbound thread: %s", strerror(failed));
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
