/*
 * me.c - one's own account: its name, its phones, its devices, its password.
 *
 * What one signs in with is changed only by who signed in within the last ten minutes (auth_need_fresh()), so that a phone that
 * was left on a table is not enough to keep its owner out.
 */
#include "api/me.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth_json.h"
#include "api/view.h"
#include "server/base/be64.h"
#include "server/base/clock.h"
#include "server/citizen/adopt.h"
#include "server/identity/account.h"
#include "server/identity/audit.h"
#include "server/identity/binding.h"
#include "server/identity/code.h"
#include "server/identity/erase.h"
#include "server/identity/identifier.h"
#include "server/identity/password_set.h"
#include "server/identity/phone.h"
#include "server/identity/staff_device.h"

static const char route_identifiers[] = "/v1/me/identifiers";

static void put_time(struct buf *b, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    if (at)
        jx_put_text(b, key, clock_text(at, text));
}

/* ---- the account ---- */

static enum rc put_identifiers(struct work *w, struct buf *b)
{
    char name[BINDING_NAME];
    struct identifier *list;
    enum rc rc;
    int n;

    if ((rc = identifier_list(w, w->who.account, &list, &n)))
        return rc;
    jx_key(b, "identifiers");
    buf_addc(b, '[');
    for (int i = 0; i < n; i++) {
        binding_name(&list[i], name);
        buf_adds(b, i ? ",{" : "{");
        jx_put_text(b, "hint", identifier_hint(w->mem, &list[i]));
        jx_put_text(b, "id", name);
        jx_put_text(b, "kind", list[i].kind);
        put_time(b, "proved", list[i].proved);
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
    return RC_OK;
}

static enum rc reply_me(struct work *w, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct account a;
    enum rc rc;

    if ((rc = account_by_id(w, w->who.account, &a)))
        return rc;
    buf_addc(&b, '{');
    jx_put_int(&b, "account", a.id);
    put_time(&b, "created", a.created);
    if (a.state == ACCOUNT_LEAVING)
        put_time(&b, "erased_at", a.state_at + ERASE_AFTER);
    if ((rc = put_identifiers(w, &b)))
        return rc;
    jx_put_text(&b, "kind", account_kind_name(a.kind));
    jx_put_int(&b, "level", w->who.level);
    jx_put_text(&b, "name", a.name);
    jx_put_bool(&b, "password", a.password != NULL);
    if (w->who.person)
        jx_put_int(&b, "person", w->who.person);
    jx_put_text(&b, "state", account_state_name(a.state));
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_me(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return reply_me(w, rp);
}

enum rc patch_me(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "name", JX_TEXT, true, 0, 60 }, { 0 } };
    const char *name;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    name = jx_text(body, "name");
    rc = account_set_name(w, w->who.account, *name ? name : NULL);
    return rc ? rc : reply_me(w, rp);
}

/* ---- devices ---- */

static void put_session(struct work *w, struct buf *b, const struct session *s)
{
    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    if (s->acting)
        jx_put_int(b, "acting", s->acting);
    put_time(b, "authenticated", s->authenticated);
    put_time(b, "created", s->created);
    jx_put_bool(b, "current", s->id == w->who.session);
    jx_put_text(b, "device", s->device);
    put_time(b, "ends", s->ends);
    jx_put_text(b, "id", arena_printf(w->mem, SESSION_NAME, s->id));
    jx_put_int(b, "level", s->level);
    if (s->machine) {
        jx_put_bool(b, "listed", staff_device_counts(s->machine));
        jx_put_text(b, "machine", arena_printf(w->mem, STAFF_DEVICE_NAME, s->machine));
    }
    jx_put_text(b, "network", s->network);
    put_time(b, "used", s->used);
    buf_addc(b, '}');
}

enum rc get_my_sessions(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct session *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = session_list(w, w->who.account, &list, &n)))
        return rc;
    view_list_open(&b, "sessions");
    for (int i = 0; i < n; i++)
        put_session(w, &b, &list[i]);
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc delete_my_session(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *name = request_arg(rq, "session")->text;
    uint8_t bytes[8] = { 0 };

    rp->status = 204;
    if (!hex_parse(name, strlen(name), bytes, sizeof bytes))
        return err_field(&w->err, "session", "a session's id has 16 hexadecimal digits");
    return session_end(w, w->who.account, be64_get(bytes));
}

enum rc delete_my_sessions(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    rp->status = 204;
    return session_end_all(w, w->who.account, w->who.session);
}

/* ---- the password ---- */

enum rc prepare_my_password(struct work *w, struct request *rq)
{
    static const struct jx_field members[] = { { "old", JX_TEXT, false, 1, 512 },
                                               { "password", JX_TEXT, true, 1, 512 },
                                               { 0 } };
    struct password_set *s;
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)))
        return rc;
    rc = password_set_prepare(
        w,
        &(struct password_set_entry){ .account = w->who.account,
                                      .session = w->who.session,
                                      .old = jx_text(body, "old"),
                                      .password = jx_text(body, "password"),
                                      .client = rq->client_tag,
                                      .method = "PUT",
                                      .path = "/v1/me/password" },
        &s, &rq->errand);
    rq->prepared = s;
    return rc;
}

enum rc put_my_password(struct work *w, const struct request *rq, struct reply *rp)
{
    int64_t wait = 0;
    enum rc rc;

    if ((rc = auth_need_fresh(w, rp)))
        return rc;
    rc = password_set_finish(w, rq->prepared, &wait);
    if (rc == RC_TOO_MANY)
        auth_retry_after(w, rp, wait);
    rp->status = 204;
    return rc;
}

/* ---- phones ---- */

static enum rc ask_phone(struct work *w, const struct request *rq, const char *phone,
                         struct reply *rp)
{
    const struct phone_ask ask = { phone, PHONE_ADD, rq->client_tag, false };
    struct buf b = BUF_IN(w->mem);
    int64_t wait = 0;
    enum rc rc = phone_ask(w, &ask, &wait);

    if (rc == RC_TOO_MANY)
        auth_retry_after(w, rp, wait);
    if (rc || (rc = audit_add(w, AUDIT_code_send, NULL, RC_OK)))
        return rc;
    buf_printf(&b, "{\"again_in\":%d,\"digits\":%d,\"expires_in\":%d}\n", CODE_PAUSE,
               CODE_DIGITS, CODE_LIFE);
    reply_buf(rp, TYPE_JSON, &b);
    rp->status = 202;
    return RC_OK;
}

enum rc me_tell_added(struct work *w, int64_t joined)
{
    const char *object = arena_printf(w->mem, "accounts/%" PRId64, w->who.account);
    enum rc rc;

    if (joined) {
        work_fact(w, "joined", joined);
        if ((rc = adopt(w, joined, w->who.account)) ||
            (rc = audit_add(w, AUDIT_account_merge, object, RC_OK)))
            return rc;
    }
    return audit_add(w, AUDIT_identifier_add, object, RC_OK);
}

static enum rc prove_phone(struct work *w, const struct phone_add *add, struct reply *rp)
{
    struct sign_in_result wrong = { .account = w->who.account };
    int64_t joined, wait = 0;
    bool right;
    enum rc rc = phone_add(w, add, &right, &joined, &wait);

    if (rc == RC_TOO_MANY)
        auth_retry_after(w, rp, wait);
    if (rc)
        return rc;
    if (!right) {
        wrong.why =
            err_set(&w->err, RC_FORBIDDEN, "the code is not right, or not good any more");
        return auth_refuse(w, route_identifiers, &wrong, rp);
    }
    return (rc = me_tell_added(w, joined)) ? rc : reply_me(w, rp);
}

enum rc post_my_identifier(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "phone", JX_TEXT, true, 1, 40 },
                                               { "code", JX_TEXT, false, 1, 20 },
                                               { "join", JX_BOOL, false },
                                               { 0 } };
    struct phone_add add = { .account = w->who.account, .client = rq->client_tag };
    char normal[IDENTIFIER_TEXT];
    json_t *body;
    enum rc rc;

    if ((rc = auth_read_body(w, rq, members, &body)) || (rc = auth_need_fresh(w, rp)) ||
        (rc = identifier_normal(&w->err, "phone", jx_text(body, "phone"), normal)))
        return rc;
    if (!jx_text(body, "code"))
        return ask_phone(w, rq, normal, rp);
    add.phone = normal;
    add.code = jx_text(body, "code");
    add.join = jx_bool(body, "join", false);
    return prove_phone(w, &add, rp);
}

enum rc delete_my_identifier(struct work *w, const struct request *rq, struct reply *rp)
{
    enum rc rc = auth_need_fresh(w, rp);

    rp->status = 204;
    return rc ? rc : binding_end(w, w->who.account, request_arg(rq, "identifier")->text);
}
