/*
 * sheet.h - a page with forms: what it asks for, what was wrong with it, its buttons.
 *
 *     sheet_begin(&s, w, rq, rp, "/sign-in");
 *     sheet_open(&s, "登录", fields, 1);          the head, and first what was wrong, with the focus
 *     sheet_form(&s, "/sign-in");
 *     sheet_field(&s, &fields[0]);
 *     sheet_button(&s, "获取验证码");
 *     sheet_form_end(&s);
 *     sheet_close(&s);
 *
 * It works without a script and without a mouse, in both sizes. What a field is for is its label and its hint; what was wrong stands beside
 * it and is tied to it, so that a screen reader says all three. The browser's own checks are off: theirs are in the words of the browser, ours
 * say how to mend it.
 */
#ifndef API_SHEET_H
#define API_SHEET_H

#include "api/page.h"
#include "server/http/form.h"

struct sheet {
    struct work *w;
    const struct request *rq;
    struct reply *rp;
    const char *path; /* this page's own */
    const char
        *back; /* where it leads when all is done (way_back.h); NULL: nowhere in particular */
    const char *extra; /* what else stands in its own address: "ask=…"; NULL: nothing */
    bool large;
    struct page page;
    struct buf b;
};

enum sheet_kind { SHEET_TEXT, SHEET_PHONE, SHEET_CODE, SHEET_PASSWORD, SHEET_LINES };

struct sheet_field {
    enum sheet_kind kind;
    const char *name, *label;
    const char *hint;     /* NULL: none */
    const char *complete; /* what the browser may fill in (HTML's autocomplete); NULL: "off" */
    int max;              /* characters */
    const char *value; /* what was entered before; NULL: nothing. Never shown of a password */
    const char *error; /* what is to be mended; NULL: nothing */
};

/* `form`: what was sent, NULL for a GET: it says where to go back to. */
void sheet_begin(struct sheet *s, struct work *w, const struct request *rq, struct reply *rp,
                 const char *path, const struct form *form);
/* Up to its heading; with a wrong field the status is 422. */
void sheet_open(struct sheet *s, const char *title, const struct sheet_field *fields, int n);
/* The same with what is wrong with no field in particular. */
void sheet_open_trouble(struct sheet *s, const char *title, int status, const char *trouble);
void sheet_close(struct sheet *s);

void sheet_words(struct sheet *s, const char *words); /* a paragraph */
void sheet_note(struct sheet *s, const char *words);  /* what one should know first */
void sheet_done(struct sheet *s, const char *words);  /* what has just been done */
void sheet_way(struct sheet *s, const char *path,
               const char *words); /* a link that keeps size and way back */

void sheet_form(struct sheet *s, const char *action);
/* `attributes` as they are, with a space before each. */
void sheet_form_with(struct sheet *s, const char *action, const char *attributes);
void sheet_hidden(struct sheet *s, const char *name,
                  const char *value); /* value NULL: nothing */
void sheet_field(struct sheet *s, const struct sheet_field *f);
void sheet_button(struct sheet *s, const char *words);
/* A lesser one. `about` is said by screen readers behind the words, where several look alike; NULL: nothing. */
void sheet_small_button(struct sheet *s, const char *words, const char *about);
void sheet_form_end(struct sheet *s);

/* A parameter that not every route declares; NULL: absent. */
const char *sheet_param(const struct request *rq, const char *name);
/* The form's number under this name; false: it is none. */
bool sheet_number(const struct form *f, const char *name, int64_t *out);

/* What the page tells of passwords. */
#define SHEET_PASSWORD_RULE \
    "至少 8 个字符。三四个不相关的词连起来又好记又难猜。不要用生日、手机号、姓名和常见的词。"
#define SHEET_PASSWORD_WEAK                                                 \
    "这个密码太短，或太容易被猜到。请换一个：至少 8 " \
    "个字符，不要只用姓名、日期、手机号或常见的词"

/*
 * He signed in so lately that he may change what he signs in with. If not he is asked to sign in again, and led back here: then this is the
 * answer, and false.
 */
bool sheet_is_fresh(struct sheet *s);
/* "错的次数太多了。请过 5 分钟再试。", and the header that says the same. */
const char *sheet_wait(struct sheet *s, int64_t seconds);
const char *sheet_seconds(struct arena *mem, int64_t seconds); /* "5 分钟" */

/* A path of ours with the size and the way back in its query. */
const char *sheet_url(const struct sheet *s, const char *path);
/* 303: on to `url`, a path of ours. What was sent is not sent again by going back or loading again. */
void sheet_go(struct sheet *s, const char *url);
/* The same to `path`, which says what was done: a word of a table in sheet.c, which the page there takes as ?done=. */
void sheet_go_done(struct sheet *s, const char *path, const char *word);

#endif
