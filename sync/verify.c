/*
 * verify.c - hashes, signatures on heads, and which head may follow which.
 *
 * Every hash has its own first byte or line (0x00 leaf, 0x01 node, 0x02 chain, texts by their
 * first line), so that nothing hashed for one purpose can be passed off as another. A head
 * takes the place of the one held only if it does not go back in anything; that is the whole
 * defence against a cache or a thief of old answers, and it is one pure function. Not here: the
 * tree (verify_tree.c), the chain of keys (verify_keys.c).
 */
#include "sync/verify.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>

/* ---- hashes ---- */

/* SHA-256( tag || a || b ) */
static void tagged(uint8_t tag, const void *a, size_t na, const void *b, size_t nb,
                   uint8_t out[WIRE_HASH])
{
    crypto_hash_sha256_state s;

    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, &tag, 1);
    crypto_hash_sha256_update(&s, a, na);
    crypto_hash_sha256_update(&s, b, nb);
    crypto_hash_sha256_final(&s, out);
}

/* Bodies are most of what is hashed: OpenSSL uses the processor's own instructions for them, libsodium does not.
 * For the short texts above its set-up would cost more than that saves. */
void verify_sha256(const void *in, size_t n, uint8_t out[WIRE_HASH])
{
    SHA256(in, n, out);
}

void verify_leaf(const uint8_t *frame, size_t n, const uint8_t digest[WIRE_HASH],
                 uint8_t out[WIRE_HASH])
{
    tagged(0x00, frame, n, digest, WIRE_HASH, out);
}

void verify_record(const uint8_t *frame, size_t n, const uint8_t *bytes, size_t length,
                   uint8_t out[WIRE_HASH])
{
    uint8_t digest[WIRE_HASH];

    verify_sha256(bytes, length, digest);
    verify_leaf(frame, n, digest, out);
}

void verify_node(const uint8_t left[WIRE_HASH], const uint8_t right[WIRE_HASH],
                 uint8_t out[WIRE_HASH])
{
    tagged(0x01, left, WIRE_HASH, right, WIRE_HASH, out);
}

void verify_chain_first(const char *stream, uint8_t out[WIRE_HASH])
{
    static const char tag[] = "tjzw chain 1\n";
    crypto_hash_sha256_state s;

    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, (const uint8_t *)tag, sizeof tag - 1);
    crypto_hash_sha256_update(&s, (const uint8_t *)stream, strlen(stream));
    crypto_hash_sha256_final(&s, out);
}

void verify_chain_next(const uint8_t before[WIRE_HASH], const uint8_t leaf[WIRE_HASH],
                       uint8_t out[WIRE_HASH])
{
    tagged(0x02, before, WIRE_HASH, leaf, WIRE_HASH, out);
}

/* ---- signatures ---- */

/* What we know about the public keys of an algorithm; of others, only that they fit. */
static bool key_fits(const char *algorithm, const uint8_t *bytes, size_t n)
{
    if (strcmp(algorithm, "ed25519") == 0)
        return n == VERIFY_ED25519;
    if (strcmp(algorithm, "sm2") == 0)
        return n == VERIFY_SM2 && bytes[0] == 0x04;
    return n > 0 && n <= VERIFY_PUBLIC_MAX;
}

bool verify_key_of(const char *algorithm, const uint8_t *bytes, size_t n,
                   struct verify_key *out)
{
    uint8_t named[WIRE_ALGORITHM_MAX + 1 + VERIFY_PUBLIC_MAX], hash[WIRE_HASH];
    size_t len = strlen(algorithm);

    if (len == 0 || len > WIRE_ALGORITHM_MAX || !key_fits(algorithm, bytes, n))
        return false;
    *out = (struct verify_key){ .len = n };
    memcpy(out->algorithm, algorithm, len + 1);
    memcpy(out->bytes, bytes, n);
    memcpy(named, algorithm, len);
    named[len] = '\n';
    memcpy(named + len + 1, bytes, n);
    verify_sha256(named, len + 1 + n, hash);
    memcpy(out->id, hash, WIRE_KEY_ID);
    return true;
}

void verify_key_ed25519(const uint8_t public_key[VERIFY_ED25519], struct verify_key *out)
{
    (void)verify_key_of("ed25519", public_key, VERIFY_ED25519, out);
}

enum sync_rc verify_sign(struct sync_err *e, const uint8_t secret[VERIFY_SECRET], char *text,
                         size_t *n, size_t room)
{
    const char *blank = memmem(text, *n, "\n\n", 2);
    struct wire_sig sig = { .algorithm = "ed25519", .len = crypto_sign_BYTES };
    struct verify_key key;

    verify_key_ed25519(secret + 32, &key); /* a secret key ends with its public key */
    memcpy(sig.key_id, key.id, WIRE_KEY_ID);
    crypto_sign_detached(sig.bytes, NULL, (const uint8_t *)text,
                         blank ? (size_t)(blank - text) + 1 : *n, secret);
    return wire_sig_append(e, &sig, text, n, room);
}

static bool names(const struct wire_sig *s, const struct verify_key *key)
{
    return strcmp(s->algorithm, key->algorithm) == 0 &&
           memcmp(s->key_id, key->id, WIRE_KEY_ID) == 0;
}

bool verify_note_names(const struct wire_note *note, const struct verify_key *key)
{
    for (size_t i = 0; i < note->nsigs; i++)
        if (names(&note->sigs[i], key))
            return true;
    return false;
}

enum sync_rc verify_note(struct sync_err *e, const char *text, const struct wire_note *note,
                         const struct verify_key *key)
{
    if (strcmp(key->algorithm, "ed25519") != 0)
        return sync_err_set(e, SYNC_UNTRUSTED, "signatures by %s are not checked here",
                            key->algorithm);
    for (size_t i = 0; i < note->nsigs; i++) {
        const struct wire_sig *s = &note->sigs[i];

        if (!names(s, key) || s->len != crypto_sign_BYTES)
            continue;
        if (crypto_sign_verify_detached(s->bytes, (const uint8_t *)text, note->signed_len,
                                        key->bytes) == 0)
            return SYNC_OK;
    }
    return sync_err_set(e, SYNC_UNTRUSTED, "no valid signature by the current key");
}

/* ---- heads ---- */

static enum sync_rc back(struct sync_err *e, const char *text, const char *what, uint64_t held,
                         uint64_t next)
{
    return sync_err_set(e, SYNC_ROLLBACK, "%s: %s goes back from %" PRIu64 " to %" PRIu64, text,
                        what, held, next);
}

static bool same_state(const struct wire_head *a, const struct wire_head *b)
{
    return a->size == b->size && memcmp(a->root, b->root, WIRE_HASH) == 0 &&
           memcmp(a->chain, b->chain, WIRE_HASH) == 0;
}

enum sync_rc verify_head(struct sync_err *e, const struct wire_head *held,
                         const struct wire_head *next, enum verify_step *step)
{
    if (!held) {
        *step = VERIFY_AHEAD;
        return SYNC_OK;
    }
    if (strcmp(held->stream, next->stream) != 0)
        return sync_err_set(e, SYNC_ROLLBACK, "head: of stream %s, not %s", next->stream,
                            held->stream);
    if (next->epoch < held->epoch)
        return back(e, "head", "epoch", held->epoch, next->epoch);
    if (next->time < held->time)
        return back(e, "head", "time", held->time, next->time);
    if (next->epoch > held->epoch) {
        *step = VERIFY_EPOCH;
        return SYNC_OK;
    }
    if (next->seq < held->seq)
        return back(e, "head", "seq", held->seq, next->seq);
    if (next->cut < held->cut)
        return back(e, "head", "cut", held->cut, next->cut);
    if (next->size < held->size)
        return back(e, "head", "size", held->size, next->size);
    if (next->seq == held->seq && !same_state(held, next))
        return sync_err_set(e, SYNC_ROLLBACK,
                            "head: two different states are signed for seq %" PRIu64,
                            next->seq);
    *step = next->seq == held->seq ? VERIFY_SAME : VERIFY_AHEAD;
    return SYNC_OK;
}

enum sync_rc verify_heads(struct sync_err *e, const struct wire_heads *held,
                          const struct wire_heads *next)
{
    if (held && next->counter < held->counter)
        return back(e, "heads", "counter", held->counter, next->counter);
    if (held && next->time < held->time)
        return back(e, "heads", "time", held->time, next->time);
    return SYNC_OK;
}

uint64_t verify_fresh_for(const struct wire_head *head, uint64_t now)
{
    uint64_t age = now > head->time ? now - head->time : 0;

    return age < head->lease ? head->lease - age : 0;
}
