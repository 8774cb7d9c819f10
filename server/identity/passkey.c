/*
 * passkey.c - the rules of passkey.h, in their order.
 *
 *     authenticatorData   rpIdHash 32 | flags 1 | signCount 4 | [ aaguid 16 | length 2 | id | COSE key ] | [ extensions ]
 *     COSE ES256          { 1: 2, 3: -7, -1: 1, -2: x 32, -3: y 32 }
 *     COSE RS256          { 1: 3, 3: -257, -1: n, -2: e }
 *
 * Numbers are big-endian; the key and the extensions are CBOR, and only reading the key tells where
 * it ends.
 *
 * Attestation would say which maker's device it is. We ask for none and believe none: citizens
 * bring what they have, and a list of makers would be one more thing that goes out of date.
 */
#include "server/identity/passkey.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/secret.h"
#include "server/identity/cbor.h"
#include "server/identity/pubkey.h"

enum {
    CLIENT_DATA_MAX = 4096,
    ID_MIN = 16,
    HEAD = HASH_BYTES + 1 + 4,
    ATTESTED = PASSKEY_AAGUID + 2
};
enum { UP = 1 << 0, UV = 1 << 2, BE = 1 << 3, BS = 1 << 4, AT = 1 << 6, ED = 1 << 7 };

struct authenticator {
    const uint8_t *rp_id_hash;
    uint8_t flags;
    uint32_t count;
    const uint8_t *aaguid, *id; /* with AT */
    size_t id_n;
    struct cbor key;
};

static enum rc malformed(struct err *e, const char *rule)
{
    return err_set(e, RC_INVALID, "%s", rule);
}

static enum rc refuse(struct err *e, const char *rule)
{
    return err_set(e, RC_UNAUTHORIZED, "%s", rule);
}

/* ---- what the browser says ---- */

static const struct jx_field client_data_fields[] = {
    { "type", JX_TEXT, true, 0, 0 },
    { "challenge", JX_TEXT, true, 0, 0 },
    { "origin", JX_TEXT, true, 0, 0 },
    { "crossOrigin", JX_BOOL, false, 0, 0 },
    { "tokenBinding", JX_OBJECT, false, 0, 0 },
    {},
};

static bool is_ours(const char *origin, const char *const *origins)
{
    for (; *origins; origins++)
        if (!strcmp(origin, *origins))
            return true;
    return false;
}

static bool is_challenge(const char *text, const uint8_t challenge[PASSKEY_CHALLENGE])
{
    uint8_t bytes[PASSKEY_CHALLENGE];

    return b64url_parse(text, strlen(text), bytes, sizeof bytes) == sizeof bytes &&
           secret_equal(bytes, challenge, sizeof bytes);
}

static enum rc check_client_data(struct err *e, struct arena *mem,
                                 const struct passkey_expect *x, const char *type,
                                 struct passkey_bytes text)
{
    const char *binding;
    json_t *c;

    if (text.n > CLIENT_DATA_MAX || jx_object(e, mem, (const char *)text.p, text.n, &c) ||
        jx_check_known(e, c, client_data_fields, ""))
        return malformed(e, "7.1.6, 7.2.10: this is no client data");
    if (strcmp(jx_text(c, "type"), type))
        return refuse(e, "7.1.7, 7.2.11: type is another");
    if (!is_challenge(jx_text(c, "challenge"), x->challenge))
        return refuse(e, "7.1.8, 7.2.12: challenge is another");
    if (!is_ours(jx_text(c, "origin"), x->origins))
        return refuse(e, "7.1.9, 7.2.13: origin is another");
    if (jx_bool(c, "crossOrigin", false) || json_object_get(c, "topOrigin"))
        return refuse(e, "7.1.9, 7.2.13: within another site");
    binding = jx_text(json_object_get(c, "tokenBinding"), "status");
    if (binding && strcmp(binding, "supported"))
        return refuse(e, "7.1.10, 7.2.14: token binding is claimed");
    return RC_OK;
}

/* ---- what the authenticator says ---- */

/* Behind the head: a key with AT, extensions with ED, and no more. */
static bool read_rest(const uint8_t *p, size_t n, struct authenticator *out)
{
    struct cbor extensions;
    size_t used;

    if (out->flags & AT) {
        if (n < ATTESTED)
            return false;
        out->aaguid = p;
        out->id_n = (size_t)p[PASSKEY_AAGUID] << 8 | p[PASSKEY_AAGUID + 1];
        out->id = p + ATTESTED;
        if (n - ATTESTED < out->id_n)
            return false;
        p += ATTESTED + out->id_n;
        n -= ATTESTED + out->id_n;
        if (!cbor_read(p, n, &out->key, &used))
            return false;
        p += used;
        n -= used;
    }
    if (out->flags & ED) {
        if (!cbor_read(p, n, &extensions, &used) || extensions.type != CBOR_MAP)
            return false;
        n -= used;
    }
    return n == 0;
}

static enum rc read_authenticator(struct err *e, struct passkey_bytes data, bool with_key,
                                  struct authenticator *out)
{
    const uint8_t *p = data.p;

    *out = (struct authenticator){ 0 };
    if (data.n < HEAD)
        return malformed(e, "6.1: authenticator data is cut short");
    out->rp_id_hash = p;
    out->flags = p[HASH_BYTES];
    p += HASH_BYTES + 1;
    out->count = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (((out->flags & AT) != 0) != with_key)
        return malformed(e, "6.1: a key belongs to a registration, and only there");
    if (!read_rest(data.p + HEAD, data.n - HEAD, out))
        return malformed(e, "6.1: authenticator data is not what its flags say");
    return RC_OK;
}

static enum rc check_authenticator(struct err *e, const struct passkey_expect *x,
                                   const struct authenticator *a)
{
    uint8_t hash[HASH_BYTES];

    sha256(x->rp_id, strlen(x->rp_id), hash);
    if (!secret_equal(hash, a->rp_id_hash, sizeof hash))
        return refuse(e, "7.1.13, 7.2.15: rpIdHash is another");
    if (!(a->flags & UP))
        return refuse(e, "7.1.14, 7.2.16: nobody was there");
    if (x->verify && !(a->flags & UV))
        return refuse(e, "7.1.15, 7.2.17: the owner was not verified");
    if ((a->flags & BS) && !(a->flags & BE))
        return refuse(e, "6.1.3 L3: backed up, and must not be");
    return RC_OK;
}

/* ---- the key ---- */

static bool has_int(const struct cbor *map, int64_t key, int64_t value)
{
    struct cbor v;

    return cbor_at(map, key, &v) && v.type == CBOR_INT && v.number == value;
}

static bool has_bytes(const struct cbor *map, int64_t key, struct cbor *out)
{
    return cbor_at(map, key, out) && out->type == CBOR_BYTES;
}

/* RFC 9052 section 7, RFC 8152 section 13.1, RFC 8230 section 4. */
enum {
    KTY = 1,
    ALG = 3,
    EC2 = 2,
    RSA_KTY = 3,
    CRV = -1,
    EC_X = -2,
    EC_Y = -3,
    P256 = 1,
    RSA_N = -1,
    RSA_E = -2
};
enum { EC2_MEMBERS = 5, RSA_MEMBERS = 4 };

static EVP_PKEY *read_key(const struct cbor *cose, enum passkey_alg *alg)
{
    struct cbor a, b;

    if (cose->type != CBOR_MAP)
        return NULL;
    if (cose->number == EC2_MEMBERS && has_int(cose, KTY, EC2) &&
        has_int(cose, ALG, PASSKEY_ES256) && has_int(cose, CRV, P256) &&
        has_bytes(cose, EC_X, &a) && has_bytes(cose, EC_Y, &b) && a.n == PUBKEY_COORDINATE &&
        b.n == PUBKEY_COORDINATE) {
        *alg = PASSKEY_ES256;
        return pubkey_p256(a.bytes, b.bytes);
    }
    if (cose->number == RSA_MEMBERS && has_int(cose, KTY, RSA_KTY) &&
        has_int(cose, ALG, PASSKEY_RS256) && has_bytes(cose, RSA_N, &a) &&
        has_bytes(cose, RSA_E, &b)) {
        *alg = PASSKEY_RS256;
        return pubkey_rsa(a.bytes, a.n, b.bytes, b.n);
    }
    return NULL;
}

static enum rc keep_key(struct err *e, const struct cbor *cose, struct passkey *out)
{
    EVP_PKEY *key = read_key(cose, &out->alg);
    uint8_t *der = NULL;
    int n = key ? i2d_PUBKEY(key, &der) : 0;
    bool ok = n > 0 && n <= PASSKEY_KEY_MAX;

    if (ok) {
        memcpy(out->key, der, (size_t)n);
        out->key_n = (size_t)n;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return ok ? RC_OK : refuse(e, "7.1.16: the key is not one of ES256 or RS256");
}

/* ---- registration ---- */

/* authData of an attestationObject that holds what it must. */
static enum rc read_attestation(struct err *e, struct passkey_bytes object,
                                struct passkey_bytes *data)
{
    struct cbor map, fmt, statement, auth;
    size_t used;

    if (!cbor_read(object.p, object.n, &map, &used) || used != object.n ||
        map.type != CBOR_MAP || !cbor_at_name(&map, "fmt", &fmt) || fmt.type != CBOR_TEXT ||
        !cbor_at_name(&map, "attStmt", &statement) || statement.type != CBOR_MAP ||
        !cbor_at_name(&map, "authData", &auth) || auth.type != CBOR_BYTES)
        return malformed(e, "7.1.12: this is no attestation object");
    if (fmt.n == 4 && !memcmp(fmt.bytes, "none", 4) && statement.number)
        return refuse(e, "7.1.19: an attestation of none has a statement");
    *data = (struct passkey_bytes){ auth.bytes, auth.n };
    return RC_OK;
}

enum rc passkey_register(struct err *e, struct arena *mem, const struct passkey_expect *x,
                         struct passkey_bytes client_data, struct passkey_bytes attestation,
                         struct passkey *out)
{
    struct passkey_bytes data;
    struct authenticator a;
    struct passkey k = { 0 };
    enum rc rc;

    if ((rc = check_client_data(e, mem, x, "webauthn.create", client_data)) ||
        (rc = read_attestation(e, attestation, &data)) ||
        (rc = read_authenticator(e, data, true, &a)) || (rc = check_authenticator(e, x, &a)))
        return rc;
    if (a.id_n < ID_MIN || a.id_n > PASSKEY_ID_MAX)
        return refuse(e, "7.1.22 L3: the credential's name is too short or too long");
    if ((rc = keep_key(e, &a.key, &k)))
        return rc;
    memcpy(k.id, a.id, a.id_n);
    k.id_n = a.id_n;
    memcpy(k.aaguid, a.aaguid, sizeof k.aaguid);
    k.count = a.count;
    k.verified = a.flags & UV;
    k.may_be_backed_up = a.flags & BE;
    k.backed_up = a.flags & BS;
    *out = k;
    return RC_OK;
}

/* ---- assertion ---- */

static bool is_signed(struct arena *mem, const struct passkey *k, struct passkey_bytes data,
                      struct passkey_bytes client_data, struct passkey_bytes sig)
{
    const uint8_t *der = k->key;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)k->key_n);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *text = arena_alloc(mem, data.n + HASH_BYTES);
    int type = k->alg == PASSKEY_ES256 ? EVP_PKEY_EC : EVP_PKEY_RSA;
    bool ok;

    memcpy(text, data.p, data.n);
    sha256(client_data.p, client_data.n, text + data.n);
    ok = key && ctx && EVP_PKEY_get_base_id(key) == type &&
         EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
         EVP_DigestVerify(ctx, sig.p, sig.n, text, data.n + HASH_BYTES) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
}

enum rc passkey_assert(struct err *e, struct arena *mem, const struct passkey_expect *x,
                       const struct passkey *known, struct passkey_bytes client_data,
                       struct passkey_bytes data, struct passkey_bytes signature,
                       struct passkey_use *out)
{
    struct authenticator a;
    enum rc rc;

    if ((rc = check_client_data(e, mem, x, "webauthn.get", client_data)) ||
        (rc = read_authenticator(e, data, false, &a)) || (rc = check_authenticator(e, x, &a)))
        return rc;
    if (((a.flags & BE) != 0) != known->may_be_backed_up)
        return refuse(e, "6.1.3 L3: whether it may be backed up has changed");
    if (!is_signed(mem, known, data, client_data, signature))
        return refuse(e, "7.2.20: the signature does not hold");
    *out = (struct passkey_use){
        .count = a.count,
        .count_fell = (a.count || known->count) && a.count <= known->count,
        .verified = a.flags & UV,
        .backed_up = a.flags & BS,
    };
    return RC_OK;
}
