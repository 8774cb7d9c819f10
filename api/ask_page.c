/*
 * ask_page.c - the person decides: ask.h knows what is asked, this says it.
 *
 *     /consent?ask=A                   a program's page sent the browser here    --> back to the program
 *     /device --> /device/confirm      a device without a keyboard shows letters
 *     /account/programs                what was allowed; to be taken back
 *
 * Whoever must sign in first is sent there and comes back. The letters of a device are shown beside the question once more, and the page says
 * to compare them: who sends somebody a link with his own device's letters wants to be let in by him.
 */
#include "api/ask_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/ask.h"
#include "api/sheet.h"
#include "api/visitor.h"
#include "server/identity/audit.h"
#include "server/identity/consent.h"
#include "server/identity/provider.h"

/* ---- what is asked ---- */

static void put_question(struct sheet *s, const struct asked *a)
{
    buf_adds(&s->b, "<p><strong>");
    page_text(&s->b, a->party);
    buf_adds(&s->b, "</strong> 请您允许：</p>\n<ul>\n");
    for (int i = 0; i < a->nscopes; i++) {
        buf_adds(&s->b, "<li>");
        page_text(&s->b, a->scopes[i]);
        buf_adds(&s->b, "</li>\n");
    }
    buf_adds(&s->b, "</ul>\n");
    sheet_words(s, "它看不到您的密码。以后可以在“我的账号”的“授权的程序”里随时收回。");
}

static void put_answers(struct sheet *s)
{
    buf_adds(&s->b,
             "<p class=\"buttons\"><button class=\"button first\" name=\"answer\" "
             "value=\"yes\">同意</button>\n"
             "<button class=\"button\" name=\"answer\" value=\"no\">不同意</button></p>\n");
}

/* He is signed in, and must prove more than he can here. */
static void draw_more(struct sheet *s, const struct asked *a)
{
    sheet_open(s, "需要更高的实名等级", NULL, 0);
    buf_adds(&s->b, "<p><strong>");
    page_text(&s->b, a->party);
    buf_printf(&s->b, "</strong> 要求第 %d 级实名，您的账号现在是第 %d 级。</p>\n", a->level,
               s->w->who.level);
    sheet_words(s, "请用已经实名的统一身份认证登录，或带证件到政务服务大厅办理，再回来继续。");
    sheet_way(s, "/sign-in", "用别的账号登录");
    sheet_close(s);
}

/* ---- a program's page ---- */

static enum rc draw_consent(struct sheet *s, const char *ask, const struct asked *a)
{
    s->page.form_to = a->origin;
    sheet_open(s, "允许这个程序使用您的账号吗", NULL, 0);
    put_question(s, a);
    sheet_form(s, "/consent");
    sheet_hidden(s, "ask", ask);
    put_answers(s);
    sheet_form_end(s);
    sheet_close(s);
    return RC_OK;
}

enum rc get_consent(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *ask = request_arg(rq, "ask")->text;
    struct asked a;
    struct sheet s;
    enum rc rc;

    if (!ask)
        return err_set(&w->err, RC_INVALID, "there is no question");
    if ((rc = ask_read(w, ask, &a)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/consent", NULL);
    s.extra = arena_printf(w->mem, "ask=%s", ask);
    if (a.next == AUTHORIZE_CONSENT)
        return draw_consent(&s, ask, &a);
    if (a.next == AUTHORIZE_MORE)
        draw_more(&s, &a);
    else
        sheet_go(&s, ask_resume(w, ask));
    return RC_OK;
}

enum rc post_consent(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *ask, *answer, *location;
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    ask = form_text(&form, "ask");
    answer = form_text(&form, "answer");
    if (!ask || !answer)
        return err_set(&w->err, RC_INVALID, "there is no answer");
    sheet_begin(&s, w, rq, rp, "/consent", &form);
    if ((rc = ask_answer(w, ask, !strcmp(answer, "yes"), &location)))
        return rc;
    sheet_go(&s, location);
    return RC_OK;
}

/* ---- a device ---- */

static void draw_letters(struct sheet *s, const char *typed, const char *error)
{
    const struct sheet_field field = { .kind = SHEET_TEXT,
                                       .name = "user_code",
                                       .label = "设备上显示的 8 个字母",
                                       .hint = "大小写都可以，中间的短横可以不输。",
                                       .max = 20,
                                       .value = typed,
                                       .error = error };

    sheet_open(s, "让一台设备登录", &field, 1);
    sheet_words(s, "电视、自助机或命令行不方便输入密码，可以在这里替它登录。");
    sheet_form(s, "/device");
    sheet_field(s, &field);
    sheet_button(s, "下一步");
    sheet_form_end(s);
    sheet_close(s);
}

static const char unknown_letters[] =
    "没有设备在等这组字母：可能输错了，或已经过了 10 分钟。请看着设备再输入一次";

enum rc get_device_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/device", NULL);
    draw_letters(&s, sheet_param(rq, "user_code"), NULL);
    return RC_OK;
}

enum rc post_device_page(struct work *w, const struct request *rq, struct reply *rp)
{
    char user[USER_CODE_TEXT];
    const char *typed;
    struct asked a;
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/device", &form);
    typed = form_text(&form, "user_code");
    rc = typed && device_user_code(typed, user) ? ask_device_read(w, user, &a) : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND) {
        draw_letters(&s, typed, unknown_letters);
        return RC_OK;
    }
    if (rc)
        return rc;
    sheet_go(&s, arena_printf(w->mem, "/device/confirm?%suser_code=%s",
                              s.large ? "large=1&" : "", user));
    return RC_OK;
}

static void draw_confirm(struct sheet *s, const struct asked *a, const char *user)
{
    sheet_open(s, "是您面前的这台设备吗", NULL, 0);
    buf_printf(&s->b,
               "<p>请看设备的屏幕，上面应该是：</p>\n<p><code class=\"secret\">%s</code></p>\n",
               user);
    sheet_note(s,
               "如果这组字母是别人发给您的，或您面前没有这样一台设备，请选“不同意”：同意以后，"
               "那台设备就能用您的账号。");
    put_question(s, a);
    sheet_form(s, "/device/confirm");
    sheet_hidden(s, "user_code", user);
    put_answers(s);
    sheet_form_end(s);
    sheet_close(s);
}

enum rc get_device_confirm(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *typed = sheet_param(rq, "user_code");
    char user[USER_CODE_TEXT];
    struct asked a;
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, "/device/confirm", NULL);
    rc = typed && device_user_code(typed, user) ? ask_device_read(w, user, &a) : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND) {
        s.path = "/device";
        draw_letters(&s, typed, unknown_letters);
        return RC_OK;
    }
    if (rc)
        return rc;
    s.extra = arena_printf(w->mem, "user_code=%s", user);
    s.back =
        arena_printf(w->mem, "/device/confirm?%suser_code=%s", s.large ? "large=1&" : "", user);
    if (a.next == AUTHORIZE_SIGN_IN)
        sheet_go(&s, sheet_url(&s, "/sign-in"));
    else if (a.next == AUTHORIZE_MORE)
        draw_more(&s, &a);
    else
        draw_confirm(&s, &a, user);
    return RC_OK;
}

enum rc post_device_confirm(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *user, *answer;
    struct form form;
    struct sheet s;
    enum rc rc;
    bool yes;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    user = form_text(&form, "user_code");
    answer = form_text(&form, "answer");
    if (!user || !answer)
        return err_set(&w->err, RC_INVALID, "there is no answer");
    yes = !strcmp(answer, "yes");
    sheet_begin(&s, w, rq, rp, "/device", &form);
    rc = ask_device_answer(w, user, yes);
    if (rc == RC_NOT_FOUND) {
        draw_letters(&s, user, unknown_letters);
        return RC_OK;
    }
    if (rc)
        return rc;
    sheet_go_done(&s, "/device", yes ? "device-yes" : "device-no");
    return RC_OK;
}

/* ---- what was allowed ---- */

static void put_program(struct sheet *s, const struct consent *c)
{
    const char *said[GRANT_SCOPES];
    struct grant_client client;
    int n = grant_scopes_chinese(c->scopes, said);

    if (!provider_clients()->by_number(s->w->mem, c->party, &client))
        client = (struct grant_client){ .name = "一个已经停用的程序" };
    buf_adds(&s->b, "<li>\n<p><strong>");
    page_text(&s->b, client.name);
    buf_adds(&s->b, "</strong></p>\n<p class=\"small\">允许于 ");
    page_time(&s->b, c->given, false);
    for (int i = 0; i < n; i++) {
        buf_adds(&s->b, i ? "；" : "：");
        page_text(&s->b, said[i]);
    }
    buf_adds(&s->b, "</p>\n");
    sheet_form(s, "/account/programs");
    sheet_hidden(s, "party", arena_printf(s->w->mem, "%" PRId64, c->party));
    sheet_small_button(s, "收回", client.name);
    sheet_form_end(s);
    buf_adds(&s->b, "</li>\n");
}

enum rc get_account_programs(struct work *w, const struct request *rq, struct reply *rp)
{
    struct consent *list;
    struct sheet s;
    enum rc rc;
    int n;

    if ((rc = consent_list(w, w->who.account, &list, &n)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/programs", NULL);
    sheet_open(&s, "授权的程序", NULL, 0);
    sheet_words(&s, n ? "收回以后，那个程序马上不能再用您的账号。以后再用它，它会重新问您。"
                      : "您还没有允许别的程序使用您的账号。");
    buf_adds(&s.b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        put_program(&s, &list[i]);
    buf_adds(&s.b, "</ul>\n");
    sheet_way(&s, "/account", "回到我的账号");
    sheet_close(&s);
    return RC_OK;
}

enum rc post_account_program(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    int64_t party;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/programs", &form);
    if (!sheet_number(&form, "party", &party))
        return err_field(&w->err, "party", "a party has a number");
    rc = consent_end(w, w->who.account, party);
    if (!rc)
        rc = audit_add(w, AUDIT_consent_end,
                       arena_printf(w->mem, "accounts/%" PRId64, w->who.account), RC_OK);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    sheet_go_done(&s, "/account/programs", "program");
    return RC_OK;
}
