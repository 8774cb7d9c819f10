/*
 * check.h - what is wrong, or may be, with a record before anybody else sees it.
 *
 * Pure: no I/O, no clock, no state. What a rule must know beside the text (the day, the lists of
 * words, the hosts that are ours) is handed in. rule.def has the rules, each with its version: a
 * verdict says by which version of a rule it was found, for it is kept longer than the rule.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"

enum check_severity { CHECK_OFF, CHECK_WARNING, CHECK_BLOCKING, CHECK_UNSET };
enum check_step { CHECK_SAVE = 1, CHECK_REVIEW = 2, CHECK_PUBLISH = 4 };

enum check_rule_no {
#define RULE(name, version, severity, steps, judge, label) CHECK_RULE_##judge,
#include "server/check/rule.def"
#undef RULE
    CHECK_RULES
};

/* Verdicts of one run, and of one rule in it: a text that breaks a rule everywhere says so. */
enum { CHECK_VERDICTS_MAX = 200, CHECK_OF_A_RULE_MAX = 20 };

struct check_rule {
    const char *name; /* "title.hijacked": in answers, settings, tables */
    int version;
    enum check_severity severity; /* unless a site says otherwise */
    unsigned steps;               /* of enum check_step */
    const char *label;            /* Chinese */
};
extern const struct check_rule check_rules[CHECK_RULES];
/* CHECK_RULES if there is none of that name. */
enum check_rule_no check_rule_find(const char *name);
const char *check_severity_name(
    enum check_severity severity); /* "off", "warning", "blocking", "default" */

/* A record: the values of its fields as text, by the names of field.def. Lists are one text with a
 * line for each element; attachments are "name\n". */
struct check_text {
    const char *field, *text;
    size_t n;
};
struct check_item {
    const char *kind; /* "policy" … */
    const struct check_text *texts;
    int n;
};

struct words; /* words.h */

struct check_context {
    int64_t now;                      /* seconds */
    int64_t published;                /* seconds: when it was first published; 0: not yet */
    const struct words *const *words; /* lists, NULL-terminated; may be NULL */
    const char *const *hosts; /* ours: "tj.gov.cn" is also www.tj.gov.cn; NULL-terminated */
    const uint8_t *
        severity; /* CHECK_RULES of enum check_severity; NULL, or CHECK_UNSET: as in rule.def */
};

struct check_verdict {
    enum check_rule_no rule;
    enum check_severity severity;
    const char *field;
    int from, to; /* code points of the field's text; both 0: the field as a whole */
    const char *
        said; /* Chinese: what, why, how to mend. Of the text it repeats no number of a person */
};

struct check_result {
    struct check_verdict *verdicts; /* in the order of rules, then of fields and places */
    int n;
    bool blocked, more; /* one is blocking; there are more than were kept */
};

/* All rules of the step that are not off. In `mem`; linear in the length of the texts. */
void check_run(struct arena *mem, const struct check_item *item, enum check_step step,
               const struct check_context *context, struct check_result *out);

#endif
