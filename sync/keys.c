/*
 * keys.c - two keys, so that the one in daily use can be exchanged.
 *
 *     platform key --signs--> stream keys --sign--> heads
 *                  \--signs--> list of heads
 *
 * Phones trust the platform key. The chain is append-only: whatever the key files say, a line
 * that was served once stays. The files are written before the chain names them, so a crash in
 * between only leaves a key that the next start appends.
 */
#include "sync/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/secret.h"
#include "sync/founding.h"
#include "sync/verify.h"

/* In memory that is locked, guarded and wiped. */
struct secrets {
    uint8_t platform[VERIFY_SECRET];
    uint8_t stream[WIRE_STREAMS_MAX][VERIFY_SECRET];
};

struct own {
    char name[WIRE_STREAM_MAX + 1];
    struct verify_key public;
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

static enum rc load_pair(struct keys *k, struct err *e, struct arena *mem, const char *name,
                         uint8_t secret[VERIFY_SECRET], struct verify_key *public)
{
    uint8_t seed[crypto_sign_SEEDBYTES], pk[VERIFY_ED25519];
    enum rc rc = secret_load_or_make(e, arena_printf(mem, "%s/keys/%s.key", k->data, name),
                                     seed, sizeof seed);

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

/* ---- the chain ---- */

static enum rc append(struct keys *k, struct err *e, const char *role,
                      const struct verify_key *key)
{
    struct sync_err se;
    enum rc rc = founding_clock(e);

    if (rc)
        return rc;
    if (verify_keys_append(&se, k->chain, &k->chain_n, sizeof k->chain, role, key,
                           (uint64_t)clock_now(), k->secret->platform))
        return err_set(e, RC_INTERNAL, "key chain: %s", se.text);
    return RC_OK;
}

static const char *chain_path(const struct keys *k, struct arena *mem)
{
    return arena_printf(mem, "%s/keys/chain", k->data);
}

static enum rc store_chain(struct keys *k, struct err *e, struct arena *mem)
{
    return fs_write(e, chain_path(k, mem), k->chain, k->chain_n, 0644);
}

static enum rc read_chain(struct keys *k, struct err *e, struct arena *mem)
{
    const char *path = chain_path(k, mem);
    struct verify_key platform;
    struct sync_err se;
    char *text;
    size_t n;
    enum rc rc;

    if (!fs_exists(path)) {
        memcpy(k->first, k->platform.bytes, sizeof k->first);
        if ((rc = append(k, e, "platform", &k->platform)))
            return rc;
        return store_chain(k, e, mem);
    }
    if ((rc = fs_read(e, mem, path, sizeof k->chain, &text, &n)))
        return rc;
    if (verify_keys_first(&se, text, n, k->first) ||
        verify_keys_current(&se, text, n, k->first, "platform", &platform))
        return err_set(e, RC_CORRUPT, "%s: %s", path, se.text);
    if (!same_key(&platform, &k->platform))
        return err_set(e, RC_CORRUPT,
                       "platform.key is not the platform key that %s names; put the right one "
                       "back from the backup",
                       path);
    memcpy(k->chain, text, n);
    k->chain_n = n;
    return RC_OK;
}

/* Whether the chain names the key as the role's current one. */
static bool is_current(struct keys *k, const char *role, const struct verify_key *key)
{
    struct verify_key now;
    struct sync_err se;

    return !verify_keys_current(&se, k->chain, k->chain_n, k->first, role, &now) &&
           same_key(&now, key);
}

/* ---- life ---- */

static struct keys *keys_new(const char *data)
{
    struct keys *k = calloc(1, sizeof *k);

    if (!k || !(k->data = strdup(data)))
        abort();
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
        (rc = load_pair(k, e, mem, "platform", k->secret->platform, &k->platform)) ||
        (rc = read_chain(k, e, mem)))
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

static enum rc own(struct keys *k, struct err *e, struct arena *mem, const char *stream)
{
    struct own *o = &k->own[k->own_n];
    char role[VERIFY_ROLE_MAX + 1];
    enum rc rc;

    if (k->own_n == WIRE_STREAMS_MAX)
        return err_set(e, RC_INVALID, "a server has at most %d streams", WIRE_STREAMS_MAX);
    snprintf(o->name, sizeof o->name, "%s", stream);
    if ((rc = load_pair(k, e, mem, arena_printf(mem, "stream-%s", stream),
                        k->secret->stream[k->own_n], &o->public)))
        return rc;
    k->own_n++;
    role_of(stream, role);
    if (is_current(k, role, &o->public))
        return RC_OK;
    if ((rc = append(k, e, role, &o->public)) || (rc = store_chain(k, e, mem)))
        return rc;
    keys_show(k);
    return RC_OK;
}

enum rc keys_own(struct keys *k, struct err *e, const char *stream)
{
    struct arena *mem = arena_new();
    enum rc rc = own_of(k, stream) ? RC_OK : own(k, e, mem, stream);

    arena_free(mem);
    return rc;
}

/* ---- what others see ---- */

void keys_show(struct keys *k)
{
    pthread_mutex_lock(&k->lock);
    memcpy(k->shown, k->chain, k->chain_n);
    k->shown_n = k->chain_n;
    pthread_mutex_unlock(&k->lock);
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

char *keys_trust(const struct keys *k, char out[HASH_TEXT])
{
    return hex_text(k->first, sizeof k->first, out);
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

enum rc keys_sign(struct keys *k, struct err *e, const char *stream, char *note, size_t *n)
{
    const struct own *o = own_of(k, stream);

    if (!o)
        return err_set(e, RC_INTERNAL, "there is no key of the stream %s", stream);
    return sign(e, k->secret->stream[o - k->own], note, n, WIRE_HEAD_MAX);
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
