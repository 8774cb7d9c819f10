/*
 * words.c - see the header.
 */
#include "server/search/words.h"

#include <string.h>

enum {
    LONG_RUN = 12, /* bytes: four ideographs */
    BEGINNING = 2  /* letters of a word that may go on: one is the beginning of too many */
};

static size_t word_end(const char *s, size_t n, size_t i)
{
    while (i < n && fold_is_word(s[i]))
        i++;
    return i;
}

static size_t run_end(const char *s, size_t n, size_t i)
{
    while (i < n && fold_is_letter(s[i]))
        i += fold_char(s[i]);
    return i;
}

static size_t cut(size_t n)
{
    return n < WORD_MAX ? n : WORD_MAX;
}

void words_add(struct buf *out, const char *s, size_t n)
{
    buf_reserve(out, 4 * n + 8);
    for (size_t i = 0; i < n;) {
        if (fold_is_word(s[i])) {
            size_t end = word_end(s, n, i);

            buf_add(out, s + i, cut(end - i));
            buf_addc(out, ' ');
            i = end;
        } else if (fold_is_letter(s[i])) {
            size_t one = fold_char(s[i]), next = i + one;

            buf_add(out, s + i, one);
            buf_addc(out, ' ');
            if (next < n && fold_is_letter(s[next])) {
                buf_add(out, s + i, one + fold_char(s[next]));
                buf_addc(out, ' ');
            }
            i = next;
        } else {
            i++;
        }
    }
}

static void ask(struct buf *out, int *count, const char *s, size_t n, bool prefix)
{
    buf_adds(out, *count ? " AND \"" : "\"");
    buf_add(out, s, n);
    buf_adds(out, prefix ? "\"*" : "\"");
    ++*count;
}

/*
 * A run of letters: its pairs, or its one character. Of long runs every other pair and the last, which hold all of its characters: what they let through besides
 * is looked for in the text anyway, and each list that is not read is time. Returns where it ends.
 */
static size_t ask_run(struct buf *out, int *count, const char *s, size_t n, size_t i)
{
    size_t one = fold_char(s[i]), next = i + one, begin = i;

    if (next >= n || !fold_is_letter(s[next])) {
        ask(out, count, s + i, one, false);
        return next;
    }
    for (size_t end = run_end(s, n, i), k = 0; next < end;
         i = next, next += fold_char(s[next]), k++) {
        size_t pair = next - i + fold_char(s[next]);

        if (end - begin <= LONG_RUN || k % 2 == 0 || i + pair == end)
            ask(out, count, s + i, pair, false);
    }
    return next;
}

int words_ask(struct buf *out, const char *s, size_t n, bool prefix)
{
    int count = 0;

    for (size_t i = 0; i < n;) {
        if (fold_is_word(s[i])) {
            size_t end = word_end(s, n, i);

            ask(out, &count, s + i, cut(end - i),
                prefix && end == n && end - i >= BEGINNING && end - i <= WORD_MAX);
            i = end;
        } else if (fold_is_letter(s[i])) {
            i = ask_run(out, &count, s, n, i);
        } else {
            i++;
        }
    }
    return count;
}

static bool splits_word(const char *text, size_t n, size_t at)
{
    return at > 0 && at < n && fold_is_word(text[at - 1]) && fold_is_word(text[at]);
}

size_t words_find(const char *text, size_t n, size_t from, const char *phrase, size_t phrase_n,
                  bool prefix)
{
    while (from + phrase_n <= n) {
        const char *p = memmem(text + from, n - from, phrase, phrase_n);
        size_t at;

        if (!p)
            return SIZE_MAX;
        at = (size_t)(p - text);
        if (!splits_word(text, n, at) && (prefix || !splits_word(text, n, at + phrase_n)))
            return at;
        from = at + 1;
    }
    return SIZE_MAX;
}
