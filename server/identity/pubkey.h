/*
 * pubkey.h - public keys out of the numbers that others sent: checked, and as OpenSSL holds them.
 */
#ifndef IDENTITY_PUBKEY_H
#define IDENTITY_PUBKEY_H

#include <stddef.h>
#include <stdint.h>

enum {
    PUBKEY_COORDINATE = 32, /* bytes of a coordinate on P-256 */
    PUBKEY_RSA_MIN = 256,   /* bytes of a modulus: 2048 bits */
    PUBKEY_RSA_MAX = 512,   /* 4096: above it one verification costs too much */
    PUBKEY_E_MAX = 4,       /* bytes of an exponent, for the same reason */
};

struct evp_pkey_st;

/* NULL: the point is not on the curve. */
struct evp_pkey_st *pubkey_p256(const uint8_t x[PUBKEY_COORDINATE],
                                const uint8_t y[PUBKEY_COORDINATE]);
/* Big-endian, without leading zeros. NULL: outside of the limits, or an even exponent. */
struct evp_pkey_st *pubkey_rsa(const uint8_t *n, size_t n_n, const uint8_t *e, size_t e_n);

#endif
