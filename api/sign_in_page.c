/*
 * sign_in_page.c - from one page of a sign-in to the next.
 *
 *     /sign-in            phone              --> a code is sent   --> /sign-in/code
 *     /sign-in/code       six digits         --> DONE, or staff   --> /sign-in/password
 *     /sign-in/password   name, password     --> DONE, or         --> /sign-in/factor
 *     /sign-in/factor     an app's code, or a passkey             --> DONE
 *     /sign-in/passkey    a passkey alone                         --> DONE
 *     /sign-in/with/…     another's word (upstream_page.c)        --> DONE, or         --> /sign-in/phone --> /sign-in/code
 *
 * What succeeded leads on by 303, so that going back or loading again repeats nothing; how far it got stands in a cookie (step.h). What was
 * wrong is said on the page that it was entered on. Whether there is such an account shows in none of them (server/identity/sign_in.h).
 *
 * DONE gives the browser another session than it had, whatever it had: nobody can give it one in advance.
 */
#include "api/sign_in_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/acting_page.h"
#include "api/ask.h"
#include "api/instance.h"
#include "api/passkey_form.h"
#include "api/sign_in_draw.h"
#include "api/visitor.h"
#include "server/identity/audit.h"
#include "server/identity/code.h"
#include "server/identity/refusal.h"
#include "server/identity/sign_in.h"

struct entered {
    const struct place *place;
    struct form form;
    struct step at;
    bool lost;             /* the browser is not at this step any more */
    bool empty;            /* nothing was entered */
    struct sign_in *begun; /* NULL: `why` */
    enum rc why;           /* RC_INVALID, RC_UNAUTHORIZED, …: the visitor's to mend */
};

/* ---- the places ---- */

static void fill_code(struct work *w, const struct request *rq, struct entered *e,
                      struct sign_in_entry *in)
{
    e->lost = !step_find(w, rq, STEP_CODE, &e->at);
    in->ticket = *e->at.ticket ? e->at.ticket : NULL;
    in->phone = e->at.who;
    in->code = form_text(&e->form, "code");
    e->empty = !in->code;
}

static void fill_password(struct work *w, const struct request *rq, struct entered *e,
                          struct sign_in_entry *in)
{
    (void)w;
    (void)rq;
    in->login = form_text(&e->form, "login");
    in->password = form_text(&e->form, "password");
    in->ticket = form_text(&e->form, "ticket");
    e->empty = !in->login || !in->password;
}

static void fill_passkey(struct work *w, const struct request *rq, struct entered *e,
                         struct sign_in_entry *in)
{
    (void)rq;
    in->ticket = form_text(&e->form, "ticket");
    e->empty = !in->ticket || !passkey_form_signed(w->mem, &e->form, &in->passkey);
}

static void fill_factor(struct work *w, const struct request *rq, struct entered *e,
                        struct sign_in_entry *in)
{
    e->lost = !step_find(w, rq, STEP_FACTOR, &e->at);
    in->totp = form_text(&e->form, "totp");
    if (!in->totp)
        fill_passkey(w, rq, e, in);
    in->ticket = e->at.ticket;
}

static enum rc draw_code(struct sheet *s, const struct entered *e,
                         const struct sign_in_wrong *x)
{
    sign_in_draw_code(s, &e->at, x);
    return RC_OK;
}

static enum rc draw_password(struct sheet *s, const struct entered *e,
                             const struct sign_in_wrong *x)
{
    struct step at;
    bool by_phone = step_find(s->w, s->rq, STEP_PASSWORD, &at);

    sign_in_draw_password(s, by_phone && *at.who ? &at : NULL, form_text(&e->form, "login"), x);
    return RC_OK;
}

static enum rc draw_factor(struct sheet *s, const struct entered *e,
                           const struct sign_in_wrong *x)
{
    return sign_in_draw_factor(s, &e->at, x);
}

static enum rc draw_passkey(struct sheet *s, const struct entered *e,
                            const struct sign_in_wrong *x)
{
    (void)e;
    sign_in_draw_passkey(
        s, x->field ? &(struct sign_in_wrong){ .trouble = x->field, .status = x->status } : x);
    return RC_OK;
}

static const struct place {
    const char *path, *empty, *wrong;
    void (*fill)(struct work *w, const struct request *rq, struct entered *e,
                 struct sign_in_entry *in);
    enum rc (*draw)(struct sheet *s, const struct entered *e, const struct sign_in_wrong *x);
} places[] = {
    { "/sign-in/code", "请输入短信里的 6 位数字",
      "验证码不对，或者已经过期。请核对最新的一条短信，或重新发送", fill_code, draw_code },
    { "/sign-in/password", "请输入登录名和密码", "登录名或密码不对。请检查大小写，再试一次",
      fill_password, draw_password },
    { "/sign-in/factor", "请输入验证器应用里的 6 位数字",
      "不是应用现在显示的数字，或已经用过。请等它换成新的数字，再试一次", fill_factor,
      draw_factor },
    { "/sign-in/passkey", "没有收到通行密钥的答复。请再试一次",
      "这把通行密钥没有通过核对。请再试一次，或改用别的方式", fill_passkey, draw_passkey },
};

static const struct place *place_of(const char *path)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(places[i].path, path))
            return &places[i];
    return NULL;
}

/* ---- the phone ---- */

/*
 * Who comes from a program goes back to it, and is told which one it is. If he is in already and must prove more (an acr that he has not),
 * signing in once more is not the way: /consent says what is.
 */
static enum rc come_from_program(struct sheet *s, const char *ask, struct sign_in_wrong *x,
                                 bool *elsewhere)
{
    struct asked asked;
    enum rc rc = ask_read(s->w, ask, &asked);

    if (rc)
        return rc;
    *elsewhere = asked.next == AUTHORIZE_MORE;
    if (*elsewhere)
        sheet_go(s,
                 arena_printf(s->w->mem, "/consent?%sask=%s", s->large ? "large=1&" : "", ask));
    s->back = ask_resume(s->w, ask);
    x->note = arena_printf(s->w->mem, "“%s”请您登录，登录以后会回到它那里。", asked.party);
    return RC_OK;
}

enum rc get_sign_in_page(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *ask = sheet_param(rq, "ask");
    struct sign_in_wrong x = { 0 };
    bool elsewhere = false;
    struct sheet s;
    enum rc rc;

    if (!instance()->stream)
        return err_set(&w->err, RC_READ_ONLY, "nobody signs in at a node that only shows");
    sheet_begin(&s, w, rq, rp, "/sign-in", NULL);
    if (acting_page_take_back(&s))
        return RC_OK;
    if (request_int(rq, "over", 0))
        x.note = "登录用的时间太长了。为了安全，请重新开始。";
    else if (request_int(rq, "fresh", 0))
        x.note = "要修改登录的方式，需要先证明是您本人：请再登录一次。";
    if (ask && (rc = come_from_program(&s, ask, &x, &elsewhere)))
        return rc;
    if (!elsewhere)
        sign_in_draw_phone(&s, NULL, &x);
    return RC_OK;
}

/* Whoever is not there yet, or any more, begins. */
static enum rc begin_anew(struct sheet *s, bool over)
{
    const char *url = sheet_url(s, "/sign-in");

    if (over)
        step_forget(s->w, s->rq, s->rp);
    sheet_go(s, over ? arena_printf(s->w->mem, "%s%sover=1", url, strchr(url, '?') ? "&" : "?")
                     : url);
    return RC_OK;
}

/* A word that waits for the phone: while it is asked for, and while a code is under way. */
static bool find_word(struct work *w, const struct request *rq, struct step *out)
{
    return step_find(w, rq, STEP_WORD, out) ||
           (step_find(w, rq, STEP_CODE, out) && *out->ticket);
}

/* On a page of its own: whoever comes to /sign-in by himself must not get a word that somebody before him left there. */
enum rc get_sign_in_phone(struct work *w, const struct request *rq, struct reply *rp)
{
    struct step at;
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/sign-in/phone", NULL);
    if (!find_word(w, rq, &at))
        return begin_anew(&s, false);
    sign_in_draw_word(&s, NULL, at.ticket, &(struct sign_in_wrong){ 0 });
    return RC_OK;
}

/* Back to the page on which it was asked for. */
static void draw_not_sent(struct sheet *s, const char *phone, const struct form *form,
                          const char *why, int status)
{
    const char *ticket = form_text(form, "ticket");
    struct step at;

    if (form_text(form, "again") && step_find(s->w, s->rq, STEP_CODE, &at)) {
        s->path = "/sign-in/code";
        sign_in_draw_code(s, &at, &(struct sign_in_wrong){ .trouble = why, .status = status });
    } else if (ticket) {
        s->path = "/sign-in/phone";
        sign_in_draw_word(s, phone, ticket,
                          &(struct sign_in_wrong){ .field = why, .status = status });
    } else {
        sign_in_draw_phone(s, phone, &(struct sign_in_wrong){ .field = why, .status = status });
    }
}

/* The ticket of the word that the phone is proved for; "": none. */
static const char *word_of_form(struct work *w, const struct request *rq,
                                const struct form *form)
{
    const char *ticket = form_text(form, "ticket");
    struct step at;

    if (form_text(form, "again") && step_find(w, rq, STEP_CODE, &at))
        return arena_strdup(w->mem, at.ticket);
    return ticket && strlen(ticket) < WORD_TICKET_MAX ? ticket : "";
}

enum rc post_sign_in_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct step at = { .kind = STEP_CODE };
    struct sign_in_ask ask = { .client = rq->client_tag };
    const char *phone, *why;
    struct form form;
    struct sheet s;
    int64_t wait = 0;
    int status;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/sign-in", &form);
    phone = form_text(&form, "phone");
    ask.phone = phone ? phone : "";
    ask.known = visitor_cookie(w->mem, rq, VISITOR_DEVICE);
    if ((rc = sign_in_ask(w, &ask, &wait))) {
        if (!(why = sign_in_not_sent(&s, rc, wait, &status)))
            return rc;
        draw_not_sent(&s, phone, &form, why, status);
        return RC_OK;
    }
    if ((rc = identifier_normal(&w->err, "phone", phone, at.who)))
        return rc;
    snprintf(at.ticket, sizeof at.ticket, "%s", word_of_form(w, rq, &form));
    step_keep(w, rq, rp, &at);
    sheet_go(&s, sheet_url(&s, "/sign-in/code"));
    return RC_OK;
}

/* ---- the other pages ---- */

static enum rc get_step(struct work *w, const struct request *rq, struct reply *rp,
                        enum step_kind kind)
{
    const struct sign_in_wrong nothing = { 0 };
    struct entered e = { .place = place_of(rq->path) };
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, rq->path, NULL);
    if (kind && !step_find(w, rq, kind, &e.at))
        return begin_anew(&s, false);
    rc = e.place->draw(&s, &e, &nothing);
    return rc == RC_NOT_FOUND ? begin_anew(&s, true) : rc;
}

enum rc get_sign_in_code(struct work *w, const struct request *rq, struct reply *rp)
{
    return get_step(w, rq, rp, STEP_CODE);
}

enum rc get_sign_in_password(struct work *w, const struct request *rq, struct reply *rp)
{
    return get_step(w, rq, rp, 0);
}

enum rc get_sign_in_factor(struct work *w, const struct request *rq, struct reply *rp)
{
    return get_step(w, rq, rp, STEP_FACTOR);
}

enum rc get_sign_in_passkey(struct work *w, const struct request *rq, struct reply *rp)
{
    return get_step(w, rq, rp, 0);
}

/* ---- a step ---- */

/* What the visitor can mend is told on the page; all else is a failure like any other. */
static bool is_his(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_UNAUTHORIZED || rc == RC_FORBIDDEN;
}

enum rc prepare_sign_in_page(struct work *w, struct request *rq)
{
    struct sign_in_entry in = { .device = visitor_device(w->mem, rq),
                                .known = visitor_cookie(w->mem, rq, VISITOR_DEVICE),
                                .client = rq->client_tag,
                                .browser = true };
    struct entered *e = arena_zalloc(w->mem, sizeof *e);
    enum rc rc;

    rq->prepared = e;
    e->place = place_of(rq->path);
    if ((rc = visitor_read(w, rq, &e->form)))
        return rc;
    e->place->fill(w, rq, e, &in);
    if (e->lost || e->empty)
        return RC_OK;
    rc = sign_in_prepare(w, &in, &e->begun, &rq->errand);
    if (!is_his(rc))
        return rc;
    e->begun = NULL;
    e->why = rc;
    return RC_OK;
}

static enum rc draw_again(struct sheet *s, const struct entered *e,
                          const struct sign_in_wrong *x)
{
    enum rc rc = e->place->draw(s, e, x);

    return rc == RC_NOT_FOUND ? begin_anew(s, true) : rc;
}

/* For the audit log: what was wrong, and as whom. */
static void note_refusal(struct sheet *s, const struct entered *e,
                         const struct sign_in_result *r)
{
    struct actor who = s->w->who;

    if (r->why != RC_UNAUTHORIZED && r->why != RC_FORBIDDEN)
        return;
    if (r->account)
        snprintf(who.name, sizeof who.name, "account:%" PRId64, r->account);
    refusal_note("POST", e->place->path, &who, s->w->client ? s->w->client : "", r->why);
    if (r->why == RC_UNAUTHORIZED) /* RFC 9110 section 15.5.2 wants one */
        reply_header(s->rp, "www-authenticate", "Bearer");
}

static enum rc refuse(struct sheet *s, const struct entered *e, const struct sign_in_result *r)
{
    struct sign_in_wrong x = { .field = e->place->wrong, .status = 401 };

    note_refusal(s, e, r);
    if (r->step == SIGN_IN_CODE) {
        x = (struct sign_in_wrong){
            .trouble = "有人在反复猜这个账号的密码。为了安全，请改用短信验证码登录。",
            .status = 429
        };
        (void)sheet_wait(s, r->wait);
    } else if (r->why == RC_TOO_MANY) {
        x = (struct sign_in_wrong){ .trouble = sheet_wait(s, r->wait), .status = 429 };
    } else if (r->why == RC_FORBIDDEN) {
        x = (struct sign_in_wrong){
            .trouble = "这个账号现在不能登录：它可能已经停用，或还没有办完开通手续。请联系给"
                       "您开通账号的单位。",
            .status = 403
        };
    }
    return draw_again(s, e, &x);
}

/* The session that this browser had ends, and the one by which he acts with it: what is known of it opens nothing any more. */
static enum rc end_session(struct work *w, const struct actor *who)
{
    struct session_now s;
    enum rc rc;

    if (!session_get(who->session, &s))
        return RC_OK;
    rc = session_end(w, s.account, s.opener ? s.opener : s.id);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/*
 * A page between, where it goes on to a program of another site: the policy of a page with a form lets what it sends lead to ourselves
 * alone, however often it is sent on (CSP's form-action).
 */
static const char *after(struct sheet *s)
{
    if (!s->back)
        return sheet_url(s, "/account");
    return strncmp(s->back, "/oauth2/", 8) ? s->back : sheet_url(s, "/sign-in/done");
}

static enum rc let_in(struct sheet *s, const struct sign_in_result *r)
{
    visitor_set(s->w, s->rq, s->rp, VISITOR_SESSION, r->tokens.access);
    visitor_set(s->w, s->rq, s->rp, VISITOR_OWN, NULL);
    visitor_set(s->w, s->rq, s->rp, VISITOR_DEVICE, r->known);
    step_forget(s->w, s->rq, s->rp);
    sheet_go(s, after(s));
    return RC_OK;
}

static enum rc lead_on(struct sheet *s, const char *who, const struct sign_in_result *r)
{
    struct step next = { .kind = r->step == SIGN_IN_FACTOR ? STEP_FACTOR : STEP_PASSWORD,
                         .factors = r->factors };

    snprintf(next.who, sizeof next.who, "%s", who);
    slip_put(&r->slip, next.ticket);
    step_keep(s->w, s->rq, s->rp, &next);
    sheet_go(s,
             sheet_url(s, r->step == SIGN_IN_FACTOR ? "/sign-in/factor" : "/sign-in/password"));
    return RC_OK;
}

static enum rc ask_phone(struct sheet *s, const struct sign_in_result *r)
{
    struct step next = { .kind = STEP_WORD };

    snprintf(next.ticket, sizeof next.ticket, "%s", r->ticket);
    step_keep(s->w, s->rq, s->rp, &next);
    sheet_go(s, sheet_url(s, "/sign-in/phone"));
    return RC_OK;
}

enum rc sign_in_page_go(struct sheet *s, const struct actor *before, const char *who,
                        const struct sign_in_result *r)
{
    enum rc rc;

    if (r->step == SIGN_IN_DONE)
        return (rc = end_session(s->w, before)) ? rc : let_in(s, r);
    return r->step == SIGN_IN_PHONE ? ask_phone(s, r) : lead_on(s, who, r);
}

enum rc post_sign_in_step(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct entered *e = rq->prepared;
    struct sign_in_result r = { .step = SIGN_IN_REFUSED, .why = e->why };
    const struct actor before = w->who; /* it is somebody else's work from then on */
    struct sheet s;
    enum rc rc;

    sheet_begin(&s, w, rq, rp, rq->path, &e->form);
    if (e->lost)
        return begin_anew(&s, false);
    if (e->empty)
        return draw_again(&s, e, &(struct sign_in_wrong){ .field = e->place->empty });
    if (e->begun && (rc = sign_in_finish(w, e->begun, &r)))
        return rc;
    switch (r.step) {
    case SIGN_IN_DONE:
    case SIGN_IN_PASSWORD:
    case SIGN_IN_FACTOR: return sign_in_page_go(&s, &before, e->at.who, &r);
    default: return refuse(&s, e, &r);
    }
}

enum rc get_sign_in_done(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/sign-in/done", NULL);
    s.page.next = s.back ? s.back : "/account";
    sheet_open(&s, "登录成功", NULL, 0);
    sheet_words(&s, "正在回到您要用的服务。如果没有自动打开，请按下面的链接。");
    buf_adds(&s.b, "<p><a class=\"button\" href=\"");
    page_text(&s.b, s.page.next);
    buf_adds(&s.b, "\">继续</a></p>\n");
    sheet_close(&s);
    return RC_OK;
}

/* ---- out ---- */

enum rc get_sign_out_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct sheet s;

    sheet_begin(&s, w, rq, rp, "/sign-out", NULL);
    if (w->who.session) {
        sheet_open(&s, "退出登录", NULL, 0);
        sheet_words(&s, "退出后，这个浏览器上的登录就结束了。别的设备不受影响。");
        sheet_form(&s, "/sign-out");
        sheet_button(&s, "退出登录");
        sheet_form_end(&s);
        sheet_way(&s, "/account", "不退出，回到我的账号");
    } else {
        sheet_open(&s, "已经退出", NULL, 0);
        sheet_words(&s, "这个浏览器上没有登录。如果是公用的电脑，请再关上浏览器。");
        sheet_way(&s, "/sign-in", "重新登录");
    }
    sheet_close(&s);
    return RC_OK;
}

enum rc post_sign_out_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct form form;
    struct sheet s;
    enum rc rc;

    if ((rc = visitor_read(w, rq, &form)))
        return rc;
    sheet_begin(&s, w, rq, rp, "/sign-out", &form);
    if (w->who.session &&
        ((rc = end_session(w, &w->who)) || (rc = audit_add(w, AUDIT_sign_out, NULL, RC_OK))))
        return rc;
    visitor_set(w, rq, rp, VISITOR_SESSION, NULL);
    visitor_set(w, rq, rp, VISITOR_OWN, NULL);
    sheet_go(&s, sheet_url(&s, "/sign-out"));
    return RC_OK;
}
