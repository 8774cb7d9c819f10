/*
 * keys.c - two keys, so that the one in daily use can be exchanged.
 *
 *     platform key --signs--> stream key --signs--> heads
 *
 * Phones trust the platform key. The chain is append-only: whatever the key files say, a line
 * that was served once stays. The files are written before the chain names them, so a crash in
 * between only leaves a key that the next start appends.
 */
#include "sync/keys.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/secret.h"
#include "sync/founding.h"
#include "sync/verify.h"

struct keys {
    uint8_t platform[VERIFY_SECRET], stream[VERIFY_SECRET];
    struct verify_key platform_public, stream_public;
    uint8_t first[VERIFY_ED25519]; /* the chain's first platform key */
    char chain[VERIFY_KEYS_MAX];
    size_t chain_n;
};

static enum rc load_pair(struct err *e, struct arena *mem, const char *data, const char *name,
                         uint8_t secret[VERIFY_SECRET], struct verify_key *public)
{
    uint8_t seed[crypto_sign_SEEDBYTES], pk[VERIFY_ED25519];
    enum rc rc = secret_load_or_make(e, arena_printf(mem, "%s/keys/%s.key", data, name), seed,
                                     sizeof seed);

    if (rc)
        return rc;
    crypto_sign_seed_keypair(pk, secret, seed);
    secret_wipe(seed, sizeof seed);
    verify_key_ed25519(pk, public);
    return RC_OK;
}

static bool same_key(const struct verify_key *a, const struct verify_key *b)
{
    return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static enum rc append(struct keys *k, struct err *e, const char *role,
                      const struct verify_key *key)
{
    struct sync_err se;
    enum rc rc = founding_clock(e);

    if (rc)
        return rc;
    if (verify_keys_append(&se, k->chain, &k->chain_n, sizeof k->chain, role, key,
                           (uint64_t)clock_now(), k->platform))
        return err_set(e, RC_INTERNAL, "key chain: %s", se.text);
    return RC_OK;
}

static enum rc read_chain(struct keys *k, struct err *e, struct arena *mem, const char *path)
{
    struct verify_key platform;
    struct sync_err se;
    char *text;
    size_t n;
    enum rc rc;

    if (!fs_exists(path))
        return append(k, e, "platform", &k->platform_public);
    if ((rc = fs_read(e, mem, path, sizeof k->chain, &text, &n)))
        return rc;
    if (verify_keys_first(&se, text, n, k->first) ||
        verify_keys_current(&se, text, n, k->first, "platform", &platform))
        return err_set(e, RC_CORRUPT, "%s: %s", path, se.text);
    if (!same_key(&platform, &k->platform_public))
        return err_set(e, RC_CORRUPT,
                       "platform.key is not the platform key that %s names; put the right one "
                       "back from the backup",
                       path);
    memcpy(k->chain, text, n);
    k->chain_n = n;
    return RC_OK;
}

/* Sees that the chain ends, for this stream, in the key we hold. */
static enum rc complete(struct keys *k, struct err *e, const char *path, const char *stream)
{
    struct verify_key now;
    struct sync_err se;
    char role[VERIFY_ROLE_MAX + 1];
    enum rc rc;

    if (verify_keys_first(&se, k->chain, k->chain_n, k->first))
        return err_set(e, RC_CORRUPT, "%s: %s", path, se.text);
    snprintf(role, sizeof role, "stream:%s", stream);
    if (!verify_keys_current(&se, k->chain, k->chain_n, k->first, role, &now) &&
        same_key(&now, &k->stream_public))
        return RC_OK;
    if ((rc = append(k, e, role, &k->stream_public)))
        return rc;
    return fs_write(e, path, k->chain, k->chain_n, 0644);
}

static enum rc open_in(struct keys *k, struct err *e, struct arena *mem, const char *data,
                       const char *stream)
{
    const char *path = arena_printf(mem, "%s/keys/chain", data);
    const char *own = arena_printf(mem, "stream-%s", stream);
    enum rc rc;

    if ((rc = fs_mkdirs(e, arena_printf(mem, "%s/keys", data), 0700)) ||
        (rc = load_pair(e, mem, data, "platform", k->platform, &k->platform_public)) ||
        (rc = load_pair(e, mem, data, own, k->stream, &k->stream_public)) ||
        (rc = read_chain(k, e, mem, path)))
        return rc;
    return complete(k, e, path, stream);
}

enum rc keys_open(struct err *e, const char *data, const char *stream, struct keys **out)
{
    struct keys *k;
    struct arena *mem;
    enum rc rc;

    if (sodium_init() < 0)
        return err_set(e, RC_INTERNAL, "libsodium cannot start");
    mem = arena_new();
    k = sodium_malloc(sizeof *k);
    if (!k) {
        arena_free(mem);
        return err_set(e, RC_INTERNAL, "no memory that can be locked for the keys");
    }
    memset(k, 0, sizeof *k);
    rc = open_in(k, e, mem, data, stream);
    arena_free(mem);
    if (rc)
        keys_close(k);
    else
        *out = k;
    return rc;
}

void keys_close(struct keys *k)
{
    sodium_free(k);
}

const char *keys_chain(const struct keys *k, size_t *n)
{
    *n = k->chain_n;
    return k->chain;
}

char *keys_trust(const struct keys *k, char out[HASH_TEXT])
{
    return hex_text(k->first, sizeof k->first, out);
}

enum rc keys_sign(const struct keys *k, struct err *e, char *note, size_t *n)
{
    struct sync_err se;

    if (verify_sign(&se, k->stream, note, n, WIRE_HEAD_MAX))
        return err_set(e, RC_INTERNAL, "sign: %s", se.text);
    return RC_OK;
}

bool keys_signed(const struct keys *k, const struct wire_note *note, const char *text)
{
    struct sync_err se;

    return !verify_note(&se, text, note, &k->stream_public);
}
