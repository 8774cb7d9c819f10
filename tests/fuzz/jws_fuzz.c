/*
 * jws_fuzz.c - statements and key sets as a stranger may send them.
 *
 * Whatever the bytes are: what jws_read() lets through has one of our algorithms and claims that are an object, and no statement is
 * believed, for nobody here has a secret key. Bytes that begin with '{' are read as a key set; a key that is taken must be one that
 * OpenSSL reads again.
 */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/identity/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The public key of RFC 7515 appendix A.3. */
static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                          "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                          "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static void read_set(struct arena *mem, const char *text, size_t n)
{
    struct err e;
    struct jwk *keys;
    int count;

    if (jwk_read_set(&e, mem, text, n, &keys, &count))
        return;
    for (int i = 0; i < count; i++) {
        BIO *bio = BIO_new_mem_buf(keys[i].pem, -1);
        EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

        if (!key || (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) != (keys[i].alg == JWS_ES256))
            abort();
        EVP_PKEY_free(key);
        BIO_free(bio);
    }
}

static void read_statement(struct arena *mem, const char *text, size_t n)
{
    const struct jwt_expect x = { NULL, "joe", "app", 1300819000 };
    struct err e;
    struct jws jws;
    struct jwk *keys;
    json_t *claims;
    int count;

    if (jws_read(&e, mem, text, n, &jws))
        return;
    if ((jws.alg != JWS_ES256 && jws.alg != JWS_RS256) || !json_is_object(jws.claims) ||
        n > JWS_MAX || memchr(text, '=', n))
        abort();
    if (jwk_read_set(&e, mem, set, strlen(set), &keys, &count) || count != 1)
        abort();
    if (!jwt_verify(&e, mem, keys, count, &x, text, n, &claims))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new();

    if (sodium_init() < 0)
        abort();
    if (n && data[0] == '{')
        read_set(mem, (const char *)data, n);
    else
        read_statement(mem, (const char *)data, n);
    arena_free(mem);
    return 0;
}
