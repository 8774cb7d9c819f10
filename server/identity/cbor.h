/*
 * cbor.h - a strict reader of CBOR as authenticators write it (CTAP2 canonical form).
 *
 * It allocates nothing: an item points into the bytes it was read from.
 */
#ifndef IDENTITY_CBOR_H
#define IDENTITY_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CBOR_MAX = 65536,
    CBOR_DEPTH = 4
}; /* bytes; containers in each other (CTAP2 section 6) */

enum cbor_type { CBOR_INT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_BOOL, CBOR_NULL };

struct cbor {
    enum cbor_type type;
    int64_t number; /* INT: the value. BOOL: 0 or 1. ARRAY, MAP: how many members */
    const uint8_t
        *bytes; /* BYTES, TEXT: the content. ARRAY, MAP: the members, one after another */
    size_t n;
};

/* The item that stands at p, with all in it; *used says how long it is. False: it is none, or is
 * cut, or not in canonical form. Behind it there may be more. */
bool cbor_read(const uint8_t *p, size_t n, struct cbor *out, size_t *used);

/* The member of a map with this key. False: there is none. */
bool cbor_at(const struct cbor *map, int64_t key, struct cbor *out);
bool cbor_at_name(const struct cbor *map, const char *key, struct cbor *out);

#endif
