/*
 * party_table.c - under one lock: a party is a copy in an arena of its own, and two arrays lead to its keys.
 *
 *     by_hash --bsearch--> key --> party      what comes with a request
 *     by_no   --bsearch--> key                what it is charged to
 *
 * Parties change rarely and are thousands at most, so the arrays are made anew whenever one changes.
 */
#include "server/identity/party_table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/memory.h"
#include "server/base/secret.h"

enum { MINUTE_US = 60 * 1000 * 1000, DAY = 86400, BEIJING = 8 * 3600 };

struct known {
    struct arena *mem;
    struct party_entry e;
};

struct key {
    struct party_pass *pass;
    const struct known *of;
};

static struct {
    pthread_mutex_t lock;
    struct known **list;
    int n;
    struct key *by_hash, *by_no;
    int keys;
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- copies ---- */

static const char *const *copy_texts(struct arena *mem, const char *const *v, int n)
{
    const char **out = arena_zalloc(mem, (size_t)(n ? n : 1) * sizeof *out);

    for (int i = 0; i < n; i++)
        out[i] = arena_strdup(mem, v[i]);
    return (const char *const *)out;
}

static void copy_party(struct arena *mem, const struct party *in, struct party *out)
{
    *out = *in;
    out->id = out->client.id = arena_strdup(mem, in->id);
    out->name = out->client.name = arena_strdup(mem, in->name);
    out->rights = arena_dup(mem, in->rights, (size_t)in->nrights * sizeof *in->rights);
    out->client.redirects = copy_texts(mem, in->client.redirects, in->client.nredirects);
    out->client.sector = arena_strdup(mem, in->client.sector);
    out->client.logouts = copy_texts(mem, in->client.logouts, in->client.nlogouts);
}

static struct known *known_of(const struct party_entry *e)
{
    struct arena *mem = arena_new();
    struct known *k = arena_zalloc(mem, sizeof *k);

    k->mem = mem;
    copy_party(mem, &e->party, &k->e.party);
    k->e.keys = arena_dup(mem, e->keys, (size_t)e->n * sizeof *e->keys);
    k->e.n = e->n;
    return k;
}

/* ---- the arrays ---- */

static int by_hash(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    return memcmp(x->pass->hash, y->pass->hash, HASH_BYTES);
}

static int by_no(const void *a, const void *b)
{
    int64_t x = ((const struct key *)a)->pass->no, y = ((const struct key *)b)->pass->no;

    return x < y ? -1 : x > y;
}

static void *grown(void *p, size_t n, size_t size)
{
    p = realloc(p, (n ? n : 1) * size);
    if (!p)
        memory_end();
    return p;
}

static void index_keys(void)
{
    int n = 0;

    for (int i = 0; i < table.n; i++)
        n += table.list[i]->e.n;
    table.by_hash = grown(table.by_hash, (size_t)n, sizeof *table.by_hash);
    table.by_no = grown(table.by_no, (size_t)n, sizeof *table.by_no);
    table.keys = 0;
    for (int i = 0; i < table.n; i++)
        for (int k = 0; k < table.list[i]->e.n; k++)
            table.by_hash[table.keys++] =
                (struct key){ &table.list[i]->e.keys[k], table.list[i] };
    memcpy(table.by_no, table.by_hash, (size_t)n * sizeof *table.by_no);
    qsort(table.by_hash, (size_t)n, sizeof *table.by_hash, by_hash);
    qsort(table.by_no, (size_t)n, sizeof *table.by_no, by_no);
}

static struct key *key_by_hash(const uint8_t hash[HASH_BYTES])
{
    struct party_pass like = { 0 };
    const struct key wanted = { .pass = &like };

    memcpy(like.hash, hash, HASH_BYTES);
    return bsearch(&wanted, table.by_hash, (size_t)table.keys, sizeof wanted, by_hash);
}

static struct key *key_by_no(int64_t no)
{
    struct party_pass like = { .no = no };
    const struct key wanted = { .pass = &like };

    return bsearch(&wanted, table.by_no, (size_t)table.keys, sizeof wanted, by_no);
}

static int place_of(int64_t no)
{
    int i = 0;

    while (i < table.n && table.list[i]->e.party.no != no)
        i++;
    return i;
}

/* The rows know less of a key's use than memory does. */
static void keep_uses(struct known *k)
{
    for (int i = 0; i < k->e.n; i++) {
        struct party_pass *pass = &k->e.keys[i];
        const struct key *old = table.keys ? key_by_no(pass->no) : NULL;

        if (!old)
            continue;
        pass->used = old->pass->used;
        pass->day = old->pass->day;
        pass->spent = old->pass->spent;
        pass->full_at = old->pass->full_at;
        pass->dirty = old->pass->dirty;
    }
}

void party_table_put(const struct party_entry *e)
{
    struct known *k = known_of(e), *old = NULL;
    int at;

    pthread_mutex_lock(&table.lock);
    keep_uses(k);
    at = place_of(e->party.no);
    if (at == table.n)
        table.list = grown(table.list, (size_t)++table.n, sizeof(struct known *));
    else
        old = table.list[at];
    table.list[at] = k;
    index_keys();
    pthread_mutex_unlock(&table.lock);
    if (old)
        arena_free(old->mem);
}

void party_table_empty(void)
{
    pthread_mutex_lock(&table.lock);
    while (table.n)
        arena_free(table.list[--table.n]->mem);
    table.keys = 0;
    pthread_mutex_unlock(&table.lock);
}

/* ---- what is asked ---- */

static bool is_good(const struct key *k, int64_t now)
{
    return k && k->of->e.party.open && now < k->pass->expires;
}

static void fill(const struct key *k, struct arena *mem, struct actor *out)
{
    const struct party *p = &k->of->e.party;
    struct scope *scopes = arena_alloc(mem, (size_t)(p->nrights + 1) * sizeof *scopes);

    *out = (struct actor){ .rights = RIGHT_READ,
                           .scopes = scopes,
                           .party = p->no,
                           .key = k->pass->no,
                           .kind = p->kind };
    snprintf(out->name, sizeof out->name, "party:%s", p->id);
    for (int i = 0; i < p->nrights; i++) {
        if (p->rights[i].site == EVERYWHERE)
            out->rights |= p->rights[i].rights;
        else
            scopes[out->nscopes++] = p->rights[i];
    }
}

/* Under the lock. NULL: it is not known. */
static bool fill_if_good(const struct key *k, int64_t now, struct arena *mem, struct actor *out)
{
    if (!is_good(k, now))
        return false;
    fill(k, mem, out);
    return true;
}

bool party_table_know(const uint8_t hash[HASH_BYTES], int64_t now, struct arena *mem,
                      struct actor *out)
{
    bool good;

    pthread_mutex_lock(&table.lock);
    good = fill_if_good(table.keys ? key_by_hash(hash) : NULL, now, mem, out);
    pthread_mutex_unlock(&table.lock);
    return good;
}

int64_t party_table_key_of(int64_t party, const uint8_t hash[HASH_BYTES], int64_t now)
{
    const struct key *k;
    int64_t no;

    pthread_mutex_lock(&table.lock);
    k = table.keys ? key_by_hash(hash) : NULL;
    no = is_good(k, now) && k->of->e.party.no == party ? k->pass->no : 0;
    pthread_mutex_unlock(&table.lock);
    return no;
}

bool party_table_lives(int64_t key, int64_t now)
{
    bool lives;

    pthread_mutex_lock(&table.lock);
    lives = is_good(table.keys ? key_by_no(key) : NULL, now);
    pthread_mutex_unlock(&table.lock);
    return lives;
}

bool party_table_know_key(int64_t key, int64_t now, struct arena *mem, struct actor *out)
{
    bool good;

    pthread_mutex_lock(&table.lock);
    good = fill_if_good(table.keys ? key_by_no(key) : NULL, now, mem, out);
    pthread_mutex_unlock(&table.lock);
    return good;
}

/* A bucket that fills at the quota a minute and holds a minute's worth (limit.c says more). */
static struct verdict of_minute(const struct party_pass *p, int64_t now_us)
{
    int64_t cost = MINUTE_US / p->per_minute,
            debt = p->full_at > now_us ? p->full_at - now_us : 0;
    bool allowed = debt + cost <= MINUTE_US;

    debt += allowed ? cost : 0;
    return (struct verdict){ .name = "minute",
                             .window = 60,
                             .allowed = allowed,
                             .quota = p->per_minute,
                             .remaining = (MINUTE_US - debt) / cost,
                             .reset = ((allowed ? debt : debt + cost - MINUTE_US) + 999999) /
                                      1000000 };
}

static struct verdict of_day(const struct party_pass *p, int64_t now)
{
    int64_t day = (now + BEIJING) / DAY, spent = p->day == day ? p->spent : 0;
    bool allowed = spent < p->per_day;

    return (struct verdict){ .name = "day",
                             .window = DAY,
                             .allowed = allowed,
                             .quota = p->per_day,
                             .remaining = p->per_day - spent - allowed,
                             .reset = DAY - (now + BEIJING) % DAY };
}

static void spend(struct party_pass *p, int64_t now, int64_t now_us)
{
    int64_t day = (now + BEIJING) / DAY, from = p->full_at > now_us ? p->full_at : now_us;

    p->full_at = from + MINUTE_US / p->per_minute;
    p->spent = p->day == day ? p->spent + 1 : 1;
    p->day = day;
    p->used = now;
    p->dirty = true;
}

bool party_table_charge(int64_t key, int64_t now, int64_t now_us, struct verdict out[VERDICTS])
{
    const struct key *k;
    bool allowed = true;

    pthread_mutex_lock(&table.lock);
    k = table.keys ? key_by_no(key) : NULL;
    if (k) { /* else it was revoked a moment ago */
        out[0] = of_minute(k->pass, now_us);
        out[1] = of_day(k->pass, now);
        allowed = out[0].allowed && out[1].allowed;
        if (allowed)
            spend(k->pass, now, now_us);
    }
    pthread_mutex_unlock(&table.lock);
    return allowed;
}

bool party_table_find(struct arena *mem, int64_t no, const char *id, struct party *out)
{
    bool found = false;

    pthread_mutex_lock(&table.lock);
    for (int i = 0; i < table.n && !found; i++) {
        const struct party *p = &table.list[i]->e.party;

        found = no ? p->no == no : !strcmp(p->id, id);
        if (found)
            copy_party(mem, p, out);
    }
    pthread_mutex_unlock(&table.lock);
    return found;
}

bool party_table_name(int64_t no, char *out, size_t size)
{
    bool open;
    int at;

    pthread_mutex_lock(&table.lock);
    at = place_of(no);
    open = at < table.n && table.list[at]->e.party.open;
    if (open)
        snprintf(out, size, "party:%s", table.list[at]->e.party.id);
    pthread_mutex_unlock(&table.lock);
    return open;
}

static bool is_allowed(const struct party *p, unsigned rights, int64_t site)
{
    for (int i = 0; i < p->nrights; i++)
        if ((p->rights[i].site == site || p->rights[i].site == EVERYWHERE) &&
            p->rights[i].rights & rights)
            return true;
    return false;
}

bool party_table_may(const char *name, unsigned rights, int64_t site)
{
    static const char prefix[] = "party:";
    const char *id = name + sizeof prefix - 1;
    bool may = false;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return false;
    pthread_mutex_lock(&table.lock);
    for (int i = 0; i < table.n && !may; i++) {
        const struct party *p = &table.list[i]->e.party;

        may = p->open && !strcmp(p->id, id) && is_allowed(p, rights, site);
    }
    pthread_mutex_unlock(&table.lock);
    return may;
}

void party_table_uses(void (*fn)(void *arg, const struct party_pass *key), void *arg)
{
    pthread_mutex_lock(&table.lock);
    for (int i = 0; i < table.keys; i++) {
        struct party_pass *p = table.by_no[i].pass;

        if (p->dirty)
            fn(arg, p);
        p->dirty = false;
    }
    pthread_mutex_unlock(&table.lock);
}
