/*
 * owned_page.c - what each of them may do, its keys, and how one or the other ends.
 *
 *     /account/owned      all of them, with their keys
 *     POST                the question: is it really this key, this program that is to end    party, and key for one of its keys
 *     POST, answer=yes    it ended, and the list says so
 *
 * A key is made, and exchanged, by JSON alone (/v1/parties): it is shown once, to the program's own people, and a page in a browser's history is no
 * place for it. What one stopped a security administrator opens again.
 */
#include "api/owned_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/visitor.h"
#include "server/base/clock.h"
#include "server/identity/audit.h"
#include "server/identity/party_key.h"
#include "server/identity/party_sandbox.h"

enum { TRIALS = 5 };

static const char page_path[] = "/account/owned", title[] = "负责的程序";

static const char *const kinds[] = { [PARTY_NONE] = "",
                                     [PARTY_TEST] = "测试：不向外发出任何东西",
                                     [PARTY_TEAM] = "内部：只发给自己的人",
                                     [PARTY_LIVE] = "正式" };

/* A security administrator may see all: here he sees what is his. */
static enum rc list_his(struct work *w, struct party **out, int *n)
{
    enum rc rc;
    int all;

    if ((rc = party_list(w, out, &all)))
        return rc;
    *n = 0;
    for (int i = 0; i < all; i++)
        if (party_is_his(w, &(*out)[i]))
            (*out)[(*n)++] = (*out)[i];
    return RC_OK;
}

enum rc owned_page_count(struct work *w, int *n)
{
    struct party *list;

    return list_his(w, &list, n);
}

/* ---- the list ---- */

static void put_button(struct sheet *s, const struct party *p, const struct party_key *k)
{
    sheet_form(s, page_path);
    sheet_hidden(s, "party", p->id);
    if (k)
        sheet_hidden(s, "key", arena_printf(s->w->mem, "%" PRId64, k->no));
    sheet_small_button(s, k ? "吊销这把密钥" : "停用这个程序",
                       k ? arena_printf(s->w->mem, "%s，第 %" PRId64 " 号", p->name, k->no)
                         : p->name);
    sheet_form_end(s);
}

static void put_key_words(struct sheet *s, const struct party_key *k)
{
    buf_printf(&s->b, "密钥第 %" PRId64 " 号，签发于 ", k->no);
    page_time(&s->b, k->created, false);
    buf_adds(&s->b, "，有效到 ");
    page_time(&s->b, k->expires, false);
    buf_adds(&s->b, "，");
    if (k->used) {
        buf_adds(&s->b, "最近使用 ");
        page_time(&s->b, k->used, true);
    } else
        buf_adds(&s->b, "还没有用过");
}

static enum rc put_keys(struct sheet *s, const struct party *p)
{
    struct party_key *keys;
    enum rc rc;
    int n;

    if ((rc = party_key_list(s->w, p->no, &keys, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        if (keys[i].expires <= clock_now())
            continue;
        buf_adds(&s->b, "<p class=\"small\">");
        put_key_words(s, &keys[i]);
        buf_adds(&s->b, "</p>\n");
        put_button(s, p, &keys[i]);
    }
    return RC_OK;
}

/* What its test or team key only tried, the last of it. */
static enum rc put_trials(struct sheet *s, const struct party *p)
{
    struct sandbox_row *list;
    enum rc rc;
    int n;

    if ((rc = party_sandbox_list(s->w, p->no, 0, TRIALS, &list, &n)))
        return rc;
    if (n)
        buf_adds(
            &s->b,
            "<p class=\"small\">最近试过、没有发出的（全部见接口 /v1/sandbox）：</p>\n<ul>\n");
    for (int i = 0; i < n; i++) {
        buf_adds(&s->b, "<li class=\"small\">");
        page_time(&s->b, list[i].at, true);
        buf_printf(&s->b, "，%s %s", list[i].method, list[i].route);
        if (list[i].account)
            buf_printf(&s->b, "，给账号 %" PRId64, list[i].account);
        buf_adds(&s->b, "</li>\n");
    }
    buf_adds(&s->b, n ? "</ul>\n" : "");
    return RC_OK;
}

static void put_rights(struct sheet *s, const struct scope *at)
{
    const char *comma = at->site == EVERYWHERE ? "；全部站点：" : "；一个站点：";

    for (unsigned bit = 1; bit && bit <= at->rights; bit <<= 1)
        if (at->rights & bit) {
            buf_printf(&s->b, "%s%s", comma, right_chinese((enum right)bit));
            comma = "、";
        }
}

static enum rc put_program(struct sheet *s, const struct party *p)
{
    enum rc rc;

    buf_adds(&s->b, "<li>\n<p><strong>");
    page_text(&s->b, p->name);
    buf_printf(&s->b, "</strong>（%s）</p>\n<p class=\"small\">%s%s", p->id, kinds[p->kind],
               p->open ? "" : "；已经停用，它的密钥都无效");
    for (int i = 0; i < p->nrights; i++)
        put_rights(s, &p->rights[i]);
    buf_adds(&s->b, "</p>\n");
    if ((rc = put_keys(s, p)) || (rc = put_trials(s, p)))
        return rc;
    if (p->open)
        put_button(s, p, NULL);
    buf_adds(&s->b, "</li>\n");
    return RC_OK;
}

static enum rc draw_list(struct sheet *s)
{
    struct party *list;
    enum rc rc;
    int n;

    if ((rc = list_his(s->w, &list, &n)))
        return rc;
    sheet_open(s, title, NULL, 0);
    sheet_words(s, n ? "这些程序凭密钥使用本平台。密钥可能泄露了，就吊销它；程序不用了，就停用"
                       "它。换密钥和看请求记录，用接口 /v1/parties。"
                     : "没有登记过由您这里负责的程序。需要的话，请向本平台的管理部门申请。");
    if (s->w->who.person)
        sheet_words(s, "别的程序不能登录单位的账号，所以单位没有“授权的程序”可以收回。");
    buf_adds(&s->b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        if ((rc = put_program(s, &list[i])))
            return rc;
    buf_adds(&s->b, "</ul>\n");
    sheet_way(s, "/account", s->w->who.person ? "回到单位的账号" : "回到我的账号");
    sheet_close(s);
    return RC_OK;
}

enum rc get_account_owned(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, page_path, NULL);
    return draw_list(&s);
}

/* ---- the end ---- */

struct end {
    struct party party;
    struct party_key key; /* no 0: the whole program */
};

static void draw_question(struct sheet *s, const struct end *x)
{
    sheet_open(s, x->key.no ? "要吊销这把密钥吗" : "要停用这个程序吗", NULL, 0);
    buf_adds(&s->b, "<p><strong>");
    page_text(&s->b, x->party.name);
    buf_printf(&s->b, "</strong>（%s）</p>\n", x->party.id);
    if (x->key.no) {
        buf_adds(&s->b, "<p>");
        put_key_words(s, &x->key);
        buf_adds(&s->b, "</p>\n");
    }
    sheet_note(s, x->key.no
                      ? "吊销马上生效，不能恢复：用这把密钥的程序会停下来，直到换上另一把。"
                      : "停用马上生效：它的密钥都无效，它替人登录的会话也都结束。要再启用，"
                        "请联系本平台的安全管理员。");
    sheet_form(s, page_path);
    sheet_hidden(s, "party", x->party.id);
    if (x->key.no)
        sheet_hidden(s, "key", arena_printf(s->w->mem, "%" PRId64, x->key.no));
    sheet_hidden(s, "answer", "yes");
    sheet_button(s, x->key.no ? "吊销" : "停用");
    sheet_form_end(s);
    sheet_way(s, page_path, "不，回到上一页");
    sheet_close(s);
}

/* RC_NOT_FOUND: it is not his, or ended before. */
static enum rc find(struct work *w, const struct form *form, struct end *out)
{
    const char *id = form_text(form, "party");
    struct party_key *keys;
    int64_t no = 0;
    enum rc rc;
    int n;

    *out = (struct end){ 0 };
    if (!id || (form_text(form, "key") && !sheet_number(form, "key", &no)))
        return err_field(&w->err, "party", "a program has an id, and its key a number");
    if ((rc = party_find(w, id, &out->party)))
        return rc;
    if (!party_is_his(w, &out->party))
        return err_set(&w->err, RC_NOT_FOUND, "there is no party \"%.40s\"", id);
    if (!no)
        return RC_OK;
    if ((rc = party_key_list(w, out->party.no, &keys, &n)))
        return rc;
    for (int i = 0; i < n; i++)
        if (keys[i].no == no)
            out->key = keys[i];
    return out->key.no ? RC_OK : err_set(&w->err, RC_NOT_FOUND, "the party has no such key");
}

static enum rc end(struct work *w, const struct end *x)
{
    const char *object =
        x->key.no ? arena_printf(w->mem, "parties/%s/keys/%" PRId64, x->party.id, x->key.no)
                  : arena_printf(w->mem, "parties/%s", x->party.id);
    enum rc rc =
        x->key.no ? party_key_revoke(w, &x->party, x->key.no) : party_stop(w, &x->party);

    return rc ? rc
              : audit_add(w, x->key.no ? AUDIT_party_revoke : AUDIT_party_edit, object, RC_OK);
}

enum rc post_account_owned(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *answer;
    struct form form;
    struct sheet s;
    struct end x;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)) || (rc = find(w, &form, &x)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, &form);
    answer = form_text(&form, "answer");
    if (!answer || strcmp(answer, "yes") != 0) {
        draw_question(&s, &x);
        return RC_OK;
    }
    if ((rc = end(w, &x)))
        return rc;
    sheet_go_done(&s, page_path, x.key.no ? "owned-key" : "owned");
    return RC_OK;
}
