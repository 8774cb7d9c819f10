/*
 * verify.c - computes the whole log again and says where it is not what it should be.
 *
 *     changes   seq 1, 2, 3 ... without a gap; bytes hash to the digest, frame and digest to the
 *               leaf, leaf and the chain before to the chain stored; the revision's row names
 *               the same revision, the record the same time (but for a move, which has none)
 *     leaves    born 0, 1, 2 ... without a gap, in order of first publication; each is the leaf
 *               of the newest change of its item
 *     items     point at their newest change and repeat what it says
 *     heads     what was signed agrees with the chain at that seq
 *     stream    its row ends where the log ends, and counts what is published
 *
 * Who edits one row breaks at least one of these. Who computes the whole chain anew cannot
 * compute the signed heads anew: their signatures, here and in every phone, speak against him
 * (checking them is the business of sync/). After a fault the chain is followed from the stored
 * value, so that one edited row is one fault and not one for each row behind it.
 *
 * Bytes may be missing only where a later takedown or purge of the same item removed them, and
 * must be missing there.
 */
#include "server/library/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/library/change.h"
#include "server/library/row.h"
#include "server/library/stream.h"
#include "sync/wire.h"

struct audit {
    struct work *w;
    struct stream stream; /* its row, as it stands */
    void (*fault)(void *arg, int64_t seq, const char *text);
    void *arg;
    struct verify_place *at;
    int64_t most; /* rows of this step */
    int64_t from; /* after this seq or born */
    int64_t rows; /* seen in this step */
};

static void PRINTF_LIKE(3, 4) say(struct audit *a, int64_t seq, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    a->at->sum.faults++;
    if (a->fault)
        a->fault(a->arg, seq, text);
}

/* Whether this step has come to the end of its stage: there was less than it could take. */
static bool is_last(const struct audit *a)
{
    return a->rows < a->most;
}

static bool blob_is(const struct rows *q, int column, const void *want, size_t n)
{
    size_t have;
    const void *p = rows_blob(q, column, &have);

    return p && have == n && !memcmp(p, want, n);
}

/* ---- changes ---- */

enum {
    C_SEQ,
    C_BORN,
    C_ITEM,
    C_REV,
    C_OP,
    C_FLAGS,
    C_SITE,
    C_COL,
    C_DATE,
    C_TITLE,
    C_LENGTH,
    C_DIGEST,
    C_CHAIN,
    C_AT,
    C_BYTES,
    C_REV_PUBLISHED,
    C_REV_BEFORE,
    C_ITEM_BEFORE,
    C_OP_BEFORE
};

static bool has(const char *bytes, size_t n, const char *member)
{
    return memmem(bytes, n, member, strlen(member));
}

/* A row's time stands in no hash, but the record repeats it, unless the item was only moved. */
static void check_time(struct audit *a, const struct rows *q, int64_t seq, const char *bytes,
                       size_t n)
{
    bool is_put = rows_int(q, C_OP) == CHANGE_PUT;
    char time[CLOCK_TEXT], member[64];

    clock_text(rows_int(q, C_AT), time);
    snprintf(member, sizeof member, "\"%s\":\"%s\"", is_put ? "updated" : "withdrawn", time);
    if ((!is_put || !rows_null(q, C_REV_PUBLISHED)) && !has(bytes, n, member))
        say(a, seq, "its time is not the one in its record");
}

/* Nor does its revision: it is the one published by this change, else that of the change
 * before. */
static void check_revision(struct audit *a, const struct rows *q, int64_t seq)
{
    bool is_put = rows_int(q, C_OP) == CHANGE_PUT, published = !rows_null(q, C_REV_PUBLISHED);
    int from = published ? C_REV_PUBLISHED : C_REV_BEFORE;

    if (rows_null(q, from) || rows_int(q, C_REV) != rows_int(q, from) || (published && !is_put))
        say(a, seq, "it is of another revision than its item says");
}

static enum rc check_missing(struct audit *a, int64_t seq, int64_t born)
{
    struct rows q;
    enum rc rc = db_one(a->w, SQL_change_verify_purged, &q, "iii", a->stream.no, born, seq);

    if ((rc = row_finish(&q, rc)) != RC_NOT_FOUND) {
        a->at->sum.purged += !rc;
        return rc;
    }
    say(a, seq, "its record's bytes are missing and no takedown removed them");
    return RC_OK;
}

static enum rc check_bytes(struct audit *a, const struct rows *q, int64_t seq)
{
    uint8_t digest[HASH_BYTES];
    size_t n;
    const char *bytes;

    if (rows_null(q, C_BYTES))
        return check_missing(a, seq, rows_int(q, C_BORN));
    bytes = rows_blob(q, C_BYTES, &n);
    sha256(bytes ? bytes : "", n, digest);
    if (!blob_is(q, C_DIGEST, digest, sizeof digest) || (int64_t)n != rows_int(q, C_LENGTH)) {
        say(a, seq, "its record's bytes are not those that were published");
        return RC_OK;
    }
    check_time(a, q, seq, bytes, n);
    return RC_OK;
}

/* The leaf of a row whose columns from `born` on are born, item, …, digest; RC_CORRUPT if they
 * make no frame. */
static enum rc row_leaf(const struct rows *q, const struct change *c, int item, int digest,
                        uint8_t leaf[HASH_BYTES])
{
    struct change full = *c;
    uint8_t hash[HASH_BYTES];
    struct err e;
    size_t n;
    const void *p = rows_blob(q, item, &n);

    if (!p || n != sizeof full.item.b)
        return RC_CORRUPT;
    memcpy(full.item.b, p, n);
    p = rows_blob(q, digest, &n);
    if (!p || n != sizeof hash || !full.title || full.op < 0 || full.op > UINT8_MAX ||
        full.flags > UINT8_MAX || full.site != (uint32_t)full.site ||
        full.col != (uint32_t)full.col || full.n != (uint32_t)full.n ||
        strlen(full.title) > WIRE_TITLE_MAX || full.born < 0)
        return RC_CORRUPT;
    memcpy(hash, p, n);
    return change_leaf(&e, &full, hash, leaf) ? RC_CORRUPT : RC_OK;
}

static void check_chain(struct audit *a, const struct rows *q, int64_t seq)
{
    const struct change c = {
        .seq = seq,
        .born = rows_int(q, C_BORN),
        .op = (enum change_op)rows_int(q, C_OP),
        .flags = (unsigned)rows_int(q, C_FLAGS),
        .site = rows_int(q, C_SITE),
        .col = rows_int(q, C_COL),
        .date = rows_int(q, C_DATE),
        .title = rows_text(q, C_TITLE),
        .n = (size_t)rows_int(q, C_LENGTH),
    };
    uint8_t leaf[HASH_BYTES];
    size_t n;
    const void *stored;

    if (row_leaf(q, &c, C_ITEM, C_DIGEST, leaf)) {
        say(a, seq, "its row makes no record");
    } else {
        stream_chain_next(a->at->chain, leaf);
        if (!blob_is(q, C_CHAIN, a->at->chain, sizeof a->at->chain))
            say(a, seq, "it does not follow from the change before it");
    }
    stored = rows_blob(q, C_CHAIN, &n);
    if (stored && n == sizeof a->at->chain)
        memcpy(a->at->chain, stored, n);
}

static enum rc check_change(struct audit *a, const struct rows *q)
{
    int64_t seq = rows_int(q, C_SEQ), born = rows_int(q, C_BORN);
    uint8_t before[ID_BYTES];
    size_t n;
    const void *p = rows_blob(q, C_ITEM_BEFORE, &n);

    if (seq != a->at->seq + 1)
        say(a, a->at->seq + 1, "changes %" PRId64 " to %" PRId64 " are missing", a->at->seq + 1,
            seq - 1);
    a->at->seq = seq;
    a->at->sum.changes++;
    a->at->purges += rows_int(q, C_FLAGS) & CHANGE_PURGE;
    a->at->live += rows_int(q, C_OP) == CHANGE_PUT;
    a->at->live -= rows_int(q, C_OP_BEFORE) == CHANGE_PUT;
    if (born < 0 || born >= a->stream.born)
        say(a, seq, "its place %" PRId64 " is beyond the stream's %" PRId64, born,
            a->stream.born);
    if (p && n == sizeof before) {
        memcpy(before, p, n);
        if (!blob_is(q, C_ITEM, before, sizeof before))
            say(a, seq, "its place belongs to another item");
    }
    check_chain(a, q, seq);
    check_revision(a, q, seq);
    return check_bytes(a, q, seq);
}

static enum rc check_records(struct audit *a, enum sql sql, const char *fault)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(a->w, sql, &q, "iii", a->stream.no, a->from,
                       is_last(a) ? INT64_MAX : a->at->seq)))
        return rc;
    while (rows_next(&q))
        say(a, rows_int(&q, 0), "%s", fault);
    return rows_done(&q);
}

static void check_stream(struct audit *a)
{
    if (a->stream.seq != a->at->seq)
        say(a, a->at->seq, "the stream's row says %" PRId64 " changes, the log ends here",
            a->stream.seq);
    if (memcmp(a->stream.chain, a->at->chain, sizeof a->at->chain))
        say(a, a->at->seq, "the stream's row holds another chain than the log's end");
    if (a->stream.cut != a->at->purges)
        say(a, 0, "the stream's row says %" PRId64 " takedowns, the log %" PRId64,
            a->stream.cut, a->at->purges);
    if (a->stream.live != a->at->live)
        say(a, 0, "the stream's row says %" PRId64 " published items, the log %" PRId64,
            a->stream.live, a->at->live);
}

/* The newest pair of the ancestry is the stream's epoch. */
static enum rc check_epoch(struct audit *a)
{
    int64_t epoch = 0, first = 0;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(a->w, SQL_ancestry_all, &q, "i", a->stream.no)))
        return rc;
    while (rows_next(&q)) {
        if (rows_int(&q, 1) < first || rows_int(&q, 1) > a->at->seq + 1)
            say(a, rows_int(&q, 1), "the ancestry is out of order");
        epoch = rows_int(&q, 0);
        first = rows_int(&q, 1);
    }
    if (epoch != a->stream.epoch)
        say(a, 0, "the stream's row names epoch %" PRId64 ", its ancestry %" PRId64,
            a->stream.epoch, epoch);
    return rows_done(&q);
}

static enum rc check_changes(struct audit *a)
{
    struct rows q;
    enum rc rc;

    if (!a->at->begun)
        stream_chain_start(a->stream.name, a->at->chain);
    if ((rc = db_query(a->w, SQL_change_verify, &q, "iii", a->stream.no, a->from, a->most)))
        return rc;
    for (; !rc && rows_next(&q); a->rows++)
        rc = check_change(a, &q);
    a->at->after = a->at->seq;
    if ((rc = row_finish(&q, rc)) ||
        (rc = check_records(a, SQL_record_verify_left,
                            "its record's bytes are there, but they were taken down")) ||
        (rc = check_records(a, SQL_record_verify, "there is a record but no change")) ||
        !is_last(a))
        return rc;
    check_stream(a);
    return check_epoch(a);
}

/* ---- leaves ---- */

enum {
    L_BORN,
    L_SEQ,
    L_HASH,
    L_CHANGE_BORN,
    L_ITEM,
    L_OP,
    L_FLAGS,
    L_SITE,
    L_COL,
    L_DATE,
    L_TITLE,
    L_LENGTH,
    L_DIGEST,
    L_FIRST,
    L_LAST
};

static void check_leaf(struct audit *a, const struct rows *q)
{
    int64_t seq = rows_int(q, L_SEQ);
    const struct change c = {
        .seq = seq,
        .born = rows_int(q, L_CHANGE_BORN),
        .op = (enum change_op)rows_int(q, L_OP),
        .flags = (unsigned)rows_int(q, L_FLAGS),
        .site = rows_int(q, L_SITE),
        .col = rows_int(q, L_COL),
        .date = rows_int(q, L_DATE),
        .title = rows_text(q, L_TITLE),
        .n = (size_t)rows_int(q, L_LENGTH),
    };
    uint8_t leaf[HASH_BYTES];

    if (rows_null(q, L_CHANGE_BORN) || c.born != rows_int(q, L_BORN) ||
        seq != rows_int(q, L_LAST)) {
        say(a, seq, "the leaf at %" PRId64 " is not of the item's newest change",
            rows_int(q, L_BORN));
        return;
    }
    if (row_leaf(q, &c, L_ITEM, L_DIGEST, leaf) || !blob_is(q, L_HASH, leaf, sizeof leaf))
        say(a, seq, "the leaf at %" PRId64 " is not that of its change", c.born);
}

static enum rc check_leaves(struct audit *a)
{
    int64_t born = a->at->born, first = a->at->first;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(a->w, SQL_leaf_verify, &q, "iii", a->stream.no, a->from, a->most)))
        return rc;
    for (; rows_next(&q); born++, a->rows++) {
        a->at->after = rows_int(&q, L_BORN);
        if (rows_int(&q, L_BORN) != born) {
            say(a, 0, "the leaves before %" PRId64 " have a gap", rows_int(&q, L_BORN));
            born = rows_int(&q, L_BORN);
        }
        check_leaf(a, &q);
        if (rows_int(&q, L_FIRST) <= first)
            say(a, rows_int(&q, L_FIRST), "place %" PRId64 " was not given in order", born);
        first = rows_int(&q, L_FIRST);
    }
    a->at->born = born;
    a->at->first = first;
    if (is_last(a) && born != a->stream.born)
        say(a, 0, "the stream's row says %" PRId64 " items, there are %" PRId64 " leaves",
            a->stream.born, born);
    return rows_done(&q);
}

/* ---- items ---- */

enum {
    I_BORN,
    I_ID,
    I_SEQ,
    I_LIVE,
    I_SITE,
    I_COL,
    I_DATE,
    I_TITLE,
    I_CHANGE_ITEM,
    I_CHANGE_BORN,
    I_OP,
    I_REV,
    I_CHANGE_SITE,
    I_CHANGE_COL,
    I_CHANGE_DATE,
    I_CHANGE_TITLE,
    I_STATE,
    I_LAST
};

static bool same_text(const char *x, const char *y)
{
    return x && y && !strcmp(x, y);
}

static void check_item(struct audit *a, const struct rows *q)
{
    int64_t seq = rows_int(q, I_SEQ);
    uint8_t id[ID_BYTES] = { 0 };
    size_t n;
    const void *p = rows_blob(q, I_ID, &n);

    if (p && n == sizeof id)
        memcpy(id, p, n);
    if (!blob_is(q, I_CHANGE_ITEM, id, sizeof id) || seq != rows_int(q, I_LAST) ||
        rows_int(q, I_BORN) != rows_int(q, I_CHANGE_BORN)) {
        say(a, seq, "the item at %" PRId64 " does not point at its newest change",
            rows_int(q, I_BORN));
        return;
    }
    if (rows_int(q, I_OP) != CHANGE_PUT) {
        if (!rows_null(q, I_LIVE))
            say(a, seq, "the item is shown although it was ended");
        return;
    }
    if (rows_int(q, I_LIVE) != rows_int(q, I_REV) ||
        !same_text(rows_text(q, I_STATE), "published"))
        say(a, seq, "the item shows another revision than the one published");
    if (rows_int(q, I_SITE) != rows_int(q, I_CHANGE_SITE) ||
        rows_int(q, I_COL) != rows_int(q, I_CHANGE_COL) ||
        rows_int(q, I_DATE) != rows_int(q, I_CHANGE_DATE) ||
        !same_text(rows_text(q, I_TITLE), rows_text(q, I_CHANGE_TITLE)))
        say(a, seq, "the item's row does not say what its change says");
}

static enum rc check_items(struct audit *a)
{
    int64_t born = a->at->born;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(a->w, SQL_item_verify, &q, "iii", a->stream.no, a->from, a->most)))
        return rc;
    for (; rows_next(&q); born++, a->rows++) {
        a->at->after = rows_int(&q, I_BORN);
        a->at->sum.items++;
        if (rows_int(&q, I_BORN) != born) {
            say(a, 0, "the items before place %" PRId64 " have a gap", rows_int(&q, I_BORN));
            born = rows_int(&q, I_BORN);
        }
        check_item(a, &q);
    }
    a->at->born = born;
    if (is_last(a) && born != a->stream.born)
        say(a, 0, "the stream's row says %" PRId64 " items, there are %" PRId64, a->stream.born,
            born);
    return rows_done(&q);
}

/* ---- heads ---- */

static void check_head(struct audit *a, const struct rows *q)
{
    int64_t seq = rows_int(q, 0);
    uint8_t chain[HASH_BYTES];
    char line[8 + HASH_TEXT] = "\nchain ";
    size_t n;
    const void *p = rows_blob(q, 3, &n);

    if (!seq)
        stream_chain_start(a->stream.name, chain);
    else if (p && n == sizeof chain)
        memcpy(chain, p, n);
    else {
        say(a, seq, "a head was signed for it, but there is no such change");
        return;
    }
    hex_text(chain, sizeof chain, line + strlen(line));
    p = rows_blob(q, 2, &n);
    if (!blob_is(q, 1, chain, sizeof chain) || !p || !has(p, n, line))
        say(a, seq, "a head was signed for another chain");
}

static enum rc check_heads(struct audit *a)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(a->w, SQL_head_verify, &q, "i", a->stream.no)))
        return rc;
    for (; rows_next(&q); a->at->sum.heads++)
        check_head(a, &q);
    return rows_done(&q);
}

/* ---- one step after the other ---- */

static enum rc (*const stages[])(struct audit *a) = { check_changes, check_leaves, check_items,
                                                      check_heads };

enum { STAGES = sizeof stages / sizeof *stages };

static enum rc check_some(struct audit *a)
{
    struct verify_place *at = a->at;
    enum rc rc;

    a->from = at->begun ? at->after : INT64_MIN;
    a->rows = 0;
    if ((rc = stages[at->stage](a)))
        return rc;
    at->begun = !is_last(a);
    if (at->begun)
        return RC_OK;
    at->born = at->first = 0;
    at->done = ++at->stage == STAGES;
    return RC_OK;
}

enum rc verify_step(struct work *w, int64_t stream, int64_t most,
                    void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                    struct verify_place *at)
{
    struct audit a = { .w = w, .fault = fault, .arg = arg, .at = at, .most = most };
    enum rc rc;

    if ((rc = db_begin_read(w)))
        return rc;
    if (!(rc = stream_by_no(w, stream, &a.stream)))
        rc = check_some(&a);
    db_end_read(w->db);
    return rc;
}

enum rc verify_stream(struct work *w, int64_t stream,
                      void (*fault)(void *arg, int64_t seq, const char *text), void *arg,
                      struct verify_sum *sum)
{
    struct verify_place at = { 0 };
    struct audit a = { .w = w, .fault = fault, .arg = arg, .at = &at, .most = INT64_MAX };
    enum rc rc;

    if ((rc = db_begin_read(w)))
        return rc;
    rc = stream_by_no(w, stream, &a.stream);
    while (!rc && !at.done)
        rc = check_some(&a);
    db_end_read(w->db);
    *sum = at.sum;
    if (!rc && at.sum.faults)
        return err_set(&w->err, RC_CORRUPT, "the log of \"%s\" has %" PRId64 " faults",
                       a.stream.name, at.sum.faults);
    return rc;
}
