/*
 * server.h - the server in a process of its own: its real routes, handlers, writer, sync and store, on a directory whose disk may
 * lose what was not synced.
 */
#ifndef TESTS_SIM_SERVER_H
#define TESTS_SIM_SERVER_H

#include "tests/sim/dice.h"
#include "tests/sim/line.h"

/* What it is asked; each is answered by one message of the same kind. */
enum server_asks {
    /* number: the method; more: who asks: a phone's number, or -1: the operator; texts: target, headers, body.
       Answer: number: status; texts: headers, body, the code that a short message would have brought */
    SERVER_ASK,
    SERVER_REST,   /* time has passed: what is due is done */
    SERVER_END_AT, /* number: changes of files until it ends; more: the power fails */
    SERVER_BACKUP, /* text: into that directory. Answer: number: 0, or it failed */
    SERVER_STOP,   /* it ends well */
};

/* What is said first: number: 0, or the start failed; text: why. */
enum { SERVER_READY = 100 };

struct server_start {
    const char *dir;
    const char *restore; /* a backup to make the directory of first; NULL: none */
    struct dice dice;
    unsigned end_at; /* changes of files until it ends, counted from the start; 0: never */
    bool power;
};

/* In a process that was forked for it. Never returns. */
_Noreturn void server_main(int fd, const struct server_start *s);

#endif
