/*
 * jws.h - a signed statement in its compact form (RFC 7515), taken apart before anybody believes
 * a bit of it. The signature is not looked at here: jwt.h.
 */
#ifndef IDENTITY_JWS_H
#define IDENTITY_JWS_H

#include <jansson.h>

#include "server/base/arena.h"

enum {
    JWS_MAX = 4096,    /* bytes of a whole statement */
    JWS_NAME_MAX = 128 /* of a kid or a typ */
};

enum jws_alg { JWS_ES256, JWS_RS256 }; /* RFC 7518 section 3.1: all that we believe */

struct jws {
    enum jws_alg alg;
    const char *kid, *typ; /* NULL: not said */
    json_t *claims;        /* an object; lives as long as the arena */
};

/* RC_INVALID says which rule of jws.c is broken, without a word of the statement. */
enum rc jws_read(struct err *e, struct arena *mem, const char *text, size_t n, struct jws *out);

const char *jws_alg_name(enum jws_alg alg);                /* "ES256" */
bool jws_alg_by_name(const char *name, enum jws_alg *out); /* false: not one of ours */

#endif
