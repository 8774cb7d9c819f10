/*
 * signer.h - somebody else's public key, and what it signed over bytes that he chose.
 *
 *     Ed25519       RFC 8032
 *     ECDSA P-256   SHA-256, r and s in DER: what openssl dgst -sha256 -sign gives
 *     RSA           2048 to 4096 bits, PKCS #1 v1.5, SHA-256: likewise
 *     SM2           SM3, r and s in DER, user id 1234567812345678 (GB/T 32918)
 */
#ifndef IDENTITY_SIGNER_H
#define IDENTITY_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"

enum { SIGNER_PEM_MAX = 8192, SIGNER_SIG_MAX = 512 };

struct signer {
    const char *alg;     /* "ed25519", "p256", "rsa", "sm2" */
    const char *pem;     /* the public key alone, as OpenSSL writes it */
    int64_t from, until; /* of a certificate; 0: it is a bare key, and says nothing */
};

/* A PEM, "PUBLIC KEY" or "CERTIFICATE", of which no chain is looked at. RC_INVALID says what it is not, in Chinese. In `mem`. */
enum rc signer_read(struct err *e, struct arena *mem, const char *pem, struct signer *out);
bool signer_holds(const struct signer *s, const void *text, size_t n, const uint8_t *sig,
                  size_t sig_n);

#endif
