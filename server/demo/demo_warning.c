/*
 * demo_warning.c - the same door as every warning: a key that is drawn here and forgotten, a signature, and what follows from it. It is yellow, so no phone is woken.
 */
#include "server/demo/demo_warning.h"

#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "warning/take.h"

#define CODE "99000041600" /* of no place: there is no region 99 */

enum { LASTS = 7 * 86400, YEAR = 365 * 86400 };

/* RFC 8410: what stands before the 32 bytes of an Ed25519 key. */
static const uint8_t prefix[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                  0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

static const char *pem_of(struct work *w, const uint8_t key[crypto_sign_PUBLICKEYBYTES])
{
    struct buf b = BUF_IN(w->mem);
    uint8_t der[sizeof prefix + crypto_sign_PUBLICKEYBYTES];

    memcpy(der, prefix, sizeof prefix);
    memcpy(der + sizeof prefix, key, crypto_sign_PUBLICKEYBYTES);
    buf_adds(&b, "-----BEGIN PUBLIC KEY-----\n");
    buf_base64(&b, der, sizeof der);
    buf_adds(&b, "\n-----END PUBLIC KEY-----\n");
    return b.p;
}

static enum rc let_in(struct work *w, const uint8_t key[crypto_sign_PUBLICKEYBYTES])
{
    int64_t now = clock_now();
    struct buf b = BUF_IN(w->mem);
    struct warning_sender s;
    char from[CLOCK_TEXT], until[CLOCK_TEXT];
    uint8_t hash[HASH_BYTES];
    json_t *spec;
    enum rc rc;

    buf_printf(
        &b,
        "{\"areas\":[\"990000\"],\"from\":\"%s\",\"levels\":[\"yellow\",\"blue\"],\"name\":"
        "\"示例市气象台\",\"until\":\"%s\",\"keys\":[{\"id\":\"demo\"",
        clock_day(now, from), clock_day(now + YEAR, until));
    jx_put_text(&b, "pem", pem_of(w, key));
    buf_adds(&b, "}]}");
    if ((rc = jx_object(&w->err, w->mem, b.p, b.n, &spec)) ||
        (rc = warning_sender_propose(w, CODE, spec, &s)))
        return rc;
    warning_spec_hash(s.proposed, hash);
    return warning_sender_confirm(w, CODE, hash, &s);
}

static const char *document(struct work *w)
{
    int64_t now = clock_now();
    char sent[CLOCK_TEXT], expires[CLOCK_TEXT];

    clock_text(now, sent);
    return arena_printf(
        w->mem,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n"
        "<identifier>" CODE "_%.4s%.2s%.2s%.2s%.2s%.2s_0</identifier><sender>" CODE "</sender>"
        "<sent>%s</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\n"
        "<info><language>zh-CN</language><category>Met</category><event>大风</event>"
        "<urgency>Expected</urgency><severity>Moderate</severity><certainty>Likely</certainty>"
        "<expires>%s</expires><senderName>示例市气象台</senderName>\n"
        "<headline>示例：示例市气象台发布大风黄色预警</headline>\n"
        "<description>这是一条示例，不是真的预警。预计未来 24 小时平均风力 6 级，阵风 8 "
        "级。</description>\n"
        "<instruction>示例：关好门窗，收好阳台上的物品，远离广告牌和高大树木。</instruction>\n"
        "<area><areaDesc>示例市</areaDesc><geocode><valueName>GB/T 2260</valueName>"
        "<value>990100</value></geocode></area></info></alert>\n",
        sent, sent + 5, sent + 8, sent + 11, sent + 14, sent + 17, sent,
        clock_text(now + LASTS, expires));
}

static const char *sign(struct work *w, const char *key, const char *time, const char *text,
                        const uint8_t secret[crypto_sign_SECRETKEYBYTES])
{
    uint8_t signature[crypto_sign_BYTES];
    char out[2 * crypto_sign_BYTES];
    struct buf b = BUF_IN(w->mem);
    int n;

    take_signed(&b, key, take_name(), time, text, strlen(text));
    crypto_sign_detached(signature, NULL, (const uint8_t *)b.p, b.n, secret);
    n = b64url_text(signature, sizeof signature, out, sizeof out);
    return arena_printf(w->mem, "Warning-Signature key=%s,to=%s,time=%s,signature=%.*s", key,
                        take_name(), time, n, out);
}

enum rc demo_warning(struct work *w)
{
    static const char key[] = CODE "/demo";
    const char *time = arena_printf(w->mem, "%" PRId64, clock_now()), *text = document(w);
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    struct actor who = w->who;
    struct warning x;
    struct take t;
    bool again;
    enum rc rc;

    crypto_sign_keypair(public_key, secret);
    w->who = actor_operator;
    if (!(rc = let_in(w, public_key)) &&
        !(rc = take_read(w, sign(w, key, time, text, secret), text, strlen(text), &t)))
        rc = take(w, &t, &x, &again);
    w->who = who;
    sodium_memzero(secret, sizeof secret);
    return rc;
}
