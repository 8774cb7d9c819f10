/*
 * websub_book.h - subscriptions, topics and hosts in the hub's memory. Its thread only.
 *
 * A subscription is in the book as long as it lives, and after its end until nothing is under way for it.
 */
#ifndef WEBSUB_BOOK_H
#define WEBSUB_BOOK_H

#include "server/websub/websub_table.h"

struct letter;

struct host {
    struct host *next;
    int users, flying;
    struct sub *first, **last; /* that wait for one of its places */
    char name[];
};

struct topic {
    struct topic *next;
    struct sub *subs;
    struct letter *letters;    /* what was made for this state of the feed */
    struct websub_place place; /* where the feed stands */
    int64_t since_us;    /* … and since when it does, on the clock that never goes back */
    bool known, missing; /* missing: there is no such feed */
    char path[];
};

struct sub {
    struct sub *next;    /* of the topic */
    struct sub *waiting; /* the next that waits, for anything or for its host */
    struct sub *unsaved; /* the next whose place is to be written */
    struct topic *topic;
    struct host *host;
    int64_t no, ends; /* ends: seconds */
    struct websub_place place;
    unsigned failures;
    int64_t again_ms; /* of the wall clock */
    bool flying, waits, unwritten, over;
    bool denied;             /* over, because we say so */
    char *callback, *secret; /* secret NULL: none */
};

struct topic *book_topic(const char *path); /* made if need be */
struct host *book_host(const char *name);   /* likewise; held until book_leave() */
void book_leave(struct host *h);
/* The row's, new or as it was known. Takes its end, secret and place. */
struct sub *book_put(const struct websub_row *row);
struct sub *book_find(const char *topic, const char *callback);
/* Frees what is over and idle, and topics that nobody needs. */
void book_sweep(void);
void book_each_topic(void (*fn)(struct topic *t, void *arg), void *arg);
int64_t book_count(void); /* subscriptions that are not over */
void book_over(struct sub *s);
void book_close(void); /* whatever is under way: nothing may be */

#endif
