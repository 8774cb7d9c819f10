/*
 * surveys.c - views of surveys, their results, and votes.
 *
 * Creating, reviewing, publishing and withdrawing a survey is /v1/items: it is an item of kind `survey`.
 */
#include "api/surveys.h"

#include <inttypes.h>
#include <string.h>

#include "api/staff.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/csv.h"
#include "server/base/jx.h"
#include "server/citizen/survey_result.h"
#include "server/citizen/vote.h"

enum { ROWS_USUAL = 200, VOTES_USUAL = 100, CURSOR_MAX = 20 };

const struct param survey_answers_params[] = {
    { "id", P_ID, 0, 0, "问卷的编号（UUID）" },
    { "after", P_INT, 0, INT64_MAX, "只要这个序号之后的；默认从头" },
    { "n", P_INT, 1, SURVEY_PAGE_MAX, "最多多少份，默认 200" },
    { 0 },
};
const struct param vote_params[] = {
    { "item", P_ID, 0, 0, "只要这一条内容的" },
    { "n", P_INT, 1, VOTE_PAGE_MAX, "最多多少条，默认 100" },
    { 0 },
};

static enum rc find(struct work *w, const struct request *rq, struct survey *out)
{
    return survey_find(w, &request_arg(rq, "id")->id, out);
}

/* ---- what is asked ---- */

static void put_survey(struct buf *b, const struct survey *s)
{
    char id[ID_TEXT];

    buf_adds(b, b->n && b->p[b->n - 1] == '}' ? ",{" : "{");
    jx_put_text(b, "audience", survey_audience_chinese(s->audience));
    view_time(b, "closes", s->closes);
    jx_put_text(b, "id", id_text(&s->item.id, id));
    view_time(b, "opens", s->opens);
    jx_key(b, "questions");
    jx_canonical(b, s->list);
    jx_put_text(b, "summary", s->summary);
    jx_put_text(b, "title", s->title);
}

enum rc get_surveys(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct survey *list;
    enum rc rc;
    int n;

    (void)rq;
    if ((rc = survey_list(w, &list, &n)))
        return rc;
    view_list_open(&b, "surveys");
    for (int i = 0; i < n; i++) {
        put_survey(&b, &list[i]);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

enum rc get_survey(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct survey s;
    enum rc rc;

    if ((rc = find(w, rq, &s)))
        return rc;
    put_survey(&b, &s);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}

/* ---- what came back ---- */

static void put_tally(struct buf *b, const struct question *q, const struct survey_tally *t)
{
    int from = q->kind == QUESTION_RATING ? 1 : 0,
        to = q->kind == QUESTION_TEXT ? 1 : q->n + (q->kind == QUESTION_RATING);

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_key(b, "counts");
    buf_addc(b, '[');
    for (int i = from; i < to; i++)
        buf_printf(b, "%s%" PRId64, i > from ? "," : "", t->n[i]);
    buf_addc(b, ']');
    jx_put_text(b, "kind", question_kind_name(q->kind));
    jx_put_text(b, "title", q->title);
    buf_addc(b, '}');
}

enum rc get_survey_result(struct work *w, const struct request *rq, struct reply *rp)
{
    static const char *const states[] = {
        [SURVEY_EARLY] = "early", [SURVEY_OPEN] = "open", [SURVEY_CLOSED] = "closed"
    };
    struct buf b = BUF_IN(w->mem);
    struct survey_result r;
    struct survey s;
    enum rc rc;

    if ((rc = find(w, rq, &s)) || (rc = survey_result(w, &s, &r)))
        return rc;
    buf_addc(&b, '{');
    jx_put_int(&b, "answers", r.answers);
    jx_key(&b, "questions");
    buf_addc(&b, '[');
    for (int i = 0; i < s.n; i++)
        put_tally(&b, &s.questions[i], &r.tallies[i]);
    buf_addc(&b, ']');
    jx_put_text(&b, "state", states[survey_state(&s, clock_now())]);
    jx_put_text(&b, "title", s.title);
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc find_rows(struct work *w, const struct request *rq, struct survey *s,
                         struct survey_row **rows, int *n)
{
    enum rc rc;

    if ((rc = find(w, rq, s)))
        return rc;
    return survey_rows(w, s, request_int(rq, "after", 0), (int)request_int(rq, "n", ROWS_USUAL),
                       rows, n);
}

/* A line an answer. */
enum rc get_survey_answers(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct survey_row *rows;
    struct survey s;
    enum rc rc;
    int n;

    if ((rc = find_rows(w, rq, &s, &rows, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        buf_addc(&b, '{');
        view_time(&b, "at", rows[i].at);
        jx_key(&b, "chosen");
        buf_adds(&b, rows[i].chosen);
        jx_put_int(&b, "no", rows[i].no);
        if (rows[i].texts) {
            jx_key(&b, "texts");
            buf_adds(&b, rows[i].texts);
        }
        buf_adds(&b, "}\n");
    }
    reply_body(rp, TYPE_NDJSON, b.n ? b.p : "", b.n);
    return RC_OK;
}

enum rc get_survey_csv(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct survey_row *rows;
    char at[CLOCK_TEXT];
    struct survey s;
    enum rc rc;
    int n;

    if ((rc = find_rows(w, rq, &s, &rows, &n)))
        return rc;
    csv_begin(&b);
    csv_text(&b, "序号");
    csv_text(&b, "时间");
    for (int i = 0; i < s.n; i++)
        csv_text(&b, s.questions[i].title);
    csv_end(&b);
    for (int k = 0; k < n; k++) {
        csv_int(&b, rows[k].no);
        csv_text(&b, clock_minute(rows[k].at, at));
        for (int i = 0; i < s.n; i++)
            csv_text(&b, survey_words(w, &s, &rows[k], i));
        csv_end(&b);
    }
    reply_buf(rp, TYPE_CSV, &b);
    reply_header(rp, "content-disposition", "attachment; filename=\"answers.csv\"");
    return RC_OK;
}

/* ---- back into the library ---- */

enum rc post_survey_close(struct work *w, const struct request *rq, struct reply *rp)
{
    struct survey s;
    struct item item;
    enum rc rc;

    if ((rc = find(w, rq, &s)) || (rc = survey_close(w, &s, &item)))
        return rc;
    return staff_reply(w, &item, rp);
}

enum rc post_survey_draft(struct work *w, const struct request *rq, struct reply *rp)
{
    char id[ID_TEXT];
    struct survey s;
    struct item item;
    enum rc rc;

    if ((rc = find(w, rq, &s)) || (rc = survey_draft(w, &s, &item)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/drafts/%s", id_text(&item.id, id)));
    return staff_reply(w, &item, rp);
}

/* ---- votes ---- */

enum rc get_votes(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct arg *item = request_arg(rq, "item");
    struct buf b = BUF_IN(w->mem);
    struct vote *list;
    enum rc rc;
    int n;

    if ((rc = vote_list(w, item->set ? &item->id : NULL, (int)request_int(rq, "n", VOTES_USUAL),
                        &list, &n)))
        return rc;
    view_list_open(&b, "votes");
    for (int i = 0; i < n; i++) {
        buf_adds(&b, i ? ",{" : "{");
        jx_put_text(&b, "item", list[i].item);
        jx_put_text(&b, "title", list[i].title);
        jx_put_int(&b, "useful", list[i].useful);
        jx_put_int(&b, "useless", list[i].useless);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}
