/*
 * step.c - a cookie with a few dots.
 */
#include "api/step.h"

#include <string.h>

#include "api/visitor.h"
#include "server/base/id.h"

enum { WHO_TEXT = 4 * IDENTIFIER_TEXT / 3 + 4 };

void step_keep(struct work *w, const struct request *rq, struct reply *rp, const struct step *s)
{
    char who[WHO_TEXT];

    (void)b64url_text(s->who, strlen(s->who), who, sizeof who);
    visitor_set(w, rq, rp, VISITOR_STEP,
                arena_printf(w->mem, "%c.%s.%s.%u", s->kind, who, s->ticket, s->factors));
}

void step_forget(struct work *w, const struct request *rq, struct reply *rp)
{
    visitor_set(w, rq, rp, VISITOR_STEP, NULL);
}

bool step_find(struct work *w, const struct request *rq, enum step_kind kind, struct step *out)
{
    char *text = (char *)visitor_cookie(w->mem, rq, VISITOR_STEP);
    const char *mark, *who, *ticket, *factors;
    int n;

    *out = (struct step){ .kind = kind };
    if (!text || !(mark = strsep(&text, ".")) || mark[0] != (char)kind || mark[1] ||
        !(who = strsep(&text, ".")) || !(ticket = strsep(&text, ".")) ||
        !(factors = strsep(&text, ".")) || text || *factors < '0' || *factors > '9' ||
        factors[1] || strlen(ticket) >= sizeof out->ticket)
        return false;
    n = b64url_parse(who, strlen(who), out->who, sizeof out->who - 1);
    if (n < 0 || memchr(out->who, '\0', (size_t)n))
        return false;
    strcpy(out->ticket, ticket);
    out->factors = (unsigned)*factors - '0';
    return true;
}
