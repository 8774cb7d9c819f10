/*
 * patience.h - what may take how long: who is slower than the table of docs/shield.md is ended.
 */
#ifndef HTTP_PATIENCE_H
#define HTTP_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include <h2o.h>

#include "server/http/guard.h"

enum patience_end {
    PATIENCE_FINE,
    PATIENCE_HEAD,    /* a head, preface or frame not complete in time */
    PATIENCE_BODY,    /* a body too slow */
    PATIENCE_READER,  /* an answer of which next to nothing is taken */
    PATIENCE_IDLE,    /* nothing asked for long */
    PATIENCE_REQUEST, /* a request too long */
    PATIENCE_ENDS
};

/* What the requests of one connection tell at a tick; 0: none does. Milliseconds of the loop's clock. */
struct patience_seen {
    int requests;         /* that have begun */
    int waiting;          /* of these, those that are whole and whose answer has not begun */
    uint64_t head_at;     /* the oldest head that is not complete (HTTP/1) */
    uint64_t body_at;     /* the oldest body that is not */
    uint64_t answer_at;   /* the oldest answer under way, */
    uint64_t answered;    /* and the bytes of all of them that were given to the socket */
    int answers, stalled; /* how many there are; those that nobody has read in time */
    uint64_t request_at;  /* the oldest of all; streams of events are neither */
};

/* One connection's; all 0 at its beginning. */
struct patience {
    struct patience_seen seen;
    uint64_t looked_at;           /* the last tick */
    uint64_t begun, midway_at;    /* of guard_state */
    uint64_t body_at, body_since; /* the body that is timed, and since when */
    uint64_t taken, body_paid;    /* until the last tick, and for how long that pays */
    uint64_t answered, acked;     /* of the reader, until the last tick, */
    uint64_t untaken;             /* of the former, not among the latter, */
    uint64_t moved, moved_at;     /* and what it took since when */
    uint64_t idle_at, idle_from;
};

/* A tick: forget what was seen, show every request, judge. */
void patience_begin(struct patience *p);
/* `shut`: bytes of its answer wait for nothing but its own window. True: it has stalled, and must end even if others of its connection move. */
bool patience_see(struct patience *p, const h2o_req_t *req, bool shut, uint64_t now_ms);
/* `acked`: bytes the peer's kernel has taken, UINT64_MAX: not known. */
enum patience_end patience_judge(struct patience *p, const struct guard_state *g,
                                 uint64_t acked, uint64_t now_ms);

#endif
