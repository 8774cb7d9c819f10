/* key_pair.h - Ed25519 keys for tests, the same for the same seed. */
#ifndef TESTS_LIB_KEY_PAIR_H
#define TESTS_LIB_KEY_PAIR_H

#include <sodium.h>

#include "sync/verify.h"

struct pair {
    uint8_t public_key[32], secret[64];
    struct verify_key key;
};

static inline struct pair a_pair(uint8_t seed)
{
    uint8_t bytes[32] = { seed };
    struct pair p;

    crypto_sign_seed_keypair(p.public_key, p.secret, bytes);
    verify_key_ed25519(p.public_key, &p.key);
    return p;
}

#endif
