/* push_clock.c - see push_clock.h. */
#include "push/push_clock.h"

#include <inttypes.h>

#include "server/base/clock.h"
#include "server/base/log.h"

enum {
    JUMP_MS =
        5000, /* that the wall clock goes ahead or back at once: then somebody has set it */
    LEAP_MS = 60000 /* … ahead: what begins a minute early or late is no matter */
};

static struct {
    int64_t offset_ms; /* clock_offset_ms() at the last look; 0: none yet */
    int64_t jumped_ms;
    int64_t from,
        to; /* seconds: what was to begin behind the one and up to the other was leapt over; 0: nothing */
} now;

void push_clock_forget(void)
{
    now.offset_ms = now.jumped_ms = now.from = now.to = 0;
}

bool push_clock_look(void)
{
    int64_t offset = clock_offset_ms(), jump = now.offset_ms ? offset - now.offset_ms : 0;

    if (now.offset_ms && jump <= JUMP_MS && jump >= -JUMP_MS)
        return false;
    now.offset_ms = offset;
    now.jumped_ms += jump;
    if (jump > LEAP_MS) {
        now.to = clock_now();
        now.from = now.to - jump / 1000;
    } else if (jump < 0) {
        now.from = now.to = 0;
    }
    if (jump)
        LOG(LOG_WARN, "push_clock_jumped", L_INT("ms", jump));
    return jump != 0;
}

int64_t push_clock_jumped_ms(void)
{
    return now.jumped_ms;
}

void push_clock_told(int64_t ms)
{
    now.jumped_ms -= ms;
}

bool push_clock_leapt(int64_t start)
{
    return start > now.from && start <= now.to;
}

const char *push_clock_why(struct work *w)
{
    return arena_printf(w->mem,
                        "服务器的时钟一下往前跳了 %" PRId64
                        " 分钟，跳过了它的时间：请核对时钟，再决定继续还是取消",
                        (now.to - now.from + 30) / 60);
}

void push_clock_landed(void)
{
    now.from = now.to = 0;
}
