/*
 * object.c - where objects live, and how long.
 *
 * Nothing here is ever overwritten: the name is the hash of the bytes, so a file that is there
 * is right. What an index names is written first and the index after it, in one transaction
 * with the head that names the index. A crash in between leaves files that nobody names; the
 * sweep that follows every index takes them, together with those that the last stored index to
 * name them has outlived.
 */
#include "sync/object.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/metric.h"
#include "server/store/db.h"
#include "sync/pack.h"

enum { FILE_MAX = 16 << 20, NAME_HEX = 2 * HASH_BYTES };

static const char *const suffix[] = {
    [WIRE_IDENTITY] = "", [WIRE_GZIP] = ".gz", [WIRE_ZSTD] = ".zst"
};

/* ---- rows ---- */

enum rc object_put(struct work *w, int64_t stream, const char *kind, const void *p, size_t n,
                   uint8_t hash[HASH_BYTES])
{
    sha256(p, n, hash);
    return db_run(w, SQL_sync_object_put, "bitib", hash, (size_t)HASH_BYTES, stream, kind,
                  clock_now(), p, n);
}

/*
 * Newest first: a row was superseded when the one before it was made. So the first one made before
 * the horizon was still in use at it.
 */
static enum rc superseded(struct work *w, int64_t stream, const char *kind,
                          const uint8_t *current, int64_t horizon, int most, struct buf *out)
{
    struct rows q;
    int64_t since = INT64_MAX;
    enum rc rc;

    if ((rc = db_query(w, SQL_sync_object_kind, &q, "it", stream, kind)))
        return rc;
    for (int i = 0; rows_next(&q); i++) {
        size_t n;
        const void *hash = rows_blob(&q, 0, &n);
        bool old = horizon == INT64_MAX || since < horizon || (most && i >= most);

        if (old && memcmp(hash, current, HASH_BYTES))
            buf_add(out, hash, n);
        since = rows_int(&q, 1);
    }
    return rows_done(&q);
}

enum rc object_expire(struct work *w, int64_t stream, const char *kind, const uint8_t *current,
                      int64_t horizon, int most)
{
    struct buf hashes = BUF_IN(w->mem);
    enum rc rc = superseded(w, stream, kind, current, horizon, most, &hashes);

    for (size_t at = 0; !rc && at < hashes.n; at += HASH_BYTES)
        rc = db_run(w, SQL_sync_object_drop, "b", hashes.p + at, (size_t)HASH_BYTES);
    return rc;
}

/* ---- files ---- */

static const char *path_of(struct arena *mem, const char *data, const uint8_t hash[HASH_BYTES],
                           enum wire_encoding encoding)
{
    char hex[HASH_TEXT];

    hex_text(hash, HASH_BYTES, hex);
    return arena_printf(mem, "%s/objects/%.2s/%s%s", data, hex, hex, suffix[encoding]);
}

bool object_exists(struct arena *mem, const char *data, const uint8_t hash[HASH_BYTES])
{
    for (int i = WIRE_IDENTITY; i <= WIRE_ZSTD; i++)
        if (!fs_exists(path_of(mem, data, hash, i)))
            return false;
    return true;
}

/* A file that is there stays: its URL has answered these bytes, and another level would give
 * others. */
static enum rc write_one(struct err *e, struct arena *mem, const char *data,
                         enum wire_encoding encoding, int level, const void *p, size_t n,
                         const uint8_t hash[HASH_BYTES], uint64_t *size)
{
    const char *path = path_of(mem, data, hash, encoding);
    struct buf coded = BUF_HEAP;
    struct stat st;
    enum rc rc;

    if (!stat(path, &st)) {
        *size = (uint64_t)st.st_size;
        return RC_OK;
    }
    if (!(rc = pack_encode(e, encoding, level, p, n, &coded)))
        rc = fs_write(e, path, coded.p, coded.n, 0644);
    *size = coded.n;
    buf_done(&coded);
    return rc;
}

static enum rc write_all(struct err *e, struct arena *mem, const char *data, const void *p,
                         size_t n, int level, struct wire_object *o)
{
    char hex[HASH_TEXT];
    enum rc rc;

    sha256(p, n, o->hash);
    hex_text(o->hash, HASH_BYTES, hex);
    if ((rc = fs_mkdirs(e, arena_printf(mem, "%s/objects/%.2s", data, hex), 0755)) ||
        (rc = fs_sync_dir(e, arena_printf(mem, "%s/objects", data))) ||
        (rc = write_one(e, mem, data, WIRE_IDENTITY, level, p, n, o->hash, &o->bytes)) ||
        (rc = write_one(e, mem, data, WIRE_GZIP, level, p, n, o->hash, &o->gzip_bytes)))
        return rc;
    return write_one(e, mem, data, WIRE_ZSTD, level, p, n, o->hash, &o->zstd_bytes);
}

enum rc object_write(struct err *e, const char *data, const void *p, size_t n, int level,
                     struct wire_object *out)
{
    struct arena *mem = arena_new();
    enum rc rc = write_all(e, mem, data, p, n, level, out);

    arena_free(mem);
    metric_add(METRIC_packs_built, 1);
    return rc;
}

static enum rc read_row(struct work *w, const uint8_t hash[HASH_BYTES],
                        enum wire_encoding encoding, const char **p, size_t *n)
{
    struct buf coded = BUF_IN(w->mem);
    struct rows q;
    const void *bytes;
    enum rc rc = db_one(w, SQL_sync_object, &q, "b", hash, (size_t)HASH_BYTES), end;

    if (!rc) {
        bytes = rows_blob(&q, 0, n);
        rc = pack_encode(&w->err, encoding, PACK_WAIT, bytes ? bytes : "", *n, &coded);
    }
    end = rows_done(&q);
    if (rc || (rc = end))
        return rc;
    *p = coded.p;
    *n = coded.n;
    return RC_OK;
}

enum rc object_read(struct work *w, const char *data, const uint8_t hash[HASH_BYTES],
                    enum wire_encoding encoding, const char **p, size_t *n)
{
    char hex[HASH_TEXT], *bytes;
    enum rc rc =
        fs_read(&w->err, w->mem, path_of(w->mem, data, hash, encoding), FILE_MAX, &bytes, n);

    if (!rc)
        *p = bytes;
    if (rc == RC_NOT_FOUND)
        rc = read_row(w, hash, encoding, p, n);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_NOT_FOUND,
                       "there is no object %s; it may have been superseded",
                       hex_text(hash, HASH_BYTES, hex));
    return rc;
}

/* ---- sweep ---- */

static enum rc named_by(struct work *w, const char *text, size_t n, struct buf *out)
{
    struct wire_lines lines;
    struct wire_object o;
    struct sync_err se;
    bool more;

    if (wire_index_begin(&se, text, n, &lines))
        return err_set(&w->err, RC_CORRUPT, "a stored index: %s", se.text);
    for (;;) {
        if (wire_index_next(&se, &lines, &o, &more))
            return err_set(&w->err, RC_CORRUPT, "a stored index: %s", se.text);
        if (!more)
            return RC_OK;
        buf_add(out, o.hash, sizeof o.hash);
    }
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, HASH_BYTES);
}

/* The hashes that stored indexes name, sorted. */
static enum rc named(struct work *w, int64_t stream, struct buf *out)
{
    struct rows q;
    enum rc rc, end;

    if ((rc = db_query(w, SQL_sync_object_kind, &q, "it", stream, "index")))
        return rc;
    while (!rc && rows_next(&q)) {
        size_t n;
        const void *text = rows_blob(&q, 2, &n);

        rc = named_by(w, text ? text : "", n, out);
    }
    end = rows_done(&q);
    if (out->n)
        qsort(out->p, out->n / HASH_BYTES, HASH_BYTES, by_hash);
    return rc ? rc : end;
}

static bool is_named(const struct buf *hashes, const char *file)
{
    uint8_t hash[HASH_BYTES];
    size_t n = strlen(file);

    if (n < NAME_HEX || !hex_parse(file, NAME_HEX, hash, sizeof hash))
        return false;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++)
        if (!strcmp(file + NAME_HEX, suffix[i]))
            return hashes->n &&
                   bsearch(hash, hashes->p, hashes->n / HASH_BYTES, HASH_BYTES, by_hash);
    return false;
}

static void sweep_dir(const char *path, const struct buf *hashes, int *removed)
{
    DIR *dir = opendir(path);
    struct dirent *file;

    if (!dir)
        return;
    while ((file = readdir(dir)))
        if (file->d_name[0] != '.' && !is_named(hashes, file->d_name) &&
            !unlinkat(dirfd(dir), file->d_name, 0))
            ++*removed;
    closedir(dir);
}

enum rc object_sweep(struct work *w, const char *data, int64_t stream, int *removed)
{
    struct buf hashes = BUF_IN(w->mem);
    enum rc rc = named(w, stream, &hashes);

    *removed = 0;
    if (rc)
        return rc;
    for (unsigned i = 0; i < 256; i++)
        sweep_dir(arena_printf(w->mem, "%s/objects/%02x", data, i), &hashes, removed);
    return RC_OK;
}
