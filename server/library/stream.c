/*
 * stream.c - the rows of the change logs, and the arithmetic of their hash chains.
 *
 *     chain(0) = SHA-256( "tjzw chain 1\n" name )
 *     chain(n) = SHA-256( 0x02 chain(n-1) leaf(n) )
 *
 * Not here: appending a change (change.c), signing a head (sync/head.c).
 */
#include "server/library/stream.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/library/row.h"
#include "sync/wire.h"

void stream_chain_start(const char *name, uint8_t out[HASH_BYTES])
{
    static const char prefix[] = "tjzw chain 1\n";
    char text[sizeof prefix + STREAM_NAME_MAX];
    size_t n = strnlen(name, STREAM_NAME_MAX);

    memcpy(text, prefix, sizeof prefix - 1);
    memcpy(text + sizeof prefix - 1, name, n);
    sha256(text, sizeof prefix - 1 + n, out);
}

void stream_chain_next(uint8_t chain[HASH_BYTES], const uint8_t leaf[HASH_BYTES])
{
    uint8_t step[1 + 2 * HASH_BYTES] = { 0x02 };

    memcpy(step + 1, chain, HASH_BYTES);
    memcpy(step + 1 + HASH_BYTES, leaf, HASH_BYTES);
    sha256(step, sizeof step, chain);
}

static enum rc read_row(struct work *w, const struct rows *q, struct stream *out)
{
    struct stream s = { .no = rows_int(q, 0),
                        .epoch = rows_int(q, 2),
                        .seq = rows_int(q, 3),
                        .born = rows_int(q, 4),
                        .cut = rows_int(q, 5),
                        .mirrored = rows_int(q, 7),
                        .live = rows_int(q, 8) };
    const char *name = rows_text(q, 1);

    if (!name || !wire_stream_ok(name, strlen(name)))
        return err_set(&w->err, RC_CORRUPT, "the name of a stream is damaged");
    memcpy(s.name, name, strlen(name) + 1);
    if (row_bytes(w, q, 6, s.chain, sizeof s.chain))
        return RC_CORRUPT;
    *out = s;
    return RC_OK;
}

enum rc stream_find(struct work *w, const char *name, struct stream *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_stream_by_name, &q, "t", name);

    return row_finish(&q, rc ? rc : read_row(w, &q, out));
}

enum rc stream_by_no(struct work *w, int64_t no, struct stream *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_stream_by_no, &q, "i", no);

    return row_finish(&q, rc ? rc : read_row(w, &q, out));
}

enum rc stream_list(struct work *w, struct stream **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_stream_all, &q, "")))
        return rc;
    while (!rc && rows_next(&q)) {
        struct stream s;

        if (!(rc = read_row(w, &q, &s)))
            buf_add(&list, &s, sizeof s);
    }
    if ((rc = row_finish(&q, rc)))
        return rc;
    *out = (struct stream *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

static enum rc add(struct work *w, const char *name, int64_t epoch, bool mirrored, int64_t *no)
{
    uint8_t chain[HASH_BYTES];
    struct rows q;
    enum rc rc;

    if (!wire_stream_ok(name, strlen(name)))
        return err_set(&w->err, RC_INVALID, "\"%.40s\" cannot be the name of a stream", name);
    if ((rc = work_need(w, RIGHT_OPERATE)))
        return rc;
    stream_chain_start(name, chain);
    rc = db_one(w, SQL_stream_add, &q, "tibi", name, epoch, chain, sizeof chain,
                (int64_t)mirrored);
    *no = rc ? 0 : rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc stream_make(struct work *w, const char *name, struct stream *out)
{
    enum rc rc = stream_find(w, name, out);
    int64_t now = clock_now(), no;

    if (rc != RC_NOT_FOUND)
        return rc;
    if ((rc = add(w, name, now, false, &no)) ||
        (rc = db_run(w, SQL_ancestry_add, "iii", no, now, (int64_t)1)))
        return rc;
    return stream_find(w, name, out);
}

enum rc stream_make_mirrored(struct work *w, const char *name, struct stream *out)
{
    enum rc rc = stream_find(w, name, out);
    int64_t no;

    if (!rc && !out->mirrored)
        return err_set(&w->err, RC_CONFLICT, "the stream %s is this server's own", name);
    if (rc != RC_NOT_FOUND)
        return rc;
    if ((rc = add(w, name, 0, true, &no)))
        return rc;
    return stream_find(w, name, out);
}

enum rc stream_check_own(struct work *w, const struct stream *s)
{
    if (!s->mirrored)
        return RC_OK;
    return err_set(&w->err, RC_CONFLICT,
                   "the stream %s is another server's, mirrored here: it is edited there",
                   s->name);
}

enum rc stream_need_own(struct work *w, int64_t no)
{
    struct stream s;
    enum rc rc = stream_by_no(w, no, &s);

    return rc ? rc : stream_check_own(w, &s);
}
