/*
 * warning.c - rows of the table warning.
 */
#include "warning/warning.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/library/row.h"
#include "server/store/db.h"

static enum rc read_row(struct work *w, const struct rows *q, struct warning *out)
{
    struct warning x = { .no = rows_int(q, 0),
                         .identifier = rows_dup_text(w, q, 1),
                         .test = rows_int(q, 2) != 0,
                         .sender = rows_int(q, 3),
                         .key = rows_dup_text(w, q, 4),
                         .alg = rows_dup_text(w, q, 5),
                         .pem = rows_dup_text(w, q, 6),
                         .name = rows_dup_text(w, q, 23),
                         .signed_at = rows_int(q, 7),
                         .chain = rows_int(q, 10),
                         .status = (enum cap_status)cap_status_parse(rows_text(q, 11)),
                         .type = (enum cap_type)cap_type_parse(rows_text(q, 12)),
                         .level = (enum level)rows_int(q, 13),
                         .areas = rows_dup_text(w, q, 14),
                         .title = rows_dup_text(w, q, 15),
                         .sent = rows_int(q, 16),
                         .expires = rows_int(q, 17),
                         .received = rows_int(q, 18),
                         .rev = rows_int(q, 20),
                         .run = rows_int(q, 21) };
    enum rc rc;

    x.signature.p = rows_dup_blob(w, q, 8, &x.signature.n);
    x.bytes.p = rows_dup_blob(w, q, 22, &x.bytes.n);
    if ((rc = row_bytes(w, q, 9, x.hash, sizeof x.hash)) ||
        (x.rev && (rc = row_bytes(w, q, 19, x.item.b, sizeof x.item.b))))
        return rc;
    if (!x.status || !x.type || x.level >= LEVEL_COUNT)
        return err_set(&w->err, RC_CORRUPT, "a warning is of no kind that we know");
    *out = x;
    return RC_OK;
}

static enum rc one(struct work *w, struct rows *q, enum rc rc, struct warning *out)
{
    if (!rc)
        rc = read_row(w, q, out);
    if ((rc = row_finish(q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, RC_NOT_FOUND, "没有这个编号的预警");
    return rc;
}

enum rc warning_find(struct work *w, const char *identifier, bool test, struct warning *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_warning_one, &q, "ti", identifier, (int64_t)test);

    return one(w, &q, rc, out);
}

enum rc warning_last(struct work *w, int64_t chain, struct warning *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_warning_last, &q, "i", chain);

    return one(w, &q, rc, out);
}

enum rc warning_last_run(struct work *w, int64_t chain, int64_t *run)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_warning_last_run, &q, "i", chain);

    *run = rc ? 0 : rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc warning_list(struct work *w, int64_t before, int most, struct warning **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct warning x;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_warning_list, &q, "ii", before ? before : INT64_MAX,
                       (int64_t)most)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = read_row(w, &q, &x)))
            buf_add(&list, &x, sizeof x);
    rc = row_finish(&q, rc);
    *out = (struct warning *)(void *)list.p;
    *n = (int)(list.n / sizeof x);
    return rc;
}

enum rc warning_add(struct work *w, struct warning *x)
{
    struct rows q;
    enum rc rc;

    if (!(rc = db_one(w, SQL_warning_add, &q, "tiitttibbbittittiiit", x->identifier,
                      (int64_t)x->test, x->sender, x->key, x->alg, x->pem, x->signed_at,
                      x->signature.p, x->signature.n, x->hash, sizeof x->hash, x->bytes.p,
                      x->bytes.n, x->chain, cap_status_word(x->status), cap_type_word(x->type),
                      (int64_t)x->level, x->areas, x->title, x->sent, x->expires, x->received,
                      x->name)))
        x->no = rows_int(&q, 0);
    if ((rc = row_finish(&q, rc)) || x->chain)
        return rc;
    x->chain = x->no;
    return db_change(w, SQL_warning_set_chain, "ii", x->no, x->chain);
}

enum rc warning_set_shown(struct work *w, const struct warning *x)
{
    return db_change(w, SQL_warning_set_shown, "ibii", x->no, x->item.b, sizeof x->item.b,
                     x->rev, x->run);
}
