/*
 * disk.c - see the header.
 *
 * Of each file that is written there is a second descriptor, never closed (closing any would drop SQLite's locks), and the list of what was not synced: place,
 * new bytes, old bytes. To lose power all is undone backwards, and a part of it done again forwards. What a name
 * meant before stands in ROOT.gone as a hard link.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two symbols, and both are called */
#include "tests/sim/disk.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/reached.h"
#include "tests/sim/turns.h"

enum { FILES = 4096, DESCRIPTORS = 8192, SECTOR = 512, PATH = 512 };

/* Bytes that changed and were not synced; with `cut`, the file's length that changed. */
struct change {
    bool cut;
    int64_t at, was; /* was: the file's length before */
    size_t n, had;   /* had: bytes of `old` */
    char *bytes, *old;
};

struct file {
    ino_t ino;
    int fd;
    struct change *change;
    size_t n, room;
    unsigned named; /* by the name of that number; 0: long ago */
};

enum deed { MADE, MOVED, REMOVED };

/* A name that changed, and how it was. */
struct name {
    enum deed deed;
    char path[PATH], from[PATH], kept[PATH]; /* kept "": it meant nothing before */
};

static struct {
    char root[PATH];
    size_t root_n;
    struct dice dice;
    unsigned changes, end_at;
    bool power;
    struct file files[FILES];
    unsigned nfiles;
    struct file *of[DESCRIPTORS];
    struct name *names;
    unsigned nnames, names_room, kept;
    const enum path *rows;
} disk;

#define NEXT(name)                           \
    ({                                       \
        static void *found;                  \
        if (!found)                          \
            found = dlsym(RTLD_NEXT, #name); \
        (typeof(&name))found;                \
    })

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    perror(what);
    _exit(1);
}

/* A file is as old as the simulation says. */
static void date(int fd)
{
    const struct timespec now = { .tv_sec = *turns_now_us / 1000000 };

    futimens(fd, (const struct timespec[2]){ now, now });
}

/* ---- the end ---- */

static void undo_bytes(const struct file *f, const struct change *c)
{
    must(NEXT(pwrite64)(f->fd, c->old, c->had, c->at) == (ssize_t)c->had &&
             !NEXT(ftruncate64)(f->fd, c->was),
         "undo a write");
}

static void redo_bytes(const struct file *f, const struct change *c)
{
    bool torn = dice_one_in(&disk.dice, 4);

    if (c->cut) {
        must(!NEXT(ftruncate64)(f->fd, c->at), "cut again");
        return;
    }
    for (size_t at = 0, n; at < c->n; at += n) {
        n = SECTOR - (size_t)(c->at + (int64_t)at) % SECTOR;
        n = n < c->n - at ? n : c->n - at;
        if (torn && dice_one_in(&disk.dice, 3)) {
            reached(disk.rows[DISK_TORN]);
            continue;
        }
        must(NEXT(pwrite64)(f->fd, c->bytes + at, n, c->at + (int64_t)at) == (ssize_t)n,
             "write again");
    }
}

static void lose_bytes(const struct file *f)
{
    unsigned share = dice_roll(&disk.dice, 5); /* quarters that survive */

    for (size_t i = f->n; i-- > 0;)
        undo_bytes(f, &f->change[i]);
    for (size_t i = 0; i < f->n; i++)
        if (dice_roll(&disk.dice, 4) < share)
            redo_bytes(f, &f->change[i]);
        else
            reached(disk.rows[DISK_MISSING]);
    date(f->fd);
}

/* Directories come and go at once; one that is gone is needed again for what was in it. */
static void need_directories(const char *path)
{
    char copy[PATH];

    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = copy + disk.root_n; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(copy, 0700);
    }
}

static void undo_name(const struct name *n)
{
    need_directories(n->path);
    if (n->deed == MOVED)
        need_directories(n->from);
    if (n->deed == MADE)
        NEXT(unlink)(n->path);
    if (n->deed == MOVED)
        must(!NEXT(rename)(n->path, n->from), "move back");
    if (n->kept[0])
        must(!NEXT(link)(n->kept, n->path), "bring back");
}

static void lose_names(void)
{
    unsigned left = disk.nnames ? dice_roll(&disk.dice, disk.nnames + 1) : 0;

    for (unsigned i = disk.nnames; i > left; i--) {
        undo_name(&disk.names[i - 1]);
        reached(disk.rows[DISK_UNNAMED]);
    }
}

_Noreturn static void end(void)
{
    reached(disk.rows[disk.power ? DISK_POWER : DISK_KILLED]);
    if (disk.power) {
        for (unsigned i = 0; i < disk.nfiles; i++)
            lose_bytes(&disk.files[i]);
        lose_names();
    }
    _exit(DISK_DIED);
}

static bool is_last(void)
{
    return ++disk.changes == disk.end_at;
}

static void step(void)
{
    if (is_last())
        end();
}

void disk_begin(const char *root, struct dice d, const enum path rows[DISK_FATES])
{
    char gone[PATH];

    memset(&disk, 0, sizeof disk);
    disk.root_n = (size_t)snprintf(disk.root, sizeof disk.root, "%s/", root);
    disk.dice = d;
    disk.rows = rows;
    snprintf(gone, sizeof gone, "%s.gone", root);
    must(!mkdir(gone, 0700) || access(gone, W_OK) == 0, gone);
}

void disk_end_at(unsigned n, bool power)
{
    disk.end_at = n ? disk.changes + n : 0;
    disk.power = power;
}

unsigned disk_changes(void)
{
    return disk.changes;
}

/* ---- names ---- */

static bool is_ours(const char *path)
{
    size_t n = strlen(path);

    return disk.root_n && strncmp(path, disk.root, disk.root_n) == 0 &&
           !(n > 4 && strcmp(path + n - 4, "-shm") == 0) &&
           !(n > 5 && strcmp(path + n - 5, "-sync") == 0) &&
           !(n > 5 && strcmp(path + n - 5, "/lock") == 0);
}

/* What `path` means now gets a name below ROOT.gone. */
static void keep(const char *path, char out[PATH])
{
    struct stat st;

    out[0] = '\0';
    if (lstat(path, &st) || !S_ISREG(st.st_mode))
        return;
    snprintf(out, PATH, "%.*s.gone/%u-%d", (int)disk.root_n - 1, disk.root, ++disk.kept,
             (int)getpid());
    must(!NEXT(link)(path, out), "keep");
}

static unsigned note_name(enum deed deed, const char *path, const char *from, const char *kept)
{
    struct name *n;

    if (disk.nnames == disk.names_room) {
        disk.names_room = disk.names_room ? 2 * disk.names_room : 64;
        disk.names = realloc(disk.names, disk.names_room * sizeof *disk.names);
        must(disk.names, "memory");
    }
    n = &disk.names[disk.nnames++];
    n->deed = deed;
    snprintf(n->path, PATH, "%s", path);
    snprintf(n->from, PATH, "%s", from);
    snprintf(n->kept, PATH, "%s", kept);
    return disk.nnames;
}

/* The first `n` are on the disk. */
static void settle_names(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (disk.names[i].kept[0])
            NEXT(unlink)(disk.names[i].kept);
    memmove(disk.names, disk.names + n, (disk.nnames - n) * sizeof *disk.names);
    disk.nnames -= n;
    for (unsigned i = 0; i < disk.nfiles; i++)
        disk.files[i].named = disk.files[i].named > n ? disk.files[i].named - n : 0;
}

int rename(const char *from, const char *to)
{
    char kept[PATH];
    struct stat st;
    int rc;

    if (!is_ours(to) || stat(from, &st) || !S_ISREG(st.st_mode))
        return NEXT(rename)(from, to);
    step();
    keep(to, kept);
    rc = NEXT(rename)(from, to);
    if (!rc)
        note_name(MOVED, to, from, kept);
    return rc;
}

int link(const char *from, const char *to)
{
    int rc;

    if (!is_ours(to))
        return NEXT(link)(from, to);
    step();
    rc = NEXT(link)(from, to);
    if (!rc)
        note_name(MADE, to, "", "");
    return rc;
}

int unlink(const char *path)
{
    char kept[PATH];
    int rc;

    if (!is_ours(path))
        return NEXT(unlink)(path);
    step();
    keep(path, kept);
    rc = NEXT(unlink)(path);
    if (!rc)
        note_name(REMOVED, path, "", kept);
    return rc;
}

int unlinkat(int dir, const char *name, int flags)
{
    char link[32], path[PATH];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    n = readlink(link, path, sizeof path - 1);
    if (dir == AT_FDCWD || flags || n < 0)
        return NEXT(unlinkat)(dir, name, flags);
    snprintf(path + n, sizeof path - (size_t)n, "/%s", name);
    return unlink(path);
}

/* ---- descriptors ---- */

static struct file *file_of(const char *path, ino_t ino)
{
    struct file *f;

    for (unsigned i = 0; i < disk.nfiles; i++)
        if (disk.files[i].ino == ino)
            return &disk.files[i];
    must(disk.nfiles < FILES, "files");
    f = &disk.files[disk.nfiles++];
    *f = (struct file){ .ino = ino, .fd = NEXT(open64)(path, O_RDWR | O_CLOEXEC | O_NOATIME) };
    must(f->fd >= 0, path);
    return f;
}

static int opened(const char *path, int flags, bool fresh, int fd)
{
    struct stat st;

    if (fd < 0 || fd >= DESCRIPTORS)
        return fd;
    disk.of[fd] = NULL;
    if (!is_ours(path) || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
        (flags & O_ACCMODE) == O_RDONLY)
        return fd;
    disk.of[fd] = file_of(path, st.st_ino);
    if (fresh)
        disk.of[fd]->named = note_name(MADE, path, "", "");
    return fd;
}

static bool makes(const char *path, int flags)
{
    bool fresh = (flags & O_CREAT) && is_ours(path) && access(path, F_OK) != 0;

    if (fresh)
        step();
    return fresh;
}

#define OPENS(name)                                                       \
    int name(const char *path, int flags, ...)                            \
    {                                                                     \
        bool fresh = makes(path, flags);                                  \
        mode_t mode;                                                      \
        va_list ap;                                                       \
                                                                          \
        va_start(ap, flags);                                              \
        mode = va_arg(ap, mode_t);                                        \
        va_end(ap);                                                       \
        return opened(path, flags, fresh, NEXT(name)(path, flags, mode)); \
    }

OPENS(open)
OPENS(open64)

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS && disk.of[fd]) {
        date(fd);
        disk.of[fd] = NULL;
    }
    return NEXT(close)(fd);
}

/* ---- bytes ---- */

static struct file *ours(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? disk.of[fd] : NULL;
}

static struct change *note_change(struct file *f, int64_t at, size_t n)
{
    struct change *c;
    struct stat st;

    if (f->n == f->room) {
        f->room = f->room ? 2 * f->room : 16;
        f->change = realloc(f->change, f->room * sizeof *f->change);
        must(f->change, "memory");
    }
    must(!fstat(f->fd, &st), "fstat");
    c = &f->change[f->n++];
    *c = (struct change){ .at = at, .was = st.st_size, .n = n, .old = malloc(n + 1) };
    must(c->old, "memory");
    c->had = (size_t)pread(f->fd, c->old, n, at);
    must((ssize_t)c->had >= 0, "read what was");
    return c;
}

static void note_write(struct file *f, const void *p, size_t n, int64_t at)
{
    struct change *c = note_change(f, at, n);

    c->bytes = malloc(n + 1);
    must(c->bytes, "memory");
    memcpy(c->bytes, p, n);
}

static void note_cut(struct file *f, int64_t size)
{
    struct stat st;
    struct change *c;

    must(!fstat(f->fd, &st), "fstat");
    c = note_change(f, size, st.st_size > size ? (size_t)(st.st_size - size) : 0);
    c->cut = true;
}

/* As if the file system had taken a part of it. */
static void write_half(struct file *f, const void *p, size_t n, int64_t at)
{
    n = dice_roll(&disk.dice, (uint32_t)n + 1);
    if (n) {
        note_write(f, p, n, at);
        must(NEXT(pwrite64)(f->fd, p, n, at) == (ssize_t)n, "write");
    }
}

static void before_write(struct file *f, const void *p, size_t n, int64_t at)
{
    if (is_last()) {
        write_half(f, p, n, at);
        end();
    }
    note_write(f, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
    struct file *f = ours(fd);
    bool append = f && (fcntl(fd, F_GETFL) & O_APPEND);

    if (f)
        before_write(f, p, n, append ? lseek64(f->fd, 0, SEEK_END) : lseek64(fd, 0, SEEK_CUR));
    return NEXT(write)(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (ours(fd))
        before_write(ours(fd), p, n, at);
    return NEXT(pwrite)(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    if (ours(fd))
        before_write(ours(fd), p, n, at);
    return NEXT(pwrite64)(fd, p, n, at);
}

int ftruncate(int fd, off_t size)
{
    if (ours(fd)) {
        step();
        note_cut(ours(fd), size);
    }
    return NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    if (ours(fd)) {
        step();
        note_cut(ours(fd), size);
    }
    return NEXT(ftruncate64)(fd, size);
}

/* Nothing happens on a real disk: what is to survive is known here. */
static int sync_one(int fd)
{
    struct file *f = ours(fd);
    struct stat st;

    if (!disk.root_n || fstat(fd, &st))
        return 0;
    if (S_ISDIR(st.st_mode)) {
        step();
        settle_names(disk.nnames);
    }
    if (!f)
        return 0;
    step();
    for (size_t i = 0; i < f->n; i++) {
        free(f->change[i].bytes);
        free(f->change[i].old);
    }
    f->n = 0;
    settle_names(f->named);
    return 0;
}

int fsync(int fd)
{
    return sync_one(fd);
}

int fdatasync(int fd)
{
    return sync_one(fd);
}
