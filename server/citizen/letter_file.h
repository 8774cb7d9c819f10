/*
 * letter_file.h - pictures and documents that belong to letters: private, known by the SHA-256 of what was sent, kept without what cameras write, sealed.
 *
 *     PUT in pieces --> letter_part.h --all there--> type by content, metadata out --> DATA/letters/blobs/ab/NAME, sealed with a key of its own
 *                                                \--> no picture or PDF, broken, too large: refused, and gone
 *
 * A file is one account's; a letter names it by the hash that its sender knows. What no letter names a day later goes. Who may read it: who sent
 * it, and whoever may handle the letter. Not the files of the library (server/store/blob.h), which editors read.
 *
 * Its key stands in its row, sealed like every personal field: sealed anew with them, and gone with the row.
 */
#ifndef CITIZEN_LETTER_FILE_H
#define CITIZEN_LETTER_FILE_H

#include "server/citizen/letter.h"
#include "server/citizen/letter_part.h"
#include "server/citizen/picture.h"
#include "server/citizen/scan.h"

enum {
    LETTER_FILE_MAX = 20 * 1024 * 1024, /* bytes of one */
    LETTER_FILES_DAY = 60,              /* that one account sends in 24 hours */
    LETTER_FILES_DAY_BYTES = 200 * 1024 * 1024,
    LETTER_FILES_DAY_GUEST = 18, /* of who has not signed in; letter_room.h has more */
    LETTER_FILES_DAY_GUEST_BYTES = 60 * 1024 * 1024,
    LETTER_FILE_ORPHAN = 86400 /* seconds, after which one that no letter names goes */
};

/* The directory of files, for the life of the process. */
enum rc letter_files_open(struct err *e, const char *data);

/* What came of a piece. */
struct letter_taken {
    int64_t have;        /* as in letter_piece */
    bool known;          /* it was there before: a day counts anew */
    enum file_kind kind; /* FILE_NONE: not complete yet */
    int64_t kept;        /* its name on the disk */
    uint8_t *key;        /* sealed */
    size_t key_n;
};

/*
 * On a worker: takes the piece for the account of w->who. RC_CONFLICT as letter_part_add(); RC_INVALID: the bytes are not what was said, or no file that
 * is taken; RC_TOO_LARGE; RC_TOO_MANY: enough for a day; RC_FULL: not of a guest now; RC_GONE: it is infected.
 */
enum rc letter_file_take(struct work *w, struct letter_piece *p, struct letter_taken *out);
/* On the writer, after it: remembers whose it is. */
enum rc letter_file_note(struct work *w, const struct letter_piece *p,
                         const struct letter_taken *t);

/* On the writer: the letter names these of its writer's files. RC_NOT_FOUND: one was not uploaded (whole). */
enum rc letter_file_bind(struct work *w, int64_t letter, int64_t account,
                         const uint8_t hash[HASH_BYTES]);

struct letter_file {
    int64_t kept;
    enum file_kind kind;
    int64_t size;
    enum scan_verdict scan; /* letter_scan.h */
    int tries;              /* that failed at it */
};
/* RC_NOT_FOUND. */
enum rc letter_file_find(struct work *w, int64_t account, const uint8_t hash[HASH_BYTES],
                         struct letter_file *out);
/* The file of this hash in hex, if the letter names it. RC_NOT_FOUND. */
enum rc letter_file_of(struct work *w, const struct letter *l, const char *hash,
                       struct letter_file *out);
/* Its bytes, in w->mem. Whether somebody may have them says letter_scan_may_read(). */
enum rc letter_file_read(struct work *w, const struct letter_file *f, char **out, size_t *n);
/* Piece after piece (sealed_file.h). */
enum rc letter_file_each(struct work *w, const struct letter_file *f, struct sealed_taker to);
/* Its bytes go. */
void letter_file_drop(int64_t kept);

struct db;
/* On the writer's thread, now and then: what no letter names goes, and files that no row names. */
void letter_file_tick(struct db *db, void *unused);

#endif
