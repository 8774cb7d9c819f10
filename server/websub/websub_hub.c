/*
 * websub_hub.c - the thread: what moved, who is to be told, what came of it.
 *
 *     generation --> feeds that moved --> subscribers behind --> [ready] --> outbound thread --> landed --> place moves --> saved
 *     POST /hub  --> websub_ask -------------------------------/
 *
 * A delivery is done when the subscriber's place moves in the database: what a crash takes is delivered once more. One delivery a subscriber is under way, 16 requests a host, MOST in
 * all, of which those who failed before have half at most: whoever is slow or dead waits for himself.
 *
 * A document is made once for all who stand at the same place, and anew when anything public has changed: what was taken down in between is in none.
 */
#include "server/websub/websub_hub.h"

#include <pthread.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/base/secret.h"
#include "server/base/thread.h"
#include "server/derived/derived.h"
#include "server/store/db.h"
#include "server/websub/websub_asks.h"

enum {
    TICK_MS = 1000,
    SETTLED_US = 10 * 1000000, /* so long a feed that went back must stand still */
    SAVE_AGAIN_MS = 1000
};

struct queue {
    struct sub *first, **last;
};

static struct {
    struct websub_conf conf;
    struct db *db;
    pthread_t thread;
    bool running;
    atomic_bool stop, stirred;
    _Atomic int64_t subscriptions;
    /* The thread's own. */
    struct queue good, failing;
    int flying_failing;
    struct sub *unsaved;
    struct save *save; /* NULL: none is under way */
    int64_t save_again_us, tick_us;
    uint64_t seen;
} hub;

void websub_stir(void *unused)
{
    (void)unused;
    if (!atomic_exchange(&hub.stirred, true))
        generation_nudge();
}

int64_t websub_count(void)
{
    return atomic_load(&hub.subscriptions);
}

/* ---- queues ---- */

static void put(struct queue *q, struct sub *s)
{
    s->waiting = NULL;
    *q->last = s;
    q->last = &s->waiting;
}

static struct sub *take(struct queue *q)
{
    struct sub *s = q->first;

    if (s && !(q->first = s->waiting))
        q->last = &q->first;
    return s;
}

static void unsaved(struct sub *s)
{
    if (s->unwritten)
        return;
    s->unwritten = true;
    s->unsaved = hub.unsaved;
    hub.unsaved = s;
}

static struct queue *queue_of(const struct sub *s)
{
    return s->failures ? &hub.failing : &hub.good;
}

/* ---- who is to be told ---- */

static void end_topic(struct topic *t)
{
    for (struct sub *s = t->subs; s; s = s->next) {
        if (s->over)
            continue;
        s->denied = true;
        book_over(s);
        unsaved(s);
    }
}

/* What is known of the feed, anew. */
static bool look(struct topic *t)
{
    struct websub_place now = { 0 };
    enum rc rc = letter_place(t, &now);

    t->missing = rc == RC_NOT_FOUND;
    if (t->missing)
        end_topic(t);
    if (rc)
        return false;
    if (!t->known || !letter_same(&now, &t->place)) {
        t->place = now;
        t->since_us = clock_mono_us();
        t->known = true;
    }
    return true;
}

/* Of a feed that is behind him, which is made anew or was restored, nothing is said before it stands still. */
static bool is_settled(const struct sub *s)
{
    return s->place.n <= s->topic->place.n ||
           (!derived_age() && clock_mono_us() > s->topic->since_us + SETTLED_US);
}

static bool may_try(const struct sub *s, int64_t now_ms)
{
    return s->again_ms <= now_ms || s->again_ms > now_ms + WEBSUB_REST_MOST_MS;
}

static void consider(struct sub *s)
{
    int64_t now_ms = clock_now_ms();

    if (s->over || s->flying || s->waits || !s->topic->known)
        return;
    if (s->ends <= now_ms / 1000) {
        book_over(s);
        unsaved(s);
        return;
    }
    if (letter_same(&s->place, &s->topic->place) || !may_try(s, now_ms) || !is_settled(s))
        return;
    s->waits = true;
    put(queue_of(s), s);
}

static void consider_topic(struct topic *t, void *unused)
{
    (void)unused;
    if (t->subs && look(t))
        for (struct sub *s = t->subs; s; s = s->next)
            consider(s);
}

/* ---- deliveries ---- */

static const char *signature(struct flight *f, const struct sub *s,
                             const struct websub_document *d)
{
    struct buf b = BUF_IN(f->mem);

    buf_adds(&b, "X-Hub-Signature: ");
    websub_sign(&b, s->secret, strlen(s->secret), d->bytes, d->n);
    return b.p;
}

/* False: nothing goes out now. */
static bool deliver(struct sub *s)
{
    struct letter *l = letter_for(s->topic, &s->place);
    struct flight *f;

    if (!l)
        return true;
    if (!l->document.bytes) { /* what came is gone again */
        s->place = l->document.upto;
        unsaved(s);
        return true;
    }
    f = flight_new();
    f->sub = s;
    f->letter = l;
    f->headers[0] = l->type;
    f->headers[1] = l->link;
    f->headers[2] = s->secret ? signature(f, s, &l->document) : NULL;
    f->rq = (struct client_request){ .method = "POST",
                                     .url = arena_strdup(f->mem, s->callback),
                                     .body = l->document.bytes,
                                     .body_len = l->document.n };
    f->failing = s->failures != 0;
    if (!flight_launch(f, s->host))
        return false;
    l->users++;
    s->flying = true;
    hub.flying_failing += f->failing;
    return true;
}

static bool has_room(const struct queue *q)
{
    return flight_count() < FLIGHT_MOST &&
           (q != &hub.failing || hub.flying_failing < FLIGHT_MOST / 2);
}

static void wait_for_host(struct sub *s)
{
    s->waiting = NULL;
    *s->host->last = s;
    s->host->last = &s->waiting;
}

/* A place of the host's is free. */
static void next_of_host(struct host *h)
{
    struct sub *s = h->first;

    if (!s)
        return;
    if (!(h->first = s->waiting))
        h->last = &h->first;
    put(queue_of(s), s);
}

static void deliver_ready(struct queue *q)
{
    struct sub *s;

    while (has_room(q) && (s = take(q))) {
        if (s->host->flying >= FLIGHT_OF_HOST) {
            wait_for_host(s);
            continue;
        }
        s->waits = false;
        if (!s->over && !deliver(s))
            return;
        if (!s->flying)
            next_of_host(s->host);
    }
}

/* ---- what came of it ---- */

static bool is_good(const struct client_request *rq)
{
    return rq->status / 100 == 2 && (!rq->rc || rq->rc == RC_TOO_LARGE);
}

static void went_wrong(struct sub *s)
{
    uint32_t chance;

    secret_random(&chance, sizeof chance);
    s->failures++;
    s->again_ms = clock_now_ms() + websub_rest_ms(s->failures, chance);
    metric_add(METRIC_websub_failures, 1);
}

static void take_answer(struct flight *f)
{
    struct sub *s = f->sub;

    s->flying = false;
    hub.flying_failing -= f->failing;
    if (f->rq.rc != RC_BUSY) { /* that we stop says nothing of the other side */
        if (is_good(&f->rq)) {
            s->place = f->letter->document.upto;
            s->failures = 0;
            s->again_ms = 0;
            metric_add(METRIC_websub_deliveries, 1);
        } else if (f->rq.status == 410) {
            book_over(s);
        } else {
            went_wrong(s);
        }
        unsaved(s);
        consider(s);
    }
    letter_drop(f->letter);
}

static void take_landed(void)
{
    for (struct flight *f = flight_landed(), *next; f; f = next) {
        struct host *host = f->sub ? f->sub->host : f->ask->host;

        next = f->next;
        if (f->sub)
            take_answer(f);
        else
            asks_landed(f);
        next_of_host(host);
        flight_free(f);
    }
}

/* ---- into the database ---- */

static void gather(struct save *save)
{
    while (hub.unsaved && save->nsubs < SAVE_SUBS) {
        struct sub *s = hub.unsaved;

        hub.unsaved = s->unsaved;
        s->unwritten = false;
        save->subs[save->nsubs++] = (struct save_sub){ .sub = s,
                                                       .no = s->no,
                                                       .again_ms = s->again_ms,
                                                       .place = s->place,
                                                       .failures = s->failures,
                                                       .over = s->over,
                                                       .denied = s->denied };
    }
    if (!hub.unsaved) /* what ended is written before it begins again */
        asks_gather(save);
}

static void save_more(void)
{
    if (hub.save || clock_mono_us() < hub.save_again_us)
        return;
    hub.save = save_new();
    gather(hub.save);
    if (!hub.save->nsubs && !hub.save->nasks) {
        save_free(hub.save);
        hub.save = NULL;
    } else if (!save_submit(hub.save, websub_stir)) {
        hub.save->job.rc = RC_BUSY;
        atomic_store(&hub.save->done, true);
    }
}

static void settle_ask(const struct save_ask *a)
{
    const struct websub_ask *of = &a->ask->of;
    struct sub *s;

    if (a->state == ASK_YES && of->mode == WEBSUB_SUBSCRIBE && a->row.no)
        consider(book_put(&a->row));
    if (a->state == ASK_YES && of->mode == WEBSUB_UNSUBSCRIBE &&
        (s = book_find(of->topic, of->callback)))
        book_over(s);
    asks_free(a->ask);
}

static void take_saved(void)
{
    struct save *save = hub.save;

    if (!save || !atomic_load(&save->done))
        return;
    if (save->job.rc) {
        LOG(LOG_WARN, "websub_not_saved", L_STR("kind", rc_name(save->job.rc)));
        hub.save_again_us = clock_mono_us() + SAVE_AGAIN_MS * 1000;
        for (int i = 0; i < save->nsubs; i++)
            unsaved(save->subs[i].sub);
    } else {
        for (int i = 0; i < save->nasks; i++)
            settle_ask(&save->asks[i]);
    }
    save_free(save);
    hub.save = NULL;
    atomic_store(&hub.subscriptions, book_count());
    metric_set(METRIC_websub_subscriptions, book_count());
}

/* ---- the thread ---- */

static void turn(void)
{
    uint64_t now = generation_now();
    int64_t now_us = clock_mono_us();
    bool tick = now_us >= hub.tick_us;

    take_landed();
    take_saved();
    asks_read();
    if (tick || now != hub.seen) {
        book_each_topic(letter_forget, NULL);
        book_each_topic(consider_topic, NULL);
    }
    hub.seen = now;
    if (tick) {
        hub.tick_us = now_us + TICK_MS * 1000;
        if (!hub.save)
            book_sweep();
    }
    asks_send();
    deliver_ready(&hub.good);
    deliver_ready(&hub.failing);
    save_more();
}

/* What was answered is written, unless the disk refuses it: then it is told once more, later. */
static void end(void)
{
    bool failed = false;

    take_landed();
    while (!failed) {
        hub.save_again_us = 0;
        save_more();
        if (!hub.save)
            break;
        while (!atomic_load(&hub.save->done))
            clock_sleep_ms(1);
        failed = hub.save->job.rc != RC_OK;
        take_saved();
    }
    book_each_topic(letter_forget, NULL);
    asks_close();
    hub.unsaved = NULL;
    book_close();
}

static void *tell(void *unused)
{
    while (!atomic_load(&hub.stop)) {
        atomic_store(&hub.stirred, false);
        turn();
        generation_wait(hub.seen, TICK_MS, &hub.stirred);
    }
    end();
    return unused;
}

/* ---- beginning and end ---- */

static enum rc load(struct err *e)
{
    enum { PAGE = 500 };
    int64_t after = 0;
    int n = PAGE;

    while (n == PAGE) {
        struct arena *mem = arena_new();
        struct websub_row *rows;
        struct work w;

        work_init(&w, mem, hub.db, "websub", RIGHT_READ);
        if (websub_list(&w, after, PAGE, true, &rows, &n)) {
            *e = w.err;
            arena_free(mem);
            return e->rc;
        }
        for (int i = 0; i < n; i++) {
            after = rows[i].no;
            if (rows[i].damaged)
                LOG(LOG_ERROR, "websub_secret_lost", L_INT("no", rows[i].no));
            else
                book_put(&rows[i]);
        }
        db_end_read(hub.db);
        arena_free(mem);
    }
    atomic_store(&hub.subscriptions, book_count());
    metric_set(METRIC_websub_subscriptions, book_count());
    return RC_OK;
}

enum rc websub_start(struct err *e, const struct websub_conf *c)
{
    enum rc rc;

    if ((rc = db_open(e, c->db_path, DB_READ, &hub.db)))
        return rc;
    hub.conf = *c;
    hub.good.last = &hub.good.first;
    hub.failing.last = &hub.failing.first;
    hub.good.first = hub.failing.first = NULL;
    hub.flying_failing = 0;
    hub.tick_us = hub.save_again_us = 0;
    letter_open(c->feeds, hub.db);
    flight_open(c->private_net, websub_stir);
    asks_open(c->feeds, hub.db, look);
    atomic_store(&hub.stop, false);
    if ((rc = load(e)) || (rc = thread_start(e, "websub", tell, NULL, &hub.thread))) {
        book_close();
        db_close(hub.db);
        hub.db = NULL;
        return rc;
    }
    hub.running = true;
    return RC_OK;
}

void websub_stop(void)
{
    if (!hub.running)
        return;
    atomic_store(&hub.stop, true);
    websub_stir(NULL);
    atomic_store(&hub.stirred, true);
    generation_nudge();
    pthread_join(hub.thread, NULL);
    db_close(hub.db);
    hub.db = NULL;
    hub.running = false;
}
