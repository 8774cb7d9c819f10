/*
 * org.c - organisations, and how a region's code is built.
 *
 *     12 01 06 001 201      province, city, county (GB/T 2260), street or town, village
 *
 * A part of zeros means "not further"; nothing may follow it, but for cities without counties,
 * whose streets stand at county 00 (东莞 4419 00 003).
 */
#include "server/library/org.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/generation.h"
#include "server/identity/party_reach.h"
#include "server/library/field.h"
#include "server/library/row.h"

enum { CODE_MAX = 64, ORG_NAME_MAX = 100 };

static bool is_zero(const char *s, size_t n)
{
    return strspn(s, "0") >= n;
}

static bool is_province(const char *s)
{
    static const char known[] =
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 "
        "50 51 52 53 54 61 62 63 64 65 71 81 82";
    char two[3] = { s[0], s[1], '\0' };

    return strstr(known, two);
}

bool org_region_ok(const char *code)
{
    size_t n = strlen(code);

    if ((n != 6 && n != 9 && n != 12) || strspn(code, "0123456789") != n || !is_province(code))
        return false;
    if (is_zero(code + 2, 2) && !is_zero(code + 4, n - 4))
        return false;
    if (n > 6 && is_zero(code + 6, 3))
        return false;
    return n < 12 || !is_zero(code + 9, 3);
}

/* No organisation stands above itself, however far up. */
static enum rc check_parents(struct work *w, const struct org *o)
{
    struct org above;
    enum rc rc;

    for (int64_t no = o->parent; no; no = above.parent) {
        if (no == o->no)
            return err_field(&w->err, "parent", "an organisation cannot stand above itself");
        if ((rc = org_by_no(w, no, &above)))
            return rc;
    }
    return RC_OK;
}

static enum rc check(struct work *w, const struct org *o)
{
    enum rc rc;

    if ((rc = field_need_line(&w->err, "name", o->name, ORG_NAME_MAX)))
        return rc;
    if (o->region && !org_region_ok(o->region))
        return err_field(&w->err, "region", "\"%.20s\" is not built as a region's code",
                         o->region);
    return check_parents(w, o);
}

/* Public answers name organisations. */
static void tell(void *unused)
{
    (void)unused;
    generation_next();
}

static void changed(struct work *w)
{
    party_reach_public(w);
    work_after_commit(w, tell, NULL);
}

static struct org read_row(struct work *w, const struct rows *q)
{
    return (struct org){
        .no = rows_int(q, 0),
        .code = rows_dup_text(w, q, 1),
        .name = rows_dup_text(w, q, 2),
        .region = rows_dup_text(w, q, 3),
        .parent = rows_int(q, 4),
    };
}

enum rc org_create(struct work *w, struct org *in)
{
    struct rows q;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_EDIT, EVERYWHERE)) ||
        (rc = field_need_line(&w->err, "code", in->code, CODE_MAX)) || (rc = check(w, in)))
        return rc;
    rc = db_one(w, SQL_org_add, &q, "ttti", in->code, in->name, in->region, in->parent);
    if (!rc)
        in->no = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) == RC_CONFLICT)
        return err_set(&w->err, rc, "there is an organisation \"%.64s\" already", in->code);
    if (!rc)
        changed(w);
    return rc;
}

enum rc org_edit(struct work *w, const struct org *in)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_EDIT, EVERYWHERE)) || (rc = check(w, in)))
        return rc;
    rc = db_change(w, SQL_org_set, "itti", in->no, in->name, in->region, in->parent);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no organisation %d", (int)in->no);
    if (!rc)
        changed(w);
    return rc;
}

enum rc org_find(struct work *w, const char *code, struct org *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_org_by_code, &q, "t", code);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no organisation \"%.64s\"", code);
    return rc;
}

enum rc org_by_no(struct work *w, int64_t no, struct org *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_org_by_no, &q, "i", no);

    if (!rc)
        *out = read_row(w, &q);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no organisation %d", (int)no);
    return rc;
}

static enum rc take_rows(struct work *w, struct rows *q, struct org **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc;

    while (rows_next(q)) {
        struct org o = read_row(w, q);

        buf_add(&list, &o, sizeof o);
    }
    if ((rc = rows_done(q)))
        return rc;
    *out = (struct org *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc org_list(struct work *w, struct org **out, int *n)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_org_all, &q, "");

    return rc ? rc : take_rows(w, &q, out, n);
}

enum rc org_some(struct work *w, int most, struct org **out, int *n)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_org_some, &q, "i", (int64_t)most);

    return rc ? rc : take_rows(w, &q, out, n);
}
