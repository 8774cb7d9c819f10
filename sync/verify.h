/*
 * verify.h - hashes, the tree over them, signatures and the chain of keys: what makes a reader
 * believe (docs/protocol/sync.md).
 *
 * Needs libsodium; the caller has called sodium_init() once. Nothing allocates. Hashes are 32
 * raw bytes.
 */
#ifndef SYNC_VERIFY_H
#define SYNC_VERIFY_H

#include "sync/wire.h"

/* ---- hashes ---- */

void verify_sha256(const void *in, size_t n, uint8_t out[WIRE_HASH]);
/* The leaf of a record whose bytes have the SHA-256 `digest`; `frame` are its 56 + T bytes. */
void verify_leaf(const uint8_t *frame, size_t n, const uint8_t digest[WIRE_HASH],
                 uint8_t out[WIRE_HASH]);
/* The same from the record itself. */
void verify_record(const uint8_t *frame, size_t n, const uint8_t *bytes, size_t length,
                   uint8_t out[WIRE_HASH]);
void verify_node(const uint8_t left[WIRE_HASH], const uint8_t right[WIRE_HASH],
                 uint8_t out[WIRE_HASH]);
/* chain(0) of a stream, and chain(n) from chain(n-1); `out` may be `before`. */
void verify_chain_first(const char *stream, uint8_t out[WIRE_HASH]);
void verify_chain_next(const uint8_t before[WIRE_HASH], const uint8_t leaf[WIRE_HASH],
                       uint8_t out[WIRE_HASH]);

/* ---- the tree (section 4) ---- */

enum { MERKLE_TILE = 64, MERKLE_LEVELS = 11 };

/*
 * Where the tiles live. tile(level, index) holds nodes 64*index ... of height 6*level; `count`
 * (1 to 64) is how many of them exist at the tree's size, so the last tile of a level is short.
 * `nodes` are count * 32 bytes. read finds exactly what was written last.
 */
struct merkle_tiles {
    void *ctx;
    enum sync_rc (*read)(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                         unsigned count, uint8_t *nodes);
    enum sync_rc (*write)(void *ctx, struct sync_err *e, unsigned level, uint64_t index,
                          unsigned count, const uint8_t *nodes);
};

struct merkle_change {
    uint64_t born;
    uint8_t leaf[WIRE_HASH];
};

/*
 * Replaces and appends leaves, touching only the tiles on their paths. `changes` ascend
 * strictly by born, lie below new_size and leave no hole: old_size ... new_size - 1 are all
 * among them, else SYNC_INVALID.
 */
enum sync_rc merkle_update(struct sync_err *e, const struct merkle_tiles *tiles,
                           uint64_t old_size, const struct merkle_change *changes, size_t n,
                           uint64_t new_size);
/* The root of a tree of `size` leaves, from at most 6 * MERKLE_LEVELS tiles. */
enum sync_rc merkle_root(struct sync_err *e, const struct merkle_tiles *tiles, uint64_t size,
                         uint8_t out[WIRE_HASH]);

/* How many nodes tile(level, index) holds in a tree of `size` leaves. */
unsigned merkle_tile_count(uint64_t size, unsigned level, uint64_t index);
/* merkle_node from the tile of a given level: 6 * level <= height <= 6 * level + 6. */
enum sync_rc merkle_piece(struct sync_err *e, const struct merkle_tiles *tiles, uint64_t size,
                          unsigned level, unsigned height, uint64_t index,
                          uint8_t out[WIRE_HASH]);

/* merkle_update leaf by leaf, for a caller that does not hold all changes in memory. About 23
 * KB; all members are private. */
struct merkle_writer {
    const struct merkle_tiles *tiles;
    uint64_t old_size, new_size;
    uint64_t next;     /* the lowest born that may follow */
    uint64_t appended; /* leaves below it exist */
    struct {
        bool open;
        uint64_t index;
        uint8_t nodes[MERKLE_TILE * WIRE_HASH];
    } level[MERKLE_LEVELS];
};

void merkle_begin(struct merkle_writer *w, const struct merkle_tiles *tiles, uint64_t old_size,
                  uint64_t new_size);
enum sync_rc merkle_put(struct sync_err *e, struct merkle_writer *w, uint64_t born,
                        const uint8_t leaf[WIRE_HASH]);
enum sync_rc merkle_end(struct sync_err *e, struct merkle_writer *w);

/* The root of leaves that come one after the other, in O(log n) memory and without tiles. Start
 * from zeros. */
struct merkle_stack {
    uint64_t size;
    uint8_t peaks[64][WIRE_HASH]; /* peaks[h]: a complete subtree of height h, if bit h of size
                                     is set */
};

void merkle_stack_add(struct merkle_stack *s, const uint8_t leaf[WIRE_HASH]);
/* The root of a complete subtree of 2^height leaves at once; s->size is a multiple of that. */
void merkle_stack_node(struct merkle_stack *s, unsigned height, const uint8_t hash[WIRE_HASH]);
void merkle_stack_root(const struct merkle_stack *s, uint8_t out[WIRE_HASH]);

/* ---- parts of the tree: horizon, cover, tile (sections 7 and 11) ---- */

/* What a reader with a horizon knows of what lies below it. */
enum { BELOW_MAX = 4096 /* roots: 4,000 of 65,536 leaves and 63 of 1,024 */ };
struct merkle_below {
    uint64_t horizon; /* 0: everything is held, and there are no roots */
    size_t n;         /* horizon / 65,536 roots of height 16, then up to 63 of height 10 */
    uint8_t (*roots)[WIRE_HASH]; /* room for BELOW_MAX; the caller's */
};
enum { BELOW_TEXT_MAX = 8 + BELOW_MAX * WIRE_HASH };

/* How many roots a horizon has. */
size_t merkle_below_count(uint64_t horizon);
/* As bytes for a store: horizon (8 bytes, big-endian) and the roots; and back. */
size_t merkle_below_print(const struct merkle_below *b, uint8_t *out);
enum sync_rc merkle_below_parse(struct sync_err *e, const uint8_t *in, size_t n,
                                struct merkle_below *out);
/* The first and last leaf under roots[i], and its height. */
void merkle_below_extent(const struct merkle_below *b, size_t i, uint64_t *first,
                         uint64_t *last, unsigned *height);
/* Which root covers a leaf below the horizon. */
size_t merkle_below_of(const struct merkle_below *b, uint64_t born);
/* Fills it from a verified cover. SYNC_INVALID unless wire_horizon_ok. */
enum sync_rc merkle_below_from_cover(struct sync_err *e, const struct wire_cover *c,
                                     uint64_t horizon, struct merkle_below *out);
/* Moves the horizon up: the new roots come from the old ones and from `tiles`, which hold every
 * leaf at or above the old horizon. */
enum sync_rc merkle_below_raise(struct sync_err *e, const struct merkle_tiles *tiles,
                                uint64_t horizon, struct merkle_below *b);

/* node(height, index) of a complete subtree that is wholly held, from one tile; SYNC_USAGE if it
 * is not complete. */
enum sync_rc merkle_node(struct sync_err *e, const struct merkle_tiles *tiles, uint64_t size,
                         unsigned height, uint64_t index, uint8_t out[WIRE_HASH]);
/*
 * merkle_root of a tree whose leaves below the horizon are known by their roots only, from at
 * most two tiles a bit of the size. Tiles of which a part lies below the horizon hold anything
 * there. merkle_update and the writer work on such a tree with old_size at least the horizon
 * (for the first leaves of all: old_size the horizon itself); tiles.read may be asked for tiles
 * that were never written if they reach below the horizon, and then gives zeros. While a
 * widening is written that is the old horizon still: the new one holds when merkle_end is done.
 */
enum sync_rc merkle_root_above(struct sync_err *e, const struct merkle_tiles *tiles,
                               uint64_t size, const struct merkle_below *below,
                               uint8_t out[WIRE_HASH]);

/* The root over a cover's pieces. */
void verify_cover_root(const struct wire_cover *c, uint8_t out[WIRE_HASH]);
/* SYNC_MISMATCH unless the cover is of this size and root. */
enum sync_rc verify_cover(struct sync_err *e, const struct wire_cover *c,
                          const struct wire_head *head);
/* SYNC_MISMATCH unless the children make up `hash`; SYNC_INVALID for a wrong length or
 * a seq that none can have. */
enum sync_rc verify_tile(struct sync_err *e, unsigned height, const uint8_t *in, size_t n,
                         const uint8_t hash[WIRE_HASH]);

/* ---- keys and signatures (section 5) ---- */

enum { VERIFY_PUBLIC_MAX = 96, VERIFY_ROLE_MAX = 7 + WIRE_STREAM_MAX, VERIFY_KEYS_MAX = 65536 };
enum {
    VERIFY_ED25519 = 32,
    VERIFY_SM2 = 65,   /* 04, x and y */
    VERIFY_SECRET = 64 /* libsodium's form: seed and public key */
};

struct verify_key {
    char algorithm[WIRE_ALGORITHM_MAX + 1];
    uint8_t bytes[VERIFY_PUBLIC_MAX];
    size_t len;
    uint8_t id[WIRE_KEY_ID];
};

/* False, and `out` untouched, for a name or length that no key of this algorithm has. */
bool verify_key_of(const char *algorithm, const uint8_t *bytes, size_t n,
                   struct verify_key *out);
void verify_key_ed25519(const uint8_t public_key[VERIFY_ED25519], struct verify_key *out);

/* Signs the text with the secret key of an Ed25519 pair and appends the `sig` line; *n bytes in
 * `room` bytes of `text`. */
enum sync_rc verify_sign(struct sync_err *e, const uint8_t secret[VERIFY_SECRET], char *text,
                         size_t *n, size_t room);
/* SYNC_OK if one signature of the note is by `key` and holds; other keys and unknown algorithms
 * are passed over. Only Ed25519 is checked here: SYNC_UNTRUSTED for a key of another algorithm. */
enum sync_rc verify_note(struct sync_err *e, const char *text, const struct wire_note *note,
                         const struct verify_key *key);
bool verify_note_names(const struct wire_note *note, const struct verify_key *key);

/* Appends a line to a chain of *n bytes in `room` bytes of `text`, the first with its header.
 * `role`: "platform" (Ed25519 only) or "stream:NAME". */
enum sync_rc verify_keys_append(struct sync_err *e, char *text, size_t *n, size_t room,
                                const char *role, const struct verify_key *key, uint64_t time,
                                const uint8_t signer[VERIFY_SECRET]);
/*
 * May this chain take the place of `held` (held_n 0: none)? Every line must hold; the lines
 * held must be its beginning, or `trust` in it and able to vouch for it. A chain that is only
 * the beginning of the one held is SYNC_ROLLBACK.
 */
enum sync_rc verify_keys_accept(struct sync_err *e, const char *text, size_t n,
                                const char *held, size_t held_n,
                                const uint8_t trust[VERIFY_ED25519]);
/*
 * The current Ed25519 key of a role. `trust` must vouch for its line: by standing first, above it, or
 * above a later line, whose signature then covers it. SYNC_UNTRUSTED otherwise.
 */
enum sync_rc verify_keys_current(struct sync_err *e, const char *text, size_t n,
                                 const uint8_t trust[VERIFY_ED25519], const char *role,
                                 struct verify_key *out);
/* The same for another algorithm; SYNC_UNTRUSTED if the role has none. */
enum sync_rc verify_keys_current_of(struct sync_err *e, const char *text, size_t n,
                                    const uint8_t trust[VERIFY_ED25519], const char *role,
                                    const char *algorithm, struct verify_key *out);
/* The first platform key of a chain that holds: what a reader without a built-in key trusts on
 * first use. */
enum sync_rc verify_keys_first(struct sync_err *e, const char *text, size_t n,
                               uint8_t out[VERIFY_ED25519]);

/* ---- heads ---- */

enum verify_step {
    VERIFY_SAME,  /* the same state, perhaps signed anew */
    VERIFY_AHEAD, /* newer, same epoch */
    VERIFY_EPOCH, /* a later epoch: the ancestry decides how to go on */
};

/* May a head whose signature holds take the place of `held` (NULL: none)? SYNC_ROLLBACK says
 * why not. */
enum sync_rc verify_head(struct sync_err *e, const struct wire_head *held,
                         const struct wire_head *next, enum verify_step *step);
/* May a list whose signature holds take the place of `held` (NULL: none)? SYNC_ROLLBACK if its
 * counter or time is lower. */
enum sync_rc verify_heads(struct sync_err *e, const struct wire_heads *held,
                          const struct wire_heads *next);
/* Seconds for which the head may still be called fresh, at a clock that is the later of `now`
 * and its own time; 0: no longer. */
uint64_t verify_fresh_for(const struct wire_head *head, uint64_t now);

#endif
