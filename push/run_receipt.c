/*
 * run_receipt.c - marks, and the notes that receipts become.
 */
#include "push/run_receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/address.h"
#include "push/run_row.h"
#include "server/base/seal.h"

/* ---- marks ---- */

enum { SIGNED = 16 };

const char *run_mark(enum transport by, int64_t run, char out[RUN_MARK])
{
    uint8_t sum[HASH_BYTES];
    char text[64];
    int n;

    n = snprintf(text, sizeof text, "%d %lld", (int)by, (long long)run);
    seal_index("push.receipt", text, (size_t)n, sum);
    n = snprintf(out, RUN_MARK, "%lld.", (long long)run);
    b64url_text(sum, SIGNED, out + n, RUN_MARK - (size_t)n);
    return out;
}

static int64_t run_of(enum transport by, const char *mark)
{
    int64_t run = strtoll(mark, NULL, 10);
    char ours[RUN_MARK] = "", theirs[RUN_MARK] = "";

    if (strlen(mark) >= RUN_MARK)
        return 0;
    memcpy(theirs, mark, strlen(mark));
    run_mark(by, run, ours);
    return secret_equal(ours, theirs, RUN_MARK) ? run : 0;
}

enum rc run_receipts_check(struct err *e, enum transport by, struct vendor_receipts *list)
{
    bool any = false, ours = false;

    for (int i = 0; i < list->n; i++) {
        struct vendor_receipt *r = &list->of[i];

        r->run = run_of(by, r->mark);
        any |= *r->mark != '\0';
        ours |= r->run != 0;
    }
    if (any && !ours)
        return err_set(e, RC_FORBIDDEN, "none of these receipts is of a message of ours");
    return RC_OK;
}

/* ---- notes ---- */

struct place {
    int64_t run, no;
    enum vendor_receipt_kind kind;
};

static int by_block(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    return x->no < y->no ? -1 : x->no > y->no;
}

/* Those whose token a device has now; the others have gone, or were never ours. */
static enum rc find_places(struct work *w, enum transport by,
                           const struct vendor_receipts *list, struct place *out, int *n)
{
    *n = 0;
    for (int i = 0; i < list->n; i++) {
        const struct vendor_receipt *r = &list->of[i];
        int64_t no = 0;
        enum rc rc = r->run ? address_find(w, by, r->token, &no) : RC_NOT_FOUND;

        if (rc && rc != RC_NOT_FOUND)
            return rc;
        if (!rc)
            out[(*n)++] = (struct place){ r->run, no, r->kind };
    }
    qsort(out, (size_t)*n, sizeof *out, by_block);
    return RC_OK;
}

/* Who of a block may have it: the vendor took it, or perhaps; or it is still on its way, for a phone may be quicker than our next round. */
static enum rc read_sent(struct work *w, int64_t run, enum transport by, int64_t block,
                         struct bits *out)
{
    struct bits some;
    struct rows q;
    enum rc rc, end;

    bits_clear(out);
    if ((rc = db_query(w, SQL_push_outcome_sent, &q, "iii", run, block, (int64_t)by)))
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = run_bits(w, &q, 0, &some)))
            bits_or(out, &some);
    end = rows_done(&q);
    return rc ? rc : end;
}

static const enum run_what notes[] = { [VENDOR_DELIVERED] = RUN_DELIVERED,
                                       [VENDOR_CLICKED] = RUN_CLICKED,
                                       [VENDOR_DROPPED] = RUN_DROPPED };

/* The places of one block of a run; who clicked has it. */
static enum rc note_block(struct work *w, enum transport by, const struct place *p, int n,
                          int *taken)
{
    struct bits *told = arena_alloc(w->mem, VENDOR_RECEIPT_KINDS * sizeof *told), sent;
    int64_t block = p->no / BITS;
    enum rc rc = read_sent(w, p->run, by, block, &sent);

    for (int kind = 0; kind < VENDOR_RECEIPT_KINDS; kind++)
        bits_clear(&told[kind]);
    for (int i = 0; i < n && !rc; i++) {
        unsigned at = (unsigned)(p[i].no % BITS);

        if (!bits_have(&sent, at))
            continue;
        ++*taken;
        bits_put(&told[p[i].kind], at);
        if (p[i].kind == VENDOR_CLICKED)
            bits_put(&told[VENDOR_DELIVERED], at);
    }
    for (int kind = VENDOR_DELIVERED; kind < VENDOR_RECEIPT_KINDS && !rc; kind++)
        rc = run_note(w, p->run, by, block, notes[kind], &told[kind]);
    return rc;
}

enum rc run_receipts(struct work *w, enum transport by, const struct vendor_receipts *list,
                     int *taken)
{
    struct place *p = arena_alloc(w->mem, ((size_t)list->n + 1) * sizeof *p);
    enum rc rc;
    int n;

    *taken = 0;
    if ((rc = find_places(w, by, list, p, &n)))
        return rc;
    for (int i = 0, end; i < n && !rc; i = end) {
        for (end = i + 1;
             end < n && p[end].run == p[i].run && p[end].no / BITS == p[i].no / BITS; end++)
            ;
        rc = note_block(w, by, p + i, end - i, taken);
    }
    return rc;
}
