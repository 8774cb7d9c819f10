/*
 * reading.c - kinds and their counts; nobody but the writer's thread comes here.
 *
 *     first --> a row, in the reader's own transaction; an hour begins --(more)--> counted --> a row at its end, another hour
 *                                                                     \--(none)--> forgotten
 *
 * A crash loses counts of an hour at most, and no first row.
 */
#include "server/identity/reading.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"

#define HOUR_US INT64_C(3600000000)

struct kind {
    enum audit_action act;
    char actor[sizeof((struct actor *)0)->name];
    char client[64]; /* from where the last one came */
    int64_t session;
    int64_t count; /* since the last row */
    int64_t ends_us;
};

static struct {
    struct kind kinds[READING_KINDS];
    int n;
} table;

static struct kind *find(const struct actor *who, enum audit_action act)
{
    for (struct kind *k = table.kinds; k < table.kinds + table.n; k++)
        if (k->act == act && k->session == who->session && !strcmp(k->actor, who->name))
            return k;
    return NULL;
}

/* After the COMMIT of its row. */
static void begin(void *first)
{
    if (table.n < READING_KINDS)
        table.kinds[table.n++] = *(const struct kind *)first;
}

static void note_client(struct kind *k, const struct work *w)
{
    snprintf(k->client, sizeof k->client, "%s", w->client ? w->client : "");
}

enum rc reading_tell(struct work *w, enum audit_action act)
{
    struct kind *k = find(&w->who, act);

    if (k) {
        note_client(k, w);
        k->count++;
        return RC_OK;
    }
    k = arena_zalloc(w->mem, sizeof *k);
    k->act = act;
    k->session = w->who.session;
    k->ends_us = clock_mono_us() + HOUR_US;
    snprintf(k->actor, sizeof k->actor, "%s", w->who.name);
    note_client(k, w);
    work_after_commit(w, begin, k);
    return audit_add(w, act, NULL, RC_OK);
}

/* ---- what was counted ---- */

static enum rc write_row(struct work *w, const struct kind *k)
{
    enum rc rc;

    snprintf(w->who.name, sizeof w->who.name, "%s", k->actor);
    w->who.session = k->session;
    w->client = k->client;
    work_fact(w, "count", k->count);
    rc = audit_add(w, k->act, NULL, RC_OK);
    work_forget_facts(w);
    return rc;
}

struct told {
    int64_t until_us; /* hours that end up to then */
    bool all;         /* nothing goes on */
};

/* After the COMMIT. */
static void settle(void *arg)
{
    const struct told *t = arg;
    int had = table.n;

    table.n = 0;
    for (int i = 0; i < had; i++) {
        struct kind k = table.kinds[i];

        if (k.ends_us <= t->until_us) {
            if (t->all || !k.count)
                continue;
            k.count = 0;
            k.ends_us = t->until_us + HOUR_US;
        }
        table.kinds[table.n++] = k;
    }
}

bool reading_is_due(void)
{
    int64_t now = clock_mono_us();

    for (int i = 0; i < table.n; i++)
        if (table.kinds[i].ends_us <= now)
            return true;
    return false;
}

enum rc reading_write(struct work *w, bool all)
{
    struct told *t = arena_alloc(w->mem, sizeof *t);
    enum rc rc = RC_OK;

    *t = (struct told){ .until_us = all ? INT64_MAX : clock_mono_us(), .all = all };
    for (int i = 0; i < table.n && !rc; i++)
        if (table.kinds[i].count && table.kinds[i].ends_us <= t->until_us)
            rc = write_row(w, &table.kinds[i]);
    if (!rc)
        work_after_commit(w, settle, t);
    return rc;
}

void reading_forget(void)
{
    table.n = 0;
}
