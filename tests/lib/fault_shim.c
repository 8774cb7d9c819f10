/*
 * fault_shim.c - a library that is loaded before libc (LD_PRELOAD) and makes calls fail, as somebody outside says.
 *
 * FAULT_SHIM names a file of eight 64-bit numbers that this process, its children and the test have mapped:
 *
 *     0 kinds    bits of enum kind; 0: nothing fails, nothing is counted
 *     1 at       which of these calls fails, from 1; 0: none, they are only counted
 *     2 for_ever 1: all behind it fail too
 *     3 error    errno
 *     4 calls    counted so far
 *     5 failed   of these
 *
 * FAULT_SHIM_BELOW: only files below this directory count for the kinds that name a file. What goes to standard output
 * and error never does.
 *
 * Memory comes by __libc_malloc() and its kin, so this does not go with a sanitizer.
 */
#undef _FILE_OFFSET_BITS /* open and open64 are two symbols, and both are called */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
    MEMORY = 1 << 0,
    OPEN = 1 << 1,
    READ = 1 << 2,
    WRITE = 1 << 3,
    SYNC = 1 << 4,
    NAME = 1 << 5,   /* rename, link, mkdir, ftruncate */
    MAP = 1 << 6,    /* mmap of a file */
    SOCKET = 1 << 7, /* accept, socket, connect; reading and writing what is no file */
    ACCEPT = 1 << 8, /* of these, accept alone */
    SHORT = 1 << 9,  /* no failure: half of what a file was to be given is written */
};

struct orders {
    _Atomic int64_t kinds, at, for_ever, error, calls, failed, spare[2];
};

static struct orders none, *orders = &none;
static const char *below;
static _Thread_local bool inside; /* what we call ourselves does not count */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_SHIM");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd < 0 ? MAP_FAILED
                     : mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    below = getenv("FAULT_SHIM_BELOW");
    if (fd >= 0)
        close(fd);
    if (p != MAP_FAILED)
        orders = p;
}

/* Whether this call is to fail; errno is set then. */
static bool fails(enum kind kind)
{
    int64_t n, at;

    if (!(atomic_load(&orders->kinds) & kind) || inside)
        return false;
    n = atomic_fetch_add(&orders->calls, 1) + 1;
    at = atomic_load(&orders->at);
    if (!at || n < at || (n > at && !atomic_load(&orders->for_ever)))
        return false;
    atomic_fetch_add(&orders->failed, 1);
    errno = (int)atomic_load(&orders->error);
    return true;
}

static bool is_below(const char *path)
{
    return !below || !strncmp(path, below, strlen(below));
}

static bool file_fails(enum kind kind, const char *path)
{
    return is_below(path) && fails(kind);
}

/* A file that counts, or (unless it is asked for half of it) a socket. */
static bool fd_fails(enum kind kind, int fd)
{
    char link[32], path[4096];
    struct stat st;
    ssize_t n;

    if (!atomic_load(&orders->kinds) || fd <= STDERR_FILENO || fstat(fd, &st))
        return false;
    if (S_ISSOCK(st.st_mode))
        return kind != SHORT && fails(SOCKET);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return false;
    if (!below)
        return fails(kind);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return is_below(path) && fails(kind);
}

/* libc's function of that name: by dlsym once, whoever comes first. */
#define NEXT(name)                           \
    ({                                       \
        static _Atomic(void *) found;        \
        if (!found) {                        \
            inside = true;                   \
            found = dlsym(RTLD_NEXT, #name); \
            inside = false;                  \
        }                                    \
        (typeof(&name))found;                \
    })

/* ---- memory ---- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
    return fails(MEMORY) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails(MEMORY) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails(MEMORY) ? NULL : __libc_realloc(p, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *p = fails(MEMORY) ? NULL : __libc_memalign(align, n);

    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

/* ---- files ---- */

#define OPENS(name, ...)                     \
    do {                                     \
        va_list ap;                          \
        mode_t mode;                         \
        va_start(ap, flags);                 \
        mode = va_arg(ap, mode_t);           \
        va_end(ap);                          \
        if (file_fails(OPEN, path))          \
            return -1;                       \
        return NEXT(name)(__VA_ARGS__ mode); \
    } while (0)

int open(const char *path, int flags, ...)
{
    OPENS(open, path, flags, );
}

int open64(const char *path, int flags, ...)
{
    OPENS(open64, path, flags, );
}

int openat(int dir, const char *path, int flags, ...)
{
    OPENS(openat, dir, path, flags, );
}

int openat64(int dir, const char *path, int flags, ...)
{
    OPENS(openat64, dir, path, flags, );
}

DIR *opendir(const char *path)
{
    return file_fails(OPEN, path) ? NULL : NEXT(opendir)(path);
}

FILE *fopen(const char *path, const char *mode)
{
    return file_fails(OPEN, path) ? NULL : NEXT(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return file_fails(OPEN, path) ? NULL : NEXT(fopen64)(path, mode);
}

ssize_t read(int fd, void *p, size_t n)
{
    return fd_fails(READ, fd) ? -1 : NEXT(read)(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return fd_fails(READ, fd) ? -1 : NEXT(pread)(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    return fd_fails(READ, fd) ? -1 : NEXT(pread64)(fd, p, n, at);
}

/* How much of n bytes is written. */
static size_t room(int fd, size_t n)
{
    return n > 1 && fd_fails(SHORT, fd) ? n / 2 : n;
}

ssize_t write(int fd, const void *p, size_t n)
{
    return fd_fails(WRITE, fd) ? -1 : NEXT(write)(fd, p, room(fd, n));
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    return fd_fails(WRITE, fd) ? -1 : NEXT(writev)(fd, v, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return fd_fails(WRITE, fd) ? -1 : NEXT(pwrite)(fd, p, room(fd, n), at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return fd_fails(WRITE, fd) ? -1 : NEXT(pwrite64)(fd, p, room(fd, n), at);
}

int fsync(int fd)
{
    return fd_fails(SYNC, fd) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    return fd_fails(SYNC, fd) ? -1 : NEXT(fdatasync)(fd);
}

int ftruncate(int fd, off_t size)
{
    return fd_fails(NAME, fd) ? -1 : NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return fd_fails(NAME, fd) ? -1 : NEXT(ftruncate64)(fd, size);
}

int rename(const char *from, const char *to)
{
    return file_fails(NAME, to) ? -1 : NEXT(rename)(from, to);
}

int link(const char *from, const char *to)
{
    return file_fails(NAME, to) ? -1 : NEXT(link)(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    return file_fails(NAME, path) ? -1 : NEXT(mkdir)(path, mode);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
    return fd >= 0 && fd_fails(MAP, fd) ? MAP_FAILED : NEXT(mmap)(at, n, prot, flags, fd, from);
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t from)
{
    return fd >= 0 && fd_fails(MAP, fd) ? MAP_FAILED
                                        : NEXT(mmap64)(at, n, prot, flags, fd, from);
}

/* ---- sockets ---- */

int socket(int domain, int type, int protocol)
{
    return fails(SOCKET) ? -1 : NEXT(socket)(domain, type, protocol);
}

int accept4(int fd, struct sockaddr *who, socklen_t *n, int flags)
{
    return fails(SOCKET | ACCEPT) ? -1 : NEXT(accept4)(fd, who, n, flags);
}

int accept(int fd, struct sockaddr *who, socklen_t *n)
{
    return fails(SOCKET | ACCEPT) ? -1 : NEXT(accept)(fd, who, n);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    return fails(SOCKET) ? -1 : NEXT(connect)(fd, to, n);
}
