/*
 * source.c - rows.
 */
#include "server/source/source.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/library/agreement.h"
#include "server/library/column.h"
#include "server/library/item.h"
#include "server/library/row.h"

static const char *const kinds[] = {
    [SOURCE_FEED] = "feed", [SOURCE_RECORDS] = "records", [SOURCE_PAGES] = "pages"
};

const char *source_kind_name(enum source_kind k)
{
    return kinds[k];
}

int source_kind_parse(const char *name)
{
    for (int i = 0; i < SOURCE_KINDS; i++)
        if (!strcmp(kinds[i], name))
            return i;
    return -1;
}

static enum rc take(struct work *w, const struct rows *q, struct source *out)
{
    int kind = source_kind_parse(rows_text(q, 4) ? rows_text(q, 4) : "");

    if (kind < 0)
        return err_set(&w->err, RC_CORRUPT, "a source has an unknown kind");
    *out = (struct source){ .no = rows_int(q, 0),
                            .id = rows_dup_text(w, q, 1),
                            .site = rows_int(q, 2),
                            .column = rows_dup_text(w, q, 3),
                            .kind = (enum source_kind)kind,
                            .url = rows_dup_text(w, q, 5),
                            .period = rows_int(q, 6),
                            .created = rows_int(q, 7),
                            .asked = rows_int(q, 8),
                            .again = rows_int(q, 9),
                            .failures = rows_int(q, 10),
                            .etag = rows_dup_text(w, q, 11),
                            .modified = rows_dup_text(w, q, 12),
                            .said = rows_dup_text(w, q, 13),
                            .faults = rows_dup_text(w, q, 14),
                            .taken = rows_int(q, 15) };
    return RC_OK;
}

static enum rc one(struct work *w, struct rows *q, enum rc rc, struct source *out)
{
    if (!rc)
        rc = take(w, q, out);
    rc = row_finish(q, rc);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "there is no such source") : rc;
}

static bool may_see(const struct work *w, const struct source *s)
{
    return actor_has_at(&w->who, ITEM_DRAFT_RIGHTS, s->site);
}

enum rc source_find(struct work *w, const char *id, struct source *out)
{
    struct source s;
    struct rows q;
    enum rc rc = db_one(w, SQL_source_by_id, &q, "t", id);

    if ((rc = one(w, &q, rc, &s)))
        return rc;
    if (!may_see(w, &s))
        return err_set(&w->err, RC_NOT_FOUND, "there is no such source");
    *out = s;
    return RC_OK;
}

enum rc source_list(struct work *w, struct source **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct source s;
    struct rows q;
    enum rc rc = db_query(w, SQL_source_list, &q, "");

    if (rc)
        return rc;
    while (!rc && rows_next(&q))
        if (!(rc = take(w, &q, &s)) && may_see(w, &s))
            buf_add(&list, &s, sizeof s);
    *out = (struct source *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return row_finish(&q, rc);
}

enum rc source_next(struct work *w, struct source *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_source_next, &q, "i", clock_now());

    return one(w, &q, rc, out);
}

enum rc source_stands(struct work *w, const struct source *s)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_source_by_id, &q, "t", s->id);
    bool same = !rc && rows_int(&q, 0) == s->no;

    rc = row_finish(&q, rc);
    return rc || same ? rc : err_set(&w->err, RC_NOT_FOUND, "it is another source now");
}

/* ---- changes ---- */

static enum rc need(struct work *w, int64_t site)
{
    enum rc rc = work_need_at(w, RIGHT_EDIT, site);

    return rc ? rc : work_need_at(w, RIGHT_IMPORT, site);
}

static bool is_id(const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    return *id && *id != '-' && strlen(id) <= SOURCE_ID_MAX &&
           strspn(id, letters) == strlen(id);
}

static enum rc check(struct work *w, const struct source *in)
{
    struct column column;
    struct source *all;
    enum rc rc;
    int n;

    if (!is_id(in->id))
        return err_field(&w->err, "/id",
                         "an id is small letters, digits and hyphens, at most %d",
                         SOURCE_ID_MAX);
    if ((strncmp(in->url, "https://", 8) && strncmp(in->url, "http://", 7)) ||
        strlen(in->url) > SOURCE_URL_MAX || strpbrk(in->url, " \t\r\n"))
        return err_field(&w->err, "/url", "a source has an http or https address");
    if (in->period < SOURCE_PERIOD_MIN || in->period > SOURCE_PERIOD_MAX)
        return err_field(&w->err, "/minutes", "a source is asked every %d minutes to 7 days",
                         SOURCE_PERIOD_MIN / 60);
    if ((rc = column_path_check(&w->err, in->column)) ||
        (rc = column_at(w, in->site, in->column, false, &column)) ||
        (rc = source_list(w, &all, &n)))
        return rc;
    return n < SOURCES_MAX ? RC_OK : err_set(&w->err, RC_CONFLICT, "there are %d sources", n);
}

/* An agreement is with whoever publishes at the address that was looked at: none waits for what an editor names so next. */
static enum rc check_name(struct work *w, const struct source *in)
{
    enum accepts accepts;
    enum rc rc =
        agreement_holds(w, in->site, arena_printf(w->mem, "source:%s", in->id), &accepts);

    if (rc || accepts == ACCEPTS_NONE || actor_has(&w->who, RIGHT_SECURE))
        return rc;
    return err_set(&w->err, RC_CONFLICT,
                   "there is an agreement with source:%.40s on record: it is taken back first",
                   in->id);
}

enum rc source_add(struct work *w, struct source *in)
{
    struct rows q;
    enum rc rc;

    if ((rc = need(w, in->site)) || (rc = check(w, in)) || (rc = check_name(w, in)))
        return rc;
    in->created = in->again = clock_now();
    in->faults = "[]";
    rc = db_one(w, SQL_source_add, &q, "titttii", in->id, in->site, in->column, kinds[in->kind],
                in->url, in->period, in->created);
    if (!rc)
        in->no = rows_int(&q, 0);
    rc = row_finish(&q, rc);
    return rc == RC_CONFLICT
               ? err_set(&w->err, rc, "there is a source \"%.40s\" already", in->id)
               : rc;
}

enum rc source_remove(struct work *w, const char *id)
{
    struct source s;
    enum rc rc;

    if ((rc = source_find(w, id, &s)) || (rc = need(w, s.site)) ||
        (rc = db_run(w, SQL_agreement_drop, "it", s.site,
                     arena_printf(w->mem, "source:%s", id))))
        return rc;
    return db_change(w, SQL_source_drop, "i", s.no);
}

enum rc source_ask_now(struct work *w, const char *id)
{
    struct source s;
    enum rc rc;

    if ((rc = source_find(w, id, &s)) || (rc = need(w, s.site)))
        return rc;
    return db_change(w, SQL_source_ask, "ii", s.no, clock_now());
}

/* The period, doubled with each failure; never longer than a day if it was not. */
static int64_t rest_of(const struct source *s, int64_t failures)
{
    int64_t rest = s->period;

    while (--failures > 0 && rest < SOURCE_REST_MAX)
        rest *= 2;
    return rest > SOURCE_REST_MAX && s->period < SOURCE_REST_MAX ? SOURCE_REST_MAX : rest;
}

enum rc source_note(struct work *w, const struct source *s, const char *said, const char *etag,
                    const char *modified, const char *faults, int64_t taken)
{
    int64_t now = clock_now(), failures = said ? s->failures + 1 : 0;

    return db_run(w, SQL_source_note, "iiiitttti", s->no, now, now + rest_of(s, failures),
                  failures, etag, modified, said, faults ? faults : s->faults, taken);
}
