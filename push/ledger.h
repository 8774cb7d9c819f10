/*
 * ledger.h - who may not have another message now: what devices and their owners had today, and whose night it is.
 *
 * There is no book of it: a device had as many messages today as there are sets of today's outcomes in which it stands (run.h), and its owner as many as there are campaigns in which any of his
 * devices does. What is on its way for other campaigns counts, too.
 */
#ifndef PUSH_LEDGER_H
#define PUSH_LEDGER_H

#include "push/bits.h"
#include "push/limit.h"
#include "server/base/work.h"

enum { LEDGER_MOST = 32 }; /* a day: above it there is no limit */

struct ledger_ask {
    int64_t block, except; /* except: the campaign that asks */
    enum push_class class;
    enum transport by;
    int a_day;    /* messages to a device by that transport; 0: no limit */
    int a_person; /* … to a person by any of them; 0: no limit */
};
/* Those of a block who had as many today as is allowed. RC_CORRUPT. */
enum rc ledger_had(struct work *w, const struct ledger_ask *q, struct bits *out);

/* Those of a block whose own night it is at that minute of the day in Beijing. */
enum rc ledger_quiet(struct work *w, int64_t block, int minute, struct bits *out);

/* The same, remembered for the minute: whoever sends asks for each batch. The caller's, zeroed at first; in one thread. */
enum { LEDGER_QUIETS = 8 };
struct ledger_quiets {
    struct {
        int64_t minute, block; /* minute: since 1970; 0: nothing stands here */
        struct bits bits;
    } kept[LEDGER_QUIETS];
    int next;
};
/* `quiets` NULL: nothing is remembered. */
enum rc ledger_quiet_now(struct work *w, struct ledger_quiets *quiets, int64_t block,
                         struct bits *out);

/* Days since 1970 in Beijing: of outcomes. */
int64_t ledger_today(void);

#endif
