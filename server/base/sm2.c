/*
 * sm2.c - over OpenSSL 3's EVP, which wants signatures in DER: here they become r and s, and back.
 */
#include "server/base/sm2.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>

static const char user[] = "1234567812345678";

enum rc sm2_public(struct err *e, const uint8_t secret[SM2_SECRET], uint8_t out[SM2_PUBLIC])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_sm2);
    BIGNUM *d = BN_bin2bn(secret, SM2_SECRET, NULL);
    EC_POINT *q = group ? EC_POINT_new(group) : NULL;
    bool ok = group && d && q && !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(group)) < 0 &&
              EC_POINT_mul(group, q, d, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, out, SM2_PUBLIC,
                                 NULL) == SM2_PUBLIC;

    EC_POINT_free(q);
    BN_clear_free(d);
    EC_GROUP_free(group);
    return ok ? RC_OK : err_set(e, RC_CORRUPT, "this is no secret key of SM2");
}

/* NULL if it is no key. `secret` may be NULL. */
static EVP_PKEY *key_of(const uint8_t *secret, const uint8_t public_key[SM2_PUBLIC])
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    BIGNUM *d = secret ? BN_bin2bn(secret, SM2_SECRET, NULL) : NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (b && ctx && (!secret || d) &&
        OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, public_key, SM2_PUBLIC) &&
        (!d || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d)) &&
        (params = OSSL_PARAM_BLD_to_param(b)) && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &key, secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) !=
            1)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    BN_clear_free(d);
    return key;
}

/* A digest context over SM3 with the user id; its EVP_PKEY_CTX is *pctx, the caller's. */
static EVP_MD_CTX *context(EVP_PKEY *key, EVP_PKEY_CTX **pctx)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    *pctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    if (!ctx || !*pctx || EVP_PKEY_CTX_set1_id(*pctx, user, sizeof user - 1) != 1) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    EVP_MD_CTX_set_pkey_ctx(ctx, *pctx);
    return ctx;
}

static bool raw_of(const uint8_t *der, size_t n, uint8_t sig[SM2_SIG])
{
    ECDSA_SIG *rs = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool ok = rs && BN_bn2binpad(ECDSA_SIG_get0_r(rs), sig, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(rs), sig + 32, 32) == 32;

    ECDSA_SIG_free(rs);
    return ok;
}

enum rc sm2_sign(struct err *e, const uint8_t secret[SM2_SECRET],
                 const uint8_t public_key[SM2_PUBLIC], const void *text, size_t n,
                 uint8_t sig[SM2_SIG])
{
    EVP_PKEY *key = key_of(secret, public_key);
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = context(key, &pctx);
    uint8_t der[80];
    size_t der_n = sizeof der;
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sm3(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, der, &der_n, text, n) == 1 && raw_of(der, der_n, sig);

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);
    EVP_PKEY_free(key);
    return ok ? RC_OK : err_set(e, RC_INTERNAL, "OpenSSL could not sign with SM2");
}

/* r and s as DER; its length, or 0. */
static size_t der_of(const uint8_t sig[SM2_SIG], uint8_t der[80])
{
    ECDSA_SIG *rs = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(sig, 32, NULL), *s = BN_bin2bn(sig + 32, 32, NULL);
    uint8_t *at = der;
    int n = 0;

    if (rs && r && s && ECDSA_SIG_set0(rs, r, s) == 1) {
        r = s = NULL; /* they are the signature's now */
        n = i2d_ECDSA_SIG(rs, NULL) <= 80 ? i2d_ECDSA_SIG(rs, &at) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(rs);
    return n > 0 ? (size_t)n : 0;
}

bool sm2_holds(const uint8_t public_key[SM2_PUBLIC], const void *text, size_t n,
               const uint8_t *sig, size_t sig_n)
{
    uint8_t der[80];
    size_t der_n = sig_n == SM2_SIG ? der_of(sig, der) : 0;
    EVP_PKEY *key = der_n ? key_of(NULL, public_key) : NULL;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = context(key, &pctx);
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sm3(), NULL, key) == 1 &&
              EVP_DigestVerify(ctx, der, der_n, text, n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);
    EVP_PKEY_free(key);
    return ok;
}
