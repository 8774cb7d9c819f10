/*
 * rebuild.c - rows --> recipes --> the same bytes again --> files.
 *
 * Every row is an object that somebody may still ask for: those of the newest index, and what it
 * superseded within the last days. What was purged is never made again as it was.
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

static bool is_named(const struct buf *body, const uint8_t name[HASH_BYTES])
{
    uint8_t hash[HASH_BYTES];

    sha256(body->p, body->n, hash);
    return !memcmp(hash, name, HASH_BYTES);
}

static enum rc check_object(struct work *w, struct rebuild *r, const struct part *p)
{
    struct pack pack;
    enum rc rc;

    pack_init(&pack, p->o.bytes);
    rc = recipe_make(w, r->stream, p, &pack);
    if (!rc) {
        if (!is_named(&pack.body, p->o.hash)) {
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

/* A line of the newest index: it has a row, which has its turn below. */
static enum rc check_line(struct work *w, struct rebuild *r, const struct wire_object *o)
{
    struct part p;
    enum rc rc = part_find(w, r->stream, o->hash, &p);

    if (rc == RC_NOT_FOUND) {
        r->out->objects++;
        r->out->wrong++;
        tell(r, o->hash, "has no recipe");
        return RC_OK;
    }
    r->out->objects += !rc && p.gone;
    r->out->gone += !rc && p.gone;
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

/* Each object in an arena of its own: there may be many. */
static enum rc check_rows(struct work *w, struct rebuild *r)
{
    struct arena *mem = w->mem;
    struct part *part;
    size_t n;
    enum rc rc = part_list(w, r->stream, &part, &n);

    for (size_t i = 0; i < n && !rc; i++) {
        if (part[i].gone)
            continue;
        r->out->objects++;
        w->mem = arena_new();
        rc = check_object(w, r, &part[i]);
        arena_free(w->mem);
        w->mem = mem;
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
    if ((rc = check_index(w, &r, text, n)))
        return rc;
    return check_rows(w, &r);
}

/* ---- one file, under a running server ---- */

static enum rc write_file(struct work *w, const char *data, const struct part *p,
                          enum wire_encoding encoding, const struct buf *body,
                          const atomic_bool *stop)
{
    const uint64_t sizes[] = { p->o.bytes, p->o.gzip_bytes, p->o.zstd_bytes };
    struct buf coded = BUF_HEAP;
    enum object_state was;
    enum rc rc = pack_encode_until(&w->err, encoding, p->level, body->p, body->n, stop, &coded);

    if (!rc && coded.n != sizes[encoding])
        rc = err_set(&w->err, RC_CORRUPT,
                     "compressed by this program it has another length than in the index");
    if (!rc)
        rc = object_check(&w->err, data, p->o.hash, encoding, coded.p, coded.n, true, &was);
    buf_done(&coded);
    return rc;
}

static enum rc make_file(struct work *w, const char *data, int64_t stream, const struct part *p,
                         enum wire_encoding encoding, const atomic_bool *stop)
{
    struct pack pack;
    enum rc rc = db_begin_read(w);

    if (rc)
        return rc;
    pack_init(&pack, p->o.bytes);
    rc = recipe_make(w, stream, p, &pack);
    db_end_read(w->db);
    if (!rc && !is_named(&pack.body, p->o.hash))
        rc = err_set(&w->err, RC_CORRUPT, "it is not what the log gives");
    if (!rc)
        rc = write_file(w, data, p, encoding, &pack.body, stop);
    pack_done(&pack);
    return rc;
}

static enum rc find_kept(struct work *w, int64_t stream, const uint8_t hash[HASH_BYTES],
                         struct part *out)
{
    enum rc rc = part_find(w, stream, hash, out);

    if (!rc && out->gone)
        return err_set(&w->err, RC_NOT_FOUND, "it holds what was withdrawn");
    return rc;
}

enum rc rebuild_file(struct work *w, const char *data, int64_t stream,
                     const uint8_t hash[HASH_BYTES], enum wire_encoding encoding,
                     const atomic_bool *stop)
{
    struct part p;
    enum rc rc = find_kept(w, stream, hash, &p);

    if (rc || (rc = make_file(w, data, stream, &p, encoding, stop)))
        return rc;
    /* A purge may have come meanwhile, and its build may have removed the files before this one stood. */
    if ((rc = find_kept(w, stream, hash, &p)) == RC_NOT_FOUND)
        object_unlink(w->mem, data, hash);
    return rc;
}
