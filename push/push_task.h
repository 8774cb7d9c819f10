/*
 * push_task.h - a batch on its way: the rows it was taken from, the message, and the job that a sender has of it. The thread of push's.
 */
#ifndef PUSH_PUSH_TASK_H
#define PUSH_PUSH_TASK_H

#include "push/campaign_said.h"
#include "push/run.h"
#include "push/sender.h"

struct task {
    struct task *next;
    struct arena *mem; /* all that it takes */
    struct run_batch b;
    struct campaign_said said;
    struct push_message message;
    struct sender_job job;
    bool idle;        /* there is nothing to tell any more */
    int64_t again_ms; /* once it was answered: when those are tried again that were not sent */
    int64_t
        offset_ms; /* clock_offset_ms() when it was taken: all times here are of the wall clock as it went then */
    void (*answered)(struct task *k);
};

/*
 * On the writer: the next batch of a transport, with what it says. `answered` is called where the sender is turned, when each of its targets has its outcome. RC_NOT_FOUND: there is none;
 * *out NULL: all of a batch became outcomes, come again. *run: which it was about, also if it failed.
 */
enum rc task_take(struct work *w, enum transport by, const struct run_limits *l,
                  void (*answered)(struct task *k), struct task **out, int64_t *run);
/* What its vendor and the settings allow now. `quiets`: the caller's. */
struct run_limits task_limits(enum transport by, enum sender_haste haste,
                              struct ledger_quiets *quiets);
/* Its times are by the wall clock as it goes now, which somebody may have set meanwhile. */
void task_follow_clock(struct task *k);
/* RC_OK, or nothing of it left and it was answered so. */
void task_give(struct task *k, struct sender *s);
void task_free(struct task *k);

/* Lists of them. */
void task_put(struct task **list, struct task *k);
struct task *task_pop(struct task **list); /* NULL: it is empty */

#endif
