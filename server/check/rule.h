/*
 * rule.h - what the rules of rule.def have in common: the record at hand, its texts folded, and how
 * a rule says what it found.
 */
#ifndef CHECK_RULE_H
#define CHECK_RULE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/check/check.h"

/* A field's text as a rule reads it: full-width letters and digits as ASCII, capitals as small
 * letters, ideographic spaces as blanks, and nothing that takes no room. */
struct folded {
    const struct check_text *from;
    const char *p; /* NUL-terminated */
    size_t n;
    const uint32_t *at; /* n + 1: where each byte came from, in bytes of the original */
};

struct checking {
    struct arena *mem;
    const struct check_item *item;
    const struct check_context *context;
    struct folded *texts; /* item->n */
    enum check_rule_no rule;
    enum check_severity severity; /* of the rule, here */
    int said;                     /* by this rule */
    struct check_result *out;
};

/* Bytes from..to of `t` break the rule (both 0: the whole). `fmt` is the sentence. */
void check_say(struct checking *c, const struct folded *t, size_t from, size_t to,
               const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The same with a severity of its own, as words of a list have; never above the rule's if that
 * was set for the site. */
void check_say_as(struct checking *c, enum check_severity severity, const struct folded *t,
                  size_t from, size_t to, const char *fmt, ...) PRINTF_LIKE(6, 7);
/* A field that is not there. */
void check_say_missing(struct checking *c, const char *field, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A word as texts are folded, in `out`, which takes as many bytes as the word and a NUL; its length. */
size_t check_fold_word(const char *word, char *out);

/* NULL: the record has no such field. */
const struct folded *check_field(const struct checking *c, const char *name);
/* Whether it is prose, and not a name of a file, a hash, an address. */
bool check_is_prose(const struct folded *t);
/* The character before `at` or at it, as ASCII; 0 at an end, 1 for all others. */
char check_before(const struct folded *t, size_t at);
char check_at(const struct folded *t, size_t at);
static inline bool check_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool check_starts(const struct folded *t, size_t at, const char *with)
{
    size_t n = strlen(with);

    return at <= t->n && t->n - at >= n && !memcmp(t->p + at, with, n);
}
static inline bool check_ends(const struct folded *t, size_t at, const char *with)
{
    size_t n = strlen(with);

    return at >= n && !memcmp(t->p + at - n, with, n);
}

#define RULE(name, version, severity, steps, judge, label) \
    void judge_##judge(struct checking *c);
#include "server/check/rule.def"
#undef RULE

#endif
