/*
 * bearer.c - over BLAKE2b.
 */
#include "server/identity/bearer.h"

#include <string.h>

#include "server/base/be64.h"
#include "server/base/id.h"
#include "server/base/secret.h"

enum { PREFIX = 4, RAW_MAX = 8 + 8 + BEARER_SECRET + BEARER_TAG };

static const struct kind {
    char prefix[PREFIX + 1];
    size_t raw, text; /* bytes; characters behind the prefix */
} kinds[] = {
    [BEARER_ACCESS] = { "tja_", 8 + BEARER_SECRET, 54 },
    [BEARER_REFRESH] = { "tjr_", RAW_MAX, 86 },
};

/* ---- text ---- */

static void unpack(const uint8_t *raw, struct bearer *out)
{
    bool refresh = out->kind == BEARER_REFRESH;

    out->session = be64_get(raw);
    out->generation = refresh ? be64_get(raw + 8) : 0;
    memcpy(out->secret, raw + (refresh ? 16 : 8), BEARER_SECRET);
    if (refresh)
        memcpy(out->tag, raw + 16 + BEARER_SECRET, BEARER_TAG);
}

bool bearer_read(const char *text, struct bearer *out)
{
    uint8_t raw[RAW_MAX];

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = &kinds[i];
        struct bearer b = { .kind = (enum bearer_kind)i };

        if (strncmp(text, k->prefix, PREFIX) ||
            strnlen(text, BEARER_TEXT) != PREFIX + k->text ||
            b64url_parse(text + PREFIX, k->text, raw, sizeof raw) != (int)k->raw)
            continue;
        unpack(raw, &b);
        secret_wipe(raw, sizeof raw);
        if (b.session <= 0 || (b.kind == BEARER_REFRESH && b.generation <= 0))
            return false;
        *out = b;
        return true;
    }
    return false;
}

static void make_tag(const struct bearer *b, const uint8_t *key, uint8_t out[BEARER_TAG])
{
    uint8_t in[3 + 8 + 8 + BEARER_SECRET] = "tag", mac[32];

    be64_put(in + 3, b->session);
    be64_put(in + 11, b->generation);
    memcpy(in + 19, b->secret, BEARER_SECRET);
    secret_mac(key, in, sizeof in, mac);
    memcpy(out, mac, BEARER_TAG);
    secret_wipe(in, sizeof in);
}

bool bearer_is_ours(const struct bearer *b, const uint8_t key[32])
{
    uint8_t tag[BEARER_TAG];

    make_tag(b, key, tag);
    return secret_equal(tag, b->tag, sizeof tag);
}

void bearer_put(const struct bearer *b, char out[BEARER_TEXT])
{
    const struct kind *k = &kinds[b->kind];
    uint8_t raw[RAW_MAX], *at = raw + 8;

    be64_put(raw, b->session);
    if (b->kind == BEARER_REFRESH) {
        be64_put(at, b->generation);
        at += 8;
        memcpy(at + BEARER_SECRET, b->tag, BEARER_TAG);
    }
    memcpy(at, b->secret, BEARER_SECRET);
    memcpy(out, k->prefix, PREFIX);
    if (b64url_text(raw, k->raw, out + PREFIX, BEARER_TEXT - PREFIX) != (int)k->text)
        __builtin_trap(); /* the lengths are constants */
    secret_wipe(raw, sizeof raw);
}

void bearer_hash(const struct bearer *b, uint8_t out[32])
{
    uint8_t in[BEARER_SECRET + BEARER_TAG];
    size_t n = b->kind == BEARER_REFRESH ? sizeof in : BEARER_SECRET;

    memcpy(in, b->secret, BEARER_SECRET);
    memcpy(in + BEARER_SECRET, b->tag, BEARER_TAG);
    secret_mac(NULL, in, n, out);
    secret_wipe(in, sizeof in);
}

/* ---- secrets ---- */

struct bearer bearer_first(enum bearer_kind kind, int64_t session, const uint8_t key[32])
{
    struct bearer b = { .kind = kind,
                        .session = session,
                        .generation = kind == BEARER_REFRESH };

    secret_random(b.secret, sizeof b.secret);
    if (kind == BEARER_REFRESH)
        make_tag(&b, key, b.tag);
    return b;
}

struct bearer bearer_next(enum bearer_kind kind, const struct bearer *refresh,
                          const uint8_t key[32], const uint8_t seed[BEARER_SEED])
{
    uint8_t in[7 + 8 + 8 + BEARER_SEED + BEARER_SECRET];
    struct bearer b = { .kind = kind, .session = refresh->session };

    memcpy(in, kind == BEARER_ACCESS ? "access " : "refresh", 7);
    be64_put(in + 7, refresh->session);
    be64_put(in + 15, refresh->generation + 1);
    memcpy(in + 23, seed, BEARER_SEED);
    memcpy(in + 23 + BEARER_SEED, refresh->secret, BEARER_SECRET);
    secret_mac(key, in, sizeof in, b.secret);
    secret_wipe(in, sizeof in);
    if (kind == BEARER_REFRESH) {
        b.generation = refresh->generation + 1;
        make_tag(&b, key, b.tag);
    }
    return b;
}
