/*
 * signer.c - by OpenSSL 3's EVP; a table has the kinds of keys that we believe.
 */
#include "server/identity/signer.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static const char user[] = "1234567812345678"; /* GM/T 0009: of those who agreed on no other */

static const struct kind {
    const char *alg, *type, *group; /* of OpenSSL; group NULL: any */
    const EVP_MD *(*digest)(void);  /* NULL: the key's own */
    int bits_least, bits_most;
} kinds[] = {
    { "ed25519", "ED25519", NULL, NULL, 253, 256 },
    { "p256", "EC", "prime256v1", EVP_sha256, 256, 256 },
    { "rsa", "RSA", NULL, EVP_sha256, 2048, 4096 },
    { "sm2", "SM2", NULL, EVP_sm3, 256, 256 },
};

static const struct kind *kind_of(const EVP_PKEY *key)
{
    char group[64];
    size_t n;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int bits = EVP_PKEY_get_bits(key);

        if (!EVP_PKEY_is_a(key, kinds[i].type) || bits < kinds[i].bits_least ||
            bits > kinds[i].bits_most)
            continue;
        if (!kinds[i].group || (EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
                                !strcmp(group, kinds[i].group)))
            return &kinds[i];
    }
    return NULL;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    return key;
}

static bool read_time(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

static EVP_PKEY *read_certificate(const char *pem, struct signer *s)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = NULL;

    if (x && read_time(X509_get0_notBefore(x), &s->from) &&
        read_time(X509_get0_notAfter(x), &s->until))
        key = X509_get_pubkey(x);
    X509_free(x);
    BIO_free(in);
    return key;
}

static const char *write_key(struct arena *mem, EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    const char *text = NULL;
    char *p;
    long n;

    if (out && PEM_write_bio_PUBKEY(out, key) == 1 && (n = BIO_get_mem_data(out, &p)) > 0)
        text = arena_strndup(mem, p, (size_t)n);
    BIO_free(out);
    return text;
}

enum rc signer_read(struct err *e, struct arena *mem, const char *pem, struct signer *out)
{
    struct signer s = { 0 };
    EVP_PKEY *key;
    const struct kind *kind;

    if (strlen(pem) > SIGNER_PEM_MAX)
        return err_set(e, RC_INVALID, "公钥或证书太长");
    if (!(key = read_key(pem)) && !(key = read_certificate(pem, &s)))
        return err_set(e, RC_INVALID, "不是 PEM 格式的公钥（PUBLIC KEY）或证书（CERTIFICATE）");
    if ((kind = kind_of(key))) {
        s.alg = kind->alg;
        s.pem = write_key(mem, key);
    }
    EVP_PKEY_free(key);
    if (!kind)
        return err_set(
            e, RC_INVALID,
            "不认这种公钥：可以是 Ed25519、ECDSA P-256、RSA（2048 至 4096 位）或 SM2");
    if (!s.pem)
        return err_set(e, RC_INTERNAL, "OpenSSL could not write a public key");
    *out = s;
    return RC_OK;
}

bool signer_holds(const struct signer *s, const void *text, size_t n, const uint8_t *sig,
                  size_t sig_n)
{
    EVP_PKEY *key = read_key(s->pem);
    const struct kind *kind = key ? kind_of(key) : NULL;
    EVP_PKEY_CTX *pctx = kind ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = false;

    if (kind && pctx && ctx) {
        if (!strcmp(kind->alg, "sm2"))
            ok = EVP_PKEY_CTX_set1_id(pctx, user, sizeof user - 1) == 1;
        else
            ok = true;
        EVP_MD_CTX_set_pkey_ctx(ctx, pctx);
        ok = ok &&
             EVP_DigestVerifyInit(ctx, NULL, kind->digest ? kind->digest() : NULL, NULL, key) ==
                 1 &&
             EVP_DigestVerify(ctx, sig, sig_n, text, n) == 1;
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);
    EVP_PKEY_free(key);
    return ok;
}
