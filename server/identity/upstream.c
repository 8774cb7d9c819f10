/*
 * upstream.c - the files of upstreams, read strictly: a member that nobody knows is an error, and so is a level that is none.
 *
 *     {"kind": "oidc", "label": "天津政务一网通", "issuer": "https://id.example.cn", "client": "tjzw",
 *      "scopes": ["openid", "profile", "phone"], "userinfo": true,
 *      "claims": {"name": "real_name", "phone": "mobile", "level": "acr"}, "levels": {"LOA3": 3, "LOA4": 4}, "level_max": 4}
 *     {"kind": "wechat_mini", "label": "微信小程序", "client": "wx0123456789abcdef"}
 */
#include "server/identity/upstream.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/base/secret.h"
#include "server/base/url.h"
#include "server/identity/account.h"

enum { FILE_MAX = 16384, SECRET_MAX = 512, WECHAT_LEVEL = 1 };

/* ---- what may stand in a file ---- */

static const struct jx_field head[] = { { "kind", JX_TEXT, true, 1, 20 }, { 0 } };

static const struct jx_field oidc_members[] = {
    { "kind", JX_TEXT, true, 1, 20 },
    { "label", JX_TEXT, true, 1, 40 },
    { "client", JX_TEXT, true, 1, 200 },
    { "issuer", JX_TEXT, true, 9, UPSTREAM_URL_MAX },
    { "endpoints", JX_OBJECT, false },
    { "scopes", JX_TEXTS, false, 1, 16 },
    { "auth", JX_TEXT, false, 1, 10 },
    { "userinfo", JX_BOOL, false },
    { "claims", JX_OBJECT, false },
    { "levels", JX_OBJECT, false },
    { "level", JX_INT, false, 1, ACCOUNT_LEVEL_MAX },
    { "level_max", JX_INT, false, 1, ACCOUNT_LEVEL_MAX },
    { "trusts_phone", JX_BOOL, false },
    { "redirects", JX_TEXTS, false, 0, UPSTREAM_REDIRECTS_MAX },
    { "private", JX_BOOL, false },
    { "ca", JX_TEXT, false, 1, UPSTREAM_URL_MAX },
    { 0 },
};

static const struct jx_field wechat_members[] = {
    { "kind", JX_TEXT, true, 1, 20 },
    { "label", JX_TEXT, true, 1, 40 },
    { "client", JX_TEXT, true, 1, 32 },
    { "endpoints", JX_OBJECT, false },
    { "scopes", JX_TEXTS, false, 1, 1 },
    { "redirects", JX_TEXTS, false, 0, UPSTREAM_REDIRECTS_MAX },
    { "private", JX_BOOL, false },
    { "ca", JX_TEXT, false, 1, UPSTREAM_URL_MAX },
    { 0 },
};

static const struct jx_field endpoint_members[] = {
    { "authorize", JX_TEXT, false, 9, UPSTREAM_URL_MAX },
    { "token", JX_TEXT, true, 9, UPSTREAM_URL_MAX },
    { "keys", JX_TEXT, false, 9, UPSTREAM_URL_MAX },
    { "userinfo", JX_TEXT, false, 9, UPSTREAM_URL_MAX },
    { 0 },
};

static const struct jx_field claim_members[] = { { "sub", JX_TEXT, false, 1, 64 },
                                                 { "name", JX_TEXT, false, 1, 64 },
                                                 { "phone", JX_TEXT, false, 1, 64 },
                                                 { "level", JX_TEXT, false, 1, 64 },
                                                 { 0 } };

/* WeChat's own addresses, as its documentation has them (developers.weixin.qq.com, 2026-11): a file may name others, for a test. */
static const struct wechat {
    const char *scope;
    struct upstream_endpoints at;
} wechat_web = { "snsapi_login",
                 { .authorize = "https://open.weixin.qq.com/connect/qrconnect",
                   .token = "https://api.weixin.qq.com/sns/oauth2/access_token" } },
  wechat_account = { "snsapi_base",
                     { .authorize = "https://open.weixin.qq.com/connect/oauth2/authorize",
                       .token = "https://api.weixin.qq.com/sns/oauth2/access_token" } },
  wechat_mini = { "", { .token = "https://api.weixin.qq.com/sns/jscode2session" } };

/* ---- one file ---- */

bool upstream_is_url(const char *text)
{
    size_t n;

    if (strncmp(text, "https://", 8) != 0 || strlen(text) > UPSTREAM_URL_MAX)
        return false;
    for (const char *p = text; *p; p++)
        if (*p < 0x21 || *p > 0x7e || strchr("\"<>\\^`{|}@#", *p))
            return false;
    url_host(text, &n);
    return n > 0;
}

static enum rc read_endpoints(struct err *e, const json_t *o, struct upstream *u)
{
    const struct {
        const char *name, **to;
    } urls[] = { { "authorize", &u->at.authorize },
                 { "token", &u->at.token },
                 { "keys", &u->at.keys },
                 { "userinfo", &u->at.userinfo } };
    enum rc rc;

    if (!o)
        return RC_OK;
    if ((rc = jx_check(e, o, endpoint_members, "/endpoints")))
        return rc;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const char *url = jx_text(o, urls[i].name);

        if (url && !upstream_is_url(url))
            return err_field(e, "/endpoints", "%s should be an https URL", urls[i].name);
        if (url)
            *urls[i].to = url;
    }
    return RC_OK;
}

static enum rc read_levels(struct err *e, const json_t *o, struct upstream *u)
{
    const char *said;
    json_t *level;

    json_object_foreach((json_t *)(uintptr_t)o, said, level)
    {
        int64_t number = json_integer_value(level);

        if (!json_is_integer(level) || number < 1 || number > ACCOUNT_LEVEL_MAX ||
            u->nlevels == UPSTREAM_LEVELS_MAX)
            return err_field(e, "/levels", "at most %d, each 1 to %d", UPSTREAM_LEVELS_MAX,
                             ACCOUNT_LEVEL_MAX);
        u->levels[u->nlevels].said = said;
        u->levels[u->nlevels++].level = (int)number;
    }
    return RC_OK;
}

/* An app's address may have a scheme of its own (RFC 8252): compared byte for byte, and only ever handed on to the upstream. */
static enum rc read_redirects(struct err *e, const json_t *list, struct upstream *u)
{
    size_t i;
    json_t *v;

    json_array_foreach((json_t *)(uintptr_t)list, i, v)
    {
        const char *text = json_string_value(v);

        if (!strchr(text, ':') || strlen(text) > UPSTREAM_URL_MAX || strpbrk(text, " #\"\\"))
            return err_field(e, "/redirects", "each should be an address without fragment");
        u->redirects[u->nredirects++] = text;
    }
    return RC_OK;
}

static const char *join(struct arena *mem, const json_t *list)
{
    struct buf b = BUF_IN(mem);
    size_t i;
    json_t *v;

    json_array_foreach((json_t *)(uintptr_t)list, i, v)
        buf_printf(&b, "%s%s", i ? " " : "", json_string_value(v));
    return b.p;
}

static enum rc read_oidc(struct err *e, const json_t *o, struct upstream *u)
{
    const json_t *claims = json_object_get(o, "claims");
    const char *auth = jx_text(o, "auth");
    enum rc rc;

    if (claims && (rc = jx_check(e, claims, claim_members, "/claims")))
        return rc;
    u->issuer = jx_text(o, "issuer");
    if (!upstream_is_url(u->issuer) || strchr(u->issuer, '?'))
        return err_field(e, "/issuer", "issuer should be an https URL without a query");
    if (auth && strcmp(auth, "basic") && strcmp(auth, "post"))
        return err_field(e, "/auth", "auth should be basic or post");
    u->post = auth && !strcmp(auth, "post");
    u->scope = u->scope ? u->scope : "openid";
    if (!strstr(u->scope, "openid"))
        return err_field(e, "/scopes", "scopes should hold openid");
    u->claims.sub = jx_text(claims, "sub") ? jx_text(claims, "sub") : "sub";
    u->claims.name = jx_text(claims, "name");
    u->claims.phone = jx_text(claims, "phone");
    u->claims.level = jx_text(claims, "level");
    u->level = (int)jx_int(o, "level", 1);
    u->level_max = (int)jx_int(o, "level_max", ACCOUNT_LEVEL_MAX);
    u->trusts_phone = jx_bool(o, "trusts_phone", false);
    u->userinfo = jx_bool(o, "userinfo", false);
    if ((rc = read_levels(e, json_object_get(o, "levels"), u)))
        return rc;
    if (u->at.token && (!u->at.authorize || !u->at.keys || (u->userinfo && !u->at.userinfo)))
        return err_field(
            e, "/endpoints",
            "authorize, token, keys, and userinfo if it is to be asked: all or none");
    return RC_OK;
}

static enum rc read_wechat(struct err *e, const json_t *o, struct upstream *u)
{
    bool scan = !u->scope || !strcmp(u->scope, wechat_web.scope);
    const struct wechat *w = u->kind == UPSTREAM_WECHAT_MINI ? &wechat_mini
                             : scan                          ? &wechat_web
                                                             : &wechat_account;

    (void)o;
    if (!u->secret)
        return err_set(e, RC_INVALID, "its AppSecret is missing: a file %s.secret", u->name);
    if (strpbrk(u->client, ":/ "))
        return err_field(e, "/client", "client should be an appid");
    u->scope = u->scope ? u->scope : w->scope;
    u->at.authorize = u->at.authorize ? u->at.authorize : w->at.authorize;
    u->at.token = u->at.token ? u->at.token : w->at.token;
    u->level = u->level_max = WECHAT_LEVEL;
    return RC_OK;
}

static const struct {
    const char *word;
    const struct jx_field *members;
    enum rc (*read)(struct err *e, const json_t *o, struct upstream *u);
} kinds[] = {
    [UPSTREAM_OIDC] = { "oidc", oidc_members, read_oidc },
    [UPSTREAM_WECHAT_OAUTH] = { "wechat_oauth", wechat_members, read_wechat },
    [UPSTREAM_WECHAT_MINI] = { "wechat_mini", wechat_members, read_wechat },
};

static enum rc find_kind(struct err *e, const json_t *o, enum upstream_kind *out)
{
    const char *word = jx_text(o, "kind");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].word, word)) {
            *out = (enum upstream_kind)i;
            return RC_OK;
        }
    return err_field(e, "/kind", "kind should be oidc, wechat_oauth or wechat_mini");
}

enum rc upstream_read(struct err *e, struct arena *mem, const char *name, const char *text,
                      size_t n, const char *secret, struct upstream *out)
{
    struct upstream u = { .name = arena_strdup(mem, name),
                          .secret = arena_strdup(mem, secret) };
    const json_t *scopes;
    json_t *o;
    enum rc rc;

    if ((rc = jx_object(e, mem, text, n, &o)) || (rc = jx_check_known(e, o, head, "")) ||
        (rc = find_kind(e, o, &u.kind)) || (rc = jx_check(e, o, kinds[u.kind].members, "")) ||
        (rc = read_endpoints(e, json_object_get(o, "endpoints"), &u)) ||
        (rc = read_redirects(e, json_object_get(o, "redirects"), &u)))
        return rc;
    u.label = jx_text(o, "label");
    u.client = jx_text(o, "client");
    u.private_net = jx_bool(o, "private", false);
    u.ca = jx_text(o, "ca");
    scopes = json_object_get(o, "scopes");
    u.scope = scopes ? join(mem, scopes) : NULL;
    if ((rc = kinds[u.kind].read(e, o, &u)))
        return rc;
    *out = u;
    return RC_OK;
}

/* ---- all files ---- */

static struct {
    struct arena *mem;
    struct upstream list[UPSTREAMS_MAX];
    int n;
} known;

static bool is_name(const char *s, size_t n)
{
    return n > 0 && n <= UPSTREAM_NAME_MAX &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

static enum rc read_secret(struct err *e, const char *path, const char **out)
{
    struct stat st;
    char *text;
    size_t n;
    enum rc rc;

    *out = NULL;
    if (stat(path, &st))
        return RC_OK;
    if (st.st_mode & 077)
        return err_set(e, RC_INVALID, "%s may be read by others (mode %03o): chmod 600", path,
                       (unsigned)st.st_mode & 0777);
    if ((rc = fs_read(e, known.mem, path, SECRET_MAX, &text, &n)))
        return rc;
    text[strcspn(text, "\r\n")] = '\0';
    if (!*text)
        return err_set(e, RC_INVALID, "%s is empty", path);
    *out = text;
    return RC_OK;
}

static enum rc add(struct err *e, const char *dir, const char *file)
{
    const char *path = arena_printf(known.mem, "%s/%s", dir, file),
               *name = arena_strndup(known.mem, file, strlen(file) - strlen(".json"));
    struct upstream *u = &known.list[known.n];
    const char *secret;
    struct err why = { 0 };
    char *text;
    size_t n;
    enum rc rc;

    if (!is_name(name, strlen(name)))
        return err_set(e, RC_INVALID, "%s: a name has a-z, 0-9 and -, at most %d", path,
                       UPSTREAM_NAME_MAX);
    if (known.n == UPSTREAMS_MAX)
        return err_set(e, RC_INVALID, "%s holds more than %d upstreams", dir, UPSTREAMS_MAX);
    if ((rc = read_secret(e, arena_printf(known.mem, "%s/%s.secret", dir, name), &secret)) ||
        (rc = fs_read(e, known.mem, path, FILE_MAX, &text, &n)))
        return rc;
    if ((rc = upstream_read(&why, known.mem, name, text, n, secret, u)))
        return err_set(e, rc, "%.200s: %s%s%.200s", path, why.field, *why.field ? ": " : "",
                       why.text);
    if (u->ca && *u->ca != '/')
        u->ca = arena_printf(known.mem, "%s/%s", dir, u->ca);
    u->no = known.n++;
    return RC_OK;
}

static int is_json(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".json");
}

enum rc upstreams_open(struct err *e, const char *data, const char *dir)
{
    struct dirent **files;
    enum rc rc = RC_OK;
    int n;

    upstreams_close();
    known.mem = arena_new();
    if (*dir != '/')
        dir = arena_printf(known.mem, "%s/%s", data, dir);
    if (!fs_exists(dir))
        return RC_OK;
    if ((n = scandir(dir, &files, is_json, alphasort)) < 0)
        return err_errno(e, "read %s", dir);
    for (int i = 0; i < n; i++) {
        if (!rc)
            rc = add(e, dir, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    return rc;
}

void upstreams_close(void)
{
    for (int i = 0; i < known.n; i++)
        if (known.list[i].secret)
            secret_wipe((char *)(uintptr_t)known.list[i].secret, strlen(known.list[i].secret));
    arena_free(known.mem);
    known.mem = NULL;
    known.n = 0;
}

bool upstream_takes(const struct upstream *u, const char *redirect)
{
    for (int i = 0; i < u->nredirects; i++)
        if (!strcmp(u->redirects[i], redirect))
            return true;
    return false;
}

int upstreams_count(void)
{
    return known.n;
}

const struct upstream *upstream_at(int no)
{
    return no >= 0 && no < known.n ? &known.list[no] : NULL;
}

const struct upstream *upstream_find(const char *name)
{
    for (int i = 0; i < known.n; i++)
        if (!strcmp(known.list[i].name, name))
            return &known.list[i];
    return NULL;
}
