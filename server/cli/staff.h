/*
 * staff.h - the row behind a staff command: which request it is.
 */
#ifndef CLI_STAFF_H
#define CLI_STAFF_H

#include "server/http/request.h"

enum staff_payload {
    STAFF_QUERY,   /* options become the query */
    STAFF_OPTIONS, /* options become a JSON body */
    STAFF_FILE,    /* the last argument names a file with the body, "-" is standard input */
};

/* Of a row in a table of commands. */
#define STAFF(verb, at, kind) \
    &(const struct staff)     \
    {                         \
        verb, at, kind        \
    }

struct staff {
    enum method method;
    const char *path; /* % stands for the first argument */
    enum staff_payload payload;
    const char *member; /* NULL, or what the first argument is called in the body */
};

#endif
