/*
 * object.c - where objects live, and how long.
 *
 * Nothing that a row of index_object knows is ever overwritten with other bytes: the name is the hash of the
 * bytes, and the row keeps the level of the compressed ones. What an index names is written first and the index after it, in one transaction
 * with the head that names the index. A crash in between leaves files that nobody names; the
 * sweep that follows every index takes them, together with those that the last stored index to
 * name them has outlived.
 */
#include "sync/object.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
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
    enum rc rc;

    sha256(p, n, hash);
    /* A directory may become again what it was long ago. */
    if ((rc = db_run(w, SQL_gone_object_back, "b", hash, (size_t)HASH_BYTES)))
        return rc;
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
        if (!(rc = object_gone(w, stream, (const uint8_t *)hashes.p + at)))
            rc = db_run(w, SQL_sync_object_drop, "bi", hashes.p + at, (size_t)HASH_BYTES,
                        stream);
    return rc;
}

enum rc object_gone(struct work *w, int64_t stream, const uint8_t hash[HASH_BYTES])
{
    return db_run(w, SQL_gone_object_add, "bii", hash, (size_t)HASH_BYTES, stream, clock_now());
}

/* ---- files ---- */

static const char *path_of(struct arena *mem, const char *data, const uint8_t hash[HASH_BYTES],
                           enum wire_encoding encoding)
{
    char hex[HASH_TEXT];

    hex_text(hash, HASH_BYTES, hex);
    return arena_printf(mem, "%s/objects/%.2s/%s%s", data, hex, hex, suffix[encoding]);
}

static bool has_size(const char *path, uint64_t size)
{
    struct stat st;

    return !stat(path, &st) && (uint64_t)st.st_size == size;
}

static uint64_t *size_of(struct wire_object *o, enum wire_encoding encoding)
{
    return encoding == WIRE_GZIP   ? &o->gzip_bytes
           : encoding == WIRE_ZSTD ? &o->zstd_bytes
                                   : &o->bytes;
}

bool object_exists(struct arena *mem, const char *data, const struct wire_object *o)
{
    struct wire_object copy = *o;

    for (int i = WIRE_IDENTITY; i <= WIRE_ZSTD; i++)
        if (!has_size(path_of(mem, data, o->hash, i), *size_of(&copy, i)))
            return false;
    return true;
}

static enum rc write_one(struct err *e, struct arena *mem, const char *data,
                         enum wire_encoding encoding, const void *p, size_t n,
                         const atomic_bool *stop, struct part *part)
{
    struct buf coded = BUF_HEAP;
    enum rc rc;

    if (!(rc = pack_encode_until(e, encoding, part->level, p, n, stop, &coded)))
        rc = fs_write(e, path_of(mem, data, part->o.hash, encoding), coded.p, coded.n, 0644);
    *size_of(&part->o, encoding) = coded.n;
    buf_done(&coded);
    return rc;
}

static enum rc make_dirs(struct err *e, struct arena *mem, const char *data,
                         const uint8_t hash[HASH_BYTES])
{
    char hex[HASH_TEXT];
    enum rc rc;

    hex_text(hash, HASH_BYTES, hex);
    if ((rc = fs_mkdirs(e, arena_printf(mem, "%s/objects/%.2s", data, hex), 0755)))
        return rc;
    return fs_sync_dir(e, arena_printf(mem, "%s/objects", data));
}

/* What is known of an object of these bytes: then its level and its sizes are the row's. */
static enum rc known(struct work *w, int64_t stream, struct part *out, bool *is)
{
    struct part row;
    enum rc rc = part_find(w, stream, out->o.hash, &row);

    *is = !rc;
    if (!rc) {
        out->level = row.level;
        out->o.bytes = row.o.bytes;
        out->o.gzip_bytes = row.o.gzip_bytes;
        out->o.zstd_bytes = row.o.zstd_bytes;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc object_write(struct work *w, const char *data, int64_t stream, const void *p, size_t n,
                     const atomic_bool *stop, struct part *out)
{
    bool is_known;
    enum rc rc;

    sha256(p, n, out->o.hash);
    if ((rc = known(w, stream, out, &is_known)) ||
        (rc = make_dirs(&w->err, w->mem, data, out->o.hash)))
        return rc;
    for (int i = WIRE_IDENTITY; i <= WIRE_ZSTD && !rc; i++)
        if (!is_known || !has_size(path_of(w->mem, data, out->o.hash, i), *size_of(&out->o, i)))
            rc = write_one(&w->err, w->mem, data, i, p, n, stop, out);
    if (!rc)
        metric_add(METRIC_packs_built, 1);
    return rc;
}

static enum rc check(struct err *e, struct arena *mem, const char *data,
                     const uint8_t hash[HASH_BYTES], enum wire_encoding encoding, const void *p,
                     size_t n, bool mend, enum object_state *out)
{
    const char *path = path_of(mem, data, hash, encoding);
    char *found;
    size_t found_n;
    enum rc rc = fs_read(e, mem, path, FILE_MAX, &found, &found_n);

    if (rc && rc != RC_NOT_FOUND && rc != RC_TOO_LARGE)
        return rc;
    *out = rc == RC_NOT_FOUND                                 ? OBJECT_MISSING
           : rc || found_n != n || (n && memcmp(found, p, n)) ? OBJECT_DAMAGED
                                                              : OBJECT_RIGHT;
    if (*out == OBJECT_RIGHT || !mend)
        return RC_OK;
    if ((rc = make_dirs(e, mem, data, hash)))
        return rc;
    return fs_write(e, path, p, n, 0644);
}

enum rc object_check(struct err *e, const char *data, const uint8_t hash[HASH_BYTES],
                     enum wire_encoding encoding, const void *p, size_t n, bool mend,
                     enum object_state *out)
{
    struct arena *mem = arena_new();
    enum rc rc = check(e, mem, data, hash, encoding, p, n, mend, out);

    arena_free(mem);
    return rc;
}

void object_unlink(struct arena *mem, const char *data, const uint8_t hash[HASH_BYTES])
{
    for (int i = WIRE_IDENTITY; i <= WIRE_ZSTD; i++)
        unlink(path_of(mem, data, hash, i));
}

/* ---- reading ---- */

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

/* RC_OK if there is a row. */
static enum rc asked(struct work *w, enum sql sql, const uint8_t hash[HASH_BYTES])
{
    struct rows q;

    enum rc rc = db_one(w, sql, &q, "b", hash, (size_t)HASH_BYTES), end = rows_done(&q);

    return rc ? rc : end;
}

/* Why there is none. */
static enum rc absent(struct work *w, const uint8_t hash[HASH_BYTES])
{
    char hex[HASH_TEXT];
    enum rc rc = asked(w, SQL_index_object_known, hash);

    hex_text(hash, HASH_BYTES, hex);
    if (!rc)
        return err_set(&w->err, RC_BUSY, "the file of object %s is being made again", hex);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there has never been an object %s", hex);
    return rc;
}

enum rc object_read(struct work *w, const char *data, const uint8_t hash[HASH_BYTES],
                    enum wire_encoding encoding, const char **p, size_t *n)
{
    char hex[HASH_TEXT], *bytes;
    enum rc rc = asked(w, SQL_gone_object, hash);

    if (!rc)
        return err_set(&w->err, RC_GONE,
                       "object %s was superseded, or holds what was withdrawn",
                       hex_text(hash, HASH_BYTES, hex));
    if (rc != RC_NOT_FOUND)
        return rc;
    rc = fs_read(&w->err, w->mem, path_of(w->mem, data, hash, encoding), FILE_MAX, &bytes, n);
    if (!rc)
        *p = bytes;
    if (rc == RC_NOT_FOUND)
        rc = read_row(w, hash, encoding, p, n);
    return rc == RC_NOT_FOUND ? absent(w, hash) : rc;
}

/* ---- what is named, and the sweep ---- */

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

bool hashes_have(const struct hashes *h, const uint8_t hash[HASH_BYTES])
{
    return h->n && bsearch(hash, h->hash, h->n, HASH_BYTES, by_hash);
}

/* Sorts them and drops what is there twice. */
static struct hashes hashes_of(const struct buf *b)
{
    struct hashes h = { .hash = (uint8_t(*)[HASH_BYTES])b->p };
    size_t all = b->n / HASH_BYTES;

    if (all)
        qsort(h.hash, all, HASH_BYTES, by_hash);
    for (size_t i = 0; i < all; i++)
        if (!h.n || memcmp(h.hash[h.n - 1], h.hash[i], HASH_BYTES))
            memmove(h.hash[h.n++], h.hash[i], HASH_BYTES);
    return h;
}

/* Those that the index texts of a query name, in its column `text`. */
static enum rc named_by_all(struct work *w, struct rows *q, int text, struct buf *out)
{
    enum rc rc = RC_OK, end;

    while (!rc && rows_next(q)) {
        size_t n;
        const void *p = rows_blob(q, text, &n);

        rc = named_by(w, p ? p : "", n, out);
    }
    end = rows_done(q);
    return rc ? rc : end;
}

enum rc object_named(struct work *w, int64_t stream, struct hashes *out)
{
    struct buf all = BUF_IN(w->mem);
    struct rows q;
    enum rc rc;

    if (!(rc = db_query(w, SQL_sync_object_kind, &q, "it", stream, "index")))
        rc = named_by_all(w, &q, 2, &all);
    *out = hashes_of(&all);
    return rc;
}

/* What stays: named by a row or by a stored index of any stream, and not gone. */
static enum rc staying(struct work *w, struct hashes *out)
{
    struct buf all = BUF_IN(w->mem);
    struct rows q;
    size_t kept = 0;
    enum rc rc;

    if ((rc = db_query(w, SQL_index_texts, &q, "")) || (rc = named_by_all(w, &q, 0, &all)) ||
        (rc = db_query(w, SQL_index_object_hashes, &q, "")))
        return rc;
    while (rows_next(&q)) {
        size_t n;
        const void *hash = rows_blob(&q, 0, &n);

        buf_add(&all, hash, hash && n == HASH_BYTES ? n : 0);
    }
    if ((rc = rows_done(&q)))
        return rc;
    *out = hashes_of(&all);
    for (size_t i = 0; i < out->n; i++) {
        rc = asked(w, SQL_gone_object, out->hash[i]);
        if (rc && rc != RC_NOT_FOUND)
            return rc;
        if (rc)
            memmove(out->hash[kept++], out->hash[i], HASH_BYTES);
    }
    out->n = kept;
    return RC_OK;
}

static bool stays(const struct hashes *hashes, const char *file)
{
    uint8_t hash[HASH_BYTES];
    size_t n = strlen(file);

    if (n < NAME_HEX || !hex_parse(file, NAME_HEX, hash, sizeof hash))
        return false;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++)
        if (!strcmp(file + NAME_HEX, suffix[i]))
            return hashes_have(hashes, hash);
    return false;
}

static void sweep_dir(const char *path, const struct hashes *hashes, int *removed)
{
    DIR *dir = opendir(path);
    struct dirent *file;

    if (!dir)
        return;
    while ((file = readdir(dir)))
        if (file->d_name[0] != '.' && !stays(hashes, file->d_name) &&
            !unlinkat(dirfd(dir), file->d_name, 0))
            ++*removed;
    closedir(dir);
}

/* Builds of all streams that are under way. */
static pthread_mutex_t sweeping = PTHREAD_MUTEX_INITIALIZER;
static int writing;

void object_writing(int by)
{
    pthread_mutex_lock(&sweeping);
    writing += by;
    pthread_mutex_unlock(&sweeping);
}

static enum rc sweep(struct work *w, const char *data, int *removed)
{
    struct hashes hashes;
    enum rc rc = staying(w, &hashes);

    for (unsigned i = 0; i < 256 && !rc; i++)
        sweep_dir(arena_printf(w->mem, "%s/objects/%02x", data, i), &hashes, removed);
    return rc;
}

enum rc object_sweep(struct work *w, const char *data, int mine, int *removed)
{
    enum rc rc = RC_OK;

    *removed = 0;
    pthread_mutex_lock(&sweeping);
    if (writing == mine)
        rc = sweep(w, data, removed);
    pthread_mutex_unlock(&sweeping);
    return rc;
}
