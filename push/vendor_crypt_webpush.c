/*
 * vendor_crypt_webpush.c - a message that only one browser can read (RFC 8291, in the coding of RFC 8188).
 *
 *     body   salt 16 | record size 4096, 4 bytes | 65 | our point 65 | AES-128-GCM(text | 0x02) | tag 16
 *
 *     ikm    HKDF(salt: auth, key: ECDH, "WebPush: info" 0 | their point | our point) 32 bytes
 *     key    HKDF(salt, ikm, "Content-Encoding: aes128gcm" 0) 16 bytes
 *     nonce  HKDF(salt, ikm, "Content-Encoding: nonce" 0) 12 bytes
 *
 * Our pair is new for every message. That their point lies on the curve is checked when it is read; OpenSSL's own check of a peer would be a second one and costs half as much as all
 * the rest.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "push/vendor_crypt.h"
#include "server/base/memory.h"
#include "server/identity/pubkey.h"

enum { RECORD = 4096, HASH = 32, KEY = 16, NONCE = 12, TAG = 16, LAST = 2 };

/* HKDF-SHA-256 of at most one block. */
static void hkdf(const uint8_t *salt, size_t salt_n, const uint8_t *key, const void *info,
                 size_t info_n, uint8_t out[HASH])
{
    static const uint8_t one = 1;
    crypto_auth_hmacsha256_state s;
    uint8_t prk[HASH];

    crypto_auth_hmacsha256_init(&s, salt, salt_n);
    crypto_auth_hmacsha256_update(&s, key, HASH);
    crypto_auth_hmacsha256_final(&s, prk);
    crypto_auth_hmacsha256_init(&s, prk, sizeof prk);
    crypto_auth_hmacsha256_update(&s, info, info_n);
    crypto_auth_hmacsha256_update(&s, &one, 1);
    crypto_auth_hmacsha256_final(&s, out);
    sodium_memzero(prk, sizeof prk);
}

static EVP_PKEY *pair_of(const uint8_t secret[HASH])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *at = EC_POINT_new(group);
    BIGNUM *d = BN_bin2bn(secret, HASH, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params = NULL;
    uint8_t point[CRYPT_POINT];
    EVP_PKEY *key = NULL;

    if (EC_POINT_mul(group, at, d, NULL, NULL, NULL) != 1 ||
        EC_POINT_point2oct(group, at, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point,
                           NULL) != sizeof point ||
        !OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ||
        !OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) ||
        !OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d) ||
        !(params = OSSL_PARAM_BLD_to_param(b)) || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    BN_clear_free(d);
    EC_POINT_free(at);
    EC_GROUP_free(group);
    return key;
}

static bool share(EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t out[HASH])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ours, NULL);
    size_t n = HASH;
    bool done = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
                EVP_PKEY_derive_set_peer_ex(ctx, theirs, 0) == 1 &&
                EVP_PKEY_derive(ctx, out, &n) == 1 && n == HASH;

    EVP_PKEY_CTX_free(ctx);
    return done;
}

static bool seal(const uint8_t key[KEY], const uint8_t nonce[NONCE], const void *p, size_t n,
                 struct buf *out)
{
    static const uint8_t last = LAST;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t *to;
    int a = 0, b = 0, end = 0;
    bool done;

    buf_reserve(out, n + 1 + TAG);
    to = (uint8_t *)out->p + out->n;
    done = c && EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
           EVP_EncryptUpdate(c, to, &a, p, (int)n) == 1 &&
           EVP_EncryptUpdate(c, to + a, &b, &last, 1) == 1 &&
           EVP_EncryptFinal_ex(c, to + a + b, &end) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, to + n + 1) == 1;
    EVP_CIPHER_CTX_free(c);
    if (done)
        out->n += n + 1 + TAG;
    return done;
}

static void put_head(struct buf *out, const uint8_t salt[CRYPT_SALT],
                     const uint8_t point[CRYPT_POINT])
{
    static const uint8_t sizes[] = { 0, 0, RECORD >> 8, RECORD & 255, CRYPT_POINT };

    buf_add(out, salt, CRYPT_SALT);
    buf_add(out, sizes, sizeof sizes);
    buf_add(out, point, CRYPT_POINT);
}

/* The input of both keys, from what the two share. */
static void mix(const struct crypt_browser *to, const uint8_t ours[CRYPT_POINT],
                const uint8_t shared[HASH], uint8_t ikm[HASH])
{
    uint8_t info[14 + 2 * CRYPT_POINT] = "WebPush: info";

    memcpy(info + 14, to->point, CRYPT_POINT);
    memcpy(info + 14 + CRYPT_POINT, ours, CRYPT_POINT);
    hkdf(to->auth, CRYPT_AUTH, shared, info, sizeof info, ikm);
}

static bool put_body(struct buf *out, EVP_PKEY *ours, EVP_PKEY *theirs,
                     const struct crypt_browser *to, const uint8_t salt[CRYPT_SALT],
                     const void *p, size_t n)
{
    static const char for_key[] = "Content-Encoding: aes128gcm",
                      for_nonce[] = "Content-Encoding: nonce";
    uint8_t point[CRYPT_POINT], shared[HASH], ikm[HASH], key[HASH], nonce[HASH];
    bool done = share(ours, theirs, shared);

    crypt_point((const struct crypt_key *)ours, point);
    if (done) {
        mix(to, point, shared, ikm);
        hkdf(salt, CRYPT_SALT, ikm, for_key, sizeof for_key, key);
        hkdf(salt, CRYPT_SALT, ikm, for_nonce, sizeof for_nonce, nonce);
        put_head(out, salt, point);
        done = seal(key, nonce, p, n, out);
    }
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(ikm, sizeof ikm);
    sodium_memzero(key, sizeof key);
    return done;
}

bool crypt_webpush(const struct crypt_browser *to, const void *p, size_t n,
                   const struct crypt_fixed *fixed, struct buf *out)
{
    EVP_PKEY *theirs = NULL, *ours;
    uint8_t salt[CRYPT_SALT];
    bool done;

    if (to->point[0] != POINT_CONVERSION_UNCOMPRESSED ||
        !(theirs = pubkey_p256(to->point + 1, to->point + 1 + PUBKEY_COORDINATE)))
        return false;
    ours = fixed ? pair_of(fixed->secret) : EVP_EC_gen("P-256");
    if (!ours)
        memory_end();
    randombytes_buf(salt, sizeof salt);
    done = put_body(out, ours, theirs, to, fixed ? fixed->salt : salt, p, n);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(theirs);
    return done;
}
