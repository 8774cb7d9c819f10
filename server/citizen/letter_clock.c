/*
 * letter_clock.c - rounds over the letters whose time has come, so many at a tick.
 *
 *     a round --> the next letters, by time --> each in a savepoint --> done
 *                                                      \-> it fails: back, logged by its number, the others go on
 *
 * A round goes on where the last tick ended and begins again when none is left, so a letter that fails is met once a round and holds nobody up.
 */
#include "server/citizen/letter_clock.h"

#include <stdbool.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/citizen/letter_entry.h"
#include "server/library/row.h"

enum { AT_ONCE = 100, EVERY = 60 /* seconds */ };

static struct round {
    enum letter_state state;
    int64_t at, no; /* behind which the next are looked for */
} rounds[] = {
    { .state = LETTER_ANSWERED },
    { .state = LETTER_RATED },
    { .state = LETTER_ASKED },
};

struct found {
    int64_t at, no;
    const char *number;
};

/* Settled long ago, or asked and not answered in time. */
static enum rc ask(struct work *w, const struct round *r, struct rows *q)
{
    if (r->state == LETTER_ASKED)
        return db_query(w, SQL_letter_lapsed, q, "iiii", r->at, r->no, clock_now(),
                        (int64_t)AT_ONCE);
    return db_query(w, SQL_letter_settled, q, "tiiii", letter_states[r->state].word, r->at,
                    r->no, clock_now() - LETTER_CLOSED_AFTER, (int64_t)AT_ONCE);
}

static enum rc find(struct work *w, const struct round *r, struct found found[AT_ONCE], int *n)
{
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = ask(w, r, &q)))
        return rc;
    while (*n < AT_ONCE && rows_next(&q))
        found[(*n)++] =
            (struct found){ rows_int(&q, 1), rows_int(&q, 0), rows_dup_text(w, &q, 2) };
    return rows_done(&q);
}

static enum letter_verb verb_for(const struct letter *l)
{
    return l->state == LETTER_ASKED ? letter_days(l->kind->category, l->received).lapse
                                    : LETTER_DO_CLOSE;
}

static enum rc act_on(struct work *w, const char *number)
{
    struct letter_act act = { .actor = "clock" };
    struct letter l;
    enum rc rc;

    if ((rc = letter_find(w, number, &l)))
        return rc;
    act.verb = verb_for(&l);
    if ((rc = letter_move(w, &l, act.verb, NULL)))
        return rc;
    letter_resume(&l);
    if (l.state == LETTER_CLOSED) {
        l.due = 0;
        l.settled = l.settled ? l.settled : clock_now();
    }
    return (rc = letter_write(w, &l, &act, NULL)) ? rc : letter_tell(w, &l, NULL);
}

/* What is returned is wrong with the store; with the letter alone, it stays as it was. */
static enum rc try(struct work *w, const struct found *f)
{
    enum rc rc, end;

    if ((rc = db_savepoint(w)))
        return rc;
    work_part(w);
    if ((rc = act_on(w, f->number)))
        LOG(LOG_ERROR, "letter_not_closed", L_STR("number", f->number),
            L_STR("why", w->err.text));
    work_part_done(w);
    end = rc ? db_back(w) : db_release(w);
    return end;
}

static enum rc go_on(struct work *w, struct round *r)
{
    struct found found[AT_ONCE];
    enum rc rc;
    int n;

    if ((rc = find(w, r, found, &n)))
        return rc;
    for (int i = 0; i < n && !rc; i++)
        rc = try(w, &found[i]);
    r->at = n == AT_ONCE ? found[n - 1].at : 0;
    r->no = n == AT_ONCE ? found[n - 1].no : 0;
    return rc;
}

void letter_tick(struct db *db, void *unused)
{
    struct work w;
    enum rc rc;

    (void)unused;
    work_init(&w, arena_new(), db, "clock", RIGHT_ALL);
    rc = db_begin(&w);
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds && !rc; i++)
        rc = go_on(&w, &rounds[i]);
    if (rc || (rc = db_commit(&w))) {
        db_rollback(db);
        LOG(LOG_ERROR, "letters_not_closed", L_STR("why", w.err.text));
    } else
        work_committed(&w);
    arena_free(w.mem);
}

/* Whether a round has letters left. */
static bool is_midway(void)
{
    bool midway = false;

    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++)
        midway = midway || rounds[i].at;
    return midway;
}

void letter_clock(struct db *db, void *unused)
{
    static unsigned seconds;

    if (seconds++ % EVERY == 0 || is_midway())
        letter_tick(db, unused);
}
