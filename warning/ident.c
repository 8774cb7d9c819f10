/*
 * ident.c - each character by its place.
 */
#include "warning/ident.h"

#include <stdint.h>
#include <string.h>

#include "server/base/clock.h"

enum { REGION_AND_BODY = 9, MOMENT = 14 };

static size_t digits(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] >= '0' && s[i] <= '9')
        i++;
    return i;
}

bool ident_is_code(const char *text, size_t n)
{
    if ((n != IDENT_CODE && n != IDENT_LONG_CODE) || text[0] == '0' ||
        digits(text, n) < REGION_AND_BODY)
        return false;
    for (size_t i = REGION_AND_BODY; i < n; i++)
        if (!digits(text + i, 1) && (text[i] < 'A' || text[i] > 'Z'))
            return false;
    return true;
}

/* The 11 characters of a code whose unit is 000; else the code. */
static size_t short_of(const char *code, char out[IDENT_CODE_TEXT])
{
    size_t n = strlen(code);

    if (n == IDENT_LONG_CODE && !memcmp(code + REGION_AND_BODY, "000", 3)) {
        memcpy(out, code, REGION_AND_BODY);
        memcpy(out + REGION_AND_BODY, code + REGION_AND_BODY + 3, 3);
        return IDENT_CODE;
    }
    memcpy(out, code, n + 1);
    return n;
}

bool ident_same_code(const char *a, const char *b)
{
    char x[IDENT_CODE_TEXT], y[IDENT_CODE_TEXT];
    size_t n = short_of(a, x);

    return n == short_of(b, y) && !memcmp(x, y, n);
}

static bool is_moment(const char *s)
{
    char text[] = "2026-11-21T10:00:00";
    static const char places[] = { 0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18 };
    int64_t at;

    for (int i = 0; i < MOMENT; i++)
        text[(int)places[i]] = s[i];
    return digits(s, MOMENT) == MOMENT && !clock_parse(text, sizeof text - 1, &at);
}

const char *ident_read(const char *text, char code[IDENT_CODE_TEXT])
{
    size_t n = strcspn(text, "_");

    if (!ident_is_code(text, n))
        return "前一段应是发布单位的编码：11 位（区划 6 位、机构 3 位、扩展 2 位），或 14 位";
    if (strlen(text) != n + 1 + MOMENT + 2 || text[n + 1 + MOMENT] != '_' ||
        !digits(text + n + 2 + MOMENT, 1))
        return "应为 编码_年月日时分秒_序号，共 31 位（11 位编码的为 28 位）";
    if (!is_moment(text + n + 1))
        return "中间一段不是一个时刻（年月日时分秒，北京时间）";
    memcpy(code, text, n);
    code[n] = '\0';
    return NULL;
}
