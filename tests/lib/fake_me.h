/*
 * fake_me.h - a server of people, in memory: docs/protocol/state.md and the parts of auth.md that a phone needs, written from those pages. Its faults come from a seed.
 */
#ifndef TESTS_LIB_FAKE_ME_H
#define TESTS_LIB_FAKE_ME_H

#include <jansson.h>

#include "clients/c/tjzw_me.h"
#include "tests/lib/tjzw_phone.h"

enum { FAKE_ACCOUNTS = 16, FAKE_SESSIONS = 64 };

struct fake_account {
    bool made, guest, gone;
    int64_t seq;
    json_t *entries; /* "type key" to {"key","seq","type","value","needs"?} */
    json_t *devices; /* id to {"n","acked","results":{n:{"asked","answer"}}} */
};

struct fake_session {
    int64_t account; /* 0: ended, or free */
    unsigned generation;
    uint64_t exchanged_ms; /* of fake_me.now_ms */
};

struct fake_me {
    struct phone *phone; /* whose public content is asked beside it; NULL: there is none */
    struct fake_account accounts[FAKE_ACCOUNTS];
    struct fake_session sessions[FAKE_SESSIONS];
    int64_t epoch;
    unsigned lineage; /* with another one a number is somebody else's */
    uint64_t now_ms;  /* moves by 1 with each request, and as a test wants */
    unsigned page;    /* entries in an answer at most; 0: as asked */
    unsigned takes;   /* mutations that one exchange takes at most; 0: all */
    int64_t floor;    /* cursors before this seq get a reset */
    bool
        all_expired; /* every access token of an older generation than its session's is refused anyway; this refuses the newest too, once */
    const char *needs;       /* JSON that entries of the type `letter` carry; NULL: none */
    const char *receipt_key; /* 64 hex digits; NULL: there is no such route */
    const char *refuses;     /* a key that is refused; NULL: none */
    int busy;                /* so many exchanges are answered 503 */

    uint64_t seed; /* of faults; advances */
    unsigned percent;
    bool cut; /* no network at all */

    const char *
        sending; /* the hash of a file that somebody else is sending all the time: its uploads are answered 409; NULL: none */
    const char *
        uploads_say; /* of the next uploads, one letter each: 'b' 503, 'c' 409 without an offset, 's' 409 with the one that was sent, 'g' 410 */

    bool deaf; /* answers to exchanges of tokens are lost on the way back */

    unsigned cut_after; /* if above 0: after so many exchanges the network is gone */

    unsigned requests, exchanges, refreshes, adoptions, farewells, lost, uploads;
    int counts_status; /* how POST /v1/counts is answered; 0: as it should be */
    json_t *reports;   /* name to the report as it came */
    json_t *last;      /* the last body of an exchange */
    json_t *applied;   /* every mutation that took effect: its "type key value" to how often */
};

void fake_me_start(struct fake_me *f, struct phone *p);
void fake_me_end(struct fake_me *f);
/* struct tjzw_transport.get; ctx: the fake_me. */
void fake_me_get(void *ctx, struct tjzw_request *requests, size_t n, bool (*stop)(void *),
                 void *stop_ctx);
/* What stands there as JSON text; NULL: nothing. Free it. */
char *fake_me_value(struct fake_me *f, int64_t account, const char *type, const char *key);
/* As another device would. value NULL: removed. */
void fake_me_put(struct fake_me *f, int64_t account, const char *type, const char *key,
                 const char *value);
/* As a restore would: all that `f` knew when it was copied, and another epoch. */
void fake_me_copy(struct fake_me *to, const struct fake_me *from);
void fake_me_restore(struct fake_me *f, const struct fake_me *backup);

#endif
