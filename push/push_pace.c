/*
 * push_pace.c - a lane for each.
 */
#include "push/push_pace.h"

#include "push/lane.h"
#include "server/base/clock.h"

struct pace {
    int64_t run;
    struct lane lane;
};

static struct pace paces[PUSH_PACES];
static int npaces;

static struct pace *pace_of(int64_t run)
{
    for (int i = 0; i < npaces; i++)
        if (paces[i].run == run)
            return &paces[i];
    return NULL;
}

bool push_pace_rests(void *unused, int64_t run)
{
    const struct pace *p = pace_of(run);

    (void)unused;
    return p && lane_wait(&p->lane, clock_mono_us() / 1000) > 0;
}

/* A new one, or that of a run which has not waited for its pace lately. */
static struct pace *free_pace(int64_t now_ms)
{
    if (npaces < PUSH_PACES)
        return &paces[npaces++];
    for (int i = 0; i < PUSH_PACES; i++)
        if (!lane_wait(&paces[i].lane, now_ms))
            return &paces[i];
    return &paces[0];
}

void push_pace_count(int64_t run, int64_t pace, int n)
{
    int64_t now_ms = clock_mono_us() / 1000;
    struct pace *p = pace_of(run);

    if (!pace)
        return;
    if (!p) {
        p = free_pace(now_ms);
        p->run = run;
        lane_init(&p->lane, pace, now_ms);
    }
    lane_take(&p->lane, n, now_ms);
}

void push_pace_forget(void)
{
    npaces = 0;
}
