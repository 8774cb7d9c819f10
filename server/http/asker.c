/*
 * asker.c - who asks.
 *
 *     socket --PROXY v2: told already (connection.c)--> peer --a trusted proxy?--> Forwarded: the client, or the proxy itself
 *
 * What a handler is told of him goes to nobody else, so that of an answer for everybody (R_CACHED) it is told nothing (edge.c).
 */
#include "server/http/asker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/metric.h"
#include "server/http/limit.h"

enum { CLIENT_TEXT = INET6_ADDRSTRLEN };

h2o_iovec_t asker_header(const h2o_req_t *req, const char *name)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, name, strlen(name), -1);

    return at < 0 ? h2o_iovec_init(NULL, 0) : req->headers.entries[at].value;
}

/* Fields `Forwarded` that name no client leave the one who spoke to us. */
static void ask_proxy(struct asker *who, const h2o_headers_t *all, struct arena *mem,
                      const struct networks *trusted)
{
    const char **values = arena_zalloc(mem, all->size * sizeof *values);
    size_t *lengths = arena_zalloc(mem, all->size * sizeof *lengths), n = 0;
    struct sockaddr_storage client;

    for (ssize_t at = -1; (at = h2o_find_header_by_str(all, "forwarded", 9, at)) >= 0; n++) {
        values[n] = all->entries[at].value.base;
        lengths[n] = all->entries[at].value.len;
    }
    if (forwarded_client(trusted, values, lengths, n, &client))
        who->client = client;
    else
        metric_add(METRIC_proxy_untold, 1);
}

struct asker asker_find(const h2o_req_t *req, struct arena *mem, const struct networks *trusted)
{
    struct asker who = { 0 };
    struct sockaddr *peer = (struct sockaddr *)&who.client;

    req->conn->callbacks->get_peername(req->conn, peer);
    who.proxied = networks_have(trusted, peer);
    if (who.proxied)
        ask_proxy(&who, &req->headers, mem, trusted);
    return who;
}

const char *asker_text(const struct asker *who, struct arena *mem)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&who->client;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&who->client;
    char *text = arena_zalloc(mem, CLIENT_TEXT);

    if (who->client.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, text, CLIENT_TEXT);
    else if (who->client.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &six->sin6_addr, text, CLIENT_TEXT);
    else if (who->client.ss_family == AF_INET)
        inet_ntop(AF_INET, &four->sin_addr, text, CLIENT_TEXT);
    else
        memcpy(text, "local", sizeof "local");
    return text;
}

/* Whatever a proxy says of itself, trusted or not. A stranger may say it too, and gains nothing by it. */
static bool is_forwarded(const h2o_req_t *req)
{
    static const char *const names[] = { "forwarded", "via", "x-forwarded-for" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (asker_header(req, names[i]).base)
            return true;
    return false;
}

static const char *copy_of(struct arena *mem, h2o_iovec_t v)
{
    return v.base ? arena_strndup(mem, v.base, v.len) : NULL;
}

/* Over HTTP/2 a browser sends each in a field of its own (RFC 9113 section 8.2.3). */
static const char *all_cookies(const h2o_req_t *req, struct arena *mem)
{
    struct buf all = BUF_IN(mem);

    for (ssize_t at = -1; (at = h2o_find_header(&req->headers, H2O_TOKEN_COOKIE, at)) >= 0;) {
        buf_adds(&all, all.n ? "; " : "");
        buf_add(&all, req->headers.entries[at].value.base, req->headers.entries[at].value.len);
    }
    return all.n ? all.p : "";
}

void asker_tell(const struct asker *who, const h2o_req_t *req, bool tls, struct arena *mem,
                struct request *rq)
{
    const struct {
        const char *name, **to;
    } headers[] = {
        { "content-type", &rq->content_type },   { "content-encoding", &rq->content_encoding },
        { "content-range", &rq->content_range }, { "if-none-match", &rq->if_none_match },
        { "if-match", &rq->if_match },           { "range", &rq->range },
        { "if-range", &rq->if_range },           { "accept", &rq->accept },
        { "authorization", &rq->authorization }, { "idempotency-key", &rq->idempotency_key },
        { "last-event-id", &rq->last_event_id }, { "origin", &rq->origin },
        { "sec-fetch-site", &rq->fetch_site },   { "user-agent", &rq->user_agent },
    };

    if (req->input.authority.base != req->hostconf->authority.hostport.base)
        rq->host = copy_of(mem, req->input.authority);
    rq->tls = tls;
    rq->secure = tls || who->proxied;
    rq->cookies = all_cookies(req, mem);
    rq->client = asker_text(who, mem);
    rq->client_tag = limit_client((const struct sockaddr *)&who->client);
    rq->forwarded = who->proxied || is_forwarded(req);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        *headers[i].to = copy_of(mem, asker_header(req, headers[i].name));
}
