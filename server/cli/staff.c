/*
 * staff.c - org, site, column, item, mirror, roles, letters and parties commands: each is one request to the API,
 * described by a row.
 *
 * What stands in the path comes from the positional argument; every option that is set becomes,
 * under its own name, a member of the JSON body or a parameter of the query; a FILE argument is
 * the body itself. The answer is printed as it came.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/cli/staff.h"

enum { FILE_MAX = 1024 * 1024 };

/* Options that say where to go, not what to do. --rev goes into If-Match; --csv asks for the same as a table. */
static bool is_payload(const struct opt *o)
{
    static const char *const others[] = { "data",   "server", "token-file", "cacert",
                                          "config", "rev",    "profile",    "csv" };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(o->name, others[i]))
            return false;
    return true;
}

static void put_list(struct buf *out, const char *name, const struct conf_list *list)
{
    jx_key(out, name);
    buf_addc(out, '[');
    for (int i = 0; i < list->n; i++) {
        buf_adds(out, i ? "," : "");
        jx_quote(out, list->v[i], strlen(list->v[i]));
    }
    buf_addc(out, ']');
}

static void body_of_options(const struct args *a, struct buf *out)
{
    const struct opt *opts = a->command->opts;
    const struct staff *s = a->command->request;

    buf_addc(out, '{');
    if (s->member)
        jx_put_text(out, s->member, a->pos[0]);
    for (int i = 0; opts[i].name; i++) {
        if (!a->opt[i].set || !is_payload(&opts[i]))
            continue;
        if (opts[i].kind == OPT_INT)
            jx_put_int(out, opts[i].name, a->opt[i].num);
        else if (opts[i].kind == OPT_BOOL || opts[i].kind == OPT_FLAG)
            jx_put_bool(out, opts[i].name, opts[i].kind == OPT_FLAG || a->opt[i].num);
        else if (opts[i].kind == OPT_LIST)
            put_list(out, opts[i].name, &a->opt[i].list);
        else
            jx_put_text(out, opts[i].name, a->opt[i].text);
    }
    buf_addc(out, '}');
}

static void query_of_options(const struct args *a, struct buf *out)
{
    const struct opt *opts = a->command->opts;
    char mark = out->n && memchr(out->p, '?', out->n) ? '&' : '?';

    for (int i = 0; opts[i].name; i++) {
        if (!a->opt[i].set || !is_payload(&opts[i]))
            continue;
        buf_printf(out, "%c%s=", mark, opts[i].name);
        buf_url(out, a->opt[i].text, strlen(a->opt[i].text));
        mark = '&';
    }
}

static enum rc read_stdin(struct err *e, struct buf *out)
{
    char chunk[8192];
    size_t n;

    while ((n = fread(chunk, 1, sizeof chunk, stdin))) {
        if (out->n + n > FILE_MAX)
            return err_set(e, RC_TOO_LARGE, "standard input has more than %d bytes", FILE_MAX);
        buf_add(out, chunk, n);
    }
    return RC_OK;
}

static enum rc body_of_file(struct err *e, struct arena *mem, const char *path, struct buf *out)
{
    char *text;
    size_t n;
    enum rc rc;

    if (!strcmp(path, "-"))
        return read_stdin(e, out);
    if ((rc = fs_read(e, mem, path, FILE_MAX, &text, &n)))
        return rc;
    buf_add(out, text, n);
    return RC_OK;
}

/* "/v1/items/%/publish": the positional arguments take the places of the %. */
static void path_of(const struct args *a, const char *path, struct buf *out)
{
    for (int i = 0; *path; path++) {
        if (*path == '%') {
            buf_url(out, a->pos[i], strlen(a->pos[i]));
            i++;
        } else
            buf_addc(out, *path);
    }
}

static const struct {
    const char *noun; /* of the command; NULL: any */
    enum rc rc;
    const char *mend;
} hints[] = {
    { "item", RC_CONFLICT,
      "see where it stands: tjzw item show ID; the steps are submit, approve, publish, "
      "withdraw" },
    { "item", RC_PRECONDITION,
      "somebody else was quicker: look at tjzw item show ID and edit that revision" },
    { "item", RC_UNFIT, "all that stands against it: tjzw item show ID" },
    { "item", RC_NOT_FOUND,
      "the ids: tjzw item list --state published; the columns: tjzw column list" },
    { "column", RC_NOT_FOUND, "the numbers: tjzw column list; the sites: tjzw site list" },
    { "letters", RC_CONFLICT, "see where it stands: tjzw letters show LETTER" },
    { "letters", RC_NOT_FOUND,
      "the numbers: tjzw letters list; the organisations: tjzw org list" },
    { "push", RC_CONFLICT, "see where it stands: tjzw push show CAMPAIGN" },
    { "push", RC_NOT_FOUND, "the numbers: tjzw push list" },
    { "warning", RC_CONFLICT, "see what is there: tjzw warning senders" },
    { "warning", RC_NOT_FOUND, "the codes: tjzw warning senders" },
    { "parties", RC_CONFLICT, "what is there: tjzw parties show ID, tjzw parties keys ID" },
    { "parties", RC_NOT_FOUND, "the ids: tjzw parties list; the keys: tjzw parties keys ID" },
    { "organisations", RC_NOT_FOUND, "who is there: tjzw organisations list" },
    { "roles", RC_CONFLICT, "what the account holds: tjzw roles show ACCOUNT" },
    { "roles", RC_NOT_FOUND, "what the account holds: tjzw roles show ACCOUNT" },
    { "devices", RC_CONFLICT, "what is there: tjzw devices list" },
    { "devices", RC_NOT_FOUND, "what is there: tjzw devices list" },
    { "mirror", RC_NOT_FOUND, "the names: tjzw mirror list" },
    { "site rule", RC_NOT_FOUND, "the rules: tjzw site rules SITE; the sites: tjzw site list" },
    { NULL, RC_CONFLICT, "choose another --code, or change the one that is there with edit" },
    { NULL, RC_NOT_FOUND, "the codes: tjzw site list, tjzw org list" },
    { NULL, RC_INVALID, "see the command's --help" },
};

static const char *hint(const struct args *a, struct arena *mem, const struct err *e)
{
    if (e->field[0])
        return arena_printf(mem, "the fault is in %s; see the command's --help", e->field);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (hints[i].rc == e->rc && (!hints[i].noun || !strncmp(a->command->name, hints[i].noun,
                                                                strlen(hints[i].noun))))
            return hints[i].mend;
    return link_hint(e);
}

static int call(const struct args *a, struct link *l, struct arena *mem)
{
    const struct staff *s = a->command->request;
    struct buf target = BUF_IN(mem), body = BUF_IN(mem);
    const char *headers[2] = { "content-type: application/json", NULL };
    struct link_answer answer;
    struct err e = { 0 };

    path_of(a, s->path, &target);
    if (arg_flag(a, "csv"))
        buf_adds(&target, ".csv");
    if (s->payload == STAFF_QUERY)
        query_of_options(a, &target);
    else if (s->payload == STAFF_OPTIONS)
        body_of_options(a, &body);
    else if (s->payload == STAFF_FILE && body_of_file(&e, mem, a->pos[a->npos - 1], &body))
        return cli_fail(&e, a->command->name, "name a JSON file, or - for standard input");
    if (arg_text(a, "rev", NULL)) /* the revision the editor saw */
        headers[0] = arena_printf(mem, "if-match: \"%s\"", arg_text(a, "rev", NULL));
    if (link_call(l, &e, mem, s->method, target.p,
                  body.n || arg_text(a, "rev", NULL) ? headers : NULL, body.p, body.n, &answer))
        return cli_fail(&e, a->command->name, link_hint(&e));
    if (answer.status >= 300 && link_problem(&e, mem, &answer))
        return cli_fail(&e, a->command->name, hint(a, mem, &e));
    if (answer.len) {
        fwrite(answer.body, 1, answer.len, stdout);
        if (isatty(STDOUT_FILENO) && answer.body[answer.len - 1] != '\n')
            putchar('\n');
    }
    return 0;
}

int cmd_staff(const struct args *a)
{
    return link_command(a, false, a->command->name, call);
}
