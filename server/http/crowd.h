/*
 * crowd.h - how many connections there may be, in all and of one client, and what all of a client's may spend on frames,
 * leave unread, and send as bodies.
 *
 * A client is what limit_client() takes for one. Of the process, for any thread.
 */
#ifndef HTTP_CROWD_H
#define HTTP_CROWD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Credits of a TLS handshake: half a millisecond with a certificate of RSA, a tenth when a ticket spares it. */
enum { CROWD_HANDSHAKE = 200, CROWD_RESUMED = 50 };

/* 0 each: no limit. */
struct crowd_conf {
    int64_t connections_max;
    int64_t per_client;
    int64_t credits; /* a second, of one client; two seconds' worth are saved up */
    int64_t unread;  /* bytes of answers that one client has not read, before it is laden */
};

struct crowd_client;

/* How many connections there may be: so many as are wanted (0: all that memory has room for), and that open files allow. */
int64_t crowd_room(int64_t wanted, uint64_t files);
/* The limits from now on; who is in stays in. */
void crowd_init(const struct crowd_conf *conf);
/* A connection comes, and is nobody's yet. False: there are too many in all; the operator's is let in all the same. True: it
 * counts until crowd_leave(). */
bool crowd_enter(bool operators);
/* Whose it is. False: this client has too many, and it stays nobody's. *out: for crowd_leave(); NULL when there are more clients than
 * the table has room for. */
bool crowd_join(const struct sockaddr *who, struct crowd_client **out);
void crowd_leave(struct crowd_client *c); /* NULL: it was nobody's */
/* Below 0 it gets some back. False: this client has none left. `now_us` is any clock that does not go back. */
bool crowd_spend(struct crowd_client *c, int64_t credits, int64_t now_us);
/* Bytes of answers that only this client's slowness holds (outcome.h), more or fewer. NULL holds nothing. */
void crowd_hold(struct crowd_client *c, int64_t bytes);
bool crowd_is_laden(const struct crowd_client *c);
/* Bytes of requests' bodies that libh2o keeps for this client, more or fewer; NULL is nobody, and counts in all. False: they are
 * counted, but too many; fewer never are. `little`: all that the connection has is no more than one ordinary body. */
bool crowd_carry(struct crowd_client *c, int64_t bytes, bool little);
/* Streams of HTTP/2 that libh2o keeps for this client, more or fewer; likewise. */
bool crowd_open(struct crowd_client *c, int64_t streams);

#endif
