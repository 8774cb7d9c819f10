/*
 * review.c - the chain of review over HTTP.
 *
 * Approving and returning are verbs of an item like the others (staff.c); this is what stands beside them.
 */
#include "api/review.h"

#include <string.h>

#include "api/places.h"
#include "api/staff.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/diff.h"
#include "server/library/eyes.h"
#include "server/library/review.h"
#include "server/library/schedule.h"

/* ---- a site's chain ---- */

static enum rc reply_chain(struct work *w, int64_t site, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc = chain_json(w, site, &b);

    if (rc)
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_site_chain(struct work *w, const struct request *rq, struct reply *rp)
{
    struct site site;
    enum rc rc;

    if ((rc = place_site(w, request_arg(rq, "site")->text, &site)))
        return rc;
    if (!actor_has(&w->who, RIGHT_SECURE) && (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, site.no)))
        return rc;
    return reply_chain(w, site.no, rp);
}

/* What is not said stays as it is; a site that had no chain begins with one step. */
enum rc put_site_chain(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "steps", JX_INT, false, 0, CHAIN_STEPS_MAX },
        { "secrecy", JX_TEXT, false, 1, 10 },
        { "eyes", JX_INT, false, 1, 2 },
        { 0 },
    };
    struct site site;
    struct chain c;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_site(w, request_arg(rq, "site")->text, &site)) ||
        (rc = chain_of(w, site.no, &c)))
        return rc;
    c.steps = (int)jx_int(body, "steps", c.steps);
    c.eyes = (int)jx_int(body, "eyes", c.eyes);
    if (jx_text(body, "secrecy"))
        c.secrecy = secrecy_parse(jx_text(body, "secrecy"));
    if ((rc = chain_set(w, site.no, &c)))
        return rc;
    work_fact(w, "steps", c.steps);
    work_fact(w, "eyes", c.eyes);
    work_fact(w, "secrecy", (int64_t)c.secrecy);
    return reply_chain(w, site.no, rp);
}

enum rc put_site_reviewers(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "who", JX_TEXTS, true, 0, CHAIN_NAMED_MAX },
                                               { 0 } };
    int step = (int)request_arg(rq, "step")->num;
    const char *who[CHAIN_NAMED_MAX];
    const json_t *list;
    struct site site;
    json_t *body;
    enum rc rc;
    int n;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_site(w, request_arg(rq, "site")->text, &site)))
        return rc;
    list = json_object_get(body, "who");
    n = (int)json_array_size(list);
    for (int i = 0; i < n && i < CHAIN_NAMED_MAX; i++)
        who[i] = json_string_value(json_array_get(list, (size_t)i));
    if ((rc = chain_name(w, site.no, step, who, n)))
        return rc;
    work_fact(w, "step", step);
    work_fact(w, "named", n);
    return reply_chain(w, site.no, rp);
}

/* ---- beside the steps ---- */

static enum rc read_body(struct work *w, const struct request *rq,
                         const struct jx_field *members, json_t **out)
{
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, out)))
        return rc;
    return jx_check(&w->err, *out, members, "");
}

enum rc post_secrecy(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "basis", JX_TEXT, true, 1, REVIEW_BASIS_MAX },
        { "said", JX_TEXT, false, 0, REVIEW_SAID_MAX },
        { 0 },
    };
    struct item item;
    json_t *body;
    enum rc rc;

    if ((rc = read_body(w, rq, members, &body)) || (rc = staff_seen(w, rq, &item)) ||
        (rc = review_secrecy(w, &item.id, item.rev, jx_text(body, "basis"),
                             jx_text(body, "said"), &item)))
        return rc;
    work_fact(w, "rev", item.rev);
    return staff_reply(w, &item, rp);
}

enum rc post_comment(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "said", JX_TEXT, true, 1, REVIEW_SAID_MAX },
                                               { 0 } };
    struct item item;
    json_t *body;
    enum rc rc;

    if ((rc = read_body(w, rq, members, &body)) || (rc = staff_seen(w, rq, &item)) ||
        (rc = review_comment(w, &item.id, jx_text(body, "said"), &item)))
        return rc;
    return staff_reply(w, &item, rp);
}

enum rc post_schedule(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "at", JX_TEXT, true, 10, 40 }, { 0 } };
    struct item item;
    json_t *body;
    const char *text;
    int64_t at;
    enum rc rc;

    if ((rc = read_body(w, rq, members, &body)) || (rc = staff_seen(w, rq, &item)))
        return rc;
    text = jx_text(body, "at");
    if (clock_parse(text, strlen(text), &at) < 0)
        return err_field(&w->err, "/at", "\"%.40s\" is no time", text);
    if ((rc = schedule_set(w, &item.id, item.rev, at, &item)))
        return rc;
    work_fact(w, "rev", item.rev);
    work_fact(w, "at", at);
    return staff_reply(w, &item, rp);
}

enum rc delete_schedule(struct work *w, const struct request *rq, struct reply *rp)
{
    struct item item;
    enum rc rc = schedule_cancel(w, &request_arg(rq, "id")->id, &item);

    return rc ? rc : staff_reply(w, &item, rp);
}

/* ---- what a draft says of it ---- */

enum rc review_put_asked(struct work *w, const struct item *item, struct buf *out)
{
    struct eyes_ask asked;
    enum rc rc = eyes_asked(w, item, &asked);

    if (rc || !asked.at)
        return rc;
    jx_key(out, "asked");
    buf_addc(out, '{');
    jx_put_text(out, "actor", asked.actor);
    view_time(out, "at", asked.at);
    jx_put_text(out, "reason", asked.reason);
    jx_put_text(out, "verb", verb_name(asked.verb));
    buf_addc(out, '}');
    return RC_OK;
}

enum rc review_put(struct work *w, const struct item *item, struct buf *out)
{
    struct schedule s;
    enum rc rc;

    if ((rc = review_put_asked(w, item, out)) || (rc = review_json(w, item, out)) ||
        (rc = schedule_of(w, &item->id, &s)) || !s.at)
        return rc;
    jx_key(out, "schedule");
    buf_addc(out, '{');
    jx_put_text(out, "actor", s.actor);
    view_time(out, "at", s.at);
    jx_put_int(out, "revision", s.rev);
    buf_addc(out, '}');
    return RC_OK;
}

/* ---- versions ---- */

/* Whether he may see drafts of the item's site. */
static enum rc find_own(struct work *w, const struct request *rq, struct item *out)
{
    enum rc rc = item_find(w, &request_arg(rq, "id")->id, out);

    return rc ? rc : work_need_at(w, ITEM_DRAFT_RIGHTS, out->site);
}

enum rc get_draft_revisions(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct revision *list;
    struct item item;
    enum rc rc;
    int n;

    if ((rc = find_own(w, rq, &item)) || (rc = item_revisions(w, &item.id, false, &list, &n)))
        return rc;
    view_list_open(&b, "revisions");
    for (int i = 0; i < n; i++) {
        view_revision(&b, &list[i]);
        b.n--; /* its brace: staff see the author too */
        jx_put_text(&b, "author", list[i].author);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_draft_revision(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct revision revision;
    struct content content;
    struct item item;
    enum rc rc;

    if ((rc = find_own(w, rq, &item)) ||
        (rc = item_revision(w, &item.id, request_arg(rq, "rev")->num, &item, &revision,
                            &content)))
        return rc;
    buf_addc(&b, '{');
    jx_put_text(&b, "author", revision.author);
    jx_key(&b, "content");
    content_write(&content, &b);
    view_time(&b, "created", revision.created);
    jx_put_text(&b, "note", revision.note);
    jx_put_int(&b, "revision", revision.rev);
    jx_put_text(&b, "state", state_name(revision.state));
    jx_put_text(&b, "updateType", revision.update_type);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc review_put_diff(struct work *w, const struct id *id, int64_t from, int64_t to,
                        struct buf *out)
{
    struct content before, after;
    struct revision revision;
    struct item item;
    enum rc rc;

    if ((rc = item_revision(w, id, from, &item, &revision, &before)) ||
        (rc = item_revision(w, id, to, &item, &revision, &after)))
        return rc;
    diff_json(&before, &after, out);
    jx_put_int(out, "from", from);
    jx_put_int(out, "to", to);
    return RC_OK;
}

/* Of what nobody named: from what the public reads, or the revision before; to the newest. */
enum rc get_draft_diff(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct item item;
    int64_t from, to;
    enum rc rc;

    if ((rc = find_own(w, rq, &item)))
        return rc;
    to = request_int(rq, "to", item.rev);
    from = request_int(rq, "from",
                       item.live_rev && item.live_rev < to ? item.live_rev
                       : to > 1                            ? to - 1
                                                           : to);
    buf_addc(&b, '{');
    if ((rc = review_put_diff(w, &item.id, from, to, &b)))
        return rc;
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
