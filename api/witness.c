/*
 * witness.c - from a request to a row of the audit log.
 *
 *     POST /v1/items/0190…/publish     item.publish   items/0190…
 *     POST /v1/sites                   site.create    sites/3          (its Location)
 *     GET  /v1/letters/JB2026-000123   letter.read    letters/JB2026-000123
 *     GET  /v1/letters                 letter.list                     (once, then counted: reading.h)
 */
#include "api/witness.h"

#include <string.h>

#include "api/sandbox.h"
#include "server/identity/audit.h"
#include "server/identity/reading.h"
#include "server/identity/refusal.h"

static const char base[] = "/v1/";

static const char *without_base(const char *path)
{
    size_t n = strlen(base);

    return strncmp(path, base, n) ? path : path + n;
}

static const char *location_of(const struct reply *rp)
{
    for (int i = 0; i < rp->nextra; i++)
        if (!strcmp(rp->extra[i].name, "location"))
            return without_base(rp->extra[i].value);
    return NULL;
}

/* As much of the path as names a thing: up to the route's last parameter. */
static const char *object_of(struct work *w, const struct route *r, const struct request *rq,
                             const struct reply *rp)
{
    const char *last = strrchr(r->path, ':'), *end = rq->path;

    if (!last)
        return location_of(rp);
    for (const char *p = r->path; p < last; p++)
        if (*p == '/' && end)
            end = strchr(end, '/') ? strchr(end, '/') + 1 : NULL;
    if (!end)
        return NULL;
    return without_base(
        arena_strndup(w->mem, rq->path, (size_t)(end - rq->path) + strcspn(end, "/")));
}

static enum rc done(struct work *w, const struct route *r, const struct request *rq,
                    const struct reply *rp)
{
    unsigned staff =
        r->right & ~(unsigned)RIGHT_OWN; /* by the others he looks at what is his own */
    const char *object;

    if (rp->status >= 300) /* led elsewhere: nothing was done */
        return RC_OK;
    object = object_of(w, r, rq, rp);
    if (r->method == GET && staff) {
        if (!actor_has(&w->who, staff))
            return RC_OK;
        if (!object)
            return reading_tell(w, (enum audit_action)r->act);
    }
    return audit_add(w, (enum audit_action)r->act, object, RC_OK);
}

static void refused(const struct route *r, const struct actor *who, const char *client,
                    enum rc why)
{
    refusal_note(r ? method_name(r->method) : NULL, r ? r->path : NULL, who, client, why);
}

const struct witness witness_audit = { .handle = sandbox_handle,
                                       .done = done,
                                       .refused = refused };
