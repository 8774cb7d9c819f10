/*
 * upstream_page.c - out to an upstream, and back with its code.
 *
 *     /sign-in/with/NAME --> the upstream --> /sign-in/from/NAME?code=…&state=…&iss=… --> a step of a sign-in (sign_in_page.h)
 *
 *     /account/link/NAME --> the upstream --> /sign-in/from/NAME?… --> bound to the account that the slip names, which is the one that is signed in
 *
 *     cookie    slip "." 1 in large letters, else 0 "." where to go when all is done, escaped
 *
 * The state in the address follows from the slip and does not tell it: so an answer counts only in the browser that was sent out, at this upstream, once. Whatever else
 * comes here, however it was made, asks no upstream and signs nobody in.
 */
#include "api/upstream_page.h"

#include <inttypes.h>
#include <string.h>

#include "api/instance.h"
#include "api/sign_in_draw.h"
#include "api/sign_in_page.h"
#include "api/visitor.h"
#include "api/way_back.h"
#include "server/http/target.h"
#include "server/identity/audit.h"
#include "server/identity/refusal.h"
#include "server/identity/upstream_ask.h"

enum { COOKIE_MAX = 3900 }; /* a browser keeps 4 KB, its name among them */

struct visit {
    struct upstream_ask ask;
    struct slip slip;
    bool expected, large;
    const char *back, *error; /* NULL: none */
};

static enum rc begin(struct work *w, struct request *rq, struct visit **out)
{
    const struct upstream *u = upstream_find(request_text(rq, "upstream", ""));
    struct visit *v = arena_zalloc(w->mem, sizeof *v);

    if (!u || u->kind == UPSTREAM_WECHAT_MINI)
        return err_set(&w->err, RC_NOT_FOUND, "there is no such upstream");
    upstream_ask_begin(&v->ask, u, w->mem);
    v->ask.redirect = arena_printf(w->mem, "%s/sign-in/from/%s", instance()->origin, u->name);
    rq->prepared = *out = v;
    return RC_OK;
}

/* ---- what went wrong ---- */

static const struct trouble {
    enum rc why;
    int status;
    const char *words; /* its first %s is the upstream */
} troubles[] = {
    { RC_UNAUTHORIZED, 401,
      "“%s”的登录没有通过核对：可能等得太久，或不是从这个浏览器开始的。请重新开始。" },
    { RC_FORBIDDEN, 403, "“%s”暂时不允许这个账户登录。请改用别的登录方式。" },
    { RC_TOO_MANY, 429, "用“%s”登录得太频繁了。请过一分钟再试。" },
    { RC_CONFLICT, 409,
      "“%"
      "s”的这个身份已经是另一个账号的，或这是工作人员的账号，所以不能绑定。可以先用它登录那个账"
      "号"
      "，在那里解绑；或在这里绑定那个账号的手机号，把两个账号合并。" },
    { RC_BUSY, 503, "“%s”现在没有回应。请过几分钟再试，或改用别的登录方式。" },
};

/* NULL: it is our own failure. */
static const char *trouble_of(struct arena *mem, const struct upstream *u, enum rc why,
                              int *status)
{
    const struct trouble *t = troubles;
    struct buf words = BUF_IN(mem);

    while (t < troubles + sizeof troubles / sizeof *troubles && t->why != why)
        t++;
    if (t == troubles + sizeof troubles / sizeof *troubles)
        return NULL;
    buf_add(&words, t->words, (size_t)(strstr(t->words, "%s") - t->words));
    buf_adds(&words, u->label);
    buf_adds(&words, strstr(t->words, "%s") + 2);
    *status = t->status;
    return words.p;
}

/* On the page where one begins. */
static enum rc draw_trouble(struct sheet *s, const struct upstream *u, enum rc why)
{
    struct sign_in_wrong x = { 0 };

    if (!(x.trouble = trouble_of(s->w->mem, u, why, &x.status)))
        return why;
    sign_in_draw_phone(s, NULL, &x);
    return RC_OK;
}

static enum rc draw_link_trouble(struct sheet *s, const struct upstream *u, enum rc why)
{
    int status;
    const char *words = trouble_of(s->w->mem, u, why, &status);

    if (!words)
        return why;
    s->path = "/account/bindings";
    s->back = NULL;
    sheet_open_trouble(s, "绑定没有成功", status, words);
    sheet_way(s, s->path, "回到手机号与绑定");
    sheet_close(s);
    return RC_OK;
}

/* ---- out ---- */

enum rc prepare_upstream_with(struct work *w, struct request *rq)
{
    struct visit *v;
    enum rc rc;

    if ((rc = begin(w, rq, &v)))
        return rc;
    rq->errand = &v->ask.errand;
    return RC_OK;
}

static void keep(struct sheet *s, const struct slip *slip)
{
    struct buf b = BUF_IN(s->w->mem), back = BUF_IN(s->w->mem);
    char text[SLIP_TEXT];

    slip_put(slip, text);
    buf_printf(&b, "%s.%d.", text, s->large);
    if (s->back)
        buf_url(&back, s->back, strlen(s->back));
    if (back.n && b.n + back.n <= COOKIE_MAX)
        buf_adds(&b, back.p);
    visitor_set(s->w, s->rq, s->rp, VISITOR_UPSTREAM, b.p);
}

static enum rc go_out(struct sheet *s, const struct visit *v, int64_t account)
{
    struct slip slip = slip_new(SLIP_UPSTREAM, v->ask.of->no, account);
    struct buf url = BUF_IN(s->w->mem);

    keep(s, &slip);
    upstream_put_url(&url, v->ask.of, &v->ask.at, &slip, v->ask.redirect);
    s->rp->status = 303;
    reply_header(s->rp, "location", url.p);
    reply_header(s->rp, "referrer-policy", "no-referrer");
    return RC_OK;
}

enum rc get_upstream_with(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct visit *v = rq->prepared;
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/sign-in", NULL);
    return v->ask.rc ? draw_trouble(&s, v->ask.of, v->ask.rc) : go_out(&s, v, 0);
}

/* Only by the form of the list of bindings: a link of somebody else's page would bind whoever his browser is at the upstream. */
enum rc post_upstream_link(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct visit *v = rq->prepared;
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/account/bindings", &form);
    if (!sheet_is_fresh(&s))
        return RC_OK;
    return v->ask.rc ? draw_link_trouble(&s, v->ask.of, v->ask.rc)
                     : go_out(&s, v, w->who.account);
}

/* ---- and back ---- */

static bool read_cookie(struct work *w, const struct request *rq, struct visit *v)
{
    char *text = (char *)visitor_cookie(w->mem, rq, VISITOR_UPSTREAM), *back;
    const char *slip = text ? strsep(&text, ".") : NULL,
               *large = text ? strsep(&text, ".") : "";
    long n;

    if (!slip || !text)
        return false;
    back = arena_alloc(w->mem, strlen(text) + 1);
    n = target_decode(text, strlen(text), false, back);
    if (n > 0) {
        back[n] = '\0';
        v->back = way_back(w->mem, back, NULL);
    }
    v->large = *large == '1';
    return slip_read(slip, SLIP_UPSTREAM, UPSTREAM_LIFE, &v->slip);
}

/* To be bound to an account, it must be the one that is signed in here now. */
static bool is_of_who(const struct work *w, const struct slip *slip)
{
    return !slip->account ||
           (slip->account == w->who.account && actor_has(&w->who, RIGHT_SELF));
}

enum rc prepare_upstream_from(struct work *w, struct request *rq)
{
    struct visit *v;
    struct form f;
    enum rc rc;

    if ((rc = begin(w, rq, &v)) ||
        (rc = form_parse(&w->err, w->mem, rq->query, strlen(rq->query), &f)))
        return rc;
    v->ask.code = form_text(&f, "code");
    v->ask.iss = form_text(&f, "iss");
    v->ask.slip = &v->slip;
    v->error = form_text(&f, "error");
    v->expected =
        read_cookie(w, rq, v) && v->slip.note == v->ask.of->no && is_of_who(w, &v->slip) &&
        upstream_is_state(&v->slip, form_text(&f, "state")) && (v->ask.code || v->error);
    if (v->expected && !v->error && strlen(v->ask.code) <= UPSTREAM_CODE_MAX)
        rq->errand = &v->ask.errand;
    return RC_OK;
}

static enum rc judge(struct work *w, const struct visit *v, bool asked)
{
    if (!v->expected || !asked)
        return err_set(&w->err, RC_UNAUTHORIZED, "this sign-in is over: begin anew");
    if (v->ask.rc)
        w->err = v->ask.err;
    else
        return slip_use(w, &v->slip, UPSTREAM_LIFE);
    return v->ask.rc;
}

static enum rc refuse(struct sheet *s, const struct visit *v, enum rc why)
{
    if (why == RC_UNAUTHORIZED || why == RC_FORBIDDEN)
        refusal_note("GET", "/sign-in/from/:upstream", &s->w->who, s->rq->client, why);
    return v->slip.account ? draw_link_trouble(s, v->ask.of, why)
                           : draw_trouble(s, v->ask.of, why);
}

static enum rc bind(struct sheet *s, const struct visit *v)
{
    struct work *w = s->w;
    enum rc rc;

    if ((rc = word_link(w, &v->ask.word, w->who.account)) == RC_CONFLICT)
        return draw_link_trouble(s, v->ask.of, rc);
    if (rc)
        return rc;
    work_fact_word(w, "upstream", v->ask.of->name);
    rc = audit_add(w, AUDIT_identifier_add,
                   arena_printf(w->mem, "accounts/%" PRId64, w->who.account), RC_OK);
    if (!rc)
        sheet_go_done(s, "/account/bindings", "linked");
    return rc;
}

static void draw_left(struct sheet *s, const struct visit *v)
{
    sign_in_draw_phone(
        s, NULL,
        &(struct sign_in_wrong){
            .note = arena_printf(s->w->mem,
                                 "没有在“%s”完成登录。可以再试一次，或改用别的登录方式。",
                                 v->ask.of->label) });
}

enum rc get_upstream_from(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct visit *v = rq->prepared;
    struct sign_in_entry entry = { .device = visitor_device(w->mem, rq),
                                   .known = visitor_cookie(w->mem, rq, VISITOR_DEVICE),
                                   .client = rq->client_tag,
                                   .browser = true };
    const struct actor before = w->who;
    struct sign_in_result r;
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, "/sign-in", NULL);
    s.back = v->back;
    s.large = v->large;
    visitor_set(w, rq, rp, VISITOR_UPSTREAM, NULL);
    if (v->expected && v->error && v->slip.account) {
        sheet_go(&s, sheet_url(&s, "/account/bindings"));
        return RC_OK;
    }
    if (v->expected && v->error) {
        draw_left(&s, v);
        return RC_OK;
    }
    if ((rc = judge(w, v, rq->errand != NULL)))
        return refuse(&s, v, rc);
    if (v->slip.account)
        return bind(&s, v);
    if ((rc = sign_in_by_word(w, &entry, &v->ask.word, &r)))
        return rc;
    return r.step == SIGN_IN_REFUSED ? refuse(&s, v, r.why)
                                     : sign_in_page_go(&s, &before, "", &r);
}
