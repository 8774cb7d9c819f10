/*
 * item_row.h - the rows behind item.h, for the files that write them: item.c, publish.c and
 * import.c of the library, and mirror_items.c, which has what other servers publish.
 */
#ifndef LIBRARY_ITEM_ROW_H
#define LIBRARY_ITEM_ROW_H

#include "server/library/item.h"

/* The next row of a query whose columns are those of item_by_id, its texts copied into w->mem.
 */
struct rows;
enum rc item_row(struct work *w, const struct rows *q, struct item *out);

enum rc item_insert(struct work *w, const struct item *it);
enum rc item_update(struct work *w, const struct item *it); /* all that may change */
/* Takes over what the item's row says of its content. `at`: the date of lists where the content
 * has none. */
void item_describe(struct item *it, const struct content *c, int64_t at);

struct revision_new {
    const struct id *item;
    int64_t rev;
    enum state state;
    int64_t seq;                   /* 0: not published */
    const struct content *content; /* stored unless published */
    const char *update_type, *note;
};
enum rc revision_insert(struct work *w, const struct revision_new *r);
enum rc revision_log(struct work *w, const struct id *item, int64_t rev, enum verb verb,
                     enum state before, enum state after, const char *reason);
enum rc attachments_insert(struct work *w, const struct id *item, int64_t rev,
                           const struct content *c);
/*
 * Publishes `c` as revision `rev` at the place that `it` names: one change, now, with `flags`
 * (0 or CHANGE_PURGE). Sets in `it` what follows from it, and leaves all rows but the log's to
 * the caller. RC_UNFIT, and nothing is written, if a rule blocks it: nothing of ours comes before the
 * public by another way (ruling.h).
 */
struct item_place {
    const char *site, *column; /* code, path */
};
enum rc item_put(struct work *w, struct item *it, const struct content *c, int64_t rev,
                 const struct item_place *place, unsigned flags);
/* RC_INVALID if the content says that its time is over already. */
enum rc item_check_expiry(struct work *w, const struct content *c);
/* Where the item is to stand: RC_CONFLICT if site or column is closed, or the column is another
 * site's. */
enum rc item_place(struct work *w, int64_t site, int64_t col, struct item_place *out);
/* A new draft of `it`, whose rows and fields follow; an older unpublished revision is
 * superseded. RC_GONE after a takedown. */
enum rc item_revise(struct work *w, struct item *it, const struct content *c,
                    const char *update_type, const char *note);
/* The newest revision, if the public never saw it, gives way to one that comes. */
enum rc item_supersede_unpublished(struct work *w, const struct item *it);
/* Content of any revision whose bytes are still there. */
enum rc revision_content(struct work *w, const struct item *it, int64_t rev,
                         struct content *out);

#endif
