/*
 * link.c - links that lead away, and pictures that say nothing to who does not see them.
 *
 * A link is an http or https address in prose. A host is ours if it is one of the context's, or ends
 * in a point and one of them; without hosts no link is judged. Pictures are those of a body
 * (api/markup.h), and the links that the cleaner of pages leaves for pictures (html_clean.c).
 */
#include "server/check/rule.h"

static bool is_host(char c)
{
    return check_is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
}

static bool is_ours(const char *const *hosts, const char *p, size_t n)
{
    for (; *hosts; hosts++) {
        size_t len = strlen(*hosts);

        if (n >= len && !memcmp(p + n - len, *hosts, len) &&
            (n == len || p[n - len - 1] == '.'))
            return true;
    }
    return false;
}

static void judge_address(struct checking *c, const struct folded *t, size_t from)
{
    size_t at = from + strlen("http"), end;

    at += t->p[at] == 's';
    if (!check_starts(t, at, "://"))
        return;
    at += strlen("://");
    for (end = at; end < t->n && is_host(t->p[end]); end++) {
    }
    if (end > at && !is_ours(c->context->hosts, t->p + at, end - at))
        check_say(c, t, from, end,
                  "链接到本平台以外的网站 %.*s；请确认它仍归原单位、内容合适，不需要的删去",
                  (int)(end - at > 100 ? 100 : end - at), t->p + at);
}

void judge_outside(struct checking *c)
{
    for (int i = 0; c->context->hosts && i < c->item->n; i++)
        for (const char *p = c->texts[i].p; (p = strstr(p, "http")); p += strlen("http"))
            judge_address(c, &c->texts[i], (size_t)(p - c->texts[i].p));
}

void judge_wordless(struct checking *c)
{
    static const char *const forms[] = { "![](", "![图片](", "[图片:未说明](", NULL };

    for (int i = 0; i < c->item->n; i++)
        for (const char *const *form = forms; *form; form++)
            for (const char *p = c->texts[i].p; (p = strstr(p, *form)); p += strlen(*form))
                check_say(c, &c->texts[i], (size_t)(p - c->texts[i].p),
                          (size_t)(p - c->texts[i].p) + strlen(*form) - 1,
                          "图片没有替代文字，看不见图片的人读不到它；请写一句话说明图片的内容");
}
