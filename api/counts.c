/*
 * counts.c - reports of phones come in, tables for staff go out.
 *
 * A report says nothing of who reads, so one that comes with a token or a cookie is refused: a program that sends one by mistake must learn it.
 */
#include "api/counts.h"

#include <string.h>

#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/csv.h"
#include "server/base/jx.h"
#include "server/citizen/count.h"
#include "server/citizen/count_report.h"
#include "server/citizen/count_web.h"

enum { DAY = 86400, DAYS_SHOWN = 30, ROWS_SHOWN = 100, BY_MAX = 4 };

const struct param count_params[] = {
    { "since", P_TEXT, 10, 10, "从这一天（含）起，如 2026-11-21；默认最近 30 天" },
    { "until", P_TEXT, 10, 10, "到这一天（不含）为止" },
    { "by", P_TEXT, 1, BY_MAX, "item（默认）：每条内容一行，读得多的在前；day：每天一行" },
    { "site", P_TEXT, 1, 64,
      "只要这个站点的：站点标识码，或编号；默认全部，或自己有权的那一个" },
    { "item", P_ID, 0, 0, "只要这一条内容的，每天一行" },
    { "n", P_INT, 1, COUNT_PAGE_MAX, "最多多少行，默认 100" },
    { 0 },
};

/* ---- in ---- */

enum rc prepare_counts(struct work *w, struct request *rq)
{
    struct count_report *r = arena_zalloc(w->mem, sizeof *r);
    enum rc rc;

    if (rq->authorization || *rq->cookies)
        return err_set(&w->err, RC_INVALID,
                       "a report of reads says nothing of who reads: send it without a token");
    if ((rc = count_report_read(&w->err, w->mem, rq->body, rq->body_len, clock_now(), r)) ||
        (rc = count_report_check(w, r)))
        return rc;
    rq->prepared = r;
    return RC_OK;
}

static void put_refused(struct buf *b, const struct count_report *r)
{
    static const char *const codes[] = {
        [COUNT_UNKNOWN] = "unknown", [COUNT_IMPLAUSIBLE] = "implausible"
    };
    char id[ID_TEXT];

    jx_key(b, "refused");
    buf_addc(b, '[');
    for (int i = 0; i < r->n; i++) {
        if (r->entries[i].verdict == COUNT_GOOD)
            continue;
        buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
        jx_put_text(b, "code", codes[r->entries[i].verdict]);
        jx_put_text(b, "item", id_text(&r->entries[i].item, id));
        buf_addc(b, '}');
    }
    buf_addc(b, ']');
}

enum rc post_counts(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct count_report *r = rq->prepared;
    struct buf b = BUF_IN(w->mem);
    struct count_taken taken;
    enum rc rc;

    if ((rc = count_report_take(w, r, rq->client_tag, &taken)))
        return rc;
    buf_addc(&b, '{');
    if (!taken.known) {
        jx_put_int(&b, "apart", taken.apart);
        jx_put_int(&b, "counted", taken.counted);
        put_refused(&b, r);
    }
    jx_put_text(&b, "result", taken.known ? "known" : "counted");
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

void counts_shown(const struct shown *s)
{
    size_t skip = strlen(COUNTS_PREFIX), text = ID_TEXT - 1;
    struct id id;

    if (s->n >= skip + text && id_parse(s->path + skip, text, &id))
        count_web_seen(&id, s->client);
}

/* ---- out ---- */

static enum rc read_day(struct work *w, const struct request *rq, const char *name,
                        int64_t *out)
{
    const char *text = request_text(rq, name, NULL);

    if (text && clock_parse(text, strlen(text), out))
        return err_field(&w->err, name, "\"%.10s\" is no day", text);
    return RC_OK;
}

static enum rc read_query(struct work *w, const struct request *rq, struct count_query *q,
                          bool *days)
{
    const char *by = request_text(rq, "by", "item"), *code = request_text(rq, "site", NULL);
    int64_t today = count_day(clock_now());
    struct site site = { 0 };
    enum rc rc;

    *q = (struct count_query){ .since = today - (int64_t)(DAYS_SHOWN - 1) * DAY,
                               .until = today + DAY,
                               .limit = (int)request_int(rq, "n", ROWS_SHOWN) };
    if (request_arg(rq, "item")->set)
        q->item = &request_arg(rq, "item")->id;
    *days = q->item || !strcmp(by, "day");
    if (!*days && strcmp(by, "item") != 0)
        return err_field(&w->err, "by", "by is item or day");
    if (code && (rc = place_site(w, code, &site)))
        return rc;
    q->site = site.no;
    if ((rc = read_day(w, rq, "since", &q->since)) ||
        (rc = read_day(w, rq, "until", &q->until)))
        return rc;
    return RC_OK;
}

static enum rc find(struct work *w, const struct request *rq, bool *days,
                    struct count_row **rows, int *n)
{
    struct count_query q;
    enum rc rc;

    if ((rc = read_query(w, rq, &q, days)))
        return rc;
    return *days ? count_days(w, &q, rows, n) : count_items(w, &q, rows, n);
}

static enum rc put_row(struct work *w, struct buf *b, struct places *places, bool days,
                       const struct count_row *r)
{
    char text[ID_TEXT];
    const struct site *site;
    enum rc rc;

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "apart", r->apart);
    if (days) {
        jx_put_text(b, "day", clock_day(r->day, text));
        if (r->month)
            jx_put_bool(b, "month", true);
    } else {
        if ((rc = places_site(w, places, r->site, &site)))
            return rc;
        jx_put_text(b, "item", id_text(&r->item, text));
    }
    jx_put_int(b, "phone", r->phone);
    if (!days) {
        jx_put_text(b, "site", site->code);
        jx_put_text(b, "title", r->title);
    }
    jx_put_int(b, "web", r->web);
    buf_addc(b, '}');
    return RC_OK;
}

enum rc get_counts(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    struct count_row *rows;
    bool days;
    enum rc rc;
    int n;

    if ((rc = find(w, rq, &days, &rows, &n)))
        return rc;
    view_list_open(&b, "counts");
    for (int i = 0; i < n; i++)
        if ((rc = put_row(w, &b, &places, days, &rows[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static void put_head(struct buf *b, bool days)
{
    csv_begin(b);
    csv_text(b, days ? "日期" : "编号");
    csv_text(b, days ? "范围" : "标题");
    csv_text(b, "网页");
    csv_text(b, "手机");
    csv_text(b, "合计");
    csv_text(b, "另计（不合常理）");
    csv_end(b);
}

enum rc get_counts_csv(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct count_row *rows;
    char text[ID_TEXT];
    bool days;
    enum rc rc;
    int n;

    if ((rc = find(w, rq, &days, &rows, &n)))
        return rc;
    put_head(&b, days);
    for (int i = 0; i < n; i++) {
        const struct count_row *r = &rows[i];

        csv_text(&b, days ? clock_day(r->day, text) : id_text(&r->item, text));
        csv_text(&b, !days ? r->title : r->month ? "整月" : "一天");
        csv_int(&b, r->web);
        csv_int(&b, r->phone);
        csv_int(&b, r->web + r->phone);
        csv_int(&b, r->apart);
        csv_end(&b);
    }
    reply_buf(rp, TYPE_CSV, &b);
    reply_header(rp, "content-disposition", "attachment; filename=\"counts.csv\"");
    return RC_OK;
}
