/*
 * missing.c - one statement a kind; each has the columns campaign, site, item, title, since.
 */
#include "push/missing.h"

#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/conf.h"
#include "server/library/row.h"
#include "server/store/db.h"

const char *const missing_words[MISSINGS] = {
    [MISSING_CAMPAIGN] = "campaign", [MISSING_SCHEDULE] = "schedule", [MISSING_FIRE] = "fire",
    [MISSING_PROGRESS] = "progress", [MISSING_DAMAGED] = "damaged",
};

static enum rc read_rows(struct work *w, struct rows *q, enum missing_kind kind,
                         struct buf *out)
{
    enum rc rc = RC_OK;

    while (!rc && rows_next(q)) {
        struct missing m = { .kind = kind,
                             .campaign = rows_int(q, 0),
                             .site = rows_int(q, 1),
                             .title = rows_dup_text(w, q, 3),
                             .since = rows_int(q, 4) };

        rc = row_bytes(w, q, 2, m.item.b, sizeof m.item.b);
        buf_add(out, &m, sizeof m);
    }
    return row_finish(q, rc);
}

/* Those of each column that the settings name. */
static enum rc list_unpushed(struct work *w, struct buf *out)
{
    const struct campaign_conf *c = campaign_settled();
    int64_t now = clock_now();
    enum rc rc = RC_OK;
    struct rows q;

    for (int i = 0; c->columns && i < c->columns->n && !rc; i++)
        if (!(rc = db_query(w, SQL_push_missing_campaign, &q, "iii",
                            (int64_t)strtoll(c->columns->v[i], NULL, 10), now - MISSING_BACK,
                            now - c->missing_after)))
            rc = read_rows(w, &q, MISSING_CAMPAIGN, out);
    return rc;
}

static enum rc list_campaigns(struct work *w, enum missing_kind kind, struct buf *out)
{
    const struct {
        enum sql sql;
        int64_t before;
    } kinds[MISSINGS] = {
        [MISSING_SCHEDULE] = { SQL_push_missing_schedule,
                               clock_now() - campaign_settled()->missing_after },
        [MISSING_FIRE] = { SQL_push_missing_fire, clock_now() - MISSING_FIRE_AFTER },
        [MISSING_PROGRESS] = { SQL_push_missing_progress,
                               (clock_now() - MISSING_STALLED) * 1000 },
        [MISSING_DAMAGED] = { SQL_push_missing_damaged, clock_now() },
    };
    struct rows q;
    enum rc rc = db_query(w, kinds[kind].sql, &q, "i", kinds[kind].before);

    return rc ? rc : read_rows(w, &q, kind, out);
}

enum rc missing_list(struct work *w, enum missing_kind kind, struct missing **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc =
        kind == MISSING_CAMPAIGN ? list_unpushed(w, &list) : list_campaigns(w, kind, &list);

    *out = (struct missing *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc;
}
