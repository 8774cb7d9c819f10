/*
 * notices.c - templates of notices as programs and staff write them, and notices as programs send them. What they say stands in no log.
 */
#include "api/notices.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "push/notice.h"
#include "server/identity/party_table.h"

const struct param notice_templates_params[] = {
    { "party", P_TEXT, 1, PARTY_ID_MAX, "只要这个第三方的；程序只看得到自己的" },
    { "state", P_TEXT, 1, 20, "只要这一状态的：submitted、approved…" },
    { "cursor", P_INT, 1, INT64_MAX, "上一页答复里的 next；不给则从最新的开始" },
    { 0 },
};
const struct param notice_template_params[] = {
    { "template", P_INT, 1, INT64_MAX, "模板的编号，一版一个" }, { 0 }
};
const struct param notice_params[] = {
    { "notice", P_TEXT, ID_TEXT - 1, ID_TEXT - 1, "通知的编号" }, { 0 }
};

/* ---- whose ---- */

/* A program is its own party; staff name one. */
static enum rc find_party(struct work *w, const char *id, struct party *out)
{
    if (w->who.key) {
        if (!party_table_find(w->mem, w->who.party, NULL, out))
            return err_set(&w->err, RC_FORBIDDEN, "这个第三方已经停用");
        return id && strcmp(id, out->id)
                   ? err_set(&w->err, RC_FORBIDDEN, "一个程序只能用它自己的通知模板")
                   : RC_OK;
    }
    if (!id)
        return err_field(&w->err, "/party", "请说明是哪个第三方");
    if (!party_table_find(w->mem, 0, id, out))
        return err_field(&w->err, "/party", "没有这个第三方");
    return RC_OK;
}

/* ---- templates ---- */

static void view_template(struct work *w, struct buf *b, const struct notice_template *t)
{
    char hash[HASH_TEXT];
    struct party p;

    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    jx_put_text(b, "approver", t->approver);
    jx_put_text(b, "author", t->author);
    view_time(b, "changed", t->changed);
    jx_put_text(b, "hash", hex_text(t->hash, sizeof t->hash, hash));
    jx_put_text(b, "name", t->name);
    if (party_table_find(w->mem, t->party, NULL, &p))
        jx_put_text(b, "party", p.id);
    jx_put_text(b, "state", t->state);
    jx_put_text(b, "stateText", notice_state_chinese(t->state));
    jx_put_int(b, "template", t->no);
    jx_put_text(b, "why", t->why);
    jx_key(b, "words");
    buf_adds(b, t->words);
    buf_addc(b, '}');
}

static enum rc reply_template(struct work *w, const struct notice_template *t, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);

    view_template(w, &b, t);
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_notice_templates(struct work *w, const struct request *rq, struct reply *rp)
{
    struct notice_template_query q = { .state = request_text(rq, "state", ""),
                                       .before = request_int(rq, "cursor", 0) };
    const char *id = request_text(rq, "party", NULL);
    struct buf b = BUF_IN(w->mem);
    struct notice_template *list;
    struct party p = { 0 };
    enum rc rc;
    int n;

    if (*q.state && !notice_state_chinese(q.state))
        return err_field(&w->err, "state", "没有这个状态");
    if ((w->who.key || id) && (rc = find_party(w, id, &p)))
        return rc;
    q.party = p.no;
    if ((rc = notice_may(w, p.no)) || (rc = notice_template_list(w, &q, &list, &n)))
        return rc;
    view_list_open(&b, "templates");
    for (int i = 0; i < n; i++)
        view_template(w, &b, &list[i]);
    view_list_close(
        &b, n == NOTICE_TEMPLATE_PAGE ? arena_printf(w->mem, "%" PRId64, list[n - 1].no) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_notice_template(struct work *w, const struct request *rq, struct reply *rp)
{
    struct notice_template t;
    enum rc rc;

    if ((rc = notice_template_find(w, request_int(rq, "template", 0), &t)) ||
        (rc = notice_may(w, t.party)))
        return rc;
    return reply_template(w, &t, rp);
}

/* The rest of the body is what it says. */
enum rc post_notice_template(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *name, *id;
    struct notice_template t;
    struct party p;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    name = jx_text(body, "name");
    id = jx_text(body, "party");
    if (!name)
        return err_field(&w->err, "/name", "请写明模板的名称");
    name = arena_strdup(w->mem, name);
    id = id ? arena_strdup(w->mem, id) : NULL;
    json_object_del(body, "name");
    json_object_del(body, "party");
    if ((rc = find_party(w, id, &p)) || (rc = notice_template_draft(w, &p, name, body, &t)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/notice-templates/%" PRId64, t.no));
    return reply_template(w, &t, rp);
}

enum rc post_notice_approve(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "hash", JX_TEXT, true, 1, HASH_TEXT }, { 0 } };
    uint8_t hash[HASH_BYTES];
    struct notice_template t;
    const char *text;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    text = jx_text(body, "hash");
    if (!hex_parse(text, strlen(text), hash, HASH_BYTES))
        return err_field(&w->err, "/hash", "hash 是 64 位小写十六进制");
    if ((rc = notice_template_approve(w, request_int(rq, "template", 0), hash, &t)))
        return rc;
    return reply_template(w, &t, rp);
}

static enum rc step(struct work *w, const struct request *rq, struct reply *rp,
                    enum rc (*does)(struct work *w, int64_t no, const char *why,
                                    struct notice_template *out))
{
    static const struct jx_field members[] = { { "text", JX_TEXT, true, 1, NOTICE_WHY_MAX },
                                               { 0 } };
    struct notice_template t;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = does(w, request_int(rq, "template", 0), jx_text(body, "text"), &t)))
        return rc;
    return reply_template(w, &t, rp);
}

enum rc post_notice_return(struct work *w, const struct request *rq, struct reply *rp)
{
    return step(w, rq, rp, notice_template_return);
}

enum rc post_notice_retire(struct work *w, const struct request *rq, struct reply *rp)
{
    return step(w, rq, rp, notice_template_retire);
}

/* ---- notices ---- */

/* How many devices by what became of them: neither which, nor by which vendor. */
static void put_rang(struct buf *b, const struct notice_status *s)
{
    jx_key(b, "push");
    buf_addc(b, '{');
    for (int what = RUN_ACCEPTED; what < RUN_RESENT && s->rang; what++) {
        int64_t n = 0;

        for (int by = 1; by < TRANSPORT_COUNT; by++)
            n += s->on.by[by][what];
        if (n)
            jx_put_int(b, run_words[what], n);
    }
    if (s->on.waiting + s->on.sent)
        jx_put_int(b, "waiting", s->on.waiting + s->on.sent);
    buf_addc(b, '}');
}

/* `s` NULL: only that it was taken. */
static void view_notice(struct buf *b, const struct notice *n, const struct notice_status *s)
{
    char id[ID_TEXT];

    buf_addc(b, '{');
    view_time(b, "at", n->at);
    jx_put_text(b, "id", n->ref);
    if (s && n->fate == NOTICE_SENT)
        jx_put_text(b, "inbox", s->there ? "there" : "gone");
    jx_put_text(b, "notice", id_text(&n->id, id));
    if (s)
        put_rang(b, s);
    jx_put_text(b, "state", n->fate == NOTICE_DECLINED ? "declined" : "sent");
    jx_put_text(b, "template", n->name);
    buf_adds(b, "}\n");
}

enum rc post_notice(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = {
        { "id", JX_TEXT, true, 1, NOTICE_REF_MAX },
        { "party", JX_TEXT, false, 1, PARTY_ID_MAX },
        { "template", JX_TEXT, true, 1, NOTICE_WORD_MAX },
        { "to", JX_TEXT, true, 1, 100 },
        { "values", JX_OBJECT, false, 0, 0 },
        { 0 },
    };
    struct buf b = BUF_IN(w->mem);
    struct notice_order o;
    struct party p;
    struct notice n;
    bool is_new;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = find_party(w, jx_text(body, "party"), &p)))
        return rc;
    o = (struct notice_order){ jx_text(body, "template"), jx_text(body, "id"),
                               jx_text(body, "to"), json_object_get(body, "values") };
    if ((rc = notice_send(w, &p, &o, &n, &is_new)))
        return rc;
    work_fact(w, "party", p.no);
    rp->status = is_new ? 201 : 200;
    view_notice(&b, &n, NULL);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_notice(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *text = request_arg(rq, "notice")->text;
    struct buf b = BUF_IN(w->mem);
    struct notice_status s;
    struct notice n;
    struct id id;
    enum rc rc;

    if (!id_parse(text, strlen(text), &id))
        return err_field(&w->err, "notice", "这不是通知的编号");
    if ((rc = notice_find(w, &id, &n)) || (rc = notice_status(w, &n, &s)))
        return rc;
    view_notice(&b, &n, &s);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
