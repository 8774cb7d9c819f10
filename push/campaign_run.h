/*
 * campaign_run.h - what a campaign's steps do to what is on its way: its run (run.h), and the run of its test send.
 *
 * A campaign's run has its number; the run of its test send has that number below zero, for an audience of the accounts that the setting `push_testers` names.
 */
#ifndef PUSH_CAMPAIGN_RUN_H
#define PUSH_CAMPAIGN_RUN_H

#include "push/campaign.h"

enum {
    CAMPAIGN_TEST_FOR = 600,   /* seconds that a test send may take */
    CAMPAIGN_RECALL_FOR = 3600 /* … and a recall: who is not reached by then keeps it */
};

/* On the writer, in the transaction of the step. RC_CONFLICT says why it cannot be: nobody is a tester, a test is on its way. */
enum rc campaign_run(struct work *w, const struct campaign *c, enum campaign_step step);
/*
 * On the writer: the run of a test is over. If anybody got it, the campaign counts as tested, with what it said when the test began; a step says how many did, and what became of the others.
 */
enum rc campaign_run_tested(struct work *w, int64_t run);
/*
 * On the writer: the next part of a recall. Once nothing of the campaign is on its way any more, a run of its own takes back what was accepted or is in doubt; `revokes`: bits of transports that
 * remove a message rather than overwrite it. RC_OK: something was done; RC_BUSY: something is on its way; RC_NOT_FOUND: nothing is left to be done.
 */
enum rc campaign_run_recall(struct work *w, int64_t no, unsigned revokes);

#endif
