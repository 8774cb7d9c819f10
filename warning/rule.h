/*
 * rule.h - what a message must be, to be taken from this sender at this moment; and what it then is. Pure. What it refers to is not looked at here: take.c.
 */
#ifndef WARNING_RULE_H
#define WARNING_RULE_H

#include "warning/cap.h"
#include "warning/warning_sender.h"

enum {
    RULE_SKEW =
        300, /* seconds that clocks may differ; so long a signature is good, on both sides of now */
    RULE_LIFE = 86400, /* of a warning that does not say when it expires */
    RULE_LIFE_MAX = 31 * 86400,
    RULE_AREAS = 500
};

struct rule_facts {
    const struct cap_info *info; /* that is shown; NULL: a Cancel has none */
    enum level level;            /* LEVEL_NONE without an info */
    const char *const *areas;    /* none lies in another, ascending; in `mem` */
    int nareas;
    int64_t effective, expires; /* expires 0: a Cancel does not say, or it is over */
};

/* RC_INVALID names the element; RC_FORBIDDEN: not his sender, level or area. */
enum rc rule_check(struct err *e, struct arena *mem, const struct cap *c, const char *code,
                   const struct warning_spec *s, int64_t now, struct rule_facts *out);

/* JSON of an audience (push/audience.h): who lives in those areas or follows one; districts instead of streets if there are too many. */
const char *rule_audience(struct arena *mem, const char *const *areas, int n);
extern const char rule_nobody[];

#endif
