/*
 * sender_grant.c - grants: one a transport for all its lanes.
 *
 *     DATA/keys/push.N     mode 0600: "MARK MADE RENEW UNTIL TEXT\n"; MARK is a hash of the settings that it depends on, numbers are seconds since 1970
 *
 * One that is signed here is made at most every 20 minutes, whatever the vendor says of it (Apple: too often, and the connection is of no use for a while). One that is asked for: after a
 * failure not before 5 s, 10 s … 5 min.
 */
#include "push/sender_grant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/secret.h"

enum { SIGN_EVERY = 20 * 60, ASK_LEAST = 5, ASK_MOST = 300, FILE_MAX = 16384 };

static bool is_needed(const struct vendor *v)
{
    return v->ask_grant || v->sign_grant;
}

/* Of the vendor's settings, and of the key that Huawei's account names. */
static char *mark_of(const struct sender_grant *g, struct arena *mem)
{
    const char *kid = g->site->keys->huawei_kid;
    struct buf b = BUF_IN(mem);
    uint8_t sum[32];

    buf_printf(&b, "%s\n", kid ? kid : "");
    for (const struct vendor_need *n = g->vendor->needs; n && n->without; n++)
        buf_printf(&b, "%s\n", *(const conf_TEXT *)((const char *)g->site->conf + n->at));
    secret_mac(NULL, b.p, b.n, sum);
    secret_wipe(b.p, b.n);
    return hex_text(sum, sizeof sum, arena_alloc(mem, 2 * sizeof sum + 1));
}

static const char *path_of(const struct sender_grant *g, struct arena *mem)
{
    return arena_printf(mem, "%s/keys/push.%d", g->data, (int)g->vendor->by);
}

static void drop(struct sender_grant *g)
{
    if (g->mem) {
        secret_wipe(g->now.text, strlen(g->now.text));
        arena_free(g->mem);
    }
    g->mem = NULL;
    g->now = (struct vendor_grant){ 0 };
}

static void save(const struct sender_grant *g)
{
    struct arena *mem;
    struct buf b;
    struct err e;

    if (!g->data)
        return;
    mem = arena_new();
    b = BUF_IN(mem);
    buf_printf(&b, "%s %" PRId64 " %" PRId64 " %" PRId64 " %s\n", mark_of(g, mem), g->made,
               g->now.renew, g->now.until, g->now.text);
    if (fs_write(&e, path_of(g, mem), b.p, b.n, 0600))
        LOG(LOG_WARN, "push_grant_not_kept",
            L_STR("transport", transport_type((int)g->vendor->by)->word));
    secret_wipe(b.p, b.n);
    arena_free(mem);
}

static void take(struct sender_grant *g, struct arena *mem, const struct vendor_grant *n,
                 int64_t now)
{
    drop(g);
    g->mem = mem;
    g->now = *n;
    g->made = now;
    g->refused = 0;
    g->failures = 0;
    save(g);
}

/* "MARK MADE RENEW UNTIL TEXT\n"; false: not of these settings, or nothing that we wrote. */
static bool parse(char *text, const char *mark, struct sender_grant *g, struct arena *mem)
{
    char *at[5];

    for (int i = 0; i < 5; i++)
        if (!(at[i] = strsep(&text, i < 4 ? " " : "\n")) || !*at[i])
            return false;
    if (strcmp(at[0], mark))
        return false;
    g->made = strtoll(at[1], NULL, 10);
    g->now = (struct vendor_grant){ .renew = strtoll(at[2], NULL, 10),
                                    .until = strtoll(at[3], NULL, 10),
                                    .text = arena_strdup(mem, at[4]) };
    return g->now.until > 0;
}

void grant_open(struct sender_grant *g, const struct vendor *v, const struct vendor_site *s,
                const char *data)
{
    struct arena *mem = arena_new();
    struct err e;
    char *text;
    size_t n;

    *g = (struct sender_grant){ .vendor = v, .site = s, .data = data };
    if (!is_needed(v) || !data || fs_read(&e, mem, path_of(g, mem), FILE_MAX, &text, &n)) {
        arena_free(mem);
        return;
    }
    if (parse(text, mark_of(g, mem), g, mem)) {
        g->mem = mem;
        return;
    }
    g->made = 0;
    g->now = (struct vendor_grant){ 0 };
    arena_free(mem);
}

void grant_close(struct sender_grant *g)
{
    drop(g);
}

static bool is_time_to_sign(const struct sender_grant *g, int64_t now)
{
    /* A clock that was set back must not keep a statement of the future. */
    if (!g->mem || g->made > now + 60)
        return !g->made || g->made > now + 60 || now - g->made >= SIGN_EVERY;
    return (g->refused || now >= g->now.renew) && now - g->made >= SIGN_EVERY;
}

static void sign(struct sender_grant *g, int64_t now)
{
    struct arena *mem = arena_new();
    struct vendor_grant n = { 0 };

    if (g->vendor->sign_grant(g->site, mem, now, &n))
        take(g, mem, &n, now);
    else
        arena_free(mem);
}

static int64_t pause_of(const struct sender_grant *g)
{
    int64_t s = ASK_LEAST;

    for (int i = 1; i < g->failures && s < ASK_MOST; i++)
        s *= 2;
    return s < ASK_MOST ? s : ASK_MOST;
}

static bool is_time_to_ask(const struct sender_grant *g, int64_t now)
{
    if (g->asking || (g->asked && now >= g->asked && now - g->asked < pause_of(g)))
        return false;
    return !g->mem || g->refused || now >= g->now.renew;
}

const char *grant_get(struct sender_grant *g, int64_t now, bool *ask)
{
    *ask = false;
    if (!is_needed(g->vendor))
        return "";
    if (g->vendor->sign_grant && is_time_to_sign(g, now))
        sign(g, now);
    if (g->vendor->ask_grant)
        *ask = is_time_to_ask(g, now);
    return g->mem && !g->refused && now < g->now.until ? g->now.text : NULL;
}

void grant_asked(struct sender_grant *g, int64_t now)
{
    g->asked = now;
    g->asking = true;
}

void grant_told(struct sender_grant *g, const struct vendor_answer *a)
{
    struct arena *mem = arena_new();
    struct vendor_grant n = { 0 };

    g->asking = false;
    if (a->fate == VENDOR_ANSWERED && g->vendor->take_grant(g->site, mem, a, &n)) {
        take(g, mem, &n, a->now);
        return;
    }
    g->failures++;
    arena_free(mem);
    LOG(LOG_WARN, "push_grant_refused",
        L_STR("transport", transport_type((int)g->vendor->by)->word),
        L_INT("status", a->status));
}

void grant_refuse(struct sender_grant *g, const char *text, int64_t now)
{
    if (g->mem && !strcmp(g->now.text, text) && !g->refused)
        g->refused = now;
}

int64_t grant_not_before(const struct sender_grant *g)
{
    if (!g->refused && g->mem)
        return 0;
    if (g->vendor->sign_grant)
        return g->made + SIGN_EVERY;
    return g->vendor->ask_grant ? g->asked + pause_of(g) : 0;
}
