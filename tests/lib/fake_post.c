#include "tests/lib/fake_post.h"

#include <stddef.h>

#include "server/base/clock.h"

enum { ROOM = 256 };

struct post {
    int nothing;
};

static struct post posts[2]; /* one for emergencies */
static struct post_ride *under_way[ROOM];
static int opened, n, urgent;

enum rc post_open(struct err *e, const struct post_conf *c, struct post **out)
{
    (void)e, (void)c;
    *out = &posts[opened++ % 2];
    return RC_OK;
}

bool post_send(struct post *p, struct post_ride *ride)
{
    if (n == ROOM)
        return false;
    urgent += p == &posts[0];
    under_way[n++] = ride;
    return true;
}

int post_room(struct post *p)
{
    (void)p;
    return ROOM - n;
}

/* Here everything has left. */
void post_stir(struct post *p)
{
    (void)p;
}

int fake_post_urgent(void)
{
    return urgent;
}

int fake_post_land(fake_post_answer answer)
{
    int landed = n;

    n = 0;
    for (int i = 0; i < landed; i++) {
        struct post_ride *r = under_way[i];

        r->answer = (struct vendor_answer){ .headers = "", .body = "", .now = clock_now() };
        answer(r->rq, &r->answer);
        r->done(r);
    }
    return landed;
}

static void nobody_answers(const struct vendor_request *rq, struct vendor_answer *out)
{
    (void)rq;
    out->fate = VENDOR_DOUBT;
}

void post_close(struct post *p)
{
    (void)p;
    fake_post_land(nobody_answers);
}

void post_ride_done(struct post_ride *ride)
{
    (void)ride;
}
