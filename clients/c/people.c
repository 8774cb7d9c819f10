/*
 * people.c - signing in and out: the steps of docs/protocol/auth.md, and docs/protocol/state.md section 6.
 *
 * What the server answers to the last step becomes a row in the same transaction in which the guest's unsent things become the account's. Telling the
 * server to merge the guest (adopt) and to end a session (sign out) may fail and be repeated, so they are rows as well: PERSON_ADOPTED, PERSON_LEAVING.
 */
#include "clients/c/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/adopt.h"
#include "clients/c/builtin.h"
#include "clients/c/entries.h"
#include "clients/c/outbox.h"
#include "clients/c/vault.h"

enum { FAREWELL_S = 5 };

void people_link(struct link *l, struct tjzw *t, const struct tjzw_sync_options *options)
{
    *l = (struct link){ .t = t,
                        .options = options,
                        .transport = t->transport,
                        .began = link_now_ms(),
                        .lock = -1 };
    link_attach(l);
}

enum tjzw_code people_server(struct tjzw *t, struct person *p, struct tjzw_error *e)
{
    struct stream s = { 0 };
    enum tjzw_code rc;

    if ((rc = stream_next(t, 0, &s, e)))
        return rc;
    if (!s.no && t->asked)
        s = t->asked->s;
    if (!s.url[0])
        return fail_with(e, TJZW_NOT_FOUND, "no stream is followed, so no server is known");
    memcpy(p->url, s.url, sizeof p->url);
    memcpy(p->cacert, s.cacert, sizeof p->cacert);
    return TJZW_OK;
}

static bool take(const json_t *answer, const char *name, char *out, size_t room)
{
    const char *text = json_string_value(json_object_get(answer, name));

    if (!text || strlen(text) >= room)
        return false;
    strcpy(out, text);
    return true;
}

/* The step `done` as a person. */
static enum tjzw_code take_session(const json_t *answer, struct person *out,
                                   struct tjzw_error *e)
{
    out->account = json_integer_value(json_object_get(answer, "account"));
    out->level = (uint32_t)json_integer_value(json_object_get(answer, "level"));
    take(answer, "known", out->known, sizeof out->known);
    if (out->account > 0 && take(answer, "access", out->access, sizeof out->access) &&
        take(answer, "refresh", out->refresh, sizeof out->refresh))
        return TJZW_OK;
    return fail_with(e, TJZW_INVALID, "a sign-in without tokens");
}

static enum tjzw_code put_session(struct tjzw *t, const struct person *p, struct tjzw_error *e)
{
    return store_do(t, e, STMT_PERSON_SESSION, "iiiittttt", p->no, p->account,
                    (int64_t)p->guest, (int64_t)p->level, p->url, p->cacert, p->access,
                    p->refresh, p->known);
}

/* ---- guests ---- */

static enum tjzw_code write_guest(struct tjzw *t, struct person *p, const struct person *made,
                                  struct tjzw_error *e)
{
    struct person now;
    enum tjzw_code rc;

    if ((rc = person_begin(t, e)))
        return rc;
    if (!(rc = person_get(t, p->no, &now, e)) &&
        (!now.no || now.state != PERSON_HERE || now.account))
        rc = fail_with(e, TJZW_BUSY, "somebody else came meanwhile");
    if (!rc)
        rc = put_session(t, made, e);
    if (!(rc = person_end(t, rc, e)))
        *p = *made;
    return rc;
}

enum tjzw_code people_introduce(struct link *l, struct person *p, struct tjzw_error *e)
{
    struct call c = { .method = "POST", .path = "/v1/guest" };
    struct person made = *p;
    json_t *answer = NULL;
    enum tjzw_code rc;

    if ((rc = people_server(l->t, &made, e)))
        return rc;
    call_json(&c, json_pack("{s:s}", "device", "手机"));
    if (!(rc = call_make(l, made.url, made.cacert, &c, e)) && !(rc = call_check(&c, NULL, e)) &&
        !(answer = call_object(&c, e)))
        rc = TJZW_INVALID;
    if (!rc && !(rc = take_session(answer, &made, e)))
        rc = write_guest(l->t, p, &made, e);
    json_decref(answer);
    call_done(&c);
    free((char *)c.body);
    return rc;
}

static enum tjzw_code say_farewell(struct link *l, struct person *p, struct tjzw_error *e)
{
    struct call c = { .method = "POST", .path = "/v1/auth/sign-out" };
    enum tjzw_code rc = call_as(l, p, &c, e);

    if (!rc)
        rc = call_check(&c, NULL, e);
    call_done(&c);
    if (rc && rc != TJZW_SIGN_IN && rc != TJZW_REFUSED)
        return rc;
    if ((rc = person_begin(l->t, e)))
        return rc;
    return person_end(l->t, person_forget(l->t, p->no, e), e);
}

enum tjzw_code people_settle(struct link *l, const struct person *here, struct tjzw_error *e)
{
    struct person p = { 0 };
    enum tjzw_code rc;

    while (!(rc = person_next(l->t, PERSON_LEAVING, p.no, &p, e)) && p.no) {
        int64_t no = p.no;

        if ((rc = say_farewell(l, &p, e)))
            return rc;
        p.no = no;
    }
    p.no = 0;
    while (!rc && here->no && !here->guest &&
           !(rc = person_next_guest(l->t, here->account, p.no, &p, e)) && p.no) {
        int64_t no = p.no;

        if ((rc = adopt_guest(l, here, &p, e)))
            return rc;
        p.no = no;
    }
    return rc;
}

/* ---- a code ---- */

/* The newest that this phone was given; of somebody else it does no harm. */
static void add_known(struct tjzw *t, json_t *body)
{
    sqlite3_stmt *q = store_bound(t, NULL, STMT_PERSON_KNOWN, "");
    bool any;

    if (!q)
        return;
    if (!store_step(t, q, &any, NULL) && any)
        json_object_set_new(body, "known",
                            json_string((const char *)sqlite3_column_text(q, 0)));
    store_reset(q);
}

enum tjzw_code tjzw_ask_code(struct tjzw *t, const char *phone, struct tjzw_code_sent *out,
                             struct tjzw_error *e)
{
    static const struct tjzw_sync_options options;
    struct call c = { .method = "POST", .path = "/v1/auth/code" };
    struct tjzw_sync_result waits = { 0 };
    struct tjzw_code_sent sent = { 0 };
    struct person server = { 0 };
    json_t *body, *answer = NULL;
    struct link l;
    enum tjzw_code rc;

    if (!phone || !phone[0])
        return fail_with(e, TJZW_USAGE, "no phone number");
    atomic_store(&t->stop, false);
    people_link(&l, t, &options);
    if ((rc = people_server(t, &server, e)))
        return rc;
    body = json_pack("{s:s}", "phone", phone);
    add_known(t, body);
    call_json(&c, body);
    if (!(rc = call_make(&l, server.url, server.cacert, &c, e)) &&
        !(rc = call_check(&c, &waits, e)) && !(answer = call_object(&c, e)))
        rc = TJZW_INVALID;
    sent.again_in =
        answer ? (uint32_t)json_integer_value(json_object_get(answer, "again_in")) : waits.wait;
    sent.digits = (uint32_t)json_integer_value(json_object_get(answer, "digits"));
    sent.expires_in = (uint32_t)json_integer_value(json_object_get(answer, "expires_in"));
    if (out)
        *out = sent;
    json_decref(answer);
    call_done(&c);
    free((char *)c.body);
    return rc;
}

/* ---- signing in ---- */

/* In a transaction: the guest who was here becomes a part of who is. */
static enum tjzw_code take_over(struct tjzw *t, const struct person *guest,
                                const struct person *to, struct tjzw_error *e)
{
    enum tjzw_code rc = person_hand_over(t, guest->no, to->no, e);

    if (!rc && !guest->account)
        rc = person_forget(t, guest->no, e);
    return rc;
}

/* In a transaction. *other: it is somebody else's phone at the moment. */
static enum tjzw_code come(struct tjzw *t, struct person *made, const char *vault, bool *other,
                           struct tjzw_error *e)
{
    struct person before;
    bool fits = true;
    enum tjzw_code rc = person_here(t, &before, e);

    if (!rc && before.no && !before.guest)
        rc = vault_fits(t, before.no, vault, &fits, e);
    *other = !rc && before.no && !before.guest && (before.account != made->account || !fits);
    if (rc || *other)
        return rc;
    if (before.no && !before.guest) {
        made->no = before.no;
        if ((rc = put_session(t, made, e)))
            return rc;
        before.state = PERSON_LEAVING; /* the session that he had until now */
        before.known[0] = '\0';
        return person_add(t, &before, e);
    }
    if (before.no && (rc = store_do(t, e, STMT_PERSON_ADOPT, "ii", before.no, made->account)))
        return rc;
    if ((rc = person_add(t, made, e)) || (rc = vault_keep(t, made->no, vault, e)) ||
        (rc = person_return(t, made, e)))
        return rc;
    entries_changed(t, NULL, NULL);
    return before.no ? take_over(t, &before, made, e) : TJZW_OK;
}

/* Nobody may have two people's tokens at once: the session that was just made is ended. */
static enum tjzw_code turn_away(struct tjzw *t, struct person *made, struct tjzw_error *e)
{
    enum tjzw_code rc;

    made->state = PERSON_LEAVING;
    made->known[0] = '\0';
    if (!(rc = person_begin(t, e)))
        rc = person_end(t, person_add(t, made, e), e);
    return rc ? rc : fail_with(e, TJZW_USAGE, "somebody else is signed in");
}

static enum tjzw_code signed_in(struct link *l, struct person *made, const json_t *answer,
                                struct tjzw_error *e)
{
    const char *vault = json_string_value(json_object_get(answer, "vault"));
    struct tjzw_error later;
    bool other = false;
    enum tjzw_code rc;

    made->state = PERSON_HERE;
    if ((rc = take_session(answer, made, e)) || (rc = person_begin(l->t, e)))
        return rc;
    if ((rc = person_end(l->t, come(l->t, made, vault, &other, e), e)))
        return rc;
    if (other)
        return turn_away(l->t, made, e);
    (void)!people_settle(l, made, &later); /* or with the next exchange */
    return TJZW_OK;
}

static void take_json(const json_t *answer, const char *name, char *out, size_t room)
{
    const json_t *value = json_object_get(answer, name);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    if (text && strlen(text) < room)
        strcpy(out, text);
    free(text);
}

/* ["totp","passkey"] as "totp passkey". */
static void take_factors(const json_t *answer, char *out, size_t room)
{
    const json_t *factor;
    size_t i, n = 0;

    json_array_foreach(json_object_get(answer, "factors"), i, factor)
    {
        const char *name = json_string_value(factor);

        if (name && n + strlen(name) + 2 < room)
            n += (size_t)snprintf(out + n, room - n, "%s%s", n ? " " : "", name);
    }
}

static enum tjzw_code take_step(struct link *l, struct person *made, const json_t *answer,
                                struct tjzw_step *out, struct tjzw_error *e)
{
    static const char *const names[] = { "done", "factor", "password", "code", "phone" };
    const char *name = json_string_value(json_object_get(answer, "step"));
    size_t i = 0;

    while (i < sizeof names / sizeof *names && (!name || strcmp(names[i], name) != 0))
        i++;
    if (i == sizeof names / sizeof *names)
        return fail_with(e, TJZW_INVALID, "a step that is none");
    out->kind = (enum tjzw_step_kind)i;
    out->expires_in = (uint32_t)json_integer_value(json_object_get(answer, "expires_in"));
    take(answer, "ticket", out->ticket, sizeof out->ticket);
    take_json(answer, "passkey", out->passkey, sizeof out->passkey);
    take_factors(answer, out->factors, sizeof out->factors);
    if (out->kind != TJZW_STEP_DONE)
        return TJZW_OK;
    out->account = json_integer_value(json_object_get(answer, "account"));
    out->is_new = json_is_true(json_object_get(answer, "new"));
    return signed_in(l, made, answer, e);
}

static json_t *entered_json(struct tjzw *t, const struct tjzw_sign_in *in)
{
    const struct {
        const char *name, *value;
    } members[] = {
        { "phone", in->phone },
        { "code", in->code },
        { "login", in->login },
        { "ticket", in->ticket },
        { "totp", in->totp },
        { "password", in->password },
        { "device", in->device ? in->device : "手机" },
    };
    json_t *body = json_object();

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].value)
            json_object_set_new(body, members[i].name, json_string(members[i].value));
    if (in->passkey)
        json_object_set_new(body, "passkey", json_loads(in->passkey, 0, NULL));
    add_known(t, body);
    return body;
}

enum tjzw_code tjzw_sign_in(struct tjzw *t, const struct tjzw_sign_in *entered,
                            struct tjzw_step *out, struct tjzw_error *e)
{
    static const struct tjzw_sync_options options;
    struct call c = { .method = "POST", .path = "/v1/auth/sign-in" };
    struct person made = { 0 };
    struct tjzw_step step = { 0 };
    json_t *answer = NULL;
    struct link l;
    enum tjzw_code rc;

    atomic_store(&t->stop, false);
    people_link(&l, t, &options);
    if ((rc = people_server(t, &made, e)))
        return rc;
    call_json(&c, entered_json(t, entered));
    if (!(rc = call_make(&l, made.url, made.cacert, &c, e)) &&
        !(rc = call_check(&c, NULL, e)) && !(answer = call_object(&c, e)))
        rc = TJZW_INVALID;
    if (!rc)
        rc = take_step(&l, &made, answer, &step, e);
    if (!rc && out)
        *out = step;
    json_decref(answer);
    call_done(&c);
    memset((char *)c.body, 0, c.size); /* it may hold a password */
    free((char *)c.body);
    store_forget_log(t);
    return rc;
}

/* ---- signing out ---- */

enum tjzw_code tjzw_sign_out(struct tjzw *t, struct tjzw_error *e)
{
    static const struct tjzw_sync_options soon = { .timeout = FAREWELL_S,
                                                   .connect_timeout = FAREWELL_S };
    struct person p, nobody = { 0 };
    struct tjzw_error later;
    struct link l;
    enum tjzw_code rc;

    atomic_store(&t->stop, false);
    if ((rc = person_begin(t, e)))
        return rc;
    if (!(rc = person_here(t, &p, e)) && p.no)
        rc = person_leave(t, &p, false, e);
    if ((rc = person_end(t, rc, e)))
        return rc;
    store_forget_log(t);
    people_link(&l, t, &soon);
    (void)!people_settle(&l, &nobody, &later); /* or with the next exchange */
    return TJZW_OK;
}

/* ---- who is here ---- */

static enum tjzw_code count_unread(struct tjzw *t, int64_t person, uint64_t *out,
                                   struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_UNREAD, "i", person);
    enum tjzw_code rc;
    bool any;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any)
        *out = (uint64_t)sqlite3_column_int64(q, 0);
    store_reset(q);
    return rc;
}

enum tjzw_code tjzw_me(struct tjzw *t, struct tjzw_me *out, struct tjzw_error *e)
{
    struct tjzw_me me = { .guest = true };
    struct outbox_count waiting;
    struct person p;
    enum tjzw_code rc = person_here(t, &p, e);

    if (!rc && p.no) {
        if ((rc = outbox_count(t, p.no, &waiting, e)) ||
            (rc = count_unread(t, p.no, &me.unread, e)))
            return rc;
        me.account = p.account;
        me.guest = p.guest;
        me.ended = p.ended;
        me.level = p.level;
        me.unsent = (uint64_t)waiting.waiting;
        me.attention = (uint64_t)waiting.refused;
        me.checked_at = p.checked;
        me.due = person_due(&p, t->clock());
    }
    if (!rc)
        *out = me;
    return rc;
}
