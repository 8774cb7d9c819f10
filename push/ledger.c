/*
 * ledger.c - sets of outcomes, counted device by device; words of quiet hours.
 */
#include "push/ledger.h"

#include <string.h>

#include "push/sets.h"
#include "server/base/clock.h"
#include "server/store/db.h"

enum { DAY = 86400, BEIJING = 8 * 3600, MINUTES = 24 * 60 };

int64_t ledger_today(void)
{
    return (clock_now() + BEIJING) / DAY;
}

/* ---- how often ---- */

/* at[k]: those that stand in more than k of the sets. */
static void add_up(struct bits *at, int levels, const struct bits *some)
{
    for (int k = levels - 1; k > 0; k--) {
        struct bits both = at[k - 1];

        bits_and(&both, some);
        bits_or(&at[k], &both);
    }
    bits_or(&at[0], some);
}

static enum rc read_bits(struct work *w, const struct rows *q, int column, struct bits *out)
{
    size_t n = 0;
    const void *p = rows_blob(q, column, &n);

    if (!bits_read(out, p ? p : "", p ? n : 0))
        return err_set(&w->err, RC_CORRUPT, "a campaign's set of devices is damaged (%s)",
                       sql_name(q->sql));
    return RC_OK;
}

/* Each row is a message. */
static enum rc add_rows(struct work *w, struct rows *q, struct bits *at, int levels)
{
    enum rc rc = RC_OK, end;
    struct bits some;

    while (!rc && rows_next(q))
        if (!(rc = read_bits(w, q, 0, &some)))
            add_up(at, levels, &some);
    end = rows_done(q);
    return rc ? rc : end;
}

static enum rc device_had(struct work *w, const struct ledger_ask *a, struct bits *out)
{
    int levels = a->a_day <= LEDGER_MOST ? a->a_day : 0;
    struct bits *at;
    struct rows q;
    enum rc rc;

    if (!levels)
        return RC_OK;
    at = arena_zalloc(w->mem, (size_t)levels * sizeof *at);
    if ((rc = db_query(w, SQL_push_outcome_today, &q, "iiiii", (int64_t)a->by, a->block,
                       ledger_today(), (int64_t)a->class, a->except)) ||
        (rc = add_rows(w, &q, at, levels)) ||
        (rc = db_query(w, SQL_push_batch_of_others, &q, "iiii", (int64_t)a->by, a->block,
                       (int64_t)a->class, a->except)) ||
        (rc = add_rows(w, &q, at, levels)))
        return rc;
    bits_or(out, &at[levels - 1]);
    return RC_OK;
}

/* The rows of a campaign are one message: they come one behind the other. */
static enum rc person_had(struct work *w, const struct ledger_ask *a, struct bits *out)
{
    int levels = a->a_person <= LEDGER_MOST ? a->a_person : 0;
    enum rc rc = RC_OK, end;
    struct bits *at, one, some;
    int64_t campaign = 0;
    struct rows q;

    if (!levels)
        return RC_OK;
    at = arena_zalloc(w->mem, (size_t)levels * sizeof *at);
    bits_clear(&one);
    if ((rc = db_query(w, SQL_push_outcome_person, &q, "iiii", a->block, ledger_today(),
                       (int64_t)a->class, a->except)))
        return rc;
    while (!rc && rows_next(&q)) {
        if (rows_int(&q, 0) != campaign) {
            add_up(at, levels, &one);
            bits_clear(&one);
            campaign = rows_int(&q, 0);
        }
        if (!(rc = read_bits(w, &q, 1, &some)))
            bits_or(&one, &some);
    }
    end = rows_done(&q);
    add_up(at, levels, &one);
    bits_or(out, &at[levels - 1]);
    return rc ? rc : end;
}

enum rc ledger_had(struct work *w, const struct ledger_ask *a, struct bits *out)
{
    enum rc rc;

    bits_clear(out);
    if ((rc = device_had(w, a, out)))
        return rc;
    return person_had(w, a, out);
}

/* ---- the night ---- */

static int minute_of(const char *s) /* "22:00" */
{
    return ((s[0] - '0') * 10 + s[1] - '0') * 60 + (s[3] - '0') * 10 + s[4] - '0';
}

/* "quiet/22:00-07:00", which runs over midnight; its end is not in it. */
static bool quiet_at(const char *word, int minute)
{
    const char *hours = word + strlen("quiet/");
    int from, to;

    if (strlen(hours) != strlen("22:00-07:00"))
        return false;
    from = minute_of(hours);
    to = minute_of(hours + 6);
    return from <= to ? from <= minute && minute < to : from <= minute || minute < to;
}

enum rc ledger_quiet(struct work *w, int64_t block, int minute, struct bits *out)
{
    struct bits some;
    struct rows q;
    enum rc rc, end;

    bits_clear(out);
    if ((rc = db_query(w, SQL_push_trait_quiet, &q, "")))
        return rc;
    while (!rc && rows_next(&q)) {
        if (!quiet_at(rows_text(&q, 1), minute))
            continue;
        if (!(rc = sets_read(w, rows_int(&q, 0), block, &some)))
            bits_or(out, &some);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

enum rc ledger_quiet_now(struct work *w, struct ledger_quiets *quiets, int64_t block,
                         struct bits *out)
{
    int64_t now = clock_now() / 60;
    enum rc rc;

    for (int i = 0; quiets && i < LEDGER_QUIETS; i++)
        if (quiets->kept[i].minute == now && quiets->kept[i].block == block) {
            *out = quiets->kept[i].bits;
            return RC_OK;
        }
    if ((rc = ledger_quiet(w, block, (int)((now + BEIJING / 60) % MINUTES), out)) || !quiets)
        return rc;
    quiets->kept[quiets->next].minute = now;
    quiets->kept[quiets->next].block = block;
    quiets->kept[quiets->next].bits = *out;
    quiets->next = (quiets->next + 1) % LEDGER_QUIETS;
    return RC_OK;
}
