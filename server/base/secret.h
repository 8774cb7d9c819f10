/*
 * secret.h - bytes nobody may see: kept in files only we may read, compared in constant time,
 * wiped.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"

enum { SECRET_BYTES = 32 };

/* Reads `n` bytes from the file, or makes it (mode 0600, fsynced with its directory) from the
 * system's random source. */
enum rc secret_load_or_make(struct err *e, const char *path, uint8_t *out, size_t n);
/* BLAKE2b-256 keyed with `key` (NULL: unkeyed): tokens are stored as this, links are signed
 * with it. */
void secret_mac(const uint8_t *key, const void *p, size_t n, uint8_t out[32]);
bool secret_equal(const void *a, const void *b, size_t n);
void secret_random(void *out, size_t n);
void secret_wipe(void *p, size_t n);

#endif
