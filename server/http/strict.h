/*
 * strict.h - HTTP/1 as bytes: whether the requests of a connection can be read in one way only.
 */
#ifndef HTTP_STRICT_H
#define HTTP_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STRICT_LENGTH_DIGITS = 18,
    STRICT_CHUNK_DIGITS = 7,
    STRICT_NAME_MAX = 17, /* the longest name that is of interest here */
};

/* Why a request is refused. */
enum strict_end {
    STRICT_FINE,   /* it is not */
    STRICT_LINE,   /* a request line that is none, or of another version than 1.0 and 1.1 */
    STRICT_BYTE,   /* a bare LF or CR, a control byte */
    STRICT_FIELD,  /* a name that is no token, a line that goes on (obs-fold) */
    STRICT_HOST,   /* none, two, or one that is none */
    STRICT_LENGTH, /* two lengths, or one that is none; a coding other than chunked */
    STRICT_CHUNK, /* a size that is none or has an extension, a chunk longer than its size, a trailer */
    STRICT_ENDS
};

/* One connection's. */
struct strict {
    uint64_t left; /* of the body or the chunk */
    uint8_t state;
    uint8_t
        got; /* of what is being read: of the version, of a name, of a value, of a size's digits */
    uint8_t field; /* which one the value belongs to */
    bool empty;    /* there was an empty line before the request line */
    bool is_old;   /* HTTP/1.0 */
    bool gap;      /* a blank after the value */
    bool has_host, has_length, is_chunked;
    char name[STRICT_NAME_MAX];
};

struct strict_verdict {
    size_t pass; /* so many of the bytes may go on */
    enum strict_end
        end; /* not STRICT_FINE: what follows was refused, and nothing more may be shown */
};

void strict_init(struct strict *s);
/* All bytes in their order, cut anywhere. Without an end at most three do not pass: CR LF CR, of the size of a chunk.
 * They are shown again, before what follows them. */
struct strict_verdict strict_take(struct strict *s, const uint8_t *bytes, size_t n);
/* Whether a body has begun and is not whole. */
bool strict_is_in_body(const struct strict *s);
/* Whether a body in chunks is being read, or was when the end came. */
bool strict_in_chunks(const struct strict *s);

#endif
