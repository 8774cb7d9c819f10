/*
 * account_page.c - who I am, my devices, my password.
 *
 *     /account                 all of it at a glance, and the ways to the rest
 *     /account/name            POST
 *     /account/devices         where I am signed in: end one, end all others
 *     /account/password        set or change it
 *     /account/factors         factor_page.c
 *     /account/inbox           inbox_page.c
 *     /account/programs        ask_page.c
 *     /account/organisations   acting_page.c
 *     /account/owned           owned_page.c
 *     /account/bindings        binding_page.c, phone_page.c
 *     /account/data, /leave    leave_page.c
 *
 * What one signs in with is changed only soon after signing in (sheet_is_fresh()): a phone that was left on a table is not enough to keep its owner
 * out. What was done is said on the page that it leads to: ?done=WORD, from a table of ours.
 */
#include "api/account_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/acting_page.h"
#include "api/leave_page.h"
#include "api/owned_page.h"
#include "api/sheet.h"
#include "api/visitor.h"
#include "server/identity/account.h"
#include "server/identity/acting.h"
#include "server/identity/audit.h"
#include "server/identity/factor.h"
#include "server/identity/identifier.h"
#include "server/identity/password.h"
#include "server/identity/password_set.h"
#include "server/identity/session.h"
#include "server/identity/staff_device.h"

/* ---- at a glance ---- */

static const char *const levels[] = { [0] = "还没有核对",
                                      [1] = "第 1 级：手机号或登录用的账号已核对",
                                      [2] = "第 2 级：姓名与证件号已核对",
                                      [3] = "第 3 级：本人已核验",
                                      [4] = "第 4 级：数字证书，或现场核验" };

static void put_pair(struct sheet *s, const char *name, const char *value)
{
    buf_printf(&s->b, "<dt>%s</dt><dd>", name);
    page_text(&s->b, value);
    buf_adds(&s->b, "</dd>\n");
}

static enum rc put_identifiers(struct sheet *s, const struct account *a)
{
    struct identifier *list;
    enum rc rc;
    int n;

    if ((rc = identifier_list(s->w, a->id, &list, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        const char *kind = list[i].kind;

        if (!strcmp(kind, "phone"))
            put_pair(s, "手机号", identifier_hint(s->w->mem, &list[i]));
        else if (!strcmp(kind, "login"))
            put_pair(s, "登录名", list[i].value);
        else if (!strncmp(kind, "wechat:", 7))
            put_pair(s, "微信", "已绑定");
        else if (!strncmp(kind, "upstream:", 9))
            put_pair(s, "统一身份认证", "已绑定");
    }
    return RC_OK;
}

static enum rc put_who(struct sheet *s, const struct account *a)
{
    int level = s->w->who.level;
    enum rc rc;

    buf_adds(&s->b, "<h2>我的资料</h2>\n<dl class=\"pairs\">\n");
    put_pair(s, "称呼", a->name ? a->name : "还没有填写");
    if ((rc = put_identifiers(s, a)))
        return rc;
    put_pair(s, "实名等级", levels[level >= 0 && level <= ACCOUNT_LEVEL_MAX ? level : 0]);
    buf_adds(&s->b, "</dl>\n");
    return RC_OK;
}

static void put_link(struct sheet *s, const char *path, const char *words, const char *state)
{
    buf_printf(&s->b, "<li><a href=\"%s%s\">%s</a><p class=\"small\">", path,
               s->large ? "?large=1" : "", words);
    page_text(&s->b, state);
    buf_adds(&s->b, "</p></li>\n");
}

static enum rc put_ways(struct sheet *s, const struct account *a)
{
    struct arena *mem = s->w->mem;
    struct session *sessions;
    struct factor *factors;
    struct acting *organisations;
    int nsessions, nfactors, norganisations, nowned;
    enum rc rc;

    if ((rc = session_list(s->w, a->id, &sessions, &nsessions)) ||
        (rc = factor_list(s->w, a->id, &factors, &nfactors)))
        return rc;
    buf_adds(&s->b, "<h2>登录与安全</h2>\n<ul class=\"items\">\n");
    put_link(s, "/account/devices", "登录的设备",
             arena_printf(mem, "现在有 %d 台设备登录着", nsessions));
    put_link(s, "/account/bindings", "手机号与绑定",
             "用什么能登录到这个账号：绑定、更换、解绑");
    put_link(s, "/account/password", a->password ? "修改密码" : "设置密码",
             a->password ? "已经设置" : "还没有设置，不用密码也能登录");
    put_link(s, "/account/factors", "验证器与通行密钥",
             nfactors ? arena_printf(mem, "已有 %d 个", nfactors)
                      : "还没有。加上以后，别人猜到密码也登录不了");
    if ((rc = acting_now(s->w, a->id, &organisations, &norganisations)))
        return rc;
    if (norganisations)
        put_link(s, "/account/organisations", "以单位的名义办事",
                 arena_printf(mem, "有 %d 个单位授权您代表它", norganisations));
    if ((rc = owned_page_count(s->w, &nowned)))
        return rc;
    if (nowned)
        put_link(s, "/account/owned", "负责的程序",
                 arena_printf(mem, "有 %d 个程序由您负责", nowned));
    put_link(s, "/account/inbox", "我的消息", "信件的进展，和系统通知");
    put_link(s, "/account/programs", "授权的程序", "您允许了谁使用您的账号");
    put_link(s, "/sign-out", "退出登录", "只退出这个浏览器");
    buf_adds(&s->b, "</ul>\n<h2>我的数据</h2>\n<ul class=\"items\">\n");
    put_link(s, "/account/data", "导出我的数据", "本平台记着的关于您的全部数据，可以下载");
    if (a->kind == ACCOUNT_CITIZEN)
        put_link(s, "/account/leave", "注销账号", "清除您的个人信息，15 天内可以撤回");
    buf_adds(&s->b, "</ul>\n");
    return RC_OK;
}

static void put_name_form(struct sheet *s, const struct account *a, const char *error)
{
    const struct sheet_field field = { .kind = SHEET_TEXT,
                                       .name = "name",
                                       .label = "希望怎么称呼您",
                                       .hint = "可以不填。工作人员回复您时会看到。",
                                       .complete = "name",
                                       .max = 60,
                                       .value = a->name,
                                       .error = error };

    buf_adds(&s->b, "<h2>修改称呼</h2>\n");
    sheet_form(s, "/account/name");
    sheet_field(s, &field);
    sheet_small_button(s, "保存", NULL);
    sheet_form_end(s);
}

/* Citizens alone: what staff are called stands under what they publish. */
static enum rc draw_account(struct sheet *s, const char *error)
{
    const struct sheet_field wrong = { .name = "name", .error = error };
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(s->w, s->w->who.account, &a)))
        return rc;
    sheet_open(s, "我的账号", &wrong, 1);
    leave_page_note(s, &a);
    if ((rc = put_who(s, &a)) || (rc = put_ways(s, &a)))
        return rc;
    if (a.kind == ACCOUNT_CITIZEN)
        put_name_form(s, &a, error);
    sheet_close(s);
    return RC_OK;
}

enum rc get_account_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/account", NULL);
    return w->who.person ? acting_page_draw(&s) : draw_account(&s, NULL);
}

enum rc post_account_name(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *name;
    struct account a;
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)) || (rc = account_by_id(w, w->who.account, &a)))
        return rc;
    if (a.kind != ACCOUNT_CITIZEN)
        return err_set(&w->err, RC_FORBIDDEN, "what staff are called is not theirs to change");
    sheet_begin(&s, w, rq, rp, "/account", &form);
    name = form_text(&form, "name");
    if ((rc = account_set_name(w, a.id, name)) == RC_INVALID)
        return draw_account(&s, "称呼太长了，或含有不能用的字符。请换一个短一些的");
    if (rc)
        return rc;
    sheet_go_done(&s, "/account", "name");
    return RC_OK;
}

/* ---- devices ---- */

static void put_device(struct sheet *s, const struct session *d)
{
    bool here = d->id == s->w->who.session;

    buf_adds(&s->b, "<li>\n<p><strong>");
    page_text(&s->b, d->device);
    buf_adds(&s->b, here        ? "</strong>（就是这个浏览器）</p>\n"
                    : d->acting ? "</strong>（正在以单位的名义办事）</p>\n"
                                : "</strong></p>\n");
    buf_adds(&s->b, "<p class=\"small\">登录于 ");
    page_time(&s->b, d->created, true);
    buf_adds(&s->b, "，最近使用 ");
    page_time(&s->b, d->used, true);
    if (d->network) {
        buf_adds(&s->b, "，网络地址 ");
        page_text(&s->b, d->network);
    }
    buf_adds(&s->b, "</p>\n");
    if (d->machine)
        buf_printf(&s->b, "<p class=\"small\">设备编号 " STAFF_DEVICE_NAME "%s</p>\n",
                   d->machine,
                   staff_device_counts(d->machine)
                       ? ""
                       : "，没有登记，不能在这里办公：请把编号告诉系统管理员");
    if (!here) {
        sheet_form(s, "/account/devices/end");
        sheet_hidden(s, "session", arena_printf(s->w->mem, "%" PRId64, d->id));
        sheet_small_button(s, "让它退出登录", d->device);
        sheet_form_end(s);
    }
    buf_adds(&s->b, "</li>\n");
}

enum rc get_account_devices(struct work *w, const struct request *rq, struct reply *rp)
{
    struct session *list;
    struct sheet s;
    enum rc rc;
    int n;

    if ((rc = session_list(w, w->who.account, &list, &n)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/devices", NULL);
    sheet_open(&s, "登录的设备", NULL, 0);
    sheet_words(&s, "有不认识的设备，就让它退出登录，再修改密码。退出马上生效。");
    buf_adds(&s.b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        put_device(&s, &list[i]);
    buf_adds(&s.b, "</ul>\n");
    if (n > 1) {
        sheet_form(&s, "/account/devices/end-others");
        sheet_small_button(&s, "让别的设备全部退出", NULL);
        sheet_form_end(&s);
    }
    sheet_way(&s, "/account", "回到我的账号");
    sheet_close(&s);
    return RC_OK;
}

static enum rc tell_ended(struct work *w)
{
    return audit_add(w, AUDIT_session_end,
                     arena_printf(w->mem, "accounts/%" PRId64, w->who.account), RC_OK);
}

enum rc post_account_device(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    int64_t no;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/devices", &form);
    if (!sheet_number(&form, "session", &no))
        return err_field(&w->err, "session", "a session has a number");
    rc = session_end(w, w->who.account, no);
    if (!rc)
        rc = tell_ended(w);
    if (rc && rc != RC_NOT_FOUND) /* it is over by itself: the same to its owner */
        return rc;
    sheet_go_done(&s, "/account/devices", "device");
    return RC_OK;
}

enum rc post_account_devices(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)) ||
        (rc = session_end_all(w, w->who.account, w->who.session)) || (rc = tell_ended(w)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/devices", &form);
    sheet_go_done(&s, "/account/devices", "devices");
    return RC_OK;
}

/* ---- the password ---- */

struct wrong {
    const char *old, *new, *again, *trouble;
    int status;
};

static enum rc draw_password(struct sheet *s, const struct wrong *x)
{
    const struct sheet_field fields[] = {
        { SHEET_PASSWORD, "old", "现在的密码", NULL, "current-password", PASSWORD_MAX, NULL,
          x->old },
        { SHEET_PASSWORD, "password", "新密码", SHEET_PASSWORD_RULE, "new-password",
          PASSWORD_MAX, NULL, x->new },
        { SHEET_PASSWORD, "again", "再输入一次新密码", NULL, "new-password", PASSWORD_MAX, NULL,
          x->again },
    };
    struct account a;
    const char *title;
    enum rc rc;

    if ((rc = account_by_id(s->w, s->w->who.account, &a)))
        return rc;
    title = a.password ? "修改密码" : "设置密码";
    if (x->trouble)
        sheet_open_trouble(s, title, x->status, x->trouble);
    else
        sheet_open(s, title, fields, 3);
    sheet_words(s, "密码改好以后，别的设备都会退出登录，要用新密码重新登录。");
    sheet_form(s, "/account/password");
    if (a.password)
        sheet_field(s, &fields[0]);
    sheet_field(s, &fields[1]);
    sheet_field(s, &fields[2]);
    sheet_button(s, "保存新密码");
    sheet_form_end(s);
    sheet_way(s, "/account", "不改了，回到我的账号");
    sheet_close(s);
    return RC_OK;
}

enum rc get_account_password(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/account/password", NULL);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    return draw_password(&s, &(struct wrong){ 0 });
}

struct entered {
    struct form form;
    struct password_set *set; /* NULL: `wrong` */
    struct wrong wrong;
};

enum rc prepare_account_password(struct work *w, struct request *rq)
{
    struct password_set_entry in = { .account = w->who.account,
                                     .session = w->who.session,
                                     .client = rq->client_tag,
                                     .method = "POST",
                                     .path = "/account/password" };
    struct entered *e = arena_zalloc(w->mem, sizeof *e);
    const char *again;
    enum rc rc;

    rq->prepared = e;
    if ((rc = visitor_read(w, rq, &e->form)))
        return rc;
    in.old = form_text(&e->form, "old");
    in.password = form_text(&e->form, "password");
    again = form_text(&e->form, "again");
    if (!in.password)
        e->wrong.new = "请输入新密码";
    else if (!again || strcmp(in.password, again) != 0)
        e->wrong.again = "两次输入的新密码不一样。请再输入一次";
    if (e->wrong.new || e->wrong.again)
        return RC_OK;
    rc = password_set_prepare(w, &in, &e->set, &rq->errand);
    if (rc != RC_INVALID)
        return rc;
    e->set = NULL;
    e->wrong.new = SHEET_PASSWORD_WEAK;
    return RC_OK;
}

enum rc post_account_password(struct work *w, const struct request *rq, struct reply *rp)
{
    struct entered *e = rq->prepared;
    int64_t wait = 0;
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, "/account/password", &e->form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    if (!e->set)
        return draw_password(&s, &e->wrong);
    rc = password_set_finish(w, e->set, &wait);
    if (rc == RC_INVALID)
        return draw_password(
            &s, &(struct wrong){ .old = "现在的密码不对。请检查大小写，再试一次" });
    if (rc == RC_TOO_MANY)
        return draw_password(&s,
                             &(struct wrong){ .trouble = sheet_wait(&s, wait), .status = 429 });
    if (rc)
        return rc;
    sheet_go_done(&s, "/account", "password");
    return RC_OK;
}
