/*
 * vendor_crypt.h - what vendors want signed, hashed or sealed; the only files of push/ that know OpenSSL are vendor_crypt*.c.
 */
#ifndef PUSH_VENDOR_CRYPT_H
#define PUSH_VENDOR_CRYPT_H

#include "server/base/buf.h"

enum { CRYPT_POINT = 65, CRYPT_AUTH = 16, CRYPT_SALT = 16, CRYPT_PEM_MAX = 8192 };

struct crypt_key; /* a private key: P-256, or RSA of at least 2048 bits */

/* NULL: the PEM is neither. */
struct crypt_key *crypt_key_read(const char *pem, size_t n);
/* A new one on P-256; its PEM into `pem`. */
struct crypt_key *crypt_key_make(char pem[CRYPT_PEM_MAX]);
void crypt_key_free(struct crypt_key *k); /* accepts NULL */
bool crypt_key_is_p256(const struct crypt_key *k);
/* Of one on P-256: its public point, uncompressed. */
void crypt_point(const struct crypt_key *k, uint8_t out[CRYPT_POINT]);

/*
 * A signed statement (RFC 7519) of these claims, a JSON object: ES256 on P-256, else PS256. `kid` NULL: it names no key. NULL: the library failed.
 */
char *crypt_jwt(struct arena *mem, const struct crypt_key *k, const char *kid,
                const char *claims);

char *crypt_sha256_hex(struct arena *mem, const char *text);
char *crypt_md5_hex(struct arena *mem,
                    const char *text); /* nothing but what a vendor's sign-in wants */

/* The keys of a browser's subscription. */
struct crypt_browser {
    uint8_t point[CRYPT_POINT], auth[CRYPT_AUTH];
};
/* For the vector of RFC 8291 section 5 alone: a real message has a key and a salt that nobody saw before and will again. */
struct crypt_fixed {
    const uint8_t *secret; /* 32 bytes */
    uint8_t salt[CRYPT_SALT];
};
/* RFC 8291: the whole body, one record of aes128gcm. `fixed` NULL: as it must be. False: its point is none on the curve. */
bool crypt_webpush(const struct crypt_browser *to, const void *p, size_t n,
                   const struct crypt_fixed *fixed, struct buf *out);

#endif
