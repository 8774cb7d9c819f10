/*
 * follow_http.h - a get of the pull engine as the lines of HTTP, and the lines of an answer as its
 * fields. For transports; needs libc only.
 */
#ifndef SYNC_FOLLOW_HTTP_H
#define SYNC_FOLLOW_HTTP_H

#include "sync/follow.h"

enum { FOLLOW_LINES = 4, FOLLOW_LINE_MAX = 192, FOLLOW_URL_MAX = 704 };

struct follow_question {
    char url[FOLLOW_URL_MAX];
    const char
        *headers[FOLLOW_LINES + 1]; /* "Name: value"; NULL ends; they point into `lines` */
    char lines[FOLLOW_LINES][FOLLOW_LINE_MAX];
};

/* `server`: "https://host:port", without a slash behind. *out must stay where it is. */
void follow_ask_http(const struct follow_get *g, const char *server,
                     struct follow_question *out);
/* A status line came; again for a final answer after a 1xx. */
void follow_take_status(struct follow_get *g, int status);
void follow_take_header(struct follow_get *g, const char *name, const char *value);

#endif
