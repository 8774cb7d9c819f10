/*
 * push_thread.h - the thread that turns campaigns into messages (docs/push.md, "From due to done").
 *
 *     push_campaign --due--> push_run --open, take--> tasks --sender--> vendors
 *                                ^                                       |
 *                                +------------- write <-- verdicts ------+
 *
 * It looks five times a second whether something is to be done. What it knows is in the database; what it holds, tasks that are on their way, is in doubt if it is killed.
 */
#ifndef PUSH_THREAD_H
#define PUSH_THREAD_H

#include "push/sender.h"
#include "server/base/err.h"

enum {
    PUSH_LATE =
        3600, /* seconds: who should have started longer ago waits for somebody's word */
    PUSH_SINGLES =
        100, /* devices of a batch where each is a request: it is in doubt until its last answer */
    PUSH_LOOK_MS = 200 /* how often it looks whether something is to be done */
};

/* After the writer and what reads campaigns; takes the sender, also if it fails. `db_path` is the database. */
enum rc push_thread_start(struct err *e, const char *db_path, struct sender *sender);
/* What is on its way becomes what it is known to be, in bounded time. While the writer still runs; accepts not having been started. */
void push_thread_stop(void);
#endif
