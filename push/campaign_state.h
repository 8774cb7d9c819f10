/*
 * campaign_state.h - where a campaign may stand, what may be done with it there, by whom, and what is asked: the tables of campaign_state.def.
 */
#ifndef PUSH_CAMPAIGN_STATE_H
#define PUSH_CAMPAIGN_STATE_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/err.h"

enum campaign_state {
#define CAMPAIGN_STATE(name, word, chinese) CAMPAIGN_##name,
#define CAMPAIGN_ASK(name, chinese)
#define CAMPAIGN_STEP(name, word, chinese, who, from, to, text, asks)
#include "push/campaign_state.def"
#undef CAMPAIGN_STATE
#undef CAMPAIGN_ASK
#undef CAMPAIGN_STEP
    CAMPAIGN_STATES
};

enum campaign_ask {
#define CAMPAIGN_STATE(name, word, chinese)
#define CAMPAIGN_ASK(name, chinese) CAMPAIGN_ASK_##name,
#define CAMPAIGN_STEP(name, word, chinese, who, from, to, text, asks)
#include "push/campaign_state.def"
#undef CAMPAIGN_STATE
#undef CAMPAIGN_ASK
#undef CAMPAIGN_STEP
    CAMPAIGN_ASKS
};

enum campaign_step {
#define CAMPAIGN_STATE(name, word, chinese)
#define CAMPAIGN_ASK(name, chinese)
#define CAMPAIGN_STEP(name, word, chinese, who, from, to, text, asks) CAMPAIGN_DO_##name,
#include "push/campaign_state.def"
#undef CAMPAIGN_STATE
#undef CAMPAIGN_ASK
#undef CAMPAIGN_STEP
    CAMPAIGN_STEPS
};

enum campaign_who {
    CAMPAIGN_BY_OPERATOR,
    CAMPAIGN_BY_APPROVER,
    CAMPAIGN_BY_EITHER,
    CAMPAIGN_BY_SERVER
};
enum campaign_text { CAMPAIGN_TEXT_NO, CAMPAIGN_TEXT_MAY, CAMPAIGN_TEXT_MUST };

struct campaign_state_row {
    const char *word, *chinese;
};
struct campaign_step_row {
    const char *word, *chinese;
    enum campaign_who who;
    unsigned from; /* 1 << enum campaign_state; 0: before there is one */
    int to;        /* enum campaign_state; -1: as it was */
    enum campaign_text text;
    unsigned asks; /* 1 << enum campaign_ask */
};

extern const struct campaign_state_row campaign_states[CAMPAIGN_STATES];
extern const struct campaign_step_row campaign_steps[CAMPAIGN_STEPS];
extern const char *const campaign_asks[CAMPAIGN_ASKS]; /* 中文 */

int campaign_state_parse(const char *word); /* -1: there is none */
int campaign_step_parse(const char *word);  /* -1: there is none */

/* Where the step leads from there. RC_CONFLICT says where it stands, and from where the step could be taken. */
enum rc campaign_state_next(struct err *e, enum campaign_step step, enum campaign_state from,
                            enum campaign_state *to);

/* The table of steps as docs/push.md has it. */
void campaign_print_doc(struct buf *out);

#endif
