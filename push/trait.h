/*
 * trait.h - what is known of a device that an audience may ask: words, and their numbers.
 *
 *     all                                      every device that has an address
 *     transport/huawei                         by whom it is reached
 *     column/main/12  org/C  tag/养老          what its owner follows
 *     area/120101                              the areas he follows or lives in, and every area around them
 *     quiet/22:00-07:00                             when he wants to hear nothing
 *     out/column/main/12  out/class/marketing  what he refuses
 *
 * They follow from the entries `follow`, `set` and `consent` of the citizen's own state (docs/protocol/state.md section 4) and from nothing else.
 */
#ifndef PUSH_TRAIT_H
#define PUSH_TRAIT_H

#include "push/transport.h"
#include "server/base/work.h"

enum { TRAIT_WORD = 160 /* bytes, with its end */, AREA_DIGITS = 12 };

/* RC_NOT_FOUND: no device ever had it. */
enum rc trait_find(struct work *w, const char *word, int64_t *no);

struct traits {
    int64_t *no; /* ascending, each once; in w->mem */
    int n;
};
bool traits_have(const struct traits *t, int64_t no);
/* On the writer: those of the account's devices that are reached by the transport. A word that is new gets a number. */
enum rc traits_of(struct work *w, int64_t account, enum transport by, struct traits *out);

/* As a row of push_address holds them. False for bytes that traits_write() never makes. */
void traits_write(struct work *w, const struct traits *t, const void **p, size_t *n);
bool traits_read(struct work *w, const void *p, size_t n, struct traits *out);

#endif
