/*
 * campaign_state.c - the tables as arrays, and what follows from them alone.
 */
#include "push/campaign_state.h"

#include <string.h>

enum { CAMPAIGN_SAME = -1 };

const struct campaign_state_row campaign_states[CAMPAIGN_STATES] = {
#define CAMPAIGN_STATE(name, word, chinese) { word, chinese },
#define CAMPAIGN_ASK(name, chinese)
#define CAMPAIGN_STEP(name, word, chinese, who, from, to, text, asks)
#include "push/campaign_state.def"
#undef CAMPAIGN_STATE
#undef CAMPAIGN_ASK
#undef CAMPAIGN_STEP
};

const char *const campaign_asks[CAMPAIGN_ASKS] = {
#define CAMPAIGN_STATE(name, word, chinese)
#define CAMPAIGN_ASK(name, chinese) chinese,
#define CAMPAIGN_STEP(name, word, chinese, who, from, to, text, asks)
#include "push/campaign_state.def"
#undef CAMPAIGN_STATE
#undef CAMPAIGN_ASK
#undef CAMPAIGN_STEP
};

#define IS(state) 1u << CAMPAIGN_##state
#define ASKS(ask) 1u << CAMPAIGN_ASK_##ask

const struct campaign_step_row campaign_steps[CAMPAIGN_STEPS] = {
#define CAMPAIGN_STATE(name, word, chinese)
#define CAMPAIGN_ASK(name, chinese)
#define CAMPAIGN_STEP(name, word, chinese, who, from, to, text, asks) \
    { word, chinese, CAMPAIGN_BY_##who, from, CAMPAIGN_##to, CAMPAIGN_TEXT_##text, asks },
#include "push/campaign_state.def"
#undef CAMPAIGN_STATE
#undef CAMPAIGN_ASK
#undef CAMPAIGN_STEP
};

int campaign_state_parse(const char *word)
{
    for (int i = 0; i < CAMPAIGN_STATES; i++)
        if (!strcmp(campaign_states[i].word, word))
            return i;
    return -1;
}

int campaign_step_parse(const char *word)
{
    for (int i = 0; i < CAMPAIGN_STEPS; i++)
        if (!strcmp(campaign_steps[i].word, word))
            return i;
    return -1;
}

static void print_states(struct buf *out, unsigned from, const char *between)
{
    const char *comma = "";

    for (int i = 0; i < CAMPAIGN_STATES; i++)
        if (from >> i & 1) {
            buf_printf(out, "%s%s", comma, campaign_states[i].chinese);
            comma = between;
        }
}

enum rc campaign_state_next(struct err *e, enum campaign_step step, enum campaign_state from,
                            enum campaign_state *to)
{
    const struct campaign_step_row *row = &campaign_steps[step];
    struct buf could = BUF_HEAP;
    enum rc rc;

    if (row->from >> from & 1) {
        *to = row->to == CAMPAIGN_SAME ? from : (enum campaign_state)row->to;
        return RC_OK;
    }
    print_states(&could, row->from, "、");
    rc = err_set(e, RC_CONFLICT, "这条推送%s，不能%s：要在%s的时候",
                 campaign_states[from].chinese, row->chinese, could.n ? could.p : "还没有");
    buf_done(&could);
    return rc;
}

/* ---- for the page ---- */

static void print_asks(struct buf *out, const struct campaign_step_row *row)
{
    static const char *const texts[] = {
        [CAMPAIGN_TEXT_NO] = NULL, [CAMPAIGN_TEXT_MAY] = NULL, [CAMPAIGN_TEXT_MUST] = "理由"
    };
    const char *comma = texts[row->text] ? "；" : "";

    buf_adds(out, texts[row->text] ? texts[row->text] : "");
    for (int i = 0; i < CAMPAIGN_ASKS; i++)
        if (row->asks >> i & 1) {
            buf_printf(out, "%s%s", comma, campaign_asks[i]);
            comma = "；";
        }
}

void campaign_print_doc(struct buf *out)
{
    static const char *const who[] = { [CAMPAIGN_BY_OPERATOR] = "推送员",
                                       [CAMPAIGN_BY_APPROVER] = "审批员",
                                       [CAMPAIGN_BY_EITHER] = "任一",
                                       [CAMPAIGN_BY_SERVER] = "服务器" };

    buf_adds(out, "| step | | who | from | to | what is asked |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < CAMPAIGN_STEPS; i++) {
        const struct campaign_step_row *row = &campaign_steps[i];

        buf_printf(out, "| `%s` | %s | %s | ", row->word, row->chinese, who[row->who]);
        print_states(out, row->from, "、");
        buf_printf(out, " | %s | ", row->to < 0 ? "不变" : campaign_states[row->to].chinese);
        print_asks(out, row);
        buf_adds(out, " |\n");
    }
}
