/*
 * interpose.c - what libh2o calls, as this program defines it: two functions for the guard, two for its clock (steady.c).
 *
 * A shared object's calls to its own public functions go through its table of symbols, and there a
 * program's definition comes first: so libh2o calls ours. That needs libh2o as a shared library, built without
 * -Bsymbolic, and these names visible (meson.build). canary.c proves it at each start.
 * This file belongs to programs, not to a library of parts: a program without it has no guard.
 */
#include <dlfcn.h>

#include "server/http/guard.h"
#include "server/http/steady.h"

const bool guard_is_off = false;

/* The next object that defines it, which is libh2o. */
static void *library(_Atomic(void *) *known, const char *name)
{
    void *found = *known;

    if (found)
        return found;
    found = dlsym(RTLD_NEXT, name);
    if (!found)
        h2o_fatal("libh2o is not a shared library: the frame guard cannot stand before it");
    *known = found;
    return found;
}

void h2o_socket_read_start(h2o_socket_t *sock, h2o_socket_cb cb)
{
    static _Atomic(void *) known;

    guard_read_start(sock, cb, (guard_start)library(&known, "h2o_socket_read_start"));
}

void h2o_socket_write(h2o_socket_t *sock, h2o_iovec_t *bufs, size_t n, h2o_socket_cb cb)
{
    static _Atomic(void *) known;

    guard_write(sock, bufs, n, cb, (guard_send)library(&known, "h2o_socket_write"));
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    steady_time(out);
    return 0;
}

void h2o_context_update_timestamp_cache(h2o_context_t *ctx)
{
    steady_stamp(ctx);
}
