/*
 * warning_world.c - OpenSSL as an authority has it, and CAP as a template.
 */
#include "tests/lib/warning_world.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/id.h"

static EVP_PKEY *make(const char *alg)
{
    if (!strcmp(alg, "ed25519"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!strcmp(alg, "rsa"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    if (!strcmp(alg, "weak"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    if (!strcmp(alg, "sm2"))
        return EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", !strcmp(alg, "p256") ? "P-256" : "P-384");
}

static void free_key(void *key)
{
    EVP_PKEY_free(key);
}

struct evp_pkey_st *authority_key(struct arena *mem, const char *alg)
{
    EVP_PKEY *key = make(alg);

    if (!key)
        abort();
    arena_defer(mem, free_key, key);
    return key;
}

static const char *text_of(struct arena *mem, BIO *out)
{
    char *p;
    long n = BIO_get_mem_data(out, &p);
    const char *text = arena_strndup(mem, p, (size_t)n);

    BIO_free(out);
    return text;
}

const char *authority_pem(struct arena *mem, EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());

    if (PEM_write_bio_PUBKEY(out, key) != 1)
        abort();
    return text_of(mem, out);
}

const char *authority_certificate(struct arena *mem, EVP_PKEY *key, int64_t from, int64_t until)
{
    X509 *x = X509_new();
    BIO *out = BIO_new(BIO_s_mem());

    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), until);
    if (X509_set_pubkey(x, key) != 1 ||
        !X509_sign(x, key,
                   EVP_PKEY_is_a(key, "ED25519") ? NULL
                   : EVP_PKEY_is_a(key, "SM2")   ? EVP_sm3()
                                                 : EVP_sha256()) ||
        PEM_write_bio_X509(out, x) != 1)
        abort();
    X509_free(x);
    return text_of(mem, out);
}

const char *authority_sign(struct arena *mem, EVP_PKEY *key, const char *alg, const void *text,
                           size_t n)
{
    static const char user[] = "1234567812345678";
    EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool sm2 = !strcmp(alg, "sm2");
    const EVP_MD *md = !strcmp(alg, "ed25519") ? NULL : sm2 ? EVP_sm3() : EVP_sha256();
    uint8_t sig[512];
    size_t sig_n = sizeof sig;
    char *out = arena_alloc(mem, 1024);
    int len;

    if (sm2 && EVP_PKEY_CTX_set1_id(pctx, user, sizeof user - 1) != 1)
        abort();
    EVP_MD_CTX_set_pkey_ctx(ctx, pctx);
    if (EVP_DigestSignInit(ctx, NULL, md, NULL, key) != 1 ||
        EVP_DigestSign(ctx, sig, &sig_n, text, n) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(pctx);
    len = b64url_text(sig, sig_n, out, 1023);
    out[len] = '\0';
    return out;
}

const char *cap_identifier(struct arena *mem, const char *sender, int64_t at, int n)
{
    char t[CLOCK_TEXT];

    clock_text(at, t);
    return arena_printf(mem, "%s_%.4s%.2s%.2s%.2s%.2s%.2s_%d", sender, t, t + 5, t + 8, t + 11,
                        t + 14, t + 17, n);
}

const char *cap_reference(struct arena *mem, const char *identifier, int64_t sent)
{
    char t[CLOCK_TEXT];

    return arena_printf(mem, "%s,%s,%s", AUTHORITY, identifier, clock_text(sent, t));
}

static void put(struct buf *b, const char *name, const char *value, const char *otherwise)
{
    const char *v = value ? value : otherwise;

    if (!v)
        return;
    buf_printf(b, "<%s>", name);
    buf_html(b, v, strlen(v));
    buf_printf(b, "</%s>\n", name);
}

static void put_info(struct buf *b, const struct cap_wish *wish)
{
    char t[CLOCK_TEXT];

    buf_adds(b, "<info><language>zh-CN</language><category>Met</category>\n");
    put(b, "event", NULL, "暴雨");
    put(b, "urgency", NULL, "Expected");
    put(b, "severity", wish->severity, "Extreme");
    put(b, "certainty", NULL, "Likely");
    put(b, "expires", clock_text(wish->expires ? wish->expires : clock_now() + 3600, t), NULL);
    put(b, "senderName", NULL, "示例市气象台");
    put(b, "headline", wish->headline, "示例市气象台发布暴雨红色预警");
    put(b, "description", wish->description, "预计未来三小时有大暴雨。");
    put(b, "instruction", NULL, "请不要外出。");
    buf_adds(b, wish->info ? wish->info : "");
    buf_adds(b, "<area><areaDesc>示例市</areaDesc><geocode><valueName>GB/T 2260</valueName>");
    put(b, "value", wish->geocode, "120101");
    buf_adds(b, "</geocode></area></info>\n");
}

const char *cap_text(struct arena *mem, const struct cap_wish *wish)
{
    int64_t sent = wish->sent ? wish->sent : clock_now();
    struct buf b = BUF_IN(mem);
    char t[CLOCK_TEXT];

    buf_adds(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n");
    put(&b, "identifier", wish->identifier, cap_identifier(mem, AUTHORITY, sent, 0));
    put(&b, "sender", wish->sender, AUTHORITY);
    put(&b, "sent", clock_text(sent, t), NULL);
    put(&b, "status", wish->status, "Actual");
    put(&b, "msgType", wish->type, "Alert");
    put(&b, "scope", wish->scope, "Public");
    put(&b, "references", wish->references, NULL);
    buf_adds(&b, wish->alert ? wish->alert : "");
    if (!wish->bare)
        put_info(&b, wish);
    buf_adds(&b, "</alert>\n");
    return b.p;
}
