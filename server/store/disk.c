/*
 * disk.c - read only while the disk takes no writes, and back by itself.
 *
 *     WRITABLE --less free than the reserve, a write failed--> READ ONLY --room, and a trial write held--> WRITABLE
 *
 * The reserve (setting disk_reserve) is room that no change takes: from it live the write-ahead log and its
 * write-back, the heads that are signed anew (or every phone would call us stale), what takes something from the public (routes
 * with R_RESERVE), and the next start. Only others who write to the same disk can use it up. Then those fail too, each by itself.
 *
 * What statvfs() says is looked at twice a second. A quota, a limit on file sizes or a failing device it does not
 * know, so a write that failed counts as well, wherever it was (disk_note()). The way back is a trial at each look: a file of
 * TRIAL bytes, written, fsynced and removed. If that can be written and something else cannot, each change is tried and
 * refused by itself.
 *
 * Nothing is lost on the way in: what failed left nothing (writer.c, fs.c, blob.c, journal.c), and was answered so.
 */
#include "server/store/disk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/store/writer.h"

enum {
    LOOK_MS = 500,
    TRIAL = 256 << 10,
};

static struct {
    char dir[PATH_MAX]; /* "": nobody looks */
    uint64_t reserve;
    _Atomic(enum rc) state;

    pthread_mutex_t lock; /* who changes the state has it */
    int64_t since_us;     /* read only */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum rc disk_state(void)
{
    return atomic_load_explicit(&disk.state, memory_order_relaxed);
}

enum rc disk_check(struct err *e)
{
    switch (disk_state()) {
    case RC_OK: return RC_OK;
    case RC_FULL:
        return err_set(e, RC_FULL,
                       "the server's disk is full: nothing can be changed until there is room");
    default:
        return err_set(
            e, RC_UNWRITABLE,
            "the server's disk takes no writes: nothing can be changed until it does");
    }
}

/* ---- in and out, with the lock ---- */

static void enter(enum rc why)
{
    disk.since_us = clock_mono_us();
    atomic_store(&disk.state, why);
    metric_set(METRIC_read_only, 1);
    LOG(LOG_ERROR, "read_only", L_STR("kind", rc_name(why)), L_STR("data", disk.dir));
}

static void leave(void)
{
    LOG(LOG_WARN, "writable_again", L_STR("kind", rc_name(disk_state())),
        L_INT("seconds", (clock_mono_us() - disk.since_us) / 1000000));
    atomic_store(&disk.state, RC_OK);
    metric_set(METRIC_read_only, 0);
}

void disk_note(enum rc rc)
{
    if ((rc != RC_FULL && rc != RC_UNWRITABLE) || !*disk.dir)
        return;
    pthread_mutex_lock(&disk.lock);
    if (!disk_state())
        enter(rc);
    pthread_mutex_unlock(&disk.lock);
}

/* ---- the look ---- */

/* What cannot be asked is no reason to refuse. */
static bool has_room(uint64_t bytes)
{
    struct statvfs fs;

    return statvfs(disk.dir, &fs) || !fs.f_blocks ||
           (uint64_t)fs.f_bavail * fs.f_frsize >= bytes;
}

/* RC_OK: the disk takes writes. */
static enum rc try_it(void)
{
    static const char bytes[TRIAL];
    char path[PATH_MAX + 8];
    struct err e = { 0 };
    enum rc rc;

    /* A quarter more than the reserve, or it would go in and out with every change. */
    if (!has_room(disk.reserve + disk.reserve / 4))
        return RC_FULL;
    snprintf(path, sizeof path, "%s/.trial", disk.dir);
    rc = fs_write(&e, path, bytes, sizeof bytes, 0600);
    unlink(path);
    return rc;
}

static void look_again(void)
{
    enum rc rc = try_it();

    pthread_mutex_lock(&disk.lock);
    if (!rc)
        leave();
    else if (rc == RC_FULL || rc == RC_UNWRITABLE)
        atomic_store(&disk.state, rc);
    pthread_mutex_unlock(&disk.lock);
}

static void look(struct db *db, void *arg)
{
    (void)db, (void)arg;
    if (disk_state())
        look_again();
    else if (!has_room(disk.reserve))
        disk_note(RC_FULL);
}

void disk_watch(const char *data, int64_t reserve)
{
    snprintf(disk.dir, sizeof disk.dir, "%s", data);
    disk.reserve = reserve > 0 ? (uint64_t)reserve : 0;
    writer_tick(LOOK_MS, look, NULL);
    look(NULL, NULL);
}

void disk_forget(void)
{
    *disk.dir = '\0';
    atomic_store(&disk.state, RC_OK);
    metric_set(METRIC_read_only, 0);
}
