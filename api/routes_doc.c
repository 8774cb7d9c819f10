/*
 * routes_doc.c - docs/reference/routes.md, and how a path looks in documents: printed from the route table.
 */
#include "api/routes.h"

#include <string.h>

#include "api/roles.h"

static const struct {
    enum where where;
    const char *name;
} wheres[] = { { ON_LOOP, "loop" }, { ON_WORKER, "worker" }, { ON_WRITER, "writer" } };

void routes_put_path(struct buf *out, const struct route *r)
{
    bool open = false;

    for (const char *p = r->path; *p; p++) {
        if (*p == '/' && open)
            buf_addc(out, '}');
        open = *p == ':' || (open && *p != '/');
        buf_addc(out, *p == ':' ? '{' : *p);
    }
    if (open)
        buf_addc(out, '}');
}

static void print_params(struct buf *out, const struct param *p)
{
    for (bool first = true; p && p->name; p++, first = false)
        buf_printf(out, "%s`%s`", first ? "" : " ", p->name);
}

static void print_row(struct buf *out, const struct route *r)
{
    char rights[RIGHTS_TEXT];

    buf_printf(out, "| `%s %s` | %s | %s | %s%s | ", method_name(r->method), r->path,
               r->right == RIGHT_READ ? "—" : rights_text(r->right, rights),
               wheres[r->where].name, r->flags & R_CACHED ? "cached" : "",
               r->flags & R_NO_KEY ? "no key" : "");
    print_params(out, r->params);
    if (r->body_max)
        buf_printf(out, " | %lld KB", (long long)r->body_max / 1024);
    else
        buf_adds(out, " | ");
    buf_printf(out, " | %s |\n", r->summary);
}

void routes_print_doc(struct buf *out)
{
    const char *tag = "";

    buf_adds(
        out,
        "# Routes\n\nPrinted by `tjzw print-routes` from `api/routes.c`. Right: what a bearer "
        "token must hold, — is "
        "everybody. Runs on: see docs/ARCHITECTURE.md. `no key`: takes no Idempotency-Key.\n");
    for (const struct route *r = routes_table; r->path; r++) {
        if (strcmp(tag, r->tag)) {
            tag = r->tag;
            buf_printf(
                out,
                "\n## %s\n\n| route | right | runs on | answer | parameters | body | what |\n"
                "|---|---|---|---|---|---|---|\n",
                tag);
        }
        print_row(out, r);
    }
    roles_print_doc(out);
}
