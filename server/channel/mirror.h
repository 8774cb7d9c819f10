/*
 * mirror.h - follows streams of other servers and serves them here, byte for byte (docs/mirror.md).
 *
 *     table mirror --> one thread --> follow_run() each `mirror_poll` --> mirror_store --> tables, tree, head
 *
 * Functions that take a work stand inside a writer job or read; the rest is any thread's.
 */
#ifndef CHANNEL_MIRROR_H
#define CHANNEL_MIRROR_H

#include "server/base/conf.h"
#include "server/base/id.h"
#include "server/base/work.h"

struct mirror_new {
    const char
        *url; /* of the server: "https://host", with port if need be; a slash at its end goes */
    const char *stream; /* name of the stream there, and here */
    const char
        *trust; /* its platform key in hex; NULL: the first one met is believed, and kept */
    const char *cacert; /* PEM file; NULL: what this machine trusts */
};
/*
 * Follows it from now on; one that is followed is followed at the new address. RC_CONFLICT: this server
 * publishes a stream of that name itself, so a loop cannot be made. RC_INVALID, RC_FORBIDDEN without RIGHT_OPERATE.
 */
enum rc mirror_follow(struct work *w, const struct mirror_new *in);
/* Forgets the stream and all that is here of it. RC_NOT_FOUND. */
enum rc mirror_unfollow(struct work *w, const char *stream);

struct mirror_state {
    const char *stream, *url;
    char trust[HASH_TEXT]; /* "": none yet */
    int64_t epoch, seq;    /* of the head that is served; 0: none yet */
    int64_t items;
    int64_t
        checked; /* seconds: when the other server last said that this is the newest; 0: not since the start */
    int64_t failures;  /* in a row */
    const char *error; /* why the last attempt failed; "" */
};
/* All of them, by name, in w->mem. */
enum rc mirror_list(struct work *w, struct mirror_state **out, int *n);

/*
 * An item of a mirrored stream is not shown by this server any more, or is again: at once in its pages,
 * lists and API, and for phones by the signed list of heads. RC_NOT_FOUND; RC_CONFLICT if the item is our own, or is so already.
 */
enum rc mirror_withhold(struct work *w, const struct id *item, const char *reason,
                        bool withhold);

/* After sync_start(); `db_path` is the database. */
enum rc mirror_start(struct err *e, const struct conf *c, const char *db_path);
/* Ends what is under way. While the writer still runs; accepts not having been started. */
void mirror_stop(void);

#endif
