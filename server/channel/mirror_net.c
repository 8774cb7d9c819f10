/*
 * mirror_net.c - libcurl's multi interface, driven by the thread that waits for the answers.
 *
 * Like the client library's (clients/c/net.c), and for its reason: libcurl 7.88 can forget a stream that shares its connection,
 * so a transfer that is silent is nudged several times a second, and silence is timed here.
 *
 * Redirects are not followed, because the protocol has none; compression is in the URLs, so none is asked for.
 */
#include "server/channel/mirror_net.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "server/base/clock.h"

enum {
    SIDE_BY_SIDE = 6,
    WAIT_MS = 100,
    NUDGE_US = 200 * 1000,
    SILENT_US = 20 * 1000 * 1000,
    CONNECT_S = 10,
    URL_MAX = 700,
    RETRY_MOST_S = 3600,
};

struct mirror_net {
    CURLM *multi;
    const atomic_bool *stop;
    char url[512], cacert[512];
    uint32_t retry;
};

struct flight {
    struct mirror_net *net;
    struct follow_get *get;
    CURL *handle; /* NULL: not under way */
    struct curl_slist *headers;
    int64_t heard, nudged;
    struct sync_err refused; /* by get->body */
};

struct mirror_net *mirror_net_new(const atomic_bool *stop)
{
    struct mirror_net *n = calloc(1, sizeof *n);

    if (!n || !(n->multi = curl_multi_init()))
        abort();
    n->stop = stop;
    curl_multi_setopt(n->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(n->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)SIDE_BY_SIDE);
    return n;
}

void mirror_net_free(struct mirror_net *n)
{
    if (!n)
        return;
    curl_multi_cleanup(n->multi);
    free(n);
}

void mirror_net_to(struct mirror_net *n, const char *url, const char *cacert)
{
    snprintf(n->url, sizeof n->url, "%s", url);
    if (*n->url && n->url[strlen(n->url) - 1] == '/')
        n->url[strlen(n->url) - 1] = '\0';
    snprintf(n->cacert, sizeof n->cacert, "%s", cacert ? cacert : "");
}

uint32_t mirror_net_retry(struct mirror_net *n)
{
    uint32_t retry = n->retry;

    n->retry = 0;
    return retry;
}

/* ---- what curl calls ---- */

static void header(struct flight *f, const char *name, const char *value)
{
    struct follow_get *g = f->get;
    unsigned long long from, length;

    if (!strcasecmp(name, "etag") && value[0] == '"' && strlen(value) < sizeof g->etag)
        strcpy(g->etag, value);
    else if (!strcasecmp(name, "content-range") && sscanf(value, "bytes %llu-", &from) == 1) {
        g->range_from = from;
        if (sscanf(value, "bytes %*u-%*u/%llu", &length) == 1)
            g->length = length;
    } else if (!strcasecmp(name, "content-length") && g->status == 200 && value[0] >= '0' &&
               value[0] <= '9')
        g->length = strtoull(value, NULL, 10);
    else if (!strcasecmp(name, "retry-after") && value[0] >= '0' && value[0] <= '9')
        g->retry_after = (uint32_t)strtoul(value, NULL, 10);
    /* Nobody signed it, and takedowns must be followed. */
    if (g->retry_after > RETRY_MOST_S)
        g->retry_after = RETRY_MOST_S;
    if (g->retry_after > f->net->retry)
        f->net->retry = g->retry_after;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    size_t n = size * count;
    char text[1024], *colon;
    int status;

    f->heard = clock_mono_us();
    if (n >= sizeof text)
        return n; /* none that we want is so long */
    memcpy(text, line, n);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (sscanf(text, "HTTP/%*[0-9.] %d", &status) == 1) {
        f->get->status = status;
        f->get->range_from = f->get->length = 0;
        f->get->retry_after = 0;
        f->get->etag[0] = '\0';
    } else if ((colon = strchr(text, ':'))) {
        *colon = '\0';
        header(f, text, colon + 1 + strspn(colon + 1, " \t"));
    }
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    size_t n = size * count;

    f->heard = clock_mono_us();
    return f->get->body(f->get, &f->refused, (const uint8_t *)bytes, n) ? 0 : n;
}

/* ---- one request ---- */

static void add_header(struct flight *f, const char *name, const char *value)
{
    char line[256];

    snprintf(line, sizeof line, "%s: %s", name, value);
    f->headers = curl_slist_append(f->headers, line);
}

static void question(struct flight *f)
{
    const struct follow_get *g = f->get;
    char range[48];

    if (g->from) {
        snprintf(range, sizeof range, "bytes=%" PRIu64 "-", g->from);
        add_header(f, "Range", range);
        if (g->if_range)
            add_header(f, "If-Range", g->if_range);
    }
    if (g->if_none)
        add_header(f, "If-None-Match", g->if_none);
    if (g->past_caches)
        add_header(f, "Cache-Control", "no-cache");
}

static void launch(struct mirror_net *n, struct flight *f)
{
    CURL *c = curl_easy_init();
    char url[URL_MAX];

    if (!c)
        abort();
    f->handle = c;
    f->get->status = 0;
    snprintf(url, sizeof url, "%s%s", n->url, f->get->path);
    question(f);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "tjzw/" TJZW_VERSION);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    if (n->cacert[0])
        curl_easy_setopt(c, CURLOPT_CAINFO, n->cacert);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_PRIVATE, f);
    curl_multi_add_handle(n->multi, c);
    f->heard = f->nudged = clock_mono_us();
}

static void land(struct mirror_net *n, struct flight *f, CURLcode code)
{
    struct follow_get *g = f->get;
    long headers = 0, sent = 0;
    curl_off_t body = 0;

    curl_easy_getinfo(f->handle, CURLINFO_HEADER_SIZE, &headers);
    curl_easy_getinfo(f->handle, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(f->handle, CURLINFO_SIZE_DOWNLOAD_T, &body);
    g->bytes_down = (uint64_t)headers + (uint64_t)body;
    g->bytes_up = (uint64_t)sent;
    if (code == CURLE_OK && g->status)
        g->err.rc = SYNC_OK;
    else
        (void)sync_err_set(&g->err, SYNC_NET, "%s", curl_easy_strerror(code));
    curl_multi_remove_handle(n->multi, f->handle);
    curl_easy_cleanup(f->handle);
    curl_slist_free_all(f->headers);
    f->handle = NULL;
    f->headers = NULL;
}

/* ---- the batch ---- */

static void reap(struct mirror_net *n)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(n->multi, &left))) {
        struct flight *f;
        CURLcode code = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        land(n, f, code);
    }
}

/* Changing what is paused (here: sending, of which there is none) makes curl look at the connection again. */
static void mind_the_silent(struct mirror_net *n, struct flight *f)
{
    int64_t now = clock_mono_us();

    if (now - f->heard >= SILENT_US) {
        land(n, f, CURLE_OPERATION_TIMEDOUT);
    } else if (now - f->heard >= NUDGE_US && now - f->nudged >= NUDGE_US) {
        curl_easy_pause(f->handle, CURLPAUSE_SEND);
        curl_easy_pause(f->handle, CURLPAUSE_CONT);
        f->nudged = now;
    }
}

/* How many are under way; *refused: one whose body was not wanted. */
static size_t look_after(struct mirror_net *n, struct flight *flights, size_t count,
                         struct flight **refused)
{
    size_t flying = 0;
    int running;

    curl_multi_perform(n->multi, &running);
    reap(n);
    for (size_t i = 0; i < count; i++) {
        if (flights[i].handle)
            mind_the_silent(n, &flights[i]);
        if (flights[i].refused.rc)
            *refused = &flights[i];
        flying += flights[i].handle != NULL;
    }
    return flying;
}

static enum sync_rc get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t count)
{
    struct mirror_net *n = ctx;
    struct flight *flights = calloc(count + 1, sizeof *flights), *refused = NULL;
    size_t next = 0, flying = 0;
    bool stopped = false;
    enum sync_rc rc = SYNC_OK;

    if (!flights)
        abort();
    while (!refused && !(stopped = atomic_load(n->stop)) && (next < count || flying)) {
        for (; next < count && flying < SIDE_BY_SIDE; next++, flying++) {
            flights[next].net = n;
            flights[next].get = &gets[next];
            launch(n, &flights[next]);
        }
        flying = look_after(n, flights, next, &refused);
        if (flying && !refused)
            curl_multi_poll(n->multi, NULL, 0, WAIT_MS, NULL);
    }
    for (size_t i = 0; i < next; i++)
        if (flights[i].handle)
            land(n, &flights[i], CURLE_ABORTED_BY_CALLBACK);
    for (size_t i = next; i < count; i++)
        (void)sync_err_set(&gets[i].err, SYNC_NET, "not asked");
    if (refused) {
        *e = refused->refused;
        rc = e->rc;
    } else if (stopped) {
        rc = sync_err_set(e, SYNC_CANCELLED, "stopped");
    }
    free(flights);
    return rc;
}

static enum sync_rc wait(void *ctx, struct sync_err *e, uint32_t ms)
{
    struct mirror_net *n = ctx;
    int64_t until = clock_mono_us() + (int64_t)ms * 1000;

    while (clock_mono_us() < until && !atomic_load(n->stop))
        usleep(20 * 1000);
    return atomic_load(n->stop) ? sync_err_set(e, SYNC_CANCELLED, "stopped") : SYNC_OK;
}

struct follow_transport mirror_net_transport(struct mirror_net *n)
{
    return (struct follow_transport){ .ctx = n, .get = get, .wait = wait };
}
