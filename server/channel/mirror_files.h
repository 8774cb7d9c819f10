/*
 * mirror_files.h - pictures and attachments that records of a mirrored stream name (docs/mirror.md).
 *
 * What is missing stands in the table mirror_file: written with the item, taken away when the file is here. One thread, the
 * mirror's, fetches; what was fetched before a cut or a kill is not fetched again.
 */
#ifndef CHANNEL_MIRROR_FILES_H
#define CHANNEL_MIRROR_FILES_H

#include "server/base/work.h"
#include "server/library/content.h"
#include "server/store/db.h"
#include "sync/follow.h"

struct mirror_files {
    int64_t stream;
    const char *data;   /* the data directory */
    struct db *reader;  /* of the calling thread */
    int64_t most_bytes; /* a longer file is not taken */
    const struct follow_transport *transport;
};
/*
 * Fetches one file that is due, or a part of it: it takes some 2 s at most (20 where the server falls silent), so that
 * heads do not wait. *none: nothing is due. What fails is tried again later, and logged; only SYNC_CANCELLED and SYNC_STORE are returned.
 */
enum sync_rc mirror_files_step(struct sync_err *e, const struct mirror_files *m, bool *none);

/* Inside a transaction: the files of the item's content are wanted. */
enum rc mirror_files_want(struct work *w, int64_t stream, const struct id *item);
/* Inside a transaction, before the rows of items `first` to `last` go: so do their files, unless others have them. */
enum rc mirror_files_forget(struct work *w, int64_t stream, int64_t first, int64_t last);

/* RC_BUSY if the file is to be fetched yet, else RC_NOT_FOUND. */
enum rc mirror_files_missing(struct work *w, const uint8_t hash[HASH_BYTES]);

#endif
