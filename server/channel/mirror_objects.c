/*
 * mirror_objects.c - what a head names is fetched before the head is shown, byte for byte in every encoding, so that
 * the index's lengths are right and no phone is sent back to the publisher.
 *
 *     index (a row, at once: it keeps the sweep of objects away) --> .zst --> identity, by its hash
 *                                                               \--> .gz, which must decode to the same
 *
 * An object that the publisher has purged (404, 410) is 410 here too, from the transaction on that shows the head. When
 * a head has a higher cut, every object that we hold is asked for again, past every cache: one byte of each. Any answer
 * but that byte and "gone" (the publisher is busy) puts the head off: what it purged must not be shown here under it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "server/base/memory.h"
#include "server/channel/mirror_state.h"
#include "server/store/writer.h"
#include "sync/head.h"
#include "sync/object.h"

enum { AT_ONCE = 8, BODY_MAX = 16 << 20, WINDOW_LOG_MAX = 23 };

/* ---- one body ---- */

struct body {
    struct follow_get get;
    char path[WIRE_URL_MAX];
    struct buf bytes; /* heap */
    size_t most;      /* longer is refused; 0: the beginning is enough */
    size_t passed;    /* bytes that are not kept */
    struct wire_object object;
    enum wire_encoding encoding;
};

static enum sync_rc take(struct follow_get *g, struct sync_err *e, const uint8_t *p, size_t n)
{
    struct body *b = g->ctx;

    if (!b->most || g->status != 200) {
        b->passed += n;
        return b->passed <= BODY_MAX
                   ? SYNC_OK
                   : sync_err_set(e, SYNC_NET, "%s: status %d, and no end", b->path, g->status);
    }
    if (b->bytes.n + n > b->most)
        return sync_err_set(e, SYNC_INVALID, "%s is longer than the index says", b->path);
    buf_add(&b->bytes, p, n);
    return SYNC_OK;
}

static void ask(struct body *b, const char *stream, const uint8_t hash[WIRE_HASH],
                enum wire_encoding encoding, size_t most)
{
    struct wire_url u = { .kind = WIRE_URL_OBJECT, .encoding = encoding };

    strcpy(u.stream, stream);
    memcpy(u.hash, hash, WIRE_HASH);
    wire_url_print(&u, b->path);
    b->encoding = encoding;
    b->most = most;
    b->get = (struct follow_get){ .path = b->path, .body = take, .ctx = b };
}

static bool is_gone(const struct body *b)
{
    return b->get.err.rc == SYNC_OK && (b->get.status == 410 || b->get.status == 404);
}

static bool is_there(const struct body *b)
{
    return b->get.err.rc == SYNC_OK && (b->get.status == 200 || b->get.status == 206);
}

static enum sync_rc check_answer(struct sync_err *e, const struct body *b)
{
    if (b->get.err.rc)
        return sync_err_set(e, b->get.err.rc, "%s: %s", b->path, b->get.err.text);
    if (b->get.status != 200)
        return sync_err_set(e, SYNC_BUSY, "%s: answered %d", b->path, b->get.status);
    return SYNC_OK;
}

/* ---- decoding ---- */

static bool unzstd(const struct buf *in, char *out, size_t n)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    size_t got;

    if (!ctx)
        memory_end();
    ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    got = ZSTD_decompressDCtx(ctx, out, n, in->p, in->n);
    ZSTD_freeDCtx(ctx);
    return !ZSTD_isError(got) && got == n;
}

static bool ungzip(const struct buf *in, char *out, size_t n)
{
    z_stream z = { .next_in = (unsigned char *)in->p,
                   .avail_in = (unsigned)in->n,
                   .next_out = (unsigned char *)out,
                   .avail_out = (unsigned)n };
    bool ok = inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END &&
              z.total_out == n && z.avail_in == 0;

    inflateEnd(&z);
    return ok;
}

/* Decodes an object's body and writes what it is the file of. */
static enum sync_rc keep(struct mirror_store *s, struct sync_err *e, const struct body *b)
{
    const struct wire_object *o = &b->object;
    char *text = malloc(o->bytes ? o->bytes : 1);
    uint8_t hash[HASH_BYTES];
    enum object_state state;
    struct err why = { 0 };
    bool zstd = b->encoding == WIRE_ZSTD, ok;
    enum rc rc = RC_OK;

    if (!text)
        memory_end();
    ok = b->bytes.n == (zstd ? o->zstd_bytes : o->gzip_bytes) &&
         (zstd ? unzstd : ungzip)(&b->bytes, text, o->bytes);
    if (ok)
        sha256(text, o->bytes, hash);
    if (ok && !memcmp(hash, o->hash, HASH_BYTES)) {
        if (zstd)
            rc = object_check(&why, s->data, o->hash, WIRE_IDENTITY, text, o->bytes, true,
                              &state);
        if (!rc)
            rc = object_check(&why, s->data, o->hash, b->encoding, b->bytes.p, b->bytes.n, true,
                              &state);
    } else {
        ok = false;
    }
    free(text);
    if (!ok)
        return sync_err_set(e, SYNC_MISMATCH, "%s is not what the index says", b->path);
    return rc ? mirror_failed(e, rc, &why) : SYNC_OK;
}

/* ---- the index ---- */

struct text { /* for the writer */
    struct mirror_store *store;
    const struct buf *bytes;
};

static enum rc put_index(struct work *w, void *arg)
{
    const struct text *t = arg;
    uint8_t hash[HASH_BYTES];

    return object_put(w, t->store->no, "index", t->bytes->p, t->bytes->n, hash);
}

static enum sync_rc store_index(struct mirror_store *s, struct sync_err *e,
                                const struct buf *bytes)
{
    struct text t = { s, bytes };
    enum sync_rc sr = SYNC_OK;
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "mirror", RIGHT_ALL);
    if ((rc = writer_call(&w, put_index, &t)))
        sr = mirror_failed(e, rc, &w.err);
    arena_free(w.mem);
    return sr;
}

static enum sync_rc held_index(struct mirror_store *s, struct sync_err *e,
                               const uint8_t hash[WIRE_HASH], struct buf *out)
{
    enum sync_rc sr = SYNC_OK;
    struct work w;
    struct rows q;
    enum rc rc;

    work_init(&w, arena_new(), s->reader, "mirror", RIGHT_ALL);
    rc = db_query(&w, SQL_mirror_object_text, &q, "bi", hash, (size_t)WIRE_HASH, s->no);
    if (!rc) {
        size_t n = 0;
        const void *p = rows_next(&q) ? rows_blob(&q, 0, &n) : NULL;

        buf_add(out, p ? p : "", n);
        rc = rows_done(&q);
    }
    if (rc)
        sr = mirror_failed(e, rc, &w.err);
    arena_free(w.mem);
    return sr;
}

static enum sync_rc fetch_index(const struct mirror_prepare *p, struct sync_err *e,
                                const uint8_t hash[WIRE_HASH], struct buf *out)
{
    struct body b = { 0 };
    uint8_t got[HASH_BYTES];
    enum sync_rc rc;

    ask(&b, p->store->name, hash, WIRE_IDENTITY, WIRE_INDEX_MAX);
    if (!(rc = p->transport->get(p->transport->ctx, e, &b.get, 1)))
        rc = check_answer(e, &b);
    sha256(b.bytes.p ? b.bytes.p : "", b.bytes.n, got);
    if (!rc && memcmp(got, hash, HASH_BYTES))
        rc = sync_err_set(e, SYNC_MISMATCH, "%s has another hash", b.path);
    if (!rc && !(rc = store_index(p->store, e, &b.bytes)))
        buf_add(out, b.bytes.p, b.bytes.n);
    buf_done(&b.bytes);
    return rc;
}

/* ---- the objects ---- */

/* Asks for `n` bodies side by side: the engine's gets stand behind each other. */
static enum sync_rc get_all(const struct mirror_prepare *p, struct sync_err *e,
                            struct body *bodies, size_t n)
{
    struct follow_get gets[AT_ONCE];
    enum sync_rc rc;

    for (size_t i = 0; i < n; i++)
        gets[i] = bodies[i].get;
    rc = p->transport->get(p->transport->ctx, e, gets, n);
    for (size_t i = 0; i < n; i++)
        bodies[i].get = gets[i];
    return rc;
}

struct answered {
    const struct mirror_store *store;
    const uint8_t *hash;
};

static enum rc put_back(struct work *w, void *arg)
{
    const struct answered *a = arg;

    return db_run(w, SQL_mirror_object_back, "bi", a->hash, (size_t)HASH_BYTES, a->store->no);
}

/* After a restore what was gone is perhaps named and answered again: by the publisher, not by a cache. */
static bool was_gone(const struct mirror_store *s, const uint8_t *hash)
{
    struct work w;
    struct rows q;
    enum rc rc;

    work_init(&w, arena_new(), s->reader, "mirror", RIGHT_READ);
    rc = db_one(&w, SQL_gone_object, &q, "b", hash, (size_t)HASH_BYTES);
    if (rows_done(&q) && !rc)
        rc = RC_NOT_FOUND;
    arena_free(w.mem);
    return !rc;
}

static enum sync_rc back(const struct mirror_store *s, struct sync_err *e, const uint8_t *hash)
{
    struct answered a = { s, hash };
    enum sync_rc sr = SYNC_OK;
    struct work w;
    enum rc rc;

    work_init(&w, arena_new(), NULL, "mirror", RIGHT_ALL);
    if ((rc = writer_call(&w, put_back, &a)))
        sr = mirror_failed(e, rc, &w.err);
    arena_free(w.mem);
    return sr;
}

static enum sync_rc fetch(const struct mirror_prepare *p, struct sync_err *e,
                          struct body *bodies, size_t n)
{
    enum sync_rc rc = get_all(p, e, bodies, n);

    for (size_t i = 0; i < n && !rc; i++) {
        if (is_gone(&bodies[i])) {
            if (bodies[i].encoding == WIRE_ZSTD)
                buf_add(&p->store->gone, bodies[i].object.hash, WIRE_HASH);
        } else if (!(rc = check_answer(e, &bodies[i])) &&
                   !(rc = keep(p->store, e, &bodies[i])) && bodies[i].get.past_caches) {
            rc = back(p->store, e, bodies[i].object.hash);
        }
    }
    for (size_t i = 0; i < n; i++)
        buf_done(&bodies[i].bytes);
    return rc;
}

static enum sync_rc check_object(struct sync_err *e, const struct wire_object *o)
{
    return o->bytes > BODY_MAX || o->gzip_bytes > BODY_MAX || o->zstd_bytes > BODY_MAX
               ? sync_err_set(e, SYNC_INVALID, "the index names an object of %" PRIu64 " bytes",
                              o->bytes)
               : SYNC_OK;
}

/* One byte of it is enough to learn whether it is still there. */
static void probe(struct body *b, const char *stream, const struct wire_object *o)
{
    ask(b, stream, o->hash, WIRE_ZSTD, 0);
    b->get.from = o->zstd_bytes ? o->zstd_bytes - 1 : 0;
    b->get.past_caches = true;
    b->object = *o;
}

struct batch {
    const struct mirror_prepare *p;
    struct body bodies[AT_ONCE];
    size_t n;
    bool probes;
};

static enum sync_rc flush(struct batch *b, struct sync_err *e)
{
    enum sync_rc rc = SYNC_OK;

    if (b->n && b->probes) {
        rc = get_all(b->p, e, b->bodies, b->n);
        for (size_t i = 0; i < b->n && !rc; i++)
            if (is_gone(&b->bodies[i]))
                buf_add(&b->p->store->gone, b->bodies[i].object.hash, WIRE_HASH);
            else if (!is_there(&b->bodies[i]))
                rc = check_answer(e, &b->bodies[i]);
    } else if (b->n) {
        rc = fetch(b->p, e, b->bodies, b->n);
    }
    memset(b->bodies, 0, sizeof b->bodies);
    b->n = 0;
    return rc;
}

static enum sync_rc add(struct batch *b, struct sync_err *e, const struct wire_object *o)
{
    const char *stream = b->p->store->name;
    bool again = was_gone(b->p->store, o->hash);

    if (b->probes) {
        probe(&b->bodies[b->n++], stream, o);
    } else {
        ask(&b->bodies[b->n], stream, o->hash, WIRE_ZSTD, o->zstd_bytes);
        ask(&b->bodies[b->n + 1], stream, o->hash, WIRE_GZIP, o->gzip_bytes);
        for (size_t end = b->n + 2; b->n < end; b->n++) {
            b->bodies[b->n].object = *o;
            b->bodies[b->n].get.past_caches = again;
        }
    }
    return b->n + 2 > AT_ONCE ? flush(b, e) : SYNC_OK;
}

/* Those of an index that are to be fetched (not held), or asked for again (held). */
static enum sync_rc walk(const struct mirror_prepare *p, struct sync_err *e, const char *text,
                         size_t n, bool probes)
{
    struct batch *b = calloc(1, sizeof *b);
    struct arena *mem = arena_new();
    struct wire_lines lines;
    struct wire_object o;
    bool more = true;
    enum sync_rc rc;

    if (!b)
        memory_end();
    b->p = p;
    b->probes = probes;
    rc = wire_index_begin(e, text, n, &lines);
    while (!rc && !(rc = wire_index_next(e, &lines, &o, &more)) && more)
        if (!(rc = check_object(e, &o)) && object_exists(mem, p->store->data, &o) == probes)
            rc = add(b, e, &o);
    if (!rc)
        rc = flush(b, e);
    for (size_t i = 0; i < AT_ONCE; i++)
        buf_done(&b->bodies[i].bytes);
    arena_free(mem);
    free(b);
    return rc;
}

/* All objects of the indexes that we keep of the stream. */
static enum sync_rc ask_again(const struct mirror_prepare *p, struct sync_err *e)
{
    enum sync_rc sr = SYNC_OK;
    struct work w;
    struct rows q;
    enum rc rc;

    work_init(&w, arena_new(), p->store->reader, "mirror", RIGHT_ALL);
    rc = db_query(&w, SQL_sync_object_kind, &q, "it", p->store->no, "index");
    if (!rc) {
        while (!sr && rows_next(&q)) {
            size_t n;
            const char *text = rows_blob(&q, 2, &n);

            sr = walk(p, e, text ? text : "", n, true);
        }
        rc = rows_done(&q);
    }
    if (rc && !sr)
        sr = mirror_failed(e, rc, &w.err);
    arena_free(w.mem);
    return sr;
}

static bool cut_is_higher(const struct mirror_store *s, const struct wire_head *head)
{
    struct wire_head now;

    return head_values(s->live, &now) && now.cut != head->cut;
}

enum sync_rc mirror_prepare(void *prepare, struct sync_err *e, const struct wire_head *head)
{
    const struct mirror_prepare *p = prepare;
    struct buf text = BUF_HEAP;
    enum sync_rc rc = SYNC_OK;

    p->store->gone.n = 0;
    if (cut_is_higher(p->store, head) && (rc = ask_again(p, e)))
        return rc;
    if (!head->has_index)
        return SYNC_OK;
    if (!(rc = held_index(p->store, e, head->index, &text)) && !text.n)
        rc = fetch_index(p, e, head->index, &text);
    if (!rc)
        rc = walk(p, e, text.p, text.n, false);
    buf_done(&text);
    return rc;
}
