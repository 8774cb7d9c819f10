/*
 * sets.c - rows of the table push_set.
 *
 * Its key is trait * 65,536 + block, so the rows of a trait stand one behind the other.
 */
#include "push/sets.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "push/trait.h"
#include "server/base/buf.h"
#include "server/base/log.h"
#include "server/store/db.h"

enum { BLOCKS_OF_A_TRAIT = 65536 };

/* The row that was found damaged last, by whomever; 0: none. */
static _Atomic int64_t damaged;

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
        if (!p || !bits_read(out, p, n)) {
            atomic_store(&damaged, at);
            rc = err_set(&w->err, RC_CORRUPT, "a set of devices is damaged (push_set %lld)",
                         (long long)at);
        }
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

/* ---- made anew ---- */

/* Those whose rows say so. Of one that says nothing that can be read its owner is asked again. */
static enum rc gather(struct work *w, int64_t trait, int64_t block, struct bits *out)
{
    struct buf unread = BUF_IN(w->mem); /* int64_t each */
    struct traits t;
    struct rows q;
    enum rc rc;

    bits_clear(out);
    if ((rc = db_query(w, SQL_push_address_block, &q, "ii", block * BITS, (block + 1) * BITS)))
        return rc;
    while (rows_next(&q)) {
        size_t n = 0;
        const void *p = rows_blob(&q, 1, &n);

        if (!traits_read(w, p ? p : "", p ? n : 0, &t))
            buf_add(&unread, &(int64_t){ rows_int(&q, 0) }, sizeof(int64_t));
        else if (traits_have(&t, trait))
            bits_put(out, (unsigned)(rows_int(&q, 0) % BITS));
    }
    rc = rows_done(&q);
    for (size_t i = 0; i < unread.n && !rc; i += sizeof(int64_t))
        rc = db_run(w, SQL_push_dirty_add, "i", *(int64_t *)(void *)(unread.p + i));
    return rc;
}

static enum rc mend_row(struct work *w, int64_t at)
{
    struct bits b;
    enum rc rc;

    if ((rc = gather(w, at / BLOCKS_OF_A_TRAIT, at % BLOCKS_OF_A_TRAIT, &b)))
        return rc;
    LOG(LOG_ERROR, "push_set_made_anew", L_INT("row", at), L_INT("devices", bits_count(&b)));
    return write_row(w, at, &b);
}

enum rc sets_mend(struct work *w, int *n)
{
    int64_t at = atomic_exchange(&damaged, 0);
    struct bits b;
    enum rc rc;

    *n = 0;
    if (!at || (rc = read_row(w, at, &b)) != RC_CORRUPT)
        return at ? rc : RC_OK;
    atomic_store(&damaged, 0);
    *n = 1;
    return mend_row(w, at);
}

/* ---- changed ---- */

/* One that is damaged is made anew: it is read once more, and says the same as before the changes or after them, for the rows of devices may be changed already. */
static enum rc read_or_mend(struct work *w, int64_t at, struct bits *out)
{
    enum rc rc = read_row(w, at, out);

    if (rc != RC_CORRUPT)
        return rc;
    return (rc = mend_row(w, at)) ? rc : read_row(w, at, out);
}

/* Whether it stood otherwise. */
static bool put(struct bits *b, const struct sets_change *c)
{
    unsigned place = (unsigned)(c->no % BITS);

    if (bits_have(b, place) == c->in)
        return false;
    (c->in ? bits_put : bits_take)(b, place);
    return true;
}

enum rc sets_apply(struct work *w, struct sets_change *list, int n)
{
    struct bits b;
    enum rc rc = RC_OK;
    bool other;

    if (!n)
        return RC_OK;
    qsort(list, (size_t)n, sizeof *list, by_row);
    for (int i = 0; i < n && !rc;) {
        int64_t at = row_of_change(&list[i]);

        if ((rc = read_or_mend(w, at, &b)))
            break;
        other = false;
        for (; i < n && row_of_change(&list[i]) == at; i++)
            other |= put(&b, &list[i]);
        rc = other ? write_row(w, at, &b) : RC_OK;
    }
    return rc;
}
