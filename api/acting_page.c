/*
 * acting_page.c - one's organisations, and acting for one of them.
 *
 *     /account/organisations   those I may act for
 *     /account/act             POST: begin      the cookie becomes that of the other session, one's own waits in __Host-tjzw-own
 *     /account/act/end         POST: end        … and comes back
 *
 * While one acts, each page that knows who asks says so first (sheet.c). What is a person's own (devices, password, phones) is closed until
 * it has ended, and the organisation's programs (owned_page.h) are open; forms that were open before it began, or ended, are refused, because their tokens follow from the cookie.
 */
#include "api/acting_page.h"

#include <inttypes.h>

#include "api/visitor.h"
#include "server/identity/account.h"
#include "server/identity/acting.h"
#include "server/identity/audit.h"
#include "server/identity/session.h"

static const char page_path[] = "/account/organisations";

/* ---- the list ---- */

static enum rc put_organisation(struct sheet *s, const struct acting *a)
{
    bool acting = s->w->who.person && s->w->who.account == a->organisation;
    struct account org;
    enum rc rc;

    if ((rc = account_by_id(s->w, a->organisation, &org)))
        return rc;
    buf_adds(&s->b, "<li>\n<p><strong>");
    page_text(&s->b, org.name);
    buf_adds(&s->b, acting ? "</strong>（现在就是）</p>\n" : "</strong></p>\n");
    buf_adds(&s->b, "<p class=\"small\">授权到 ");
    page_time(&s->b, a->until, false);
    buf_adds(&s->b, " 为止</p>\n");
    if (!acting) {
        sheet_form(s, "/account/act");
        sheet_hidden(s, "organisation", arena_printf(s->w->mem, "%" PRId64, org.id));
        sheet_small_button(s, "以它的名义办事", org.name);
        sheet_form_end(s);
    }
    buf_adds(&s->b, "</li>\n");
    return RC_OK;
}

static void put_end(struct sheet *s)
{
    if (!s->w->who.person)
        return;
    sheet_form(s, "/account/act/end");
    sheet_button(s, "结束，回到我本人");
    sheet_form_end(s);
}

static enum rc draw_list(struct sheet *s, const char *trouble)
{
    struct acting *list;
    enum rc rc;
    int n;

    if ((rc = acting_now(s->w, actor_person(&s->w->who), &list, &n)))
        return rc;
    if (trouble)
        sheet_open_trouble(s, "以单位的名义办事", 403, trouble);
    else
        sheet_open(s, "以单位的名义办事", NULL, 0);
    put_end(s);
    sheet_words(s,
                n ? "您可以代表下面的单位办事。办的事算单位的，操作日志里同时记着是您办的。30 "
                    "分钟不操作，会自动回到您本人。"
                  : "还没有单位授权您代表它办事。需要的话，请单位向本平台的管理部门申请。");
    buf_adds(&s->b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        if ((rc = put_organisation(s, &list[i])))
            return rc;
    buf_adds(&s->b, "</ul>\n");
    sheet_way(s, "/account", s->w->who.person ? "回到单位的账号" : "回到我的账号");
    sheet_close(s);
    return RC_OK;
}

enum rc get_account_organisations(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, page_path, NULL);
    return draw_list(&s, NULL);
}

enum rc acting_page_draw(struct sheet *s)
{
    struct account org;
    enum rc rc;

    if ((rc = account_by_id(s->w, s->w->who.account, &org)))
        return rc;
    sheet_open(s, "单位的账号", NULL, 0);
    buf_adds(&s->b, "<dl class=\"pairs\">\n<dt>单位</dt><dd>");
    page_text(&s->b, org.name);
    buf_adds(&s->b, "</dd>\n</dl>\n");
    sheet_words(s, "您本人的资料、设备、密码和手机号，在结束以后才能查看和修改。");
    put_end(s);
    sheet_way(s, "/account/owned", "单位负责的程序");
    sheet_way(s, page_path, "换一个单位");
    sheet_close(s);
    return RC_OK;
}

/* ---- begin and end ---- */

static const char *object_of(struct work *w, int64_t organisation)
{
    return arena_printf(w->mem, "accounts/%" PRId64, organisation);
}

enum rc post_account_act(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *own = visitor_cookie(w->mem, rq, VISITOR_SESSION);
    struct session_tokens t;
    int64_t organisation;
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, &form);
    if (!sheet_number(&form, "organisation", &organisation))
        return err_field(&w->err, "organisation", "an organisation has a number");
    if ((rc = acting_begin(w, organisation, true, &t)) == RC_FORBIDDEN)
        return draw_list(&s, "这个单位的授权已经结束，或单位的账号已经停用。请向单位核实。");
    if (rc || (rc = audit_add(w, AUDIT_acting_begin, object_of(w, organisation), RC_OK)))
        return rc;
    if (!w->who.person)
        visitor_set(w, rq, rp, VISITOR_OWN, own);
    visitor_set(w, rq, rp, VISITOR_SESSION, t.access);
    sheet_go_done(&s, "/account", "acting");
    return RC_OK;
}

/* The session in which he is himself becomes this browser's again. */
static bool take_back(struct sheet *s, int64_t person)
{
    const char *own = visitor_cookie(s->w->mem, s->rq, VISITOR_OWN);
    struct session_now now;
    bool good = own && session_check(own, &now) && !now.acting && !now.party &&
                (!person || now.account == person);

    visitor_set(s->w, s->rq, s->rp, VISITOR_SESSION, good ? own : NULL);
    visitor_set(s->w, s->rq, s->rp, VISITOR_OWN, NULL);
    return good;
}

bool acting_page_take_back(struct sheet *s)
{
    if (s->w->who.session || !visitor_cookie(s->w->mem, s->rq, VISITOR_OWN) || !take_back(s, 0))
        return false;
    sheet_go_done(s, page_path, "acting-rest");
    return true;
}

enum rc post_account_act_end(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, &form);
    if ((rc = session_end(w, w->who.person, w->who.session)) ||
        (rc = audit_add(w, AUDIT_acting_end, object_of(w, w->who.account), RC_OK)))
        return rc;
    if (take_back(&s, w->who.person))
        sheet_go_done(&s, page_path, "acting-end");
    else
        sheet_go(&s, sheet_url(&s, "/sign-in"));
    return RC_OK;
}
