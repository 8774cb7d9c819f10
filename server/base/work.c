/*
 * work.c - rights, and what waits for the COMMIT.
 */
#include "server/base/work.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void work_init(struct work *w, struct arena *mem, struct db *db, const char *who,
               unsigned rights)
{
    *w = (struct work){ .mem = mem, .db = db, .who.rights = rights };
    snprintf(w->who.name, sizeof w->who.name, "%s", who);
}

void work_part(struct work *w)
{
    assert(!w->kept);
    w->kept = w->mem;
    w->mem = arena_new();
}

void work_part_done(struct work *w)
{
    arena_free(w->mem);
    w->mem = w->kept;
    w->kept = NULL;
}

struct arena *work_kept(const struct work *w)
{
    return w->kept ? w->kept : w->mem;
}

const struct actor actor_public = { .name = "public", .rights = RIGHT_READ };
const struct actor actor_operator = {
    .name = "operator", .rights = RIGHT_ALL, .operator= true };

bool actor_has(const struct actor *who, unsigned rights)
{
    bool has = who->rights & rights;

    for (int i = 0; i < who->nscopes && !has; i++)
        has = who->scopes[i].rights & rights;
    return has;
}

bool actor_has_at(const struct actor *who, unsigned rights, int64_t site)
{
    bool has = who->rights & rights;

    for (int i = 0; i < who->nscopes && !has && site != EVERYWHERE; i++)
        has = who->scopes[i].site == site && who->scopes[i].rights & rights;
    return has;
}

int64_t actor_person(const struct actor *who)
{
    return who->person ? who->person : who->account;
}

enum rc actor_lacks(struct err *e, const struct actor *who, unsigned rights, const char *where)
{
    char text[RIGHTS_TEXT];

    rights_text(rights, text);
    if (rights & who->barred)
        return err_set(e, RC_UNLISTED,
                       "the right \"%s\" does not count at the device %016" PRIx64
                       ", which is not on the list of the staff's devices",
                       text, who->machine);
    return err_set(e, RC_FORBIDDEN, "%s lacks the right \"%s\"%s", who->name, text, where);
}

enum rc work_need(struct work *w, unsigned rights)
{
    return actor_has(&w->who, rights) ? RC_OK : actor_lacks(&w->err, &w->who, rights, "");
}

enum rc work_need_at(struct work *w, unsigned rights, int64_t site)
{
    if (actor_has_at(&w->who, rights, site))
        return RC_OK;
    return actor_lacks(&w->err, &w->who, rights,
                       !actor_has(&w->who, rights) ? ""
                       : site == EVERYWHERE        ? " for all sites"
                                                   : " at this site");
}

static struct fact *next_fact(struct work *w, const char *name)
{
    assert(w->nfacts < WORK_FACTS);
    w->facts[w->nfacts] = (struct fact){ .name = name };
    return &w->facts[w->nfacts++];
}

void work_fact(struct work *w, const char *name, int64_t number)
{
    next_fact(w, name)->number = number;
}

void work_fact_word(struct work *w, const char *name, const char *word)
{
    next_fact(w, name)->word = word;
}

void work_forget_facts(struct work *w)
{
    w->nfacts = 0;
}

void work_after_commit(struct work *w, void (*fn)(void *), void *arg)
{
    struct commit_hook *hook = arena_alloc(work_kept(w), sizeof *hook);
    struct commit_hook **last = &w->after;

    *hook = (struct commit_hook){ .fn = fn, .arg = arg };
    while (*last)
        last = &(*last)->next;
    *last = hook;
}

struct count {
    enum metric metric;
    int64_t n;
};

static void add_count(void *count)
{
    const struct count *c = count;

    metric_add(c->metric, c->n);
}

void work_count(struct work *w, enum metric m, int64_t n)
{
    const struct count c = { m, n };

    work_after_commit(w, add_count, arena_dup(work_kept(w), &c, sizeof c));
}

void work_committed(struct work *w)
{
    struct commit_hook *hook = w->after;

    w->after = NULL;
    for (; hook; hook = hook->next)
        hook->fn(hook->arg);
}
