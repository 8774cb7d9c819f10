/*
 * authenticator.h - a passkey for tests: an ES256 key that signs what it is told to.
 */
#ifndef TESTS_AUTHENTICATOR_H
#define TESTS_AUTHENTICATOR_H

#include <openssl/evp.h>

#include "server/identity/factor.h"

struct authenticator {
    EVP_PKEY *key;
    const char *rp_id, *origin;
    uint8_t id[32];
    uint32_t count;
    bool verifies; /* asks its owner for a finger */
};

void authenticator_init(struct authenticator *a, const char *rp_id, const char *origin);
void authenticator_done(struct authenticator *a);
/* What it answers to the challenge of a slip; in `mem`. */
void authenticator_make(struct authenticator *a, struct arena *mem, const struct slip *s,
                        struct factor_proof *out);
void authenticator_sign(struct authenticator *a, struct arena *mem, const struct slip *s,
                        struct factor_signed *out);

#endif
