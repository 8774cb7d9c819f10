/*
 * survey_page.c - /surveys/:id: what is asked, boxes for it, and why it cannot be answered where it cannot.
 *
 *     question 3 is the field q3; of MULTIPLE each choice is a field of its own, q3-0, q3-1 …, because a form has no name twice (form.h)
 *
 * Who has signed in answers as himself, everybody else as this browser: a cookie says which one it is, and no more. That is one answer a browser, not one a person, and the page says
 * so. The number of the answer stands in the form, so that a button pressed twice is one answer.
 */
#include "api/survey_page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/account_page.h"
#include "api/sheet.h"
#include "api/visitor.h"
#include "server/base/clock.h"
#include "server/base/markup.h"
#include "server/base/secret.h"
#include "server/citizen/survey.h"

const struct param survey_page_params[] = {
    { "id", P_ID, 0, 0, "问卷的编号（UUID）" },
    { "large", P_BOOL, 0, 0, "1：长辈版" },
    { "done", P_TEXT, 1, ACCOUNT_DONE_MAX, "刚刚办完了什么" },
    { 0 },
};

enum { COOKIE_RANDOM = 16, COOKIE_TEXT = 24 };

struct asked {
    struct survey survey;
    struct survey_sender from;
    const char *path;
};

/* ---- who asks ---- */

static enum rc find(struct work *w, const struct request *rq, struct asked *a)
{
    const struct arg *id = request_arg(rq, "id");
    const char *cookie = visitor_cookie(w->mem, rq, VISITOR_SURVEY);

    *a = (struct asked){ .path = arena_printf(w->mem, "/surveys/%s", id->text),
                         .from = { .account = actor_person(&w->who),
                                   .level = w->who.level,
                                   .client = rq->client_tag } };
    if (cookie)
        secret_mac(NULL, cookie, strlen(cookie), a->from.browser);
    return survey_find(w, &id->id, &a->survey);
}

static void give_cookie(struct work *w, const struct request *rq, struct reply *rp)
{
    uint8_t random[COOKIE_RANDOM];
    char *text = arena_alloc(w->mem, COOKIE_TEXT);

    if (w->who.account || visitor_cookie(w->mem, rq, VISITOR_SURVEY))
        return;
    secret_random(random, sizeof random);
    (void)b64url_text(random, sizeof random, text, COOKIE_TEXT);
    visitor_set(w, rq, rp, VISITOR_SURVEY, text);
}

/* ---- the questions ---- */

static const char *name_of(struct work *w, int i)
{
    return arena_printf(w->mem, "q%d", i + 1);
}

static const char *hint_of(struct work *w, const struct question *q)
{
    if (q->kind == QUESTION_MULTIPLE && q->most < q->n)
        return arena_printf(w->mem, "最多选 %d 项", q->most);
    if (q->kind == QUESTION_MULTIPLE)
        return "可以选几项";
    if (q->kind == QUESTION_RATING)
        return arena_printf(w->mem, "1 分最低，%d 分最高", q->n);
    return q->kind == QUESTION_TEXT
               ? arena_printf(w->mem, "最多 %d 个字。请不要写姓名、电话等个人信息", q->most)
               : NULL;
}

static void put_title(struct buf *b, const struct question *q, int i)
{
    buf_printf(b, "%d. ", i + 1);
    page_text(b, q->title);
    buf_adds(b, q->required ? "（必答）" : "");
}

static void put_box(struct sheet *s, const char *type, const char *name, const char *value,
                    bool on, const char *words)
{
    buf_printf(&s->b, "<label class=\"choice\"><input type=\"%s\" name=\"%s\" value=\"%s\"%s> ",
               type, name, value, on ? " checked" : "");
    page_text(&s->b, words);
    buf_adds(&s->b, "</label>\n");
}

static void put_boxes(struct sheet *s, const struct question *q, int i, const struct form *was)
{
    const char *name = name_of(s->w, i), *held = was ? form_text(was, name) : NULL;
    int from = q->kind == QUESTION_RATING, to = q->n + from;

    for (int k = from; k < to; k++) {
        const char *number = arena_printf(s->w->mem, "%d", k);
        const char *words =
            q->kind == QUESTION_RATING ? arena_printf(s->w->mem, "%d 分", k) : q->choices[k];
        const char *own = arena_printf(s->w->mem, "%s-%d", name, k);

        if (q->kind == QUESTION_MULTIPLE)
            put_box(s, "checkbox", own, "1", was && form_text(was, own), words);
        else
            put_box(s, "radio", name, number, held && !strcmp(held, number), words);
    }
}

static void put_group(struct sheet *s, const struct question *q, int i, const char *wrong,
                      const struct form *was)
{
    const char *name = name_of(s->w, i), *hint = hint_of(s->w, q);

    buf_printf(&s->b, "<fieldset class=\"field%s\" id=\"%s\">\n<legend>", wrong ? " bad" : "",
               name);
    put_title(&s->b, q, i);
    buf_adds(&s->b, "</legend>\n");
    if (hint)
        buf_printf(&s->b, "<p class=\"hint\">%s</p>\n", hint);
    if (wrong)
        buf_printf(&s->b, "<p class=\"wrong\"><span class=\"unseen\">错误：</span>%s</p>\n",
                   wrong);
    put_boxes(s, q, i, was);
    buf_adds(&s->b, "</fieldset>\n");
}

static void put_lines(struct sheet *s, const struct question *q, int i, const char *wrong,
                      const struct form *was)
{
    const char *name = name_of(s->w, i);
    struct buf label = BUF_IN(s->w->mem);
    struct sheet_field field = { .kind = SHEET_LINES,
                                 .name = name,
                                 .hint = hint_of(s->w, q),
                                 .max = q->most,
                                 .value = was ? form_text(was, name) : NULL,
                                 .error = wrong };

    put_title(&label, q, i);
    field.label = label.p;
    sheet_field(s, &field);
}

static void put_form(struct sheet *s, const struct asked *a, int wrong, const char *why,
                     const struct form *was)
{
    char id[ID_TEXT];
    struct id fresh = id_new();
    const char *number = was ? form_text(was, "answer") : NULL;

    sheet_form(s, a->path);
    sheet_hidden(s, "answer", number ? number : id_text(&fresh, id));
    for (int i = 0; i < a->survey.n; i++) {
        const struct question *q = &a->survey.questions[i];
        const char *error = i == wrong ? why : NULL;

        if (q->kind == QUESTION_TEXT)
            put_lines(s, q, i, error, was);
        else
            put_group(s, q, i, error, was);
    }
    sheet_button(s, "提交");
    sheet_form_end(s);
}

/* ---- the page ---- */

static void put_times(struct sheet *s, const struct survey *v)
{
    buf_adds(&s->b, "<p class=\"small\">");
    if (v->opens) {
        page_time(&s->b, v->opens, true);
        buf_adds(&s->b, " 开始");
    }
    if (v->closes) {
        buf_adds(&s->b, v->opens ? "，" : "");
        page_time(&s->b, v->closes, true);
        buf_adds(&s->b, " 截止");
    }
    buf_adds(&s->b, v->opens || v->closes ? "。" : "");
    buf_printf(&s->b, "回答对象：%s。</p>\n", survey_audience_chinese(v->audience));
}

static void put_intro(struct sheet *s, const struct survey *v)
{
    if (v->summary)
        sheet_words(s, v->summary);
    if (v->body) {
        buf_adds(&s->b, "<div class=\"body\">\n");
        markup_html(&s->b, v->body, strlen(v->body));
        buf_adds(&s->b, "</div>\n");
    }
    put_times(s, v);
}

/* Why there is no form; NULL: there is one. */
static const char *closed_words(const struct asked *a, bool has)
{
    const struct survey *v = &a->survey;

    if (has)
        return "您已经答过这份问卷，谢谢。";
    if (!v->ours)
        return "这份问卷由别的平台发布，请到那里回答。";
    if (survey_state(v, clock_now()) == SURVEY_CLOSED)
        return "这份问卷已经截止，谢谢关注。";
    return survey_state(v, clock_now()) == SURVEY_EARLY ? "这份问卷还没有开始。" : NULL;
}

static void put_sign_in(struct sheet *s, const struct asked *a)
{
    sheet_note(s, a->survey.audience == SURVEY_REAL_NAME ? "这份问卷请实名用户回答。"
                                                         : "这份问卷请登录后回答。");
    if (s->w->who.account)
        return;
    s->back = a->path;
    sheet_way(s, "/sign-in", "去登录");
}

static void put_who(struct sheet *s)
{
    sheet_note(
        s,
        s->w->who.account
            ? "每个账号答一份，提交后不能修改。统计结果和导出的内容里没有您是谁。"
            : "没有登录：每个浏览器答一份，提交后不能修改。我们不知道您是谁，只用一个 Cookie "
              "记住这个浏览器答过。");
}

static void put_what_is_wrong(struct sheet *s, const struct asked *a, int wrong,
                              const char *why)
{
    struct sheet_field field = { .name = wrong >= 0 ? name_of(s->w, wrong) : NULL,
                                 .error = why };

    if (why && wrong < 0)
        sheet_open_trouble(s, a->survey.title, 422, why);
    else
        sheet_open(s, a->survey.title, &field, why != NULL);
}

static enum rc draw(struct sheet *s, const struct asked *a, int wrong, const char *why,
                    const struct form *was)
{
    const char *closed;
    bool has;
    enum rc rc;

    if ((rc = survey_has(s->w, &a->survey, &a->from, &has)))
        return rc;
    closed = closed_words(a, has);
    put_what_is_wrong(s, a, wrong, why);
    put_intro(s, &a->survey);
    if (closed)
        sheet_note(s, closed);
    else if (a->from.level < (int)a->survey.audience)
        put_sign_in(s, a);
    else {
        give_cookie(s->w, s->rq, s->rp);
        put_who(s);
        put_form(s, a, wrong, why, was);
    }
    sheet_close(s);
    return RC_OK;
}

enum rc get_survey_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct asked a;
    struct sheet s;
    enum rc rc;

    if ((rc = find(w, rq, &a)))
        return rc;
    sheet_begin(&s, w, rq, rp, a.path, NULL);
    return draw(&s, &a, -1, NULL, NULL);
}

/* ---- what was sent ---- */

static json_t *number_json(const char *text)
{
    char *end;
    long long v = text ? strtoll(text, &end, 10) : 0;

    return text && !*end ? json_integer(v) : json_null();
}

static json_t *chosen_json(struct work *w, const struct question *q, const char *name,
                           const struct form *f)
{
    json_t *list = json_array();

    for (int k = 0; k < q->n; k++)
        if (form_text(f, arena_printf(w->mem, "%s-%d", name, k)))
            json_array_append_new(list, json_integer(k));
    if (json_array_size(list))
        return list;
    json_decref(list);
    return json_null();
}

static void release(void *list)
{
    json_decref(list);
}

/* The form as an answer like a phone's. */
static const json_t *json_of(struct work *w, const struct survey *v, const struct form *f)
{
    json_t *list = json_array();

    arena_defer(w->mem, release, list);
    for (int i = 0; i < v->n; i++) {
        const char *name = name_of(w, i), *text = form_text(f, name);
        const struct question *q = &v->questions[i];

        if (q->kind == QUESTION_MULTIPLE)
            json_array_append_new(list, chosen_json(w, q, name, f));
        else if (q->kind == QUESTION_TEXT)
            json_array_append_new(list, text ? json_string(text) : json_null());
        else
            json_array_append_new(list, number_json(text));
    }
    return list;
}

/* The question that err.field names: "answers/3"; -1: none in particular. */
static int wrong_question(const struct err *e)
{
    const char *slash = strchr(e->field, '/');

    return slash ? atoi(slash + 1) : -1;
}

static const char *words_for(const struct survey *v, int wrong, struct work *w)
{
    if (wrong < 0)
        return "一个问题都没有回答。请至少回答一个";
    if (v->questions[wrong].kind == QUESTION_TEXT && !v->questions[wrong].required)
        return arena_printf(w->mem, "最多写 %d 个字", v->questions[wrong].most);
    if (v->questions[wrong].kind == QUESTION_MULTIPLE)
        return arena_printf(w->mem, "请选 1 到 %d 项", v->questions[wrong].most);
    return "请回答这个问题";
}

static enum rc take(struct sheet *s, struct asked *a, const struct answer *answers,
                    const struct form *form)
{
    const char *id = form_text(form, "answer");
    enum refused why;
    enum rc rc;

    if (!id || !id_parse(id, strlen(id), &a->from.id))
        return err_field(&s->w->err, "answer", "an answer has a number");
    if ((rc = survey_take(s->w, &a->survey, answers, &a->from, &why)))
        return rc;
    if (why)
        return draw(s, a, -1, survey_refusal(&a->survey, why), form);
    sheet_go_done(s, a->path, "answered");
    return RC_OK;
}

enum rc post_survey_page(struct work *w, const struct request *rq, struct reply *rp)
{
    struct answer *answers;
    struct form form;
    struct asked a;
    struct sheet s;
    enum rc rc;
    int wrong;

    if ((rc = visitor_read_lines(w, rq, &form)) || (rc = find(w, rq, &a)))
        return rc;
    sheet_begin(&s, w, rq, rp, a.path, &form);
    if (!w->who.account && !visitor_cookie(w->mem, rq, VISITOR_SURVEY))
        return draw(
            &s, &a, -1,
            "浏览器没有保存 Cookie，认不出是不是答过。请允许本站的 Cookie，或登录后再答",
            &form);
    rc = answers_read(&w->err, w->mem, a.survey.questions, a.survey.n,
                      json_of(w, &a.survey, &form), "answers", &answers);
    if (rc) {
        wrong = wrong_question(&w->err);
        w->err = (struct err){ 0 };
        return draw(&s, &a, wrong, words_for(&a.survey, wrong, w), &form);
    }
    return take(&s, &a, answers, &form);
}
