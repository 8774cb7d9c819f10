/*
 * audit.h - what was done, by whom, with what result: rows that nobody can edit unseen.
 *
 *     audit_add(w, ...)      in the writer job that does it: both are there, or neither
 *     refusal.c              what was refused did nothing, so its row is a job of its own
 *     audit_head.c           every hour and every thousand rows, a signature over all so far
 *     audit_verify.c         reads it all again
 *
 * A row as bytes; numbers are 8 bytes big-endian, and a text or blob stands behind its length (4
 * bytes), of which ffffffff says that there is none:
 *
 *     no | at | session | actor | action | object | result | address | details
 *
 *     chain(0)  = SHA-256( "tjzw audit 1" )
 *     chain(no) = SHA-256( chain before | the row's bytes )
 *
 * Rows are numbered from 1 without gaps. One gap may be: where the end was lost (a backup was restored), the row
 * audit.cut takes the number after the highest that was ever signed, and says in its details which are
 * lost; its chain goes on from the last row that is there.
 *
 * `audit_end` repeats the newest number and chain with a mac keyed with DATA/keys/audit, so that the
 * rows since the last signature cannot be cut off or written anew by who has the database alone:
 *
 *     mac = BLAKE2b-256( keys/audit, "tjzw audit end" | no 8 | chain )
 *
 * No personal data stands in a row but the address, which is sealed for it (seal.h: column
 * "audit.address", owner its number). Details are the work's facts as canonical JSON: numbers, and words of a narrow
 * alphabet, each under a name of the program's own, so that no text that somebody entered gets in.
 */
#ifndef IDENTITY_AUDIT_H
#define IDENTITY_AUDIT_H

#include "server/base/id.h"
#include "server/base/work.h"

enum audit_action {
    AUDIT_NOTHING, /* of a route that need not be written down */
#define AUDIT(name, word, chinese) AUDIT_##name,
#include "server/identity/audit.def"
#undef AUDIT
    AUDIT_ACTIONS
};

const char *audit_word(enum audit_action a);    /* "item.publish" */
const char *audit_chinese(const char *word);    /* "" for an unknown one */
enum audit_action audit_find(const char *word); /* AUDIT_NOTHING if there is none */

enum { AUDIT_OBJECT_MAX = 200, AUDIT_WORD_MAX = RIGHTS_TEXT };

/*
 * Writes the row: time, actor, address and facts (work.h) are those of the work. Inside a writer job. `object`: what
 * it was done to, "items/0190f3c2-…", "tokens/cms"; NULL: nothing in particular; what is not visible in it is written as "?". `result`: RC_OK, or
 * why it was refused.
 */
enum rc audit_add(struct work *w, enum audit_action action, const char *object, enum rc result);
/* The same under the number `no`, if that is not taken: for audit.cut. */
enum rc audit_add_at(struct work *w, enum audit_action action, int64_t no);

/* ---- for the other audit_*.c ---- */

struct audit_row {
    int64_t no, at, session;
    const char *actor, *action, *object, *result, *details; /* object, details: may be NULL */
    const uint8_t *address;                                 /* sealed; NULL: none */
    size_t address_n;
    uint8_t chain[HASH_BYTES];
};

struct rows;
void audit_first(uint8_t chain[HASH_BYTES]); /* chain(0) */
void audit_next(const uint8_t before[HASH_BYTES], const struct audit_row *r,
                uint8_t out[HASH_BYTES]);
/* Of a query's columns no, at, session, actor, action, object, result, address, details, chain; texts live until rows_next(). False: a chain
 * that is none. */
bool audit_read(const struct rows *q, struct audit_row *out);

struct audit_end {
    int64_t no;
    uint8_t chain[HASH_BYTES];
    bool holds; /* it is there, and its mac is right */
};
/* The newest row, as `audit_end` has it; if that is missing, as the table has it. */
enum rc audit_end_read(struct work *w, struct audit_end *out);
/* The secret of the macs; keyed by audit_head.c, which has the file. NULL forgets it. */
void audit_end_key(const uint8_t *key);

#endif
