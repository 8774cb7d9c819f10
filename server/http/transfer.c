/*
 * transfer.c - what libcurl is told of a request, and what its end means.
 *
 * Here stand the settings without which it would repeat itself (transfer.h), follow the environment's proxy, or speak to our own network because a stranger named it.
 */
#include "server/http/transfer.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http/reach.h"

enum { HEADERS_MAX = 64 << 10, CONNECT_MS = 10 * 1000 };

static void init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void transfer_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_once);
}

/* ---- the proxy ---- */

static struct transfer_proxy proxy = { "", "", "" };

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

enum rc transfer_proxy_set(struct err *e, const struct transfer_proxy *p)
{
    if (*p->url && !is_proxy(p->url))
        return err_set(e, RC_INVALID,
                       "outbound_proxy: %.100s should be like http://proxy.example.cn:3128; a "
                       "password goes into outbound_proxy_secret",
                       strchr(p->url, '@') ? "what holds an @" : p->url);
    proxy = *p;
    return RC_OK;
}

static bool is_through_proxy(const struct transfer *t)
{
    return *proxy.url && !t->socket && !(t->public_only && !strcmp(proxy.direct, "*"));
}

/* An empty one keeps libcurl from looking at the environment. A stranger's host is not asked directly because a name of the list happens to fit: nobody would look where that leads. */
static void set_proxy(CURL *h, const struct transfer *t)
{
    curl_easy_setopt(h, CURLOPT_PROXY, is_through_proxy(t) ? proxy.url : "");
    curl_easy_setopt(h, CURLOPT_NOPROXY, t->public_only ? "" : proxy.direct);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (*proxy.secret)
        curl_easy_setopt(h, CURLOPT_PROXYUSERPWD, proxy.secret);
}

/* ---- what libcurl calls ---- */

static size_t give_body(char *out, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t left = t->body_n - t->sent, step = size * n < left ? size * n : left;

    if (step)
        memcpy(out, (const char *)t->body + t->sent, step);
    t->sent += step;
    return step;
}

static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
    (void)arg, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    t->too_long = t->body_in.n + size * n > t->answer_max;
    if (t->too_long)
        return 0;
    buf_add(&t->body_in, p, size * n);
    return t->heard && !t->heard(t->heard_arg, &t->body_in) ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * n;
    const char *colon = memchr(p, ':', len);

    if (len > 5 && !memcmp(p, "HTTP/", 5)) {
        t->headers_in.n = 0; /* an interim answer's headers are not the answer's */
        return len;
    }
    if (!colon)
        return len;
    if (t->headers_in.n + len > HEADERS_MAX)
        return 0;
    for (const char *c = p; c < colon; c++)
        buf_addc(&t->headers_in, (char)tolower((unsigned char)*c));
    while (len && isspace((unsigned char)p[len - 1]))
        len--;
    buf_add(&t->headers_in, colon, (size_t)(p + len - colon));
    buf_addc(&t->headers_in, '\n');
    return size * n;
}

const char *transfer_header(const char *headers, const char *name, char *out, size_t n)
{
    size_t name_n = strlen(name);

    for (const char *line = headers, *end; line && (end = strchr(line, '\n')); line = end + 1) {
        if (strncmp(line, name, name_n) || line[name_n] != ':')
            continue;
        line += name_n + 1;
        line += strspn(line, " ");
        snprintf(out, n, "%.*s", (int)(end - line), line);
        return out;
    }
    return "";
}

/* The address that a name has at the very moment: one that is looked at beforehand may have another then. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg, (void)purpose;
    return reach_is_public(&a->addr)
               ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol)
               : CURL_SOCKET_BAD;
}

static curl_socket_t open_none(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg, (void)purpose, (void)a;
    return CURL_SOCKET_BAD;
}

/* The host as libcurl reads it, so that no spelling is one thing to us and another to it. */
static bool may_be_public(const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL;
    bool may = u && !curl_url_set(u, CURLUPART_URL, url, 0) &&
               !curl_url_get(u, CURLUPART_HOST, &host, 0) && reach_may_be_public(host);

    curl_free(host);
    curl_url_cleanup(u);
    return may;
}

/* ---- the question ---- */

static struct curl_slist *header_list(const struct transfer *t)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Expect:"); /* no 100-continue: it costs a round trip */
    struct buf b = BUF_HEAP;

    list = curl_slist_append(list, "Content-Type:"); /* nor libcurl's own: a form */
    for (const char *const *line = t->headers; line && *line; line++)
        list = curl_slist_append(list, *line);
    if (t->bearer) {
        buf_printf(&b, "Authorization: Bearer %s", t->bearer);
        list = curl_slist_append(list, b.p);
        buf_done(&b);
    }
    return list;
}

static void set_method(CURL *h, struct transfer *t)
{
    if (!strcmp(t->method, "HEAD"))
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (!strcmp(t->method, "GET") || !strcmp(t->method, "HEAD"))
        return;
    curl_easy_setopt(h, CURLOPT_POST, 1L);
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, t->method);
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_n);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(h, CURLOPT_READDATA, t);
    curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, refuse_rewind);
    curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, (long)(t->body_n == 0));
}

static void set_answer(CURL *h, struct transfer *t)
{
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
}

static void set_reach(CURL *h, struct transfer *t)
{
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, t->tls_only ? "https" : "https,http");
    t->barred = t->public_only && is_through_proxy(t) && !may_be_public(t->url);
    if (t->barred) {
        curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_none);
        curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L); /* nor one to the proxy that is open */
    } else if (t->public_only && !is_through_proxy(t)) {
        curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_public);
    }
    if (t->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, t->ca_file);
    if (t->socket)
        curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, t->socket);
}

void transfer_begin(struct transfer *t, void *h, void *owner)
{
    t->list = header_list(t);
    t->sent = 0;
    t->too_long = false;
    t->body_in = t->headers_in = BUF_HEAP;
    curl_easy_setopt(h, CURLOPT_PRIVATE, owner);
    curl_easy_setopt(h, CURLOPT_URL, t->url);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(h, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS,
                     (long)(t->timeout_ms ? t->timeout_ms : TRANSFER_TIMEOUT_MS));
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, t->list);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "tjzw/" TJZW_VERSION);
    set_method(h, t);
    set_answer(h, t);
    set_reach(h, t);
    set_proxy(h, t);
}

/* ---- its end ---- */

/* Failures before a byte of the request can have left. */
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

static enum transfer_fate fate_of(const struct transfer *t, CURLcode code, bool refused)
{
    if (!code)
        return TRANSFER_ANSWERED;
    if (is_early(code) || refused)
        return TRANSFER_UNSENT;
    return t->sent < t->body_n ? TRANSFER_CUT : TRANSFER_DOUBT;
}

void transfer_end(struct transfer *t, void *h, int code)
{
    long status = 0, tunnel = 0;
    bool refused;

    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    refused = tunnel / 100 > 2;
    t->status = (int)status;
    t->fate = fate_of(t, (CURLcode)code, refused);
    if (t->barred)
        snprintf(t->why, sizeof t->why, "its host is none of the Internet's");
    else if (refused)
        snprintf(t->why, sizeof t->why, "the proxy answered %ld", tunnel);
    else
        snprintf(t->why, sizeof t->why, "%s", code ? curl_easy_strerror((CURLcode)code) : "");
    curl_slist_free_all(t->list);
    t->list = NULL;
}
