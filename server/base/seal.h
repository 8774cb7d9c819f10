/*
 * seal.h - a personal field at rest: sealed, and found again by a keyed hash.
 *
 *     value    suite 1 | key 2 | nonce | bytes | tag          numbers big-endian
 *     bound    suite 1 | key 2 | owner 8 | column             part of every tag, stored nowhere
 *
 *     suite 1  XChaCha20-Poly1305, nonce 24, tag 16; bound is the associated data
 *              its key: BLAKE2b-256 keyed with the file over "tjzw seal 1"
 *     suite 2  SM4-CTR, nonce 16 (the first counter block), and HMAC-SM3, tag 32, over
 *              length of bound 8 | bound | nonce | bytes
 *              their keys: HMAC-SM3 keyed with the file over "tjzw seal 2 cipher" (the first 16
 *              bytes) and over "tjzw seal 2 tag"
 *
 * `key` is N of the file DATA/keys/seal.N, 32 random bytes that serve either suite. The newest
 * seals, each opens what it sealed. Column and owner are bound to the value, so that none can be
 * moved to another row or place. Two of the same text look different; what must be found has a
 * second column with seal_index().
 *
 * Key 0 is a key of its own: 32 random bytes of one file, say, which serve either suite in the same way and are themselves kept as a sealed value. Who seals that
 * value anew has sealed the file anew, and who forgets it has destroyed the file.
 *
 * One set of keys a process, loaded before the threads start. Sealing and opening on any thread.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "server/base/id.h"
#include "server/base/secret.h"
#include "server/base/work.h"

enum seal_suite { SEAL_XCHACHA = 1, SEAL_SM4 = 2 };

enum {
    SEAL_MAX = 2097152, /* bytes of a value */
    SEAL_MORE = 51,     /* by so many at most the sealed one is longer */
    SEAL_KEYS_MAX = 64  /* more exchanges of the key than a century needs */
};

/* Where a value belongs. */
struct seal_place {
    const char *column; /* "account.phone"; at most 64 bytes */
    int64_t owner;      /* the account, or the number of the row */
};

/*
 * Reads all `dir`/seal.N and `dir`/index, or makes the first of each; whether one is missing that was
 * there before is keyfile.c's to say. RC_INVALID: there is no such suite; RC_CORRUPT: a file does not hold 32 bytes.
 */
enum rc seal_load(struct err *e, const char *dir, int64_t suite);
void seal_forget(void); /* wipes; nothing is fine */
/* Another key, which seals from now on. *no is its number. On the writer's thread. */
enum rc seal_rotate(struct err *e, int *no);
int seal_newest(void); /* the number of the key that seals */
/* Whether the key and the suite sealed it that would seal it now. */
bool seal_is_newest(const void *sealed, size_t n);

/* The sealed value in w->mem. RC_TOO_LARGE. */
enum rc seal_close(struct work *w, struct seal_place at, const void *p, size_t n, uint8_t **out,
                   size_t *out_n);
/*
 * What was sealed, NUL-terminated in w->mem, wiped when that goes. RC_CORRUPT, with a sentence that
 * does not hold the value, for anything but what was sealed for this very place.
 */
enum rc seal_open(struct work *w, struct seal_place at, const void *sealed, size_t n,
                  char **out, size_t *out_n);
/* The same with a key of its own. */
enum rc seal_close_own(struct work *w, const uint8_t own[static SECRET_BYTES],
                       struct seal_place at, const void *p, size_t n, uint8_t **out,
                       size_t *out_n);
enum rc seal_open_own(struct work *w, const uint8_t own[static SECRET_BYTES],
                      struct seal_place at, const void *sealed, size_t n, char **out,
                      size_t *out_n);
/*
 * BLAKE2b-256 keyed with DATA/keys/index over kind | 0 | value. `kind`: "phone"; `value` in the
 * one normal form of its kind, or it will not be found.
 */
void seal_index(const char *kind, const char *value, size_t n, uint8_t out[HASH_BYTES]);

#endif
