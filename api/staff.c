/*
 * staff.c - what an editor's program sends becomes one call of the library.
 *
 * An item's ETag is its newest revision in quotes ("3"). PUT wants it back in If-Match, so that
 * nobody overwrites what they have not seen; a verb takes it. The verbs, who may say them and
 * what they need stand in server/library/state.c and nowhere here.
 *
 * Not here: what everybody reads (items.c), the page behind a preview link (preview_page.c).
 */
#include "api/staff.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/duplicates.h"
#include "api/instance.h"
#include "api/items.h"
#include "api/review.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/eyes.h"
#include "server/library/publish.h"
#include "server/library/ruling.h"

enum { PREVIEW_HOURS = 24 };

static const char *revision_etag(struct work *w, int64_t rev)
{
    return arena_printf(w->mem, "\"%" PRId64 "\"", rev);
}

/* The rules' word on the newest revision at a step, as `"key":[…]`. */
static enum rc put_verdicts(struct work *w, struct buf *b, const struct item *item,
                            const struct content *c, enum check_step step)
{
    struct check_result found;
    enum rc rc;

    if ((rc = ruling_ask(w, &(struct ruling){ item, item->rev, c, step }, &found)))
        return rc;
    jx_key(b, "verdicts");
    checkup_json(b, &found);
    return RC_OK;
}

/* After a step: the item, and what the rules said. `content`: NULL: as it is stored. */
static enum rc reply_checked(struct work *w, const struct item *item,
                             const struct content *content, enum check_step step,
                             struct reply *rp)
{
    struct revision revision;
    struct content stored;
    struct item now;
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = staff_reply(w, item, rp)) ||
        (!content && (rc = item_revision(w, &item->id, 0, &now, &revision, &stored))))
        return rc;
    buf_add(&b, rp->body, rp->len - strlen("}\n"));
    if ((rc = put_verdicts(w, &b, item, content ? content : &stored, step)))
        return rc;
    buf_adds(&b, "}\n");
    rp->body = b.p;
    rp->len = b.n;
    return RC_OK;
}

enum rc staff_reply(struct work *w, const struct item *item, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    enum rc rc;

    if ((rc = view_staff_item(w, &b, &places, item)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    rp->etag = revision_etag(w, item->rev);
    return RC_OK;
}

enum rc get_staff_items(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *name = request_text(rq, "state", "draft");
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    struct item_page page;
    int state = state_parse(name);
    enum rc rc;

    if (state < 0)
        return err_field(&w->err, "state", "there is no state \"%.40s\"", name);
    if ((rc = item_list_state(w, (enum state)state, (int)request_int(rq, "n", 50),
                              request_text(rq, "cursor", NULL), &page)))
        return rc;
    view_list_open(&b, "items");
    for (int i = 0; i < page.n; i++)
        if ((rc = view_staff_item(w, &b, &places, &page.items[i])))
            return rc;
    view_list_close(&b, page.next);
    items_link_next(w, rq, page.next, rp);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc put_events(struct work *w, struct buf *b, const struct id *id)
{
    struct item_event *events;
    enum rc rc;
    int n;

    if ((rc = item_events(w, id, &events, &n)))
        return rc;
    jx_key(b, "events");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++)
        view_event(b, &events[i]);
    buf_addc(b, ']');
    return RC_OK;
}

enum rc get_draft(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct id *id = &request_arg(rq, "id")->id;
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    struct revision revision;
    struct content content;
    struct item item;
    enum rc rc;

    if ((rc = item_revision(w, id, 0, &item, &revision, &content)) ||
        (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, item.site)))
        return rc;
    buf_addc(&b, '{');
    jx_key(&b, "checked");
    if ((rc = ruling_kept(w, id, item.rev, &b)))
        return rc;
    jx_key(&b, "content");
    content_write(&content, &b);
    if ((rc = duplicates_put(w, &b, &content, &item)))
        return rc;
    if ((rc = put_events(w, &b, id)))
        return rc;
    jx_key(&b, "item");
    if ((rc = view_staff_item(w, &b, &places, &item)))
        return rc;
    if ((rc = review_put(w, &item, &b)) ||
        (rc = put_verdicts(w, &b, &item, &content, CHECK_REVIEW)))
        return rc;
    jx_put_text(&b, "warning", content_warning(&content));
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->etag = revision_etag(w, item.rev);
    return RC_OK;
}

static enum rc read_kind(struct work *w, const json_t *body, enum item_kind otherwise,
                         enum item_kind *out)
{
    const char *name = jx_text(body, "kind");
    int kind = name ? kind_parse(name) : (int)otherwise;

    if (kind < 0)
        return err_field(&w->err, "/kind", "there is no kind \"%.40s\"", name);
    *out = (enum item_kind)kind;
    return RC_OK;
}

enum rc post_item(struct work *w, const struct request *rq, struct reply *rp)
{
    struct item_new new;
    struct column column;
    struct content content;
    struct item item;
    enum item_kind kind = KIND_ARTICLE;
    char id[ID_TEXT];
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = place_column_in(w, body, 0, &column)))
        return rc;
    if ((rc = read_kind(w, body, KIND_ARTICLE, &kind)))
        return rc;
    if ((rc = content_read(&w->err, w->mem, kind, body, NULL, &content)))
        return rc;
    new = (struct item_new){ .site = column.site, .col = column.no, .content = &content };
    if ((rc = item_create(w, &new, &item)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/drafts/%s", id_text(&item.id, id)));
    return reply_checked(w, &item, &content, CHECK_SAVE, rp);
}

enum rc staff_seen(struct work *w, const struct request *rq, struct item *out)
{
    enum rc rc;

    if ((rc = item_find(w, &request_arg(rq, "id")->id, out)))
        return rc;
    if (!rq->if_match || !strcmp(rq->if_match, "*"))
        return RC_OK;
    if (!strcmp(rq->if_match, revision_etag(w, out->rev)))
        return RC_OK;
    return err_set(&w->err, RC_PRECONDITION,
                   "the newest revision is \"%" PRId64 "\", not %.40s", out->rev, rq->if_match);
}

/*
 * Somebody saved in between: who it was, when, and what his text has that the editor did not see. Nothing if the tag is of no revision of the item, or its
 * text was taken down, or he may not see it.
 */
static enum rc other_change(struct work *w, const struct request *rq, const struct item *item,
                            struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct work own = *w;
    struct revision revision;
    struct content content;
    struct item now;
    int64_t seen;
    int end = 0;

    if (sscanf(rq->if_match, "\"%" SCNd64 "\"%n", &seen, &end) != 1 || rq->if_match[end] ||
        seen < 1 || seen >= item->rev || work_need_at(&own, ITEM_DRAFT_RIGHTS, item->site))
        return RC_PRECONDITION;
    if (item_revision(&own, &item->id, 0, &now, &revision, &content))
        return RC_PRECONDITION;
    buf_adds(&b, ",\"changed\":{");
    jx_put_text(&b, "actor", revision.author);
    view_time(&b, "at", revision.created);
    jx_put_int(&b, "revision", revision.rev);
    jx_put_text(&b, "state", state_name(revision.state));
    (void)review_put_diff(&own, &item->id, seen, item->rev, &b);
    buf_addc(&b, '}');
    rp->also = b.p;
    return err_set(&w->err, RC_CONFLICT,
                   "别人已经存了第 %" PRId64 " 版：看 changed，合并后带着它的 ETag 再存",
                   revision.rev);
}

enum rc put_item(struct work *w, const struct request *rq, struct reply *rp)
{
    static const char *const also[] = { "updateType", "note", NULL };
    struct content content;
    struct item item;
    enum item_kind kind = KIND_ARTICLE;
    json_t *body;
    enum rc rc;

    if (!rq->if_match)
        return err_field(&w->err, "If-Match",
                         "If-Match is missing: send the ETag of the draft that was edited");
    if ((rc = staff_seen(w, rq, &item)))
        return rc == RC_PRECONDITION ? other_change(w, rq, &item, rp) : rc;
    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = read_kind(w, body, item.kind, &kind)))
        return rc;
    if ((rc = content_read(&w->err, w->mem, kind, body, also, &content)))
        return rc;
    if ((rc = item_edit(w, &item.id, item.rev, &content, jx_text(body, "updateType"),
                        jx_text(body, "note"), &item)))
        return rc;
    return reply_checked(w, &item, &content, CHECK_SAVE, rp);
}

struct saying {
    enum verb verb;
    const char *reason; /* NULL: none */
    bool emergency;     /* without the site's chain of review, or its second person */
    int64_t rev;        /* to be restored; 0: the newest */
};

#define REASON                                     \
    {                                              \
        "reason", JX_TEXT, false, 1, ITEM_NOTE_MAX \
    }
#define EMERGENCY                         \
    {                                     \
        "emergency", JX_BOOL, false, 0, 0 \
    }

/* {"reason":"…"}; for a publication "purge" or "emergency", for a takedown "emergency", for a restoration "revision"; or no body at all. */
static enum rc read_saying(struct work *w, const struct request *rq, struct saying *out)
{
    static const struct jx_field only[] = { REASON, { 0 } },
                                 ending[] = { REASON, EMERGENCY, { 0 } },
                                 publishing[] = { REASON,
                                                  EMERGENCY,
                                                  { "purge", JX_BOOL, false, 0, 0 },
                                                  { 0 } },
                                 restoring[] = { REASON,
                                                 { "revision", JX_INT, false, 1, INT32_MAX },
                                                 { 0 } };
    static const struct jx_field *const members[VERB_COUNT] = { [VERB_WITHDRAW] = ending,
                                                                [VERB_GONE] = ending,
                                                                [VERB_PUBLISH] = publishing,
                                                                [VERB_RESTORE] = restoring };
    json_t *body;
    enum rc rc;

    if (!rq->body_len)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = jx_check(&w->err, body, members[out->verb] ? members[out->verb] : only, "")))
        return rc;
    out->reason = jx_text(body, "reason");
    out->emergency = jx_bool(body, "emergency", false);
    out->rev = jx_int(body, "revision", 0);
    if (jx_bool(body, "purge", false) && out->emergency)
        return err_field(&w->err, "/purge", "应急发布不能同时清除以前各版：发布以后再更正");
    if (jx_bool(body, "purge", false))
        out->verb = VERB_PURGE;
    if (out->verb == VERB_PUBLISH && out->emergency)
        out->verb = VERB_EMERGENCY;
    return RC_OK;
}

/* Which function of the library says a verb. */
static enum rc say(struct work *w, const struct item *item, const struct saying *s, bool *asked,
                   struct item *out)
{
    struct eyes_done done = { 0 };
    enum rc rc;

    switch ((int)s->verb) {
    case VERB_EMERGENCY: return publish_emergency(w, &item->id, item->rev, s->reason, out);
    case VERB_PUBLISH: return publish_item(w, &item->id, item->rev, out);
    case VERB_PURGE: return publish_purge(w, &item->id, item->rev, s->reason, out);
    case VERB_GONE:
    case VERB_WITHDRAW:
        rc = eyes_take_down(w, &item->id, s->verb, s->reason, s->emergency, &done);
        *out = done.item;
        *asked = done.asked;
        return rc;
    case VERB_RESTORE:
        return s->rev ? item_restore_rev(w, &item->id, s->rev, out)
                      : item_restore(w, &item->id, out);
    default: return item_step(w, &item->id, item->rev, s->verb, s->reason, out);
    }
}

/* Steps that the rules have a word in; 0: none. */
static enum check_step step_of(enum verb verb)
{
    static const enum check_step steps[VERB_COUNT] = {
        [VERB_SUBMIT] = CHECK_REVIEW,   [VERB_APPROVE] = CHECK_REVIEW,
        [VERB_PUBLISH] = CHECK_PUBLISH, [VERB_EMERGENCY] = CHECK_PUBLISH,
        [VERB_PURGE] = CHECK_PUBLISH,   [VERB_RESTORE] = CHECK_SAVE
    };

    return steps[verb];
}

/* Nothing was written: the same question has the same answer. w->err stays. */
static void say_why(struct work *w, const struct item *item, enum check_step step,
                    struct reply *rp)
{
    struct work own = *w;
    struct revision revision;
    struct content content;
    struct item now;
    struct buf b = BUF_IN(w->mem);

    if (!item_revision(&own, &item->id, 0, &now, &revision, &content) &&
        !put_verdicts(&own, &b, &now, &content, step))
        rp->also = arena_printf(w->mem, ",%s", b.p);
}

/* Nothing is taken down yet: somebody else has to say the same. */
static enum rc reply_asked(struct work *w, const struct item *item, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc = staff_reply(w, item, rp);

    if (rc)
        return rc;
    buf_add(&b, rp->body, rp->len - strlen("}\n"));
    if ((rc = review_put_asked(w, item, &b)))
        return rc;
    buf_adds(&b, "}\n");
    rp->body = b.p;
    rp->len = b.n;
    rp->status = 202;
    work_fact(w, "asked", 1);
    return RC_OK;
}

enum rc post_verb(struct work *w, const struct request *rq, struct reply *rp)
{
    int verb = verb_parse(strrchr(rq->path, '/') + 1);
    struct saying saying = { .verb = (enum verb)verb };
    struct item item, after;
    bool asked = false;
    enum rc rc;

    if (verb < 0)
        return err_set(&w->err, RC_INTERNAL, "%s is a route without a verb", rq->path);
    if ((rc = read_saying(w, rq, &saying)))
        return rc;
    if ((rc = staff_seen(w, rq, &item)))
        return rc;
    rc = say(w, &item, &saying, &asked, &after);
    if (rc == RC_UNFIT)
        say_why(w, &item, step_of(saying.verb), rp);
    if (rc)
        return rc;
    work_fact(w, "rev", after.rev);
    if (saying.verb == VERB_PURGE)
        work_fact(w, "purge", 1);
    if (saying.emergency)
        work_fact(w, "emergency", 1);
    if (asked)
        return reply_asked(w, &after, rp);
    return step_of(saying.verb) ? reply_checked(w, &after, NULL, step_of(saying.verb), rp)
                                : staff_reply(w, &after, rp);
}

static enum rc check_move(struct work *w, const json_t *body)
{
    const struct jx_field members[] = {
        place_field(body, "column", true),
        place_field(body, "site", false),
        { 0 },
    };

    return jx_check(&w->err, body, members, "");
}

enum rc post_move(struct work *w, const struct request *rq, struct reply *rp)
{
    struct column column;
    struct item item;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = check_move(w, body)))
        return rc;
    if ((rc = staff_seen(w, rq, &item)))
        return rc;
    if ((rc = place_column_in(w, body, item.site, &column)))
        return rc;
    if ((rc = publish_move(w, &item.id, column.no, &item)))
        return rc;
    return staff_reply(w, &item, rp);
}

static enum rc read_hours(struct work *w, const struct request *rq, int64_t *out)
{
    static const struct jx_field members[] = {
        { "hours", JX_INT, false, 1, PREVIEW_LIFETIME_MAX / 3600 },
        { 0 },
    };
    json_t *body;
    enum rc rc;

    *out = PREVIEW_HOURS;
    if (!rq->body_len)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = jx_check(&w->err, body, members, "")))
        return rc;
    *out = jx_int(body, "hours", PREVIEW_HOURS);
    return RC_OK;
}

enum rc post_preview(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct id *id = &request_arg(rq, "id")->id;
    int64_t hours;
    struct buf b = BUF_IN(w->mem), url = BUF_IN(w->mem);
    char token[PREVIEW_TEXT];
    const char *path;
    struct item item;
    enum rc rc;

    if ((rc = read_hours(w, rq, &hours)) || (rc = item_find(w, id, &item)) ||
        (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, item.site)))
        return rc;
    if ((rc = preview_make(&w->err, &instance()->preview, id, item.rev, hours * 3600, token)))
        return rc;
    path = arena_printf(w->mem, "/preview/%s", token);
    instance_url(&url, path);
    buf_addc(&b, '{');
    view_time(&b, "expires", clock_now() + hours * 3600);
    jx_put_text(&b, "path", path);
    jx_put_int(&b, "revision", item.rev);
    jx_put_text(&b, "url", url.p);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
