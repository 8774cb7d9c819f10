/*
 * login.c - `tjzw login`, `logout`, `profiles`: a member of staff at a server elsewhere (RFC 8628).
 *
 *     we        POST /oauth2/device    -->  an address, eight letters
 *     he        opens the address in a browser, signs in as always, enters the letters, allows it
 *     we        POST /oauth2/token, every five seconds or as slowly as we are told  -->  tokens, kept as a profile
 *
 * No password is ever typed here.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/qr.h"
#include "server/cli/commands.h"
#include "server/cli/profile.h"

enum { SLOWER = 5, PAUSE_MAX = 60 };

struct device {
    const char *code, *user, *address, *whole; /* `whole`: the address with the letters in it */
    int64_t expires, pause;                    /* seconds */
};

static const char mend[] =
    "the server is named with --server URL, its own certificates with --cacert FILE";

static enum rc begin(struct err *e, struct arena *mem, const struct profile *p,
                     struct device *out)
{
    static const struct jx_field members[] = { { "device_code", JX_TEXT, true, 1, 200 },
                                               { "user_code", JX_TEXT, true, 1, 40 },
                                               { "verification_uri", JX_TEXT, true, 1, 500 },
                                               { "verification_uri_complete", JX_TEXT, true, 1,
                                                 500 },
                                               { "expires_in", JX_INT, true, 1, 3600 },
                                               { "interval", JX_INT, true, 1, PAUSE_MAX },
                                               { 0 } };
    const char *answer;
    json_t *o;
    int status;
    enum rc rc;

    if ((rc = profile_post(e, mem, p, "/oauth2/device",
                           "client_id=" PROFILE_CLIENT "&scope=openid%20offline_access",
                           &status, &answer)))
        return rc;
    if (status != 200)
        return err_set(e, RC_INVALID, "%s answered with %d: it lets no command line sign in",
                       p->server, status);
    if (jx_object(e, mem, answer, strlen(answer), &o) || jx_check_known(e, o, members, ""))
        return err_set(e, RC_CORRUPT, "%s gave an answer that is none of its kind", p->server);
    *out = (struct device){ .code = jx_text(o, "device_code"),
                            .user = jx_text(o, "user_code"),
                            .address = jx_text(o, "verification_uri"),
                            .whole = jx_text(o, "verification_uri_complete"),
                            .expires = jx_int(o, "expires_in", 0),
                            .pause = jx_int(o, "interval", 0) };
    return RC_OK;
}

static void show(struct arena *mem, const struct device *d)
{
    struct buf square = BUF_IN(mem);
    struct err ignored;

    printf("在浏览器里打开  %s\n输入            %s\n", d->address, d->user);
    if (isatty(STDOUT_FILENO) && !qr_terminal(&ignored, &square, d->whole))
        printf("或者扫码：\n%s", square.p);
    printf("等待您在那里登录并同意 …\n");
    fflush(stdout);
}

static const char *error_of(struct arena *mem, const char *answer)
{
    struct err ignored;
    json_t *o;

    return jx_object(&ignored, mem, answer, strlen(answer), &o) || !jx_text(o, "error")
               ? ""
               : jx_text(o, "error");
}

/* RC_BUSY: not yet. */
static enum rc ask_once(struct err *e, struct arena *mem, struct profile *p, struct device *d)
{
    static const struct {
        const char *error, *words;
        enum rc rc;
    } ends[] = { { "access_denied", "the person refused", RC_FORBIDDEN },
                 { "expired_token", "nobody answered in time", RC_GONE },
                 { "invalid_grant", "the server does not know this sign-in any more",
                   RC_GONE } };
    const char *answer, *error, *known = profile_known(mem, p->name);
    struct buf body = BUF_IN(mem);
    int status;
    enum rc rc;

    buf_adds(&body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_"
                    "id=" PROFILE_CLIENT "&device_code=");
    buf_url(&body, d->code, strlen(d->code));
    if (known) {
        buf_adds(&body, "&known=");
        buf_url(&body, known, strlen(known));
    }
    if ((rc = profile_post(e, mem, p, "/oauth2/token", body.p, &status, &answer)))
        return rc == RC_IO ? RC_BUSY : rc; /* it is asked again, more slowly or never */
    if (status == 200)
        return profile_take(e, mem, answer, p);
    error = error_of(mem, answer);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (!strcmp(ends[i].error, error))
            return err_set(e, ends[i].rc, "%s", ends[i].words);
    if (!strcmp(error, "slow_down") && d->pause < PAUSE_MAX)
        d->pause += SLOWER;
    return RC_BUSY;
}

static enum rc wait_for_it(struct err *e, struct arena *mem, struct profile *p,
                           struct device *d)
{
    int64_t until = clock_mono_us() + d->expires * 1000000;
    enum rc rc = RC_BUSY;

    while (rc == RC_BUSY && clock_mono_us() < until) {
        clock_sleep_ms(d->pause * 1000);
        rc = ask_once(e, mem, p, d);
    }
    return rc == RC_BUSY ? err_set(e, RC_GONE, "nobody answered in time") : rc;
}

static enum rc log_in(struct err *e, struct arena *mem, const struct args *a)
{
    char *server = arena_strdup(mem, arg_text(a, "server", ""));
    struct profile p = { .name = arg_text(a, "profile", ""),
                         .server = server,
                         .cacert = arg_text(a, "cacert", NULL) };
    struct device d = { 0 };
    enum rc rc;

    for (size_t n = strlen(server); n && server[n - 1] == '/';)
        server[--n] = '\0';
    if ((rc = profile_check_name(e, p.name)) || (rc = begin(e, mem, &p, &d)))
        return rc;
    show(mem, &d);
    if ((rc = wait_for_it(e, mem, &p, &d)) || (rc = profile_write(e, mem, &p)) ||
        (rc = profile_keep_known(e, mem, &p)))
        return rc;
    printf("已登录 %s，记为 %s\n  例如：tjzw site list --profile %s\n", p.server, p.name,
           p.name);
    return RC_OK;
}

/* The server ends the session; if it cannot be reached, the file goes all the same and the session ends by itself. */
static enum rc log_out(struct err *e, struct arena *mem, const struct args *a)
{
    const char *name = arg_text(a, "profile", ""), *answer;
    struct buf body = BUF_IN(mem);
    struct profile p;
    struct err far = { 0 };
    int status = 0;
    enum rc rc;

    if ((rc = profile_read(e, mem, name, &p)))
        return rc;
    buf_adds(&body, "client_id=" PROFILE_CLIENT "&token_type_hint=refresh_token&token=");
    buf_url(&body, p.refresh, strlen(p.refresh));
    if (profile_post(&far, mem, &p, "/oauth2/revoke", body.p, &status, &answer) ||
        status != 200)
        printf("没能联系上 %s：那里的会话会自行结束\n", p.server);
    if ((rc = profile_remove(e, mem, name)))
        return rc;
    printf("已退出 %s\n", name);
    return RC_OK;
}

static void list_one(struct arena *mem, const char *file)
{
    size_t n = strlen(file), suffix = strlen(".json");
    char time[CLOCK_TEXT];
    struct err e = { 0 };
    struct profile p;

    if (n <= suffix || strcmp(file + n - suffix, ".json") != 0)
        return;
    if (profile_read(&e, mem, arena_strndup(mem, file, n - suffix), &p))
        fprintf(stderr, "tjzw: profiles: %s\n", e.text);
    else
        printf("%-20s %s  (%s)\n", p.name, p.server, clock_text(p.ends, time));
}

static enum rc list(struct err *e, struct arena *mem, const struct args *a)
{
    const char *directory = profile_directory(mem);
    DIR *dir = directory ? opendir(directory) : NULL;

    (void)e, (void)a;
    for (struct dirent *d; dir && (d = readdir(dir));)
        list_one(mem, d->d_name);
    if (dir)
        closedir(dir);
    return RC_OK;
}

static int run(const struct args *a,
               enum rc (*what)(struct err *e, struct arena *mem, const struct args *a))
{
    struct arena *mem = arena_new();
    struct err e = { 0 };
    struct conf c;
    int code = cli_conf(a, &c); /* how others are reached: outbound_proxy */

    if (!code) {
        code = what(&e, mem, a) ? cli_fail(&e, a->command->name,
                                           e.rc == RC_NOT_FOUND ? "see: tjzw profiles" : mend)
                                : 0;
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}

int cmd_login(const struct args *a)
{
    return run(a, log_in);
}

int cmd_logout(const struct args *a)
{
    return run(a, log_out);
}

int cmd_profiles(const struct args *a)
{
    return run(a, list);
}
