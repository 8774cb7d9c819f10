/*
 * vendor_crypt.c - keys and signed statements, over OpenSSL 3. RSA and ECDSA alike by EVP; ES256 wants r and s of 32 bytes each, where OpenSSL gives DER.
 */
#include "push/vendor_crypt.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/memory.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096, HALF = 32, SIGNATURE_MAX = 512 };

static EVP_PKEY *pkey(const struct crypt_key *k)
{
    return (EVP_PKEY *)k;
}

bool crypt_key_is_p256(const struct crypt_key *k)
{
    char group[32];

    return EVP_PKEY_is_a(pkey(k), "EC") &&
           EVP_PKEY_get_utf8_string_param(pkey(k), OSSL_PKEY_PARAM_GROUP_NAME, group,
                                          sizeof group, NULL) &&
           !strcmp(group, "prime256v1");
}

static bool is_rsa(EVP_PKEY *k)
{
    return EVP_PKEY_is_a(k, "RSA") && EVP_PKEY_get_bits(k) >= RSA_BITS_MIN &&
           EVP_PKEY_get_bits(k) <= RSA_BITS_MAX;
}

/* Without a callback libcrypto asks the terminal for the password of a key that has one. */
static int no_password(char *out, int n, int rw, void *arg)
{
    (void)out, (void)n, (void)rw, (void)arg;
    return -1;
}

struct crypt_key *crypt_key_read(const char *pem, size_t n)
{
    BIO *in = BIO_new_mem_buf(pem, (int)n);
    EVP_PKEY *k = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;

    BIO_free(in);
    ERR_clear_error();
    if (k && !is_rsa(k) && !crypt_key_is_p256((struct crypt_key *)k)) {
        EVP_PKEY_free(k);
        k = NULL;
    }
    return (struct crypt_key *)k;
}

struct crypt_key *crypt_key_make(char pem[CRYPT_PEM_MAX])
{
    EVP_PKEY *k = EVP_EC_gen("P-256");
    BIO *out = BIO_new(BIO_s_mem());
    int n;

    if (!k || !out || !PEM_write_bio_PrivateKey(out, k, NULL, NULL, 0, NULL, NULL))
        memory_end();
    n = BIO_read(out, pem, CRYPT_PEM_MAX - 1);
    pem[n > 0 ? n : 0] = '\0';
    BIO_free(out);
    return (struct crypt_key *)k;
}

void crypt_key_free(struct crypt_key *k)
{
    EVP_PKEY_free((EVP_PKEY *)k);
}

void crypt_point(const struct crypt_key *k, uint8_t out[CRYPT_POINT])
{
    size_t n = 0;

    if (!EVP_PKEY_get_octet_string_param(pkey(k), OSSL_PKEY_PARAM_PUB_KEY, out, CRYPT_POINT,
                                         &n) ||
        n != CRYPT_POINT)
        memset(out, 0, CRYPT_POINT);
}

/* ---- statements ---- */

static void add_b64url(struct buf *out, const void *p, size_t n)
{
    char *text = arena_alloc(out->mem, n * 4 / 3 + 5);

    buf_add(out, text, (size_t)b64url_text(p, n, text, n * 4 / 3 + 5));
}

static bool raw_of_der(const uint8_t *der, size_t n, uint8_t out[2 * HALF])
{
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool done = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), out, HALF) == HALF &&
                BN_bn2binpad(ECDSA_SIG_get0_s(s), out + HALF, HALF) == HALF;

    ECDSA_SIG_free(s);
    return done;
}

static bool is_pss_set(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool sign(const struct crypt_key *k, const char *p, size_t n, uint8_t *out,
                 size_t *out_n)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    bool done = md && EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, pkey(k)) == 1 &&
                (crypt_key_is_p256(k) || is_pss_set(ctx)) &&
                EVP_DigestSign(md, out, out_n, (const uint8_t *)p, n) == 1;

    EVP_MD_CTX_free(md);
    return done;
}

char *crypt_jwt(struct arena *mem, const struct crypt_key *k, const char *kid,
                const char *claims)
{
    bool ec = crypt_key_is_p256(k);
    struct buf head = BUF_IN(mem), out = BUF_IN(mem);
    uint8_t signature[SIGNATURE_MAX], raw[2 * HALF];
    size_t n = sizeof signature;

    buf_addc(&head, '{');
    jx_put_text(&head, "alg", ec ? "ES256" : "PS256");
    jx_put_text(&head, "kid", kid);
    jx_put_text(&head, "typ", "JWT");
    buf_addc(&head, '}');
    add_b64url(&out, head.p, head.n);
    buf_addc(&out, '.');
    add_b64url(&out, claims, strlen(claims));
    if (!sign(k, out.p, out.n, signature, &n) || (ec && !raw_of_der(signature, n, raw)))
        return NULL;
    buf_addc(&out, '.');
    add_b64url(&out, ec ? raw : signature, ec ? sizeof raw : n);
    return out.p;
}

/* ---- sums ---- */

static char *hex_of(struct arena *mem, const EVP_MD *md, const char *text)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(text, strlen(text), sum, &n, md, NULL) != 1)
        memory_end();
    return hex_text(sum, n, arena_alloc(mem, (size_t)n * 2 + 1));
}

char *crypt_sha256_hex(struct arena *mem, const char *text)
{
    return hex_of(mem, EVP_sha256(), text);
}

char *crypt_md5_hex(struct arena *mem, const char *text)
{
    return hex_of(mem, EVP_md5(), text);
}
