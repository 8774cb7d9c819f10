/*
 * upstream_ask.h - an upstream is asked who somebody is.
 *
 *     OIDC     (discovery) -> token -> (keys) -> the ID token is verified -> (userinfo) -> word
 *     WeChat   sns/… -> word
 *
 * The requests go out on the outbound thread, what comes back is read on a worker, and no thread waits: it is an errand. All of it takes at most
 * UPSTREAM_TIMEOUT_MS, and an upstream has at most UPSTREAM_FLYING_MAX under way; so one that hangs delays those alone who come by it.
 * Nothing is sent twice, no redirect is followed, an answer has at most 64 KB.
 *
 * What goes out with somebody and must come back with him follows from a slip (slip.h, SLIP_UPSTREAM), which his browser or app keeps:
 *
 *     state      hex of "state"            in his address bar: it does not tell the slip
 *     nonce      base64url of "nonce"      in the ID token
 *     verifier   base64url of "verifier"   PKCE (RFC 7636, S256)
 */
#ifndef IDENTITY_UPSTREAM_ASK_H
#define IDENTITY_UPSTREAM_ASK_H

#include <jansson.h>

#include "server/base/errand.h"
#include "server/base/pool.h"
#include "server/http/client.h"
#include "server/identity/slip.h"
#include "server/identity/upstream_book.h"
#include "server/identity/word.h"

enum {
    UPSTREAM_TIMEOUT_MS = 10000,
    UPSTREAM_FLYING_MAX = 50,
    UPSTREAM_LIFE = 900, /* seconds of a slip: who has to show his face there needs a while */
    UPSTREAM_CODE_MAX = 2048,
    UPSTREAM_STATE_TEXT = 2 * SLIP_DERIVED + 1,
    UPSTREAM_PROOF_TEXT = 44
};

struct upstream_ask {
    struct errand errand; /* first */
    const struct upstream *of;
    const char *code, *redirect; /* code NULL: only where it is asked */
    const char *
        iss; /* that came with the code (RFC 9207): an answer of another upstream is refused. NULL: none did */
    const struct slip *slip; /* NULL: a mini-program has none */
    struct arena *mem;

    /* What came of it. */
    enum rc
        rc; /* UNAUTHORIZED: the code, or what was said, is not believed. BUSY: no good answer */
    struct err err;
    struct upstream_endpoints at;
    struct word word; /* with a code */

    /* Only upstream_ask.c looks here. */
    struct client_request rq;
    struct pool_job job;
    enum rc (*next)(struct upstream_ask *a, const struct client_request *came);
    bool asks; /* rq is to be sent */
    int64_t deadline_us;
    const char *id_token, *access;
    json_t *claims;
};

void upstream_ask_open(struct pool *workers); /* before requests come; it must stay */
/* `mem` and the texts live as long as the errand. */
void upstream_ask_begin(struct upstream_ask *a, const struct upstream *u, struct arena *mem);

/* The address to send somebody to. */
void upstream_put_url(struct buf *out, const struct upstream *u,
                      const struct upstream_endpoints *at, const struct slip *s,
                      const char *redirect);
void upstream_state(const struct slip *s, char out[UPSTREAM_STATE_TEXT]);
bool upstream_is_state(const struct slip *s, const char *state);

#endif
