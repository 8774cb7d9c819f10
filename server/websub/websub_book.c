/*
 * websub_book.c - see the header. Two tables of lists, by the hash of a name.
 */
#include "server/websub/websub_book.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/memory.h"

enum { SLOTS = 4096 };

static struct {
    struct topic *topics[SLOTS];
    struct host *hosts[SLOTS];
    int64_t n;
} book;

/* FNV-1a: what strangers choose can make a list long, up to what the limits let in. */
static size_t slot(const char *name)
{
    uint64_t h = 14695981039346656037U;

    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 1099511628211U;
    return (size_t)(h ^ h >> 32) % SLOTS;
}

static void *fresh(size_t n)
{
    void *p = calloc(1, n);

    if (!p)
        memory_end();
    return p;
}

static char *copy(const char *s)
{
    char *p = s ? strdup(s) : NULL;

    if (s && !p)
        memory_end();
    return p;
}

static struct topic *find_topic(const char *path)
{
    struct topic *t = book.topics[slot(path)];

    while (t && strcmp(t->path, path) != 0)
        t = t->next;
    return t;
}

struct topic *book_topic(const char *path)
{
    struct topic *t = find_topic(path), **at = &book.topics[slot(path)];
    size_t n = strlen(path) + 1;

    if (t)
        return t;
    t = fresh(sizeof *t + n);
    memcpy(t->path, path, n);
    t->next = *at;
    return *at = t;
}

struct host *book_host(const char *name)
{
    struct host **at = &book.hosts[slot(name)], *h = *at;
    size_t n = strlen(name) + 1;

    while (h && strcmp(h->name, name) != 0)
        h = h->next;
    if (!h) {
        h = fresh(sizeof *h + n);
        memcpy(h->name, name, n);
        h->last = &h->first;
        h->next = *at;
        *at = h;
    }
    h->users++;
    return h;
}

void book_leave(struct host *h)
{
    struct host **at = &book.hosts[slot(h->name)];

    if (--h->users)
        return;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    free(h);
}

struct sub *book_find(const char *topic, const char *callback)
{
    struct topic *t = find_topic(topic);
    struct sub *s = t ? t->subs : NULL;

    while (s && (s->over || strcmp(s->callback, callback) != 0))
        s = s->next;
    return s;
}

static void forget_secret(struct sub *s)
{
    if (s->secret)
        sodium_memzero(s->secret, strlen(s->secret));
    free(s->secret);
    s->secret = NULL;
}

static struct sub *add(const struct websub_row *row)
{
    struct sub *s = fresh(sizeof *s);

    s->topic = book_topic(row->topic);
    s->host = book_host(row->host);
    s->callback = copy(row->callback);
    s->next = s->topic->subs;
    s->topic->subs = s;
    book.n++;
    return s;
}

/* One that is known has got further than its row, perhaps: its place stays. */
struct sub *book_put(const struct websub_row *row)
{
    struct sub *s = book_find(row->topic, row->callback);

    if (!s) {
        s = add(row);
        s->place = row->place;
        s->failures = row->failures;
        s->again_ms = row->again_ms;
    } else {
        s->failures = 0;
        s->again_ms = 0;
    }
    s->no = row->no;
    s->ends = row->ends;
    forget_secret(s);
    s->secret = copy(row->secret);
    return s;
}

void book_over(struct sub *s)
{
    book.n -= !s->over;
    s->over = true;
}

int64_t book_count(void)
{
    return book.n;
}

static void sweep_topic(struct topic *t)
{
    for (struct sub **at = &t->subs, *s; (s = *at);) {
        if (!s->over || s->flying || s->waits || s->unwritten) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        book_leave(s->host);
        forget_secret(s);
        free(s->callback);
        free(s);
    }
}

void book_sweep(void)
{
    for (int i = 0; i < SLOTS; i++)
        for (struct topic **at = &book.topics[i], *t; (t = *at);) {
            sweep_topic(t);
            if (t->subs || t->letters) {
                at = &t->next;
                continue;
            }
            *at = t->next;
            free(t);
        }
}

static void end_all(struct topic *t, void *unused)
{
    (void)unused;
    for (struct sub *s = t->subs; s; s = s->next) {
        s->over = true;
        s->flying = s->waits = s->unwritten = false;
    }
}

void book_close(void)
{
    book_each_topic(end_all, NULL);
    book_sweep();
    book.n = 0;
}

void book_each_topic(void (*fn)(struct topic *t, void *arg), void *arg)
{
    for (int i = 0; i < SLOTS; i++)
        for (struct topic *t = book.topics[i], *next; t; t = next) {
            next = t->next;
            fn(t, arg);
        }
}
