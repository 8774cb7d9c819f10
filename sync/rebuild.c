/*
 * rebuild.c - index --> rows --> recipes --> the same bytes again --> files.
 */
#include "sync/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/store/db.h"
#include "sync/object.h"
#include "sync/pack.h"
#include "sync/recipe.h"

struct rebuild {
    const char *data;
    int64_t stream;
    bool mend;
    void (*say)(void *arg, const char *text);
    void *arg;
    struct rebuilt *out;
};

PRINTF_LIKE(3, 4)
static void tell(const struct rebuild *r, const uint8_t hash[HASH_BYTES], const char *fmt, ...)
{
    char text[200], hex[HASH_TEXT];
    va_list ap;
    int n = snprintf(text, sizeof text, "%.16s… ", hex_text(hash, HASH_BYTES, hex));

    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    r->say(r->arg, text);
}

static enum rc check_file(struct work *w, struct rebuild *r, const struct part *p,
                          enum wire_encoding encoding, const struct buf *identity)
{
    static const char *const names[] = { "", ".gz", ".zst" };
    static const char *const found[] = { "right", "missing", "damaged" };
    const uint64_t sizes[] = { p->o.bytes, p->o.gzip_bytes, p->o.zstd_bytes };
    struct buf coded = BUF_HEAP;
    enum object_state state = OBJECT_RIGHT;
    enum rc rc = pack_encode(&w->err, encoding, p->level, identity->p, identity->n, &coded);
    bool fits = !rc && coded.n == sizes[encoding];

    if (!rc)
        rc = object_check(&w->err, r->data, p->o.hash, encoding, coded.p, coded.n,
                          r->mend && fits, &state);
    buf_done(&coded);
    if (rc)
        return rc;
    r->out->right += state == OBJECT_RIGHT;
    r->out->missing += state == OBJECT_MISSING;
    r->out->damaged += state == OBJECT_DAMAGED;
    r->out->mended += state != OBJECT_RIGHT && r->mend && fits;
    r->out->wrong += !fits;
    if (state != OBJECT_RIGHT)
        tell(r, p->o.hash, "the file%s%s is %s%s", *names[encoding] ? " " : "", names[encoding],
             found[state], r->mend && fits ? "; made again" : "");
    if (!fits)
        tell(r, p->o.hash,
             "compressed by this program it has another length than in the index");
    return RC_OK;
}

static enum rc check_object(struct work *w, struct rebuild *r, const struct part *p)
{
    uint8_t hash[HASH_BYTES];
    struct pack pack;
    enum rc rc;

    pack_init(&pack, p->o.bytes);
    rc = recipe_make(w, r->stream, p, &pack);
    if (!rc) {
        sha256(pack.body.p, pack.body.n, hash);
        if (memcmp(hash, p->o.hash, HASH_BYTES)) {
            r->out->wrong++;
            tell(r, p->o.hash, "is not what the log gives");
        } else {
            for (int i = WIRE_IDENTITY; i <= WIRE_ZSTD && !rc; i++)
                rc = check_file(w, r, p, i, &pack.body);
        }
    }
    pack_done(&pack);
    return rc;
}

/* Each object in an arena of its own: there may be many. */
static enum rc check_line(struct work *w, struct rebuild *r, const struct wire_object *o)
{
    struct arena *mem = w->mem;
    struct part p;
    enum rc rc;

    r->out->objects++;
    w->mem = arena_new();
    rc = part_find(w, r->stream, o->hash, &p);
    if (rc == RC_NOT_FOUND) {
        rc = RC_OK;
        r->out->wrong++;
        tell(r, o->hash, "has no recipe");
    } else if (!rc && p.gone) {
        r->out->gone++;
    } else if (!rc) {
        rc = check_object(w, r, &p);
    }
    arena_free(w->mem);
    w->mem = mem;
    return rc;
}

static enum rc check_index(struct work *w, struct rebuild *r, const char *text, size_t n)
{
    struct wire_lines lines;
    struct wire_object o;
    struct sync_err se;
    bool more = true;
    enum rc rc = RC_OK;

    if (wire_index_begin(&se, text, n, &lines))
        return err_set(&w->err, RC_CORRUPT, "the index: %s", se.text);
    while (!rc) {
        if (wire_index_next(&se, &lines, &o, &more))
            return err_set(&w->err, RC_CORRUPT, "the index: %s", se.text);
        if (!more)
            return RC_OK;
        rc = check_line(w, r, &o);
    }
    return rc;
}

enum rc rebuild_stream(struct work *w, const char *data, int64_t stream, bool mend,
                       void (*say)(void *arg, const char *text), void *arg, struct rebuilt *out)
{
    struct rebuild r = { data, stream, mend, say, arg, out };
    uint8_t hash[HASH_BYTES];
    const char *text = NULL;
    const void *p;
    struct rows q;
    size_t n = 0;
    enum rc rc = db_one(w, SQL_sync_stream_by_no, &q, "i", stream);

    p = rc ? NULL : rows_blob(&q, 4, &n);
    if (p && n == sizeof hash)
        memcpy(hash, p, n);
    if ((rc = rows_done(&q)) || n != sizeof hash)
        return rc; /* there is no index yet */
    rc = db_one(w, SQL_sync_object, &q, "b", hash, sizeof hash);
    if (!rc)
        text = rows_dup_blob(w, &q, 0, &n);
    if ((rc = rows_done(&q)))
        return rc == RC_NOT_FOUND ? err_set(&w->err, RC_CORRUPT, "the index is lost") : rc;
    return check_index(w, &r, text, n);
}
