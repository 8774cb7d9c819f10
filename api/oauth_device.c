/*
 * oauth_device.c - POST /oauth2/device: a device asks for the letters that it will show (RFC 8628 section 3.1).
 */
#include "api/oauth.h"

#include <string.h>

#include "api/instance.h"
#include "server/base/jx.h"
#include "server/identity/device_grant.h"
#include "server/identity/grant_scope.h"

struct device_call {
    struct oauth_call call;
    unsigned scopes;
    int level;
};

static const char *refuse(struct work *w, const char *error, const char *why)
{
    (void)err_set(&w->err, RC_INVALID, "%s", why);
    return error;
}

static const char *check(struct work *w, struct device_call *d)
{
    const char *scope = oauth_text(&d->call, "scope"),
               *acr = oauth_text(&d->call, "acr_values");

    if (!(d->call.client.ways & GRANT_BY_DEVICE))
        return refuse(w, "unauthorized_client", "this client may not use this grant");
    d->scopes = scope ? grant_scopes_read(scope) : 0;
    if (!d->scopes || d->scopes & ~d->call.client.scopes)
        return refuse(w, "invalid_scope", "scope names nothing that this client may ask for");
    d->level = acr ? authorize_level(acr) : 0;
    if (d->level > d->call.client.ceiling)
        return refuse(w, "invalid_request", "this client may not ask for this acr");
    return NULL;
}

enum rc prepare_device(struct work *w, struct request *rq)
{
    struct device_call *d = arena_zalloc(w->mem, sizeof *d);

    rq->prepared = d;
    oauth_read(w, rq, &d->call);
    if (!d->call.error)
        d->call.error = check(w, d);
    return RC_OK;
}

enum rc post_device(struct work *w, const struct request *rq, struct reply *rp)
{
    char device[DEVICE_CODE_TEXT], user[USER_CODE_TEXT];
    const struct device_call *d = rq->prepared;
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if (d->call.error) {
        oauth_refuse(w, rq, rp, &d->call, d->call.error);
        return RC_OK;
    }
    if ((rc = device_grant_make(w, d->call.client.party, d->scopes, d->level, device, user)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "device_code", device);
    jx_put_text(&b, "user_code", user);
    jx_put_text(&b, "verification_uri", arena_printf(w->mem, "%s/device", instance()->origin));
    jx_put_text(&b, "verification_uri_complete",
                arena_printf(w->mem, "%s/device?user_code=%s", instance()->origin, user));
    jx_put_int(&b, "expires_in", DEVICE_GRANT_LIFE);
    jx_put_int(&b, "interval", DEVICE_GRANT_PAUSE);
    buf_adds(&b, "}\n");
    oauth_reply(rp, &b);
    return RC_OK;
}
