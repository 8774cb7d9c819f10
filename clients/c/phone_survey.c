/*
 * phone_survey.c - tjzw-phone survey: what is asked, read without a network, and answered question by question (phone_question.c); and votes on what was useful.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/phone_question.h"

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

/* ---- reading ---- */

static const char *state_word(const struct tjzw_survey *s)
{
    static const char *const words[] = {
        [TJZW_SURVEY_OPEN] = "进行中",
        [TJZW_SURVEY_EARLY] = "还没开始",
        [TJZW_SURVEY_CLOSED] = "已截止",
    };

    if (s->code)
        return "需要处理";
    if (s->waits)
        return "已填好，待送出";
    return s->answered ? "已回答" : words[s->state];
}

static bool print_line(void *ctx, const struct tjzw_survey *s)
{
    char at[32];

    ++*(size_t *)ctx;
    printf("%s  %s  %s", s->id, state_word(s), s->title);
    if (s->closes && s->state != TJZW_SURVEY_CLOSED)
        printf("（%s 截止）", phone_time(s->closes, "%Y-%m-%d %H:%M", at));
    putchar('\n');
    return !ferror(stdout);
}

static int list(struct phone *p)
{
    struct tjzw_error e;
    size_t n = 0;

    if (tjzw_surveys(p->t, NULL, print_line, &n, &e))
        return phone_failed(p, "survey", &e);
    if (n == 0)
        fprintf(stderr, "本机现在没有问卷。联网运行 sync 以后再来看看。\n");
    return phone_finish("survey");
}

static bool print_texts(void *ctx, const struct tjzw_item *item)
{
    json_t *record = json_loadb(item->json, item->json_len, 0, NULL);

    (void)ctx;
    for (const char *const *name = (const char *const[]){ "summary", "body", NULL }; *name;
         name++)
        if (member(record, *name)[0])
            printf("\n%s\n", member(record, *name));
    json_decref(record);
    return false;
}

static void print_terms(const struct tjzw_survey *s)
{
    static const char *const who[] = { "大家都可以回答，每部手机一份", "请登录后回答，每人一份",
                                       "请实名登录后回答，每人一份" };
    char at[32];

    printf("%s。%s。", state_word(s), who[s->level < 2 ? s->level : 2]);
    if (s->opens && s->state == TJZW_SURVEY_EARLY)
        printf("%s 开始。", phone_time(s->opens, "%Y-%m-%d %H:%M", at));
    if (s->closes)
        printf("%s 截止。", phone_time(s->closes, "%Y-%m-%d %H:%M", at));
    putchar('\n');
    if (s->code)
        printf("您的回答没有收下：%s\n", s->detail);
}

static bool print_whole(void *ctx, const struct tjzw_survey *s)
{
    json_t *questions = json_loads(s->questions, 0, NULL),
           *answers = s->answers ? json_loads(s->answers, 0, NULL) : NULL;
    struct phone *p = ctx;
    const json_t *question;
    size_t i;

    printf("%s\n", s->title);
    print_terms(s);
    (void)!tjzw_read(p->t, s->id, print_texts, NULL, NULL);
    json_array_foreach(questions, i, question)
    {
        phone_put_question(question, i, stdout);
        if (answers)
            phone_show_answer(question, json_array_get(answers, i));
    }
    if (!s->answered && s->state == TJZW_SURVEY_OPEN)
        printf("\n要回答，请运行：survey answer %s\n", s->id);
    json_decref(answers);
    json_decref(questions);
    return false;
}

static int no_survey(struct phone *p, const char *id, enum tjzw_code rc,
                     const struct tjzw_error *e)
{
    if (rc == TJZW_USAGE)
        return phone_not_an_id(id);
    if (rc == TJZW_NOT_FOUND)
        return phone_wrong("本机没有这份问卷：", id, "用 survey 可以看到全部问卷和编号。");
    return phone_failed(p, "survey", e);
}

static int show(struct phone *p, const char *id)
{
    struct tjzw_error e;
    enum tjzw_code rc = tjzw_surveys(p->t, id, print_whole, p, &e);

    return rc ? no_survey(p, id, rc, &e) : phone_finish("survey");
}

/* ---- answering ---- */

struct paper {
    json_t *questions;
    enum tjzw_survey_state state;
    uint32_t level;
    bool answered;
};

static bool take_paper(void *ctx, const struct tjzw_survey *s)
{
    *(struct paper *)ctx =
        (struct paper){ json_loads(s->questions, 0, NULL), s->state, s->level, s->answered };
    return false;
}

/* 0, or the exit status: what cannot be answered is told before a question is put. */
static int may_answer(struct phone *p, const struct paper *paper)
{
    struct tjzw_me me;
    struct tjzw_error e;

    if (paper->answered)
        return phone_wrong("这份问卷您已经答过了", NULL, "每人一份，谢谢您。");
    if (paper->state != TJZW_SURVEY_OPEN)
        return phone_wrong(paper->state == TJZW_SURVEY_EARLY ? "这份问卷还没有开始"
                                                             : "这份问卷已经截止",
                           NULL, "谢谢您的关心。");
    if (tjzw_me(p->t, &me, &e))
        return phone_failed(p, "survey", &e);
    if (me.level < paper->level)
        return phone_wrong("这份问卷要先登录才能回答", NULL,
                           paper->level > 1 ? "请用实名的账号 sign-in 登录。"
                                            : "请用 sign-in 登录。");
    return 0;
}

/* The answers to all of it; NULL: it was broken off. */
static json_t *ask_all(const json_t *questions)
{
    json_t *answers = json_array(), *one;
    const json_t *question;
    size_t i;

    json_array_foreach(questions, i, question)
    {
        if (!(one = phone_ask(question, i))) {
            json_decref(answers);
            return NULL;
        }
        json_array_append_new(answers, one);
    }
    return answers;
}

static int fill_in(struct phone *p, const char *id, const struct paper *paper)
{
    json_t *answers = ask_all(paper->questions);
    char *text = answers ? json_dumps(answers, JSON_COMPACT) : NULL;
    struct tjzw_error e;
    enum tjzw_code rc;

    json_decref(answers);
    if (!text)
        return phone_wrong("没有答完，所以没有记下", NULL, "请再来一次，一题一行。");
    rc = tjzw_survey_answer(p->t, id, text, &e);
    free(text);
    if (rc == TJZW_USAGE)
        return phone_wrong("一题也没有回答，所以没有记下", NULL, "请至少回答一题。");
    if (rc)
        return phone_failed(p, "survey", &e);
    printf("谢谢您。已记在本机，下次同步时送出，送出后不能再改。\n"
           "想改的话，请在送出之前用 outbox 看编号，用 outbox drop 编号 "
           "删去，再答一次。\n");
    return phone_finish("survey");
}

static int answer(struct phone *p, const char *id)
{
    struct paper paper = { 0 };
    struct tjzw_error e;
    enum tjzw_code rc = tjzw_surveys(p->t, id, take_paper, &paper, &e);
    int status;

    if (rc)
        return no_survey(p, id, rc, &e);
    if (!(status = may_answer(p, &paper)))
        status = fill_in(p, id, &paper);
    json_decref(paper.questions);
    return status;
}

int phone_survey(struct phone *p, const char *none)
{
    (void)none;
    if (!p->more || (!p->third && strcmp(p->more, "list") == 0))
        return list(p);
    if (p->third && strcmp(p->more, "show") == 0)
        return show(p, p->third);
    if (p->third && strcmp(p->more, "answer") == 0)
        return answer(p, p->third);
    return phone_wrong("不明白", p->more,
                       "可用 survey、survey show 编号、survey answer 编号。");
}

/* ---- was it useful? ---- */

static const struct {
    const char *word, *also, *told;
    int useful;
} votes[] = {
    { "有用", "useful", "记下了：有用。", 1 },
    { "没用", "useless", "记下了：没用。", -1 },
    { "撤回", "none", "已撤回。", 0 },
};

bool phone_is_vote(const char *word)
{
    for (size_t i = 0; i < sizeof votes / sizeof *votes; i++)
        if (strcmp(votes[i].word, word) == 0 || strcmp(votes[i].also, word) == 0)
            return true;
    return false;
}

int phone_vote(struct phone *p, const char *item, const char *word)
{
    struct tjzw_error e;
    enum tjzw_code rc;
    size_t i = 0;

    while (strcmp(votes[i].word, word) != 0 && strcmp(votes[i].also, word) != 0)
        i++;
    rc = tjzw_vote(p->t, item, votes[i].useful, &e);
    if (rc == TJZW_USAGE)
        return phone_not_an_id(item);
    if (rc == TJZW_NOT_FOUND)
        return phone_wrong("本机没有这一条：", item, "用 list 可以看到本机有的。");
    if (rc)
        return phone_failed(p, "rate", &e);
    printf("%s下次同步时送出；想改随时可以再评。\n", votes[i].told);
    return phone_finish("rate");
}
