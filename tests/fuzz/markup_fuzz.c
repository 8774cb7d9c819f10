/*
 * markup_fuzz.c - any body: the page has only our tags, each with our attributes and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "api/markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const ours[] = {
    "<p>",
    "</p>",
    "<br>",
    "<ul>",
    "</ul>",
    "<ol>",
    "</ol>",
    "<li>",
    "</li>",
    "<h2>",
    "</h2>",
    "<h3>",
    "</h3>",
    "<h4>",
    "</h4>",
    "<h5>",
    "</h5>",
    "<strong>",
    "</strong>",
    "</a>",
    "<table>",
    "</table>",
    "<thead>",
    "</thead>",
    "<tbody>",
    "</tbody>",
    "<tr>",
    "</tr>",
    "<th scope=\"col\">",
    "</th>",
    "<td>",
    "</td>",
    "</div>",
    "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"表格\">",
};

/* <li value="12"> and <a rel="noopener nofollow" href="https://…">: what lies between the quotes holds no quote and no tag. */
static const char *const with_value[] = { "<li value=\"",
                                          "<a rel=\"noopener nofollow\" href=\"http" };

static size_t tag_at(const char *p, const char *end)
{
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        size_t n = strlen(ours[i]);

        if ((size_t)(end - p) >= n && !memcmp(p, ours[i], n))
            return n;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(with_value[i]);
        const char *quote;

        if ((size_t)(end - p) < n || strncasecmp(p, with_value[i], n))
            continue;
        quote = memchr(p + n, '"', (size_t)(end - p) - n);
        if (!quote || quote + 1 == end || quote[1] != '>' ||
            memchr(p + n, '<', (size_t)(quote - p) - n))
            return 0;
        return (size_t)(quote - p) + 2;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf html = BUF_HEAP, text = BUF_HEAP;

    markup_html(&html, (const char *)data, n);
    for (size_t i = 0; i < html.n;) {
        size_t tag = html.p[i] == '<' ? tag_at(html.p + i, html.p + html.n) : 1;

        if (!tag || html.p[i] == '>')
            abort();
        i += tag;
    }
    markup_text(&text, (const char *)data, n);
    text.n = 0;
    markup_brief(&text, (const char *)data, n, 120);
    buf_done(&html);
    buf_done(&text);
    return 0;
}
