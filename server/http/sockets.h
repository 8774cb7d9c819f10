/*
 * sockets.h - the listening sockets of a server: for every URL one a loop, which share the port; or as many as the
 * program before had, if it had another number of loops.
 *
 * They outlive the server that accepts from them: the process that opened them keeps them while a server is
 * started again, and hands them over when it executes itself anew. Who connects meanwhile waits in the
 * kernel's queue.
 */
#ifndef HTTP_SOCKETS_H
#define HTTP_SOCKETS_H

#include "server/base/conf.h"
#include "server/http/listen.h"

enum { LOOPS_MAX = 64, SOCKETS_TEXT = CONF_LIST_MAX * (LISTEN_URL + LOOPS_MAX * 8) };

struct sockets {
    int n, loops;
    char url[CONF_LIST_MAX][LISTEN_URL]; /* as the setting has it */
    struct endpoint at[CONF_LIST_MAX];   /* with the ports that were given */
    int held[CONF_LIST_MAX];             /* how many of each URL */
    int fds[CONF_LIST_MAX][LOOPS_MAX];   /* -1: closed, or given away */
};

/* A setting's number of loops; 0: one a core. RC_INVALID. */
enum rc sockets_loops(struct err *e, int64_t setting, int *out);
/*
 * Opens them, but for those that `inherited` (NULL, or sockets_text() of the program before) has for the
 * same URL, which are all taken over: connections wait in each of them. What else it names is closed. RC_CONFLICT:
 * somebody else listens there. RC_INVALID: a URL that cannot be. Then nothing is left open.
 */
enum rc sockets_open(struct err *e, const struct conf_list *urls, int loops,
                     const char *inherited, struct sockets *out);
void sockets_close(struct sockets *s);
/* For the program that this process executes next: descriptors, which stay open over exec() from now on, and
 * their URLs. */
void sockets_text(const struct sockets *s, char out[SOCKETS_TEXT]);

#endif
