/*
 * take.h - from a signed request to a warning.
 *
 *     Authorization: Warning-Signature key=12000041600/main,to=www.example.cn,time=1795000000,signature=BASE64URL
 *
 *     signed:  "tjzw warning 2\n" KEY "\n" TO "\n" TIME "\n" BODY
 *
 * KEY is CODE/ID as it stands in the field, TO the name of the server that it is meant for (what was signed for one says nothing at another), TIME seconds since 1970 UTC, BODY the request's bytes: docs/protocol/warnings.md.
 */
#ifndef WARNING_TAKE_H
#define WARNING_TAKE_H

#include "server/base/conf.h"
#include "warning/rule.h"
#include "warning/warning.h"

enum { TAKE_NAME = 101 /* bytes of a server's name, with its end */ };

/* Before the threads start: where warnings stand, which are pushed, and for whom they are signed. RC_INVALID: a level is none, or the name. */
enum rc take_open(struct err *e, const struct conf *c);
/* What this server is called in what is signed for it. After seal_load(); good until this thread asks again. */
const char *take_name(void);

/* Who signed, and what: of a request whose signature holds. */
struct take {
    struct warning_sender sender;
    struct warning_spec spec; /* confirmed, or of a test key the proposed one */
    const char *text;         /* of the spec */
    const struct warning_key *key;
    bool test;
    const char *name; /* of this server, as it stood in the field */
    int64_t time;
    struct slice signature, bytes;
    struct cap cap;
};

/* On a worker. RC_UNAUTHORIZED, RC_FORBIDDEN: the signature; RC_INVALID, RC_TOO_LARGE: the document. Everything in `out` lives in w->mem, the bytes as long as the caller's. */
enum rc take_read(struct work *w, const char *authorization, const char *bytes, size_t n,
                  struct take *out);
/*
 * On the writer. `again`: it was here already, and nothing happened. RC_FORBIDDEN, RC_INVALID: a rule (rule.h); RC_CONFLICT: the identifier has other content, what it refers to is over or of
 * another chain; RC_NOT_FOUND: it refers to what is not here.
 */
enum rc take(struct work *w, const struct take *t, struct warning *out, bool *again);

/* What is signed, in `mem`. */
void take_signed(struct buf *out, const char *key, const char *to, const char *time,
                 const char *bytes, size_t n);

#endif
