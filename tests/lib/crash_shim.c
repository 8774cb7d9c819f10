/*
 * crash_shim.c - see the header. Each function counts itself and goes on to libc's, which is the
 * next of its name; under a sanitizer ours is the next of the sanitizer's.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two symbols, and both are called */
#include "tests/lib/crash_shim.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls, at;
static atomic_bool half;

__attribute__((constructor)) void crash_shim_begin(void)
{
    const char *n = getenv("CRASH_SHIM_AT");

    half = getenv("CRASH_SHIM_HALF") != NULL;
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

_Noreturn static void end(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Whether this is the call to end at. */
static bool is_last(void)
{
    long n = ++calls, last = at;

    if (last && n > last)
        for (;;)
            pause(); /* another thread is about to end us */
    return last && n == last;
}

static void step(bool counts)
{
    if (counts && is_last())
        end();
}

/* libc's function of that name: by dlsym once, whoever comes first. */
#define NEXT(name)                           \
    ({                                       \
        static _Atomic(void *) found;        \
        if (!found)                          \
            found = dlsym(RTLD_NEXT, #name); \
        (typeof(&name))found;                \
    })

#define WRITES(name, ...)                                                        \
    do {                                                                         \
        if (is_file(fd) && is_last()) {                                          \
            if (half && NEXT(name)(fd, p, n / 2 __VA_OPT__(, ) __VA_ARGS__) < 0) \
                perror(#name);                                                   \
            end();                                                               \
        }                                                                        \
        return NEXT(name)(fd, p, n __VA_OPT__(, ) __VA_ARGS__);                  \
    } while (0)

ssize_t write(int fd, const void *p, size_t n)
{
    WRITES(write);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
    WRITES(pwrite, offset);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t offset)
{
    WRITES(pwrite64, offset);
}

int fsync(int fd)
{
    step(is_file(fd));
    return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    step(is_file(fd));
    return NEXT(fdatasync)(fd);
}

int ftruncate(int fd, off_t size)
{
    step(is_file(fd));
    return NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    step(is_file(fd));
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
