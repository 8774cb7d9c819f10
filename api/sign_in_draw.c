/*
 * sign_in_draw.c - the words and the fields. Nothing is decided here.
 */
#include "api/sign_in_draw.h"

#include <string.h>

#include "api/passkey_form.h"
#include "server/identity/code.h"
#include "server/identity/password.h"
#include "server/identity/sign_in.h"
#include "server/identity/upstream.h"

static void open(struct sheet *s, const char *title, const struct sheet_field *fields, int n,
                 const struct sign_in_wrong *x)
{
    if (x->trouble)
        sheet_open_trouble(s, title, x->status, x->trouble);
    else
        sheet_open(s, title, fields, n);
    if (x->field && x->status)
        s->rp->status = x->status;
    if (x->note)
        sheet_note(s, x->note);
}

/* A mini-program has no page. */
static void put_upstream(struct sheet *s, const struct upstream *u)
{
    if (u->kind == UPSTREAM_WECHAT_MINI)
        return;
    buf_adds(&s->b, "<li><a href=\"");
    page_text(&s->b, sheet_url(s, arena_printf(s->w->mem, "/sign-in/with/%s", u->name)));
    buf_adds(&s->b, "\">用“");
    page_text(&s->b, u->label);
    buf_adds(&s->b, "”登录</a></li>\n");
}

static bool leads_first(const struct sheet *s)
{
    return sign_in_upstream_only() && upstreams_count() && !strcmp(s->path, "/sign-in");
}

/* The other ways in; the one that the page is about is not named. */
static void put_ways(struct sheet *s)
{
    static const struct {
        const char *path, *words;
    } ways[] = {
        { "/sign-in", "用短信验证码登录" },
        { "/sign-in/password", "用密码登录" },
        { "/sign-in/passkey", "用通行密钥登录（指纹、人脸或安全密钥）" },
    };

    buf_adds(&s->b, "<h2>别的登录方式</h2>\n<ul class=\"ways\">\n");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!strcmp(ways[i].path, s->path) || (i == 2 && !factor_rp_id()))
            continue;
        buf_adds(&s->b, "<li><a href=\"");
        page_text(&s->b, sheet_url(s, ways[i].path));
        buf_printf(&s->b, "\">%s</a></li>\n", ways[i].words);
    }
    for (int i = 0; i < upstreams_count() && !leads_first(s); i++)
        put_upstream(s, upstream_at(i));
    buf_adds(&s->b, "</ul>\n");
}

/* Where an account begins elsewhere, that is what somebody new needs, and a telephone is for who has been here. */
static void put_first(struct sheet *s)
{
    if (!leads_first(s))
        return;
    sheet_words(s, "第一次使用，请用下面的身份登录，账号会自动建立。");
    buf_adds(&s->b, "<ul class=\"ways\">\n");
    for (int i = 0; i < upstreams_count(); i++)
        put_upstream(s, upstream_at(i));
    buf_adds(&s->b, "</ul>\n<h2>已经绑定了手机号</h2>\n");
}

const char *sign_in_not_sent(struct sheet *s, enum rc why, int64_t wait, int *status)
{
    *status = why == RC_TOO_MANY ? 429 : why == RC_BUSY ? 503 : 422;
    if (why == RC_INVALID)
        return "请检查手机号：中国大陆的手机号是 11 位数字，例如 13800138000";
    if (why == RC_BUSY)
        return "短信现在发不出去。请过几分钟再试，或改用别的登录方式";
    if (why != RC_TOO_MANY)
        return NULL;
    (void)sheet_wait(s, wait);
    return arena_printf(s->w->mem, "验证码发得太频繁了。请过 %s再试；刚才收到的验证码仍可使用",
                        sheet_seconds(s->w->mem, wait));
}

void sign_in_draw_phone(struct sheet *s, const char *phone, const struct sign_in_wrong *x)
{
    const struct sheet_field field = {
        .kind = SHEET_PHONE,
        .name = "phone",
        .label = "手机号",
        .hint = sign_in_upstream_only()
                    ? "我们会发一条短信，里面有 6 位数字。没有绑定过的手机号收不到短信。"
                    : "我们会发一条短信，里面有 6 位数字。第一次登录会同时建立账号。",
        .complete = "tel",
        .max = 20,
        .value = phone,
        .error = x->field
    };

    open(s, "登录", &field, 1, x);
    put_first(s);
    sheet_form(s, "/sign-in");
    sheet_field(s, &field);
    sheet_button(s, "获取验证码");
    sheet_form_end(s);
    put_ways(s);
    sheet_close(s);
}

void sign_in_draw_word(struct sheet *s, const char *phone, const char *ticket,
                       const struct sign_in_wrong *x)
{
    const struct sheet_field field = {
        .kind = SHEET_PHONE,
        .name = "phone",
        .label = "手机号",
        .hint = "我们会发一条短信，里面有 6 位数字。只有第一次要核对。",
        .complete = "tel",
        .max = 20,
        .value = phone,
        .error = x->field
    };

    open(s, "再核对手机号", &field, 1, x);
    sheet_words(
        s, "身份已经核对。第一次这样登录，还要核对您的手机号：用它登录过的，仍是原来的账户。");
    sheet_form(s, "/sign-in");
    sheet_hidden(s, "ticket", ticket);
    sheet_field(s, &field);
    sheet_button(s, "获取验证码");
    sheet_form_end(s);
    sheet_way(s, "/sign-in", "不，用别的方式登录");
    sheet_close(s);
}

struct sheet_field sign_in_code_field(const char *error)
{
    return (struct sheet_field){ .kind = SHEET_CODE,
                                 .name = "code",
                                 .label = "短信里的 6 位数字",
                                 .hint =
                                     "5 分钟内有效。请不要告诉任何人，工作人员也不会向您索要。",
                                 .complete = "one-time-code",
                                 .max = CODE_DIGITS,
                                 .error = error };
}

void sign_in_put_again(struct sheet *s, const char *path, const char *phone, const char *more)
{
    buf_adds(&s->b, "<h2>没有收到？</h2>\n");
    sheet_words(s, "短信可能要等一分钟。也请看看它是否被手机归到了垃圾短信里。");
    if (more)
        sheet_words(s, more);
    sheet_form(s, path);
    sheet_hidden(s, "phone", phone);
    sheet_hidden(s, "again", "1");
    sheet_small_button(s, "重新发送", NULL);
    sheet_form_end(s);
}

void sign_in_draw_code(struct sheet *s, const struct step *at, const struct sign_in_wrong *x)
{
    const struct identifier phone = { .kind = "phone", .value = at->who };
    const struct sheet_field field = sign_in_code_field(x->field);
    bool nobody_registers = sign_in_upstream_only();

    open(s, "输入验证码", &field, 1, x);
    sheet_words(s, arena_printf(s->w->mem,
                                nobody_registers
                                    ? "如果 %s 已经绑定在一个账号上，验证码已经发往它。"
                                    : "验证码已发往 %s。",
                                identifier_hint(s->w->mem, &phone)));
    sheet_form(s, "/sign-in/code");
    sheet_field(s, &field);
    sheet_button(s, "登录");
    sheet_form_end(s);
    sign_in_put_again(s, "/sign-in", at->who,
                      nobody_registers ? "还没有账号，或账号没有绑定这个手机号，就不会有短信："
                                         "请回到登录页，用那里的身份登录。"
                                       : NULL);
    sheet_way(s, *at->ticket ? "/sign-in/phone" : "/sign-in", "换一个手机号");
    sheet_close(s);
}

void sign_in_draw_password(struct sheet *s, const struct step *at, const char *login,
                           const struct sign_in_wrong *x)
{
    const struct sheet_field fields[] = {
        { .kind = SHEET_TEXT,
          .name = "login",
          .label = "登录名或手机号",
          .complete = "username",
          .max = 64,
          .value = login },
        { .kind = SHEET_PASSWORD,
          .name = "password",
          .label = "密码",
          .complete = "current-password",
          .max = PASSWORD_MAX,
          .error = x->field },
    };

    open(s, "用密码登录", fields, 2, x);
    if (at)
        sheet_words(s, "手机号已经核对。工作人员还需要输入密码。");
    sheet_form(s, "/sign-in/password");
    if (at) {
        sheet_hidden(s, "login", at->who);
        sheet_hidden(s, "ticket", at->ticket);
    } else {
        sheet_field(s, &fields[0]);
    }
    sheet_field(s, &fields[1]);
    sheet_button(s, "登录");
    sheet_form_end(s);
    sheet_words(s, "市民忘了密码，可以用别的方式登录，再到“我的账号”里重新设置。"
                   "工作人员忘了密码，请联系本单位的安全管理员。");
    put_ways(s);
    sheet_close(s);
}

static const char otherwise[] =
    "这个浏览器现在不能使用通行密钥（它需要启用脚本）。请改用上面或下面别的方式。";

static void put_app(struct sheet *s, const struct step *at, const struct sign_in_wrong *x)
{
    const struct sheet_field field = {
        .kind = SHEET_CODE,
        .name = "totp",
        .label = "验证器应用里的 6 位数字",
        .hint = "打开手机上的验证器应用，找到本服务。数字每 30 秒换一次。",
        .complete = "one-time-code",
        .max = TOTP_DIGITS,
        .error = x->field
    };

    sheet_form(s, "/sign-in/factor");
    sheet_hidden(s, "ticket", at->ticket);
    sheet_field(s, &field);
    sheet_button(s, "登录");
    sheet_form_end(s);
}

enum rc sign_in_draw_factor(struct sheet *s, const struct step *at,
                            const struct sign_in_wrong *x)
{
    const struct sheet_field named = { .name = "totp", .error = x->field };
    struct passkey_form passkey = { .action = "/sign-in/factor",
                                    .button = "使用通行密钥",
                                    .without = otherwise };
    bool app = at->factors & 1 << FACTOR_TOTP, key = at->factors & 1 << FACTOR_PASSKEY;
    struct factor *factors;
    struct slip slip;
    enum rc rc;

    if (!slip_read(at->ticket, SLIP_SIGN_IN, SIGN_IN_LIFE, &slip))
        return RC_NOT_FOUND;
    if ((rc = factor_list(s->w, slip.account, &factors, &passkey.nknown)))
        return rc;
    passkey.known = factors;
    passkey.slip = &slip;
    s->page.script = key;
    open(s, "再核对一次", &named, 1, x);
    sheet_words(s, "第一步对了。为了防止别人冒用，还要核对一样只有您有的东西。");
    if (app)
        put_app(s, at, x);
    if (app && key)
        buf_adds(&s->b, "<h2>或者，用通行密钥</h2>\n");
    if (key)
        passkey_form_ask(s, &passkey);
    sheet_way(s, "/sign-in/password", "重新开始");
    sheet_close(s);
    return RC_OK;
}

void sign_in_draw_passkey(struct sheet *s, const struct sign_in_wrong *x)
{
    const struct slip slip = sign_in_challenge();
    const struct passkey_form form = { .action = "/sign-in/passkey",
                                       .button = "使用通行密钥",
                                       .slip = &slip,
                                       .owner = true,
                                       .without = otherwise };

    s->page.script = true;
    open(s, "用通行密钥登录", NULL, 0, x);
    sheet_words(
        s,
        "通行密钥存在您的手机、电脑或安全密钥里。用指纹、人脸或锁屏密码确认，不用输入密码。");
    if (factor_rp_id())
        passkey_form_ask(s, &form);
    else
        sheet_words(s, "本服务现在不能使用通行密钥，请改用别的方式。");
    put_ways(s);
    sheet_close(s);
}
