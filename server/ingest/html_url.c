/*
 * html_url.c - addresses, as far as a link needs them.
 *
 *     scheme://host[:port]/path?query     kept, if the scheme is http or https
 *     //host/path                         the page's scheme
 *     /path     ./path     ../path        on the page's host, from the page's folder
 *     ?query                              on the page
 *     #place, anything with another scheme, anything with "@" in its host: none
 *
 * As browsers do, blanks and controls around are dropped, and line ends and tabs inside, so that
 * "java\nscript:" is seen as what it is. All bytes but those of plain addresses are
 * percent-encoded, so that no address ends a mark of ours.
 */
#include "server/ingest/html_url.h"

#include <ctype.h>
#include <strings.h>

struct part {
    const char *p;
    size_t n;
};

/* Without what browsers drop; room for HTML_URL_MAX + 1. False: too long. */
static bool tidy(const char *text, char *out)
{
    size_t n = 0;

    while (*text && (unsigned char)*text <= ' ')
        text++;
    for (; *text; text++) {
        if (*text == '\t' || *text == '\n' || *text == '\r')
            continue;
        if (n == HTML_URL_MAX)
            return false;
        out[n++] = *text;
    }
    while (n && (unsigned char)out[n - 1] <= ' ')
        n--;
    out[n] = '\0';
    return true;
}

/* Length of "scheme" before its colon; 0: none. */
static size_t scheme_of(const char *s)
{
    size_t n = 0;

    if (!isalpha((unsigned char)*s))
        return 0;
    while (isalnum((unsigned char)s[n]) || (s[n] && strchr("+-.", s[n])))
        n++;
    return s[n] == ':' ? n : 0;
}

/* "http://host:port" at the start: its length; 0: it is none that we lead to. */
static size_t origin_of(const char *s)
{
    size_t n = scheme_of(s), from;

    if (!((n == 4 && !strncasecmp(s, "http", 4)) || (n == 5 && !strncasecmp(s, "https", 5))) ||
        strncmp(s + n, "://", 3))
        return 0;
    from = n += 3;
    while (s[n] && !strchr("/?#", s[n])) {
        unsigned char c = (unsigned char)s[n];

        if (c < 0x80 && !isalnum(c) && !strchr("-._:%", c))
            return 0;
        n++;
    }
    return n == from || s[from] == ':' || s[from] == '.' ? 0 : n;
}

static void put(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        if (isalnum(c) || (c < 0x80 && c && strchr("-._~:/?#@!$&'*+,;=%", c)))
            buf_addc(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

/* One segment of a path behind what stands from `root` on: "..", "." and "" are followed. */
static void put_segment(struct buf *out, size_t root, struct part s, bool last)
{
    bool dots = (s.n == 1 && *s.p == '.') || (s.n == 2 && !memcmp(s.p, "..", 2));

    if (dots && s.n == 2 && out->n > root + 1) {
        out->n--; /* the slash that it ends with */
        while (out->n > root + 1 && out->p[out->n - 1] != '/')
            out->n--;
    }
    if (dots)
        return;
    put(out, s.p, s.n);
    if (!last)
        buf_addc(out, '/');
}

/* `path` behind the folder of the page whose address has its path at base + origin. */
static void put_path(struct buf *out, const char *base, size_t origin, const char *path)
{
    size_t root = out->n + origin, end = strcspn(path, "?#"),
           page = strcspn(base + origin, "?#");

    while (page && base[origin + page - 1] != '/')
        page--;
    put(out, base, origin);
    buf_addc(out, '/');
    if (*path == '/')
        path++, end--;
    else if (page > 1)
        put(out, base + origin + 1, page - 1);
    for (size_t i = 0; i <= end;) {
        size_t n = strcspn(path + i, "/?#");

        n = i + n > end ? end - i : n;
        put_segment(out, root, (struct part){ path + i, n }, i + n >= end);
        i += n + 1;
    }
    put(out, path + end, strlen(path + end));
}

static bool resolve(struct buf *out, const char *base, const char *s)
{
    size_t origin = base ? origin_of(base) : 0;

    if (scheme_of(s)) {
        if (!origin_of(s))
            return false;
        put(out, s, strlen(s));
        return true;
    }
    if (!origin || !*s || *s == '#' || *s == '\\' || (*s == '/' && s[1] == '\\'))
        return false;
    if (!strncmp(s, "//", 2)) {
        char whole[HTML_URL_MAX + 8];
        size_t n = scheme_of(base);

        memcpy(whole, base, n);
        whole[n] = ':';
        memcpy(whole + n + 1, s, strlen(s) + 1);
        return origin_of(whole) && (put(out, whole, strlen(whole)), true);
    }
    if (*s == '?') {
        put(out, base, strcspn(base, "?#"));
        put(out, s, strlen(s));
        return true;
    }
    put_path(out, base, origin, s);
    return true;
}

bool html_url(struct buf *out, const char *base, const char *text)
{
    char s[HTML_URL_MAX + 1];
    size_t from = out->n;

    if (!tidy(text, s) || !resolve(out, base, s))
        return false;
    if (out->n - from > HTML_URL_MAX) {
        out->n = from;
        return false;
    }
    for (size_t i = from; out->p[i] != ':'; i++)
        out->p[i] = (char)tolower((unsigned char)out->p[i]);
    return true;
}
