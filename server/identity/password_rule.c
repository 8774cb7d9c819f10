/*
 * password_rule.c - a password is easy if it is made of three easy pieces or fewer.
 *
 *     zhangwei1987      zhangwei | 1987            P@ssw0rd!   password | !
 *     Tianjin@2026      tianjin | @ | 2026         1qaz2wsx    1qaz2wsx
 *     5201314abc        5201314 | abc              a123456789  a | 123456789
 *
 * Lists of leaked passwords are long because the same few habits are combined; so we look for the
 * habits. Pieces are:
 *
 *     - one character, or the same one again and again;
 *     - characters that follow each other by one or two: 4567, fedc, 13579;
 *     - a walk over the keyboard or the number pad: qwer, 1q2w3e, 147258;
 *     - a year, a date, a mobile number, the number of an identity card;
 *     - one or two syllables of pinyin, which makes names and places;
 *     - a word of the lists (.inc), or of the account itself; capitals and 0 for o do not hide it.
 *
 * The fewest pieces that cover the whole password are counted; four are enough. So a sentence or
 * eight characters out of a generator are always fit, however they look: there is no rule about
 * classes of characters (NIST SP 800-63B section 5.1.1.2 advises against them).
 *
 * The text is compared in lower case (Unicode case folding), byte by byte. A password has at most
 * 512 bytes and the list a few thousand words, so one look costs less than a millisecond.
 */
#include "server/identity/password_rule.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "server/base/memory.h"
#include "server/base/secret.h"
#include "server/identity/password.h"

enum { EASY = 3, FOLDED = 4 * PASSWORD_TEXT, SYLLABLES = 2, OWN_END = 4 };

static const char *const words[] = {
#include "server/identity/password_leaked.inc"
#include "server/identity/password_words.inc"
};

/* ---- pieces that may end anywhere: how far one reaches from p ---- */

static size_t reach_same(const char *p, size_t n)
{
    size_t unit = 1, i;

    while (unit < n && ((unsigned char)p[unit] & 0xc0) == 0x80) /* the rest of a character */
        unit++;
    for (i = unit; i + unit <= n && !memcmp(p, p + i, unit);)
        i += unit;
    return i;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* After 9 comes 0. */
static bool follows(char a, char b, int step)
{
    return is_alnum(b) && (b - a == step || (a == '9' && b == '0' && step == 1) ||
                           (a == '0' && b == '9' && step == -1));
}

static size_t reach_sequence(const char *p, size_t n)
{
    static const int steps[] = { 1, -1, 2, -2 };
    size_t best = 0;

    for (size_t s = 0; s < sizeof steps / sizeof *steps && is_alnum(p[0]); s++) {
        size_t i = 1;

        while (i < n && follows(p[i - 1], p[i], steps[s]))
            i++;
        best = i > best ? i : best;
    }
    return best;
}

/* Read in both directions. */
static const char *const walks[] = {
    "`1234567890-=",
    "~!@#$%^&*()_+",
    "qwertyuiop[]\\",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik<(ol>)p:?",
    "qazwsxedcrfvtgbyhnujmikolp",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7,ki8.lo9/;p0",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1s2d3f4g5h6j7k8l9",
    "z1x2c3v4b5n6m7",
    "a1b2c3d4e5f6g7h8i9",
    "1a2b3c4d5e6f7g8h9i",
    "1z2x3c4v5b6n7m",
    "qweasdzxcrtyfghvbn",
    "147258369",
    "789456123",
    "741852963",
    "159357",
    "159753",
    "258456",
};

static size_t reach_walk(const char *p, size_t n)
{
    size_t best = 0;

    for (size_t w = 0; w < sizeof walks / sizeof *walks; w++) {
        const char *walk = walks[w];
        int len = (int)strlen(walk);

        for (int at = 0; at < len; at++)
            for (int step = -1; step <= 1; step += 2) {
                size_t i = 0;

                for (int j = at; i < n && j >= 0 && j < len && walk[j] == p[i]; j += step)
                    i++;
                best = i > best ? i : best;
            }
    }
    return best;
}

/* ---- pieces of one length: whether p has one of n bytes ---- */

static bool digits(const char *p, size_t n, int *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *value = *value % 100000000 * 10 + p[i] - '0'; /* of a long number the end */
    }
    return true;
}

static bool is_year(int y)
{
    return y >= 1900 && y < 2100;
}

static bool is_day(int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* 1987, 0512, 870512, 198705, 19870512, 12051987. */
static bool is_date(const char *p, size_t n)
{
    int v;

    if (!digits(p, n, &v))
        return false;
    switch (n) {
    case 4: return is_year(v) || is_day(v / 100, v % 100);
    case 6: return is_day(v / 100 % 100, v % 100) || is_year(v / 100);
    case 8:
        return (is_year(v / 10000) && is_day(v / 100 % 100, v % 100)) ||
               (is_year(v % 10000) && is_day(v / 10000 % 100, v / 1000000));
    default: return false;
    }
}

static bool is_mobile(const char *p, size_t n)
{
    int v;

    return n == 11 && p[0] == '1' && p[1] >= '3' && digits(p, n, &v);
}

/* GB 11643: region, birthday, three digits, a check character. */
static bool is_identity_card(const char *p, size_t n)
{
    int v;

    return n == 18 && digits(p, 17, &v) && (p[17] == 'x' || digits(p + 17, 1, &v)) &&
           is_date(p + 6, 8);
}

/* What people write for a letter. */
static bool stands_for(char typed, char letter)
{
    static const char *const pairs[] = { "@a", "4a", "8b", "3e", "9g", "1i", "!i", "1l",
                                         "0o", "5s", "$s", "7t", "+t", "2z", "vu" };

    if (typed == letter)
        return true;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][0] == typed && pairs[i][1] == letter)
            return true;
    return false;
}

static bool is_word_of(const char *p, size_t n, const char *word)
{
    size_t i = 0;

    while (i < n && word[i] && stands_for(p[i], word[i]))
        i++;
    return i == n && !word[i];
}

static bool is_word(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word_of(p, n, words[i]))
            return true;
    return false;
}

/* ---- pinyin ---- */

static const char *const initials[] = { "zh", "ch", "sh", "b", "p", "m", "f", "d",
                                        "t",  "n",  "l",  "g", "k", "h", "j", "q",
                                        "x",  "r",  "z",  "c", "s", "y", "w", "" };
static const char *const finals[] = { "iang", "iong", "uang", "ang", "eng", "ong", "iao",
                                      "ian",  "ing",  "uai",  "uan", "ai",  "ei",  "ao",
                                      "ou",   "an",   "en",   "ia",  "ie",  "iu",  "in",
                                      "ua",   "uo",   "ui",   "un",  "ve",  "ue",  "er",
                                      "a",    "o",    "e",    "i",   "u",   "v" };

static bool is_syllable(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof initials / sizeof *initials; i++) {
        size_t k = strlen(initials[i]);

        for (size_t f = 0;
             k < n && !memcmp(p, initials[i], k) && f < sizeof finals / sizeof *finals; f++)
            if (strlen(finals[f]) == n - k && !memcmp(p + k, finals[f], n - k))
                return true;
    }
    return false;
}

static bool is_pinyin(const char *p, size_t n)
{
    enum { SYLLABLE_MAX = 6 };

    if (n < 2 || n > SYLLABLES * SYLLABLE_MAX)
        return false;
    for (size_t first = 1; first < n; first++)
        if (is_syllable(p, first) && is_syllable(p + first, n - first))
            return true;
    return is_syllable(p, n);
}

static size_t (*const growing[])(const char *p, size_t n) = { reach_same, reach_sequence,
                                                              reach_walk };
static bool (*const fixed[])(const char *p, size_t n) = { is_date, is_mobile, is_identity_card,
                                                          is_pinyin, is_word };

enum { PIECE_MAX = 24 }; /* no fixed piece is longer */

/* ---- covering ---- */

struct guess {
    char text[FOLDED];
    size_t n;
    char own[PASSWORD_OWN_MAX][FOLDED]; /* "": none */
};

/* The whole, or its end: the last digits of a phone number. */
static bool is_own(const struct guess *g, const char *p, size_t n)
{
    for (int i = 0; i < PASSWORD_OWN_MAX; i++) {
        size_t own_n = strlen(g->own[i]);

        if (n <= own_n && (n == own_n || n >= OWN_END) &&
            is_word_of(p, n, g->own[i] + own_n - n))
            return true;
    }
    return false;
}

static bool is_piece(const struct guess *g, const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed && n <= PIECE_MAX; i++)
        if (fixed[i](p, n))
            return true;
    return is_own(g, p, n);
}

static size_t reach(const char *p, size_t n)
{
    size_t best = 0;

    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++) {
        size_t r = growing[i](p, n);

        best = r > best ? r : best;
    }
    return best;
}

/* The ends that one more piece reaches from `from`, of those that `ends` begins with. */
static bool is_covered(const struct guess *g)
{
    unsigned char pieces[FOLDED + 1]; /* the fewest that cover the first i bytes */

    memset(pieces, EASY + 1, g->n + 1);
    pieces[0] = 0;
    for (size_t i = 0; i < g->n; i++) {
        size_t far;

        if (pieces[i] >= EASY)
            continue;
        far = reach(g->text + i, g->n - i);
        for (size_t k = 1; i + k <= g->n; k++)
            if (pieces[i + k] > pieces[i] + 1 && (k <= far || is_piece(g, g->text + i, k)))
                pieces[i + k] = (unsigned char)(pieces[i] + 1);
    }
    return pieces[g->n] <= EASY;
}

static size_t fold(const char *text, char out[FOLDED])
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text, 0, &folded,
                                      UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                          UTF8PROC_COMPAT | UTF8PROC_CASEFOLD);
    bool fits = n >= 0 && n < FOLDED;

    if (n == UTF8PROC_ERROR_NOMEM)
        memory_end(); /* or an easy password were a hard one */
    out[0] = '\0';
    if (fits)
        memcpy(out, folded, (size_t)n + 1);
    if (n > 0)
        secret_wipe(folded, (size_t)n);
    free(folded);
    return fits ? (size_t)n : 0;
}

enum rc password_is_fit(struct err *e, const char *normal, const char *const *own, int n)
{
    struct guess g;
    bool easy;

    g.n = fold(normal, g.text);
    for (int i = 0; i < PASSWORD_OWN_MAX; i++) {
        g.own[i][0] = '\0';
        if (i < n && own[i])
            fold(own[i], g.own[i]);
    }
    easy = is_covered(&g);
    secret_wipe(&g, sizeof g);
    if (easy)
        return err_field(e, "password", "a password that is easy to guess");
    return RC_OK;
}
