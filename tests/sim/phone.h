/*
 * phone.h - a phone in a process of its own: the real libtjzw by its public header, on a store whose disk may lose what was not
 * synced. Its network is whoever holds the other end of the line.
 */
#ifndef TESTS_SIM_PHONE_H
#define TESTS_SIM_PHONE_H

#include <stdbool.h>

#include "tests/sim/dice.h"
#include "tests/sim/line.h"

/* What it is asked; each ends with an answer of the same kind, whose number is a code of tjzw.h and whose first text says more. */
enum phone_asks {
    PHONE_SYNC,
    PHONE_SHOW, /* Answer: more: that is all there is; texts: -, a line for each item that is shown: its title, the cursor */
    PHONE_VERIFY, /* tjzw_verify */
    PHONE_ME, /* Answer: texts: -, entries as lines "type\tkey\tvalue", "account guest unsent attention" */
    PHONE_PUT,     /* texts: type, key, value; "": it is removed */
    PHONE_CODE,    /* text: a phone number to which a code is to be sent */
    PHONE_SIGN_IN, /* texts: phone number, code */
    PHONE_SIGN_OUT,
    PHONE_ATTACH,  /* text: the bytes of a file. Answer: text: its hash */
    PHONE_ACT,     /* texts: the action, its value. Answer: text: its key */
    PHONE_LETTERS, /* Answer: text: a JSON object a line: what tjzw_letters() gives */
    PHONE_FIND, /* text: a title. Answer: text: -, the id of that item, "" if it is not shown */
    PHONE_SURVEYS, /* Answer: text: -, the ids of those that can be answered, a line each */
    PHONE_ANSWER,  /* texts: a survey's id, answers */
    PHONE_COUNT,   /* text: the id of an item that is read */
    PHONE_HORIZON, /* text: so many items at least are to be held, 0: all */
    PHONE_FETCH,   /* text: the id of an item, perhaps from below the horizon */
    PHONE_END_AT,  /* number: changes of files until it ends; more: the power fails */
    PHONE_CLOSE,   /* it ends well; no answer */
};

/* What it asks meanwhile. texts: URL, headers (a line each), body, method. Answered by one of the same kind: number: status, 0: none;
   more: the body came whole; texts: headers, body, -, changes of files until it ends, with a 0 before it: by a loss of power. */
enum { PHONE_ASKS = 100, PHONE_READY = 101 };

struct phone_start {
    const char *dir;
    struct dice dice;
    unsigned end_at;
    bool power;
    int64_t wall_us; /* how far its clock is beside the town's */
};

/* In a process that was forked for it. Never returns. */
_Noreturn void phone_main(int fd, const struct phone_start *s);

#endif
