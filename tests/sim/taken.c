/*
 * taken.c - a plain list.
 */
#include "tests/sim/taken.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/reached.h"

enum { TAKEN = 4096 };

struct takens {
    struct taken taken[TAKEN];
    int n;
};

struct takens *takens_new(void)
{
    struct takens *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    return t;
}

/* Words that were written once: those of a favourite and a follow have the step in them. */
static bool is_told_apart(const struct taken *t)
{
    return strchr(t->content, '{');
}

static void compare(struct sim *s, const struct taken *before, const struct taken *now,
                    bool open)
{
    bool same_stay = before->phone == now->phone && before->stay == now->stay,
         same = !strcmp(before->content, now->content);

    if (before->n == now->n && !strcmp(before->device, now->device)) {
        if (before->seq != now->seq || !same)
            lost(s, "device %s, n %" PRId64 ": was %s at seq %" PRId64 ", is %s at %" PRId64,
                 now->device, now->n, before->content, before->seq, now->content, now->seq);
        reached(PATH_repeated);
        return;
    }
    if (is_told_apart(now) && (same_stay || !open) && before->owner == now->owner &&
        before->seq != now->seq && same)
        lost(s, "%s happened twice: at seq %" PRId64 " and at %" PRId64, now->content,
             before->seq, now->seq);
}

void taken_add(struct sim *s, const struct taken *t, bool open)
{
    struct takens *all = s->takens;

    for (int i = 0; i < all->n; i++)
        compare(s, &all->taken[i], t, open);
    if (all->n == TAKEN)
        lost(s, "too many mutations");
    all->taken[all->n++] = *t;
}

void taken_forget(struct sim *s)
{
    s->takens->n = 0;
}

void taken_disown(struct sim *s, int owner)
{
    for (int i = 0; i < s->takens->n; i++)
        if (s->takens->taken[i].owner == owner)
            s->takens->taken[i].owner = -1;
}
