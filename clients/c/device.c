/*
 * device.c - where this phone is reached by push: told to the server, asked, and taken back.
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

/* "" if it is not there. */
static void take_text(const json_t *o, const char *name, char *out, size_t n)
{
    const char *text = json_string_value(json_object_get(o, name));

    snprintf(out, n, "%s", text ? text : "");
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

enum tjzw_code tjzw_push_told(struct tjzw *t, struct tjzw_push_told *out, struct tjzw_error *e)
{
    struct call c = { .method = "GET" };
    struct tjzw_push_told told = { 0 };
    json_t *said = NULL;
    enum tjzw_code rc;

    rc = ask(t, &c, told.device, e);
    if (rc && c.status == 404)
        rc = fail_with(e, TJZW_NOT_FOUND, "this phone has not said where it is reached");
    if (!rc && !(said = call_object(&c, e)))
        rc = TJZW_NET;
    if (!rc) {
        take_text(said, "transport", told.transport, sizeof told.transport);
        take_text(said, "told", told.told, sizeof told.told);
        *out = told;
    }
    json_decref(said);
    call_done(&c);
    return rc;
}
