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
#include <time.h>
#include <unistd.h>

#include "server/app.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/cli/profile.h"
#include "server/http/client.h"
#include "server/store/db.h"
#include "sync/live.h"

enum {
    TIMEOUT_MS = 120000,
    ANSWER_MAX = 64 << 20,
    LISTEN_MS = 24 * 3600 * 1000,
    STOP_MS = 2000,
    SETTLE_MS = 60000,
    WAIT_MS = 5000,
    RETRY_MS = 100,
    PATIENCE_S = 120
};

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

static enum rc open_profile(struct link *l, struct err *e, const char *name)
{
    struct profile p;
    enum rc rc = profile_open(e, l->mem, name, &p);

    if (rc)
        return rc;
    l->origin = p.server;
    l->bearer = p.access;
    l->ca_file = p.cacert;
    return RC_OK;
}

static bool is_answering(struct link *l)
{
    struct client_request rq = { .method = "GET",
                                 .url = "http://localhost/healthz",
                                 .socket = l->socket,
                                 .timeout_ms = RETRY_MS };
    enum rc rc = client_call(&rq);

    client_request_done(&rq);
    return rc == RC_OK;
}

/*
 * Whoever holds the lock has the admin socket; if nobody does, we take both. A server that starts or stops, or another command, holds the
 * one without the other for a moment: that is worth waiting for.
 */
static enum rc open_local(struct link *l, struct err *e, const struct conf *c, bool may_found)
{
    int64_t until = clock_mono_us() + WAIT_MS * 1000;
    enum rc rc;

    l->origin = "http://localhost";
    l->socket = arena_printf(l->mem, "%s/admin.sock", c->data);
    if (!may_found && !fs_exists(arena_printf(l->mem, "%s/" DB_NAME, c->data)))
        return err_set(e, RC_NOT_FOUND,
                       "there is no library in %s; tjzw serve or tjzw import makes one",
                       c->data);
    log_set_level(LOG_ERROR);
    for (;;) {
        rc = app_start(e, c, NULL, false, false, &l->app);
        if (rc != RC_CONFLICT || is_answering(l))
            return rc == RC_CONFLICT ? RC_OK : rc;
        if (clock_mono_us() > until)
            return rc;
        clock_sleep_ms(RETRY_MS);
    }
}

/* What only --server has a use for is not passed over: whoever gave it believes that it counts. */
static enum rc check_options(struct err *e, const struct args *a)
{
    bool own = false;

    if (arg_text(a, "profile", NULL))
        return arg_text(a, "data", NULL) || arg_text(a, "server", NULL)
                   ? err_set(e, RC_INVALID, "--profile excludes --data and --server")
                   : RC_OK;
    if (arg_text(a, "server", NULL))
        return arg_text(a, "data", NULL)
                   ? err_set(e, RC_INVALID, "--server and --data exclude each other")
                   : RC_OK;
    if (!arg_text(a, "cacert", NULL))
        return RC_OK;
    for (const struct opt *o = a->command->opts; o->name; o++)
        own |= strcmp(o->name, "ca") == 0;
    return err_set(e, RC_INVALID, "--cacert is for --server%s",
                   own ? "; for the server that is to be mirrored it is --ca FILE" : "");
}

enum rc link_open(struct err *e, const struct args *a, const struct conf *c, bool may_found,
                  struct link **out)
{
    struct arena *mem = arena_new();
    struct link *l = arena_zalloc(mem, sizeof *l);
    enum rc rc;

    l->mem = mem;
    rc = check_options(e, a);
    if (!rc && arg_text(a, "profile", NULL))
        rc = open_profile(l, e, arg_text(a, "profile", NULL));
    else if (!rc)
        rc =
            arg_text(a, "server", NULL) ? open_remote(l, e, a) : open_local(l, e, c, may_found);
    if (rc) {
        link_close(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

/* So that the next server shows at once what this command did. If it takes longer, that server goes on with it. */
static void settle(void)
{
    struct err e = { 0 };

    if (isatty(STDERR_FILENO))
        fputs("making it ready for phones …\r", stderr);
    if (sync_settle(&e, false, SETTLE_MS))
        LOG(LOG_WARN, "not_settled", L_STR("kind", rc_name(e.rc)));
    if (isatty(STDERR_FILENO))
        fputs("\033[K", stderr);
}

void link_close(struct link *l)
{
    if (!l)
        return;
    if (l->app)
        settle();
    app_stop(l->app, STOP_MS);
    arena_free(l->mem);
}

int link_command(const struct args *a, bool may_found, const char *failed,
                 int (*run)(const struct args *a, struct link *l, struct arena *mem))
{
    struct arena *mem = arena_new();
    struct link *l = NULL;
    struct err e = { 0 };
    struct conf c;
    int code;

    if (!(code = cli_conf(a, &c))) {
        code = link_open(&e, a, &c, may_found, &l) ? cli_fail(&e, failed, link_hint(&e))
                                                   : run(a, l, mem);
        link_close(l);
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}

/* Once is enough: an import asks often. */
static void tell_tried(void)
{
    static bool told;

    if (!told)
        fputs("tjzw: a test or team key: this was only tried, and nothing is changed; what it "
              "would have shown: tjzw sandbox\n",
              stderr);
    told = true;
}

/* Seconds of a Retry-After header; 0 without one. */
static int64_t retry_after(const struct client_request *rq)
{
    char text[32];
    int64_t seconds = strtoll(client_header(rq, "retry-after", text, sizeof text), NULL, 10);

    return seconds < 0 ? 0 : seconds;
}

static enum rc call_once(struct err *e, struct arena *mem, struct client_request *rq,
                         struct link_answer *out, int64_t *wait)
{
    enum rc rc = client_call(rq);
    char text[8];

    *wait = 0;
    if (rc) {
        *e = rq->err;
    } else {
        if (!strcmp(client_header(rq, "sandbox", text, sizeof text), "true"))
            tell_tried();
        out->status = rq->status;
        out->len = rq->body_in.n;
        out->body = arena_strndup(mem, rq->body_in.p, rq->body_in.n);
        if (rq->status == 429 || rq->status == 503)
            *wait = retry_after(rq);
    }
    client_request_done(rq);
    return rc;
}

enum rc link_call(struct link *l, struct err *e, struct arena *mem, enum method method,
                  const char *target, const char *const *headers, const void *body, size_t n,
                  struct link_answer *out)
{
    int64_t wait = 0, waited = 0;
    enum rc rc;

    do {
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

        clock_sleep_ms(wait * 1000);
        waited += wait;
        rc = call_once(e, mem, &rq, out, &wait);
    } while (!rc && wait && waited + wait <= PATIENCE_S);
    return rc;
}

enum rc link_listen(struct link *l, struct err *e, struct arena *mem, const char *target,
                    bool (*heard)(void *arg, struct buf *body_in), void *arg,
                    struct link_answer *out)
{
    struct client_request rq = { .method = "GET",
                                 .url = arena_printf(mem, "%s%s", l->origin, target),
                                 .socket = l->socket,
                                 .bearer = l->bearer,
                                 .ca_file = l->ca_file,
                                 .answer_max = ANSWER_MAX,
                                 .timeout_ms = LISTEN_MS,
                                 .heard = heard,
                                 .heard_arg = arg };
    enum rc rc = client_call(&rq);

    *e = rq.err;
    out->status = rq.status;
    out->len = rq.body_in.n;
    out->body = arena_strndup(mem, rq.body_in.p ? rq.body_in.p : "", rq.body_in.n);
    client_request_done(&rq);
    return rc && out->status != 200 ? rc : RC_OK;
}

static const struct {
    int status;
    enum rc rc;
} kinds[] = {
    { 400, RC_INVALID },      { 401, RC_UNAUTHORIZED },  { 403, RC_FORBIDDEN },
    { 404, RC_NOT_FOUND },    { 409, RC_CONFLICT },      { 410, RC_GONE },
    { 412, RC_PRECONDITION }, { 413, RC_TOO_LARGE },     { 415, RC_INVALID },
    { 431, RC_INVALID },      { 422, RC_UNPROCESSABLE }, { 429, RC_TOO_MANY },
    { 503, RC_BUSY },         { 507, RC_FULL },
};

static enum rc kind_of(int status)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].status == status)
            return kinds[i].rc;
    return RC_INTERNAL;
}

/* What the status alone does not tell: a 403 that no right mends, a 422 that is about the text. */
static enum rc kind_of_problem(const char *type, enum rc rc)
{
    static const struct {
        const char *type;
        enum rc rc;
    } special[] = { { "/problems/read-only", RC_READ_ONLY },
                    { "/problems/device", RC_UNLISTED },
                    { "/problems/unfit", RC_UNFIT } };

    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (!strcmp(special[i].type, type))
            return special[i].rc;
    return rc;
}

enum rc link_problem(struct err *e, struct arena *mem, const struct link_answer *answer)
{
    enum rc rc = kind_of(answer->status);
    const char *detail = NULL, *pointer = NULL, *type;
    struct err unread = { 0 };
    json_t *problem;

    if (!jx_object(&unread, mem, answer->body, answer->len, &problem)) {
        detail = jx_text(problem, "detail");
        type = jx_text(problem, "type");
        rc = kind_of_problem(type ? type : "", rc);
        pointer = jx_text(json_array_get(json_object_get(problem, "errors"), 0), "pointer");
    }
    if (!detail)
        return err_set(e, rc, "the server answered %d", answer->status);
    (void)err_set(e, rc, "%s", detail);
    snprintf(e->field, sizeof e->field, "%s", pointer ? pointer : "");
    return rc;
}

const char *link_hint(const struct err *e)
{
    if (strstr(e->text, "certificate"))
        return "trust a self-signed one with --cacert DIR/keys/tls-cert.pem, copied from the "
               "server";
    if (strstr(e->text, " belongs to ")) /* user.h: it says the way out itself */
        return NULL;
    switch (e->rc) {
    case RC_UNAUTHORIZED:
        return "sign in with tjzw login --profile NAME --server URL, or name a file with a "
               "valid key with "
               "--token-file (tjzw parties key ID)";
    case RC_FORBIDDEN:
        return "the right is missing: a program's is given with tjzw parties edit --rights …, "
               "a person's with tjzw roles grant";
    case RC_UNLISTED:
        return "这台设备不在工作人员的设备名单里：请把编号告诉系统管理员，由他登记（tjzw "
               "devices add）";
    case RC_READ_ONLY: return "change it at the server that publishes it: --server URL";
    case RC_IO: return "is the server running, and is its address right?";
    case RC_NOT_FOUND: return "name what exists with --data or --token-file";
    case RC_CONFLICT: return "stop the other program, or choose another --data";
    default: return NULL;
    }
}
