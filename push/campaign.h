/*
 * campaign.h - a message about a published record: what it says, whom it reaches, when; and the hash by which all of that is approved.
 *
 *     hash = BLAKE2b-256 of the canonical JSON
 *            {"audience":{…},"class":"marketing","column":12,"districts":["120101",…],"doubt":"skip","item":"0190…","link":"","pace":0,"picture":"",
 *             "revision":3,"start":1795000000,"text":"…","title":"…","ttl":86400}
 *
 * Whatever changes one of these, changes it; the test send and the approvals are of a hash, so they are void then (push_approval, push_campaign.tested).
 *
 * What may be done with it: campaign_step.h. How staff write it: campaign_read().
 */
#ifndef PUSH_CAMPAIGN_H
#define PUSH_CAMPAIGN_H

#include "push/campaign_state.h"
#include "push/limit.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/work.h"

/* What becomes of a device of which it is not known whether the message arrived: it is sent again, or stays with the inbox. Numbers stand in rows, and are those of enum run_doubt. */
enum campaign_doubt { CAMPAIGN_RESEND = 1, CAMPAIGN_SKIP = 2 };

enum {
    CAMPAIGN_TITLE_MAX = 50, /* characters */
    CAMPAIGN_BODY_MAX = 500,
    CAMPAIGN_LINK_MAX = 500, /* bytes */
    CAMPAIGN_WHY_MAX = 500,
    CAMPAIGN_DISTRICTS = 64,
    CAMPAIGN_PACE_MAX = 1000000,
    CAMPAIGN_TTL_MIN = 60, /* seconds */
    CAMPAIGN_TTL_MAX = 2592000,
    CAMPAIGN_TTL_USUAL = 86400,
    CAMPAIGN_AHEAD = 30 * 86400,
    CAMPAIGN_APPROVED_FOR = 7 * 86400,
    CAMPAIGN_PAGE_MAX = 200,
    CAMPAIGN_JSON_MAX = 131072
};

struct campaign {
    int64_t no, site, rev, col;
    struct id item;
    enum push_class class;
    const char *title, *text, *link, *picture; /* "": none */
    const char *audience, *districts;          /* canonical JSON */
    int64_t start;                             /* seconds; 0: at once */
    enum campaign_doubt doubt;
    int64_t ttl, pace; /* seconds; devices a second, 0: as the vendors allow */
    enum campaign_state state;
    uint8_t hash[HASH_BYTES];
    bool tested;      /* with this very hash */
    int64_t approved; /* seconds: when the last approval that was needed came; 0: not yet */
    int64_t fired;    /* seconds: when its snapshot was written; 0: not yet */
    int64_t copied;   /* the campaign that it was a copy of; 0: none */
    int64_t created, changed;
};

const char *push_class_word(enum push_class class); /* "marketing" */
const char *push_class_chinese(enum push_class class);
int push_class_parse(const char *word); /* 0: there is none */
const char *campaign_doubt_word(enum campaign_doubt doubt);

/* ---- what the server's owner settled; before the threads start ---- */
struct campaign_conf {
    const char *news_licence; /* number of the 互联网新闻信息服务许可; "": there is none */
    const char *sender;       /* who it is from; "": the record's site */
    int64_t two_eyes_from; /* devices, from which on it needs two approvals */
    int64_t
        a_person; /* messages of 资讯营销 a person and day, on all of his devices; 0: as many as vendors allow */
    const struct conf_list *
        columns; /* numbers of columns whose major revisions want a push (missing.h); NULL: none */
    int64_t missing_after;           /* seconds */
    const struct conf_list *testers; /* numbers of accounts; NULL: none */
};
/* RC_INVALID. Keeps copies. */
enum rc campaign_open(struct err *e, const struct campaign_conf *c);
const struct campaign_conf *campaign_settled(void);
/* Which transports can send, bits 1 << enum transport; 0: none can. Said by who sends, before he does. */
void campaign_transports(unsigned on);
bool campaign_is_on(enum transport by);

/* ---- as staff write it ---- */
/*
 * The members of a JSON object into a campaign: all that it must say if it is `new`, else those that are there and the others stay. RC_INVALID names the field. It does not ask whether the record is there: campaign_step.h.
 *
 *     {"item":"0190…","class":"marketing","title":"…","text":"…","audience":{…},"start":"2026-11-21T18:00:00+08:00","link":"https://…","picture":"9f86…",
 *      "districts":["120101"],"doubt":"skip","ttl":86400,"pace":0}
 */
enum rc campaign_read(struct work *w, const json_t *body, bool new, struct campaign *c);
/* Sets c->hash. */
enum rc campaign_hash(struct work *w, struct campaign *c);

/* ---- rows ---- */
/* RC_NOT_FOUND. Texts are in w->mem. No rights are asked. */
enum rc campaign_find(struct work *w, int64_t no, struct campaign *out);
struct campaign_query {
    int64_t site;      /* EVERYWHERE: of all */
    const char *state; /* word; "": any */
    int64_t before;    /* number; 0: from the newest */
    int most;
};
/* Newest first. */
enum rc campaign_list(struct work *w, const struct campaign_query *q, struct campaign **out,
                      int *n);
/* Those about an item, oldest first, in w->mem. No rights are asked. A damaged one is left out: alerts tell of it. */
enum rc campaign_of_item(struct work *w, const struct id *item, struct campaign **out, int *n);
/* On the writer: a new row, its number in c->no; or all that it says, of one that is there. */
enum rc campaign_insert(struct work *w, struct campaign *c);
enum rc campaign_update(struct work *w, const struct campaign *c);

/*
 * On the writer: a message in the inbox of each tester that says what a citizen would read, once a hash. *phones: how many of theirs some transport can reach now. RC_CONFLICT: nobody is named
 * as one, or who is named is not there.
 */
enum rc campaign_try(struct work *w, const struct campaign *c, int *phones);

/* ---- for who sends ---- */
/* Numbers of those that are to start by `now`, and of those in a state, the earliest first; at most `most`. In w->mem. */
enum rc campaign_due(struct work *w, int64_t now, int most, int64_t **no, int *n);
enum rc campaign_in_state(struct work *w, enum campaign_state state, int most, int64_t **no,
                          int *n);
/* When the next one is to start after `now`; 0: none is. */
enum rc campaign_next(struct work *w, int64_t now, int64_t *at);
/* On the writer, in the transaction that writes the snapshot: it has fired. RC_CONFLICT: it had already, and nothing may be written. */
enum rc campaign_fired(struct work *w, int64_t no);
/* On the writer: testers got what this hash stands for. Nothing happens if it is another's by now. */
enum rc campaign_tested(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES]);

/* What a phone shows: the sender and the way to opt out are always in it. In w->mem. What one transport makes of it: campaign_fit.h. */
struct campaign_shown {
    const char *title, *text, *link, *picture;
    const char *bare,
        *sender; /* the text without who it is from and how to refuse it, and who that is; NULL: nobody told */
};
enum rc campaign_shown(struct work *w, const struct campaign *c, struct campaign_shown *out);

#endif
