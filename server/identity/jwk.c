/*
 * jwk.c - between JSON Web Keys and OpenSSL's.
 *
 *     EC   { "kty":"EC", "crv":"P-256", "x": 32 bytes, "y": 32 bytes }     --> ES256
 *     RSA  { "kty":"RSA", "n": 2048 to 4096 bits, "e": 3 to 2^32 }         --> RS256
 *
 * A key's kind decides its algorithm; if the set says another one ("alg"), or says that the key is
 * not for signatures ("use", "key_ops"), the key is passed over. So no statement can choose how it
 * is verified. Numbers are base64url in their one spelling and, as RFC 7518 section 6 wants them, a
 * coordinate in full width, a modulus without leading zeros (pubkey.c).
 */
#include "server/identity/jwk.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/identity/pubkey.h"

enum { COORDINATE = PUBKEY_COORDINATE, POINT = 1 + 2 * COORDINATE };

/* The bytes of a member; -1 if it is no base64url or longer than `max`. */
static int bytes_of(const json_t *key, const char *name, uint8_t *out, size_t max)
{
    const char *text = jx_text(key, name);

    return text ? b64url_parse(text, strlen(text), out, max) : -1;
}

/* NULL: not a key as it should be. */
static EVP_PKEY *read_ec(const json_t *jwk)
{
    const char *curve = jx_text(jwk, "crv");
    uint8_t x[COORDINATE], y[COORDINATE];

    if (!curve || strcmp(curve, "P-256") || bytes_of(jwk, "x", x, sizeof x) != sizeof x ||
        bytes_of(jwk, "y", y, sizeof y) != sizeof y)
        return NULL;
    return pubkey_p256(x, y);
}

static EVP_PKEY *read_rsa(const json_t *jwk)
{
    uint8_t n[PUBKEY_RSA_MAX], e[PUBKEY_E_MAX];
    int n_n = bytes_of(jwk, "n", n, sizeof n), e_n = bytes_of(jwk, "e", e, sizeof e);

    return n_n > 0 && e_n > 0 ? pubkey_rsa(n, (size_t)n_n, e, (size_t)e_n) : NULL;
}

static const struct {
    const char *type;
    enum jws_alg alg;
    EVP_PKEY *(*read)(const json_t *jwk);
} kinds[] = {
    { "EC", JWS_ES256, read_ec },
    { "RSA", JWS_RS256, read_rsa },
};

static bool write_pem(EVP_PKEY *key, char out[JWK_PEM_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    long n = bio && PEM_write_bio_PUBKEY(bio, key) == 1 ? BIO_get_mem_data(bio, &p) : 0;
    bool ok = n > 0 && n < JWK_PEM_MAX;

    if (ok) {
        memcpy(out, p, (size_t)n);
        out[n] = '\0';
    }
    BIO_free(bio);
    return ok;
}

static bool says(const json_t *jwk, const char *name, const char *wanted)
{
    const char *text = jx_text(jwk, name);

    return !json_object_get(jwk, name) || (text && !strcmp(text, wanted));
}

/* "key_ops" is absent or names verify. */
static bool may_verify(const json_t *jwk)
{
    const json_t *ops = json_object_get(jwk, "key_ops"), *op;
    size_t i;

    if (!ops)
        return true;
    json_array_foreach((json_t *)(uintptr_t)ops, i, op)
    {
        if (json_is_string(op) && !strcmp(json_string_value(op), "verify"))
            return true;
    }
    return false;
}

/* False: not for us. */
static bool read_key(const json_t *jwk, struct jwk *out)
{
    const char *type = jx_text(jwk, "kty"), *kid = jx_text(jwk, "kid");
    struct jwk k = { 0 };
    EVP_PKEY *key = NULL;
    bool ok;

    if (!type || !says(jwk, "use", "sig") || !may_verify(jwk) ||
        (kid && strlen(kid) > JWS_NAME_MAX) || (!kid && json_object_get(jwk, "kid")))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !key; i++) {
        if (strcmp(type, kinds[i].type) || !says(jwk, "alg", jws_alg_name(kinds[i].alg)))
            continue;
        k.alg = kinds[i].alg;
        key = kinds[i].read(jwk);
    }
    ok = key && write_pem(key, k.pem);
    EVP_PKEY_free(key);
    if (!ok)
        return false;
    strcpy(k.kid, kid ? kid : "");
    *out = k;
    return true;
}

static bool is_taken(const struct jwk *keys, int n, const struct jwk *k)
{
    for (int i = 0; i < n && k->kid[0]; i++)
        if (keys[i].alg == k->alg && !strcmp(keys[i].kid, k->kid))
            return true;
    return false;
}

enum rc jwk_read_set(struct err *e, struct arena *mem, const char *text, size_t n,
                     struct jwk **out, int *count)
{
    struct jwk *keys;
    json_t *set, *list, *jwk;
    int found = 0;
    size_t i;
    enum rc rc;

    if (n > JWK_SET_MAX)
        return err_set(e, RC_INVALID, "a key set has at most %d bytes", JWK_SET_MAX);
    if ((rc = jx_object(e, mem, text, n, &set)))
        return rc;
    list = json_object_get(set, "keys");
    if (!json_is_array(list) || json_array_size(list) > JWK_KEYS_MAX)
        return err_set(e, RC_INVALID, "a key set has a list of at most %d keys", JWK_KEYS_MAX);
    keys = arena_zalloc(mem, (json_array_size(list) + 1) * sizeof *keys);
    json_array_foreach(list, i, jwk)
    {
        if (!json_is_object(jwk) || !read_key(jwk, &keys[found]))
            continue;
        if (is_taken(keys, found, &keys[found]))
            return err_set(e, RC_INVALID, "two keys of the set have the same kid");
        found++;
    }
    *out = keys;
    *count = found;
    return RC_OK;
}

/* RFC 7638 section 3: SHA-256 of the required members, in the order of their names, without
 * space. */
static bool thumbprint(const char *x, const char *y, char out[JWS_NAME_MAX + 1])
{
    struct buf text = BUF_HEAP;
    uint8_t hash[HASH_BYTES];

    buf_printf(&text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    sha256(text.p, text.n, hash);
    buf_done(&text);
    return b64url_text(hash, sizeof hash, out, JWS_NAME_MAX + 1) > 0;
}

/* Both coordinates in base64url; false: this is no key on P-256. */
static bool coordinates(EVP_PKEY *pair, char x[64], char y[64])
{
    uint8_t point[POINT + 1];
    char group[32];
    size_t n = 0;

    return EVP_PKEY_get_utf8_string_param(pair, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) == 1 &&
           !strcmp(group, "prime256v1") &&
           EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                           &n) == 1 &&
           n == POINT && point[0] == POINT_CONVERSION_UNCOMPRESSED &&
           b64url_text(point + 1, COORDINATE, x, 64) > 0 &&
           b64url_text(point + 1 + COORDINATE, COORDINATE, y, 64) > 0;
}

enum rc jwk_of(struct err *e, EVP_PKEY *pair, struct jwk *out, struct buf *json)
{
    struct jwk k = { .alg = JWS_ES256 };
    char x[64], y[64];

    if (!coordinates(pair, x, y) || !thumbprint(x, y, k.kid) || !write_pem(pair, k.pem))
        return err_set(e, RC_CORRUPT, "this is no key on P-256");
    buf_printf(json,
               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"use\":\"sig\","
               "\"alg\":\"ES256\",\"kid\":\"%s\"}",
               x, y, k.kid);
    *out = k;
    return RC_OK;
}
