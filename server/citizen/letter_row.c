/*
 * letter_row.c - rows of letters, written and read. What is sealed is opened here and nowhere else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/seal.h"
#include "server/citizen/letter.h"
#include "server/citizen/workday.h"
#include "server/library/row.h"

enum { COUNT_LETTERS, COUNT_TURNS };

/* ---- sealed ---- */

static enum rc unseal(struct work *w, const char *column, int64_t no, const struct rows *q,
                      int i, const char **out)
{
    size_t n, plain_n;
    const void *sealed = rows_blob(q, i, &n);
    char *plain;
    enum rc rc;

    *out = NULL;
    if (!sealed)
        return RC_OK;
    if (!(rc = seal_open(w, (struct seal_place){ column, no }, sealed, n, &plain, &plain_n)))
        *out = plain;
    return rc;
}

static enum rc close_text(struct work *w, const char *column, int64_t no, const char *text,
                          uint8_t **out, size_t *n)
{
    *out = NULL;
    *n = 0;
    return text ? seal_close(w, (struct seal_place){ column, no }, text, strlen(text), out, n)
                : RC_OK;
}

/* ---- read ---- */

enum rc letter_read(struct work *w, const struct rows *q, struct letter *l)
{
    enum rc rc;

    *l = (struct letter){ .no = rows_int(q, 0),
                          .account = rows_int(q, 2),
                          .number = rows_dup_text(w, q, 3),
                          .kind = letter_kind((enum letter_category)rows_int(q, 4)),
                          .unit = rows_int(q, 5),
                          .clerk = rows_int(q, 6),
                          .state = (enum letter_state)letter_state_parse(rows_text(q, 7)),
                          .hidden = rows_int(q, 8),
                          .public = rows_int(q, 9),
                          .complex = rows_int(q, 10),
                          .received = rows_int(q, 14),
                          .due = rows_int(q, 15),
                          .left_days = rows_int(q, 16),
                          .extended = rows_int(q, 17),
                          .asked = rows_int(q, 18),
                          .draft = rows_int(q, 19),
                          .reviewed = rows_int(q, 20),
                          .rating = rows_int(q, 21),
                          .turn = rows_int(q, 22),
                          .settled = rows_int(q, 23),
                          .origin = rows_dup_text(w, q, 24),
                          .complete_by = rows_int(q, 25) };
    if (!l->kind || (int)l->state < 0)
        return err_set(&w->err, RC_CORRUPT, "letter %" PRId64 " is of no kind or state", l->no);
    if ((rc = row_bytes(w, q, 1, l->id.b, sizeof l->id.b)) ||
        (rc = row_bytes(w, q, 11, l->hash, sizeof l->hash)) ||
        (rc = unseal(w, "letter.body", l->no, q, 12, &l->body)))
        return rc;
    return unseal(w, "letter.contact", l->no, q, 13, &l->contact);
}

static enum rc finish(struct work *w, struct rows *q, enum rc rc, struct letter *out)
{
    struct letter l;

    if (!rc)
        rc = letter_read(w, q, &l);
    if ((rc = row_finish(q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "没有这封信件");
    if (!rc)
        *out = l;
    return rc;
}

enum rc letter_by_id(struct work *w, const struct id *id, struct letter *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_by_id, &q, "b", id->b, sizeof id->b);

    return finish(w, &q, rc, out);
}

enum rc letter_find(struct work *w, const char *name, struct letter *out)
{
    struct rows q;
    struct id id;
    enum rc rc;

    if (id_parse(name, strlen(name), &id))
        return letter_by_id(w, &id, out);
    rc = db_one(w, SQL_letter_by_number, &q, "t", name);
    return finish(w, &q, rc, out);
}

enum rc letter_by_origin(struct work *w, const char *origin, struct letter *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_by_origin, &q, "t", origin);

    return finish(w, &q, rc, out);
}

static enum rc read_step(struct work *w, const struct letter *l, const struct rows *q,
                         bool words, struct letter_step *out)
{
    *out = (struct letter_step){ .no = rows_int(q, 0),
                                 .verb = rows_dup_text(w, q, 1),
                                 .state = rows_dup_text(w, q, 2),
                                 .actor = rows_dup_text(w, q, 3),
                                 .unit = rows_int(q, 4),
                                 .at = rows_int(q, 5) };
    return words ? unseal(w, "letter_step.text", l->no, q, 6, &out->text) : RC_OK;
}

enum rc letter_steps(struct work *w, const struct letter *l, struct letter_step **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    enum rc rc = RC_OK, read;
    struct rows q;

    if ((read = db_query(w, SQL_letter_step_all, &q, "i", l->no)))
        return read;
    while (!rc && rows_next(&q)) {
        struct letter_step s;

        if (!(rc = read_step(w, l, &q, true, &s)))
            rc = unseal(w, "letter_step.files", l->no, &q, 7, &s.files);
        buf_add(&list, &s, sizeof s);
    }
    if ((rc = row_finish(&q, rc)))
        return rc;
    *out = (struct letter_step *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}

enum rc letter_step_one(struct work *w, const struct letter *l, int64_t no,
                        struct letter_step *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_step_one, &q, "ii", l->no, no);

    if (!rc)
        rc = read_step(w, l, &q, true, out);
    return row_finish(&q, rc);
}

enum rc letter_step_last(struct work *w, const struct letter *l, enum letter_verb verb,
                         struct letter_step *out)
{
    const char *word = verb == LETTER_VERBS ? "" : letter_verbs[verb].word;
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_step_last, &q, "it", l->no, word);

    if (!rc)
        rc = read_step(w, l, &q, true, out);
    return row_finish(&q, rc);
}

/* Read from the newest on, and no further than that many. */
enum rc letter_steps_told(struct work *w, const struct letter *l,
                          struct letter_step out[LETTER_TOLD], int *n)
{
    enum rc rc, end;
    struct rows q;

    *n = 0;
    if ((rc = db_query(w, SQL_letter_step_newest, &q, "i", l->no)))
        return rc;
    while (!rc && *n < LETTER_TOLD && rows_next(&q)) {
        int verb = letter_verb_parse(rows_text(&q, 1));
        enum letter_tell told = verb < 0 ? LETTER_TELL_NOT : letter_verbs[verb].told;

        if (told != LETTER_TELL_NOT)
            rc = read_step(w, l, &q, told == LETTER_TELL_WORDS, &out[(*n)++]);
    }
    end = rows_done(&q);
    return rc ? rc : end;
}

/* ---- written ---- */

static enum rc next(struct work *w, int64_t category, int64_t year, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_count_next, &q, "ii", category, year);

    if (!rc)
        *out = rows_int(&q, 0);
    return row_finish(&q, rc);
}

/* "JB2026-000123" */
static enum rc give_number(struct work *w, struct letter *l)
{
    char day[CLOCK_TEXT];
    int64_t year, serial;
    enum rc rc;

    year = strtol(clock_day(l->received, day), NULL, 10);
    if ((rc = next(w, l->kind->category, year, &serial)))
        return rc;
    l->number = arena_printf(w->mem, "%s%" PRId64 "-%06" PRId64, l->kind->prefix, year, serial);
    return RC_OK;
}

enum rc letter_insert(struct work *w, struct letter *l)
{
    uint8_t *body, *contact;
    size_t body_n, contact_n;
    enum rc rc;

    if ((!l->no && ((rc = next(w, 0, COUNT_LETTERS, &l->no)) || (rc = give_number(w, l)))) ||
        (rc = next(w, 0, COUNT_TURNS, &l->turn)) ||
        (rc = close_text(w, "letter.body", l->no, l->body, &body, &body_n)) ||
        (rc = close_text(w, "letter.contact", l->no, l->contact, &contact, &contact_n)))
        return rc;
    return db_run(w, SQL_letter_add, "ibitiitiibbbiiit", l->no, l->id.b, sizeof l->id.b,
                  l->account, l->number, (int64_t)l->kind->category, l->unit,
                  letter_states[l->state].word, (int64_t)l->hidden, (int64_t)l->public, l->hash,
                  sizeof l->hash, body, body_n, contact, contact_n, l->received, l->due,
                  l->turn, l->origin);
}

static enum rc given(struct work *w, int64_t category, int64_t year, int64_t *last)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_count_last, &q, "ii", category, year);

    if (!rc)
        *last = rows_int(&q, 0);
    return row_finish(&q, rc);
}

/* Nobody else has it. */
static enum rc is_free(struct work *w, int64_t no, const char *number, bool *yes)
{
    struct letter there;
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_name, &q, "i", no);

    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        rc = letter_find(w, number, &there);
    *yes = rc == RC_NOT_FOUND;
    return *yes ? RC_OK : rc;
}

enum rc letter_take_number(struct work *w, struct letter *l, int64_t no, const char *number)
{
    int64_t year, serial, last, last_serial;
    bool yes;
    enum rc rc;

    if (strncmp(number, l->kind->prefix, strlen(l->kind->prefix)) != 0 ||
        sscanf(number + strlen(l->kind->prefix), "%4" SCNd64 "-%15" SCNd64, &year, &serial) !=
            2)
        return RC_OK;
    if ((rc = given(w, 0, COUNT_LETTERS, &last)) ||
        (rc = given(w, l->kind->category, year, &last_serial)))
        return rc;
    if (no > last || serial > last_serial) /* it would be given once more */
        return RC_OK;
    if ((rc = is_free(w, no, number, &yes)) || !yes)
        return rc;
    l->no = no;
    l->number = number;
    return RC_OK;
}

static enum rc set_row(struct work *w, const struct letter *l)
{
    return db_change(w, SQL_letter_set, "iiitiiiiiiiiiii", l->no, l->unit, l->clerk,
                     letter_states[l->state].word, (int64_t)l->complex, l->due, l->left_days,
                     l->extended, l->asked, l->draft, (int64_t)l->reviewed, l->rating, l->turn,
                     l->settled, l->complete_by);
}

static enum rc add_step(struct work *w, const struct letter *l, const struct letter_act *act,
                        int64_t *step)
{
    uint8_t *text, *files;
    size_t n, files_n;
    struct rows q;
    enum rc rc;

    if ((rc = close_text(w, "letter_step.text", l->no, act->text, &text, &n)) ||
        (rc = close_text(w, "letter_step.files", l->no, act->files, &files, &files_n)))
        return rc;
    rc = db_one(w, SQL_letter_step_add, &q, "ibtttiibb", l->no, act->id ? act->id->b : NULL,
                act->id ? sizeof act->id->b : (size_t)0, letter_verbs[act->verb].word,
                letter_states[l->state].word, act->actor, l->unit,
                act->at ? act->at : clock_now(), text, n, files, files_n);
    if (!rc && step)
        *step = rows_int(&q, 0);
    return row_finish(&q, rc);
}

enum rc letter_write(struct work *w, struct letter *l, const struct letter_act *act,
                     int64_t *step)
{
    int64_t no;
    enum rc rc;

    if ((rc = add_step(w, l, act, &no)))
        return rc;
    if (act->verb == LETTER_DO_DRAFT) {
        l->draft = no;
        l->reviewed = false;
    }
    if (step)
        *step = no;
    if ((rc = next(w, 0, COUNT_TURNS, &l->turn)))
        return rc;
    return set_row(w, l);
}

/* ---- moved ---- */

enum rc letter_move(struct work *w, struct letter *l, enum letter_verb verb, const char *text)
{
    const struct letter_verb_row *v = &letter_verbs[verb];

    if (!(v->from & 1u << l->state))
        return err_set(&w->err, RC_CONFLICT, "信件%s，不能%s", letter_states[l->state].chinese,
                       v->chinese);
    if (v->text == LETTER_TEXT_MUST && !text)
        return err_field(&w->err, "/text", "%s要写明内容或理由", v->chinese);
    if (v->text == LETTER_TEXT_NO && text)
        return err_field(&w->err, "/text", "%s不带文字", v->chinese);
    if (v->to >= 0)
        l->state = (enum letter_state)v->to;
    return RC_OK;
}

bool letter_is_late(const struct letter *l)
{
    return l->due && clock_now() >= l->due;
}

void letter_pause(struct letter *l)
{
    if (!l->due || letter_is_late(l))
        return;
    l->left_days = workday_between(workday_of(clock_now()), workday_of(l->due - 1));
    l->due = 0;
}

void letter_resume(struct letter *l)
{
    l->complete_by = 0;
    if (l->due)
        return;
    l->due = workday_deadline(clock_now(), (int)l->left_days);
    l->left_days = 0;
}

enum { WAS_LATE = -1 /* left_days of one that was late when third parties were asked */ };

void letter_consult(struct letter *l, int within)
{
    bool late = letter_is_late(l);

    letter_pause(l);
    if (late)
        l->left_days = WAS_LATE;
    else if (within)
        l->due = workday_deadline(clock_now(), within);
}

void letter_consulted(struct letter *l)
{
    if (l->left_days != WAS_LATE)
        l->due = 0; /* it was the third parties' */
    else
        l->left_days = 0;
    letter_resume(l);
}
