/*
 * fact.c - dates and numbers that cannot be right.
 *
 *     2月30日, 13月, 2023年2月29日      no such day
 *     sourceDate                        said to be published later than it was, or in the future:
 *                                       伪造发稿日期 is a veto of 国办秘函〔2019〕19号
 *     writtenDate                       in the future
 *     docNumber                         机关代字〔年份〕序号号 or 令第…号; its year against writtenDate's
 *     indexNumber                       9 digits / 4 - 5
 *     title, contentSource              必选 in 国办发〔2017〕47号 (PubDate is the server's own)
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/check/rule.h"

enum { DAY = 24 * 60 * 60 };

static bool day_of(const struct folded *t, int64_t *out)
{
    return t && !clock_parse(t->from->text, t->from->n, out);
}

/* ---- days that do not exist ---- */

/* A number of at most four digits that ends right before `at`; -1: none. *from: where it begins. */
static int number_before(const struct folded *t, size_t at, size_t *from)
{
    size_t i = at;
    int value = 0, times = 1;

    while (i && at - i < 4 && check_is_digit(t->p[i - 1])) {
        value += (t->p[--i] - '0') * times;
        times *= 10;
    }
    *from = i;
    return i == at || check_is_digit(check_before(t, i)) ? -1 : value;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (month == 2 && year && (year % 4 || (year % 100 == 0 && year % 400)))
        return 28;
    return days[month - 1];
}

/* "Y年M月D日", without the year too; `at` is that of 月. */
static void judge_month(struct checking *c, const struct folded *t, size_t at)
{
    size_t from, start, next = at + strlen("月");
    int month = number_before(t, at, &from), year = 0, day = 0;

    if (month < 0)
        return;
    start = from;
    if (check_ends(t, from, "年"))
        year = number_before(t, from - strlen("年"), &start);
    if (year < 1000) { /* "3年6月": a time, and not a day */
        if (check_ends(t, from, "年"))
            return;
        year = 0;
        start = from;
    }
    while (check_is_digit(check_at(t, next)) && day < 100)
        day = day * 10 + t->p[next++] - '0';
    if (!check_starts(t, next, "日"))
        day = -1;
    if (day < 0 && !year)
        return;
    if (month >= 1 && month <= 12 && (day < 0 || (day >= 1 && day <= days_in(year, month))))
        return;
    check_say(c, t, start, day < 0 ? at + strlen("月") : next + strlen("日"),
              "没有这一天；请对照原文改正日期");
}

void judge_impossible(struct checking *c)
{
    for (int i = 0; i < c->item->n; i++) {
        const struct folded *t = &c->texts[i];

        if (check_is_prose(t))
            for (const char *p = t->p; (p = strstr(p, "月")); p += strlen("月"))
                judge_month(c, t, (size_t)(p - t->p));
    }
}

/* ---- dates of the record ---- */

void judge_forged(struct checking *c)
{
    const struct folded *t = check_field(c, "sourceDate");
    int64_t at;

    if (!day_of(t, &at))
        return;
    if (at > c->context->now + DAY)
        check_say(c, t, 0, t->n, "原发布日期在将来，像是伪造的发稿日期；请按来源改正");
    else if (c->context->published && at > c->context->published + DAY)
        check_say(c, t, 0, t->n,
                  "原发布日期比入库发布的时间还晚，像是伪造的发稿日期；请按来源改正");
}

void judge_written(struct checking *c)
{
    const struct folded *t = check_field(c, "writtenDate");
    int64_t at;

    if (day_of(t, &at) && at > c->context->now + DAY)
        check_say(c, t, 0, t->n, "成文日期在将来；请对照原文改正");
}

/* ---- numbers ---- */

static size_t digits_at(const struct folded *t, size_t at)
{
    size_t n = 0;

    while (check_is_digit(check_at(t, at + n)))
        n++;
    return n;
}

/* "〔2026〕1号" at `at`: its year; 0: it is none. */
static int year_of_number(const struct folded *t, size_t at)
{
    size_t n;

    at += strlen("〔");
    if (digits_at(t, at) != 4 || !check_starts(t, at + 4, "〕"))
        return 0;
    n = digits_at(t, at + 4 + strlen("〕"));
    if (!n || n > 6 || !check_starts(t, at + 4 + strlen("〕") + n, "号"))
        return 0;
    return atoi(t->p + at);
}

static bool is_order(const struct folded *t)
{
    const char *order = strstr(t->p, "令第");
    size_t at = order ? (size_t)(order - t->p) + strlen("令第") : 0, n = digits_at(t, at);

    return order && n && n <= 6 && check_starts(t, at + n, "号");
}

void judge_document_number(struct checking *c)
{
    const struct folded *t = check_field(c, "docNumber"),
                        *written = check_field(c, "writtenDate");
    const char *bracket = t ? strstr(t->p, "〔") : NULL;
    int year = bracket && bracket > t->p ? year_of_number(t, (size_t)(bracket - t->p)) : 0;
    char today[CLOCK_TEXT];

    if (!t || (!year && is_order(t)))
        return;
    if (!year) {
        check_say(c, t, 0, t->n,
                  "发文字号不是“机关代字〔年份〕序号号”的样式，年份应写全，用六角括号；"
                  "请对照原文改正");
        return;
    }
    if (year > atoi(clock_day(c->context->now, today)))
        check_say(c, t, 0, t->n, "发文字号的年份在将来；请对照原文改正");
    else if (written && written->n >= 4 && abs(year - atoi(written->p)) > 1)
        check_say(c, t, 0, t->n, "发文字号的年份（%d）与成文日期不符；请对照原文改正", year);
}

void judge_index_number(struct checking *c)
{
    const struct folded *t = check_field(c, "indexNumber");

    if (!t || (digits_at(t, 0) == 9 && check_at(t, 9) == '/' && digits_at(t, 10) == 4 &&
               check_at(t, 14) == '-' && digits_at(t, 15) == 5 && t->n == 20))
        return;
    check_say(c, t, 0, t->n, "索引号不是“9位机构代码/4位年份-5位序号”的样式；请对照目录改正");
}

void judge_metadata(struct checking *c)
{
    if (!check_field(c, "contentSource") && !check_field(c, "issuers") &&
        strcmp(c->item->kind, "message") && strcmp(c->item->kind, "survey"))
        check_say_missing(c, "contentSource",
                          "没有来源（ContentSource），国办发〔2017〕47号要求每篇必填；"
                          "请写发布单位或转载来源");
}
