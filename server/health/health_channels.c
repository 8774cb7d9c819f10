/*
 * health_channels.c - accounts on other platforms: whether we can speak for them, and whether somebody has to look at what became of something.
 */
#include <inttypes.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/channel/channel_task.h"
#include "server/health/health.h"

enum {
    LATE =
        900 /* seconds: whatever waits for a platform has come to an end by then, or wants somebody to look */
};

/* A command has not opened the keys, and must not make any. */
static bool may_open(const struct health *h)
{
    const char *keys = arena_printf(h->w->mem, "%s/keys", h->c->data);
    struct err ignored;

    return seal_newest() || (fs_exists(arena_printf(h->w->mem, "%s/index", keys)) &&
                             !seal_load(&ignored, keys, SEAL_XCHACHA));
}

static enum finding look_at(struct health *h, const struct channel_account *a, bool opens)
{
    struct channel_credentials c;
    struct err e = { 0 };

    if (!channel_kind_sends(a->kind) || !channel_is_active(a))
        return FINE;
    if (!a->secret)
        return health_say(h, WARN, "tjzw channel credentials NUMBER FILE",
                          "account %" PRId64 " (%s) is in use and has no credentials", a->no,
                          a->name);
    if (opens &&
        (channel_credentials(h->w, a, &c) || channel_credentials_check(&e, a->kind, &c)))
        return health_say(h, WRONG, "set them anew: tjzw channel credentials NUMBER FILE",
                          "the credentials of account %" PRId64
                          " (%s) do not open, or are not whole",
                          a->no, a->name);
    if (a->trouble_until > clock_now())
        return health_say(h, WARN, "see the platform's settings of the account",
                          "account %" PRId64 " (%s) rests: %s", a->no, a->name, a->trouble);
    return FINE;
}

enum finding health_channels(struct health *h)
{
    int64_t after = 0, unknown = 0, stuck = 0, accounts = 0;
    enum finding worst = FINE;
    struct channel_account *all;
    bool opens;
    int n = CHANNEL_PAGE;

    if (!h->w)
        return health_say(h, WARN, "see the line about the library", "accounts cannot be read");
    opens = may_open(h);
    while (n == CHANNEL_PAGE) {
        if (channel_account_list(h->w, after, &all, &n))
            return health_say(h, WRONG, "see the line about the library",
                              "accounts on other platforms cannot be read");
        for (int i = 0; i < n && worst == FINE; i++)
            worst = look_at(h, &all[i], opens);
        accounts += n;
        after = n ? all[n - 1].no : 0;
    }
    if (worst != FINE)
        return worst;
    if (!channel_task_count(h->w, "unknown", &unknown) && unknown)
        return health_say(h, WARN,
                          "tjzw channel tasks --state unknown; look at the platform, then tjzw "
                          "channel resolve",
                          "of %" PRId64 " posts nobody knows whether they are out", unknown);
    if (!channel_task_count_stuck(h->w, &stuck) && stuck)
        return health_say(h, WARN,
                          "tjzw channel tasks --state failed (or cancelled); tjzw channel "
                          "retry, or delete it at the platform and tjzw channel resolve",
                          "%" PRId64 " posts that were withdrawn are not deleted there", stuck);
    return health_say(h, FINE, "", "%" PRId64 " accounts on other platforms", accounts);
}

enum finding health_channel_late(struct health *h)
{
    int64_t oldest = 0;

    h->value = 0;
    if (!h->w || channel_task_oldest(h->w, &oldest))
        return health_say(h, WARN, "see the line about the library",
                          "the outbox cannot be read");
    if (oldest)
        h->value = clock_now() - oldest;
    if (h->value < LATE)
        return health_say(h, FINE, "", "nothing waits too long for WeChat or Weibo");
    return health_say(
        h, WARN, "tjzw channel tasks; what is unknown or not deleted: tjzw channel resolve",
        "a post has come to no end for %" PRId64 " s", h->value);
}
