/*
 * link.c - three ways to the same interface, chosen once when the link opens.
 *
 * Without a running server the command is one itself, on the admin socket only; requests then
 * travel through the kernel to our own threads, which costs some microseconds and saves a
 * second way of doing everything.
 */
#include "server/cli/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/app.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/http/client.h"
#include "sync/live.h"

enum { TIMEOUT_MS = 120000, ANSWER_MAX = 64 << 20, STOP_MS = 2000, SETTLE_MS = 60000 };

struct link {
    struct arena *mem;
    struct app *app;    /* the server that we are ourselves; NULL: another process's */
    const char *origin; /* what stands before the target in a URL */
    const char *socket, *bearer, *ca_file;
};

static enum rc open_remote(struct link *l, struct err *e, const struct args *a)
{
    const char *file = arg_text(a, "token-file", NULL);
    char *text, *url = arena_strdup(l->mem, arg_text(a, "server", NULL));
    size_t n = strlen(url);
    enum rc rc;

    while (n && url[n - 1] == '/')
        url[--n] = '\0';
    l->origin = url;
    l->ca_file = arg_text(a, "cacert", NULL);
    if (!file)
        return RC_OK;
    if ((rc = fs_read(e, l->mem, file, 4096, &text, &n)))
        return rc;
    text[strcspn(text, "\r\n")] = '\0';
    l->bearer = text;
    return RC_OK;
}

/* Whoever holds the lock has the admin socket; if nobody does, we take both. */
static enum rc open_local(struct link *l, struct err *e, const struct conf *c)
{
    enum rc rc;

    l->origin = "http://localhost";
    l->socket = arena_printf(l->mem, "%s/admin.sock", c->data);
    log_set_level(LOG_ERROR);
    rc = app_start(e, c, 0, &l->app);
    if (rc == RC_CONFLICT && fs_exists(l->socket))
        return RC_OK;
    return rc;
}

enum rc link_open(struct err *e, const struct args *a, const struct conf *c, struct link **out)
{
    struct arena *mem = arena_new();
    struct link *l = arena_zalloc(mem, sizeof *l);
    enum rc rc;

    l->mem = mem;
    rc = arg_text(a, "server", NULL) ? open_remote(l, e, a) : open_local(l, e, c);
    if (rc) {
        link_close(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

void link_close(struct link *l)
{
    struct err e = { 0 };

    if (!l)
        return;
    /* So that the next server shows at once what this command did. If it takes longer, that server goes on with it. */
    if (l->app && sync_settle(&e, false, SETTLE_MS))
        LOG(LOG_WARN, "not_settled", L_INT("kind", e.rc));
    app_stop(l->app, STOP_MS);
    arena_free(l->mem);
}

enum rc link_call(struct link *l, struct err *e, struct arena *mem, enum method method,
                  const char *target, const char *const *headers, const void *body, size_t n,
                  struct link_answer *out)
{
    struct client_request rq = {
        .method = method_name(method),
        .url = arena_printf(mem, "%s%s", l->origin, target),
        .socket = l->socket,
        .bearer = l->bearer,
        .ca_file = l->ca_file,
        .headers = headers,
        .body = body,
        .body_len = n,
        .answer_max = ANSWER_MAX,
        .timeout_ms = TIMEOUT_MS,
    };
    enum rc rc = client_call(&rq);

    if (rc) {
        *e = rq.err;
    } else {
        out->status = rq.status;
        out->len = rq.body_in.n;
        out->body = arena_strndup(mem, rq.body_in.p, rq.body_in.n);
    }
    client_request_done(&rq);
    return rc;
}

static const struct {
    int status;
    enum rc rc;
} kinds[] = {
    { 400, RC_INVALID },      { 401, RC_UNAUTHORIZED }, { 403, RC_FORBIDDEN },
    { 404, RC_NOT_FOUND },    { 409, RC_CONFLICT },     { 410, RC_GONE },
    { 412, RC_PRECONDITION }, { 413, RC_TOO_LARGE },    { 422, RC_UNPROCESSABLE },
    { 429, RC_TOO_MANY },     { 503, RC_BUSY },         { 507, RC_FULL },
};

static enum rc kind_of(int status)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].status == status)
            return kinds[i].rc;
    return RC_INTERNAL;
}

enum rc link_problem(struct err *e, struct arena *mem, const struct link_answer *answer)
{
    enum rc rc = kind_of(answer->status);
    const char *detail = NULL, *pointer = NULL;
    struct err unread = { 0 };
    json_t *problem;

    if (!jx_object(&unread, mem, answer->body, answer->len, &problem)) {
        detail = jx_text(problem, "detail");
        pointer = jx_text(json_array_get(json_object_get(problem, "errors"), 0), "pointer");
    }
    if (!detail)
        return err_set(e, rc, "the server answered %d", answer->status);
    (void)err_set(e, rc, "%s", detail);
    snprintf(e->field, sizeof e->field, "%s", pointer ? pointer : "");
    return rc;
}
