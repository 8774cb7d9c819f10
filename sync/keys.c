/*
 * keys.c - two keys, so that the one in daily use can be exchanged.
 *
 *     platform key --signs--> stream keys --sign--> heads
 *                  \--signs--> list of heads
 *
 * Phones trust the platform key. The chain is append-only: whatever the key files say, a line
 * that was served once stays. At the first run the files are written before the chain names them,
 * so a crash in between only leaves a key that the next start appends.
 *
 * A key is exchanged in three steps, each of them durable before the next:
 *
 *     1. X.key.new holds the new key
 *     2. the chain names it                    <-- from here on it is the key
 *     3. X.key.new is renamed to X.key
 *
 * Whatever a crash leaves, the chain decides: a .new that it names takes its place, one that it
 * does not name was never used and goes. The old secret is gone with step 3: nothing will ever be
 * signed with it again, and it could only help somebody else.
 */
#include "sync/keys.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/generation.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/secret.h"
#include "server/base/sm2.h"
#include "sync/founding.h"
#include "sync/verify.h"

/* In memory that is locked, guarded and wiped. */
struct secrets {
    uint8_t platform[VERIFY_SECRET];
    uint8_t stream[WIRE_STREAMS_MAX][VERIFY_SECRET];
    uint8_t sm2[WIRE_STREAMS_MAX][VERIFY_SECRET]; /* the first SM2_SECRET bytes */
};

struct own {
    char name[WIRE_STREAM_MAX + 1];
    struct verify_key public, sm2; /* sm2.len 0: it has none */
};

struct keys {
    char *data;
    struct secrets *secret;
    struct verify_key platform;
    uint8_t first[VERIFY_ED25519]; /* the chain's first platform key */
    struct own own[WIRE_STREAMS_MAX];
    int own_n;
    char chain[VERIFY_KEYS_MAX]; /* the writer thread's */
    size_t chain_n;
    pthread_mutex_t lock; /* for what follows */
    char shown[VERIFY_KEYS_MAX];
    size_t shown_n;
};

enum { SEED = 32 }; /* bytes of every key file */

static const char ED25519[] = "ed25519", SM2[] = "sm2";

/* From what the file holds to what signs and verifies. */
static enum rc derive(struct err *e, const char *algorithm, const uint8_t seed[SEED],
                      uint8_t secret[VERIFY_SECRET], struct verify_key *public)
{
    uint8_t pk[SM2_PUBLIC];
    enum rc rc;

    static_assert((int)SEED == (int)crypto_sign_SEEDBYTES && (int)SEED == (int)SM2_SECRET,
                  "one form of file");
    if (algorithm == SM2) {
        if ((rc = sm2_public(e, seed, pk)))
            return rc;
        memcpy(secret, seed, SEED);
        (void)verify_key_of(SM2, pk, sizeof pk, public);
        return RC_OK;
    }
    crypto_sign_seed_keypair(pk, secret, seed);
    verify_key_ed25519(pk, public);
    return RC_OK;
}

static const char *key_path(const struct keys *k, struct arena *mem, const char *name)
{
    return arena_printf(mem, "%s/keys/%s", k->data, name);
}

/* `name` is the file's: "platform.key". */
static enum rc load_pair(struct keys *k, struct err *e, struct arena *mem, const char *name,
                         const char *algorithm, uint8_t secret[VERIFY_SECRET],
                         struct verify_key *public)
{
    uint8_t seed[SEED];
    enum rc rc = secret_load_or_make(e, key_path(k, mem, name), seed, sizeof seed);

    if (!rc)
        rc = derive(e, algorithm, seed, secret, public);
    secret_wipe(seed, sizeof seed);
    return rc;
}

static bool same_key(const struct verify_key *a, const struct verify_key *b)
{
    return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* ---- the chain ---- */

static enum rc append(struct keys *k, struct err *e, const char *role,
                      const struct verify_key *key, const uint8_t signer[VERIFY_SECRET])
{
    struct sync_err se;
    enum rc rc = founding_clock(e);

    if (rc)
        return rc;
    switch (verify_keys_append(&se, k->chain, &k->chain_n, sizeof k->chain, role, key,
                               (uint64_t)clock_now(), signer)) {
    case SYNC_OK: return RC_OK;
    case SYNC_USAGE: return err_set(e, RC_FULL, "the chain of keys has no room for more");
    default: return err_set(e, RC_INTERNAL, "key chain: %s", se.text);
    }
}

static const char *chain_path(const struct keys *k, struct arena *mem)
{
    return arena_printf(mem, "%s/keys/chain", k->data);
}

static enum rc store_chain(struct keys *k, struct err *e, struct arena *mem)
{
    return fs_write(e, chain_path(k, mem), k->chain, k->chain_n, 0644);
}

/* Nothing if there is none yet. */
static enum rc read_chain(struct keys *k, struct err *e, struct arena *mem)
{
    const char *path = chain_path(k, mem);
    struct sync_err se;
    char *text;
    size_t n;
    enum rc rc;

    if (!fs_exists(path))
        return RC_OK;
    if ((rc = fs_read(e, mem, path, sizeof k->chain, &text, &n)))
        return rc;
    if (verify_keys_first(&se, text, n, k->first))
        return err_set(e, RC_CORRUPT, "%s: %s", path, se.text);
    memcpy(k->chain, text, n);
    k->chain_n = n;
    return RC_OK;
}

/* Whether the chain names the key as the role's current one. */
static bool is_current(struct keys *k, const char *role, const struct verify_key *key)
{
    struct verify_key now;
    struct sync_err se;

    return !verify_keys_current_of(&se, k->chain, k->chain_n, k->first, role, key->algorithm,
                                   &now) &&
           same_key(&now, key);
}

/* ---- what a crash left ---- */

/* A key that was taking the place of `name`: see the top of the file. */
static enum rc settle(struct keys *k, struct err *e, struct arena *mem, const char *name,
                      const char *algorithm, const char *role)
{
    const char *path = key_path(k, mem, name), *fresh = arena_printf(mem, "%s.new", path);
    uint8_t secret[VERIFY_SECRET];
    struct verify_key public;
    bool current;
    enum rc rc;

    if (!fs_exists(fresh))
        return RC_OK;
    rc = load_pair(k, e, mem, arena_printf(mem, "%s.new", name), algorithm, secret, &public);
    secret_wipe(secret, sizeof secret);
    if (rc)
        return rc;
    current = k->chain_n && is_current(k, role, &public);
    if (current ? rename(fresh, path) : unlink(fresh))
        return err_errno(e, current ? "put %s in its place" : "remove %s", fresh);
    return fs_sync_dir(e, arena_printf(mem, "%s/keys", k->data));
}

/* The platform key, and that the chain ends in it. */
static enum rc open_platform(struct keys *k, struct err *e, struct arena *mem)
{
    enum rc rc;

    if ((rc = settle(k, e, mem, "platform.key", ED25519, "platform")) ||
        (rc = load_pair(k, e, mem, "platform.key", ED25519, k->secret->platform, &k->platform)))
        return rc;
    if (!k->chain_n) {
        memcpy(k->first, k->platform.bytes, sizeof k->first);
        if ((rc = append(k, e, "platform", &k->platform, k->secret->platform)))
            return rc;
        return store_chain(k, e, mem);
    }
    if (is_current(k, "platform", &k->platform))
        return RC_OK;
    return err_set(e, RC_CORRUPT,
                   "platform.key is not the platform key that %s names; put the right one "
                   "back from the backup",
                   chain_path(k, mem));
}

/* ---- life ---- */

static struct keys *keys_new(const char *data)
{
    struct keys *k = calloc(1, sizeof *k);

    if (!k || !(k->data = strdup(data)))
        memory_end();
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

static enum rc open_all(struct keys *k, struct err *e, struct arena *mem)
{
    enum rc rc;

    if (sodium_init() < 0)
        return err_set(e, RC_INTERNAL, "libsodium cannot start");
    if (!(k->secret = sodium_malloc(sizeof *k->secret)))
        return err_set(e, RC_INTERNAL, "no memory that can be locked for the keys");
    if ((rc = fs_mkdirs(e, arena_printf(mem, "%s/keys", k->data), 0700)) ||
        (rc = read_chain(k, e, mem)) || (rc = open_platform(k, e, mem)))
        return rc;
    keys_show(k);
    return RC_OK;
}

enum rc keys_open(struct err *e, const char *data, struct keys **out)
{
    struct keys *k = keys_new(data);
    struct arena *mem = arena_new();
    enum rc rc = open_all(k, e, mem);

    arena_free(mem);
    if (rc)
        keys_close(k);
    else
        *out = k;
    return rc;
}

void keys_close(struct keys *k)
{
    if (!k)
        return;
    sodium_free(k->secret);
    pthread_mutex_destroy(&k->lock);
    free(k->data);
    free(k);
}

static struct own *own_of(struct keys *k, const char *stream)
{
    for (int i = 0; i < k->own_n; i++)
        if (!strcmp(k->own[i].name, stream))
            return &k->own[i];
    return NULL;
}

static void role_of(const char *stream, char out[VERIFY_ROLE_MAX + 1])
{
    snprintf(out, VERIFY_ROLE_MAX + 1, "stream:%.*s", WIRE_STREAM_MAX, stream);
}

static const char *file_of(struct arena *mem, const char *stream, const char *algorithm)
{
    return arena_printf(mem, "stream-%s%s.key", stream, algorithm == SM2 ? ".sm2" : "");
}

static enum rc own_pair(struct keys *k, struct err *e, struct arena *mem, const char *stream,
                        const char *algorithm, uint8_t secret[VERIFY_SECRET],
                        struct verify_key *public)
{
    const char *file = file_of(mem, stream, algorithm);
    char role[VERIFY_ROLE_MAX + 1];
    enum rc rc;

    role_of(stream, role);
    if ((rc = settle(k, e, mem, file, algorithm, role)) ||
        (rc = load_pair(k, e, mem, file, algorithm, secret, public)) ||
        is_current(k, role, public))
        return rc;
    return append(k, e, role, public, k->secret->platform);
}

static enum rc own(struct keys *k, struct err *e, struct arena *mem, const char *stream,
                   bool sm2)
{
    struct own *o = &k->own[k->own_n];
    size_t before = k->chain_n;
    enum rc rc;

    if (k->own_n == WIRE_STREAMS_MAX)
        return err_set(e, RC_INVALID, "a server has at most %d streams", WIRE_STREAMS_MAX);
    snprintf(o->name, sizeof o->name, "%s", stream);
    if ((rc = own_pair(k, e, mem, stream, ED25519, k->secret->stream[k->own_n], &o->public)) ||
        (sm2 && (rc = own_pair(k, e, mem, stream, SM2, k->secret->sm2[k->own_n], &o->sm2))))
        return rc;
    k->own_n++;
    if (k->chain_n != before && (rc = store_chain(k, e, mem)))
        return rc;
    keys_show(k);
    return RC_OK;
}

enum rc keys_own(struct keys *k, struct err *e, const char *stream, bool sm2)
{
    struct arena *mem = arena_new();
    enum rc rc = own_of(k, stream) ? RC_OK : own(k, e, mem, stream, sm2);

    arena_free(mem);
    return rc;
}

/* ---- another key ---- */

struct fresh {
    const char *path, *path_new;
    uint8_t secret[VERIFY_SECRET];
    struct verify_key public;
};

/* Step 1. */
static enum rc fresh_make(struct keys *k, struct err *e, struct arena *mem, const char *file,
                          const char *algorithm, struct fresh *f)
{
    f->path = key_path(k, mem, file);
    f->path_new = arena_printf(mem, "%s.new", f->path);
    if (unlink(f->path_new) && errno != ENOENT)
        return err_errno(e, "remove %s", f->path_new);
    return load_pair(k, e, mem, arena_printf(mem, "%s.new", file), algorithm, f->secret,
                     &f->public);
}

/* Whether the file holds the chain as we have it. */
static bool is_stored(struct keys *k, struct arena *mem)
{
    struct err ignored;
    char *text;
    size_t n;

    return !fs_read(&ignored, mem, chain_path(k, mem), sizeof k->chain, &text, &n) &&
           n == k->chain_n && !memcmp(text, k->chain, n);
}

/*
 * Steps 2 and 3; `before` is the chain's length without the new lines, `rc` whether they could be
 * appended. A rename that fails is made up for by the next start.
 */
static enum rc take(struct keys *k, struct err *e, struct arena *mem, struct fresh *f, int n,
                    size_t before, enum rc rc)
{
    if (!rc)
        rc = store_chain(k, e, mem);
    /* An error may come after the rename: what counts is what the file says. */
    if (rc && (k->chain_n == before || !is_stored(k, mem))) {
        k->chain_n = before;
        for (int i = 0; i < n; i++)
            if (f[i].path_new)
                unlink(f[i].path_new);
        return rc;
    }
    for (int i = 0; i < n; i++)
        if (rename(f[i].path_new, f[i].path))
            LOG(LOG_ERROR, "key_not_renamed", L_STR("mend", "restart the server"));
    (void)!fs_sync_dir(e, arena_printf(mem, "%s/keys", k->data));
    return RC_OK;
}

static enum rc rotate_stream(struct keys *k, struct err *e, struct arena *mem, struct own *o)
{
    struct fresh f[2] = { 0 };
    int n = o->sm2.len ? 2 : 1;
    size_t before = k->chain_n;
    char role[VERIFY_ROLE_MAX + 1];
    enum rc rc;

    role_of(o->name, role);
    rc = fresh_make(k, e, mem, file_of(mem, o->name, ED25519), ED25519, &f[0]);
    if (!rc && n > 1)
        rc = fresh_make(k, e, mem, file_of(mem, o->name, SM2), SM2, &f[1]);
    for (int i = 0; i < n && !rc; i++)
        rc = append(k, e, role, &f[i].public, k->secret->platform);
    if (!(rc = take(k, e, mem, f, n, before, rc))) {
        memcpy(k->secret->stream[o - k->own], f[0].secret, VERIFY_SECRET);
        o->public = f[0].public;
        if (n > 1) {
            memcpy(k->secret->sm2[o - k->own], f[1].secret, VERIFY_SECRET);
            o->sm2 = f[1].public;
        }
    }
    secret_wipe(f, sizeof f);
    return rc;
}

enum rc keys_rotate_stream(struct keys *k, struct err *e, const char *stream)
{
    struct own *o = own_of(k, stream);
    struct arena *mem;
    enum rc rc;

    if (!o)
        return err_set(e, RC_NOT_FOUND, "there is no key of a stream %.32s here", stream);
    mem = arena_new();
    rc = rotate_stream(k, e, mem, o);
    arena_free(mem);
    return rc;
}

/* The present keys of a stream, once more, by the new platform key. */
static enum rc vouch_again(struct keys *k, struct err *e, const char *stream,
                           const struct fresh *platform)
{
    static const char *const algorithms[] = { ED25519, SM2 };
    char role[VERIFY_ROLE_MAX + 1];
    enum rc rc = RC_OK;

    role_of(stream, role);
    for (int i = 0; i < 2 && !rc; i++) {
        struct verify_key key;
        struct sync_err se;

        if (!verify_keys_current_of(&se, k->chain, k->chain_n, k->first, role, algorithms[i],
                                    &key))
            rc = append(k, e, role, &key, platform->secret);
    }
    return rc;
}

/*
 * One stream that is signed anew is enough for the new key to vouch for the whole chain. All are,
 * so that each key says itself who stands behind it, while there is much room.
 */
static enum rc rotate_platform(struct keys *k, struct err *e, struct arena *mem,
                               const char *const *streams, int n)
{
    struct fresh f = { 0 };
    size_t before = k->chain_n;
    bool all = before < VERIFY_KEYS_MAX / 2;
    enum rc rc = fresh_make(k, e, mem, "platform.key", ED25519, &f);

    if (!rc)
        rc = append(k, e, "platform", &f.public, k->secret->platform);
    for (int i = 0; i < n && !rc && (all || !i); i++)
        rc = vouch_again(k, e, streams[i], &f);
    if (!(rc = take(k, e, mem, &f, 1, before, rc))) {
        memcpy(k->secret->platform, f.secret, VERIFY_SECRET);
        k->platform = f.public;
    }
    secret_wipe(&f, sizeof f);
    return rc;
}

enum rc keys_rotate_platform(struct keys *k, struct err *e, const char *const *streams, int n)
{
    struct arena *mem = arena_new();
    enum rc rc = rotate_platform(k, e, mem, streams, n);

    arena_free(mem);
    return rc;
}

enum rc keys_vouch(struct keys *k, struct err *e, const char *stream,
                   const struct verify_key *key)
{
    char role[VERIFY_ROLE_MAX + 1];
    size_t before = k->chain_n;
    struct arena *mem;
    enum rc rc;

    role_of(stream, role);
    if (is_current(k, role, key))
        return RC_OK;
    if (own_of(k, stream))
        return err_set(e, RC_CONFLICT, "the stream %.32s is this server's own", stream);
    if ((rc = append(k, e, role, key, k->secret->platform)))
        return rc;
    mem = arena_new();
    rc = store_chain(k, e, mem);
    if (rc && !is_stored(k, mem))
        k->chain_n = before;
    else
        rc = RC_OK;
    arena_free(mem);
    keys_show(k);
    return rc;
}

/* ---- what others see ---- */

void keys_show(struct keys *k)
{
    pthread_mutex_lock(&k->lock);
    memcpy(k->shown, k->chain, k->chain_n);
    k->shown_n = k->chain_n;
    pthread_mutex_unlock(&k->lock);
    generation_next(); /* the route answers from the cache */
}

const char *keys_chain(struct keys *k, struct arena *mem, size_t *n)
{
    const char *copy;

    pthread_mutex_lock(&k->lock);
    *n = k->shown_n;
    copy = arena_strndup(mem, k->shown, k->shown_n);
    pthread_mutex_unlock(&k->lock);
    return copy;
}

char *keys_trust(struct keys *k, char out[HASH_TEXT])
{
    return hex_text(k->platform.bytes, VERIFY_ED25519, out);
}

/* ---- signatures ---- */

static enum rc sign(struct err *e, const uint8_t secret[VERIFY_SECRET], char *text, size_t *n,
                    size_t room)
{
    struct sync_err se;

    if (verify_sign(&se, secret, text, n, room))
        return err_set(e, RC_INTERNAL, "sign: %s", se.text);
    return RC_OK;
}

static enum rc add_sm2(struct keys *k, struct err *e, const struct own *o, size_t signed_n,
                       char *note, size_t *n)
{
    struct wire_sig sig = { .algorithm = "sm2", .len = SM2_SIG };
    struct sync_err se;
    enum rc rc =
        sm2_sign(e, k->secret->sm2[o - k->own], o->sm2.bytes, note, signed_n, sig.bytes);

    if (rc)
        return rc;
    memcpy(sig.key_id, o->sm2.id, sizeof sig.key_id);
    if (wire_sig_append(&se, &sig, note, n, WIRE_HEAD_MAX))
        return err_set(e, RC_INTERNAL, "sign: %s", se.text);
    return RC_OK;
}

enum rc keys_sign(struct keys *k, struct err *e, const char *stream, char *note, size_t *n)
{
    const struct own *o = own_of(k, stream);
    size_t signed_n = *n;
    enum rc rc;

    if (!o)
        return err_set(e, RC_INTERNAL, "there is no key of the stream %s", stream);
    if ((rc = sign(e, k->secret->stream[o - k->own], note, n, WIRE_HEAD_MAX)) || !o->sm2.len)
        return rc;
    return add_sm2(k, e, o, signed_n, note, n);
}

bool keys_signed(struct keys *k, const char *stream, const struct wire_note *note,
                 const char *text)
{
    const struct own *o = own_of(k, stream);
    struct sync_err se;

    return o && !verify_note(&se, text, note, &o->public);
}

enum rc keys_sign_platform(struct keys *k, struct err *e, char *text, size_t *n, size_t room)
{
    return sign(e, k->secret->platform, text, n, room);
}

bool keys_signed_platform(const struct keys *k, const struct wire_note *note, const char *text)
{
    struct sync_err se;

    return !verify_note(&se, text, note, &k->platform);
}
