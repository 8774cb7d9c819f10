/*
 * audit_head.h - the log's chain, signed: in the table `audit_head`, and in the file DATA/audit-heads.
 *
 *     tjzw audit 1
 *     kind head                    or "boundary": all rows up to `no` were kept their time and are gone
 *     no 12000                     the row
 *     at 1795000000                its time; of a boundary, the latest time of a row that is gone
 *     time 1795000007              when this was signed
 *     chain 64 hex digits          of the row
 *     with sm2                     where it is signed with SM2 too, so that this signature is not taken off unseen
 *
 *     sig ed25519 ...              as heads of streams are signed: docs/protocol/sync.md section 5
 *     sig sm2 ...                  where the setting sign_sm2 is on
 *
 * Signed by DATA/keys/audit (and audit.sm2), seeds of 32 bytes. In the file one stands behind the other, with
 * a blank line after each. The file is only appended to; no backup holds it and no restore replaces it, so it tells
 * when rows that were signed are gone. Keep a copy of it on another machine.
 */
#ifndef IDENTITY_AUDIT_HEAD_H
#define IDENTITY_AUDIT_HEAD_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "sync/verify.h"

enum { AUDIT_HEAD_ROWS = 1000, AUDIT_HEAD_MAX = 1024, AUDIT_HEADS_MAX = 1 << 28 };

enum audit_head_kind { AUDIT_HEAD, AUDIT_BOUNDARY };

struct audit_head {
    enum audit_head_kind kind;
    int64_t no, at, time;
    uint8_t chain[HASH_BYTES];
    bool sm2;      /* it is signed with SM2 as well */
    bool with_sm2; /* … and says that it is, or was */
};

/* ---- as text ---- */

/* Reads the one at the beginning of `text`; *len is its length without the blank line behind it. False: it is none. */
bool audit_head_parse(const char *text, size_t n, struct audit_head *out,
                      struct wire_note *note, size_t *len);

/* One after the other, as they stand in the file. */
enum audit_heads_step {
    AUDIT_HEADS_END,
    AUDIT_HEADS_ONE,     /* *out, *note and *text are the next */
    AUDIT_HEADS_DAMAGED, /* something that is none, up to the next one or the end */
};
enum audit_heads_step audit_heads_next(const char *file, size_t n, size_t *at,
                                       struct audit_head *out, struct wire_note *note,
                                       const char **text);

struct audit_keys {
    struct verify_key ed25519, sm2; /* sm2.len 0: there is none */
};
/* Every signature is by one of these keys and holds, and one is Ed25519's. */
bool audit_head_holds(const struct audit_keys *keys, const char *text,
                      const struct wire_note *note);

/* ---- of this server ---- */

/* Reads keys/audit, and with `sm2` keys/audit.sm2, or makes them. */
enum rc audit_head_load(struct err *e, const char *data, bool sm2);
void audit_head_forget(void);
const struct audit_keys *audit_head_keys(void);
const char *audit_head_data(void); /* the directory that the keys are of */
/* Without making any: for who only reads. */
enum rc audit_head_load_public(struct err *e, const char *data);

/* Signs the newest row, unless it is signed: into the table, and after COMMIT to the file. Inside a writer job. */
enum rc audit_head_sign(struct work *w);
/* The same for a boundary, in the place of the one before. */
enum rc audit_head_bound(struct work *w, const struct audit_head *boundary);
/*
 * The file and the table agree again after a crash or a restore: a torn end goes, what one of them lacks is
 * appended. If the log ends before a head of the file, or went on otherwise, the row audit.cut says so. At the start.
 */
enum rc audit_head_settle(struct work *w);

#endif
