/*
 * poll.h - answers to surveys: each is counted once, and each account has one.
 */
#ifndef TESTS_SIM_POLL_H
#define TESTS_SIM_POLL_H

#include <jansson.h>

#include "tests/sim/sim.h"

enum { POLL_CHOICES = 3 };

struct polls *polls_new(void);

/* The number of an answer that this phone is to give; -1: enough were given. What it chooses follows from the number. */
int poll_begins(struct sim *s, const struct device *p, const char *survey);
int poll_choice(int answer);
/* The staff are about to end it, or to take it away. */
void poll_closes(struct sim *s, const char *survey);
void poll_backed_up(struct sim *s);
void poll_restored(struct sim *s);

/* ---- what is seen ---- */

void poll_asked(struct sim *s, const struct device *p, const json_t *mutation);
/* False: it is none of ours. */
bool poll_result(struct sim *s, const struct device *p, const char *device,
                 const json_t *mutation, const json_t *result);
/* When all has been exchanged: what the server counted, and what a phone shows. */
void poll_audit(struct sim *s);
void poll_settled(struct sim *s, const struct device *p, int64_t account, const char *entries);

#endif
