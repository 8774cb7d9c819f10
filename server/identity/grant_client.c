/*
 * grant_client.c - addresses, compared byte for byte.
 *
 * Nothing is decoded, normalised or matched by a pattern: every open redirect of another server began with one of these.
 */
#include "server/identity/grant_client.h"

#include <string.h>

static const char *const loopback[] = { "http://127.0.0.1", "http://[::1]" };

/* What stands behind scheme and host of a loopback address; NULL: it is none. */
static const char *behind_loopback(const char *address)
{
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
        size_t n = strlen(loopback[i]);

        if (!strncmp(address, loopback[i], n) && strchr(":/", address[n]))
            return address + n;
    }
    return NULL;
}

/* Past ":8080"; NULL: that is no port. */
static const char *past_port(const char *p)
{
    size_t n;

    if (*p != ':')
        return p;
    n = strspn(p + 1, "0123456789");
    return n >= 1 && n <= 5 && (p[1 + n] == '/' || !p[1 + n]) ? p + 1 + n : NULL;
}

/* `known` has no port, and `given` differs from it in nothing but one. */
static bool is_same_program(const char *known, const char *given)
{
    const char *a = behind_loopback(known), *b = behind_loopback(given), *path;

    if (!a || !b || *a == ':' || a - known != b - given ||
        memcmp(known, given, (size_t)(a - known)))
        return false;
    path = past_port(b);
    return path && !strcmp(a, path);
}

static bool has(const char *const *known, int n, const char *given)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(known[i], given) || is_same_program(known[i], given))
            return true;
    return false;
}

bool grant_client_takes(const struct grant_client *c, const char *redirect)
{
    return has(c->redirects, c->nredirects, redirect);
}

bool grant_client_leads(const struct grant_client *c, const char *logout)
{
    return has(c->logouts, c->nlogouts, logout);
}

static bool is_visible(const char *s)
{
    for (; *s; s++)
        if (*s < 0x21 || *s > 0x7e)
            return false;
    return true;
}

bool grant_redirect_is_fit(const char *redirect)
{
    static const char https[] = "https://";
    size_t scheme = strlen(https), host;

    if (!is_visible(redirect) || strpbrk(redirect, "#\\\"<>") ||
        strlen(redirect) > GRANT_REDIRECT_MAX)
        return false;
    if (behind_loopback(redirect))
        return past_port(behind_loopback(redirect)) != NULL;
    if (strncmp(redirect, https, scheme))
        return false;
    host = strcspn(redirect + scheme, "/?");
    return host && redirect[scheme] != ':' && !memchr(redirect + scheme, '@', host);
}
