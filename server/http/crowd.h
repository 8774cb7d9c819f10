/*
 * crowd.h - how many connections there may be, in all and of one client, and what all of a client's may spend on frames
 * and leave unread.
 *
 * A client is what limit_client() takes for one. Of the process, for any thread.
 */
#ifndef HTTP_CROWD_H
#define HTTP_CROWD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* 0 each: no limit. */
struct crowd_conf {
    int64_t connections_max;
    int64_t per_client;
    int64_t credits; /* a second, of one client; two seconds' worth are saved up */
    int64_t unread;  /* bytes of answers that one client has not read, before it is laden */
};

struct crowd_client;

/* The limits from now on; who is in stays in. */
void crowd_init(const struct crowd_conf *conf);
/* A connection comes, and is nobody's yet. False: there are too many in all; the operator's is let in all the same. True: it
 * counts until crowd_leave(). */
bool crowd_enter(bool operators);
/* Whose it is. False: this client has too many, and it stays nobody's. *out: for crowd_leave(); NULL when there are more clients than
 * the table has room for. */
bool crowd_join(const struct sockaddr *who, struct crowd_client **out);
void crowd_leave(struct crowd_client *c); /* NULL: it was nobody's */
/* False: this client has none left. `now_us` is any clock that does not go back. */
bool crowd_spend(struct crowd_client *c, int64_t credits, int64_t now_us);
/* Bytes of answers that only this client's slowness holds (outcome.h), more or fewer. NULL holds nothing. */
void crowd_hold(struct crowd_client *c, int64_t bytes);
bool crowd_is_laden(const struct crowd_client *c);

#endif
