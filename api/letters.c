/*
 * letters.c - the queue, a letter, the verbs, templates, import.
 *
 * The verbs, who may say them and what they need stand in server/citizen/letter_verb.def and letter_staff.c and nowhere here. The last segment of the
 * path is the verb.
 */
#include "api/letters.h"

#include <inttypes.h>
#include <string.h>

#include "api/letter_view.h"
#include "api/view.h"
#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/citizen/letter_import.h"
#include "server/citizen/letter_list.h"
#include "server/citizen/letter_publish.h"
#include "server/citizen/letter_staff.h"
#include "server/citizen/letter_template.h"
#include "server/citizen/receipt.h"

enum { PAGE = 50, NAMES_MAX = 10 };

#define UNIT                                                                                                                  \
    {                                                                                                                         \
        "unit", P_TEXT, 1, 64,                                                                                                \
            "机构代码或编号；只办理一个单位的，可以不写；有全部单位权限的，不写就是全部" \
    }

const struct param letters_params[] = {
    UNIT,
    { "category", P_TEXT, 1, 20,
      "只要这一类：consult、help、suggest、complain、report、fault、disclose" },
    { "state", P_TEXT, 1, 20, "只要这一状态的，如 submitted" },
    { "late", P_BOOL, 0, 0, "1：只要已经超期的" },
    { "changed", P_BOOL, 0, 0,
      "1：全部信件，按变动的先后；从上次的 next "
      "接着取，就不会漏掉一次变动。默认是办理队列：有期限"
      "的，急的在前，等人补充或征求意见的在后" },
    { "n", P_INT, 1, LETTER_PAGE_MAX, "每页条数，默认 50" },
    { "cursor", P_TEXT, 1, LETTER_CURSOR_TEXT, "上一页答复里的 next" },
    { 0 },
};
const struct param letter_params[] = {
    { "letter", P_TEXT, 1, ID_TEXT - 1, "信件的编号（如 JB2026-000123），或 UUID" }, { 0 }
};
const struct param letter_import_params[] = {
    { "from", P_TEXT, 1, LETTER_FROM_MAX, "来自哪个系统；与每行的 origin 合起来认出同一封信" },
    { 0 },
};
const struct param template_params[] = { UNIT, { 0 } };
const struct param template_drop_params[] = {
    { "name", P_TEXT, 1, 4 * LETTER_LINE_MAX, "模板的名称" }, UNIT, { 0 }
};

/* ---- which unit ---- */

/* The one that was named, or the actor's own; 0: all. */
static enum rc find_unit(struct work *w, const char *name, int64_t *out)
{
    struct org org;
    enum rc rc;

    if (!name)
        return letter_own_unit(w, out);
    if (!(rc = place_org(w, name, &org)))
        *out = org.no;
    return rc;
}

static enum rc need_unit(struct work *w, const char *name, int64_t *out)
{
    enum rc rc = find_unit(w, name, out);

    return rc || *out ? rc : err_field(&w->err, "unit", "请说明是哪个单位");
}

/* ---- read ---- */

static enum rc read_query(struct work *w, const struct request *rq, struct letter_query *q)
{
    const char *category = request_text(rq, "category", NULL);
    const struct letter_kind *kind = category ? letter_kind_parse(category) : NULL;

    q->state = request_text(rq, "state", "");
    q->changed = request_int(rq, "changed", 0);
    q->before = request_int(rq, "late", 0) ? clock_now() + 1 : 0;
    q->most = (int)request_int(rq, "n", PAGE);
    q->cursor = request_text(rq, "cursor", NULL);
    if (category && !kind)
        return err_field(&w->err, "category", "没有这一类信件");
    if (*q->state && letter_state_parse(q->state) < 0)
        return err_field(&w->err, "state", "没有这个状态");
    q->category = kind ? kind->category : LETTER_NO_CATEGORY;
    return find_unit(w, request_text(rq, "unit", NULL), &q->unit);
}

enum rc get_letters(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct letter_query query = { 0 };
    struct letter_page page;
    enum rc rc;

    if ((rc = read_query(w, rq, &query)) || (rc = letter_list(w, &query, &page)))
        return rc;
    view_list_open(&b, "letters");
    for (int i = 0; i < page.n; i++)
        if ((rc = letter_view(w, &b, &page.letters[i], false)))
            return rc;
    view_list_close(&b, page.more || query.changed ? page.next : "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

static enum rc reply_letter(struct work *w, const struct letter *l, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    enum rc rc;

    if ((rc = letter_view(w, &b, l, true)))
        return rc;
    buf_addc(&b, '\n');
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_letter(struct work *w, const struct request *rq, struct reply *rp)
{
    struct letter l;
    enum rc rc;

    if ((rc = letter_find(w, request_arg(rq, "letter")->text, &l)) ||
        (rc = letter_may(w, l.unit)))
        return rc;
    return reply_letter(w, &l, rp);
}

/* ---- the verbs ---- */

static enum rc read_order(struct work *w, const struct request *rq, struct letter_order *o)
{
    json_t *body;
    enum rc rc;

    if (!rq->body_len)
        return RC_OK;
    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    const struct jx_field members[] = {
        { "clerk", JX_INT, false, 1, INT64_MAX },
        { "complex", JX_BOOL, false, 0, 0 },
        { "days", JX_INT, false, 1, 100 },
        { "draft", JX_INT, false, 1, INT64_MAX },
        { "text", JX_TEXT, false, 1, LETTER_TEXT_MAX },
        place_org_field(body, "unit"),
        { 0 },
    };

    if ((rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_org_in(w, body, "unit", &o->unit)))
        return rc;
    o->clerk = jx_int(body, "clerk", 0);
    o->complex = jx_bool(body, "complex", false);
    o->days = jx_int(body, "days", 0);
    o->draft = jx_int(body, "draft", 0);
    o->text = jx_text(body, "text");
    return RC_OK;
}

enum rc post_letter_verb(struct work *w, const struct request *rq, struct reply *rp)
{
    int verb = letter_verb_parse(strrchr(rq->path, '/') + 1);
    struct letter_order order = { 0 };
    struct letter l;
    enum rc rc;

    if (verb < 0)
        return err_set(&w->err, RC_INTERNAL, "%s is a route without a verb", rq->path);
    if ((rc = read_order(w, rq, &order)) ||
        (rc =
             letter_do(w, request_arg(rq, "letter")->text, (enum letter_verb)verb, &order, &l)))
        return rc;
    work_fact_word(w, "number", l.number);
    return reply_letter(w, &l, rp);
}

/* ---- import ---- */

struct lines {
    struct letter_line *v;
    int n;
};

enum rc prepare_letters(struct work *w, struct request *rq)
{
    const char *end = rq->body + rq->body_len;
    struct lines *lines = arena_zalloc(w->mem, sizeof *lines);

    lines->v = arena_zalloc(w->mem, sizeof *lines->v * LETTER_IMPORT_MAX);
    for (const char *p = rq->body, *eol; p < end; p = eol + 1) {
        eol = memchr(p, '\n', (size_t)(end - p));
        eol = eol ? eol : end;
        if (lines->n == LETTER_IMPORT_MAX)
            return err_set(&w->err, RC_TOO_LARGE, "at most %d lines at a time",
                           LETTER_IMPORT_MAX);
        letter_import_read(w->mem, p, (size_t)(eol - p), &lines->v[lines->n++]);
    }
    rq->prepared = lines;
    return RC_OK;
}

static void put_line(struct buf *b, const struct letter_line *line, int no)
{
    static const char *const results[] = { "refused", "created", "updated", "unchanged" };

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    if (*line->why.field)
        jx_put_text(b, "field", line->why.field);
    jx_put_int(b, "line", no);
    jx_put_text(b, "number", line->number);
    jx_put_text(b, "origin", line->origin);
    if (line->why.rc)
        jx_put_text(b, "reason", line->why.text);
    jx_put_text(b, "result", results[line->result]);
    buf_addc(b, '}');
}

enum rc post_letters(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct lines *lines = rq->prepared;
    struct buf b = BUF_IN(w->mem);
    int created = 0;
    enum rc rc;

    if (!request_text(rq, "from", NULL))
        return err_field(&w->err, "from", "from says which system they come from");
    if ((rc = letter_import(w, request_text(rq, "from", ""), lines->v, lines->n)))
        return rc;
    view_list_open(&b, "lines");
    for (int i = 0; i < lines->n; i++) {
        created += lines->v[i].result == LETTER_CREATED;
        put_line(&b, &lines->v[i], i + 1);
    }
    view_list_close(&b, "");
    work_fact(w, "created", created);
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- templates ---- */

enum rc get_letter_templates(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct letter_template *all;
    int64_t unit;
    enum rc rc;
    int n;

    if ((rc = need_unit(w, request_text(rq, "unit", NULL), &unit)) ||
        (rc = letter_template_list(w, unit, &all, &n)))
        return rc;
    view_list_open(&b, "templates");
    for (int i = 0; i < n; i++) {
        buf_adds(&b, b.p[b.n - 1] == '[' ? "{" : ",{");
        jx_put_text(&b, "name", all[i].name);
        jx_put_text(&b, "text", all[i].text);
        buf_addc(&b, '}');
    }
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc put_letter_template(struct work *w, const struct request *rq, struct reply *rp)
{
    struct letter_template t;
    int64_t unit;
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    const struct jx_field members[] = { { "name", JX_TEXT, true, 1, LETTER_LINE_MAX },
                                        { "text", JX_TEXT, true, 1, LETTER_TEXT_MAX },
                                        place_org_field(body, "unit"),
                                        { 0 } };

    unit = 0;
    if ((rc = jx_check(&w->err, body, members, "")) ||
        (rc = place_org_in(w, body, "unit", &unit)) ||
        (!unit && (rc = need_unit(w, NULL, &unit))))
        return rc;
    t = (struct letter_template){ jx_text(body, "name"), jx_text(body, "text") };
    rp->status = 204;
    return letter_template_put(w, unit, &t);
}

enum rc delete_letter_template(struct work *w, const struct request *rq, struct reply *rp)
{
    int64_t unit;
    enum rc rc;

    if ((rc = need_unit(w, request_text(rq, "unit", NULL), &unit)))
        return rc;
    rp->status = 204;
    return letter_template_drop(w, unit, request_arg(rq, "name")->text);
}

/* ---- published ---- */

enum rc post_letter_publish(struct work *w, const struct request *rq, struct reply *rp)
{
    static const struct jx_field members[] = { { "column", JX_INT, true, 1, INT32_MAX },
                                               { "names", JX_TEXTS, false, 1, NAMES_MAX },
                                               { 0 } };
    struct places places = PLACES_NONE;
    struct buf b = BUF_IN(w->mem);
    const char *names[NAMES_MAX];
    char id[ID_TEXT];
    struct item item;
    json_t *body;
    int n = 0;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)) ||
        (rc = jx_check(&w->err, body, members, "")))
        return rc;
    for (; n < (int)json_array_size(json_object_get(body, "names")); n++)
        names[n] = json_string_value(json_array_get(json_object_get(body, "names"), (size_t)n));
    if ((rc = letter_publish(w, request_arg(rq, "letter")->text, jx_int(body, "column", 0),
                             names, n, &item)) ||
        (rc = view_staff_item(w, &b, &places, &item)))
        return rc;
    buf_addc(&b, '\n');
    rp->status = 201;
    reply_header(rp, "location", arena_printf(w->mem, "/v1/drafts/%s", id_text(&item.id, id)));
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

/* ---- the key of receipts ---- */

enum rc get_receipts_key(struct work *w, const struct request *rq, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    char key[HASH_TEXT];

    (void)rq;
    buf_addc(&b, '{');
    jx_put_text(&b, "algorithm", "ed25519");
    jx_put_text(&b, "key", receipt_key(key));
    buf_adds(&b, "}\n");
    reply_buf(rp, TYPE_JSON, &b);
    rp->cache = CACHE_SHORT;
    return RC_OK;
}
