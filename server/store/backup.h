/*
 * backup.h - a whole data directory put away, and put back.
 *
 * A backup is a directory that holds the database as of one moment, the keys, the blobs and
 * whatever else the data directory holds, but for what is made anew (objects), what is on its way
 * from other servers (mirror) and what belongs to the running server. Its MANIFEST is written last: a directory without one is no backup.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stdint.h>

#include "server/base/err.h"

#define TAKEDOWNS_NAME "takedowns" /* server/library/journal.h */

#define ERASED_NAME "erased" /* server/identity/erased.h */

#define ALERTS_NAME "alerts" /* server/health/alert.h */

#define LAST_BACKUP_NAME \
    "last-backup" /* when the last backup was made, as clock_text() writes it */

#define RESTORE_STAGE \
    "restore.part" /* stands in a data directory while a restore is under way */

#define AUDIT_HEADS_NAME "audit-heads" /* server/identity/audit_head.h */
#define AUDIT_MARK_NAME  "audit-mark"  /* server/identity/audit_mark.h */

/*
 * Makes a backup of the data directory, which may be in use, in `to`: a directory that does not
 * exist or is empty, outside `data`. What was written is read back and checked. On failure
 * `to` is removed with what was written. `progress` may be NULL; it counts
 * pages of the database. RC_NOT_FOUND, RC_CONFLICT (`to` is not empty), RC_INVALID, RC_FULL,
 * RC_IO, RC_CORRUPT (the database is damaged: keep the last backup).
 */
enum rc backup_make(struct err *e, const char *data, const char *to,
                    void (*progress)(void *, int done, int all), void *arg);

/* When the last backup of the directory was made. RC_NOT_FOUND: none ever was, or RC_INVALID. */
enum rc backup_last(struct err *e, const char *data, int64_t *out);

/* Every file is there with its size and SHA-256, and the database is sound. RC_NOT_FOUND if
 * `from` is no backup, RC_CORRUPT. */
enum rc backup_check(struct err *e, const char *from);

struct work;

struct backup_past {
    const char *takedowns, *erased; /* NULL: none */
};

/*
 * Makes a data directory of a backup, after checking it. `data` must be empty but for what
 * tells of its past: DATA/epoch, DATA/takedowns, DATA/erased, and the lock that the caller holds. RC_CONFLICT
 * if it is not, or if the backup is of a newer schema.
 *
 * What was taken down after the backup was made stands in DATA/takedowns and is taken down again
 * at the next start (server/library/replay.c); whose data were erased since stands in DATA/erased, and they are
 * erased again (server/identity/erase.c). `past` names such files from elsewhere, for a directory that has none.
 *
 * `tell` (NULL: nobody) is called in the transaction that begins the new epochs; `dir` holds the files, keys too,
 * until they move to their places.
 *
 * Every stream whose key this server has begins a new epoch, so that what phones learnt after
 * the backup cannot be mistaken for what comes now: later than any epoch in the database and in
 * DATA/epoch, and not before the present. The database appears last: without it the directory
 * is not restored.
 */
enum rc backup_restore(struct err *e, const char *from, const char *data,
                       const struct backup_past *past,
                       enum rc (*tell)(struct work *w, const char *dir));

#endif
