/*
 * grant_client.h - what the provider must know of a party that asks: an OpenID client, filled from the party's record (party.h) and
 * judged without it. Pure.
 */
#ifndef IDENTITY_GRANT_CLIENT_H
#define IDENTITY_GRANT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ways to a token that a party may go; bits of a set. */
enum grant_way {
    GRANT_BY_CODE = 1 << 0,
    GRANT_BY_REFRESH = 1 << 1,
    GRANT_BY_ITSELF = 1 << 2, /* client_credentials: no person is involved */
    GRANT_BY_DEVICE = 1 << 3
};

enum { GRANT_REDIRECT_MAX = 512 };

struct grant_client {
    int64_t party;
    const char *id;   /* client_id */
    const char *name; /* as people know it: 和平区政务网 */
    const char *const *redirects;
    int nredirects;
    const char *const *logouts; /* where a person may be sent when he has signed out */
    int nlogouts;
    unsigned ways, scopes; /* of enum grant_way, of enum grant_scope: at most these */
    int ceiling;           /* acr 1 to 4: it is told no more */
    const char *sector;    /* parties of one sector know a person by one number */
    bool confidential;     /* it has a key, and must show it */
};

/*
 * Whether an answer may go to this address: one that is registered, byte for byte. A native program's loopback address
 * (http://127.0.0.1/…, http://[::1]/…, registered without a port) may have any port (RFC 8252 section 7.3).
 */
bool grant_client_takes(const struct grant_client *c, const char *redirect);
/* Whether a person may be sent there who has signed out: an address that is registered for that, in the same way. */
bool grant_client_leads(const struct grant_client *c, const char *logout);
/* What may be registered: https with a host, or http on loopback; no user, no fragment, visible ASCII, at most GRANT_REDIRECT_MAX bytes. */
bool grant_redirect_is_fit(const char *redirect);

#endif
