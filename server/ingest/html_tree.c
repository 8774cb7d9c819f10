/*
 * html_tree.c - libgumbo, held by its memory.
 *
 * libgumbo asks nobody but us for memory, so what it asks for tells what it is doing, and where to
 * stop it:
 *
 *     a block as large as a node        one element or text more; the one before it has its parent
 *                                       by now, so its depth is known
 *     a block as large as an attribute  one attribute more since the last node
 *     any                               so many bytes more
 *
 * Without a limit of depth an end tag that finds nothing to end costs a walk over all that is open;
 * without one of attributes each is compared with all others of its tag; without one of nodes a
 * few bytes of formatting are opened again in every paragraph. Past a limit we leave by longjmp():
 * libgumbo holds nothing but memory, and every block is in our list.
 *
 * Not here: what a page may keep (html_clean.c).
 */
#include "server/ingest/html_tree.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

/* Before each block that libgumbo has, but for nodes. */
struct block {
    struct block *next, *last;
    size_t size;
};

/* Blocks as large as a node, which may be a string that happens to be: only depths that lead from
 * one of these to another are believed. None is used twice. */
struct room {
    GumboNode node;
    size_t depth; /* 0: not known yet */
};

enum { SHELVES = 12, FIRST_SHELF = 256 }; /* each holds twice as many as the one before */

struct html_tree {
    struct block blocks; /* the ring's head */
    struct room *shelves[SHELVES];
    int shelf;
    size_t on_shelf;    /* taken of the last one */
    struct room *fresh; /* the last node, whose parent is not known yet */
    size_t bytes, nodes, attributes;
    const char *passed; /* the limit that was */
    jmp_buf out;
    GumboOutput *output;
};

static const char too_deep[] = "层层嵌套太深", too_many[] = "元素太多",
                  too_rich[] = "一个标签的属性太多", too_big[] = "解析所需的内存太多";

static _Noreturn void leave(struct html_tree *t, const char *limit)
{
    t->passed = limit;
    longjmp(t->out, 1);
}

static size_t shelf_size(int shelf)
{
    return (size_t)FIRST_SHELF << shelf;
}

/* The room that p is; NULL: none. */
static struct room *room_of(const struct html_tree *t, const void *p)
{
    for (int i = t->shelf; i >= 0 && t->shelves[i]; i--) {
        size_t at = (size_t)((uintptr_t)p - (uintptr_t)t->shelves[i]);

        if (at < shelf_size(i) * sizeof(struct room) && at % sizeof(struct room) == 0)
            return t->shelves[i] + at / sizeof(struct room);
    }
    return NULL;
}

/* Nodes without a parent are the document, and copies that a few steps later have one. */
static size_t depth_of(const struct html_tree *t, const struct room *node)
{
    size_t above = 0;
    const struct room *up;

    while (!node->depth && above <= HTML_DEPTH_MAX && (up = room_of(t, node->node.parent))) {
        node = up;
        above++;
    }
    return (node->depth ? node->depth : 1) + above;
}

static struct room *new_room(struct html_tree *t)
{
    struct room *r;

    if (t->shelves[t->shelf] && t->on_shelf == shelf_size(t->shelf)) {
        t->shelf++;
        t->on_shelf = 0;
    }
    if (!t->shelves[t->shelf] &&
        !(t->shelves[t->shelf] = malloc(shelf_size(t->shelf) * sizeof *r)))
        abort();
    r = t->shelves[t->shelf] + t->on_shelf++;
    *r = (struct room){ 0 };
    return r;
}

static void *take_node(struct html_tree *t)
{
    if (t->fresh) {
        t->fresh->depth = depth_of(t, t->fresh);
        if (t->fresh->depth > HTML_DEPTH_MAX)
            leave(t, too_deep);
    }
    t->attributes = 0;
    if (++t->nodes > HTML_NODES_MAX)
        leave(t, too_many);
    t->fresh = new_room(t);
    return &t->fresh->node;
}

static void *take(void *arg, size_t size)
{
    struct html_tree *t = arg;
    struct block *b;

    if ((t->bytes += size + sizeof *b) > HTML_MEMORY_MAX)
        leave(t, too_big);
    if (size == sizeof(GumboNode))
        return take_node(t);
    if (size == sizeof(GumboAttribute) && ++t->attributes > HTML_ATTRIBUTES_MAX)
        leave(t, too_rich);
    if (!(b = malloc(sizeof *b + size)))
        abort();
    *b = (struct block){ .next = t->blocks.next, .last = &t->blocks, .size = size };
    b->next->last = b;
    t->blocks.next = b;
    return b + 1;
}

static void give_back(void *arg, void *p)
{
    struct html_tree *t = arg;
    struct room *room;
    struct block *b;

    if (!p)
        return;
    if ((room = room_of(t, p))) {
        t->fresh = t->fresh == room ? NULL : t->fresh;
        return;
    }
    b = (struct block *)p - 1;
    t->bytes -= b->size + sizeof *b;
    b->next->last = b->last;
    b->last->next = b->next;
    free(b);
}

static enum rc parse(struct html_tree *t, const char *html, size_t n)
{
    GumboOptions options = kGumboDefaultOptions;

    options.allocator = take;
    options.deallocator = give_back;
    options.userdata = t;
    options.max_errors = 0; /* every page of the web has some */
    if (setjmp(t->out))
        return RC_TOO_LARGE;
    t->output = gumbo_parse_with_options(&options, html, n);
    return RC_OK;
}

enum rc html_tree_parse(struct err *e, const char *html, size_t n, struct html_tree **out)
{
    struct html_tree *t;
    enum rc rc;

    if (n > HTML_MAX)
        return err_set(e, RC_TOO_LARGE, "网页超过 %d 字节", HTML_MAX);
    if (!(t = calloc(1, sizeof *t)))
        abort();
    t->blocks.next = t->blocks.last = &t->blocks;
    if ((rc = parse(t, html, n))) {
        rc = err_set(e, rc, "网页%s", t->passed);
        html_tree_free(t);
        return rc;
    }
    *out = t;
    return RC_OK;
}

/* Not by gumbo_destroy_output(): it goes down by recursion, and our list is shorter. */
void html_tree_free(struct html_tree *t)
{
    if (!t)
        return;
    for (struct block *b = t->blocks.next, *next; b != &t->blocks; b = next) {
        next = b->next;
        free(b);
    }
    for (int i = 0; i < SHELVES; i++)
        free(t->shelves[i]);
    free(t);
}

const GumboNode *html_tree_body(const struct html_tree *t)
{
    const GumboVector *children = &t->output->root->v.element.children;

    for (unsigned i = 0; i < children->length; i++) {
        const GumboNode *node = children->data[i];

        if (node->type == GUMBO_NODE_ELEMENT && node->v.element.tag == GUMBO_TAG_BODY)
            return node;
    }
    return NULL;
}
