/*
 * visitor.c - cookies in and out, and the tokens of forms that follow from them.
 */
#include "api/visitor.h"

#include <inttypes.h>
#include <string.h>

#include "api/instance.h"
#include "server/base/id.h"
#include "server/base/secret.h"
#include "server/http/cookie.h"

enum { TOKEN_TEXT = 44, YEAR = 366 * 86400, HOUR = 3600 };

static const struct {
    const char *suffix;
    int64_t age; /* seconds; 0: until the browser is closed */
} cookies[] = {
    /* A session's cookie outlives the browser's window: how long it is good is the server's to say. */
    [VISITOR_SESSION] = { "", YEAR },       [VISITOR_OWN] = { "-own", YEAR },
    [VISITOR_FORM] = { "-form", 0 },        [VISITOR_DEVICE] = { "-device", YEAR },
    [VISITOR_STEP] = { "-step", HOUR },     [VISITOR_UPSTREAM] = { "-upstream", HOUR },
    [VISITOR_SURVEY] = { "-survey", YEAR },
};

static const char *name_of(struct arena *mem, const struct request *rq, enum visitor_cookie c)
{
    return arena_printf(mem, "%s%s", cookie_name(rq->secure), cookies[c].suffix);
}

const char *visitor_cookie(struct arena *mem, const struct request *rq, enum visitor_cookie c)
{
    struct cookie found = { 0 };
    int n = 0;

    cookie_find(rq->cookies, strlen(rq->cookies), name_of(mem, rq, c), &found, &n);
    return n == 1 && found.n ? arena_strndup(mem, found.value, found.n) : NULL;
}

void visitor_set(struct work *w, const struct request *rq, struct reply *rp,
                 enum visitor_cookie c, const char *value)
{
    const char *name = name_of(w->mem, rq, c), *secure = rq->secure ? "; Secure" : "";
    int64_t age = value ? cookies[c].age : 0;
    const char *life = value && !age ? "" : arena_printf(w->mem, "; Max-Age=%" PRId64, age);

    reply_header(rp, "set-cookie",
                 arena_printf(w->mem, "%s=%s; Path=/%s; HttpOnly; SameSite=Lax%s", name,
                              value ? value : "", secure, life));
}

/* ---- forms ---- */

static const char *text_of(struct arena *mem, const uint8_t bytes[32])
{
    char *text = arena_alloc(mem, TOKEN_TEXT);

    (void)b64url_text(bytes, 32, text, TOKEN_TEXT);
    return text;
}

static const char *token_of(struct arena *mem, const char *secret, const char *path)
{
    uint8_t key[32], mac[32];

    secret_mac(NULL, secret, strlen(secret), key);
    secret_mac(key, path, strlen(path), mac);
    secret_wipe(key, sizeof key);
    return text_of(mem, mac);
}

/* A cookie that opens nothing any more is no secret: whoever took it once may know it. */
static const char *secret_of(const struct work *w, const struct request *rq)
{
    return visitor_cookie(w->mem, rq, w->who.session ? VISITOR_SESSION : VISITOR_FORM);
}

/* What this very answer gives the browser already: a page has many forms and one secret. NULL: nothing yet. */
static const char *given(struct work *w, const struct request *rq, const struct reply *rp,
                         enum visitor_cookie c)
{
    const char *name = name_of(w->mem, rq, c);
    size_t n = strlen(name);

    for (int i = 0; i < rp->nextra; i++) {
        const char *value = rp->extra[i].value;

        if (!strcmp(rp->extra[i].name, "set-cookie") && !strncmp(value, name, n) &&
            value[n] == '=')
            return arena_strndup(w->mem, value + n + 1, strcspn(value + n + 1, ";"));
    }
    return NULL;
}

const char *visitor_token(struct work *w, const struct request *rq, struct reply *rp,
                          const char *path)
{
    const char *secret = secret_of(w, rq);
    uint8_t fresh[32];

    if (!secret && !(secret = given(w, rq, rp, VISITOR_FORM))) {
        secret_random(fresh, sizeof fresh);
        secret = text_of(w->mem, fresh);
        visitor_set(w, rq, rp, VISITOR_FORM, secret);
    }
    return token_of(w->mem, secret, path);
}

/* As it reaches us, or as the operator says it does. What a page of another site sends names that site. */
static bool is_our_origin(struct arena *mem, const struct request *rq, const char *origin)
{
    const char *public = instance()->public_url;
    const char *here = arena_printf(mem, "%s://%s", rq->secure ? "https" : "http", rq->host);

    return (*public && !strcmp(origin, public)) || (*rq->host && !strcmp(origin, here));
}

static bool is_from_here(struct arena *mem, const struct request *rq)
{
    if (rq->origin && !is_our_origin(mem, rq, rq->origin))
        return false;
    return !rq->fetch_site || !strcmp(rq->fetch_site, "same-origin") ||
           !strcmp(rq->fetch_site, "none");
}

enum rc visitor_check(struct work *w, const struct request *rq, const struct form *f)
{
    const char *secret = secret_of(w, rq), *token = form_text(f, "token"), *right;

    if (!is_from_here(w->mem, rq))
        return err_set(&w->err, RC_FORBIDDEN, "this form was sent from another site");
    right = secret ? token_of(w->mem, secret, rq->path) : NULL;
    if (!right || !token || strlen(token) != strlen(right) ||
        !secret_equal(token, right, strlen(right)))
        return err_set(&w->err, RC_FORBIDDEN,
                       "this form was not filled in on a page of this session");
    return RC_OK;
}

enum rc visitor_read(struct work *w, const struct request *rq, struct form *out)
{
    enum rc rc = form_parse(&w->err, w->mem, rq->body, rq->body_len, out);

    return rc ? rc : visitor_check(w, rq, out);
}

enum rc visitor_read_lines(struct work *w, const struct request *rq, struct form *out)
{
    enum rc rc = form_parse_lines(&w->err, w->mem, rq->body, rq->body_len, out);

    return rc ? rc : visitor_check(w, rq, out);
}

/* ---- what it is called ---- */

const char *visitor_device(struct arena *mem, const struct request *rq)
{
    /* The first that is named: each calls itself by those behind it too. */
    static const char *const systems[][2] = {
        { "HarmonyOS", "鸿蒙" },     { "OpenHarmony", "鸿蒙" }, { "iPhone", "iPhone" },
        { "iPad", "iPad" },          { "Android", "安卓" },     { "Windows", "Windows" },
        { "Macintosh", "苹果电脑" }, { "Linux", "Linux" },
    };
    static const char *const programs[][2] = {
        { "MicroMessenger", "微信" }, { "Edg", "Edge" },      { "OPR/", "Opera" },
        { "Firefox", "Firefox" },     { "Chrome", "Chrome" }, { "Safari", "Safari" },
    };
    const char *agent = rq->user_agent ? rq->user_agent : "", *system = NULL, *program = NULL;

    for (size_t i = 0; i < sizeof systems / sizeof *systems && !system; i++)
        if (strstr(agent, systems[i][0]))
            system = systems[i][1];
    for (size_t i = 0; i < sizeof programs / sizeof *programs && !program; i++)
        if (strstr(agent, programs[i][0]))
            program = programs[i][1];
    return arena_printf(mem, "%s%s%s", system ? system : "", system ? " 上的 " : "",
                        program ? program : "浏览器");
}
