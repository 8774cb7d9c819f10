/*
 * run.h - a campaign on its way, as rows: who is still to be sent to, who is being sent to now, and what became of everyone else.
 *
 *     audience --run_open()--> push_part --run_take()--> push_batch --run_write()--> push_outcome
 *                                  |                      ^     |
 *                                  +-- quiet, quota --+   +-----+ again, later
 *                                                     +--> push_outcome
 *
 * At every commit each device of the campaign stands in exactly one of: the rest of a part, a batch, an outcome. A batch that is `sent` may be on its way: after a crash these are exactly
 * what is in doubt. All of it is on the writer and knows no network: who sends, takes a batch, commits, sends, and writes what was answered (docs/push.md, "From due to done").
 */
#ifndef PUSH_RUN_H
#define PUSH_RUN_H

#include "push/bits.h"
#include "push/ledger.h"
#include "server/base/work.h"

enum {
    RUN_BATCH = 1000,      /* devices of one batch at most */
    RUN_AREAS = 64,        /* districts of an order */
    RUN_AFTER_MAX = 100,   /* runs one after the other, whose devices a later one reaches */
    RUN_KEPT = 400 * 86400 /* seconds that outcomes stay: a report of the year before */
};

/*
 * Numbers stand in rows. From RUN_RESENT on they are notes beside the others, and count nobody: it was in doubt and went out once more; its owner had it on another device; the
 * vendor told later what became of it.
 */
enum run_what {
    RUN_ACCEPTED = 1, /* the vendor took it */
    RUN_REJECTED,     /* it did not, and will not; or the time to live was over */
    RUN_GONE,         /* there is no such device any more */
    RUN_QUOTA,        /* had as many today as the vendor, or we, allow a device */
    RUN_QUIET,        /* it was the night of its owner, or the vendor's until its end */
    RUN_DOUBT,        /* sent, and never answered: it may have come */
    RUN_OFF,          /* its transport has no credentials here */
    RUN_STOPPED, /* the campaign was recalled before its turn, or paused until its time was over */
    RUN_RESENT,
    RUN_OWNER,
    RUN_DELIVERED, /* notes too, of what the vendor told later (run_receipt.h) */
    RUN_CLICKED,
    RUN_DROPPED,
    RUN_WHATS
};
extern const char *const run_words[RUN_WHATS]; /* "accepted" … */

enum run_doubt { RUN_RESEND = 1, RUN_SKIP };
enum run_state { RUN_RUNNING = 1, RUN_PAUSED, RUN_STOPPING, RUN_OVER };

/* A campaign has up to three runs: its own has its number; that of its test send the number below zero; that of its recall stands RUN_RECALLS above it: its audience are those
 * who got it, or may have, each by the transport it was sent by, and it asks for no night and no quota. */
#define RUN_RECALLS (INT64_C(1) << 48)
/* Above this one they are no campaign's: each is for one account, by the number of its notice. Stands in statements, too. */
#define RUN_NOTICES (INT64_C(1) << 52)
/* Between campaigns and recalls stand runs for everybody that are no campaign's (bulletin.h). */
#define RUN_BULLETINS (INT64_C(1) << 40)
enum run_kind { RUN_OWN, RUN_TEST, RUN_RECALL, RUN_BULLETIN, RUN_NOTICE };
enum run_kind run_kind(int64_t run);
int64_t run_campaign(int64_t run); /* or the number of the notice */

/* What a campaign was approved with. */
struct run_new {
    int64_t campaign;     /* the number of the run; in all that follows, too */
    const char *audience; /* canonical JSON (audience_print) */
    enum push_class class;
    const char *column;           /* whose refusals count; NULL: it has none */
    const char *areas[RUN_AREAS]; /* their devices first, in this order; codes of 6 digits */
    int nareas;
    enum run_doubt doubt;
    int64_t ends_ms;  /* nobody is tried again from then on */
    const char *said; /* JSON: what its messages say; NULL: as the campaign does */
    int64_t
        after; /* an earlier run whose devices it reaches too, and those of the run that was after, and so on; 0: none */
    bool news; /* licensed: another quota, and the vendor is told so */
};

/* RC_CONFLICT: it runs, or ran, already: so that a time that comes twice starts nothing twice. */
enum rc run_begin(struct work *w, const struct run_new *r);
/*
 * A run for the devices of one account, as they are told now, all of it opened at once: who is reached by a transport that is not `on` is RUN_OFF. Its number is above RUN_NOTICES. It goes in the lane of its
 * own, and what is in doubt is sent again. *devices: how many it has; of none there is no run.
 */
enum rc run_begin_for(struct work *w, int64_t run, int64_t account, enum push_class class,
                      int64_t ends_ms, unsigned on, int *devices);
/*
 * The next devices of the audience become parts, some 65,536 at most. `on` are bits 1 << enum transport of those that can send, `recalls` of those that can take back:
 * whoever is reached by another is RUN_OFF at once.
 * RC_NOT_FOUND: nothing is left to be opened. RC_BUSY: citizens' changes are to be settled first, some of which this did: commit, and come again. *campaign: which it was about; 0: none.
 */
enum rc run_open(struct work *w, unsigned on, unsigned recalls, int64_t *campaign);

struct run_target {
    int64_t no;        /* of the device */
    int64_t told;      /* seconds: when it said so last */
    const char *token; /* in w->mem; wiped by nobody: an address, no key */
    bool keep;         /* RUN_GONE, but the device was told later than that is true of */
    /* the answer, filled in by who sends */
    enum run_what
        what; /* RUN_ACCEPTED, REJECTED, GONE, QUOTA, DOUBT; 0: certainly not sent, to be tried again */
    int64_t again_ms; /* 0: … when the others of the batch are */
    bool put_off;     /* 0: … nor was it tried, which counts as no try */
};
struct run_batch {
    int64_t no, campaign, block;
    enum transport by;
    int tries; /* how often before */
    struct run_target *target;
    int n;
};
/* What bounds what is taken. */
struct run_limits {
    bool emergency; /* of such campaigns only; false: of all others */
    bool personal;  /* of runs for one account only; false: of campaigns */
    int most;       /* devices; at most RUN_BATCH */
    int a_day
        [PUSH_CLASS_COUNT]; /* messages a device and day by this transport; 0, or above LEDGER_MOST: no limit */
    int news_a_day; /* the same of licensed news, which is of class marketing */
    int64_t refused_until_ms
        [PUSH_CLASS_COUNT]; /* the vendor refuses the class until then: it waits, and who cannot wait so long is RUN_QUIET; 0: he takes it */
    int a_person; /* of class marketing a person and day, by all of his devices; likewise */
    struct ledger_quiets
        *quiets; /* the caller's; NULL: the night is read anew for each batch */
    bool (*rests)(
        void *arg,
        int64_t campaign); /* nothing of it now: it has a pace of its own; may be NULL */
    void *arg;
};
/*
 * The next batch for a transport, in the state `sent`, once the caller has committed: campaigns by haste, then what is to be tried again, then parts in their order. RC_NOT_FOUND: there is
 * nothing now. A batch may be empty (n 0) if all of it became outcomes: come again.
 */
enum rc run_take(struct work *w, enum transport by, const struct run_limits *limits,
                 struct run_batch *out);
/* When the next batch that waits is due, in ms; 0: none waits. */
enum rc run_waits(struct work *w, enum transport by, int64_t *at_ms);
/* The wall clock went ahead by so much, or back: what waits is due, and what runs ends, so much later by it, which is when they were to. */
enum rc run_shift(struct work *w, int64_t ms);
/*
 * What became of a batch: rows of its targets' `what`. Those with 0 are tried again at `again_ms`, or RUN_REJECTED if that is behind the end. Those in doubt go out again or stay so, as the
 * campaign says. RC_NOT_FOUND: it was written already.
 */
enum rc run_write(struct work *w, const struct run_batch *b, int64_t again_ms);
/* At start, before anything is taken: a batch that was on its way, the next one behind number *no, is in doubt. *campaign is whose. RC_NOT_FOUND: there is none. */
enum rc run_recover(struct work *w, int64_t *no, int64_t *campaign);

/* Pausing and going on; RC_CONFLICT from any state but the other one. A pause does not prolong its time: whoever is left when that is over is RUN_STOPPED once it goes on. */
enum rc run_pause(struct work *w, int64_t campaign, bool paused);
/* How many devices wait for a turn that does not come, since its time is over; 0 as well of one that never began. */
enum rc run_late(struct work *w, int64_t campaign, int64_t *n);
/* Nothing is taken of it any more. */
enum rc run_stop(struct work *w, int64_t campaign);
/*
 * What nobody is to be sent any more, some rows of it: of campaigns that stop, RUN_STOPPED; of those whose time is over, RUN_REJECTED; of transports that are off by now, RUN_OFF.
 * RC_NOT_FOUND: nothing is left. *campaign: which it was about.
 */
enum rc run_drop(struct work *w, unsigned on, int64_t *campaign);
/* One campaign of which nothing is left becomes RUN_OVER: *campaign is its number, and whether it was stopped. RC_NOT_FOUND: there is none. */
enum rc run_end(struct work *w, int64_t *campaign, bool *stopped);

enum rc run_state(struct work *w, int64_t campaign, enum run_state *out); /* RC_NOT_FOUND */
/* All of one that is over, as if it had never been; one that never was is fine. RC_CONFLICT: it is not over. */
enum rc run_forget(struct work *w, int64_t campaign);
/*
 * What of its rows cannot be read is put aside: those who had an outcome keep it, those who were on their way are in doubt, all others RUN_STOPPED; who they were is lost, how many is not. *n: how
 * many rows that were.
 */
enum rc run_mend(struct work *w, int64_t campaign, int *n);
/* Whatever state it is in: nothing of it happens any more. */
enum rc run_give_up(struct work *w, int64_t campaign);

struct run_counts {
    int64_t audience;                       /* of all that has been opened */
    int64_t waiting, sent;                  /* in parts and waiting batches; on their way */
    int64_t by[TRANSPORT_COUNT][RUN_WHATS]; /* outcomes */
    bool opened;                            /* the audience is complete */
    enum run_state state;
};
/* audience = waiting + sent + outcomes below RUN_RESENT, always. RC_NOT_FOUND: it never began. */
enum rc run_count(struct work *w, int64_t campaign, struct run_counts *out);
/* Of those of one area (a code) how many by each outcome. */
enum rc run_count_area(struct work *w, int64_t campaign, const char *area,
                       int64_t out[RUN_WHATS]);

#endif
