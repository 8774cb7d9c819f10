/*
 * line.h - what the processes of a simulation say to each other: one message, then its answer.
 */
#ifndef TESTS_SIM_LINE_H
#define TESTS_SIM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXTS = 4 };

struct message {
    int32_t kind, number, more;
    char *text[TEXTS]; /* NUL-terminated; never NULL once received */
    size_t n[TEXTS];
};

void message_text(struct message *m, int which, const char *p, size_t n); /* not copied */
void message_done(struct message *m); /* of a received one */

/* False: nobody is there any more. */
bool line_send(int fd, const struct message *m);
bool line_receive(int fd, struct message *out);

#endif
