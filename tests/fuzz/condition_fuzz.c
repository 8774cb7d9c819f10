/*
 * condition_fuzz.c - any bytes as If-None-Match or Range: a second reader, which cuts the text apart instead of walking it, agrees.
 *
 * The first byte chooses the field. Of a range the second byte is the length of the content, and what was let in is asked
 * for again in its plainest spelling.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char etag[] = "\"ab\"";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One element of the list, blanks around it taken off: 1 is our tag, 0 another tag or nothing, -1 neither. */
static int element(const char *p, size_t n)
{
    while (n && is_blank(p[n - 1]))
        n--;
    for (; n && is_blank(*p); n--)
        p++;
    if (!n)
        return 0;
    if (n > 2 && !memcmp(p, "W/", 2))
        p += 2, n -= 2;
    if (n < 2 || *p != '"' || memchr(p + 1, '"', n - 1) != p + n - 1)
        return -1;
    return n == strlen(etag) && !memcmp(p, etag, n);
}

/* Commas inside quotes part nothing. */
static bool model_lists(const char *p, size_t n)
{
    bool quoted = false, found = false, star = false;
    size_t begin = 0, bytes = 0;

    for (size_t i = 0; i <= n; i++) {
        int is;

        if (i < n && (quoted || p[i] != ',')) {
            quoted ^= p[i] == '"';
            star |= p[i] == '*';
            bytes += !is_blank(p[i]);
            continue;
        }
        bytes += i < n;
        if ((is = element(p + begin, i - begin)) < 0)
            return star && bytes == 1;
        found |= is;
        begin = i + 1;
    }
    return found;
}

static void try_list(const char *p, size_t n)
{
    if (condition_lists(p, n, etag) != model_lists(p, n))
        abort();
}

/* The number behind "bytes=", as far as it matters for a content of 255 bytes. */
static size_t first_of(const char *p, size_t n)
{
    size_t first = 0;

    for (size_t i = 6; i < n && p[i] >= '0' && p[i] <= '9'; i++)
        first = first > 255 ? first : first * 10 + (size_t)(p[i] - '0');
    return first;
}

static void try_range(const char *p, size_t n, size_t len)
{
    size_t from = 0, part = 0, from2 = 0, part2 = 0;
    enum condition_range range = condition_range(p, n, len, &from, &part);
    char plain[80];

    if (range == RANGE_OUTSIDE && p[6] != '-' && first_of(p, n) < len)
        abort();
    if (range != RANGE_PART)
        return;
    if (!part || from >= len || part > len - from)
        abort();
    snprintf(plain, sizeof plain, "bytes=%zu-%zu", from, from + part - 1);
    if (condition_range(plain, strlen(plain), len, &from2, &part2) != RANGE_PART ||
        from2 != from || part2 != part)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *exact;

    if (n < 2)
        return 0;
    exact = malloc(n - 2 + (n == 2)); /* no longer than it is, so that a read too far is seen */
    memcpy(exact, data + 2, n - 2);
    if (data[0] % 2)
        try_list(exact, n - 2);
    else
        try_range(exact, n - 2, data[1]);
    free(exact);
    return 0;
}
