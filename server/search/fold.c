/*
 * fold.c - character by character; only what is neither ASCII nor a common ideograph is looked up.
 */
#include "server/search/fold.h"

#include <utf8proc.h>

enum { MOST = 24 /* characters that one can become: U+FDFA has 18 */ };

struct out {
    char *p;
    uint32_t *at;
    size_t n;
    bool blank; /* one is due */
};

static void put_byte(struct out *o, char c, size_t at)
{
    if (o->at)
        o->at[o->n] = (uint32_t)at;
    o->p[o->n++] = c;
}

static void put_char(struct out *o, int32_t c, size_t at)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);

    if (o->blank && o->n)
        put_byte(o, ' ', at);
    o->blank = false;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        put_byte(o, (char)bytes[i], at);
}

static bool is_plain_ideograph(int32_t c)
{
    return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x2f7ff) ||
           (c >= 0x2fa20 && c <= 0x3fffd);
}

enum kind { DROP, BLANK, KEEP };

/* What becomes of a character that was taken apart. */
static enum kind kind_of(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? KEEP : BLANK;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME: return DROP;
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_CO: return KEEP;
    default: return BLANK;
    }
}

static void put_other(struct out *o, int32_t c, size_t at)
{
    utf8proc_int32_t apart[MOST];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        c, apart, MOST,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &boundary);

    if (n < 0 || n > MOST)
        n = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        enum kind k = kind_of(apart[i]);

        if (k == KEEP)
            put_char(o, apart[i], at);
        else if (k == BLANK)
            o->blank = true;
    }
}

static void put_ascii(struct out *o, char c, size_t at)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c | 0x20);
    if (fold_is_word(c))
        put_char(o, c, at);
    else
        o->blank = true;
}

void fold(struct arena *mem, const char *s, size_t n, bool places, struct folded *out)
{
    /* Few become longer, and those are counted: the worst is 33 bytes of 3. */
    size_t room = n + 64, i = 0;
    struct out o = { 0 };

    for (size_t k = 0; k < n; k++)
        room += (unsigned char)s[k] >= 0xe0 && (unsigned char)s[k] != 0xe4 &&
                        !((unsigned char)s[k] >= 0xe5 && (unsigned char)s[k] <= 0xe9)
                    ? 4 * MOST
                : (unsigned char)s[k] >= 0xc0 && (unsigned char)s[k] < 0xe0 ? 16
                                                                            : 0;
    o.p = arena_alloc(mem, room);
    o.at = places ? arena_alloc(mem, room * sizeof *o.at) : NULL;
    while (i < n) {
        utf8proc_int32_t c;
        utf8proc_ssize_t took;

        if (!((unsigned char)s[i] & 0x80)) {
            put_ascii(&o, s[i], i);
            i++;
            continue;
        }
        took = utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
        if (took <= 0) {
            o.blank = true;
            i++;
            continue;
        }
        if (is_plain_ideograph(c))
            put_char(&o, c, i);
        else
            put_other(&o, c, i);
        i += (size_t)took;
    }
    o.p[o.n] = '\0';
    if (o.at)
        o.at[o.n] = (uint32_t)n;
    *out = (struct folded){ .p = o.p, .n = o.n, .at = o.at };
}
