/*
 * opaque.h - a text that opens something and says nothing by itself: a code, a link, a key. It is shown once and kept as its hash.
 *
 *     text   prefix base64url( 32 random bytes )      kept: BLAKE2b-256 of the whole text
 *
 * The text is random, so an unkeyed hash is enough: nobody can guess what hashes to what he found in a stolen database. The prefix lets scanners of
 * source code recognise one that leaked, and people see of which kind it is.
 */
#ifndef IDENTITY_OPAQUE_H
#define IDENTITY_OPAQUE_H

#include <stddef.h>

#include "server/base/id.h"

/* `room`: 44 bytes more than the prefix has. */
void opaque_make(const char *prefix, char *out, size_t room);
void opaque_hash(const char *text, uint8_t out[HASH_BYTES]);

#endif
