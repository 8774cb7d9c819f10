/*
 * set_up.h - what a server says at its start that nobody administers yet: the link by which somebody becomes its first administrator.
 */
#ifndef CLI_SET_UP_H
#define CLI_SET_UP_H

#include "server/base/err.h"

/*
 * Prints the link, and its square where there is a terminal; nothing where there is a security administrator, who invites all others.
 * After app_start(); waits for the writer.
 */
enum rc set_up_say(struct err *e, const char *data);

#endif
