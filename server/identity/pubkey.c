/*
 * pubkey.c - over OpenSSL 3's EVP_PKEY_fromdata(), which checks that a point lies on its curve.
 */
#include "server/identity/pubkey.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/* Takes the builder with it; NULL if `filled` is false. */
static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *b, int filled)
{
    OSSL_PARAM *params = filled ? OSSL_PARAM_BLD_to_param(b) : NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    return key;
}

EVP_PKEY *pubkey_p256(const uint8_t x[PUBKEY_COORDINATE], const uint8_t y[PUBKEY_COORDINATE])
{
    uint8_t point[1 + 2 * PUBKEY_COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();

    memcpy(point + 1, x, PUBKEY_COORDINATE);
    memcpy(point + 1 + PUBKEY_COORDINATE, y, PUBKEY_COORDINATE);
    return build(
        "EC", b,
        b && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
            OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point));
}

EVP_PKEY *pubkey_rsa(const uint8_t *n, size_t n_n, const uint8_t *e, size_t e_n)
{
    BIGNUM *modulus, *exponent;
    OSSL_PARAM_BLD *b;
    EVP_PKEY *key;

    if (n_n < PUBKEY_RSA_MIN || n_n > PUBKEY_RSA_MAX || !n[0] || e_n < 1 ||
        e_n > PUBKEY_E_MAX || !e[0] || !(e[e_n - 1] & 1) || (e_n == 1 && e[0] < 3))
        return NULL;
    modulus = BN_bin2bn(n, (int)n_n, NULL);
    exponent = BN_bin2bn(e, (int)e_n, NULL);
    b = OSSL_PARAM_BLD_new();
    key = build("RSA", b,
                b && modulus && exponent && BN_num_bits(modulus) >= 8 * PUBKEY_RSA_MIN &&
                    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, modulus) &&
                    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, exponent));
    BN_free(modulus);
    BN_free(exponent);
    return key;
}
