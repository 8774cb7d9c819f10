/*
 * phone_letter.c - tjzw-phone letter: written without a network, shown with what became of it and whether its receipt holds.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/phone.h"

/* ---- writing ---- */

/* Rows of server/citizen/letter_category.def (tests/flow/me_test.py): it is told at once that there is no such kind, not a day later. */
static const char *const categories[][2] = {
    { "consult", "咨询" },        { "help", "求助" },   { "suggest", "建议" },
    { "complain", "投诉" },       { "report", "举报" }, { "fault", "找错" },
    { "disclose", "依申请公开" },
};

static bool is_category(const char *word)
{
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (word && strcmp(categories[i][0], word) == 0)
            return true;
    return false;
}

static int no_such_category(const char *word)
{
    char all[400];
    size_t n = 0;

    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s %s", i ? "，" : "可用：",
                              categories[i][0], categories[i][1]);
    return phone_wrong("没有这一类信件：", word, all);
}

/* Takes `value`. */
static int act(struct phone *p, const char *type, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT), id[37];
    struct tjzw_error e;
    enum tjzw_code rc;

    if (!text)
        abort();
    rc = tjzw_act(p->t, type, text, id, &e);
    json_decref(value);
    free(text);
    if (rc)
        return phone_failed(p, "letter", &e);
    if (strcmp(type, "letter.send") == 0)
        printf("%s\n已记在本机，下次同步时送出；送到后有编号和回执。\n", id);
    else
        printf("已记在本机，下次同步时送出。\n");
    return phone_finish("letter");
}

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static void set_if(json_t *o, const char *name, const char *text)
{
    if (text)
        json_object_set_new(o, name, json_string(text));
}

/* Copies the files into the store; 0, or the exit status. */
static int attach_files(struct phone *p, json_t *value)
{
    json_t *files = json_array();
    struct tjzw_error e;
    char hash[65];

    for (size_t i = 0; i < p->attached; i++) {
        const char *slash = strrchr(p->attach[i], '/');

        if (tjzw_attach(p->t, p->attach[i], hash, &e)) {
            json_decref(files);
            return phone_failed(p, "letter", &e);
        }
        json_array_append_new(files, json_pack("{s:s,s:s}", "hash", hash, "name",
                                               slash ? slash + 1 : p->attach[i]));
    }
    json_object_set_new(value, "files", files);
    return 0;
}

static bool take_item(void *ctx, const struct tjzw_item *item)
{
    json_object_set_new(ctx, "item", json_sprintf("%s/%s", item->stream, item->id));
    return false;
}

/* Which one it is about, and as of when this phone holds it; 0, or the exit status. */
static int name_item(struct phone *p, json_t *value)
{
    char stream[33];
    struct tjzw_status s;
    struct tjzw_error e;
    const char *dot;

    if (tjzw_read(p->t, p->item, take_item, value, &e))
        return phone_failed(p, "letter", &e);
    snprintf(stream, sizeof stream, "%s", member(value, "item"));
    stream[strcspn(stream, "/")] = '\0';
    if (!tjzw_status(p->t, stream, &s, &e) && (dot = strchr(s.cursor, '.')))
        json_object_set_new(value, "seq", json_integer(strtoll(dot + 1, NULL, 10)));
    return 0;
}

/* Takes `value`, and what the options say. */
static int send_letter(struct phone *p, json_t *value)
{
    int status;

    set_if(value, "category", p->category);
    set_if(value, "unit", p->unit);
    set_if(value, "place", p->place);
    if (p->contact)
        json_object_set_new(value, "contact", json_pack("{s:s}", "phone", p->contact));
    if (p->hidden)
        json_object_set_new(value, "hidden", json_true());
    if (p->publish)
        json_object_set_new(value, "public", json_true());
    if (!is_category(member(value, "category")))
        status = no_such_category(member(value, "category"));
    else
        status = p->item ? name_item(p, value) : 0;
    if (!status && p->attached)
        status = attach_files(p, value);
    if (!status)
        return act(p, "letter.send", value);
    json_decref(value);
    return status;
}

/* A letter from the words given, or an object of JSON on stdin. */
static int new_letter(struct phone *p)
{
    json_t *value;

    if (p->more && strcmp(p->more, "-") == 0) {
        value = json_loadf(stdin, 0, NULL);
        if (json_is_object(value))
            return send_letter(p, value);
        json_decref(value);
        return phone_wrong("标准输入不是 JSON 对象", NULL, "各成员见 docs/letters.md。");
    }
    if (!p->more || !p->third || !p->category || !p->unit)
        return phone_wrong("缺少内容", NULL,
                           "例如 letter new --category suggest --unit shili 标题 正文。");
    value = json_object();
    set_if(value, "title", p->more);
    set_if(value, "text", p->third);
    return send_letter(p, value);
}

/* One that was refused. */
struct refused {
    const char *id;
    int64_t no; /* 0: there is none of that number */
    json_t *value;
};

static bool find_refused(void *ctx, const struct tjzw_mutation *m)
{
    struct refused *r = ctx;

    if (!m->code || strcmp(m->type, "letter.send") != 0 || strcmp(m->key, r->id) != 0)
        return true;
    r->no = m->no;
    r->value = json_loads(m->value, 0, NULL);
    return false;
}

/* Written anew with what the options say otherwise; the refused one goes when that is safe. */
static int again(struct phone *p)
{
    struct refused r = { .id = p->more };
    struct tjzw_error e;
    int status;

    if (tjzw_outbox(p->t, find_refused, &r, &e))
        return phone_failed(p, "letter", &e);
    if (!r.value)
        return phone_wrong("没有这封要改正的信：", p->more,
                           "用 outbox 可以看到需要处理的各封信和它的编号。");
    if ((status = send_letter(p, r.value)))
        return status;
    if (tjzw_outbox_drop(p->t, r.no, &e))
        return phone_failed(p, "letter", &e);
    return 0;
}

static json_t *about(const char *letter, const char *text)
{
    json_t *value = json_pack("{s:s}", "letter", letter);

    set_if(value, "text", text);
    return value;
}

static int add(struct phone *p)
{
    json_t *value = about(p->more, p->third);
    int status;

    if (p->attached && (status = attach_files(p, value))) {
        json_decref(value);
        return status;
    }
    return act(p, "letter.add", value);
}

/* ---- showing ---- */

static const char *state_word(const char *state)
{
    static const char *const words[][2] = {
        { "submitted", "已提交" },   { "accepted", "已受理" },
        { "assigned", "已分办" },    { "transferred", "已转办" },
        { "in_progress", "办理中" }, { "answered", "已答复" },
        { "rated", "已评价" },       { "closed", "已办结" },
        { "refused", "不予受理" },   { "withdrawn", "已撤回" },
        { "asked", "待您补充" },     { "consulting", "征求意见中" },
        { "follow_up", "回访中" },
    };

    return phone_word(words, sizeof words / sizeof *words, state);
}

static const char *receipt_word(const struct tjzw_letter *l)
{
    static const char *const words[] = {
        [TJZW_RECEIPT_NONE] = "本机没有",
        [TJZW_RECEIPT_UNKNOWN] = "还没有服务器的回执公钥，联网同步后可验",
        [TJZW_RECEIPT_GOOD] = "验证通过：确为本平台在该时间收到的这份内容",
        [TJZW_RECEIPT_BAD] = "验证不通过，请勿采信",
    };

    return words[l->receipt_state];
}

struct showing {
    const char *id; /* NULL: all, a line each */
    size_t n;
};

static const char *where_it_is(const struct tjzw_letter *l, const json_t *state)
{
    if (l->code)
        return "需要处理";
    if (l->waits)
        return "待送出";
    return state ? state_word(member(state, "state")) : "已送到";
}

static void print_whole(const struct tjzw_letter *l, const json_t *sent, const json_t *state)
{
    const json_t *step;
    char at[32];
    size_t i;

    printf("%s\n%s  %s\n", member(sent, "title"), l->number ? l->number : "（还没有编号）",
           where_it_is(l, state));
    if (l->code)
        printf("%s（%s）\n改正后重写：letter again %s，加上要改的选项，如 --unit 单位代码\n",
               l->detail, l->code, l->id);
    if (sent)
        printf("\n%s\n", member(sent, "text"));
    if (member(state, "answer")[0])
        printf("\n答复：\n%s\n", member(state, "answer"));
    json_array_foreach(json_object_get(state, "steps"), i, step) printf(
        "%s  %s  %s\n",
        phone_time(json_integer_value(json_object_get(step, "at")), "%Y-%m-%d %H:%M", at),
        state_word(member(step, "state")), member(step, "text"));
    if (l->receipt)
        printf("\n回执：%s\n%s", receipt_word(l), l->receipt);
}

static bool show_letter(void *ctx, const struct tjzw_letter *l)
{
    struct showing *s = ctx;
    json_t *sent = l->sent ? json_loads(l->sent, 0, NULL) : NULL,
           *state = l->state ? json_loads(l->state, 0, NULL) : NULL;

    if (!s->id) {
        s->n++;
        printf("%s  %s  %s  %s\n", l->id, l->number ? l->number : "-", where_it_is(l, state),
               member(sent, "title"));
    } else if (strcmp(s->id, l->id) == 0 && s->n++ == 0) {
        print_whole(l, sent, state);
    }
    json_decref(sent);
    json_decref(state);
    return !ferror(stdout);
}

static int show(struct phone *p, const char *id)
{
    struct showing s = { .id = id };
    struct tjzw_error e;

    if (tjzw_letters(p->t, show_letter, &s, &e))
        return phone_failed(p, "letter", &e);
    if (s.n == 0 && id)
        return phone_wrong("没有这封信：", id, "用 letter list 可以看到全部编号。");
    return phone_finish("letter");
}

/* ---- rating ---- */

struct stands {
    const char *id;
    char state[32]; /* "": not known here */
};

static bool take_state(void *ctx, const struct tjzw_letter *l)
{
    struct stands *s = ctx;
    json_t *state;

    if (strcmp(s->id, l->id) != 0)
        return true;
    state = l->state ? json_loads(l->state, 0, NULL) : NULL;
    snprintf(s->state, sizeof s->state, "%s", member(state, "state"));
    json_decref(state);
    return false;
}

/* 0, or the exit status: it is told at once that there is nothing to rate yet. */
static int not_answered(struct phone *p, const char *letter)
{
    struct stands s = { .id = letter };
    struct tjzw_error e;

    if (tjzw_letters(p->t, take_state, &s, &e))
        return phone_failed(p, "rate", &e);
    if (!s.state[0] || strcmp(s.state, "answered") == 0)
        return 0;
    return phone_wrong("这封信现在不能评价：", state_word(s.state),
                       "有了答复才能评价，评价一次。可先 sync 看看有没有新进展。");
}

static int rate(struct phone *p, const char *letter, const char *rating, const char *text)
{
    uint32_t n;
    json_t *value;
    int status;

    if (!rating || !phone_number(rating, &n) || n > 5)
        return phone_wrong("不是有效的评价：", rating,
                           "信件：1 非常不满意，2 不满意，3 基本满意，4 满意，5 "
                           "非常满意；文章和办事指南：有用、没用、撤回。");
    if ((status = not_answered(p, letter)))
        return status;
    value = about(letter, text);
    json_object_set_new(value, "rating", json_integer(n));
    return act(p, "letter.rate", value);
}

/* A letter by a number, an item by a word. */
int phone_rate(struct phone *p, const char *what)
{
    if (!p->more)
        return phone_wrong(
            "还要说评价什么", NULL,
            "信件：rate 信的编号 1 到 5；文章和办事指南：rate 编号 有用（或 没用、撤回）。");
    if (phone_is_vote(p->more))
        return phone_vote(p, what, p->more);
    return rate(p, what, p->more, p->third);
}

int phone_letter(struct phone *p, const char *verb)
{
    if (strcmp(verb, "new") == 0)
        return new_letter(p);
    if (strcmp(verb, "list") == 0)
        return show(p, NULL);
    if (p->more && strcmp(verb, "again") == 0)
        return again(p);
    if (p->more && strcmp(verb, "show") == 0)
        return show(p, p->more);
    if (p->more && p->third && strcmp(verb, "add") == 0)
        return add(p);
    if (p->more && strcmp(verb, "withdraw") == 0)
        return act(p, "letter.withdraw", about(p->more, p->third));
    if (p->more && strcmp(verb, "private") == 0)
        return act(p, "letter.private", about(p->more, NULL));
    if (p->more && strcmp(verb, "rate") == 0)
        return rate(p, p->more, p->third, p->fourth);
    return phone_wrong("不明白", verb,
                       "可用 letter new、again、add、withdraw、private、rate、list、show；用 "
                       "letter --help 查看例子。");
}
