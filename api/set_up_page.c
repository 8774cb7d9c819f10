/*
 * set_up_page.c - name, sign-in name, password and a second factor, on one page: nothing of the account is there before all of it is.
 *
 *     /set-up?token=T              with an app
 *     /set-up?token=T&passkey=1    with a passkey instead
 *
 * What was wrong leaves the square as it was, so that nobody scans twice. Passwords are typed again.
 */
#include "api/set_up_page.h"

#include <string.h>

#include "api/factor_page.h"
#include "api/passkey_form.h"
#include "api/visitor.h"
#include "server/identity/account.h"
#include "server/identity/identifier.h"
#include "server/identity/invite.h"
#include "server/identity/password.h"
#include "server/identity/role.h"

enum { NAME, LOGIN, PASSWORD, AGAIN, FACTOR, FIELDS };

/* What the page knows: of its address, or of the form that was sent. */
struct setting_up {
    struct form form;
    const char *token;
    bool passkey;
    struct invite invite;
    struct slip slip; /* of the second factor */
    const char *wrong[FIELDS];
    struct invite_use *use; /* NULL: something is wrong */
};

static const char title[] = "设置您的账号";

/* ---- drawing ---- */

static void draw_over(struct sheet *s)
{
    sheet_open_trouble(
        s, "这个链接不能用了", 410,
        "它已经用过一次，或者过了 30 分钟。请让邀请您的人再发一个；设置第一个管理员"
        "时，请在服务器上运行 tjzw admin link。");
    sheet_way(s, "/sign-in", "已经有账号了，去登录");
    sheet_close(s);
}

static void put_fields(struct sheet *s, const struct setting_up *u)
{
    const struct sheet_field fields[] = {
        { .kind = SHEET_TEXT,
          .name = "name",
          .label = "姓名",
          .hint = "别人会在您写的、审的内容上看到它。",
          .complete = "name",
          .max = 40,
          .value = form_text(&u->form, "name"),
          .error = u->wrong[NAME] },
        { .kind = SHEET_TEXT,
          .name = "login",
          .label = "登录名",
          .hint = "登录时用，3 到 64 个字：小写字母、汉字、数字、点和横线。不能全是数字。",
          .complete = "username",
          .max = 64,
          .value = form_text(&u->form, "login"),
          .error = u->wrong[LOGIN] },
        { .kind = SHEET_PASSWORD,
          .name = "password",
          .label = "密码",
          .hint = SHEET_PASSWORD_RULE,
          .complete = "new-password",
          .max = PASSWORD_MAX,
          .error = u->wrong[PASSWORD] },
        { .kind = SHEET_PASSWORD,
          .name = "again",
          .label = "再输入一次密码",
          .complete = "new-password",
          .max = PASSWORD_MAX,
          .error = u->wrong[AGAIN] },
    };

    sheet_hidden(s, "link", u->token);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        sheet_field(s, &fields[i]);
}

static enum rc put_app(struct sheet *s, const struct setting_up *u)
{
    enum rc rc;

    sheet_form(s, "/set-up");
    put_fields(s, u);
    buf_adds(&s->b, "<h2>验证器应用</h2>\n");
    sheet_words(s, "工作人员登录时，除了密码还要输入手机应用里的 6 位数字。");
    if ((rc = factor_put_app(s, &u->slip, "工作人员", u->wrong[FACTOR])))
        return rc;
    sheet_button(s, "完成设置");
    sheet_form_end(s);
    return RC_OK;
}

static void put_inner(struct sheet *s, const void *arg)
{
    put_fields(s, arg);
    sheet_words(s,
                "按下按钮以后，浏览器会请您用指纹、人脸或锁屏密码确认，钥匙留在您的设备里。");
}

static void put_passkey(struct sheet *s, const struct setting_up *u)
{
    const struct passkey_form form = { .action = "/set-up",
                                       .button = "用这台设备完成设置",
                                       .slip = &u->slip,
                                       .owner = true,
                                       .put = put_inner,
                                       .arg = u,
                                       .without =
                                           "这个浏览器现在不能使用通行密钥（它需要启用脚本）。"
                                           "请改用验证器应用。" };
    uint8_t subject[ACCOUNT_SUBJECT] = { 0 };

    memcpy(subject, u->invite.hash, sizeof subject); /* the account has none yet */
    passkey_form_make(s, &form, subject, "工作人员");
}

static void put_other_way(struct sheet *s, const struct setting_up *u)
{
    if (!factor_rp_id())
        return;
    buf_printf(&s->b, "<p class=\"way\"><a href=\"" SET_UP_ADDRESS);
    page_text(&s->b, u->token);
    buf_printf(&s->b, "%s%s\">%s</a></p>\n", u->passkey ? "" : "&amp;passkey=1",
               s->large ? "&amp;large=1" : "",
               u->passkey ? "改用验证器应用" : "改用通行密钥（指纹、人脸或安全密钥）");
}

static enum rc draw(struct sheet *s, const struct setting_up *u)
{
    static const char *const names[FIELDS] = { "name", "login", "password", "again", "code" };
    struct sheet_field wrong[FIELDS] = { 0 };
    const char *trouble = u->passkey ? u->wrong[FACTOR] : NULL;
    enum rc rc;

    for (int i = 0; i < FIELDS; i++)
        wrong[i] = (struct sheet_field){ .name = names[i], .error = u->wrong[i] };
    s->extra = arena_printf(s->w->mem, "token=%s%s", u->token, u->passkey ? "&passkey=1" : "");
    s->page.script = u->passkey;
    if (trouble)
        sheet_open_trouble(s, title, 422, trouble);
    else
        sheet_open(s, title, wrong, FIELDS);
    if (u->invite.role)
        sheet_words(s, arena_printf(s->w->mem, "您将是%s。设置好以后就可以工作。",
                                    u->invite.role->chinese));
    if (u->passkey)
        put_passkey(s, u);
    else if ((rc = put_app(s, u)))
        return rc;
    put_other_way(s, u);
    sheet_close(s);
    return RC_OK;
}

/* ---- the page ---- */

/* Of an invitation's alphabet, so that it can stand in an address as it is. */
static bool is_token(const char *text)
{
    return text && strlen(text) < INVITE_TEXT &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               strlen(text);
}

static void offer(struct setting_up *u)
{
    u->slip = invite_offer(&u->invite, u->passkey ? FACTOR_PASSKEY : FACTOR_TOTP);
}

enum rc get_set_up(struct work *w, const struct request *rq, struct reply *rp)
{
    struct setting_up u = { .token = sheet_param(rq, "token"),
                            .passkey = request_int(rq, "passkey", 0) && factor_rp_id() };
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, "/set-up", NULL);
    rc = is_token(u.token) ? invite_find(w, u.token, &u.invite) : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND) {
        draw_over(&s);
        return RC_OK;
    }
    if (rc)
        return rc;
    offer(&u);
    return draw(&s, &u);
}

/* ---- what was entered ---- */

static void need(struct setting_up *u, int field, const char *name, const char *words)
{
    if (!form_text(&u->form, name))
        u->wrong[field] = words;
}

/* All that is missing at once. */
static bool is_complete(struct setting_up *u)
{
    const char *password = form_text(&u->form, "password"),
               *again = form_text(&u->form, "again");

    need(u, NAME, "name", "请输入姓名");
    need(u, LOGIN, "login", "请输入登录名");
    need(u, PASSWORD, "password", "请输入密码");
    if (!u->passkey)
        need(u, FACTOR, "code", "请输入应用里显示的 6 位数字");
    if (password && (!again || strcmp(password, again) != 0))
        u->wrong[AGAIN] = "两次输入的密码不一样。请再输入一次";
    for (int i = 0; i < FIELDS; i++)
        if (u->wrong[i])
            return false;
    return true;
}

/* By the field that invite_prepare() names. */
static void say_wrong(struct work *w, struct setting_up *u)
{
    const char *field = w->err.field;
    char login[IDENTIFIER_TEXT];
    struct err ignored;

    if (!strcmp(field, "name"))
        u->wrong[NAME] = "姓名太长，或含有不能用的字符";
    else if (!strcmp(field, "login"))
        u->wrong[LOGIN] =
            identifier_normal(&ignored, "login", form_text(&u->form, "login"), login)
                ? "登录名要有 3 到 64 个字：小写字母、汉字、数字、点和横线，不能全是数字"
                : "这个登录名已经有人用了。请换一个";
    else if (!strcmp(field, "password"))
        u->wrong[PASSWORD] = SHEET_PASSWORD_WEAK;
    else
        u->wrong[FACTOR] =
            u->passkey ? "通行密钥的答复没有通过核对。请再试一次" : FACTOR_WRONG_CODE;
}

static enum rc read_form(struct work *w, const struct request *rq, struct setting_up *u)
{
    enum rc rc;

    if ((rc = visitor_read(w, rq, &u->form)))
        return rc;
    u->token = form_text(&u->form, "link");
    if (!is_token(u->token))
        return RC_NOT_FOUND;
    if ((rc = invite_find(w, u->token, &u->invite)))
        return rc;
    if (!slip_read(form_text(&u->form, "ticket"), SLIP_FACTOR, FACTOR_LIFE, &u->slip) ||
        u->slip.account != u->invite.number) {
        u->wrong[FACTOR] = "这一页开得太久了。请用现在这一页的图，重新加一次";
        offer(u);
    }
    u->passkey = u->slip.note == FACTOR_PASSKEY;
    return RC_OK;
}

enum rc prepare_set_up(struct work *w, struct request *rq)
{
    struct setting_up *u = arena_zalloc(w->mem, sizeof *u);
    struct invite_entry in = { .device = visitor_device(w->mem, rq),
                               .known = visitor_cookie(w->mem, rq, VISITOR_DEVICE),
                               .browser = true };
    enum rc rc;

    rq->prepared = u;
    if ((rc = read_form(w, rq, u))) {
        u->token = NULL;
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (!is_complete(u))
        return RC_OK;
    in.token = u->token;
    in.name = form_text(&u->form, "name");
    in.login = form_text(&u->form, "login");
    in.password = form_text(&u->form, "password");
    in.proof = (struct factor_proof){ .slip = u->slip,
                                      .name = u->passkey ? "通行密钥" : "验证器应用",
                                      .code = form_text(&u->form, "code") };
    if (u->passkey && !passkey_form_made(w->mem, &u->form, &in.proof)) {
        u->wrong[FACTOR] = "没有收到通行密钥的答复。请再试一次";
        return RC_OK;
    }
    rc = invite_prepare(w, &in, &u->use, &rq->errand);
    if (rc != RC_INVALID && rc != RC_UNAUTHORIZED)
        return rc;
    u->use = NULL;
    say_wrong(w, u);
    return RC_OK;
}

enum rc post_set_up(struct work *w, const struct request *rq, struct reply *rp)
{
    struct setting_up *u = rq->prepared;
    struct sign_in_result r;
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, "/set-up", &u->form);
    if (!u->token) {
        draw_over(&s);
        return RC_OK;
    }
    if (!u->use)
        return draw(&s, u);
    if ((rc = invite_finish(w, u->use, &r)))
        return rc;
    visitor_set(w, rq, rp, VISITOR_SESSION, r.tokens.access);
    visitor_set(w, rq, rp, VISITOR_OWN, NULL);
    visitor_set(w, rq, rp, VISITOR_DEVICE, r.known);
    sheet_go_done(&s, "/account", "set-up");
    return RC_OK;
}
