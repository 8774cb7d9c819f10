/*
 * phone_page.c - a phone is bound to one's account, by a code; and where it has an account already, the two become one.
 *
 *     /account/phone         a number      --> a code is sent  --> /account/phone/code
 *     /account/phone/code    six digits    --> bound, or asked first: what will become of the other account?
 *     /account/phone/join    POST: yes
 *
 * What the code proved of the other account stands on a slip of five minutes, good once, while its owner reads what will happen.
 */
#include <inttypes.h>
#include <stdio.h>

#include "api/binding_page.h"
#include "api/me.h"
#include "api/sign_in_draw.h"
#include "api/visitor.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/phone.h"
#include "server/identity/refusal.h"
#include "server/identity/sign_in.h"

static const char page_path[] = "/account/phone", code_path[] = "/account/phone/code";

/* ---- the number ---- */

static void draw_phone(struct sheet *s, const char *phone, const char *error, int status)
{
    const struct sheet_field field = { .kind = SHEET_PHONE,
                                       .name = "phone",
                                       .label = "要绑定的手机号",
                                       .hint = "我们会发一条短信，里面有 6 位数字。",
                                       .complete = "tel",
                                       .max = 20,
                                       .value = phone,
                                       .error = error };

    sheet_open(s, "绑定手机号", &field, 1);
    if (status)
        s->rp->status = status;
    sheet_words(s, "绑定以后，用这个手机号也能登录到您的账号。");
    sheet_form(s, page_path);
    sheet_field(s, &field);
    sheet_button(s, "获取验证码");
    sheet_form_end(s);
    sheet_way(s, "/account/bindings", "不绑定了");
    sheet_close(s);
}

enum rc get_account_phone(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, page_path, NULL);
    if (sheet_is_fresh(&s))
        draw_phone(&s, NULL, NULL, 0);
    return RC_OK;
}

/* ---- the code ---- */

static void draw_code(struct sheet *s, const char *phone, const char *error,
                      const char *trouble, int status)
{
    const struct identifier number = { .kind = "phone", .value = phone };
    const struct sheet_field field = sign_in_code_field(error);

    s->path = code_path;
    if (trouble)
        sheet_open_trouble(s, "输入验证码", status, trouble);
    else
        sheet_open(s, "输入验证码", &field, 1);
    sheet_words(
        s, arena_printf(s->w->mem, "验证码已发往 %s。", identifier_hint(s->w->mem, &number)));
    sheet_form(s, code_path);
    sheet_field(s, &field);
    sheet_button(s, "绑定");
    sheet_form_end(s);
    sign_in_put_again(s, page_path, phone, NULL);
    sheet_way(s, page_path, "换一个手机号");
    sheet_close(s);
}

/* Back to the page on which it was asked for. */
static enum rc draw_not_sent(struct sheet *s, const struct form *form, enum rc why,
                             int64_t wait)
{
    const char *phone = form_text(form, "phone"), *words;
    struct step at;
    int status;

    if (!(words = sign_in_not_sent(s, why, wait, &status)))
        return why;
    if (form_text(form, "again") && step_find(s->w, s->rq, STEP_PHONE, &at))
        draw_code(s, at.who, NULL, words, status);
    else
        draw_phone(s, phone, words, status);
    return RC_OK;
}

enum rc post_account_phone(struct work *w, const struct request *rq, struct reply *rp)
{
    struct phone_ask ask = { .purpose = PHONE_ADD, .client = rq->client_tag };
    struct step at = { .kind = STEP_PHONE };
    const char *phone;
    struct form form;
    struct sheet s;
    int64_t wait = 0;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    phone = form_text(&form, "phone");
    ask.phone = at.who;
    if ((rc = identifier_normal(&w->err, "phone", phone ? phone : "", at.who)) ||
        (rc = phone_ask(w, &ask, &wait)))
        return draw_not_sent(&s, &form, rc, wait);
    if ((rc = audit_add(w, AUDIT_code_send, NULL, RC_OK)))
        return rc;
    step_keep(w, rq, rp, &at);
    sheet_go(&s, sheet_url(&s, code_path));
    return RC_OK;
}

enum rc get_account_phone_code(struct work *w, const struct request *rq, struct reply *rp)
{
    struct step at;
    struct sheet s;

    sheet_begin(&s, w, rq, rp, code_path, NULL);
    if (step_find(w, rq, STEP_PHONE, &at))
        draw_code(&s, at.who, NULL, NULL, 0);
    else
        sheet_go(&s, sheet_url(&s, page_path));
    return RC_OK;
}

/* ---- two accounts ---- */

static const char cannot[] =
    "这个手机号已经有一个账号，而且不能合并：它加了验证器或通行密钥，或正在注销，或是工作人员的"
    "账号。请先用这个手机号登录那个账号，在那里移除验证器和通行密钥，再来绑定。";

static enum rc draw_join(struct sheet *s, const char *phone, const struct slip *slip)
{
    const struct identifier number = { .kind = "phone", .value = phone };
    struct account other;
    char ticket[SLIP_TEXT];
    enum rc rc;

    if ((rc = account_by_id(s->w, slip->account, &other)))
        return rc;
    slip_put(slip, ticket);
    sheet_open(s, "合并两个账号", NULL, 0);
    buf_printf(&s->b, "<p>%s 已经有一个账号，是 ", identifier_hint(s->w->mem, &number));
    page_time(&s->b, other.created, false);
    buf_adds(
        &s->b,
        " 建立的。要把它绑定到现在这个账号，两个账号就要合成一个：</p>\n<ul>\n"
        "<li>以后用这个手机号登录，进的就是现在这个账号。</li>\n"
        "<li>那个账号绑定的其他登录方式、可以代表的单位，也归到现在这个账号。</li>\n"
        "<li>那个账号的收藏、已读、关注，写过的信件和答过的问卷，也归到现在这个账号；两边都"
        "设过的（如字号），以现在这个账号为准。那边的消息不再保留。</li>\n"
        "<li>那个账号的称呼和密码不再有，登录着的设备马上退出，授权过的程序要重新"
        "授权。</li>\n"
        "<li>实名等级以现在这个账号为准。</li>\n"
        "<li>合并以后不能再分开。</li>\n</ul>\n");
    sheet_form(s, "/account/phone/join");
    sheet_hidden(s, "ticket", ticket);
    sheet_button(s, "合并到现在这个账号");
    sheet_form_end(s);
    sheet_way(s, "/account/bindings", "不合并");
    sheet_close(s);
    return RC_OK;
}

static enum rc refuse_code(struct sheet *s, const char *phone)
{
    refusal_note("POST", code_path, &s->w->who, s->rq->client, RC_FORBIDDEN);
    draw_code(s, phone, "验证码不对，或者已经过期。请核对最新的一条短信，或重新发送", NULL, 0);
    return RC_OK;
}

static enum rc is_bound(struct sheet *s, int64_t joined)
{
    enum rc rc = me_tell_added(s->w, joined);

    if (rc)
        return rc;
    step_forget(s->w, s->rq, s->rp);
    sheet_go_done(s, "/account/bindings", joined ? "joined" : "bound");
    return RC_OK;
}

enum rc post_account_phone_code(struct work *w, const struct request *rq, struct reply *rp)
{
    struct step at;
    struct phone_add add = { .account = w->who.account,
                             .phone = at.who,
                             .client = rq->client_tag };
    const char *code;
    struct slip other;
    struct form form;
    struct sheet s;
    int64_t wait = 0;
    bool right;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, code_path, &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    if (!step_find(w, rq, STEP_PHONE, &at)) {
        sheet_go(&s, sheet_url(&s, page_path));
        return RC_OK;
    }
    code = form_text(&form, "code");
    add.code = code ? code : "";
    if ((rc = phone_take(w, &add, &right, &other, &wait)) == RC_TOO_MANY) {
        draw_code(&s, at.who, NULL, sheet_wait(&s, wait), 429);
        return RC_OK;
    }
    if (rc)
        return rc;
    if (!right)
        return refuse_code(&s, at.who);
    if (!other.account)
        return is_bound(&s, 0);
    if ((rc = account_may_merge(w, other.account, w->who.account)) == RC_CONFLICT) {
        draw_code(&s, at.who, NULL, cannot, 409);
        return RC_OK;
    }
    return rc ? rc : draw_join(&s, at.who, &other);
}

enum rc post_account_phone_join(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *ticket;
    struct form form;
    struct slip slip;
    struct sheet s;
    struct step at;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    ticket = form_text(&form, "ticket");
    if (!step_find(w, rq, STEP_PHONE, &at) || !ticket ||
        !slip_read(ticket, SLIP_JOIN, PHONE_JOIN_LIFE, &slip) ||
        (rc = phone_join(w, w->who.account, at.who, &slip)) == RC_UNAUTHORIZED) {
        draw_phone(&s, NULL, "等得太久，要重新核对手机号", 422);
        return RC_OK;
    }
    if (rc == RC_CONFLICT) {
        draw_code(&s, at.who, NULL, cannot, 409);
        return RC_OK;
    }
    return rc ? rc : is_bound(&s, slip.account);
}
