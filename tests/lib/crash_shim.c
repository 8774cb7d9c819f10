/*
 * crash_shim.c - see the header. Each function counts itself and goes on to libc's, which is the
 * next of its name; under a sanitizer ours is the next of the sanitizer's.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two symbols, and both are called */
#include "tests/lib/crash_shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls, at;
static atomic_bool half, lose, deaf;

static void forget_all(void);

__attribute__((constructor)) void crash_shim_begin(void)
{
    const char *n = getenv("CRASH_SHIM_AT");

    half = getenv("CRASH_SHIM_HALF") != NULL;
    lose = getenv("CRASH_SHIM_LOSE") != NULL;
    deaf = getenv("CRASH_SHIM_DEAF") != NULL;
    forget_all();
    calls = 0;
    at = n ? atol(n) : 0;
}

long crash_shim_calls(void)
{
    return calls;
}

static bool is_file(int fd)
{
    struct stat st;

    return !fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* libc's function of that name: by dlsym once, whoever comes first. */
#define NEXT(name)                           \
    ({                                       \
        static _Atomic(void *) found;        \
        if (!found)                          \
            found = dlsym(RTLD_NEXT, #name); \
        (typeof(&name))found;                \
    })

/* ---- what the power takes away ---- */

/* What a file had where it was written since it was synced: the newest first. */
struct before {
    struct before *next;
    dev_t device;
    ino_t inode;
    off_t place, size;
    size_t n;
    char path[256];
    char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct before *unsynced;

/* It is on the disk; fd -1: all of them. */
static void forget(int fd)
{
    struct before **p = &unsynced, *b;
    struct stat st = { 0 };

    if (fd >= 0 && fstat(fd, &st))
        return;
    pthread_mutex_lock(&lock);
    while ((b = *p)) {
        if (fd >= 0 && (b->device != st.st_dev || b->inode != st.st_ino)) {
            p = &b->next;
            continue;
        }
        *p = b->next;
        free(b);
    }
    pthread_mutex_unlock(&lock);
}

static void forget_all(void)
{
    forget(-1);
}

/* Before n bytes of it are written, or cut off. No descriptor is kept: closing one of a file gives up the locks of all. */
static void remember(int fd, off_t place, size_t n)
{
    char link[64];
    struct before *b;
    struct stat st;
    ssize_t had;

    if (!lose || fstat(fd, &st) || !S_ISREG(st.st_mode) || !(b = calloc(1, sizeof *b + n)))
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, b->path, sizeof b->path - 1) < 0)
        perror(link);
    b->device = st.st_dev;
    b->inode = st.st_ino;
    b->place = place;
    b->size = st.st_size;
    had = pread(fd, b->bytes, n, place);
    b->n = had > 0 ? (size_t)had : 0;
    pthread_mutex_lock(&lock);
    b->next = unsynced;
    unsynced = b;
    pthread_mutex_unlock(&lock);
}

static void take_away(void)
{
    for (const struct before *b = unsynced; b; b = b->next) {
        int fd = open(b->path, O_WRONLY | O_CLOEXEC);

        if (fd >= 0 &&
            (NEXT(pwrite)(fd, b->bytes, b->n, b->place) < 0 || NEXT(ftruncate)(fd, b->size)))
            perror(b->path);
    }
}

_Noreturn static void end(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Whether this is the call to end at; then the power is gone already. */
static bool is_last(void)
{
    long n = ++calls, last = at;

    if (last && n > last)
        for (;;)
            pause(); /* another thread is about to end us */
    if (last && n == last && lose)
        take_away();
    return last && n == last;
}

static void step(bool counts)
{
    if (counts && is_last())
        end();
}

#define WRITES(name, place, ...)                                                 \
    do {                                                                         \
        if (is_file(fd) && is_last()) {                                          \
            if (half && NEXT(name)(fd, p, n / 2 __VA_OPT__(, ) __VA_ARGS__) < 0) \
                perror(#name);                                                   \
            end();                                                               \
        }                                                                        \
        remember(fd, place, n);                                                  \
        return NEXT(name)(fd, p, n __VA_OPT__(, ) __VA_ARGS__);                  \
    } while (0)

ssize_t write(int fd, const void *p, size_t n)
{
    WRITES(write, lseek(fd, 0, SEEK_CUR));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
    WRITES(pwrite, offset, offset);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t offset)
{
    WRITES(pwrite64, offset, offset);
}

/* A disk that lies says so, and forgets it all the same. */
static int synced(int fd, int rc)
{
    if (!rc && !deaf)
        forget(fd);
    return rc;
}

int fsync(int fd)
{
    int rc;

    step(is_file(fd));
    rc = NEXT(fsync)(fd);
    return synced(fd, rc);
}

int fdatasync(int fd)
{
    int rc;

    step(is_file(fd));
    rc = NEXT(fdatasync)(fd);
    return synced(fd, rc);
}

static void remember_end(int fd, off_t size)
{
    struct stat st;

    if (!fstat(fd, &st) && S_ISREG(st.st_mode))
        remember(fd, size, st.st_size > size ? (size_t)(st.st_size - size) : 0);
}

int ftruncate(int fd, off_t size)
{
    step(is_file(fd));
    remember_end(fd, size);
    return NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    step(is_file(fd));
    remember_end(fd, size);
    return NEXT(ftruncate64)(fd, size);
}

int rename(const char *from, const char *to)
{
    step(true);
    return NEXT(rename)(from, to);
}

int unlink(const char *path)
{
    step(true);
    return NEXT(unlink)(path);
}

int unlinkat(int dir, const char *path, int flags)
{
    step(true);
    return NEXT(unlinkat)(dir, path, flags);
}

int link(const char *from, const char *to)
{
    step(true);
    return NEXT(link)(from, to);
}
