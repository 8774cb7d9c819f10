/*
 * blob.c - pictures and attachments: files beside the store, by the hash that is their name.
 *
 *     STORE-blobs/3f/3f7a...          whole: its hash was right when it came, and is checked whenever it is asked for
 *     STORE-blobs/3f/3f7a....part     on its way, continued by Range after a cut or a kill; locked by whoever writes it
 *
 * A row of the table blob says which item names it. Only what a shown item names is handed out; after a sync,
 * what none names any more goes. The time of a file's last change is when it was last asked for;
 * where there is too much, the oldest go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clients/c/sync.h"

enum {
    HEX = 2 * WIRE_HASH,
    PATH_ROOM = 1024,
    TRIES = 4,
    PART_REST_S = 3600,
    REFUSAL_MOST = 64 << 10
};
static const uint64_t most_default = (uint64_t)256 << 20;

struct blob {
    struct tjzw *t;
    const struct tjzw_blob_options *options;
    uint64_t most;
    char hex[HEX + 1];
    uint8_t hash[WIRE_HASH];
    char path[PATH_ROOM], part[PATH_ROOM];
    int64_t stream; /* of the item that names it */
    int fd;         /* of the part */
    struct link link;
    uint64_t at;      /* bytes of the part */
    uint64_t refusal; /* bytes of answers that were none */
};

/* ---- which item names it ---- */

static enum tjzw_code row_pair(struct tjzw *t, sqlite3_stmt *q, int64_t *a, int64_t *b,
                               bool *row, struct tjzw_error *e)
{
    int code = sqlite3_step(q);
    enum tjzw_code rc = TJZW_OK;

    *row = code == SQLITE_ROW;
    if (*row) {
        *a = sqlite3_column_int64(q, 0);
        *b = sqlite3_column_count(q) > 1 ? sqlite3_column_int64(q, 1) : 0;
    } else if (code != SQLITE_DONE) {
        rc = store_error(t, e);
    }
    store_reset(q);
    return rc;
}

static enum tjzw_code still_named(struct tjzw *t, const char *hex, int64_t stream, int64_t born,
                                  bool *named, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_ITEM_NAMES, e);
    int64_t a, b;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_int64(q, 1, stream);
    sqlite3_bind_int64(q, 2, born);
    sqlite3_bind_blob(q, 3, hex, HEX, SQLITE_STATIC);
    return row_pair(t, q, &a, &b, named, e);
}

static enum tjzw_code find_naming(struct tjzw *t, const char *hex, int64_t *stream,
                                  int64_t *born, bool *named, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_ITEM_NAMING, e);

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_blob(q, 1, hex, HEX, SQLITE_STATIC);
    return row_pair(t, q, stream, born, named, e);
}

static enum tjzw_code blob_put(struct tjzw *t, const uint8_t *hash, int64_t stream,
                               int64_t born, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_BLOB_PUT, e);

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_blob(q, 1, hash, WIRE_HASH, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, stream);
    sqlite3_bind_int64(q, 3, born);
    return store_run(t, q, e);
}

/* Finds the item that names it, the one of last time if it still does, and remembers another. */
static enum tjzw_code name_it(struct tjzw *t, const char *hex, const uint8_t *hash,
                              int64_t *stream, bool *named, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_stmt(t, STMT_BLOB_FIND, e);
    int64_t born;
    enum tjzw_code rc;

    if (!q)
        return TJZW_STORE;
    sqlite3_bind_blob(q, 1, hash, WIRE_HASH, SQLITE_STATIC);
    if ((rc = row_pair(t, q, stream, &born, named, e)) ||
        (*named && (rc = still_named(t, hex, *stream, born, named, e))) || *named)
        return rc;
    if ((rc = find_naming(t, hex, stream, &born, named, e)) || !*named)
        return rc;
    return blob_put(t, hash, *stream, born, e);
}

/* ---- files ---- */

static enum tjzw_code fail_errno(struct tjzw_error *e, const char *what, const char *path)
{
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

    return fail_with(e, full ? TJZW_FULL : TJZW_STORE, "%s %s: %s", what, path,
                     strerror(errno));
}

static bool paths(const struct tjzw *t, const char *hex, char *path, char *part)
{
    int n = snprintf(path, PATH_ROOM, "%s-blobs/%.2s/%s", t->path, hex, hex);

    return n > 0 && n < PATH_ROOM &&
           snprintf(part, PATH_ROOM, "%s-blobs/%.2s/%s.part", t->path, hex, hex) < PATH_ROOM;
}

static bool hash_file(int fd, uint8_t out[WIRE_HASH])
{
    crypto_hash_sha256_state h;
    uint8_t room[16384];
    off_t at = 0;
    ssize_t n;

    crypto_hash_sha256_init(&h);
    while ((n = pread(fd, room, sizeof room, at)) > 0) {
        crypto_hash_sha256_update(&h, room, (unsigned long long)n);
        at += n;
    }
    crypto_hash_sha256_final(&h, out);
    return n == 0;
}

/* Whether it is there, whole; what is there and not what it should be goes. */
static bool is_held(const struct blob *b, struct tjzw_blob *out)
{
    int fd = open(b->path, O_RDONLY | O_CLOEXEC);
    uint8_t hash[WIRE_HASH];
    struct stat st;
    bool good;

    if (fd < 0)
        return false;
    good = fstat(fd, &st) == 0 && hash_file(fd, hash) && memcmp(hash, b->hash, WIRE_HASH) == 0;
    close(fd);
    if (!good) {
        unlink(b->path);
        return false;
    }
    utimensat(AT_FDCWD, b->path, NULL, 0);
    memcpy(out->path, b->path, sizeof out->path);
    out->bytes = (uint64_t)st.st_size;
    return true;
}

static enum tjzw_code make_folder(char *path, struct tjzw_error *e)
{
    char *slash = strrchr(path, '/');
    enum tjzw_code rc = TJZW_OK;

    *slash = '\0';
    if (mkdir(path, 0700) && errno != EEXIST)
        rc = fail_errno(e, "make", path);
    *slash = '/';
    return rc;
}

/* Both folders: STORE-blobs and the one of the first two digits. */
static enum tjzw_code make_folders(struct blob *b, struct tjzw_error *e)
{
    char *slash = strrchr(b->part, '/');
    enum tjzw_code rc;

    *slash = '\0';
    rc = make_folder(b->part, e);
    *slash = '/';
    return rc ? rc : make_folder(b->part, e);
}

/* The part is ours alone. It may have become the whole between opening and locking. */
static enum tjzw_code open_part(struct blob *b, struct tjzw_error *e)
{
    struct stat here, there;
    enum tjzw_code rc = make_folders(b, e);

    if (rc)
        return rc;
    if ((b->fd = open(b->part, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        return fail_errno(e, "open", b->part);
    if (flock(b->fd, LOCK_EX | LOCK_NB) || fstat(b->fd, &here) || stat(b->part, &there) ||
        here.st_ino != there.st_ino)
        return fail_with(e, TJZW_LOCKED, "%s is being fetched", b->hex);
    b->at = (uint64_t)here.st_size;
    return TJZW_OK;
}

/* ---- fetching ---- */

static enum sync_rc take_body(struct follow_get *g, struct sync_err *e, const uint8_t *bytes,
                              size_t n)
{
    struct blob *b = g->ctx;
    const struct tjzw_blob_options *o = b->options;

    if (g->status != 200 && g->status != 206) { /* a problem document, which has an end */
        b->refusal += n;
        return b->refusal <= REFUSAL_MOST
                   ? SYNC_OK
                   : sync_err_set(e, SYNC_NET, "status %d, and no end of it", g->status);
    }
    if (g->from > 0) { /* the first piece: from here on `from` is of no use any more */
        if (g->status == 206 && g->range_from != b->at)
            return sync_err_set(e, SYNC_INVALID, "another range than the one asked for");
        if (g->status == 200) {
            b->at = 0;
            if (ftruncate(b->fd, 0))
                return sync_err_set(e, SYNC_STORE, "truncate: %s", strerror(errno));
        }
        g->from = 0;
    }
    if (b->at + n > b->most)
        return sync_err_set(e, SYNC_INVALID, "more than %" PRIu64 " bytes", b->most);
    while (n > 0) {
        ssize_t wrote = pwrite(b->fd, bytes, n, (off_t)b->at);

        if (wrote <= 0)
            return sync_err_set(e, errno == ENOSPC || errno == EDQUOT ? SYNC_FULL : SYNC_STORE,
                                "write %s: %s", b->part, strerror(errno));
        b->at += (uint64_t)wrote;
        bytes += wrote;
        n -= (size_t)wrote;
    }
    if (o->progress && o->progress(o->ctx, b->at, g->length))
        return sync_err_set(e, SYNC_CANCELLED, "stopped");
    return SYNC_OK;
}

/* One request. *again: what came since may be continued, or was no good, and the next one may do. */
static enum tjzw_code ask(struct blob *b, bool past_caches, bool *again, struct tjzw_error *e)
{
    char path[32 + HEX], etag[HEX + 3];
    uint64_t before = b->at;
    struct follow_get g = { .path = path,
                            .from = before,
                            .if_range = etag,
                            .past_caches = past_caches,
                            .body = take_body,
                            .ctx = b };
    struct sync_err why = { 0 };

    snprintf(path, sizeof path, "/v1/blobs/%s", b->hex);
    snprintf(etag, sizeof etag, "\"%s\"", b->hex);
    if (link_get(&b->link, &why, &g, 1))
        return fail_sync(e, &why);
    if (g.status == 416) { /* more was held than there is */
        *again = ftruncate(b->fd, 0) == 0;
        b->at = 0;
        return fail_with(e, TJZW_INVALID, "status 416");
    }
    *again = g.err.rc && b->at != before;
    if (g.err.rc)
        return b->link.untrusted ? fail_with(e, TJZW_TLS, "%s", g.err.text)
                                 : fail_with(e, TJZW_NET, "%s", g.err.text);
    switch (g.status) {
    case 200:
    case 206: return TJZW_OK;
    case 404:
    case 410: return fail_with(e, TJZW_NOT_FOUND, "the server does not have it");
    case 429:
    case 503: return fail_with(e, TJZW_BUSY, "come again after %" PRIu32 " s", g.retry_after);
    default: return fail_with(e, TJZW_NET, "status %d", g.status);
    }
}

/* Until it is whole and right. What has another hash is asked for once more, past every cache. */
static enum tjzw_code fetch(struct blob *b, struct tjzw_error *e)
{
    enum tjzw_code rc = TJZW_OK;
    bool again = true, past_caches = false;
    uint8_t hash[WIRE_HASH];

    for (int i = 0; i < TRIES && again; i++) {
        again = false;
        if ((rc = ask(b, past_caches, &again, e)))
            continue;
        if (hash_file(b->fd, hash) && memcmp(hash, b->hash, WIRE_HASH) == 0)
            return rename(b->part, b->path) ? fail_errno(e, "rename", b->part) : TJZW_OK;
        rc = fail_with(e, TJZW_MISMATCH, "%s: other bytes than its name says", b->hex);
        if (ftruncate(b->fd, 0))
            return fail_errno(e, "truncate", b->part);
        b->at = 0;
        again = !past_caches;
        past_caches = true;
    }
    return rc;
}

/* ---- making room ---- */

struct file {
    char path[PATH_ROOM];
    uint64_t bytes;
    struct timespec used;
};

struct files {
    struct file *at;
    size_t n, room;
    uint64_t bytes;
};

static int by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const struct file *)a)->used,
                          *y = &((const struct file *)b)->used;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static void list_folder(const char *folder, struct files *out)
{
    DIR *d = opendir(folder);
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        struct file f;
        struct stat st;

        if (strlen(entry->d_name) < HEX ||
            snprintf(f.path, sizeof f.path, "%s/%s", folder, entry->d_name) >=
                (int)sizeof f.path ||
            stat(f.path, &st) || !S_ISREG(st.st_mode))
            continue;
        f.bytes = (uint64_t)st.st_size;
        f.used = st.st_mtim;
        if (out->n == out->room) {
            out->room = out->room ? 2 * out->room : 64;
            if (!(out->at = realloc(out->at, out->room * sizeof *out->at)))
                abort();
        }
        out->at[out->n++] = f;
        out->bytes += f.bytes;
    }
    if (d)
        closedir(d);
}

/* Down to `most`; `but` stays, and so does what may be on its way. */
static void make_room(const struct tjzw *t, uint64_t most, const char *but)
{
    struct files files = { 0 };
    char folder[PATH_ROOM];
    time_t now = time(NULL);

    for (unsigned i = 0; i < 256; i++)
        if (snprintf(folder, sizeof folder, "%s-blobs/%02x", t->path, i) < (int)sizeof folder)
            list_folder(folder, &files);
    if (files.n > 0)
        qsort(files.at, files.n, sizeof *files.at, by_use);
    for (size_t i = 0; i < files.n && files.bytes > most; i++) {
        const struct file *f = &files.at[i];
        bool part = f->path[strlen(f->path) - 1] == 't';

        if (strcmp(f->path, but) != 0 && (!part || f->used.tv_sec < now - PART_REST_S) &&
            unlink(f->path) == 0)
            files.bytes -= f->bytes;
    }
    free(files.at);
}

/* ---- tjzw_blob ---- */

static enum tjzw_code stream_of(struct blob *b, struct stream *out, struct tjzw_error *e)
{
    enum tjzw_code rc;

    for (out->no = 0; !(rc = stream_next(b->t, out->no, out, e)) && out->no;)
        if (out->no == b->stream)
            return TJZW_OK;
    return rc ? rc : fail_with(e, TJZW_NOT_FOUND, "its stream is not followed any more");
}

static enum tjzw_code fetch_blob(struct blob *b, struct tjzw_blob *out, struct tjzw_error *e)
{
    const struct tjzw_sync_options how = { .timeout = b->options->timeout,
                                           .connect_timeout = b->options->connect_timeout,
                                           .idle_timeout = b->options->idle_timeout };
    struct stream s;
    enum tjzw_code rc;

    if ((rc = stream_of(b, &s, e)) || (rc = open_part(b, e)))
        return rc;
    b->link = (struct link){ .t = b->t,
                             .options = &how,
                             .transport = b->t->transport,
                             .began = link_now_ms(),
                             .lock = -1 };
    link_attach(&b->link);
    link_to(&b->link, &s);
    if ((rc = fetch(b, e)))
        return rc;
    make_room(b->t, b->most, b->path);
    out->fetched = true;
    return is_held(b, out) ? TJZW_OK : fail_with(e, TJZW_STORE, "%s is gone again", b->path);
}

enum tjzw_code tjzw_blob(struct tjzw *t, const char *sha256,
                         const struct tjzw_blob_options *options, struct tjzw_blob *out,
                         struct tjzw_error *e)
{
    static const struct tjzw_blob_options defaults;
    struct blob b = { .t = t, .options = options ? options : &defaults, .fd = -1 };
    enum tjzw_code rc;
    bool named;

    *out = (struct tjzw_blob){ 0 };
    atomic_store(&t->stop, false);
    b.most = b.options->most ? b.options->most : most_default;
    if (!sha256 || !wire_unhex(sha256, strlen(sha256), b.hash, WIRE_HASH))
        return fail_with(e, TJZW_USAGE, "a blob's name is 64 lower-case hex digits");
    memcpy(b.hex, sha256, HEX + 1);
    if (!paths(t, b.hex, b.path, b.part))
        return fail_with(e, TJZW_STORE, "too long a path");
    if ((rc = name_it(t, b.hex, b.hash, &b.stream, &named, e)))
        return rc;
    if (!named)
        return fail_with(e, TJZW_NOT_FOUND, "nothing that is published names it");
    if (is_held(&b, out))
        return TJZW_OK;
    rc = b.options->offline ? fail_with(e, TJZW_NOT_FOUND, "not held") : fetch_blob(&b, out, e);
    if (b.fd >= 0)
        close(b.fd);
    return rc;
}

/* ---- after a sync ---- */

static enum tjzw_code drop(struct tjzw *t, const char *hex, const uint8_t *hash,
                           struct tjzw_error *e)
{
    char path[PATH_ROOM], part[PATH_ROOM];
    sqlite3_stmt *q;

    if (paths(t, hex, path, part)) {
        unlink(path);
        unlink(part);
    }
    if (!(q = store_stmt(t, STMT_BLOB_DROP, e)))
        return TJZW_STORE;
    sqlite3_bind_blob(q, 1, hash, WIRE_HASH, SQLITE_STATIC);
    return store_run(t, q, e);
}

enum tjzw_code blob_weed(struct tjzw *t, struct tjzw_error *e)
{
    uint8_t hash[WIRE_HASH] = { 0 };
    char hex[HEX + 1];
    int64_t stream;
    enum tjzw_code rc;

    for (;;) {
        sqlite3_stmt *q = store_stmt(t, STMT_BLOB_NEXT, e);
        bool row, named;

        if (!q)
            return TJZW_STORE;
        sqlite3_bind_blob(q, 1, hash, WIRE_HASH, SQLITE_TRANSIENT);
        row = sqlite3_step(q) == SQLITE_ROW && sqlite3_column_bytes(q, 0) == WIRE_HASH;
        if (row)
            memcpy(hash, sqlite3_column_blob(q, 0), WIRE_HASH);
        store_reset(q);
        if (!row)
            return TJZW_OK;
        wire_hex(hash, WIRE_HASH, hex);
        if ((rc = name_it(t, hex, hash, &stream, &named, e)) ||
            (!named && (rc = drop(t, hex, hash, e))))
            return rc;
    }
}
