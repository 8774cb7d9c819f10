/*
 * warning.h - messages that were taken, byte for byte, each in its chain: Alert, Updates, Cancel.
 */
#ifndef WARNING_WARNING_H
#define WARNING_WARNING_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "server/library/content.h"
#include "warning/cap.h"
#include "warning/ident.h"
#include "warning/level.h"

enum {
    WARNING_LIVE_MAX = 500,
    WARNING_PAGE_MAX = 200,
    WARNING_TESTS_KEPT = 400 * 86400 /* seconds that tests and exercises stay */
};

struct warning {
    int64_t no;
    const char *identifier;
    bool test; /* its key was only proposed */
    int64_t sender;
    const char *key, *alg, *pem; /* its id; the public key of then */
    const char *name;            /* of this server, as it was signed for */
    int64_t signed_at;
    struct slice signature, bytes;
    uint8_t hash[HASH_BYTES]; /* SHA-256 of the bytes */
    int64_t chain;            /* number of its first */
    enum cap_status status;
    enum cap_type type;
    enum level level;
    const char *areas; /* "120101,120102" */
    const char *title;
    int64_t sent, expires, received;
    struct id item; /* if rev */
    int64_t rev;    /* of the item; 0: it was shown to nobody */
    int64_t run;    /* of push; 0: it was not pushed */
};

/* With its bytes; RC_NOT_FOUND. Texts are in w->mem. */
enum rc warning_find(struct work *w, const char *identifier, bool test, struct warning *out);
/* The newest of a chain. */
enum rc warning_last(struct work *w, int64_t chain, struct warning *out);
/* The run that reached most of a chain last; 0: none did. */
enum rc warning_last_run(struct work *w, int64_t chain, int64_t *run);
/* All that were taken, the newest first, without bytes; `before`: a number, 0: from the newest. */
enum rc warning_list(struct work *w, int64_t before, int most, struct warning **out, int *n);

/* On the writer: sets x->no, and x->chain if it is 0. RC_CONFLICT: the identifier is taken. */
enum rc warning_add(struct work *w, struct warning *x);
/* On the writer: item, rev and run. */
enum rc warning_set_shown(struct work *w, const struct warning *x);

#endif
