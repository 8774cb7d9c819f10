/*
 * html_clean.c - down the tree of a page, a line of Markdown at a time.
 *
 *     block          a paragraph; an empty line between two
 *     <br>           a line of the same paragraph; in a heading, an item, a cell: a blank
 *     <h1> … <h6>    "# " … "#### "
 *     <li>           "- ", or its number; lists in lists become one list
 *     <table>        "| a | b |" if it holds data, a cell of several columns or rows with empty ones
 *                    beside and below it; a table that only places things is its cells, one by one
 *     <a href>       "[label](address)" if it leads to a page of the web, else its label
 *     <img>          as the caller says: a file of ours, a link to where it lies, or its words
 *     bold           "**", by element or by style
 *
 * "Flat" is the inside of what is one line of Markdown: there, blocks are parted by a blank.
 *
 * The walk is as deep as the tree, which has a limit; so has the output. Every text goes through
 * line_text(): there is no other way from the page to the body.
 */
#include "server/ingest/html_clean.h"

#include <stdio.h>
#include <string.h>

#include "server/ingest/html_line.h"
#include "server/ingest/html_role.h"
#include "server/ingest/html_tree.h"
#include "server/ingest/html_url.h"

enum { COLUMNS = 64, ROWS = 1000, NUMBER_MAX = 999999, DEEPEST = HTML_DEPTH_MAX + 64 };

struct list {
    bool numbered;
    int next;
};

struct clean {
    const struct html_how *how;
    struct html_found found;
    struct buf *out;
    size_t from; /* where the body begins in out */
    struct line line;
    char prefix[16]; /* of the line at hand: "- " */
    char before;    /* the first character of the last line's prefix: items follow each other */
    bool new_block; /* an empty line is due */
    int flat, depth;
    bool lines; /* line ends count */
    struct list *list;
    bool full, deep; /* limits passed */
};

static void walk(struct clean *c, const GumboNode *element);

/* ---- lines ---- */

static void put_gap(struct clean *c, char kind)
{
    bool together = kind == c->before && kind && kind != '#';

    if (c->out->n > c->from)
        buf_adds(c->out, together || !c->new_block ? "\n" : "\n\n");
    c->before = kind;
    c->new_block = false;
}

static void put_line(struct clean *c)
{
    bool start = !c->prefix[0];

    line_end(&c->line, start);
    if (c->line.text.n && !c->full) {
        if (!start || c->before)
            c->new_block = true;
        put_gap(c, c->prefix[0] >= '0' && c->prefix[0] <= '9' ? '0' : c->prefix[0]);
        buf_adds(c->out, c->prefix);
        buf_add(c->out, c->line.text.p, c->line.text.n);
        c->full = c->out->n - c->from > HTML_BODY_MAX;
        c->prefix[0] = '\0';
    }
    line_clear(&c->line);
}

/* A block begins or ends here. */
static void part(struct clean *c)
{
    if (c->flat) {
        line_text(&c->line, " ", 1);
        return;
    }
    put_line(c);
    c->new_block = true;
}

static void put_text(struct clean *c, const char *s)
{
    size_t n;

    for (; c->lines && !c->flat && (n = strcspn(s, "\r\n")) < strlen(s); s += n + 1) {
        line_text(&c->line, s, n);
        put_line(c);
    }
    line_text(&c->line, s, strlen(s));
}

static void flat(struct clean *c, const GumboNode *element)
{
    bool bold = c->line.bold_wanted;

    c->line.bold_wanted = false;
    c->flat++;
    walk(c, element);
    c->flat--;
    c->line.bold_wanted = bold;
}

/* ---- what is not a paragraph ---- */

static void put_heading(struct clean *c, const GumboNode *element)
{
    static const char *const marks[] = { "# ", "## ", "### ", "#### ", "#### ", "#### " };

    if (c->flat) {
        part(c);
        walk(c, element);
        part(c);
        return;
    }
    part(c);
    snprintf(c->prefix, sizeof c->prefix, "%s", marks[element->v.element.tag - GUMBO_TAG_H1]);
    flat(c, element);
    part(c);
    c->prefix[0] = '\0';
}

static void put_list(struct clean *c, const GumboNode *element)
{
    struct list list = { .numbered = html_is(element, GUMBO_TAG_OL),
                         .next = html_number(element, "start", NUMBER_MAX, 1) };
    struct list *outer = c->list;

    part(c);
    c->list = &list;
    walk(c, element);
    c->list = outer;
    part(c);
}

static void put_item(struct clean *c, const GumboNode *element)
{
    int number = c->list && c->list->numbered
                     ? html_number(element, "value", NUMBER_MAX, c->list->next)
                     : 0;
    char mark[16] = "- ";

    part(c);
    if (number && number <= NUMBER_MAX) {
        c->list->next = number + 1;
        snprintf(mark, sizeof mark, "%d. ", number);
    }
    if (!c->flat)
        memcpy(c->prefix, mark, sizeof mark);
    walk(c, element);
    part(c);
    if (!c->flat)
        c->prefix[0] = '\0';
}

/* Where a link leads: to a file of ours, if the caller has it. */
static void aim(struct clean *c, struct buf *url)
{
    char name[65];

    if (!c->how->link || !c->how->link(c->how->arg, url->p, name))
        return;
    url->n = 0;
    buf_printf(url, "sha256:%s", name);
}

static void put_link(struct clean *c, const GumboNode *element)
{
    const char *href = html_attribute(element, "href");
    struct buf url = BUF_HEAP;
    bool leads = href && html_url(&url, c->how->base, href);

    if (!leads || c->line.link_wanted || c->line.link) {
        c->found.links_refused += href && !leads;
        walk(c, element);
    } else {
        aim(c, &url);
        c->line.link_wanted = true;
        c->flat++;
        walk(c, element);
        c->flat--;
        c->found.links += line_link_end(&c->line, url.p);
    }
    buf_done(&url);
}

static void put_picture(struct clean *c, const GumboNode *element)
{
    const char *src = html_attribute(element, "src"), *alt = html_attribute(element, "alt");
    enum html_picture what = PICTURE_WORDS;
    struct buf url = BUF_HEAP;
    char name[65] = "";
    bool linked = c->line.link_wanted || c->line.link;

    c->found.pictures++;
    c->found.wordless += !alt || !alt[strspn(alt, " \t\r\n")];
    if (src && html_url(&url, c->how->base, src))
        what = c->how->picture ? c->how->picture(c->how->arg, url.p, name) : PICTURE_LINK;
    if (what == PICTURE_BLOB && !linked) {
        line_picture(&c->line, alt ? alt : "", name);
    } else if (what == PICTURE_LINK && !linked) {
        c->line.link_wanted = true;
        put_text(c, "图片：");
        put_text(c, alt && *alt ? alt : "未说明");
        c->found.links += line_link_end(&c->line, url.p);
    } else if (alt) {
        put_text(c, alt);
    }
    buf_done(&url);
}

/* ---- tables ---- */

struct grid {
    int below[COLUMNS]; /* rows that a cell above still covers, for each column */
    int column;
    bool seen, head;
    struct buf row;
};

static void put_cell(struct grid *g, const struct buf *text)
{
    if (g->column >= COLUMNS)
        return;
    buf_adds(&g->row, g->column ? " | " : "| ");
    if (text && text->n) {
        buf_add(&g->row, text->p, text->n);
        g->seen = true;
    }
    g->column++;
}

static void put_covered(struct grid *g)
{
    while (g->column < COLUMNS && g->below[g->column]) {
        g->below[g->column]--;
        put_cell(g, NULL);
    }
}

static void read_cell(struct clean *c, const GumboNode *cell, struct grid *g)
{
    struct line outer = c->line;
    int columns = html_number(cell, "colspan", COLUMNS, 1);
    int rows = html_number(cell, "rowspan", ROWS, 1);

    put_covered(g);
    c->line = (struct line){ .cell = true };
    flat(c, cell);
    line_end(&c->line, false);
    for (int i = 0; i < columns && g->column < COLUMNS; i++) {
        g->below[g->column] = rows - 1;
        put_cell(g, i ? NULL : &c->line.text);
    }
    g->head &= html_is(cell, GUMBO_TAG_TH);
    buf_done(&c->line.text);
    c->line = outer;
}

static void put_row(struct clean *c, const GumboNode *row, struct grid *g, bool first)
{
    g->row.n = 0;
    g->column = 0;
    g->seen = false;
    g->head = true;
    for (unsigned i = 0; html_child(row, i) && !c->full; i++) {
        const GumboNode *cell = html_child(row, i);

        if ((html_is(cell, GUMBO_TAG_TD) || html_is(cell, GUMBO_TAG_TH)) &&
            html_role(cell, &c->found) != ROLE_DROP)
            read_cell(c, cell, g);
    }
    put_covered(g);
    if (!g->seen)
        return;
    c->new_block |= c->before != '|';
    put_gap(c, '|');
    buf_add(c->out, g->row.p, g->row.n);
    buf_adds(c->out, " |");
    if (first && g->head)
        buf_adds(c->out, "\n|-|");
    c->full = c->out->n - c->from > HTML_BODY_MAX;
}

static void put_rows(struct clean *c, const GumboNode *element, struct grid *g)
{
    for (unsigned i = 0; html_child(element, i) && !c->full; i++) {
        const GumboNode *node = html_child(element, i);

        if (node->type != GUMBO_NODE_ELEMENT || html_role(node, &c->found) == ROLE_DROP)
            continue;
        if (html_is(node, GUMBO_TAG_TR))
            put_row(c, node, g, c->before != '|' || c->new_block);
        else if (html_is(node, GUMBO_TAG_CAPTION))
            walk(c, node), part(c);
        else
            put_rows(c, node, g);
    }
}

static void put_table(struct clean *c, const GumboNode *element)
{
    struct grid g = { .row = BUF_HEAP };

    part(c);
    if (c->flat || !html_is_data_table(element)) {
        walk(c, element);
        part(c);
        return;
    }
    c->found.tables++;
    c->prefix[0] = '\0';
    c->before = '\0';
    put_rows(c, element, &g);
    c->before = '\0';
    c->new_block = true;
    buf_done(&g.row);
}

/* ---- the walk ---- */

static void put_lines(struct clean *c, const GumboNode *element)
{
    bool outer = c->lines;

    part(c);
    c->lines = true;
    walk(c, element);
    c->lines = outer;
    part(c);
}

static void put_block(struct clean *c, const GumboNode *element)
{
    part(c);
    walk(c, element);
    part(c);
}

static void put_break(struct clean *c, const GumboNode *element)
{
    (void)element;
    if (c->flat || c->prefix[0])
        line_text(&c->line, " ", 1);
    else
        put_line(c);
}

static void drop(struct clean *c, const GumboNode *element)
{
    (void)c, (void)element;
}

static void (*const writers[])(struct clean *, const GumboNode *) = {
    [ROLE_INLINE] = walk,     [ROLE_BLOCK] = put_block,     [ROLE_HEADING] = put_heading,
    [ROLE_LIST] = put_list,   [ROLE_ITEM] = put_item,       [ROLE_TABLE] = put_table,
    [ROLE_LINK] = put_link,   [ROLE_PICTURE] = put_picture, [ROLE_BREAK] = put_break,
    [ROLE_LINES] = put_lines, [ROLE_DROP] = drop,
};

/* Letters of MathML stand in its tokens; what is between them is layout. */
static bool is_read(const GumboNode *element)
{
    GumboTag tag = element->v.element.tag;

    return element->v.element.tag_namespace != GUMBO_NAMESPACE_MATHML || tag == GUMBO_TAG_MI ||
           tag == GUMBO_TAG_MO || tag == GUMBO_TAG_MN || tag == GUMBO_TAG_MS ||
           tag == GUMBO_TAG_MTEXT;
}

static void walk(struct clean *c, const GumboNode *element)
{
    bool bold = c->line.bold_wanted;

    if (++c->depth > DEEPEST)
        c->deep = c->full = true;
    if (!c->flat)
        c->line.bold_wanted = html_is_bold(element, bold);
    for (unsigned i = 0; html_child(element, i) && !c->full; i++) {
        const GumboNode *node = html_child(element, i);

        if (node->type == GUMBO_NODE_ELEMENT)
            writers[html_role(node, &c->found)](c, node);
        else if (node->type != GUMBO_NODE_COMMENT && node->type != GUMBO_NODE_TEMPLATE &&
                 is_read(element))
            put_text(c, node->v.text.text);
    }
    if (!c->flat)
        c->line.bold_wanted = bold;
    c->depth--;
}

enum rc html_clean(struct err *e, const char *html, size_t n, const struct html_how *how,
                   struct buf *out, struct html_found *found)
{
    struct clean c = { .how = how, .out = out, .from = out->n };
    struct html_tree *tree;
    const GumboNode *body;
    enum rc rc;

    if ((rc = html_tree_parse(e, html, n, &tree)))
        return rc;
    if ((body = html_tree_body(tree)))
        put_block(&c, body);
    html_tree_free(tree);
    buf_done(&c.line.text);
    if (c.full) {
        out->n = c.from;
        return err_set(e, RC_TOO_LARGE, c.deep ? "网页层层嵌套太深" : "网页的正文超过 %d 字节",
                       HTML_BODY_MAX);
    }
    if (found)
        *found = c.found;
    return RC_OK;
}
