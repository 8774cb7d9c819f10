/*
 * channel_version.c - rows of channel_version, and what staff do with them. What is wrong with one: channel_check.c.
 */
#include "server/channel/channel_version.h"

#include <inttypes.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/channel/channel_task.h"
#include "server/library/row.h"
#include "server/store/db.h"

enum { TITLE_MAX = 200, TEXT_MAX = 100000 };

/* ---- rows ---- */

static enum rc read_row(struct work *w, const struct rows *q, struct channel_version *out)
{
    enum rc rc;

    *out = (struct channel_version){ .no = rows_int(q, 0),
                                     .channel = rows_int(q, 1),
                                     .rev = rows_int(q, 3),
                                     .title = rows_dup_text(w, q, 4),
                                     .digest = rows_dup_text(w, q, 5),
                                     .byline = rows_dup_text(w, q, 6),
                                     .body = rows_dup_text(w, q, 7),
                                     .has_cover = !rows_null(q, 8),
                                     .state = rows_dup_text(w, q, 9),
                                     .author = rows_dup_text(w, q, 11),
                                     .approver = rows_dup_text(w, q, 12),
                                     .why = rows_dup_text(w, q, 13),
                                     .changed = rows_int(q, 14) };
    if ((rc = row_bytes(w, q, 2, out->item.b, sizeof out->item.b)) ||
        (rc = row_bytes(w, q, 10, out->hash, sizeof out->hash)))
        return rc;
    return out->has_cover ? row_bytes(w, q, 8, out->cover, sizeof out->cover) : RC_OK;
}

enum rc channel_version_find(struct work *w, int64_t no, struct channel_version *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_channel_version_one, &q, "i", no);

    if (!rc)
        rc = read_row(w, &q, out);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "没有编号为 %" PRId64 " 的文稿", no);
    return rc;
}

enum rc channel_version_list(struct work *w, int64_t channel, int64_t before,
                             struct channel_version **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct channel_version v;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_channel_version_of_channel, &q, "iii", channel,
                       before ? before : INT64_MAX, (int64_t)CHANNEL_PAGE)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = read_row(w, &q, &v)))
            buf_add(&list, &v, sizeof v);
    *out = (struct channel_version *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return row_finish(&q, rc);
}

/* ---- writing ---- */

static void make_hash(struct work *w, struct channel_version *v)
{
    char item[ID_TEXT], cover[HASH_TEXT];
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "body", v->body);
    jx_put_text(&b, "byline", v->byline);
    jx_put_int(&b, "channel", v->channel);
    jx_put_text(&b, "cover", v->has_cover ? hex_text(v->cover, HASH_BYTES, cover) : NULL);
    jx_put_text(&b, "digest", v->digest);
    jx_put_text(&b, "item", id_text(&v->item, item));
    jx_put_int(&b, "rev", v->rev);
    jx_put_text(&b, "title", v->title);
    buf_addc(&b, '}');
    sha256(b.p, b.n, v->hash);
}

static enum rc check_sizes(struct work *w, const struct channel_version *v)
{
    const struct {
        const char *name, *text;
        size_t max;
    } texts[] = { { "/title", v->title, TITLE_MAX * 4 },
                  { "/digest", v->digest, TITLE_MAX * 8 },
                  { "/byline", v->byline, TITLE_MAX },
                  { "/body", v->body, TEXT_MAX } };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strlen(texts[i].text) > texts[i].max)
            return err_field(&w->err, texts[i].name, "最多 %d 字节", (int)texts[i].max);
    return RC_OK;
}

/* Nobody writes about what is not out, nor about what it said before. */
static enum rc bind(struct work *w, struct channel_version *v)
{
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, &v->item, &it)))
        return rc;
    if (!it.live_rev)
        return err_set(&w->err, RC_CONFLICT, "先入库，后使用：这条内容没有发布");
    v->rev = it.live_rev;
    return RC_OK;
}

static enum rc need_channel(struct work *w, int64_t no, unsigned right,
                            struct channel_account *a)
{
    enum rc rc;

    if ((rc = channel_account_find(w, no, a)) || (rc = work_need_at(w, right, a->site)))
        return rc;
    return channel_kind_sends(a->kind)
               ? RC_OK
               : err_set(&w->err, RC_CONFLICT, "这一类账号只登记，不由本平台发布");
}

enum rc channel_version_create(struct work *w, struct channel_version *in)
{
    struct channel_account a;
    struct rows q;
    enum rc rc;

    if ((rc = need_channel(w, in->channel, RIGHT_EDIT, &a)) || (rc = check_sizes(w, in)) ||
        (rc = bind(w, in)))
        return rc;
    make_hash(w, in);
    rc = db_one(w, SQL_channel_version_add, &q, "ibittttbbti", in->channel, in->item.b,
                sizeof in->item.b, in->rev, in->title, in->digest, in->byline, in->body,
                in->has_cover ? in->cover : NULL, sizeof in->cover, in->hash, sizeof in->hash,
                w->who.name, clock_now());
    if (!rc)
        in->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

static enum rc no_task_yet(struct work *w, int64_t version)
{
    struct channel_task t;
    enum rc rc = channel_task_of(w, version, CHANNEL_PUBLISH, &t);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc
              : err_set(&w->err, RC_CONFLICT,
                        "这一稿已经交付发布（任务 %" PRId64 "），不能再改：请另写一稿", t.no);
}

enum rc channel_version_rewrite(struct work *w, struct channel_version *in)
{
    struct channel_account a;
    enum rc rc;

    if ((rc = need_channel(w, in->channel, RIGHT_EDIT, &a)) || (rc = no_task_yet(w, in->no)) ||
        (rc = check_sizes(w, in)) || (rc = bind(w, in)))
        return rc;
    make_hash(w, in);
    return db_change(w, SQL_channel_version_set, "iittttbbti", in->no, in->rev, in->title,
                     in->digest, in->byline, in->body, in->has_cover ? in->cover : NULL,
                     sizeof in->cover, in->hash, sizeof in->hash, w->who.name, clock_now());
}

/* ---- steps ---- */

static enum rc set_state(struct work *w, struct channel_version *v, const char *to,
                         const char *approver, const char *why)
{
    enum rc rc = db_change(w, SQL_channel_version_state, "itttti", v->no, v->state, to,
                           approver, why, clock_now());

    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CONFLICT, "这一稿已经是另一个状态");
    v->state = to;
    v->approver = approver;
    v->why = why;
    v->changed = clock_now();
    return rc;
}

static enum rc need_other(struct work *w, const struct channel_version *v)
{
    if (w->who.key)
        return err_set(&w->err, RC_FORBIDDEN, "文稿由工作人员批准，程序不能批准");
    return w->who.operator|| strcmp(v->author, w->who.name)
               ? RC_OK
               : err_set(&w->err, RC_FORBIDDEN, "自己写的文稿要由别人批准");
}

static enum rc refuse_faults(struct work *w, const struct channel_faults *f)
{
    if (f->n)
        return err_set(&w->err, RC_UNFIT, "%s", f->v[0].said);
    for (int i = 0; i < f->checked.n; i++)
        if (f->checked.verdicts[i].severity == CHECK_BLOCKING)
            return err_set(&w->err, RC_UNFIT, "%.450s", f->checked.verdicts[i].said);
    return RC_OK;
}

enum rc channel_version_approve(struct work *w, int64_t no, const uint8_t hash[HASH_BYTES],
                                struct channel_version *out)
{
    struct channel_faults faults;
    struct channel_account a;
    enum rc rc;

    if ((rc = channel_version_find(w, no, out)) ||
        (rc = need_channel(w, out->channel, RIGHT_REVIEW, &a)) || (rc = need_other(w, out)))
        return rc;
    if (strcmp(out->state, "draft") != 0)
        return err_set(&w->err, RC_CONFLICT, "这一稿不在等待批准");
    if (memcmp(out->hash, hash, HASH_BYTES) != 0)
        return err_set(&w->err, RC_CONFLICT, "看过之后它又改了：请再看一遍");
    if ((rc = channel_version_check(w, out, &faults)) || (rc = refuse_faults(w, &faults)))
        return rc;
    return set_state(w, out, "approved", arena_strdup(w->mem, w->who.name), NULL);
}

enum rc channel_version_return(struct work *w, int64_t no, const char *why,
                               struct channel_version *out)
{
    struct channel_account a;
    enum rc rc;

    if ((rc = channel_version_find(w, no, out)) ||
        (rc = need_channel(w, out->channel, RIGHT_REVIEW, &a)) || (rc = no_task_yet(w, no)))
        return rc;
    if (strcmp(out->state, "draft") && strcmp(out->state, "approved"))
        return err_set(&w->err, RC_CONFLICT, "这一稿不在等待批准");
    return set_state(w, out, "returned", NULL, why);
}

enum rc channel_version_may_go(struct work *w, const struct channel_version *v,
                               struct channel_account *a)
{
    struct item it;
    enum rc rc;

    if ((rc = channel_account_find(w, v->channel, a)))
        return rc;
    if (strcmp(v->state, "approved") != 0)
        return err_set(&w->err, RC_CONFLICT, "这一稿没有批准");
    if (!channel_is_active(a))
        return err_set(&w->err, RC_CONFLICT, "账号“%s”不在用", a->name);
    if ((rc = item_find(w, &v->item, &it)))
        return rc;
    if (it.live_rev != v->rev)
        return err_set(&w->err, RC_CONFLICT,
                       it.live_rev ? "内容已经有了新版：请按新版另写一稿" : "内容已经不再公开");
    return RC_OK;
}
