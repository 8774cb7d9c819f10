/*
 * survey_adopt.c - answers of a guest, who turns out to be somebody: they become his, and of two to one survey one stays.
 *
 *     guest signs in        his answers --> the account's; where it has one, the guest's goes, and out of the counts
 *     same UUID again       the guest before him is the same phone: what he answered --> this account's
 */
#include "server/citizen/survey_row.h"

#include <string.h>

#include "server/base/jx.h"
#include "server/citizen/survey.h"
#include "server/identity/account.h"
#include "server/library/row.h"

struct kept {
    int64_t no;
    const void *sealed, *survey;
    size_t sealed_n, survey_n;
    const char *chosen;
    bool second; /* the account has answered that survey itself */
};

static enum rc give(struct work *w, int64_t from, int64_t to, const struct kept *k)
{
    uint8_t *sealed = NULL;
    char *text;
    size_t n = 0;
    enum rc rc;

    if (k->sealed &&
        ((rc = seal_open(w, survey_seal_place(from), k->sealed, k->sealed_n, &text, &n)) ||
         (rc = seal_close(w, survey_seal_place(to), text, n, &sealed, &n))))
        return rc;
    return db_run(w, SQL_survey_answer_adopt, "iib", k->no, to, sealed, n);
}

/* ---- one of two goes ---- */

static enum rc uncount(struct work *w, const struct kept *k, size_t question, int64_t choice)
{
    return db_run(w, SQL_survey_count_take, "bii", k->survey, k->survey_n, (int64_t)question,
                  choice);
}

/* As survey.c counted it: a choice, several of them, or that something was written. */
static enum rc uncount_one(struct work *w, const struct kept *k, size_t i, const json_t *chosen,
                           const json_t *text)
{
    enum rc rc = RC_OK;

    if (json_is_string(text))
        return uncount(w, k, i, 0);
    if (json_is_integer(chosen))
        return uncount(w, k, i, json_integer_value(chosen));
    for (size_t c = 0; c < json_array_size(chosen) && !rc; c++)
        rc = uncount(w, k, i, json_integer_value(json_array_get(chosen, c)));
    return rc;
}

static enum rc read_list(struct work *w, const char *text, const json_t **out)
{
    json_t *o;
    const char *whole = arena_printf(w->mem, "{\"a\":%s}", text);
    enum rc rc = jx_object(&w->err, w->mem, whole, strlen(whole), &o);

    if (!rc)
        *out = json_object_get(o, "a");
    return rc;
}

static enum rc drop(struct work *w, int64_t from, const struct kept *k)
{
    const json_t *chosen, *written = NULL;
    char *text;
    size_t n;
    enum rc rc;

    if ((rc = read_list(w, k->chosen, &chosen)) ||
        (k->sealed &&
         ((rc = seal_open(w, survey_seal_place(from), k->sealed, k->sealed_n, &text, &n)) ||
          (rc = read_list(w, text, &written)))) ||
        (rc = db_run(w, SQL_survey_count_take, "bii", k->survey, k->survey_n,
                     (int64_t)SURVEY_WHOLE, (int64_t)0)))
        return rc;
    for (size_t i = 0; i < json_array_size(chosen) && !rc; i++)
        rc = uncount_one(w, k, i, json_array_get(chosen, i), json_array_get(written, i));
    return rc ? rc : db_run(w, SQL_survey_answer_drop, "i", k->no);
}

enum rc survey_adopt(struct work *w, int64_t guest, int64_t account)
{
    struct buf list = BUF_IN(w->mem);
    const struct kept *k;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_survey_answers_to_adopt, &q, "ii", guest, account)))
        return rc;
    while (rows_next(&q)) {
        struct kept one = { .no = rows_int(&q, 0), .second = rows_int(&q, 4) };

        one.sealed = rows_dup_blob(w, &q, 1, &one.sealed_n);
        one.survey = rows_dup_blob(w, &q, 2, &one.survey_n);
        one.chosen = rows_dup_text(w, &q, 3);
        buf_add(&list, &one, sizeof one);
    }
    rc = rows_done(&q);
    k = (const struct kept *)(const void *)list.p;
    for (size_t i = 0; i < list.n / sizeof *k && !rc; i++)
        rc = k[i].second ? drop(w, guest, &k[i]) : give(w, guest, account, &k[i]);
    return rc;
}

/* ---- the same UUID ---- */

static enum rc find(struct work *w, const struct survey *s, const struct id *id, int64_t *owner,
                    struct kept *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_survey_answer_by_id, &q, "bb", s->item.id.b, sizeof s->item.id.b,
                        id->b, sizeof id->b);

    if (!rc) {
        *out = (struct kept){ .no = rows_int(&q, 0) };
        *owner = rows_int(&q, 1);
        out->sealed = rows_dup_blob(w, &q, 2, &out->sealed_n);
    }
    return row_finish(&q, rc);
}

enum rc survey_find_sent(struct work *w, const struct survey *s,
                         const struct survey_sender *from, bool *found)
{
    struct account owner;
    struct kept k;
    int64_t before;
    enum rc rc = find(w, s, &from->id, &before, &k);

    *found = !rc;
    if (rc || !from->account || !before)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if ((rc = account_by_id(w, before, &owner)))
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    return owner.kind == ACCOUNT_GUEST ? give(w, before, from->account, &k) : RC_OK;
}
