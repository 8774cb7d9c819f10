/*
 * transfer.h - one request on a libcurl handle, never sent twice behind our back; what client.c (a few requests of the server) and push/post.c (a hundred thousand) have in common.
 *
 * libcurl repeats a request by itself when a connection that is used again dies or sends GOAWAY: of 10,000 messages three hundred arrived twice. So a body goes out through a read callback
 * whose seek always fails: libcurl, which cannot rewind, ends with an error instead, and the caller decides. A change without a body has nothing to rewind and gets a connection of its own,
 * which libcurl never tries again. What the other side refused before looking at it (REFUSED_STREAM) may go again.
 */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/err.h"

enum { TRANSFER_TIMEOUT_MS = 30 * 1000 };

/* What became of a request. */
enum transfer_fate {
    TRANSFER_ANSWERED,
    TRANSFER_UNSENT, /* not a byte of it left */
    TRANSFER_CUT, /* some of its body never left: who acts on whole requests alone has not acted */
    TRANSFER_DOUBT, /* it may have arrived */
};

struct transfer {
    /* The question. All of it lives until transfer_end(). */
    const char *method, *url;
    const char *const *headers; /* "name: value", NULL ends them; or NULL */
    const char *bearer;         /* NULL: none */
    const void *body;           /* not of GET and HEAD */
    size_t body_n;
    const char *ca_file; /* PEM; NULL: what this machine trusts */
    const char *socket;  /* path of a UNIX socket to connect to; NULL: by the URL */
    size_t answer_max;   /* bytes of the answer's body */
    int64_t timeout_ms;  /* for everything; 0: TRANSFER_TIMEOUT_MS */
    bool tls_only;       /* https, or it fails */
    bool (*heard)(
        void *arg,
        struct buf *
            body_in); /* more of the body came, which it may empty; false: it is enough. NULL: nobody listens */
    void *heard_arg;
    bool
        public_only; /* to public addresses alone (reach.h), whatever a name resolves to. Through a proxy, which resolves names: to no host that reach_may_be_public() knows for one of ours, and nobody is asked directly for standing in `direct` (but with "*"); what a name leads to is the proxy's to refuse (docs/http.md) */

    /* What came of it, after transfer_end(). The buffers are the heap's: buf_done(). */
    enum transfer_fate fate;
    bool too_long; /* the answer is longer than answer_max */
    int status;    /* 0: none */
    struct buf body_in;
    struct buf headers_in; /* lines "name: value\n", names in lower case */
    char why[64];          /* without an answer: why, for the log: no address, no secret */

    /* Only transfer.c looks here. */
    size_t sent;
    void *list;
    bool barred; /* public_only, and its host is not */
};

/* Once before any handle of libcurl is made; more often is fine. */
void transfer_prepare(void);
/* Tells a libcurl easy handle all of it; `owner` is its CURLOPT_PRIVATE. What is above may set more. */
void transfer_begin(struct transfer *t, void *handle, void *owner);
/* It ended with libcurl's `code`; the handle is in no multi handle any more. */
void transfer_end(struct transfer *t, void *handle, int code);

/* A field of headers_in (NULL: there are none); "" if absent. `out` holds n bytes. */
const char *transfer_header(const char *headers, const char *name, char *out, size_t n);

/*
 * The HTTP proxy between us and others (settings outbound_*): for every request from then on but those to a UNIX socket. Texts, "" if not set, which must stay. The environment's
 * http_proxy is nobody's business here. RC_INVALID: `url` is none.
 */
struct transfer_proxy {
    const char *url, *secret, *direct;
};

enum rc transfer_proxy_set(struct err *e, const struct transfer_proxy *p);

#endif
