/*
 * fake_net.c - the network before the fake server: what it does to an answer comes from a seed,
 * what it does once comes from the test.
 */
#include "tests/lib/fake_net.h"

#include <stdlib.h>
#include <string.h>

uint32_t fake_random(uint64_t *seed, uint32_t below)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % below);
}

static uint32_t dice(struct fake_net *net)
{
    return fake_random(&net->seed, UINT32_MAX);
}

static void harm(struct fake_net *net, struct fake_answer *a, const char *path, bool *cut)
{
    static const int statuses[] = { 0, 404, 410, 500, 503 };
    unsigned kinds[7], n = 0;

    for (unsigned bit = 1; bit <= FAULT_TRUNC; bit <<= 1)
        if (net->faults & bit)
            kinds[n++] = bit;
    switch (kinds[fake_random(&net->seed, n)]) {
    case FAULT_CUT: *cut = true; break;
    case FAULT_FLIP:
        if (a->body.n)
            a->body.at[fake_random(&net->seed, (uint32_t)a->body.n)] ^=
                (uint8_t)(1 << fake_random(&net->seed, 8));
        break;
    case FAULT_STATUS: a->status = statuses[fake_random(&net->seed, 5)]; break;
    case FAULT_OLD:
        if (strstr(path, "/head") && a->status == 200) {
            fake_answer_head(net->server, dice(net), strstr(path, "/heads/"), a);
            strcpy(a->etag, "\"old\"");
        }
        break;
    case FAULT_SWAP:
        if (a->body.n)
            fake_answer_other(net->server, dice(net), a);
        break;
    case FAULT_DROP:
        if (a->status == 200 && strstr(path, "/log/"))
            fake_answer_without_tombstones(net->server, path, a);
        break;
    case FAULT_TRUNC:
        if (a->body.n)
            a->body.n = fake_random(&net->seed, (uint32_t)a->body.n);
        break;
    }
}

static enum sync_rc send_body(struct fake_net *net, struct sync_err *e, struct follow_get *g,
                              const uint8_t *at, size_t n)
{
    enum sync_rc rc = SYNC_OK;

    while (n > 0 && !rc) {
        size_t piece = fake_random(&net->seed, 3000) + 1;

        piece = piece < n ? piece : n;
        if (net->pause)
            net->pause(net->spy_ctx);
        rc = g->body(g, e, at, piece);
        at += piece;
        n -= piece;
        g->bytes_down += piece;
    }
    return rc;
}

/* Only what changes can freeze in a cache: not a twin. */
static void freeze(const struct fake_net *net, const struct follow_get *g,
                   struct fake_answer *a)
{
    bool list = strstr(g->path, "/heads/");

    if (net->frozen == 0 || g->past_caches || a->status != 200 ||
        (!list && strcmp(g->path + strlen(g->path) - 5, "/head") != 0))
        return;
    fake_answer_head(net->server, net->frozen - 1, list, a);
    strcpy(a->etag, "\"frozen\"");
}

static enum sync_rc one_get(struct fake_net *net, struct sync_err *e, struct follow_get *g)
{
    struct fake_answer a = fake_answer(net->server, g->path);
    bool cut = false;
    size_t from = 0, end;
    enum sync_rc rc = SYNC_OK;

    net->requests++;
    if (net->lost_after && net->requests > net->lost_after)
        a.status = 0;
    freeze(net, g, &a);
    if (net->catchup_max && a.status == 200 && strstr(g->path, "/log/") &&
        a.body.n > net->catchup_max)
        a.status = 413;
    if (net->percent && !(net->honest_when_uncached && g->past_caches) &&
        fake_random(&net->seed, 100) < net->percent)
        harm(net, &a, g->path, &cut);
    if (a.status == 200 && g->if_none && strcmp(g->if_none, a.etag) == 0)
        a.status = 304;
    if (a.status == 200 && g->from && (!g->if_range || strcmp(g->if_range, a.etag) == 0)) {
        a.status = g->from < a.body.n ? 206 : 416;
        from = g->from;
        g->range_from = from + net->wrong_range;
    }
    g->status = a.status;
    g->retry_after = a.status == 503 ? 7 : 0;
    memcpy(g->etag, a.etag, sizeof g->etag);
    if (a.status == 200 || a.status == 206) {
        end = cut ? from + fake_random(&net->seed, (uint32_t)(a.body.n - from) + 1) : a.body.n;
        if (net->cut_at && a.body.n > net->cut_at && from == 0) {
            end = net->cut_at;
            net->cut_at = 0;
            cut = true;
        }
        rc = send_body(net, e, g, a.body.at + from, end - from);
        if (net->spy)
            net->spy(net->spy_ctx, g->path, g->from, end - from);
    }
    if (a.status && !rc && !cut)
        g->err.rc = SYNC_OK;
    free(a.body.at);
    return rc;
}

static enum sync_rc fake_get(void *ctx, struct sync_err *e, struct follow_get *gets, size_t n)
{
    enum sync_rc rc = SYNC_OK;

    for (size_t i = 0; i < n && !rc; i++)
        rc = one_get(ctx, e, &gets[i]);
    return rc;
}

static enum sync_rc fake_wait(void *ctx, struct sync_err *e, uint32_t ms)
{
    struct fake_net *net = ctx;

    (void)e;
    net->waits++;
    net->waited += ms;
    if (net->on_wait)
        net->on_wait(net->server);
    return SYNC_OK;
}

struct follow_transport fake_transport(struct fake_net *net)
{
    return (struct follow_transport){ net, fake_get, fake_wait };
}
