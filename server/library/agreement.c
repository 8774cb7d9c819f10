/*
 * agreement.c - see the header.
 */
#include "server/library/agreement.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/library/field.h"
#include "server/library/row.h"

static const char *const words[] = {
    [ACCEPTS_NONE] = "none", [ACCEPTS_SUBMIT] = "submit", [ACCEPTS_PUBLISH] = "publish"
};

enum { WORDS = sizeof words / sizeof *words };

const char *accepts_name(enum accepts a)
{
    return words[a];
}

/* What is no word of ours accepts nothing. */
static enum accepts accepts_parse(const char *name)
{
    for (int i = 0; name && i < WORDS; i++)
        if (!strcmp(words[i], name))
            return (enum accepts)i;
    return ACCEPTS_NONE;
}

static void take(struct work *w, const struct rows *q, struct agreement *out)
{
    *out = (struct agreement){ .source = rows_dup_text(w, q, 0),
                               .accepts = accepts_parse(rows_text(q, 1)),
                               .basis = rows_dup_text(w, q, 2),
                               .ends = rows_int(q, 3),
                               .at = rows_int(q, 4) };
}

enum rc agreement_list(struct work *w, int64_t site, struct agreement **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct agreement a;
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_agreement_of_site, &q, "i", site)))
        return rc;
    while (rows_next(&q)) {
        take(w, &q, &a);
        buf_add(&list, &a, sizeof a);
    }
    *out = (struct agreement *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rows_done(&q);
}

enum rc agreement_holds(struct work *w, int64_t site, const char *source, enum accepts *out)
{
    struct agreement a = { 0 };
    struct rows q;
    enum rc rc = db_one(w, SQL_agreement_one, &q, "it", site, source);

    if (!rc)
        take(w, &q, &a);
    rc = row_finish(&q, rc);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    *out = rc || (a.ends && a.ends <= clock_now()) ? ACCEPTS_NONE : a.accepts;
    return RC_OK;
}

static enum rc check(struct work *w, const char *source, const char *accepts, const char *basis,
                     int64_t ends)
{
    if (w->who.party)
        return err_set(&w->err, RC_FORBIDDEN, "an agreement is recorded by a person");
    if (strncmp(source, "party:", strlen("party:")) &&
        strncmp(source, "source:", strlen("source:")))
        return err_field(&w->err, "source",
                         "a source is named as in its submissions: party:ID, or source:ID");
    if (strcmp(accepts, words[accepts_parse(accepts)]))
        return err_field(&w->err, "/accepts", "a site accepts none, submit or publish");
    if (accepts_parse(accepts) == ACCEPTS_NONE)
        return RC_OK;
    if (ends && ends <= clock_now())
        return err_field(&w->err, "/until", "that day is over");
    return field_need_line(&w->err, "/basis", basis, AGREEMENT_BASIS_MAX);
}

enum rc agreement_set(struct work *w, int64_t site, const char *source, const char *accepts,
                      const char *basis, int64_t ends)
{
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_SECURE, EVERYWHERE)) ||
        (rc = check(w, source, accepts, basis, ends)))
        return rc;
    if (accepts_parse(accepts) == ACCEPTS_NONE)
        return db_run(w, SQL_agreement_drop, "it", site, source);
    return db_run(w, SQL_agreement_put, "itttii", site, source, accepts, basis, ends,
                  clock_now());
}
