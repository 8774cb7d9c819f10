/*
 * shown.c - a GET that is answered, perhaps by "you have it" (304), to a browser that shows it now: no robot, no guess of the browser's at what might be
 * asked next.
 */
#include "server/http/shown.h"

#include <string.h>

#include "server/base/arena.h"
#include "server/http/asker.h"
#include "server/http/limit.h"
#include "server/http/robot.h"

static const char *prefix;
static void (*told)(const struct shown *);
static const struct networks *trusted;

void shown_set(const char *p, void (*f)(const struct shown *))
{
    prefix = p;
    told = f;
}

void shown_trust(const struct networks *t)
{
    trusted = t;
}

static bool is_guess(const h2o_req_t *req)
{
    static const char *const names[] = { "sec-purpose", "purpose", "x-purpose", "x-moz" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        h2o_iovec_t v = asker_header(req, names[i]);

        if (v.base &&
            (memmem(v.base, v.len, "prefetch", 8) || memmem(v.base, v.len, "preview", 7)))
            return true;
    }
    return false;
}

void shown_tell(h2o_req_t *req, int status)
{
    const h2o_iovec_t *target = &req->input.path;
    size_t n = told ? strlen(prefix) : 0;
    h2o_iovec_t agent;
    const char *mark;
    struct asker who;

    if (!told || (status && status != 200) || target->len <= n ||
        memcmp(target->base, prefix, n) != 0 ||
        !h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")))
        return;
    agent = asker_header(req, "user-agent");
    if (robot_is(agent.base, agent.len) || is_guess(req))
        return;
    mark = memchr(target->base, '?', target->len);
    who = asker_find(req, arena_of_pool(&req->pool), trusted);
    told(&(struct shown){ .path = target->base,
                          .n = mark ? (size_t)(mark - target->base) : target->len,
                          .client = limit_client((const struct sockaddr *)&who.client) });
}
