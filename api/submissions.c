/*
 * submissions.c - one text in, an address out where its source sees what has become of it.
 *
 *     POST /v1/submissions --(worker: parsed, cleaned)--> (writer: taken) --> 201, Location: /v1/submissions/{id}
 *
 * The same text of the same id again: 200, and the first one's status.
 */
#include "api/submissions.h"

#include <inttypes.h>
#include <string.h>

#include "api/duplicates.h"
#include "api/instance.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/checkup.h"
#include "server/source/fetch.h"
#include "server/source/submission.h"

/* ---- shown ---- */

static void put_item(struct work *w, struct buf *b, const struct submission *s,
                     const struct submission_status *st)
{
    char id[ID_TEXT];
    struct buf url = BUF_IN(w->mem);

    if (!s->rev)
        return;
    jx_put_text(b, "item", id_text(&s->item, id));
    jx_put_text(b, "itemState", state_name(st->item.state));
    jx_put_int(b, "revision", s->rev);
    if (st->shown != SHOWN_PUBLISHED)
        return;
    instance_url(&url, arena_printf(w->mem, "/a/%s", id));
    jx_put_text(b, "url", url.p);
}

static enum rc put(struct work *w, struct buf *b, struct places *places,
                   const struct submission *s, const struct submission_status *st)
{
    const struct site *site;
    char id[ID_TEXT];
    enum rc rc;

    if ((rc = places_site(w, places, s->site, &site)))
        return rc;
    if (b->n && b->p[b->n - 1] == '}')
        buf_addc(b, ',');
    buf_addc(b, '{');
    jx_put_text(b, "field", s->field);
    jx_key(b, "files");
    buf_adds(b, s->files);
    jx_put_text(b, "id", id_text(&s->id, id));
    put_item(w, b, s, st);
    jx_put_text(b, "label", shown_label(st->shown));
    jx_put_text(b, "originId", s->origin_id);
    jx_put_text(b, "reason", st->reason);
    view_time(b, "received", s->received);
    jx_put_text(b, "site", site->code);
    jx_put_text(b, "source", s->source);
    jx_put_text(b, "state", shown_name(st->shown));
    jx_key(b, "verdicts");
    checkup_json(b, &st->verdicts);
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_one(struct work *w, const struct submission *s, struct reply *rp,
                         enum shown_state *shown)
{
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    struct submission_status status;
    enum rc rc;

    if ((rc = submission_look(w, s, &status)) || (rc = put(w, &b, &places, s, &status)))
        return rc;
    *shown = status.shown;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* What other sites have published of it, while it waits for a decision. */
static enum rc put_duplicates(struct work *w, struct reply *rp, const struct submission *s)
{
    struct buf b = BUF_IN(w->mem);
    struct revision revision;
    struct content content;
    struct item it;
    enum rc rc;

    if ((rc = item_revision(w, &s->item, s->rev, &it, &revision, &content)))
        return rc;
    buf_add(&b, rp->body, rp->len - strlen("}\n"));
    if ((rc = duplicates_put(w, &b, &content, &it)))
        return rc;
    buf_adds(&b, "}\n");
    rp->body = b.p;
    rp->len = b.n;
    return RC_OK;
}

enum rc get_submission(struct work *w, const struct request *rq, struct reply *rp)
{
    struct submission s;
    enum shown_state shown;
    enum rc rc = submission_find(w, &request_arg(rq, "id")->id, &s);

    if (rc || (rc = reply_one(w, &s, rp, &shown)))
        return rc;
    return shown == SHOWN_IN_REVIEW ? put_duplicates(w, rp, &s) : RC_OK;
}

static enum rc put_list(struct work *w, struct buf *b, const struct submission *list, int n,
                        int state)
{
    struct places places = PLACES_NONE;
    struct submission_status status;
    enum rc rc;

    for (int i = 0; i < n; i++)
        if ((rc = submission_look(w, &list[i], &status)) ||
            ((state < 0 || (int)status.shown == state) &&
             (rc = put(w, b, &places, &list[i], &status))))
            return rc;
    return RC_OK;
}

enum rc get_submissions(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *code = request_text(rq, "site", NULL), *word = request_text(rq, "state", NULL);
    int state = word ? shown_parse(word) : -1, n;
    struct buf b = BUF_IN(w->mem);
    struct site site = { 0 };
    struct submission *list;
    int64_t next;
    enum rc rc;

    if (word && state < 0)
        return err_field(&w->err, "state", "there is no state \"%.40s\"", word);
    if ((code && (rc = place_site(w, code, &site))) ||
        (rc = submission_list(w, site.no, request_int(rq, "before", 0), &list, &n, &next)))
        return rc;
    view_list_open(&b, "submissions");
    if ((rc = put_list(w, &b, list, n, state)))
        return rc;
    view_list_close(&b, next ? arena_printf(w->mem, "%" PRId64, next) : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- taken ---- */

struct handed {
    struct site site;
    struct submitted read;
};

enum rc prepare_submission(struct work *w, struct request *rq)
{
    struct handed *h = arena_zalloc(w->mem, sizeof *h);
    json_t *record;
    enum rc rc;

    if (!w->who.party)
        return err_set(
            &w->err, RC_FORBIDDEN,
            "a submission comes from a program, by its key: import, or write a draft");
    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &record)) ||
        (rc = place_site_in(w, record, &h->site)) ||
        (rc = work_need_at(w, RIGHT_IMPORT, h->site.no)) ||
        (rc = submission_read(&w->err, w->mem, record, &h->site, NULL, 0, &h->read)))
        return rc;
    import_check(w->mem, &h->read.line, false);
    rq->prepared = h;
    return RC_OK;
}

enum rc post_submission(struct work *w, const struct request *rq, struct reply *rp)
{
    enum shown_state shown;
    struct handed *h = rq->prepared;
    const struct submission_new in = { .site = h->site.no,
                                       .source = w->who.name,
                                       .kind = w->who.kind,
                                       .body = rq->body,
                                       .len = rq->body_len,
                                       .read = &h->read };
    struct submission s;
    char id[ID_TEXT];
    bool known;
    enum rc rc;

    if ((rc = submission_take(w, &in, &s, &known)) || (rc = reply_one(w, &s, rp, &shown)))
        return rc;
    reply_header(rp, "location",
                 arena_printf(w->mem, "/v1/submissions/%s", id_text(&s.id, id)));
    if (s.state == SUBMISSION_RECEIVED)
        work_after_commit(w, fetch_stir, NULL);
    rp->status = known ? 200 : 201;
    work_fact(w, "known", known);
    return RC_OK;
}

/* ---- what a site has agreed upon ---- */

static enum rc reply_agreements(struct work *w, int64_t site, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct agreement *list;
    enum rc rc;
    int n;

    if ((rc = agreement_list(w, site, &list, &n)))
        return rc;
    buf_adds(&b, "{\"agreements\":[");
    for (int i = 0; i < n; i++) {
        char day[CLOCK_TEXT];

        buf_adds(&b, i ? ",{" : "{");
        jx_put_text(&b, "accepts", accepts_name(list[i].accepts));
        view_time(&b, "at", list[i].at);
        jx_put_text(&b, "basis", list[i].basis);
        jx_put_text(&b, "source", list[i].source);
        if (list[i].ends)
            jx_put_text(&b, "until", clock_day(list[i].ends, day));
        buf_addc(&b, '}');
    }
    buf_adds(&b, "]}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_site_agreements(struct work *w, const struct request *rq, struct reply *rp)
{
    struct site site;
    enum rc rc;

    if ((rc = place_site(w, request_arg(rq, "site")->text, &site)) ||
        (rc = work_need_at(w, ITEM_DRAFT_RIGHTS, site.no)))
        return rc;
    return reply_agreements(w, site.no, rp);
}

enum rc put_site_agreement(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "accepts", JX_TEXT, true, 1, 10 },
                                               { "basis", JX_TEXT, false, 1,
                                                 AGREEMENT_BASIS_MAX },
                                               { "until", JX_TEXT, false, 10, 10 },
                                               { 0 } };
    const char *source = request_arg(rq, "source")->text, *until;
    struct site site;
    int64_t ends = 0;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_site(w, request_arg(rq, "site")->text, &site)))
        return rc;
    until = jx_text(body, "until");
    if (until && clock_parse(until, strlen(until), &ends))
        return err_field(&w->err, "/until", "until is not a day like 2027-12-31");
    if ((rc = agreement_set(w, site.no, source, jx_text(body, "accepts"),
                            jx_text(body, "basis"), ends)))
        return rc;
    work_fact_word(w, "source", source);
    work_fact_word(w, "accepts", jx_text(body, "accepts"));
    return reply_agreements(w, site.no, rp);
}
