/*
 * audience.h - whom a campaign reaches: an expression over what is known of devices (trait.h).
 *
 *     {"all":true}
 *     {"and":[{"or":[{"column":"main/12"},{"tag":"养老"}]},{"area":"120101"},{"not":{"tag":"学生"}}]}
 *     {"accounts":[7,19]}         alone
 *
 * Terms: all, column, org, area, tag, follows of the same words, transport. Operators: and, or, not. At most AUDIENCE_TERMS terms, AUDIENCE_DEEP levels, AUDIENCE_ACCOUNTS accounts.
 *
 * What a device refuses is no term: audience_refusals() takes those away that want nothing of this class or column.
 */
#ifndef PUSH_AUDIENCE_H
#define PUSH_AUDIENCE_H

#include "push/bits.h"
#include "push/transport.h"
#include "server/base/jx.h"
#include "server/base/work.h"

enum {
    AUDIENCE_TERMS = 64,
    AUDIENCE_DEEP = 8,
    AUDIENCE_ACCOUNTS = 10000,
    AUDIENCE_TEXT_MAX = 100000
};

struct audience;

/* In w->mem. RC_INVALID says where and what. */
enum rc audience_parse(struct work *w, const json_t *value, struct audience **out);
/* Canonical JSON: what is hashed and kept. */
void audience_print(const struct audience *a, struct buf *out);
/* Takes devices away that refuse the class ("marketing") or the column ("main/12"; NULL: it has none). Once. */
void audience_refusals(struct work *w, struct audience *a, const char *class,
                       const char *column);

/* Finds out which traits there are, and how many blocks; all that follows is of this moment, if the caller's transaction is. */
enum rc audience_open(struct work *w, struct audience *a);
int64_t audience_blocks(const struct audience *a);
/* Those of one block. */
enum rc audience_block(struct work *w, const struct audience *a, int64_t block,
                       struct bits *out);
/* How many of all, and of those that each transport reaches. */
struct audience_counts {
    int64_t all, by[TRANSPORT_COUNT];
};
enum rc audience_count(struct work *w, const struct audience *a, struct audience_counts *out);

#endif
