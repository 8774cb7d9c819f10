/*
 * work.c - rights, and what waits for the COMMIT.
 */
#include "server/base/work.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void work_init(struct work *w, struct arena *mem, struct db *db, const char *who,
               unsigned rights)
{
    *w = (struct work){ .mem = mem, .db = db, .who.rights = rights };
    snprintf(w->who.name, sizeof w->who.name, "%s", who);
}

static const struct {
    enum right right;
    const char *name;
} right_names[] = {
    { RIGHT_READ, "read" },       { RIGHT_IMPORT, "import" },   { RIGHT_EDIT, "edit" },
    { RIGHT_PUBLISH, "publish" }, { RIGHT_OPERATE, "operate" }, { RIGHT_AUDIT, "audit" },
};

const char *right_name(enum right right)
{
    for (size_t i = 0; i < sizeof right_names / sizeof *right_names; i++)
        if (right_names[i].right == right)
            return right_names[i].name;
    return "unknown";
}

enum rc work_need(struct work *w, enum right right)
{
    if ((w->who.rights & right) == (unsigned)right)
        return RC_OK;
    return err_set(&w->err, RC_FORBIDDEN, "%s lacks the right \"%s\"", w->who.name,
                   right_name(right));
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
    struct commit_hook *hook = arena_alloc(w->mem, sizeof *hook);
    struct commit_hook **last = &w->after;

    *hook = (struct commit_hook){ .fn = fn, .arg = arg };
    while (*last)
        last = &(*last)->next;
    *last = hook;
}

void work_committed(struct work *w)
{
    struct commit_hook *hook = w->after;

    w->after = NULL;
    for (; hook; hook = hook->next)
        hook->fn(hook->arg);
}
