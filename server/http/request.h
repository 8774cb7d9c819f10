/*
 * request.h - what a handler sees of a request: checked, decoded, copied off the connection
 * when it leaves the loop thread.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/errand.h"
#include "server/base/id.h"
#include "server/base/work.h"

enum method { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, METHOD_COUNT };

enum { REQUEST_ARGS = 12 };

struct arg {
    const char *name;
    bool set;
    int64_t num;              /* P_INT, P_BOOL */
    const char *text;         /* P_TEXT, and the raw text of every other */
    struct id id;             /* P_ID */
    uint8_t hash[HASH_BYTES]; /* P_HASH */
};

/*
 * To the handler of an R_CACHED route the asker is nobody: host and client are "", tls is false, and all header fields are NULL, since what it
 * answers goes to everybody.
 */
struct request {
    enum method method; /* a HEAD is seen as GET; the edge drops the body */
    const char *path;   /* decoded and normalised, without the query */
    const char *target; /* path and query as received */
    const char *host;   /* "example.cn:8443", "" if absent */
    bool tls;
    bool secure;        /* TLS reaches the client: ours, or that of a trusted proxy */
    bool forwarded;     /* there is somebody in between: that `client` is local means nothing */
    const char *client; /* who asks, as far as is known (docs/shield.md); IPv4 plain */
    uint64_t client_tag; /* limit_client() of it */
    const char
        *query; /* as received, without its '?'; "" if absent. Read by R_FORM routes alone */
    struct arg args[REQUEST_ARGS];
    int nargs;
    const char *body; /* never NULL */
    size_t body_len;
    const char *content_type, *content_encoding, *content_range, *if_none_match, *if_match,
        *range, *if_range, *accept, *authorization, *idempotency_key,
        *last_event_id; /* NULL if absent */
    const char *origin, *fetch_site,
        *user_agent;       /* of a browser: who makes it ask; what it is. NULL if absent */
    const char *cookies;   /* all fields of that name, "; " between them; "" if there is none */
    void *prepared;        /* made by the route's prepare() */
    struct errand *errand; /* set by prepare(): it is done before the handler runs */
};

/* A parameter by name. Asserts that the route declares it. */
const struct arg *request_arg(const struct request *rq, const char *name);
int64_t request_int(const struct request *rq, const char *name, int64_t otherwise);
const char *request_text(const struct request *rq, const char *name, const char *otherwise);
const char *method_name(enum method m);
bool method_parse(const char *text, size_t n, enum method *out); /* false: one we do not know */

#endif
