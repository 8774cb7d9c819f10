/*
 * frame.h - the frame meter: the HTTP/2 frames of one connection, walked and priced before libh2o reads them.
 */
#ifndef HTTP_FRAME_H
#define HTTP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/block.h"

enum {
    FRAME_CREDITS_A_MS = 20, /* 20,000 a second … */
    FRAME_CREDITS_MAX = 40000,
    FRAME_STREAMS_MAX = 100, /* that are not ended */
    FRAME_STREAMS_FEW =
        8, /* … for which a meter has room in itself: a connection that waits for hours should be small */
    FRAME_BLOCK_MAX = 48 << 10,
    FRAME_BLOCK_CREDIT = 64,    /* octets of a header block that cost a credit more */
    FRAME_HEAD_USUAL = 1 << 10, /* a block no longer than this counts for nothing */
    FRAME_FIELDS_MAX = 128,
    FRAME_CONTINUATIONS_MAX = 4,
    FRAME_PARAMETERS_MAX = 32,
    FRAME_BODY_SLACK = 128 << 10, /* above the largest body of all: what is cut off */
    FRAME_MANY = 16, /* largest bodies that a connection of many clients has room for */
};

/* Why a connection ends. */
enum frame_end {
    FRAME_FINE,  /* it does not */
    FRAME_SPENT, /* no credits left */
    FRAME_CROWD, /* the client has none left, over all of its connections; for the caller to say */
    FRAME_HEADERS, /* a header block too large, of too many fields or in too many pieces */
    FRAME_STREAMS, /* too many, its own that are not ended, its client's or everybody's */
    FRAME_BODIES,  /* too many bytes of bodies, its own, its client's or everybody's */
    FRAME_ILLEGAL, /* an increment of 0, too many parameters, a push */
    FRAME_LATE,    /* CONTINUATION after our GOAWAY */
    FRAME_RECORDS, /* of TLS: too many that carry nothing; for the caller to say */
    FRAME_ENDS
};

struct frame_stream {
    uint32_t id, body, head;
};

/* One connection's; its fields are for the caller to read. */
struct frame_meter {
    uint64_t frames; /* seen */
    uint64_t spent;  /* credits */
    uint64_t body;   /* bytes of bodies that are not ended */
    uint64_t heads;  /* octets of header blocks, of streams that are not ended */
    uint64_t body_max;
    uint64_t data; /* bytes of bodies that have come */
    uint64_t now_ms;
    int32_t credits;
    bool is_http2, is_other; /* neither: its preface has not come whole */
    bool is_many; /* clients' that a proxy stands before: what it spends is counted only */

    /* the frame that is being read */
    uint8_t got; /* of the preface, later of the head */
    uint8_t head[9];
    uint8_t type;
    bool risky;
    uint32_t left;   /* of its payload */
    uint64_t number; /* an increment or a parameter */
    bool is_begun;   /* a header block that is not complete */
    bool is_wide;    /* streams begin with a window of 1 GB or more */

    /* the header block that is being read */
    struct block block;
    uint32_t block_bytes, block_left; /* in all; of this frame's payload */
    uint8_t prefix, pieces;           /* octets before the block; CONTINUATIONs */
    bool padded;

    uint32_t newest; /* stream */
    uint32_t ending; /* the one that ends with this frame or block; 0: none does */
    int open;
    struct frame_stream few[FRAME_STREAMS_FEW];
    struct frame_stream
        *many; /* of FRAME_STREAMS_MAX, once they were more than few; instead of them */
};

/* The world at the moment of a read. */
struct frame_now {
    uint64_t ms;  /* of any clock; a step back gives nothing */
    bool writing; /* a write of ours is under way */
    bool leaving; /* we have said GOAWAY, or are about to */
};

struct frame_verdict {
    size_t pass;        /* so many of the bytes may go on; of no meaning at an end */
    bool hold;          /* show the rest again when the write is through */
    enum frame_end end; /* not FRAME_FINE: the connection has ended */
};

/* Something other than a body was begun and is not complete: preface, frame or header block. */
bool frame_meter_is_midway(const struct frame_meter *m);
void frame_meter_init(struct frame_meter *m, uint64_t now_ms, uint64_t largest_body);
void frame_meter_done(struct frame_meter *m);
/* After init: this connection carries the streams of many clients, and one of them must not be able to end it for all. */
void frame_meter_share(struct frame_meter *m);
/* Bytes that are held are shown again; all others once, in their order, cut anywhere. */
struct frame_verdict frame_meter_take(struct frame_meter *m, const struct frame_now *now,
                                      const uint8_t *bytes, size_t n);

#endif
