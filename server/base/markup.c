/*
 * markup.c - one pass over the lines of a body, with a block open at a time.
 *
 *     # … ####     heading
 *     - x   * x    list
 *     1. x         numbered list; keeps its first number
 *     | a | b |    table; a second row of dashes makes the first one its head
 *     (blank)      ends the block
 *     other        paragraph; a single line end is <br>
 *
 *     inside a line:  **bold**   [label](https://host/path)   [label](sha256:64 hex digits)   ![words](sha256:64 hex digits)
 *     \ before one of \ # * - . | [ ] (  makes it text: what comes from elsewhere (the cleaner of
 *     pages, server/ingest) may mean none of these marks
 *
 * A picture is a file of this library, by its name; its words are what is read aloud.
 *
 * A line becomes runs of text, and every run goes through buf_html(): there is no other way
 * from the input to the output, so no input can write a tag. Links are only http and https;
 * anything else stays text.
 *
 * Each byte is looked at a bounded number of times: a label ends at the next bracket, an
 * address at the next parenthesis or blank, and after one search for "**" that found nothing
 * there is no second in that line.
 *
 * Not here: raw HTML, nesting. Authors get a preview, so a small language is kinder
 * than a large one.
 */
#include "server/base/markup.h"

#include <ctype.h>
#include <string.h>

static const char escaped[] = "\\#*-.|[](", file_scheme[] = "sha256:";

enum { FILE_NAME = 64 };

enum block { NONE, PARAGRAPH, BULLETS, NUMBERS, TABLE };

struct span {
    const char *p;
    size_t n;
};

struct page {
    struct buf *out;
    bool html;
    enum block open;
    bool table_head; /* the table's first row was a head */
    int least;       /* fewest # of any heading in the text */
    int level;       /* of the last heading written, 1 before the first */
    int64_t number;  /* of the next item of a numbered list */
};

static const char *const opening[] = {
    "", "<p>", "<ul>\n", "<ol>\n",
    "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"表格\"><table>\n"
};
static const char *const closing[] = { "", "</p>\n", "</ul>\n", "</ol>\n", "</table></div>\n" };

static struct span trim(struct span s)
{
    for (;;) {
        if (s.n && (*s.p == ' ' || *s.p == '\t'))
            s = (struct span){ s.p + 1, s.n - 1 };
        else if (s.n >= 3 &&
                 !memcmp(s.p, "\u3000",
                         3)) /* the indent of printed Chinese; ours is in the style sheet */
            s = (struct span){ s.p + 3, s.n - 3 };
        else
            break;
    }
    while (s.n && strchr(" \t\r", s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool next_line(struct span *rest, struct span *line)
{
    const char *end;

    if (!rest->n)
        return false;
    end = memchr(rest->p, '\n', rest->n);
    line->p = rest->p;
    line->n = end ? (size_t)(end - rest->p) : rest->n;
    rest->n -= line->n + (end ? 1 : 0);
    rest->p += line->n + (end ? 1 : 0);
    *line = trim(*line);
    return true;
}

static void put(struct page *g, const char *p, size_t n)
{
    if (g->html)
        buf_html(g->out, p, n);
    else
        buf_add(g->out, p, n);
}

static bool is_escape(struct span s)
{
    return s.n >= 2 && *s.p == '\\' && s.p[1] && strchr(escaped, s.p[1]);
}

/* Text in which nothing but escapes can be. */
static void put_plain(struct page *g, struct span s)
{
    size_t done = 0, i = 0;

    while (i < s.n)
        if (is_escape((struct span){ s.p + i, s.n - i })) {
            put(g, s.p + done, i - done);
            done = i + 1;
            i += 2;
        } else {
            i++;
        }
    put(g, s.p + done, s.n - done);
}

static void tag(struct page *g, const char *html)
{
    if (g->html)
        buf_adds(g->out, html);
}

/* "[label](address)" at the start of s: its length, or 0. */
static size_t link_at(struct span s, struct span *label, struct span *address)
{
    size_t i = 1, from;

    while (i < s.n && s.p[i] != ']' && s.p[i] != '[')
        i += is_escape((struct span){ s.p + i, s.n - i }) ? 2 : 1;
    if (i == 1 || i + 1 >= s.n || s.p[i] != ']' || s.p[i + 1] != '(')
        return 0;
    *label = (struct span){ s.p + 1, i - 1 };
    from = i += 2;
    while (i < s.n && !strchr("() \t\"<>", s.p[i]))
        i++;
    if (i >= s.n || s.p[i] != ')')
        return 0;
    *address = (struct span){ s.p + from, i - from };
    return i + 1;
}

static bool is_web_address(struct span a)
{
    return (a.n > 8 && !strncasecmp(a.p, "https://", 8)) ||
           (a.n > 7 && !strncasecmp(a.p, "http://", 7));
}

static void put_link(struct page *g, struct span label, struct span address)
{
    tag(g, "<a rel=\"noopener nofollow\" href=\"");
    if (g->html)
        put(g, address.p, address.n);
    tag(g, "\">");
    put_plain(g, label);
    tag(g, "</a>");
    if (!g->html) {
        buf_adds(g->out, "（");
        put(g, address.p, address.n);
        buf_adds(g->out, "）");
    }
}

/* "sha256:" and 64 hex digits: cut to the digits. */
static bool is_file(struct span *name)
{
    size_t scheme = strlen(file_scheme);

    if (name->n != scheme + FILE_NAME || memcmp(name->p, file_scheme, scheme))
        return false;
    *name = (struct span){ name->p + scheme, FILE_NAME };
    for (size_t i = 0; i < name->n; i++)
        if (!memchr("0123456789abcdef", name->p[i], 16))
            return false;
    return true;
}

static void put_file(struct page *g, struct span label, struct span name)
{
    tag(g, "<a href=\"/v1/blobs/");
    if (g->html)
        put(g, name.p, name.n);
    tag(g, "\">");
    put_plain(g, label);
    tag(g, "</a>");
}

/* "![words](sha256:…)" at the start of s: its length, or 0. */
static size_t picture_at(struct span s, struct span *words, struct span *name)
{
    size_t len;

    if (s.n < 2 || *s.p != '!' || s.p[1] != '[' ||
        !(len = link_at((struct span){ s.p + 1, s.n - 1 }, words, name)) || !is_file(name))
        return 0;
    return len + 1;
}

static void put_picture(struct page *g, struct span words, struct span name)
{
    tag(g, "<img src=\"/v1/blobs/");
    if (g->html)
        put(g, name.p, name.n);
    tag(g, "\" alt=\"");
    put_plain(g, words);
    tag(g, "\">");
}

/* A link or a picture at the start of s, written; its length, or 0. */
static size_t put_mark(struct page *g, struct span s, struct span before)
{
    struct span label, address;
    size_t len;

    if (*s.p == '!' && (len = picture_at(s, &label, &address))) {
        put(g, before.p, before.n);
        put_picture(g, label, address);
        return len;
    }
    if (*s.p != '[' || !(len = link_at(s, &label, &address)))
        return 0;
    if (is_web_address(address)) {
        put(g, before.p, before.n);
        put_link(g, label, address);
        return len;
    }
    if (is_file(&address)) {
        put(g, before.p, before.n);
        put_file(g, label, address);
        return len;
    }
    return 0;
}

static void put_line(struct page *g, struct span s)
{
    bool bold = false, may_open = true;
    size_t done = 0, i = 0;

    while (i < s.n) {
        struct span rest = { s.p + i, s.n - i };
        size_t len;

        if (rest.n >= 2 && !memcmp(rest.p, "**", 2) && !bold && may_open)
            may_open = rest.n > 4 && memmem(rest.p + 2, rest.n - 2, "**", 2) != NULL;
        if (rest.n >= 2 && !memcmp(rest.p, "**", 2) && (bold || may_open)) {
            put(g, s.p + done, i - done);
            tag(g, bold ? "</strong>" : "<strong>");
            bold = !bold;
            done = i += 2;
            continue;
        }
        if ((len = put_mark(g, rest, (struct span){ s.p + done, i - done }))) {
            done = i += len;
        } else if (is_escape(rest)) {
            put(g, s.p + done, i - done);
            done = i + 1;
            i += 2;
        } else {
            i++;
        }
    }
    put(g, s.p + done, s.n - done);
    if (bold)
        tag(g, "</strong>"); /* the mark that should have ended it stood inside a link */
}

static void close_block(struct page *g)
{
    if (g->open == NONE)
        return;
    if (g->open == TABLE)
        tag(g, "</tbody>");
    tag(g, closing[g->open]);
    if (!g->html)
        buf_adds(g->out, g->open == PARAGRAPH ? "\n\n" : "\n");
    g->open = NONE;
}

/* Returns true if the block was already open. */
static bool open_block(struct page *g, enum block kind)
{
    if (g->open == kind)
        return true;
    close_block(g);
    tag(g, opening[kind]);
    g->open = kind;
    return false;
}

static int heading_marks(struct span s)
{
    int marks = 0;

    while (marks < 5 && (size_t)marks < s.n && s.p[marks] == '#')
        marks++;
    return marks >= 1 && marks <= 4 && (size_t)marks < s.n && s.p[marks] == ' ' ? marks : 0;
}

static void put_heading(struct page *g, struct span s, int marks)
{
    int level = marks - g->least + 2;
    char html[8] = "<h2>";

    if (level > g->level + 1)
        level = g->level + 1;
    g->level = level;
    close_block(g);
    html[2] = (char)('0' + level);
    tag(g, html);
    put_line(g, trim((struct span){ s.p + marks, s.n - (size_t)marks }));
    tag(g, (char[]){ '<', '/', 'h', html[2], '>', '\n', 0 });
    if (!g->html)
        buf_adds(g->out, "\n\n");
}

/* Length of "12. " at the start, with the number; or 0. */
static size_t number_mark(struct span s, int64_t *number)
{
    size_t i = 0;

    *number = 0;
    while (i < s.n && i < 6 && isdigit((unsigned char)s.p[i]))
        *number = *number * 10 + (s.p[i++] - '0');
    return i && i + 1 < s.n && s.p[i] == '.' && s.p[i + 1] == ' ' ? i + 2 : 0;
}

static void put_item(struct page *g, struct span s, size_t mark, int64_t number)
{
    enum block kind = number < 0 ? BULLETS : NUMBERS;
    bool more = open_block(g, kind);

    if (kind == NUMBERS && g->html && (!more || number != g->number))
        buf_printf(g->out, "<li value=\"%lld\">", (long long)number);
    else
        tag(g, "<li>");
    if (!g->html && kind == NUMBERS)
        buf_printf(g->out, "%lld. ", (long long)number);
    else if (!g->html)
        buf_adds(g->out, "- ");
    g->number = number + 1;
    put_line(g, trim((struct span){ s.p + mark, s.n - mark }));
    buf_adds(g->out, g->html ? "</li>\n" : "\n");
}

static bool is_rule(struct span row)
{
    bool dash = false;

    for (size_t i = 0; i < row.n; i++) {
        if (!strchr("|-: ", row.p[i]))
            return false;
        dash |= row.p[i] == '-';
    }
    return dash;
}

static const char *next_bar(struct span row)
{
    for (size_t i = 0; i < row.n; i++)
        if (row.p[i] == '|')
            return row.p + i;
        else if (is_escape((struct span){ row.p + i, row.n - i }))
            i++;
    return NULL;
}

static void put_row(struct page *g, struct span row, bool head)
{
    const char *cell = head ? "<th scope=\"col\">" : "<td>", *end = head ? "</th>" : "</td>";

    tag(g, "<tr>");
    row = (struct span){ row.p + 1, row.n - 1 };
    if (row.n && row.p[row.n - 1] == '|' && (row.n < 2 || row.p[row.n - 2] != '\\'))
        row.n--;
    for (bool first = true;; first = false) {
        const char *bar = next_bar(row);
        size_t n = bar ? (size_t)(bar - row.p) : row.n;

        if (!g->html && !first)
            buf_adds(g->out, "\t");
        tag(g, cell);
        put_line(g, trim((struct span){ row.p, n }));
        tag(g, end);
        if (!bar)
            break;
        row = (struct span){ bar + 1, row.n - n - 1 };
    }
    buf_adds(g->out, g->html ? "</tr>\n" : "\n");
}

/* A table's first row is a head if a rule of dashes follows it. */
static void put_table_line(struct page *g, struct span s, struct span rest)
{
    struct span after;

    if (open_block(g, TABLE)) {
        if (!is_rule(s))
            put_row(g, s, false);
        return;
    }
    if (next_line(&rest, &after) && after.n && *after.p == '|' && is_rule(after) &&
        !is_rule(s)) {
        tag(g, "<thead>");
        put_row(g, s, true);
        tag(g, "</thead><tbody>");
        return;
    }
    tag(g, "<tbody>");
    if (!is_rule(s))
        put_row(g, s, false);
}

static void put_text_line(struct page *g, struct span s)
{
    if (open_block(g, PARAGRAPH))
        buf_adds(g->out, g->html ? "<br>\n" : "\n");
    put_line(g, s);
}

static int least_marks(struct span rest)
{
    struct span line;
    int least = 4;

    while (next_line(&rest, &line)) {
        int marks = heading_marks(line);

        if (marks && marks < least)
            least = marks;
    }
    return least;
}

static void render(struct page *g, struct span rest)
{
    struct span line;

    g->least = least_marks(rest);
    g->level = 1;
    while (next_line(&rest, &line)) {
        int64_t number;
        size_t mark;
        int marks;

        if (!line.n)
            close_block(g);
        else if ((marks = heading_marks(line)))
            put_heading(g, line, marks);
        else if (line.n > 2 && (*line.p == '-' || *line.p == '*') && line.p[1] == ' ')
            put_item(g, line, 2, -1);
        else if ((mark = number_mark(line, &number)))
            put_item(g, line, mark, number);
        else if (line.n > 1 && *line.p == '|')
            put_table_line(g, line, rest);
        else
            put_text_line(g, line);
    }
    close_block(g);
}

void markup_html(struct buf *out, const char *text, size_t n)
{
    render(&(struct page){ .out = out, .html = true }, (struct span){ text, n });
}

void markup_text(struct buf *out, const char *text, size_t n)
{
    size_t from = out->n;

    render(&(struct page){ .out = out }, (struct span){ text, n });
    while (out->n > from && out->p[out->n - 1] == '\n')
        out->n--;
    buf_addc(out, '\n');
}

void markup_brief(struct buf *out, const char *text, size_t n, int max)
{
    struct span rest = { text, n }, line;
    struct buf plain = BUF_HEAP;
    struct page g = { .out = &plain };
    size_t end = 0;
    int points = 0;

    /* Four bytes a code point at most; marks and blanks cost a few more, so lines are taken
     * until there is enough. */
    while (plain.n < (size_t)max * 4 && next_line(&rest, &line)) {
        int marks = heading_marks(line);

        if (plain.n && line.n)
            buf_addc(&plain, ' ');
        put_line(&g, trim((struct span){ line.p + marks, line.n - (size_t)marks }));
    }
    while (end < plain.n && points < max) {
        do
            end++;
        while (end < plain.n && (plain.p[end] & 0xc0) == 0x80);
        points++;
    }
    if (plain.n)
        buf_add(out, plain.p, end);
    if (end < plain.n || rest.n)
        buf_adds(out, "…");
    buf_done(&plain);
}
