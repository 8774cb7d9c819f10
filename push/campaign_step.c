/*
 * campaign_step.c - a step: may he, does the state allow it, is what it asks so; then what changes, and the row that says it.
 */
#include "push/campaign_step.h"

#include <inttypes.h>
#include <string.h>

#include "push/campaign_run.h"
#include "push/campaign_vote.h"
#include "push/run.h"
#include "server/base/clock.h"
#include "server/identity/audit.h"
#include "server/identity/party_reach.h"
#include "server/identity/party_table.h"
#include "server/library/field.h"
#include "server/library/row.h"
#include "server/store/db.h"

/* ---- written down ---- */

static const char server[] = "system"; /* the actor of a step that follows */

static enum rc audit_own(struct work *w, const struct campaign *c, const char *word)
{
    enum audit_action action = audit_find(arena_printf(w->mem, "campaign.%s", word));

    return audit_add(w, action, arena_printf(w->mem, "push/campaigns/%" PRId64, c->no), RC_OK);
}

static enum rc set_state(struct work *w, struct campaign *c, enum campaign_state to)
{
    enum rc rc =
        db_change(w, SQL_push_campaign_set_state, "itti", c->no, campaign_states[c->state].word,
                  campaign_states[to].word, clock_now());

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CONFLICT, "campaign %" PRId64 " stands elsewhere by now",
                       c->no);
    c->state = to;
    return rc;
}

/* "" unless a program did it that is somebody's. */
static const char *owner_behind(struct work *w)
{
    struct party p;

    if (!w->who.party || !party_table_find(w->mem, w->who.party, NULL, &p) || !p.owner)
        return "";
    return arena_printf(w->mem, "account:%" PRId64, p.owner);
}

enum rc campaign_log(struct work *w, struct campaign *c, enum campaign_step step,
                     enum campaign_state to, const char *text)
{
    const struct campaign_step_row *row = &campaign_steps[step];
    bool own = row->who == CAMPAIGN_BY_SERVER;
    enum rc rc;

    if ((rc = set_state(w, c, to)) ||
        (rc =
             db_run(w, SQL_push_step_add, "ittbttit", c->no, row->word,
                    campaign_states[to].word, c->hash, sizeof c->hash,
                    own ? server : w->who.name, own ? "" : owner_behind(w), clock_now(), text)))
        return rc;
    return own ? audit_own(w, c, row->word) : RC_OK;
}

/* ---- may he ---- */

static enum rc may(struct work *w, const struct campaign *c, enum campaign_step step)
{
    static const unsigned rights[] = { [CAMPAIGN_BY_OPERATOR] = RIGHT_PUSH,
                                       [CAMPAIGN_BY_APPROVER] = RIGHT_PUSH_APPROVE,
                                       [CAMPAIGN_BY_EITHER] = RIGHT_PUSH | RIGHT_PUSH_APPROVE };

    if (campaign_steps[step].who == CAMPAIGN_BY_SERVER)
        return err_set(&w->err, RC_FORBIDDEN, "“%s”由服务器自己做",
                       campaign_steps[step].chinese);
    return work_need_at(w, rights[campaign_steps[step].who], c->site);
}

static enum rc check_text(struct work *w, enum campaign_step step, const char *text)
{
    enum campaign_text need = campaign_steps[step].text;

    if (!text && need == CAMPAIGN_TEXT_MUST)
        return err_field(&w->err, "/text", "%s要写明理由", campaign_steps[step].chinese);
    if (text && need == CAMPAIGN_TEXT_NO)
        return err_field(&w->err, "/text", "%s不带说明", campaign_steps[step].chinese);
    if (text && field_check_text(&w->err, "text", text, strlen(text), 1, CAMPAIGN_WHY_MAX))
        return err_field(&w->err, "/text", "说明是 1 到 %d 个字", CAMPAIGN_WHY_MAX);
    return RC_OK;
}

/* ---- new, and other ---- */

static const struct campaign_order nothing;

/* Every draft names the newest record, so that what was looked at is what will be sent. */
static enum rc write_draft(struct work *w, struct campaign *c, enum campaign_step step)
{
    enum rc rc;

    if ((rc = campaign_bind(w, c)) || (rc = may(w, c, step)) ||
        (rc = campaign_ask(w, c, step, &nothing)))
        return rc;
    return campaign_hash(w, c);
}

enum rc campaign_create(struct work *w, const struct campaign *in, struct campaign *out)
{
    struct campaign c = *in;
    enum rc rc;

    c.state = CAMPAIGN_DRAFT;
    c.created = c.changed = clock_now();
    c.link = c.link ? c.link : "";
    c.picture = c.picture ? c.picture : "";
    c.districts = c.districts ? c.districts : "[]";
    c.doubt = c.doubt ? c.doubt : CAMPAIGN_SKIP;
    c.ttl = c.ttl ? c.ttl : CAMPAIGN_TTL_USUAL;
    if ((rc = write_draft(w, &c, CAMPAIGN_DO_CREATE)) || (rc = campaign_insert(w, &c)) ||
        (rc = db_run(w, SQL_push_follow_begin, "b", c.item.b, sizeof c.item.b)) ||
        (rc = campaign_log(w, &c, CAMPAIGN_DO_CREATE, CAMPAIGN_DRAFT, NULL)))
        return rc;
    *out = c;
    return RC_OK;
}

enum rc campaign_copy(struct work *w, int64_t no, struct campaign *out)
{
    struct campaign c;
    enum rc rc = campaign_find(w, no, &c);

    if (rc)
        return rc;
    c.copied = no;
    c.start = 0;
    c.tested = false;
    c.approved = c.fired = 0;
    return campaign_create(w, &c, out);
}

/* On the writer: it says something else now, and nothing of it is approved. */
static enum rc rewrite(struct work *w, struct campaign *c)
{
    uint8_t before[HASH_BYTES];
    enum rc rc;

    memcpy(before, c->hash, sizeof before);
    if ((rc = campaign_hash(w, c)) || (rc = campaign_update(w, c)) ||
        (rc = db_run(w, SQL_push_approval_drop, "i", c->no)))
        return rc;
    c->tested = c->tested && !memcmp(before, c->hash, sizeof before);
    c->approved = 0;
    return RC_OK;
}

enum rc campaign_edit(struct work *w, int64_t no, const json_t *body, struct campaign *out)
{
    enum campaign_state to;
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_find(w, no, &c)) || (rc = may(w, &c, CAMPAIGN_DO_EDIT)) ||
        (rc = campaign_state_next(&w->err, CAMPAIGN_DO_EDIT, c.state, &to)))
        return rc;
    if (c.state != CAMPAIGN_DRAFT && c.state != CAMPAIGN_RETURNED)
        party_reach_public(w); /* what others were asked to approve goes back */
    if ((rc = campaign_read(w, body, false, &c)) || (rc = campaign_bind(w, &c)) ||
        (rc = may(w, &c, CAMPAIGN_DO_EDIT)) ||
        (rc = campaign_ask(w, &c, CAMPAIGN_DO_EDIT, &nothing)) || (rc = rewrite(w, &c)) ||
        (rc = campaign_log(w, &c, CAMPAIGN_DO_EDIT, to, NULL)))
        return rc;
    *out = c;
    return RC_OK;
}

/* ---- the other steps ---- */

static enum rc approve(struct work *w, struct campaign *c, const struct campaign_order *o)
{
    struct campaign_vote *votes;
    int n, counting, need;
    enum rc rc;

    if ((rc = campaign_vote(w, c, o->plan)) || (rc = campaign_eyes(w, c, &need)) ||
        (rc = campaign_votes(w, c, &votes, &n, &counting)) || counting < need)
        return rc;
    c->approved = clock_now();
    if ((rc = db_change(w, SQL_push_campaign_set_approved, "ii", c->no, c->approved)))
        return rc;
    return campaign_log(w, c, CAMPAIGN_DO_PASS, CAMPAIGN_APPROVED, NULL);
}

/* Who hands it back takes all approvals with it: it will be looked at again from the beginning. */
static enum rc forget_votes(struct work *w, struct campaign *c)
{
    c->approved = 0;
    return db_run(w, SQL_push_approval_drop, "i", c->no);
}

enum rc campaign_log_test(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES],
                          const char *text)
{
    enum campaign_state to;
    struct campaign c;
    struct err e;
    enum rc rc = campaign_find(w, no, &c);

    if (rc || campaign_state_next(&e, CAMPAIGN_DO_TESTED, c.state, &to))
        return rc;
    memcpy(c.hash, hash, sizeof c.hash);
    return campaign_log(w, &c, CAMPAIGN_DO_TESTED, to, text);
}

static bool any_is_on(void)
{
    for (int by = 1; by < TRANSPORT_COUNT; by++)
        if (campaign_is_on((enum transport)by))
            return true;
    return false;
}

/*
 * To the inboxes of the testers always. Where some vendor can send it is tested when one took it (campaign_run_tested()), and where none of their phones can be reached it cannot be. Without any vendor
 * citizens get it in their inboxes alone: that is what was tried then.
 */
static enum rc try(struct work *w, struct campaign *c)
{
    int phones;
    enum rc rc = campaign_try(w, c, &phones);

    if (rc)
        return rc;
    if (any_is_on() && !phones)
        return err_set(
            &w->err, RC_CONFLICT,
            "试发的人没有一部能收到推送的手机（设置 push_testers）：请他们先在手机上登录"
            "并打开推送，再试发");
    if (any_is_on())
        return campaign_run(w, c, CAMPAIGN_DO_TEST);
    c->tested = true;
    if ((rc = campaign_tested(w, c->no, c->hash)))
        return rc;
    return campaign_log_test(
        w, c->no, c->hash,
        "没有开通任何推送通道，公众只能在消息列表里看到；试发到了试发人的消息列表，"
        "没有到任何手机的通知栏");
}

static enum rc follow_up(struct work *w, struct campaign *c, enum campaign_step step,
                         const struct campaign_order *o)
{
    if (step == CAMPAIGN_DO_APPROVE)
        return approve(w, c, o);
    if (step == CAMPAIGN_DO_TEST)
        return try(w, c);
    if (step == CAMPAIGN_DO_RETURN || step == CAMPAIGN_DO_SUBMIT)
        return forget_votes(w, c);
    return campaign_run(w, c, step);
}

/* Whoever goes on with one whose time was over meanwhile is told how many will not have it, and so is who reads its steps. */
static enum rc say_late(struct work *w, const struct campaign *c, enum campaign_step step,
                        const char **text)
{
    int64_t n = 0;
    enum rc rc;

    if (step != CAMPAIGN_DO_RESUME || !c->fired || (rc = run_late(w, c->no, &n)) || !n)
        return step == CAMPAIGN_DO_RESUME && c->fired ? rc : RC_OK;
    work_fact(w, "late", n);
    *text = arena_printf(w->mem, "%s%s暂停时有效期已过，%" PRId64 " 台设备不再发送",
                         *text ? *text : "", *text ? "；" : "", n);
    return RC_OK;
}

static enum rc take(struct work *w, struct campaign *c, enum campaign_step step,
                    const struct campaign_order *o)
{
    const char *text = o->text;
    enum campaign_state to;
    enum rc rc;

    if ((rc = campaign_state_next(&w->err, step, c->state, &to)) ||
        (rc = campaign_ask(w, c, step, o)) || (rc = say_late(w, c, step, &text)) ||
        (rc = campaign_log(w, c, step, to, text)))
        return rc;
    return follow_up(w, c, step, o);
}

enum rc campaign_do(struct work *w, int64_t no, enum campaign_step step,
                    const struct campaign_order *o, struct campaign *out)
{
    struct campaign c;
    enum rc rc;

    if ((rc = campaign_find(w, no, &c)) || (rc = may(w, &c, step)) ||
        (rc = check_text(w, step, o->text)) || (rc = take(w, &c, step, o)))
        return rc;
    party_reach_public(w); /* a team's key may draft, and sends nobody anything */
    *out = c;
    return RC_OK;
}

enum rc campaign_step(struct work *w, int64_t no, enum campaign_step step, const char *why,
                      struct campaign *out)
{
    struct campaign_order o = { .text = why };
    struct campaign c;
    enum rc rc;

    if (campaign_steps[step].who != CAMPAIGN_BY_SERVER)
        return err_set(&w->err, RC_INTERNAL, "%s is no step of the server",
                       campaign_steps[step].word);
    if ((rc = campaign_find(w, no, &c)) || (rc = take(w, &c, step, &o)))
        return rc;
    *out = c;
    return RC_OK;
}

enum rc campaign_events(struct work *w, int64_t no, struct campaign_event **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct campaign_event e;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_push_step_list, &q, "i", no)))
        return rc;
    while (!rc && rows_next(&q)) {
        e = (struct campaign_event){ .no = rows_int(&q, 0),
                                     .step = rows_dup_text(w, &q, 1),
                                     .state = rows_dup_text(w, &q, 2),
                                     .actor = rows_dup_text(w, &q, 4),
                                     .at = rows_int(&q, 5),
                                     .text = rows_dup_text(w, &q, 6) };
        rc = row_bytes(w, &q, 3, e.hash, sizeof e.hash);
        buf_add(&list, &e, sizeof e);
    }
    *out = (struct campaign_event *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return row_finish(&q, rc);
}
