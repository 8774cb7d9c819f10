/*
 * site.c - sites, and the directory that tells phones what a record's numbers mean.
 *
 * The directory lists what is open. Something closed stays in it as long as a published item
 * points at it, with all that stands above it, so that no number is ever without a name.
 */
#include "server/library/site.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/change.h"
#include "server/library/column.h"
#include "server/library/field.h"
#include "server/library/org.h"
#include "server/library/row.h"
#include "server/library/stream.h"

enum { CODE_MAX = 64, SITE_NAME_MAX = 64, DOMAIN_MAX = 253 };

static enum rc check(struct work *w, const struct site *s)
{
    struct org org;
    enum rc rc;

    if ((rc = field_need_line(&w->err, "name", s->name, SITE_NAME_MAX)) ||
        (s->domain && (rc = field_check_line(&w->err, "domain", s->domain, strlen(s->domain), 1,
                                             DOMAIN_MAX))))
        return rc;
    if (s->domain &&
        strspn(s->domain, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(s->domain))
        return err_field(&w->err, "domain", "\"%.80s\" is not a domain name", s->domain);
    if (!s->org)
        return RC_OK;
    return org_by_no(w, s->org, &org);
}

static struct site read_row(struct work *w, const struct rows *q)
{
    return (struct site){
        .no = rows_int(q, 0),
        .stream = rows_int(q, 1),
        .code = rows_dup_text(w, q, 2),
        .name = rows_dup_text(w, q, 3),
        .domain = rows_dup_text(w, q, 4),
        .org = rows_int(q, 5),
        .open = !strcmp(rows_text(q, 6), "open"),
        .created = rows_int(q, 7),
    };
}

/*
 * It stands in file names of exports and in logs of others, so it must not look like a way
 * elsewhere. A slash between two names stays: 最高人民法院/最高人民检察院 publish together. In
 * an address, where a slash cannot stand, such a site goes by its number.
 */
static enum rc check_code(struct err *e, const char *code)
{
    static const char wide[] = "\xe3\x80\x80"; /* U+3000, the blank of Chinese typing */
    size_t n, blank = strlen(wide);
    enum rc rc;

    if ((rc = field_need_line(e, "code", code, CODE_MAX)))
        return rc;
    n = strlen(code);
    if (strchr("./", code[0]) || code[n - 1] == '/' || strstr(code, "//") ||
        strstr(code, "/.") || strchr(code, '\\'))
        return err_field(e, "code",
                         "a site's code is no path: no backslash, no dot or slash "
                         "first, no slash last");
    if (code[0] == ' ' || code[n - 1] == ' ' || !strncmp(code, wide, blank) ||
        (n >= blank && !strcmp(code + n - blank, wide)))
        return err_field(e, "code", "a site's code has no blank at its ends");
    return RC_OK;
}

enum rc site_create(struct work *w, struct site *in)
{
    struct stream stream;
    struct rows q;
    enum rc rc;

    if (!actor_has_at(&w->who, RIGHT_EDIT, EVERYWHERE))
        return err_set(&w->err, RC_FORBIDDEN,
                       "to make the site \"%.64s\" %s needs the right \"edit\" for all sites",
                       in->code, w->who.name);
    if ((rc = check_code(&w->err, in->code)) || (rc = check(w, in)) ||
        (rc = stream_by_no(w, in->stream, &stream)) || (rc = stream_check_own(w, &stream)))
        return rc;
    in->created = clock_now();
    in->open = true;
    rc = db_one(w, SQL_site_add, &q, "itttii", in->stream, in->code, in->name, in->domain,
                in->org, in->created);
    if (!rc)
        in->no = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) == RC_CONFLICT)
        return err_set(&w->err, rc, "there is a site \"%.64s\" already", in->code);
    if (!rc)
        change_directory(w, in->stream);
    return rc;
}

enum rc site_edit(struct work *w, const struct site *in)
{
    struct site old;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_EDIT, in->no)) || (rc = site_by_no(w, in->no, &old)) ||
        (rc = stream_need_own(w, old.stream)) || (rc = check(w, in)) ||
        (rc = db_change(w, SQL_site_set, "ittit", in->no, in->name, in->domain, in->org,
                        in->open ? "open" : "closed")))
        return rc;
    change_directory(w, old.stream);
    return RC_OK;
}

enum rc site_find(struct work *w, const char *code, struct site *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_site_by_code, &q, "t", code);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no site \"%.64s\"", code);
    return rc;
}

enum rc site_by_no(struct work *w, int64_t no, struct site *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_site_by_no, &q, "i", no);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no site %d", (int)no);
    return rc;
}

enum rc site_list(struct work *w, int64_t stream, struct site **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_site_of_stream, &q, "i", stream)))
        return rc;
    while (rows_next(&q)) {
        struct site s = read_row(w, &q);

        buf_add(&list, &s, sizeof s);
    }
    if ((rc = rows_done(&q)))
        return rc;
    *out = (struct site *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

struct entry { /* a column of the directory */
    struct column c;
    bool listed;
};

static enum rc load_entries(struct work *w, int64_t stream, struct entry **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_column_of_directory, &q, "i", stream)))
        return rc;
    while (rows_next(&q)) {
        struct entry e = { .c = { .no = rows_int(&q, 0),
                                  .site = rows_int(&q, 1),
                                  .parent = rows_int(&q, 2),
                                  .name = rows_dup_text(w, &q, 3),
                                  .path = rows_dup_text(w, &q, 4),
                                  .type = rows_dup_text(w, &q, 5),
                                  .keywords = rows_dup_text(w, &q, 6),
                                  .position = rows_int(&q, 7) },
                           .listed = rows_int(&q, 8) };

        buf_add(&list, &e, sizeof e);
    }
    *out = (struct entry *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

/* A parent was made before its children, so its number is lower: one pass from the end is
 * enough. */
static void list_parents(struct entry *e, int n)
{
    for (int i = n - 1; i >= 0; i--)
        for (int p = i - 1; p >= 0 && e[i].listed && e[i].c.parent; p--)
            if (e[p].c.no == e[i].c.parent) {
                e[p].listed = true;
                break;
            }
}

static void put_column(struct buf *out, const struct column *c)
{
    if (out->p[out->n - 1] != '[')
        buf_addc(out, ',');
    buf_addc(out, '{');
    jx_put_text(out, "keywords", c->keywords);
    jx_put_text(out, "name", c->name);
    jx_put_int(out, "no", c->no);
    jx_put_int(out, "parent", c->parent);
    jx_put_text(out, "path", c->path);
    jx_put_int(out, "position", c->position);
    jx_put_int(out, "site", c->site);
    jx_put_text(out, "type", c->type);
    buf_addc(out, '}');
}

static bool has_listed(const struct entry *e, int n, int64_t site)
{
    for (int i = 0; i < n; i++)
        if (e[i].listed && e[i].c.site == site)
            return true;
    return false;
}

static void put_site(struct buf *out, const struct site *s)
{
    if (out->p[out->n - 1] != '[')
        buf_addc(out, ',');
    buf_addc(out, '{');
    jx_put_text(out, "code", s->code);
    jx_put_text(out, "domain", s->domain);
    jx_put_text(out, "name", s->name);
    jx_put_int(out, "no", s->no);
    buf_addc(out, '}');
}

enum rc directory_json(struct work *w, int64_t stream, struct buf *out)
{
    struct entry *columns;
    struct site *sites;
    int columns_n, sites_n;
    enum rc rc;

    if ((rc = load_entries(w, stream, &columns, &columns_n)) ||
        (rc = site_list(w, stream, &sites, &sites_n)))
        return rc;
    list_parents(columns, columns_n);
    buf_adds(out, "{\"columns\":[");
    for (int i = 0; i < columns_n; i++)
        if (columns[i].listed)
            put_column(out, &columns[i].c);
    buf_adds(out, "],\"sites\":[");
    for (int i = 0; i < sites_n; i++)
        if (sites[i].open || has_listed(columns, columns_n, sites[i].no))
            put_site(out, &sites[i]);
    buf_adds(out, "]}");
    return RC_OK;
}
