/*
 * target.c - "/a/%E5%A4%A9?n=5" becomes the segments "a", "天" and the query "n=5".
 *
 * The path is cut at its slashes before it is decoded, so an encoded slash cannot forge a
 * segment; it is refused, for nothing we serve has one in a name. So are escapes that nothing
 * asks for ("%61" for "a") and a "?" with nothing behind it: a body that caches keep for a year, and
 * forget when they are told its name, has no second name.
 */
#include "server/http/target.h"

#include <stdint.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The length of the UTF-8 character at p, or 0: over-long forms, surrogates and what lies above
 * U+10FFFF are no characters. */
static size_t utf8_length(const uint8_t *p, size_t n)
{
    static const struct {
        uint8_t first, last, low, high; /* of the lead byte, and of the byte after it */
        uint8_t length;
    } forms[] = {
        { 0x20, 0x7e, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
        { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
        { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
        { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (forms[i].length > n ||
            (forms[i].length > 1 && (p[1] < forms[i].low || p[1] > forms[i].high)))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

static bool is_text(const char *p, size_t n)
{
    for (size_t i = 0, step; i < n; i += step)
        if (!(step = utf8_length((const uint8_t *)p + i, n - i)))
            return false;
    return true;
}

long target_decode(const char *raw, size_t n, bool query, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        char c = raw[i];

        if (c == '%') {
            int high = n - i > 2 ? hex_digit(raw[i + 1]) : -1;
            int low = n - i > 2 ? hex_digit(raw[i + 2]) : -1;

            if (high < 0 || low < 0)
                return -1;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && query) {
            c = ' ';
        }
        out[used++] = c;
    }
    return is_text(out, used) ? (long)used : -1;
}

/* RFC 3986, section 2.3: what has no need of an escape. */
static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("-._~", c));
}

/* Of text that can be decoded. */
static bool has_idle_escape(const char *raw, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (raw[i] == '%' &&
            is_unreserved((char)(hex_digit(raw[i + 1]) << 4 | hex_digit(raw[i + 2]))))
            return true;
    return false;
}

/* Decodes one segment behind `path`; its span goes to the target. */
static enum rc add_segment(struct err *e, const char *raw, size_t n, char *path, size_t *used,
                           struct target *out)
{
    long length = target_decode(raw, n, false, path + *used);
    struct span s = { path + *used, (size_t)length };

    if (length < 0)
        return err_set(e, RC_INVALID, "the path is not valid percent-encoded UTF-8 text");
    if (has_idle_escape(raw, n))
        return err_set(e, RC_INVALID, "the path escapes a character that needs no escape");
    if (memchr(s.p, '/', s.n))
        return err_set(e, RC_INVALID, "the path holds an encoded slash");
    if ((s.n == 1 && s.p[0] == '.') || (s.n == 2 && s.p[0] == '.' && s.p[1] == '.'))
        return err_set(e, RC_INVALID, "the path holds a dot segment");
    if (out->nsegments == TARGET_SEGMENTS)
        return err_set(e, RC_NOT_FOUND, "the path is too deep");
    out->segment[out->nsegments++] = s;
    *used += s.n;
    return RC_OK;
}

static enum rc parse_path(struct err *e, const char *raw, size_t n, char *path,
                          struct target *out)
{
    size_t used = 0;
    enum rc rc;

    if (n == 1) {
        memcpy(path, "/", 2);
        return RC_OK;
    }
    for (size_t at = 0; at < n;) {
        const char *slash = memchr(raw + at + 1, '/', n - at - 1);
        size_t end = slash ? (size_t)(slash - raw) : n;

        path[used++] = '/';
        if ((rc = add_segment(e, raw + at + 1, end - at - 1, path, &used, out)))
            return rc;
        at = end;
    }
    path[used] = '\0';
    return RC_OK;
}

enum rc target_parse(struct err *e, struct arena *mem, const char *raw, size_t n,
                     struct target *out)
{
    const char *mark = memchr(raw, '?', n);
    size_t path_n = mark ? (size_t)(mark - raw) : n;
    struct target t = { 0 };
    char *path;
    enum rc rc;

    if (path_n == 0 || raw[0] != '/')
        return err_set(e, RC_INVALID, "the path should begin with a slash");
    if (path_n > TARGET_PATH_MAX)
        return err_set(e, RC_INVALID, "the path is longer than %d bytes", TARGET_PATH_MAX);
    if (mark)
        t.query = (struct span){ mark + 1, n - path_n - 1 };
    if (mark && !t.query.n)
        return err_set(e, RC_INVALID, "the query is empty");
    if (t.query.n > TARGET_QUERY_MAX)
        return err_set(e, RC_INVALID, "the query is longer than %d bytes", TARGET_QUERY_MAX);
    path = arena_alloc(mem, path_n + 1);
    if ((rc = parse_path(e, raw, path_n, path, &t)))
        return rc;
    t.path = path;
    *out = t;
    return RC_OK;
}
