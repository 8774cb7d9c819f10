/*
 * mirror.h - streams of other servers that are followed and served here, byte for byte (docs/mirror.md).
 *
 * All stand inside a writer job, or read.
 */
#ifndef CHANNEL_MIRROR_H
#define CHANNEL_MIRROR_H

#include "server/base/id.h"
#include "server/base/work.h"

enum { MIRROR_URL_MAX = 400, MIRROR_CACERT_MAX = 500 /* bytes */ };

/* Whether it is the address of a server: http:// or https://, a host, perhaps a port and one slash. */
bool mirror_url_ok(const char *url);

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
    int64_t since;     /* seconds: when the first of them was; 0 */
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

#endif
