/*
 * workday.h - which days offices work on: Monday to Friday, but for what the State Council's notices say (workday.def) and what the operator
 * adds of a newer one.
 *
 * A day is days since 1970-01-01 in Beijing. Deadlines count whole days: the day on which something begins is none of them (民法典第二百零一条),
 * and the last one ends at midnight.
 */
#ifndef CITIZEN_WORKDAY_H
#define CITIZEN_WORKDAY_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/err.h"

enum { WORKDAY_ADDED_MAX = 200, WORKDAYS_COUNTED = 400 };

struct conf_list;

int64_t workday_of(int64_t seconds); /* the day that this moment is in */
int64_t workday_begin(int64_t day);  /* its first second */
bool workday_is(int64_t day);
/* The n-th working day after `day`; n is 1 to WORKDAYS_COUNTED. */
int64_t workday_after(int64_t day, int n);
/* How many working days lie behind `from`, up to and with `to`; 0 unless `to` is later. */
int workday_between(int64_t from, int64_t to);
/* The second at which `n` working days behind the moment are over; 0: its own day is, or, if that is none, the next working day. */
int64_t workday_deadline(int64_t seconds, int n);
/* The last year that a notice is known of, here or from the operator: after it weekends alone count. */
int workday_known(void);

/* Days ("2027-01-01") of a notice that is newer than this program. RC_INVALID names the setting. Before the threads start. */
enum rc workday_open(struct err *e, const struct conf_list *off, const struct conf_list *on);

#endif
