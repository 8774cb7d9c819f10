/*
 * mirror_status.c - a short row a stream, behind a lock, and the metric that is made of all rows.
 *
 * It lives as long as the process: after a restart nothing is known until the first attempt.
 */
#include "server/channel/mirror_status.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/metric.h"

struct row {
    char stream[WIRE_STREAM_MAX + 1];
    struct mirror_status status;
};

static struct {
    pthread_mutex_t lock;
    int n;
    struct row row[WIRE_STREAMS_MAX + 1]; /* and an edge's list */
} told = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct row *find(const char *stream)
{
    for (int i = 0; i < told.n; i++)
        if (!strcmp(told.row[i].stream, stream))
            return &told.row[i];
    return NULL;
}

static struct row *add(const char *stream)
{
    struct row *r;

    if (told.n == sizeof told.row / sizeof *told.row)
        return NULL;
    r = &told.row[told.n++];
    *r = (struct row){ 0 };
    snprintf(r->stream, sizeof r->stream, "%s", stream);
    return r;
}

static void measure(int64_t now)
{
    int64_t lag = 0;

    for (int i = 0; i < told.n; i++) {
        int64_t checked = told.row[i].status.checked;

        lag = checked && now - checked > lag ? now - checked : lag;
    }
    metric_set(METRIC_mirror_lag_seconds, lag);
}

void mirror_status_tell(const char *stream, unsigned failures, const char *error)
{
    int64_t now = clock_now();
    struct row *r;

    pthread_mutex_lock(&told.lock);
    if ((r = find(stream)) || (r = add(stream))) {
        r->status.checked = failures ? r->status.checked : now;
        r->status.since = !failures ? 0 : r->status.since ? r->status.since : now;
        r->status.failures = failures;
        snprintf(r->status.error, sizeof r->status.error, "%s", error);
    }
    measure(now);
    pthread_mutex_unlock(&told.lock);
}

void mirror_status_of(const char *stream, struct mirror_status *out)
{
    const struct row *r;

    pthread_mutex_lock(&told.lock);
    r = find(stream);
    *out = r ? r->status : (struct mirror_status){ 0 };
    pthread_mutex_unlock(&told.lock);
}

void mirror_status_forget(const char *stream)
{
    struct row *r;

    pthread_mutex_lock(&told.lock);
    if ((r = find(stream)))
        *r = told.row[--told.n];
    measure(clock_now());
    pthread_mutex_unlock(&told.lock);
}

void mirror_status_forget_all(void)
{
    pthread_mutex_lock(&told.lock);
    told.n = 0;
    pthread_mutex_unlock(&told.lock);
}
