/*
 * directory.c - asks the library for the text, names it by its hash, stores it when it is new.
 */
#include "sync/directory.h"

#include <string.h>

#include "server/library/site.h"
#include "server/store/db.h"
#include "sync/object.h"

static enum rc keep(struct work *w, int64_t stream, const char *kind, const struct buf *text,
                    const uint8_t *held, uint8_t hash[HASH_BYTES])
{
    sha256(text->p, text->n, hash);
    if (held && !memcmp(held, hash, HASH_BYTES))
        return RC_OK;
    return object_put(w, stream, kind, text->p, text->n, hash);
}

enum rc ancestry_make(struct work *w, int64_t stream, const uint8_t *held,
                      uint8_t hash[HASH_BYTES])
{
    struct buf text = BUF_IN(w->mem);
    char line[WIRE_ANCESTRY_LINE];
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_sync_ancestry, &q, "i", stream)))
        return rc;
    while (rows_next(&q))
        buf_add(
            &text, line,
            wire_ancestry_print((uint64_t)rows_int(&q, 0), (uint64_t)rows_int(&q, 1), line));
    if ((rc = rows_done(&q)))
        return rc;
    if (!text.n)
        return err_set(&w->err, RC_CORRUPT, "the stream has no ancestry");
    return keep(w, stream, "ancestry", &text, held, hash);
}

enum rc directory_make(struct work *w, int64_t stream, const uint8_t *held,
                       uint8_t hash[HASH_BYTES])
{
    struct buf text = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = directory_json(w, stream, &text)))
        return rc;
    return keep(w, stream, "directory", &text, held, hash);
}

enum rc withheld_make(struct work *w, int64_t stream, const uint8_t *held, bool *any,
                      uint8_t hash[HASH_BYTES])
{
    struct buf text = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    *any = false;
    memset(hash, 0, HASH_BYTES);
    if ((rc = db_query(w, SQL_heads_withheld, &q, "i", stream)))
        return rc;
    buf_adds(&text, "tjzw withheld 1\n");
    while (!rc && rows_next(&q)) {
        struct id id;
        char line[ID_TEXT];
        size_t n;
        const void *p = rows_blob(&q, 0, &n);

        if (n != ID_BYTES) {
            rc = err_set(&w->err, RC_CORRUPT, "the id of a withheld item is damaged");
            break;
        }
        memcpy(id.b, p, ID_BYTES);
        buf_adds(&text, id_text(&id, line));
        buf_addc(&text, '\n');
        *any = true;
    }
    enum rc end = rows_done(&q);
    if (rc || (rc = end) || !*any)
        return rc;
    return keep(w, stream, "withheld", &text, held, hash);
}
