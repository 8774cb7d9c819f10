/*
 * profile.c - files, and one exchange.
 */
#include "server/cli/profile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/http/client.h"

enum { FILE_MAX = 16384, KNOWN_MAX = 200, SOON = 60, NAME_MAX_BYTES = 40, TIMEOUT_MS = 30000 };

enum rc profile_check_name(struct err *e, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(name);

    if (n && n <= NAME_MAX_BYTES && strchr(plain, *name) && strspn(name, more) == n)
        return RC_OK;
    return err_set(e, RC_INVALID, "a profile's name has 1 to %d of a-z, 0-9, '.', '_' and '-'",
                   NAME_MAX_BYTES);
}

const char *profile_directory(struct arena *mem)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (xdg && *xdg == '/')
        return arena_printf(mem, "%s/tjzw/profiles", xdg);
    return home && *home ? arena_printf(mem, "%s/.config/tjzw/profiles", home) : NULL;
}

static enum rc find_path(struct err *e, struct arena *mem, const char *name, const char *suffix,
                         const char **out)
{
    const char *directory = profile_directory(mem);
    enum rc rc;

    if ((rc = profile_check_name(e, name)))
        return rc;
    if (!directory)
        return err_set(e, RC_INVALID,
                       "neither XDG_CONFIG_HOME nor HOME says where settings are");
    if ((rc = fs_mkdirs(e, directory, 0700)))
        return rc;
    *out = arena_printf(mem, "%s/%s%s", directory, name, suffix);
    return RC_OK;
}

enum rc profile_parse(struct err *e, struct arena *mem, const char *text, size_t n,
                      struct profile *out)
{
    static const struct jx_field members[] = {
        { "access", JX_TEXT, true, 1, 512 },    { "cacert", JX_TEXT, false, 1, 4096 },
        { "ends", JX_INT, true, 0, INT64_MAX }, { "refresh", JX_TEXT, true, 1, 512 },
        { "server", JX_TEXT, true, 1, 2048 },   { 0 }
    };
    json_t *o;
    enum rc rc;

    if ((rc = jx_object(e, mem, text, n, &o)) || (rc = jx_check(e, o, members, "")))
        return rc;
    *out = (struct profile){ .server = jx_text(o, "server"),
                             .access = jx_text(o, "access"),
                             .refresh = jx_text(o, "refresh"),
                             .cacert = jx_text(o, "cacert"),
                             .ends = jx_int(o, "ends", 0) };
    return RC_OK;
}

void profile_print(const struct profile *p, struct buf *out)
{
    buf_addc(out, '{');
    jx_put_text(out, "access", p->access);
    jx_put_text(out, "cacert", p->cacert);
    jx_put_int(out, "ends", p->ends);
    jx_put_text(out, "refresh", p->refresh);
    jx_put_text(out, "server", p->server);
    buf_adds(out, "}\n");
}

enum rc profile_read(struct err *e, struct arena *mem, const char *name, struct profile *out)
{
    const char *path;
    char *text;
    size_t n;
    enum rc rc;

    if ((rc = find_path(e, mem, name, ".json", &path)))
        return rc;
    if (!fs_exists(path))
        return err_set(e, RC_NOT_FOUND, "there is no profile \"%s\"", name);
    if ((rc = fs_read(e, mem, path, FILE_MAX, &text, &n)) ||
        (rc = profile_parse(e, mem, text, n, out)))
        return rc;
    out->name = name;
    return RC_OK;
}

enum rc profile_write(struct err *e, struct arena *mem, const struct profile *p)
{
    struct buf b = BUF_IN(mem);
    const char *path;
    enum rc rc = find_path(e, mem, p->name, ".json", &path);

    if (rc)
        return rc;
    profile_print(p, &b);
    return fs_write(e, path, b.p, b.n, 0600);
}

enum rc profile_remove(struct err *e, struct arena *mem, const char *name)
{
    const char *path, *lock;
    enum rc rc;

    if ((rc = find_path(e, mem, name, ".json", &path)) ||
        (rc = find_path(e, mem, name, ".lock", &lock)))
        return rc;
    if (unlink(path))
        return err_errno(e, "remove %s", path);
    unlink(lock);
    return RC_OK;
}

const char *profile_known(struct arena *mem, const char *name)
{
    struct err ignored;
    const char *path;
    char *text;
    size_t n;

    if (find_path(&ignored, mem, name, ".known", &path) || !fs_exists(path) ||
        fs_read(&ignored, mem, path, KNOWN_MAX, &text, &n))
        return NULL;
    return text;
}

enum rc profile_keep_known(struct err *e, struct arena *mem, const struct profile *p)
{
    const char *path;
    enum rc rc;

    if (!p->known)
        return RC_OK;
    rc = find_path(e, mem, p->name, ".known", &path);
    return rc ? rc : fs_write(e, path, p->known, strlen(p->known), 0600);
}

/* ---- the server ---- */

enum rc profile_post(struct err *e, struct arena *mem, const struct profile *p,
                     const char *path, const char *body, int *status, const char **answer)
{
    static const char *const headers[] = { "content-type: application/x-www-form-urlencoded",
                                           NULL };
    struct client_request rq = { .method = "POST",
                                 .url = arena_printf(mem, "%s%s", p->server, path),
                                 .ca_file = p->cacert,
                                 .headers = headers,
                                 .body = body,
                                 .body_len = strlen(body),
                                 .timeout_ms = TIMEOUT_MS };
    enum rc rc = client_call(&rq);

    if (rc) {
        *e = rq.err;
    } else {
        *status = rq.status;
        *answer = arena_strndup(mem, rq.body_in.n ? rq.body_in.p : "", rq.body_in.n);
    }
    client_request_done(&rq);
    return rc;
}

enum rc profile_take(struct err *e, struct arena *mem, const char *answer, struct profile *p)
{
    static const struct jx_field members[] = { { "access_token", JX_TEXT, true, 1, 512 },
                                               { "expires_in", JX_INT, true, 0, 86400 },
                                               { "refresh_token", JX_TEXT, true, 1, 512 },
                                               { "known", JX_TEXT, false, 1, KNOWN_MAX },
                                               { 0 } };
    json_t *o;

    if (jx_object(e, mem, answer, strlen(answer), &o) || jx_check_known(e, o, members, ""))
        return err_set(e, RC_CORRUPT, "%s gave an answer that is none of its kind", p->server);
    p->access = jx_text(o, "access_token");
    p->refresh = jx_text(o, "refresh_token");
    p->known = jx_text(o, "known");
    p->ends = clock_now() + jx_int(o, "expires_in", 0);
    return RC_OK;
}

/* ---- the exchange ---- */

static enum rc exchange(struct err *e, struct arena *mem, struct profile *p)
{
    struct buf body = BUF_IN(mem);
    const char *answer;
    int status;
    enum rc rc;

    buf_adds(&body, "grant_type=refresh_token&client_id=" PROFILE_CLIENT "&refresh_token=");
    buf_url(&body, p->refresh, strlen(p->refresh));
    if ((rc = profile_post(e, mem, p, "/oauth2/token", body.p, &status, &answer)))
        return rc;
    if (status == 400 || status == 401)
        return err_set(e, RC_UNAUTHORIZED, "the sign-in of profile \"%s\" is over", p->name);
    if (status != 200)
        return err_set(e, RC_BUSY, "%s answered with %d", p->server, status);
    return (rc = profile_take(e, mem, answer, p)) ? rc : profile_write(e, mem, p);
}

static bool ends_soon(const struct profile *p)
{
    return clock_now() + SOON >= p->ends;
}

enum rc profile_open(struct err *e, struct arena *mem, const char *name, struct profile *out)
{
    AUTO(closep) int lock = -1;
    const char *path;
    enum rc rc;

    if ((rc = profile_read(e, mem, name, out)) || !ends_soon(out))
        return rc;
    if ((rc = find_path(e, mem, name, ".lock", &path)))
        return rc;
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX))
        return err_errno(e, "lock %s", path);
    if ((rc = profile_read(e, mem, name, out)) || !ends_soon(out))
        return rc; /* another command was quicker */
    return exchange(e, mem, out);
}
