/*
 * person.c - numbers of persons: mobile phones, identity cards, bank cards.
 *
 *     1[3-9] and 9 digits          a mobile phone, also in groups: 138 0013 8000
 *     17 digits and one or X       an identity card, if its day exists and its check character holds
 *                                  (GB 11643: ISO 7064 MOD 11-2)
 *     13 to 19 digits              a bank card, if it begins as one and its check digit holds (Luhn)
 *
 * A longer run of digits is none of them. Masked (138****8000) and last-four forms (尾号1234) are what
 * we want to see. What is said repeats no digit.
 */
#include "server/check/rule.h"

#include "server/base/clock.h"

enum { RUN_MAX = 24 };

struct run {
    const struct folded *t;
    size_t from, to;
    char digits[RUN_MAX + 1]; /* the last may be 'x' */
    int n;
    bool grouped;
};

static bool is_word(char c)
{
    return check_is_digit(c) || (c >= 'a' && c <= 'z');
}

/* The next run of digits from *at on, single blanks and dashes between groups left out. False: there
 * is none, or it is longer than any number of a person. */
static bool next_run(struct run *r, size_t *at)
{
    const struct folded *t = r->t;
    size_t i = *at;

    while (i < t->n && !check_is_digit(t->p[i]))
        i++;
    if (i == t->n)
        return false;
    r->from = i;
    r->n = 0;
    r->grouped = false;
    for (; i < t->n && r->n <= RUN_MAX; i++) {
        if (check_is_digit(t->p[i])) {
            if (r->n < RUN_MAX)
                r->digits[r->n] = t->p[i];
            r->n++;
            r->to = i + 1;
        } else if ((t->p[i] == ' ' || t->p[i] == '-') && check_is_digit(check_at(t, i + 1))) {
            r->grouped = true;
        } else {
            break;
        }
    }
    if (r->n == 17 && check_at(t, r->to) == 'x') {
        r->digits[r->n++] = 'x';
        r->to++;
    }
    while (r->to < t->n && r->n > RUN_MAX && check_is_digit(t->p[r->to]))
        r->to++;
    r->digits[r->n < RUN_MAX ? r->n : RUN_MAX] = '\0';
    *at = r->to;
    return true;
}

/* No letter, mask or sign right before or after it makes it a part of something else. */
static bool stands_free(const struct run *r)
{
    char before = check_before(r->t, r->from), after = check_at(r->t, r->to);

    return !is_word(before) && !is_word(after) && before != '*' && after != '*' &&
           before != '.' && before != '/' && before != '=' && before != '_' && before != '-' &&
           !(after == '.' && check_is_digit(check_at(r->t, r->to + 1)));
}

static bool is_phone(const struct run *r)
{
    return r->n == 11 && r->digits[0] == '1' && r->digits[1] >= '3';
}

static bool is_id(const struct run *r)
{
    static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
    char day[11];
    int64_t at;
    int sum = 0;

    if (r->n != 18 || r->digits[0] < '1' || r->digits[0] > '8')
        return false;
    snprintf(day, sizeof day, "%.4s-%.2s-%.2s", r->digits + 6, r->digits + 10, r->digits + 12);
    if (clock_parse(day, 10, &at))
        return false;
    for (int i = 0; i < 17; i++)
        sum += (r->digits[i] - '0') * weights[i];
    return r->digits[17] == "10x98765432"[sum % 11];
}

static bool begins_as_card(const struct run *r)
{
    static const struct {
        const char *with;
        int least, most;
    } rows[] = {
        { "62", 16, 19 }, { "4", 16, 16 },  { "51", 16, 16 }, { "52", 16, 16 },
        { "53", 16, 16 }, { "54", 16, 16 }, { "55", 16, 16 }, { "35", 16, 16 },
        { "34", 15, 15 }, { "37", 15, 15 }, { "60", 16, 19 }, { "95", 16, 19 },
        { "9", 16, 19 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strncmp(r->digits, rows[i].with, strlen(rows[i].with)) && r->n >= rows[i].least &&
            r->n <= rows[i].most)
            return true;
    return false;
}

static bool is_card(const struct run *r)
{
    int sum = 0;

    if (!begins_as_card(r) || r->digits[r->n - 1] == 'x' || is_id(r))
        return false;
    for (int i = 0; i < r->n; i++) {
        int digit = r->digits[r->n - 1 - i] - '0';

        digit = i % 2 ? digit * 2 : digit;
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

static void find(struct checking *c, bool (*is)(const struct run *), const char *said)
{
    for (int i = 0; i < c->item->n; i++) {
        struct run r = { .t = &c->texts[i] };
        size_t at = 0;

        if (!check_is_prose(r.t))
            continue;
        while (next_run(&r, &at))
            if (r.n <= RUN_MAX && stands_free(&r) && is(&r))
                check_say(c, r.t, r.from, r.to, "%s", said);
    }
}

void judge_phone(struct checking *c)
{
    find(c, is_phone,
         "这里有手机号码；个人的号码请删去或写成 138****8000 的样子，公务电话请用固定电话");
}

void judge_id_card(struct checking *c)
{
    find(c, is_id, "这里有身份证号码，属于个人信息，不得公开；请删去，或只留末四位");
}

void judge_bank_card(struct checking *c)
{
    find(c, is_card, "这里有银行卡号，属于个人信息，不得公开；请删去，或只留末四位");
}
