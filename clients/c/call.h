/*
 * call.h - one request with an answer in memory, and the tokens that open doors. Inside libtjzw only.
 */
#ifndef TJZW_CALL_H
#define TJZW_CALL_H

#include <jansson.h>

#include "clients/c/link.h"
#include "clients/c/person.h"

struct call {
    const char *method, *path;
    const char *token;      /* NULL: none */
    const char *headers[4]; /* more lines; NULL ends */
    const void *body;
    size_t size;
    tjzw_piece_fn *
        each; /* NULL: the answer is kept in `answer`; else it is told of a good one's pieces */
    void *each_ctx;

    /* The answer. */
    int status; /* 0: none came */
    uint32_t retry_after;
    int64_t upload_offset; /* where the server wants an upload to go on; -1: it does not say */
    bool too_old;          /* 401: the sign-in was too long ago for this */
    char *answer;          /* NUL-terminated; NULL: none */
    size_t n;
    bool whole, untrusted, stopped;
    char why[200];
};

/* A body of JSON, printed; takes `body`. Free c->body as a char *. */
void call_json(struct call *c, json_t *body);
/* TJZW_OK for any status with its whole answer; TJZW_NET, TJZW_TLS, TJZW_STOPPED. What an earlier try answered goes. */
enum tjzw_code call_make(struct link *l, const char *url, const char *cacert, struct call *c,
                         struct tjzw_error *e);
void call_done(struct call *c); /* frees the answer */
/* A status that is no success, as an error: TJZW_SIGN_IN, TJZW_BUSY, TJZW_REFUSED, TJZW_NET. 2xx: TJZW_OK. */
enum tjzw_code call_check(struct call *c, struct tjzw_sync_result *out, struct tjzw_error *e);
/* The answer as an object; NULL sets `e`. */
json_t *call_object(const struct call *c, struct tjzw_error *e);

/*
 * With the person's token, exchanged once if the server takes it no more. When the server has ended the session he leaves this phone (TJZW_SIGN_IN, and
 * p->no is 0).
 */
enum tjzw_code call_as(struct link *l, struct person *p, struct call *c, struct tjzw_error *e);

#endif
