/*
 * warning_world.h - an authority that issues warnings: its keys, and its documents.
 */
#ifndef TESTS_WARNING_WORLD_H
#define TESTS_WARNING_WORLD_H

#include "server/base/arena.h"

#define AUTHORITY "12000041600" /* of nobody: tests alone */

struct evp_pkey_st;
/* "ed25519", "p256", "p384", "rsa", "sm2", "weak" (RSA of 1024 bits). Goes with `mem`. */
struct evp_pkey_st *authority_key(struct arena *mem, const char *alg);
const char *authority_pem(struct arena *mem, struct evp_pkey_st *key);
/* A certificate of that key, signed by itself, good between the two times. */
const char *authority_certificate(struct arena *mem, struct evp_pkey_st *key, int64_t from,
                                  int64_t until);
/* base64url of its signature. */
const char *authority_sign(struct arena *mem, struct evp_pkey_st *key, const char *alg,
                           const void *text, size_t n);

/* NULL and 0: as a good warning has it. */
struct cap_wish {
    const char *identifier, *sender, *status, *type, *scope, *references, *severity, *geocode,
        *headline, *description;
    int64_t sent, expires;    /* seconds; 0: now, and an hour later */
    bool bare;                /* no info at all */
    const char *alert, *info; /* more elements of the alert, of the info */
};
const char *cap_text(struct arena *mem, const struct cap_wish *wish);
/* "SENDER_YYYYMMDDhhmmss_N" of that moment. */
const char *cap_identifier(struct arena *mem, const char *sender, int64_t at, int n);
/* "sender,identifier,sent" */
const char *cap_reference(struct arena *mem, const char *identifier, int64_t sent);

#endif
