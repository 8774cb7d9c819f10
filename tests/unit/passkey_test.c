/*
 * passkey_test.c - each rule of passkey.h, broken alone by an authenticator that signs whatever it is
 * told to; and the ceremonies that others wrote down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/identity/passkey.h"
#include "tests/unit/passkey_vectors.h"

enum { UP = 1, UV = 4, BE = 8, BS = 16, AT = 64, ED = 128 };

/* What the browser and the authenticator say; a test changes one thing of it. */
struct ceremony {
    const char *type, *challenge, *origin, *more; /* client data; `more`: members behind */
    const char *json;                             /* the whole client data instead */
    const char *rp_id;
    int flags;
    uint32_t count;
    const char *cose;                /* in hex; NULL: the device's key */
    size_t id_n;                     /* of the credential's name */
    const char *extensions, *behind; /* in hex, after the key */
    const char *fmt, *statement;     /* of the attestation; the statement in hex */
    const char *object;              /* the whole attestation object in hex instead */
    const char *after;               /* in hex, behind it */
    bool cut;                        /* the last byte is missing */
    bool bent;                       /* the signature is over something else */
};

struct world {
    struct arena *mem;
    EVP_PKEY *ec, *rsa, *key;
    struct passkey_expect x;
    struct passkey known;
    struct err e;
};

static const char *const origins[] = { "https://www.example.cn", "https://m.example.cn", NULL };

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);

    t->mem = arena_new();
    t->ec = t->key = EVP_EC_gen("P-256");
    t->x = (struct passkey_expect){ .rp_id = "example.cn", .origins = origins, .verify = true };
    memset(t->x.challenge, 7, sizeof t->x.challenge);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;

    EVP_PKEY_free(t->ec);
    EVP_PKEY_free(t->rsa);
    arena_free(t->mem);
    free(t);
    return 0;
}

static struct ceremony good(const char *type)
{
    return (struct ceremony){ .type = type,
                              .challenge = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
                              .origin = "https://www.example.cn",
                              .more = "",
                              .rp_id = "example.cn",
                              .flags = UP | UV,
                              .id_n = 32,
                              .fmt = "none",
                              .statement = "a0" };
}

/* ---- the authenticator ---- */

static void add_hex(struct buf *out, const char *hex)
{
    for (; *hex; hex += 2) {
        uint8_t byte;

        assert_true(hex_parse(hex, 2, &byte, 1));
        buf_addc(out, (char)byte);
    }
}

static void add_bytes(struct buf *out, const void *p, size_t n)
{
    uint8_t head[] = { 0x59, (uint8_t)(n >> 8), (uint8_t)n };

    if (n < 256) {
        head[1] = 0x58;
        head[2] = (uint8_t)n;
        buf_add(out, head + 1, 2);
    } else {
        buf_add(out, head, 3);
    }
    buf_add(out, p, n);
}

static void add_number(struct buf *out, EVP_PKEY *key, const char *name)
{
    uint8_t bytes[512];
    BIGNUM *n = NULL;
    int len;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
    len = strcmp(name, OSSL_PKEY_PARAM_EC_PUB_X) && strcmp(name, OSSL_PKEY_PARAM_EC_PUB_Y)
              ? BN_bn2bin(n, bytes)
              : BN_bn2binpad(n, bytes, 32);
    if (len < 24) {
        buf_addc(out, (char)(0x40 + len));
        buf_add(out, bytes, (size_t)len);
    } else {
        add_bytes(out, bytes, (size_t)len);
    }
    BN_free(n);
}

static void add_cose(struct buf *out, EVP_PKEY *key)
{
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        add_hex(out, "a501020326200121");
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X);
        add_hex(out, "22");
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y);
    } else {
        add_hex(out, "a401030339010020");
        add_number(out, key, OSSL_PKEY_PARAM_RSA_N);
        add_hex(out, "21");
        add_number(out, key, OSSL_PKEY_PARAM_RSA_E);
    }
}

static struct passkey_bytes bytes_of(const struct buf *b)
{
    return (struct passkey_bytes){ (const uint8_t *)b->p, b->n };
}

static struct passkey_bytes client_data(struct world *t, const struct ceremony *c)
{
    struct buf out = BUF_IN(t->mem);

    buf_adds(&out, "");
    if (c->json)
        buf_adds(&out, c->json);
    else
        buf_printf(&out, "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\"%s}", c->type,
                   c->challenge, c->origin, c->more);
    return bytes_of(&out);
}

static struct passkey_bytes authenticator_data(struct world *t, const struct ceremony *c)
{
    struct buf out = BUF_IN(t->mem);
    uint8_t hash[HASH_BYTES];

    sha256(c->rp_id, strlen(c->rp_id), hash);
    buf_add(&out, hash, sizeof hash);
    buf_addc(&out, (char)c->flags);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_addc(&out, (char)(c->count >> shift));
    if (c->flags & AT) {
        add_hex(&out, "00112233445566778899aabbccddeeff");
        buf_addc(&out, (char)(c->id_n >> 8));
        buf_addc(&out, (char)c->id_n);
        for (size_t i = 0; i < c->id_n; i++)
            buf_addc(&out, 'i');
        if (c->cose)
            add_hex(&out, c->cose);
        else
            add_cose(&out, t->key);
    }
    add_hex(&out, c->extensions ? c->extensions : "");
    add_hex(&out, c->behind ? c->behind : "");
    out.n -= c->cut;
    return bytes_of(&out);
}

static enum rc register_with(struct world *t, struct ceremony c, struct passkey *out)
{
    struct passkey_bytes data;
    struct buf object = BUF_IN(t->mem);

    c.flags |= AT;
    data = authenticator_data(t, &c);
    if (c.object) {
        add_hex(&object, c.object);
    } else {
        add_hex(&object, "a363666d74");
        buf_addc(&object, (char)(0x60 + strlen(c.fmt)));
        buf_adds(&object, c.fmt);
        add_hex(&object, "6761747453746d74");
        add_hex(&object, c.statement);
        add_hex(&object, "686175746844617461");
        add_bytes(&object, data.p, data.n);
    }
    add_hex(&object, c.after ? c.after : "");
    return passkey_register(&t->e, t->mem, &t->x, client_data(t, &c), bytes_of(&object), out);
}

static enum rc assert_with(struct world *t, struct ceremony c, struct passkey_use *out)
{
    struct passkey_bytes json = client_data(t, &c), data = authenticator_data(t, &c);
    uint8_t text[4096], sig[600];
    size_t n = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum rc rc;

    memcpy(text, data.p, data.n);
    sha256(json.p, json.n, text + data.n);
    text[0] ^= c.bent;
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, t->key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, text, data.n + HASH_BYTES), 1);
    EVP_MD_CTX_free(ctx);
    rc = passkey_assert(&t->e, t->mem, &t->x, &t->known, json, data,
                        (struct passkey_bytes){ sig, n }, out);
    return rc;
}

static void enrol(struct world *t, EVP_PKEY *key)
{
    t->key = key;
    assert_int_equal(register_with(t, good("webauthn.create"), &t->known), RC_OK);
}

/* ---- what is right ---- */

static void a_key_is_registered_and_used(void **state)
{
    struct world *t = *state;
    struct passkey_use use;
    struct ceremony c = good("webauthn.get");

    enrol(t, t->ec);
    assert_int_equal(t->known.alg, PASSKEY_ES256);
    assert_int_equal(t->known.id_n, 32);
    assert_int_equal(t->known.aaguid[15], 0xff);
    assert_true(t->known.verified && !t->known.may_be_backed_up && !t->known.backed_up);
    c.count = 5;
    c.origin = "https://m.example.cn";
    c.more = ",\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"do not compare\"";
    assert_int_equal(assert_with(t, c, &use), RC_OK);
    assert_int_equal(use.count, 5);
    assert_true(use.verified && !use.count_fell && !use.backed_up);
    /* Extensions that nobody asked for. */
    c.flags |= ED;
    c.extensions = "a1696372656450726f7073f5";
    assert_int_equal(assert_with(t, c, &use), RC_OK);
}

static void rsa_is_believed_too(void **state)
{
    struct world *t = *state;
    struct passkey_use use;
    struct ceremony c = good("webauthn.get");

    t->rsa = EVP_RSA_gen(2048);
    enrol(t, t->rsa);
    assert_int_equal(t->known.alg, PASSKEY_RS256);
    assert_int_equal(assert_with(t, c, &use), RC_OK);
    c.bent = true;
    assert_int_equal(assert_with(t, c, &use), RC_UNAUTHORIZED);
}

static void a_statement_of_a_maker_is_passed_over(void **state)
{
    struct world *t = *state;
    struct ceremony c = good("webauthn.create");
    struct passkey k;

    c.fmt = "packed";
    c.statement = "a263616c672663736967420102";
    assert_int_equal(register_with(t, c, &k), RC_OK);
    c = good("webauthn.create");
    c.flags |= BE | BS | ED;
    c.extensions = "a16b6372656450726f7465637402";
    assert_int_equal(register_with(t, c, &k), RC_OK);
    assert_true(k.may_be_backed_up && k.backed_up);
}

static void verification_is_asked_for_or_not(void **state)
{
    struct world *t = *state;
    struct ceremony c = good("webauthn.get");
    struct passkey_use use;

    enrol(t, t->ec);
    c.flags = UP;
    assert_int_equal(assert_with(t, c, &use), RC_UNAUTHORIZED);
    t->x.verify = false;
    assert_int_equal(assert_with(t, c, &use), RC_OK);
    assert_false(use.verified);
}

/* 7.2.21: zero on both sides means that the device does not count. */
static void a_counter_that_does_not_grow_is_told(void **state)
{
    static const struct {
        uint32_t kept, said;
        bool fell;
    } cases[] = { { 0, 0, false },
                  { 0, 1, false },
                  { 7, 8, false },
                  { 7, 7, true },
                  { 7, 6, true },
                  { 7, 0, true },
                  { UINT32_MAX, 0, true },
                  { 0x7fffffff, 0x80000000, false },
                  { UINT32_MAX - 1, UINT32_MAX, false } };
    struct world *t = *state;
    struct passkey_use use;

    enrol(t, t->ec);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ceremony c = good("webauthn.get");

        c.count = cases[i].said;
        t->known.count = cases[i].kept;
        assert_int_equal(assert_with(t, c, &use), RC_OK);
        assert_int_equal(use.count, cases[i].said);
        assert_int_equal(use.count_fell, cases[i].fell);
    }
}

/* ---- what is wrong, rule by rule ---- */

struct wrong {
    const char *rule; /* the sentence begins with it */
    enum rc rc;
    struct ceremony c; /* what is set here replaces what is good */
};

static struct ceremony mix(const char *type, const struct ceremony *w)
{
    struct ceremony c = good(type);

    c.type = w->type ? w->type : c.type;
    c.challenge = w->challenge ? w->challenge : c.challenge;
    c.origin = w->origin ? w->origin : c.origin;
    c.more = w->more ? w->more : c.more;
    c.json = w->json;
    c.rp_id = w->rp_id ? w->rp_id : c.rp_id;
    c.flags = w->flags ? w->flags : c.flags;
    c.cose = w->cose;
    c.id_n = w->id_n ? w->id_n : c.id_n;
    c.extensions = w->extensions;
    c.behind = w->behind;
    c.fmt = w->fmt ? w->fmt : c.fmt;
    c.statement = w->statement ? w->statement : c.statement;
    c.object = w->object;
    c.after = w->after;
    c.cut = w->cut;
    c.bent = w->bent;
    return c;
}

#define FORM RC_INVALID
#define RULE RC_UNAUTHORIZED
#define XY                                                             \
    "215820"                                                           \
    "0101010101010101010101010101010101010101010101010101010101010101" \
    "225820"                                                           \
    "0101010101010101010101010101010101010101010101010101010101010101"

#define POINT                                                          \
    "215820"                                                           \
    "afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61" \
    "225820"                                                           \
    "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"

static const struct wrong both[] = {
    { "7.1.6", FORM, { .json = "" } },
    { "7.1.6", FORM, { .json = "[]" } },
    { "7.1.6", FORM, { .json = "{}" } },
    { "7.1.6", FORM, { .more = ",\"type\":\"webauthn.get\"" } },
    { "7.1.6", FORM, { .more = ",\"crossOrigin\":\"false\"" } },
    { "7.1.6", FORM, { .more = ",\"x\":\"\xff\"" } },
    { "7.1.7", RULE, { .type = "payment.get" } },
    { "7.1.7", RULE, { .type = "webauthn.create " } },
    { "7.1.8", RULE, { .challenge = "" } },
    { "7.1.8", RULE, { .challenge = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwY" } },
    { "7.1.8", RULE, { .challenge = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=" } },
    { "7.1.8", RULE, { .challenge = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd" } },
    { "7.1.8", RULE, { .challenge = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH" } },
    { "7.1.9", RULE, { .origin = "http://www.example.cn" } },
    { "7.1.9", RULE, { .origin = "https://www.example.cn:8443" } },
    { "7.1.9", RULE, { .origin = "https://www.example.cn/" } },
    { "7.1.9", RULE, { .origin = "https://www.example.cn.evil.cn" } },
    { "7.1.9", RULE, { .origin = "https://WWW.example.cn" } },
    { "7.1.9", RULE, { .more = ",\"crossOrigin\":true" } },
    { "7.1.9", RULE, { .more = ",\"crossOrigin\":false,\"topOrigin\":\"https://evil.cn\"" } },
    { "7.1.10", RULE, { .more = ",\"tokenBinding\":{\"status\":\"present\",\"id\":\"x\"}" } },
    { "6.1:", FORM, { .cut = true } },
    { "6.1:", FORM, { .behind = "00" } },
    { "6.1:", FORM, { .flags = UP | UV | ED } },
    { "6.1:", FORM, { .flags = UP | UV | ED, .extensions = "80" } },
    { "6.1:", FORM, { .flags = UP | UV | ED, .extensions = "a2616201616102" } },
    { "6.1:", FORM, { .extensions = "a0" } },
    { "7.1.13", RULE, { .rp_id = "www.example.cn" } },
    { "7.1.13", RULE, { .rp_id = "cn" } },
    { "7.1.14", RULE, { .flags = UV } },
    { "7.1.15", RULE, { .flags = UP } },
    { "6.1.3", RULE, { .flags = UP | UV | BS } },
};

static const struct wrong registering[] = {
    { "7.1.7", RULE, { .type = "webauthn.get" } },
    { "7.1.12", FORM, { .object = "" } },
    { "7.1.12", FORM, { .object = "80" } },
    { "7.1.12", FORM, { .after = "00" } },
    { "7.1.12", FORM, { .object = "a0" } },
    { "7.1.12",
      FORM,
      { .object = "a363666d74646e6f6e656761747453746d74a0686175746844617461a0" } },
    { "7.1.12",
      FORM,
      { .object = "a363666d74646e6f6e656761747453746d7480686175746844617461420102" } },
    { "7.1.12", FORM, { .object = "a363666d74016761747453746d74a0686175746844617461420102" } },
    { "7.1.12",
      FORM,
      { .object = "a36761747453746d74a063666d74646e6f6e65686175746844617461420102" } },
    { "7.1.12", FORM, { .object = "bf63666d74646e6f6e65ff" } },
    { "6.1:",
      FORM,
      { .object = "a363666d74646e6f6e656761747453746d74a0686175746844617461420102" } },
    { "7.1.19", RULE, { .statement = "a1616101" } },
    { "7.1.22", RULE, { .id_n = 15 } },
    { "7.1.22", RULE, { .id_n = 1024 } },
    { "6.1:", FORM, { .cose = "" } },
    { "7.1.16", RULE, { .cose = "80" } },
    { "7.1.16", RULE, { .cose = "a5010203262001" XY } },   /* off the curve */
    { "7.1.16", RULE, { .cose = "a501020338222001" XY } }, /* ES384 */
    { "7.1.16", RULE, { .cose = "a5010203262002" XY } },   /* P-384 */
    { "7.1.16", RULE, { .cose = "a5010103262001" XY } },   /* OKP */
    { "7.1.16",
      RULE,
      { .cose = "a40102032620012158200101010101010101010101010101010101010101010101010101010101"
                "010101" } },
    { "7.1.16", RULE, { .cose = "a40103033901002041012143010001" } }, /* RSA with 8 bits */
    { "6.1:",
      FORM,
      { .cose = "a5010203262001225820"
                "01" } },
};

static const struct wrong asserting[] = {
    { "7.1.7", RULE, { .type = "webauthn.create" } },
    { "6.1:", FORM, { .flags = UP | UV | AT } },
    { "6.1.3", RULE, { .flags = UP | UV | BE } },
    { "7.2.20", RULE, { .bent = true } },
};

static void expect(struct world *t, const struct wrong *w, const char *what, enum rc rc)
{
    if (rc != w->rc || strncmp(t->e.text, w->rule, strlen(w->rule)))
        fail_msg("%s, rule %s: %s, \"%s\"", what, w->rule, rc_name(rc), rc ? t->e.text : "");
}

static void each_rule_of_a_registration(void **state)
{
    struct world *t = *state;
    struct passkey k;

    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        expect(t, &both[i], "registration",
               register_with(t, mix("webauthn.create", &both[i].c), &k));
    for (size_t i = 0; i < sizeof registering / sizeof *registering; i++)
        expect(t, &registering[i], "registration",
               register_with(t, mix("webauthn.create", &registering[i].c), &k));
}

static void each_rule_of_an_assertion(void **state)
{
    struct world *t = *state;
    struct passkey_use use;

    enrol(t, t->ec);
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        expect(t, &both[i], "assertion", assert_with(t, mix("webauthn.get", &both[i].c), &use));
    for (size_t i = 0; i < sizeof asserting / sizeof *asserting; i++)
        expect(t, &asserting[i], "assertion",
               assert_with(t, mix("webauthn.get", &asserting[i].c), &use));
}

static void another_key_does_not_sign_for_this_one(void **state)
{
    struct world *t = *state;
    struct passkey_use use;
    EVP_PKEY *other = EVP_EC_gen("P-256");

    enrol(t, t->ec);
    t->key = other;
    assert_int_equal(assert_with(t, good("webauthn.get"), &use), RC_UNAUTHORIZED);
    t->key = t->ec;
    t->known.alg = PASSKEY_RS256; /* the record says another algorithm than the key has */
    assert_int_equal(assert_with(t, good("webauthn.get"), &use), RC_UNAUTHORIZED);
    EVP_PKEY_free(other);
}

/* ---- of others ---- */

static struct passkey_bytes vector(struct world *t, const char *hex)
{
    struct buf out = BUF_IN(t->mem);

    add_hex(&out, hex);
    return bytes_of(&out);
}

static void the_examples_of_others_hold(void **state)
{
    static const char *const there[] = { "https://example.org", NULL };
    struct world *t = *state;
    struct passkey_expect x = { .rp_id = "example.org", .origins = there };
    struct passkey_use use;
    struct passkey k;

    for (size_t i = 0; i < sizeof passkey_vectors / sizeof *passkey_vectors; i++) {
        const struct passkey_vector *v = &passkey_vectors[i];
        struct passkey_bytes sig;
        enum rc rc;

        assert_true(hex_parse(v->create_challenge, 64, x.challenge, sizeof x.challenge));
        rc = passkey_register(&t->e, t->mem, &x, vector(t, v->create_json),
                              vector(t, v->attestation), &k);
        if (rc)
            fail_msg("%s: %s", v->name, t->e.text);
        if (!v->get_json)
            continue;
        assert_true(hex_parse(v->get_challenge, 64, x.challenge, sizeof x.challenge));
        sig = vector(t, v->signature);
        rc = passkey_assert(&t->e, t->mem, &x, &k, vector(t, v->get_json),
                            vector(t, v->authenticator_data), sig, &use);
        if (rc)
            fail_msg("%s: %s", v->name, t->e.text);
        ((uint8_t *)(uintptr_t)sig.p)[sig.n - 1] ^= 1;
        assert_int_equal(passkey_assert(&t->e, t->mem, &x, &k, vector(t, v->get_json),
                                        vector(t, v->authenticator_data), sig, &use),
                         RC_UNAUTHORIZED);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_registered_and_used),
        TEST(rsa_is_believed_too),
        TEST(a_statement_of_a_maker_is_passed_over),
        TEST(verification_is_asked_for_or_not),
        TEST(a_counter_that_does_not_grow_is_told),
        TEST(each_rule_of_a_registration),
        TEST(each_rule_of_an_assertion),
        TEST(another_key_does_not_sign_for_this_one),
        TEST(the_examples_of_others_hold),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
