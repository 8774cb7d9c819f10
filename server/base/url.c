/*
 * url.c - SCHEME://[USER:PASSWORD@]HOST[:PORT][/PATH][?QUERY]
 */
#include "server/base/url.h"

#include <string.h>

const char *url_host(const char *url, size_t *n)
{
    const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
    size_t len = scheme ? strcspn(host, "/?#") : 0;
    const char *at = memrchr(host, '@', len);

    *n = at ? len - (size_t)(at + 1 - host) : len;
    return at ? at + 1 : host;
}

void url_show(struct buf *out, const char *text)
{
    size_t n, before;
    const char *host = url_host(text, &n), *scheme = strstr(text, "://");

    if (!scheme) {
        buf_adds(out, text);
        return;
    }
    before = (size_t)(scheme + 3 - text);
    buf_add(out, text, before);
    if (host > text + before)
        buf_adds(out, "***@");
    buf_add(out, host, strcspn(host, "?"));
    if (strchr(host, '?'))
        buf_adds(out, "?***");
}
