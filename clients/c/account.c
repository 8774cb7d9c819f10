/*
 * account.c - a citizen takes his data with him, and leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clients/c/people.h"

/* A call of who has signed in; TJZW_SIGN_IN also if that was too long ago for it. */
static enum tjzw_code ask(struct tjzw *t, struct call *c, struct tjzw_error *e)
{
    static const struct tjzw_sync_options options;
    struct person p;
    struct link l;
    enum tjzw_code rc;

    atomic_store(&t->stop, false);
    people_link(&l, t, &options);
    if ((rc = person_here(t, &p, e)))
        return rc;
    if (!p.no || p.guest)
        return fail_with(e, TJZW_SIGN_IN, "nobody has signed in");
    if ((rc = call_as(&l, &p, c, e)))
        return rc;
    return call_check(c, NULL, e);
}

enum tjzw_code tjzw_account_export(struct tjzw *t, tjzw_piece_fn *fn, void *ctx,
                                   struct tjzw_error *e)
{
    struct call c = { .path = "/v1/me/export", .each = fn, .each_ctx = ctx };
    enum tjzw_code rc = ask(t, &c, e);

    call_done(&c);
    return rc;
}

/* "2026-12-07T08:00:00+08:00" */
static int64_t time_of(const char *text)
{
    struct tm tm = { 0 };

    if (!text || sscanf(text, "%d-%d-%dT%d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                        &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) - 8 * 3600;
}

enum tjzw_code tjzw_account_erase(struct tjzw *t, bool erase, int64_t *when,
                                  struct tjzw_error *e)
{
    struct call c = { .method = erase ? "POST" : "DELETE", .path = "/v1/me/erase" };
    enum tjzw_code rc = ask(t, &c, e);
    json_t *answer = NULL;

    if (!rc && erase && !(answer = call_object(&c, e)))
        rc = TJZW_INVALID;
    if (!rc && when)
        *when = time_of(json_string_value(json_object_get(answer, "erased_at")));
    json_decref(answer);
    call_done(&c);
    return rc;
}
