/*
 * call.c - requests of a person, and his tokens.
 *
 * An access token is good for some minutes. It is used until the server refuses it, and only then the refresh token is exchanged: at that moment the network
 * is known to work in both directions. That matters, because a refresh token is used once. The server has forgotten what it answered ten seconds later,
 * and takes a second use for a thief's; so an exchange whose answer did not come is repeated at once, for most of these seconds.
 *
 * Several processes may hold the store: a lock of its own lets one exchange at a time, and whoever waited finds the new token there. It is on the disk, fsynced, before
 * anything is asked with it.
 */
#include "clients/c/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    ANSWER_MAX = 16 << 20,
    WINDOW_MS = 9000, /* of the server's ten seconds */
    PAUSE_MS = 200
};

/* ---- one request ---- */

static void on_status(struct tjzw_request *r, int status)
{
    struct call *c = r->ctx;

    c->status = status;
    c->n = 0;
    c->retry_after = 0;
}

static void on_header(struct tjzw_request *r, const char *name, const char *value)
{
    struct call *c = r->ctx;

    if (strcasecmp(name, "retry-after") == 0 && value[0] >= '0' && value[0] <= '9')
        c->retry_after = (uint32_t)strtoul(value, NULL, 10);
    if (strcasecmp(name, "upload-offset") == 0 && value[0] >= '0' && value[0] <= '9')
        c->upload_offset = (int64_t)strtoull(value, NULL, 10);
    if (strcasecmp(name, "www-authenticate") == 0)
        c->too_old |= strstr(value, "insufficient_user_authentication") != NULL;
}

static int on_body(struct tjzw_request *r, const void *bytes, size_t n)
{
    struct call *c = r->ctx;

    if (c->each && c->status == 200) {
        c->stopped = !c->each(c->each_ctx, bytes, n);
        return c->stopped;
    }
    if (c->n + n > ANSWER_MAX)
        return 1;
    c->answer = realloc(c->answer, c->n + n + 1);
    if (!c->answer)
        abort();
    memcpy(c->answer + c->n, bytes, n);
    c->n += n;
    c->answer[c->n] = '\0';
    return 0;
}

void call_json(struct call *c, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);

    if (!text)
        abort();
    json_decref(body);
    c->body = text;
    c->size = strlen(text);
}

static void forget_answer(struct call *c)
{
    free(c->answer);
    c->answer = NULL;
    c->n = 0;
    c->status = 0;
    c->retry_after = 0;
    c->upload_offset = -1;
    c->too_old = c->whole = c->untrusted = c->stopped = false;
}

void call_done(struct call *c)
{
    forget_answer(c);
}

static void tell_trace(const struct link *l, const struct call *c, const struct tjzw_request *r)
{
    struct tjzw_trace trace = { c->path,     c->status, r->bytes_down,
                                r->bytes_up, r->ms,     c->method ? c->method : "GET" };

    if (l->options->trace)
        l->options->trace(l->options->ctx, &trace);
}

enum tjzw_code call_make(struct link *l, const char *url, const char *cacert, struct call *c,
                         struct tjzw_error *e)
{
    char whole_url[1024], bearer[TOKEN_MAX + 32];
    const char *headers[8];
    struct tjzw_request r = { .url = whole_url,
                              .headers = headers,
                              .on_status = on_status,
                              .on_header = on_header,
                              .on_body = on_body,
                              .ctx = c,
                              .method = c->method,
                              .body = c->body,
                              .size = c->size,
                              .why = "not asked" };
    size_t n = 0;

    forget_answer(c);
    snprintf(whole_url, sizeof whole_url, "%s%s", url, c->path);
    for (size_t i = 0; i < 4 && c->headers[i]; i++)
        headers[n++] = c->headers[i];
    if (c->size > 0 && n == 0)
        headers[n++] = "Content-Type: application/json";
    if (c->token) {
        snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", c->token);
        headers[n++] = bearer;
    }
    headers[n] = NULL;
    link_trust(l, cacert);
    l->transport.get(l->transport.ctx, &r, 1, link_must_stop, l);
    c->whole = r.whole && c->status != 0;
    tell_trace(l, c, &r);
    if (c->whole)
        return TJZW_OK;
    if (c->stopped || link_must_stop(l))
        return fail_with(e, TJZW_STOPPED, "stopped, or out of time");
    return fail_with(e, r.untrusted ? TJZW_TLS : TJZW_NET, "%s", r.why);
}

/* ---- what a status means ---- */

/* What he typed, by its place in what was sent. */
static const struct {
    const char *pointer, *words;
} typed[] = {
    { "#/phone", "这不是能收短信的手机号。请检查后重新填写，例如 13800138000" },
    { "#/code", "验证码不对。请对照短信重新填写 6 位数字" },
    { "#/login", "用户名不对。请填写手机号或登录名" },
    { "#/password", "密码不对。请检查后重新填写" },
    { "#/totp", "动态口令不对。请填写验证器现在显示的 6 位数字" },
};

static const char *words_for(const json_t *problem)
{
    const json_t *first = json_array_get(json_object_get(problem, "errors"), 0);
    const char *pointer = json_string_value(json_object_get(first, "pointer"));

    for (size_t i = 0; pointer && i < sizeof typed / sizeof *typed; i++)
        if (strcmp(typed[i].pointer, pointer) == 0)
            return typed[i].words;
    return json_string_value(json_object_get(problem, "title"));
}

/* In words for whoever holds the phone, who reads Chinese; the problem's detail is for logs (docs/adr/0007). */
static enum tjzw_code refused(const struct call *c, enum tjzw_code code, struct tjzw_error *e)
{
    json_t *problem = c->answer ? json_loadb(c->answer, c->n, 0, NULL) : NULL;
    const char *words = words_for(problem),
               *detail = json_string_value(json_object_get(problem, "detail"));

    code = fail_with(e, code, "status %d: %.200s", c->status, detail ? detail : "");
    if (e && words && code == TJZW_REFUSED)
        snprintf(e->text, sizeof e->text, "服务器没有接受：%.300s", words);
    json_decref(problem);
    return code;
}

/* Whether our server says so, and not somebody between it and us. */
static bool is_problem(const struct call *c)
{
    json_t *problem = c->answer ? json_loadb(c->answer, c->n, 0, NULL) : NULL;
    bool is = json_integer_value(json_object_get(problem, "status")) == c->status;

    json_decref(problem);
    return is;
}

enum tjzw_code call_check(struct call *c, struct tjzw_sync_result *out, struct tjzw_error *e)
{
    if (c->status >= 200 && c->status < 300)
        return TJZW_OK;
    if (c->status >= 400 && c->status < 500 && c->status != 429 && !is_problem(c))
        return fail_with(e, TJZW_NET, "status %d, from somebody in between", c->status);
    switch (c->status) {
    case 401: return refused(c, TJZW_SIGN_IN, e);
    case 429:
    case 503:
        if (out && c->retry_after > out->wait)
            out->wait = c->retry_after;
        return fail_with(e, TJZW_BUSY, "status %d, come again after %u s", c->status,
                         c->retry_after);
    case 400:
    case 403:
    case 404:
    case 409:
    case 410:
    case 413:
    case 415:
    case 422: return refused(c, TJZW_REFUSED, e);
    default: return fail_with(e, TJZW_NET, "status %d", c->status);
    }
}

json_t *call_object(const struct call *c, struct tjzw_error *e)
{
    json_t *o = c->answer ? json_loadb(c->answer, c->n, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_is_object(o))
        return o;
    json_decref(o);
    (void)fail_with(e, TJZW_INVALID, "%s: the answer is no JSON object", c->path);
    return NULL;
}

/* ---- tokens ---- */

/* *fd is closed by the caller. Waits for another process, which may be waiting for its network. */
static enum tjzw_code lock_tokens(struct link *l, int *fd, struct tjzw_error *e)
{
    char path[4096];
    struct sync_err ignored;

    snprintf(path, sizeof path, "%s-token", l->t->path);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fail_with(e, TJZW_STORE, "open %s: %s", path, strerror(errno));
    while (flock(*fd, LOCK_EX | LOCK_NB)) {
        if (link_wait(l, &ignored, PAUSE_MS)) {
            close(*fd);
            return fail_with(e, TJZW_STOPPED, "stopped, or out of time");
        }
    }
    return TJZW_OK;
}

static enum tjzw_code write_tokens(struct tjzw *t, struct person *p, const json_t *answer,
                                   struct tjzw_error *e)
{
    const char *access = json_string_value(json_object_get(answer, "access")),
               *refresh = json_string_value(json_object_get(answer, "refresh"));
    enum tjzw_code rc;

    if (!access || !refresh || strlen(access) >= TOKEN_MAX || strlen(refresh) >= TOKEN_MAX)
        return fail_with(e, TJZW_INVALID, "an exchange of tokens without tokens");
    if (!(rc = person_begin(t, e)))
        rc =
            person_end(t, store_do(t, e, STMT_PERSON_TOKENS, "itt", p->no, access, refresh), e);
    if (rc)
        return rc;
    snprintf(p->access, sizeof p->access, "%s", access);
    snprintf(p->refresh, sizeof p->refresh, "%s", refresh);
    return TJZW_OK;
}

/* Asks until an answer comes, as long as it may still be the same answer. */
static enum tjzw_code ask_for_tokens(struct link *l, const struct person *p, struct call *c,
                                     struct tjzw_error *e)
{
    uint64_t until = link_now_ms() + WINDOW_MS;
    struct sync_err ignored;
    enum tjzw_code rc;
    uint32_t pause = PAUSE_MS;

    for (;; pause *= 2) {
        rc = call_make(l, p->url, p->cacert, c, e);
        if ((rc && rc != TJZW_NET) || (!rc && c->status < 500))
            return rc;
        if (link_now_ms() + pause >= until || link_wait(l, &ignored, pause))
            return rc ? rc : call_check(c, NULL, e);
    }
}

/* The server refused them: the person leaves. */
static enum tjzw_code session_ended(struct link *l, struct person *p, struct tjzw_error *e)
{
    struct person now;
    enum tjzw_code rc;

    if ((rc = person_begin(l->t, e)))
        return rc;
    if (!(rc = person_get(l->t, p->no, &now, e)) && now.no && now.state == PERSON_HERE)
        rc = person_leave(l->t, &now, true, e);
    if ((rc = person_end(l->t, rc, e)))
        return rc;
    store_forget_log(l->t);
    if (p->state == PERSON_HERE)
        p->no = 0;
    return fail_with(e, TJZW_SIGN_IN, "the session has ended");
}

static enum tjzw_code exchange_tokens(struct link *l, struct person *p, struct tjzw_error *e)
{
    struct call c = { .method = "POST", .path = "/v1/auth/refresh" };
    char before[TOKEN_MAX];
    json_t *answer;
    enum tjzw_code rc;

    memcpy(before, p->access, sizeof before);
    if ((rc = person_get(l->t, p->no, p, e)))
        return rc;
    if (!p->no)
        return fail_with(e, TJZW_SIGN_IN, "signed out meanwhile");
    if (strcmp(before, p->access) != 0)
        return TJZW_OK; /* another process did it */
    call_json(&c, json_pack("{s:s}", "refresh", p->refresh));
    rc = ask_for_tokens(l, p, &c, e);
    if (!rc && c.status == 401 && is_problem(&c)) {
        rc = session_ended(l, p, e);
    } else if (!rc && !(rc = call_check(&c, NULL, e))) {
        rc = (answer = call_object(&c, e)) ? write_tokens(l->t, p, answer, e) : TJZW_INVALID;
        json_decref(answer);
    }
    call_done(&c);
    free((char *)c.body);
    return rc;
}

enum tjzw_code call_as(struct link *l, struct person *p, struct call *c, struct tjzw_error *e)
{
    enum tjzw_code rc;
    int lock;

    c->token = p->access;
    if ((rc = call_make(l, p->url, p->cacert, c, e)) || c->status != 401 || c->too_old)
        return rc;
    if ((rc = lock_tokens(l, &lock, e)))
        return rc;
    rc = exchange_tokens(l, p, e);
    close(lock);
    return rc ? rc : call_make(l, p->url, p->cacert, c, e);
}
