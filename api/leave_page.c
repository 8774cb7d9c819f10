/*
 * leave_page.c - all that is known of me, to take away; and to be forgotten.
 *
 *     /account/data            what the file has
 *     /account/data/export     the file
 *     /account/leave           what will happen, what stays and why; POST: begin; while it lasts: when, and how to stay
 *     /account/leave/stay      POST
 *
 * Both want a sign-in of the last ten minutes; staying wants none.
 */
#include "api/leave_page.h"

#include <inttypes.h>

#include "api/leave.h"
#include "api/visitor.h"
#include "server/identity/audit.h"
#include "server/identity/erase.h"
#include "server/identity/personal.h"

/* ---- to take away ---- */

enum rc get_account_data(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct personal_table *tables;
    struct sheet s;
    int n;

    sheet_begin(&s, w, rq, rp, "/account/data", NULL);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    sheet_open(&s, "导出我的数据", NULL, 0);
    sheet_words(&s, "您可以下载本平台记着的关于您的全部数据。文件里有您的手机号等个人信息，请"
                    "不要在公用的电脑上下载，也不要发给别人。");
    buf_adds(&s.b,
             "<p><a class=\"button first\" href=\"/account/data/export\" "
             "download=\"my-data.json\">下载（JSON 文件）</a></p>\n<h2>文件里有</h2>\n<ul>\n");
    tables = personal_tables(&n);
    for (int i = 0; i < n; i++)
        if (tables[i].find != SQL_COUNT)
            buf_printf(&s.b, "<li>%s</li>\n", tables[i].chinese);
    buf_adds(&s.b, "</ul>\n");
    sheet_way(&s, "/account", "回到我的账号");
    sheet_close(&s);
    return RC_OK;
}

enum rc get_account_export(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/account/data", NULL);
    return sheet_is_fresh(&s) ? get_my_export(w, rq, rp) : RC_OK;
}

/* ---- to be forgotten ---- */

static void put_due(struct sheet *s, const struct account *a)
{
    page_time(&s->b, a->state_at + ERASE_AFTER, true);
}

void leave_page_note(struct sheet *s, const struct account *a)
{
    if (a->state != ACCOUNT_LEAVING)
        return;
    buf_adds(&s->b, "<p class=\"note\">您申请了注销账号。它会在 ");
    put_due(s, a);
    buf_adds(&s->b, " 以后清除，在那以前都可以撤回。</p>\n");
    sheet_way(s, "/account/leave", "查看或撤回");
}

static void draw_leaving(struct sheet *s, const struct account *a)
{
    buf_adds(&s->b, "<p>您已经申请注销。您的个人信息会在 ");
    put_due(s, a);
    buf_adds(&s->b,
             " 以后清除，清除以后不能恢复。在那以前，您随时可以登录，在这里撤回。</p>\n");
    sheet_form(s, "/account/leave/stay");
    sheet_button(s, "撤回，保留账号");
    sheet_form_end(s);
}

static void put_kept(struct sheet *s)
{
    const struct personal_table *tables;
    int n;

    buf_adds(&s->b, "<h2>依法保留的</h2>\n<ul>\n");
    tables = personal_tables(&n);
    for (int i = 0; i < n; i++)
        if (tables[i].kept && tables[i].find != SQL_COUNT)
            buf_printf(&s->b, "<li>%s：%s。</li>\n", tables[i].chinese, tables[i].kept);
    buf_adds(&s->b, "</ul>\n");
}

static void draw_question(struct sheet *s)
{
    buf_adds(&s->b,
             "<h2>注销以后</h2>\n<ul>\n"
             "<li>您的称呼、手机号、密码、登录的设备等个人信息都会清除，不能恢复。</li>\n"
             "<li>以后再来，要建立一个新的账号，里面什么都没有。</li>\n</ul>\n");
    put_kept(s);
    buf_adds(&s->b, "<h2>有 15 天可以反悔</h2>\n"
                    "<p>申请以后，别的设备马上退出登录，授权过的程序马上不能再用您的账号。15 "
                    "天内随时可以登录撤回；15 天以后自动清除。</p>\n");
    sheet_way(s, "/account/data", "先导出我的数据");
    sheet_form(s, "/account/leave");
    sheet_button(s, "申请注销");
    sheet_form_end(s);
}

static enum rc draw_leave(struct sheet *s)
{
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(s->w, s->w->who.account, &a)))
        return rc;
    sheet_open(s, "注销账号", NULL, 0);
    if (a.kind != ACCOUNT_CITIZEN)
        sheet_words(s, "工作人员的账号由本单位的安全管理员停用，不能自己注销。");
    else if (a.state == ACCOUNT_LEAVING)
        draw_leaving(s, &a);
    else
        draw_question(s);
    sheet_way(s, "/account", "回到我的账号");
    sheet_close(s);
    return RC_OK;
}

enum rc get_account_leave(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/account/leave", NULL);
    return draw_leave(&s);
}

static enum rc finish(struct sheet *s, enum rc rc, enum audit_action action, const char *path,
                      const char *word)
{
    if (rc == RC_CONFLICT) /* it is not his to do, or not now: the page says which */
        return draw_leave(s);
    if (!rc)
        rc = audit_add(s->w, action,
                       arena_printf(s->w->mem, "accounts/%" PRId64, s->w->who.account), RC_OK);
    if (!rc)
        sheet_go_done(s, path, word);
    return rc;
}

enum rc post_account_leave(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    int64_t due;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/leave", &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    return finish(&s, erase_ask(w, w->who.account, &due), AUDIT_account_leave, "/account/leave",
                  "leaving");
}

enum rc post_account_stay(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/leave", &form);
    return finish(&s, erase_take_back(w, w->who.account), AUDIT_account_stay, "/account",
                  "stay");
}
