#include "tests/lib/fake_sender.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/base/clock.h"

enum { JOBS = 64 };

struct sender {
    struct fake_sender *how;
    struct sender_job *jobs[JOBS];
    bool dropped[JOBS];
    int n;
};

static struct sender only;

struct sender *fake_sender_open(struct fake_sender *how)
{
    only = (struct sender){ .how = how };
    return &only;
}

unsigned sender_on(const struct sender *s)
{
    return s->how->on;
}

enum vendor_recall sender_recalls(const struct sender *s, enum transport by)
{
    return s->how->on >> by & 1U ? s->how->recalls[by] : VENDOR_RECALL_NONE;
}

int sender_room(const struct sender *s, enum transport by, enum sender_haste haste)
{
    (void)by;
    (void)haste;
    return s->n < s->how->room ? s->how->room - s->n : 0;
}

enum rc sender_give(struct sender *s, struct err *e, struct sender_job *job)
{
    if (s->n == s->how->room)
        return err_set(e, RC_BUSY, "no room");
    s->dropped[s->n] = false;
    s->jobs[s->n++] = job;
    return RC_OK;
}

void sender_drop(struct sender *s, bool (*is)(const struct sender_job *job, void *arg),
                 void *arg)
{
    for (int i = 0; i < s->n; i++)
        s->dropped[i] |= is(s->jobs[i], arg);
}

static void end(struct sender *s, int at, bool leaves)
{
    struct sender_job *job = s->jobs[at];
    struct push_verdict *v = calloc((size_t)job->n, sizeof *v);
    struct sender_again *again = calloc((size_t)job->n, sizeof *again);

    for (int i = 0; i < job->n; i++)
        v[i].kind = leaves ? s->how->answer(job->message, job->tokens[i]) : PUSH_AGAIN;
    job->verdict = v;
    job->again = again;
    s->jobs[at] = s->jobs[--s->n];
    s->dropped[at] = s->dropped[s->n];
    job->done(job);
    free(again);
    free(v);
}

int64_t sender_turn(struct sender *s)
{
    for (int i = s->n - 1; i >= 0; i--)
        if (s->dropped[i] || !s->how->holds)
            end(s, i, !s->dropped[i]);
    return 10;
}

void sender_wait(struct sender *s, int64_t ms)
{
    (void)s;
    clock_sleep_ms(ms < 5 ? ms : 5);
}

void sender_wake(struct sender *s)
{
    (void)s;
}

void sender_close(struct sender *s)
{
    while (s && s->n)
        end(s, 0, true); /* they were on their way */
}
