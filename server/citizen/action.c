/*
 * action.c - the table of actions, and the smallest of them.
 *
 * To add one, add a row, and a function in a file of the noun it is about.
 */
#include "server/citizen/action.h"

#include <stdlib.h>
#include <string.h>

#include "server/citizen/entry.h"
#include "server/citizen/inbox.h"
#include "server/citizen/letter_action.h"
#include "server/citizen/survey.h"
#include "sync/state.h"

static const struct {
    const char *code, *chinese;
} words[REFUSED_COUNT] = {
#define REFUSED(name, chinese) [REFUSED_##name] = { #name, chinese },
#include "server/citizen/refused.def"
#undef REFUSED
};

const char *refused_code(enum refused why)
{
    return words[why].code;
}

const char *refused_chinese(enum refused why)
{
    return words[why].chinese;
}

enum rc result_refuse(struct result *r, enum refused why, const char *detail)
{
    r->why = why;
    r->detail = detail;
    return RC_OK;
}

struct buf *result_more(struct work *w, struct result *r)
{
    if (!r->more.n) {
        r->more = BUF_IN(w->mem);
        buf_addc(&r->more, '{');
    }
    return &r->more;
}

/* ---- messages ---- */

/* message.drop: its owner wants to see it no more. */
static enum rc drop_message(struct work *w, const struct mutation *m, struct result *r)
{
    struct entry e;
    enum rc rc;

    if (!state_key_ok(state_type_find("message"), m->key))
        return result_refuse(r, REFUSED_key, NULL);
    if (m->value)
        return result_refuse(r, REFUSED_value, NULL);
    if ((rc = inbox_drop(w, m->account, strtoll(m->key, NULL, 10))))
        return rc;
    rc = entry_get(w, m->account, "message", m->key, &e);
    r->seq = rc ? 0 : e.seq;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- the table ---- */

static const struct action actions[] = {
    { "letter.add", 0, letter_action_add },
    { "letter.private", 0, letter_action_private },
    { "letter.rate", 0, letter_action_rate },
    { "letter.send", 0, letter_action_send },
    { "letter.withdraw", 0, letter_action_withdraw },
    { "message.drop", 0, drop_message },
    { "survey.answer", 0, survey_answer },
};

const struct action *action_find(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(actions[i].name, name))
            return &actions[i];
    return NULL;
}
