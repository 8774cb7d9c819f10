/*
 * device.c - where this phone is reached by push: told to the server, and taken back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/people.h"

enum { PATH = 64 };

/* A guest has a session too, once the server knows him. */
static enum tjzw_code ask(struct tjzw *t, struct call *c, char device[TJZW_DEVICE + 1],
                          struct tjzw_error *e)
{
    static const struct tjzw_sync_options options;
    char path[PATH];
    struct person p;
    struct link l;
    enum tjzw_code rc;

    atomic_store(&t->stop, false);
    people_link(&l, t, &options);
    if ((rc = person_here(t, &p, e)))
        return rc;
    if (!p.no || !p.access[0])
        return fail_with(e, TJZW_SIGN_IN, "the server does not know this phone yet");
    snprintf(path, sizeof path, "/v1/me/push/%s", p.device);
    snprintf(device, TJZW_DEVICE + 1, "%s", p.device);
    c->path = path;
    rc = call_as(&l, &p, c, e);
    return rc ? rc : call_check(c, NULL, e);
}

enum tjzw_code tjzw_push_address(struct tjzw *t, const char *transport, const char *token,
                                 char device[TJZW_DEVICE + 1], struct tjzw_error *e)
{
    struct call c = { .method = transport ? "PUT" : "DELETE" };
    char mine[TJZW_DEVICE + 1] = "";
    enum tjzw_code rc;

    if (transport && (!token || !token[0]))
        return fail_with(e, TJZW_USAGE, "an address is a transport and its token");
    if (transport)
        call_json(&c, json_pack("{ss ss}", "token", token, "transport", transport));
    rc = ask(t, &c, mine, e);
    if (!rc && device)
        memcpy(device, mine, sizeof mine);
    free((char *)(uintptr_t)c.body);
    call_done(&c);
    return rc;
}
