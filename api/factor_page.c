/*
 * factor_page.c - an app or a passkey is added in one step: the page holds what it needs to begin (a slip: server/identity/slip.h), and
 * nothing is kept until it has proved that it works.
 */
#include "api/factor_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/instance.h"
#include "api/passkey_form.h"
#include "api/visitor.h"
#include "server/base/qr.h"
#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"

static const char *const kinds[] = {
    [FACTOR_TOTP] = "验证器应用", [FACTOR_PASSKEY] = "通行密钥"
};

/* ---- those there are ---- */

static void put_factor(struct sheet *s, const struct factor *f, bool removable)
{
    buf_adds(&s->b, "<li>\n<p><strong>");
    page_text(&s->b, f->name);
    buf_printf(&s->b, "</strong>（%s）</p>\n<p class=\"small\">加于 ", kinds[f->kind]);
    page_time(&s->b, f->created, false);
    if (f->used) {
        buf_adds(&s->b, "，最近使用 ");
        page_time(&s->b, f->used, true);
    }
    buf_adds(&s->b, "</p>\n");
    if (removable) {
        sheet_form(s, "/account/factors/remove");
        sheet_hidden(s, "factor", arena_printf(s->w->mem, "%" PRId64, f->no));
        sheet_small_button(s, "移除", f->name);
        sheet_form_end(s);
    }
    buf_adds(&s->b, "</li>\n");
}

static enum rc tell(struct work *w, enum audit_action action)
{
    return audit_add(w, action, arena_printf(w->mem, "accounts/%" PRId64, w->who.account),
                     RC_OK);
}

/* Staff need one. */
static bool is_removable(const struct account *a, int n)
{
    return a->kind != ACCOUNT_STAFF || n > 1;
}

enum rc get_account_factors(struct work *w, const struct request *rq, struct reply *rp)
{
    struct factor *list;
    struct account a;
    struct sheet s;
    enum rc rc;
    int n;

    if ((rc = account_by_id(w, w->who.account, &a)) || (rc = factor_list(w, a.id, &list, &n)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/factors", NULL);
    sheet_open(&s, "验证器与通行密钥", NULL, 0);
    sheet_words(&s, "登录时多核对一样只有您有的东西，别人就算知道了密码也进不来。");
    buf_adds(&s.b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        put_factor(&s, &list[i], is_removable(&a, n));
    buf_adds(&s.b, n ? "</ul>\n" : "<li>还没有。</li>\n</ul>\n");
    if (!is_removable(&a, n))
        sheet_words(&s, "工作人员至少要有一个，所以这一个不能移除。要换，请先加上新的。");
    sheet_way(&s, "/account/factors/app", "加一个验证器应用");
    if (factor_rp_id())
        sheet_way(&s, "/account/factors/passkey", "加一把通行密钥");
    sheet_way(&s, "/account", "回到我的账号");
    sheet_close(&s);
    return RC_OK;
}

enum rc post_factor_remove(struct work *w, const struct request *rq, struct reply *rp)
{
    struct account a;
    struct form form;
    struct sheet s;
    int64_t no;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/factors", &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    if (!sheet_number(&form, "factor", &no))
        return err_field(&w->err, "factor", "a factor has a number");
    if ((rc = account_by_id(w, w->who.account, &a)) || (rc = factor_remove(w, &a, no)) ||
        (rc = tell(w, AUDIT_factor_remove)))
        return rc;
    sheet_go_done(&s, "/account/factors", "factor-gone");
    return RC_OK;
}

/* ---- one more ---- */

static const struct sheet_field name_field = { .kind = SHEET_TEXT,
                                               .name = "name",
                                               .label = "给它起个名字",
                                               .hint = "方便您以后认出它，例如“我的手机”。",
                                               .max = 40 };

static void put_name(struct sheet *s, const void *arg)
{
    (void)arg;
    sheet_field(s, &name_field);
}

enum rc factor_put_app(struct sheet *s, const struct slip *slip, const char *name,
                       const char *error)
{
    const struct sheet_field code = { .kind = SHEET_CODE,
                                      .name = "code",
                                      .label = "应用里显示的 6 位数字",
                                      .complete = "one-time-code",
                                      .max = TOTP_DIGITS,
                                      .error = error };
    char ticket[SLIP_TEXT], text[TOTP_BASE32];
    struct buf uri = BUF_IN(s->w->mem);
    uint8_t secret[TOTP_SECRET];
    enum rc rc;

    factor_secret(slip, secret);
    totp_base32(secret, text);
    totp_uri(&uri, instance()->name, name, secret);
    secret_wipe(secret, sizeof secret);
    slip_put(slip, ticket);
    sheet_hidden(s, "ticket", ticket);
    sheet_words(s,
                "在手机上打开验证器应用（没有就先在应用商店里装一个），选择“添加”，扫这张图：");
    if ((rc = qr_svg(&s->w->err, &s->b, uri.p,
                     "给验证器应用扫的二维码；不能扫，就输入下面的字母")))
        return rc;
    sheet_words(s, "不能扫图，就在应用里选“手动输入”，输入这些字母和数字：");
    buf_adds(&s->b, "<p><code class=\"secret\">");
    for (size_t i = 0; text[i]; i += 4)
        buf_printf(&s->b, "%s%.4s", i ? " " : "", text + i);
    buf_adds(&s->b, "</code></p>\n");
    sheet_field(s, &code);
    return RC_OK;
}

static enum rc draw_app(struct sheet *s, const struct account *a, const struct slip *slip,
                        const char *error)
{
    const struct sheet_field wrong = { .name = "code", .error = error };
    const char *name;
    enum rc rc;

    if ((rc = factor_label(s->w, a, &name)))
        return rc;
    sheet_open(s, "加一个验证器应用", &wrong, 1);
    sheet_form(s, "/account/factors/app");
    if ((rc = factor_put_app(s, slip, name, error)))
        return rc;
    sheet_field(s, &name_field);
    sheet_button(s, "加上");
    sheet_form_end(s);
    return RC_OK;
}

static enum rc draw_passkey(struct sheet *s, const struct account *a, const struct slip *slip,
                            const char *error)
{
    struct passkey_form form = { .action = "/account/factors/passkey",
                                 .button = "加上这台设备",
                                 .slip = slip,
                                 .owner = true,
                                 .put = put_name,
                                 .without = "这个浏览器现在不能使用通行密钥（它需要启用脚本）。"
                                            "可以改用验证器应用。" };
    struct factor *known;
    const char *name;
    enum rc rc;

    if ((rc = factor_label(s->w, a, &name)) ||
        (rc = factor_list(s->w, a->id, &known, &form.nknown)))
        return rc;
    form.known = known;
    s->page.script = true;
    if (error)
        sheet_open_trouble(s, "加一把通行密钥", 422, error);
    else
        sheet_open(s, "加一把通行密钥", NULL, 0);
    sheet_words(s,
                "按下按钮以后，浏览器会请您用指纹、人脸或锁屏密码确认。钥匙留在您的设备里，不会"
                "交给我们。");
    passkey_form_make(s, &form, a->subject, name);
    return RC_OK;
}

static const struct place {
    const char *path, *wrong;
    enum factor_kind kind;
    enum rc (*draw)(struct sheet *s, const struct account *a, const struct slip *slip,
                    const char *error);
} places[] = {
    { "/account/factors/app", FACTOR_WRONG_CODE, FACTOR_TOTP, draw_app },
    { "/account/factors/passkey", "没有加上：通行密钥的答复没有通过核对。请再试一次",
      FACTOR_PASSKEY, draw_passkey },
};

static const struct place *place_of(const char *path)
{
    return strcmp(path, places[0].path) ? &places[1] : &places[0];
}

static enum rc draw(struct sheet *s, const struct slip *slip, const char *error)
{
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(s->w, s->w->who.account, &a)) ||
        (rc = place_of(s->path)->draw(s, &a, slip, error)))
        return rc;
    sheet_way(s, "/account/factors", "不加了，回去");
    sheet_close(s);
    return RC_OK;
}

static enum rc get_one_more(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct place *p = place_of(rq->path);
    struct slip slip;
    struct sheet s;

    sheet_begin(&s, w, rq, rp, p->path, NULL);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    if (p->kind == FACTOR_PASSKEY && !factor_rp_id())
        return err_set(&w->err, RC_CONFLICT, "passkeys need a name: the setting public_url");
    slip = slip_new(SLIP_FACTOR, (int)p->kind, w->who.account);
    return draw(&s, &slip, NULL);
}

enum rc get_factor_app(struct work *w, const struct request *rq, struct reply *rp)
{
    return get_one_more(w, rq, rp);
}

enum rc get_factor_passkey(struct work *w, const struct request *rq, struct reply *rp)
{
    return get_one_more(w, rq, rp);
}

struct entered {
    struct form form;
    struct factor_proof proof;
    bool over; /* the page was open for too long */
    bool good; /* `new` is proved */
    struct factor_new new;
};

enum rc prepare_factor_page(struct work *w, struct request *rq)
{
    struct entered *e = arena_zalloc(w->mem, sizeof *e);
    const struct place *p = place_of(rq->path);
    bool there;
    enum rc rc;

    rq->prepared = e;
    if ((rc = visitor_read(w, rq, &e->form)))
        return rc;
    e->over =
        !slip_read(form_text(&e->form, "ticket"), SLIP_FACTOR, FACTOR_LIFE, &e->proof.slip) ||
        e->proof.slip.account != w->who.account || e->proof.slip.note != (int)p->kind;
    e->proof.name = form_text(&e->form, "name");
    if (!e->proof.name)
        e->proof.name = kinds[p->kind];
    e->proof.code = form_text(&e->form, "code");
    there = p->kind == FACTOR_TOTP ? e->proof.code != NULL
                                   : passkey_form_made(w->mem, &e->form, &e->proof);
    if (e->over || !there)
        return RC_OK;
    rc = factor_read(w, &e->proof, &e->new);
    e->good = !rc;
    return rc == RC_INVALID || rc == RC_UNAUTHORIZED ? RC_OK : rc;
}

enum rc post_factor_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct entered *e = rq->prepared;
    const struct place *p = place_of(rq->path);
    struct slip slip;
    struct sheet s;
    int64_t no;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, p->path, &e->form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    if (e->over) {
        slip = slip_new(SLIP_FACTOR, (int)p->kind, w->who.account);
        return draw(&s, &slip, "这一页开得太久了。请用现在这一页重新来一次");
    }
    if (!e->good)
        return draw(&s, &e->proof.slip, p->wrong);
    rc = factor_add(w, w->who.account, &e->new, &no);
    if (rc == RC_CONFLICT || rc == RC_INVALID)
        return draw(&s, &e->proof.slip,
                    "没有加上：它已经加过了，或数量到了上限。请先移除不用的");
    if (rc || (rc = tell(w, AUDIT_factor_add)))
        return rc;
    sheet_go_done(&s, "/account/factors", "factor");
    return RC_OK;
}
