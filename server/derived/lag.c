/*
 * lag.c - how far behind the log it is: for the server by its own clock, for a command beside it by the rows.
 */
#include <string.h>

#include "server/base/clock.h"
#include "server/derived/state.h"
#include "server/library/row.h"
#include "server/library/stream.h"

int64_t derived_age(void)
{
    int64_t since = atomic_load(&derived.behind), oldest = atomic_load(&derived.oldest), age;

    if (!since)
        return 0;
    age = (clock_mono_us() - since) / 1000000;
    if (oldest && clock_now() - oldest < age)
        age = clock_now() - oldest;
    return age > 0 ? age : 0;
}

static enum rc next_at(struct work *w, int64_t stream, int64_t seq, int64_t *at)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_change_next_at, &q, "ii", stream, seq);

    if (rc)
        return rc;
    *at = rows_next(&q) ? rows_int(&q, 0) : 0;
    return rows_done(&q);
}

static enum rc add_up(struct work *w, struct derived_lag *out)
{
    struct place places[STREAMS_MAX];
    struct stream *s;
    int n, np;
    enum rc rc;

    if ((rc = derived_places(w, places, &np)) || (rc = stream_list(w, &s, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        const struct place *p = place_of(places, np, s[i].no);
        int64_t seq = p ? p->seq : 0, at;

        if (s[i].seq <= seq)
            continue;
        if ((rc = next_at(w, s[i].no, seq, &at)))
            return rc;
        out->changes += s[i].seq - seq;
        out->oldest = !out->oldest || (at && at < out->oldest) ? at : out->oldest;
    }
    return RC_OK;
}

enum rc derived_lag(struct work *w, const char *data, struct derived_lag *out)
{
    const char *path = arena_printf(w->mem, "%s/" DB_DERIVED_NAME, data);
    struct derived_lag lag = { 0 };
    struct db *db;
    enum rc rc = db_open_derived(&w->err, path, DB_READ, &db);

    if (rc)
        return rc;
    w->derived = db;
    if (!(rc = add_up(w, &lag)))
        *out = lag;
    w->derived = NULL;
    db_close(db);
    return rc;
}
