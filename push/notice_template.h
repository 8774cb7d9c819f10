/*
 * notice_template.h - what a business system may say to one person: drafted by it or by staff, approved by staff, a version a row.
 *
 *     (new) --draft--> submitted --approve--> approved --a newer one is approved--> replaced
 *                          |  \--return--> returned     \--retire--> retired
 *                          \--draft--> submitted, another text
 *
 * An approval is of the hash of party, name and words. Until a newer version is approved, the older one is sent by.
 */
#ifndef PUSH_NOTICE_TEMPLATE_H
#define PUSH_NOTICE_TEMPLATE_H

#include "push/notice_words.h"
#include "server/identity/party.h"

enum {
    NOTICE_TEMPLATES_MAX = 500, /* versions of a party that are submitted or approved */
    NOTICE_TEMPLATE_PAGE = 50,
    NOTICE_WHY_MAX = 500 /* characters */
};

struct notice_template {
    int64_t no, party;
    const char *name, *words;            /* words: canonical JSON */
    const char *state;                   /* "submitted" … */
    const char *author, *approver, *why; /* actors; NULL: none yet */
    uint8_t hash[HASH_BYTES];
    int64_t changed; /* seconds */
};

const char *notice_state_chinese(const char *state); /* NULL: there is no such state */

/* Whose templates somebody may see and draft: a program its own alone; of staff, who may push EVERYWHERE. RC_FORBIDDEN. */
enum rc notice_may(struct work *w, int64_t party);

/* RC_NOT_FOUND. No rights are asked. In w->mem. */
enum rc notice_template_find(struct work *w, int64_t no, struct notice_template *out);
/* The version by which is sent. RC_NOT_FOUND: there is none of that name. RC_CONFLICT: none is approved. */
enum rc notice_template_live(struct work *w, int64_t party, const char *name,
                             struct notice_template *out);
struct notice_template_query {
    int64_t party;     /* 0: of all */
    const char *state; /* "": any */
    int64_t before;    /* number; 0: from the newest */
};
/* The newest first, at most NOTICE_TEMPLATE_PAGE. */
enum rc notice_template_list(struct work *w, const struct notice_template_query *q,
                             struct notice_template **out, int *n);

/* ---- on the writer ---- */

/*
 * A new version, submitted; of a name of which one is submitted, that one with another text. `words` as notice_words_read() takes them. RC_FORBIDDEN, RC_INVALID; a link's host must be one of the
 * party's registered addresses, or a site's domain.
 */
enum rc notice_template_draft(struct work *w, const struct party *p, const char *name,
                              json_t *words, struct notice_template *out);
/* RC_CONFLICT: it is not submitted, or says something else by now. RC_FORBIDDEN: without the right, by a program, or his own: drafted by him, or of a party that he owns. */
enum rc notice_template_approve(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES],
                                struct notice_template *out);
enum rc notice_template_return(struct work *w, int64_t no, const char *why,
                               struct notice_template *out);
/* Nothing is sent by it any more. By who approves, and who may draft it. */
enum rc notice_template_retire(struct work *w, int64_t no, const char *why,
                               struct notice_template *out);

#endif
