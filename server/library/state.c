/*
 * state.c - the one table of what may become of a revision.
 *
 *     DRAFT --submit--> IN_REVIEW --approve--> APPROVED --publish--> PUBLISHED
 *       ^                   |                      |                  |  |  |
 *       +------return-------+----------------------+    supersede <---+  |  |
 *       |                                                                |  |
 *       +--restore (a new revision)--- WITHDRAWN <--------- withdraw ----+  |
 *       +--restore (a new revision)--- EXPIRED <----------- expire ---------+
 *
 *     approve leads to APPROVED only from the last step of the site's chain (review.c); before it, the state stays.
 *     emergency is a publish from DRAFT, IN_REVIEW or APPROVED that the chain is not asked about.
 *     purge is a publish that forgets all earlier revisions,
 *     and GONE from every state the public has seen, for ever.
 *
 * Who may not take a step learns so before anything is written. A later revision supersedes
 * an earlier one in whatever unfinished state it is.
 */
#include "server/library/state.h"

#include <string.h>

#include "server/library/field.h"

enum { REASON_MAX = 500 };

static const struct {
    const char *name, *label;
} states[STATE_COUNT] = {
    [STATE_DRAFT] = { "draft", "草稿" },
    [STATE_IN_REVIEW] = { "in_review", "审核中" },
    [STATE_APPROVED] = { "approved", "已通过" },
    [STATE_PUBLISHED] = { "published", "已发布" },
    [STATE_SUPERSEDED] = { "superseded", "已更新" },
    [STATE_WITHDRAWN] = { "withdrawn", "已撤稿" },
    [STATE_EXPIRED] = { "expired", "已下线" },
    [STATE_GONE] = { "gone", "已删除" },
};

static const char *const verbs[VERB_COUNT] = {
    [VERB_SUBMIT] = "submit",       [VERB_RETURN] = "return",
    [VERB_APPROVE] = "approve",     [VERB_PUBLISH] = "publish",
    [VERB_PURGE] = "purge",         [VERB_IMPORT] = "import",
    [VERB_SUPERSEDE] = "supersede", [VERB_WITHDRAW] = "withdraw",
    [VERB_EXPIRE] = "expire",       [VERB_GONE] = "gone",
    [VERB_RESTORE] = "restore",     [VERB_EMERGENCY] = "emergency",
};

#define FROM(state) (1U << STATE_##state)

static const struct step {
    enum verb verb;
    unsigned from; /* bits 1 << enum state */
    enum state to;
    unsigned rights;    /* all of them are needed */
    const char *reason; /* the act that must give one; NULL: it need not */
} steps[] = {
    { VERB_SUBMIT, FROM(DRAFT), STATE_IN_REVIEW, RIGHT_EDIT, NULL },
    { VERB_RETURN, FROM(IN_REVIEW) | FROM(APPROVED), STATE_DRAFT, RIGHT_REVIEW, "returning" },
    { VERB_APPROVE, FROM(IN_REVIEW), STATE_APPROVED, RIGHT_REVIEW, NULL },
    { VERB_PUBLISH, FROM(APPROVED), STATE_PUBLISHED, RIGHT_PUBLISH, NULL },
    { VERB_PURGE, FROM(APPROVED), STATE_PUBLISHED, RIGHT_PUBLISH, "purging" },
    { VERB_EMERGENCY, FROM(DRAFT) | FROM(IN_REVIEW) | FROM(APPROVED), STATE_PUBLISHED,
      RIGHT_PUBLISH, "an emergency" },
    { VERB_IMPORT, FROM(DRAFT), STATE_PUBLISHED, RIGHT_IMPORT | RIGHT_PUBLISH, NULL },
    { VERB_SUPERSEDE, FROM(DRAFT) | FROM(IN_REVIEW) | FROM(APPROVED) | FROM(PUBLISHED),
      STATE_SUPERSEDED, 0, NULL },
    { VERB_WITHDRAW, FROM(PUBLISHED), STATE_WITHDRAWN, RIGHT_PUBLISH, "withdrawing" },
    { VERB_EXPIRE, FROM(PUBLISHED), STATE_EXPIRED, RIGHT_PUBLISH, NULL },
    { VERB_GONE, FROM(PUBLISHED) | FROM(WITHDRAWN) | FROM(EXPIRED), STATE_GONE, RIGHT_PUBLISH,
      "removing for good" },
    { VERB_RESTORE, FROM(WITHDRAWN) | FROM(EXPIRED), STATE_DRAFT, RIGHT_EDIT, NULL },
};

const char *state_name(enum state state)
{
    return states[state].name;
}

const char *state_label(enum state state)
{
    return states[state].label;
}

int state_parse(const char *name)
{
    for (int i = 0; i < STATE_COUNT; i++)
        if (!strcmp(states[i].name, name))
            return i;
    return -1;
}

const char *verb_name(enum verb verb)
{
    return verbs[verb];
}

int verb_parse(const char *name)
{
    for (int i = 0; i < VERB_COUNT; i++)
        if (!strcmp(verbs[i], name))
            return i;
    return -1;
}

static enum rc need_all(struct work *w, unsigned rights, int64_t site)
{
    enum rc rc;

    for (unsigned right = 1; right <= rights; right <<= 1)
        if ((rights & right) && (rc = work_need_at(w, right, site)))
            return rc;
    return RC_OK;
}

static enum rc need_reason(struct work *w, const struct step *step, const char *reason)
{
    if (reason)
        return field_check_text(&w->err, "reason", reason, strlen(reason), step->reason ? 1 : 0,
                                REASON_MAX);
    if (step->reason)
        return err_field(&w->err, "reason", "%s needs a reason", step->reason);
    return RC_OK;
}

enum rc state_step(struct work *w, enum verb verb, int64_t site, enum state from,
                   const char *reason, enum state *to)
{
    enum rc rc;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct step *step = &steps[i];

        if (step->verb != verb || !(step->from & 1U << from))
            continue;
        if ((rc = need_all(w, step->rights, site)) || (rc = need_reason(w, step, reason)))
            return rc;
        *to = step->to;
        return RC_OK;
    }
    return err_set(&w->err, RC_CONFLICT, "cannot %s what is %s", verbs[verb],
                   states[from].name);
}
