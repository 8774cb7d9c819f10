/*
 * websub_letter.c - see the header.
 */
#include "server/websub/websub_letter.h"

#include <string.h>

#include "server/base/log.h"
#include "server/store/db.h"

static struct {
    const struct websub_feeds *feeds;
    struct db *db;
} here;

void letter_open(const struct websub_feeds *feeds, struct db *db)
{
    here.feeds = feeds;
    here.db = db;
}

enum rc letter_place(const struct topic *t, struct websub_place *out)
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc;

    work_init(&w, mem, here.db, "websub", RIGHT_READ);
    rc = here.feeds->place(&w, t->path, out);
    db_end_read(here.db);
    arena_free(mem);
    return rc;
}

void letter_drop(struct letter *l)
{
    if (--l->users)
        return;
    arena_free(l->mem);
}

void letter_forget(struct topic *t, void *unused)
{
    (void)unused;
    for (struct letter *l = t->letters, *next; l; l = next) {
        next = l->next;
        letter_drop(l);
    }
    t->letters = NULL;
}

bool letter_same(const struct websub_place *a, const struct websub_place *b)
{
    return a->n == b->n && !memcmp(a->chain, b->chain, sizeof a->chain);
}

static char *link_of(struct arena *mem, const char *path)
{
    struct buf b = BUF_IN(mem);

    buf_adds(&b, "Link: <");
    here.feeds->url(&b, "/hub");
    buf_adds(&b, ">; rel=\"hub\", <");
    here.feeds->url(&b, path);
    buf_adds(&b, ">; rel=\"self\"");
    return b.p;
}

static struct letter *letter_make(struct topic *t, const struct websub_place *from)
{
    struct arena *mem = arena_new();
    struct letter *l = arena_zalloc(mem, sizeof *l);
    struct work w;
    enum rc rc;

    work_init(&w, mem, here.db, "websub", RIGHT_READ);
    l->mem = mem;
    l->from = *from;
    rc = here.feeds->make(&w, t->path, from, &l->document);
    db_end_read(here.db);
    if (rc) {
        if (rc != RC_BUSY && rc != RC_NOT_FOUND)
            LOG(LOG_ERROR, "websub_not_made", L_STR("why", w.err.text));
        arena_free(mem);
        return NULL;
    }
    l->type = arena_printf(mem, "Content-Type: %s", l->document.type);
    l->link = link_of(mem, t->path);
    l->users = 1;
    l->next = t->letters;
    return t->letters = l;
}

struct letter *letter_for(struct topic *t, const struct websub_place *from)
{
    struct letter *l = t->letters;

    while (l && !letter_same(&l->from, from))
        l = l->next;
    return l ? l : letter_make(t, from);
}
