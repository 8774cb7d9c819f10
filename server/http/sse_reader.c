/*
 * sse_reader.c - the streams of one loop thread: when each is written to, and that none waits for another.
 *
 *     published --bell--> loop: [slot 0][slot 1]…[slot 63]
 *                                  ^ one slot every spread/64 ms, until each had its turn
 *
 * A reader belongs to a slot by chance. When something is published, the slots take their turns once round,
 * and a slot's readers get all that is due by then: so the phones come after the spread, not together, and who
 * publishes without end costs a reader one write a round. Heartbeats go round the same way.
 *
 * A reader is written to only when his last write is through (h2o_send() is not allowed before); until then events pass
 * him by in the ring. What is on its way holds references to at most BATCH events. Whose write
 * is not through when his second heartbeat in a row is due is ended: patience.c leaves these streams out, and the kernel (listen.c) does not see who shuts
 * a window of HTTP/2. Until then he holds at most NOT_SENT bytes of the kernel's.
 *
 * Whoever is sent away when the server stops is told when to come back: each at another time, over so long that
 * the server that comes next has a handshake after the other, not all at once.
 */
#include "server/http/sse_reader.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/http/stream.h"

enum {
    SLOTS = 64,
    PEOPLE = 1024, /* chains */
    BATCH = 8,
    NOT_SENT = 16 * 1024,
    RETRY_LEAST_MS = 2000,     /* who is cut off comes back after this … */
    RETRY_SPREAD_MS = 8000,    /* … and up to this more, by chance */
    BACK_SPREAD_MS = 2,        /* who is sent away: so much for each who reads, at least … */
    BACK_LEAST_MS = 1000,      /* … this in all … */
    BACK_MOST_MS = 300 * 1000, /* … and at most this */
    STOP_GRACE_MS = 500,
    BEATS_MISSED = 2,
};

struct stream_loop {
    struct sse_bell bell;
    struct stream_loop *next; /* of this thread's */
    struct sse *sse;
    h2o_loop_t *loop;
    h2o_multithread_receiver_t home;
    h2o_multithread_message_t note;
    atomic_bool rung;    /* the note is on its way */
    atomic_bool to_weed; /* it says, too, that sessions, keys or rights have ended */
    atomic_bool to_tell; /* … and that there is something for somebody */
    uint64_t told;       /* how many of those were told here */

    h2o_linklist_t slots[SLOTS];
    h2o_linklist_t owned;          /* readers that came with a session or a key */
    h2o_linklist_t people[PEOPLE]; /* those of an account, by it */
    uint64_t due[SLOTS];           /* up to which serial a slot was served */
    int readers;
    int turn, turns_left;
    int beat;
    h2o_timeout_t spread_ms, beat_ms;
    h2o_timeout_entry_t spread, beats;
    int64_t stopping_us; /* 0: serving */
    uint32_t back_ms;    /* when stopping: the time over which its readers shall come back */
};

struct reader {
    h2o_generator_t generator;
    h2o_linklist_t link;   /* in his slot */
    h2o_linklist_t owned;  /* … and, if he came with a session or a key, in this list too */
    h2o_linklist_t people; /* … and of his account's chain */
    struct sse_owner owner;
    int64_t account;
    h2o_req_t *req;
    struct stream_loop *loop;
    struct sse_place place;
    uint64_t client;
    struct sse_event *flight[BATCH]; /* what the last write is made of */
    int nflight;
    int slot;
    bool busy;      /* a write is under way, … */
    int missed;     /* … and so many heartbeats were due since it began */
    bool tell;      /* there is something for him that he was not told of */
    bool over;      /* he may not listen any more: nothing more goes out */
    char retry[24]; /* what is said of coming back, first and last */
};

static _Thread_local struct stream_loop *loops; /* one for each sse that was read here */
static const h2o_iovec_t NOTHING;

/* ---- writing ---- */

static void land(struct reader *r)
{
    while (r->nflight)
        sse_event_unref(r->flight[--r->nflight]);
    r->busy = false;
    r->missed = 0;
}

/* A word about coming back, for which everybody draws his own lot. */
static h2o_iovec_t retry_within(struct reader *r, uint32_t spread_ms)
{
    int n = snprintf(r->retry, sizeof r->retry, "retry: %u\n\n",
                     RETRY_LEAST_MS + randombytes_uniform(spread_ms));

    return h2o_iovec_init(r->retry, (size_t)n);
}

static void finish(struct reader *r)
{
    h2o_iovec_t last =
        retry_within(r, r->loop->stopping_us ? r->loop->back_ms : RETRY_SPREAD_MS);

    r->busy =
        true; /* for good; he stays in his slot, to be cut if he does not take even this */
    r->req->http1_is_persistent = 0;
    h2o_send(r->req, &last, 1, H2O_SEND_STATE_FINAL);
}

/* The reader may have been written to again, or be gone, when this returns. */
static void write_to(struct reader *r, h2o_iovec_t *bufs, size_t n)
{
    r->busy = true;
    h2o_send(r->req, bufs, n, H2O_SEND_STATE_IN_PROGRESS);
}

/* Sends `first`, unless it is empty, and what is due. */
static void push(struct reader *r, h2o_iovec_t first, uint64_t due)
{
    h2o_iovec_t bufs[1 + BATCH] = { first };
    struct sse *s = r->loop->sse;
    struct sse_event *e;

    if (r->busy || r->over)
        return;
    while (r->nflight < BATCH && (e = sse_next(s, &r->place, due))) {
        r->flight[r->nflight++] = e;
        bufs[r->nflight] = h2o_iovec_init(e->text, e->n);
    }
    metric_add(sse_conf_of(s)->sent, r->nflight);
    if (first.len)
        write_to(r, bufs, 1 + (size_t)r->nflight);
    else if (r->nflight)
        write_to(r, bufs + 1, (size_t)r->nflight);
}

/* What it is he asks for himself. */
static void tell_now(struct reader *r)
{
    h2o_iovec_t event = h2o_iovec_init(H2O_STRLIT("event: me\ndata: {}\n\n"));

    if (r->busy || r->over)
        return;
    r->tell = false;
    write_to(r, &event, 1);
}

static void written(h2o_generator_t *self, h2o_req_t *req)
{
    struct reader *r = H2O_STRUCT_FROM_MEMBER(struct reader, generator, self);

    (void)req;
    land(r);
    if (r->loop->stopping_us || r->over)
        finish(r);
    else if (r->tell)
        tell_now(r);
    else
        push(r, NOTHING, r->loop->due[r->slot]);
}

/* To every reader of a slot. A write never ends another reader, but may end its own. */
static void each(h2o_linklist_t *slot, void (*fn)(struct reader *r, uint64_t due), uint64_t due)
{
    for (h2o_linklist_t *l = slot->next, *next; l != slot; l = next) {
        next = l->next;
        fn(H2O_STRUCT_FROM_MEMBER(struct reader, link, l), due);
    }
}

static void push_due(struct reader *r, uint64_t due)
{
    push(r, NOTHING, due);
}

/* Keys end by the clock, and nobody tells. */
static bool is_over(struct reader *r)
{
    const struct sse_conf *conf = sse_conf_of(r->loop->sse);

    if (!r->over && conf->lasts && h2o_linklist_is_linked(&r->owned))
        r->over = !conf->lasts(&r->owner);
    return r->over;
}

static h2o_socket_t *socket_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket ? req->conn->callbacks->get_socket(req->conn)
                                            : NULL;
}

static void cut(struct reader *r, uint64_t unused)
{
    h2o_socket_t *sock = socket_of(r->req);

    (void)unused;
    if (sock)
        shutdown(h2o_socket_get_fd(sock), SHUT_RDWR);
}

/* Once, for what is being written of it may keep the stream a while. The reader may be gone when this returns. */
static void give_up(struct reader *r)
{
    metric_add(METRIC_patience_reset_reader, 1);
    if (socket_of(r->req) && r->req->version >= 0x200)
        stream_reset(r->req);
    else
        cut(r, 0);
}

static void beat_one(struct reader *r, uint64_t due)
{
    h2o_iovec_t comment = h2o_iovec_init(H2O_STRLIT(":\n\n"));

    (void)due;
    if (r->busy && ++r->missed == BEATS_MISSED)
        give_up(r);
    else if (r->busy)
        return;
    else if (is_over(r))
        finish(r);
    else
        write_to(r, &comment, 1);
}

/* ---- turns ---- */

static void serve(struct stream_loop *loop, int slot)
{
    loop->due[slot] = sse_serial(loop->sse);
    each(&loop->slots[slot], push_due, loop->due[slot]);
}

static void serve_all(struct stream_loop *loop)
{
    for (int i = 0; i < SLOTS; i++)
        serve(loop, i);
    loop->turns_left = 0;
}

static void next_turn(h2o_timeout_entry_t *entry)
{
    struct stream_loop *loop = H2O_STRUCT_FROM_MEMBER(struct stream_loop, spread, entry);

    if (!loop->readers) {
        serve_all(loop);
        return;
    }
    serve(loop, loop->turn++ % SLOTS);
    if (--loop->turns_left > 0)
        h2o_timeout_link(loop->loop, &loop->spread_ms, &loop->spread);
}

static void next_beat(h2o_timeout_entry_t *entry)
{
    struct stream_loop *loop = H2O_STRUCT_FROM_MEMBER(struct stream_loop, beats, entry);

    each(&loop->slots[loop->beat++ % SLOTS], beat_one, 0);
    if (loop->readers)
        h2o_timeout_link(loop->loop, &loop->beat_ms, &loop->beats);
}

/* On the publisher's thread. One note is enough however many events it stands for. */
static void ring(struct sse_bell *b)
{
    struct stream_loop *loop = H2O_STRUCT_FROM_MEMBER(struct stream_loop, bell, b);

    if (!atomic_exchange(&loop->rung, true))
        h2o_multithread_send_message(&loop->home, &loop->note);
}

static void weed(struct sse_bell *b)
{
    struct stream_loop *loop = H2O_STRUCT_FROM_MEMBER(struct stream_loop, bell, b);

    atomic_store(&loop->to_weed, true);
    ring(b);
}

static void tell(struct sse_bell *b)
{
    struct stream_loop *loop = H2O_STRUCT_FROM_MEMBER(struct stream_loop, bell, b);

    atomic_store(&loop->to_tell, true);
    ring(b);
}

/* account 0: everybody of the chain. */
static void tell_chain(h2o_linklist_t *chain, int64_t account)
{
    for (h2o_linklist_t *l = chain->next, *next; l != chain; l = next) {
        struct reader *r = H2O_STRUCT_FROM_MEMBER(struct reader, people, l);

        next = l->next;
        if (account && r->account != account)
            continue;
        r->tell = true;
        tell_now(r);
    }
}

/* More than are remembered: then everybody looks. */
static void tell_here(struct stream_loop *loop)
{
    int64_t accounts[SSE_TOLD];
    int n = sse_told(loop->sse, &loop->told, accounts);

    for (int i = 0; i < n; i++)
        tell_chain(&loop->people[accounts[i] % PEOPLE], accounts[i]);
    for (int i = 0; n < 0 && i < PEOPLE; i++)
        tell_chain(&loop->people[i], 0);
}

/* Ends the streams of those who may not listen any more. */
static void weed_here(struct stream_loop *loop)
{
    for (h2o_linklist_t *l = loop->owned.next, *next; l != &loop->owned; l = next) {
        struct reader *r = H2O_STRUCT_FROM_MEMBER(struct reader, owned, l);

        next = l->next;
        if (is_over(r) && !r->busy)
            finish(r);
    }
}

static void on_note(h2o_multithread_receiver_t *home, h2o_linklist_t *messages)
{
    struct stream_loop *loop = H2O_STRUCT_FROM_MEMBER(struct stream_loop, home, home);

    while (!h2o_linklist_is_empty(messages))
        h2o_linklist_unlink(messages->next);
    atomic_store(&loop->rung, false); /* before we look, or one might be missed */
    if (atomic_exchange(&loop->to_weed, false))
        weed_here(loop);
    if (atomic_exchange(&loop->to_tell, false))
        tell_here(loop);
    if (!sse_conf_of(loop->sse)->spread_ms) {
        serve_all(loop);
        return;
    }
    loop->turns_left = SLOTS;
    if (!h2o_timeout_is_linked(&loop->spread))
        h2o_timeout_link(loop->loop, &loop->spread_ms, &loop->spread);
}

/* ---- a loop that is read on ---- */

static uint64_t share(int64_t ms)
{
    return ms > SLOTS ? (uint64_t)ms / SLOTS : 1;
}

static struct stream_loop *loop_new(struct sse *s, h2o_context_t *ctx)
{
    struct stream_loop *loop = h2o_mem_alloc(sizeof *loop);

    *loop = (struct stream_loop){ .bell = { .ring = ring, .weed = weed, .tell = tell },
                                  .next = loops,
                                  .sse = s,
                                  .loop = ctx->loop,
                                  .spread.cb = next_turn,
                                  .beats.cb = next_beat };
    h2o_linklist_init_anchor(&loop->owned);
    for (int i = 0; i < PEOPLE; i++)
        h2o_linklist_init_anchor(&loop->people[i]);
    for (int i = 0; i < SLOTS; i++) {
        h2o_linklist_init_anchor(&loop->slots[i]);
        loop->due[i] = sse_serial(s);
    }
    h2o_timeout_init(ctx->loop, &loop->spread_ms, share(sse_conf_of(s)->spread_ms));
    h2o_timeout_init(ctx->loop, &loop->beat_ms, share(sse_conf_of(s)->beat_ms));
    h2o_multithread_register_receiver(ctx->queue, &loop->home, on_note);
    sse_listen(s, &loop->bell);
    loops = loop;
    return loop;
}

static struct stream_loop *loop_here(struct sse *s, h2o_context_t *ctx)
{
    for (struct stream_loop *l = loops; l; l = l->next)
        if (l->sse == s)
            return l;
    return loop_new(s, ctx);
}

void sse_loop_done(void)
{
    while (loops) {
        struct stream_loop *l = loops;

        loops = l->next;
        sse_unlisten(l->sse, &l->bell);
        while (atomic_load(&l->rung)) /* a last note came after the last connection had gone */
            h2o_evloop_run(l->loop, 10);
        h2o_timeout_unlink(&l->spread);
        h2o_timeout_unlink(&l->beats);
        h2o_timeout_dispose(l->loop, &l->spread_ms);
        h2o_timeout_dispose(l->loop, &l->beat_ms);
        h2o_multithread_unregister_receiver(l->home.queue, &l->home);
        free(l);
    }
}

/* ---- a stream, from its first byte to its last ---- */

/* With the request, however it ends. */
static void reader_gone(void *p)
{
    struct reader *r = p;

    land(r);
    h2o_linklist_unlink(&r->link);
    if (h2o_linklist_is_linked(&r->owned))
        h2o_linklist_unlink(&r->owned);
    if (h2o_linklist_is_linked(&r->people))
        h2o_linklist_unlink(&r->people);
    r->loop->readers--;
    sse_count(r->loop->sse, r->client, -1);
}

/* Or the kernel would keep megabytes for whoever does not read. */
static void keep_little(h2o_req_t *req)
{
    h2o_socket_t *sock = socket_of(req);
    int most = NOT_SENT;

    if (sock)
        setsockopt(h2o_socket_get_fd(sock), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

void sse_begin(h2o_req_t *req, const struct sse_wish *wish)
{
    struct stream_loop *loop = loop_here(wish->sse, req->conn->ctx);
    struct reader *r = h2o_mem_alloc_shared(&req->pool, sizeof *r, reader_gone);

    *r = (struct reader){ .generator.proceed = written,
                          .req = req,
                          .loop = loop,
                          .place = sse_place_of(wish->sse, wish),
                          .client = wish->client,
                          .owner = wish->owner,
                          .account = wish->account,
                          .slot = (int)randombytes_uniform(SLOTS) };
    h2o_linklist_insert(&loop->slots[r->slot], &r->link);
    if (r->owner.session || r->owner.key)
        h2o_linklist_insert(&loop->owned, &r->owned);
    if (r->account)
        h2o_linklist_insert(&loop->people[r->account % PEOPLE], &r->people);
    loop->readers++;
    sse_count(wish->sse, wish->client, 1);
    keep_little(req);
    if (!h2o_timeout_is_linked(&loop->beats))
        h2o_timeout_link(loop->loop, &loop->beat_ms, &loop->beats);
    h2o_start_response(req, &r->generator);
    if (loop->stopping_us || is_over(r)) /* since he was let in */
        finish(r);
    else
        push(r, retry_within(r, RETRY_SPREAD_MS), UINT64_MAX);
}

/* ---- the end ---- */

static void finish_idle(struct reader *r, uint64_t unused)
{
    (void)unused;
    if (!r->busy)
        finish(r);
}

static uint32_t back_ms(struct sse *s)
{
    int64_t ms = BACK_SPREAD_MS * sse_leaving(s);

    return (uint32_t)(ms < BACK_LEAST_MS  ? BACK_LEAST_MS
                      : ms > BACK_MOST_MS ? BACK_MOST_MS
                                          : ms);
}

void sse_stop(void)
{
    int64_t now = clock_mono_us();

    for (struct stream_loop *l = loops; l; l = l->next) {
        bool first = !l->stopping_us,
             late = !first && now > l->stopping_us + STOP_GRACE_MS * 1000;

        if (first) {
            l->stopping_us = now;
            l->back_ms = back_ms(l->sse);
        }
        for (int i = 0; (first || late) && i < SLOTS; i++)
            each(&l->slots[i], first ? finish_idle : cut, 0);
    }
}
