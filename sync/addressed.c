/*
 * addressed.c - an expression is read and told in one walk. All of it is read, whatever its first parts say: so what is refused does not depend on who asks.
 */
#include "sync/addressed.h"

#include <string.h>

#include "sync/state.h"

enum { WORD = 160 };

struct walk {
    const char *at, *end;
    int terms;
    bool (*has)(void *ctx, const char *word);
    void *ctx;
};

static bool take(struct walk *k, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(k->end - k->at) < n || memcmp(k->at, text, n) != 0)
        return false;
    k->at += n;
    return true;
}

/* ---- terms ---- */

/* What stands before the next quotation mark; no key has an escape in it. */
static bool take_text(struct walk *k, char *out, size_t room)
{
    size_t n = 0;

    while (k->at + n < k->end && k->at[n] != '"' && k->at[n] != '\\')
        n++;
    if (n >= room || k->at + n == k->end || k->at[n] != '"')
        return false;
    memcpy(out, k->at, n);
    out[n] = '\0';
    k->at += n + 1;
    return true;
}

static enum addressed take_term(struct walk *k, const char *name)
{
    static const char *const names[] = { "column", "org", "area", "tag" };
    char word[WORD];
    size_t n = strlen(name);
    bool known = false;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        known = known || strcmp(names[i], name) == 0;
    if (!known || ++k->terms > ADDRESSED_TERMS || !take(k, "\""))
        return ADDRESSED_UNREADABLE;
    memcpy(word, name, n);
    word[n] = '/';
    if (!take_text(k, word + n + 1, sizeof word - n - 1) ||
        !state_key_ok(state_type_find("follow"), word))
        return ADDRESSED_UNREADABLE;
    return k->has(k->ctx, word) ? ADDRESSED_YES : ADDRESSED_NO;
}

static enum addressed take_all(struct walk *k)
{
    return ++k->terms <= ADDRESSED_TERMS && take(k, "true") ? ADDRESSED_YES
                                                            : ADDRESSED_UNREADABLE;
}

/* ---- operators ---- */

static enum addressed take_part(struct walk *k, int deep);

static enum addressed take_list(struct walk *k, bool every, int deep)
{
    enum addressed sum = every ? ADDRESSED_YES : ADDRESSED_NO;
    int n = 0;

    if (!take(k, "["))
        return ADDRESSED_UNREADABLE;
    do {
        enum addressed one = take_part(k, deep + 1);

        if (one == ADDRESSED_UNREADABLE)
            return one;
        sum = one == (every ? ADDRESSED_NO : ADDRESSED_YES) ? one : sum;
        n++;
    } while (take(k, ","));
    return n > 1 && take(k, "]") ? sum : ADDRESSED_UNREADABLE;
}

static enum addressed take_not(struct walk *k, int deep)
{
    enum addressed one = take_part(k, deep + 1);

    if (one == ADDRESSED_UNREADABLE)
        return one;
    return one == ADDRESSED_YES ? ADDRESSED_NO : ADDRESSED_YES;
}

static enum addressed take_member(struct walk *k, const char *name, int deep)
{
    if (strcmp(name, "all") == 0)
        return take_all(k);
    if (strcmp(name, "and") == 0 || strcmp(name, "or") == 0)
        return take_list(k, *name == 'a', deep);
    return strcmp(name, "not") == 0 ? take_not(k, deep) : take_term(k, name);
}

static enum addressed take_part(struct walk *k, int deep)
{
    char name[16];
    enum addressed one;

    if (deep > ADDRESSED_DEEP || !take(k, "{\"") || !take_text(k, name, sizeof name) ||
        !take(k, ":"))
        return ADDRESSED_UNREADABLE;
    one = take_member(k, name, deep);
    return take(k, "}") ? one : ADDRESSED_UNREADABLE;
}

enum addressed addressed_tell(const char *json, size_t n,
                              bool (*has)(void *ctx, const char *word), void *ctx)
{
    struct walk k = { .at = json, .end = json + n, .has = has, .ctx = ctx };
    enum addressed all;

    if (n > ADDRESSED_MAX)
        return ADDRESSED_UNREADABLE;
    all = take_part(&k, 1);
    return k.at == k.end ? all : ADDRESSED_UNREADABLE;
}

/* ---- areas ---- */

/* An area's code begins with that of the area around it; a city's is that of its first two pairs. */
bool addressed_area_around(char area[ADDRESSED_AREA])
{
    size_t n = strlen(area);

    if (n > 6) {
        area[n - 3] = '\0';
        return true;
    }
    if (n < 6 || strcmp(area + 2, "0000") == 0)
        return false;
    memcpy(area + 2, "0000", 5);
    return true;
}
