/*
 * router.c - the table as a tree of segments.
 *
 *     /v1/items      --> v1 - items - :id - revisions
 *     /v1/items/:id               \ - new
 *
 * A node's literal children are sorted: what stands under /v1 are some sixty names. The tree is built by routes_set() before the first request and only read
 * afterwards.
 */
#include "server/http/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/memory.h"

struct node {
    struct span name;      /* of a literal */
    struct node **literal; /* its literal children, by compare() */
    size_t literals;
    struct node *parameter; /* the child that takes any segment */
    const struct route *route[METHOD_COUNT];
};

static struct node *root;

static struct node *node_new(struct span name)
{
    struct node *n = calloc(1, sizeof *n);

    if (!n)
        memory_end();
    n->name = name;
    return n;
}

static void node_free(struct node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->literals; i++)
        node_free(n->literal[i]);
    node_free(n->parameter);
    free(n->literal);
    free(n);
}

static int compare(struct span a, struct span b)
{
    return a.n != b.n ? (a.n < b.n ? -1 : 1) : memcmp(a.p, b.p, a.n);
}

/* Where the child of that name stands, or would. */
static size_t place_of(const struct node *n, struct span name)
{
    size_t from = 0, to = n->literals;

    while (from < to) {
        size_t middle = (from + to) / 2;

        if (compare(n->literal[middle]->name, name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct node *literal_child(const struct node *n, struct span name)
{
    size_t at = place_of(n, name);

    return at < n->literals && !compare(n->literal[at]->name, name) ? n->literal[at] : NULL;
}

static struct node *add_literal(struct node *n, struct span name)
{
    size_t at = place_of(n, name);

    n->literal = realloc(n->literal, (n->literals + 1) * sizeof(struct node *));
    if (!n->literal)
        memory_end();
    memmove(n->literal + at + 1, n->literal + at, (n->literals - at) * sizeof(struct node *));
    n->literals++;
    return n->literal[at] = node_new(name);
}

static struct node *grow(struct node *n, struct span name)
{
    struct node *child;

    if (name.p[0] == ':') {
        if (!n->parameter)
            n->parameter = node_new(name);
        return n->parameter;
    }
    child = literal_child(n, name);
    return child ? child : add_literal(n, name);
}

static bool declares(const struct route *r, struct span name)
{
    for (const struct param *p = r->params; p && p->name; p++)
        if (strlen(p->name) == name.n && !memcmp(p->name, name.p, name.n))
            return true;
    return false;
}

/* What a row promises elsewhere, checked where everybody passes: a mistake in the table ends
 * the program at its start. */
static void check_row(const struct route *r)
{
    int params = 0;

    assert(r->path[0] == '/' && r->handler && r->method != HEAD && r->method != OPTIONS);
    assert(r->right);
    assert((!r->prepare && !r->early) || r->where == ON_WRITER);
    assert(!r->prompt || (r->where == ON_WORKER && !(r->flags & R_CACHED)));
    /* Answers are kept by the actor's name, and nobody's answer is for everybody. */
    assert(r->where != ON_WRITER || r->right != RIGHT_READ || r->flags & R_NO_KEY);
    assert(!(r->flags & R_CACHED) ||
           (r->method == GET && r->right == RIGHT_READ && r->where != ON_WRITER));
    assert(!(r->flags & R_FOREVER) || r->flags & R_CACHED);
    assert(!r->body_max || r->method != GET);
    assert(!(r->flags & R_ANY_ORIGIN) || !(r->flags & R_PAGE));
    assert(!(r->flags & R_FORM) || !(r->flags & (R_CACHED | R_LINES | R_BYTES)));
    for (const struct param *p = r->params; p && p->name; p++)
        params++;
    assert(params <= REQUEST_ARGS);
}

static void add_row(const struct route *r)
{
    struct node *n = root;
    int depth = 0;

    check_row(r);
    for (const char *at = r->path; *at && strcmp(at, "/");) {
        size_t length = strcspn(at + 1, "/");
        struct span name = { at + 1, length };

        assert(length > 0 && ++depth <= TARGET_SEGMENTS);
        assert(name.p[0] != ':' || declares(r, (struct span){ name.p + 1, length - 1 }));
        n = grow(n, name);
        at += 1 + length;
    }
    assert(!n->route[r->method]);
    n->route[r->method] = r;
}

void routes_set(const struct route *table)
{
    node_free(root);
    root = node_new((struct span){ "", 0 });
    for (const struct route *r = table; r->path; r++)
        add_row(r);
}

static unsigned methods_of(const struct node *n)
{
    unsigned methods = 0;

    for (int m = 0; m < METHOD_COUNT; m++)
        if (n->route[m])
            methods |= 1u << m;
    if (methods & 1u << GET)
        methods |= 1u << HEAD;
    return methods;
}

/* The node with routes that the segments from `at` on lead to; goes back when a literal leads
 * nowhere. */
static const struct node *descend(const struct node *n, const struct target *t, int at)
{
    const struct node *found = NULL;
    const struct node *child;

    if (at == t->nsegments)
        return methods_of(n) ? n : NULL;
    if (t->segment[at].n == 0)
        return NULL;
    child = literal_child(n, t->segment[at]);
    if (child)
        found = descend(child, t, at + 1);
    if (!found && n->parameter)
        found = descend(n->parameter, t, at + 1);
    return found;
}

struct match router_find(const struct target *t, enum method m)
{
    const struct node *n = root ? descend(root, t, 0) : NULL;

    if (!n)
        return (struct match){ 0 };
    return (struct match){ n->route[m == HEAD ? GET : m], methods_of(n) };
}

const char *router_allow(struct arena *mem, unsigned methods)
{
    struct buf b = BUF_IN(mem);

    for (int m = 0; m < METHOD_COUNT; m++) {
        if (m != OPTIONS && !(methods & 1u << m))
            continue;
        if (b.n)
            buf_adds(&b, ", ");
        buf_adds(&b, method_name((enum method)m));
    }
    return b.p;
}
