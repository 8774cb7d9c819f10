/*
 * letter_list.c - six statements: three orders, with a unit or without; and behind the queue those whose clock stands.
 */
#include "server/citizen/letter_list.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/base/clock.h"
#include "server/citizen/letter_staff.h"
#include "server/library/row.h"

enum { LEFT = 26 /* column of letter_changed_unit */ };

#define STANDING INT64_C(999999999999999999) /* in a cursor, in the place of a deadline */

/* Of these none would stand in an order of deadlines. */
static bool is_without_clock(const struct letter_query *in)
{
    return *in->state && !in->before && !letter_states[letter_state_parse(in->state)].runs;
}

static enum rc ask(struct work *w, const struct letter_query *in, int64_t at, int64_t no,
                   struct rows *q)
{
    int64_t category = in->category, most = in->most + 1;
    int64_t before = in->before ? in->before : INT64_MAX;

    if (in->changed && in->unit)
        return db_query(w, SQL_letter_changed_unit, q, "iitii", at, category, in->state,
                        in->unit, most);
    if (in->changed)
        return db_query(w, SQL_letter_changed, q, "iiti", at, category, in->state, most);
    if (is_without_clock(in) && in->unit)
        return db_query(w, SQL_letter_of_state_unit, q, "tiiii", in->state, no, category,
                        in->unit, most);
    if (is_without_clock(in))
        return db_query(w, SQL_letter_of_state, q, "tiii", in->state, no, category, most);
    if (in->unit)
        return db_query(w, SQL_letter_queue_unit, q, "iiiitii", at, no, before, category,
                        in->state, in->unit, most);
    return db_query(w, SQL_letter_queue, q, "iiiiti", at, no, before, category, in->state,
                    most);
}

static enum rc read_cursor(struct work *w, const char *text, int64_t *at, int64_t *no)
{
    int end = 0;

    *at = *no = 0;
    if (!text)
        return RC_OK;
    if (sscanf(text, "%18" SCNd64 ".%18" SCNd64 "%n", at, no, &end) != 2 || text[end])
        return err_field(&w->err, "cursor", "the cursor is none that was given");
    return RC_OK;
}

struct reading {
    struct buf letters;
    int64_t at, no; /* the place of the last */
};

static enum rc read_rows(struct work *w, const struct letter_query *in, struct rows *q,
                         struct reading *r, struct letter_page *out)
{
    enum rc rc = RC_OK, end;

    while (!rc && rows_next(q)) {
        struct letter l;

        if (out->n == in->most) {
            out->more = true;
            break;
        }
        rc = letter_read(w, q, &l);
        l.left = in->changed && in->unit && rows_int(q, LEFT);
        buf_add(&r->letters, &l, sizeof l);
        out->n++;
        r->at = in->changed ? l.turn : l.due ? l.due : STANDING;
        r->no = l.no;
    }
    end = rows_done(q);
    return rc ? rc : end;
}

/* Somebody else has the word, and nobody may forget them for that. */
static enum rc read_standing(struct work *w, const struct letter_query *in, struct reading *r,
                             struct letter_page *out)
{
    struct rows q;
    enum rc rc =
        db_query(w, SQL_letter_standing, &q, "iitii", r->at == STANDING ? r->no : INT64_C(0),
                 (int64_t)in->category, in->state, in->unit, (int64_t)in->most - out->n + 1);

    return rc ? rc : read_rows(w, in, &q, r, out);
}

enum rc letter_list(struct work *w, const struct letter_query *in, struct letter_page *out)
{
    struct reading r = { .letters = BUF_IN(w->mem) };
    struct rows q;
    enum rc rc;

    *out = (struct letter_page){ 0 };
    if ((rc =
             in->unit ? letter_may(w, in->unit) : work_need_at(w, RIGHT_LETTERS, EVERYWHERE)) ||
        (rc = read_cursor(w, in->cursor, &r.at, &r.no)) || (rc = ask(w, in, r.at, r.no, &q)) ||
        (rc = read_rows(w, in, &q, &r, out)) ||
        (!in->changed && !in->before && !is_without_clock(in) && !out->more &&
         (rc = read_standing(w, in, &r, out))))
        return rc;
    out->letters = (struct letter *)(void *)r.letters.p;
    snprintf(out->next, sizeof out->next, "%" PRId64 ".%" PRId64, r.at, r.no);
    return RC_OK;
}

enum rc letter_late(struct work *w, int64_t *n, int64_t *oldest)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_late, &q, "i", clock_now());

    if (!rc) {
        *n = rows_int(&q, 0);
        *oldest = rows_int(&q, 1);
    }
    return row_finish(&q, rc);
}
