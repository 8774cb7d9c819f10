/*
 * letter_redact.c - one walk over the text: a number is read as its groups of digits, and the fewest groups that make something known are it.
 */
#include "server/citizen/letter_redact.h"

#include <stdbool.h>
#include <string.h>

#include "server/base/buf.h"

enum { GROUPS = 5, DIGITS = 24, WORD_BEFORE = 24, KNOWN_DIGITS = 5 };

/* A digit at p, of either width: its value, and how many bytes it has. -1: there is none. */
static int digit_at(const char *p, int *n)
{
    const unsigned char *u = (const unsigned char *)p;

    *n = 1;
    if (*p >= '0' && *p <= '9')
        return *p - '0';
    if (u[0] == 0xef && u[1] == 0xbc && u[2] >= 0x90 && u[2] <= 0x99) {
        *n = 3;
        return u[2] - 0x90;
    }
    return -1;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- numbers ---- */

static bool id_holds(const char *d)
{
    static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
    int sum = 0, month = (d[10] - '0') * 10 + d[11] - '0',
        day = (d[12] - '0') * 10 + d[13] - '0';

    for (int i = 0; i < 17; i++)
        sum += (d[i] - '0') * weights[i];
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
           d[17] == "10X98765432"[sum % 11];
}

static bool card_holds(const char *d, size_t n)
{
    int sum = 0;

    for (size_t i = 0; i < n; i++) {
        int v = d[n - 1 - i] - '0';

        if (d[n - 1 - i] == 'X')
            return false;
        v = i % 2 ? v * 2 : v;
        sum += v > 9 ? v - 9 : v;
    }
    return sum % 10 == 0;
}

static bool is_mobile(const char *d)
{
    return d[0] == '1' && d[1] >= '3';
}

/* Whether a word for telephone stands shortly before. */
static bool is_called(const char *text, const char *p)
{
    static const char *const words[] = { "电话", "联系", "手机", "座机", "致电", "拨打" };
    char before[WORD_BEFORE + 1];
    size_t n = (size_t)(p - text) < WORD_BEFORE ? (size_t)(p - text) : WORD_BEFORE;

    memcpy(before, p - n, n);
    before[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(before, words[i]))
            return true;
    return false;
}

/* 香港, 澳门, 台湾, with their codes. */
static bool is_overseas(const char *d, size_t n)
{
    if (n > 11 && !strncmp(d, "00", 2)) {
        d += 2;
        n -= 2;
    }
    if (n == 11 && (!strncmp(d, "852", 3) || !strncmp(d, "853", 3)))
        return d[3] >= '2';
    return (n == 11 || n == 12) && !strncmp(d, "886", 3) && d[3] != '0';
}

static const char *name_of(const char *d, size_t n, int groups, bool called)
{
    if (n == 18 && id_holds(d))
        return "［身份证号］";
    if ((n == 11 && is_mobile(d)) || (n == 13 && !strncmp(d, "86", 2) && is_mobile(d + 2)) ||
        (n == 15 && !strncmp(d, "0086", 4) && is_mobile(d + 4)))
        return "［手机号］";
    if (n >= 10 && n <= 12 && d[0] == '0' && d[1] != '0')
        return "［电话］";
    if (is_overseas(d, n) || (groups <= 2 && called && (n == 7 || n == 8)))
        return "［电话］";
    if (n >= 16 && n <= 19 && card_holds(d, n))
        return "［卡号］";
    return NULL;
}

struct number {
    char digits[DIGITS + 1];
    size_t n;
    const char *end; /* behind its last digit */
};

/* One group more: the digits at p, and an X that ends an identity number. */
static bool read_group(const char *p, struct number *out)
{
    int bytes, v;
    bool any = false;

    for (; (v = digit_at(p, &bytes)) >= 0; p += bytes, any = true) {
        if (out->n == DIGITS)
            return false;
        out->digits[out->n++] = (char)('0' + v);
    }
    if (any && out->n == 17 && (*p == 'X' || *p == 'x')) {
        out->digits[out->n++] = 'X';
        p++;
    }
    out->digits[out->n] = '\0';
    out->end = p;
    return any;
}

/* Whether these are the digits of something that is known, a telephone number as its owner wrote it. */
static const char *known_number(const struct number *all, const struct letter_known *known,
                                int n)
{
    for (int i = 0; i < n; i++) {
        struct number own = { .n = 0 };
        const char *p = known[i].text;
        bool any = all->n >= KNOWN_DIGITS;

        for (; any && *p && own.n < DIGITS; p++)
            if (*p >= '0' && *p <= '9')
                own.digits[own.n++] = *p;
        if (any && known[i].stands && own.n == all->n &&
            !memcmp(own.digits, all->digits, own.n))
            return known[i].stands;
    }
    return NULL;
}

/* What stands at p, a digit before which none stands; NULL: nothing known. */
static const char *find_number(const char *text, const char *p,
                               const struct letter_known *known, int n, const char **end)
{
    struct number all = { .n = 0 };
    bool called = is_called(text, p);

    for (int groups = 1; groups <= GROUPS && read_group(p, &all); groups++) {
        const char *name = name_of(all.digits, all.n, groups, called);

        if (!name)
            name = known_number(&all, known, n);
        if (name && !is_alnum(*all.end)) {
            *end = all.end;
            return name;
        }
        if (*all.end != '-' && *all.end != ' ')
            return NULL;
        p = all.end + 1;
    }
    return NULL;
}

/* ---- mail addresses ---- */

static bool is_mail(char c)
{
    return is_alnum(c) || (c && strchr("._%+-", c));
}

static const char *find_mail(const char *p, const char **end)
{
    const char *at = p, *dot = NULL;

    while (is_mail(*at))
        at++;
    if (at == p || (*at != '@' && strncmp(at, "＠", strlen("＠")) != 0))
        return NULL;
    at += *at == '@' ? 1 : strlen("＠");
    for (p = at; is_alnum(*p) || *p == '.' || *p == '-'; p++)
        dot = *p == '.' && is_alnum(p[1]) ? p : dot;
    *end = p;
    return dot && dot > at ? "［邮箱］" : NULL;
}

/* ---- names of other kinds: what a program on a phone, a car, a passport is called by ---- */

static size_t first_character(const char *s)
{
    size_t n = 1;

    while ((s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static bool is_handle(char c)
{
    return is_alnum(c) || c == '_' || c == '-';
}

/* Whether one of the words stands right before p, but for what joins them: "微信号：", "QQ 是". */
static bool stands_after(const char *text, const char *p, const char *const *words)
{
    static const char *const joints[] = { " ",  ":",  "：", "号", "是",
                                          "为", "（", "(",  "码", NULL };
    bool moved = true;

    while (moved) {
        moved = false;
        for (int i = 0; joints[i] && !moved; i++) {
            size_t n = strlen(joints[i]);

            if ((size_t)(p - text) >= n && !memcmp(p - n, joints[i], n)) {
                p -= n;
                moved = true;
            }
        }
    }
    for (int i = 0; words[i]; i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(p - text) >= n && !memcmp(p - n, words[i], n))
            return true;
    }
    return false;
}

static const char *find_handle(const char *text, const char *p, const char **end)
{
    static const char *const wechat[] = {
        "微信", "WeChat", "wechat", "Wechat", "VX", "vx", NULL
    };
    static const char *const qq[] = { "QQ", "qq", "Qq", "扣扣", NULL };
    const char *name = NULL, *at = p;

    if (!strncmp(p, "QQ", 2) || !strncmp(p, "qq", 2))
        at += 2;
    *end = at;
    while (is_handle(**end))
        (*end)++;
    if (at > p || stands_after(text, p, qq))
        name =
            *at >= '1' && *at <= '9' && *end - at >= 5 && *end - at <= 11 ? "［QQ号］" : NULL;
    else if (*end - at >= 5 && *end - at <= 20 && stands_after(text, p, wechat))
        name = "［微信号］";
    return name;
}

/* A passport, a permit to travel: one letter or two, and nine characters in all. */
static const char *find_passport(const char *p, const char **end)
{
    const char *at = p + 1;

    if (!strchr("EGPSDHMCegpsdhmc", *p))
        return NULL;
    at += (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');
    for (*end = at; **end >= '0' && **end <= '9';)
        (*end)++;
    return *end - p == 9 && *end - at >= 7 && !is_alnum(**end) ? "［证件号］" : NULL;
}

/* 津A·12345, 津AD12345 */
static const char *find_plate(const char *p, const char **end)
{
    static const char provinces[] =
        "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
    static const char *const ends[] = { "挂", "学", "警", "港", "澳", NULL };
    size_t one = first_character(p);
    char first[5] = { 0 };
    int digits = 0;

    if (one != 3 || !strstr(provinces, memcpy(first, p, one)) || p[one] < 'A' || p[one] > 'Z')
        return NULL;
    p += one + 1;
    p += !strncmp(p, "·", strlen("·")) ? strlen("·") : *p == ' ' || *p == '-';
    for (*end = p; is_alnum(**end); (*end)++)
        digits += **end <= '9';
    for (int i = 0; ends[i]; i++)
        if (*end - p == 4 && !strncmp(*end, ends[i], strlen(ends[i]))) {
            *end += strlen(ends[i]);
            return "［车牌］";
        }
    return (*end - p == 5 || *end - p == 6) && digits >= 3 ? "［车牌］" : NULL;
}

/* ---- what is known ---- */

/* What of it stands at p; NULL: nothing. */
static const struct letter_known *find_known(const char *p, const struct letter_known *known,
                                             int n)
{
    for (int i = 0; i < n; i++)
        if (*known[i].text && !strncmp(p, known[i].text, strlen(known[i].text)))
            return &known[i];
    return NULL;
}

static const char *find(const char *text, const char *p, const struct letter_known *known,
                        int n, const char **end)
{
    const char *what = NULL;
    int bytes;

    if (p > text && is_alnum(p[-1]))
        return NULL;
    if (digit_at(p, &bytes) >= 0)
        what = find_number(text, p, known, n, end);
    if (!what && is_mail(*p))
        what = find_mail(p, end);
    if (!what && is_alnum(*p) && !(what = find_handle(text, p, end)))
        what = find_passport(p, end);
    return what ? what : find_plate(p, end);
}

static void put_known(struct buf *out, const struct letter_known *k)
{
    if (k->stands) {
        buf_adds(out, k->stands);
        return;
    }
    buf_add(out, k->text, first_character(k->text));
    buf_adds(out, "某");
}

const char *letter_redact(struct arena *mem, const char *text, const struct letter_known *known,
                          int n)
{
    struct buf out = BUF_IN(mem);

    buf_adds(&out, "");
    for (const char *p = text; *p;) {
        const char *end, *what = find(text, p, known, n, &end);
        const struct letter_known *k = what ? NULL : find_known(p, known, n);

        if (what) {
            buf_adds(&out, what);
            p = end;
        } else if (k) {
            put_known(&out, k);
            p += strlen(k->text);
        } else {
            buf_add(&out, p, first_character(p));
            p += first_character(p);
        }
    }
    buf_reserve(&out, 1);
    out.p[out.n] = '\0';
    return out.p;
}
