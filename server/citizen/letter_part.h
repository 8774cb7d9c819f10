/*
 * letter_part.h - a file of a letter while it is coming in pieces: one an account and hash, sealed like the whole, gone on with where it stopped.
 */
#ifndef CITIZEN_LETTER_PART_H
#define CITIZEN_LETTER_PART_H

#include "server/base/id.h"
#include "server/citizen/sealed_file.h"

enum { LETTER_HEAD = 16 };

struct letter_piece {
    uint8_t hash[HASH_BYTES]; /* of the whole, as it is sent */
    int64_t size, offset;
    const void *p;
    size_t n;
    uint64_t client; /* who sends it: an address, as a number that says nothing by itself */
    /* found */
    int64_t have;           /* bytes that are there now */
    char head[LETTER_HEAD]; /* the first bytes of the whole, once it is there: */
    size_t head_n;
};

/* What becomes of the whole while nobody else may touch it; afterwards it is gone. */
struct letter_keeper {
    enum rc (*keep)(struct work *w, const struct sealed_file *whole, void *arg);
    void *arg;
};

/*
 * On a worker, for the account of w->who: takes the piece into the directory `dir`, and gives the file to its keeper once all of it is there and has its hash.
 * RC_CONFLICT: p->have is where to go on. RC_BUSY: another piece of it is being written, ask again. RC_INVALID: the bytes do not have the hash, or the piece ends behind them; what was there is gone. RC_TOO_LARGE; or what the keeper says.
 */
enum rc letter_part_add(struct work *w, const char *dir, struct letter_piece *p,
                        struct letter_keeper to);

#endif
