/*
 * action.h - what a device asks for that is more than an entry to be written: sending a letter, answering a survey, dropping a message.
 *
 * A row of the table in action.c is a name and a function. The exchange calls it once for each mutation of that name, in the transaction that also holds the device's
 * number and the result, so it happens exactly once; what it changes of the account's state it changes by entry_put().
 */
#ifndef CITIZEN_ACTION_H
#define CITIZEN_ACTION_H

#include <jansson.h>

#include "server/base/buf.h"
#include "server/base/work.h"

enum refused {
    REFUSED_NOT,
#define REFUSED(name, chinese) REFUSED_##name,
#include "server/citizen/refused.def"
#undef REFUSED
    REFUSED_COUNT
};

const char *refused_code(enum refused why);    /* "too_many" */
const char *refused_chinese(enum refused why); /* for the person, if nothing better is known */

struct mutation {
    int64_t account;
    const char *device; /* 22 characters */
    int64_t n;
    const char *type,
        *key; /* key: at most STATE_KEY_MAX bytes without control characters, and no more than that is known of it */
    json_t *value;    /* NULL: absent, or null */
    const char *text; /* the same as canonical JSON; NULL likewise */
    int64_t seen;     /* the seq at which its author saw the entry; -1: he does not say */
};

struct result {
    enum refused why;   /* REFUSED_NOT: it is done */
    const char *detail; /* Chinese, for the person; NULL: the code's own words */
    int64_t seq;        /* where the entry stands; 0: there is none */
    struct buf
        more; /* other members of the answer, put by jx_put_text() and its like: begins with '{', or is empty */
};

/* Fills *r and returns RC_OK: `return result_refuse(r, REFUSED_closed, NULL)`. What was changed before it is undone by who calls the action. */
enum rc result_refuse(struct result *r, enum refused why, const char *detail);
/* For jx_put_text() and its like. */
struct buf *result_more(struct work *w, struct result *r);

struct action {
    const char *name;
    int level; /* acr at least: 0 is a guest, 1 whoever has proved a phone */
    /*
     * On the writer, in a savepoint of its own, which a refusal undoes. RC_INVALID, RC_FORBIDDEN, RC_NOT_FOUND, RC_CONFLICT, RC_GONE, RC_TOO_LARGE and RC_TOO_MANY undo what it did and become
     * refusals (value, rights, missing, conflict, closed, value, limit) without words of their own; all others fail the exchange, which the device sends again.
     */
    enum rc (*apply)(struct work *w, const struct mutation *m, struct result *r);
};

const struct action *action_find(const char *name); /* NULL: there is none */

#endif
