/*
 * survey_result.c - counts out of survey_count, answers out of survey_answer, and two ways back into the library.
 *
 * Who answered is told to nobody: a row is a number, a time and what was said.
 */
#include "server/citizen/survey_result.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/citizen/survey_row.h"
#include "server/library/item_row.h"
#include "server/library/publish.h"
#include "server/store/db.h"

static enum rc need(struct work *w, const struct survey *s)
{
    return work_need_at(w, ITEM_DRAFT_RIGHTS, s->item.site);
}

/* ---- counts ---- */

static void take_count(const struct survey *s, const struct rows *q, struct survey_result *r)
{
    int64_t question = rows_int(q, 0), choice = rows_int(q, 1);

    if (question == SURVEY_WHOLE)
        r->answers = rows_int(q, 2);
    else if (question < s->n && choice >= 0 && choice <= QUESTION_CHOICES_MAX)
        r->tallies[question].n[choice] = rows_int(q, 2);
}

enum rc survey_result(struct work *w, const struct survey *s, struct survey_result *out)
{
    struct survey_result r = { 0 };
    struct rows q;
    enum rc rc;

    if ((rc = need(w, s)) ||
        (rc = db_query(w, SQL_survey_counts, &q, "b", s->item.id.b, sizeof s->item.id.b)))
        return rc;
    r.tallies = arena_zalloc(w->mem, (size_t)s->n * sizeof *r.tallies);
    while (rows_next(&q))
        take_count(s, &q, &r);
    *out = r;
    return rows_done(&q);
}

/* ---- answers ---- */

static enum rc read_row(struct work *w, const struct rows *q, struct survey_row *out)
{
    const void *sealed;
    char *text;
    size_t n;
    enum rc rc;

    *out = (struct survey_row){ .no = rows_int(q, 0),
                                .at = rows_int(q, 2),
                                .chosen = rows_dup_text(w, q, 3) };
    if (!(sealed = rows_blob(q, 4, &n)))
        return RC_OK;
    if ((rc = seal_open(w, survey_seal_place(rows_int(q, 1)), sealed, n, &text, &n)))
        return rc;
    out->texts = text;
    return RC_OK;
}

enum rc survey_rows(struct work *w, const struct survey *s, int64_t after, int most,
                    struct survey_row **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct rows q;
    enum rc rc, end;

    if ((rc = need(w, s)) || (rc = db_query(w, SQL_survey_answers, &q, "bii", s->item.id.b,
                                            sizeof s->item.id.b, after, (int64_t)most)))
        return rc;
    while (!rc && rows_next(&q)) {
        struct survey_row r;

        if (!(rc = read_row(w, &q, &r)))
            buf_add(&list, &r, sizeof r);
    }
    end = rows_done(&q);
    *out = (struct survey_row *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return rc ? rc : end;
}

/* Arrays that we wrote ourselves. */
static const json_t *element(struct work *w, const char *array, int i)
{
    struct err ignored;
    json_t *o;

    if (!array || jx_object(&ignored, w->mem, arena_printf(w->mem, "{\"a\":%s}", array),
                            strlen(array) + strlen("{\"a\":}"), &o))
        return NULL;
    return json_array_get(json_object_get(o, "a"), (size_t)i);
}

const char *survey_words(struct work *w, const struct survey *s, const struct survey_row *r,
                         int i)
{
    const struct question *q = &s->questions[i];
    const json_t *v = element(w, q->kind == QUESTION_TEXT ? r->texts : r->chosen, i);
    struct buf b = BUF_IN(w->mem);

    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_integer(v) && q->kind == QUESTION_RATING)
        return arena_printf(w->mem, "%" PRId64, (int64_t)json_integer_value(v));
    if (json_is_integer(v) && json_integer_value(v) < q->n)
        return q->choices[json_integer_value(v)];
    for (size_t k = 0; k < json_array_size(v); k++) {
        int64_t choice = json_integer_value(json_array_get(v, k));

        buf_adds(&b, k ? "、" : "");
        buf_adds(&b, choice < q->n ? q->choices[choice] : "");
    }
    return b.n ? b.p : "";
}

/* ---- told to the public ---- */

static void put_share(struct buf *b, const char *name, int64_t n, int64_t of)
{
    int64_t per_mille = of ? (n * 1000 + of / 2) / of : 0;

    buf_printf(b, "- %s：%" PRId64 " 份（%" PRId64 ".%" PRId64 "%%）\n", name, n,
               per_mille / 10, per_mille % 10);
}

static void put_rating(struct buf *b, const struct question *q, const struct survey_tally *t,
                       int64_t answers, struct work *w)
{
    int64_t n = 0, sum = 0;

    for (int i = 1; i <= q->n; i++) {
        n += t->n[i];
        sum += t->n[i] * i;
        put_share(b, arena_printf(w->mem, "%d 分", i), t->n[i], answers);
    }
    if (n)
        buf_printf(b, "\n平均 %" PRId64 ".%" PRId64 " 分（满分 %d 分）。\n", sum * 10 / n / 10,
                   sum * 10 / n % 10, q->n);
}

static void put_question(struct work *w, struct buf *b, const struct survey *s, int i,
                         const struct survey_result *r)
{
    const struct question *q = &s->questions[i];
    const struct survey_tally *t = &r->tallies[i];

    buf_printf(b, "\n## %d. %s\n\n", i + 1, q->title);
    if (q->kind == QUESTION_TEXT)
        buf_printf(b, "收到 %" PRId64 " 条文字意见。\n", t->n[0]);
    else if (q->kind == QUESTION_RATING)
        put_rating(b, q, t, r->answers, w);
    else
        for (int k = 0; k < q->n; k++)
            put_share(b, q->choices[k], t->n[k], r->answers);
}

static const char *body_of(struct work *w, const struct survey *s,
                           const struct survey_result *r)
{
    struct buf b = BUF_IN(w->mem);
    char day[CLOCK_TEXT];

    buf_printf(&b, "截至 %s，共收到 %" PRId64 " 份答卷。\n", clock_day(clock_now(), day),
               r->answers);
    for (int i = 0; i < s->n; i++)
        put_question(w, &b, s, i, r);
    return b.p;
}

enum { TITLE_ROOM = 180 }; /* characters of the survey's own title, in one of at most 200 */

static const char *title_of(struct work *w, const struct survey *s)
{
    size_t n = 0, chars = 0;

    for (; s->title[n]; n++)
        if ((s->title[n] & 0xc0) != 0x80 && ++chars > TITLE_ROOM)
            break;
    return arena_printf(w->mem, "“%.*s”结果", (int)n, s->title);
}

enum rc survey_draft(struct work *w, const struct survey *s, struct item *out)
{
    struct buf text = BUF_IN(w->mem);
    struct survey_result r;
    struct content content;
    char id[ID_TEXT];
    enum rc rc;

    if ((rc = survey_result(w, s, &r)))
        return rc;
    buf_addc(&text, '{');
    jx_put_text(&text, "body", body_of(w, s, &r));
    jx_put_text(&text, "kind", "article");
    buf_printf(&text, ",\"related\":[\"%s\"]", id_text(&s->item.id, id));
    jx_put_text(&text, "title", title_of(w, s));
    buf_addc(&text, '}');
    if ((rc = content_parse(&w->err, w->mem, text.p, text.n, &content)))
        return rc;
    return item_create(
        w, &(struct item_new){ .site = s->item.site, .col = s->item.col, .content = &content },
        out);
}

/* ---- ended ---- */

static enum rc ended_content(struct work *w, const struct survey *s, struct content *out)
{
    struct buf text = BUF_IN(w->mem), changed = BUF_IN(w->mem);
    struct content live;
    char now[CLOCK_TEXT];
    json_t *o;
    enum rc rc;

    if ((rc = revision_content(w, &s->item, s->item.live_rev, &live)))
        return rc;
    content_write(&live, &text);
    if ((rc = jx_object(&w->err, w->mem, text.p, text.n, &o)))
        return rc;
    json_object_set_new(o, "closes", json_string(clock_text(clock_now(), now)));
    jx_canonical(&changed, o);
    return content_parse(&w->err, w->mem, changed.p, changed.n, out);
}

/* No text changes, so nobody reviews it: who may take it back altogether may end it. */
static enum rc publish_at_once(struct work *w, const struct survey *s, const struct content *c,
                               struct item *out)
{
    enum rc rc;

    if ((rc = item_edit(w, &s->item.id, s->item.rev, c, "minor", "提前结束", out)))
        return rc;
    return publish_formal(w, &out->id, out->rev, out);
}

enum rc survey_close(struct work *w, const struct survey *s, struct item *out)
{
    struct actor self = w->who;
    struct content content;
    enum rc rc;

    if ((rc = work_need_at(w, RIGHT_PUBLISH, s->item.site)))
        return rc;
    if (survey_state(s, clock_now()) == SURVEY_CLOSED)
        return err_set(&w->err, RC_CONFLICT, "this survey is over already");
    if (s->item.rev != s->item.live_rev)
        return err_set(&w->err, RC_CONFLICT,
                       "somebody is editing this survey: finish that first");
    if ((rc = ended_content(w, s, &content)))
        return rc;
    w->who.rights |= RIGHT_EDIT | RIGHT_IMPORT | RIGHT_PUBLISH;
    rc = publish_at_once(w, s, &content, out);
    w->who = self;
    return rc;
}
