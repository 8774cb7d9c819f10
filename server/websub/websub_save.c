/*
 * websub_save.c - see the header. If the job fails nothing of it happened, and it is tried again.
 */
#include "server/websub/websub_save.h"

#include <stdlib.h>

#include "server/base/memory.h"
#include "server/store/db.h"

static void (*on_done)(void *);

struct save *save_new(void)
{
    struct save *s = calloc(1, sizeof *s);

    if (!s)
        memory_end();
    s->mem = arena_new();
    return s;
}

void save_free(struct save *s)
{
    if (!s)
        return;
    arena_free(s->mem);
    free(s);
}

static enum rc deny(struct work *w, const char *topic, const char *callback, const char *host)
{
    const struct websub_ask ask = { .mode = WEBSUB_DENIED,
                                    .topic = topic,
                                    .callback = callback,
                                    .host = host,
                                    .reason = "there is no such feed" };

    return websub_ask_add(w, &ask);
}

static enum rc write_sub(struct work *w, const struct save_sub *s)
{
    enum rc rc;

    if (!s->over)
        return websub_set(w, s->no, &s->place, s->failures, s->again_ms);
    if ((rc = websub_drop(w, s->no)) || !s->denied)
        return rc;
    return deny(w, s->sub->topic->path, s->sub->callback, s->sub->host->name);
}

/* One that is gone, or whose secret does not open any more, comes to nothing. */
static enum rc write_yes(struct work *w, struct save_ask *a)
{
    const struct websub_ask *of = &a->ask->of;
    enum rc rc;

    if (of->mode == WEBSUB_UNSUBSCRIBE)
        return websub_leave(w, of->topic, of->callback);
    rc = websub_put(w, of->no, &a->ask->place, &a->row);
    if (rc)
        a->row.no = 0;
    return rc == RC_NOT_FOUND || rc == RC_CORRUPT ? RC_OK : rc;
}

static enum rc write_ask(struct work *w, struct save_ask *a)
{
    const struct websub_ask *of = &a->ask->of;
    enum rc rc = RC_OK;

    if (a->state == ASK_YES)
        rc = write_yes(w, a);
    else if (a->state == ASK_DENIED)
        rc = deny(w, of->topic, of->callback, of->host);
    return rc ? rc : websub_ask_drop(w, of->no);
}

static enum rc run(struct work *w, void *arg)
{
    struct save *s = arg;
    enum rc rc = RC_OK;

    for (int i = 0; i < s->nsubs && !rc; i++)
        rc = write_sub(w, &s->subs[i]);
    for (int i = 0; i < s->nasks && !rc; i++)
        rc = write_ask(w, &s->asks[i]);
    return rc;
}

static void done(struct writer_job *job)
{
    struct save *s = job->arg;

    atomic_store(&s->done, true);
    on_done(NULL);
}

bool save_submit(struct save *s, void (*stir)(void *))
{
    on_done = stir;
    work_init(&s->w, s->mem, NULL, "websub", RIGHT_ALL);
    s->job = (struct writer_job){ .w = &s->w, .run = run, .done = done, .arg = s };
    return writer_submit(&s->job);
}
