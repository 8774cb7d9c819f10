/*
 * grant_scope.c - the table, forth and back.
 */
#include "server/identity/grant_scope.h"

#include <string.h>

static const struct {
    const char *word, *chinese;
    unsigned bit;
} table[] = {
#define GRANT_SCOPE(name, bit, word, chinese) { word, chinese, 1u << (bit) },
#include "server/identity/grant_scope.def"
#undef GRANT_SCOPE
};

_Static_assert(sizeof table / sizeof *table == GRANT_SCOPES, "grant_scope.h");

static unsigned scope_of(const char *word, size_t n)
{
    for (int i = 0; i < GRANT_SCOPES; i++)
        if (strlen(table[i].word) == n && !memcmp(table[i].word, word, n))
            return table[i].bit;
    return 0;
}

unsigned grant_scopes_read(const char *text)
{
    unsigned scopes = 0;

    for (size_t n; *text; text += n + (text[n] == ' ')) {
        n = strcspn(text, " ");
        scopes |= scope_of(text, n);
    }
    return scopes;
}

const char *grant_scopes_text(unsigned scopes, char out[GRANT_SCOPES_TEXT])
{
    char *at = out;

    *out = '\0';
    for (int i = 0; i < GRANT_SCOPES; i++) {
        if (!(scopes & table[i].bit))
            continue;
        if (at > out)
            *at++ = ' ';
        at = stpcpy(at, table[i].word);
    }
    return out;
}

int grant_scopes_chinese(unsigned scopes, const char *out[GRANT_SCOPES])
{
    int n = 0;

    for (int i = 0; i < GRANT_SCOPES; i++)
        if (scopes & table[i].bit)
            out[n++] = table[i].chinese;
    return n;
}
