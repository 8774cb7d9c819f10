/*
 * jwt_test.c - what is believed: statements of ours and of upstreams, and nothing that somebody bent.
 *
 * Most tokens here are signed rightly, with our own secret key, and wrong in one other thing: a
 * signature that does not hold would hide that the other thing was never looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/identity/jwt.h"
#include "tests/unit/jwt_vectors.h"

enum { NOW = 1763712000 };

struct world {
    char dir[64];
    struct arena *mem;
    struct jwt_keys *keys;
    char kid[JWS_NAME_MAX + 1], secret[JWT_SECRET_MAX];
    struct jwk *public;
    int n;
    struct err e;
};

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);

    clock_set(NOW);
    t->mem = arena_new();
    strcpy(t->dir, "/tmp/tjzw-jwt-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    assert_int_equal(jwt_keys_open(&t->e, t->dir, &jwt_times_usual, &t->keys), RC_OK);
    jwt_keys_signing(t->keys, t->kid, t->secret);
    t->public = jwt_keys_public(t->keys, t->mem, &t->n);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", t->dir);
    assert_int_equal(system(command), 0);
    jwt_keys_close(t->keys);
    arena_free(t->mem);
    clock_unset();
    free(t);
    return 0;
}

static const struct jwt_expect expected = { "JWT", "https://www.example.cn", "app", NOW };

static enum rc believe(struct world *t, const char *text)
{
    json_t *claims = NULL;
    enum rc rc =
        jwt_verify(&t->e, t->mem, t->public, t->n, &expected, text, strlen(text), &claims);

    assert_true(rc ? claims == NULL : json_is_object(claims));
    return rc;
}

/* ---- a hand that signs anything ---- */

static char *b64(struct world *t, const void *p, size_t n)
{
    char *out = arena_alloc(t->mem, n * 4 / 3 + 4);

    assert_true(b64url_text(p, n, out, n * 4 / 3 + 4) >= 0);
    return out;
}

static char *sign_es256(struct world *t, const char *text)
{
    BIO *bio = BIO_new_mem_buf(t->secret, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[80], raw[64];
    const uint8_t *p = der;
    size_t n = sizeof der;
    ECDSA_SIG *sig;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, (const uint8_t *)text, strlen(text)), 1);
    sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return b64(t, raw, sizeof raw);
}

/* The trick that libjwt falls for: our public key, as everybody can read it, is the secret. */
static char *sign_hs256(struct world *t, const char *text)
{
    const char *pem = t->public[0].pem;
    uint8_t mac[32];

    HMAC(EVP_sha256(), pem, (int)strlen(pem), (const uint8_t *)text, strlen(text), mac, NULL);
    return b64(t, mac, sizeof mac);
}

static char *join(struct world *t, const char *header, const char *claims)
{
    return arena_printf(t->mem, "%s.%s", b64(t, header, strlen(header)),
                        b64(t, claims, strlen(claims)));
}

/* `header` may hold one %s for our kid. */
static char *header_of(struct world *t, const char *header)
{
    const char *at = strstr(header, "%s");

    return at ? arena_printf(t->mem, "%.*s%s%s", (int)(at - header), header, t->kid, at + 2)
              : arena_strdup(t->mem, header);
}

static char *forge(struct world *t, const char *header, const char *claims)
{
    char *text = join(t, header_of(t, header), claims);

    return arena_printf(t->mem, "%s.%s", text, sign_es256(t, text));
}

#define GOOD_HEADER "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}"
#define GOOD_CLAIMS                                                                         \
    "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000," \
    "\"exp\":1763712600}"

/* ---- ours ---- */

static json_t *claims_of(const char *json)
{
    json_t *claims = json_loads(json, 0, NULL);

    assert_non_null(claims);
    return claims;
}

static const char *issue(struct world *t, const char *json)
{
    json_t *claims = claims_of(json);
    const char *text = NULL;

    assert_int_equal(jwt_issue(t->keys, &t->e, t->mem, claims, &text), RC_OK);
    json_decref(claims);
    return text;
}

static void what_we_say_is_believed(void **state)
{
    struct world *t = *state;
    const char *text =
        issue(t, "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":[\"app\"],"
                 "\"iat\":1763712000,\"exp\":1763712600,\"name\":\"李明\",\"acr\":\"2\"}");
    json_t *claims;
    struct jws jws;

    assert_int_equal(jws_read(&t->e, t->mem, text, strlen(text), &jws), RC_OK);
    assert_string_equal(jws.kid, t->kid);
    assert_string_equal(jws.typ, "JWT");
    assert_int_equal(
        jwt_verify(&t->e, t->mem, t->public, t->n, &expected, text, strlen(text), &claims),
        RC_OK);
    assert_string_equal(jx_text(claims, "name"), "李明");
    assert_int_equal(jx_int(claims, "exp", 0), 1763712600);
    assert_int_equal(believe(t, forge(t, GOOD_HEADER, GOOD_CLAIMS)), RC_OK);
}

/* For docs/identity.md; nothing is asserted, a machine may be busy. */
static void what_it_costs(void **state)
{
    enum { ROUNDS = 300 };
    struct world *t = *state;
    const char *text = issue(t, GOOD_CLAIMS);
    int64_t begun = clock_mono_us(), issued;

    for (int i = 0; i < ROUNDS; i++)
        issue(t, GOOD_CLAIMS);
    issued = clock_mono_us();
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(believe(t, text), RC_OK);
    print_message("%d issued a second, %d verified\n",
                  (int)(ROUNDS * 1000000LL / (issued - begun)),
                  (int)(ROUNDS * 1000000LL / (clock_mono_us() - issued)));
}

static void what_we_do_not_say(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "{\"iss\":\"i\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000}",
        "{\"iss\":\"i\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,\"exp\":1763715601}",
        "{\"iss\":\"i\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712001,\"exp\":1763712000}",
        "{\"iss\":\"i\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,\"exp\":1763712600.5}",
        "{\"iss\":\"i\",\"sub\":\"3\",\"aud\":[],\"iat\":1763712000,\"exp\":1763712600}",
        "{\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,\"exp\":1763712600}",
        "{\"iss\":\"i\",\"aud\":\"app\",\"iat\":1763712000,\"exp\":1763712600}",
    };
    struct world *t = *state;
    const char *text = NULL;
    json_t *claims;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        claims = claims_of(wrong[i]);
        assert_int_equal(jwt_issue(t->keys, &t->e, t->mem, claims, &text), RC_INTERNAL);
        json_decref(claims);
    }
    claims = claims_of(GOOD_CLAIMS);
    for (int i = 0; i < 40; i++)
        json_object_set_new(claims, arena_printf(t->mem, "member %d", i),
                            json_string("of eighty characters and not of seventy, so that this "
                                        "becomes longer than it may"));
    assert_int_equal(jwt_issue(t->keys, &t->e, t->mem, claims, &text), RC_TOO_LARGE);
    json_decref(claims);
    assert_null(text);
}

/* ---- the pitfalls, each measured with libjwt 1.10.2 ---- */

struct pitfall {
    const char *what, *header, *claims;
    enum { ES256, HS256, UNSIGNED, EMPTY } how;
};

static const struct pitfall pitfalls[] = {
    { "HS256 with our public key", "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
      GOOD_CLAIMS, HS256 },
    { "HS256 that says ES256", GOOD_HEADER, GOOD_CLAIMS, HS256 },
    { "none", "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"JWT\"}", GOOD_CLAIMS, EMPTY },
    { "NoNe", "{\"alg\":\"NoNe\",\"kid\":\"%s\",\"typ\":\"JWT\"}", GOOD_CLAIMS, EMPTY },
    { "none with two segments", "{\"alg\":\"none\"}", GOOD_CLAIMS, UNSIGNED },
    { "ES256 without a signature", GOOD_HEADER, GOOD_CLAIMS, EMPTY },
    { "es256 in small letters", "{\"alg\":\"es256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
      GOOD_CLAIMS, ES256 },
    { "RS256 with the kid of an EC key", "{\"alg\":\"RS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
      GOOD_CLAIMS, ES256 },
    { "no alg", "{\"kid\":\"%s\",\"typ\":\"JWT\"}", GOOD_CLAIMS, ES256 },
    { "alg twice", "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
      GOOD_CLAIMS, ES256 },
    { "an unknown crit",
      "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"crit\":[\"b64\"],\"b64\":false}",
      GOOD_CLAIMS, ES256 },
    { "jku", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"jku\":\"https://evil\"}",
      GOOD_CLAIMS, ES256 },
    { "jwk", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"jwk\":{}}", GOOD_CLAIMS,
      ES256 },
    { "kid of another", "{\"alg\":\"ES256\",\"kid\":\"../../etc/passwd\",\"typ\":\"JWT\"}",
      GOOD_CLAIMS, ES256 },
    { "kid with a NUL", "{\"alg\":\"ES256\",\"kid\":\"%s\\u0000x\",\"typ\":\"JWT\"}",
      GOOD_CLAIMS, ES256 },
    { "an access token's typ", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
      GOOD_CLAIMS, ES256 },
    { "no typ", "{\"alg\":\"ES256\",\"kid\":\"%s\"}", GOOD_CLAIMS, ES256 },
    { "ended", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1000000000,"
      "\"exp\":1000000600}",
      ES256 },
    { "exp as a text", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,"
      "\"exp\":\"1763712600\"}",
      ES256 },
    { "exp with a fraction", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,"
      "\"exp\":1763712600.0}",
      ES256 },
    { "no exp", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000}",
      ES256 },
    { "no iat", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"exp\":1763712600}",
      ES256 },
    { "nbf in 2100", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,"
      "\"exp\":1763712600,\"nbf\":4102444800}",
      ES256 },
    { "iat in 2100", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":4102444800,"
      "\"exp\":4102445000}",
      ES256 },
    { "sub twice", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"sub\":\"4\",\"aud\":\"app\","
      "\"iat\":1763712000,\"exp\":1763712600}",
      ES256 },
    { "iss of another", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn/\",\"sub\":\"3\",\"aud\":\"app\",\"iat\":1763712000,"
      "\"exp\":1763712600}",
      ES256 },
    { "aud of another", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":\"apple\",\"iat\":1763712000,"
      "\"exp\":1763712600}",
      ES256 },
    { "two readers and no azp", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":[\"app\",\"web\"],"
      "\"iat\":1763712000,\"exp\":1763712600}",
      ES256 },
    { "azp of another", GOOD_HEADER,
      "{\"iss\":\"https://www.example.cn\",\"sub\":\"3\",\"aud\":[\"app\",\"web\"],"
      "\"azp\":\"web\",\"iat\":1763712000,\"exp\":1763712600}",
      ES256 },
    { "claims are a list", GOOD_HEADER, "[]", ES256 },
    { "claims with more behind", GOOD_HEADER, GOOD_CLAIMS "{}", ES256 },
    { "claims of nothing", GOOD_HEADER, "", ES256 },
};

static void no_pitfall_is_fallen_into(void **state)
{
    struct world *t = *state;

    for (size_t i = 0; i < sizeof pitfalls / sizeof *pitfalls; i++) {
        const struct pitfall *p = &pitfalls[i];
        char *text = join(t, header_of(t, p->header), p->claims);
        enum rc rc;

        switch (p->how) {
        case ES256: text = arena_printf(t->mem, "%s.%s", text, sign_es256(t, text)); break;
        case HS256: text = arena_printf(t->mem, "%s.%s", text, sign_hs256(t, text)); break;
        case EMPTY: text = arena_printf(t->mem, "%s.", text); break;
        case UNSIGNED: break;
        }
        rc = believe(t, text);
        if (!rc || (p->how == EMPTY && rc != RC_INVALID))
            fail_msg("%s: %s", p->what, rc_name(rc));
    }
}

/* The same bytes in another spelling: libjwt takes some of these. */
static void there_is_one_spelling(void **state)
{
    struct world *t = *state;
    char *good = forge(t, GOOD_HEADER, GOOD_CLAIMS), *dot = strrchr(good, '.'), *last;
    const char *const wrong[] = {
        arena_printf(t->mem, "%s==", good),
        arena_printf(t->mem, "%s=", good),
        arena_printf(t->mem, " %s", good),
        arena_printf(t->mem, "%s ", good),
        arena_printf(t->mem, "%s\n", good),
        arena_printf(t->mem, "%s.", good),
        arena_printf(t->mem, ".%s", good),
        arena_printf(t->mem, "%s.e30", good),
        arena_printf(t->mem, "%.*s..%s", (int)(dot - good), good, dot + 1),
        arena_printf(t->mem, "%.*s%s", (int)(dot - good), good, dot + 1),
        arena_printf(t->mem, "%.*s\n.%s", (int)(dot - good), good, dot + 1),
        arena_printf(t->mem, "%.*s", (int)(dot - good), good),
        "",
        ".",
        "..",
        "...",
    };

    assert_int_equal(believe(t, good), RC_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (believe(t, wrong[i]) != RC_INVALID)
            fail_msg("%s", wrong[i]);
    /* 64 bytes leave four unused bits in the last character. */
    last = good + strlen(good) - 1;
    ++*last;
    assert_int_equal(believe(t, good), RC_INVALID);
}

static void what_is_too_long_is_not_read(void **state)
{
    struct world *t = *state;
    char *fill = arena_alloc(t->mem, JWS_MAX), *text;

    memset(fill, 'x', JWS_MAX);
    fill[JWS_MAX - 1] = '\0';
    text = forge(t, GOOD_HEADER, arena_printf(t->mem, "{\"x\":\"%s\"}", fill));
    assert_int_equal(believe(t, text), RC_INVALID);
    assert_non_null(strstr(t->e.text, "4096"));
}

/* ---- the clock ---- */

static enum rc at(struct world *t, int64_t now, int64_t iat, int64_t exp, int64_t nbf)
{
    struct jwt_expect x = expected;
    json_t *claims;
    char *text =
        forge(t, GOOD_HEADER,
              arena_printf(t->mem,
                           "{\"iss\":\"https://www.example.cn\",\"aud\":\"app\","
                           "\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"nbf\":%" PRId64 "}",
                           iat, exp, nbf));

    x.now = now;
    return jwt_verify(&t->e, t->mem, t->public, t->n, &x, text, strlen(text), &claims);
}

static void clocks_may_differ_by_a_minute(void **state)
{
    struct world *t = *state;

    assert_int_equal(at(t, NOW, NOW, NOW + 1, NOW), RC_OK);
    assert_int_equal(at(t, NOW, NOW - 100, NOW - 59, 0), RC_OK);
    assert_int_equal(at(t, NOW, NOW - 100, NOW - 60, 0), RC_UNAUTHORIZED);
    assert_int_equal(at(t, NOW, NOW + 60, NOW + 100, 0), RC_OK);
    assert_int_equal(at(t, NOW, NOW + 61, NOW + 100, 0), RC_UNAUTHORIZED);
    assert_int_equal(at(t, NOW, NOW, NOW + 100, NOW + 60), RC_OK);
    assert_int_equal(at(t, NOW, NOW, NOW + 100, NOW + 61), RC_UNAUTHORIZED);
    assert_int_equal(at(t, NOW, NOW, INT64_MAX, INT64_MIN), RC_OK);
    assert_int_equal(at(t, NOW, INT64_MAX, INT64_MAX, 0), RC_UNAUTHORIZED);
    assert_int_equal(at(t, NOW, NOW, INT64_MIN, 0), RC_UNAUTHORIZED);
}

/* ---- thousands of bent ones ---- */

static uint64_t seed = 20261122;

static uint32_t dice(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static const char b64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";

/* Changes the token in one to three places; the result differs from it. */
static char *bend(struct world *t, const char *good)
{
    size_t n = strlen(good);
    char *text = arena_alloc(t->mem, n + 8);

    memcpy(text, good, n + 1);
    do
        for (uint32_t k = 1 + dice(3); k; k--) {
            size_t i = dice((uint32_t)n), j = dice((uint32_t)n);
            char c = b64_letters[dice(sizeof b64_letters - 1)], before = text[i];

            switch (dice(5)) {
            case 0: text[i] = c; break;
            case 1: memmove(text + i, text + i + 1, n-- - i); break;
            case 2:
                memmove(text + i + 1, text + i, n++ - i + 1);
                text[i] = c;
                break;
            case 3:
                text[i] = text[j];
                text[j] = before;
                break;
            default: text[i] = (char)(before ^ (1 << dice(7))); break;
            }
            n = strlen(text);
        }
    while (!strcmp(text, good) || n < 8);
    return text;
}

static void no_bent_token_is_believed(void **state)
{
    struct world *t = *state;
    struct arena *outer = t->mem;

    for (int i = 0; i < 6000; i++) {
        char *text;

        t->mem = arena_new();
        text = bend(t, forge(t, GOOD_HEADER, GOOD_CLAIMS));
        if (!believe(t, text))
            fail_msg("believed after %d: %s", i, text);
        arena_free(t->mem);
    }
    t->mem = outer;
}

/* Bent before it is signed: the signature holds, so only the header's rules stand in the way. What
 * still says exactly alg, kid and typ as it should is no forgery. */
static void no_bent_header_is_believed(void **state)
{
    static const char *const members[] = {
        "\"alg\":\"ES256\"",  "\"alg\":\"HS256\"",   "\"alg\":\"none\"",  "\"alg\":null",
        "\"alg\":7",          "\"alg\":[\"ES256\"]", "\"typ\":\"JWT\"",   "\"typ\":\"jwt\"",
        "\"typ\":\"JOSE\"",   "\"kid\":\"%s\"",      "\"kid\":\"\"",      "\"kid\":0",
        "\"crit\":[\"exp\"]", "\"zip\":\"DEF\"",     "\"b64\":false",     "\"x5c\":[\"MII\"]",
        "\"cty\":\"JWT\"",    "\"enc\":\"A128GCM\"", "\"Alg\":\"ES256\"", "\"\":\"\"",
    };
    enum { ALG = 0, TYP = 6, KID = 9, N = sizeof members / sizeof *members };
    struct world *t = *state;
    struct arena *outer = t->mem;
    int believed = 0;

    for (int i = 0; i < 3000; i++) {
        int seen[N] = { 0 }, others = 0;
        struct buf header;
        bool good, got;

        t->mem = arena_new();
        header = BUF_IN(t->mem);
        for (uint32_t k = 0, n = 2 + dice(3); k < n; k++) {
            /* One half of the throws fall on the three good ones. */
            uint32_t m = dice(2) ? (uint32_t[]){ ALG, TYP, KID }[dice(3)] : dice(N);

            seen[m]++;
            others += m != ALG && m != TYP && m != KID;
            buf_adds(&header, k ? "," : "{");
            buf_adds(&header, members[m]);
        }
        buf_addc(&header, '}');
        good = !others && seen[ALG] == 1 && seen[TYP] == 1 && seen[KID] <= 1;
        got = !believe(t, forge(t, header.p, GOOD_CLAIMS));
        if (got != good)
            fail_msg("%s: %s", got ? "believed" : "not believed", header.p);
        believed += got;
        arena_free(t->mem);
    }
    t->mem = outer;
    assert_in_range(believed, 50, 2000); /* the test can tell the two apart */
}

/* ---- of others ---- */

static enum rc of_others(struct world *t, const char *set, const char *text,
                         const struct jwt_expect *x)
{
    struct jwk *keys;
    json_t *claims;
    int n;

    assert_int_equal(jwk_read_set(&t->e, t->mem, set, strlen(set), &keys, &n), RC_OK);
    assert_true(n >= 1);
    return jwt_verify(&t->e, t->mem, keys, n, x, text, strlen(text), &claims);
}

/* The examples have no aud: the signature holds if that is what is missed. */
static void the_examples_of_rfc_7515_hold(void **state)
{
    static const char *const cases[][2] = { { rfc_es256_keys, rfc_es256 },
                                            { rfc_rs256_keys, rfc_rs256 } };
    const struct jwt_expect x = { NULL, "joe", "app", 1300819000 };
    struct world *t = *state;

    for (size_t i = 0; i < 2; i++) {
        char *bent = arena_strdup(t->mem, cases[i][1]);

        assert_int_equal(of_others(t, cases[i][0], bent, &x), RC_UNAUTHORIZED);
        assert_non_null(strstr(t->e.text, "aud or azp"));
        bent[strlen(bent) - 30] ^= 1;
        assert_int_equal(of_others(t, cases[i][0], bent, &x), RC_UNAUTHORIZED);
        assert_non_null(strstr(t->e.text, "signature"));
    }
}

static void another_program_is_understood(void **state)
{
    const struct jwt_expect x = { NULL, "https://login.tj.gov.cn", "tjzw", NOW };
    struct jwt_expect other = x;
    struct world *t = *state;

    assert_int_equal(of_others(t, jose_keys, jose_es256, &x), RC_OK);
    assert_int_equal(of_others(t, jose_keys, jose_rs256, &x), RC_OK);
    other.now = NOW + 600 + JWT_SKEW;
    assert_int_equal(of_others(t, jose_keys, jose_rs256, &other), RC_UNAUTHORIZED);
    assert_int_equal(of_others(t, rfc_rs256_keys, jose_rs256, &x), RC_UNAUTHORIZED);
}

/* A key of the other kind is no choice: it cannot be meant. */
static void a_kid_is_one_keys_of_its_kind(void **state)
{
    const struct jwt_expect x = { NULL, "joe", "app", 1300819000 };
    struct world *t = *state;
    const char *ec = strchr(rfc_es256_keys, '[') + 1, *rsa = strchr(rfc_rs256_keys, '[') + 1;
    char *both = arena_printf(t->mem, "{\"keys\":[%.*s,%s", (int)strlen(ec) - 2, ec, rsa);

    assert_int_equal(of_others(t, both, rfc_es256, &x), RC_UNAUTHORIZED);
    assert_non_null(strstr(t->e.text, "aud or azp"));
    assert_int_equal(of_others(t, both, rfc_rs256, &x), RC_UNAUTHORIZED);
    assert_non_null(strstr(t->e.text, "aud or azp"));
}

static int keys_in(struct world *t, const char *set)
{
    struct jwk *keys;
    int n = -1;

    return jwk_read_set(&t->e, t->mem, set, strlen(set), &keys, &n) ? -1 : n;
}

#define X        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC(more) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"" more "}"

static void keys_that_do_not_verify_are_passed_over(void **state)
{
    static const char *const passed[] = {
        "{}",
        "7",
        "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"a\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" X
        "\"}", /* off the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y "\"}",
        "{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"AQAB\"}", /* 256 bits */
        "{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}",
        EC(",\"use\":\"enc\""),
        EC(",\"alg\":\"ES384\""),
        EC(",\"alg\":\"HS256\""),
        EC(",\"alg\":\"RS256\""),
        EC(",\"key_ops\":[\"sign\"]"),
        EC(",\"kid\":7"),
    };
    struct world *t = *state;

    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        if (keys_in(t, arena_printf(t->mem, "{\"keys\":[%s]}", passed[i])) != 0)
            fail_msg("%s", passed[i]);
    assert_int_equal(keys_in(t, "{\"keys\":[" EC(",\"use\":\"sig\",\"alg\":\"ES256\"") "]}"),
                     1);
    assert_int_equal(keys_in(t, "{\"keys\":[" EC(",\"key_ops\":[\"verify\"]") ",{}]}"), 1);
}

static void what_is_no_key_set_is_refused(void **state)
{
    struct world *t = *state;

    assert_int_equal(keys_in(t, ""), -1);
    assert_int_equal(keys_in(t, "[]"), -1);
    assert_int_equal(keys_in(t, "{}"), -1);
    assert_int_equal(keys_in(t, "{\"keys\":{}}"), -1);
    assert_int_equal(keys_in(t, "{\"keys\":[],\"keys\":[]}"), -1);
    assert_int_equal(
        keys_in(t, "{\"keys\":[" EC(",\"kid\":\"a\"") "," EC(",\"kid\":\"a\"") "]}"), -1);
    assert_int_equal(
        keys_in(t, "{\"keys\":[" EC(",\"kid\":\"a\"") "," EC(",\"kid\":\"b\"") "]}"), 2);
}

/* Without a kid there must be no choice. */
static void without_a_kid_there_must_be_one_key(void **state)
{
    struct world *t = *state;
    const struct jwt_expect x = { NULL, "joe", "app", 1300819000 };

    assert_int_equal(
        of_others(t, "{\"keys\":[" EC("") "," EC(",\"kid\":\"b\"") "]}", rfc_es256, &x),
        RC_UNAUTHORIZED);
    assert_non_null(strstr(t->e.text, "no key"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_we_say_is_believed),
        TEST(what_it_costs),
        TEST(what_we_do_not_say),
        TEST(no_pitfall_is_fallen_into),
        TEST(there_is_one_spelling),
        TEST(what_is_too_long_is_not_read),
        TEST(clocks_may_differ_by_a_minute),
        TEST(no_bent_token_is_believed),
        TEST(no_bent_header_is_believed),
        TEST(the_examples_of_rfc_7515_hold),
        TEST(another_program_is_understood),
        TEST(a_kid_is_one_keys_of_its_kind),
        TEST(keys_that_do_not_verify_are_passed_over),
        TEST(what_is_no_key_set_is_refused),
        TEST(without_a_kid_there_must_be_one_key),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
