/*
 * campaign_inbox.h - what a campaign for a list of accounts puts into their inboxes, and takes back (docs/inbox.md, "To everybody").
 *
 *     fired --> PUTTING, some accounts a transaction, by their place in the list --> OVER
 *                  \------------- recalled -------------> TAKING back ------------/
 *
 * Each message is of the group `campaign/NO`, so an interrupted transaction is done again and nobody gets two. It goes on while the campaign runs, and waits while it is paused. Audiences that are told by what
 * phones know are no rows: they are items of kind `message`.
 */
#ifndef PUSH_CAMPAIGN_INBOX_H
#define PUSH_CAMPAIGN_INBOX_H

#include "push/campaign.h"

enum { CAMPAIGN_INBOX_AT_ONCE = 100 /* accounts in one transaction */ };

/* On the writer, in the transaction that fires: nothing, if the audience is no list. */
enum rc campaign_inbox_begin(struct work *w, const struct campaign *c);
/* On the writer, in the transaction that recalls: nothing more is put from now on, and what is there will be taken back. */
enum rc campaign_inbox_recall(struct work *w, int64_t no);
/* On the writer: a few accounts more of one campaign, *no. RC_NOT_FOUND: nothing is to be put or taken back now. */
enum rc campaign_inbox_step(struct work *w, int64_t *no);

struct campaign_inbox {
    int64_t accounts; /* of the list, from its beginning, that were seen to */
    int64_t put;      /* … and have the message, or had it */
    int64_t taken;    /* taken back */
    bool over;        /* all of it is done */
};
/* RC_NOT_FOUND: it never had any. */
enum rc campaign_inbox_count(struct work *w, int64_t no, struct campaign_inbox *out);

#endif
