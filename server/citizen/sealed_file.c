/*
 * sealed_file.c - records, one after the other; each is sealed and opened in memory of its own, which goes at once.
 */
#include "server/citizen/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/be64.h"
#include "server/base/buf.h"
#include "server/base/fs.h"
#include "server/base/seal.h"

enum { HEADER = 8, SEALED_MAX = SEALED_PIECE + SEAL_MORE };

/* ---- a record ---- */

struct header {
    int64_t sealed, bytes;
};

static void put_header(struct buf *b, struct header h)
{
    uint8_t text[HEADER];

    be64_put(text, h.sealed << 32 | h.bytes);
    buf_add(b, text, sizeof text);
}

static bool read_header(const uint8_t text[HEADER], struct header *out)
{
    int64_t both = be64_get(text);

    *out = (struct header){ both >> 32, both & UINT32_MAX };
    return out->bytes > 0 && out->bytes <= SEALED_PIECE && out->sealed > out->bytes &&
           out->sealed <= SEALED_MAX;
}

static enum rc seal_record(struct work *w, const struct sealed_file *f, int64_t owner,
                           const void *p, size_t n, struct buf *out)
{
    const struct seal_place at = { f->column, owner };
    struct work own;
    uint8_t *sealed;
    size_t sealed_n;
    enum rc rc;

    work_init(&own, arena_new(), NULL, "", 0);
    rc = f->own ? seal_close_own(&own, f->own, at, p, n, &sealed, &sealed_n)
                : seal_close(&own, at, p, n, &sealed, &sealed_n);
    if (rc)
        w->err = own.err;
    else {
        put_header(out, (struct header){ (int64_t)sealed_n, (int64_t)n });
        buf_add(out, sealed, sealed_n);
    }
    arena_free(own.mem);
    return rc;
}

static enum rc open_record(struct work *w, const struct sealed_file *f, int64_t owner,
                           const uint8_t *sealed, struct header h, struct sealed_taker to)
{
    const struct seal_place at = { f->column, owner };
    struct work own;
    size_t n = 0;
    char *plain;
    enum rc rc;

    work_init(&own, arena_new(), NULL, "", 0);
    rc = f->own ? seal_open_own(&own, f->own, at, sealed, (size_t)h.sealed, &plain, &n)
                : seal_open(&own, at, sealed, (size_t)h.sealed, &plain, &n);
    if (!rc && (int64_t)n != h.bytes)
        rc = err_set(&own.err, RC_CORRUPT, "a record of %s has another length", f->path);
    if (rc)
        w->err = own.err;
    else
        rc = to.take(to.arg, plain, n);
    arena_free(own.mem);
    return rc;
}

/* ---- written ---- */

/* A file on its way. Its last bytes are held back until it is known whether they are the last. */
struct writing {
    struct work *w;
    const struct sealed_file *f;
    struct fs_new new;
    int64_t at; /* so many are on the disk */
    size_t held;
    char piece[SEALED_PIECE];
};

static enum rc put_record(struct writing *t, bool last)
{
    struct buf b = BUF_HEAP;
    enum rc rc = seal_record(t->w, t->f, last ? ~t->at : t->at, t->piece, t->held, &b);

    if (!rc)
        rc = fs_add(&t->w->err, &t->new, b.p, b.n);
    buf_done(&b);
    t->at += (int64_t)t->held;
    t->held = 0;
    return rc;
}

static enum rc put(void *arg, const char *p, size_t n)
{
    struct writing *t = arg;
    enum rc rc;

    while (n) {
        size_t now = sizeof t->piece - t->held < n ? sizeof t->piece - t->held : n;

        if (!now) {
            if ((rc = put_record(t, false)))
                return rc;
            continue;
        }
        memcpy(t->piece + t->held, p, now);
        t->held += now;
        p += now;
        n -= now;
    }
    return RC_OK;
}

static enum rc begin(struct work *w, const struct sealed_file *f, struct writing **out)
{
    struct writing *t = arena_alloc(w->mem, sizeof *t);

    t->w = w;
    t->f = f;
    t->at = 0;
    t->held = 0;
    *out = t;
    return fs_begin(&w->err, f->path, 0600, &t->new);
}

static enum rc end(struct writing *t, enum rc rc)
{
    return fs_end(&t->w->err, &t->new, rc ? rc : put_record(t, true));
}

enum rc sealed_file_write(struct work *w, const struct sealed_file *f, const void *p, size_t n)
{
    struct writing *t;
    enum rc rc = begin(w, f, &t);

    return rc ? rc : end(t, put(t, p, n));
}

enum rc sealed_file_copy(struct work *w, const struct sealed_file *from, size_t max,
                         const struct sealed_file *to)
{
    struct writing *t;
    enum rc rc = begin(w, to, &t);

    return rc ? rc : end(t, sealed_file_each(w, from, max, (struct sealed_taker){ put, t }));
}

/* ---- read ---- */

static enum rc broken(struct work *w, const struct sealed_file *f)
{
    (void)err_set(&w->err, RC_CORRUPT, "%s is not what was sealed", f->path);
    return err_inside(&w->err);
}

enum rc sealed_file_each(struct work *w, const struct sealed_file *f, size_t max,
                         struct sealed_taker to)
{
    AUTO(fclosep) FILE *in = fopen(f->path, "rb");
    uint8_t text[HEADER], *sealed = arena_alloc(w->mem, SEALED_MAX);
    int64_t at = 0;
    enum rc rc = RC_OK;

    if (!in)
        return err_errno(&w->err, "open %s", f->path);
    while (!rc && fread(text, HEADER, 1, in) == 1) {
        struct header h;
        int next;

        if (!read_header(text, &h) || at + h.bytes > (int64_t)max ||
            fread(sealed, (size_t)h.sealed, 1, in) != 1)
            return broken(w, f);
        next = fgetc(in);
        rc = open_record(w, f, !f->grows && next == EOF ? ~at : at, sealed, h, to);
        at += h.bytes;
        ungetc(next, in);
    }
    return !rc && (ferror(in) || !at) ? broken(w, f) : rc;
}

static enum rc append(void *arg, const char *p, size_t n)
{
    buf_add(arg, p, n);
    return RC_OK;
}

enum rc sealed_file_read(struct work *w, const struct sealed_file *f, size_t max, char **out,
                         size_t *n)
{
    struct buf b = BUF_IN(w->mem);
    struct stat st;
    enum rc rc;

    if (!stat(f->path, &st)) /* or what it outgrows stays in memory, too */
        buf_reserve(&b, (size_t)st.st_size < max ? (size_t)st.st_size : max);
    if ((rc = sealed_file_each(w, f, max, (struct sealed_taker){ append, &b })))
        return rc;
    *out = b.p;
    *n = b.n;
    return RC_OK;
}

/* ---- one that grows ---- */

enum rc sealed_file_measure(struct err *e, int fd, int64_t *bytes, int64_t *end)
{
    uint8_t text[HEADER];
    struct header h;
    struct stat st;

    *bytes = *end = 0;
    if (fstat(fd, &st))
        return err_errno(e, "look at an upload");
    while (pread(fd, text, HEADER, *end) == HEADER && read_header(text, &h) &&
           *end + HEADER + h.sealed <= st.st_size) {
        *end += HEADER + h.sealed;
        *bytes += h.bytes;
    }
    return RC_OK;
}

static enum rc write_at(struct err *e, int fd, int64_t offset, const char *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t done = pwrite(fd, p + at, n - at, offset + (int64_t)at);

        if (done < 0 && errno != EINTR)
            return err_unwritten(e, "write an upload");
        at += done > 0 ? (size_t)done : 0;
    }
    return fsync(fd) ? err_unwritten(e, "fsync an upload") : RC_OK;
}

static enum rc seal_all(struct work *w, const struct sealed_file *f, int64_t at, const char *p,
                        size_t n, struct buf *out)
{
    enum rc rc = RC_OK;

    for (size_t done = 0, piece; done < n && !rc; done += piece) {
        piece = n - done < SEALED_PIECE ? n - done : SEALED_PIECE;
        rc = seal_record(w, f, at + (int64_t)done, p + done, piece, out);
    }
    return rc;
}

enum rc sealed_file_add(struct work *w, const struct sealed_file *f, int fd, int64_t at,
                        const void *p, size_t n)
{
    struct buf b = BUF_IN(w->mem);
    int64_t bytes, end;
    enum rc rc;

    if ((rc = sealed_file_measure(&w->err, fd, &bytes, &end)) ||
        (rc = seal_all(w, f, at, p, n, &b)))
        return rc;
    if ((rc = write_at(&w->err, fd, end, b.p, b.n)) && ftruncate(fd, end))
        return err_unwritten(&w->err, "truncate an upload");
    return rc;
}
