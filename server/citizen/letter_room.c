/*
 * letter_room.c - what waits is measured once a minute, and what comes in between is added to it.
 */
#include "server/citizen/letter_room.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "server/base/clock.h"
#include "server/base/metric.h"
#include "server/base/quota.h"
#include "server/library/row.h"

enum { DAY = 86400, MEGABYTE = 1024 * 1024 };

static struct quota guests = QUOTA(0, DAY); /* of bytes */
static int64_t most;
static _Atomic int64_t waiting;

void letter_room_open(int64_t guests_per_client, int64_t waiting_most)
{
    quota_set(&guests, guests_per_client);
    most = waiting_most;
    waiting = 0;
}

enum rc letter_room_take(struct work *w, uint64_t client, int64_t n)
{
    int64_t wait;

    if (!w->who.level) {
        if (most && waiting + n > most)
            return err_set(
                &w->err, RC_FULL,
                "没有登录的人传来的文件太多，暂时收不下。请登录后再传，或过些时候再试");
        if (!quota_take(&guests, client, n, clock_now(), &wait))
            return err_set(
                &w->err, RC_TOO_MANY,
                "这个网络里没有登录的人今天上传的文件太多了。请登录后再传，或明天再传");
    }
    waiting += n;
    return RC_OK;
}

static int64_t bytes_in(const char *path)
{
    DIR *dir = opendir(path);
    int64_t sum = 0;
    struct stat st;

    for (struct dirent *d; dir && (d = readdir(dir));)
        if (*d->d_name != '.' && !fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
            sum += st.st_size;
    if (dir)
        closedir(dir);
    return sum;
}

enum rc letter_room_measure(struct work *w, const char *parts)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_file_waiting_for_letter, &q, "");

    if (!rc) {
        waiting = rows_int(&q, 0) + bytes_in(parts);
        metric_set(METRIC_letter_files_unnamed_bytes, waiting);
    }
    return row_finish(&q, rc);
}
