/*
 * send.h - the last step of a request: a reply becomes HTTP, a line in the log, and numbers.
 *
 * Loop thread only. Answers If-None-Match with 304, Range with 206 or 416, HEAD without the
 * body (libh2o does not suppress it), and adds Content-Length, ETag, Cache-Control, the
 * security headers and CORS.
 */
#ifndef HTTP_SEND_H
#define HTTP_SEND_H

#include <h2o.h>

#include "server/base/conf.h"
#include "server/http/limit.h"
#include "server/http/reply.h"
#include "server/http/route.h"

/* The kind of listener a request came by. */
enum origin { ORIGIN_PLAIN, ORIGIN_TLS, ORIGIN_ADMIN, ORIGIN_COUNT };

enum { REQUEST_ID_TEXT = 33 };

struct sending {
    h2o_req_t *req;
    enum origin origin;
    const struct route *route; /* NULL: none was found, or the answer comes from the cache */
    const char *path;          /* decoded, without the query; NULL: as the request has it */
    const struct actor *who;
    const char *client; /* his address, for a refusal; NULL: it is not known */
    const char *id;     /* the request's; NULL: the answer is for everybody */
    const struct verdict
        *limits; /* a request may have several; their number is 0 where none applies */
    int nlimits;
    bool early; /* the route may change something, and it was answered before that */
    int64_t began_us;
};

/* The page on which a browser signs in; it takes ?return=. NULL: there is none. */
void send_set_sign_in(const char *path);
void send_init(const struct conf_list *cors_origins, bool log_requests);
/* What rp points at must live as long as req's pool. The request may be gone afterwards. */
void send_reply(const struct sending *s, const struct reply *rp);
char *request_id_make(char out[REQUEST_ID_TEXT]);
/* Status, reason and body of a failure; `id` may be NULL. */
void send_problem(const struct sending *s, enum rc rc, const struct err *e, struct reply *rp);

#endif
