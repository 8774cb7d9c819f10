/*
 * submission_fetch.h - the files that a submission names, fetched one after the other, and then it lands.
 *
 *     RECEIVED --> CHECKING --(all are here, or will not come)--> LANDED, or RETURNED
 *                    ^    \
 *                    \-----/  a server was away: again after 20 s, and after 2 minutes more; then it lands without
 *
 * What is not here when it lands stays a link to where it lies, and the status says why. A host that was away is not asked again in the same round, however many files it has. Blobs are named by
 * what they hold, so a round that is cut short is simply gone through again.
 */
#ifndef SOURCE_SUBMISSION_FETCH_H
#define SOURCE_SUBMISSION_FETCH_H

#include "server/source/submission.h"

enum {
    FETCH_FILE_MAX = 20 * 1024 * 1024, /* bytes of one file */
    FETCH_ALL_MAX = 200 * 1024 * 1024, /* … of all of a submission */
    FETCH_TRIES = 3
};

/* What a server answered; the body is on the heap, for buf_done(). */
struct fetched {
    int status;                    /* 0: none came */
    bool cut;                      /* … because we stop: nothing was learnt */
    bool too_large;                /* … because it was longer than asked for */
    char etag[200], modified[100]; /* "" if it has none, or a longer one */
    char moved[2001];              /* of a 3xx: where to, as it was said; else "" */
    struct buf body;
};

struct fetch_request {
    const char *url;
    size_t max;                  /* bytes of the answer */
    const char *etag, *modified; /* of the answer that is known; NULL: none is */
};

/* Who asks other servers: at most `max` bytes, to public addresses alone, redirects not followed. */
struct fetch_door {
    void (*get)(void *arg, const struct fetch_request *rq, struct fetched *out);
    void *arg;
    const char *data; /* the data directory, for blobs */
};

/* The next whose time has come: RC_NOT_FOUND if none has, RC_BUSY if it was cut. `w` reads; what is written goes to the writer. */
enum rc submission_fetch_next(struct work *w, const struct fetch_door *door);

#endif
