/*
 * notice.h - a notice: an approved template, filled, to one account; in its inbox, and on its phones (docs/notices.md).
 *
 *     send --> a row, the message in the inbox, and a run of its own (run.h), in one transaction
 *
 * Whom a program may send to: who allowed it so (the scope `notice` of his consent), named by the `sub` that the program knows him by. A program's own number for the message is good once
 * for ever: the same again is answered as before, something else under it is refused.
 *
 * What it says stands in the message alone: who removed it before a phone rang is not rung up.
 */
#ifndef PUSH_NOTICE_H
#define PUSH_NOTICE_H

#include "push/campaign_said.h"
#include "push/notice_template.h"
#include "push/run.h"

enum {
    NOTICE_REF_MAX = 60, /* bytes of the program's own number */
    NOTICE_KEPT = 400 * 86400
};

enum notice_fate {
    NOTICE_SENT = 1, /* in his inbox */
    NOTICE_DECLINED  /* he wants none of this group: nothing was sent */
};

struct notice {
    int64_t no, party, account, at;
    int64_t ttl; /* seconds: until a phone need not ring any more */
    struct id id;
    const char *ref, *name; /* the program's number; the template's name */
    enum notice_fate fate;
    bool silent; /* no phone rings: he refuses that, or has none */
};

struct notice_order {
    const char *template, *ref, *to; /* to: a `sub` */
    const json_t *values;            /* an object; NULL: none */
};

/*
 * On the writer. *is_new: false if it was sent before in the same words. RC_FORBIDDEN: the party's key does not reach him; RC_NOT_FOUND: nobody of that `sub` allows it; RC_CONFLICT: the
 * template is not approved, its item is not published, or the number was used for something else; RC_INVALID names a value.
 */
enum rc notice_send(struct work *w, const struct party *p, const struct notice_order *o,
                    struct notice *out, bool *is_new);
/* RC_NOT_FOUND, also to who may not see it (notice_may). */
enum rc notice_find(struct work *w, const struct id *id, struct notice *out);

/* How it stands. */
struct notice_status {
    bool there;           /* in his inbox */
    bool rang;            /* there is a run */
    struct run_counts on; /* of it */
};
enum rc notice_status(struct work *w, const struct notice *n, struct notice_status *out);

/* ---- for the thread of push ---- */

/* What a run's message to phones of a transport says, cut to what is shown there. RC_NOT_FOUND: it is not in the inbox any more, and nobody is to be rung up. */
enum rc notice_said(struct work *w, int64_t run, enum transport by, struct campaign_said *out);

#endif
