/* sender_service.c - see sender_service.h. */
#include "push/sender_service.h"

static uint64_t name_of(const char *origin)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *origin; origin++)
        h = (h ^ (unsigned char)*origin) * UINT64_C(1099511628211);
    return h ? h : 1;
}

/* A new one takes the place of whom nobody asked for longest. */
static struct lane *find(struct sender_services *s, const char *origin, int64_t pace,
                         int64_t mono_ms)
{
    uint64_t name = name_of(origin);
    int at = 0;

    for (int i = 0; i < SENDER_SERVICES && s->of[at].name != name; i++)
        if (s->of[i].name == name || s->of[i].used_ms < s->of[at].used_ms)
            at = i;
    s->of[at].used_ms = mono_ms;
    if (s->of[at].name != name) {
        s->of[at].name = name;
        lane_init(&s->of[at].lane, pace, mono_ms);
    }
    return &s->of[at].lane;
}

bool services_take(struct sender_services *s, const char *origin, int64_t pace, int64_t mono_ms,
                   int64_t *wait_ms)
{
    struct lane *l = find(s, origin, pace, mono_ms);

    lane_pace(l, pace);
    if (!lane_is_slowed(l, mono_ms) || lane_take(l, 1, mono_ms))
        return true;
    *wait_ms = lane_wait(l, mono_ms);
    return false;
}

void services_slow(struct sender_services *s, const char *origin, int64_t after_ms,
                   int64_t mono_ms)
{
    struct lane *l = find(s, origin, 1, mono_ms);

    lane_told(l, l->round, LANE_SLOW, after_ms, mono_ms);
}
