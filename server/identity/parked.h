/*
 * parked.h - a party's request that waits for a person: not a row, but a text that the pages carry along in their addresses.
 *
 *     base64url( tag 16 | seconds 8, big-endian | the request's parameters, as they came )
 *     tag = the first 16 bytes of BLAKE2b-256( key, seconds | parameters )
 *
 * Nothing is kept, so nobody can fill a table by asking, and what comes back is checked anew from its first rule on. The tag is there
 * because of the seconds: "he shall sign in now" is done when he did so after them.
 */
#ifndef IDENTITY_PARKED_H
#define IDENTITY_PARKED_H

#include "server/base/buf.h"

enum {
    PARKED_LIFE = 1800,  /* seconds: somebody may have to look for his phone */
    PARKED_QUERY = 2800, /* bytes of parameters, so that an address can carry it */
    PARKED_TEXT = (PARKED_QUERY + 24) * 4 / 3 + 2
};

void parked_set_key(const uint8_t key[32]); /* keys/token; copied */
/* Appends the text. RC_TOO_LARGE. */
enum rc parked_put(struct err *e, struct buf *out, int64_t now, const char *query, size_t n);
/* RC_INVALID: not ours, or too old. The parameters are in `mem`, NUL-terminated. */
enum rc parked_read(struct err *e, struct arena *mem, const char *text, int64_t now,
                    int64_t *since, const char **query);

#endif
