/*
 * survey.c - found, asked whether it is open, answered once.
 *
 *     record of the item --> questions, opens, closes, audience
 *     answer --> open? may he? has he? --> row of survey_answer (texts sealed), counts + 1, entry `answered`          one transaction
 *
 * Counts are kept beside the answers, so results cost nothing, and stay when the texts go. Not here: what staff see (survey_result.c), and what becomes of a guest's (survey_adopt.c).
 */
#include "server/citizen/survey.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/quota.h"
#include "server/base/seal.h"
#include "server/citizen/entry.h"
#include "server/citizen/survey_row.h"
#include "server/library/stream.h"
#include "server/store/db.h"

/* ---- what is asked ---- */

static const char *const audiences[] = {
    [SURVEY_ANYONE] = "所有人",
    [SURVEY_SIGNED_IN] = "登录用户",
    [SURVEY_REAL_NAME] = "实名用户",
};

enum { AUDIENCES = sizeof audiences / sizeof *audiences };

const char *survey_audience_chinese(enum survey_audience a)
{
    return audiences[a];
}

static int64_t time_of(const json_t *record, enum field_no field)
{
    const char *text = jx_text(record, fields[field].name);
    int64_t at = 0;

    return text && !clock_parse(text, strlen(text), &at) ? at : 0;
}

static enum survey_audience audience_of(const json_t *record)
{
    const char *text = jx_text(record, fields[FIELD_audience].name);

    for (int i = 0; i < AUDIENCES && text; i++)
        if (!strcmp(audiences[i], text))
            return (enum survey_audience)i;
    return SURVEY_ANYONE;
}

static enum rc read_record(struct work *w, const struct slice *bytes, struct survey *s)
{
    struct stream stream;
    json_t *record;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, bytes->p, bytes->n, &record)) ||
        (rc = stream_by_no(w, s->item.stream, &stream)))
        return rc;
    s->title = jx_text(record, "title");
    s->summary = jx_text(record, "summary");
    s->body = jx_text(record, "body");
    s->list = json_object_get(record, fields[FIELD_questions].name);
    s->opens = time_of(record, FIELD_opens);
    s->closes = time_of(record, FIELD_closes);
    s->audience = audience_of(record);
    s->ours = !stream.mirrored;
    return questions_read(&w->err, w->mem, s->list, "questions", &s->questions, &s->n);
}

enum rc survey_find(struct work *w, const struct id *id, struct survey *out)
{
    struct survey s = { 0 };
    struct slice record;
    enum rc rc;

    if ((rc = item_live(w, id, &s.item, &record)) && (rc != RC_GONE))
        return rc;
    if (s.item.kind != KIND_SURVEY)
        return err_set(&w->err, RC_NOT_FOUND, "there is no such survey");
    if (rc || (rc = read_record(w, &record, &s)))
        return rc;
    *out = s;
    return RC_OK;
}

static enum rc find_ids(struct work *w, struct buf *list)
{
    struct rows q;
    struct id id;
    size_t n;
    enum rc rc;

    if ((rc = db_query(w, SQL_survey_list, &q, "i", (int64_t)SURVEY_LIST_MAX)))
        return rc;
    while (rows_next(&q)) {
        memcpy(id.b, rows_blob(&q, 0, &n), sizeof id.b);
        buf_add(list, &id, sizeof id);
    }
    return rows_done(&q);
}

enum rc survey_list(struct work *w, struct survey **out, int *n)
{
    struct buf ids = BUF_IN(w->mem);
    struct survey *list;
    enum rc rc;

    if ((rc = find_ids(w, &ids)))
        return rc;
    *n = (int)(ids.n / sizeof(struct id));
    list = arena_zalloc(w->mem, (size_t)(*n + 1) * sizeof *list);
    for (int i = 0; i < *n; i++)
        if ((rc = survey_find(w, (const struct id *)(const void *)ids.p + i, &list[i])))
            return rc;
    *out = list;
    return RC_OK;
}

enum survey_state survey_state(const struct survey *s, int64_t now)
{
    if (s->closes && now >= s->closes)
        return SURVEY_CLOSED;
    return now < s->opens ? SURVEY_EARLY : SURVEY_OPEN;
}

/* ---- what is answered ---- */

struct seal_place survey_seal_place(int64_t account)
{
    return (struct seal_place){ "survey_answer.texts", account };
}

/* *row 0: he has not answered. */
static enum rc find_answer(struct work *w, const struct survey *s,
                           const struct survey_sender *from, int64_t *row, struct id *id)
{
    const void *blob;
    struct rows q;
    size_t n;
    enum rc rc, end;

    *row = 0;
    if (from->account)
        rc = db_one(w, SQL_survey_answer_of, &q, "bi", s->item.id.b, sizeof s->item.id.b,
                    from->account);
    else
        rc = db_one(w, SQL_survey_answer_of_browser, &q, "bb", s->item.id.b,
                    sizeof s->item.id.b, from->browser, sizeof from->browser);
    if (!rc) {
        *row = rows_int(&q, 0);
        blob = rows_blob(&q, 1, &n);
        if (blob && n == sizeof id->b)
            memcpy(id->b, blob, n);
    }
    end = rows_done(&q);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    return rc ? rc : end;
}

enum rc survey_has(struct work *w, const struct survey *s, const struct survey_sender *from,
                   bool *has)
{
    struct id id = { 0 };
    int64_t row;
    enum rc rc = find_answer(w, s, from, &row, &id);

    *has = row;
    return rc;
}

void survey_put_chosen(struct buf *out, uint32_t chosen)
{
    const char *comma = "";

    buf_addc(out, '[');
    for (int bit = 0; bit < QUESTION_CHOICES_MAX; bit++)
        if (chosen & UINT32_C(1) << bit) {
            buf_printf(out, "%s%d", comma, bit);
            comma = ",";
        }
    buf_addc(out, ']');
}

/* Two arrays as long as the questions: what was chosen, and what was written. */
static bool put_answers(const struct survey *s, const struct answer *a, struct buf *chosen,
                        struct buf *written)
{
    bool texts = false;

    for (int i = 0; i < s->n; i++) {
        bool text = a[i].given && s->questions[i].kind == QUESTION_TEXT;

        buf_addc(chosen, i ? ',' : '[');
        buf_addc(written, i ? ',' : '[');
        if (text)
            jx_quote(written, a[i].text, strlen(a[i].text));
        else
            buf_adds(written, "null");
        texts = texts || text;
        if (!a[i].given || text)
            buf_adds(chosen, "null");
        else if (s->questions[i].kind == QUESTION_MULTIPLE)
            survey_put_chosen(chosen, a[i].chosen);
        else
            buf_printf(chosen, "%lld", (long long)a[i].number);
    }
    buf_addc(chosen, ']');
    buf_addc(written, ']');
    return texts;
}

static enum rc add_row(struct work *w, const struct survey *s, const struct answer *a,
                       const struct survey_sender *from)
{
    struct buf chosen = BUF_IN(w->mem), written = BUF_IN(w->mem);
    uint8_t *sealed = NULL;
    size_t n = 0;
    enum rc rc;

    if (put_answers(s, a, &chosen, &written) &&
        (rc = seal_close(w, survey_seal_place(from->account), written.p, written.n, &sealed,
                         &n)))
        return rc;
    if (from->account)
        return db_run(w, SQL_survey_answer_add, "binbitb", s->item.id.b, sizeof s->item.id.b,
                      from->account, from->id.b, sizeof from->id.b, clock_now(), chosen.p,
                      sealed, n);
    return db_run(w, SQL_survey_answer_add, "bnbbitb", s->item.id.b, sizeof s->item.id.b,
                  from->browser, sizeof from->browser, from->id.b, sizeof from->id.b,
                  clock_now(), chosen.p, sealed, n);
}

static enum rc count_one(struct work *w, const struct survey *s, int question, int64_t choice)
{
    return db_run(w, SQL_survey_count_add, "bii", s->item.id.b, sizeof s->item.id.b,
                  (int64_t)question, choice);
}

static enum rc count_answer(struct work *w, const struct survey *s, int i,
                            const struct answer *a)
{
    enum rc rc = RC_OK;

    if (s->questions[i].kind == QUESTION_TEXT)
        return count_one(w, s, i, 0);
    if (s->questions[i].kind != QUESTION_MULTIPLE)
        return count_one(w, s, i, a->number);
    for (int bit = 0; bit < QUESTION_CHOICES_MAX && !rc; bit++)
        if (a->chosen & UINT32_C(1) << bit)
            rc = count_one(w, s, i, bit);
    return rc;
}

static enum rc count_all(struct work *w, const struct survey *s, const struct answer *a)
{
    enum rc rc = count_one(w, s, SURVEY_WHOLE, 0);

    for (int i = 0; i < s->n && !rc; i++)
        if (a[i].given)
            rc = count_answer(w, s, i, &a[i]);
    return rc;
}

static enum rc note_answered(struct work *w, const struct survey *s, int64_t account)
{
    char id[ID_TEXT];

    return entry_put(w, account, "answered", id_text(&s->item.id, id),
                     arena_printf(w->mem, "{\"at\":%lld}", (long long)clock_now()), NULL, NULL);
}

/* Level 1 is who has proved a phone, level 2 who has proved his name. */
static bool may(const struct survey *s, const struct survey_sender *from)
{
    return from->level >= (int)s->audience;
}

/* Of browsers that have not signed in, by address: who clears his cookies is another browser. */
static struct quota browsers = QUOTA(0, 3600);

void survey_open(int64_t browsers_per_hour)
{
    quota_set(&browsers, browsers_per_hour);
}

static enum refused why_not(const struct survey *s, const struct survey_sender *from)
{
    int64_t wait;

    if (!s->ours || survey_state(s, clock_now()) != SURVEY_OPEN)
        return REFUSED_closed;
    if (!may(s, from))
        return REFUSED_rights;
    if (!from->account && !quota_take(&browsers, from->client, 1, clock_now(), &wait))
        return REFUSED_limit;
    return REFUSED_NOT;
}

enum rc survey_take(struct work *w, const struct survey *s, const struct answer *a,
                    const struct survey_sender *from, enum refused *why)
{
    struct id before = { 0 };
    int64_t row;
    bool sent;
    enum rc rc;

    *why = REFUSED_NOT;
    if ((rc = find_answer(w, s, from, &row, &before)))
        return rc;
    if (row) {
        if (memcmp(&before, &from->id, sizeof before) != 0)
            *why = REFUSED_too_many;
        return RC_OK;
    }
    if ((rc = survey_find_sent(w, s, from, &sent)))
        return rc;
    if (!sent && (*why = why_not(s, from)))
        return RC_OK;
    if (!sent && ((rc = add_row(w, s, a, from)) || (rc = count_all(w, s, a))))
        return rc;
    return from->account ? note_answered(w, s, from->account) : RC_OK;
}

const char *survey_refusal(const struct survey *s, enum refused why)
{
    switch (why) {
    case REFUSED_too_many: return "您已经答过这份问卷，每人一份";
    case REFUSED_limit:
        return "这个网络里一小时内没有登录的答卷太多了。请过一会儿再交，或者登录后再答";
    case REFUSED_rights:
        return s->audience == SURVEY_REAL_NAME ? "这份问卷请实名用户回答"
                                               : "这份问卷请登录后回答";
    case REFUSED_closed:
        return !s->ours ? "这份问卷请到发布单位的平台回答"
               : survey_state(s, clock_now()) == SURVEY_EARLY ? "这份问卷还没有开始"
                                                              : "这份问卷已经截止";
    default: return refused_chinese(why);
    }
}

/* ---- by a phone ---- */

static bool read_value(const struct mutation *m, struct survey_sender *from, struct id *survey,
                       const json_t **list)
{
    const char *text = json_is_object(m->value) ? jx_text(m->value, "survey") : NULL;

    *list = json_object_get(m->value, "answers");
    return text && *list && json_object_size(m->value) == 2 &&
           id_parse(text, strlen(text), survey) && id_parse(m->key, strlen(m->key), &from->id);
}

/* Whatever became of the survey since: withdrawn, closed, or asked otherwise. */
static enum rc find_taken(struct work *w, const struct id *survey,
                          const struct survey_sender *from, bool *taken)
{
    struct survey s = { .item.id = *survey };
    struct id before = { 0 };
    int64_t row;
    enum rc rc = find_answer(w, &s, from, &row, &before);

    *taken = !rc && row && !memcmp(&before, &from->id, sizeof before);
    if (rc || row)
        return rc;
    rc = survey_find_sent(w, &s, from, taken);
    return rc || !*taken ? rc : note_answered(w, &s, from->account);
}

enum rc survey_answer(struct work *w, const struct mutation *m, struct result *r)
{
    struct survey_sender from = { .account = m->account, .level = w->who.level };
    struct answer *answers;
    const json_t *list;
    struct survey s;
    struct id id;
    enum refused why;
    bool taken;
    enum rc rc;

    if (!read_value(m, &from, &id, &list))
        return result_refuse(r, REFUSED_value, NULL);
    if ((rc = find_taken(w, &id, &from, &taken)) || taken)
        return rc;
    if ((rc = survey_find(w, &id, &s)))
        return rc;
    if (answers_read(&w->err, w->mem, s.questions, s.n, list, "answers", &answers))
        return result_refuse(r, REFUSED_value, NULL);
    if ((rc = survey_take(w, &s, answers, &from, &why)))
        return rc;
    return why ? result_refuse(r, why, survey_refusal(&s, why)) : RC_OK;
}
