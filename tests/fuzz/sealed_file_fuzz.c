/*
 * sealed_file_fuzz.c - a sealed file, however damaged: what is read is what was sealed, or nothing.
 *
 *     first byte mod 3    0  the rest is a file that nobody sealed
 *                         1  edits of one that grows: what is left of it is read, up to a damage
 *                         2  edits of one that is whole: all of it or nothing
 *     an edit             what to do | where, 2 bytes | how many, or by what
 *
 * Key and text stay for a run, so that edits meet records which would open.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/citizen/sealed_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { WHOLE = SEALED_PIECE + 300, GROWN = 600, STEP = 50, ROOM = 2 * WHOLE, EDIT = 4 };

static const uint8_t own[SECRET_BYTES] = "a key of its own";

static struct {
    char path[80], plain[WHOLE];
    struct original {
        uint8_t bytes[ROOM];
        size_t n;
    } grown, whole;
} base;

static struct sealed_file file(bool grows)
{
    return (struct sealed_file){ base.path, "fuzz", own, grows };
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void put(const uint8_t *p, size_t n)
{
    int fd = open(base.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

static void keep(struct work *w, struct original *out)
{
    char *bytes;

    must(!fs_read(&w->err, w->mem, base.path, ROOM, &bytes, &out->n));
    memcpy(out->bytes, bytes, out->n);
}

/* The two files that are edited. Nothing stays behind: the edited ones lie in memory. */
static void make(struct work *w, const char *dir)
{
    const struct sealed_file whole = file(false), grown = file(true);
    int fd;

    for (int i = 0; i < WHOLE; i++)
        base.plain[i] = (char)(i * 7 + i / 251);
    must(!sealed_file_write(w, &whole, base.plain, WHOLE));
    keep(w, &base.whole);
    fd = open(base.path, O_RDWR | O_TRUNC);
    for (int at = 0; at < GROWN; at += STEP)
        must(!sealed_file_add(w, &grown, fd, at, base.plain + at, STEP));
    close(fd);
    keep(w, &base.grown);
    remove(base.path);
    remove(dir);
}

static void begin(struct work *w)
{
    static const char *const keys[] = { "seal.1", "index" };
    char dir[] = "/tmp/tjzw-sealed-fuzz-XXXXXX", path[80];

    must(mkdtemp(dir) && !seal_load(&w->err, dir, SEAL_XCHACHA));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, keys[i]);
        remove(path);
    }
    snprintf(base.path, sizeof base.path, "%s/file", dir);
    make(w, dir);
    snprintf(base.path, sizeof base.path, "/proc/self/fd/%d", memfd_create("file", 0));
}

/* ---- a file that nobody sealed ---- */

/* What would be gone on with holds no more than there is, and takes more. */
static void go_on(struct work *w, size_t n)
{
    const struct sealed_file f = file(true);
    int fd = open(base.path, O_RDWR);
    int64_t bytes = -1, end = -1, more = -1;

    must(fd >= 0 && !sealed_file_measure(&w->err, fd, &bytes, &end));
    must(bytes >= 0 && bytes <= end && end <= (int64_t)n);
    must(!ftruncate(fd, end) && !sealed_file_add(w, &f, fd, bytes, "x", 1));
    must(!sealed_file_measure(&w->err, fd, &more, &end) && more == bytes + 1);
    close(fd);
}

static void try_foreign(struct work *w, const uint8_t *data, size_t n)
{
    char *text;
    size_t text_n;

    for (int grows = 0; grows < 2; grows++) {
        const struct sealed_file f = file(grows);

        put(data, n);
        must(sealed_file_read(w, &f, WHOLE, &text, &text_n) == RC_CORRUPT);
    }
    go_on(w, n);
}

/* ---- edits ---- */

static void edit(struct original *o, const uint8_t e[EDIT])
{
    size_t at = o->n ? (size_t)(e[1] << 8 | e[2]) % o->n : 0, left = o->n - at,
           n = e[3] < left ? e[3] : left;

    switch (e[0] % 5) {
    case 0: o->bytes[at] ^= e[3]; break;
    case 1: o->n = at; break;
    case 2: /* some go */
        memmove(o->bytes + at, o->bytes + at + n, left - n);
        o->n -= n;
        break;
    case 3: /* some come twice */
        if (o->n + n > ROOM)
            break;
        memmove(o->bytes + at + n, o->bytes + at, left);
        o->n += n;
        break;
    case 4: /* the first record goes */
        n = o->n > 8 ? (size_t)(o->bytes[2] << 8 | o->bytes[3]) + 8 : o->n;
        n = n < o->n ? n : o->n;
        memmove(o->bytes, o->bytes + n, o->n - n);
        o->n -= n;
    }
}

static void try_edits(struct work *w, const struct original *from, bool grows,
                      const uint8_t *data, size_t n)
{
    static struct original now;
    const struct sealed_file f = file(grows);
    size_t text_n, whole_n = grows ? GROWN : WHOLE;
    bool same;
    char *text;
    enum rc rc;

    now = *from;
    for (; n >= EDIT; data += EDIT, n -= EDIT)
        edit(&now, data);
    same = now.n == from->n && !memcmp(now.bytes, from->bytes, now.n);
    put(now.bytes, now.n);
    rc = sealed_file_read(w, &f, whole_n, &text, &text_n);
    must(rc == RC_CORRUPT || !rc);
    must(!same || !rc);
    if (rc)
        return;
    must(text_n == whole_n || (grows && text_n < whole_n)); /* one that grows may be shorter */
    must(!memcmp(text, base.plain, text_n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct work w;

    work_init(&w, arena_new(), NULL, "fuzz", RIGHT_ALL);
    if (!*base.path)
        begin(&w);
    if (n && data[0] % 3 == 0)
        try_foreign(&w, data + 1, n - 1);
    else if (n)
        try_edits(&w, data[0] % 3 == 1 ? &base.grown : &base.whole, data[0] % 3 == 1, data + 1,
                  n - 1);
    arena_free(w.mem);
    return 0;
}
