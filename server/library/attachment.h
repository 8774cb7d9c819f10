/*
 * attachment.h - who may see a file. A blob's name is no secret (it stands in records that
 * phones keep), so whether its bytes are given is decided by what they belong to.
 */
#ifndef LIBRARY_ATTACHMENT_H
#define LIBRARY_ATTACHMENT_H

#include "server/base/id.h"
#include "server/base/work.h"

/* RC_OK if a published item has the file in a revision that is or was published, else RC_NOT_FOUND. */
enum rc attachment_public(struct work *w, const uint8_t hash[HASH_BYTES]);
/* RC_OK if this revision has it, else RC_NOT_FOUND. */
enum rc attachment_of(struct work *w, const struct id *item, int64_t rev,
                      const uint8_t hash[HASH_BYTES]);

#endif
