/*
 * manifest.h - what a backup consists of, and the copying of files with their hashes.
 *
 *     tjzw backup 1
 *     time 1763712000
 *     schema 1
 *     file 40960 6a1f... tjzw.db
 *     file 32 0c55... keys/platform.key
 *     end 2
 *
 * Lines end in one \n. `file SIZE SHA256 PATH`: the path is relative, its parts are neither
 * empty nor "." nor "..", it holds no control character, and it goes on to the end of the line.
 * `end` counts the files.
 */
#ifndef STORE_MANIFEST_H
#define STORE_MANIFEST_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/id.h"

#define MANIFEST_NAME "MANIFEST"

struct manifest_file {
    struct manifest_file *next;
    const char *path; /* in the backup */
    int64_t size;
    uint8_t hash[HASH_BYTES];
};

struct manifest {
    struct arena *mem;
    int64_t time;
    int64_t schema;
    struct manifest_file *first, **last;
    int count;
};

void manifest_init(struct manifest *m, struct arena *mem);
struct manifest_file *manifest_add(struct manifest *m, const char *path);
bool manifest_path_ok(const char *path);
void manifest_print(const struct manifest *m, struct buf *out);
/* RC_NOT_FOUND if `dir` has none, RC_CORRUPT if it is not as described above. */
enum rc manifest_read(struct err *e, struct arena *mem, const char *dir, struct manifest *out);

/* Copies from/f->path to to/f->path with its mode, making directories; sets size and hash. The
 * target must not exist. */
enum rc manifest_copy(struct err *e, const char *from, const char *to, struct manifest_file *f);
/* The same by a hard link where the file system can: for files that never change. */
enum rc manifest_link(struct err *e, const char *from, const char *to, struct manifest_file *f);
/* Size and hash of dir/f->path, which stands there already. */
enum rc manifest_hash(struct err *e, const char *dir, struct manifest_file *f);
/* Everything on the file system of `dir` is on the disk, names too. */
enum rc manifest_sync(struct err *e, const char *dir);
/* Removes what we made and did not finish: the directory with all it holds. Absent is fine. */
enum rc manifest_remove(struct err *e, const char *dir);
/* RC_CORRUPT unless dir/f->path has the size and the hash. */
enum rc manifest_verify(struct err *e, const char *dir, const struct manifest_file *f);

#endif
