/*
 * preview.h - links that show one draft to whoever holds them, until they expire.
 */
#ifndef LIBRARY_PREVIEW_H
#define LIBRARY_PREVIEW_H

#include "server/base/id.h"
#include "server/base/secret.h"

enum { PREVIEW_TEXT = 96, PREVIEW_LIFETIME_MAX = 30 * 86400 };

struct preview_key {
    uint8_t b[SECRET_BYTES];
};

/* DIR/preview.key, made when it is not there. */
enum rc preview_key_load(struct err *e, const char *dir, struct preview_key *out);
/* RC_INVALID for a lifetime of less than a second or more than PREVIEW_LIFETIME_MAX. */
enum rc preview_make(struct err *e, const struct preview_key *key, const struct id *item,
                     int64_t rev, int64_t seconds, char out[PREVIEW_TEXT]);
/* RC_NOT_FOUND for what we did not sign, RC_GONE for what has expired. */
enum rc preview_check(struct err *e, const struct preview_key *key, const char *text,
                      struct id *item, int64_t *rev);

#endif
