/*
 * markup_fuzz.c - whatever an author writes, the page gets tags of a short list, in pairs.
 *
 * Every "<" of the output must begin one of the tags below, each must be closed in order, and a
 * link leads only to http or https. Plain text ends in one newline. An article that needs more
 * than 40 times its length is a fault too.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const pairs[][2] = {
    { "<p>", "</p>" },
    { "<ul>", "</ul>" },
    { "<ol>", "</ol>" },
    { "<li>", "</li>" },
    { "<li value=\"", "</li>" },
    { "<h2>", "</h2>" },
    { "<h3>", "</h3>" },
    { "<h4>", "</h4>" },
    { "<h5>", "</h5>" },
    { "<strong>", "</strong>" },
    { "<a rel=\"noopener nofollow\" href=\"", "</a>" },
    { "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"表格\">", "</div>" },
    { "<table>", "</table>" },
    { "<thead>", "</thead>" },
    { "<tbody>", "</tbody>" },
    { "<tr>", "</tr>" },
    { "<th scope=\"col\">", "</th>" },
    { "<td>", "</td>" },
};

enum { PAIRS = sizeof pairs / sizeof *pairs, DEPTH = 16, EXPANSION = 40, FLOOR = 256 };

struct scan {
    const char *p;
    const char *open[DEPTH]; /* the closing tags that are awaited */
    int depth;
};

static bool begins(const char *p, const char *with)
{
    return !strncmp(p, with, strlen(with));
}

/* A tag that ends in an open quote goes on to the quote's end. */
static const char *end_of_tag(const char *p, const char *tag)
{
    p += strlen(tag);
    if (p[-1] == '>')
        return p;
    if (tag[1] == 'a' && strncasecmp(p, "http://", 7) && strncasecmp(p, "https://", 8))
        abort();
    p += strcspn(p, "\"<>");
    if (!begins(p, "\">"))
        abort();
    return p + 2;
}

/* <img src="/v1/blobs/64 hex digits" alt="words"> */
static const char *end_of_picture(const char *p)
{
    p += strlen("<img src=\"/v1/blobs/");
    if (strspn(p, "0123456789abcdef") != 64 || !begins(p + 64, "\" alt=\""))
        abort();
    p += 64 + strlen("\" alt=\"");
    p += strcspn(p, "\"<>");
    if (!begins(p, "\">"))
        abort();
    return p + 2;
}

static void take_tag(struct scan *s)
{
    if (begins(s->p, "<br>")) {
        s->p += 4;
        return;
    }
    if (begins(s->p, "<img src=\"/v1/blobs/")) {
        s->p = end_of_picture(s->p);
        return;
    }
    if (s->depth && begins(s->p, s->open[s->depth - 1])) {
        s->p += strlen(s->open[--s->depth]);
        return;
    }
    for (int i = 0; i < PAIRS; i++)
        if (begins(s->p, pairs[i][0]) && s->depth < DEPTH) {
            s->p = end_of_tag(s->p, pairs[i][0]);
            s->open[s->depth++] = pairs[i][1];
            return;
        }
    abort();
}

static void check_html(const char *html)
{
    struct scan s = { .p = html };

    while (*(s.p += strcspn(s.p, "<>")))
        if (*s.p == '>')
            abort();
        else
            take_tag(&s);
    if (s.depth)
        abort();
}

/* Bodies come in checked: no NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf html = BUF_HEAP, text = BUF_HEAP, brief = BUF_HEAP;
    const char *body = (const char *)data;

    if (memchr(data, 0, n))
        return 0;
    markup_html(&html, body, n);
    markup_text(&text, body, n);
    markup_brief(&brief, body, n, 100);
    if (html.n > FLOOR + EXPANSION * n || text.n > FLOOR + EXPANSION * n)
        abort();
    if (text.p[text.n - 1] != '\n' || (text.n > 1 && text.p[text.n - 2] == '\n'))
        abort();
    buf_addc(&html, '\0');
    check_html(html.p);
    buf_done(&html);
    buf_done(&text);
    buf_done(&brief);
    return 0;
}
