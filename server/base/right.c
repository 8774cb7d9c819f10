/*
 * right.c - rights by their words.
 */
#include "server/base/right.h"

#include <assert.h>
#include <string.h>

static const struct {
    enum right right;
    const char *word, *chinese;
} table[] = {
#define RIGHT(name, bit, word, chinese, at_site) { RIGHT_##name, word, chinese },
#include "server/base/right.def"
#undef RIGHT
};

enum { ROWS = sizeof table / sizeof *table };

#define RIGHT(name, bit, word, chinese, at_site) +sizeof word
static_assert(RIGHTS_TEXT >= 1
#include "server/base/right.def"
);
#undef RIGHT

const char *right_name(enum right right)
{
    for (int i = 0; i < ROWS; i++)
        if (table[i].right == right)
            return table[i].word;
    return "unknown";
}

const char *right_chinese(enum right right)
{
    for (int i = 0; i < ROWS; i++)
        if (table[i].right == right)
            return table[i].chinese;
    return "";
}

unsigned right_parse(const char *word, size_t n)
{
    for (int i = 0; i < ROWS; i++)
        if (strlen(table[i].word) == n && !memcmp(table[i].word, word, n))
            return table[i].right;
    return 0;
}

const char *rights_text(unsigned rights, char out[RIGHTS_TEXT])
{
    out[0] = '\0';
    for (int i = 0; i < ROWS; i++) {
        if (!(rights & table[i].right))
            continue;
        if (*out)
            strcat(out, ",");
        strcat(out, table[i].word);
    }
    return out;
}

bool rights_parse(const char *text, unsigned *out, const char **bad)
{
    unsigned rights = 0;

    for (;; text++) {
        size_t n = strcspn(text, ",");
        unsigned right = right_parse(text, n);

        if (!right) {
            *bad = text;
            return false;
        }
        rights |= right;
        text += n;
        if (!*text)
            break;
    }
    *out = rights;
    return true;
}
