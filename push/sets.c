/*
 * sets.c - rows of the table push_set.
 *
 * Its key is trait * 65,536 + block, so the rows of a trait stand one behind the other.
 */
#include "push/sets.h"

#include <stdlib.h>

#include "server/store/db.h"

enum { BLOCKS_OF_A_TRAIT = 65536 };

static int64_t row_of(int64_t trait, int64_t block)
{
    return trait * BLOCKS_OF_A_TRAIT + block;
}

static enum rc read_row(struct work *w, int64_t at, struct bits *out)
{
    const void *p;
    struct rows q;
    enum rc rc, end;
    size_t n;

    bits_clear(out);
    if (!(rc = db_one(w, SQL_push_set_one, &q, "i", at))) {
        p = rows_blob(&q, 0, &n);
        if (!p || !bits_read(out, p, n))
            rc = err_set(&w->err, RC_CORRUPT, "a set of devices is damaged (push_set %lld)",
                         (long long)at);
    }
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

static enum rc write_row(struct work *w, int64_t at, const struct bits *b)
{
    uint8_t out[BITS_BYTES];
    size_t n = bits_write(b, out);

    return n ? db_run(w, SQL_push_set_put, "ib", at, out, n)
             : db_run(w, SQL_push_set_drop, "i", at);
}

enum rc sets_read(struct work *w, int64_t trait, int64_t block, struct bits *out)
{
    return read_row(w, row_of(trait, block), out);
}

static int64_t row_of_change(const struct sets_change *c)
{
    return row_of(c->trait, c->no / BITS);
}

static int by_row(const void *a, const void *b)
{
    int64_t x = row_of_change(a), y = row_of_change(b);

    return (x > y) - (x < y);
}

enum rc sets_apply(struct work *w, struct sets_change *list, int n)
{
    struct bits b;
    enum rc rc = RC_OK;

    if (!n)
        return RC_OK;
    qsort(list, (size_t)n, sizeof *list, by_row);
    for (int i = 0; i < n && !rc;) {
        int64_t at = row_of_change(&list[i]);

        if ((rc = read_row(w, at, &b)))
            break;
        for (; i < n && row_of_change(&list[i]) == at; i++)
            (list[i].in ? bits_put : bits_take)(&b, (unsigned)(list[i].no % BITS));
        rc = write_row(w, at, &b);
    }
    return rc;
}
