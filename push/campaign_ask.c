/*
 * campaign_ask.c - what a step asks (campaign_state.def), one function each; and the record that a campaign is about.
 */
#include <inttypes.h>
#include <string.h>

#include "push/campaign_addressed.h"
#include "push/campaign_audience.h"
#include "push/campaign_fit.h"
#include "push/campaign_step.h"
#include "push/campaign_vote.h"
#include "server/base/clock.h"
#include "server/library/column.h"
#include "server/library/item_row.h"
#include "server/library/row.h"
#include "server/library/stream.h"
#include "server/store/db.h"

static enum rc no(struct work *w, const char *why)
{
    return err_set(&w->err, RC_CONFLICT, "%s", why);
}

/* ---- the record ---- */

static enum rc find_record(struct work *w, const struct campaign *c, struct item *out)
{
    struct stream stream;
    enum rc rc = item_find(w, &c->item, out);

    if (rc == RC_NOT_FOUND)
        return err_field(&w->err, "/item", "没有这条内容");
    if (rc || (rc = stream_by_no(w, out->stream, &stream)))
        return rc;
    if (stream.mirrored)
        return err_field(&w->err, "/item", "这是镜像来的内容，请到发布它的平台推送");
    if ((rc = item_check_staff(&w->err, out->kind)))
        return rc;
    if (!out->live_rev)
        return no(w, "这条内容没有发布：推送总是指向已发布的内容，请先审核、发布它");
    return RC_OK;
}

enum rc campaign_bind(struct work *w, struct campaign *c)
{
    struct item it;
    enum rc rc = find_record(w, c, &it);

    if (rc)
        return rc;
    c->rev = it.live_rev;
    c->col = it.col;
    c->site = it.site;
    return RC_OK;
}

/* Of the revisions that the public saw, the newest that was a reason to push by `rev`; the first always was. */
static enum rc find_reason(struct work *w, const struct campaign *c, int64_t *reason)
{
    struct revision *r;
    enum rc rc;
    int n;

    if ((rc = item_revisions(w, &c->item, true, &r, &n)))
        return rc;
    *reason = c->rev;
    for (int i = 0; i < n; i++) {
        if (r[i].rev > c->rev)
            continue;
        *reason = r[i].rev;
        if (!strcmp(r[i].update_type, "major"))
            break;
    }
    return RC_OK;
}

/* A minor revision says nothing new: whoever was told of what it corrects is not told again. */
static enum rc ask_reason(struct work *w, const struct campaign *c)
{
    int64_t reason;
    struct rows q;
    enum rc rc;

    if ((rc = find_reason(w, c, &reason)) || reason == c->rev)
        return rc;
    rc = row_finish(&q, db_one(w, SQL_push_campaign_sent_of_item, &q, "bii", c->item.b,
                               sizeof c->item.b, reason, c->no));
    if (!rc)
        return no(w, "这条内容推送过了，之后只有小修改或重发（minor、republish），不再推送");
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc ask_picture(struct work *w, const struct campaign *c, const struct item *it)
{
    const char *quoted = arena_printf(w->mem, "\"%s\"", c->picture);
    struct content content;
    enum rc rc;

    if (!*c->picture)
        return RC_OK;
    if ((rc = revision_content(w, it, c->rev, &content)))
        return rc;
    for (int i = FIELD_attachments;; i = FIELD_image) {
        const struct slice *s = &content.value[i];

        if (s->n && memmem(s->p, s->n, quoted, strlen(quoted)))
            return RC_OK;
        if (i == FIELD_image)
            return err_field(&w->err, "/picture", "图片要是这条内容的题图或附件");
    }
}

static enum rc ask_record(struct work *w, const struct campaign *c,
                          const struct campaign_order *o)
{
    struct item it;
    enum rc rc;

    (void)o;
    if ((rc = find_record(w, c, &it)))
        return rc;
    if (it.live_rev != c->rev || it.col != c->col)
        return no(w, "这条内容有了新的版本，或换了栏目：请先看过，修改这条推送，再送审");
    if ((rc = campaign_addressed(w, c, &it)) || (rc = ask_picture(w, c, &it)))
        return rc;
    return ask_reason(w, c);
}

/* ---- the class ---- */

/* A column of that name, or below one. */
static bool is_news(const struct column *c)
{
    static const char *const words[] = { "新闻", "要闻", "时政" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(c->path, words[i]))
            return true;
    return false;
}

enum rc campaign_is_news(struct work *w, const struct campaign *c, bool *yes)
{
    struct column column;
    enum rc rc = column_by_no(w, c->col, &column);

    *yes = !rc && is_news(&column) && *campaign_settled()->news_licence;
    return rc;
}

static enum rc ask_class(struct work *w, const struct campaign *c,
                         const struct campaign_order *o)
{
    struct column column;
    bool all = false;
    enum rc rc;

    (void)o;
    if (c->class == PUSH_EMERGENCY)
        return err_field(&w->err, "/class",
                         "应急一类只能由有权发布预警的单位经签名接口发出，不能编写");
    if ((rc = column_by_no(w, c->col, &column)))
        return rc;
    if (is_news(&column) && c->class == PUSH_SERVICE)
        return err_field(&w->err, "/class",
                         "栏目“%.200s”是新闻，不属于服务与通讯：类别要用 marketing",
                         column.path);
    if (is_news(&column) && !*campaign_settled()->news_licence)
        return err_field(&w->err, "/class",
                         "栏目“%.200s”是新闻：没有互联网新闻信息服务许可（设置 "
                         "news_licence），不能推送新闻",
                         column.path);
    if (c->class != PUSH_SERVICE || (rc = campaign_is_for_all(w, c, &all)) || !all)
        return rc;
    return err_field(
        &w->err, "/class",
        "服务与通讯只发给自己订阅或办了事的人；发给所有人，或换个说法发给几乎所有人"
        "（全市、各区、除某些人以外、一种手机）的是资讯营销（marketing）");
}

/* ---- the others ---- */

static enum rc ask_length(struct work *w, const struct campaign *c,
                          const struct campaign_order *o)
{
    (void)o;
    return campaign_fit_check(w, c);
}

static enum rc ask_time(struct work *w, const struct campaign *c,
                        const struct campaign_order *o)
{
    int64_t now = clock_now();

    (void)o;
    if (c->start && c->start < now)
        return err_field(&w->err, "/start", "开始的时间已经过去");
    if (c->start > now + CAMPAIGN_AHEAD)
        return err_field(&w->err, "/start", "开始的时间最多在 %d 天以后",
                         CAMPAIGN_AHEAD / 86400);
    return RC_OK;
}

static enum rc ask_people(struct work *w, const struct campaign *c,
                          const struct campaign_order *o)
{
    bool any;
    enum rc rc = campaign_reaches(w, c, 1, &any);

    (void)o;
    return rc || any ? rc : err_field(&w->err, "/audience", "这个范围里没有能收到推送的设备");
}

static enum rc ask_tested(struct work *w, const struct campaign *c,
                          const struct campaign_order *o)
{
    (void)o;
    return c->tested ? RC_OK : no(w, "这一稿还没有试发过：请先试发，在手机上看过再送审");
}

static enum rc ask_hash(struct work *w, const struct campaign *c,
                        const struct campaign_order *o)
{
    if (!o->hash)
        return err_field(&w->err, "/hash", "批准要写明看过的是哪一稿：推送的 hash");
    if (memcmp(o->hash, c->hash, sizeof c->hash))
        return no(w, "这条推送已经改过，请先看最新的一稿，再批准");
    return RC_OK;
}

static enum rc ask_other(struct work *w, const struct campaign *c,
                         const struct campaign_order *o)
{
    struct rows q;
    enum rc rc;

    (void)o;
    if (w->who.party)
        return err_set(&w->err, RC_FORBIDDEN, "推送由工作人员批准，程序不能批准");
    rc = row_finish(&q, db_one(w, SQL_push_step_hand, &q, "iti", c->no, w->who.name,
                               actor_person(&w->who)));
    if (!rc)
        return err_set(&w->err, RC_FORBIDDEN,
                       "自己或自己的程序起草、修改或送审过这条推送的人不能批准它");
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static bool any_has(const struct campaign_vote *votes, int n, enum campaign_vote_is is)
{
    for (int i = 0; i < n; i++)
        if (votes[i].is == is)
            return true;
    return false;
}

#define LOST "批准过的人里，有人的审批权限已经收回，或账号已经锁定："

static enum rc ask_eyes(struct work *w, const struct campaign *c,
                        const struct campaign_order *o)
{
    struct campaign_vote *votes;
    int n, counting, need;
    enum rc rc;

    (void)o;
    if ((rc = campaign_votes(w, c, &votes, &n, &counting)) || (rc = campaign_eyes(w, c, &need)))
        return rc;
    if (counting < need && any_has(votes, n, CAMPAIGN_VOTE_LOST))
        return no(w, LOST "请修改后重新送审");
    if (counting < need && any_has(votes, n, CAMPAIGN_VOTE_OLD))
        return no(w, "批准已经过了 7 天：请修改后重新送审");
    if (counting < need)
        return err_set(&w->err, RC_CONFLICT,
                       "按现在的范围要 %d 人批准，只有 %d 人：请修改后重新送审", need,
                       counting);
    return RC_OK;
}

/* What was scheduled goes out as it was approved, unless one of those who did may approve nothing any more: then the others must be enough. */
static enum rc ask_standing(struct work *w, const struct campaign *c,
                            const struct campaign_order *o)
{
    struct campaign_vote *votes;
    int n, counting, need, standing = 0;
    enum rc rc;

    (void)o;
    if ((rc = campaign_votes(w, c, &votes, &n, &counting)) ||
        !any_has(votes, n, CAMPAIGN_VOTE_LOST))
        return rc;
    if ((rc = campaign_eyes(w, c, &need)))
        return rc;
    for (int i = 0; i < n; i++)
        standing += votes[i].is == CAMPAIGN_VOTE_GOOD || votes[i].is == CAMPAIGN_VOTE_OLD;
    return standing < need ? no(w, LOST "请复制这条推送，重新送审") : RC_OK;
}

static enum rc ask_unsent(struct work *w, const struct campaign *c,
                          const struct campaign_order *o)
{
    (void)o;
    return c->fired ? no(w, "这条推送已经开始发送，不能取消：请撤回") : RC_OK;
}

/* Whoever goes on with one that missed its time sends what was approved for another day. */
static enum rc ask_fresh(struct work *w, const struct campaign *c,
                         const struct campaign_order *o)
{
    enum rc rc;

    if (c->fired)
        return RC_OK;
    if ((rc = ask_class(w, c, o)) || (rc = ask_length(w, c, o)) || (rc = ask_people(w, c, o)) ||
        (rc = ask_tested(w, c, o)))
        return rc;
    rc = ask_eyes(w, c, o);
    return rc == RC_CONFLICT
               ? err_set(&w->err, rc,
                         "批准不够人数，已经过了 7 天，或批准的人不再有权限：请复制这条推送，"
                         "重新送审")
               : rc;
}

static enum rc (*const asks[CAMPAIGN_ASKS])(struct work *w, const struct campaign *c,
                                            const struct campaign_order *o) = {
    [CAMPAIGN_ASK_RECORD] = ask_record, [CAMPAIGN_ASK_CLASS] = ask_class,
    [CAMPAIGN_ASK_LENGTH] = ask_length, [CAMPAIGN_ASK_TIME] = ask_time,
    [CAMPAIGN_ASK_PEOPLE] = ask_people, [CAMPAIGN_ASK_TESTED] = ask_tested,
    [CAMPAIGN_ASK_HASH] = ask_hash,     [CAMPAIGN_ASK_OTHER] = ask_other,
    [CAMPAIGN_ASK_EYES] = ask_eyes,     [CAMPAIGN_ASK_FRESH] = ask_fresh,
    [CAMPAIGN_ASK_UNSENT] = ask_unsent, [CAMPAIGN_ASK_STANDING] = ask_standing,
};

enum rc campaign_ask(struct work *w, const struct campaign *c, enum campaign_step step,
                     const struct campaign_order *o)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < CAMPAIGN_ASKS && !rc; i++)
        if (campaign_steps[step].asks >> i & 1)
            rc = asks[i](w, c, o);
    return rc;
}
