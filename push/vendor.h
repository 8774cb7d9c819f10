/*
 * vendor.h - one vendor's language: what his server is asked, and what its answers mean. Pure: no socket, no clock, no state but the keys. One file push/vendor_*.c and one row of
 * vendor.c each; docs/protocol/push.md has all of it field by field.
 *
 * Nothing a vendor says is believed further than one row of a table goes, and a token counts as gone only by an answer about that token.
 */
#ifndef PUSH_VENDOR_H
#define PUSH_VENDOR_H

#include "push/lane.h"
#include "push/limit.h"
#include "server/base/arena.h"
#include "server/base/conf.h"

struct push_message {
    const char *title, *text; /* UTF-8, within push_limit() */
    const char *link;         /* https URL that a tap opens; "": the application */
    const char *picture;      /* https URL; "": none */
    const char *sender;       /* whose message it is: shown where the vendor has a place */
    const char *
        collapse; /* 1 to 32 letters, digits, - and _: a later message of it takes the earlier one's place */
    int64_t ttl;    /* seconds, at least 1 */
    int64_t number; /* of the campaign, for the application's count of clicks */
    enum push_class class;
    bool news;
    int badge; /* number on the application's icon; -1: it stays */
    const char *
        mark; /* of its receipts (run_receipt.h): the vendor gives it back with them; "" or NULL: none are wanted */
    const char
        *ticket; /* what the vendor calls it (ask_ticket of struct vendor); NULL: nothing yet */
    bool
        takes_back; /* it takes back what was sent with the same `collapse`: vendor_recalls() says how */
};

/*
 * How a message that was accepted can be taken back (docs/protocol/push.md has it by vendor). Either way it is only asked for: whoever has read it has read it, and nobody tells us which.
 *
 *   NONE       it cannot: whoever has it keeps it
 *   OVERWRITE  a message of the same collapse id takes its place: its title and text say that it was withdrawn. They should differ from campaign to campaign, for vivo drops what it knows
 *              already; and it counts as a message with the vendor, with his quotas and nights
 *   REVOKE     the vendor removes it, unread or undelivered; title and text say nothing then
 */
enum vendor_recall { VENDOR_RECALL_NONE, VENDOR_RECALL_OVERWRITE, VENDOR_RECALL_REVOKE };

/* What became of one device. */
enum push_verdict_kind {
    PUSH_AGAIN =
        0, /* certainly not delivered, for no fault of the message or the token: to be tried again */
    PUSH_ACCEPTED,
    PUSH_REJECTED, /* and will be */
    PUSH_GONE,     /* there is no such token any more */
    PUSH_QUOTA,    /* had as many today as the vendor allows */
    PUSH_DOUBT,    /* may have been delivered */
};

struct push_verdict {
    enum push_verdict_kind kind;
    int64_t
        gone_ms; /* PUSH_GONE: since then, milliseconds since 1970: it holds only for tokens told before; 0: whenever told */
    const char *
        why; /* a word of the vendor's for reports: [A-Za-z0-9_.-]; "": nothing to say. A literal, or in the arena */
};

/* A request, in the arena of who built it. */
struct vendor_request {
    const char *method, *url;
    const char *const *headers; /* "name: value", NULL ends them */
    const char *body;           /* may hold NULs; NULL: none */
    size_t body_n;
    int first, n; /* it is about tokens[first] to tokens[first + n - 1] */
    const char *
        service; /* whose pace it is, of a transport that is of many services; NULL: the transport's */
    bool public_only; /* a citizen's browser named the host: never into our own network */
};

/* What came of it (post.h). */
enum vendor_fate { VENDOR_ANSWERED, VENDOR_UNSENT, VENDOR_DOUBT };
struct vendor_answer {
    enum vendor_fate fate;
    int status;
    const char *headers; /* lines "name: value\n", names in lower case; NUL-terminated */
    const char *body;    /* NUL-terminated; may hold others */
    size_t body_n;
    int64_t now; /* seconds since 1970 */
};

/* What an answer says beside the verdicts. */
struct vendor_heard {
    enum lane_news news;
    int64_t after_ms; /* Retry-After, for those that were asked about; 0: it had none */
    int64_t
        lane_after_ms; /* … for all: 0 too if it is about one device, or one of many services */
    bool
        grant_refused; /* the grant is not good any more, though by its time it should be: another one, and all PUSH_AGAIN */
};

/* By what we may send: an access token that the vendor gave, or a statement that we signed. */
struct vendor_grant {
    char *text;    /* in the arena of who took it; never logged */
    int64_t until; /* seconds since 1970: then it is too old */
    int64_t renew; /* … and from then on there should be another */
};

/*
 * What a vendor tells later of a message that he took. The mark is what the message was sent with; what was not sent with one has "".
 */
enum vendor_receipt_kind {
    VENDOR_DELIVERED = 1,
    VENDOR_CLICKED,
    VENDOR_DROPPED, /* taken, and then not shown: the application is gone or silenced, the phone was off for too long */
    VENDOR_RECEIPT_KINDS
};

enum { VENDOR_RECEIPTS = 2000 }; /* of one request */

struct vendor_receipt {
    enum vendor_receipt_kind kind;
    const char *mark, *token;
    int64_t run; /* run_receipts_check(): whose mark it is; 0: nobody's */
};

struct vendor_receipts {
    struct arena *mem;
    int n;
    struct vendor_receipt of[VENDOR_RECEIPTS];
};

struct vendor_keys; /* private keys of the settings, read once: vendor_keys.h */

struct vendor_site {
    const struct conf *conf;
    const struct vendor_keys *keys;
};

/* A setting without which a vendor is off: a text of struct conf, and what is said if it is not there. */
struct vendor_need {
    size_t at;
    const char *without; /* NULL ends the list */
};

struct vendor {
    enum transport by;
    /* Its settings, and who looks at those himself that are more than there or not: see vendor_lacks(). Either may be NULL. */
    const struct vendor_need *needs;
    const char *(*lacks)(const struct vendor_site *s);
    /* NULL: such a token may be sent to; else why not. Without it: whatever transport.def allows. `keys` are not looked at. */
    const char *(*refuses)(const struct vendor_site *s, struct arena *mem, const char *token);
    /* How to get a grant: by a request and its answer (false: it was no grant), or signed here; both NULL: none is needed. */
    void (*ask_grant)(const struct vendor_site *s, struct arena *mem, int64_t now,
                      struct vendor_request *out);
    bool (*take_grant)(const struct vendor_site *s, struct arena *mem,
                       const struct vendor_answer *a, struct vendor_grant *out);
    bool (*sign_grant)(const struct vendor_site *s, struct arena *mem, int64_t now,
                       struct vendor_grant *out);
    /*
     * Of a vendor who wants a message before its tokens: the request that brings it, for jobs of at least ticket_from tokens (0: he wants no such thing), and the ticket of its answer, in
     * `mem`. NULL: *all says what becomes of its tokens, none of which it has reached; RC_INVALID: it can never be sent.
     */
    int ticket_from;
    enum rc (*ask_ticket)(const struct vendor_site *s, struct arena *mem, const char *grant,
                          const struct push_message *m, int64_t now,
                          struct vendor_request *out);
    const char *(*take_ticket)(struct arena *mem, const struct vendor_answer *a,
                               struct push_verdict *all, struct vendor_heard *heard);
    /* Of a transport of many services: whose pace this token is of, asked before its message is made; NULL: nobody's, build() will refuse it. */
    const char *(*service)(const struct vendor_site *s, struct arena *mem, const char *token);
    /*
     * One request, about the first of the n tokens and as many more as it takes; RC_INVALID: that first token, or the message, can never be sent there.
     */
    enum rc (*build)(const struct vendor_site *s, struct arena *mem, const char *grant,
                     const struct push_message *m, const char *const *tokens, int n,
                     int64_t now, struct vendor_request *out);
    /* Of an answer that came (VENDOR_ANSWERED). out[] has rq->n verdicts, of the tokens in their order. */
    void (*judge)(struct arena *mem, const char *const *tokens, const struct vendor_request *rq,
                  const struct vendor_answer *a, struct push_verdict *out,
                  struct vendor_heard *heard);
    /* Of a vendor who tells what became of messages: what a request of his says, NUL-terminated, added to `out`. False: he would not write so. NULL: he tells nothing. */
    bool (*read_receipts)(struct arena *mem, const char *body, size_t n,
                          struct vendor_receipts *out);
    /* How it takes a message back; for REVOKE its request, as build() is, and judged by judge(). What is overwritten is built by build(). */
    enum vendor_recall recalls;
    enum rc (*revoke)(const struct vendor_site *s, struct arena *mem, const char *grant,
                      const struct push_message *m, const char *const *tokens, int n,
                      int64_t now, struct vendor_request *out);
    bool (*can_revoke)(const struct vendor_site *s); /* NULL: whenever it is on */
};

/* NULL: there is none for that transport. */
const struct vendor *vendor_of(enum transport by);
/* What is missing of its settings: NULL: nothing, it is on; "": all, it is off; else a sentence about the first. */
const char *vendor_lacks(const struct vendor *v, const struct vendor_site *s);
/* Whether it can send: all of its settings are there. */
bool vendor_is_on(enum transport by, const struct vendor_site *s);
/* Before the threads start: by whose settings a phone's token is judged. Keeps the pointer. */
void vendor_open(const struct conf *c);
/* What a phone tells of itself: NULL, or why nothing would ever be sent there. NULL, too, before vendor_open(). */
const char *vendor_refuses(enum transport by, struct arena *mem, const char *token);
/* How it takes messages back here; a vendor that cannot revoke for want of a setting overwrites. */
enum vendor_recall vendor_recalls(enum transport by, const struct vendor_site *s);
/* build(), or what takes it back. RC_INVALID too: it cannot be taken back. */
enum rc vendor_build(const struct vendor *v, const struct vendor_site *s, struct arena *mem,
                     const char *grant, const struct push_message *m, const char *const *tokens,
                     int n, int64_t now, struct vendor_request *out);
/* judge() for every fate: what was never sent is PUSH_AGAIN, what is in doubt PUSH_DOUBT. */
void vendor_judge(const struct vendor *v, struct arena *mem, const char *const *tokens,
                  const struct vendor_request *rq, const struct vendor_answer *a,
                  struct push_verdict *out, struct vendor_heard *heard);
/* take_ticket() for every fate. A ticket that nobody got leaves no token in doubt: PUSH_AGAIN. */
const char *vendor_take_ticket(const struct vendor *v, struct arena *mem,
                               const struct vendor_answer *a, struct push_verdict *all,
                               struct vendor_heard *heard);

#endif
