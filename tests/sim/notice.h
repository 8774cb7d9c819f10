/*
 * notice.h - messages of the inbox: what was sent to whom, taken back, dropped, read.
 */
#ifndef TESTS_SIM_NOTICE_H
#define TESTS_SIM_NOTICE_H

#include <jansson.h>

#include "tests/sim/sim.h"

struct notices *notices_new(void);

/* The number of a message to that account, a new one or one of before; -1: enough. */
int notice_pick(struct sim *s, int64_t account, bool anew);
void notice_sent(struct sim *s, int notice, int64_t number, bool surely);
void notice_withdrawn(struct sim *s, int notice, bool surely);
void notice_drops(struct sim *s, const struct device *p,
                  const char *key); /* its owner is about to */
void notice_moves(struct sim *s,
                  int notice); /* to a guest, who may be part of an account by now */
void notice_restored(struct sim *s);

/* What came of something that a phone did; false: to no message. */
bool notice_result(struct sim *s, const struct device *p, const json_t *mutation,
                   const json_t *result);
/* What a phone shows at any time, and in the end. */
void notice_look(struct sim *s, const struct device *p, int64_t account, const char *entries);
void notice_settled(struct sim *s, const struct device *p, int64_t account,
                    const char *entries);

#endif
