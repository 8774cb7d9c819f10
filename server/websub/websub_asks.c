/*
 * websub_asks.c - see the header.
 */
#include "server/websub/websub_asks.h"

#include <string.h>

#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/base/secret.h"
#include "server/store/db.h"

enum { ASKS_MOST = 10000 /* in memory */, ASKS_A_PASS = 1000, ASKS_A_READ = 100 };

static struct {
    const struct websub_feeds *feeds;
    struct db *db;
    bool (*look)(struct topic *t);
    struct ask *first, **last;
    int n;
    int64_t read; /* the last number */
} asks;

void asks_open(const struct websub_feeds *feeds, struct db *db, bool (*look)(struct topic *t))
{
    asks.feeds = feeds;
    asks.db = db;
    asks.look = look;
    asks.last = &asks.first;
    asks.read = 0;
}

void asks_close(void)
{
    while (asks.first)
        asks_free(asks.first);
}

void asks_gather(struct save *save)
{
    for (struct ask *a = asks.first; a && save->nasks < SAVE_ASKS; a = a->next)
        if (a->state > ASK_FLIES)
            save->asks[save->nasks++] = (struct save_ask){ .ask = a, .state = a->state };
}

static void draw(char out[WEBSUB_CHALLENGE + 1])
{
    uint8_t chance[WEBSUB_CHALLENGE / 2];

    secret_random(chance, sizeof chance);
    hex_text(chance, sizeof chance, out);
}

static const char *question(struct flight *f, const struct ask *a)
{
    struct buf url = BUF_IN(f->mem), topic = BUF_IN(f->mem);
    struct websub_question q = { .callback = a->of.callback,
                                 .mode = websub_modes[a->of.mode],
                                 .reason = a->of.reason };

    asks.feeds->url(&topic, a->of.topic);
    q.topic = topic.p;
    if (a->of.mode != WEBSUB_DENIED) {
        draw(f->challenge);
        q.challenge = f->challenge;
    }
    if (a->of.mode == WEBSUB_SUBSCRIBE)
        q.lease = a->of.lease;
    websub_question(&url, &q);
    return url.p;
}

/* What comes after he asked is news to him. False: nothing goes out now. */
static bool ask_callback(struct ask *a)
{
    struct topic *t;
    struct flight *f;

    if (a->of.mode == WEBSUB_SUBSCRIBE) {
        t = book_topic(a->of.topic);
        if (!asks.look(t)) {
            a->state = t->missing ? ASK_DENIED : ASK_WAITS;
            return t->missing;
        }
        a->place = t->place;
    }
    f = flight_new();
    f->ask = a;
    f->rq = (struct client_request){ .method = "GET", .url = question(f, a) };
    if (!flight_launch(f, a->host))
        return false;
    a->state = ASK_FLIES;
    return true;
}

/* Whether one before it is about the same: what was asked last must be done last. */
static bool has_elder(const struct ask *a)
{
    for (const struct ask *b = asks.first; b != a; b = b->next)
        if (b->host == a->host && !strcmp(b->of.callback, a->of.callback) &&
            !strcmp(b->of.topic, a->of.topic))
            return true;
    return false;
}

void asks_send(void)
{
    int n = 0;

    for (struct ask *a = asks.first; a && n < ASKS_A_PASS && flight_count() < FLIGHT_MOST;
         a = a->next) {
        if (a->state != ASK_WAITS)
            continue;
        n++;
        if (a->host->flying < FLIGHT_OF_HOST && !has_elder(a) && !ask_callback(a))
            return;
    }
}

void asks_free(struct ask *a)
{
    struct ask **at = &asks.first;

    while (*at != a)
        at = &(*at)->next;
    if (!(*at = a->next))
        asks.last = at;
    asks.n--;
    book_leave(a->host);
    arena_free(a->mem);
}

static void keep_ask(const struct websub_ask *of)
{
    struct arena *mem = arena_new();
    struct ask *a = arena_zalloc(mem, sizeof *a);

    a->mem = mem;
    a->of = *of;
    a->of.topic = arena_strdup(mem, of->topic);
    a->of.callback = arena_strdup(mem, of->callback);
    a->of.reason = arena_strdup(mem, of->reason);
    a->of.secret = NULL; /* the writer reads it */
    a->host = book_host(of->host);
    a->of.host = a->host->name;
    *asks.last = a;
    asks.last = &a->next;
    asks.n++;
    asks.read = of->no;
}

void asks_read(void)
{
    int n = ASKS_A_READ;

    while (n == ASKS_A_READ && asks.n < ASKS_MOST) {
        struct arena *mem = arena_new();
        struct websub_ask *some;
        struct work w;

        work_init(&w, mem, asks.db, "websub", RIGHT_READ);
        if (websub_ask_list(&w, asks.read, ASKS_A_READ, &some, &n)) {
            LOG(LOG_ERROR, "websub_not_read", L_STR("why", w.err.text));
            n = 0;
        }
        for (int i = 0; i < n; i++)
            keep_ask(&some[i]);
        db_end_read(asks.db);
        arena_free(mem);
    }
}

void asks_landed(struct flight *f)
{
    struct ask *a = f->ask;
    bool yes = !f->rq.rc && f->rq.status / 100 == 2 && f->rq.body_in.n == WEBSUB_CHALLENGE &&
               !memcmp(f->rq.body_in.p, f->challenge, WEBSUB_CHALLENGE);

    if (f->rq.rc == RC_BUSY) {
        a->state = ASK_WAITS;
        return;
    }
    a->state = yes && a->of.mode != WEBSUB_DENIED ? ASK_YES : ASK_NO;
    if (a->of.mode != WEBSUB_DENIED)
        metric_add(yes ? METRIC_websub_verified : METRIC_websub_refused, 1);
}
