/*
 * binding_page.c - one's phones, one's WeChat, one's identity at an upstream: what is there, what can be added, what can go.
 *
 *     /account/bindings        the list
 *     /account/bindings/end    POST: one of them goes; never the last way in
 *     /account/phone …         a phone is added (phone_page.c)
 *     /account/link/NAME       POST: an upstream is added (upstream_page.c)
 */
#include "api/binding_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/visitor.h"
#include "server/identity/audit.h"
#include "server/identity/binding.h"
#include "server/identity/upstream.h"

static const char page_path[] = "/account/bindings";

static const char *const kinds[] = { [BINDING_PHONE] = "手机号",
                                     [BINDING_LOGIN] = "登录名",
                                     [BINDING_WECHAT] = "微信",
                                     [BINDING_UPSTREAM] = "统一身份认证" };

static void put_binding(struct sheet *s, const struct binding *list, int n,
                        const struct binding *b)
{
    buf_printf(&s->b, "<li>\n<p><strong>%s", kinds[b->kind]);
    if (b->kind != BINDING_WECHAT) {
        buf_adds(&s->b, "：");
        page_text(&s->b, b->label);
    }
    buf_adds(&s->b, "</strong></p>\n<p class=\"small\">最近核对 ");
    page_time(&s->b, b->proved, true);
    buf_adds(&s->b, b->way_in ? "</p>\n" : "，现在不能用它登录</p>\n");
    if (b->kind != BINDING_LOGIN && binding_may_end(list, n, b)) {
        sheet_form(s, "/account/bindings/end");
        sheet_hidden(s, "binding", b->name);
        sheet_small_button(s, "解绑", b->label);
        sheet_form_end(s);
    }
    buf_adds(&s->b, "</li>\n");
}

static bool has(const struct binding *list, int n, const struct upstream *u)
{
    for (int i = 0; i < n; i++)
        if (u->kind == UPSTREAM_OIDC
                ? list[i].kind == BINDING_UPSTREAM && !strcmp(list[i].label, u->label)
                : list[i].kind == BINDING_WECHAT)
            return true;
    return false;
}

/* What is not there yet; a mini-program has no page. */
static void put_more(struct sheet *s, const struct binding *list, int n)
{
    buf_adds(&s->b, "<h2>再绑定一个</h2>\n<ul class=\"ways\">\n<li><a href=\"");
    page_text(&s->b, sheet_url(s, "/account/phone"));
    buf_adds(&s->b, "\">绑定手机号</a></li>\n");
    for (int i = 0; i < upstreams_count(); i++) {
        const struct upstream *u = upstream_at(i);

        if (u->kind == UPSTREAM_WECHAT_MINI || has(list, n, u))
            continue;
        buf_adds(&s->b, "<li>");
        sheet_form(s, arena_printf(s->w->mem, "/account/link/%s", u->name));
        sheet_button(s, arena_printf(s->w->mem, "绑定“%s”", u->label));
        sheet_form_end(s);
        buf_adds(&s->b, "</li>\n");
    }
    buf_adds(&s->b, "</ul>\n");
}

enum rc get_account_bindings(struct work *w, const struct request *rq, struct reply *rp)
{
    struct binding *list;
    struct sheet s;
    enum rc rc;
    int n;

    if ((rc = binding_list(w, w->who.account, &list, &n)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, NULL);
    sheet_open(&s, "手机号与绑定", NULL, 0);
    sheet_words(&s, "用下面任何一个都能登录到这个账号。要换手机号，请先绑定新的，再解绑旧的；"
                    "最后一个不能解绑，否则就再也登录不了了。");
    buf_adds(&s.b, "<ul class=\"rows\">\n");
    for (int i = 0; i < n; i++)
        put_binding(&s, list, n, &list[i]);
    buf_adds(&s.b, "</ul>\n");
    put_more(&s, list, n);
    sheet_way(&s, "/account", "回到我的账号");
    sheet_close(&s);
    return RC_OK;
}

enum rc post_account_binding_end(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *name;
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, page_path, &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    if (!(name = form_text(&form, "binding")))
        return err_field(&w->err, "binding", "a binding has a name");
    rc = binding_end(w, w->who.account, name);
    if (!rc)
        rc = audit_add(w, AUDIT_identifier_remove,
                       arena_printf(w->mem, "accounts/%" PRId64, w->who.account), RC_OK);
    if (rc && rc != RC_NOT_FOUND) /* it has gone already: the same to its owner */
        return rc;
    sheet_go_done(&s, page_path, "unbound");
    return RC_OK;
}
