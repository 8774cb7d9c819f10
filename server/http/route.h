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
    unsigned
        right; /* of enum right: one of them is enough. RIGHT_READ is everybody, RIGHT_SELF who has signed in, RIGHT_ACT who acts for an organisation */
    enum where where;
    unsigned flags;
    const struct param *params; /* NULL: none */
    int64_t body_max;           /* bytes; 0: a body is refused */
    enum rc (*handler)(struct work *w, const struct request *rq, struct reply *rp);
    /* ON_WRITER only, may be NULL: runs before, on a worker, and leaves what it made in
     * rq->prepared. For parsing that costs; and what takes its time elsewhere is rq->errand. */
    enum rc (*prepare)(struct work *w, struct request *rq);
    const char *tag;     /* groups routes in the documentation */
    const char *summary; /* one line, Chinese */
    const char *example; /* a curl line's tail, e.g. "/v1/items?n=5"; NULL: the path */
    unsigned
        act; /* what the audit log calls it (enum audit_action, which http does not know); 0: it is not written down */
    /*
     * ON_WRITER only, may be NULL: what perhaps needs no writer. Asked on the loop thread first (w->db is NULL: what memory can tell, and only little is to be parsed), then
     * on a worker, where it may also prepare. If it says *done, *rp is the answer and nothing else runs.
     */
    enum rc (*early)(struct work *w, struct request *rq, struct reply *rp, bool *done);
    /*
     * ON_WORKER only, may be NULL: who asks does not wait. If no worker has answered after PROMPT_MS, or none takes it, this text is the answer, with
     * 200, and what comes later is dropped. Its query is the handler's own affair (request.query).
     */
    const char *prompt;
};
enum { PROMPT_MS = 35 };

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
 * R_FORM     what is asked is a form (form.h), which the handler reads: the body of a POST (application/x-www-form-urlencoded), the
 *            query of a GET (request.query), whose parameters the table does not know
 * R_ANY_ORIGIN  pages of any origin may ask, whatever cors_origins says: a cookie counts for nothing here
 * R_FREE     never counts against the rate limit: what watches over the server asks it often
 * R_RESERVE  a mutation that is tried though the server is read only for want of room (store/disk.h): it takes
 *            something from the public, or from who has a right no more
 * R_QUIET    a mutation that stands in no log when it succeeds: who it came from, and when, is nobody's
 * R_FOR_GOOD what it does, a rollback of the database would not take back, or makes public in its own time: no key of a program that is only tried (test) or
 *            for its own people (team) opens it, nor what changes something and is open to all (gate.c)
 * R_LEVEL2   … to 4: the account's level (acr) must be as high; below it 401 says which one is asked for (RFC 9470)
 *
 * An access token counts as a cookie too where a route is R_PAGE and not R_CACHED, and nowhere else: cookie.h.
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
    R_LEVEL2 = 1 << 9,
    R_LEVEL3 = 1 << 10,
    R_LEVEL4 = 1 << 11,
    R_FORM = 1 << 12,
    R_ANY_ORIGIN = 1 << 13,
    R_QUIET = 1 << 14,
    R_FOR_GOOD = 1 << 15,
};

/* The table ends with a row whose path is NULL. Checks the table (asserts). Before the loops start. */
void routes_set(const struct route *table);

#endif
