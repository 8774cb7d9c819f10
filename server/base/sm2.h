/*
 * sm2.h - SM2 signatures over SM3 (GB/T 32918, GB/T 32905), by OpenSSL: r and s as 32 bytes each,
 * with the user id 1234567812345678 (docs/protocol/sync.md section 5).
 *
 * For the server alone: phones rely on Ed25519.
 */
#ifndef BASE_SM2_H
#define BASE_SM2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"

enum { SM2_SECRET = 32, SM2_PUBLIC = 65 /* 04 x y */, SM2_SIG = 64 };

/* RC_CORRUPT if it is no secret key: 0, or not below the order of the curve. */
enum rc sm2_public(struct err *e, const uint8_t secret[SM2_SECRET], uint8_t out[SM2_PUBLIC]);
enum rc sm2_sign(struct err *e, const uint8_t secret[SM2_SECRET],
                 const uint8_t public_key[SM2_PUBLIC], const void *text, size_t n,
                 uint8_t sig[SM2_SIG]);
bool sm2_holds(const uint8_t public_key[SM2_PUBLIC], const void *text, size_t n,
               const uint8_t *sig, size_t sig_n);

#endif
