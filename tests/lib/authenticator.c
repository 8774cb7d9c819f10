/*
 * authenticator.c - see the header. What a real one may get wrong: tests/unit/passkey_test.c.
 */
#include "tests/lib/authenticator.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/id.h"
#include "server/base/secret.h"

enum { UP = 1, UV = 4, AT = 64 };

static void need(bool done)
{
    if (!done)
        abort();
}

void authenticator_init(struct authenticator *a, const char *rp_id, const char *origin)
{
    *a = (struct authenticator){ .rp_id = rp_id, .origin = origin, .verifies = true };
    need((a->key = EVP_EC_gen("P-256")));
    secret_random(a->id, sizeof a->id);
}

void authenticator_done(struct authenticator *a)
{
    EVP_PKEY_free(a->key);
}

static struct passkey_bytes bytes_of(const struct buf *b)
{
    return (struct passkey_bytes){ (const uint8_t *)b->p, b->n };
}

static struct passkey_bytes client_data(const struct authenticator *a, struct arena *mem,
                                        const char *type, const struct slip *s)
{
    struct buf b = BUF_IN(mem);
    uint8_t challenge[PASSKEY_CHALLENGE];
    char text[64];

    factor_challenge(s, challenge);
    need(b64url_text(challenge, sizeof challenge, text, sizeof text) > 0);
    buf_printf(&b, "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\"}", type, text,
               a->origin);
    return bytes_of(&b);
}

static void put_data(struct authenticator *a, struct buf *out, int flags)
{
    uint8_t hash[HASH_BYTES], count[4];

    sha256(a->rp_id, strlen(a->rp_id), hash);
    buf_add(out, hash, sizeof hash);
    buf_addc(out, (char)(UP | (a->verifies ? UV : 0) | flags));
    a->count++;
    for (int i = 0; i < 4; i++)
        count[i] = (uint8_t)(a->count >> (24 - 8 * i));
    buf_add(out, count, sizeof count);
}

static void put_coordinate(struct buf *out, EVP_PKEY *key, const char *name)
{
    uint8_t bytes[32];
    BIGNUM *n = NULL;

    need(EVP_PKEY_get_bn_param(key, name, &n) == 1);
    need(BN_bn2binpad(n, bytes, sizeof bytes) == (int)sizeof bytes);
    BN_free(n);
    buf_add(out, "\x58\x20", 2);
    buf_add(out, bytes, sizeof bytes);
}

void authenticator_make(struct authenticator *a, struct arena *mem, const struct slip *s,
                        struct factor_proof *out)
{
    struct buf data = BUF_IN(mem), all = BUF_IN(mem);

    put_data(a, &data, AT);
    buf_add(&data, (uint8_t[PASSKEY_AAGUID]){ 0 }, PASSKEY_AAGUID);
    buf_add(&data, "\x00\x20", 2);
    buf_add(&data, a->id, sizeof a->id);
    buf_add(&data, "\xa5\x01\x02\x03\x26\x20\x01\x21", 8);
    put_coordinate(&data, a->key, OSSL_PKEY_PARAM_EC_PUB_X);
    buf_addc(&data, '\x22');
    put_coordinate(&data, a->key, OSSL_PKEY_PARAM_EC_PUB_Y);
    buf_adds(&all, "\xa3\x63"
                   "fmt\x64none\x67"
                   "attStmt\xa0\x68"
                   "authData\x58");
    buf_addc(&all, (char)data.n);
    buf_add(&all, data.p, data.n);
    out->slip = *s;
    out->client_data = client_data(a, mem, "webauthn.create", s);
    out->attestation = bytes_of(&all);
}

void authenticator_sign(struct authenticator *a, struct arena *mem, const struct slip *s,
                        struct factor_signed *out)
{
    struct passkey_bytes said = client_data(a, mem, "webauthn.get", s);
    struct buf data = BUF_IN(mem), text = BUF_IN(mem);
    uint8_t hash[HASH_BYTES], *signature = arena_alloc(mem, 128);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = 128;

    put_data(a, &data, 0);
    sha256(said.p, said.n, hash);
    buf_add(&text, data.p, data.n);
    buf_add(&text, hash, sizeof hash);
    need(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, a->key) == 1 &&
         EVP_DigestSign(ctx, signature, &n, (const uint8_t *)text.p, text.n) == 1);
    EVP_MD_CTX_free(ctx);
    *out = (struct factor_signed){ .credential = { a->id, sizeof a->id },
                                   .client_data = said,
                                   .authenticator_data = bytes_of(&data),
                                   .signature = { signature, n } };
}
