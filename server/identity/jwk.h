/*
 * jwk.h - public keys that others may have (RFC 7517): read from a key set of theirs, written for
 * ours. Each carries exactly one algorithm.
 */
#ifndef IDENTITY_JWK_H
#define IDENTITY_JWK_H

#include "server/base/buf.h"
#include "server/identity/jws.h"

enum {
    JWK_SET_MAX = 65536, /* bytes of a key set that we read */
    JWK_KEYS_MAX = 32,   /* keys in it */
    JWK_PEM_MAX = 1024,  /* RSA with 4096 bits needs 800 */
};

struct jwk {
    char kid[JWS_NAME_MAX + 1]; /* "": it has none */
    enum jws_alg alg;
    char pem[JWK_PEM_MAX]; /* SubjectPublicKeyInfo, for the library that verifies */
};

/*
 * The keys of a set that verify ES256 (EC P-256) or RS256 (RSA, 2048 to 4096 bits) signatures;
 * others are passed over, as RFC 7517 section 5 asks. RC_INVALID: not a key set, or two keys of one
 * algorithm have the same kid.
 */
enum rc jwk_read_set(struct err *e, struct arena *mem, const char *text, size_t n,
                     struct jwk **out, int *count);

struct evp_pkey_st;
/* Of a pair on P-256: its public half, named by its thumbprint (RFC 7638), and its member of a key
 * set. */
enum rc jwk_of(struct err *e, struct evp_pkey_st *pair, struct jwk *out, struct buf *json);

#endif
