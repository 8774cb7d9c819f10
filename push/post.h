/*
 * post.h - carries requests to vendors and brings their answers, over HTTP/2 where they speak it: a thread, its connections, a queue with an end.
 *
 * Nothing is ever sent twice without the caller's doing, and of each request it is known which of three became of it: answered; certainly not sent, for some of it never
 * left; in doubt. Redirects are not followed, plain http is not spoken, an answer has 512 KB at most (a thousand tokens that a vendor lists as dead).
 */
#ifndef PUSH_POST_H
#define PUSH_POST_H

#include <stdatomic.h>

#include "push/vendor.h"
#include "server/http/transfer.h"

struct post;

/* One request on its way. The caller's memory; post_ride_done() frees what the answer took. */
struct post_ride {
    const struct vendor_request *rq; /* lives until done() */
    int64_t timeout_ms;              /* for everything, once it leaves the queue; 0: 30 s */
    void (*done)(
        struct post_ride
            *ride); /* on the post's thread: short, and no call of post.h but post_send() */
    void *arg;
    const atomic_bool *
        unwanted; /* true: it is not to leave any more (post_stir()); lives until done(). NULL: it is wanted to the end */

    struct vendor_answer answer; /* its texts live until post_ride_done() */
    bool
        dropped; /* it was unwanted, and nothing of it had left: VENDOR_UNSENT, of which the vendor knows nothing */
    char why[96]; /* without an answer: why, for the log: no address, no token */

    /* Only post.c looks here. */
    struct post_ride *next;
    void *handle;
    struct transfer transfer;
};

struct post_conf {
    const char *name;      /* of the thread, at most 15 letters */
    const char *ca;        /* PEM file; "": what this machine trusts */
    int queue_max;         /* waiting and under way; above it post_send() says no */
    int flying_max;        /* under way */
    int host_connections;  /* to one host */
    int total_connections; /* 0: no limit */
};

enum rc post_open(struct err *e, const struct post_conf *c, struct post **out);
/* False: no room, or it closes; done() is not called then. On any thread. */
bool post_send(struct post *p, struct post_ride *ride);
int post_room(struct post *p);
/* Some became unwanted: those of which nothing left end now, each with its done(); the others come home. On any thread. */
void post_stir(struct post *p);
/* Whatever is under way ends now, each with its done(), and the thread: within a second, whoever hangs. Accepts NULL. */
void post_close(struct post *p);
void post_ride_done(struct post_ride *ride);

#endif
