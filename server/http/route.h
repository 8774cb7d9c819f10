/*
 * route.h - who may call, where it runs, and what is checked before the handler sees it. The
 * table itself is api/routes.c.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "server/http/reply.h"
#include "server/http/request.h"

enum where {
    ON_LOOP,   /* needs memory only; w->db is NULL */
    ON_WORKER, /* reads the store, or computes; w->db is a read connection */
    ON_WRITER, /* changes the store; w->db is the writer's connection, inside a savepoint */
};

enum param_type { P_INT, P_TEXT, P_ID /* UUID */, P_HASH /* 64 hex */, P_BOOL /* 0 or 1 */ };

struct param {
    const char *name; /* NULL ends the list. A name that stands in the path as :name is a path
                         parameter, the rest are query parameters */
    enum param_type type;
    int64_t min, max; /* P_INT: value; P_TEXT: bytes */
    const char *doc;
};

struct route {
    enum method method;
    const char *path; /* "/v1/items/:id"; a parameter is always a whole segment */
    unsigned right;   /* of enum right; RIGHT_READ is everybody */
    enum where where;
    unsigned flags;
    const struct param *params; /* NULL: none */
    int64_t body_max;           /* bytes; 0: a body is refused */
    enum rc (*handler)(struct work *w, const struct request *rq, struct reply *rp);
    /* ON_WRITER only, may be NULL: runs before, on a worker, and leaves what it made in
     * rq->prepared. For parsing that costs. */
    enum rc (*prepare)(struct work *w, struct request *rq);
    const char *tag;     /* groups routes in the documentation */
    const char *summary; /* one line, Chinese */
    const char *example; /* a curl line's tail, e.g. "/v1/items?n=5"; NULL: the path */
    unsigned
        act; /* what the audit log calls it (enum audit_action, which http does not know); 0: it is not written down */
};

/*
 * route.flags
 *
 * R_CACHED   the answer is a function of path, query and the library's generation (cache.h): it
 *            is kept in memory, built once however many ask at the same time, and answered on
 *            the loop thread with ETag and 304. Only making it counts against the rate limit.
 * R_FOREVER  with R_CACHED: the URL never answers other bytes; not bound to a generation
 * R_NO_KEY   a mutation that is idempotent by nature and takes no Idempotency-Key
 * R_PAGE     errors are answered as an HTML page instead of problem+json
 * R_HIDDEN   not in the OpenAPI document
 * R_LINES    the body is JSON, one value a line (application/x-ndjson), or plain JSON
 * R_BYTES    the body may be of any type; all others take JSON alone
 * R_FREE     never counts against the rate limit: what watches over the server asks it often
 * R_RESERVE  a mutation that is tried though the server is read only for want of room (store/disk.h): it takes
 *            something from the public, or from who has a right no more
 */
enum {
    R_CACHED = 1 << 0,
    R_FOREVER = 1 << 1,
    R_NO_KEY = 1 << 2,
    R_PAGE = 1 << 3,
    R_HIDDEN = 1 << 4,
    R_FREE = 1 << 5,
    R_LINES = 1 << 6,
    R_BYTES = 1 << 7,
    R_RESERVE = 1 << 8,
};

/* The table ends with a row whose path is NULL. Checks the table (asserts). Before the loops start. */
void routes_set(const struct route *table);

#endif
