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

struct attachment_files {
    uint8_t (*hash)[HASH_BYTES]; /* in w->mem */
    int n;
};
/* The files of the item, in all its revisions, that no other item has: what goes with it when it is taken down. */
enum rc attachment_sole(struct work *w, const struct id *item, struct attachment_files *out);

#endif
