/*
 * sender_part.h - what a sender consists of; for sender.c, which draws it.
 */
#ifndef PUSH_SENDER_PART_H
#define PUSH_SENDER_PART_H

#include <pthread.h>
#include <stdatomic.h>

#include "push/post.h"
#include "push/sender.h"
#include "push/sender_grant.h"
#include "push/sender_service.h"

enum { LANES = 2 /* of emergencies, and of all else */ };

struct sender_flight {
    struct sender_flight *next;
    struct arena *mem;
    struct sender_job *job;
    struct push_message message;         /* the job's, with its ticket */
    int sent, away;                      /* tokens that left the queue; requests under way */
    bool dropped, lane_was_open, asking; /* asking: for a ticket */
    atomic_bool given_up;                /* what of it has not left is not to */
};

struct ride {
    struct post_ride post;
    struct vendor_request rq;
    struct arena *mem;
    struct sender *s;
    struct sender_flight *f; /* NULL: it asks for a grant */
    struct channel *ch;
    struct lane *lane;
    uint32_t round;
    char *grant;
    bool ticket; /* it asks for a ticket */
    struct ride *next;
};

struct channel {
    const struct vendor *vendor;
    struct sender_grant grant;
    struct lane lane[LANES];
    struct lane_turn news[LANES];
    struct sender_services services[LANES]; /* a campaign empties no bucket of an emergency */
    struct sender_flight *queue[SENDER_HASTES];
    int jobs[SENDER_HASTES];
    bool on;
};

struct sender {
    struct arena *mem;
    const struct conf *conf;
    struct vendor_keys *keys;
    struct vendor_site site;
    struct post *post[LANES];
    struct channel ch[TRANSPORT_COUNT];
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t stirs;
    struct ride *landed;
    bool woken;
};

#endif
