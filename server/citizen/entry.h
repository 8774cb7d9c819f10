/*
 * entry.h - one thing of a citizen's own state: an account's type and key, and the value that stands there.
 *
 * Every change has the next number of its account's order (seq), and an entry stands at the number of its last change, removed or not. Values are canonical JSON;
 * what each type may hold, and by which rule a value is written over another, is sync/state.def. Types that it marks are sealed at rest.
 */
#ifndef CITIZEN_ENTRY_H
#define CITIZEN_ENTRY_H

#include "server/base/work.h"

struct entry {
    const char *type, *key;
    const char *value; /* canonical JSON; NULL: it is gone */
    const char *needs; /* JSON: the public content that it points at; NULL: none */
    int64_t seq, at;   /* of its last change; `at` in seconds */
};

/*
 * On the writer: writes by the type's rule; `value` NULL removes. Key and value are good (state_key_ok, state_value_ok), or it is our own mistake. A value that changes nothing takes no number.
 * *seq (may be NULL): where the entry stands now; 0: it was never there. RC_TOO_MANY: the account has as many of this type as it may.
 */
enum rc entry_put(struct work *w, int64_t account, const char *type, const char *key,
                  const char *value, const char *needs, int64_t *seq);

/* Who is told, on the writer's thread after the COMMIT, of each account that was given something the server alone writes: a message, the progress of a letter. NULL: nobody. Before the writer starts, or after it. */
void entry_on_given(void (*fn)(int64_t account));

/* RC_NOT_FOUND: it was never there, or so long ago that nobody knows. Texts are in w->mem. */
enum rc entry_get(struct work *w, int64_t account, const char *type, const char *key,
                  struct entry *out);

/* A part of the state, by seq: what changed behind `since`, with the tombstones behind `tombstones`, which is no less; at most `most`, and about a megabyte. */
struct entry_page {
    int64_t since, tombstones;
    int most;
    struct entry *entries; /* from here on: what entry_list() finds */
    int n;
    bool more; /* there is more behind the last of them */
};
enum rc entry_list(struct work *w, int64_t account, struct entry_page *page);

/* How far an account's order has come: its last seq, and the floor, up to which tombstones may be gone. For one that has no state epoch_base(), and 0. */
struct citizen {
    int64_t seq, floor;
};
enum rc citizen_get(struct work *w, int64_t account, struct citizen *out);

#endif
