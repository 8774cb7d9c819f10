/*
 * sse.c - the shared memory of events: a ring, and the newest event of every topic.
 *
 *     serial     … 38  39  40  41            newest: main 41, hexi 39
 *     ring      [ a ][ b ][ a ][ a ]
 *     reader at 40, not behind: gets 41
 *     reader at 7, ring begins at 30: behind; gets 39, then 41: the newest ones by their serial
 *
 * Events go out by serial in both ways. So the id of the last one received, which lists the newest of
 * every topic at its time, never claims what was not sent: what was left out is newer than
 * the list says, or was sent before. That makes an id enough to come back with, to this process or to another that
 * serves the same.
 *
 * An event's bytes are made once and shared by all who send them.
 */
#include "server/http/sse_reader.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/log.h"
#include "server/base/memory.h"

enum { EVERY_TOPIC = -1, NO_TOPIC = -2, CHAINS = 1024 };

struct topic {
    int no; /* of no other, also when it is forgotten */
    char name[SSE_WORD_MAX + 1], id[SSE_WORD_MAX + 1];
    struct sse_event *newest; /* NULL: nothing was published yet */
};

/* Who reads: in a list of its chain while he does, so there are never more than readers. */
struct client {
    struct client *next;
    uint64_t tag;
    int readers;
};

struct sse {
    struct sse_conf conf;
    atomic_llong readers;
    atomic_llong leaving; /* of these, who is sent away at the end */

    pthread_mutex_t lock; /* of all that follows */
    struct topic topics[SSE_TOPICS];
    int ntopics, numbered;
    struct sse_event *ring[SSE_RING]; /* by serial % SSE_RING */
    uint64_t serial;
    struct sse_bell *bells;
    struct client *clients[CHAINS];
    int64_t told[SSE_TOLD]; /* accounts, by ntold % SSE_TOLD */
    uint64_t ntold;
};

struct sse *sse_new(const struct sse_conf *conf)
{
    struct sse *s = calloc(1, sizeof *s);

    if (!s)
        memory_end();
    s->conf = *conf;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void sse_event_unref(struct sse_event *e)
{
    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        free(e);
}

void sse_free(struct sse *s)
{
    if (!s)
        return;
    assert(!s->bells);
    for (int i = 0; i < SSE_RING; i++)
        sse_event_unref(s->ring[i]);
    for (int i = 0; i < s->ntopics; i++)
        sse_event_unref(s->topics[i].newest);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct sse_conf *sse_conf_of(const struct sse *s)
{
    return &s->conf;
}

/* ---- who reads ---- */

/* Where the client stands, or would. The tag is a hash that nobody can aim. */
static struct client **client_at(struct sse *s, uint64_t tag)
{
    struct client **at = &s->clients[tag % CHAINS];

    while (*at && (*at)->tag != tag)
        at = &(*at)->next;
    return at;
}

static void count_client(struct sse *s, uint64_t tag, int n)
{
    struct client **at = client_at(s, tag), *c = *at;

    if (!c) {
        if (!(c = calloc(1, sizeof *c)))
            memory_end();
        c->tag = tag;
        *at = c;
    }
    c->readers += n;
    if (c->readers)
        return;
    *at = c->next;
    free(c);
}

int64_t sse_leaving(struct sse *s)
{
    long long nobody = 0;

    atomic_compare_exchange_strong(&s->leaving, &nobody, atomic_load(&s->readers));
    return atomic_load(&s->leaving);
}

void sse_count(struct sse *s, uint64_t client, int n)
{
    atomic_fetch_add_explicit(&s->readers, n, memory_order_relaxed);
    metric_add(s->conf.readers, n);
    pthread_mutex_lock(&s->lock);
    count_client(s, client, n);
    pthread_mutex_unlock(&s->lock);
}

bool sse_full(struct sse *s, uint64_t client)
{
    const struct client *c;
    bool full;

    if (atomic_load_explicit(&s->readers, memory_order_relaxed) >= s->conf.readers_max)
        return true;
    if (!s->conf.client_max)
        return false;
    pthread_mutex_lock(&s->lock);
    c = *client_at(s, client);
    full = c && c->readers >= s->conf.client_max;
    pthread_mutex_unlock(&s->lock);
    return full;
}

void sse_listen(struct sse *s, struct sse_bell *b)
{
    pthread_mutex_lock(&s->lock);
    b->next = s->bells;
    s->bells = b;
    pthread_mutex_unlock(&s->lock);
}

void sse_unlisten(struct sse *s, struct sse_bell *b)
{
    struct sse_bell **at = &s->bells;

    pthread_mutex_lock(&s->lock);
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    pthread_mutex_unlock(&s->lock);
}

/* ---- publishing, under the lock ---- */

static bool is_word(const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == ',' || text[i] == '=')
            return false;
    return n >= 1 && n <= SSE_WORD_MAX;
}

/* The topic's number, given on first sight; -1: there are too many. */
static int topic_of(struct sse *s, const char *name)
{
    for (int i = 0; i < s->ntopics; i++)
        if (!strcmp(s->topics[i].name, name))
            return i;
    if (s->ntopics == SSE_TOPICS)
        return -1;
    s->topics[s->ntopics] = (struct topic){ .no = s->numbered++ };
    strcpy(s->topics[s->ntopics].name, name);
    return s->ntopics++;
}

static struct sse_event *event_new(const struct sse *s, int topic, const char *event,
                                   const char *data)
{
    struct buf b = BUF_HEAP;
    struct sse_event *e;
    const char *before = "id: ";

    for (int i = 0; i < s->ntopics; i++) {
        if (!*s->topics[i].id || (s->conf.own_ids && i != topic))
            continue;
        buf_printf(&b, "%s%s=%s", before, s->topics[i].name, s->topics[i].id);
        before = ",";
    }
    buf_printf(&b, "\nevent: %s\ndata: %s\n\n", event, data);
    if (!(e = malloc(sizeof *e + b.n)))
        memory_end();
    e->n = b.n;
    memcpy(e->text, b.p, b.n);
    buf_done(&b);
    return e;
}

static void put(struct sse *s, int topic, struct sse_event *e)
{
    struct sse_event **place = &s->ring[++s->serial % SSE_RING];

    e->topic = s->topics[topic].no;
    e->serial = s->serial;
    atomic_init(&e->refs, 2);
    sse_event_unref(*place);
    *place = e;
    sse_event_unref(s->topics[topic].newest);
    s->topics[topic].newest = e;
}

void sse_publish(struct sse *s, const char *topic, const char *id, const char *event,
                 const char *data)
{
    int t;

    assert(is_word(topic) && is_word(id) && !strpbrk(event, "\r\n") && !strpbrk(data, "\r\n"));
    pthread_mutex_lock(&s->lock);
    t = topic_of(s, topic);
    if (t >= 0) {
        strcpy(s->topics[t].id, id);
        put(s, t, event_new(s, t, event, data));
        for (struct sse_bell *b = s->bells; b; b = b->next)
            b->ring(b);
    }
    pthread_mutex_unlock(&s->lock);
    if (t < 0)
        LOG(LOG_ERROR, "sse_topics_full", L_STR("topic", topic), L_INT("most", SSE_TOPICS));
}

void sse_forget(struct sse *s, const char *topic)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->ntopics; i++)
        if (!strcmp(s->topics[i].name, topic)) {
            sse_event_unref(s->topics[i].newest);
            s->topics[i] = s->topics[--s->ntopics];
            break;
        }
    pthread_mutex_unlock(&s->lock);
}

void sse_tell(struct sse *s, int64_t account)
{
    pthread_mutex_lock(&s->lock);
    s->told[s->ntold++ % SSE_TOLD] = account;
    for (struct sse_bell *b = s->bells; b; b = b->next)
        b->tell(b);
    pthread_mutex_unlock(&s->lock);
}

int sse_told(struct sse *s, uint64_t *after, int64_t out[SSE_TOLD])
{
    int n = 0;

    pthread_mutex_lock(&s->lock);
    if (*after + SSE_TOLD < s->ntold)
        n = -1;
    else
        while (*after + (uint64_t)n < s->ntold) {
            out[n] = s->told[(*after + (uint64_t)n) % SSE_TOLD];
            n++;
        }
    *after = s->ntold;
    pthread_mutex_unlock(&s->lock);
    return n;
}

void sse_weed(struct sse *s)
{
    pthread_mutex_lock(&s->lock);
    for (struct sse_bell *b = s->bells; b; b = b->next)
        b->weed(b);
    pthread_mutex_unlock(&s->lock);
}

/* ---- reading ---- */

/* Whether `name=id` stands in the list, between commas. */
static bool lists(const char *list, const struct topic *t)
{
    size_t name = strlen(t->name), id = strlen(t->id);

    for (const char *at = list, *end;; at = end + 1) {
        end = strchrnul(at, ',');
        if ((size_t)(end - at) == name + 1 + id && !memcmp(at, t->name, name) &&
            at[name] == '=' && !memcmp(at + name + 1, t->id, id))
            return true;
        if (!*end)
            return false;
    }
}

static bool wants(const struct sse_place *p, int topic)
{
    return p->topic == EVERY_TOPIC || p->topic == topic;
}

/* The oldest of the newest ones after `after`; `list`: of those that it does not list. */
static struct sse_event *oldest_new(const struct sse *s, const struct sse_place *p,
                                    const char *list)
{
    struct sse_event *found = NULL;

    for (int i = 0; i < s->ntopics; i++) {
        struct sse_event *e = s->topics[i].newest;

        if (e && wants(p, s->topics[i].no) && e->serial > p->reached &&
            (!found || e->serial < found->serial) && !(list && lists(list, &s->topics[i])))
            found = e;
    }
    return found;
}

struct sse_place sse_place_of(struct sse *s, const struct sse_wish *wish)
{
    struct sse_place p = { .topic = EVERY_TOPIC, .behind = true };
    struct sse_event *first;

    pthread_mutex_lock(&s->lock);
    if (wish->topic && (p.topic = topic_of(s, wish->topic)) >= 0)
        p.topic = s->topics[p.topic].no;
    else if (wish->topic)
        p.topic = NO_TOPIC; /* it could not have been published */
    first = oldest_new(s, &p, wish->last_id);
    p.reached = first ? first->serial - 1 : s->serial;
    pthread_mutex_unlock(&s->lock);
    return p;
}

static struct sse_event *next_newest(const struct sse *s, struct sse_place *p, uint64_t due)
{
    struct sse_event *e = oldest_new(s, p, NULL);

    if (!e) {
        p->behind = false;
        p->reached = s->serial;
        return NULL;
    }
    if (e->serial > due)
        return NULL;
    p->reached = e->serial;
    return e;
}

static struct sse_event *next_in_ring(const struct sse *s, struct sse_place *p, uint64_t due)
{
    while (p->reached < due && p->reached < s->serial) {
        struct sse_event *e = s->ring[++p->reached % SSE_RING];

        if (wants(p, e->topic))
            return e;
    }
    return NULL;
}

struct sse_event *sse_next(struct sse *s, struct sse_place *p, uint64_t due)
{
    struct sse_event *e;

    pthread_mutex_lock(&s->lock);
    if (!p->behind && p->reached + SSE_RING < s->serial) {
        p->behind = true;
        metric_add(s->conf.skipped, 1);
    }
    e = p->behind ? next_newest(s, p, due) : next_in_ring(s, p, due);
    if (e)
        atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    return e;
}

uint64_t sse_serial(struct sse *s)
{
    uint64_t serial;

    pthread_mutex_lock(&s->lock);
    serial = s->serial;
    pthread_mutex_unlock(&s->lock);
    return serial;
}
