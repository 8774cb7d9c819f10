/*
 * sender.h - sends a message to the devices of a batch and says what became of each: grants, requests, lanes and answers. What is above it (push_thread) knows no vendor, what is below
 * (post.h) no message.
 *
 * All of it but sender_wake() belongs to one thread, the push thread, which calls sender_turn() again and again; done() of a job is called from there and from nowhere else. Every job that
 * was taken ends in done(), at the latest when the sender is closed.
 *
 *     sender_give(job) --> [lane] --> post --> vendor --> answer --> verdicts --> job->done()
 *
 * A job whose transport is out of service, or which is too much for the lane now, waits inside until its `until_ms`; so the caller gives few jobs at a time (sender_room()).
 */
#ifndef PUSH_SENDER_H
#define PUSH_SENDER_H

#include "push/vendor.h"
#include "server/base/work.h"

struct sender;

enum {
    SENDER_JOBS = 4, /* of a haste and transport */
    SENDER_FLYING =
        256 /* requests under way, of all transports: what one connection that dies can leave in doubt */
};

/* Lanes of a transport, the first goes first. Emergency has connections of its own. */
enum sender_haste { SENDER_EMERGENCY, SENDER_PERSONAL, SENDER_CAMPAIGN, SENDER_HASTES };

/* What of PUSH_AGAIN is true of one token alone, whose service has a pace of its own (sender_service.h). */
struct sender_again {
    int64_t at_ms; /* not before, as again_ms; 0: its service did not say */
    bool put_off;  /* its service's turn had not come: nothing was tried */
};

struct sender_job {
    /* The question; all of it lives until done(). */
    enum transport by;
    enum sender_haste haste;
    const struct push_message *message;
    const char *const *tokens;
    int n;            /* 1 to 1000 */
    int64_t until_ms; /* of clock_mono_us() / 1000: what has not left by then is PUSH_AGAIN */
    void (*done)(struct sender_job *job);
    void *arg; /* the caller's */

    /* The answer: n verdicts, in memory that goes after done(). PUSH_AGAIN: not before again_ms (of clock_mono_us() / 1000; 0: the vendor did not say). */
    struct push_verdict *verdict;
    struct sender_again *again; /* n likewise */
    int64_t again_ms;
    bool open; /* the transport is out of service: what is PUSH_AGAIN costs nobody a try */

    struct sender_flight *flight; /* only sender.c looks here */
};

/* The settings and the keys they name; RC_INVALID: a setting is wrong. `data`: directory where grants are kept sealed, so that a restart asks for none anew; NULL: nowhere. */
enum rc sender_open(struct err *e, const struct conf *c, const char *data, struct sender **out);
/* What has not ended ends now: PUSH_AGAIN if it never left, else PUSH_DOUBT. In bounded time. Accepts NULL. */
void sender_close(struct sender *s);

/* Bits 1 << enum transport of those that can send. */
unsigned sender_on(const struct sender *s);
/*
 * How it takes back what it accepted; NONE too if it is off. The job for it is as any other, with a message whose `takes_back` is set and whose `collapse` is that of the message it was: one
 * verdict a target, of which PUSH_ACCEPTED says that the vendor took the order. Of NONE every target is PUSH_REJECTED.
 */
enum vendor_recall sender_recalls(const struct sender *s, enum transport by);
/* How many more jobs of it may be given now; 0 too if it is off. */
int sender_room(const struct sender *s, enum transport by, enum sender_haste haste);
/* RC_BUSY: no room. RC_NOT_FOUND: the transport is off. done() is not called then. */
enum rc sender_give(struct sender *s, struct err *e, struct sender_job *job);
/* From the next turn on nothing of these jobs leaves any more, however slow their vendor: what has not left is PUSH_AGAIN, the rest comes home, and then done() is called. `is` says which; for a campaign that is stopped. */
void sender_drop(struct sender *s, bool (*is)(const struct sender_job *job, void *arg),
                 void *arg);
/* Does what can be done now. Returns in how many milliseconds it wants to be called again at the latest; a turn costs a few ms. */
int64_t sender_turn(struct sender *s);
/* Sleeps so long, or until an answer came or sender_wake() was called. */
void sender_wait(struct sender *s, int64_t ms);
void sender_wake(struct sender *s); /* on any thread */

#endif
