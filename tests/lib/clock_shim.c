/*
 * clock_shim.c - preloaded into a server: another wall clock, kernel and disk, as the test wishes at that moment.
 *
 * The file that CLOCK_SHIM names holds four int64_t: seconds that the wall clock is ahead; 1 if nobody keeps it; files, and bytes, that the
 * disk can still hold, 0 for the truth.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD, UNKEPT, FILES, ROOM, WISHES };

static const volatile int64_t *wishes;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CLOCK_SHIM");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    wishes = mmap(NULL, WISHES * sizeof *wishes, PROT_READ, MAP_SHARED, fd, 0);
    if (wishes == MAP_FAILED)
        wishes = NULL;
    close(fd);
}

static int64_t wish(int which)
{
    return wishes ? wishes[which] : 0;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, id, out);

    if (!rc && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        out->tv_sec += wish(AHEAD);
    return rc;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec t;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}

int adjtimex(struct timex *t)
{
    memset(t, 0, sizeof *t);
    t->status = wish(UNKEPT) ? STA_UNSYNC : 0;
    return 0;
}

int statvfs(const char *restrict path, struct statvfs *restrict out)
{
    int (*real)(const char *restrict, struct statvfs *restrict) = NULL;
    int rc;

    *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
    rc = real(path, out);
    if (!rc && wish(FILES)) {
        out->f_favail = (fsfilcnt_t)wish(FILES);
        out->f_files = 1000000;
    }
    if (!rc && wish(ROOM)) {
        out->f_bavail = (fsblkcnt_t)wish(ROOM) / out->f_frsize;
        out->f_blocks = out->f_bavail * 10;
    }
    return rc;
}
