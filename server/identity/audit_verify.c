/*
 * audit_verify.c - all rows in one pass, beside what was signed of them.
 *
 *     file  -----------.
 *     boundary --> rows --> end        in one state of the database
 *     table's heads ---'
 *     file, once more: what the table has must be in it
 *
 * A row that does not follow from the one before it is one fault, and the next is compared with what it
 * says itself, so that one edit is not a thousand faults. A head that was signed with SM2 says so, in what Ed25519 signs. A server that signs
 * with SM2 goes on doing so: what is signed after the first such head has it as well, and by the chain that head vouches for all before it. The file is read before the database: what it names then must
 * be there. It is read again after it: what the database signed must be there then, but the newest may be under way.
 */
#include "server/identity/audit_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/jx.h"
#include "server/identity/audit.h"
#include "server/identity/audit_head.h"
#include "server/identity/audit_mark.h"
#include "server/identity/trail.h"
#include "server/store/db.h"

enum { UNDER_WAY = 10 /* seconds */, DAY = 86400 };

struct heads {
    struct audit_head *v;
    size_t n;
};

/*
 * A row audit.cut: the log ended with `after` when more had been signed, up to `upto`; what was signed
 * behind `agreed` is lost.
 */
struct cut {
    int64_t no, after, agreed, upto;
};

struct inquiry {
    struct work *w;
    const char *path;
    void (*fault)(void *arg, int64_t no, const char *text);
    void *arg;
    struct audit_sum *sum;

    struct cut *cuts;
    size_t ncuts;
    struct heads file; /* as it was before */
    size_t at;         /* the first of them whose row is still to come */
    int64_t gone;      /* the boundary's row */
    int64_t no;        /* the row before, and its chain */
    uint8_t chain[HASH_BYTES];
    struct audit_end mark; /* how far the log had come before we began; no 0: nobody knows */
};

static void PRINTF_LIKE(3, 4) say(struct inquiry *q, int64_t no, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    q->sum->faults++;
    q->fault(q->arg, no, text);
}

/* ---- the file ---- */

static int by_number(const void *a, const void *b)
{
    const struct audit_head *x = a, *y = b;

    return x->no != y->no ? (x->no > y->no) - (x->no < y->no) : (int)x->kind - (int)y->kind;
}

/* And then by all that was signed, and how. */
static int by_all(const void *a, const void *b)
{
    const struct audit_head *x = a, *y = b;
    int order = by_number(a, b);

    if (!order)
        order = (x->time > y->time) - (x->time < y->time);
    if (!order)
        order = (x->at > y->at) - (x->at < y->at);
    if (!order)
        order = memcmp(x->chain, y->chain, HASH_BYTES);
    return order ? order : (int)x->sm2 - (int)y->sm2;
}

/* In the order in which they were signed. */
static void check_sm2(struct inquiry *q, const struct heads *file)
{
    bool wanted = false;

    for (size_t i = 0; i < file->n; i++) {
        if ((wanted || file->v[i].with_sm2) && !file->v[i].sm2)
            say(q, file->v[i].no, "its signature with SM2 is gone from %s", q->path);
        wanted |= file->v[i].sm2;
    }
    if (file->n && !wanted && audit_head_keys()->sm2.len)
        say(q, file->v[file->n - 1].no, "no signature in %s is with SM2", q->path);
}

/* Its heads by number. `tell`: what is damaged is a fault. */
static enum rc read_file(struct inquiry *q, bool tell, struct heads *out)
{
    struct buf all = BUF_IN(q->w->mem);
    enum audit_heads_step step;
    struct wire_note note;
    struct audit_head h;
    const char *one;
    char *text;
    size_t n, at = 0;
    enum rc rc = fs_read(&q->w->err, q->w->mem, q->path, AUDIT_HEADS_MAX, &text, &n);

    *out = (struct heads){ 0 };
    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    while ((step = audit_heads_next(text, n, &at, &h, &note, &one)) != AUDIT_HEADS_END) {
        if (step == AUDIT_HEADS_ONE && audit_head_holds(audit_head_keys(), one, &note))
            buf_add(&all, &h, sizeof h);
        else if (tell)
            say(q, step == AUDIT_HEADS_ONE ? h.no : 0, "%s is damaged at byte %zu", q->path,
                (size_t)(one - text));
    }
    out->v = (struct audit_head *)(void *)all.p;
    out->n = all.n / sizeof h;
    if (tell)
        check_sm2(q, out);
    if (out->n)
        qsort(out->v, out->n, sizeof h, by_all);
    return RC_OK;
}

static bool file_has(const struct heads *file, const struct audit_head *h)
{
    return file->n && bsearch(h, file->v, file->n, sizeof *h, by_number);
}

static bool file_has_all(const struct heads *file, const struct audit_head *h)
{
    return file->n && bsearch(h, file->v, file->n, sizeof *h, by_all);
}

/* ---- what was lost, and is told of ---- */

static enum rc read_cuts(struct inquiry *q)
{
    struct buf all = BUF_IN(q->w->mem);
    struct rows rows;
    enum rc rc;

    if ((rc = db_query(q->w, SQL_audit_cuts, &rows, "t", audit_word(AUDIT_audit_cut))))
        return rc;
    while (rows_next(&rows)) {
        const char *details = rows_text(&rows, 1);
        struct err ignored;
        json_t *o;

        if (details && !jx_object(&ignored, q->w->mem, details, strlen(details), &o)) {
            struct cut cut = { rows_int(&rows, 0), jx_int(o, "after", -1),
                               jx_int(o, "agreed", -1), jx_int(o, "signed", -1) };

            buf_add(&all, &cut, sizeof cut);
            if (jx_int(o, "live", 0))
                say(q, cut.no, "rows behind %" PRId64 " were taken away while the server ran",
                    cut.after);
        }
    }
    q->cuts = (struct cut *)(void *)all.p;
    q->ncuts = all.n / sizeof *q->cuts;
    return rows_done(&rows);
}

/* Of the rows that are there now this signature says nothing. */
static bool is_lost(const struct inquiry *q, int64_t signed_no)
{
    for (size_t i = 0; i < q->ncuts; i++)
        if (q->cuts[i].agreed < signed_no && signed_no <= q->cuts[i].upto)
            return true;
    return false;
}

static bool is_told(const struct inquiry *q, const struct audit_row *row)
{
    for (size_t i = 0; i < q->ncuts; i++)
        if (q->cuts[i].no == row->no && q->cuts[i].after == q->no)
            return true;
    return false;
}

/* ---- rows ---- */

/* What the file says of rows up to this one. */
static void compare_signed(struct inquiry *q, const struct audit_row *row)
{
    for (; q->at < q->file.n && q->file.v[q->at].no <= row->no; q->at++) {
        const struct audit_head *h = &q->file.v[q->at];

        if (h->kind != AUDIT_HEAD || h->no <= q->gone || is_lost(q, h->no))
            continue;
        if (h->no < row->no)
            say(q, h->no, "it was signed and is not there");
        else if (memcmp(h->chain, row->chain, HASH_BYTES) != 0)
            say(q, row->no, "it is not what was signed then");
    }
}

static void check_row(struct inquiry *q, const struct audit_row *row)
{
    uint8_t want[HASH_BYTES];

    if (row->no != q->no + 1 && is_told(q, row))
        q->sum->lost += row->no - q->no - 1;
    else if (row->no != q->no + 1)
        say(q, q->no + 1, "it is missing; the next one is %" PRId64, row->no);
    audit_next(q->chain, row, want);
    if (memcmp(want, row->chain, HASH_BYTES) != 0)
        say(q, row->no, "it does not follow from the one before it: one of them was changed");
    compare_signed(q, row);
    q->no = row->no;
    memcpy(q->chain, row->chain, HASH_BYTES);
    q->sum->first = q->sum->rows++ ? q->sum->first : row->no;
    q->sum->last = row->no;
}

static enum rc check_rows(struct inquiry *q)
{
    struct audit_row row;
    struct rows rows;
    enum rc rc;

    if ((rc = db_query(q->w, SQL_audit_all, &rows, "")))
        return rc;
    while (rows_next(&rows)) {
        if (!audit_read(&rows, &row))
            say(q, row.no, "its chain is none");
        check_row(q, &row);
    }
    return rows_done(&rows);
}

/* ---- the table's signatures, and both ends ---- */

/* A head of the table: readable, ours, and about that row. */
static bool take_head(struct inquiry *q, const struct rows *rows, struct audit_head *h)
{
    int64_t no = rows_int(rows, 0), kind = rows_int(rows, 1);
    struct wire_note note;
    size_t n, len;
    const char *text = rows_blob(rows, 2, &n);

    if (text && audit_head_parse(text, n, h, &note, &len) && len == n && h->no == no &&
        (int64_t)h->kind == kind && audit_head_holds(audit_head_keys(), text, &note))
        return true;
    say(q, no, "its signature in the table does not hold");
    return false;
}

static enum rc find_boundary(struct inquiry *q)
{
    struct audit_head h;
    struct rows rows;
    enum rc rc;

    audit_first(q->chain);
    if ((rc = db_query(q->w, SQL_audit_boundary, &rows, "")))
        return rc;
    if (rows_next(&rows) && take_head(q, &rows, &h)) {
        if (h.time - h.at < (int64_t)AUDIT_KEEP_DAYS * DAY)
            say(q, h.no, "rows up to it were removed before %d days had passed",
                AUDIT_KEEP_DAYS);
        q->gone = q->no = q->sum->removed = h.no;
        memcpy(q->chain, h.chain, HASH_BYTES);
    }
    return rows_done(&rows);
}

static enum rc check_end(struct inquiry *q)
{
    struct audit_end end;
    enum rc rc;

    if ((rc = audit_end_read(q->w, &end)))
        return rc;
    if (!end.holds && end.no)
        say(q, end.no, "the mark of the log's end does not hold");
    else if (end.no > q->no)
        say(q, q->no + 1, "rows are missing from the end: there were %" PRId64, end.no);
    else if (end.no < q->no || memcmp(end.chain, q->chain, HASH_BYTES) != 0)
        say(q, q->no, "the log ends otherwise than it was written");
    for (; q->at < q->file.n; q->at++)
        if (!is_lost(q, q->file.v[q->at].no) && q->file.v[q->at].no > q->gone)
            say(q, q->file.v[q->at].no, "it was signed and is not there");
    return RC_OK;
}

static enum rc chain_at(struct inquiry *q, int64_t no, uint8_t out[HASH_BYTES])
{
    struct rows rows;
    const void *p;
    size_t n;
    enum rc rc;

    memset(out, 0, HASH_BYTES);
    if ((rc = db_query(q->w, SQL_audit_chain_at, &rows, "i", no)))
        return rc;
    if (rows_next(&rows) && (p = rows_blob(&rows, 1, &n)) && n == HASH_BYTES)
        memcpy(out, p, n);
    return rows_done(&rows);
}

/* Whoever put an older end back cannot have put back where the server was. */
static enum rc check_mark(struct inquiry *q)
{
    uint8_t chain[HASH_BYTES];
    enum rc rc;

    if (q->mark.no <= q->gone || is_lost(q, q->mark.no))
        return RC_OK;
    if ((rc = chain_at(q, q->mark.no, chain)))
        return rc;
    if (memcmp(chain, q->mark.chain, HASH_BYTES) != 0)
        say(q, q->mark.no,
            "the log had come as far as this row, which is not there or another");
    return RC_OK;
}

/* Every head of the table, in w->mem. */
static enum rc read_table(struct inquiry *q, struct heads *out)
{
    struct buf all = BUF_IN(q->w->mem);
    struct audit_head h;
    struct rows rows;
    enum rc rc;

    if ((rc = db_query(q->w, SQL_audit_head_all, &rows, "")))
        return rc;
    while (rows_next(&rows))
        if (take_head(q, &rows, &h))
            buf_add(&all, &h, sizeof h);
    out->v = (struct audit_head *)(void *)all.p;
    out->n = all.n / sizeof h;
    return rows_done(&rows);
}

static enum rc check_table(struct inquiry *q, const struct heads *table)
{
    uint8_t chain[HASH_BYTES];
    enum rc rc;

    for (size_t i = 0; i < table->n; i++) {
        const struct audit_head *h = &table->v[i];

        q->sum->heads++;
        if (h->kind == AUDIT_BOUNDARY)
            continue;
        if ((rc = chain_at(q, h->no, chain)))
            return rc;
        if (memcmp(chain, h->chain, HASH_BYTES) != 0 && !is_lost(q, h->no))
            say(q, h->no, "it is not what was signed in the table");
    }
    for (size_t i = 0; i < q->file.n; i++)
        if (q->file.v[i].no > q->gone && !is_lost(q, q->file.v[i].no) &&
            !file_has(table, &q->file.v[i]))
            say(q, q->file.v[i].no, "its signature is gone from the table");
    return RC_OK;
}

/* A server that runs may be about to append what it signed just now. */
static enum rc check_file(struct inquiry *q, const struct heads *table)
{
    struct heads file;
    enum rc rc;

    if ((rc = read_file(q, false, &file)))
        return rc;
    for (size_t i = 0; i < table->n; i++)
        if (table->v[i].time < clock_now() - UNDER_WAY && !file_has_all(&file, &table->v[i]))
            say(q, table->v[i].no, "its signature is not in %s", q->path);
    return RC_OK;
}

static enum rc inquire(struct inquiry *q, struct heads *table)
{
    enum rc rc;

    if ((rc = read_cuts(q)) || (rc = find_boundary(q)) || (rc = check_rows(q)) ||
        (rc = check_end(q)) || (rc = check_mark(q)) || (rc = read_table(q, table)))
        return rc;
    return check_table(q, table);
}

enum rc audit_verify(struct work *w, const char *heads,
                     void (*fault)(void *arg, int64_t no, const char *text), void *arg,
                     struct audit_sum *out)
{
    struct inquiry q = { .w = w, .path = heads, .fault = fault, .arg = arg, .sum = out };
    struct heads table = { 0 };
    enum rc rc;

    *out = (struct audit_sum){ 0 };
    if (!audit_mark_read(audit_head_data(), &q.mark))
        q.mark.no = 0;
    if ((rc = read_file(&q, true, &q.file)) || (rc = db_begin_read(w)))
        return rc;
    rc = inquire(&q, &table);
    db_end_read(w->db);
    if (rc || (rc = check_file(&q, &table)))
        return rc;
    return out->faults ? err_set(&w->err, RC_CORRUPT, "%" PRId64 " faults", out->faults)
                       : RC_OK;
}
